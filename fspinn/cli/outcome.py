"""What does a command end with? Exit statuses, and standard streams that cannot be written."""

import errno
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO, cast

from fspinn.base.background import is_working

DONE, NO, BAD_INPUT, UNFINISHED, FAULT, STOPPED = 0, 1, 2, 3, 70, 130
"""Exit statuses; `NO` is the answer of a search, or of `fspinn estimate --check`."""

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

READER_GONE = 128 + signal.SIGPIPE if hasattr(signal, "SIGPIPE") else BAD_INPUT
"""As if the signal had ended the program: what a shell expects of the left side of ``| head -1``."""


class OutputError(Exception):
    """Standard output cannot be written."""


class _Watched:
    """A standard stream whose failures cannot be taken for those of other files."""

    def __init__(self, stream: TextIO, failed: Callable[[OSError], None]) -> None:
        self._stream, self._failed = stream, failed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except OSError as error:
            self._failed(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._failed(error)


@contextmanager
def watched_streams() -> Iterator[None]:
    """Raise `OutputError` where standard output fails, and nothing where standard error does."""

    def fail(error: OSError) -> None:
        raise OutputError(error) from error

    before = sys.stdout, sys.stderr
    if sys.stdout is not None:
        sys.stdout = cast(TextIO, _Watched(sys.stdout, fail))
    if sys.stderr is not None:
        sys.stderr = cast(TextIO, _Watched(before[1], lambda _: _give_up(before[1])))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _give_up(stream: TextIO) -> None:
    # What is left in its buffer would be tried once more when Python ends, and change the exit status.
    with suppress(OSError):  # a stream that is not one of the system's
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def without_output(error: OutputError) -> tuple[str | None, int]:
    """Give up standard output; return what to say about that, if anything, and the exit status."""
    (cause,) = error.args
    _give_up(sys.stdout)
    if isinstance(cause, BrokenPipeError):
        return None, READER_GONE
    return (
        f"standard output: cannot be written ({cause.strerror}); free some space, or write elsewhere",
        BAD_INPUT,
    )


def leave(status: int) -> NoReturn:
    """End the program, also where a compilation goes on that nobody waits for any more."""
    if is_working():
        # It would keep Python from ending, or crash in its end.
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def fault(error: Exception) -> str:
    """Write the traceback of an error that fspinn should not have made; return what to say about it."""
    what = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="fspinn-fault-", suffix=".txt", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            file.writelines(traceback.format_exception(error))
    except OSError as full:
        return f"a fault of fspinn, not of yours ({what}); its traceback cannot be written ({full.strerror})"
    return f"a fault of fspinn, not of yours ({what}); please report it with {file.name}"
