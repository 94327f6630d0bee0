"""Which whole numbers and choices do the costs of a network follow from?"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from fspinn.base.errors import ConfigError
from fspinn.memmodel.inputs import INTENSITY_BITS, of_the_input
from fspinn.memmodel.layer_size import LayerSize, changing_bits, check_size, layer_size
from fspinn.memmodel.packing import Numbers, count_bits
from fspinn.model.features import INPUTS
from fspinn.model.model import BIASED_READOUT, AnyModel, model_of
from fspinn.network.description import Network
from fspinn.network.inputs import Delta, Events, LevelDelta, Poisson, Regular, Unscaled
from fspinn.network.learners import Learner
from fspinn.network.rules import Stdp

RATES = (Poisson.kind, Regular.kind, Unscaled.kind)
"""Kinds of encoders that make rates of intensities."""


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
        Of the values that the exported C program keeps of a signal (`fspinn.memmodel.inputs.kept_values`),
        and of the sums of those whose mean it will keep.
    kept_rows : int, default 0
        Bytes of the rows that it keeps of an image, see `fspinn.memmodel.inputs.kept_rows`.
    kept_times : int, default 0
        Inputs whose times of spikes the exported C program keeps, of as many lines as the field has, where
        its first layer is a column that is computed line by line (`fspinn.memmodel.inputs.is_column`).
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
        check_size(self)
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
                changing_bits=changing_bits(tensors),
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
            layer_size(layer, network, on_device, network.input_shape(image_shape, number), weight_bits)
            for number, layer in enumerate(network.layers)
        ]
        size = cls(
            tuple(layers),
            n_classes,
            readout,
            readout_bits,
            encoder=network.encoder.kind,
            contrast=network.contrast.channels,
            extra_features=extra_features,
            counts_steps=isinstance(network.contrast, Delta | LevelDelta),
            learns=type(learner) is Stdp,
            **of_the_input(network, image_shape),
        )
        if not isinstance(network.encoder, Events):
            return size
        others = max(0, size.sample_inputs - layers[0].n_inputs)
        return replace(size.online, waiting_inputs=others, input_bits=layers[0].slides)
