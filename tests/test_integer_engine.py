"""The integer engine does what `lowering.integers` says: the naive twin's numbers, and what follows."""

from dataclasses import replace

import naive_integers
import numpy as np
import pytest
from described import changed, flat
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from runners import answering, fast, output_spikes
from small_networks import network_of

from fspinn.answering.predict import respond
from fspinn.base.errors import FormatError
from fspinn.lowering.plan import INHIBITIONS
from fspinn.model.tensors import Formats
from fspinn.network.encoders import ENCODERS
from fspinn.network.inhibition import INHIBITION_OF
from fspinn.quant import Format
from fspinn.quant.formats import quantize_values, to_integers

PLAIN = flat(neurons=4, duration_ms=60.0, weight_norm=1.0, threshold=2.0, tau_m_ms=20.0)


def formats_of(weights, state, theta):
    return Formats(Format.parse(weights), Format.parse(state), Format.parse(theta))


def start_of(network, formats, seed, samples=3, pixels=(2, 3)):
    """Random weights and theta on their grids, and images."""
    random = np.random.default_rng(seed)
    lowest = -0.3 if formats.weights.signed else 0.0
    weights = random.uniform(lowest, 1.1, (pixels[0] * pixels[1], network.neurons))
    theta = 0.2 * random.standard_normal(network.neurons)
    images = random.integers(0, 256, (samples, *pixels), dtype=np.uint8)
    images[random.random(images.shape) < 0.3] = 0
    return quantize_values(weights, formats.weights), quantize_values(theta, formats.theta), images


def respond_with(network, formats, start, seed=5, **more):
    weights, theta, images = start
    return fast.answer(network, weights, theta, images, formats=formats, seed=seed, **more)


networks = st.builds(
    network_of,
    neurons=st.integers(1, 6),
    duration_ms=st.sampled_from([1.0, 40.0, 65.0]),
    encoder=st.sampled_from(ENCODERS),
    rate_norm_hz=st.sampled_from([200.0, 800.0]),
    first_spikes=st.sampled_from([None, 3]),
    tau_m_ms=st.sampled_from([0.01, 1.0, 3.0, 20.0, 1e9]),
    refractory_ms=st.sampled_from([0.0, 3.0]),
    threshold=st.sampled_from([0.5, 2.0, 6.0]),
    inhibition=st.sampled_from(INHIBITIONS),
    inhibition_strength=st.sampled_from([0.0, 0.7, 1.5]),
    inhibition_of=st.sampled_from(INHIBITION_OF),
    inhibition_ms=st.sampled_from([0.0, 1.0, 6.0]),
    answer_threshold=st.sampled_from([None, 1.0]),
    weight_norm=st.sampled_from([1.0, 1.7]),
)

any_formats = st.builds(
    formats_of,
    st.sampled_from(["UQ0.1", "UQ0.4", "UQ0.8", "UQ1.3", "Q1.3", "UQ0.12"]),
    st.sampled_from(["Q5.3", "Q5.4", "Q5.11", "UQ5.6", "Q6.18", "Q5.0"]),
    st.sampled_from(["Q3.0"]),
)


@settings(max_examples=30, deadline=None)
@given(networks, any_formats, st.integers(0, 2**32), st.booleans())
def test_numbers_are_those_of_the_naive_twin(network, formats, seed, dropped):
    weights, theta, images = start_of(network, formats, seed)
    used = np.random.default_rng(seed).random(6) < (0.6 if dropped else 2.0)
    theta[:] = np.maximum(theta, 0)  # no threshold below the range of unsigned states
    (layer,) = answering(network, weights, theta, formats, used).layers
    answer = respond_with(network, formats, (weights, theta, images), seed=seed, first=2, input_mask=used)
    expected, expected_activity, lowest, saturations = naive_integers.respond(
        network, layer, formats, to_integers(theta, formats.theta), images, seed, 2
    )
    assert answer.spike_counts.tolist() == expected.tolist()
    assert answer.activity == (expected_activity,)
    assert (answer.range.lowest, answer.range.saturations) == (lowest, saturations)


ON_THE_GRID = st.builds(
    network_of,
    neurons=st.integers(1, 6),
    duration_ms=st.sampled_from([40.0, 90.0]),
    rate_norm_hz=st.sampled_from([300.0, 800.0]),
    tau_m_ms=st.sampled_from([1e-3, 1e12]),  # all is lost in a step, or nothing
    refractory_ms=st.sampled_from([0.0, 3.0]),
    threshold=st.sampled_from([0.5, 2.0, 6.0]),
    inhibition=st.sampled_from(INHIBITIONS),
    inhibition_strength=st.sampled_from([0.0, 0.75, 1.0]),
    inhibition_of=st.sampled_from(INHIBITION_OF),
    inhibition_ms=st.sampled_from([0.0, 6.0]),
    answer_drop=st.just(0.125),
    weight_norm=st.sampled_from([1.0, 1.5]),
)


@settings(max_examples=25, deadline=None)
@given(ON_THE_GRID, st.sampled_from(["UQ0.4", "UQ0.8"]), st.integers(0, 2**32))
def test_where_nothing_is_rounded_the_fast_engine_answers_the_same(network, weight_format, seed):
    assume(network.inhibition_of == "threshold" or network.inhibition_strength in (0.0, 1.0))
    formats = formats_of(weight_format, "Q14.8", "Q3.8")
    weights, theta, images = start_of(network, formats, seed)
    floats = fast.answer(network, weights, theta, images, seed=5)
    answer = respond_with(network, formats, (weights, theta, images))
    assert answer.range.saturations == 0
    np.testing.assert_array_equal(answer.spike_counts, floats.spike_counts)
    assert answer.activity == floats.activity
    assert output_spikes(answer) == output_spikes(floats)


