"""What is known of each candidate, and which is the best so far?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fspinn.search.candidates import Candidate
from fspinn.search.constraints import Constraints, cost_of
from fspinn.search.costs import Cost
from fspinn.search.intervals import wilson_interval
from fspinn.search.jobs import Job, Outcome


@dataclass
class Ledger:
    """All candidates of a search, and what was measured of them.

    Parameters
    ----------
    constraints : Constraints
    minimize : sequence of str
        The first one decides.
    samples : int
        Validation images.
    seed : int
        Of the search; finalists are measured with others as well.
    seeds : int
        With how many seeds a candidate has to meet the target before it is the answer.
    """

    constraints: Constraints
    minimize: Sequence[str]
    samples: int
    seed: int
    seeds: int
    costs: dict[Candidate, Cost] = field(default_factory=dict)
    rejected: dict[Candidate, str] = field(default_factory=dict)
    failed: dict[Candidate, str] = field(default_factory=dict)
    unfinished: dict[Candidate, str] = field(default_factory=dict)
    early: dict[Candidate, tuple[float, int]] = field(default_factory=dict)
    correct: dict[Candidate, dict[int, int]] = field(default_factory=dict)

    def expect(self, costs: Mapping[Candidate, Cost]) -> None:
        """Take note of expected costs, and reject what is beyond a limit."""
        for candidate, cost in costs.items():
            self.costs.setdefault(candidate, cost)
            reason = self.constraints.reason(cost)
            if reason is not None:
                self.rejected[candidate] = reason

    def note(self, job: Job, outcome: Outcome) -> list[Candidate]:
        """Take note of what came out of a job; return its candidates."""
        candidates = {variant: Candidate(job.network, variant, job.passes) for variant in job.variants}
        if outcome.fault is not None:
            self.unfinished.update(dict.fromkeys(candidates.values(), outcome.fault))
            return list(candidates.values())
        if outcome.error is not None:
            self.failed.update(dict.fromkeys(candidates.values(), outcome.error))
            return list(candidates.values())
        for measurement in outcome.measurements:
            candidate = candidates[measurement.variant]
            if measurement.correct is None or measurement.cost is None:
                self.failed[candidate] = measurement.error or "nothing was measured"
            elif job.share < 1:
                self.early[candidate] = job.share, measurement.correct
            else:
                self.correct.setdefault(candidate, {})[job.seed] = measurement.correct
                if job.seed == self.seed:
                    self.costs[candidate] = measurement.cost
        return list(candidates.values())

    def accuracy(self, candidate: Candidate) -> float:
        """Return the accuracy on the validation images, the mean over all seeds."""
        return self._mean_correct(candidate) / self.samples

    def interval(self, candidate: Candidate) -> tuple[float, float]:
        """Return its Wilson 95 % interval; more seeds do not make more images."""
        return wilson_interval(self._mean_correct(candidate), self.samples)

    def proven(self, candidate: Candidate) -> float:
        """Return the accuracy that its true one is not below, with the confidence that is asked for."""
        return wilson_interval(self._mean_correct(candidate), self.samples, self.constraints.confidence)[0]

    def _mean_correct(self, candidate: Candidate) -> float:
        counts = self.correct[candidate].values()
        return sum(counts) / len(counts)

    def meets(self, candidate: Candidate) -> bool:
        """Return whether a candidate is proven accurate enough, keeps to all limits and never failed."""
        return (
            candidate not in self.failed
            and candidate not in self.unfinished
            and self.seed in self.correct.get(candidate, ())
            and self.proven(candidate) >= self.constraints.accuracy
            and self.constraints.reason(self.costs[candidate]) is None
        )

    def order(self, candidate: Candidate) -> tuple[float, ...]:
        """Return what to sort candidates by, the best first."""
        cost = self.costs[candidate]
        accuracy = self.accuracy(candidate) if candidate in self.correct else 0.0
        return (*(cost_of(cost, name) for name in self.minimize), cost.memory_bits, -accuracy)

    def passing(self) -> list[Candidate]:
        """Return all candidates that meet the target, the best first."""
        return sorted((candidate for candidate in self.correct if self.meets(candidate)), key=self.order)

    def unknown_below(self, winner: Candidate | None) -> set[Candidate]:
        """Return the candidates without any outcome that should be cheaper than a winner."""
        if winner is None:
            return set()
        known = {*self.rejected, *self.failed, *self.unfinished, *self.early, *self.correct}
        first = self.minimize[0]
        most = cost_of(self.costs[winner], first)
        return {c for c, cost in self.costs.items() if c not in known and cost_of(cost, first) < most}

    def confirmed(self, candidate: Candidate) -> bool:
        """Return whether a candidate was measured with all seeds."""
        return len(self.correct[candidate]) >= self.seeds

    def confirming(self, candidate: Candidate) -> list[Job]:
        """Return the jobs that measure a candidate, and its like that meet the target, with more seeds."""
        variants = tuple(
            other.variant
            for other in self.passing()
            if (other.network, other.passes) == (candidate.network, candidate.passes)
        )
        return [
            Job(candidate.network, candidate.passes, self.seed + more, variants)
            for more in range(1, self.seeds)
            if self.seed + more not in self.correct[candidate]
        ]

    def front(self) -> list[Candidate]:
        """Return the candidates that none other beats in accuracy and all that is minimised, by accuracy."""
        points = {
            candidate: (
                -self.accuracy(candidate),
                *(cost_of(self.costs[candidate], name) for name in self.minimize),
            )
            for candidate in self.correct
            if self.seed in self.correct[candidate]
        }
        # Whoever beats a point comes before it in this order, and some point of the front beats it as well.
        front: dict[tuple[float, ...], Candidate] = {}
        for candidate, point in sorted(points.items(), key=lambda item: item[1]):
            if not any(all(a <= b for a, b in zip(other, point, strict=True)) for other in front):
                front[point] = candidate
        return list(front.values())[::-1]
