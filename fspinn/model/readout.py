"""Which class do these spikes mean? Readouts are fitted on training images only.

Some of these images may have no label (`NO_LABEL`). They cost nobody's time, and still tell which
neurons answer the same images: ``p[j, k]`` is the share of neuron k in the company of neuron j, that is in
``sum over images of counts[j] * counts[k]``, k not j. Where labels are few, ``proportion`` and ``linear``
let each neuron learn from its company (this project's own; all images labelled, nothing is borrowed).
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.base.randomness import LABELS, permutation, stream_key
from fspinn.model.model import BIASED_READOUT, LABEL_READOUT, Readout

if TYPE_CHECKING:
    from scipy.sparse import csr_array

READOUTS = ("proportion", LABEL_READOUT, BIASED_READOUT)

NO_LABEL = -1
"""Stands where an image has no label."""

NO_ANSWER = -1
"""Stands for a class where there is no answer: it was rejected, or nothing speaks for any class."""

COMPANY_SPIKES = 3.0
"""Labelled spikes of its own that weigh, in ``proportion``, as much as a neuron's company (fspinn)."""

COMPANY_REACH = 0.9
"""Part of a spike that ``linear`` hands on to the company of its neuron, again and again (fspinn)."""

INVERSE_PENALTY = 10.0
"""scikit-learn's C for ``linear``, the mean squared length of a response being 1 (fspinn)."""

SILENCE = 1 / 16
"""How much silence speaks, in ``proportion``, for the class that most often causes it; no more than that, so
that a single spike outweighs it (fspinn)."""

SILENT_PART = 0.1
"""Part of a class's images without an output spike from which on silence means that class (fspinn)."""

MAX_ITERATIONS = 200
"""Of the solver of ``linear``; where it is not yet there, the table is that of its last step."""


def labelled_images(images: int, labels: int | None, *, seed: int = 0, draw: int = 0) -> NDArray[np.int64]:
    """Return which training images have a label, where readouts may use so many; None is all of them."""
    if labels is None:
        return np.arange(images)
    chosen: NDArray[np.int64] = permutation(stream_key(seed, LABELS, draw), images)[:labels]
    return chosen


def some_labels(labels: NDArray[np.int64], count: int, *, seed: int = 0, draw: int = 0) -> NDArray[np.int64]:
    """Return the labels that `labelled_images` draws, and `NO_LABEL` in place of the others."""
    chosen = labelled_images(len(labels), count, seed=seed, draw=draw)
    known = np.full_like(labels, NO_LABEL)
    known[chosen] = labels[chosen]
    return known


def check_name(name: str) -> None:
    """Raise `ConfigError` if there is no readout of that name."""
    if name not in READOUTS:
        raise ConfigError(f"readout: there is no {name!r}; use one of {', '.join(READOUTS)}")


def check_class_weight(class_weight: str | None) -> None:
    """Raise `ConfigError` if classes cannot be weighted like that."""
    if class_weight not in (None, "balanced"):
        raise ConfigError(f"class_weight: there is no {class_weight!r}; use 'balanced', or None")


