"""fspinn info: what is in a model file, and what can be set?"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from fspinn.base.errors import ConfigError
from fspinn.base.settings import members, other_defaults, reference, with_settings
from fspinn.cli import options, sections
from fspinn.network.learners import Learner
from fspinn.network.rules import Stdp
from fspinn.presets import Preset, start_of


@sections.as_command(
    "info",
    epilog="""\b
Examples:
  fspinn info net.h5
  fspinn info net.h5 --equations
  fspinn info net.h5 --json
  fspinn info --settings

The equations are those that Brian2 integrates with --engine brian2; the fast engine does the same.
""",
)
@click.argument("model", type=click.Path(path_type=Path), required=False)
@click.option("--settings", is_flag=True, help="List all settings of network and learner instead.")
@click.option(
    "--equations", is_flag=True, help="Show the equations of this very network, as Brian2 sees them."
)
@options.as_json
def command(model: Path | None, settings: bool, equations: bool, as_json: bool) -> None:
    """Say what is in MODEL: network, readout, number formats, how it was trained, how good it is."""
    from fspinn import load
    from fspinn.answering import describe as description

    if (model is None) != settings:
        raise ConfigError("MODEL: name a model file, or give --settings; one of the two")
    if model is None:
        _print_settings(as_json)
        return

    loaded = load(model)
    shown = description.equations(loaded) if equations else {}
    if as_json:
        more = {"equations": shown} if equations else {}
        options.print_json({"model": str(model), **description.as_values(loaded), **more})
        return
    if not equations:
        options.print_table(list(description.in_words(loaded).items()))
    for state, lines in shown.items():
        click.echo(f"--- {state} ---\n{lines}\n")


def _print_settings(as_json: bool) -> None:
    """Print all settings, and those defaults that a field or another learner than stdp brings."""
    given: dict[str, dict[str, Any]] = {"with a field": {"field": (5, 5)}}
    given |= {f"by {kind}": {"learner": kind} for kind in members(Learner) if kind != Stdp.kind}
    starts = {name: with_settings(start_of(settings), settings) for name, settings in given.items()}
    rows = reference(Preset)
    lines, plain = [], []
    for row in rows:
        others = other_defaults(row, {n: start for n, start in starts.items() if row.name not in given[n]})
        plain.append({**asdict(row), "other_defaults": others})
        by_value: dict[str, list[str]] = {}
        for start, default in others.items():
            by_value.setdefault(default, []).append(start)
        also = "".join(f"; {default} {' and '.join(several)}" for default, several in by_value.items())
        unit = f" {row.unit}" if row.unit else ""
        needs = f" [only with {row.belongs_to}]" if row.belongs_to else ""
        lines.append(f"{row.name} = {row.default}{unit}{also}{needs}")
        lines.append(f"    {row.help} Allowed: {row.allowed}. Source: {row.source}.")
    options.answer(as_json, {"settings": plain}, *lines)
