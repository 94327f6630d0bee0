"""What happens in a time step, in the order that `fspinn.network` states: cases followed on paper."""

from types import SimpleNamespace

import naive
import numpy as np
import pytest
from described import flat
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from runners import answering, fast
from small_networks import one_pixel, spikes_by_step, stepper

from fspinn.backends.numba import neuron_kernels, schedule_kernels
from fspinn.network.inhibition import INHIBITION_OF


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
    counts, _ = fast.respond(network, weights, np.zeros(1, np.float32), image, seed=0)
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
    network, weights = one_pixel([1.0, 0.75], 8.0, inhibition_strength=0.5, tau_m_ms=1e12)
    winners = spikes_by_step(network, weights, 24)
    # Neuron 0 spikes in step 8, when neuron 1 is at 6; in step 16 both are at 8, and the first goes;
    # neuron 1 climbs from 4 to 8.5 in step 22.
    assert {t + 1: neuron for t, neuron in enumerate(winners) if neuron is not None} == {8: 0, 16: 0, 22: 1}


def taken(potentials, exempt, fixed, part):
    potentials = np.array(potentials, dtype=np.float32)
    constants = SimpleNamespace(drop=np.float32(fixed), drop_part=np.float32(part))
    neuron_kernels.inhibit.py_func(exempt, constants, SimpleNamespace(potentials=potentials))
    return potentials.tolist()


def test_inhibition_takes_exactly_the_drop_and_can_go_below_zero():
    others = np.array([1.0, 0.25, -3.0], dtype=np.float32) - np.float32(0.7)
    assert taken([1.0, 9.0, 0.25, -3.0], 1, 0.7, 0.0) == [others[0], 9.0, others[1], others[2]]


@pytest.mark.parametrize("exempt", [0, 1, 2])
def test_all_of_the_potential_is_a_full_reset_of_all_but_one(exempt):
    expected = [0.0, 0.0, 0.0]
    expected[exempt] = [1.0, 0.125, 7.5][exempt]
    assert taken([1.0, 0.125, 7.5], exempt, 0.0, 1.0) == expected


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 4, width=32), min_size=1, max_size=6),
    st.sampled_from(INHIBITION_OF),
    st.sampled_from([0.0, 0.7, 1.0]),
)
def test_the_drop_has_the_bits_of_the_naive_twin(potentials, inhibition_of, inhibition):
    network = flat(
        threshold=3.0,
        weight_norm=1.1,
        inhibition_strength=inhibition,
        inhibition_of=inhibition_of,
    )
    (layer,) = answering(network, np.zeros((1, len(potentials))), np.zeros(len(potentials))).layers
    expected = np.array(potentials, dtype=np.float32)
    naive.inhibit_others(network, expected, 0)
    drops = layer.drop, layer.drop_part
    assert taken(potentials, 0, *drops) == expected.tolist()


# --- kinds of inhibition ----------------------------------------------------------------------------


def test_lateral_inhibition_takes_its_part_at_once():
    shown = stepper([[2.0, 1.0, 0.25]], threshold=2.0, inhibition_strength=0.5)
    assert shown.step(0) == 0
    assert shown.potentials == [0.0, 0.0, -0.75]


@pytest.mark.parametrize(("part", "left"), [(0.0, 1.0), (0.25, 0.75), (1.0, 0.0)])
def test_lateral_inhibition_takes_its_part_of_the_potential(part, left):
    shown = stepper([[2.0, 1.0]], threshold=2.0, inhibition_strength=part, inhibition_of="potential")
    assert shown.step(0) == 0
    assert shown.potentials == [0.0, left]


@pytest.mark.parametrize("held", [0, 1, 3])
def test_a_clamp_holds_the_others_at_zero_for_its_time(held):
    shown = stepper(
        [[2.0, 0.0, 0.0], [0.0, 0.5, 0.25]],
        threshold=2.0,
        inhibition="clamp",
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
    shown = stepper([[1.0, 0.75]], threshold=3.0, inhibition="clamp", inhibition_ms=4.0)
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
        inhibition="clamp",
        inhibition_ms=9.0,
        refractory_ms=2.0,
    )
    assert shown.step() == 1
    assert shown.step(0) is None
    assert shown.potentials == [0.0, 0.0]


