"""Kernels of learning in whole numbers: weights never leave their format.

`fspinn.lowering.integers` defines what is computed, `fspinn.network` in which order.
"""

from collections import namedtuple

import numpy as np

from fspinn.backends.numba.integer_kernels import (
    HIGHEST,
    HIGHEST_THRESHOLD,
    SPIKES,
    cut,
    encode_image,
    highest_of,
    make_state,
    rest,
    run,
)
from fspinn.backends.numba.neuron_kernels import copy, most_active
from fspinn.backends.numba.plasticity_kernels import (
    BALANCED,
    DECAYING,
    NORMALISED,
    TIMESTEP,
    potentiation_factor,
)
from fspinn.backends.numba.window_kernels import (
    THRESHOLD_UPDATES,
    WEIGHT_READS,
    WEIGHT_WRITES,
    WINDOWS,
    count_presentation,
)
from fspinn.base.jit import njit
from fspinn.network.encoder_kernels import mix, stream_key

Teaching = namedtuple(
    "Teaching",
    "rule window_steps spike_threshold adaptation rounding "
    "weight_fraction highest_weight norm depression trace_fraction trace_leak "
    "firing_threshold theta_shift lowest_theta theta_decay",
)
"""Numbers of learning that do not change during a run."""

TRUNCATE, NEAREST, STOCHASTIC = range(3)
"""Numbers of the roundings, in the order of `fspinn.quant.formats.ROUNDINGS`."""

RATE_BITS = 20
"""Fraction bits of learning rates."""

TARGET_BITS = 12
"""Fraction bits of the target of a weight, beyond those of weights."""

CHANGE_BITS = RATE_BITS + TARGET_BITS
"""Fraction bits of the change of a weight, beyond those of weights."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@njit
def random_word(key, element):
    """Return a word of a stream (see `fspinn.base.randomness`)."""
    return mix(key + (np.uint64(element) + np.uint64(1)) * _GOLDEN)


@njit
def rounded(number, rounding, key, element):
    """Return a number without its lowest 32 bits, rounded; `element` is the place of its random word."""
    whole = number >> CHANGE_BITS
    if rounding == TRUNCATE:
        return whole
    if rounding == STOCHASTIC:
        return (number + np.int64(random_word(key, element) >> np.uint64(32))) >> CHANGE_BITS
    half = np.int64(1) << (CHANGE_BITS - 1)
    rest = number - (whole << CHANGE_BITS)
    if rest > half or (rest == half and whole % 2 == 1):
        whole += 1
    return whole


@njit
def change_weight(weights, i, j, change, window, teaching, key):
    """Add a change to one weight, round once, and keep it in [0, highest]."""
    n_inputs, n_neurons = weights.shape[0] - 1, weights.shape[1]
    element = (window * n_inputs + i) * n_neurons + j
    number = (np.int64(weights[i, j]) << CHANGE_BITS) + change
    weights[i, j] = min(max(rounded(number, teaching.rounding, key, element), 0), teaching.highest_weight)


@njit
def isqrt(number):
    """Return the whole part of a square root, digit by binary digit."""
    root = np.int64(0)
    bit = np.int64(1) << 62
    while bit > 0:
        if number >= root + bit:
            number -= root + bit
            root = (root >> 1) + bit
        else:
            root >>= 1
        bit >>= 2
    return root


@njit
def move_towards_input(weights, winner, counts, rate, window, teaching, key):
    """Rule `normalised` for the winner; return how many weights were changed."""
    square = np.int64(0)
    for i in range(counts.size):
        square += counts[i] * counts[i]
    if square == 0:
        return 0
    root = isqrt(square << 16)
    unit = ((teaching.norm << 8) + (root >> 1)) // root
    one = np.int64(1) << (teaching.weight_fraction + TARGET_BITS)
    rate = min(rate, 1 << RATE_BITS)
    for i in range(counts.size):
        target = min(one, counts[i] * unit)
        gap = target - (np.int64(weights[i, winner]) << TARGET_BITS)
        change_weight(weights, i, winner, rate * gap, window, teaching, key)
    return counts.size


@njit
def potentiate(weights, winner, traces, rate, window, teaching, key):
    """Rule `timestep` for the winner; return how many weights were changed."""
    shift = TARGET_BITS + teaching.weight_fraction - teaching.trace_fraction
    # More than brings any weight to the highest would only leave the 64 bits.
    most = (np.int64(1) << 41) >> shift
    for i in range(traces.size):
        change_weight(weights, i, winner, min(rate * traces[i], most) << shift, window, teaching, key)
    return traces.size


@njit
def depress_all(weights, traces, window, teaching, key):
    """Rule `timestep` in a window without an output spike; return how many weights were changed."""
    shift = TARGET_BITS + teaching.weight_fraction - teaching.trace_fraction
    changed = 0
    for i in range(traces.size):
        if traces[i] > 0:
            loss = (teaching.depression * traces[i]) << shift
            for j in range(weights.shape[1]):
                change_weight(weights, i, j, -loss, window, teaching, key)
            changed += weights.shape[1]
    return changed


@njit
def follow_inputs(t, traces, teaching, state):
    """Let traces decay, and rise with the input spikes of a step."""
    for i in range(traces.size):
        traces[i] -= (traces[i] * teaching.trace_leak + 65535) >> 16
    for i in state.inputs[t, : state.spikes_in_step[t]]:
        traces[i] += 1 << teaching.trace_fraction


@njit
def count_inputs(start, stop, counts, state):
    """Count the spikes of each input in a window."""
    counts[:] = 0
    for t in range(start, stop):
        for i in state.inputs[t, : state.spikes_in_step[t]]:
            counts[i] += 1


@njit
def set_thresholds(theta, teaching, constants, state):
    """Set what each neuron's potential has to reach."""
    half = np.int64(1) << (teaching.theta_shift - 1)
    for j in range(theta.size):
        threshold = teaching.firing_threshold + ((theta[j] + half) >> teaching.theta_shift)
        state.thresholds[j] = cut(threshold, constants, state.seen)
    highest = highest_of(state.thresholds)
    state.carried[HIGHEST_THRESHOLD] = max(0, highest)
    state.seen[HIGHEST] = max(state.seen[HIGHEST], highest)


