"""What does a person type? One file per command; each parses, calls one function and prints.

Every module here that has a `command` is found by itself. Commands import what they need in their functions,
so that ``fspinn --help`` is quick.
"""

import importlib
import pkgutil
import shlex
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from fspinn.base import streams
from fspinn.base.errors import FspinnError, FspinnWarning, UnfinishedError
from fspinn.base.version import __version__
from fspinn.cli import options, outcome


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
        with outcome.watched_streams():
            message, status = self._outcome(*args, **kwargs)
            if message is not None:
                streams.say(f"fspinn: {message}")
        outcome.leave(status)

    def _outcome(self, *args: Any, **kwargs: Any) -> tuple[str | None, int]:
        """Run a command; return the line to say, if any, and the exit status."""
        kwargs["standalone_mode"] = False
        try:
            with _warnings_in_one_line():
                status = super().main(*args, **kwargs)
        except UnfinishedError as error:
            return str(error), outcome.UNFINISHED
        except FspinnError as error:
            return str(error), outcome.BAD_INPUT
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            return None, error.exit_code
        except click.ClickException as error:
            hint = options.setting_hint(error, args[0] if args else kwargs.get("args"))
            if hint is not None:
                return hint, outcome.BAD_INPUT
            # click would add the usage and a hint, two to three lines more.
            command = getattr(getattr(error, "ctx", None), "command_path", "fspinn")
            message = error.format_message().rstrip(".").replace("\n", " ")
            return f"{message}; see `{command} --help`", error.exit_code
        except click.Abort:
            return "stopped", outcome.STOPPED
        except outcome.OutputError as error:
            return outcome.without_output(error)
        except OSError as error:
            if error.errno in outcome.DISK_FULL:
                return f"{error.filename or 'a file'}: {error.strerror}; free some space", outcome.BAD_INPUT
            return outcome.fault(error), outcome.FAULT
        except Exception as error:
            return outcome.fault(error), outcome.FAULT
        return None, status if isinstance(status, int) else outcome.DONE

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (BrokenPipeError, EOFError) as error:
            # Of processes that work for us; click would take it for standard output's, or for Ctrl-C.
            raise RuntimeError(f"{type(error).__name__} {error}".rstrip()) from error

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[options.TYPED] = shlex.join(["fspinn", *args])
        return super().parse_args(ctx, args)


@click.group("fspinn", cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", package_name="fspinn")
def main() -> None:
    """Find the smallest spiking neural network that does your job on your device.

    \b
    Exit status:
      0    done
      1    the answer is no, such as: no network meets the target
      2    bad input, or an output that cannot be written
      3    the search could not finish
      70   a fault of fspinn: one line says where its traceback is
      130  stopped by Ctrl-C
    """


for found in pkgutil.iter_modules(__path__):
    module = importlib.import_module(f"{__name__}.{found.name}")
    if hasattr(module, "command"):
        main.add_command(module.command)
