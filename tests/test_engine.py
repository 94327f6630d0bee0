"""The fast engine gives the same bits for the same seed, and counts its work."""

import numpy as np
import pytest
from described import changed, flat
from runners import answering, fast
from small_networks import LIVELY, learn_with, start_of

from fspinn.answering.predict import respond
from fspinn.base.cores import available_cores
from fspinn.base.errors import ConfigError
from fspinn.model.activity import Activity


@pytest.mark.parametrize("threads", [2, 3, 16, None])
def test_answers_do_not_depend_on_the_threads(threads):
    weights, theta, images = start_of(LIVELY, 1, samples=11)
    plan = answering(LIVELY, weights, theta)
    alone = respond(plan, images, seed=4, threads=1)
    shared = respond(plan, images, seed=4, threads=threads)
    np.testing.assert_array_equal(alone.spike_counts.toarray(), shared.spike_counts.toarray())
    np.testing.assert_array_equal(
        alone.spike_counts.toarray(), fast.respond(LIVELY, weights, theta, images, seed=4)[0]
    )
    assert alone.activity == shared.activity
    assert available_cores() >= 1


@pytest.mark.parametrize("sizes", [(1, 9), (4, 3, 3), (10, 0)])
def test_presenting_in_parts_has_the_bits_of_one_call(sizes):
    whole = start_of(LIVELY, 2, samples=10)
    expected = learn_with(fast, LIVELY, whole, seed=3, total=10)
    weights, theta = whole[0].copy(), whole[1].copy()
    counts, activity, first = [], Activity(), 0
    for size in sizes:
        part = whole[2][first : first + size]
        part_counts, counted = fast.learn(LIVELY, weights, theta, part, seed=3, first=first, total=10)
        counts += part_counts.tolist()
        activity += counted
        first += size
    assert (counts, weights.tobytes(), theta.tobytes(), activity) == expected
    answers, _ = fast.respond(LIVELY, weights, theta, whole[2], seed=3)
    tail, _ = fast.respond(LIVELY, weights, theta, whole[2][6:], seed=3, first=6)
    np.testing.assert_array_equal(answers[6:], tail)


def test_another_seed_has_other_bits():
    start = start_of(LIVELY, 2)
    assert learn_with(fast, LIVELY, start, seed=0) != learn_with(fast, LIVELY, start, seed=1)


def test_images_need_not_be_contiguous():
    weights, theta, images = start_of(LIVELY, 2)
    turned = np.asfortranarray(images)[::-1]
    expected, _ = fast.respond(LIVELY, weights, theta, turned.copy(order="C"), seed=0)
    np.testing.assert_array_equal(fast.respond(LIVELY, weights, theta, turned, seed=0)[0], expected)


def test_answering_changes_nothing():
    weights, theta, images = start_of(LIVELY, 3)
    before = weights.tobytes(), theta.tobytes(), images.tobytes()
    fast.respond(LIVELY, weights, theta, images, seed=0)
    assert (weights.tobytes(), theta.tobytes(), images.tobytes()) == before


def test_a_network_without_weight_norm_cannot_be_run():
    weights, theta, images = start_of(LIVELY, 3)
    with pytest.raises(ConfigError, match=r"^weight_norm: not known before the images are"):
        fast.respond(changed(LIVELY, weight_norm=None), weights, theta, images, seed=0)


# --- counting ---------------------------------------------------------------------------------------


def test_activity_of_a_case_counted_by_hand():
    """Two inputs that always spike, 3 neurons, windows of 3, 3 and 1 steps, a spike in every step."""
    network = flat(
        neurons=3,
        weight_norm=1.0,
        threshold=0.1,
        inhibition_strength=0.0,
        rate_norm_hz=1e7,
        duration_ms=7.0,
        window_ms=3.0,
    )
    weights, theta = np.full((2, 3), 0.5, np.float32), np.zeros(3, np.float32)
    images = np.full((2, 1, 2), 9, np.uint8)
    _, activity = fast.learn(network, weights, theta, images, seed=0, first=0, total=2)
    assert activity == Activity(
        samples=2,
        steps=14,
        active_steps=14,
        positions=2,
        input_spikes=28,
        output_spikes=14,
        synaptic_additions=84,
        neuron_updates=42,
        rows_read=28,
        columns_written=6,
        windows=6,
        threshold_passes=6,
    )


