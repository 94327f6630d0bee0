"""A search that asks for balanced accuracy or macro F1: its intervals, and the same metric all the way."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from fspinn import datasets
from fspinn.answering.evaluate import evaluate
from fspinn.base.errors import ConfigError
from fspinn.cli import main
from fspinn.report import write_report
from fspinn.report.plots import accuracy_against_memory
from fspinn.search import find_smallest
from fspinn.search.intervals import chance_of_so_few, wilson_interval
from fspinn.search.linear import linear_classifiers
from fspinn.search.metrics import METRICS, metric_of
from fspinn.search.result import describe, save_result

NAMES = tuple(METRICS)
SMALL = {"sizes": (12,), "weights": ("UQ0.3",), "readouts": ("linear",), "seeds": 2, "progress": False}


@pytest.fixture(scope="module")
def data():
    """Digits, of which some classes have few images."""
    whole = datasets.load("digits", validation=400)
    random = np.random.default_rng(0)
    kept = [
        np.flatnonzero((split.labels < 4) | (random.random(len(split)) < 0.35))
        for split in (whole.train, whole.validation)
    ]
    path_free = {
        name: type(split)(split.images[some], split.labels[some], split.class_names)
        for name, split, some in zip(
            ("train", "validation"), (whole.train, whole.validation), kept, strict=True
        )
    }
    return type(whole)(**{**vars(whole), **path_free})


matrices = (
    st.integers(2, 5)
    .flatmap(lambda n: st.lists(st.lists(st.integers(0, 40), min_size=n, max_size=n), min_size=n, max_size=n))
    .map(np.array)
    .filter(lambda counts: counts.sum() > 0)
)


@pytest.mark.parametrize("name", NAMES)
@given(counts=matrices, confidence=st.floats(0.5, 0.9999))
def test_an_interval_holds_the_value_and_grows_with_the_confidence(name, counts, confidence):
    metric = metric_of(name)
    low, high = metric.interval(counts, confidence)
    assert 0 <= low <= metric.value(counts) + 1e-12
    assert metric.value(counts) - 1e-12 <= high <= 1
    assert metric.interval(counts, 0.5) == pytest.approx((metric.value(counts),) * 2, abs=1e-6)
    wider = metric.interval(counts, (1 + confidence) / 2)
    assert wider[0] <= low + 1e-9
    assert wider[1] >= high - 1e-9


def test_the_interval_of_accuracy_is_that_of_wilson():
    counts = np.array([[50, 4], [6, 40]])
    assert metric_of("accuracy").interval(counts, 0.975) == wilson_interval(90, 100)
    assert metric_of("accuracy").chance(counts, 0.95) == chance_of_so_few(90, 100, 0.95)


@pytest.mark.parametrize(
    ("classes", "right", "samples"),
    [
        ([0.9, 0.1], 0.9, 200),
        ([0.5, 0.5], 0.8, 100),
        ([0.7, 0.2, 0.05, 0.05], 0.95, 400),
        ([0.1] * 10, 0.9, 240),
        ([0.2] * 5, 0.6, 200),
    ],
)
def test_intervals_hold_the_truth_as_often_as_they_say(classes, right, samples):
    """The lower end, which proves, is above it in 2.5 % of all cases at most; the upper one as Wilson's."""
    n_classes = len(classes)
    answers = np.full((n_classes, n_classes), (1 - right) / (n_classes - 1))
    np.fill_diagonal(answers, right)
    truth = answers * np.array(classes)[:, None]
    random, cases = np.random.default_rng(1), 1000
    drawn = random.multinomial(samples, truth.ravel(), cases).reshape(cases, n_classes, n_classes)
    for name in NAMES[1:]:
        metric = metric_of(name)
        low, high = np.array([metric.interval(counts, 0.975) for counts in drawn]).T
        assert np.mean(low > metric.value(truth)) <= 0.025 + 0.01
        assert np.mean(high < metric.value(truth)) <= 0.055


@pytest.mark.parametrize("name", NAMES)
def test_so_many_samples_of_the_same_shares_prove_the_target_and_not_one_less(name):
    counts, metric = np.array([[80, 4, 1], [1, 9, 0], [0, 1, 4]]), metric_of(name)
    target = metric.value(counts) - 0.05
    needed = metric.samples_needed(counts, target)
    assert metric.proven(counts * needed / 100) >= target > metric.proven(counts * (needed - 1) / 100)
    assert metric.samples_needed(counts, metric.value(counts)) is None


