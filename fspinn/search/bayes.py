"""Bayesian optimisation of several objectives: accuracy against all that should be little.

The published idea of Bayesian Pareto optimisation (SpikeExplorer's, for one), through Optuna's samplers. The
sampler draws settings of training only: all variants of a network are measured in any case, and all of them
can be the answer. It is told the one variant that dominates most (fspinn): of the largest
``(accuracy - target / 2) * product over costs of (1 + log2(costliest variant / variant))``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import TYPE_CHECKING

from fspinn.search.jobs import Job, JobResult
from fspinn.search.sampling import LEAST, Drawing
from fspinn.search.trial import Trial

if TYPE_CHECKING:
    import optuna


@dataclass
class Bayes:
    """Asks a sampler for networks, and tells it accuracies and the logarithms of costs."""

    drawing: Drawing
    _asked: "dict[Job, list[optuna.Trial]]" = field(default_factory=dict)

    def ask(self, known: Callable[[Job], object] | None = None) -> Job | None:
        """Return the next network that the sampler draws; which one that is, is not known before."""
        if known is not None:
            return None
        drawn = self.drawing.draw()
        if drawn is None:
            return None
        trial, job = drawn
        self._asked.setdefault(job, []).append(trial)
        return job

    def tell(self, job: Job, result: JobResult) -> None:
        """Tell the sampler what came of a network."""
        ledger = self.drawing.ledger
        measured = [trial for trial in ledger.note(job, result) if trial.confusions]
        drawn = self._asked[job].pop()
        if not measured:
            self.drawing.tell(drawn, None)
            return
        best = self._dominating(measured)
        assert best.cost is not None
        constraints = {"accuracy": ledger.constraints.accuracy - (best.proven_accuracy or 0.0)}
        for name, factor in ledger.constraints.excess(best.cost).items():
            constraints[name] = log2(max(factor, LEAST))
        costs = [log2(max(ledger.cost_of(best.candidate, name), LEAST)) for name in ledger.minimize]
        self.drawing.tell(drawn, [best.accuracy or 0.0, *costs], constraints)

    def neurons_left(self) -> float:
        """Return the neurons of the networks to draw."""
        return self.drawing.neurons_left()

    def networks_left(self) -> int:
        """Return how many networks are to be drawn."""
        return self.drawing.networks_left

    def _dominating(self, measured: Sequence[Trial]) -> Trial:
        ledger = self.drawing.ledger
        most = {name: max(ledger.cost_of(t.candidate, name) for t in measured) for name in ledger.minimize}

        def area(trial: Trial) -> float:
            found = (trial.accuracy or 0.0) - ledger.constraints.accuracy / 2
            for name in ledger.minimize if found > 0 else ():
                cost = max(ledger.cost_of(trial.candidate, name), LEAST)
                found *= 1 + log2(max(most[name], LEAST) / cost)
            return found

        return max(measured, key=area)
