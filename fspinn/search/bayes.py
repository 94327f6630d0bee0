"""Bayesian optimisation of several objectives: accuracy against all that should be little.

The published idea of Bayesian Pareto optimisation (SpikeExplorer's, for one), through Optuna's samplers. A
network is trained once, and all its variants are measured; those that none of the others beats are told to
the sampler beside the one it drew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log2
from typing import TYPE_CHECKING, Any, Literal

from fspinn.search.candidates import Candidate, Variant
from fspinn.search.constraints import cost_of
from fspinn.search.jobs import Job, Outcome
from fspinn.search.ledger import Ledger
from fspinn.search.sampling import Drawing

if TYPE_CHECKING:
    import optuna


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
        With variants.
    ledger : Ledger
    """

    drawing: Drawing
    ledger: Ledger
    _asked: "dict[Job, list[tuple[optuna.Trial, Variant]]]" = field(default_factory=dict)

    def ask(self) -> Job | None:
        """Return the next network that the sampler draws."""
        drawn = self.drawing.draw()
        if drawn is None:
            return None
        trial, candidates, variant = drawn
        assert variant is not None
        network, passes = candidates[0].network, candidates[0].passes
        job = Job(network, passes, self.ledger.seed, tuple(c.variant for c in candidates))
        self._asked.setdefault(job, []).append((trial, variant))
        return job

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Tell the sampler what came of a network."""
        candidates = self.ledger.note(job, outcome)
        trial, variant = self._asked[job].pop()
        measured = {c.variant: c for c in candidates if c in self.ledger.correct}
        self.drawing.mark(trial, [job])
        if variant not in measured:
            self.drawing.tell(trial, None, {})
            return
        self._tell(trial, measured[variant])
        for other in self._unbeaten(list(measured.values())):
            if other.variant != variant:
                self._tell(self._again(trial, other.variant), other)

    def _tell(self, trial: "optuna.Trial", candidate: Candidate) -> None:
        ledger = self.ledger
        costs = [log2(max(cost_of(ledger.costs[candidate], name), 1e-12)) for name in ledger.minimize]
        constraints = {"accuracy": ledger.constraints.accuracy - ledger.interval(candidate)[0]}
        for name, factor in ledger.constraints.excess(ledger.costs[candidate]).items():
            constraints[name] = log2(max(factor, 1e-12))
        self.drawing.tell(trial, [ledger.accuracy(candidate), *costs], constraints)

    def _unbeaten(self, candidates: list[Candidate]) -> list[Candidate]:
        """Return the candidates that no other one beats in accuracy and all that is minimised."""

        def point(candidate: Candidate) -> tuple[float, ...]:
            costs = (cost_of(self.ledger.costs[candidate], name) for name in self.ledger.minimize)
            return (-self.ledger.accuracy(candidate), *costs)

        points = [point(candidate) for candidate in candidates]
        return [
            candidate
            for candidate, mine in zip(candidates, points, strict=True)
            if not any(p != mine and all(a <= b for a, b in zip(p, mine, strict=True)) for p in points)
        ]

    def _again(self, trial: "optuna.Trial", variant: Variant) -> "optuna.Trial":
        """Return a trial with the same network and another variant."""
        study, distributions = self.drawing.study, self.drawing.distributions
        params: dict[str, Any] = {
            name: getattr(variant, name) if hasattr(variant, name) else param
            for name, param in trial.params.items()
        }
        study.enqueue_trial(params)
        return study.ask(distributions)
