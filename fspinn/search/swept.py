"""What came out of a sweep: points, the best of them, and sentences about them."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from fspinn.base.amounts import figures, time_text
from fspinn.base.errors import DataError
from fspinn.base.files import replaced_when_whole
from fspinn.base.printing import Drawn
from fspinn.search.frames import frame_of
from fspinn.search.question import SWEEP, check_sweep

MOST_LOST = 0.03
"""Part of the images that a faster setting may answer worse than the default (the paper: 2.88 points)."""

PAPER = (
    "published beside it, with another network, for SVHN, on an FPGA: 48 % less latency for 2.88 points "
    "(Aliyev and Adegbija, arXiv 2402.06211)"
)
"""What was published; other images, another network and a model of the device stand beside it."""

FILES = (SWEEP, "sweep.csv")

AXES = ("beta", "threshold")
"""What a map has along its sides; every layer gets the same."""

PENALTY = ("penalty", "penalty_strength")
"""What it has there if neither of those is swept."""


def sides_of(axes: Iterable[str]) -> tuple[str, str]:
    """Return what a map has along its sides, given the names of all that is swept."""
    names = set(axes)
    return PENALTY if names.intersection(PENALTY) and not names.intersection(AXES) else AXES


@dataclass(frozen=True)
class SweepPoint:
    """A setting, and what was measured of the network that was trained with it.

    Parameters
    ----------
    settings : mapping
        What all points of one map share, such as the surrogate, by name.
    beta, threshold : float
        Of the first layer, as of all others if they are swept.
    penalty : str
    penalty_strength : float or None
        What activity costs, with `fspinn.Surrogate`; a strength of None is its default.
    is_default : bool
        Whether the network was trained as it was given, but for `settings`.
    accuracy : float or None
        On the validation images, the mean of all seeds; None if it failed.
    accuracies : tuple of float
        Of each seed.
    layer_spikes : tuple of float
        Output spikes of each layer for an image.
    synaptic_operations : float or None
        Weights that all layers add for an image.
    latency_s, intercept_s : float or None
        Seconds from an image to its answer, and those of them that an image without a spike takes.
    images_per_s, images_per_j : float or None
        FPS, and FPS per watt.
    error : str or None
        Why it could not be measured.
    """

    settings: Mapping[str, Any]
    beta: float
    threshold: float
    is_default: bool = False
    penalty: str = "none"
    penalty_strength: float | None = None
    accuracy: float | None = None
    accuracies: tuple[float, ...] = ()
    layer_spikes: tuple[float, ...] = ()
    synaptic_operations: float | None = None
    latency_s: float | None = None
    intercept_s: float | None = None
    images_per_s: float | None = None
    images_per_j: float | None = None
    error: str | None = None

    @property
    def spikes(self) -> float:
        """Output spikes of all layers for an image."""
        return sum(self.layer_spikes)

    @property
    def spike_s(self) -> float | None:
        """Seconds of the latency that follow the spikes."""
        if self.latency_s is None or self.intercept_s is None:
            return None
        return self.latency_s - self.intercept_s

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "spikes": self.spikes, "spike_s": self.spike_s}


@dataclass(frozen=True, repr=False)
class SweepResult(Drawn):
    """All points of a sweep.

    Parameters
    ----------
    points : tuple of SweepPoint
        Of each map the default, then its grid.
    axes : mapping of str to tuple
        What was varied.
    learner, readout, hardware : str
    network : str
        Tells the network and its learner, as they were given, from others.
    seeds : tuple of int
        Trainings of each point.
    dataset : mapping
        Which images.
    seconds : float
    """

    points: tuple[SweepPoint, ...]
    axes: Mapping[str, tuple[Any, ...]]
    learner: str
    readout: str
    hardware: str
    network: str
    seeds: tuple[int, ...]
    dataset: Mapping[str, Any]
    seconds: float

    def __str__(self) -> str:
        axes = " x ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        return f"{len(self.points)} points ({axes}) on {self.dataset['name']} and {self.hardware}"

    @property
    def measured(self) -> tuple[SweepPoint, ...]:
        """The points that did not fail."""
        return tuple(point for point in self.points if point.accuracy is not None)

    @property
    def sides(self) -> tuple[str, str]:
        """What maps have along their sides: two attributes of points."""
        return sides_of(self.axes)

    @property
    def front(self) -> tuple[SweepPoint, ...]:
        """The points that none beats in accuracy and latency, the fastest first."""
        found: list[SweepPoint] = []
        for point in sorted(self.measured, key=lambda p: (p.latency_s or 0.0, -(p.accuracy or 0.0))):
            if not found or (point.accuracy or 0.0) > (found[-1].accuracy or 0.0):
                found.append(point)
        return tuple(found)

    @property
    def maps(self) -> list[tuple[SweepPoint, ...]]:
        """The points of each combination of the settings that are not the sides of a map."""
        found: dict[str, list[SweepPoint]] = {}
        for point in self.points:
            found.setdefault(json.dumps(dict(point.settings), default=str), []).append(point)
        return [tuple(points) for points in found.values()]

    @property
    def trades(self) -> list["Trade"]:
        """What each map has to offer against its default: the fastest setting, and the most accurate one."""
        found = []
        for points in self.maps:
            (default,) = (point for point in points if point.is_default)
            others = [p for p in points if p.accuracy is not None and not p.is_default]
            if default.accuracy is None or not others:
                continue
            near = [p for p in others if (p.accuracy or 0.0) >= default.accuracy - MOST_LOST]
            if near:
                fastest = min(near, key=lambda p: (p.latency_s or 0.0, -(p.accuracy or 0.0)))
                found.append(Trade(default, fastest, fastest=True))
            best = max(others, key=lambda p: (p.accuracy or 0.0, -(p.latency_s or 0.0)))
            if not near or best != found[-1].point:
                found.append(Trade(default, best))
        return found

    def to_frame(self) -> Any:
        """Return all points as a ``pandas.DataFrame``, with the columns of ``sweep.csv``; as a list of
        dictionaries where pandas is not installed.
        """
        return frame_of(_rows(self))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        numbers = {id(point): k for k, point in enumerate(self.points)}
        return {
            "learner": self.learner,
            "readout": self.readout,
            "network": self.network,
            "hardware": self.hardware,
            "dataset": dict(self.dataset),
            "seeds": list(self.seeds),
            "seconds": self.seconds,
            "axes": {name: list(values) for name, values in self.axes.items()},
            "points": [point.as_dict() for point in self.points],
            "front": [numbers[id(point)] for point in self.front],
            "trades": [trade.as_dict() for trade in self.trades],
        }


@dataclass(frozen=True)
class Trade:
    """A setting against the default of its map; the `fastest` does not lose more than `MOST_LOST`."""

    default: SweepPoint
    point: SweepPoint
    fastest: bool = False

    @property
    def latency_saved(self) -> float:
        """Part of the default's latency that it takes less; below 0 it takes more."""
        return 1 - (self.point.latency_s or 0.0) / (self.default.latency_s or 1.0)

    @property
    def accuracy_lost(self) -> float:
        """Part of the images that it answers worse; below 0 it answers better."""
        return (self.default.accuracy or 0.0) - (self.point.accuracy or 0.0)

    @property
    def spikes_saved(self) -> float:
        """Part of the default's spikes that it takes less; below 0 it takes more."""
        return 1 - self.point.spikes / self.default.spikes if self.default.spikes else 0.0

    @property
    def operations_saved(self) -> float:
        """Part of the default's synaptic operations that it takes less; below 0 it takes more."""
        return 1 - (self.point.synaptic_operations or 0.0) / (self.default.synaptic_operations or 1.0)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "settings": dict(self.point.settings),
            "beta": self.point.beta,
            "threshold": self.point.threshold,
            "penalty": self.point.penalty,
            "penalty_strength": self.point.penalty_strength,
            "default_beta": self.default.beta,
            "default_threshold": self.default.threshold,
            "latency_saved": self.latency_saved,
            "accuracy_lost": self.accuracy_lost,
            "spikes_saved": self.spikes_saved,
            "operations_saved": self.operations_saved,
            "sentence": f"{_where(self.point)}: {self}",
        }

    def __str__(self) -> str:
        operations = ""
        if self.default.synaptic_operations and self.point.synaptic_operations is not None:
            operations = f" and {_fewer(self.operations_saved)} synaptic operations"
        return (
            f"{_compared_with(self.latency_saved)} latency for {100 * abs(self.accuracy_lost):.2f} points "
            f"{'less' if self.accuracy_lost > 0 else 'more'} accuracy ({self.point.accuracy:.2%}), with "
            f"{_fewer(self.spikes_saved)} spikes{operations}"
        )


