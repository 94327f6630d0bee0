"""A linear classifier on the bytes of a sample, in integers: what a search measures beside spiking networks.

Scores are ``inputs @ weights + biases * bias_step``, in whole numbers throughout: the inputs are the bytes of
the pixels, and after these those of features. The highest score wins, among equals the first class.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base import hdf5 as sealed
from fspinn.base.errors import ConfigError, DataError
from fspinn.datasets.scale import Scale
from fspinn.model.features import Features
from fspinn.model.model import bias_bits
from fspinn.model.readout import NO_ANSWER, leads

FORMAT_VERSION = 1
"""Files of other versions are refused."""

KIND = "classifier"

WHITE = 255
"""A white pixel."""

_FIX = "search again, or take a copy"
_PIECE = 2000


def drops_inputs(kept: NDArray[np.bool_], row_bits: int) -> bool:
    """Return whether a bit for each input, and weights of those that have any, take less than all weights."""
    return bool(kept.sum() * row_bits + len(kept) < len(kept) * row_bits)


@dataclass(frozen=True, eq=False)
class LinearTable:
    """Weights and biases in whole numbers.

    Parameters
    ----------
    weights : ndarray of int64, shape (n_inputs, n_classes)
        Signed, of `bits` each. A class without labelled samples has less than any other, whatever the input.
    biases : ndarray of int64, shape (n_classes,)
        Signed, of `fspinn.model.model.bias_bits`, in steps of `bias_step`.
    bits, bias_step : int
    step : float
        By how much a score of one more changes the logarithm of the odds, as it was fitted.
    """

    weights: NDArray[np.int64]
    biases: NDArray[np.int64]
    bits: int
    bias_step: int
    step: float

    @classmethod
    def rounded(cls, whole: NDArray[Any], bias: NDArray[Any], weight_step: float, bits: int) -> "LinearTable":
        """Return the table of weights that are whole steps already, with biases in floats of the same scores.

        Parameters
        ----------
        whole : ndarray, shape (n_inputs, n_classes)
            Of inputs from 0 to 1.
        bias : ndarray, shape (n_classes,)
        weight_step : float
        bits : int
        """
        step = float(weight_step) / WHITE
        if not whole.any():  # then nothing says how fine a step is
            step = max(float(np.abs(bias).max()), 1.0) / WHITE
        wanted, half = np.asarray(bias, np.float64) / step, 2 ** (int(bias_bits(bits)) - 1)
        bias_step = max(1, ceil(np.abs(wanted).max() / (half - 1)))  # one below the lowest is still there
        biases = np.rint(wanted / bias_step).astype(np.int64)
        return cls(np.asarray(whole, np.int64), biases, bits, bias_step, step)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which inputs have any weight, shape (n_inputs,)."""
        return np.asarray(self.weights.any(axis=1))

    @property
    def drops(self) -> bool:
        """Whether a device keeps a bit for each input that says so."""
        return drops_inputs(self.kept, self.weights.shape[1] * self.bits)

    def scores(self, inputs: NDArray[Any], white: int = WHITE) -> NDArray[np.int64]:
        """Return the scores, shape (n, n_classes), for inputs of shape (n, n_inputs).

        They are whole numbers, or parts of white, of which there are 255, if `white` is 1.
        """
        weights = self.weights.astype(np.float64)  # of BLAS; such sums are exact up to 2^53
        found = np.empty((len(inputs), weights.shape[1]), np.int64)
        for start in range(0, len(inputs), _PIECE):
            some = slice(start, start + _PIECE)
            whole = inputs[some].astype(np.float64)
            found[some] = np.rint(whole * (WHITE // white)) @ weights
        return found + self.biases * self.bias_step

    def among(self, classes: NDArray[np.int64], n_classes: int) -> "LinearTable":
        """Return a table of all classes, where those of this one are some of them."""
        weights = np.repeat(self.weights.min(axis=1, keepdims=True), n_classes, axis=1)
        biases = np.full(n_classes, self.biases.min() - 1)
        weights[:, classes], biases[classes] = self.weights, self.biases
        return LinearTable(weights, biases, self.bits, self.bias_step, self.step)


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """A linear classifier with everything needed to use it.

    Parameters
    ----------
    table : LinearTable
    image_shape : tuple of int
        Height and width of the images it was fitted on, and channels if they have several.
    class_names : tuple of str
    scale : Scale or None, default None
        How signals become the images that it sees; None if it was fitted on images.
    features : Features or None, default None
        Numbers beside a sample whose bytes follow those of the pixels.
    record : mapping
        Data set, seed and measured accuracy: plain values that fit in JSON.

    Raises
    ------
    ConfigError
        If the shapes do not fit together.
    """

    table: LinearTable
    image_shape: tuple[int, ...]
    class_names: tuple[str, ...]
    scale: Scale | None = None
    features: Features | None = None
    record: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        extra = 0 if self.features is None else len(self.features.names)
        shape = prod(self.image_shape) + extra, len(self.class_names)
        if self.table.weights.shape != shape or self.table.biases.shape != shape[1:]:
            raise ConfigError(
                f"weights: shape {self.table.weights.shape} does not fit; this classifier needs {shape}"
            )

    def inputs(self, images: Any, features: Any = None) -> NDArray[np.uint8]:
        """Return the bytes that images and the features beside them become, shape (n, n_inputs).

        Raises
        ------
        ConfigError
            If the images have another size.
        DataError
            If their features are missing.
        """
        images = np.asarray(images)
        self.check(images, "images")
        pixels: NDArray[np.uint8] = images.reshape(len(images), -1)
        if self.features is None:
            return pixels
        values = self.features.checked(features, len(images), "images")
        return np.concatenate([pixels, self.features.in_bytes(values)], axis=1)

    def check(self, images: Any, images_from: str) -> None:
        """Raise `ConfigError` if images have another size, or are recordings of events."""
        if getattr(images, "dtype", None) != np.uint8 or images.shape[1:] != self.image_shape:
            sizes = [" x ".join(map(str, shape)) for shape in (images.shape[1:], self.image_shape)]
            raise ConfigError(
                f"{images_from}: {sizes[0]} do not fit a classifier for bytes of {sizes[1]}; resize the "
                "images, or choose the data set it was fitted on"
            )

    def predict(self, images: Any, features: Any = None, *, reject: float = 0.0) -> NDArray[np.int64]:
        """Return the class of each image.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, height, width) or (n, height, width, channels)
        features : array-like of float, shape (n, k), optional
            If it was fitted with some.
        reject : float, default 0.0
            Margin of logarithms of odds, below which -1 is answered.

        Returns
        -------
        ndarray of int64, shape (n,)
        """
        scores = self.table.scores(self.inputs(images, features))
        answers: NDArray[np.int64] = np.where(
            leads(scores.astype(np.float64)) < self.margin(reject), NO_ANSWER, scores.argmax(axis=1)
        )
        return answers

    def margin(self, reject: float) -> int:
        """Return how far the best score has to lead."""
        return ceil(Fraction(reject) / Fraction(self.table.step))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file; an older one of that name is replaced only when the new one is whole.

        Raises
        ------
        ModelFileError
            If the file cannot be written; nothing is left behind.
        """
        table = self.table
        settings = {
            "format_version": FORMAT_VERSION,
            "bits": table.bits,
            "bias_step": table.bias_step,
            "step": table.step,
            "image_shape": list(self.image_shape),
            "class_names": list(self.class_names),
            "scale": None if self.scale is None else asdict(self.scale),
            "features": None if self.features is None else asdict(self.features),
            "record": dict(self.record),
        }
        arrays = {"weights": table.weights.astype(np.int32), "biases": table.biases}
        sealed.write(Path(path), KIND, settings, arrays, compressed=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "LinearClassifier":
        """Read one from a file.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, not such a classifier, or of another version.
        """
        path = Path(path)
        settings, arrays = sealed.read(path, KIND, version=FORMAT_VERSION, fix=_FIX)
        try:
            numbers = {name: arrays[name].astype(np.int64) for name in ("weights", "biases")}
            features = settings["features"]
            return cls(
                LinearTable(
                    **numbers,
                    bits=settings["bits"],
                    bias_step=settings["bias_step"],
                    step=settings["step"],
                ),
                tuple(settings["image_shape"]),
                tuple(settings["class_names"]),
                None if settings["scale"] is None else _scale(settings["scale"]),
                None if features is None else Features(tuple(features["names"]), _scale(features["scale"])),
                settings["record"],
            )
        except (*sealed.UNREADABLE, ConfigError, DataError) as error:
            raise sealed.unreadable(path, error, _FIX) from None


def is_classifier(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a linear classifier, whole or not."""
    try:
        return sealed.kind_of(Path(path)) == KIND
    except OSError:
        return False


def _scale(settings: Mapping[str, Any]) -> Scale:
    return Scale(tuple(settings["low"]), tuple(settings["high"]), settings.get("recorded"))
