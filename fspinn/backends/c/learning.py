"""Learning on a device: integer STDP of a column as constants and tables for `learn.h`, and what it learned.

What a device computes is what `fspinn.lowering.integers` defines for the rule ``normalised`` with balanced
thresholds and stochastic rounding. Two things are settled here, so that the device needs neither a root nor
floats: what the weights of a winner move towards, by the number of inputs that have spiked, is a table; and
rates, which fall linearly over the run in floats, are lines of whole numbers with 64 bits after the point,
compared with the rates of the engine for every sample of the run.
"""

import hashlib
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.c.numbers import array, defines, type_of
from fspinn.backends.numba import engine
from fspinn.base.checks import whole_number
from fspinn.base.errors import ConfigError
from fspinn.base.randomness import LEARNING_ROUNDING, POSITIONS, TRAINING_SPIKES, mixed
from fspinn.lowering.compiler import grid_of, learning_plan, lowest_answer_theta
from fspinn.lowering.integer_learning import RATE_BITS, TARGET_BITS, Grid, integer_schedule
from fspinn.lowering.plan import LayerPlan, LearningPlan, Plan
from fspinn.memmodel.inputs import is_column
from fspinn.memmodel.size import Size
from fspinn.model.model import Model
from fspinn.network.encoders import BatchEncoder
from fspinn.network.rules import Stdp
from fspinn.quant.formats import Format
from fspinn.quant.packing import numbers_per_word, pack, unpack

LEAST_SAMPLES, MOST_SAMPLES = 2, 2**24
"""Of a run: rates go from start to end, and each of them is compared with that of the engine."""

_FRACTION_BITS = 64
_WORD = 2**32
_CHUNK = 2**20
_UNIT_BITS = 8
_THETA_AT = 4
_MARK_BYTES = 2


@dataclass(frozen=True, eq=False)
class DeviceLearning:
    """What a program learns with.

    Parameters
    ----------
    plan : Plan
        Of the layer that learns; weights and theta are those to start from.
    grid : Grid
    samples : int
        Of the run over which rates fall.
    earlier_spikes : int
        Output spikes before the run.
    lowest_answer_theta : int
        What thresholds to answer with have at least above that of the layer, in steps of the state.
    mark : int
        Of the model, as `mark_of` has it.
    """

    plan: Plan
    grid: Grid
    samples: int
    earlier_spikes: int
    lowest_answer_theta: int
    mark: int

    @property
    def layer(self) -> LayerPlan:
        """The layer that learns."""
        return self.plan.layers[0]

    @property
    def settings(self) -> LearningPlan:
        """How it learns."""
        assert self.layer.learning is not None
        return self.layer.learning

    @property
    def weight_bytes(self) -> int:
        """Bytes of RAM that the weights take."""
        return weight_bytes(self.layer.inputs, self.layer.neurons, self.grid.weights)

    @property
    def dump_bytes(self) -> int:
        """Bytes of what was learned."""
        return dump_bytes(self.layer.inputs, self.layer.neurons, self.grid.weights)

    @property
    def spikes_unasked(self) -> bool:
        """Whether a neuron may spike without input in the first sample that is learned from."""
        return bool(self.layer.firing_threshold + (int(self.layer.theta.min()) >> self.grid.theta_shift) <= 0)

    def thresholds_to(self, answering: LayerPlan) -> tuple[int, int]:
        """Return the lowest and the highest threshold that learning, or then answering, may have."""
        beyond = int(answering.firing_threshold) - int(self.layer.firing_threshold)
        return self.grid.state.lowest_integer, self.grid.state.highest_integer + max(beyond, 0)


def learning_of(model: Model, samples: int) -> DeviceLearning:
    """Return how a device learns on from what a model has learned.

    Raises
    ------
    ConfigError
        If there is no program that learns such a network, or not over so many samples.
    FormatError
        If the integer engine does not learn in the formats of the model.
    """
    samples = whole_number("learning", samples, LEAST_SAMPLES, MOST_SAMPLES)
    grid, learner = device_grid(model), model.learner
    formats = model.layer.formats
    assert formats is not None
    assert isinstance(learner, Stdp)
    weights, theta = model.layer.weights.numbers, model.layer.theta.numbers
    finer = grid.theta.fraction_bits - formats.theta.fraction_bits
    arrays = weights.astype(np.uint8), (theta.astype(np.int64) << finer).astype(np.int32)
    plan = learning_plan(model.network, learner, *arrays, grid, model.image_shape)
    before = sum(activity.output_spikes for activity in model.activity.get("training", ()))
    lowest = lowest_answer_theta(model.network, grid.state)
    return DeviceLearning(plan, grid, samples, before, lowest, mark_of(model))


