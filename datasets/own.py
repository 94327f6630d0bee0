"""How are a user's own samples read? By the form of their file or folder."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from fspinn.base.errors import DataError
from fspinn.datasets.events import Recordings
from fspinn.datasets.folders import read_class_folders
from fspinn.datasets.idx import IMAGES, read_idx
from fspinn.datasets.labelled import Labelled, labelled
from fspinn.datasets.npz import read_npz
from fspinn.datasets.reading import Reading
from fspinn.datasets.sounds import of_length
from fspinn.datasets.storage import existing_file
from fspinn.datasets.tables import read_csv, read_csv_folder

_TRAIN = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
_TEST = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
CSV = ".csv"


def read_own(path: Path, reading: Reading = Reading()) -> tuple[Labelled, Labelled | None]:
    """Return samples for training and for test (or None) of a file or folder.

    Raises
    ------
    ConfigError
        If something is asked for that does not fit this form.
    DataError
        If it holds no samples in a known form, or they are damaged or do not fit together.
    """
    train, test = _read(path, reading)
    return read_as(reading, train, path), None if test is None else read_as(reading, test, path)


def read_as(reading: Reading, read: Labelled, path: Path | str) -> Labelled:
    """Return samples of the size and kind that is asked for, with the features that are."""
    read = read.choosing(reading.features, str(path))
    if isinstance(read.samples, Recordings):
        reading.refuse(("resize", "grey", "length"), str(path), "holds recordings of events")
        return read
    if not read.signals:
        reading.refuse(("length",), str(path), "holds images, not signals")
        return replace(read, samples=reading.images(read.samples, str(path)))
    reading.refuse(("resize", "grey"), str(path), "holds signals, not images")
    if reading.length is None:
        return read
    signals = np.asarray(read.samples)
    return replace(
        read, samples=of_length(list(signals), reading.length, str(path), [str(path)] * len(signals))
    )


def is_table(path: Path) -> bool:
    """Return whether this is a CSV file, or a folder of them, whose columns are known by name only."""
    path = Path(os.path.expanduser(path))
    return (path.suffix.lower() == CSV and not path.is_dir()) or (path / "train.csv").is_file()


def read_idx_folder(folder: Path) -> tuple[Labelled, Labelled | None]:
    """Read the IDX files of a folder under the names of MNIST; those of the test set may be absent."""
    tested = any(existing_file(folder, name) for name in _TEST)
    return _read_pair(folder, *_TRAIN), _read_pair(folder, *_TEST) if tested else None


def _read(path: Path, reading: Reading) -> tuple[Labelled, Labelled | None]:
    if path.suffix.lower() == CSV and not path.is_dir():
        return read_csv(path, reading), None
    if (path / "train.csv").is_file():
        return read_csv_folder(path, reading)
    reading.refuse(("label", "shape"), str(path), "is not a CSV file")
    if path.is_dir():
        if any(existing_file(path, name) for name in (*_TRAIN, *_TEST)):
            return read_idx_folder(path)
        return read_class_folders(path, reading)
    if path.suffix.lower() == ".npz":
        return read_npz(path)
    return _read_idx_pair(path), None


def _read_pair(folder: Path, *names: str) -> Labelled:
    images, labels = (existing_file(folder, name) or folder / name for name in names)
    for path in (images, labels):
        if not path.exists():
            raise DataError(f"{path}: no such file; put it beside the others, with .gz or without")
    return labelled(read_idx(images, IMAGES), read_idx(labels, 1), str(images), str(labels))


def _read_idx_pair(path: Path) -> Labelled:
    if "images" not in path.name:
        raise DataError(
            f"{path}: not samples in a form that fspinn knows; give an .npz or .csv file, an IDX file with "
            "'images' in its name and its labels beside it, or a folder of pictures or wav files per class"
        )
    images = read_idx(path, IMAGES)
    name = path.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
    labels = existing_file(path.parent, name + ".gz")
    if labels is None:
        raise DataError(
            f"{path.parent / name}: no such file, nor with .gz; put the labels of {path.name} there"
        )
    return labelled(images, read_idx(labels, 1), str(path), str(labels))
