"""What a search asks a certain value of: accuracy, balanced accuracy or macro F1, each with its interval.

Each is measured on the confusion matrix of the validation samples, of several seeds on the mean one (more
seeds do not make more samples). Intervals are computed, not drawn, and are those of:

- accuracy: Wilson's score interval.
- balanced accuracy, the mean of ``k`` recalls: Wilson's interval of each recall, ``l`` to ``u``, combined by
  the method of variance estimates recovery (MOVER; Zou and Donner, Statistics in Medicine 27:1693, 2008):
  ``mean - sqrt(sum((recall - l)^2)) / k`` to ``mean + sqrt(sum((u - recall)^2)) / k``.
- macro F1: of the ``n`` samples that are of a class or were answered with it, ``F1 = 2 q / (1 + q)`` with
  ``q`` the part that are both, so that Wilson's interval of ``q`` gives one of F1. An error lowers the F1 of
  two classes, so these are combined with their correlations (MOVER, as above, with
  ``sum(r[a, b] (f[a] - l[a]) (f[b] - l[b]))`` under the root), which the delta method gives for the
  confusion matrix with `PRIOR_ERRORS` more errors for each class.

Of the last two the lower end, which proves, errs on the safe side, the more classes there are. Near 1 the
upper end of MOVER is too low: it is at least that of a proportion whose Wilson interval has the same lower
end. Tests simulate how often both hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fspinn.answering import metrics
from fspinn.answering.metrics import Floats, Matrix
from fspinn.base.errors import ConfigError
from fspinn.search.intervals import (
    CONFIDENCE,
    chance_of_so_few,
    chance_of_so_many,
    quantile,
    wilson_interval,
)

Interval: TypeAlias = tuple[float, float]

PRIOR_ERRORS = 0.5
"""Errors that each class is taken to have had more, spread over all others, where correlations are estimated
(fspinn)."""

MOST_SAMPLES = 10**9
"""More are not asked for."""


@dataclass(frozen=True)
class Metric:
    """What a search asks a certain value of, between 0 and 1.

    Parameters
    ----------
    name : str
        As it is asked for.
    words : str
        As it is written.
    value : callable
        Of a confusion matrix.
    interval : callable
        Of a confusion matrix and the confidence of each end alone: its ends.
    """

    name: str
    words: str
    value: Callable[[Matrix], float]
    interval: Callable[[Matrix, float], Interval]

    @property
    def after_percent(self) -> str:
        """What follows a percentage where a sentence does not say of what; nothing for accuracy."""
        return "" if self.name == "accuracy" else f" {self.words}"

    def proven(self, confusion: Matrix, confidence: float = CONFIDENCE) -> float:
        """Return what the true value is not below, with a one-sided confidence."""
        return self.interval(confusion, confidence)[0]

    def samples_needed(self, confusion: Matrix, target: float, confidence: float = CONFIDENCE) -> int | None:
        """Return the fewest samples of which the same shares prove the target; None if no number does."""
        if self.value(confusion) <= target:
            return None
        shares = confusion / confusion.sum()

        def proves(samples: int) -> bool:
            return self.proven(shares * samples, confidence) >= target

        low, high = 0, 1
        while not proves(high):
            low, high = high, 2 * high
            if high > MOST_SAMPLES:
                return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if proves(middle) else (middle, high)
        return high

    def chance(self, confusion: Matrix, target: float) -> float:
        """Return how likely so small a value, or a smaller one, is where the true one is the target.

        Of accuracy the binomial says so; of the others the confidence at which the interval ends there.
        """
        if self.name == "accuracy":
            return chance_of_so_few(float(np.trace(confusion)), round(confusion.sum()), target)
        return self._confidence_that_ends_at(confusion, target)

    def chance_above(self, confusion: Matrix, target: float) -> float:
        """Return how likely so large a value, or a larger one, is where the true one is the target."""
        if self.name == "accuracy":
            return chance_of_so_many(float(np.trace(confusion)), round(confusion.sum()), target)
        return 1 - self._confidence_that_ends_at(confusion, target)

    def _confidence_that_ends_at(self, confusion: Matrix, target: float) -> float:
        """Return the chance of so small a value: of the interval that ends at the target."""
        above = self.value(confusion) > target
        low, high = 0.5, 1 - 1e-12
        for _ in range(50):
            middle = (low + high) / 2
            lower, upper = self.interval(confusion, middle)
            reaches = lower <= target if above else upper >= target
            low, high = (low, middle) if reaches else (middle, high)
        return high if above else 1 - high


def metric_of(name: str) -> Metric:
    """Return a metric by its name.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if name not in METRICS:
        raise ConfigError(f"metric: there is no {name!r}; use one of {', '.join(METRICS)}")
    return METRICS[name]


