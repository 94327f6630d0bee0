"""What do other tools count for the same network? The metrics of NeuroBench, of counted integer activity.

The definitions are those of NeuroBench 2.3 (arXiv 2304.04640), all for one sample and all its time steps:

- A **synaptic operation** is a weight that is not 0 met by an input that is not 0. It is an accumulate (AC)
  where a layer's inputs are only 0 or 1, else a multiply-accumulate (MAC); **dense** counts all weights and
  all inputs. The first layer counts; biases do not. Layers see spikes, so they accumulate; the table of a
  readout is multiplied with spike counts, once, unless none can be more than 1.
- **Activation sparsity** is the part of zeros in all outputs of all neurons, positions and time steps.
- **Membrane updates** are potentials that change.
- **Footprint** is the bytes of all parameters as stored, here in float32, whatever their format.

Three of these differ here, and say so. Counts are of all inputs of a layer together, so where some weights
are 0, their inputs are taken to spike as often as others (`zero_weights` is then above 0; otherwise counts
are exact). Potentials that are computed count as updates whether they change or not, the bound. And beside
NeuroBench's footprint stands what is really stored: packed bits, state and buffers between layers included.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fspinn.base.errors import ConfigError
from fspinn.memmodel.footprint import memory_bits
from fspinn.memmodel.layer_size import LayerSize
from fspinn.memmodel.size import Size
from fspinn.model.activity import Activity
from fspinn.model.model import LABEL_READOUT, AnyModel, Model, model_of
from fspinn.model.tensors import LayerTensors
from fspinn.network.inhibition import Ranked, most_spikes

FLOAT_BYTES = 4


@dataclass(frozen=True)
class LayerMetrics:
    """What a layer, or the readout, does for one sample.

    Parameters
    ----------
    effective_macs, effective_acs : float
        Synaptic operations on weights and inputs that are not 0.
    dense : float
        Those on all weights and inputs.
    outputs, spikes : float
        Outputs of all neurons, positions and time steps, and those that are not 0.
    membrane_updates : float
    zero_weights : float
        Part of the weights that is 0.
    """

    effective_macs: float
    effective_acs: float
    dense: float
    outputs: float
    spikes: float
    membrane_updates: float
    zero_weights: float


@dataclass(frozen=True)
class NeuroBench:
    """NeuroBench's metrics of a model, for one sample.

    Parameters
    ----------
    layers : tuple of LayerMetrics
        Of each layer.
    readout : LayerMetrics or None
        Of the readout's table; None where it has none.
    footprint_bytes : int
        All parameters in float32.
    memory_bits : int
        What a device really stores.
    """

    layers: tuple[LayerMetrics, ...]
    readout: LayerMetrics | None
    footprint_bytes: int
    memory_bits: int

    @property
    def effective_macs(self) -> float:
        """Multiply-accumulates on weights and inputs that are not 0."""
        return self._sum("effective_macs")

    @property
    def effective_acs(self) -> float:
        """Accumulates on weights that are not 0."""
        return self._sum("effective_acs")

    @property
    def synaptic_operations(self) -> float:
        """SynOps: effective MACs and ACs."""
        return self.effective_macs + self.effective_acs

    @property
    def dense(self) -> float:
        """MACs and ACs on all weights and inputs."""
        return self._sum("dense")

    @property
    def membrane_updates(self) -> float:
        """Potentials that were computed."""
        return self._sum("membrane_updates")

    @property
    def activation_sparsity(self) -> float:
        """Part of zeros in all outputs of the neurons."""
        return 1 - self._sum("spikes") / self._sum("outputs")

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, with the units in the keys."""
        totals = (
            "synaptic_operations",
            "effective_macs",
            "effective_acs",
            "dense",
            "activation_sparsity",
            "membrane_updates",
            "footprint_bytes",
            "memory_bits",
        )
        return {
            **{name: getattr(self, name) for name in totals},
            "layers": [asdict(one) for one in self.layers],
            "readout": None if self.readout is None else asdict(self.readout),
        }

    def in_words(self) -> str:
        """Return the totals in a line."""
        return (
            f"NeuroBench's metrics: {self.synaptic_operations:,.0f} synaptic operations "
            f"({self.effective_acs:,.0f} ACs, {self.effective_macs:,.0f} MACs; dense {self.dense:,.0f}), "
            f"activation sparsity {self.activation_sparsity:.2%}, membrane updates "
            f"{self.membrane_updates:,.0f}, footprint {self.footprint_bytes:,} B in float32, "
            f"{-(-self.memory_bits // 8):,} B in the bits used"
        )

    def _sum(self, name: str) -> float:
        parts = [*self.layers, *([] if self.readout is None else [self.readout])]
        return float(sum(getattr(one, name) for one in parts))


