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
    "Scratch", "probabilities trains counts offsets inputs window_counts potentials ready_at spike_counts"
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
        np.zeros((n_inputs, (steps + 63) // 64), dtype=np.uint64),
        np.zeros(n_inputs, dtype=np.int32),
        np.zeros(steps + 1, dtype=np.int64),
        np.zeros(n_inputs * steps, dtype=np.int32),
        np.zeros(n_inputs, dtype=np.int32),
        potentials,
        np.zeros(potentials.size, dtype=np.int64),
        np.zeros(potentials.size, dtype=np.int32),
    )


@njit
def integrate(potentials, weights, inputs, leak):
    """Leak and input: ``v = leak * v + sum of the rows of the inputs that spike``."""
    for j in range(potentials.size):
        potentials[j] *= leak
    for i in inputs:
        row = weights[i]
        for j in range(potentials.size):
            potentials[j] += row[j]


@njit
def find_spike(potentials, theta, firing_threshold, ready_at, t):
    """Return the neuron furthest above its threshold, the first among equals, or -1 if there is none."""
    reached = 0
    for j in range(potentials.size):
        reached += potentials[j] >= firing_threshold + theta[j]
    if reached == 0:
        return -1
    winner = -1
    best = potentials[0]
    for j in range(potentials.size):
        excess = potentials[j] - (firing_threshold + theta[j])
        if excess >= 0 and ready_at[j] <= t and (winner < 0 or excess > best):
            winner = j
            best = excess
    return winner


@njit
def reset_and_inhibit(potentials, winner, loss):
    """Reset the neuron that spiked to 0, take `loss` from all others."""
    for j in range(potentials.size):
        potentials[j] -= loss
    potentials[winner] = 0


@njit
def run_window(start, stop, weights, theta, constants, scratch):
    """Run the time steps from `start` to `stop`; return the number of output spikes."""
    output_spikes = 0
    for t in range(start, stop):
        events = scratch.inputs[scratch.offsets[t] : scratch.offsets[t + 1]]
        integrate(scratch.potentials, weights, events, constants.leak)
        winner = find_spike(scratch.potentials, theta, constants.firing_threshold, scratch.ready_at, t)
        if winner >= 0:
            reset_and_inhibit(scratch.potentials, winner, constants.loss)
            scratch.ready_at[winner] = t + 1 + constants.refractory_steps
            scratch.spike_counts[winner] += 1
            output_spikes += 1
    return output_spikes


@njit
def begin(image, key, constants, scratch):
    """Encode an image and set the state to rest; return the number of input spikes."""
    spike_probabilities(image, constants.rate_norm_per_step, scratch.probabilities)
    scratch.potentials[:] = 0
    scratch.ready_at[:] = 0
    scratch.spike_counts[:] = 0
    return poisson(
        scratch.probabilities,
        key,
        constants.steps,
        scratch.trains,
        scratch.counts,
        scratch.offsets,
        scratch.inputs,
    )


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
    """Change the winner's weights and all thresholds at the end of a window."""
    winner = np.argmax(scratch.spike_counts)
    factor = potentiation_factor(scratch.spike_counts[winner], constants.spike_threshold)
    scratch.window_counts[:] = 0
    for e in range(scratch.offsets[start], scratch.offsets[stop]):
        scratch.window_counts[scratch.inputs[e]] += 1
    one = weights.dtype.type(1.0)
    move_towards_input(weights, winner, scratch.window_counts, constants.weight_norm, min(one, factor * rate))
    shift_thresholds(theta, winner, theta_step)


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
        input_spikes = begin(images[m], stream_key(seed, purpose, first + m), constants, scratch)
        output_spikes = 0
        for start in range(0, constants.steps, constants.window_steps):
            stop = min(start + constants.window_steps, constants.steps)
            spikes = run_window(start, stop, weights, theta, constants, scratch)
            activity[WINDOWS] += 1
            if spikes > 0:
                learn_window(start, stop, weights, theta, rate, theta_step, constants, scratch)
                activity[WEIGHT_READS] += n_inputs
                activity[WEIGHT_WRITES] += n_inputs
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
        input_spikes = begin(images[m], stream_key(seed, purpose, first + m), constants, scratch)
        output_spikes = run_window(0, constants.steps, weights, theta, constants, scratch)
        spike_counts[m] = scratch.spike_counts
        count_presentation(activity, n_neurons, constants.steps, input_spikes, output_spikes)