def mark_of(model: Model) -> int:
    """Return 16 bits by which a dump says of which model it is: of the weights and thresholds at the start.

    It is neither that of erased memory, of ones, nor 0; two models share one with a chance of 1 in 65,534.
    """
    layer = model.layer
    text = f"{layer.weights.format} {layer.theta.format} {layer.weights.numbers.shape}".encode()
    numbers = [part.numbers.astype("<i4").tobytes() for part in (layer.weights, layer.theta)]
    digest = hashlib.sha256(b"".join([text, *numbers])).digest()
    return 1 + int.from_bytes(digest[:8], "little") % (2**16 - 2)


def device_grid(model: Model) -> Grid:
    """Return the numbers that a device learns in; errors are those of `learning_of`."""
    if (refusal := _refuses(model)) is not None:
        raise ConfigError(f"learning: {refusal}")
    formats, learner = model.layer.formats, model.learner
    assert formats is not None
    assert isinstance(learner, Stdp)
    weights, state = formats.weights, formats.state
    return grid_of(model.network, learner, model.layer.inputs, weights, state, "stochastic")


def _refuses(model: Model) -> str | None:
    learner, layers = model.learner, Size.of(model).layers
    if model.layers[0].formats is None:
        return "a device learns in integers; train with weights in a format, such as UQ0.4"
    if len(layers) > 1 or not is_column(model.network):
        return (
            "a device learns one column without leak, whose first spike ends a position, on pixels that "
            "spike once, compared with white; use Network.patches"
        )
    if type(learner) is not Stdp:
        return f"a device has no labels, and this model learned by {learner.kind}; use one of stdp"
    if learner.rule.kind != "normalised" or layers[0].adaptation != "balanced":
        return (
            f"a device learns by the rule normalised with balanced thresholds, not by {learner.rule.kind} "
            f"with {layers[0].adaptation}; train such a network"
        )
    return None


def learned_dump(learning: DeviceLearning, images: NDArray[np.uint8], seed: int) -> bytes:
    """Return what a device that has learned from samples keeps, by the integer engine."""
    layer = learning.layer
    learns = replace(layer, weights=layer.weights.copy(), theta=layer.theta.copy())
    plan = replace(learning.plan, layers=(learns,))
    spikes = BatchEncoder(plan.encoding).encode(images, seed, TRAINING_SPIKES)
    response = engine.learn(plan, spikes, learning.samples, learning.earlier_spikes)
    spikes_so_far = learning.earlier_spikes + response.activity[0].output_spikes
    packed = pack(learns.weights, learning.grid.weights, _UNIT_BITS).astype(np.uint8)
    return b"".join(
        [
            np.array([len(images)], "<u4").tobytes(),
            learns.theta.astype("<i4").tobytes(),
            np.array([learning.mark], "<u2").tobytes(),
            packed.tobytes(),
            bytes([spikes_so_far > 0]),
        ]
    )


def learning_lines(learning: DeviceLearning, answering: LayerPlan, seed: int) -> list[str]:
    """Return the lines that define what `learn.h` computes with.

    Parameters
    ----------
    learning : DeviceLearning
    answering : LayerPlan
        The layer as it answers, in integers.
    seed : int
        Of positions and roundings.
    """
    layer, settings, grid = learning.layer, learning.settings, learning.grid
    integers, formats = settings.integers, answering.formats
    assert integers is not None
    assert formats is not None
    values = {
        "LEARN_POSITIONS": settings.positions,
        "LEAST_SPIKES": settings.least_spikes,
        "LAST_SAMPLE": learning.samples - 1,
        "POSITIONS_KEY": mixed(seed, POSITIONS),
        "ROUNDING_KEY": mixed(seed, LEARNING_ROUNDING),
        "SPIKED": int(learning.earlier_spikes > 0),
        "MODEL": learning.mark,
        "RATE_BITS": RATE_BITS,
        "TARGET_BITS": TARGET_BITS,
        "HIGHEST_WEIGHT": integers.highest_weight,
        "LEARN_THRESHOLD": int(layer.firing_threshold),
        "LOWEST_THETA": integers.lowest_theta,
        "FINER_THETA": grid.theta_shift,
        "START_FINER": grid.theta.fraction_bits - formats.theta.fraction_bits,
        "LOWEST_ANSWER_THETA": learning.lowest_answer_theta,
    }
    rates, steps = _lines(learning)
    targets = _targets(integers.norm, layer)
    return [
        *defines(values),
        f"#define FSPINN_TARGET {type_of(0, max(targets))}",
        array("uint32_t", "learning_rates", rates),
        array("uint32_t", "theta_steps", steps),
        array(type_of(0, max(targets)), "targets", targets),
    ]