def neurobench(
    model: AnyModel, activity: Sequence[Activity] | None = None, active_features: float | None = None
) -> NeuroBench:
    """Return NeuroBench's metrics of a model.

    Parameters
    ----------
    model : Model
        Or a result that holds one.
    activity : sequence of Activity, optional
        What each layer did, such as that of `fspinn.evaluate`; None is what was counted when it was trained.
    active_features : float, optional
        Spike counts of a sample that are not 0, on average. None takes each output spike for one of another
        neuron or cell, the bound.

    Raises
    ------
    ConfigError
        If nothing was counted.
    """
    model = model_of(model)
    counted = model.activity.get("inference", ()) if activity is None else activity
    if len(counted) != len(model.layers) or not all(one.samples for one in counted):
        raise ConfigError(
            "activity: nothing was counted for each layer of this model; give that of an evaluation"
        )
    size = Size.of(model)
    layers = tuple(
        _of_layer(layer, tensors, done)
        for layer, tensors, done in zip(size.layers, model.layers, counted, strict=True)
    )
    return NeuroBench(
        layers,
        readout_metrics(model, size, layers[-1].spikes, active_features),
        FLOAT_BYTES * _parameters(model, size),
        int(memory_bits(size, training=False)),
    )


def _of_layer(layer: LayerSize, tensors: LayerTensors, done: Activity) -> LayerMetrics:
    steps = layer.steps + (layer.inhibition == Ranked.kind) * layer.inhibition_steps
    used = tensors.inputs_used * layer.n_neurons
    zeros = 1 - np.count_nonzero(tensors.weights.numbers) / used
    return LayerMetrics(
        effective_macs=0.0,
        effective_acs=done.per_sample("synaptic_additions") * (1 - zeros),
        dense=float(layer.steps * layer.positions * tensors.inputs * layer.n_neurons),
        outputs=float(steps * layer.positions * layer.n_neurons),
        spikes=done.per_sample("output_spikes"),
        membrane_updates=done.per_sample("neuron_updates"),
        zero_weights=zeros,
    )


def readout_metrics(
    model: Model, size: Size, output_spikes: float, active_features: float | None
) -> LayerMetrics | None:
    """Return the operations of the readout's table on spike counts, without inputs of extra features."""
    if model.readout.name == LABEL_READOUT:
        return None
    last, features = size.layers[-1], size.features
    table = model.readout.table[:features]
    active = min(output_spikes, features) if active_features is None else active_features
    zeros = 1 - np.count_nonzero(table) / table.size
    operations = active * size.n_classes * (1 - zeros)
    counts = last.positions_in_cell * most_spikes(last.inhibition, last.steps, last.inhibition_steps)
    return LayerMetrics(
        effective_macs=operations if counts > 1 else 0.0,
        effective_acs=operations if counts == 1 else 0.0,
        dense=float(table.size),
        outputs=0.0,
        spikes=0.0,
        membrane_updates=0.0,
        zero_weights=zeros,
    )


def _parameters(model: Model, size: Size) -> int:
    """Return how many numbers there are: weights, thresholds, and those of the readout."""
    layers = zip(size.layers, model.layers, strict=True)
    found = sum(tensors.weights.numbers.size + layer.thresholds for layer, tensors in layers)
    return int(found + model.readout.parameter_count)
