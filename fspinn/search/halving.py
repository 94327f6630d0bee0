"""Successive halving: many candidates on few samples, the best of them on more.

One objective under the accuracy constraint: the pruners of Optuna work for a single one. It is the first cost
that should be little, doubled for each percentage point that the accuracy is short of the target (own):
``log2(cost) + 100 max(0, target - lower end of the interval)``, the least over the variants of a network.
A network learns anew on each rung, since its rates are annealed over the presentations that it gets.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import log2
from typing import TYPE_CHECKING

from fspinn.search.constraints import cost_of
from fspinn.search.intervals import wilson_interval
from fspinn.search.jobs import Job, Outcome
from fspinn.search.ledger import Ledger
from fspinn.search.sampling import Drawing

if TYPE_CHECKING:
    import optuna

RUNGS = (1 / 9, 1 / 3, 1.0)
"""Part of the presentations that candidates of each rung get."""

FACTOR = 3
"""One of so many goes on to the next rung (asynchronous successive halving, Li et al. 2020)."""


@dataclass
class Halving:
    """Asks a sampler for networks, and a pruner which of them go on.

    Parameters
    ----------
    drawing : Drawing
        Of a study that has a pruner.
    ledger : Ledger
    """

    drawing: Drawing
    ledger: Ledger
    _trials: "dict[Job, optuna.Trial]" = field(default_factory=dict)
    _higher: "list[tuple[Job, optuna.Trial]]" = field(default_factory=list)

    def ask(self, known: Callable[[Job], bool] | None = None) -> Job | None:
        """Return the next rung of a network that goes on, or the first one of another.

        Networks that are known were told at the start.
        """
        if known is not None:
            return None
        if self._higher:
            job, trial = self._higher.pop(0)
        else:
            drawn = self.drawing.draw()
            if drawn is None:
                return None
            trial, whole = drawn
            job = replace(whole, share=RUNGS[0])
        self._trials[job] = trial
        return job

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Let the pruner decide what becomes of a network."""
        import optuna

        self.ledger.note(job, outcome)
        trial, rung = self._trials.pop(job), RUNGS.index(job.share)
        score = self._score(outcome)
        if score is not None:
            trial.report(score, FACTOR**rung)
            if job.share < 1 and not trial.should_prune():
                self._higher.append((replace(job, share=RUNGS[rung + 1]), trial))
                return
        self.drawing.mark(trial, [replace(job, share=share) for share in RUNGS[: rung + 1]])
        if score is not None and job.share < 1:
            self.drawing.study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            self.drawing.tell(trial, None if score is None else [score], {})

    def neurons_left(self) -> float:
        """Return the neurons of the networks to draw."""
        return self.drawing.neurons_left()

    def networks_left(self) -> int:
        """Return how many networks are to be drawn, or to go on."""
        return self.drawing.networks_left + len(self._higher)

    def _score(self, outcome: Outcome) -> float | None:
        scores, limits = [], self.ledger.constraints
        for measurement in outcome.measurements:
            if measurement.correct is not None and measurement.cost is not None:
                low, _ = wilson_interval(measurement.correct, self.ledger.samples, limits.confidence)
                cost = cost_of(measurement.cost, self.ledger.minimize[0])
                short = max(0.0, limits.accuracy - low)
                beyond = [log2(f) for f in limits.excess(measurement.cost).values() if f > 1]
                scores.append(log2(max(cost, 1e-12)) + 100 * (short + sum(beyond)))
        return min(scores, default=None)


def pruner() -> "optuna.pruners.BasePruner":
    """Return the pruner of the study: one in three goes on."""
    from optuna.pruners import SuccessiveHalvingPruner

    return SuccessiveHalvingPruner(min_resource=1, reduction_factor=FACTOR)
