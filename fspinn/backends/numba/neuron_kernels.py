"""Kernels of neurons in reals: what a time step does to potentials, as `fspinn.network` states."""

from fspinn.backends.numba.constants_kernels import TRACED
from fspinn.backends.numba.plasticity_kernels import FLUSH, follow_step
from fspinn.base.jit import njit


@njit
def clear(numbers):
    """Set all to 0; Numba compiles this much faster than ``numbers[:] = 0``."""
    for j in range(numbers.size):
        numbers[j] = 0


@njit
def forget_traces(state):
    """Set all traces to 0, if there are any."""
    if state.carried[TRACED] > 0:
        clear(state.pre_traces)
        clear(state.places)


@njit
def any_reached(potentials, thresholds):
    """Return whether any potential has reached its threshold."""
    reached = False
    for j in range(potentials.size):
        reached |= potentials[j] >= thresholds[j]
    return reached


@njit
def integrate(potentials, weights, inputs, start, stop, leak, thresholds):
    """Leak and input: ``v = leak * v + sum of the rows of the inputs that spike``, row after row.

    Four rows of ``inputs[start:stop]`` are added in one pass over the potentials; each potential still sees
    them one by one. Returns whether any potential has reached its threshold: found out in the last pass.
    """
    n = potentials.size
    first = (stop - start) % 4
    if first == 0:
        for j in range(n):
            potentials[j] *= leak
    elif first == 1:
        a = inputs[start]
        for j in range(n):
            potentials[j] = potentials[j] * leak + weights[a, j]
    elif first == 2:
        a, b = inputs[start], inputs[start + 1]
        for j in range(n):
            potentials[j] = (potentials[j] * leak + weights[a, j]) + weights[b, j]
    else:
        a, b, c = inputs[start], inputs[start + 1], inputs[start + 2]
        for j in range(n):
            potentials[j] = ((potentials[j] * leak + weights[a, j]) + weights[b, j]) + weights[c, j]
    for e in range(start + first, stop - 4, 4):
        a, b, c, d = inputs[e], inputs[e + 1], inputs[e + 2], inputs[e + 3]
        for j in range(n):
            v = ((potentials[j] + weights[a, j]) + weights[b, j]) + weights[c, j]
            potentials[j] = v + weights[d, j]
    if stop - start < 4:
        return any_reached(potentials, thresholds)
    a, b, c, d = inputs[stop - 4], inputs[stop - 3], inputs[stop - 2], inputs[stop - 1]
    reached = False
    for j in range(n):
        v = (((potentials[j] + weights[a, j]) + weights[b, j]) + weights[c, j]) + weights[d, j]
        potentials[j] = v
        reached |= v >= thresholds[j]
    return reached


@njit
def flush(potentials):
    """Set potentials below 1e-20 in size to 0, as denormal numbers are slow."""
    zero = potentials.dtype.type(0.0)
    least = potentials.dtype.type(FLUSH)
    for j in range(potentials.size):
        if abs(potentials[j]) < least:
            potentials[j] = zero


@njit
def advance(t, stop, starts, inputs, weights, constants, learning, state):
    """Take time steps up to phase 4 until a potential has reached its threshold; traces follow.

    Returns the last step, and whether one has.
    """
    potentials, thresholds, leak = state.potentials, state.thresholds, constants.leak
    for step in range(t, stop):
        reached = integrate(potentials, weights, inputs, starts[step], starts[step + 1], leak, thresholds)
        if step % 16 == 15:
            flush(potentials)
            reached = any_reached(potentials, thresholds)
        follow_step(step, starts, inputs, weights, learning, state)
        if reached:
            return step, True
    return stop - 1, False


@njit
def find_spike(t, constants, state):
    """Return the neuron furthest above its threshold, the first among equals, or -1 if there is none."""
    potentials, thresholds, ready_at = state.potentials, state.thresholds, state.ready_at
    winner = -1
    if not any_reached(potentials, thresholds):
        return winner
    best = potentials[0]
    for j in range(potentials.size):
        excess = potentials[j] - thresholds[j]
        if excess >= 0 and ready_at[j] <= t and (winner < 0 or excess > best):
            winner = j
            best = excess
    return winner


@njit
def inhibit(exempt, constants, state):
    """Take ``drop + drop_part * v`` from all potentials but one."""
    potentials, drop, part = state.potentials, constants.drop, constants.drop_part
    kept = potentials[exempt]
    for j in range(potentials.size):
        v = potentials[j]
        potentials[j] = v - (drop + part * v)
    potentials[exempt] = kept


@njit
def lower(neuron, constants, state):
    """Take the drop from one potential."""
    state.potentials[neuron] -= constants.drop


@njit
def lower_by_threshold(neuron, constants, state):
    """Take its threshold from one potential."""
    state.potentials[neuron] -= state.thresholds[neuron]


@njit
def find_next(first, t, state):
    """Return the first neuron, from number `first` on, that has reached its threshold, or -1.

    Those that are refractory have not.
    """
    potentials, thresholds, ready_at = state.potentials, state.thresholds, state.ready_at
    for j in range(first, potentials.size):
        if potentials[j] >= thresholds[j] and ready_at[j] <= t:
            return j
    return -1


@njit
def find_best(t, state):
    """Return the neuron furthest above its threshold, or least below it, the first among equals, or -1.

    There is none if all are refractory.
    """
    potentials, thresholds, ready_at = state.potentials, state.thresholds, state.ready_at
    winner, best = -1, potentials[0] - thresholds[0]
    for j in range(potentials.size):
        excess = potentials[j] - thresholds[j]
        if ready_at[j] <= t and (winner < 0 or excess > best):
            winner, best = j, excess
    return winner


@njit
def set_thresholds(theta, constants, state):
    """What each neuron's potential has to reach: ``firing_threshold + theta``."""
    for j in range(theta.size):
        state.thresholds[j] = constants.firing_threshold + theta[j]
