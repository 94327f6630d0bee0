"""The fast engine does what `fspinn.model` says: the naive twin's bits, and what follows on paper."""

from dataclasses import replace

import naive
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fspinn
from fspinn.engines import float_engine, neuron_kernels, window_kernels
from fspinn.engines.team_kernels import LINE, wait
from fspinn.errors import ConfigError
from fspinn.model import (
    ADAPTATIONS,
    ENCODERS,
    INHIBITION_KINDS,
    INHIBITION_OF,
    NORMALISATIONS,
    RULES,
    Network,
)
from fspinn.trained import Activity


def network_of(inhibition, inhibition_of, **parts):
    """A network; of a potential no more than all of it is taken."""
    inhibition = min(inhibition, 1.0) if inhibition_of == "potential" else inhibition
    return Network(inhibition=inhibition, inhibition_of=inhibition_of, **parts)


def networks_of(**fixed):
    parts = {
        "neurons": st.integers(1, 5),
        "duration_ms": st.sampled_from([1.0, 40.0, 65.0]),
        "encoder": st.sampled_from(ENCODERS),
        "rate_norm_hz": st.sampled_from([200.0, 800.0]),
        "first_spikes": st.sampled_from([None, 3]),
        "tau_m_ms": st.sampled_from([3.0, 20.0, 100.0]),
        "refractory_ms": st.sampled_from([0.0, 3.0]),
        "threshold": st.sampled_from([0.5, 2.0, 8.0]),
        "inhibition_kind": st.sampled_from(INHIBITION_KINDS),
        "inhibition": st.sampled_from([0.0, 0.7, 1.5]),
        "inhibition_of": st.sampled_from(INHIBITION_OF),
        "inhibition_floor": st.sampled_from([None, 0.0, -0.5, 0.3]),
        "inhibition_ms": st.sampled_from([0.0, 1.0, 6.0]),
        "rule": st.sampled_from(RULES),
        "window_ms": st.sampled_from([None, 50.0, 7.0, 1.0]),
        "spike_threshold": st.sampled_from([None, 1, 3]),
        "learning_rate": st.sampled_from([0.0, 0.1, 0.7]),
        "depression_rate": st.sampled_from([0.0, 0.05]),
        "trace_tau_ms": st.sampled_from([0.5, 20.0]),
        "target_trace": st.sampled_from([0.0, 0.4]),
        "adaptation": st.sampled_from(ADAPTATIONS),
        "theta_step": st.sampled_from([0.0, 0.3]),
        "theta_tau_ms": st.sampled_from([100.0, 1e7]),
        "weight_norm": st.sampled_from([1.0, 1.7]),
        "normalisation": st.sampled_from(NORMALISATIONS),
        "weight_decay": st.sampled_from([0.0, 0.01]),
    }
    return st.builds(network_of, **{**parts, **{name: st.just(value) for name, value in fixed.items()}})


# One presentation after another in which everything happens: ties aside, each part of the time step matters.
LIVELY = Network(
    neurons=4,
    duration_ms=130.0,
    rate_norm_hz=700.0,
    tau_m_ms=15.0,
    refractory_ms=3.0,
    threshold=1.5,
    inhibition=0.7,
    window_ms=50.0,
    spike_threshold=3,
    learning_rate=0.2,
    theta_step=0.2,
    weight_norm=1.0,
)


def start_of(network, seed, samples=3, pixels=(2, 3)):
    """Random weights, theta and images for a network."""
    random = np.random.default_rng(seed)
    n_inputs = pixels[0] * pixels[1]
    weights = random.random((n_inputs, network.neurons), dtype=np.float32)
    theta = (0.2 * random.standard_normal(network.neurons)).astype(np.float32)
    images = random.integers(0, 256, (samples, *pixels), dtype=np.uint8)
    images[random.random(images.shape) < 0.3] = 0
    return weights, theta, images


def learn_with(engine, network, start, seed=0, first=0, total=5, **more):
    weights, theta, images = start[0].copy(), start[1].copy(), start[2]
    counts, activity = engine.learn(
        network, weights, theta, images, seed=seed, first=first, total=total, **more
    )
    return counts.tolist(), weights.tobytes(), theta.tobytes(), activity


def one_pixel(weights, threshold, **more):
    """A network of one input that spikes in every step: a constant drive of `weights`."""
    network = Network(
        neurons=len(weights), weight_norm=1.0, threshold=threshold, rate_norm_hz=1e7, refractory_ms=0.0
    )
    return replace(network, **more), np.array([weights], dtype=np.float32)


def spikes_by_step(network, weights, steps, theta=None):
    """Which neuron spikes in each step (None: nobody), from presentations of growing length."""
    theta = np.zeros(network.neurons, np.float32) if theta is None else np.asarray(theta, np.float32)
    image = np.full((1, 1, 1), 255, np.uint8)
    before = np.zeros(network.neurons, int)
    winners = []
    for t in range(steps):
        longer = replace(network, duration_ms=(t + 1) * network.dt_ms)
        (counts,), _ = float_engine.respond(longer, weights, theta, image, seed=0, threads=1)
        (new,) = (counts - before).nonzero() if t else counts.nonzero()
        assert (counts - before).sum() <= 1
        winners.append(int(new[0]) if new.size else None)
        before = counts
    return winners


