"""Kernels of columns that labels tune: what competes at each position, and what would have changed it.

All positions of a sample are followed at once, side by side, as `fspinn.backends.numba.column_kernels` says.
"""

from math import exp

from fspinn.backends.numba.column_kernels import add_spike, any_reached
from fspinn.base.jit import njit


@njit
def end_position(row, thresholds, start, neurons):
    """Return the neuron of a position that is furthest above its threshold, or -1 if none has reached it."""
    winner, most = -1, row[start] - thresholds[start]
    for k in range(start, start + neurons):
        above = row[k] - thresholds[k]
        if above >= 0 and (winner < 0 or above > most):
            winner, most = k - start, above
    return winner


@njit
def compete(offsets, inputs, blocks, thresholds, places, grid, cell_of, potentials, ends, at_end, counts):
    """Let all positions of some samples come to their first spike.

    Up to `cell_of` as for `answer_columns`, without a lane that counts; `potentials` (rows, width * neurons)
    is memory. Writes `ends` (n, positions), the step of the spike or -1, `at_end` (n, positions, neurons),
    the potentials in that step, and `counts` (n, cells * neurons).
    """
    rows, columns, left, stride = grid
    neurons = at_end.shape[2]
    everything = potentials.reshape(-1)
    for m in range(offsets.shape[0]):
        counted, ended = counts[m], ends[m]
        for feature in range(counted.size):
            counted[feature] = 0
        for p in range(ended.size):
            ended[p] = -1
        for k in range(everything.size):
            everything[k] = 0
        for t in range(offsets.shape[1] - 1):
            low, high = rows, 0
            for e in range(offsets[m, t], offsets[m, t + 1]):
                y, x, channel = places[inputs[e], 0], places[inputs[e], 1], places[inputs[e], 2]
                first, stop = add_spike(blocks, y, x, channel, stride, neurons, potentials)
                low, high = min(low, first), max(high, stop)
            for r in range(low, high):
                row = potentials[r]
                if not any_reached(row, thresholds):
                    continue
                for q in range(columns):
                    start, p = (left + q) * neurons, r * columns + q
                    winner = end_position(row, thresholds, start, neurons)
                    if winner < 0:
                        continue
                    ended[p] = t
                    counted[cell_of[p] * neurons + winner] += 1
                    for j in range(neurons):
                        at_end[m, p, j] = row[start + j]
                        row[start + j] = -1e30


@njit
def share_blame(at_end, base, of_counts, thresholds, temperature, of_thresholds):
    """Turn potentials of a column into their gradients, by the softmax over them; add those of thresholds."""
    most, total, mean = at_end[0] - thresholds[0], at_end.dtype.type(0.0), at_end.dtype.type(0.0)
    for j in range(at_end.size):
        most = max(most, at_end[j] - thresholds[j])
    for j in range(at_end.size):
        at_end[j] = exp((at_end[j] - thresholds[j] - most) / temperature)
        total += at_end[j]
        mean += at_end[j] * of_counts[base + j]
    mean /= total
    for j in range(at_end.size):
        at_end[j] *= (of_counts[base + j] - mean) / (total * temperature)
        of_thresholds[j] -= at_end[j]


@njit
def blame(
    offsets,
    inputs,
    thresholds,
    places,
    grid,
    cell_of,
    temperature,
    ends,
    at_end,
    of_counts,
    memory,
    of_blocks,
    of_thresholds,
):
    """Add the gradients of `blocks` and thresholds (neurons,) to `of_blocks` and `of_thresholds`.

    `of_counts` (n, cells * neurons) is the gradient of the counts; `at_end` is overwritten. Time runs
    backwards: a position joins in the step that ended it, and takes the blame for all input until then.
    """
    rows, columns, left, stride = grid
    neurons = at_end.shape[2]
    height, everything = of_blocks.shape[1], memory.reshape(-1)
    for m in range(offsets.shape[0]):
        for p in range(ends.shape[1]):
            if ends[m, p] >= 0:
                base = cell_of[p] * neurons
                share_blame(at_end[m, p], base, of_counts[m], thresholds, temperature, of_thresholds)
        for k in range(everything.size):
            everything[k] = 0
        for t in range(offsets.shape[1] - 2, -1, -1):
            for p in range(ends.shape[1]):
                if ends[m, p] == t:
                    r, start = p // columns, (left + p % columns) * neurons
                    for j in range(neurons):
                        memory[r, start + j] = at_end[m, p, j]
            for e in range(offsets[m, t], offsets[m, t + 1]):
                y, x, channel = places[inputs[e], 0], places[inputs[e], 1], places[inputs[e], 2]
                start, rest = x // stride * neurons, x % stride
                for r in range(max(0, (y - height + stride) // stride), min(rows - 1, y // stride) + 1):
                    block = of_blocks[channel, y - r * stride, rest]
                    seen = memory[r, start : start + block.size]
                    for k in range(block.size):
                        block[k] += seen[k]
