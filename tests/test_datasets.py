"""Data sets by name: what they hold and how they are split."""

import gzip
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import published_images
import pytest
from published_images import skip_without

from fspinn import datasets
from fspinn.base.errors import DataError
from fspinn.datasets import storage


@pytest.fixture(autouse=True)
def nothing_from_this_machine(monkeypatch, tmp_path):
    monkeypatch.delenv("FSPINN_DATA_DIR", raising=False)
    monkeypatch.setattr(storage, "cache_folder", lambda: tmp_path / "cache")


def write_idx(path, array):
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    content = header + array.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_mnist_like(folder, train=12, test=3, suffix=".gz", size=4):
    for name, count in (("train", train), ("t10k", test)):
        write_idx(folder / f"{name}-images-idx3-ubyte{suffix}", np.full((count, size, size), count))
        write_idx(folder / f"{name}-labels-idx1-ubyte{suffix}", np.arange(count) % 3)


def test_the_digits_are_embedded():
    data = datasets.load()
    assert data.name == "digits"
    assert (len(data.train), len(data.validation), len(data.test)) == (1199, 239, 359)
    assert data.image_shape == (8, 8)
    assert data.n_classes == 10
    assert data.class_names == tuple("0123456789")
    for split in (data.train, data.validation, data.test):
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
        assert split.images.flags.c_contiguous
        assert split.images.flags.writeable
        assert set(split.labels) == set(range(10))
    assert set(np.unique(data.train.images)) == {round(value * 255 / 16) for value in range(17)}


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    first, again, other = (datasets.load(seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.validation.images, again.validation.images)
    assert not np.array_equal(first.validation.images, other.validation.images)
    assert first.seed == 3


def test_test_images_and_checksum_depend_on_no_seed_and_no_split():
    first, other = datasets.load(seed=1), datasets.load(seed=2, validation=7)
    np.testing.assert_array_equal(first.test.images, other.test.images)
    assert first.checksum == other.checksum
    assert len(first.checksum) == 64


def test_every_image_is_in_exactly_one_split():
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    everything = np.rint(sklearn_datasets.load_digits().images * 255 / 16).astype(np.uint8)
    data = datasets.load(seed=5)
    together = np.concatenate([data.train.images, data.validation.images, data.test.images])
    assert sorted(image.tobytes() for image in together) == sorted(image.tobytes() for image in everything)


def test_training_images_keep_their_order(tmp_path):
    images = np.arange(20, dtype=np.uint8).reshape(20, 1, 1)
    labels = np.arange(20) // 10
    np.savez(tmp_path / "d.npz", images=images, labels=labels, test_images=images, test_labels=labels)
    data = datasets.load(tmp_path / "d.npz", validation=8)
    train, validation = (part.images[:, 0, 0] for part in (data.train, data.validation))
    assert np.all(np.diff(train.astype(int)) > 0)
    assert np.all(np.diff(validation.astype(int)) > 0)
    np.testing.assert_array_equal(train // 10, data.train.labels)
    assert set(train) | set(validation) == set(range(20))


def test_validation_may_be_empty_or_nearly_all():
    assert len(datasets.load(validation=0).validation) == 0
    assert datasets.load(validation=0).validation.images.shape == (0, 8, 8)
    assert len(datasets.load(validation=1338).train) == 100


def test_validation_must_leave_something_to_train_on():
    with pytest.raises(
        DataError, match=r"digits: holding out 1438 .* nothing to train on; give a number below 1438"
    ):
        datasets.load(validation=1438)


@pytest.mark.parametrize("validation", [-1, 0.2, True])
def test_validation_is_a_number_of_images(validation):
    with pytest.raises(DataError, match="not a number of images; give an integer of 0 or more"):
        datasets.load(validation=validation)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (np.zeros((2, 3), np.uint8), np.zeros(2, np.int64), "Split.images: uint8 of shape"),
        (np.zeros((2, 3, 3)), np.zeros(2, np.int64), "Split.images: float64"),
        (np.zeros((2, 3, 3), np.uint8), np.zeros(3, np.int64), "Split.labels: int64 of shape"),
        (np.zeros((2, 3, 3), np.uint8), np.zeros(2), "Split.labels: float64"),
    ],
)
def test_a_split_checks_itself(images, labels, words):
    with pytest.raises(DataError, match=words):
        datasets.Split(images, labels)


def test_an_unknown_name_is_answered_with_what_was_meant_and_what_there_is():
    with pytest.raises(DataError, match=r"'mnits': neither .* did you mean mnist") as caught:
        datasets.load("mnits")
    assert all(name in str(caught.value) for name in datasets.names())
    assert "the path of your own" in str(caught.value)
    with pytest.raises(DataError, match="did you mean fashion-mnist"):
        datasets.load("Fashion_MNIST")


@pytest.mark.parametrize("name", ["", "no/such/file.npz", "x" * 5000, "~nobody-of-this-name/x", "a\0b"])
def test_what_is_neither_a_name_nor_a_file_is_refused(name):
    with pytest.raises(DataError, match="neither a data set nor an existing file"):
        datasets.load(name)


