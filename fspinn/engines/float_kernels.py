"""Kernels of the floating-point engine: one time step, one presentation, one batch.

The order of events is the one that `fspinn.model` states.
"""

from collections import namedtuple

import numpy as np

from fspinn.jit import njit
from fspinn.plasticity_kernels import (
    BALANCED,
    DECAYING,
    FLUSH,
    NO_NORMALISATION,
    NORMALISED,
    PAIR,
    POSTONLY,
    TIMESTEP,
    decay_all,
    decay_traces,
    depress_all,
    depress_row,
    lower_thresholds,
    move_towards_input,
    normalise,
    potentiate,
    potentiation_factor,
    power_law,
    shift_thresholds,
)
from fspinn.spike_kernels import encode, stream_key

LATERAL, CLAMP, LAYER = range(3)
"""Numbers of the kinds of inhibition, in the order of `fspinn.model.INHIBITION_KINDS`."""

Constants = namedtuple(
    "Constants",
    "steps encoder rate_norm_per_step most_spikes "
    "leak refractory_steps firing_threshold "
    "inhibition_kind inhibition_steps fixed_toll toll_part floor "
    "rule window_steps spike_threshold depression_rate trace_leak target_trace weight_power "
    "adaptation theta_kept weight_norm normalisation normalisation_goal weight_kept",
)
"""Numbers that do not change during a run.

Inhibition takes ``fixed_toll + toll_part * v`` from a potential v, down to `floor`.
"""

Scratch = namedtuple(
    "Scratch",
    "probabilities spikes_in_step inputs window_counts pre_traces "
    "potentials thresholds post_traces ready_at partner_ready_at spike_counts spike_order scales",
)
"""Working memory of one thread, made once per batch."""

# Slots of the array of counts, in the order of `fspinn.trained.Activity`.
SAMPLES, STEPS, INPUT_SPIKES, OUTPUT_SPIKES, ADDITIONS, NEURON_UPDATES = range(6)
WEIGHT_READS, WEIGHT_WRITES, THRESHOLD_UPDATES, WINDOWS, NORMALISATIONS = range(6, 11)


@njit
def make_scratch(n_inputs, steps, order, potentials):
    """Allocate the working memory around an array of potentials, whose type is the engine's.

    Of each presentation, the first `order` output spikes are kept in their order.
    """
    n_neurons = potentials.size
    return Scratch(
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
        np.zeros(n_neurons, dtype=np.float64),
    )


@njit
def integrate(potentials, weights, inputs, leak):
    """Leak and input: ``v = leak * v + sum of the rows of the inputs that spike``, row after row.

    Four rows are added in one pass over the potentials; each potential still sees them one by one.
    """
    n = potentials.size
    first = inputs.size % 4
    if first == 0:
        for j in range(n):
            potentials[j] *= leak
    elif first == 1:
        a = weights[inputs[0]]
        for j in range(n):
            potentials[j] = potentials[j] * leak + a[j]
    elif first == 2:
        a, b = weights[inputs[0]], weights[inputs[1]]
        for j in range(n):
            potentials[j] = (potentials[j] * leak + a[j]) + b[j]
    else:
        a, b, c = weights[inputs[0]], weights[inputs[1]], weights[inputs[2]]
        for j in range(n):
            potentials[j] = ((potentials[j] * leak + a[j]) + b[j]) + c[j]
    for e in range(first, inputs.size, 4):
        a, b = weights[inputs[e]], weights[inputs[e + 1]]
        c, d = weights[inputs[e + 2]], weights[inputs[e + 3]]
        for j in range(n):
            potentials[j] = (((potentials[j] + a[j]) + b[j]) + c[j]) + d[j]


@njit
def flush(potentials):
    """Set potentials below 1e-20 in size to 0, as denormal numbers are slow."""
    zero = potentials.dtype.type(0.0)
    least = potentials.dtype.type(FLUSH)
    for j in range(potentials.size):
        if abs(potentials[j]) < least:
            potentials[j] = zero


@njit
def find_spike(potentials, thresholds, ready_at, t):
    """Return the neuron furthest above its threshold, the first among equals, or -1 if there is none."""
    reached = False
    for j in range(potentials.size):
        reached |= potentials[j] >= thresholds[j]
    winner = -1
    if not reached:
        return winner
    best = potentials[0]
    for j in range(potentials.size):
        excess = potentials[j] - thresholds[j]
        if excess >= 0 and ready_at[j] <= t and (winner < 0 or excess > best):
            winner = j
            best = excess
    return winner


@njit
def set_thresholds(thresholds, firing_threshold, theta):
    """What each neuron's potential has to reach: ``firing_threshold + theta``."""
    for j in range(thresholds.size):
        thresholds[j] = firing_threshold + theta[j]


@njit
def integrate_one(potentials, weights, inputs, leak, neuron):
    """Leak and input for one neuron, while all others are clamped at 0."""
    potentials[neuron] *= leak
    for i in inputs:
        potentials[neuron] += weights[i, neuron]


