"""How good are the answers of a model? Its accuracy on labelled samples."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fspinn.answering.predict import predict, silent_in
from fspinn.base.errors import ConfigError
from fspinn.datasets.arrays import as_split
from fspinn.datasets.origin import load_again
from fspinn.lowering.integers import Range
from fspinn.model.activity import Activity
from fspinn.model.model import AnyModel, check_size, model_of

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.datasets.arrays import LabelledImages


@dataclass(frozen=True)
class Evaluation:
    """What a model did on labelled images.

    Parameters
    ----------
    accuracy : float
        Part of the images whose class was found.
    samples : int
        Number of images.
    readout : str
        Name of the readout.
    spikes_per_sample : float
        Mean number of output spikes for an image.
    predictions : ndarray of int64, shape (samples,)
        Places of the answers in ``model.class_names``.
    labels : ndarray of int64, shape (samples,)
        Places of the true classes there.
    activity : tuple of Activity
        What each layer did.
    state_range : Range or None
        What the potentials of a model in integers did, saturations among it; None for any other model.
    silent_samples : int
        Images without an output spike.
    """

    accuracy: float
    samples: int
    readout: str
    spikes_per_sample: float
    predictions: NDArray[np.int64]
    labels: NDArray[np.int64]
    activity: tuple[Activity, ...]
    state_range: Range | None = None
    silent_samples: int = 0


def load_data_of(model: AnyModel, data_dir: str | Path | None = None) -> "Dataset":
    """Load the data set that a model was trained on, with the same split.

    Raises
    ------
    ConfigError
        If the model does not say what it was trained on, that was not a file, or the images have changed
        since.
    """
    origin = model_of(model).record.get("dataset")
    if origin is None:
        raise ConfigError("dataset: the model does not say what it was trained on; name the data set")
    return load_again(origin, data_dir)


def evaluate(
    model: AnyModel,
    split: "LabelledImages",
    *,
    seed: int = 0,
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
        of the model by name, so it may have only some of them, in any order.
    seed : int, default 0
        Fixes the input spikes.
    threads : int or None, default None
        None is one per core; the answer is the same for all.
    engine : {"numba", "brian2"}, default "numba"
        Who runs the network (see `fspinn.backends`).
    on_batch : callable, optional
        Called now and then with the number of images answered so far; what it raises ends the work.

    Raises
    ------
    ConfigError
        If the images have another shape than those that the model was trained on, or there are none.
    DataError
        If these are not labelled images, or some are of a class that the model does not have.
    """
    model = model_of(model)
    split = as_split(split, model.scale)
    check_size(model, split.images, "images")
    split = split.in_classes(model.class_names, "split")
    if len(split) == 0:
        raise ConfigError("evaluate: there are no images in this split; hold some out or choose another")
    answered = predict(model, split.images, seed=seed, threads=threads, engine=engine, on_batch=on_batch)
    return Evaluation(
        accuracy=float(np.mean(answered.classes == split.labels)),
        samples=len(split),
        readout=model.readout.name,
        spikes_per_sample=answered.activity[-1].per_sample("output_spikes"),
        predictions=answered.classes,
        labels=split.labels,
        activity=answered.activity,
        state_range=answered.state_range,
        silent_samples=silent_in(answered.spike_counts),
    )
