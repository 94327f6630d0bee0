"""Kernels of the integer engine: time steps and presentations in whole numbers.

`fspinn.lowering.integers` defines what is computed, `fspinn.network` in which order.
"""

from collections import namedtuple

import numpy as np

from fspinn.backends.numba.neuron_kernels import copy
from fspinn.backends.numba.window_kernels import ADDITIONS, CLAMP, LATERAL, WEIGHT_READS, count_presentation
from fspinn.base.jit import njit
from fspinn.network.encoder_kernels import encode, stream_key

Constants = namedtuple(
    "Constants",
    "steps encoder rate_norm_per_step most_spikes "
    "leak scale_up scale_down largest_weight no_negative_weights lowest highest "
    "refractory_steps inhibition_kind inhibition_steps toll toll_part",
)
"""Numbers that do not change during a run.

The input of a step is ``(sum of weights * scale_up) >> scale_down``. `leak` has the type of the potentials.
"""

State = namedtuple(
    "State",
    "probabilities spikes_in_step inputs rows potentials thresholds small_sums sums "
    "ready_at partner_ready_at spike_counts spike_order spike_steps carried seen",
)
"""State and working memory, made once per batch.

`rows` are the rows of the inputs that spike in a step, filled up with the row of zeros; `seen` are the lowest
and the highest potential or threshold so far, and how many numbers were cut to their format.
"""

PARTNER, CLAMPED_UNTIL, NOT_CLAMPED, SPIKES, CEILING, HIGHEST_THRESHOLD = range(6)
"""Places in ``State.carried``.

The neuron whose inhibitory partner is about to spike (or -1), the step until which others are clamped, the
neuron that is not, the number of output spikes so far, a number that no potential is above (at least 0), and
the highest threshold (at least 0).
"""

LOWEST, HIGHEST, SATURATIONS = range(3)
"""Places in ``State.seen``."""

GROUP = 4
"""Rows that are added in one pass."""

SMALL = 2**14 - 1
"""Largest sum of weights that the fast path takes: twice as much fits in 16 bits."""


@njit
def make_state(n_rows, steps, order, potentials, seen):
    """Allocate the state around an array of potentials, for weights with so many rows (zeros included)."""
    n_neurons = potentials.size
    return State(
        np.zeros(n_rows - 1, dtype=np.uint32),
        np.zeros(steps, dtype=np.int64),
        np.zeros((steps, n_rows - 1), dtype=np.int32),
        np.zeros(n_rows + GROUP, dtype=np.int64),
        potentials,
        np.zeros_like(potentials),
        np.zeros(n_neurons, dtype=np.int16),
        np.zeros(n_neurons, dtype=np.int32),
        np.zeros(n_neurons, dtype=np.int64),
        np.zeros(n_neurons, dtype=np.int64),
        np.zeros(n_neurons, dtype=np.int32),
        np.zeros(order, dtype=np.int32),
        np.zeros(order, dtype=np.int32),
        np.zeros(6, dtype=np.int64),
        seen,
    )


@njit
def cut(value, constants, seen):
    """Return the number, or the end of the state format that it lies beyond; count that."""
    within = min(max(value, constants.lowest), constants.highest)
    if within != value:
        seen[SATURATIONS] += 1
    return within


@njit
def set_rows(inputs, t, count, n_rows, rows):
    """Write the rows of the inputs that spike in a step, then the row of zeros, until a group is full."""
    for e in range(count):
        rows[e] = inputs[t, e]
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
def leak_and_add_exactly(potentials, sums, leak, constants, seen):
    """Leak and input, whatever they are; what leaves the format is cut."""
    lowest, highest = constants.lowest, constants.highest
    scale_up, scale_down = constants.scale_up, constants.scale_down
    cuts, least = 0, seen[LOWEST]
    for j in range(potentials.size):
        v = np.int64(potentials[j])
        v = v - ((v * leak) >> 16) + ((np.int64(sums[j]) * scale_up) >> scale_down)
        within = min(max(v, lowest), highest)
        potentials[j] = within
        cuts += within != v
        least = min(least, within)
    seen[SATURATIONS] += cuts
    seen[LOWEST] = least


