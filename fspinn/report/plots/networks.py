"""Pictures of what a network has learned, and how."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.model.model import AnyModel, Model, model_of
from fspinn.network.inputs import Delta, Events, Level, LevelDelta, NoContrast, OnOff
from fspinn.report.plots.colours import CHOSEN, GREY, SHADES, of_weights

_WAYS = {
    NoContrast.kind: ("",),
    OnOff.kind: ("ON", "OFF"),
    Level.kind: ("ON", "OFF"),
    Delta.kind: ("up", "down"),
    LevelDelta.kind: ("ON", "OFF", "up", "down"),
}
"""What a contrast makes of each channel, in the order of its channels."""


MOST_INCHES = 14
"""Width of tiles together, at most."""


def preferred_classes(model: Model) -> NDArray[np.int64]:
    """Return the class that each neuron speaks for most, -1 where it speaks for none; shape (n_neurons,)."""
    table = model.readout.table[: model.network.features]
    return np.where(table.any(axis=1), table.argmax(axis=1), -1)


def preferred_names(model: Model) -> list[str]:
    """Return the name of the class that each neuron speaks for most; "-" for none."""
    return ["-" if number < 0 else model.class_names[number] for number in preferred_classes(model)]


def receptive_fields(model: AnyModel, neurons: int = 64) -> Figure:
    """Draw the weights of neurons as images, sorted by the class that each speaks for most.

    Of a network with a field, or of several layers, the neurons of the first layer in their order; channels
    lie side by side, of colours ON above OFF, of signals one below the other, as the title says.

    Parameters
    ----------
    model : Model
    neurons : int, default 64
        How many to draw, at most; of more neurons some of each class are drawn.
    """
    model = model_of(model)
    first = model.network.layers[0]
    if first.field is None and len(model.layers) == 1:
        # Eight small letters are as wide as a field.
        names = [name if len(name) <= 8 else f"{name[:7]}\u2026" for name in preferred_names(model)]
        chosen, called = np.argsort(preferred_classes(model), kind="stable"), "the class of each"
    else:  # what a neuron speaks for is another class in each cell
        names, chosen = [str(neuron) for neuron in range(first.neurons)], np.arange(first.neurons)
        called = "the number of each"
    fields = [feature(model, neuron) for neuron in some(chosen, neurons)]
    shown = [names[neuron] for neuron in some(chosen, neurons)]
    title = f"{len(fields)} of {first.neurons} neurons{of_layer(model)}, with {called}{_arrangement(model)}"
    return tiles(fields, shown, of_weights(fields), "weight", title)


def channel_names(model: Model) -> list[str]:
    """Return what the channels are called that a first layer sees."""
    network, shape = model.network, model.image_shape
    channels = shape[2] if len(shape) > 2 else 1
    if network.encoder.kind == Events.kind:
        return ["OFF", "ON"]
    names = [""] if channels == 1 else [f"channel {number} " for number in range(channels)]
    if channels == 3 and model.scale is None:
        names = ["red ", "green ", "blue "]
    contrast = network.contrast
    if isinstance(contrast, OnOff) and contrast.of == "colours":
        names = ["brightness ", "red-green ", "blue-yellow "]
    return [f"{name}{way}".strip() for name in names for way in _WAYS[contrast.kind]]


def _arrangement(model: Model) -> str:
    """Return where `feature` draws which channel, in a line of its own; nothing if there is only one."""
    names = channel_names(model)
    if len(names) == 1:
        return ""
    height, _ = model.network.layers[0].field or model.network.input_shape(model.image_shape)[:2]
    if height == 1:
        return f"\nrows from above: {', '.join(names)}"
    if _rows_of_channels(len(names)) == 1:
        return f"\nfrom left: {', '.join(names)}"
    return f"\nabove, from left: {', '.join(names[::2])}; below: {', '.join(names[1::2])}"


def _rows_of_channels(channels: int) -> int:
    return 2 if channels > 2 and channels % 2 == 0 else 1


def of_layer(model: Model, number: int = 1) -> str:
    """Return words that name a layer, where there are several."""
    return f" of layer {number}" if len(model.layers) > 1 else ""


def feature(model: Model, neuron: int) -> NDArray[np.float32]:
    """Return the weights of a neuron of the first layer as an image, its channels side by side.

    Of colours ON lies above OFF, of signals each channel is a row.
    """
    height, width, channels = model.network.input_shape(model.image_shape)
    height, _ = model.network.layers[0].field or (height, width)
    apart = model.layers[0].weights.values[:, neuron].reshape(height, -1, channels)
    if height == 1:
        rows_of_a_signal: NDArray[np.float32] = apart[0].T
        return rows_of_a_signal
    rows = _rows_of_channels(channels)
    framed = np.pad(apart, ((0, 1), (0, 1), (0, 0)), constant_values=np.nan)
    lines = [np.concatenate(list(np.moveaxis(framed[..., k::rows], 2, 0)), axis=1) for k in range(rows)]
    drawn: NDArray[np.float32] = np.concatenate(lines)[:-1, :-1]
    return drawn


def some(numbers: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return so many of some numbers at most, evenly spaced."""
    chosen: NDArray[np.int64] = numbers[np.linspace(0, len(numbers) - 1, min(most, len(numbers))).astype(int)]
    return chosen


