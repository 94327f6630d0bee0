"""Weights and thresholds change as `fspinn.network.plasticity` says."""

from collections import namedtuple

import naive_learning
import numpy as np
import pytest
from described import changed, flat
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from runners import fast
from small_networks import SMALL, run

from fspinn.backends.numba import plasticity_kernels as kernels
from fspinn.backends.numba.constants_kernels import SPIKED
from fspinn.backends.numba.schedule_kernels import potentiation_factor
from fspinn.lowering.plan import ADAPTATIONS
from fspinn.network.plasticity import annealed, initial_weights, natural_weight_norm
from fspinn.network.rules import NORMALISATIONS

counts_of_inputs = arrays.arrays(np.int32, st.integers(1, 8), elements=st.integers(0, 350))
unit = st.floats(0, 1, width=32)
PLACE = (0, np.uint64(0))


def having(**fields):
    """Constants or state, as far as a kernel looks at them."""
    return namedtuple("Having", fields)(*fields.values())


def move_towards_input(weights, winner, counts, weight_norm, rate):
    learning, state = having(weight_norm=np.float32(weight_norm)), having(window_counts=counts)
    kernels.move_towards_input(weights, winner, 1, np.float32(rate), PLACE, learning, state)


# --- the kernels and their twins --------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 50))
def test_the_potentiation_factor_rounds_up(spikes, spike_threshold):
    assert potentiation_factor(spikes, spike_threshold) == naive_learning.potentiation_factor(
        spikes, spike_threshold
    )
    assert potentiation_factor(spikes, 0) == 1


@settings(deadline=None)
@given(counts_of_inputs, st.floats(0.125, 8, width=32), unit, st.integers(0, 2**32))
def test_moving_towards_the_input_has_the_bits_of_the_naive_twin(counts, weight_norm, rate, seed):
    weights = np.random.default_rng(seed).random((counts.size, 3), dtype=np.float32)
    expected = weights.copy()
    if counts.any():
        move_towards_input(weights, 1, counts, weight_norm, rate)
    naive_learning.move_towards_input(expected, 1, counts, np.float32(weight_norm), float(rate))
    np.testing.assert_array_equal(weights, expected)


@settings(deadline=None)
@given(st.integers(1, 40), st.floats(0, 4, width=32), st.integers(0, 2**32))
def test_thresholds_have_the_bits_of_the_naive_twin(neurons, step, seed):
    random = np.random.default_rng(seed)
    theta, winner = random.standard_normal(neurons).astype(np.float32), int(random.integers(neurons))
    expected = theta.copy()
    network = flat(neurons=neurons, threshold=2.0, weight_norm=1.0)
    lowest = np.float32(network.lowest_theta)
    learning, step = having(lowest_theta=lowest), np.float32(step)
    kernels.lower_theta(theta, kernels.part_of_step(step, neurons, learning), learning)
    kernels.raise_theta(theta, winner, step, learning)
    naive_learning.shift_thresholds(network, expected, winner, np.float32(step))
    np.testing.assert_array_equal(theta, expected)
    kernels.lower_theta(theta, step, learning)
    naive_learning.lower_thresholds(network, expected, np.float32(step))
    np.testing.assert_array_equal(theta, expected)


def in_order(traces):
    """Places of traces that lie in the order of the inputs."""
    return np.arange(traces.size, dtype=np.uint32)


traces_of_inputs = arrays.arrays(np.float32, st.integers(1, 8), elements=st.floats(0, 8, width=32))


def random_weights(n_inputs, seed, neurons=3):
    """Weights with the ends of their range among them."""
    weights = np.random.default_rng(seed).uniform(-0.2, 1.2, (n_inputs, neurons))
    return np.clip(weights, 0, 1).astype(np.float32)


@settings(deadline=None)
@given(traces_of_inputs, unit, st.integers(0, 2**32))
def test_potentiation_has_the_bits_of_the_naive_twin(traces, rate, seed):
    weights = random_weights(traces.size, seed)
    expected = weights.copy()
    kernels.raise_weights(weights, 1, traces, in_order(traces), np.float32(rate))
    naive_learning.potentiate(expected, 1, traces, rate)
    np.testing.assert_array_equal(weights, expected)
    assert weights.max() <= 1


