"""fspinn search: the smallest network that does the job."""

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fspinn.base.errors import ConfigError, DataError, FspinnError, UnfinishedError
from fspinn.base.files import check_folder
from fspinn.base.settings import with_settings
from fspinn.cli import options, outcome, sections
from fspinn.network.description import Network
from fspinn.network.rules import Stdp
from fspinn.presets import Preset, start_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fspinn.datasets import Dataset
    from fspinn.network import Learner
    from fspinn.search import SearchResult


_FILES = (
    "report.html",
    "smallest.h5",
    "linear.h5",
    "result.json",
    "candidates.csv",
    "accuracy-memory.png",
    "journal.jsonl",
)


def _network(preset: Preset) -> Network | None:
    """Return the network that was asked for, if any was."""
    nobody_s = (Network(), start_of({"learner": preset.learner.kind}).network)
    return None if preset.network in nobody_s else preset.network


def _learners(preset: Preset, names: str | None, *, unsupervised: bool) -> "list[Learner]":
    """Return the learners that are tried, with the settings that they share with the preset's."""
    found = [preset.learner]
    if names is not None:
        found = [with_settings(preset, {"learner": name}).learner for name in options.names(names)]
    if not unsupervised:
        return found
    kept: list[Learner] = [one for one in found if type(one) is Stdp]
    if not kept:
        kinds = ", ".join(one.kind for one in found)
        raise ConfigError(f"--unsupervised: {kinds} needs labels to learn; add stdp to --learner")
    return kept


def _check(
    preset: Preset, *, learner: str | None, unsupervised: bool, minimize: list[str], **asked: Any
) -> None:
    """Refuse what makes no sense whatever the data are."""
    from fspinn.search import Constraints
    from fspinn.search.asked import ask
    from fspinn.search.constraints import MEASURES

    limits = {name: asked[name] for name in MEASURES}
    given = ("hardware", "strategy", "sampler", "space", "sizes", "weights", "readouts", "class_weight")
    ask(
        Constraints.parsed(asked["accuracy"], asked["confidence"], asked["metric"], **limits),
        minimize=minimize,
        network=_network(preset),
        learner=_learners(preset, learner, unsupervised=unsupervised),
        **{name: asked[name] for name in (*given, "trials", "budget", "seeds", "seed")},
    )


