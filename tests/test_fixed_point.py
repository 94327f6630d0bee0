"""From a trained network to integers, measured; and the search for the narrowest formats."""

from dataclasses import replace

import numpy as np
import pytest
from described import dense, with_layer

from fspinn import datasets
from fspinn.answering import present as presentation
from fspinn.answering.compress import Calibration, calibrate, lower, measuring, which_spike
from fspinn.answering.evaluate import evaluate
from fspinn.answering.predict import predict
from fspinn.base.errors import ConfigError, FormatError, UnfinishedError
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn, train
from fspinn.lowering import quantize
from fspinn.memmodel import Size, memory_bits
from fspinn.model.tensors import Tensor
from fspinn.network.description import Network
from fspinn.network.rules import Stdp
from fspinn.quant import Format
from fspinn.search.formats import find_formats
from fspinn.search.jobs import compiled
from fspinn.search.trial import Outcome


@pytest.fixture(scope="module")
def data():
    data = datasets.load("digits", validation=300)
    return replace(data, train=data.train.first(600))


@pytest.fixture(scope="module")
def models(data):
    learned = learn(dense(neurons=40, duration_ms=150.0), data, learner=Stdp(passes=3), progress=False)
    readouts = fit_readouts(learned, data, ["proportion", "linear", "majority"])
    return {model.readout.name: model for model in readouts}


def test_each_pass_says_what_it_saved_and_cost(models, data):
    said = []
    lowered = lower(
        models["proportion"], data, weights="UQ0.4", state="Q9.4", shift_leak=True, tune=True, prune=True,
        on_report=said.append,
    )  # fmt: skip
    names = [report.name for report in lowered.reports]
    assert names == ["leak", "weights", "state", "tuning", "neurons", "pixels", "readout"]
    assert said == list(lowered.reports)
    weights = lowered.reports[1]
    assert weights.saved_bits == 64 * 40 * 28
    # A potential and a theta for each neuron, and the threshold that all share.
    assert lowered.reports[2].saved_bits == 41 * (32 - 13) + 40 * (32 - lowered.model.layer.theta.format.bits)
    assert weights.before.accuracy == lowered.reports[0].after.accuracy
    for one, next_one in zip(lowered.reports, lowered.reports[1:], strict=False):
        assert one.after == next_one.before
    assert lowered.reports[-1].after.accuracy == evaluate(lowered.model, data.validation).accuracy
    assert lowered.model.layer.input_mask is not None
    assert lowered.reports[-2].lost_points == 0


def test_what_is_measured_is_in_the_formats_of_the_model(models):
    small = quantize(models["proportion"], "UQ0.4", state="Q9.4", theta="Q6.2")
    size = Size.of(small)
    (layer,) = size.layers
    assert (layer.weight_bits, layer.state_bits, layer.threshold_bits, size.readout_bits) == (4, 13, 8, 8)
    assert Size.of(models["proportion"]).layers[0].state_bits == 32
    assert measuring(None, 0, None)(small).accuracy is None


def test_without_images_nothing_is_measured(models):
    lowered = lower(models["proportion"], None, weights="UQ0.4")
    assert [report.lost_points for report in lowered.reports] == [None, None]
    for how in ({"tune": True}, {"prune": True, "state": "Q9.4"}):
        with pytest.raises(ConfigError, match="data: pruning and tuning look at training images; name the"):
            lower(models["proportion"], None, weights="UQ0.4", **how)


def test_pruning_needs_integers(models, data):
    with pytest.raises(FormatError, match=r"prune: only a network in integers .*; give state too"):
        lower(models["proportion"], data, weights="UQ0.4", prune=True)


def test_integers_answer_digits_as_well_as_floats(models, data):
    """The whole network, state and thresholds included."""
    model = models["proportion"]
    whole = quantize(model, "UQ0.8", state="Q9.7")
    lost = evaluate(model, data.validation).accuracy - evaluate(whole, data.validation).accuracy
    assert lost <= 0.02  # 6 of 300 images


