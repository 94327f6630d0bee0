"""What does a confusion matrix say of a classifier, class by class and over all?

A confusion matrix has a row for each true class and a column for each answer; where some samples were not
answered, a last column counts these. It may be a mean over several seeds. Means over classes are over those
with samples: a class that a data set lacks says nothing of a model.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float64]


def confusion_matrix(
    labels: NDArray[np.int64], classes: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Return how many samples of each class (rows) were answered with each (columns).

    Where some were not answered (-1), a last column counts these.
    """
    none = classes < 0
    columns = n_classes + bool(none.any())
    places = labels * columns + np.where(none, n_classes, classes)
    return np.bincount(places, minlength=n_classes * columns).reshape(n_classes, columns)


def mean_confusion(matrices: Iterable[ArrayLike]) -> Floats:
    """Return the mean of confusion matrices of the same classes."""
    found = [np.asarray(matrix) for matrix in matrices]
    columns = max(matrix.shape[1] for matrix in found)
    same = [np.pad(matrix, ((0, 0), (0, columns - matrix.shape[1]))) for matrix in found]
    mean: Floats = np.mean(same, axis=0)
    return mean


def answers(confusion: Matrix) -> Matrix:
    """Return how many samples were answered with each class."""
    found: Matrix = confusion.sum(axis=0)[: len(confusion)]
    return found


def recalls(confusion: Matrix) -> Floats:
    """Return the part of each class that was answered with it; 0 for a class without samples."""
    return _shares(confusion.diagonal(), confusion.sum(axis=1))


def precisions(confusion: Matrix) -> Floats:
    """Return the part of the answers of each class that were right; 0 for a class that was never answered."""
    return _shares(confusion.diagonal(), answers(confusion))


def f1_scores(confusion: Matrix) -> Floats:
    """Return the harmonic mean of recall and precision of each class: ``2 tp / (2 tp + fp + fn)``."""
    return _shares(2 * confusion.diagonal(), confusion.sum(axis=1) + answers(confusion))


def present(confusion: Matrix) -> NDArray[np.bool_]:
    """Return which classes have samples."""
    found: NDArray[np.bool_] = confusion.sum(axis=1) > 0
    return found


def accuracy(confusion: Matrix) -> float:
    """Return the part of all samples whose class was found."""
    return float(np.trace(confusion) / confusion.sum())


def balanced_accuracy(confusion: Matrix) -> float:
    """Return the mean recall of the classes with samples."""
    return float(recalls(confusion)[present(confusion)].mean())


def macro_f1(confusion: Matrix) -> float:
    """Return the mean F1 of the classes with samples."""
    return float(f1_scores(confusion)[present(confusion)].mean())


def _shares(parts: Matrix, wholes: Matrix) -> Floats:
    shares: Floats = parts / np.where(wholes > 0, wholes, 1)
    return shares
