"""One training and all that is measured of it: what a worker does, wherever it is.

A network trained once serves every width and readout: a job names the variants that are still in question,
and each group of them that has the same weights and state answers the validation images once.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fspinn.answering import metrics
from fspinn.answering.compress import Compiler
from fspinn.answering.predict import respond
from fspinn.base import jit, settings
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.randomness import TUNING_IMAGES, permutation, stream_key
from fspinn.base.version import __version__
from fspinn.datasets.mapped import contents
from fspinn.datasets.reading import Reading
from fspinn.learning.fitting import Learned, fit_readouts
from fspinn.learning.training import learn, most_passes
from fspinn.lowering.compiler import plan_of
from fspinn.memmodel import Hardware
from fspinn.model.features import joined
from fspinn.model.model import Model
from fspinn.model.readout import predict
from fspinn.network.description import Network
from fspinn.network.learners import MOST_BITS, Hybrid, Learner, StdpLabels, Surrogate
from fspinn.network.setup import Setup
from fspinn.search.candidates import Candidate, Variant
from fspinn.search.costs import Cost, counted_cost, training_steps
from fspinn.search.intervals import CONFIDENCE
from fspinn.search.metrics import metric_of
from fspinn.search.networks import settled, while_learning

if TYPE_CHECKING:
    from fspinn.datasets import Dataset


_last: dict[tuple[Any, ...], Learned] = {}
"""The last training of this process: networks that differ only in how they answer learn the same."""


@dataclass(frozen=True)
class Job:
    """A network to train once, for a share of the presentations, and the variants of it to measure."""

    setup: Setup
    seed: int
    variants: tuple[Variant, ...]
    share: float = 1.0

    @classmethod
    def of(cls, candidates: Sequence[Candidate], seed: int) -> "Job":
        """Return the job that measures candidates of the same training."""
        variants = tuple(candidate.variant for candidate in candidates)
        return cls(candidates[0].setup, seed, variants)

    @property
    def network(self) -> Network:
        """The network that is trained."""
        return self.setup.network

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What it measures, in the order of its variants."""
        return tuple(Candidate(self.setup, variant) for variant in self.variants)


Confusion: TypeAlias = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Measurement:
    """How many validation images of each class (rows) a variant answers with each (columns), and its cost; or
    the error that keeps it from that.
    """

    variant: Variant
    confusion: Confusion | None
    cost: Cost | None
    error: str | None = None


@dataclass(frozen=True)
class JobResult:
    """What came out of a job.

    An `error` keeps the network from being measured, now or ever: it never spikes. A `fault` is what the
    network is not to blame for: no memory, a full disk, a worker that died; such a result is not kept, and
    the job is done again. `models` are those that the context asks to keep, and part of no record.
    """

    measurements: tuple[Measurement, ...]
    error: str | None = None
    seconds: float = 0.0
    fault: str | None = None
    models: Mapping[Variant, Model] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Source:
    """How a worker finds the images, in its own cache; the checksums are of all images, and of those used."""

    name: str
    data_dir: str | None
    seed: int
    train: int
    validation: int
    checksum: str
    splits: str
    reading: Reading = Reading()

    @classmethod
    def of(cls, data: "Dataset", data_dir: str | Path | None) -> "Source":
        """Return the source of a data set that was loaded by name, perhaps from this folder."""
        digest = hashlib.sha256()
        for split in (data.train, data.validation):
            for some in contents(split.images):
                digest.update(some.data)
            digest.update(split.labels.astype("<i8").data)
            if split.features is not None:
                digest.update(split.features.astype("<f4", order="C").data)
        return cls(
            name=data.name,
            data_dir=None if data_dir is None else str(data_dir),
            seed=data.seed,
            train=len(data.train),
            validation=len(data.validation),
            checksum=data.checksum,
            splits=digest.hexdigest(),
            reading=data.reading,
        )


class Context(Protocol):
    """What all jobs of a search share, and how they are done."""

    def key(self, job: Job) -> str:
        """Return what tells a job and all that its result depends on from all others."""

    def measure(self, job: Job, on_batch: Callable[[int], None] | None = None) -> JobResult:
        """Do a job; what `on_batch` raises ends the work."""