def test_a_clamp_counts_the_additions_that_it_leaves():
    """In the two steps of the clamp one weight per input spike is read and added, not all three."""
    network, weights = one_pixel(
        [1.0, 0.5, 0.5], 1.0, inhibition="clamp", inhibition_ms=2.0, duration_ms=3.0, refractory_ms=9.0
    )
    image = np.full((1, 1, 1), 255, np.uint8)
    counts, activity = fast.respond(network, weights, np.zeros(3, np.float32), image, seed=0)
    assert counts.tolist() == [[1, 0, 0]]
    assert (activity.synaptic_additions, activity.rows_read, activity.weights_read) == (3 + 1 + 1, 1, 2)


def test_a_clamp_ends_with_the_presentation():
    network, weights = one_pixel([1.0, 0.5], 1.0, inhibition="clamp", inhibition_ms=1e6, duration_ms=1.0)
    images = np.full((3, 1, 1), 255, np.uint8)
    for theta, winner in (([0.0, 0.0], 0), ([0.0, -0.9], 1)):
        counts, _ = fast.respond(network, weights, np.array(theta, np.float32), images, seed=0)
        assert counts[:, winner].tolist() == [1, 1, 1]


def test_a_layer_inhibits_one_step_later():
    shown = stepper([[2.0, 1.0]], threshold=2.0, inhibition="layer", inhibition_strength=0.25)
    assert shown.step(0) == 0
    assert shown.potentials == [0.0, 1.0]
    assert shown.step() is None
    assert shown.potentials == [0.0, 0.5]
    assert shown.step() is None
    assert shown.potentials == [0.0, 0.5]


def test_a_layer_takes_its_drop_after_the_leak_and_before_the_input():
    """A full reset in phase 2 leaves what the input of the same step brings in phase 3."""
    shown = stepper(
        [[2.0, 1.0]], threshold=2.0, inhibition="layer", inhibition_strength=1.0, inhibition_of="potential"
    )
    assert shown.step(0) == 0
    assert shown.step(0) == 0
    assert shown.potentials == [0.0, 1.0]
    leaky = stepper([[2.0, 1.0]], 2.0, inhibition="layer", inhibition_strength=0.25, tau_m_ms=1 / np.log(2))
    assert leaky.step(0) == 0
    leaky.step()
    assert leaky.potentials == [0.0, pytest.approx(1.0 * 0.5 - 0.5)]


@pytest.mark.parametrize("refractory", [0, 1, 2])
def test_an_inhibitory_neuron_is_silent_while_refractory(refractory):
    """Neuron 0 spikes in every step; its partner takes 0.25 of 1 in every (refractory + 1)th."""
    shown = stepper(
        [[1.0, 0.0]],
        threshold=1.0,
        inhibition="layer",
        inhibition_strength=0.25,
        inhibition_ms=float(refractory),
    )
    assert [shown.step(0) for _ in range(8)] == [0] * 8
    drops = len(range(1, 8, refractory + 1))
    assert shown.potentials == [0.0, -0.25 * drops]


def test_each_neuron_has_a_partner_of_its_own():
    shown = stepper(
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        threshold=1.0,
        inhibition="layer",
        inhibition_strength=0.25,
        inhibition_ms=50.0,
    )
    assert [shown.step(0), shown.step(1), shown.step()] == [0, None, None]
    assert shown.potentials == [0.0, 0.75, -0.25]
    assert [shown.step(1), shown.step(), shown.step(0), shown.step()] == [1, None, None, None]
    assert shown.potentials == [0.75, 0.0, -0.5]


