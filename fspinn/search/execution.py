"""Who does the jobs: this process, processes on this machine, or a Dask cluster? All through
`concurrent.futures`.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fspinn.base.checks import whole_number
from fspinn.base.cores import available_cores
from fspinn.base.errors import ConfigError, FspinnError
from fspinn.base.streams import say
from fspinn.search.jobs import Bench, Job, Outcome, measure
from fspinn.search.study import Study

MOST_DEATHS = 3
"""Workers that may die under a job that is done alone before it is told as failed (Dask's own number)."""

CONNECT_S = 10
"""Seconds to wait for a scheduler to answer."""

CHECK_S = 20
"""Seconds after which a cluster without workers is remarked on."""


class Strategy(Protocol):
    """What to do next? A strategy is asked for jobs and told what came of them, in any order."""

    def ask(self) -> Job | None:
        """Return the next job; None if there is none before others are told, or at all."""

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Take note of an outcome."""

    def neurons_left(self) -> float:
        """Return how many neurons the networks have that may still be asked for, all together."""


@dataclass
class Workers:
    """Some workers behind one executor, which is made anew if one of them dies.

    Parameters
    ----------
    start : callable
        Returns the executor.
    count : int
        Jobs that are done at the same time.
    bench : Bench
        As the workers need it.
    alive : callable
        Returns how many workers there are.
    """

    start: Callable[[], Executor]
    count: int
    bench: Bench
    alive: Callable[[], int]

    def __post_init__(self) -> None:
        self._executor = self.start()

    def submit(self, job: Job) -> "Future[Outcome]":
        """Hand a job to a worker."""
        try:
            return self._executor.submit(measure, self.bench, job)
        except BrokenExecutor:
            self._executor.shutdown(wait=False)
            self._executor = self.start()
            return self._executor.submit(measure, self.bench, job)

    def stop(self) -> None:
        """Hand nothing out any more."""
        self._executor.shutdown(wait=False)


class _Here(Executor):
    """Does what is submitted at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def hired(count: int | None, scheduler: str | None, bench: Bench) -> Iterator[Workers]:
    """Give workers for as long as the block takes.

    Parameters
    ----------
    count : int or None
        Jobs that are done at the same time. None is one, or with a scheduler one per thread of its workers.
    scheduler : str or None
        Address of a Dask scheduler, such as ``"tcp://127.0.0.1:8786"``; None stays on this machine.
    bench : Bench
        With the images of this process.

    Raises
    ------
    ConfigError
        If the scheduler does not answer, or Dask is not installed.
    """
    if count is not None:
        count = whole_number("workers", count, 1, 1024)
    if scheduler is not None:
        with _cluster(scheduler, count, replace(bench, data=None)) as workers:
            yield workers
    elif count in (None, 1):
        yield Workers(_Here, 1, bench, lambda: 1)
    else:
        assert count is not None
        before = set(multiprocessing.active_children())
        threads = bench.threads or max(1, available_cores() // count)
        workers = Workers(
            lambda: ProcessPoolExecutor(
                count, multiprocessing.get_context("spawn"), initializer=_die_with_parent
            ),
            count,
            replace(bench, data=None, threads=threads),
            lambda: count,
        )
        try:
            yield workers
        finally:
            workers.stop()
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()  # its job is of no use to anybody any more


@contextmanager
def _cluster(address: str, count: int | None, bench: Bench) -> Iterator[Workers]:
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError("scheduler: Dask is not installed; pip install 'fspinn[cluster]'") from None
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(
            f"scheduler: {address} does not answer ({reason}); start one with `dask scheduler`"
        ) from None
    with client:

        def threads() -> int:
            try:
                return sum(client.nthreads().values())  # type: ignore[no-untyped-call]
            except OSError:  # the futures say it as well
                return 0

        if threads() == 0:
            raise ConfigError(f"scheduler: {address} has no workers; start some with `dask worker {address}`")
        workers = Workers(
            lambda: client.get_executor(pure=False),  # type: ignore[no-untyped-call]
            count or threads(),
            replace(bench, threads=bench.threads or 1),
            threads,
        )
        try:
            yield workers
        finally:
            workers.stop()


def carry_out(
    strategy: Strategy,
    workers: Workers,
    study: Study,
    on_outcome: Callable[[Job, Outcome], None],
    until: float | None = None,
) -> None:
    """Do what a strategy asks for, until it asks for nothing more.

    Jobs that the study knows are not done again; every outcome goes into it before the strategy hears of it.
    Where several were under way when a worker died, each is done again alone, to see whose workers die.

    Parameters
    ----------
    strategy : Strategy
    workers : Workers
    study : Study
    on_outcome : callable
        Called with each job and its outcome after the strategy was told.
    until : float or None, default None
        Time on `time.monotonic` after which nothing new is begun.
    """
    flying: dict[Future[Outcome], tuple[Job, Any]] = {}
    suspects: dict[Job, Any] = {}
    deaths: dict[Job, int] = {}

    def note(job: Job, outcome: Outcome) -> None:
        strategy.tell(job, outcome)
        on_outcome(job, outcome)

    while True:
        if suspects and not flying:
            suspect, trial = next(iter(suspects.items()))
            flying[workers.submit(suspect)] = suspect, trial
        while not suspects and len(flying) < workers.count and (until is None or time.monotonic() < until):
            job = strategy.ask()
            if job is None:
                break
            known = study.known(job)
            if known is not None:
                note(job, known)
                continue
            trial = study.begin(job)
            flying[workers.submit(job)] = job, trial
        if not flying:
            return
        done, _ = wait(flying, timeout=CHECK_S, return_when=FIRST_COMPLETED)
        if not done and workers.alive() == 0:
            say("fspinn: the cluster has no workers left; waiting for some")
        for future in done:
            job, trial = flying.pop(future)
            found = _outcome(future)
            if found is None:
                if job not in suspects:
                    suspects[job] = trial
                    continue
                deaths[job] = deaths.get(job, 0) + 1
                if deaths[job] < MOST_DEATHS:
                    continue
                found = Outcome((), f"{MOST_DEATHS} workers died, perhaps out of memory")
            suspects.pop(job, None)
            study.end(trial, job, found)
            note(job, found)


def _outcome(future: "Future[Outcome]") -> Outcome | None:
    """Return the outcome of a job; None if its worker died."""
    try:
        return future.result()
    except BrokenExecutor:
        return None
    except CancelledError:
        raise ConfigError(
            "scheduler: it went away; start it again, and the same command goes on where it stopped"
        ) from None
    except FspinnError:
        raise
    except Exception as error:
        if type(error).__name__ == "KilledWorker":  # of Dask, which tried other workers before
            return Outcome((), "several workers died, perhaps out of memory")
        if isinstance(error, ImportError):
            raise ConfigError(f"worker: {error}; install the same fspinn on all of them") from None
        raise


def _die_with_parent() -> None:
    """Let this worker end when the search is killed; it would wait for jobs for ever."""
    parent = multiprocessing.parent_process()

    def wait_for_the_end() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
