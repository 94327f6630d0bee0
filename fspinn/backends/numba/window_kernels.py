"""Kernels of the time steps of a learning window, in the order that `fspinn.network` states."""

from collections import namedtuple

import numpy as np

from fspinn.backends.numba.neuron_kernels import find_spike, flush, integrate, integrate_one, take_toll
from fspinn.backends.numba.plasticity_kernels import (
    DECAYING,
    NORMALISED,
    PAIR,
    POSTONLY,
    TIMESTEP,
    decay_all,
    decay_traces,
    depress_row,
    potentiate,
    power_law,
    raise_trace,
)
from fspinn.base.jit import njit

LATERAL, CLAMP, LAYER = range(3)
"""Numbers of the kinds of inhibition, in the order of `fspinn.network.description.INHIBITION_KINDS`."""

Constants = namedtuple(
    "Constants",
    "steps encoder rate_norm_per_step most_spikes "
    "leak refractory_steps firing_threshold "
    "inhibition_kind inhibition_steps fixed_toll toll_part "
    "rule window_steps spike_threshold depression_rate "
    "trace_leak target_trace "
    "adaptation lowest_theta theta_kept weight_norm normalisation normalisation_goal weight_kept",
)
"""Numbers that do not change during a run.

Inhibition takes ``fixed_toll + toll_part * v`` from a potential v.
"""

State = namedtuple(
    "State",
    "probabilities spikes_in_step inputs window_counts pre_traces "
    "potentials thresholds post_traces ready_at partner_ready_at "
    "spike_counts spike_order spike_steps scales carried",
)
"""State and working memory, made once per batch.

The inputs that spike in step t are ``inputs[t, :spikes_in_step[t]]``.
"""

PARTNER, CLAMPED_UNTIL, NOT_CLAMPED, SPIKES = range(4)
"""Places in ``State.carried``.

The neuron whose inhibitory partner is about to spike (or -1), the step until which others are clamped, the
neuron that is not, and the number of output spikes so far.
"""

# Slots of the array of counts, in the order of `fspinn.model.model.Activity`.
SAMPLES, STEPS, INPUT_SPIKES, OUTPUT_SPIKES, ADDITIONS, NEURON_UPDATES = range(6)
WEIGHT_READS, WEIGHT_WRITES, THRESHOLD_UPDATES, WINDOWS, NORMALISATIONS = range(6, 11)


@njit
def make_state(n_inputs, steps, order, potentials):
    """Allocate the state around an array of potentials, whose type is the engine's.

    Of each presentation, the first `order` output spikes are kept in their order.
    """
    n_neurons = potentials.size
    return State(
        np.zeros(n_inputs, dtype=np.uint32),
        np.zeros(steps, dtype=np.int64),
        np.zeros((steps, n_inputs), dtype=np.int32),
        np.zeros(n_inputs, dtype=np.int32),
        np.zeros(n_inputs, dtype=potentials.dtype),
        potentials,
        np.zeros_like(potentials),
        np.zeros_like(potentials),
        np.zeros(n_neurons, dtype=np.int64),
        np.zeros(n_neurons, dtype=np.int64),
        np.zeros(n_neurons, dtype=np.int32),
        np.zeros(order, dtype=np.int32),
        np.zeros(order, dtype=np.int32),
        np.zeros(n_neurons, dtype=np.float64),
        np.zeros(4, dtype=np.int64),
    )


@njit
def count_presentation(input_spikes, output_spikes, n_neurons, constants, activity):
    """Add what every presentation does to the counts."""
    populations = 2 if constants.inhibition_kind == LAYER else 1
    activity[SAMPLES] += 1
    activity[STEPS] += constants.steps
    activity[INPUT_SPIKES] += input_spikes
    activity[OUTPUT_SPIKES] += output_spikes
    activity[NEURON_UPDATES] += populations * constants.steps * n_neurons


