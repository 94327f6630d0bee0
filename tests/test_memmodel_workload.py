"""What a network does for an image: counted, or expected before it has run."""

from dataclasses import fields, replace

import numpy as np
import pytest
from cost_cases import sized
from described import both, dense

import fspinn
from fspinn.base.errors import ConfigError
from fspinn.learning.training import learn
from fspinn.memmodel import Size, Workload, estimate, expected_workloads
from fspinn.memmodel.workload import COUNTED, EXPECTED, expected_spikes
from fspinn.network.rules import Stdp

NETWORKS = {
    "the default": both(passes=1, neurons=20),
    "timestep": both(passes=1, neurons=20, rule="timestep", adaptation="decaying", theta_step=0.01),
    "pair with a layer": both(
        passes=1,
        neurons=20,
        rule="pair",
        inhibition="layer",
        adaptation="decaying",
        theta_step=0.01,
        normalisation="l2",
        weight_decay=0.001,
    ),
    "a held rate": both(passes=1, neurons=20, adaptation="homeostatic", target_spikes=5.0),
    "postonly": both(passes=1, neurons=20, rule="postonly", adaptation="off", normalisation="l2"),
    "pair as by BindsNET": both(
        passes=1,
        neurons=20,
        rule="pair",
        encoder="unscaled",
        max_rate_hz=150.0,
        threshold=5.0,
        weight_norm=1.0,
        refractory_ms=5.0,
        inhibition="layer",
        adaptation="decaying",
        normalisation="l1",
    ),
    "late spikes": both(passes=1, neurons=20, encoder="ttfs", threshold=0.5),
}


MNIST = sized(784, 400)


@pytest.fixture(scope="module")
def digits():
    return fspinn.datasets.load("digits")


@pytest.mark.parametrize("name", NETWORKS)
def test_with_its_spikes_known_all_else_is_what_the_engine_counts(digits, name):
    """Learning on 200 images: all counts but spikes and silent windows follow from the description."""
    few = replace(digits, train=digits.train.first(200))
    network, learner = NETWORKS[name].network, NETWORKS[name].learner
    counted = Workload.counted(learn(network, few, learner, seed=0, progress=False).activity[0])
    size = Size.of_network(network, learner, (8, 8), n_classes=10, weight_bits=32)
    expected = Workload.expected(size.layers[0], counted.input_spikes, counted.output_spikes, training=True)
    assert 0 < expected.active_steps <= expected.steps
    for field in fields(Workload):
        if field.name not in ("source", "active_steps"):
            assert getattr(expected, field.name) == pytest.approx(getattr(counted, field.name)), field.name
    assert (counted.source, expected.source) == (COUNTED, EXPECTED)


@pytest.mark.parametrize(
    "settings",
    [{}, {"duration_ms": 100.0}, {"encoder": "regular"}, {"encoder": "ttfs"}, {"encoder": "unscaled"}],
)
def test_input_spikes_are_expected_from_the_mean_pixel(digits, settings):
    network = dense(neurons=20, weight_norm=1.0, **settings)
    counted = learn(network, digits, learner=Stdp(passes=1), seed=0, progress=False).activity[0]
    inputs, outputs = expected_spikes(network, sized(64, 20), float(np.mean(digits.train.images)) / 255)
    assert inputs == pytest.approx(counted.per_sample("input_spikes"), rel=0.5)
    assert outputs >= 1


def test_output_spikes_are_expected_from_threshold_and_rates():
    assert expected_spikes(dense(), MNIST, 0.1307)[1] == pytest.approx(570 * 0.35 / 20)
    assert expected_spikes(dense(answer_threshold=10.0), MNIST, 0.1307)[1] == pytest.approx(570 * 0.35 / 10)
    assert expected_spikes(dense(threshold=1e6), MNIST, 0.1307)[1] == 1


def test_without_scaling_spikes_are_expected_from_the_rate_of_a_white_pixel():
    """A white quarter of 784 pixels, each at 100 Hz for 0.35 s; a neuron that fits has a norm of 1 there."""
    network = dense(encoder="unscaled", max_rate_hz=100.0, threshold=7.0)
    assert expected_spikes(network, MNIST, 0.25) == pytest.approx((196 * 35, 14 * 35 / 7))


def test_the_spikes_of_many_networks_are_expected_at_once():
    neurons = np.array([3, 20, 500])
    together = expected_spikes(dense(), sized(784, neurons), 0.1307)
    for place, count in enumerate(neurons.tolist()):
        alone = expected_spikes(dense(), sized(784, count), 0.1307)
        assert [np.broadcast_to(one, 3)[place] for one in together] == pytest.approx(alone)


def test_first_spikes_limit_the_spikes_of_ttfs():
    assert expected_spikes(dense(encoder="ttfs"), MNIST, 0.25)[0] == 196
    assert expected_spikes(dense(encoder="ttfs", first_spikes=50), MNIST, 0.25)[0] == 50


@pytest.mark.parametrize("mean", [0, -0.1, 1.5, float("nan")])
def test_what_is_no_mean_pixel_is_refused(mean):
    with pytest.raises(ConfigError, match=r"mean_intensity: .* is not a mean pixel; give one above 0"):
        expected_spikes(dense(), MNIST, mean)


def test_expected_costs_are_labelled_and_near_the_counted_ones(digits):
    network = dense(neurons=50)
    result = fspinn.train(network, digits, learner=Stdp(passes=2), seed=0, progress=False)
    counted = estimate(result.model)
    size = Size.of(result.model)
    mean = float(np.mean(digits.train.images)) / 255
    expected = estimate(size, activity=expected_workloads(network, size, mean))
    assert expected.as_dict()["activity"]["inference"]["source"] == EXPECTED
    total = [one.energy["inference"]["total"] for one in (expected, counted)]
    assert total[0] == pytest.approx(total[1], rel=0.5)
