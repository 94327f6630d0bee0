"""Readouts where classes have very different numbers of labels: all may count alike."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from described import dense, model_from
from encoded import responses
from scipy import sparse
from sklearn.utils.class_weight import compute_class_weight

import fspinn
from fspinn.answering import metrics
from fspinn.base.errors import ConfigError
from fspinn.cli import main
from fspinn.lowering.post_training import fit_readout
from fspinn.model import rounded_readout
from fspinn.model.readout import NO_LABEL, balanced_weights, fit, predict


def rare(samples=1200, seed=0):
    """Responses of 30 neurons to two classes that overlap, one of them a tenth of all samples."""
    random = np.random.default_rng(seed)
    rates = np.random.default_rng(7).gamma(2.0, 0.5, (2, 30))
    labels = (random.random(samples) < 0.1).astype(np.int64)
    rates = rates.mean(axis=0) + 0.35 * (rates - rates.mean(axis=0))
    return random.poisson(rates[labels]).astype(np.int32), labels


def recalls(readout, counts, labels):
    return metrics.recalls(metrics.confusion_matrix(labels, predict(readout, counts), 2))


def fitted(counts, labels, class_weight, format=None):
    readout = fit("linear", counts, labels, 2, class_weight=class_weight)
    if format is None:
        return readout
    weights, theta = np.ones((4, 30), dtype=np.float32), np.zeros(30, dtype=np.float32)
    model = model_from(dense(30, weight_norm=1.0), (2, 2), weights, theta, readout)
    record = {**model.record, "class_weight": class_weight}
    model = type(model)(model.network, (2, 2), model.layers, readout, record=record)
    return fit_readout(model, format, counts, labels)[0].readout


@pytest.mark.parametrize("format", [None, "Q1.3", "Q1.1"])
@pytest.mark.parametrize("unlabelled", [False, True])
def test_a_rare_class_is_found_as_often_as_the_others(format, unlabelled):
    counts, labels = rare()
    if unlabelled:
        labels = np.where(np.arange(len(labels)) % 3 == 0, NO_LABEL, labels)
    unseen, truth = rare(seed=1)
    by_labels, alike = (
        recalls(fitted(counts, labels, weight, format), unseen, truth) for weight in (None, "balanced")
    )
    assert abs(alike[0] - alike[1]) < 0.15
    assert by_labels[0] - by_labels[1] > 0.2
    assert alike.mean() > by_labels.mean() + 0.05


def test_weights_are_those_of_scikit_learn():
    labels = np.array([0, 0, 0, 2, NO_LABEL, 2, 5])
    known = labels[labels != NO_LABEL]
    expected = compute_class_weight("balanced", classes=np.unique(known), y=known)
    np.testing.assert_allclose(balanced_weights(labels, np.unique(known)), expected)


def test_classes_of_one_size_make_no_difference(monkeypatch):
    monkeypatch.setattr(rounded_readout, "UPDATES", 64)
    counts, labels = rare(200)
    labels = np.arange(200) % 2
    for format in (None, "Q1.2"):
        tables = [fitted(counts, labels, weight, format).table for weight in (None, "balanced")]
        np.testing.assert_allclose(*tables, rtol=1e-4)


def test_the_gradient_of_the_weighted_loss_is_that_of_finite_differences():
    counts, labels = rare(150)
    targets = np.eye(2, dtype=np.float32)[labels]
    samples = rounded_readout._Samples.of(
        sparse.csr_array(counts), targets, balanced_weights(labels, np.arange(2))
    )
    random = np.random.default_rng(0)
    table = random.integers(-4, 4, (30, 2)).astype(np.float32)
    guess = rounded_readout.Guess(table, np.zeros(2, np.float32), np.float32(0.02))
    slopes = samples.slopes(guess, samples.answers(guess))
    for j in (0, 11):
        moved = []
        for step in (-0.5, 0.5):
            other = table.copy()
            other[j, 1] += step
            moved.append(samples.answers(rounded_readout.Guess(other, guess.bias, guess.scale)).loss)
        assert moved[1] - moved[0] == pytest.approx(slopes.table[j, 1], rel=0.02, abs=1e-5)


@pytest.mark.parametrize("name", ["proportion", "majority"])
def test_readouts_of_means_are_balanced_in_any_case(name):
    counts, labels = responses()
    labels[:40] = 0
    plain = fit(name, counts, labels, 3)
    np.testing.assert_array_equal(plain.table, fit(name, counts, labels, 3, class_weight="balanced").table)


def test_another_weight_is_refused():
    counts, labels = responses()
    words = "class_weight: there is no 'equal'; use 'balanced', or None"
    with pytest.raises(ConfigError, match=words):
        fit("linear", counts, labels, 3, class_weight="equal")
    images = np.zeros((6, 4, 4), np.uint8)
    with pytest.raises(ConfigError, match=words):  # before it learns
        fspinn.train(dense(neurons=3), (images, np.arange(6) % 2), class_weight="equal")


def test_train_keeps_the_weight_with_the_model(tmp_path):
    path = str(tmp_path / "net.h5")
    asked = ["train", "--neurons", "10", "--passes", "1", "--readout", "linear", "--class-weight", "balanced"]
    result = CliRunner().invoke(main, [*asked, "-o", path, "--json"])
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["class_weight"] == "balanced"
    assert fspinn.load(path).record["class_weight"] == "balanced"
    assert "class weight balanced" in CliRunner().invoke(main, ["info", path]).stdout
