"""How many words, groups and bits? Whole-number arithmetic on single numbers or arrays of them."""

from typing import Any, TypeAlias

import numpy as np

Numbers: TypeAlias = Any
"""A number or an array of numbers: one network, or many at once."""


def words(count: Numbers, bits: Numbers, word_bits: int) -> Numbers:
    """Return the memory words that hold some numbers, packed, none across two words.

    Parameters
    ----------
    count : int or ndarray
        How many numbers.
    bits : int or ndarray
        Bits of one number; one wider than a word takes several, one of no bits none.
    word_bits : int

    Returns
    -------
    int or ndarray

    Examples
    --------
    >>> words(400, 5, word_bits=32)  # six in a word
    67
    """
    if np.ndim(bits) == 0:
        return shares(count, max(word_bits // max(bits, 1), 1)) * (shares(bits, word_bits) if bits else 0)
    in_a_word = np.maximum(word_bits // np.maximum(bits, 1), 1)
    return shares(count, in_a_word) * shares(bits, word_bits)


def shares(count: Numbers, size: Numbers) -> Numbers:
    """Return how many shares of a size hold a count: the quotient, rounded up."""
    return -(-count // size)


def index_bits(count: Numbers) -> Numbers:
    """Return the bits, at least one, of a whole number below `count`."""
    return count_bits(np.maximum(np.asarray(count) - 1, 1))


def count_bits(most: Numbers) -> Numbers:
    """Return the bits of a counter from 0 to `most`; none if that is 0."""
    return plain(np.frexp(np.asarray(most, dtype=np.float64))[1].astype(np.int64))


def whole(value: Numbers) -> Numbers:
    """Return the nearest whole number, of a half the even one."""
    return plain(value if np.asarray(value).dtype.kind == "i" else np.rint(value).astype(np.int64))


def plain(value: Numbers) -> Numbers:
    """Return an array as it is, and an array of no dimension as the number in it."""
    return value.item() if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0 else value
