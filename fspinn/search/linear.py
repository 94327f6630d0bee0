"""What does a linear classifier on the pixels reach? Logistic regression, then learned with its rounding.

Its scores are ``(bytes @ W + b) * scale`` with signed integers ``W`` and ``b``; what is measured are those of
integers alone (`fspinn.model.linear`). The solver is that of readouts of few bits
(`fspinn.model.rounded_readout`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fspinn.answering import metrics
from fspinn.memmodel import Hardware
from fspinn.model.linear import LinearTable
from fspinn.model.readout import quiet_fit
from fspinn.model.rounded_readout import BATCH, TABLE_RATE, UPDATES, Guess, descended
from fspinn.search.baselines import Baseline, Batch, Samples, Weights, baseline_of, batches
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
"""Weights beyond such a part of the largest saturate at first, whichever is best on training images
(fspinn)."""

MOST_CLIPPING_IMAGES = 10_000


class _Fit(NamedTuple):
    """Weights (n_inputs, n), whole numbers of a step unless that is 1, and biases (n,)."""

    whole: NDArray[Any]
    bias: NDArray[Any]
    step: float = 1.0

    @property
    def weights(self) -> NDArray[Any]:
        return self.whole * np.float32(self.step)


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
    """Fit a multinomial logistic regression on the pixels, at each number of bits, and measure it.

    Weights are signed whole numbers of a common step; one bit is not enough for both signs and zero, so the
    least is two. They are learned with their rounding, from the fit in floating-point numbers on, which is
    what remains from 32 bits on. Of the training images so many are labelled, drawn with `seed` as
    `fspinn.train` does; None is all. They are weighted by class as there, and measured by a metric of
    `fspinn.search.metrics`. Energy and time are those on `hardware`, if it is given.
    """
    samples = data if isinstance(data, Samples) else Samples.of(data, labels, seed)
    weights, bias, classes = _fitted(samples.pixels, samples.labels, class_weight)
    some = samples.pixels[:MOST_CLIPPING_IMAGES], samples.labels[:MOST_CLIPPING_IMAGES]

    def answered(fit: _Fit, images: NDArray[np.float32]) -> NDArray[np.int64]:
        answers: NDArray[np.int64] = classes[(images @ fit.weights + fit.bias).argmax(axis=1)]
        return answers

    def value(fit: _Fit) -> float:
        confusion = metrics.confusion_matrix(some[1], answered(fit, some[0]), samples.n_classes)
        return metric_of(metric).value(confusion)

    found = []
    for bits in sorted({max(bits, 2) for bits in weight_bits}):
        fit, table = _Fit(weights, bias), None
        if bits < FLOAT_BITS:
            limit = 2 ** (bits - 1)
            steps = np.maximum(np.abs(weights).max() / limit * np.array(CLIPS), 1e-12)
            every = [_Fit(_whole(weights / step, bits), bias, float(step)) for step in steps]
            clipped = max(every, key=value)
            learned = _learned(samples, classes, fit, clipped.step, bits, class_weight, seed)
            fit = max(learned, clipped, key=value)
            table = LinearTable.rounded(fit.whole, fit.bias, fit.step, bits)
            answers = classes[table.scores(samples.shown, white=1).argmax(axis=1)]
            table = table.among(classes, samples.n_classes)
        else:
            answers = answered(fit, samples.shown)
        layers = [Weights(fit.weights, samples.shown)]
        found.append(baseline_of(layers, bits, answers, samples, metric, hardware, table))
    return found


def _whole(numbers: NDArray[Any], bits: int) -> NDArray[Any]:
    limit = 2 ** (bits - 1)
    rounded: NDArray[Any] = np.clip(np.rint(numbers), -limit, limit - 1)
    return rounded


def _learned(
    samples: Samples,
    classes: NDArray[np.int64],
    start: _Fit,
    step: float,
    bits: int,
    class_weight: str | None,
    seed: int,
) -> _Fit:
    """Return weights of so many bits, learned with their rounding, from such numbers on."""
    from scipy.special import softmax

    half, penalty = 2 ** (bits - 1), np.float32(1 / (INVERSE_PENALTY * len(samples.pixels)))
    weights = np.clip(start.weights / step, -half, half - 1).astype(np.float32)
    begin = Guess(weights, (start.bias / step).astype(np.float32), np.float32(step))

    def slopes(batch: Batch, guess: Guess) -> Guess:
        sums = batch.pixels @ guess.table + guess.bias
        missed = batch.counts * (softmax(sums * guess.scale, axis=1) - batch.targets)
        kept = penalty * guess.scale * guess.table
        return Guess(
            guess.scale * (batch.pixels.T @ missed + kept),
            guess.scale * missed.sum(axis=0),
            (missed * sums).sum() + (kept * guess.table).sum(),
        )

    with quiet_fit():
        several = batches(samples, classes, class_weight, BATCH, UPDATES, seed)
        found = descended(begin, -half, half - 1, TABLE_RATE * half, several, slopes)
    return _Fit(found.table, found.bias * found.scale, float(found.scale))


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
