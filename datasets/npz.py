"""What do the arrays of an .npz file mean? Their names say so."""

from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.datasets.events import Recordings
from fspinn.datasets.labelled import Labelled, checked_features, labelled
from fspinn.datasets.pictures import picture_in, reason, stacked

# What people call the same thing; the first of each is the name that help and messages give.
_IMAGES = ("images", "x", "X")
_SIGNALS = ("signals", "beats")
_JPEG = ("jpeg",)
_OFFSETS = ("offsets",)
_LABELS = ("labels", "label", "y")
_GROUPS = ("groups", "group", "record", "records", "patient", "patients", "subject", "subjects", "speaker")
_FEATURES = ("features", "rr")
_CLASS_NAMES = ("class_names", "classes")
_FEATURE_NAMES = ("feature_names",)
_EVENTS = ("x", "y", "p", "t")
_SENSOR = ("height", "width")
_STEMS = (
    *_IMAGES,
    *_SIGNALS,
    *_JPEG,
    *_OFFSETS,
    *_LABELS,
    *_GROUPS,
    *_FEATURES,
    *_CLASS_NAMES,
    *_FEATURE_NAMES,
)
_LARGEST_BYTES = 1 << 33


def read_npz(path: Path) -> tuple[Labelled, Labelled | None]:
    """Return what to train on and what to test with (or None) of an .npz file.

    Raises
    ------
    DataError
        If it cannot be read, or has no arrays of names that mean something, or they do not fit together.
    """
    arrays = npz_arrays(path)
    train = _part(path, arrays, "train")
    if train is None:
        raise DataError(
            f"{path}: holds no array 'images' (it holds {', '.join(arrays) or 'nothing'}); save it with "
            "numpy.savez(file, images=..., labels=...), or signals=..., or x=, y=, p=, t= and offsets= of "
            "events, in place of images"
        )
    return train, _part(path, arrays, "test")


