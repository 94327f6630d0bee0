"""fspinn plot, as a user types it."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from described import dense
from PIL import Image

import fspinn
from fspinn import datasets
from fspinn.cli import main
from fspinn.model.tensors import Tensor
from fspinn.network.rules import Stdp

KINDS = ("receptive-fields", "confusion-matrix", "coverage", "spike-raster", "thresholds", "learning-curve")


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def model_file(digits, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "net.h5"
    fspinn.save(fspinn.train(dense(neurons=20), digits, learner=Stdp(passes=1), progress=False).model, path)
    return path


@pytest.fixture(scope="module")
def column_file(digits, tmp_path_factory):
    path = tmp_path_factory.mktemp("column") / "column.h5"
    network = fspinn.Network.patches(5, field=3, cells=2)
    fspinn.save(fspinn.train(network, digits, learner=Stdp(passes=1), progress=False).model, path)
    return path


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["plot", *map(str, arguments)])


def answer(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("kind", "of"),
    [*((kind, "model") for kind in KINDS), *((kind, "column") for kind in (*KINDS, "spike-map"))],
)
def test_every_kind_writes_a_picture_of_its_name(model_file, column_file, here, kind, of):
    result = run(kind, model_file if of == "model" else column_file)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"wrote {kind}.png\n"
    assert os.listdir(here) == [f"{kind}.png"]
    with Image.open(here / f"{kind}.png") as picture:
        assert min(picture.size) > 200
        assert len(np.unique(np.asarray(picture.convert("L")))) > 5


def test_the_picture_goes_where_it_is_told(model_file, here):
    assert answer("receptive-fields", model_file, "-o", here / "f.svg", "--neurons", 4) == {
        "picture": str(here / "f.svg")
    }
    assert (here / "f.svg").read_text().startswith("<?xml")


def test_a_curve_of_coverage_is_that_of_evaluations_with_its_margins(model_file):
    said = answer("coverage", model_file)
    assert (said["dataset"], said["split"], said["samples"]) == ("digits", "validation", 239)
    assert (said["margins"][0], said["coverage"][0]) == (0.0, 1.0)
    assert 20 < len(said["margins"]) <= 100
    for k in (0, 7, len(said["margins"]) - 1):
        reject = ["--reject", repr(said["margins"][k]), "--split", "validation", "--json"]
        measured = json.loads(CliRunner().invoke(main, ["evaluate", str(model_file), *reject]).stdout)
        assert (measured["coverage"], measured["accuracy"]) == (said["coverage"][k], said["accuracy"][k])


def test_a_confusion_matrix_is_that_of_an_evaluation(model_file):
    said = answer("confusion-matrix", model_file)
    accuracy = fspinn.load(model_file).record["validation_accuracy"]
    assert said == {
        "picture": "confusion-matrix.png",
        "dataset": "digits",
        "split": "validation",
        "samples": 239,
        "accuracy": accuracy,
    }
    assert answer("confusion-matrix", model_file, "--split", "test", "--samples", 50)["samples"] == 50


def test_a_raster_of_an_image_of_the_data_set_or_of_a_file(model_file, here, digits):
    assert answer("spike-raster", model_file, "--index", 7) == {
        "picture": "spike-raster.png",
        "image": "digits validation",
        "index": 7,
        "label": int(digits.validation.labels[7]),
    }
    Image.fromarray(digits.test.images[0]).save(here / "photo.png")
    assert answer("spike-raster", model_file, "photo.png") == {
        "picture": "spike-raster.png",
        "image": "photo.png",
        "index": 0,
        "label": None,
    }


def test_positions_of_an_image_of_the_data_set_or_of_a_file(column_file, here, digits):
    about = {"image": "digits validation", "index": 7, "label": int(digits.validation.labels[7])}
    assert answer("spike-map", column_file, "--index", 7) == {"picture": "spike-map.png", **about}
    said = answer("spike-raster", column_file, "--index", 7, "--position", "2, 3")
    assert said == {"picture": "spike-raster.png", **about}
    Image.fromarray(digits.test.images[0]).save(here / "photo.png")
    assert answer("spike-map", column_file, "photo.png", "-o", "m.svg")["image"] == "photo.png"


def test_thresholds_tell_of_silent_neurons(model_file, digits):
    counts = fspinn.predict(fspinn.load(model_file), digits.validation.images[:5]).spike_counts
    said = answer("thresholds", model_file, "--samples", 5)
    assert said["silent_neurons"] == (counts.sum(axis=0) == 0).sum() > 0


def test_of_a_column_silent_neurons_are_counted_not_features(column_file, tmp_path):
    column = fspinn.load(column_file)
    theta = np.zeros(5, np.float32)
    theta[3] = 1e6
    fspinn.save(replace(column, layers=(replace(column.layer, theta=Tensor(theta)),)), tmp_path / "quiet.h5")
    assert answer("thresholds", tmp_path / "quiet.h5", "--samples", 20)["silent_neurons"] == 1


def test_a_learning_curve_tells_its_points(model_file):
    said = answer("learning-curve", model_file)
    assert said.pop("picture") == "learning-curve.png"
    assert said == fspinn.load(model_file).record["learning_curve"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["receptive-fields", "MODEL", "-o", "f.jpg"], "f.jpg: a picture ends in .png, .svg, .pdf; give it"),
        (
            ["thresholds", "MODEL", "-o", "no/f.png"],
            "--output no/f.png: there is no folder no; make it first",
        ),
        (["receptive-fields", "MODEL", "--neurons", "0"], "0 is not in the range x>=1"),
        (["receptive-fields", "missing.h5"], "missing.h5: there is no such file; train a model"),
        (
            ["spike-raster", "MODEL", "--index", "300"],
            "index: no image has the number 300; give one from 0 to 238",
        ),
        (["spike-raster", "MODEL", "--index", "-1"], "index: no image has the number -1; give one from 0"),
        (["spike-raster", "MODEL", "missing.png"], "missing.png: no such file or folder; name"),
        (["spike-raster", "MODEL", "x.png", "--dataset", "digits"], "--dataset: files of images are given"),
        (["confusion-matrix", "MODEL", "--dataset", "nonsense"], "'nonsense': neither a data set nor"),
        (
            ["spike-map", "MODEL"],
            "spike map: the first layer sees the whole image, so it has no positions; draw",
        ),
        (
            ["spike-raster", "MODEL", "--position", "1,1"],
            "position: the first layer sees the whole image from",
        ),
        (
            ["spike-raster", "COLUMN", "--position", "6,0"],
            "position: 6,0 is outside the 6 x 6 positions; give row and column from 0,0 to 5,5",
        ),
        (
            ["spike-raster", "COLUMN", "--position", "6"],
            "--position: '6' is not a row and a column; write it",
        ),
        (
            ["spike-raster", "COLUMN", "--position", "a,b"],
            "--position: 'a,b' is not a row and a column; write",
        ),
        (["confusion-matrix"], "Missing argument 'MODEL'"),
        (["heat-map", "MODEL"], "No such command 'heat-map'"),
    ],
)
def test_bad_input_gets_one_line_and_exit_status_2(model_file, column_file, here, arguments, words):
    files = {"MODEL": model_file, "COLUMN": column_file}
    result = run(*(files.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.startswith("fspinn: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert os.listdir(here) == []


def test_a_split_without_images_is_named(digits, here):
    bare = datasets.load("digits", validation=0)
    fspinn.save(
        fspinn.train(dense(neurons=5), bare, learner=Stdp(passes=1), progress=False).model, here / "net.h5"
    )
    for kind in ("confusion-matrix", "spike-raster", "thresholds"):
        result = run(kind, "net.h5")
        assert (result.exit_code, result.stdout) == (2, "")
        words = "fspinn: --split: digits has no validation images; hold some out or choose another\n"
        assert result.stderr == words
