"""How do weights change? FSpiNN's timestep rule, with an update that keeps weights normalised.

Weights change once per learning window, not at every spike (Putra & Shafique, IEEE TCAD 39(11), 2020:
"timestep-based synaptic weight updates"; its formulas could not be read, those below are this
project's own):

- If some neuron spiked in the window, the **winner** is the neuron with the most spikes since the image
  appeared. With ``x`` the number of spikes of each input in the window, its weights move part of the way
  towards the normalised input,

      w += k * learning_rate * (min(1, weight_norm * x / |x|) - w),    k * learning_rate at most 1,

  with the potentiation factor ``k = ceil(spikes of the winner / spike_threshold)``, or 1. The weights of
  a neuron thus stay in [0, 1] and near the norm ``weight_norm`` without a normalisation pass.
- The winner's threshold rises by ``theta_step * weight_norm`` and all thresholds fall by an N-th of that,
  so that the mean threshold stays and all neurons get their turn.
- If no neuron spiked during the whole presentation, all thresholds fall by ``theta_step * weight_norm``,
  so that a network that is silent at first wakes up.

`learning_rate` and `theta_step` change linearly over the run, from their value to their ``_end``.
The kernels are in `fspinn.plasticity_kernels`.
"""

import numpy as np
from numpy.typing import NDArray

from fspinn.model import Network


def annealed(start: float, end: float, first: int, count: int, total: int) -> NDArray[np.float32]:
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
    return (start + (end - start) * progress).astype(np.float32)


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


def initial_weights(network: Network, n_inputs: int, random: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return random weights, each neuron's with the norm ``network.weight_norm`` and at most 1.

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
    weights = weights * (network.weight_norm / np.linalg.norm(weights, axis=0))
    single: NDArray[np.float32] = np.minimum(weights, 1.0).astype(np.float32)
    return single
