"""Training on real digits: it learns, it repeats itself to the bit, and it says what is wrong."""

import io
import sys
from dataclasses import replace

import numpy as np
import pytest
from described import changed, dense

import fspinn
from fspinn import datasets
from fspinn.answering.evaluate import evaluate, load_data_of
from fspinn.backends.numba import engine as numba_backend
from fspinn.backends.protocol import Response
from fspinn.base import jit
from fspinn.base.errors import ConfigError
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn, passes_for, train
from fspinn.lowering.integers import Range
from fspinn.model.activity import Activity
from fspinn.network.encoders import BatchEncoder, Spikes
from fspinn.network.rules import Stdp

SMALL = dense(neurons=15, duration_ms=100.0)


class Untouchable:
    """A split of which only the size may be looked at."""

    def __init__(self, split):
        self.size = len(split)

    def __len__(self):
        return self.size


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", validation=300)


@pytest.fixture(scope="module")
def result(digits):
    return train(SMALL, digits, learner=Stdp(passes=1), seed=0)


def bits(model):
    return (
        model.layer.weights.values.tobytes(),
        model.layer.theta.values.tobytes(),
        model.readout.table.tobytes(),
    )


def test_a_hundred_neurons_read_digits_they_have_not_seen():
    """Chance is 0.1; guessing by nearest mean image gives about 0.88."""
    data = datasets.load("digits")
    trained = train(dense(neurons=100), data, seed=0)
    assert trained.model.record["passes"] == 9
    assert evaluate(trained.model, data.test).accuracy >= 0.88
    assert trained.validation.accuracy >= 0.88


def test_the_same_seed_has_the_same_bits(digits, result):
    again = train(SMALL, digits, learner=Stdp(passes=1), seed=0, threads=1)
    two = train(SMALL, digits, learner=Stdp(passes=1), seed=0, threads=2)
    assert bits(again.model) == bits(two.model) == bits(result.model)
    assert again.model.activity == two.model.activity == result.model.activity
    assert again.validation.accuracy == two.validation.accuracy == result.validation.accuracy


def test_another_seed_has_other_bits(digits, result):
    assert bits(train(SMALL, digits, learner=Stdp(passes=1), seed=1).model) != bits(result.model)


def test_the_test_split_is_not_touched(digits, result):
    poisoned = replace(digits, test=Untouchable(digits.test))
    assert bits(train(SMALL, poisoned, learner=Stdp(passes=1), seed=0).model) == bits(result.model)


def test_learning_needs_neither_labels_nor_validation(digits, result):
    unlabelled = replace(
        digits,
        train=datasets.Split(digits.train.images, np.zeros_like(digits.train.labels)),
        validation=Untouchable(digits.validation),
    )
    learned = learn(SMALL, unlabelled, learner=Stdp(passes=1), seed=0)
    np.testing.assert_array_equal(learned.layers[0].weights.values, result.model.layer.weights.values)
    np.testing.assert_array_equal(learned.layers[0].theta.values, result.model.layer.theta.values)


def test_the_chunks_of_a_run_are_one_run(digits, result, monkeypatch):
    monkeypatch.setattr("fspinn.learning.training._CHUNK", 10_000)
    assert bits(train(SMALL, digits, learner=Stdp(passes=1), seed=0).model) == bits(result.model)


def test_the_images_come_in_another_order_in_each_pass(digits, monkeypatch):
    few = replace(digits, train=digits.train.first(40))
    shown = []

    def encode(encoder, images, seed, purpose, first):
        shown.extend(image.tobytes() for image in images)
        assert first + len(images) == len(shown)
        return Spikes(np.zeros((len(images), SMALL.steps + 1), np.int64), np.zeros(0, np.int32), seed, first)

    def watch(plan, spikes, total, earlier_spikes):
        assert (total, earlier_spikes) == (80, min(spikes.first, 1))
        counts, nothing = np.zeros((len(spikes), plan.layers[0].neurons), np.int32), np.zeros(0, np.int32)
        return Response(
            counts, nothing, nothing, nothing, counts, (Activity(samples=1, output_spikes=1),), Range()
        )

    monkeypatch.setattr(BatchEncoder, "encode", encode)
    monkeypatch.setattr(numba_backend, "learn", watch)
    learn(SMALL, few, learner=Stdp(passes=2))
    images = sorted(image.tobytes() for image in few.train.images)
    assert sorted(shown[:40]) == sorted(shown[40:]) == images
    assert shown[:40] != shown[40:]


