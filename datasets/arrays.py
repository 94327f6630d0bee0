"""How do arrays in memory become labelled images?"""

from dataclasses import replace
from math import isqrt, prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fspinn.base.checks import checked_seed
from fspinn.base.errors import ConfigError, DataError
from fspinn.datasets.conversion import as_pixels
from fspinn.datasets.dataset import Dataset, Split
from fspinn.datasets.events import Recordings
from fspinn.datasets.labelled import Labelled, labelled
from fspinn.datasets.mapped import MappedImages
from fspinn.datasets.scale import Scale
from fspinn.datasets.splitting import assemble, checksum

if TYPE_CHECKING:
    from fspinn.datasets.mapped import Images

LabelledImages: TypeAlias = Split | tuple[Any, Any]
"""A split, or a pair of arrays: images or signals, and labels."""

IN_MEMORY = "arrays in memory"
"""Name of a data set that no file holds."""


def from_arrays(
    X: Any,
    y: Any,
    *,
    test: tuple[Any, Any] | None = None,
    shape: tuple[int, ...] | None = None,
    validation: int | None = None,
    seed: int = 0,
) -> Dataset:
    """Return a data set of arrays in memory; see `Dataset.from_arrays`."""
    seed = checked_seed(seed)
    if test is not None and not _is_pair(test):
        raise DataError(f"test: {type(test).__name__} is not a pair of arrays; give test=(X, y)")
    train = _shaped(X, y, shape, "X", "y")
    tested = None if test is None else _shaped(*test, shape, "test X", "test y")
    return as_dataset(assemble(IN_MEMORY, train, tested, None, validation, seed))


def as_split(
    given: LabelledImages, scale: Scale | None = None, shape: tuple[int, ...] | None = None
) -> Split:
    """Return labelled images from themselves, or from a pair (images, labels).

    Parameters
    ----------
    given : Split or tuple
    scale : Scale, optional
        How signals become images, if the pair is of signals.
    shape : tuple of int, optional
        Height and width of an image, and perhaps channels, for images that are flat rows.
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
    images, labels = given
    read = _read((_unflattened(images, shape, scale), labels))
    if read.signals and scale is None:
        if shape is not None:
            found, wanted = (" x ".join(map(str, one)) for one in (np.shape(images)[1:], shape))
            raise DataError(
                f"images: {found} values do not fit a model for {wanted}; give samples of that size"
            )
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
            f"data: {type(given).__name__} is not a data set; give one that fspinn.datasets.load or "
            "Dataset.from_arrays returns, or a pair (images, labels)"
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
    if images.shape != shape:  # one alone
        images = _unflattened(images, shape, scale)
    # Bytes are signals too, unless they are a batch of what a scale makes of them.
    if scale is not None and (images.dtype != np.uint8 or images.shape[1:] != shape):
        return scale.applied(images[None] if images.shape == shape[1:] else images, "images")
    return as_pixels(images[None] if images.shape == shape else images, "images")


def checked_shape(name: str, shape: Any, values: int, samples_from: str) -> tuple[int, ...]:
    """Return the shape of an image that is given for samples of so many values.

    Raises
    ------
    ConfigError
        If it is none.
    DataError
        If they do not fill it.
    """
    sizes = tuple(shape) if isinstance(shape, tuple | list) else ()
    if len(sizes) not in (2, 3) or not all(isinstance(size, int | np.integer) and size > 0 for size in sizes):
        raise ConfigError(
            f"{name}: {shape!r} is not a shape of images; give (height, width) or, with channels, (height, "
            "width, channels)"
        )
    if prod(sizes) != values:
        raise DataError(
            f"{samples_from}: {values} values a sample are not {' x '.join(map(str, sizes))}; give a shape "
            "that they fill"
        )
    return sizes


def check_scale(split: Split, scale: Scale | None) -> None:
    """Raise `DataError` if signals became images in another way than those that a model was trained on."""
    if scale is not None and split.scale not in (None, scale):
        raise DataError(
            "split: these signals are scaled in another way than those that the model was trained on; load "
            "them with scale=model.scale"
        )


def _read(pair: Any) -> Labelled:
    images, labels = pair
    labels = _labels(labels, "labels")
    if isinstance(images, Recordings):
        return labelled(images, labels, "images", "labels")
    if not isinstance(images, MappedImages):
        images = np.asarray(images)
    # A row of bytes is more often a flattened image than a signal.
    signals = images.dtype != np.uint8 and (
        images.ndim == 2 or (images.ndim == 3 and images.dtype == np.int16)
    )
    return labelled(images, labels, "images", "labels", signals=signals)


def _shaped(X: Any, y: Any, shape: tuple[int, ...] | None, X_from: str, y_from: str) -> Labelled:
    """Return samples whose shape is known: that of the array, or the one that is given."""
    labels = _labels(y, y_from)
    if isinstance(X, Recordings | MappedImages):
        return labelled(X, labels, X_from, y_from)
    samples = _array(X, X_from)
    if shape is None and samples.ndim == 2:
        width = samples.shape[1]
        side = isqrt(width)
        images = f"({side}, {side})" if side * side == width else "(height, width)"
        raise DataError(
            f"{X_from}: rows of {width} values are images or signals; say which, with shape={images} or, for "
            f"signals, shape=(1, {width})"
        )
    if shape is None:
        shape = samples.shape[1:]
    else:
        shape = checked_shape("shape", shape, prod(samples.shape[1:]), X_from)
    if signals := len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    return labelled(samples.reshape(-1, *shape), labels, X_from, y_from, signals=signals)


def _unflattened(images: Any, shape: tuple[int, ...] | None, scale: Scale | None) -> Any:
    """Return flat rows as images, or signals of height 1 without that; anything else as it is."""
    if shape is None or isinstance(images, Recordings | MappedImages):
        return images
    images = _array(images, "images")
    if scale is None and images.ndim == 2 and images.shape[1] == prod(shape):
        return images.reshape(-1, *shape)
    if scale is not None and images.dtype != np.uint8 and images.shape[1:] == shape:
        return images[:, 0]
    return images


def _array(given: Any, given_from: str) -> NDArray[Any]:
    try:
        return np.asarray(given)
    except ValueError:
        raise DataError(f"{given_from}: samples differ in size; bring them to one") from None


def _labels(given: Any, labels_from: str) -> NDArray[Any]:
    """Return labels as whole numbers or names, from what scikit-learn takes too: whole floats and objects."""
    labels = _array(given, labels_from)
    kinds = {type(one) for one in labels.ravel().tolist()} if labels.dtype.kind == "O" else set()
    if labels.dtype.kind in "bT" or kinds == {str}:
        return labels.astype(np.str_)
    if kinds == {int}:
        return labels.astype(np.int64)
    if labels.dtype.kind != "f":
        return labels
    if not np.isfinite(labels).all():
        number = int(np.argmin(np.isfinite(labels.ravel())))
        raise DataError(f"{labels_from}: label {number} is NaN or infinity; leave that sample out")
    return labels.astype(np.int64) if (labels == np.rint(labels)).all() else labels


def _as_read(split: Split) -> Labelled:
    return Labelled(
        split.images, split.labels, split.class_names or (), groups=split.groups, features=split.features
    )


def _is_pair(given: Any) -> bool:
    return isinstance(given, tuple | list) and len(given) == 2
