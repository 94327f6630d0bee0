"""How do the values of signals become those of images? One straight line per channel."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError

_PERCENTILES = (0.1, 99.9)
_PIECE = 1 << 20


@dataclass(frozen=True)
class Scale:
    """Which values of a signal become 0 and which 255, in each channel.

    A value becomes ``rint(255 * (value - low) / (high - low))``; what lies outside becomes 0 or 255.
    For integers that is exact: a half goes to the even neighbour.

    Parameters
    ----------
    low, high : tuple of float
        One per channel.
    recorded : str or None, default None
        Of wav files: how those that it was fitted on were recorded (`fspinn.datasets.sounds.Sound`).

    Raises
    ------
    DataError
        If they are not as many, not finite, or `low` is not below `high`.

    Examples
    --------
    >>> import numpy as np
    >>> Scale((-10.0,), (10.0,)).applied(np.array([[-20, -10, 0, 10]])).tolist()
    [[[0, 0, 128, 255]]]
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    recorded: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.low or len(self.low) != len(self.high):
            raise DataError(
                f"Scale: {len(self.low)} low and {len(self.high)} high values; give one of each per channel"
            )
        for low, high in zip(self.low, self.high, strict=True):
            if not (isfinite(255 * (high - low)) and low < high):
                raise DataError(
                    f"Scale: from {low:g} to {high:g} is not a range; give finite values, low < high"
                )

    @classmethod
    def fitted(cls, signals: NDArray[Any], signals_from: str = "signals") -> "Scale":
        """Return the scale from the 0.1 to the 99.9 percentile of each channel: values that occur.

        Outliers beyond them are clipped. A channel that is constant gets a range of 1 above its value.

        Parameters
        ----------
        signals : ndarray, shape (n, length) or (n, length, channels)
            Those to train on: no others should be known to a scale.
        signals_from : str, default "signals"
            Where they are from, for messages.
        """
        check_signals(signals, signals_from)
        channels = signals.reshape(-1, signals.shape[2] if signals.ndim == 3 else 1)
        low, high = np.percentile(channels, _PERCENTILES, axis=0, method="nearest").astype(np.float64)
        high = np.where(high > low, high, low + 1)
        return cls(tuple(low.tolist()), tuple(high.tolist()))

    def check_recorded(self, recorded: str | None, recorded_in: str) -> None:
        """Raise `DataError`, which starts with where they are, if wav files were recorded in another way."""
        if None not in (recorded, self.recorded) and recorded != self.recorded:
            raise DataError(
                f"{recorded_in}: {recorded}, but the model was trained on {self.recorded}; bring it to that"
            )

    def applied(self, signals: NDArray[Any], signals_from: str = "signals") -> NDArray[np.uint8]:
        """Return signals as images.

        Parameters
        ----------
        signals : ndarray, shape (n, length) or (n, length, channels)
        signals_from : str, default "signals"
            Where they are from, for messages.

        Returns
        -------
        ndarray of uint8, shape (n, 1, length) or (n, 1, length, channels)

        Raises
        ------
        DataError
            If they are not signals, hold NaN or infinity, or have other channels.
        """
        check_signals(signals, signals_from)
        channels = signals.shape[2] if signals.ndim == 3 else 1
        if channels != len(self.low):
            raise DataError(
                f"{signals_from}: {channels} channel(s) where the scale has {len(self.low)}; give as many"
            )
        images = np.empty((len(signals), 1, *signals.shape[1:]), dtype=np.uint8)
        low, span = np.array(self.low), np.array(self.high) - np.array(self.low)
        if signals.ndim == 2:
            low, span = low[0], span[0]
        count = max(1, _PIECE // max(1, signals[:1].size))
        for start in range(0, len(signals), count):
            some = np.clip(signals[start : start + count].astype(np.float64), low, low + span)
            images[start : start + count, 0] = np.rint(np.clip(255 * (some - low) / span, 0, 255))
        return images


def check_signals(signals: NDArray[Any], signals_from: str) -> None:
    """Raise `DataError`, which starts with where they are from, if these are not signals."""
    if signals.dtype.kind not in "iuf":
        raise DataError(f"{signals_from}: values are {signals.dtype}; give integers or floats, such as int16")
    if signals.ndim not in (2, 3):
        raise DataError(
            f"{signals_from}: shape {signals.shape} is not (n, length) or (n, length, channels); reshape the "
            "signals"
        )
    if 0 in signals.shape:
        raise DataError(
            f"{signals_from}: empty, shape {signals.shape}; give at least one signal of one value"
        )
    if signals.dtype.kind == "f" and not np.isfinite(signals).all():
        number = int(np.argmin(np.isfinite(signals.reshape(len(signals), -1)).all(axis=1)))
        raise DataError(
            f"{signals_from}: signal {number} holds NaN or infinity; leave it out, or fill the gap"
        )
