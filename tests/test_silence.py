"""Images that bring little or no input: nothing changes, nothing is unlearned, and a warning names them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from described import both, changed, dense, flat, with_layer
from exported_programs import answers, build, images_for, model_of, needs_gcc
from published_images import skip_without
from runners import brian2, fast, grid_for
from sklearn.metrics import recall_score

import fspinn
from fspinn import datasets, evaluate, train
from fspinn.answering.predict import doubts
from fspinn.backends.c import export_c
from fspinn.base.errors import FspinnWarning
from fspinn.cli import main
from fspinn.datasets import Split
from fspinn.lowering.integer_learning import first_weights
from fspinn.lowering.plan import RULES
from fspinn.model.model import Readout
from fspinn.model.readout import NO_ANSWER, READOUTS, predict
from fspinn.model.tensors import Tensor
from fspinn.network.encoders import ENCODERS
from fspinn.network.layers import Layer
from fspinn.network.rules import Stdp
from fspinn.search.jobs import _answers

BLACK = np.zeros((3, 2, 2), np.uint8)
BRIGHT = np.full((3, 2, 2), 200, np.uint8)
SMALL = flat(
    neurons=3,
    duration_ms=40.0,
    rate_norm_hz=800.0,
    threshold=2.0,
    weight_norm=1.0,
    theta_step=0.5,
    theta_step_end=0.5,
)


def learned(network, images, engine=fast, earlier_spikes=9, theta=0.0):
    """Weights and theta of a network that has seen these images, and how often its neurons spiked."""
    weights, thetas = np.full((4, 3), 0.5, np.float32), np.full(3, theta, np.float32)
    counts, _ = engine.learn(
        network, weights, thetas, images, seed=0, first=0, total=len(images), earlier_spikes=earlier_spikes
    )
    return weights, thetas, counts


def learned_in_integers(network, images, earlier_spikes=9, theta=0.0):
    grid = grid_for(network, 4, "UQ0.4", None, "nearest")
    weights = first_weights(np.full((4, 3), 0.5, np.float32), grid)
    thetas = np.full(3, round(theta / grid.theta.step), np.int32)
    fast.learn(
        network,
        weights,
        thetas,
        images,
        grid=grid,
        seed=0,
        first=0,
        total=len(images),
        earlier_spikes=earlier_spikes,
    )
    return weights, thetas * grid.theta.step


@pytest.mark.parametrize("earlier_spikes", [0, 9])
@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("rule", RULES)
def test_without_input_nothing_changes(rule, encoder, earlier_spikes):
    network = changed(SMALL, rule=rule, encoder=encoder, window_ms=10.0)
    weights, theta, counts = learned(network, BLACK, earlier_spikes=earlier_spikes)
    assert counts.sum() == 0
    assert (weights == 0.5).all()
    assert (theta == 0).all()
    if rule in ("normalised", "timestep"):
        weights, theta = learned_in_integers(network, BLACK, earlier_spikes)
        assert (weights == 8).all()
        assert (theta == 0).all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_without_input_nothing_changes_in_brian2():
    weights, theta, counts = learned(SMALL, BLACK, brian2)
    assert counts.sum() == 0
    assert (weights == 0.5).all()
    assert (theta == 0).all()


def test_until_a_neuron_has_spiked_any_input_lowers_thresholds_by_the_step():
    network = changed(SMALL, threshold=100.0)
    np.testing.assert_allclose(learned(network, BRIGHT, earlier_spikes=0)[1], -1.5)
    np.testing.assert_allclose(learned_in_integers(network, BRIGHT, earlier_spikes=0)[1], -1.5, rtol=1e-4)


def test_later_they_fall_the_more_the_nearer_potentials_come():
    """Potentials are 22 to 27 at the end of each image; theta keeps neurons from spiking."""
    far = changed(SMALL, threshold=60.0)
    for threshold, theta, fall in ((20.0, 30.0, 1.5), (35.0, 0.0, 0.5)):
        near = changed(SMALL, threshold=threshold)
        for earlier_spikes in (1, 9):
            thetas = learned(near, BRIGHT, earlier_spikes=earlier_spikes, theta=theta)[1]
            np.testing.assert_allclose(thetas, theta - fall, rtol=1e-6)
            _, thetas = learned_in_integers(near, BRIGHT, earlier_spikes, theta=theta)
            np.testing.assert_allclose(thetas, theta - fall, rtol=1e-3)
    assert (learned(far, BRIGHT)[1] == 0).all()
    assert (learned_in_integers(far, BRIGHT)[1] == 0).all()


def test_thresholds_stay_above_the_potential_at_rest():
    network = changed(SMALL, threshold=100.0, theta_step=1e4, theta_step_end=1e4)
    lowest = -63 / 64 * 100.0
    weights, theta, _ = learned(network, BRIGHT[:1], earlier_spikes=0)
    np.testing.assert_allclose(theta, lowest, rtol=1e-6)
    counts, _ = fast.respond(network, weights, theta, BLACK, seed=0)
    assert counts.sum() == 0
    _, theta = learned_in_integers(network, BRIGHT[:1], earlier_spikes=0)
    np.testing.assert_allclose(theta, lowest, rtol=1e-3)


def test_an_integer_threshold_is_at_least_one():
    """The 64th part of the threshold is less than a step of the state."""
    network = changed(SMALL, threshold=2.0, theta_step=1e4, theta_step_end=1e4)
    grid = grid_for(network, 4, "UQ0.4", "Q6.2", "nearest")
    weights, thetas = np.full((4, 3), 0, np.uint8), np.zeros(3, np.int32)
    fast.learn(network, weights, thetas, BRIGHT, grid=grid, seed=0, first=0, total=3)
    np.testing.assert_array_equal(thetas * grid.theta.step, -2.0 + 0.25)


# --- on images ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return fspinn.datasets.load("digits")


def with_images(data, images):
    """The data set with images of class 0 added to those that are learned from."""
    labels = np.zeros(len(images), data.train.labels.dtype)
    more = Split(np.concatenate([data.train.images, images]), np.concatenate([data.train.labels, labels]))
    return replace(data, train=more)


def black(count):
    return np.zeros((count, 8, 8), np.uint8)


def dim(count, value=1):
    """One dim pixel in each image, anywhere."""
    images = black(count)
    places = np.random.default_rng(0).integers(0, 64, count)
    images.reshape(count, 64)[np.arange(count), places] = value
    return images


@pytest.mark.parametrize("count", [1, 3])
def test_black_images_do_not_hurt(digits, count):
    data = with_images(digits, black(count))
    model = train(dense(neurons=100), data, progress=False).model
    assert evaluate(model, data.test).accuracy > 0.92
    answer = fspinn.predict(model, black(4))
    assert answer.spike_counts.sum() == 0
    assert not answer.answered.any()


@pytest.mark.parametrize(
    ("settings", "least"),
    [
        ({}, 0.92),
        ({"encoder": "regular"}, 0.92),
        ({"encoder": "unscaled", "max_rate_hz": 200.0}, 0.92),
        ({"rule": "timestep", "learning_rate": 0.01, "window_ms": 50.0}, 0.6),
        ({"encoder": "ttfs", "threshold": 3.0, "first_spikes": 20}, 0.6),
    ],
    ids=str,
)
def test_dim_images_do_not_hurt(digits, settings, least):
    data = with_images(digits, dim(12))
    chosen = both(neurons=100, **settings)
    model = train(chosen.network, data, learner=chosen.learner, progress=False).model
    assert evaluate(model, data.test).accuracy > least
    assert fspinn.predict(model, black(4)).spike_counts.sum() == 0


@pytest.mark.parametrize("images", [black(12), dim(12)], ids=["black", "dim"])
def test_learning_in_integers_is_not_hurt(digits, images):
    data = with_images(digits, images)
    model = train(dense(neurons=100), data, weights="UQ0.4", progress=False).model
    assert evaluate(model, data.test).accuracy > 0.9
    assert fspinn.predict(model, black(4)).spike_counts.sum() == 0


@pytest.mark.parametrize("weights", [None, "UQ0.4"])
def test_a_low_threshold_to_answer_with_stays_above_the_potential_at_rest(digits, weights):
    """While learning, thresholds fall by some 10 norms: too much for a threshold of 9."""
    network = dense(neurons=50, encoder="unscaled", max_rate_hz=40.0, answer_threshold=9.0)
    model = train(network, digits, weights=weights, progress=False).model
    assert (model.network.answering.layers[0].neuron.firing_threshold + model.layer.theta.values).min() > 0
    assert fspinn.predict(model, black(4)).spike_counts.sum() == 0


def with_blank_class(data, blank, noise):
    """Zeros, ones and as many images with up to `noise` dim pixels, of which class `blank` consists."""
    random = np.random.default_rng(1)

    def part(split):
        chosen = split.labels < 2
        images = np.zeros((chosen.sum() // 2, 8, 8), np.uint8)
        for image in images:
            places = random.integers(0, 64, random.integers(0, noise + 1))
            image.reshape(64)[places] = random.integers(1, 4, len(places))
        others = np.delete(np.arange(3), blank)
        labels = np.concatenate([others[split.labels[chosen]], np.full(len(images), blank)])
        return Split(np.concatenate([split.images[chosen], images]), labels)

    parts = {name: part(getattr(data, name)) for name in ("train", "validation", "test")}
    return replace(data, class_names=("a", "b", "c"), **parts)


@pytest.mark.parametrize("noise", [0, 3])
@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("weights", [None, "UQ0.4"])
def test_a_class_of_blank_images_is_recognized(digits, blank, noise, weights):
    data = with_blank_class(digits, blank, noise)
    model = train(dense(neurons=50), data, weights=weights, progress=False).model
    assert evaluate(model, data.test).accuracy > 0.95
    if noise == 0:
        silent = fspinn.predict(model, black(4))
        assert (silent.classes == blank).all()
        assert silent.answered.all()


# --- warnings -----------------------------------------------------------------------------------------


def test_mostly_silent_training_images_are_a_warning(digits):
    few = replace(digits, train=digits.train.first(60), validation=digits.validation.first(20))
    data = with_images(few, black(70))
    with pytest.warns(
        FspinnWarning,
        match=r"^threshold: 70 of 130 images have no output spike; lower it, or leave out images that are "
        r"nearly blank$",
    ):
        model = train(dense(neurons=20), data, learner=Stdp(passes=1), progress=False).model
    assert model.record["silent_images"] == 70


def test_classes_that_no_labelled_image_is_of_are_a_warning(digits):
    few = replace(digits, train=digits.train.first(60), validation=digits.validation.first(20))
    with pytest.warns(
        FspinnWarning,
        match=r"^labels: none of the 3 labelled images is of class \d, \d, \d, \d, \d, \.\.\., so no image "
        r"is answered with it; give more labels$",
    ):
        train(dense(neurons=20), few, learner=Stdp(passes=1), labels=3, progress=False)


def test_neurons_that_spike_without_input_are_named(digits, tmp_path):
    few = replace(digits, train=digits.train.first(60), validation=digits.validation.first(60))
    model = train(dense(neurons=20), few, learner=Stdp(passes=1), progress=False).model
    theta = model.layer.theta.values.copy()
    theta[:3] = -model.network.layers[0].neuron.firing_threshold
    words = (
        "theta: 3 of 20 neurons spike without input, as their thresholds are not above 0; "
        "train the network again, or give theta and the state more bits"
    )
    old = with_layer(model, theta=Tensor(theta))
    assert doubts(old, 0, 10) == [words]
    assert doubts(model, 0, 10) == []
    fspinn.save(old, tmp_path / "old.h5")
    result = CliRunner().invoke(main, ["evaluate", str(tmp_path / "old.h5"), "--samples", "5"])
    assert (result.exit_code, result.stderr) == (0, f"fspinn: warning: {words}\n")


def test_each_layer_is_looked_at_and_by_rank_none_spikes_without_input(digits):
    few = replace(digits, train=digits.train.first(60), validation=digits.validation.first(20))
    network = fspinn.Network.patches(6, field=3, cells=2)
    network = replace(network, layers=(*network.layers, Layer.prototypes(20)))
    model = train(network, few, readout="proportion", progress=False).model
    below = -2 * model.network.layers[1].neuron.firing_threshold
    above = replace(model.layers[1], theta=Tensor(np.full(20, below, np.float32)))
    assert doubts(replace(model, layers=(model.layers[0], above)), 0, 10) == []
    theta = model.layers[0].theta.values.copy()
    theta[:4] = -model.network.layers[0].neuron.firing_threshold
    first = replace(model.layers[0], theta=Tensor(theta))
    (found,) = doubts(replace(model, layers=(first, above)), 0, 10)
    assert found.startswith("theta: 4 of 6 neurons of layer 1 spike without input, as their thresholds")


def test_the_command_line_warns_in_one_line(tmp_path):
    images = np.concatenate([np.zeros((30, 4, 4), np.uint8), np.full((20, 4, 4), 200, np.uint8)])
    labels = np.arange(50) % 2
    np.savez(tmp_path / "blank.npz", images=images, labels=labels, test_images=images, test_labels=labels)
    arguments = ["--dataset", str(tmp_path / "blank.npz"), "--neurons", "5", "--passes", "1"]
    result = CliRunner().invoke(main, ["train", *arguments, "-o", str(tmp_path / "net.h5")])
    assert result.exit_code == 0, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("fspinn: warning: threshold: ")


# --- of the size that was reported --------------------------------------------------------------------


@pytest.mark.slow
def test_black_images_in_mnist_do_not_hurt():
    skip_without("mnist")
    data = fspinn.datasets.load("mnist")
    train_images = np.concatenate([data.train.images[:5000], np.zeros((25, 28, 28), np.uint8)])
    train_labels = np.concatenate([data.train.labels[:5000], np.zeros(25, data.train.labels.dtype)])
    data = replace(data, train=Split(train_images, train_labels))
    model = train(dense(neurons=100), data, progress=False).model
    assert evaluate(model, data.test).accuracy > 0.83


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
def test_black_images_do_not_hurt_two_hundred_neurons(digits, count):
    data = with_images(digits, black(count))
    assert evaluate(train(dense(neurons=200), data, progress=False).model, data.test).accuracy > 0.93


# --- no answer, everywhere ----------------------------------------------------------------------------


@needs_gcc
@pytest.mark.parametrize("name", READOUTS)
def test_silence_is_answered_alike_by_predict_evaluate_search_and_c(name, tmp_path):
    network = dense(neurons=5, duration_ms=70.0, weight_norm=1.0, threshold=3.0, tau_m_ms=20.0)
    model = model_of(network, readout=name)
    images, labels = images_for(model, 6), np.arange(6) % 3
    images[3] = 0
    answer = fspinn.predict(model, images)
    silent = answer.spike_counts.sum(axis=1) == 0
    assert silent[[0, 3]].all()
    assert not silent.all()
    np.testing.assert_array_equal(answer.answered, ~silent | (name == "linear"))
    named = Split(images, labels, model.class_names)
    measured = fspinn.evaluate(model, named)
    np.testing.assert_array_equal(measured.predictions, answer.classes)
    assert (measured.coverage, measured.accuracy) == (1.0, np.mean(answer.classes == labels))
    assert measured.confusion_matrix.sum() == 6
    assert measured.confusion_matrix.shape == (3, 3 + (name != "linear"))
    assert measured.balanced_accuracy == pytest.approx(
        recall_score(labels, answer.classes, average="macro", labels=range(3))
    )
    data = datasets.Dataset("own", named, named, named, model.class_names, "", 0)
    ((counted, *_),) = _answers({"one": model}, data, 0, None, None).values()
    np.testing.assert_array_equal(counted, measured.confusion_matrix)
    export_c(model, tmp_path, images)
    _, classes = answers(build(tmp_path), images, model.network.features)
    np.testing.assert_array_equal(classes, answer.classes)
    fspinn.save(model, tmp_path / "net.h5")
    np.save(tmp_path / "images.npy", images)
    asked = ["predict", str(tmp_path / "net.h5"), str(tmp_path / "images.npy"), "--json"]
    rows = json.loads(CliRunner().invoke(main, asked).stdout)["images"]
    assert [-1 if row["class"] is None else row["class"] for row in rows] == answer.classes.tolist()


def test_with_a_margin_silence_is_left_out_as_other_answers_are():
    model = model_of(dense(neurons=5, duration_ms=70.0, weight_norm=1.0, threshold=3.0, tau_m_ms=20.0))
    images = images_for(model, 6)
    measured = fspinn.evaluate(model, (images, np.array(["0", "1", "2"] * 2)), reject=1e-6)
    assert measured.coverage == np.mean(measured.predictions >= 0) < 1
    assert measured.confusion_matrix.shape == (3, 3)


def test_equal_scores_of_spikes_are_the_first_class():
    readout = Readout("majority", np.array([[0, 0], [0, 1]], np.float32))
    counts = np.array([[1, 0], [0, 1], [0, 0]], np.int32)
    np.testing.assert_array_equal(predict(readout, counts), [0, 1, NO_ANSWER])
    for bias, said in (([0.5, 0.5], NO_ANSWER), ([0.0, 0.5], 1)):
        biased = replace(readout, bias=np.array(bias, np.float32))
        assert predict(biased, counts)[2] == said
