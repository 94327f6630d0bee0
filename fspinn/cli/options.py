"""Options that several commands share, said once."""

import json
import os
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import reduce, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fspinn import presets
from fspinn.base import files
from fspinn.base.checks import checked_seed
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.settings import bare, flattened, near_miss, parsed, reference, with_settings
from fspinn.cli import reading, sections, time_steps
from fspinn.network.inputs import Events
from fspinn.network.layers import tau_m_ms_of
from fspinn.network.learners import StdpLabels
from fspinn.presets import Preset
from fspinn.quant.formats import check_format, check_rounding

if TYPE_CHECKING:
    from fspinn.datasets import Recordings
    from fspinn.model import Model

TYPED = "fspinn.typed"
"""Where the context of a command keeps the words that were typed."""

Command = TypeVar("Command", bound=Callable[..., Any])


class Output(click.Path):
    """The path of an option that is written: what cannot be is refused before any work.

    `check` raises `ConfigError` for such a path; `inside` is what is written in there if it is a folder.
    """

    def __init__(self, check: Callable[[Path], None], inside: Sequence[str] = ()) -> None:
        super().__init__(path_type=Path)
        self._check, self._inside = check, inside

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, if it can be written."""
        option = "--output" if param is None else param.opts[-1]
        if not os.fspath(value):
            raise ConfigError(f"{option}: is empty; name a file or folder to write")
        path = Path(value)
        try:
            self._check(path)
            for name in self._inside:
                if os.path.lexists(path / name):
                    files.check_file(path / name)
        except ConfigError as error:
            raise ConfigError(f"{option} {error}") from None
        return path


class NumberFormat(click.ParamType):  # type: ignore[type-arg]
    """A number format, or several: what is none is refused before any work.

    Parameters are those of `fspinn.quant.formats.check_format`.
    """

    name = "format"

    def __init__(self, *, several: bool = False, or_bits: bool = False, words: tuple[str, ...] = ()) -> None:
        self._several, self._or_bits, self._words = several, or_bits, words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is, if it is a format."""
        option = "format" if param is None else sections.long_name(param)
        for text in names(value) if self._several else [value]:
            check_format(option, text, or_bits=self._or_bits, words=self._words)
        return str(value)


def read_rounding(_context: click.Context, _option: click.Parameter, rounding: str) -> str:
    """Return the name of a rounding, if there is such a one."""
    try:
        check_rounding(rounding)
    except FormatError as error:
        raise ConfigError(f"--rounding: {error}") from None
    return rounding


def check_picture(path: Path) -> None:
    """Refuse a picture that cannot be written, or has no ending that says how."""
    from fspinn.report.plots import saving

    saving.check_format(path)
    files.check_file(path)


def _read_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    try:
        given = flattened(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"--config {path}: {error.strerror}; name a TOML file that can be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config {path}: not valid TOML ({error}); fix that line") from None
    settings = {row.name for row in reference(Preset)}
    typed = [
        p for p in ctx.command.params if isinstance(p, click.Option) and not p.is_eager and not p.multiple
    ]
    options = {sections.long_name(option).removeprefix("--").replace("-", "_"): option for option in typed}
    of_options: dict[str, Any] = {}
    of_settings: dict[str, Any] = {}
    for word, value in given.items():
        name = word.replace("-", "_")
        if name in of_options or name in of_settings:
            raise ConfigError(f"--config {path}: {word} is given twice; leave one out")
        if bare(name) in settings:
            of_settings[name] = value
            continue
        if name not in options:
            near = near_miss(word, (*options, *settings))
            raise ConfigError(
                f"--config {path}: unknown name {near}`fspinn {ctx.info_name} --help-all` lists options, "
                "`fspinn info --settings` settings"
            )
        if isinstance(value, list):
            value = ",".join(str(item) for item in value)
        elif not (isinstance(value, bool) and options[name].is_flag):
            value = str(value)  # read as if typed: 1.5 and true are not whole numbers
        of_options[name] = value
    named = {str(options[name].name): value for name, value in of_options.items()}
    ctx.default_map = {**(ctx.default_map or {}), **named}
    ctx.meta[_FROM_FILE] = path, of_settings


