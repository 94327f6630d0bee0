"""Images become the spikes that the documentation says, bit for bit."""

import naive_input
import numpy as np
import pytest
from described import flat
from encoded import encoding_of, input_spikes, network_of, per_step
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fspinn.base.randomness import INFERENCE_SPIKES, TRAINING_SPIKES
from fspinn.network import encoder_kernels as spike_kernels

images = arrays.arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 3)))


def probabilities_of(image, rate_norm):
    probabilities = np.empty(image.size, dtype=np.uint32)
    spike_kernels.spike_probabilities(image.reshape(-1), rate_norm, probabilities)
    return probabilities


# --- poisson ----------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(images, st.integers(1, 130), st.integers(0, 2**64 - 1), st.sampled_from([30.0, 570.0, 3000.0]))
@example(np.zeros((2, 2), np.uint8), 65, 0, 570.0)  # a black image
@example(np.array([[0, 1]], np.uint8), 64, 0, 5000.0)  # one bright pixel, its probability capped
@example(np.full((3, 3), 255, np.uint8), 1, 0, 570.0)
@example(np.full((2, 2), 255, np.uint8), 128, 0, 570.0)
def test_a_pixel_spikes_where_its_random_number_is_below_its_probability(image, steps, seed, rate_norm_hz):
    network = network_of(steps, rate_norm_hz)
    spikes = input_spikes(network, image, seed, TRAINING_SPIKES, sample=3)
    key = naive_input.stream_key(seed, TRAINING_SPIKES, 3)
    assert per_step(spikes) == naive_input.poisson(image, key, steps, rate_norm_hz / 1000.0)
    assert spikes.offsets[0, -1] == len(spikes.inputs)


def test_so_do_the_pixels_of_an_image_of_more_than_64():
    image = np.random.default_rng(1).integers(1, 256, (10, 13)).astype(np.uint8)
    spikes = input_spikes(network_of(70, 3000.0), image, 5, TRAINING_SPIKES, sample=3)
    key = naive_input.stream_key(5, TRAINING_SPIKES, 3)
    assert per_step(spikes) == naive_input.poisson(image, key, 70, 3.0)


def test_64_words_are_transposed():
    bits = np.random.default_rng(0).random((64, 64)) < 0.5
    words = np.packbits(bits, axis=1, bitorder="little").view(np.uint64).ravel()
    spike_kernels.transpose(words, np.zeros(64, np.uint64))
    assert (np.unpackbits(words.view(np.uint8), bitorder="little").reshape(64, 64) == bits.T).all()


@settings(deadline=None)
@given(images, st.floats(1e-6, 10.0))
def test_probabilities_are_the_naive_ones(image, rate_norm):
    expected = [naive_input.spike_probability(image, pixel, rate_norm) for pixel in range(image.size)]
    assert probabilities_of(image, rate_norm).tolist() == expected


def test_a_pixel_whose_rate_is_too_high_spikes_in_every_step():
    image = np.zeros((2, 2), np.uint8)
    image[1, 0] = 7
    assert per_step(input_spikes(network_of(200, 1e5), image, 0, 1, 0)) == [[2]] * 200