@njit
def take_toll(potentials, spared, fixed, part, floor):
    """Take ``fixed + part * v`` from all potentials but one, none below the floor through it."""
    kept = potentials[spared]
    for j in range(potentials.size):
        v = potentials[j]
        potentials[j] = max(v - (fixed + part * v), min(v, floor))
    potentials[spared] = kept


@njit
def run_window(
    start, stop, carried, weights, theta, rate, theta_step, learning, constants, scratch, activity
):
    """Run the time steps from `start` to `stop`; return the number of output spikes.

    `carried` (4,) holds what one window hands to the next: the neuron whose inhibitory partner is about to
    spike (or -1), the step until which others are clamped, the neuron that is not, and the number of output
    spikes so far.
    """
    potentials, thresholds = scratch.potentials, scratch.thresholds
    n_inputs, n_neurons = weights.shape
    with_traces = learning and constants.rule != NORMALISED
    output_spikes = 0
    for t in range(start, stop):
        inputs = scratch.inputs[t, : scratch.spikes_in_step[t]]
        if with_traces:
            decay_traces(scratch.pre_traces, constants.trace_leak)
            decay_traces(scratch.post_traces, constants.trace_leak)
        added = n_neurons * inputs.size
        if t < carried[1]:
            integrate_one(potentials, weights, inputs, constants.leak, carried[2])
            added = inputs.size
        elif carried[0] >= 0:
            decay_all(potentials, constants.leak)
            take_toll(potentials, carried[0], constants.fixed_toll, constants.toll_part, constants.floor)
            carried[0] = -1
            integrate(potentials, weights, inputs, weights.dtype.type(1.0))
        else:
            integrate(potentials, weights, inputs, constants.leak)
        if t % 16 == 15:
            flush(potentials)
        activity[ADDITIONS] += added
        activity[WEIGHT_READS] += added
        if with_traces:
            for i in inputs:
                scratch.pre_traces[i] += 1
                if constants.rule == PAIR:
                    depress_row(weights[i], constants.depression_rate, scratch.post_traces)
                    activity[WEIGHT_READS] += n_neurons
                    activity[WEIGHT_WRITES] += n_neurons
        winner = find_spike(potentials, thresholds, scratch.ready_at, t)
        if winner < 0:
            continue
        output_spikes += 1
        scratch.spike_counts[winner] += 1
        if carried[3] < scratch.spike_order.size:
            scratch.spike_order[carried[3]] = winner
        carried[3] += 1
        scratch.ready_at[winner] = t + 1 + constants.refractory_steps
        potentials[winner] = 0
        if constants.inhibition_kind == LATERAL:
            take_toll(potentials, winner, constants.fixed_toll, constants.toll_part, constants.floor)
        elif constants.inhibition_kind == CLAMP:
            potentials[:] = 0
            carried[1], carried[2] = t + 1 + constants.inhibition_steps, winner
        elif scratch.partner_ready_at[winner] <= t + 1:
            carried[0] = winner
            scratch.partner_ready_at[winner] = t + 2 + constants.inhibition_steps
        if with_traces:
            if constants.rule == PAIR:
                potentiate(weights, winner, scratch.pre_traces, rate)
            elif constants.rule == POSTONLY:
                power_law(
                    weights,
                    winner,
                    scratch.pre_traces,
                    rate,
                    constants.target_trace,
                    constants.weight_power,
                )
            if constants.rule != TIMESTEP:
                activity[WEIGHT_READS] += n_inputs
                activity[WEIGHT_WRITES] += n_inputs
            scratch.post_traces[winner] += 1
        if learning and constants.adaptation == DECAYING:
            theta[winner] += theta_step
            thresholds[winner] = constants.firing_threshold + theta[winner]
            activity[THRESHOLD_UPDATES] += 1
    return output_spikes


@njit
def begin(image, key, theta, carried, constants, scratch):
    """Encode an image and set the state to rest; return the number of input spikes."""
    set_thresholds(scratch.thresholds, constants.firing_threshold, theta)
    scratch.potentials[:] = 0
    scratch.pre_traces[:] = 0
    scratch.post_traces[:] = 0
    scratch.ready_at[:] = 0
    scratch.partner_ready_at[:] = 0
    scratch.spike_counts[:] = 0
    scratch.spike_order[:] = -1
    carried[0], carried[1], carried[2], carried[3] = -1, 0, 0, 0
    return encode(
        image,
        constants.encoder,
        constants.rate_norm_per_step,
        constants.most_spikes,
        key,
        scratch.probabilities,
        scratch.spikes_in_step,
        scratch.inputs,
    )


@njit
def count_presentation(activity, n_neurons, steps, input_spikes, output_spikes, constants):
    """Add what every presentation does to the counts."""
    activity[SAMPLES] += 1
    activity[STEPS] += steps
    activity[INPUT_SPIKES] += input_spikes
    activity[OUTPUT_SPIKES] += output_spikes
    populations = 2 if constants.inhibition_kind == LAYER else 1
    activity[NEURON_UPDATES] += populations * steps * n_neurons


