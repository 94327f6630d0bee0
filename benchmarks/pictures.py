"""Pictures of results, beside their tables: accuracy against what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    MaxNLocator,
    NullFormatter,
    StrMethodFormatter,
)
from tables import ROOT

from fspinn.report.plots.colours import MARKS, SHADES
from fspinn.report.plots.saving import save

LEAST_TICKS = 3
"""On an axis of costs."""


@dataclass(frozen=True)
class Series:
    """Points of one kind: what each costs, and its accuracy (%); a line leads along them if it is asked."""

    name: str
    costs: Sequence[float]
    accuracies: Sequence[float]
    line: str = ""


@dataclass(frozen=True)
class Panel:
    """Some series on the same axes, from an accuracy on."""

    title: str
    cost: str
    series: Sequence[Series]
    lowest: float


def round_costs(low: float, high: float) -> list[float]:
    """Return some round numbers between two, for a logarithmic axis.

    >>> round_costs(180, 3300), round_costs(12_000, 34_000)
    ([200.0, 500.0, 1000.0, 2000.0], [15000.0, 20000.0, 25000.0, 30000.0])
    """
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))))
    apart = [first * 10.0**power for power in powers for first in (1, 2, 5)]
    ticks = [tick for tick in apart if low <= tick <= high]
    if len(ticks) >= LEAST_TICKS:
        return ticks
    evenly = MaxNLocator(5, steps=(1, 2, 5, 10)).tick_values(low, high)
    return [float(tick) for tick in evenly if low <= tick <= high]


def draw(name: str, rows: Sequence[Sequence[Panel]]) -> None:
    """Write ``docs/NAME.png``; a colour and a mark mean the same in all panels."""
    width = max(map(len, rows))
    figure = Figure(figsize=(4.2 * width, 2.6 * len(rows)), layout="constrained")
    places = figure.subplots(len(rows), width, squeeze=False)
    names = list(dict.fromkeys(series.name for row in rows for panel in row for series in panel.series))
    for row, panels in zip(places, rows, strict=True):
        for axes, panel in zip(row, panels, strict=True):
            for series in panel.series:
                number = names.index(series.name)
                axes.plot(
                    series.costs,
                    series.accuracies,
                    MARKS[number % len(MARKS)],
                    linestyle=series.line,
                    color=SHADES[number % len(SHADES)],
                    markersize=5,
                    linewidth=1,
                    label=series.name,
                )
            axes.set_xscale("log")
            axes.set_title(panel.title, fontsize=9)
            axes.set_xlabel(panel.cost, fontsize=8)
            axes.tick_params(labelsize=6, which="both")
            axes.xaxis.set_major_locator(FixedLocator(round_costs(*axes.get_xlim())))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
            highest = max(max(series.accuracies, default=0.0) for series in panel.series)
            axes.set_ylim(panel.lowest, highest + 0.05 * (highest - panel.lowest))
            axes.grid(alpha=0.3)
        row[0].set_ylabel("accuracy (%)", fontsize=8)
    handles = {h.get_label(): h for axes in places.flat for h in axes.get_legend_handles_labels()[0]}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=6, fontsize=8)
    save(figure, ROOT / "docs" / f"{name}.png")
