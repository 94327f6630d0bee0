"""Images and their input spikes, as tests of encoders look at them."""

from itertools import pairwise

import numpy as np
from described import flat

from fspinn.network import encoders


def network_of(steps, rate_norm_hz=570.0, **more):
    return flat(neurons=1, duration_ms=float(steps), rate_norm_hz=rate_norm_hz, **more)


def input_spikes(network, image, seed, purpose, sample):
    return encoders.input_spikes(network.network, image, seed, purpose, sample)


def encoding_of(network, input_mask=None):
    return encoders.encoding_of(network.network, input_mask)


def per_step(spikes):
    (offsets,) = spikes.offsets
    return [spikes.inputs[start:stop].tolist() for start, stop in pairwise(offsets)]


def drawn_images(samples=3, seed=0):
    drawn = np.random.default_rng(seed).integers(0, 256, (samples, 4, 4), dtype=np.uint8)
    drawn[drawn < 80] = 0
    return drawn


def responses(samples=120, neurons=12, n_classes=3, seed=0):
    """Neuron j spikes often for class j % n_classes, rarely for the others."""
    random = np.random.default_rng(seed)
    labels = np.arange(samples) % n_classes
    rates = np.where(np.arange(neurons) % n_classes == labels[:, None], 2.0, 0.2)
    return random.poisson(rates).astype(np.int32), labels
