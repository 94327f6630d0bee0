"""Slow, obvious twins of what makes input spikes, and of what each position of a field sees of them.

One function per sentence of `fspinn.network` and its `encoders`, written from there and not from the kernels.
"""

from fractions import Fraction
from functools import lru_cache

import numpy as np

WORD = 2**64
GOLDEN = 0x9E3779B97F4A7C15


# --- randomness -------------------------------------------------------------------------------------


def mix(word):
    """Finalizer of SplitMix64, on Python's whole numbers."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % WORD
    return word ^ (word >> 31)


def stream_key(seed, purpose, sample):
    key = 0
    for part in (seed, purpose, sample):
        key = mix(((key ^ (part % WORD)) + GOLDEN) % WORD)
    return key


@lru_cache(maxsize=2**17)
def random_word(key, index):
    """Word `index` of a stream, counted from 0: what SplitMix64 gives when started at `key`."""
    return mix((key + (index + 1) * GOLDEN) % WORD)


# --- encoders ---------------------------------------------------------------------------------------


def spike_probability(image, pixel, rate_norm_per_step):
    """Probability of a spike of one pixel in one step, in units of 2**-32."""
    square = sum(int(value) ** 2 for value in image.flat)
    if square == 0:
        return 0
    scale = rate_norm_per_step / np.sqrt(float(square)) * 2.0**32
    return int(min(float(image.flat[pixel]) * scale, 2.0**32 - 1))


def unscaled_probability(image, pixel, max_rate_per_step):
    """The same where a pixel of intensity 255 has a rate that does not depend on the others."""
    return int(min(float(image.flat[pixel]) * (max_rate_per_step / 255.0 * 2.0**32), 2.0**32 - 1))


def random_number(key, pixel, step, n_inputs):
    """The 32 random bits of one pixel in one step; bit 31 - b comes from random word b of its block."""
    block = step // 64 * n_inputs + pixel
    number = 0
    for b in range(32):
        number = 2 * number + (random_word(key, 32 * block + b) >> (step % 64) & 1)
    return number


def poisson(image, key, steps, rate_per_step, probability=spike_probability):
    """For each step the pixels that spike: those whose random number is below their probability."""
    probabilities = [probability(image, pixel, rate_per_step) for pixel in range(image.size)]
    return [
        [
            pixel
            for pixel, p in enumerate(probabilities)
            if p and random_number(key, pixel, step, image.size) < p
        ]
        for step in range(steps)
    ]


def phase(pixel):
    """Where the sum of a pixel starts, in units of 2**-32: the golden section of its number."""
    return pixel * 0x9E3779B9 % 2**32


def regular(image, steps, rate_norm_per_step):
    """For each step the pixels whose sum of probabilities passes a whole number in it."""
    probabilities = [spike_probability(image, pixel, rate_norm_per_step) for pixel in range(image.size)]
    sums = [phase(pixel) for pixel in range(image.size)]
    per_step = []
    for _ in range(steps):
        before, sums = sums, [total + p for total, p in zip(sums, probabilities, strict=True)]
        per_step.append([i for i in range(image.size) if sums[i] // 2**32 > before[i] // 2**32])
    return per_step


def ttfs_of_white(image, steps):
    """For each step the pixels that spike: every pixel once at most, white ones in the first."""
    late = [steps - 1 - int(value) * steps // 256 for value in image.flat]
    return [[i for i, t in enumerate(late) if t == step and image.flat[i]] for step in range(steps)]


def ttfs(image, steps, most):
    """For each step the pixels that spike: every pixel once at most, the brighter the earlier."""
    pixels = [int(value) for value in image.flat]
    brightest_first = sorted(range(len(pixels)), key=lambda i: -pixels[i])  # of equals the first stays first
    chosen = [i for i in brightest_first if pixels[i] > 0][:most]
    per_step = [[] for _ in range(steps)]
    for i in sorted(chosen):
        per_step[(max(pixels) - pixels[i]) * (steps - 1) // max(pixels)].append(i)
    return per_step


def pooled(image, pool):
    """The mean of each block of pixels, halves rounded up; of one row the blocks are one row too."""
    height, width, channels = image.shape
    rows = pool if height > 1 else 1
    means = np.zeros((height // rows, width // pool, channels), dtype=np.uint8)
    for y, x, c in np.ndindex(means.shape):
        block = image[y * rows : (y + 1) * rows, x * pool : (x + 1) * pool, c]
        means[y, x, c] = int(Fraction(int(block.astype(int).sum()), block.size) + Fraction(1, 2))
    return means


def on_off(image, radius, gain):
    """How much brighter and how much darker than around it each pixel is, two channels for each."""
    height, width, channels = image.shape
    split = np.zeros((height, width, 2 * channels), dtype=np.uint8)
    for y, x, c in np.ndindex(image.shape):
        around = image[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1, c]
        mean = int(around.astype(int).sum()) // around.size
        split[y, x, 2 * c] = min(255, gain * max(0, int(image[y, x, c]) - mean))
        split[y, x, 2 * c + 1] = min(255, gain * max(0, mean - int(image[y, x, c])))
    return split


def opposed(image):
    """Brightness, red against green, and blue against yellow."""
    red, green, blue = (image[..., c].astype(int) for c in range(3))
    planes = (red + green + blue) // 3, 128 + (red - green) // 2, 128 + (2 * blue - red - green) // 4
    return np.stack(planes, axis=-1).astype(np.uint8)


def both(gap, gain):
    """What is above 0, and what is below."""
    return min(255, gain * max(0, gap)), min(255, gain * max(0, -gap))


def steps_of(signal, step):
    """How many whole steps the signal goes up, or down, since the last step that it went."""
    level, found = int(signal[0]), []
    for value in signal:
        found.append(int((int(value) - level) / step))
        level += found[-1] * step
    return found


def signal_split(image, contrast, gain, step, step_gain):
    """Level and steps of every row and channel, each as what is above 0 and what is below."""
    height, width, channels = image.shape
    split = np.zeros((height, width, channels, 4), dtype=np.uint8)
    for y, c in np.ndindex(height, channels):
        split[y, :, c, :2] = [both(int(value) - 128, gain) for value in image[y, :, c]]
        split[y, :, c, 2:] = [both(steps, step_gain) for steps in steps_of(image[y, :, c], step)]
    kept = {"level": slice(2), "delta": slice(2, 4), "level-delta": slice(4)}[contrast]
    return split[..., kept].reshape(height, width, -1)


def encoded(network, image):
    """The intensities that are encoded (height, width, channels)."""
    image = pooled(image.reshape(*image.shape[:2], -1), network.pool)
    if network.contrast == "on-off":
        image = opposed(image) if network.contrast_of == "colours" else image
        return on_off(image, network.contrast_radius, network.contrast_gain)
    if network.contrast != "off":
        numbers = [getattr(network, name, 0) for name in ("contrast_gain", "delta_step", "delta_gain")]
        return signal_split(image, network.contrast, *numbers)
    return image


def input_spikes(network, image, key):
    """For each step of a presentation the inputs that spike."""
    image = encoded(network, image)
    if network.encoder == "ttfs" and network.first_spikes_relative_to == "white":
        return ttfs_of_white(image, network.steps)
    if network.encoder == "ttfs":
        return ttfs(image, network.steps, network.first_spikes)
    if network.encoder == "unscaled":
        max_rate_per_step = network.max_rate_hz * network.dt_ms / 1000.0
        return poisson(image, key, network.steps, max_rate_per_step, unscaled_probability)
    rate_norm_per_step = network.rate_norm_hz * network.dt_ms / 1000.0
    if network.encoder == "regular":
        return regular(image, network.steps, rate_norm_per_step)
    return poisson(image, key, network.steps, rate_norm_per_step)


# --- fields and layers ------------------------------------------------------------------------------


def looks(network, shape):
    """For each position of the field, row by row: its cell, and the inputs that its neurons see, in order."""
    height, width, channels = shape
    if network.field is None:
        return [(0, list(range(height * width * channels)))]
    rows, columns = ((n - size) // network.stride + 1 for n, size in zip(shape, network.field, strict=False))
    found = []
    for row, column in np.ndindex(rows, columns):
        cell = row * network.cells[0] // rows * network.cells[1] + column * network.cells[1] // columns
        top, left = row * network.stride, column * network.stride
        places = np.ndindex(*network.field, channels)
        found.append((cell, [((top + y) * width + left + x) * channels + c for y, x, c in places]))
    return found


def see(per_step, inputs):
    """For each step the inputs of a field that spike, by their places in it."""
    return [[inputs.index(i) for i in step if i in inputs] for step in per_step]


def drawn_positions(network, positions, seed, number):
    """The positions that are learned from in sample `number` of a run."""
    if network.field is None:
        return [0]
    key = stream_key(seed, 15, number)
    return [random_word(key, i) % positions for i in range(network.positions)]


def is_seen(network, per_step):
    """Whether a position has enough input spikes to learn from."""
    return network.field is None or sum(map(len, per_step)) >= network.least_spikes


def features_of(network, cells_and_spikes):
    """Spikes of each neuron in each cell, and the step of the first (or the number of steps)."""
    counts = np.zeros(network.cells[0] * network.cells[1] * network.neurons, dtype=int)
    first_steps = np.full_like(counts, network.steps)
    for cell, spikes in cells_and_spikes:
        for t, neuron in spikes:
            counts[cell * network.neurons + neuron] += 1
            first_steps[cell * network.neurons + neuron] = min(
                first_steps[cell * network.neurons + neuron], t
            )
    return counts, first_steps


def spikes_of_features(first_steps, steps):
    """For each step the inputs of the next layer that spike: each once, as its feature did first."""
    return [np.flatnonzero(first_steps == t).tolist() for t in range(steps)]


def passed_on(network, cells_and_spikes):
    """For each step the inputs of the next layer that spike."""
    if network.inhibition != "none":
        return spikes_of_features(features_of(network, cells_and_spikes)[1], network.steps)
    found = [set() for _ in range(network.steps)]
    for cell, spikes in cells_and_spikes:
        for t, neuron in spikes:
            found[t].add(cell * network.neurons + neuron)
    return [sorted(features) for features in found]
