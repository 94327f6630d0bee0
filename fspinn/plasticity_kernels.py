"""Kernels of the learning rule; `fspinn.plasticity` says what it is and where it comes from."""

import numpy as np

from fspinn.jit import njit


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
def shift_thresholds(theta, winner, step):
    """Raise the winner's threshold by `step`, lower all by an N-th of it: their mean stays."""
    share = theta.dtype.type(step / theta.size)
    for j in range(theta.size):
        theta[j] -= share
    theta[winner] += step


@njit
def lower_thresholds(theta, step):
    """Lower all thresholds by `step`."""
    for j in range(theta.size):
        theta[j] -= step
