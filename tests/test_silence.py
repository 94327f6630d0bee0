"""Images that bring little or no input: nothing changes, nothing is unlearned, and a warning names them."""

from dataclasses import replace

import numpy as np
import pytest

import fspinn
from fspinn import Network, evaluate, train
from fspinn.backends.brian2 import engine as brian2_engine
from fspinn.backends.numba import float_engine, integer_engine
from fspinn.datasets import Split
from fspinn.lowering.integer_learning import first_weights, grid_of
from fspinn.network.description import ENCODERS, RULES

BLACK = np.zeros((3, 2, 2), np.uint8)
BRIGHT = np.full((3, 2, 2), 200, np.uint8)
SMALL = Network(
    neurons=3,
    duration_ms=40.0,
    rate_norm_hz=800.0,
    threshold=2.0,
    weight_norm=1.0,
    theta_step=0.5,
    theta_step_end=0.5,
)


def learned(network, images, engine=float_engine, earlier_spikes=9, theta=0.0):
    """Weights and theta of a network that has seen these images, and how often its neurons spiked."""
    weights, thetas = np.full((4, 3), 0.5, np.float32), np.full(3, theta, np.float32)
    counts, _ = engine.learn(
        network, weights, thetas, images, seed=0, first=0, total=len(images), earlier_spikes=earlier_spikes
    )
    return weights, thetas, counts


def learned_in_integers(network, images, earlier_spikes=9, theta=0.0):
    grid = grid_of(network, 4, "UQ0.4", None, "nearest")
    weights = first_weights(np.full((4, 3), 0.5, np.float32), grid)
    thetas = np.full(3, round(theta / grid.theta.step), np.int32)
    integer_engine.learn(
        network,
        weights,
        thetas,
        images,
        grid=grid,
        seed=0,
        first=0,
        total=len(images),
        seen=np.zeros(3, np.int64),
        earlier_spikes=earlier_spikes,
    )
    return weights, thetas * grid.theta.step


@pytest.mark.parametrize("earlier_spikes", [0, 9])
@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("rule", RULES)
def test_without_input_nothing_changes(rule, encoder, earlier_spikes):
    network = replace(SMALL, rule=rule, encoder=encoder, window_ms=10.0)
    weights, theta, counts = learned(network, BLACK, earlier_spikes=earlier_spikes)
    assert counts.sum() == 0
    assert (weights == 0.5).all()
    assert (theta == 0).all()
    if rule in ("normalised", "timestep"):
        weights, theta = learned_in_integers(network, BLACK, earlier_spikes)
        assert (weights == 8).all()
        assert (theta == 0).all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_without_input_nothing_changes_in_brian2():
    weights, theta, counts = learned(SMALL, BLACK, brian2_engine)
    assert counts.sum() == 0
    assert (weights == 0.5).all()
    assert (theta == 0).all()


def test_until_a_neuron_has_spiked_any_input_lowers_thresholds_by_the_step():
    network = replace(SMALL, threshold=100.0)
    np.testing.assert_allclose(learned(network, BRIGHT, earlier_spikes=0)[1], -1.5)
    np.testing.assert_allclose(learned_in_integers(network, BRIGHT, earlier_spikes=0)[1], -1.5, rtol=1e-4)


def test_later_they_fall_where_potentials_come_near_and_ever_less():
    """Potentials are 22 to 27 at the end of each image."""
    near, far = replace(SMALL, threshold=35.0), replace(SMALL, threshold=60.0)
    for earlier_spikes, fall in ((2, 1.5), (3, 0.5)):
        theta = learned(near, BRIGHT, earlier_spikes=earlier_spikes)[1]
        np.testing.assert_allclose(theta, -fall, rtol=1e-6)
        _, theta = learned_in_integers(near, BRIGHT, earlier_spikes)
        np.testing.assert_allclose(theta, -fall, rtol=1e-3)
        assert (learned(far, BRIGHT, earlier_spikes=earlier_spikes)[1] == 0).all()
        assert (learned_in_integers(far, BRIGHT, earlier_spikes)[1] == 0).all()


