"""The layers of a network for torch, with the dynamics of `fspinn.network` for ``inhibition = "none"``."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fspinn.learning.surrogate.lif import Neurons, currents_of, field_of, lif, whole_input
from fspinn.network.description import Network
from fspinn.network.encoders import Spikes
from fspinn.network.geometry import Geometry
from fspinn.network.learners import Surrogate


@dataclass(frozen=True)
class Part:
    """A layer: where it looks, and what its neurons are.

    Parameters
    ----------
    geometry : Geometry
    neurons : Neurons
    count : int
        Of the neurons.
    """

    geometry: Geometry
    neurons: Neurons
    count: int

    @cached_property
    def cell_of(self) -> Any:
        """Cell of each position."""
        return torch.from_numpy(self.geometry.cell_of.astype(np.int64))

    @cached_property
    def seen_by(self) -> NDArray[np.int64]:
        """How many positions see each input."""
        where = self.geometry
        along = [
            np.array([np.count_nonzero((starts <= at) & (at < starts + size)) for at in range(length)])
            for starts, size, length in (
                (np.arange(where.rows) * where.stride, where.field[0], where.height),
                (np.arange(where.columns) * where.stride, where.field[1], where.width),
            )
        ]
        return np.repeat(np.outer(*along).reshape(-1), where.channels)

    @cached_property
    def positions_of(self) -> Any:
        """How many positions each feature counts the spikes of."""
        return torch.bincount(self.cell_of, minlength=self.cells).float().repeat_interleave(self.count)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.geometry.cells[0] * self.geometry.cells[1]

    @property
    def features(self) -> int:
        """Numbers that it answers with."""
        return self.cells * self.count


def parts_of(network: Network, learner: Surrogate, shape: tuple[int, ...]) -> tuple[Part, ...]:
    """Return the layers of a network, `weight_norm` settled, on samples of a shape."""
    parts = []
    for number, (layer, geometry) in enumerate(zip(network.layers, network.geometries(shape), strict=True)):
        tau_m_ms = np.inf if layer.neuron.tau_m_ms is None else layer.neuron.tau_m_ms
        beta = float(np.exp(-network.dt_ms / tau_m_ms))
        neurons = Neurons(beta, layer.neuron.firing_threshold, learner.surrogate, learner.surrogate_width)
        where = geometry or whole_input(layer.fan_in(*network.input_shape(shape, number)))
        parts.append(Part(where, neurons, layer.neurons))
    return tuple(parts)


def shown_to(part: Part, weights: Any, shown: Any) -> Any:
    """Return the currents of a layer, shape (steps, samples, positions, neurons).

    Parameters
    ----------
    part : Part
    weights : tensor, shape (inputs, neurons)
    shown : Spikes, or tensor of shape (steps, samples, inputs)
        Input spikes, or the spikes of the layer before it.
    """
    if isinstance(shown, Spikes):
        return currents_of(weights, shown, part.geometry)
    steps, samples, inputs = shown.shape
    where = part.geometry
    if where.positions == 1 and where.fan_in == inputs:
        return (shown @ weights)[:, :, None, :]
    images = shown.view(steps * samples, where.height, where.width, where.channels).permute(0, 3, 1, 2)
    kernel = weights.view(*where.field, where.channels, part.count).permute(3, 2, 0, 1)
    found = torch.nn.functional.conv2d(images, kernel, stride=where.stride)
    return found.permute(0, 2, 3, 1).reshape(steps, samples, where.positions, part.count)


def _spikes_in(part: Part, shown: Any) -> int:
    """Return how many input spikes the positions of a layer see."""
    if isinstance(shown, Spikes):
        return int(part.seen_by[shown.events[1]].sum())
    return int((shown.detach() > 0).sum(dim=(0, 1)).numpy() @ part.seen_by)


def counted(part: Part, spikes: Any) -> Any:
    """Return the output spikes of each cell and neuron over all steps, shape (samples, features)."""
    sums = spikes.sum(dim=0)
    if part.geometry.positions != part.cells:
        of_cells = sums.new_zeros((len(sums), part.cells, part.count))
        sums = of_cells.index_add(1, part.cell_of, sums)
    return sums.reshape(len(sums), part.features)


def passed_on(part: Part, spikes: Any, potentials: Any) -> Any:
    """Return what the next layer sees: if a position of a cell spiked, shape (steps, samples, features).

    The gradient is that of the position whose potential is the highest, which decides.
    """
    if part.geometry.positions != part.cells:
        cells = []
        for cell in range(part.cells):
            inside = torch.nonzero(part.cell_of == cell)[:, 0]
            best = potentials[:, :, inside].detach().argmax(dim=2, keepdim=True)
            cells.append(spikes[:, :, inside].gather(2, best))
        spikes = torch.cat(cells, dim=2)
    return spikes.reshape(*spikes.shape[:2], part.features)


@dataclass(frozen=True)
class Answered:
    """What a layer answers.

    Parameters
    ----------
    counts : tensor, shape (samples, features)
        Output spikes of each cell and neuron over all steps.
    passed : tensor, shape (steps, samples, features), or None
        What the next layer sees; None of the last.
    """

    counts: Any
    passed: Any

    def dropping(self, mask: Any) -> "Answered":
        """Return what is left of it; `mask` (samples, features) is what each feature is multiplied by."""
        return Answered(self.counts * mask, None if self.passed is None else self.passed * mask)


def answer(
    parts: tuple[Part, ...], weights: list[Any], shown: Spikes, masks: list[Any] | None = None
) -> tuple[list[Answered], list[NDArray[np.int64]]]:
    """Return what each layer answers, and how many input and output spikes it had.

    Parameters
    ----------
    parts : tuple of Part
    weights : list of tensor, shape (inputs, neurons)
        Of each.
    shown : Spikes
        Of the samples.
    masks : list of tensor, shape (samples, features), or None, default None
        What features of each layer are multiplied by, after their spikes are counted.
    """
    seen: Any = shown
    answers, did = [], []
    for number, (part, of_part) in enumerate(zip(parts, weights, strict=True)):
        spikes_in = _spikes_in(part, seen)
        answers.append(_answered(part, of_part, seen, number + 1 == len(parts)))
        did.append(np.array([spikes_in, int(answers[-1].counts.detach().sum())]))
        if masks is not None:
            answers[-1] = answers[-1].dropping(masks[number])
        seen = answers[-1].passed
    return answers, did


def _answered(part: Part, weights: Any, shown: Any, last: bool) -> Answered:
    if isinstance(shown, Spikes) and part.geometry.positions > 1:
        counts, passed = field_of(weights, shown, part.geometry, part.neurons, not last)
        return Answered(
            counts.view(len(counts), part.features),
            None if last else passed.view(*passed.shape[:2], part.features),
        )
    spikes, potentials = lif(shown_to(part, weights, shown), part.neurons)
    return Answered(counted(part, spikes), None if last else passed_on(part, spikes, potentials))
