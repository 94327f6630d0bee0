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
    known = {p.name for p in ctx.command.params if isinstance(p, click.Option) and p.expose_value}
    for name, value in settings.items():
        if name not in known:
            raise ConfigError(
                f"--config {path}: {ctx.info_name} has no option {name!r}; use one of "
                f"{', '.join(sorted(str(k) for k in known))}"
            )
        if isinstance(value, list):
            settings[name] = ",".join(str(item) for item in value)
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
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object on standard output, all else on standard error.",
)

seed = click.option("--seed", default=0, show_default=True, help="Seed of everything random.")

samples = click.option("--samples", type=click.IntRange(min=1), help="Use only the first images.")

threads = click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Threads [default: one per core]; results do not depend on it.",
)

readout = click.option(
    "--readout",
    type=click.Choice(["proportion", "majority"]),
    default="proportion",
    show_default=True,
    help="How spikes become a class.",
)

data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder that holds mnist/, fashion-mnist/, ... [default: $FSPINN_DATA_DIR, then the user's cache].",
)


def _all(*several: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(several):
            command = option(command)
        return command

    return decorate


dataset = _all(
    click.option(
        "--dataset",
        default="digits",
        show_default=True,
        help="digits, mnist, fashion-mnist, kmnist, or the path of your own images: see `fspinn data -h`.",
    ),
    data_dir,
    click.option(
        "--validation",
        type=click.IntRange(min=0),
        help="Training images held out for validation [default: a sixth].",
    ),
)

# The fields of `fspinn.Network`; a test compares the names and defaults.
search_network = _all(
    click.option("--dt-ms", default=1.0, show_default=True, help="Time step."),
    click.option("--duration-ms", default=350.0, show_default=True, help="How long an image is shown."),
    click.option(
        "--rate-norm-hz", default=570.0, show_default=True, help="Euclidean norm of the rates of all inputs."
    ),
    click.option("--tau-m-ms", default=100.0, show_default=True, help="Membrane time constant."),
    click.option(
        "--refractory-ms", default=0.0, show_default=True, help="No spike for this long after a spike."
    ),
    click.option("--threshold", default=20.0, show_default=True, help="Firing threshold, in weight norms."),
    click.option(
        "--inhibition",
        default=0.7,
        show_default=True,
        help="Part of the threshold that a spike takes from others.",
    ),
    click.option("--window-ms", type=float, help="Learning window [default: the whole presentation]."),
    click.option(
        "--spike-threshold", type=int, help="Spikes per unit of the potentiation factor k [default: k = 1]."
    ),
    click.option("--learning-rate", default=0.1, show_default=True, help="Learning rate at the start."),
    click.option("--learning-rate-end", default=0.001, show_default=True, help="Learning rate at the end."),
    click.option(
        "--theta-step", default=1.0, show_default=True, help="Threshold step at the start, in weight norms."
    ),
    click.option("--theta-step-end", default=0.0, show_default=True, help="Threshold step at the end."),
    click.option(
        "--weight-norm", type=float, help="Norm of each neuron's weights [default: fits them into 0 to 1]."
    ),
)

network = _all(
    click.option("--neurons", default=400, show_default=True, help="Number of neurons."), search_network
)


def names(text: str) -> list[str]:
    """Split a list such as ``UQ0.2,UQ0.4``."""
    return [part.strip() for part in text.split(",") if part.strip()]


def whole_numbers(option: str, text: str) -> list[int]:
    """Split a list such as ``50,100,200``; a part that is no whole number is refused."""
    try:
        return [int(part) for part in names(text)]
    except ValueError:
        raise ConfigError(
            f"{option}: {text!r} is no list of whole numbers; write it like 50,100,200"
        ) from None


def check_writable(path: Path) -> None:
    """Refuse an output file whose folder is not there, before the work and not after it."""
    if not path.parent.is_dir():
        raise ConfigError(f"--output {path}: there is no folder {path.parent}; make it first")


def print_json(result: dict[str, Any]) -> None:
    """Print one JSON object, the whole machine-readable answer of a command."""
    click.echo(json.dumps(result, allow_nan=False))