def test_the_potential_that_is_probed_is_that_of_the_floats_where_nothing_is_rounded():
    network = changed(PLAIN, tau_m_ms=1e12, inhibition_strength=0.5, inhibition="layer")
    formats = formats_of("UQ0.4", "Q14.8", "Q3.8")
    start = start_of(network, formats, seed=1)
    floats = fast.answer(network, *start, seed=5, probe=2).potentials
    answer = respond_with(network, formats, start, probe=2)
    assert floats.shape == (3, 60, 2)
    assert (floats[:, :, 0] != floats[:, :, 1]).any()
    np.testing.assert_array_equal(answer.potentials * 2.0**-8, floats)
    np.testing.assert_array_equal(answer.spike_counts, respond_with(network, formats, start).spike_counts)


def test_the_answer_does_not_depend_on_threads_or_batches():
    formats = formats_of("UQ0.4", "Q5.6", "Q3.6")
    weights, theta, images = start_of(PLAIN, formats, seed=1, samples=9)
    plan = answering(PLAIN, weights, theta, formats)
    counts, *counted = respond(plan, images, seed=5, threads=1)
    assert counted[0][0].output_spikes > 0
    again, *same = respond(plan, images, seed=5, threads=3)
    np.testing.assert_array_equal(again.toarray(), counts.toarray())
    assert same == counted
    rest = respond_with(PLAIN, formats, (weights, theta, images[4:]), first=4)
    np.testing.assert_array_equal(rest.spike_counts, counts.toarray()[4:])


def test_potentials_that_reach_the_end_of_the_state_are_counted():
    formats = formats_of("UQ0.4", "Q3.4", "Q1.4")
    strong = changed(PLAIN, inhibition_strength=1.5, tau_m_ms=1e9)
    narrow = respond_with(strong, formats, start_of(strong, formats, seed=1)).range
    assert narrow.saturations > 0
    assert narrow.lowest == formats.state.lowest_integer
    wide = formats_of("UQ0.4", "Q12.4", "Q1.4")
    wide = respond_with(strong, wide, start_of(strong, wide, seed=1)).range
    assert wide.saturations == 0
    assert wide.lowest < formats.state.lowest_integer


def test_a_pixel_that_is_not_used_changes_nothing_but_the_counts_of_its_spikes():
    formats = formats_of("UQ0.4", "Q5.6", "Q3.6")
    weights, theta, images = start_of(PLAIN, formats, seed=1)
    weights[2] = 0
    images[:, 0, 2] = 200
    some, every = (
        respond_with(PLAIN, formats, (weights, theta, images), input_mask=mask)
        for mask in (np.arange(6) != 2, None)
    )
    np.testing.assert_array_equal(some.spike_counts, every.spike_counts)
    assert some.activity[0].input_spikes < every.activity[0].input_spikes


def test_a_power_of_two_is_a_leak_by_a_shift():
    network = changed(PLAIN, tau_m_ms=-1 / np.log1p(-(2.0**-7)))
    weights, theta, _ = start_of(network, formats_of("UQ0.4", "Q5.6", "Q3.6"), seed=1)
    plan = answering(network, weights, theta, formats_of("UQ0.4", "Q5.6", "Q3.6"))
    assert plan.layers[0].leak == 2**9


@pytest.mark.parametrize(
    ("formats", "words"),
    [
        (("UQ0.4", "Q9.16", "Q3.6"), r"state: Q9\.16 has 25 bits; .* up to 24"),
        (("UQ0.17", "Q9.6", "Q3.6"), r"weights: UQ0\.17 has 17 bits; .* up to 16"),
        (
            ("UQ0.4", "Q9.6", "Q3.7"),
            r"theta: Q3\.7 is finer than .* \(Q9\.6\); give it at most 6 fraction bits",
        ),
        (("UQ0.4", "Q2.6", "Q2.6"), r"state: Q2\.6 cannot hold the range, thresholds are .*; try Q4\.6"),
        (("UQ0.4", "UQ1.6", "Q2.6"), r"state: UQ1\.6 cannot hold the range, thresholds are .*; try UQ3\.6"),
    ],
)
def test_formats_that_do_not_go_together_are_refused(formats, words):
    network = changed(PLAIN, threshold=5.0)
    with pytest.raises(FormatError, match=words):
        answering(network, np.full((6, 4), 0.5, np.float32), np.zeros(4, np.float32), formats_of(*formats))


def test_more_inputs_than_an_accumulator_holds_are_refused():
    network = changed(PLAIN, threshold=0.5)
    weights, theta = np.full((70_000, 4), 15 / 16, np.float32), np.zeros(4, np.float32)
    with pytest.raises(FormatError, match=r"70000 inputs together may pass 32 bits; give it at most 13$"):
        answering(network, weights, theta, formats_of("UQ0.4", "Q1.23", "Q1.6"))
    answering(network, weights, theta, formats_of("UQ0.4", "Q1.13", "Q1.6"))


@given(
    st.floats(0.01, 1000.0), st.floats(-500, 500), st.sampled_from(["Q3.4", "Q1.8", "UQ2.2", "Q5.0", "Q1.20"])
)
def test_the_state_that_a_refusal_names_is_accepted(threshold, offset, state):
    network = changed(PLAIN, threshold=threshold)
    weights, theta = np.full((6, 4), 0.5, np.float32), np.array([0, 0, 0, offset], np.float32)
    formats = formats_of("UQ0.4", state, "Q11.0")
    try:
        answering(network, weights, theta, formats)
    except FormatError as refusal:
        mend = Format.parse(str(refusal).rsplit("try ", 1)[1])
        answering(network, weights, theta, replace(formats, state=mend))
