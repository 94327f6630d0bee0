"""A network as equations of Brian2: the variables of its units, and the numbers in them.

What happens to them in a time step is in `phases`.
"""

import re
from math import isfinite

from fspinn.backends.brian2 import phases
from fspinn.backends.brian2.definition import Definition, Event, Population, Projection
from fspinn.backends.brian2.phases import STEP, Mechanisms, lines
from fspinn.lowering.plan import LayerPlan, Plan


def define(plan: Plan) -> Definition:
    """Return a network as equations and code of Brian2; one that learns with all that changes weights."""
    (layer,) = plan.layers
    on = Mechanisms(plan)
    constants = _constants(plan, layer)
    populations = (
        Population("images", layer.inputs, ""),
        Population("inputs", layer.inputs, _inputs(on)),
        Population("neurons", layer.neurons, _neurons(on)),
        Population("referee", 1, _referee(on)),
    )
    projections = _projections(on)
    schedule = (
        *phases.leak(on),
        *on.inhibition.in_layer,
        *phases.arrive(on),
        *phases.threshold(on),
        *phases.reset(on),
        *phases.post(on),
        *phases.window(on),
        *phases.end(on),
    )
    equations = [population.equations for population in populations]
    equations += [projection.equations for projection in projections]
    code = [line.partition("#")[0] for line in "\n".join(equations).splitlines()]
    code += [part.condition if isinstance(part, Event) else part.code for part in schedule]
    names = set(re.findall(r"\w+", " ".join(code)))
    return Definition(
        dt_ms=plan.dt_ms,
        steps=on.steps,
        populations=populations,
        projections=projections,
        schedule=schedule,
        constants={name: value for name, value in constants.items() if name in names},
        per_presentation={name: value for name, value in _per_presentation(layer).items() if name in names},
    )


def _projections(on: Mechanisms) -> tuple[Projection, ...]:
    projections = (
        Projection("encoded", "images", "inputs", one_to_one=True),
        Projection("weights", "inputs", "neurons", "w : 1"),
        Projection("reports", "neurons", "referee"),
    )
    return (*projections, Projection("sums", "inputs", "referee")) if on.rule == "normalised" else projections


def _inputs(on: Mechanisms) -> str:
    return lines(
        "arrived : boolean  # a spike of the image, in this step",
        (on.ends_early, "ended : integer (linked)  # of the referee"),
        (on.ends_early and on.learning, "winner : integer (linked)  # of the referee"),
        (on.traces, "dx/dt = -x/trace_tau : 1  # trace of the spikes"),
        (on.rule == "normalised", "count : integer  # spikes in this window"),
        (on.rule == "timestep", "window_spikes : integer (linked)  # of the referee"),
        (on.learning, STEP),
    )


def _neurons(on: Mechanisms) -> str:
    return lines(
        "dv/dt = -v/tau_m : 1  # potential" if isfinite(on.layer.tau_m_ms) else "v : 1  # potential",
        "theta : 1  # what adaptation adds to the threshold",
        "excess = v - (firing_threshold + theta) : 1",
        "winner : integer (linked)  # of the referee",
        (on.ends_early, "ended : integer (linked)  # of the referee"),
        (on.refractory, "ready_at : integer  # step from which on it may spike again"),
        on.inhibition.neurons,
        (on.rule == "pair", "dy/dt = -y/trace_tau : 1  # trace of its spikes"),
        (on.leader, "count : integer  # its spikes since the image appeared"),
        (on.factor, "k = ceil(count/spike_threshold) : 1  # potentiation factor"),
        (on.leader, "leader : integer (linked)  # of the referee"),
        (on.leader, "most : integer (linked)  # of the referee"),
        (on.leader, "window_spikes : integer (linked)  # of the referee"),
        (on.balanced, "total_spikes : integer (linked)  # of the referee"),
        (on.balanced, "near : boolean (linked)  # of the referee"),
        (on.balanced, "reached : boolean (linked)  # of the referee"),
        (
            on.has_input,
            "has_input : boolean  # whether any input has spiked since the image appeared",
        ),
        (on.rule == "normalised", "square : 1 (linked)  # of the referee"),
        (on.rule == "normalised", "length : 1  # norm of the input spikes in this window"),
        (on.normalisation != "off", "size : 1  # sum over its weights, to normalise them"),
        STEP,
    )


def _referee(on: Mechanisms) -> str:
    return lines(
        "winner : integer  # neuron that spikes in this step, or -1",
        "best : 1  # how far the winner is above its threshold",
        on.inhibition.referee,
        (on.leader, "leader : integer  # neuron with the most spikes since the image appeared"),
        (on.leader, "most : integer  # number of these spikes"),
        (on.leader, "window_spikes : integer  # output spikes in this window"),
        (on.balanced, "total_spikes : integer  # output spikes since training began"),
        (on.balanced, "near : boolean  # whether a potential is half the firing threshold as the image ends"),
        (on.balanced, "reached : boolean  # whether one is all of it"),
        (on.rule == "normalised", "square : 1  # sum of the squares of the inputs' spikes in this window"),
        (on.ends_early, "ended : integer  # step after the spike that ended the presentation, or 0"),
        (on.leader or on.ends_early, STEP),
    )


def _constants(plan: Plan, layer: LayerPlan) -> dict[str, tuple[float, str]]:
    """Return value and unit of every name that equations may hold."""
    constants = {
        "tau_m": (layer.tau_m_ms, "ms"),
        "firing_threshold": (layer.firing_threshold, ""),
        "steps": (plan.steps_of(layer), ""),
        "input_steps": (plan.steps, ""),
        "refractory_steps": (layer.refractory_steps, ""),
        "drop": (layer.drop, ""),
        "drop_part": (layer.drop_part, ""),
        "inhibition_steps": (layer.inhibition_steps, ""),
    }
    if (learning := layer.learning) is not None:
        constants |= {
            "window_steps": (learning.window_steps, ""),
            "spike_threshold": (learning.spike_threshold, ""),
            "weight_norm": (learning.weight_norm, ""),
            "trace_tau": (learning.trace_tau_ms, "ms"),
            "depression_rate": (learning.depression_rate, ""),
            "target_trace": (learning.target_trace, ""),
            "duration": (learning.duration_ms, "ms"),
            "lowest_theta": (learning.lowest_theta, ""),
            "theta_tau": (learning.theta_tau_ms, "ms"),
            "target_spikes": (learning.target_spikes, ""),
            "weight_decay": (learning.weight_decay, ""),
            "goal": (learning.normalisation_goal, ""),
        }
    return constants


def _per_presentation(layer: LayerPlan) -> dict[str, tuple[float, float]]:
    """Return first and last value of what is annealed over the presentations."""
    if (learning := layer.learning) is None:
        return {}
    first, last = (step * learning.weight_norm for step in learning.theta_step)
    return {"learning_rate": learning.learning_rate, "theta_step": (first, last)}
