"""How does learning proceed, stop and resume? Passes over the images, then a readout, then a measurement."""

import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from math import ceil, prod, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fspinn.answering.evaluate import Evaluation, evaluate
from fspinn.answering.predict import doubts
from fspinn.backends import engine_of
from fspinn.backends.numba import engine as numba
from fspinn.backends.protocol import Response
from fspinn.base import jit
from fspinn.base.background import interruptible
from fspinn.base.checks import checked_seed, whole_number
from fspinn.base.errors import ConfigError, FspinnWarning
from fspinn.base.printing import Drawn
from fspinn.base.progress import progress_bar
from fspinn.base.randomness import (
    INFERENCE_SPIKES,
    ORDER,
    TRAINING_SPIKES,
    WEIGHTS,
    permutation,
    stream_key,
    uniforms,
)
from fspinn.base.settings import as_plain, differences, settings_of
from fspinn.base.streams import on_terminal, say
from fspinn.base.version import __version__
from fspinn.datasets.arrays import as_dataset
from fspinn.datasets.origin import origin
from fspinn.learning import checkpoint as checkpoints
from fspinn.learning.checkpoint import CheckpointWriter, State
from fspinn.learning.curve import Curve
from fspinn.learning.fitting import Learned, fit_readouts, raised
from fspinn.learning.labels import check_tunable
from fspinn.learning.surrogate import with_torch
from fspinn.lowering.compiler import answering_plan, grid_of, learning_plan
from fspinn.lowering.integer_learning import Grid, first_weights, learned_theta
from fspinn.lowering.integers import Range
from fspinn.lowering.plan import Plan
from fspinn.model import readout as readouts
from fspinn.model.activity import Activity
from fspinn.model.model import AnyModel, Model, check_size, model_of
from fspinn.model.tensors import LayerTensors, Tensor
from fspinn.network.description import Network
from fspinn.network.encoders import BatchEncoder, encoding_of, intensities
from fspinn.network.layers import Layer
from fspinn.network.learners import Learner, StdpLabels, Surrogate
from fspinn.network.plasticity import initial_weights, natural_weight_norm
from fspinn.network.recordings import Binnable, check_encoder
from fspinn.network.rules import MAX_PASSES, Stdp
from fspinn.network.setup import Setup, check_competition, check_rates
from fspinn.quant.formats import Format

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.datasets.arrays import LabelledImages

PRESENTATIONS_PER_NEURON = 100
"""How often each neuron should get its turn to learn, where the passes are not given (fspinn)."""

_CHUNK = 250


@dataclass(frozen=True, repr=False)
class TrainingResult(Drawn):
    """A trained model and how the training went.

    Parameters
    ----------
    model : Model
    samples_per_s : float
        Presentations per second while learning without labels, without compilation; after a resume, of the
        part since. 0 if it started from a model.
    validation : Evaluation or None
        On the validation split (see `train`); None where that is empty.
    """

    model: Model
    samples_per_s: float
    validation: Evaluation | None

    def __str__(self) -> str:
        return str(self.model)


def passes_for(neurons: int, images: int) -> int:
    """Return how many passes over the images give every neuron a hundred presentations."""
    return ceil(PRESENTATIONS_PER_NEURON * neurons / images)


def most_passes(network: Network, images: int, learner: Learner = Stdp()) -> int:
    """Return how many passes a learner takes that does not say.

    With STDP every neuron of every layer gets a hundred presentations.
    """
    if isinstance(learner, Surrogate):
        return learner.usual_passes
    return max(passes_for(layer.neurons, images) for layer in network.layers)


def passes_of(learner: Stdp, layer: Layer, images: int) -> int:
    """Return how many passes over the images a layer learns for."""
    return passes_for(layer.neurons, images) if learner.passes is None else learner.passes


