"""How does a network become a plan? The one place that knows descriptions and plans both."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.lowering.integer_learning import Grid, checked_grid, learning_in_integers
from fspinn.lowering.integers import answering_in_integers
from fspinn.lowering.plan import LayerPlan, LearningPlan, Plan
from fspinn.model.model import AnyModel, Formats, model_of
from fspinn.network.description import Network
from fspinn.network.encoders import encoding_of
from fspinn.network.plasticity import normalisation_goal
from fspinn.quant.formats import Format


def plan_of(model: AnyModel) -> Plan:
    """Return the plan with which a model answers, in integers if it has a state format."""
    model = model_of(model)
    return answering_plan(model.network, model.weights, model.theta, model.formats, model.heard)


def answering_plan(
    network: Network,
    weights: NDArray[Any],
    theta: NDArray[Any],
    formats: Formats | None = None,
    input_mask: NDArray[np.bool_] | None = None,
) -> Plan:
    """Return the plan of a network that answers.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled; what it is while learning is left aside (`Network.answering`).
    weights : ndarray of float32 or float64, shape (inputs, neurons)
        All potentials are of this type: float64 is for comparisons. With `formats`, numbers of their format.
    theta : ndarray of the same type, shape (neurons,)
    formats : Formats or None, default None
        With which it computes with integers only.
    input_mask : ndarray of bool, shape (inputs,), or None, default None
        Which inputs are used; None is all.

    Raises
    ------
    FormatError
        If a format is too wide or too coarse, or the state cannot hold the thresholds or the input.
    """
    plan = _plan(network.answering, weights, theta, input_mask, None)
    return plan if formats is None else answering_in_integers(plan, formats)


def learning_plan(
    network: Network, weights: NDArray[Any], theta: NDArray[Any], grid: Grid | None = None
) -> Plan:
    """Return the plan of a network that learns; `weights` and `theta` will change in place.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled.
    weights : ndarray of float32 or float64, shape (inputs, neurons)
        With `grid`, of uint8: integers of its format.
    theta : ndarray of the same type, or of int32, shape (neurons,)
    grid : Grid or None, default None
        With which it learns in integers; it suits the network (`grid_of`).
    """
    learning = LearningPlan(
        rule=network.rule,
        adaptation=network.adaptation,
        normalisation=network.normalisation,
        window_steps=network.window_steps,
        spike_threshold=network.spike_threshold or 0,
        learning_rate=(network.learning_rate, network.learning_rate_end),
        theta_step=(network.theta_step, network.theta_step_end),
        weight_norm=network.weight_norm or 0.0,
        depression_rate=network.depression_rate,
        trace_tau_ms=network.trace_tau_ms,
        target_trace=network.target_trace,
        lowest_theta=network.lowest_theta,
        theta_tau_ms=network.theta_tau_ms,
        duration_ms=network.duration_ms,
        normalisation_goal=normalisation_goal(network, len(weights)),
        weight_decay=network.weight_decay,
    )
    plan = _plan(network, weights, theta, None, learning)
    return plan if grid is None else learning_in_integers(plan, grid)


def grid_of(
    network: Network, n_inputs: int, weights: str | Format, state: str | Format | None, rounding: str
) -> Grid:
    """Return the numbers that a network, with `weight_norm` settled, can learn in.

    The others are as for `fspinn.lowering.integer_learning.checked_grid`, which says what is refused.
    """
    blank = np.zeros((n_inputs, network.neurons)), np.zeros(network.neurons)
    phases = learning_plan(network, *blank), answering_plan(network, *blank)
    return checked_grid(*phases, weights, state, rounding)


def _plan(
    network: Network,
    weights: NDArray[Any],
    theta: NDArray[Any],
    input_mask: NDArray[np.bool_] | None,
    learning: LearningPlan | None,
) -> Plan:
    of_threshold = network.inhibition_of == "threshold"
    used = np.ones(len(weights), dtype=np.bool_) if input_mask is None else input_mask
    layer = LayerPlan(
        weights=weights,
        theta=theta,
        firing_threshold=network.firing_threshold,
        leak=float(np.exp(-network.dt_ms / network.tau_m_ms)),
        tau_m_ms=network.tau_m_ms,
        refractory_steps=network.refractory_steps,
        inhibition=network.inhibition_kind,
        inhibition_steps=network.inhibition_steps,
        drop=network.inhibition * network.firing_threshold if of_threshold else 0.0,
        drop_part=0.0 if of_threshold else network.inhibition,
        input_mask=used,
        adapted=network.adaptation != "off" or bool(theta.any()),
        learning=learning,
    )
    return Plan(encoding_of(network, input_mask), network.dt_ms, network.steps, (layer,))
