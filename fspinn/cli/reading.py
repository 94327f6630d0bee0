"""How is a data set to be read? Options of all commands that read one; `fspinn data info` explains them."""

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fspinn.base.errors import ConfigError

if TYPE_CHECKING:
    from fspinn.datasets import Reading

Command = TypeVar("Command", bound=Callable[..., Any])

_READING = "fspinn.reading"

NO_FEATURES = "none"
"""Stands for no names."""


def _note_reading(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    if value not in (None, False):
        if option.name in ("resize", "shape"):
            value = _size(f"--{option.name}", value)
        if option.name == "features":
            value = _names(value)
        ctx.meta.setdefault(_READING, {})[option.name] = value


def _size(option: str, text: str) -> tuple[int, ...]:
    try:
        sides = tuple(int(side) for side in text.lower().split("x"))
    except ValueError:
        raise ConfigError(f"{option}: {text!r} is not height and width; write it like 28x28") from None
    return sides * 2 if len(sides) == 1 else sides


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise ConfigError(f"--features: {text!r} is not a list of names; write it like age,weight, or none")
    return () if names == (NO_FEATURES,) else names


def asked() -> "Reading":
    """Return what was typed of how files are to be read."""
    from fspinn.datasets import Reading

    return Reading(**click.get_current_context().meta.get(_READING, {}))


def options(*, hidden: bool = True) -> Callable[[Command], Command]:
    """Return the options that say how files are to be read: in the help of `fspinn data info` only."""

    def option(name: str, help: str, **more: Any) -> Callable[[Command], Command]:
        return click.option(
            name, help=help, hidden=hidden, expose_value=False, callback=_note_reading, **more
        )

    several = (
        option("--resize", "Bring all images to this height and width, such as 32x32."),
        option("--grey", "Make colours grey.", is_flag=True),
        option("--length", "Cut or pad signals to so many values.", type=click.IntRange(min=1)),
        option("--label", "Column of a CSV file that names the class [default: label]."),
        option("--shape", "The rows of a CSV file are images, such as 28x28 or 32x32x3."),
        option(
            "--features",
            "Numbers beside the samples that the readout listens to, such as age,weight, or none "
            "[default: all of an .npz file, no column of a CSV file].",
        ),
    )
    return lambda command: reduce(lambda decorated, one: one(decorated), reversed(several), command)