def train(
    network: Network,
    data: "Dataset | LabelledImages",
    *,
    learner: Learner = Stdp(),
    seed: int = 0,
    readout: str = "proportion",
    labels: int | None = None,
    class_weight: str | None = None,
    threads: int | None = None,
    engine: str = "numba",
    weights: str | Format | None = None,
    state: str | Format | None = None,
    rounding: str = "stochastic",
    start: AnyModel | None = None,
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
        learned from; ``data.test`` is not touched. Or a split or a pair of arrays (images, labels): then
        all of them are learned from, and none is left to validate on.
    learner : Learner, default Stdp()
        How weights come about: `fspinn.Stdp`, or with labels `fspinn.StdpLabels`, `fspinn.Surrogate` or
        `fspinn.Hybrid`.
    seed : int, default 0
        Fixes initial weights, order of the images and input spikes; from 0 to 2^64 - 1.
    readout : str, default "proportion"
        See `fspinn.model.readout`.
    labels : int or None, default None
        Labelled training images that the readout may use, drawn at random by `seed`; None is all. The
        network learns from all images either way.
    class_weight : {"balanced"} or None, default None
        ``"balanced"`` lets all classes count alike in the fit of a readout ``linear``, however many labels
        they have; ``proportion`` and ``majority`` do so in any case.
    threads : int or None, default None
        Threads that answer for the readout and the validation; None is one per core. Learning uses one.
    engine : {"numba", "brian2"}, default "numba"
        Who runs the network (see `fspinn.backends`): ``"brian2"`` is the reference, hundreds of times slower.
    weights : str, Format or None, default None
        Format that the weights keep to while they are learned, such as ``"UQ0.4"``: in-training quantization.
        The network then learns and answers with integers only, as `fspinn.lowering.integers` says, and its
        readout gets 8 bits. None is float32.
    state : str, Format or None, default None
        Format of potentials and thresholds then; None is 16 bits that hold four times the firing threshold.
    rounding : {"stochastic", "nearest", "truncate"}, default "stochastic"
        Of the changes of weights then. Others than ``"stochastic"`` lose small changes.
    start : Model or None, default None
        Trained by STDP, in floats: labels tune its layers (`learner` is a `fspinn.StdpLabels`), and nothing
        learns without labels before.
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
        If `seed`, `readout`, `class_weight` or `engine` make no sense, the network never spiked, the
        checkpoint is of another run, or there is one and `resume` is not set.
    DataError
        If `data` is not a data set, nor labelled images.
    FormatError
        If a format or rounding is unknown, or the network cannot learn in these formats.
    ModelFileError
        If the checkpoint is damaged or cannot be written; the one before stays.

    Warns
    -----
    FspinnWarning
        If most training images have no output spike, neurons spike without input, or classes have no labels.
    """
    data = as_dataset(data)
    readouts.check_name(readout)
    readouts.check_class_weight(class_weight)
    seed = checked_seed(seed)
    engine_of(engine, threads)
    check_formats_of(engine, weights, state, rounding)
    if labels is not None:
        whole_number("labels", labels, 1, len(data.train))  # before the learning, not after it
    if checkpoint is None and (resume or checkpoint_every is not None):
        raise ConfigError("checkpoint: resume and checkpoint_every need the file; name it")
    writer = (
        None if checkpoint is None else CheckpointWriter(checkpoint, every=checkpoint_every, resume=resume)
    )
    try:
        if start is not None:
            learned = _learned_before(model_of(start), network, data, learner, seed, engine)
        else:
            learned = learn(
                network,
                data,
                learner,
                seed=seed,
                progress=progress,
                writer=writer,
                engine=engine,
                weights=weights,
                state=state,
                rounding=rounding,
                labels=labels,
                class_weight=class_weight,
            )
        (model,) = fit_readouts(
            learned,
            data,
            (readout,),
            labels=labels,
            class_weight=class_weight,
            threads=threads,
            progress=progress,
        )
        validation = None
        if len(data.validation):
            some = data.validation.first(len(data.train))  # a short run is measured in a short time
            validation = evaluate(model, some, seed=seed, threads=threads, engine=engine)
            model = replace(model, record={**model.record, "validation_accuracy": validation.accuracy})
    except KeyboardInterrupt:
        if writer is not None:
            writer.save()
        raise
    found = doubts(model, model.record["silent_images"], len(data.train))
    for doubt in [*found, *_classes_without_labels(data, labels, seed)]:
        warnings.warn(doubt, FspinnWarning, stacklevel=2)
    return TrainingResult(model, learned.samples_per_s, validation)


def _learned_before(
    model: Model, network: Network, data: "Dataset", learner: Learner, seed: int, engine: str
) -> Learned:
    """Return what a model has learned by STDP, for labels to tune."""
    if not isinstance(learner, StdpLabels):
        raise ConfigError(
            f"start: the learner {learner.kind} does not go on from a model; use stdp+labels, or leave it out"
        )
    if type(model.learner) is not Stdp:
        raise ConfigError(
            f"start: labels tune what STDP found, and this model is of {model.learner.kind}; give one of stdp"
        )
    if model.quantized:
        raise ConfigError("start: this model is quantized; give the one that training wrote")
    if changed := differences(network, model.network):
        raise ConfigError(
            f"start: the model has another {next(iter(changed))}; leave that setting out, or start out"
        )
    check_tunable(network)
    check_size(model, data.train.images, "data")
    passes, record = model.record.get("passes", 1), model.record
    curve = Curve.start(network.features, data.n_classes)
    if "learning_curve" in record:
        curve = Curve.of_dict(record["learning_curve"], network.features, data.n_classes)
    activity = model.activity.get("training", (Activity(),))
    return Learned(model.network, learner, model.layers, (passes,), seed, activity, 0.0, curve, engine)


def _classes_without_labels(data: "Dataset", labels: int | None, seed: int) -> list[str]:
    """Return a doubt if the labels that were drawn leave out classes that there are images of."""
    drawn = data.train.labels[readouts.labelled_images(len(data.train), labels, seed=seed)]
    missing = np.setdiff1d(data.train.labels, drawn)
    if len(missing) == 0:
        return []
    names = ", ".join(data.class_names[number] for number in missing[:5])
    return [
        f"labels: none of the {labels} labelled images is of class {names}{', ...' * (len(missing) > 5)}, so "
        "no image is answered with it; give more labels"
    ]


def learn(
    network: Network,
    data: "Dataset",
    learner: Learner = Stdp(),
    *,
    seed: int = 0,
    progress: bool = True,
    writer: CheckpointWriter | None = None,
    engine: str = "numba",
    weights: str | Format | None = None,
    state: str | Format | None = None,
    rounding: str = "stochastic",
    labels: int | None = None,
    class_weight: str | None = None,
    on_batch: Callable[[int], None] | None = None,
) -> Learned:
    """Learn weights and thresholds from the training images (see `train`).

    Only `fspinn.Surrogate` and `fspinn.Hybrid` look at labels here, at as many as `labels` says, and at
    `class_weight`; where labels tune, `fspinn.learning.fitting.fit_readouts` does it. `on_batch` is called
    now and then with the number of presentations so far; what it raises ends the work.
    """
    Setup(network, learner)  # says what is not one
    seed = checked_seed(seed)
    if isinstance(learner, Surrogate):
        _refuse_to_resume(writer, learner)
        check_rates(network, learner)
        if state is not None or rounding != "stochastic":
            raise ConfigError(
                "state, rounding: gradients are taken of floats near the weights' grid; leave both out, and "
                "quantize the state afterwards"
            )
        check_encoder(network, data.train.images, "data")
        known = readouts.some_labels(data.train.labels, labels or len(data.train), seed=seed)
        by_gradient: Learned = with_torch(learner).learn(
            network,
            data,
            learner,
            labels=known,
            class_weight=class_weight,
            seed=seed,
            engine=engine,
            weights=weights,
            progress=progress,
            on_batch=on_batch,
        )
        return by_gradient
    if isinstance(learner, StdpLabels):
        check_tunable(network)
        if weights is not None:
            raise ConfigError(
                "weights: labels tune floats, or with few bits in view; leave the format out, and set "
                "weight_bits"
            )
    engine_of(engine)
    check_formats_of(engine, weights, state, rounding)
    check_encoder(network, data.train.images, "data")
    network.geometries(data.image_shape)
    check_competition(network, learner)
    _check_windows(network, learner)
    formats = None if weights is None else (weights, state, rounding)
    run = _run_of(network, learner, data, seed, engine, formats, ())
    begun = None if writer is None else writer.start(_named(run, network))
    learned, last, seconds, shown = () if begun is None else begun.below, begun, 0.0, 0
    for number in range(len(network.layers)):
        if number > 0:
            run = _run_of(run.network, learner, data, seed, engine, formats, learned[:number])
        if number < len(learned):
            continue
        if last is None or last is not begun:
            last = _start(run, last)
        if (refusal := engine_of(engine).refuses(run.plan(last))) is not None:
            raise ConfigError(refusal)
        before = last.presentations
        last, taken = _present_all(run, last, progress, writer, on_batch)
        seconds, shown = seconds + taken, shown + last.presentations - before
        if last.activity[-1].output_spikes == 0:
            if writer is not None:
                checkpoints.remove(writer.path)
            where = f" of layer {number + 1}" if len(network.layers) > 1 else ""
            raise ConfigError(
                f"threshold: no neuron{where} ever spiked in {last.presentations} presentations; "
                "lower it, or show the images for longer (duration_ms) or, with rates, with higher ones"
            )
        tensors = _tensors(run, last)
        if number + 1 < len(network.layers):  # the next one learns on what it answers
            tensors = raised(tensors, run.network.answering.layers[number])
        learned = (*learned, tensors)
        if begun is last:
            begun = None
    assert last is not None
    if writer is not None:
        writer.save()
    passes = tuple(passes_of(learner, layer, len(data.train)) for layer in network.layers)
    rate = shown / seconds
    result = Learned(run.network, learner, learned, passes, seed, last.activity, rate, last.curve, engine)
    if run.grid is None:
        return result
    return replace(result, rounding=run.grid.rounding, state_range=Range(*last.state_range.tolist()))


def _refuse_to_resume(writer: CheckpointWriter | None, learner: Surrogate) -> None:
    if writer is not None:
        raise ConfigError(
            f"checkpoint: the learner {learner.kind} keeps none, and cannot be resumed; leave it out"
        )


@dataclass(frozen=True)
class _Run:
    """What a layer learns: all that the bits depend on.

    `network` has the weight norms of the layer and of those `below` it, which have learned.
    """

    network: Network
    learner: Stdp
    data: "Dataset"
    passes: int
    seed: int
    engine: str
    grid: Grid | None
    below: tuple[LayerTensors, ...]

    @property
    def layer(self) -> Layer:
        """The layer that learns."""
        return self.network.layers[len(self.below)]

    @cached_property
    def encoder(self) -> BatchEncoder:
        """Makes the spikes; keeps its memory from batch to batch."""
        mask = self.below[0].input_mask if self.below else None
        return BatchEncoder(encoding_of(self.network, mask))

    def plan(self, state: State) -> Plan:
        """Return the plan of the layers; learning with it changes weights and theta of the state in place."""
        arrays = state.weights, state.theta
        shape = self.data.image_shape
        return learning_plan(self.network, self.learner, *arrays, self.grid, shape, self.below)

    def learn(self, state: State, shown: Any) -> tuple[NDArray[np.int32], tuple[Activity, ...]]:
        """Present some of the training images; weights, theta and range of the state change in place."""
        images, first = self.data.train.images[shown], state.presentations
        spikes = self.encoder.encode(images, self.seed, TRAINING_SPIKES, first)
        earlier_spikes = state.activity[-1].output_spikes
        run = engine_of(self.engine).learn
        response: Response = run(self.plan(state), spikes, self.total, earlier_spikes)
        state.state_range[:] = astuple(Range(*state.state_range.tolist()) | response.range)
        return response.spike_counts, response.activity

    @property
    def total(self) -> int:
        """Presentations of the whole run."""
        return self.passes * len(self.data.train)


def _run_of(
    network: Network,
    learner: Stdp,
    data: "Dataset",
    seed: int,
    engine: str,
    formats: tuple[str | Format, str | Format | None, str] | None,
    below: tuple[LayerTensors, ...],
) -> _Run:
    """Return how the layer after those that have learned does; its weight norm is settled."""
    number = len(below)
    layer = network.layers[number]
    if layer.neuron.weight_norm is None:
        norm = _natural_norm(network, learner, data, seed, below)
        layer = replace(layer, neuron=replace(layer.neuron, weight_norm=norm))
        network = replace(network, layers=(*network.layers[:number], layer, *network.layers[number + 1 :]))
    n_inputs = layer.fan_in(*network.input_shape(data.image_shape, number))
    grid = None if formats is None else grid_of(network, learner, n_inputs, *formats, number)
    passes = passes_of(learner, layer, len(data.train))
    return _Run(network, learner, data, passes, seed, engine, grid, below)


def _natural_norm(
    network: Network, learner: Stdp, data: "Dataset", seed: int, below: tuple[LayerTensors, ...]
) -> float:
    """Return the weight norm with which hardly any target of learning is above 1 (fspinn)."""
    if network.layers[len(below)].field is not None:
        return sqrt(learner.least_spikes)  # of so many spikes each weighs 1 / sqrt
    images, coding = data.train.images[:1000], encoding_of(network)
    if not below and not isinstance(images, Binnable):
        return natural_weight_norm(intensities(images, coding))
    if not below:
        spikes = BatchEncoder(coding).encode(images, seed, INFERENCE_SPIKES)
        return natural_weight_norm(spikes.counts(prod(data.image_shape)))
    plan = answering_plan(network, below, data.image_shape)
    spikes = BatchEncoder(plan.encoding).encode(images, seed, INFERENCE_SPIKES)
    first_steps: NDArray[np.int32] = numba.respond(plan, spikes).first_steps
    return natural_weight_norm(first_steps < plan.steps)


def _named(run: _Run, network: Network) -> dict[str, Any]:
    """Return all that the bits of a run depend on, by the names that a person knows."""
    formats = {}
    if run.grid is not None:
        formats = {name: str(value) for name, value in vars(run.grid).items()}
    return {
        **{f"dataset {name}": value for name, value in origin(run.data).items()},
        "seed": run.seed,
        "engine": run.engine,
        **formats,
        **_plain(run.learner),
        "passes": run.passes,
        **_plain(network),
        "fspinn": __version__,
        "kernels": jit.kernel_digest(),
    }


def _plain(described: Network | Stdp) -> dict[str, Any]:
    return {name: as_plain(value) for name, value in settings_of(described).items()}


def _check_windows(network: Network, learner: Stdp) -> None:
    for layer in network.layers:
        if layer.inhibition.kind in ("first", "ranked") and learner.window_steps(network) < network.steps:
            raise ConfigError(
                f"window_ms: {learner.window_ms:g} is shorter than a presentation, but with inhibition "
                f"{layer.inhibition.kind} what is learned is settled at its end; leave window_ms out"
            )


def check_formats_of(
    engine: str, weights: str | Format | None, state: str | Format | None, rounding: str
) -> None:
    """Raise `ConfigError` if the numbers that a network learns in do not go together with the engine."""
    for name, given in (("state", state is not None), ("rounding", rounding != "stochastic")):
        if weights is None and given:
            raise ConfigError(f"{name}: goes with weights in integers; give a format of the weights too")
    if weights is not None and engine != "numba":
        raise ConfigError(f"weights: the engine {engine} does not learn in integers; use numba")


def _start(run: _Run, before: State | None) -> State:
    """Return the state before the first presentation of a layer, after those of the layer before it."""
    number, neurons = len(run.below), run.layer.neurons
    n_inputs = run.layer.fan_in(*run.network.input_shape(run.data.image_shape, number))
    random = uniforms(stream_key(run.seed, WEIGHTS, number), n_inputs * neurons)
    weights: NDArray[Any] = initial_weights(run.layer, run.learner, n_inputs, random)
    if run.grid is not None:
        weights = first_weights(weights, run.grid)
    theta = np.zeros(neurons, dtype=np.float32 if run.grid is None else np.int32)
    activity: tuple[Activity, ...] = ()
    state_range = np.zeros(3, dtype=np.int64)
    if before is not None:
        activity, state_range = before.activity, before.state_range
    curve = Curve.start(run.layer.features, run.data.n_classes)
    return State(0, weights, theta, (*activity, Activity()), curve, state_range, run.below)


def _tensors(run: _Run, last: State) -> LayerTensors:
    """Return what a layer has learned."""
    if run.grid is None:
        return LayerTensors.of_floats(last.weights, last.theta)
    theta, theta_format = learned_theta(last.theta, run.layer.neuron.firing_threshold, run.grid)
    return LayerTensors(
        Tensor(last.weights, run.grid.weights), Tensor.rounded(theta, theta_format), run.grid.state
    )


def _present_all(
    run: _Run,
    state: State,
    progress: bool,
    writer: CheckpointWriter | None,
    on_batch: Callable[[int], None] | None,
) -> tuple[State, float]:
    """Show all images `passes` times, from `state` on; return the last state and the seconds it took."""
    labels, total, done = run.data.train.labels, run.total, state.presentations
    title = f"train {run.layer.neurons} neurons"
    with progress_bar(title, total, progress) as update:
        if run.engine == "numba" and progress and on_terminal() and jit.will_compile():
            say(jit.compiling())
        # A first call with an empty batch compiles, so that neither the bar nor the rate waits for it.
        if run.engine == "numba":
            interruptible(lambda on_batch: run.learn(state, slice(0, 0)))
        update(done, "")
        started = time.perf_counter()
        for shown in _batches(len(labels), run, done):
            spike_counts, counted = run.learn(state, shown)
            done += len(shown)
            state = replace(
                state,
                presentations=done,
                activity=tuple(a + b for a, b in zip(state.activity, counted, strict=True)),
                curve=state.curve.after(spike_counts, labels[shown], done, total),
            )
            if writer is not None:
                writer.keep(state.copy())
            running = state.curve.running_accuracy
            update(done, "" if np.isnan(running) else f"running accuracy {running:.3f}")
            if on_batch is not None:
                on_batch(done)
        seconds = time.perf_counter() - started
    return state, seconds


def _batches(n_images: int, run: _Run, first: int) -> Iterator[NDArray[np.int64]]:
    """Yield which images are shown together, from presentation number `first` on; passes do not mix."""
    for number in range(first // n_images, run.passes):
        order = permutation(stream_key(run.seed, ORDER, number + len(run.below) * MAX_PASSES), n_images)
        for start in range(max(0, first - number * n_images), n_images, _CHUNK):
            yield order[start : start + _CHUNK]
