"""Kernels of layers that see input spikes: the rows of weights that are added, and all of a field at once.

The inputs that spike in step t of sample m are ``inputs[offsets[m, t]:offsets[m, t + 1]]``. `where`: row,
column and channel of each input (inputs, 3), height, width and channels of the field, its stride, rows and
columns of positions, and the cell of each position.
"""

import numpy as np

from fspinn.base.jit import njit
from fspinn.learning.surrogate.lif_kernels import slopes


@njit
def add_rows(starts, inputs, where, weights, currents):
    """Add to the currents of a sample, (steps, positions, neurons), the rows of weights that each sees."""
    places, (height, width, channels), stride, (rows, columns), _ = where
    for t in range(starts.size - 1):
        for e in range(starts[t], starts[t + 1]):
            y, x, c = places[inputs[e], 0], places[inputs[e], 1], places[inputs[e], 2]
            for r in range(max(0, (y - height) // stride + 1), min(rows - 1, y // stride) + 1):
                for q in range(max(0, (x - width) // stride + 1), min(columns - 1, x // stride) + 1):
                    i = ((y - r * stride) * width + x - q * stride) * channels + c
                    p = r * columns + q
                    for j in range(weights.shape[1]):
                        currents[t, p, j] += weights[i, j]


@njit
def add_to_rows(starts, inputs, where, of_currents, of_weights):
    """Add to the gradients of weights those of the currents of a sample that `add_rows` adds them to."""
    places, (height, width, channels), stride, (rows, columns), _ = where
    for t in range(starts.size - 1):
        for e in range(starts[t], starts[t + 1]):
            y, x, c = places[inputs[e], 0], places[inputs[e], 1], places[inputs[e], 2]
            for r in range(max(0, (y - height) // stride + 1), min(rows - 1, y // stride) + 1):
                for q in range(max(0, (x - width) // stride + 1), min(columns - 1, x // stride) + 1):
                    i = ((y - r * stride) * width + x - q * stride) * channels + c
                    p = r * columns + q
                    for j in range(of_weights.shape[1]):
                        of_weights[i, j] += of_currents[t, p, j]


@njit
def add_all_rows(offsets, inputs, where, weights, currents):
    """Fill the currents of samples, (steps, samples, positions, neurons), which are 0."""
    for m in range(offsets.shape[0]):
        add_rows(offsets[m], inputs, where, weights, currents[:, m])


@njit
def add_to_all_rows(offsets, inputs, where, of_currents, of_weights):
    """Add to the gradients of weights those of `add_all_rows`."""
    for m in range(offsets.shape[0]):
        add_to_rows(offsets[m], inputs, where, of_currents[:, m], of_weights)


@njit
def integrate(starts, inputs, where, weights, beta, threshold, potentials):
    """Fill the potentials of a sample, (steps, positions, neurons), before the reset."""
    potentials[:] = 0
    add_rows(starts, inputs, where, weights, potentials)
    zero = potentials.dtype.type(0.0)
    flat = potentials.reshape(potentials.shape[0], -1)
    for t in range(1, flat.shape[0]):
        for k in range(flat.shape[1]):
            v = flat[t - 1, k]
            flat[t, k] += beta * (v - (threshold if v >= threshold else zero))


@njit
def find_best(potentials, cell_of, best):
    """Find the position of the highest potential in each cell, the first among equals, of each neuron.

    `potentials` (positions, neurons), `best` (cells, neurons).
    """
    for c in range(best.shape[0]):
        for j in range(best.shape[1]):
            best[c, j] = -1
    for p in range(potentials.shape[0]):
        c = cell_of[p]
        for j in range(best.shape[1]):
            if best[c, j] < 0 or potentials[p, j] > potentials[best[c, j], j]:
                best[c, j] = p


@njit
def answer_field(offsets, inputs, where, weights, beta, threshold, counts, passed):
    """Count the output spikes of each cell and neuron, and note in which steps there are any.

    Writes `counts` (samples, cells, neurons), and `passed` (steps, samples, cells, neurons) unless it has no
    rows; both are 0 before.
    """
    cell_of, steps, neurons = where[4], offsets.shape[1] - 1, weights.shape[1]
    potentials = np.empty((steps, cell_of.size, neurons), weights.dtype)
    one, zero = weights.dtype.type(1.0), weights.dtype.type(0.0)
    for m in range(offsets.shape[0]):
        integrate(offsets[m], inputs, where, weights, beta, threshold, potentials)
        for t in range(steps):
            for p in range(cell_of.size):
                c = cell_of[p]
                for j in range(neurons):
                    counts[m, c, j] += one if potentials[t, p, j] >= threshold else zero
                if passed.shape[0] > 0:
                    for j in range(neurons):
                        if potentials[t, p, j] >= threshold:
                            passed[t, m, c, j] = one


@njit
def blame_field(offsets, inputs, where, weights, neurons_are, of_counts, of_passed, of_weights):
    """Add the gradients of weights; those of what is passed on are of the highest potential of a cell.

    `neurons_are`: leak, threshold, number and `k` of the surrogate. `of_counts` and `of_passed` are as
    `answer_field` writes these, or have no rows: zeros. Potentials are found again, as all of them are more
    than a cache holds.
    """
    beta, threshold, kind, k = neurons_are
    cell_of, steps, neurons = where[4], offsets.shape[1] - 1, weights.shape[1]
    potentials = np.empty((steps, cell_of.size, neurons), weights.dtype)
    carried = np.empty((cell_of.size, neurons), weights.dtype)
    slope = np.empty_like(carried)
    of_all = np.zeros((cell_of.size, neurons), weights.dtype)
    of_spikes = np.zeros((cell_of.size, neurons), weights.dtype)
    best = np.empty((cell_of.max() + 1, neurons), np.int64)
    for m in range(offsets.shape[0]):
        integrate(offsets[m], inputs, where, weights, beta, threshold, potentials)
        if of_counts.shape[0] > 0:
            for p in range(cell_of.size):
                for j in range(neurons):
                    of_all[p, j] = of_counts[m, cell_of[p], j]
        carried[:] = 0
        for t in range(steps - 1, -1, -1):
            slopes(kind, k, potentials[t].reshape(-1), threshold, slope.reshape(-1))
            given = of_all
            if of_passed.shape[0] > 0:
                find_best(potentials[t], cell_of, best)
                of_spikes[:] = of_all
                for c in range(best.shape[0]):
                    for j in range(neurons):
                        of_spikes[best[c, j], j] += of_passed[t, m, c, j]
                given = of_spikes
            for p in range(cell_of.size):
                for j in range(neurons):
                    carried[p, j] = beta * carried[p, j] + given[p, j] * slope[p, j]
                    potentials[t, p, j] = carried[p, j]
        add_to_rows(offsets[m], inputs, where, potentials, of_weights)