class Stepper:
    """Runs the engine's kernel step by step on given input spikes, with its state in view."""

    def __init__(self, network, weights, theta=None, learning=False):
        self.weights = np.array(weights, dtype=np.float32)
        n_inputs, n_neurons = self.weights.shape
        self.theta = np.zeros(n_neurons, np.float32) if theta is None else np.array(theta, np.float32)
        self.constants = float_engine._constants(network, n_inputs, np.float32)
        self.state = window_kernels.make_state(
            n_inputs, n_neurons, (0, 1, 0), 0, np.zeros(n_neurons, np.float32)
        )
        self.board = window_kernels.make_board(1, network.steps, n_inputs)
        neuron_kernels.set_thresholds(self.state.thresholds, self.constants.firing_threshold, self.theta)
        self.state.carried[window_kernels.PARTNER] = -1
        self.teaching = np.float32(network.learning_rate), np.float32(network.theta_step), learning
        self.activity = np.zeros(11, np.int64)
        self.t = 0

    def step(self, *inputs):
        """Let these inputs spike; return the neuron that spikes, or None."""
        self.board.inputs[0, self.t, : len(inputs)] = inputs
        self.board.spikes_in_step[0, self.t] = len(inputs)
        before = self.state.spike_counts.copy()
        window_kernels.run_window(
            self.t,
            self.t + 1,
            (self.board.spikes_in_step[0], self.board.inputs[0]),
            self.weights,
            self.theta,
            self.teaching,
            self.constants,
            self.state,
            self.board,
            self.activity,
        )
        self.t += 1
        (new,) = (self.state.spike_counts - before).nonzero()
        return int(new[0]) if new.size else None

    @property
    def potentials(self):
        return self.state.potentials.tolist()


def stepper(weights, threshold, learning=False, theta=None, **more):
    """A Stepper of a network without leak."""
    network = Network(
        neurons=len(weights[0]), weight_norm=1.0, threshold=threshold, tau_m_ms=1e12, adaptation="off"
    )
    return Stepper(replace(network, **more), weights, theta, learning)


# --- the naive twin ---------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(0, 7), max_size=8).map(sorted), st.floats(0, 1, width=32), st.integers(0, 2**32))
def test_one_step_of_integration_has_the_bits_of_the_naive_twin(inputs, leak, seed):
    random = np.random.default_rng(seed)
    weights = random.standard_normal((8, 3)).astype(np.float32)
    potentials = random.standard_normal(3).astype(np.float32)
    expected = potentials.copy()
    neuron_kernels.integrate(potentials, weights, np.array(inputs, np.int32), np.float32(leak))
    naive.integrate(expected, weights, inputs, np.float32(leak))
    np.testing.assert_array_equal(potentials, expected)


def test_rows_are_added_in_the_order_of_the_inputs():
    weights = np.array([[2.0**24], [1.0], [-(2.0**24)]], np.float32)
    potentials = np.zeros(1, np.float32)
    neuron_kernels.integrate(potentials, weights, np.arange(3, dtype=np.int32), np.float32(0.5))
    assert potentials.tolist() == [0.0]  # in any other order 1, since 2**24 + 1 is no float32


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(-2, 2)] * 2, st.booleans()), min_size=1, max_size=6))
def test_who_spikes_is_who_the_naive_twin_says(neurons):
    """Few different values, so that ties are the rule."""
    potentials, theta, may_spike = (np.array(column) for column in zip(*neurons, strict=True))
    ready_at = np.where(may_spike, 5, 6)
    found = neuron_kernels.find_spike(
        potentials.astype(np.float32), theta.astype(np.float32) + np.float32(0.5), ready_at, 5
    )
    expected = naive.find_spike(potentials, theta + 0.5, may_spike)
    assert found == (-1 if expected is None else expected)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("inhibition_kind", INHIBITION_KINDS)
def test_learning_has_the_bits_of_the_naive_twin(rule, inhibition_kind):
    @settings(max_examples=25, deadline=None)
    @given(
        networks_of(rule=rule, inhibition_kind=inhibition_kind),
        st.integers(0, 2**32),
        st.integers(-(2**65), 2**65),
        st.integers(0, 2),
    )
    def holds(network, start_seed, seed, first):
        start = start_of(network, start_seed)
        assert learn_with(float_engine, network, start, seed, first) == learn_with(
            naive, network, start, seed, first
        )

    holds()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("inhibition_kind", INHIBITION_KINDS)
def test_learning_has_the_same_bits_with_any_number_of_threads(monkeypatch, rule, inhibition_kind):
    monkeypatch.setattr(float_engine, "NEURONS_PER_THREAD", 1)

    @settings(max_examples=5, deadline=None)
    @given(networks_of(rule=rule, inhibition_kind=inhibition_kind), st.integers(0, 2**32), st.integers(2, 3))
    def holds(network, start_seed, threads):
        start = start_of(network, start_seed)
        alone = learn_with(float_engine, network, start)
        assert learn_with(float_engine, network, start, threads=threads) == alone

    holds()


def test_learning_on_digits_has_the_same_bits_with_any_number_of_threads():
    digits = fspinn.datasets.load("digits")
    network = Network(neurons=1000, encoder="regular", inhibition=0.6, weight_norm=4.0, learning_rate=0.3)
    random = np.random.default_rng(0)
    weights = random.random((64, 1000), dtype=np.float32)
    start = weights, np.zeros(1000, np.float32), digits.train.images[:100]
    alone = learn_with(float_engine, network, start)
    assert alone[-1].output_spikes > 300
    for threads in (2, 3, 5):
        assert learn_with(float_engine, network, start, threads=threads) == alone


def test_members_of_a_team_that_is_stopped_do_not_wait_for_ever():
    rounds = np.zeros(3 * LINE, np.int64)
    rounds[2 * LINE] = 1
    with pytest.raises(RuntimeError, match="the team was stopped"):
        wait(rounds, 0, 1)


