"""Which images is a network to answer? Those of files that nobody has labelled, or of a split, by number."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.datasets.conversion import as_pixels
from fspinn.datasets.events import Recordings
from fspinn.datasets.folders import WAV, is_sample, one_picture, warn_of_others
from fspinn.datasets.idx import GZIP, IMAGES, read_idx
from fspinn.datasets.mapped import Images, MappedImages, part_of
from fspinn.datasets.npz import features_in, npy_array, npz_arrays, samples_in
from fspinn.datasets.own import CSV
from fspinn.datasets.pictures import FORMATS
from fspinn.datasets.reading import Reading
from fspinn.datasets.scale import Scale
from fspinn.datasets.sounds import of_length, read_wav
from fspinn.datasets.tables import read_table, samples_of


@dataclass(frozen=True, eq=False)
class Source:
    """Images that follow one another in a file or split.

    Parameters
    ----------
    name : str
        Path of the file, or name of the data set and split.
    images : ndarray of uint8, MappedImages or Recordings, shape (n, height, width[, channels])
    labels : ndarray of int64, shape (n,), or None, default None
        None where they are not known.
    first : int, default 0
        Number of the first of these images in the file or split.
    features, feature_names
        As in `Split`.
    """

    name: str
    images: Images
    labels: NDArray[np.int64] | None = None
    first: int = 0
    features: NDArray[np.float32] | None = None
    feature_names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def part(self, start: int, stop: int) -> "Source":
        """Return the images from one place to another."""
        part = slice(start, stop)
        return replace(
            self,
            images=part_of(self.images, part),
            labels=None if self.labels is None else self.labels[part],
            first=self.first + start,
            features=None if self.features is None else self.features[part],
        )


def read_images(path: str | Path, reading: Reading = Reading(), scale: Scale | None = None) -> list[Source]:
    """Read images, or signals, without labels.

    Parameters
    ----------
    path : str or Path
        A picture (PNG, JPEG, BMP, TIFF) or wav file; a folder of them, those in folders inside it too; an
        ``.npz`` file with the array ``images`` or ``signals``, or those of events; an ``.npy`` or CSV file;
        an IDX file of images, plain or gzip.
    reading : Reading, default Reading()
        What is asked for beyond what files hold.
    scale : Scale, optional
        How signals become images, as the model that is to answer them says.

    Returns
    -------
    list of Source
        One per file; each picture is a file of one image, and those of a folder come in the order of their
        names.

    Raises
    ------
    DataError
        If there is no such file, it holds no images, or is damaged; or signals and there is no scale.
    """
    path = Path(os.path.expanduser(path))
    # os.path answers False where pathlib raises: no permission, too long a name.
    if not os.path.exists(path):
        raise DataError(f"{path}: no such file or folder; name images")
    try:
        files = _files_below(path) if path.is_dir() else [path]
        return [_read_file(file, reading, scale) for file in files]
    except OSError as error:
        raise DataError(f"{error.filename or path}: {error.strerror or error}; make it readable") from None


def first(sources: Iterable[Source], count: int) -> Iterator[Source]:
    """Yield so many images of all sources together, the first ones."""
    for source in sources:
        if count > 0:
            yield source.part(0, count)
        count -= len(source)


def numbered(sources: Sequence[Source], numbers: Iterable[int]) -> Iterator[Source]:
    """Yield single images by their numbers, counted from 0 over all sources together."""
    ends = np.cumsum([len(source) for source in sources])
    for number in numbers:
        if not 0 <= number < ends[-1]:
            raise DataError(f"index: no image has the number {number}; give one from 0 to {ends[-1] - 1}")
        k = int(np.searchsorted(ends, number, side="right"))
        place = number - int(ends[k]) + len(sources[k])
        yield sources[k].part(place, place + 1)


def _files_below(folder: Path) -> list[Path]:
    below = [
        file
        for file in sorted(folder.rglob("*"))
        if not any(part[0] == "." for part in file.relative_to(folder).parts)
    ]
    files = [file for file in below if is_sample(file)]
    if not files:
        raise DataError(
            f"{folder}: holds no pictures ({', '.join(FORMATS)}) or {WAV} files; name a folder that does, "
            "or a file of images"
        )
    warn_of_others(below, folder)
    return files


def _read_file(path: Path, reading: Reading, scale: Scale | None) -> Source:
    kind = path.suffix.lower()
    if kind in FORMATS:
        return Source(str(path), one_picture(path, reading)[None])
    read = _samples(path, kind, reading, scale)
    images = _as_images(path, read.samples, read.signals, reading, scale)
    names = read.feature_names if read.features is not None else None
    return Source(str(path), images, features=read.features, feature_names=names)


def _as_images(path: Path, samples: Any, signals: bool, reading: Reading, scale: Scale | None) -> Images:
    if isinstance(samples, Recordings):
        reading.refuse(("resize", "grey", "length"), str(path), "holds recordings of events")
        return samples
    if isinstance(samples, np.memmap):
        samples = MappedImages.all_of(samples)
    if not signals:
        return reading.images(as_pixels(samples, str(path)), str(path))
    if scale is None:
        raise DataError(f"{path}: holds signals, but the model was trained on images; give it images")
    if reading.length is not None:
        samples = of_length(list(samples), reading.length, str(path), [str(path)] * len(samples))
    return scale.applied(samples, str(path))


class _Read(NamedTuple):
    """What is in a file that is not a picture: samples, whether they are signals, and their features."""

    samples: Any
    signals: bool
    features: NDArray[np.float32] | None = None
    feature_names: tuple[str, ...] = ()


def _samples(path: Path, kind: str, reading: Reading, scale: Scale | None) -> _Read:
    if kind == WAV:
        sound = read_wav(path)
        if scale is not None:
            scale.check_recorded(sound.recorded, str(path))
        return _Read(sound.signal[None], True)
    if kind == CSV:
        table = read_table(path, reading)
        signals = reading.shape is None
        return _Read(samples_of(table, reading, path), signals, table.features, reading.features or ())
    if kind == ".npz":
        arrays = npz_arrays(path)
        found = samples_in(path, arrays, part := "train") or samples_in(path, arrays, part := "test")
        if found is None:
            raise DataError(
                f"{path}: holds no array 'images' (it holds {', '.join(arrays) or 'nothing'}); save it with "
                "numpy.savez(file, images=...)"
            )
        _, samples, signals = found
        return _Read(samples, signals, *features_in(path, arrays, part, len(samples)))
    if kind == ".npy":
        array = npy_array(path)
        if scale is not None and (array.dtype != np.uint8 or array.ndim < 3):
            return _Read(array[None] if array.ndim == 1 else array, True)
        return _Read(array[None] if array.ndim == 2 else array, False)
    with path.open("rb") as file:
        if file.read(2) not in (b"\0\0", GZIP):
            raise DataError(
                f"{path}: not images in a form that fspinn knows; give a picture ({', '.join(FORMATS)}), a "
                f"folder of pictures, a {WAV}, .npz, .npy, {CSV} or IDX file"
            )
    return _Read(read_idx(path, IMAGES), False)
