"""What is a data set? Images, labels, and the three splits that a seed makes of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.base.randomness import TEST_SPLIT, VALIDATION_SPLIT, permutation, stream_key
from fspinn.datasets.classes import numbers_in, numerals, quoted
from fspinn.datasets.mapped import Images, MappedImages, in_pieces, part_of

# Data sets of images have a few to a few hundred classes. More are nearly always something else
# (identifiers, pixel values of a wrong column), and every class costs memory in each readout.
MOST_CLASSES = 1000

_PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels.

    Parameters
    ----------
    images : ndarray of uint8 or MappedImages, shape (n, height, width)
        Pixel intensities, 0 to 255.
    labels : ndarray of int64, shape (n,)
        Class of each image: its place in `class_names`.
    class_names : tuple of str or None, default None
        What a person calls the classes, each name once. None in a `Dataset` means the names of that;
        elsewhere each class is called by its number.

    Raises
    ------
    DataError
        If the shapes or types are others, there are more images than labels or fewer, or the names do not
        fit the labels.
    """

    images: Images
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] | None = None

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
        if self.class_names is None:
            return
        if len(set(self.class_names)) != len(self.class_names):
            raise DataError("Split.class_names: a name is there twice; give each class a name of its own")
        if len(self) and not 0 <= self.labels.min() <= self.labels.max() < len(self.class_names):
            raise DataError(
                f"Split.labels: from {self.labels.min()} to {self.labels.max()}, but there are "
                f"{len(self.class_names)} class names; number the classes by their place among the names"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> "Split":
        """Return the first `count` images and their labels; all, if there are fewer."""
        return self.part(slice(count))

    def part(self, which: "slice | NDArray[np.bool_]") -> "Split":
        """Return the images that a slice or an array of shape (n,) chooses, and their labels."""
        return Split(part_of(self.images, which), self.labels[which], self.class_names)

    def in_classes(self, class_names: Sequence[str], images_from: str, whose: str = "the model") -> "Split":
        """Return the same images with the classes numbered by their place among these names.

        Parameters
        ----------
        class_names : sequence of str
            Those that occur here must be among them.
        images_from : str
            Where the images are from; the message starts with it.
        whose : str, default "the model"
            Who calls the classes so, for the message.

        Raises
        ------
        DataError
            If there are images of a class that is not among the names.
        """
        class_names = tuple(class_names)
        if self.class_names == class_names:
            return self
        labels = numbers_in(class_names, self.labels, self.class_names, images_from, whose)
        return Split(self.images, labels, class_names)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels for training, validation and test.

    Parameters
    ----------
    name : str
        Name of a built-in data set or path of a user's own, as it was given.
    train, validation, test : Split
        What to learn from, what to choose by, what to report. Test depends on no seed.
    class_names : tuple of str
        What a person calls the classes. The splits number them by their place here: a split that is given
        with other names is numbered anew, by name.
    checksum : str
        SHA-256 (hex) over all images and labels in their original order; the same for every seed and split.
    seed : int
        The seed that chose the validation images.

    Raises
    ------
    DataError
        If a split has images of a class that is not among the names.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    checksum: str
    seed: int

    def __post_init__(self) -> None:
        for part in _PARTS:
            split = getattr(self, part)
            if not isinstance(split, Split):
                continue
            if split.class_names is None:
                split = replace(split, class_names=self.class_names)
            split = split.in_classes(self.class_names, f"{self.name}: {part} images", "the data set")
            object.__setattr__(self, part, split)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    def in_classes(self, class_names: Sequence[str], whose: str = "the model") -> "Dataset":
        """Return the same images with the classes numbered as `Split.in_classes` does."""
        splits = {part: getattr(self, part).in_classes(class_names, self.name, whose) for part in _PARTS}
        return replace(self, class_names=tuple(class_names), **splits)

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width of every image, in pixels."""
        _, height, width = self.train.images.shape
        return height, width


def check_images(images: "NDArray[Any] | MappedImages", images_from: str) -> None:
    """Raise `DataError`, which starts with where they are from, if these are not images."""
    if images.dtype != np.uint8:
        raise DataError(
            f"{images_from}: values are {images.dtype}, not uint8; scale them to 0..255 and save them "
            "with .astype('uint8')"
        )
    if images.ndim != 3:
        raise DataError(f"{images_from}: shape {images.shape} is not (n, height, width); reshape the images")
    if 0 in images.shape:
        raise DataError(f"{images_from}: empty, shape {images.shape}; give at least one image of one pixel")


def checked_split(
    images: "NDArray[Any] | MappedImages", labels: NDArray[Any], images_from: str, labels_from: str
) -> Split:
    """Return images and labels, as they were read, as a split of the classes that occur.

    Labels are names, or numbers, with or without gaps, that become names. Messages start with where the
    images or labels are from.
    """
    check_images(images, images_from)
    if labels.dtype.kind not in "iuU":
        raise DataError(
            f"{labels_from}: values are {labels.dtype}, neither integers nor names; number the classes and "
            "save them with .astype('int64'), or their names with .astype('str')"
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
    names, numbers = np.unique(labels, return_inverse=True)
    if labels.dtype.kind == "i" and names[0] < 0:
        raise DataError(f"{labels_from}: label {names[0]} is negative; number the classes from 0")
    if len(names) > MOST_CLASSES:
        raise DataError(
            f"{labels_from}: {len(names)} different labels, where {MOST_CLASSES} classes are the most; "
            "give one label per class"
        )
    if isinstance(images, np.memmap):
        images = MappedImages.all_of(images)
    elif isinstance(images, np.ndarray):
        images = np.ascontiguousarray(images)
    return Split(images, numbers.astype(np.int64), tuple(str(name) for name in names))


def assemble(
    name: str,
    train: Split,
    test: Split | None,
    class_names: tuple[str, ...] | None,
    validation: int | None,
    seed: int,
) -> Dataset:
    """Hold out validation images (and test images, where there are none) and return the data set.

    `train` and `test` are in their original order, with the names of the classes that occur. Without a test
    set a fifth is held out, the same for every seed; for validation it is a sixth, if None. `class_names` are
    those of the classes that the splits call 0, 1, ...; None, or too few, leaves the numbers.
    """
    known = train.class_names or ()
    if test is None:
        count = len(train) // 5
        if count == 0:
            raise DataError(
                f"{name}: {len(train)} image(s) are too few to hold out a fifth for test; give at least 5"
            )
        train, test = _hold_out(train, count, stream_key(0, TEST_SPLIT))
    elif test.images.shape[1:] != train.images.shape[1:]:
        sizes = ["x".join(map(str, split.images.shape[1:])) for split in (test, train)]
        raise DataError(
            f"{name}: test images are {sizes[0]} pixels, training images {sizes[1]}; bring them to one size"
        )
    else:
        lacking = [one for one in test.class_names or () if one not in known]
        if lacking:
            raise DataError(
                f"{name}: test images of {quoted(lacking)}, but no training images; add some, or leave "
                "the test images out"
            )
        test = test.in_classes(known, name, "the training images")
    count = len(train) // 6 if validation is None else _checked_validation(name, validation, len(train))
    digest = checksum(train, test)
    if class_names is not None and all(numeral in numerals(len(class_names)) for numeral in known):
        known = tuple(class_names[int(numeral)] for numeral in known)
        train, test = replace(train, class_names=known), replace(test, class_names=known)
    train, held_out = _hold_out(train, count, stream_key(seed, VALIDATION_SPLIT))
    return Dataset(name, train, held_out, test, known, digest, seed)


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


def checksum(train: Split, test: Split) -> str:
    """Return the SHA-256 of images and labels: of the numbers that files give the classes, gaps included."""
    digest = hashlib.sha256()
    names = train.class_names or ()
    numbers = np.arange(len(names), dtype=np.uint64)
    if all(name.isdecimal() for name in names):
        numbers = np.array([int(name) % 2**64 for name in names], dtype=np.uint64)
    for split in (train, test):
        # The shape is hashed too: the same bytes as 4x9 and as 6x6 pixels are different images.
        digest.update(repr(split.images.shape).encode())
        for some in in_pieces(split.images):
            digest.update(np.ascontiguousarray(some).data)
        digest.update(numbers[split.labels].astype("<u8").data)
    return digest.hexdigest()
