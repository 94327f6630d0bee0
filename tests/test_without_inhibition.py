"""Layers whose neurons know nothing of each other: soft reset, signed weights, what is refused."""

from dataclasses import replace

import naive_integers
import numpy as np
import pytest
from click.testing import CliRunner
from described import changed, dense, flat, model_from
from hypothesis import given, settings
from hypothesis import strategies as st
from runners import answering, fast, output_spikes

import fspinn
from fspinn.answering.compress import calibrate, lower
from fspinn.answering.describe import equations
from fspinn.backends.numba import engine
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.settings import with_settings
from fspinn.cli import main
from fspinn.learning.training import learn
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.post_training import closest_scale
from fspinn.model.model import Model, Readout
from fspinn.model.tensors import Formats, LayerTensors
from fspinn.network import Balanced, FirstSpike, Fixed, NoInhibition
from fspinn.network.description import Network
from fspinn.network.encoders import Spikes
from fspinn.network.layers import Layer, Neuron
from fspinn.quant import Format
from fspinn.quant.formats import quantize_values
from fspinn.report.plots import receptive_fields
from fspinn.search.sweep import sweep

FREE = {"inhibition": "none", "weight_norm": 1.0, "rate_norm_hz": 1e7, "tau_m_ms": None}
WHITE = np.full((1, 1, 1), 255, np.uint8)


def course_of(weights, neuron, formats=None, theta=None, **more):
    """Spikes of neurons that one input drives in every step, and the potential of one of them."""
    network = flat(**{**FREE, "neurons": len(weights), "threshold": 1.0, "duration_ms": 5.0, **more})
    theta = np.zeros(len(weights)) if theta is None else np.asarray(theta)
    arrays = np.array([weights], np.float32), theta.astype(np.float32)
    answer = fast.answer(network, *arrays, WHITE, formats=formats, probe=neuron)
    return output_spikes(answer)[0], answer.potentials[0].tolist()


def test_all_that_have_reached_their_thresholds_spike_in_their_order_and_keep_what_is_above():
    spikes, course = course_of([0.75, 2.5, 0.25, 1.0], neuron=1, duration_ms=3.0)
    assert spikes == [(0, 1), (0, 3), (1, 0), (1, 1), (1, 3), (2, 0), (2, 1), (2, 3)]
    assert course == [[2.5, 1.5], [4.0, 3.0], [5.5, 4.5]]


def test_each_loses_its_own_threshold_theta_included():
    spikes, course = course_of([1.5, 1.5], neuron=1, theta=[0.0, 0.25], duration_ms=3.0)
    assert course == [[1.5, 0.25], [1.75, 0.5], [2.0, 0.75]]
    assert len(spikes) == 6


def test_those_that_are_refractory_integrate_and_wait():
    spikes, course = course_of([0.75], neuron=0, refractory_ms=2.0, duration_ms=6.0)
    assert [step for step, _ in spikes] == [1, 4]
    assert course[1:5] == [[1.5, 0.5], [1.25, 1.25], [2.0, 2.0], [2.75, 1.75]]


IN_INTEGERS = Formats(*(Format.parse(name) for name in ("Q1.3", "Q3.2", "Q1.2")))


def test_in_integers_potentials_fall_below_zero_leak_downwards_and_saturate():
    """16 ms: a step loses 3970 of 65536; -0.75 is 3 quarters down, and leaks by what is rounded down."""
    _, course = course_of([-0.75], 0, IN_INTEGERS, tau_m_ms=16.0)
    assert course[:3] == [[-3, -3], [-3 + 1 - 3] * 2, [-5 + 1 - 3] * 2]
    network = flat(**{**FREE, "neurons": 2, "threshold": 1.0, "duration_ms": 9.0})
    weights = np.array([[-0.75, 0.875]])
    answer = fast.answer(network, weights, np.zeros(2), WHITE, formats=IN_INTEGERS)
    assert answer.range.lowest == IN_INTEGERS.state.lowest_integer == -16
    assert answer.range.saturations == 4  # after 5 steps -15, then at the end in each
    assert output_spikes(answer)[0] == [(step, 1) for step in (1, 2, 3, 5, 6, 7)]


def test_a_threshold_below_zero_raises_a_potential_to_the_end_of_the_format():
    """Nothing asks for it, but what the format holds is what all backends have."""
    (layer,) = answering(
        flat(**FREE, neurons=1, threshold=1.0, duration_ms=6.0),
        np.array([[0.5]]),
        np.array([-1.75]),
        Formats(*(Format.parse(name) for name in ("Q1.3", "Q3.2", "Q2.2"))),
    ).layers
    network = flat(**FREE, neurons=1, threshold=1.0, duration_ms=6.0)
    answer = fast.answer(
        network, np.array([[0.5]]), np.array([-1.75]), WHITE, formats=layer.formats, seed=1, first=0
    )
    counts, _, lowest, saturations = naive_integers.respond(
        network, layer, layer.formats, np.array([-7]), WHITE, 1, 0
    )
    assert answer.spike_counts.tolist() == counts.tolist() == [[6]]
    assert (answer.range.lowest, answer.range.saturations) == (lowest, saturations)
    assert saturations > 0
    assert answer.range.highest == layer.formats.state.highest_integer


