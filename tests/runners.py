"""Backends as the tests call them: a network, its arrays and images in, spike counts and activity out."""

import numpy as np
from described import Flat, tensors_of

from fspinn.backends.brian2 import engine as brian2_backend
from fspinn.backends.numba import engine as numba_backend
from fspinn.base.randomness import INFERENCE_SPIKES, TRAINING_SPIKES
from fspinn.lowering.compiler import answering_plan, grid_of, learning_plan
from fspinn.model.tensors import LayerTensors
from fspinn.network.encoders import BatchEncoder


def answering(network, weights, theta, formats=None, input_mask=None, shape=None):
    """The plan of a network that answers; with formats of weights, state and theta, in integers."""
    described = network.network if isinstance(network, Flat) else network
    if formats is None:
        return answering_plan(described, (LayerTensors.of_floats(weights, theta),), shape)
    chosen = formats.weights, formats.state, formats.theta
    return answering_plan(described, (tensors_of(weights, theta, *chosen, input_mask),), shape)


class Engine:
    """A backend that runs networks, in floats or in integers."""

    def __init__(self, backend):
        self.backend = backend

    def learn(
        self, network, weights, theta, images, seed=0, first=0, total=5, earlier_spikes=0, grid=None, **more
    ):
        """Weights and theta change in place."""
        plan = learning_plan(
            network.setup.network, network.setup.learner, weights, theta, grid, np.shape(images)[1:]
        )
        spikes = BatchEncoder(plan.encoding).encode(images, seed, TRAINING_SPIKES, first)
        response = self.backend.learn(plan, spikes, total, earlier_spikes, **more)
        return response.spike_counts, response.activity[0]

    def respond(self, network, weights, theta, images, **more):
        response = self.answer(network, weights, theta, images, **more)
        return response.spike_counts, response.activity[0]

    def answer(self, network, weights, theta, images, seed=0, first=0, formats=None, input_mask=None, **more):
        plan = answering(network, weights, theta, formats, input_mask, np.shape(images)[1:])
        spikes = BatchEncoder(plan.encoding).encode(images, seed, INFERENCE_SPIKES, first)
        return self.backend.respond(plan, spikes, **more)


def grid_for(network, n_inputs, weights, state=None, rounding="stochastic"):
    """The numbers that a network can learn in, from the names of formats."""
    return grid_of(network.setup.network, network.setup.learner, n_inputs, weights, state, rounding)


fast, brian2 = Engine(numba_backend), Engine(brian2_backend)


def output_spikes(response):
    """The (step, neuron) of all output spikes, presentation by presentation."""
    bounds = np.cumsum(response.spike_counts.sum(axis=1))[:-1]
    parts = np.split(response.spike_steps, bounds), np.split(response.spike_neurons, bounds)
    return [list(zip(t.tolist(), j.tolist(), strict=True)) for t, j in zip(*parts, strict=True)]
