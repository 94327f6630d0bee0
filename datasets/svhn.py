"""What stands in the files of Street View House Numbers? Digits in colour, in the .mat format of MATLAB."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fspinn.base.errors import DataError
from fspinn.datasets.labelled import Labelled, labelled


def read_svhn(folder: Path, checksums: Mapping[str, str]) -> tuple[Labelled, Labelled]:
    """Read the cropped digits for training and for test.

    Parameters
    ----------
    folder : Path
    checksums : mapping of str to str
        SHA-256 of the two files by their names.

    Raises
    ------
    DataError
        If a file cannot be read, or is not the published one, bit for bit.
    """
    train, test = (_read(folder / name, checksum) for name, checksum in checksums.items())
    return train, test


def _read(path: Path, checksum: str) -> Labelled:
    from scipy.io import loadmat

    try:
        with path.open("rb") as file:
            # Some damaged files make SciPy's reader crash the whole process, so it gets none to see.
            if hashlib.file_digest(file, "sha256").hexdigest() != checksum:
                raise DataError(
                    f"{path}: wrong checksum, not the published file; remove it and fetch or copy it again"
                )
            file.seek(0)
            arrays = loadmat(file)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; make it readable") from None
    images = np.moveaxis(arrays["X"], -1, 0)
    digits = arrays["y"][:, 0].astype(np.int64) % 10  # 10 stands for 0
    return labelled(images, digits, f"{path}: X", f"{path}: y")
