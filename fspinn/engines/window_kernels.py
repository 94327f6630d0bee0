"""Kernels of the time steps of a learning window.

The order of events is the one that `fspinn.model` states. Several threads, the members of a team, can share
the neurons: `weights` and `theta` are then those of the member's own neurons, and so is all of its state but
the spike counts. What depends on all neurons is only who spikes, on which `team_kernels.agree` decides.
"""

from collections import namedtuple

import numpy as np

from fspinn.engines.neuron_kernels import (
    find_spike,
    flush,
    ignore_input,
    integrate,
    integrate_one,
    take_toll,
)
from fspinn.engines.team_kernels import LINE, agree
from fspinn.jit import njit
from fspinn.plasticity_kernels import (
    DECAYING,
    NORMALISED,
    PAIR,
    POSTONLY,
    TIMESTEP,
    TRIPLET,
    decay_all,
    decay_traces,
    depress_row,
    potentiate,
    power_law,
    raise_trace,
)

LATERAL, CLAMP, LAYER = range(3)
"""Numbers of the kinds of inhibition, in the order of `fspinn.model.INHIBITION_KINDS`."""

Constants = namedtuple(
    "Constants",
    "steps encoder rate_norm_per_step most_spikes "
    "leak refractory_steps ignores_input firing_threshold reset "
    "inhibition_kind inhibition_steps fixed_toll toll_part floor "
    "rule window_steps spike_threshold depression_rate "
    "traces_add trace_leak slow_trace_leak target_trace weight_power "
    "adaptation lowest_theta theta_kept weight_norm normalisation normalisation_goal weight_kept",
)
"""Numbers that do not change during a run.

Inhibition takes ``fixed_toll + toll_part * v`` from a potential v, down to `floor`.
"""

Board = namedtuple("Board", "rounds news spikes_in_step inputs")
"""What the members of a team share: see `team_kernels.agree`, and the input spikes of some presentations.

The inputs that spike in step t of presentation m are ``inputs[r, t, :spikes_in_step[r, t]]``, with r = m
modulo the number of rooms; there is one room for a member that is alone, two for each of several.
"""

State = namedtuple(
    "State",
    "member members first_neuron probabilities window_counts pre_traces "
    "potentials before held thresholds post_traces slow_traces ready_at partner_ready_at "
    "spike_counts spike_order spike_steps scales carried",
)
"""State and working memory of one member of a team, made once per batch."""

PARTNER, CLAMPED_UNTIL, NOT_CLAMPED, SPIKES, ROUND, DEAF_UNTIL = range(6)
"""Places in ``State.carried``.

The neuron whose inhibitory partner is about to spike (or -1), the step until which others are clamped, the
neuron that is not, the number of output spikes so far, the team's round, and the step until which some of the
own neurons are refractory and ignore their input.
"""

LOOK_AHEAD = 16
"""Steps that a member takes before it asks the others whether any neuron has spiked."""

# Slots of the array of counts, in the order of `fspinn.trained.Activity`.
SAMPLES, STEPS, INPUT_SPIKES, OUTPUT_SPIKES, ADDITIONS, NEURON_UPDATES = range(6)
WEIGHT_READS, WEIGHT_WRITES, THRESHOLD_UPDATES, WINDOWS, NORMALISATIONS = range(6, 11)


@njit
def make_board(members, steps, n_inputs):
    """Allocate what a team of so many members shares, for one batch."""
    rooms = 1 if members == 1 else 2 * members
    return Board(
        np.zeros((members + 1) * LINE, dtype=np.int64),
        np.zeros((2, members, LINE), dtype=np.float64),
        np.zeros((rooms, steps), dtype=np.int64),
        np.zeros((rooms, steps, n_inputs), dtype=np.int32),
    )


