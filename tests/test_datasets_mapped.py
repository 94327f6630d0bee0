"""Images larger than memory: the same data set, read in pieces from a plain IDX file."""

import struct
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from described import dense

from fspinn import datasets
from fspinn.base.errors import DataError
from fspinn.datasets import MappedImages, in_pieces
from fspinn.learning.training import train
from fspinn.network.rules import Stdp

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 5, 4), dtype=np.uint8)
LABELS = np.arange(60, dtype=np.uint8) % 3


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "own-images.idx3-ubyte"
    path.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, *IMAGES.shape) + IMAGES.tobytes())
    (tmp_path / "own-labels.idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 60) + LABELS.tobytes())
    return path


@pytest.fixture
def mapped(path, monkeypatch):
    """Return the data set as if it were large."""
    monkeypatch.setattr("fspinn.datasets.idx._MAPPED_FROM_BYTES", 1)
    return datasets.load(path, seed=3)


def test_a_large_file_is_the_same_data_set(path, mapped):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("fspinn.datasets.idx._MAPPED_FROM_BYTES", 1 << 27)
        read = datasets.load(path, seed=3)
    assert mapped.checksum == read.checksum
    assert mapped.image_shape == read.image_shape
    for ours, theirs in ((mapped.train, read.train), (mapped.validation, read.validation)):
        assert isinstance(ours.images, MappedImages)
        assert isinstance(theirs.images, np.ndarray)
        assert (ours.images.shape, ours.images.size) == (theirs.images.shape, theirs.images.size)
        np.testing.assert_array_equal(ours.images[:], theirs.images)
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        some = np.array([5, 0, 3])
        np.testing.assert_array_equal(ours.images[some], theirs.images[some])
        np.testing.assert_array_equal(ours.first(4).images[:], theirs.images[:4])
    assert mapped.train.images[:2].flags.writeable


def test_a_network_learns_the_same_from_it(path, mapped, monkeypatch):
    monkeypatch.setattr("fspinn.datasets.mapped._PIECE_BYTES", 100)
    network = dense(neurons=4, duration_ms=50.0)
    read = {
        name: datasets.Split(split.images[:], split.labels)
        for name, split in (("train", mapped.train), ("validation", mapped.validation))
    }
    one, other = (
        train(network, mapped, learner=Stdp(passes=2)),
        train(network, replace(mapped, **read), learner=Stdp(passes=2)),
    )
    assert one.model.layer.weights.values.tobytes() == other.model.layer.weights.values.tobytes()
    assert one.model.readout.table.tobytes() == other.model.readout.table.tobytes()
    assert one.model.activity == other.model.activity
    np.testing.assert_array_equal(one.validation.predictions, other.validation.predictions)


def test_a_large_file_may_be_in_colour(tmp_path, monkeypatch):
    monkeypatch.setattr("fspinn.datasets.idx._MAPPED_FROM_BYTES", 1)
    colours = np.stack([IMAGES, 255 - IMAGES], axis=-1)
    content = struct.pack(">4B4I", 0, 0, 8, 4, *colours.shape) + colours.tobytes()
    (tmp_path / "own-images.idx4-ubyte").write_bytes(content)
    labels = struct.pack(">4BI", 0, 0, 8, 1, 60) + LABELS.tobytes()
    (tmp_path / "own-labels.idx4-ubyte").write_bytes(labels)
    data = datasets.load(tmp_path / "own-images.idx4-ubyte")
    assert isinstance(data.train.images, MappedImages)
    assert (data.image_shape, data.train.images.ndim) == ((5, 4, 2), 4)
    smaller = datasets.load(tmp_path / "own-images.idx4-ubyte", reading=datasets.Reading(resize=(2, 2)))
    assert smaller.train.images.shape == (len(data.train), 2, 2, 2)


def test_pieces_are_all_images_in_their_order(mapped, monkeypatch):
    monkeypatch.setattr("fspinn.datasets.mapped._PIECE_BYTES", 7 * 20)
    pieces = list(in_pieces(mapped.train.images))
    assert {len(piece) for piece in pieces[:-1]} == {7}
    np.testing.assert_array_equal(np.concatenate(pieces), mapped.train.images[:])
    assert [len(piece) for piece in in_pieces(IMAGES)] == [60]
    assert list(in_pieces(mapped.train.first(0).images)) == []


@pytest.mark.parametrize("harm", ["removed", "cut"])
def test_a_file_that_goes_away_is_told(path, mapped, harm):
    if harm == "removed":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(
        DataError, match=r"own-images\.idx3-ubyte: was removed or cut while it was in use; bring it back"
    ):
        mapped.train.images[:3]


def test_a_large_file_that_was_cut_is_refused(path, monkeypatch):
    monkeypatch.setattr("fspinn.datasets.idx._MAPPED_FROM_BYTES", 1)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"truncated, 1199 of the 1200 values"):
        datasets.load(path)


TRAIN_AND_MEASURE = """
import resource, sys
from fspinn.cli import main

def peak_mib():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)

def train(*arguments):
    try:
        main(["train", "--neurons", "5", "--set", "duration_ms=20", "--threads", "1", *arguments])
    except SystemExit as stop:
        assert not stop.code

train("-o", "digits.h5")
before = peak_mib()
train("--dataset", "large-images", "--samples", "300", "--validation", "100", "-o", "large.h5")
print(peak_mib() - before)
"""


def test_training_needs_much_less_memory_than_the_file_is_large(tmp_path):
    """400 MiB on disk, nearly all of them a hole: black images."""
    count = 400 * 2**20 // 784
    random = np.random.default_rng(0)
    with open(tmp_path / "large-images", "wb") as file:
        file.write(struct.pack(">4B3I", 0, 0, 8, 3, count, 28, 28))
        file.write(random.integers(0, 256, 500 * 784, dtype=np.uint8).tobytes())
        file.truncate(16 + count * 784)
    labels = np.arange(count, dtype=np.uint8) % 10
    (tmp_path / "large-labels").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, count) + labels.tobytes())
    done = subprocess.run(
        [sys.executable, "-c", TRAIN_AND_MEASURE], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.splitlines()[-1]) < 160
