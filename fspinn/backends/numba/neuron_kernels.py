"""Kernels of the neurons: what a time step does to potentials, in the order that `fspinn.network` states."""

from fspinn.backends.numba.plasticity_kernels import FLUSH
from fspinn.base.jit import njit


@njit
def integrate(potentials, weights, inputs, leak):
    """Leak and input: ``v = leak * v + sum of the rows of the inputs that spike``, row after row.

    Four rows are added in one pass over the potentials; each potential still sees them one by one.
    """
    n = potentials.size
    first = inputs.size % 4
    if first == 0:
        for j in range(n):
            potentials[j] *= leak
    elif first == 1:
        a = weights[inputs[0]]
        for j in range(n):
            potentials[j] = potentials[j] * leak + a[j]
    elif first == 2:
        a, b = weights[inputs[0]], weights[inputs[1]]
        for j in range(n):
            potentials[j] = (potentials[j] * leak + a[j]) + b[j]
    else:
        a, b, c = weights[inputs[0]], weights[inputs[1]], weights[inputs[2]]
        for j in range(n):
            potentials[j] = ((potentials[j] * leak + a[j]) + b[j]) + c[j]
    for e in range(first, inputs.size, 4):
        a, b = weights[inputs[e]], weights[inputs[e + 1]]
        c, d = weights[inputs[e + 2]], weights[inputs[e + 3]]
        for j in range(n):
            potentials[j] = (((potentials[j] + a[j]) + b[j]) + c[j]) + d[j]


@njit
def flush(potentials):
    """Set potentials below 1e-20 in size to 0, as denormal numbers are slow."""
    zero = potentials.dtype.type(0.0)
    least = potentials.dtype.type(FLUSH)
    for j in range(potentials.size):
        if abs(potentials[j]) < least:
            potentials[j] = zero


@njit
def find_spike(potentials, thresholds, ready_at, t):
    """Return the neuron furthest above its threshold, the first among equals, or -1 if there is none."""
    reached = False
    for j in range(potentials.size):
        reached |= potentials[j] >= thresholds[j]
    winner = -1
    if not reached:
        return winner
    best = potentials[0]
    for j in range(potentials.size):
        excess = potentials[j] - thresholds[j]
        if excess >= 0 and ready_at[j] <= t and (winner < 0 or excess > best):
            winner = j
            best = excess
    return winner


@njit
def most_active(spike_counts):
    """Return the neuron with the most output spikes, the first among equals."""
    winner = 0
    for j in range(spike_counts.size):
        if spike_counts[j] > spike_counts[winner]:
            winner = j
    return winner


@njit
def copy(numbers, to):
    """Copy an array; Numba compiles this much faster than ``to[:] = numbers``."""
    for j in range(numbers.size):
        to[j] = numbers[j]


@njit
def set_thresholds(thresholds, firing_threshold, theta):
    """What each neuron's potential has to reach: ``firing_threshold + theta``."""
    for j in range(thresholds.size):
        thresholds[j] = firing_threshold + theta[j]


@njit
def integrate_one(potentials, weights, inputs, leak, neuron):
    """Leak and input for one neuron, while all others are clamped at 0."""
    potentials[neuron] *= leak
    for i in inputs:
        potentials[neuron] += weights[i, neuron]


@njit
def take_toll(potentials, spared, fixed, part):
    """Take ``fixed + part * v`` from all potentials but one."""
    kept = potentials[spared]
    for j in range(potentials.size):
        v = potentials[j]
        potentials[j] = v - (fixed + part * v)
    potentials[spared] = kept
