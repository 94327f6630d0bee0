"""What is known of each candidate, and which is the best so far?"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace

from fspinn.search.candidates import Candidate
from fspinn.search.constraints import MEASURES, Constraints, cost_of
from fspinn.search.costs import Cost
from fspinn.search.jobs import Job, JobResult
from fspinn.search.trial import Outcome, Trial


@dataclass
class Ledger:
    """The trials of all candidates of a search.

    The first of `minimize` decides. A candidate has to meet the target with
    so many `seeds`, from `seed` on, before it is the answer. `costs` returns what candidates should cost.
    """

    constraints: Constraints
    minimize: Sequence[str]
    seed: int
    seeds: int
    costs: Callable[[list[Candidate]], list[Cost]]
    trials: dict[Candidate, Trial] = field(default_factory=dict)

    def expect(self, candidates: Iterable[Candidate]) -> None:
        """Take note of candidates with their expected costs, and reject those that are beyond a limit."""
        new = [candidate for candidate in candidates if candidate not in self.trials]
        limits = self.constraints
        for candidate, cost in zip(new, self.costs(new), strict=True):
            reason = limits.reason(cost)
            self.trials[candidate] = Trial(
                candidate,
                Outcome.UNTRIED if reason is None else Outcome.OVER_LIMIT,
                cost,
                metric=limits.metric,
                target=limits.accuracy,
                confidence=limits.confidence,
                reason=reason,
            )

    def rejected(self, candidate: Candidate) -> bool:
        """Return whether its expected cost is beyond a limit."""
        trial = self.trials[candidate]
        return trial.outcome is Outcome.OVER_LIMIT and not trial.confusions

    def job(self, candidates: Sequence[Candidate]) -> Job | None:
        """Return the job that measures those variants of a network that are not rejected; None if all are."""
        kept = [candidate for candidate in candidates if not self.rejected(candidate)]
        return Job.of(kept, self.seed) if kept else None

    def note(self, job: Job, result: JobResult) -> list[Trial]:
        """Take note of what came out of a job; return the trials of its candidates."""
        for candidate in job.candidates:
            trial = self.trials[candidate]
            after = trial.after(job, result)
            if after.outcome is Outcome.MEASURED and job.share < 1:
                share = after.accuracies[job.seed]
                words = f"{share:.2%} after {job.share:.0%} of the presentations"
                after = trial if trial.confusions else replace(trial, outcome=Outcome.MEASURED, reason=words)
            elif after.outcome is Outcome.MEASURED:
                after = self._judged(after if job.seed == self.seed else replace(after, cost=trial.cost))
                if trial.outcome is Outcome.UNFINISHED:
                    after = replace(after, outcome=trial.outcome, reason=trial.reason)
            if trial.outcome is Outcome.FAILED:
                after = replace(after, outcome=trial.outcome, reason=trial.reason)
            self.trials[candidate] = after
        return [self.trials[candidate] for candidate in job.candidates]

    def _judged(self, trial: Trial) -> Trial:
        """Return a trial that was measured with its outcome."""
        assert trial.accuracy is not None
        assert trial.proven_accuracy is not None
        assert trial.cost is not None
        reason, target = self.constraints.reason(trial.cost), self.constraints.accuracy
        if trial.accuracy < target:
            return replace(trial, outcome=Outcome.BELOW, reason=None)
        if reason is not None:
            return replace(trial, outcome=Outcome.OVER_LIMIT, reason=reason)
        proven = trial.proven_accuracy >= target
        return replace(trial, outcome=Outcome.MEETS if proven else Outcome.NOT_PROVEN, reason=None)

    def meets(self, candidate: Candidate) -> bool:
        """Return whether a candidate is proven accurate enough, keeps to all limits and never failed."""
        trial = self.trials[candidate]
        return trial.outcome is Outcome.MEETS and self.seed in trial.confusions

    def cost_of(self, candidate: Candidate, name: str | None = None) -> float:
        """Return one cost of a candidate; of the measure that decides, unless another one is named."""
        cost = self.trials[candidate].cost
        assert cost is not None
        return cost_of(cost, name or self.minimize[0])

    def order(self, candidate: Candidate) -> tuple[float, ...]:
        """Return what to sort candidates by, the best first."""
        trial = self.trials[candidate]
        costs = (self.cost_of(candidate, name) for name in self.minimize)
        return (*costs, trial.memory_bits, -(trial.accuracy or 0.0))

    def passing(self) -> list[Candidate]:
        """Return all candidates that meet the target, the best first."""
        return sorted((candidate for candidate in self.trials if self.meets(candidate)), key=self.order)

    def untried_below(self, winner: Candidate | None) -> set[Candidate]:
        """Return the candidates that were not tried and should be cheaper than a winner."""
        if winner is None:
            return set()
        untried = (c for c, trial in self.trials.items() if trial.outcome is Outcome.UNTRIED)
        return {c for c in untried if self.cost_of(c) < self.cost_of(winner)}

    def confirmed(self, candidate: Candidate) -> bool:
        """Return whether a candidate was measured with all seeds."""
        return len(self.trials[candidate].confusions) >= self.seeds

    def confirming(self, candidate: Candidate) -> list[Job]:
        """Return the jobs that measure a candidate, and its like that meet the target, with more seeds."""
        alike = [other for other in self.passing() if other.setup == candidate.setup]
        seeds = (self.seed + more for more in range(1, self.seeds))
        return [Job.of(alike, seed) for seed in seeds if seed not in self.trials[candidate].confusions]

    def final(
        self, winner: Candidate | None, left: Container[Candidate], late: bool
    ) -> dict[Candidate, Trial]:
        """Return the trials as they stand at the end of a search.

        `left` could be cheaper than the winner, and would have been tried had the search not ended; `late`
        means that the time was over.
        """
        found = {}
        for candidate, trial in self.trials.items():
            if candidate == winner:
                trial = replace(trial, outcome=Outcome.CHOSEN)
            elif trial.outcome is Outcome.MEETS and winner is not None:
                more = self.cost_of(candidate) > self.cost_of(winner)
                words = f"takes {'more' if more else 'the same'} {MEASURES[self.minimize[0]].noun}"
                trial = replace(trial, reason=words)
            elif trial.outcome is Outcome.MEASURED:
                trial = replace(trial, outcome=Outcome.DROPPED)
            elif trial.outcome is Outcome.UNTRIED and winner is not None and candidate not in left:
                trial = replace(trial, reason="takes more than the one chosen")
            elif trial.outcome is Outcome.UNTRIED and late:
                trial = replace(trial, reason="the time was over")
            found[candidate] = trial
        return found

    def front(self) -> list[Candidate]:
        """Return the candidates that none other beats in accuracy and all that is minimised, by accuracy."""
        points = {
            candidate: (
                -(trial.accuracy or 0.0),
                *(self.cost_of(candidate, name) for name in self.minimize),
            )
            for candidate, trial in self.trials.items()
            if self.seed in trial.confusions
        }
        # Whoever beats a point comes before it in this order, and some point of the front beats it as well.
        front: dict[tuple[float, ...], Candidate] = {}
        for candidate, point in sorted(points.items(), key=lambda item: item[1]):
            if not any(all(a <= b for a, b in zip(other, point, strict=True)) for other in front):
                front[point] = candidate
        return list(front.values())[::-1]
