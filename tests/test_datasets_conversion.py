"""Images in other types of numbers become 8 bits, and a line says how."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fspinn import datasets
from fspinn.base.errors import DataError, FspinnWarning
from fspinn.datasets.arrays import as_split

LABELS = np.arange(10) % 2


def loaded(tmp_path, **given):
    np.savez(tmp_path / "own.npz", **given)
    return datasets.load(tmp_path / "own.npz", validation=0)


@pytest.mark.parametrize(
    ("values", "pixels", "words"),
    [
        (np.array([0.0, 0.5, 1.0]), [0, 128, 255], "floats from 0 to 1 became 0 to 255"),
        (np.array([0, 0.25, 1], np.float16), [0, 64, 255], "floats from 0 to 1 became"),
        (np.array([False, True, True]), [0, 255, 255], "false became 0 and true 255"),
        (
            np.array([0, 32768, 65535], np.uint16),
            [0, 128, 255],
            r"16 bits became 8: 65535 is 255 \(the largest value here is 65535\)",
        ),
    ],
)
def test_they_are_converted_and_it_is_said(tmp_path, values, pixels, words):
    images = np.broadcast_to(values, (10, 2, 3))
    with pytest.warns(FspinnWarning, match=rf"own.npz: images: {words}"):
        data = loaded(tmp_path, images=images, labels=LABELS)
    assert data.train.images.dtype == np.uint8
    assert data.train.images[0, 0].tolist() == pixels


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.full((10, 2, 3), np.nan), "images: image 0 holds NaN or infinity; leave it out, or fill the gap"),
        (np.full((10, 2, 3), np.inf), "images: image 0 holds NaN or infinity; leave"),
        (np.full((10, 2, 3), -0.1), "images: floats from -0.1 to -0.1 are not from 0 to 1"),
        (np.full((10, 2, 3), 255, np.uint16), "images: values are uint16 up to 255, which 8 bits hold; save"),
        (np.zeros((10, 2, 3), complex), "images: values are complex128, not uint8"),
    ],
)
def test_what_cannot_be_converted_is_refused(tmp_path, images, words):
    with pytest.raises(DataError) as caught:
        loaded(tmp_path, images=images, labels=LABELS)
    assert words in str(caught.value)


def test_one_channel_is_grey(tmp_path):
    assert loaded(tmp_path, images=np.ones((10, 2, 3, 1), np.uint8), labels=LABELS).image_shape == (2, 3)


@given(images=arrays.arrays(np.float32, (10, 2, 2), elements=st.floats(0, 1, width=32)))
@settings(max_examples=50, deadline=None, database=None)
def test_floats_are_rounded_to_the_nearest(images):
    with pytest.warns(FspinnWarning):
        split = as_split((images, LABELS))
    assert np.abs(split.images / 255 - images).max() <= 0.5 / 255 + 1e-6


def test_labels_are_names_or_any_whole_numbers(tmp_path):
    images = np.arange(40, dtype=np.uint8).reshape(10, 2, 2)
    labels = np.array([-7, 10**12, 3, 10**12, -7, 10**12, 3, 3, -7, 10**12])
    data = loaded(tmp_path, images=images, labels=labels)
    assert set(data.class_names) == {"-7", "3", str(10**12)}
    assert np.array(data.class_names)[data.train.labels].tolist() == [
        str(labels[image[0, 0] // 4]) for image in data.train.images
    ]


def test_numbers_are_places_among_names_of_classes(tmp_path):
    images, names = np.arange(40, dtype=np.uint8).reshape(10, 2, 2), np.array(["cat", "dog", "cow"])
    for key in ("class_names", "classes"):
        data = loaded(tmp_path, images=images, labels=2 * LABELS, **{key: names})
        assert data.class_names == ("cat", "cow")
    for labels, given_names, words in (
        (LABELS + 2, names, "labels: label 3 is not from 0 to 2, a place among the 3 names of classes; give"),
        (LABELS - 1, names, "labels: label -1 is not from 0 to 2, a place among the 3 names"),
        (LABELS, np.array(["a", "a"]), "labels: two classes have the same name; give each"),
        (LABELS, np.array([[1, 2]]), "class_names: int64 of shape (1, 2); give names, str of shape (n,)"),
    ):
        with pytest.raises(DataError) as caught:
            loaded(tmp_path, images=images, labels=labels, class_names=given_names)
        assert words in str(caught.value)


@pytest.mark.parametrize("pattern", ["{}_images", "images_{}", "x_{}", "{}_x"])
def test_arrays_may_be_called_in_the_usual_ways(tmp_path, pattern):
    images = np.arange(40, dtype=np.uint8).reshape(10, 2, 2)
    name = {"images": "labels", "x": "y"}["images" if "images" in pattern else "x"]
    other = pattern.replace("images", name) if "images" in pattern else pattern.replace("x", name)
    given = {pattern.format(part): images for part in ("train", "test")}
    given |= {other.format(part): LABELS for part in ("train", "test")}
    data = loaded(tmp_path, **given)
    assert (len(data.train), len(data.test)) == (10, 10)


def test_an_enormous_array_is_never_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("fspinn.datasets.npz._LARGEST_BYTES", 100)
    with pytest.raises(DataError, match=r"cannot be read as .npz \(it unpacks to .* bytes, more than 100\)"):
        loaded(tmp_path, images=np.zeros((10, 2, 3), np.uint8), labels=LABELS)
