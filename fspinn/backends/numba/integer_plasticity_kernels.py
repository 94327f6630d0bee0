"""Kernels of learning in integers: weights never leave their format.

`fspinn.lowering.integers` defines what is computed.
"""

import numpy as np

from fspinn.backends.numba.constants_kernels import TIMESTEP
from fspinn.base.jit import njit
from fspinn.network.encoder_kernels import mix

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
def change_weight(weights, i, j, change, place, learning):
    """Add a change to one weight, round once, and keep it in [0, highest]."""
    window, key = place
    n_inputs, n_neurons = weights.shape[0] - 1, weights.shape[1]
    element = (window * n_inputs + i) * n_neurons + j
    number = (np.int64(weights[i, j]) << CHANGE_BITS) + change
    weights[i, j] = min(max(rounded(number, learning.rounding, key, element), 0), learning.highest_weight)


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
def move_towards_input(weights, winner, factor, rate, place, learning, state):
    """Rule `normalised` for the winner."""
    counts = state.window_counts
    square = np.int64(0)
    for i in range(counts.size):
        square += np.int64(counts[i]) * np.int64(counts[i])
    root = isqrt(square << 16)
    unit = ((learning.norm << 8) + (root >> 1)) // root
    one = np.int64(1) << (learning.weight_fraction + TARGET_BITS)
    rate = min(factor * rate, 1 << RATE_BITS)
    for i in range(counts.size):
        target = min(one, counts[i] * unit)
        gap = target - (np.int64(weights[i, winner]) << TARGET_BITS)
        change_weight(weights, i, winner, rate * gap, place, learning)


@njit
def potentiate(weights, winner, factor, rate, place, learning, state):
    """Rule `timestep` for the winner."""
    traces, rate = state.pre_traces, factor * rate
    shift = TARGET_BITS + learning.weight_fraction - learning.trace_fraction
    # More than brings any weight to the highest would only leave the 64 bits.
    most = (np.int64(1) << 41) >> shift
    for i in range(traces.size):
        change_weight(weights, i, winner, min(rate * traces[i], most) << shift, place, learning)


@njit
def depress_all(weights, place, learning, state):
    """Rule `timestep` in a window without an output spike; return how many rows were changed."""
    traces = state.pre_traces
    shift = TARGET_BITS + learning.weight_fraction - learning.trace_fraction
    rows = 0
    for i in range(traces.size):
        if traces[i] > 0:
            loss = (learning.depression * traces[i]) << shift
            for j in range(weights.shape[1]):
                change_weight(weights, i, j, -loss, place, learning)
            rows += 1
    return rows


@njit
def follow_step(t, starts, inputs, learning, state):
    """If the rule has traces, let them decay, and rise with the input spikes of step t."""
    if learning is not None and learning.rule == TIMESTEP:
        traces, leak = state.pre_traces, learning.trace_leak
        for i in range(traces.size):
            traces[i] -= (traces[i] * leak + 65535) >> 16
        for e in range(starts[t], starts[t + 1]):
            traces[inputs[e]] += 1 << learning.trace_fraction


@njit
def learn_from_spike(weights, winner, rate, place, learning, state):
    """No rule in integers changes weights at a spike."""


@njit
def raise_theta(theta, neuron, step, learning):
    """Add to one theta; what leaves 32 bits stays at their end."""
    theta[neuron] = min(max(np.int64(theta[neuron]) + step, -(1 << 31)), (1 << 31) - 1)


@njit
def part_of_step(step, neurons, learning):
    """Return an N-th of a step, rounded."""
    return (step + neurons // 2) // neurons


@njit
def share_of_target(step, neurons, learning):
    """Return what theta rises by if a neuron spikes as often as it should, rounded."""
    return (step * learning.target_spikes + (neurons << 15)) // (neurons << 16)


@njit
def lower_theta(theta, fall, learning):
    """Lower all thresholds, but none below the lowest."""
    for j in range(theta.size):
        theta[j] = max(np.int64(theta[j]) - fall, learning.lowest_theta)


@njit
def decay_theta(theta, learning):
    """Let theta decay over a presentation."""
    for j in range(theta.size):
        raise_theta(theta, j, -((theta[j] * learning.theta_decay) >> 30), learning)


@njit
def tidy_weights(weights, learning, state):
    """Neither weight decay nor normalisation in integers."""
    return False, False
