"""Why will nothing smaller do? The next smaller candidates that were tried, and how sure it is of each."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from fspinn.memmodel.text import memory_text
from fspinn.search.candidates import Candidate
from fspinn.search.intervals import chance_of_so_few
from fspinn.search.ledger import Ledger

NAMED = 5
"""How many smaller candidates the certificate names."""


@dataclass(frozen=True)
class Shortfall:
    """A smaller candidate that was tried, and what it lacks.

    Parameters
    ----------
    candidate : Candidate
    memory_bits : int
    accuracy : float
        On validation images, the mean over its seeds.
    accuracy_interval : tuple of float
        Wilson 95 % interval.
    seeds : int
    short_points : float
        Percentage points below the target; negative if it is above.
    chance : float
        How likely it is to get so few images right, or fewer, for a network that truly reaches the target
        (binomial): small means that this one hardly does.
    reason : str
        Why it is not the answer.
    """

    candidate: Candidate
    memory_bits: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    seeds: int
    short_points: float
    chance: float
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name."""
        mine = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "candidate"}
        return {**self.candidate.as_dict(), **mine}

    def __str__(self) -> str:
        low, high = self.accuracy_interval
        words = f"{memory_text(self.memory_bits)}: {self.candidate}: {self.accuracy:.1%} "
        words += f"({low:.1%} to {high:.1%})"
        if self.short_points <= 0:
            return f"{words}, {self.reason}"
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
    ledger: Ledger, winner: Candidate, verdicts: dict[Candidate, str], left: Container[Candidate] = ()
) -> Certificate:
    """Return the certificate of a winner.

    Parameters
    ----------
    ledger : Ledger
    winner : Candidate
    verdicts : dict of Candidate to str
        Of all candidates.
    left : container of Candidate, default ()
        Those that would have been tried had the search not ended.
    """
    bits = ledger.costs[winner].memory_bits
    smaller = [candidate for candidate, cost in ledger.costs.items() if cost.memory_bits < bits]
    measured = [candidate for candidate in smaller if ledger.seed in ledger.correct.get(candidate, ())]
    measured.sort(key=lambda candidate: -ledger.costs[candidate].memory_bits)
    shortfalls = [_shortfall(ledger, candidate, verdicts[candidate]) for candidate in measured]
    best = max(shortfalls, key=lambda shortfall: shortfall.accuracy, default=None)
    untried = set(smaller).difference(measured)
    not_reached = sum(candidate in left for candidate in untried)
    return Certificate(tuple(shortfalls[:NAMED]), len(measured), len(untried), not_reached, best)


def _shortfall(ledger: Ledger, candidate: Candidate, verdict: str) -> Shortfall:
    accuracy, target = ledger.accuracy(candidate), ledger.constraints.accuracy
    return Shortfall(
        candidate=candidate,
        memory_bits=ledger.costs[candidate].memory_bits,
        accuracy=accuracy,
        accuracy_interval=ledger.interval(candidate),
        seeds=len(ledger.correct[candidate]),
        short_points=100 * (target - accuracy),
        chance=chance_of_so_few(accuracy * ledger.samples, ledger.samples, target),
        reason=verdict,
    )


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
