"""Hardware of one's own: a preset and what differs from it, and a file to start from."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from fspinn.base.errors import HardwareError
from fspinn.memmodel.hardware import KEYS_OF_ACCESS

YOURS = "yours"
"""Source of a value that differs from the base, where [sources] does not say another."""

_NAMED = 3
"""As many values are named in the description of what differs."""

_BASED = """\
# {preset}: {description}
# Keep what differs from it, and delete the rest if you like. A number that you change is "yours", unless
# [sources] says where it is from, as "{key}" = "data sheet". The hardware is called as the file, and
# nobody has measured it, unless [meta] has a name, a description and a confidence.
"""


def on_base(preset: str, base: Mapping[str, Any], own: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the tables of a file that says what differs from a preset.

    Parameters
    ----------
    preset : str
        Its name.
    base, own : mapping
        All tables of the preset, and those of the file.
    name : str
        What the hardware is called where the file does not say it.
    """
    sources, about = own.get("sources", {}), own.get("meta", {})
    for key, table in (("sources", sources), ("meta", about)):
        if not isinstance(table, dict):
            raise HardwareError(f"{key}: must be a table; write [{key}]")
    given = {key: table for key, table in own.items() if key not in ("base", "sources", "meta")}
    before = flat({key: table for key, table in base.items() if key not in ("sources", "meta")})
    differs = {key: value for key, value in flat(given).items() if before.get(key) != value}
    if not (differs or sources or about):
        return dict(base)
    merged = _merged(_without_other_access(base, given), given)
    kept = flat({key: table for key, table in merged.items() if key not in ("sources", "meta")})
    described = {"name": name}
    if differs:
        described |= {"description": f"{preset} but {_in_words(differs)}", "confidence": "uncalibrated"}
    return {
        **merged,
        "meta": {**base["meta"], **described, **about},
        "sources": {
            **{key: _inherited(source, preset) for key, source in base["sources"].items() if key in kept},
            **dict.fromkeys(differs, YOURS),
            **sources,
        },
    }


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of tables within tables by dotted key."""
    values: dict[str, Any] = {}
    for name, value in table.items():
        values |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return values


def as_toml(values: Mapping[str, Any], meta: Mapping[str, str], sources: Mapping[str, str]) -> str:
    """Return a description as a file that is complete by itself, from its values by dotted key."""
    tables = [_table("meta", meta.items()), *_tables(values), _table("sources", sources.items(), quoted=True)]
    return "\n".join(tables)


def as_toml_on_base(values: Mapping[str, Any], meta: Mapping[str, str], sources: Mapping[str, str]) -> str:
    """Return a preset as a file that has it as its base; sources are comments, as they are of its values."""
    about = _BASED.format(preset=meta["name"], description=meta["description"], key=next(iter(values)))
    return "\n".join([f'{about}base = "{meta["name"]}"\n', *_tables(values, sources)])


def _tables(values: Mapping[str, Any], sources: Mapping[str, str] | None = None) -> list[str]:
    tables: dict[str, list[tuple[str, Any, str]]] = {}
    for key, value in values.items():
        table, name = key.rsplit(".", 1)
        tables.setdefault(table, []).append((name, value, "" if sources is None else f"  # {sources[key]}"))
    return [
        "\n".join([f"[{table}]", *(f"{name} = {_value(value)}{said}" for name, value, said in lines), ""])
        for table, lines in tables.items()
    ]


def _table(name: str, items: Iterable[tuple[str, Any]], *, quoted: bool = False) -> str:
    lines = (f"{_value(key) if quoted else key} = {_value(value)}" for key, value in items)
    return "\n".join([f"[{name}]", *lines, ""])


def _value(value: Any) -> str:
    """Return a value in TOML, whose texts are written as those of JSON."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(map(repr, value))}]" if isinstance(value, tuple) else repr(value)


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in own.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merged(merged[name], value) if both else value
    return merged


def _without_other_access(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a base without what a memory has no use for, once its access is another one."""
    memories = own.get("memory")
    kept = dict(base["memory"])
    for name, memory in memories.items() if isinstance(memories, dict) else ():
        if isinstance(memory, dict) and name in kept and "access" in memory:
            others = set(sum(KEYS_OF_ACCESS.values(), ())) - set(KEYS_OF_ACCESS.get(memory["access"], ()))
            kept[name] = {key: value for key, value in kept[name].items() if key not in others}
    return {**base, "memory": kept}


def _in_words(differs: Mapping[str, Any]) -> str:
    named = [f"{key} {value}" for key, value in list(differs.items())[:_NAMED]]
    more = len(differs) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _inherited(source: str, preset: str) -> str:
    """Return a source that says of which preset it is."""
    return source if source.endswith(")") and " (of " in source else f"{source} (of {preset})"
