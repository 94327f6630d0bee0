"""What became of a candidate, whichever search tried it?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.answering.metrics import mean_confusion
from fspinn.base.printing import Printed
from fspinn.search.candidates import Candidate
from fspinn.search.costs import Cost
from fspinn.search.intervals import CONFIDENCE
from fspinn.search.jobs import Confusion, Job, JobResult
from fspinn.search.metrics import metric_of
from fspinn.search.shortfalls import Shortfall, shortfall


class Outcome(Enum):
    """What became of a candidate."""

    CHOSEN = "chosen"
    MEETS = "meets"
    BELOW = "below"
    """Its accuracy, or another metric that was asked for, is below the target on the validation images."""
    NOT_PROVEN = "not proven"
    """Its accuracy is not, but there are too few validation images to be sure."""
    OVER_LIMIT = "over limit"
    FAILED = "failed"
    """It cannot be measured: it never spikes, or a format cannot hold it."""
    UNFINISHED = "unfinished"
    """Something other than the network kept it from being measured."""
    MEASURED = "measured"
    """What follows from it is not decided yet."""
    GOES_ON = "goes on"
    """It learns from more samples."""
    DROPPED = "dropped"
    """After it had learned from few samples, or because another one is better."""
    UNTRIED = "untried"


@dataclass(frozen=True, repr=False)
class Trial(Printed):
    """What became of a candidate. Its accuracies are values of the metric that was asked for.

    Parameters
    ----------
    candidate : Candidate
    outcome : Outcome
    cost : Cost or None, default None
        Expected, until it was measured.
    confusions : mapping of int to tuple
        By seed, how many validation images of each class (rows) it answers with each (columns).
    metric : str, default "accuracy"
        See `fspinn.search.metrics`.
    target : float or None, default None
        The accuracy that is asked for.
    confidence : float, default 0.975
        Of `proven_accuracy`.
    reason : str or None, default None
        What there is to say of the outcome: an error, the limit that it is beyond.
    presentations : int or None, default None
        Images that it learned from, where not all candidates learn for the same time.
    number : int or None, default None
        Of a candidate that is one of several drawn around a network; 0 is that network.
    varied : str or None, default None
        What was changed, where one thing after the other is.
    """

    candidate: Candidate
    outcome: Outcome = Outcome.UNTRIED
    cost: Cost | None = None
    confusions: Mapping[int, Confusion] = field(default_factory=dict)
    metric: str = "accuracy"
    target: float | None = None
    confidence: float = CONFIDENCE
    reason: str | None = None
    presentations: int | None = None
    number: int | None = None
    varied: str | None = None

    def __str__(self) -> str:
        return f"{self.candidate}: {self.verdict}"

    @property
    def accuracy(self) -> float | None:
        """On the validation images, that of the mean over all seeds; None where it was not measured."""
        return None if self.confusion is None else metric_of(self.metric).value(self.confusion)

    @property
    def accuracy_interval(self) -> tuple[float, float] | None:
        """95 % interval of `accuracy`; more seeds do not make more images."""
        return None if self.confusion is None else metric_of(self.metric).interval(self.confusion, CONFIDENCE)

    @property
    def proven_accuracy(self) -> float | None:
        """What the true accuracy is not below, with the confidence that was asked for."""
        return (
            None if self.confusion is None else metric_of(self.metric).proven(self.confusion, self.confidence)
        )

    @property
    def accuracies(self) -> dict[int, float]:
        """By seed."""
        value = metric_of(self.metric).value
        return {seed: value(np.array(confusion)) for seed, confusion in self.confusions.items()}

    @property
    def memory_bits(self) -> int:
        """Memory for inference, readout included."""
        assert self.cost is not None
        return self.cost.memory_bits

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        return verdict(self)

    @cached_property
    def shortfall(self) -> Shortfall | None:
        """How it falls short of the target; None where that is not why it is not the answer."""
        if self.outcome not in (Outcome.BELOW, Outcome.NOT_PROVEN):
            return None
        if self.confusion is None or self.target is None:
            return None
        return shortfall(self.confusion, self.metric, self.target, self.confidence)

    @cached_property
    def confusion(self) -> NDArray[np.float64] | None:
        """The mean confusion matrix over all seeds; None where it was not measured."""
        return mean_confusion(self.confusions.values()) if self.confusions else None

    def after(self, job: Job, result: JobResult) -> "Trial":
        """Return the trial once a job is done that measured its candidate."""
        if result.fault is not None:
            return replace(self, outcome=Outcome.UNFINISHED, reason=result.fault)
        for found in result.measurements:
            if found.variant == self.candidate.variant and found.confusion is not None:
                found_by = {**self.confusions, job.seed: found.confusion}
                return replace(
                    self, outcome=Outcome.MEASURED, cost=found.cost, confusions=found_by, reason=None
                )
            if found.variant == self.candidate.variant:
                return replace(self, outcome=Outcome.FAILED, reason=found.error)
        return replace(self, outcome=Outcome.FAILED, reason=result.error or "nothing was measured")

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name, in one level but for the settings and the accuracies by seed."""
        return {
            **self.candidate.as_dict(),
            "outcome": self.outcome.value,
            "verdict": self.verdict,
            "accuracy": self.accuracy,
            "accuracy_interval": self.accuracy_interval,
            "proven_accuracy": self.proven_accuracy,
            "group": None if self.shortfall is None else self.shortfall.group.value,
            "chance": None if self.shortfall is None else self.shortfall.chance_of_so_low,
            "chance_above": None if self.shortfall is None else self.shortfall.chance_of_so_high,
            "accuracies": {str(seed): accuracy for seed, accuracy in self.accuracies.items()},
            **({} if self.cost is None else asdict(self.cost)),
        }


def verdict(trial: Trial) -> str:
    """Return the outcome of a trial in words."""
    reason = trial.reason
    match trial.outcome:
        case Outcome.MEETS:
            return "meets the target" if reason is None else f"meets the target, but {reason}"
        case Outcome.BELOW | Outcome.NOT_PROVEN if trial.shortfall is not None:
            return trial.shortfall.words
        case Outcome.OVER_LIMIT | Outcome.MEASURED if reason is not None:
            return reason
        case Outcome.UNFINISHED:
            words = "not finished"
        case Outcome.UNTRIED:
            words = "not tried"
        case other:
            words = other.value
    return words if reason is None else f"{words}: {reason}"
