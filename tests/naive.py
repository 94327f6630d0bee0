"""Slow, obvious twins of the compiled kernels, written from the documentation and not from the kernels.

One function per sentence of `fspinn.network` and its `encoders` and `plasticity`, in single precision and in
the documented order, so that results can be compared for equality. `present` looks its parts up by name at
every call: a test breaks one of them to see whether the comparison would notice.
"""

from collections import Counter
from functools import lru_cache

import numpy as np

from fspinn.model.activity import Activity

WORD = 2**64
GOLDEN = 0x9E3779B97F4A7C15


# --- randomness -------------------------------------------------------------------------------------


def mix(word):
    """Finalizer of SplitMix64, on Python's whole numbers."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % WORD
    return word ^ (word >> 31)


def stream_key(seed, purpose, sample):
    key = 0
    for part in (seed, purpose, sample):
        key = mix(((key ^ (part % WORD)) + GOLDEN) % WORD)
    return key


@lru_cache(maxsize=2**17)
def random_word(key, index):
    """Word `index` of a stream, counted from 0: what SplitMix64 gives when started at `key`."""
    return mix((key + (index + 1) * GOLDEN) % WORD)


# --- encoders ---------------------------------------------------------------------------------------


def spike_probability(image, pixel, rate_norm_per_step):
    """Probability of a spike of one pixel in one step, in units of 2**-32."""
    square = sum(int(value) ** 2 for value in image.flat)
    if square == 0:
        return 0
    scale = rate_norm_per_step / np.sqrt(float(square)) * 2.0**32
    return int(min(float(image.flat[pixel]) * scale, 2.0**32 - 1))


def unscaled_probability(image, pixel, max_rate_per_step):
    """The same where a pixel of intensity 255 has a rate that does not depend on the others."""
    return int(min(float(image.flat[pixel]) * (max_rate_per_step / 255.0 * 2.0**32), 2.0**32 - 1))


def random_number(key, pixel, step, n_inputs):
    """The 32 random bits of one pixel in one step; bit 31 - b comes from random word b of its block."""
    block = step // 64 * n_inputs + pixel
    number = 0
    for b in range(32):
        number = 2 * number + (random_word(key, 32 * block + b) >> (step % 64) & 1)
    return number


def poisson(image, key, steps, rate_per_step, probability=spike_probability):
    """For each step the pixels that spike: those whose random number is below their probability."""
    probabilities = [probability(image, pixel, rate_per_step) for pixel in range(image.size)]
    return [
        [
            pixel
            for pixel, p in enumerate(probabilities)
            if p and random_number(key, pixel, step, image.size) < p
        ]
        for step in range(steps)
    ]


def phase(pixel):
    """Where the sum of a pixel starts, in units of 2**-32: the golden section of its number."""
    return pixel * 0x9E3779B9 % 2**32


def regular(image, steps, rate_norm_per_step):
    """For each step the pixels whose sum of probabilities passes a whole number in it."""
    probabilities = [spike_probability(image, pixel, rate_norm_per_step) for pixel in range(image.size)]
    sums = [phase(pixel) for pixel in range(image.size)]
    per_step = []
    for _ in range(steps):
        before, sums = sums, [total + p for total, p in zip(sums, probabilities, strict=True)]
        per_step.append([i for i in range(image.size) if sums[i] // 2**32 > before[i] // 2**32])
    return per_step


def ttfs_of_white(image, steps):
    """For each step the pixels that spike: every pixel once at most, white ones in the first."""
    late = [steps - 1 - int(value) * steps // 256 for value in image.flat]
    return [[i for i, t in enumerate(late) if t == step and image.flat[i]] for step in range(steps)]


def ttfs(image, steps, most):
    """For each step the pixels that spike: every pixel once at most, the brighter the earlier."""
    pixels = [int(value) for value in image.flat]
    brightest_first = sorted(range(len(pixels)), key=lambda i: -pixels[i])  # of equals the first stays first
    chosen = [i for i in brightest_first if pixels[i] > 0][:most]
    per_step = [[] for _ in range(steps)]
    for i in sorted(chosen):
        per_step[(max(pixels) - pixels[i]) * (steps - 1) // max(pixels)].append(i)
    return per_step


def on_off(image, radius, gain):
    """How much brighter and how much darker than around it each pixel is, two channels for each."""
    height, width, channels = image.shape
    split = np.zeros((height, width, 2 * channels), dtype=np.uint8)
    for y, x, c in np.ndindex(image.shape):
        around = image[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1, c]
        mean = int(around.astype(int).sum()) // around.size
        split[y, x, 2 * c] = min(255, gain * max(0, int(image[y, x, c]) - mean))
        split[y, x, 2 * c + 1] = min(255, gain * max(0, mean - int(image[y, x, c])))
    return split


def encoded(network, image):
    """The intensities that are encoded (height, width, channels)."""
    image = image.reshape(*image.shape[:2], -1)
    if network.contrast == "on-off":
        return on_off(image, network.contrast_radius, network.contrast_gain)
    return image


def input_spikes(network, image, key):
    """For each step of a presentation the inputs that spike."""
    image = encoded(network, image)
    if network.encoder == "ttfs" and network.first_spikes_relative_to == "white":
        return ttfs_of_white(image, network.steps)
    if network.encoder == "ttfs":
        return ttfs(image, network.steps, network.first_spikes)
    if network.encoder == "unscaled":
        max_rate_per_step = network.max_rate_hz * network.dt_ms / 1000.0
        return poisson(image, key, network.steps, max_rate_per_step, unscaled_probability)
    rate_norm_per_step = network.rate_norm_hz * network.dt_ms / 1000.0
    if network.encoder == "regular":
        return regular(image, network.steps, rate_norm_per_step)
    return poisson(image, key, network.steps, rate_norm_per_step)


# --- fields and layers ------------------------------------------------------------------------------


def looks(network, shape):
    """For each position of the field, row by row: its cell, and the inputs that its neurons see, in order."""
    height, width, channels = shape
    if network.field is None:
        return [(0, list(range(height * width * channels)))]
    rows, columns = ((n - size) // network.stride + 1 for n, size in zip(shape, network.field, strict=False))
    found = []
    for row, column in np.ndindex(rows, columns):
        cell = row * network.cells[0] // rows * network.cells[1] + column * network.cells[1] // columns
        top, left = row * network.stride, column * network.stride
        places = np.ndindex(*network.field, channels)
        found.append((cell, [((top + y) * width + left + x) * channels + c for y, x, c in places]))
    return found


def see(per_step, inputs):
    """For each step the inputs of a field that spike, by their places in it."""
    return [[inputs.index(i) for i in step if i in inputs] for step in per_step]


def drawn_positions(network, positions, seed, number):
    """The positions that are learned from in sample `number` of a run."""
    if network.field is None:
        return [0]
    key = stream_key(seed, 15, number)
    return [random_word(key, i) % positions for i in range(network.positions)]


def is_seen(network, per_step):
    """Whether a position has enough input spikes to learn from."""
    return network.field is None or sum(map(len, per_step)) >= network.least_spikes


def features_of(network, cells_and_spikes):
    """Spikes of each neuron in each cell, and the step of the first (or the number of steps)."""
    counts = np.zeros(network.cells[0] * network.cells[1] * network.neurons, dtype=int)
    first_steps = np.full_like(counts, network.steps)
    for cell, spikes in cells_and_spikes:
        for t, neuron in spikes:
            counts[cell * network.neurons + neuron] += 1
            first_steps[cell * network.neurons + neuron] = min(
                first_steps[cell * network.neurons + neuron], t
            )
    return counts, first_steps


def spikes_of_features(first_steps, steps):
    """For each step the inputs of the next layer that spike: each once, as its feature did first."""
    return [np.flatnonzero(first_steps == t).tolist() for t in range(steps)]


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


# --- learning ---------------------------------------------------------------------------------------


def potentiation_factor(spikes, spike_threshold):
    return 1 if spike_threshold is None else int(np.ceil(spikes / spike_threshold))


def move_towards_input(weights, winner, counts, weight_norm, rate):
    """Move the winner's weights, in single precision.

    Returns whether there was an input to move towards.
    """
    norm = np.sqrt(float((counts.astype(np.int64) ** 2).sum()))
    if norm == 0:
        return False
    for i, count in enumerate(counts):
        target = min(np.float32(1), np.float32(count * (np.float64(weight_norm) / norm)))
        weights[i, winner] += np.float32(rate) * (target - weights[i, winner])
    return True


def within_bounds(weight):
    return min(np.float32(1), max(np.float32(0), weight))


def potentiate(weights, neuron, traces, rate):
    """Each weight of one neuron rises by the rate times the trace of its input."""
    for i in range(traces.size):
        weights[i, neuron] = within_bounds(weights[i, neuron] + np.float32(rate) * traces[i])


def power_law(weights, neuron, traces, rate, target_trace):
    """Diehl & Cook's equation 3 with w_max = 1 and mu = 1."""
    for i in range(traces.size):
        room = np.float32(1) - weights[i, neuron]
        change = np.float32(rate) * (traces[i] - np.float32(target_trace)) * room
        weights[i, neuron] = within_bounds(weights[i, neuron] + change)