def _read_preset(ctx: click.Context, _: click.Parameter, name: str | None) -> None:
    if name is None:
        return
    ctx.meta[_PRESET] = presets.load(name)
    ctx.default_map = {"dataset": presets.dataset_of(name), **(ctx.default_map or {})}


def read_start(ctx: click.Context, _: click.Parameter, path: Path | None) -> "Model | None":
    """Return the model that labels tune; its network, learner and data set are where options start from."""
    from fspinn import load

    if path is None:
        return None
    if _PRESET in ctx.meta:
        raise ConfigError("--start: brings a network of its own; leave --preset out")
    model = load(path)
    ctx.meta[START] = path
    ctx.meta[_PRESET] = Preset(model.network, model.learner, model.readout.name)
    ctx.meta[_PRESET] = with_settings(ctx.meta[_PRESET], {"learner": StdpLabels.kind})
    origin = model.record.get("dataset", {})
    ctx.default_map = {"dataset": origin.get("name"), **(ctx.default_map or {})}
    return model


def _read_settings(ctx: click.Context, _: click.Parameter, words: tuple[str, ...]) -> dict[str, Any]:
    given = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not (name and equals):
            raise ConfigError(f"--set {word}: is not name=value; write it like --set threshold=25")
        if name in given:
            raise ConfigError(f"--set {name}: is given twice; leave one out")
        given[name] = parsed(Preset, name, text)
    return given


_PRESET, _FROM_FILE = "fspinn.preset", "fspinn.config"
START = "start"
"""Where the path of `--start` is in the context."""

preset = click.option(
    "--preset",
    is_eager=True,
    expose_value=False,
    callback=_read_preset,
    help="Tuned settings and their data set, such as mnist-400; --config and other options win.",
)

config = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="TOML file that gives options and settings by name; the command line wins.",
)

settings = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_read_settings,
    help="A setting of network or learner, such as threshold=25, again for each: `fspinn info --settings`.",
)

as_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object on standard output, all else on standard error.",
)


def seed_of(what: str) -> Callable[[Command], Command]:
    """Return the option `--seed`, of what it says."""
    return click.option(
        "--seed",
        type=int,
        default=0,
        show_default=True,
        callback=lambda _context, _option, seed: checked_seed(seed),
        help=f"Seed of {what}, from 0 to 2^64 - 1.",
    )


seed = seed_of("everything random")

samples = click.option("--samples", type=click.IntRange(min=1), help="Use only the first images.")

threads = click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Threads that answer images [default: one per core]; results do not depend on it.",
)

engine = click.option(
    "--engine",
    type=click.Choice(["numba", "brian2"]),
    default="numba",
    show_default=True,
    help="Who runs the network; brian2 is the reference, hundreds of times slower.",
)

neurons = click.option(
    "--neurons",
    type=int,
    help="Number of neurons [default: 400; 16 with a field or by stdp+labels; 200 by surrogate and hybrid; "
    "or the preset's].",
)


