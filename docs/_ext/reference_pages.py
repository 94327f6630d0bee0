"""Reference pages: settings, commands, hardware files and space files."""

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

import click
from pages import markdown, parameters, run, table


def settings() -> Iterator[str]:
    """All settings of network and learner."""
    yield "# Settings\n"
    yield "What `fspinn info --settings` lists: every setting of a network, of a learner and of the"
    yield "readout, by the name that `--set name=value`, `--config` files, presets, model files and"
    yield "search spaces use. Of the second layer it is `layers.2.name`. Equations stand"
    yield "[by mechanism](equations.md).\n"
    rows = json.loads(run(("info", "--settings", "--json")))["settings"]
    groups: dict[str, list[Any]] = {}
    for row in rows:
        groups.setdefault(row["belongs_to"] or "", []).append(row)
    for needs, several in groups.items():
        yield f"## Only with {needs}\n" if needs else "## Always\n"
        cells = []
        for row in several:
            also = "; ".join(f"{value} {start}" for start, value in row["other_defaults"].items())
            default = row["default"] + (f"; {also}" if also else "")
            cells.append(
                (f"`{row['name']}`", row["help"], default, row["unit"], row["allowed"], row["source"])
            )
        yield from table(("name", "what it is", "default", "unit", "allowed", "source of the default"), cells)


def commands() -> Iterator[str]:
    """All commands with all of their options."""
    from fspinn.cli import main

    yield "# Commands\n"
    yield 'What `fspinn COMMAND --help` says. Exit status 0 is done, 1 is "the answer is no", 2 is bad'
    yield "input, 3 a search that could not finish, 70 a fault of fspinn, 130 Ctrl-C.\n"
    yield from _command(main, "fspinn", 1)


def _command(command: click.Command, path: str, depth: int) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    if depth > 1:
        yield f"{'#' * min(depth, 3)} {path}\n"
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"```text\n{path} {usage}\n```\n"
        for block in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
            as_it_is = block.startswith("\b")  # click does not wrap these either
            yield f"```text\n{block[1:].strip(chr(10))}\n```\n" if as_it_is else f"{block}\n"
        rows = []
        for option in command.get_params(context):
            if isinstance(option, click.Option) and "--help" not in option.opts:
                option.hidden = False
                names, help = option.get_help_record(context) or ("", "")
                rows.append((f"`{names}`", help))
        if rows:
            yield from table(("option", "what it does"), rows)
        if command.epilog:
            yield f"```text\n{inspect.cleandoc(command.epilog.replace(chr(8), ''))}\n```\n"
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _command(inner, f"{path} {name}", depth + 1)


def hardware() -> Iterator[str]:
    """Presets of hardware, and the keys of a description."""
    from fspinn.memmodel import Hardware, hardware_names, load_hardware
    from fspinn.memmodel.names import ALIASES

    yield "# Hardware files\n"
    yield "Presets, as `fspinn hardware list` names them; `fspinn hardware show NAME` prints every number"
    yield "with its source.\n"
    rows = [
        (
            f"`{name}`",
            ", ".join(f"`{alias}`" for alias in ALIASES.get(name, ())),
            meta.description,
            meta.confidence,
        )
        for name in hardware_names()
        for meta in [load_hardware(name).meta]
    ]
    yield from table(("name", "also", "what it is", "how far to trust it"), rows)
    yield "## Keys of a TOML file\n"
    yield "A table for each heading; [your own hardware](../how-to/hardware.md) shows one. With `base`,"
    yield "the name of a preset, only what differs is needed. Without it every value but those of `meta` has"
    yield 'a line in `[sources]`, by its dotted key: `"clock.f_mhz" = "data sheet, table 3"`.\n'
    yield from _tables_of(Hardware, "")


def _tables_of(cls: type[Any], prefix: str) -> Iterator[str]:
    hints = get_type_hints(cls, include_extras=True)
    optional = {each.name for each in fields(cls) if each.default is not MISSING}
    rows = []
    inner = []
    for name, hint in hints.items():
        kinds = (
            [hint]
            if get_origin(hint) is not None and hasattr(hint, "__metadata__")
            else [hint, *get_args(hint)]
        )
        described = next((one for one in kinds if is_dataclass(one)), None)
        if described is not None:
            inner.append((name, described))
        elif name != "sources":
            default = next(each.default for each in fields(cls) if each.name == name)
            there = "needed" if name not in optional else "none" if default is None else f"{default}"
            rows.append((f"`{name}`", _limits(hint), there))
    if rows:
        yield markdown(cls.__doc__, title=True) + "\n"
        yield from table(("key", "allowed", "if it is left out"), rows)
    for name, described in inner:
        needed = "" if name in optional or prefix else " (needed)"
        yield f"### `[{prefix}{name}]`{needed}\n"
        yield from _tables_of(described, f"{prefix}{name}.")


def _limits(hint: Any) -> str:
    for one in (hint, *get_args(hint)):
        if get_origin(one) is tuple:
            return f"list of numbers, each {_limits(get_args(one)[0])}"
        if hasattr(one, "__metadata__"):
            kind, limits = get_args(one)
            if hasattr(limits, "low"):
                noun = "whole number" if kind is int else "number"
                return f"{noun}, {limits.low:,.10g} to {limits.high:,.10g}"
            return _words(limits)
    return "text"


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def spaces() -> Iterator[str]:
    """What a space of a search may say."""
    from fspinn.search import candidates, space

    yield "# Space files\n"
    yield markdown(space.__doc__, title=True) + "\n"
    yield "Give the file to `fspinn search --space`. What is not named keeps its default.\n"
    yield "## What is made of a trained network\n"
    yield markdown((candidates.Variant.__doc__ or "").partition("\nParameters")[0], title=True) + "\n"
    defaults = {each.name: each.default for each in fields(candidates.Variant)}
    rows = [
        (f"`{name}`", words, "none" if defaults[name] is None else str(defaults[name]))
        for name, words in parameters(candidates.Variant).items()
    ]
    yield from table(("name", "what it is", "default"), rows)
    yield "## What is trained\n"
    yield "Any [setting](settings.md) of network and learner but `weight_norm`:\n"
    yield ", ".join(f"`{name}`" for name in space.TRAINING_SETTINGS) + ".\n"
    yield "A range has `low` and `high`, and may have `step` or `log = true`; its numbers are"
    yield "whole if these are."
    yield f"There may be {space.MOST:,} combinations of listed values.\n"
