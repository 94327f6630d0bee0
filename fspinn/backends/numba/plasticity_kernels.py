"""Kernels of learning in reals; `fspinn.network.rules` says what the rules are."""

import numpy as np

from fspinn.backends.numba.constants_kernels import (
    L1,
    NO_NORMALISATION,
    NORMALISED,
    PAIR,
    POSTONLY,
    SPIKED,
    TRACED,
)
from fspinn.base.jit import njit

FLUSH = 1e-20
"""Numbers that only decay are 0 below this."""


@njit
def move_towards_input(weights, winner, factor, rate, place, learning, state):
    """Rule `normalised`: ``w += k * rate * (min(1, weight_norm * x / |x|) - w)``, k rate at most 1."""
    real, counts = weights.dtype.type, state.window_counts
    square = np.int64(0)
    for i in range(counts.size):
        square += np.int64(counts[i]) * np.int64(counts[i])
    scale = learning.weight_norm / np.sqrt(np.float64(square))
    one = real(1.0)
    rate = min(one, real(factor) * rate)
    for i in range(counts.size):
        target = min(one, real(counts[i] * scale))
        weights[i, winner] += rate * (target - weights[i, winner])


@njit
def raise_weights(weights, neuron, traces, places, rate):
    """Raise one neuron's weights: ``w = min(1, w + rate * x_pre)``."""
    one = weights.dtype.type(1.0)
    for i in range(places.size):
        weights[i, neuron] = min(one, weights[i, neuron] + rate * traces[places[i]])


@njit
def potentiate(weights, winner, factor, rate, place, learning, state):
    """Rule `timestep` for the winner: its weights rise with k times the rate."""
    raise_weights(weights, winner, state.pre_traces, state.places, weights.dtype.type(factor) * rate)


@njit
def power_law(weights, neuron, traces, places, rate, target_trace):
    """Diehl & Cook's rule (3): ``w += rate * (x_pre - x_tar) * (1 - w)``, kept in [0, 1]."""
    real = weights.dtype.type
    for i in range(places.size):
        left = real(1.0) - weights[i, neuron]
        changed = weights[i, neuron] + rate * (traces[places[i]] - target_trace) * left
        weights[i, neuron] = min(real(1.0), max(real(0.0), changed))


@njit
def depress_row(weights, i, rate, traces, spiked, count):
    """Lower the weights of one input to the first `count` of `spiked`: ``w = max(0, w - rate * x_post)``."""
    zero = weights.dtype.type(0.0)
    for k in range(count):
        weights[i, spiked[k]] = max(zero, weights[i, spiked[k]] - rate * traces[k])


@njit
def depress_all(weights, place, learning, state):
    """Lower the weights of inputs that have a trace, ``w = max(0, w - rate * x_pre)``; return how many."""
    zero, traces, places = weights.dtype.type(0.0), state.pre_traces, state.places
    rows = 0
    for i in range(places.size):
        if traces[places[i]] > 0:
            loss = learning.depression * traces[places[i]]
            for j in range(weights.shape[1]):
                weights[i, j] = max(zero, weights[i, j] - loss)
            rows += 1
    return rows


@njit
def decay_traces(traces, stop, leak):
    """Let traces before place `stop` decay; below 1e-20 they are set to 0, as denormal numbers are slow."""
    zero = traces.dtype.type(0.0)
    least = traces.dtype.type(FLUSH)
    for k in range(stop):
        decayed = traces[k] * leak
        traces[k] = decayed if decayed >= least else zero


@njit
def decay_listed(traces, listed, count, leak):
    """Let the traces of the first `count` listed neurons decay; return how many stay listed, not being 0."""
    least = traces.dtype.type(FLUSH)
    kept = 0
    for k in range(count):
        decayed = traces[k] * leak
        if decayed >= least:
            traces[kept], listed[kept] = decayed, listed[k]
            kept += 1
    return kept