def _of_accuracy(confusion: Matrix, confidence: float) -> Interval:
    return wilson_interval(float(np.trace(confusion)), float(confusion.sum()), confidence)


def _of_balanced_accuracy(confusion: Matrix, confidence: float) -> Interval:
    samples = confusion.sum(axis=1)
    here = metrics.present(confusion)
    ends = _wilson_ends(confusion.diagonal()[here], samples[here], confidence)
    recalls = metrics.recalls(confusion)[here]
    return _combined(recalls, ends, np.eye(len(recalls)), confidence)


def _of_macro_f1(confusion: Matrix, confidence: float) -> Interval:
    here = metrics.present(confusion)
    both = confusion.diagonal()
    either = (confusion.sum(axis=1) + metrics.answers(confusion) - both)[here]
    low, high = (2 * q / (1 + q) for q in _wilson_ends(both[here], either, confidence))
    correlations = _correlations_of_f1(confusion)[np.ix_(here, here)]
    return _combined(metrics.f1_scores(confusion)[here], (low, high), correlations, confidence)


def _wilson_ends(
    successes: NDArray[np.float64], samples: NDArray[np.float64], confidence: float
) -> tuple[Floats, Floats]:
    ends = [wilson_interval(*both, confidence) for both in zip(successes.tolist(), samples, strict=True)]
    low, high = np.array(ends).T
    return low, high


def _combined(
    values: Floats, ends: tuple[Floats, Floats], correlations: Floats, confidence: float
) -> Interval:
    """Return the interval of a mean from those of its parts."""
    mean, below, above = float(values.mean()), values - ends[0], ends[1] - values
    down, up = (sqrt(float(way @ correlations @ way)) / len(values) for way in (below, above))
    low, high = max(0.0, mean - down), min(1.0, mean + up)
    z = quantile(confidence)
    if z > 0 and 0 < low < mean:
        # A proportion of so many samples has Wilson's lower end there.
        samples = z**2 * low * (1 - low) / (mean - low) ** 2
        high = max(high, wilson_interval(mean * samples, samples, confidence)[1])
    return low, high


def _correlations_of_f1(confusion: Matrix) -> Floats:
    """Return the correlations of the F1 of all classes, by the delta method for multinomial counts.

    With ``s`` samples and answers of a class, and ``e`` errors that touch it, to first order
    ``cov(F1[a], F1[b]) = F1[a] F1[b] (n[a, b] + n[b, a]) / (s[a] s[b])`` and
    ``var(F1[a]) = (n[a, a] (2 - 2 F1[a])^2 + e[a] F1[a]^2) / s[a]^2``.
    """
    n_classes = len(confusion)
    prior = PRIOR_ERRORS / max(n_classes - 1, 1)
    counts = confusion.astype(np.float64)
    counts[:, :n_classes] += prior * (1 - np.eye(n_classes))
    both, s = counts.diagonal(), metrics.answers(counts) + counts.sum(axis=1)
    f1 = np.maximum(metrics.f1_scores(counts), 1e-9)  # of a class that is never found errors correlate alike
    between = counts[:, :n_classes]
    shared = (between + between.T) * np.outer(f1, f1)
    np.fill_diagonal(shared, both * (2 - 2 * f1) ** 2 + (s - 2 * both) * f1**2)
    deviations = np.sqrt(np.maximum(shared.diagonal(), 1e-300))
    return shared / np.outer(deviations, deviations)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", metrics.accuracy, _of_accuracy),
        Metric("balanced-accuracy", "balanced accuracy", metrics.balanced_accuracy, _of_balanced_accuracy),
        Metric("macro-f1", "macro F1", metrics.macro_f1, _of_macro_f1),
    )
}
