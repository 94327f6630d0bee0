"""The reference backend: the network as equations that Brian2 integrates, in double precision.

The equations are in `fspinn.backends.brian2.equations` and `phases`. Brian2 is hundreds of times slower; it
is here to be read and to be compared with.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.brian2.activity import activity_of, computed_steps
from fspinn.backends.brian2.equations import define
from fspinn.backends.brian2.positions import Presentations, presentations
from fspinn.backends.brian2.simulation import TARGETS, Recorded, simulate
from fspinn.backends.protocol import Response
from fspinn.base.errors import ConfigError
from fspinn.lowering.integers import Range
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.model.activity import Activity
from fspinn.network.encoders import Spikes
from fspinn.network.plasticity import annealed

PRESENTATIONS_PER_SIMULATION = 1000
"""Input and output spikes of so many presentations are in memory at once."""


def refuses(plan: Plan) -> str | None:
    """Return in one line why this backend cannot run a plan, or None if it can."""
    if plan.in_integers:
        return "engine: brian2 does not compute with integers only; use numba"
    return None


def respond(plan: Plan, spikes: Spikes, probe: int | None = None, *, target: str = "numpy") -> Response:
    """Present samples with learning off (see `fspinn.backends.protocol.Simulator`).

    Parameters
    ----------
    plan, spikes, probe
        As there.
    target : {"numpy", "cython", "cpp_standalone"}, default "numpy"
        What Brian2 makes of the equations; the last two need a C++ compiler.
    """
    *below, last = plan.layers
    spikes, activity = _through(plan, below, spikes, target)
    response = _answer(plan, last, spikes, probe, target)
    return replace(response, activity=(*activity, *response.activity))


def learn(
    plan: Plan, spikes: Spikes, total: int, earlier_spikes: int = 0, *, target: str = "numpy"
) -> Response:
    """Present samples with learning on (see `fspinn.backends.protocol.Simulator`).

    Brian2 computes in double precision; what it learned is rounded to the type of weights and theta at the
    end of the call. `target` is as for `respond`.
    """
    *below, layer = plan.layers
    spikes, activity = _through(plan, below, spikes, target)
    state: tuple[NDArray[Any], NDArray[Any]] = layer.weights, layer.theta
    shown, parts, alone = presentations(layer, spikes), [], _at_a_position(plan, layer)
    for part in _parts(shown):
        parts.append(simulate_learning(alone, state, part, total, earlier_spikes, target))
        earlier_spikes += len(parts[-1].spike_steps)
        state = parts[-1].weights, parts[-1].theta
    layer.weights[:], layer.theta[:] = state
    response = _response(alone, layer, spikes, shown, parts)
    return replace(response, activity=(*activity, *response.activity))


def simulate_learning(
    plan: Plan,
    state: tuple[NDArray[Any], NDArray[Any]],
    shown: Presentations,
    total: int,
    earlier_spikes: int = 0,
    target: str = "numpy",
) -> Recorded:
    """Present what positions see with learning on, in one simulation, from some weights and theta on.

    Returns
    -------
    Recorded
        With the spikes, what was learned, and how long it took.
    """
    definition = define(plan)
    per_presentation = {
        name: annealed(at_start, at_end, 0, total, total)[shown.samples]
        for name, (at_start, at_end) in definition.per_presentation.items()
    }
    return simulate(
        definition, state, shown.spikes, per_presentation, check_target(target), earlier_spikes=earlier_spikes
    )


def check_target(target: str) -> str:
    """Return the target, or raise ConfigError if there is none of that name."""
    if target not in TARGETS:
        raise ConfigError(f"target: there is no {target!r}; use one of {', '.join(TARGETS)}")
    return target


def _at_a_position(plan: Plan, layer: LayerPlan) -> Plan:
    return replace(plan, layers=(layer.at_a_position,))


def _through(
    plan: Plan, layers: Sequence[LayerPlan], spikes: Spikes, target: str
) -> tuple[Spikes, tuple[Activity, ...]]:
    """Return the input spikes of the layer after some, which answer."""
    activity: list[Activity] = []
    for layer in layers:
        response = _answer(plan, layer, spikes, None, target)
        spikes = response.passed_on(layer, spikes)
        activity += response.activity
    return spikes, tuple(activity)


def _answer(plan: Plan, layer: LayerPlan, spikes: Spikes, probe: int | None, target: str) -> Response:
    shown, alone = presentations(layer, spikes), _at_a_position(plan, layer)
    state = layer.weights, layer.theta
    parts = [
        simulate(define(alone), state, part.spikes, {}, check_target(target), probe=probe)
        for part in _parts(shown)
    ]
    return _response(alone, layer, spikes, shown, parts)


def _parts(shown: Presentations) -> list[Presentations]:
    starts = range(0, len(shown.samples), PRESENTATIONS_PER_SIMULATION)
    return [shown.part(start, start + PRESENTATIONS_PER_SIMULATION) for start in starts]


def _response(
    plan: Plan, layer: LayerPlan, spikes: Spikes, shown: Presentations, parts: list[Recorded]
) -> Response:
    spike_counts = np.zeros((len(spikes), layer.features), dtype=np.int32)
    first_steps = np.full_like(spike_counts, plan.steps)
    cell_of = np.zeros(1, np.int32) if layer.geometry is None else layer.geometry.cell_of
    none: list[NDArray[np.int32]] = [np.zeros(0, np.int32)]
    steps, neurons, positions, potentials = none.copy(), none.copy(), none.copy(), []
    activity, shown_steps = Activity(), plan.steps_of(layer)
    for number, recorded in enumerate(parts):
        presented, step = np.divmod(recorded.spike_steps, shown_steps)
        presented += number * PRESENTATIONS_PER_SIMULATION
        position = shown.positions[presented]
        samples = shown.samples[presented] - spikes.first
        features = samples, cell_of[position] * layer.neurons + recorded.spike_neurons
        np.add.at(spike_counts, features, 1)
        np.minimum.at(first_steps, features, step)
        steps.append(step.astype(np.int32))
        neurons.append(recorded.spike_neurons.astype(np.int32))
        positions.append(position.astype(np.int32))
        activity += activity_of(plan, recorded)
        if recorded.potentials is not None:
            seen = np.arange(shown_steps) < computed_steps(plan, recorded)[:, None]
            potentials.append(recorded.potentials.reshape(-1, shown_steps, 2) * seen[..., None])
    return Response(
        spike_counts,
        np.concatenate(steps),
        np.concatenate(neurons),
        np.concatenate(positions),
        first_steps,
        (replace(activity, samples=len(spikes)),),
        Range(),
        np.concatenate(potentials) if potentials else None,
    )
