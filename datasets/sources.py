"""Which images is a network to answer? Those of files that nobody has labelled, or of a split, by number."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.datasets.dataset import check_images
from fspinn.datasets.idx import GZIP, read_idx
from fspinn.datasets.mapped import Images, MappedImages, part_of
from fspinn.datasets.own import npy_array, npz_arrays, read_png


@dataclass(frozen=True, eq=False)
class Source:
    """Images that follow one another in a file or split.

    Parameters
    ----------
    name : str
        Path of the file, or name of the data set and split.
    images : ndarray of uint8 or MappedImages, shape (n, height, width)
    labels : ndarray of int64, shape (n,), or None, default None
        None where they are not known.
    first : int, default 0
        Number of the first of these images in the file or split.
    """

    name: str
    images: Images
    labels: NDArray[np.int64] | None = None
    first: int = 0

    def __len__(self) -> int:
        return len(self.images)

    def part(self, start: int, stop: int) -> "Source":
        """Return the images from one place to another."""
        labels = None if self.labels is None else self.labels[start:stop]
        return Source(self.name, part_of(self.images, slice(start, stop)), labels, self.first + start)


def read_images(path: str | Path) -> list[Source]:
    """Read images without labels.

    Parameters
    ----------
    path : str or Path
        A PNG file; a folder of PNGs, those in folders inside it too; an ``.npz`` file with the array
        ``images``; an ``.npy`` file; an IDX file of images, plain or gzip.

    Returns
    -------
    list of Source
        One per file; each PNG is a file of one image, and those of a folder come in the order of their names.

    Raises
    ------
    DataError
        If there is no such file, it holds no images, or is damaged.
    """
    path = Path(os.path.expanduser(path))
    # os.path answers False where pathlib raises: no permission, too long a name.
    if not os.path.exists(path):
        raise DataError(f"{path}: no such file or folder; name images")
    try:
        if path.is_dir():
            return [Source(str(file), read_png(file)[None]) for file in _pngs_in(path)]
        return [Source(str(path), _read_file(path))]
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


def _pngs_in(folder: Path) -> list[Path]:
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() == ".png" and not any(p[0] == "." for p in file.relative_to(folder).parts)
    ]
    if not files:
        raise DataError(f"{folder}: holds no .png files; name a folder that does, or a file of images")
    return files


def _read_file(path: Path) -> Images:
    kind = path.suffix.lower()
    if kind == ".png":
        return read_png(path)[None]
    if kind == ".npz":
        arrays = npz_arrays(path)
        if "images" not in arrays:
            raise DataError(
                f"{path}: holds no array 'images' (it holds {', '.join(arrays) or 'nothing'}); save it with "
                "numpy.savez(file, images=...)"
            )
        images = arrays["images"]
    elif kind == ".npy":
        images = npy_array(path)
        images = images[None] if images.ndim == 2 else images
    else:
        with path.open("rb") as file:
            if file.read(2) not in (b"\0\0", GZIP):
                raise DataError(
                    f"{path}: not images in a form that fspinn knows; give a PNG, a folder of PNGs, an .npz, "
                    ".npy or IDX file"
                )
        images = read_idx(path, 3)
    check_images(images, str(path))
    return MappedImages.all_of(images) if isinstance(images, np.memmap) else images
