"""Kernels of the encoders: counter-based random words, and the spikes of a batch of presentations.

`fspinn.base.randomness` says what the random words are; `tests/naive.py` says what the spikes are.
"""

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from fspinn.base.jit import njit, njit_allocating

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)

PROBABILITY_BITS = 32
"""Bits of a spike probability."""

_WHOLE = 2**PROBABILITY_BITS

_ROUNDS = 10
"""Random words that are drawn for each input and 64 steps before it is looked at which inputs need more."""

POISSON, REGULAR, TTFS, UNSCALED = range(4)
"""Numbers of the encoders, in the order of `fspinn.network.encoders.ENCODERS`."""


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
def draw(chances, counters, undecided, spikes):
    """Draw 64 steps of some inputs at once: a Bernoulli trial for each input and step.

    Bit t of random word b of an input is bit 31 - b of the random number of step t, which is compared with
    the chance from the highest bit on, until all are decided. `counters` (k,): of the words before the first;
    `undecided` (k,) has a bit for each step to be drawn. Writes `spikes` (k,), a bit for each step in which
    there is a spike. The first rounds are those that nearly all inputs need: without a branch, they become
    vector instructions.
    """
    for a in range(chances.size):
        spikes[a] = np.uint64(0)
    for done in range(_ROUNDS):
        ahead, bit = np.uint64(done + 1) * _GOLDEN, np.uint64(PROBABILITY_BITS - 1 - done)
        for a in range(chances.size):
            random = mix(counters[a] + ahead)
            # All ones where this bit of the chance is 1, which makes both cases one expression.
            one = np.uint64(0) - ((chances[a] >> bit) & _ONE)
            spikes[a] |= undecided[a] & one & ~random
            undecided[a] &= ~(random ^ one)
    for a in range(chances.size):
        done = _ROUNDS
        while undecided[a] != 0 and done < PROBABILITY_BITS:
            random = mix(counters[a] + np.uint64(done + 1) * _GOLDEN)
            one = np.uint64(0) - ((chances[a] >> np.uint64(PROBABILITY_BITS - 1 - done)) & _ONE)
            spikes[a] |= undecided[a] & one & ~random
            undecided[a] &= ~(random ^ one)
            done += 1


@njit
def swap_blocks(words, by, mask, interleaved):
    """Swap blocks of `by` bits between the words of each pair, k and k + 32; write the two side by side."""
    for k in range(32):
        first, second = words[k], words[k + 32]
        differ = ((first >> by) ^ second) & mask
        interleaved[2 * k] = first ^ (differ << by)
        interleaved[2 * k + 1] = second ^ differ


@njit
def transpose(words, memory):
    """Transpose 64 words of 64 bits: bit t of word a becomes bit a of word t; `memory` is as large.

    Blocks of 32, 16, ... 1 bits are swapped. Every pass interleaves the two halves, so that the next one
    finds its pairs in the same places: long loops, which become vector instructions.
    """
    swap_blocks(words, np.uint64(32), np.uint64(0x00000000FFFFFFFF), memory)
    swap_blocks(memory, np.uint64(16), np.uint64(0x0000FFFF0000FFFF), words)
    swap_blocks(words, np.uint64(8), np.uint64(0x00FF00FF00FF00FF), memory)
    swap_blocks(memory, np.uint64(4), np.uint64(0x0F0F0F0F0F0F0F0F), words)
    swap_blocks(words, np.uint64(2), np.uint64(0x3333333333333333), memory)
    swap_blocks(memory, np.uint64(1), np.uint64(0x5555555555555555), words)


@njit
def note(planes, t, pixels, place, inputs):
    """Write the inputs that spike in step t, from `place` on; return the place after the last.

    `planes` (planes, 64) have a bit for each of `pixels`. Four are written at a time, needed or not: a branch
    for each would cost more.
    """
    for plane in range(planes.shape[0]):
        word, first = planes[plane, t], 64 * plane
        while True:
            for _ in range(4):
                inputs[place] = pixels[first + (np.int64(trailing_zeros(word)) & 63)]
                place += np.int64(word != 0)
                word &= word - _ONE
            if word == 0:
                break
    return place


