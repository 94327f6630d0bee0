"""Pictures of a sweep: maps of leak against threshold, and accuracy against latency."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fspinn.report.plots.colours import CHOSEN, GREY, SHADES
from fspinn.search.swept import SweepPoint, SweepResult, settings_in_words

_PANELS: tuple[tuple[str, str, Callable[[SweepPoint], float]], ...] = (
    ("accuracy (%)", "viridis", lambda point: 100 * (point.accuracy or 0.0)),
    ("output spikes an image", "magma_r", lambda point: point.spikes),
    ("latency (us)", "magma_r", lambda point: 1e6 * (point.latency_s or 0.0)),
)


def heat_maps(result: SweepResult) -> Figure:
    """Draw accuracy, spikes and latency side by side, over beta and threshold; a row for each map.

    What could not be measured stays grey. A circle is the default, where the grid has it, a star what takes
    the least latency without losing more than `fspinn.search.swept.MOST_LOST`. Colours of a column mean the
    same in all rows.
    """
    maps = result.maps
    figure = Figure(figsize=(11, 0.6 + 2.9 * len(maps)), layout="constrained")
    panels = figure.subplots(len(maps), len(_PANELS), squeeze=False)
    for column, (title, colours, value) in enumerate(_PANELS):
        every = [value(point) for point in result.measured]
        for places, points in zip(panels, maps, strict=True):
            axes = places[column]
            betas, thresholds, grid = _grid(points, value)
            axes.set_facecolor("#dddddd")
            drawn = axes.imshow(
                grid, cmap=colours, vmin=min(every), vmax=max(every), origin="lower", aspect="auto"
            )
            axes.set_xticks(range(len(thresholds)), [f"{one:.3g}" for one in thresholds], fontsize=7)
            axes.set_yticks(range(len(betas)), [f"{one:.3g}" for one in betas], fontsize=7)
            axes.set_xlabel("threshold", fontsize=8)
            named = settings_in_words(points[0].settings)
            axes.set_ylabel(f"{named}\nbeta" if named and column == 0 else "beta", fontsize=8)
            axes.set_title(title, fontsize=9)
            figure.colorbar(drawn, ax=axes).ax.tick_params(labelsize=7)
            for point, mark in _marked(result, points):
                if point.beta in betas and point.threshold in thresholds:
                    place = thresholds.index(point.threshold), betas.index(point.beta)
                    axes.plot(
                        *place, mark, color=CHOSEN, markersize=9, fillstyle="none" if mark == "o" else "full"
                    )
    return figure


def front(result: SweepResult) -> Figure:
    """Draw accuracy against latency of all points; stairs lead along those that none beats."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for points, shade in zip(result.maps, SHADES * len(result.maps), strict=False):
        some = [point for point in points if point.accuracy is not None]
        named = settings_in_words(points[0].settings) or None
        axes.plot(*_places(some), "o", color=shade, markersize=4, alpha=0.7, label=named)
        defaults = [point for point in some if point.is_default]
        axes.plot(*_places(defaults), "o", color=shade, markersize=11, fillstyle="none")
    axes.step(*_places(result.front), where="post", color=GREY, linewidth=1)
    axes.set_xlabel(f"latency on {result.hardware}, a model (us); a ring is the default")
    axes.set_ylabel("accuracy on validation images (%)")
    axes.grid(alpha=0.25, linewidth=0.5)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=8, frameon=False)
    return figure


def _grid(
    points: Sequence[SweepPoint], value: Callable[[SweepPoint], float]
) -> tuple[list[float], list[float], Any]:
    """Return the betas, the thresholds and the values of a map; the default only where the grid has it."""
    inside = [p for p in points if not p.is_default] or list(points)
    betas, thresholds = sorted({p.beta for p in inside}), sorted({p.threshold for p in inside})
    grid = np.full((len(betas), len(thresholds)), np.nan)
    for point in points:
        if point.accuracy is not None and point.beta in betas and point.threshold in thresholds:
            grid[betas.index(point.beta), thresholds.index(point.threshold)] = value(point)
    return betas, thresholds, grid


def _marked(result: SweepResult, points: Sequence[SweepPoint]) -> list[tuple[SweepPoint, str]]:
    found = [(point, "o") for point in points if point.is_default]
    return found + [(trade.point, "*") for trade in result.trades if trade.point in points and trade.fastest]


def _places(points: Sequence[SweepPoint]) -> tuple[list[float], list[float]]:
    return [1e6 * (point.latency_s or 0.0) for point in points], [100 * (p.accuracy or 0.0) for p in points]
