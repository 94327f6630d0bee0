"""fspinn plot: what does a network look like, and what does it do?"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from fspinn.base.errors import ConfigError
from fspinn.cli import options, sections, shown_images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fspinn import Model

Drawn: TypeAlias = "tuple[Figure, dict[str, Any]]"
"""A picture, and what the answer in JSON says about it."""


@click.group("plot", cls=sections.Group)
def command() -> None:
    """Draw a trained network and what it does.

    Pictures are PNG, SVG or PDF.

    \b
    Examples:
      fspinn plot receptive-fields net.h5
      fspinn plot confusion-matrix net.h5 --split test -o confusion.svg
      fspinn plot spike-raster net.h5 photo.png
    """


def _picture(name: str) -> Callable[[Callable[..., Drawn]], click.Command]:
    """Return the decorator of a command that draws a picture of MODEL; its name is that of the file too."""
    output_option = click.option(
        "-o",
        "--output",
        type=options.Output(options.check_picture),
        default=Path(f"{name}.png"),
        show_default=True,
        help="Picture to write; its ending chooses the format.",
    )

    def decorate(draw: Callable[..., Drawn]) -> click.Command:
        @wraps(draw)
        def draw_and_save(*, model: Path, output: Path, as_json: bool, **others: Any) -> None:
            from fspinn import load, plots

            figure, about = draw(model=load(model), **others)
            plots.save(figure, output)
            options.answer(as_json, {"picture": str(output), **about}, f"wrote {output}")

        path = click.argument("model", type=click.Path(path_type=Path))
        return command.command(name)(path(output_option(draw_and_save)))

    return decorate


@_picture("receptive-fields")
@click.option(
    "--neurons", type=click.IntRange(min=1), default=64, show_default=True, help="Draw at most so many."
)
@options.config
@options.as_json
def receptive_fields(model: "Model", neurons: int) -> Drawn:
    """Draw what neurons of MODEL look for: their weights.

    \b
    Example:
      fspinn plot receptive-fields net.h5 --neurons 100 -o fields.png
    """
    from fspinn import plots

    return plots.receptive_fields(model, neurons=neurons), {}


@_picture("confusion-matrix")
@shown_images.measured("validation")
@options.work
@shown_images.gathered
def confusion_matrix(model: "Model", shown: shown_images.Shown) -> Drawn:
    """Draw which classes MODEL takes for which.

    \b
    Example:
      fspinn plot confusion-matrix net.h5 --split test
    """
    from fspinn import evaluate, plots

    name, images = shown_images.split_of(model, shown)
    measured = evaluate(model, images, seed=shown.seed, threads=shown.threads)
    figure = plots.confusion_matrix(measured.labels, measured.predictions, model.class_names)
    about = {"dataset": name, "split": shown.split, "samples": measured.samples}
    return figure, {**about, "accuracy": measured.accuracy}


@_picture("coverage")
@shown_images.measured("validation")
@options.work
@shown_images.gathered
def coverage(model: "Model", shown: shown_images.Shown) -> Drawn:
    """Draw how accurate MODEL is if it leaves answers out that it is less sure of.

    Along the curve stand the margins, for `--reject` of predict, evaluate and export.

    \b
    Example:
      fspinn plot coverage net.h5 --split test
    """
    from fspinn import evaluate, plots

    name, images = shown_images.split_of(model, shown)
    measured = evaluate(model, images, seed=shown.seed, threads=shown.threads)
    curve = {key: values.tolist() for key, values in measured.coverage_curve._asdict().items()}
    about = {"dataset": name, "split": shown.split, "samples": measured.samples}
    return plots.coverage(measured), {**about, **curve}


def _one_image(
    model: "Model", image: Path | None, shown: shown_images.Shown, index: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments of a picture of one image, and what the answer in JSON says about it."""
    from fspinn.answering.present import single
    from fspinn.datasets import sources

    found = shown_images.sources_of(model, () if image is None else (image,), shown)
    (one,) = sources.numbered(found, [index])
    label = None if one.labels is None else int(one.labels[0])
    named = None if label is None else model.class_names[label]
    arguments: dict[str, Any] = {
        "image": single(one.images),
        "seed": shown.seed,
        "number": one.first,
        "label": named,
    }
    if model.features is not None:
        arguments["features"] = model.features.values_of(one, one.name)
    return arguments, {"image": one.name, "index": one.first, "label": label}


