"""Slow, obvious twins of the compiled kernels, written from the documentation and not from the kernels.

One function per sentence of `fspinn.network`, in single precision and in the documented order, so that
results can be compared for equality; input is in `naive_input`, learning in `naive_learning`. Parts are
looked up by name at every call: `break_part` replaces one of them, to see whether a comparison would notice.
"""

import sys
from collections import Counter

import naive_input
import naive_learning
import numpy as np
from naive_input import drawn_positions, encoded, features_of, input_spikes, is_seen, looks, see, stream_key
from naive_learning import (
    annealed,
    decay_thresholds,
    decay_traces,
    depress_input,
    depress_window,
    fall_after_silence,
    fall_to_target,
    lower_thresholds,
    move_towards_input,
    potentiate,
    potentiation_factor,
    power_law,
    raise_threshold,
    raise_trace,
    shift_thresholds,
    tidy_weights,
)

from fspinn.model.activity import Activity


def break_part(monkeypatch, name, broken):
    """Replace a part of the twins, wherever it is looked up."""
    for module in (naive_input, naive_learning, sys.modules[__name__]):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, broken)


# --- neurons ----------------------------------------------------------------------------------------


def integrate(potentials, weights, inputs, leak):
    """Leak, then input: one row of weights for each spike, in the order of the inputs."""
    potentials *= leak
    for i in inputs:
        potentials += weights[i]


def find_spike(potentials, thresholds, may_spike):
    """Of the neurons that may spike and have reached their threshold the furthest above it, or None."""
    above = potentials - thresholds
    candidates = [j for j in range(potentials.size) if may_spike[j] and above[j] >= 0]
    return max(candidates, key=lambda j: above[j], default=None)  # among equals the first


def find_reached(potentials, thresholds, may_spike):
    """All neurons that may spike and have reached their threshold, in their order."""
    return [j for j in range(potentials.size) if may_spike[j] and potentials[j] >= thresholds[j]]


def find_best(potentials, thresholds, may_spike):
    """Of the neurons that may spike the one that is furthest above its threshold, or least below, or None."""
    above = potentials - thresholds
    return max((j for j in range(potentials.size) if may_spike[j]), key=lambda j: above[j], default=None)


def is_answer(network, t):
    """Whether the input is over in step t, so that neurons answer by rank."""
    return t >= network.steps


def after_spike(network, potential, threshold):
    """The potential of a neuron that has spiked."""
    if network.inhibition == "none":
        return potential - threshold
    if network.inhibition == "ranked":
        return potential - np.float32(network.answer_drop * network.weight_norm)
    return np.float32(0)


def is_refractory(network, steps_since_spike):
    return 0 < steps_since_spike <= network.refractory_steps


def drop(network, potential):
    """What inhibition would take from one potential."""
    if network.inhibition_of == "potential":
        return np.float32(network.inhibition_strength) * potential
    return np.float32(network.inhibition_strength * network.firing_threshold)


def inhibit_others(network, potentials, exempt):
    """What inhibition takes from all neurons but one."""
    for j in range(potentials.size):
        if j != exempt:
            potentials[j] -= drop(network, potentials[j])


def is_clamped(network, steps_since_spike):
    """Whether the others are still held at 0, so many steps after the last spike."""
    return steps_since_spike <= network.inhibition_steps


def drop_is_due(network, t):
    """When the partner of a neuron that spiked in step t inhibits the others."""
    return t + 1


def partner_is_ready(network, steps_since_its_spike):
    return steps_since_its_spike > network.inhibition_steps


# --- one presentation -------------------------------------------------------------------------------


