"""Homeostatic thresholds: a layer spikes as often as it should, whatever its width and its positions."""

import numpy as np
import pytest
from click.testing import CliRunner
from cost_cases import sized
from described import changed, dense, flat
from runners import brian2, fast, grid_for
from small_networks import SMALL, run

from fspinn.base.errors import ConfigError
from fspinn.cli import main
from fspinn.memmodel.workload import expected_spikes
from fspinn.network import First, Homeostatic, Layer, Ranked
from fspinn.network.plasticity import initial_weights

HELD = changed(SMALL, adaptation="homeostatic", theta_step=0.3, theta_step_end=0.3, weight_norm=1.0)
RANDOM = np.random.default_rng(3).integers(0, 256, (2000, 3, 3), dtype=np.uint8)


def counts_at_the_end(network, images=RANDOM):
    """Output spikes of the layer for each of the last thousand images that it learns from."""
    _, height, width = images.shape
    inputs = network.network.layers[0].fan_in(height, width)
    layer, learner = network.network.layers[0], network.setup.learner
    weights = initial_weights(layer, learner, inputs, np.random.default_rng(0).random(inputs * layer.neurons))
    theta = np.zeros(network.neurons, np.float32)
    counts, _ = fast.learn(network, weights, theta, images, seed=0, first=0, total=len(images))
    return np.asarray(counts)[-1000:], theta


@pytest.mark.parametrize("neurons", [1, 3, 12])
@pytest.mark.parametrize("target", [0.5, 4.0])
def test_a_layer_spikes_as_often_as_it_should_however_wide_it_is(neurons, target):
    counts, _ = counts_at_the_end(changed(HELD, neurons=neurons, target_spikes=target))
    assert counts.sum(axis=1).mean() == pytest.approx(target, rel=0.1)


def test_every_neuron_has_its_share_of_the_spikes():
    counts, _ = counts_at_the_end(changed(HELD, neurons=4, target_spikes=6.0))
    np.testing.assert_allclose(counts.mean(axis=0), 6.0 / 4, rtol=0.15)


@pytest.mark.parametrize("positions", [1, 5])
def test_with_a_field_the_target_is_that_of_a_position(positions):
    images = np.random.default_rng(4).integers(1, 256, (2000, 5, 5), dtype=np.uint8)
    network = changed(HELD, field=3, cells=1, positions=positions, least_spikes=1, inhibition="first")
    counts, _ = counts_at_the_end(changed(network, target_spikes=0.4), images)
    assert counts.sum(axis=1).mean() == pytest.approx(0.4 * positions, rel=0.1)


def test_thresholds_rise_with_each_spike_and_fall_by_the_share_of_the_target():
    rises = changed(HELD, theta_step=0.25, theta_step_end=0.25, target_spikes=2.0)
    _, theta, counts, _ = run(rises, samples=1)
    assert counts.sum() > 3
    np.testing.assert_allclose(theta, 0.25 * counts[0] - 0.25 * 2.0 / 5, rtol=1e-5)


def test_without_input_thresholds_stay():
    weights, theta = np.full((9, 5), 0.3, np.float32), np.full(5, 0.2, np.float32)
    black = np.zeros((3, 3, 3), np.uint8)
    _, activity = fast.learn(HELD, weights, theta, black, seed=0, first=0, total=3)
    np.testing.assert_array_equal(theta, np.float32(0.2))
    assert activity.threshold_passes == 0


def test_a_target_out_of_reach_leaves_a_threshold_above_0():
    _, theta, _, _ = run(changed(HELD, target_spikes=9000.0))
    np.testing.assert_array_equal(theta, np.float32(HELD.lowest_theta))
    assert HELD.firing_threshold + HELD.lowest_theta > 0


def counts_in_integers(neurons, target, state):
    """The same in integers, from thresholds near those that learning leads to; and theta at the end."""
    network = changed(HELD, neurons=neurons, target_spikes=target)
    grid = grid_for(network, 9, "UQ0.6", state, "stochastic")
    weights = np.random.default_rng(0).integers(5, 40, (9, neurons), dtype=np.uint8)
    theta = np.full(neurons, round(30 / grid.theta.step), np.int32)
    images = np.tile(RANDOM, (3, 1, 1))
    counts, _ = fast.learn(network, weights, theta, images, seed=0, first=0, total=len(images), grid=grid)
    return np.asarray(counts)[-1000:], theta * grid.theta.step