@pytest.mark.parametrize(
    ("neurons", "images", "passes"),
    [(100, 1199, 9), (400, 50_000, 1), (1, 1000, 1), (10, 1000, 1), (10, 999, 2)],
)
def test_by_default_every_neuron_gets_a_hundred_presentations(neurons, images, passes):
    assert passes_for(neurons, images) == passes


def test_a_model_says_where_it_comes_from(digits, result):
    model = result.model
    assert model.network.layers[0].neuron.weight_norm == pytest.approx(
        fspinn.network.plasticity.natural_weight_norm(digits.train.images)
    )
    assert model.image_shape == (8, 8)
    assert model.record["seed"] == 0
    assert model.record["passes"] == 1
    assert model.record["dataset"] == {
        "name": "digits",
        "checksum": digits.checksum,
        "seed": 0,
        "train": len(digits.train),
        "validation": 300,
        "test": len(digits.test),
    }
    assert model.record["versions"]["fspinn"] == fspinn.__version__
    assert model.record["validation_accuracy"] == result.validation.accuracy
    assert (
        model.activity["training"][0].samples == model.activity["inference"][0].samples == len(digits.train)
    )
    assert result.samples_per_s > 0


def test_a_weight_norm_that_was_chosen_is_kept(digits):
    few = replace(digits, train=digits.train.first(50))
    learned = learn(changed(SMALL, weight_norm=1.5), few, learner=Stdp(passes=1))
    assert learned.network.layers[0].neuron.weight_norm == 1.5


def test_without_validation_images_there_is_no_estimate(digits, result):
    bare = train(SMALL, replace(digits, validation=digits.validation.first(0)), learner=Stdp(passes=1))
    assert bare.validation is None
    assert "validation_accuracy" not in bare.model.record
    assert bits(bare.model) == bits(result.model)


def test_one_learning_serves_all_readouts(digits, result):
    learned = learn(SMALL, digits, learner=Stdp(passes=1), seed=0)
    both = fit_readouts(learned, digits, ("majority", "proportion"))
    assert [model.readout.name for model in both] == ["majority", "proportion"]
    assert bits(both[1]) == bits(result.model)
    assert bits(both[0]) == bits(train(SMALL, digits, learner=Stdp(passes=1), readout="majority").model)


# --- evaluation -------------------------------------------------------------------------------------


def test_an_evaluation_is_what_its_predictions_say(digits, result):
    measured = evaluate(result.model, digits.validation)
    assert measured.accuracy == np.mean(measured.predictions == digits.validation.labels)
    assert measured.samples == len(measured.predictions) == measured.activity[0].samples == 300
    assert measured.readout == "proportion"
    assert measured.spikes_per_sample == measured.activity[0].output_spikes / 300
    assert measured.accuracy == result.validation.accuracy


def test_evaluation_depends_on_the_seed_and_not_on_threads_or_other_images(digits, result):
    alone = evaluate(result.model, digits.test, threads=1)
    shared = evaluate(result.model, digits.test, threads=2)
    few = evaluate(result.model, digits.test.first(20))
    np.testing.assert_array_equal(alone.predictions, shared.predictions)
    np.testing.assert_array_equal(alone.predictions[:20], few.predictions)
    assert alone.activity == shared.activity
    assert evaluate(result.model, digits.test, seed=1).activity != alone.activity


def test_evaluation_changes_no_model(digits, result):
    before = bits(result.model)
    evaluate(result.model, digits.test.first(30))
    assert bits(result.model) == before


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize("passes", [0, -1])
def test_fewer_than_one_pass_is_refused(digits, passes):
    with pytest.raises(ConfigError, match=f"^passes: must be from 1 to 1000000, but got {passes}$"):
        train(SMALL, digits, learner=Stdp(passes=passes))


def test_an_unknown_readout_is_refused_before_anything_is_learned(digits, monkeypatch):
    monkeypatch.setattr(numba_backend, "learn", None)
    with pytest.raises(ConfigError, match=r"^readout: there is no 'vote'; use one of"):
        train(SMALL, digits, readout="vote")


def test_fitting_an_unknown_readout_is_refused(digits):
    few = replace(digits, train=digits.train.first(40))
    with pytest.raises(ConfigError, match=r"^readout: there is no 'vote'"):
        fit_readouts(learn(SMALL, few, learner=Stdp(passes=1)), few, ("proportion", "vote"))


