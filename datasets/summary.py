"""What was read? What a person should know of a data set before a network learns it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from fspinn.datasets.dataset import Dataset, Split
from fspinn.datasets.mapped import in_pieces

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Summary:
    """What is in a data set, counted.

    Parameters
    ----------
    class_counts : mapping of str to tuple of int
        Images of each class, by split.
    lowest, highest : int
        Values that occur.
    blank : mapping of str to int
        Images whose pixels are all alike, by split.
    duplicates : mapping of str to int
        Images that equal an earlier one of the same split.
    shared : mapping of str to int
        Images of a split that equal one of an earlier split: for example of the test images, those that are
        also known from training or validation.
    groups : mapping of str to int, or None
        Groups in each split; None if there are no groups.
    """

    class_counts: Mapping[str, tuple[int, ...]]
    lowest: int
    highest: int
    blank: Mapping[str, int]
    duplicates: Mapping[str, int]
    shared: Mapping[str, int]
    groups: Mapping[str, int] | None


def summary(data: Dataset) -> Summary:
    """Return what is in a data set, counted; every image is looked at once."""
    earlier: set[bytes] = set()
    counts, blank, duplicates, shared = {}, {}, {}, {}
    lows, highs = [], []
    for part in PARTS:
        split: Split = getattr(data, part)
        counts[part] = tuple(np.bincount(split.labels, minlength=data.n_classes).tolist())
        seen: set[bytes] = set()
        blank[part] = shared[part] = 0
        for some in in_pieces(split.images):
            if len(some) == 0:
                continue
            flat = np.ascontiguousarray(some).reshape(len(some), -1)
            low, high = flat.min(axis=1), flat.max(axis=1)
            lows.append(int(low.min()))
            highs.append(int(high.max()))
            blank[part] += int(np.count_nonzero(low == high))
            digests = [blake2b(image.data, digest_size=16).digest() for image in flat]
            shared[part] += sum(digest in earlier for digest in digests)
            seen.update(digests)
        duplicates[part] = len(split) - len(seen)
        earlier |= seen
    return Summary(counts, min(lows), max(highs), blank, duplicates, shared, _groups(data))


def _groups(data: Dataset) -> dict[str, int] | None:
    groups = {part: getattr(data, part).groups for part in PARTS}
    if groups["train"] is None:
        return None
    return {part: 0 if some is None else len(np.unique(some)) for part, some in groups.items()}
