"""What does an event camera record? When which pixel became brighter, or darker."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.base.printing import Printed

POLARITIES = 2
"""Channels of a recording: 0 is OFF (darker), 1 is ON (brighter)."""

_LARGEST_SENSOR = 1 << 14
_PIECE_BYTES = 1 << 23


@dataclass(frozen=True, eq=False, repr=False)
class Recordings(Printed):
    """Recordings of an event camera, one after the other; taken apart like an array of samples.

    An index is a slice, numbers or a mask, and gives recordings too. Integers of any type are accepted and
    kept in those below.

    Parameters
    ----------
    x, y : ndarray of uint16, shape (n_events,)
        Column and row of the pixel of each event.
    p : ndarray of uint8, shape (n_events,)
        Polarity: 1 is ON (brighter), 0 is OFF (darker).
    t_us : ndarray of int64, shape (n_events,)
        Microseconds since the start of the recording; within one they never decrease.
    offsets : ndarray of int64, shape (n + 1,)
        The events of recording m are those from ``offsets[m]`` up to ``offsets[m + 1]``.
    height, width : int
        Pixels of the sensor.

    Raises
    ------
    DataError
        If they do not fit together, an event is outside the sensor, or time goes back.

    Examples
    --------
    >>> import numpy as np
    >>> x, y, p, t_us = np.array([[0, 2, 1], [1, 0, 0], [1, 0, 1], [0, 900, 2500]])
    >>> recordings = Recordings(x, y, p, t_us, offsets=np.array([0, 2, 3]), height=2, width=3)
    >>> recordings.shape
    (2, 2, 3, 2)
    >>> offsets, inputs = recordings.binned(steps=3, step_us=1000)
    >>> offsets.tolist(), inputs.tolist()
    ([[0, 2, 2, 2], [2, 2, 2, 3]], [4, 7, 3])
    """

    x: NDArray[Any]
    y: NDArray[Any]
    p: NDArray[Any]
    t_us: NDArray[Any]
    offsets: NDArray[Any]
    height: int
    width: int

    def __str__(self) -> str:
        return f"{len(self):,} of {self.height} x {self.width} pixels, {len(self.t_us):,} events"

    def __post_init__(self) -> None:
        for name, size in (("height", self.height), ("width", self.width)):
            if not 1 <= size <= _LARGEST_SENSOR:
                raise DataError(f"{name}: {size} pixels are not a sensor; give 1 to {_LARGEST_SENSOR}")
        for name in ("x", "y", "p", "t_us", "offsets"):
            values = getattr(self, name)
            if values.ndim != 1 or values.dtype.kind not in "biu":
                raise DataError(
                    f"{name}: {values.dtype} of shape {values.shape}; give whole numbers, one per event"
                )
        counts = {name: len(getattr(self, name)) for name in ("x", "y", "p", "t_us")}
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{count} {name}" for name, count in counts.items())
            raise DataError(f"events: {said}; give one of each per event")
        offsets = self.offsets.astype(np.int64)
        if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(self.x) or (np.diff(offsets) < 0).any():
            raise DataError(
                f"offsets: do not rise from 0 to the {len(self.x)} events; give where each recording begins "
                "and the last one ends"
            )
        self._check_events(offsets)
        kept = {"x": np.uint16, "y": np.uint16, "p": np.uint8, "t_us": np.int64}
        for name, kind in kept.items():
            object.__setattr__(self, name, getattr(self, name).astype(kind, copy=False))
        object.__setattr__(self, "offsets", offsets)

    def _check_events(self, offsets: NDArray[np.int64]) -> None:
        outside = f"is outside the sensor of {self.height}x{self.width} pixels (height x width)"
        limits = {"x": (self.width - 1, outside), "y": (self.height - 1, outside)}
        limits |= {"p": (1, "is not a polarity, 0 for OFF or 1 for ON")}
        limits |= {"t_us": (2**62, "is before the start of the recording")}
        for name, (most, what) in limits.items():
            values = getattr(self, name)
            if len(values) and not 0 <= values.min() <= values.max() <= most:
                event = int(np.argmax((values < 0) | (values > most)))
                raise DataError(
                    f"{name}: {values[event]} of {self._place(offsets, event)} {what}; correct it, or leave "
                    "the event out"
                )
        falls = self.t_us[1:] < self.t_us[:-1]
        falls[offsets[(offsets > 0) & (offsets < len(self.t_us))] - 1] = False
        if falls.any():
            event = int(np.argmax(falls)) + 1
            raise DataError(
                f"t_us: time goes back at {self._place(offsets, event)}, from {self.t_us[event - 1]} to "
                f"{self.t_us[event]} us; sort the events of each recording by time"
            )

    @staticmethod
    def _place(offsets: NDArray[np.int64], event: int) -> str:
        recording = int(np.searchsorted(offsets, event, side="right")) - 1
        return f"event {event - offsets[recording]} of recording {recording}"

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, which: "slice | NDArray[np.bool_] | NDArray[np.int64]") -> "Recordings":
        """Return some recordings: those of a slice, of a mask, or of the given numbers."""
        numbers = np.arange(len(self))[which]
        starts, counts = self.offsets[:-1][numbers], np.diff(self.offsets)[numbers]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        if len(numbers) and (np.diff(numbers) == 1).all():
            chosen: Any = slice(starts[0], starts[0] + offsets[-1])
        else:
            chosen = np.repeat(starts - offsets[:-1], counts) + np.arange(offsets[-1])
        x, y, p, t_us = (array[chosen] for array in (self.x, self.y, self.p, self.t_us))
        return Recordings(x, y, p, t_us, offsets, self.height, self.width)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Recordings, height, width, and channels: the two polarities."""
        return len(self), self.height, self.width, POLARITIES

    @property
    def ndim(self) -> int:
        """Dimensions of `shape`."""
        return len(self.shape)

    def step_us_for(self, steps: int) -> int:
        """Return microseconds of a time step of which so many last as long as the longest recording.

        They are rounded up to two digits.
        """
        step_us = int(self.t_us.max(initial=0)) // steps + 1
        unit: int = 10 ** max(0, len(str(step_us)) - 2)
        return -(-step_us // unit) * unit

    def binned(self, steps: int, step_us: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return which inputs spike in each time step: those with an event in it.

        An input is a pixel and a polarity, ``(y * width + x) * 2 + p``. Events after the last step are left
        out.

        Parameters
        ----------
        steps : int
        step_us : int
            Microseconds of a time step; the first begins with the recording, at ``t_us = 0``.

        Returns
        -------
        offsets : ndarray of int64, shape (n, steps + 1)
            The inputs that spike in step t of recording m are ``inputs[offsets[m, t]:offsets[m, t + 1]]``.
        inputs : ndarray of int32, shape (n_spikes,)
            Within a step in rising order, each once.
        """
        n, n_inputs = len(self), self.height * self.width * POLARITIES
        step = self.t_us // step_us
        shown = step < steps
        place = np.repeat(np.arange(n), np.diff(self.offsets)) * steps + step
        keys = np.sort((place * n_inputs + self._inputs())[shown])
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys
        places, inputs = np.divmod(keys, n_inputs)
        ends = np.cumsum(np.bincount(places, minlength=n * steps)).reshape(n, steps)
        offsets = np.zeros((n, steps + 1), dtype=np.int64)
        offsets[:, 1:] = ends
        offsets[1:, 0] = ends[:-1, -1]
        return offsets, inputs.astype(np.int32)

    def frames(self) -> NDArray[np.uint8]:
        """Return how many events each pixel has of each polarity, at most 255.

        Returns
        -------
        ndarray of uint8, shape (n, height, width, 2)
        """
        n_inputs = self.height * self.width * POLARITIES
        keys = np.repeat(np.arange(len(self)), np.diff(self.offsets)) * n_inputs + self._inputs()
        counts = np.bincount(keys, minlength=len(self) * n_inputs)
        return np.minimum(counts, 255).astype(np.uint8).reshape(self.shape)

    def pieces(self) -> Iterator["Recordings"]:
        """Go through all recordings in their order, a few at a time: their frames take 8 MiB at most."""
        count = max(1, _PIECE_BYTES // (self.height * self.width * POLARITIES))
        for start in range(0, len(self), count):
            yield self[start : start + count]

    def _inputs(self) -> NDArray[np.int64]:
        pixels: NDArray[np.int64] = self.y.astype(np.int64) * self.width + self.x
        inputs: NDArray[np.int64] = pixels * POLARITIES + self.p
        return inputs
