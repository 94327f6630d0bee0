"""Who does the jobs: threads or processes of this machine, or a Dask cluster? All through
`concurrent.futures`.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fspinn.answering.ahead import compiling_ahead
from fspinn.base.background import Background
from fspinn.base.checks import whole_number
from fspinn.base.cores import available_cores
from fspinn.base.errors import ConfigError, FspinnError, UnfinishedError
from fspinn.datasets.arrays import IN_MEMORY
from fspinn.search.jobs import Context, Job, JobResult, SearchContext

if TYPE_CHECKING:
    from ctypes import c_byte

CONNECT_S = 10
"""Seconds to wait for a scheduler to answer."""


def measure(context: Context, job: Job, on_batch: Callable[[int], None] | None = None) -> JobResult:
    """Do a job: the function that workers call."""
    return context.measure(job, on_batch)


@dataclass
class WorkerPool:
    """Workers behind one executor, which `start` makes anew if one of them dies.

    They do `count` jobs at a time. `alive` tells how many of them there are, `began` whether any came up.
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


@contextmanager
def threads_here(count: int, context: Context) -> Iterator[WorkerPool]:
    """Give so many threads of this process as workers, for as long as the block takes."""
    pool = WorkerPool(Background, count, context, lambda: count)
    try:
        yield pool
    finally:
        pool.stop()


@contextmanager
def worker_pool(count: int | None, scheduler: str | None, context: SearchContext) -> Iterator[WorkerPool]:
    """Give workers for as long as the block takes; parameters are those of `fspinn.find_smallest`.

    Raises
    ------
    ConfigError
        If the scheduler does not answer, Dask is not installed, or no other process could load the images.
    """
    if count is not None:
        count = whole_number("workers", count, 1, 1024)
    if context.source.name == IN_MEMORY and (scheduler is not None or count not in (None, 1)):
        raise ConfigError(
            "workers: they load the images by name, which arrays in memory do not have; save them as an .npz "
            "file and load that, or leave workers and scheduler out"
        )
    if scheduler is not None:
        with _cluster(scheduler, count, replace(context, data=None)) as pool:
            yield pool
    elif count in (None, 1):
        with compiling_ahead(), threads_here(1, context) as pool:
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


def result_or_death(future: "Future[JobResult]") -> JobResult | None:
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
