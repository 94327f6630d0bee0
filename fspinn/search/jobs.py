"""One training and all that is measured of it: what a worker does, wherever it is.

A network trained once serves every width and readout: a job names the variants that are still in question,
and each group of them that has the same weights and state answers the validation images once.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, lru_cache, partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fspinn.answering.compress import Calibration, calibrate, which_spike
from fspinn.answering.predict import respond
from fspinn.base import jit
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.randomness import TUNING_IMAGES, permutation, stream_key
from fspinn.base.version import __version__
from fspinn.datasets.mapped import in_pieces
from fspinn.learning.fitting import Learned, fit_readouts
from fspinn.learning.training import learn, passes_for
from fspinn.lowering import quantize
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.passes import drop_neurons, drop_pixels
from fspinn.memmodel import Hardware
from fspinn.model.model import Model
from fspinn.model.readout import predict
from fspinn.network.description import Network
from fspinn.quant.formats import Format
from fspinn.search.candidates import FLOAT, Variant
from fspinn.search.costs import Cost, counted_cost

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

LAYOUT = 3
"""Of the records that `as_plain` makes: those of another layout are of no use."""


@dataclass(frozen=True)
class Job:
    """A network to train once, and the variants of it to measure.

    Parameters
    ----------
    network : Network
    passes : int or None
        None as for `fspinn.train`.
    seed : int
    variants : tuple of Variant
    share : float, default 1.0
        Part of the presentations that the network learns for.
    """

    network: Network
    passes: int | None
    seed: int
    variants: tuple[Variant, ...]
    share: float = 1.0


@dataclass(frozen=True)
class Measurement:
    """What came out of one variant.

    Parameters
    ----------
    variant : Variant
    correct : int or None
        Validation images whose class was found; None where it failed.
    cost : Cost or None
    error : str or None
        Why it failed: a format that cannot hold the network.
    """

    variant: Variant
    correct: int | None
    cost: Cost | None
    error: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came out of a job.

    Parameters
    ----------
    measurements : tuple of Measurement
    error : str or None, default None
        Why the network cannot be measured, now or ever: it never spikes, no format holds it.
    seconds : float, default 0.0
    fault : str or None, default None
        What stopped the job that the network is not to blame for: no memory, a full disk, a worker that
        died. Such an outcome is not kept, and the job is done again.
    models : mapping of Variant to Model
        Those that the bench was asked to keep; not part of any record.
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

    @classmethod
    def of(cls, data: "Dataset", data_dir: str | Path | None) -> "Source":
        """Return the source of a data set that was loaded by name, perhaps from this folder."""
        digest = hashlib.sha256()
        for split in (data.train, data.validation):
            for some in in_pieces(split.images):
                digest.update(np.ascontiguousarray(some).data)
            digest.update(split.labels.astype("<i8").data)
        return cls(
            name=data.name,
            data_dir=None if data_dir is None else str(data_dir),
            seed=data.seed,
            train=len(data.train),
            validation=len(data.validation),
            checksum=data.checksum,
            splits=digest.hexdigest(),
        )


@dataclass(frozen=True)
class Bench:
    """Everything that all jobs of a search share.

    Parameters
    ----------
    source : Source
    hardware : Hardware
    labels : int or None
        Labelled training images for the readouts; None is all.
    threads : int or None
        Of each job; None is one per core.
    seed : int
        Of the search.
    keep : int
        With this seed, of the variants that get so many validation images right, the model of the one that
        takes the least memory comes back with the outcome.
    data : Dataset or None
        The images, where the worker is this process.
    version : str
        Of fspinn: another one may find other bits.
    """

    source: Source
    hardware: Hardware
    labels: int | None
    threads: int | None
    seed: int
    keep: int
    data: "Dataset | None" = None
    version: str = __version__

    def key(self, job: Job) -> str:
        """Return what tells a job and all that its outcome depends on from all others."""
        words = [
            LAYOUT,
            [f.name for f in fields(Cost)],
            __version__,
            jit.kernel_digest(),
            {**asdict(self.source), "data_dir": None},
            asdict(self.hardware),
            self.labels,
            asdict(job),
        ]
        return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()


def measure(bench: Bench, job: Job, on_batch: Callable[[int], None] | None = None) -> Outcome:
    """Train the network of a job and measure its variants on the validation images.

    Whatever goes wrong becomes part of the outcome: an error of the network, or a fault of something else.

    Parameters
    ----------
    bench : Bench
    job : Job
    on_batch : callable, optional
        Called now and then; what it raises ends the work.

    Raises
    ------
    FspinnError
        If the images cannot be loaded or are others, or this is another version of fspinn.
    """
    if bench.version != __version__:
        raise ConfigError(
            f"worker: has fspinn {__version__}, the search {bench.version}; install the same on all"
        )
    data = _loaded(bench.source) if bench.data is None else bench.data
    started = time.perf_counter()
    try:
        found = _measured(bench, data, job, on_batch)
    except (ConfigError, FormatError) as error:
        found = Outcome((), str(error))
    except Exception as error:  # a search of hours must not end with one candidate, whatever it is
        found = Outcome((), fault=f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": "))
    return replace(found, seconds=time.perf_counter() - started)


def _measured(bench: Bench, data: "Dataset", job: Job, on_batch: Callable[[int], None] | None) -> Outcome:
    shown, passes = shortened(data, job)
    learned = _learned(bench, shown, passes, job, on_batch)
    names = tuple(dict.fromkeys(variant.readout for variant in job.variants))
    models = fit_readouts(learned, shown, names, labels=bench.labels, threads=bench.threads)
    trained = dict(zip(names, models, strict=True))
    measurements: list[Measurement] = []
    kept: dict[Variant, Model] = {}
    seen = cache(partial(calibrate, models[0], shown, seed=job.seed, threads=bench.threads))
    keeps, least = job.share == 1 and job.seed == bench.seed, float("inf")
    for variants in _alike(job.variants):
        try:
            several = _finished(trained, variants, seen, shown, job.seed, bench.threads)
        except (ConfigError, FormatError) as error:  # a format that cannot hold this network
            measurements += [Measurement(variant, None, None, str(error)) for variant in variants]
            continue
        for variant, (correct, model) in _answers(several, data, job.seed, bench.threads).items():
            cost = counted_cost(model, model.activity["inference"], bench.hardware)
            measurements.append(Measurement(variant, correct, cost))
            if correct >= bench.keep and keeps and cost.memory_bits < least:
                kept, least = {variant: model}, cost.memory_bits
    order = {variant: place for place, variant in enumerate(job.variants)}
    measurements.sort(key=lambda measurement: order[measurement.variant])
    return Outcome(tuple(measurements), models=kept)


_last: dict[tuple[Any, ...], Learned] = {}
"""The last training of this process: networks that differ only in how they answer learn the same."""


def _learned(
    bench: Bench, shown: "Dataset", passes: int, job: Job, on_batch: Callable[[int], None] | None
) -> Learned:
    learner = replace(job.network, answer_threshold=None, answer_inhibition=None)
    key = (bench.source, learner, passes, job.seed, job.share)
    learned = _last.get(key)  # threads of one worker share it: what another put there is no matter
    if learned is None:
        _last.clear()
        learned = learn(learner, shown, passes=passes, seed=job.seed, progress=False, on_batch=on_batch)
        _last[key] = learned
    return replace(learned, network=replace(job.network, weight_norm=learned.network.weight_norm))


def shortened(data: "Dataset", job: Job) -> tuple["Dataset", int]:
    """Return images and passes that make up the share of a job, with as many images as can be."""
    images = len(data.train)
    passes = passes_for(job.network.neurons, images) if job.passes is None else job.passes
    presentations = max(1, round(passes * images * job.share))
    times = ceil(presentations / images)
    count = max(1, round(presentations / times))
    if count == images:
        return data, times
    chosen = np.sort(permutation(stream_key(job.seed, TUNING_IMAGES), images)[:count])
    return replace(data, train=type(data.train)(data.train.images[chosen], data.train.labels[chosen])), times


def _alike(variants: Sequence[Variant]) -> list[list[Variant]]:
    """Return the variants in groups that differ in their readout only."""
    groups: dict[Variant, list[Variant]] = {}
    for variant in variants:
        groups.setdefault(replace(variant, readout="proportion"), []).append(variant)
    return list(groups.values())


def _finished(
    trained: Mapping[str, Model],
    variants: Sequence[Variant],
    seen: Callable[[], Calibration],
    data: "Dataset",
    seed: int,
    threads: int | None,
) -> dict[Variant, Model]:
    """Return the models of variants that differ in their readout only."""
    models = {variant: trained[variant.readout] for variant in variants}
    one = variants[0]
    if one.weights != FLOAT:
        state: Format | str | None = None if one.state == FLOAT else one.state
        if one.calibrated_bits is not None:
            state = seen().format(one.calibrated_bits)
        models = {
            variant: quantize(model, one.weights, one.rounding, state=state, seed=seed)
            for variant, model in models.items()
        }
    if one.prune:
        spiked = which_spike(models[one], data, seed=seed, threads=threads)
        models = {v: drop_pixels(drop_neurons(model, spiked)[0])[0] for v, model in models.items()}
    return models


def _answers(
    models: Mapping[Variant, Model], data: "Dataset", seed: int, threads: int | None
) -> dict[Variant, tuple[int, Model]]:
    """Return how many validation images each model gets right; all listen to the same spikes."""
    model = next(iter(models.values()))
    images, labels = data.validation.images, data.validation.labels
    spike_counts, activity, _ = respond(plan_of(model), images, seed=seed, threads=threads)
    answers = {}
    for variant, model in models.items():
        correct = int(np.sum(predict(model.readout, spike_counts) == labels))
        record = {**model.record, "validation_accuracy": correct / len(labels)}
        activities = {**model.activity, "inference": activity}
        answers[variant] = correct, replace(model, activity=activities, record=record)
    return answers


@lru_cache(maxsize=1)
def _loaded(source: Source) -> "Dataset":
    from fspinn.datasets import load

    data = load(source.name, data_dir=source.data_dir, validation=source.validation, seed=source.seed)
    data = replace(data, train=data.train.first(source.train))
    if data.checksum != source.checksum or Source.of(data, source.data_dir) != source:
        raise ConfigError(
            f"dataset: a worker has other images for {source.name}; give all the same files, and name the "
            "data set as the search does"
        )
    return data


def as_plain(job: Job, outcome: Outcome) -> dict[str, Any]:
    """Return a job and its outcome as values that fit in JSON."""
    measurements = [asdict(measurement) for measurement in outcome.measurements]
    return {
        "job": asdict(job),
        "measurements": measurements,
        "error": outcome.error,
        "seconds": outcome.seconds,
    }


def job_of(plain: Mapping[str, Any]) -> Job:
    """Return the job that `as_plain` wrote with this `LAYOUT`."""
    job = plain["job"]
    variants = tuple(Variant(**variant) for variant in job["variants"])
    return Job(**{**job, "network": Network(**job["network"]), "variants": variants})


def outcome_of(plain: Mapping[str, Any]) -> Outcome:
    """Return the outcome that `as_plain` wrote with this `LAYOUT`."""
    measurements = tuple(
        Measurement(
            Variant(**m["variant"]),
            m["correct"],
            None if m["cost"] is None else Cost(**m["cost"]),
            m["error"],
        )
        for m in plain["measurements"]
    )
    return Outcome(measurements, plain["error"], plain["seconds"])
