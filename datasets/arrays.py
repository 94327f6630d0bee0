"""How do arrays in memory become labelled images?"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fspinn.base.errors import DataError
from fspinn.datasets.conversion import as_pixels
from fspinn.datasets.dataset import Dataset, Split
from fspinn.datasets.events import Recordings
from fspinn.datasets.labelled import Labelled, labelled
from fspinn.datasets.mapped import MappedImages
from fspinn.datasets.scale import Scale
from fspinn.datasets.splitting import checksum

if TYPE_CHECKING:
    from fspinn.datasets.mapped import Images

LabelledImages: TypeAlias = Split | tuple[Any, Any]
"""A split, or a pair of arrays: images or signals, and labels."""

IN_MEMORY = "arrays in memory"
"""Name of a data set that no file holds."""


def as_split(given: LabelledImages, scale: Scale | None = None) -> Split:
    """Return labelled images from themselves, or from a pair (images, labels).

    Parameters
    ----------
    given : Split or tuple
    scale : Scale, optional
        How signals become images, if the pair is of signals.
    """
    if isinstance(given, Split):
        check_scale(given, scale)
        return given
    if isinstance(given, Dataset):
        raise DataError("split: a data set has three; give one of them, such as data.test")
    if not _is_pair(given):
        raise DataError(
            f"split: {type(given).__name__} is not labelled images; give a split such as data.test, or a "
            "pair (images, labels)"
        )
    read = _read(given)
    if read.signals and scale is None:
        raise DataError(
            "images: these are signals, and nothing says how they are scaled; make images of them"
        )
    return read.split(scale if read.signals else None, "images")


def as_dataset(given: Dataset | LabelledImages, scale: Scale | None = None) -> Dataset:
    """Return a data set to learn from: itself; or from labelled images, all of them to train on.

    Parameters
    ----------
    given : Dataset, Split or tuple
    scale : Scale, optional
        How signals become images: that of the model that they are for; fitted on them, if None.

    Raises
    ------
    DataError
        If it is not a data set, or all that is to train on is of one class.
    """
    data = _as_dataset(given, scale)
    here = np.unique(data.train.labels)
    if len(here) == 1:
        raise DataError(
            f"{data.name}: all {len(data.train)} training samples are of class "
            f"{data.class_names[here[0]]!r}; give samples of at least two classes"
        )
    return data


def _as_dataset(given: Dataset | LabelledImages, scale: Scale | None) -> Dataset:
    if isinstance(given, Dataset):
        check_scale(given.train, scale)
        return given
    if not isinstance(given, Split) and not _is_pair(given):
        raise DataError(
            f"data: {type(given).__name__} is not a data set; give one that fspinn.datasets.load returns, or "
            "a pair (images, labels)"
        )
    if isinstance(given, Split) and given.class_names is not None:
        check_scale(given, scale)
        split = given
    else:
        read = _read((given.images, given.labels) if isinstance(given, Split) else given)
        if isinstance(given, Split):
            names = given.feature_names or ()
            read = replace(read, groups=given.groups, features=given.features, feature_names=names)
        if not read.signals:
            scale = None
        elif scale is None:
            scale = Scale.fitted(np.asarray(read.samples), "images")
        split = read.split(scale, "images")
        if isinstance(given, Split) and given.scale is not None:
            check_scale(given, scale)
            split = replace(split, scale=given.scale)
    names, none = split.class_names or (), split.first(0)
    digest = checksum(*(_as_read(part) for part in (split, none)))
    return Dataset(IN_MEMORY, split, none, none, names, digest, 0)


def as_images(
    given: "Images | LabelledImages | Any", shape: tuple[int, ...], scale: Scale | None = None
) -> Any:
    """Return images from a split, a pair, an array or a list of them; one alone is a batch of one.

    Parameters
    ----------
    given
        Images, of uint8 or what becomes it, or signals if there is a scale.
    shape : tuple of int
        Height and width of an image, and perhaps channels.
    scale : Scale, optional
        How signals become images.
    """
    if isinstance(given, Dataset):
        return as_split(given)  # type: ignore[arg-type]  # says that it has three
    if isinstance(given, Split):
        return as_split(given, scale).images
    # Two images, or two signals, in a tuple are not a pair of samples and labels.
    images = given
    if isinstance(given, tuple) and _is_pair(given) and np.ndim(given[1]) == 1 < np.ndim(given[0]):
        images = given[0]
    if isinstance(images, MappedImages | Recordings):
        return images
    try:
        images = np.asarray(images)
    except ValueError:
        raise DataError("images: not all of one size; bring them to that of the model") from None
    # Bytes are signals too, unless they are a batch of what a scale makes of them.
    if scale is not None and (images.dtype != np.uint8 or images.shape[1:] != shape):
        return scale.applied(images[None] if images.shape == shape[1:] else images, "images")
    return as_pixels(images[None] if images.shape == shape else images, "images")


def check_scale(split: Split, scale: Scale | None) -> None:
    """Raise `DataError` if signals became images in another way than those that a model was trained on."""
    if scale is not None and split.scale not in (None, scale):
        raise DataError(
            "split: these signals are scaled in another way than those that the model was trained on; load "
            "them with scale=model.scale"
        )


def _read(pair: Any) -> Labelled:
    images, labels = pair
    if isinstance(images, Recordings):
        return labelled(images, np.asarray(labels), "images", "labels")
    if not isinstance(images, MappedImages):
        images = np.asarray(images)
    # A row of bytes is more often a flattened image than a signal.
    signals = images.dtype != np.uint8 and (
        images.ndim == 2 or (images.ndim == 3 and images.dtype == np.int16)
    )
    return labelled(images, np.asarray(labels), "images", "labels", signals=signals)


def _as_read(split: Split) -> Labelled:
    return Labelled(
        split.images, split.labels, split.class_names or (), groups=split.groups, features=split.features
    )


def _is_pair(given: Any) -> bool:
    return isinstance(given, tuple | list) and len(given) == 2
