"""The ladder: the cheapest network first, until one meets the accuracy.

After FSpiNN's search (sizes and widths under a memory budget), with the cost model deciding the order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf

from fspinn.network.setup import Setup
from fspinn.search.candidates import Candidate
from fspinn.search.constraints import MEASURES
from fspinn.search.jobs import Job, JobResult
from fspinn.search.ledger import Ledger


@dataclass
class Ladder:
    """Trains one network after the other, in the order of its cheapest variant's expected cost.

    It goes on for as long as the next network could be cheaper than the cheapest one that meets the target:
    by its expected cost, which for memory, flash, RAM and area is the least that pruning may leave. Where
    several learners are tried, each has a ladder of its own: only networks of `learner` are on this one.
    """

    ledger: Ledger
    learner: str
    _steps: list[tuple[float, Job]] = field(init=False)
    _expected: dict[Candidate, float] = field(init=False)

    def __post_init__(self) -> None:
        mine = [each for each in self.ledger.trials if each.setup.learner.kind == self.learner]
        self._expected = {candidate: self.ledger.cost_of(candidate) for candidate in mine}
        alike: dict[Setup, list[Candidate]] = {}
        for candidate in mine:
            alike.setdefault(candidate.setup, []).append(candidate)
        jobs = [job for several in alike.values() if (job := self.ledger.job(several)) is not None]
        self._steps = [(min(self._costs(job.candidates)), job) for job in jobs]
        self._steps.sort(key=lambda step: step[0])

    def ask(self, known: Callable[[Job], object] | None = None) -> Job | None:
        """Return the next network; None if none that is left can be cheaper than the best."""
        best = self._best()
        for place, (cost, job) in enumerate(self._steps):
            if cost >= best:
                return None
            if known is None or known(job):
                del self._steps[place]
                return job
        return None

    def tell(self, job: Job, result: JobResult) -> None:
        """Take note of a result."""
        self.ledger.note(job, result)

    def passing(self) -> list[Candidate]:
        """Return its candidates that meet the target, the best first."""
        return [candidate for candidate in self.ledger.passing() if candidate in self._expected]

    def jobs_left(self) -> list[Job]:
        """Return the jobs of all networks that could be cheaper than the best."""
        best = self._best()
        return [job for cost, job in self._steps if cost < best]

    def neurons_left(self) -> float:
        """Return the neurons of these networks."""
        return sum(job.network.neurons for job in self.jobs_left())

    def left(self) -> set[Candidate]:
        """Return the candidates that were not asked for and could be cheaper than the best."""
        best = self._best()
        candidates = (candidate for job in self.jobs_left() for candidate in job.candidates)
        return {candidate for candidate in candidates if self._expected[candidate] < best}

    def _best(self) -> float:
        meets = [candidate for candidate in self._expected if self.ledger.meets(candidate)]
        if MEASURES[self.ledger.minimize[0]].exact:
            return min(map(self.ledger.cost_of, meets), default=inf)
        return min(self._costs(meets), default=inf)  # expected and counted energies do not compare

    def _costs(self, candidates: Iterable[Candidate]) -> Iterable[float]:
        return (self._expected[candidate] for candidate in candidates)


@dataclass
class Listed:
    """Does a list of jobs, in its order."""

    ledger: Ledger
    jobs: list[Job]

    def ask(self, known: Callable[[Job], object] | None = None) -> Job | None:
        """Return the next job of the list."""
        for place, job in enumerate(self.jobs):
            if known is None or known(job):
                return self.jobs.pop(place)
        return None

    def tell(self, job: Job, result: JobResult) -> None:
        """Take note of a result."""
        self.ledger.note(job, result)