@pytest.mark.parametrize("failing", [0, 1])
def test_a_team_whose_member_fails_is_stopped(monkeypatch, failing):
    """Nothing of the batch is kept then."""
    monkeypatch.setattr(float_engine, "NEURONS_PER_THREAD", 1)
    real = float_engine.kernels.learn_batch

    def fails(*arguments):
        if arguments[6][0] == failing:  # place
            raise MemoryError("no room")
        real(*arguments)

    monkeypatch.setattr(float_engine.kernels, "learn_batch", fails)
    weights, theta, images = start_of(LIVELY, 0)
    before = weights.copy(), theta.copy()
    with pytest.raises(MemoryError, match="no room"):
        float_engine.learn(LIVELY, weights, theta, images, seed=0, first=0, total=5, threads=2)
    np.testing.assert_array_equal(weights, before[0])
    np.testing.assert_array_equal(theta, before[1])


@settings(max_examples=40, deadline=None)
@given(networks_of(), st.integers(0, 2**32), st.integers(0, 2**40))
def test_answering_has_the_bits_of_the_naive_twin(network, start_seed, first):
    weights, theta, images = start_of(network, start_seed)
    counts, activity = float_engine.respond(network, weights, theta, images, seed=1, first=first)
    expected, expected_activity = naive.respond(network, weights, theta, images, seed=1, first=first)
    np.testing.assert_array_equal(counts, expected)
    assert activity == expected_activity


@pytest.mark.parametrize("kept", [0, 1, 7, 500])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_order_of_the_spikes_is_the_naive_one(kept, threads):
    weights, theta, images = start_of(LIVELY, 5, samples=4)
    order, steps = np.full((2, 4, kept), 77, np.int32)
    float_engine.respond(
        LIVELY,
        weights,
        theta,
        images,
        seed=1,
        first=2,
        threads=threads,
        spike_order=order,
        spike_steps=steps,
    )
    for m, image in enumerate(images):
        spikes, _ = naive.present(LIVELY, weights, theta, image, naive.stream_key(1, 2, 2 + m))
        missing = [-1] * (kept - len(spikes))
        assert 7 < len(spikes) < 500
        assert order[m].tolist() == [neuron for _, neuron in spikes][:kept] + missing
        assert steps[m].tolist() == [t for t, _ in spikes][:kept] + missing


@pytest.mark.parametrize("weight_power", [0.0, 0.4, 2.0])
def test_powers_other_than_one_agree_to_a_few_bits(weight_power):
    """The last bit of a power depends on the mathematical library."""
    network = replace(LIVELY, rule="postonly", weight_power=weight_power, threshold=3.0)
    weights, theta, images = start_of(network, 1)
    expected_weights, expected_theta = weights.copy(), theta.copy()
    float_engine.learn(network, weights, theta, images, seed=0, first=0, total=5)
    naive.learn(network, expected_weights, expected_theta, images, seed=0, first=0, total=5)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-4, atol=1e-6)


def test_the_lively_network_uses_every_rule():
    start = start_of(LIVELY, 0, samples=4)
    counts, weights, theta, activity = learn_with(naive, LIVELY, start)
    assert (weights, theta) != (start[0].tobytes(), start[1].tobytes())
    assert np.count_nonzero(np.sum(counts, axis=0)) > 1
    assert activity.output_spikes > activity.windows > activity.samples


def _leak_after_input(potentials, weights, inputs, leak):
    for i in inputs:
        potentials += weights[i]
    potentials *= leak


def _no_leak(potentials, weights, inputs, leak):
    for i in inputs:
        potentials += weights[i]


def _highest_potential(potentials, thresholds, may_spike):
    reached = [j for j in range(potentials.size) if may_spike[j] and potentials[j] >= thresholds[j]]
    return max(reached, key=lambda j: potentials[j], default=None)


def _never_refractory(potentials, thresholds, may_spike):
    return _find_spike(potentials, thresholds, np.ones_like(may_spike))


_find_spike = naive.find_spike


def _no_inhibition(network, potentials, spared):
    pass


def _all_pay(network, potentials, spared):
    _take_toll(network, potentials, None)


def _another_is_spared(network, potentials, spared):
    _take_toll(network, potentials, (spared + 1) % potentials.size)


def _the_floor_lifts(network, potentials, spared):
    _take_toll(network, potentials, spared)
    others = np.arange(potentials.size) != spared
    potentials[others] = np.maximum(potentials[others], naive.floor_of(network))


def _toll_before_leak(network, potential):
    return np.float32(0.7) * _toll(network, potential)


_take_toll, _toll = naive.take_toll, naive.toll


def _theta_not_shared(theta, winner, step):
    theta[winner] += step


def _theta_shared_by_the_others_only(theta, winner, step):
    theta -= step / np.float32(theta.size - 1)
    theta[winner] += step


def _target_not_capped(weights, winner, counts, weight_norm, rate):
    weights[:, winner] *= 1 - rate
    weights[:, winner] += rate * weight_norm * counts / max(np.linalg.norm(counts), 1)
    return counts.any()


@pytest.mark.parametrize(
    ("part", "broken"),
    [
        ("integrate", _leak_after_input),
        ("integrate", _no_leak),
        ("find_spike", _highest_potential),
        ("find_spike", _never_refractory),
        ("take_toll", _no_inhibition),
        ("take_toll", _all_pay),
        ("take_toll", _another_is_spared),
        ("shift_thresholds", _theta_not_shared),
        ("shift_thresholds", _theta_shared_by_the_others_only),
        ("move_towards_input", _target_not_capped),
        ("potentiation_factor", lambda spikes, spike_threshold: 1),
        ("annealed", lambda start, end, number, total: start),
        ("stream_key", lambda seed, purpose, sample: 0),
    ],
)
def test_the_comparison_notices_a_broken_rule(monkeypatch, part, broken):
    assert_noticed(monkeypatch, LIVELY, part, broken)


def assert_noticed(monkeypatch, network, part, broken):
    start = start_of(network, 0, samples=4)
    right = learn_with(float_engine, network, start)
    assert right == learn_with(naive, network, start)
    monkeypatch.setattr(naive, part, broken)
    assert right != learn_with(naive, network, start)


