"""Is a candidate that is not proven to reach the target too poor, or is that undecided? In words.

It is too poor if a network that truly reaches the target would hardly ever score so low: more seldom than the
confidence that was asked for leaves open. Otherwise the validation images do not tell.
"""

from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fspinn.search.metrics import metric_of


class Group(Enum):
    """Why a candidate that was measured is not the answer."""

    UNDECIDED = "undecided"
    TOO_POOR = "too poor"
    OTHER = "other"
    """Something else: a limit, or that it never spikes with another seed."""


class Shortfall(NamedTuple):
    """How a candidate that was measured falls short of the target.

    Parameters
    ----------
    group : Group
    images : int
        Validation images.
    value, target : float
        What was measured of it, and what is asked for.
    chance_of_so_low, chance_of_so_high : float
        How likely so small a value or a smaller one, and so large a value or a larger one, are measured of a
        network whose true value is the target.
    after_percent : str
        What follows a percentage (`fspinn.search.metrics.Metric.after_percent`).
    """

    group: Group
    images: int
    value: float
    target: float
    chance_of_so_low: float
    chance_of_so_high: float
    after_percent: str

    @property
    def words(self) -> str:
        """The whole verdict."""
        return f"{self.heading}: {self.value:.1%}; {self.luck}"

    @property
    def heading(self) -> str:
        """The group."""
        return heading(self.group, self.images)

    @property
    def luck(self) -> str:
        """How often a network that just reaches the target would score like that."""
        low = self.value < self.target
        chance = self.chance_of_so_low if low else self.chance_of_so_high
        return (
            f"a true {100 * self.target:.4g}%{self.after_percent} network would score this "
            f"{'low' if low else 'high'} in {tries(chance)}"
        )


def shortfall(confusion: NDArray[np.float64], metric: str, target: float, confidence: float) -> Shortfall:
    """Return how a candidate falls short whose value is below the target, or not proven to reach it."""
    measured = metric_of(metric)
    low = measured.chance(confusion, target)
    group = Group.TOO_POOR if low < 1 - confidence else Group.UNDECIDED
    return Shortfall(
        group,
        round(confusion.sum()),
        measured.value(confusion),
        target,
        low,
        measured.chance_above(confusion, target),
        measured.after_percent,
    )


def heading(group: Group, images: int) -> str:
    """Return what candidates of a group are, for people.

    >>> heading(Group.UNDECIDED, 239)
    'undecided on 239 images'
    """
    if group is Group.OTHER:
        return "not the answer for another reason"
    return f"{group.value} on {images:,} images" if group is Group.UNDECIDED else group.value


def tries(chance: float) -> str:
    """Return a probability as a part of tries, for people.

    >>> tries(0.441), tries(0.0031), tries(0.00002), tries(0.9999)
    ('44 of 100 tries', '3 of 1,000 tries', 'fewer than 1 of 10,000 tries', 'more than 99 of 100 tries')
    """
    if chance > 0.995:
        return "more than 99 of 100 tries"
    for all_of_them in (100, 1000, 10_000):
        if round(chance * all_of_them) >= 1:
            return f"{round(chance * all_of_them)} of {all_of_them:,} tries"
    return "fewer than 1 of 10,000 tries"
