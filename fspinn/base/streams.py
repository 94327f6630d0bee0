"""Is there somebody to look at a progress bar? Services and windowed programs have no standard streams."""

import sys
from contextlib import suppress


def on_terminal() -> bool:
    """Return whether standard error is there and a terminal."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # closed
        return False


def say(line: str) -> None:
    """Print a line on standard error, if it is there and can be written; work goes on without it."""
    if sys.stderr is not None:  # print would take standard output instead
        with suppress(OSError, ValueError):  # full, or closed
            print(line, file=sys.stderr, flush=True)
