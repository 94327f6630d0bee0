"""How do a name or a path become a data set?"""

import os
from pathlib import Path

import numpy as np

from fspinn.base.checks import checked_seed
from fspinn.datasets.catalogue import BuiltIn, catalogue, unknown
from fspinn.datasets.dataset import Dataset
from fspinn.datasets.labelled import Labelled, labelled
from fspinn.datasets.own import read_as, read_idx_folder, read_own
from fspinn.datasets.reading import Reading
from fspinn.datasets.scale import Scale
from fspinn.datasets.splitting import assemble
from fspinn.datasets.storage import folder_for_loading
from fspinn.datasets.svhn import read_svhn
from fspinn.datasets.through_tonic import PREFIX, read_with_tonic


def load(
    name_or_path: str | Path = "digits",
    *,
    data_dir: str | Path | None = None,
    validation: int | None = None,
    seed: int = 0,
    reading: Reading = Reading(),
    scale: Scale | None = None,
) -> Dataset:
    """Load a data set and split it.

    Parameters
    ----------
    name_or_path : str or Path, default "digits"
        A name of `fspinn.datasets.names()`, or the path of your own samples (a name wins over a file of that
        name; write ``./mnist`` for the file):

        - an ``.npz`` file with the arrays ``images`` (or ``signals``) and ``labels``, and perhaps
          ``test_images`` and ``test_labels``; ``groups``, ``class_names``, ``features`` and ``feature_names``
          if there are any. Images are uint8 of shape (n, height, width) or (n, height, width, channels);
          floats from 0 to 1, bool and uint16 are converted, and a line says how. Signals are integers or
          floats of shape (n, length) or (n, length, channels). Labels are names or any whole numbers.
          Instead of images, recordings of an event camera (`Recordings`): ``x``, ``y``, ``p``, ``t``
          (microseconds) and ``offsets``, and perhaps ``height`` and ``width`` of the sensor.
        - a folder with a folder of pictures (PNG, JPEG, BMP, TIFF) or wav files per class, perhaps below
          ``train/`` and ``test/``; folders inside those of the classes are groups.
        - a CSV file with one sample a row and its class in a named column, or a folder with ``train.csv`` and
          ``test.csv``. Columns of features are named by ``reading``.
        - an IDX file of images with its labels beside it, or a folder of such files under the names of MNIST.
          IDX files that are not compressed may be larger than the memory: from 128 MiB on they stay on disk
          (`MappedImages`).
        - ``tonic:NMNIST``, or another data set of events that the package tonic reads (``fspinn[events]``).

        Groups, such as patients or speakers, are never divided between training, validation and test. Signals
        become images of height 1 by a `Scale` that is fitted on those to train on.
    data_dir : str or Path, optional
        Folder that holds ``mnist/``, ``fashion-mnist/``, ... Without it, ``$FSPINN_DATA_DIR`` is looked at,
        then this user's cache folder, to which missing files are downloaded.
    validation : int, optional
        Training images to hold out for validation; a sixth of them, rounded down, if None. Of groups as many
        as come nearest to it.
    seed : int, default 0
        Chooses the validation images, from 0 to 2^64 - 1. The test images never depend on it.
    reading : Reading, default Reading()
        What is asked for beyond what the files hold, such as ``Reading(grey=True, resize=(32, 32))``.
    scale : Scale, optional
        How signals become images: that of a model which is to answer them. Fitted on those to train on, if
        None.

    Raises
    ------
    ConfigError
        If the seed is not one, or something is asked for that does not fit the form of the files.
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
        reading.refuse(("length", "label", "shape"), name, "holds images, not signals or tables")
        read = _digits() if embedded else _published(entry, folder_for_loading(entry, data_dir))
        train, test = (None if part is None else read_as(reading, part, name) for part in read)
        assert train is not None
        return assemble(name, train, test, entry.class_names, validation, seed, reading)
    if name.startswith(PREFIX):
        reading.refuse(("length", "label", "shape"), name, "holds recordings of events")
        train, test = (
            None if part is None else read_as(reading, part, name) for part in read_with_tonic(name, data_dir)
        )
        assert train is not None
        return assemble(name, train, test, None, validation, seed, reading)
    path = Path(os.path.expanduser(name_or_path))
    # os.path answers False where pathlib raises: no permission, too long a name.
    if not name or not os.path.exists(path):
        raise unknown(name, "neither a data set nor an existing file")
    train, test = read_own(path, reading)
    return assemble(name, train, test, None, validation, seed, reading, scale)


def _published(entry: BuiltIn, folder: Path) -> tuple[Labelled, Labelled | None]:
    return read_svhn(folder, entry.checksums) if entry.name == "svhn" else read_idx_folder(folder)


def _digits() -> tuple[Labelled, None]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    # Published as counts of black pixels in blocks of 4x4: 0 to 16.
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return labelled(images, digits.target, "digits", "digits"), None
