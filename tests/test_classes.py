"""Classes are names: a model and a data set are matched by name, in every command and function."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from described import dense
from PIL import Image

import fspinn
from fspinn import datasets, plots
from fspinn.answering.compress import lower
from fspinn.base.errors import ConfigError, DataError
from fspinn.cli import main
from fspinn.datasets import Split
from fspinn.memmodel import Size
from fspinn.network.rules import Stdp
from fspinn.search.formats import find_formats
from fspinn.search.linear import linear_classifiers

# With this encoder the same picture gives the same spikes whatever its number in the data set.
NETWORK = dense(neurons=60, encoder="ttfs", threshold=2.0)
SHOWN = {"train": 300, "test": 120}


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def write_folders(folder, digits, classes, rename=str):
    """Write pictures of some digits as folder/train/NAME/*.png and folder/test/NAME/*.png."""
    for part, count in SHOWN.items():
        split = getattr(digits, part).first(count)
        for number, (image, label) in enumerate(zip(split.images, split.labels.tolist(), strict=True)):
            if label in classes:
                of_class = folder / part / rename(label)
                of_class.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(of_class / f"{number:04}.png")
    return folder


@pytest.fixture(scope="module")
def whole(digits, tmp_path_factory):
    return write_folders(tmp_path_factory.mktemp("whole"), digits, range(10))


@pytest.fixture(scope="module")
def two(digits, tmp_path_factory):
    return write_folders(tmp_path_factory.mktemp("two"), digits, (3, 5))


@pytest.fixture(scope="module")
def ten(digits, tmp_path_factory):
    """The same pictures, but the folders are 1 to 10."""
    return write_folders(tmp_path_factory.mktemp("ten"), digits, range(10), lambda label: str(label + 1))


@pytest.fixture(scope="module")
def model(whole):
    return fspinn.train(NETWORK, datasets.load(whole), learner=Stdp(passes=5), progress=False).model


@pytest.fixture(scope="module")
def model_file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "net.h5"
    fspinn.save(model, path)
    return path


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def answer(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


# --- a data set that has some of the model's classes ------------------------------------------------


def test_pictures_get_the_same_answers_alone_and_among_all(model, whole, two):
    some, all_of_them = datasets.load(two).test, datasets.load(whole).test
    which = np.isin(all_of_them.labels, (3, 5))
    np.testing.assert_array_equal(some.images, all_of_them.images[which])
    assert (some.class_names, set(some.labels)) == (("3", "5"), {0, 1})
    measured, reference = fspinn.evaluate(model, some), fspinn.evaluate(model, all_of_them)
    np.testing.assert_array_equal(measured.predictions, reference.predictions[which])
    np.testing.assert_array_equal(measured.labels, all_of_them.labels[which])
    assert measured.accuracy == np.mean(reference.predictions[which] == all_of_them.labels[which]) > 0.3


def test_the_commands_find_some_of_the_classes(model, model_file, whole, two, tmp_path):
    measured = answer("evaluate", model_file, "--dataset", two)
    reference = fspinn.evaluate(model, datasets.load(two).test)
    assert (measured["accuracy"], measured["samples"]) == (reference.accuracy, reference.samples)
    rows = answer("predict", model_file, "--dataset", two)["images"]
    assert np.mean([row["class"] == row["label"] for row in rows]) == measured["accuracy"]
    assert {row["label"] for row in rows} == {3, 5}
    picture = tmp_path / "confusion.png"
    drawn = answer("plot", "confusion-matrix", model_file, "--dataset", two, "--split", "test", "-o", picture)
    assert drawn["accuracy"] == measured["accuracy"]
    raster = answer("plot", "spike-raster", model_file, "--dataset", two, "-o", tmp_path / "raster.png")
    assert raster["label"] in (3, 5)


def test_quantize_measures_on_some_of_the_classes(model, model_file, two, tmp_path):
    expected = fspinn.evaluate(model, datasets.load(two).validation).accuracy
    small = tmp_path / "small.h5"
    found = answer("quantize", model_file, "--auto", "--max-loss", 10, "--dataset", two, "-o", small)
    assert found["accuracy"]["before"] == expected > 0.3
    assert found["accuracy"]["after"] >= expected - 0.1
    lowered = lower(model, datasets.load(two), weights="UQ0.8", state="Q9.7", tune=True, prune=True)
    assert lowered.reports[0].before.accuracy == expected
    assert find_formats(model, datasets.load(two), max_loss=10).before.accuracy == expected


def test_a_readout_is_fitted_again_by_name(model, whole):
    data = datasets.load(whole)
    order = tuple("9876543210")
    learned = fspinn.train(NETWORK, data, learner=Stdp(passes=2), readout="linear", progress=False).model
    expected = fspinn.quantize(learned, "UQ0.4", readout="Q1.3", data=data)
    turned = fspinn.quantize(learned, "UQ0.4", readout="Q1.3", data=data.in_classes(order))
    np.testing.assert_array_equal(turned.readout.table, expected.readout.table)


def test_a_confusion_matrix_keeps_the_classes_of_the_model(model, two):
    measured = fspinn.evaluate(model, datasets.load(two).test)
    axes = plots.confusion_matrix(measured.labels, measured.predictions, model.class_names).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list("0123456789")
    shares = np.asarray(axes.images[0].get_array())
    assert np.flatnonzero(shares.sum(axis=1)).tolist() == [3, 5]
    np.testing.assert_allclose(shares.sum(axis=1)[[3, 5]], 100)


def test_another_order_of_the_same_names_changes_nothing(model, digits):
    order = tuple("9876543210")
    turned = Split(digits.test.images, 9 - digits.test.labels, order)
    expected = fspinn.evaluate(model, digits.test)
    measured = fspinn.evaluate(model, turned)
    assert measured.accuracy == expected.accuracy
    np.testing.assert_array_equal(measured.predictions, expected.predictions)


def test_built_in_data_files_and_arrays_are_matched_alike(model, digits, tmp_path):
    expected = fspinn.evaluate(model, digits.test).accuracy
    images, labels = digits.test.images, digits.test.labels
    names = {"images": digits.train.images, "labels": digits.train.labels.astype(str)}
    np.savez(tmp_path / "names.npz", **names, test_images=images, test_labels=labels.astype(str))
    for split in (
        datasets.load(tmp_path / "names.npz").test,
        Split(images, labels),
        (images, labels),
        (list(images), labels.astype(str)),
    ):
        assert fspinn.evaluate(model, split).accuracy == expected


# --- a data set with a class that the model lacks ---------------------------------------------------

LACKING = (
    "the model does not have class '10' (it has classes '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'); "
    "name the"
)


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate"],
        ["evaluate", "--samples", 1],
        ["predict"],
        ["predict", "--index", 0],
        ["plot", "confusion-matrix"],
        ["plot", "spike-raster"],
        ["plot", "thresholds"],
        ["quantize", "--auto"],
        ["quantize", "--weights", "UQ0.4"],
        ["quantize", "--weights", "UQ0.4", "--tune"],
        ["quantize", "--weights", "UQ0.4", "--state", "Q9.6", "--prune"],
    ],
)
def test_every_command_refuses_a_class_that_the_model_lacks(command, model_file, ten, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = ["-o", "written.h5"] if command[0] == "quantize" else []
    words = [*command[:2], model_file, *command[2:]] if command[0] == "plot" else [*command, model_file]
    result = run(*words, "--dataset", ten, *output)
    assert result.exit_code == 2
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert f"{ten}: {LACKING}" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_export_refuses_it_too(model, ten, tmp_path):
    small = fspinn.quantize(model, "UQ0.4", state="Q9.6")
    fspinn.save(small, tmp_path / "small.h5")
    words = ("export", tmp_path / "small.h5", "--target", "c", "-o", tmp_path / "out", "--dataset", ten)
    result = run(*words)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert LACKING in result.stderr
    assert not (tmp_path / "out").exists()


def test_functions_refuse_it(model, ten):
    renamed = datasets.load(ten)
    for work in (
        lambda: fspinn.evaluate(model, renamed.test),
        lambda: lower(model, renamed, weights="UQ0.4"),
        lambda: find_formats(model, renamed),
        lambda: renamed.in_classes(model.class_names),
    ):
        with pytest.raises(DataError) as caught:
            work()
        assert LACKING in str(caught.value)


def test_many_names_are_shortened(model, digits):
    letters = Split(digits.test.images, digits.test.labels, tuple("abcdefghij"))
    with pytest.raises(
        DataError, match=r"^split: the model does not have classes 'a', 'b', 'c', 'd', 'e' and"
    ):
        fspinn.evaluate(model, letters)


def test_renamed_folders_are_not_taken_for_what_the_model_was_trained_on(model, digits, tmp_path):
    trained_on = write_folders(tmp_path / "own", digits, (3, 5), "abcdef".__getitem__)
    two_classes = fspinn.train(
        NETWORK, datasets.load(trained_on), learner=Stdp(passes=1), progress=False
    ).model
    fspinn.save(two_classes, tmp_path / "net.h5")
    assert run("evaluate", tmp_path / "net.h5").exit_code == 0
    for part in SHOWN:
        (trained_on / part / "f").rename(trained_on / part / "z")
    result = run("evaluate", tmp_path / "net.h5")
    assert result.exit_code == 2
    assert "the model does not have class 'z' (it has classes 'd', 'f')" in result.stderr


# --- gaps in the numbers ----------------------------------------------------------------------------


@pytest.fixture
def with_gap(digits, tmp_path):
    """Two digits, labelled 100 and 200 in one file and 0 and 1 in the other."""
    which = digits.train.labels < 2
    images, labels = digits.train.images[which], digits.train.labels[which]
    np.savez(tmp_path / "gap.npz", images=images, labels=100 * (labels + 1))
    np.savez(tmp_path / "plain.npz", images=images, labels=labels)
    return datasets.load(tmp_path / "gap.npz"), datasets.load(tmp_path / "plain.npz")


def test_only_classes_that_occur_cost_memory(with_gap):
    small = dense(neurons=10)
    gap, plain = (
        fspinn.train(small, data, learner=Stdp(passes=1), progress=False).model for data in with_gap
    )
    assert (gap.class_names, plain.class_names) == (("100", "200"), ("0", "1"))
    assert gap.readout.n_classes == 2
    assert Size.of(gap) == Size.of(plain)
    np.testing.assert_array_equal(gap.readout.table, plain.readout.table)
    baselines = [linear_classifiers(data, (8,)) for data in with_gap]
    assert baselines[0] == baselines[1]
    assert with_gap[0].checksum != with_gap[1].checksum


def test_numbers_may_be_large_and_have_gaps(tmp_path):
    labels = np.array([2**63 + 5, 7, 7, 5000, 2**63 + 5, 7], np.uint64)
    images = np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2)
    np.savez(tmp_path / "own.npz", images=images, labels=labels, test_images=images, test_labels=labels)
    data = datasets.load(tmp_path / "own.npz", validation=0)
    assert data.class_names == ("7", "5000", str(2**63 + 5))
    assert data.train.labels.tolist() == data.test.labels.tolist() == [2, 0, 0, 1, 2, 0]


def test_a_model_from_before_names_were_kept_calls_them_by_number(model, digits):
    old = replace(model, record={})
    assert old.class_names == tuple("0123456789")
    assert fspinn.evaluate(old, digits.test).accuracy == fspinn.evaluate(model, digits.test).accuracy


def test_names_must_fit_the_readout(model):
    with pytest.raises(ConfigError, match=r"^class_names: 2 names do not fit a readout of 10 classes; give"):
        replace(model, record={"class_names": ["a", "b"]})


# --- test classes that training lacks ---------------------------------------------------------------


def write_idx(path, array):
    path.write_bytes(bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes())


@pytest.mark.parametrize("form", ["npz", "idx", "folders"])
def test_a_test_class_without_training_images_is_refused_in_every_form(form, digits, tmp_path):
    images = digits.train.images[:20]
    labels, test_labels = np.arange(20) % 2, np.array([0, 1, 7], np.int64)
    path = tmp_path / "own"
    path.mkdir()
    if form == "npz":
        path = path / "own.npz"
        np.savez(path, images=images, labels=labels, test_images=images[:3], test_labels=test_labels)
    elif form == "idx":
        for name, some, known in (("train", images, labels), ("t10k", images[:3], test_labels)):
            write_idx(path / f"{name}-images-idx3-ubyte", some)
            write_idx(path / f"{name}-labels-idx1-ubyte", known.astype(np.uint8))
    else:
        for part, known in (("train", labels), ("test", test_labels)):
            for number, label in enumerate(known):
                (path / part / str(label)).mkdir(parents=True, exist_ok=True)
                Image.fromarray(images[number]).save(path / part / str(label) / f"{number}.png")
    with pytest.raises(DataError) as caught:
        datasets.load(path)
    assert str(caught.value) == (
        f"{path}: test images of class '7', but no training images; add some, or leave the test images out"
    )


# --- splits and data sets ---------------------------------------------------------------------------


def test_a_data_set_numbers_its_splits_by_name(digits):
    turned = Split(digits.test.images, 9 - digits.test.labels, tuple("9876543210"))
    plain = Split(digits.test.images, digits.test.labels)
    for test in (turned, plain):
        np.testing.assert_array_equal(replace(digits, test=test).test.labels, digits.test.labels)
        assert replace(digits, test=test).test.class_names == digits.class_names
    letters = Split(digits.test.images, digits.test.labels, tuple("abcdefghij"))
    with pytest.raises(DataError, match=r"^digits: test images: the data set does not have classes 'a', 'b'"):
        replace(digits, test=letters)


@pytest.mark.parametrize(
    ("labels", "names", "words"),
    [
        (
            [0, 2],
            ("a", "b"),
            r"^Split.labels: from 0 to 2, but there are 2 class names; number the classes by",
        ),
        ([-1, 1], ("a", "b"), r"^Split.labels: from -1 to 1, but there are 2 class names"),
        ([0, 1], ("a", "a"), r"^Split.class_names: a name is there twice; give each class a name of its own"),
    ],
)
def test_names_must_fit_the_labels(labels, names, words):
    with pytest.raises(DataError, match=words):
        Split(np.zeros((2, 4, 4), np.uint8), np.array(labels), names)


# --- pictures ---------------------------------------------------------------------------------------


def test_pictures_call_classes_by_name(model, digits):
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine-and-nothing-more")
    named = replace(model, record={**model.record, "class_names": list(names)})
    shown = {text.get_text() for text in plots.receptive_fields(named).axes[0].texts}
    assert shown <= {*names[:9], "nine-an\u2026", "-"}
    assert len(shown) > 5
    raster = plots.spike_raster(named, digits.test.images[0])
    labels = [text.get_text() for text in raster.axes[2].get_yticklabels()]
    assert labels
    assert all(label.split(" (")[1].rstrip(")") in {*names, "-"} for label in labels)