@sections.as_command(
    "search",
    usual=(
        *("--dataset", "--accuracy", "--memory", "--energy", "--latency", "--hardware"),
        *("--minimize", "--strategy", "--learner", "--sizes", "--labels", "--budget"),
        *("--workers", "--output", "--overwrite", "--json"),
    ),
    epilog="""\b
Examples:
  fspinn search
  fspinn search --dataset mnist --accuracy 0.90 --memory 32KiB --hardware asic65-lp
  fspinn search --dataset mnist --strategy bayes --minimize memory,energy --budget 3h --workers 2
  fspinn search --dataset my-images/ --accuracy 0.8 --sizes 50,100,200 -o result/

Limits need a unit: B kB KiB MB MiB, pJ nJ uJ mJ J, us ms s min (or m) h d, um2 mm2.
The same command goes on where it was stopped or killed: what was trained is in the folder.
Without --overwrite, the answer to another question is not replaced, nor a network by none.
Exit status: 0 found, 1 the answer is no, 2 bad input, 3 the search could not finish.
""",
)
@options.dataset
@click.option(
    "--accuracy", default=0.90, show_default=True, help="Least accuracy on validation images, 0 to 1."
)
@click.option(
    "--confidence",
    default=0.975,
    show_default=True,
    help="That the true accuracy is not below; 0.975 takes the lower end of the 95 % interval, 0.5 the mean.",
)
@click.option(
    "--metric",
    type=click.Choice(["accuracy", "balanced-accuracy", "macro-f1"]),
    default="accuracy",
    show_default=True,
    help="What has to reach --accuracy; in the last two all classes have the same weight.",
)
@click.option("--memory", help="Most memory for inference, such as 256KiB [default: no limit].")
@click.option("--training-memory", help="Most memory on a device that learns.")
@click.option("--energy", help="Most energy of an inference, such as 2uJ.")
@click.option("--latency", help="Most time of an inference, such as 5ms.")
@click.option("--flash", help="Most flash of a microcontroller, such as 64KiB [default: what it has].")
@click.option("--ram", help="Most RAM of a microcontroller, such as 8KiB [default: what it has].")
@click.option("--area", help="Most area of the chip, such as 0.5mm2.")
@click.option("--spikes", help="Most output spikes an image, such as 5.")
@click.option("--synops", help="Most synaptic operations an image, such as 20000.")
@click.option("--time-steps", help="Most time steps an image, such as 8.")
@click.option("--training-steps", help="Most time steps that images are shown for while a network learns.")
@click.option(
    "--minimize",
    default="memory",
    show_default=True,
    callback=options.read_names,
    help="What should be little: some of memory, training_memory, energy, latency, flash, ram, area, spikes, "
    "synops, time_steps, training_steps. The first decides, the Pareto front takes all.",
)
@click.option(
    "--strategy",
    type=click.Choice(["ladder", "bayes", "halving"]),
    default="ladder",
    show_default=True,
    help="Cheapest network first; several objectives; or many networks on few samples, the best on more.",
)
@click.option(
    "--sampler",
    type=click.Choice(["auto", "gp", "tpe", "random"]),
    default="auto",
    show_default=True,
    help="Of bayes and halving; auto is gp where torch is installed, else tpe.",
)
@click.option(
    "--space",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML file of what to choose from: neurons = [50, 100], threshold = {low = 8.0, high = 40.0}, ...",
)
@click.option(
    "--learner",
    help="Learners to choose from: some of stdp,stdp+labels,surrogate,hybrid; the smallest of each "
    "[default: stdp].",
)
@click.option("--unsupervised", is_flag=True, help="Of these, only those that learn without labels.")
@click.option(
    "--sizes",
    callback=options.read_whole_numbers,
    help="Numbers of neurons to choose from, such as 50,100,200. Of stdp, without a network of your own, "
    "only dense ones are then looked at; --set field=5 is columns.",
)
@click.option(
    "--weights",
    type=options.NumberFormat(several=True, words=("float32",)),
    callback=options.read_names,
    help="Weight formats to choose from, such as UQ0.2,UQ0.4,float32.",
)
@click.option(
    "--readouts",
    callback=options.read_names,
    help="Readouts to choose from, such as majority,proportion.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    help="Networks that bayes and halving draw; then some around the best are tried too [default: 40].",
)
@click.option("--budget", help="Time after which no more networks are begun, such as 3h.")
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Trainings of each finalist, with seeds from --seed on.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Networks trained at the same time [default: 1, or one per thread of the cluster].",
)
@click.option("--scheduler", help="Dask scheduler to work on, such as tcp://127.0.0.1:8786.")
@click.option(
    "--hardware", default="asic65-lp", show_default=True, help="Preset or TOML file for costs and capacities."
)
@click.option(
    "-o",
    "--output",
    type=options.Output(check_folder, _FILES),
    default=Path("result"),
    show_default=True,
    help=f"Folder for {', '.join(_FILES[:-1])} and {_FILES[-1]}.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace what that folder holds: an answer to another question, or a network if none is found now.",
)
@options.preset
@options.passes
@options.settings
@options.labels
@options.class_weight
@options.work
@partial(options.with_preset_and_data, check=_check)
def command(
    preset: Preset,
    data: "Dataset",
    output: Path,
    as_json: bool,
    learner: str | None,
    unsupervised: bool,
    **asked: Any,
) -> None:
    """Find the network with the least memory that meets an accuracy on your images."""
    from fspinn.base.streams import say
    from fspinn.report import write_report
    from fspinn.report.plots import accuracy_against_memory, save
    from fspinn.search import find_smallest
    from fspinn.search.endings import Ending
    from fspinn.search.result import describe, line

    data_dir = click.get_current_context().params["data_dir"]
    try:
        # Lines stand above the table, where there is one.
        result = find_smallest(
            data,
            network=_network(preset),
            learner=_learners(preset, learner, unsupervised=unsupervised),
            folder=output,
            data_dir=data_dir,
            on_trials=lambda trials: say(line(trials, asked["minimize"][0])),
            **asked,
        )
    except UnfinishedError as error:
        click.echo(f"fspinn: {error}", err=True)
        sys.exit(outcome.UNFINISHED)
    except KeyboardInterrupt:
        click.echo("fspinn: stopped; the same command goes on where it stopped", err=True)
        if asked["workers"] is not None:
            # The pool may close its pipe just when the end of Python writes to it: nothing is lost by that.
            sys.unraisablehook = lambda _: None
        outcome.leave(outcome.STOPPED)
    # Everything is in the folder before a word is printed: whoever reads may go away.
    files: dict[str, Path | None] = {**_saved(result, output, as_json, asked["overwrite"])}
    picture, report = output / "accuracy-memory.png", output / "report.html"
    files["picture"] = _drawn(picture, lambda: save(accuracy_against_memory(result), picture))
    files["report"] = _drawn(report, lambda: write_report(output, data, threads=asked["threads"]))
    if as_json:
        named = {
            "model": "model",
            "classifier": "classifier",
            "report": "report",
            "trials": "candidates",
            "baselines": "result",
        }
        paths = {name: str(files[key]) if files.get(key) else None for name, key in named.items()}
        options.print_json(result.as_dict() | paths)
    else:
        click.echo(describe(result))
        for name, path in files.items():
            if path is not None:
                what = (
                    ": the smallest linear classifier that will do, for `fspinn export`"
                    if name == "classifier"
                    else ""
                )
                click.echo(f"  wrote {path}{what}")
    if not result.found:
        sys.exit(outcome.UNFINISHED if result.ending is Ending.UNFINISHED else outcome.NO)


def _saved(result: "SearchResult", folder: Path, as_json: bool, overwrite: bool) -> dict[str, Path]:
    """Write the answer; where that fails, people at least read it."""
    from fspinn.search.result import describe, save_result

    try:
        typed = click.get_current_context().meta.get(options.TYPED)
        return save_result(result, folder, typed, overwrite=overwrite)
    except (ConfigError, DataError):
        if not as_json:
            click.echo(describe(result))
        raise


def _drawn(path: Path, draw: "Callable[[], object]") -> Path | None:
    """Draw a picture of an answer that is saved; where that fails, say so, and remove an older one."""
    try:
        draw()
    except Exception as error:
        what = str(error) if isinstance(error, FspinnError) else f"{path}: {type(error).__name__}: {error}"
        click.echo(f"fspinn: {what.splitlines()[0]} (the answer is saved)", err=True)
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return None
    return path
