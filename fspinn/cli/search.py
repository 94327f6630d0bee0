"""fspinn search: the smallest network that does the job."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fspinn.cli import options
from fspinn.model import Network

if TYPE_CHECKING:
    from fspinn.datasets import Dataset


@click.command(
    "search",
    epilog="""\b
Examples:
  fspinn search
  fspinn search --dataset mnist --accuracy 0.90 --memory 256KiB
  fspinn search --dataset my-images/ --accuracy 0.8 --sizes 50,100,200 -o result/

Exit status: 0 found, 1 no network meets the target, 2 bad input.
""",
)
@options.dataset
@click.option(
    "--accuracy", default=0.90, show_default=True, help="Least accuracy on validation images, 0 to 1."
)
@click.option("--memory", help="Most memory for inference, such as 256KiB [default: no limit].")
@click.option("--sizes", help="Numbers of neurons to choose from, such as 50,100,200.")
@click.option("--weights", help="Weight formats to choose from, such as UQ0.2,UQ0.4,float32.")
@click.option("--readouts", help="Readouts to choose from, such as majority,proportion.")
@click.option("--hardware", default="asic65-lp", show_default=True, help="Preset for energy and latency.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("result"),
    show_default=True,
    help="Folder for smallest.h5, candidates.csv and accuracy-memory.png.",
)
@options.search_network
@options.passes
@options.work
@options.with_network_and_data
def command(
    network: Network,
    data: "Dataset",
    accuracy: float,
    memory: str | None,
    sizes: str | None,
    weights: str | None,
    readouts: str | None,
    hardware: str,
    output: Path,
    passes: int | None,
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Find the network with the least memory that meets an accuracy on your images."""
    from fspinn.search import find_smallest, save_result, space
    from fspinn.search.result import Trial, describe

    def show(trial: Trial) -> None:
        click.echo(
            f"{trial.candidate.neurons:5} neurons  {trial.candidate.weights:8} {trial.candidate.readout:11} "
            f"{space.format_memory(trial.candidate.memory_bits):>11}  {trial.verdict}",
            err=True,
        )

    result = find_smallest(
        data,
        accuracy=accuracy,
        memory=memory,
        hardware=hardware,
        network=network,
        sizes=space.SIZES if sizes is None else options.whole_numbers("--sizes", sizes),
        weights=space.WEIGHTS if weights is None else options.names(weights),
        readouts=space.READOUTS if readouts is None else options.names(readouts),
        passes=passes,
        seed=seed,
        threads=threads,
        on_trial=show,
    )
    written = save_result(result, output)
    if as_json:
        model = str(written["model"]) if "model" in written else None
        options.print_json({"model": model, **result.as_dict()})
    else:
        click.echo(describe(result))
        for path in written.values():
            click.echo(f"  wrote {path}")
    if not result.found:
        sys.exit(1)
