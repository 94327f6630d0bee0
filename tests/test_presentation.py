"""One image over time: the spikes that a prediction counts, and potentials against the plain twin."""

from dataclasses import replace

import naive
import naive_input
import numpy as np
import pytest
from described import Flat, changed, dense, model_from
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import networks_of, start_of

from fspinn.answering.predict import predict
from fspinn.answering.present import potential, present, spikes_by_position
from fspinn.base.errors import ConfigError, DataError
from fspinn.base.randomness import INFERENCE_SPIKES, stream_key
from fspinn.lowering import quantize
from fspinn.model.model import Model, Readout
from fspinn.model.tensors import LayerTensors
from fspinn.network.description import Network
from fspinn.network.inhibition import First
from fspinn.network.layers import Layer, Neuron
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
    {"inhibition": "none", "adaptation": "off"},
    {"inhibition": "none", "adaptation": "off", "refractory_ms": 4.0, "threshold": 2.0},
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
    steps = network.steps + naive.answer_steps(network, learning=False)
    shown = naive_input.input_spikes(network, image, key)
    for t in range(steps):
        watched.leak_and_input(t, shown[t] if t < network.steps else [])
        watched.spike(t)
        if naive.ends_early(network, watched.spikes):
            break
    course = np.zeros((steps, 2, network.neurons), np.float32)
    course[: len(watched.course)] = watched.course
    return watched.spikes, course


def assert_potentials_are_those_of_the_twin(trained, image, seed=3, number=1):
    shown = present(trained, image, seed=seed, number=number)
    spikes, expected = potentials_of_the_twin(trained, image, seed, number)
    assert list(zip(shown.output_steps, shown.output_neurons, strict=True)) == spikes
    for neuron in range(trained.network.neurons):
        np.testing.assert_array_equal(potential(shown, neuron), expected[:, :, neuron])
    return spikes


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_potential_is_that_of_the_plain_twin(kind):
    assert len(assert_potentials_are_those_of_the_twin(model(**kind), IMAGES[1])) > 2


@settings(max_examples=30, deadline=None)
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
    assert (potential(shown, 0) == 0).all()


# --- fields -------------------------------------------------------------------------------------------


def column(field=(3, 2), below=None, **kind):
    settings = {"neurons": 4, "weight_norm": 1.3, "threshold": 0.9, "cells": 2, **kind}
    network = changed(Network.patches(4), field=field, **settings)
    random = np.random.default_rng(2)
    tensors = LayerTensors.of_floats(
        random.random((network.layers[0].fan_in(5, 4), 4), dtype=np.float32), np.zeros(4, np.float32)
    )
    table = random.normal(size=(network.features, 3)).astype(np.float32)
    return Model(network, (5, 4), (tensors,), Readout("linear", table, bias=np.zeros(3, np.float32)))


IN_INTEGERS = {"weights": "UQ0.4", "state": "Q5.6"}
FIELDS = {
    "floats": column(),
    "stride": column((2, 2), stride=2),
    "several spikes": column(inhibition="lateral", duration_ms=30.0, encoder="unscaled", max_rate_hz=300.0),
    "integers": quantize(column(), **IN_INTEGERS),
}


@pytest.mark.parametrize("name", FIELDS)
def test_spikes_of_a_field_are_those_that_are_counted_in_cells(name):
    trained = FIELDS[name]
    answer = predict(trained, IMAGES, seed=5)
    for k, image in enumerate(IMAGES):
        shown = present(trained, image, seed=5, number=k)
        assert (np.diff(shown.output_positions) >= 0).all()
        counts = np.zeros((4, 4), np.int32)
        cells = shown.layer.geometry.cell_of[shown.output_positions]
        np.add.at(counts, (cells, shown.output_neurons), 1)
        np.testing.assert_array_equal(counts.ravel(), answer.spike_counts[k])
    assert answer.spike_counts.sum() > 10


@pytest.mark.parametrize("name", FIELDS)
def test_a_neuron_spikes_at_a_position_when_its_potential_is_furthest_above_its_threshold(name):
    shown = present(FIELDS[name], IMAGES[0], seed=5)
    thresholds = shown.layer.thresholds
    for position in range(shown.layer.geometry.positions):
        here = shown.output_positions == position
        spikes = dict(zip(shown.output_steps[here], shown.output_neurons[here], strict=True))
        compared = np.stack([potential(shown, neuron, position)[:, 0] for neuron in range(4)], axis=1)
        above = compared - thresholds
        if shown.layer.inhibition == "first" and spikes:
            above = above[: min(spikes) + 1]
        assert np.flatnonzero((above >= 0).any(axis=1)).tolist() == sorted(spikes)
        for step, neuron in spikes.items():
            assert above[step].argmax() == neuron


def test_potentials_in_integers_are_those_of_the_state():
    shown = present(FIELDS["integers"], IMAGES[0])
    course = potential(shown, 1, 2)
    assert np.issubdtype(course.dtype, np.integer)
    inputs = shown.input_spikes.seen_from(shown.layer.geometry, 2)
    weights = shown.layer.weights[:, 1].astype(int) << 2  # four fraction bits against six
    assert course[0, 0] == weights[inputs.inputs[: inputs.offsets[0, 1]]].sum()


@pytest.mark.parametrize("name", FIELDS)
def test_spikes_by_position_are_means_over_images(name):
    trained = FIELDS[name]
    rates = spikes_by_position(trained, IMAGES, seed=5)
    counts = np.zeros_like(rates)
    for k, image in enumerate(IMAGES):
        shown = present(trained, image, seed=5, number=k)
        places = np.unravel_index(shown.output_positions, rates.shape[1:])
        np.add.at(counts, (shown.output_neurons, *places), 1)
    np.testing.assert_allclose(rates, counts / len(IMAGES))
    assert rates.sum() > 3


def test_of_several_layers_the_first_is_shown():
    first = column()
    second = Layer(2, neuron=Neuron(1.0, None, weight_norm=1.0), inhibition=First())
    network = replace(first.network, layers=(*first.network.layers, second))
    above = LayerTensors.of_floats(np.ones((16, 2), np.float32), np.zeros(2, np.float32))
    readout = Readout("proportion", np.eye(2, 3, dtype=np.float32))
    both = Model(network, (5, 4), (*first.layers, above), readout)
    alone, shown = present(first, IMAGES[0], seed=1), present(both, IMAGES[0], seed=1)
    np.testing.assert_array_equal(shown.output_neurons, alone.output_neurons)
    np.testing.assert_array_equal(shown.output_positions, alone.output_positions)
    np.testing.assert_array_equal(spikes_by_position(both, IMAGES), spikes_by_position(first, IMAGES))


def test_an_image_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match=r"^image: 4 x 5 pixels do not fit a model for 5 x 4; resize"):
        present(model(), np.zeros((4, 5), np.uint8))
    with pytest.raises(DataError, match=r"^image: values are float64, not uint8"):
        present(model(), np.zeros((5, 4)))
