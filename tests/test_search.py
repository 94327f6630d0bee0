"""The search returns the smallest network that meets the accuracy, and says why nothing smaller does."""

import csv
import json
import os
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fspinn
from fspinn.base.errors import ConfigError, DataError, FormatError, HardwareError
from fspinn.datasets import Split, load
from fspinn.memmodel import Size, memory_bits
from fspinn.report import write_report
from fspinn.search import Constraints, Cost, find_smallest, save_result
from fspinn.search.certificate import group_of, in_words
from fspinn.search.constraints import nearest_possible
from fspinn.search.endings import Ending
from fspinn.search.intervals import chance_of_so_few, chance_of_so_many, wilson_interval
from fspinn.search.metrics import metric_of
from fspinn.search.result import describe
from fspinn.search.shortfalls import Group, tries
from fspinn.search.trial import Outcome


@pytest.fixture(scope="module")
def data():
    return load("digits", validation=400)


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def result(data, told):
    return find_smallest(
        data,
        accuracy=0.8,
        sizes=(10, 25, 50, 100),
        weights=("UQ0.3", "float32"),
        on_trials=told.append,
    )


def test_the_winner_is_the_first_in_the_order_of_memory_that_meets_the_accuracy(result):
    bits = [trial.memory_bits for trial in result.trials]
    assert bits == sorted(bits)
    for trial in result.trials[: result.trials.index(result.winner)]:
        assert trial.accuracy_interval[0] < 0.8
        assert trial.verdict.startswith(("too poor: ", "undecided on "))
    assert result.winner.accuracy_interval[0] >= 0.8
    assert result.winner.verdict == "chosen"


def test_networks_that_cannot_be_smaller_than_the_answer_are_not_trained(result):
    neurons = result.winner.candidate.neurons
    assert neurons < 100
    for trial in result.trials:
        if trial.candidate.neurons == 100:
            assert trial.accuracy is None
            assert trial.verdict == "not tried: takes more than the one chosen"
    larger = [
        t
        for t in result.trials
        if t.candidate.neurons == neurons and t.memory_bits > result.winner.memory_bits
    ]
    assert "meets the target, but takes more memory" in [trial.verdict for trial in larger]


def test_the_winner_meets_the_accuracy_on_the_mean_of_its_seeds(data, result):
    winner = result.winner
    assert list(winner.accuracies) == [0, 1, 2]
    assert winner.accuracy == pytest.approx(np.mean(list(winner.accuracies.values())))
    # More seeds do not make more images.
    assert winner.accuracy_interval == wilson_interval(winner.accuracy * 400, 400)
    assert result.seeds == 3


def test_a_finalist_that_does_not_hold_with_more_seeds_is_not_the_answer(data):
    settings = {"sizes": (25, 50, 100), "weights": ("UQ0.3",), "accuracy": 0.84}
    once = find_smallest(data, seeds=1, **settings)
    thrice = find_smallest(data, seeds=5, **settings)
    (same,) = (trial for trial in thrice.trials if trial.candidate == once.winner.candidate)
    assert same.accuracies[0] == once.winner.accuracy
    assert thrice.winner.memory_bits >= once.winner.memory_bits
    assert min(once.winner.accuracy_interval[0], thrice.winner.accuracy_interval[0]) >= 0.84


def test_the_certificate_names_the_next_smaller_ones_of_each_group_and_how_far_they_fall_short(result):
    certificate = result.certificate
    smaller = [trial for trial in result.trials if trial.memory_bits < result.winner.memory_bits]
    assert certificate.tried == len(smaller)
    assert certificate.untried == 0
    in_order = sorted(smaller, key=lambda trial: -trial.memory_bits)
    groups = {group: [t for t in in_order if group_of(t) is group] for group in Group}
    assert certificate.groups == {group: len(trials) for group, trials in groups.items()}
    nearest = [t for t in in_order if t in groups[group_of(t)][:3]]
    assert list(certificate.next_smaller) == nearest
    for plain, trial in zip(certificate.as_dict()["next_smaller"], nearest, strict=True):
        assert plain["accuracy"] == trial.accuracy
        assert plain["short_points"] == pytest.approx(100 * (0.8 - trial.accuracy))
        assert plain["chance"] == chance_of_so_few(round(400 * trial.accuracy), 400, 0.8)
        assert plain["reason"] == trial.verdict
    assert certificate.best.accuracy == max(trial.accuracy for trial in smaller)
    assert f"none of the {len(smaller)} smaller networks that were tried is proven to" in describe(result)


