"""Why is a candidate the answer, or not? And how did the search end?"""

from collections.abc import Container, Sequence

from fspinn.search.candidates import Candidate
from fspinn.search.constraints import cost_of
from fspinn.search.endings import Ending
from fspinn.search.intervals import images_needed
from fspinn.search.jobs import Job
from fspinn.search.ledger import Ledger
from fspinn.search.result import Standing, Trial


def told(ledger: Ledger, job: Job) -> list[Trial]:
    """Return what is known of the candidates of a job."""
    candidates = [Candidate(job.network, variant, job.passes) for variant in job.variants]
    return [trial_of(ledger, candidate, under_way=True) for candidate in candidates]


def trial_of(
    ledger: Ledger,
    candidate: Candidate,
    winner: Candidate | None = None,
    *,
    left: Container[Candidate] = (),
    late: bool = False,
    under_way: bool = False,
) -> Trial:
    """Return what is known of a candidate, and why it is not the answer, or that it is.

    Parameters
    ----------
    ledger : Ledger
    candidate : Candidate
    winner : Candidate or None, default None
    left : container of Candidate, default ()
        Could be cheaper than the winner, and would have been tried had the search not ended.
    late : bool, default False
        Whether the time was over.
    under_way : bool, default False
        Whether the search goes on.
    """
    standing, verdict = _judged(ledger, candidate, winner, left, late, under_way)
    cost = ledger.costs[candidate]
    if candidate not in ledger.correct:
        return Trial(candidate, standing, verdict, cost)
    accuracies = {seed: count / ledger.samples for seed, count in ledger.correct[candidate].items()}
    accuracy, interval = ledger.accuracy(candidate), ledger.interval(candidate)
    proven = ledger.proven(candidate)
    return Trial(candidate, standing, verdict, cost, accuracy, interval, proven, accuracies)


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
    if any(trial.standing is Standing.UNFINISHED for trial in trials):
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
        needed = needed_for(trial, ledger)
        if needed is None:
            return (2,)
        return (0, *ledger.order(trial.candidate)) if needed <= images else (1, needed)

    return min((trial for trial in trials if trial.standing is Standing.NOT_PROVEN), key=order, default=None)


def needed_for(trial: Trial, ledger: Ledger) -> int | None:
    """Return on how many validation images its accuracy would prove the target; None if on no number."""
    limits = ledger.constraints
    if trial.standing is not Standing.NOT_PROVEN or trial.accuracy is None:
        return None
    return images_needed(trial.accuracy, limits.accuracy, limits.confidence)


def _judged(
    ledger: Ledger,
    candidate: Candidate,
    winner: Candidate | None,
    left: Container[Candidate],
    late: bool,
    under_way: bool,
) -> tuple[Standing, str]:
    if candidate == winner:
        return Standing.CHOSEN, "chosen"
    if candidate in ledger.rejected:
        return Standing.OVER_LIMIT, ledger.rejected[candidate]
    if candidate in ledger.failed:
        return Standing.FAILED, f"failed: {ledger.failed[candidate]}"
    if candidate in ledger.unfinished:
        return Standing.UNFINISHED, f"not finished: {ledger.unfinished[candidate]}"
    if candidate in ledger.correct:
        return _measured(ledger, candidate, winner)
    if candidate in ledger.early:
        share, correct = ledger.early[candidate]
        words = f"{correct / ledger.samples:.2%} after {share:.0%} of the presentations"
        return Standing.DROPPED, words if under_way else f"dropped: {words}"
    if winner is not None and candidate not in left:
        return Standing.UNTRIED, "not tried: takes more than the one chosen"
    return Standing.UNTRIED, "not tried: the time was over" if late else "not tried"


def _measured(ledger: Ledger, candidate: Candidate, winner: Candidate | None) -> tuple[Standing, str]:
    target = ledger.constraints.accuracy
    share, low = ledger.accuracy(candidate), ledger.proven(candidate)
    if share < target:
        return Standing.BELOW, f"{share:.2%} is below {target:.2%}"
    reason = ledger.constraints.reason(ledger.costs[candidate])
    if reason is not None:
        return Standing.OVER_LIMIT, reason
    if low < target:
        words = f"{share:.2%}, but not proven to be {target:.2%}: its interval starts at {low:.2%}"
        return Standing.NOT_PROVEN, words
    if winner is None:
        return Standing.MEETS, "meets the target"
    first = ledger.minimize[0]
    more = cost_of(ledger.costs[candidate], first) > cost_of(ledger.costs[winner], first)
    words = f"meets the target, but takes {'more' if more else 'as much'} {first.replace('_', ' ')}"
    return Standing.MEETS, words
