"""Tuning finds settings on the validation split, the same on any number of threads, and writes them down."""

import json
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner
from described import changed, dense, setup, stdp
from hypothesis import given
from hypothesis import strategies as st

import fspinn
from fspinn.base.errors import ConfigError, DataError, UnfinishedError
from fspinn.base.settings import settings_of
from fspinn.cli import main
from fspinn.datasets import Split, load
from fspinn.model import load as load_model
from fspinn.network.setup import Setup
from fspinn.search import Outcome
from fspinn.search.intervals import wilson_interval
from fspinn.search.networks import MULTIPLES
from fspinn.search.tune import drawn, tune
from fspinn.search.tuned import describe, toml_value, write_config

NETWORK = dense(neurons=12, inhibition_strength=1.6)
GIVEN = Setup(NETWORK, stdp(passes=1))
SETTINGS = {"trials": 10, "learner": GIVEN.learner, "seed": 3, "progress": False}


@pytest.fixture(scope="module")
def data():
    return load("digits", seed=3)


@pytest.fixture(scope="module")
def result(data):
    return tune(NETWORK, data, threads=2, **SETTINGS)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_answer_is_the_same_for_one_and_two_threads(data, result):
    one = tune(NETWORK, data, threads=1, **SETTINGS)
    assert one.trials == result.trials
    assert one.best == result.best


def test_another_seed_draws_other_candidates():
    assert drawn(GIVEN, 0, 1) == drawn(GIVEN, 0, 1)
    assert len({drawn(GIVEN, seed, number) for seed in (0, 1) for number in (1, 2)}) == 4


def test_the_result_is_never_below_the_given_network(data, result):
    assert result.best.accuracy >= result.baseline.accuracy
    assert result.baseline.candidate.setup == GIVEN
    (given_only,) = tune(NETWORK, data, **{**SETTINGS, "trials": 1}).trials
    assert given_only == replace(result.baseline, outcome=Outcome.CHOSEN)


def test_the_result_is_the_best_on_the_last_rung(result):
    finalists = [trial for trial in result.trials if result.rung(trial) == 3]
    assert result.best in finalists
    assert result.best.accuracy == max(trial.accuracy for trial in finalists)
    assert [trial.outcome for trial in finalists].count(Outcome.CHOSEN) == 1
    assert result.setup == result.best.candidate.setup != GIVEN


def test_a_third_of_each_rung_goes_on_and_learns_three_times_as_long(data, result):
    rungs = [[trial for trial in result.trials if result.rung(trial) == rung] for rung in (1, 2, 3)]
    assert [len(rung) for rung in rungs] == [9, 3, 2]
    images = len(data.train)
    assert [rung[0].presentations for rung in rungs] == [round(images / 9), round(images / 3), images]
    for rung, following in pairwise(rungs):
        on = [trial.number for trial in rung if trial.outcome is Outcome.GOES_ON]
        assert on == [trial.number for trial in following if trial.number != 0]
        worst = min(trial.accuracy for trial in rung if trial.outcome is Outcome.GOES_ON)
        assert all(trial.accuracy <= worst for trial in rung if trial.outcome is Outcome.DROPPED)


def test_each_accuracy_comes_with_its_interval(data, result):
    for trial in result.trials:
        correct = round(trial.accuracy * len(data.validation))
        assert trial.accuracy_interval == wilson_interval(correct, len(data.validation))


def test_training_with_the_result_gives_the_same_accuracy_again(data, result):
    again = fspinn.train(
        result.setup.network, data, learner=result.setup.learner, seed=result.seed, progress=False
    )
    assert again.validation.accuracy == result.best.accuracy


def test_few_training_images_are_judged_as_training_judges_them(data):
    few = replace(data, train=data.train.first(60))
    result = tune(NETWORK, few, trials=1)
    trained = fspinn.train(NETWORK, few, learner=result.setup.learner, progress=False)
    assert trained.validation.samples == 60 < len(few.validation)
    assert result.best.accuracy == trained.validation.accuracy


def test_the_test_images_decide_nothing(data, result):
    blank = Split(np.zeros_like(data.test.images), np.zeros_like(data.test.labels))
    assert tune(NETWORK, replace(data, test=blank), **SETTINGS).trials == result.trials


def test_each_trial_is_told_as_soon_as_it_is_measured(data, result):
    told = []
    tune(NETWORK, data, on_trial=told.append, **SETTINGS)
    assert {trial.verdict for trial in told} == {"measured"}
    told.sort(key=lambda trial: (result.rung(trial), trial.number))
    assert told == [replace(trial, outcome=Outcome.MEASURED) for trial in result.trials]


