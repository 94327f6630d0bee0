"""The fast backend: event-driven, compiled by Numba, in floats or in integers under one schedule.

An input spike costs the addition of one row of weights, a time step one pass over the neurons, a learning
window one column of weights. In integers, weights of up to eight bits take a byte each, and potentials of up
to sixteen bits two: a quarter and half of what floats move.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.numba import constants_kernels as numbers
from fspinn.backends.numba.integer_kernels import GROUP
from fspinn.backends.numba.schedule_kernels import present_batch
from fspinn.backends.protocol import Response, not_dense
from fspinn.base.randomness import LEARNING_ROUNDING
from fspinn.lowering.integer_learning import integer_schedule
from fspinn.lowering.integers import Range
from fspinn.lowering.plan import (
    ADAPTATIONS,
    INHIBITIONS,
    NORMALISATIONS,
    RULES,
    LayerPlan,
    LearningPlan,
    Plan,
)
from fspinn.model.activity import Activity
from fspinn.network.encoders import Spikes
from fspinn.quant.formats import ROUNDINGS


def refuses(plan: Plan) -> str | None:
    """Return in one line why this backend cannot run a plan, or None if it can."""
    return not_dense(plan)


def respond(plan: Plan, spikes: Spikes, probe: int | None = None) -> Response:
    """Present samples with learning off (see `fspinn.backends.protocol.Simulator`)."""
    (layer,) = plan.layers
    schedule, seed = np.zeros((len(spikes), 2)), np.uint64(0)
    run = (seed, seed, seed, 0)
    if layer.formats is None:
        # Learning that is switched off: Numba compiles no second copy of the kernels for answers.
        learning = _real_learning(LearningPlan(window_steps=plan.steps), plan.dt_ms, layer, on=False)
        schedule = schedule.astype(layer.weights.dtype)
        return _present(plan, spikes, (layer.weights, layer.theta), learning, schedule, run, probe)
    theta = (layer.thresholds - layer.firing_threshold).astype(np.int32)
    return _present(plan, spikes, (_with_row_of_zeros(layer.weights), theta), None, schedule, run, probe)


def learn(plan: Plan, spikes: Spikes, total: int, earlier_spikes: int = 0) -> Response:
    """Present samples with learning on (see `fspinn.backends.protocol.Simulator`)."""
    (layer,) = plan.layers
    assert layer.learning is not None
    weights, schedule = layer.weights, layer.learning.schedule(spikes.first, len(spikes), total)
    run = (*(np.uint64(n) for n in (spikes.seed, LEARNING_ROUNDING, spikes.first)), earlier_spikes)
    if layer.formats is None:
        schedule = schedule.astype(weights.dtype)
        schedule[:, 1] *= weights.dtype.type(layer.learning.weight_norm)
        learning = _real_learning(layer.learning, plan.dt_ms, layer, on=True)
        return _present(plan, spikes, (weights, layer.theta), learning, schedule, run, None)
    whole_numbers = integer_schedule(layer.learning, layer.formats.theta, schedule)
    padded = _with_row_of_zeros(weights)
    response = _present(
        plan, spikes, (padded, layer.theta), _integer_learning(layer), whole_numbers, run, None
    )
    weights[:] = padded[:-1]
    return response


def _present(
    plan: Plan,
    spikes: Spikes,
    learned: tuple[NDArray[Any], NDArray[Any]],
    learning: Any,
    schedule: NDArray[Any],
    run: tuple[Any, ...],
    probe: int | None,
) -> Response:
    (layer,) = plan.layers
    constants = _reals(plan, layer) if layer.formats is None else _integers(plan, layer, learned[0])
    state = _state(layer, type(constants.leak))
    n = len(spikes)
    spike_counts = np.zeros((n, layer.neurons), dtype=np.int32)
    spike_steps, spike_neurons = (np.empty(n * plan.steps, dtype=np.int32) for _ in range(2))
    course = np.zeros((n, 0 if probe is None else plan.steps, 2), dtype=state.potentials.dtype)
    record = (spike_steps, spike_neurons, course, 0 if probe is None else probe)
    counted = np.zeros(len(Activity().as_tuple()), dtype=np.int64)
    present_batch(
        spikes.offsets,
        spikes.inputs,
        *learned,
        constants,
        learning,
        schedule,
        run,
        state,
        spike_counts,
        record,
        counted,
    )
    activity = Activity(*counted.tolist())
    return Response(
        spike_counts,
        spike_steps[: activity.output_spikes].copy(),
        spike_neurons[: activity.output_spikes].copy(),
        (activity,),
        Range() if layer.formats is None else Range(*state.range.tolist()),
        None if probe is None else course,
    )


def _state(layer: LayerPlan, kind: type[Any]) -> Any:
    inputs, neurons = layer.inputs, layer.neurons
    of_traces = kind if layer.formats is None else np.int64
    of_all = {
        "potentials": np.zeros(neurons, dtype=kind),
        "thresholds": np.zeros(neurons, dtype=kind),
        "ready_at": np.zeros(neurons, dtype=np.int64),
        "partner_ready_at": np.zeros(neurons, dtype=np.int64),
        "spike_counts": np.zeros(neurons, dtype=np.int32),
        "carried": np.zeros(6, dtype=np.int64),
        "window_counts": np.zeros(inputs, dtype=np.int32),
        "pre_traces": np.zeros(inputs, dtype=of_traces),
        "post_traces": np.zeros(neurons, dtype=of_traces),
    }
    if layer.formats is None:
        return numbers.RealState(**of_all, spiked=np.zeros(neurons, np.int64), scales=np.zeros(neurons))
    return numbers.IntegerState(
        **of_all,
        rows=np.zeros(inputs + 1 + GROUP, dtype=np.int64),
        small_sums=np.zeros(neurons, dtype=np.int16),
        sums=np.zeros(neurons, dtype=np.int32),
        range=np.zeros(3, dtype=np.int64),
    )


def _of_all(plan: Plan, layer: LayerPlan) -> dict[str, int]:
    return {
        "neurons": layer.neurons,
        "steps": plan.steps,
        "refractory_steps": layer.refractory_steps,
        "inhibition_kind": INHIBITIONS.index(layer.inhibition),
        "inhibition_steps": layer.inhibition_steps,
    }


def _reals(plan: Plan, layer: LayerPlan) -> numbers.Reals:
    real = layer.weights.dtype.type
    values = {name: real(getattr(layer, name)) for name in ("firing_threshold", "leak", "drop", "drop_part")}
    return numbers.Reals(**_of_all(plan, layer), **values)


def _integers(plan: Plan, layer: LayerPlan, weights: NDArray[Any]) -> numbers.Integers:
    """Return constants for padded weights; while a layer learns, any weight may become the highest."""
    assert layer.formats is not None
    state, learns = layer.formats.state, layer.learning is not None
    shift = state.fraction_bits - layer.formats.weights.fraction_bits
    # 16 bits if potentials and leak fit; 32 also beside wide weights, which nobody times.
    fits = state.lowest_integer >= -(2**15) and max(state.highest_integer, layer.leak) < 2**15
    return numbers.Integers(
        **_of_all(plan, layer),
        firing_threshold=layer.firing_threshold,
        leak=(np.int16 if fits and weights.dtype == np.uint8 else np.int32)(layer.leak),
        drop=layer.drop,
        drop_part=layer.drop_part,
        scale_up=2 ** max(shift, 0),
        scale_down=max(-shift, 0),
        largest_weight=layer.formats.weights.highest_integer if learns else int(weights.max()),
        no_negative_weights=bool(learns or weights.min() >= 0),
        lowest=state.lowest_integer,
        highest=state.highest_integer,
        theta_shift=layer.theta_shift if learns else 0,
    )


def _real_learning(learning: LearningPlan, dt_ms: float, layer: LayerPlan, on: bool) -> numbers.RealLearning:
    real = layer.weights.dtype.type
    return numbers.RealLearning(
        on=on,
        **_of_all_learning(learning),
        depression=real(learning.depression_rate),
        trace_leak=real(np.exp(-dt_ms / learning.trace_tau_ms)),
        lowest_theta=real(learning.lowest_theta),
        theta_decay=real(np.exp(-learning.duration_ms / learning.theta_tau_ms)),
        weight_norm=real(learning.weight_norm),
        target_trace=real(learning.target_trace),
        normalisation=NORMALISATIONS.index(learning.normalisation),
        normalisation_goal=learning.normalisation_goal,
        weight_kept=real(1.0 - learning.weight_decay),
    )


def _integer_learning(layer: LayerPlan) -> numbers.IntegerLearning:
    assert layer.formats is not None
    assert layer.learning is not None
    assert layer.learning.integers is not None
    integers = layer.learning.integers
    return numbers.IntegerLearning(
        on=True,
        **_of_all_learning(layer.learning),
        depression=integers.depression,
        trace_leak=integers.trace_leak,
        lowest_theta=integers.lowest_theta,
        theta_decay=integers.theta_decay,
        rounding=ROUNDINGS.index(integers.rounding),
        norm=integers.norm,
        weight_fraction=layer.formats.weights.fraction_bits,
        highest_weight=integers.highest_weight,
        trace_fraction=integers.trace_fraction,
    )


def _of_all_learning(learning: LearningPlan) -> dict[str, int]:
    return {
        "rule": RULES.index(learning.rule),
        "adaptation": ADAPTATIONS.index(learning.adaptation),
        "window_steps": learning.window_steps,
        "spike_threshold": learning.spike_threshold,
    }


def _with_row_of_zeros(weights: NDArray[Any]) -> NDArray[Any]:
    rows = np.zeros((len(weights) + 1, weights.shape[1]), dtype=weights.dtype)
    rows[:-1] = weights
    return rows