@njit
def count_window_inputs(start, stop, scratch):
    """Count the spikes of each input in a window; return their sum."""
    scratch.window_counts[:] = 0
    total = 0
    for t in range(start, stop):
        for i in scratch.inputs[t, : scratch.spikes_in_step[t]]:
            scratch.window_counts[i] += 1
            total += 1
    return total


@njit
def learn_window(start, stop, spikes, weights, rate, constants, scratch):
    """Change weights at the end of a window with so many output spikes; return how many were changed."""
    if constants.rule == PAIR or constants.rule == POSTONLY:
        return 0
    if spikes == 0:
        if constants.rule == NORMALISED:
            return 0
        return depress_all(weights, scratch.pre_traces, constants.depression_rate)
    real = weights.dtype.type
    winner = np.argmax(scratch.spike_counts)
    factor = potentiation_factor(scratch.spike_counts[winner], constants.spike_threshold)
    if constants.rule == TIMESTEP:
        potentiate(weights, winner, scratch.pre_traces, real(factor) * rate)
        return weights.shape[0]
    if count_window_inputs(start, stop, scratch) == 0:
        return 0
    rate = min(real(1.0), real(factor) * rate)
    move_towards_input(weights, winner, scratch.window_counts, constants.weight_norm, rate)
    return weights.shape[0]


@njit
def end_presentation(output_spikes, weights, theta, theta_step, constants, scratch, activity):
    """What changes once per presentation: silent networks wake up, theta and weights decay, normalisation."""
    if constants.adaptation == BALANCED and output_spikes == 0:
        lower_thresholds(theta, theta_step)
        activity[THRESHOLD_UPDATES] += theta.size
    if constants.adaptation == DECAYING:
        decay_all(theta, constants.theta_kept)
        activity[THRESHOLD_UPDATES] += theta.size
    if constants.weight_kept < 1:
        decay_all(weights, constants.weight_kept)
        activity[NORMALISATIONS] += weights.size
    if constants.normalisation != NO_NORMALISATION:
        normalise(weights, constants.normalisation, constants.normalisation_goal, scratch.scales)
        activity[NORMALISATIONS] += weights.size


@njit
def learn_batch(images, seed_purpose_first, weights, theta, schedule, constants, spike_counts, activity):
    """Present images one after the other with learning on; `weights` and `theta` change in place.

    `images` (n, n_inputs); `schedule` (2, n): learning rate and threshold step of each presentation;
    `spike_counts` (n, n_neurons) and `activity` (11,) are written.
    """
    n_inputs, n_neurons = weights.shape
    scratch = make_scratch(n_inputs, constants.steps, 0, np.zeros(n_neurons, dtype=weights.dtype))
    carried = np.zeros(4, dtype=np.int64)
    seed, purpose, first = seed_purpose_first
    for m in range(images.shape[0]):
        rate, theta_step = schedule[0, m], schedule[1, m]
        key = stream_key(seed, purpose, first + np.uint64(m))
        input_spikes = begin(images[m], key, theta, carried, constants, scratch)
        output_spikes = 0
        for start in range(0, constants.steps, constants.window_steps):
            stop = min(start + constants.window_steps, constants.steps)
            spikes = run_window(
                start, stop, carried, weights, theta, rate, theta_step, True, constants, scratch, activity
            )
            output_spikes += spikes
            changed = learn_window(start, stop, spikes, weights, rate, constants, scratch)
            activity[WINDOWS] += 1
            activity[WEIGHT_READS] += changed
            activity[WEIGHT_WRITES] += changed
            if spikes > 0 and constants.adaptation == BALANCED:
                shift_thresholds(theta, np.argmax(scratch.spike_counts), theta_step)
                set_thresholds(scratch.thresholds, constants.firing_threshold, theta)
                activity[THRESHOLD_UPDATES] += n_neurons
        end_presentation(output_spikes, weights, theta, theta_step, constants, scratch, activity)
        spike_counts[m] = scratch.spike_counts
        count_presentation(activity, n_neurons, constants.steps, input_spikes, output_spikes, constants)


@njit
def respond_batch(images, seed_purpose_first, weights, theta, constants, spike_counts, spike_order, activity):
    """Present images with learning off.

    Writes `spike_counts` (n, n_neurons), `spike_order` (n, k; neurons in the order of their spikes, -1 where
    there were fewer than k) and `activity` (11,).
    """
    n_inputs, n_neurons = weights.shape
    scratch = make_scratch(
        n_inputs, constants.steps, spike_order.shape[1], np.zeros(n_neurons, dtype=weights.dtype)
    )
    carried = np.zeros(4, dtype=np.int64)
    seed, purpose, first = seed_purpose_first
    zero = weights.dtype.type(0.0)
    for m in range(images.shape[0]):
        key = stream_key(seed, purpose, first + np.uint64(m))
        input_spikes = begin(images[m], key, theta, carried, constants, scratch)
        output_spikes = run_window(
            0, constants.steps, carried, weights, theta, zero, zero, False, constants, scratch, activity
        )
        spike_counts[m] = scratch.spike_counts
        spike_order[m] = scratch.spike_order
        count_presentation(activity, n_neurons, constants.steps, input_spikes, output_spikes, constants)
