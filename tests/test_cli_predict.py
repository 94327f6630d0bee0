"""fspinn predict, as a user types it: images from files and data sets, and what is wrong with them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from described import dense
from PIL import Image

import fspinn
from fspinn import datasets
from fspinn.cli import main
from fspinn.network.rules import Stdp


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def model_file(digits, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "net.h5"
    fspinn.save(fspinn.train(dense(neurons=20), digits, learner=Stdp(passes=1), progress=False).model, path)
    return path


@pytest.fixture
def photos(digits, tmp_path):
    """Three test images as PNGs in a folder."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(3):
        Image.fromarray(digits.test.images[k]).save(folder / f"{k}.png")
    return folder


def run(*arguments):
    return CliRunner().invoke(main, ["predict", *map(str, arguments)])


def answers(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_images_of_a_split_get_the_answers_that_evaluate_counts(model_file):
    images = answers(model_file)["images"]
    evaluated = CliRunner().invoke(main, ["evaluate", str(model_file), "--json"])
    correct = np.mean([image["class"] == image["label"] for image in images])
    assert correct == json.loads(evaluated.stdout)["accuracy"]
    assert [image["index"] for image in images] == list(range(359))
    chosen = answers(model_file, "--index", "3,17")["images"]
    assert chosen == [images[3], images[17]]
    assert answers(model_file, "--samples", 4)["images"] == images[:4]


def test_the_keys_of_an_answer(model_file, digits):
    whole = answers(model_file, "--samples", 1, "--seed", 7)
    (image,) = whole.pop("images")
    assert whole == {
        "model": str(model_file),
        "readout": "proportion",
        "class_names": list("0123456789"),
        "reject": 0.0,
        "seed": 7,
    }
    expected = fspinn.predict(fspinn.load(model_file), digits.test.images[:1], seed=7)
    assert image == {
        "image": "digits test",
        "index": 0,
        "label": int(digits.test.labels[0]),
        "class": int(expected.classes[0]),
        "class_name": str(expected.classes[0]),
        "lead": expected.leads[0],
        "scores": expected.scores[0].tolist(),
        "output_spikes": int(expected.spike_counts.sum()),
        "spike_counts": {str(j): int(n) for j, n in enumerate(expected.spike_counts[0]) if n},
    }
    assert image["output_spikes"] > 0


def test_a_column_says_which_neuron_spikes_in_which_cell(digits, tmp_path):
    network = fspinn.Network.patches(6, field=3, cells=2)
    column = fspinn.train(network, digits, learner=Stdp(passes=1), progress=False).model
    fspinn.save(column, tmp_path / "column.h5")
    counts = fspinn.predict(column, digits.test.images[:1]).spike_counts[0]
    most = np.argsort(-counts, kind="stable")[:3]
    said = run(tmp_path / "column.h5", "--samples", 1).stdout
    assert "most active neurons in a cell (spikes)" in said
    named = ", ".join(f"{k % 6} in {k // 6 // 2},{k // 6 % 2} ({counts[k]})" for k in most)
    assert said.rstrip().endswith(named)


def test_the_same_image_gets_the_same_answer_in_whatever_file_it_is(model_file, photos, digits, tmp_path):
    np.save(tmp_path / "own.npy", digits.test.images[1])
    np.savez(tmp_path / "own.npz", images=digits.test.images[1:2])
    files = [photos / "1.png", tmp_path / "own.npy", tmp_path / "own.npz"]
    folder = answers(model_file, photos)["images"]
    alone = [answers(model_file, file)["images"][0] for file in files]
    assert [image["image"] for image in folder] == [str(photos / f"{k}.png") for k in range(3)]
    for one in [folder[1], *answers(model_file, *files)["images"]]:
        assert one["spike_counts"] == alone[0]["spike_counts"] == alone[1]["spike_counts"]
        assert one["label"] is None


def test_people_get_a_table(model_file, photos):
    lines = run(model_file, photos).stdout.splitlines()
    title = "image number class score next best output spikes most active neurons (spikes)"
    assert lines[0].split() == title.split()
    assert len(lines) == 4
    assert lines[1].startswith(str(photos / "0.png"))
    labelled = run(model_file, "--split", "validation", "--samples", 2).stdout.splitlines()
    assert labelled[0].split()[:4] == ["image", "number", "label", "class"]
    assert labelled[1].startswith("digits validation  0 ")


def test_the_names_of_classes_are_shown(tmp_path):
    for name, level in (("cat", 0), ("dog", 4)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for k in range(8):
            image = np.zeros((8, 8), np.uint8)
            image[level : level + 4, k % 4 : k % 4 + 4] = 250
            Image.fromarray(image).save(tmp_path / "own" / name / f"{k}.png")
    own = datasets.load(tmp_path / "own")
    model = fspinn.train(dense(neurons=5), own, learner=Stdp(passes=10), progress=False).model
    fspinn.save(model, tmp_path / "net.h5")
    rows = answers(tmp_path / "net.h5", tmp_path / "own" / "cat")["images"]
    assert {row["class_name"] for row in rows} == {"cat"}
    assert (
        "cat" in run(tmp_path / "net.h5", tmp_path / "own" / "cat" / "0.png").stdout.splitlines()[1].split()
    )


def test_a_black_image_is_no_class(model_file, tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "black.png")
    assert "none" in run(model_file, tmp_path / "black.png").stdout.splitlines()[1].split()
    (answer,) = answers(model_file, tmp_path / "black.png")["images"]
    assert (answer["class"], answer["class_name"], answer["output_spikes"]) == (None, None, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.png"], "missing.png: no such file or folder; name images"),
        (["."], ".: holds no pictures (.png, .jpg, .jpeg, .bmp, .tif, .tiff) or .wav files; name"),
        (["large.png"], "large.png: 9 x 8 pixels do not fit a model for 8 x 8; resize the images"),
        (["text.txt"], "text.txt: not images in a form that fspinn knows; give a picture"),
        (
            ["x.png", "--dataset", "digits"],
            "--dataset: files of images are given already; leave one of the two out",
        ),
        (["--index", "0", "--samples", "1"], "--samples: --index says already which images; leave one"),
        (["--index", "400"], "index: no image has the number 400; give one from 0 to 358"),
        (["--index", "first"], "--index: 'first' is not a list of whole numbers"),
        (["--index", ""], "--index: '' is not a list of whole numbers"),
        (["--dataset", "digit"], "did you mean digits?"),
        (["--split", "train"], "'train' is not one of 'test', 'validation'"),
    ],
)
def test_bad_input_gets_one_line_and_exit_status_2(model_file, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("hello")
    if "large.png" in arguments:
        Image.fromarray(np.zeros((9, 8), np.uint8)).save("large.png")
    answer = run(model_file, *arguments)
    assert answer.exit_code == 2
    assert words in answer.stderr
    assert answer.stderr.startswith("fspinn: ")
    assert answer.stderr.count("\n") == 1
    assert answer.stdout == ""


def test_without_a_model_it_says_so(tmp_path):
    answer = run(tmp_path / "net.h5")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "there is no such file; train a model with" in answer.stderr
