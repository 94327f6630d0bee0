"""What is in a picture file? PNG, JPEG, BMP and TIFF, grey or in colour as they are, through Pillow."""

import io
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF"}
"""What Pillow calls the formats, by the endings of their files."""

_MOST_PIXELS = 1 << 26
_LARGEST_BYTES = 1 << 33
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_SIGNATURE = b"\xff\xd8"
# Offsets in the file: signature 8, length and name of the first chunk 8, width 4, height 4, depth 1.
_PNG_DEPTH_AT = 24
_GREY = ("1", "L", "LA", "La")
_COLOUR = ("RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "P", "PA")


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return the picture of a file, shape (height, width) or (height, width, 3).

    Colours stay colours: a file in colour is in colour even where all of them are grey, but for a palette
    of greys. JPEGs are turned as their camera says.

    Raises
    ------
    DataError
        If the file is not a whole picture of 8 bits, or not opaque.
    """
    return picture_in(path.read_bytes(), str(path), FORMATS[path.suffix.lower()])


def picture_in(data: bytes, name: str, kind: str) -> NDArray[np.uint8]:
    """Return the picture of the bytes of a file; `name` is what messages start with (see `read_picture`)."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    _check_ends(data, name, kind)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of sizes that are refused below
            with Image.open(io.BytesIO(data), formats=[kind]) as image:
                _check_header(image, name)
                if kind == "JPEG":
                    ImageOps.exif_transpose(image, in_place=True)
                opaque = not image.has_transparency_data or bool(
                    np.all(np.array(image.convert("RGBA"))[:, :, 3] == 255)
                )
                pixels = np.array(image.convert("L" if _is_grey(image) else "RGB"), dtype=np.uint8)
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(f"{name}: not a whole {kind} file; save it again as {kind}") from None
    except Image.DecompressionBombError:
        raise _too_large(name) from None
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError and others for damaged files
        raise DataError(f"{name}: damaged {kind} ({reason(error)}); save it again") from None
    if not opaque:
        # What shines through is not in the file, and black ink on nothing would become all black.
        raise DataError(f"{name}: partly transparent; flatten it onto a background and save it again")
    return pixels


def reason(error: Exception) -> str:
    """Return the first line of what an error of another library says."""
    return (str(error) or type(error).__name__).splitlines()[0]


def _check_ends(data: bytes, name: str, kind: str) -> None:
    """Refuse what Pillow would let pass: a wrong ending, or a file that is cut behind its last pixels."""
    if kind == "PNG":
        if len(data) <= _PNG_DEPTH_AT or not data.startswith(_PNG_SIGNATURE):
            raise DataError(f"{name}: not a PNG file; save it again as PNG")
        if data[_PNG_DEPTH_AT] == 16:
            raise _too_deep(name, "16 bits a pixel")
    if kind == "JPEG" and not data.startswith(_JPEG_SIGNATURE):
        raise DataError(f"{name}: not a JPEG file; save it again as JPEG")
    if (kind == "PNG" and b"IEND" not in data) or (kind == "JPEG" and b"\xff\xd9" not in data[-4096:]):
        raise DataError(f"{name}: truncated {kind}; save or copy it again")


_BITS_PER_SAMPLE = 258
"""Tag of TIFF."""


def _check_header(image: Any, name: str) -> None:
    width, height = image.size
    if width * height > _MOST_PIXELS:
        raise _too_large(name)
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:  # a telephone's preview does not count
        raise DataError(f"{name}: holds {image.n_frames} pictures; save each as a file of its own")
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        raise _too_deep(name, {"I": "32 bits a pixel", "F": "floats"}.get(image.mode, "16 bits a pixel"))
    if image.format == "TIFF" and max(image.tag_v2.get(_BITS_PER_SAMPLE, (8,))) > 8:
        raise _too_deep(name, "more than 8 bits a colour")
    if image.mode not in (*_GREY, *_COLOUR):
        raise DataError(f"{name}: colours of kind {image.mode}; save it again as grey or RGB")


def _is_grey(image: Any) -> bool:
    if image.mode not in ("P", "PA"):
        return image.mode in _GREY
    colours = np.array(image.convert("RGB"))
    return bool(np.all(colours == colours[:, :, :1]))


def _too_deep(name: str, depth: str) -> DataError:
    return DataError(f"{name}: {depth}; save it again with 8 bits")


def _too_large(name: str) -> DataError:
    return DataError(f"{name}: has more than {_MOST_PIXELS} pixels; make it smaller, or copy it again")


def stacked(named: Iterable[tuple[str, NDArray[np.uint8]]], count: int) -> NDArray[np.uint8]:
    """Return so many pictures, each with the name for messages, as one array.

    Raises
    ------
    DataError
        If they are not all of one size, in grey or in colour, or too large for the memory.
    """
    pictures: NDArray[np.uint8] | None = None
    for number, (name, picture) in enumerate(named):
        if pictures is None:
            shape = (count, *picture.shape)
            if np.prod(shape, dtype=np.float64) > _LARGEST_BYTES:
                raise DataError(
                    f"{name}: {count} pictures of {_size(picture)} pixels need more than "
                    f"{_LARGEST_BYTES >> 30} GiB; make them smaller, such as --resize 32x32"
                )
            pictures = np.empty(shape, dtype=np.uint8)
        if picture.ndim != pictures.ndim - 1:
            kinds = ("in grey", "in colour") if picture.ndim == 2 else ("in colour", "in grey")
            raise DataError(f"{name}: {kinds[0]} where the pictures before are {kinds[1]}; give --grey")
        if picture.shape != pictures.shape[1:]:
            raise DataError(
                f"{name}: {_size(picture)} pixels where the images before have {_size(pictures[0])}; "
                "bring all to one size, such as --resize 32x32"
            )
        pictures[number] = picture
    assert pictures is not None
    return pictures


def _size(picture: NDArray[np.uint8]) -> str:
    return "x".join(map(str, picture.shape[:2]))
