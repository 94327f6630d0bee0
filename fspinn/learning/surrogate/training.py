"""How do labels fill all layers at once? By the gradient of a loss, through time and through spikes.

What is made small is the cross entropy of the classes, of a linear readout that is learned with the layers
(``output = "membrane"``), or of the spike counts of the last layer, neuron j of which speaks for class
``j % classes`` (``output = "spikes"``). The same seed gives the same bits: weights, order of the samples and
input spikes come from `fspinn.base.randomness`, and torch computes with one thread.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.progress import progress_bar
from fspinn.base.randomness import TRAINING_SPIKES
from fspinn.learning.curve import POINTS, Curve
from fspinn.learning.fitting import Learned
from fspinn.learning.surrogate.conversion import converted
from fspinn.learning.surrogate.layers import Part, answer, parts_of
from fspinn.learning.surrogate.runs import Output, Run, Solver
from fspinn.lowering.post_training import closest_scale
from fspinn.model.activity import Activity
from fspinn.model.readout import NO_LABEL
from fspinn.model.tensors import LayerTensors
from fspinn.network.description import Network
from fspinn.network.encoders import BatchEncoder, encoding_of
from fspinn.network.learners import MOST_BITS, Hybrid, Surrogate
from fspinn.quant.formats import Format, as_format, quantize_values

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

REFITTED = 100
"""Steps of the solver after which the scale of weights with few bits is found again (fspinn)."""


def check_trainable(network: Network) -> None:
    """Raise `ConfigError` unless gradients can pass through the layers of a network."""
    for place, layer in enumerate(network.layers, 1):
        where = f" of layer {place}" if len(network.layers) > 1 else ""
        for name, found, needed in (
            ("inhibition", layer.inhibition.kind, "none"),
            ("refractory_ms", layer.neuron.refractory_ms, 0.0),
            ("answer_threshold", layer.neuron.answer_threshold, None),
        ):
            if found != needed:
                shown = "none" if needed is None else needed
                raise ConfigError(
                    f"{name}: gradients do not pass through {found}{where}; set {name} = {shown}, or start "
                    "from Network.supervised"
                )


def learn(
    network: Network,
    data: "Dataset",
    learner: Surrogate,
    *,
    labels: NDArray[np.int64] | None = None,
    class_weight: str | None = None,
    seed: int = 0,
    engine: str = "numba",
    weights: str | Format | None = None,
    progress: bool = False,
    on_batch: Callable[[int], None] | None = None,
) -> Learned:
    """Learn the weights of all layers from the labelled training samples (see `fspinn.train`).

    With a format of the weights in view, samples are presented with the weights rounded to it, while their
    gradient is taken as if they were not (straight-through: Bengio, Léonard and Courville 2013,
    arXiv:1308.3432). The weights of a layer are first multiplied by the factor with which they are closest to
    the format (`fspinn.lowering.post_training.closest_scale`), which is found again now and then. What is
    returned is numbers of the format, and thresholds grow by that factor through `weight_norm`: quantization
    to the format changes nothing.

    Parameters
    ----------
    network : Network
        All layers with ``inhibition = "none"``.
    data : Dataset
    learner : Surrogate
    labels : ndarray of int64, shape (n,), or None, default None
        Of the training samples; those with `fspinn.model.readout.NO_LABEL` are not looked at. None is all.
    class_weight : {"balanced"} or None, default None
        Whether all classes count alike in the loss, however many labels they have.
    seed : int, default 0
    engine : str, default "numba"
        Who will answer for the readout.
    weights : str, Format or None, default None
        A signed format of 2 to 8 bits that the weights have in view; None is ``Q1.n`` with the
        `Surrogate.weight_bits`, and floats if these are None.
    progress : bool, default False
        Show a progress bar, if standard error is a terminal.
    on_batch : callable, optional
        Called after each batch with the number of presentations so far; what it raises ends the work.

    Raises
    ------
    ConfigError
        If gradients do not pass through such a network, training diverged, or a layer never spiked.
    FormatError
        If it is not such a format.
    """
    check_trainable(network)
    format = _format(weights, learner)
    if format is not None:
        learner = replace(learner, weight_bits=format.bits)
    network = replace(network, layers=tuple(_settled(layer) for layer in network.layers))
    labels = data.train.labels if labels is None else labels
    run = Run(
        network=network,
        learner=learner,
        data=data,
        labels=labels,
        parts=parts_of(network, learner, data.image_shape),
        known=np.flatnonzero(labels != NO_LABEL),
        seed=seed,
        format=format,
        encoder=BatchEncoder(encoding_of(network)),
        class_weight=class_weight,
    )
    with _one_thread():
        return _learn(run, engine, progress, on_batch)


def _format(weights: str | Format | None, learner: Surrogate) -> Format | None:
    """Return the format that weights have in view."""
    if weights is None:
        bits = learner.weight_bits
        return None if bits is None else Format(1, bits - 1, signed=True)
    format = as_format(weights)
    if not (format.signed and 2 <= format.bits <= MOST_BITS):
        raise FormatError(
            f"weights: learning has signed formats of 2 to {MOST_BITS} bits in view, not {format}; use one "
            "such as Q1.3"
        )
    if learner.weight_bits not in (None, format.bits):
        raise FormatError(
            f"weights: {format} has {format.bits} bits, and weight_bits is {learner.weight_bits}; leave one "
            "out"
        )
    return format


def _settled(layer: Any) -> Any:
    """Return a layer whose threshold is one of potentials: `weight_norm` is 1 if nothing else is said."""
    if layer.neuron.weight_norm is not None:
        return layer
    return replace(layer, neuron=replace(layer.neuron, weight_norm=1.0))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch compute with one thread: several wait for each other, and bits depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Grid:
    """The weights of each layer as they are presented: rounded, if they have a format in view."""

    def __init__(self, format: Format | None) -> None:
        self._format = format
        self._factors: list[float] = []

    def fit(self, weights: list[Any]) -> None:
        """Find the factors with which weights are closest to the format."""
        if self._format is not None:
            self._factors = [closest_scale(one.detach().numpy(), self._format) for one in weights]

    def rounded(self, weights: list[Any]) -> list[tuple[NDArray[np.float32], float]]:
        """Return numbers of the format, or weights as they are, and how many times the weights they are."""
        values = [one.detach().numpy() for one in weights]
        if self._format is None:
            return [(one, 1.0) for one in values]
        return [
            (quantize_values(one * np.float32(factor), self._format), factor)
            for one, factor in zip(values, self._factors, strict=True)
        ]

    def seen(self, weights: list[Any]) -> list[Any]:
        """Return what is presented, with the gradient of the weights."""
        if self._format is None:
            return weights
        return [
            one + (torch.from_numpy(number / np.float32(factor)) - one).detach()
            for one, (number, factor) in zip(weights, self.rounded(weights), strict=True)
        ]


def _learn(
    run: Run,
    engine: str,
    progress: bool,
    on_batch: Callable[[int], None] | None,
) -> Learned:
    if isinstance(run.learner, Hybrid):
        weights, output = converted(run, progress, on_batch)
    else:
        weights, output = run.first_weights(), Output(run, run.network.steps)
    solver = Solver(run, weights, output, run.passes, "gradient_rate", run.network.steps)
    did = before_last_pass = np.zeros((len(run.parts), 2), dtype=np.int64)
    grid = _Grid(run.format)
    points, since = [], np.zeros(3, dtype=np.int64)
    neurons = run.network.neurons
    with progress_bar(f"train {neurons} neurons", run.total, progress) as update:
        _answer_nothing(run, weights)
        update(0, "")
        started = time.perf_counter()
        for number, (first, chosen) in enumerate(run.batches(run.passes)):
            if first == run.total - len(run.known):
                before_last_pass = did
            if number % REFITTED == 0:
                grid.fit(weights)
            done = first + len(chosen)
            shown = run.encoder.encode(run.data.train.images[chosen], run.seed, TRAINING_SPIKES, first)
            answers, of_layers = answer(run.parts, grid.seen(weights), shown, run.masks(first, len(chosen)))
            correct = solver.step(first, chosen, answers[-1].counts, answers)
            did = did + np.stack(of_layers)
            since += np.array([len(chosen), correct, of_layers[-1][1]])
            update(done, f"running accuracy {since[1] / since[0]:.3f}")
            if done * POINTS // run.total > first * POINTS // run.total:
                points.append([done, since[1] / since[0], since[2] / since[0]])
                since[:] = 0
            if on_batch is not None:
                on_batch(done)
        seconds = time.perf_counter() - started
    if run.total > 0:
        _check_spikes(did[:, 1], did[:, 1] - before_last_pass[:, 1], run)
    grid.fit(weights)
    learned = grid.rounded(weights)
    layers = tuple(LayerTensors.of_floats(one, np.zeros(one.shape[1], np.float32)) for one, _ in learned)
    network = _scaled(run.network, [factor for _, factor in learned])
    blank = np.zeros((0, 0))
    curve = Curve(np.array(points).reshape(-1, 3), np.zeros(4, np.int64), blank, blank)
    passes = (run.passes,) * len(layers)
    activity = tuple(_activity(run, part, of_part) for part, of_part in zip(run.parts, did, strict=True))
    return Learned(
        network, run.learner, layers, passes, run.seed, activity, run.total / seconds, curve, engine
    )


def _scaled(network: Network, factors: list[float]) -> Network:
    """Return a network whose thresholds have grown as much as the weights of its layers."""
    layers = []
    for layer, factor in zip(network.layers, factors, strict=True):
        neuron = layer.neuron
        layers.append(
            replace(layer, neuron=replace(neuron, weight_norm=(neuron.weight_norm or 1.0) * factor))
        )
    return replace(network, layers=tuple(layers))


def _answer_nothing(run: Run, weights: list[Any]) -> None:
    """Compile, so that neither the bar nor the rate waits for it."""
    shown = run.encoder.encode(run.data.train.images[run.known[:1]], run.seed, TRAINING_SPIKES)
    answer(run.parts, weights, shown)[0][-1].counts.sum().backward()


def _check_spikes(ever: NDArray[np.int64], last_pass: NDArray[np.int64], run: Run) -> None:
    """Refuse layers whose neurons do not spike, given their output spikes in all passes and in the last."""
    for place, (in_all, in_last) in enumerate(zip(ever, last_pass, strict=True), 1):
        where = f" of layer {place}" if len(ever) > 1 else ""
        if in_all == 0:
            raise ConfigError(
                f"threshold: no neuron{where} ever spiked in {run.total} presentations; lower it, or show "
                "the images for longer (duration_ms) or, with rates, with higher ones"
            )
        if in_last == 0:
            rate = "gradient_rate", run.learner.gradient_rate
            name, value = rate if run.learner.penalty == "none" else ("penalty_strength", run.strength)
            raise ConfigError(
                f"{name}: no neuron{where} spikes any more after {run.total} presentations; lower it, it is "
                f"{value:g}"
            )


def _activity(run: Run, part: Part, did: NDArray[np.int64]) -> Activity:
    """Return what a layer did while it learned; what a device would do of it is not known."""
    steps = run.total * run.network.steps
    input_spikes, output_spikes = (int(number) for number in did)
    return Activity(
        samples=run.total,
        steps=steps,
        positions=run.total * part.geometry.positions,
        input_spikes=input_spikes,
        output_spikes=output_spikes,
        synaptic_additions=input_spikes * part.count,
        rows_read=input_spikes,
        neuron_updates=steps * part.geometry.positions * part.count,
    )
