"""Random numbers: the published generator, the same in numpy, in compiled code and on paper."""

import naive_input
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fspinn.base import randomness
from fspinn.base.randomness import permutation, stream_key, uniforms, words
from fspinn.network import encoder_kernels as spike_kernels

PURPOSES = (
    "TRAINING_SPIKES",
    "INFERENCE_SPIKES",
    "WEIGHTS",
    "ORDER",
    "VALIDATION_SPLIT",
    "TEST_SPLIT",
    "LABELS",
)
seeds = st.integers(0, 2**64 - 1)
words_64 = st.integers(0, 2**64 - 1)


def test_words_are_the_published_sequence_of_splitmix64():
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert words(0, 3).tolist() == published
    assert [naive_input.random_word(0, index) for index in range(3)] == published


@settings(deadline=None)
@given(words_64)
def test_the_compiled_mixer_is_the_naive_one(word):
    assert int(spike_kernels.mix(np.uint64(word))) == naive_input.mix(word)


@given(words_64)
def test_the_first_words_of_a_stream_do_not_depend_on_how_many_are_asked_for(key):
    assert words(key, 5).tolist() == [naive_input.random_word(key, index) for index in range(5)]
    np.testing.assert_array_equal(words(key, 5), words(key, 100)[:5])


@settings(deadline=None)
@given(seeds, st.integers(0, 9), st.integers(0, 2**40))
def test_the_three_stream_keys_agree(seed, purpose, sample):
    expected = naive_input.stream_key(seed, purpose, sample)
    compiled = spike_kernels.stream_key(np.uint64(seed), np.uint64(purpose), np.uint64(sample))
    assert stream_key(seed, purpose, sample) == expected
    assert int(compiled) == expected


def test_every_purpose_has_its_own_number():
    assert len({getattr(randomness, name) for name in PURPOSES}) == len(PURPOSES)


def test_streams_of_different_seeds_purposes_and_samples_differ():
    keys = [stream_key(*parts) for parts in np.ndindex(6, 7, 8)]
    assert len(set(keys)) == len(keys)
    firsts = [int(words(key, 1)[0]) for key in keys]
    assert len(set(firsts)) == len(firsts)


def test_the_bits_are_balanced_and_independent_of_the_next_word():
    """Each of the 64 bits is set half of the time, and agrees with the next word's half of the time."""
    stream = words(stream_key(0, randomness.WEIGHTS), 10_000)
    shifts = np.arange(64, dtype=np.uint64)
    for bits_of in (stream, stream[1:] ^ stream[:-1]):
        ones = (bits_of[:, None] >> shifts & np.uint64(1)).mean(axis=0)
        assert abs(ones - 0.5).max() < 5 * 0.5 / np.sqrt(len(bits_of))


def test_uniforms_are_even_over_the_unit_interval():
    numbers = uniforms(stream_key(0, randomness.WEIGHTS), 20_000)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    np.testing.assert_array_equal(numbers * 2**53, np.floor(numbers * 2**53))
    # Kolmogorov-Smirnov distance: its 0.1 % point is 1.95 / sqrt(n).
    distance = np.abs(np.sort(numbers) - (np.arange(20_000) + 0.5) / 20_000).max()
    assert distance < 1.95 / np.sqrt(20_000)


@given(words_64, st.integers(0, 50))
def test_a_permutation_holds_every_number_once(key, count):
    assert sorted(permutation(key, count).tolist()) == list(range(count))


def test_permutations_of_different_streams_differ():
    orders = {tuple(permutation(stream_key(0, randomness.ORDER, n), 20)) for n in range(20)}
    assert len(orders) == 20
