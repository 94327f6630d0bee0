"""What does a confusion matrix say of a classifier, class by class and over all?

A confusion matrix has a row for each true class and a column for each answer. It may be a mean over several
seeds. Means over classes are over those with samples: a class that a data set lacks says nothing of a model.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float64]


def confusion_matrix(
    labels: NDArray[np.int64], classes: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Return how many samples of each class (rows) were answered with each (columns)."""
    found = np.bincount(labels * n_classes + classes, minlength=n_classes**2)
    return found.reshape(n_classes, n_classes)


def recalls(confusion: Matrix) -> Floats:
    """Return the part of each class that was answered with it; 0 for a class without samples."""
    return _shares(confusion.diagonal(), confusion.sum(axis=1))


def precisions(confusion: Matrix) -> Floats:
    """Return the part of the answers of each class that were right; 0 for a class that was never answered."""
    return _shares(confusion.diagonal(), confusion.sum(axis=0))


def f1_scores(confusion: Matrix) -> Floats:
    """Return the harmonic mean of recall and precision of each class: ``2 tp / (2 tp + fp + fn)``."""
    return _shares(2 * confusion.diagonal(), confusion.sum(axis=1) + confusion.sum(axis=0))


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