@njit
def advance(t, stop, weights, constants, state):
    """Take time steps until a neuron reaches its threshold; return that step and the neuron.

    If none does, return the last step and -1. Each step goes up to phase 4. Inhibitory neurons may spike only
    if it is one step, and a clamp may end only after the last.
    """
    spikes_in_step, inputs, potentials = state.spikes_in_step, state.inputs, state.potentials
    thresholds, ready_at, carried = state.thresholds, state.ready_at, state.carried
    leak = constants.leak
    clamped = t < carried[CLAMPED_UNTIL]
    if carried[PARTNER] >= 0:
        decay_all(potentials, leak)
        leak = weights.dtype.type(1.0)
        take_toll(potentials, carried[PARTNER], constants.fixed_toll, constants.toll_part)
        carried[PARTNER] = -1
    for step in range(t, stop):
        now = inputs[step, : spikes_in_step[step]]
        if not clamped:
            integrate(potentials, weights, now, leak)
        else:
            integrate_one(potentials, weights, now, leak, carried[NOT_CLAMPED])
        if step % 16 == 15:
            flush(potentials)
        neuron = find_spike(potentials, thresholds, ready_at, step)
        if neuron >= 0:
            return step, neuron
    return stop - 1, -1


@njit
def follow_inputs(inputs, weights, constants, state, activity):
    """Let traces decay and rise with the input spikes of a step; `pair` depresses their rows."""
    decay_traces(state.pre_traces, constants.trace_leak)
    decay_traces(state.post_traces, constants.trace_leak)
    for i in inputs:
        raise_trace(state.pre_traces, i)
        if constants.rule == PAIR:
            depress_row(weights[i], constants.depression_rate, state.post_traces)
            activity[WEIGHT_READS] += state.post_traces.size
            activity[WEIGHT_WRITES] += state.post_traces.size


@njit
def fire(t, winner, weights, theta, teaching, constants, state, activity):
    """Phases 5 and 6: reset, inhibition, and what an output spike teaches (see `run_window`)."""
    rate, theta_step, learning = teaching
    carried, potentials = state.carried, state.potentials
    state.spike_counts[winner] += 1
    if carried[SPIKES] < state.spike_order.size:
        state.spike_order[carried[SPIKES]] = winner
        state.spike_steps[carried[SPIKES]] = t
    carried[SPIKES] += 1
    state.ready_at[winner] = t + 1 + constants.refractory_steps
    if constants.inhibition_kind == LATERAL:
        take_toll(potentials, winner, constants.fixed_toll, constants.toll_part)
    elif constants.inhibition_kind == CLAMP:
        potentials[:] = 0
        carried[CLAMPED_UNTIL], carried[NOT_CLAMPED] = t + 1 + constants.inhibition_steps, winner
    elif state.partner_ready_at[winner] <= t + 1:
        carried[PARTNER] = winner
        state.partner_ready_at[winner] = t + 2 + constants.inhibition_steps
    potentials[winner] = 0
    if not learning:
        return
    if constants.rule != NORMALISED:
        if constants.rule == PAIR:
            potentiate(weights, winner, state.pre_traces, rate)
        elif constants.rule == POSTONLY:
            power_law(weights, winner, state.pre_traces, rate, constants.target_trace)
        if constants.rule != TIMESTEP:
            activity[WEIGHT_READS] += weights.shape[0]
            activity[WEIGHT_WRITES] += weights.shape[0]
        raise_trace(state.post_traces, winner)
    if constants.adaptation == DECAYING:
        theta[winner] += theta_step
        state.thresholds[winner] = constants.firing_threshold + theta[winner]
        activity[THRESHOLD_UPDATES] += 1


@njit
def run_window(start, stop, weights, theta, teaching, constants, state, activity):
    """Run the time steps from `start` to `stop`; return the number of output spikes.

    `teaching` is the learning rate, the threshold step, and whether the network learns.
    """
    spikes_in_step, inputs, carried = state.spikes_in_step, state.inputs, state.carried
    n_neurons = state.potentials.size
    with_traces = teaching[2] and constants.rule != NORMALISED
    spikes_before = carried[SPIKES]
    additions = 0
    t = start
    while t < stop:
        ahead, added_to = stop, n_neurons
        if t < carried[CLAMPED_UNTIL]:
            ahead, added_to = min(stop, carried[CLAMPED_UNTIL]), 1
        if with_traces or carried[PARTNER] >= 0:
            ahead = t + 1
        last, winner = advance(t, ahead, weights, constants, state)
        for step in range(t, last + 1):
            additions += added_to * spikes_in_step[step]
        if with_traces:
            follow_inputs(inputs[t, : spikes_in_step[t]], weights, constants, state, activity)
        if winner >= 0:
            fire(last, winner, weights, theta, teaching, constants, state, activity)
        t = last + 1
    activity[ADDITIONS] += additions
    activity[WEIGHT_READS] += additions
    return carried[SPIKES] - spikes_before
