"""Slow, obvious twin of the integer engine, in Python's whole numbers: what `lowering.integers` says."""

from collections import Counter
from math import isqrt

import naive
import naive_input
import numpy as np

from fspinn.model.activity import Activity


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
        self.leak = (
            0
            if network.tau_m_ms is None
            else nearest(65536 * (1 - np.exp(-network.dt_ms / network.tau_m_ms)))
        )
        self.threshold = nearest(network.firing_threshold * self.step)
        self.drop = self.drop_part = 0
        self.answer_drop = nearest(network.answer_drop * network.weight_norm * self.step)
        if network.inhibition_of == "threshold":
            self.drop = nearest(network.inhibition_strength * network.firing_threshold * self.step)
        else:
            self.drop_part = nearest(network.inhibition_strength * 65536)


class Presentation:
    """One image from rest, one method for each group of phases that `fspinn.network` numbers."""

    def __init__(self, network, numbers, weights, thresholds, used):
        self.network, self.numbers, self.weights, self.used = network, numbers, weights, used
        self.thresholds = thresholds
        self.n = len(thresholds)
        self.v = [0] * self.n
        self.last_spike = [-(10**9)] * self.n
        self.last_partner_spike = [-(10**9)] * self.n
        self.drop_due = None
        self.spikes = []
        self.saturations, self.lowest = 0, 0
        self.counted = Counter(positions=1)

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

    def inhibit_others(self, exempt):
        numbers = self.numbers
        for j in range(self.n):
            if j == exempt:
                continue
            v = self.v[j]
            left = v - (numbers.drop + ((v * numbers.drop_part) >> 16))
            self.set(j, self.cut(left))

    def step(self, t, inputs):
        network, numbers = self.network, self.numbers
        inputs = [i for i in inputs if self.used[i]]
        awake, clamped = range(self.n), False
        if network.inhibition == "clamp" and self.spikes:
            step, last = self.spikes[-1]
            if t - step <= network.inhibition_steps:
                awake, clamped = [last], True
        for j in awake:
            self.v[j] -= (self.v[j] * numbers.leak) >> 16
        if self.drop_due is not None:
            self.inhibit_others(self.drop_due)
            self.drop_due = None
        for j in awake:
            total = sum(int(self.weights[i][j]) for i in inputs)
            self.set(j, self.cut(self.v[j] + self.scaled(total)))
        added = len(inputs) * len(awake)
        populations = 2 if network.inhibition == "layer" else 1
        self.counted.update(
            steps=1,
            active_steps=len(inputs) > 0,
            input_spikes=len(inputs),
            synaptic_additions=added,
            **{"weights_read" if clamped else "rows_read": len(inputs)},
            neuron_updates=populations * self.n,
        )

    def spike(self, t):
        """Returns who spikes, or None."""
        network = self.network
        above = [v - threshold for v, threshold in zip(self.v, self.thresholds, strict=True)]
        ready = [j for j in range(self.n) if t - self.last_spike[j] > network.refractory_steps]
        if network.inhibition == "none":
            for j in [j for j in ready if above[j] >= 0]:
                self.note(t, j)
                self.set(j, self.cut(above[j]))
            return None
        if network.inhibition != "ranked":
            ready = [j for j in ready if above[j] >= 0]
        elif not naive.is_answer(network, t) or self.counted["input_spikes"] == 0:
            ready = []
        winner = max(ready, key=lambda j: above[j], default=None)
        if winner is None:
            return None
        self.note(t, winner)
        if network.inhibition == "ranked":
            self.set(winner, self.cut(self.v[winner] - self.numbers.answer_drop))
        else:
            self.v[winner] = 0
        if network.inhibition == "lateral":
            self.inhibit_others(winner)
        elif network.inhibition == "clamp":
            self.v = [0] * self.n
        elif (
            network.inhibition == "layer"
            and t + 1 - self.last_partner_spike[winner] > network.inhibition_steps
        ):
            self.last_partner_spike[winner] = t + 1
            self.drop_due = winner
        return winner

    def note(self, t, j):
        self.spikes.append((t, j))
        self.counted.update(output_spikes=1)
        self.last_spike[j] = t

    def activity(self):
        return Activity(**{name: int(count) for name, count in self.counted.items()})


def respond(network, layer, formats, theta, images, seed, first):
    """Twin of the fast backend, answering, in integers: counts, activity, lowest potential, saturations."""
    counts, _, *others = answer(network, layer, formats, theta, images, seed, first)
    return counts, *others


def answer(network, layer, formats, theta, images, seed, first):
    """The same, and after the counts the first step of each feature."""
    keys = [naive_input.stream_key(seed, 2, first + m) for m in range(len(images))]
    shown = [naive_input.input_spikes(network, image, key) for image, key in zip(images, keys, strict=True)]
    return respond_to(network, layer, formats, theta, shown, naive_input.encoded(network, images[0]).shape)


