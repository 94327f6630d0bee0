"""What came out of training? The model, its readout, and what was counted on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.model.activity import Activity
from fspinn.network.description import Network
from fspinn.quant.formats import Format

if TYPE_CHECKING:
    from fspinn.datasets.mapped import Images

LABEL_READOUT = "majority"
"""The readout whose table a device stores as one label per neuron."""

BIASED_READOUT = "linear"
"""The readout that adds a bias to the scores."""


@dataclass(frozen=True)
class Formats:
    """Number formats of a network that computes with integers only (see `fspinn.lowering.integers`).

    Parameters
    ----------
    weights : Format
    state : Format
        Of the membrane potentials, and of thresholds and of what inhibition takes.
    theta : Format
        Of what adaptation added to each threshold.
    """

    weights: Format
    state: Format
    theta: Format


@dataclass(frozen=True)
class Readout:
    """Which class do these spikes mean? A table of how much a spike of each neuron speaks for each class.

    The score of a class is its bias plus the sum, over the neurons, of spikes times table. The highest score
    wins, among equals the first class.

    Parameters
    ----------
    name : str
        How the table was fitted (see `fspinn.model.readout`).
    table : ndarray of float32, shape (n_neurons, n_classes)
    format : Format or None, default None
        Number format that the table was quantized to; None is float32.
    bias : ndarray of float32, shape (n_classes,), or None, default None
        Score of each class before the first spike; None is zero for all.
    """

    name: str
    table: NDArray[np.float32]
    format: Format | None = None
    bias: NDArray[np.float32] | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.table.shape[-1])

    @property
    def parameter_count(self) -> int:
        """How many numbers a device has to store, the labels of ``majority`` being one per neuron."""
        if self.name == LABEL_READOUT:
            return len(self.table)
        return self.table.size + (0 if self.bias is None else self.bias.size)

    def shapes(self, n_neurons: int) -> list[tuple[str, NDArray[Any], tuple[int, ...]]]:
        """Return name, array and the shape it needs to fit a network, for each array there is."""
        found: list[tuple[str, NDArray[Any], tuple[int, ...]]] = [
            ("readout", self.table, (n_neurons, self.n_classes))
        ]
        if self.bias is not None:
            found.append(("readout_bias", self.bias, (self.n_classes,)))
        return found


@dataclass(frozen=True)
class Model:
    """A trained network with everything needed to use it, and where it came from.

    Parameters
    ----------
    network : Network
        The description, with `weight_norm` settled.
    image_shape : tuple of int
        Height and width of the images it was trained on.
    weights : ndarray of float32, shape (n_inputs, n_neurons)
        One row per input pixel, in C order.
    theta : ndarray of float32, shape (n_neurons,)
        What adaptation added to the firing threshold of each neuron.
    readout : Readout
    weight_format : Format or None, default None
        Number format that the weights were quantized to; None is float32.
    state_format, theta_format : Format or None, default None
        Number formats of potentials and of theta. A model that has them, and a weight format, computes with
        integers only, as `fspinn.lowering.integers` says; it has both or none.
    heard : ndarray of bool, shape (n_pixels,), or None, default None
        Which pixels are inputs, of a model that computes with integers; None is all. The weights of the
        others, which were dropped, are 0.
    activity : mapping of str to Activity
        What was counted: ``"training"`` over the whole training, ``"inference"`` over the
        images that the readout was fitted on.
    record : mapping
        Seed, data set and its checksum, names of the classes, versions, measured accuracies: plain values
        that fit in JSON.

    Raises
    ------
    ConfigError
        If the shapes do not fit together.
    """

    network: Network
    image_shape: tuple[int, int]
    weights: NDArray[np.float32]
    theta: NDArray[np.float32]
    readout: Readout
    weight_format: Format | None = None
    state_format: Format | None = None
    theta_format: Format | None = None
    heard: NDArray[np.bool_] | None = None
    activity: Mapping[str, Activity] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        height, width = self.image_shape
        neurons = self.network.neurons
        for name, array, shape in (
            ("weights", self.weights, (height * width, neurons)),
            ("theta", self.theta, (neurons,)),
            *self.readout.shapes(neurons),
        ):
            if array.shape != shape:
                raise ConfigError(f"{name}: shape {array.shape} does not fit; this network needs {shape}")
            if not np.isfinite(array).all():
                raise ConfigError(f"{name}: holds NaN or infinity; train the network again")
        if len(self.class_names) != self.readout.n_classes:
            raise ConfigError(
                f"class_names: {len(self.class_names)} names do not fit a readout of "
                f"{self.readout.n_classes} classes; give one for each"
            )
        with_integers = (self.state_format is not None, self.theta_format is not None)
        if with_integers[0] != with_integers[1] or (with_integers[0] and self.weight_format is None):
            raise ConfigError("state_format: goes with theta_format and weight_format; give all three")
        if self.heard is not None and (self.heard.shape != (height * width,) or self.formats is None):
            raise ConfigError("heard: a bool for each pixel of a model in integers; this is something else")

    @property
    def n_inputs(self) -> int:
        """Number of input pixels."""
        return int(self.weights.shape[0] if self.heard is None else np.count_nonzero(self.heard))

    @property
    def formats(self) -> Formats | None:
        """The formats of a model that computes with integers only; None if it does not."""
        if self.weight_format is None or self.state_format is None or self.theta_format is None:
            return None
        return Formats(self.weight_format, self.state_format, self.theta_format)

    @property
    def class_names(self) -> tuple[str, ...]:
        """What a person calls the classes; their numbers, where the model does not say."""
        return tuple(self.record.get("class_names") or map(str, range(self.readout.n_classes)))

    @property
    def weight_bits(self) -> int:
        """Bits of one weight."""
        return 32 if self.weight_format is None else self.weight_format.bits

    @property
    def state_bits(self) -> int:
        """Bits of one potential."""
        return 32 if self.state_format is None else self.state_format.bits

    @property
    def theta_bits(self) -> int:
        """Bits of one theta."""
        return 32 if self.theta_format is None else self.theta_format.bits


class HasModel(Protocol):
    """What holds a model, such as the result of a training."""

    @property
    def model(self) -> Model | None:
        """The model, if there is one."""


AnyModel: TypeAlias = Model | HasModel
"""What functions that need a model accept."""


def model_of(given: AnyModel) -> Model:
    """Return a model from itself, or from a result that holds it.

    Raises
    ------
    ConfigError
        If there is none.
    """
    model = given if isinstance(given, Model) else getattr(given, "model", None)
    if not isinstance(model, Model):
        raise ConfigError(
            f"model: {type(given).__name__} holds no model; give one that fspinn.load or fspinn.train returns"
        )
    return model


def check_size(model: Model, images: "Images", images_from: str) -> None:
    """Raise `ConfigError` if images have another size than those that a model was trained on."""
    if images.shape[1:] != model.image_shape:
        raise ConfigError(
            f"{images_from}: {_pixels(images.shape[1:])} pixels do not fit a model for "
            f"{_pixels(model.image_shape)}; resize the images, or choose the data set it was trained on"
        )


def _pixels(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in shape)
