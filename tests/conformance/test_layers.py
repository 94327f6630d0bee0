"""Chains of layers, both ways in which columns are computed, and twins that are wrong on purpose."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import naive
import naive_input
import naive_integers
import naive_learning
import numpy as np
import pytest
from backend_runners import (
    FIELD_CASES,
    FIRST,
    FORMATS,
    SEED,
    TOTAL,
    formats_for,
    in_floats,
    start_of,
    twin_learns_in_floats,
)
from described import changed, flat, tensors_of
from exported_programs import answers, build, needs_gcc
from runners import answering, fast, grid_for, output_spikes

from fspinn.backends.brian2 import engine as brian2_engine
from fspinn.backends.c import export_c
from fspinn.backends.numba import answers as answering_arrays
from fspinn.backends.numba import engine
from fspinn.base.randomness import INFERENCE_SPIKES, TRAINING_SPIKES
from fspinn.lowering.compiler import answering_plan, learning_plan
from fspinn.lowering.integer_learning import first_weights
from fspinn.model.model import Model, Readout
from fspinn.model.tensors import Formats
from fspinn.network.encoders import BatchEncoder
from fspinn.quant import Format
from fspinn.quant.formats import quantize_values, to_integers

# Brian2 2.9 calls its parser by old names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BELOW = flat(
    neurons=3,
    encoder="ttfs",
    first_spikes_relative_to="white",
    duration_ms=8.0,
    field=(2, 3),
    cells=(3, 3),
    inhibition="first",
    tau_m_ms=None,
    threshold=1.2,
    weight_norm=1.0,
)
DENSE = {"inhibition": "lateral", "neurons": 4, "threshold": 1.0, "tau_m_ms": 20.0}
FIELD = {"inhibition": "first", "neurons": 2, "threshold": 0.8, "field": (2, 2), "cells": (2, 1)}
RANKED = {"inhibition": "ranked", "neurons": 4, "threshold": 1.0, "answer_ms": 3.0, "window_ms": None}
CLAMP = {"inhibition": "clamp", "neurons": 3, "threshold": 0.7, "field": (1, 2), "inhibition_ms": 2.0}
FREE = {"inhibition": "none", "neurons": 5, "threshold": 0.5, "tau_m_ms": 9.0}
FREE_BELOW = {**BELOW.asked, "inhibition": "none", "threshold": 0.7, "refractory_ms": 1.0, "tau_m_ms": 20.0}
FREE_FIELD = {**FREE, "neurons": 3, "field": (2, 2), "cells": (2, 2), "threshold": 0.4}
CHAINS = {
    "dense": (BELOW.asked, DENSE),
    "field": (BELOW.asked, FIELD),
    "ranked": (BELOW.asked, RANKED),
    "clamp": (BELOW.asked, CLAMP),
    "none": (BELOW.asked, FREE),
    "none-dense": (FREE_BELOW, DENSE),
    "none-field": (FREE_BELOW, FIELD),
    "none-none": (FREE_BELOW, FREE),
    "none-none-none": (FREE_BELOW, FREE_FIELD, FREE),
}
"""Layers, each on the spikes of the one below; the cells of the first are 3 x 3 with 3 channels."""
LEARN = [name for name in CHAINS if not name.endswith("none")]
"""Chains whose last layer learns."""


@dataclass(frozen=True)
class Chain:
    """A network of layers, its parts by themselves, the shape of what each sees, and what it has learned."""

    network: Any
    parts: list[Any]
    shapes: list[tuple[int, int, int]]
    learned: list[tuple[Any, Any]]
    formats: list[Formats]
    images: Any

    def tensors(self, in_integers=False):
        for arrays, formats in zip(self.learned, self.formats, strict=True):
            chosen = (formats.weights, formats.state, formats.theta) if in_integers else ()
            yield tensors_of(*arrays, *chosen)

    def input_spikes(self, purpose):
        """For each sample the inputs that spike in each step."""
        keys = [naive_input.stream_key(SEED, purpose, FIRST + m) for m in range(len(self.images))]
        return [
            naive_input.input_spikes(self.parts[0], image, key)
            for image, key in zip(self.images, keys, strict=True)
        ]

    def input_of_the_last(self, purpose):
        """The same of the last layer, and what those before it did."""
        shown, activities = self.input_spikes(purpose), []
        for part, shape, arrays in zip(self.parts[:-1], self.shapes, self.learned, strict=False):
            spiked, activity = naive.spikes_to(part, *arrays, shown, shape)
            shown = [naive_input.passed_on(part, one) for one in spiked]
            activities.append(activity)
        return shown, tuple(activities)


def chain(name):
    """Images, one black, and what sees them."""
    random = np.random.default_rng(3)
    apart = {"positions": 3, "least_spikes": 2, "window_ms": 3.0, "learning_rate": 0.3, "theta_step": 0.1}
    parts = [flat(**{"duration_ms": 8.0, "weight_norm": 1.0, **apart, **one}) for one in CHAINS[name]]
    shapes = [(6, 7, 1), *((*part.cells, part.neurons) for part in parts[:-1])]
    learned, chosen = [], []
    for part, shape in zip(parts, shapes, strict=True):
        formats = formats_for(part, 0)
        inputs = part.network.layers[0].fan_in(*shape)
        lowest = -0.5 if part.inhibition == "none" else 0.0
        weights = quantize_values(random.uniform(lowest, 1.0, (inputs, part.neurons)), formats.weights)
        theta = quantize_values(0.2 * random.random(part.neurons), formats.theta)
        learned.append((weights.astype(np.float32), theta.astype(np.float32)))
        chosen.append(formats)
    layers = tuple(part.network.layers[0] for part in parts)
    images = random.integers(0, 256, (4, 6, 7), dtype=np.uint8)
    images[1] = 0
    return Chain(replace(parts[0].network, layers=layers), parts, shapes, learned, chosen, images)


def encoded(plan, images, purpose):
    return BatchEncoder(plan.encoding).encode(images, SEED, purpose, FIRST)


@pytest.mark.parametrize("backend", [engine, brian2_engine], ids=["numba", "brian2"])
@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_of_layers_answers_as_its_twins_do(name, backend):
    layers = chain(name)
    plan = answering_plan(layers.network, list(layers.tensors()), (6, 7))
    answer = backend.respond(plan, encoded(plan, layers.images, INFERENCE_SPIKES))
    shown, below = layers.input_of_the_last(INFERENCE_SPIKES)
    expected, first_steps, activity = naive.respond_to(
        layers.parts[-1], *layers.learned[-1], shown, layers.shapes[-1]
    )
    np.testing.assert_array_equal(answer.spike_counts, expected)
    np.testing.assert_array_equal(answer.first_steps, first_steps)
    assert answer.activity == (*below, activity)
    assert expected.sum() > 3
    assert expected[1].sum() == 0


def twins_in_integers(layers, plan):
    """What the last layer answers, what all did, and how often numbers left their formats."""
    shown, activities, saturations = layers.input_spikes(INFERENCE_SPIKES), [], 0
    for part, layer, (_, theta), formats, shape in zip(
        layers.parts, plan.layers, layers.learned, layers.formats, layers.shapes, strict=True
    ):
        integers = to_integers(theta, formats.theta)
        seen = part, layer, formats, integers, shown, shape
        counts, first_steps, activity, _, cuts = naive_integers.respond_to(*seen)
        shown = [naive_input.passed_on(part, one) for one in naive_integers.spikes_to(*seen)[0]]
        activities.append(activity)
        saturations += cuts
    return counts, first_steps, tuple(activities), saturations


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_of_layers_in_integers_answers_as_its_twins_do(name):
    layers = chain(name)
    plan = answering_plan(layers.network, list(layers.tensors(in_integers=True)), (6, 7))
    counts, first_steps, activities, saturations = twins_in_integers(layers, plan)
    answer = engine.respond(plan, encoded(plan, layers.images, INFERENCE_SPIKES))
    np.testing.assert_array_equal(answer.spike_counts, counts)
    np.testing.assert_array_equal(answer.first_steps, first_steps)
    assert answer.activity == activities
    assert answer.range.saturations == saturations
    assert counts.sum() > 3


@needs_gcc
@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_of_layers_in_c_answers_as_its_twins_do(name, tmp_path):
    """Its input spikes depend on no random word, so it does not matter how images are numbered."""
    layers = chain(name)
    tensors = tuple(layers.tensors(in_integers=True))
    counts, *_ = twins_in_integers(layers, answering_plan(layers.network, list(tensors), (6, 7)))
    table = np.full((layers.network.features, 2), 0.5, np.float32)
    readout = Readout("proportion", table, Format.parse("UQ0.8"))
    export_c(Model(layers.network, (6, 7), tensors, readout), tmp_path / "out", layers.images)
    found, _ = answers(build(tmp_path / "out"), layers.images, layers.network.features)
    np.testing.assert_array_equal(found, counts)


@pytest.mark.parametrize(
    ("backend", "tolerance"), [(engine, 0.0), (brian2_engine, 1e-5)], ids=["numba", "brian2"]
)
@pytest.mark.parametrize("name", LEARN)
def test_the_last_layer_of_a_chain_learns_as_its_twin_does(name, backend, tolerance):
    layers = chain(name)
    (weights, theta), above = layers.learned[-1], layers.parts[-1]
    mine, expected = (weights.copy(), theta.copy()), (weights.copy(), theta.copy())
    *below, _ = layers.tensors()
    plan = learning_plan(layers.network, above.setup.learner, *mine, None, (6, 7), below)
    answer = backend.learn(plan, encoded(plan, layers.images, TRAINING_SPIKES), TOTAL)
    shown, activity_below = layers.input_of_the_last(TRAINING_SPIKES)
    counts, activity = naive.learn_from(above, *expected, shown, layers.shapes[-1], SEED, FIRST, TOTAL)
    np.testing.assert_array_equal(answer.spike_counts, counts)
    assert answer.activity == (*activity_below, activity)
    for one, other in zip(mine, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)
    assert np.abs(mine[0] - weights).max() > 0


@pytest.mark.parametrize("name", LEARN)
def test_the_last_layer_of_a_chain_learns_in_integers_as_its_twin_does(name):
    layers, formats = chain(name), FORMATS[0]
    (weights, theta), above = layers.learned[-1], layers.parts[-1]
    alone = changed(above, field=None, cells=(1, 1))
    grid = grid_for(alone, len(weights), formats.weights, formats.state, "stochastic")
    numbers, thetas = first_weights(weights, grid), np.zeros(len(theta), np.int32)
    mine = numbers.copy(), thetas.copy()
    *below, _ = layers.tensors()
    plan = learning_plan(layers.network, above.setup.learner, *mine, grid, (6, 7), below)
    answer = engine.learn(plan, encoded(plan, layers.images, TRAINING_SPIKES), TOTAL)
    shown, activity_below = layers.input_of_the_last(TRAINING_SPIKES)
    counts, expected, expected_theta, activity, _ = naive_integers.learn_from(
        above, grid, numbers, thetas, shown, layers.shapes[-1], SEED, FIRST, TOTAL
    )
    np.testing.assert_array_equal(answer.spike_counts, counts)
    assert answer.activity == (*activity_below, activity)
    np.testing.assert_array_equal(mine[0], expected)
    np.testing.assert_array_equal(mine[1], expected_theta)


@pytest.mark.parametrize("room", [1, 300])
def test_samples_are_presented_in_parts_where_their_spikes_need_much_memory(room, monkeypatch):
    layers = chain("none-none")
    plan = answering_plan(layers.network, list(layers.tensors()), (6, 7))
    spikes = encoded(plan, layers.images, INFERENCE_SPIKES)
    at_once = engine.respond(plan, spikes)
    monkeypatch.setattr(answering_arrays, "ROOM", room)
    in_parts = engine.respond(plan, spikes)
    assert all_spikes(in_parts) == all_spikes(at_once)
    np.testing.assert_array_equal(in_parts.first_steps, at_once.first_steps)
    assert in_parts.activity == at_once.activity


# --- the two ways in which columns are computed -------------------------------------------------------

IN_16_BITS = Formats(*(Format.parse(name) for name in ("UQ0.3", "Q6.6", "Q4.3")))
IN_32_BITS = Formats(*(Format.parse(name) for name in ("UQ0.8", "Q8.14", "Q4.10")))
SATURATED = Formats(*(Format.parse(name) for name in ("UQ0.3", "Q2.3", "Q1.3")))
COLUMNS = [
    {"stride": 1, "cells": (2, 3)},
    {"stride": 2, "cells": (3, 3)},
    {"stride": 3, "field": (3, 2), "contrast": "on-off"},
    {"stride": 4, "field": (1, 7)},
    {"stride": 1, "field": (2, 3), "contrast": "level-delta"},
    {"stride": 2, "field": (6, 5), "cells": (1, 2)},
    {"stride": 1, "field": (6, 7), "neurons": 1},
]


def all_spikes(answer):
    """Step, neuron and position of each output spike, sample by sample, in an order of their own."""
    by_position = output_spikes(replace(answer, spike_neurons=answer.spike_positions))
    both = zip(output_spikes(answer), by_position, strict=True)
    return [sorted((t, j, p) for (t, j), (_, p) in zip(a, b, strict=True)) for a, b in both]


def column(settings, formats=None, real=np.float32, lowest=0.0):
    """The plan of a column that answers, and what its encoder makes of images."""
    network, random = changed(changed(BELOW, cells=(1, 1)), **settings), np.random.default_rng(0)
    images = random.integers(0, 256, (6, 6, 7), dtype=np.uint8)
    images[random.random(images.shape) < 0.4] = 0
    inputs = network.network.layers[0].fan_in(*network.network.input_shape((6, 7)))
    weights = random.uniform(lowest, 1.0, (inputs, network.neurons)).astype(real)
    theta = 0.3 * random.random(network.neurons).astype(real)
    plan = answering(network, weights, theta, formats, shape=(6, 7))
    return plan, encoded(plan, images, INFERENCE_SPIKES)


@pytest.mark.parametrize("settings", COLUMNS, ids=str)
@pytest.mark.parametrize(
    ("formats", "kind"),
    [
        (None, np.float32),
        pytest.param(None, np.float64, marks=pytest.mark.exhaustive),
        (IN_16_BITS, np.int16),
        (IN_32_BITS, np.int32),
        (SATURATED, np.int16),
    ],
    ids=["float32", "float64", "16 bits", "32 bits", "saturated"],
)
def test_all_positions_at_once_are_what_one_after_the_other_is(settings, formats, kind, monkeypatch):
    plan, spikes = column(settings, formats, np.float32 if formats else kind)
    at_once = assert_both_ways_are_one(plan, spikes, kind, monkeypatch)
    assert (at_once.range.saturations > 0) == (formats is SATURATED)


def assert_both_ways_are_one(plan, spikes, kind, monkeypatch):
    assert engine.columns_of(plan, plan.layers[0]) is kind
    at_once = engine.respond(plan, spikes)
    monkeypatch.setattr(engine, "columns_of", lambda *_: None)
    one_by_one = engine.respond(plan, spikes)
    np.testing.assert_array_equal(at_once.spike_counts, one_by_one.spike_counts)
    np.testing.assert_array_equal(at_once.first_steps, one_by_one.first_steps)
    assert all_spikes(at_once) == all_spikes(one_by_one)
    assert at_once.activity == one_by_one.activity
    assert at_once.range == one_by_one.range
    assert at_once.spike_counts.sum() > 3
    return at_once


SIGNED_16 = Formats(*(Format.parse(name) for name in ("Q1.3", "Q6.6", "Q4.3")))
SIGNED_32 = Formats(*(Format.parse(name) for name in ("Q1.7", "Q8.14", "Q4.10")))
SIGNED_NARROW = Formats(*(Format.parse(name) for name in ("Q1.3", "Q2.3", "Q1.3")))


@pytest.mark.parametrize("tau_m_ms", [None, 3.0])
@pytest.mark.parametrize("settings", COLUMNS, ids=str)
@pytest.mark.parametrize(
    ("formats", "kind"),
    [
        (None, np.float32),
        (None, np.float64),
        (SIGNED_16, np.int16),
        (SIGNED_32, np.int32),
        (SIGNED_NARROW, np.int16),
    ],
    ids=["float32", "float64", "16 bits", "32 bits", "saturated"],
)
def test_without_inhibition_too(settings, formats, kind, tau_m_ms, monkeypatch):
    settings = {**settings, "inhibition": "none", "tau_m_ms": tau_m_ms, "threshold": 0.6, "duration_ms": 20.0}
    plan, spikes = column(settings, formats, np.float32 if formats else kind, lowest=-0.4)
    assert_both_ways_are_one(plan, spikes, kind, monkeypatch)


def test_what_cannot_be_computed_at_once_is_not():
    free = {"inhibition": "none", "cells": (2, 2), "threshold": 0.6}
    finer = replace(SIGNED_16, weights=Format.parse("Q1.7"))
    for more, formats in (({"refractory_ms": 1.0}, None), ({}, finer)):
        plan, spikes = column({**free, **more}, formats, lowest=-0.4)
        assert engine.columns_of(plan, plan.layers[0]) is None
        assert engine.respond(plan, spikes).spike_counts.sum() > 3


def test_a_position_answers_alone_as_it_does_among_the_others():
    plan, spikes = column({"contrast": "on-off", "cells": (2, 2)})
    everywhere, (layer,) = engine.respond(plan, spikes), plan.layers
    alone, geometry = replace(plan, layers=(layer.at_a_position,)), layer.geometry
    counts = np.zeros((len(spikes), 4, layer.neurons), np.int32)
    for position in range(geometry.positions):
        seen = engine.respond(alone, spikes.seen_from(geometry, position), probe=2)
        counts[:, geometry.cell_of[position]] += seen.spike_counts
        assert seen.potentials.shape == (len(spikes), plan.steps, 2)
    np.testing.assert_array_equal(counts.reshape(len(spikes), -1), everywhere.spike_counts)


# --- broken twins -----------------------------------------------------------------------------------

_looks, _see, _on_off = naive_input.looks, naive_input.see, naive_input.on_off
_silence = naive_learning.fall_after_silence


def _mixed(looks):
    """Of each position the cell of the position before."""
    cells = [cell for cell, _ in looks]
    return [(cell, inputs) for cell, (_, inputs) in zip([*cells[-1:], *cells[:-1]], looks, strict=True)]


ANSWERS_BROKEN = {
    "another cell": ("looks", lambda *a: _mixed(_looks(*a))),
    "the last position is left out": ("looks", lambda *a: _looks(*a)[:-1]),
    "a field that is turned": ("looks", lambda *a: [(cell, inputs[::-1]) for cell, inputs in _looks(*a)]),
    "a step later": ("see", lambda *a: [[], *_see(*a)[:-1]]),
    "on is off": ("on_off", lambda *a: _on_off(*a)[..., ::-1]),
    "it goes on": ("ends_early", lambda *a: False),
}
LEARNING_BROKEN = {
    **ANSWERS_BROKEN,
    "positions in order": ("drawn_positions", lambda network, *a: list(range(network.positions))),
    "all are learned from": ("is_seen", lambda *a: True),
    "silence lowers thresholds": (
        "fall_after_silence",
        lambda network, *a: _silence(SimpleNamespace(field=None, firing_threshold=0.0), *a),
    ),
}


LEARNING_CASES = [case for case in FIELD_CASES if case[0].inhibition != "none"]


def differs(engine_does, twin_does, cases=FIELD_CASES):
    """Whether any of the networks with a field shows a difference."""
    for network, formats in cases:
        start = start_of(network, formats, samples=4)
        mine, theirs = engine_does(network, start), twin_does(network, start)
        if any(not np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True)):
            return True
    return False


def answers_of(network, start):
    weights, theta, images = start
    answer = in_floats(fast)[0](network, weights, theta, images)
    return answer.spike_counts, answer.first_steps, answer.activity[0].as_tuple()


def twin_answers(network, start):
    weights, theta, images = start
    counts, first_steps, activity = naive.answer(
        network, weights.astype(np.float32), theta.astype(np.float32), images, SEED, FIRST
    )
    return counts, first_steps, activity.as_tuple()


def learned_by(network, start):
    counts, activity, *learned = in_floats(fast)[1](network, *start, None)
    return counts, activity.as_tuple(), *learned


def twin_learned(network, start):
    counts, activity, *learned = twin_learns_in_floats(network, *start, None)
    return counts, activity.as_tuple(), *learned


def test_twins_that_are_right_show_no_difference():
    assert not differs(answers_of, twin_answers)
    assert not differs(learned_by, twin_learned, LEARNING_CASES)


@pytest.mark.parametrize("broken", ANSWERS_BROKEN)
def test_an_answer_of_a_broken_twin_is_noticed(broken, monkeypatch):
    naive.break_part(monkeypatch, *ANSWERS_BROKEN[broken])
    assert differs(answers_of, twin_answers)


@pytest.mark.parametrize("broken", LEARNING_BROKEN)
def test_what_a_broken_twin_learns_is_noticed(broken, monkeypatch):
    naive.break_part(monkeypatch, *LEARNING_BROKEN[broken])
    assert differs(learned_by, twin_learned, LEARNING_CASES)


@pytest.mark.parametrize("name", [name for name in CHAINS if name != "ranked"])  # which adds all up first
def test_a_chain_whose_spikes_come_late_is_noticed(name, monkeypatch):
    on_time = naive_input.passed_on
    naive.break_part(monkeypatch, "passed_on", lambda *a: [[], *on_time(*a)[:-1]])
    with pytest.raises(AssertionError):
        test_a_chain_of_layers_answers_as_its_twins_do(name, engine)


@pytest.mark.parametrize("name", [name for name in CHAINS if name.startswith("none-")])
def test_a_chain_that_passes_on_first_spikes_alone_is_noticed(name, monkeypatch):
    def firsts(network, spiked):
        return naive_input.spikes_of_features(naive_input.features_of(network, spiked)[1], network.steps)

    naive.break_part(monkeypatch, "passed_on", firsts)
    with pytest.raises(AssertionError):
        test_a_chain_of_layers_answers_as_its_twins_do(name, engine)
