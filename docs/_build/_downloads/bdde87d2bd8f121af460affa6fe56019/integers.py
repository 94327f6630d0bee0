"""Which integers stand for a network, and what is done with them? The definition that all others repeat.

`fspinn.network` says in which order things happen; this says in which arithmetic. Everything below is whole
numbers. ``a >> k`` is ``a / 2**k`` rounded down, also for negative numbers; ``cut(a)`` is `a`, or the end of
the state format that it lies beyond, and each time that changes a number is one **saturation**.

A layer in integers has (`fspinn.lowering.plan.LayerPlan`)

- weights: the integers that stand for them in their format, w fraction bits;
- potentials v, thresholds and inhibition drop: integers of the **state format**, s fraction bits;
- theta: integers of its own format, t fraction bits, t at most s.

The threshold of neuron j is ``threshold + (theta[j] << (s - t))``. Numbers that are not integers yet (firing
threshold, drop, the parts that follow) are rounded to nearest, ties to even, once.

**Inference.** All v are 0 at the start of a presentation. In a time step, with `leak` the integer nearest to
``65536 * (1 - exp(-dt_ms / tau_m_ms))``, from 0 to 65536:

1. ``v -= (v * leak) >> 16``. Where `leak` is a power of two that is a shift and a subtraction.
2. A drop that is due (inhibition by a layer) is taken, as in 5.
3. ``v = cut(v + scaled(sum of the weights of all inputs that spike))``, with ``scaled(a) = a << (s - w)``, or
   ``a >> (w - s)`` where weights are finer than the state. The sum is exact: it is rounded once per step, and
   the order of the inputs does not matter. Spikes of inputs that are not used are left out (and not counted).
   A neuron that inhibition holds at 0 stays there: 1 and 3 are for the others.
4. Of the neurons that may spike, those with ``v >= threshold[j]``, the one with the largest
   ``v - threshold[j]`` spikes, of equals the first.
5. It goes to 0. Each other neuron that is inhibited gets
   ``v = cut(v - (drop + ((v * drop_part) >> 16)))``; one of both is 0.

Without inhibition (``none``) every neuron that may spike and has ``v >= threshold[j]`` spikes, and for each
of them ``v = cut(v - threshold[j])``.

**Learning** (rules ``normalised`` and ``timestep``; no normalisation, no decay of weights). Weights stay in
their format. A change is computed in units of 2**-32 of a weight's step, and rounded once:
``a = (weight << 32) + change``, and the new weight, at least 0 and at most the highest of its format, is

- ``truncate``: ``a >> 32``,
- ``nearest``: the integer nearest to ``a / 2**32``, ties to even,
- ``stochastic``: ``(a + (r >> 32)) >> 32``, with r the random word number
  ``(window * n_inputs + i) * n_neurons + j`` of stream (seed, `LEARNING_ROUNDING`, number of the
  sample) of `fspinn.base.randomness`; i and j are input and neuron, windows of a sample count from 0, and
  those of the position of a field that was drawn as number k from k times the windows of a presentation.

With `rate` the integer nearest to ``2**20 * learning_rate``, k the potentiation factor and one = ``2**w``:

- ``normalised``: with x[i] the spikes of each input in the window and q the sum of their squares,
  ``root = isqrt(q << 16)``, ``unit = ((norm << 8) + (root >> 1)) // root`` (norm is nearest to
  ``weight_norm * 2**(w + 12)``), ``target = min(one << 12, x[i] * unit)``, and the change is
  ``min(k * rate, 2**20) * (target - (weight << 12))``.
- ``timestep``: the trace x[i] has f fraction bits (`trace_format`). In each step it falls to 0,
  ``x -= (x * trace_leak + 65535) >> 16``, then ``x += 1 << f`` for each spike. The change is
  ``(k * rate * x[i]) << (12 + w - f)`` for the winner; in a window without an output spike it is
  ``-(depression * x[i]) << (12 + w - f)`` for all neurons of inputs with x[i] > 0, `depression` being nearest
  to ``2**20 * depression_rate``.

While learning, theta has 32 bits, with as many integer bits as it takes to move a threshold through the whole
state (`theta_while_learning`), and t fraction bits; a threshold is
``cut(threshold + ((theta + 2**(t - s - 1)) >> (t - s)))``. With `step` nearest to
``theta_step * weight_norm * 2**t`` and n neurons:

- ``balanced``: in a window with an output spike ``theta -= (step + n // 2) // n`` for all, then
  ``theta += step`` for the winner. After a presentation without one, ``theta -= step`` for all if
  ``v >= threshold`` for any (or if there was input and no output spike yet in the run), and
  ``theta -= (step + n // 2) // n`` if ``2 * v >= threshold`` for any. No theta falls below the higher one of
  ``(1 - threshold) << (t - s)``, so that every threshold is at least 1, and the integer nearest to
  ``Neuron.lowest_theta * 2**t``.
- ``decaying``: ``theta += step`` at a spike; after a presentation ``theta -= (theta * decay) >> 30``, with
  `decay` nearest to ``2**30 * (1 - exp(-duration_ms / theta_tau_ms))``.
- ``homeostatic``: ``theta += step`` at a spike; after a presentation with input
  ``theta -= (step * target + (n << 15)) // (n << 16)``, with `target` nearest to ``2**16 * target_spikes``,
  but not below the lowest theta of ``balanced``. The fall is rounded by at most half a unit of theta, not of
  the state, so that wide layers and small, late steps hold the target as floats do: a step of 0.3 shared by
  160 neurons is 125,829 units where the state is Q6.8. A threshold that the target would lead beyond the
  state is cut to its end, each time a saturation, and its neuron spikes more often.

What leaves the 32 bits of theta stays at their end. When learning is over, the theta of the network is what
its thresholds have above ``threshold``, in the narrowest format for that.
"""