@njit
def advance(t, stop, weights, constants, state):
    """Take time steps until a potential reaches its threshold, while nobody is clamped; return the last step.

    Arrays are taken out of the state before the loop: to do so in each step would cost as much as a row.
    """
    spikes_in_step, inputs, rows = state.spikes_in_step, state.inputs, state.rows
    potentials, thresholds, small_sums, sums = (
        state.potentials,
        state.thresholds,
        state.small_sums,
        state.sums,
    )
    seen, carried = state.seen, state.carried
    leak, scale_up, scale_down = constants.leak, constants.scale_up, constants.scale_down
    ceiling, highest_threshold = carried[CEILING], carried[HIGHEST_THRESHOLD]
    for step in range(t, stop):
        count = spikes_in_step[step]
        end = set_rows(inputs, step, count, weights.shape[0], rows)
        # No potential is above the ceiling, and leak only brings potentials nearer to 0.
        largest_sum = count * constants.largest_weight
        ceiling += (largest_sum * scale_up) >> scale_down
        if constants.no_negative_weights and largest_sum <= SMALL and ceiling <= constants.highest:
            sum_rows(weights, rows, end, small_sums)
            leak_and_add(potentials, small_sums, leak, scale_up, scale_down)
        else:
            sum_rows(weights, rows, end, sums)
            leak_and_add_exactly(potentials, sums, leak, constants, seen)
            ceiling = constants.highest
        if any_reached(potentials, thresholds):
            carried[CEILING] = ceiling
            return step
        ceiling = min(ceiling, highest_threshold)
    carried[CEILING] = ceiling
    return stop - 1


@njit
def advance_one(t, neuron, weights, constants, state):
    """Take a step in which all neurons but one are clamped at 0."""
    v = np.int64(state.potentials[neuron])
    v -= (v * constants.leak) >> 16
    total = np.int64(0)
    for i in state.inputs[t, : state.spikes_in_step[t]]:
        total += weights[i, neuron]
    v = cut(v + ((total * constants.scale_up) >> constants.scale_down), constants, state.seen)
    state.potentials[neuron] = v
    state.seen[LOWEST] = min(state.seen[LOWEST], v)
    state.carried[CEILING] = max(v, 0)


@njit
def advance_after_toll(t, weights, constants, state):
    """Take a step in which the inhibitory partner of a neuron spikes."""
    # The leak comes first, and only once.
    no_leak = state.potentials.dtype.type(0)
    leak_all(state.potentials, constants.leak)
    take_toll(state.carried[PARTNER], constants, state)
    state.carried[PARTNER] = -1
    end = set_rows(state.inputs, t, state.spikes_in_step[t], weights.shape[0], state.rows)
    sum_rows(weights, state.rows, end, state.sums)
    leak_and_add_exactly(state.potentials, state.sums, no_leak, constants, state.seen)
    state.carried[CEILING] = constants.highest


@njit
def take_toll(spared, constants, state):
    """Let all neurons but one pay."""
    potentials, seen = state.potentials, state.seen
    lowest, highest = constants.lowest, constants.highest
    toll, toll_part = constants.toll, constants.toll_part
    cuts, least, kept = 0, seen[LOWEST], potentials[spared]
    for j in range(potentials.size):
        v = np.int64(potentials[j])
        left = v - (toll + ((v * toll_part) >> 16))
        within = min(max(left, lowest), highest)
        potentials[j] = within
        if j != spared:
            cuts += within != left
            least = min(least, within)
    potentials[spared] = kept
    seen[SATURATIONS] += cuts
    seen[LOWEST] = least


@njit
def any_reached(potentials, thresholds):
    """Return whether any potential has reached its threshold."""
    reached = False
    for j in range(potentials.size):
        reached |= potentials[j] >= thresholds[j]
    return reached


@njit
def find_spike(t, state):
    """Return the neuron furthest above its threshold, the first among equals, or -1 if there is none."""
    potentials, carried = state.potentials, state.carried
    winner, best, highest = -1, np.int64(-1), np.int64(0)
    for j in range(potentials.size):
        v = np.int64(potentials[j])
        highest = max(highest, v)
        excess = v - state.thresholds[j]
        if excess > best and state.ready_at[j] <= t:
            winner, best = j, excess
    carried[CEILING] = highest
    state.seen[HIGHEST] = max(state.seen[HIGHEST], highest)
    return winner


