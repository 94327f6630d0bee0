"""Does the best candidate of a strategy hold with other seeds, and will no smaller network do?"""

from collections.abc import Callable

from fspinn.base.settings import with_settings
from fspinn.network.setup import Setup
from fspinn.search.bayes import Bayes
from fspinn.search.candidates import Candidate
from fspinn.search.execution import carry_out
from fspinn.search.halving import Halving
from fspinn.search.jobs import Job, JobResult
from fspinn.search.journal import Journal
from fspinn.search.ladder import Ladder, Listed
from fspinn.search.ledger import Ledger
from fspinn.search.space import Range, Space
from fspinn.search.workers import WorkerPool

SMALLER = 0.8
"""Neurons of the next smaller network that is tried below the answer of a strategy that samples, in parts of
those of the answer (fspinn)."""


def best_confirmed(
    strategy: Ladder | Bayes | Halving,
    ledger: Ledger,
    space: Space,
    pool: WorkerPool,
    journal: Journal,
    on_result: Callable[[Job, JobResult], None],
    until: float | None,
) -> tuple[Candidate | None, list[Job]]:
    """Return the best candidate that meets the target with all seeds, and the jobs that the time left undone.

    A finalist that does not hold with more seeds sends the strategy on. Below the answer of a strategy that
    samples, the same network with fewer neurons is tried, until that will not do.
    """
    tried: set[Setup] = set()
    undone: list[Job] = []
    while True:
        undone += carry_out(strategy, pool, journal, on_result, until)
        passing = strategy.passing() if isinstance(strategy, Ladder) else ledger.passing()
        best = next(iter(passing), None)
        if best is None:
            return None, undone
        if not ledger.confirmed(best):
            carry_out(Listed(ledger, ledger.confirming(best)), pool, journal, on_result)
            continue
        smaller = None if isinstance(strategy, Ladder) else _smaller(best, ledger, space, tried)
        if smaller is None:
            return best, undone
        carry_out(Listed(ledger, [smaller]), pool, journal, on_result, until)


def _smaller(
    best: Candidate,
    ledger: Ledger,
    space: Space,
    tried: set[Setup],
) -> Job | None:
    """Return the job of the next smaller network of the space; None if it was tried, or there is none."""
    choices = space.settings.get("neurons", (best.neurons,))
    if isinstance(choices, Range):
        neurons = int(best.neurons * SMALLER)
        if neurons < choices.low:
            return None
    else:
        below = [size for size in choices if size < best.neurons]
        if not below:
            return None
        neurons = max(below)
    setup = with_settings(best.setup, {"neurons": neurons})
    if setup in tried:
        return None
    tried.add(setup)
    candidates = [Candidate(setup, variant) for variant in space.variants()]
    ledger.expect(candidates)
    return ledger.job(candidates)
