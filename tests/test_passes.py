"""Passes: what each changes, what it leaves alone, and what it says about it."""

from dataclasses import replace

import numpy as np
import pytest
from described import changed, dense, model_from, stack_model, with_layer

from fspinn.answering.predict import predict
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.settings import settings_of, with_settings
from fspinn.lowering import passes, quantize
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.passes import Measured, Report, chain, drop_neurons, drop_pixels, retune, shift_leak
from fspinn.model.model import Readout
from fspinn.model.tensors import Tensor

NETWORK = dense(neurons=5, duration_ms=100.0, weight_norm=1.0, threshold=3.0, inhibition_strength=0.5)
RANDOM = np.random.default_rng(3)
IMAGES = RANDOM.integers(0, 256, (12, 2, 4), dtype=np.uint8)


def model_of(network=NETWORK, readout=None, silent=(), dark=()):
    """A model whose silent neurons never spike and whose dark pixels have weights that are zero."""
    random = np.random.default_rng(4)
    weights = random.random((8, network.neurons), dtype=np.float32)
    weights[list(dark)] = 0.01
    theta = np.zeros(network.neurons, np.float32)
    theta[list(silent)] = 100.0
    table = random.dirichlet(np.ones(3), network.neurons).astype(np.float32)
    return model_from(
        network, (2, 4), weights, theta, readout or Readout("proportion", table),
        record={"seed": 1, "validation_accuracy": 0.9},
    )  # fmt: skip


def threshold(model):
    return model.network.answering.layers[0].neuron.threshold


def answers(model):
    return predict(model, IMAGES, seed=0)


# --- one after the other ----------------------------------------------------------------------------


def test_a_chain_measures_before_and_after_each_pass_and_leaves_its_input_alone():
    model, said = model_of(), []
    measured = iter([Measured(8192 * 4, 0.9), Measured(8192, 0.895), Measured(8192, 0.9)])
    after, reports = chain(
        model,
        {"leak": shift_leak, "nothing": lambda model: (model, "as it was")},
        lambda model: next(measured),
        said.append,
    )
    assert model.network == NETWORK
    assert after.network != NETWORK
    assert said == reports
    assert str(reports[0]).startswith("leak      leak is v -= v >> 7, tau_m_ms 100 -> 127.5; saves 3 KiB; ")
    assert str(reports[0]).endswith("loses 0.50 points")
    assert str(reports[1]) == "nothing   as it was; saves 0 B; gains 0.50 points"


def test_where_nobody_looked_no_loss_is_said():
    report = Report("leak", "x", Measured(10, None), Measured(10, 0.5))
    assert report.lost_points is None
    assert str(report) == "leak      x; saves 0 B"


# --- leak -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tau_m_ms", "k"), [(100.0, 7), (20.0, 4), (1.0, 1), (0.2, 1), (1e5, 16)])
def test_the_leak_becomes_the_nearest_shift(tau_m_ms, k):
    shifted, said = shift_leak(model_of(changed(NETWORK, tau_m_ms=tau_m_ms)))
    assert said.startswith(f"leak is v -= v >> {k}, ")
    small = quantize(shifted, "UQ0.8", state="Q6.8")
    assert plan_of(small).layers[0].leak == 2 ** (16 - k)
    assert np.exp(-1 / shifted.network.layers[0].neuron.tau_m_ms) == pytest.approx(1 - 2.0**-k)
    assert "validation_accuracy" not in shifted.record


@pytest.mark.parametrize("tau_m_ms", [1e-3, 1e9])
def test_where_all_or_nothing_leaks_there_is_nothing_to_shift(tau_m_ms):
    model = model_of(changed(NETWORK, tau_m_ms=tau_m_ms))
    same, said = shift_leak(model)
    assert same is model
    assert said == "nothing or everything leaks: there is nothing to shift"


def test_the_leak_of_each_layer_is_shifted():
    model = stack_model()
    model = replace(model, network=with_settings(model.network, {"layers.2.tau_m_ms": 20.0}))
    shifted, said = shift_leak(model)
    assert said == "leak of layer 2 is v -= v >> 4, tau_m_ms 20 -> 15.49"
    first, second = shifted.network.layers
    assert first == model.network.layers[0]
    assert np.exp(-1 / second.neuron.tau_m_ms) == pytest.approx(1 - 2.0**-4)


