"""fspinn data: what a person sees."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from fspinn import datasets
from fspinn.cli import main
from fspinn.datasets import storage


@pytest.fixture
def fspinn(monkeypatch, tmp_path):
    monkeypatch.delenv("FSPINN_DATA_DIR", raising=False)
    monkeypatch.setattr(storage, "cache_folder", lambda: tmp_path / "cache")

    def run(*words):
        return CliRunner().invoke(main, ["data", *map(str, words)], prog_name="fspinn")

    return run


def place_files(folder):
    folder.mkdir(parents=True)
    for name in datasets.find("mnist").checksums:
        (folder / name).write_bytes(b"")


def test_help_explains_the_forms_of_own_data(fspinn):
    text = fspinn("--help").stdout
    for form in (".npz", "-images-idx3-ubyte", "one folder of pictures", "table.csv", "fspinn data list"):
        assert form in text
    for name in ("list", "info", "fetch"):
        assert "Example:" in fspinn(name, "--help").stdout


def test_list_shows_every_data_set_and_where_it_is(fspinn, tmp_path):
    place_files(tmp_path / "cache" / "mnist")
    result = fspinn("list")
    assert result.exit_code == 0
    head, *lines = result.stdout.splitlines()
    assert head.split() == ["name", "images", "pixels", "classes", "licence", "where"]
    assert [line.split()[0] for line in lines] == list(datasets.names())
    assert lines[0].endswith("embedded")
    assert lines[1].endswith(f"in {tmp_path / 'cache' / 'mnist'}")
    assert lines[2].endswith("not downloaded yet")


def test_list_looks_only_into_a_given_folder(fspinn, tmp_path):
    place_files(tmp_path / "cache" / "mnist")
    place_files(tmp_path / "mine" / "kmnist")
    lines = fspinn("list", "--data-dir", tmp_path / "mine").stdout.splitlines()
    assert lines[2].endswith(f"not in {tmp_path / 'mine'}")
    assert lines[4].endswith(f"in {tmp_path / 'mine' / 'kmnist'}")


def test_list_as_json_is_one_object(fspinn):
    rows = json.loads(fspinn("list", "--json").stdout)["datasets"]
    assert [row["name"] for row in rows] == list(datasets.names())
    assert rows[0]["state"] == "embedded"
    assert rows[1] == {
        "name": "mnist",
        "train_images": 60000,
        "test_images": 10000,
        "image_shape": [28, 28],
        "classes": 10,
        "state": "absent",
        "folder": None,
        "licence": "CC BY-SA 3.0 (as commonly stated)",
    }


def test_info_describes_the_digits(fspinn):
    text = fspinn("info", "digits").stdout
    assert "1199 train, 239 validation, 359 test" in text
    assert "8x8" in text
    assert "10 (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)" in text
    assert "CC BY 4.0" in text
    assert datasets.load("digits").checksum in text


def test_info_of_own_images_as_json(fspinn, tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, images=np.full((10, 2, 3), 51, np.uint8), labels=np.arange(10) % 2)
    result = json.loads(fspinn("info", path, "--json").stdout)
    assert result == {
        "name": str(path),
        "image_shape": [2, 3],
        "images": {"train": 7, "validation": 1, "test": 2},
        "classes": 2,
        "class_names": ["0", "1"],
        "class_counts": {"train": [3, 4], "validation": [1, 0], "test": [1, 1]},
        "checksum": datasets.load(path).checksum,
        "mean_intensity": pytest.approx(0.2),
        "range": [51, 51],
        "blank": {"train": 7, "validation": 1, "test": 2},
        "duplicates": {"train": 6, "validation": 0, "test": 1},
        "shared": {"train": 0, "validation": 1, "test": 2},
        "groups": None,
        "features": [],
        "events": None,
        "scale": None,
        "source": str(path.resolve()),
        "licence": None,
    }
    assert "yours to know" in fspinn("info", path).stdout


def test_info_shortens_a_long_list_of_classes(fspinn, tmp_path):
    np.savez(tmp_path / "own.npz", images=np.zeros((400, 2, 3), np.uint8), labels=np.arange(400) % 40)
    assert "40 (0, 1, 2" in fspinn("info", tmp_path / "own.npz").stdout
    assert "18, 19, ...)" in fspinn("info", tmp_path / "own.npz").stdout


def test_fetch_says_that_the_digits_are_embedded(fspinn):
    assert fspinn("fetch", "digits").stdout == "digits: embedded, nothing to fetch\n"
    assert json.loads(fspinn("fetch", "digits", "--json").stdout) == {
        "name": "digits",
        "embedded": True,
        "folder": None,
    }


def test_fetch_says_where_the_files_are(fspinn, tmp_path):
    folder = tmp_path / "mine" / "mnist"
    place_files(folder)
    assert fspinn("fetch", "mnist", "--data-dir", tmp_path / "mine").stdout == f"mnist: in {folder}\n"
    answer = json.loads(fspinn("fetch", "mnist", "--data-dir", tmp_path / "mine", "--json").stdout)
    assert answer == {"name": "mnist", "embedded": False, "folder": str(folder)}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["info", "mnits"], "'mnits': neither a data set nor an existing file; did you mean mnist?"),
        (["fetch", "mnits"], "'mnits': not the name of a built-in data set; did you mean mnist?"),
        (["info", "mnist", "--data-dir", "nowhere"], "train-images-idx3-ubyte.gz: no such file"),
    ],
)
def test_bad_input_is_answered_in_one_line_with_status_two(fspinn, words, told):
    result = fspinn(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("fspinn: ")
    assert result.stderr.count("\n") == 1
    assert told in result.stderr
