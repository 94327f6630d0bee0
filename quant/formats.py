"""Which integers stand for these numbers? Fixed-point formats, rounding, saturation.

The convention, said once: ``Qm.n`` is a signed number in two's complement, ``UQm.n`` an unsigned one.
Both have ``n`` fraction bits and ``m + n`` bits in all, so in ``Qm.n`` the sign bit is counted in
``m``. The stored integer ``i`` stands for ``i * 2**-n``. ``Q1.7`` is a byte from -1 to 127/128;
``UQ0.4`` is four bits from 0 to 15/16.

What does not fit saturates, it becomes the lowest or the highest number of the format; or it wraps around,
and keeps only the lowest bits of its integer. How the others are rounded:

- ``truncate``: down, toward minus infinity (what a shift to the right does).
- ``nearest``: to the nearest integer, of two as near to the even one.
- ``stochastic``: up with the probability of the part that is cut off, so that the mean is right. Element k
  of an array is rounded up if that part is above random number k of the stream `key`: the same key gives
  the same integers, whatever was rounded before.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fspinn.base.errors import FormatError
from fspinn.base.randomness import uniforms

MAX_BITS = 32
ROUNDINGS = ("truncate", "nearest", "stochastic")
OVERFLOWS = ("saturate", "wrap")

_PATTERN = re.compile(r"(U?)Q([0-9]{1,2})\.([0-9]{1,2})", re.ASCII)
_BITS = re.compile(r"([0-9]{1,3}) bits", re.ASCII)
_NEARLY_BITS = re.compile(r"\s*([0-9]{1,3})[\s_-]*(?:b|bits?)?\s*", re.ASCII | re.IGNORECASE)


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
            If the text is not a format.
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


def to_integers(
    values: ArrayLike,
    format: Format,
    rounding: str = "nearest",
    *,
    overflow: str = "saturate",
    key: int = 0,
) -> NDArray[np.int64]:
    """Return the integers that stand for some numbers.

    Parameters
    ----------
    values : array_like of float, any shape
    format : Format
    rounding : {"nearest", "truncate", "stochastic"}, default "nearest"
    overflow : {"saturate", "wrap"}, default "saturate"
        What happens to numbers outside the format.
    key : int, default 0
        Stream of random numbers for ``stochastic`` (`fspinn.base.randomness.stream_key`).

    Returns
    -------
    ndarray of int64, same shape

    Raises
    ------
    FormatError
        If a value is NaN (or infinite, and is to wrap), or `rounding` or `overflow` are unknown.

    Examples
    --------
    >>> to_integers([0.3, 0.99, 1.3], Format.parse("UQ0.4")).tolist()
    [5, 15, 15]
    >>> to_integers([0.3, 0.99, 1.3], Format.parse("UQ0.4"), overflow="wrap").tolist()
    [5, 0, 5]
    """
    if overflow not in OVERFLOWS:
        raise FormatError(f"overflow: there is no {overflow!r}; use one of {', '.join(OVERFLOWS)}")
    rounded = _rounded(values, format, rounding, key)
    if overflow == "saturate":
        return np.clip(rounded, format.lowest_integer, format.highest_integer).astype(np.int64)
    if np.isinf(rounded).any():
        raise FormatError(f"infinity has no integer in {format} that it could wrap to; let it saturate")
    lowest_bits = np.remainder(rounded, 2.0**format.bits).astype(np.int64)
    return np.where(lowest_bits > format.highest_integer, lowest_bits - 2**format.bits, lowest_bits)


def saturates(
    values: ArrayLike, format: Format, rounding: str = "nearest", *, key: int = 0
) -> NDArray[np.bool_]:
    """Return which numbers round to an integer that the format does not have.

    Parameters
    ----------
    values, format, rounding, key
        As for `to_integers`.

    Returns
    -------
    ndarray of bool, same shape

    Raises
    ------
    FormatError
        If a value is NaN or the rounding is unknown.
    """
    rounded = _rounded(values, format, rounding, key)
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


def quantize_values(
    values: ArrayLike, format: Format, rounding: str = "nearest", *, key: int = 0
) -> NDArray[np.float32]:
    """Return the numbers of a format that stand for some numbers: there and back again.

    Parameters
    ----------
    values, format, rounding, key
        As for `to_integers`.

    Returns
    -------
    ndarray of float32, same shape

    Raises
    ------
    FormatError
        If a value is NaN or the rounding is unknown.
    """
    return to_values(to_integers(values, format, rounding, key=key), format)


def check_rounding(rounding: str) -> None:
    """Raise FormatError unless the rounding is known."""
    if rounding not in ROUNDINGS:
        raise FormatError(f"{rounding!r} is not a rounding; use one of {', '.join(ROUNDINGS)}")


def as_format(format: str | Format, name: str | None = None) -> Format:
    """Return a format from itself or from its name; a message begins with the `name` of what has it.

    Raises
    ------
    FormatError
        If there is no such format.
    """
    if isinstance(format, Format):
        return format
    try:
        return Format.parse(format)
    except FormatError as error:
        raise FormatError(f"{name}: {error}") if name else error from None


def check_format(name: str, text: str, *, or_bits: bool = False, words: tuple[str, ...] = ()) -> None:
    """Raise FormatError, with the name of what it is for, unless a text is a format.

    Parameters
    ----------
    name, text : str
    or_bits : bool, default False
        Whether it may be a number of bits as well, such as ``"10 bits"``.
    words : tuple of str, default ()
        What it may be as well.

    Examples
    --------
    >>> check_format("state", "10 bit", or_bits=True)
    Traceback (most recent call last):
    fspinn.base.errors.FormatError: state: '10 bit' is not a number format; did you mean '10 bits'?
    """
    if text in words or (or_bits and bits_of(text) is not None):
        return
    near = _NEARLY_BITS.fullmatch(str(text)) if or_bits else None
    if near is not None:
        raise FormatError(f"{name}: {text!r} is not a number format; did you mean '{near[1]} bits'?")
    as_format(text, name)


def bits_of(text: object) -> int | None:
    """Return the bits that ``"16 bits"`` says; None if it does not say so.

    >>> bits_of("16 bits"), bits_of("UQ0.4")
    (16, None)
    """
    match = _BITS.fullmatch(text) if isinstance(text, str) else None
    return None if match is None else int(match[1])


def narrowest(values: NDArray[np.float32], fraction_bits: int) -> Format:
    """Return the narrowest signed format with some fraction bits that holds all values."""
    integer_bits = 1
    while saturates(values, Format(integer_bits, fraction_bits, signed=True)).any():
        integer_bits += 1
    return Format(integer_bits, fraction_bits, signed=True)


def _rounded(values: ArrayLike, format: Format, rounding: str, key: int) -> NDArray[np.float64]:
    check_rounding(rounding)
    # float64 holds every float32 and every 32-bit integer, and multiplying by a power of two is exact.
    scaled = np.asarray(values, dtype=np.float64) * 2.0**format.fraction_bits
    if np.isnan(scaled).any():
        raise FormatError(f"NaN has no integer in {format}; find out where it comes from first")
    if rounding == "nearest":
        return np.asarray(np.rint(scaled))
    down = np.floor(scaled)
    if rounding == "stochastic":
        with np.errstate(invalid="ignore"):  # infinity less infinity: not below, so it stays infinite
            down += uniforms(key, scaled.size).reshape(scaled.shape) < scaled - down
    return np.asarray(down)
