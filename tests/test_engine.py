"""The fast engine does what `fspinn.model` says: the naive twin's bits, and what follows on paper."""

from dataclasses import replace

import naive
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fspinn.engines import float_engine
from fspinn.engines import float_kernels as kernels
from fspinn.errors import ConfigError
from fspinn.model import Activity, Network

networks = st.builds(
    Network,
    neurons=st.integers(1, 5),
    duration_ms=st.sampled_from([1.0, 40.0, 65.0]),
    rate_norm_hz=st.sampled_from([200.0, 800.0]),
    tau_m_ms=st.sampled_from([3.0, 20.0, 100.0]),
    refractory_ms=st.sampled_from([0.0, 3.0]),
    threshold=st.sampled_from([0.5, 2.0, 8.0]),
    inhibition=st.sampled_from([0.0, 0.7, 1.5]),
    window_ms=st.sampled_from([None, 50.0, 1.0]),
    spike_threshold=st.sampled_from([None, 1, 3]),
    learning_rate=st.sampled_from([0.0, 0.1, 0.7]),
    theta_step=st.sampled_from([0.0, 0.3]),
    weight_norm=st.sampled_from([1.0, 1.7]),
)

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


def learn_with(engine, network, start, seed=0, first=0, total=5):
    weights, theta, images = start[0].copy(), start[1].copy(), start[2]
    counts, activity = engine.learn(network, weights, theta, images, seed=seed, first=first, total=total)
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


# --- the naive twin ---------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(0, 7), max_size=8).map(sorted), st.floats(0, 1, width=32), st.integers(0, 2**32))
def test_one_step_of_integration_has_the_bits_of_the_naive_twin(inputs, leak, seed):
    random = np.random.default_rng(seed)
    weights = random.standard_normal((8, 3)).astype(np.float32)
    potentials = random.standard_normal(3).astype(np.float32)
    expected = potentials.copy()
    kernels.integrate(potentials, weights, np.array(inputs, np.int32), np.float32(leak))
    naive.integrate(expected, weights, inputs, np.float32(leak))
    np.testing.assert_array_equal(potentials, expected)


def test_rows_are_added_in_the_order_of_the_inputs():
    weights = np.array([[2.0**24], [1.0], [-(2.0**24)]], np.float32)
    potentials = np.zeros(1, np.float32)
    kernels.integrate(potentials, weights, np.arange(3, dtype=np.int32), np.float32(0.5))
    assert potentials.tolist() == [0.0]  # in any other order 1, since 2**24 + 1 is no float32


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(-2, 2)] * 2, st.booleans()), min_size=1, max_size=6))
def test_who_spikes_is_who_the_naive_twin_says(neurons):
    """Few different values, so that ties are the rule."""
    potentials, theta, may_spike = (np.array(column) for column in zip(*neurons, strict=True))
    ready_at = np.where(may_spike, 5, 6)
    found = kernels.find_spike(
        potentials.astype(np.float32), theta.astype(np.float32) + np.float32(0.5), ready_at, 5
    )
    expected = naive.find_spike(potentials, theta + 0.5, may_spike)
    assert found == (-1 if expected is None else expected)


@settings(max_examples=60, deadline=None)
@given(networks, st.integers(0, 2**32), st.integers(-(2**65), 2**65), st.integers(0, 2))
def test_learning_has_the_bits_of_the_naive_twin(network, start_seed, seed, first):
    start = start_of(network, start_seed)
    assert learn_with(float_engine, network, start, seed, first) == learn_with(
        naive, network, start, seed, first
    )


@settings(max_examples=30, deadline=None)
@given(networks, st.integers(0, 2**32), st.integers(0, 2**64))
def test_answering_has_the_bits_of_the_naive_twin(network, start_seed, first):
    weights, theta, images = start_of(network, start_seed)
    first %= 2**40
    counts, activity = float_engine.respond(network, weights, theta, images, seed=1, first=first)
    expected, expected_activity = naive.respond(network, weights, theta, images, seed=1, first=first)
    np.testing.assert_array_equal(counts, expected)
    assert activity == expected_activity


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


def _no_inhibition(potentials, winner, loss):
    potentials[winner] = 0


def _winner_keeps_the_rest(potentials, winner, loss):
    kept = potentials[winner] - loss
    potentials -= loss
    potentials[winner] = max(kept, 0)


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
        ("reset_and_inhibit", _no_inhibition),
        ("reset_and_inhibit", _winner_keeps_the_rest),
        ("shift_thresholds", _theta_not_shared),
        ("shift_thresholds", _theta_shared_by_the_others_only),
        ("move_towards_input", _target_not_capped),
        ("potentiation_factor", lambda spikes, spike_threshold: 1),
        ("annealed", lambda start, end, number, total: np.float32(start)),
        ("stream_key", lambda seed, purpose, sample: 0),
    ],
)
def test_the_comparison_notices_a_broken_rule(monkeypatch, part, broken):
    start = start_of(LIVELY, 0, samples=4)
    right = learn_with(float_engine, LIVELY, start)
    assert right == learn_with(naive, LIVELY, start)
    monkeypatch.setattr(naive, part, broken)
    assert right != learn_with(naive, LIVELY, start)


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


def test_inhibition_takes_exactly_the_loss_and_can_go_below_zero():
    potentials = np.array([1.0, 9.0, 0.25, -3.0], dtype=np.float32)
    kernels.reset_and_inhibit(potentials, 1, np.float32(0.7))
    others = np.array([1.0, 0.25, -3.0], dtype=np.float32) - np.float32(0.7)
    np.testing.assert_array_equal(potentials, [others[0], 0.0, others[1], others[2]])


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
