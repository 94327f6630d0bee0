"""Slow, obvious twin of the integer engine, in Python's whole numbers: what `fspinn.quant.integers` says."""

from collections import Counter

import naive
import numpy as np

from fspinn.trained import Activity

MASK = 2**32 - 1


def nearest(value):
    """Python rounds to nearest, ties to even."""
    return round(value)


class Numbers:
    """The whole numbers that a network and its formats mean."""

    def __init__(self, network, formats):
        state = formats.state
        self.low, self.high = state.lowest_integer, state.highest_integer
        self.step = 2**state.fraction_bits
        self.shift = state.fraction_bits - formats.weights.fraction_bits
        self.leak = nearest(65536 * (1 - np.exp(-network.dt_ms / network.tau_m_ms)))
        self.threshold = nearest(network.firing_threshold * self.step)
        self.toll = self.toll_part = 0
        if network.inhibition_of == "threshold":
            self.toll = nearest(network.inhibition * network.firing_threshold * self.step)
        else:
            self.toll_part = nearest(network.inhibition * 65536)
        self.floor = None
        if network.inhibition_floor is not None:
            self.floor = nearest(network.inhibition_floor * network.firing_threshold * self.step)
            self.floor = min(max(self.floor, self.low), self.high)


class Presentation:
    """One image from rest, one method for each group of phases that `fspinn.model` numbers."""

    def __init__(self, network, numbers, weights, thresholds, heard):
        self.network, self.numbers, self.weights, self.heard = network, numbers, weights, heard
        self.thresholds = thresholds
        self.n = len(thresholds)
        self.v = [0] * self.n
        self.last_spike = [-(10**9)] * self.n
        self.last_partner_spike = [-(10**9)] * self.n
        self.toll_due = None
        self.spikes = []
        self.saturations, self.lowest = 0, 0
        self.counted = Counter(samples=1, steps=network.steps)

    def cut(self, value):
        within = min(max(value, self.numbers.low), self.numbers.high)
        self.saturations += within != value
        return within

    def set(self, j, value):
        self.v[j] = value
        self.lowest = min(self.lowest, value)

    def scaled(self, total):
        shift = self.numbers.shift
        return total << shift if shift >= 0 else total >> -shift

    def take_toll(self, spared):
        numbers = self.numbers
        for j in range(self.n):
            if j == spared:
                continue
            v = self.v[j]
            left = v - (numbers.toll + ((v * numbers.toll_part) >> 16))
            if numbers.floor is not None:
                left = max(left, min(v, numbers.floor))
            self.set(j, self.cut(left))

    def step(self, t, inputs):
        network, numbers = self.network, self.numbers
        inputs = [i for i in inputs if self.heard[i]]
        awake = range(self.n)
        if network.inhibition_kind == "clamp" and self.spikes:
            step, last = self.spikes[-1]
            if t - step <= network.inhibition_steps:
                awake = [last]
        for j in awake:
            self.v[j] -= (self.v[j] * numbers.leak) >> 16
        if self.toll_due is not None:
            self.take_toll(self.toll_due)
            self.toll_due = None
        for j in awake:
            total = sum(int(self.weights[i][j]) for i in inputs)
            self.set(j, self.cut(self.v[j] + self.scaled(total)))
        added = len(inputs) * len(awake)
        populations = 2 if network.inhibition_kind == "layer" else 1
        self.counted.update(
            input_spikes=len(inputs),
            synaptic_additions=added,
            weight_reads=added,
            neuron_updates=populations * self.n,
        )

    def spike(self, t):
        """Returns who spikes, or None."""
        network = self.network
        above = [v - threshold for v, threshold in zip(self.v, self.thresholds, strict=True)]
        ready = [
            j for j in range(self.n) if t - self.last_spike[j] > network.refractory_steps and above[j] >= 0
        ]
        winner = max(ready, key=lambda j: above[j], default=None)
        if winner is None:
            return None
        self.spikes.append((t, winner))
        self.counted.update(output_spikes=1)
        self.last_spike[winner] = t
        self.v[winner] = 0
        if network.inhibition_kind == "lateral":
            self.take_toll(winner)
        elif network.inhibition_kind == "clamp":
            self.v = [0] * self.n
        elif t + 1 - self.last_partner_spike[winner] > network.inhibition_steps:
            self.last_partner_spike[winner] = t + 1
            self.toll_due = winner
        return winner

    def activity(self):
        return Activity(**{name: int(count) for name, count in self.counted.items()})


def respond(network, integers, formats, theta, images, seed, first):
    """Twin of `integer_engine.respond`: counts, activity, lowest potential, saturations."""
    network = network.answering
    numbers = Numbers(network, formats)
    shift = formats.state.fraction_bits - formats.theta.fraction_bits
    thresholds = [numbers.threshold + (int(offset) << shift) for offset in theta]
    counts, activity, lowest, saturations = [], Activity(), 0, 0
    for m, image in enumerate(images):
        shown = Presentation(network, numbers, integers.weights, thresholds, integers.heard)
        for t, inputs in enumerate(naive.input_spikes(network, image, naive.stream_key(seed, 2, first + m))):
            shown.step(t, inputs)
            shown.spike(t)
        counts.append(naive.count_spikes(shown.spikes, shown.n))
        activity += shown.activity()
        lowest, saturations = min(lowest, shown.lowest), saturations + shown.saturations
    return np.array(counts), activity, lowest, saturations
