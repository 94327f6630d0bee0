"""The fast engine: event-driven, in single (or double) precision, compiled by Numba.

An input spike costs the addition of one row of weights, a time step one pass over the neurons,
a learning window one column of weights.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.numba import float_kernels as kernels
from fspinn.backends.numba.window_kernels import Constants
from fspinn.base.checks import whole_number
from fspinn.base.cores import available_cores
from fspinn.base.randomness import INFERENCE_SPIKES, TRAINING_SPIKES
from fspinn.model.model import Activity
from fspinn.network.description import ADAPTATIONS, INHIBITION_KINDS, NORMALISATIONS, RULES, Network
from fspinn.network.encoders import Spikes, encoder_settings
from fspinn.network.plasticity import annealed, normalisation_goal

Real = TypeVar("Real", np.float32, np.float64)


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

    Returns
    -------
    spike_counts : ndarray of int32, shape (n, n_neurons)
    activity : Activity
    """
    constants = _constants(network, weights.shape[0], weights.dtype.type)
    schedule = np.empty((len(images), 2), dtype=weights.dtype)
    schedule[:, 0] = annealed(network.learning_rate, network.learning_rate_end, first, len(images), total)
    schedule[:, 1] = annealed(network.theta_step, network.theta_step_end, first, len(images), total)
    schedule[:, 1] *= constants.weight_norm
    spike_counts = np.zeros((len(images), network.neurons), dtype=np.int32)
    no_order = np.empty((len(images), 0), dtype=np.int32)
    counted = np.zeros(len(Activity().as_tuple()), dtype=np.int64)
    kernels.present_batch(
        pixel_rows(images),
        stream_of(seed, TRAINING_SPIKES, first),
        weights,
        theta,
        schedule,
        (True, earlier_spikes),
        constants,
        (spike_counts, no_order, no_order),
        counted,
    )
    return spike_counts, Activity(*counted.tolist())


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
    no_schedule = np.zeros((len(images), 2), dtype=weights.dtype)
    spike_counts = np.zeros((len(images), network.neurons), dtype=np.int32)
    threads = available_cores() if threads is None else whole_number("threads", threads, 1, 1024)
    bounds = np.linspace(0, len(images), threads + 1).astype(int)
    counted = np.zeros((threads, len(Activity().as_tuple())), dtype=np.int64)

    order = np.empty((len(images), 0), dtype=np.int32) if spike_order is None else spike_order
    steps = np.empty_like(order) if spike_steps is None else spike_steps

    def work(part: int) -> None:
        start, stop = bounds[part], bounds[part + 1]
        kernels.present_batch(
            flat[start:stop],
            stream_of(seed, INFERENCE_SPIKES, first + start),
            weights,
            theta,
            no_schedule[start:stop],
            (False, 0),
            constants,
            (spike_counts[start:stop], order[start:stop], steps[start:stop]),
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
    kernels.watch(counts, inputs, weights, theta, constants, neuron, course)
    return course


def _constants(network: Network, n_inputs: int, real: type[np.float32 | np.float64]) -> Constants:
    encoder, rate_norm_per_step, most_spikes = encoder_settings(network)
    firing_threshold = network.firing_threshold
    of_threshold = network.inhibition_of == "threshold"
    return Constants(
        steps=network.steps,
        encoder=encoder,
        rate_norm_per_step=rate_norm_per_step,
        most_spikes=most_spikes,
        leak=real(np.exp(-network.dt_ms / network.tau_m_ms)),
        refractory_steps=network.refractory_steps,
        firing_threshold=real(firing_threshold),
        inhibition_kind=INHIBITION_KINDS.index(network.inhibition_kind),
        inhibition_steps=network.inhibition_steps,
        fixed_toll=real(network.inhibition * firing_threshold if of_threshold else 0.0),
        toll_part=real(0.0 if of_threshold else network.inhibition),
        rule=RULES.index(network.rule),
        window_steps=network.window_steps,
        spike_threshold=network.spike_threshold or 0,
        depression_rate=real(network.depression_rate),
        trace_leak=real(np.exp(-network.dt_ms / network.trace_tau_ms)),
        target_trace=real(network.target_trace),
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
    return np.uint64(seed), np.uint64(purpose), np.uint64(first)
