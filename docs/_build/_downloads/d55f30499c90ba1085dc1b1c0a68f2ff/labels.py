"""How do labels tune a column that STDP found? By the gradient of a softmax over the neurons that compete.

`fspinn.network.StdpLabels` says what is made small. A step of the solver (`fspinn.model.adam`) takes a batch
of samples, presented with the weights as they will be stored: rounded, if they are to have few bits, while
their gradient is taken as if they were not (straight-through: Bengio, Léonard and Courville 2013,
arXiv:1308.3432).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.base.progress import progress_bar
from fspinn.base.randomness import ORDER, TRAINING_SPIKES, permutation, stream_key
from fspinn.learning.column_kernels import blame, compete
from fspinn.lowering.compiler import answering_plan
from fspinn.model.adam import Adam, Floats
from fspinn.model.readout import NO_LABEL, balanced_weights
from fspinn.model.tensors import LayerTensors
from fspinn.network.description import Network
from fspinn.network.encoders import BatchEncoder, Spikes
from fspinn.network.geometry import Geometry
from fspinn.network.learners import StdpLabels
from fspinn.network.rules import MAX_PASSES

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

BATCH = 256
"""Samples that a step of the solver looks at, at most (fspinn)."""

READOUT_RATE = 0.05
"""Step of the solver for the readout, whose inputs are about 1 (fspinn)."""

PENALTY = np.float32(1e-5)
"""Of the squared table of the readout (fspinn)."""


def check_tunable(network: Network) -> None:
    """Raise `ConfigError` unless labels can tune a network."""
    if len(network.layers) > 1:
        raise ConfigError(
            f"layers: labels tune a network of one layer, and this one has {len(network.layers)}; use the "
            "learner stdp, or one layer"
        )
    (layer,) = network.layers
    if layer.inhibition.kind != "first":
        raise ConfigError(
            "inhibition: labels tune neurons whose first spike ends a position, and this one is "
            f"{layer.inhibition.kind}; set inhibition = first, or use the learner stdp"
        )
    if layer.neuron.tau_m_ms is not None:
        raise ConfigError(
            f"tau_m_ms: labels tune neurons without leak, and this one is {layer.neuron.tau_m_ms:g} ms; set "
            "tau_m_ms = none, or use the learner stdp"
        )


def tuned(
    network: Network,
    learner: StdpLabels,
    tensors: LayerTensors,
    data: "Dataset",
    labels: NDArray[np.int64],
    *,
    class_weight: str | None = None,
    seed: int = 0,
    progress: bool = False,
    on_batch: Callable[[int], None] | None = None,
) -> LayerTensors:
    """Return what labels make of the layer that STDP found.

    If `StdpLabels.weight_bits` is set, all weights are multiples of a step, the largest being ``2**bits - 1``
    of them: a format of so many bits without a sign holds them as they are.

    Parameters
    ----------
    network : Network
        Of one layer, with inhibition ``"first"`` and without leak.
    learner : StdpLabels
    tensors : LayerTensors
        In floats.
    data : Dataset
    labels : ndarray of int64, shape (n,)
        Of its training samples; those with `NO_LABEL` are not looked at.
    class_weight : {"balanced"} or None, default None
        See `fspinn.model.readout.fit`.
    seed : int, default 0
        Of input spikes and of the order of the samples.
    progress : bool, default False
        Show a progress bar, if standard error is a terminal.
    on_batch : callable, optional
        Called now and then with the number of samples shown so far; what it raises ends the work.

    Raises
    ------
    ConfigError
        If labels cannot tune such a network.
    """
    check_tunable(network)
    known = np.flatnonzero(labels != NO_LABEL)
    column = _Column.of(network, tensors, data.image_shape)
    batch = min(BATCH, len(known))
    steps = learner.tuning_passes * (len(known) // batch)
    solved = _Solved.start(column, learner, data.n_classes, steps)
    weights = np.ones(data.n_classes, np.float32)
    if class_weight is not None:
        present = np.unique(labels[known])
        weights[present] = balanced_weights(labels, present)
    number = 0
    with progress_bar(f"tune {network.neurons} neurons", steps * batch, progress) as update:
        for turn in range(learner.tuning_passes):
            order = permutation(stream_key(seed, ORDER, MAX_PASSES + turn), len(known))
            for start in range(0, len(known) - batch + 1, batch):
                chosen = known[order[start : start + batch]]
                number += 1
                first = turn * len(known) + start
                spikes = column.encoder.encode(data.train.images[chosen], seed, TRAINING_SPIKES, first)
                solved.step(number, spikes, labels[chosen], weights)
                update(number * batch, "")
                if on_batch is not None:
                    on_batch(number * batch)
    return solved.tensors()


@dataclass(frozen=True, eq=False)
class _Column:
    """A column as kernels see it: its weights are scaled so that the largest is the highest of the format."""

    weights: Floats
    thresholds: Floats
    scale: np.float32
    firing_threshold: float
    lowest_theta: float
    weight_norm: float
    geometry: Geometry
    encoder: BatchEncoder

    @classmethod
    def of(cls, network: Network, tensors: LayerTensors, shape: tuple[int, ...]) -> "_Column":
        plan = answering_plan(network, (tensors,), shape)
        (layer,), (height, width, channels) = plan.layers, network.input_shape(shape)
        neuron = network.answering.layers[0].neuron
        geometry = layer.geometry or Geometry(height, width, channels, (height, width), 1, (1, 1))
        scale = np.float32(1 / max(float(layer.weights.max()), 1e-9))
        return cls(
            (layer.weights * scale).reshape(*geometry.field, channels, layer.neurons),
            (layer.thresholds * scale).astype(np.float32),
            scale,
            neuron.firing_threshold,
            neuron.lowest_theta,
            float(scale) * (neuron.weight_norm or 0.0),
            geometry,
            BatchEncoder(plan.encoding),
        )

    @property
    def neurons(self) -> int:
        return len(self.thresholds)

    @cached_property
    def grid(self) -> tuple[int, int, int, int]:
        """Rows and columns of positions, positions to the left of the first, and the stride."""
        g = self.geometry
        return g.rows, g.columns, -(-g.field[1] // g.stride) - 1, g.stride

    @cached_property
    def width(self) -> int:
        """Positions in a row of memory, those that lie outside of the input among them."""
        return (self.geometry.width - 1) // self.geometry.stride + self.grid[2] + 1

    def blocks(self, weights: Floats) -> Floats:
        """Return weights as `fspinn.backends.numba.column_kernels` wants them, without a lane that counts."""
        height, width, channels, neurons = weights.shape
        stride, run = self.geometry.stride, self.grid[2] + 1
        blocks = np.zeros((channels, height, stride, run, neurons), dtype=np.float32)
        for v in range(width):
            blocks[:, :, v % stride, run - 1 - v // stride] = weights[:, v].transpose(1, 0, 2)
        return blocks.reshape(channels, height, stride, run * neurons)

    def of_blocks(self, blocks: Floats) -> Floats:
        """Return weights, or their gradients, from blocks."""
        channels, height, stride, _ = blocks.shape
        run, found = self.grid[2] + 1, np.empty_like(self.weights)
        blocks = blocks.reshape(channels, height, stride, run, self.neurons)
        for v in range(found.shape[1]):
            found[:, v] = blocks[:, :, v % stride, run - 1 - v // stride].transpose(1, 0, 2)
        return found


@dataclass(eq=False)
class _Solved:
    """The numbers that are solved for, and memory for a batch."""

    column: _Column
    bits: int | None
    temperature: np.float32
    weights: Adam
    thresholds: Adam
    table: Adam
    bias: Adam
    memory: dict[str, NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def start(cls, column: _Column, learner: StdpLabels, n_classes: int, steps: int) -> "_Solved":
        rate, features = learner.tuning_rate, column.neurons * int(column.geometry.cell_of[-1] + 1)
        return cls(
            column,
            learner.weight_bits,
            np.float32(learner.temperature * column.weight_norm),
            Adam(column.weights.copy(), rate, steps),
            Adam(column.thresholds.copy(), rate, steps),
            Adam(np.zeros((features, n_classes), np.float32), READOUT_RATE, steps),
            Adam(np.zeros(n_classes, np.float32), READOUT_RATE, steps),
        )

    @property
    def rounded(self) -> Floats:
        """The weights as they will be stored."""
        if self.bits is None:
            return self.weights.value
        most = np.float32(2**self.bits - 1)
        rounded: Floats = np.rint(self.weights.value * most) / most
        return rounded

    def step(self, number: int, spikes: Spikes, labels: NDArray[np.int64], class_weights: Floats) -> None:
        """Take a step of the solver with some samples."""
        column, n, (rows, columns, left, _) = self.column, len(spikes), self.column.grid
        g, neurons, thresholds = column.geometry, column.neurons, self.thresholds.value
        potentials = self._kept("potentials", (rows, column.width * neurons))
        potentials[:] = 0
        at_end = self._kept("at_end", (n, g.positions, neurons))
        ends = self._kept("ends", (n, g.positions), np.int32)
        counts = self._kept("counts", (n, len(self.table.value)))
        row = np.full((column.width, neurons), np.inf, np.float32)
        row[left : left + columns] = thresholds
        blocks = column.blocks(self.rounded)
        seen = spikes.offsets, spikes.inputs
        where = g.places, column.grid, g.cell_of
        compete(*seen, blocks, row.reshape(-1), *where, potentials, ends, at_end, counts)
        unit = np.float32(2 * (g.cell_of[-1] + 1) / g.positions)  # half of a cell's positions count as 1
        counts *= unit
        shares = counts @ self.table.value + self.bias.value
        shares = np.exp(shares - shares.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        shares[np.arange(n), labels] -= 1
        shares *= class_weights[labels, None] / np.float32(n)
        of_counts = np.ascontiguousarray(shares @ self.table.value.T) * unit
        of_blocks, of_thresholds = np.zeros_like(blocks), np.zeros_like(thresholds)
        of_column = at_end, of_counts, potentials, of_blocks, of_thresholds
        blame(*seen, thresholds, *where, self.temperature, ends, *of_column)
        self.table.step(number, counts.T @ shares + PENALTY * self.table.value)
        self.bias.step(number, shares.sum(axis=0))
        self.weights.step(number, column.of_blocks(of_blocks))
        self.thresholds.step(number, of_thresholds)
        np.clip(self.weights.value, 0, 1, out=self.weights.value)

    def _kept(self, name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> NDArray[Any]:
        """Return memory that is taken once: all batches are of one size."""
        if name not in self.memory:
            self.memory[name] = np.empty(shape, dtype)
        return self.memory[name]

    def tensors(self) -> LayerTensors:
        """Return the layer, in the scale that it had."""
        column, weights = self.column, self.rounded
        if self.bits is not None:
            weights.flat[weights.argmax()] = (
                1  # the largest weight fills a format, and mostly does so already
            )
        theta = self.thresholds.value / column.scale - np.float32(column.firing_threshold)
        theta = np.maximum(theta, np.float32(column.lowest_theta))
        return LayerTensors.of_floats((weights / column.scale).reshape(-1, column.neurons), theta)