def _position(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        row, column = (int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--position: {text!r} is not a row and a column; write it like 10,12") from None
    return row, column


@_picture("spike-map")
@click.argument("image", required=False, type=click.Path(path_type=Path))
@shown_images.measured("validation")
@click.option("--index", default=0, show_default=True, help="Number of the image, counted from 0.")
@options.seed
@options.config
@options.as_json
@shown_images.gathered
def spike_map(model: "Model", image: Path | None, shown: shown_images.Shown, index: int) -> Drawn:
    """Draw which neuron of MODEL spikes where, and when.

    Of a network with a field: the first spike at each of its positions. IMAGE is a file as `fspinn predict`
    takes it; without one an image of a data set is shown.

    \b
    Examples:
      fspinn plot spike-map net.h5 --index 7
      fspinn plot spike-map net.h5 photo.png -o map.svg
    """
    from fspinn import plots

    arguments, about = _one_image(model, image, shown, index)
    return plots.spike_map(model, **arguments), about


@_picture("spike-raster")
@click.argument("image", required=False, type=click.Path(path_type=Path))
@shown_images.measured("validation")
@click.option("--index", default=0, show_default=True, help="Number of the image, counted from 0.")
@click.option(
    "--position",
    callback=_position,
    help="Row and column of a field, such as 10,12, counted from 0 [default: a lively one].",
)
@options.seed
@options.config
@options.as_json
@shown_images.gathered
def spike_raster(
    model: "Model",
    image: Path | None,
    shown: shown_images.Shown,
    index: int,
    position: tuple[int, int] | None,
) -> Drawn:
    """Draw the spikes of MODEL for one image.

    IMAGE is a file as `fspinn predict` takes it; without one an image of a data set is shown. The potential
    of the neuron that spikes most is drawn too; of a network with a field all potentials at one position.

    \b
    Examples:
      fspinn plot spike-raster net.h5 --index 7
      fspinn plot spike-raster net.h5 photo.png -o raster.svg
      fspinn plot spike-raster column.h5 --position 10,12
    """
    from fspinn import plots

    arguments, about = _one_image(model, image, shown, index)
    return plots.spike_raster(model, position=position, **arguments), about


@_picture("thresholds")
@shown_images.measured("validation")
@options.work
@shown_images.gathered
def thresholds(model: "Model", shown: shown_images.Shown) -> Drawn:
    """Draw thresholds and firing rates of MODEL.

    \b
    Example:
      fspinn plot thresholds net.h5
    """
    from fspinn import plots, predict

    name, images = shown_images.split_of(model, shown)
    spike_counts = predict(model, images, seed=shown.seed, threads=shown.threads).spike_counts
    neurons = model.network.layers[-1].neurons
    silent = int((spike_counts.sum(axis=0).reshape(-1, neurons).sum(axis=0) == 0).sum())
    about = {"dataset": name, "split": shown.split, "samples": len(images), "silent_neurons": silent}
    return plots.thresholds(model, spike_counts), about


@_picture("learning-curve")
@options.config
@options.as_json
def learning_curve(model: "Model") -> Drawn:
    """Draw how the training of MODEL went.

    Accuracy and output spikes on the training images, as they were learned from.

    \b
    Example:
      fspinn plot learning-curve net.h5
    """
    from fspinn import plots

    return plots.learning_curve(model), dict(model.record["learning_curve"])
