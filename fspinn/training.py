"""How does learning proceed, stop and resume? Passes over the images, then a readout, then a measurement."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import fspinn
from fspinn import checkpoint as checkpoints
from fspinn import jit
from fspinn import readout as readouts
from fspinn.checkpoint import Keeper, State
from fspinn.checks import whole_number
from fspinn.engines import engine_of
from fspinn.engines.float_engine import available_cores
from fspinn.errors import ConfigError
from fspinn.evaluation import Evaluation, Learned, evaluate, fit_readouts, origin
from fspinn.learning_curve import Curve
from fspinn.model import Network
from fspinn.plasticity import initial_weights, natural_weight_norm
from fspinn.randomness import ORDER, WEIGHTS, permutation, stream_key, uniforms
from fspinn.trained import Activity, Model

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

PRESENTATIONS_PER_NEURON = 100
"""How often each neuron should get its turn to learn, where the passes are not given (own)."""

MAX_PASSES = 1_000_000

_CHUNK = 250
_RETRIED = 50


@dataclass(frozen=True)
class TrainingResult:
    """A trained model and how the training went.

    Parameters
    ----------
    model : Model
    samples_per_s : float
        Presentations per second while learning, without compilation; after a resume, of the part since.
    validation : Evaluation or None
        On the validation split (see `train`); None where that is empty.
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
    labels: int | None = None,
    threads: int | None = None,
    engine: str = "numba",
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    resume: bool = False,
) -> TrainingResult:
    """Train a network without labels, then fit a readout on the labels of the training images.

    The same seed gives the same bits, whatever `threads`.

    Parameters
    ----------
    network : Network
    data : Dataset
        ``data.train`` is learned from, ``data.validation`` measured on, but on no more images than were
        learned from; ``data.test`` is not touched.
    passes : int or None, default None
        How often each training image is shown. None gives each neuron a hundred presentations.
    seed : int, default 0
        Fixes initial weights, order of the images and input spikes.
    readout : str, default "proportion"
        See `fspinn.readout`.
    labels : int or None, default None
        Labelled training images that the readout may use, drawn at random by `seed`; None is all. The
        network learns from all images either way.
    threads : int or None, default None
        Threads that learn, and that answer for the readout; None is one per core. Of those that learn,
        only as many are used as make it quicker.
    engine : {"numba", "brian2"}, default "numba"
        Who runs the network (see `fspinn.engines`): ``"brian2"`` is the reference, hundreds of times slower.
    progress : bool, default True
        Show a progress bar, if standard error is a terminal.
    checkpoint : path-like or None, default None
        File that keeps the state of the run now and then, when learning is done and when Ctrl-C
        (KeyboardInterrupt) stops it. It stays; remove it when the model is saved.
    checkpoint_every : int or None, default None
        Presentations between two checkpoints; None is every 30 seconds. The bits do not depend on it.
    resume : bool, default False
        Continue from the file `checkpoint`, if it is there, to the same bits as without the stop.

    Returns
    -------
    TrainingResult

    Raises
    ------
    ConfigError
        If `passes`, `readout` or `engine` make no sense, the engine does not run such a network or it never
        spiked, the checkpoint is of another run, or there is one and `resume` is not set.
    ModelFileError
        If the checkpoint is damaged or cannot be written; the one before stays.
    """
    readouts.check_name(readout)
    engine_of(engine, threads, network)
    if labels is not None:
        whole_number("labels", labels, 1, len(data.train))  # before the learning, not after it
    if checkpoint is None and (resume or checkpoint_every is not None):
        raise ConfigError("checkpoint: resume and checkpoint_every need the file; name it")
    keeper = None if checkpoint is None else Keeper(checkpoint, every=checkpoint_every, resume=resume)
    try:
        learned = learn(
            network,
            data,
            passes=passes,
            seed=seed,
            progress=progress,
            keeper=keeper,
            threads=threads,
            engine=engine,
        )
        (model,) = fit_readouts(learned, data, (readout,), labels=labels, threads=threads)
        validation = None
        if len(data.validation):
            some = data.validation.first(len(data.train))  # a short run is measured in a short time
            validation = evaluate(model, some, seed=seed, threads=threads, engine=engine)
            model = replace(model, record={**model.record, "validation_accuracy": validation.accuracy})
    except KeyboardInterrupt:
        if keeper is not None:
            keeper.save()
        raise
    return TrainingResult(model, learned.samples_per_s, validation)