class Presentation:
    """One image from rest, one method for each group of phases that `fspinn.network` numbers."""

    def __init__(self, network, weights, theta, learning, earlier_spikes=0):
        self.network, self.weights, self.theta = network, weights, theta
        self.learning, self.earlier_spikes = learning is not None, earlier_spikes
        self.rate, self.theta_step = learning or (None, None)
        n_inputs, n_neurons = weights.shape
        self.potentials = np.zeros(n_neurons, dtype=np.float32)
        self.pre_traces = np.zeros(n_inputs, dtype=np.float32)
        self.post_traces = np.zeros(n_neurons, dtype=np.float32)
        self.last_spike = np.full(n_neurons, -(10**9))
        self.last_partner_spike = np.full(n_neurons, -(10**9))
        self.drops = {}  # step: whose partner spikes in it
        self.spikes = []  # (step, neuron)
        self.spikes_before_window = 0
        self.window = np.zeros(n_inputs, dtype=np.int64)
        self.counted = Counter(positions=1)

    def count(self, **counts):
        self.counted.update(counts)

    def leak_and_input(self, t, inputs):
        """Phases 1 to 3."""
        network, n_neurons = self.network, self.potentials.size
        leak = np.float32(1 if network.tau_m_ms is None else np.exp(-network.dt_ms / network.tau_m_ms))
        decay_traces(self.pre_traces, np.float32(np.exp(-network.dt_ms / network.trace_tau_ms)))
        decay_traces(self.post_traces, np.float32(np.exp(-network.dt_ms / network.trace_tau_ms)))
        integrating = slice(None)
        if network.inhibition == "clamp" and self.spikes and is_clamped(network, t - self.spikes[-1][0]):
            last = self.spikes[-1][1]
            integrating = slice(last, last + 1)
        if t in self.drops:
            self.potentials *= leak
            leak = np.float32(1)
            inhibit_others(network, self.potentials, self.drops[t])
        integrate(self.potentials[integrating], self.weights[:, integrating], inputs, leak)
        if t % 16 == 15:
            self.potentials[np.abs(self.potentials) < np.float32(1e-20)] = 0
        added = len(inputs) * self.potentials[integrating].size
        self.count(steps=1, active_steps=len(inputs) > 0, input_spikes=len(inputs), synaptic_additions=added)
        self.count(**{"rows_read" if integrating == slice(None) else "weights_read": len(inputs)})
        # In the layer each neuron has an inhibitory partner, which is a neuron too.
        self.count(neuron_updates=(2 if network.inhibition == "layer" else 1) * n_neurons)
        for i in inputs:
            self.window[i] += 1
            raise_trace(self.pre_traces, i)
            if self.learning and network.rule == "pair":
                depress_input(self.weights, i, network.depression_rate, self.post_traces)
                self.count(rows_written=1)

    def spike(self, t):
        """Phases 4 to 6."""
        network = self.network
        thresholds = np.float32(network.firing_threshold) + self.theta
        may_spike = t - self.last_spike > network.refractory_steps
        if network.inhibition == "none":
            for winner in find_reached(self.potentials, thresholds, may_spike):
                self.reset(t, winner, thresholds[winner])
            return
        if network.inhibition != "ranked":
            winner = find_spike(self.potentials, thresholds, may_spike)
        elif is_answer(network, t) and self.counted["input_spikes"] > 0:
            winner = find_best(self.potentials, thresholds, may_spike)
        else:
            winner = None
        if winner is not None:
            self.reset(t, winner, thresholds[winner])
            if self.learning:
                self.post(winner)

    def reset(self, t, winner, threshold):
        """Phase 5."""
        network = self.network
        self.spikes.append((t, winner))
        self.count(output_spikes=1)
        self.last_spike[winner] = t
        self.potentials[winner] = after_spike(network, self.potentials[winner], threshold)
        if network.inhibition == "lateral":
            inhibit_others(network, self.potentials, winner)
        elif network.inhibition == "clamp":
            self.potentials[np.arange(self.potentials.size) != winner] = 0
        elif network.inhibition == "layer" and partner_is_ready(
            network, t + 1 - self.last_partner_spike[winner]
        ):
            self.last_partner_spike[winner] = t + 1
            if drop_is_due(network, t) == t:
                inhibit_others(network, self.potentials, winner)
            else:
                self.drops[drop_is_due(network, t)] = winner

    def post(self, winner):
        network = self.network
        if network.rule == "pair":
            potentiate(self.weights, winner, self.pre_traces, self.rate)
        if network.rule == "postonly":
            power_law(
                self.weights,
                winner,
                self.pre_traces,
                self.rate,
                network.target_trace,
            )
        if network.rule in ("pair", "postonly"):
            self.count(columns_written=1)
        raise_trace(self.post_traces, winner)
        if network.adaptation in ("decaying", "homeostatic"):
            raise_threshold(self.theta, winner, self.theta_step)
            self.count(thresholds_written=1)

    def end_window(self):
        """Phase 7."""
        network, n_neurons = self.network, self.theta.size
        self.count(windows=1)
        if len(self.spikes) > self.spikes_before_window:
            spikes = count_spikes(self.spikes, n_neurons)
            winner = spikes.argmax()
            rate = np.float32(potentiation_factor(spikes[winner], network.spike_threshold)) * self.rate
            if network.rule == "normalised":
                norm, rate = np.float32(network.weight_norm), min(np.float32(1), rate)
                moved = move_towards_input(self.weights, winner, self.window, norm, rate)
                self.count(columns_written=moved)
            if network.rule == "timestep":
                potentiate(self.weights, winner, self.pre_traces, rate)
                self.count(columns_written=1)
            if network.adaptation == "balanced":
                shift_thresholds(network, self.theta, winner, self.theta_step)
                self.count(threshold_passes=1)
        elif network.rule == "timestep":
            depress_window(self.weights, self.pre_traces, network.depression_rate)
            self.count(rows_written=np.count_nonzero(self.pre_traces))
        self.window[:] = 0
        self.spikes_before_window = len(self.spikes)

    def end(self):
        network = self.network
        if network.adaptation == "balanced" and not self.spikes:
            has_input = self.counted["input_spikes"] > 0
            fall = fall_after_silence(
                network, self.earlier_spikes, has_input, self.potentials, self.theta_step
            )
            if fall > 0:
                lower_thresholds(network, self.theta, fall)
                self.count(threshold_passes=1)
        if network.adaptation == "decaying":
            decay_thresholds(network, self.theta)
            self.count(threshold_passes=1)
        if network.adaptation == "homeostatic" and self.counted["input_spikes"] > 0:
            fall_to_target(network, self.theta, self.theta_step)
            self.count(threshold_passes=1)
        decays, normalisations = tidy_weights(network, self.weights)
        self.count(decays=decays, normalisations=normalisations)


