"""Kernels of the floating-point engine: one presentation, one batch.

The order of events is the one that `fspinn.model` states; `window_kernels` says what a team is.
"""

import numpy as np

from fspinn.engines.neuron_kernels import set_thresholds
from fspinn.engines.team_kernels import agree, wait
from fspinn.engines.window_kernels import (
    CLAMPED_UNTIL,
    DEAF_UNTIL,
    INPUT_SPIKES,
    LAYER,
    NEURON_UPDATES,
    NORMALISATIONS,
    OUTPUT_SPIKES,
    PARTNER,
    ROUND,
    SAMPLES,
    SPIKES,
    STEPS,
    THRESHOLD_UPDATES,
    WEIGHT_READS,
    WEIGHT_WRITES,
    WINDOWS,
    advance,
    fire,
    make_board,
    make_state,
    run_window,
)
from fspinn.jit import njit
from fspinn.plasticity_kernels import (
    BALANCED,
    DECAYING,
    NO_NORMALISATION,
    NORMALISED,
    PAIR,
    POSTONLY,
    TIMESTEP,
    TRIPLET,
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
from fspinn.spike_kernels import encode, stream_key


@njit
def encode_into(room, image, key, constants, state):
    """Encode an image into a room."""
    encode(
        image,
        constants.encoder,
        constants.rate_norm_per_step,
        constants.most_spikes,
        key,
        state.probabilities,
        room[0],
        room[1],
    )


@njit
def rest(theta, constants, state):
    """Set the state to what it is before a presentation."""
    set_thresholds(state.thresholds, constants.firing_threshold, theta)
    state.potentials[:] = 0
    state.pre_traces[:] = 0
    state.post_traces[:] = 0
    state.slow_traces[:] = 0
    state.ready_at[:] = 0
    state.partner_ready_at[:] = 0
    state.spike_counts[:] = 0
    state.spike_order[:] = -1
    state.spike_steps[:] = -1
    state.carried[PARTNER] = -1
    state.carried[CLAMPED_UNTIL] = 0
    state.carried[DEAF_UNTIL] = 0
    state.carried[SPIKES] = 0


@njit
def count_presentation(room, constants, state, activity):
    """Add what every presentation does to the counts; of a team, the first member counts."""
    populations = 2 if constants.inhibition_kind == LAYER else 1
    activity[NEURON_UPDATES] += populations * constants.steps * state.potentials.size
    if state.member == 0:
        activity[SAMPLES] += 1
        activity[STEPS] += constants.steps
        activity[INPUT_SPIKES] += room[0].sum()
        activity[OUTPUT_SPIKES] += state.carried[SPIKES]


@njit
def count_window_inputs(start, stop, room, window_counts):
    """Count the spikes of each input in a window; return their sum."""
    spikes_in_step, inputs = room
    window_counts[:] = 0
    total = 0
    for t in range(start, stop):
        for i in inputs[t, : spikes_in_step[t]]:
            window_counts[i] += 1
            total += 1
    return total


@njit
def learn_window(start, stop, spikes, room, weights, rate, constants, state):
    """Change weights at the end of a window with so many output spikes; return how many were changed."""
    if constants.rule == PAIR or constants.rule == POSTONLY or constants.rule == TRIPLET:
        return 0
    if spikes == 0:
        if constants.rule == NORMALISED:
            return 0
        return depress_all(weights, state.pre_traces, constants.depression_rate)
    real = weights.dtype.type
    winner = np.argmax(state.spike_counts)
    own = winner - state.first_neuron
    if not 0 <= own < weights.shape[1]:
        return 0
    factor = potentiation_factor(state.spike_counts[winner], constants.spike_threshold)
    if constants.rule == TIMESTEP:
        potentiate(weights, own, state.pre_traces, real(factor) * rate)
        return weights.shape[0]
    if count_window_inputs(start, stop, room, state.window_counts) == 0:
        return 0
    rate = min(real(1.0), real(factor) * rate)
    move_towards_input(weights, own, state.window_counts, constants.weight_norm, rate)
    return weights.shape[0]


@njit
def end_window(start, stop, spikes, room, weights, theta, teaching, constants, state, activity):
    """Phase 7: what is learned at the end of a window with so many output spikes."""
    changed = learn_window(start, stop, spikes, room, weights, teaching[0], constants, state)
    activity[WEIGHT_READS] += changed
    activity[WEIGHT_WRITES] += changed
    if state.member == 0:
        activity[WINDOWS] += 1
    if spikes > 0 and constants.adaptation == BALANCED:
        winner = np.argmax(state.spike_counts)
        shift_thresholds(
            theta, winner - state.first_neuron, teaching[1], state.spike_counts.size, constants.lowest_theta
        )
        set_thresholds(state.thresholds, constants.firing_threshold, theta)
        activity[THRESHOLD_UPDATES] += theta.size


@njit
def is_near(constants, state, board):
    """Return whether any potential of the team is at least half the firing threshold."""
    near = state.potentials.max() >= constants.firing_threshold / 2
    if state.members == 1:
        return near
    state.carried[ROUND] += 1
    neuron = state.first_neuron if near else -1
    _, neuron = agree(board.rounds, board.news, state.member, state.carried[ROUND], 0, 0.0, neuron)
    return neuron >= 0


@njit
def end_presentation(room, earlier_spikes, weights, theta, theta_step, constants, state, board, activity):
    """What changes once per presentation: thresholds after silence, decay, normalisation."""
    if constants.adaptation == BALANCED and state.carried[SPIKES] == 0:
        near = earlier_spikes > 0 and is_near(constants, state, board)
        has_input = room[0].sum() > 0
        fall = fall_after_silence(theta_step, state.spike_counts.size, has_input, earlier_spikes, near)
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
def learn_batch(
    images, stream, earlier_spikes, weights, theta, schedule, constants, place, board, spike_counts, activity
):
    """Present images one after the other with learning on; `weights` and `theta` change in place.

    `images` (n, n_inputs); `stream`: seed, purpose and number of the first presentation; `earlier_spikes`:
    output spikes in presentations before; `schedule` (2, n): learning rate and threshold step of each
    presentation; `place`: number of this member, of all members, and of the first neuron of `weights`;
    `spike_counts` (n, total number of neurons) and `activity` (11,) are written.
    """
    state = make_state(
        weights.shape[0], spike_counts.shape[1], place, 0, np.zeros(weights.shape[1], dtype=weights.dtype)
    )
    seed, purpose, first = stream
    rooms = board.inputs.shape[0]
    for m in range(images.shape[0]):
        if m % state.members == 0:
            # Each member encodes one of the next images; all wait until all can be read.
            mine = m + state.member
            if mine < images.shape[0]:
                key = stream_key(seed, purpose, first + np.uint64(mine))
                room = (board.spikes_in_step[mine % rooms], board.inputs[mine % rooms])
                encode_into(room, images[mine], key, constants, state)
            if state.members > 1:
                state.carried[ROUND] += 1
                wait(board.rounds, state.member, state.carried[ROUND])
        room = (board.spikes_in_step[m % rooms], board.inputs[m % rooms])
        teaching = (schedule[0, m], schedule[1, m], True)
        rest(theta, constants, state)
        for start in range(0, constants.steps, constants.window_steps):
            stop = min(start + constants.window_steps, constants.steps)
            spikes = run_window(
                start, stop, room, weights, theta, teaching, constants, state, board, activity
            )
            end_window(start, stop, spikes, room, weights, theta, teaching, constants, state, activity)
        end_presentation(room, earlier_spikes, weights, theta, teaching[1], constants, state, board, activity)
        earlier_spikes += state.carried[SPIKES]
        count_presentation(room, constants, state, activity)
        if state.member == 0:
            spike_counts[m] = state.spike_counts


@njit
def respond_batch(
    images, stream, weights, theta, constants, spike_counts, spike_order, spike_steps, activity
):
    """Present images with learning off.

    Writes `spike_counts` (n, n_neurons), `spike_order` and `spike_steps` (n, k; the neurons of the first k
    spikes and their steps, -1 where there were fewer) and `activity` (11,).
    """
    n_inputs, n_neurons = weights.shape
    potentials = np.zeros(n_neurons, dtype=weights.dtype)
    state = make_state(n_inputs, n_neurons, (0, 1, 0), spike_order.shape[1], potentials)
    board = make_board(1, constants.steps, n_inputs)
    room = (board.spikes_in_step[0], board.inputs[0])
    seed, purpose, first = stream
    zero = weights.dtype.type(0.0)
    teaching = (zero, zero, False)
    for m in range(images.shape[0]):
        encode_into(room, images[m], stream_key(seed, purpose, first + np.uint64(m)), constants, state)
        rest(theta, constants, state)
        run_window(0, constants.steps, room, weights, theta, teaching, constants, state, board, activity)
        count_presentation(room, constants, state, activity)
        spike_counts[m] = state.spike_counts
        spike_order[m] = state.spike_order
        spike_steps[m] = state.spike_steps


@njit
def watch(room, weights, theta, constants, neuron, course):
    """Run a presentation with learning off, step by step.

    Writes `course` (steps, 2): one neuron's potential before phase 5 of each step, and at its end.
    """
    n_inputs, n_neurons = weights.shape
    state = make_state(n_inputs, n_neurons, (0, 1, 0), 0, np.zeros(n_neurons, dtype=weights.dtype))
    activity = np.zeros(NORMALISATIONS + 1, dtype=np.int64)
    zero = weights.dtype.type(0.0)
    rest(theta, constants, state)
    for t in range(constants.steps):
        _, winner = advance(t, t + 1, room, weights, constants, state)
        course[t, 0] = state.potentials[neuron]
        if winner >= 0:
            fire(t, winner, weights, theta, (zero, zero, False), constants, state, activity)
        course[t, 1] = state.potentials[neuron]
