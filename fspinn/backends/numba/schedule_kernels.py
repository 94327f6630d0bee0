"""The order of events, once for reals and integers: that which `fspinn.network` states.

What happens in each of them is chosen by the arithmetic (`arithmetic_kernels`).
"""

import numpy as np

from fspinn.backends.numba.arithmetic_kernels import (
    advance,
    decay_theta,
    depress_all,
    find_spike,
    forget_traces,
    learn_from_spike,
    lower_theta,
    move_towards_input,
    part_of_step,
    potentiate,
    raise_theta,
    set_thresholds,
    share_of_target,
    tidy_weights,
)
from fspinn.backends.numba.constants_kernels import (
    ACTIVE_STEPS,
    ADDITIONS,
    BALANCED,
    COLUMNS_WRITTEN,
    DECAYING,
    DECAYS,
    ENDED,
    HOMEOSTATIC,
    INHIBITED_UNTIL,
    INPUT_SPIKES,
    NEURON_UPDATES,
    NORMALISATIONS,
    NORMALISED,
    OUTPUT_SPIKES,
    PAIR,
    POSITIONS,
    POSTONLY,
    ROWS_READ,
    ROWS_WRITTEN,
    SAMPLES,
    SPIKES,
    STEPS,
    THRESHOLD_PASSES,
    THRESHOLDS_WRITTEN,
    TIMESTEP,
    WEIGHTS_READ,
    WINDOWS,
)
from fspinn.backends.numba.inhibition_kernels import NONE, RANKED, advance_inhibited, fire, populations
from fspinn.backends.numba.integer_plasticity_kernels import random_word
from fspinn.backends.numba.neuron_kernels import clear, find_best, find_next
from fspinn.base.jit import njit
from fspinn.network.encoder_kernels import stream_key
from fspinn.network.field_kernels import gather


@njit
def rest(state):
    """Set the state to what it is before a presentation, but for the thresholds."""
    clear(state.potentials)
    forget_traces(state)
    clear(state.ready_at)
    clear(state.partner_ready_at)
    clear(state.spike_counts)
    clear(state.carried)


@njit
def post(winner, weights, theta, now, constants, learning, state, activity):
    """Phase 6: what an output spike teaches."""
    rate, theta_step, key = now
    if learning.rule != NORMALISED:
        learn_from_spike(weights, winner, rate, (0, key), learning, state)
        if learning.rule == PAIR or learning.rule == POSTONLY:
            activity[COLUMNS_WRITTEN] += 1
    if learning.adaptation == DECAYING or learning.adaptation == HOMEOSTATIC:
        raise_theta(theta, winner, theta_step, learning)
        set_thresholds(theta, constants, state)
        activity[THRESHOLDS_WRITTEN] += 1


@njit
def run_window(
    start, stop, starts, inputs, weights, theta, now, constants, learning, state, record, activity
):
    """Run the time steps from `start` to `stop`, or to the spike that ends the presentation.

    `now`: learning rate, threshold step and key of random words. Writes `record`: step and neuron of each
    output spike, and in `course` (steps, 2) the potential of the neuron `probe` as it is compared with the
    threshold and at the end of each step.
    """
    spike_steps, spike_neurons, _, course, probe = record
    potentials, carried = state.potentials, state.carried
    probing, ranked = course.shape[0] > 0, constants.inhibition_kind == RANKED
    several = constants.inhibition_kind == NONE
    t = start
    while t < stop:
        last, reached, reads = t, True, ROWS_READ
        if t < carried[INHIBITED_UNTIL]:
            reads = advance_inhibited(t, starts, inputs, weights, constants, learning, state)
        else:
            ahead = stop if t >= constants.input_steps else min(stop, constants.input_steps)
            if probing or (ranked and t >= constants.input_steps):
                ahead = t + 1
            last, reached = advance(t, ahead, starts, inputs, weights, constants, learning, state)
        activity[reads] += starts[last + 1] - starts[t]
        if learning is not None and learning.on and learning.rule == PAIR:
            activity[ROWS_WRITTEN] += starts[last + 1] - starts[t]
        winner = find_spike(last, constants, state) if reached else -1
        if ranked:
            answers = last >= constants.input_steps and starts[last] > starts[0]
            winner = find_best(last, state) if answers else -1
        if several and winner >= 0:
            winner = find_next(np.int64(0), last, state)
        if probing:
            course[t, 0] = potentials[probe]
        while winner >= 0:
            spike_steps[carried[SPIKES]], spike_neurons[carried[SPIKES]] = last, winner
            fire(last, winner, constants, state)
            if learning is not None and learning.on:
                post(winner, weights, theta, now, constants, learning, state, activity)
            winner = find_next(winner + 1, last, state) if several else -1
        if probing:
            course[t, 1] = potentials[probe]
        t = stop if carried[ENDED] > 0 else last + 1


