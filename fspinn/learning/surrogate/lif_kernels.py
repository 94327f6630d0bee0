"""Kernels of leaky neurons over all time steps of a batch, forwards and backwards; arrays only.

In each step ``v = beta * v + current``; where ``v >= threshold`` there is a spike, and the threshold is taken
from v (a soft reset). Backwards the reset is a constant (detached), and a step has the derivative of its
surrogate: ``dv[t] = dv[t + 1] * beta + dspikes[t] * surrogate(v[t] - threshold)``.
"""

from math import exp, pi

from fspinn.base.jit import njit

FAST_SIGMOID, ATAN, SIGMOID, TRIANGULAR, BOXCAR, STRAIGHT_THROUGH = range(6)


@njit
def derivative(kind, k, u):
    """Return what stands for the derivative of the step at ``u = v - threshold``."""
    size = abs(u)
    if kind == FAST_SIGMOID:
        return 1.0 / ((1.0 + k * size) * (1.0 + k * size))
    if kind == ATAN:
        return 0.5 * k / (1.0 + (0.5 * pi * k * u) * (0.5 * pi * k * u))
    if kind == SIGMOID:
        small = exp(-k * size)
        return k * small / ((1.0 + small) * (1.0 + small))
    if kind == TRIANGULAR:
        return max(0.0, 1.0 - k * size)
    if kind == BOXCAR:
        return 1.0 if 2.0 * k * size < 1.0 else 0.0
    return 1.0


@njit
def forward(currents, constant, beta, threshold, potentials, spikes):
    """Fill potentials (before the reset) and spikes, both of shape (steps, n), from currents.

    Currents are of that shape, or of shape (1, n) if they are `constant`.
    """
    steps, n = potentials.shape
    zero = potentials.dtype.type(0.0)
    for j in range(n):
        v = zero
        for t in range(steps):
            v = beta * v + currents[0 if constant else t, j]
            potentials[t, j] = v
            if v >= threshold:
                spikes[t, j] = 1.0
                v -= threshold
            else:
                spikes[t, j] = 0.0


@njit
def backward(potentials, of_spikes, of_potentials, constant, beta, threshold, kind, k, of_currents):
    """Fill the gradients of currents from those of spikes and potentials."""
    steps, n = potentials.shape
    zero = potentials.dtype.type(0.0)
    for j in range(n):
        carried, together = zero, zero
        for t in range(steps - 1, -1, -1):
            slope = derivative(kind, k, potentials[t, j] - threshold)
            carried = beta * carried + of_potentials[t, j] + of_spikes[t, j] * slope
            if constant:
                together += carried
            else:
                of_currents[t, j] = carried
        if constant:
            of_currents[0, j] = together
