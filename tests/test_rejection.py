"""Metrics class by class, and answers that are rejected: in Python and on the command line."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from described import dense
from sklearn import metrics as sklearn_metrics

import fspinn
from fspinn import datasets
from fspinn.answering import metrics
from fspinn.base.errors import ConfigError
from fspinn.cli import main
from fspinn.model.model import Readout
from fspinn.model.readout import classes, leads
from fspinn.network.rules import Stdp
from fspinn.search.metrics import METRICS


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def model(digits):
    return fspinn.train(dense(neurons=20), digits, learner=Stdp(passes=1), progress=False).model


@pytest.fixture(scope="module")
def model_file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "net.h5"
    fspinn.save(model, path)
    return path


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_samples_without_an_answer_have_a_column_of_their_own_and_are_wrong():
    truth, answers = np.array([0, 0, 1, 1, 1]), np.array([0, -1, 1, 0, 1])
    counts = metrics.confusion_matrix(truth, answers, 2)
    np.testing.assert_array_equal(counts, [[1, 0, 1], [1, 2, 0]])
    assert metrics.accuracy(counts) == 3 / 5
    np.testing.assert_allclose(metrics.recalls(counts), [1 / 2, 2 / 3])
    np.testing.assert_allclose(metrics.precisions(counts), [1 / 2, 1])
    np.testing.assert_allclose(metrics.f1_scores(counts), [1 / 2, 4 / 5])
    whole = metrics.confusion_matrix(truth, np.abs(answers), 2)
    assert whole.shape == (2, 2)
    np.testing.assert_array_equal(metrics.mean_confusion([counts, whole]), [[1, 0.5, 0.5], [1, 2, 0]])
    for metric in METRICS.values():
        low, high = metric.interval(counts, 0.975)
        assert 0 < low < metric.value(counts) < high < 1


@pytest.mark.parametrize("seed", range(3))
def test_metrics_are_those_of_scikit_learn_over_classes_with_samples(seed):
    random = np.random.default_rng(seed)
    truth, answers = random.integers(0, 4, 60), random.integers(0, 5, 60)  # nothing is of class 4
    counts = metrics.confusion_matrix(truth, answers, 5)
    np.testing.assert_array_equal(counts, sklearn_metrics.confusion_matrix(truth, answers, labels=range(5)))
    expected = sklearn_metrics.precision_recall_fscore_support(
        truth, answers, labels=range(5), zero_division=0
    )
    found = metrics.precisions(counts), metrics.recalls(counts), metrics.f1_scores(counts)
    np.testing.assert_allclose(found, expected[:3])
    assert metrics.accuracy(counts) == np.mean(truth == answers)
    balanced = sklearn_metrics.recall_score(truth, answers, labels=range(4), average="macro")
    assert metrics.balanced_accuracy(counts) == pytest.approx(balanced)
    macro = sklearn_metrics.f1_score(truth, answers, labels=range(4), average="macro")
    assert metrics.macro_f1(counts) == pytest.approx(macro)


def test_a_class_is_answered_where_it_leads_by_the_margin():
    scores = np.array([[1.0, 3.0, 2.5], [2.0, 2.0, 0.0], [4.0, 1.0, 0.0]])
    np.testing.assert_array_equal(leads(scores), [0.5, 0.0, 3.0])
    readout, spikes = Readout("proportion", np.eye(3, dtype=np.float32)), np.ones((3, 3), np.int32)
    np.testing.assert_array_equal(classes(readout, spikes, scores), [1, 0, 0])
    np.testing.assert_array_equal(classes(readout, spikes, scores, 0.5), [1, -1, 0])
    np.testing.assert_array_equal(classes(readout, spikes, scores, 0.6), [-1, -1, 0])
    # A single class has no rival.
    np.testing.assert_array_equal(classes(readout, spikes, scores[:, :1], 1e9), [0, 0, 0])


def test_an_evaluation_measures_what_is_answered(digits, model):
    whole = fspinn.evaluate(model, digits.test)
    part = fspinn.evaluate(model, digits.test, reject=0.5)
    answered = part.predictions != -1
    np.testing.assert_array_equal(answered, whole.leads >= 0.5)
    np.testing.assert_array_equal(part.predictions[answered], whole.predictions[answered])
    assert (whole.coverage, part.coverage) == (1.0, np.mean(answered))
    assert part.accuracy == np.mean(whole.predictions[answered] == whole.labels[answered]) > whole.accuracy
    assert part.confusion_matrix.sum() == answered.sum() < part.samples
    assert sum(row.samples for row in part.classes.values()) == part.samples
    assert sum(row.answered for row in part.classes.values()) == answered.sum()
    np.testing.assert_array_equal(
        fspinn.predict(model, digits.test.images, reject=0.5).classes, part.predictions
    )


def test_a_margin_has_to_be_one_and_leave_answers(digits, model):
    for call in (fspinn.evaluate, fspinn.predict):
        with pytest.raises(ConfigError, match=r"reject: must be at least 0, but got -0\.1"):
            call(model, digits.test, reject=-0.1)
        with pytest.raises(ConfigError, match="reject: nan is not a number; give one"):
            call(model, digits.test, reject=float("nan"))
    with pytest.raises(ConfigError, match=r"reject: no image is answered with a margin of 1e\+09; the best"):
        fspinn.evaluate(model, digits.test, reject=1e9)


def test_evaluate_answers_class_by_class(model_file, digits, model):
    said = json.loads(run("evaluate", model_file, "--json", "--reject", 0.5).stdout)
    measured = fspinn.evaluate(model, digits.test, reject=0.5)
    assert said["confusion_matrix"] == measured.confusion_matrix.tolist()
    assert (said["reject"], said["coverage"]) == (0.5, measured.coverage)
    assert (said["balanced_accuracy"], said["macro_f1"]) == (measured.balanced_accuracy, measured.macro_f1)
    assert said["class_names"] == list(said["classes"]) == list(model.class_names)
    assert set(said["classes"]["3"]) == {"recall", "precision", "f1", "samples", "answered"}
    words = run("evaluate", model_file, "--reject", 0.5).stdout
    assert f"on the {measured.coverage:.2%} answered of 359 test images of digits" in words
    assert f"balanced accuracy {measured.balanced_accuracy:.2%}, macro F1" in words
    rows = words.splitlines()
    assert rows[3].split() == ["class", "recall", "precision", "F1", "images", "answered"]
    assert len(rows) == 14
    assert "answered" not in run("evaluate", model_file).stdout


def test_of_many_classes_the_worst_are_shown(tmp_path):
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (300, 6, 6), dtype=np.uint8), np.arange(300) % 25
    model = fspinn.train(dense(neurons=10), (images, labels), learner=Stdp(passes=1), progress=False).model
    fspinn.save(model, tmp_path / "net.h5")
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    asked = ("evaluate", tmp_path / "net.h5", "--dataset", tmp_path / "data.npz")
    result = run(*asked)
    assert result.exit_code == 0, result.stderr
    assert "of 25 classes the 20 with the least F1:" in result.stdout
    assert len(result.stdout.splitlines()) == 3 + 2 + 1 + 20
    assert json.loads(run(*asked, "--json").stdout)["confusion_matrix"] is None


def test_predict_answers_none_where_the_lead_is_small(model_file):
    rows = json.loads(run("predict", model_file, "--reject", 0.5, "--json").stdout)["images"]
    for row in rows:
        first, second = sorted(row["scores"])[:-3:-1]
        assert row["lead"] == first - second
        assert (row["class"] is None) == (row["class_name"] is None) == (row["lead"] < 0.5)
    number = next(row["index"] for row in rows if row["class"] is None)
    assert "  none  " in run("predict", model_file, "--reject", 0.5, "--index", number).stdout


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_margin_that_is_not_one_is_refused_in_one_line(model_file, command):
    result = run(command, model_file, "--reject", -1)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "fspinn: reject: must be at least 0, but got -1\n"


def test_only_the_c_program_can_reject(model_file, tmp_path):
    result = run("export", model_file, "--target", "nir", "-o", tmp_path / "net.nir", "--reject", 1)
    assert result.exit_code == 2
    assert result.stderr == "fspinn: --reject: a graph of NIR answers with no classes; leave it out\n"
