"""fspinn info: what is in a model file, and what can be set?"""

from dataclasses import asdict
from pathlib import Path

import click

from fspinn.base.errors import ConfigError
from fspinn.base.settings import reference
from fspinn.cli import options
from fspinn.presets import Preset


@click.command(
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
    rows = reference(Preset)
    lines = []
    for row in rows:
        unit = f" {row.unit}" if row.unit else ""
        needs = f" [only with {row.belongs_to}]" if row.belongs_to else ""
        lines.append(f"{row.name} = {row.default}{unit}{needs}")
        lines.append(f"    {row.help} Allowed: {row.allowed}. Source: {row.source}.")
    options.answer(as_json, {"settings": [asdict(row) for row in rows]}, *lines)
