"""What is the hardware like? Descriptions in TOML, each number with its unit in the name and its source.

The presets lie in ``presets/``; a path names a file of one's own. The names of the fields below are the
keys of the file, the dataclasses its tables.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

from fspinn.errors import HardwareError
from fspinn.memmodel.sram import CELLS

PRESETS = Path(__file__).parent / "presets"


class Within(NamedTuple):
    """Least and greatest possible value of a field."""

    low: float
    high: float


@dataclass(frozen=True)
class Meta:
    """What the description is called and what it describes."""

    name: str
    description: str


@dataclass(frozen=True)
class Band:
    """Multiples of an estimated energy within which the true one is expected."""

    low: Annotated[float, Within(0.01, 1)]
    high: Annotated[float, Within(1, 100)]


@dataclass(frozen=True)
class Process:
    """Technology: feature size, supply and kind of SRAM cell. The SRAM law holds from 22 to 90 nm."""

    node_nm: Annotated[float, Within(22, 90)]
    vdd_v: Annotated[float, Within(0.4, 1.5)]
    cell: Annotated[str, CELLS]


@dataclass(frozen=True)
class Clock:
    """The one clock of the core."""

    f_mhz: Annotated[float, Within(0.001, 10_000)]


@dataclass(frozen=True)
class Bank:
    """One SRAM, as large as the network needs."""

    word_bits: Annotated[int, Within(1, 1024)]


@dataclass(frozen=True)
class Memory:
    """Both memories. `kappa` multiplies the energy of an access by the SRAM law."""

    kappa: Annotated[float, Within(0.1, 100)]
    leakage_pw_per_bit: Annotated[float, Within(0, 1e6)]
    weights: Bank
    state: Bank


@dataclass(frozen=True)
class Arithmetic:
    """How many neurons are worked on at once, and what integer operations cost."""

    lanes: Annotated[int, Within(1, 65_536)]
    add_pj_per_bit: Annotated[float, Within(0, 1000)]
    multiply_pj_per_square_bit: Annotated[float, Within(0, 1000)]


@dataclass(frozen=True)
class Cycles:
    """Clock cycles: per time step, word scanned, group of neurons, weights and neurons, word learned."""

    step: Annotated[int, Within(0, 10**6)]
    scan: Annotated[int, Within(0, 10**6)]
    neuron: Annotated[int, Within(0, 10**6)]
    addition: Annotated[int, Within(0, 10**6)]
    inhibition: Annotated[int, Within(0, 10**6)]
    learning: Annotated[int, Within(0, 10**6)]


@dataclass(frozen=True)
class Hardware:
    """A piece of hardware, with a source for each of its numbers.

    Parameters
    ----------
    meta, band, process, clock, memory, arithmetic, cycles : dataclass
        The tables of the file.
    sources : mapping of str to str
        Where each value is from, by its dotted key such as ``"clock.f_mhz"``.
    """

    meta: Meta
    band: Band
    process: Process
    clock: Clock
    memory: Memory
    arithmetic: Arithmetic
    cycles: Cycles
    sources: Mapping[str, str]


def hardware_names() -> list[str]:
    """Return the names of the presets."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def load_hardware(name: str | Path) -> Hardware:
    """Return a preset, or the hardware that a file describes.

    Parameters
    ----------
    name : str or Path
        Name of a preset, or path of a TOML file (it ends in ``.toml``).

    Returns
    -------
    Hardware

    Raises
    ------
    HardwareError
        If there is no such preset or file, or the file is not a complete and possible description; the
        message names the file, the key and the reason.
    """
    path = Path(name)
    if path.suffix != ".toml":
        known = hardware_names()
        if str(name) not in known:
            near = get_close_matches(str(name), known, n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            raise HardwareError(
                f"hardware: no preset {str(name)!r}; {guess}"
                f"use one of {', '.join(known)}, or the path of your own .toml file"
            )
        path = PRESETS / f"{name}.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HardwareError(f"{path}: {error.strerror}; name a TOML file that can be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HardwareError(f"{path}: not valid TOML ({error}); mend that line") from None
    try:
        return _read_hardware(tables)
    except HardwareError as error:
        raise HardwareError(f"{path}: {error}") from None


def as_values(hardware: Hardware) -> dict[str, float | int | str]:
    """Return the values of a description by dotted key, in the order of the file; `meta` is left out."""
    return {key: value for key, value in _flat(hardware, "") if not key.startswith("meta.")}


def _flat(table: Any, prefix: str) -> list[tuple[str, Any]]:
    values: list[tuple[str, Any]] = []
    for f in fields(table):
        value = getattr(table, f.name)
        if is_dataclass(value):
            values += _flat(value, f"{prefix}{f.name}.")
        elif f.name != "sources":
            values.append((prefix + f.name, value))
    return values


def _read_hardware(tables: dict[str, Any]) -> Hardware:
    sources = tables.get("sources")
    if not isinstance(sources, dict):
        raise HardwareError("sources: missing; add the table [sources], one line for each value")
    hardware: Hardware = _read_table(Hardware, tables, "")
    keys = as_values(hardware)
    for key, source in sources.items():
        if key not in keys:
            raise HardwareError(f'sources."{key}": there is no such value; quote the dotted key of one')
        if not isinstance(source, str) or not source.strip():
            raise HardwareError(f'sources."{key}": {source!r} is no source; say where the value is from')
    for key in keys:
        if key not in sources:
            raise HardwareError(f'{key}: has no source; add "{key}" = "..." to [sources]')
    return hardware


def _read_table(cls: Any, table: Any, prefix: str) -> Any:
    if not isinstance(table, dict):
        raise HardwareError(f"{prefix[:-1]}: must be a table; write [{prefix[:-1]}]")
    known = [f.name for f in fields(cls)]
    for key in table:
        if key not in known:
            raise HardwareError(f"{prefix}{key}: unknown key; use {', '.join(known)}")
    values = {}
    for name, kind in get_type_hints(cls, include_extras=True).items():
        key = prefix + name
        if name not in table:
            raise HardwareError(f"{key}: missing; add it")
        if is_dataclass(kind):
            values[name] = _read_table(kind, table[name], f"{key}.")
        else:
            values[name] = _checked(key, table[name], kind)
    return cls(**values)


def _checked(key: str, value: Any, annotation: Any) -> Any:
    kind, limits = get_args(annotation) if hasattr(annotation, "__metadata__") else (annotation, None)
    if kind is str:
        if not isinstance(value, str) or not value.strip():
            raise HardwareError(f"{key}: {value!r} is not a text; quote one")
        if limits is not None and value not in limits:
            raise HardwareError(f"{key}: {value!r} is unknown; use one of {', '.join(limits)}")
    elif isinstance(limits, Within):
        if isinstance(value, bool) or not isinstance(value, int if kind is int else int | float):
            noun = "a whole number" if kind is int else "a number"
            raise HardwareError(f"{key}: {value!r} is not {noun}; give one")
        if not limits.low <= value <= limits.high:
            raise HardwareError(f"{key}: {value!r} is impossible; give {limits.low:g} to {limits.high:g}")
    return value
