"""What a person types: train, evaluate and search, with right and wrong input."""

import csv
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import fspinn
from fspinn.base.errors import DataError, UnfinishedError
from fspinn.cli import main
from fspinn.search import jobs


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "net.h5"
    assert run("train", "--neurons", 20, "-o", path).exit_code == 0
    return path


def test_train_writes_a_model_and_says_how_good_it_is(tmp_path):
    answer = run("train", "--neurons", 20, "-o", tmp_path / "net.h5")
    assert answer.exit_code == 0
    assert "20 neurons, 2398 presentations" in answer.stdout
    assert "239 validation images" in answer.stdout
    assert fspinn.load(tmp_path / "net.h5").network.neurons == 20


def test_train_answers_with_one_json_object(tmp_path):
    answer = run("train", "--neurons", 20, "-o", tmp_path / "net.h5", "--json")
    result = json.loads(answer.stdout)
    assert result["model"] == str(tmp_path / "net.h5")
    assert result["accuracy_of"] == "validation"
    assert result["accuracy"] == fspinn.load(tmp_path / "net.h5").record["validation_accuracy"]
    assert result["samples_per_s"] > 0


def test_train_with_the_same_seed_writes_the_same_bytes(model_file, tmp_path):
    for number, threads in (("one", 1), ("two", 2)):
        path = tmp_path / f"{number}.h5"
        assert run("train", "--neurons", 20, "--threads", threads, "-o", path).exit_code == 0
        assert path.read_bytes() == model_file.read_bytes()
    assert run("train", "--neurons", 20, "--seed", 1, "-o", tmp_path / "other.h5").exit_code == 0
    assert (tmp_path / "other.h5").read_bytes() != model_file.read_bytes()


def test_train_without_validation_images_reports_no_accuracy(tmp_path):
    answer = run(
        "train", "--neurons", 5, "--samples", 100, "--validation", 0, "-o", tmp_path / "n.h5", "--json"
    )
    assert json.loads(answer.stdout)["accuracy"] is None


def test_evaluate_finds_the_data_and_the_split_of_the_training(model_file):
    validation = json.loads(run("evaluate", model_file, "--split", "validation", "--json").stdout)
    assert validation["accuracy"] == fspinn.load(model_file).record["validation_accuracy"]
    assert validation["samples"] == 239
    test = json.loads(run("evaluate", model_file, "--json").stdout)
    assert test["samples"] == 359
    assert test["dataset"] == "digits"
    assert test["readout"] == "proportion"
    assert test["spikes_per_sample"] > 1
    counted = test["neurobench"]
    assert counted["synaptic_operations"] == counted["effective_acs"] + counted["effective_macs"] > 0
    assert 0 < counted["activation_sparsity"] < 1
    said = run("evaluate", model_file).stdout
    assert "test images of digits" in said
    assert f"NeuroBench's metrics: {counted['synaptic_operations']:,.0f} synaptic operations" in said


def test_evaluate_looks_at_the_first_images_only_if_asked(model_file):
    assert json.loads(run("evaluate", model_file, "--samples", 10, "--json").stdout)["samples"] == 10


