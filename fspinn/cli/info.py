"""fspinn info: what is in a model file?"""

from pathlib import Path

import click

from fspinn.cli import options


@click.command(
    "info",
    epilog="""\b
Examples:
  fspinn info net.h5
  fspinn info net.h5 --equations
  fspinn info net.h5 --json

The equations are those that Brian2 integrates with --engine brian2; the fast engine does the same.
""",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--equations", is_flag=True, help="Show the equations of this very network, as Brian2 sees them."
)
@options.as_json
def command(model: Path, equations: bool, as_json: bool) -> None:
    """Say what is in MODEL: network, readout, number formats, how it was trained, how good it is."""
    from fspinn import load
    from fspinn.answering import describe as description

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
