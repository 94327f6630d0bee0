"""Pictures of what a network has learned, and how."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.model.model import AnyModel, Model, model_of
from fspinn.report.plots.colours import CHOSEN, GREY, SHADES


def preferred_classes(model: Model) -> NDArray[np.int64]:
    """Return the class that each neuron speaks for most, -1 where it speaks for none; shape (n_neurons,)."""
    table = model.readout.table
    return np.where(table.any(axis=1), table.argmax(axis=1), -1)


def preferred_names(model: Model) -> list[str]:
    """Return the name of the class that each neuron speaks for most; "-" for none."""
    return ["-" if number < 0 else model.class_names[number] for number in preferred_classes(model)]


def receptive_fields(model: AnyModel, neurons: int = 64) -> Figure:
    """Draw the weights of neurons as images, sorted by the class that each speaks for most.

    Of a network with a field, or of several layers, the neurons of the first layer in their order; channels
    lie side by side.

    Parameters
    ----------
    model : Model
    neurons : int, default 64
        How many to draw, at most; of more neurons some of each class are drawn.
    """
    model = model_of(model)
    first, weights = model.network.layers[0], model.layers[0].weights.values
    height, width, channels = model.network.input_shape(model.image_shape)
    if first.field is None and len(model.layers) == 1:
        # Eight small letters are as wide as a field.
        names = [name if len(name) <= 8 else f"{name[:7]}\u2026" for name in preferred_names(model)]
        chosen, called = np.argsort(preferred_classes(model), kind="stable"), "the class of each"
    else:  # what a neuron speaks for is another class in each cell
        names, chosen = [str(neuron) for neuron in range(first.neurons)], np.arange(first.neurons)
        called = "the number of each"
        height, width = first.field or (height, width)
    size = 8 if max(map(len, names)) <= 3 else 6
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(neurons, len(chosen))).astype(int)]
    columns = int(np.ceil(np.sqrt(len(chosen) * 1.6)))
    rows = int(np.ceil(len(chosen) / columns))
    width *= channels  # side by side
    # One picture with space above each field is drawn ten times as quickly as one picture for each.
    above, between = max(1, round(0.35 * height)), max(1, round(0.12 * width))
    tiles = np.full((rows * (above + height), columns * (width + between) - between), np.nan, np.float32)
    figure = Figure(figsize=(0.62 * columns + 1.0, 0.62 * rows * (1 + above / height) + 0.5))
    axes = figure.subplots()
    for place, neuron in enumerate(chosen):
        row, column = divmod(place, columns)
        top, left = row * (above + height) + above, column * (width + between)
        tiles[top : top + height, left : left + width] = _tile(weights[:, neuron], channels, height)
        axes.text(left + (width - 1) / 2, top - 1, names[neuron], ha="center", va="bottom", fontsize=size)
    picture = axes.imshow(tiles, cmap="magma", vmin=0, vmax=max(float(np.nanmax(tiles)), 1e-9))
    axes.axis("off")
    figure.colorbar(picture, ax=axes, label="weight", shrink=min(1.0, 3 / rows), aspect=12, pad=0.02)
    axes.set_title(f"{len(chosen)} of {first.neurons} neurons, with {called}", fontsize=10)
    return figure


def _tile(weights: NDArray[np.float32], channels: int, height: int) -> NDArray[np.float32]:
    """Return the weights of a neuron as an image, its channels side by side."""
    apart: NDArray[np.float32] = weights.reshape(height, -1, channels)
    return np.concatenate(np.moveaxis(apart, 2, 0), axis=1)


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
