"""Kernel of columns without leak whose first spike ends a position: all positions at once, as they answer.

A spike of the input is added to all positions that see it. Those in a row lie side by side, so that the
weights with which it reaches them are one block; a lane beside those of the neurons counts the input spikes
that a position has seen. What it computes is what `schedule_kernels` does position by position.

Loops go over views of one dimension: Numba makes vector instructions of these only.
"""

from fspinn.backends.numba.constants_kernels import (
    ACTIVE_STEPS,
    ADDITIONS,
    INPUT_SPIKES,
    NEURON_UPDATES,
    OUTPUT_SPIKES,
    POSITIONS,
    ROWS_READ,
    SAMPLES,
    STEPS,
)
from fspinn.base.jit import njit


@njit
def add_spike(blocks, y, x, channel, stride, lanes, potentials):
    """Add the weights of an input to all positions that see it; return the first row, and the one after."""
    height = blocks.shape[1]
    first, stop = max(0, (y - height + stride) // stride), min(potentials.shape[0] - 1, y // stride) + 1
    start, rest = x // stride * lanes, x % stride
    for r in range(first, stop):
        block = blocks[channel, y - r * stride, rest]
        reached = potentials[r, start : start + block.size]
        for j in range(block.size):
            reached[j] += block[j]
    return first, stop


@njit
def count_active(potentials, lanes, left, start, stop, seen_before):
    """Return how many open positions of a row have seen a spike since, and note how many they have seen.

    Of positions from `start` to `stop`, counted with the `left` ones that are not there.
    """
    start, stop, active = max(start - left, 0), min(stop - left, seen_before.size), 0
    lane = (left + start + 1) * lanes - 1
    for q in range(start, stop):
        seen = max(potentials[lane], potentials.dtype.type(0))
        active += seen > seen_before[q]
        seen_before[q] = seen
        lane += lanes
    return active


@njit
def any_reached(potentials, thresholds):
    """Return whether any potential of a row of positions has reached its threshold."""
    reached = False
    for j in range(thresholds.size):
        reached |= potentials[j] >= thresholds[j]
    return reached


@njit
def mark_reached(potentials, thresholds, flags):
    """Note which have."""
    for j in range(thresholds.size):
        flags[j] = potentials[j] >= thresholds[j]


@njit
def find_winner(potentials, thresholds, start, neurons, most):
    """Return the neuron furthest above its threshold, of equals the first.

    One of them has reached its threshold. Also returns the highest potential, none of which is above `most`,
    and how many were cut to that.
    """
    winner, cuts, best, highest = -1, 0, potentials[start], potentials[start]
    for k in range(neurons):
        v = min(potentials[start + k], most)
        cuts += v != potentials[start + k]
        excess = v - thresholds[start + k]
        if winner < 0 or excess > best:
            winner, best = k, excess
        highest = v if k == 0 else max(highest, v)
    return winner, highest, cuts


@njit
def answer_columns(
    offsets, inputs, blocks, thresholds, places, grid, cell_of, ends, memory, answers, record, activity
):
    """Let columns answer samples; return the highest potential where a neuron has spiked, or 0, and the cuts.

    `offsets` and `inputs` are those of `Spikes`; `blocks` (channels, field height, stride, positions of a
    block * lanes): weights of an input to the positions that see it; `thresholds` (width * lanes,): those of
    a row of positions; `places` (inputs, 3); `grid`: rows and columns of positions, positions to the left of
    the first, and the stride; `ends`: potential of neurons whose position has ended, which none comes back
    from, and the highest that there is; `memory`: potentials (rows, width * lanes), flags of a row, the same
    eight in a word, and the spikes that each position had seen (rows, columns). Writes what `present_batch`
    does.
    """
    rows, columns, left, stride = grid
    spike_counts, first_steps = answers
    spike_steps, spike_neurons, spike_positions = record
    potentials, flags, words, seen_before = memory
    neurons = spike_counts.shape[1] // (cell_of[-1] + 1)
    steps, lanes = offsets.shape[1] - 1, neurons + 1
    reach = blocks.shape[3] // lanes
    everything, written, seen, computed, active = potentials.reshape(-1), 0, 0, 0, 0
    (ended, most), top, saturated = ends, potentials[0, 0] * 0, 0
    for m in range(offsets.shape[0]):
        for j in range(everything.size):
            everything[j] = 0
        seen_before[:] = 0
        for t in range(steps):
            low, high, start, stop = rows, 0, left + columns, 0
            for e in range(offsets[m, t], offsets[m, t + 1]):
                y, x, channel = places[inputs[e], 0], places[inputs[e], 1], places[inputs[e], 2]
                first, after = add_spike(blocks, y, x, channel, stride, lanes, potentials)
                low, high = min(low, first), max(high, after)
                start, stop = min(start, x // stride), max(stop, x // stride + reach)
            for r in range(low, high):
                row = potentials[r]
                active += count_active(row, lanes, left, start, stop, seen_before[r])
                if not any_reached(row, thresholds):
                    continue
                mark_reached(row, thresholds, flags)
                place = -1
                for word in range(words.size):
                    if words[word] == 0:
                        continue
                    for lane in range(8 * word, 8 * word + 8):
                        if not flags[lane] or lane // lanes == place:
                            continue
                        place = lane // lanes
                        winner, highest, cuts = find_winner(row, thresholds, place * lanes, neurons, most)
                        top, saturated = max(top, highest), saturated + cuts
                        position = r * columns + place - left
                        spike_steps[written], spike_neurons[written] = t, winner
                        spike_positions[written] = position
                        written += 1
                        feature = cell_of[position] * neurons + winner
                        spike_counts[m, feature] += 1
                        first_steps[m, feature] = min(first_steps[m, feature], t)
                        seen += int(row[place * lanes + neurons])
                        computed += t + 1
                        for k in range(place * lanes, place * lanes + lanes):
                            row[k] = ended
        for r in range(rows):
            for q in range(left, left + columns):
                if potentials[r, q * lanes + neurons] >= 0:
                    seen += int(potentials[r, q * lanes + neurons])
                    computed += steps
    activity[SAMPLES] += offsets.shape[0]
    activity[POSITIONS] += offsets.shape[0] * rows * columns
    activity[STEPS] += computed
    activity[ACTIVE_STEPS] += active
    activity[INPUT_SPIKES] += seen
    activity[OUTPUT_SPIKES] += written
    activity[ROWS_READ] += seen
    activity[ADDITIONS] += seen * neurons
    activity[NEURON_UPDATES] += computed * neurons
    return top, saturated
