"""Options that several commands share, said once."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from fspinn.errors import ConfigError

Command = TypeVar("Command", bound=Callable[..., Any])


def _read_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"--config {path}: {error.strerror}; name a TOML file that can be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config {path}: not valid TOML ({error}); mend that line") from None
    known = {p.name for p in ctx.command.params if isinstance(p, click.Option) and p.name != "config"}
    for name in settings:
        if name not in known:
            raise ConfigError(
                f"--config {path}: {ctx.info_name} has no option {name!r}; use one of {', '.join(sorted(known))}"
            )
    ctx.default_map = settings


config = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="TOML file that gives any of these options by name; the command line wins.",
)

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output, all else on standard error."
)

seed = click.option("--seed", default=0, show_default=True, help="Seed of everything random.")


def dataset(command: Command) -> Command:
    """Add --dataset, --data-dir and --validation."""
    for option in reversed(
        [
            click.option(
                "--dataset",
                default="digits",
                show_default=True,
                help="digits, mnist, fashion-mnist, kmnist, or the path of your own images "
                "(see `fspinn data --help`).",
            ),
            click.option(
                "--data-dir",
                type=click.Path(path_type=Path),
                envvar="FSPINN_DATA_DIR",
                help="Folder that holds mnist/, fashion-mnist/, ...; also $FSPINN_DATA_DIR.",
            ),
            click.option(
                "--validation",
                type=click.IntRange(min=0),
                help="Training images held out for validation [default: every sixth].",
            ),
        ]
    ):
        command = option(command)
    return command


def print_json(result: dict[str, Any]) -> None:
    """Print one JSON object, the whole machine-readable answer of a command."""
    click.echo(json.dumps(result, allow_nan=False))
