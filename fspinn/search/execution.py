"""Who does the jobs: this process, processes on this machine, or a Dask cluster? All through
`concurrent.futures`.
"""

import multiprocessing
import os
import signal
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
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fspinn.base.checks import whole_number
from fspinn.base.cores import available_cores
from fspinn.base.errors import ConfigError, FspinnError, UnfinishedError
from fspinn.base.streams import say
from fspinn.search.jobs import Context, Job, JobResult, SearchContext
from fspinn.search.journal import Journal

if TYPE_CHECKING:
    from ctypes import c_byte

MOST_DEATHS = 3
"""Workers that may die under a job that is done alone before it is given up (Dask's own number)."""

NO_WORKERS = (
    "the search could not finish: its workers did not start; call find_smallest in a script that is a file, "
    'under `if __name__ == "__main__":`'
)

MOST_FAULTS = 3
"""Jobs in a row that may be given up before a search ends: something is wrong with more than one of them."""

CONNECT_S = 10
"""Seconds to wait for a scheduler to answer."""

CHECK_S = 20
"""Seconds after which a cluster without workers is remarked on."""

Result = TypeVar("Result")

_HERE = "fspinn search"
"""Name of the thread that does the jobs of this process."""


class Strategy(Protocol):
    """What to do next? A strategy is asked for jobs and told what came of them, in any order."""

    def ask(self, known: Callable[[Job], object] | None = None) -> Job | None:
        """Return the next job; None if there is none before others are told, or at all.

        Where `known` is given, the time is over, and only jobs that are known may be asked for.
        """

    def tell(self, job: Job, result: JobResult) -> None:
        """Take note of a result."""


def measure(context: Context, job: Job, on_batch: Callable[[int], None] | None = None) -> JobResult:
    """Do a job: the function that workers call."""
    return context.measure(job, on_batch)


@dataclass
class WorkerPool:
    """Some workers behind one executor, which is made anew if one of them dies.

    Parameters
    ----------
    start : callable
        Returns the executor.
    count : int
        Jobs that are done at the same time.
    context : Context
        As the workers need it.
    alive : callable
        Returns how many workers there are.
    began : callable
        Returns whether any worker ever came up.
    """

    start: Callable[[], Executor]
    count: int
    context: Context
    alive: Callable[[], int]
    began: Callable[[], bool] = lambda: True

    def __post_init__(self) -> None:
        self._executor = self.start()

    def submit(self, job: Job) -> "Future[JobResult]":
        """Hand a job to a worker."""
        with _without_interrupts():  # processes that are started here leave them to this one
            try:
                return self._executor.submit(measure, self.context, job)
            except BrokenExecutor:
                self._executor.shutdown(wait=False)
                self._executor = self.start()
                return self._executor.submit(measure, self.context, job)

    def stop(self) -> None:
        """Hand nothing out any more."""
        self._executor.shutdown(wait=False)


class _Here(Executor):
    """Does what is submitted in this process, beside the main thread.

    Python interrupts the main thread only, and in the middle of a compilation Ctrl-C would be lost there:
    LLVM calls back into Python, where nobody passes exceptions on.
    """

    def __init__(self) -> None:
        self._stopped = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(fn(*args, on_batch=self._go_on, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=work, name=_HERE, daemon=True).start()
        return future

    def _go_on(self, _: int) -> None:
        if self._stopped:
            raise CancelledError

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._stopped = True


def interruptible(work: Callable[..., Result]) -> Result:
    """Return what some work in this process returns, which is given `on_batch`; Ctrl-C ends it at once."""
    here = _Here()
    try:
        result: Result = here.submit(work).result()
    finally:
        here.shutdown()
    return result


def is_working() -> bool:
    """Return whether work goes on in this process that nobody waits for any more."""
    return any(thread.name == _HERE for thread in threading.enumerate())


@contextmanager
def threads_here(count: int, context: Context) -> Iterator[WorkerPool]:
    """Give so many threads of this process as workers, for as long as the block takes."""
    pool = WorkerPool(_Here, count, context, lambda: count)
    try:
        yield pool
    finally:
        pool.stop()


@contextmanager
def worker_pool(count: int | None, scheduler: str | None, context: SearchContext) -> Iterator[WorkerPool]:
    """Give workers for as long as the block takes.

    Parameters
    ----------
    count : int or None
        Jobs that are done at the same time. None is one, or with a scheduler one per thread of its workers.
    scheduler : str or None
        Address of a Dask scheduler, such as ``"tcp://127.0.0.1:8786"``; None stays on this machine.
    context : SearchContext
        With the images of this process.

    Raises
    ------
    ConfigError
        If the scheduler does not answer, or Dask is not installed.
    """
    if count is not None:
        count = whole_number("workers", count, 1, 1024)
    if scheduler is not None:
        with _cluster(scheduler, count, replace(context, data=None)) as pool:
            yield pool
    elif count in (None, 1):
        with threads_here(1, context) as pool:
            yield pool
    else:
        assert count is not None
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise SystemExit(1)  # a worker of a script without a main guard: the search itself says so
        before = set(multiprocessing.active_children())
        threads = context.threads or max(1, available_cores() // count)
        spawn = multiprocessing.get_context("spawn")
        began = spawn.RawValue("b")
        pool = WorkerPool(
            lambda: ProcessPoolExecutor(count, spawn, initializer=_begin, initargs=(began,)),
            count,
            replace(context, data=None, threads=threads),
            lambda: count,
            lambda: bool(began.value),
        )
        try:
            yield pool
        finally:
            pool.stop()
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()  # its job is of no use to anybody any more


@contextmanager
def _cluster(address: str, count: int | None, context: SearchContext) -> Iterator[WorkerPool]:
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
        pool = WorkerPool(
            lambda: client.get_executor(pure=False),  # type: ignore[no-untyped-call]
            count or threads(),
            replace(context, threads=context.threads or 1),
            threads,
        )
        try:
            yield pool
        finally:
            pool.stop()


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

    Parameters
    ----------
    strategy : Strategy
    pool : WorkerPool
    journal : Journal
    on_result : callable
        Called with each job and its result after the strategy was told.
    until : float or None, default None
        Time on `time.monotonic` after which nothing new is begun; what the journal knows takes no time.

    Returns
    -------
    list of Job
        That the strategy had asked for, and that were not begun again because the time was over.

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
            result = _result(future)
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


def _result(future: "Future[JobResult]") -> JobResult | None:
    """Return the result of a job; None if its worker died."""
    try:
        return future.result()
    except BrokenExecutor:
        return None
    except CancelledError:
        raise UnfinishedError(
            "the search could not finish: the scheduler went away; start it again, and the same command goes "
            "on"
        ) from None
    except FspinnError:
        raise
    except Exception as error:
        if type(error).__name__ == "KilledWorker":  # of Dask, which tried other workers before
            return JobResult((), fault="several workers died, perhaps out of memory")
        if isinstance(error, ImportError):
            raise ConfigError(f"worker: {error}; install the same fspinn on all of them") from None
        raise


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C back for as long as the block takes, and from processes that are started in it for ever."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(began: "c_byte") -> None:
    """Say that this worker came up, and let it end when the search is killed: it would wait for ever."""
    began.value = 1
    parent = multiprocessing.parent_process()

    def wait_for_the_end() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
