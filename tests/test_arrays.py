"""Arrays, splits and results in Python: they just work, or one line says what to give."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from described import dense
from sklearn.datasets import load_digits

import fspinn
from fspinn import datasets, plots
from fspinn.answering.compress import lower
from fspinn.answering.evaluate import load_data_of
from fspinn.backends.c import export_c
from fspinn.backends.nir import export_nir
from fspinn.base.errors import ConfigError, DataError, FspinnWarning
from fspinn.datasets import Dataset, Scale, Split
from fspinn.datasets.arrays import as_dataset, as_split
from fspinn.datasets.origin import load_again, origin
from fspinn.memmodel import Size, estimate
from fspinn.model import readout
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


def test_a_folder_that_is_gone_is_named_as_what_a_model_was_trained_on(digits):
    of_a_folder = {**origin(digits), "name": "gone/pictures"}
    with pytest.raises(
        ConfigError, match=r"trained on 'gone/pictures', which is not here; bring it back, or n"
    ):
        load_again(of_a_folder)


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
    words = rf"^data: {type(other).__name__} is not a data set; give one that fspinn.datasets.load or D"
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
        (np.zeros((2, 8, 8), np.uint8), [0.5, 1.0], "labels: values are float64, neither integers nor names"),
        (np.zeros((2, 8, 8), np.uint8), [0], "labels: 1 labels for the 2 images of images"),
        (np.zeros((2, 65), np.uint8), [0, 1], r"images: shape \(2, 65\) is not"),
        (np.zeros((2, 8, 8), np.uint8), np.eye(2, dtype=int), r"labels: shape \(2, 2\) is not \(n,\)"),
    ],
)
def test_bad_arrays_are_told(result, images, labels, words):
    for work in (
        lambda: fspinn.evaluate(result, (images, labels)),
        lambda: fspinn.train(SMALL, (images, labels)),
        lambda: fspinn.find_smallest((images, labels)),
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


# --- Dataset.from_arrays ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def arrays():
    """The digits as NumPy users have them: flat rows of floats from 0 to 1, and names."""
    X, y = load_digits(return_X_y=True)
    return X / 16, np.array([f"digit {number}" for number in y], dtype=object)


def from_arrays(X, y, **how):
    """A data set of arrays, without the lines that say how floats became pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FspinnWarning)
        return Dataset.from_arrays(X, y, **how)


def test_arrays_are_split_as_files_are(digits, arrays):
    X, y = arrays
    data = from_arrays(X, y, shape=(8, 8))
    for part in ("train", "validation", "test"):
        ours, theirs = getattr(data, part), getattr(digits, part)
        assert (ours.images == theirs.images).all()
        assert (ours.labels == theirs.labels).all()
    assert data.class_names == tuple(f"digit {number}" for number in range(10))
    of_bytes = Dataset.from_arrays(np.rint(255 * X).astype(np.uint8).reshape(-1, 8, 8), y)
    assert of_bytes.checksum == data.checksum


def test_a_test_set_and_the_number_to_hold_out_can_be_given(arrays):
    X, y = arrays
    data = from_arrays(X[:300], y[:300], test=(X[300:400], y[300:400]), shape=(8, 8), validation=40, seed=3)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [260, 40, 100]
    np.testing.assert_array_equal(data.test.images, np.rint(255 * X[300:400]).reshape(-1, 8, 8))
    other = from_arrays(X[:300], y[:300], test=(X[300:400], y[300:400]), shape=(8, 8), validation=40)
    assert not np.array_equal(other.validation.images, data.validation.images)


def test_floats_become_bytes_and_it_is_said(arrays):
    X, y = arrays
    with pytest.warns(FspinnWarning, match="^X: floats from 0 to 1 became 0 to 255$"):
        Dataset.from_arrays(X, y, shape=(8, 8))


def test_samples_of_height_1_are_signals():
    signals, labels = np.random.default_rng(0).normal(3, 9, (60, 20)), np.arange(60) % 2
    data = Dataset.from_arrays(signals, labels, shape=(1, 20))
    assert data.image_shape == (1, 20)
    assert data.scale == Scale.fitted(signals[_rows_of(data, signals)], "signals")
    stereo = Dataset.from_arrays(signals, labels, shape=(1, 10, 2))
    assert stereo.image_shape == (1, 10, 2)


def _rows_of(data, signals):
    """Which signals are for training: those whose image is there."""
    images = {image.tobytes() for image in data.train.images}
    return [image.tobytes() in images for image in data.scale.applied(signals)]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([2, 1] * 5, ("1", "2")),
        ([2.0, 1.0] * 5, ("1", "2")),
        ([True, False] * 5, ("False", "True")),
        (["b", "a"] * 5, ("a", "b")),
        (np.array(["b", "a"] * 5, object), ("a", "b")),
        (np.array([10, 9] * 5, object), ("9", "10")),
    ],
)
def test_labels_are_what_scikit_learn_takes(labels, names):
    data = Dataset.from_arrays(np.zeros((10, 2, 2), np.uint8), labels, validation=0)
    assert data.class_names == names


