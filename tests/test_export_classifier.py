"""A linear classifier as a C program answers what it answers in Python, score for score."""

import json
import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from exported_programs import STRICT, needs_arm, needs_gcc

from fspinn.backends.c.classifier import export_classifier, export_classifier_arduino
from fspinn.base.errors import ConfigError, DataError, ModelFileError
from fspinn.cli import main
from fspinn.datasets import Scale, load
from fspinn.datasets.origin import origin
from fspinn.model import store
from fspinn.model.features import Features
from fspinn.model.linear import LinearClassifier, LinearTable
from fspinn.search.linear import linear_classifiers


def drawn(shape, bits, classes=3, features=0, part=1.0, bias=1.0, seed=0):
    """A classifier with random weights; a part of its inputs has any."""
    random = np.random.default_rng(seed)
    inputs, half = int(np.prod(shape)) + features, 2 ** (bits - 1)
    whole = random.integers(-half, half, (inputs, classes)) * (random.random((inputs, 1)) < part)
    table = LinearTable.rounded(whole, bias * random.normal(size=classes), 0.1, bits)
    names = tuple(f"f{k}" for k in range(features))
    beside = Features(names, Scale((0.0,) * features, (255.0,) * features)) if features else None
    scale = Scale((-100.0,) * shape[2], (155.0,) * shape[2]) if len(shape) == 3 and shape[0] == 1 else None
    return LinearClassifier(table, shape, tuple(map(str, range(classes))), scale, beside)


def make(folder, target="test", *more):
    """Build a program and run its own test."""
    return subprocess.run(
        ["make", "-s", "-C", folder, target, *more], capture_output=True, text=True, check=False
    )


CASES = {
    "an image": (drawn((5, 4), 4), 0.0),
    "few inputs": (drawn((5, 4), 3, part=0.3), 0.0),
    "coarse biases, a margin": (drawn((4, 5), 8, bias=40.0), 5.0),
    "colours and features": (drawn((3, 4, 3), 2, features=2, seed=3), 0.0),
    "a signal": (drawn((1, 9, 2), 5, classes=2, features=1), 0.3),
    "one class": (drawn((3, 3), 4, classes=1), 1.0),
    "sixteen bits": (drawn((3, 3), 16), 0.0),
}


@needs_gcc
@pytest.mark.parametrize("case", CASES)
def test_the_program_has_the_scores_and_answers_of_python(case, tmp_path):
    classifier, reject = CASES[case]
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (40, *classifier.image_shape)).astype(np.uint8)
    images *= random.random(images.shape) < 0.3  # few pixels that are not black, so that classes differ
    images[:2] = np.array([0, 255]).reshape(2, *[1] * (images.ndim - 1))
    count = 0 if classifier.features is None else len(classifier.features.names)
    features = random.uniform(-20, 280, (40, count)).astype(np.float32) if count else None
    answers = classifier.predict(images, features, reject=reject)
    assert len(np.unique(answers)) > 1 or case == "one class"
    assert (answers == -1).any() == (reject > 0 and case != "one class")
    export_classifier(classifier, tmp_path / "out", images, features=features, reject=reject, name="digits")
    printed = make(tmp_path / "out", "test", f"CFLAGS={' '.join(STRICT)}").stdout
    assert printed.endswith("equal to fspinn\n")
    assert "one by one" in printed
    said = [
        line.split("class ")[1] for line in printed.split("one by one")[0].splitlines() if "class" in line
    ]
    assert said == ["none" if answer < 0 else str(answer) for answer in answers]


@needs_gcc
def test_a_wrong_weight_is_found(tmp_path):
    classifier, _ = CASES["an image"]
    export_classifier(classifier, tmp_path / "out")
    source = (tmp_path / "out" / "network.c").read_text()
    other = re.sub(r"(table\[30\] .*\n  )(\d+)", lambda found: f"{found[1]}{int(found[2]) ^ 1}", source)
    assert other != source
    (tmp_path / "out" / "network.c").write_text(other)
    made = make(tmp_path / "out")
    assert made.returncode != 0
    assert "WRONG" in made.stdout


@needs_arm
def test_a_chip_answers_as_this_computer_does(tmp_path):
    export_classifier(CASES["few inputs"][0], tmp_path / "out")
    assert "equal to fspinn\n" in make(tmp_path / "out", "test-cortex-m0").stdout


