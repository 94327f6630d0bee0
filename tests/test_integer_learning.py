"""Learning in integers: the naive twin's numbers, what rounding does to small changes, what is refused."""

from dataclasses import replace

import naive_integers
import numpy as np
import pytest
from described import both, changed, dense, flat, stdp
from hypothesis import given, settings
from hypothesis import strategies as st
from runners import answering, fast, grid_for
from small_networks import LEARN_BY_STDP, LIVELY, network_of

import fspinn
from fspinn import datasets
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.randomness import TRAINING_SPIKES
from fspinn.learning.training import train
from fspinn.lowering.compiler import learning_plan
from fspinn.lowering.integer_learning import first_weights, learned_theta
from fspinn.lowering.plan import ADAPTATIONS
from fspinn.model.tensors import Formats
from fspinn.network.encoders import ENCODERS, BatchEncoder
from fspinn.quant.formats import ROUNDINGS, to_values


def start_of(network, seed, samples=4, pixels=(2, 3)):
    random = np.random.default_rng(seed)
    weights = random.random((pixels[0] * pixels[1], network.neurons)).astype(np.float32)
    theta = random.integers(-(2**20), 2**22, network.neurons).astype(np.int32)
    images = random.integers(0, 256, (samples, *pixels), dtype=np.uint8)
    images[random.random(images.shape) < 0.3] = 0
    return weights, theta, images


def learn(network, grid, weights, theta, images, seed=5, first=2, total=9, earlier_spikes=0):
    weights, theta = weights.copy(), theta.copy()
    plan = learning_plan(network.setup.network, network.setup.learner, weights, theta, grid)
    spikes = BatchEncoder(plan.encoding).encode(images, seed, TRAINING_SPIKES, first)
    response = fast.backend.learn(plan, spikes, total, earlier_spikes)
    return response.spike_counts, weights, theta, response.activity[0], response.range


networks = st.builds(
    network_of,
    neurons=st.integers(1, 5),
    duration_ms=st.sampled_from([1.0, 65.0]),
    encoder=st.sampled_from(ENCODERS),
    rate_norm_hz=st.sampled_from([200.0, 800.0]),
    first_spikes=st.sampled_from([None, 3]),
    tau_m_ms=st.sampled_from([3.0, 20.0]),
    threshold=st.sampled_from([0.5, 2.0]),
    inhibition=st.sampled_from(LEARN_BY_STDP),
    inhibition_strength=st.sampled_from([0.0, 0.7]),
    inhibition_of=st.just("threshold"),
    rule=st.sampled_from(["normalised", "timestep"]),
    window_ms=st.sampled_from([None, 50.0, 7.0, 1.0]),
    spike_threshold=st.sampled_from([None, 1, 3]),
    learning_rate=st.sampled_from([0.0, 0.1, 0.7]),
    depression_rate=st.sampled_from([0.0, 0.05]),
    trace_tau_ms=st.sampled_from([0.5, 20.0]),
    adaptation=st.sampled_from(ADAPTATIONS),
    theta_step=st.sampled_from([0.0, 0.3]),
    theta_tau_ms=st.sampled_from([100.0, 1e7]),
    weight_norm=st.sampled_from([1.0, 1.7]),
)


@settings(max_examples=20, deadline=None)
@given(
    networks,
    st.sampled_from(["UQ0.1", "UQ0.4", "UQ0.8", "UQ1.3"]),
    st.sampled_from(["Q4.3", "Q5.11", "UQ5.6", "Q5.15", None]),
    st.sampled_from(ROUNDINGS),
    st.integers(0, 2**32),
    st.sampled_from([0, 2, 50]),
)
def test_learning_has_the_numbers_of_the_naive_twin(network, weights, state, rounding, seed, earlier_spikes):
    grid = grid_for(network, 6, weights, state, rounding)
    values, theta, images = start_of(network, seed)
    start = first_weights(values, grid)
    counts, weights, theta_after, activity, span = learn(
        network, grid, start, theta, images, seed=seed, earlier_spikes=earlier_spikes
    )
    expected = naive_integers.learn(network, grid, start, theta, images, seed, 2, 9, earlier_spikes)
    assert counts.tolist() == expected[0].tolist()
    assert weights.tolist() == expected[1]
    assert theta_after.tolist() == expected[2]
    assert activity == expected[3]
    assert span.saturations == expected[4]