@pytest.mark.parametrize(("neurons", "target"), [(5, 4.0), (100, 1.0), (160, 1.0)])
def test_integers_hold_the_target_too_however_wide_the_layer_is(neurons, target):
    counts, theta = counts_in_integers(neurons, target, "Q7.8")
    assert counts.sum(axis=1).mean() == pytest.approx(target, rel=0.1)
    assert theta.max() < 60


def test_thresholds_at_the_end_of_the_state_do_not_hold_the_target():
    """These lead to 33, and Q6.8 ends at 32."""
    counts, theta = counts_in_integers(160, 1.0, "Q6.8")
    assert counts.sum(axis=1).mean() > 1.3
    assert theta.max() > 31.9


@pytest.mark.parametrize("neurons", [1, 5, 160])
@pytest.mark.parametrize("state", ["Q6.8", "Q12.4"])
def test_integers_fall_as_far_as_floats_in_wide_layers_and_with_steps_that_end_at_0(neurons, state):
    silent = changed(HELD, neurons=neurons, threshold=30.0, tau_m_ms=1.0, theta_step_end=0.0)
    grid = grid_for(silent, 9, "UQ0.6", state, "stochastic")
    integers, floats = np.zeros(neurons, np.int32), np.zeros(neurons, np.float64)
    learned = (np.full((9, neurons), 20, np.uint8), integers), (np.full((9, neurons), 0.3), floats)
    images = RANDOM[:100]
    for (weights, theta), chosen in zip(learned, (grid, None), strict=True):
        counts, _ = fast.learn(silent, weights, theta, images, seed=0, first=0, total=100, grid=chosen)
        assert np.asarray(counts).sum() == 0
    assert floats[0] == pytest.approx(-0.3 * 50 / neurons)
    np.testing.assert_allclose(integers * grid.theta.step, floats, rtol=1e-3)


def test_brian2_holds_it_in_the_middle_of_a_run_as_the_fast_backend_does():
    learned = []
    for engine, real in ((fast, np.float32), (brian2, np.float64)):
        weights, theta = np.full((9, 5), 0.3, real), np.linspace(0, 0.3, 5).astype(real)
        counts, activity = engine.learn(HELD, weights, theta, RANDOM[:3], 0, 2, 9, earlier_spikes=7)
        learned.append((np.asarray(counts).tolist(), activity, theta))
    assert learned[0][:2] == learned[1][:2]
    np.testing.assert_allclose(learned[0][2], learned[1][2], atol=1e-5)


def test_brian2_counts_that_thresholds_fall_after_the_last_presentation():
    silent = flat(neurons=3, duration_ms=20.0, rate_norm_hz=800.0, threshold=1e3, weight_norm=1.0)
    weights, theta = np.full((9, 3), 0.3), np.zeros(3)
    _, activity = brian2.learn(silent, weights, theta, RANDOM[:1], 0, 0, 2)
    assert activity.threshold_passes == 1


def test_a_target_that_inhibition_does_not_allow_is_refused():
    words = (
        r"^target_spikes: 1.5 are more than the one spike that ends a presentation with inhibition = first; "
    )
    with pytest.raises(ConfigError, match=words + "give at most 1$"):
        Layer(4, inhibition=First(), adaptation=Homeostatic(1.5))
    words = r"^target_spikes: 0.5 cannot be held with inhibition = ranked, where one neuron spikes in each "
    with pytest.raises(ConfigError, match=words + "presentation while learning; give 1$"):
        Layer(4, inhibition=Ranked(), adaptation=Homeostatic(0.5))
    with pytest.raises(ConfigError, match=r"^target_spikes: must be above 0, but got 0"):
        Homeostatic(0.0)


def test_estimates_expect_the_target_of_layers_that_answer_as_they_learn():
    def expected(network):
        return expected_spikes(network, sized(784, network.layers[0].neurons), 0.13)[-1]

    held = {"adaptation": "homeostatic", "target_spikes": 3.0}
    assert expected(dense(**held)) == 3.0
    assert expected(dense(**held, answer_threshold=2.0)) == expected(dense(answer_threshold=2.0)) != 3.0


def test_the_target_is_a_setting_of_this_adaptation():
    assert dense(adaptation="homeostatic", target_spikes=3.0).layers[0].adaptation == Homeostatic(3.0)
    with pytest.raises(ConfigError, match=r"^target_spikes: needs adaptation = homeostatic; set that too"):
        dense(target_spikes=3.0)
    listed = CliRunner().invoke(main, ["info", "--settings"])
    assert "target_spikes" in listed.stdout
    assert "spikes a presentation" in listed.stdout
