"""A picture of a search."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from fspinn.report.plots.colours import CHOSEN, GREY, SHADES

if TYPE_CHECKING:
    from fspinn.search import SearchResult, Trial


def accuracy_against_memory(result: "SearchResult") -> Figure:
    """Draw every measured candidate of a search: memory on the horizontal, accuracy on the vertical axis.

    One colour per weight format, the winner as a star. Of a ladder the better readout of each network lies on
    a line, with its 95 % interval, and the others are crosses; numbers along the cheapest format are
    neurons. Of a strategy that draws networks all are crosses, and the line is the Pareto front.
    """
    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    measured = [trial for trial in result.trials if trial.accuracy is not None]
    drawn = result.strategy != "ladder"
    formats = sorted({trial.candidate.weights for trial in measured})
    for weights, shade in zip(formats, SHADES * len(formats), strict=False):
        others = [trial for trial in measured if trial.candidate.weights == weights]
        best = [] if drawn else _best_of_each_size(others)
        if best:
            kib, percent = _points(best)
            ends = 100 * np.array([trial.accuracy_interval for trial in best]).T
            errors = abs(ends - percent)
            axes.errorbar(kib, percent, errors, fmt="o-", color=shade, label=weights, ms=4, lw=1.2, capsize=2)
        if weights == formats[0]:
            for trial, x, y in zip(best, *_points(best), strict=True):
                words = f"{trial.candidate.neurons}  "
                axes.text(x, y, words, ha="right", va="bottom", fontsize=8, color=GREY)
        points = _points([trial for trial in others if trial not in best])
        axes.plot(*points, "x", color=shade, label=weights if drawn else None, markersize=4, alpha=0.6)
    if drawn:
        front = sorted(result.front, key=lambda trial: trial.memory_bits)
        axes.step(*_points(front), where="post", color=GREY, linewidth=1, label="Pareto front")
    if formats:
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8, frameon=False, title="weights")
    _draw_limits(axes, result)
    if result.winner is not None:
        kib, percent = _points([result.winner])
        axes.plot(kib, percent, "*", markersize=17, color=CHOSEN, zorder=5)
        candidate = result.winner.candidate
        words = f"{candidate.neurons} neurons, {candidate.weights} weights"
        words += f", {kib[0]:.1f} KiB, {percent[0]:.1f} %"
        axes.set_title(f"\u2605 {words}", color=CHOSEN, fontsize=11)
    axes.set_xscale("log")
    axes.set_xlabel("memory for inference (KiB)")
    axes.set_ylabel(f"{result.metric.words} on validation images (%)")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.25, linewidth=0.5)
    return figure


def _best_of_each_size(trials: "list[Trial]") -> "list[Trial]":
    best: dict[int, Trial] = {}
    for trial in sorted(trials, key=lambda trial: -(trial.accuracy or 0)):
        best.setdefault(trial.candidate.neurons, trial)
    return sorted(best.values(), key=lambda trial: trial.memory_bits)


def _points(trials: "list[Trial]") -> tuple[list[float], list[float]]:
    return [trial.memory_bits / 8192 for trial in trials], [100 * (trial.accuracy or 0) for trial in trials]


def _draw_limits(axes: Any, result: "SearchResult") -> None:
    target = 100 * result.target_accuracy
    axes.axhline(target, color=GREY, linewidth=1, linestyle="--")
    words = axes.text(0, target, f" target {target:g} %", va="bottom", color=GREY)
    words.set_transform(axes.get_yaxis_transform())
    if result.budget_bits is not None:
        budget = result.budget_bits / 8192
        axes.axvline(budget, color=GREY, linewidth=1, linestyle="--")
        words = axes.text(budget, 0.5, f"budget {budget:g} KiB", rotation=90, va="center", color=GREY)
        words.set_transform(axes.get_xaxis_transform())
