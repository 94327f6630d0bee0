"""fspinn search: the smallest network that does the job."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fspinn.cli import options
from fspinn.files import check_folder
from fspinn.model import Network

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.search import Trial

UNFINISHED, STOPPED = 3, 130
"""Exit statuses of a search that could not finish, and of one that was stopped with Ctrl-C."""


_FILES = (
    "report.html",
    "smallest.h5",
    "result.json",
    "candidates.csv",
    "accuracy-memory.png",
    "study.log",
)


@click.command(
    "search",
    epilog="""\b
Examples:
  fspinn search
  fspinn search --dataset mnist --accuracy 0.90 --memory 32KiB --hardware asic65-lp
  fspinn search --dataset mnist --strategy bayes --minimize memory,energy --budget 3h --workers 2
  fspinn search --dataset my-images/ --accuracy 0.8 --sizes 50,100,200 -o result/

Limits need a unit: B kB KiB MB MiB, pJ nJ uJ mJ J, us ms s min (or m) h d, um2 mm2.
The same command goes on where it was stopped or killed: what was trained is in the folder.
The answer to another question is not replaced without --overwrite.
Exit status: 0 found, 1 no network meets the target, 2 bad input, 3 the search could not finish.
""",
)
@options.dataset
@click.option(
    "--accuracy", default=0.90, show_default=True, help="Least accuracy on validation images, 0 to 1."
)
@click.option("--memory", help="Most memory for inference, such as 256KiB [default: no limit].")
@click.option("--training-memory", help="Most memory on a device that learns.")
@click.option("--energy", help="Most energy of an inference, such as 2uJ.")
@click.option("--latency", help="Most time of an inference, such as 5ms.")
@click.option("--area", help="Most area of the chip, such as 0.5mm2.")
@click.option("--spikes", help="Most output spikes an image, such as 5.")
@click.option(
    "--minimize",
    default="memory",
    show_default=True,
    help="What should be little: some of memory, training_memory, energy, latency, area, spikes. The first "
    "decides, the Pareto front takes all.",
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
@click.option("--sizes", help="Numbers of neurons to choose from, such as 50,100,200.")
@click.option("--weights", help="Weight formats to choose from, such as UQ0.2,UQ0.4,float32.")
@click.option("--readouts", help="Readouts to choose from, such as majority,proportion.")
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Networks that bayes and halving draw.",
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
    "--hardware", default="asic65-lp", show_default=True, help="Preset for energy, latency and area."
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
    "--overwrite", is_flag=True, help="Replace the answer to another question that is in that folder."
)
@options.preset
@options.search_network
@options.passes
@options.labels
@options.work
@options.with_network_and_data
def command(
    network: Network,
    data: "Dataset",
    accuracy: float,
    memory: str | None,
    training_memory: str | None,
    energy: str | None,
    latency: str | None,
    area: str | None,
    spikes: str | None,
    minimize: str,
    strategy: str,
    sampler: str,
    space: Path | None,
    sizes: str | None,
    weights: str | None,
    readouts: str | None,
    trials: int,
    budget: str | None,
    seeds: int,
    workers: int | None,
    scheduler: str | None,
    hardware: str,
    output: Path,
    overwrite: bool,
    passes: int | None,
    labels: int | None,
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Find the network with the least memory that meets an accuracy on your images."""
    from fspinn.errors import UnfinishedError
    from fspinn.plots import accuracy_against_memory, save
    from fspinn.report import write_report
    from fspinn.search import find_smallest, save_result
    from fspinn.search.execution import is_working
    from fspinn.search.result import Ending, describe, line
    from fspinn.streams import say

    def show(told: "list[Trial]") -> None:
        say(line(told))  # above the table, where there is one

    try:
        result = find_smallest(
            data,
            accuracy=accuracy,
            memory=memory,
            training_memory=training_memory,
            energy=energy,
            latency=latency,
            area=area,
            spikes=spikes,
            minimize=options.names(minimize),
            hardware=hardware,
            strategy=strategy,
            sampler=sampler,
            space=space,
            network=network,
            sizes=None if sizes is None else options.whole_numbers("--sizes", sizes),
            weights=None if weights is None else options.names(weights),
            readouts=None if readouts is None else options.names(readouts),
            passes=passes,
            labels=labels,
            trials=trials,
            budget=budget,
            seeds=seeds,
            seed=seed,
            threads=threads,
            workers=workers,
            scheduler=scheduler,
            folder=output,
            overwrite=overwrite,
            data_dir=click.get_current_context().params["data_dir"],
            on_trials=show,
        )
    except UnfinishedError as error:
        click.echo(f"fspinn: {error}", err=True)
        sys.exit(UNFINISHED)
    except KeyboardInterrupt:
        click.echo("fspinn: stopped; the same command goes on where it stopped", err=True)
        if is_working():
            os._exit(STOPPED)  # a compilation that goes on would keep Python from ending, or crash in its end
        sys.exit(STOPPED)
    if not as_json:
        click.echo(describe(result))
    typed = click.get_current_context().meta.get(options.TYPED)
    written = save_result(result, output, typed, overwrite=overwrite)
    written["picture"] = output / "accuracy-memory.png"
    save(accuracy_against_memory(result), written["picture"])
    written["report"] = write_report(output, data, threads=threads)
    if as_json:
        model = str(written["model"]) if "model" in written else None
        files = {"model": model, "report": str(written["report"]), "trials": str(written["candidates"])}
        options.print_json(result.as_dict() | files)
    else:
        for path in written.values():
            click.echo(f"  wrote {path}")
    if not result.found:
        sys.exit(UNFINISHED if result.ending is Ending.UNFINISHED else 1)
