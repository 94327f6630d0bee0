"""What stands in an IDX file, the format of MNIST?

Four bytes (0, 0, type of the values, number of dimensions), then the length of every dimension as a
big-endian 32-bit integer, then the values in C order. Only type 8, unsigned bytes, is read: all published
image sets of this format use it.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError

IMAGES = (3, 4)
"""Dimensions of images: (n, height, width), or (n, height, width, channels)."""

GZIP = b"\x1f\x8b"
_UNSIGNED_BYTE = 8
_CHUNK_BYTES = 1 << 20
_LARGEST_BYTES = 1 << 32
_MAPPED_FROM_BYTES = 1 << 27
_MEANING = {1: "labels", 3: "images"}


def read_idx(path: str | Path, dimensions: int | tuple[int, ...]) -> NDArray[np.uint8]:
    """Read a file of unsigned bytes, compressed with gzip or plain.

    Never more memory is used than the file really fills, whatever its header promises. A plain file of
    128 MiB or more is not read but mapped, so that it may be larger than the memory; it must stay as it
    is while the array is in use.

    Parameters
    ----------
    path : str or Path
        The file; its first bytes say whether it is compressed, not its name.
    dimensions : int or tuple of int
        How many there may be: `IMAGES` for images (n, height, width), or with channels, 1 for labels (n,).

    Returns
    -------
    ndarray of uint8
        C order, no dimension empty; writable, or a `numpy.memmap` that is not.

    Raises
    ------
    DataError
        If the file is missing, damaged, or holds anything else.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            plain = file.read(2) != GZIP
            file.seek(0)
            stream = file if plain else cast(BinaryIO, gzip.GzipFile(fileobj=file))
            allowed = (dimensions,) if isinstance(dimensions, int) else dimensions
            return _parse(stream, path, allowed, plain=plain)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = str(error) or type(error).__name__
        raise DataError(f"{path}: damaged gzip file ({reason}); fetch or copy it again") from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; name an IDX file that can be read") from None


def _parse(stream: BinaryIO, path: Path, allowed: tuple[int, ...], *, plain: bool) -> NDArray[np.uint8]:
    magic = _read(stream, 4)
    if not magic:
        raise DataError(f"{path}: the file is empty; fetch or copy it again")
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DataError(f"{path}: not an IDX file (starts with {magic.hex()}); name one, plain or gzip")
    if magic[2] != _UNSIGNED_BYTE:
        raise DataError(f"{path}: values of IDX type 0x{magic[2]:02x}; convert them to unsigned bytes (0x08)")
    dimensions = magic[3]
    if dimensions not in allowed:
        raise DataError(
            f"{path}: {dimensions} dimension(s) where {_MEANING.get(allowed[0], 'data')} have "
            f"{' or '.join(map(str, allowed))}; check that images and labels are not swapped"
        )
    header = _read(stream, 4 * dimensions)
    if len(header) < 4 * dimensions:
        raise DataError(f"{path}: truncated within its header; fetch or copy it again")
    shape = struct.unpack(f">{dimensions}I", header)
    promised = math.prod(shape)
    mapped_bytes = 4 + len(header) + promised
    if plain and promised >= _MAPPED_FROM_BYTES and path.stat().st_size == mapped_bytes:
        return np.memmap(path, np.uint8, "r", offset=4 + len(header), shape=shape)
    if promised == 0:
        raise DataError(f"{path}: holds no values (shape {shape}); give at least one image of one pixel")
    if promised > _LARGEST_BYTES:
        raise DataError(
            f"{path}: its header promises {promised} bytes; copy it again, or unpack it if it is compressed "
            f"(above {_LARGEST_BYTES} bytes only plain files are read)"
        )
    # One byte more than promised, so that trailing bytes show and gzip reaches and checks its checksum.
    values = _read(stream, promised + 1)
    if len(values) < promised:
        raise DataError(
            f"{path}: truncated, {len(values)} of the {promised} values that shape {shape} needs; "
            "fetch or copy it again"
        )
    if len(values) > promised:
        raise DataError(f"{path}: more than the {promised} bytes of shape {shape}; fetch or copy it again")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def _read(stream: BinaryIO, count: int) -> bytearray:
    """Read up to `count` bytes in chunks, so that a lying count allocates nothing."""
    values = bytearray()
    while chunk := stream.read(min(_CHUNK_BYTES, count - len(values))):
        values += chunk
    return values
