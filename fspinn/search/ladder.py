"""The ladder: the cheapest network first, until one meets the accuracy.

After FSpiNN's search (sizes and widths under a memory budget), with the cost model deciding the order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf

from fspinn.network.description import Network
from fspinn.search.candidates import Candidate
from fspinn.search.constraints import MEASURES, cost_of
from fspinn.search.jobs import Job, Outcome
from fspinn.search.ledger import Ledger


@dataclass
class Ladder:
    """Trains one network after the other, in the order of its cheapest variant's expected cost.

    It goes on for as long as the next network could be cheaper than the cheapest one that meets the target:
    by its expected cost, which for memory, flash, RAM and area is the least that pruning may leave.

    Parameters
    ----------
    ledger : Ledger
        With the expected costs of all candidates.
    """

    ledger: Ledger
    _groups: list[tuple[float, Job]] = field(init=False)
    _expected: dict[Candidate, float] = field(init=False)

    def __post_init__(self) -> None:
        first = self.ledger.minimize[0]
        self._expected = {c: cost_of(cost, first) for c, cost in self.ledger.costs.items()}
        groups: dict[tuple[Network, int | None], list[Candidate]] = {}
        for candidate in self.ledger.costs:
            if candidate not in self.ledger.rejected:
                groups.setdefault((candidate.network, candidate.passes), []).append(candidate)
        self._groups = sorted(
            ((min(self._cheapest(several), default=0.0), self._job(several)) for several in groups.values()),
            key=lambda group: group[0],
            reverse=True,
        )

    def ask(self, known: Callable[[Job], bool] | None = None) -> Job | None:
        """Return the next network; None if none that is left can be cheaper than the best."""
        best = self._best()
        for place in reversed(range(len(self._groups))):
            cost, job = self._groups[place]
            if cost >= best:
                return None
            if known is None or known(job):
                del self._groups[place]
                return job
        return None

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Take note of an outcome."""
        self.ledger.note(job, outcome)

    def neurons_left(self) -> float:
        """Return the neurons of all networks that could be cheaper than the best."""
        best = self._best()
        return sum(job.network.neurons for cost, job in self._groups if cost < best)

    def left(self) -> set[Candidate]:
        """Return the candidates that were not asked for and could be cheaper than the best."""
        best = self._best()
        candidates = (
            Candidate(job.network, variant, job.passes) for _, job in self._groups for variant in job.variants
        )
        return {candidate for candidate in candidates if self._expected[candidate] < best}

    def _best(self) -> float:
        first = self.ledger.minimize[0]
        meets = [candidate for candidate in self._expected if self.ledger.meets(candidate)]
        if MEASURES[first].exact:
            return min((cost_of(self.ledger.costs[candidate], first) for candidate in meets), default=inf)
        return min(self._cheapest(meets), default=inf)  # expected and counted energies do not compare

    def _cheapest(self, candidates: Iterable[Candidate]) -> Iterable[float]:
        return (self._expected[candidate] for candidate in candidates)

    def _job(self, several: list[Candidate]) -> Job:
        variants = tuple(candidate.variant for candidate in several)
        return Job(several[0].network, several[0].passes, self.ledger.seed, variants)


@dataclass
class Listed:
    """Does a list of jobs, in its order."""

    ledger: Ledger
    jobs: list[Job]

    def ask(self, known: Callable[[Job], bool] | None = None) -> Job | None:
        """Return the next job of the list."""
        for place, job in enumerate(self.jobs):
            if known is None or known(job):
                return self.jobs.pop(place)
        return None

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Take note of an outcome."""
        self.ledger.note(job, outcome)

    def neurons_left(self) -> float:
        """Return the neurons of the networks that are left."""
        return sum(job.network.neurons for job in self.jobs)
