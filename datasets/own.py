"""How are a user's own images read?"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.datasets.catalogue import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from fspinn.datasets.dataset import Split, checked_split
from fspinn.datasets.idx import read_idx
from fspinn.datasets.pngs import read_png_folder
from fspinn.datasets.storage import existing_file


def read_own(path: Path) -> tuple[Split, Split | None]:
    """Return training images and test images (or None) of a file or folder.

    Raises
    ------
    DataError
        If it holds no images in a known form, or they are damaged or do not fit together.
    """
    if path.is_dir():
        if any(existing_file(path, name) for name in (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)):
            return read_idx_folder(path)
        return _read_png_folder(path)
    if path.suffix.lower() == ".npz":
        return _read_npz(path)
    return _read_idx_pair(path), None


def read_idx_folder(folder: Path) -> tuple[Split, Split | None]:
    """Read the IDX files of a folder under the names of MNIST; those of the test set may be absent."""
    train = _read_pair(folder, TRAIN_IMAGES, TRAIN_LABELS)
    if existing_file(folder, TEST_IMAGES) is None and existing_file(folder, TEST_LABELS) is None:
        return train, None
    return train, _read_pair(folder, TEST_IMAGES, TEST_LABELS)


def _read_pair(folder: Path, images_name: str, labels_name: str) -> Split:
    paths = []
    for name in (images_name, labels_name):
        path = existing_file(folder, name)
        if path is None:
            raise DataError(f"{folder / name}: no such file; put it beside the others, with .gz or without")
        paths.append(path)
    images, labels = paths
    return checked_split(read_idx(images, 3), read_idx(labels, 1), str(images), str(labels))


def _read_idx_pair(path: Path) -> Split:
    if "images" not in path.name:
        raise DataError(
            f"{path}: no form of images that fspinn knows; give an .npz file, an IDX file with 'images' in "
            "its name and its labels beside it, or a folder of PNGs per class"
        )
    images = read_idx(path, 3)
    name = path.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
    labels = existing_file(path.parent, name + ".gz")
    if labels is None:
        raise DataError(
            f"{path.parent / name}: no such file, nor with .gz; put the labels of {path.name} there"
        )
    return checked_split(images, read_idx(labels, 1), str(path), str(labels))


def _read_png_folder(folder: Path) -> tuple[Split, Split | None]:
    try:
        return read_png_folder(folder)
    except OSError as error:
        raise DataError(f"{error.filename or folder}: {error.strerror or error}; make it readable") from None


def _read_npz(path: Path) -> tuple[Split, Split | None]:
    arrays = npz_arrays(path)
    for name in ("images", "labels"):
        if name not in arrays:
            raise DataError(
                f"{path}: holds no array {name!r} (it holds {', '.join(arrays) or 'nothing'}); save it with "
                "numpy.savez(file, images=..., labels=...)"
            )
    if ("test_images" in arrays) != ("test_labels" in arrays):
        raise DataError(f"{path}: only one of 'test_images' and 'test_labels' is there; save both or neither")
    train, *test = (
        checked_split(arrays[images], arrays[labels], f"{path}: {images}", f"{path}: {labels}")
        for images, labels in (("images", "labels"), ("test_images", "test_labels"))
        if images in arrays
    )
    return train, test[0] if test else None


def npz_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file by name; those of names that mean nothing here are not read."""
    known = ("images", "labels", "test_images", "test_labels")
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("a single array")
        with file:
            return {name: file[name] if name in known else np.empty(0) for name in file.files}
    except Exception as error:  # zip, deflate and array headers break in a dozen ways, each of its own class
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{path}: cannot be read as .npz ({reason}); save it again with numpy.savez, numbers only"
        ) from None
