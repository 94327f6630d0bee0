"""Diehl & Cook's network with conductances: Brian2 gives the spikes and weights of a plain twin in NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from test_brian2_engine import answered_by, learned_by, start_on

import fspinn
from fspinn.encoders import input_spikes
from fspinn.engines import brian2_engine
from fspinn.errors import ConfigError
from fspinn.model import Network
from fspinn.randomness import DELAYS, INFERENCE_SPIKES, REPEATED_SPIKES, TRAINING_SPIKES, stream_key, uniforms

# Brian2 2.9 calls its parser by old names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TINY = Network(
    neurons=5,
    dt_ms=0.5,
    duration_ms=50.0,
    rest_ms=12.0,
    delay_ms=6.0,
    encoder="unscaled",
    max_rate_hz=150.0,
    synapses="conductance",
    tau_m_ms=30.0,
    refractory_ms=3.0,
    refractory_input="ignored",
    threshold=6.0,
    reset=1.0,
    weight_norm=1.0,
    inhibition_kind="layer",
    inhibition=4.0,
    inhibition_ms=2.0,
    rule="triplet",
    learning_rate=0.2,
    depression_rate=0.01,
    traces="set",
    adaptation="decaying",
    theta_step=0.4,
    theta_tau_ms=2000.0,
    normalisation="l1",
    weight_sum=9.0,
)
"""All of the published network at a size at which every part of it matters, on digits of 8 x 8 pixels."""


# --- the twin ---------------------------------------------------------------------------------------


def delays_in_steps(network, n_inputs):
    parts = uniforms(stream_key(0, DELAYS), n_inputs * network.neurons)
    return np.rint(network.delay_ms * parts / network.dt_ms).astype(int).reshape(n_inputs, network.neurons)


def shown_once(network, weights, theta, spikes, learning=None):
    """One showing from rest; `learning` is the learning rate and the threshold step, and changes in place.

    Returns
    -------
    list of (step, neuron)
    """
    n_inputs, n = weights.shape
    dt, delays = network.dt_ms, delays_in_steps(network, n_inputs)
    v, g_e, g_i, ready_at = np.full(n, -65.0), np.zeros(n), np.zeros(n), np.zeros(n)
    partner, g_partner, partner_ready_at = np.full(n, -60.0), np.zeros(n), np.zeros(n)
    x, y, slow_y = np.zeros((n_inputs, n)), np.zeros(n), np.zeros(n)
    output = []
    for step in range(network.steps + network.rest_steps):
        # One step of the Euler method, all from what was before it.
        active, partner_active = step >= ready_at, step >= partner_ready_at
        v = v + active * dt / network.tau_m_ms * ((-65 - v) + g_e * (0 - v) + g_i * (-100 - v))
        partner = partner + partner_active * dt / 10 * ((-60 - partner) + g_partner * (0 - partner))
        g_e, g_i, g_partner = g_e * (1 - dt / 1), g_i * (1 - dt / 2), g_partner * (1 - dt / 1)
        if learning and network.adaptation == "decaying":
            theta -= dt / network.theta_tau_ms * (theta + 20)
        x *= np.exp(-dt / network.trace_tau_ms)
        y *= np.exp(-dt / network.trace_tau_ms)
        slow_y *= np.exp(-dt / network.slow_trace_tau_ms)
        spiking = (v > -65 + network.threshold + theta) & active
        partner_spiking = (partner > -40) & partner_active
        for i, j in np.ndindex(n_inputs, n):
            sent = step - delays[i, j]
            if 0 <= sent < network.steps and i in spikes[sent]:
                g_e[j] += weights[i, j]
                x[i, j] = 1 + (x[i, j] if network.traces == "add" else 0)
                if learning:
                    weights[i, j] = np.clip(weights[i, j] - network.depression_rate * y[j], 0, 1)
        for j in range(n):
            g_partner[j] += 10.4 * spiking[j]
            g_i += network.inhibition * partner_spiking[j] * (np.arange(n) != j)
        for (j,) in np.argwhere(spiking):
            output.append((step, j))
            if learning:
                weights[:, j] = np.clip(weights[:, j] + learning[0] * x[:, j] * slow_y[j], 0, 1)
                theta[j] += learning[1] * (network.adaptation == "decaying")
            y[j] = 1 + (y[j] if network.traces == "add" else 0)
            slow_y[j] = 1 + (slow_y[j] if network.traces == "add" else 0)
            v[j], ready_at[j] = -65 + network.reset, step + 1 + network.refractory_steps
        partner[partner_spiking] = -45
        partner_ready_at[partner_spiking] = step + 1 + network.inhibition_steps
    if learning:
        weights *= 1 - network.weight_decay
        if network.normalisation == "l1":
            weights[:] = np.clip(weights * network.weight_sum / weights.sum(axis=0), 0, 1)
    return output


def inputs_per_step(network, image, *key):
    spikes = input_spikes(network, image, *key)
    return [set(those.tolist()) for those in np.split(spikes.inputs, spikes.offsets[1:-1])]


def shown(network, weights, theta, images, seed, purpose, first, learning=None):
    """Show images, those with too few spikes again and brighter.

    Returns
    -------
    spike_counts : ndarray, shape (n, n_neurons)
    showings : int
    steps : list of list of int
        Of the spikes of the last showing of each image, before the rest.
    """
    spike_counts, showings, steps = np.zeros((len(images), network.neurons), int), 0, []
    for m, image in enumerate(images):
        key, repeated, brighter = (seed, purpose, first + m), 0, network
        while True:
            output = shown_once(network, weights, theta, inputs_per_step(brighter, image, *key), learning)
            showings += 1
            heard = [(step, j) for step, j in output if step < network.steps]
            repeated += 1
            if len(heard) >= network.least_spikes or brighter.max_rate_hz >= 1000 / network.dt_ms:
                break
            key = stream_key(seed, purpose, first + m), REPEATED_SPIKES, repeated
            rate_hz = network.max_rate_hz + repeated * network.rate_step_hz
            brighter = replace(network, max_rate_hz=rate_hz)
        for _, j in heard:
            spike_counts[m, j] += 1
        steps.append([step for step, _ in heard])
    return spike_counts, showings, steps


# --- the comparison ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return fspinn.datasets.load("digits").train.images


OPTIONS = {
    "as published": {},
    "traces add up": {"traces": "add", "rest_ms": 6.0},
    "without delays and rest": {"delay_ms": 0.0, "rest_ms": 0.0, "reset": 0.0, "weight_decay": 0.01},
    "thresholds stay": {"adaptation": "off", "normalisation": "off", "inhibition": 0.3},
    "shown until there are twelve spikes": {"least_spikes": 12, "rate_step_hz": 60.0},
}


def started(network, images):
    weights, theta, images = start_on(images, network)
    return weights * network.weight_sum / weights.sum(axis=0), np.abs(theta), images


@pytest.mark.parametrize("name", OPTIONS)
def test_the_network_with_conductances_learns_as_its_plain_twin(digits, name):
    network = replace(TINY, **OPTIONS[name])
    start = started(network, digits[:4])
    counts, activity, weights, theta = learned_by(brian2_engine, network, start)
    expected_weights, expected_theta = start[0].copy(), start[1].copy()
    expected, showings = np.zeros_like(counts), 0
    for m in range(4):  # rates are those of each presentation
        learning = network.learning_rate + (network.learning_rate_end - network.learning_rate) * m / 3
        step = network.theta_step + (network.theta_step_end - network.theta_step) * m / 3
        expected[[m]], times, _ = shown(
            network, expected_weights, expected_theta, digits[[m]], 5, TRAINING_SPIKES, m, (learning, step)
        )
        showings += times
    np.testing.assert_array_equal(counts, expected)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(theta, expected_theta, rtol=1e-9, atol=1e-13)
    assert counts.sum() > 20
    assert (counts.sum(axis=0) > 0).sum() > 1
    assert np.abs(weights - start[0]).max() > 0.01
    assert activity.steps == showings * (network.steps + network.rest_steps)
    assert (showings > 4) == (network.least_spikes > 0)


def test_it_answers_as_its_plain_twin_and_thresholds_stay(digits):
    network = replace(TINY, least_spikes=8)
    weights, theta, images = started(network, digits[:3])
    counts, _, order, steps = answered_by(brian2_engine, network, weights, theta, images)
    expected, _, expected_steps = shown(network, weights, theta, images, 6, INFERENCE_SPIKES, 3)
    np.testing.assert_array_equal(counts, expected)
    assert [row[row >= 0].tolist() for row in steps] == expected_steps
    assert [np.bincount(row[row >= 0], minlength=5).tolist() for row in order] == expected.tolist()


def test_an_image_that_cannot_be_brighter_is_shown_no_more(digits):
    """Without input there never are enough spikes; the last showing has white pixels spike in every step."""
    network = replace(TINY, least_spikes=1, rate_step_hz=1000.0)
    weights, theta, _ = started(network, digits[:1])
    black = np.zeros((1, 8, 8), np.uint8)
    counts, activity = brian2_engine.respond(network, weights, theta, black, seed=0)
    assert counts.sum() == 0
    assert activity.samples == 1
    assert activity.steps == 3 * (network.steps + network.rest_steps)  # 150, 1150 and 2150 Hz


def test_a_standalone_program_refuses_to_show_images_again(digits):
    network = replace(TINY, least_spikes=5)
    weights, theta, images = started(network, digits[:1])
    expected = (
        r"^target: a stand-alone program cannot show images again \(least_spikes\); use numpy or cython$"
    )
    with pytest.raises(ConfigError, match=expected):
        brian2_engine.respond(network, weights, theta, images, seed=0, target="cpp_standalone")
    with pytest.raises(ConfigError, match=expected):
        brian2_engine.learn(
            network, weights, theta, images, seed=0, first=0, total=1, target="cpp_standalone"
        )


@pytest.mark.exhaustive
def test_a_standalone_program_learns_the_same(digits):
    start = started(TINY, digits[:4])
    weights, theta = start[0].copy(), start[1].copy()
    counts, activity = brian2_engine.learn(
        TINY, weights, theta, start[2], seed=5, first=0, total=4, target="cpp_standalone"
    )
    expected = learned_by(brian2_engine, TINY, start)
    np.testing.assert_array_equal(counts, expected[0])
    assert activity == expected[1]
    np.testing.assert_allclose(weights, expected[2], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(theta, expected[3], rtol=1e-9, atol=1e-13)
