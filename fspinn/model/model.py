"""What came out of training? The model, its readout, and what was counted on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.base.printing import Drawn, Printed
from fspinn.base.settings import from_plain
from fspinn.model.activity import Activity
from fspinn.model.features import Features
from fspinn.model.tensors import LayerTensors
from fspinn.network.description import Network
from fspinn.network.inputs import Events
from fspinn.network.learners import Learner
from fspinn.network.recordings import check_encoder
from fspinn.network.rules import Stdp
from fspinn.quant.formats import Format

if TYPE_CHECKING:
    from fspinn.datasets import Scale
    from fspinn.datasets.mapped import Images

LABEL_READOUT = "majority"
"""The readout whose table a device stores as one label per neuron."""

BIASED_READOUT = "linear"
"""The readout that adds a bias to the scores."""


def bias_bits(table_bits: Any) -> Any:
    """Return the bits of a bias beside a table of so many bits an entry: 16, or 32 beside more than 8."""
    return 16 + 16 * (table_bits > 8)


@dataclass(frozen=True, repr=False)
class Readout(Printed):
    """Which class do these spikes mean? A table of how much a spike of each neuron speaks for each class.

    The score of a class is its bias plus the sum, over the rows, of spikes times table. The highest score
    wins, among equals the first class.

    Parameters
    ----------
    name : str
        How the table was fitted (see `fspinn.model.readout`).
    table : ndarray of float32, shape (n_rows, n_classes)
        A row for each neuron in each cell, and for each input that features become (`Features`).
    format : Format or None, default None
        Number format that the table was quantized to; None is float32.
    bias : ndarray of float32, shape (n_classes,), or None, default None
        Score of each class before the first spike; None is zero for all.

    Attributes
    ----------
    bias_format : Format or None
        Steps as of the table, `bias_bits` in all; None is float32.
    """

    name: str
    table: NDArray[np.float32]
    format: Format | None = None
    bias: NDArray[np.float32] | None = None

    def __str__(self) -> str:
        rows, classes = self.table.shape
        return f"{self.name}, {rows} x {classes} numbers in {self.format or self.table.dtype}"

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.table.shape[-1])

    @property
    def bias_format(self) -> Format | None:
        """Number format of the bias."""
        if self.format is None:
            return None
        return replace(
            self.format,
            integer_bits=bias_bits(self.format.bits) - self.format.fraction_bits,
            signed=True,
        )

    @property
    def parameter_count(self) -> int:
        """How many numbers a device has to store, the labels of ``majority`` being one per row."""
        if self.name == LABEL_READOUT:
            return len(self.table)
        return self.table.size + (0 if self.bias is None else self.bias.size)

    def shapes(self, n_rows: int) -> list[tuple[str, NDArray[Any], tuple[int, ...]]]:
        """Return name, array and the shape it needs to fit a network, for each array there is."""
        found: list[tuple[str, NDArray[Any], tuple[int, ...]]] = [
            ("readout", self.table, (n_rows, self.n_classes))
        ]
        if self.bias is not None:
            found.append(("readout_bias", self.bias, (self.n_classes,)))
        return found


@dataclass(frozen=True, eq=False, repr=False)
class Model(Drawn):
    """A trained network with everything needed to use it, and where it came from.

    Parameters
    ----------
    network : Network
        The description, with `weight_norm` settled.
    image_shape : tuple of int
        Height and width of the images it was trained on, and channels if they have several.
    layers : tuple of LayerTensors
        What each layer learned.
    readout : Readout
    activity : mapping of str to tuple of Activity
        What each layer did: ``"training"`` over the whole training, ``"inference"`` over the images that the
        readout was fitted on.
    record : mapping
        Learner, seed, data set and its checksum, names of the classes, versions, measured accuracies: plain
        values that fit in JSON.
    scale : Scale or None, default None
        How signals become the images that it sees; None if it was trained on images.
    features : Features or None, default None
        Numbers beside a sample that the readout listens to, after the neurons.

    Raises
    ------
    ConfigError
        If the shapes do not fit together.
    """

    network: Network
    image_shape: tuple[int, ...]
    layers: tuple[LayerTensors, ...]
    readout: Readout
    activity: Mapping[str, tuple[Activity, ...]] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    scale: "Scale | None" = None
    features: Features | None = None

    def __post_init__(self) -> None:
        described = self.network.layers
        if len(self.layers) != len(described):
            raise ConfigError(
                f"layers: tensors of {len(self.layers)} do not fit a network of {len(described)}"
            )
        if len(self.image_shape) not in (2, 3):
            raise ConfigError(f"image_shape: {self.image_shape} is not height and width; give both")
        self.network.geometries(self.image_shape)
        for number, (layer, tensors) in enumerate(zip(described, self.layers, strict=True)):
            inputs = layer.fan_in(*self.network.input_shape(self.image_shape, number))
            _check_shape("weights", tensors.weights.numbers, (inputs, layer.neurons))
            if tensors.input_mask is not None and (number > 0 or layer.field is not None):
                raise ConfigError(
                    "input_mask: only a first layer that sees the whole input can leave inputs out; use all"
                )
        for name, array, shape in self.readout.shapes(self.readout_rows):
            _check_shape(name, array, shape)
            if not np.isfinite(array).all():
                raise ConfigError(f"{name}: holds NaN or infinity; train the network again")
        channels = self.image_shape[2] if len(self.image_shape) == 3 else 1
        if self.scale is not None and (self.image_shape[0] != 1 or len(self.scale.low) != channels):
            raise ConfigError(
                f"scale: of {len(self.scale.low)} channel(s) does not fit signals of "
                f"shape {self.image_shape}; give that of the data it was trained on"
            )
        if len(self.class_names) != self.readout.n_classes:
            raise ConfigError(
                f"class_names: {len(self.class_names)} names do not fit a readout of "
                f"{self.readout.n_classes} classes; give one for each"
            )

    def __str__(self) -> str:
        weights = ", ".join(dict.fromkeys(str(one.weights.format or "float32") for one in self.layers))
        readout = f"{self.readout.name} readout of {self.readout.n_classes} classes"
        measured = self.record.get("validation_accuracy")
        accuracy = "" if measured is None else f"; {100 * measured:.2f} % on validation"
        return f"{self.network}; {weights} weights, {readout}{accuracy}"

    @property
    def readout_rows(self) -> int:
        """Rows of the readout's table: a neuron in each cell, and after these the inputs of `features`."""
        return self.network.features + (0 if self.features is None else self.features.rows)

    @property
    def layer(self) -> LayerTensors:
        """The tensors of a network of one layer.

        Raises
        ------
        ConfigError
            If the network has several.
        """
        if len(self.layers) > 1:
            raise ConfigError(f"layers: this works for one layer, and the network has {len(self.layers)}")
        return self.layers[0]

    @property
    def learner(self) -> Learner:
        """The settings of the learner that made it; those by default where the record says nothing."""
        return Stdp() if "learner" not in self.record else from_plain(Learner, self.record["learner"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """What a person calls the classes; their numbers, where the model does not say."""
        return tuple(self.record.get("class_names") or map(str, range(self.readout.n_classes)))

    @property
    def quantized(self) -> bool:
        """Whether some numbers have a format."""
        return self.readout.format is not None or any(layer.weights.format for layer in self.layers)


def _check_shape(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ConfigError(f"{name}: shape {array.shape} does not fit; this network needs {shape}")


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
    """Raise `ConfigError` if images have another size than those that a model was trained on.

    So it is if they are recordings of events and those were images, or the reverse.
    """
    check_encoder(model.network, images, images_from)
    given, wanted = images.shape[1:], model.image_shape
    if given != wanted:
        what, first = ("pixels", 0) if model.scale is None else ("values", 1)
        sizes = [" x ".join(map(str, shape[first:])) for shape in (given, wanted)]
        raise ConfigError(
            f"{images_from}: {sizes[0]} {what} do not fit a model for {sizes[1]}; {_fix(model, given)}, or "
            "choose the data set it was trained on"
        )


def _fix(model: Model, given: tuple[int, ...]) -> str:
    """Return how samples of a size become those of a model."""
    wanted = model.image_shape
    if model.network.encoder.kind == Events.kind:
        return "give recordings of that sensor"
    if model.scale is not None:
        return "cut or pad them, such as with --length" if given[2:] == wanted[2:] else "give those channels"
    if len(given) > len(wanted):
        return "bring them to that size, in grey"
    return "bring them to that size, in colour" if len(given) < len(wanted) else "resize the images"