def tiles(
    pictures: Sequence[NDArray[Any]], names: Sequence[str], colours: Mapping[str, Any], label: str, title: str
) -> Figure:
    """Draw small pictures of one size side by side, with a name above each and one bar of colours.

    `colours` as for `imshow`.
    """
    height, width = pictures[0].shape
    columns = _columns(len(pictures), height / width)
    rows = int(np.ceil(len(pictures) / columns))
    # One picture with space above each tile is drawn ten times as quickly as one picture for each.
    between = max(1, round(0.12 * width))
    inch = min(0.62 / min(height, width), MOST_INCHES / (columns * (width + between)))
    above = max(1, round(0.35 * height), int(np.ceil(0.17 / inch)))  # a name takes 0.17 inches
    whole = np.full((rows * (above + height), columns * (width + between) - between), np.nan, np.float32)
    lines = title.split("\n")
    breadth = max(inch * whole.shape[1], 0.075 * max(map(len, lines))) + 0.9
    depth = inch * whole.shape[0] + 0.2 + 0.2 * len(lines)
    figure = Figure(figsize=(breadth, depth), layout="constrained")
    axes = figure.subplots()
    size = 8 if max(map(len, names)) <= 3 else 6
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        top, left = row * (above + height) + above, column * (width + between)
        whole[top : top + height, left : left + width] = picture
        axes.text(left + (width - 1) / 2, top - 1, names[place], ha="center", va="bottom", fontsize=size)
    image = axes.imshow(whole, **colours)
    axes.axis("off")
    axes.set_title(title, fontsize=10)
    bar = figure.colorbar(image, ax=axes, shrink=min(1.0, 3 / rows), aspect=12, pad=0.02)
    bar.locator = MaxNLocator(5 if rows > 1 else 3)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return figure


def _columns(pictures: int, height_to_width: float) -> int:
    """Return in how many columns to draw pictures: a little wider than high, and few places left empty."""
    narrow, wide = (int(np.ceil(np.sqrt(pictures * part * height_to_width))) for part in (1.6, 4.0))
    return min(range(narrow, max(narrow, min(wide, 12)) + 1), key=lambda columns: -pictures % columns)


def thresholds(model: AnyModel, spike_counts: NDArray[np.int32]) -> Figure:
    """Draw how thresholds and firing rates are spread over the neurons.

    Parameters
    ----------
    model : Model
    spike_counts : ndarray of int32, shape (n, features)
        Responses to images, as `fspinn.predict` gives them.
    """
    model = model_of(model)
    network = model.network.answering
    neuron = network.layers[-1].neuron
    levels = (neuron.firing_threshold + model.layers[-1].theta.values) / float(neuron.weight_norm or 1.0)
    in_cells = spike_counts.reshape(len(spike_counts), -1, network.layers[-1].neurons)
    rates_hz = np.sort(in_cells.sum(axis=1).mean(axis=0) / (network.duration_ms / 1000))[::-1]
    silent = int(np.count_nonzero(rates_hz == 0))

    figure = Figure(figsize=(8.5, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.hist(levels, bins=25, color=SHADES[0])
    left.axvline(neuron.threshold, color=CHOSEN, linestyle="--")
    left.set_xlabel("firing threshold (weight norms)")
    left.set_ylabel("neurons")
    left.yaxis.set_major_locator(MaxNLocator(integer=True))
    left.set_title(
        f"thresholds {levels.mean():.1f} ± {levels.std():.1f}; dashed: without adaptation", fontsize=10
    )

    right.fill_between(np.arange(len(rates_hz) + 1), np.append(rates_hz, 0), step="post", color=SHADES[0])
    right.axhline(rates_hz.mean(), color=GREY, linestyle="--", label=f"mean {rates_hz.mean():.2g} Hz")
    right.set_xlim(0, len(rates_hz))
    right.set_ylim(bottom=0)
    right.set_xlabel("neuron, the most active first")
    right.set_ylabel("firing rate (Hz)")
    right.legend(frameon=False, fontsize=9)
    right.set_title(f"firing over {len(spike_counts)} images: {silent} neurons silent", fontsize=10)
    return figure


def learning_curve(model: AnyModel) -> Figure:
    """Draw the course of a training: running accuracy and output spikes (see `fspinn.learning.curve`).

    Raises
    ------
    ConfigError
        If the model does not keep the course of its training.
    """
    model = model_of(model)
    curve = model.record.get("learning_curve")
    if curve is None:
        raise ConfigError("learning_curve: not in the model; train it again with this fspinn")
    accuracy = [np.nan if part is None else 100 * part for part in curve["accuracy"]]
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for axes, values, colour in ((upper, accuracy, SHADES[0]), (lower, curve["output_spikes"], SHADES[4])):
        axes.plot(curve["presentations"], values, "o-", color=colour, markersize=3, linewidth=1.2)
        axes.grid(alpha=0.25, linewidth=0.5)
    upper.set_ylabel("running accuracy (%)")
    lower.set_ylim(bottom=0)
    lower.set_ylabel("output spikes\nan image")
    lower.set_xlabel("training images shown")
    lower.xaxis.set_major_formatter("{x:,.0f}")
    figure.suptitle(
        f"{model.network.neurons} neurons learn; accuracy on the images as they are learned from", fontsize=10
    )
    return figure