def _set_trace(traces, index):
    traces[index] = 1


def _nothing(*arguments):
    pass


def _depress_by_one(weights, i, rate, post_traces):
    _depress_input(weights, i, rate, np.ones_like(post_traces))


def _unbounded_depression(weights, i, rate, post_traces):
    weights[i] -= np.float32(rate) * post_traces


def _no_power(weights, neuron, traces, rate, target_trace, weight_power):
    _power_law(weights, neuron, traces, rate, target_trace, 0.0)


def _no_target(weights, neuron, traces, rate, target_trace, weight_power):
    _power_law(weights, neuron, traces, rate, 0.0, weight_power)


def _normalisation_before_decay(network, weights):
    naive.normalise(weights, network.normalisation, network.weight_norm)
    naive.decay_weights(network, weights)
    return 2


def _normalisation_of_all_together(weights, kind, weight_norm):
    weights *= np.float32(weight_norm * np.sqrt(weights.shape[1]) / np.linalg.norm(weights))


def _l2_for_l1(weights, kind, weight_norm):
    _normalise(weights, "l2", weight_norm)


def _decay_in_every_step(network, theta):
    theta *= np.float32(np.exp(-network.dt_ms / network.theta_tau_ms))


_depress_input, _power_law, _normalise = naive.depress_input, naive.power_law, naive.normalise

LAYER = {"inhibition_kind": "layer", "inhibition_ms": 4.0}
CLAMP = {"inhibition_kind": "clamp", "inhibition_ms": 4.0}
PAIR = {"rule": "pair", "depression_rate": 0.05}
# So that weights meet 0: short windows without a spike.
TIMESTEP = {"rule": "timestep", "depression_rate": 0.05, "window_ms": 6.0, "threshold": 4.0}
POSTONLY = {"rule": "postonly"}


@pytest.mark.parametrize(
    ("options", "part", "broken"),
    [
        (LAYER, "take_toll", _no_inhibition),
        (LAYER, "take_toll", _all_pay),
        (LAYER, "take_toll", _another_is_spared),
        (LAYER, "toll_is_due", lambda network, t: t),
        (LAYER, "toll_is_due", lambda network, t: t + 2),
        (LAYER, "partner_is_ready", lambda network, since: True),
        (LAYER, "partner_is_ready", lambda network, since: since >= network.inhibition_steps),
        (LAYER, "partner_is_ready", lambda network, since: since > network.inhibition_steps + 1),
        ({**LAYER, "inhibition_of": "potential"}, "toll", _toll_before_leak),
        ({"inhibition_of": "potential"}, "take_toll", _another_is_spared),
        ({"inhibition_of": "potential"}, "toll", lambda network, potential: np.float32(0.7)),
        (CLAMP, "is_clamped", lambda network, since: since < network.inhibition_steps),
        (CLAMP, "is_clamped", lambda network, since: since <= network.inhibition_steps + 1),
        (CLAMP, "is_clamped", lambda network, since: False),
        ({"inhibition_floor": 0.0}, "floor_of", lambda network: np.float32(-np.inf)),
        ({"inhibition_floor": -0.2}, "floor_of", lambda network: np.float32(0.0)),
        ({"inhibition_floor": 0.3}, "take_toll", _the_floor_lifts),
        (PAIR, "raise_trace", _set_trace),
        (PAIR, "decay_traces", _nothing),
        (PAIR, "depress_input", _nothing),
        (PAIR, "depress_input", _depress_by_one),
        (PAIR, "depress_input", _unbounded_depression),
        (PAIR, "potentiate", _nothing),
        (PAIR, "within_bounds", lambda weight: weight),
        (TIMESTEP, "raise_trace", _set_trace),
        (TIMESTEP, "decay_traces", _nothing),
        (TIMESTEP, "depress_window", _nothing),
        (TIMESTEP, "potentiate", _nothing),
        (TIMESTEP, "potentiation_factor", lambda spikes, spike_threshold: 1),
        (TIMESTEP, "within_bounds", lambda weight: weight),
        (POSTONLY, "raise_trace", _set_trace),
        (POSTONLY, "decay_traces", _nothing),
        (POSTONLY, "power_law", _no_power),
        (POSTONLY, "power_law", _no_target),
        ({"adaptation": "decaying", "theta_tau_ms": 500.0}, "decay_thresholds", _nothing),
        ({"adaptation": "decaying", "theta_tau_ms": 500.0}, "decay_thresholds", _decay_in_every_step),
        ({"adaptation": "decaying"}, "raise_threshold", _nothing),
        ({"weight_decay": 0.01}, "decay_weights", _nothing),
        ({"weight_decay": 0.01, "normalisation": "l2"}, "tidy_weights", _normalisation_before_decay),
        ({"normalisation": "l2"}, "normalise", _nothing),
        ({"normalisation": "l2"}, "normalise", _normalisation_of_all_together),
        ({"normalisation": "l1"}, "normalise", _l2_for_l1),
        ({"encoder": "regular"}, "phase", lambda pixel: 0),
        ({"encoder": "ttfs"}, "ttfs", lambda image, steps, most: naive.poisson(image, 0, steps, 1.0)),
    ],
)
def test_the_comparison_notices_a_broken_option(monkeypatch, options, part, broken):
    assert_noticed(monkeypatch, replace(LIVELY, **options), part, broken)


def test_the_comparison_notices_thresholds_of_a_silent_network(monkeypatch):
    network = replace(LIVELY, threshold=1e6)
    start = start_of(network, 0)
    assert learn_with(float_engine, network, start) == learn_with(naive, network, start)
    monkeypatch.setattr(naive, "lower_thresholds", lambda theta, step: None)
    assert learn_with(float_engine, network, start) != learn_with(naive, network, start)