def describe(result: SweepResult) -> str:
    """Return what came out in lines for people."""
    failed = len(result.points) - len(result.measured)
    seeds = len(result.seeds)
    lines = [
        f"{len(result.points)} settings of a network that learns by {result.learner}, on "
        f"{result.dataset['name']}, {seeds} training{'s' * (seeds > 1)} each; latency on {result.hardware} "
        "(a model)"
    ]
    if failed:
        why = next(point.error for point in result.points if point.error is not None)
        lines.append(f"{failed} could not be measured; the first: {why}")
    for points in result.maps:
        (default,) = (point for point in points if point.is_default)
        lines += ["", *_about(default, result.trades)]
    lines += ["", *_compared(result)] if len(result.maps) > 1 else []
    lines += ["", f"Pareto front (accuracy against latency), {PAPER}:", *map(row, result.front)]
    return "\n".join(lines)


def save_sweep(result: SweepResult, folder: str | Path, *, overwrite: bool = False) -> None:
    """Write ``sweep.json`` and ``sweep.csv`` into a folder; `overwrite` replaces another sweep.

    Raises
    ------
    ConfigError
        If the folder holds another sweep.
    DataError
        If they cannot be written.
    """
    folder = Path(folder)
    check_sweep(folder, result.as_dict(), overwrite)
    try:
        folder.mkdir(exist_ok=True)
        with replaced_when_whole(folder / FILES[0]) as temporary:
            temporary.write_text(json.dumps(result.as_dict(), indent=1, allow_nan=False), "utf-8")
        with replaced_when_whole(folder / FILES[1]) as temporary:
            _write_table(result, temporary)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from None


