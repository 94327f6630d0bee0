"""Where does each trial stand? Accuracy against costs, as places in an SVG picture."""

from collections.abc import Iterator, Mapping, Sequence
from math import log
from typing import Any, NamedTuple

import numpy as np
from matplotlib.ticker import Locator, LogLocator, MaxNLocator

from fspinn.network.rules import Stdp
from fspinn.search.worth import called

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 24, 12, 44
STRIP = 18
"""Height of the strip for trials that were not measured, below the others."""

LETTERS = 40
"""As many as fit below a chart."""

MOST_UNMEASURED = 200
"""Trials that were not measured and are still shown: more would make the page heavy and say nothing."""

SHAPES = (
    "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0",
    "M-.9-.9H.9V.9H-.9Z",
    "M0-1.1 1.1.8H-1.1Z",
    "M0 1.1 1.1-.8H-1.1Z",
)
"""Marks of learners: a circle, a square, triangles that point up and down, of a radius of about 1."""

BASELINE_SHAPES = {
    "linear": "M0-1.25 1.25 0 0 1.25-1.25 0Z",
    "ann": "M-1.1 0-.55-1H.55L1.1 0 .55 1H-.55Z",
}
"""Marks of classifiers without spikes: a diamond, and a hexagon."""

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
    Axis("synops", "synaptic_operations", "synaptic operations of an image", (("", 1),)),
)
"""Costs with a chart of their own."""

MORE_AXES = (
    Axis(None, "operations", "operations of an image, readout included", (("", 1),)),
    Axis("spikes", "output_spikes", "output spikes of an image", (("", 1),)),
    Axis("time_steps", "time_steps", "time steps of an image", (("", 1),)),
    Axis("training_steps", "training_steps", "time steps of learning", (("", 1),)),
    Axis("area", "area_um2", "area", (("\u00b5m\u00b2", 1), ("mm\u00b2", 1e6))),
)
"""Costs that people may choose for an axis as well."""


class Tick(NamedTuple):
    """A place on an axis, and what is written there."""

    at: float
    text: str


class Mark(NamedTuple):
    """A trial: its number, its place, ``winner``, ``front``, ``tried`` or ``untried``, its learner."""

    number: int
    x: float
    y: float
    kind: str
    learner: str


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
    return [_chart(answer, shown, axis) for axis in _known(answer, shown, AXES)]


def learner_of(trial: Mapping[str, Any]) -> str:
    """Return the kind of learner of a trial."""
    return str(trial["settings"].get("learner", Stdp.kind))


def shapes(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the mark of each learner of a search."""
    kinds = sorted({learner_of(trial) for trial in answer["trials"]})
    return {kind: SHAPES[k % len(SHAPES)] for k, kind in enumerate(kinds)}


def any_two(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a picture of any two quantities takes: axes, measured trials and baselines.

    An axis has a name with its unit, and whether it is logarithmic; a point has a value for each axis, None
    where it has none, in that unit. All operations of a classifier without spikes are MACs; a network
    adds in its layers, and adds or multiplies in its readout.
    """
    trials, front = answer["trials"], set(answer["front"])
    measured = [k for k in shown_trials(trials) if trials[k]["accuracy"] is not None]
    axes = _known(answer, measured, (*AXES, *MORE_AXES)) if measured else []
    units = []
    for axis in axes:
        costs = [max(trials[k][axis.field], 1e-12) for k in measured]
        units.append(axis.unit((min(costs) * max(costs)) ** 0.5))

    def point(
        kind: str, mark: str, accuracy: float, costs: Mapping[str, Any], **known: Any
    ) -> dict[str, Any]:
        values: list[float | None] = [100 * accuracy]
        for axis, (_, size) in zip(axes, units, strict=True):
            cost = costs.get(axis.field)
            values.append(None if cost is None else float(f"{cost / size:.5g}"))
        return {"kind": kind, "mark": mark, "values": values, **known}

    points = []
    for k in measured:
        kind = "winner" if trials[k]["outcome"] == "chosen" else "front" if k in front else "tried"
        points.append(point(kind, learner_of(trials[k]), trials[k]["accuracy"], trials[k], trial=k))
    for one in answer["baselines"]:
        kind = "linear" if one["hidden"] is None else "ann"
        words = f"{called(one)}: {one['accuracy']:.1%}, {one['macs']:,.0f} MACs"
        known = {**one, "operations": one["macs"]}
        points.append(point(kind, kind, one["accuracy"], known, words=words))
    names = [
        f"{axis.words} ({unit})" if unit else axis.words for axis, (unit, _) in zip(axes, units, strict=True)
    ]
    return {
        "axes": [
            {"name": f"{answer['metric']} on validation images (%)".replace("-", " "), "log": False},
            *({"name": name, "log": True} for name in names),
        ],
        "points": points,
        "shapes": {**shapes(answer), **BASELINE_SHAPES},
    }


def _known(answer: Mapping[str, Any], shown: Sequence[int], axes: Sequence[Axis]) -> list[Axis]:
    return [axis for axis in axes if all(answer["trials"][k].get(axis.field) is not None for k in shown)]


def _chart(answer: Mapping[str, Any], shown: Sequence[int], axis: Axis) -> Chart:
    trials = answer["trials"]
    limit = None if axis.limit is None else answer["constraints"].get(axis.limit)
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
            return Mark(k, at, HEIGHT - BOTTOM - STRIP / 2, "untried", learner_of(trials[k]))
        kind = "winner" if trials[k]["outcome"] == "chosen" else "front" if k in front else "tried"
        return Mark(k, at, y(share), kind, learner_of(trials[k]))

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
