"""Kernels of the floating-point engine: one presentation, one batch.

The order of events is the one that `fspinn.network` states.
"""

import numpy as np

from fspinn.backends.numba.neuron_kernels import copy, most_active, set_thresholds
from fspinn.backends.numba.plasticity_kernels import (
    BALANCED,
    DECAYING,
    NO_NORMALISATION,
    NORMALISED,
    PAIR,
    POSTONLY,
    TIMESTEP,
    decay_all,
    depress_all,
    fall_after_silence,
    lower_thresholds,
    move_towards_input,
    normalise,
    potentiate,
    potentiation_factor,
    shift_thresholds,
)
from fspinn.backends.numba.window_kernels import (
    NORMALISATIONS,
    PARTNER,
    SPIKES,
    THRESHOLD_UPDATES,
    WEIGHT_READS,
    WEIGHT_WRITES,
    WINDOWS,
    advance,
    count_presentation,
    fire,
    make_state,
    run_window,
)
from fspinn.base.jit import njit
from fspinn.network.encoder_kernels import encode, stream_key


@njit
def rest(theta, constants, state):
    """Set the state to what it is before a presentation."""
    set_thresholds(state.thresholds, constants.firing_threshold, theta)
    state.potentials[:] = 0
    state.pre_traces[:] = 0
    state.post_traces[:] = 0
    state.ready_at[:] = 0
    state.partner_ready_at[:] = 0
    state.spike_counts[:] = 0
    state.spike_order[:] = -1
    state.spike_steps[:] = -1
    state.carried[:] = 0
    state.carried[PARTNER] = -1


@njit
def count_window_inputs(start, stop, spikes_in_step, inputs, window_counts):
    """Count the spikes of each input in a window; return their sum."""
    window_counts[:] = 0
    total = 0
    for t in range(start, stop):
        for i in inputs[t, : spikes_in_step[t]]:
            window_counts[i] += 1
            total += 1
    return total


@njit
def learn_window(start, stop, winner, weights, rate, constants, state):
    """Change weights at the end of a window; return how many were changed.

    `winner` is the neuron that learns, or -1 if there was no output spike.
    """
    if constants.rule == PAIR or constants.rule == POSTONLY:
        return 0
    if winner < 0:
        if constants.rule == NORMALISED:
            return 0
        return depress_all(weights, state.pre_traces, constants.depression_rate)
    real = weights.dtype.type
    factor = potentiation_factor(state.spike_counts[winner], constants.spike_threshold)
    rate = real(factor) * rate
    if constants.rule == TIMESTEP:
        potentiate(weights, winner, state.pre_traces, rate)
        return weights.shape[0]
    if count_window_inputs(start, stop, state.spikes_in_step, state.inputs, state.window_counts) == 0:
        return 0
    move_towards_input(weights, winner, state.window_counts, constants.weight_norm, min(real(1.0), rate))
    return weights.shape[0]


@njit
def end_window(start, stop, spikes, weights, theta, teaching, constants, state, activity):
    """Phase 7: what is learned at the end of a window with so many output spikes."""
    winner = most_active(state.spike_counts) if spikes > 0 else -1
    changed = learn_window(start, stop, winner, weights, teaching[0], constants, state)
    activity[WEIGHT_READS] += changed
    activity[WEIGHT_WRITES] += changed
    activity[WINDOWS] += 1
    if winner >= 0 and constants.adaptation == BALANCED:
        shift_thresholds(theta, winner, teaching[1], constants.lowest_theta)
        set_thresholds(state.thresholds, constants.firing_threshold, theta)
        activity[THRESHOLD_UPDATES] += theta.size


