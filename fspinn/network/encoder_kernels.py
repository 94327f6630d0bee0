"""Kernels of the encoders: counter-based random words, and the spikes of one presentation.

`fspinn.base.randomness` says what the random words are; `tests/naive.py` says what the spikes are.
"""

import numpy as np

from fspinn.base.jit import njit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)

# Position of the only set bit of a word: the top six bits of its product with a de Bruijn sequence
# are different for each of the 64 positions.
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_POSITIONS = np.zeros(64, dtype=np.int64)
for _position in range(64):
    _POSITIONS[((0x03F79D71B4CB0A89 << _position) & 0xFFFFFFFFFFFFFFFF) >> 58] = _position

PROBABILITY_BITS = 32
"""Bits of a spike probability."""

_WHOLE = 2**PROBABILITY_BITS

POISSON, REGULAR, TTFS, UNSCALED = range(4)
"""Numbers of the encoders, in the order of `fspinn.network.description.ENCODERS`."""


@njit
def mix(word):
    """Finalizer of SplitMix64."""
    word = (word ^ (word >> np.uint64(30))) * _MIX_1
    word = (word ^ (word >> np.uint64(27))) * _MIX_2
    return word ^ (word >> np.uint64(31))


@njit
def stream_key(seed, purpose, sample):
    """Compiled twin of `fspinn.base.randomness.stream_key`."""
    key = mix((np.uint64(0) ^ np.uint64(seed)) + _GOLDEN)
    key = mix((key ^ np.uint64(purpose)) + _GOLDEN)
    return mix((key ^ np.uint64(sample)) + _GOLDEN)


@njit
def spike_probabilities(image, rate_norm_per_step, probabilities):
    """Spike probability of each pixel in one step, in units of 2**-32.

    ``p_i = pixel_i * rate_norm_per_step / sqrt(sum_j pixel_j**2)``, at most ``1 - 2**-32``.
    """
    square = np.int64(0)
    for i in range(image.size):
        square += np.int64(image[i]) * np.int64(image[i])
    scale = 0.0
    if square > 0:
        scale = rate_norm_per_step / np.sqrt(np.float64(square)) * 4294967296.0
    for i in range(image.size):
        probabilities[i] = np.uint32(min(np.float64(image[i]) * scale, 4294967295.0))


@njit
def unscaled_probabilities(image, max_rate_per_step, probabilities):
    """Spike probability of each pixel in one step, in units of 2**-32.

    ``p_i = pixel_i / 255 * max_rate_per_step``, at most ``1 - 2**-32``.
    """
    scale = max_rate_per_step / 255.0 * 4294967296.0
    for i in range(image.size):
        probabilities[i] = np.uint32(min(np.float64(image[i]) * scale, 4294967295.0))


@njit
def poisson(probabilities, key, steps, spikes_in_step, inputs):
    """Draw the spikes of one presentation: a Bernoulli trial for each input and step.

    The trials of 64 steps are made at once: bit t of random word b is bit 31 - b of the random number
    of step t, which is compared with the probability from the highest bit on, until all 64 are decided.

    Writes `spikes_in_step` (steps,) and `inputs` (steps, n_inputs): the inputs that spike in step t are
    ``inputs[t, :spikes_in_step[t]]``, in rising order. Returns the number of spikes.
    """
    words = (steps + 63) // 64
    last_word = _ALL if steps % 64 == 0 else (_ONE << np.uint64(steps % 64)) - _ONE
    spikes_in_step[:] = 0
    total = 0
    for i in range(probabilities.size):
        p = np.uint64(probabilities[i])
        if p == 0:
            continue
        for w in range(words):
            counter = key + np.uint64((w * probabilities.size + i) * PROBABILITY_BITS) * _GOLDEN
            undecided = _ALL if w < words - 1 else last_word
            spikes = np.uint64(0)
            bit = np.uint64(PROBABILITY_BITS)
            while undecided != 0 and bit > 0:
                bit -= _ONE
                counter += _GOLDEN
                random = mix(counter)
                # All ones where this bit of p is 1, which makes both cases one expression.
                one = np.uint64(0) - ((p >> bit) & _ONE)
                spikes |= undecided & one & ~random
                undecided &= ~(random ^ one)
            while spikes:
                lowest = spikes & (~spikes + _ONE)
                t = 64 * w + _POSITIONS[(lowest * _DE_BRUIJN) >> np.uint64(58)]
                inputs[t, spikes_in_step[t]] = i
                spikes_in_step[t] += 1
                total += 1
                spikes ^= lowest
    return total


@njit
def regular(probabilities, steps, spikes_in_step, inputs):
    """Spread the spikes of each input evenly: it spikes when its sum of probabilities passes a whole number.

    The sum of input i starts at the fraction ``i * 0.618...``, so that inputs of one rate do not spike
    together. Writes and returns what `poisson` does.
    """
    spikes_in_step[:] = 0
    total = 0
    for i in range(probabilities.size):
        p = np.int64(probabilities[i])
        if p == 0:
            continue
        # The next whole number is passed in the step t with phase + (t + 1) * p >= 2**32.
        missing = _WHOLE - np.int64(np.uint64(i) * (_GOLDEN >> np.uint64(32)) & np.uint64(0xFFFFFFFF))
        t = (missing + p - 1) // p - 1
        while t < steps:
            inputs[t, spikes_in_step[t]] = i
            spikes_in_step[t] += 1
            total += 1
            missing += _WHOLE
            t = (missing + p - 1) // p - 1
    return total


@njit
def first_spikes(image, most, steps, spikes_in_step, inputs):
    """Let each pixel spike at most once, the brighter the earlier: time to first spike.

    A pixel spikes in step ``(brightest - pixel) * (steps - 1) // brightest``, a black one never; only the
    `most` brightest do, of equals the first. Writes and returns what `poisson` does.
    """
    spikes_in_step[:] = 0
    pixels_of = np.zeros(256, dtype=np.int64)
    for i in range(image.size):
        pixels_of[image[i]] += 1
    pixels_of[0] = 0
    brightest = np.int64(255)
    while brightest > 0 and pixels_of[brightest] == 0:
        brightest -= 1
    # All pixels above `least` spike, and the first `left` of those that are as bright as it.
    least, left = brightest, most
    while least > 0 and left > pixels_of[least]:
        left -= pixels_of[least]
        least -= 1
    total = 0
    for i in range(image.size):
        pixel = np.int64(image[i])
        if pixel == 0 or pixel < least:
            continue
        if pixel == least:
            if left == 0:
                continue
            left -= 1
        t = (brightest - pixel) * (steps - 1) // brightest
        inputs[t, spikes_in_step[t]] = i
        spikes_in_step[t] += 1
        total += 1
    return total


@njit
def encode(image, encoder, rate_per_step, most, key, probabilities, spikes_in_step, inputs):
    """Encode an image; see the kernels above for what is written and returned.

    `rate_per_step` is the norm of all rates, or with UNSCALED the rate of the brightest pixel.
    """
    steps = spikes_in_step.size
    if encoder == TTFS:
        return first_spikes(image, most, steps, spikes_in_step, inputs)
    if encoder == UNSCALED:
        unscaled_probabilities(image, rate_per_step, probabilities)
    else:
        spike_probabilities(image, rate_per_step, probabilities)
    if encoder == REGULAR:
        return regular(probabilities, steps, spikes_in_step, inputs)
    return poisson(probabilities, key, steps, spikes_in_step, inputs)
