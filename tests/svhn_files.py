"""Files as those of Street View House Numbers, with a few images, that pass for the published ones."""

import dataclasses
import hashlib
import io

import numpy as np
from scipy.io import savemat

from fspinn import datasets

DIGITS = {"train_32x32.mat": [1, 9, 10, 2, 3, 10, 1, 9, 2, 3, 1, 10], "test_32x32.mat": [10, 1, 3]}
"""As they stand in the files: 10 is the digit 0."""


def images(count):
    """Return images that differ from one another and from themselves turned, shape (count, 32, 32, 3)."""
    return np.random.default_rng(count).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def contents(*, compressed=True):
    """Return the bytes of each file by its name."""
    files = {}
    for name, digits in DIGITS.items():
        file = io.BytesIO()
        arrays = {"X": np.moveaxis(images(len(digits)), 0, -1), "y": np.array(digits, float)[:, None]}
        savemat(file, arrays, do_compression=compressed)
        files[name] = file.getvalue()
    return files


def publish(monkeypatch, files, *mirrors):
    """Have the catalogue know these files, for one test."""
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    entry = dataclasses.replace(datasets.find("svhn"), checksums=checksums, mirrors=mirrors)
    monkeypatch.setitem(datasets.catalogue, "svhn", entry)


def place(folder, files):
    """Write the files into ``svhn/`` in a folder."""
    (folder / "svhn").mkdir()
    for name, content in files.items():
        (folder / "svhn" / name).write_bytes(content)