# --- from layer to layer ----------------------------------------------------------------------------


def test_in_a_step_a_feature_is_passed_on_once_from_all_positions_of_its_cell():
    """A field of one pixel at two positions of one cell: pixels spike together, or one after the other."""
    layers = (
        Layer(1, (1, 1), 1, (1, 1), Neuron(0.5, None, weight_norm=1.0), NoInhibition(), Fixed()),
        Layer(1, neuron=Neuron(9.0, None, weight_norm=1.0), inhibition=NoInhibition(), adaptation=Fixed()),
    )
    network = Network(FirstSpike(relative_to="white"), layers, duration_ms=4.0)
    readout = Readout("proportion", np.ones((1, 2), np.float32))
    tensors = (LayerTensors.of_floats(np.full((1, 1), 0.5, np.float32), np.zeros(1, np.float32)),) * 2
    plan = plan_of(Model(network, (1, 2), tensors, readout))
    together = Spikes(np.array([[0, 2, 2, 2, 2], [2, 3, 3, 4, 4]]), np.array([0, 1, 0, 1], np.int32))
    below, last = engine.respond(plan, together).activity
    assert (below.output_spikes, last.input_spikes) == (4, 3)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=9), max_size=4))
def test_spikes_of_each_step_are_sorted_and_there_once(samples):
    spikes_of = np.array([len(one) for one in samples], np.int64)
    flat_ = np.array([pair for one in samples for pair in one], np.int32).reshape(-1, 2)
    steps, features = (np.ascontiguousarray(column) for column in flat_.T)
    made = Spikes.each_step(spikes_of, steps, features, (4, 3), 7, 2)
    assert (len(made), made.steps, made.seed, made.first) == (len(samples), 4, 7, 2)
    found = [
        {(t, int(i)) for t in range(4) for i in made.inputs[made.offsets[m, t] : made.offsets[m, t + 1]]}
        for m in range(len(samples))
    ]
    assert found == [set(one) for one in samples]
    assert len(made.inputs) == sum(len(one) for one in found)
    for m, t in np.ndindex(len(samples), 4):
        assert np.all(np.diff(made.inputs[made.offsets[m, t] : made.offsets[m, t + 1]]) > 0)


# --- weights in formats -----------------------------------------------------------------------------


def free_model(weights, shape=(3, 4), **more):
    network = dense(**{**FREE, "neurons": weights.shape[1], "adaptation": "off", "duration_ms": 30.0, **more})
    network = with_settings(network, {"rate_norm_hz": 900.0})
    table = np.random.default_rng(1).random((weights.shape[1], 10), np.float32)
    return model_from(network, shape, weights, np.zeros(weights.shape[1]), Readout("proportion", table))


NORMAL = np.random.default_rng(2).standard_normal((12, 5)).astype(np.float32) * 0.3


def squared_error(weights, format, scale):
    return float(np.square(weights - quantize_values(weights * np.float32(scale), format) / scale).sum())


@pytest.mark.parametrize("name", ["Q1.7", "Q1.3", "Q1.2", "Q1.1", "Q3.1", "UQ0.3"])
def test_the_closest_scale_is_as_near_as_any_of_a_fine_grid(name):
    format = Format.parse(name)
    weights = np.random.default_rng(0).standard_normal(4000).astype(np.float32) * 0.3
    best = min(squared_error(weights, format, scale) for scale in np.geomspace(0.1, 100, 3000))
    assert squared_error(weights, format, closest_scale(weights, format)) < 1.005 * best
    assert closest_scale(np.zeros(4, np.float32), format) == 1.0


@pytest.mark.parametrize("factor", [0.3, 1.7])
def test_integers_in_other_steps_are_found(factor):
    integers = np.random.default_rng(0).integers(-7, 8, 500) / 8
    scale = closest_scale((integers * factor).astype(np.float32), Format.parse("Q1.3"))
    assert scale * factor == pytest.approx(1.0, rel=1e-6)


def test_weights_that_a_format_has_are_not_changed_by_it():
    weights = quantize_values(NORMAL, Format.parse("Q1.3"))
    model = free_model(weights, threshold=3.0)
    quantized = fspinn.quantize(model, "Q1.3", state="Q5.6")
    assert quantized.network == model.network
    np.testing.assert_array_equal(quantized.layer.weights.values, weights)
    assert quantized.record["quantization"]["saturated_share"] == 0


def test_thresholds_are_scaled_with_the_weights():
    model = free_model(NORMAL)
    quantized = fspinn.quantize(model, "Q1.2")
    scale = closest_scale(NORMAL, Format.parse("Q1.2"))
    assert quantized.network.layers[0].neuron.weight_norm == pytest.approx(scale)
    np.testing.assert_array_equal(
        quantized.layer.weights.values, quantize_values(NORMAL * np.float32(scale), Format.parse("Q1.2"))
    )
    assert quantized.layer.weights.values.min() < 0


