"""How do images become spikes? The same way for every engine.

- ``poisson``: in each time step an input spikes with probability ``rate * dt``. Which steps these are is a
  pure function of (seed, purpose, sample, pixel, step).
- ``regular``: the same rates without noise, the spikes of an input evenly spaced.
- ``ttfs`` (time to first spike): every pixel spikes at most once, the brighter the earlier; the brightest in
  the first step, black never.
- ``unscaled``: as ``poisson``, but a pixel's rate is ``Network.max_rate_hz * intensity / 255``, whatever the
  rest of the image is (Diehl & Cook, BindsNET).

For the first two, a pixel's rate is in proportion to its intensity, scaled so that the rates of an image
together have the Euclidean norm ``Network.rate_norm_hz``: a thin digit drives the neurons as strongly as a
bold one. For the third, ``Network.first_spikes`` does that: only so many pixels spike, the brightest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fspinn.base.randomness import stream_key
from fspinn.network import encoder_kernels as spike_kernels
from fspinn.network.description import ENCODERS, Network


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


def encoder_settings(network: Network) -> tuple[int, float, int]:
    """Return what `spike_kernels.encode` needs: number of the encoder, rate per step, most spikes."""
    rate_hz = network.max_rate_hz if network.encoder == "unscaled" else network.rate_norm_hz
    return ENCODERS.index(network.encoder), rate_hz * network.dt_ms / 1000.0, network.first_spikes or 2**31


def input_spikes(network: Network, image: NDArray[np.uint8], seed: int, purpose: int, sample: int) -> Spikes:
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
    encoder, rate_per_step, most = encoder_settings(network)
    key = np.uint64(stream_key(seed, purpose, sample))
    probabilities = np.empty(pixels.size, dtype=np.uint32)
    spikes_in_step = np.zeros(network.steps, dtype=np.int64)
    inputs = np.empty((network.steps, pixels.size), dtype=np.int32)
    spike_kernels.encode(pixels, encoder, rate_per_step, most, key, probabilities, spikes_in_step, inputs)
    offsets = np.concatenate([[0], np.cumsum(spikes_in_step)])
    return Spikes(offsets, inputs[np.arange(pixels.size) < spikes_in_step[:, None]])