from dataclasses import dataclass, replace
from math import expm1

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import FormatError
from fspinn.lowering.plan import LayerPlan
from fspinn.model.tensors import Formats
from fspinn.quant.formats import MAX_BITS, Format

MAX_STATE_BITS = 24
MAX_WEIGHT_BITS = 16
MAX_LEARNING_BITS = 8

WHOLE = 2**16
"""What `leak` and `drop_part` are parts of."""

_MAX_SUM = 2**30


@dataclass(frozen=True)
class Range:
    """What potentials and thresholds did in a run.

    Parameters
    ----------
    lowest, highest : int
        Lowest potential, and highest potential or threshold, as integers of the state format; 0 included.
    saturations : int
        How often a potential (or, in learning, a threshold) was cut to the format.
    """

    lowest: int = 0
    highest: int = 0
    saturations: int = 0

    def __or__(self, other: "Range") -> "Range":
        return Range(
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
            self.saturations + other.saturations,
        )


def answering_in_integers(layer: LayerPlan, dt_ms: float, formats: Formats) -> LayerPlan:
    """Return a layer whose constants are reals, and that answers, as one in integers.

    Its weights and theta are integers already.

    Raises
    ------
    FormatError
        If a format is too wide or too coarse, or the state cannot hold the thresholds or the input.
    """
    layer = in_formats(layer, dt_ms, formats)
    weights = layer.weights.astype(np.int64)
    check_input(layer.inputs, int(np.abs(weights).max(initial=0)), formats)
    theta = layer.theta.astype(np.int32)
    in_bytes = weights.min(initial=0) >= 0 and weights.max(initial=0) < 256
    layer = replace(layer, weights=weights.astype(np.uint8 if in_bytes else np.int32), theta=theta)
    check_thresholds(layer.thresholds, formats.state)
    return layer


def in_formats(layer: LayerPlan, dt_ms: float, formats: Formats) -> LayerPlan:
    """Return a layer with its constants in integers; weights and theta stay as they are.

    Raises
    ------
    FormatError
        If a format is too wide or too coarse.
    """
    check_formats(formats)
    state = formats.state
    return replace(
        layer,
        firing_threshold=scaled(layer.firing_threshold, state),
        leak=lost_part(dt_ms / layer.tau_m_ms, WHOLE),
        # A drop above the whole range takes as much as one that is as large.
        drop=min(scaled(layer.drop, state), state.highest_integer - state.lowest_integer),
        drop_part=round(layer.drop_part * WHOLE),
        formats=formats,
    )


def scaled(value: float, format: Format) -> int:
    """Return the integer nearest to a number in units of a format's step, also beyond the format."""
    return round(value * 2.0**format.fraction_bits)


def lost_part(time_constants: float, whole: int) -> int:
    """Return what an exponential decay loses in so many time constants, as an integer part of `whole`."""
    return round(-expm1(-time_constants) * whole)


def theta_while_learning(state: Format) -> Format:
    """Return the format that theta has while a network learns in integers."""
    integer_bits = state.integer_bits + (not state.signed)
    return Format(integer_bits, MAX_BITS - integer_bits, signed=True)


def check_formats(formats: Formats) -> None:
    """Raise FormatError unless a network can compute in these formats."""
    state, theta = formats.state, formats.theta
    if state.bits > MAX_STATE_BITS:
        raise FormatError(
            f"state: {state} has {state.bits} bits; the integer engine computes with up to {MAX_STATE_BITS}"
        )
    if formats.weights.bits > MAX_WEIGHT_BITS:
        raise FormatError(
            f"weights: {formats.weights} has {formats.weights.bits} bits; "
            f"the integer engine computes with up to {MAX_WEIGHT_BITS}"
        )
    if theta.fraction_bits > state.fraction_bits:
        raise FormatError(
            f"theta: {theta} is finer than the potentials it is compared with ({state}); "
            f"give it at most {state.fraction_bits} fraction bits"
        )


def check_input(n_inputs: int, largest: int, formats: Formats) -> None:
    """Raise FormatError if all inputs at once could be more than an accumulator of 32 bits holds.

    Parameters
    ----------
    n_inputs : int
    largest : int
        Largest size of an integer weight.
    formats : Formats
    """
    shift = max(formats.state.fraction_bits - formats.weights.fraction_bits, 0)
    if (n_inputs * largest) << shift >= _MAX_SUM:
        raise FormatError(
            f"state: {formats.state} has so many more fraction bits than the weights ({formats.weights}) "
            f"that {n_inputs} inputs together may pass 32 bits; give it at most "
            f"{formats.weights.fraction_bits + _MAX_SUM.bit_length() - 1 - (n_inputs * largest).bit_length()}"
        )


def check_thresholds(thresholds: NDArray[np.int64], state: Format) -> None:
    """Raise FormatError unless potentials can reach all thresholds."""
    lowest, highest = int(thresholds.min()), int(thresholds.max())
    if lowest < state.lowest_integer or highest > state.highest_integer:
        signed = state.signed or lowest < 0
        integer_bits = (max(highest, -lowest - 1) >> state.fraction_bits).bit_length() + signed
        fraction_bits = min(state.fraction_bits, max(MAX_STATE_BITS - integer_bits, 0))
        raise FormatError(
            f"state: {state} cannot hold the range, thresholds are from {lowest * state.step:.4g} to "
            f"{highest * state.step:.4g} and the format has {state.lowest:g} to {state.highest:g}; "
            f"try {'' if signed else 'U'}Q{integer_bits}.{fraction_bits}"
        )
