"""A picture of a search."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from fspinn.report.plots.colours import CHOSEN, GREY, SHADES

MARKS = (("o", "o"), ("s", "s"), ("^", "^"), ("D", "D"))
ONE_MARK = (("x", "o"),)
"""Marks of learners: of all trials, and of those that none beats."""

if TYPE_CHECKING:
    from fspinn.search import SearchResult, Trial


def accuracy_against_memory(result: "SearchResult") -> Figure:
    """Draw every measured candidate of a search: memory on the horizontal, accuracy on the vertical axis.

    A cross each, in one colour per weight format; with several learners, a mark per learner. Those that none
    beats in accuracy and memory are filled, with their 95 % intervals and numbers of neurons, and stairs lead
    from one to the next; the winner is a star.
    """
    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    measured = [trial for trial in result.trials if trial.accuracy is not None]
    front = _front(measured)
    formats = sorted({trial.candidate.weights for trial in measured})
    kinds = sorted({_learner(trial) for trial in measured})
    marks = dict(zip(kinds, MARKS if len(kinds) > 1 else ONE_MARK, strict=False))
    for weights, shade in zip(formats, SHADES * len(formats), strict=False):
        axes.plot([], [], "s", color=shade, label=weights, markersize=4)
        for kind, (one, filled) in marks.items():
            some = [t for t in measured if (t.candidate.weights, _learner(t)) == (weights, kind)]
            axes.plot(*_points(some), one, color=shade, markersize=4, alpha=0.6, fillstyle="none")
            best = [trial for trial in some if trial in front]
            if best:
                kib, percent = _points(best)
                errors = abs(100 * np.array([trial.accuracy_interval for trial in best]).T - percent)
                axes.errorbar(kib, percent, errors, fmt=filled, color=shade, markersize=4, capsize=2)
    for kind, (one, _) in marks.items() if len(kinds) > 1 else ():
        axes.plot([], [], one, color=GREY, label=kind, markersize=4, fillstyle="none")
    for trial, x, y in zip(front, *_points(front), strict=True):
        words = f"{trial.candidate.neurons}  "
        axes.text(x, y, words, ha="right", va="bottom", fontsize=8, color=GREY)
    if front:
        axes.step(*_points(front), where="post", color=GREY, linewidth=1)
    if formats:
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1, 1),
            fontsize=8,
            frameon=False,
            title="weights" if len(kinds) == 1 else "weights, learner",
        )
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


def _learner(trial: "Trial") -> str:
    return trial.candidate.setup.learner.kind


def _front(trials: "list[Trial]") -> "list[Trial]":
    """Return the trials that are more accurate than all with as little memory, from small to large."""
    front: list[Trial] = []
    for trial in sorted(trials, key=lambda trial: (trial.memory_bits, -(trial.accuracy or 0.0))):
        if not front or (trial.accuracy or 0.0) > (front[-1].accuracy or 0.0):
            front.append(trial)
    return front


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