def test_a_trial_is_too_poor_where_the_target_would_hardly_ever_score_so_low_else_undecided(result):
    for trial in result.trials:
        if trial.outcome not in (Outcome.BELOW, Outcome.NOT_PROVEN):
            assert trial.shortfall is None
            continue
        chance = chance_of_so_few(round(400 * trial.accuracy), 400, 0.8)
        too_poor = chance < 0.025
        assert group_of(trial) is (Group.TOO_POOR if too_poor else Group.UNDECIDED)
        assert trial.verdict.startswith("too poor: " if too_poor else "undecided on 400 images: ")
        assert trial.as_dict()["group"] == group_of(trial).value
        assert trial.as_dict()["chance"] == chance
        if trial.accuracy < 0.8:
            assert trial.verdict.endswith(f"; a true 80% network would score this low in {tries(chance)}")
        else:
            above = chance_of_so_many(round(400 * trial.accuracy), 400, 0.8)
            assert trial.verdict.endswith(f"; a true 80% network would score this high in {tries(above)}")


@pytest.mark.parametrize(
    ("minimized", "least", "less", "amount"),
    [
        ("energy", "network with the least energy", "with less energy", " nJ an image"),
        ("spikes", "network with the fewest output spikes", "with fewer output spikes", " output spikes an"),
    ],
)
def test_words_follow_what_is_minimised(data, tmp_path, minimized, least, less, amount):
    space = {"neurons": [25, 50], "duration_ms": [60.0, 120.0], "weights": ["UQ0.3"], "rate_norm_hz": [900.0]}
    asked = {"accuracy": 0.85, "space": space, "seeds": 1, "minimize": minimized}
    found = find_smallest(data, **asked)
    field = {"energy": "energy_pj", "spikes": "output_spikes"}[minimized]
    measured = [trial for trial in found.trials if trial.confusions]
    cheaper = [t for t in measured if getattr(t.cost, field) < getattr(found.winner.cost, field)]
    certificate = found.certificate.as_dict()
    assert certificate["minimized"] == minimized
    assert certificate["tried"] == len(cheaper)
    assert certificate["untried"] == 0  # those were expected to take more than the winner
    assert all(one["accuracy_interval"][0] < 0.85 for one in certificate["next_smaller"])
    costs = [one[field] for one in certificate["next_smaller"]]
    assert costs == sorted(costs, reverse=True)
    assert "smaller" not in " ".join(in_words(found.certificate))
    words = describe(found)
    assert words.startswith(f"The {least}: ")
    assert (
        f"  cheaper   none of the {len(cheaper)} networks {less} that were tried is proven to reach" in words
    )
    assert f"{amount}" in words.split("that were tried")[1].splitlines()[2]
    save_result(found, tmp_path)
    page = write_report(tmp_path, data).read_text()
    assert f"<h1>The {least} that will do: " in page
    assert f"<h2>Why will nothing {less} do?</h2>" in page
    assert f"Of {len(cheaper)} candidates {less} that were tried, none is proven" in page


def test_other_learners_are_compared_by_what_is_minimised(result):
    dearest = max(result.trials, key=lambda trial: trial.cost.output_spikes)
    both = {"stdp": result.winner, "surrogate": dearest}
    spikes = replace(result, minimize=("spikes",), learners=both)
    times = dearest.cost.output_spikes / result.winner.cost.output_spikes
    words = (
        f"surrogate needs {dearest.cost.output_spikes:.3g} output spikes an image, {times:.2g} times as many"
    )
    assert words in describe(spikes)
    assert "B, " in describe(replace(result, learners=both)).split("surrogate needs")[1]


def test_the_front_holds_what_nothing_beats(result):
    assert result.winner in result.front
    points = [(trial.memory_bits, trial.accuracy) for trial in result.front]
    assert points == sorted(points)
    for trial in result.trials:
        if trial.accuracy is not None:
            assert any(bits <= trial.memory_bits and share >= trial.accuracy for bits, share in points)


def test_the_winner_s_costs_are_what_the_cost_model_says_of_the_model(result):
    assert result.winner.memory_bits == memory_bits(Size.of(result.model), training=False)
    cost = fspinn.memmodel.estimate(result.model, "asic65-lp")
    assert result.winner.cost.energy_pj == cost.energy["inference"]["total"]
    assert result.winner.cost.latency_s == cost.latency_s("inference")
    assert result.winner.cost.training_memory_bits == cost.memory["training"]["total"]
    assert result.winner.cost.output_spikes == result.model.activity["inference"][0].per_sample(
        "output_spikes"
    )


