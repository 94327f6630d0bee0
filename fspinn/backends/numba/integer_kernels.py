"""Kernels of neurons in integers: what a time step does to potentials.

`fspinn.lowering.integers` defines what is computed, `fspinn.network` in which order.
"""

import numpy as np

from fspinn.backends.numba.constants_kernels import (
    CEILING,
    HIGHEST,
    HIGHEST_THRESHOLD,
    LOWEST,
    SATURATIONS,
)
from fspinn.backends.numba.integer_plasticity_kernels import follow_step
from fspinn.backends.numba.neuron_kernels import any_reached, clear
from fspinn.base.jit import njit

GROUP = 4
"""Rows that are added in one pass."""

SMALL = 2**14 - 1
"""Largest sum of weights that the fast path takes: twice as much fits in 16 bits."""


@njit
def forget_traces(state):
    """Set all traces to 0."""
    clear(state.pre_traces)


@njit
def cut(value, constants, span):
    """Return the number, or the end of the state format that it lies beyond; count that."""
    within = min(max(value, constants.lowest), constants.highest)
    if within != value:
        span[SATURATIONS] += 1
    return within


@njit
def set_rows(inputs, start, stop, n_rows, rows):
    """Write the rows of the inputs that spike in a step, then the row of zeros, until a group is full."""
    count = stop - start
    for e in range(count):
        rows[e] = inputs[start + e]
    end = max(1, (count + GROUP - 1) // GROUP) * GROUP
    for e in range(count, end):
        rows[e] = n_rows - 1
    return end


@njit
def sum_rows(weights, rows, end, sums):
    """Sum rows of weights, four in one pass."""
    a, b, c, d = rows[0], rows[1], rows[2], rows[3]
    for j in range(sums.size):
        sums[j] = weights[a, j] + weights[b, j] + weights[c, j] + weights[d, j]
    for e in range(GROUP, end, GROUP):
        a, b, c, d = rows[e], rows[e + 1], rows[e + 2], rows[e + 3]
        for j in range(sums.size):
            sums[j] = sums[j] + weights[a, j] + weights[b, j] + weights[c, j] + weights[d, j]


@njit
def leak_all(potentials, leak):
    """Leak alone: ``v -= (v * leak) >> 16``."""
    for j in range(potentials.size):
        v = np.int64(potentials[j])
        potentials[j] = v - ((v * leak) >> 16)


@njit
def leak_and_add(potentials, sums, leak, scale_up, scale_down):
    """Leak and input where nothing can leave the format.

    Written so that it becomes vector instructions, which need to see that nothing is wider than it looks: a
    shift to the right is the high half of a product of 16 bits, and `leak` has the type of the potentials.
    """
    if scale_down == 0:
        add_scaled_up(potentials, sums, leak, scale_up)
    else:
        add_scaled_down(potentials, sums, leak, scale_down)


@njit
def add_scaled_up(potentials, sums, leak, scale_up):
    """``v += sum * scale_up`` after the leak; for `leak_and_add`."""
    whole = potentials.dtype.type
    factor = whole(scale_up)
    for j in range(potentials.size):
        v = whole(potentials[j] - ((np.int64(potentials[j]) * np.int64(leak)) >> 16))
        potentials[j] = v + whole(whole(sums[j]) * factor)


@njit
def add_scaled_down(potentials, sums, leak, scale_down):
    """``v += sum >> scale_down`` after the leak; for `leak_and_add`."""
    whole = potentials.dtype.type
    factor = np.int16(2**15 >> scale_down)
    for j in range(potentials.size):
        v = whole(potentials[j] - ((np.int64(potentials[j]) * np.int64(leak)) >> 16))
        potentials[j] = v + whole((np.int64(np.int16(sums[j] * 2)) * np.int64(factor)) >> 16)


@njit
def leak_and_add_exactly(potentials, sums, leak, constants, span):
    """Leak and input, whatever they are; what leaves the format is cut."""
    lowest, highest = constants.lowest, constants.highest
    scale_up, scale_down = constants.scale_up, constants.scale_down
    cuts, least = 0, span[LOWEST]
    for j in range(potentials.size):
        v = np.int64(potentials[j])
        v = v - ((v * leak) >> 16) + ((np.int64(sums[j]) * scale_up) >> scale_down)
        within = min(max(v, lowest), highest)
        potentials[j] = within
        cuts += within != v
        least = min(least, within)
    span[SATURATIONS] += cuts
    span[LOWEST] = least


@njit
def advance(t, stop, starts, inputs, weights, constants, learning, state):
    """Take time steps up to phase 4 until a potential has reached its threshold; traces follow.

    Returns the last step, and whether one has.
    """
    rows, potentials, thresholds = state.rows, state.potentials, state.thresholds
    small_sums, sums, carried = state.small_sums, state.sums, state.carried
    leak, scale_up, scale_down = constants.leak, constants.scale_up, constants.scale_down
    ceiling, highest_threshold = carried[CEILING], carried[HIGHEST_THRESHOLD]
    for step in range(t, stop):
        end = set_rows(inputs, starts[step], starts[step + 1], weights.shape[0], rows)
        # No potential is above the ceiling, and leak only brings potentials nearer to 0.
        largest_sum = (starts[step + 1] - starts[step]) * constants.largest_weight
        ceiling += (largest_sum * scale_up) >> scale_down
        if constants.no_negative_weights and largest_sum <= SMALL and ceiling <= constants.highest:
            sum_rows(weights, rows, end, small_sums)
            leak_and_add(potentials, small_sums, leak, scale_up, scale_down)
        else:
            sum_rows(weights, rows, end, sums)
            leak_and_add_exactly(potentials, sums, leak, constants, state.range)
            ceiling = constants.highest
        if learning is not None:
            follow_step(step, starts, inputs, learning, state)
        if any_reached(potentials, thresholds):
            carried[CEILING] = ceiling
            return step, True
        ceiling = min(ceiling, highest_threshold)
    carried[CEILING] = ceiling
    return stop - 1, False


@njit
def inhibit(exempt, constants, state):
    """Take ``drop + ((v * drop_part) >> 16)`` from all potentials but one."""
    potentials, span = state.potentials, state.range
    lowest, highest = constants.lowest, constants.highest
    drop, drop_part = constants.drop, constants.drop_part
    cuts, least, kept = 0, span[LOWEST], potentials[exempt]
    for j in range(potentials.size):
        v = np.int64(potentials[j])
        left = v - (drop + ((v * drop_part) >> 16))
        within = min(max(left, lowest), highest)
        potentials[j] = within
        if j != exempt:
            cuts += within != left
            least = min(least, within)
    potentials[exempt] = kept
    span[SATURATIONS] += cuts
    span[LOWEST] = least


@njit
def lower(neuron, constants, state):
    """Take the drop from one potential."""
    v = cut(np.int64(state.potentials[neuron]) - constants.drop, constants, state.range)
    state.potentials[neuron] = v
    state.range[LOWEST] = min(state.range[LOWEST], v)


@njit
def lower_by_threshold(neuron, constants, state):
    """Take its threshold from one potential, which rises where that is below 0."""
    threshold, span = np.int64(state.thresholds[neuron]), state.range
    v = cut(np.int64(state.potentials[neuron]) - threshold, constants, span)
    state.potentials[neuron] = v
    state.carried[CEILING] = max(state.carried[CEILING], v)
    span[HIGHEST] = max(span[HIGHEST], v)


@njit
def find_spike(t, constants, state):
    """Return the neuron furthest above its threshold, the first among equals, or -1 if there is none."""
    potentials, carried = state.potentials, state.carried
    if not any_reached(potentials, state.thresholds):
        carried[CEILING] = min(carried[CEILING], carried[HIGHEST_THRESHOLD])
        return -1
    winner, best, highest = -1, np.int64(-1), np.int64(0)
    for j in range(potentials.size):
        v = np.int64(potentials[j])
        highest = max(highest, v)
        excess = v - state.thresholds[j]
        if excess > best and state.ready_at[j] <= t:
            winner, best = j, excess
    carried[CEILING] = highest
    state.range[HIGHEST] = max(state.range[HIGHEST], highest)
    return winner


@njit
def set_thresholds(theta, constants, state):
    """What each neuron's potential has to reach; theta is finer than the state while a network learns."""
    shift = constants.theta_shift
    half = (np.int64(1) << shift) >> 1
    highest = np.int64(0)
    for j in range(theta.size):
        threshold = constants.firing_threshold + ((np.int64(theta[j]) + half) >> shift)
        threshold = cut(threshold, constants, state.range)
        state.thresholds[j] = threshold
        highest = max(highest, threshold)
    state.carried[HIGHEST_THRESHOLD] = highest
    state.range[HIGHEST] = max(state.range[HIGHEST], highest)