def test_a_network_that_never_spikes_is_refused_with_the_mend(digits):
    few = replace(digits, train=digits.train.first(30))
    silent = changed(SMALL, threshold=1e6)
    with pytest.raises(ConfigError, match=r"^threshold: no neuron ever spiked in 30 presentations; lower it"):
        train(silent, few, learner=Stdp(passes=1))


def test_evaluating_nothing_is_refused(digits, result):
    with pytest.raises(ConfigError, match=r"^evaluate: there are no images in this split; hold some out"):
        evaluate(result.model, digits.test.first(0))


def test_evaluating_images_of_another_shape_is_refused(result):
    # As many pixels, but not the same shape.
    wide = datasets.Split(np.zeros((2, 4, 16), np.uint8), np.zeros(2, np.int64))
    with pytest.raises(ConfigError, match=r"^images: 4 x 16 pixels do not fit a model for 8 x 8; resize"):
        evaluate(result.model, wide)


# --- the data of a model ----------------------------------------------------------------------------


def test_the_data_of_a_model_come_back_with_the_same_split():
    data = datasets.load("digits", validation=100, seed=4)
    model = train(SMALL, replace(data, train=data.train.first(60)), learner=Stdp(passes=1)).model
    again = load_data_of(model)
    np.testing.assert_array_equal(again.validation.images, data.validation.images)
    np.testing.assert_array_equal(again.test.labels, data.test.labels)
    assert again.checksum == data.checksum


def test_a_model_without_origin_is_refused(result):
    with pytest.raises(ConfigError, match=r"^dataset: the model does not say what it was trained on; name"):
        load_data_of(replace(result.model, record={}))


def test_data_that_have_changed_are_refused(digits, result, tmp_path):
    path = tmp_path / "own.npz"
    images, labels = digits.test.images.copy(), digits.test.labels
    np.savez(path, images=images, labels=labels)
    own = datasets.load(path)
    model = train(SMALL, own, learner=Stdp(passes=1)).model
    assert load_data_of(model).checksum == own.checksum
    images[0, 0, 0] ^= 1
    np.savez(path, images=images, labels=labels)
    with pytest.raises(
        ConfigError, match=r"^dataset: .*own\.npz is not the same as when the model was trained"
    ):
        load_data_of(model)


# --- the progress bar -------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_progress_bar_is_silent_without_a_terminal(digits, capsys):
    train(SMALL, replace(digits, train=digits.train.first(60)), learner=Stdp(passes=1), progress=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("progress", [True, False])
def test_the_progress_bar_on_a_terminal(digits, monkeypatch, progress, result):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    shown = train(SMALL, digits, learner=Stdp(passes=1), progress=progress)
    text = terminal.getvalue()
    assert ("running accuracy" in text, "samples/s" in text) == (progress, progress)
    assert bits(shown.model) == bits(result.model)


# --- the first compilation --------------------------------------------------------------------------


@pytest.fixture
def kernel_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr("fspinn.learning.training.jit.kernel_folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("cached", "terminal", "progress", "announced"),
    [(False, True, True, 1), (True, True, True, 0), (False, False, True, 0), (False, True, False, 0)],
)
def test_compilation_is_announced_where_it_happens_and_somebody_looks(
    digits, kernel_cache, monkeypatch, cached, terminal, progress, announced
):
    (kernel_cache / "fspinn_0").mkdir()
    if cached:
        (kernel_cache / "fspinn_0" / "schedule_kernels.present_batch-1.py311.1.nbc").touch()
    stderr = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    train(SMALL, replace(digits, train=digits.train.first(60)), learner=Stdp(passes=1), progress=progress)
    assert stderr.getvalue().count("compiling the engine, once; later starts are fast\n") == announced


def test_compilation_is_announced_where_nothing_can_be_kept(digits, kernel_cache, monkeypatch):
    monkeypatch.setattr("fspinn.learning.training.jit.kernel_folder", lambda: None)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    train(SMALL, replace(digits, train=digits.train.first(60)), learner=Stdp(passes=1))
    assert "compiling the engine, at every start: NUMBA_CACHE_DIR has to name" in terminal.getvalue()


def test_the_cache_that_a_user_chose_counts(digits, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = jit.kernel_folder()
    assert folder.parent == tmp_path
    (folder / "kernel.nbc").touch()
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    train(SMALL, replace(digits, train=digits.train.first(60)), learner=Stdp(passes=1))
    assert "compiling" not in terminal.getvalue()
