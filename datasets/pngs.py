"""How is a folder of PNGs per class read?"""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.datasets.dataset import Split, checked_split

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Offsets in the file: signature 8, length and name of the first chunk 8, width 4, height 4, depth 1.
_DEPTH_AT = 24


def read_png_folder(folder: Path) -> tuple[Split, Split | None]:
    """Read ``folder/<class>/*.png``, or ``folder/train/<class>`` and ``folder/test/<class>``.

    Colours become grayscale. The classes are the names of the folders, sorted.

    Raises
    ------
    DataError
        If there are no images, one is damaged, or they are not all of one size.
    OSError
        If a file or folder cannot be read.
    """
    train, test = folder / "train", folder / "test"
    if not (train.is_dir() and _visible_folders(train)):
        return _read_classes(folder), None
    return _read_classes(train), _read_classes(test) if test.is_dir() else None


def _visible_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _read_classes(folder: Path) -> Split:
    folders = _visible_folders(folder)
    if not folders:
        raise DataError(f"{folder}: holds no folders; put the PNGs of each class into a folder of its own")
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for number, class_folder in enumerate(folders):
        files = sorted(p for p in class_folder.iterdir() if p.suffix.lower() == ".png" and p.name[0] != ".")
        if not files:
            raise DataError(f"{class_folder}: holds no .png files; add some or remove the folder")
        for file in files:
            image = read_png(file)
            if images and image.shape != images[0].shape:
                raise DataError(
                    f"{file}: {image.shape[0]}x{image.shape[1]} pixels where the images before have "
                    f"{images[0].shape[0]}x{images[0].shape[1]}; bring all to one size"
                )
            images.append(image)
            labels.append(number)
    split = checked_split(np.stack(images), np.array(labels, np.int64), str(folder), str(folder))
    return replace(split, class_names=tuple(path.name for path in folders))


def read_png(path: Path) -> NDArray[np.uint8]:
    """Return a PNG in grayscale, shape (height, width).

    Raises
    ------
    DataError
        If it is damaged, partly transparent, has 16 bits per pixel or is not a PNG.
    OSError
        If it cannot be read.
    """
    from PIL import Image

    data = path.read_bytes()
    if len(data) <= _DEPTH_AT or not data.startswith(_SIGNATURE):
        raise DataError(f"{path}: not a PNG file; save it again as PNG")
    if b"IEND" not in data:
        # Pillow lets a file pass that ends within the checksum of its last pixels.
        raise DataError(f"{path}: truncated PNG; save or copy it again")
    if data[_DEPTH_AT] == 16:
        raise DataError(f"{path}: 16 bits per pixel; save it again with 8 bits")
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            opaque = bool(np.all(np.array(image.convert("RGBA"))[:, :, 3] == 255))
            gray = np.array(image.convert("L"), dtype=np.uint8)
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError and others for damaged files
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{path}: damaged PNG ({reason}); save it again") from None
    if not opaque:
        # What shines through is not in the file, and black ink on nothing would become all black.
        raise DataError(f"{path}: partly transparent; flatten it onto a background and save it again")
    return gray