def depress_input(weights, i, rate, post_traces):
    """At a spike of input i each of its weights falls by the rate times the trace of its neuron."""
    for j in range(post_traces.size):
        weights[i, j] = within_bounds(weights[i, j] - np.float32(rate) * post_traces[j])


def depress_window(weights, pre_traces, rate):
    """Each weight falls by the rate times the trace of its input."""
    for i in range(pre_traces.size):
        depress_input(weights, i, rate, np.full(weights.shape[1], pre_traces[i]))


def decay_traces(traces, kept):
    traces *= kept
    traces[traces < np.float32(1e-20)] = 0


def raise_trace(traces, index):
    traces[index] += 1


def decay_weights(network, weights):
    weights *= np.float32(1.0 - network.weight_decay)


def goal_of(network, n_inputs):
    """Size of each neuron's weights after normalisation."""
    if network.normalisation == "l2":
        return float(network.weight_norm)
    return 0.1 * n_inputs


def normalise(weights, kind, goal):
    """Rescale each column, in double precision, to its goal; all-zero ones stay, no weight exceeds 1."""
    for j in range(weights.shape[1]):
        column = [float(weight) for weight in weights[:, j]]
        size = sum(column) if kind == "l1" else np.sqrt(sum(weight * weight for weight in column))
        if size > 0:
            weights[:, j] = [within_bounds(np.float32(weight * (goal / size))) for weight in column]


