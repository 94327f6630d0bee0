"""The search returns the smallest network that meets the accuracy, and says why nothing smaller does."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fspinn
from fspinn.datasets import Split, load
from fspinn.errors import ConfigError, DataError, FormatError, HardwareError
from fspinn.memmodel import Size, memory_bits
from fspinn.search import candidates, find_smallest, parse_memory, save_result
from fspinn.search.result import describe, wilson_interval
from fspinn.search.space import SIZES, WEIGHTS


@pytest.fixture(scope="module")
def data():
    return load("digits", validation=400)


@pytest.fixture(scope="module")
def result(data):
    return find_smallest(
        data, accuracy=0.8, sizes=(10, 25, 50, 100), weights=("UQ0.3", "float32"), progress=False
    )


def test_the_winner_is_the_first_in_the_order_of_memory_that_meets_the_accuracy(result):
    bits = [trial.candidate.memory_bits for trial in result.trials]
    assert bits == sorted(bits)
    number = result.trials.index(result.winner)
    for trial in result.trials[:number]:
        assert trial.accuracy_interval[0] < 0.8
        assert "below" in trial.verdict or "not surely" in trial.verdict
    assert result.winner.accuracy_interval[0] >= 0.8
    for trial in result.trials[number + 1 :]:
        assert trial.accuracy is None
        assert trial.verdict.startswith("not tried")


def test_the_winner_s_memory_is_what_the_cost_model_says_of_the_model(result):
    assert result.winner.candidate.memory_bits == memory_bits(Size.of(result.model), training=False)


def test_what_the_search_measured_is_what_evaluate_measures(data, result):
    assert fspinn.evaluate(result.model, data.validation).accuracy == result.winner.accuracy
    assert fspinn.evaluate(result.model, data.test).accuracy == result.test.accuracy
    assert result.model.record["test_accuracy"] == result.test.accuracy


def test_the_winner_can_be_made_again_by_training_and_quantizing(data, result):
    candidate = result.winner.candidate
    trained = fspinn.train(
        fspinn.Network(neurons=candidate.neurons), data, readout=candidate.readout, progress=False
    ).model
    again = trained if candidate.weights == "float32" else fspinn.quant.quantize(trained, candidate.weights)
    np.testing.assert_array_equal(again.weights, result.model.weights)
    np.testing.assert_array_equal(again.readout.table, result.model.readout.table)


def test_the_answer_is_the_same_for_one_and_two_threads(data):
    settings = {"accuracy": 0.7, "sizes": (10, 25), "weights": ("UQ0.4",), "progress": False}
    one = find_smallest(data, threads=1, **settings)
    two = find_smallest(data, threads=2, **settings)
    assert one.trials == two.trials
    assert one.as_dict() == two.as_dict()


def test_the_test_images_decide_nothing(data):
    wrong = Split(data.test.images[::-1].copy(), data.test.labels)
    settings = {"accuracy": 0.7, "sizes": (10, 25), "weights": ("UQ0.4",), "progress": False}
    right = find_smallest(data, **settings)
    other = find_smallest(replace(data, test=wrong), **settings)
    assert right.trials == other.trials
    assert right.test.accuracy > 0.6 > other.test.accuracy


def test_a_budget_rejects_what_is_above_it_without_training(data):
    result = find_smallest(data, accuracy=0.8, memory="100 B", progress=False)
    assert not result.found
    assert result.model is None
    assert all("more than the budget" in trial.verdict for trial in result.trials)
    assert result.nearest == result.trials[0]
    assert "No network fits" in describe(result)


def test_where_none_meets_the_accuracy_the_nearest_is_named(data):
    result = find_smallest(data, accuracy=0.95, sizes=(10, 16), weights=("UQ0.4",), progress=False)
    assert not result.found
    assert result.nearest.accuracy == max(trial.accuracy for trial in result.trials)
    assert "No network reaches 95.0%; the nearest" in describe(result)


def test_each_trial_is_told_as_soon_as_it_is_measured(data):
    told = []
    result = find_smallest(data, accuracy=0.99 - 0.02, sizes=(10,), progress=False, on_trial=told.append)
    assert tuple(told) == result.trials


def test_the_result_is_written_as_model_table_and_picture(result, tmp_path):
    written = save_result(result, tmp_path / "deep" / "result")
    again = fspinn.load(written["model"])
    np.testing.assert_array_equal(again.weights, result.model.weights)
    with open(written["candidates"], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == [trial.verdict for trial in result.trials]
    assert written["picture"].read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "deep" / "result").iterdir()) == [
        "accuracy-memory.png",
        "candidates.csv",
        "smallest.h5",
    ]


def test_a_search_without_an_answer_leaves_no_model_of_an_earlier_one(data, result, tmp_path):
    save_result(result, tmp_path)
    nothing = find_smallest(data, memory="100 B", progress=False)
    assert "model" not in save_result(nothing, tmp_path)
    assert not (tmp_path / "smallest.h5").exists()


def test_a_folder_that_cannot_be_written_is_named(result, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be written.*choose another folder"):
        save_result(result, tmp_path / "file" / "result")


def test_bad_targets_are_refused_before_any_training(data):
    with pytest.raises(ConfigError, match=r"accuracy: must be between 0 and 1, but got 90; 90 % is 0.9"):
        find_smallest(data, accuracy=90)
    with pytest.raises(ConfigError, match="the search needs validation images"):
        find_smallest(load("digits", validation=0))
    with pytest.raises(ConfigError, match=r"10 validation images cannot show 0.9"):
        find_smallest(load("digits", validation=10))
    with pytest.raises(ConfigError, match=r"nothing to choose.*no more neurons than the 1038 training"):
        find_smallest(data, sizes=(5000,))
    with pytest.raises(FormatError, match="'UQ' is not a number format"):
        find_smallest(data, weights=("UQ",))
    with pytest.raises(ConfigError, match="there is no 'vote'"):
        find_smallest(data, readouts=("vote",))
    with pytest.raises(HardwareError, match=r"abacus"):
        find_smallest(data, hardware="abacus")


def test_candidates_are_all_combinations():
    ladder = candidates(fspinn.Network(), 784, 10)
    assert len(ladder) == len(set(ladder)) == len(SIZES) * len(WEIGHTS) * 3


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("256KiB", 2**21),
        ("32 KiB", 2**18),
        ("1kB", 8000),
        ("1.5 MiB", 12582912),
        ("100", 800),
        ("8192B", 65536),
    ],
)
def test_memory_is_read_in_bytes_and_their_multiples(text, bits):
    assert parse_memory(text) == bits


@pytest.mark.parametrize("text", ["", "KiB", "-1KiB", "1 parsec", "1e3KiB", "0", "0.01B", "nan"])
def test_what_is_no_memory_is_refused(text):
    with pytest.raises(ConfigError, match="write it like 256KiB"):
        parse_memory(text)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_holds_the_share(case):
    successes, samples = case
    low, high = wilson_interval(successes, samples)
    assert 0 <= low <= successes / samples + 1e-12
    assert successes / samples - 1e-12 <= high <= 1


def test_the_wilson_interval_is_that_of_scipy():
    from scipy.stats import binomtest

    expected = binomtest(217, 239).proportion_ci(0.95, method="wilson")
    assert wilson_interval(217, 239) == pytest.approx((expected.low, expected.high), abs=1e-6)
