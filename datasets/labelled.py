"""What was read? Samples, images or signals, with their labels, before they are split."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError, FspinnWarning
from fspinn.datasets.classes import numerals
from fspinn.datasets.conversion import as_pixels
from fspinn.datasets.dataset import Split
from fspinn.datasets.events import Recordings
from fspinn.datasets.mapped import Images, MappedImages
from fspinn.datasets.scale import Scale, check_signals

# Data sets have a few to a few hundred classes. More are nearly always something else
# (identifiers, pixel values of a wrong column), and every class costs memory in each readout.
MOST_CLASSES = 1000


@dataclass(frozen=True, eq=False)
class Labelled:
    """Samples as they were read.

    Parameters
    ----------
    samples : ndarray, MappedImages or Recordings
        Images, uint8 of shape (n, height, width) or (n, height, width, channels); or signals, integers or
        floats of shape (n, length) or (n, length, channels); or recordings of an event camera.
    labels : ndarray of int64, shape (n,)
        Places in `class_names`.
    class_names : tuple of str
        Of the classes that occur.
    signals : bool, default False
        Whether the samples are signals.
    groups, features
        See `Split`.
    feature_names : tuple of str, default ()
    recorded : str or None, default None
        How wav files were recorded (`fspinn.datasets.sounds.Sound`).
    columns : tuple of str or None, default None
        Which columns of a CSV file the values are of, in their order.
    """

    samples: "Images | NDArray[Any]"
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    signals: bool = False
    groups: NDArray[np.str_] | None = None
    features: NDArray[np.float32] | None = None
    feature_names: tuple[str, ...] = ()
    recorded: str | None = None
    columns: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def split(self, scale: Scale | None, samples_from: str) -> Split:
        """Return the samples as images; `scale` is that of signals, None for images."""
        images: Images = self.samples
        if scale is not None:
            images = scale.applied(np.asarray(self.samples), samples_from)
        names = None if self.features is None else self.feature_names or None
        return Split(images, self.labels, self.class_names, self.groups, self.features, scale, names)

    def choosing(self, names: tuple[str, ...] | None, samples_from: str) -> "Labelled":
        """Return the same samples with these features only; None is all of them, () none.

        Raises
        ------
        DataError
            If there is no feature of a name.
        """
        if names is None or names == self.feature_names:
            return self
        for name in names:
            if name not in self.feature_names:
                has = ", ".join(self.feature_names) or "none"
                raise DataError(
                    f"{samples_from}: has no feature {name!r} (it has {has}); choose among these with "
                    "--features, or leave that out"
                )
        features = None
        if names and self.features is not None:
            features = self.features[:, [self.feature_names.index(name) for name in names]]
        return replace(self, features=features, feature_names=names)


def labelled(
    samples: "Images | NDArray[Any]",
    labels: NDArray[Any],
    samples_from: str,
    labels_from: str,
    *,
    signals: bool = False,
    names: Sequence[str] | None = None,
    groups: NDArray[Any] | None = None,
) -> Labelled:
    """Return samples and labels, as they were read, with the names of the classes that occur.

    Labels are names, or numbers of any size, with or without gaps: places among `names` if those are given,
    else names too. Messages start with where samples or labels are from.

    Raises
    ------
    DataError
        If they are not samples and labels, or there are not as many.
    """
    if signals:
        check_signals(np.asarray(samples), samples_from)
        _warn_of_channels(samples.shape, samples_from)
    elif isinstance(samples, np.memmap):
        samples = MappedImages.all_of(samples)
    else:
        samples = as_pixels(samples, samples_from)
    if isinstance(samples, np.ndarray):
        samples = np.ascontiguousarray(samples)
    numbers, class_names = _classes(labels, labels_from, names)
    if len(samples) != len(numbers):
        what = "signal" if signals else "recording" if isinstance(samples, Recordings) else "image"
        raise DataError(
            f"{labels_from}: {len(numbers)} labels for the {len(samples)} {what}s of {samples_from}; "
            f"give one label per {what}"
        )
    if groups is not None:
        groups = checked_groups(groups, len(numbers), samples_from)
    return Labelled(samples, numbers, class_names, signals, groups)


def _warn_of_channels(shape: tuple[int, ...], signals_from: str) -> None:
    if len(shape) == 3 and shape[2] > shape[1]:
        warnings.warn(
            f"{signals_from}: shape {shape} is {shape[2]} channels of {shape[1]} values; if channels come "
            "first, make it (n, length, channels) with numpy.moveaxis(signals, 1, -1)",
            FspinnWarning,
            stacklevel=3,
        )


def checked_groups(groups: NDArray[Any], count: int, groups_from: str) -> NDArray[np.str_]:
    """Return the names of the groups of so many samples."""
    if groups.dtype.kind not in "iuU" or groups.shape != (count,):
        raise DataError(
            f"{groups_from}: groups are {groups.dtype} of shape {groups.shape}; give one whole number "
            f"or name for each of the {count} samples"
        )
    return groups.astype(np.str_)


def checked_features(features: NDArray[Any], count: int, features_from: str) -> NDArray[np.float32]:
    """Return the numbers that are known beside so many samples, shape (count, k)."""
    features = features[:, None] if features.ndim == 1 else features
    if (
        features.dtype.kind not in "biuf"
        or features.ndim != 2
        or len(features) != count
        or features.size == 0
    ):
        raise DataError(
            f"{features_from}: {features.dtype} of shape {features.shape}; give numbers of shape ({count}, k)"
        )
    with np.errstate(over="ignore"):
        features = features.astype(np.float32)
    if not np.isfinite(features).all():
        number = int(np.argmin(np.isfinite(features).all(axis=1)))
        raise DataError(f"{features_from}: row {number} holds NaN or infinity; fill the gap, or leave it out")
    return features


def _classes(
    labels: NDArray[Any], labels_from: str, names: Sequence[str] | None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
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
    found, numbers = np.unique(labels, return_inverse=True)
    if len(found) > MOST_CLASSES:
        raise DataError(
            f"{labels_from}: {len(found)} different labels, where {MOST_CLASSES} classes are the most; "
            "give one label per class"
        )
    occurring = tuple(str(name) for name in found)
    if names is not None and labels.dtype.kind in "iu":
        wrong = [name for name in occurring if name not in numerals(len(names))]
        if wrong:
            raise DataError(
                f"{labels_from}: label {wrong[0]} is not from 0 to {len(names) - 1}, a place among the "
                f"{len(names)} names of classes; give a name for each"
            )
        occurring = tuple(names[int(name)] for name in occurring)
        if len(set(occurring)) < len(occurring):
            raise DataError(f"{labels_from}: two classes have the same name; give each a name of its own")
    return numbers.astype(np.int64), occurring
