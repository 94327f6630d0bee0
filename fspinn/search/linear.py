"""What does a linear classifier on the pixels reach?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fspinn.answering import metrics
from fspinn.memmodel import Hardware
from fspinn.model.readout import quiet_fit
from fspinn.search.baselines import Baseline, Samples, Weights, baseline_of
from fspinn.search.metrics import metric_of

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

LINEAR_BITS = range(2, 9)
"""Bits that its weights may have, whichever suits it best."""

INVERSE_PENALTY = 0.1
"""scikit-learn's C for pixels from 0 to 1, found on the validation images of MNIST (fspinn)."""

MAX_ITERATIONS = 50
"""Of the solver: on MNIST 92 %, as after twice as many."""

FLOAT_BITS = 32

CLIPS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18)
"""Weights beyond such a part of the largest saturate, whichever is best on training images (fspinn)."""

MOST_CLIPPING_IMAGES = 10_000


def linear_classifiers(
    data: "Dataset | Samples",
    weight_bits: Sequence[int] = LINEAR_BITS,
    *,
    labels: int | None = None,
    class_weight: str | None = None,
    metric: str = "accuracy",
    seed: int = 0,
    hardware: Hardware | None = None,
) -> list[Baseline]:
    """Fit a multinomial logistic regression on the pixels, give its weights fewer bits, and measure each.

    Weights are signed whole numbers of a common step; one bit is not enough for both signs and zero, so the
    least is two. From 32 bits on they stay floating-point numbers. Of the training images so many are
    labelled, drawn with `seed` as `fspinn.train` does; None is all. They are weighted by class as there, and
    measured by a metric of `fspinn.search.metrics`. Energy and time are those on `hardware`, if it is given.
    """
    samples = data if isinstance(data, Samples) else Samples.of(data, labels, seed)
    weights, bias, classes = _fitted(samples.pixels, samples.labels, class_weight)
    some = samples.pixels[:MOST_CLIPPING_IMAGES], samples.labels[:MOST_CLIPPING_IMAGES]

    def answered(weights: NDArray[Any], images: NDArray[np.float32]) -> NDArray[np.int64]:
        answers: NDArray[np.int64] = classes[(images @ weights + bias).argmax(axis=1)]
        return answers

    def value(weights: NDArray[Any]) -> float:
        confusion = metrics.confusion_matrix(some[1], answered(weights, some[0]), samples.n_classes)
        return metric_of(metric).value(confusion)

    found = []
    for bits in sorted({max(bits, 2) for bits in weight_bits}):
        rounded = weights
        if bits < FLOAT_BITS:
            limit = 2 ** (bits - 1)
            steps = np.maximum(np.abs(weights).max() / limit * np.array(CLIPS), 1e-12)
            every = [np.clip(np.rint(weights / step), -limit, limit - 1) * step for step in steps]
            rounded = max(every, key=value)
        answers = answered(rounded, samples.shown)
        layers = [Weights(rounded, samples.shown)]
        found.append(baseline_of(layers, bits, answers, samples, metric, hardware))
    return found


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
