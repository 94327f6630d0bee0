"""Pictures of a column: where its neurons spike, and what its readout listens to."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fspinn.answering.present import spikes_by_position
from fspinn.base.errors import ConfigError
from fspinn.model.model import AnyModel, model_of
from fspinn.report.plots.colours import SIGNED, of_weights
from fspinn.report.plots.networks import feature, of_layer, some, tiles

if TYPE_CHECKING:
    from fspinn.datasets.mapped import Images


def spike_places(model: AnyModel, images: "Images", neurons: int = 64, *, seed: int = 0) -> Figure:
    """Draw where in the image each neuron of the first layer spikes, in the order of its receptive fields.

    Parameters
    ----------
    model : Model
        Whose first layer has a field.
    images : ndarray of uint8, MappedImages or Recordings, shape (n, height, width[, channels])
    neurons : int, default 64
        How many to draw, at most.
    seed : int, default 0

    Raises
    ------
    ConfigError
        If the first layer sees the whole image.
    """
    model = model_of(model)
    if model.network.layers[0].field is None:
        raise ConfigError(
            "spike places: the first layer sees the whole image, so it spikes nowhere in particular; draw "
            "its receptive fields"
        )
    rates = 100 * spikes_by_position(model, images, seed=seed)
    chosen = some(np.arange(len(rates)), neurons)
    rows, columns = rates.shape[1:]
    who = f"{len(chosen)} of {len(rates)} neurons{of_layer(model)}"
    title = f"{who} at {rows} x {columns} positions, {len(images):,} images"
    colours = {"cmap": "viridis", "vmin": 0.0, "vmax": max(float(rates[chosen].max()), 1e-9)}
    return tiles(list(rates[chosen]), [str(k) for k in chosen], colours, "spikes in 100 images", title)


def readout_map(model: AnyModel, neurons: int = 16) -> Figure:
    """Draw for which class a spike speaks: a grid of the cells for each neuron of the last layer and class.

    Parameters
    ----------
    model : Model
        Whose last layer has a field.
    neurons : int, default 16
        How many to draw, at most; of more, those whose weights in the readout are largest.

    Raises
    ------
    ConfigError
        If the last layer sees its whole input.
    """
    model = model_of(model)
    last = model.network.layers[-1]
    if last.field is None:
        raise ConfigError(
            "readout map: the last layer sees its whole input and has no cells; draw receptive fields, which "
            "name the class of each neuron"
        )
    n_classes, (rows, columns) = model.readout.n_classes, last.cells
    table = model.readout.table[: model.network.features].reshape(rows, columns, last.neurons, n_classes)
    heaviest = np.argsort(-np.abs(table).sum(axis=(0, 1, 3)), kind="stable")
    chosen = np.sort(heaviest[:neurons])

    # One picture of all grids, a space of one between them, is drawn quicker than one for each.
    high, wide = n_classes * (rows + 1), len(chosen) * (columns + 1)
    whole = np.full((high - 1, wide - 1), np.nan, np.float32)
    for number in range(n_classes):
        for place, neuron in enumerate(chosen):
            top, left = number * (rows + 1), place * (columns + 1)
            whole[top : top + rows, left : left + columns] = table[:, :, neuron, number]
    above = columns + 1 if len(model.network.layers) == 1 else 0
    scale = 0.55 / (columns + 1)
    size = (scale * wide + 2.2, scale * (high + above) + 1.0)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    most = max(float(np.abs(table).max()), 1e-9)
    picture = axes.imshow(whole, cmap=SIGNED, vmin=-most, vmax=most)
    for place, neuron in enumerate(chosen if above else ()):
        start, icon = place * (columns + 1) - 0.5, feature(model, int(neuron))
        where = (start, start + columns, -1.5, -1.5 - columns * icon.shape[0] / icon.shape[1])
        axes.imshow(icon, **of_weights([icon]), extent=where)
    axes.set_xlim(-0.5, wide - 1.5)
    axes.set_ylim(high - 1.5, -0.5 - above)
    axes.set_yticks(np.arange(n_classes) * (rows + 1) + (rows - 1) / 2, model.class_names)
    axes.set_xticks(np.arange(len(chosen)) * (columns + 1) + (columns - 1) / 2, [str(k) for k in chosen])
    axes.set_ylabel("class")
    axes.set_xlabel("neuron, and above what it looks for" if above else "neuron of the last layer")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(
        picture, ax=axes, label="weight of a spike (dark: against the class)", shrink=0.7, aspect=20
    )
    axes.set_title(
        f"each square: the {rows} x {columns} cells of the image; {len(chosen)} of {last.neurons} neurons",
        fontsize=10,
    )
    return figure