def _rows(result: SweepResult) -> list[dict[str, Any]]:
    varied = list(result.points[0].settings)
    left_out = {"settings", "accuracies", *varied}
    names = [field.name for field in fields(SweepPoint) if field.name not in left_out]
    rows = []
    for point in result.points:
        layers = " ".join(f"{spikes:.6g}" for spikes in point.layer_spikes)
        row = {**point.as_dict(), **point.settings, "layer_spikes": layers}
        rows.append({name: row[name] for name in (*varied, *names, "spikes", "spike_s")})
    return rows


def _write_table(result: SweepResult, path: Path) -> None:
    rows = _rows(result)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _about(default: SweepPoint, trades: list[Trade]) -> Iterator[str]:
    """Say what a map has to offer."""
    named = settings_in_words(default.settings)
    before = f"{named}, as given" if named else "as given"
    if default.accuracy is None:
        yield f"{before}: could not be measured ({default.error})"
        return
    share = (default.intercept_s or 0.0) / (default.latency_s or 1.0)
    yield f"{before} ({_where(default)}): {_measures(default)}; {share:.0%} of the latency is the intercept"
    offered = [trade for trade in trades if trade.default is default]
    if all(trade.latency_saved <= 0 for trade in offered):
        yield f"  no setting is faster at up to {100 * MOST_LOST:g} points"
    yield from (f"  {_where(trade.point)}: {trade}" for trade in offered)


def _compared(result: SweepResult) -> Iterator[str]:
    """Compare the defaults of maps that differ in the first setting only, such as the surrogate."""
    defaults = [point for points in result.maps for point in points if point.is_default and point.accuracy]
    for other in defaults:
        varied = next(iter(other.settings))
        alike = [p for p in defaults if {**p.settings, varied: 0} == {**other.settings, varied: 0}]
        if alike[0] is not other:
            names = settings_in_words(other.settings), settings_in_words(alike[0].settings)
            yield f"{names[0]} against {names[1]}, both as given: {Trade(alike[0], other)}"


def row(point: SweepPoint) -> str:
    """Return one line about a point."""
    named = settings_in_words(point.settings)
    found = point.error if point.accuracy is None else _measures(point)
    return f"  {_where(point)}{', ' + named if named else ''}: {found}"


def _measures(point: SweepPoint) -> str:
    layers = " + ".join(f"{spikes:,.1f}" for spikes in point.layer_spikes)
    operations = point.synaptic_operations
    added = "" if operations is None else f", {operations:,.0f} SynOps"
    return (
        f"{point.accuracy:.2%}, {layers} spikes{added}, {time_text(point.latency_s or 0.0)} "
        f"({time_text(point.spike_s or 0.0)} follow the spikes), {figures(point.images_per_s or 0.0)} FPS, "
        f"{figures(point.images_per_j or 0.0)} FPS/W"
    )


def _where(point: SweepPoint) -> str:
    where = f"beta {point.beta:.3g}, threshold {point.threshold:g}"
    if point.penalty == "none" or "penalty" in point.settings:
        return where
    strength = "" if point.penalty_strength is None else f" x {point.penalty_strength:g}"
    return f"{where}, {point.penalty}{strength}"


def _fewer(saved: float) -> str:
    return _compared_with(saved).replace("less", "fewer").replace("the same", "as many")


def _compared_with(saved: float) -> str:
    if abs(saved) < 0.0005:
        return "the same"
    return f"{abs(saved):.1%} {'less' if saved > 0 else 'more'}"


def settings_in_words(settings: Mapping[str, Any]) -> str:
    """Return the settings of a map, such as "fast_sigmoid, default width"."""
    words = []
    for name, value in settings.items():
        said = f"{value:g}" if isinstance(value, float) else str(value)
        if name == "surrogate_width":
            words.append("default width" if value is None else f"width {said}")
        else:
            words.append(said if name == "surrogate" else f"{name} {said}")
    return ", ".join(words)
