"""The fast engine: event-driven, in single (or double) precision, compiled by Numba.

An input spike costs the addition of one row of weights, a time step one pass over the neurons,
a learning window one column of weights.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fspinn.checks import whole_number
from fspinn.encoders import Spikes, encoder_settings
from fspinn.engines import float_kernels as kernels
from fspinn.engines.team_kernels import LINE
from fspinn.engines.window_kernels import Constants, make_board
from fspinn.model import ADAPTATIONS, INHIBITION_KINDS, NORMALISATIONS, RULES, Network
from fspinn.plasticity import annealed, normalisation_goal
from fspinn.randomness import INFERENCE_SPIKES, TRAINING_SPIKES
from fspinn.trained import Activity

Real = TypeVar("Real", np.float32, np.float64)

NEURONS_PER_THREAD = 800
"""With fewer, a thread more would spend its time on agreeing with the others."""


def unsupported(network: Network) -> str | None:
    """Return what this engine cannot run of a network, in words."""
    return None if network.synapses == "current" else f"synapses = {network.synapses!r}"


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
    threads: int = 1,
) -> tuple[NDArray[np.int32], Activity]:
    """Present images with learning on; `weights` and `theta` change in place.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled.
    weights : ndarray of float32 or float64, shape (n_inputs, n_neurons)
        All potentials are of this type: float64 is for comparisons with other simulators.
    theta : ndarray of the same type, shape (n_neurons,)
    images : ndarray of uint8, shape (n, height, width)
        In the order of presentation.
    seed : int
    first, total : int
        Number of the first presentation in the run, and how many the run has: they fix the random
        spikes, the learning rate and the threshold step.
    earlier_spikes : int, default 0
        Output spikes in earlier presentations of the run: how thresholds fall depends on their number.
    threads : int, default 1
        Threads that share the neurons, at least 800 each. The bits do not depend on it.

    Returns
    -------
    spike_counts : ndarray of int32, shape (n, n_neurons)
    activity : Activity
    """
    constants = _constants(network, weights.shape[0], weights.dtype.type)
    rates = annealed(network.learning_rate, network.learning_rate_end, first, len(images), total)
    steps = annealed(network.theta_step, network.theta_step_end, first, len(images), total)
    schedule = np.stack([rates, steps]).astype(weights.dtype)
    schedule[1] *= constants.weight_norm
    spike_counts = np.zeros((len(images), network.neurons), dtype=np.int32)
    members = min(threads, max(1, network.neurons // NEURONS_PER_THREAD))
    bounds = np.linspace(0, network.neurons, members + 1).astype(int).tolist()
    counted = np.zeros((members, len(Activity().as_tuple())), dtype=np.int64)
    board = make_board(members, network.steps, weights.shape[0])
    parts = [slice(bounds[member], bounds[member + 1]) for member in range(members)]
    flat = pixel_rows(images)
    # Of several, each learns on a copy of its columns in one piece, so that rows are read without gaps.
    blocks = [(weights, theta)]
    if members > 1:
        blocks = [(np.ascontiguousarray(weights[:, part]), theta[part].copy()) for part in parts]

    def work(member: int) -> None:
        kernels.learn_batch(
            flat,
            stream_of(seed, TRAINING_SPIKES, first),
            earlier_spikes,
            *blocks[member],
            schedule,
            constants,
            (member, members, bounds[member]),
            board,
            spike_counts,
            counted[member],
        )

    if members == 1:
        work(0)
    else:
        _run_team(work, members, board.rounds)
        for part, (own_weights, own_theta) in zip(parts, blocks, strict=True):
            weights[:, part], theta[part] = own_weights, own_theta
    return spike_counts, Activity(*counted.sum(axis=0).tolist())


def _run_team(work: Callable[[int], None], members: int, rounds: NDArray[np.int64]) -> None:
    """Run all members at once; if one fails, or Ctrl-C is pressed, the others stop waiting for it."""

    def stop() -> None:
        rounds[members * LINE] = 1

    def guarded(member: int) -> None:
        try:
            work(member)
        except BaseException:
            stop()
            raise

    with ThreadPoolExecutor(members) as pool:
        try:
            for done in as_completed([pool.submit(guarded, member) for member in range(members)]):
                done.result()
        except BaseException:
            stop()
            raise


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
) -> tuple[NDArray[np.int32], Activity]:
    """Present images with learning off, as `Network.answering` says. The answer does not depend on `threads`.

    Parameters
    ----------
    network, weights, theta, images, seed
        As for `learn`.
    first : int, default 0
        Number of the first image; fixes the random spikes.
    threads : int or None, default None
        Threads that share the images; None is one per available core.
    spike_order : ndarray of int32, shape (n, k), optional
        Receives the neurons of the first k output spikes of each image in their order; -1 where there
        were fewer.
    spike_steps : ndarray of int32, of the same shape, optional
        Receives the time steps of these spikes; only together with `spike_order`.

    Returns
    -------
    spike_counts : ndarray of int32, shape (n, n_neurons)
    activity : Activity
    """
    constants = _constants(network.answering, weights.shape[0], weights.dtype.type)
    flat = pixel_rows(images)
    spike_counts = np.zeros((len(images), network.neurons), dtype=np.int32)
    threads = available_cores() if threads is None else whole_number("threads", threads, 1, 1024)
    bounds = np.linspace(0, len(images), threads + 1).astype(int)
    counted = np.zeros((threads, len(Activity().as_tuple())), dtype=np.int64)

    order = np.empty((len(images), 0), dtype=np.int32) if spike_order is None else spike_order
    steps = np.empty_like(order) if spike_steps is None else spike_steps

    def work(part: int) -> None:
        start, stop = bounds[part], bounds[part + 1]
        kernels.respond_batch(
            flat[start:stop],
            stream_of(seed, INFERENCE_SPIKES, first + start),
            weights,
            theta,
            constants,
            spike_counts[start:stop],
            order[start:stop],
            steps[start:stop],
            counted[part],
        )

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return spike_counts, Activity(*counted.sum(axis=0).tolist())


def watch(
    network: Network, weights: NDArray[Real], theta: NDArray[Real], spikes: Spikes, neuron: int
) -> NDArray[Real]:
    """Return the potential of one neuron in a presentation with learning off.

    Parameters
    ----------
    network : Network
        As it answers.
    weights, theta
        As for `learn`.
    spikes : Spikes
        Input spikes of the presentation.
    neuron : int

    Returns
    -------
    ndarray of the type of `weights`, shape (steps, 2)
        In each time step what is compared with the threshold, and what remains at its end.
    """
    counts = np.diff(spikes.offsets)
    inputs = np.zeros((network.steps, len(weights)), dtype=np.int32)
    inputs[np.arange(len(weights)) < counts[:, None]] = spikes.inputs
    course = np.zeros((network.steps, 2), dtype=weights.dtype)
    constants = _constants(network, len(weights), weights.dtype.type)
    kernels.watch((counts, inputs), weights, theta, constants, neuron, course)
    return course


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _constants(network: Network, n_inputs: int, real: type[np.float32 | np.float64]) -> Constants:
    encoder, rate_norm_per_step, most_spikes = encoder_settings(network)
    firing_threshold = network.firing_threshold
    of_threshold = network.inhibition_of == "threshold"
    floor = -np.inf if network.inhibition_floor is None else network.inhibition_floor * firing_threshold
    return Constants(
        steps=network.steps,
        encoder=encoder,
        rate_norm_per_step=rate_norm_per_step,
        most_spikes=most_spikes,
        leak=real(np.exp(-network.dt_ms / network.tau_m_ms)),
        refractory_steps=network.refractory_steps,
        ignores_input=network.refractory_input == "ignored",
        firing_threshold=real(firing_threshold),
        reset=real(network.reset * (network.weight_norm or 0.0)),
        inhibition_kind=INHIBITION_KINDS.index(network.inhibition_kind),
        inhibition_steps=network.inhibition_steps,
        fixed_toll=real(network.inhibition * firing_threshold if of_threshold else 0.0),
        toll_part=real(0.0 if of_threshold else network.inhibition),
        floor=real(floor),
        rule=RULES.index(network.rule),
        window_steps=network.window_steps,
        spike_threshold=network.spike_threshold or 0,
        depression_rate=real(network.depression_rate),
        traces_add=network.traces == "add",
        trace_leak=real(np.exp(-network.dt_ms / network.trace_tau_ms)),
        slow_trace_leak=real(np.exp(-network.dt_ms / network.slow_trace_tau_ms)),
        target_trace=real(network.target_trace),
        weight_power=real(network.weight_power),
        adaptation=ADAPTATIONS.index(network.adaptation),
        lowest_theta=real(network.lowest_theta),
        theta_kept=real(np.exp(-network.duration_ms / network.theta_tau_ms)),
        weight_norm=real(network.weight_norm),
        normalisation=NORMALISATIONS.index(network.normalisation),
        normalisation_goal=normalisation_goal(network, n_inputs),
        weight_kept=real(1.0 - network.weight_decay),
    )


def pixel_rows(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images as the kernels take them, one row of pixels each."""
    return np.ascontiguousarray(images).reshape(len(images), images.shape[1] * images.shape[2])


def stream_of(seed: int, purpose: int, first: int) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Return what the kernels make the random numbers of a presentation from."""
    return np.uint64(seed % 2**64), np.uint64(purpose), np.uint64(first)
