"""Pictures of a sweep: maps of leak against threshold, or of penalties, and accuracy against costs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fspinn.report.plots.colours import CHOSEN, GREY, MARKS, SHADES
from fspinn.search.swept import PENALTY, SweepPoint, SweepResult, settings_in_words

_PANELS: tuple[tuple[str, str, Callable[[SweepPoint], float]], ...] = (
    ("accuracy (%)", "viridis", lambda point: 100 * (point.accuracy or 0.0)),
    ("output spikes an image", "magma_r", lambda point: point.spikes),
    ("latency (us)", "magma_r", lambda point: 1e6 * (point.latency_s or 0.0)),
)

_ACTIVITY: tuple[tuple[str, Callable[[SweepPoint], float]], ...] = (
    ("output spikes an image", lambda point: point.spikes),
    ("weights that layers add for an image", lambda point: point.synaptic_operations or 0.0),
)


def heat_maps(result: SweepResult) -> Figure:
    """Draw accuracy, spikes and latency side by side, over the sides of a map; a row for each map.

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
            rows, columns, grid = _grid(points, result.sides, value)
            axes.set_facecolor("#dddddd")
            drawn = axes.imshow(
                grid, cmap=colours, vmin=min(every), vmax=max(every), origin="lower", aspect="auto"
            )
            axes.set_xticks(range(len(columns)), list(map(_said, columns)), fontsize=7)
            axes.set_yticks(range(len(rows)), list(map(_said, rows)), fontsize=7)
            names = [side.replace("_", " ") for side in result.sides]
            axes.set_xlabel(names[1], fontsize=8)
            named = settings_in_words(points[0].settings)
            axes.set_ylabel(f"{named}\n{names[0]}" if named and column == 0 else names[0], fontsize=8)
            axes.set_title(title, fontsize=9)
            figure.colorbar(drawn, ax=axes).ax.tick_params(labelsize=7)
            for point, mark in _marked(result, points):
                row, along = (getattr(point, side) for side in result.sides)
                if row in rows and along in columns:
                    place = columns.index(along), rows.index(row)
                    axes.plot(
                        *place, mark, color=CHOSEN, markersize=9, fillstyle="none" if mark == "o" else "full"
                    )
    return figure


def front(result: SweepResult) -> Figure:
    """Draw accuracy against latency of all points; stairs lead along those that none beats.

    Penalties are drawn against what they lower instead: spikes and synaptic operations.
    """
    if result.sides == PENALTY:
        return _by_penalty(result)
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for number, points in enumerate(result.maps):
        shade, mark = SHADES[number % len(SHADES)], MARKS[number % len(MARKS)]
        some = [point for point in points if point.accuracy is not None]
        named = settings_in_words(points[0].settings) or None
        axes.plot(*_places(some), mark, color=shade, markersize=4, alpha=0.7, label=named)
        defaults = [point for point in some if point.is_default]
        axes.plot(*_places(defaults), "o", color=shade, markersize=11, fillstyle="none")
    axes.step(*_places(result.front), where="post", color=GREY, linewidth=1)
    axes.set_xlabel(f"latency on {result.hardware}, a model (us); a ring is the default")
    _finish(axes)
    return figure


def _by_penalty(result: SweepResult) -> Figure:
    figure = Figure(figsize=(9.5, 4.2), layout="constrained")
    for axes, (title, cost) in zip(figure.subplots(1, 2, sharey=True), _ACTIVITY, strict=True):
        kinds = list(dict.fromkeys(point.penalty for point in result.measured))
        for number, kind in enumerate(kinds):
            shade, mark = SHADES[number % len(SHADES)], MARKS[number % len(MARKS)]
            some = sorted((p for p in result.measured if p.penalty == kind), key=cost)
            accuracies = [100 * (point.accuracy or 0.0) for point in some]
            axes.plot(list(map(cost, some)), accuracies, f"{mark}-", color=shade, markersize=4, label=kind)
        defaults = [point for point in result.measured if point.is_default]
        accuracies = [100 * (point.accuracy or 0.0) for point in defaults]
        axes.plot(list(map(cost, defaults)), accuracies, "o", color=GREY, markersize=11, fillstyle="none")
        axes.set_xscale("log")
        axes.set_xlabel(f"{title}; a ring is the default")
        _finish(axes)
    return figure


def _finish(axes: Any) -> None:
    axes.set_ylabel("accuracy on validation images (%)")
    axes.grid(alpha=0.25, linewidth=0.5)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=8, frameon=False)


def _said(side: Any) -> str:
    if side is None:
        return "default"
    return side if isinstance(side, str) else f"{side:.3g}"


def _grid(
    points: Sequence[SweepPoint], sides: tuple[str, str], value: Callable[[SweepPoint], float]
) -> tuple[list[Any], list[Any], Any]:
    """Return rows, columns and values of a map; the default only where the grid has it."""
    inside = [p for p in points if not p.is_default] or list(points)
    rows, columns = (_sorted({getattr(p, side) for p in inside}) for side in sides)
    grid = np.full((len(rows), len(columns)), np.nan)
    for point in points:
        row, along = (getattr(point, side) for side in sides)
        if point.accuracy is not None and row in rows and along in columns:
            grid[rows.index(row), columns.index(along)] = value(point)
    return rows, columns, grid


def _sorted(values: set[Any]) -> list[Any]:
    return sorted(values, key=lambda one: (one is not None, one))


def _marked(result: SweepResult, points: Sequence[SweepPoint]) -> list[tuple[SweepPoint, str]]:
    found = [(point, "o") for point in points if point.is_default]
    return found + [(trade.point, "*") for trade in result.trades if trade.point in points and trade.fastest]


def _places(points: Sequence[SweepPoint]) -> tuple[list[float], list[float]]:
    return [1e6 * (point.latency_s or 0.0) for point in points], [100 * (p.accuracy or 0.0) for p in points]