def _targets(norm: int, layer: LayerPlan) -> list[int]:
    """Return what the weights of inputs that have spiked move towards, by how many these are."""
    assert layer.formats is not None
    one = 1 << (layer.formats.weights.fraction_bits + TARGET_BITS)
    roots = [isqrt(spikes << 16) for spikes in range(1, layer.inputs + 1)]
    return [0, *(min(one, ((norm << 8) + (root >> 1)) // root) for root in roots)]


def _lines(learning: DeviceLearning) -> tuple[list[int], list[int]]:
    """Return the lines that learning rate and step of theta follow, as `_line` has them."""
    settings, theta = learning.settings, learning.grid.theta
    scales = Fraction(2**RATE_BITS), Fraction(settings.weight_norm) * 2**theta.fraction_bits
    ends = settings.learning_rate, settings.theta_step
    lines = [
        _line(Fraction(start) * scale, Fraction(end) * scale, learning.samples)
        for (start, end), scale in zip(ends, scales, strict=True)
    ]
    for first in range(0, learning.samples, _CHUNK):
        count = min(_CHUNK, learning.samples - first)
        schedule = settings.schedule(first, count, learning.samples)
        expected = integer_schedule(settings, theta, schedule)
        numbers = np.arange(first, first + count, dtype=np.uint64)
        found = np.stack([_on_line(line, numbers) for line in lines], axis=1)
        if not np.array_equal(found, expected):
            raise ConfigError(
                f"learning: rates over {learning.samples} samples, as floats have them, are not whole "
                "numbers on a line; give another number of samples"
            )
    return lines[0], lines[1]


def _line(start: Fraction, end: Fraction, samples: int) -> list[int]:
    """Return a start and a rise per sample, each in two's complement as three words, the lowest first.

    The highest word is whole, and the start a half higher, so that it is rounded to nearest.
    """
    rise = (end - start) / max(samples - 1, 1)
    words = []
    for value in (start + Fraction(1, 2), rise):
        fixed = round(value * 2**_FRACTION_BITS)
        words += [fixed // _WORD**place % _WORD for place in range(3)]
    return words


def _on_line(line: list[int], numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Twin of `on_line` in `learn.h`."""
    half, low = np.uint64(32), np.uint64(_WORD - 1)
    start, rise = ([np.uint64(word) for word in words] for words in (line[:3], line[3:]))
    total = rise[0] * numbers + start[0]
    total = rise[1] * numbers + start[1] + (total >> half)
    found: NDArray[np.uint64] = (rise[2] * numbers + start[2] + (total >> half)) & low
    return found.astype(np.int64)


def read_dump(
    dump: bytes, inputs: int, neurons: int, weight_format: Format
) -> tuple[NDArray[np.uint8], NDArray[np.int32], int, int]:
    """Return weights, theta and mark of a dump, and from how many samples it was learned.

    The mark is between the others.
    """
    samples = int(np.frombuffer(dump, "<u4", 1)[0])
    theta = np.frombuffer(dump, "<i4", neurons, _THETA_AT).astype(np.int32)
    mark_at = _THETA_AT + 4 * neurons
    mark = int(np.frombuffer(dump, "<u2", 1, mark_at)[0])
    packed = np.frombuffer(
        dump, np.uint8, weight_bytes(inputs, neurons, weight_format), mark_at + _MARK_BYTES
    )
    words = packed.astype(np.uint32).reshape(inputs, -1)
    return unpack(words, neurons, weight_format, _UNIT_BITS).astype(np.uint8), theta, mark, samples


def weight_bytes(inputs: int, neurons: int, weight_format: Format) -> int:
    """Return the bytes that the weights of a column take: each row begins a new one."""
    return inputs * -(-neurons // numbers_per_word(weight_format, _UNIT_BITS))


def dump_bytes(inputs: int, neurons: int, weight_format: Format) -> int:
    """Return the bytes of a dump: number of samples, theta, mark, weights, whether a neuron has spiked."""
    return _THETA_AT + 4 * neurons + _MARK_BYTES + weight_bytes(inputs, neurons, weight_format) + 1