@dataclass(frozen=True)
class SearchContext:
    """What all jobs share that train networks on the same images.

    `labels`, `class_weight`, `threads` and `seed` are those of the search, `data` the images where the
    worker is this process, `version` that of fspinn: another one may find other bits. With the seed of the
    search, of the variants that are proven, by `metric` and with `confidence`, to reach `keep`, the model of
    the one that takes the least memory comes back with the result.
    """

    source: Source
    hardware: Hardware
    labels: int | None = None
    class_weight: str | None = None
    threads: int | None = None
    seed: int = 0
    keep: float | None = None
    metric: str = "accuracy"
    confidence: float = CONFIDENCE
    data: "Dataset | None" = None
    version: str = __version__

    def key(self, job: Job) -> str:
        """Return what tells a job and all that its result depends on from all others."""
        words = [
            [f.name for f in fields(Cost)],
            __version__,
            jit.kernel_digest(),
            {**asdict(self.source), "data_dir": None},
            asdict(self.hardware),
            self.labels,
            self.class_weight,
            settings.as_plain(job),
        ]
        return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()

    def measure(self, job: Job, on_batch: Callable[[int], None] | None = None) -> JobResult:
        """Train the network of a job and measure its variants on the validation images.

        Whatever goes wrong becomes part of the result: an error of the network, or a fault of something else.

        Raises
        ------
        FspinnError
            If the images cannot be loaded or are others, or this is another version of fspinn.
        """
        if self.version != __version__:
            raise ConfigError(
                f"worker: has fspinn {__version__}, the search {self.version}; install the same on all"
            )
        data = _loaded(self.source) if self.data is None else self.data
        return in_any_case(lambda: self._measured(data, job, on_batch))

    def _measured(self, data: "Dataset", job: Job, on_batch: Callable[[int], None] | None) -> JobResult:
        shown, passes = shortened(data, job)
        trained: dict[Variant, Model] = {}
        for variants in _trained_alike(job):
            learner = _in_view_of(job.setup.learner, variants[0])
            seen = replace(job, setup=replace(job.setup, learner=learner))
            learned = self._learned(shown, passes, seen, on_batch)
            names = tuple(dict.fromkeys(variant.readout for variant in variants))
            models = fit_readouts(
                learned,
                shown,
                names,
                labels=self.labels,
                class_weight=self.class_weight,
                threads=self.threads,
                on_batch=on_batch,
            )
            trained |= {variant: models[names.index(variant.readout)] for variant in variants}
        measurements: dict[Variant, Measurement] = {}
        kept: dict[Variant, Model] = {}
        compiler = Compiler(shown, job.seed, self.threads)
        learner = replace(job.setup.learner, passes=passes)
        steps = training_steps(
            Setup(job.network, learner), len(shown.train), self._labelled(len(shown.train))
        )
        keeps, least = job.share == 1 and job.seed == self.seed, float("inf")
        for variants in _alike(job.variants):
            try:
                several = {v: compiled(compiler, trained[v], v) for v in variants}
            except (ConfigError, FormatError) as error:  # a format that cannot hold this network
                measurements |= {v: Measurement(v, None, None, str(error)) for v in variants}
                continue
            answers = _answers(several, data, job.seed, self.threads, on_batch)
            for variant, (confusion, model, active) in answers.items():
                cost = counted_cost(model, model.activity["inference"], self.hardware, steps, active)
                measurements[variant] = Measurement(variant, as_tuples(confusion), cost)
                if keeps and cost.memory_bits < least and self._keeps(confusion):
                    kept, least = {variant: model}, cost.memory_bits
        return JobResult(tuple(measurements[variant] for variant in job.variants), models=kept)

    def _learned(
        self, shown: "Dataset", passes: int, job: Job, on_batch: Callable[[int], None] | None
    ) -> Learned:
        setup = while_learning(job.setup)
        labelled = (self.labels, self.class_weight) if isinstance(setup.learner, Surrogate) else ()
        key = (self.source, setup, passes, job.seed, job.share, *labelled)
        learned = _last.get(key)  # threads of one worker share it; it does not matter which put it there
        if learned is None:
            _last.clear()
            learned = learn(
                setup.network,
                shown,
                replace(setup.learner, passes=passes),
                seed=job.seed,
                labels=self.labels,
                class_weight=self.class_weight,
                progress=False,
                on_batch=on_batch,
            )
            _last[key] = learned
        return replace(learned, network=settled(job.setup, learned.network), learner=job.setup.learner)

    def _labelled(self, images: int) -> int:
        return images if self.labels is None else min(self.labels, images)

    def _keeps(self, confusion: NDArray[np.int64]) -> bool:
        return self.keep is not None and (
            metric_of(self.metric).proven(confusion, self.confidence) >= self.keep
        )


def as_tuples(confusion: NDArray[np.int64]) -> Confusion:
    """Return a confusion matrix as a measurement holds it."""
    return tuple(map(tuple, confusion.tolist()))


def in_any_case(work: Callable[[], JobResult]) -> JobResult:
    """Return the result of some work, also where it fails, with the time that it took."""
    started = time.perf_counter()
    try:
        found = work()
    except (ConfigError, FormatError) as error:
        found = JobResult((), str(error))
    except Exception as error:  # a search of hours must not end with one candidate, whatever it is
        found = JobResult((), fault=f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": "))
    return replace(found, seconds=time.perf_counter() - started)


def compiled(compiler: Compiler, model: Model, variant: Variant) -> Model:
    """Return what a variant makes of a trained model."""
    how = variant.lowering()
    return model if how is None else compiler.compile(model, how)