# --- on paper ---------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    weight=st.floats(0.05, 1.0), tau_ms=st.floats(3.0, 300.0), refractory_ms=st.sampled_from([0.0, 3.0, 40.0])
)
def test_a_constant_drive_makes_the_spikes_of_the_closed_form(weight, tau_ms, refractory_ms):
    """``v(n) = w (1 - a**n) / (1 - a)`` reaches the threshold in step n, and the neuron starts again at 0."""
    threshold, steps = 4.0, 200
    network, weights = one_pixel(
        [weight], threshold, tau_m_ms=tau_ms, refractory_ms=refractory_ms, duration_ms=float(steps)
    )
    leak = np.exp(-1.0 / tau_ms)
    remaining = 1 - threshold * (1 - leak) / float(weights[0, 0])
    assume(abs(remaining) > 1e-3)
    if remaining < 0:
        expected = 0
    else:
        exact = np.log(remaining) / np.log(leak)
        assume(abs(exact - round(exact)) > 1e-3)
        first = int(np.ceil(exact))
        between = max(first, 1 + int(refractory_ms))
        expected = 0 if first > steps else 1 + (steps - first) // between
    image = np.full((1, 1, 1), 255, np.uint8)
    counts, _ = float_engine.respond(network, weights, np.zeros(1, np.float32), image, seed=0)
    assert counts.tolist() == [[expected]]


@pytest.mark.parametrize("refractory_steps", [0, 1, 3])
def test_a_refractory_neuron_is_silent_for_exactly_that_many_steps(refractory_steps):
    network, weights = one_pixel([1.0], 1.0, refractory_ms=0.5 * refractory_steps, dt_ms=0.5)
    expected = [0 if t % (refractory_steps + 1) == 0 else None for t in range(12)]
    assert spikes_by_step(network, weights, 12) == expected


def test_a_refractory_neuron_integrates():
    network, weights = one_pixel([1.0], 3.0, refractory_ms=5.0, tau_m_ms=1e12)
    # Step 3 of every ramp from 0; the second ramp is over before the neuron may spike in step 3 + 6.
    assert [t for t, neuron in enumerate(spikes_by_step(network, weights, 20)) if neuron == 0] == [2, 8, 14]


def test_a_spike_takes_the_stated_part_of_the_threshold_from_all_others():
    """Worked out by hand: threshold 8, a spike takes 4, no leak, drives of 1 and 3/4."""
    network, weights = one_pixel([1.0, 0.75], 8.0, inhibition=0.5, tau_m_ms=1e12)
    winners = spikes_by_step(network, weights, 24)
    # Neuron 0 spikes in step 8, when neuron 1 is at 6; in step 16 both are at 8, and the first goes;
    # neuron 1 climbs from 4 to 8.5 in step 22.
    assert {t + 1: neuron for t, neuron in enumerate(winners) if neuron is not None} == {8: 0, 16: 0, 22: 1}


def taken(potentials, spared, fixed, part, floor=-np.inf):
    potentials = np.array(potentials, dtype=np.float32)
    neuron_kernels.take_toll(potentials, spared, np.float32(fixed), np.float32(part), np.float32(floor))
    return potentials.tolist()


def test_inhibition_takes_exactly_the_toll_and_can_go_below_zero():
    others = np.array([1.0, 0.25, -3.0], dtype=np.float32) - np.float32(0.7)
    assert taken([1.0, 9.0, 0.25, -3.0], 1, 0.7, 0.0) == [others[0], 9.0, others[1], others[2]]


@pytest.mark.parametrize("spared", [0, 1, 2])
def test_all_of_the_potential_is_a_full_reset_of_all_but_one(spared):
    expected = [0.0, 0.0, 0.0]
    expected[spared] = [1.0, 0.125, 7.5][spared]
    assert taken([1.0, 0.125, 7.5], spared, 0.0, 1.0) == expected


unit_potentials = st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=6)


@settings(deadline=None)
@given(unit_potentials, st.sampled_from([0.0, 0.5, 3.0]), st.sampled_from([-1.0, 0.0, 0.5]))
def test_inhibition_undercuts_no_floor_and_lifts_nobody(potentials, toll, floor):
    after = taken(potentials, 0, toll, 0.0, floor)
    assert after[0] == np.float32(potentials[0])
    for v, left in zip(potentials[1:], after[1:], strict=True):
        assert left == (v if v < floor else max(np.float32(v) - np.float32(toll), floor))


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 4, width=32), min_size=1, max_size=6),
    st.sampled_from(INHIBITION_OF),
    st.sampled_from([0.0, 0.7, 1.0]),
    st.sampled_from([None, 0.0, -0.5, 0.3]),
)
def test_the_toll_has_the_bits_of_the_naive_twin(potentials, inhibition_of, inhibition, floor):
    network = Network(
        threshold=3.0,
        weight_norm=1.1,
        inhibition=inhibition,
        inhibition_of=inhibition_of,
        inhibition_floor=floor,
    )
    constants = float_engine._constants(network, 1, np.float32)
    expected = np.array(potentials, dtype=np.float32)
    naive.take_toll(network, expected, 0)
    tolls = constants.fixed_toll, constants.toll_part, constants.floor
    assert taken(potentials, 0, *tolls) == expected.tolist()


# --- kinds of inhibition ----------------------------------------------------------------------------


def test_lateral_inhibition_takes_its_part_at_once():
    shown = stepper([[2.0, 1.0, 0.25]], threshold=2.0, inhibition=0.5)
    assert shown.step(0) == 0
    assert shown.potentials == [0.0, 0.0, -0.75]


