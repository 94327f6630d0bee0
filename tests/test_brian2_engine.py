"""Brian2 and the fast engine are the same network: same spikes, same state, whatever is switched on."""

import os
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import fspinn
from fspinn.engines import brian2_engine, float_engine
from fspinn.model import INHIBITION_KINDS, RULES, Network

# Brian2 2.9 calls its parser by old names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LIVELY = Network(
    neurons=8,
    duration_ms=40.0,
    rate_norm_hz=900.0,
    tau_m_ms=30.0,
    threshold=3.0,
    inhibition=0.6,
    inhibition_ms=3.0,
    learning_rate=0.05,
    depression_rate=0.001,
    window_ms=15.0,
    theta_step=0.3,
    weight_norm=1.4,
)
"""A network in which every part of the time step matters, on digits of 8 x 8 pixels."""

OPTIONS = (
    {},
    {"dt_ms": 0.5, "tau_m_ms": 50.0},
    {"encoder": "regular"},
    {"encoder": "ttfs", "first_spikes": 25, "threshold": 1.0},
    {"refractory_ms": 4.0, "threshold": 1.5},
    {"inhibition_of": "potential", "inhibition": 0.8},
    {"inhibition_floor": -0.3},
    {"answer_threshold": 2.0, "answer_inhibition": 0.2},
    {"window_ms": None, "spike_threshold": 3},
    {"window_ms": 3.0, "threshold": 6.0, "depression_rate": 0.02},
    {"adaptation": "decaying", "theta_tau_ms": 400.0, "theta_step": 0.05},
    {"adaptation": "off", "weight_decay": 0.01},
    {"normalisation": "l1", "weight_power": 0.5},
    {"normalisation": "l2", "weight_decay": 0.005, "target_trace": 0.1},
)
"""Every option of a network at least once, added to LIVELY."""


def start_on(images, network, seed=0):
    """Weights of the network's norm and uneven thresholds, in double precision."""
    random = np.random.default_rng(seed)
    weights = random.random((images[0].size, network.neurons)) ** 3
    weights *= network.weight_norm / np.linalg.norm(weights, axis=0)
    return np.minimum(weights, 1.0), 0.1 * random.standard_normal(network.neurons), images


def learned_by(engine, network, start, first=0, total=None):
    weights, theta, images = start[0].copy(), start[1].copy(), start[2]
    total = len(images) if total is None else total
    counts, activity = engine.learn(network, weights, theta, images, seed=5, first=first, total=total)
    return counts, activity, weights, theta


def answered_by(engine, network, weights, theta, images):
    order, steps = np.full((2, len(images), network.steps), 77, np.int32)
    counts, activity = engine.respond(
        network, weights, theta, images, seed=6, first=3, threads=1, spike_order=order, spike_steps=steps
    )
    return counts, activity, order, steps


def assert_same_learning(network, start):
    """Both engines learn the same; returns what they learned, and what was counted."""
    counts, activity, weights, theta = learned_by(float_engine, network, start)
    other_counts, other_activity, other_weights, other_theta = learned_by(brian2_engine, network, start)
    np.testing.assert_array_equal(other_counts, counts)
    assert other_activity == activity
    np.testing.assert_allclose(other_weights, weights, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(other_theta, theta, rtol=1e-9, atol=1e-13)
    return weights, theta, activity


def assert_same_answers(network, weights, theta, images):
    """Both engines give the same spikes, neuron by neuron and step by step; returns what was counted."""
    expected = answered_by(float_engine, network, weights, theta, images)
    got = answered_by(brian2_engine, network, weights, theta, images)
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    return expected[1]


def assert_same(network, images):
    weights, theta, learning = assert_same_learning(network, start_on(images[:20], network))
    answering = assert_same_answers(network, weights, theta, images[20:23])
    assert learning.output_spikes > 20
    assert answering.output_spikes > 3


@pytest.fixture(scope="module")
def digits():
    return fspinn.datasets.load("digits").train.images


@pytest.fixture(scope="module")
def mnist():
    if "FSPINN_DATA_DIR" not in os.environ:
        pytest.skip("needs FSPINN_DATA_DIR with mnist/")
    return fspinn.datasets.load("mnist").train.images[:23]


# --- equivalence ------------------------------------------------------------------------------------

RULES_AND_INHIBITION = list(product(RULES, INHIBITION_KINDS))


@pytest.mark.parametrize(("rule", "inhibition_kind"), RULES_AND_INHIBITION)
def test_both_engines_agree_on_digits(digits, rule, inhibition_kind):
    assert_same(replace(LIVELY, rule=rule, inhibition_kind=inhibition_kind), digits)


@pytest.mark.parametrize(("rule", "inhibition_kind"), RULES_AND_INHIBITION)
def test_both_engines_agree_on_mnist(mnist, rule, inhibition_kind):
    network = replace(LIVELY, rule=rule, inhibition_kind=inhibition_kind, weight_norm=5.0, threshold=4.0)
    assert_same(network, mnist)


@pytest.mark.parametrize("number", range(len(OPTIONS)))
def test_both_engines_agree_with_each_option(digits, number):
    """Each option with another rule and another inhibition; all combinations are in the slow test."""
    rule, inhibition_kind = RULES_AND_INHIBITION[(5 * number) % len(RULES_AND_INHIBITION)]
    assert_same(replace(LIVELY, rule=rule, inhibition_kind=inhibition_kind, **OPTIONS[number]), digits)


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "inhibition_kind"), RULES_AND_INHIBITION)
def test_both_engines_agree_on_every_option_with_every_rule_and_inhibition(digits, rule, inhibition_kind):
    for options in OPTIONS:
        assert_same(replace(LIVELY, rule=rule, inhibition_kind=inhibition_kind, **options), digits)
