"""What `find_smallest` takes from Python, and what it leaves behind in the program and in old folders."""

import json
import logging
import os
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from click.testing import CliRunner
from described import dense, stdp

from fspinn.base.errors import ConfigError, DataError
from fspinn.cli import main
from fspinn.datasets import load
from fspinn.model.readout import quiet_fit
from fspinn.search import Range, find_smallest
from fspinn.search.journal import FILE

QUICK = dense(duration_ms=60.0, threshold=8.0, rate_norm_hz=900.0)
SETTINGS = {
    "accuracy": 0.5,
    "network": QUICK,
    "learner": stdp(passes=1),
    "seeds": 1,
    "weights": ("UQ0.4",),
    "readouts": ("proportion",),
}


@pytest.fixture(scope="module")
def data():
    return load("digits")


def test_a_space_may_be_a_dict_of_the_form_of_the_file(data, tmp_path):
    (tmp_path / "space.toml").write_text('neurons = [10, 16]\nencoder = "regular"\n')
    of_file = find_smallest(data, space=tmp_path / "space.toml", **SETTINGS)
    for space in ({"neurons": [10, 16], "encoder": "regular"}, {"neurons": (10, 16), "encoder": ["regular"]}):
        assert find_smallest(data, space=space, **SETTINGS).trials == of_file.trials


def test_a_range_in_a_dict_is_a_range(data):
    for neurons in ({"low": 10, "high": 12}, Range(10, 12)):
        result = find_smallest(
            data, space={"neurons": neurons}, strategy="bayes", sampler="random", trials=2, **SETTINGS
        )
        assert {trial.candidate.neurons for trial in result.trials} <= {10, 11, 12}


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"neuron": [10]}, "space: there is no setting 'neuron'"),
        ({"neurons": {"low": 10}}, "neurons: a range has low and high"),
        ({"neurons": []}, "space: neurons has nothing to choose from"),
        (
            [10, 16],
            r"space: list is not a space; give a dict such as {'neurons': \[50, 100\]}, a Space",
        ),
    ],
)
def test_a_space_that_is_none_is_refused(data, space, words):
    with pytest.raises(ConfigError, match=words):
        find_smallest(data, space=space, **SETTINGS)


def test_one_measure_is_a_measure(data):
    result = find_smallest(data, minimize="spikes", sizes=(10,), **SETTINGS)
    assert result.minimize == ("spikes",)
    with pytest.raises(ConfigError, match="minimize: there is no 'size'; use some of memory"):
        find_smallest(data, minimize="size", **SETTINGS)


def test_arrays_are_taken_and_what_they_lack_is_named(data):
    pair = data.train.images, data.train.labels
    with pytest.raises(ConfigError, match="validation: the search needs validation images to choose on"):
        find_smallest(pair, **SETTINGS)
    with pytest.raises(DataError, match="data: ndarray is not a data set; give one that"):
        find_smallest(data.train.images, **SETTINGS)


@pytest.mark.parametrize("fails", [False, True])
def test_optuna_s_log_level_is_restored(data, monkeypatch, fails):
    import optuna

    def stopped(*_, **__):
        assert optuna.logging.get_verbosity() == logging.ERROR
        raise KeyboardInterrupt

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.INFO)
    try:
        if fails:
            monkeypatch.setattr("fspinn.search.smallest.best_confirmed", stopped)
            with pytest.raises(KeyboardInterrupt):
                find_smallest(data, sizes=(10,), strategy="bayes", trials=1, **SETTINGS)
        else:
            find_smallest(data, sizes=(10,), strategy="bayes", trials=1, **SETTINGS)
        assert optuna.logging.get_verbosity() == logging.INFO
    finally:
        optuna.logging.set_verbosity(before)


NOTEBOOK = """
import sys, types
shell = types.SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell, version_info=(8, 0))
sys.modules["ipywidgets"] = None
import fspinn
data = fspinn.datasets.load("digits")
settings = {"duration_ms": 60.0, "threshold": 8.0, "rate_norm_hz": 900.0}
network = fspinn.with_settings(fspinn.Network(), settings)
fspinn.find_smallest(
    data, accuracy=0.3, network=network, learner=fspinn.Stdp(passes=1), seeds=1, labels=11, sizes=(10,),
    readouts=("linear",),
)
"""


