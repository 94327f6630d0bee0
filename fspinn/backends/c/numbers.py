"""How are whole numbers written in C? Types, constants and arrays."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fspinn.quant.formats import Format

_LINE = 100


def type_of(lowest: int, highest: int) -> str:
    """Return the narrowest type of `stdint.h` that holds all whole numbers from one to another."""
    for bits in (8, 16, 32, 64):
        if lowest >= 0 and highest < 2**bits:
            return f"uint{bits}_t"
        if lowest >= -(2 ** (bits - 1)) and highest < 2 ** (bits - 1):
            return f"int{bits}_t"
    raise OverflowError(f"{lowest} to {highest} is wider than 64 bits")


def type_of_format(format: Format) -> str:
    """Return the narrowest type that holds the integers of a format."""
    return type_of(format.lowest_integer, format.highest_integer)


def defines(values: Mapping[str, int], prefix: str = "FSPINN") -> list[str]:
    """Return a line that defines each constant, with a prefix before its name."""
    return [f"#define {prefix}_{name} {value}" for name, value in constants(values).items()]


def constants(values: Mapping[str, int]) -> dict[str, str]:
    """Return whole numbers as C writes them."""
    return {name: _constant(value) for name, value in values.items()}


def array(c_type: str, name: str, values: ArrayLike) -> str:
    """Return the definition of a constant array in flash, of one dimension."""
    numbers = np.asarray(values)
    return f"static const {c_type} {name}[{numbers.size}] FSPINN_FLASH = {{\n{_row(numbers)}\n}};"


def _constant(value: int) -> str:
    if value < 0:
        return f"({value})"
    return f"UINT64_C({value})" if value >= 2**31 else str(value)


def _row(values: Iterable[Any]) -> str:
    lines, line = [], " "
    for value in values:
        text = f" {int(value)}{'u' if value >= 2**31 else ''},"
        if len(line) + len(text) > _LINE:
            lines.append(line)
            line = " "
        line += text
    return "\n".join([*lines, line])
