"""One name for what reals and integers each do in their own way.

The schedule (`schedule_kernels`) calls these functions; the constants or the state among their arguments,
which are of reals or of integers, say which of the two kernels is compiled.
"""

from inspect import signature

from numba.extending import overload

import fspinn.backends.numba.integer_kernels as integer_kernels
import fspinn.backends.numba.integer_plasticity_kernels as integer_plasticity_kernels
import fspinn.backends.numba.neuron_kernels as neuron_kernels
import fspinn.backends.numba.plasticity_kernels as plasticity_kernels
from fspinn.backends.numba.constants_kernels import IntegerLearning, IntegerRow, Integers, IntegerState


def either(real, integer):
    """Return a function that compiled code calls in place of both kernels."""

    def function(*_):
        raise NotImplementedError("only compiled code calls this")

    def choose(*types):
        kinds = {getattr(type_, "instance_class", None) for type_ in types}
        return (integer if kinds & {Integers, IntegerLearning, IntegerRow, IntegerState} else real).py_func

    choose.__signature__ = signature(real.py_func)
    overload(function)(choose)
    return function


advance = either(neuron_kernels.advance, integer_kernels.advance)
forget_traces = either(neuron_kernels.forget_traces, integer_kernels.forget_traces)
find_spike = either(neuron_kernels.find_spike, integer_kernels.find_spike)
inhibit = either(neuron_kernels.inhibit, integer_kernels.inhibit)
lower = either(neuron_kernels.lower, integer_kernels.lower)
lower_by_threshold = either(neuron_kernels.lower_by_threshold, integer_kernels.lower_by_threshold)
set_thresholds = either(neuron_kernels.set_thresholds, integer_kernels.set_thresholds)

move_towards_input = either(
    plasticity_kernels.move_towards_input, integer_plasticity_kernels.move_towards_input
)
potentiate = either(plasticity_kernels.potentiate, integer_plasticity_kernels.potentiate)
depress_all = either(plasticity_kernels.depress_all, integer_plasticity_kernels.depress_all)
learn_from_spike = either(plasticity_kernels.learn_from_spike, integer_plasticity_kernels.learn_from_spike)
raise_theta = either(plasticity_kernels.raise_theta, integer_plasticity_kernels.raise_theta)
part_of_step = either(plasticity_kernels.part_of_step, integer_plasticity_kernels.part_of_step)
share_of_target = either(plasticity_kernels.share_of_target, integer_plasticity_kernels.share_of_target)
lower_theta = either(plasticity_kernels.lower_theta, integer_plasticity_kernels.lower_theta)
decay_theta = either(plasticity_kernels.decay_theta, integer_plasticity_kernels.decay_theta)
tidy_weights = either(plasticity_kernels.tidy_weights, integer_plasticity_kernels.tidy_weights)