@settings(deadline=None)
@given(traces_of_inputs, unit, unit, st.integers(0, 2**32))
def test_the_power_law_has_the_bits_of_the_naive_twin(traces, rate, target, seed):
    weights = random_weights(traces.size, seed)
    expected = weights.copy()
    kernels.power_law(weights, 1, traces, in_order(traces), np.float32(rate), np.float32(target))
    naive_learning.power_law(expected, 1, traces, rate, target)
    np.testing.assert_array_equal(weights, expected)
    assert weights.min() >= 0
    assert weights.max() <= 1


@settings(deadline=None)
@given(traces_of_inputs, unit, st.integers(0, 2**32))
def test_depression_has_the_bits_of_the_naive_twin(traces, rate, seed):
    weights = random_weights(traces.size, seed)
    expected = weights.copy()
    learning = having(depression=np.float32(rate))
    state = having(pre_traces=traces, places=in_order(traces))
    rows = kernels.depress_all(weights, PLACE, learning, state)
    naive_learning.depress_window(expected, traces, rate)
    np.testing.assert_array_equal(weights, expected)
    assert rows == np.count_nonzero(traces)
    row = weights.T.copy()
    expected = row.copy()
    spiked = traces.nonzero()[0]
    kernels.depress_row(row, 1, np.float32(rate), traces[spiked], spiked, spiked.size)
    naive_learning.depress_input(expected, 1, rate, traces)
    np.testing.assert_array_equal(row, expected)
    assert row.min() >= 0


def test_traces_of_neurons_lie_together_and_come_back_after_they_were_zero():
    traces, neurons = np.array([1e-20, 2.0, 0.5, 7.0], np.float32), np.array([4, 1, 0, 9], np.uint32)
    carried = np.zeros(8, np.int64)
    carried[SPIKED] = kernels.decay_listed(traces, neurons, 3, np.float32(0.5))
    assert (traces[:2].tolist(), neurons[:2].tolist(), carried[SPIKED]) == ([1.0, 0.25], [1, 0], 2)
    for neuron in (0, 4, 4):
        kernels.raise_listed(traces, neurons, neuron, carried)
    assert (traces[:3].tolist(), neurons[:3].tolist(), carried[SPIKED]) == ([1.0, 1.25, 2.0], [1, 0, 4], 3)


@settings(deadline=None)
@given(arrays.arrays(np.float32, 5, elements=st.floats(0, 8, width=32)), unit)
def test_decay_of_traces_has_the_bits_of_the_naive_twin(traces, kept):
    traces[0], traces[1] = 1e-20, 1e-40
    expected = traces.copy()
    kernels.decay_traces(traces, traces.size, np.float32(kept))
    naive_learning.decay_traces(expected, np.float32(kept))
    np.testing.assert_array_equal(traces, expected)
    assert (traces[traces > 0] >= np.float32(1e-20)).all()


@settings(deadline=None)
@given(st.integers(1, 12), st.sampled_from(["l1", "l2"]), st.floats(0.25, 4), st.integers(0, 2**32))
def test_normalisation_has_the_bits_of_the_naive_twin(n_inputs, kind, goal, seed):
    weights = random_weights(n_inputs, seed, neurons=4)
    weights[:, 2] = 0
    expected = weights.copy()
    normalise(weights, kind, goal)
    naive_learning.normalise(expected, kind, goal)
    np.testing.assert_array_equal(weights, expected)


def normalise(weights, kind, goal):
    kernels.normalise(weights, NORMALISATIONS.index(kind), goal, np.zeros(weights.shape[1]))


@pytest.mark.parametrize(("kind", "order"), [("l1", 1), ("l2", 2)])
def test_normalisation_reaches_its_goal_and_leaves_an_empty_neuron_alone(kind, order):
    weights = np.random.default_rng(0).random((20, 4), dtype=np.float32)
    weights[:, 1] = 0
    before = weights.copy()
    normalise(weights, kind, 1.5)
    sizes = np.linalg.norm(weights.astype(float), ord=order, axis=0)
    np.testing.assert_allclose(sizes, [1.5, 0.0, 1.5, 1.5], rtol=1e-6)
    columns = [0, 2, 3]
    kept = (weights / weights.max(axis=0, initial=1e-9))[:, columns]
    np.testing.assert_allclose(kept, (before / before.max(axis=0, initial=1e-9))[:, columns], rtol=1e-6)


