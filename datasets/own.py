"""How are a user's own images read?"""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.datasets.dataset import Split, checked_split
from fspinn.datasets.idx import read_idx
from fspinn.datasets.storage import existing_file

_TRAIN = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
_TEST = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Offsets in the file: signature 8, length and name of the first chunk 8, width 4, height 4, depth 1.
_DEPTH_AT = 24


def read_own(path: Path) -> tuple[Split, Split | None]:
    """Return training images and test images (or None) of a file or folder.

    Raises
    ------
    DataError
        If it holds no images in a known form, or they are damaged or do not fit together.
    """
    if path.is_dir():
        if any(existing_file(path, name) for name in (*_TRAIN, *_TEST)):
            return read_idx_folder(path)
        return _read_png_folder(path)
    if path.suffix.lower() == ".npz":
        return _read_npz(path)
    return _read_idx_pair(path), None


def read_idx_folder(folder: Path) -> tuple[Split, Split | None]:
    """Read the IDX files of a folder under the names of MNIST; those of the test set may be absent."""
    tested = any(existing_file(folder, name) for name in _TEST)
    return _read_pair(folder, *_TRAIN), _read_pair(folder, *_TEST) if tested else None


def _read_pair(folder: Path, *names: str) -> Split:
    images, labels = (existing_file(folder, name) or folder / name for name in names)
    for path in (images, labels):
        if not path.exists():
            raise DataError(f"{path}: no such file; put it beside the others, with .gz or without")
    return checked_split(read_idx(images, 3), read_idx(labels, 1), str(images), str(labels))


def _read_idx_pair(path: Path) -> Split:
    if "images" not in path.name:
        raise DataError(
            f"{path}: not images in a form that fspinn knows; give an .npz file, an IDX file with 'images' "
            "in its name and its labels beside it, or a folder of PNGs per class"
        )
    images = read_idx(path, 3)
    name = path.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
    labels = existing_file(path.parent, name + ".gz")
    if labels is None:
        raise DataError(
            f"{path.parent / name}: no such file, nor with .gz; put the labels of {path.name} there"
        )
    return checked_split(images, read_idx(labels, 1), str(path), str(labels))


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
        raise DataError(
            f"{path}: cannot be read as .npz ({_reason(error)}); save it again with numpy.savez, numbers only"
        ) from None


def npy_array(path: Path) -> NDArray[Any]:
    """Return the array of an .npy file."""
    try:
        array = np.load(path, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("several arrays: an .npz file")
        return array
    except Exception as error:  # as many classes of errors as for .npz
        raise DataError(
            f"{path}: cannot be read as .npy ({_reason(error)}); save it again with numpy.save, numbers only"
        ) from None


def _read_png_folder(folder: Path) -> tuple[Split, Split | None]:
    """Read ``folder/<class>/*.png``, or ``folder/train/<class>`` and ``folder/test/<class>``."""
    train, test = folder / "train", folder / "test"
    try:
        if not (train.is_dir() and _visible_folders(train)):
            return _read_classes(folder), None
        return _read_classes(train), _read_classes(test) if test.is_dir() else None
    except OSError as error:
        raise DataError(f"{error.filename or folder}: {error.strerror or error}; make it readable") from None


def _visible_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _read_classes(folder: Path) -> Split:
    folders = _visible_folders(folder)
    if not folders:
        raise DataError(f"{folder}: holds no folders; put the PNGs of each class into a folder of its own")
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for number, class_folder in enumerate(folders):
        files = sorted(p for p in class_folder.iterdir() if p.suffix.lower() == ".png" and p.name[0] != ".")
        if not files:
            raise DataError(f"{class_folder}: holds no .png files; add some or remove the folder")
        for file in files:
            image = read_png(file)
            if images and image.shape != images[0].shape:
                raise DataError(
                    f"{file}: {image.shape[0]}x{image.shape[1]} pixels where the images before have "
                    f"{images[0].shape[0]}x{images[0].shape[1]}; bring all to one size"
                )
            images.append(image)
            labels.append(number)
    split = checked_split(np.stack(images), np.array(labels, np.int64), str(folder), str(folder))
    return replace(split, class_names=tuple(path.name for path in folders))


def read_png(path: Path) -> NDArray[np.uint8]:
    """Return a PNG in grayscale, shape (height, width); colours become grey."""
    from PIL import Image

    data = path.read_bytes()
    if len(data) <= _DEPTH_AT or not data.startswith(_SIGNATURE):
        raise DataError(f"{path}: not a PNG file; save it again as PNG")
    if b"IEND" not in data:
        # Pillow lets a file pass that ends within the checksum of its last pixels.
        raise DataError(f"{path}: truncated PNG; save or copy it again")
    if data[_DEPTH_AT] == 16:
        raise DataError(f"{path}: 16 bits per pixel; save it again with 8 bits")
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            opaque = bool(np.all(np.array(image.convert("RGBA"))[:, :, 3] == 255))
            gray = np.array(image.convert("L"), dtype=np.uint8)
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError and others for damaged files
        raise DataError(f"{path}: damaged PNG ({_reason(error)}); save it again") from None
    if not opaque:
        # What shines through is not in the file, and black ink on nothing would become all black.
        raise DataError(f"{path}: partly transparent; flatten it onto a background and save it again")
    return gray


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
