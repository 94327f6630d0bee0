"""Which class is this? Classes are names; a number is only a place among the names."""

import difflib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import DataError

_MOST_SHOWN = 5
_MOST_TO_CHOOSE_FROM = 20


def numerals(count: int) -> tuple[str, ...]:
    """Return the names of classes that have none: their numbers, from 0 on."""
    return tuple(map(str, range(count)))


def numbers_in(
    target: Sequence[str],
    labels: NDArray[np.int64],
    class_names: Sequence[str] | None,
    labels_from: str,
    whose: str,
) -> NDArray[np.int64]:
    """Return each label, a place in `class_names` (None: a number), as the place of its class in `target`.

    Every class that occurs must be there; the message says where the labels are from, and whose `target` is.
    """
    numbers, inverse = np.unique(labels, return_inverse=True)
    names = [str(number) if class_names is None else class_names[number] for number in numbers.tolist()]
    place = {name: number for number, name in enumerate(target)}
    lacking = [name for name in names if name not in place]
    if lacking:
        raise DataError(
            f"{labels_from}: {whose} does not have {quoted(lacking)} (it has {_called(target)} "
            f"{choices(target, lacking, quotes=True)}); name the classes alike, leave such images out, or "
            "train on them"
        )
    return np.array([place[name] for name in names], dtype=np.int64)[inverse]


def quoted(names: Sequence[str]) -> str:
    """Return the names of classes in a few words."""
    shown = ", ".join(repr(name) for name in names[:_MOST_SHOWN])
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return f"{_called(names)} {shown}{more}"


def choices(names: Sequence[str], wanted: Sequence[str], *, quotes: bool = False) -> str:
    """Return names to choose from; of many those that are most like what was wanted, the first and the last.

    Parameters
    ----------
    names : sequence of str
        What there is.
    wanted : sequence of str
        What was looked for.
    quotes : bool, default False
        Whether to put them in quotation marks.
    """
    shown = list(names)
    if len(shown) > _MOST_TO_CHOOSE_FROM:
        near = [name for one in wanted for name in difflib.get_close_matches(one, names, n=2)]
        shown = list(dict.fromkeys([*near[:_MOST_SHOWN], *names[:_MOST_SHOWN], *names[-_MOST_SHOWN:]]))
    more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    return ", ".join(map(repr if quotes else str, shown)) + more


def _called(names: Sequence[str]) -> str:
    return "class" if len(names) == 1 else "classes"
