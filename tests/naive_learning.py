"""Slow, obvious twins of rules and adaptations: one function per sentence of `fspinn.network.plasticity`."""

import numpy as np


def potentiation_factor(spikes, spike_threshold):
    return 1 if spike_threshold is None else int(np.ceil(spikes / spike_threshold))


def move_towards_input(weights, winner, counts, weight_norm, rate):
    """Move the winner's weights, in single precision.

    Returns whether there was an input to move towards.
    """
    norm = np.sqrt(float((counts.astype(np.int64) ** 2).sum()))
    if norm == 0:
        return False
    for i, count in enumerate(counts):
        target = min(np.float32(1), np.float32(count * (np.float64(weight_norm) / norm)))
        weights[i, winner] += np.float32(rate) * (target - weights[i, winner])
    return True


def within_bounds(weight):
    return min(np.float32(1), max(np.float32(0), weight))


def potentiate(weights, neuron, traces, rate):
    """Each weight of one neuron rises by the rate times the trace of its input."""
    for i in range(traces.size):
        weights[i, neuron] = within_bounds(weights[i, neuron] + np.float32(rate) * traces[i])


def power_law(weights, neuron, traces, rate, target_trace):
    """Diehl & Cook's equation 3 with w_max = 1 and mu = 1."""
    for i in range(traces.size):
        room = np.float32(1) - weights[i, neuron]
        change = np.float32(rate) * (traces[i] - np.float32(target_trace)) * room
        weights[i, neuron] = within_bounds(weights[i, neuron] + change)


def depress_input(weights, i, rate, post_traces):
    """At a spike of input i each of its weights falls by the rate times the trace of its neuron."""
    for j in range(post_traces.size):
        weights[i, j] = within_bounds(weights[i, j] - np.float32(rate) * post_traces[j])


def depress_window(weights, pre_traces, rate):
    """Each weight falls by the rate times the trace of its input."""
    for i in range(pre_traces.size):
        depress_input(weights, i, rate, np.full(weights.shape[1], pre_traces[i]))


def decay_traces(traces, kept):
    traces *= kept
    traces[traces < np.float32(1e-20)] = 0


def raise_trace(traces, index):
    traces[index] += 1


def decay_weights(network, weights):
    weights *= np.float32(1.0 - network.weight_decay)


def goal_of(network, n_inputs):
    """Size of each neuron's weights after normalisation."""
    if network.normalisation == "l2":
        return float(network.weight_norm)
    return 0.1 * n_inputs


def normalise(weights, kind, goal):
    """Rescale each column, in double precision, to its goal; all-zero ones stay, no weight exceeds 1."""
    for j in range(weights.shape[1]):
        column = [float(weight) for weight in weights[:, j]]
        size = sum(column) if kind == "l1" else np.sqrt(sum(weight * weight for weight in column))
        if size > 0:
            weights[:, j] = [within_bounds(np.float32(weight * (goal / size))) for weight in column]


def tidy_weights(network, weights):
    """Decay, then normalisation. Returns whether each was on."""
    if network.weight_decay > 0:
        decay_weights(network, weights)
    if network.normalisation != "off":
        normalise(weights, network.normalisation, goal_of(network, len(weights)))
    return network.weight_decay > 0, network.normalisation != "off"


def lowest_theta(network):
    """A 64th of the firing threshold is left."""
    return np.float32(-63 / 64 * network.threshold * network.weight_norm)


def shift_thresholds(network, theta, winner, step):
    lower_thresholds(network, theta, step / np.float32(theta.size))
    theta[winner] += step


def lower_thresholds(network, theta, fall):
    theta[:] = np.maximum(theta - fall, lowest_theta(network))


def fall_after_silence(network, earlier_spikes, has_input, potentials, step):
    """By how much all thresholds fall where no neuron spiked in a presentation."""
    if earlier_spikes == 0:
        return step if has_input else np.float32(0)
    if network.field is not None:
        return np.float32(0)
    if any(potential >= np.float32(network.firing_threshold) for potential in potentials):
        return step
    near = any(potential >= np.float32(network.firing_threshold) / 2 for potential in potentials)
    return step / np.float32(potentials.size) if near else np.float32(0)


def raise_threshold(theta, neuron, step):
    theta[neuron] += step


def decay_thresholds(network, theta):
    theta *= np.float32(np.exp(-network.duration_ms / network.theta_tau_ms))


def fall_to_target(network, theta, step):
    """All thresholds fall by what they rise by if their neurons spike as often as they should."""
    lower_thresholds(network, theta, step * np.float32(network.target_spikes) / np.float32(theta.size))


def annealed(start, end, number, total):
    return start + (end - start) * (number / max(total - 1, 1))