@pytest.mark.parametrize(("part", "left"), [(0.0, 1.0), (0.25, 0.75), (1.0, 0.0)])
def test_lateral_inhibition_takes_its_part_of_the_potential(part, left):
    shown = stepper([[2.0, 1.0]], threshold=2.0, inhibition=part, inhibition_of="potential")
    assert shown.step(0) == 0
    assert shown.potentials == [0.0, left]


def test_the_floor_is_in_units_of_the_firing_threshold():
    shown = stepper([[2.0, 1.0]], threshold=2.0, inhibition=5.0, inhibition_floor=-0.5)
    for _ in range(3):
        assert shown.step(0) == 0
    assert shown.potentials == [0.0, -1.0]


@pytest.mark.parametrize("held", [0, 1, 3])
def test_a_clamp_holds_the_others_at_zero_for_its_time(held):
    shown = stepper(
        [[2.0, 0.0, 0.0], [0.0, 0.5, 0.25]],
        threshold=2.0,
        inhibition_kind="clamp",
        inhibition_ms=float(held),
    )
    assert shown.step(0, 1) == 0
    assert shown.potentials == [0.0, 0.0, 0.0]
    for _ in range(held):
        assert shown.step(1) is None
        assert shown.potentials == [0.0, 0.0, 0.0]
    assert shown.step(1) is None
    assert shown.potentials == [0.0, 0.5, 0.25]


def test_a_clamp_lets_the_neuron_that_spiked_last_integrate_and_spike_again():
    shown = stepper([[1.0, 0.75]], threshold=3.0, inhibition_kind="clamp", inhibition_ms=4.0)
    winners = [shown.step(0) for _ in range(12)]
    # The clamp of step 2 would end after step 6, but the spikes in steps 5, 8, 11 renew it.
    assert [t for t, neuron in enumerate(winners) if neuron == 0] == [2, 5, 8, 11]
    assert shown.potentials == [0.0, 0.0]


def test_a_clamp_goes_over_to_whoever_spikes_during_it():
    """A threshold below 0 lets a neuron spike at 0: it integrates from then on, the other no longer."""
    shown = stepper(
        [[2.0, 0.0]],
        threshold=2.0,
        theta=[0.0, -2.5],
        inhibition_kind="clamp",
        inhibition_ms=9.0,
        refractory_ms=2.0,
    )
    assert shown.step() == 1
    assert shown.step(0) is None
    assert shown.potentials == [0.0, 0.0]


def test_a_clamp_counts_the_additions_that_it_leaves():
    """In the two steps of the clamp one weight per input spike is read and added, not all three."""
    network, weights = one_pixel(
        [1.0, 0.5, 0.5], 1.0, inhibition_kind="clamp", inhibition_ms=2.0, duration_ms=3.0, refractory_ms=9.0
    )
    image = np.full((1, 1, 1), 255, np.uint8)
    counts, activity = float_engine.respond(network, weights, np.zeros(3, np.float32), image, seed=0)
    assert counts.tolist() == [[1, 0, 0]]
    assert (activity.synaptic_additions, activity.weight_reads) == (3 + 1 + 1, 3 + 1 + 1)


def test_a_clamp_ends_with_the_presentation():
    network, weights = one_pixel([1.0, 0.5], 1.0, inhibition_kind="clamp", inhibition_ms=1e6, duration_ms=1.0)
    images = np.full((3, 1, 1), 255, np.uint8)
    for theta, winner in (([0.0, 0.0], 0), ([0.0, -0.9], 1)):
        counts, _ = float_engine.respond(network, weights, np.array(theta, np.float32), images, seed=0)
        assert counts[:, winner].tolist() == [1, 1, 1]


def test_a_layer_inhibits_one_step_later():
    shown = stepper([[2.0, 1.0]], threshold=2.0, inhibition_kind="layer", inhibition=0.25)
    assert shown.step(0) == 0
    assert shown.potentials == [0.0, 1.0]
    assert shown.step() is None
    assert shown.potentials == [0.0, 0.5]
    assert shown.step() is None
    assert shown.potentials == [0.0, 0.5]


def test_a_layer_takes_its_toll_after_the_leak_and_before_the_input():
    """A full reset in phase 2 leaves what the input of the same step brings in phase 3."""
    shown = stepper(
        [[2.0, 1.0]], threshold=2.0, inhibition_kind="layer", inhibition=1.0, inhibition_of="potential"
    )
    assert shown.step(0) == 0
    assert shown.step(0) == 0
    assert shown.potentials == [0.0, 1.0]
    leaky = stepper([[2.0, 1.0]], 2.0, inhibition_kind="layer", inhibition=0.25, tau_m_ms=1 / np.log(2))
    assert leaky.step(0) == 0
    leaky.step()
    assert leaky.potentials == [0.0, pytest.approx(1.0 * 0.5 - 0.5)]


@pytest.mark.parametrize("refractory", [0, 1, 2])
def test_an_inhibitory_neuron_is_silent_while_refractory(refractory):
    """Neuron 0 spikes in every step; its partner takes 0.25 of 1 in every (refractory + 1)th."""
    shown = stepper(
        [[1.0, 0.0]],
        threshold=1.0,
        inhibition_kind="layer",
        inhibition=0.25,
        inhibition_ms=float(refractory),
    )
    assert [shown.step(0) for _ in range(8)] == [0] * 8
    tolls = len(range(1, 8, refractory + 1))
    assert shown.potentials == [0.0, -0.25 * tolls]


def test_each_neuron_has_a_partner_of_its_own():
    shown = stepper(
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        threshold=1.0,
        inhibition_kind="layer",
        inhibition=0.25,
        inhibition_ms=50.0,
    )
    assert [shown.step(0), shown.step(1), shown.step()] == [0, None, None]
    assert shown.potentials == [0.0, 0.75, -0.25]
    assert [shown.step(1), shown.step(), shown.step(0), shown.step()] == [1, None, None, None]
    assert shown.potentials == [0.75, 0.0, -0.5]


