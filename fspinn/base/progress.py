"""How far is the work, and how long will it take? One line on the terminal, if somebody looks at it."""

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
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description} {task.percentage:3.0f}%"),
        BarColumn(None),
        TimeElapsedColumn(),
        TextColumn("<"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=Console(stderr=True), expand=True, redirect_stdout=False) as bar:
        number = bar.add_task(title, total=total, start=False, words="")
        (task,) = bar.tasks

        def update(done: int, words: str) -> None:
            if not task.started:
                bar.start_task(number)
            speed = task.finished_speed or task.speed
            rate = "" if speed is None else f"{speed:,.0f} samples/s"
            bar.update(number, completed=done, words=", ".join(filter(None, (rate, words))))

        yield update