def test_normalisation_makes_no_weight_larger_than_one():
    weights = np.array([[0.5, 0.5], [0.0, 0.5]], np.float32)
    normalise(weights, "l1", 1.5)
    assert weights.tolist() == [[1.0, 0.75], [0.0, 0.75]]


# --- what the rules promise -------------------------------------------------------------------------


def test_only_the_winner_moves():
    weights = np.full((3, 4), 0.5, np.float32)
    move_towards_input(weights, 2, np.array([3, 0, 4], np.int32), 1.0, 0.5)
    np.testing.assert_array_equal(weights[:, [0, 1, 3]], 0.5)
    np.testing.assert_allclose(weights[:, 2], 0.5 + 0.5 * (np.array([0.6, 0, 0.8]) - 0.5), rtol=1e-6)


def test_a_rate_of_one_lands_on_the_normalised_input():
    weights = np.random.default_rng(0).random((4, 1), dtype=np.float32)
    move_towards_input(weights, 0, np.array([1, 2, 2, 4], np.int32), 0.5, 1.0)
    np.testing.assert_allclose(weights[:, 0], [0.1, 0.2, 0.2, 0.4], rtol=1e-6)
    assert np.linalg.norm(weights) == pytest.approx(0.5)


def test_targets_above_one_are_cut():
    weights = np.zeros((2, 1), np.float32)
    move_towards_input(weights, 0, np.array([0, 9], np.int32), 3.0, 1.0)
    assert weights[:, 0].tolist() == [0.0, 1.0]


def test_decay_takes_its_part_of_every_weight():
    network = changed(SMALL, threshold=1e6, weight_decay=0.25)
    start, _, _, _ = run(changed(network, weight_decay=0.0), samples=2)
    weights, _, _, _ = run(network, samples=2)
    np.testing.assert_array_equal(weights, start * np.float32(0.75) * np.float32(0.75))


def test_decaying_thresholds_rise_with_each_spike_and_fall_back():
    network = changed(SMALL, adaptation="decaying", theta_step=0.25, theta_step_end=0.25, weight_norm=1.0)
    _, theta, counts, _ = run(changed(network, theta_tau_ms=1e12), samples=1)
    np.testing.assert_allclose(theta, 0.25 * counts[0], rtol=1e-6)
    assert counts.sum() > 3
    kept = np.exp(-1.0)
    _, theta, _, _ = run(changed(network, theta_tau_ms=60.0, threshold=1e6), samples=3, theta=2.0)
    np.testing.assert_allclose(theta, 2.0 * kept**3, rtol=1e-5)


@pytest.mark.parametrize("adaptation", ADAPTATIONS)
def test_answering_changes_neither_weights_nor_thresholds(adaptation):
    network = changed(SMALL, adaptation=adaptation, weight_decay=0.5, normalisation="l1", theta_tau_ms=10.0)
    weights, theta = np.full((9, 5), 0.3, np.float32), np.full(5, 0.2, np.float32)
    images = np.full((2, 3, 3), 200, np.uint8)
    _, activity = fast.respond(network, weights, theta, images, seed=0)
    assert (weights == np.float32(0.3)).all()
    assert (theta == np.float32(0.2)).all()
    learned = ("columns_written", "rows_written", "threshold_passes", "thresholds_written", "normalisations")
    assert [getattr(activity, name) for name in learned] == [0] * 5


def test_learned_weights_have_about_the_stated_norm():
    weights, _, _, _ = run(changed(SMALL, weight_norm=1.0, learning_rate=0.5, learning_rate_end=0.2))
    assert np.linalg.norm(weights, axis=0) == pytest.approx(np.ones(5), rel=0.15)


@pytest.mark.parametrize("window_ms", [None, 10.0])
def test_thresholds_keep_their_mean_while_somebody_spikes(window_ms):
    _, theta, counts, _ = run(changed(SMALL, window_ms=window_ms, theta_step=0.5))
    assert counts.sum(axis=1).min() > 0
    assert np.abs(theta).max() > 0.1
    assert theta.mean() == pytest.approx(0, abs=1e-5)


