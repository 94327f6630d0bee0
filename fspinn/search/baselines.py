"""What does it take without spikes? A classifier that a spiking network has to be better than."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fspinn.answering import metrics
from fspinn.base.randomness import ANN_ORDER, permutation, stream_key
from fspinn.datasets.events import Recordings
from fspinn.memmodel import Hardware
from fspinn.memmodel.accesses import SUM_BITS
from fspinn.memmodel.dense import DenseLayer, dense_cost
from fspinn.model.features import Features
from fspinn.model.linear import WHITE, LinearTable, drops_inputs
from fspinn.model.model import bias_bits
from fspinn.model.readout import balanced_weights, labelled_images
from fspinn.search.intervals import CONFIDENCE
from fspinn.search.jobs import Confusion, as_tuples
from fspinn.search.metrics import metric_of

if TYPE_CHECKING:
    from fspinn.datasets import Dataset, Split

EVENTS_OF_WHITE = 15
"""Events of a pixel and polarity that weigh as much as a white pixel, best on N-MNIST (fspinn)."""

MOST_IMAGES = 100_000
"""More change nothing for so few weights, and would fill the memory."""

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Baseline:
    """A classifier without spikes, whose weights have so many bits.

    Parameters
    ----------
    hidden : int or None
        Neurons of the hidden layer of an ANN; None is a linear classifier.
    weight_bits : int
    memory : dict of str to int
        Bits by component, with the names of `fspinn.memmodel.footprint`: `weights`; `pixels`, as in a pruned
        network a bit for each that says whether it has any weight, if that costs less; the biases, of the
        `readout`, with their step where it is not that of the sums, and of `hidden` neurons, with the step of
        their outputs; and `accumulators`, the sums of all classes and hidden neurons. Each pixel is used when
        it comes, so none is kept; so is each event, which adds its row. Classes without labels have weights
        too.
    confusion : tuple of tuple of int
        Validation images of each class (rows) that are answered with each (columns).
    macs : float
        Multiply-accumulates on weights and inputs that are not 0, of an image (NeuroBench's effective MACs);
        of events the first layer's additions.
    dense_macs : int
        Those on all weights and inputs.
    energy_pj, latency_s : float or None, default None
        Of an image (see `fspinn.memmodel.dense`); None where the hardware says nothing of it.
    metric : str, default "accuracy"
        What its accuracies are values of.
    table : LinearTable or None, default None
        The numbers of a linear classifier with weights in integers, of all classes.
    """

    hidden: int | None
    weight_bits: int
    memory: dict[str, int]
    confusion: Confusion
    macs: float
    dense_macs: int
    energy_pj: float | None = None
    latency_s: float | None = None
    metric: str = "accuracy"
    table: LinearTable | None = field(default=None, compare=False, repr=False)

    @property
    def accuracy(self) -> float:
        """On validation images."""
        return metric_of(self.metric).value(np.array(self.confusion))

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """95 % interval of `accuracy`."""
        return metric_of(self.metric).interval(np.array(self.confusion), CONFIDENCE)

    @property
    def memory_bits(self) -> int:
        """All of them."""
        return sum(self.memory.values())

    def as_dict(self, confidence: float) -> dict[str, Any]:
        """Return everything by name, with the accuracy that is proven with a confidence."""
        names = (one.name for one in fields(self) if one.name not in ("confusion", "table"))
        return {name: getattr(self, name) for name in names} | {
            "memory_bits": self.memory_bits,
            "accuracy": self.accuracy,
            "accuracy_interval": self.accuracy_interval,
            "proven_accuracy": metric_of(self.metric).proven(np.array(self.confusion), confidence),
        }


class Samples(NamedTuple):
    """What classifiers are fitted and measured on: pixels from 0 to 1, features beside them, and labels.

    The first so many inputs are `events`: counts of them over `EVENTS_OF_WHITE`.
    """

    pixels: NDArray[np.float32]
    labels: NDArray[np.int64]
    shown: NDArray[np.float32]
    shown_labels: NDArray[np.int64]
    n_classes: int
    events: int = 0

    @classmethod
    def of(cls, data: "Dataset", labels: int | None = None, seed: int = 0) -> "Samples":
        """Return those of a data set; of the training images so many are labelled, as `fspinn.train` draws.

        If there are features beside the images, the bytes that their scale makes of them stand beside the
        pixels.
        """
        chosen = labelled_images(len(data.train), labels, seed=seed)
        chosen = np.sort(chosen[:MOST_IMAGES])
        features = None
        if data.train.features is not None:
            features = Features.fitted(data.feature_names, data.train.features)
        pixels = _pixels(data.train, chosen, features)
        shown = _pixels(data.validation, np.arange(len(data.validation)), features)
        images = data.train.images
        events = prod(images.shape[1:]) if isinstance(images, Recordings) else 0
        return cls(pixels, data.train.labels[chosen], shown, data.validation.labels, data.n_classes, events)


class Batch(NamedTuple):
    """Samples that a step of a solver looks at: which step, pixels, targets and how much each counts."""

    number: int
    pixels: NDArray[np.float32]
    targets: NDArray[np.float32]
    counts: NDArray[np.float32]


def batches(
    samples: Samples, classes: NDArray[np.int64], class_weight: str | None, size: int, steps: int, seed: int
) -> Iterator[Batch]:
    """Yield samples in random order, `size` or all at a time, each with a target for each class."""
    images = len(samples.pixels)
    size = min(size, images)
    targets = (samples.labels[:, None] == classes).astype(np.float32)
    shares = np.ones(len(classes)) if class_weight is None else balanced_weights(samples.labels, classes)
    counts = targets @ shares[:, None].astype(np.float32) / np.float32(size)
    for number in range(1, steps + 1):
        passed, place = divmod(number - 1, images // size)
        if place == 0:
            order = permutation(stream_key(seed, ANN_ORDER, passed), images)
        some = order[place * size : (place + 1) * size]
        yield Batch(number, samples.pixels[some], targets[some], counts[some])


class Weights(NamedTuple):
    """A layer: weights, rounded already, and what its inputs are in the validation images."""

    weights: Floats
    inputs: Floats


def baseline_of(
    layers: Sequence[Weights],
    weight_bits: int,
    answers: NDArray[np.int64],
    samples: Samples,
    metric: str,
    hardware: Hardware | None,
    table: LinearTable | None = None,
) -> Baseline:
    """Return a classifier of one or two layers, with its answers to the validation images and its costs."""
    first, n_classes = layers[0].weights, samples.n_classes
    inputs, bias = len(first), bias_bits(weight_bits)
    kept = np.asarray(first.any(axis=1))
    sizes = [(int(kept.sum()), n_classes)]
    memory = {"readout": n_classes * bias, "accumulators": n_classes * SUM_BITS}
    if table is not None and table.bias_step > 1:
        memory["readout"] += SUM_BITS
    hidden = None
    if len(layers) > 1:
        hidden = first.shape[1]
        sizes = [(sizes[0][0], hidden), (hidden, n_classes)]
        memory["hidden"] = hidden * bias + SUM_BITS
        memory["accumulators"] += hidden * SUM_BITS
    of_rest = sum(rows * columns for rows, columns in sizes[1:]) * weight_bits
    of_pixel = sizes[0][1] * weight_bits
    dropping = drops_inputs(kept, of_pixel)
    memory["weights"] = (sizes[0][0] if dropping else inputs) * of_pixel + of_rest
    memory["pixels"] = inputs if dropping else 0
    active = [(layer.inputs != 0).mean(axis=0) for layer in layers]
    events = slice(samples.events)
    active[0][events] = EVENTS_OF_WHITE * samples.shown[:, events].mean(axis=0)
    macs = sum(
        float(on @ np.count_nonzero(layer.weights, axis=1)) for on, layer in zip(active, layers, strict=True)
    )
    active[0] = active[0][kept]
    energy, latency = None, None
    if hardware is not None:
        dense = [
            DenseLayer(rows, columns, weight_bits, float(on.sum()), samples.events > 0 and number == 0)
            for number, ((rows, columns), on) in enumerate(zip(sizes, active, strict=True))
        ]
        sums = memory["accumulators"]
        cost = dense_cost(dense, sum(memory.values()) - sums, sums, hardware)
        if cost is not None:
            energy, latency = cost.energy_pj, cost.latency_s
    confusion = metrics.confusion_matrix(samples.shown_labels, answers, n_classes)
    return Baseline(
        hidden=hidden,
        weight_bits=weight_bits,
        memory=memory,
        confusion=as_tuples(confusion),
        macs=macs,
        dense_macs=inputs * sizes[0][1] + sum(rows * columns for rows, columns in sizes[1:]),
        energy_pj=energy,
        latency_s=latency,
        metric=metric,
        table=table,
    )


def whole_steps(numbers: Floats, bits: int) -> Floats:
    """Return numbers in whole numbers of a common step, so that the largest just fits so many signed bits."""
    limit = 2 ** (bits - 1)
    step = np.float32(max(np.abs(numbers).max() / (limit - 0.5), 1e-12))
    rounded: Floats = np.clip(np.rint(numbers / step), -limit, limit - 1) * step
    return rounded


def best_of(
    baselines: Sequence[Mapping[str, Any]], target: float, field: str = "memory_bits"
) -> Mapping[str, Any] | None:
    """Return the baseline that suits best, None if there is none to choose from.

    That is the one with the least of a field, of those that are proven to reach the target, as a network has
    to; where none is, the most accurate. They are as `Baseline.as_dict` gives them.
    """
    proven = [one for one in baselines if one["proven_accuracy"] >= target]
    if proven:
        return min(proven, key=lambda one: (one[field], one["memory_bits"]))
    return max(baselines, key=lambda one: (one["accuracy"], -one["memory_bits"]), default=None)


def _pixels(split: "Split", which: NDArray[np.int64], features: Features | None) -> NDArray[np.float32]:
    images = split.images[which]
    if isinstance(images, Recordings):
        images, white = images.frames(), EVENTS_OF_WHITE
    else:
        white = WHITE
    pixels: NDArray[np.float32] = np.divide(images.reshape(len(which), -1), white, dtype=np.float32)
    if features is None or split.features is None:
        return pixels
    beside = features.in_bytes(split.features[which]).astype(np.float32) / np.float32(255)
    return np.concatenate([pixels, beside], axis=1)
