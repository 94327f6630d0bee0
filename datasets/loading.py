"""How do a name or a path become a data set?"""

import os
from pathlib import Path

import numpy as np

from fspinn.base.checks import checked_seed
from fspinn.datasets.catalogue import catalogue, unknown
from fspinn.datasets.dataset import Dataset, Split, assemble, checked_split
from fspinn.datasets.own import read_idx_folder, read_own
from fspinn.datasets.storage import folder_for_loading


def load(
    name_or_path: str | Path = "digits",
    *,
    data_dir: str | Path | None = None,
    validation: int | None = None,
    seed: int = 0,
) -> Dataset:
    """Load a data set and split it.

    Parameters
    ----------
    name_or_path : str or Path, default "digits"
        A name of `fspinn.datasets.names()`, or the path of your own images: an ``.npz`` file with the arrays
        ``images`` and ``labels`` (and perhaps ``test_images`` and ``test_labels``; labels are numbers or
        names), an IDX file of images with its labels beside it, a folder of such files under the names of
        MNIST, or a folder of PNGs per class (perhaps below ``train/`` and ``test/``). A name wins over a file
        of that name; write ``./mnist`` for the file. IDX files that are not compressed may be larger than the
        memory: from 128 MiB on they stay on disk (`MappedImages`).
    data_dir : str or Path, optional
        Folder that holds ``mnist/``, ``fashion-mnist/``, ... Without it, ``$FSPINN_DATA_DIR`` is looked at,
        then this user's cache folder, to which missing files are downloaded.
    validation : int, optional
        Training images to hold out for validation; a sixth of them, rounded down, if None.
    seed : int, default 0
        Chooses the validation images, from 0 to 2^64 - 1. The test images never depend on it.

    Raises
    ------
    ConfigError
        If the seed is not one.
    DataError
        If there is no such data set, or its files are missing, damaged, empty or do not fit together.

    Examples
    --------
    >>> data = load("digits")
    >>> len(data.train), len(data.validation), len(data.test)
    (1199, 239, 359)
    >>> data.image_shape
    (8, 8)
    """
    seed = checked_seed(seed)
    name = str(name_or_path)
    if isinstance(name_or_path, str) and name_or_path in catalogue:
        entry = catalogue[name_or_path]
        embedded = entry.embedded
        train, test = _digits() if embedded else read_idx_folder(folder_for_loading(entry, data_dir))
        return assemble(name, train, test, entry.class_names, validation, seed)
    path = Path(os.path.expanduser(name_or_path))
    # os.path answers False where pathlib raises: no permission, too long a name.
    if not name or not os.path.exists(path):
        raise unknown(name, "neither a data set nor an existing file")
    train, test = read_own(path)
    return assemble(name, train, test, None, validation, seed)


def _digits() -> tuple[Split, None]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    # Published as counts of black pixels in blocks of 4x4: 0 to 16.
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return checked_split(images, digits.target, "digits", "digits"), None
