"""What does a network answer? Its output spikes for images, and the classes that its readout reads."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fspinn.backends import engine_of, threads_of
from fspinn.backends.protocol import Response
from fspinn.base.background import interruptible
from fspinn.base.checks import checked_seed, number, whole_number
from fspinn.base.cores import available_cores
from fspinn.base.errors import ConfigError
from fspinn.base.printing import Printed
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.datasets.arrays import as_images
from fspinn.datasets.dataset import Split
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.integers import Range
from fspinn.lowering.plan import Plan
from fspinn.model import readout as readouts
from fspinn.model.activity import Activity
from fspinn.model.features import joined
from fspinn.model.model import AnyModel, Model, check_size, model_of
from fspinn.network.encoders import BatchEncoder

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from fspinn.datasets.arrays import LabelledImages
    from fspinn.datasets.mapped import Images

_BATCH = 250

_COMPILED: set[tuple[Any, ...]] = set()
"""Kinds of layers whose kernels an empty batch has compiled where Ctrl-C ends it, not in the main thread."""


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(Printed):
    """What a model answered to images.

    Parameters
    ----------
    classes : ndarray of int64, shape (n,)
        The class with the highest score, among equals the first. `fspinn.model.readout.NO_ANSWER`, -1, where
        it was rejected, or no neuron spiked, no feature is above its lowest level and the readout has no bias
        that answers silence.
    scores : ndarray of float64, shape (n, n_classes)
        How much the output spikes speak for each class (see `fspinn.model.model.Readout`).
    spike_counts : ndarray of int32, shape (n, features)
        Output spikes in each cell, of each neuron.
    activity : tuple of Activity
        What each layer did.
    state_range : Range or None
        What the potentials of a model in integers did; None for any other model.
    """

    classes: NDArray[np.int64]
    scores: NDArray[np.float64]
    spike_counts: NDArray[np.int32]
    activity: tuple[Activity, ...]
    state_range: Range | None = None

    def __str__(self) -> str:
        samples, classes = self.scores.shape
        spikes = self.spike_counts.sum() / max(samples, 1)
        answered = f"{np.count_nonzero(self.answered):,} of {samples:,} samples answered"
        return f"{answered} with one of {classes} classes, {spikes:.1f} spikes a sample"

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which images were answered with a class."""
        answered: NDArray[np.bool_] = self.classes != readouts.NO_ANSWER
        return answered

    @property
    def leads(self) -> NDArray[np.float64]:
        """By how much the highest score of each image is above the second; infinity for one class."""
        return readouts.leads(self.scores)


def predict(
    model: AnyModel,
    images: "Images | LabelledImages | Any",
    *,
    features: Any = None,
    seed: int = 0,
    first: int = 0,
    reject: float = 0.0,
    threads: int | None = None,
    engine: str = "numba",
    on_batch: Callable[[int], None] | None = None,
) -> Prediction:
    """Answer images with a trained model, with learning off.

    Parameters
    ----------
    model : Model
        Or a result that holds one. One that has a state format answers in integers.
    images : array-like of uint8, MappedImages or Recordings, shape (n, height, width[, channels])
        Pixel intensities, 0 to 255, of the size and kind that the model was trained on, also a single image
        of shape (height, width); signals as they were recorded, if it was trained on signals; or what
        `fspinn.evaluate` takes, whose labels are not looked at. Floats from 0 to 1, bool and uint16 become
        uint8, and a warning says how.
    features : array-like of float, shape (n, k), optional
        Of a model that listens to features: their values, in the order of ``model.features.names``. Those of
        a split that is given as `images` are found by name.
    seed : int, default 0
        Fixes the input spikes.
    first : int, default 0
        Number of the first image. The input spikes of an image depend on the seed and its number only:
        image k of a split gets the answer that `fspinn.evaluate` counts for it.
    reject : float, default 0.0
        Answer with no class (-1) where the best class leads the second by less than this margin.
        It is in the units of `scores`, which are those of the readout in the model: for ``linear`` in floats
        the logarithm of how much more likely one class is than another; for a readout in integers a number of
        its steps times the step. Quantization scales ``linear``, so choose the margin for the model that
        answers (``fspinn plot coverage``).
    threads : int or None, default None
        None is one per core; the answer is the same for all.
    engine : {"numba", "brian2"}, default "numba"
        Who runs the network (see `fspinn.backends`).
    on_batch : callable, optional
        Called now and then with the number of images answered so far; what it raises ends the work.

    Returns
    -------
    Prediction

    Raises
    ------
    DataError
        If these are not images, or the features that the model listens to are missing.
    ConfigError
        If their size is not that of the images that the model was trained on, the engine does not run such
        a network, or the seed or the margin is not one.

    Examples
    --------
    >>> import fspinn
    >>> data = fspinn.datasets.load("digits")
    >>> model = fspinn.train(fspinn.Network.dense(50), data, seed=0).model
    >>> answer = fspinn.predict(model, data.test.images[:3])
    >>> answer.classes.shape, answer.scores.shape, answer.spike_counts.shape
    ((3,), (3, 10), (3, 50))
    """
    seed, reject = checked_seed(seed), number("reject", reject, at_least=0.0)
    model = model_of(model)
    given, images = images, as_images(images, model.image_shape, model.scale)
    check_size(model, images, "images")
    values = _features_of(model, given, features, len(images))
    plan = plan_of(model)
    spike_counts, activity, state_range = respond(
        plan, images, seed=seed, first=first, threads=threads, engine=engine, on_batch=on_batch
    )
    counts = joined(model.features, spike_counts, values)
    scores = readouts.scores(model.readout, counts)
    return Prediction(
        readouts.classes(model.readout, counts, scores, reject),
        scores,
        spike_counts.toarray(),
        activity,
        state_range if plan.in_integers else None,
    )


