"""Reading hardware descriptions: complete, possible, in the right units, with a source for each value."""

import re
import tomllib
from dataclasses import MISSING, asdict, fields, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from fspinn.base.errors import HardwareError
from fspinn.memmodel.hardware import KEYS_OF_ACCESS, Hardware, Memory, Within
from fspinn.memmodel.names import PRESETS, preset_of
from fspinn.memmodel.own_files import as_toml, as_toml_on_base, flat, on_base

_UNIT = re.compile("[fpnum]?[jwv]|[km]?bits?|bytes?|[km]ib|[kmg]?hz|[nu]m|[um]m2")


def load_hardware(name: str | Path) -> Hardware:
    """Return a preset, or the hardware that a file describes.

    Parameters
    ----------
    name : str or Path
        Name or alias of a preset, or path of a TOML file (it ends in ``.toml``): all values and their
        sources, or the `base`, a preset, and what differs from it.

    Raises
    ------
    HardwareError
        If there is no such preset or file, or the file is not a complete and possible description; the
        message names the file, the key and the reason.
    """
    path = Path(name)
    if path.suffix != ".toml":
        path = PRESETS / f"{preset_of(str(name))}.toml"
    tables = _tables(path)
    try:
        return _read_hardware(tables)
    except HardwareError as error:
        raise HardwareError(f"{path}: {error}") from None


def _tables(path: Path) -> dict[str, Any]:
    """Return the tables of a file, with all that it does not say of those of its base."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HardwareError(f"{path}: {error.strerror}; name a TOML file that can be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HardwareError(f"{path}: not valid TOML ({error}); fix that line") from None
    if "base" not in tables:
        return tables
    base = tables["base"]
    try:
        if not isinstance(base, str):
            raise HardwareError(f"base: {base!r} is not the name of a preset; quote one, such as mcu-m4f")
        preset = preset_of(base, "base")
        return on_base(preset, _tables(PRESETS / f"{preset}.toml"), tables, path.stem)
    except HardwareError as error:
        raise HardwareError(f"{path}: {error}") from None


def as_values(hardware: Hardware) -> dict[str, Any]:
    """Return the values that a description gives by dotted key, in the order of its tables; not `meta`."""
    values = flat(asdict(replace(hardware, sources={})))
    return {key: value for key, value in values.items() if key in hardware.sources}


def in_toml(hardware: Hardware, *, preset: bool) -> str:
    """Return a description as the text of a TOML file, from which the same description is read.

    Parameters
    ----------
    hardware : Hardware
    preset : bool
        Whether it is one, so that the file can have it as its base.
    """
    values = as_values(hardware)
    write = as_toml_on_base if preset else as_toml
    return write(values, asdict(hardware.meta), hardware.sources)


def _read_hardware(tables: dict[str, Any]) -> Hardware:
    sources = tables.get("sources")
    if not isinstance(sources, dict):
        raise HardwareError(
            "sources: missing; add the table [sources], one line for each value, or a base, such as "
            'base = "mcu-m4f", and only what differs from it'
        )
    hardware: Hardware = _read_table(Hardware, tables, "")
    keys = flat({name: table for name, table in tables.items() if name not in ("sources", "meta")})
    for key, source in sources.items():
        if key not in keys:
            raise HardwareError(f'sources."{key}": not a value of this file; quote the dotted key of one')
        if not isinstance(source, str) or not source.strip():
            raise HardwareError(f'sources."{key}": {source!r} is not a source; say where the value is from')
    for key in keys:
        if key not in sources:
            raise HardwareError(f'{key}: has no source; add "{key}" = "..." to [sources]')
    _check_together(hardware)
    return hardware


def _read_table(cls: Any, table: Any, name_of_table: str) -> Any:
    if not isinstance(table, dict):
        raise HardwareError(f"{name_of_table}: must be a table; write [{name_of_table}]")
    prefix = name_of_table and name_of_table + "."
    known = {f.name: f for f in fields(cls)}
    for key in table:
        if key not in known:
            raise HardwareError(f"{prefix}{key}: {_what_is_wrong_with(key, list(known))}")
    values = {}
    for name, kind in get_type_hints(cls, include_extras=True).items():
        key = prefix + name
        if name in table:
            kind = _without_none(kind)
            read = _read_table if is_dataclass(kind) else _checked
            values[name] = read(kind, table[name], key)
        elif known[name].default is MISSING:
            raise HardwareError(f"{key}: missing; add it")
    return cls(**values)


def _what_is_wrong_with(key: str, known: list[str]) -> str:
    """Say that a key is in the wrong unit, if one of the known ones differs from it in the unit only."""
    for name in known:
        if _quantity(name) == _quantity(key) != (name,):
            return f"wrong unit; give {name}"
    return f"unknown key; use {', '.join(known)}"


def _quantity(key: str) -> tuple[str, ...]:
    """Return the words of a key without its units, as ``("node",)`` of ``node_nm``."""
    return tuple(word for word in key.split("_") if not _UNIT.fullmatch(word))


def _without_none(kind: Any) -> Any:
    """Return what a value must be where it is given."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (part for part in get_args(kind) if part is not NoneType)
    return kind


