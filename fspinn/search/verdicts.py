"""Why is a candidate the answer, or not? And how did the search end?"""

from collections.abc import Container, Sequence
from dataclasses import replace

from fspinn.search.candidates import Candidate
from fspinn.search.endings import Ending
from fspinn.search.intervals import images_needed
from fspinn.search.ledger import Ledger
from fspinn.search.trial import Outcome, Trial


def final(
    ledger: Ledger, winner: Candidate | None, left: Container[Candidate], late: bool
) -> dict[Candidate, Trial]:
    """Return the trials as they stand at the end of a search.

    Parameters
    ----------
    ledger : Ledger
    winner : Candidate or None
    left : container of Candidate
        Could be cheaper than the winner, and would have been tried had the search not ended.
    late : bool
        Whether the time was over.
    """
    found = {}
    for candidate, trial in ledger.trials.items():
        if candidate == winner:
            found[candidate] = replace(trial, outcome=Outcome.CHOSEN)
        elif trial.outcome is Outcome.MEETS and winner is not None:
            more = ledger.cost_of(candidate) > ledger.cost_of(winner)
            reason = f"takes {'more' if more else 'as much'} {ledger.minimize[0].replace('_', ' ')}"
            found[candidate] = replace(trial, reason=reason)
        elif trial.outcome is Outcome.MEASURED:
            found[candidate] = replace(trial, outcome=Outcome.DROPPED)
        elif trial.outcome is Outcome.UNTRIED and winner is not None and candidate not in left:
            found[candidate] = replace(trial, reason="takes more than the one chosen")
        elif trial.outcome is Outcome.UNTRIED and late:
            found[candidate] = replace(trial, reason="the time was over")
        else:
            found[candidate] = trial
    return found


def ending_of(
    trials: Sequence[Trial],
    winner: Candidate | None,
    impossible: str | None,
    *,
    out_of_time: bool,
    unproven: bool,
) -> Ending:
    """Return how a search ended.

    Parameters
    ----------
    trials : sequence of Trial
    winner : Candidate or None
    impossible : str or None
        Which limit no candidate keeps to.
    out_of_time : bool
        Whether the time was over before all were tried.
    unproven : bool
        Whether a candidate has the accuracy, but on too few images.
    """
    if winner is not None:
        return Ending.FOUND
    if impossible is not None:
        return Ending.IMPOSSIBLE
    if any(trial.outcome is Outcome.UNFINISHED for trial in trials):
        return Ending.UNFINISHED
    if out_of_time:
        return Ending.TIME_OVER
    return Ending.NOT_PROVEN if unproven else Ending.NONE_REACHES


def nearest_unproven(trials: Sequence[Trial], ledger: Ledger, images: int) -> Trial | None:
    """Return the best trial that would do if more validation images showed the same; None if none would.

    Parameters
    ----------
    trials : sequence of Trial
    ledger : Ledger
    images : int
        That could be held out: what needs no more comes first.
    """

    def order(trial: Trial) -> tuple[float, ...]:
        needed = needed_for(trial)
        if needed is None:
            return (2,)
        return (0, *ledger.order(trial.candidate)) if needed <= images else (1, needed)

    return min((trial for trial in trials if trial.outcome is Outcome.NOT_PROVEN), key=order, default=None)


def needed_for(trial: Trial) -> int | None:
    """Return on how many validation images its accuracy would prove the target; None if on no number."""
    if trial.outcome is not Outcome.NOT_PROVEN or trial.accuracy is None or trial.target is None:
        return None
    return images_needed(trial.accuracy, trial.target, trial.confidence)
