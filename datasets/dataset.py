"""What is a data set? Images, labels, and the three splits that a seed makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.base.printing import Drawn
from fspinn.datasets.classes import numbers_in
from fspinn.datasets.events import Recordings
from fspinn.datasets.mapped import Images, part_of
from fspinn.datasets.reading import Reading
from fspinn.datasets.scale import Scale

_PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False, repr=False)
class Split(Drawn):
    """Images and their labels.

    Parameters
    ----------
    images : ndarray of uint8, MappedImages or Recordings, shape (n, height, width[, channels])
        Intensities, 0 to 255. A signal is an image of height 1. Or recordings of an event camera.
    labels : ndarray of int64, shape (n,)
        Class of each image: its place in `class_names`.
    class_names : tuple of str or None, default None
        What a person calls the classes, each name once. None in a `Dataset` means the names of that;
        elsewhere each class is called by its number.
    groups : ndarray of str, shape (n,), or None, default None
        Which patient, speaker or sitting each image is of; None where nobody says.
    features : ndarray of float32, shape (n, k), or None, default None
        Numbers that are known beside each image, such as the time since the last heartbeat.
    scale : Scale or None, default None
        How signals became these images; None if they were images, or where nobody says.
    feature_names : tuple of str or None, default None
        What the columns of `features` are called. None in a `Dataset` means the names of that.

    Raises
    ------
    DataError
        If the shapes or types are others, there are more images than labels or fewer, or the names do not
        fit the labels.
    """

    images: Images
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] | None = None
    groups: NDArray[np.str_] | None = None
    features: NDArray[np.float32] | None = None
    scale: Scale | None = None
    feature_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        images = self.images
        if not isinstance(images, Recordings) and (images.dtype != np.uint8 or images.ndim not in (3, 4)):
            raise DataError(
                f"Split.images: {images.dtype} of shape {images.shape}; "
                "make it uint8 of shape (n, height, width) or (n, height, width, channels)"
            )
        n = len(self.images)
        if self.groups is not None and (self.groups.dtype.kind != "U" or self.groups.shape != (n,)):
            raise DataError(
                f"Split.groups: {self.groups.dtype} of shape {self.groups.shape}; make it str of shape ({n},)"
            )
        features = self.features
        if features is not None and (
            features.dtype != np.float32 or features.ndim != 2 or len(features) != n or not features.shape[1]
        ):
            raise DataError(
                f"Split.features: {features.dtype} of shape {features.shape}; "
                f"make it float32 of shape ({n}, k)"
            )
        if features is not None and not np.isfinite(features).all():
            row = int(np.argmin(np.isfinite(features).all(axis=1)))
            raise DataError(f"Split.features: row {row} holds NaN or infinity; fill the gap, or leave it out")
        if features is not None and len(self.feature_names or features.T) != features.shape[1]:
            raise DataError(
                f"Split.feature_names: {len(self.feature_names or ())} names for {features.shape[1]} "
                "columns of features; name each"
            )
        if self.feature_names is not None and len(set(self.feature_names)) < len(self.feature_names):
            twice = next(name for name in self.feature_names if self.feature_names.count(name) > 1)
            raise DataError(f"Split.feature_names: {twice!r} is there twice; give each feature its own name")
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

    def __str__(self) -> str:
        classes = "" if self.class_names is None else f", {len(self.class_names)} classes"
        return f"{len(self):,} {self._what}{classes}"

    @property
    def _what(self) -> str:
        """What samples are called, and their size."""
        events = isinstance(self.images, Recordings)
        what = "recordings" if events else "images" if self.scale is None else "signals"
        return f"{what} of {' x '.join(map(str, self.images.shape[1 if self.scale is None else 2 :]))}"

    def first(self, count: int) -> "Split":
        """Return the first `count` images and their labels; all, if there are fewer."""
        return self.part(slice(count))

    def part(self, which: "slice | NDArray[np.bool_] | NDArray[np.int64]") -> "Split":
        """Return the images that a slice, a mask or numbers choose, and what belongs to them."""
        groups = None if self.groups is None else self.groups[which]
        features = None if self.features is None else self.features[which]
        images, labels = part_of(self.images, which), self.labels[which]
        return replace(self, images=images, labels=labels, groups=groups, features=features)

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
        return replace(self, labels=labels, class_names=class_names)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Drawn):
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
        SHA-256 (hex) over all images and labels in their original order (of signals before they are scaled);
        the same for every seed and split.
    seed : int
        The seed that chose the validation images.
    feature_names : tuple of str, default ()
        What the columns of `Split.features` are called; numbers, where nobody says.
    reading : Reading, default Reading()
        What was asked for when the files were read.

    Raises
    ------
    DataError
        If a split has images of a class that is not among the names, or other features than the others.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    checksum: str
    seed: int
    feature_names: tuple[str, ...] = ()
    reading: Reading = Reading()

    @classmethod
    def from_arrays(
        cls,
        X: Any,
        y: Any,
        *,
        test: tuple[Any, Any] | None = None,
        shape: tuple[int, ...] | None = None,
        validation: int | None = None,
        seed: int = 0,
    ) -> "Dataset":
        """Return a data set of arrays in memory, split as `fspinn.datasets.load` splits files.

        Parameters
        ----------
        X : array-like, shape (n, height, width[, channels]) or (n, values)
            Samples: uint8, or floats from 0 to 1, which become uint8, and a warning says so. Or signals, in
            any integers or floats, where the height is 1; they are scaled as `Scale.fitted` does.
        y : array-like, shape (n,)
            Labels: names or whole numbers of any size.
        test : tuple, optional
            Samples and labels for test. A fifth is held out, if None, the same for every seed.
        shape : tuple of int, optional
            Height and width of a sample, and perhaps channels; needed if the samples are flat rows. The
            height of a signal is 1.
        validation : int, optional
            Samples to hold out for validation; a sixth, rounded down, if None.
        seed : int, default 0
            Chooses the validation samples, from 0 to 2^64 - 1.

        Raises
        ------
        DataError
            If they are not samples and labels, not as many, of one class only, or hold NaN.
        ConfigError
            If the shape or the seed is not one.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> X, y = load_digits(return_X_y=True)
        >>> data = Dataset.from_arrays((X * 255 / 16).astype("uint8"), y, shape=(8, 8))
        >>> data.image_shape, len(data.train), len(data.validation), len(data.test)
        ((8, 8), 1199, 239, 359)
        """
        from fspinn.datasets.arrays import from_arrays  # which needs this class

        return from_arrays(X, y, test=test, shape=shape, validation=validation, seed=seed)

    def __post_init__(self) -> None:
        features = self.train.features if isinstance(self.train, Split) else None
        if features is not None and not self.feature_names:
            names = self.train.feature_names or tuple(f"feature {k}" for k in range(features.shape[1]))
            object.__setattr__(self, "feature_names", names)
        for part in _PARTS:
            split = getattr(self, part)
            if not isinstance(split, Split):
                continue
            if split.class_names is None:
                split = replace(split, class_names=self.class_names)
            split = split.in_classes(self.class_names, f"{self.name}: {part} images", "the data set")
            split = self._with_feature_names(split, part)
            object.__setattr__(self, part, split)

    def _with_feature_names(self, split: Split, part: str) -> Split:
        names = None if split.features is None else split.feature_names or self.feature_names
        if len(split) and (names or ()) != self.feature_names:
            raise DataError(
                f"{self.name}: features for training and {part} differ; give both the same columns"
            )
        return split if names == split.feature_names else replace(split, feature_names=names)

    def __str__(self) -> str:
        counts = f"{len(self.train):,} training, {len(self.validation):,} validation, {len(self.test):,} test"
        return f"{self.name}, {counts} {self.train._what}, {self.n_classes} classes"

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    def in_classes(self, class_names: Sequence[str], whose: str = "the model") -> "Dataset":
        """Return the same images with the classes numbered as `Split.in_classes` does."""
        splits = {part: getattr(self, part).in_classes(class_names, self.name, whose) for part in _PARTS}
        return replace(self, class_names=tuple(class_names), **splits)

    @property
    def scale(self) -> Scale | None:
        """How signals became images; None if they were images."""
        return self.train.scale

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Height and width of every image, in pixels, and channels if there are several."""
        return self.train.images.shape[1:]
