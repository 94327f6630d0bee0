"""Quantization of a trained model after training."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from described import dense, model_from
from hypothesis import given
from hypothesis import strategies as st

from fspinn import datasets
from fspinn.answering.evaluate import evaluate
from fspinn.base.errors import FormatError
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering import quantize
from fspinn.lowering.post_training import quantize_readout, quantize_state
from fspinn.model.activity import Activity
from fspinn.model.model import Readout
from fspinn.network.rules import Stdp
from fspinn.quant import Format
from fspinn.quant.formats import ROUNDINGS, quantize_values, to_integers

RNG = np.random.default_rng(0)


def model_with(weights, readout_name="proportion", table=None, **more):
    weights = np.asarray(weights, dtype=np.float32).reshape(4, 3)
    table = RNG.dirichlet(np.ones(5), 3) if table is None else table
    return model_from(
        network=dense(neurons=3, weight_norm=1.0),
        image_shape=(2, 2),
        weights=weights,
        theta=np.array([-1.0, 0.5, 0.5], dtype=np.float32),
        readout=Readout(readout_name, np.asarray(table, dtype=np.float32)),
        activity={"inference": (Activity(samples=1, steps=350),)},
        **more,
    )


def spread():
    return np.linspace(0, 1, 12)


def test_weights_and_readout_hold_the_quantized_values():
    model = model_with(spread())
    small = quantize(model, weights="UQ0.4", readout="UQ0.8")
    assert small.layer.weights.format == Format.parse("UQ0.4")
    assert small.layer.weights.bits == 4
    assert small.readout.format == Format.parse("UQ0.8")
    values = quantize_values(model.layer.weights.values, Format.parse("UQ0.4"))
    np.testing.assert_array_equal(small.layer.weights.values, values)
    np.testing.assert_array_equal(
        small.readout.table, quantize_values(model.readout.table, Format.parse("UQ0.8"))
    )


def test_everything_else_stays_and_the_input_is_untouched():
    model = model_with(spread(), record={"seed": 7})
    before = model.layer.weights.values.copy(), model.readout.table.copy()
    small = quantize(model, weights=Format.parse("UQ0.2"))
    np.testing.assert_array_equal(model.layer.weights.values, before[0])
    np.testing.assert_array_equal(model.readout.table, before[1])
    assert model.layer.weights.format is None
    assert dict(model.record) == {"seed": 7}
    np.testing.assert_array_equal(small.layer.theta.values, model.layer.theta.values)
    assert small.network == model.network
    assert small.activity == model.activity


def test_the_record_says_what_was_done_and_drops_accuracies():
    record = {"seed": 7, "accuracy": 0.9, "validation_accuracy": 0.9, "metrics": {"accuracy": 0.9}}
    small = quantize(model_with(spread(), record=record), "UQ0.4", rounding="truncate")
    assert set(small.record) == {"seed", "quantization"}
    assert small.record["quantization"] == {
        "weights": "UQ0.4",
        "readout": "UQ0.8",
        "rounding": "truncate",
        "saturated_share": 1 / 12,  # the weight of 1
        "zeroed_share": 0.0,
    }


def test_truncation_never_rounds_up():
    model = model_with(spread())
    assert (
        quantize(model, "UQ1.3", rounding="truncate").layer.weights.values <= model.layer.weights.values
    ).all()


def test_stochastic_rounding_is_fixed_by_the_seed():
    one, same, other = (quantize(model_with(spread()), "UQ0.2", "stochastic", seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.layer.weights.values, same.layer.weights.values)
    assert (one.layer.weights.values != other.layer.weights.values).any()


def test_with_a_state_a_model_is_in_integers():
    model = model_with(spread(), record={"accuracy": 0.9})
    small = quantize(model, "UQ0.4", state="Q6.6")
    assert (str(small.layer.state), str(small.layer.theta.format)) == ("Q6.6", "Q1.6")
    assert (small.layer.state_bits, small.layer.theta.bits) == (12, 7)
    assert (model.layer.state_bits, model.layer.theta.bits) == (32, 32)
    assert small.layer.formats is not None
    assert model.layer.formats is None
    assert small.record["quantization"]["state"] == "Q6.6"
    assert small.record["quantization"]["theta"] == "Q1.6"
    np.testing.assert_array_equal(
        small.layer.theta.values, model.layer.theta.values
    )  # -1 and 0.5 are numbers of Q1.6


def test_theta_can_be_coarser_than_the_state():
    model = model_with(spread())
    small = quantize(model, "UQ0.4", state="Q6.6", theta="Q1.0")
    assert to_integers(small.layer.theta.values, Format.parse("Q1.0")).tolist() == [-1, 0, 0]


@pytest.mark.parametrize(
    ("state", "theta", "words"),
    [
        ("Q4.6", None, r"state: Q4\.6 cannot hold the range, thresholds are from 19 to 20\.5 .*; try Q6\.6"),
        ("Q6.6", "Q1.7", r"theta: Q1\.7 is finer than the potentials"),
        ("Q6.6", "UQ1.6", r"theta: UQ1\.6 cannot hold the range \(from -1 to 0\.5; .*; try Q1\.6"),
        ("Q9.16", None, r"state: Q9\.16 has 25 bits"),
        (None, "Q1.6", "theta: goes with the state; give a format of both, or of none"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(state, theta, words):
    with pytest.raises(FormatError, match=words):
        quantize(model_with(spread()), "UQ0.4", state=state, theta=theta)


def test_a_state_comes_after_the_weights_and_once():
    with pytest.raises(FormatError, match="state: the weights are not quantized yet; give them a format fir"):
        quantize_state(model_with(spread()), "Q6.6")
    with pytest.raises(
        FormatError, match=r"state: already quantized to Q6\.6; quantize the model that train"
    ):
        quantize_state(quantize(model_with(spread()), "UQ0.4", state="Q6.6"), "Q6.6")
    with pytest.raises(FormatError, match=r"readout: already quantized to UQ0\.8; quantize the model that t"):
        quantize_readout(quantize(model_with(spread()), "UQ0.4"))


def test_labels_are_left_as_they_are():
    table = np.zeros((3, 5))
    table[[0, 1, 2], [0, 0, 4]] = [0.5, 0.5, 1.0]
    model = model_with(spread(), readout_name="majority", table=table)
    small = quantize(model, "UQ0.4")
    assert small.readout is model.readout
    assert small.record["quantization"]["readout"] is None


def linear_with(table, bias):
    readout = Readout("linear", np.asarray(table, np.float32), bias=np.asarray(bias, np.float32))
    return replace(model_with(spread()), readout=readout)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_table_with_a_bias_fills_eight_signed_bits_whatever_its_scale(scale):
    model = linear_with(scale * np.array([[-3, 1], [0.75, 1.5], [0, 0]]), scale * np.array([6, -9]))
    small = quantize(model, "UQ0.4")
    assert str(small.readout.format) == small.record["quantization"]["readout"] == "Q1.7"
    steps = small.readout.table * 128
    assert steps.tolist() == [[-127, 42], [32, 64], [0, 0]]  # -3 is -127
    assert (small.readout.bias * 128).tolist() == [254, -381]  # wider than eight bits
    assert model.readout.table[0, 0] == np.float32(-3 * scale)


def test_a_table_with_a_bias_fills_the_format_that_is_asked_for():
    small = quantize(linear_with([[-3, 1], [0.75, 1.5], [0, 0]], [0, 1]), "UQ0.4", readout="Q2.2")
    assert (small.readout.table * 4).tolist() == [[-7, 2], [2, 4], [0, 0]]
    assert (small.readout.bias * 4).tolist() == [0, 2]


def test_a_table_with_a_bias_needs_a_sign():
    with pytest.raises(FormatError, match=r"readout: UQ0\.8 cannot hold the table.*; try Q2\.6"):
        quantize(linear_with([[-1.5, 1], [0.75, 1.5], [0, 0]], [0, 1]), "UQ0.4", readout="UQ0.8")


@pytest.mark.parametrize("name", ["proportion", "linear"])
def test_eight_bits_read_digits_as_well_as_floats(name):
    """Spikes of the network with unquantized weights, so that only the readout differs."""
    data = datasets.load("digits")
    learned = learn(dense(neurons=100), data, learner=Stdp(passes=2), progress=False)
    (model,) = fit_readouts(learned, data, [name])
    small = replace(model, readout=quantize(model, "UQ0.8").readout)
    assert small.readout.format is not None
    assert abs(evaluate(model, data.test).accuracy - evaluate(small, data.test).accuracy) <= 0.003


def test_an_entry_of_one_may_lose_a_step():
    small = quantize(model_with(spread(), table=np.eye(3)), "UQ0.4", readout="UQ0.8")
    assert small.readout.table.max() == 255 / 256


def test_a_quantized_model_is_refused():
    small = quantize(model_with(spread()), "UQ0.4")
    with pytest.raises(
        FormatError, match=r"already quantized to UQ0\.4; quantize the model that training wrote"
    ):
        quantize(small, "UQ0.2")


def test_a_format_in_which_no_weight_survives_is_refused():
    with pytest.raises(FormatError, match=r"no weight survives UQ1\.2 .*from 0 to 0\.03.*; try UQ0\.8"):
        quantize(model_with(spread() * 0.03), "UQ1.2")


def test_a_format_that_cannot_hold_the_range_is_refused():
    with pytest.raises(FormatError, match=r"UQ0\.4 cannot hold the range.*from 0 to 9;.*; try UQ4\.0"):
        quantize(model_with(spread() * 9), "UQ0.4")


def test_negative_weights_ask_for_a_signed_format():
    with pytest.raises(FormatError, match=r"cannot hold the range.*; try Q1\.7"):
        quantize(model_with(-spread() * 0.9), "UQ0.8")


def test_weights_that_are_all_zero_ask_for_training():
    with pytest.raises(FormatError, match=r"no weight survives .* train the network first"):
        quantize(model_with(np.zeros(12)), "UQ0.4")


def test_weights_beyond_all_formats_ask_for_training():
    with pytest.raises(FormatError, match="no format of 32 bits can: train the network again"):
        quantize(model_with(spread() * 1e30), "UQ0.4")


def test_a_readout_that_its_format_cannot_hold_is_refused():
    with pytest.raises(FormatError, match=r"readout: UQ0\.8 cannot hold the table.*; try Q1\.7"):
        quantize(model_with(spread(), table=np.linspace(-0.5, 0.9, 15).reshape(3, 5)), "UQ0.4")


def test_unknown_formats_and_roundings_are_refused():
    with pytest.raises(FormatError, match="'int4' is not a number format"):
        quantize(model_with(spread()), "int4")
    with pytest.raises(FormatError, match="'up' is not a rounding"):
        quantize(model_with(spread()), "UQ0.4", rounding="up")


@given(st.integers(1, 12), st.floats(2**-9, 2**9), st.sampled_from(ROUNDINGS), st.booleans())
def test_the_format_that_a_refusal_names_is_accepted(bits, largest, rounding, signed):
    weights = np.linspace(-largest if signed else 0, largest, 12)
    for text in (f"UQ0.{bits}", f"UQ{bits}.0", f"Q{bits}.0"):
        try:
            quantize(model_with(weights), text, rounding)
        except FormatError as refusal:
            mend = str(refusal).rsplit("try ", 1)[1]
            assert quantize(model_with(weights), mend, rounding).layer.weights.format == Format.parse(mend)


def test_either_module_can_be_imported_first():
    for line in (
        "import fspinn.lowering",
        "import fspinn.model.model",
        "import fspinn.quant.formats",
    ):
        subprocess.run([sys.executable, "-c", line], check=True)


def test_what_silence_means_survives_a_coarse_table():
    readout = Readout("proportion", np.eye(3, dtype=np.float32), bias=np.array([0, 0, 1 / 16], np.float32))
    model = replace(model_with(spread()), readout=readout)
    assert quantize(model, "UQ0.4").readout.format == Format.parse("UQ0.8")
    assert quantize(model, "UQ0.4", readout="UQ0.2").readout.bias.tolist() == [0.0, 0.0, 0.25]
