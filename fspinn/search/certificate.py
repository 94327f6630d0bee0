"""Why will nothing cheaper do? The next cheaper candidates that were tried, and how sure it is of each.

Cheaper is what has less of the cost that was minimised first: smaller, if that is memory.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fspinn.search.candidates import Candidate
from fspinn.search.constraints import MEASURES, cost_of, described, less
from fspinn.search.costs import Cost
from fspinn.search.metrics import metric_of
from fspinn.search.trial import Trial

NAMED = 5
"""How many cheaper candidates the certificate names."""


@dataclass(frozen=True)
class Certificate:
    """The next cheaper candidates that were tried.

    Parameters
    ----------
    minimized : str
        The cost that is meant, by the name of its limit.
    next_smaller : tuple of Trial
        Those that were measured and have less of that cost, whatever their memory; the dearest first.
    tried, untried : int
        Candidates with less of that cost than the winner: that were measured, and that were not.
    not_reached : int
        Of `untried`, those that would have been tried had the search not ended.
    best : Trial or None
        The most accurate one of all that were measured.
    """

    minimized: str
    next_smaller: tuple[Trial, ...]
    tried: int
    untried: int
    not_reached: int
    best: Trial | None

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name, as ``fspinn search --json`` prints it."""
        return {
            "minimized": self.minimized,
            "tried": self.tried,
            "untried": self.untried,
            "not_reached": self.not_reached,
            "next_smaller": [_plain(trial, self.minimized) for trial in self.next_smaller],
            "best": None if self.best is None else _plain(self.best, self.minimized),
        }


def certify(
    trials: Mapping[Candidate, Trial],
    winner: Candidate,
    seed: int,
    left: Container[Candidate] = (),
    minimized: str = "memory",
    expected: Cost | None = None,
) -> Certificate:
    """Return the certificate of a winner, from the final trials of all candidates.

    `minimized` is the cost that decides; `left` are those that would have been tried had the search not
    ended. `expected` is what the winner was expected to cost: expected and counted energies do not compare.
    """

    def cost(trial: Trial) -> float:
        assert trial.cost is not None
        return cost_of(trial.cost, minimized)

    def cheaper(trial: Trial) -> bool:
        if expected is None or MEASURES[minimized].exact or seed in trial.confusions:
            return cost(trial) < cost(trials[winner])
        return cost(trial) < cost_of(expected, minimized)

    smaller = [trial for trial in trials.values() if cheaper(trial)]
    measured = sorted((trial for trial in smaller if seed in trial.confusions), key=cost, reverse=True)
    best = max(measured, key=lambda trial: trial.accuracy or 0.0, default=None)
    not_reached = sum(trial.candidate in left and seed not in trial.confusions for trial in smaller)
    untried = len(smaller) - len(measured)
    return Certificate(minimized, tuple(measured[:NAMED]), len(measured), untried, not_reached, best)


def in_words(certificate: Certificate) -> Sequence[str]:
    """Return the lines that say why nothing cheaper is the answer."""
    cheaper = less(certificate.minimized)
    untried = []
    if certificate.untried:
        words = f"{cheaper} and not measured: {certificate.untried:,}"
        if certificate.not_reached:
            words += f", of which {certificate.not_reached:,} because the search ended first"
        untried = [words]
    if certificate.tried == 0:
        return [f"nothing {cheaper} was tried", *untried]
    memory = certificate.minimized == "memory"
    ones, following = ("smaller ones", "the next smaller") if memory else (cheaper, "the next of them")
    lines = [f"of {certificate.tried} {ones} that were tried, none will do; {following}:"]
    lines += [f"  {_line(trial, certificate.minimized)}" for trial in certificate.next_smaller]
    best = certificate.best
    if best is not None and best not in certificate.next_smaller:
        lines += ["and the most accurate of them:", f"  {_line(best, certificate.minimized)}"]
    return lines + untried


def chance(value: float) -> str:
    """Return a probability, for people.

    >>> chance(0.2), chance(0.00002)
    ('20 %', 'below 0.01 %')
    """
    return f"{100 * value:.2g} %" if value >= 1e-4 else "below 0.01 %"


def short_points(trial: Trial) -> float:
    """Return the percentage points that a trial is below the target; negative if it is above."""
    return 100 * ((trial.target or 0.0) - (trial.accuracy or 0.0))


def chance_at_target(trial: Trial) -> float:
    """Return how likely so little, or less, is measured of a network that truly reaches the target.

    Small means that this one hardly does (see `fspinn.search.metrics.Metric.chance`).
    """
    assert trial.confusion is not None
    return metric_of(trial.metric).chance(trial.confusion, trial.target or 0.0)


def _plain(trial: Trial, minimized: str) -> dict[str, Any]:
    return {
        **trial.candidate.as_dict(),
        "memory_bits": trial.memory_bits,
        MEASURES[minimized].field: getattr(trial.cost, MEASURES[minimized].field),
        "accuracy": trial.accuracy,
        "accuracy_interval": trial.accuracy_interval,
        "seeds": len(trial.confusions),
        "short_points": short_points(trial),
        "chance": chance_at_target(trial),
        "reason": trial.verdict,
    }


def _line(trial: Trial, minimized: str) -> str:
    assert trial.cost is not None
    low, high = trial.accuracy_interval or (0.0, 1.0)
    words = f"{described(trial.cost, minimized)}: {trial.candidate}: {trial.accuracy:.1%} "
    words += f"({low:.1%} to {high:.1%})"
    short = short_points(trial)
    if short <= 0:
        return f"{words}, {trial.verdict}"
    return (
        f"{words}, {short:.1f} points short; chance of that at the target {chance(chance_at_target(trial))}"
    )
