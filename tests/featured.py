"""Data whose features tell the class, for the tests of readouts that listen to features."""

from dataclasses import replace

import numpy as np

from fspinn.datasets import Dataset, Split

NAMES = ("RR before", "age")


def some(count, seed=0, classes=("left", "right")):
    """Images of noise, 6 x 6; the first feature tells the class, the second nothing."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, len(classes), count)
    images = random.integers(0, 256, (count, 6, 6), dtype=np.uint8)
    values = np.stack([200.0 - 50 * labels + random.normal(size=count), random.normal(size=count)], axis=1)
    return Split(images, labels, classes, features=values.astype(np.float32), feature_names=NAMES)


def data_of(count=240):
    """A data set of them, a sixth each to validate on and to test with."""
    whole, sixth = some(count), count // 6
    parts = (whole.part(slice(k, stop)) for k, stop in ((2 * sixth, count), (0, sixth), (sixth, 2 * sixth)))
    return Dataset("featured", *parts, whole.class_names, "0" * 64, 0, NAMES)


def bare(split):
    """The same without features."""
    return replace(split, features=None, feature_names=None)