def _checked(annotation: Any, value: Any, key: str) -> Any:
    if get_origin(annotation) is tuple:
        if not isinstance(value, list) or not value:
            raise HardwareError(f"{key}: {value!r} is not a list of numbers; write it like [1, 2]")
        return tuple(_checked(get_args(annotation)[0], one, key) for one in value)
    kind, limits = get_args(annotation) if hasattr(annotation, "__metadata__") else (annotation, None)
    if kind is str:
        if not isinstance(value, str) or not value.strip():
            raise HardwareError(f"{key}: {value!r} is not a text; quote one")
        if limits is not None and value not in limits:
            raise HardwareError(f"{key}: {value!r} is unknown; use one of {', '.join(limits)}")
    elif isinstance(limits, Within):
        if isinstance(value, bool) or not isinstance(value, int if kind is int else int | float):
            noun = "a whole number" if kind is int else "a number"
            unit = "; give one, its unit stands in the key" if isinstance(value, str) else "; give one"
            raise HardwareError(f"{key}: {value!r} is not {noun}{unit}")
        if not limits.low <= value <= limits.high:
            raise HardwareError(f"{key}: {value!r} is impossible; give {limits.low:g} to {limits.high:g}")
    return value


def _check_together(hardware: Hardware) -> None:
    for name in ("weights", "state"):
        _check_memory(f"memory.{name}", getattr(hardware.memory, name), hardware)
    for name in ("arithmetic", "area"):
        if getattr(hardware, name) is not None and hardware.process is None:
            raise HardwareError(f"process: missing, and [{name}] is scaled to it; add it")
    if hardware.off_chip is not None and hardware.memory.weights.capacity_bits is None:
        raise HardwareError(
            "off_chip: weights always fit in a memory without limit; add memory.weights.capacity_bits"
        )
    if hardware.cycles is not None and hardware.pipeline is not None:
        raise HardwareError("pipeline: [cycles] is there too, and both say how long an image takes; give one")
    if hardware.column is not None:
        needs = {
            "cycles": hardware.cycles,
            "fabric": hardware.fabric,
            "memory.state.capacity_bits": hardware.memory.state.capacity_bits,
        }
        for key, value in needs.items():
            if value is None:
                raise HardwareError(f"{key}: missing, and [column] needs it; add it")
    if hardware.controller is not None and hardware.cycles is not None and hardware.program is None:
        raise HardwareError(
            "program: missing, and [controller] has networks that are not a column too; add it, or take "
            'all that is not known from a base, such as base = "mcu-m4f"'
        )
    if hardware.program is not None:
        for key in ("controller", "cycles"):
            if getattr(hardware, key) is None:
                raise HardwareError(f"{key}: missing, and [program] needs it; add it, or leave [program] out")
    timed = "cycles" if hardware.pipeline is None else "pipeline"
    for name, band in ((timed, "latency"), ("area", "area")):
        given = {name: getattr(hardware, name), f"band.{band}": getattr(hardware.band, band)}
        there = [key for key, table in given.items() if table is not None]
        if len(there) == 1:
            (missing,) = given.keys() - there
            raise HardwareError(f"{missing}: missing, and [{there[0]}] is there; give both or neither")


def _check_memory(key: str, memory: Memory, hardware: Hardware) -> None:
    needed = KEYS_OF_ACCESS[memory.access]
    for name in sorted(sum(KEYS_OF_ACCESS.values(), ())):
        given = getattr(memory, name) is not None
        if given and name not in needed:
            raise HardwareError(f'{key}.{name}: not used with access = "{memory.access}"; leave it out')
        if not given and name in needed:
            raise HardwareError(f'{key}.{name}: missing, access = "{memory.access}" needs it; add it')
    if memory.access == "sram-law" and hardware.process is None:
        raise HardwareError(f'process: missing, {key}.access = "sram-law" needs it; add it')
    sizes, energies = memory.table_capacity_bits, memory.table_access_pj
    if sizes is not None and energies is not None:
        rising = all(a < b for row in (sizes, energies) for a, b in pairwise(row))
        if len(sizes) < 2 or len(sizes) != len(energies) or not rising or min(energies) <= 0:
            raise HardwareError(
                f"{key}.table_access_pj: not a table of rising energies, one for each of "
                f"{len(sizes)} rising capacities; give at least two"
            )