def test_a_fine_format_changes_no_answer():
    images = np.random.default_rng(3).integers(0, 256, (20, 3, 4), dtype=np.uint8)
    model = free_model(NORMAL, threshold=0.5)
    before = fspinn.predict(model, images)
    after = fspinn.predict(fspinn.quantize(model, "Q1.15", state="Q9.15", readout="UQ0.16"), images)
    np.testing.assert_array_equal(before.spike_counts, after.spike_counts)
    assert before.spike_counts.sum() > 100
    assert after.state_range.lowest < 0


@pytest.mark.parametrize(("asked", "advised"), [("UQ0.4", "Q1.3"), ("UQ2.6", "Q3.5"), ("UQ3.0", "Q4.0")])
def test_formats_without_a_sign_are_refused_for_weights_below_zero(asked, advised):
    words = (
        rf"^weights: {asked} has no numbers below 0, and weights of layer 1 \(inhibition none\) are as low "
        rf"as -0.\d+; use a signed format such as {advised}$"
    )
    with pytest.raises(FormatError, match=words):
        fspinn.quantize(free_model(NORMAL), asked)
    fspinn.quantize(free_model(np.abs(NORMAL)), asked.replace("UQ3.0", "UQ3.3"))


def test_ranges_are_looked_for_at_the_scale_of_the_format_itself(digits_of_8):
    """A finer format has another scale, whose range would be too small for this one."""
    weights = np.random.default_rng(2).standard_normal((64, 6)).astype(np.float32) * 0.3
    model = free_model(weights, (8, 8))
    lowered = lower(model, digits_of_8, weights="Q1.1", state="12 bits").model
    expected = calibrate(model, digits_of_8, weights="Q1.1").format(12)
    assert lowered.layer.state == expected
    images = digits_of_8.train.images[:200]
    assert fspinn.predict(lowered, images).state_range.saturations == 0


@pytest.fixture(scope="module")
def digits_of_8():
    data = fspinn.datasets.load("digits")
    return replace(data, train=data.train.first(200), validation=data.validation.first(50))


# --- what is refused --------------------------------------------------------------------------------


def test_thresholds_that_adapt_are_refused():
    words = (
        r"^adaptation: balanced is of layers that learn by STDP, which one without inhibition \(none\) does "
        r"not; use adaptation = off$"
    )
    with pytest.raises(ConfigError, match=words):
        Layer(3, inhibition=NoInhibition(), adaptation=Balanced())
    assert changed(Network(), inhibition="none", adaptation="off").layers[0].adaptation == Fixed()


def test_learning_by_stdp_is_refused_before_anything_runs(digits_of_8, tmp_path):
    free = Layer(3, inhibition=NoInhibition(), adaptation=Fixed())
    network = replace(Network.patches(3, field=3), layers=(Network.patches(3, field=3).layers[0], free))
    words = (
        r"^inhibition: layer 2 has none, and by STDP all its neurons would learn the same; use the learner "
        r"surrogate, or another inhibition$"
    )
    for run in (fspinn.train, learn):
        with pytest.raises(ConfigError, match=words):
            run(network, digits_of_8, progress=False)
    settings_ = ["--set", "inhibition=none", "--set", "adaptation=off"]
    file = tmp_path / "net.h5"
    refused = CliRunner().invoke(main, ["train", "--neurons", "4", *settings_, "-o", str(file)])
    assert refused.exit_code == 2
    assert refused.stderr.startswith("fspinn: inhibition: layer 1 has none, and by STDP all")
    assert not file.exists()


def test_its_equations_are_those_of_answering():
    assert list(equations(free_model(NORMAL))) == ["answering"]


def test_searches_and_sweeps_refuse_learning_by_stdp_before_anything_runs(digits_of_8):
    network = changed(Network(), inhibition="none", adaptation="off")
    words = "^inhibition: layer 1 has none, and by STDP all its neurons would learn the same; use the"
    with pytest.raises(ConfigError, match=words):
        fspinn.tune(network, digits_of_8)
    with pytest.raises(ConfigError, match=words):
        fspinn.find_smallest(digits_of_8, accuracy=0.5, network=network)
    with pytest.raises(ConfigError, match=words):
        sweep(network, digits_of_8, {"threshold": [1.0]})


def test_weights_below_zero_are_drawn_in_a_colour_of_their_own():
    signed, unsigned = free_model(NORMAL), free_model(np.abs(NORMAL))
    for model, colours in ((signed, ("cividis", -1)), (unsigned, ("magma", 0))):
        (image,) = receptive_fields(model).axes[0].images
        lowest, highest = image.get_clim()
        assert (image.get_cmap().name, np.sign(lowest)) == colours
        assert highest == pytest.approx(np.abs(NORMAL).max())
        assert lowest in (0, -highest)
