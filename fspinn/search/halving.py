"""Successive halving: many candidates on few samples, the best of them on more.

One objective under the accuracy constraint: the first cost that should be little, doubled for each percentage
point that the accuracy is short of the target (fspinn):
``log2(cost) + 100 max(0, target - lower end of the interval)``, the least over the variants of a network.
A network learns anew on each rung, since its rates are annealed over the presentations that it gets.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import log2
from typing import TYPE_CHECKING

import numpy as np

from fspinn.search.constraints import cost_of
from fspinn.search.jobs import Job, JobResult
from fspinn.search.metrics import metric_of
from fspinn.search.sampling import LEAST, Drawing

if TYPE_CHECKING:
    import optuna

RUNGS = (1 / 9, 1 / 3, 1.0)
"""Part of the presentations that candidates of each rung get."""

FACTOR = 3
"""One of so many goes on to the next rung (asynchronous successive halving, Li et al. 2020)."""


@dataclass
class Halving:
    """Asks a sampler for networks, and lets the best third of each rung go on."""

    drawing: Drawing
    _trials: "dict[Job, optuna.Trial]" = field(default_factory=dict)
    _higher: "list[tuple[Job, optuna.Trial]]" = field(default_factory=list)
    _scores: dict[float, list[float]] = field(default_factory=lambda: {share: [] for share in RUNGS})

    def ask(self, known: Callable[[Job], object] | None = None) -> Job | None:
        """Return the next rung of a network that goes on, or the first one of another."""
        if known is not None:  # which one that is, is not known before
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

    def tell(self, job: Job, result: JobResult) -> None:
        """Decide what becomes of a network."""
        self.drawing.ledger.note(job, result)
        trial, score = self._trials.pop(job), self._score(result)
        if score is None:
            self.drawing.tell(trial, None)
        elif job.share == 1:
            self.drawing.tell(trial, [score])
        else:
            rung, scores = RUNGS.index(job.share), self._scores[job.share]
            trial.report(score, FACTOR**rung)
            scores.append(score)
            if score <= sorted(scores)[max(0, len(scores) // FACTOR - 1)]:
                self._higher.append((replace(job, share=RUNGS[rung + 1]), trial))
            else:
                self.drawing.drop(trial)

    def neurons_left(self) -> float:
        """Return the neurons of the networks to draw."""
        return self.drawing.neurons_left()

    def networks_left(self) -> int:
        """Return how many networks are to be drawn, or to go on."""
        return self.drawing.networks_left + len(self._higher)

    def _score(self, result: JobResult) -> float | None:
        scores, limits = [], self.drawing.ledger.constraints
        metric = metric_of(limits.metric)
        for measurement in result.measurements:
            if measurement.confusion is not None and measurement.cost is not None:
                low = metric.proven(np.array(measurement.confusion), limits.confidence)
                cost = cost_of(measurement.cost, self.drawing.ledger.minimize[0])
                short = max(0.0, limits.accuracy - low)
                beyond = [log2(f) for f in limits.excess(measurement.cost).values() if f > 1]
                scores.append(log2(max(cost, LEAST)) + 100 * (short + sum(beyond)))
        return min(scores, default=None)
