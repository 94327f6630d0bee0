"""Which whole numbers and choices do the costs of a network follow from?"""

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from math import prod
from typing import TypedDict

import numpy as np

from fspinn.base.errors import ConfigError
from fspinn.base.settings import members, settings_of
from fspinn.memmodel.packing import Numbers, count_bits, plain, shares
from fspinn.model.features import INPUTS
from fspinn.model.model import BIASED_READOUT, AnyModel, model_of
from fspinn.model.tensors import LayerTensors
from fspinn.network.adaptation import Adaptation, Fixed
from fspinn.network.description import Network
from fspinn.network.inhibition import First, Inhibition, NoInhibition
from fspinn.network.inputs import (
    Delta,
    Encoder,
    Events,
    FirstSpike,
    LevelDelta,
    NoContrast,
    OnOff,
    Poisson,
    Regular,
    Unscaled,
    block_of,
)
from fspinn.network.layers import Layer
from fspinn.network.learners import Learner
from fspinn.network.rules import NORMALISATIONS, Rule, Stdp

_CHOICES = {
    "rule": tuple(members(Rule)),
    "inhibition": tuple(members(Inhibition)),
    "adaptation": tuple(members(Adaptation)),
    "normalisation": NORMALISATIONS,
    "encoder": tuple(members(Encoder)),
}
RATES = (Poisson.kind, Regular.kind, Unscaled.kind)
"""Kinds of encoders that make rates of intensities."""

OF_THE_INPUT = (
    "waiting_inputs",
    "input_bits",
    "contrast_inputs",
    "sample_inputs",
    "kept_bytes",
    "kept_rows",
    "kept_times",
    "kept_lines",
    "pooled",
    "block_sums",
    "white_spikes",
    "passes",
    "contrast_pixels",
)
"""Names of what `Size` says of the input."""

_MAY_BE_ZERO = (
    "refractory_steps",
    "inhibition_steps",
    "mapped_pixels",
    "changing_bits",
    "extra_features",
    *OF_THE_INPUT,
)

INTENSITY_BITS = 8
"""Bits of a pixel that is not encoded yet."""

_RUN = 32
"""Inputs that the exported C program looks at together, at most."""

_SUM_BYTES = 2
"""Bytes of the sum of up to 255 values of a signal in the exported C program."""


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
        _check(self)

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