@njit
def fire(t, winner, constants, state):
    """Reset and inhibition after a spike."""
    carried = state.carried
    state.spike_counts[winner] += 1
    if carried[SPIKES] < state.spike_order.size:
        state.spike_order[carried[SPIKES]] = winner
        state.spike_steps[carried[SPIKES]] = t
    carried[SPIKES] += 1
    state.ready_at[winner] = t + 1 + constants.refractory_steps
    state.potentials[winner] = 0
    if constants.inhibition_kind == LATERAL:
        take_toll(winner, constants, state)
    elif constants.inhibition_kind == CLAMP:
        state.potentials[:] = 0
        carried[CLAMPED_UNTIL], carried[NOT_CLAMPED] = t + 1 + constants.inhibition_steps, winner
        carried[CEILING] = 0
    elif state.partner_ready_at[winner] <= t + 1:
        carried[PARTNER] = winner
        state.partner_ready_at[winner] = t + 2 + constants.inhibition_steps


@njit
def run(t, stop, weights, constants, state, activity):
    """Take time steps from t on until a neuron spikes, or until `stop`; return the last step and who spikes.

    If nobody does, that is -1. While neurons are clamped, or when a toll is due, it is one step.
    """
    carried = state.carried
    last, neurons = t, state.potentials.size
    if carried[PARTNER] >= 0:
        advance_after_toll(t, weights, constants, state)
    elif t < carried[CLAMPED_UNTIL]:
        advance_one(t, carried[NOT_CLAMPED], weights, constants, state)
        neurons = 1
    else:
        last = advance(t, stop, weights, constants, state)
    spikes = 0
    for step in range(t, last + 1):
        spikes += state.spikes_in_step[step]
    activity[ADDITIONS] += neurons * spikes
    activity[WEIGHT_READS] += neurons * spikes
    if not any_reached(state.potentials, state.thresholds):
        carried[CEILING] = min(carried[CEILING], carried[HIGHEST_THRESHOLD])
        return last, -1
    winner = find_spike(last, state)
    if winner >= 0:
        fire(last, winner, constants, state)
    return last, winner


@njit
def highest_of(numbers):
    """Return the highest of some integers."""
    highest = np.int64(numbers[0])
    for j in range(numbers.size):
        highest = max(highest, numbers[j])
    return highest


@njit
def encode_image(image, heard, key, constants, state):
    """Encode an image and leave out the spikes of pixels that are not heard; return how many spikes stay."""
    spikes_in_step, inputs = state.spikes_in_step, state.inputs
    encode(
        image,
        constants.encoder,
        constants.rate_norm_per_step,
        constants.most_spikes,
        key,
        state.probabilities,
        spikes_in_step,
        inputs,
    )
    total = 0
    for t in range(spikes_in_step.size):
        kept = 0
        for i in inputs[t, : spikes_in_step[t]]:
            if heard[i]:
                inputs[t, kept] = i
                kept += 1
        spikes_in_step[t] = kept
        total += kept
    return total


@njit
def rest(state):
    """Set the state to what it is before a presentation; thresholds are set already."""
    state.potentials[:] = 0
    state.ready_at[:] = 0
    state.partner_ready_at[:] = 0
    state.spike_counts[:] = 0
    state.spike_order[:] = -1
    state.spike_steps[:] = -1
    state.carried[:] = 0
    state.carried[PARTNER] = -1
    state.carried[HIGHEST_THRESHOLD] = max(0, highest_of(state.thresholds))


@njit
def respond_batch(
    images, stream, weights, heard, thresholds, constants, spike_counts, spike_order, spike_steps, counted
):
    """Present images with learning off.

    `weights` has a row of zeros at its end; `thresholds` has the type of the potentials. Writes
    `spike_counts` (n, n_neurons), `spike_order` and `spike_steps` (n, k; see `float_kernels.present_batch`),
    and `counted`: the activity (11,) and what was seen (3,).
    """
    activity, seen = counted
    state = make_state(
        weights.shape[0], constants.steps, spike_order.shape[1], np.zeros_like(thresholds), seen
    )
    copy(thresholds, state.thresholds)
    seen[HIGHEST] = max(seen[HIGHEST], highest_of(thresholds))
    seed, purpose, first = stream
    for m in range(images.shape[0]):
        key = stream_key(seed, purpose, first + np.uint64(m))
        input_spikes = encode_image(images[m], heard, key, constants, state)
        rest(state)
        t = np.int64(0)  # for a plain 0 Numba would compile `run` once more
        while t < constants.steps:
            last, _ = run(t, constants.steps, weights, constants, state, activity)
            t = last + 1
        count_presentation(input_spikes, state.carried[SPIKES], state.spike_counts.size, constants, activity)
        copy(state.spike_counts, spike_counts[m])
        copy(state.spike_order, spike_order[m])
        copy(state.spike_steps, spike_steps[m])
