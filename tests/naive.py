"""Slow, obvious twins of the compiled kernels, written from the documentation and not from the kernels.

One function per sentence of `fspinn.model`, `fspinn.encoders` and `fspinn.plasticity`, in single precision
and in the documented order, so that results can be compared for equality. `present` looks its parts up
by name at every call: a test breaks one of them to see whether the comparison would notice.
"""

import numpy as np

from fspinn.model import Activity

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


def random_word(key, index):
    """Word `index` of a stream, counted from 0: what SplitMix64 gives when started at `key`."""
    return mix((key + (index + 1) * GOLDEN) % WORD)


# --- encoder ----------------------------------------------------------------------------------------


def spike_probability(image, pixel, rate_norm_per_step):
    """Probability of a spike of one pixel in one step, in units of 2**-32."""
    square = sum(int(value) ** 2 for value in image.flat)
    if square == 0:
        return 0
    scale = rate_norm_per_step / np.sqrt(float(square)) * 2.0**32
    return int(min(float(image.flat[pixel]) * scale, 2.0**32 - 1))


def random_number(key, pixel, step, n_inputs):
    """The 32 random bits of one pixel in one step; bit 31 - b comes from random word b of its block."""
    block = step // 64 * n_inputs + pixel
    number = 0
    for b in range(32):
        number = 2 * number + (random_word(key, 32 * block + b) >> (step % 64) & 1)
    return number


def input_spikes(image, key, steps, rate_norm_per_step):
    """For each step the pixels that spike: those whose random number is below their probability."""
    probabilities = [spike_probability(image, pixel, rate_norm_per_step) for pixel in range(image.size)]
    return [
        [
            pixel
            for pixel, p in enumerate(probabilities)
            if p and random_number(key, pixel, step, image.size) < p
        ]
        for step in range(steps)
    ]


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


def reset_and_inhibit(potentials, winner, loss):
    for j in range(potentials.size):
        potentials[j] = 0 if j == winner else potentials[j] - loss


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


def shift_thresholds(theta, winner, step):
    theta -= step / np.float32(theta.size)
    theta[winner] += step


def lower_thresholds(theta, step):
    theta -= step


def annealed(start, end, number, total):
    return np.float32(start + (end - start) * (number / max(total - 1, 1)))


# --- one presentation -------------------------------------------------------------------------------


def present(network, weights, theta, image, key, learning=None):
    """Show one image; with `learning = (rate, theta_step)` weights and theta change in place.

    Returns
    -------
    spikes : list of (step, neuron)
    activity : Activity
    """
    n_inputs, n_neurons = weights.shape
    threshold = np.float32(network.firing_threshold)
    loss = np.float32(network.inhibition * network.firing_threshold)
    leak = np.float32(np.exp(-network.dt_ms / network.tau_m_ms))
    per_step = input_spikes(image, key, network.steps, network.rate_norm_hz * network.dt_ms / 1000.0)
    potentials = np.zeros(n_neurons, dtype=np.float32)
    last_spike = np.full(n_neurons, -(10**9))
    window = np.zeros(n_inputs, dtype=np.int64)
    spikes, spikes_before_window = [], 0
    learned = shifted = windows = 0
    for t in range(network.steps):
        integrate(potentials, weights, per_step[t], leak)
        for i in per_step[t]:
            window[i] += 1
        winner = find_spike(potentials, threshold + theta, t - last_spike > network.refractory_steps)
        if winner is not None:
            reset_and_inhibit(potentials, winner, loss)
            last_spike[winner] = t
            spikes.append((t, winner))
        window_ends = (t + 1) % network.window_steps == 0 or t + 1 == network.steps
        if learning is None or not window_ends:
            continue
        windows += 1
        if len(spikes) > spikes_before_window:
            rate, theta_step = learning
            most = count_spikes(spikes, n_neurons)
            factor = potentiation_factor(most.max(), network.spike_threshold)
            rate = min(np.float32(1.0), np.float32(factor) * np.float32(rate))
            learned += move_towards_input(
                weights, most.argmax(), window, np.float32(network.weight_norm), rate
            )
            shift_thresholds(theta, most.argmax(), theta_step)
            shifted += 1
        window[:] = 0
        spikes_before_window = len(spikes)
    if learning is not None and not spikes:
        lower_thresholds(theta, learning[1])
        shifted += 1
    n_input_spikes = sum(len(inputs) for inputs in per_step)
    return spikes, Activity(
        samples=1,
        steps=network.steps,
        input_spikes=n_input_spikes,
        output_spikes=len(spikes),
        synaptic_additions=n_input_spikes * n_neurons,
        neuron_updates=network.steps * n_neurons,
        weight_reads=n_input_spikes * n_neurons + learned * n_inputs,
        weight_writes=learned * n_inputs,
        threshold_updates=shifted * n_neurons,
        windows=windows,
    )


def count_spikes(spikes, n_neurons):
    return np.bincount([neuron for _, neuron in spikes], minlength=n_neurons)


def learn(network, weights, theta, images, seed, first, total):
    """Twin of `float_engine.learn`."""
    counts, activity = [], Activity()
    for m, image in enumerate(images):
        rate = annealed(network.learning_rate, network.learning_rate_end, first + m, total)
        step = annealed(network.theta_step, network.theta_step_end, first + m, total)
        learning = rate, step * np.float32(network.weight_norm)
        spikes, counted = present(network, weights, theta, image, stream_key(seed, 1, first + m), learning)
        counts.append(count_spikes(spikes, theta.size))
        activity += counted
    return np.array(counts), activity


def respond(network, weights, theta, images, seed, first):
    """Twin of `float_engine.respond`."""
    shown = [
        present(network, weights, theta, image, stream_key(seed, 2, first + m))
        for m, image in enumerate(images)
    ]
    counts = [count_spikes(spikes, theta.size) for spikes, _ in shown]
    return np.array(counts), sum((activity for _, activity in shown), Activity())


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
