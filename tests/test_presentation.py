"""One image over time: the spikes that a prediction counts, and potentials against the plain twin."""

import naive
import naive_input
import numpy as np
import pytest
from described import Flat, dense, model_from
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import networks_of, start_of

from fspinn.answering.predict import predict
from fspinn.answering.present import potential, present
from fspinn.base.errors import ConfigError, DataError
from fspinn.base.randomness import INFERENCE_SPIKES, stream_key
from fspinn.model.model import Readout
from fspinn.network.setup import Setup

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 5, 4), dtype=np.uint8)
KINDS = (
    {},
    {"inhibition_strength": 0.0},
    {"inhibition_of": "potential", "inhibition_strength": 0.4},
    {"inhibition": "clamp", "inhibition_ms": 7.0},
    {"inhibition": "layer", "inhibition_ms": 25.0},
    {"inhibition": "layer", "inhibition_ms": 0.0, "inhibition_of": "potential", "inhibition_strength": 1.0},
    {"refractory_ms": 20.0},
    {"refractory_ms": 20.0, "inhibition": "layer"},
    {"answer_threshold": 1.5, "answer_inhibition": 0.2},
    {"encoder": "ttfs", "threshold": 1.0, "duration_ms": 40.0},
    {"dt_ms": 2.0, "encoder": "regular"},
)


def model(**kind):
    network = dense(**{"neurons": 5, "weight_norm": 1.5, "threshold": 4.0, "duration_ms": 150.0, **kind})
    random = np.random.default_rng(1)
    return model_from(
        network=network,
        image_shape=(5, 4),
        weights=random.random((20, 5), dtype=np.float32),
        theta=random.normal(0, 0.5, 5).astype(np.float32),
        readout=Readout("proportion", np.eye(5, 3, dtype=np.float32)),
    )


class Watched(naive.Presentation):
    """Keeps the potentials of each time step: when they are compared with the thresholds, and at the end."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.course = []

    def spike(self, t):
        before = self.potentials.copy()
        super().spike(t)
        self.course.append((before, self.potentials.copy()))


def potentials_of_the_twin(trained, image, seed, number):
    """Spikes, and the potentials of each time step, shape (steps, 2, neurons)."""
    network, layer = Flat(Setup(trained.network)).answering, trained.layer
    watched = Watched(network, layer.weights.values, layer.theta.values, None)
    key = stream_key(seed, INFERENCE_SPIKES, number)
    for t, inputs in enumerate(naive_input.input_spikes(network, image, key)):
        watched.leak_and_input(t, inputs)
        watched.spike(t)
        if naive.ends_early(network, watched.spikes):
            break
    course = np.zeros((network.steps, 2, network.neurons), np.float32)
    course[: len(watched.course)] = watched.course
    return watched.spikes, course


def assert_potentials_are_those_of_the_twin(trained, image, seed=3, number=1):
    shown = present(trained, image, seed=seed, number=number)
    spikes, expected = potentials_of_the_twin(trained, image, seed, number)
    assert list(zip(shown.output_steps, shown.output_neurons, strict=True)) == spikes
    for neuron in range(trained.network.neurons):
        np.testing.assert_array_equal(potential(trained, shown, neuron), expected[:, :, neuron])
    return spikes


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_potential_is_that_of_the_plain_twin(kind):
    assert len(assert_potentials_are_those_of_the_twin(model(**kind), IMAGES[1])) > 2


@settings(max_examples=60, deadline=None)
@given(networks_of(), st.integers(0, 2**32), st.integers(0, 2**40))
def test_the_potential_is_that_of_the_plain_twin_whatever_the_options(network, start_seed, number):
    weights, theta, images = start_of(network, start_seed)
    readout = Readout("proportion", np.eye(network.neurons, 3, dtype=np.float32))
    trained = model_from(network.network, images.shape[1:], weights, theta, readout)
    assert_potentials_are_those_of_the_twin(trained, images[0], seed=1, number=number)


@pytest.mark.parametrize("kind", KINDS[:3], ids=str)
def test_the_spikes_are_those_that_a_prediction_counts(kind):
    trained = model(**kind)
    answer = predict(trained, IMAGES, seed=5)
    for k, image in enumerate(IMAGES):
        shown = present(trained, image, seed=5, number=k)
        counts = np.bincount(shown.output_neurons, minlength=5)
        np.testing.assert_array_equal(counts, answer.spike_counts[k])
        assert (np.diff(shown.output_steps) > 0).all()
    assert sum(len(present(trained, i, number=k).input_spikes.inputs) for k, i in enumerate(IMAGES)) > 0


def test_where_nothing_spikes_there_is_nothing():
    shown = present(model(), np.zeros((5, 4), np.uint8))
    assert len(shown.output_steps) == len(shown.output_neurons) == len(shown.input_spikes.inputs) == 0
    assert (potential(model(), shown, 0) == 0).all()


def test_an_image_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match=r"^image: 4 x 5 pixels do not fit a model for 5 x 4; resize"):
        present(model(), np.zeros((4, 5), np.uint8))
    with pytest.raises(DataError, match=r"^image: values are float64, not uint8"):
        present(model(), np.zeros((5, 4)))
