"""What is in a wav file? A signal, with one channel or several."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError, FspinnWarning
from fspinn.datasets.pictures import reason


@dataclass(frozen=True, eq=False)
class Sound:
    """A signal and how many values there are in a second.

    Parameters
    ----------
    signal : ndarray, shape (length,) or (length, channels)
    rate_hz : int
    """

    signal: NDArray[Any]
    rate_hz: int

    @property
    def recorded(self) -> str:
        """How it was recorded, in words: what signals have to share to be compared."""
        return f"{self.rate_hz} values per second of {self.signal.dtype}"


def read_wav(path: Path) -> Sound:
    """Read a wav file of integers or floats.

    Raises
    ------
    DataError
        If it is damaged, truncated, or holds no values.
    """
    from scipy.io import wavfile

    data = path.read_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", wavfile.WavFileWarning)  # such as: reached the end prematurely
            warnings.filterwarnings("ignore", "Chunk", wavfile.WavFileWarning)  # titles and the like
            rate_hz, signal = wavfile.read(io.BytesIO(data))
    except Exception as error:  # ValueError, struct.error, EOFError, ... for damaged files
        raise DataError(
            f"{path}: damaged or unknown wav file ({reason(error)}); save it again as PCM"
        ) from None
    if signal.size == 0:
        raise DataError(f"{path}: holds no sound; record it again or remove the file")
    if signal.dtype.kind == "f" and not np.isfinite(signal).all():
        raise DataError(f"{path}: holds NaN or infinity; save it again")
    return Sound(signal[:, 0] if signal.ndim == 2 and signal.shape[1] == 1 else signal, int(rate_hz))


def check_alike(path: Path, sound: Sound, first: Sound) -> None:
    """Raise `DataError` if a sound is of another kind than the first one."""
    if sound.rate_hz != first.rate_hz:
        raise DataError(
            f"{path}: {sound.rate_hz} values per second where the first file has {first.rate_hz}; bring "
            "all to one rate"
        )
    kinds = [f"{one.signal.dtype} with {_channels(one)} channel(s)" for one in (sound, first)]
    if kinds[0] != kinds[1]:
        raise DataError(f"{path}: {kinds[0]} where the first file has {kinds[1]}; save all alike")


def of_length(signals: list[NDArray[Any]], length: int | None, where: str, names: list[str]) -> NDArray[Any]:
    """Return signals as one array, cut or padded to a length; a `FspinnWarning` says how many were.

    Parameters
    ----------
    signals : list of ndarray, shape (length,) or (length, channels)
    length : int or None
        None where all must be alike.
    where : str
        What the line starts with.
    names : list of str
        Of the files, for the message about another length.
    """
    if length is None:
        for name, signal in zip(names, signals, strict=True):
            if len(signal) != len(signals[0]):
                raise DataError(
                    f"{name}: {len(signal)} values where the signals before have {len(signals[0])}; cut "
                    "or pad all with --length"
                )
        return np.stack(signals)
    first = signals[0]
    silence = 128 if first.dtype == np.uint8 else 0
    whole = np.full((len(signals), length, *first.shape[1:]), silence, dtype=first.dtype)
    cut = sum(len(signal) > length for signal in signals)
    padded = sum(len(signal) < length for signal in signals)
    for number, signal in enumerate(signals):
        whole[number, : len(signal)] = signal[:length]
    if cut or padded:
        warnings.warn(
            f"{where}: of {len(signals)} signals {cut} were cut and {padded} padded to --length {length}",
            FspinnWarning,
            stacklevel=2,
        )
    return whole


def _channels(sound: Sound) -> int:
    return sound.signal.shape[1] if sound.signal.ndim == 2 else 1
