"""What is in a folder? Pictures or wav files, those of each class in a folder of its own."""

import os
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError, FspinnWarning
from fspinn.datasets.labelled import Labelled, labelled
from fspinn.datasets.pictures import FORMATS, read_picture, stacked
from fspinn.datasets.reading import Reading
from fspinn.datasets.sounds import Sound, check_alike, of_length, read_wav

WAV = ".wav"
_KINDS = (*FORMATS, WAV)
_OF_SYSTEMS = ("Thumbs.db", "desktop.ini")
_NAMED = f"pictures ({', '.join(FORMATS)}) or {WAV} files"


class _File(NamedTuple):
    path: Path
    class_name: str
    group: str | None


def read_class_folders(folder: Path, reading: Reading) -> tuple[Labelled, Labelled | None]:
    """Read ``folder/<class>/*``, or ``folder/train/<class>/*`` and ``folder/test/<class>/*``.

    Folders inside those of classes are groups.

    Raises
    ------
    DataError
        If there are no pictures or wav files, or some are damaged or do not fit to the others.
    """
    train, test = folder / "train", folder / "test"
    try:
        if not (train.is_dir() and _folders_in(train)):
            return _read_classes(folder, reading), None
        return _read_classes(train, reading), _read_classes(test, reading) if test.is_dir() else None
    except OSError as error:
        raise DataError(f"{error.filename or folder}: {error.strerror or error}; make it readable") from None


def is_sample(path: Path) -> bool:
    """Return whether the name of a file says that it is a picture or wav file."""
    return path.suffix.lower() in _KINDS and path.name[0] != "."


def one_picture(path: Path, reading: Reading) -> NDArray[np.uint8]:
    """Return the picture of a file, in grey and of the size that is asked for."""
    picture: NDArray[np.uint8] = np.asarray(reading.images(read_picture(path)[None], str(path)))[0]
    return picture


def _folders_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_sample(path))


def _read_classes(folder: Path, reading: Reading) -> Labelled:
    folders = _folders_in(folder)
    if not folders:
        raise DataError(
            f"{folder}: holds no folders; put the {_NAMED} of each class into a folder of its own"
        )
    files = [file for class_folder in folders for file in _files_of_class(class_folder)]
    groups_too = [each for one in folders for each in (one, *_folders_in(one))]
    warn_of_others([path for each in groups_too for path in each.iterdir()], folder)
    grouped = [file for file in files if file.group is not None]
    if 0 < len(grouped) < len(files):
        single = next(file.path for file in files if file.group is None)
        raise DataError(
            f"{single}: is in no group, but {grouped[0].path} is; put all into folders of groups, or none"
        )
    sounds = [file for file in files if file.path.suffix.lower() == WAV]
    if 0 < len(sounds) < len(files):
        raise DataError(f"{sounds[0].path}: a sound among pictures; keep one of the two kinds")
    recorded = None
    if sounds:
        reading.refuse(("resize", "grey"), str(folder), "holds signals, not images")
        samples, recorded = _signals(folder, files, reading)
    else:
        reading.refuse(("length",), str(folder), "holds images, not signals")
        samples = stacked(((str(file.path), one_picture(file.path, reading)) for file in files), len(files))
    labels = np.array([file.class_name for file in files])
    groups = np.array([file.group for file in files]) if grouped else None
    where = str(folder)
    read = labelled(samples, labels, where, where, signals=bool(sounds), groups=groups)
    return replace(read, recorded=recorded)


def _files_of_class(folder: Path) -> list[_File]:
    files = [_File(path, folder.name, None) for path in _files_in(folder)]
    files += [
        _File(path, folder.name, group.name) for group in _folders_in(folder) for path in _files_in(group)
    ]
    if not files:
        others = _others(list(folder.iterdir()))
        what = f"{_NAMED} (it has {others})" if others else _NAMED
        raise DataError(f"{folder}: holds no {what}; add some or remove the folder")
    return files


def warn_of_others(paths: list[Path], folder: Path) -> None:
    """Warn of files whose type is not known, if there are any among these of a folder."""
    if others := _others(paths):
        warnings.warn(
            f"{folder}: files of other types are left out ({others}); save them as {_NAMED}, or remove them",
            FspinnWarning,
            stacklevel=3,
        )


def _others(paths: list[Path]) -> str:
    """Return how many files of each type that is not known are there; nothing if there are none."""
    others = [
        path
        for path in paths
        if path.is_file() and not is_sample(path) and path.name[0] != "." and path.name not in _OF_SYSTEMS
    ]
    counts = Counter(path.suffix.lower() or "without ending" for path in others)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def _signals(folder: Path, files: list[_File], reading: Reading) -> tuple[NDArray[Any], str]:
    sounds: list[Sound] = []
    for file in files:
        sounds.append(read_wav(file.path))
        check_alike(file.path, sounds[-1], sounds[0])
    names = [os.fspath(file.path) for file in files]
    signals = of_length([sound.signal for sound in sounds], reading.length, str(folder), names)
    return signals, sounds[0].recorded