def test_options_come_from_a_file_and_the_command_line_wins(tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text('neurons = 7\nduration-ms = 100.0\nthreshold = 8\nreadout = "majority"\n')
    path = tmp_path / "net.h5"
    assert run("train", "--config", settings, "--neurons", 9, "--samples", 50, "-o", path).exit_code == 0
    model = fspinn.load(path)
    assert model.network.neurons == 9
    assert model.network.duration_ms == 100.0
    assert model.network.layers[0].neuron.threshold == 8
    assert model.readout.name == "majority"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "neuron = 7",
            "unknown name 'neuron'; did you mean neurons? `fspinn train --help-all` lists options, `fspinn ",
        ),
        ('class-weigth = "balanced"', "unknown name 'class-weigth'; did you mean class_weight? "),
        ("duration-ms = 30\nduration_ms = 40", "duration_ms is given twice; leave one out"),
        ("neurons = ", "not valid TOML"),
        ('neurons = "many"', "neurons: 'many' is not a whole number; give one from 1 to 1000000"),
        ("neurons = 7.5", "neurons: 7.5 is not a whole number"),
        ("neurons = true", "neurons: True is not a whole number"),
        ("seed = 1.5", "'1.5' is not a valid integer"),
        ("seed = -1", "seed: must be from 0 to 18446744073709551615, but got -1"),
        ("[train]\nneurons = 7", "unknown name 'train'; "),
    ],
)
def test_a_bad_settings_file_is_named(tmp_path, text, words):
    settings = tmp_path / "settings.toml"
    settings.write_text(text)
    answer = run("train", "--config", settings, "-o", tmp_path / "net.h5")
    assert answer.exit_code == 2
    assert words in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_search_answers_and_writes_a_model_that_evaluates_to_the_same(tmp_path):
    answer = run("search", "--accuracy", 0.7, "--sizes", "10,25,50", "-o", tmp_path / "result", "--json")
    assert answer.exit_code == 0
    result = json.loads(answer.stdout)
    assert result["found"] is True
    assert result["accuracy_interval"][0] >= 0.7
    keys = {"model", "accuracy", "memory_bits", "energy_pj", "latency_s", "trials", "test_accuracy"}
    assert keys <= result.keys()
    evaluated = json.loads(run("evaluate", result["model"], "--json").stdout)
    assert evaluated["accuracy"] == result["test_accuracy"]
    assert result["trials"] == str(tmp_path / "result" / "candidates.csv")
    assert result["baselines"] == str(tmp_path / "result" / "result.json")
    assert result["worth_it"]["words"].startswith(("Yes: ", "Not here: "))
    assert len(answer.stdout) < 10_000
    trials = json.loads((tmp_path / "result" / "result.json").read_text())["trials"]
    networks = {t["neurons"]: len(t["accuracies"]) for t in trials if t["accuracies"]}
    more = sum(max(seeds - 1, 0) for seeds in networks.values())
    assert len(answer.stderr.splitlines()) >= len(networks) + more


def test_search_says_in_words_what_it_found(tmp_path):
    answer = run("search", "--accuracy", 0.6, "--sizes", "10,25", "-o", tmp_path)
    assert answer.stdout.startswith("The smallest network: ")
    assert "used this once" in answer.stdout
    assert f"wrote {tmp_path / 'smallest.h5'}" in answer.stdout
    assert (tmp_path / "accuracy-memory.png").read_bytes().startswith(b"\x89PNG")


def test_the_confidence_that_is_asked_for_is_told(tmp_path):
    words = ("search", "--accuracy", 0.7, "--sizes", "25", "--seeds", 1, "--confidence", 0.6, "-o", tmp_path)
    answer = run(*words)
    assert answer.exit_code == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["confidence"] == result["constraints"]["confidence"] == 0.6
    assert result["accuracy_interval"][0] < result["proven_accuracy"] < result["accuracy"]
    assert (
        f"at least {result['proven_accuracy']:.1%} with 60 % confidence; 70.0% was asked for" in answer.stdout
    )


def test_search_without_an_answer_has_exit_status_1(tmp_path):
    answer = run("search", "--memory", "80B", "-o", tmp_path, "--json")
    assert answer.exit_code == 1
    result = json.loads(answer.stdout)
    assert result["found"] is False
    assert result["model"] is None


def test_search_does_not_replace_the_answer_to_another_question(tmp_path):
    impossible = ("search", "--memory", "80B", "-o", tmp_path / "result")
    assert run(*impossible).exit_code == 1
    result = json.loads((tmp_path / "result" / "result.json").read_text())
    tried = json.dumps({**result, "ending": "none reaches"})
    (tmp_path / "result" / "result.json").write_text(tried)
    files = {path.name: path.read_bytes() for path in (tmp_path / "result").iterdir()}
    answer = run(*impossible, "--accuracy", 0.95)
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert answer.stderr == (
        f"fspinn: {tmp_path / 'result'}/ holds the answer to: digits, 90 %, at most 80 B, least memory; "
        "this asks: digits, 95 %, at most 80 B, least memory; give another folder with -o, or --overwrite\n"
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / "result").iterdir()} == files
    assert run(*impossible, "--accuracy", 0.95, "--overwrite").exit_code == 1
    assert json.loads((tmp_path / "result" / "result.json").read_text())["target_accuracy"] == 0.95


def test_search_replaces_an_answer_that_nothing_was_trained_for(tmp_path):
    impossible = ("search", "--memory", "80B", "-o", tmp_path)
    assert run(*impossible).exit_code == 1
    assert run(*impossible).exit_code == 1
    assert run(*impossible, "--accuracy", 0.95).exit_code == 1
    assert json.loads((tmp_path / "result.json").read_text())["target_accuracy"] == 0.95


