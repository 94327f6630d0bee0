"""What do leak and threshold make of accuracy, spikes and latency? A search over a grid.

Each point of the grid is a training and a measurement on the validation images: how accurate the network is,
how often the neurons of each layer spike, and what an image then costs on a piece of hardware, with the
cycles that follow the spikes apart from those that do not. The question is that of Aliyev and Adegbija (DATE
2024, arXiv 2402.06211), who vary surrogate, leak (``beta``) and threshold of networks that are trained with
labels; for networks that learn by STDP it is the same. What there is to compare with is the network as it was
given.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fspinn.base.checks import MAX_SEED, checked_seed, whole_number
from fspinn.base.errors import ConfigError, UnfinishedError
from fspinn.base.progress import progress_bar
from fspinn.base.settings import as_plain, bare, settings_of, with_settings
from fspinn.datasets.arrays import as_dataset
from fspinn.datasets.origin import origin
from fspinn.learning.surrogate import check_installed
from fspinn.memmodel import load_hardware
from fspinn.network import layers
from fspinn.network.description import Network
from fspinn.network.learners import Learner, Surrogate
from fspinn.network.recordings import check_encoder
from fspinn.network.rules import Stdp
from fspinn.network.setup import Setup, check_competition, check_rates
from fspinn.search.candidates import Variant
from fspinn.search.execution import carry_out
from fspinn.search.jobs import Job, JobResult, SearchContext, Source
from fspinn.search.journal import Journal
from fspinn.search.metrics import metric_of
from fspinn.search.question import check_sweep
from fspinn.search.swept import AXES, PENALTY, SweepPoint, SweepResult, sides_of
from fspinn.search.workers import worker_pool

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

MOST_POINTS = 10_000


def sweep(
    network: Network,
    data: "Dataset",
    axes: Mapping[str, Sequence[Any]],
    *,
    learner: Learner = Stdp(),
    readout: str | None = None,
    hardware: str = "fpga-kintex7-event",
    seeds: int = 1,
    seed: int = 0,
    threads: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    folder: str | Path | None = None,
    overwrite: bool = False,
    data_dir: str | Path | None = None,
    progress: bool = True,
    on_point: Callable[[SweepPoint], None] | None = None,
) -> SweepResult:
    """Train and measure a network at each point of a grid of settings, and as it is.

    Parameters
    ----------
    network : Network
        Its own leak and threshold are the default that others are compared with.
    data : Dataset
        Learned from ``train``, measured on ``validation``; ``test`` is not touched.
    axes : mapping of str to sequence
        Values by setting, such as ``{"beta": [0.5, 0.9], "threshold": [1.0, 2.0]}``. ``beta`` is
        ``exp(-dt_ms / tau_m_ms)``, 1 no leak. It and `threshold` are those of all layers, other names as
        `fspinn.with_settings` takes them. ``penalty`` and ``penalty_strength`` of `fspinn.Surrogate` are
        compared with the network as given, and so with no penalty, if neither is swept beside them.
    learner : Learner, default Stdp()
    readout : str or None, default None
        None is ``linear`` for `fspinn.Surrogate` and `fspinn.Hybrid`, else ``proportion``.
    hardware : str, default "fpga-kintex7-event"
        Preset, or another name of one, or TOML file for costs.
    seeds : int, default 1
        Trainings of each point, with seeds from `seed` on; results are their mean.
    seed : int, default 0
        Fixes everything random.
    threads, workers, scheduler, folder, data_dir
        As for `fspinn.find_smallest`: what was trained is in the folder, and the same call goes on.
    overwrite : bool, default False
        Sweep although `fspinn.search.swept.save_sweep` has put another sweep into that folder.
    progress : bool, default True
        Show a progress bar, if standard error is a terminal.
    on_point : callable, optional
        Called with each `fspinn.search.swept.SweepPoint` as soon as it is measured.

    Raises
    ------
    ConfigError
        If a value of an axis makes no sense, there are no validation images, no point could be measured, or
        the folder holds another sweep.
    DataError
        If `data` is not a data set, or the folder cannot be written to.
    UnfinishedError
        If something other than the networks ends it, such as too little memory.
    """
    base = Setup(network, learner)
    data = as_dataset(data)
    check_encoder(network, data.train.images, "data")
    network.geometries(data.image_shape)
    check_competition(network, learner)
    check_rates(network, learner)
    check_installed(learner)
    if len(data.validation) == 0:
        raise ConfigError("validation: a sweep needs validation images to measure on; hold some out")
    described = load_hardware(hardware)
    if not described.timed:
        raise ConfigError(
            f"hardware: {described.meta.name} says nothing of time; choose other hardware, such as "
            "fpga-kintex7-event"
        )
    seeds = whole_number("seeds", seeds, 1, 100)
    seed = whole_number("seed", checked_seed(seed), 0, MAX_SEED + 1 - seeds)
    readout = readout or ("linear" if isinstance(learner, Surrogate) else "proportion")
    variant = Variant(readout=readout)
    points = _points(base, axes)
    grid = _Grid(points, range(seed, seed + seeds), variant)
    context = SearchContext(Source.of(data, data_dir), described, threads=threads, seed=seed, data=data)
    words = json.dumps([as_plain(setup) for setup in points], default=str, sort_keys=True)
    digest = hashlib.sha256(words.encode()).hexdigest()
    begun = time.perf_counter()
    nothing = SweepResult(
        points=(),
        axes={name: tuple(values) for name, values in axes.items()},
        learner=learner.kind,
        readout=readout,
        hardware=described.meta.name,
        network=hashlib.sha256(json.dumps(as_plain(base), default=str, sort_keys=True).encode()).hexdigest(),
        seeds=tuple(range(seed, seed + seeds)),
        dataset=origin(data),
        seconds=0.0,
    )
    if folder is not None:
        check_sweep(Path(folder), nothing.as_dict(), overwrite)
    with (
        progress_bar("sweep", len(grid.jobs), progress) as update,
        worker_pool(workers, scheduler, context) as pool,
        Journal(None if folder is None else Path(folder), context, digest[:12]) as journal,
    ):

        def on_result(job: Job, result: JobResult) -> None:
            if result.fault is not None:
                raise UnfinishedError(
                    f"sweep: a network could not be measured ({result.fault}); the same command goes on"
                )
            update(grid.done, "")
            point = grid.point(job.setup)
            if point is not None and on_point is not None:
                on_point(point)

        carry_out(grid, pool, journal, on_result)
    found = tuple(point for setup in points if (point := grid.point(setup)) is not None)
    if all(point.accuracy is None for point in found):
        raise ConfigError(f"sweep: every network failed, the first one: {found[0].error}")
    return replace(nothing, points=found, seconds=time.perf_counter() - begun)


def beta_of(setup: Setup) -> float:
    """Return what is left of a potential after a time step, in the first layer."""
    return layers.beta_of(setup.network.layers[0].neuron.tau_m_ms, setup.network.dt_ms)


def at(setup: Setup, values: Mapping[str, Any]) -> Setup:
    """Return what is trained at a point of the grid.

    Raises
    ------
    ConfigError
        If there is no such setting, or its value makes no sense.
    """
    given: dict[str, Any] = {name: value for name, value in values.items() if name not in AXES}
    setup = with_settings(setup, given)
    of_all: dict[str, Any] = {}
    if "beta" in values:
        of_all["tau_m_ms"] = layers.tau_m_ms_of(values["beta"], setup.network.dt_ms)
    if "threshold" in values:
        of_all["threshold"] = values["threshold"]
    each = ["", *(f"layers.{k}." for k in range(2, len(setup.network.layers) + 1))]
    return with_settings(setup, {f"{layer}{name}": v for layer in each for name, v in of_all.items()})


def _points(base: Setup, axes: Mapping[str, Sequence[Any]]) -> dict[Setup, SweepPoint]:
    """Return what is trained, with what is known of it: the grid, and for each of its maps the default."""
    for name, values in axes.items():
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise ConfigError(f"{name}: {values!r} is not a list of values; give one, such as [{values!r}]")
        if not values:
            raise ConfigError(f"{name}: has no values; give at least one")
        if len(set(values)) < len(values):
            raise ConfigError(f"{name}: a value is given twice; leave one out")
    for name in axes:
        swept = {"threshold": "threshold", "tau_m_ms": "beta"}.get(bare(name))
        if name not in AXES and swept in axes:
            raise ConfigError(f"{name}: {swept} is swept in all layers; leave one of them out")
    if prod(map(len, axes.values())) > MOST_POINTS:
        raise ConfigError(f"sweep: more than {MOST_POINTS:,} networks; make the grid coarser")
    sides = sides_of(axes)
    inner = {name: values for name, values in axes.items() if name in sides}
    outer = {name: values for name, values in axes.items() if name not in sides}
    found: dict[Setup, SweepPoint] = {}
    for chosen in product(*outer.values()):
        settings = dict(zip(outer, chosen, strict=True))
        default = at(base, settings)
        on_grid = [at(default, _of_point(inner, point)) for point in product(*inner.values())]
        for setup in (default, *on_grid):
            found.setdefault(
                setup,
                SweepPoint(
                    settings=settings,
                    beta=beta_of(setup),
                    threshold=setup.network.layers[0].neuron.threshold,
                    is_default=setup == default,
                    **_penalty_of(setup),
                ),
            )
    return found


def _of_point(axes: Iterable[str], point: Sequence[Any]) -> dict[str, Any]:
    """Return the settings of a point; no penalty has no strength."""
    settings = dict(zip(axes, point, strict=True))
    if settings.get("penalty") == "none":
        settings.pop("penalty_strength", None)
    return settings


def _penalty_of(setup: Setup) -> dict[str, Any]:
    settings = settings_of(setup.learner)
    return {name: settings[name] for name in PENALTY if name in settings}


@dataclass
class _Grid:
    """The strategy: all points, one after the other, with each seed."""

    points: dict[Setup, SweepPoint]
    seeds: Sequence[int]
    variant: Variant
    jobs: list[Job] = field(init=False)
    _results: dict[Job, JobResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        variants = (self.variant,)
        self.jobs = [Job(setup, seed, variants) for setup in self.points for seed in self.seeds]
        self._waiting = list(self.jobs)

    @property
    def done(self) -> int:
        """How many jobs are done."""
        return len(self._results)

    def ask(self, known: Callable[[Job], object] | None = None) -> Job | None:
        """Return the next job."""
        return self._waiting.pop(0) if self._waiting else None

    def tell(self, job: Job, result: JobResult) -> None:
        """Take note of a result."""
        self._results[job] = result

    def point(self, setup: Setup) -> SweepPoint | None:
        """Return a point with what was measured of it; None before all of its seeds are done."""
        results = [self._results.get(Job(setup, seed, (self.variant,))) for seed in self.seeds]
        whole = [result for result in results if result is not None]
        return _measured(self.points[setup], whole) if len(whole) == len(results) else None


def _measured(point: SweepPoint, results: Sequence[JobResult]) -> SweepPoint:
    """Return a point with the mean of its trainings; one that failed says why."""
    costs, accuracies = [], []
    for result in results:
        found = result.measurements[0] if result.measurements else None
        if found is None or found.confusion is None or found.cost is None:
            return replace(point, error=(found.error if found else result.error) or "nothing was measured")
        costs.append(found.cost)
        accuracies.append(metric_of("accuracy").value(np.array(found.confusion)))
    count = len(results)

    def mean(name: str) -> float:
        return float(sum(getattr(cost, name) or 0.0 for cost in costs) / count)

    layers = zip(*(cost.layer_spikes for cost in costs), strict=True)
    return replace(
        point,
        accuracy=sum(accuracies) / count,
        accuracies=tuple(accuracies),
        layer_spikes=tuple(sum(each) / count for each in layers),
        synaptic_operations=mean("synaptic_operations"),
        latency_s=mean("latency_s"),
        intercept_s=mean("intercept_s"),
        images_per_s=1 / mean("interval_s"),
        images_per_j=1e12 / mean("energy_pj"),
    )