def test_a_silent_candidate_is_recorded_and_drops_out(data):
    stiff = changed(NETWORK, threshold=60.0, adaptation="off")
    result = tune(stiff, data, **SETTINGS)
    failed = [trial for trial in result.trials if trial.outcome is Outcome.FAILED]
    assert result.baseline in failed
    assert all("no neuron ever spiked" in trial.verdict for trial in failed)
    assert all(trial.accuracy is None and trial.accuracy_interval is None for trial in failed)
    later = {trial.number for trial in result.trials if result.rung(trial) > 1} - {0}
    assert later
    assert not later & {trial.number for trial in failed}
    assert result.best.accuracy > 0.2
    assert "as given: it never spiked" in describe(result)


def test_a_candidate_that_could_not_be_measured_ends_the_tuning_in_one_line(data, monkeypatch):
    def full(*_, **__):
        raise MemoryError("1 TiB")

    monkeypatch.setattr("fspinn.search.jobs.fit_readouts", full)
    words = r"^tune: a candidate could not be measured \(MemoryError: 1 TiB\); try again$"
    with pytest.raises(UnfinishedError, match=words):
        tune(NETWORK, data, **SETTINGS)


def test_where_all_fail_the_reason_is_told(data):
    dead = changed(NETWORK, threshold=1e6, adaptation="off")
    with pytest.raises(
        ConfigError, match=r"tune: every candidate failed, the given network too: .*no neuron ever"
    ):
        tune(dead, data, **SETTINGS)


@given(st.integers(0, 2**64 - 1), st.integers(1, 1000))
def test_candidates_keep_to_the_multiples_of_the_given_values(seed, number):
    given = setup(neurons=7, theta_step_end=0.5, rule="pair")
    before, after = settings_of(given), settings_of(drawn(given, seed, number))
    for name in MULTIPLES.keys() - {"inhibition_ms"}:
        low, high = (multiple * before[name] for multiple in MULTIPLES[name])
        assert low * 0.994 <= after[name] <= high * 1.006
    assert after["learning_rate_end"] <= after["learning_rate"]
    assert 0 <= after["theta_step_end"] <= 0.31 * after["theta_step"]
    varied = {"theta_step_end", *MULTIPLES}
    assert {name for name in before if before[name] != after[name]} <= varied


def test_only_what_the_network_uses_is_varied():
    clamped = [settings_of(drawn(setup(inhibition="clamp"), 0, n)) for n in range(1, 20)]
    assert len({one["inhibition_ms"] for one in clamped}) == 19
    assert not any("inhibition_strength" in one for one in clamped)
    fixed = [settings_of(drawn(setup(adaptation="off"), 0, n)) for n in range(1, 20)]
    assert len({one["threshold"] for one in fixed}) == 19
    parts = setup(inhibition_of="potential", inhibition_strength=0.9)
    assert max(settings_of(drawn(parts, 0, n))["inhibition_strength"] for n in range(1, 20)) == 1.0


def test_bad_requests_are_refused_before_any_training(data, tmp_path):
    with pytest.raises(ConfigError, match="trials: must be from 1 to 10000, but got 0"):
        tune(NETWORK, data, trials=0)
    with pytest.raises(ConfigError, match="there is no 'vote'"):
        tune(NETWORK, data, readout="vote")
    with pytest.raises(ConfigError, match="validation: tuning needs validation images"):
        tune(NETWORK, load("digits", validation=0))


def test_the_config_says_what_differs_from_the_defaults_and_where_it_is_from(data, result, tmp_path):
    path = tmp_path / "tuned.toml"
    write_config(result, path)
    text = path.read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    assert settings == result.settings()
    assert settings.pop("dataset") == "digits"
    assert settings.pop("readout") == "proportion"
    assert setup(**settings) == result.setup
    assert "duration_ms" not in settings
    comments = text[: text.index("\ndataset")]
    for words in (data.checksum, "seed 3", f"fspinn {fspinn.__version__}", f"{result.best.accuracy:.2%}"):
        assert words in comments


def test_a_data_set_s_name_cannot_break_the_file(result, tmp_path):
    odd = replace(result, dataset={**result.dataset, "name": 'a"\nneurons = 1\\\x7f\udc80'})
    write_config(odd, tmp_path / "t.toml")
    settings = tomllib.loads((tmp_path / "t.toml").read_text(encoding="utf-8"))
    assert settings["dataset"] == 'a"\nneurons = 1\\\x7f?'
    assert settings["neurons"] == 12


