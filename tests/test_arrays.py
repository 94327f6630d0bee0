"""Arrays, splits and results in Python: they just work, or one line says what to give."""

from dataclasses import replace

import numpy as np
import pytest
from described import dense

import fspinn
from fspinn import datasets, plots
from fspinn.answering.compress import lower
from fspinn.answering.evaluate import load_data_of
from fspinn.backends.c import export_c
from fspinn.backends.nir import export_nir
from fspinn.base.errors import ConfigError, DataError
from fspinn.datasets import Split, as_dataset, as_split
from fspinn.memmodel import Size, estimate
from fspinn.network.rules import Stdp
from fspinn.search.formats import find_formats

SMALL = dense(neurons=20)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def pair(digits):
    return digits.train.images, digits.train.labels


@pytest.fixture(scope="module")
def result(pair):
    return fspinn.train(SMALL, pair, learner=Stdp(passes=1), progress=False)


def test_a_pair_of_arrays_is_trained_on_whole(digits, pair, result):
    assert result.validation is None
    assert result.model.activity["training"][0].samples == len(digits.train)
    of_data = fspinn.train(SMALL, digits, learner=Stdp(passes=1), progress=False).model
    assert of_data.layer.weights.values.tobytes() == result.model.layer.weights.values.tobytes()
    assert of_data.readout.table.tobytes() == result.model.readout.table.tobytes()
    of_split = fspinn.train(SMALL, digits.train, learner=Stdp(passes=1), progress=False).model
    assert of_split.layer.weights.values.tobytes() == result.model.layer.weights.values.tobytes()


def test_labels_of_a_pair_may_be_names(digits, pair, result):
    words = np.array(["even", "odd"])[digits.train.labels % 2]
    named = fspinn.train(SMALL, (digits.train.images, words), learner=Stdp(passes=1), progress=False)
    assert named.model.class_names == ("even", "odd")
    assert named.model.layer.weights.values.tobytes() == result.model.layer.weights.values.tobytes()
    measured = fspinn.evaluate(named, (digits.test.images, np.array(["even", "odd"])[digits.test.labels % 2]))
    assert measured.accuracy > 0.5


def test_an_unnamed_split_has_the_classes_that_occur(digits):
    labels = np.where(digits.train.labels % 2, 100, 200)
    data = as_dataset(Split(digits.train.images, labels))
    assert data.class_names == ("100", "200")
    assert data.train.labels.tolist() == (1 - digits.train.labels % 2).tolist()
    assert (len(data.validation), len(data.test)) == (0, 0)
    assert as_dataset(digits) is digits
    assert as_split(digits.test) is digits.test


def test_the_arrays_of_a_model_cannot_be_loaded_again(result):
    with pytest.raises(
        ConfigError, match=r"^dataset: the model was trained on arrays in memory; name the data set to use$"
    ):
        load_data_of(result)


def test_a_split_or_pair_is_predicted_as_it_is_evaluated(digits, result):
    expected = fspinn.predict(result.model, digits.test.images)
    for images in (digits.test, (digits.test.images, digits.test.labels)):
        np.testing.assert_array_equal(fspinn.predict(result, images).scores, expected.scores)
    measured = fspinn.evaluate(result, digits.test)
    np.testing.assert_array_equal(measured.predictions, expected.classes)


def test_two_images_in_a_tuple_are_two_images(digits, result):
    first, second = digits.test.images[:2]
    answer = fspinn.predict(result, (first, second))
    np.testing.assert_array_equal(answer.scores, fspinn.predict(result, digits.test.images[:2]).scores)


# --- a result is accepted wherever a model is -------------------------------------------------------


def test_a_result_stands_for_its_model(digits, result, tmp_path):
    model, few = result.model, digits.validation.first(20)
    fspinn.save(result, tmp_path / "net.h5")
    assert (
        fspinn.load(tmp_path / "net.h5").layer.weights.values.tobytes()
        == model.layer.weights.values.tobytes()
    )
    assert Size.of(result) == Size.of(model)
    assert estimate(result).memory == estimate(model).memory
    assert fspinn.evaluate(result, few).accuracy == fspinn.evaluate(model, few).accuracy
    small = fspinn.quantize(result, "UQ0.4", state="Q9.6")
    assert (
        small.layer.weights.numbers.tobytes()
        == fspinn.quantize(model, "UQ0.4", state="Q9.6").layer.weights.numbers.tobytes()
    )
    lowered = lower(result, None, weights="UQ0.4", state="Q9.6")
    assert lowered.model.layer.weights.values.tobytes() == small.layer.weights.values.tobytes()
    export_c(lowered, tmp_path / "program", digits.test.images[:1])
    assert (tmp_path / "program" / "network.h").exists()
    data = replace(digits, validation=few)
    assert find_formats(result, data, max_loss=50).before.accuracy is not None
    spikes = fspinn.predict(result, few).spike_counts
    for figure in (
        plots.receptive_fields(result),
        plots.thresholds(result, spikes),
        plots.learning_curve(result),
        plots.spike_raster(result, few.images[0]),
    ):
        assert figure.axes


