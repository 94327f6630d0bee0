"""Kernels of layers that see input spikes: the rows of weights that are added, and all of a field at once.

The inputs that spike in step t of sample m are ``inputs[offsets[m, t]:offsets[m, t + 1]]``. `where`: row,
column and channel of each input (inputs, 3), height, width and channels of the field, its stride, rows and
columns of positions, and the cell of each position.
"""

import numpy as np

from fspinn.base.jit import njit, njit_allocating
from fspinn.learning.surrogate.lif_kernels import slopes


@njit
def add_rows(starts, inputs, where, weights, m, currents):
    """Add the rows of weights that positions see to the currents of sample m.

    Writes `currents` (steps, samples, positions, neurons); a view of one sample would not become vector
    instructions.
    """
    places, (height, width, channels), stride, (rows, columns), _ = where
    for t in range(starts.size - 1):
        for e in range(starts[t], starts[t + 1]):
            y, x, c = places[inputs[e], 0], places[inputs[e], 1], places[inputs[e], 2]
            for r in range(max(0, (y - height) // stride + 1), min(rows - 1, y // stride) + 1):
                for q in range(max(0, (x - width) // stride + 1), min(columns - 1, x // stride) + 1):
                    i = ((y - r * stride) * width + x - q * stride) * channels + c
                    p = r * columns + q
                    for j in range(weights.shape[1]):
                        currents[t, m, p, j] += weights[i, j]


@njit
def add_to_rows(starts, inputs, where, m, of_currents, of_weights):
    """Add to the gradients of weights those of the currents of sample m that `add_rows` adds them to."""
    places, (height, width, channels), stride, (rows, columns), _ = where
    for t in range(starts.size - 1):
        for e in range(starts[t], starts[t + 1]):
            y, x, c = places[inputs[e], 0], places[inputs[e], 1], places[inputs[e], 2]
            for r in range(max(0, (y - height) // stride + 1), min(rows - 1, y // stride) + 1):
                for q in range(max(0, (x - width) // stride + 1), min(columns - 1, x // stride) + 1):
                    i = ((y - r * stride) * width + x - q * stride) * channels + c
                    p = r * columns + q
                    for j in range(of_weights.shape[1]):
                        of_weights[i, j] += of_currents[t, m, p, j]


@njit
def add_all_rows(offsets, inputs, where, weights, currents):
    """Fill the currents of samples, (steps, samples, positions, neurons), which are 0."""
    for m in range(offsets.shape[0]):
        add_rows(offsets[m], inputs, where, weights, m, currents)


@njit
def add_to_all_rows(offsets, inputs, where, of_currents, of_weights):
    """Add to the gradients of weights those of `add_all_rows`."""
    for m in range(offsets.shape[0]):
        add_to_rows(offsets[m], inputs, where, m, of_currents, of_weights)


@njit
def integrate(starts, inputs, where, weights, beta, threshold, potentials):
    """Fill the potentials of a sample, (steps, 1, positions, neurons), before the reset."""
    flat = potentials.reshape(potentials.shape[0], -1)
    zero = flat.dtype.type(0.0)
    flat[:] = zero
    add_rows(starts, inputs, where, weights, 0, potentials)
    for t in range(1, flat.shape[0]):
        for k in range(flat.shape[1]):
            v = flat[t - 1, k]
            flat[t, k] += beta * (v - (threshold if v >= threshold else zero))


@njit
def find_best(t, potentials, cell_of, best):
    """Find the position of the highest potential in each cell, the first among equals, of each neuron.

    `potentials` (steps, 1, positions, neurons), `best` (cells, neurons).
    """
    best[:] = -1
    for p in range(potentials.shape[2]):
        c = cell_of[p]
        for j in range(best.shape[1]):
            if best[c, j] < 0 or potentials[t, 0, p, j] > potentials[t, 0, best[c, j], j]:
                best[c, j] = p


@njit_allocating
def answer_field(offsets, inputs, where, weights, beta, threshold, counts, passed):
    """Count the output spikes of each cell and neuron, and note in which steps there are any.

    Writes `counts` (samples, cells, neurons), and `passed` (steps, samples, cells, neurons) unless it has no
    rows; both are 0 before.
    """
    cell_of, steps, neurons = where[4], offsets.shape[1] - 1, weights.shape[1]
    potentials = np.empty((steps, 1, cell_of.size, neurons), weights.dtype)
    flat, spikes = potentials.reshape(steps, -1), np.empty(cell_of.size * neurons, weights.dtype)
    one, zero = weights.dtype.type(1.0), weights.dtype.type(0.0)
    for m in range(offsets.shape[0]):
        integrate(offsets[m], inputs, where, weights, beta, threshold, potentials)
        spikes[:] = zero
        for t in range(steps):
            for k in range(spikes.size):
                spikes[k] += one if flat[t, k] >= threshold else zero
        for p in range(cell_of.size):
            for j in range(neurons):
                counts[m, cell_of[p], j] += spikes[p * neurons + j]
        for t in range(passed.shape[0]):
            for p in range(cell_of.size):
                for j in range(neurons):
                    if potentials[t, 0, p, j] >= threshold:
                        passed[t, m, cell_of[p], j] = one


@njit_allocating
def blame_field(offsets, inputs, where, weights, neurons_are, of_counts, of_passed, of_weights):
    """Add the gradients of weights; those of what is passed on are of the highest potential of a cell.

    `neurons_are`: leak, threshold, number and `k` of the surrogate. `of_counts` and `of_passed` are as
    `answer_field` writes these, or have no rows: zeros. Potentials are found again, as all of them are more
    than a cache holds.
    """
    beta, threshold, kind, k_of_shape = neurons_are
    cell_of, steps, neurons = where[4], offsets.shape[1] - 1, weights.shape[1]
    potentials = np.empty((steps, 1, cell_of.size, neurons), weights.dtype)
    flat, size = potentials.reshape(steps, -1), cell_of.size * neurons
    carried, slope = np.empty(size, weights.dtype), np.empty(size, weights.dtype)
    of_spikes = np.empty(size, weights.dtype)
    of_all = np.zeros(size, weights.dtype)
    best = np.empty((cell_of.max() + 1, neurons), np.int64)
    for m in range(offsets.shape[0]):
        integrate(offsets[m], inputs, where, weights, beta, threshold, potentials)
        if of_counts.shape[0] > 0:
            for p in range(cell_of.size):
                for j in range(neurons):
                    of_all[p * neurons + j] = of_counts[m, cell_of[p], j]
        carried[:] = 0
        for t in range(steps - 1, -1, -1):
            slopes(kind, k_of_shape, flat[t], threshold, slope)
            of_spikes[:] = of_all
            if of_passed.shape[0] > 0:
                find_best(t, potentials, cell_of, best)
                for c in range(best.shape[0]):
                    for j in range(neurons):
                        of_spikes[best[c, j] * neurons + j] += of_passed[t, m, c, j]
            for k in range(size):
                carried[k] = beta * carried[k] + of_spikes[k] * slope[k]
                flat[t, k] = carried[k]
        add_to_rows(offsets[m], inputs, where, 0, potentials, of_weights)
