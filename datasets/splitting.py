"""Which samples are for training, which to choose by, which to report? A seed and groups say so."""

import hashlib
import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError, FspinnWarning
from fspinn.base.randomness import TEST_SPLIT, VALIDATION_SPLIT, permutation, stream_key
from fspinn.datasets.classes import numbers_in, numerals, quoted
from fspinn.datasets.dataset import Dataset
from fspinn.datasets.events import Recordings
from fspinn.datasets.labelled import Labelled
from fspinn.datasets.mapped import contents, part_of
from fspinn.datasets.reading import Reading
from fspinn.datasets.scale import Scale


def assemble(
    name: str,
    train: Labelled,
    test: Labelled | None,
    class_names: tuple[str, ...] | None,
    validation: int | None,
    seed: int,
    reading: Reading = Reading(),
    scale: Scale | None = None,
) -> Dataset:
    """Hold out validation samples (and test samples, where there are none) and return the data set.

    `train` and `test` are in their original order, with the names of the classes that occur. Without a test
    set a fifth is held out, the same for every seed; for validation it is a sixth, if None. Whole groups are
    held out where there are groups: as many as come nearest to that number. `class_names` are those of the
    classes that the samples call 0, 1, ...; None, or too few, leaves the numbers. A scale for signals is
    fitted on those that are left to train on, if None.
    """
    if test is None:
        count = len(train) // 5
        if count == 0:
            raise DataError(
                f"{name}: {len(train)} {_what(train)}(s) are too few to hold out a fifth for test; give at "
                "least 5"
            )
        train, test = _hold_out(name, train, count, stream_key(0, TEST_SPLIT), "test")
    else:
        test = _matched(name, train, test)
    count = len(train) // 6 if validation is None else _checked_validation(name, validation, train)
    digest = checksum(train, test)
    known = train.class_names
    if class_names is not None and all(numeral in numerals(len(class_names)) for numeral in known):
        known = tuple(class_names[int(numeral)] for numeral in known)
        train, test = replace(train, class_names=known), replace(test, class_names=known)
    train, held_out = _hold_out(name, train, count, stream_key(seed, VALIDATION_SPLIT), "validation")
    _check_classes(name, train, held_out, test)
    if not train.signals:
        scale = None
    elif scale is None:
        scale = replace(Scale.fitted(np.asarray(train.samples), name), recorded=train.recorded)
    else:
        scale.check_recorded(train.recorded, name)
    splits = [part.split(scale, name) if len(part) else None for part in (train, held_out, test)]
    first = splits[0]
    assert first is not None
    learnt_from, chosen_by, reported = (first.first(0) if split is None else split for split in splits)
    if train.columns is not None:
        reading = replace(reading, columns=train.columns)
    return Dataset(name, learnt_from, chosen_by, reported, known, digest, seed, train.feature_names, reading)


def _matched(name: str, train: Labelled, test: Labelled) -> Labelled:
    """Return the test samples with the classes of those for training, if they fit together."""
    if test.samples.shape[1:] != train.samples.shape[1:]:
        sizes = ["x".join(map(str, part.samples.shape[1:])) for part in (test, train)]
        unit = "values" if train.signals else "pixels"
        raise DataError(
            f"{name}: test {_what(test)}s are {sizes[0]} {unit}, training {_what(train)}s {sizes[1]}; "
            f"{_to_one_size(train)}"
        )
    if test.recorded != train.recorded:
        raise DataError(
            f"{name}: test signals are {test.recorded}, training signals {train.recorded}; bring them to "
            "one kind"
        )
    lacking = [one for one in test.class_names if one not in train.class_names]
    if lacking:
        raise DataError(
            f"{name}: test {_what(test)}s of {quoted(lacking)}, but no training {_what(train)}s; add "
            f"some, or leave the test {_what(test)}s out"
        )
    if train.feature_names != test.feature_names:
        raise DataError(f"{name}: features for training and test differ; give both the same columns")
    if (train.groups is None) != (test.groups is None):
        raise DataError(f"{name}: only one of training and test has groups; give both, or neither")
    if train.groups is not None and test.groups is not None:
        both = np.intersect1d(train.groups, test.groups)
        if len(both):
            raise DataError(
                f"{name}: group {str(both[0])!r} is in training and in test, which must not know each other; "
                "move it to one of the two"
            )
    labels = numbers_in(train.class_names, test.labels, test.class_names, name, "the training data")
    return replace(test, labels=labels, class_names=train.class_names)


