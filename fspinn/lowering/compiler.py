"""How does a network become a plan? The one place that knows descriptions and plans both."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.base.settings import settings_of
from fspinn.lowering.integer_learning import Grid, checked_grid, learning_in_integers
from fspinn.lowering.integers import answering_in_integers
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
    return answering_plan(model.network, model.layer)


def answering_plan(network: Network, tensors: LayerTensors) -> Plan:
    """Return the plan of a network that answers.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled; what it is while learning is left aside (`Network.answering`).
    tensors : LayerTensors
        All potentials are of their type: float64 is for comparisons. With a state format the network computes
        with integers only.

    Raises
    ------
    ConfigError
        If the network has several layers.
    FormatError
        If a format is too wide or too coarse, or the state cannot hold the thresholds or the input.
    """
    formats, mask = tensors.formats, tensors.input_mask
    if formats is None:
        return _plan(network.answering, tensors.weights.values, tensors.theta.values, mask)
    plan = _plan(network.answering, tensors.weights.numbers, tensors.theta.numbers, mask)
    return answering_in_integers(plan, formats)


def learning_plan(
    network: Network, learner: Stdp, weights: NDArray[Any], theta: NDArray[Any], grid: Grid | None = None
) -> Plan:
    """Return the plan of a network that learns; `weights` and `theta` will change in place.

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
    """
    layer, settings = _only(network), settings_of(network) | settings_of(learner)
    of_members = ("depression_rate", "trace_tau_ms", "target_trace", "theta_tau_ms")
    learning = LearningPlan(
        rule=learner.rule.kind,
        adaptation=layer.adaptation.kind,
        normalisation=learner.normalisation,
        window_steps=learner.window_steps(network),
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
    plan = _plan(network, weights, theta, None, learning)
    return plan if grid is None else learning_in_integers(plan, grid)


def grid_of(
    network: Network,
    learner: Stdp,
    n_inputs: int,
    weights: str | Format,
    state: str | Format | None,
    rounding: str,
) -> Grid:
    """Return the numbers that a network, with `weight_norm` settled, can learn in.

    The others are as for `fspinn.lowering.integer_learning.checked_grid`, which says what is refused.
    """
    neurons = _only(network).neurons
    blank = np.zeros((n_inputs, neurons), np.float32), np.zeros(neurons, np.float32)
    phases = learning_plan(network, learner, *blank), answering_plan(network, LayerTensors.of_floats(*blank))
    return checked_grid(*phases, weights, state, rounding)


def check_dense(network: Network) -> None:
    """Raise `ConfigError` if a network is not one layer whose neurons see the whole input."""
    _only(network)
    if network.layers[0].field is not None:
        raise ConfigError("field: no engine runs layers with a field yet; leave it out")


def _only(network: Network) -> Any:
    if len(network.layers) > 1:
        raise ConfigError(f"layers: {len(network.layers)} are more than can be run yet; use one")
    return network.layers[0]


def _plan(
    network: Network,
    weights: NDArray[Any],
    theta: NDArray[Any],
    input_mask: NDArray[np.bool_] | None,
    learning: LearningPlan | None = None,
) -> Plan:
    layer, settings = _only(network), settings_of(network)
    neuron = layer.neuron
    strength = settings.get("inhibition_strength", 0.0)
    of_threshold = settings.get("inhibition_of", "threshold") == "threshold"
    planned = LayerPlan(
        weights=weights,
        theta=theta,
        firing_threshold=neuron.firing_threshold,
        leak=float(np.exp(-network.dt_ms / neuron.tau_m_ms)),
        tau_m_ms=neuron.tau_m_ms,
        refractory_steps=network.steps_of(neuron.refractory_ms),
        inhibition=layer.inhibition.kind,
        inhibition_steps=network.steps_of(settings.get("inhibition_ms", 0.0)),
        drop=strength * neuron.firing_threshold if of_threshold else 0.0,
        drop_part=0.0 if of_threshold else strength,
        input_mask=np.ones(len(weights), dtype=np.bool_) if input_mask is None else input_mask,
        adapted=layer.adaptation.kind != "off" or bool(theta.any()),
        field=layer.field,
        learning=learning,
    )
    return Plan(encoding_of(network, input_mask), network.dt_ms, network.steps, (planned,))