def npz_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file by name; those of names that mean nothing here are not read."""
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("a single array")
        with file:
            known = [name for name in file.files if _known(name)]
            promised = sum(file.zip.getinfo(f"{name}.npy").file_size for name in known)
            if promised > _LARGEST_BYTES:
                raise ValueError(f"it unpacks to {promised} bytes, more than {_LARGEST_BYTES}")
            return {name: file[name] if name in known else np.empty(0) for name in file.files}
    except Exception as error:  # zip, deflate and array headers break in a dozen ways, each of its own class
        raise DataError(
            f"{path}: cannot be read as .npz ({reason(error)}); save it again with numpy.savez, numbers only"
        ) from None


def npy_array(path: Path) -> NDArray[Any]:
    """Return the array of an .npy file."""
    try:
        array = np.load(path, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("several arrays: an .npz file")
        return array
    except Exception as error:
        raise DataError(
            f"{path}: cannot be read as .npy ({reason(error)}); save it again with numpy.save, numbers only"
        ) from None


def samples_in(
    path: Path, arrays: dict[str, NDArray[Any]], part: str
) -> "tuple[str, NDArray[Any] | Recordings, bool] | None":
    """Return name and array of the samples of a part (None: there are none), and whether they are signals."""
    _check_events(path, arrays, part)
    if _has_events(arrays, part):
        name = _name(arrays, part, _EVENTS[-1:])
        return (name or "", _recordings(path, arrays, part), False)
    images, signals, jpeg = (_name(arrays, part, stems) for stems in (_IMAGES, _SIGNALS, _JPEG))
    named = [name for name in (images, signals, jpeg) if name is not None]
    if len(named) > 1:
        raise DataError(f"{path}: holds both {named[0]!r} and {named[1]!r}; leave one of them out")
    if not named:
        return None
    if jpeg is not None:
        return jpeg, _decoded(path, arrays, jpeg, _name(arrays, part, _OFFSETS)), False
    rows = _bare(named[0]) not in _IMAGES[:1] and arrays[named[0]].ndim == 2
    return named[0], arrays[named[0]], signals is not None or rows


def _part(path: Path, arrays: dict[str, NDArray[Any]], part: str) -> Labelled | None:
    labels = _name(arrays, part, _LABELS[:-1] if _has_events(arrays, part) else _LABELS)
    found = samples_in(path, arrays, part)
    if found is None and (part == "train" or labels is None):
        return None
    if found is None or labels is None:
        if part == "train":
            raise DataError(
                f"{path}: holds no array 'labels' (it holds {', '.join(arrays)}); save it with "
                "numpy.savez(file, images=..., labels=...)"
            )
        if found is not None and isinstance(found[1], Recordings):
            raise DataError(f"{path}: holds events to test with, but no array 'test_labels'; save it too")
        raise DataError(f"{path}: only one of 'test_images' and 'test_labels' is there; save both or neither")
    name, samples, signals = found
    class_names, groups = _name(arrays, "", _CLASS_NAMES), _name(arrays, part, _GROUPS)
    read = labelled(
        samples,
        arrays[labels],
        f"{path}: {name}",
        f"{path}: {labels}",
        signals=signals,
        names=None if class_names is None else _words(path, arrays, class_names),
        groups=None if groups is None else arrays[groups],
    )
    features, feature_names = features_in(path, arrays, part, len(read))
    return replace(read, features=features, feature_names=feature_names)


def features_in(
    path: Path, arrays: dict[str, NDArray[Any]], part: str, count: int
) -> tuple[NDArray[np.float32] | None, tuple[str, ...]]:
    """Return the features of so many samples of a part, or None, and what their columns are called."""
    features = _name(arrays, part, _FEATURES)
    if features is None:
        if (names := _name(arrays, "", _FEATURE_NAMES)) is not None:
            raise DataError(
                f"{path}: holds {names}, but no array {part}_features for them; add it, or leave the names "
                "out"
            )
        return None, ()
    values = checked_features(arrays[features], count, f"{path}: {features}")
    return values, _columns(path, arrays, features, values.shape[1])


def _check_events(path: Path, arrays: dict[str, NDArray[Any]], part: str) -> None:
    """Raise `DataError` if these are events, but not all that belongs to them is there."""
    found = {stem: name for stem in _EVENTS if (name := _name(arrays, part, (stem,))) is not None}
    if not 2 <= len(found) < len(_EVENTS) or not {"p", "t"} & found.keys():
        return
    if arrays[next(iter(found.values()))].ndim == 1:
        lacking = ", ".join(repr(stem) for stem in _EVENTS if stem not in found)
        raise DataError(
            f"{path}: holds {', '.join(found.values())} of events, but no array {lacking}; give x, y, p (1 "
            "ON, 0 OFF) and t (microseconds) of each event"
        )


def _has_events(arrays: Collection[str], part: str) -> bool:
    return all(_name(arrays, part, (stem,)) for stem in _EVENTS)


def _recordings(path: Path, arrays: dict[str, NDArray[Any]], part: str) -> Recordings:
    """Return the recordings of a part; the sensor is as large as the file says, or as events are seen."""
    offsets = _name(arrays, part, _OFFSETS)
    if offsets is None:
        raise DataError(
            f"{path}: holds events (x, y, p, t), but no array 'offsets'; give where each recording begins "
            "and the last one ends"
        )
    names = {stem: _name(arrays, part, (stem,)) or "" for stem in _EVENTS}
    x, y, p, t = (arrays[name] for name in names.values())
    height, width = (_sensor(path, arrays, *both) for both in zip(_SENSOR, ("y", "x"), strict=True))
    try:
        return Recordings(x, y, p, t, arrays[offsets], height, width)
    except DataError as error:
        names |= {"t_us": names["t"], "offsets": offsets}
        what, _, rest = str(error).partition(":")
        raise DataError(f"{path}: {names.get(what, what)}:{rest.replace('t_us', names['t'])}") from None


def _sensor(path: Path, arrays: dict[str, NDArray[Any]], name: str, axis: str) -> int:
    if name in arrays:
        given = arrays[name]
        if given.size != 1 or given.dtype.kind not in "iu":
            raise DataError(f"{path}: {name}: {given.dtype} of shape {given.shape}; give the sensor's pixels")
        return int(given.reshape(()))
    seen = [arrays[found] for part in ("train", "test") if (found := _name(arrays, part, (axis,)))]
    return max([1, *(int(one.max()) + 1 for one in seen if one.size and one.dtype.kind in "biu")])


def _bare(name: str) -> str:
    return name.removeprefix("train_").removeprefix("test_").removesuffix("_train").removesuffix("_test")


def _known(name: str) -> bool:
    stems = {*_STEMS, *_EVENTS, *_SENSOR}
    return _bare(name) in stems


def _name(arrays: Collection[str], part: str, stems: tuple[str, ...]) -> str | None:
    """Return the name of an array of a part, such as ``train_images``, ``images_train`` or ``images``."""
    for stem in stems:
        names = [f"{part}_{stem}", f"{stem}_{part}"] if part else [stem]
        for name in [*names, *([stem] if part == "train" else [])]:
            if name in arrays:
                return name
    return None


def _words(path: Path, arrays: dict[str, NDArray[Any]], name: str) -> tuple[str, ...]:
    words = arrays[name]
    if words.ndim != 1 or words.dtype.kind != "U":
        raise DataError(
            f"{path}: {name}: {words.dtype} of shape {words.shape}; give names, str of shape (n,)"
        )
    return tuple(words.tolist())


def _columns(path: Path, arrays: dict[str, NDArray[Any]], features: str, count: int) -> tuple[str, ...]:
    name = _name(arrays, "", _FEATURE_NAMES)
    if name is None:
        return tuple(f"{_bare(features)} {number}" for number in range(count))
    words = _words(path, arrays, name)
    if len(set(words)) != count or len(words) != count:
        raise DataError(
            f"{path}: {name}: {len(words)} names for the {count} columns of {features}; "
            "give each a name of its own"
        )
    return words


def _decoded(
    path: Path, arrays: dict[str, NDArray[Any]], jpeg: str, offsets: str | None
) -> NDArray[np.uint8]:
    """Return the pictures of JPEG files that follow one another in an array of bytes."""
    data = arrays[jpeg]
    ends = np.empty(0) if offsets is None else arrays[offsets]
    whole = data.dtype == np.uint8 and data.ndim == 1 and ends.dtype.kind in "iu" and ends.ndim == 1
    if not (
        whole and len(ends) > 1 and ends[0] == 0 and ends[-1] == len(data) and np.all(ends[1:] > ends[:-1])
    ):
        raise DataError(
            f"{path}: {jpeg}: not JPEG files one after the other; give their bytes as uint8, and "
            "in 'offsets' where each begins and the last one ends"
        )
    names = [f"{path}: {jpeg}: picture {number}" for number in range(len(ends) - 1)]
    parts = (data[start:stop].tobytes() for start, stop in pairwise(ends))
    decoded = (picture_in(part, name, "JPEG") for name, part in zip(names, parts, strict=True))
    return stacked(zip(names, decoded, strict=True), len(names))
