"""How does training survive? The state of a run, in one file that is replaced now and then.

A run that is resumed from its file ends with the same bits as one that never stopped: the state holds all
that learning depends on, random numbers are a function of the presentation's number, and a file is refused
that comes from other settings, other images or other compiled kernels.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base import files
from fspinn.base import hdf5 as sealed
from fspinn.base.checks import whole_number
from fspinn.base.errors import ConfigError, ModelFileError
from fspinn.learning.curve import Curve
from fspinn.model.activity import Activity
from fspinn.model.store import layer_arrays, layer_settings, layers_from
from fspinn.model.tensors import LayerTensors

FORMAT_VERSION = 5

EVERY_S = 30.0
"""Time between two checkpoints, where their distance in presentations is not given."""

_FIX = "remove it to start from the beginning"
_SHOWN_CHARACTERS = 16
_CURVE = tuple(part.name for part in fields(Curve))
_ARRAYS = ("weights", "theta", "state_range")


@dataclass(frozen=True, eq=False)
class State:
    """A run that has come so far.

    Parameters
    ----------
    presentations : int
        How many images were shown to the layer that learns; an image counts each time.
    weights : ndarray of float32 or uint8, shape (n_inputs, n_neurons)
    theta : ndarray of float32 or int32, shape (n_neurons,)
        Both whole numbers where a network learns in integers.
    activity : tuple of Activity
        What it and the layers before it have done since the beginning.
    curve : Curve
    state_range : ndarray of int64, shape (3,)
        `fspinn.lowering.integers.Range` since the beginning, where a network learns in integers.
    below : tuple of LayerTensors, default ()
        The layers before it, which have learned.
    """

    presentations: int
    weights: NDArray[Any]
    theta: NDArray[Any]
    activity: tuple[Activity, ...]
    curve: Curve
    state_range: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, dtype=np.int64))
    below: tuple[LayerTensors, ...] = ()

    def copy(self) -> "State":
        """Return a state that no learning changes any more."""
        return replace(self, **{name: getattr(self, name).copy() for name in _ARRAYS})


def save(path: Path, run: Mapping[str, Any], state: State) -> None:
    """Write a checkpoint; the one before is replaced only when the new one is whole.

    Parameters
    ----------
    path : Path
    run : mapping
        All that the bits of the run depend on, as plain values that fit in JSON.
    state : State

    Raises
    ------
    ModelFileError
        If the file cannot be written; the one before stays.
    """
    settings = {
        "format_version": FORMAT_VERSION,
        "run": dict(run),
        "presentations": state.presentations,
        "activity": [activity.as_dict() for activity in state.activity],
        "below": [layer_settings(layer) for layer in state.below],
    }
    curve = {name: getattr(state.curve, name) for name in _CURVE}
    arrays = {**{name: getattr(state, name) for name in _ARRAYS}, **curve, **layer_arrays(state.below)}
    sealed.write(path, "checkpoint", settings, arrays, compressed=False)


def load(path: Path, run: Mapping[str, Any]) -> State:
    """Read the checkpoint of a run.

    Raises
    ------
    ModelFileError
        If the file is damaged or not a checkpoint.
    ConfigError
        If it is of another run than `run`; the message names all that differs.
    """
    settings, arrays = sealed.read(path, "checkpoint", version=FORMAT_VERSION, fix=_FIX)
    try:
        theirs = settings["run"]
        state = State(
            presentations=settings["presentations"],
            activity=tuple(Activity(**counts) for counts in settings["activity"]),
            below=layers_from(settings["below"], arrays),
            curve=Curve(**{name: arrays[name] for name in _CURVE}),
            **{name: arrays[name] for name in _ARRAYS},
        )
        differences = [
            f"{name} {_short(theirs.get(name))} there, {_short(run.get(name))} here"
            for name in {**run, **theirs}
            if theirs.get(name) != run.get(name)
        ]
    except (*sealed.UNREADABLE, AttributeError) as error:
        raise sealed.unreadable(path, error, _FIX) from None
    if differences:
        raise ConfigError(
            f"{path}: is of another run ({'; '.join(differences)}); repeat the command it is from, or remove "
            "it to start from the beginning"
        )
    return state


def remove(path: Path) -> None:
    """Remove a checkpoint and what killed processes left of unfinished ones."""
    target = files.real_file(path)
    target.unlink(missing_ok=True)
    for name in os.listdir(target.parent):
        # The temporary names of fspinn.base.files.
        if name.startswith(f".{target.stem}.") and name.endswith(path.suffix):
            target.with_name(name).unlink(missing_ok=True)


class CheckpointWriter:
    """Keeps the latest state of one run: in memory after every batch, in a file now and then.

    Parameters
    ----------
    path : path-like
        File of the checkpoint.
    every : int or None, default None
        Presentations between two checkpoints, rounded up to whole batches; None is every 30 seconds. The
        result does not depend on it.
    resume : bool, default False
        Continue from the file, if it is there.

    Raises
    ------
    ConfigError
        If there is a checkpoint already that is not to be resumed, or `every` makes no sense.
    ModelFileError
        If something else than a regular file is there, or the folder cannot be written to.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, every: int | None = None, resume: bool = False
    ) -> None:
        self.path = Path(path)
        self.every = None if every is None else whole_number("checkpoint_every", every, 1, 2**63)
        there = os.path.exists(self.path)
        if there and not resume:
            raise ConfigError(
                f"{self.path}: holds a run that was stopped; continue it with resume (--resume), or remove "
                "the file to start from the beginning"
            )
        try:
            target = files.real_file(self.path)
        except OSError as error:
            raise ModelFileError(
                f"{self.path}: cannot be written ({error.strerror}); name another file"
            ) from None
        if not os.access(target.parent, os.W_OK):
            raise ModelFileError(
                f"{self.path}: cannot be written (no such folder, or no right to write there); choose a "
                "folder with space and rights"
            )
        self._resumes = there
        self._run: Mapping[str, Any] = {}
        self._state: State | None = None
        self._saved = (0, 0)
        self._saved_at_s = 0.0

    def start(self, run: Mapping[str, Any]) -> State | None:
        """Say which run it is; return the state to continue from, None at the beginning."""
        self._run = run
        self._saved_at_s = time.monotonic()
        if not self._resumes:
            return None
        state = load(self.path, run)
        self._saved = _place(state)
        return state

    def keep(self, state: State) -> None:
        """Take note of a state, whose arrays must not change any more; write it if it is time."""
        self._state = state
        if self.every is not None:
            layer, presentations = self._saved
            before = presentations if layer == len(state.below) else 0
            due = state.presentations - before >= self.every
        else:
            due = time.monotonic() - self._saved_at_s >= EVERY_S
        if due:
            self.save()

    def save(self) -> None:
        """Write the latest state, unless nothing was shown since the last time.

        Raises
        ------
        ModelFileError
            If the file cannot be written; the checkpoint before stays.
        """
        if self._state is None or _place(self._state) == self._saved:
            return
        save(self.path, self._run, self._state)
        self._saved = _place(self._state)
        self._saved_at_s = time.monotonic()


def _place(state: State) -> tuple[int, int]:
    """Return how far a run is: the number of the layer that learns, and its presentations."""
    return len(state.below), state.presentations


def _short(value: Any) -> str:
    return f"{value}"[:_SHOWN_CHARACTERS]