def test_a_search_that_could_not_finish_has_exit_status_3(tmp_path, monkeypatch):
    def broken(*args, **kwargs):
        raise MemoryError

    jobs._last.clear()
    monkeypatch.setattr("fspinn.search.jobs.learn", broken)
    answer = run("search", "--sizes", "10,16", "-o", tmp_path)
    assert answer.exit_code == 3
    assert answer.stdout.startswith(
        "The search could not finish: 30 of 30 candidates are not finished: Memory"
    )
    assert json.loads((tmp_path / "result.json").read_text())["ending"] == "unfinished"


def test_a_search_whose_folder_fills_up_has_exit_status_3(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise UnfinishedError("the search could not finish: the disk is full")

    monkeypatch.setattr("fspinn.search.find_smallest", full)
    answer = run("search", "-o", tmp_path)
    assert answer.exit_code == 3
    assert answer.stderr == "fspinn: the search could not finish: the disk is full\n"


@pytest.fixture(scope="module")
def easy(tmp_path_factory):
    """Two classes that a network tells apart without an error: a bright upper and a bright lower half."""
    path = tmp_path_factory.mktemp("easy") / "halves.npz"
    labels = np.arange(400) % 2
    images = np.zeros((400, 8, 8), np.uint8)
    images[labels == 0, :4], images[labels == 1, 4:] = 250, 250
    images -= np.random.default_rng(0).integers(0, 50, images.shape).astype(np.uint8) * (images > 0)
    np.savez(path, images=images, labels=labels)
    return path


EASY = ("--validation", 120, "--sizes", "10", "--weights", "UQ0.4", "--seeds", 1)


def test_a_network_that_gets_all_images_right_is_an_answer(easy, tmp_path):
    answer = run("search", "--dataset", easy, *EASY, "-o", tmp_path)
    assert answer.exit_code == 0, answer.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["accuracy"] == result["accuracy_interval"][1] == 1.0
    assert (tmp_path / "accuracy-memory.png").exists()


def test_a_network_that_was_found_outlives_a_search_without_time(easy, tmp_path):
    command = ("search", "--dataset", easy, *EASY, "-o", tmp_path)
    assert run(*command).exit_code == 0
    assert run(*command, "--budget", "1us").exit_code == 0  # nothing is left to train
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "journal.jsonl"}
    answer = run(*command, "--budget", "1us", "--sizes", "11")
    assert answer.exit_code == 2
    assert answer.stdout.startswith("The time was over with ")
    assert answer.stderr.splitlines()[-1].startswith(f"fspinn: {tmp_path}/ holds a network that an earlier ")
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "journal.jsonl"}
    assert after == before


def test_a_picture_that_fails_does_not_take_the_answer_with_it(easy, tmp_path, monkeypatch):
    def fails(*args, **kwargs):
        raise ValueError("'yerr' must not contain negative values\nand more")

    old = tmp_path / "accuracy-memory.png"
    old.write_text("of an earlier search")
    monkeypatch.setattr("fspinn.report.plots.accuracy_against_memory", fails)
    monkeypatch.setattr("fspinn.report.write_report", fails)
    answer = run("search", "--dataset", easy, *EASY, "-o", tmp_path, "--json")
    assert answer.exit_code == 0
    result = json.loads(answer.stdout)
    assert (result["found"], result["report"]) == (True, None)
    words = "ValueError: 'yerr' must not contain negative values (the answer is saved)"
    lines = answer.stderr.splitlines()
    assert lines[-2:] == [f"fspinn: {old}: {words}", f"fspinn: {tmp_path / 'report.html'}: {words}"]
    assert not old.exists()
    assert (tmp_path / "result.json").exists()
    again = (*EASY, "--memory", "9B", "--overwrite", "-o", tmp_path)
    assert run("search", "--dataset", easy, *again).exit_code == 1


def test_a_reader_who_goes_away_does_not_take_the_files_with_him(easy, tmp_path):
    command = [sys.executable, "-m", "fspinn", "search", "--dataset", easy, *EASY, "-o", tmp_path]
    search = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    search.stdout.close()
    search.wait()
    names = {"accuracy-memory.png", "candidates.csv", "report.html", "result.json", "smallest.h5"}
    assert names <= {path.name for path in tmp_path.iterdir()}


