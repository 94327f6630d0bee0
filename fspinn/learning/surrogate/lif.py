"""A layer of leaky neurons as one node of autograd: spikes and potentials of all time steps at once.

In each step ``v = beta * v + current``, spikes where ``v >= threshold``, and each spike takes exactly the
threshold from its potential, a constant for gradients. That is `fspinn.network.NoInhibition`, and snnTorch's
``Leaky(reset_delay=False)``, but for potentials that are the threshold to the last bit, which spike here, and
for what it calls its membrane, which is the potential after the reset.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.learning.surrogate import field_kernels as fields
from fspinn.learning.surrogate import lif_kernels as kernels
from fspinn.learning.surrogate.shapes import k_of
from fspinn.network.encoders import Spikes
from fspinn.network.geometry import Geometry
from fspinn.network.learners import SURROGATES


@dataclass(frozen=True)
class Neurons:
    """What the neurons of a layer have in common.

    Parameters
    ----------
    beta : float
        Part of a potential that is left after a time step, from 0 to 1.
    threshold : float
    surrogate : str, default "fast_sigmoid"
        One of `fspinn.network.learners.SURROGATES`.
    width : float or None, default None
        Of the surrogate, in thresholds; None is its default (`fspinn.learning.surrogate.shapes`).

    Raises
    ------
    ConfigError
        If there is no such surrogate, or a number is out of its range.
    """

    beta: float
    threshold: float
    surrogate: str = "fast_sigmoid"
    width: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.beta <= 1:
            raise ConfigError(f"beta: {self.beta:g} is not a part of a potential; give 0 to 1")
        if not self.threshold > 0:
            raise ConfigError(f"threshold: {self.threshold:g} is not above the potential at rest; give more")
        k_of(self.surrogate, self.width, self.threshold)  # says what is not one

    @property
    def constants(self) -> tuple[Any, Any]:
        """Leak and threshold, as kernels take them."""
        return np.float32(self.beta), np.float32(self.threshold)

    @property
    def shape(self) -> tuple[int, Any]:
        """Number and `k` of the surrogate, as kernels take them."""
        k = k_of(self.surrogate, self.width, self.threshold)
        return SURROGATES.index(self.surrogate), np.float32(k)


class _Lif(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, currents: Any, neurons: Neurons, steps: int) -> tuple[Any, Any]:
        rows = currents.detach().contiguous().view(len(currents), -1)
        potentials, spikes = (currents.new_empty((steps, rows.shape[1])) for _ in range(2))
        kernels.forward(rows.numpy(), *neurons.constants, potentials.numpy(), spikes.numpy())
        ctx.save_for_backward(potentials)
        ctx.neurons, ctx.shape = neurons, currents.shape
        ctx.set_materialize_grads(False)
        shape = (steps, *currents.shape[1:])
        return spikes.view(shape), potentials.view(shape)

    @staticmethod
    def backward(ctx: Any, of_spikes: Any, of_potentials: Any) -> tuple[Any, None, None]:
        (potentials,) = ctx.saved_tensors
        of_currents = potentials.new_empty((ctx.shape[0], potentials.shape[1]))
        given = [
            potentials.new_empty((0, 0)) if one is None else one.contiguous().view(potentials.shape)
            for one in (of_spikes, of_potentials)
        ]
        everything = *ctx.neurons.constants, *ctx.neurons.shape, of_currents.numpy()
        kernels.backward(potentials.numpy(), given[0].numpy(), given[1].numpy(), *everything)
        return of_currents.view(ctx.shape), None, None


def lif(currents: Any, neurons: Neurons, steps: int | None = None) -> tuple[Any, Any]:
    """Return the spikes of neurons and their potentials before the reset, in all time steps.

    Parameters
    ----------
    currents : tensor of float32, shape (steps, ...)
        What is added to the potentials in each step; or of shape (1, ...), the same in all of them.
    neurons : Neurons
    steps : int or None, default None
        Needed if currents are the same in all steps.

    Returns
    -------
    spikes, potentials : tensor, shape (steps, ...)
    """
    spikes, potentials = _Lif.apply(currents, neurons, len(currents) if steps is None else steps)
    return spikes, potentials


def whole_input(inputs: int) -> Geometry:
    """Return where neurons look that see all of so many inputs."""
    return Geometry(1, inputs, 1, (1, inputs), 1, (1, 1))


class _Currents(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Any, spikes: Spikes, geometry: Geometry) -> Any:
        ctx.given = spikes.offsets, spikes.inputs, _where(geometry)
        ctx.shape = weights.shape
        currents = np.zeros((spikes.steps, len(spikes), geometry.positions, weights.shape[1]), np.float32)
        offsets, inputs, where = ctx.given
        fields.add_all_rows(offsets, inputs, where, weights.detach().contiguous().numpy(), currents)
        return torch.from_numpy(currents)

    @staticmethod
    def backward(ctx: Any, of_currents: Any) -> tuple[Any, None, None]:
        of_weights: NDArray[np.float32] = np.zeros(ctx.shape, np.float32)
        offsets, inputs, where = ctx.given
        fields.add_to_all_rows(offsets, inputs, where, of_currents.contiguous().numpy(), of_weights)
        return torch.from_numpy(of_weights), None, None


def _where(geometry: Geometry) -> Any:
    field = (*geometry.field, geometry.channels)
    positions = geometry.rows, geometry.columns
    return geometry.places, field, geometry.stride, positions, geometry.cell_of


def currents_of(weights: Any, spikes: Spikes, geometry: Geometry) -> Any:
    """Return what input spikes add to the potentials: the weights of those that a position sees.

    Its gradient is that of the weights. The time that it takes is that of the spikes, not of the inputs.

    Parameters
    ----------
    weights : tensor of float32, shape (inputs of the field, neurons)
    spikes : Spikes
        Not written over before the gradient is taken.
    geometry : Geometry

    Returns
    -------
    tensor, shape (steps, samples, positions, neurons)
    """
    return _Currents.apply(weights, spikes, geometry)


class _Field(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weights: Any, spikes: Spikes, geometry: Geometry, neurons: Neurons, passes_on: bool
    ) -> tuple[Any, Any]:
        ctx.given = spikes.offsets, spikes.inputs, _where(geometry)
        ctx.neurons, shape = neurons, (len(spikes), geometry.cells[0] * geometry.cells[1], weights.shape[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(weights)
        counts = np.zeros(shape, np.float32)
        passed = np.zeros((spikes.steps if passes_on else 0, *shape), np.float32)
        values = weights.detach().contiguous().numpy()
        offsets, inputs, where = ctx.given
        fields.answer_field(offsets, inputs, where, values, *neurons.constants, counts, passed)
        return torch.from_numpy(counts), torch.from_numpy(passed)

    @staticmethod
    def backward(ctx: Any, of_counts: Any, of_passed: Any) -> tuple[Any, None, None, None, None]:
        (weights,) = ctx.saved_tensors
        values = weights.detach().contiguous().numpy()
        of_weights = np.zeros_like(values)
        constants: tuple[Any, ...] = *ctx.neurons.constants, *ctx.neurons.shape
        given = [
            np.zeros((0,) * (3 + number), np.float32) if one is None else one.contiguous().numpy()
            for number, one in enumerate((of_counts, of_passed))
        ]
        offsets, inputs, where = ctx.given
        of_counts, of_passed = given
        fields.blame_field(offsets, inputs, where, values, constants, of_counts, of_passed, of_weights)
        return torch.from_numpy(of_weights), None, None, None, None


def field_of(
    weights: Any, spikes: Spikes, geometry: Geometry, neurons: Neurons, passes_on: bool
) -> tuple[Any, Any]:
    """Return what a layer that slides over input spikes answers, position by position in the cache.

    The gradient of what is passed on is that of the position whose potential is the highest, which decides.

    Parameters
    ----------
    weights, spikes, geometry
        As for `currents_of`.
    neurons : Neurons
    passes_on : bool
        Whether another layer follows.

    Returns
    -------
    counts : tensor, shape (samples, cells, neurons)
        Output spikes.
    passed : tensor, shape (steps, samples, cells, neurons)
        1 where any position of the cell spikes; without steps if no layer follows.
    """
    counts, passed = _Field.apply(weights, spikes, geometry, neurons, passes_on)
    return counts, passed
