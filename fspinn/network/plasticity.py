"""What does learning start from, and how do its rates change? The rules are in `fspinn.network.rules`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.network.layers import Layer
from fspinn.network.rules import Stdp


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


def natural_weight_norm(images: NDArray[Any]) -> float:
    """Return the weight norm at which one nonzero pixel in a hundred would ask for a weight above 1.

    The largest norm that fits makes the best use of the weights' range [0, 1] when they are quantized
    (fspinn).

    Parameters
    ----------
    images : ndarray, shape (n, ...)
        Training images, or how often each input of a later layer spikes; the first thousand are looked at.
    """
    pixels = images[:1000].reshape(min(len(images), 1000), -1).astype(np.float64)
    norms = np.linalg.norm(pixels, axis=1, keepdims=True)
    normalised = (pixels / np.maximum(norms, 1.0))[pixels > 0]
    return float(1.0 / np.quantile(normalised, 0.99)) if normalised.size else 1.0


def normalisation_goal(learner: Stdp, layer: Layer, n_inputs: int) -> float:
    """Return the sum (with ``"l1"``) or norm that each neuron's weights start with and are rescaled to."""
    return 0.1 * n_inputs if learner.normalisation == "l1" else layer.neuron.weight_norm or 0.0


def initial_weights(
    layer: Layer, learner: Stdp, n_inputs: int, random: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return random weights, each neuron's with the norm `weight_norm` and at most 1.

    With the normalisation ``"l1"`` it is their sum that is settled, to the one that they will always have.

    Parameters
    ----------
    layer : Layer
        With `weight_norm` settled.
    learner : Stdp
    n_inputs : int
    random : ndarray of float64, shape (n_inputs * neurons,)
        Numbers in [0, 1).
    """
    weights = random.reshape(n_inputs, layer.neurons)
    size = weights.sum(axis=0) if learner.normalisation == "l1" else np.linalg.norm(weights, axis=0)
    weights = weights * (normalisation_goal(learner, layer, n_inputs) / size)
    single: NDArray[np.float32] = np.minimum(weights, 1.0).astype(np.float32)
    return single
