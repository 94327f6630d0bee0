"""fspinn export: a trained network as a C program."""

from pathlib import Path

import click

from fspinn.cli import options
from fspinn.errors import ConfigError, DataError

TARGETS = ("c",)


@click.command(
    "export",
    epilog="""\b
Example:
  fspinn quantize net.h5 --weights UQ0.4 --state Q9.6 -o net4.h5
  fspinn export net4.h5 --target c -o out/
  make -C out test
""",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--target", type=click.Choice(TARGETS), required=True, help="What to write.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="New folder for the C program."
)
@click.option("--dataset", help="Test images from this one [default: what the model was trained on].")
@options.data_dir
@click.option("--seed", default=0, show_default=True, help="Seed of the input spikes.")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Images in its test.",
)
@options.config
@options.as_json
def command(
    model: Path,
    target: str,
    output: Path,
    dataset: str | None,
    data_dir: Path | None,
    seed: int,
    samples: int,
    as_json: bool,
) -> None:
    """Write the network MODEL as a program in C99, for a microcontroller.

    It computes with whole numbers only, so the network needs a state format (see `fspinn quantize`). From
    the same images it makes the same output spikes as fspinn does.
    """
    import numpy as np

    from fspinn import store
    from fspinn.export import export_c

    network = store.load(model)
    images = None
    if network.formats is not None:
        try:
            _, split = options.split_of(network, dataset, data_dir, "test", samples)
            images = np.asarray(split.images)
        except (ConfigError, DataError) as error:
            if dataset is not None:
                raise
            click.echo(f"fspinn: the program is tested on noise: {error}", err=True)
    export_c(network, output, images, seed=seed)
    if as_json:
        options.print_json({"target": target, "output": str(output), "seed": seed})
        return
    click.echo(f"written   {output}: network.h, network.c, and a test; try make -C {output} test")