def test_calibration_sees_the_range_of_potentials_and_thresholds(models, data):
    model = models["proportion"]
    found = calibrate(model, data)
    threshold = model.network.layers[0].neuron.firing_threshold + model.layer.theta.values.max()
    assert found.lowest < 0 < threshold - 0.1 < found.highest
    small = quantize(model, "UQ0.8", state="Q9.15")
    answered = predict(small, data.train.images)
    assert calibrate(small, data).lowest == answered.state_range.lowest * 2.0**-15
    assert found.lowest == pytest.approx(answered.state_range.lowest * 2.0**-15, abs=0.1)


def test_the_state_of_a_column_holds_weights_of_the_scale_that_is_asked_for(data):
    network = Network.patches(6, field=3, cells=2)
    column = train(network, data, learner=Stdp(passes=1), progress=False).model
    whole = {}
    for weights in ("UQ0.4", "UQ1.3", "UQ3.3", "Q2.4"):
        lowered = lower(column, data, weights=weights, state="14 bits").model
        layer = lowered.layers[0]
        assert layer.state.bits == 14
        whole[weights] = layer.state.integer_bits
        found = predict(lowered, data.train.images).state_range
        assert found.lowest >= layer.state.lowest_integer
        assert found.highest <= layer.state.highest_integer
        assert found.saturations == 0
    assert whole == {name: whole["UQ0.4"] + more for name, more in zip(whole, (0, 1, 3, 1), strict=True)}


@pytest.mark.parametrize(
    ("lowest", "highest", "bits", "expected"),
    [
        (-1.0, 0.99, 8, "Q1.7"),
        (-1.01, 0.99, 8, "Q2.6"),
        (-3.0, 4.0, 16, "Q4.12"),
        (0.0, 0.0, 1, "Q1.0"),
    ],
)
def test_the_finest_format_of_so_many_bits_holds_the_range(lowest, highest, bits, expected):
    assert str(Calibration(lowest, highest).format(bits)) == expected


def test_too_few_bits_for_a_range_are_named():
    with pytest.raises(FormatError, match=r"^state: 3 bits cannot hold -3 to 20; give it at least 6$"):
        Calibration(-3.0, 20.0).format(3)


@pytest.mark.parametrize("silent", [None, 7])
def test_only_a_neuron_that_spikes_for_no_training_image_is_silent(models, data, silent, monkeypatch):
    monkeypatch.setattr("fspinn.answering.compress.CALIBRATION_IMAGES", 10)
    model = models["proportion"]
    theta = model.layer.theta.values + 1e4 * (np.arange(40) == silent)
    model = with_layer(model, theta=Tensor(theta.astype(np.float32)))
    counts = predict(model, data.train.images).spike_counts
    assert np.array_equal(which_spike(model, data), counts.any(axis=0))
    assert not counts[:10].any(axis=0).all()  # the first images alone would not tell


# --- the narrowest formats --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def search(models, data):
    said = []
    found = find_formats(
        models["proportion"], data, max_loss=1.0, on_trial=lambda before, trial: said.append(trial)
    )
    return found, said


def test_formats_are_narrowed_alone_then_together(search):
    found, said = search
    settled = [trial for trial in found.trials if trial.outcome is not Outcome.CHOSEN]
    assert [trial for trial in said if trial.candidate.variant != found.choice] == settled
    varied = [trial.varied for trial in found.trials]
    assert varied[0] == "none"
    assert varied == sorted(varied, key=["none", "weights", "state", "theta", "readout", "all"].index)
    widest = found.trials[0].candidate.variant
    for trial in found.trials:
        changed = {
            name for name in vars(widest) if getattr(trial.candidate.variant, name) != getattr(widest, name)
        }
        if trial.varied not in ("none", "all"):
            varied = {"readout": "readout_format"}.get(trial.varied, trial.varied)
            assert varied in changed <= {varied, "theta"}


def test_what_is_found_loses_no_more_than_allowed_and_saves(search, models, data):
    found, _ = search
    (chosen,) = (trial for trial in found.trials if trial.outcome is Outcome.CHOSEN)
    choice = chosen.candidate.variant
    assert choice == found.choice
    assert found.lost_points(chosen) <= 1.0
    assert chosen.memory_bits < found.trials[0].memory_bits < found.before.memory_bits
    small = quantize(
        models["proportion"],
        choice.weights,
        readout=choice.readout_format,
        state=choice.state,
        theta=choice.theta,
    )
    assert evaluate(small, data.validation).accuracy == chosen.accuracy
    assert memory_bits(Size.of(small), training=False) == chosen.memory_bits
    assert Format.parse(choice.weights).bits < 8
    # Each parameter is narrower than at first, or cannot be.
    assert Format.parse(choice.state).bits < 16
    for trial in found.trials:
        lost = found.lost_points(trial)
        expected = Outcome.FAILED if lost is None else Outcome.MEETS if lost <= 1.0 else Outcome.BELOW
        assert trial.outcome is expected or trial is chosen