def test_mnist_is_mnist():
    skip_without("mnist")
    data = datasets.load("mnist", data_dir=published_images.FOLDER)
    assert (len(data.train), len(data.validation), len(data.test)) == (50000, 10000, 10000)
    assert data.image_shape == (28, 28)
    assert data.n_classes == 10
    np.testing.assert_array_equal(data.test.labels[:10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    counts = np.bincount(data.train.labels) + np.bincount(data.validation.labels)
    np.testing.assert_array_equal(counts, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    pixels = int(data.train.images.sum()) + int(data.validation.images.sum())
    assert pixels / (60000 * 784 * 255) == pytest.approx(0.1307, abs=5e-5)


def test_fashion_mnist_has_six_thousand_training_images_per_class():
    skip_without("fashion-mnist")
    data = datasets.load("fashion-mnist", data_dir=published_images.FOLDER, validation=0)
    assert data.image_shape == (28, 28)
    np.testing.assert_array_equal(np.bincount(data.train.labels), [6000] * 10)
    np.testing.assert_array_equal(np.bincount(data.test.labels), [1000] * 10)
    assert data.class_names[9] == "ankle boot"


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_a_data_dir_holds_a_folder_per_data_set(tmp_path, suffix):
    write_mnist_like(tmp_path / "kmnist", suffix=suffix)
    data = datasets.load("kmnist", data_dir=tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (10, 2, 3)
    assert data.class_names == ("o", "ki", "su")  # of the ten those that occur
    assert datasets.locate("kmnist", tmp_path) == tmp_path / "kmnist"


def test_more_classes_than_names_are_numbered(tmp_path):
    write_mnist_like(tmp_path / "kmnist")
    write_idx(tmp_path / "kmnist" / "train-labels-idx1-ubyte.gz", np.arange(12))
    data = datasets.load("kmnist", data_dir=tmp_path, validation=0)
    assert data.n_classes == 12
    assert data.class_names[11] == "11"


def test_a_data_dir_without_the_data_set_is_an_error_and_nothing_is_downloaded(tmp_path):
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz: no such file.*fspinn data fetch mnist"):
        datasets.load("mnist", data_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_data_dir_that_lacks_one_file_names_it(tmp_path):
    write_mnist_like(tmp_path / "mnist")
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"mnist.t10k-labels-idx1-ubyte.gz: no such file"):
        datasets.load("mnist", data_dir=tmp_path)
    assert datasets.locate("mnist", tmp_path) is None


def test_a_data_dir_that_is_the_folder_of_the_data_set_itself_is_told(tmp_path):
    write_mnist_like(tmp_path / "mnist")
    with pytest.raises(DataError, match="give the folder above that one"):
        datasets.load("mnist", data_dir=tmp_path / "mnist")
    write_mnist_like(tmp_path / "loose")
    with pytest.raises(DataError, match="move the files into the folder mnist in there"):
        datasets.load("mnist", data_dir=tmp_path / "loose")


def test_the_environment_names_a_data_dir(tmp_path, monkeypatch):
    write_mnist_like(tmp_path / "mnist")
    monkeypatch.setenv("FSPINN_DATA_DIR", str(tmp_path))
    assert len(datasets.load("mnist").test) == 3
    assert datasets.locate("mnist") == tmp_path / "mnist"
    assert datasets.fetch("mnist") == tmp_path / "mnist"


def test_a_half_filled_folder_of_the_environment_is_an_error(tmp_path, monkeypatch):
    write_mnist_like(tmp_path / "mnist")
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").unlink()
    monkeypatch.setenv("FSPINN_DATA_DIR", str(tmp_path))
    with pytest.raises(
        DataError, match=r"train-images-idx3-ubyte.gz: no such file.*leave \$FSPINN_DATA_DIR out"
    ):
        datasets.load("mnist")


def test_counts_and_sizes_must_fit_in_a_data_dir_too(tmp_path):
    write_mnist_like(tmp_path / "mnist")
    write_idx(tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz", np.zeros(4))
    with pytest.raises(
        DataError, match=r"t10k-labels-idx1-ubyte.gz: 4 labels for the 3 images of .*t10k-images"
    ):
        datasets.load("mnist", data_dir=tmp_path)
    write_idx(tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz", np.zeros(3))
    write_idx(tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz", np.zeros((3, 5, 4)))
    with pytest.raises(DataError, match="mnist: test images are 5x4 pixels, training images 4x4"):
        datasets.load("mnist", data_dir=tmp_path)


def test_digits_lie_nowhere_and_need_no_fetching(tmp_path):
    assert datasets.locate("digits") is None
    assert datasets.fetch("digits", tmp_path) is None


def test_importing_is_quick_and_pulls_in_nothing_heavy():
    code = "import sys, fspinn.datasets; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pooch", "requests", "sklearn", "PIL", "numba", "brian2", "fspinn.cli"} & set(loaded)


def test_it_is_not_importable_as_top_level_datasets():
    folder = Path(datasets.__file__).resolve().parent
    code = f"import sys; sys.path.insert(0, {str(folder.parent)!r}); import datasets"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if folder.name == "datasets" and folder.parent.name != "fspinn":
        assert "is fspinn.datasets, not the package 'datasets'" in result.stderr