@dataclass(frozen=True)
class Size:
    """What a network's costs follow from: its layers, and what exists once.

    Parameters
    ----------
    layers : tuple of LayerSize
    n_classes : int
    readout : str, default "proportion"
        Name of the readout; the table of ``majority`` is stored as one label per feature of the last layer.
    readout_bits : int, default 32
        Bits of one entry of any other readout's table.
    silence : bool, default False
        Whether the table of ``proportion`` has a bias, as silence means a class; ``linear`` always has one.
    waiting_inputs : int, default 0
        Inputs that wait beside those of the first layer's field: the rest of the rows that it covers, or of
        the sample if the encoder needs all of it before the first spike.
    input_bits : int, default 0
        Bits of one value of the input buffer; 0 is a network whose input comes as spikes, and none waits.
    contrast_inputs : int, default 0
        Intensities that are kept for the contrast: for local means (`fspinn.network.OnOff`), or levels that
        steps are counted from (`fspinn.network.Delta`).
    sample_inputs : int, default 0
        Values of a whole sample.
    kept_bytes : int, default 0
        Of the values that the exported C program keeps of a signal, see `kept_values`, and of the sums of
        those whose mean it will keep.
    kept_rows : int, default 0
        Bytes of the rows that it keeps of an image, see `fspinn.memmodel.size.kept_rows`.
    kept_times : int, default 0
        Inputs whose times of spikes the exported C program keeps, of as many lines as the field has, where
        its first layer is a column that is computed line by line (`is_column`).
    kept_lines : int, default 0
        How many lines these are; of a signal each value is one.
    pooled : int, default 1
        Pixels whose mean is one input, see `fspinn.Network.pool`.
    block_sums : int, default 0
        Sums of such blocks that are kept while a sample arrives row by row.
    encoder : str, default "poisson"
        Kind of the encoder. The program of a microcontroller depends on that, and on the contrast.
    white_spikes : float, default 199.5
        Spikes that a sample with one white pixel causes at the input, where intensities become rates.
    passes : int, default 0
        How often the exported C program looks at all intensities before the first time step.
    contrast : int, default 1
        Channels that a contrast splits each into; 1 is none.
    contrast_pixels : int, default 0
        Values around one whose mean it is compared with, three a pixel where these are of colours; 0: it is
        not compared with a mean.
    extra_features : int, default 0
        Numbers beside a sample that the readout listens to (`fspinn.model.features`).
    counts_steps : bool, default False
        Whether it counts steps.
    learns : bool, default True
        Whether a device can learn it itself; what labels and gradients have tuned comes from a host.

    Raises
    ------
    ConfigError
        If a value is not a whole number or too small, or a layer has more inputs than the one before it has
        features.

    Examples
    --------
    >>> Size((LayerSize(784, 400, weight_bits=4),), n_classes=10).features
    400
    """

    layers: tuple[LayerSize, ...]
    n_classes: int
    readout: str = "proportion"
    readout_bits: int = 32
    silence: bool = False
    waiting_inputs: int = 0
    input_bits: int = 0
    contrast_inputs: int = 0
    sample_inputs: int = 0
    kept_bytes: int = 0
    kept_rows: int = 0
    kept_times: int = 0
    kept_lines: int = 0
    pooled: int = 1
    block_sums: int = 0
    encoder: str = Poisson.kind
    white_spikes: float = 199.5
    passes: int = 0
    contrast: int = 1
    contrast_pixels: int = 0
    extra_features: int = 0
    counts_steps: bool = False
    learns: bool = True

    def __post_init__(self) -> None:
        _check(self)
        for before, layer in pairwise(self.layers):
            if not np.all(np.less_equal(layer.n_inputs, before.features)):
                raise ConfigError(
                    f"n_inputs: {layer.n_inputs} are more than the {before.features} features of the layer "
                    "before; give at most those"
                )

    @property
    def rates(self) -> bool:
        """Whether intensities are encoded as rates."""
        return self.encoder in RATES

    @property
    def features(self) -> int:
        """Spike counts that the readout listens to."""
        return self.layers[-1].features

    @property
    def extra_rows(self) -> Numbers:
        """Rows of the readout's table that belong to the extra features."""
        return INPUTS * self.extra_features

    @property
    def readout_rows(self) -> Numbers:
        """Rows of the readout's table."""
        return self.features + self.extra_rows

    @property
    def buffered_inputs(self) -> Numbers:
        """Values of the input buffer."""
        return self.layers[0].n_inputs + self.waiting_inputs

    @property
    def sum_bits(self) -> Numbers:
        """Bits of the sum of the pixels of a block."""
        return count_bits((2**INTENSITY_BITS - 1) * self.pooled)

    @property
    def online(self) -> "Size":
        """This network on a stream of events, which are answered as they come.

        No input waits, and the neurons of all positions are kept at once.
        """
        if self.layers[0].online:
            return self
        layers = tuple(replace(layer, online=True) for layer in self.layers)
        return replace(
            self,
            layers=layers,
            waiting_inputs=0,
            input_bits=0,
            contrast_inputs=0,
            kept_bytes=0,
            kept_rows=0,
            kept_times=0,
            kept_lines=0,
            block_sums=0,
        )

    @property
    def at_once(self) -> "Size":
        """This network on circuits that keep the potentials of all positions."""
        return replace(self, layers=tuple(replace(layer, together=True) for layer in self.layers))

    @classmethod
    def of(cls, model: AnyModel) -> "Size":
        """Return the size of a trained model, or of that which a result holds."""
        model = model_of(model)
        format = model.readout.format
        size = cls.of_network(
            model.network,
            model.learner,
            model.image_shape,
            n_classes=model.readout.n_classes,
            weight_bits=32,
            readout=model.readout.name,
            readout_bits=32 if format is None else format.bits,
            extra_features=0 if model.features is None else len(model.features.names),
        )
        layers = tuple(
            replace(
                layer,
                n_inputs=tensors.inputs_used,
                weight_bits=tensors.weights.bits,
                state_bits=tensors.state_bits,
                threshold_bits=tensors.theta.bits,
                mapped_pixels=0 if tensors.inputs_used == tensors.inputs else tensors.inputs,
                changing_bits=_changing_bits(tensors),
            )
            for layer, tensors in zip(size.layers, model.layers, strict=True)
        )
        return replace(
            size,
            layers=layers,
            waiting_inputs=(size.buffered_inputs - layers[0].n_inputs) * layers[0].slides,
            silence=model.readout.name != BIASED_READOUT and model.readout.bias is not None,
        )

    @classmethod
    def of_network(
        cls,
        network: Network,
        learner: Learner,
        image_shape: tuple[int, ...],
        n_classes: int,
        weight_bits: int,
        readout: str = "proportion",
        readout_bits: int = 32,
        extra_features: int = 0,
    ) -> "Size":
        """Return the size of a network that need not exist yet.

        One whose encoder is `fspinn.network.Events` is `online`, with a bit for each input of the sensor:
        whether it has spiked in this time step.

        Parameters
        ----------
        network : Network
        learner : Learner
            With which it learns; a device itself can do so with `Stdp` only.
        image_shape : tuple of int
            Height and width of what it sees, and perhaps channels.
        n_classes, weight_bits : int
        readout : str, default "proportion"
        readout_bits : int, default 32
        extra_features : int, default 0
        """
        on_device = learner if isinstance(learner, Stdp) else Stdp()
        layers = [
            _layer_size(layer, network, on_device, network.input_shape(image_shape, number), weight_bits)
            for number, layer in enumerate(network.layers)
        ]
        size = cls(
            tuple(layers),
            n_classes,
            readout,
            readout_bits,
            encoder=network.encoder.kind,
            white_spikes=_white_spikes(network),
            passes=_passes(network, prod(network.input_shape(image_shape))),
            contrast=network.contrast.channels,
            contrast_pixels=_mean_of(network, image_shape),
            extra_features=extra_features,
            counts_steps=isinstance(network.contrast, Delta | LevelDelta),
            learns=type(learner) is Stdp,
            **_of_the_input(network, image_shape),
        )
        if not isinstance(network.encoder, Events):
            return size
        others = max(0, size.sample_inputs - layers[0].n_inputs)
        return replace(size.online, waiting_inputs=others, input_bits=layers[0].slides)


