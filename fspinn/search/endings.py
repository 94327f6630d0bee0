"""How did a search end, in words, and what can be done about it?"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from fspinn.base.errors import ConfigError
from fspinn.search.candidates import Candidate
from fspinn.search.constraints import Constraints
from fspinn.search.metrics import metric_of
from fspinn.search.trial import Outcome, Trial

if TYPE_CHECKING:
    from fspinn.datasets import Dataset


class Ending(Enum):
    """How a search ended."""

    FOUND = "found"
    NONE_REACHES = "none reaches"
    """All candidates were tried, and none has the accuracy."""
    NOT_PROVEN = "not proven"
    """All were tried, and some have it, but there are too few validation images to be sure of any."""
    TIME_OVER = "time over"
    """The time was over before all were tried."""
    IMPOSSIBLE = "impossible"
    """No candidate keeps to the limits: nothing was trained."""
    UNFINISHED = "unfinished"
    """Something other than the networks kept some from being measured."""


def ending_of(
    trials: Sequence[Trial], impossible: str | None, out_of_time: bool, unproven: Trial | None
) -> Ending:
    """Return how a search ended, from its final trials.

    `impossible` says which limit no candidate keeps to; `out_of_time` that the time was over before all were
    tried; `unproven` has the accuracy, but on too few images.
    """
    outcomes = {trial.outcome for trial in trials}
    if Outcome.CHOSEN in outcomes:
        return Ending.FOUND
    if impossible is not None:
        return Ending.IMPOSSIBLE
    if Outcome.UNFINISHED in outcomes:
        return Ending.UNFINISHED
    if out_of_time:
        return Ending.TIME_OVER
    return Ending.NONE_REACHES if unproven is None else Ending.NOT_PROVEN


def needed_for(trial: Trial) -> int | None:
    """Return on how many validation images its accuracy would prove the target; None if on no number."""
    if trial.outcome is not Outcome.NOT_PROVEN or trial.confusion is None or trial.target is None:
        return None
    return metric_of(trial.metric).samples_needed(trial.confusion, trial.target, trial.confidence)


def nearest_of(trials: Sequence[Trial], constraints: Constraints) -> Trial:
    """Return the most accurate trial, of those that keep to all limits if any of them was measured."""

    def near(trial: Trial) -> tuple[bool, float]:
        measured = trial.accuracy is not None and trial.cost is not None
        within = measured and constraints.reason(trial.cost) is None  # type: ignore[arg-type]
        return within, trial.accuracy or 0.0

    return max(trials, key=near)


def nearest_unproven(
    trials: Sequence[Trial], order_of: Callable[[Candidate], tuple[float, ...]], images: int
) -> Trial | None:
    """Return the best trial that would do if more validation images showed the same; None if none would.

    What needs no more images than could be held out comes first.
    """

    def order(trial: Trial) -> tuple[float, ...]:
        needed = needed_for(trial)
        if needed is None:
            return (2,)
        return (0, *order_of(trial.candidate)) if needed <= images else (1, needed)

    return min((trial for trial in trials if trial.outcome is Outcome.NOT_PROVEN), key=order, default=None)


def headline(answer: Mapping[str, Any], percent: Callable[[float], str] = "{:.1%}".format) -> str:
    """Return why there is no answer, without a full stop.

    `answer` is as `fspinn.search.SearchResult.as_dict` gives it; `percent` writes an accuracy.
    """
    metric, ending = metric_of(answer["metric"]), Ending(answer["ending"])
    target = percent(answer["target_accuracy"]) + metric.after_percent
    lacks_proof = (
        f"a network reaches {target}, but {answer['dataset']['validation']:,} validation images do not prove "
        f"it with {confidence_in_words(answer['confidence'])}"
    )
    if ending is Ending.UNFINISHED:
        return "The search could not finish"
    if ending is Ending.IMPOSSIBLE:
        return "No network fits"
    if ending is Ending.NOT_PROVEN:
        return lacks_proof[0].upper() + lacks_proof[1:]
    over_limit = any(Outcome(trial["outcome"]) is Outcome.OVER_LIMIT for trial in answer["trials"])
    if ending is Ending.TIME_OVER:
        share = f"{answer['untried']:,} of {answer['considered']:,}"
        words = f"The time was over with {share} {_what(answer)} not tried"
        if Outcome(answer["outcome"]) is Outcome.NOT_PROVEN:
            return f"{words}; so far {lacks_proof}"
        if answer["accuracy"] is None:
            return words
        return f"{words}, and none of the others{' that fit' if over_limit else ''} reaches {target}"
    # A strategy that draws may give up before it has drawn all.
    left = answer["untried"]
    tried = f"{answer['considered'] - left:,}" if left else f"all {answer['considered']:,}"
    fits = " that fits" if over_limit else ""
    return f"No network{fits} reaches {target}: {tried} {_what(answer)} were tried"


def advice(answer: Mapping[str, Any], percent: Callable[[float], str] = "{:.1%}".format) -> str:
    """Return in sentences what to do where there is no answer; the parameters are those of `headline`."""
    ending, needed = Ending(answer["ending"]), answer["validation_needed"]
    dataset, accuracy = answer["dataset"], answer["accuracy"]
    words = []
    if ending in (Ending.NOT_PROVEN, Ending.TIME_OVER) and Outcome(answer["outcome"]) is Outcome.NOT_PROVEN:
        if needed is None:
            words.append("No number of images proves exactly what is asked for: ask for a little less.")
        elif needed <= most_validation(dataset):
            words.append(
                f"With {needed:,} validation images (--validation {needed}) it would do if it stays at "
                f"{percent(accuracy)}."
            )
        else:
            words.append(
                f"It would take {needed:,} validation images at {percent(accuracy)}, too many to hold out: "
                "ask for less accuracy or less --confidence."
            )
    if ending is Ending.TIME_OVER:
        words.append("The same command with a longer --budget goes on where this one stopped.")
    if ending is Ending.NONE_REACHES:
        more = "larger networks (--sizes)" if answer["strategy"] == "ladder" else "more draws (--trials)"
        words.append(f"Ask for less, or allow {more}.")
    return " ".join(words)


def check_validation(data: "Dataset", constraints: Constraints) -> None:
    """Refuse a target that no network could be proven to reach on so few validation images.

    Raises
    ------
    ConfigError
        If even answers that are all right do not prove it, or there are no validation images.
    """
    labels = data.validation.labels
    if len(labels) == 0:
        raise ConfigError("validation: the search needs validation images to choose on; hold some out")
    metric, target, confidence = metric_of(constraints.metric), constraints.accuracy, constraints.confidence
    perfect = np.diag(np.bincount(labels, minlength=data.n_classes))
    if metric.proven(perfect, confidence) < target:
        needed = metric.samples_needed(perfect, target, confidence)
        more = "ask for less" if needed is None else f"hold out at least {needed}, or ask for less"
        raise ConfigError(
            f"accuracy: {len(labels)} validation images cannot show {target:g}{metric.after_percent} with "
            f"{confidence_in_words(confidence)}; {more}"
        )


def most_validation(dataset: Mapping[str, Any]) -> int:
    """Return how many images could be held out: half of those for training and validation (fspinn)."""
    return int(dataset["train"] + dataset["validation"]) // 2


def confidence_in_words(confidence: float) -> str:
    """Return a confidence, for people.

    >>> confidence_in_words(0.975)
    '97.5 % confidence'
    """
    return f"{100 * confidence:.6g} % confidence"


def _what(answer: Mapping[str, Any]) -> str:
    return "candidates" if answer["strategy"] == "ladder" else "networks"
