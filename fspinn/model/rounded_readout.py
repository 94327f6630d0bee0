"""A readout of few bits, fitted with its rounding in the loop.

Rounding a table afterwards loses the more, the more features the readout listens to. Here the table is
rounded before every step of the solver, and its gradient is taken as if it had not been (the straight-through
estimator: Bengio, Leonard and Courville 2013, arXiv:1308.3432). The solver is Adam (Kingma and Ba 2015), its
rate falling to 0.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import FormatError
from fspinn.base.randomness import READOUT_ORDER, permutation, stream_key
from fspinn.model.model import Readout
from fspinn.model.readout import NO_LABEL, quiet_fit, scores
from fspinn.quant.formats import MAX_BITS, quantize_values

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FITTED_BITS = range(2, 9)
"""Bits of an entry of a table that can be fitted so."""

UPDATES = 4000
"""Steps of the solver: 17 passes over 60,000 samples (fspinn)."""

BATCH = 250
"""Samples that a step looks at, at most (fspinn)."""

TABLE_RATE = 0.003
"""How far the first steps move an entry of the table, as part of the largest integer (fspinn)."""

BIAS_RATE = 0.01
"""How far they move a bias, in steps of the format (fspinn)."""

SCALE_RATE = 0.001
"""How far they move the logarithm of the scale (fspinn)."""

LABEL_PART = 0.5
"""Part of its label in what a sample should be answered with; the rest is what the readout in floats says.
With labels alone a readout of many neurons learns few samples by heart (fspinn)."""

CLIPS = np.linspace(0.15, 1.0, 35)
"""Where the table may be clipped, as parts of its largest entry (fspinn)."""

CHECKS = 16
"""How often, over all steps, the loss on all samples is looked at; only in the second half (fspinn)."""

DENSE_FROM = 0.05
"""Part of the counts that are not zero from which on matrices are not sparse: dense ones are quicker then."""

Floats: TypeAlias = NDArray[np.float32]


def fit_rounded(
    readout: Readout,
    rounded: Readout,
    spike_counts: "NDArray[np.int32] | csr_array",
    labels: NDArray[np.int64],
    *,
    seed: int = 0,
) -> Readout:
    """Return a readout `linear` in a format, fitted with its rounding in the loop.

    Scores are ``(counts @ table + bias) * scale`` with a table and a bias of integers and one scale, which
    no answer depends on. For n bits the integers of the table are from ``-(2**(n - 1) - 1)`` to
    ``2**(n - 1) - 1``. What is made small is the cross entropy between the softmax of the scores and, for
    samples without a label, that of the readout in floats; for the others, its mean with the label. The table
    starts from that of the floats, with the scale for which its rounding has the least squared error.

    Of the tables on the way, the one that has the smallest loss on all samples is kept, `rounded` among them.
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
    seed : int, default 0
        Of the order of samples.

    Raises
    ------
    FormatError
        If the format has not 2 to 8 bits.
    """
    from scipy import sparse

    format = rounded.format
    assert format is not None
    assert readout.bias is not None
    assert rounded.bias is not None
    if format.bits not in FITTED_BITS:
        raise FormatError(
            f"readout: {format} has {format.bits} bits, and is fitted with {FITTED_BITS[0]} to "
            f"{FITTED_BITS[-1]}; give so many, or no data to round it afterwards"
        )
    counts, present = sparse.csr_array(spike_counts), np.unique(labels[labels != NO_LABEL])
    if len(present) < 2 or counts.nnz == 0:
        return rounded
    samples = _Samples.of(counts, _targets(readout, counts, labels, present))
    start = readout.table[:, present], readout.bias[present]
    afterwards = rounded.table[:, present] / format.step, rounded.bias[present] / format.step
    with quiet_fit():
        table, bias = _fit(samples, start, afterwards, 2 ** (format.bits - 1) - 1, seed)
    table[np.asarray(counts.sum(axis=0)).ravel() == 0] = 0
    whole_table = np.repeat(table.min(axis=1, keepdims=True), readout.n_classes, axis=1)
    whole_bias = np.full(readout.n_classes, bias.min() - 1, dtype=np.float32)
    whole_table[:, present], whole_bias[present] = table, bias
    sums = replace(format, integer_bits=MAX_BITS - format.fraction_bits)
    return replace(
        rounded,
        table=quantize_values(whole_table * np.float32(format.step), format),
        bias=quantize_values(whole_bias * np.float32(format.step), sums),
    )


def _targets(
    readout: Readout, counts: "csr_array", labels: NDArray[np.int64], present: NDArray[np.int64]
) -> Floats:
    """Return what each sample should be answered with, of the classes that have labels."""
    targets = _softmax(scores(readout, counts)[:, present].astype(np.float32))
    known = np.flatnonzero(labels != NO_LABEL)
    targets[known] *= 1 - LABEL_PART
    targets[known, np.searchsorted(present, labels[known])] += LABEL_PART
    return targets


@dataclass(frozen=True)
class _Samples:
    """Counts, dense or sparse, and what they should be answered with."""

    counts: Any
    targets: Floats

    @classmethod
    def of(cls, counts: "csr_array", targets: Floats) -> "_Samples":
        if counts.nnz < DENSE_FROM * counts.shape[0] * counts.shape[1]:
            return cls(counts.astype(np.float32), targets)
        return cls(counts.astype(np.min_scalar_type(counts.max())).toarray(), targets)

    def __len__(self) -> int:
        return len(self.targets)

    def some(self, chosen: "NDArray[np.int64] | slice") -> tuple[Any, Floats]:
        return self.counts[chosen].astype(np.float32), self.targets[chosen]

    def loss(self, table: Floats, bias: Floats, scale: float) -> float:
        """Return the cross entropy, the sum over all samples."""
        total = 0.0
        for start in range(0, len(self), 8 * BATCH):
            counts, targets = self.some(slice(start, start + 8 * BATCH))
            found = (counts @ table + bias) * np.float32(scale)
            found -= found.max(axis=1, keepdims=True)
            entropy = np.log(np.exp(found).sum(axis=1)) - (found * targets).sum(axis=1)
            total += float(entropy.sum(dtype=np.float64))
        return total


@dataclass
class _Adam:
    """Numbers that follow their gradient: ``value -= rate * mean / sqrt(mean of squares)``."""

    value: Floats
    rate: float
    mean: Floats = field(init=False)
    square: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.mean, self.square = np.zeros_like(self.value), np.zeros_like(self.value)

    def step(self, number: int, slope: Floats) -> None:
        """Take a step, `number` from 1 on."""
        self.mean += np.float32(0.1) * (slope - self.mean)
        self.square += np.float32(0.001) * (slope * slope - self.square)
        rate = self.rate * (1 - (number - 1) / UPDATES) / (1 - 0.9**number)
        spread = np.sqrt(self.square * np.float32(1 / (1 - 0.999**number))) + np.float32(1e-9)
        self.value -= np.float32(rate) * self.mean / spread


def _fit(
    samples: _Samples, start: tuple[Floats, Floats], afterwards: tuple[Floats, Floats], top: int, seed: int
) -> tuple[Floats, Floats]:
    """Return table and bias in integers, those of the table from ``-top`` to ``top``."""
    largest = np.abs(start[0]).max()
    best = samples.loss(*afterwards, largest / top), *afterwards
    first = _least_squares(start[0], top)
    table, bias = _Adam(start[0] / first, TABLE_RATE * top), _Adam(start[1] / first, BIAS_RATE)
    log_scale = _Adam(np.log(np.array([first], dtype=np.float32)), SCALE_RATE)
    batch = min(BATCH, len(samples))
    batches = len(samples) // batch
    for number in range(1, UPDATES + 1):
        passed, place = divmod(number - 1, batches)
        if place == 0:
            order = permutation(stream_key(seed, READOUT_ORDER, passed), len(samples))
        counts, targets = samples.some(order[place * batch : (place + 1) * batch])
        scale = np.exp(log_scale.value)
        sums = counts @ np.rint(table.value) + np.rint(bias.value)
        missed = (_softmax(sums * scale) - targets) * (scale / np.float32(batch))
        table.step(number, counts.T @ missed)
        bias.step(number, missed.sum(axis=0))
        log_scale.step(number, np.array([(missed * sums).sum()]))
        np.clip(table.value, -top, top, out=table.value)
        if number > UPDATES // 2 and number % (UPDATES // CHECKS) == 0:
            found = np.rint(table.value), np.rint(bias.value)
            loss = samples.loss(*found, float(np.exp(log_scale.value[0])))
            best = min(best, (loss, *found), key=lambda tried: tried[0])
    return best[1].copy(), best[2].copy()


def _least_squares(table: Floats, top: int) -> np.float32:
    """Return the scale for which the table loses least in squares when it is rounded and clipped."""

    def error(scale: np.float32) -> float:
        lost = np.clip(np.rint(table / scale), -top, top) * scale - table
        return float((lost * lost).sum(dtype=np.float64))

    scales = (CLIPS * (np.abs(table).max() / top)).astype(np.float32)
    return min(scales, key=error)


def _softmax(found: Floats) -> Floats:
    found = np.exp(found - found.max(axis=1, keepdims=True))
    shares: Floats = found / found.sum(axis=1, keepdims=True)
    return shares
