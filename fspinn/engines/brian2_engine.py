"""The reference engine: the network as equations that Brian2 integrates, in double precision.

`learn` and `respond` are those of `float_engine`: the same input spikes, the same order of events. The
equations are in `brian2_equations` and `brian2_phases`. Brian2 is hundreds of times slower; it is here to be
read and to be compared with.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fspinn.encoders import input_spikes
from fspinn.engines.brian2_equations import define
from fspinn.engines.brian2_simulation import TARGETS, Recorded, simulate
from fspinn.errors import ConfigError
from fspinn.model import Network
from fspinn.plasticity import annealed
from fspinn.randomness import INFERENCE_SPIKES, TRAINING_SPIKES
from fspinn.trained import Activity

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
    threads: int = 1,
    target: str = "numpy",
) -> tuple[NDArray[np.int32], Activity]:
    """Present images with learning on; `weights` and `theta` change in place.

    Parameters
    ----------
    network, weights, theta, images, seed, first, total
        As for `float_engine.learn`. Brian2 computes in double precision; what it learned is rounded to the
        type of `weights` and `theta` at the end of the call.
    threads : int, default 1
        Without effect: Brian2 uses one.
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
            network, *state, images[some], seed=seed, first=first + start, total=total, target=target
        )
        state = recorded.weights, recorded.theta
        np.add.at(spike_counts[some], _presentations_and_neurons(network, recorded), 1)
        activity += _activity(network, recorded, learning=True)
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
    threads, target
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
        spikes = _encoded(network, images[some], seed, INFERENCE_SPIKES, first + start)
        recorded = simulate(definition, weights, theta, *spikes, len(images[some]), {}, target)
        np.add.at(spike_counts[some], _presentations_and_neurons(network, recorded), 1)
        activity += _activity(network, recorded, learning=False)
        if spike_order is not None:
            _keep_first(network, recorded, recorded.spike_neurons, spike_order[some])
        if spike_steps is not None:
            _keep_first(network, recorded, recorded.spike_steps % network.steps, spike_steps[some])
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
    spikes = _encoded(network, images, seed, TRAINING_SPIKES, first)
    return simulate(definition, weights, theta, *spikes, len(images), per_presentation, target)


def _check_target(target: str) -> None:
    if target not in TARGETS:
        raise ConfigError(f"target: there is no {target!r}; use one of {', '.join(TARGETS)}")


def _encoded(
    network: Network, images: NDArray[np.uint8], seed: int, purpose: int, first: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return step and input of each input spike, steps counted from the first presentation on."""
    steps, inputs = [], []
    for number, image in enumerate(images):
        spikes = input_spikes(network, image, seed, purpose, first + number)
        in_step = np.diff(spikes.offsets)
        steps.append(np.repeat(np.arange(network.steps) + number * network.steps, in_step))
        inputs.append(spikes.inputs)
    return np.concatenate(steps), np.concatenate(inputs)


def _presentations_and_neurons(network: Network, recorded: Recorded) -> tuple[NDArray[Any], NDArray[Any]]:
    return recorded.spike_steps // network.steps, recorded.spike_neurons


def _keep_first(
    network: Network, recorded: Recorded, values: NDArray[np.int64], kept: NDArray[np.int32]
) -> None:
    """Write the values of the first output spikes of each presentation into its row, -1 after the last."""
    shown = recorded.spike_steps // network.steps
    place = np.arange(len(shown)) - np.searchsorted(shown, shown)
    fits = place < kept.shape[1]
    kept[:] = -1
    kept[shown[fits], place[fits]] = values[fits]


def _activity(network: Network, recorded: Recorded, *, learning: bool) -> Activity:
    """Count what happened: input spikes, output spikes and the events that write weights."""
    n_inputs, neurons = recorded.weights.shape
    all_steps, output_spikes = len(recorded.inputs_in_step), len(recorded.spike_steps)
    samples = all_steps // network.steps
    input_spikes = int(recorded.inputs_in_step.sum())
    additions = int((recorded.inputs_in_step * _integrating(network, recorded)).sum())
    windows = writes = thresholds = passes = 0
    if learning:
        windows_each = -(-network.steps // network.window_steps)
        windows = samples * windows_each
        shown, step = np.divmod(recorded.spike_steps, network.steps)
        led = len(np.unique(shown * windows_each + step // network.window_steps))
        silent = samples - len(np.unique(shown))
        writes = n_inputs * recorded.events["leads"] + neurons * recorded.events["depresses"]
        if network.rule == "pair":
            writes += input_spikes * neurons
        if network.rule in ("pair", "postonly"):
            writes += output_spikes * n_inputs
        if network.adaptation == "balanced":
            thresholds = neurons * (led + silent)
        if network.adaptation == "decaying":
            thresholds = output_spikes + neurons * samples
        passes = (network.weight_decay > 0) + (network.normalisation != "off")
    return Activity(
        samples=samples,
        steps=all_steps,
        input_spikes=input_spikes,
        output_spikes=output_spikes,
        synaptic_additions=additions,
        neuron_updates=all_steps * neurons * (2 if network.inhibition_kind == "layer" else 1),
        weight_reads=additions + writes,
        weight_writes=writes,
        threshold_updates=thresholds,
        windows=windows,
        normalisations=samples * passes * n_inputs * neurons,
    )


def _integrating(network: Network, recorded: Recorded) -> NDArray[np.int64]:
    """Return how many neurons add up the input of each step: one while all others are clamped."""
    integrating = np.full(len(recorded.inputs_in_step), network.neurons)
    if network.inhibition_kind == "clamp":
        for step in recorded.spike_steps:
            end_of_image = (step // network.steps + 1) * network.steps
            integrating[step + 1 : min(step + 1 + network.inhibition_steps, end_of_image)] = 1
    return integrating
