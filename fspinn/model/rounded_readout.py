"""A readout of few bits, fitted with its rounding in the loop.

Rounding a table afterwards loses the more, the more features the readout listens to. Here a solver (Adam)
rounds the table before every step, and takes its gradient as if it had
not been (the straight-through estimator: Bengio, Léonard and Courville 2013, arXiv:1308.3432). Where it ends,
entries move by one integer, those first for which a parabola promises most, and as many at a time as together
lower the loss (fspinn).

What a feature says for all classes alike changes no answer. So each row of the table is first moved to the
middle of its format, and all integers of the format are of use.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.randomness import READOUT_ORDER, permutation, stream_key
from fspinn.model.adam import Adam, Floats
from fspinn.model.model import Readout
from fspinn.model.readout import INVERSE_PENALTY, NO_LABEL, balanced_weights, quiet_fit, scores
from fspinn.quant.formats import Format, quantize_values

if TYPE_CHECKING:
    from scipy.sparse import csr_array

UPDATES = 500
"""Steps of the solver (fspinn)."""

BATCH = 250
"""Samples that a step looks at, at most (fspinn)."""

TABLE_RATE = 0.006
"""How far the first steps move an entry of the table, as part of half the format (fspinn)."""

BIAS_RATE = 0.01
"""How far they move a bias, in steps of the format (fspinn)."""

SCALE_RATE = 0.001
"""How far they move the logarithm of the scale (fspinn)."""

CLIPS = np.linspace(0.15, 1.0, 35)
"""Where the table may be clipped, as parts of its widest row (fspinn)."""

TRIES = 60
"""Tables that are tried, at most, while entries move one by one (fspinn)."""

TRIED_ON = 30_000
"""Samples that they are tried on, at most (fspinn)."""

MOVED = 1 / 16
"""Part of the table that moves at first (fspinn)."""

LEAST_GAIN = 2e-5
"""What a table has to gain in loss, of a sample, to be taken (fspinn)."""

FARTHEST = 0.1
"""Part by which the scale moves at a time, at most (fspinn)."""

TINY = np.float32(1e-9)
"""Stands for a second derivative of 0."""

PIECE = 2000
"""Samples that are looked at together."""

DENSE_FROM = 0.05
"""Part of the counts that are not zero from which on matrices are not sparse: dense ones are quicker then."""


def fit_rounded(
    readout: Readout,
    rounded: Readout,
    spike_counts: "NDArray[np.int32] | csr_array",
    labels: NDArray[np.int64],
    *,
    class_weight: str | None = None,
    seed: int = 0,
) -> Readout:
    """Return a readout `linear` in a format, fitted with its rounding in the loop.

    Scores are ``(counts @ table + bias) * scale`` with a table and a bias of integers and one scale, which
    no answer depends on. What is made small is the cross entropy between the softmax of the scores and the
    label, or, for samples without one, the softmax of the readout in floats; with the squared penalty that
    the readout in floats has.

    A neuron that never spikes speaks for no class. A class without labelled samples gets less than any other.

    Parameters
    ----------
    readout : Readout
        In floats, fitted on the same labels.
    rounded : Readout
        The same, rounded afterwards to the format that is wanted.
    spike_counts : ndarray or sparse array of int32, shape (n, n_neurons)
        Responses to the training samples.
    labels : ndarray of int64, shape (n,)
        `NO_LABEL` where a sample has none.
    class_weight : {"balanced"} or None, default None
        As the readout in floats was fitted; with ``"balanced"`` the loss of a sample is multiplied by the
        weight of its class (see `fspinn.model.readout.balanced_weights`), or, without a label, by the mean
        weight under the softmax.
    seed : int, default 0
        Of the order of samples.
    """
    from scipy import sparse

    format = rounded.format
    assert format is not None
    assert readout.bias is not None
    counts, present = sparse.csr_array(spike_counts), np.unique(labels[labels != NO_LABEL])
    if len(present) < 2 or counts.nnz == 0:
        return rounded
    weights = np.ones(len(present)) if class_weight is None else balanced_weights(labels, present)
    samples = _Samples.of(counts, _targets(readout, counts, labels, present), weights)
    with quiet_fit():
        near = _solve(samples, _start(readout.table[:, present], readout.bias[present], format), format, seed)
        order = permutation(stream_key(seed, READOUT_ORDER), len(samples))
        best = _improve(samples.some(np.sort(order[:TRIED_ON])), near, format)
    table, bias = best.table, best.bias
    table[np.asarray(counts.sum(axis=0)).ravel() == 0] = 0
    whole_table = np.repeat(table.min(axis=1, keepdims=True), readout.n_classes, axis=1)
    whole_bias = np.full(readout.n_classes, bias.min() - 1, dtype=np.float32)
    whole_table[:, present], whole_bias[present] = table, bias
    assert rounded.bias_format is not None
    return replace(
        rounded,
        table=quantize_values(whole_table * np.float32(format.step), format),
        bias=quantize_values(whole_bias * np.float32(format.step), rounded.bias_format),
    )


def _targets(
    readout: Readout, counts: "csr_array", labels: NDArray[np.int64], present: NDArray[np.int64]
) -> Floats:
    """Return what each sample should be answered with, of the classes that have labels."""
    from scipy.special import softmax

    targets: Floats = softmax(scores(readout, counts)[:, present].astype(np.float32), axis=1)
    known = np.flatnonzero(labels != NO_LABEL)
    targets[known] = labels[known, None] == present
    return targets


@dataclass(frozen=True)
class Guess:
    """A table and a bias in steps of their format, and how much a step is; or derivatives by these."""

    table: Floats
    bias: Floats
    scale: np.float32

    @property
    def centred(self) -> Floats:
        """The table without what its rows say for all classes alike."""
        rest: Floats = self.table - self.table.mean(axis=1, keepdims=True)
        return rest


@dataclass(frozen=True)
class _Answers:
    """What a guess says of all samples: sums of integers, their softmax, and the loss."""

    sums: Floats
    shares: Floats
    loss: float


@dataclass(frozen=True)
class _Samples:
    """Counts, dense or sparse, what they should be answered with, how much each counts, and the penalty."""

    counts: Any
    targets: Floats
    weights: Floats
    penalty: np.float32

    @classmethod
    def of(cls, counts: "csr_array", targets: Floats, class_weights: NDArray[np.float64]) -> "_Samples":
        weights = targets @ class_weights[:, None].astype(np.float32)
        squares = counts.data.astype(np.float64) ** 2
        penalty = np.float32(squares.sum() / INVERSE_PENALTY / len(targets) ** 2)
        if counts.nnz < DENSE_FROM * counts.shape[0] * counts.shape[1]:
            return cls(counts.astype(np.float32), targets, weights, penalty)
        return cls(counts.astype(np.min_scalar_type(counts.max())).toarray(), targets, weights, penalty)

    def __len__(self) -> int:
        return len(self.targets)

    def some(self, chosen: NDArray[np.int64]) -> "_Samples":
        return replace(
            self, counts=self.counts[chosen], targets=self.targets[chosen], weights=self.weights[chosen]
        )

    def pieces(self) -> Iterator[tuple[Any, slice]]:
        """Yield the counts of some samples after the other, and which samples these are."""
        for start in range(0, len(self), PIECE):
            piece = slice(start, start + PIECE)
            yield self.counts[piece].astype(np.float32), piece

    def answers(self, guess: Guess) -> _Answers:
        sums = np.concatenate([counts @ guess.table for counts, _ in self.pieces()]) + guess.bias
        found = sums * guess.scale
        found -= found.max(axis=1, keepdims=True)
        shares = np.exp(found)
        total = shares.sum(axis=1, keepdims=True)
        entropy = self.weights[:, 0] * (np.log(total[:, 0]) - (found * self.targets).sum(axis=1))
        lengths = self.penalty * guess.scale**2 * (guess.centred**2).sum()
        return _Answers(sums, shares / total, float(entropy.mean(dtype=np.float64) + lengths / 2))

    def slopes(self, guess: Guess, answers: _Answers) -> Guess:
        """Return how the loss changes with each number of a guess."""
        missed = self.weights * (answers.shares - self.targets) / np.float32(len(self))
        table = self.penalty * guess.scale * guess.centred
        for counts, piece in self.pieces():
            table += counts.T @ missed[piece]
        scale = (missed * answers.sums).sum() + self.penalty * guess.scale * (guess.centred**2).sum()
        return Guess(guess.scale * table, guess.scale * missed.sum(axis=0), scale)

    def curves(self, guess: Guess, answers: _Answers) -> Guess:
        """Return how these slopes change with each number."""
        sums, shares = answers.sums, answers.shares
        spread = self.weights * shares * (1 - shares) / np.float32(len(self))
        table = np.full_like(guess.table, self.penalty)
        for counts, piece in self.pieces():
            table += (counts * counts).T @ spread[piece]
        widths = (shares * sums * sums).sum(axis=1) - (shares * sums).sum(axis=1) ** 2
        scale = (self.weights[:, 0] * widths).mean() + self.penalty * (guess.centred**2).sum()
        square = guess.scale**2
        return Guess(square * table, np.maximum(square * spread.sum(axis=0), TINY), max(scale, TINY))


def _start(table: Floats, bias: Floats, format: Format) -> Guess:
    """Return the table, each row in the middle of the format, with the scale that loses least in squares."""
    low, high = format.lowest_integer, format.highest_integer
    centred: Floats = table - (table.max(axis=1, keepdims=True) + table.min(axis=1, keepdims=True)) / 2
    middle, widest = np.float32((low + high) / 2), np.ptp(centred, axis=1).max()

    def moved(scale: np.float32) -> Floats:
        within: Floats = centred / scale + middle
        return within

    def error(scale: np.float32) -> float:
        lost = np.clip(np.rint(moved(scale)), low, high) - moved(scale)
        lost -= lost.mean(axis=1, keepdims=True)
        return float((lost * lost).sum(dtype=np.float64)) * float(scale) ** 2

    scale = min((CLIPS * (widest / (high - low))).astype(np.float32), key=error)
    return Guess(moved(scale), bias / scale, scale)


def descended(
    start: Guess, low: int, high: int, rate: float, several: Iterable[Any], slopes: Callable[..., Guess]
) -> Guess:
    """Return the guess at which the solver ends, its table rounded, after a step for each of several batches.

    Parameters
    ----------
    start : Guess
    low, high : int
        Of an entry of the table.
    rate : float
        How far the first steps move an entry.
    several : iterable
        `UPDATES` batches of samples.
    slopes : callable
        Of a batch and a guess with a rounded table: the derivatives of the loss.
    """
    table = Adam(start.table.copy(), rate, UPDATES)
    bias = Adam(start.bias, BIAS_RATE, UPDATES)
    log_scale = Adam(np.log(np.array([start.scale])), SCALE_RATE, UPDATES)

    def guess() -> Guess:
        return Guess(np.rint(table.value), bias.value.copy(), np.exp(log_scale.value[0]))

    for number, batch in enumerate(several, start=1):
        found = slopes(batch, guess())
        scale = np.exp(log_scale.value[0])
        table.step(number, found.table)
        bias.step(number, found.bias)
        log_scale.step(number, found.scale * scale)
        np.clip(table.value, low, high, out=table.value)
    return guess()


def _solve(samples: _Samples, start: Guess, format: Format, seed: int) -> Guess:
    """Return the guess, in integers, at which the solver ends."""
    low, high = format.lowest_integer, format.highest_integer
    batch = min(BATCH, len(samples))
    batches = len(samples) // batch

    def several() -> Iterator[_Samples]:
        for number in range(UPDATES):
            passed, place = divmod(number, batches)
            if place == 0:
                order = permutation(stream_key(seed, READOUT_ORDER, passed + 1), len(samples))
            yield samples.some(order[place * batch : (place + 1) * batch])

    def slopes(some: _Samples, guess: Guess) -> Guess:
        whole = replace(guess, bias=np.rint(guess.bias))
        return some.slopes(whole, some.answers(whole))

    found = descended(start, low, high, TABLE_RATE * (high - low) / 2, several(), slopes)
    return replace(found, bias=np.rint(found.bias))


def _improve(samples: _Samples, guess: Guess, format: Format) -> Guess:
    """Return a guess from which no entry gains by moving alone, or nearly so."""
    known, several = samples.answers(guess), int(guess.table.size * MOVED)
    slopes, curves = samples.slopes(guess, known), samples.curves(guess, known)
    for _ in range(TRIES):
        tried, moved = _moved(guess, slopes, curves, several, format)
        found = samples.answers(tried)
        if found.loss < known.loss - LEAST_GAIN:
            guess, known, several = tried, found, moved * 3 // 2 + 1
            slopes, curves = samples.slopes(guess, known), samples.curves(guess, known)
        elif moved <= 1:
            break
        else:
            several = moved // 4 or 1
    return guess


def _moved(guess: Guess, slopes: Guess, curves: Guess, several: int, format: Format) -> tuple[Guess, int]:
    """Return a guess with several entries moved, those that gain most, and how many these are."""
    after, gains = guess.table - np.sign(slopes.table), np.abs(slopes.table) - curves.table / 2
    gains[(after < format.lowest_integer) | (after > format.highest_integer)] = 0
    best = np.argsort(-gains, axis=None, kind="stable")[: min(several, np.count_nonzero(gains > 0))]
    table = guess.table.copy()
    table.flat[best] = after.flat[best]
    farthest = FARTHEST * guess.scale
    scale = guess.scale - np.clip(slopes.scale / curves.scale, -farthest, farthest)
    return Guess(table, guess.bias - np.rint(slopes.bias / curves.bias / 2), scale), len(best)
