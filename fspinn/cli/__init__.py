"""What does a person type? One file per command; each parses, calls one function and prints.

Commands import what they need inside their functions, so that ``fspinn --help`` is quick.
"""

import sys

import click

from fspinn import __version__
from fspinn.cli import data, evaluate, search, train
from fspinn.errors import FspinnError


class OneLineErrors(click.Group):
    """A group whose commands answer bad input with one line on standard error and exit status 2."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except FspinnError as error:
            click.echo(f"fspinn: {error}", err=True)
            sys.exit(2)


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", package_name="fspinn")
def main() -> None:
    """Find the smallest spiking neural network that does your job on your device."""


for module in (data, train, evaluate, search):
    main.add_command(module.command)
