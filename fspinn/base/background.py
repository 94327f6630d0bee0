"""Work beside the main thread, so that Ctrl-C ends it at once.

Python interrupts the main thread only, and in the middle of a compilation Ctrl-C would be lost there: LLVM
calls back into Python, where nobody passes exceptions on.
"""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, wait
from typing import Any, TypeVar

Result = TypeVar("Result")

_NAME = "fspinn background"


class Background(Executor):
    """Does each thing that is submitted in a thread of its own, which nobody waits for when Python ends.

    Functions are given `on_batch`, to call now and then; it ends the work once the executor is shut down.
    """

    def __init__(self) -> None:
        self._stopped = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Begin some work."""
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(fn(*args, on_batch=self._go_on, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=work, name=_NAME, daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the work end at its next `on_batch`."""
        self._stopped = True

    def _go_on(self, _: int) -> None:
        if self._stopped:
            raise CancelledError


def interruptible(work: Callable[..., Result]) -> Result:
    """Return what some work in this process returns, which is given `on_batch`; Ctrl-C ends it at once."""
    background = Background()
    try:
        future = background.submit(work)
        while not wait([future], timeout=0.1).done:
            pass  # on Windows nothing interrupts a wait without an end
        result: Result = future.result()
    finally:
        background.shutdown()
    return result


def is_working() -> bool:
    """Return whether work goes on in this process that nobody waits for any more."""
    return any(thread.name == _NAME for thread in threading.enumerate())
