"""How good are the answers of a model? Its accuracy on labelled samples, over all and class by class."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fspinn.answering import metrics
from fspinn.answering.predict import predict, silent_in
from fspinn.base.errors import ConfigError
from fspinn.base.printing import Drawn
from fspinn.datasets.arrays import as_split
from fspinn.datasets.origin import load_again
from fspinn.lowering.integers import Range
from fspinn.memmodel.neurobench import NeuroBench, neurobench
from fspinn.model.activity import Activity
from fspinn.model.linear import LinearClassifier
from fspinn.model.model import AnyModel, check_size, model_of
from fspinn.model.readout import NO_ANSWER

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.datasets.arrays import LabelledImages


CURVE_POINTS = 100
"""Margins of a curve of accuracy against coverage, at most (fspinn)."""


class ClassReport(NamedTuple):
    """What a model did on the images of one class; a share without any image is 0."""

    recall: float
    precision: float
    f1: float
    samples: int
    answered: int


class Coverage(NamedTuple):
    """For each margin below which answers are rejected: the part answered, and the accuracy of that part."""

    margins: NDArray[np.float64]
    coverage: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Evaluation(Drawn):
    """What a model did on labelled images.

    Parameters
    ----------
    accuracy : float
        Part of the images whose class was found; with a margin, of those that were answered.
    samples : int
        Number of images.
    readout : str
        Name of the readout.
    spikes_per_sample : float
        Mean number of output spikes for an image.
    predictions : ndarray of int64, shape (samples,)
        Places of the answers in ``model.class_names``; `fspinn.model.readout.NO_ANSWER`, -1, where there
        was none.
    labels : ndarray of int64, shape (samples,)
        Places of the true classes there.
    activity : tuple of Activity
        What each layer did.
    class_names : tuple of str
        Of the model.
    leads : ndarray of float64, shape (samples,)
        By how much the best class led the second.
    state_range : Range or None
        What the potentials of a model in integers did, saturations among it; None for any other model.
    silent_samples : int
        Images without an output spike. Those that are not answered count as wrong, unless there is a margin.
    reject : float
        The margin.
    neurobench : NeuroBench or None
        Operations, sparsity and footprint by NeuroBench's definitions.
    """

    accuracy: float
    samples: int
    readout: str
    spikes_per_sample: float
    predictions: NDArray[np.int64]
    labels: NDArray[np.int64]
    activity: tuple[Activity, ...]
    class_names: tuple[str, ...]
    leads: NDArray[np.float64]
    state_range: Range | None = None
    silent_samples: int = 0
    reject: float = 0.0
    neurobench: NeuroBench | None = None

    def __str__(self) -> str:
        answered = f" that are answered, {100 * self.coverage:.1f} % of" if self.reject > 0 else " of"
        accuracy = f"accuracy {100 * self.accuracy:.2f} %{answered} {self.samples:,} samples"
        return f"{accuracy}, {self.readout} readout, {self.spikes_per_sample:.1f} spikes a sample"

    @property
    def coverage(self) -> float:
        """Part of the images that were not rejected by the margin; all metrics are of these."""
        return float(np.mean(self._counted))

    @property
    def confusion_matrix(self) -> NDArray[np.int64]:
        """How many images of each class (rows) were answered with each (columns).

        Without a margin a last column counts those that were not answered, if there are any.
        """
        counted = self._counted
        n_classes = len(self.class_names)
        return metrics.confusion_matrix(self.labels[counted], self.predictions[counted], n_classes)

    @property
    def _counted(self) -> NDArray[np.bool_]:
        return _counted(self.predictions, self.reject)

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes with images."""
        return metrics.balanced_accuracy(self.confusion_matrix)

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes with images."""
        return metrics.macro_f1(self.confusion_matrix)

    @property
    def classes(self) -> dict[str, ClassReport]:
        """Recall, precision and F1 of each class, by its name."""
        counts = self.confusion_matrix
        shares = np.transpose(
            [metrics.recalls(counts), metrics.precisions(counts), metrics.f1_scores(counts)]
        )
        samples = np.bincount(self.labels, minlength=len(counts)).tolist()
        answered = counts[:, : len(counts)].sum(axis=1).tolist()
        rows = zip(self.class_names, shares.tolist(), samples, answered, strict=True)
        return {
            name: ClassReport(recall, precision, f1, count, answered)
            for name, (recall, precision, f1), count, answered in rows
        }

    @property
    def coverage_curve(self) -> Coverage:
        """Accuracy of the images that would still be answered with each of up to `CURVE_POINTS` margins.

        Raises
        ------
        ConfigError
            If some were rejected already.
        """
        if self.reject > 0:
            raise ConfigError("coverage: some images were rejected already; evaluate without a margin")
        right = self.predictions == self.labels
        quantiles = np.quantile(self.leads, np.arange(CURVE_POINTS) / CURVE_POINTS, method="lower")
        margins = np.unique(np.append(0.0, quantiles[1:][np.isfinite(quantiles[1:])]))
        kept = self.leads >= margins[:, None]
        return Coverage(margins, kept.mean(axis=1), (kept & right).sum(axis=1) / kept.sum(axis=1))


def load_data_of(model: AnyModel | LinearClassifier, data_dir: str | Path | None = None) -> "Dataset":
    """Load the data set that a model was trained on, with the same split.

    Raises
    ------
    ConfigError
        If the model does not say what it was trained on, that was not a file, or the images have changed
        since.
    """
    model = model if isinstance(model, LinearClassifier) else model_of(model)
    origin = model.record.get("dataset")
    if origin is None:
        raise ConfigError("dataset: the model does not say what it was trained on; name the data set")
    return load_again(origin, data_dir, model.scale)


def evaluate(
    model: AnyModel,
    split: "LabelledImages",
    *,
    seed: int = 0,
    reject: float = 0.0,
    threads: int | None = None,
    engine: str = "numba",
    on_batch: Callable[[int], None] | None = None,
) -> Evaluation:
    """Measure a model on labelled images, with learning off.

    Parameters
    ----------
    model : Model
        Or a result that holds one, such as that of `fspinn.train`.
    split : Split
        For example ``data.test``; or a pair of arrays (images, labels). Its classes are found among those
        of the model by name, so it may have only some of them, in any order; so are the features that the
        model listens to.
    seed : int, default 0
        Fixes the input spikes.
    reject : float, default 0.0
        Give no answer where the best class leads the second by less, as for `fspinn.predict`. Metrics are
        then of the images that are answered.
    threads : int or None, default None
        None is one per core; the answer is the same for all.
    engine : {"numba", "brian2"}, default "numba"
        Who runs the network (see `fspinn.backends`).
    on_batch : callable, optional
        Called now and then with the number of images answered so far; what it raises ends the work.

    Raises
    ------
    ConfigError
        If the images have another shape than those that the model was trained on, there are none, or all
        answers are rejected.
    DataError
        If these are not labelled images, or some are of a class that the model does not have, or the
        features that it listens to are missing.
    """
    model = model_of(model)
    split = as_split(split, model.scale, model.image_shape)
    check_size(model, split.images, "images")
    split = split.in_classes(model.class_names, "split")
    if len(split) == 0:
        raise ConfigError("evaluate: there are no images in this split; hold some out or choose another")
    features = None if model.features is None else model.features.values_of(split, "split")
    answer = predict(
        model,
        split.images,
        features=features,
        seed=seed,
        reject=reject,
        threads=threads,
        engine=engine,
        on_batch=on_batch,
    )
    counted = _counted(answer.classes, reject)
    if not counted.any():
        raise ConfigError(
            f"reject: no image is answered with a margin of {reject:g}; the best class leads by at most "
            f"{answer.leads.max():.3g}, give less"
        )
    return Evaluation(
        accuracy=float(np.mean(answer.classes[counted] == split.labels[counted])),
        samples=len(split),
        readout=model.readout.name,
        spikes_per_sample=answer.activity[-1].per_sample("output_spikes"),
        predictions=answer.classes,
        labels=split.labels,
        activity=answer.activity,
        class_names=model.class_names,
        leads=answer.leads,
        state_range=answer.state_range,
        silent_samples=silent_in(answer.spike_counts),
        reject=reject,
        neurobench=neurobench(
            model, answer.activity, active_features=np.count_nonzero(answer.spike_counts) / len(split)
        ),
    )


def _counted(predictions: NDArray[np.int64], reject: float) -> NDArray[np.bool_]:
    """Return which images count: with a margin those that were answered, without one all."""
    answered: NDArray[np.bool_] = predictions != NO_ANSWER
    return answered if reject > 0 else np.ones_like(answered)