def test_what_is_measured_is_what_the_table_answers():
    data = load("digits", validation=300)
    for found in linear_classifiers(replace(data, train=data.train.first(400)), (2, 8)):
        classifier = LinearClassifier(found.table, data.image_shape, data.class_names)
        right = classifier.predict(data.validation.images) == data.validation.labels
        assert right.mean() == found.accuracy
        assert found.table.drops == (found.memory["pixels"] > 0)
        rows = found.table.kept.sum() if found.table.drops else 64
        assert found.memory["weights"] == rows * 10 * found.weight_bits
        assert found.memory["readout"] == 10 * 16 + 32 * (found.table.bias_step > 1)
        assert np.abs(found.table.biases).max() < 2**15


def test_a_class_without_labels_is_never_answered():
    table = drawn((5, 4), 3, classes=2, bias=0.1).table.among(np.array([1, 3]), 4)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (200, 20)) * (random.random((200, 20)) < 0.2)
    assert set(table.scores(images).argmax(axis=1)) == {1, 3}
    assert set(table.scores(np.zeros((1, 20))).argmax(axis=1)) <= {1, 3}


def test_a_file_keeps_all_of_it(tmp_path):
    for number, (classifier, _) in enumerate(CASES.values()):
        path = tmp_path / f"{number}.h5"
        known = replace(classifier, record={"seed": 3})
        known.save(path)
        again = LinearClassifier.load(path)
        np.testing.assert_array_equal(again.table.weights, classifier.table.weights)
        np.testing.assert_array_equal(again.table.biases, classifier.table.biases)
        for name in ("image_shape", "class_names", "scale", "features"):
            assert getattr(again, name) == getattr(classifier, name)
        assert again.record == {"seed": 3}
        assert (again.table.bits, again.table.step) == (classifier.table.bits, classifier.table.step)


def test_what_is_no_classifier_is_refused(tmp_path):
    classifier, _ = CASES["colours and features"]
    with pytest.raises(ConfigError, match=r"^weights: shape \(38, 3\) does not fit; this classifier needs"):
        replace(classifier, image_shape=(4, 4))
    with pytest.raises(ConfigError, match=r"^images: 4 x 4 do not fit a classifier for bytes of 3 x 4 x 3"):
        classifier.predict(np.zeros((1, 4, 4), np.uint8))
    with pytest.raises(DataError, match=r"^images: has no features"):
        classifier.predict(np.zeros((1, 3, 4, 3), np.uint8))
    with pytest.raises(ConfigError, match=r"^name: 'int' cannot be the name"):
        export_classifier(classifier, tmp_path / "out", name="int")
    path = tmp_path / "linear.h5"
    classifier.save(path)
    with pytest.raises(
        ModelFileError, match=r"is a classifier of fspinn, not a model; name .*, or make a pro"
    ):
        store.load(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelFileError, match="is damaged"):
        LinearClassifier.load(path)


def test_a_sketch_calls_it_as_it_calls_a_network(tmp_path):
    export_classifier_arduino(CASES["an image"][0], tmp_path / "out")
    assert "network_row(&state, part)" in (tmp_path / "out" / "out.ino").read_text()
    assert not (tmp_path / "out" / "test").exists()


@needs_gcc
def test_the_command_line_exports_what_the_search_has_written(tmp_path):
    data = load("digits")
    (found,) = linear_classifiers(replace(data, train=data.train.first(200)), (4,))
    path = tmp_path / "linear.h5"
    record = {"dataset": origin(data)}
    LinearClassifier(found.table, data.image_shape, data.class_names, record=record).save(path)

    def run(*words):
        return CliRunner().invoke(main, ["export", str(path), *map(str, words)])

    done = run("--target", "c", "-o", tmp_path / "out", "--samples", 20, "--json")
    assert json.loads(done.stdout) == {"target": "c", "output": str(tmp_path / "out")}
    assert "equal to fspinn" in make(tmp_path / "out").stdout
    assert "@" not in "".join((tmp_path / "out" / name).read_text() for name in ("README.md", "network.h"))
    assert run("--target", "arduino", "-o", tmp_path / "sketch").exit_code == 0
    for words, says in (
        (("--target", "nir"), "--target nir: MODEL is a linear classifier; use c or arduino"),
        (
            ("--target", "c", "--hardware", "mcu-avr"),
            "--hardware: what the program of a linear classifier takes of a chip is not estimated",
        ),
        (
            ("--target", "c", "--learning", 9),
            "--learning: a linear classifier does not learn on a device; leave it out",
        ),
        (("--target", "arduino", "--samples", 9), "--dataset, --samples: a sketch has no images; leave them"),
        (
            ("--target", "c", "--samples", 360),
            "--samples: 360 are asked for, and digits has 359 test images;",
        ),
    ):
        refused = run(*words, "-o", tmp_path / "none")
        assert refused.exit_code == 2
        assert says in refused.stderr
        assert not (tmp_path / "none").exists()