@njit
def make_state(n_inputs, total_neurons, place, order, potentials):
    """Allocate the state around an array of potentials, whose type is the engine's.

    `place` is the member's number, how many there are, and the first of its neurons, whose number is that of
    the potentials. Of each presentation, the first `order` output spikes are kept in their order.
    """
    n_neurons = potentials.size
    return State(
        place[0],
        place[1],
        place[2],
        np.zeros(n_inputs, dtype=np.uint32),
        np.zeros(n_inputs, dtype=np.int32),
        np.zeros(n_inputs, dtype=potentials.dtype),
        potentials,
        np.zeros_like(potentials),
        np.zeros_like(potentials),
        np.zeros_like(potentials),
        np.zeros_like(potentials),
        np.zeros_like(potentials),
        np.zeros(n_neurons, dtype=np.int64),
        np.zeros(total_neurons, dtype=np.int64),
        np.zeros(total_neurons, dtype=np.int32),
        np.zeros(order, dtype=np.int32),
        np.zeros(order, dtype=np.int32),
        np.zeros(n_neurons, dtype=np.float64),
        np.zeros(6, dtype=np.int64),
    )


@njit
def inhibit(t, spared, constants, state):
    """Let all neurons pay the toll but one (or none), and those that are refractory and ignore it."""
    deaf = t < state.carried[DEAF_UNTIL]
    if deaf:
        state.held[:] = state.potentials
    take_toll(state.potentials, spared, constants.fixed_toll, constants.toll_part, constants.floor)
    if deaf:
        ignore_input(state.potentials, state.held, state.ready_at, t, state.potentials.dtype.type(1.0))


@njit
def advance(t, stop, room, weights, constants, state):
    """Take time steps until one of the own neurons reaches its threshold: return that step and the neuron.

    If none does, return the last step and -1. Each step goes up to phase 4. Inhibitory neurons may spike only
    if it is one step, and a clamp may end only after the last.
    """
    spikes_in_step, inputs = room
    potentials, thresholds, ready_at, carried = (
        state.potentials,
        state.thresholds,
        state.ready_at,
        state.carried,
    )
    leak = constants.leak
    clamped = t < carried[CLAMPED_UNTIL]
    not_clamped = carried[NOT_CLAMPED] - state.first_neuron
    if carried[PARTNER] >= 0:
        decay_all(potentials, leak)
        leak = weights.dtype.type(1.0)
        inhibit(t, carried[PARTNER] - state.first_neuron, constants, state)
        carried[PARTNER] = -1
    for step in range(t, stop):
        now = inputs[step, : spikes_in_step[step]]
        deaf = step < carried[DEAF_UNTIL]
        if deaf:
            state.held[:] = potentials
        if not clamped:
            integrate(potentials, weights, now, leak)
        elif 0 <= not_clamped < potentials.size:
            integrate_one(potentials, weights, now, leak, not_clamped)
        if deaf:
            ignore_input(potentials, state.held, ready_at, step, leak)
        if step % 16 == 15:
            flush(potentials)
        neuron = find_spike(potentials, thresholds, ready_at, step)
        if neuron >= 0:
            return step, neuron
    return stop - 1, -1


@njit
def advance_together(t, stop, room, weights, constants, state, board):
    """Take time steps until any neuron of the team reaches its threshold; return what `advance` does."""
    state.before[:] = state.potentials
    step, own = advance(t, stop, room, weights, constants, state)
    excess = 0.0
    if own >= 0:
        excess = np.float64(state.potentials[own] - state.thresholds[own])
        own += state.first_neuron
    state.carried[ROUND] += 1
    first, neuron = agree(board.rounds, board.news, state.member, state.carried[ROUND], step, excess, own)
    if first < step:
        # Others were earlier: go back, and only as far as they went.
        state.potentials[:] = state.before
        advance(t, first + 1, room, weights, constants, state)
    return first, neuron


@njit
def count_additions(t, stop, spikes_in_step, state, activity):
    """Count the weights that the member added to its potentials in some steps."""
    spikes = 0
    for step in range(t, stop):
        spikes += spikes_in_step[step]
    neurons = state.potentials.size
    if t < state.carried[CLAMPED_UNTIL]:
        neurons = 1 if 0 <= state.carried[NOT_CLAMPED] - state.first_neuron < neurons else 0
    activity[ADDITIONS] += neurons * spikes
    activity[WEIGHT_READS] += neurons * spikes