def test_nir_takes_a_result_too(result, tmp_path):
    pytest.importorskip("nir")
    export_nir(result, tmp_path / "net.nir")
    assert (tmp_path / "net.nir").exists()


@pytest.mark.parametrize(
    "work",
    [
        lambda other: fspinn.evaluate(other, (np.zeros((1, 8, 8), np.uint8), [0])),
        lambda other: fspinn.predict(other, np.zeros((1, 8, 8), np.uint8)),
        lambda other: fspinn.save(other, "net.h5"),
        lambda other: fspinn.quantize(other, "UQ0.4"),
        lambda other: lower(other, None, weights="UQ0.4"),
        lambda other: estimate(other),
        lambda other: plots.receptive_fields(other),
    ],
)
@pytest.mark.parametrize("other", ["net.h5", None, SMALL])
def test_what_holds_no_model_is_refused(work, other, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = rf"^model: {type(other).__name__} holds no model; give one that fspinn.load or fspinn.train"
    with pytest.raises(ConfigError, match=words):
        work(other)
    assert list(tmp_path.iterdir()) == []


# --- what is refused --------------------------------------------------------------------------------


def test_images_without_labels_cannot_be_evaluated(digits, result):
    words = r"^split: ndarray is not labelled images; give a split such as data.test, or a pair \(images, "
    with pytest.raises(DataError, match=words):
        fspinn.evaluate(result, digits.test.images)
    with pytest.raises(DataError, match=words):
        fspinn.evaluate(result, digits.test.images[:2])


def test_a_whole_data_set_is_not_a_split(digits, result):
    for work in (fspinn.evaluate, fspinn.predict):
        with pytest.raises(
            DataError, match=r"^split: a data set has three; give one of them, such as data.test"
        ):
            work(result, digits)


@pytest.mark.parametrize("other", ["digits", None, np.zeros((2, 8, 8), np.uint8)])
@pytest.mark.parametrize("work", [fspinn.train, fspinn.tune])
def test_what_is_not_a_data_set_is_refused(work, other):
    words = (
        rf"^data: {type(other).__name__} is not a data set; give one that fspinn.datasets.load returns, or"
    )
    with pytest.raises(DataError, match=words):
        work(SMALL, other)


def test_what_needs_validation_images_says_so(result, pair):
    with pytest.raises(
        ConfigError, match=r"^validation: tuning needs validation images to choose on; hold some"
    ):
        fspinn.tune(SMALL, pair)
    with pytest.raises(
        ConfigError, match=r"^validation: formats are chosen on validation images; hold some out"
    ):
        find_formats(result, pair)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (np.ones((2, 8, 8)) * 9, [0, 1], "images: floats from 9 to 9 are not from 0 to 1; scale them"),
        (np.zeros((2, 8, 8), np.uint8), [0.0, 1.0], "labels: values are float64, neither integers nor names"),
        (np.zeros((2, 8, 8), np.uint8), [0], "labels: 1 labels for the 2 images of images"),
        (np.zeros((2, 64), np.uint8), [0, 1], r"images: shape \(2, 64\) is not"),
        (np.zeros((2, 8, 8), np.uint8), np.eye(2, dtype=int), r"labels: shape \(2, 2\) is not \(n,\)"),
    ],
)
def test_bad_arrays_are_told(result, images, labels, words):
    for work in (
        lambda: fspinn.evaluate(result, (images, labels)),
        lambda: fspinn.train(SMALL, (images, labels)),
    ):
        with pytest.raises(DataError, match=f"^{words}"):
            work()


def test_training_data_of_one_class_only_are_refused(digits, result):
    one = replace(digits, train=digits.train.part(digits.train.labels == 3))
    words = r"^digits: all \d+ training samples are of class '3'; give samples of at least two classes$"
    for work in (
        lambda: fspinn.train(SMALL, one, progress=False),
        lambda: fspinn.find_smallest(one, accuracy=0.5),
        lambda: fspinn.quantize(result, weights="UQ0.4", data=one),
        lambda: lower(result, one, weights="UQ0.4"),
        lambda: find_formats(result, one),
    ):
        with pytest.raises(DataError, match=words):
            work()