COUNTED = flat(
    neurons=3,
    weight_norm=1.0,
    threshold=0.1,
    inhibition_strength=0.0,
    rate_norm_hz=1e7,
    duration_ms=7.0,
    window_ms=3.0,
)


LEARNED = (
    "columns_written",
    "rows_written",
    "threshold_passes",
    "thresholds_written",
    "normalisations",
    "decays",
)


@pytest.mark.parametrize(
    ("options", "silent", "expected"),
    [
        ({"rule": "normalised"}, False, {"columns_written": 3}),
        ({"rule": "normalised"}, True, {}),
        ({"rule": "timestep"}, False, {"columns_written": 3}),
        ({"rule": "timestep"}, True, {"rows_written": 3 * 2}),
        ({"rule": "pair"}, False, {"rows_written": 14, "columns_written": 7}),
        ({"rule": "pair"}, True, {"rows_written": 14}),
        ({"rule": "postonly"}, False, {"columns_written": 7}),
        ({"rule": "postonly"}, True, {}),
        ({"adaptation": "balanced"}, False, {"columns_written": 3, "threshold_passes": 3}),
        ({"adaptation": "balanced"}, True, {"threshold_passes": 1}),
        (
            {"adaptation": "decaying"},
            False,
            {"columns_written": 3, "thresholds_written": 7, "threshold_passes": 1},
        ),
        ({"adaptation": "decaying"}, True, {"threshold_passes": 1}),
        (
            {"adaptation": "homeostatic"},
            False,
            {"columns_written": 3, "thresholds_written": 7, "threshold_passes": 1},
        ),
        ({"adaptation": "homeostatic"}, True, {"threshold_passes": 1}),
        ({"weight_decay": 0.1}, False, {"columns_written": 3, "decays": 1}),
        ({"normalisation": "l1"}, True, {"normalisations": 1}),
        (
            {"normalisation": "l2", "weight_decay": 0.1},
            False,
            {"columns_written": 3, "decays": 1, "normalisations": 1},
        ),
    ],
)
def test_each_rule_writes_what_its_definition_implies(options, silent, expected):
    """Two inputs that spike in each of 7 steps, 3 windows, 3 neurons; a spike in every step or none."""
    network = changed(COUNTED, threshold=1e6 if silent else 0.1, **{"adaptation": "off", **options})
    weights, theta = np.full((2, 3), 0.5, np.float32), np.zeros(3, np.float32)
    image = np.full((1, 1, 2), 9, np.uint8)
    _, activity = fast.learn(network, weights, theta, image, seed=0, first=0, total=1)
    assert activity.output_spikes == (0 if silent else 7)
    assert activity.synaptic_additions == 14 * 3
    assert {name: activity.as_dict()[name] for name in LEARNED} == dict.fromkeys(LEARNED, 0) | expected


def test_a_window_without_input_writes_no_weights():
    """Two neurons far above their thresholds spike one after the other; the second without any input."""
    network = flat(
        neurons=2, weight_norm=1.0, threshold=1.0, inhibition_strength=0.0, duration_ms=1.0, window_ms=1.0
    )
    weights, theta = np.ones((1, 2), np.float32), np.full(2, -5.0, np.float32)
    before = weights.copy()
    black = np.zeros((1, 1, 1), np.uint8)
    counts, activity = fast.learn(network, weights, theta, black, seed=0, first=0, total=1)
    assert counts.sum() == 1
    np.testing.assert_array_equal(weights, before)
    assert (activity.rows_read, activity.columns_written, activity.threshold_passes) == (0, 0, 1)