@pytest.mark.parametrize("name", NAMES)
def test_the_chance_of_a_value_falls_with_the_target(name):
    counts, metric = np.array([[80, 4, 1], [1, 9, 0], [0, 1, 4]]), metric_of(name)
    chances = [metric.chance(counts, metric.value(counts) + more) for more in (0.0, 0.01, 0.03, 0.06)]
    assert chances == sorted(chances, reverse=True)
    assert 0.3 < chances[0] <= 0.7
    assert chances[-1] < 0.45
    for target in (0.7, metric.value(counts), 0.97):  # both count the value itself, of accuracy
        assert 1 <= metric.chance(counts, target) + metric.chance_above(counts, target) <= 1.2
    assert metric.chance_above(counts, 0.7) < 0.05 < 0.95 < metric.chance_above(counts, 0.995)
    if name != "accuracy":  # the confidence at which the interval ends at the target
        end = metric.interval(counts, 1 - chances[-1])[1]
        assert end == pytest.approx(metric.value(counts) + 0.06, abs=1e-4)


def test_another_metric_is_refused(data):
    words = "metric: there is no 'f1'; use one of accuracy, balanced-accuracy, macro-f1"
    with pytest.raises(ConfigError, match=words):
        find_smallest(data, metric="f1")
    with pytest.raises(ConfigError, match="class_weight: there is no 'equal'; use 'balanced', or None"):
        find_smallest(data, class_weight="equal")
    words = (
        r"^accuracy: \d+ validation images cannot show 0.98 balanced accuracy with 97.5 % confidence; hold"
    )
    with pytest.raises(ConfigError, match=words):
        find_smallest(data, accuracy=0.98, metric="balanced-accuracy")


@pytest.mark.parametrize("metric", NAMES[1:])
def test_the_metric_is_the_same_all_the_way(data, metric, tmp_path):
    result = find_smallest(
        data, accuracy=0.6, metric=metric, class_weight="balanced", folder=tmp_path, **SMALL
    )
    words, measure = METRICS[metric].words, METRICS[metric].value
    winner, plain = result.winner, result.as_dict()
    assert winner.accuracy == measure(winner.confusion)
    assert winner.proven_accuracy == METRICS[metric].proven(winner.confusion) >= 0.6
    assert plain["metric"] == plain["constraints"]["metric"] == metric
    assert plain["test_accuracy"] == measure(evaluate(result.model, data.test).confusion_matrix)
    assert result.model.record["class_weight"] == "balanced"
    # The model that is kept is the one whose first seed was measured.
    again = evaluate(result.model, data.validation).confusion_matrix
    assert winner.accuracies[0] == measure(again)
    assert result.model.record["validation_accuracy"] == np.trace(again) / again.sum()
    assert f"{winner.accuracy:.1%} {words} on validation images" in describe(result)
    assert accuracy_against_memory(result).axes[0].get_ylabel() == f"{words} on validation images (%)"
    save_result(result, tmp_path)
    page = write_report(tmp_path, data).read_text()
    assert re.search(rf"<th[^>]*>(<[^>]+>)*{words}", page)
    assert f"Its {words} on the validation images is" in page
    assert f"60.0 % {words}" in page
    for other in set(NAMES) - {metric}:
        with pytest.raises(ConfigError, match=f"holds the answer to: .*60 % {words}"):
            find_smallest(data, accuracy=0.6, metric=other, class_weight="balanced", folder=tmp_path, **SMALL)
    with pytest.raises(ConfigError, match=r"holds the answer to: .*class weight balanced"):
        find_smallest(data, accuracy=0.6, metric=metric, folder=tmp_path, **SMALL)
    none = find_smallest(data, accuracy=0.9, metric=metric, **SMALL)
    assert f"90.0% {words}" in describe(none)


@pytest.mark.parametrize("strategy", ["bayes", "halving"])
def test_strategies_that_draw_look_at_the_metric(data, strategy):
    settings = {"accuracy": 0.5, "metric": "macro-f1", "trials": 4, "sampler": "random"}
    result = find_smallest(
        data, strategy=strategy, space={"neurons": [8, 12]}, seeds=1, progress=False, **settings
    )
    assert result.winner.accuracy == METRICS["macro-f1"].value(result.winner.confusion)


def test_the_linear_classifier_beside_it_is_measured_alike(data):
    plain, balanced = (
        linear_classifiers(data, [4], class_weight=weight, metric="balanced-accuracy")[0]
        for weight in (None, "balanced")
    )
    assert plain.accuracy == METRICS["balanced-accuracy"].value(np.array(plain.confusion))
    assert plain.as_dict(0.975)["proven_accuracy"] == plain.accuracy_interval[0]
    assert balanced.accuracy > plain.accuracy


def test_search_takes_both_as_options(tmp_path):
    asked = ["search", "--metric", "macro-f1", "--class-weight", "balanced", "--accuracy", "0.5", "--sizes"]
    asked += ["12", "--seeds", "1", "--json", "-o", str(tmp_path / "result")]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert (answer["metric"], answer["class_weight"]) == ("macro-f1", "balanced")
