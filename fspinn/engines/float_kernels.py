"""Kernels of the floating-point engine: one time step, one presentation, one batch.

The order of events is the one that `fspinn.model` states.
"""

from collections import namedtuple

import numpy as np

from fspinn.jit import njit
from fspinn.plasticity_kernels import (
    lower_thresholds,
    move_towards_input,
    potentiation_factor,
    shift_thresholds,
)
from fspinn.spike_kernels import poisson, spike_probabilities, stream_key

Constants = namedtuple(
    "Constants",
    "steps window_steps refractory_steps leak firing_threshold loss "
    "weight_norm rate_norm_per_step spike_threshold",
)
"""Numbers that do not change during a run; `loss` is what a spike takes from every other potential."""

Scratch = namedtuple(
    "Scratch", "probabilities spikes_in_step inputs window_counts potentials thresholds ready_at spike_counts"
)
"""Working memory of one thread, made once per batch."""

# Slots of the array of counts, in the order of `fspinn.model.Activity`.
SAMPLES, STEPS, INPUT_SPIKES, OUTPUT_SPIKES, ADDITIONS, NEURON_UPDATES = range(6)
WEIGHT_READS, WEIGHT_WRITES, THRESHOLD_UPDATES, WINDOWS, NORMALISATIONS = range(6, 11)


@njit
def make_scratch(n_inputs, steps, potentials):
    """Allocate the working memory around an array of potentials, whose type is the engine's."""
    return Scratch(
        np.zeros(n_inputs, dtype=np.uint32),
        np.zeros(steps, dtype=np.int64),
        np.zeros((steps, n_inputs), dtype=np.int32),
        np.zeros(n_inputs, dtype=np.int32),
        potentials,
        np.zeros_like(potentials),
        np.zeros(potentials.size, dtype=np.int64),
        np.zeros(potentials.size, dtype=np.int32),
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
def reset_and_inhibit(potentials, winner, loss):
    """Reset the neuron that spiked to 0, take `loss` from all others."""
    for j in range(potentials.size):
        potentials[j] -= loss
    potentials[winner] = 0


@njit
def run_window(start, stop, weights, constants, scratch):
    """Run the time steps from `start` to `stop`; return the number of output spikes."""
    output_spikes = 0
    for t in range(start, stop):
        events = scratch.inputs[t, : scratch.spikes_in_step[t]]
        integrate(scratch.potentials, weights, events, constants.leak)
        winner = find_spike(scratch.potentials, scratch.thresholds, scratch.ready_at, t)
        if winner >= 0:
            reset_and_inhibit(scratch.potentials, winner, constants.loss)
            scratch.ready_at[winner] = t + 1 + constants.refractory_steps
            scratch.spike_counts[winner] += 1
            output_spikes += 1
    return output_spikes


@njit
def begin(image, key, theta, constants, scratch):
    """Encode an image and set the state to rest; return the number of input spikes."""
    spike_probabilities(image, constants.rate_norm_per_step, scratch.probabilities)
    set_thresholds(scratch.thresholds, constants.firing_threshold, theta)
    scratch.potentials[:] = 0
    scratch.ready_at[:] = 0
    scratch.spike_counts[:] = 0
    return poisson(scratch.probabilities, key, constants.steps, scratch.spikes_in_step, scratch.inputs)


@njit
def count_presentation(activity, n_neurons, steps, input_spikes, output_spikes):
    """Add what every presentation does to the counts."""
    activity[SAMPLES] += 1
    activity[STEPS] += steps
    activity[INPUT_SPIKES] += input_spikes
    activity[OUTPUT_SPIKES] += output_spikes
    activity[ADDITIONS] += input_spikes * n_neurons
    activity[WEIGHT_READS] += input_spikes * n_neurons
    activity[NEURON_UPDATES] += steps * n_neurons


@njit
def learn_window(start, stop, weights, theta, rate, theta_step, constants, scratch):
    """Change the winner's weights and all thresholds at the end of a window; return the weights changed."""
    winner = np.argmax(scratch.spike_counts)
    factor = potentiation_factor(scratch.spike_counts[winner], constants.spike_threshold)
    shift_thresholds(theta, winner, theta_step)
    set_thresholds(scratch.thresholds, constants.firing_threshold, theta)
    input_spikes = 0
    scratch.window_counts[:] = 0
    for t in range(start, stop):
        for i in scratch.inputs[t, : scratch.spikes_in_step[t]]:
            scratch.window_counts[i] += 1
            input_spikes += 1
    if input_spikes == 0:
        return 0
    real = weights.dtype.type
    rate = min(real(1.0), real(factor) * rate)
    move_towards_input(weights, winner, scratch.window_counts, constants.weight_norm, rate)
    return weights.shape[0]


@njit
def learn_batch(images, seed_purpose_first, weights, theta, schedule, constants, spike_counts, activity):
    """Present images one after the other with learning on; `weights` and `theta` change in place.

    `images` (n, n_inputs); `schedule` (2, n): learning rate and threshold step of each presentation;
    `spike_counts` (n, n_neurons) and `activity` (11,) are written.
    """
    n_inputs, n_neurons = weights.shape
    scratch = make_scratch(n_inputs, constants.steps, np.zeros(n_neurons, dtype=weights.dtype))
    seed, purpose, first = seed_purpose_first
    for m in range(images.shape[0]):
        rate, theta_step = schedule[0, m], schedule[1, m]
        input_spikes = begin(
            images[m], stream_key(seed, purpose, first + np.uint64(m)), theta, constants, scratch
        )
        output_spikes = 0
        for start in range(0, constants.steps, constants.window_steps):
            stop = min(start + constants.window_steps, constants.steps)
            spikes = run_window(start, stop, weights, constants, scratch)
            activity[WINDOWS] += 1
            if spikes > 0:
                changed = learn_window(start, stop, weights, theta, rate, theta_step, constants, scratch)
                activity[WEIGHT_READS] += changed
                activity[WEIGHT_WRITES] += changed
                activity[THRESHOLD_UPDATES] += n_neurons
            output_spikes += spikes
        if output_spikes == 0:
            lower_thresholds(theta, theta_step)
            activity[THRESHOLD_UPDATES] += n_neurons
        spike_counts[m] = scratch.spike_counts
        count_presentation(activity, n_neurons, constants.steps, input_spikes, output_spikes)


@njit
def respond_batch(images, seed_purpose_first, weights, theta, constants, spike_counts, activity):
    """Present images with learning off; writes `spike_counts` (n, n_neurons) and `activity` (11,)."""
    n_inputs, n_neurons = weights.shape
    scratch = make_scratch(n_inputs, constants.steps, np.zeros(n_neurons, dtype=weights.dtype))
    seed, purpose, first = seed_purpose_first
    for m in range(images.shape[0]):
        input_spikes = begin(
            images[m], stream_key(seed, purpose, first + np.uint64(m)), theta, constants, scratch
        )
        output_spikes = run_window(0, constants.steps, weights, constants, scratch)
        spike_counts[m] = scratch.spike_counts
        count_presentation(activity, n_neurons, constants.steps, input_spikes, output_spikes)