@njit
def follow_step(t, starts, inputs, weights, learning, state):
    """If the rule has traces, let them decay, and add 1 for each input spike of step t.

    The rule `pair` also lowers the weights of the inputs that spike.
    """
    if not learning.on or learning.rule == NORMALISED:
        return
    traces, places, carried = state.pre_traces, state.places, state.carried
    traced = carried[TRACED]
    decay_traces(traces, traced + 1, learning.trace_leak)
    for e in range(starts[t], starts[t + 1]):
        k = np.int64(places[inputs[e]])
        if k == 0:
            traced += 1
            k = traced
            places[inputs[e]] = k
        traces[k] += traces.dtype.type(1.0)
    carried[TRACED] = traced
    if learning.rule == PAIR and carried[SPIKED] > 0:
        count = decay_listed(state.post_traces, state.spiked, carried[SPIKED], learning.trace_leak)
        for e in range(starts[t], starts[t + 1]):
            depress_row(weights, inputs[e], learning.depression, state.post_traces, state.spiked, count)
        carried[SPIKED] = count


@njit
def raise_listed(traces, listed, neuron, carried):
    """Let the trace of a neuron rise by 1; one that is not listed yet comes last."""
    k, one = 0, traces.dtype.type(1.0)
    while k < carried[SPIKED] and listed[k] != neuron:
        k += 1
    if k == carried[SPIKED]:
        traces[k], listed[k] = one, neuron
        carried[SPIKED] += 1
    else:
        traces[k] += one


@njit
def learn_from_spike(weights, winner, rate, place, learning, state):
    """Rules `pair`, for which the trace of the neuron then rises by 1, and `postonly`."""
    if learning.rule == PAIR:
        raise_weights(weights, winner, state.pre_traces, state.places, rate)
        raise_listed(state.post_traces, state.spiked, winner, state.carried)
    elif learning.rule == POSTONLY:
        power_law(weights, winner, state.pre_traces, state.places, rate, learning.target_trace)


@njit
def raise_theta(theta, neuron, step, learning):
    """Raise the threshold of one neuron."""
    theta[neuron] += step


@njit
def part_of_step(step, neurons, learning):
    """Return an N-th of a step."""
    return step / neurons


@njit
def share_of_target(step, neurons, learning):
    """Return what theta rises by if a neuron spikes as often as it should: ``step * target_spikes / N``."""
    return step * learning.target_spikes / neurons


@njit
def lower_theta(theta, fall, learning):
    """Lower all thresholds, but none below the lowest: ``theta = max(theta - fall, lowest)``."""
    fall = theta.dtype.type(fall)
    for j in range(theta.size):
        theta[j] = max(theta[j] - fall, learning.lowest_theta)


@njit
def decay_all(values, kept):
    """Multiply all numbers by `kept`."""
    flat = values.reshape(-1)
    for i in range(flat.size):
        flat[i] *= kept


@njit
def decay_theta(theta, learning):
    """Let theta decay over a presentation."""
    decay_all(theta, learning.theta_decay)


@njit
def tidy_weights(weights, learning, state):
    """Weight decay and normalisation at the end of a presentation; return which of them are on."""
    decays, normalises = learning.weight_kept < 1, learning.normalisation != NO_NORMALISATION
    if decays:
        decay_all(weights, learning.weight_kept)
    if normalises:
        normalise(weights, learning.normalisation, learning.normalisation_goal, state.scales)
    return decays, normalises


@njit
def normalise(weights, kind, goal, scales):
    """Rescale each neuron's weights to the sum (L1) or the Euclidean norm (L2) `goal`; at most 1 each.

    `scales` (n_neurons, float64) is working memory. A neuron whose weights are all 0 is left alone.
    """
    one, rows = weights.dtype.type(1.0), weights.shape[0]
    for j in range(scales.size):
        scales[j] = 0.0
    fours = rows - rows % 4 if kind == L1 else 0  # four rows a pass, each sum still one by one
    for i in range(0, fours, 4):
        for j in range(scales.size):
            total = (scales[j] + np.float64(weights[i, j])) + np.float64(weights[i + 1, j])
            scales[j] = (total + np.float64(weights[i + 2, j])) + np.float64(weights[i + 3, j])
    for i in range(fours, rows):
        if kind == L1:
            for j in range(scales.size):
                scales[j] += np.float64(weights[i, j])
        else:
            for j in range(scales.size):
                scales[j] += np.float64(weights[i, j]) * np.float64(weights[i, j])
    for j in range(scales.size):
        size = scales[j] if kind == L1 else np.sqrt(scales[j])
        scales[j] = goal / size if size > 0 else 1.0
    for i in range(weights.shape[0]):
        for j in range(scales.size):
            weights[i, j] = min(one, weights.dtype.type(weights[i, j] * scales[j]))
