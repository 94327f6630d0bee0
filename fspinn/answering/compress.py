"""From a trained network to integers: one compiler for command line, search and export.

`lower` measures what each pass saves, and what it costs in accuracy; the search measures only the end.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fspinn.answering.evaluate import evaluate
from fspinn.answering.predict import respond
from fspinn.base.checks import checked_seed
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.printing import Printed
from fspinn.datasets.arrays import as_dataset
from fspinn.lowering import passes
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.integers import MAX_STATE_BITS
from fspinn.lowering.passes import Measured, Pass, Report
from fspinn.lowering.post_training import (
    check_together,
    fit_readout,
    fits_rounded,
    quantize_readout,
    quantize_state,
    quantize_weights,
)
from fspinn.memmodel import Size
from fspinn.memmodel.footprint import memory_bits
from fspinn.model.features import joined
from fspinn.model.model import AnyModel, Model, check_size, model_of
from fspinn.model.readout import some_labels
from fspinn.network.inhibition import NoInhibition
from fspinn.quant.formats import MAX_BITS, Format, as_format, bits_of, check_format

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from fspinn.datasets import Dataset

CALIBRATION_IMAGES = 2000
"""Training images that ranges and new thresholds are looked for on, at most (fspinn)."""

CALIBRATION_FRACTION_BITS = 8
"""Of weights, while ranges are looked for (fspinn)."""

CALIBRATION_BITS = 16
"""Bits of the state with which a dense network in floats is looked at: as many as it comes to, as a rule, so
that no other kernels are compiled for it (fspinn)."""

Found = TypeVar("Found")


@dataclass(frozen=True, repr=False)
class Lowered(Printed):
    """A network in fixed point, and the report of each pass that made it."""

    model: Model
    reports: tuple[Report, ...]

    def __str__(self) -> str:
        return str(self.model)


@dataclass(frozen=True)
class Calibration:
    """The lowest potential of a network on training images, and the highest potential or threshold."""

    lowest: float
    highest: float

    @property
    def integer_bits(self) -> int:
        """Bits before the binary point of the narrowest signed format that holds the range."""
        bits = 1
        while not -(2.0 ** (bits - 1)) <= self.lowest <= self.highest < 2.0 ** (bits - 1):
            bits += 1
        return bits

    def format(self, bits: int) -> Format:
        """Return the finest signed format of some bits that holds the range.

        Raises
        ------
        FormatError
            If so many bits do not hold it.
        """
        if bits < self.integer_bits:
            raise FormatError(
                f"state: {bits} bits cannot hold {self.lowest:g} to {self.highest:g}; give it at least "
                f"{self.integer_bits}"
            )
        return Format(self.integer_bits, bits - self.integer_bits, signed=True)


def lower(
    model: AnyModel,
    data: "Dataset | None",
    *,
    weights: str,
    state: str | None = None,
    theta: str | None = None,
    readout: str | None = None,
    rounding: str = "nearest",
    shift_leak: bool = False,
    prune: bool = False,
    tune: bool = False,
    seed: int = 0,
    threads: int | None = None,
    on_report: Callable[[Report], None] | None = None,
) -> Lowered:
    """Turn a trained network into one of fixed-point numbers, pass by pass.

    Parameters
    ----------
    model : Model
        Or a result that holds one; left untouched.
    data : Dataset or None
        Accuracies are those on ``data.validation``; pruning and tuning look at ``data.train``, on which a
        readout ``linear`` below 8 bits is fitted too. ``test`` is not touched. None measures no accuracy, and
        rounds the readout.
    weights, state, theta, readout, rounding
        As for `fspinn.quantize`; a state of ``"16 bits"`` is the finest format of 16 bits that holds what
        potentials and thresholds do on training images.
    shift_leak : bool, default False
        First replace the leak by a shift and a subtraction.
    prune : bool, default False
        Last drop neurons that spike for no training image, and pixels whose weights are all zero; needs
        `state`.
    tune : bool, default False
        Choose threshold and inhibition again, on training images.
    seed : int, default 0
        Of input spikes and of the rounding ``stochastic``.
    threads : int or None, default None
        None is one per core; the result is the same for all.
    on_report : callable, optional
        Called with each `Report` as soon as it is there.

    Raises
    ------
    ConfigError
        If there are no images to prune or tune on, or the seed is not one.
    FormatError
        If the model is quantized already, or a format is unknown or cannot hold the values.
    """
    for name, text in (("weights", weights), ("state", state), ("theta", theta), ("readout", readout)):
        if text is not None:
            check_format(name, text, or_bits=name == "state")
    model = model_of(model)
    data = None if data is None else as_dataset(data, model.scale)
    how = Lowering(weights, state, theta, readout, rounding, shift_leak, prune, tune)
    compiler = Compiler(data, checked_seed(seed), threads)
    chained = compiler.passes(model, how)
    lowered, reports = passes.chain(model, chained, measuring(data, seed, threads), on_report)
    accuracy = reports[-1].after.accuracy
    if data is not None and accuracy is not None and _are_those_of(model, data):
        lowered = replace(lowered, record={**lowered.record, "validation_accuracy": accuracy})
    return Lowered(lowered, tuple(reports))


def _are_those_of(model: Model, data: "Dataset") -> bool:
    """Return whether the validation images are those that were held out when the model was trained."""
    trained_on = model.record.get("dataset", {})
    mine = {"checksum": data.checksum, "seed": data.seed, "validation": len(data.validation)}
    return all(trained_on.get(name) == value for name, value in mine.items())


@dataclass(frozen=True)
class Lowering:
    """What to make of a trained network; the parameters are those of `lower`."""

    weights: str | Format
    state: str | Format | None = None
    theta: str | Format | None = None
    readout: str | Format | None = None
    rounding: str = "nearest"
    shift_leak: bool = False
    prune: bool = False
    tune: bool = False


@dataclass
class Compiler:
    """Turns trained networks into ones of fixed-point numbers, always with the same passes in the same order.

    Ranges, silent neurons and new thresholds are looked for on training images, and readouts of few bits are
    fitted on the responses to them. What is found holds for all models that differ in their readout only, and
    is looked for once for those that come one after the other.
    """

    data: "Dataset | None"
    seed: int
    threads: int | None
    _found: dict[tuple[Any, ...], tuple[Model, Any]] = field(default_factory=dict)

    def compile(self, model: Model, how: Lowering) -> Model:
        """Return what all passes make of a model."""
        for run in self.passes(model, how).values():
            model, _ = run(model)
        return model

    def passes(self, model: Model, how: Lowering) -> dict[str, Pass]:
        """Return the passes for a model, by name, in their order."""
        data, bits = self.data, bits_of(how.state)
        if how.tune and len(model.layers) > 1:
            raise ConfigError(
                "tune: chooses threshold and inhibition of a network of one layer, and this one has "
                f"{len(model.layers)}; leave --tune out"
            )
        if data is None and (how.prune or how.tune):
            raise ConfigError("data: pruning and tuning look at training images; name the data set")
        if data is None and bits is not None:
            raise ConfigError(
                f"state: what {bits} bits have to hold is looked for on training images; name the data set"
            )
        if how.prune and how.state is None:
            raise FormatError(
                "prune: only a network in integers has weights that are all zero; give state too"
            )
        check_together(how.state, how.theta)
        readout: Pass = partial(quantize_readout, readout=how.readout)
        if data is not None and fits_rounded(model.readout, how.readout):
            readout(model)  # refuses what cannot be, before anything runs
            readout = partial(self._fit_readout, readout=how.readout, labels=training_labels(model, data))
        weights = partial(quantize_weights, weights=how.weights, rounding=how.rounding, seed=self.seed)
        chained: dict[str, Pass] = {"leak": passes.shift_leak} if how.shift_leak else {}
        chained["weights"] = weights
        if how.state is not None:
            state: str | Format = how.state
            if bits is not None:
                leaking = passes.shift_leak(model)[0] if how.shift_leak else model
                weights(leaking)  # refuses what cannot be, before anything runs
                looked_with = as_format(how.weights)
                if not any(isinstance(layer.inhibition, NoInhibition) for layer in model.network.layers):
                    looked_with = _fine(looked_with)
                state = self._look(calibrate, leaking, weights=looked_with).format(bits)
            chained["state"] = partial(quantize_state, state=state, theta=how.theta)
        if data is not None and how.tune:
            chained["tuning"] = partial(
                passes.retune, accuracy=_on_training_images(data, self.seed, self.threads)
            )
        if how.prune:
            chained["neurons"] = lambda model: passes.drop_neurons(model, self._look(which_spike, model))
            chained["pixels"] = passes.drop_pixels
        chained["readout"] = readout
        return chained

    def _fit_readout(
        self, model: Model, readout: str | Format | None, labels: NDArray[np.int64]
    ) -> tuple[Model, str]:
        counts = self._look(training_responses, model)
        if model.features is not None:
            assert self.data is not None
            values = model.features.values_of(self.data.train, "data")
            counts = joined(model.features, counts, values)
        return fit_readout(model, readout, counts, labels, self.seed)

    def _look(self, search: Callable[..., Found], model: Model, **more: Any) -> Found:
        """Return what a search on training images finds, which may be known from the model before."""
        key = (search, *more.items())
        before, found = self._found.get(key, (None, None))
        if before is None or not _spike_alike(model, before):
            found = search(model, self.data, seed=self.seed, threads=self.threads, **more)
            self._found[key] = model, found
        return found  # type: ignore[return-value]


def _fine(weights: Format) -> Format:
    """Return the format of weights that ranges are looked for with: of the same scale, with fine steps.

    Layers without inhibition have another scale for each format (`closest_scale`).
    """
    integer_bits = weights.integer_bits
    return replace(weights, fraction_bits=min(CALIBRATION_FRACTION_BITS, MAX_BITS - integer_bits))


def _spike_alike(one: Model, other: Model) -> bool:
    """Return whether two models are the same but for their readout."""
    alike = one.network == other.network
    return alike and all(
        mine.formats == theirs.formats
        and np.array_equal(mine.weights.numbers, theirs.weights.numbers)
        and np.array_equal(mine.theta.numbers, theirs.theta.numbers)
        for mine, theirs in zip(one.layers, other.layers, strict=True)
    )


def measuring(data: "Dataset | None", seed: int, threads: int | None) -> Callable[[Model], Measured]:
    """Return the function that measures a model: its memory, and its accuracy on validation images."""

    def measure(model: Model) -> Measured:
        bits = int(memory_bits(Size.of(model), training=False))
        if data is None or len(data.validation) == 0:
            return Measured(bits, None)
        return Measured(bits, evaluate(model, data.validation, seed=seed, threads=threads).accuracy)

    return measure


def calibrate(
    model: Model,
    data: "Dataset",
    *,
    weights: str | Format = "UQ0.8",
    seed: int = 0,
    threads: int | None = None,
) -> Calibration:
    """Return the range of potentials and thresholds on the first `CALIBRATION_IMAGES` training images.

    A model in floats is looked at with weights of a format of the scale that they are going to have (those of
    a layer with a field fill it, those of one without inhibition have the scale that is closest to them, and
    potentials and thresholds grow with them), and with a state of
    `CALIBRATION_BITS`, or, if it has fields, of `MAX_STATE_BITS`.
    """
    if model.layers[0].formats is None:
        model, _ = quantize_weights(model, weights)
        highest = max(
            layer.neuron.firing_threshold + float(learned.theta.values.max(initial=0.0))
            for layer, learned in zip(model.network.answering.layers, model.layers, strict=True)
        )
        integer_bits = min(max(int(highest), 1).bit_length() + 4, MAX_STATE_BITS)
        dense = all(layer.field is None for layer in model.network.layers)
        bits = max(CALIBRATION_BITS if dense else MAX_STATE_BITS, integer_bits)
        model, _ = quantize_state(model, Format(integer_bits, bits - integer_bits, True))
    state = model.layers[0].state
    assert state is not None
    shown = data.train.images[:CALIBRATION_IMAGES]
    check_size(model, shown, "images")
    state_range = respond(plan_of(model), shown, seed=seed, threads=threads).state_range
    step = state.step
    return Calibration(state_range.lowest * step, state_range.highest * step)


def training_labels(model: Model, data: "Dataset") -> NDArray[np.int64]:
    """Return the labels that the readout of a model was fitted to; `NO_LABEL` for all other samples.

    Raises
    ------
    ConfigError
        If there are no training samples, or they have another size than the model's.
    DataError
        If some are of a class that the model does not have, or without the features that it listens to.
    """
    if len(data.train) == 0:
        raise ConfigError(
            f"data: {data.name} has no training samples, which a readout is fitted on; give some"
        )
    check_size(model, data.train.images, "data")
    if model.features is not None:
        model.features.values_of(data.train, "data")
    labels: NDArray[np.int64] = data.train.in_classes(model.class_names, "data").labels
    record = model.record
    count, trained = record.get("labels"), record.get("dataset", {}).get("train")
    if count is None or count == trained or count >= len(labels):
        return labels
    return some_labels(labels, count, seed=record.get("seed", 0), draw=record.get("draw", 0))


def training_responses(
    model: Model, data: "Dataset", *, seed: int = 0, threads: int | None = None
) -> "csr_array":
    """Return how often each neuron spikes for each training sample, of shape (n, n_neurons)."""
    return respond(plan_of(model), data.train.images, seed=seed, threads=threads).spike_counts


def _on_training_images(data: "Dataset", seed: int, threads: int | None) -> Callable[[Model], float]:
    shown = data.train.first(CALIBRATION_IMAGES)

    def accuracy(model: Model) -> float:
        return evaluate(model, shown, seed=seed, threads=threads).accuracy

    return accuracy


def which_spike(
    model: Model, data: "Dataset", *, seed: int = 0, threads: int | None = None
) -> NDArray[np.bool_]:
    """Return which neurons of the last layer spike for any training image, for `passes.drop_neurons`."""
    images, plan = data.train.images, plan_of(model)
    neurons = model.network.layers[-1].neurons
    spiked = np.zeros(neurons, dtype=np.bool_)
    for start in range(0, len(images), CALIBRATION_IMAGES):
        shown = images[start : start + CALIBRATION_IMAGES]
        spike_counts, *_ = respond(plan, shown, seed=seed, first=start, threads=threads)
        spiked |= np.asarray(spike_counts.sum(axis=0)).reshape(-1, neurons).any(axis=0)
        if spiked.all():  # as a rule a few thousand images are enough
            break
    return spiked
