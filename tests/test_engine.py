"""The fast engine gives the same bits for the same seed, and counts its work."""

from dataclasses import replace

import numpy as np
import pytest
from small_networks import LIVELY, learn_with, start_of

from fspinn.backends.numba import float_engine
from fspinn.base.cores import available_cores
from fspinn.base.errors import ConfigError
from fspinn.model.model import Activity
from fspinn.network.description import Network


@pytest.mark.parametrize("threads", [2, 3, 16])
def test_answers_do_not_depend_on_the_threads(threads):
    weights, theta, images = start_of(LIVELY, 1, samples=11)
    alone = float_engine.respond(LIVELY, weights, theta, images, seed=4, threads=1)
    shared = float_engine.respond(LIVELY, weights, theta, images, seed=4, threads=threads)
    np.testing.assert_array_equal(alone[0], shared[0])
    assert alone[1] == shared[1]


def test_all_cores_are_the_default():
    weights, theta, images = start_of(LIVELY, 1)
    counts, _ = float_engine.respond(LIVELY, weights, theta, images, seed=4)
    np.testing.assert_array_equal(
        counts, float_engine.respond(LIVELY, weights, theta, images, seed=4, threads=1)[0]
    )
    assert available_cores() >= 1


@pytest.mark.parametrize("sizes", [(1, 9), (4, 3, 3), (10, 0)])
def test_presenting_in_parts_has_the_bits_of_one_call(sizes):
    whole = start_of(LIVELY, 2, samples=10)
    expected = learn_with(float_engine, LIVELY, whole, seed=3, total=10)
    weights, theta = whole[0].copy(), whole[1].copy()
    counts, activity, first = [], Activity(), 0
    for size in sizes:
        part = whole[2][first : first + size]
        part_counts, counted = float_engine.learn(LIVELY, weights, theta, part, seed=3, first=first, total=10)
        counts += part_counts.tolist()
        activity += counted
        first += size
    assert (counts, weights.tobytes(), theta.tobytes(), activity) == expected
    answers, _ = float_engine.respond(LIVELY, weights, theta, whole[2], seed=3)
    tail, _ = float_engine.respond(LIVELY, weights, theta, whole[2][6:], seed=3, first=6)
    np.testing.assert_array_equal(answers[6:], tail)


def test_another_seed_has_other_bits():
    start = start_of(LIVELY, 2)
    assert learn_with(float_engine, LIVELY, start, seed=0) != learn_with(float_engine, LIVELY, start, seed=1)


def test_images_need_not_be_contiguous():
    weights, theta, images = start_of(LIVELY, 2)
    turned = np.asfortranarray(images)[::-1]
    expected, _ = float_engine.respond(LIVELY, weights, theta, turned.copy(order="C"), seed=0)
    np.testing.assert_array_equal(float_engine.respond(LIVELY, weights, theta, turned, seed=0)[0], expected)


def test_answering_changes_nothing():
    weights, theta, images = start_of(LIVELY, 3)
    before = weights.tobytes(), theta.tobytes(), images.tobytes()
    float_engine.respond(LIVELY, weights, theta, images, seed=0)
    assert (weights.tobytes(), theta.tobytes(), images.tobytes()) == before


def test_a_network_without_weight_norm_cannot_be_run():
    weights, theta, images = start_of(LIVELY, 3)
    with pytest.raises(ConfigError, match=r"^weight_norm: not known before the images are"):
        float_engine.respond(replace(LIVELY, weight_norm=None), weights, theta, images, seed=0)


# --- counting ---------------------------------------------------------------------------------------


def test_activity_of_a_case_counted_by_hand():
    """Two inputs that always spike, 3 neurons, windows of 3, 3 and 1 steps, a spike in every step."""
    network = Network(
        neurons=3,
        weight_norm=1.0,
        threshold=0.1,
        inhibition=0.0,
        rate_norm_hz=1e7,
        duration_ms=7.0,
        window_ms=3.0,
    )
    weights, theta = np.full((2, 3), 0.5, np.float32), np.zeros(3, np.float32)
    images = np.full((2, 1, 2), 9, np.uint8)
    _, activity = float_engine.learn(network, weights, theta, images, seed=0, first=0, total=2)
    assert activity == Activity(
        samples=2,
        steps=14,
        input_spikes=28,
        output_spikes=14,
        synaptic_additions=84,
        neuron_updates=42,
        weight_reads=84 + 12,
        weight_writes=12,
        threshold_updates=18,
        windows=6,
        normalisations=0,
    )


COUNTED = Network(
    neurons=3,
    weight_norm=1.0,
    threshold=0.1,
    inhibition=0.0,
    rate_norm_hz=1e7,
    duration_ms=7.0,
    window_ms=3.0,
)


@pytest.mark.parametrize(
    ("options", "silent", "expected"),
    [
        ({"rule": "normalised"}, False, {"weight_writes": 3 * 2}),
        ({"rule": "normalised"}, True, {"weight_writes": 0}),
        ({"rule": "timestep"}, False, {"weight_writes": 3 * 2}),
        ({"rule": "timestep"}, True, {"weight_writes": 3 * 6}),
        ({"rule": "pair"}, False, {"weight_writes": 14 * 3 + 7 * 2}),
        ({"rule": "pair"}, True, {"weight_writes": 14 * 3}),
        ({"rule": "postonly"}, False, {"weight_writes": 7 * 2}),
        ({"rule": "postonly"}, True, {"weight_writes": 0}),
        ({"adaptation": "balanced"}, False, {"threshold_updates": 3 * 3}),
        ({"adaptation": "balanced"}, True, {"threshold_updates": 3}),
        ({"adaptation": "decaying"}, False, {"threshold_updates": 7 + 3}),
        ({"adaptation": "decaying"}, True, {"threshold_updates": 3}),
        ({"adaptation": "off"}, False, {"threshold_updates": 0}),
        ({"weight_decay": 0.1}, False, {"normalisations": 6}),
        ({"normalisation": "l1"}, True, {"normalisations": 6}),
        ({"normalisation": "l2", "weight_decay": 0.1}, False, {"normalisations": 12}),
    ],
)
def test_each_rule_writes_what_its_definition_implies(options, silent, expected):
    """Two inputs that spike in each of 7 steps, 3 windows, 3 neurons; a spike in every step or none."""
    network = replace(COUNTED, threshold=1e6 if silent else 0.1, **options)
    weights, theta = np.full((2, 3), 0.5, np.float32), np.zeros(3, np.float32)
    image = np.full((1, 1, 2), 9, np.uint8)
    _, activity = float_engine.learn(network, weights, theta, image, seed=0, first=0, total=1)
    assert activity.output_spikes == (0 if silent else 7)
    assert activity.synaptic_additions == 14 * 3
    assert activity.weight_reads == 14 * 3 + activity.weight_writes
    for name, count in expected.items():
        assert getattr(activity, name) == count, name


def test_a_window_without_input_writes_no_weights():
    """Two neurons far above their thresholds spike one after the other; the second without any input."""
    network = Network(
        neurons=2, weight_norm=1.0, threshold=1.0, inhibition=0.0, duration_ms=1.0, window_ms=1.0
    )
    weights, theta = np.ones((1, 2), np.float32), np.full(2, -5.0, np.float32)
    before = weights.copy()
    black = np.zeros((1, 1, 1), np.uint8)
    counts, activity = float_engine.learn(network, weights, theta, black, seed=0, first=0, total=1)
    assert counts.sum() == 1
    np.testing.assert_array_equal(weights, before)
    assert (activity.weight_reads, activity.weight_writes, activity.threshold_updates) == (0, 0, 2)
