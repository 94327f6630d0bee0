"""How do weights change? The learning rules, each chosen by name, and the switches beside them.

Below, ``eta`` is the learning rate, which changes linearly over the run from `learning_rate` to
`learning_rate_end`; x are numbers of input spikes or traces, w weights in [0, 1]. A trace rises by 1 at each
spike and decays with `trace_tau_ms`. Formulas of FSpiNN could not be read: what follows is this project's own
reading of its ideas.

**normalised** (the default, this project's own update in FSpiNN's time windows). Weights change once per
window. If some neuron spiked in it, the winner is the neuron with the most spikes since the image appeared.
With x the number of spikes of each input in the window,

    w += k * eta * (min(1, weight_norm * x / |x|) - w)        for the winner, k * eta at most 1

with FSpiNN's potentiation factor ``k = ceil(spikes of the winner / spike_threshold)``, or 1. The weights of
a neuron stay near the norm ``weight_norm`` without a normalisation pass.

**timestep** (after FSpiNN: window updates, adaptive potentiation factor, pre traces only):

    w += k * eta * x_pre                                      for the winner, in windows with an output spike
    w -= depression_rate * x_pre                              for all neurons, in windows without

**pair** (trace-based pair STDP, an update at every spike; the baseline):

    w -= depression_rate * x_post                             at an input spike, all neurons
    w += eta * x_pre                                          at an output spike, the neuron that spiked

**postonly** (Diehl & Cook's power-law rule, their equation 3, with w_max = 1; their mu was not read, here it
is 1):

    w += eta * (x_pre - target_trace) * (1 - w)               at an output spike

Weights are kept in [0, 1]. **normalisation** rescales every neuron's weights after each presentation;
**weight_decay** multiplies all of them by ``1 - weight_decay``, before that.

**adaptation** of thresholds, with ``step = theta_step * weight_norm``, linear from `theta_step` to its end:

- ``balanced`` (this project's own): at the end of a window with an output spike the winner's threshold rises
  by the step and all fall by an N-th of it, so that the mean stays (unless some theta is at its lowest) and
  all neurons get their turn. If no neuron spikes during a whole presentation, all fall by the step if some
  potential is at the firing threshold at its end or above, which theta alone kept from a spike; and by an
  N-th of it if one is at half or above.
  Before the first output spike of all, any input is enough for the step. So nothing changes without input,
  and dim images do not run thresholds down. No theta falls below `Network.lowest_theta`: every threshold
  stays above the potential at rest, also when learning is over and `answer_threshold` is lower (theta is
  raised as far as that takes).
- ``decaying`` (Diehl & Cook): a neuron's theta rises by the step at each of its spikes and decays with
  `theta_tau_ms`.

The kernels are in `fspinn.backends.numba.plasticity_kernels`.
"""

import numpy as np
from numpy.typing import NDArray

from fspinn.network.description import Network


def annealed(start: float, end: float, first: int, count: int, total: int) -> NDArray[np.float64]:
    """Return the values of a parameter that changes linearly from `start` to `end` over a run.

    Parameters
    ----------
    start, end : float
        Value at the first and at the last presentation.
    first, count : int
        Which presentations are asked for: `count` of them from number `first` on.
    total : int
        Presentations of the whole run.

    Examples
    --------
    >>> annealed(1.0, 0.0, first=0, count=3, total=5).tolist()
    [1.0, 0.75, 0.5]
    """
    progress = np.arange(first, first + count) / max(total - 1, 1)
    values: NDArray[np.float64] = start + (end - start) * progress
    return values


def natural_weight_norm(images: NDArray[np.uint8]) -> float:
    """Return the weight norm at which one nonzero pixel in a hundred would ask for a weight above 1.

    The largest norm that fits makes the best use of the weights' range [0, 1] when they are quantized
    (this project's own rule).

    Parameters
    ----------
    images : ndarray of uint8, shape (n, height, width)
        Training images; the first thousand are looked at.
    """
    pixels = images[:1000].reshape(min(len(images), 1000), -1).astype(np.float64)
    norms = np.linalg.norm(pixels, axis=1, keepdims=True)
    normalised = (pixels / np.maximum(norms, 1.0))[pixels > 0]
    return float(1.0 / np.quantile(normalised, 0.99)) if normalised.size else 1.0


def normalisation_goal(network: Network, n_inputs: int) -> float:
    """Return the sum (with ``"l1"``) or norm that each neuron's weights start with and are rescaled to."""
    if network.normalisation != "l1":
        return network.weight_norm or 0.0
    return 0.1 * n_inputs


def initial_weights(network: Network, n_inputs: int, random: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return random weights, each neuron's with the norm ``network.weight_norm`` and at most 1.

    With the normalisation ``"l1"`` it is their sum that is settled, to the one that they will always have.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled.
    n_inputs : int
    random : ndarray of float64, shape (n_inputs * neurons,)
        Numbers in [0, 1).
    """
    assert network.weight_norm is not None
    weights = random.reshape(n_inputs, network.neurons)
    size = weights.sum(axis=0) if network.normalisation == "l1" else np.linalg.norm(weights, axis=0)
    weights = weights * (normalisation_goal(network, n_inputs) / size)
    single: NDArray[np.float32] = np.minimum(weights, 1.0).astype(np.float32)
    return single