def test_inhibition_of_the_last_step_is_forgotten_before_the_next_presentation():
    network, weights = one_pixel([1.0, 0.9], 1.0, inhibition="layer", duration_ms=1.0, inhibition_ms=50.0)
    images = np.full((3, 1, 1), 255, np.uint8)
    counts, _ = fast.respond(network, weights, np.zeros(2, np.float32), images, seed=0)
    assert counts.tolist() == [[1, 0]] * 3


# --- traces -----------------------------------------------------------------------------------------


def test_traces_add_up_and_decay():
    shown = stepper([[0.0]], 1.0, learning=True, rule="pair", trace_tau_ms=1 / np.log(2))
    for inputs in ((0,), (0,), ()):
        shown.step(*inputs)
    assert shown.state.pre_traces[shown.state.places[0]] == pytest.approx((1 * 0.5 + 1) * 0.5)


def test_after_a_long_silence_traces_are_zero_and_never_subnormal():
    shown = stepper(
        [[1.0, 0.0]], 1.0, learning=True, rule="pair", trace_tau_ms=2.0, duration_ms=400.0, learning_rate=0.0
    )
    assert shown.step(0) == 0
    assert shown.post_traces == [1.0]
    seen = []
    for _ in range(200):
        shown.step()
        seen += [*shown.state.pre_traces.tolist(), *shown.post_traces]
    assert min(value for value in seen if value > 0) >= 1e-20 * (1 - 1e-6)
    assert shown.state.pre_traces.tolist() == [0.0, 0.0]
    assert shown.post_traces == []


def test_traces_are_those_of_their_inputs_in_whatever_order_these_spike():
    """What is learned from one sample does not depend on who spiked in the one before."""
    learned = []
    for before in ([], [(2, 1, 0)]):
        shown = stepper(
            [[0.5]] * 4,
            2.5,
            learning=True,
            rule="pair",
            learning_rate=0.125,
            trace_tau_ms=2.0,
            duration_ms=3.0,
        )
        for order in (*before, (1, 3)):
            schedule_kernels.rest(shown.state)
            shown.weights[:], shown.t, shown.inputs = 0.5, 0, np.zeros(0, np.int32)
            for _ in range(3):
                winner = shown.step(*order)
        assert winner == 0
        learned.append(shown.weights.ravel().tolist())
    assert learned[0] == learned[1]
    assert learned[0][0] == learned[0][2] == 0.5 < learned[0][1] == learned[0][3]


def test_an_output_trace_rises_after_the_weights_have_changed():
    """A spike of an input in the same step comes before it: `pair` depresses nothing yet."""
    shown = stepper(
        [[1.0]], 1.0, learning=True, rule="pair", depression_rate=0.5, learning_rate=0.0, trace_tau_ms=1e12
    )
    assert shown.step(0) == 0
    assert shown.weights[0, 0] == 1.0
    shown.step(0)
    assert shown.weights[0, 0] == 0.5


# --- who spikes -------------------------------------------------------------------------------------


def test_at_most_one_neuron_spikes_in_a_step():
    network, weights = one_pixel([1.0] * 6, 0.5, inhibition_strength=0.0, duration_ms=50.0)
    image = np.full((1, 1, 1), 255, np.uint8)
    counts, activity = fast.respond(network, weights, np.zeros(6, np.float32), image, seed=0)
    assert activity.output_spikes == counts.sum() == 50
    assert spikes_by_step(network, weights, 3) == [0, 1, 2]  # the others have integrated meanwhile


def test_equal_neurons_take_turns_from_the_first_on():
    network, weights = one_pixel(
        [0.5, 0.5, 0.5], 1.0, inhibition_strength=0.0, refractory_ms=2.0, tau_m_ms=1e12
    )
    assert spikes_by_step(network, weights, 7) == [None, 0, 1, 2, 0, 1, 2]


def test_the_neuron_furthest_above_its_own_threshold_wins():
    network, weights = one_pixel([0.5, 1.0], 1.0, inhibition_strength=1.0)
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
    counts, _ = fast.respond(network, weights, np.zeros(1, np.float32), images, seed=0)
    assert counts.tolist() == [[0]] * 4
