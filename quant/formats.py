"""Which integers stand for these numbers? Fixed-point formats, rounding, saturation.

The convention, said once: ``Qm.n`` is a signed number in two's complement, ``UQm.n`` an unsigned one.
Both have ``n`` fraction bits and ``m + n`` bits in all, so in ``Qm.n`` the sign bit is counted in
``m``. The stored integer ``i`` stands for ``i * 2**-n``. ``Q1.7`` is a byte from -1 to 127/128;
``UQ0.4`` is four bits from 0 to 15/16.

What does not fit saturates: it becomes the lowest or the highest number of the format.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fspinn.errors import FormatError

MAX_BITS = 32
ROUNDINGS = ("truncate", "nearest")

_PATTERN = re.compile(r"(U?)Q([0-9]{1,2})\.([0-9]{1,2})", re.ASCII)


@dataclass(frozen=True)
class Format:
    """A fixed-point number format, ``Qm.n`` or ``UQm.n``.

    Parameters
    ----------
    integer_bits : int
        Bits before the binary point (``m``); the sign bit of a signed format is one of them.
    fraction_bits : int
        Bits after the binary point (``n``).
    signed : bool
        Two's complement (``Qm.n``) or unsigned (``UQm.n``).

    Raises
    ------
    FormatError
        If the format has no bits, more than 32, or is signed without room for the sign.

    Examples
    --------
    >>> weights = Format.parse("UQ0.4")
    >>> weights.bits, weights.step, weights.lowest, weights.highest
    (4, 0.0625, 0.0, 0.9375)
    >>> str(Format(integer_bits=1, fraction_bits=7, signed=True))
    'Q1.7'
    """

    integer_bits: int
    fraction_bits: int
    signed: bool

    def __post_init__(self) -> None:
        for name in ("integer_bits", "fraction_bits"):
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise FormatError(f"{name}: {count!r} is not a number of bits; give a whole number from 0")
        if not 1 <= self.bits <= MAX_BITS:
            raise FormatError(f"{self}: has {self.bits} bits; a format has 1 to {MAX_BITS}, such as UQ0.4")
        if self.signed and self.integer_bits < 1:
            raise FormatError(
                f"{self}: no room for the sign, which counts among the integer bits; "
                f"use Q1.{max(self.fraction_bits - 1, 0)} or UQ0.{self.fraction_bits}"
            )

    @classmethod
    def parse(cls, text: str) -> "Format":
        """Read a format from text such as ``Q1.7`` or ``UQ0.4``.

        Parameters
        ----------
        text : str

        Returns
        -------
        Format

        Raises
        ------
        FormatError
            If the text is no format.
        """
        match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise FormatError(
                f"{text!r} is not a number format; write Qm.n (signed) or UQm.n (unsigned), "
                f"m + n from 1 to {MAX_BITS} bits, such as UQ0.4"
            )
        return cls(int(match[2]), int(match[3]), signed=not match[1])

    @property
    def bits(self) -> int:
        """Bits of one number, the sign included."""
        return self.integer_bits + self.fraction_bits

    @property
    def step(self) -> float:
        """Distance between neighbouring numbers."""
        return 2.0**-self.fraction_bits

    @property
    def lowest_integer(self) -> int:
        """Smallest integer that the bits can hold."""
        return -(2 ** (self.bits - 1)) if self.signed else 0

    @property
    def highest_integer(self) -> int:
        """Largest integer that the bits can hold."""
        return int(2 ** (self.bits - self.signed) - 1)

    @property
    def lowest(self) -> float:
        """Smallest number."""
        return self.lowest_integer * self.step

    @property
    def highest(self) -> float:
        """Largest number."""
        return self.highest_integer * self.step

    def __str__(self) -> str:
        return f"{'' if self.signed else 'U'}Q{self.integer_bits}.{self.fraction_bits}"


def to_integers(values: ArrayLike, format: Format, rounding: str = "nearest") -> NDArray[np.int64]:
    """Return the integers that stand for some numbers.

    Parameters
    ----------
    values : array_like of float, any shape
        What lies outside the format, infinities included, saturates.
    format : Format
    rounding : {"nearest", "truncate"}, default "nearest"
        To the nearest integer, ties to the even one; or down, toward minus infinity.

    Returns
    -------
    ndarray of int64, same shape

    Raises
    ------
    FormatError
        If a value is NaN or the rounding is unknown.
    """
    rounded = _rounded(values, format, rounding)
    return np.clip(rounded, format.lowest_integer, format.highest_integer).astype(np.int64)


def saturates(values: ArrayLike, format: Format, rounding: str = "nearest") -> NDArray[np.bool_]:
    """Return which numbers round to an integer that the format does not have.

    Parameters
    ----------
    values : array_like of float, any shape
    format : Format
    rounding : {"nearest", "truncate"}, default "nearest"

    Returns
    -------
    ndarray of bool, same shape

    Raises
    ------
    FormatError
        If a value is NaN or the rounding is unknown.
    """
    rounded = _rounded(values, format, rounding)
    return np.asarray((rounded < format.lowest_integer) | (rounded > format.highest_integer))


def to_values(integers: ArrayLike, format: Format) -> NDArray[np.float32]:
    """Return the numbers that integers stand for.

    Parameters
    ----------
    integers : array_like of int, any shape
    format : Format

    Returns
    -------
    ndarray of float32, same shape
        Exact for formats of up to 24 bits; above, the nearest float32.
    """
    return (np.asarray(integers, dtype=np.float64) * format.step).astype(np.float32)


def quantize_values(values: ArrayLike, format: Format, rounding: str = "nearest") -> NDArray[np.float32]:
    """Return the numbers of a format that stand for some numbers: there and back again.

    Parameters
    ----------
    values : array_like of float, any shape
    format : Format
    rounding : {"nearest", "truncate"}, default "nearest"

    Returns
    -------
    ndarray of float32, same shape

    Raises
    ------
    FormatError
        If a value is NaN or the rounding is unknown.
    """
    return to_values(to_integers(values, format, rounding), format)


def check_rounding(rounding: str) -> None:
    """Raise FormatError unless the rounding is known."""
    if rounding not in ROUNDINGS:
        raise FormatError(f"{rounding!r} is not a rounding; use one of {', '.join(ROUNDINGS)}")


def _rounded(values: ArrayLike, format: Format, rounding: str) -> NDArray[np.float64]:
    check_rounding(rounding)
    # float64 holds every float32 and every 32-bit integer, and multiplying by a power of two is exact.
    scaled = np.asarray(values, dtype=np.float64) * 2.0**format.fraction_bits
    if np.isnan(scaled).any():
        raise FormatError(f"NaN has no integer in {format}; find out where it comes from first")
    return np.asarray(np.floor(scaled) if rounding == "truncate" else np.rint(scaled))
