"""Packing: integers of a few bits in memory words, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fspinn.base.errors import FormatError
from fspinn.quant import Format
from fspinn.quant.packing import numbers_per_word, pack, unpack


@st.composite
def rows(draw):
    word_bits = draw(st.sampled_from([8, 16, 32]))
    bits = draw(st.integers(1, word_bits))
    format = Format(bits, 0, draw(st.booleans()))
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 40))
    seed = draw(st.integers(0, 2**32))
    integers = np.random.default_rng(seed).integers(format.lowest_integer, format.highest_integer + 1, shape)
    return integers, format, word_bits


@given(rows())
def test_what_is_packed_comes_back(case):
    integers, format, word_bits = case
    words = pack(integers, format, word_bits)
    assert words.dtype == np.uint32
    assert int(words.max()) < 2**word_bits
    np.testing.assert_array_equal(unpack(words, integers.shape[1], format, word_bits), integers)


@given(rows())
def test_words_are_as_many_as_fit_without_crossing_their_ends(case):
    integers, format, word_bits = case
    words = pack(integers, format, word_bits)
    per_word = word_bits // format.bits
    assert numbers_per_word(format, word_bits) == per_word
    assert words.shape == (len(integers), -(-integers.shape[1] // per_word))


def test_the_first_number_lies_in_the_lowest_bits_and_the_rest_is_zero():
    assert pack([[1, 2, 15]], Format.parse("UQ0.4"), 16).tolist() == [[0x0F21]]
    assert pack([[-1, 1]], Format.parse("Q1.2"), 8).tolist() == [[0b00001111]]
    assert pack([[1, 2, 3]], Format.parse("UQ0.3"), 8).tolist() == [[0b00010001, 0b011]]


def test_numbers_wider_than_a_word_and_words_that_do_not_exist_are_refused():
    with pytest.raises(FormatError, match=r"word_bits: UQ0\.9 does not fit in a word of 8 bits; use wider"):
        pack([[1]], Format.parse("UQ0.9"), 8)
    with pytest.raises(FormatError, match="word_bits: there are no words of 12 bits; use 8, 16 or 32"):
        unpack(np.zeros((1, 1), np.uint32), 1, Format.parse("UQ0.4"), 12)