def test_inhibition_of_the_last_step_is_forgotten_before_the_next_presentation():
    network, weights = one_pixel(
        [1.0, 0.9], 1.0, inhibition_kind="layer", duration_ms=1.0, inhibition_ms=50.0
    )
    images = np.full((3, 1, 1), 255, np.uint8)
    counts, _ = float_engine.respond(network, weights, np.zeros(2, np.float32), images, seed=0)
    assert counts.tolist() == [[1, 0]] * 3


# --- traces -----------------------------------------------------------------------------------------


def test_traces_add_up_and_decay():
    shown = stepper([[0.0]], 1.0, learning=True, rule="pair", trace_tau_ms=1 / np.log(2))
    for inputs in ((0,), (0,), ()):
        shown.step(*inputs)
    assert shown.state.pre_traces[0] == pytest.approx((1 * 0.5 + 1) * 0.5)


def test_after_a_long_silence_traces_are_zero_and_never_subnormal():
    shown = stepper(
        [[1.0, 0.0]], 1.0, learning=True, rule="pair", trace_tau_ms=2.0, duration_ms=400.0, learning_rate=0.0
    )
    assert shown.step(0) == 0
    assert shown.state.post_traces.tolist() == [1.0, 0.0]
    seen = []
    for _ in range(200):
        shown.step()
        seen += [*shown.state.pre_traces.tolist(), *shown.state.post_traces.tolist()]
    assert min(value for value in seen if value > 0) >= 1e-20 * (1 - 1e-6)
    assert shown.state.pre_traces.tolist() == [0.0]
    assert shown.state.post_traces.tolist() == [0.0, 0.0]


def test_an_output_trace_rises_after_the_weights_have_changed():
    """A spike of an input in the same step comes before it: `pair` depresses nothing yet."""
    shown = stepper(
        [[1.0]], 1.0, learning=True, rule="pair", depression_rate=0.5, learning_rate=0.0, trace_tau_ms=1e12
    )
    assert shown.step(0) == 0
    assert shown.weights[0, 0] == 1.0
    shown.step(0)
    assert shown.weights[0, 0] == 0.5


def test_at_most_one_neuron_spikes_in_a_step():
    network, weights = one_pixel([1.0] * 6, 0.5, inhibition=0.0, duration_ms=50.0)
    image = np.full((1, 1, 1), 255, np.uint8)
    counts, activity = float_engine.respond(network, weights, np.zeros(6, np.float32), image, seed=0)
    assert activity.output_spikes == counts.sum() == 50
    assert spikes_by_step(network, weights, 3) == [0, 1, 2]  # the others have integrated meanwhile


def test_equal_neurons_take_turns_from_the_first_on():
    network, weights = one_pixel([0.5, 0.5, 0.5], 1.0, inhibition=0.0, refractory_ms=2.0, tau_m_ms=1e12)
    assert spikes_by_step(network, weights, 7) == [None, 0, 1, 2, 0, 1, 2]


def test_the_neuron_furthest_above_its_own_threshold_wins():
    network, weights = one_pixel([0.5, 1.0], 1.0, inhibition=1.0)
    assert spikes_by_step(network, weights, 1, theta=[-0.75, -0.5]) == [1]  # above by 0.25 and by 0.5
    assert spikes_by_step(network, weights, 1, theta=[-0.75, -0.125]) == [0]  # by 0.25 and by 0.125
    assert spikes_by_step(network, weights, 1, theta=[-0.5, 0.0]) == [0]  # both just reached


def test_the_threshold_is_reached_not_exceeded():
    network, weights = one_pixel([0.5], 1.0, tau_m_ms=1e12)
    assert spikes_by_step(network, weights, 2) == [None, 0]
    above = np.nextafter(np.float32(0), np.float32(1)) + np.float32(1e-6)
    assert spikes_by_step(network, weights, 2, theta=[above]) == [None, None]


def test_every_presentation_starts_from_rest():
    network, weights = one_pixel([1.0], 5.5, tau_m_ms=1e12, duration_ms=5.0, refractory_ms=3.0)
    images = np.full((4, 1, 1), 255, np.uint8)
    counts, _ = float_engine.respond(network, weights, np.zeros(1, np.float32), images, seed=0)
    assert counts.tolist() == [[0]] * 4


# --- counting ---------------------------------------------------------------------------------------


def test_activity_of_a_case_counted_by_hand():
    """Two inputs that always spike, 3 neurons, windows of 3, 3 and 1 steps, a spike in every step."""
    network = Network(
        neurons=3,
        weight_norm=1.0,
        threshold=0.1,
        inhibition=0.0,
        rate_norm_hz=1e7,
        duration_ms=7.0,
        window_ms=3.0,
    )
    weights, theta = np.full((2, 3), 0.5, np.float32), np.zeros(3, np.float32)
    images = np.full((2, 1, 2), 9, np.uint8)
    _, activity = float_engine.learn(network, weights, theta, images, seed=0, first=0, total=2)
    assert activity == Activity(
        samples=2,
        steps=14,
        input_spikes=28,
        output_spikes=14,
        synaptic_additions=84,
        neuron_updates=42,
        weight_reads=84 + 12,
        weight_writes=12,
        threshold_updates=18,
        windows=6,
        normalisations=0,
    )


COUNTED = Network(
    neurons=3,
    weight_norm=1.0,
    threshold=0.1,
    inhibition=0.0,
    rate_norm_hz=1e7,
    duration_ms=7.0,
    window_ms=3.0,
)