class _OfTheInput(TypedDict):
    waiting_inputs: int
    input_bits: int
    contrast_inputs: int
    sample_inputs: int
    kept_bytes: int
    kept_rows: int
    kept_times: int
    kept_lines: int
    pooled: int
    block_sums: int


def _of_the_input(network: Network, image_shape: tuple[int, ...]) -> _OfTheInput:
    """Return what a device keeps of a sample whose rows, or values of a signal, arrive one after the other.

    Which that is, `fspinn.memmodel.footprint` says. A layer at one position gets its input as spikes, all of
    them in each time step; their bits are counted as `spikes`, and what encodes them is not in the model.
    """
    encoder, contrast, field = network.encoder, network.contrast, network.layers[0].field
    height, width, channels = network.input_shape(image_shape)
    values, pooled = channels // contrast.channels, prod(block_of(network.pool, image_shape))
    # The values, and the levels that steps are counted from.
    lines = 2 if isinstance(contrast, LevelDelta) else 1
    column = is_column(network)
    kept_times = kept_lines = 0
    if column and field is not None:
        kept_lines = field[1] if image_shape[0] == 1 else field[0]
        kept_times = channels * kept_lines * (1 if image_shape[0] == 1 else width)
    kept_bytes = kept_values(network, image_shape) * lines * values * (not column)
    if (
        pooled > 1
        and image_shape[0] == 1
        and field is not None
        and not encoder.needs_whole_sample
        and not column
    ):
        kept_bytes += _SUM_BYTES * values
    row_bytes = kept_rows(network, image_shape) * prod(image_shape[1:])
    if field is None or network.layers[0].positions(height, width) == (1, 1):
        return _OfTheInput(
            waiting_inputs=0,
            input_bits=0,
            contrast_inputs=0,
            sample_inputs=0,
            kept_bytes=kept_bytes,
            kept_rows=row_bytes,
            kept_times=kept_times,
            kept_lines=kept_lines,
            pooled=pooled,
            block_sums=0,
        )
    coded = isinstance(encoder, FirstSpike) and not encoder.needs_whole_sample
    # A signal is a column of single values: its time runs along the width.
    arriving, across, reach = (width, 1, field[1]) if image_shape[0] == 1 else (height, width, field[0])
    kept = arriving if encoder.needs_whole_sample else reach
    around = min(2 * contrast.radius + 1, arriving) if isinstance(contrast, OnOff) else 0
    levels = isinstance(contrast, Delta | LevelDelta)
    return {
        "waiting_inputs": kept * across * channels - network.layers[0].fan_in(height, width, channels),
        "input_bits": count_bits(network.steps) if coded else INTENSITY_BITS,
        "contrast_inputs": (around * across + levels) * values,
        "sample_inputs": height * width * channels,
        "kept_bytes": kept_bytes,
        "kept_rows": row_bytes,
        "kept_times": kept_times,
        "kept_lines": kept_lines,
        "pooled": pooled,
        "block_sums": across * values if pooled > 1 else 0,
    }