def test_everything_takes_a_data_set_of_arrays(arrays):
    X, y = arrays
    data = from_arrays(X[:400], y[:400], test=(X[400:500], y[400:500]), shape=(8, 8), validation=100)
    network = fspinn.Network.patches(neurons=4, field=3, cells=2)
    once = Stdp(passes=1)
    result = fspinn.train(network, data, learner=once, progress=False)
    small = fspinn.quantize(result, weights="UQ0.3", data=data)
    assert fspinn.evaluate(small, data.test).samples == 100
    assert fspinn.tune(network, data, learner=once, trials=1, progress=False).best.accuracy > 0.3
    swept = fspinn.sweep(network, data, {"threshold": [2.0]}, learner=once, progress=False)
    assert swept.points[0].accuracy is not None
    found = find_formats(result, data, max_loss=50)
    assert found.before.accuracy is not None
    searched = fspinn.find_smallest(
        data, accuracy=0.3, confidence=0.5, network=network, learner=once, sizes=[4], weights=["UQ0.3"],
        readouts=["proportion"], seeds=1, progress=False,
    )  # fmt: skip
    assert searched.found


@pytest.mark.parametrize("elsewhere", [{"workers": 2}, {"scheduler": "tcp://127.0.0.1:1"}])
def test_arrays_are_not_sent_to_other_processes(arrays, elsewhere):
    X, y = arrays
    data = from_arrays(X, y, shape=(8, 8))
    words = "^workers: they load the images by name, which arrays in memory do not have; save them as an "
    for work in (
        lambda: fspinn.find_smallest(data, accuracy=0.5, sizes=[4], progress=False, **elsewhere),
        lambda: fspinn.sweep(SMALL, data, {"threshold": [2.0]}, progress=False, **elsewhere),
    ):
        with pytest.raises(ConfigError, match=words):
            work()


def test_flat_rows_are_answered_by_a_model_of_images(arrays):
    X, y = arrays
    data = from_arrays(X, y, shape=(8, 8))
    model = fspinn.train(SMALL, data, learner=Stdp(passes=1), progress=False).model
    flat = np.rint(255 * X[:20]).astype(np.uint8)
    expected = fspinn.predict(model, flat.reshape(-1, 8, 8)).scores
    np.testing.assert_array_equal(fspinn.predict(model, flat).scores, expected)
    np.testing.assert_array_equal(fspinn.evaluate(model, (flat, y[:20])).leads, readout.leads(expected))


ROWS, TWO = np.zeros((10, 64), np.uint8), np.arange(10) % 2


@pytest.mark.parametrize(
    ("X", "y", "how", "words"),
    [
        (ROWS, TWO, {}, r"X: rows of 64 values are images or signals; say which, with shape=\(8, 8\)"),
        (ROWS[:, :63], TWO, {}, r"X: rows of 63 values .*, with shape=\(height, width\)"),
        (ROWS, TWO, {"shape": (8, 9)}, "X: 64 values a sample are not 8 x 9; give a shape that they fill"),
        (ROWS, TWO, {"shape": (64,)}, r"shape: \(64,\) is not a shape of images; give \(height, width\) or"),
        (ROWS, TWO, {"shape": (8.0, 8)}, r"shape: \(8.0, 8\) is not a shape of images"),
        (ROWS, TWO[:9], {"shape": (8, 8)}, "y: 9 labels for the 10 images of X; give one label per image"),
        (ROWS, TWO * 0, {"shape": (8, 8)}, "arrays in memory: all 7 training samples are of class '0'"),
        (ROWS + np.nan, TWO, {"shape": (8, 8)}, "X: image 0 holds NaN or infinity; leave it out"),
        (ROWS + 16.0, TWO, {"shape": (8, 8)}, "X: floats from 16 to 16 are not from 0 to 1; scale"),
        (ROWS + np.nan, TWO, {"shape": (1, 64)}, "X: signal 0 holds NaN or infinity; leave it out, or fill"),
        (ROWS, TWO + [np.nan] * 10, {"shape": (8, 8)}, "y: label 0 is NaN or infinity; leave that"),
        (ROWS, TWO + 0.5, {"shape": (8, 8)}, "y: values are float64, neither"),
        (ROWS, np.array([None, 1] * 5), {"shape": (8, 8)}, "y: values are object, neither"),
        (ROWS, np.eye(10, dtype=int), {"shape": (8, 8)}, r"y: shape \(10, 10\) is not \(n,\)"),
        ([[1, 2], [3]], [0, 1], {"shape": (1, 2)}, "X: samples differ in size; bring them to one"),
        (ROWS, TWO, {"shape": (8, 8), "test": ROWS}, r"test: ndarray is not a pair of arrays; give"),
        (ROWS, TWO, {"shape": (8, 8), "test": (ROWS[:, :9], TWO)}, "test X: 9 values a sample are not"),
        (ROWS, TWO, {"shape": (8, 8), "test": (ROWS, TWO + 5)}, "arrays in memory: test images of class"),
        (ROWS, TWO, {"shape": (8, 8), "validation": 9}, "arrays in memory: holding out 9 valid"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_arrays_is_said_in_a_line(X, y, how, words):
    with pytest.raises(ValueError, match=f"^{words}") as caught:
        Dataset.from_arrays(X, y, **how)
    assert "\n" not in str(caught.value)
