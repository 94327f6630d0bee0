"""How do arrays in memory become labelled images?"""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fspinn.base.errors import DataError
from fspinn.datasets.dataset import Dataset, Split, checked_split, checksum
from fspinn.datasets.mapped import MappedImages

if TYPE_CHECKING:
    from fspinn.datasets.mapped import Images

LabelledImages: TypeAlias = Split | tuple[Any, Any]
"""A split, or a pair of arrays: images and labels."""

IN_MEMORY = "arrays in memory"
"""Name of a data set that no file holds."""


def as_split(given: LabelledImages) -> Split:
    """Return labelled images from themselves, or from a pair (images, labels)."""
    if isinstance(given, Split):
        return given
    if isinstance(given, Dataset):
        raise DataError("split: a data set has three; give one of them, such as data.test")
    if not _is_pair(given):
        raise DataError(
            f"split: {type(given).__name__} is not labelled images; give a split such as data.test, or a "
            "pair (images, labels)"
        )
    images, labels = given
    images = images if isinstance(images, MappedImages) else np.asarray(images)
    return checked_split(images, np.asarray(labels), "images", "labels")


def as_dataset(given: Dataset | LabelledImages) -> Dataset:
    """Return a data set from itself; or from labelled images, all of them to train on."""
    if isinstance(given, Dataset):
        return given
    if not isinstance(given, Split) and not _is_pair(given):
        raise DataError(
            f"data: {type(given).__name__} is not a data set; give one that fspinn.datasets.load returns, or "
            "a pair (images, labels)"
        )
    split = as_split(given)
    if split.class_names is None:
        split = as_split((split.images, split.labels))
    names, none = split.class_names or (), split.first(0)
    return Dataset(IN_MEMORY, split, none, none, names, checksum(split, none), seed=0)


def images_of(given: "Images | LabelledImages | Any") -> Any:
    """Return the images of a split or pair; anything else as it is."""
    if isinstance(given, Dataset):
        return as_split(given)  # type: ignore[arg-type]  # says that it has three
    if isinstance(given, Split):
        return given.images
    # Two images in a tuple are not a pair of images and labels: both have height and width.
    return given[0] if isinstance(given, tuple) and _is_pair(given) and np.ndim(given[1]) == 1 else given


def _is_pair(given: Any) -> bool:
    return isinstance(given, tuple | list) and len(given) == 2
