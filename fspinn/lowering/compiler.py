"""How does a network become a plan? The one place that knows descriptions and plans both."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.settings import settings_of
from fspinn.lowering.integer_learning import Grid, checked_grid, learning_in_integers
from fspinn.lowering.integers import answering_in_integers, scaled
from fspinn.lowering.plan import LayerPlan, LearningPlan, Plan
from fspinn.model.model import AnyModel, model_of
from fspinn.model.tensors import LayerTensors
from fspinn.network.description import Network
from fspinn.network.encoders import encoding_of
from fspinn.network.plasticity import normalisation_goal
from fspinn.network.rules import Stdp
from fspinn.quant.formats import Format


def plan_of(model: AnyModel) -> Plan:
    """Return the plan with which a model answers, in integers if it has a state format."""
    model = model_of(model)
    return answering_plan(model.network, model.layers, model.image_shape)


def lowest_answer_theta(network: Network, state: Format) -> int:
    """Return the least theta of a layer that answers (none spikes at rest), in steps of the state."""
    neuron = network.answering.layers[0].neuron
    return int(max(ceil(neuron.lowest_theta / state.step), 1 - scaled(neuron.firing_threshold, state)))


def answering_plan(
    network: Network, layers: Sequence[LayerTensors], shape: tuple[int, ...] | None = None
) -> Plan:
    """Return the plan of a network that answers.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled; what it is while learning is left aside (`Network.answering`).
    layers : sequence of LayerTensors
        Of the first layers, from the input on: all, or those that have learned. All potentials are of their
        type: float64 is for comparisons. A layer with a state format computes with integers only.
    shape : tuple of int or None, default None
        Of a sample: height and width, and perhaps channels. Needed if the first layer has a field.

    Raises
    ------
    FormatError
        If a format is too wide or too coarse, or the state cannot hold the thresholds or the input.
    """
    network, planned = network.answering, []
    for number, tensors in enumerate(layers):
        formats = tensors.formats
        if formats is None:
            arrays = tensors.weights.values, tensors.theta.values
        else:
            arrays = tensors.weights.numbers, tensors.theta.numbers
        layer = _layer(network, number, *arrays, tensors.input_mask, shape)
        if formats is not None:
            layer = answering_in_integers(layer, network.dt_ms, formats)
        planned.append(layer)
    return _plan(network, planned, layers[0].input_mask)


def learning_plan(
    network: Network,
    learner: Stdp,
    weights: NDArray[Any],
    theta: NDArray[Any],
    grid: Grid | None = None,
    shape: tuple[int, ...] | None = None,
    below: Sequence[LayerTensors] = (),
) -> Plan:
    """Return the plan of a layer that learns; `weights` and `theta` will change in place.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled.
    learner : Stdp
    weights : ndarray of float32 or float64, shape (inputs, neurons)
        With `grid`, of uint8: integers of its format.
    theta : ndarray of the same type, or of int32, shape (neurons,)
    grid : Grid or None, default None
        With which it learns in integers; it suits the network (`grid_of`).
    shape : tuple of int or None, default None
        Of a sample (see `answering_plan`).
    below : sequence of LayerTensors, default ()
        Of the layers before it, which have learned and answer.
    """
    layer = network.layers[len(below)]
    settings = settings_of(layer) | settings_of(learner)
    of_members = ("depression_rate", "trace_tau_ms", "target_trace", "theta_tau_ms", "target_spikes")
    learning = LearningPlan(
        rule=learner.rule.kind,
        adaptation=layer.adaptation.kind,
        normalisation=learner.normalisation,
        window_steps=learner.window_steps(network),
        positions=1 if layer.field is None else learner.positions,
        least_spikes=0 if layer.field is None else learner.least_spikes,
        falls_in_silence=layer.field is None,
        spike_threshold=settings.get("spike_threshold") or 0,
        learning_rate=(learner.learning_rate, learner.learning_rate_end),
        theta_step=(settings.get("theta_step", 0.0), settings.get("theta_step_end", 0.0)),
        weight_norm=layer.neuron.weight_norm or 0.0,
        lowest_theta=layer.neuron.lowest_theta,
        duration_ms=network.duration_ms,
        normalisation_goal=normalisation_goal(learner, layer, len(weights)),
        weight_decay=learner.weight_decay,
        **{name: settings[name] for name in of_members if name in settings},
    )
    planned = _layer(network, len(below), weights, theta, None, shape, learning)
    if grid is not None:
        planned = learning_in_integers(planned, network, grid)
    answering = answering_plan(network, below, shape).layers if below else ()
    return _plan(network, [*answering, planned], below[0].input_mask if below else None)


def grid_of(
    network: Network,
    learner: Stdp,
    n_inputs: int,
    weights: str | Format,
    state: str | Format | None,
    rounding: str,
    number: int = 0,
) -> Grid:
    """Return the numbers that layer `number` of a network, with `weight_norm` settled, can learn in.

    `n_inputs` are those of a neuron; the others are as for
    `fspinn.lowering.integer_learning.checked_grid`, which says what is refused.
    """
    neurons = network.layers[number].neurons
    blank = np.zeros((n_inputs, neurons), np.float32), np.zeros(neurons, np.float32)
    alone = replace(network, layers=(replace(network.layers[number], field=None, stride=1, cells=(1, 1)),))
    learning = learning_plan(alone, learner, *blank).layers[0]
    answering = answering_plan(alone, (LayerTensors.of_floats(*blank),)).layers[0]
    return checked_grid(learning, answering, weights, state, rounding)


def _layer(
    network: Network,
    number: int,
    weights: NDArray[Any],
    theta: NDArray[Any],
    input_mask: NDArray[np.bool_] | None,
    shape: tuple[int, ...] | None,
    learning: LearningPlan | None = None,
) -> LayerPlan:
    layer = network.layers[number]
    neuron, settings, geometry = layer.neuron, settings_of(layer), None
    if layer.field is not None:
        assert shape is not None or number > 0, "a field needs the shape of a sample"
        geometry = layer.geometry(*network.input_shape(shape or (), number))
    strength = settings.get("inhibition_strength", 0.0)
    of_threshold = settings.get("inhibition_of", "threshold") == "threshold"
    drop = strength * neuron.firing_threshold if of_threshold else 0.0
    lasts_ms = settings.get("inhibition_ms", settings.get("answer_ms", 0.0))
    tau_m_ms = inf if neuron.tau_m_ms is None else neuron.tau_m_ms
    return LayerPlan(
        weights=weights,
        theta=theta,
        firing_threshold=neuron.firing_threshold,
        leak=float(np.exp(-network.dt_ms / tau_m_ms)),
        tau_m_ms=tau_m_ms,
        refractory_steps=network.steps_of(neuron.refractory_ms),
        inhibition=layer.inhibition.kind,
        inhibition_steps=network.steps_of(lasts_ms),
        drop=settings["answer_drop"] * (neuron.weight_norm or 0.0) if "answer_drop" in settings else drop,
        drop_part=0.0 if of_threshold else strength,
        input_mask=np.ones(len(weights), dtype=np.bool_) if input_mask is None else input_mask,
        adapted=layer.adaptation.kind != "off" or bool(theta.any()),
        geometry=geometry,
        learning=learning,
    )


def _plan(network: Network, layers: Sequence[LayerPlan], input_mask: NDArray[np.bool_] | None) -> Plan:
    return Plan(encoding_of(network, input_mask), network.dt_ms, network.steps, tuple(layers))
