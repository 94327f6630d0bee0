"""What was read? What a person should know of a data set before a network learns it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from fspinn.datasets.dataset import Dataset, Split
from fspinn.datasets.events import Recordings
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
    events : mapping of str to float, or None
        Of recordings, whose pixels and values are then counts of events: the `median_per_recording`, the time
        of the last (`last_ms`), and the part of them that is ON (`on_share`). None of images.
    """

    class_counts: Mapping[str, tuple[int, ...]]
    lowest: int
    highest: int
    blank: Mapping[str, int]
    duplicates: Mapping[str, int]
    shared: Mapping[str, int]
    groups: Mapping[str, int] | None
    events: Mapping[str, float] | None = None


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
    return Summary(counts, min(lows), max(highs), blank, duplicates, shared, _groups(data), _events(data))


def _groups(data: Dataset) -> dict[str, int] | None:
    groups = {part: getattr(data, part).groups for part in PARTS}
    if groups["train"] is None:
        return None
    return {part: 0 if some is None else len(np.unique(some)) for part, some in groups.items()}


def _events(data: Dataset) -> dict[str, float] | None:
    images = [getattr(data, part).images for part in PARTS]
    parts = [part for part in images if isinstance(part, Recordings)]
    if not parts:
        return None
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    return {
        "median_per_recording": float(np.median(counts)),
        "last_ms": max(int(part.t_us.max(initial=0)) for part in parts) / 1000,
        "on_share": sum(int(part.p.sum()) for part in parts) / max(int(counts.sum()), 1),
    }