@njit
def poisson(chances, pixels, n_inputs, key, offsets, inputs, memory, planes):
    """Draw the spikes of one presentation, 64 steps at once.

    `chances` (k,): of the inputs that can spike, which are the first k of `pixels`; `memory` (two arrays of
    at least k words, and one of 64) and `planes` (planes, 64), with a bit for each input, are working memory.
    From ``offsets[0]`` on writes `offsets` (steps + 1,) and `inputs` as `fspinn.network.encoders.Spikes` has
    them; returns whether there was room for all.
    """
    count, steps = chances.size, offsets.size - 1
    counters, undecided, transposing = memory
    words = planes.reshape(-1)
    for word in range((steps + 63) // 64):
        here = min(64, steps - 64 * word)
        place = offsets[64 * word]
        if place + here * count + 4 > inputs.size:
            return False
        for a in range(count):
            undecided[a] = _ALL >> np.uint64(64 - here)
            counters[a] = key + np.uint64((word * n_inputs + pixels[a]) * PROBABILITY_BITS) * _GOLDEN
        for a in range(count, words.size):
            words[a] = np.uint64(0)
        draw(chances, counters, undecided, words)
        for plane in range(planes.shape[0]):
            transpose(planes[plane], transposing)
        for t in range(here):
            place = note(planes, t, pixels, place, inputs)
            offsets[64 * word + t + 1] = place
    return True


@njit
def one_by_one(pixels, first, later, offsets, inputs, places):
    """Sort by step the spikes of inputs that each spike in their own steps.

    An input spikes in the steps in which its sum of probabilities passes a whole number: `first` (k,) is
    what is missing to the next one, and `later` (k,) what each step adds, of 2**32. Where that is 0, `first`
    is the only step. Writes and returns what `poisson` does.
    """
    steps = offsets.size - 1
    for t in range(steps):
        places[t] = 0
    for writing in range(2):
        for a in range(pixels.size):
            t, p, rest = first[a], np.int64(later[a]), np.int64(0)
            every, more = np.int64(steps), np.int64(0)
            if p > 0:
                every, more = _WHOLE // p, _WHOLE % p
                t, rest = (t + p - 1) // p - 1, (t + p - 1) % p
            while t < steps:
                if writing == 1:
                    inputs[places[t]] = pixels[a]
                places[t] += 1
                t += every
                rest += more
                if p > 0 and rest >= p:
                    t += 1
                    rest -= p
        if writing == 0:
            place = offsets[0]
            for t in range(steps):
                places[t], place = place, place + places[t]
                offsets[t + 1] = place
            if place > inputs.size:
                return False
    return True


@njit
def first_steps(image, used, most, white, steps, pixels_of, pixels, steps_of_spikes):
    """Let each pixel spike at most once, the brighter the earlier: time to first spike.

    A pixel spikes in step ``(brightest - pixel) * (steps - 1) // brightest``, a black one never; only the
    `most` brightest do, of equals the first. With `white` it is step ``steps - 1 - pixel * steps // 256``.
    Writes which do and when; returns how many. `pixels_of` (256,) is working memory.
    """
    for intensity in range(pixels_of.size):
        pixels_of[intensity] = 0
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
    count = 0
    for i in range(image.size):
        pixel = np.int64(image[i])
        if pixel == 0 or pixel < least:
            continue
        if pixel == least:
            if left == 0:
                continue
            left -= 1
        if used[i]:
            pixels[count] = i
            late = (brightest - pixel) * (steps - 1) // brightest
            steps_of_spikes[count] = steps - 1 - (pixel * steps >> 8) if white else late
            count += 1
    return count


@njit
def regular_phases(pixels, missing):
    """The sum of input i starts at the fraction ``i * 0.618...``, so that inputs of one rate spike apart."""
    for a in range(pixels.size):
        phase = np.uint64(pixels[a]) * (_GOLDEN >> np.uint64(32)) & np.uint64(0xFFFFFFFF)
        missing[a] = _WHOLE - np.int64(phase)


@njit
def can_spike(probabilities, used, pixels, chances):
    """List the inputs in use whose probability is not 0, and their probabilities; return how many.

    Each is written, needed or not: a branch would cost more.
    """
    count = np.int64(0)
    for i in range(probabilities.size):
        pixels[count] = i
        chances[count] = probabilities[i]
        count += np.int64(used[i] & (probabilities[i] > 0))
    return count


@njit_allocating
def encode_batch(images, used, settings, stream, start, offsets, inputs):
    """Encode images from number `start` on, until `inputs` is full; return how many are encoded by now.

    `images` (n, n_inputs); `used` (n_inputs,): which pixels spike; `settings`: number of the encoder, rate
    per step (the norm of all, or with UNSCALED that of the brightest pixel), most spikes, and whether they
    are compared with white; `stream`: seed, purpose and number of image 0. Writes `offsets`
    (n, steps + 1) and `inputs`.
    """
    encoder, rate_per_step, most, white = settings
    seed, purpose, first = stream
    n_inputs, steps = images.shape[1], offsets.shape[1] - 1
    probabilities = np.zeros(n_inputs, dtype=np.uint32)
    pixels, places = np.zeros(n_inputs + 63, dtype=np.int32), np.zeros(steps, dtype=np.int64)
    chances, missing = np.zeros(n_inputs, dtype=np.uint64), np.zeros(n_inputs, dtype=np.int64)
    memory = (
        np.zeros(n_inputs, dtype=np.uint64),
        np.zeros(n_inputs, dtype=np.uint64),
        np.zeros(64, dtype=np.uint64),
    )
    planes = np.zeros(((n_inputs + 63) // 64, 64), dtype=np.uint64)
    pixels_of = np.zeros(256, dtype=np.int64)
    for m in range(start, images.shape[0]):
        place = offsets[m - 1, steps] if m > 0 else 0
        offsets[m, 0] = place
        if encoder == TTFS:
            count = first_steps(images[m], used, most, white, steps, pixels_of, pixels, missing)
            chances[:count] = 0
        else:
            if encoder == UNSCALED:
                unscaled_probabilities(images[m], rate_per_step, probabilities)
            else:
                spike_probabilities(images[m], rate_per_step, probabilities)
            count = can_spike(probabilities, used, pixels, chances)
        if encoder == TTFS or encoder == REGULAR:  # noqa: SIM109 (Numba compiles a tuple for longer)
            if encoder == REGULAR:
                regular_phases(pixels[:count], missing)
            fits = one_by_one(pixels[:count], missing, chances, offsets[m], inputs, places)
        else:
            key = stream_key(seed, purpose, first + np.uint64(m))
            used_planes = planes[: (count + 63) // 64]
            fits = poisson(chances[:count], pixels, n_inputs, key, offsets[m], inputs, memory, used_planes)
        if not fits:
            return m
    return images.shape[0]
