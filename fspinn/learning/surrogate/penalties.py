"""What does activity cost a loss? Penalties on rates of neurons, or on activations, none of them below 0.

Of the units of a layer, a the activations for one sample and n their number:

============ ================================================= ===========
kind         of a sample                                       range
============ ================================================= ===========
l1           ``mean(a)``                                       that of a
l2           ``mean(a^2)``                                     that of a^2
hoyer        ``(sum(a) / sqrt(sum(a^2)) - 1) / (sqrt(n) - 1)`` 0 to 1
hoyer-square ``sum(a)^2 / (n sum(a^2))``                       1 / n to 1
synops       ``sum(fan_out a) / sum(fan_out)``                 that of a
============ ================================================= ===========

and of a batch the mean over its samples, so that neither its size nor the width of a layer matters. Those of
Hoyer (Hoyer 2004; squared: Yang, Wen and Li 2020, arXiv 1908.09979) do not change if all activations are
scaled. Synaptic operations (Sorbaro et al. 2020, doi 10.3389/fnins.2020.00662) are those of all layers
together, in parts of what there were if each a was 1; for a single dense layer, whose units have one fan-out,
``synops`` is ``l1``. A sample without any activity costs nothing.
"""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import torch


def l1(activations: Any) -> Any:
    """Return the mean; of a tensor of shape (samples, units), as for the functions below."""
    return activations.mean()


def l2(activations: Any) -> Any:
    """Return the mean of the squares."""
    return activations.square().mean()


def hoyer(activations: Any) -> Any:
    """Return Hoyer's measure of how even activity is: 0 if one unit is active, 1 if all are alike."""
    units = activations.shape[1]
    if units == 1:
        return 0 * activations.sum()  # one unit is as sparse as can be
    sums, squares, active = _sums(activations)
    evenness = (sums / squares.sqrt() - 1) / (sqrt(units) - 1)
    return torch.where(active, evenness, 0.0).mean()


def hoyer_square(activations: Any) -> Any:
    """Return how many units are active, in parts of all, if those that are active are alike."""
    sums, squares, _ = _sums(activations)
    return (sums.square() / (activations.shape[1] * squares)).mean()


def _sums(activations: Any) -> tuple[Any, Any, Any]:
    """Return the sum of each sample, that of its squares, and whether that is above 0; else it is 1."""
    squares = activations.square().sum(dim=1)
    active = squares > 0
    return activations.sum(dim=1), torch.where(active, squares, 1.0), active


def synops(activations: Sequence[Any], fan_outs: Sequence[Any]) -> Any:
    """Return the expected synaptic operations of layers, in parts of those where each activation is 1.

    Parameters
    ----------
    activations : sequence of tensor, shape (samples, units)
        Of each layer.
    fan_outs : sequence of float, or of tensor of shape (units,)
        How many weights a spike of a unit meets, or those of each.
    """
    layers = list(zip(activations, fan_outs, strict=True))
    done = sum((each * fan_out).sum(dim=1).mean() for each, fan_out in layers)
    dense = sum((torch.ones_like(each[0]) * fan_out).sum() for each, fan_out in layers)
    return done / dense


OF_A_LAYER: dict[str, Callable[[Any], Any]] = {
    "l1": l1,
    "l2": l2,
    "hoyer": hoyer,
    "hoyer-square": hoyer_square,
}
"""The penalties that look at one layer at a time, by kind."""


def penalty_of(kind: str, activations: Sequence[Any], fan_outs: Sequence[Any]) -> Any:
    """Return a penalty of layers: the mean over them, or ``synops`` of all of them together.

    Parameters
    ----------
    kind : str
    activations, fan_outs
        As for `synops`.
    """
    if kind == "synops":
        return synops(activations, fan_outs)
    return sum(OF_A_LAYER[kind](each) for each in activations) / len(activations)
