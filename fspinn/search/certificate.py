"""Why will nothing smaller do? The next smaller candidates that were tried, and how sure it is of each."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fspinn.memmodel.text import memory_text
from fspinn.search.candidates import Candidate
from fspinn.search.intervals import chance_of_so_few
from fspinn.search.trial import Trial

NAMED = 5
"""How many smaller candidates the certificate names."""


@dataclass(frozen=True)
class Shortfall:
    """A smaller candidate that was tried, and what it lacks.

    Parameters
    ----------
    trial : Trial
    short_points : float
        Percentage points below the target; negative if it is above.
    chance : float
        How likely it is to get so few images right, or fewer, for a network that truly reaches the target
        (binomial): small means that this one hardly does.
    """

    trial: Trial
    short_points: float
    chance: float

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name."""
        trial = self.trial
        return {
            **trial.candidate.as_dict(),
            "memory_bits": trial.memory_bits,
            "accuracy": trial.accuracy,
            "accuracy_interval": trial.accuracy_interval,
            "seeds": len(trial.correct),
            "short_points": self.short_points,
            "chance": self.chance,
            "reason": trial.verdict,
        }

    def __str__(self) -> str:
        trial, (low, high) = self.trial, self.trial.accuracy_interval or (0.0, 1.0)
        words = f"{memory_text(trial.memory_bits)}: {trial.candidate}: {trial.accuracy:.1%} "
        words += f"({low:.1%} to {high:.1%})"
        if self.short_points <= 0:
            return f"{words}, {trial.verdict}"
        likely = chance(self.chance)
        return f"{words}, {self.short_points:.1f} points short; chance of that at the target {likely}"


@dataclass(frozen=True)
class Certificate:
    """The next smaller candidates that were tried.

    Parameters
    ----------
    next_smaller : tuple of Shortfall
        The largest first.
    tried, untried : int
        Candidates with less memory than the winner: that were measured, and that were not.
    not_reached : int
        Of `untried`, those that would have been tried had the search not ended.
    best : Shortfall or None
        The most accurate one of all that were measured.
    """

    next_smaller: tuple[Shortfall, ...]
    tried: int
    untried: int
    not_reached: int
    best: Shortfall | None

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name, as ``fspinn search --json`` prints it."""
        return {
            "tried": self.tried,
            "untried": self.untried,
            "not_reached": self.not_reached,
            "next_smaller": [one.as_dict() for one in self.next_smaller],
            "best": None if self.best is None else self.best.as_dict(),
        }


def certify(
    trials: Mapping[Candidate, Trial], winner: Candidate, seed: int, left: Container[Candidate] = ()
) -> Certificate:
    """Return the certificate of a winner.

    Parameters
    ----------
    trials : mapping of Candidate to Trial
        All, as they stand at the end.
    winner : Candidate
    seed : int
        Of the search.
    left : container of Candidate, default ()
        Those that would have been tried had the search not ended.
    """
    smaller = [trial for trial in trials.values() if trial.memory_bits < trials[winner].memory_bits]
    measured = sorted((t for t in smaller if seed in t.correct), key=lambda trial: -trial.memory_bits)
    shortfalls = [_shortfall(trial) for trial in measured]
    best = max(shortfalls, key=lambda shortfall: shortfall.trial.accuracy or 0.0, default=None)
    not_reached = sum(trial.candidate in left and seed not in trial.correct for trial in smaller)
    untried = len(smaller) - len(measured)
    return Certificate(tuple(shortfalls[:NAMED]), len(measured), untried, not_reached, best)


def _shortfall(trial: Trial) -> Shortfall:
    accuracy, target = trial.accuracy or 0.0, trial.target or 0.0
    chance = chance_of_so_few(accuracy * trial.samples, trial.samples, target)
    return Shortfall(trial, 100 * (target - accuracy), chance)


def in_words(certificate: Certificate) -> Sequence[str]:
    """Return the lines that say why nothing smaller is the answer."""
    untried = _not_measured(certificate)
    if certificate.tried == 0:
        return ["nothing smaller was tried", *untried]
    lines = [f"of {certificate.tried} smaller ones that were tried, none will do; the next smaller:"]
    lines += [f"  {shortfall}" for shortfall in certificate.next_smaller]
    best = certificate.best
    if best is not None and best not in certificate.next_smaller:
        lines += ["and the most accurate of them:", f"  {best}"]
    return lines + untried


def _not_measured(certificate: Certificate) -> list[str]:
    """Return a line about the smaller ones that were not measured, if there are any."""
    if certificate.untried == 0:
        return []
    words = f"smaller and not measured: {certificate.untried:,}"
    if certificate.not_reached:
        words += f", of which {certificate.not_reached:,} because the search ended first"
    return [words]


def chance(value: float) -> str:
    """Return a probability, for people.

    >>> chance(0.2), chance(0.00002)
    ('20 %', 'below 0.01 %')
    """
    return f"{100 * value:.2g} %" if value >= 1e-4 else "below 0.01 %"