def test_what_the_search_measured_is_what_evaluate_measures(data, result):
    assert fspinn.evaluate(result.model, data.validation).accuracy == result.winner.accuracies[0]
    assert fspinn.evaluate(result.model, data.test).accuracy == result.test.accuracy
    assert result.model.record["test_accuracy"] == result.test.accuracy


def test_the_winner_can_be_made_again_by_training_and_quantizing(data, result):
    candidate = result.winner.candidate
    trained = fspinn.train(
        candidate.network, data, learner=candidate.setup.learner, readout=candidate.readout, progress=False
    ).model
    again = trained if candidate.weights == "float32" else fspinn.quantize(trained, candidate.weights)
    np.testing.assert_array_equal(again.layer.weights.values, result.model.layer.weights.values)
    np.testing.assert_array_equal(again.readout.table, result.model.readout.table)


def test_the_answer_is_the_same_for_one_and_two_threads(data):
    settings = {"accuracy": 0.7, "sizes": (10, 25), "weights": ("UQ0.4",), "seeds": 1}
    one = find_smallest(data, threads=1, **settings)
    two = find_smallest(data, threads=2, **settings)
    assert one.trials == two.trials
    assert {**one.as_dict(), "seconds": 0} == {**two.as_dict(), "seconds": 0}


def test_the_test_images_decide_nothing(data):
    wrong = Split(data.test.images[::-1].copy(), data.test.labels)
    settings = {"accuracy": 0.7, "sizes": (10, 25), "weights": ("UQ0.4",), "seeds": 1}
    right = find_smallest(data, **settings)
    other = find_smallest(replace(data, test=wrong), **settings)
    assert right.trials == other.trials
    assert right.test.accuracy > 0.6 > other.test.accuracy


def test_impossible_limits_are_told_without_training_with_the_nearest_possible_value(data):
    result = find_smallest(data, accuracy=0.8, memory="80 B", on_trials=lambda _: 1 / 0)
    assert not result.found
    assert result.model is None
    assert all("more than the budget" in trial.verdict for trial in result.trials)
    assert result.nearest == result.trials[0]
    assert result.impossible == "memory: 80 B is impossible; no network takes less than 99 B"
    assert describe(result).startswith(f"No network fits: {result.impossible}")
    for limit, least in (
        *(("energy", "1 pJ"), ("latency", "1 us"), ("area", "1 um2"), ("spikes", "0.1"), ("synops", "1")),
        *(("time_steps", "2"), ("training_steps", "2")),
    ):
        answer = find_smallest(data, accuracy=0.8, on_trials=lambda _: 1 / 0, **{limit: least})
        assert answer.impossible.startswith(f"{limit}: ")
        assert " is impossible; no network takes less than " in answer.impossible


def test_limits_that_are_impossible_only_together_are_told_so():
    small, flat = (
        Cost(bits, bits, 1.0, 1.0, area, 1.0, 1.0, 8, 800) for bits, area in ((8192, 2e6), (16384, 1e6))
    )
    limits = Constraints(0.9, memory=8192, area=1.5e6)
    words = nearest_possible(limits, [small, flat])
    assert words == "memory, area: impossible together; no network is nearer than 1 KiB and 2 mm2"


def test_a_limit_that_only_some_keep_to_rejects_the_others_untrained(data):
    result = find_smallest(data, accuracy=0.6, memory="0.7 KiB", sizes=(10, 100), weights=("UQ0.3",), seeds=1)
    for trial in result.trials:
        if trial.memory_bits > 0.7 * 8192:
            assert trial.accuracy is None
            assert "more than the budget" in trial.verdict
    assert result.winner.candidate.neurons == 10


def test_spikes_can_be_what_should_be_little(data):
    result = find_smallest(
        data, accuracy=0.8, minimize=["spikes", "memory"], sizes=(50, 100), weights=("UQ0.4",), seeds=1
    )
    meets = [t for t in result.trials if t.accuracy and t.accuracy_interval[0] >= 0.8]
    assert result.winner.cost.output_spikes == min(trial.cost.output_spikes for trial in meets)


