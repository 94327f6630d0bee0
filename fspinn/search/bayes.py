"""Bayesian optimisation of several objectives: accuracy against all that should be little.

The published idea of Bayesian Pareto optimisation (SpikeExplorer's, for one), through Optuna's samplers. The
sampler draws settings of training only: all variants of a network are measured in any case, and all of them
can be the answer. It is told the one variant that dominates most (own): of the largest
``(accuracy - target / 2) * product over costs of (1 + log2(costliest variant / variant))``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import TYPE_CHECKING, Literal

from fspinn.search.candidates import Candidate
from fspinn.search.constraints import cost_of
from fspinn.search.jobs import Job, Outcome
from fspinn.search.ledger import Ledger
from fspinn.search.sampling import Drawing

if TYPE_CHECKING:
    import optuna

LEAST = 1e-12
"""Stands for a cost of 0, which has no logarithm."""


def directions(minimize: Sequence[str]) -> list[Literal["minimize", "maximize"]]:
    """Return the directions of the study: accuracy up, all else down."""
    found: list[Literal["minimize", "maximize"]] = ["maximize"]
    found.extend("minimize" for _ in minimize)
    return found


@dataclass
class Bayes:
    """Asks a sampler for networks, and tells it accuracies and the logarithms of costs.

    Parameters
    ----------
    drawing : Drawing
    ledger : Ledger
    """

    drawing: Drawing
    ledger: Ledger
    _asked: "dict[Job, list[optuna.Trial]]" = field(default_factory=dict)

    def ask(self, known: Callable[[Job], bool] | None = None) -> Job | None:
        """Return the next network that the sampler draws; those that are known were told at the start."""
        if known is not None:
            return None
        drawn = self.drawing.draw()
        if drawn is None:
            return None
        trial, job = drawn
        self._asked.setdefault(job, []).append(trial)
        return job

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Tell the sampler what came of a network."""
        ledger = self.ledger
        measured = [candidate for candidate in ledger.note(job, outcome) if candidate in ledger.correct]
        trial = self._asked[job].pop()
        self.drawing.mark(trial, [job])
        if not measured:
            self.drawing.tell(trial, None, {})
            return
        best = self._dominating(measured)
        cost = ledger.costs[best]
        constraints = {"accuracy": ledger.constraints.accuracy - ledger.proven(best)}
        for name, factor in ledger.constraints.excess(cost).items():
            constraints[name] = log2(max(factor, LEAST))
        costs = [log2(max(cost_of(cost, name), LEAST)) for name in ledger.minimize]
        self.drawing.tell(trial, [ledger.accuracy(best), *costs], constraints)

    def neurons_left(self) -> float:
        """Return the neurons of the networks to draw."""
        return self.drawing.neurons_left()

    def networks_left(self) -> int:
        """Return how many networks are to be drawn."""
        return self.drawing.networks_left

    def _dominating(self, measured: Sequence[Candidate]) -> Candidate:
        ledger = self.ledger
        most = {name: max(cost_of(ledger.costs[c], name) for c in measured) for name in ledger.minimize}

        def area(candidate: Candidate) -> float:
            found = ledger.accuracy(candidate) - ledger.constraints.accuracy / 2
            for name in ledger.minimize if found > 0 else ():
                own = max(cost_of(ledger.costs[candidate], name), LEAST)
                found *= 1 + log2(max(most[name], LEAST) / own)
            return found

        return max(measured, key=area)