def balanced_weights(labels: NDArray[np.int64], present: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return by how much the samples of each class that has labels count where all classes count alike.

    ``weight[c] = labelled samples / (classes with labels * labelled samples of class c)``, as scikit-learn's
    ``"balanced"``: the mean over all labelled samples is 1.
    """
    counts = np.array([np.count_nonzero(labels == c) for c in present])
    weights: NDArray[np.float64] = counts.sum() / (len(present) * counts)
    return weights


def fit(
    name: str,
    spike_counts: "NDArray[np.int32] | csr_array",
    labels: NDArray[np.int64],
    n_classes: int,
    *,
    company: bool = True,
    class_weight: str | None = None,
    neurons: int | None = None,
) -> Readout:
    """Fit a readout on the responses to training images.

    With ``m[j, c]`` the mean number of spikes of neuron j for labelled images of class c:

    - ``proportion``: a spike of neuron j speaks for every class in proportion,
      ``t[j, c] = m[j, c] / sum_c m[j, c]`` (after BindsNET's proportion weighting, without its hard
      assignment). With images without labels the table is the one for which, for each neuron that spiked
      n[j] times for labelled images, ``n (table - t) + COMPANY_SPIKES (table - p table) = 0``.
    - ``majority``: a spike of neuron j speaks only for the class with the highest ``m[j, c]``, divided by the
      number of neurons of that class (Diehl & Cook 2015: highest average rate of a class's neurons).
    - ``linear``: multinomial logistic regression on the spike counts, with a bias and the squared penalty of
      scikit-learn. With images without labels it is fitted on ``counts / (1 - COMPANY_REACH p)``, and the
      division, a matrix, becomes part of the table.

    If a tenth of the images of some class, or more, have no output spike, ``proportion`` has a bias of
    `SILENCE` for that class (of several, the one with the largest part), so that silence is answered with it
    (so does the bias of ``linear``; ``majority`` does not answer silence).

    A neuron that never spiked speaks for no class. A class without labelled images gets less than
    any other from ``linear``, and nothing from the others.

    Parameters
    ----------
    name : {"proportion", "majority", "linear"}
    spike_counts : ndarray or sparse array of int32, shape (n, n_neurons)
    labels : ndarray of int64, shape (n,)
        `NO_LABEL` where an image has none.
    n_classes : int
    company : bool, default True
        Whether images without labels say which neurons mean the same, as above; not so where all spike
        together whatever is seen, as the cells of a field do.
    class_weight : {"balanced"} or None, default None
        With ``"balanced"`` the labelled images of each class together count as much as those of any other in
        the fit of ``linear``. ``proportion`` and ``majority`` are made of means over each class, which are
        balanced already: nothing changes.
    neurons : int or None, default None
        How many columns, the first ones, are spike counts of neurons; the others are those of features
        (`fspinn.model.features`), which keep no company and are not looked at for silence. None is all.

    Raises
    ------
    ConfigError
        If there is no readout of that name, or no such weight.
    """
    from scipy import sparse

    check_name(name)
    check_class_weight(class_weight)
    spike_counts = sparse.csr_array(spike_counts)
    labelled = labels != NO_LABEL
    counts, known = spike_counts, labels
    if not labelled.all():
        counts, known = spike_counts[labelled], labels[labelled]
    shared = None if labelled.all() or not company else _company(spike_counts, neurons)
    if name == BIASED_READOUT:
        return _fit_linear(counts, known, n_classes, shared, class_weight)
    sums = np.stack([counts[known == c].sum(axis=0, dtype=np.float64) for c in range(n_classes)], axis=1)
    means = _means(sums, np.bincount(known, minlength=n_classes))
    shares = _shares(means)
    if name == LABEL_READOUT:
        table = (np.arange(n_classes) == means.argmax(axis=1)[:, None]) * (shares.sum(axis=1)[:, None] > 0)
        return Readout(name, (table / np.maximum(table.sum(axis=0), 1)).astype(np.float32))
    if shared is not None:
        shares = _borrow(shares, counts.sum(axis=0), shared)
    return Readout(
        name, shares.astype(np.float32), bias=_bias_of_silence(counts[:, :neurons], known, n_classes)
    )


def proportion(spikes: NDArray[np.float64], images: NDArray[np.float64]) -> Readout:
    """Return the readout ``proportion`` for known sums, all images labelled.

    Parameters
    ----------
    spikes : ndarray of float64, shape (n_neurons, n_classes)
        Output spikes of each neuron for the images of each class.
    images : ndarray of float64, shape (n_classes,)
        How many images of each class there were.
    """
    return Readout("proportion", _shares(_means(spikes, images)).astype(np.float32))


def scores(readout: Readout, spike_counts: "NDArray[np.int32] | csr_array") -> NDArray[np.float64]:
    """Return how much each response speaks for each class.

    Parameters
    ----------
    readout : Readout
    spike_counts : ndarray or sparse array of int32, shape (n, n_neurons)

    Returns
    -------
    ndarray of float64, shape (n, n_classes)
    """
    from scipy import sparse

    counts = sparse.csr_array(spike_counts, dtype=np.float64)
    found: NDArray[np.float64] = counts @ readout.table.astype(np.float64)
    return found if readout.bias is None else found + readout.bias


def leads(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the highest score of each response is above the second; infinity for one class."""
    if scores.shape[1] < 2:
        return np.full(len(scores), np.inf)
    highest = np.partition(scores, -2, axis=1)
    found: NDArray[np.float64] = highest[:, -1] - highest[:, -2]
    return found


def answers_silence(readout: Readout) -> bool:
    """Return whether a response without a spike is answered: the bias is not the same for all classes."""
    return readout.bias is not None and bool(np.ptp(readout.bias) > 0)


def classes(
    readout: Readout,
    spike_counts: "NDArray[np.int32] | csr_array",
    scores: NDArray[np.float64],
    reject: float = 0.0,
) -> NDArray[np.int64]:
    """Return the class of each response: the one with the highest score, among equals the first.

    `NO_ANSWER` where it leads by less than the margin `reject`, and where all counts are 0 (no neuron spiked,
    and no feature is above its lowest level), unless the bias of the readout answers silence.

    Parameters
    ----------
    readout, spike_counts
        As for `scores`.
    scores : ndarray of float64, shape (n, n_classes)
        What `scores` returns for them.
    reject : float, default 0.0

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    none = leads(scores) < reject
    if not answers_silence(readout):
        none |= np.asarray(spike_counts.sum(axis=1)) == 0
    return np.where(none, NO_ANSWER, scores.argmax(axis=1))


def predict(readout: Readout, spike_counts: "NDArray[np.int32] | csr_array") -> NDArray[np.int64]:
    """Return the class of each response, without a margin; see `classes`."""
    return classes(readout, spike_counts, scores(readout, spike_counts))


def _bias_of_silence(
    counts: "csr_array", labels: NDArray[np.int64], n_classes: int
) -> NDArray[np.float32] | None:
    silent = np.bincount(labels[counts.sum(axis=1) == 0], minlength=n_classes)
    parts = silent / np.maximum(np.bincount(labels, minlength=n_classes), 1)
    if parts.max() < SILENT_PART:
        return None
    bias = np.zeros(n_classes, dtype=np.float32)
    bias[parts.argmax()] = SILENCE
    return bias


def _means(sums: NDArray[np.float64], images: NDArray[Any]) -> NDArray[np.float64]:
    means: NDArray[np.float64] = sums / np.where(images > 0, images, 1)
    return means


def _shares(means: NDArray[np.float64]) -> NDArray[np.float64]:
    total = means.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = means / np.where(total > 0, total, 1.0)
    return shares


def _company(spike_counts: "csr_array", neurons: int | None) -> NDArray[np.float64]:
    """Return ``p``: its rows add up to 1, or are zero for a neuron that always spiked alone.

    Those of features are zero too: they are on at most samples, which says nothing of what they mean.
    """
    counts = spike_counts[:, :neurons].astype(np.float64)
    together = (counts.T @ counts).toarray()
    np.fill_diagonal(together, 0.0)
    return np.pad(_shares(together), (0, spike_counts.shape[1] - len(together)))


def _borrow(
    shares: NDArray[np.float64], spikes: NDArray[np.int64], company: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve ``spikes (table - shares) + COMPANY_SPIKES (table - company table) = 0`` for the table."""
    # The tiny number decides for nothing where no neuron in reach has a label.
    own = np.diag(spikes + COMPANY_SPIKES * company.sum(axis=1) + 1e-9)
    table = np.linalg.solve(own - COMPANY_SPIKES * company, spikes[:, None] * shares)
    return np.clip(table, 0.0, 1.0)


_fits = 0
_filters = ExitStack()
_filters_lock = threading.Lock()


@contextmanager
def quiet_fit() -> Iterator[None]:
    """Let scikit-learn fit without warnings and with one thread of BLAS, for as long as the block takes.

    Threads of BLAS that share a busy core wait for each other ten times as long as one computes. Filters of
    warnings are the whole program's: where several threads fit at the same time, the first one sets them, and
    the last one restores what was there.
    """
    global _fits
    from threadpoolctl import threadpool_limits

    with _filters_lock:
        if _fits == 0:
            _filters.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", UserWarning)  # not converged, or few labels of many classes
        _fits += 1
    try:
        with threadpool_limits(1):
            yield
    finally:
        with _filters_lock:
            _fits -= 1
            if _fits == 0:
                _filters.close()


def _fit_linear(
    spike_counts: "csr_array",
    labels: NDArray[np.int64],
    n_classes: int,
    company: NDArray[np.float64] | None,
    class_weight: str | None,
) -> Readout:
    from sklearn.linear_model import LogisticRegression

    table = np.zeros((spike_counts.shape[1], n_classes))
    bias = np.zeros(n_classes)
    present = np.unique(labels)
    if len(present) > 1:
        responses = spike_counts.astype(np.float64)
        spread = None
        if company is not None:
            spread = np.linalg.inv(np.eye(len(company)) - COMPANY_REACH * company)
            responses = responses @ spread
        length = np.sqrt(max((responses * responses).sum() / len(labels), 1e-300))
        solver = LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_ITERATIONS, class_weight=class_weight)
        with quiet_fit():
            solver.fit(responses / length, labels)
        slopes = solver.coef_.T / length
        slopes = slopes if spread is None else spread @ slopes
        # Of two classes scikit-learn gives only the difference.
        two = len(present) == 2
        table[:, present] = slopes * [-0.5, 0.5] if two else slopes
        bias[present] = solver.intercept_ * [-0.5, 0.5] if two else solver.intercept_
    absent = np.setdiff1d(np.arange(n_classes), present)
    if len(present):
        table[:, absent] = table[:, present].min(axis=1, keepdims=True)
        bias[absent] = bias[present].min() - 1.0
    return Readout(BIASED_READOUT, table.astype(np.float32), bias=bias.astype(np.float32))
