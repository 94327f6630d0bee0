"""What is a data set? Images, labels, and the three splits that a seed makes of them."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.datasets.mapped import Images, MappedImages, in_pieces, part_of
from fspinn.errors import DataError
from fspinn.randomness import TEST_SPLIT, VALIDATION_SPLIT, permutation, stream_key

# Data sets of images have a few to a few hundred classes. A larger label is nearly always something else
# (an identifier, a pixel value of a wrong column), and every class costs memory in each readout.
MOST_CLASSES = 1000


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels.

    Parameters
    ----------
    images : ndarray of uint8 or MappedImages, shape (n, height, width)
        Pixel intensities, 0 to 255.
    labels : ndarray of int64, shape (n,)
        Class of each image, counted from 0.

    Raises
    ------
    DataError
        If the shapes or types are others, or there are more images than labels or fewer.
    """

    images: Images
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 3:
            raise DataError(
                f"Split.images: {self.images.dtype} of shape {self.images.shape}; "
                "make it uint8 of shape (n, height, width)"
            )
        if self.labels.dtype != np.int64 or self.labels.shape != self.images.shape[:1]:
            raise DataError(
                f"Split.labels: {self.labels.dtype} of shape {self.labels.shape}; "
                f"make it int64 of shape {self.images.shape[:1]}, one label per image"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> "Split":
        """Return the first `count` images and their labels; all, if there are fewer."""
        return self.part(slice(count))

    def part(self, which: "slice | NDArray[np.bool_]") -> "Split":
        """Return the images that a slice or an array of shape (n,) chooses, and their labels."""
        return Split(part_of(self.images, which), self.labels[which])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels for training, validation and test.

    Parameters
    ----------
    name : str
        Name of a built-in data set or path of a user's own, as it was given.
    train, validation, test : Split
        What to learn from, what to choose by, what to report. Test depends on no seed.
    n_classes : int
        Largest label + 1, or the number of named classes where that is larger.
    class_names : tuple of str, length n_classes
        What a person calls the classes.
    checksum : str
        SHA-256 (hex) over all images and labels in their original order; the same for every seed and split.
    seed : int
        The seed that chose the validation images.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    n_classes: int
    class_names: tuple[str, ...]
    checksum: str
    seed: int

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width of every image, in pixels."""
        _, height, width = self.train.images.shape
        return height, width


def check_images(images: "NDArray[Any] | MappedImages", images_from: str) -> None:
    """Raise `DataError`, which starts with where they are from, if these are no images."""
    if images.dtype != np.uint8:
        raise DataError(
            f"{images_from}: values are {images.dtype}, not uint8; scale them to 0..255 and save them "
            "with .astype('uint8')"
        )
    if images.ndim != 3:
        raise DataError(f"{images_from}: shape {images.shape} is not (n, height, width); reshape the images")
    if 0 in images.shape:
        raise DataError(f"{images_from}: empty, shape {images.shape}; give at least one image of one pixel")


def checked_split(images: NDArray[Any], labels: NDArray[Any], images_from: str, labels_from: str) -> Split:
    """Return images and labels as a split, or say what is wrong with them.

    Parameters
    ----------
    images, labels : ndarray
        As they were read.
    images_from, labels_from : str
        Where they were read from; every message starts with one of them.
    """
    check_images(images, images_from)
    if labels.dtype.kind not in "iu":
        raise DataError(
            f"{labels_from}: values are {labels.dtype}, not integers; number the classes from 0 and save "
            "them with .astype('int64')"
        )
    if labels.ndim != 1:
        raise DataError(
            f"{labels_from}: shape {labels.shape} is not (n,); give one class number per image (try .ravel() "
            "or .argmax(axis=1) for one-hot labels)"
        )
    if len(images) != len(labels):
        raise DataError(
            f"{labels_from}: {len(labels)} labels for the {len(images)} images of {images_from}; "
            "give one label per image"
        )
    if labels.min() < 0:
        raise DataError(f"{labels_from}: label {labels.min()} is negative; number the classes from 0")
    if labels.max() >= MOST_CLASSES:
        raise DataError(
            f"{labels_from}: label {labels.max()} would mean more than {MOST_CLASSES} classes; "
            "number the classes from 0 without gaps"
        )
    if isinstance(images, np.memmap):
        return Split(MappedImages.all_of(images), labels.astype(np.int64))
    return Split(np.ascontiguousarray(images), labels.astype(np.int64))


def assemble(
    name: str,
    train: Split,
    test: Split | None,
    class_names: tuple[str, ...] | None,
    validation: int | None,
    seed: int,
) -> Dataset:
    """Hold out validation images (and test images, where there are none) and return the data set.

    Parameters
    ----------
    name : str
        Name or path; every message starts with it.
    train : Split
        Everything that is not test, in its original order.
    test : Split or None
        The official test set; without one, a fifth of `train` is held out, the same for every seed.
    class_names : tuple of str or None
        Names of the classes; numbers are used where there are none or too few.
    validation : int or None
        Training images to hold out; None takes a sixth.
    seed : int
        Chooses the validation images.
    """
    if test is None:
        count = len(train) // 5
        if count == 0:
            raise DataError(
                f"{name}: {len(train)} image(s) are too few to hold out a fifth for test; give at least 5"
            )
        train, test = _hold_out(train, count, stream_key(0, TEST_SPLIT))
    elif test.images.shape[1:] != train.images.shape[1:]:
        raise DataError(
            f"{name}: test images are {_size(test)} pixels but training images {_size(train)}; "
            "bring them to one size"
        )
    n_classes = 1 + int(max(train.labels.max(), test.labels.max()))
    if class_names is None or len(class_names) < n_classes:
        class_names = tuple(str(label) for label in range(n_classes))
    count = len(train) // 6 if validation is None else _checked_validation(name, validation, len(train))
    checksum = _checksum(train, test)
    train, held_out = _hold_out(train, count, stream_key(seed, VALIDATION_SPLIT))
    return Dataset(name, train, held_out, test, len(class_names), class_names, checksum, seed)


def _size(split: Split) -> str:
    return "x".join(str(length) for length in split.images.shape[1:])


def _checked_validation(name: str, validation: int, available: int) -> int:
    if isinstance(validation, bool) or not isinstance(validation, (int, np.integer)) or validation < 0:
        raise DataError(f"validation {validation!r}: not a number of images; give an integer of 0 or more")
    if validation >= available:
        raise DataError(
            f"{name}: holding out {validation} validation images leaves nothing to train on; "
            f"give a number below {available}"
        )
    return int(validation)


def _hold_out(split: Split, count: int, key: int) -> tuple[Split, Split]:
    """Return what remains and what was held out, both in their original order."""
    held_out = np.zeros(len(split), dtype=bool)
    held_out[permutation(key, len(split))[:count]] = True
    return split.part(~held_out), split.part(held_out)


def _checksum(train: Split, test: Split) -> str:
    digest = hashlib.sha256()
    for split in (train, test):
        # The shape is hashed too: the same bytes as 4x9 and as 6x6 pixels are different images.
        digest.update(repr(split.images.shape).encode())
        for some in in_pieces(split.images):
            digest.update(np.ascontiguousarray(some).data)
        digest.update(split.labels.astype("<i8").data)
    return digest.hexdigest()
