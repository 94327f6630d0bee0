"""What is in a CSV file? One sample a row, its class in a named column, and perhaps its group."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError
from fspinn.datasets.classes import choices
from fspinn.datasets.labelled import Labelled, checked_features, labelled
from fspinn.datasets.reading import Reading

_LABEL = "label"
_GROUPS = ("group", "groups")
_SEPARATORS = ",;\t"
_FRACTIONAL = frozenset(".eE")
"""Numbers without any of these are whole; what kind a file holds must not depend on their values."""


class Table(NamedTuple):
    """The rows of a CSV file.

    Parameters
    ----------
    columns : tuple of str
        All columns but those of labels, groups and features.
    values : ndarray of float64 or int64, shape (n, columns)
        Of these columns.
    labels, groups : ndarray of str, shape (n,), or None
        None where there is no such column.
    features : ndarray of float32, shape (n, k), or None
        The columns that are asked for as features.
    """

    columns: tuple[str, ...]
    values: NDArray[Any]
    labels: NDArray[np.str_] | None
    groups: NDArray[np.str_] | None
    features: NDArray[np.float32] | None


def read_csv_folder(folder: Path, reading: Reading) -> tuple[Labelled, Labelled | None]:
    """Read ``train.csv`` and perhaps ``test.csv`` of a folder; columns of the two are matched by name."""
    train, test = read_csv(folder / "train.csv", reading), folder / "test.csv"
    return train, read_csv(test, replace(reading, columns=train.columns)) if test.exists() else None


def read_csv(path: Path, reading: Reading) -> Labelled:
    """Read a CSV file of labelled samples: signals, or images if `reading` says their shape.

    Raises
    ------
    DataError
        If there is no column of labels, a value is not a number, or rows do not fit the header.
    """
    table = read_table(path, reading, need_labels=True)
    samples = samples_of(table, reading, path)
    labels: NDArray[Any] = np.asarray(table.labels)
    if all(_is_whole(label) for label in np.unique(labels).tolist()):
        numbers = np.array([int(label) for label in labels.tolist()])
        labels = numbers if numbers.dtype.kind in "iu" else labels  # beyond 64 bits they stay names
    where = str(path)
    signals = reading.shape is None
    read = labelled(samples, labels, where, f"{where}: labels", signals=signals, groups=table.groups)
    return replace(read, columns=table.columns, features=table.features, feature_names=reading.features or ())


def samples_of(table: Table, reading: Reading, path: Path) -> NDArray[Any]:
    """Return the rows as signals, or as images of the shape that is asked for."""
    values, shape = table.values, reading.shape
    if shape is None:
        return values
    if values.shape[1] != np.prod(shape):
        raise DataError(
            f"{path}: {values.shape[1]} values a row are not {'x'.join(map(str, shape))}; give "
            "another --shape, or leave other columns out of the file"
        )
    images = values.reshape(len(values), *shape)
    if values.dtype.kind != "i":
        return images
    if not 0 <= values.min() <= values.max() <= 255:
        raise DataError(
            f"{path}: pixels from {values.min()} to {values.max()} are not within 0 to 255; scale them"
        )
    return images.astype(np.uint8)


def read_table(path: Path, reading: Reading, *, need_labels: bool = False) -> Table:
    """Read a CSV file; commas, semicolons or tabs between values.

    With a header; files without labels may do without, if their first line is of numbers that are not names.
    If `need_labels`, the column of labels must be there.
    """
    label = reading.label or _LABEL
    rows = _rows(path)
    header = next(rows, None)
    if header is None:
        raise DataError(f"{path}: the file is empty; give a header and one sample a row")
    names = [name.strip() for name in header[1]]
    if not need_labels and _is_row(names, reading.columns):
        columns = tuple(map(str, range(len(names)))) if reading.columns is None else reading.columns
        if len(columns) != len(names):
            raise DataError(
                f"{path}: {len(names)} values a row, where the training data have {len(columns)} columns; "
                "leave others out, or give a header that names them"
            )
        rows, names = chain([header], rows), list(columns)
    if need_labels and label not in names:
        raise DataError(
            f"{path}: has no column {label!r} (it has {choices(names, [label])}); name that of classes with "
            f"--label{', or give a header, if that is a sample' if any(map(_is_number, names)) else ''}"
        )
    group = next((name for name in _GROUPS if name in names), None)
    for name in reading.features or ():
        if name in (label, group):
            what = "classes" if name == label else "groups"
            raise DataError(
                f"{path}: column {name!r} is that of {what}, not of a feature; leave it out of --features"
            )
        if name not in names:
            raise DataError(
                f"{path}: has no column {name!r} of a feature (it has {choices(names, [name])}); add it, or "
                "give other --features"
            )
    of_features = [names.index(name) for name in reading.features or ()]
    taken = [names.index(name) for name in (label, group) if name is not None and name in names]
    taken += of_features
    numeric = [place for place in range(len(names)) if place not in taken]
    if not numeric:
        raise DataError(f"{path}: has no columns of values; give some beside {label!r}")
    if reading.columns is not None:
        numeric = _in_order([names[place] for place in numeric], reading.columns, path, numeric)
    values, features, labels, groups, whole = [], [], [], [], True
    for line, row in rows:
        if len(row) != len(names):
            raise DataError(
                f"{path}: line {line} has {len(row)} values, the header {len(names)}; make them as many"
            )
        texts = [row[place] for place in numeric]
        values.append(_numbers(texts, [names[place] for place in numeric], path, line))
        features.append(_numbers([row[k] for k in of_features], [names[k] for k in of_features], path, line))
        whole = whole and not _FRACTIONAL.intersection("".join(texts))
        labels.append(row[names.index(label)].strip() if label in names else "")
        groups.append(row[names.index(group)].strip() if group is not None else "")
    if not values:
        raise DataError(f"{path}: has a header only; give one sample a row")
    found: NDArray[Any] = np.stack(values)
    if whole and np.abs(found).max() < 2**53:
        found = found.astype(np.int64)
    return Table(
        tuple(names[place] for place in numeric),
        found,
        np.array(labels) if label in names else None,
        np.array(groups) if group is not None else None,
        checked_features(np.stack(features), len(values), f"{path}: features") if of_features else None,
    )


def _is_row(texts: list[str], columns: tuple[str, ...] | None) -> bool:
    """Return whether the first line of a file is values, not a header; columns may be called by numbers."""
    numbered = [str(number) for number in range(len(texts) + 1)]
    named = set(numbered) if columns is None else set(columns)
    return all(map(_is_number, texts)) and not (set(texts) <= named and len(set(texts)) == len(texts))


def _in_order(names: list[str], columns: tuple[str, ...], path: Path, places: list[int]) -> list[int]:
    """Return the places of the columns of values in the order of those that were trained on."""
    if names == list(columns):
        return places
    if missing := [name for name in columns if name not in names]:
        raise DataError(
            f"{path}: has no column {choices(missing, (), quotes=True)}, which the training data have; add it"
        )
    if extra := [name for name in names if name not in columns]:
        raise DataError(
            f"{path}: has column {choices(extra, (), quotes=True)}, which the training data do not have; "
            "leave it out, or name the column of classes with --label"
        )
    if len(set(names)) < len(names) or len(names) != len(columns):
        twice = next(name for name in columns if names.count(name) > 1 or columns.count(name) > 1)
        raise DataError(
            f"{path}: has column {twice!r} more than once, or the training data do; name each once"
        )
    return [places[names.index(name)] for name in columns]


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number and values of each line that is not blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(_SEPARATORS, key=first.count), strict=True)
            for row in reader:
                if any(value.strip() for value in row):
                    yield reader.line_num, row
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error}); save it again as CSV in UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; name a CSV file that can be read") from None


def _numbers(row: list[str], names: list[str], path: Path, line: int) -> NDArray[np.float64]:
    try:
        numbers = np.array(row, dtype=np.float64)
        wrong = np.flatnonzero(~np.isfinite(numbers))
    except ValueError:
        wrong = np.array([place for place, text in enumerate(row) if not _is_number(text)])
    if len(wrong):
        place = int(wrong[0])
        raise DataError(
            f"{path}: line {line}: {row[place]!r} in column {names[place]!r} is not a number; fill it in, "
            "or leave the line or column out"
        )
    return numbers


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _is_whole(text: str) -> bool:
    return len(text) < 20 and text.removeprefix("-").isdecimal() and text.isascii() and str(int(text)) == text