@pytest.mark.parametrize("brightest", [3, 40, 255])
def test_dim_and_bold_images_have_the_same_norm_of_rates(brightest):
    image = (np.arange(64).reshape(8, 8) % 7 * brightest // 6).astype(np.uint8)
    network = flat(rate_norm_hz=400.0, dt_ms=0.5)
    rates_hz = (
        probabilities_of(image, encoding_of(network).rate_per_step) / 2.0**32 / (network.dt_ms / 1000.0)
    )
    assert np.linalg.norm(rates_hz) == pytest.approx(400.0, rel=1e-7)
    np.testing.assert_allclose(rates_hz / rates_hz.max(), image.reshape(-1) / image.max(), rtol=1e-6)


def test_mean_rates_are_the_probabilities_within_their_binomial_spread():
    image = np.array([[0, 20, 60], [120, 200, 255]], np.uint8)
    steps, samples = 350, 60
    probabilities = probabilities_of(image, 0.57) / 2.0**32
    counts = np.zeros(image.size)
    for sample in range(samples):
        spikes = input_spikes(network_of(steps), image, 0, INFERENCE_SPIKES, sample)
        counts += np.bincount(spikes.inputs, minlength=image.size)
    trials = steps * samples
    spread = np.sqrt(trials * probabilities * (1 - probabilities))
    assert (np.abs(counts - trials * probabilities) <= 4.5 * spread).all()


def test_steps_and_pixels_are_independent():
    """Two equal pixels coincide, and one repeats itself in later steps, as often as chance has it."""
    image = np.array([[100, 100]], np.uint8)
    steps = 20_000
    train = np.zeros((2, steps), dtype=bool)
    for t, inputs in enumerate(per_step(input_spikes(network_of(steps), image, 0, 1, 0))):
        train[inputs, t] = True
    p = 0.57 / np.sqrt(2)
    bound = 4.5 * np.sqrt(p**2 * (1 - p**2) / steps)
    assert (train[0] & train[1]).mean() == pytest.approx(p**2, abs=bound)
    assert (train[0, 1:] & train[0, :-1]).mean() == pytest.approx(p**2, abs=2 * bound)
    assert (train[0, 64:] & train[0, :-64]).mean() == pytest.approx(p**2, abs=2 * bound)


def test_the_number_of_the_sample_the_purpose_and_the_seed_change_the_spikes():
    image = np.full((3, 3), 255, np.uint8)
    drawn = {
        input_spikes(network_of(100), image, seed, purpose, sample).inputs.tobytes()
        for seed in (0, 1)
        for purpose in (TRAINING_SPIKES, INFERENCE_SPIKES)
        for sample in (0, 1)
    }
    assert len(drawn) == 8


# --- regular ----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(images, st.integers(1, 200), st.sampled_from([0.5, 30.0, 570.0, 3000.0]))
@example(np.zeros((2, 2), np.uint8), 65, 570.0)
@example(np.array([[0, 1]], np.uint8), 64, 5000.0)  # one bright pixel, its probability capped
@example(np.full((3, 3), 255, np.uint8), 1, 3000.0)
def test_a_regular_pixel_spikes_where_its_sum_passes_a_whole_number(image, steps, rate_norm_hz):
    spikes = input_spikes(network_of(steps, rate_norm_hz, encoder="regular"), image, 0, 1, 0)
    assert per_step(spikes) == naive_input.regular(image, steps, rate_norm_hz / 1000.0)


def test_the_phases_of_all_pixels_of_a_large_image_are_the_naive_ones():
    image = np.full((28, 28), 200, np.uint8)
    spikes = input_spikes(network_of(40, 2000.0, encoder="regular"), image, 0, 1, 0)
    assert per_step(spikes) == naive_input.regular(image, 40, 2.0)


def trains(spikes, n_inputs):
    """For each input the steps in which it spikes."""
    shown = per_step(spikes)
    return [[t for t, inputs in enumerate(shown) if i in inputs] for i in range(n_inputs)]


@settings(deadline=None)
@given(images, st.integers(1, 400), st.sampled_from([30.0, 570.0, 3000.0]))
def test_regular_spikes_are_as_many_as_the_rate_says_and_evenly_spaced(image, steps, rate_norm_hz):
    spikes = input_spikes(network_of(steps, rate_norm_hz, encoder="regular"), image, 0, 1, 0)
    rates = probabilities_of(image, rate_norm_hz / 1000.0) / 2.0**32
    for train, rate in zip(trains(spikes, image.size), rates, strict=True):
        assert abs(len(train) - rate * steps) <= 1
        assert np.ptp(np.diff(train)) <= 1 if len(train) > 1 else True


def test_regular_pixels_of_one_rate_do_not_spike_together():
    image = np.full((10, 10), 9, np.uint8)
    spikes = input_spikes(network_of(100, 1000.0, encoder="regular"), image, 0, 1, 0)  # 0.1 a step each
    assert np.diff(spikes.offsets).max() <= 14
    assert np.diff(spikes.offsets)[0, 1:].min() >= 7


def test_regular_spikes_hear_nothing_of_the_seed():
    image = np.array([[10, 200], [90, 0]], np.uint8)
    network = network_of(100, encoder="regular")
    shown = {input_spikes(network, image, seed, 1, seed).inputs.tobytes() for seed in range(3)}
    assert len(shown) == 1


# --- ttfs -------------------------------------------------------------------------------------------

few_grays = arrays.arrays(
    np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.sampled_from([0, 1, 2, 100, 255])
)


@settings(deadline=None)
@given(st.one_of(images, few_grays), st.integers(1, 400), st.none() | st.integers(1, 20))
@example(np.zeros((2, 2), np.uint8), 65, 3)
@example(np.full((2, 2), 7, np.uint8), 10, 3)
@example(np.full((2, 2), 7, np.uint8), 10, 4)
@example(np.array([[255, 1, 0]], np.uint8), 350, 2)
def test_first_spikes_are_the_naive_ones(image, steps, most):
    spikes = input_spikes(network_of(steps, encoder="ttfs", first_spikes=most), image, 0, 1, 0)
    assert per_step(spikes) == naive_input.ttfs(image, steps, most)


@settings(deadline=None)
@given(st.one_of(images, few_grays), st.integers(1, 100), st.none() | st.integers(1, 20))
def test_the_brighter_the_earlier_and_only_the_brightest(image, steps, most):
    spikes = input_spikes(network_of(steps, encoder="ttfs", first_spikes=most), image, 0, 1, 0)
    pixels = image.reshape(-1).astype(int)
    times = [train[0] if train else None for train in trains(spikes, image.size)]
    assert all(len(train) <= 1 for train in trains(spikes, image.size))
    spiking = [i for i, time in enumerate(times) if time is not None]
    lit = np.count_nonzero(pixels)
    assert len(spiking) == (lit if most is None else min(most, lit))
    assert all(pixels[i] > 0 for i in spiking)
    for i in spiking:
        assert times[i] == 0 or pixels[i] < pixels.max()
        assert all(times[i] <= times[j] for j in spiking if pixels[j] < pixels[i])
    silent = [pixels[i] for i in range(image.size) if i not in spiking]
    assert not silent or not spiking or max(silent) <= min(pixels[spiking])


def test_the_darkest_of_256_grays_spikes_in_the_last_but_one_step_of_256():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    spikes = input_spikes(network_of(256, encoder="ttfs"), image, 0, 1, 0)
    assert per_step(spikes) == [[255 - t] for t in range(255)] + [[]]


@pytest.mark.parametrize("encoder", ["poisson", "regular"])
def test_a_longer_presentation_begins_like_a_shorter_one(encoder):
    """Spikes are a function of (seed, purpose, sample, pixel, step), so not of the number of steps."""
    image = np.array([[10, 200], [90, 0]], np.uint8)
    long = per_step(input_spikes(network_of(200, encoder=encoder), image, 0, 1, 0))
    for steps in (1, 63, 64, 65, 128):
        shorter = network_of(steps, encoder=encoder)
        assert per_step(input_spikes(shorter, image, 0, 1, 0)) == long[:steps]
