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
from fspinn.search.shortfalls import Group, heading
from fspinn.search.trial import Trial

NAMED = 3
"""How many cheaper candidates of each group the certificate names."""


@dataclass(frozen=True)
class Certificate:
    """The next cheaper candidates that were tried.

    Parameters
    ----------
    minimized : str
        The cost that is meant, by the name of its limit.
    next_smaller : tuple of Trial
        Those that were measured and have less of that cost, whatever their memory, some of each group; the
        dearest first.
    groups : mapping of Group to int
        How many of all that were tried are too poor, undecided, or not the answer for another reason.
    tried, untried : int
        Candidates with less of that cost than the winner: that were measured, and that were not.
    not_reached : int
        Of `untried`, those that would have been tried had the search not ended.
    best : Trial or None
        The most accurate one of all that were measured.
    """

    minimized: str
    next_smaller: tuple[Trial, ...]
    groups: Mapping[Group, int]
    tried: int
    untried: int
    not_reached: int
    best: Trial | None

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name, as ``fspinn search --json`` prints it."""
        return {
            "minimized": self.minimized,
            "tried": self.tried,
            "groups": {group.value: count for group, count in self.groups.items()},
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
    groups = [(group, [trial for trial in measured if group_of(trial) is group]) for group in Group]
    named = sorted((trial for _, trials in groups for trial in trials[:NAMED]), key=cost, reverse=True)
    counts = {group: len(trials) for group, trials in groups}
    return Certificate(minimized, tuple(named), counts, len(measured), untried, not_reached, best)


def in_words(certificate: Certificate) -> Sequence[str]:
    """Return the lines that say why nothing cheaper is the answer, by group."""
    cheaper = less(certificate.minimized)
    untried = []
    if certificate.untried:
        words = f"{cheaper} and not measured: {certificate.untried:,}"
        if certificate.not_reached:
            words += f", of which {certificate.not_reached:,} because the search ended first"
        untried = [words]
    best = certificate.best
    if best is None:
        return [f"nothing {cheaper} was tried", *untried]
    networks = "smaller networks" if certificate.minimized == "memory" else f"networks {cheaper}"
    after = metric_of(best.metric).after_percent
    lines = [
        f"none of the {certificate.tried:,} {networks} that were tried is proven to reach "
        f"{best.target or 0.0:.1%}{after}{' within the limits' if certificate.groups[Group.OTHER] else ''}"
    ]
    for group, count in certificate.groups.items():
        named = [trial for trial in certificate.next_smaller if group_of(trial) is group]
        if count:
            such_as = ", such as" if count > len(named) else ""
            lines.append(f"  {heading(group, _images(best))}: {count:,}{such_as}")
            lines += [f"    {_line(trial, certificate.minimized)}" for trial in named]
    if best not in certificate.next_smaller:
        lines += ["  the most accurate of them:", f"    {_line(best, certificate.minimized)}"]
    return lines + untried


def group_of(trial: Trial) -> Group:
    """Return why a trial is not the answer."""
    return Group.OTHER if trial.shortfall is None else trial.shortfall.group


def _images(trial: Trial) -> int:
    assert trial.confusion is not None
    return round(float(trial.confusion.sum()))


def _plain(trial: Trial, minimized: str) -> dict[str, Any]:
    short = trial.shortfall
    return {
        **trial.candidate.as_dict(),
        "memory_bits": trial.memory_bits,
        MEASURES[minimized].field: getattr(trial.cost, MEASURES[minimized].field),
        "accuracy": trial.accuracy,
        "accuracy_interval": trial.accuracy_interval,
        "seeds": len(trial.confusions),
        "short_points": 100 * ((trial.target or 0.0) - (trial.accuracy or 0.0)),
        "group": group_of(trial).value,
        "chance": None if short is None else short.chance_of_so_low,
        "chance_above": None if short is None else short.chance_of_so_high,
        "reason": trial.verdict,
        "luck": None if short is None else short.luck,
    }


def _line(trial: Trial, minimized: str) -> str:
    assert trial.cost is not None
    why = trial.verdict if trial.shortfall is None else trial.shortfall.luck
    return f"{described(trial.cost, minimized)}: {trial.candidate}: {trial.accuracy:.1%}; {why}"
