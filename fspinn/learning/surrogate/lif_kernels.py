"""Kernels of leaky neurons over all time steps of a batch, forwards and backwards; arrays only.

In each step ``v = beta * v + current``; where ``v >= threshold`` there is a spike, and the threshold is taken
from v (a soft reset). Backwards the reset is a constant (detached), and a step has the derivative of its
surrogate: ``dv[t] = dv[t + 1] * beta + dspikes[t] * surrogate(v[t] - threshold)``.
"""

import numpy as np

from fspinn.base.jit import njit, njit_allocating

FAST_SIGMOID, ATAN, SIGMOID, TRIANGULAR, BOXCAR, STRAIGHT_THROUGH = range(6)
"""Numbers of the surrogates, in the order of `fspinn.network.learners.SURROGATES`."""

_BLOCK = 2048
"""Neurons that are taken through all steps before the next ones: what they need stays in the cache."""


@njit
def slopes(kind, k, potentials, threshold, written):
    """Write what stands for the derivative of a step at ``u = potentials - threshold``."""
    zero, one, two = written.dtype.type(0.0), written.dtype.type(1.0), written.dtype.type(2.0)
    if kind == FAST_SIGMOID:
        for j in range(potentials.size):
            below = one + k * abs(potentials[j] - threshold)
            written[j] = one / (below * below)
    elif kind == ATAN:
        half, wide = written.dtype.type(0.5) * k, written.dtype.type(np.pi / 2) * k
        for j in range(potentials.size):
            u = wide * (potentials[j] - threshold)
            written[j] = half / (one + u * u)
    elif kind == SIGMOID:
        for j in range(potentials.size):
            small = np.exp(-k * abs(potentials[j] - threshold))
            written[j] = k * small / ((one + small) * (one + small))
    elif kind == TRIANGULAR:
        for j in range(potentials.size):
            written[j] = max(zero, one - k * abs(potentials[j] - threshold))
    elif kind == BOXCAR:
        for j in range(potentials.size):
            written[j] = one if two * k * abs(potentials[j] - threshold) < one else zero
    else:
        for j in range(potentials.size):
            written[j] = one


@njit
def forward(currents, beta, threshold, potentials, spikes):
    """Fill potentials (before the reset) and spikes, both of shape (steps, n), from currents.

    Currents are of that shape, or of shape (1, n) if they are the same in all steps.
    """
    steps, n = potentials.shape
    zero, one = potentials.dtype.type(0.0), potentials.dtype.type(1.0)
    for first in range(0, n, _BLOCK):
        last = min(n, first + _BLOCK)
        for t in range(steps):
            source = min(t, currents.shape[0] - 1)
            for j in range(first, last):
                v = currents[source, j]
                if t > 0:
                    v = beta * (potentials[t - 1, j] - threshold * spikes[t - 1, j]) + v
                potentials[t, j] = v
                spikes[t, j] = one if v >= threshold else zero


@njit_allocating
def backward(potentials, of_spikes, of_potentials, beta, threshold, kind, k, of_currents):
    """Fill the gradients of currents from those of spikes and potentials, which may have no rows (zeros).

    Those of currents that are the same in all steps, of shape (1, n), are sums over the steps.
    """
    steps, n = potentials.shape
    rows = of_currents.shape[0]
    carried, slope = np.empty(_BLOCK, potentials.dtype), np.empty(_BLOCK, potentials.dtype)
    for first in range(0, n, _BLOCK):
        size = min(n - first, _BLOCK)
        for j in range(size):
            carried[j] = 0
        for t in range(steps - 1, -1, -1):
            for j in range(size):
                carried[j] *= beta
            if of_potentials.shape[0] > 0:
                for j in range(size):
                    carried[j] += of_potentials[t, first + j]
            if of_spikes.shape[0] > 0:
                slopes(kind, k, potentials[t, first : first + size], threshold, slope)
                for j in range(size):
                    carried[j] += of_spikes[t, first + j] * slope[j]
            if rows == steps or t == steps - 1:
                for j in range(size):
                    of_currents[min(t, rows - 1), first + j] = carried[j]
            else:
                for j in range(size):
                    of_currents[0, first + j] += carried[j]