@njit
def most_active(spike_counts):
    """Return the neuron with the most output spikes, the first among equals."""
    winner = 0
    for j in range(spike_counts.size):
        if spike_counts[j] > spike_counts[winner]:
            winner = j
    return winner


@njit
def potentiation_factor(spikes, spike_threshold):
    """FSpiNN's ``k = ceil(spikes / spike_threshold)``; 1 where `spike_threshold` is 0 (off)."""
    if spike_threshold == 0:
        return 1
    return (spikes + spike_threshold - 1) // spike_threshold


@njit
def end_window(now_in, inputs, spikes, weights, theta, now, constants, learning, state, activity):
    """Phase 7: what is learned at the end of a window with so many output spikes.

    `inputs` are those that spiked in it, and `now_in` is its number.
    """
    rate, theta_step, key = now
    place = (now_in, key)
    activity[WINDOWS] += 1
    if spikes == 0:
        if learning.rule == TIMESTEP:
            activity[ROWS_WRITTEN] += depress_all(weights, place, learning, state)
        return
    winner = most_active(state.spike_counts)
    factor = potentiation_factor(state.spike_counts[winner], learning.spike_threshold)
    if learning.rule == NORMALISED and inputs.size > 0:
        clear(state.window_counts)
        for i in inputs:
            state.window_counts[i] += 1
        move_towards_input(weights, winner, factor, rate, place, learning, state)
        activity[COLUMNS_WRITTEN] += 1
    if learning.rule == TIMESTEP:
        potentiate(weights, winner, factor, rate, place, learning, state)
        activity[COLUMNS_WRITTEN] += 1
    if learning.adaptation == BALANCED:
        lower_theta(theta, part_of_step(theta_step, constants.neurons, learning), learning)
        raise_theta(theta, winner, theta_step, learning)
        set_thresholds(theta, constants, state)
        activity[THRESHOLD_PASSES] += 1


@njit
def fall_after_silence(input_spikes, earlier_spikes, theta_step, constants, learning, state):
    """Return by how much thresholds fall after a presentation without an output spike.

    Before the first one of all, by the step if there was input. Later, if they do, by the step if some
    potential is at the firing threshold, and by an N-th of it if one is at half.
    """
    part = part_of_step(theta_step, constants.neurons, learning)
    if earlier_spikes == 0:
        return theta_step if input_spikes > 0 else 0 * part
    if not learning.falls_in_silence:
        return 0 * part
    highest = state.potentials[0]
    for j in range(state.potentials.size):
        highest = max(highest, state.potentials[j])
    if highest >= constants.firing_threshold:
        return theta_step
    return part if 2 * highest >= constants.firing_threshold else 0 * part


@njit
def end_presentation(
    input_spikes, earlier_spikes, weights, theta, theta_step, constants, learning, state, activity
):
    """What changes once per presentation: thresholds after silence, decay, normalisation."""
    if learning.adaptation == BALANCED and state.carried[SPIKES] == 0:
        fall = fall_after_silence(input_spikes, earlier_spikes, theta_step, constants, learning, state)
        if fall > 0:
            lower_theta(theta, fall, learning)
            activity[THRESHOLD_PASSES] += 1
    if learning.adaptation == DECAYING:
        decay_theta(theta, learning)
        activity[THRESHOLD_PASSES] += 1
    if learning.adaptation == HOMEOSTATIC and input_spikes > 0:
        lower_theta(theta, share_of_target(theta_step, constants.neurons, learning), learning)
        activity[THRESHOLD_PASSES] += 1
    decays, normalises = tidy_weights(weights, learning, state)
    activity[DECAYS] += decays
    activity[NORMALISATIONS] += normalises