@njit
def follow_inputs(inputs, weights, constants, state, activity):
    """Let traces decay and rise with the input spikes of a step; `pair` and `triplet` depress their rows."""
    decay_traces(state.pre_traces, constants.trace_leak)
    decay_traces(state.post_traces, constants.trace_leak)
    if constants.rule == TRIPLET:
        decay_traces(state.slow_traces, constants.slow_trace_leak)
    for i in inputs:
        raise_trace(state.pre_traces, i, constants.traces_add)
        if constants.rule == PAIR or constants.rule == TRIPLET:
            depress_row(weights[i], constants.depression_rate, state.post_traces)
            activity[WEIGHT_READS] += state.post_traces.size
            activity[WEIGHT_WRITES] += state.post_traces.size


@njit
def fire(t, winner, weights, theta, teaching, constants, state, activity):
    """Phases 5 and 6: reset, inhibition, and what an output spike teaches (see `run_window`)."""
    rate, theta_step, learning = teaching
    carried, potentials = state.carried, state.potentials
    own = winner - state.first_neuron
    mine = 0 <= own < potentials.size
    state.spike_counts[winner] += 1
    if carried[SPIKES] < state.spike_order.size:
        state.spike_order[carried[SPIKES]] = winner
        state.spike_steps[carried[SPIKES]] = t
    carried[SPIKES] += 1
    if mine:
        state.ready_at[own] = t + 1 + constants.refractory_steps
        if constants.ignores_input:
            carried[DEAF_UNTIL] = t + 1 + constants.refractory_steps
    if constants.inhibition_kind == LATERAL:
        inhibit(t, own, constants, state)
    elif constants.inhibition_kind == CLAMP:
        potentials[:] = 0
        carried[CLAMPED_UNTIL], carried[NOT_CLAMPED] = t + 1 + constants.inhibition_steps, winner
    elif state.partner_ready_at[winner] <= t + 1:
        carried[PARTNER] = winner
        state.partner_ready_at[winner] = t + 2 + constants.inhibition_steps
    if mine:
        potentials[own] = constants.reset
    if not (learning and mine):
        return
    if constants.rule != NORMALISED:
        if constants.rule == PAIR:
            potentiate(weights, own, state.pre_traces, rate)
        elif constants.rule == TRIPLET:
            potentiate(weights, own, state.pre_traces, rate * state.slow_traces[own])
            raise_trace(state.slow_traces, own, constants.traces_add)
        elif constants.rule == POSTONLY:
            power_law(weights, own, state.pre_traces, rate, constants.target_trace, constants.weight_power)
        if constants.rule != TIMESTEP:
            activity[WEIGHT_READS] += weights.shape[0]
            activity[WEIGHT_WRITES] += weights.shape[0]
        raise_trace(state.post_traces, own, constants.traces_add)
    if constants.adaptation == DECAYING:
        theta[own] += theta_step
        state.thresholds[own] = constants.firing_threshold + theta[own]
        activity[THRESHOLD_UPDATES] += 1


@njit
def run_window(start, stop, room, weights, theta, teaching, constants, state, board, activity):
    """Run the time steps from `start` to `stop`; return the number of output spikes.

    `room` holds the presentation's `spikes_in_step` and `inputs`; `teaching` is the learning rate, the
    threshold step, and whether the network learns.
    """
    spikes_in_step, inputs = room
    carried = state.carried
    with_traces = teaching[2] and constants.rule != NORMALISED
    spikes_before = carried[SPIKES]
    t = start
    while t < stop:
        ahead = stop
        if with_traces or carried[PARTNER] >= 0:
            ahead = t + 1
        elif t < carried[CLAMPED_UNTIL]:
            ahead = min(stop, carried[CLAMPED_UNTIL])
        if state.members == 1:
            last, winner = advance(t, ahead, room, weights, constants, state)
        else:
            ahead = min(ahead, t + LOOK_AHEAD)
            last, winner = advance_together(t, ahead, room, weights, constants, state, board)
        count_additions(t, last + 1, spikes_in_step, state, activity)
        if with_traces:
            follow_inputs(inputs[t, : spikes_in_step[t]], weights, constants, state, activity)
        if winner >= 0:
            fire(last, winner, weights, theta, teaching, constants, state, activity)
        t = last + 1
    return carried[SPIKES] - spikes_before