def test_an_answer_that_cannot_be_saved_is_read_at_least(easy, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise DataError("result: cannot be written (No space left on device); choose another folder with -o")

    monkeypatch.setattr("fspinn.search.result.save_result", full)
    answer = run("search", "--dataset", easy, *EASY, "-o", tmp_path)
    assert answer.exit_code == 2
    assert answer.stdout.startswith("The smallest network: ")
    assert answer.stderr.splitlines()[-1].startswith("fspinn: result: cannot be written")


def test_search_takes_its_choices_from_a_file(tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text('sizes = [10, 16]\nweights = ["UQ0.4"]\nreadouts = "majority"\naccuracy = 0.5\n')
    answer = run("search", "--config", settings, "-o", tmp_path / "result", "--json")
    with open(json.loads(answer.stdout)["trials"], encoding="utf-8", newline="") as file:
        assert {row["neurons"] for row in csv.DictReader(file)} == {"10", "16"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--neurons", "0"], "neurons: must be from 1 to 1000000, but got 0"),
        (
            ["train", "--readout", "vote"],
            "'vote' is not one of 'proportion', 'majority', 'linear'; see `fspinn train --help`",
        ),
        (["train", "--seed", "-1"], "seed: must be from 0 to 18446744073709551615, but got -1"),
        (["search", "--seed", str(2**64 - 1)], "seed: must be from 0 to 18446744073709551613"),
        (["evaluate", "net.h5", "--seed", str(2**64)], "seed: must be from 0 to 18446744073709551615"),
        (["export", "net.h5", "--target", "c", "-o", "out", "--seed", "1.5"], "'1.5' is not a valid integer"),
        (["train", "--passes", "0"], "passes: must be from 1 to 1000000, but got 0"),
        (["train", "--dataset", "minst"], "did you mean mnist?"),
        (["train", "--labels", "99999"], "labels: must be from 1 to 1199, but got 99999"),
        (["train", "-o", "no/such/folder/net.h5"], "there is no folder no/such/folder; make it first"),
        (["search", "-o", "no/such/folder/result"], "there is no folder no/such/folder; make it first"),
        (["sweep", "-o", "no/such/folder/sweep"], "there is no folder no/such/folder; make it first"),
        (["train", "--set", "threshold=1e9", "--samples", "20"], "threshold: no neuron ever spiked"),
        (["evaluate", "missing.h5"], "missing.h5: there is no such file; train a model with"),
        (["evaluate"], "Missing argument 'MODEL'; see `fspinn evaluate --help`"),
        (["search", "--memory", "10 parsec"], "'10 parsec' is not an amount of memory"),
        (["search", "--sizes", "ten"], "--sizes: 'ten' is not a list of whole numbers"),
        (["search", "--accuracy", "90"], "90 % is 0.9"),
        (["search", "--confidence", "95"], "confidence: must be from 0.5 to below 1, but got 95; 95 % is"),
        (["search", "--hardware", "abacus"], "abacus"),
        (["search", "--bogus"], "No such option '--bogus'"),
    ],
)
def test_bad_input_gets_one_line_and_exit_status_2(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = run(*arguments)
    assert answer.exit_code == 2
    assert words in answer.stderr
    assert answer.stderr.startswith("fspinn: ")
    assert answer.stderr.count("\n") == 1
    assert answer.stdout == ""
    assert list(tmp_path.iterdir()) == []


def on_a_terminal(command):
    """Return what a command writes to standard error where that is a terminal."""
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            some = os.read(ours, 65536)
        except OSError:  # Linux says so at the end
            some = b""
        if not some:
            break
        shown += some
    os.close(ours)
    assert process.wait() == 0
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())


def test_the_progress_bar_shows_only_on_a_terminal(tmp_path):
    command = [sys.executable, "-m", "fspinn", "train", "--neurons", "20", "-o", str(tmp_path / "net.h5")]
    quiet = subprocess.run(command, capture_output=True, text=True, check=True)
    assert quiet.stderr == ""
    shown = on_a_terminal(command)
    assert "samples/s" in shown
    assert "running accuracy" in shown
    assert "<" in shown  # time left


def test_a_search_shows_the_best_so_far_and_the_time_left_on_a_terminal(tmp_path):
    settings = "--accuracy 0.6 --sizes 10,16 --weights UQ0.4 --readouts proportion --seeds 2 --samples 400"
    command = [sys.executable, "-m", "fspinn", "search", *settings.split(), "-o", str(tmp_path / "result")]
    quiet = subprocess.run(command, capture_output=True, text=True, check=True)
    assert all("neurons  UQ0.4    proportion" in line for line in quiet.stderr.splitlines())
    (tmp_path / "result" / "journal.jsonl").unlink()
    shown = on_a_terminal(command)
    title = re.search(r"ladder: (\d) trainings, about \S+ (s|min|h) left", shown)
    assert title, shown
    best = re.search(r"(\d+) +\S UQ0.4 +\S proportion +\S +\S+% \(\S+% to \S+%\) +\S +\d+ B +\S best", shown)
    assert best
    assert best[1] in ("10", "16")