def respond_to(network, layer, formats, theta, shown, shape):
    """The same of input spikes, for each sample those of each step; `shape` is that of the input."""
    spiked, *others = spikes_to(network, layer, formats, theta, shown, shape)
    counts, first_steps = zip(*(naive_input.features_of(network, one) for one in spiked), strict=True)
    return np.array(counts), np.array(first_steps), *others


def spikes_to(network, layer, formats, theta, shown, shape):
    """For each sample, position by position, the cell and its output spikes; and what was counted."""
    network = network.answering
    numbers = Numbers(network, formats)
    shift = formats.state.fraction_bits - formats.theta.fraction_bits
    thresholds = [numbers.threshold + (int(offset) << shift) for offset in theta]
    samples, activity, lowest, saturations = [], Activity(samples=len(shown)), 0, 0
    for per_step in shown:
        spiked = []
        for cell, inputs in naive_input.looks(network, shape):
            one = Presentation(network, numbers, layer.weights, thresholds, layer.input_mask)
            seen = [*naive_input.see(per_step, inputs), *([[]] * naive.answer_steps(network, False))]
            for t, spiking in enumerate(seen):
                one.step(t, spiking)
                one.spike(t)
                if naive.ends_early(network, one.spikes):
                    break
            spiked.append((cell, one.spikes))
            activity += one.activity()
            lowest, saturations = min(lowest, one.lowest), saturations + one.saturations
        samples.append(spiked)
    return samples, activity, lowest, saturations


def clip(value, low, high):
    return min(max(value, low), high)


