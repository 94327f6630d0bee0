"""Which whole numbers and choices do the costs of a layer follow from?"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from fspinn.base.errors import ConfigError
from fspinn.base.settings import members, settings_of
from fspinn.memmodel.inputs import OF_THE_INPUT
from fspinn.memmodel.packing import Numbers, count_bits, plain, shares
from fspinn.model.tensors import LayerTensors
from fspinn.network.adaptation import Adaptation, Fixed
from fspinn.network.description import Network
from fspinn.network.inhibition import Inhibition, NoInhibition
from fspinn.network.inputs import Encoder
from fspinn.network.layers import Layer
from fspinn.network.rules import NORMALISATIONS, Rule, Stdp

_CHOICES = {
    "rule": tuple(members(Rule)),
    "inhibition": tuple(members(Inhibition)),
    "adaptation": tuple(members(Adaptation)),
    "normalisation": NORMALISATIONS,
    "encoder": tuple(members(Encoder)),
}
_MAY_BE_ZERO = (
    "refractory_steps",
    "inhibition_steps",
    "mapped_pixels",
    "changing_bits",
    "extra_features",
    *OF_THE_INPUT,
)

_RUN = 32
"""Inputs that the exported C program looks at together, at most."""


@dataclass(frozen=True)
class LayerSize:
    """What the costs of a layer follow from; nothing has to be trained to know it.

    The whole numbers may also be integer arrays of one shape, for many networks at once.

    Parameters
    ----------
    n_inputs : int
        Inputs of a neuron that are used.
    n_neurons : int
        Neurons of the column.
    weight_bits : int
        Bits of one weight.
    state_bits : int, default 32
        Bits of one membrane potential.
    threshold_bits : int, default 32
        Bits of one adaptive threshold.
    trace_bits : int, default 32
        Bits of one trace; the rule ``normalised`` has none.
    steps, window_steps : int, default 350
        Time steps of a presentation and of a learning window.
    refractory_steps : int, default 0
        Time steps in which a neuron cannot spike after a spike.
    inhibition_steps : int, default 0
        Time steps that inhibition lasts, or for which an inhibitory neuron rests; or in which neurons answer
        by rank.
    inhibition : str, default "lateral"
    rule : str, default "normalised"
    adaptation : str, default "balanced"
    normalisation : str, default "off"
        As in `fspinn.Layer` and `fspinn.Stdp`.
    decays : bool, default False
        Whether weights decay with each presentation.
    mapped_pixels : int, default 0
        Inputs of which some were dropped: a bit of each says whether it is used. 0: none was.
    cells : int, default 1
        Cells in which output spikes are counted.
    positions_in_cell : int, default 1
        Positions of the field in the largest cell.
    positions : int, default 1
        Positions of the field; they are computed one after the other, by the same neurons.
    drawn : int, default 1
        Positions that are learned from in each sample.
    online : bool, default False
        Whether all positions are computed at once, since the input is a stream of events.
    channels : int, default 1
        Maps that its input consists of; one where the layer before it is a vector of neurons.
    reached : int, default 1
        Positions whose field an input lies in, at most.
    together : bool, default False
        Whether the hardware keeps the potentials of all positions, since it goes from spike to spike.
    changing_bits : int, default 0
        Bits of the weights of all neurons at an input that are not the same at all inputs; 0: not known.
    target_spikes : float, default 1.0
        Output spikes that are expected of a presentation while it learns, where the field sees something:
        those that homeostatic thresholds hold, else one.
    leaks : bool, default False
        Whether potentials leak.
    runs : int, default 1
        Inputs that lie side by side are looked at together: rows of its field, or 32 each if it sees all.

    Raises
    ------
    ConfigError
        If a value is not a whole number or too small, or a choice is unknown.
    """

    n_inputs: int
    n_neurons: int
    weight_bits: int
    state_bits: int = 32
    threshold_bits: int = 32
    trace_bits: int = 32
    steps: int = 350
    window_steps: int = 350
    refractory_steps: int = 0
    inhibition_steps: int = 0
    inhibition: str = "lateral"
    rule: str = "normalised"
    adaptation: str = "balanced"
    normalisation: str = "off"
    decays: bool = False
    mapped_pixels: int = 0
    cells: int = 1
    positions_in_cell: int = 1
    positions: int = 1
    drawn: int = 1
    online: bool = False
    channels: int = 1
    reached: int = 1
    together: bool = False
    changing_bits: int = 0
    target_spikes: float = 1.0
    leaks: bool = False
    runs: int = 1

    def __post_init__(self) -> None:
        check_size(self)

    @property
    def features(self) -> int:
        """Numbers that the layer answers with: output spikes per cell and neuron."""
        return self.cells * self.n_neurons

    @property
    def slides(self) -> Numbers:
        """Whether its field has several positions: 1 or 0."""
        return plain(np.greater(self.positions, 1) * 1)

    @property
    def lowers_others(self) -> bool:
        """Whether an output spike changes the potentials of other neurons."""
        lowers: bool = members(Inhibition)[self.inhibition].lowers_others
        return lowers

    @property
    def thresholds(self) -> Numbers:
        """Thresholds that are stored: of each neuron, or without adaptation the one that all share."""
        return self.n_neurons if self.adaptation != Fixed.kind else 1

    @property
    def columns(self) -> Numbers:
        """How many times the state of its neurons is kept."""
        return self.positions if self.online or self.together else 1

    @property
    def time_bits(self) -> Numbers:
        """Bits that the next layer reads of each feature in a time step.

        Those are the time of its first spike, or that there was none; online, and where a neuron may send
        several spikes (inhibition ``none``), whether it spikes.
        """
        return 1 if self.online or self.sends_each_spike else count_bits(self.steps)

    @property
    def time_rows(self) -> Numbers:
        """How often the next layer is kept such bits of each feature: in each time step, or once."""
        return self.steps if self.sends_each_spike and not self.online else 1

    @property
    def sends_each_spike(self) -> bool:
        """Whether the next layer sees all output spikes, not the first of each neuron in each cell."""
        return self.inhibition == NoInhibition.kind


def layer_size(
    layer: Layer, network: Network, learner: Stdp, shape: tuple[int, int, int], weight_bits: int
) -> LayerSize:
    rows, columns = layer.positions(*shape[:2])
    settings = settings_of(layer)
    in_cell = [shares(n, cells) for n, cells in zip((rows, columns), layer.cells, strict=True)]
    return LayerSize(
        n_inputs=layer.fan_in(*shape),
        n_neurons=layer.neurons,
        weight_bits=weight_bits,
        steps=network.steps,
        window_steps=learner.window_steps(network),
        refractory_steps=network.steps_of(layer.neuron.refractory_ms),
        inhibition_steps=network.steps_of(settings.get("inhibition_ms", settings.get("answer_ms", 0.0))),
        inhibition=layer.inhibition.kind,
        rule=learner.rule.kind,
        adaptation=layer.adaptation.kind,
        normalisation=learner.normalisation,
        decays=learner.weight_decay > 0,
        cells=layer.cells[0] * layer.cells[1],
        positions_in_cell=in_cell[0] * in_cell[1],
        positions=rows * columns,
        channels=shape[2] if layer.field is not None or shape[:2] != (1, 1) else 1,
        reached=_reached(layer, rows, columns),
        drawn=min(learner.positions, rows * columns),
        target_spikes=settings.get("target_spikes", 1.0),
        leaks=layer.neuron.tau_m_ms is not None,
        runs=shares(layer.fan_in(*shape), _RUN)
        if layer.field is None or rows * columns == 1
        else layer.field[0],
    )


def changing_bits(tensors: LayerTensors) -> int:
    """Return how many bits of weights in integers are not the same at all inputs; 0 of floats."""
    if tensors.weights.format is None:
        return 0
    numbers = tensors.weights.numbers.astype(np.int64) % 2**tensors.weights.bits
    changing = np.bitwise_or.reduce(numbers ^ numbers[0], axis=0)
    return sum(int(one).bit_count() for one in changing)


def _reached(layer: Layer, rows: int, columns: int) -> int:
    """Return how many positions an input is seen from, at most."""
    if layer.field is None:
        return 1
    along = zip(layer.field, (rows, columns), strict=True)
    down, across = (min(shares(size, layer.stride), positions) for size, positions in along)
    return int(down * across)


def check_size(size: Any) -> None:
    for field in fields(size):
        value = getattr(size, field.name)
        if field.name in _CHOICES and value not in _CHOICES[field.name]:
            known = ", ".join(_CHOICES[field.name])
            raise ConfigError(f"{field.name}: there is no {value!r}; use one of {known}")
        if field.type not in ("int", int):
            continue
        numbers, low = np.asarray(value), 0 if field.name in _MAY_BE_ZERO else 1
        if numbers.dtype.kind not in "iu" or not (numbers >= low).all():
            raise ConfigError(f"{field.name}: {value!r} is not a size; give a whole number of at least {low}")
