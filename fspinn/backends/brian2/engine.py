"""The reference backend: the network as equations that Brian2 integrates, in double precision.

The equations are in `fspinn.backends.brian2.equations` and `phases`. Brian2 is hundreds of times slower; it
is here to be read and to be compared with.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.brian2.activity import activity_of
from fspinn.backends.brian2.equations import define
from fspinn.backends.brian2.simulation import TARGETS, Recorded, simulate
from fspinn.backends.protocol import Response, not_dense
from fspinn.base.errors import ConfigError
from fspinn.lowering.integers import Range
from fspinn.lowering.plan import Plan
from fspinn.model.activity import Activity
from fspinn.network.encoders import Spikes
from fspinn.network.plasticity import annealed

PRESENTATIONS_PER_SIMULATION = 1000
"""Input and output spikes of so many presentations are in memory at once."""


def refuses(plan: Plan) -> str | None:
    """Return in one line why this backend cannot run a plan, or None if it can."""
    if plan.in_integers:
        return "engine: brian2 does not compute with integers only; use numba"
    return not_dense(plan)


def respond(plan: Plan, spikes: Spikes, probe: int | None = None, *, target: str = "numpy") -> Response:
    """Present samples with learning off (see `fspinn.backends.protocol.Simulator`).

    Parameters
    ----------
    plan, spikes, probe
        As there.
    target : {"numpy", "cython", "cpp_standalone"}, default "numpy"
        What Brian2 makes of the equations; the last two need a C++ compiler.
    """
    (layer,) = plan.layers
    state = layer.weights, layer.theta
    parts = [
        simulate(define(plan), state, part, {}, check_target(target), probe=probe) for part in _parts(spikes)
    ]
    return _response(plan, spikes, parts)


def learn(
    plan: Plan, spikes: Spikes, total: int, earlier_spikes: int = 0, *, target: str = "numpy"
) -> Response:
    """Present samples with learning on (see `fspinn.backends.protocol.Simulator`).

    Brian2 computes in double precision; what it learned is rounded to the type of weights and theta at the
    end of the call. `target` is as for `respond`.
    """
    (layer,) = plan.layers
    state: tuple[NDArray[Any], NDArray[Any]] = layer.weights, layer.theta
    parts = []
    for part in _parts(spikes):
        parts.append(simulate_learning(plan, state, part, total, earlier_spikes, target))
        earlier_spikes += len(parts[-1].spike_steps)
        state = parts[-1].weights, parts[-1].theta
    layer.weights[:], layer.theta[:] = state
    return _response(plan, spikes, parts)


def simulate_learning(
    plan: Plan,
    state: tuple[NDArray[Any], NDArray[Any]],
    spikes: Spikes,
    total: int,
    earlier_spikes: int = 0,
    target: str = "numpy",
) -> Recorded:
    """Present samples with learning on, in one simulation, from some weights and theta on.

    Returns
    -------
    Recorded
        With the spikes, what was learned, and how long it took.
    """
    definition = define(plan)
    per_presentation = {
        name: annealed(at_start, at_end, spikes.first, len(spikes), total)
        for name, (at_start, at_end) in definition.per_presentation.items()
    }
    return simulate(
        definition, state, spikes, per_presentation, check_target(target), earlier_spikes=earlier_spikes
    )


def check_target(target: str) -> str:
    """Return the target, or raise ConfigError if there is none of that name."""
    if target not in TARGETS:
        raise ConfigError(f"target: there is no {target!r}; use one of {', '.join(TARGETS)}")
    return target


def _parts(spikes: Spikes) -> list[Spikes]:
    starts = range(0, len(spikes), PRESENTATIONS_PER_SIMULATION)
    return [spikes.part(start, start + PRESENTATIONS_PER_SIMULATION) for start in starts]


def _response(plan: Plan, spikes: Spikes, parts: list[Recorded]) -> Response:
    spike_counts = np.zeros((len(spikes), plan.layers[0].neurons), dtype=np.int32)
    first_steps = np.full_like(spike_counts, plan.steps)
    steps, neurons, potentials = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)], []
    activity = Activity()
    for number, recorded in enumerate(parts):
        presentations, step = np.divmod(recorded.spike_steps, plan.steps)
        presentations += number * PRESENTATIONS_PER_SIMULATION
        np.add.at(spike_counts, (presentations, recorded.spike_neurons), 1)
        np.minimum.at(first_steps, (presentations, recorded.spike_neurons), step)
        steps.append(step.astype(np.int32))
        neurons.append(recorded.spike_neurons.astype(np.int32))
        activity += activity_of(plan, recorded)
        if recorded.potentials is not None:
            potentials.append(recorded.potentials.reshape(-1, plan.steps, 2))
    return Response(
        spike_counts,
        np.concatenate(steps),
        np.concatenate(neurons),
        np.zeros(sum(map(len, steps)), np.int32),
        first_steps,
        (activity,),
        Range(),
        np.concatenate(potentials) if potentials else None,
    )
