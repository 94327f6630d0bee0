"""Amounts as people write them: 32KiB, 5uJ, 2ms, 3h."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from fspinn.errors import ConfigError


class Unit(NamedTuple):
    """Units of one kind of amount, in lower case; `base` is meant where none is written."""

    what: str
    base: str
    sizes: Mapping[str, float]
    examples: str


_TIMES = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}

MEMORY = Unit(
    "amount of memory",
    "b",
    {"b": 8, "kb": 8 * 10**3, "kib": 8 * 2**10, "mb": 8 * 10**6, "mib": 8 * 2**20},
    "256KiB, 1.5MB or 8192B (bytes)",
)
"""In bits."""

ENERGY = Unit("energy", "pj", {"pj": 1.0, "nj": 1e3, "uj": 1e6, "mj": 1e9, "j": 1e12}, "500nJ or 2uJ")
"""In picojoules."""

TIME = Unit("time", "s", _TIMES, "30s, 2ms or 3h")
"""In seconds."""

AREA = Unit("area", "um2", {"um2": 1.0, "mm2": 1e6}, "0.5mm2 or 80000um2")
"""In square micrometres."""


def parse(name: str, text: str, unit: Unit) -> float:
    """Return what an amount such as ``256KiB``, ``2 uJ`` or ``3h`` is in the unit that counts.

    Parameters
    ----------
    name : str
        Of the parameter; the message starts with it.
    text : str
    unit : Unit

    Raises
    ------
    ConfigError
        If the text is no such amount, or none at all.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*2?)\s*", text)
    written = match.group(2).lower() or unit.base if match else ""
    if match is None or written not in unit.sizes:
        raise ConfigError(f"{name}: {text!r} is no {unit.what}; write it like {unit.examples}")
    amount = float(match.group(1)) * unit.sizes[written]
    if amount <= 0:
        raise ConfigError(f"{name}: {text!r} is nothing; write it like {unit.examples}")
    return amount


def parse_memory(text: str, name: str = "memory") -> int:
    """Return the number of bits that a text such as ``256KiB``, ``32 kB`` or ``8192`` (bytes) means.

    Raises
    ------
    ConfigError
        If the text is no amount of memory, or less than one byte.

    Examples
    --------
    >>> parse_memory("256KiB")
    2097152
    """
    bits = int(parse(name, text, MEMORY))
    if bits < 8:
        raise ConfigError(f"{name}: {text!r} is less than one byte; write it like 256KiB")
    return bits


def format_energy(energy_pj: float) -> str:
    """Return an energy, for people.

    >>> format_energy(1.25e6)
    '1.25 uJ'
    """
    return f"{energy_pj / 1e6:.3g} uJ" if energy_pj >= 1e5 else f"{energy_pj / 1e3:.3g} nJ"


def format_time(seconds: float) -> str:
    """Return a time, for people.

    >>> format_time(0.0021), format_time(75), format_time(7400)
    ('2.1 ms', '1:15 min', '2:03 h')
    """
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02} h"


def format_area(area_um2: float) -> str:
    """Return an area, for people.

    >>> format_area(250_000)
    '0.25 mm2'
    """
    return f"{area_um2 / 1e6:.3g} mm2"
