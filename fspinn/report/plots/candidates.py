"""A picture of a search."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from fspinn.base.amounts import memory_text
from fspinn.report.plots.colours import CHOSEN, GREY, MARKS, SHADES

if TYPE_CHECKING:
    from fspinn.search import SearchResult, Trial


def accuracy_against_memory(result: "SearchResult") -> Figure:
    """Draw every measured candidate of a search: memory on the horizontal, accuracy on the vertical axis.

    A colour and a mark per weight format; with several learners the marks are those of learners. Those that
    none beats in accuracy and memory are filled, with their 95 % intervals and numbers of neurons, and stairs
    lead from one to the next; the winner is a star.
    """
    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    measured = [trial for trial in result.trials if trial.accuracy is not None]
    front = _front(measured)
    formats = sorted({trial.candidate.weights for trial in measured})
    kinds = sorted({_learner(trial) for trial in measured})
    several = len(kinds) > 1
    for number, weights in enumerate(formats):
        shade = SHADES[number % len(SHADES)]
        if several:
            axes.plot([], [], "_", color=shade, label=f"{weights} weights", markersize=7, markeredgewidth=3)
        for place, kind in enumerate(kinds):
            mark = MARKS[(place if several else number) % len(MARKS)]
            some = [t for t in measured if (t.candidate.weights, _learner(t)) == (weights, kind)]
            label = None if several else f"{weights} weights"
            axes.plot(*_points(some), mark, color=shade, markersize=5, fillstyle="none", label=label)
            best = [trial for trial in some if trial in front]
            if best:
                kib, percent = _points(best)
                errors = abs(100 * np.array([trial.accuracy_interval for trial in best]).T - percent)
                axes.errorbar(kib, percent, errors, fmt=mark, color=shade, markersize=5, capsize=2)
    for kind, mark in zip(kinds, MARKS, strict=False) if several else ():
        axes.plot([], [], mark, color=GREY, label=kind, markersize=5, fillstyle="none")
    for trial, x, y in zip(front, *_points(front), strict=True):
        words = f"{trial.candidate.neurons}  "
        axes.text(x, y, words, ha="right", va="bottom", fontsize=8, color=GREY)
    if front:
        axes.step(*_points(front), where="post", color=GREY, linewidth=1)
    _draw_limits(axes, result)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8, frameon=False)
    if result.winner is not None:
        kib, percent = _points([result.winner])
        axes.plot(kib, percent, "*", markersize=17, color=CHOSEN, zorder=5)
        candidate = result.winner.candidate
        words = f"{candidate.neurons} neurons, {candidate.weights} weights"
        words += f", {memory_text(result.winner.memory_bits)}, {percent[0]:.1f} %"
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
    axes.axhline(target, color=GREY, linewidth=1, linestyle="--", label=f"target {target:g} %")
    if result.budget_bits is not None:
        budget = result.budget_bits / 8192
        axes.axvline(budget, color=GREY, linewidth=1, linestyle=":", label=f"budget {budget:g} KiB")
