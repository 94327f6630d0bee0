"""What does a person type? One file per command; each parses, calls one function and prints.

Commands import what they need inside their functions, so that ``fspinn --help`` is quick.
"""

import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from fspinn import __version__
from fspinn.cli import (
    data,
    estimate,
    evaluate,
    export,
    hardware,
    info,
    options,
    plot,
    predict,
    quantize,
    report,
    search,
    train,
    tune,
)
from fspinn.errors import FspinnError, FspinnWarning


@contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Show fspinn's own warnings as it shows errors, and others as ever."""
    with warnings.catch_warnings():
        shown = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, FspinnWarning):
                click.echo(f"fspinn: warning: {message}", err=True)
            else:
                shown(message, category, *where, **more)

        warnings.showwarning = show
        yield


class OneLineErrors(click.Group):
    """A group whose commands answer bad input with one line on standard error and exit status 2."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        kwargs["standalone_mode"] = False
        try:
            with _warnings_in_one_line():
                status = super().main(*args, **kwargs)
        except FspinnError as error:
            click.echo(f"fspinn: {error}", err=True)
            sys.exit(2)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            # click would add the usage and a hint, two to three lines more.
            command = getattr(getattr(error, "ctx", None), "command_path", "fspinn")
            message = error.format_message().rstrip(".").replace("\n", " ")
            click.echo(f"fspinn: {message}; see `{command} --help`", err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            click.echo("fspinn: stopped", err=True)
            sys.exit(130)
        sys.exit(status if isinstance(status, int) else 0)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[options.TYPED] = shlex.join(["fspinn", *args])
        return super().parse_args(ctx, args)


@click.group("fspinn", cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", package_name="fspinn")
def main() -> None:
    """Find the smallest spiking neural network that does your job on your device."""


_COMMANDS = (
    search,
    train,
    tune,
    evaluate,
    predict,
    plot,
    quantize,
    export,
    estimate,
    info,
    report,
    data,
    hardware,
)
for module in _COMMANDS:
    main.add_command(module.command)