def _features_of(model: Model, given: Any, features: Any, count: int) -> NDArray[np.float32] | None:
    if model.features is None:
        if features is not None:
            raise ConfigError("features: the readout of this model listens to none; leave them out")
        return None
    if features is None and isinstance(given, Split):
        return model.features.values_of(given, "images")
    return model.features.checked(features, count, "images")


class Answers(NamedTuple):
    """What a network answered to images (see `Response`): `spike_counts` are sparse."""

    spike_counts: "csr_array"
    activity: tuple[Activity, ...]
    state_range: Range


def respond(
    plan: Plan,
    images: "Images",
    *,
    seed: int,
    first: int = 0,
    threads: int | None = None,
    engine: str = "numba",
    on_batch: Callable[[int], None] | None = None,
) -> Answers:
    """Present images with learning off, some at a time, shared among threads; see `predict`."""
    from scipy.sparse import csr_array, vstack

    runs = engine_of(engine, threads)
    if (refusal := runs.refuses(plan)) is not None:
        raise ConfigError(refusal)
    if threads is None:
        threads = threads_of(engine, available_cores())
    threads = whole_number("threads", threads, 1, 1024)
    idle: SimpleQueue[BatchEncoder] = SimpleQueue()  # each keeps its memory from batch to batch
    for _ in range(threads):
        idle.put(BatchEncoder(plan.encoding))

    def work(start: int) -> tuple[csr_array, Response]:
        encoder = idle.get()
        try:
            spikes = encoder.encode(images[start : start + _BATCH], seed, INFERENCE_SPIKES, first + start)
            response: Response = runs.respond(plan, spikes)
        finally:
            idle.put(encoder)
        return csr_array(response.spike_counts), response

    kind = tuple((layer.weights.dtype, layer.formats, layer.inhibition) for layer in plan.layers)
    if engine == "numba" and kind not in _COMPILED and threading.current_thread() is threading.main_thread():
        interruptible(lambda on_batch: work(len(images)))
        _COMPILED.add(kind)
    spike_counts, activity, state_range = [], tuple(Activity() for _ in plan.layers), Range()
    with ThreadPoolExecutor(threads) as pool:
        each = map if threads == 1 else pool.map  # Brian2 works in the main thread only
        starts = range(0, max(1, len(images)), _BATCH)
        for start, (counts, response) in zip(starts, each(work, starts), strict=True):
            spike_counts.append(counts)
            activity = tuple(a + b for a, b in zip(activity, response.activity, strict=True))
            state_range |= response.range
            if on_batch is not None:
                on_batch(min(start + _BATCH, len(images)))
    return Answers(vstack(spike_counts, format="csr"), activity, state_range)


def silent_in(spike_counts: "NDArray[np.int32] | csr_array") -> int:
    """Return for how many images no neuron spiked."""
    return int(np.count_nonzero(np.asarray(spike_counts.sum(axis=1)) == 0))


def doubts(model: Model, silent: int, images: int) -> list[str]:
    """Return what makes one doubt the answers of a model, each in a line with its fix.

    Parameters
    ----------
    model : Model
    silent, images : int
        How many images had no output spike, and how many there were.
    """
    found, layers = [], plan_of(model).layers
    for place, layer in enumerate(layers, 1):
        unprompted = int(np.count_nonzero(layer.thresholds <= 0))
        if unprompted and layer.inhibition != "ranked":  # by rank none spikes without input
            where = f" of layer {place}" if len(layers) > 1 else ""
            found.append(
                f"theta: {unprompted} of {layer.neurons} neurons{where} spike without input, as their "
                "thresholds are not above 0; train the network again, or give theta and the state more bits"
            )
    if 2 * silent > images:
        found.append(
            f"threshold: {silent} of {images} images have no output spike; lower it, "
            "or leave out images that are nearly blank"
        )
    return found
