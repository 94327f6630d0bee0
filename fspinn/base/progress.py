"""How far is the work, and how long will it take? One line on the terminal, if somebody looks at it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fspinn.base.streams import on_terminal

Update = Callable[[int, str], None]
"""Takes how many samples are done, and a word about them."""


@contextmanager
def progress_bar(title: str, total: int, shown: bool) -> Iterator[Update]:
    """Show a progress bar of samples on standard error, if that is a terminal; lines stand above it.

    Time counts from the first update on, so that a compilation before it does not.

    Parameters
    ----------
    title : str
    total : int
        Samples.
    shown : bool
        Nothing is shown, nor imported, if not.
    """
    if not (shown and on_terminal()):
        yield lambda done, words: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description} {task.percentage:3.0f}%"),
        BarColumn(None),
        TextColumn("{task.fields[words]}"),
    )
    start: tuple[int, float] | None = None
    with Progress(*columns, console=Console(stderr=True), expand=True, redirect_stdout=False) as bar:
        task = bar.add_task(title, total=total, start=False, words="")

        def update(done: int, words: str) -> None:
            nonlocal start
            if start is None:
                start = done, time.monotonic()
                bar.start_task(task)
            first, begun = start
            seconds = time.monotonic() - begun
            if done > first:
                rate = (done - first) / max(seconds, 1e-9)
                left = _clock((total - done) / rate)
                words = ", ".join(
                    filter(None, (f"{_clock(seconds)}<{left}", f"{rate:,.0f} samples/s", words))
                )
            bar.update(task, completed=done, words=words)

        yield update


def _clock(seconds: float) -> str:
    """Return a time as a clock shows it.

    >>> _clock(75.2), _clock(7384)
    ('1:15', '2:03:04')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
