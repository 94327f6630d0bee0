"""How does a search run? A strategy is asked for jobs, workers do them, the journal keeps the results."""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Protocol

from fspinn.base.errors import UnfinishedError
from fspinn.base.streams import say
from fspinn.search.jobs import Job, JobResult
from fspinn.search.journal import Journal
from fspinn.search.workers import WorkerPool, result_or_death

MOST_DEATHS = 3
"""Workers that may die under a job that is done alone before it is given up (Dask's own number)."""

NO_WORKERS = (
    "the search could not finish: its workers did not start; call find_smallest in a script that is a file, "
    'under `if __name__ == "__main__":`'
)

MOST_FAULTS = 3
"""Jobs in a row that may be given up before a search ends: something is wrong with more than one of them."""

CHECK_S = 20
"""Seconds after which a cluster without workers is remarked on."""


class Strategy(Protocol):
    """What to do next? A strategy is asked for jobs and told what came of them, in any order."""

    def ask(self, known: Callable[[Job], object] | None = None) -> Job | None:
        """Return the next job; None if there is none before others are told, or at all.

        Where `known` is given, the time is over, and only jobs that are known may be asked for.
        """

    def tell(self, job: Job, result: JobResult) -> None:
        """Take note of a result."""


def carry_out(
    strategy: Strategy,
    pool: WorkerPool,
    journal: Journal,
    on_result: Callable[[Job, JobResult], None],
    until: float | None = None,
) -> list[Job]:
    """Do what a strategy asks for, until it asks for nothing more.

    First the strategy gets to where it was when the search was stopped or killed. Jobs that the journal knows
    are not done again; every result goes into it before the strategy is told. Where several were under way
    when a worker died, or a job came to nothing for want of memory or the like, each is done again alone.
    What fails alone as well is given up: nobody is told but `on_result`, and the journal does not keep it.

    `on_result` is called after the strategy was told. From `until` on, a time on `time.monotonic`, nothing
    new is begun; what the journal knows takes no time. Returns the jobs that the strategy had asked for and
    that were not begun again because the time was over.

    Raises
    ------
    UnfinishedError
        If no worker came up, the scheduler went away or the journal cannot be written any more.
    """
    pending: dict[Future[JobResult], Job] = {}
    alone: list[Job] = []
    deaths: dict[Job, int] = {}
    faults = 0

    def note(job: Job, result: JobResult) -> None:
        if result.fault is None:
            strategy.tell(job, result)
        on_result(job, result)

    def next_job() -> Job | None:
        over = until is not None and time.monotonic() >= until
        if begun and not over:
            return begun.pop(0)
        return strategy.ask(journal.known if over else None)

    begun = _replay(strategy, journal, note)
    while True:
        if alone and not pending:
            pending[pool.submit(alone[0])] = alone[0]
        while not alone and len(pending) < pool.count and faults < MOST_FAULTS:
            job = next_job()
            if job is None:
                break
            known = journal.known(job)
            if known is not None:
                journal.reuse(job)
                note(job, known)
                continue
            journal.begin(job)
            pending[pool.submit(job)] = job
        if not pending:
            return begun
        done, _ = wait(pending, timeout=CHECK_S, return_when=FIRST_COMPLETED)
        if not done and pool.alive() == 0:
            say("fspinn: the cluster has no workers left; waiting for some")
        for future in done:
            job = pending.pop(future)
            result = result_or_death(future)
            if result is None and not pool.began():
                raise UnfinishedError(NO_WORKERS)
            if job not in alone and (result is None or (result.fault is not None and pool.count > 1)):
                alone.append(job)
                continue
            if result is None:
                deaths[job] = deaths.get(job, 0) + 1
                if deaths[job] < MOST_DEATHS:
                    continue
                result = JobResult((), fault=f"{MOST_DEATHS} workers died, perhaps out of memory")
            if job in alone:
                alone.remove(job)
            faults = 0 if result.fault is None else faults + 1
            journal.end(job, result)
            note(job, result)


def _replay(strategy: Strategy, journal: Journal, note: Callable[[Job, JobResult], None]) -> list[Job]:
    """Ask and tell a strategy as an earlier run of the same search did; return what was not done then.

    What a strategy asks for depends on what it was told before. Where it asks for another job than in the
    journal, the earlier run was stopped by its budget: from there on this one goes its own way.
    """
    begun: dict[str, Job] = {}
    while journal.past:
        event, key = journal.past[0]
        if event != "done" and key not in begun:
            job = strategy.ask()
            if job is None and not begun:
                return []  # the other lines are those of the next strategy
            if job is not None:
                begun[journal.key(job)] = job
        result = journal.known(begun[key]) if key in begun else None
        if key not in begun or (event != "begun" and result is None):
            journal.past.clear()
            break
        journal.past.popleft()
        if event != "begun" and result is not None:
            note(begun.pop(key), result)
    return list(begun.values())