class Learning:
    """What a network keeps from one presentation to the next while it learns; integers as lists of lists."""

    def __init__(self, network, grid, weights, theta):
        self.network, self.grid = network, grid
        self.numbers = Numbers(network, grid)
        self.weights, self.theta = weights, theta
        self.w = grid.weights.fraction_bits
        state = grid.state
        self.t = 32 - state.integer_bits - (0 if state.signed else 1)
        self.finer = self.t - state.fraction_bits
        self.n_inputs, self.n = len(weights), len(theta)
        self.f = trace_fraction(network)
        self.saturations = 0

    def threshold(self, theta):
        value = self.numbers.threshold + ((theta + 2 ** (self.finer - 1)) >> self.finer)
        within = clip(value, self.numbers.low, self.numbers.high)
        self.saturations += within != value
        return within

    def thresholds(self):
        return [self.threshold(theta) for theta in self.theta]

    def lower_thetas(self, fall):
        """A 64th of the way from 0 to the threshold is left, and at least 1."""
        lowest = nearest(-63 / 64 * self.network.threshold * self.network.weight_norm * 2**self.t)
        lowest = max(lowest, (1 - self.numbers.threshold) * 2**self.finer, -(2**31))
        self.theta[:] = [max(theta - fall, lowest) for theta in self.theta]

    def shift_theta(self, j, by):
        self.theta[j] = clip(self.theta[j] + by, -(2**31), 2**31 - 1)

    def change(self, i, j, by, window, key):
        a = self.weights[i][j] * 2**32 + by
        rounding = self.grid.rounding
        if rounding == "nearest":
            whole, rest = divmod(a, 2**32)
            whole += rest > 2**31 or (rest == 2**31 and whole % 2 == 1)
        elif rounding == "stochastic":
            word = naive_input.random_word(key, (window * self.n_inputs + i) * self.n + j)
            whole = (a + word // 2**32) // 2**32
        else:
            whole = a // 2**32
        self.weights[i][j] = clip(whole, 0, self.grid.weights.highest_integer)

    def normalised(self, j, x, rate, window, key):
        q = sum(count**2 for count in x)
        if q == 0:
            return False
        root = isqrt(q << 16)
        norm = nearest(self.network.weight_norm * 2 ** (self.w + 12))
        unit = ((norm << 8) + (root >> 1)) // root
        for i in range(self.n_inputs):
            target = min(2 ** (self.w + 12), x[i] * unit)
            self.change(i, j, min(rate, 2**20) * (target - self.weights[i][j] * 2**12), window, key)
        return True


def trace_fraction(network):
    """Traces have 16 bits, and at most 12 fraction bits."""
    lost = nearest(65536 * (1 - np.exp(-network.dt_ms / network.trace_tau_ms)))
    highest = min(network.steps, 65536 // max(lost, 1) + 1)
    return min(12, 16 - highest.bit_length())


def learn(network, grid, weights, theta, images, seed, first, total, earlier_spikes=0):
    """Twin of the fast backend, learning, in integers: counts, weights, theta, activity, saturations."""
    keys = [naive_input.stream_key(seed, 1, first + m) for m in range(len(images))]
    shown = [naive_input.input_spikes(network, image, key) for image, key in zip(images, keys, strict=True)]
    shape = naive_input.encoded(network, images[0]).shape
    return learn_from(network, grid, weights, theta, shown, shape, seed, first, total, earlier_spikes)


def learn_from(network, grid, weights, theta, shown, shape, seed, first, total, earlier_spikes=0):
    """The same of input spikes, for each sample those of each step; `shape` is that of the input."""
    learning = Learning(network, grid, weights.tolist(), theta.tolist())
    counts, activity, positions = [], Activity(samples=len(shown)), naive_input.looks(network, shape)
    windows = -(-network.steps // network.window_steps)
    for m, per_step in enumerate(shown):
        progress, spiked = (first + m) / max(total - 1, 1), []
        rate = network.learning_rate + (network.learning_rate_end - network.learning_rate) * progress
        step = network.theta_step + (network.theta_step_end - network.theta_step) * progress
        drawn = naive_input.drawn_positions(network, len(positions), seed, first + m)
        for index, position in enumerate(drawn):
            cell, inputs = positions[position]
            seen = naive_input.see(per_step, inputs)
            if not naive_input.is_seen(network, seen):
                continue
            one = _present(
                learning,
                seen,
                nearest(rate * 2**20),
                nearest(step * network.weight_norm * 2**learning.t),
                naive_input.stream_key(seed, 11, first + m),
                index * windows,
                earlier_spikes,
            )
            earlier_spikes += len(one.spikes)
            spiked.append((cell, one.spikes))
            activity += one.activity()
            learning.saturations += one.saturations
        counts.append(naive_input.features_of(network, spiked)[0])
    return np.array(counts), learning.weights, learning.theta, activity, learning.saturations


def _present(learning, per_step, rate, theta_step, rounding_key, first_window, earlier_spikes):
    network, numbers, n = learning.network, learning.numbers, learning.n
    used = [True] * learning.n_inputs
    shown = Presentation(network, numbers, learning.weights, learning.thresholds(), used)
    trace_leak = nearest(65536 * (1 - np.exp(-network.dt_ms / network.trace_tau_ms)))
    traces = [0] * learning.n_inputs
    window, x, spikes_before = first_window, [0] * learning.n_inputs, 0
    seen = [*per_step, *([[]] * naive.answer_steps(network, True))]
    for t, inputs in enumerate(seen):
        shown.step(t, inputs)
        traces = [trace - ((trace * trace_leak + 65535) >> 16) for trace in traces]
        for i in inputs:
            x[i] += 1
            traces[i] += 2**learning.f
        winner = shown.spike(t)
        if winner is not None and network.adaptation in ("decaying", "homeostatic"):
            learning.shift_theta(winner, theta_step)
            shown.thresholds = learning.thresholds()
            shown.counted.update(thresholds_written=1)
        ended = naive.ends_early(network, shown.spikes)
        window_ends = (t + 1) % network.window_steps == 0 and t + 1 < network.steps
        if not (window_ends or t + 1 == len(seen) or ended):
            continue
        if len(shown.spikes) > spikes_before:
            totals = naive.count_spikes(shown.spikes, n).tolist()
            best = totals.index(max(totals))
            k = 1 if network.spike_threshold is None else -(-totals[best] // network.spike_threshold)
            if network.rule == "normalised":
                moved = learning.normalised(best, x, k * rate, window, rounding_key)
                shown.counted.update(columns_written=moved)
            else:
                shown.counted.update(columns_written=1)
                for i, trace in enumerate(traces):
                    change = (k * rate * trace) << (12 + learning.w - learning.f)
                    learning.change(i, best, change, window, rounding_key)
            if network.adaptation == "balanced":
                learning.lower_thetas((theta_step + n // 2) // n)
                learning.shift_theta(best, theta_step)
                shown.thresholds = learning.thresholds()
                shown.counted.update(threshold_passes=1)
        elif network.rule == "timestep":
            depression = nearest(network.depression_rate * 2**20)
            for i, trace in enumerate(traces):
                if trace > 0:
                    shown.counted.update(rows_written=1)
                    for j in range(n):
                        change = -(depression * trace) << (12 + learning.w - learning.f)
                        learning.change(i, j, change, window, rounding_key)
        shown.counted.update(windows=1)
        window, x, spikes_before = window + 1, [0] * learning.n_inputs, len(shown.spikes)
        if ended:
            break
    if network.adaptation == "balanced" and not shown.spikes:
        if earlier_spikes == 0:
            fall = theta_step if shown.counted["input_spikes"] > 0 else 0
        elif network.field is not None:
            fall = 0
        elif any(v >= numbers.threshold for v in shown.v):
            fall = theta_step
        elif any(2 * v >= numbers.threshold for v in shown.v):
            fall = (theta_step + n // 2) // n
        else:
            fall = 0
        if fall > 0:
            learning.lower_thetas(fall)
            shown.counted.update(threshold_passes=1)
    if network.adaptation == "homeostatic" and shown.counted["input_spikes"] > 0:
        target = nearest(network.target_spikes * 2**16)
        learning.lower_thetas((theta_step * target + n * 2**15) // (n * 2**16))
        shown.counted.update(threshold_passes=1)
    if network.adaptation == "decaying":
        decay = nearest(2**30 * (1 - np.exp(-network.duration_ms / network.theta_tau_ms)))
        for j in range(n):
            learning.shift_theta(j, -((learning.theta[j] * decay) >> 30))
        shown.counted.update(threshold_passes=1)
    return shown