def _to_one_size(samples: Labelled) -> str:
    if isinstance(samples.samples, Recordings):
        return "give recordings of one sensor"
    fix = "--length" if samples.signals else "--resize, or --grey for colours"
    return f"bring them to one size (try {fix})"


def _check_classes(name: str, train: Labelled, validation: Labelled, test: Labelled) -> None:
    """Raise `DataError` if none is left to train on of a class; warn if another part lacks a class."""
    parts = {"train": train, "validation": validation, "test": test}
    lacking = {part: _lacking(samples) for part, samples in parts.items() if len(samples)}
    if missing := lacking.pop("train"):
        fix = f"give more {_what(train)}s of it"
        if train.groups is not None:
            fix = "give more groups that have it"
        if not set(missing) & set(_lacking(train, validation)):
            fix = f"hold out fewer with --validation, choose others with --seed, or {fix}"
        raise DataError(
            f"{name}: all {_what(train)}s of {quoted(missing)} were held out for validation or test, and "
            f"none is left to train on; {fix}"
        )
    for part, missing in lacking.items():
        if missing:
            warnings.warn(
                f"{name}: {part} has no {_what(train)} of {quoted(missing)}, so that is not measured there; "
                f"give more {_what(train)}s",
                FspinnWarning,
                stacklevel=4,
            )


def _lacking(*parts: Labelled) -> list[str]:
    """Return the names of the classes that none of these samples are of."""
    names = parts[0].class_names
    counts = sum(np.bincount(part.labels, minlength=len(names)) for part in parts)
    return [names[number] for number in np.flatnonzero(counts == 0)]


def _checked_validation(name: str, validation: int, train: Labelled) -> int:
    if isinstance(validation, bool) or not isinstance(validation, (int, np.integer)) or validation < 0:
        raise DataError(f"validation {validation!r}: not a number of images; give an integer of 0 or more")
    if validation >= len(train):
        raise DataError(
            f"{name}: holding out {validation} validation {_what(train)}s leaves nothing to train on; "
            f"give a number below {len(train)}"
        )
    return int(validation)


def _hold_out(name: str, train: Labelled, count: int, key: int, what: str) -> tuple[Labelled, Labelled]:
    """Return what remains and what was held out, both in their original order."""
    held_out = np.zeros(len(train), dtype=bool)
    if train.groups is None:
        held_out[permutation(key, len(train))[:count]] = True
    elif count > 0:
        groups, group_of, sizes = np.unique(train.groups, return_inverse=True, return_counts=True)
        if len(groups) == 1:
            raise DataError(
                f"{name}: all are of group {str(groups[0])!r}, of which none can be held out for "
                f"{what}; give more groups{', or --validation 0' if what == 'validation' else ''}"
            )
        order = permutation(key, len(groups))
        together = np.cumsum(sizes[order])[:-1]  # one group is left at least
        chosen = order[: 1 + int(np.argmin(np.abs(together - count)))]
        held_out = np.isin(group_of, chosen)
    return _part(train, ~held_out), _part(train, held_out)


def _part(whole: Labelled, which: "slice | NDArray[np.bool_]") -> Labelled:
    return replace(
        whole,
        samples=part_of(whole.samples, which),
        labels=whole.labels[which],
        groups=None if whole.groups is None else whole.groups[which],
        features=None if whole.features is None else whole.features[which],
    )


def _what(samples: Labelled) -> str:
    if isinstance(samples.samples, Recordings):
        return "recording"
    return "signal" if samples.signals else "image"


def checksum(train: Labelled, test: Labelled) -> str:
    """Return the SHA-256 of samples and labels: of the numbers that files give the classes, gaps included."""
    digest = hashlib.sha256()
    names = train.class_names
    numbers = np.arange(len(names), dtype=np.uint64)
    if all(name.isdecimal() for name in names):
        numbers = np.array([int(name) % 2**64 for name in names], dtype=np.uint64)
    for part in (train, test):
        # The shape is hashed too: the same bytes as 4x9 and as 6x6 pixels are different images.
        digest.update(repr(part.samples.shape).encode())
        for some in contents(part.samples):
            digest.update(some.data)
        digest.update(numbers[part.labels].astype("<u8").data)
        if part.groups is not None:
            digest.update("\0".join(part.groups.tolist()).encode())
        if part.features is not None:
            digest.update(part.features.astype("<f4", order="C").data)
    return digest.hexdigest()
