"""Brian2 and the fast engine are the same network: same spikes, same state, whatever is switched on."""

import gc
import logging
import os
import subprocess
import sys
import tempfile
from dataclasses import replace

import numpy as np
import pytest
from described import changed, flat, tensors_of
from hypothesis import given, settings
from hypothesis import strategies as st
from published_images import skip_without
from runners import brian2, fast, output_spikes
from small_networks import LEARN_BY_STDP, PAIRS, RULES_AND_INHIBITION, networks_of, start_of

import fspinn
from fspinn.answering.describe import equations
from fspinn.backends.brian2 import engine as brian2_engine
from fspinn.base.errors import ConfigError
from fspinn.base.randomness import WEIGHTS, stream_key, uniforms
from fspinn.lowering.plan import INHIBITIONS, RULES
from fspinn.model.model import Model, Readout
from fspinn.network.plasticity import initial_weights, natural_weight_norm

# Brian2 2.9 calls its parser by old names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LIVELY = flat(
    neurons=8,
    duration_ms=40.0,
    rate_norm_hz=900.0,
    tau_m_ms=30.0,
    threshold=3.0,
    inhibition_strength=0.6,
    inhibition_ms=3.0,
    learning_rate=0.05,
    depression_rate=0.001,
    window_ms=15.0,
    theta_step=0.3,
    weight_norm=1.4,
)
"""A network in which every part of the time step matters, on digits of 8 x 8 pixels."""

ON_MNIST = changed(LIVELY, weight_norm=5.0, threshold=4.0)
"""The same for images of 28 x 28 pixels."""

