"""How are recordings read in the formats that the package tonic knows? By tonic, if somebody asks for it.

tonic is under the GPL-3: it is an extra, and nothing here imports it but a name that begins with ``tonic:``.
"""

import contextlib
import difflib
import inspect
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError, DataError
from fspinn.datasets.events import Recordings
from fspinn.datasets.labelled import Labelled, labelled
from fspinn.datasets.pictures import reason
from fspinn.datasets.storage import cache_folder

PREFIX = "tonic:"


def read_with_tonic(name: str, data_dir: str | Path | None) -> tuple[Labelled, Labelled | None]:
    """Return what to train on and what to test with (or None) of a data set of tonic.

    tonic looks for its files in the folder ``NAME`` in `data_dir`, ``$FSPINN_DATA_DIR`` or this user's cache,
    the first of them that is named, and downloads them to there if they are absent. The times of a recording
    count from its first event.

    Parameters
    ----------
    name : str
        Such as ``"tonic:NMNIST"``: a class of ``tonic.datasets`` whose samples are events with one label.
    data_dir : str or Path or None

    Raises
    ------
    ConfigError
        If tonic is not installed.
    DataError
        If tonic has no such data set, cannot read it, or its samples are something else.
    """
    kind = _kind(name)
    folder = data_dir or os.environ.get("FSPINN_DATA_DIR") or cache_folder()
    given = {"save_to": os.path.expanduser(folder)}
    if "train" not in inspect.signature(kind).parameters:
        return _read(name, kind, given), None
    return _read(name, kind, {**given, "train": True}), _read(name, kind, {**given, "train": False})


def _kind(name: str) -> Any:
    try:
        from tonic import datasets
    except ImportError as error:
        raise ConfigError(
            f"{name}: the package tonic cannot be imported ({error}); pip install 'fspinn[events]'"
        ) from None
    known, asked = list(datasets.__all__), name.removeprefix(PREFIX)
    if asked not in known:
        close = difflib.get_close_matches(asked.upper(), known, n=1)
        hint = f"did you mean {PREFIX}{close[0]}? " if close else ""
        raise DataError(f"{name}: tonic has no such data set; {hint}give one of {', '.join(known)}")
    return getattr(datasets, asked)


def _read(name: str, kind: Any, given: dict[str, Any]) -> Labelled:
    part = "" if given.get("train", True) else "test "
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where tonic says what it downloads
            found = kind(**given)
            samples = [_event_arrays(*found[number]) for number in range(len(found))]
    except DataError as error:
        raise DataError(f"{name}: {part}{error}".replace("t_us", "t")) from None
    except Exception as error:  # of networks, archives and files, each of its own class
        raise DataError(
            f"{name}: tonic cannot read it in {given['save_to']} ({reason(error)}); name the folder of its "
            "files with --data-dir, or check the network"
        ) from None
    if not samples:
        raise DataError(f"{name}: holds no {part}recordings in {given['save_to']}; download it again")
    columns = zip(*(events for events, _ in samples), strict=True)
    x, y, p, t_us = (np.concatenate(column) for column in columns)
    offsets = np.concatenate([[0], np.cumsum([len(events[0]) for events, _ in samples])])
    width, height = _sensor(kind, x, y)
    try:
        recordings = Recordings(x, y, p, t_us, offsets, height, width)
    except DataError as error:
        raise DataError(f"{name}: {part}{error}".replace("t_us", "t")) from None
    labels = np.array([label for _, label in samples])
    names = [one.decode() if isinstance(one, bytes) else str(one) for one in getattr(found, "classes", ())]
    where = f"{name}: {part}recordings"
    return labelled(recordings, labels, where, where, names=names or None)


def _event_arrays(events: Any, label: Any) -> tuple[tuple[NDArray[Any], ...], Any]:
    """Return x, y, p and the time since the first event of a recording, and its label."""
    fields = getattr(getattr(events, "dtype", None), "names", None) or ()
    if not {"x", "t"} <= set(fields) or not isinstance(label, int | str | np.integer):
        raise DataError("its samples are not events with one label each; choose another data set of tonic")
    axes = [axis for axis in ("x", "y") if axis in fields]
    if any(len(events) and not 0 <= events[axis].min() <= events[axis].max() < 2**16 for axis in axes):
        raise DataError("its events are outside of 0 to 65535 pixels; choose another data set of tonic")
    none = np.zeros(len(events), dtype=np.uint16)
    x, y = (events[axis].astype(np.uint16) if axis in axes else none for axis in ("x", "y"))
    p = events["p"] > 0 if "p" in fields else none
    times = events["t"].astype(np.int64)
    return (x, y, p.astype(np.uint8), times - times[:1].sum()), label


def _sensor(kind: Any, x: NDArray[np.uint16], y: NDArray[np.uint16]) -> tuple[int, int]:
    """Return width and height: what tonic says, or what is seen."""
    size = getattr(kind, "sensor_size", None)
    if size is not None:
        return int(size[0]), int(size[1])
    return int(x.max(initial=0)) + 1, int(y.max(initial=0)) + 1
