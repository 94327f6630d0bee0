"""Pictures of what a network answers to images."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fspinn.answering import metrics
from fspinn.answering.predict import predict
from fspinn.answering.present import Sample, batch_of, potential, present
from fspinn.base.errors import ConfigError
from fspinn.model.model import AnyModel, model_of
from fspinn.model.readout import NO_ANSWER
from fspinn.report.plots.colours import CHOSEN, GREY, SHADES
from fspinn.report.plots.networks import preferred_classes, preferred_names
from fspinn.report.plots.positions import draw_image, in_words, picture_of, position_raster

if TYPE_CHECKING:
    from fspinn.answering.evaluate import Evaluation

_MOST_NUMBERS = 20
_MOST_ROWS = 16
_MARGINS = 8


def confusion_matrix(
    labels: NDArray[np.int64], classes: NDArray[np.int64], class_names: Sequence[str]
) -> Figure:
    """Draw which classes are taken for which.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        The true classes: ``fspinn.evaluate(...).labels``, which numbers them as the model does.
    classes : ndarray of int64, shape (n,)
        The answers: ``fspinn.evaluate(...).predictions`` or ``fspinn.predict(...).classes``.
    class_names : sequence of str
        What a person calls the classes: ``model.class_names``.

    Raises
    ------
    ConfigError
        If there is a class without a name.
    """
    names, n_classes = list(class_names), len(class_names)
    if (classes == NO_ANSWER).all():
        raise ConfigError("confusion matrix: no image is answered; reject fewer")
    highest = max(labels.max(), classes.max())
    if highest >= n_classes:
        raise ConfigError(
            f"class_names: {n_classes} names, but a class {highest}, counted from 0; "
            "give the labels of fspinn.evaluate and the names of the model"
        )
    counts = metrics.confusion_matrix(labels, classes, n_classes)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    side = min(max(3.2, 0.42 * n_classes + 0.8), 9.0)
    figure = Figure(figsize=(side + 1.4, side), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    if n_classes <= _MOST_NUMBERS:
        for label, answer in zip(*counts.nonzero(), strict=True):
            colour = "white" if shares[label, answer] > 60 else "black"
            number = str(counts[label, answer])
            axes.text(answer, label, number, ha="center", va="center", fontsize=8, color=colour)
        answers = [*names, "none"][: counts.shape[1]]
        long = max(map(len, answers)) > 3
        axes.set_xticks(
            range(len(answers)), answers, rotation=45 if long else 0, ha="right" if long else "center"
        )
        axes.set_yticks(range(n_classes), names)
    axes.set_xlabel("answer of the network")
    axes.set_ylabel("true class")
    axes.set_title(f"{np.mean(labels == classes):.1%} of {len(labels):,} samples correct", fontsize=10)
    figure.colorbar(picture, label="share of the true class (%)", shrink=0.8)
    return figure


def coverage(measured: "Evaluation") -> Figure:
    """Draw the accuracy of the images that are still answered, against their part, over all margins.

    Parameters
    ----------
    measured : Evaluation
        What ``fspinn.evaluate`` returns, without a margin.
    """
    margins, covered, accuracy = measured.coverage_curve
    figure = Figure(figsize=(6, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(100 * covered, 100 * accuracy, "-", color=SHADES[0], linewidth=1.4)
    for k in np.linspace(0, len(margins) - 1, min(len(margins), _MARGINS)).round().astype(int):
        axes.plot(100 * covered[k], 100 * accuracy[k], "o", color=SHADES[0], markersize=4)
        axes.annotate(
            f"{margins[k]:.3g}",
            (100 * covered[k], 100 * accuracy[k]),
            xytext=(4, -11),
            textcoords="offset points",
            fontsize=8,
            color=GREY,
        )
    axes.invert_xaxis()
    axes.margins(x=0.08, y=0.1)
    axes.set_xlabel("coverage: samples that are answered (%)")
    axes.set_ylabel("accuracy on the answered samples (%)")
    axes.set_title(
        f"Accuracy against coverage on {measured.samples:,} samples\n"
        "numbers along the curve: margin (--reject)",
        fontsize=10,
    )
    axes.grid(alpha=0.25, linewidth=0.5)
    return figure


def spike_raster(
    model: AnyModel,
    image: Sample,
    *,
    position: tuple[int, int] | None = None,
    features: Any = None,
    seed: int = 0,
    number: int = 0,
    label: str | None = None,
) -> Figure:
    """Draw input spikes, output spikes and potentials while an image is shown.

    Of a layer that sees the whole image the potential of the most active neuron is drawn, of a first layer
    with a field all potentials at one position.

    Parameters
    ----------
    model : Model
    image : ndarray of uint8, shape (height, width[, channels]), or Recordings of one
    position : tuple of int or None, default None
        Row and column of the position of a field, counted from 0; None is where input in the most time steps
        leads to a spike.
    features : array-like of float, shape (k,), optional
        Of the image, if the model listens to some, as for `fspinn.predict`.
    seed : int, default 0
    number : int, default 0
        Number of the image; with the seed it fixes the input spikes.
    label : str or None, default None
        What the image really shows, if that is known.

    Raises
    ------
    ConfigError
        If there is no such position, or the first of several layers sees the whole image.
    """
    model = model_of(model)
    if model.network.layers[0].field is not None:
        return position_raster(
            model, image, position, features=features, seed=seed, number=number, label=label
        )
    if position is not None:
        raise ConfigError("position: the first layer sees the whole image from one position; leave it out")
    if len(model.layers) > 1:
        raise ConfigError(
            "spike raster: of several layers it draws a position of the first, and this one sees the whole "
            "image; draw its receptive fields"
        )
    shown = present(model, image, seed=seed, number=number)
    answer = predict(model, batch_of(image), features=features, seed=seed, first=number, threads=1)
    agrees = preferred_classes(model) == answer.classes[0]
    plan, layer = shown.plan, shown.layer
    counts = answer.spike_counts[0]
    winner = int(counts.argmax())

    figure = Figure(figsize=(9, 6), layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=(1, 4.5), height_ratios=(3, 2.4, 2))
    picture = figure.add_subplot(grid[0, 0])
    draw_image(picture, picture_of(image))
    picture.set_title(in_words(model, answer, label), fontsize=10)
    above = figure.add_subplot(grid[0, 1])
    middle = figure.add_subplot(grid[1, 1], sharex=above)
    below = figure.add_subplot(grid[2, 1], sharex=above)

    steps, inputs = shown.input_spikes.events
    _draw_spikes(above, steps * plan.dt_ms, inputs, "black", 2.5)
    above.set_ylabel("input pixel")
    above.set_ylim(layer.inputs, -1)
    above.set_title(f"{len(steps)} input spikes", fontsize=9, loc="left")
    times_ms = shown.output_steps * plan.dt_ms
    _draw_output(middle, times_ms, shown.output_neurons, agrees, preferred_names(model))

    if counts.any():
        course = potential(shown, winner) / float(layer.firing_threshold)
        times_ms = np.repeat(np.arange(shown.steps) * plan.dt_ms, 2)
        below.plot(times_ms, course.ravel(), color=SHADES[0], linewidth=0.9)
        level = float(layer.thresholds[winner]) / float(layer.firing_threshold)
        below.axhline(level, color=CHOSEN, linestyle="--", linewidth=1)
        below.set_ylim(top=level + 0.3 * (level - course.min()))
        words = below.text(1, level, "its threshold ", ha="right", va="bottom", fontsize=8, color=CHOSEN)
        words.set_transform(below.get_yaxis_transform())
        below.set_title(f"potential of neuron {winner}, the most active", fontsize=9, loc="left")
    below.set_ylabel("potential\n(initial thresholds)")
    below.set_xlabel("time (ms)")
    below.set_xlim(0, shown.steps * plan.dt_ms)
    for axis in (above, middle):
        axis.tick_params(labelbottom=False)
    figure.align_ylabels([above, middle, below])
    return figure


def _draw_spikes(axes: Any, times_ms: Any, rows: Any, colour: str, size: float, label: str = "") -> None:
    axes.plot(times_ms, rows, "|", color=colour, markersize=size, markeredgewidth=0.24 * size, label=label)


def _draw_output(
    axes: Any,
    times_ms: NDArray[np.floating[Any]],
    neurons: NDArray[np.int32],
    agree: NDArray[np.bool_],
    class_names: Sequence[str],
) -> None:
    """Draw output spikes, one row for each neuron that spiked, in the order of the first spikes.

    `agree` says which neurons speak for the answer, `class_names` what each speaks for.
    """
    rows = list(dict.fromkeys(neurons.tolist()))
    places = np.array([rows.index(neuron) for neuron in neurons.tolist()], dtype=np.int64)
    speaks = agree[neurons]
    _draw_spikes(axes, times_ms[speaks], places[speaks], SHADES[0], 9, label="speaks for the answer")
    axes.plot(times_ms[~speaks], places[~speaks], "x", color=SHADES[4], markersize=5, label="for another")
    if rows:
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.legend(loc="upper left", bbox_to_anchor=(0.3, 1.14), ncols=2, fontsize=8, frameon=False)
    if len(rows) <= _MOST_ROWS:
        axes.set_yticks(range(len(rows)), [f"{n} ({class_names[n]})" for n in rows], fontsize=8)
        axes.set_ylabel("neuron (its class)")
    else:
        axes.set_ylabel("neuron, by first spike")
    axes.grid(axis="y", alpha=0.25, linewidth=0.5)
    axes.set_title(f"{len(neurons)} output spikes", fontsize=9, loc="left")
