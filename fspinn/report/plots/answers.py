"""Pictures of what a network answers to images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fspinn.answering.predict import predict
from fspinn.answering.present import potential, present
from fspinn.base.errors import ConfigError
from fspinn.model.model import AnyModel, model_of
from fspinn.report.plots.colours import CHOSEN, SHADES
from fspinn.report.plots.networks import preferred_classes, preferred_names

_MOST_NUMBERS = 20
_MOST_ROWS = 16


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
    highest = max(labels.max(), classes.max())
    if highest >= n_classes:
        raise ConfigError(
            f"class_names: {n_classes} names, but a class {highest}, counted from 0; "
            "give the labels of fspinn.evaluate and the names of the model"
        )
    counts = np.bincount(labels * n_classes + classes, minlength=n_classes**2).reshape(n_classes, n_classes)
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
        long = max(map(len, names)) > 3
        axes.set_xticks(range(n_classes), names, rotation=45 if long else 0, ha="right" if long else "center")
        axes.set_yticks(range(n_classes), names)
    axes.set_xlabel("answer of the network")
    axes.set_ylabel("true class")
    axes.set_title(f"{np.mean(labels == classes):.1%} of {len(labels)} images correct", fontsize=10)
    figure.colorbar(picture, label="part of the true class (%)", shrink=0.8)
    return figure


def spike_raster(
    model: AnyModel, image: NDArray[np.uint8], *, seed: int = 0, number: int = 0, label: str | None = None
) -> Figure:
    """Draw input spikes, output spikes and the potential of the most active neuron while an image is shown.

    Parameters
    ----------
    model : Model
    image : ndarray of uint8, shape (height, width)
    seed : int, default 0
    number : int, default 0
        Number of the image; with the seed it fixes the input spikes.
    label : str or None, default None
        What the image really shows, if that is known.
    """
    model = model_of(model)
    shown = present(model, image, seed=seed, number=number)
    answer = predict(model, image[None], seed=seed, first=number, threads=1)
    agrees = preferred_classes(model) == answer.classes[0]
    network = shown.network
    counts = answer.spike_counts[0]
    winner = int(counts.argmax())
    answered = model.class_names[answer.classes[0]] if answer.answered[0] else "nothing"

    figure = Figure(figsize=(9, 6), layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=(1, 4.5), height_ratios=(3, 2.4, 2))
    picture = figure.add_subplot(grid[0, 0])
    picture.imshow(image, cmap="gray", vmin=0, vmax=255)
    picture.set_xticks([])
    picture.set_yticks([])
    picture.set_title(f"{'image' if label is None else f'label: {label}'}\nanswer: {answered}", fontsize=10)
    above = figure.add_subplot(grid[0, 1])
    middle = figure.add_subplot(grid[1, 1], sharex=above)
    below = figure.add_subplot(grid[2, 1], sharex=above)

    steps, inputs = shown.input_spikes.events
    _draw_spikes(above, steps * network.dt_ms, inputs, "black", 2.5)
    above.set_ylabel("input pixel")
    above.set_ylim(model.layer.inputs_used, -1)
    above.set_title(f"{len(steps)} input spikes", fontsize=9, loc="left")
    times_ms = shown.output_steps * network.dt_ms
    _draw_output(middle, times_ms, shown.output_neurons, agrees, preferred_names(model))

    if counts.any():
        firing_threshold = network.layers[0].neuron.firing_threshold
        course = potential(model, shown, winner) / firing_threshold
        times_ms = np.repeat(np.arange(network.steps) * network.dt_ms, 2)
        below.plot(times_ms, course.ravel(), color=SHADES[0], linewidth=0.9)
        level = 1 + model.layer.theta.values[winner] / firing_threshold
        below.axhline(level, color=CHOSEN, linestyle="--", linewidth=1)
        below.set_ylim(top=level + 0.3 * (level - course.min()))
        words = below.text(1, level, "its threshold ", ha="right", va="bottom", fontsize=8, color=CHOSEN)
        words.set_transform(below.get_yaxis_transform())
        below.set_title(f"potential of neuron {winner}, the most active", fontsize=9, loc="left")
    below.set_ylabel("potential\n(initial thresholds)")
    below.set_xlabel("time (ms)")
    below.set_xlim(0, network.steps * network.dt_ms)
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
    for which, colour, name in (
        (speaks, SHADES[0], "speaks for the answer"),
        (~speaks, SHADES[4], "for another"),
    ):
        _draw_spikes(axes, times_ms[which], places[which], colour, 9, label=name)
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