def test_the_winner_is_the_neuron_with_most_spikes_since_the_image_appeared():
    """Neuron 0 spikes twice in the first window, neuron 1 once in the second: neuron 0 wins both."""
    network = flat(
        neurons=2,
        weight_norm=1.0,
        threshold=1.0,
        inhibition_strength=0.0,
        rate_norm_hz=1e7,
        tau_m_ms=1e12,
        duration_ms=4.0,
        window_ms=2.0,
        refractory_ms=0.0,
        learning_rate=0.0,
        theta_step=0.5,
        theta_step_end=0.5,
    )
    weights = np.array([[1.0, 0.375]], np.float32)
    theta = np.zeros(2, np.float32)
    counts, _ = fast.learn(network, weights, theta, np.full((1, 1, 1), 9, np.uint8), seed=0, first=0, total=1)
    # After the first window theta is (0.25, -0.25); neuron 1 is at 1.125 in step 3 and goes first.
    assert counts.tolist() == [[2, 1]] or counts.tolist() == [[3, 1]]
    np.testing.assert_array_equal(theta, [0.5, -0.5])


def test_a_presentation_without_spikes_lowers_all_thresholds():
    network = changed(SMALL, threshold=100.0, theta_step=0.5, theta_step_end=0.5, window_ms=10.0)
    _, theta, counts, activity = run(network, samples=3)
    assert counts.sum() == 0
    np.testing.assert_allclose(theta, -3 * 0.5 * 1.3, rtol=1e-6)
    assert (activity.threshold_passes, activity.columns_written) == (3, 0)


def test_a_silent_network_wakes_up():
    network = changed(SMALL, threshold=45.0, theta_step=0.5, theta_step_end=0.5)
    _, _, counts, _ = run(network, samples=200)
    awake = counts.sum(axis=1) > 0
    assert not awake[:15].any()
    assert awake[-50:].mean() > 0.7


def test_every_neuron_gets_its_turn():
    _, _, counts, _ = run(changed(SMALL, theta_step_end=1.0), samples=100)
    winners = np.bincount(counts.argmax(axis=1), minlength=5)
    assert winners.min() >= 10


# --- before and during a run ------------------------------------------------------------------------


@given(unit, unit, st.integers(1, 30), st.data())
def test_annealing_is_the_naive_line_in_every_part(start, end, total, data):
    first = data.draw(st.integers(0, total))
    count = data.draw(st.integers(0, total - first))
    values = annealed(start, end, first, count, total)
    assert values.tolist() == [naive_learning.annealed(start, end, first + m, total) for m in range(count)]


def test_annealing_runs_from_the_first_to_the_last_value():
    values = annealed(0.25, 1.0, 0, 7, 7)
    assert (values[0], values[-1]) == (0.25, 1.0)
    assert annealed(0.25, 1.0, 0, 1, 1).tolist() == [0.25]


def test_the_natural_weight_norm_asks_one_weight_in_a_hundred_for_more_than_one():
    images = np.random.default_rng(0).integers(0, 256, (300, 6, 6), dtype=np.uint8)
    norm = natural_weight_norm(images)
    flat = images.reshape(300, -1).astype(float)
    targets = norm * flat / np.linalg.norm(flat, axis=1, keepdims=True)
    assert (targets[flat > 0] > 1).mean() == pytest.approx(0.01, abs=0.001)


def test_the_natural_weight_norm_looks_at_the_first_thousand_images():
    images = np.random.default_rng(0).integers(0, 256, (1001, 3, 3), dtype=np.uint8)
    before = natural_weight_norm(images)
    images[1000] = np.eye(3, dtype=np.uint8)
    assert natural_weight_norm(images) == before
    images[990:1000] = np.diag([0, 255, 0]).astype(np.uint8)
    assert natural_weight_norm(images) != before


def test_black_images_have_a_natural_weight_norm():
    assert natural_weight_norm(np.zeros((4, 3, 3), np.uint8)) == 1.0


def test_initial_weights_have_the_norm_of_the_network():
    weights = initial_weights(
        SMALL.network.layers[0], SMALL.setup.learner, 9, np.random.default_rng(0).random(45)
    )
    assert weights.shape == (9, 5)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(weights, axis=0), 1.3, rtol=1e-6)


def test_initial_weights_are_at_most_one():
    weights = initial_weights(
        changed(SMALL, weight_norm=3.0).network.layers[0],
        SMALL.setup.learner,
        9,
        np.random.default_rng(0).random(45),
    )
    assert weights.max() == 1
    assert weights.min() >= 0