def shortened(data: "Dataset", job: Job) -> tuple["Dataset", int]:
    """Return images and passes that make up the share of a job, with as many images as can be."""
    images = len(data.train)
    learner, passes = job.setup.learner, job.setup.learner.passes
    if passes is None:
        passes = most_passes(job.network, images, learner)
    if isinstance(learner, Hybrid):
        count, times = max(1, round(images * job.share)), passes  # an ANN sees them too
    else:
        count, times = images_and_passes(images, passes, job.share)
    if count == images:
        return data, times
    chosen = np.sort(permutation(stream_key(job.seed, TUNING_IMAGES), images)[:count])
    return replace(data, train=data.train.part(chosen)), times


def images_and_passes(images: int, passes: int, share: float) -> tuple[int, int]:
    """Return how many images, and how often, make up a share of the presentations.

    >>> images_and_passes(900, 2, 1 / 9), images_and_passes(900, 9, 1 / 3)
    ((200, 1), (900, 3))
    """
    presentations = max(1, round(passes * images * share))
    times = ceil(presentations / images)
    return max(1, round(presentations / times)), times


def _trained_alike(job: Job) -> list[list[Variant]]:
    """Return the variants in groups that are made of the same training, labels included."""
    groups: dict[Learner, list[Variant]] = {}
    for variant in job.variants:
        groups.setdefault(_in_view_of(job.setup.learner, variant), []).append(variant)
    return list(groups.values())


def _in_view_of(learner: Learner, variant: Variant) -> Learner:
    """Return the learner; labels have the bits of a variant in view, where they are few."""
    if (
        isinstance(learner, StdpLabels | Surrogate)
        and learner.weight_bits is None
        and isinstance(learner, Surrogate) < variant.weight_bits <= MOST_BITS
    ):
        return replace(learner, weight_bits=variant.weight_bits)
    return learner


def _alike(variants: Sequence[Variant]) -> list[list[Variant]]:
    """Return the variants in groups that differ in their readout only."""
    groups: dict[Variant, list[Variant]] = {}
    for variant in variants:
        groups.setdefault(replace(variant, readout="proportion", readout_format=None), []).append(variant)
    return list(groups.values())


def _answers(
    models: Mapping[Variant, Model],
    data: "Dataset",
    seed: int,
    threads: int | None,
    on_batch: Callable[[int], None] | None,
) -> dict[Variant, tuple[NDArray[np.int64], Model, float]]:
    """Return the confusion matrix of each model on the validation images, and the spike counts of an image
    that are not 0; all models listen to the same spikes.
    """
    model = next(iter(models.values()))
    images, labels = data.validation.images, data.validation.labels
    spike_counts, activity, _ = respond(plan_of(model), images, seed=seed, threads=threads, on_batch=on_batch)
    answers, features = {}, data.validation.features  # in the order of the training's, as is the scale
    counts = joined(model.features, spike_counts, features)
    active = spike_counts.count_nonzero() / len(images)
    for variant, model in models.items():
        answered = predict(model.readout, counts)
        confusion = metrics.confusion_matrix(labels, answered, data.n_classes)
        record = {**model.record, "validation_accuracy": metrics.accuracy(confusion)}
        activities = {**model.activity, "inference": activity}
        answers[variant] = confusion, replace(model, activity=activities, record=record), active
    return answers


@lru_cache(maxsize=1)
def _loaded(source: Source) -> "Dataset":
    from fspinn.datasets import load

    data = load(
        source.name,
        data_dir=source.data_dir,
        validation=source.validation,
        seed=source.seed,
        reading=source.reading,
    )
    data = replace(data, train=data.train.first(source.train))
    if data.checksum != source.checksum or Source.of(data, source.data_dir) != source:
        raise ConfigError(
            f"dataset: a worker has other images for {source.name}; give all the same files, and name the "
            "data set as the search does"
        )
    return data


def as_plain(job: Job, result: JobResult) -> dict[str, Any]:
    """Return the result of a job as values that fit in JSON, beside what tells people which job it was."""
    return {
        "neurons": job.network.neurons,
        "seed": job.seed,
        "share": job.share,
        "setup": settings.as_plain(job.setup),
        "measurements": [asdict(measurement) for measurement in result.measurements],
        "error": result.error,
        "seconds": result.seconds,
    }


def result_of(plain: Mapping[str, Any]) -> JobResult:
    """Return the result that `as_plain` wrote; KeyError or TypeError if its fields are others."""
    measurements = []
    for one in plain["measurements"]:
        cost = None
        if one["cost"] is not None:
            cost = Cost(**{**one["cost"], "layer_spikes": tuple(one["cost"]["layer_spikes"])})
        confusion = None if one["confusion"] is None else tuple(map(tuple, one["confusion"]))
        variant = Variant(**one["variant"])
        measurements.append(Measurement(**{**one, "variant": variant, "confusion": confusion, "cost": cost}))
    return JobResult(tuple(measurements), plain["error"], plain["seconds"])
