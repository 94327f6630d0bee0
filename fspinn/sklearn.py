"""How does a network take its place in scikit-learn? As a transformer of images, and as a classifier.

>>> from sklearn.datasets import load_digits
>>> from sklearn.linear_model import LogisticRegression
>>> from sklearn.pipeline import make_pipeline
>>> X, y = load_digits(return_X_y=True)
>>> chain = make_pipeline(SpikeFeatures(neurons=8, field=3, cells=2), LogisticRegression(max_iter=1000))
>>> chain.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.8
True
"""

from math import isqrt
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from fspinn.answering.predict import predict, respond
from fspinn.base.errors import DataError
from fspinn.datasets.arrays import IN_MEMORY, checked_shape
from fspinn.datasets.dataset import Dataset, Split
from fspinn.datasets.scale import Scale
from fspinn.learning.fitting import raised
from fspinn.learning.training import learn, train
from fspinn.lowering.compiler import answering_plan
from fspinn.model.model import BIASED_READOUT
from fspinn.network.description import Network
from fspinn.network.layers import Neuron
from fspinn.network.rules import Stdp


class _Column(BaseEstimator):
    """A column of neurons that slides over images, which are given as flat rows."""

    def __init__(
        self,
        neurons: int = 16,
        field: int | tuple[int, int] | None = 5,
        *,
        stride: int = 1,
        cells: int | tuple[int, int] = 3,
        threshold: float = 2.0,
        passes: int | None = None,
        image_shape: tuple[int, ...] | None = None,
        random_state: Any = 0,
    ) -> None:
        self.neurons = neurons
        self.field = field
        self.stride = stride
        self.cells = cells
        self.threshold = threshold
        self.passes = passes
        self.image_shape = image_shape
        self.random_state = random_state

    def _shape(self) -> tuple[int, ...]:
        """Return the shape of an image: as given, or a square, or else a signal."""
        values, given = self.n_features_in_, self.image_shape
        if given is None:
            side = isqrt(values)
            return (side, side) if side * side == values else (1, values)
        return checked_shape("image_shape", given, values, "X")

    def _network(self) -> Network:
        neuron = Neuron(threshold=self.threshold, tau_m_ms=None)
        if self.field is None:
            height, width, *_ = self.image_shape_
            return Network.patches(self.neurons, (height, width), cells=1, neuron=neuron)
        how: dict[str, Any] = {"stride": self.stride, "cells": self.cells, "neuron": neuron}
        return Network.patches(self.neurons, self.field, **how)

    def _learner(self, network: Network) -> Stdp:
        # By default a position with fewer than 3 spikes is not learned from: most of few inputs.
        inputs = network.layers[0].fan_in(*network.input_shape(self.image_shape_))
        return Stdp(passes=self.passes) if inputs > 3 else Stdp(passes=self.passes, least_spikes=1)

    def _seed(self) -> int:
        given = self.random_state
        whole = isinstance(given, int | np.integer)
        return int(given if whole else check_random_state(given).randint(2**31 - 1))

    def _fit_images(self, X: NDArray[Any]) -> NDArray[np.uint8]:
        self.image_shape_ = self._shape()
        self.scale_ = Scale.fitted(_numbers(X), "X")
        return self._images(X)

    def _images(self, X: NDArray[Any]) -> NDArray[np.uint8]:
        """Return rows as images of bytes, all values along one straight line."""
        return self.scale_.applied(_numbers(X), "X").reshape(-1, *self.image_shape_)


_PARAMETERS = """
    Parameters
    ----------
    neurons : int, default 16
        Number of neurons that share their weights over all positions.
    field : int, tuple of int or None, default 5
        Height and width of what a neuron sees; None is the whole image, from one position.
    stride : int, default 1
        Distance of neighbouring positions, in pixels.
    cells : int or tuple of int, default 3
        Grid of cells in which spikes are counted.
    threshold : float, default 2.0
        Potential at which a neuron spikes, in norms of its weights; n inputs reach the root of n at most.
    passes : int or None, default None
        How often the images are shown; None is a hundred times per neuron.
    image_shape : tuple of int or None, default None
        Height and width of an image, and perhaps channels. None is a square, where the rows fill one, and
        otherwise a signal: an image of height 1, which needs a field such as ``(1, 9)`` and cells such as
        ``(1, 3)``.
    random_state : int, RandomState or None, default 0
        The seed.
"""


