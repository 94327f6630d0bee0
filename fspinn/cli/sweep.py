"""fspinn sweep: accuracy, spikes and latency over leak and threshold, or over penalties on activity."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fspinn.base.checks import number
from fspinn.base.errors import ConfigError
from fspinn.base.files import check_folder
from fspinn.cli import options, sections
from fspinn.presets import Preset

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.search.swept import SweepPoint

_FILES = ("sweep.json", "sweep.csv", "heat-maps.png", "front.png", "journal.jsonl")

MOST_VALUES = 100
"""Values of a range."""


def values(option: str, text: str) -> list[float]:
    """Return the numbers that a list (``a,b,c``) or a range (``low:high:count``) stands for.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    refused = ConfigError(
        f"{option}: {text!r} is neither a list nor a rising range of 2 to {MOST_VALUES} values; write it "
        "like 0.5,0.9 or 0.25:0.95:8"
    )
    low, *others = text.split(":")
    try:
        if not others:
            found = [number(option, float(part)) for part in options.names(text)]
        else:
            high, many = others
            ends, count = (number(option, float(low)), number(option, float(high))), int(many)
            if not 2 <= count <= MOST_VALUES or ends[0] >= ends[1]:
                raise refused
            step = (ends[1] - ends[0]) / (count - 1)
            found = [float(f"{ends[0] + k * step:.6g}") for k in range(count)]
    except ValueError:
        raise refused from None
    if not found:
        raise refused
    return found


def _numbers(_: click.Context, option: click.Parameter, text: str | None) -> list[float] | None:
    return None if text is None else values(option.opts[-1], text)


def _widths(_: click.Context, option: click.Parameter, text: str | None) -> list[float | None] | None:
    """Return widths of surrogates; ``default`` is that of the library."""
    if text is None:
        return None
    parts = options.names(text)
    named = [part for part in parts if part != "default"]
    numbers = iter(values(option.opts[-1], ",".join(named)) if named or not parts else [])
    return [None if part == "default" else next(numbers) for part in parts]


def _check(
    preset: Preset, *, hardware: str, surrogate: str | None, penalty: str | None, **others: Any
) -> None:
    """Refuse what makes no sense whatever the data are."""
    from fspinn.learning.surrogate import check_installed
    from fspinn.memmodel import load_hardware

    axes = [others[name] for name in ("surrogate_width", "penalty_strength", "beta", "threshold")]
    if all(axis is None for axis in (surrogate, penalty, *axes)):
        raise ConfigError("sweep: nothing varies; give --beta or --threshold, such as --threshold 10:30:3")
    load_hardware(hardware)
    check_installed(preset.learner)


@sections.as_command(
    "sweep",
    usual=(
        *("--dataset", "--neurons", "--field", "--learner", "--beta", "--threshold"),
        *("--penalty", "--penalty-strength", "--seeds", "--workers", "--set", "--output"),
        *("--overwrite", "--json"),
    ),
    epilog="""\b
Examples:
  fspinn sweep --neurons 50 --beta 0.9:1:3 --threshold 10:30:3
  fspinn sweep --dataset mnist --learner surrogate --neurons 200 --workers 2 --surrogate fast_sigmoid,atan \\
    --surrogate-width default,0.64 --beta 0.25:0.95:8 --threshold 0.5:2:7
  fspinn sweep --dataset mnist --learner surrogate --penalty l1,l2 --penalty-strength 0.3,1,3,10

Values are a list (a,b,c) or a range (low:high:count, both ends included, up to 100 values).
The same command goes on where it was stopped or killed: what was trained is in the folder.
Without --overwrite, another sweep is not replaced.
""",
)
@options.dataset
@options.neurons
@options.columns
@options.learner
@click.option(
    "--beta", callback=_numbers, help="Parts of a potential that stay in a time step, such as 0.25:0.95:8."
)
@click.option("--threshold", callback=_numbers, help="Thresholds, such as 0.5:2:7.")
@click.option("--surrogate", help="Surrogates, such as fast_sigmoid,atan; with --learner surrogate.")
@click.option(
    "--surrogate-width",
    callback=_widths,
    help="Their widths in thresholds, such as default,0.64; default is snnTorch's.",
)
@click.option("--penalty", help="What activity costs, such as l1,synops; with --learner surrogate.")
@click.option("--penalty-strength", callback=_numbers, help="How much, such as 0.3,1,3,10.")
@click.option(
    "--hardware",
    default="fpga-kintex7-event",
    show_default=True,
    help="Preset or TOML file that latency and images per joule are of.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Trainings of each setting, with seeds from --seed on.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Networks trained at the same time [default: 1].")
@click.option("--scheduler", help="Dask scheduler to work on, such as tcp://127.0.0.1:8786.")
@click.option(
    "-o",
    "--output",
    type=options.Output(check_folder, _FILES),
    default=Path("sweep"),
    show_default=True,
    help=f"Folder for {', '.join(_FILES[:-1])} and {_FILES[-1]}.",
)
@click.option("--overwrite", is_flag=True, help="Replace another sweep that that folder holds.")
@options.preset
@options.passes
@options.settings
@options.readout
@options.work
@partial(options.with_preset_and_data, check=_check)
def command(
    preset: Preset,
    data: "Dataset",
    beta: list[float] | None,
    threshold: list[float] | None,
    surrogate: str | None,
    surrogate_width: list[float | None] | None,
    penalty: str | None,
    penalty_strength: list[float] | None,
    output: Path,
    as_json: bool,
    **asked: Any,
) -> None:
    """Train a network at each point of a grid, and measure it on validation images.

    The grid is of leak and threshold, or of penalties on activity (or else one for each of these).

    It is compared with the network as it is: how much less latency for how many points. What a point costs is
    how often its neurons spike; on hardware that goes from spike to spike that is latency.
    """
    from fspinn.base import streams
    from fspinn.report.plots import save
    from fspinn.report.plots.sweeps import front, heat_maps
    from fspinn.search.sweep import sweep
    from fspinn.search.swept import describe, row, save_sweep

    given = {
        "surrogate": None if surrogate is None else options.names(surrogate),
        "surrogate_width": surrogate_width,
        "penalty": None if penalty is None else options.names(penalty),
        "penalty_strength": penalty_strength,
        "beta": beta,
        "threshold": threshold,
    }
    axes: dict[str, Any] = {name: each for name, each in given.items() if each is not None}

    def show(point: "SweepPoint") -> None:
        streams.say(row(point))

    result = sweep(
        preset.network,
        data,
        axes,
        learner=preset.learner,
        readout=preset.readout,
        folder=output,
        on_point=show,
        **asked,
    )
    save_sweep(result, output, overwrite=asked["overwrite"])
    save(heat_maps(result), output / _FILES[2])
    save(front(result), output / _FILES[3])
    written = [str(output / name) for name in _FILES]
    options.answer(
        as_json, {**result.as_dict(), "files": written}, describe(result), "", f"wrote {', '.join(written)}"
    )
