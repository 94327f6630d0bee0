"""How does learning proceed? Passes over the images, then a readout, then a measurement."""

import time
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fspinn import readout as readouts
from fspinn.engines import float_engine
from fspinn.errors import ConfigError
from fspinn.evaluation import Evaluation, Learned, evaluate, fit_readouts
from fspinn.model import Activity, Model, Network, whole_number
from fspinn.plasticity import initial_weights, natural_weight_norm
from fspinn.randomness import ORDER, WEIGHTS, permutation, stream_key, uniforms

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

PRESENTATIONS_PER_NEURON = 100
"""How often each neuron should get its turn to learn, where the passes are not given (own)."""

MAX_PASSES = 1_000_000

_CHUNK = 250
_RECENT = 1000


@dataclass(frozen=True)
class TrainingResult:
    """A trained model and how the training went.

    Parameters
    ----------
    model : Model
    samples_per_s : float
        Presentations per second while learning, without compilation.
    validation : Evaluation or None
        On the validation split; None where that is empty.
    """

    model: Model
    samples_per_s: float
    validation: Evaluation | None


def passes_for(neurons: int, images: int) -> int:
    """Return how many passes over the images give every neuron a hundred presentations."""
    return ceil(PRESENTATIONS_PER_NEURON * neurons / images)


def train(
    network: Network,
    data: "Dataset",
    *,
    passes: int | None = None,
    seed: int = 0,
    readout: str = "proportion",
    threads: int | None = None,
    progress: bool = True,
) -> TrainingResult:
    """Train a network without labels, then fit a readout on the labels of the training images.

    The same seed gives the same bits, whatever `threads`.

    Parameters
    ----------
    network : Network
    data : Dataset
        ``data.train`` is learned from, ``data.validation`` measured on; ``data.test`` is not touched.
    passes : int or None, default None
        How often each training image is shown. None gives each neuron a hundred presentations.
    seed : int, default 0
        Fixes initial weights, order of the images and input spikes.
    readout : str, default "proportion"
        See `fspinn.readout`.
    threads : int or None, default None
        Threads of the readout's pass over the images; None is one per core. Learning itself uses one.
    progress : bool, default True
        Show a progress bar, if standard error is a terminal.

    Returns
    -------
    TrainingResult

    Raises
    ------
    ConfigError
        If `passes` or `readout` make no sense, or the network never spiked.
    """
    readouts.check_name(readout)
    learned = learn(network, data, passes=passes, seed=seed, progress=progress)
    (model,) = fit_readouts(learned, data, (readout,), threads=threads)
    validation = None
    if len(data.validation):
        validation = evaluate(model, data.validation, seed=seed, threads=threads)
        model = replace(model, record={**model.record, "validation_accuracy": validation.accuracy})
    return TrainingResult(model, learned.samples_per_s, validation)


def learn(
    network: Network,
    data: "Dataset",
    *,
    passes: int | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Learned:
    """Learn weights and thresholds from the training images, without labels (see `train`)."""
    images = data.train.images
    if passes is None:
        passes = passes_for(network.neurons, len(images))
    passes = whole_number("passes", passes, 1, MAX_PASSES)
    if network.weight_norm is None:
        network = replace(network, weight_norm=natural_weight_norm(images))
    n_inputs = images.shape[1] * images.shape[2]
    random = uniforms(stream_key(seed, WEIGHTS), n_inputs * network.neurons)
    weights = initial_weights(network, n_inputs, random)
    theta = np.zeros(network.neurons, dtype=np.float32)
    activity, seconds = _present_all(network, weights, theta, data, passes, seed, progress)
    if activity.output_spikes == 0:
        raise ConfigError(
            f"threshold: no neuron ever spiked in {activity.samples} presentations; "
            "lower it, or show the images for longer (duration_ms) or with higher rates (rate_norm_hz)"
        )
    return Learned(network, weights, theta, passes, seed, activity, activity.samples / seconds)


def _present_all(
    network: Network,
    weights: NDArray[np.float32],
    theta: NDArray[np.float32],
    data: "Dataset",
    passes: int,
    seed: int,
    progress: bool,
) -> tuple[Activity, float]:
    """Show all images `passes` times; return what was counted and the seconds it took."""
    images, labels = data.train.images, data.train.labels
    total = passes * len(images)
    # A first call with an empty batch compiles, so that neither the bar nor the rate waits for it.
    float_engine.learn(network, weights, theta, images[:0], seed=seed, first=0, total=total)
    activity = Activity()
    recent_counts = np.zeros((0, network.neurons), dtype=np.int32)
    recent_labels = np.zeros(0, dtype=np.int64)
    started = time.perf_counter()
    title = f"train {network.neurons} neurons"
    with tqdm(total=total, unit=" samples", disable=None if progress else True, desc=title) as bar:
        for number in range(passes):
            order = permutation(stream_key(seed, ORDER, number), len(images))
            for start in range(0, len(order), _CHUNK):
                chunk = order[start : start + _CHUNK]
                spike_counts, counted = float_engine.learn(
                    network,
                    weights,
                    theta,
                    images[chunk],
                    seed=seed,
                    first=number * len(images) + start,
                    total=total,
                )
                activity += counted
                if not bar.disable:
                    if len(recent_labels):
                        table = readouts.fit("proportion", recent_counts, recent_labels, data.n_classes)
                        accuracy = np.mean(readouts.predict(table, spike_counts) == labels[chunk])
                        bar.set_postfix_str(f"running accuracy {accuracy:.3f}", refresh=False)
                    recent_counts = np.concatenate([recent_counts, spike_counts])[-_RECENT:]
                    recent_labels = np.concatenate([recent_labels, labels[chunk]])[-_RECENT:]
                bar.update(len(chunk))
    return activity, time.perf_counter() - started
