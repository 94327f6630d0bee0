"""Amounts as people write them: 32KiB, 5uJ, 2ms, 3h; the same on the command line, in files and in Python."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

from fspinn.base.checks import number
from fspinn.base.errors import ConfigError


class Unit(NamedTuple):
    """Units of one kind of amount, in lower case; a number of Python without a unit is in `base`."""

    what: str
    base: str
    sizes: Mapping[str, float]
    examples: str


_TIMES = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

MEMORY = Unit(
    "amount of memory",
    "b",
    {"b": 8, "kb": 8 * 10**3, "kib": 8 * 2**10, "mb": 8 * 10**6, "mib": 8 * 2**20},
    "256KiB, 1.5MB or 8192B (bytes)",
)
"""In bits; numbers are bytes."""

ENERGY = Unit("energy", "pj", {"pj": 1.0, "nj": 1e3, "uj": 1e6, "mj": 1e9, "j": 1e12}, "500nJ or 2uJ")
"""In picojoules, numbers as well."""

TIME = Unit("time", "s", _TIMES, "30s, 2ms, 20min or 3h")
"""In seconds, numbers as well."""

AREA = Unit("area", "um2", {"um2": 1.0, "mm2": 1e6}, "0.5mm2 or 80000um2")
"""In square micrometres, numbers as well."""


def parse(name: str, amount: str | float, unit: Unit) -> float:
    """Return what an amount such as ``"256KiB"``, ``"2 uJ"`` or ``"3h"`` is in the unit that counts.

    A text needs a unit, in upper or lower case; a number is in ``unit.base``. Messages start with `name`.

    Raises
    ------
    ConfigError
        If this is not such an amount, has no unit, or is not above zero.

    Examples
    --------
    >>> parse("budget", "20m", TIME), parse("budget", 1200, TIME)
    (1200.0, 1200.0)
    """
    if not isinstance(amount, str):
        parsed = number(name, amount, above=0.0) * unit.sizes[unit.base]
    else:
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Zµμ]*2?)\s*", amount)
        if match is not None and not match[2]:
            raise ConfigError(f"{name}: {amount!r} has no unit; write it like {unit.examples}")
        size = unit.sizes.get(re.sub("[µμ]", "u", match[2].lower())) if match is not None else None
        if match is None or size is None:
            raise ConfigError(
                f"{name}: {amount!r} is not {_article(unit.what)}; write it like {unit.examples}"
            )
        parsed = float(match[1]) * size
        if parsed <= 0:
            raise ConfigError(f"{name}: {amount!r} is nothing; write it like {unit.examples}")
    if not isfinite(parsed):
        raise ConfigError(f"{name}: {amount!r} is too large; write it like {unit.examples}")
    return parsed


def parse_memory(amount: str | float, name: str = "memory") -> int:
    """Return the number of bits that a text such as ``"256KiB"`` or ``"32 kB"``, or a number of bytes, means.

    Raises
    ------
    ConfigError
        If this is not an amount of memory, has no unit, or is less than one byte.

    Examples
    --------
    >>> parse_memory("256KiB"), parse_memory(16384)
    (2097152, 131072)
    """
    bits = int(parse(name, amount, MEMORY))
    if bits < 8:
        raise ConfigError(f"{name}: {amount!r} is less than one byte; write it like 256KiB")
    return bits


def _article(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"