class SpikeFeatures(TransformerMixin, _Column):
    """Features that a column of spiking neurons learns from images without labels, by STDP.

    Rows of numbers are images; those from the 0.1 to the 99.9 percentile of all that are fitted on become
    intensities of 8 bits, what is beyond is cut. Features are counts: spikes of each neuron in each cell.
    {parameters}
    Attributes
    ----------
    image_shape_ : tuple of int
    scale_ : Scale
        How numbers become intensities.
    network_ : Network
    layers_ : tuple of LayerTensors
        The weights and thresholds that were learned.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> features = SpikeFeatures(neurons=8, field=3, cells=2)
    >>> features.fit_transform(X).shape
    (1797, 32)
    >>> features.get_feature_names_out()[9]
    'cell_0_1_neuron_1'
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from images, shape (n, values); `y` is not looked at."""
        images = self._fit_images(validate_data(self, X))
        shown, seed = Split(images, np.zeros(len(images), np.int64)), self._seed()
        data = Dataset(IN_MEMORY, shown, shown.first(0), shown.first(0), ("none",), "", seed)
        network = self._network()
        learned = learn(network, data, self._learner(network), seed=seed, progress=False)
        self.network_ = learned.network
        self.layers_ = tuple(map(raised, learned.layers, learned.network.answering.layers))
        return self

    def transform(self, X: Any) -> NDArray[np.int32]:
        """Return the spikes of each neuron in each cell, shape (n, rows * columns * neurons) of the cells."""
        check_is_fitted(self)
        images = self._images(validate_data(self, X, reset=False))
        plan = answering_plan(self.network_, self.layers_, self.image_shape_)
        counts: NDArray[np.int32] = respond(plan, images, seed=0).spike_counts.toarray()
        return counts

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features, cell by cell; `input_features` is not looked at."""
        check_is_fitted(self)
        (layer,) = self.network_.layers
        rows, columns = layer.cells
        names = [
            f"cell_{row}_{column}_neuron_{neuron}"
            for row in range(rows)
            for column in range(columns)
            for neuron in range(layer.neurons)
        ]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # counts are whole numbers
        return tags


def _has_probabilities(classifier: "SpikeClassifier") -> bool:
    return classifier.readout == BIASED_READOUT


class SpikeClassifier(ClassifierMixin, _Column):
    """A column of spiking neurons, and the readout that classifies what it answers.

    It learns without labels, as `SpikeFeatures` does, and then fits the readout.
    {parameters}
    readout : {{"linear", "proportion", "majority"}}, default "linear"
        As for `fspinn.train`. There are probabilities of ``linear`` only.

    Attributes
    ----------
    image_shape_, scale_
        As of `SpikeFeatures`.
    classes_ : ndarray, shape (n_classes,)
    model_ : Model
        To quantize, estimate and export. It sees images of bytes, as `scale_` makes them.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> classifier = SpikeClassifier(neurons=8, field=3, cells=2).fit(X[:1000], y[:1000])
    >>> classifier.predict_proba(X[1000:]).shape
    (797, 10)
    >>> classifier.model_.layer.weights.values.shape
    (9, 8)
    """

    def __init__(
        self,
        neurons: int = 16,
        field: int | tuple[int, int] | None = 5,
        *,
        stride: int = 1,
        cells: int | tuple[int, int] = 3,
        threshold: float = 2.0,
        passes: int | None = None,
        readout: str = BIASED_READOUT,
        image_shape: tuple[int, ...] | None = None,
        random_state: Any = 0,
    ) -> None:
        super().__init__(
            neurons,
            field,
            stride=stride,
            cells=cells,
            threshold=threshold,
            passes=passes,
            image_shape=image_shape,
            random_state=random_state,
        )
        self.readout = readout

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from images, shape (n, values), and then fit the readout to their labels, shape (n,)."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        images = self._fit_images(X)
        self.classes_, labels = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        names = tuple(map(str, self.classes_.tolist()))
        if len(names) < 2:
            raise DataError(f"y: one class only, {names[0]!r}; give samples of at least two classes")
        scale = self.scale_ if self.image_shape_[0] == 1 else None
        shown = Split(images, labels.astype(np.int64), names, scale=scale)
        network, seed = self._network(), self._seed()
        how: dict[str, Any] = {"learner": self._learner(network), "seed": seed, "readout": self.readout}
        self.model_ = train(network, shown, progress=False, **how).model
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Points of a plane are no images: of two inputs it hears the order of their spikes, not how far
        # apart they are, and so mixes up two of the three blobs that scikit-learn's checks ask for.
        tags.classifier_tags.poor_score = True
        return tags

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return how much the spikes speak for each class, shape (n, n_classes); of two for the second."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, shape (n, n_classes), by the regression of the readout."""
        probabilities: NDArray[np.float64] = softmax(self._scores(X), axis=1)
        return probabilities

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class with the highest score, among equals the first."""
        best = self._scores(X).argmax(axis=1)
        return self.classes_[best]  # type: ignore[no-any-return]

    def _scores(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        return predict(self.model_, self._images(validate_data(self, X, reset=False))).scores


for _estimator in (SpikeFeatures, SpikeClassifier):
    _estimator.__doc__ = (_estimator.__doc__ or "").format(parameters=_PARAMETERS)


def _numbers(X: NDArray[Any]) -> NDArray[Any]:
    return X.astype(np.uint8) if X.dtype == np.bool_ else X