@njit
def count_presentation(starts, steps, constants, state, activity):
    """Add what every presentation does to the counts; `steps` are those until it ended."""
    activity[STEPS] += steps
    for t in range(steps):
        activity[ACTIVE_STEPS] += starts[t + 1] > starts[t]
    activity[POSITIONS] += 1
    activity[INPUT_SPIKES] += starts[steps] - starts[0]
    activity[OUTPUT_SPIKES] += state.carried[SPIKES]
    activity[NEURON_UPDATES] += populations(constants) * steps * constants.neurons


@njit
def present(
    starts, inputs, weights, theta, now, index, earlier_spikes, constants, learning, state, record, activity
):
    """Present what one position sees of a sample, from rest; `index` numbers the positions of the sample."""
    steps, window_steps = constants.steps, constants.steps
    if learning is not None:
        window_steps = learning.window_steps
    rest(state)
    set_thresholds(theta, constants, state)
    windows = (constants.input_steps + window_steps - 1) // window_steps
    for window in range(windows):
        start = window * window_steps
        stop = start + window_steps if window + 1 < windows else steps
        before = state.carried[SPIKES]
        run_window(
            start, stop, starts, inputs, weights, theta, now, constants, learning, state, record, activity
        )
        ended = state.carried[ENDED]
        if ended > 0:
            steps = stop = ended
        if learning is not None and learning.on:
            spikes = state.carried[SPIKES] - before
            shown, number = inputs[starts[start] : starts[stop]], index * windows + window
            end_window(number, shown, spikes, weights, theta, now, constants, learning, state, activity)
        if ended > 0:
            break
    input_spikes = starts[steps] - starts[0]
    if learning is not None and learning.on:
        end_presentation(
            input_spikes, earlier_spikes, weights, theta, now[1], constants, learning, state, activity
        )
    count_presentation(starts, steps, constants, state, activity)


@njit
def present_batch(
    offsets,
    inputs,
    weights,
    theta,
    constants,
    fields,
    learning,
    schedule,
    run,
    state,
    answers,
    record,
    activity,
):
    """Present samples one after the other; with learning on, `weights` and `theta` change in place.

    `offsets` (n, steps + 1) and `inputs` are those of `fspinn.network.encoders.Spikes`; `learning` is None
    or says whether it is on; `schedule` (n, 2): learning rate and threshold step of each sample; `run`: seed,
    purposes of the random words of roundings and of positions, number of the first sample, and output spikes
    before it. Writes `answers`, that is spike counts (n, cells * neurons) and the step of the first spike of
    each; `activity` (17,); and `record` (see `run_window`), with the position of each output spike, whose
    course is (n, steps, 2), or (n, 0, 2) without a probe.
    """
    seed, rounding, drawing, first, earlier_spikes = run
    spike_counts, first_steps = answers
    spike_steps, spike_neurons, spike_positions, course, probe = record
    written = 0
    learns = learning is not None and learning.on
    for m in range(offsets.shape[0]):
        number = first + np.uint64(m)
        now = (schedule[m, 0], schedule[m, 1], stream_key(seed, rounding, number))
        draw = stream_key(seed, drawing, number)
        starts, shown = offsets[m], inputs
        activity[SAMPLES] += 1
        for index in range(fields.drawn if learns else fields.positions):
            position = index
            if fields.there:
                if learns:
                    position = np.int64(random_word(draw, index) % np.uint64(fields.positions))
                starts, shown = fields.seen_starts, fields.seen
                seen = gather(offsets[m], inputs, fields.where, position, starts, shown)
                if learns and seen < fields.least_spikes:
                    continue
            noted = (spike_steps[written:], spike_neurons[written:], spike_positions, course[m], probe)
            present(
                starts,
                shown,
                weights,
                theta,
                now,
                index,
                earlier_spikes,
                constants,
                learning,
                state,
                noted,
                activity,
            )
            spikes, base = state.carried[SPIKES], fields.cell_of[position] * constants.neurons
            for e in range(written, written + spikes):
                spike_positions[e] = position
                feature = base + spike_neurons[e]
                spike_counts[m, feature] += 1
                first_steps[m, feature] = min(first_steps[m, feature], spike_steps[e])
            earlier_spikes += spikes
            written += spikes
    activity[ADDITIONS] = activity[ROWS_READ] * constants.neurons + activity[WEIGHTS_READ]
