"""The fast engine has the bits of its naive twin, and the comparison notices each rule that is broken."""

from types import SimpleNamespace

import naive
import naive_input
import naive_learning
import numpy as np
import pytest
from described import changed
from hypothesis import given, settings
from hypothesis import strategies as st
from runners import fast, output_spikes
from small_networks import LIVELY, PAIRS, learn_with, networks_of, start_of

from fspinn.backends.numba import neuron_kernels


@settings(deadline=None)
@given(st.lists(st.integers(0, 7), max_size=8).map(sorted), st.floats(0, 1, width=32), st.integers(0, 2**32))
def test_one_step_of_integration_has_the_bits_of_the_naive_twin(inputs, leak, seed):
    random = np.random.default_rng(seed)
    weights = random.standard_normal((8, 3)).astype(np.float32)
    potentials = random.standard_normal(3).astype(np.float32)
    expected = potentials.copy()
    thresholds = np.full(3, 1, np.float32)
    reached = neuron_kernels.integrate(
        potentials, weights, np.array(inputs, np.int32), 0, len(inputs), np.float32(leak), thresholds
    )
    naive.integrate(expected, weights, inputs, np.float32(leak))
    np.testing.assert_array_equal(potentials, expected)
    assert reached == (expected >= 1).any()


def test_rows_are_added_in_the_order_of_the_inputs():
    weights = np.array([[2.0**24], [1.0], [-(2.0**24)]], np.float32)
    potentials = np.zeros(1, np.float32)
    rows = np.arange(3, dtype=np.int32)
    neuron_kernels.integrate(potentials, weights, rows, 0, 3, np.float32(0.5), np.zeros(1, np.float32))
    assert potentials.tolist() == [0.0]  # in any other order 1, since 2**24 + 1 is no float32


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(-2, 2)] * 2, st.booleans()), min_size=1, max_size=6))
def test_who_spikes_is_who_the_naive_twin_says(neurons):
    """Few different values, so that ties are the rule."""
    potentials, theta, may_spike = (np.array(column) for column in zip(*neurons, strict=True))
    state = SimpleNamespace(
        potentials=potentials.astype(np.float32),
        thresholds=theta.astype(np.float32) + np.float32(0.5),
        ready_at=np.where(may_spike, 5, 6),
    )
    found = neuron_kernels.find_spike.py_func(5, None, state)
    expected = naive.find_spike(potentials, theta + 0.5, may_spike)
    assert found == (-1 if expected is None else expected)


@pytest.mark.parametrize(("rule", "inhibition_kind"), PAIRS)
def test_learning_has_the_bits_of_the_naive_twin(rule, inhibition_kind):
    @settings(max_examples=25 if rule == "pair" else 12, deadline=None)
    @given(
        networks_of(rule=rule, inhibition=inhibition_kind),
        st.integers(0, 2**32),
        st.integers(0, 2**64 - 1),
        st.integers(0, 2),
        st.sampled_from([0, 2, 50]),
    )
    def holds(network, start_seed, seed, first, earlier_spikes):
        start = start_of(network, start_seed)
        assert learn_with(fast, network, start, seed, first, earlier_spikes=earlier_spikes) == learn_with(
            naive, network, start, seed, first, earlier_spikes=earlier_spikes
        )

    holds()


@settings(max_examples=20, deadline=None)
@given(networks_of(), st.integers(0, 2**32), st.integers(0, 2**40))
def test_answering_has_the_bits_of_the_naive_twin(network, start_seed, first):
    weights, theta, images = start_of(network, start_seed)
    counts, activity = fast.respond(network, weights, theta, images, seed=1, first=first)
    expected, expected_activity = naive.respond(network, weights, theta, images, seed=1, first=first)
    np.testing.assert_array_equal(counts, expected)
    assert activity == expected_activity


def test_the_order_of_the_spikes_is_the_naive_one():
    weights, theta, images = start_of(LIVELY, 5, samples=4)
    shown = output_spikes(fast.answer(LIVELY, weights, theta, images, seed=1, first=2))
    for m, image in enumerate(images):
        per_step = naive_input.input_spikes(LIVELY, image, naive_input.stream_key(1, 2, 2 + m))
        spikes, _ = naive.present(LIVELY, weights, theta, per_step)
        assert len(spikes) > 7
        assert shown[m] == spikes