@njit
def end_presentation(spikes, weights, theta, theta_step, constants, state, activity):
    """What changes once per presentation: thresholds after silence, decay, normalisation.

    `spikes`: input spikes of the presentation, output spikes of it, and those before it.
    """
    input_spikes, output_spikes, earlier_spikes = spikes
    if constants.adaptation == BALANCED and output_spikes == 0:
        potentials, has_input = state.potentials, input_spikes > 0
        fall = fall_after_silence(
            theta_step, potentials, constants.firing_threshold, has_input, earlier_spikes
        )
        if fall > 0:
            lower_thresholds(theta, fall, constants.lowest_theta)
            activity[THRESHOLD_UPDATES] += theta.size
    if constants.adaptation == DECAYING:
        decay_all(theta, constants.theta_kept)
        activity[THRESHOLD_UPDATES] += theta.size
    if constants.weight_kept < 1:
        decay_all(weights, constants.weight_kept)
        activity[NORMALISATIONS] += weights.size
    if constants.normalisation != NO_NORMALISATION:
        normalise(weights, constants.normalisation, constants.normalisation_goal, state.scales)
        activity[NORMALISATIONS] += weights.size


@njit
def present_batch(images, stream, weights, theta, schedule, learning, constants, spikes, activity):
    """Present images one after the other; with learning on, `weights` and `theta` change in place.

    `images` (n, n_inputs); `stream`: seed, purpose and number of the first presentation; `schedule` (n, 2):
    learning rate and threshold step of each presentation; `learning`: whether it is on, and the output spikes
    in presentations before. Writes `activity` (11,) and `spikes`: the number of each neuron's (n, n_neurons),
    and the neurons of the first k spikes and their steps (n, k; -1 where there were fewer).
    """
    spike_counts, spike_order, spike_steps = spikes
    learns, earlier_spikes = learning
    n_inputs, n_neurons = weights.shape
    potentials = np.zeros(n_neurons, dtype=weights.dtype)
    state = make_state(n_inputs, constants.steps, spike_order.shape[1], potentials)
    seed, purpose, first = stream
    for m in range(images.shape[0]):
        input_spikes = encode(
            images[m],
            constants.encoder,
            constants.rate_norm_per_step,
            constants.most_spikes,
            stream_key(seed, purpose, first + np.uint64(m)),
            state.probabilities,
            state.spikes_in_step,
            state.inputs,
        )
        rest(theta, constants, state)
        teaching = (schedule[m, 0], schedule[m, 1], learns)
        for start in range(0, constants.steps, constants.window_steps):
            stop = min(start + constants.window_steps, constants.steps)
            fired = run_window(start, stop, weights, theta, teaching, constants, state, activity)
            if learns:
                end_window(start, stop, fired, weights, theta, teaching, constants, state, activity)
        output_spikes = state.carried[SPIKES]
        if learns:
            counts = (input_spikes, output_spikes, earlier_spikes)
            end_presentation(counts, weights, theta, teaching[1], constants, state, activity)
        earlier_spikes += output_spikes
        count_presentation(input_spikes, output_spikes, n_neurons, constants, activity)
        copy(state.spike_counts, spike_counts[m])
        copy(state.spike_order, spike_order[m])
        copy(state.spike_steps, spike_steps[m])


@njit
def watch(spikes_in_step, inputs, weights, theta, constants, neuron, course):
    """Run a presentation with learning off, step by step.

    Writes `course` (steps, 2): one neuron's potential before phase 5 of each step, and at its end.
    """
    n_inputs, n_neurons = weights.shape
    no_order = np.int64(0)
    state = make_state(n_inputs, constants.steps, no_order, np.zeros(n_neurons, dtype=weights.dtype))
    copy(spikes_in_step, state.spikes_in_step)
    for t in range(constants.steps):
        copy(inputs[t], state.inputs[t])
    activity = np.zeros(NORMALISATIONS + 1, dtype=np.int64)
    zero = weights.dtype.type(0.0)
    teaching = (zero, zero, constants.steps < 0)  # for a plain False Numba would compile `fire` once more
    rest(theta, constants, state)
    for t in range(constants.steps):
        _, winner = advance(t, t + 1, weights, constants, state)
        course[t, 0] = state.potentials[neuron]
        if winner >= 0:
            fire(t, winner, weights, theta, teaching, constants, state, activity)
        course[t, 1] = state.potentials[neuron]
