"""Why is a candidate the answer, or not?"""

from fspinn.search.candidates import Candidate
from fspinn.search.constraints import cost_of
from fspinn.search.jobs import Job
from fspinn.search.ledger import Ledger
from fspinn.search.result import MEETS, Trial


def told(ledger: Ledger, job: Job) -> list[Trial]:
    """Return what is known of the candidates of a job."""
    candidates = [Candidate(job.network, variant, job.passes) for variant in job.variants]
    return [
        trial_of(ledger, candidate, verdict_of(ledger, candidate, under_way=True)) for candidate in candidates
    ]


def trial_of(ledger: Ledger, candidate: Candidate, verdict: str) -> Trial:
    cost = ledger.costs[candidate]
    if candidate not in ledger.correct:
        return Trial(candidate, verdict, cost)
    accuracies = {seed: count / ledger.samples for seed, count in ledger.correct[candidate].items()}
    return Trial(candidate, verdict, cost, ledger.accuracy(candidate), ledger.interval(candidate), accuracies)


def verdict_of(
    ledger: Ledger,
    candidate: Candidate,
    winner: Candidate | None = None,
    *,
    late: bool = False,
    under_way: bool = False,
) -> str:
    """Return why a candidate is not the answer, or that it is.

    Parameters
    ----------
    ledger : Ledger
    candidate : Candidate
    winner : Candidate or None, default None
    late : bool, default False
        Whether the time was over.
    under_way : bool, default False
        Whether the search goes on.
    """
    if candidate == winner:
        return "chosen"
    if candidate in ledger.rejected:
        return ledger.rejected[candidate]
    if candidate in ledger.failed:
        return f"failed: {ledger.failed[candidate]}"
    target = ledger.constraints.accuracy
    if candidate in ledger.correct:
        share, (low, _) = ledger.accuracy(candidate), ledger.interval(candidate)
        if share < target:
            return f"{share:.2%} is below {target:.2%}"
        if low < target:
            return f"{share:.2%} is not surely {target:.2%}: it may be {low:.2%}"
        reason = ledger.constraints.reason(ledger.costs[candidate])
        if reason is not None:
            return reason
        first = ledger.minimize[0]
        if winner is None:
            return MEETS
        more = cost_of(ledger.costs[candidate], first) > cost_of(ledger.costs[winner], first)
        return f"{MEETS}, but takes {'more' if more else 'as much'} {first.replace('_', ' ')}"
    if candidate in ledger.early:
        share, correct = ledger.early[candidate]
        words = f"{correct / ledger.samples:.2%} after {share:.0%} of the presentations"
        return words if under_way else f"dropped: {words}"
    if winner is not None:
        return "not tried: takes more than the one chosen"
    return "not tried: the time was over" if late else "not tried"