def lively(weights="UQ0.4", state="Q6.6", rounding="stochastic", **more):
    network = changed(LIVELY, **more)
    grid = grid_for(network, 6, weights, state, rounding)
    values, theta, images = start_of(network, 1, samples=9)
    return network, grid, first_weights(values, grid), theta, images


def test_two_parts_of_a_run_are_the_whole_run():
    network, grid, weights, theta, images = lively()
    whole = learn(network, grid, weights, theta, images)
    _, some_weights, some_theta, before, _ = learn(network, grid, weights, theta, images[:4])
    _, end_weights, end_theta, after, _ = learn(network, grid, some_weights, some_theta, images[4:], first=6)
    np.testing.assert_array_equal(end_weights, whole[1])
    np.testing.assert_array_equal(end_theta, whole[2])
    assert before + after == whole[3]
    assert (whole[1] != weights).any()


def test_what_was_learned_answers_as_it_did_while_learning():
    """With steps of size 0 learning is answering: same potentials, same thresholds, same spikes."""
    network, grid, weights, theta, images = lively(
        learning_rate=0, learning_rate_end=0, theta_step=0, theta_step_end=0, adaptation="off"
    )
    counts, *_ = learn(network, grid, weights, theta, images, first=0)
    values, theta_format = learned_theta(theta, network.firing_threshold, grid)
    formats = Formats(grid.weights, grid.state, theta_format)
    plan = answering(network, to_values(weights, grid.weights), values, formats)
    spikes = BatchEncoder(plan.encoding).encode(images, 5, TRAINING_SPIKES)
    answers = fast.backend.respond(plan, spikes).spike_counts
    np.testing.assert_array_equal(answers, counts)
    assert counts.sum() > 0


# --- rounding ---------------------------------------------------------------------------------------


def drift(rounding, rate, presentations=3000):
    """Show one bright pixel again and again to a neuron whose weight is half of its target.

    Returns by how many of its steps the weight has changed.
    """
    network = flat(
        neurons=1,
        duration_ms=30.0,
        weight_norm=0.9375,
        threshold=1.0,
        adaptation="off",
        learning_rate=rate,
        learning_rate_end=rate,
    )
    grid = grid_for(network, 1, "UQ0.4", "Q4.8", rounding)
    weights, theta = np.array([[8]], np.uint8), np.zeros(1, np.int32)
    images = np.full((presentations, 1, 1), 255, np.uint8)
    counts, weights, *_ = learn(network, grid, weights, theta, images, first=0, total=presentations)
    assert counts.all()
    return int(weights[0, 0]) - 8


def test_nearest_rounding_loses_changes_below_half_a_step_and_stochastic_does_not():
    # The target is 7 steps away: a change of 0.07 * 7 = 0.49 of a step, and one of 0.08 * 7 = 0.56.
    assert drift("nearest", 0.07) == 0
    assert drift("nearest", 0.08) > 0
    # A hundredth of a step each time: 3,000 of them lead to the target.
    assert drift("nearest", 0.01 / 7) == 0
    assert drift("truncate", 0.01 / 7) == 0
    assert drift("stochastic", 0.01 / 7) >= 5


def test_stochastic_rounding_moves_a_weight_by_the_change_on_average():
    rate, presentations = 0.01, 40
    network = flat(
        neurons=1,
        duration_ms=30.0,
        weight_norm=15 / 16,
        threshold=1.0,
        adaptation="off",
        learning_rate=rate,
        learning_rate_end=rate,
    )
    grid = grid_for(network, 1, "UQ0.4", "Q4.8", "stochastic")
    images = np.full((presentations, 1, 1), 255, np.uint8)
    ends = [
        learn(
            network, grid, np.array([[8]], np.uint8), np.zeros(1, np.int32), images, seed=s, first=0, total=40
        )[1][0, 0]
        for s in range(300)
    ]
    expected = 15 - 7 * (1 - rate) ** presentations
    assert abs(np.mean(ends) - expected) < 4 * np.std(ends) / np.sqrt(len(ends))


# --- as a user trains -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    data = datasets.load("digits", validation=300)
    return replace(data, train=data.train.first(900))


@pytest.fixture(scope="module")
def trained(digits):
    return train(dense(60), digits, learner=stdp(passes=4), weights="UQ0.4")