def test_steps_of_answers_and_of_learning_can_be_what_should_be_little(data):
    space = {"neurons": [40], "duration_ms": [100.0, 200.0], "passes": [1, 2], "weights": ["UQ0.4"]}
    result = find_smallest(
        data, accuracy=0.5, minimize=["time_steps", "training_steps"], space=space, seeds=1
    )
    images = len(data.train)
    found = {(trial.cost.time_steps, trial.cost.training_steps) for trial in result.trials if trial.accuracy}
    assert found <= {(100, images * 100), (100, images * 200), (200, images * 200), (200, images * 400)}
    best = result.winner.cost
    assert (best.time_steps, best.training_steps) == min(found)
    assert result.model.activity["training"][0].steps == best.training_steps


def test_where_none_meets_the_accuracy_the_nearest_is_named(data):
    result = find_smallest(data, accuracy=0.95, sizes=(10, 16), weights=("UQ0.4",))
    assert not result.found
    assert result.certificate is None
    assert result.nearest.accuracy == max(trial.accuracy for trial in result.trials)
    assert result.ending is Ending.NONE_REACHES
    assert (result.considered, result.untried) == (len(result.trials), 0)
    words = describe(result)
    assert words.startswith(
        f"No network reaches 95.0%: all {len(result.trials)} candidates were tried. The nea"
    )
    assert words.endswith("Ask for less, or allow larger networks (--sizes).")


def test_a_network_that_too_few_images_do_not_prove_is_said_so_with_how_many_would(data):
    settings = {"sizes": (25,), "weights": ("UQ0.4",), "readouts": ("majority",), "seeds": 1}
    share = find_smallest(data, accuracy=0.5, **settings).winner.accuracy
    result = find_smallest(data, accuracy=share - 0.02, **settings)
    assert result.ending is Ending.NOT_PROVEN
    assert not result.found
    needed = metric_of("accuracy").samples_needed(result.nearest.confusion, share - 0.02)
    assert result.validation_needed == result.as_dict()["validation_needed"] == needed
    assert result.as_dict()["ending"] == "not proven"
    words = describe(result)
    assert words.startswith(
        f"A network reaches {share - 0.02:.1%}, but 400 validation images do not prove it with 97.5 % "
        "confidence. The nearest: 25 neurons"
    )
    would = (
        f"With {needed:,} validation images (--validation {needed}) it would do if it stays at {share:.1%}."
    )
    assert (would in words) == (needed <= (len(data.train) + 400) // 2)
    mean = find_smallest(data, accuracy=share, confidence=0.5, **settings)
    assert mean.found
    assert mean.winner.proven_accuracy == share
    assert f"at least {share:.1%} with 50 % confidence; {share:.1%} was asked for" in describe(mean)
    assert mean.as_dict()["confidence"] == 0.5
    exact = find_smallest(data, accuracy=share, **settings)
    assert exact.validation_needed is None
    assert "No number of images proves exactly what is asked for" in describe(exact)
    close = find_smallest(data, accuracy=share - 0.0001, **settings)
    assert "too many to hold out: ask for less accuracy or less --confidence" in describe(close)


def test_the_trials_of_a_network_are_told_as_soon_as_it_is_measured(told, result):
    assert [trial.candidate for trial in told[0]] == [
        trial.candidate for trial in told[0] if trial.candidate.neurons == 10
    ]
    assert len(told[0]) == 6
    assert all(trial.accuracy is not None for trial in told[0])


def test_the_result_is_written_as_model_and_tables(result, tmp_path):
    written = save_result(result, tmp_path / "result")
    again = fspinn.load(written["model"])
    np.testing.assert_array_equal(again.layer.weights.values, result.model.layer.weights.values)
    with open(written["candidates"], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == [trial.verdict for trial in result.trials]
    assert json.loads(written["result"].read_text()) == json.loads(json.dumps(result.as_dict()))
    assert sorted(path.name for path in (tmp_path / "result").iterdir()) == [
        "candidates.csv",
        "linear.h5",
        "result.json",
        "smallest.h5",
    ]


def test_a_search_without_an_answer_leaves_no_model_of_an_earlier_one(data, result, tmp_path):
    save_result(result, tmp_path)
    nothing = find_smallest(data, memory="80 B")
    assert "model" not in save_result(nothing, tmp_path, overwrite=True)
    assert not (tmp_path / "smallest.h5").exists()


def test_the_answer_to_another_question_is_not_replaced(data, result, tmp_path, monkeypatch):
    save_result(result, tmp_path)
    before = (tmp_path / "result.json").read_bytes()
    monkeypatch.setattr("fspinn.search.smallest.best_confirmed", None)  # refused before any work
    other = {"accuracy": 0.85, "memory": "80 B", "minimize": ("memory", "spikes"), "folder": tmp_path}
    words = (
        f"{tmp_path}/ holds the answer to: digits, 80 %, least memory; this asks: digits, 85 %, "
        "at most 80 B, least memory and spikes; give another folder with -o, or --overwrite"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(words)}$"):
        find_smallest(data, **other)
    nothing = find_smallest(data, overwrite=True, **other)
    with pytest.raises(ConfigError, match=f"^{re.escape(words)}$"):
        save_result(nothing, tmp_path)
    assert (tmp_path / "result.json").read_bytes() == before
    assert save_result(nothing, tmp_path, overwrite=True)["result"].read_bytes() != before


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"seed": 1}, "least memory, seed 0; this asks: digits, 80 %, least memory, seed 1;"),
        (
            {"learner": fspinn.StdpLabels()},
            "least memory, learned by stdp; this asks: digits, 80 %, least memory, learned by stdp.labels;",
        ),
        (
            {"learner": [fspinn.StdpLabels(), fspinn.Stdp()]},
            "learned by stdp; this asks: .* learned by stdp or stdp.labels;",
        ),
        ({"labels": 50}, "least memory, all labels; this asks: digits, 80 %, least memory, 50 labels;"),
        (
            {"hardware": "mcu-m4f"},
            "least memory, hardware asic65-lp; this asks: .* 512 KiB of flash, .*, hardware mcu-m4f",
        ),
    ],
)
def test_a_question_is_also_told_from_another_by_what_is_not_always_named(
    data, result, tmp_path, other, words
):
    save_result(result, tmp_path)
    with pytest.raises(ConfigError, match=words):
        find_smallest(data, **{"accuracy": 0.8, "folder": tmp_path, **other})


