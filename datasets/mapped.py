"""How are samples used that fill more than the memory? They stay in their file and are read in pieces."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.datasets.events import Recordings

_PIECE_BYTES = 1 << 23


class MappedImages:
    """Images of a file; looks like an array, but only what an index asks for is read.

    The file is mapped anew for each reading, so that pages that were looked at do not pile up in memory.

    Parameters
    ----------
    path : Path
        A file that stays as it is meanwhile.
    offset_bytes : int
        Where the first image starts in the file.
    file_shape : tuple of int
        Number of images in the file, height and width, and perhaps channels.
    which : ndarray of int64, shape (n,)
        Numbers of the images that belong to it, in this order.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self, path: Path, offset_bytes: int, file_shape: tuple[int, ...], which: NDArray[np.int64]
    ) -> None:
        self._path = path
        self._offset_bytes = offset_bytes
        self._file_shape = file_shape
        self._which = which
        self.shape: tuple[int, ...] = (len(which), *file_shape[1:])
        self.ndim = len(self.shape)
        self.size = math.prod(self.shape)

    @classmethod
    def all_of(cls, images: "np.memmap[Any, np.dtype[np.uint8]]") -> "MappedImages":
        """Return all images of an array that `numpy.memmap` made."""
        return cls(Path(str(images.filename)), images.offset, images.shape, np.arange(len(images)))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: slice | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Read images: those of a slice, or those of the given numbers."""
        try:
            file = np.memmap(self._path, np.uint8, "r", self._offset_bytes, self._file_shape)
        except (OSError, ValueError):
            raise DataError(
                f"{self._path}: was removed or cut while it was in use; bring it back and start again"
            ) from None
        return np.array(file[self._which[index]], copy=None)

    def part(self, index: slice | NDArray[np.bool_] | NDArray[np.int64]) -> "MappedImages":
        """Return some of the images without reading them."""
        return MappedImages(self._path, self._offset_bytes, self._file_shape, self._which[index])


Images: TypeAlias = NDArray[np.uint8] | MappedImages | Recordings
"""Images in memory or in a file, or what stands in their place: recordings of an event camera."""


def part_of(images: Images, which: slice | NDArray[np.bool_] | NDArray[np.int64]) -> Images:
    """Return some of the images, those of a file without reading them."""
    return images.part(which) if isinstance(images, MappedImages) else images[which]


def in_pieces(images: Images) -> Iterator[NDArray[np.uint8]]:
    """Go through all images in their order: an array at once, those of a file in pieces of 8 MiB.

    Of recordings they are the frames of counted events.
    """
    if isinstance(images, np.ndarray):
        yield images
        return
    if isinstance(images, Recordings):
        for some in images.pieces():
            yield some.frames()
        return
    count = max(1, _PIECE_BYTES * len(images) // max(1, images.size))
    for start in range(0, len(images), count):
        yield images[start : start + count]


def contents(images: Images) -> Iterator[NDArray[Any]]:
    """Go through all that tells these images, or recordings, from others; for a checksum."""
    if not isinstance(images, Recordings):
        yield from map(np.ascontiguousarray, in_pieces(images))
        return
    yield from (images.offsets, images.x, images.y, images.p, images.t_us)