@given(st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text())
def test_values_come_back_from_toml(value):
    again = tomllib.loads(f"key = {toml_value(value)}")["key"]
    assert again == value
    assert type(again) is type(value)


def test_a_config_that_cannot_be_written_is_named(result, tmp_path):
    with pytest.raises(
        DataError, match=r"missing.t\.toml: cannot be written .*; choose another file with -o"
    ):
        write_config(result, tmp_path / "missing" / "t.toml")


def test_tune_writes_what_train_reads(tmp_path):
    path = tmp_path / "tuned.toml"
    answer = run("tune", "--neurons", 12, "--trials", 4, "--passes", 1, "-o", path, "--json")
    assert answer.exit_code == 0
    tuned = json.loads(answer.stdout)
    assert tuned["config"] == str(path)
    assert tuned["accuracy_of"] == "validation"
    assert tuned["accuracy"] >= tuned["baseline_accuracy"]
    assert tuned["accuracy_interval"][0] < tuned["accuracy"] < tuned["accuracy_interval"][1]
    assert tuned["settings"]["neurons"] == 12
    assert tuned["seconds"] > 0
    assert tuned["samples_per_s"] > 0
    assert len(tuned["trials"]) == len(answer.stderr.splitlines())
    trained = json.loads(run("train", "--config", path, "-o", tmp_path / "n.h5", "--json").stdout)
    assert trained["accuracy"] == tuned["accuracy"]


@pytest.mark.parametrize("further", ["", "[layers.2]\nneurons = 9\n"], ids=["column", "stack"])
def test_what_tune_writes_of_layers_with_a_field_is_what_train_reads(tmp_path, further):
    given, path = tmp_path / "given.toml", tmp_path / "tuned.toml"
    given.write_text(f"field = 3\nneurons = 6\ntheta_step = 1.0\n{further}")
    answer = run("tune", "--config", given, "--samples", 300, "--trials", 1, "--passes", 1, "-o", path)
    assert answer.exit_code == 0
    for name in (given, path):
        words = ("train", "--config", name, "--samples", 300, "--passes", 1, "--readout", "proportion")
        assert run(*words, "-o", tmp_path / f"{name.stem}.h5").exit_code == 0
    one, other = (load_model(tmp_path / f"{name}.h5") for name in ("given", "tuned"))
    assert one.network == other.network


def test_tune_says_in_words_what_it_found(tmp_path):
    path = tmp_path / "tuned.toml"
    answer = run("tune", "--neurons", 5, "--samples", 200, "--trials", 1, "-o", path)
    assert answer.exit_code == 0
    assert answer.stdout.startswith("5 neurons: ")
    assert "the defaults are the best" in answer.stdout
    assert f"wrote {path}: fspinn train --config {path}" in answer.stdout
    assert "candidate   0 " in answer.stderr


# Runs the command, and says when the first candidate learns.
TELLING = """
import sys
from fspinn.cli import main
from fspinn.search.jobs import SearchContext

def telling(*arguments, **more):
    print("learning", flush=True)
    return measure(*arguments, **more)

measure, SearchContext.measure = SearchContext.measure, telling
main(sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to another process there")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c_stops_the_running_candidates(threads, tmp_path):
    """The given network alone would learn for minutes."""
    arguments = ["tune", "--trials", "4", "--passes", "5000", "--threads", threads, "-o", "t.toml"]
    with subprocess.Popen(
        [sys.executable, "-c", TELLING, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        # A shell that starts the tests in the background makes them, and what they start, deaf to it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout.readline().startswith("learning")  # of two workers perhaps both in one line
        time.sleep(0.5)
        started = time.perf_counter()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        seconds = time.perf_counter() - started
    assert process.returncode == 130
    assert told.strip() == "fspinn: stopped"
    assert seconds < 5  # a fraction of one, where nothing else runs
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--trials", "0"], "trials: must be from 1 to 10000"),
        (["--neurons", "0"], "neurons: must be from 1 to 1000000"),
        (["--validation", "0"], "validation: tuning needs validation images"),
        (["-o", "no/folder/t.toml"], "there is no folder no/folder; make it first"),
    ],
)
def test_bad_input_gets_one_line_and_exit_status_2(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = run("tune", *arguments)
    assert answer.exit_code == 2
    assert words in answer.stderr
    assert answer.stderr.startswith("fspinn: ")
    assert answer.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