def all_of(*several: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return options as one."""
    return lambda command: reduce(lambda decorated, option: option(decorated), reversed(several), command)


learner = click.option(
    "--learner",
    "learner_kind",
    help="Who fills the layers: stdp, stdp+labels, surrogate or hybrid [default: stdp, or the preset's].",
)

gradients = all_of(
    click.option(
        "--surrogate",
        help="What stands for the derivative of a spike, by surrogate and hybrid [default: atan].",
    ),
    click.option(
        "--beta",
        "kept",
        type=float,
        help="Part of a potential that stays in a time step: tau_m_ms = -dt_ms / ln(beta), in all layers "
        "[default: that of tau_m_ms, see `fspinn info --settings`].",
    ),
)

columns = all_of(
    click.option(
        "--field",
        help="What a neuron sees, such as 5 or 5x7 pixels; it slides over the image [default: all of "
        "it; 5 by stdp+labels].",
    ),
    click.option("--cells", help="Grid in which spikes are counted with a field, such as 3 [default: 3]."),
)

passes = click.option(
    "--passes",
    type=int,
    help="How often each image is shown "
    "[default: 100 presentations per neuron; 12 times by surrogate, 2 by hybrid].",
)

labels = click.option(
    "--labels",
    type=click.IntRange(min=1),
    help="Labelled training images [default: all]. The readout is fitted on these; surrogate and hybrid "
    "learn from these alone, stdp+labels is tuned on these, and stdp learns from all images.",
)

readout = click.option(
    "--readout",
    type=click.Choice(["proportion", "majority", "linear"]),
    help="How spikes become a class [default: proportion; linear with a field or by another "
    "learner than stdp; or the preset's].",
)

class_weight = click.option(
    "--class-weight",
    type=click.Choice(["balanced"]),
    help="Fit the readout linear as if all classes had as many labels; the other readouts do so anyway.",
)

reject = click.option(
    "--reject",
    type=float,
    default=0.0,
    show_default=True,
    metavar="MARGIN",
    help="Answer none where the best class leads by less, in the scores of this model's readout.",
)

data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder that holds mnist/, fashion-mnist/, ... [default: $FSPINN_DATA_DIR, then the user's cache].",
)


work = all_of(seed, samples, threads, config, as_json)
"""How the work is done and answered; these come last."""

dataset = all_of(
    click.option(
        "--dataset",
        default="digits",
        show_default=True,
        help="digits, mnist, fashion-mnist, kmnist, svhn, or the path of your samples: see `fspinn data -h`.",
    ),
    data_dir,
    click.option(
        "--validation",
        type=click.IntRange(min=0),
        help="Training images held out for validation [default: a sixth].",
    ),
    reading.options(),
)


def _anything_goes(_preset: Preset, **_options: Any) -> None:
    """Refuse nothing."""


def with_preset_and_data(
    command: Callable[..., None], check: Callable[..., None] = _anything_goes
) -> Callable[..., None]:
    """Call a command with `preset` and `data` instead of the options that describe them.

    `check` is called with the preset and all other options before any data are read.
    """

    @wraps(command)
    def prepared(
        *,
        dataset: str,
        data_dir: Path | None,
        validation: int | None,
        samples: int | None,
        seed: int,
        settings: dict[str, Any],
        neurons: int | None = None,
        passes: int | None = None,
        field: str | None = None,
        cells: str | None = None,
        readout: str | None = None,
        learner_kind: str | None = None,
        kept: float | None = None,
        **others: Any,
    ) -> None:
        from fspinn.backends import engine_of
        from fspinn.datasets import Recordings, load

        sizes = {"field": field, "cells": cells}
        named = {"learner": learner_kind, "neurons": neurons, "passes": passes, "readout": readout}
        alone = names(others["learner"]) if others.get("learner") else []
        if len(alone) == 1 and settings:
            named["learner"] = alone[0]  # whose settings these are
        if "kept" in click.get_current_context().params:  # else these are the axes of a sweep
            named["surrogate"] = others.pop("surrogate")
        typed = {name: value for name, value in named.items() if value is not None}
        typed |= {name: parsed(Preset, name, text) for name, text in sizes.items() if text is not None}
        for name in settings:
            if name in typed:
                raise ConfigError(f"{name}: is given by --{name} and by --set; leave one out")
            if name == "neurons" and "sizes" in others:
                raise ConfigError("neurons: a search chooses them; write --sizes, not --set")
        given = settings | typed
        chosen = _chosen(click.get_current_context(), given)  # refused, if need be, before images are fetched
        if kept is not None:
            given |= _leaking(chosen, kept, given)
            chosen = _chosen(click.get_current_context(), given)
        engine_of(others.get("engine", "numba"), others.get("threads"))
        check(chosen, seed=seed, **others)
        data = load(dataset, data_dir=data_dir, validation=validation, seed=seed, reading=reading.asked())
        if samples is not None:
            data = replace(data, train=data.train.first(samples))
        if isinstance(data.train.images, Recordings):
            chosen = _binned(click.get_current_context(), chosen, given, data.train.images, others)
        command(preset=chosen, data=data, seed=seed, **others)

    return prepared


def _leaking(chosen: Preset, beta: float, given: dict[str, Any]) -> dict[str, Any]:
    """Return the time constants of all layers that keep a part of their potentials in a time step."""
    several = range(2, len(chosen.network.layers) + 1)
    names = ["tau_m_ms", *(f"layers.{number}.tau_m_ms" for number in several)]
    for name in names:
        if name in given:
            raise ConfigError(f"{name}: is given by --beta and by --set; leave one out")
    return dict.fromkeys(names, tau_m_ms_of(beta, chosen.network.dt_ms))


def setting_hint(error: click.ClickException, words: Sequence[str] | None) -> str | None:
    """Return how to set what was taken for an option; None where it is not a setting, or nothing is set."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return None
    if not any(option.name == "settings" for option in error.ctx.command.params):
        return None
    option, name = error.option_name, error.option_name.lstrip("-").replace("-", "_")
    known = {row.name for row in reference(Preset)}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        return f"No such option {option!r}; did you mean --set {near[0]}=VALUE?" if near else None
    if name == "neurons":
        return f"{option}: a search chooses them; write --sizes"
    words = list(sys.argv[1:] if words is None else words)
    after = words[words.index(option) + 1 :][:1] if option in words else []
    return f"{option}: is a setting; write --set {name}={after[0] if after else 'VALUE'}"


def _chosen(ctx: click.Context, given: dict[str, Any]) -> Preset:
    """Return what is trained: the preset, changed by the file, then by the command line."""
    path, in_file = ctx.meta.get(_FROM_FILE, (None, {}))
    chosen: Preset = ctx.meta.get(_PRESET) or presets.start_of(in_file | given)
    if chosen.network.layers[0].field is None and given.get("field") is not None:
        raise ConfigError("field: the preset is of neurons that see the whole image; leave --preset out")
    try:
        chosen = with_settings(chosen, in_file)
    except ConfigError as error:
        raise ConfigError(f"--config {path}: {error}") from None
    return with_settings(chosen, given)


def _binned(
    ctx: click.Context,
    chosen: Preset,
    given: dict[str, Any],
    recordings: "Recordings",
    others: dict[str, Any],
) -> Preset:
    """Return what is trained on recordings of events: with time steps that suit them, if none are given."""
    typed = {bare(name) for name in (*given, *ctx.meta.get(_FROM_FILE, (None, {}))[1])}
    images = "encoder" in typed and chosen.network.encoder.kind != Events.kind
    if images or _PRESET in ctx.meta:
        return chosen
    if "field" not in typed and others.get("sizes", True) is None and others["space"] is None:
        chosen = _chosen(ctx, {**given, "field": time_steps.FIELD})  # what a search looks at
    if {"dt_ms", "duration_ms"} & typed:
        return with_settings(chosen, {"encoder": Events.kind})
    return with_settings(chosen, time_steps.settings_for(recordings))


def names(text: str) -> list[str]:
    """Split a list such as ``UQ0.2,UQ0.4``."""
    return [part.strip() for part in text.split(",") if part.strip()]


def read_names(_context: click.Context, _option: click.Parameter, text: str | None) -> list[str] | None:
    """Return the parts of an option that is a list."""
    return None if text is None else names(text)


def read_whole_numbers(
    _context: click.Context, option: click.Parameter, text: str | None
) -> list[int] | None:
    """Return an option such as ``50,100,200``; a part that is not a whole number is refused."""
    if text is None:
        return None
    try:
        numbers = [int(part) for part in names(text)]
    except ValueError:
        numbers = []
    if not numbers:
        raise ConfigError(
            f"{sections.long_name(option)}: {text!r} is not a list of whole numbers; write it like 50,100,200"
        )
    return numbers


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of words in columns."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_json(result: dict[str, Any]) -> None:
    """Print one JSON object, the whole machine-readable answer of a command."""
    click.echo(json.dumps(result, allow_nan=False))


def answer(as_json: bool, result: dict[str, Any], *lines: str) -> None:
    """Print what a command answers: one JSON object, or lines for people."""
    if as_json:
        print_json(result)
    else:
        click.echo("\n".join(lines))