OPTIONS = (
    {},
    {"dt_ms": 0.5, "tau_m_ms": 50.0},
    {"encoder": "regular"},
    {"encoder": "ttfs", "first_spikes": 25, "threshold": 1.0},
    {"refractory_ms": 4.0, "threshold": 1.5},
    {"inhibition_of": "potential", "inhibition_strength": 0.8},
    {"answer_threshold": 2.0, "answer_inhibition": 0.2},
    {"window_ms": None, "spike_threshold": 3},
    {"window_ms": 3.0, "threshold": 4.5, "depression_rate": 0.005},
    {"adaptation": "decaying", "theta_tau_ms": 400.0, "theta_step": 0.05},
    {"adaptation": "off", "weight_decay": 0.01},
    {"normalisation": "l1"},
    {"normalisation": "l2", "weight_decay": 0.005, "target_trace": 0.1},
    {"encoder": "unscaled", "max_rate_hz": 150.0},
    {"threshold": 5.0, "duration_ms": 25.0},
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
    return engine.answer(network, weights, theta, images, seed=6, first=3, probe=network.neurons - 1)


def assert_same_learning(network, start):
    """Both engines learn the same; returns what they learned, and what was counted."""
    counts, activity, weights, theta = learned_by(fast, network, start)
    other_counts, other_activity, other_weights, other_theta = learned_by(brian2, network, start)
    np.testing.assert_array_equal(other_counts, counts)
    assert other_activity == activity
    np.testing.assert_allclose(other_weights, weights, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(other_theta, theta, rtol=1e-9, atol=1e-13)
    return weights, theta, activity


def assert_same_answers(network, weights, theta, images):
    """Both engines give the same spikes, neuron by neuron and step by step; returns what was counted."""
    expected = answered_by(fast, network, weights, theta, images)
    got = answered_by(brian2, network, weights, theta, images)
    np.testing.assert_array_equal(got.spike_counts, expected.spike_counts)
    assert got.activity == expected.activity
    assert output_spikes(got) == output_spikes(expected)
    np.testing.assert_allclose(got.potentials, expected.potentials, rtol=1e-9, atol=1e-11)
    return expected.activity[0]


def assert_same(network, images):
    weights, theta, learning = assert_same_learning(network, start_on(images[:20], network))
    answering = assert_same_answers(network, weights, theta, images[20:23])
    assert learning.output_spikes >= 20
    assert answering.output_spikes >= 3


@pytest.fixture(scope="module", autouse=True)
def _quick_garbage_collection():
    """Brian2 collects garbage before each simulation: let it look at what these tests make only."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def digits():
    return fspinn.datasets.load("digits").train.images


@pytest.fixture(scope="module")
def mnist():
    skip_without("mnist")
    return fspinn.datasets.load("mnist").train.images[:100]


# --- equivalence ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "inhibition_kind"), PAIRS)
def test_both_engines_agree_on_digits(digits, rule, inhibition_kind):
    assert_same(changed(LIVELY, rule=rule, inhibition=inhibition_kind), digits)


@pytest.mark.parametrize(("rule", "inhibition_kind"), list(zip(RULES, LEARN_BY_STDP * 2, strict=False)))
def test_both_engines_agree_on_mnist(mnist, rule, inhibition_kind):
    """Each rule with one inhibition; all combinations are in the exhaustive test."""
    assert_same(changed(ON_MNIST, rule=rule, inhibition=inhibition_kind), mnist)


@pytest.mark.parametrize("number", range(len(OPTIONS)))
def test_both_engines_agree_with_each_option(digits, number):
    """Each option with another rule and another inhibition; all combinations are in the exhaustive test."""
    rule, inhibition_kind = RULES_AND_INHIBITION[(7 * number) % len(RULES_AND_INHIBITION)]
    assert_same(changed(LIVELY, rule=rule, inhibition=inhibition_kind, **OPTIONS[number]), digits)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("rule", "inhibition_kind"), RULES_AND_INHIBITION)
def test_both_engines_learn_alike_with_every_option_rule_and_inhibition(digits, rule, inhibition_kind):
    for options in OPTIONS:
        network = changed(LIVELY, rule=rule, inhibition=inhibition_kind, **options)
        _, _, activity = assert_same_learning(network, start_on(digits[:20], network))
        assert activity.output_spikes >= 20


@pytest.mark.exhaustive
@pytest.mark.parametrize(("rule", "inhibition_kind"), RULES_AND_INHIBITION)
def test_both_engines_agree_on_mnist_with_every_rule_and_inhibition(mnist, rule, inhibition_kind):
    assert_same(changed(ON_MNIST, rule=rule, inhibition=inhibition_kind), mnist)


@pytest.mark.exhaustive
@pytest.mark.parametrize("inhibition_kind", INHIBITIONS)
def test_both_engines_answer_alike_with_every_option_and_inhibition(digits, inhibition_kind):
    for options in OPTIONS:
        network = changed(LIVELY, inhibition=inhibition_kind, **options)
        weights, theta, images = start_on(digits[:5], network)
        assert assert_same_answers(network, weights, theta, images).output_spikes > 3


@settings(max_examples=6, deadline=None)
@given(networks_of(), st.integers(0, 2**32))
def test_both_engines_agree_on_random_small_networks(network, seed):
    weights, theta, images = start_of(network, seed)
    start = weights.astype(np.float64), theta.astype(np.float64), images
    weights, theta, images = start
    if network.inhibition != "none":
        weights, theta, _ = assert_same_learning(network, start)
    assert_same_answers(network, weights, theta, images[:1])


def test_among_equal_neurons_the_first_spikes_and_they_take_turns():
    network = flat(
        neurons=3,
        weight_norm=1.0,
        threshold=1.0,
        inhibition_strength=0.0,
        refractory_ms=2.0,
        rate_norm_hz=1e7,
        duration_ms=7.0,
        tau_m_ms=1e12,
    )
    image = np.full((1, 1, 1), 255, np.uint8)
    response = brian2.answer(network, np.full((1, 3), 0.75), np.zeros(3), image)
    assert output_spikes(response) == [list(zip(range(1, 7), [0, 1, 2, 0, 1, 2], strict=True))]


def test_learning_in_several_simulations_is_learning_in_one(digits, monkeypatch):
    start = start_on(digits[:7], LIVELY)
    expected = learned_by(brian2, LIVELY, start)
    monkeypatch.setattr(brian2_engine, "PRESENTATIONS_PER_SIMULATION", 3)
    for got, one in zip(learned_by(brian2, LIVELY, start), expected, strict=True):
        assert np.array_equal(got, one)


def test_without_images_nothing_changes(digits):
    start = start_on(digits[:1], LIVELY)
    counts, activity, weights, _ = learned_by(brian2, LIVELY, (*start[:2], digits[:0]), total=5)
    assert (counts.shape, activity) == ((0, LIVELY.neurons), fspinn.Activity())
    np.testing.assert_array_equal(weights, start[0])


def test_single_precision_is_rounded_at_the_end(digits):
    weights, theta, images = start_on(digits[:3], LIVELY)
    weights, theta = weights.astype(np.float32), theta.astype(np.float32)
    double = learned_by(brian2, LIVELY, (weights.astype(np.float64), theta.astype(np.float64), images))
    single = learned_by(brian2, LIVELY, (weights, theta, images))
    np.testing.assert_array_equal(single[2], double[2].astype(np.float32))
    np.testing.assert_array_equal(single[3], double[3].astype(np.float32))


@pytest.mark.parametrize("rule", RULES)
def test_single_precision_stays_close_to_double_precision(mnist, rule):
    """A hundred images: next to no presentation differs in a spike, weights in the sixth digit."""
    network = flat(neurons=50, weight_norm=natural_weight_norm(mnist), rule=rule, duration_ms=250.0)
    network = changed(network, learning_rate=0.1 if rule == "normalised" else 0.01, threshold=15.0)
    weights = initial_weights(
        network.network.layers[0], network.setup.learner, 784, uniforms(stream_key(0, WEIGHTS), 784 * 50)
    )
    single = learned_by(fast, network, (weights, np.zeros(50, np.float32), mnist))
    double = learned_by(fast, network, (weights.astype(np.float64), np.zeros(50), mnist))
    assert double[1].output_spikes > 100
    assert np.mean((single[0] != double[0]).any(axis=1)) <= 0.01
    np.testing.assert_allclose(single[2], double[2], rtol=0, atol=1e-5)
    np.testing.assert_allclose(single[3], double[3], rtol=0, atol=1e-3)


# --- would it be noticed? ---------------------------------------------------------------------------


def broken(definition, old, new):
    """A definition with other code in its equations, conditions, actions and pathways."""

    def other(part, field):
        return replace(part, **{field: getattr(part, field).replace(old, new)})

    result = replace(
        definition,
        populations=tuple(other(population, "equations") for population in definition.populations),
        schedule=tuple(
            other(part, "condition" if hasattr(part, "condition") else "code") for part in definition.schedule
        ),
    )
    assert result != definition, f"{old} is nowhere"
    return result


def inhibited_a_step_late(definition):
    """Whoever is inhibited at the end of phase 5 pays before phase 1 of the next step instead."""
    late = [part for part in definition.schedule if "inhibited" in vars(part).values()]
    assert len(late) == 2
    others = [part for part in definition.schedule if part not in late]
    return replace(definition, schedule=(*(replace(part, slot="start") for part in late), *others))


BREAKS = {
    "leak of another time constant": ("-v/tau_m", "-v/(1.01*tau_m)", {}),
    "an input spike adds nothing": ("v_post += w", "v_post += 0.5*w", {}),
    "theta not part of the threshold": ("(firing_threshold + theta)", "firing_threshold", {}),
    "the last above its threshold spikes": ("excess_pre > best_post", "excess_pre > -1", {}),
    "no reset": ("v = 0\ncount", "count", {}),
    "no rest between presentations": ("v = 0\ncount = 0", "count = 0", {}),
    "refractory a step too short": (
        "step + 1 + refractory",
        "step + refractory",
        {"refractory_ms": 4.0, "threshold": 1.5},
    ),
    "the neuron that spiked pays as well": (" and i != winner", "", {}),
    "no inhibition": ("v -= drop", "v -= 0", {}),
    "clamp a step too short": (
        "step + 1 + inhibition_steps",
        "step + inhibition_steps",
        {"inhibition": "clamp"},
    ),
    "layer a step late": ("excited_for = step + 1", "excited_for = step + 2", {"inhibition": "layer"}),
    "layer never refractory": (
        "partner_ready_at = step + 1 + inhibition_steps",
        "partner_ready_at = 0",
        {"inhibition": "layer", "threshold": 1.0},
    ),
    "pre trace set, not added": ("x += 1", "x = 1", {"rule": "timestep"}),
    "post trace set, not added": ("y += 1", "y = 1", {"rule": "pair", "threshold": 1.0}),
    "trace of another time constant": ("-x/trace_tau", "-x/(1.01*trace_tau)", {"rule": "postonly"}),
    "traces kept between presentations": ("x = 0", "x = x", {"rule": "timestep"}),
    "potentiation factor rounded down": ("ceil(", "floor(", {"spike_threshold": 3}),
    "the first neuron always leads": ("ahead*i + (1 - ahead)*leader_post", "0", {}),
    "windows end a step early": ("(step + 1) % window_steps", "(step + 2) % window_steps", {}),
    "counts kept between windows": ("count = 0", "count = count", {}),
    "weights not kept below 1": (
        "clip(weight_norm*count_pre/length_post, 0, 1)",
        "weight_norm*count_pre/length_post",
        {"weight_norm": 2.5, "threshold": 6.0},
    ),
    "balance not shared": ("theta - theta_step(t)/N", "theta", {}),
    "a silent network sleeps on": (
        "(near or (total_spikes == 0 and has_input))",
        "near",
        {"threshold": 50.0, "theta_step": 3.0},
    ),
    "thresholds without end": ("lowest_theta, inf", "-inf, inf", {"threshold": 50.0, "theta_step": 60.0}),
    "silence changes nothing later": ("near or (total", "(total", {"threshold": 11.0}),
    "silence always changes as much": (
        "(N - 1)*int(total_spikes > 0 and not reached)",
        "0",
        {"threshold": 10.0, "neurons": 2},
    ),
    "any silence changes thresholds later": (
        "v >= firing_threshold/2",
        "v > -1000",
        {"encoder": "ttfs", "first_spikes": 25, "tau_m_ms": 8.0, "threshold": 1.4},
    ),
    "threshold decay left out": (
        "theta *= exp(-duration/theta_tau)",
        "theta *= 1",
        {"adaptation": "decaying", "theta_tau_ms": 400.0},
    ),
    "weight decay left out": ("w *= 1 - weight_decay", "w *= 1", {"weight_decay": 0.01}),
    "normalised to another size": ("w*goal", "w*1.001*goal", {"normalisation": "l1"}),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_break_of_the_equations_is_noticed(digits, monkeypatch, what):
    old, new, options = BREAKS[what]
    network = changed(LIVELY, **options)
    start = start_on(digits[:8], network)
    define = brian2_engine.define
    monkeypatch.setattr(
        brian2_engine, "define", lambda *args, **kwargs: broken(define(*args, **kwargs), old, new)
    )
    with pytest.raises(AssertionError, match=r"Arrays are not equal|Not equal to tolerance|assert Activity"):
        assert_same_learning(network, start)


@pytest.mark.exhaustive
@pytest.mark.parametrize("what", BREAKS)
def test_without_its_break_each_of_these_networks_is_the_same(digits, what):
    network = changed(LIVELY, **BREAKS[what][2])
    assert_same_learning(network, start_on(digits[:8], network))


def test_inhibition_that_comes_a_step_late_is_noticed(digits, monkeypatch):
    start = start_on(digits[:8], LIVELY)
    define = brian2_engine.define
    monkeypatch.setattr(
        brian2_engine, "define", lambda *args, **kwargs: inhibited_a_step_late(define(*args, **kwargs))
    )
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        assert_same_learning(LIVELY, start)


# --- good manners -----------------------------------------------------------------------------------


def test_brian2_is_left_as_it_was_found(digits, capfd, tmp_path, monkeypatch):
    import brian2 as simulator

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # others write to the one of all

    def state():
        files = os.listdir(tmp_path)
        return logger.level, simulator.get_device(), simulator.defaultclock.dt, files

    logger, simulator.prefs.codegen.target = logging.getLogger("brian2"), "auto"
    before = state()
    learned_by(brian2, LIVELY, start_on(digits[:1], LIVELY))
    assert state() == before
    assert simulator.prefs.codegen.target == "auto"
    assert capfd.readouterr() == ("", "")


def test_brian2_is_left_as_it_was_found_by_a_simulation_that_fails(digits, monkeypatch):
    import brian2 as simulator

    logger = logging.getLogger("brian2")
    before = logger.level, simulator.prefs.codegen.target
    define = brian2_engine.define
    monkeypatch.setattr(
        brian2_engine, "define", lambda *args, **kwargs: broken(define(*args, **kwargs), "v_post", "nobody")
    )
    weights, theta, images = start_on(digits[:1], LIVELY)
    expected = weights.copy()
    with pytest.raises(simulator.BrianObjectException):
        brian2.learn(LIVELY, weights, theta, images, seed=0, first=0, total=1)
    assert (logger.level, simulator.prefs.codegen.target) == before
    np.testing.assert_array_equal(weights, expected)


def test_the_engine_imports_brian2_only_when_it_runs():
    code = "import sys, fspinn.backends.brian2.engine; sys.exit('brian2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_unknown_target_is_refused(digits):
    weights, theta, images = start_on(digits[:1], LIVELY)
    with pytest.raises(ConfigError, match=r"^target: there is no 'gpu'; use one of numpy, cython, cpp_sta"):
        brian2.learn(LIVELY, weights, theta, images, seed=0, first=0, total=1, target="gpu")
    with pytest.raises(ConfigError, match=r"^target: there is no 'gpu'"):
        brian2.respond(LIVELY, weights, theta, images, seed=0, target="gpu")


@pytest.mark.exhaustive
@pytest.mark.parametrize(("rule", "inhibition_kind"), [("normalised", "clamp"), ("pair", "layer")])
def test_a_standalone_program_learns_the_same_and_leaves_nothing_behind(
    digits, rule, inhibition_kind, monkeypatch, tmp_path
):
    import brian2 as simulator

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    arguments = simulator.prefs.codegen.cpp.extra_compile_args_gcc
    simulator.prefs.codegen.cpp.extra_compile_args_gcc = [
        "-w",
        "-O0",
        "-std=c++11",
    ]  # compiles in half the time
    network = changed(LIVELY, rule=rule, inhibition=inhibition_kind, normalisation="l2")
    start = start_on(digits[:20], network)
    weights, theta = start[0].copy(), start[1].copy()
    try:
        counts, activity = brian2.learn(
            network, weights, theta, start[2], seed=5, first=0, total=20, target="cpp_standalone"
        )
    finally:
        simulator.prefs.codegen.cpp.extra_compile_args_gcc = arguments
    expected = learned_by(fast, network, start)
    np.testing.assert_array_equal(counts, expected[0])
    assert activity == expected[1]
    np.testing.assert_allclose(weights, expected[2], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(theta, expected[3], rtol=1e-9, atol=1e-13)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []  # Brian2 removes its logs at exit
    assert isinstance(simulator.get_device(), simulator.devices.RuntimeDevice)


def test_the_equations_of_a_column_and_of_a_stack_are_those_of_their_layers():
    column = changed(
        flat(neurons=4, field=(2, 3), inhibition="first", tau_m_ms=None, threshold=1.0), weight_norm=1.0
    ).network
    tensors = tensors_of(np.full((6, 4), 0.5), np.zeros(4)), tensors_of(np.full((4, 2), 0.5), np.zeros(2))
    readout = Readout("proportion", np.full((4, 2), 0.5, np.float32))
    alone = equations(Model(column, (6, 7), tensors[:1], readout))
    assert "v : 1  # potential" in alone["answering"]
    assert "Layer" not in alone["learning"]
    above = flat(neurons=2, weight_norm=1.0).network
    stack = replace(column, layers=(*column.layers, *above.layers))
    both = equations(Model(stack, (6, 7), tensors, replace(readout, table=readout.table[:2])))
    assert alone["answering"] in both["answering"]
    assert alone["learning"] in both["learning"]
    assert both["learning"].count("Layer ") == 2