def test_the_lively_network_uses_every_rule():
    start = start_of(LIVELY, 0, samples=4)
    counts, weights, theta, activity = learn_with(naive, LIVELY, start)
    assert (weights, theta) != (start[0].tobytes(), start[1].tobytes())
    assert np.count_nonzero(np.sum(counts, axis=0)) > 1
    assert activity.output_spikes > activity.windows > activity.samples


# --- broken twins -----------------------------------------------------------------------------------


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


def _no_inhibition(network, potentials, exempt):
    pass


def _all_pay(network, potentials, exempt):
    _inhibit_others(network, potentials, None)


def _another_is_exempt(network, potentials, exempt):
    _inhibit_others(network, potentials, (exempt + 1) % potentials.size)


def _drop_before_leak(network, potential):
    return np.float32(0.7) * _drop(network, potential)


_inhibit_others, _drop = naive.inhibit_others, naive.drop


def _theta_not_shared(network, theta, winner, step):
    theta[winner] += step


def _theta_shared_by_the_others_only(network, theta, winner, step):
    theta -= step / np.float32(theta.size - 1)
    theta[winner] += step


def _target_not_capped(weights, winner, counts, weight_norm, rate):
    weights[:, winner] *= 1 - rate
    weights[:, winner] += rate * weight_norm * counts / max(np.linalg.norm(counts), 1)
    return counts.any()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("part", "broken"),
    [
        ("integrate", _leak_after_input),
        ("integrate", _no_leak),
        ("find_spike", _highest_potential),
        ("find_spike", _never_refractory),
        ("inhibit_others", _no_inhibition),
        ("inhibit_others", _all_pay),
        ("inhibit_others", _another_is_exempt),
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
    right = learn_with(fast, network, start)
    assert right == learn_with(naive, network, start)
    naive.break_part(monkeypatch, part, broken)
    assert right != learn_with(naive, network, start)


def _set_trace(traces, index):
    traces[index] = 1


def _nothing(*arguments):
    pass


def _depress_by_one(weights, i, rate, post_traces):
    _depress_input(weights, i, rate, np.ones_like(post_traces))


def _unbounded_depression(weights, i, rate, post_traces):
    weights[i] -= np.float32(rate) * post_traces


def _no_power(weights, neuron, traces, rate, target_trace):
    naive_learning.potentiate(weights, neuron, traces - np.float32(target_trace), rate)


def _no_target(weights, neuron, traces, rate, target_trace):
    _power_law(weights, neuron, traces, rate, 0.0)


def _normalisation_before_decay(network, weights):
    naive_learning.normalise(weights, network.normalisation, naive_learning.goal_of(network, len(weights)))
    naive_learning.decay_weights(network, weights)
    return True, True


def _normalisation_of_all_together(weights, kind, goal):
    weights *= np.float32(goal * np.sqrt(weights.shape[1]) / np.linalg.norm(weights))


def _l2_for_l1(weights, kind, goal):
    _normalise(weights, "l2", goal)


def _decay_in_every_step(network, theta):
    theta *= np.float32(np.exp(-network.dt_ms / network.theta_tau_ms))


_depress_input, _power_law = naive_learning.depress_input, naive_learning.power_law
_normalise = naive_learning.normalise

LAYER = {"inhibition": "layer", "inhibition_ms": 4.0}
CLAMP = {"inhibition": "clamp", "inhibition_ms": 4.0}
PAIR = {"rule": "pair", "depression_rate": 0.05}
# So that weights meet 0: short windows without a spike.
TIMESTEP = {"rule": "timestep", "depression_rate": 0.05, "window_ms": 6.0, "threshold": 4.0}
POSTONLY = {"rule": "postonly"}


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("options", "part", "broken"),
    [
        (LAYER, "inhibit_others", _no_inhibition),
        (LAYER, "inhibit_others", _all_pay),
        (LAYER, "inhibit_others", _another_is_exempt),
        (LAYER, "drop_is_due", lambda network, t: t),
        (LAYER, "drop_is_due", lambda network, t: t + 2),
        (LAYER, "partner_is_ready", lambda network, since: True),
        (LAYER, "partner_is_ready", lambda network, since: since >= network.inhibition_steps),
        (LAYER, "partner_is_ready", lambda network, since: since > network.inhibition_steps + 1),
        ({**LAYER, "inhibition_of": "potential"}, "drop", _drop_before_leak),
        ({"inhibition_of": "potential"}, "inhibit_others", _another_is_exempt),
        ({"inhibition_of": "potential"}, "drop", lambda network, potential: np.float32(0.7)),
        (CLAMP, "is_clamped", lambda network, since: since < network.inhibition_steps),
        (CLAMP, "is_clamped", lambda network, since: since <= network.inhibition_steps + 1),
        (CLAMP, "is_clamped", lambda network, since: False),
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
        ({"adaptation": "homeostatic"}, "raise_threshold", _nothing),
        ({"adaptation": "homeostatic"}, "fall_to_target", _nothing),
        ({"weight_decay": 0.01}, "decay_weights", _nothing),
        ({"weight_decay": 0.01, "normalisation": "l2"}, "tidy_weights", _normalisation_before_decay),
        ({"normalisation": "l2"}, "normalise", _nothing),
        ({"normalisation": "l2"}, "normalise", _normalisation_of_all_together),
        ({"normalisation": "l1"}, "normalise", _l2_for_l1),
        ({"normalisation": "l1"}, "goal_of", lambda network, n_inputs: network.weight_norm),
        (
            {"encoder": "unscaled", "max_rate_hz": 400.0},
            "unscaled_probability",
            naive_input.spike_probability,
        ),
        ({"encoder": "regular"}, "phase", lambda pixel: 0),
        ({"encoder": "ttfs"}, "ttfs", lambda image, steps, most: naive_input.poisson(image, 0, steps, 1.0)),
    ],
)
def test_the_comparison_notices_a_broken_option(monkeypatch, options, part, broken):
    assert_noticed(monkeypatch, changed(LIVELY, **options), part, broken)