def test_no_format_is_measured_twice(search):
    choices = [trial.candidate.variant for trial in search[0].trials]
    assert len(choices) == len(set(choices))


def test_labels_and_biased_tables_have_their_own_ladders(models, data):
    few = replace(data, validation=data.validation.first(60))
    found = find_formats(models["majority"], few, max_loss=30.0)
    assert found.choice.readout_format is None
    found = find_formats(models["linear"], few, max_loss=30.0)
    assert Format.parse(found.choice.readout_format).signed


def test_a_loss_that_no_formats_keep_is_refused(models, data, monkeypatch):
    with pytest.raises(ConfigError, match=r"^max_loss: must be at least 0, but got -1$"):
        find_formats(models["linear"], data, max_loss=-1.0)

    def worse(model, *args, **kwargs):
        found = evaluate(model, *args, **kwargs)
        if model.layer.weights.format is None:
            return found
        wrong = np.where(np.arange(len(found.labels)) % 2, found.labels, (found.labels + 1) % 10)
        return replace(found, predictions=wrong)

    monkeypatch.setattr("fspinn.search.formats.evaluate", worse)
    with pytest.raises(
        ConfigError, match=r"^max_loss: even the widest formats \(weights UQ0\.8, .*; allow m"
    ):
        find_formats(models["linear"], data, max_loss=9.9)


def test_formats_that_hold_no_network_are_trials_that_failed(models, data, monkeypatch):
    def narrow(compiler, model, variant):
        if variant.weights == "UQ0.7":
            raise FormatError("weights: too narrow")
        return compiled(compiler, model, variant)

    monkeypatch.setattr("fspinn.search.formats.compiled", narrow)
    found = find_formats(models["majority"], data, max_loss=50.0)
    (failed,) = (trial for trial in found.trials if trial.outcome is Outcome.FAILED)
    assert (failed.verdict, failed.varied) == ("failed: weights: too narrow", "weights")
    assert (failed.cost, failed.accuracy, found.lost_points(failed)) == (None, None, None)
    assert found.choice.weights == "UQ0.8"


def test_a_choice_that_could_not_be_measured_ends_the_search_of_formats_in_one_line(
    models, data, monkeypatch
):
    def full(*_, **__):
        raise MemoryError("1 TiB")

    monkeypatch.setattr("fspinn.search.formats.compiled", full)
    words = r"^formats: a choice could not be measured \(MemoryError: 1 TiB\); try again$"
    with pytest.raises(UnfinishedError, match=words):
        find_formats(models["linear"], data)


def test_formats_are_found_for_floats_and_on_validation_images(models, data):
    with pytest.raises(FormatError, match=r"already quantized to UQ0\.4; quantize the model that training"):
        find_formats(quantize(models["proportion"], "UQ0.4"), data)
    with pytest.raises(ConfigError, match="validation: formats are chosen on validation images; hold some"):
        find_formats(models["proportion"], datasets.load("digits", validation=0))


def test_potentials_of_integers_are_at_the_threshold_when_a_neuron_spikes(models, data):
    small = quantize(models["proportion"], "UQ0.4", state="Q9.4")
    shown = presentation.present(small, data.validation.images[0])
    for neuron in set(shown.output_neurons.tolist()):
        compared = presentation.potential(shown, neuron)[:, 0]
        spiked = shown.output_steps[shown.output_neurons == neuron]
        assert np.flatnonzero(compared >= shown.layer.thresholds[neuron]).tolist() == spiked.tolist()
    assert len(shown.output_neurons) > 2


def test_brian2_refuses_integers(models, data):
    small = quantize(models["proportion"], "UQ0.4", state="Q9.4")
    with pytest.raises(ConfigError, match="engine: brian2 does not compute with integers only; use numba"):
        evaluate(small, data.validation, engine="brian2")