def test_no_warnings_of_others_leak_from_a_search_in_a_notebook():
    """tqdm misses its widgets there, and scikit-learn finds few labels for so many classes."""
    command = [sys.executable, "-W", "always::UserWarning", "-c", NOTEBOOK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")


def test_fits_in_several_threads_leave_the_filters_of_warnings_as_they_were():
    both = Barrier(2)

    def fit(first):
        if not first:
            both.wait()
        with quiet_fit():
            if first:
                both.wait()
            both.wait()  # the first to come is the first to go
            if not first:
                both.wait()
        if first:
            both.wait()

    before = list(warnings.filters)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fit, [True, False]))
    assert list(warnings.filters) == before


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes there")
def test_a_search_of_images_whose_path_is_not_utf_8_ends_well(data, tmp_path):
    path = tmp_path / os.fsdecode(b"images-\xe9.npz")
    try:
        np.savez(path, images=data.train.images, labels=data.train.labels)
    except OSError:
        pytest.skip("this file system wants UTF-8")
    words = ["search", "--dataset", str(path), "--accuracy", "0.5", "--sizes", "10", "--seeds", "1", "-o"]
    answer = CliRunner().invoke(main, [*words, str(tmp_path / "result")])
    assert answer.exit_code == 0, answer.output
    page = (tmp_path / "result" / "report.html").read_text("utf-8")
    assert "images-?.npz" in page


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"version": 2,', b'"version": 3,'),
        (b'"version": 2,', b'"version": 1,'),
        (b'"prune": ', b'"pruned": '),
        (b'"memory_bits": ', b'"more_bits": 1, "memory_bits": '),
        (b'"confusion": ', b'"right": '),
        (b'"measurements": ', b'"measured": '),
    ],
)
def test_a_folder_of_another_version_is_refused_in_one_line(data, tmp_path, before, after):
    find_smallest(data, sizes=(10,), folder=tmp_path, **SETTINGS)
    journal = tmp_path / FILE
    assert before in journal.read_bytes()
    journal.write_bytes(journal.read_bytes().replace(before, after))
    answer = CliRunner().invoke(main, ["search", "--sizes", "10", "-o", str(tmp_path)])
    assert answer.exit_code == 2
    assert re.fullmatch(
        rf"fspinn: {journal}: is of another version of fspinn, which this one cannot go on from \(line "
        r"[123]\); give another folder with -o, or remove it\n",
        answer.stderr,
    )


def test_a_folder_of_an_older_version_is_refused_in_one_line(data, tmp_path):
    (tmp_path / "study.log").write_text('{"op_code": 0, "worker_id": "1", "study_name": "jobs"}\n')
    words = (
        f"{tmp_path / 'study.log'}: is of another version of fspinn, which this one cannot go on from; give "
        "another folder with -o, or remove it"
    )
    with pytest.raises(DataError, match=f"^{re.escape(words)}$"):
        find_smallest(data, sizes=(10,), folder=tmp_path, **SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["study.log"]


@pytest.mark.parametrize("strategy", ["bayes", "halving"])
def test_more_draws_go_on_where_fewer_stopped(data, tmp_path, strategy):
    settings = {"strategy": strategy, "sampler": "tpe", "sizes": (10, 14, 18, 22), **SETTINGS}
    find_smallest(data, trials=6, folder=tmp_path, **settings)
    few = events(tmp_path / FILE, "done")
    more = find_smallest(data, trials=14, folder=tmp_path, **settings)
    both = events(tmp_path / FILE, "done")
    assert both[: len(few)] == few
    assert len(both) == len(set(both))  # nothing was trained twice
    assert more.trials == find_smallest(data, trials=14, **settings).trials


def events(path, name):
    """Return the keys of the events of a name, in their order."""
    lines = map(json.loads, path.read_text().splitlines())
    return [line["key"] for line in lines if line["event"] == name]