def _white_spikes(network: Network) -> float:
    """Return the spikes of a sample with one white pixel, where intensities become rates."""
    encoder = network.encoder
    if isinstance(encoder, FirstSpike | Events):
        return 1.0
    rate_hz = encoder.max_rate_hz if isinstance(encoder, Unscaled) else encoder.rate_norm_hz
    return rate_hz * network.duration_ms / 1000


def _passes(network: Network, inputs: int) -> int:
    """Return how often the exported C program looks at all intensities before the first time step.

    Once for the norm of rates or the brightest; and to find which are the brightest ones, bit by bit, eight
    times, and once more for those that are equally bright.
    """
    encoder = network.encoder
    if not encoder.needs_whole_sample:
        return 0
    few = isinstance(encoder, FirstSpike) and encoder.spikes is not None and encoder.spikes < inputs
    return 1 + few * (INTENSITY_BITS + 1)


def _mean_of(network: Network, image_shape: tuple[int, ...]) -> int:
    """Return the values around one whose mean `OnOff` compares it with, and 0 without it."""
    if not isinstance(network.contrast, OnOff):
        return 0
    height, width, _ = network.input_shape(image_shape)
    around = 2 * network.contrast.radius + 1
    colours = 3 if network.contrast.of == "colours" else 1
    return colours * min(around, height) * min(around, width)


def is_column(network: Network) -> bool:
    """Whether the exported C program computes the first layer line by line, as a column without leak.

    Its inputs spike once, at a time that needs no other pixel, and the first output spike ends a position.
    """
    layer, encoder = network.layers[0], network.encoder
    return (
        layer.field is not None
        and layer.inhibition.kind == First.kind
        and layer.neuron.tau_m_ms is None
        and isinstance(encoder, FirstSpike)
        and not encoder.needs_whole_sample
        and isinstance(network.contrast, NoContrast)
    )


def kept_values(network: Network, image_shape: tuple[int, ...]) -> int:
    """Return how many values of a signal, each of all channels, the exported C program keeps at a time.

    For a field along time: those of the field, as many as a contrast looks back and ahead, and to count steps
    the one before. Without such a field steps are counted between two.
    """
    _, width, _ = network.input_shape(image_shape)
    field, contrast = network.layers[0].field, network.contrast
    levels = isinstance(contrast, Delta | LevelDelta)
    if isinstance(network.encoder, Events):
        return 0
    if image_shape[0] > 1 or field is None:
        return 2 * levels
    return min(field[1] + 2 * contrast.radius + levels, width)


def _layer_size(
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


def _changing_bits(tensors: LayerTensors) -> int:
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


def _check(size: LayerSize | Size) -> None:
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


def kept_rows(network: Network, image_shape: tuple[int, ...]) -> int:
    """Return how many rows of an image the exported C program keeps, where they can come one by one.

    Those of the field, and as many as a contrast looks up and down, each of as many as a block has; 0 of a
    column (`is_column`), which keeps times, and where the encoder or the field needs the whole image.
    """
    field, encoder = network.layers[0].field, network.encoder
    if field is None or image_shape[0] == 1 or is_column(network):
        return 0
    if encoder.needs_whole_sample or isinstance(encoder, Events):
        return 0
    rows, _ = block_of(network.pool, image_shape)
    kept: int = rows * (field[0] + 2 * network.contrast.radius)
    return kept if kept < image_shape[0] else 0
