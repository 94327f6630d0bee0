"""Kernels of the learning rules; `fspinn.network.plasticity` says what they are and where they come from."""

import numpy as np

from fspinn.base.jit import njit

NORMALISED, TIMESTEP, PAIR, POSTONLY = range(4)
"""Numbers of the rules, in the order of `fspinn.network.description.RULES`."""

BALANCED, DECAYING, NO_ADAPTATION = range(3)
"""Numbers of the adaptations, in the order of `fspinn.network.description.ADAPTATIONS`."""

NO_NORMALISATION, L1, L2 = range(3)
"""Numbers of the normalisations, in the order of `fspinn.network.description.NORMALISATIONS`."""

FLUSH = 1e-20
"""Numbers that only decay are 0 below this."""


@njit
def potentiation_factor(spikes, spike_threshold):
    """FSpiNN's ``k = ceil(spikes / spike_threshold)``; 1 where `spike_threshold` is 0 (off)."""
    if spike_threshold == 0:
        return 1
    return (spikes + spike_threshold - 1) // spike_threshold


@njit
def move_towards_input(weights, winner, input_counts, weight_norm, rate):
    """Move one neuron's weights: ``w += rate * (min(1, weight_norm * x / |x|) - w)``."""
    square = np.int64(0)
    for i in range(input_counts.size):
        square += np.int64(input_counts[i]) * np.int64(input_counts[i])
    if square == 0:
        return
    scale = weight_norm / np.sqrt(np.float64(square))
    one = weights.dtype.type(1.0)
    for i in range(input_counts.size):
        target = min(one, weights.dtype.type(input_counts[i] * scale))
        weights[i, winner] += rate * (target - weights[i, winner])


@njit
def potentiate(weights, neuron, traces, rate):
    """Raise one neuron's weights: ``w = min(1, w + rate * x_pre)``."""
    one = weights.dtype.type(1.0)
    for i in range(traces.size):
        weights[i, neuron] = min(one, weights[i, neuron] + rate * traces[i])


@njit
def power_law(weights, neuron, traces, rate, target_trace):
    """Diehl & Cook's rule (3): ``w += rate * (x_pre - x_tar) * (1 - w)``, kept in [0, 1]."""
    real = weights.dtype.type
    for i in range(traces.size):
        room = real(1.0) - weights[i, neuron]
        changed = weights[i, neuron] + rate * (traces[i] - target_trace) * room
        weights[i, neuron] = min(real(1.0), max(real(0.0), changed))


@njit
def depress_row(row, rate, traces):
    """Lower the weights of one input: ``w = max(0, w - rate * x_post)``."""
    zero = row.dtype.type(0.0)
    for j in range(row.size):
        row[j] = max(zero, row[j] - rate * traces[j])


@njit
def depress_all(weights, traces, rate):
    """Lower the weights of inputs that have a trace, ``w = max(0, w - rate * x_pre)``; return how many."""
    zero = weights.dtype.type(0.0)
    changed = 0
    for i in range(traces.size):
        if traces[i] > 0:
            loss = rate * traces[i]
            row = weights[i]
            for j in range(row.size):
                row[j] = max(zero, row[j] - loss)
            changed += row.size
    return changed


@njit
def decay_traces(traces, leak):
    """Let traces decay; below 1e-20 they are set to 0, as denormal numbers are slow."""
    zero = traces.dtype.type(0.0)
    least = traces.dtype.type(FLUSH)
    for i in range(traces.size):
        decayed = traces[i] * leak
        traces[i] = decayed if decayed >= least else zero


@njit
def raise_trace(traces, index):
    """Let a trace rise by 1, at a spike."""
    traces[index] += traces.dtype.type(1.0)


@njit
def shift_thresholds(theta, winner, step, lowest):
    """Raise the winner's threshold by `step`, lower all by an N-th of it: their mean stays."""
    lower_thresholds(theta, step / theta.size, lowest)
    theta[winner] += step


@njit
def lower_thresholds(theta, fall, lowest):
    """Lower all thresholds, but none below the lowest: ``theta = max(theta - fall, lowest)``."""
    fall = theta.dtype.type(fall)
    for j in range(theta.size):
        theta[j] = max(theta[j] - fall, lowest)


@njit
def fall_after_silence(step, potentials, firing_threshold, has_input, earlier_spikes):
    """Return by how much thresholds fall after a presentation without an output spike.

    Before the first one of all, by the step if there was input. Later by the step if some potential is at the
    firing threshold, and by an N-th of it if one is at half.
    """
    if earlier_spikes == 0:
        return step if has_input else 0.0
    highest = potentials[0]
    for j in range(potentials.size):
        highest = max(highest, potentials[j])
    if highest >= firing_threshold:
        return step
    return step / potentials.size if highest >= firing_threshold / 2 else 0.0


@njit
def decay_all(values, kept):
    """Multiply all numbers by `kept`."""
    flat = values.reshape(-1)
    for i in range(flat.size):
        flat[i] *= kept


@njit
def normalise(weights, kind, goal, scales):
    """Rescale each neuron's weights to the sum (L1) or the Euclidean norm (L2) `goal`; at most 1 each.

    `scales` (n_neurons, float64) is working memory. A neuron whose weights are all 0 is left alone.
    """
    one = weights.dtype.type(1.0)
    scales[:] = 0.0
    for i in range(weights.shape[0]):
        row = weights[i]
        if kind == L1:
            for j in range(row.size):
                scales[j] += np.float64(row[j])
        else:
            for j in range(row.size):
                scales[j] += np.float64(row[j]) * np.float64(row[j])
    for j in range(scales.size):
        size = scales[j] if kind == L1 else np.sqrt(scales[j])
        scales[j] = goal / size if size > 0 else 1.0
    for i in range(weights.shape[0]):
        row = weights[i]
        for j in range(row.size):
            row[j] = min(one, weights.dtype.type(row[j] * scales[j]))