@pytest.mark.parametrize(
    ("options", "silent", "expected"),
    [
        ({"rule": "normalised"}, False, {"weight_writes": 3 * 2}),
        ({"rule": "normalised"}, True, {"weight_writes": 0}),
        ({"rule": "timestep"}, False, {"weight_writes": 3 * 2}),
        ({"rule": "timestep"}, True, {"weight_writes": 3 * 6}),
        ({"rule": "pair"}, False, {"weight_writes": 14 * 3 + 7 * 2}),
        ({"rule": "pair"}, True, {"weight_writes": 14 * 3}),
        ({"rule": "postonly"}, False, {"weight_writes": 7 * 2}),
        ({"rule": "postonly"}, True, {"weight_writes": 0}),
        ({"adaptation": "balanced"}, False, {"threshold_updates": 3 * 3}),
        ({"adaptation": "balanced"}, True, {"threshold_updates": 3}),
        ({"adaptation": "decaying"}, False, {"threshold_updates": 7 + 3}),
        ({"adaptation": "decaying"}, True, {"threshold_updates": 3}),
        ({"adaptation": "off"}, False, {"threshold_updates": 0}),
        ({"weight_decay": 0.1}, False, {"normalisations": 6}),
        ({"normalisation": "l1"}, True, {"normalisations": 6}),
        ({"normalisation": "l2", "weight_decay": 0.1}, False, {"normalisations": 12}),
    ],
)
def test_each_rule_writes_what_its_definition_implies(options, silent, expected):
    """Two inputs that spike in each of 7 steps, 3 windows, 3 neurons; a spike in every step or none."""
    network = replace(COUNTED, threshold=1e6 if silent else 0.1, **options)
    weights, theta = np.full((2, 3), 0.5, np.float32), np.zeros(3, np.float32)
    image = np.full((1, 1, 2), 9, np.uint8)
    _, activity = float_engine.learn(network, weights, theta, image, seed=0, first=0, total=1)
    assert activity.output_spikes == (0 if silent else 7)
    assert activity.synaptic_additions == 14 * 3
    assert activity.weight_reads == 14 * 3 + activity.weight_writes
    for name, count in expected.items():
        assert getattr(activity, name) == count, name


def test_a_window_without_input_writes_no_weights():
    """Two neurons far above their thresholds spike one after the other; the second without any input."""
    network = Network(
        neurons=2, weight_norm=1.0, threshold=1.0, inhibition=0.0, duration_ms=1.0, window_ms=1.0
    )
    weights, theta = np.ones((1, 2), np.float32), np.full(2, -5.0, np.float32)
    before = weights.copy()
    black = np.zeros((1, 1, 1), np.uint8)
    counts, activity = float_engine.learn(network, weights, theta, black, seed=0, first=0, total=1)
    assert counts.sum() == 1
    np.testing.assert_array_equal(weights, before)
    assert (activity.weight_reads, activity.weight_writes, activity.threshold_updates) == (0, 0, 2)


# --- same seed, same bits ---------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [2, 3, 16])
def test_answers_do_not_depend_on_the_threads(threads):
    weights, theta, images = start_of(LIVELY, 1, samples=11)
    alone = float_engine.respond(LIVELY, weights, theta, images, seed=4, threads=1)
    shared = float_engine.respond(LIVELY, weights, theta, images, seed=4, threads=threads)
    np.testing.assert_array_equal(alone[0], shared[0])
    assert alone[1] == shared[1]


def test_all_cores_are_the_default():
    weights, theta, images = start_of(LIVELY, 1)
    counts, _ = float_engine.respond(LIVELY, weights, theta, images, seed=4)
    np.testing.assert_array_equal(
        counts, float_engine.respond(LIVELY, weights, theta, images, seed=4, threads=1)[0]
    )
    assert float_engine.available_cores() >= 1


@pytest.mark.parametrize("sizes", [(1, 9), (4, 3, 3), (10, 0)])
def test_presenting_in_parts_has_the_bits_of_one_call(sizes):
    whole = start_of(LIVELY, 2, samples=10)
    expected = learn_with(float_engine, LIVELY, whole, seed=3, total=10)
    weights, theta = whole[0].copy(), whole[1].copy()
    counts, activity, first = [], Activity(), 0
    for size in sizes:
        part = whole[2][first : first + size]
        part_counts, counted = float_engine.learn(LIVELY, weights, theta, part, seed=3, first=first, total=10)
        counts += part_counts.tolist()
        activity += counted
        first += size
    assert (counts, weights.tobytes(), theta.tobytes(), activity) == expected
    answers, _ = float_engine.respond(LIVELY, weights, theta, whole[2], seed=3)
    tail, _ = float_engine.respond(LIVELY, weights, theta, whole[2][6:], seed=3, first=6)
    np.testing.assert_array_equal(answers[6:], tail)


def test_another_seed_has_other_bits():
    start = start_of(LIVELY, 2)
    assert learn_with(float_engine, LIVELY, start, seed=0) != learn_with(float_engine, LIVELY, start, seed=1)


def test_images_need_not_be_contiguous():
    weights, theta, images = start_of(LIVELY, 2)
    turned = np.asfortranarray(images)[::-1]
    expected, _ = float_engine.respond(LIVELY, weights, theta, turned.copy(order="C"), seed=0)
    np.testing.assert_array_equal(float_engine.respond(LIVELY, weights, theta, turned, seed=0)[0], expected)


def test_answering_changes_nothing():
    weights, theta, images = start_of(LIVELY, 3)
    before = weights.tobytes(), theta.tobytes(), images.tobytes()
    float_engine.respond(LIVELY, weights, theta, images, seed=0)
    assert (weights.tobytes(), theta.tobytes(), images.tobytes()) == before


def test_a_network_without_weight_norm_cannot_be_run():
    weights, theta, images = start_of(LIVELY, 3)
    with pytest.raises(ConfigError, match=r"^weight_norm: not known before the images are"):
        float_engine.respond(replace(LIVELY, weight_norm=None), weights, theta, images, seed=0)
