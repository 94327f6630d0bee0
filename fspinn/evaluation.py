"""What does a network say? Readouts fitted on its responses, and its accuracy on labelled images."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from fspinn import readout as readouts
from fspinn.checks import whole_number
from fspinn.datasets.arrays import IN_MEMORY, as_split
from fspinn.errors import ConfigError
from fspinn.learning_curve import Curve
from fspinn.model import Network
from fspinn.prediction import check_size, predict, respond, silent_in
from fspinn.quant.integers import Seen, scaled
from fspinn.quant.post_training import quantize_readout
from fspinn.randomness import LABELS, permutation, stream_key
from fspinn.trained import Activity, AnyModel, Formats, Model, model_of
from fspinn.version import __version__

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.datasets.arrays import LabelledImages


@dataclass(frozen=True)
class Learned:
    """Weights and thresholds that were learned, still without a readout.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled.
    weights : ndarray of float32, shape (n_inputs, n_neurons)
    theta : ndarray of float32, shape (n_neurons,)
    passes, seed : int
    activity : Activity
        What the engine counted.
    samples_per_s : float
        Presentations per second, without compilation.
    curve : Curve
        How it went.
    engine : str
        Who ran the network, and answers for its readout.
    formats : Formats or None, default None
        Number formats that it learned in, with integers only; None is float32.
    rounding : str or None, default None
        How changes of weights were rounded to their format, if they have one.
    seen : Seen or None, default None
        What potentials and thresholds did meanwhile, if they were integers.
    """

    network: Network
    weights: NDArray[np.float32]
    theta: NDArray[np.float32]
    passes: int
    seed: int
    activity: Activity
    samples_per_s: float
    curve: Curve
    engine: str = "numba"
    formats: Formats | None = None
    rounding: str | None = None
    seen: Seen | None = None


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
    activity : Activity
        What the engine counted.
    seen : Seen or None
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
    activity: Activity
    seen: Seen | None = None
    silent_samples: int = 0


def fit_readouts(
    learned: Learned,
    data: "Dataset",
    names: Sequence[str],
    *,
    labels: int | None = None,
    draw: int = 0,
    threads: int | None = None,
    on_batch: Callable[[int], None] | None = None,
) -> list[Model]:
    """Return one model per readout, all fitted on the same responses to all training images.

    Parameters
    ----------
    learned : Learned
    data : Dataset
    names : sequence of str
        See `fspinn.readout`.
    labels : int or None, default None
        Look at the labels of so many training images only, drawn at random without replacement and
        without regard to their class; None is all.
    draw : int, default 0
        Another number draws other images.
    threads : int or None, default None
        None is one per core; the answer is the same for all.
    on_batch : callable, optional
        Called now and then with the number of images shown so far; what it raises ends the work.

    Raises
    ------
    ConfigError
        If there is no readout of a name, or there are not so many images.
    """
    for name in names:
        readouts.check_name(name)
    learned = replace(learned, theta=_theta_to_answer(learned))
    known, formats = data.train.labels, learned.formats
    if labels is not None:
        labels = whole_number("labels", labels, 1, len(known))
        chosen = labelled_images(len(known), labels, seed=learned.seed, draw=draw)
        known = np.full_like(known, readouts.NO_LABEL)
        known[chosen] = data.train.labels[chosen]
    spike_counts, inference = respond(
        learned.network,
        learned.weights,
        learned.theta,
        data.train.images,
        seed=learned.seed,
        threads=threads,
        engine=learned.engine,
        formats=formats,
        on_batch=on_batch,
    )
    record = {
        "seed": learned.seed,
        "passes": learned.passes,
        "engine": learned.engine,
        "labels": len(known) if labels is None else labels,
        "silent_images": silent_in(spike_counts),
        "class_names": list(data.class_names),
        "learning_curve": learned.curve.as_dict(),
        "dataset": origin(data),
        "versions": _versions(learned.engine),
    }
    models = [
        Model(
            network=learned.network,
            image_shape=data.image_shape,
            weights=learned.weights,
            theta=learned.theta,
            readout=readouts.fit(name, spike_counts, known, data.n_classes),
            activity={"training": learned.activity, "inference": inference},
            record=record,
        )
        for name in names
    ]
    return [_in_formats(model, learned) for model in models]


def _theta_to_answer(learned: Learned) -> NDArray[np.float32]:
    """Return theta, raised where a lower threshold to answer with would be at the potential at rest."""
    answering, formats = learned.network.answering, learned.formats
    lowest = answering.lowest_theta
    if formats is not None:
        step = formats.state.step
        lowest = max(np.ceil(lowest / step), 1 - scaled(answering.firing_threshold, formats.state)) * step
    raised: NDArray[np.float32] = np.maximum(learned.theta, np.float32(lowest))
    return raised


def labelled_images(images: int, labels: int | None, *, seed: int = 0, draw: int = 0) -> NDArray[np.int64]:
    """Return which training images have a label, where readouts may use so many; None is all of them."""
    if labels is None:
        return np.arange(images)
    chosen: NDArray[np.int64] = permutation(stream_key(seed, LABELS, draw), images)[:labels]
    return chosen


def _in_formats(model: Model, learned: Learned) -> Model:
    """Return the model as one of integers, readout included, if it learned in them."""
    formats = learned.formats
    if formats is None or learned.seen is None:
        return model
    learning = {"rounding": learned.rounding, **asdict(learned.seen)}
    quantization = {name: str(format) for name, format in vars(formats).items()}
    return quantize_readout(
        replace(
            model,
            weight_format=formats.weights,
            state_format=formats.state,
            theta_format=formats.theta,
            record={**model.record, "quantization": {**quantization, "learning": learning}},
        )
    )[0]


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


def load_again(origin: Mapping[str, Any], data_dir: str | Path | None = None) -> "Dataset":
    """Load a data set with the split that `origin` told.

    Raises
    ------
    ConfigError
        If the images have changed since.
    """
    from fspinn.datasets import load

    if origin["name"] == IN_MEMORY:
        raise ConfigError(f"dataset: the model was trained on {IN_MEMORY}; name the data set to use")
    data = load(origin["name"], data_dir=data_dir, validation=origin["validation"], seed=origin["seed"])
    if data.checksum != origin["checksum"]:
        raise ConfigError(
            f"dataset: {origin['name']} is not the same as when the model was trained (checksum differs); "
            "bring the old images back, or name the data set to measure on"
        )
    return data


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
        Who runs the network (see `fspinn.engines`).
    on_batch : callable, optional
        Called now and then with the number of images answered so far; what it raises ends the work.

    Raises
    ------
    ConfigError
        If the images have another shape than those that the model was trained on, or there are none.
    DataError
        If these are not labelled images, or some are of a class that the model does not have.
    """
    model, split = model_of(model), as_split(split)
    check_size(model, split.images, "images")
    split = split.in_classes(model.class_names, "split")
    if len(split) == 0:
        raise ConfigError("evaluate: there are no images in this split; hold some out or choose another")
    answered = predict(model, split.images, seed=seed, threads=threads, engine=engine, on_batch=on_batch)
    return Evaluation(
        accuracy=float(np.mean(answered.classes == split.labels)),
        samples=len(split),
        readout=model.readout.name,
        spikes_per_sample=answered.activity.per_sample("output_spikes"),
        predictions=answered.classes,
        labels=split.labels,
        activity=answered.activity,
        seen=answered.seen,
        silent_samples=silent_in(answered.spike_counts),
    )


def origin(data: "Dataset") -> dict[str, Any]:
    """Return what tells a data set and its split from all others, for files."""
    return {
        "name": data.name,
        "checksum": data.checksum,
        "seed": data.seed,
        "train": len(data.train),
        "validation": len(data.validation),
        "test": len(data.test),
    }


def _versions(engine: str) -> dict[str, str]:
    versions = {
        "fspinn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }
    if engine == "brian2":
        versions["brian2"] = metadata.version("brian2")
    return versions