def learn(
    network: Network,
    data: "Dataset",
    *,
    passes: int | None = None,
    seed: int = 0,
    progress: bool = True,
    keeper: Keeper | None = None,
    threads: int | None = None,
    engine: str = "numba",
    on_batch: Callable[[int], None] | None = None,
) -> Learned:
    """Learn weights and thresholds from the training images, without labels (see `train`).

    `on_batch` is called now and then with the number of presentations so far; what it raises ends the work.
    """
    images = data.train.images
    if passes is None:
        passes = passes_for(network.neurons, len(images))
    passes = whole_number("passes", passes, 1, MAX_PASSES)
    engine_of(engine, threads, network)
    threads = available_cores() if threads is None else whole_number("threads", threads, 1, 1024)
    state = None if keeper is None else keeper.start(_run(network, data, passes, seed, engine))
    if network.weight_norm is None:
        network = replace(network, weight_norm=natural_weight_norm(images[:1000]))
    if state is None:
        n_inputs = images.shape[1] * images.shape[2]
        random = uniforms(stream_key(seed, WEIGHTS), n_inputs * network.neurons)
        weights = initial_weights(network, n_inputs, random)
        theta = np.zeros(network.neurons, dtype=np.float32)
        state = State(0, weights, theta, Activity(), Curve.start(network.neurons, data.n_classes))
    before = state.presentations
    state, seconds = _present_all(
        network, state, data, passes, seed, progress, keeper, threads, engine, on_batch
    )
    if state.activity.output_spikes == 0:
        if keeper is not None:
            checkpoints.remove(keeper.path)
        raise ConfigError(
            f"threshold: no neuron ever spiked in {state.presentations} presentations; "
            "lower it, or show the images for longer (duration_ms) or with higher rates (rate_norm_hz)"
        )
    if keeper is not None:
        keeper.save()
    samples_per_s = (state.presentations - before) / seconds
    return Learned(
        network, state.weights, state.theta, passes, seed, state.activity, samples_per_s, state.curve, engine
    )


def _run(network: Network, data: "Dataset", passes: int, seed: int, engine: str) -> dict[str, Any]:
    """Return all that the bits of a run depend on, by the names that a person knows."""
    return {
        **{f"dataset {name}": value for name, value in origin(data).items()},
        "passes": passes,
        "seed": seed,
        "engine": engine,
        **asdict(network),
        "fspinn": fspinn.__version__,
        "kernels": jit.kernel_digest(),
    }


def _present_all(
    network: Network,
    state: State,
    data: "Dataset",
    passes: int,
    seed: int,
    progress: bool,
    keeper: Keeper | None,
    threads: int,
    engine: str,
    on_batch: Callable[[int], None] | None,
) -> tuple[State, float]:
    """Show all images `passes` times, from `state` on; return the last state and the seconds it took."""
    images, labels = data.train.images, data.train.labels
    total = passes * len(images)
    weights, theta, activity, done = state.weights, state.theta, state.activity, state.presentations
    curve, runs = state.curve, engine_of(engine)
    title = f"train {network.neurons} neurons"
    with tqdm(
        total=total, initial=done, unit=" samples", disable=None if progress else True, desc=title
    ) as bar:
        if engine == "numba" and not bar.disable and _will_compile():
            bar.write("compiling the engine, once; later starts are fast", file=sys.stderr)
        # A first call with an empty batch compiles, so that neither the bar nor the rate waits for it.
        runs.learn(network, weights, theta, images[:0], seed=seed, first=done, total=total)
        bar.unpause()
        started = time.perf_counter()
        pace = dict.fromkeys((1, threads), 0.0)
        retried, interval = _RETRIED, _RETRIED
        for number, shown in enumerate(_batches(len(images), passes, seed, done)):
            # The bits are the same either way: the quicker goes on, the slower tries again, ever more rarely.
            used = (max if number == retried else min)(pace, key=pace.__getitem__)
            if number == retried:
                interval *= 2
                retried += interval
            begun = time.perf_counter()
            spike_counts, counted = runs.learn(
                network, weights, theta, images[shown], seed=seed, first=done, total=total, threads=used
            )
            pace[used] = (time.perf_counter() - begun) / len(shown)
            activity += counted
            done += len(shown)
            curve = curve.after(spike_counts, labels[shown], done, total)
            if keeper is not None:
                keeper.keep(State(done, weights.copy(), theta.copy(), activity, curve))
            if not np.isnan(curve.running_accuracy):
                bar.set_postfix_str(f"running accuracy {curve.running_accuracy:.3f}", refresh=False)
            bar.update(len(shown))
            if on_batch is not None:
                on_batch(done)
        seconds = time.perf_counter() - started
    return State(done, weights, theta, activity, curve), seconds


def _batches(n_images: int, passes: int, seed: int, first: int) -> Iterator[NDArray[np.int64]]:
    """Yield which images are shown together, from presentation number `first` on; passes do not mix."""
    for number in range(first // n_images, passes):
        order = permutation(stream_key(seed, ORDER, number), n_images)
        for start in range(max(0, first - number * n_images), n_images, _CHUNK):
            yield order[start : start + _CHUNK]


def _will_compile() -> bool:
    """Return whether the machine code is still to be made, as far as can be told beforehand."""
    chosen_by_user = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(chosen_by_user) if chosen_by_user else jit.kernel_folder()
    return folder is None or next(folder.rglob("*.nbc"), None) is None