@njit
def shift_theta(theta, j, by):
    """Add to one theta; what leaves 32 bits stays at their end."""
    theta[j] = min(max(np.int64(theta[j]) + by, -(1 << 31)), (1 << 31) - 1)


@njit
def nth_of(theta_step, n_neurons):
    """Return an N-th of a step, rounded."""
    return (theta_step + n_neurons // 2) // n_neurons


@njit
def lower_theta(theta, fall, lowest):
    """Lower all thresholds, but none below the lowest."""
    for j in range(theta.size):
        theta[j] = max(np.int64(theta[j]) - fall, lowest)


@njit
def fall_after_silence(input_spikes, earlier_spikes, theta_step, teaching, state):
    """Return by how much all thresholds fall after a presentation without an output spike."""
    if earlier_spikes == 0:
        return theta_step if input_spikes > 0 else 0
    highest = np.int64(state.potentials.max())
    if highest >= teaching.firing_threshold:
        return theta_step
    return nth_of(theta_step, state.potentials.size) if 2 * highest >= teaching.firing_threshold else 0


@njit
def end_window(
    start, stop, window, spikes, weights, theta, memory, now, teaching, constants, state, activity
):
    """Phase 7: what is learned at the end of a window with so many output spikes."""
    counts, traces = memory
    rate, theta_step, key = now
    activity[WINDOWS] += 1
    changed = 0
    if spikes > 0:
        winner = most_active(state.spike_counts)
        rate = potentiation_factor(state.spike_counts[winner], teaching.spike_threshold) * rate
        if teaching.rule == NORMALISED:
            count_inputs(start, stop, counts, state)
            changed = move_towards_input(weights, winner, counts, rate, window, teaching, key)
        else:
            changed = potentiate(weights, winner, traces, rate, window, teaching, key)
        if teaching.adaptation == BALANCED:
            lower_theta(theta, nth_of(theta_step, theta.size), teaching.lowest_theta)
            shift_theta(theta, winner, theta_step)
            set_thresholds(theta, teaching, constants, state)
            activity[THRESHOLD_UPDATES] += theta.size
    elif teaching.rule == TIMESTEP:
        changed = depress_all(weights, traces, window, teaching, key)
    activity[WEIGHT_READS] += changed
    activity[WEIGHT_WRITES] += changed


@njit
def end_presentation(input_spikes, earlier_spikes, theta, theta_step, teaching, state, activity):
    """What changes once per presentation: thresholds after silence, and theta decays."""
    if teaching.adaptation == BALANCED and state.carried[SPIKES] == 0:
        fall = fall_after_silence(input_spikes, earlier_spikes, theta_step, teaching, state)
        if fall > 0:
            lower_theta(theta, fall, teaching.lowest_theta)
            activity[THRESHOLD_UPDATES] += theta.size
    if teaching.adaptation == DECAYING:
        for j in range(theta.size):
            shift_theta(theta, j, -((theta[j] * teaching.theta_decay) >> 30))
        activity[THRESHOLD_UPDATES] += theta.size


@njit
def learn_batch(
    images,
    streams,
    earlier_spikes,
    weights,
    theta,
    schedule,
    teaching,
    constants,
    potentials,
    spike_counts,
    counted,
):
    """Present images one after the other with learning on; `weights` and `theta` change in place.

    `weights` has a row of zeros at its end; `streams`: seed, purpose of input spikes, number of the first
    presentation, purpose of rounding; `earlier_spikes`: output spikes before; `schedule` (2, n):
    learning rate and threshold step of each presentation; `potentials` lend their type. Writes
    `spike_counts` (n, n_neurons) and `counted`: the activity (11,) and what was seen (3,).
    """
    activity, seen = counted
    no_order = np.int64(0)  # for a plain 0 Numba would compile `make_state` once more
    state = make_state(weights.shape[0], constants.steps, no_order, potentials, seen)
    n_inputs = weights.shape[0] - 1
    heard = np.ones(n_inputs, dtype=np.bool_)
    traces = np.zeros(n_inputs, dtype=np.int64)
    memory = (np.zeros(n_inputs, dtype=np.int64), traces)
    seed, spike_purpose, first, rounding_purpose = streams
    traced = teaching.rule == TIMESTEP
    for m in range(images.shape[0]):
        number = first + np.uint64(m)
        input_spikes = encode_image(
            images[m], heard, stream_key(seed, spike_purpose, number), constants, state
        )
        now = (schedule[0, m], schedule[1, m], stream_key(seed, rounding_purpose, number))
        rest(state)
        set_thresholds(theta, teaching, constants, state)
        traces[:] = 0
        for window, start in enumerate(range(0, constants.steps, teaching.window_steps)):
            stop = min(start + teaching.window_steps, constants.steps)
            spikes_before = state.carried[SPIKES]
            t = start
            while t < stop:
                last, winner = run(t, t + 1 if traced else stop, weights, constants, state, activity)
                if traced:
                    follow_inputs(t, traces, teaching, state)
                if winner >= 0 and teaching.adaptation == DECAYING:
                    shift_theta(theta, winner, now[1])
                    set_thresholds(theta, teaching, constants, state)
                    activity[THRESHOLD_UPDATES] += 1
                t = last + 1
            spikes = state.carried[SPIKES] - spikes_before
            end_window(
                start, stop, window, spikes, weights, theta, memory, now, teaching, constants, state, activity
            )
        end_presentation(input_spikes, earlier_spikes, theta, now[1], teaching, state, activity)
        earlier_spikes += state.carried[SPIKES]
        count_presentation(input_spikes, state.carried[SPIKES], state.spike_counts.size, constants, activity)
        copy(state.spike_counts, spike_counts[m])
