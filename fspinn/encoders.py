"""How do images become spikes? The same way for every engine.

The Poisson encoder gives each pixel a rate in proportion to its intensity and scales the image so that
the rates together have the Euclidean norm ``Network.rate_norm_hz``: a thin digit drives the neurons
as strongly as a bold one. In each time step an input spikes with probability ``rate * dt``. Which
steps these are is a pure function of (seed, purpose, sample, pixel, step).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fspinn import spike_kernels
from fspinn.model import Network
from fspinn.randomness import stream_key


@dataclass(frozen=True)
class Spikes:
    """Input spikes of one presentation, sorted by step.

    Parameters
    ----------
    offsets : ndarray of int64, shape (steps + 1,)
        The spikes of step t are ``inputs[offsets[t]:offsets[t + 1]]``.
    inputs : ndarray of int32, shape (n_spikes,)
        Which inputs spike; within a step in rising order.
    """

    offsets: NDArray[np.int64]
    inputs: NDArray[np.int32]


def rate_norm_per_step(network: Network) -> float:
    """Return the Euclidean norm of the spike probabilities of all inputs in one step."""
    return network.rate_norm_hz * network.dt_ms / 1000.0


def poisson_spikes(
    network: Network, image: NDArray[np.uint8], seed: int, purpose: int, sample: int
) -> Spikes:
    """Return the input spikes of one presentation, the same that the engines see.

    Parameters
    ----------
    network : Network
    image : ndarray of uint8, shape (height, width)
    seed : int
    purpose : int
        `randomness.TRAINING_SPIKES` or `randomness.INFERENCE_SPIKES`.
    sample : int
        Number of the presentation in training, of the image otherwise.
    """
    pixels = np.ascontiguousarray(image).reshape(-1)
    steps = network.steps
    probabilities = np.empty(pixels.size, dtype=np.uint32)
    spikes_in_step = np.zeros(steps, dtype=np.int64)
    inputs = np.empty((steps, pixels.size), dtype=np.int32)
    spike_kernels.spike_probabilities(pixels, rate_norm_per_step(network), probabilities)
    key = np.uint64(stream_key(seed, purpose, sample))
    spike_kernels.poisson(probabilities, key, steps, spikes_in_step, inputs)
    offsets = np.concatenate([[0], np.cumsum(spikes_in_step)])
    return Spikes(offsets, inputs[np.arange(pixels.size) < spikes_in_step[:, None]])