# --- pruning ----------------------------------------------------------------------------------------


def test_pixels_without_weights_are_dropped_and_no_answer_changes():
    model = quantize(model_of(dark=(1, 6)), "UQ0.4", state="Q6.6")
    fewer, said = drop_pixels(model)
    assert said == "8 -> 6 pixels: the weights of the others are all zero"
    assert (fewer.layer.inputs_used, model.layer.inputs_used) == (6, 8)
    np.testing.assert_array_equal(answers(fewer).spike_counts, answers(model).spike_counts)
    assert answers(fewer).activity[0].synaptic_additions < answers(model).activity[0].synaptic_additions


def test_pixels_of_a_network_in_floats_are_never_dropped():
    with pytest.raises(FormatError, match="prune: only a network in integers has weights that are all zero"):
        drop_pixels(model_of())


def test_neurons_that_never_spike_are_dropped_and_no_answer_changes():
    model = model_of(silent=(1, 3))
    fewer, said = drop_neurons(model, answers(model).spike_counts.any(axis=0))
    assert said == "5 -> 3 neurons: the others never spiked"
    assert fewer.network.neurons == 3
    np.testing.assert_array_equal(answers(fewer).scores, answers(model).scores)


def test_where_all_neurons_spike_all_stay():
    model = model_of()
    same, said = drop_neurons(model, np.ones(5, bool))
    assert same is model
    assert said == "5 neurons: all of them spike"


def test_a_network_that_never_spiked_is_not_pruned_away():
    with pytest.raises(ConfigError, match=r"^prune: no neuron ever spiked; lower the threshold, or train"):
        drop_neurons(model_of(), np.zeros(5, bool))


# --- threshold and inhibition -----------------------------------------------------------------------


def test_retuning_takes_what_answers_best_one_after_the_other():
    def accuracy(model):
        settings = settings_of(model.network.answering)
        return 1 - abs(settings["threshold"] - 2.4) - abs(settings["inhibition_strength"] - 0.6)

    tuned, said = retune(model_of(), accuracy)
    assert tuned.network == changed(NETWORK, answer_threshold=2.4, answer_inhibition=0.6)
    assert said == "threshold 3 -> 2.4, inhibition 0.5 -> 0.6"


def test_retuning_keeps_what_is_best_already():
    model = model_of()
    same, said = retune(model, lambda model: float(model.network == NETWORK))
    assert same is model
    assert said == "threshold 3 -> 3, inhibition 0.5 -> 0.5"


def test_retuning_tries_only_thresholds_that_the_state_holds():
    model = quantize(model_of(), "UQ0.4", state="Q3.6")
    tried = []
    tuned, _ = retune(model, lambda model: tried.append(threshold(model)) or len(tried))
    assert threshold(tuned) == 3.75
    at_the_end = quantize(model_of(changed(NETWORK, threshold=3.9)), "UQ0.4", state="Q3.6")
    tuned, _ = retune(at_the_end, threshold)
    assert threshold(tuned) == 3.9


def test_of_a_potential_no_more_than_all_is_taken():
    network = changed(NETWORK, inhibition_strength=0.9, inhibition_of="potential")
    tuned, _ = retune(model_of(network), lambda model: model.network.answering.layers[0].inhibition.strength)
    assert tuned.network.answering.layers[0].inhibition.strength == 0.9
    assert max(passes.INHIBITIONS) * 0.9 > 1


def test_tuning_leaves_thresholds_above_the_potential_at_rest():
    """The more neurons spike without input, the better this criterion likes it."""
    model = model_of()
    low = with_layer(model, theta=Tensor(np.full(5, -0.9 * 3.0, np.float32)))
    tuned, _ = retune(low, lambda model: -threshold(model))
    neuron = tuned.network.answering.layers[0].neuron
    assert (neuron.firing_threshold + tuned.layer.theta.values > 0).all()
