"""What was learned, and the readouts that are fitted on its responses to the training samples."""

import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from fspinn.answering.predict import respond, silent_in
from fspinn.base.checks import whole_number
from fspinn.base.settings import as_plain
from fspinn.base.version import __version__
from fspinn.learning.curve import Curve
from fspinn.learning.labels import tuned
from fspinn.lowering.compiler import answering_plan
from fspinn.lowering.integers import Range, scaled
from fspinn.lowering.post_training import quantize_readout
from fspinn.model import readout as readouts
from fspinn.model.activity import Activity
from fspinn.model.features import Features, joined
from fspinn.model.model import Model
from fspinn.model.tensors import LayerTensors, Tensor
from fspinn.network.description import Network
from fspinn.network.layers import Layer
from fspinn.network.learners import Learner, StdpLabels

if TYPE_CHECKING:
    from fspinn.datasets import Dataset


from fspinn.datasets.origin import origin


@dataclass(frozen=True)
class Learned:
    """Weights and thresholds that were learned, still without a readout.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled.
    learner : Learner
    layers : tuple of LayerTensors
        In integers where it learned in them.
    passes : tuple of int
        Of each layer.
    seed : int
    activity : tuple of Activity
        What each layer did.
    samples_per_s : float
        Presentations per second, without compilation.
    curve : Curve
        How it went.
    engine : str
        Who ran the network, and answers for its readout.
    rounding : str or None, default None
        How changes of weights were rounded to their format, if they have one.
    state_range : Range or None, default None
        What potentials and thresholds did meanwhile, if they were integers.
    """

    network: Network
    learner: Learner
    layers: tuple[LayerTensors, ...]
    passes: tuple[int, ...]
    seed: int
    activity: tuple[Activity, ...]
    samples_per_s: float
    curve: Curve
    engine: str = "numba"
    rounding: str | None = None
    state_range: Range | None = None


def fit_readouts(
    learned: Learned,
    data: "Dataset",
    names: Sequence[str],
    *,
    labels: int | None = None,
    class_weight: str | None = None,
    draw: int = 0,
    threads: int | None = None,
    progress: bool = False,
    on_batch: Callable[[int], None] | None = None,
) -> list[Model]:
    """Return one model per readout, all fitted on the same responses to all training images.

    Where the learner is `fspinn.network.StdpLabels`, labels first tune the layers.

    Parameters
    ----------
    learned : Learned
    data : Dataset
    names : sequence of str
        See `fspinn.model.readout`.
    labels : int or None, default None
        Look at the labels of so many training images only, drawn at random without replacement and
        without regard to their class; None is all.
    class_weight : {"balanced"} or None, default None
        See `fspinn.model.readout.fit`.
    draw : int, default 0
        Another number draws other images.
    threads : int or None, default None
        None is one per core; the answer is the same for all.
    progress : bool, default False
        Show a progress bar of what labels tune, if standard error is a terminal.
    on_batch : callable, optional
        Called now and then with the number of images shown so far; what it raises ends the work.

    Raises
    ------
    ConfigError
        If there is no readout of a name or no such weight, there are not so many images, or labels cannot
        tune such a network.
    """
    for name in names:
        readouts.check_name(name)
    readouts.check_class_weight(class_weight)
    learned = replace(learned, layers=_to_answer(learned))
    known = data.train.labels
    if labels is not None:
        labels = whole_number("labels", labels, 1, len(known))
        known = readouts.some_labels(known, labels, seed=learned.seed, draw=draw)
    if isinstance(learned.learner, StdpLabels):
        how: dict[str, Any] = {"class_weight": class_weight, "progress": progress, "on_batch": on_batch}
        layer = tuned(
            learned.network, learned.learner, learned.layers[0], data, known, seed=learned.seed, **how
        )
        learned = replace(learned, layers=(layer,))
    plan = answering_plan(learned.network, learned.layers, data.image_shape)
    features = None
    if data.train.features is not None:
        features = Features.fitted(data.feature_names, data.train.features)
    spike_counts, inference, _ = respond(
        plan,
        data.train.images,
        seed=learned.seed,
        threads=threads,
        engine=learned.engine,
        on_batch=on_batch,
    )
    record = {
        "learner": as_plain(learned.learner),
        "seed": learned.seed,
        "passes": learned.passes[0] if len(learned.passes) == 1 else list(learned.passes),
        "engine": learned.engine,
        "labels": len(known) if labels is None else labels,
        "class_weight": class_weight,
        "draw": draw,
        "silent_images": silent_in(spike_counts),
        "class_names": list(data.class_names),
        "learning_curve": learned.curve.as_dict(),
        "dataset": origin(data),
        "versions": _versions(learned.engine),
    }
    company = learned.network.layers[-1].field is None
    counts, neurons = joined(features, spike_counts, data.train.features), learned.network.features
    models = [
        Model(
            network=learned.network,
            image_shape=data.image_shape,
            layers=learned.layers,
            readout=readouts.fit(
                name,
                counts,
                known,
                data.n_classes,
                company=company,
                class_weight=class_weight,
                neurons=neurons,
            ),
            activity={"training": learned.activity, "inference": inference},
            record=record,
            scale=data.scale,
            features=features,
        )
        for name in names
    ]
    return [_in_formats(model, learned) for model in models]


def _to_answer(learned: Learned) -> tuple[LayerTensors, ...]:
    """Return the layers, theta raised where a lower threshold to answer with would be at rest."""
    described = learned.network.answering.layers
    return tuple(raised(*both) for both in zip(learned.layers, described, strict=True))


def raised(tensors: LayerTensors, layer: Layer) -> LayerTensors:
    """Return what a layer answers with: theta raised where a lower threshold would be at rest."""
    neuron = layer.neuron
    lowest, formats = neuron.lowest_theta, tensors.formats
    if formats is None:
        return replace(tensors, theta=Tensor(np.maximum(tensors.theta.values, np.float32(lowest))))
    step = formats.state.step
    lowest = max(np.ceil(lowest / step), 1 - scaled(neuron.firing_threshold, formats.state)) * step
    values = np.maximum(tensors.theta.values, np.float32(lowest))
    return replace(tensors, theta=Tensor.rounded(values, formats.theta))


def _in_formats(model: Model, learned: Learned) -> Model:
    """Return the model with its readout quantized too, if it learned in integers."""
    formats = model.layers[0].formats
    if formats is None or learned.state_range is None:
        return model
    learning = {"rounding": learned.rounding, **asdict(learned.state_range)}
    quantization = {name: str(format) for name, format in vars(formats).items()}
    record = {**model.record, "quantization": {**quantization, "learning": learning}}
    return quantize_readout(replace(model, record=record))[0]


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