def test_an_answer_of_the_same_question_is_replaced(result, tmp_path):
    save_result(result, tmp_path)
    save_result(replace(result, strategy="bayes", seeds=5), tmp_path)
    assert json.loads((tmp_path / "result.json").read_text())["seeds"] == 5


def test_a_network_that_was_found_is_not_replaced_by_none(result, tmp_path):
    save_result(result, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    lost = replace(result, ending=Ending.TIME_OVER, winner=None, model=None, test=None, certificate=None)
    words = (
        f"{tmp_path}/ holds a network that an earlier search found, and this one found none; give another "
        "folder with -o, or --overwrite"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(words)}$"):
        save_result(lost, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    save_result(lost, tmp_path, overwrite=True)
    assert not (tmp_path / "smallest.h5").exists()
    save_result(lost, tmp_path)
    save_result(result, tmp_path)


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"found": true}', '{"dataset": 1, "constraints": 2}'])
def test_an_answer_that_cannot_be_read_is_not_replaced(result, tmp_path, text):
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(ConfigError, match=r"result.json: is not an answer that this version can read; give"):
        save_result(result, tmp_path)
    save_result(result, tmp_path, overwrite=True)


def test_an_answer_that_cannot_be_opened_is_named(result, tmp_path):
    (tmp_path / "result.json").mkdir()
    with pytest.raises(
        DataError, match=r"result.json: cannot be read \(Is a directory\); give another folder"
    ):
        save_result(result, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(data, result, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be written.*choose another folder"):
        save_result(result, tmp_path / "file" / "result")
    with pytest.raises(DataError, match=r"cannot be written.*choose another folder"):
        find_smallest(data, folder=tmp_path / "file" / "result")


def test_a_study_that_is_a_link_to_a_device_is_refused(data, tmp_path):
    (tmp_path / "journal.jsonl").symlink_to(os.devnull)
    words = r"jsonl: cannot be written \(A device, not a regular file\); choose another folder with -o$"
    with pytest.raises(DataError, match=words):
        find_smallest(data, folder=tmp_path)


def test_bad_targets_are_refused_before_any_training(data):
    for expected, settings in (
        (r"accuracy: must be between 0 and 1, but got 90; 90 % is 0.9", {"accuracy": 90}),
        (r"^confidence: must be from 0.5 to below 1, but got 95; 95 % is 0.95$", {"confidence": 95}),
        (r"^confidence: must be from 0.5 to below 1, but got 0.4", {"confidence": 0.4}),
        (r"^confidence: 'high' is not a number", {"confidence": "high"}),
        (r"nothing to choose.*no more neurons than the [0-9]+ training images$", {"sizes": (5000,)}),
        (r"there is no 'vote'", {"readouts": ("vote",)}),
        (r"^minimize: there is no 'weight'; use some of memory", {"minimize": ["weight"]}),
        (r"^strategy: there is no 'luck'; use one of ladder", {"strategy": "luck"}),
        (r"^sampler: there is no 'dice'; use one of auto", {"sampler": "dice"}),
        (r"^energy: '5 parsec' is not an energy; write it like 500nJ", {"energy": "5 parsec"}),
        (r"^spikes: 'few' is not a number", {"spikes": "few"}),
        (r"^spikes: True is not a number", {"spikes": True}),
        (r"^budget: '3 weeks' is not a time; write it like 30s", {"budget": "3 weeks"}),
        (r"^budget: '3' has no unit; write it like 30s, 2ms, 20min or 3h$", {"budget": "3"}),
        (r"^latency: '5' has no unit", {"latency": "5"}),
        (
            r"^area: mcu-m4f says nothing of it; choose other hardware",
            {"area": "1mm2", "hardware": "mcu-m4f"},
        ),
        (r"^workers: must be from 1 to 1024, but got 0", {"workers": 0}),
        (r"^seeds: must be from 1", {"seeds": 0}),
        (r"^labels: must be from 1 to 1038", {"labels": 5000}),
    ):
        with pytest.raises(ConfigError, match=expected):
            find_smallest(data, **settings)
    with pytest.raises(ConfigError, match="the search needs validation images"):
        find_smallest(load("digits", validation=0))
    with pytest.raises(
        ConfigError,
        match=r"10 validation images cannot show 0.9 with 97.5 % confidence; hold out at least 35, or",
    ):
        find_smallest(load("digits", validation=10))
    with pytest.raises(FormatError, match="'UQ' is not a number format"):
        find_smallest(data, weights=("UQ",))
    with pytest.raises(HardwareError, match=r"abacus"):
        find_smallest(data, hardware="abacus")


def test_a_gaussian_process_needs_torch(data, monkeypatch):
    monkeypatch.setattr("fspinn.search.sampling.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"^sampler: gp needs torch; pip install torch, or use tpe$"):
        find_smallest(data, strategy="bayes", sampler="gp")


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_holds_the_share(case):
    successes, samples = case
    low, high = wilson_interval(successes, samples)
    assert 0 <= low <= successes / samples <= high <= 1


@pytest.mark.parametrize("samples", [4, 10, 14, 120, 239])
def test_the_ends_at_none_and_all_of_the_images_are_exact(samples):
    assert wilson_interval(0, samples)[0] == 0.0
    assert wilson_interval(samples, samples)[1] == 1.0


@given(st.floats(0.5, 1.0), st.floats(0.5, 0.99), st.floats(0.5, 0.999))
def test_so_many_images_are_needed_and_not_one_less(share, target, confidence):
    needed = metric_of("accuracy").samples_needed(np.array([[share, 1 - share], [0, 0]]), target, confidence)
    if needed is None:
        assert share - target < 1e-4
    else:
        assert wilson_interval(share * needed, needed, confidence)[0] >= target - 1e-9
        fewer = needed - 1
        assert fewer == 0 or wilson_interval(share * fewer, fewer, confidence)[0] < target + 1e-9


def test_with_half_the_confidence_the_interval_is_the_share():
    assert wilson_interval(114, 120, 0.5) == (0.95, 0.95)


def test_the_wilson_interval_is_that_of_scipy():
    from scipy.stats import binomtest

    expected = binomtest(217, 239).proportion_ci(0.95, method="wilson")
    assert wilson_interval(217, 239) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_the_chance_of_so_few_is_that_of_the_binomial():
    from scipy.stats import binomtest

    expected = binomtest(210, 239, 0.9, alternative="less").pvalue
    assert chance_of_so_few(210, 239, 0.9) == pytest.approx(expected)
    expected = binomtest(221, 239, 0.9, alternative="greater").pvalue
    assert chance_of_so_many(220.5, 239, 0.9) == pytest.approx(expected)
    assert chance_of_so_many(0, 239, 0.9) == 1.0