def tidy_weights(network, weights):
    """Decay, then normalisation. Returns whether each was on."""
    if network.weight_decay > 0:
        decay_weights(network, weights)
    if network.normalisation != "off":
        normalise(weights, network.normalisation, goal_of(network, len(weights)))
    return network.weight_decay > 0, network.normalisation != "off"


def lowest_theta(network):
    """A 64th of the firing threshold is left."""
    return np.float32(-63 / 64 * network.threshold * network.weight_norm)


def shift_thresholds(network, theta, winner, step):
    lower_thresholds(network, theta, step / np.float32(theta.size))
    theta[winner] += step


def lower_thresholds(network, theta, fall):
    theta[:] = np.maximum(theta - fall, lowest_theta(network))


def fall_after_silence(network, earlier_spikes, has_input, potentials, step):
    """By how much all thresholds fall where no neuron spiked in a presentation."""
    if earlier_spikes == 0:
        return step if has_input else np.float32(0)
    if network.field is not None:
        return np.float32(0)
    if any(potential >= np.float32(network.firing_threshold) for potential in potentials):
        return step
    near = any(potential >= np.float32(network.firing_threshold) / 2 for potential in potentials)
    return step / np.float32(potentials.size) if near else np.float32(0)


def raise_threshold(theta, neuron, step):
    theta[neuron] += step


def decay_thresholds(network, theta):
    theta *= np.float32(np.exp(-network.duration_ms / network.theta_tau_ms))


def annealed(start, end, number, total):
    return start + (end - start) * (number / max(total - 1, 1))


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
        self.count(steps=1, input_spikes=len(inputs), synaptic_additions=added)
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
        winner = find_spike(
            self.potentials,
            np.float32(network.firing_threshold) + self.theta,
            t - self.last_spike > network.refractory_steps,
        )
        if winner is None:
            return
        self.spikes.append((t, winner))
        self.count(output_spikes=1)
        self.last_spike[winner] = t
        self.potentials[winner] = 0
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
        if self.learning:
            self.post(winner)

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
        if network.adaptation == "decaying":
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
    for t, inputs in enumerate(per_step):
        shown.leak_and_input(t, inputs)
        shown.spike(t)
        ended = ends_early(network, shown.spikes)
        if shown.learning and ((t + 1) % network.window_steps == 0 or t + 1 == network.steps or ended):
            shown.end_window()
        if ended:
            break
    if shown.learning:
        shown.end()
    return shown.spikes, Activity(**{name: int(count) for name, count in shown.counted.items()})


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
    network, features, activity = network.answering, [], Activity(samples=len(shown))
    for per_step in shown:
        spiked = []
        for cell, inputs in looks(network, shape):
            spikes, counted = present(network, weights, theta, see(per_step, inputs))
            spiked.append((cell, spikes))
            activity += counted
        features.append(features_of(network, spiked))
    counts, first_steps = zip(*features, strict=True)
    return np.array(counts), np.array(first_steps), activity


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