def present(network, weights, theta, per_step, learning=None, earlier_spikes=0):
    """Show what a position sees; with `learning = (rate, theta_step)` weights and theta change in place.

    `per_step`: the inputs that spike in each step; `earlier_spikes`: output spikes in earlier presentations.

    Returns
    -------
    spikes : list of (step, neuron)
    activity : Activity
    """
    shown = Presentation(network, weights, theta, learning, earlier_spikes)
    steps = network.steps + answer_steps(network, shown.learning)
    for t in range(steps):
        shown.leak_and_input(t, per_step[t] if t < network.steps else [])
        shown.spike(t)
        ended = ends_early(network, shown.spikes)
        window_ends = (t + 1) % network.window_steps == 0 and t + 1 < network.steps
        if shown.learning and (window_ends or t + 1 == steps or ended):
            shown.end_window()
        if ended:
            break
    if shown.learning:
        shown.end()
    return shown.spikes, Activity(**{name: int(count) for name, count in shown.counted.items()})


def answer_steps(network, learning):
    """By how many time steps a presentation is longer than its input."""
    if network.inhibition != "ranked":
        return 0
    return 1 if learning else network.answer_steps


def count_spikes(spikes, n_neurons):
    return np.bincount([neuron for _, neuron in spikes], minlength=n_neurons)


def ends_early(network, spikes):
    """Whether the first spike has ended the presentation."""
    return network.inhibition == "first" and len(spikes) > 0


def schedule(network, number, total):
    """Learning rate and threshold step of a sample."""
    rate = annealed(network.learning_rate, network.learning_rate_end, number, total)
    step = annealed(network.theta_step, network.theta_step_end, number, total)
    return np.float32(rate), np.float32(step) * np.float32(network.weight_norm)


def learn(network, weights, theta, images, seed, first, total, earlier_spikes=0):
    """Twin of the fast backend, learning, in floats."""
    shown = [input_spikes(network, image, stream_key(seed, 1, first + m)) for m, image in enumerate(images)]
    shape = encoded(network, images[0]).shape
    return learn_from(network, weights, theta, shown, shape, seed, first, total, earlier_spikes)


def learn_from(network, weights, theta, shown, shape, seed, first, total, earlier_spikes=0):
    """The same of input spikes, for each sample those of each step; `shape` is that of the input."""
    counts, activity, positions = [], Activity(samples=len(shown)), looks(network, shape)
    for m, per_step in enumerate(shown):
        spiked = []
        for position in drawn_positions(network, len(positions), seed, first + m):
            cell, inputs = positions[position]
            seen = see(per_step, inputs)
            if not is_seen(network, seen):
                continue
            learning = schedule(network, first + m, total)
            spikes, counted = present(network, weights, theta, seen, learning, earlier_spikes)
            earlier_spikes += len(spikes)
            spiked.append((cell, spikes))
            activity += counted
        counts.append(features_of(network, spiked)[0])
    return np.array(counts), activity


def respond(network, weights, theta, images, seed, first):
    """Twin of the fast backend, answering, in floats."""
    counts, _, activity = answer(network, weights, theta, images, seed, first)
    return counts, activity


def answer(network, weights, theta, images, seed, first):
    """The same with the step of the first spike of each feature."""
    shown = [input_spikes(network, image, stream_key(seed, 2, first + m)) for m, image in enumerate(images)]
    return respond_to(network, weights, theta, shown, encoded(network, images[0]).shape)


def respond_to(network, weights, theta, shown, shape):
    """The same of input spikes, for each sample those of each step; `shape` is that of the input."""
    spiked, activity = spikes_to(network, weights, theta, shown, shape)
    counts, first_steps = zip(*(features_of(network, one) for one in spiked), strict=True)
    return np.array(counts), np.array(first_steps), activity


def spikes_to(network, weights, theta, shown, shape):
    """For each sample, position by position, the cell and its output spikes; and what was counted."""
    network, samples, activity = network.answering, [], Activity(samples=len(shown))
    for per_step in shown:
        spiked = []
        for cell, inputs in looks(network, shape):
            spikes, counted = present(network, weights, theta, see(per_step, inputs))
            spiked.append((cell, spikes))
            activity += counted
        samples.append(spiked)
    return samples, activity


# --- readout ----------------------------------------------------------------------------------------


def readout_table(name, spike_counts, labels, n_classes):
    """What a spike of each neuron says for each class."""
    n_neurons = spike_counts.shape[1]
    means = np.zeros((n_neurons, n_classes))
    for c in range(n_classes):
        if (labels == c).any():
            means[:, c] = spike_counts[labels == c].mean(axis=0)
    table = np.zeros((n_neurons, n_classes))
    speakers = [j for j in range(n_neurons) if spike_counts[:, j].any()]
    for j in speakers:
        if name == "proportion":
            table[j] = means[j] / means[j].sum()
        else:
            c = means[j].argmax()
            table[j, c] = 1 / sum(means[k].argmax() == c for k in speakers)
    return table