def test_a_network_that_learned_in_four_bits_reads_digits(digits, trained):
    model = trained.model
    assert {str(f) for f in (model.layer.weights.format, model.layer.state, model.readout.format)} == {
        "UQ0.4",
        "Q10.6",
        "UQ0.8",
    }
    numbers = model.layer.weights.numbers
    assert (numbers.min(), numbers.max(), numbers.dtype) == (0, 15, np.uint8)
    assert trained.validation.accuracy > 0.8
    learning = model.record["quantization"]["learning"]
    assert (learning["rounding"], learning["saturations"]) == ("stochastic", 0)
    assert learning["lowest"] < 0 < learning["highest"]


def test_it_is_kept_and_answers_the_same(digits, trained, tmp_path):
    fspinn.save(trained.model, tmp_path / "net4.h5")
    again = fspinn.evaluate(fspinn.load(tmp_path / "net4.h5"), digits.validation)
    np.testing.assert_array_equal(again.predictions, trained.validation.predictions)


def test_potentials_that_leave_the_state_are_counted_while_learning(digits):
    few = replace(digits, train=digits.train.first(250))
    strong = dense(20, inhibition_strength=2.0)
    narrow = train(strong, few, learner=stdp(passes=1), weights="UQ0.4", state="Q8.4").model
    assert narrow.record["quantization"]["learning"]["saturations"] > 0


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(digits, tmp_path, monkeypatch):
    data, network = replace(digits, train=digits.train.first(600)), dense(12, duration_ms=50.0)
    how = {"learner": stdp(passes=2), "weights": "UQ0.3", "state": "Q9.5"}
    whole = train(network, data, **how).model
    original, calls = fast.backend.learn, []

    def failing(*arguments, **named):
        answer = original(*arguments, **named)
        calls.append(1)
        if len(calls) > 4:
            raise KeyboardInterrupt
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(fast.backend, "learn", failing)
        with pytest.raises(KeyboardInterrupt):
            train(network, data, **how, checkpoint=tmp_path / "run")
    resumed = train(network, data, **how, checkpoint=tmp_path / "run", resume=True).model
    assert resumed.layer.weights.numbers.tobytes() == whole.layer.weights.numbers.tobytes()
    assert resumed.layer.theta.numbers.tobytes() == whole.layer.theta.numbers.tobytes()
    assert resumed.record == whole.record
    (tmp_path / "other").write_bytes((tmp_path / "run").read_bytes())
    with pytest.raises(ConfigError, match=r"rounding stochastic there, nearest here"):
        train(network, data, **how, rounding="nearest", checkpoint=tmp_path / "other", resume=True)


@pytest.mark.parametrize(
    ("network", "how", "error", "words"),
    [
        (
            {"rule": "pair"},
            {},
            ConfigError,
            r"^rule: no learning in integers with 'pair'; use normalised or timestep, or quantize after trai",
        ),
        (
            {"normalisation": "l2"},
            {},
            ConfigError,
            r"^normalisation: no learning in integers with 'l2'; use off",
        ),
        (
            {"weight_decay": 0.1},
            {},
            ConfigError,
            r"^weight_decay: no learning in integers with 0\.1; use 0\.0",
        ),
        (
            {},
            {"weights": "UQ0.9"},
            FormatError,
            r"^weights: UQ0\.9 has 9 bits; the integer engine learns with up to 8, such as UQ0\.8",
        ),
        ({}, {"weights": "UQ0.0"}, FormatError, "has 0 bits"),
        ({}, {"weights": "four"}, FormatError, "'four' is not a number format"),
        (
            {},
            {"rounding": "up"},
            FormatError,
            "'up' is not a rounding; use one of truncate, nearest, stochastic",
        ),
        ({}, {"state": "Q5.4"}, FormatError, r"^state: Q5\.4 cannot hold the range"),
        ({"answer_threshold": 900.0}, {"state": "Q9.4"}, FormatError, r"^state: Q9\.4 cannot hold the range"),
        ({}, {"state": "Q9.16"}, FormatError, r"^state: Q9\.16 has 25 bits"),
        (
            {},
            {"engine": "brian2"},
            ConfigError,
            "^weights: the engine brian2 does not learn in integers; use numba$",
        ),
        (
            {},
            {"weights": None, "state": "Q9.4"},
            ConfigError,
            "^state: goes with weights in integers; give a format of the weights too$",
        ),
    ],
)
def test_what_cannot_be_learned_is_refused_before_learning(digits, network, how, error, words):
    chosen = both(neurons=20, **network)
    with pytest.raises(error, match=words) as refused:
        train(chosen.network, digits, learner=chosen.learner, **{"weights": "UQ0.4", **how})
    assert "\n" not in str(refused.value)
