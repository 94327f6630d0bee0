"""Pictures of one image and the positions of a field: which neuron spikes where, and why at this one."""

from typing import Any

import numpy as np
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import label as connected

from fspinn.answering.predict import Prediction, predict
from fspinn.answering.present import Presentation, Sample, batch_of, potential, present
from fspinn.base.errors import ConfigError
from fspinn.datasets.events import Recordings
from fspinn.model.model import AnyModel, Model, model_of
from fspinn.network.encoders import pooled
from fspinn.network.geometry import Geometry
from fspinn.report.plots.colours import CHOSEN, GREY, RAINBOW, SHADES, of_weights
from fspinn.report.plots.networks import feature, of_layer

_FEATURES_IN_A_ROW, _MOST_FEATURES = 12, 24
"""Below a spike map, where they are still legible."""

_FEW_STEPS = 16
"""Time steps that have a colour each in a bar."""


def spike_map(
    model: AnyModel,
    image: Sample,
    *,
    features: Any = None,
    seed: int = 0,
    number: int = 0,
    label: str | None = None,
) -> Figure:
    """Draw which neuron of the first layer spikes first at each position of its field, and when.

    Neurons that look for similar things have similar colours; where a neuron wins at many neighbouring
    positions its number stands among them.

    Parameters
    ----------
    model : Model
        Whose first layer has a field.
    image : ndarray of uint8, shape (height, width[, channels]), or Recordings of one
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
        If the first layer sees the whole image.
    """
    model = model_of(model)
    shown = present(model, image, seed=seed, number=number)
    answer = predict(model, batch_of(image), features=features, seed=seed, first=number, threads=1)
    geometry = shown.layer.geometry
    if geometry is None:
        raise ConfigError(
            "spike map: the first layer sees the whole image, so it has no positions; draw a spike raster"
        )
    neurons, steps = _first_spikes(shown, geometry)
    counts = np.bincount(neurons[neurons >= 0], minlength=shown.layer.neurons)
    colours = _colours(model)
    often = np.argsort(-counts, kind="stable")[:_MOST_FEATURES]
    often = often[counts[often] > 0]

    rows = max(1, -(-len(often) // _FEATURES_IN_A_ROW))
    figure = Figure(figsize=(9.6, 3.5 + 0.85 * rows), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=(3.3, 0.2 + 0.85 * rows))
    left, middle, right = parts[0].subplots(1, 3)
    draw_image(left, picture_of(image))
    left.set_title(in_words(model, answer, label), fontsize=10)
    winners = colours[neurons]
    winners[neurons < 0] = 0  # transparent
    middle.imshow(winners, interpolation="nearest")
    _number_regions(middle, neurons, least=max(2, neurons.size // (150 if geometry.rows > 1 else 25)))
    middle.set_title(
        f"who{of_layer(model)} spikes first: {counts.sum()} of {neurons.size} positions", fontsize=10
    )
    middle.set_ylabel("row of the position")
    _draw_times(right, np.where(steps < 0, np.nan, steps), shown)
    for axes in (middle, right):
        _draw_cells(axes, geometry)
        axes.set_xlabel("column of the position")
        if geometry.rows == 1:
            axes.set_aspect("auto")
            axes.set_box_aspect(_OF_A_SIGNAL)
            axes.set_yticks([])
            axes.set_ylabel("")
    for axes, neuron in zip(parts[1].subplots(rows, _FEATURES_IN_A_ROW).flat, often, strict=False):
        looked_for = feature(model, neuron)
        axes.imshow(looked_for, **of_weights([looked_for]))
        axes.spines[:].set(color=colours[neuron], linewidth=3)
        axes.set_title(f"{neuron}: {counts[neuron]}", fontsize=8)
    for axes in parts[1].axes:
        axes.set(xticks=[], yticks=[])
    for axes in parts[1].axes[len(often) :]:
        axes.axis("off")
    said = "what these neurons look for; number of the neuron: positions where it spikes first"
    parts[1].suptitle(said if len(often) else "no neuron spikes", fontsize=9)
    return figure


def _number_regions(axes: Any, neurons: NDArray[np.int64], least: int) -> None:
    """Write a neuron's number on each region of so many neighbouring positions where it wins."""
    around = [withStroke(linewidth=1.2, foreground="white")]
    for neuron in np.unique(neurons[neurons >= 0]):
        regions, count = connected(neurons == neuron)
        for places in (np.argwhere(regions == number) for number in range(1, count + 1)):
            if len(places) >= least:
                away = np.abs(places - places.mean(axis=0)).sum(axis=1)
                row, column = places[away.argmin()]  # the mean itself may lie outside
                axes.text(
                    column, row, str(neuron), ha="center", va="center", fontsize=6.5, path_effects=around
                )


def _draw_times(axes: Any, steps: NDArray[np.float64], shown: Presentation) -> None:
    """Draw the time step of the first spike at each position, NaN where there is none."""
    few, dt_ms = shown.steps <= _FEW_STEPS, shown.plan.dt_ms
    times_ms = np.arange(shown.steps) * dt_ms
    limits = BoundaryNorm((np.arange(shown.steps + 1) - 0.5) * dt_ms, 256) if few else None
    picture = axes.imshow(steps * dt_ms, cmap="viridis_r", norm=limits, interpolation="nearest")
    axes.set_title("when", fontsize=10)
    ticks = times_ms if few else None
    axes.figure.colorbar(picture, ax=axes, label="time of the spike (ms)", shrink=0.8, ticks=ticks)


def position_raster(
    model: Model,
    image: Sample,
    position: tuple[int, int] | None,
    *,
    features: Any,
    seed: int,
    number: int,
    label: str | None,
) -> Figure:
    """Draw what `fspinn.plots.spike_raster` does of a first layer with a field."""
    shown = present(model, image, seed=seed, number=number)
    answer = predict(model, batch_of(image), features=features, seed=seed, first=number, threads=1)
    geometry, plan = shown.layer.geometry, shown.plan
    assert geometry is not None
    row, column = _liveliest(shown, geometry) if position is None else position
    if not (0 <= row < geometry.rows and 0 <= column < geometry.columns):
        raise ConfigError(
            f"position: {row},{column} is outside the {geometry.rows} x {geometry.columns} positions; give "
            f"row and column from 0,0 to {geometry.rows - 1},{geometry.columns - 1}"
        )
    place = row * geometry.columns + column
    here = shown.output_positions == place
    spikes = list(zip(shown.output_steps[here].tolist(), shown.output_neurons[here].tolist(), strict=True))

    figure = Figure(figsize=(9, 5.4), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=(1, 4))
    left, right = halves
    pictures = left.subplots(3, 1)
    # Positions lie on what the field sees, which are means where the network pools.
    picture = picture_of(
        image if isinstance(image, Recordings) else pooled(image[None], model.network.pool)[0]
    )
    draw_image(pictures[0], picture)
    pictures[0].set_title(in_words(model, answer, label), fontsize=9)
    (y, x), (height, width) = geometry.corners[place].tolist(), geometry.field
    if len(picture) == 1:
        pictures[0].axvspan(x - 0.5, x + width - 0.5, color=CHOSEN, alpha=0.2, linewidth=0)
    else:
        frame = Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=CHOSEN, linewidth=1.5)
        pictures[0].add_patch(frame)
    draw_image(pictures[1], picture[y : y + height, x : x + width])
    pictures[1].set_title(f"position {row},{column}{of_layer(model)} sees", fontsize=9)
    pictures[2].axis("off")
    if spikes:
        looked_for = feature(model, spikes[0][1])
        pictures[2].imshow(looked_for, **of_weights([looked_for]))
        pictures[2].set_title(f"neuron {spikes[0][1]} looks for", fontsize=9)

    above, below = right.subplots(2, 1, sharex=True, height_ratios=(2, 3))
    steps, inputs = shown.input_spikes.seen_from(geometry, place).events
    above.plot(steps * plan.dt_ms, inputs, "|", color="black", markersize=6, markeredgewidth=1.3)
    above.set_ylim(geometry.fan_in - 0.5, -0.5)
    above.set_ylabel("input of the field")
    above.set_title(f"{len(inputs)} input spikes", fontsize=9, loc="left")
    _draw_potentials(below, shown, place, spikes)
    below.set_xlabel("time (ms)")
    below.set_xlim(-0.02 * shown.steps * plan.dt_ms, shown.steps * plan.dt_ms)
    right.align_ylabels([above, below])
    return figure


def _draw_potentials(axes: Any, shown: Presentation, place: int, spikes: list[tuple[int, int]]) -> None:
    """Draw how far all potentials are from their thresholds, and the spikes of those that get there."""
    layer, dt_ms, stop = shown.layer, shown.plan.dt_ms, shown.steps
    ends = layer.inhibition == "first" and bool(spikes)
    if ends:
        stop = spikes[0][0] + 1
    scale = float(layer.firing_threshold)
    colours = dict(zip(dict.fromkeys(neuron for _, neuron in spikes), (CHOSEN, *SHADES), strict=False))
    times_ms = np.repeat(np.arange(stop + 1), 3)[:-2] * dt_ms
    drawn = slice(-2 if ends else None)  # what remains after a spike that ends all is never computed
    for neuron in sorted(range(layer.neurons), key=colours.__contains__):  # those that spike on top
        level = float(layer.thresholds[neuron])
        compared, left = (potential(shown, neuron, place)[:stop].T - level) / scale
        course = np.append(-level / scale, np.stack([compared, left, left], axis=1))
        colour, width = (colours[neuron], 1.8) if neuron in colours else (GREY, 0.7)
        axes.plot(times_ms[drawn], course[drawn], color=colour, linewidth=width)
        if ends:
            axes.plot((stop - 1) * dt_ms, compared[-1], "o", color=colour, markersize=2.5)
        if neuron in colours:
            at = np.array([step for step, spiking in spikes if spiking == neuron])
            axes.plot(at * dt_ms, compared[at], "*", color=colour, markersize=12)
            side, away = ("right", -9) if at[0] > 0.8 * shown.steps else ("left", 9)
            more = {"xytext": (away, 0), "textcoords": "offset points", "ha": side, "va": "center"}
            place_of = at[0] * dt_ms, compared[at[0]]
            axes.annotate(f"neuron {neuron}", place_of, color=colour, fontsize=9, **more)
    axes.axhline(0, color="black", linestyle="--", linewidth=1)
    axes.text(0.005, 0, "threshold", va="bottom", fontsize=8, transform=axes.get_yaxis_transform())
    axes.margins(y=0.1)
    axes.set_ylabel("potential above own threshold\n(initial thresholds)")
    silent = "no neuron spikes" if layer.inhibition == "ranked" else "no neuron reaches its threshold"
    said = f"output spikes: {len(spikes)}" if spikes else silent
    if ends:
        step, winner = spikes[0]
        said = f"neuron {winner} is furthest above its threshold at {step * dt_ms:g} ms and ends the "
        said += "presentation at this position"
        axes.axvspan(step * dt_ms, shown.steps * dt_ms, color=GREY, alpha=0.12, linewidth=0)
    axes.set_title(said, fontsize=9, loc="left")


def _liveliest(shown: Presentation, geometry: Geometry) -> tuple[int, int]:
    """Return row and column of the position that sees input in the most time steps until its first spike."""
    _, ends = _first_spikes(shown, geometry)
    steps, inputs = shown.input_spikes.events
    seen = np.zeros((shown.plan.steps, geometry.height, geometry.width), np.bool_)
    seen[(steps, *geometry.places[inputs, :2].T)] = True
    every = geometry.stride
    windows = [sliding_window_view(step, geometry.field)[::every, ::every].any(axis=(2, 3)) for step in seen]
    until = np.arange(len(seen))[:, None, None] <= ends
    lively = (np.stack(windows) & until).sum(axis=0)
    row, column = np.unravel_index(int(lively.argmax()), lively.shape)
    return int(row), int(column)


def _first_spikes(shown: Presentation, geometry: Geometry) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return neuron and time step of the first spike at each position, -1 where there is none."""
    neurons = np.full(geometry.positions, -1)
    steps = neurons.copy()
    # Written from the last spike to the first, so that the first one stays.
    for values, found in ((shown.output_neurons, neurons), (shown.output_steps, steps)):
        found[shown.output_positions[::-1]] = values[::-1]
    shape = geometry.rows, geometry.columns
    return neurons.reshape(shape), steps.reshape(shape)


def _colours(model: Model) -> NDArray[np.float64]:
    """Return a colour for each neuron of the first layer: similar ones for similar weights."""
    weights = model.layers[0].weights.values.T.astype(np.float64)
    _, _, directions = np.linalg.svd(weights - weights.mean(axis=0), full_matrices=False)
    along = np.zeros((len(weights), 2))
    along[:, : len(directions)] = (weights - weights.mean(axis=0)) @ directions[:2].T
    rank = np.argsort(np.argsort(np.arctan2(along[:, 1], along[:, 0]), kind="stable"))
    rainbow = LinearSegmentedColormap.from_list("rainbow", RAINBOW)
    colours: NDArray[np.float64] = rainbow(rank / max(len(weights) - 1, 1))
    return colours


_OF_A_SIGNAL = 0.6
"""Height of the pictures of a signal, as part of their width."""


def picture_of(image: Sample) -> NDArray[Any]:
    """Return grey or colours of an image; of a recording how many events each pixel has, up to 255."""
    if isinstance(image, Recordings):
        counts: NDArray[np.float64] = image.frames()[0].sum(axis=2, dtype=np.float64)
        counts *= 255 / max(counts.max(), 1)
        return counts
    # Of a signal each channel is a curve.
    return image if image.ndim == 2 or len(image) == 1 or image.shape[2] == 3 else image.mean(axis=2)


def draw_image(axes: Any, picture: NDArray[Any]) -> None:
    if len(picture) == 1:  # a signal
        axes.plot(picture[0], linewidth=1)
        axes.set_ylim(-5, 260)
        axes.set_xlim(-0.5, picture.shape[1] - 0.5)
        axes.set_box_aspect(_OF_A_SIGNAL)
        return
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([])


def _draw_cells(axes: Any, geometry: Geometry) -> None:
    """Draw the borders of cells, on a picture of all positions."""
    cells = geometry.cell_of.reshape(geometry.rows, geometry.columns)
    for border in np.flatnonzero(np.diff(cells[0])) + 0.5:
        axes.axvline(border, color=GREY, linewidth=0.8)
    for border in np.flatnonzero(np.diff(cells[:, 0])) + 0.5:
        axes.axhline(border, color=GREY, linewidth=0.8)


def in_words(model: Model, answer: Prediction, label: str | None) -> str:
    """Return what an image shows, if that is known, and what the network says."""
    answered = model.class_names[answer.classes[0]] if answer.answered[0] else "nothing"
    return f"{'image' if label is None else f'label: {label}'}\nanswer: {answered}"
