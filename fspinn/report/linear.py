"""Is a spiking layer worth its bytes? What a linear classifier on the pixels reaches without one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fspinn.answering import metrics
from fspinn.datasets.events import Recordings
from fspinn.model.features import Features
from fspinn.model.model import bias_bits
from fspinn.model.readout import labelled_images, quiet_fit
from fspinn.search.intervals import CONFIDENCE
from fspinn.search.jobs import Confusion, as_tuples
from fspinn.search.metrics import metric_of

if TYPE_CHECKING:
    from fspinn.datasets import Dataset, Split

INVERSE_PENALTY = 0.1
"""scikit-learn's C for pixels from 0 to 1, found on the validation images of MNIST (fspinn)."""

EVENTS_OF_WHITE = 15
"""Events of a pixel and polarity that weigh as much as a white pixel, best on N-MNIST (fspinn)."""

MAX_ITERATIONS = 50
"""Of the solver: on MNIST 92 %, as after twice as many."""

FLOAT_BITS = 32
SUM_BITS = 32
"""Bits of the sum that an answer needs for each class."""

CLIPS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18)
"""Weights beyond such a part of the largest saturate, whichever is best on training images (fspinn)."""

MOST_IMAGES = 100_000
"""More change nothing for so few weights, and would fill the memory."""

MOST_CLIPPING_IMAGES = 10_000


@dataclass(frozen=True)
class Linear:
    """A linear classifier whose weights have so many bits.

    Parameters
    ----------
    weight_bits : int
    memory : dict of str to int
        Bits by component, with the names of `fspinn.memmodel.footprint`: `weights`; `pixels`, as in a pruned
        network a bit for each that says whether it has any weight, if that costs less; the biases of the
        `readout`; and `accumulators`, the sums of all classes. Each pixel is used when it comes, so none is
        kept.
    confusion : tuple of tuple of int
        Validation images of each class (rows) that are answered with each (columns).
    metric : str, default "accuracy"
        What its accuracies are values of.
    """

    weight_bits: int
    memory: dict[str, int]
    confusion: Confusion
    metric: str = "accuracy"

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

    def proves(self, target: float, confidence: float) -> bool:
        """Return whether it is proven to reach an accuracy."""
        return metric_of(self.metric).proven(np.array(self.confusion), confidence) >= target


def linear_classifiers(
    data: "Dataset",
    weight_bits: Sequence[int],
    *,
    labels: int | None = None,
    class_weight: str | None = None,
    metric: str = "accuracy",
    seed: int = 0,
) -> list[Linear]:
    """Fit a multinomial logistic regression on the pixels, give its weights fewer bits, and measure each.

    If there are features beside the images, the bytes that their scale makes of them stand beside the pixels.

    Weights are signed whole numbers of a common step; one bit is not enough for both signs and zero, so the
    least is two. From 32 bits on they stay floating-point numbers. Of the training images so many are
    labelled, drawn with `seed` as `fspinn.train` does; None is all. They are weighted by class as there, and
    measured by a metric of `fspinn.search.metrics`.
    """
    chosen = labelled_images(len(data.train), labels, seed=seed)
    chosen = np.sort(chosen[:MOST_IMAGES])
    features = None
    if data.train.features is not None:
        features = Features.fitted(data.feature_names, data.train.features)
    known, pixels = data.train.labels[chosen], _pixels(data.train, chosen, features)
    weights, bias, classes = _fitted(pixels, known, class_weight)
    clipping = pixels[:MOST_CLIPPING_IMAGES], known[:MOST_CLIPPING_IMAGES]
    shown = _pixels(data.validation, np.arange(len(data.validation)), features)

    def answered(
        weights: NDArray[Any], images: NDArray[np.float32], labels: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        answers = classes[(images @ weights + bias).argmax(axis=1)]
        return metrics.confusion_matrix(labels, answers, data.n_classes)

    def value(weights: NDArray[Any]) -> float:
        return metric_of(metric).value(answered(weights, *clipping))

    found = []
    for bits in sorted({max(bits, 2) for bits in weight_bits}):
        rounded = weights
        if bits < FLOAT_BITS:
            limit = 2 ** (bits - 1)
            steps = np.maximum(np.abs(weights).max() / limit * np.array(CLIPS), 1e-12)
            every = [np.clip(np.rint(weights / step), -limit, limit - 1) * step for step in steps]
            rounded = max(every, key=value)
        confusion = answered(rounded, shown, data.validation.labels)
        found.append(Linear(bits, _memory(rounded, data.n_classes, bits), as_tuples(confusion), metric))
    return found


def best_of(linear: Sequence[Linear], target: float, confidence: float) -> Linear | None:
    """Return the linear classifier with the bits that suit it best, None if there is none to choose from.

    That is the smallest one that is proven to reach the target, as a network has to; where none is, the most
    accurate.
    """
    proven = [one for one in linear if one.proves(target, confidence)]
    if proven:
        return min(proven, key=lambda one: one.memory_bits)
    return max(linear, key=lambda one: (one.accuracy, -one.memory_bits), default=None)


def _memory(weights: NDArray[Any], n_classes: int, weight_bits: int) -> dict[str, int]:
    pixel_bits, pixels = n_classes * weight_bits, len(weights)
    kept = int(np.count_nonzero(weights.any(axis=1)))
    dropping = kept * pixel_bits + pixels < pixels * pixel_bits
    return {
        "weights": (kept if dropping else pixels) * pixel_bits,
        "pixels": pixels if dropping else 0,
        "readout": n_classes * bias_bits(weight_bits),
        "accumulators": n_classes * SUM_BITS,
    }


def _pixels(split: "Split", which: NDArray[np.int64], features: Features | None) -> NDArray[np.float32]:
    images = split.images[which]
    if isinstance(images, Recordings):
        pixels = images.frames().reshape(len(which), -1).astype(np.float32) / np.float32(EVENTS_OF_WHITE)
    else:
        pixels = images.reshape(len(which), -1).astype(np.float32) / np.float32(255)
    if features is None or split.features is None:
        return pixels
    beside = features.in_bytes(split.features[which]).astype(np.float32) / np.float32(255)
    return np.concatenate([pixels, beside], axis=1)


def _fitted(
    pixels: NDArray[np.float32], labels: NDArray[np.int64], class_weight: str | None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:
    """Return weights (n_inputs, n), biases (n,) and the n classes that have labels."""
    from sklearn.linear_model import LogisticRegression

    classes = np.unique(labels)
    if len(classes) == 1:
        return np.zeros((pixels.shape[1], 1)), np.zeros(1), classes
    solver = LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_ITERATIONS, class_weight=class_weight)
    with quiet_fit():
        solver.fit(pixels, labels)
    weights, bias = solver.coef_.T, solver.intercept_
    if len(classes) == 2:  # scikit-learn gives only their difference
        return weights * [-0.5, 0.5], bias * [-0.5, 0.5], classes
    return weights, bias, classes
