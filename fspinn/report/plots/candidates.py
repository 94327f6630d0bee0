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
    a line, with its Wilson 95 % interval, and the others are crosses; numbers along the cheapest format are
    neurons. Of a strategy that draws networks all are crosses, and the line is the Pareto front.
    """
    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    measured = [trial for trial in result.trials if trial.accuracy is not None]
    best: dict[tuple[str, int], Trial] = {}
    drawn = result.strategy != "ladder"
    for trial in measured:
        key = (trial.candidate.weights, trial.candidate.neurons)
        if key not in best or (trial.accuracy or 0) > (best[key].accuracy or 0):
            best[key] = trial
    formats = sorted({weights for weights, _ in best})
    for weights, shade in zip(formats, SHADES * len(formats), strict=False):
        others = [t for t in measured if t.candidate.weights == weights]
        if not drawn:
            _draw_format(axes, [t for (name, _), t in best.items() if name == weights], weights, shade)
            others = [trial for trial in others if trial not in best.values()]
        label = weights if drawn else None
        axes.plot(
            *_points(others), label=label, linestyle="none", marker="x", markersize=4, color=shade, alpha=0.6
        )
    if drawn:
        front = sorted(result.front, key=lambda trial: trial.memory_bits)
        axes.step(*_points(front), where="post", color=GREY, linewidth=1, label="Pareto front")
    if formats:
        for trial in (t for (name, _), t in best.items() if name == formats[0] and not drawn):
            axes.annotate(
                str(trial.candidate.neurons),
                (trial.memory_bits / 8192, 100 * (trial.accuracy or 0)),
                xytext=(-5, 5),
                textcoords="offset points",
                ha="right",
                fontsize=8,
                color=GREY,
            )
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8, frameon=False, title="weights")
    _draw_limits(axes, result)
    if result.winner is not None:
        ((x,), (y,)) = _points([result.winner])
        candidate = result.winner.candidate
        axes.plot(x, y, marker="*", markersize=17, color=CHOSEN, zorder=5, linestyle="none")
        axes.set_title(
            f"\u2605 {candidate.neurons} neurons, {candidate.weights} weights, {x:.1f} KiB, {y:.1f} %",
            color=CHOSEN,
            fontsize=11,
        )
    axes.set_xscale("log")
    axes.set_xlabel("memory for inference (KiB)")
    axes.set_ylabel("accuracy on validation images (%)")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.25, linewidth=0.5)
    return figure


def _points(trials: "list[Trial]") -> tuple[list[float], list[float]]:
    return (
        [trial.memory_bits / 8192 for trial in trials],
        [100 * (trial.accuracy or 0) for trial in trials],
    )


def _draw_format(axes: Any, trials: "list[Trial]", weights: str, shade: str) -> None:
    trials = sorted(trials, key=lambda trial: trial.memory_bits)
    x, y = _points(trials)
    low, high = 100 * np.array([trial.accuracy_interval for trial in trials]).T
    axes.errorbar(
        x,
        y,
        yerr=np.stack([y - low, high - y]),
        label=weights,
        color=shade,
        marker="o",
        markersize=4,
        linewidth=1.2,
        elinewidth=0.8,
        capsize=2,
    )


def _draw_limits(axes: Any, result: "SearchResult") -> None:
    target = 100 * result.target_accuracy
    axes.axhline(target, color=GREY, linewidth=1, linestyle="--")
    axes.annotate(
        f"target {target:g} %",
        (0.01, target),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        color=GREY,
    )
    if result.budget_bits is not None:
        axes.axvline(result.budget_bits / 8192, color=GREY, linewidth=1, linestyle="--")
        axes.annotate(
            f"budget {result.budget_bits / 8192:g} KiB",
            (result.budget_bits / 8192, 0.5),
            xycoords=("data", "axes fraction"),
            xytext=(3, 0),
            textcoords="offset points",
            rotation=90,
            va="center",
            color=GREY,
        )