def test_the_comparison_notices_thresholds_of_a_silent_network(monkeypatch):
    network = changed(LIVELY, threshold=1e6)
    start = start_of(network, 0)
    assert learn_with(fast, network, start) == learn_with(naive, network, start)
    naive.break_part(monkeypatch, "lower_thresholds", lambda network, theta, fall: None)
    assert learn_with(fast, network, start) != learn_with(naive, network, start)


@pytest.mark.parametrize(
    ("threshold", "earlier_spikes", "broken"),
    [
        (1e6, 0, lambda *known: np.float32(0)),
        (1e6, 9, lambda *known: known[-1]),
        (20.0, 9, lambda *known: np.float32(0)),
        (20.0, 9, lambda *known: known[-1]),
        (20.0, 3, lambda *known: known[-1] / 3),
    ],
)
def test_the_comparison_notices_by_how_much_thresholds_fall(monkeypatch, threshold, earlier_spikes, broken):
    network = changed(LIVELY, threshold=threshold)
    start = start_of(network, 0)
    after = {"earlier_spikes": earlier_spikes}
    learned = learn_with(fast, network, start, **after)
    assert sum(map(sum, learned[0])) == 0
    assert learned == learn_with(naive, network, start, **after)
    naive.break_part(monkeypatch, "fall_after_silence", broken)
    assert learned != learn_with(naive, network, start, **after)


# --- neurons that know nothing of each other ----------------------------------------------------------


def answered_by(engine, start):
    counts, activity = engine.respond(ALONE, *start, seed=1, first=2)
    return counts.tolist(), activity


ALONE = changed(LIVELY, inhibition="none", refractory_ms=2.0, threshold=1.0)
_find_reached, _after_spike = naive.find_reached, naive.after_spike


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("part", "broken"),
    [
        ("integrate", _leak_after_input),
        ("find_reached", lambda *a: _find_reached(*a)[:1]),
        ("find_reached", lambda v, thresholds, may: _find_reached(v, thresholds, np.ones_like(may))),
        ("find_reached", lambda v, thresholds, may: [j for j in range(v.size) if may[j] and v[j] >= 1]),
        ("after_spike", lambda network, potential, threshold: np.float32(0)),
        ("after_spike", lambda network, potential, threshold: potential - np.float32(1)),
        ("after_spike", lambda network, potential, threshold: np.float32(0.8) * (potential - threshold)),
    ],
)
def test_the_comparison_notices_a_broken_neuron_without_inhibition(monkeypatch, part, broken):
    weights, theta, images = start_of(ALONE, 0, samples=4)
    start = weights - np.float32(0.3), theta, images
    right = answered_by(fast, start)
    assert right == answered_by(naive, start)
    naive.break_part(monkeypatch, part, broken)
    assert right != answered_by(naive, start)
