"""The fast engine: event-driven, single precision, compiled by Numba.

An input spike costs the addition of one row of weights, a time step one pass over the neurons,
a learning window one column of weights.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from fspinn.encoders import rate_norm_per_step
from fspinn.engines import float_kernels as kernels
from fspinn.model import Activity, Network, whole_number
from fspinn.plasticity import annealed
from fspinn.randomness import INFERENCE_SPIKES, TRAINING_SPIKES


def learn(
    network: Network,
    weights: NDArray[np.float32],
    theta: NDArray[np.float32],
    images: NDArray[np.uint8],
    *,
    seed: int,
    first: int,
    total: int,
) -> tuple[NDArray[np.int32], Activity]:
    """Present images with learning on; `weights` and `theta` change in place.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled.
    weights : ndarray of float32, shape (n_inputs, n_neurons)
    theta : ndarray of float32, shape (n_neurons,)
    images : ndarray of uint8, shape (n, height, width)
        In the order of presentation.
    seed : int
    first, total : int
        Number of the first presentation in the run, and how many the run has: they fix the random
        spikes, the learning rate and the threshold step.

    Returns
    -------
    spike_counts : ndarray of int32, shape (n, n_neurons)
    activity : Activity
    """
    constants = _constants(network)
    steps = constants.weight_norm * np.float32(1.0)
    schedule = np.stack(
        [
            annealed(network.learning_rate, network.learning_rate_end, first, len(images), total),
            annealed(network.theta_step, network.theta_step_end, first, len(images), total) * steps,
        ]
    )
    spike_counts = np.zeros((len(images), network.neurons), dtype=np.int32)
    counted = np.zeros(len(Activity().as_tuple()), dtype=np.int64)
    kernels.learn_batch(
        _flat(images),
        _stream(seed, TRAINING_SPIKES, first),
        weights,
        theta,
        schedule,
        constants,
        spike_counts,
        counted,
    )
    return spike_counts, Activity(*counted.tolist())


def respond(
    network: Network,
    weights: NDArray[np.float32],
    theta: NDArray[np.float32],
    images: NDArray[np.uint8],
    *,
    seed: int,
    first: int = 0,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], Activity]:
    """Present images with learning off. The answer does not depend on `threads`.

    Parameters
    ----------
    network, weights, theta, images, seed
        As for `learn`.
    first : int, default 0
        Number of the first image; fixes the random spikes.
    threads : int or None, default None
        Threads that share the images; None is one per available core.

    Returns
    -------
    spike_counts : ndarray of int32, shape (n, n_neurons)
    activity : Activity
    """
    constants = _constants(network)
    flat = _flat(images)
    spike_counts = np.zeros((len(images), network.neurons), dtype=np.int32)
    threads = available_cores() if threads is None else whole_number("threads", threads, 1, 1024)
    bounds = np.linspace(0, len(images), threads + 1).astype(int)
    counted = np.zeros((threads, len(Activity().as_tuple())), dtype=np.int64)

    def work(part: int) -> None:
        start, stop = bounds[part], bounds[part + 1]
        kernels.respond_batch(
            flat[start:stop],
            _stream(seed, INFERENCE_SPIKES, first + start),
            weights,
            theta,
            constants,
            spike_counts[start:stop],
            counted[part],
        )

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return spike_counts, Activity(*counted.sum(axis=0).tolist())


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _constants(network: Network) -> kernels.Constants:
    return kernels.Constants(
        steps=network.steps,
        window_steps=network.window_steps,
        refractory_steps=network.refractory_steps,
        leak=np.float32(np.exp(-network.dt_ms / network.tau_m_ms)),
        firing_threshold=np.float32(network.firing_threshold),
        loss=np.float32(network.inhibition * network.firing_threshold),
        weight_norm=np.float32(network.weight_norm),
        rate_norm_per_step=rate_norm_per_step(network),
        spike_threshold=network.spike_threshold or 0,
    )


def _flat(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(images).reshape(len(images), images.shape[1] * images.shape[2])


def _stream(seed: int, purpose: int, first: int) -> tuple[np.uint64, np.uint64, np.uint64]:
    return np.uint64(seed % 2**64), np.uint64(purpose), np.uint64(first)
