"""fspinn plot: what does a network look like, and what does it do?"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fspinn.cli import options

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.group("plot")
def command() -> None:
    """Draw a trained network and what it does.

    Pictures are PNG, SVG or PDF.

    \b
    Examples:
      fspinn plot receptive-fields net.h5
      fspinn plot confusion-matrix net.h5 --split test -o confusion.svg
      fspinn plot spike-raster net.h5 photo.png
    """


def _picture(name: str) -> Callable[..., Any]:
    """Return the decorator of a command that draws a picture of MODEL; its name is that of the file too."""
    output = click.option(
        "-o",
        "--output",
        type=options.Output(options.check_picture),
        default=Path(f"{name}.png"),
        show_default=True,
        help="Picture to write; its ending chooses the format.",
    )
    model = click.argument("model", type=click.Path(path_type=Path))
    return lambda function: command.command(name)(model(output(function)))


@_picture("receptive-fields")
@click.option(
    "--neurons", type=click.IntRange(min=1), default=64, show_default=True, help="Draw at most so many."
)
@options.config
@options.as_json
def receptive_fields(model: Path, output: Path, neurons: int, as_json: bool) -> None:
    """Draw what neurons of MODEL look for: their weights.

    \b
    Example:
      fspinn plot receptive-fields net.h5 --neurons 100 -o fields.png
    """
    from fspinn import load, plots

    _finish(plots.receptive_fields(load(model), neurons=neurons), output, {}, as_json)


@_picture("confusion-matrix")
@options.measured("validation")
@options.work
def confusion_matrix(
    model: Path,
    output: Path,
    dataset: str | None,
    data_dir: Path | None,
    split: str,
    seed: int,
    samples: int | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Draw which classes MODEL takes for which.

    \b
    Example:
      fspinn plot confusion-matrix net.h5 --split test
    """
    from fspinn import evaluate, load, plots

    loaded = load(model)
    name, images = options.split_of(loaded, dataset, data_dir, split, samples)
    measured = evaluate(loaded, images, seed=seed, threads=threads)
    figure = plots.confusion_matrix(measured.labels, measured.predictions, loaded.class_names)
    about = {"dataset": name, "split": split, "samples": measured.samples, "accuracy": measured.accuracy}
    _finish(figure, output, about, as_json)


@_picture("spike-raster")
@click.argument("image", required=False, type=click.Path(path_type=Path))
@options.measured("validation")
@click.option("--index", default=0, show_default=True, help="Number of the image, counted from 0.")
@options.seed
@options.config
@options.as_json
def spike_raster(
    model: Path,
    image: Path | None,
    output: Path,
    dataset: str | None,
    data_dir: Path | None,
    split: str,
    index: int,
    seed: int,
    as_json: bool,
) -> None:
    """Draw the spikes of MODEL for one image.

    IMAGE is a file as `fspinn predict` takes it; without one an image of a data set is shown. The potential
    of the neuron that spikes most is drawn too.

    \b
    Examples:
      fspinn plot spike-raster net.h5 --index 7
      fspinn plot spike-raster net.h5 photo.png -o raster.svg
    """
    from fspinn import load, plots
    from fspinn.datasets import sources

    loaded = load(model)
    found = options.sources_of(loaded, () if image is None else (image,), dataset, data_dir, split)
    (shown,) = sources.numbered(found, [index])
    label = None if shown.labels is None else int(shown.labels[0])
    figure = plots.spike_raster(
        loaded,
        shown.images[:1][0],
        seed=seed,
        number=shown.first,
        label=None if label is None else loaded.class_names[label],
    )
    _finish(figure, output, {"image": shown.name, "index": shown.first, "label": label}, as_json)


@_picture("thresholds")
@options.measured("validation")
@options.work
def thresholds(
    model: Path,
    output: Path,
    dataset: str | None,
    data_dir: Path | None,
    split: str,
    seed: int,
    samples: int | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Draw thresholds and firing rates of MODEL.

    \b
    Example:
      fspinn plot thresholds net.h5
    """
    from fspinn import load, plots, predict

    loaded = load(model)
    name, images = options.split_of(loaded, dataset, data_dir, split, samples)
    spike_counts = predict(loaded, images.images, seed=seed, threads=threads).spike_counts
    silent = int((spike_counts.sum(axis=0) == 0).sum())
    about = {"dataset": name, "split": split, "samples": len(images), "silent_neurons": silent}
    _finish(plots.thresholds(loaded, spike_counts), output, about, as_json)


@_picture("learning-curve")
@options.config
@options.as_json
def learning_curve(model: Path, output: Path, as_json: bool) -> None:
    """Draw how the training of MODEL went.

    Accuracy and output spikes on the training images, as they were learned from.

    \b
    Example:
      fspinn plot learning-curve net.h5
    """
    from fspinn import load, plots

    loaded = load(model)
    _finish(plots.learning_curve(loaded), output, dict(loaded.record["learning_curve"]), as_json)


def _finish(figure: "Figure", output: Path, about: dict[str, Any], as_json: bool) -> None:
    from fspinn.report.plots import save

    save(figure, output)
    options.answer(as_json, {"picture": str(output), **about}, f"wrote {output}")
