"""How do weights of a few bits lie in memory words? Packed, the first one in the lowest bits.

Each row starts a new word, and no weight lies across two words, as `fspinn.memmodel` counts them.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fspinn.base.errors import FormatError
from fspinn.quant.formats import Format

WORD_BITS = (8, 16, 32)


def pack(integers: ArrayLike, format: Format, word_bits: int = 32) -> NDArray[np.uint32]:
    """Return the memory words that hold rows of integers.

    Parameters
    ----------
    integers : array_like of int, shape (n_rows, n)
        Integers of the format; negative ones are kept in two's complement.
    format : Format
    word_bits : {8, 16, 32}, default 32

    Returns
    -------
    ndarray of uint32, shape (n_rows, n_words)
        Unused bits are 0.

    Raises
    ------
    FormatError
        If a number does not fit in a word, or there are no such words.

    Examples
    --------
    >>> [hex(word) for word in pack([[1, 2, 15]], Format.parse("UQ0.4"), word_bits=8)[0]]
    ['0x21', '0xf']
    """
    per_word = numbers_per_word(format, word_bits)
    rows = np.asarray(integers, dtype=np.int64)
    n_words = -(-rows.shape[1] // per_word)
    padded = np.zeros((rows.shape[0], n_words * per_word), dtype=np.int64)
    padded[:, : rows.shape[1]] = rows & (2**format.bits - 1)
    shifts = np.arange(per_word) * format.bits
    words: NDArray[np.int64] = (padded.reshape(rows.shape[0], n_words, per_word) << shifts).sum(axis=2)
    return words.astype(np.uint32)


def unpack(words: NDArray[np.uint32], count: int, format: Format, word_bits: int = 32) -> NDArray[np.int64]:
    """Return the rows of integers that memory words hold.

    Parameters
    ----------
    words : ndarray of uint32, shape (n_rows, n_words)
    count : int
        Integers in a row.
    format, word_bits
        As for `pack`.

    Returns
    -------
    ndarray of int64, shape (n_rows, count)
    """
    per_word = numbers_per_word(format, word_bits)
    shifts = np.arange(per_word) * format.bits
    bits = (words.astype(np.int64)[:, :, None] >> shifts) & (2**format.bits - 1)
    rows = bits.reshape(len(words), -1)[:, :count]
    return np.where(rows > format.highest_integer, rows - 2**format.bits, rows)


def numbers_per_word(format: Format, word_bits: int) -> int:
    """Return how many numbers of a format a memory word holds."""
    if word_bits not in WORD_BITS:
        raise FormatError(f"word_bits: there are no words of {word_bits!r} bits; use 8, 16 or 32")
    if format.bits > word_bits:
        raise FormatError(f"word_bits: {format} does not fit in a word of {word_bits} bits; use wider words")
    return word_bits // format.bits
