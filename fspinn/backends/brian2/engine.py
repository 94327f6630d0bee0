"""The reference engine: the network as equations that Brian2 integrates, in double precision.

`learn` and `respond` are those of `float_engine`: the same input spikes, the same order of events. The
equations are in `brian2_equations` and `brian2_phases`. Brian2 is hundreds of times slower; it is here to be
read and to be compared with.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.brian2.activity import activity_of
from fspinn.backends.brian2.definition import Definition
from fspinn.backends.brian2.equations import define
from fspinn.backends.brian2.simulation import TARGETS, Recorded, simulate
from fspinn.base.errors import ConfigError
from fspinn.base.randomness import INFERENCE_SPIKES, TRAINING_SPIKES
from fspinn.model.model import Activity
from fspinn.network.description import Network
from fspinn.network.encoders import input_spikes
from fspinn.network.plasticity import annealed

Real = TypeVar("Real", np.float32, np.float64)

PRESENTATIONS_PER_SIMULATION = 1000
"""Input and output spikes of so many presentations are in memory at once."""


def learn(
    network: Network,
    weights: NDArray[Real],
    theta: NDArray[Real],
    images: NDArray[np.uint8],
    *,
    seed: int,
    first: int,
    total: int,
    earlier_spikes: int = 0,
    target: str = "numpy",
) -> tuple[NDArray[np.int32], Activity]:
    """Present images with learning on; `weights` and `theta` change in place.

    Parameters
    ----------
    network, weights, theta, images, seed, first, total, earlier_spikes
        As for `float_engine.learn`. Brian2 computes in double precision; what it learned is rounded to the
        type of `weights` and `theta` at the end of the call.
    target : {"numpy", "cython", "cpp_standalone"}, default "numpy"
        What Brian2 makes of the equations; the last two need a C++ compiler.

    Returns
    -------
    spike_counts : ndarray of int32, shape (n, n_neurons)
    activity : Activity
    """
    spike_counts = np.zeros((len(images), network.neurons), dtype=np.int32)
    activity = Activity()
    state: tuple[NDArray[Any], NDArray[Any]] = weights, theta
    for start in range(0, len(images), PRESENTATIONS_PER_SIMULATION):
        some = slice(start, start + PRESENTATIONS_PER_SIMULATION)
        recorded = simulate_learning(
            network,
            *state,
            images[some],
            seed=seed,
            first=first + start,
            total=total,
            earlier_spikes=earlier_spikes + activity.output_spikes,
            target=target,
        )
        state = recorded.weights, recorded.theta
        np.add.at(spike_counts[some], (recorded.spike_steps // network.steps, recorded.spike_neurons), 1)
        activity += activity_of(network, recorded, learning=True)
    weights[:], theta[:] = state
    return spike_counts, activity


def respond(
    network: Network,
    weights: NDArray[Real],
    theta: NDArray[Real],
    images: NDArray[np.uint8],
    *,
    seed: int,
    first: int = 0,
    threads: int | None = None,
    spike_order: NDArray[np.int32] | None = None,
    spike_steps: NDArray[np.int32] | None = None,
    target: str = "numpy",
) -> tuple[NDArray[np.int32], Activity]:
    """Present images with learning off, as `Network.answering` says.

    Parameters
    ----------
    network, weights, theta, images, seed, first, spike_order, spike_steps
        As for `float_engine.respond`.
    threads : int or None, default None
        Without effect: Brian2 uses one.
    target
        As for `learn`.

    Returns
    -------
    spike_counts : ndarray of int32, shape (n, n_neurons)
    activity : Activity
    """
    network = network.answering
    _check_target(target)
    definition = define(network, len(weights), learning=False)
    spike_counts = np.zeros((len(images), network.neurons), dtype=np.int32)
    activity = Activity()
    for start in range(0, len(images), PRESENTATIONS_PER_SIMULATION):
        some = slice(start, start + PRESENTATIONS_PER_SIMULATION)
        source = seed, INFERENCE_SPIKES, first + start
        recorded = _simulate(network, definition, weights, theta, images[some], source, {}, target)
        presentations, steps = np.divmod(recorded.spike_steps, network.steps)
        np.add.at(spike_counts[some], (presentations, recorded.spike_neurons), 1)
        activity += activity_of(network, recorded, learning=False)
        if spike_order is not None:
            _keep_first(presentations, recorded.spike_neurons, spike_order[some])
        if spike_steps is not None:
            _keep_first(presentations, steps, spike_steps[some])
    return spike_counts, activity


def simulate_learning(
    network: Network,
    weights: NDArray[Any],
    theta: NDArray[Any],
    images: NDArray[np.uint8],
    *,
    seed: int,
    first: int,
    total: int,
    earlier_spikes: int = 0,
    target: str = "numpy",
) -> Recorded:
    """Present images with learning on, in one simulation; see `learn`, whose arguments stay as they are.

    Returns
    -------
    Recorded
        With the spikes, what was learned, and how long it took.
    """
    _check_target(target)
    definition = define(network, len(weights), learning=True)
    per_presentation = {
        name: annealed(at_start, at_end, first, len(images), total)
        for name, (at_start, at_end) in definition.per_presentation.items()
    }
    source = seed, TRAINING_SPIKES, first
    return _simulate(
        network,
        definition,
        weights,
        theta,
        images,
        source,
        per_presentation,
        target,
        earlier_spikes=earlier_spikes,
    )


def _check_target(target: str) -> None:
    if target not in TARGETS:
        raise ConfigError(f"target: there is no {target!r}; use one of {', '.join(TARGETS)}")


def _simulate(
    network: Network,
    definition: Definition,
    weights: NDArray[Any],
    theta: NDArray[Any],
    images: NDArray[np.uint8],
    source: tuple[int, int, int],
    per_presentation: dict[str, NDArray[np.float64]],
    target: str,
    *,
    earlier_spikes: int = 0,
) -> Recorded:
    """Show images whose spikes are drawn from `source`: seed, purpose and number of the first of them."""
    seed, purpose, first = source
    steps, inputs = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    for number, image in enumerate(images):
        spikes = input_spikes(network, image, seed, purpose, first + number)
        in_image = np.repeat(np.arange(network.steps), np.diff(spikes.offsets))
        steps.append(in_image + number * network.steps)
        inputs.append(spikes.inputs)
    shown = np.concatenate(steps), np.concatenate(inputs), len(images)
    return simulate(
        definition, weights, theta, *shown, per_presentation, target, earlier_spikes=earlier_spikes
    )


def _keep_first(presentations: NDArray[np.int64], values: NDArray[np.int64], kept: NDArray[np.int32]) -> None:
    """Write the values of the first output spikes of each presentation into its row, -1 after the last."""
    place = np.arange(len(presentations)) - np.searchsorted(presentations, presentations)
    fits = place < kept.shape[1]
    kept[:] = -1
    kept[presentations[fits], place[fits]] = values[fits]
