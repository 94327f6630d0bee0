"""Kernel of fields whose neurons know nothing of each other: all positions at once, as they answer.

Positions in a row lie side by side as in `column_kernels`, without a lane for counts: no position ends
early, so that what is seen is known beforehand. What it computes is what `schedule_kernels` does.
"""

import numpy as np

from fspinn.backends.numba.arithmetic_kernels import either
from fspinn.backends.numba.column_kernels import add_spike, any_reached
from fspinn.backends.numba.constants_kernels import HIGHEST, LOWEST, SATURATIONS
from fspinn.backends.numba.neuron_kernels import clear, flush
from fspinn.base.jit import njit


@njit
def _leak_reals(potentials, constants):
    for j in range(potentials.size):
        potentials[j] *= constants.leak


@njit
def _leak_integers(potentials, constants):
    whole, leak = potentials.dtype.type, constants.leak
    for j in range(potentials.size):
        potentials[j] = whole(potentials[j] - ((np.int64(potentials[j]) * np.int64(leak)) >> 16))


@njit
def _settle_reals(potentials, t, constants, span):
    if t % 16 == 15:
        flush(potentials)


@njit
def _settle_integers(potentials, t, constants, span):
    whole = potentials.dtype.type
    low, high, cuts = whole(constants.lowest), whole(constants.highest), 0
    least, most = whole(0), whole(0)
    for j in range(potentials.size):
        v = min(max(potentials[j], low), high)
        cuts += v != potentials[j]
        potentials[j] = v
        least, most = min(least, v), max(most, v)
    span[LOWEST] = min(span[LOWEST], np.int64(least))
    span[HIGHEST] = max(span[HIGHEST], np.int64(most))
    span[SATURATIONS] += cuts


leak_row = either(_leak_reals, _leak_integers)
"""Leak of a row of positions."""

settle = either(_settle_reals, _settle_integers)
"""Bring the potentials of a row back into their range once the input of a step has been added."""


@njit
def count_seen(offsets, inputs, places, grid, field, marks):
    """Return how many input spikes all positions see, and in how many steps of a position it sees any.

    `grid`: rows and columns of positions, and the stride; `marks` (rows, columns) are -1.
    """
    (rows, columns, stride), (height, width) = grid, field
    seen, active, now = 0, 0, 0
    for m in range(offsets.shape[0]):
        for t in range(offsets.shape[1] - 1):
            for e in range(offsets[m, t], offsets[m, t + 1]):
                y, x = places[inputs[e], 0], places[inputs[e], 1]
                for r in range(max(0, (y - height + stride) // stride), min(rows - 1, y // stride) + 1):
                    for c in range(max(0, (x - width + stride) // stride), min(columns - 1, x // stride) + 1):
                        seen += 1
                        active += marks[r, c] != now
                        marks[r, c] = now
            now += 1
    return seen, active


@njit
def answer_alone(
    offsets, inputs, blocks, thresholds, places, grid, cell_of, constants, span, potentials, answers, record
):
    """Let positions answer samples; return how many output spikes there were.

    `thresholds` (columns * neurons,) are those of the positions of a row; `span` as in `constants_kernels`;
    all else is as for `answer_columns`.
    """
    rows, columns, left, stride = grid
    spike_counts, first_steps = answers
    spike_steps, spike_neurons, spike_positions = record
    neurons, written = thresholds.size // columns, 0
    start, stop = left * neurons, (left + columns) * neurons
    everything = potentials.reshape(-1)
    for m in range(offsets.shape[0]):
        clear(everything)
        for t in range(offsets.shape[1] - 1):
            for r in range(rows):
                leak_row(potentials[r, start:stop], constants)
            for e in range(offsets[m, t], offsets[m, t + 1]):
                y, x, channel = places[inputs[e], 0], places[inputs[e], 1], places[inputs[e], 2]
                add_spike(blocks, y, x, channel, stride, neurons, potentials)
            for r in range(rows):
                row = potentials[r, start:stop]
                settle(row, t, constants, span)
                if not any_reached(row, thresholds):
                    continue
                for lane in range(row.size):
                    if row[lane] < thresholds[lane]:
                        continue
                    row[lane] -= thresholds[lane]
                    position, neuron = r * columns + lane // neurons, lane % neurons
                    spike_steps[written], spike_neurons[written] = t, neuron
                    spike_positions[written] = position
                    written += 1
                    feature = cell_of[position] * neurons + neuron
                    spike_counts[m, feature] += 1
                    first_steps[m, feature] = min(first_steps[m, feature], t)
    return written
