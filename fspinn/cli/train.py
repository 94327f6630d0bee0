"""fspinn train: learn without labels, then fit a readout."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from fspinn.cli import options


@click.command(
    "train",
    epilog="""\b
Examples:
  fspinn train -o net.h5
  fspinn train --dataset mnist --neurons 400 -o net.h5 && fspinn evaluate net.h5
  fspinn train --config settings.toml --seed 1 -o net.h5
""",
)
@options.dataset
@options.network
@click.option(
    "--passes", type=int, help="How often each image is shown [default: 100 presentations per neuron]."
)
@options.readout
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("net.h5"),
    show_default=True,
    help="Model file to write.",
)
@options.seed
@options.samples
@options.threads
@options.config
@options.as_json
def command(
    dataset: str,
    data_dir: Path | None,
    validation: int | None,
    passes: int | None,
    readout: str,
    output: Path,
    seed: int,
    samples: int | None,
    threads: int | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a network on a data set, without labels, and fit a readout on them."""
    from fspinn import Network, save, train
    from fspinn.datasets import load

    network = Network(**settings)
    data = load(dataset, data_dir=data_dir, validation=validation, seed=seed)
    if samples is not None:
        data = replace(data, train=data.train.first(samples))
    options.check_writable(output)
    result = train(network, data, passes=passes, seed=seed, readout=readout, threads=threads)
    save(result.model, output)
    accuracy = None if result.validation is None else result.validation.accuracy
    answer = {
        "model": str(output),
        "accuracy": accuracy,
        "accuracy_of": "validation",
        "validation_samples": len(data.validation),
        "samples_per_s": result.samples_per_s,
        "presentations": result.model.activity["training"].samples,
        "neurons": network.neurons,
        "readout": readout,
        "seed": seed,
    }
    if as_json:
        options.print_json(answer)
        return
    click.echo(
        f"{output}: {network.neurons} neurons, {answer['presentations']} presentations "
        f"at {result.samples_per_s:,.0f} samples/s"
    )
    if accuracy is not None:
        click.echo(f"accuracy {accuracy:.1%} on {len(data.validation)} validation images ({readout} readout)")
