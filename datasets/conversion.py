"""What are pixels of 8 bits? Images in other types of numbers become them, and a line says how."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError, FspinnWarning
from fspinn.datasets.events import Recordings
from fspinn.datasets.mapped import Images, MappedImages

_CHANNELS_FIRST = 3
_MOST_LIKELY_CHANNELS = 4


def as_pixels(images: "NDArray[Any] | Images", images_from: str) -> Images:
    """Return images of uint8 from such, or from floats in 0 to 1, bool or uint16; recordings as they are.

    A `FspinnWarning` says how other types were converted.

    Parameters
    ----------
    images : ndarray, MappedImages or Recordings, shape (n, height, width) or (n, height, width, channels)
    images_from : str
        Where they are from; messages start with it.

    Raises
    ------
    DataError
        If these are not images.
    """
    if isinstance(images, MappedImages | Recordings):
        return images
    _check_shape(images, images_from)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.dtype == np.uint8:
        return images
    if images.dtype == np.bool_:
        pixels, how = images.astype(np.uint8) * np.uint8(255), "false became 0 and true 255"
    elif images.dtype == np.uint16:
        most = int(images.max())
        if most < 256:
            raise DataError(
                f"{images_from}: values are uint16 up to {most}, which 8 bits hold; save them with "
                ".astype('uint8')"
            )
        pixels = ((images.astype(np.uint32) + 128) // 257).astype(np.uint8)
        how = f"16 bits became 8: 65535 is 255 (the largest value here is {most})"
    elif images.dtype.kind == "f":
        pixels, how = _of_floats(images, images_from), "floats from 0 to 1 became 0 to 255"
    else:
        raise DataError(
            f"{images_from}: values are {images.dtype}, not uint8; scale them to 0..255 and save them "
            "with .astype('uint8')"
        )
    warnings.warn(f"{images_from}: {how}", FspinnWarning, stacklevel=3)
    return pixels


def check_images(images: "NDArray[Any] | Images", images_from: str) -> None:
    """Raise `DataError`, which starts with where they are from, if these are not images of uint8.

    Recordings of an event camera are.
    """
    if isinstance(images, Recordings):
        return
    if images.dtype != np.uint8:
        raise DataError(
            f"{images_from}: values are {images.dtype}, not uint8; scale them to 0..255 and save them "
            "with .astype('uint8')"
        )
    _check_shape(images, images_from)


def _check_shape(images: "NDArray[Any] | MappedImages", images_from: str) -> None:
    shape = images.shape
    if images.ndim not in (3, 4):
        raise DataError(
            f"{images_from}: shape {shape} is not (n, height, width) or (n, height, width, "
            "channels); reshape the images"
        )
    if 0 in shape:
        raise DataError(f"{images_from}: empty, shape {shape}; give at least one image of one pixel")
    if images.ndim == 4 and shape[1] == _CHANNELS_FIRST and shape[3] > _MOST_LIKELY_CHANNELS:
        raise DataError(
            f"{images_from}: shape {shape} has its channels first; make it (n, height, width, channels) with "
            "numpy.moveaxis(images, 1, -1)"
        )


def _of_floats(images: NDArray[Any], images_from: str) -> NDArray[np.uint8]:
    low, high = float(images.min()), float(images.max())
    if not np.isfinite(low + high):
        number = int(np.argmin(np.isfinite(images.reshape(len(images), -1)).all(axis=1)))
        raise DataError(f"{images_from}: image {number} holds NaN or infinity; leave it out, or fill the gap")
    if not 0 <= low <= high <= 1:
        raise DataError(
            f"{images_from}: floats from {low:g} to {high:g} are not from 0 to 1; scale them to 0..1, or to "
            "0..255 and save them with .astype('uint8')"
        )
    pixels = np.empty(images.shape, dtype=np.uint8)
    for number, image in enumerate(images):
        np.rint(image * images.dtype.type(255), out=pixels[number], casting="unsafe")
    return pixels