@pytest.mark.parametrize("answer_threshold", [None])
def test_thresholds_stay_above_the_potential_at_rest(answer_threshold):
    network = replace(
        SMALL, threshold=100.0, theta_step=1e4, theta_step_end=1e4, answer_threshold=answer_threshold
    )
    lowest = -63 / 64 * (100.0 if answer_threshold is None else answer_threshold)
    weights, theta, _ = learned(network, BRIGHT[:1], earlier_spikes=0)
    np.testing.assert_allclose(theta, lowest, rtol=1e-6)
    counts, _ = float_engine.respond(network, weights, theta, BLACK, seed=0)
    assert counts.sum() == 0
    np.testing.assert_allclose(
        learned_in_integers(network, BRIGHT[:1], earlier_spikes=0)[1], lowest, rtol=1e-3
    )


def test_an_integer_threshold_is_at_least_one():
    """The 64th part of the threshold is less than a step of the state."""
    network = replace(SMALL, threshold=2.0, theta_step=1e4, theta_step_end=1e4)
    grid = grid_of(network, 4, "UQ0.4", "Q6.2", "nearest")
    weights, thetas = np.full((4, 3), 0, np.uint8), np.zeros(3, np.int32)
    seen = np.zeros(3, np.int64)
    integer_engine.learn(network, weights, thetas, BRIGHT, grid=grid, seed=0, first=0, total=3, seen=seen)
    np.testing.assert_array_equal(thetas * grid.theta.step, -2.0 + 0.25)


# --- on images ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return fspinn.datasets.load("digits")


def with_images(data, images):
    """The data set with images of class 0 added to those that are learned from."""
    labels = np.zeros(len(images), data.train.labels.dtype)
    more = Split(np.concatenate([data.train.images, images]), np.concatenate([data.train.labels, labels]))
    return replace(data, train=more)


def black(count):
    return np.zeros((count, 8, 8), np.uint8)


def dim(count, value=1):
    """One dim pixel in each image, anywhere."""
    images = black(count)
    places = np.random.default_rng(0).integers(0, 64, count)
    images.reshape(count, 64)[np.arange(count), places] = value
    return images


@pytest.mark.parametrize("count", [1, 3])
def test_black_images_do_not_hurt(digits, count):
    data = with_images(digits, black(count))
    model = train(Network(neurons=100), data, progress=False).model
    assert evaluate(model, data.test).accuracy > 0.92
    answer = fspinn.predict(model, black(4))
    assert answer.spike_counts.sum() == 0


@pytest.mark.parametrize(
    ("settings", "least"),
    [
        ({}, 0.92),
        ({"encoder": "regular"}, 0.92),
        ({"encoder": "unscaled", "max_rate_hz": 200.0}, 0.92),
        ({"rule": "timestep", "learning_rate": 0.01, "window_ms": 50.0}, 0.6),
        ({"encoder": "ttfs", "threshold": 3.0, "first_spikes": 20}, 0.6),
    ],
    ids=str,
)
def test_dim_images_do_not_hurt(digits, settings, least):
    data = with_images(digits, dim(12))
    model = train(Network(neurons=100, **settings), data, progress=False).model
    assert evaluate(model, data.test).accuracy > least
    assert fspinn.predict(model, black(4)).spike_counts.sum() == 0


@pytest.mark.parametrize("images", [black(12), dim(12)], ids=["black", "dim"])
def test_learning_in_integers_is_not_hurt(digits, images):
    data = with_images(digits, images)
    model = train(Network(neurons=100), data, weights="UQ0.4", progress=False).model
    assert evaluate(model, data.test).accuracy > 0.9
    assert fspinn.predict(model, black(4)).spike_counts.sum() == 0


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
def test_black_images_do_not_hurt_two_hundred_neurons(digits, count):
    data = with_images(digits, black(count))
    assert evaluate(train(Network(neurons=200), data, progress=False).model, data.test).accuracy > 0.93
