"""Where does each trial stand? Accuracy against costs, as places in an SVG picture."""

from collections.abc import Iterator, Mapping, Sequence
from math import log
from typing import Any, NamedTuple

import numpy as np
from matplotlib.ticker import Locator, LogLocator, MaxNLocator

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 24, 12, 44
STRIP = 18
"""Height of the strip for trials that were not measured, below the others."""

LETTERS = 40
"""As many as fit below a chart."""

MOST_UNMEASURED = 200
"""Trials that were not measured and are still shown: more would make the page heavy and say nothing."""

Trials = Sequence[Mapping[str, Any]]


class Axis(NamedTuple):
    """A cost: its name as a limit (None where it cannot be one), its field, and units from small to large."""

    limit: str | None
    field: str
    words: str
    units: tuple[tuple[str, float], ...]

    def unit(self, amount: float) -> tuple[str, float]:
        """Return the greatest unit that is not above an amount, and its size."""
        return next((unit for unit in reversed(self.units) if amount >= unit[1]), self.units[0])


AXES = (
    Axis("memory", "memory_bits", "memory for inference", (("B", 8), ("KiB", 8192), ("MiB", 2**23))),
    Axis(
        "energy", "energy_pj", "energy of an image", (("pJ", 1), ("nJ", 1e3), ("\u00b5J", 1e6), ("mJ", 1e9))
    ),
    Axis("latency", "latency_s", "time of an image", (("\u00b5s", 1e-6), ("ms", 1e-3), ("s", 1.0))),
    Axis(None, "synaptic_operations", "synaptic operations of an image", (("", 1),)),
)


class Tick(NamedTuple):
    """A place on an axis, and what is written there."""

    at: float
    text: str


class Mark(NamedTuple):
    """A trial: its number, its place, and ``winner``, ``front``, ``tried`` or ``untried``."""

    number: int
    x: float
    y: float
    kind: str


class Chart(NamedTuple):
    """Accuracy against one cost: the name of that, with its unit, and what is drawn.

    The winner comes last of the marks, on top. Whiskers are places and ends of the 95 % intervals of the
    front, stairs a path along the trials that none beats in accuracy and this cost alone, target the height
    of the accuracy that was asked for, limit the place of the greatest cost that was allowed.
    """

    name: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    whiskers: tuple[tuple[float, float, float], ...]
    stairs: str
    target: float
    limit: float | None


def shown_trials(trials: Trials) -> list[int]:
    """Return the numbers of the trials that the page shows: all measured, and not too many others."""
    others = [k for k, trial in enumerate(trials) if trial["accuracy"] is None]
    left_out = set(others[MOST_UNMEASURED:])
    return [k for k in range(len(trials)) if k not in left_out]


def charts(answer: Mapping[str, Any]) -> list[Chart]:
    """Return one chart of a search for each cost that the hardware knows."""
    shown = shown_trials(answer["trials"])
    known = [axis for axis in AXES if all(answer["trials"][k][axis.field] is not None for k in shown)]
    return [_chart(answer, shown, axis) for axis in known]


def _chart(answer: Mapping[str, Any], shown: Sequence[int], axis: Axis) -> Chart:
    trials = answer["trials"]
    limit = None if axis.limit is None else answer["constraints"][axis.limit]
    costs = [max(trials[k][axis.field], 1e-12) for k in shown]
    costs += [] if limit is None else [limit]
    low, high = min(costs) / 1.15, max(costs) * 1.15
    unit, size = axis.unit((low * high) ** 0.5)
    measured = [k for k in shown if trials[k]["accuracy"] is not None]
    shares = [trials[k]["accuracy"] for k in measured] + [answer["target_accuracy"]]
    least, most = max(min(shares) - 0.03, 0.0), min(max(shares) + 0.03, 1.0)

    def x(cost: float) -> float:
        at = np.interp(log(max(cost, 1e-12)), (log(low), log(high)), (LEFT, WIDTH - RIGHT))
        return round(float(at), 1)

    def y(share: float) -> float:
        return round(float(np.interp(share, (least, most), (HEIGHT - BOTTOM - STRIP, TOP))), 1)

    order, front = ("untried", "tried", "front", "winner"), set(answer["front"])

    def mark(k: int) -> Mark:
        share, at = trials[k]["accuracy"], x(trials[k][axis.field])
        if share is None:
            return Mark(k, at, HEIGHT - BOTTOM - STRIP / 2, "untried")
        kind = "winner" if trials[k]["outcome"] == "chosen" else "front" if k in front else "tried"
        return Mark(k, at, y(share), kind)

    intervals = [(trials[k][axis.field], trials[k]["accuracy_interval"]) for k in measured if k in front]
    return Chart(
        name=f"{axis.words} ({unit})" if unit else axis.words,
        x_ticks=tuple(Tick(x(tick * size), _text(tick)) for tick in _log_ticks(low / size, high / size)),
        y_ticks=tuple(
            Tick(y(tick / 100), f"{tick:g} %")
            for tick in MaxNLocator(6).tick_values(100 * least, 100 * most)
            if least <= tick / 100 <= most
        ),
        marks=tuple(sorted((mark(k) for k in shown), key=lambda mark: order.index(mark.kind))),
        whiskers=tuple((x(cost), y(ends[0]), y(ends[1])) for cost, ends in intervals),
        stairs="".join(_stairs((x(trials[k][axis.field]), y(trials[k]["accuracy"])) for k in measured)),
        target=y(answer["target_accuracy"]),
        limit=None if limit is None else x(limit),
    )


def _log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two, as many as fit."""

    def inside(locator: Locator) -> list[float]:
        return [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]

    for subs in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        ticks = inside(LogLocator(subs=subs, numticks=30))
        if sum(len(_text(tick)) for tick in ticks) <= LETTERS:
            break
    return ticks if len(ticks) >= 2 else inside(MaxNLocator(4)) or [(low * high) ** 0.5]


def _text(tick: float) -> str:
    return f"{tick:,.10g}"


def _stairs(points: Iterator[tuple[float, float]]) -> Iterator[str]:
    """Return a path that rises at each point that is higher (a smaller y) than all before it."""
    highest = float("inf")
    for x, y in sorted(points):
        if y < highest:
            yield f"M{x} {y}" if highest == float("inf") else f"H{x}V{y}"
            highest = y
    if highest < float("inf"):
        yield f"H{WIDTH - RIGHT}"
