"""What does a person see while the search is under way?"""

import time
from typing import TYPE_CHECKING, Literal

from fspinn.base import jit
from fspinn.base.amounts import time_text
from fspinn.search.constraints import described
from fspinn.search.jobs import Job, JobResult
from fspinn.search.ledger import Ledger
from fspinn.search.metrics import metric_of

if TYPE_CHECKING:
    from rich.table import Table

ROWS = 6
"""Networks that the table shows at most."""


class LiveTable:
    """A table on the terminal: the best so far and the Pareto front, how many trainings, and the time left.

    Its height stays the same. Lines that are printed on `sys.stderr` stand above it; `click.echo` would write
    into it. Where standard error is not a terminal there is no table.
    """

    def __init__(
        self, ledger: Ledger, strategy: str, workers: int, until: float | None, progress: bool
    ) -> None:
        from rich.console import Console
        from rich.live import Live

        self._ledger, self._strategy, self._workers, self._until = ledger, strategy, workers, until
        self._networks = self._neurons = 0
        self._seconds = 0.0
        self._end: float | None = None
        self._compiles = f", {jit.compiling()}" if jit.will_compile() else ""
        self._rows: list[tuple[str, ...]] = []
        self._console = Console(stderr=True)
        self._live = None
        if progress and self._console.is_terminal:
            self._live = Live(console=self._console, get_renderable=self._table, transient=True)

    def __enter__(self) -> "LiveTable":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, job: Job, result: JobResult, neurons_left: float) -> None:
        """Take note of a network; the time of those to come is taken to grow with their neurons (fspinn)."""
        self._networks += 1
        self._seconds += result.seconds
        self._neurons += job.network.neurons
        self._end = time.monotonic() + self._seconds / self._neurons * neurons_left / self._workers
        if self._until is not None:
            self._end = min(self._end, self._until)
        if self._live is not None:
            self._rows = self._best()

    def _best(self) -> list[tuple[str, ...]]:
        ledger = self._ledger
        best, front = ledger.passing()[:1], reversed(ledger.front())
        rows = []
        for candidate in [*best, *(candidate for candidate in front if candidate not in best)][:ROWS]:
            trial = ledger.trials[candidate]
            assert trial.cost is not None
            low, high = trial.accuracy_interval or (0.0, 1.0)
            costs = [described(trial.cost, name) for name in ledger.minimize]
            network = (str(candidate.neurons), candidate.weights, candidate.readout)
            accuracy = f"{trial.accuracy:.1%} ({low:.1%} to {high:.1%})"
            rows.append((*network, accuracy, *costs, "best" if candidate in best else ""))
        return rows

    def _table(self) -> "Table":
        from rich.table import Table
        from rich.text import Text

        left = self._compiles if self._networks == 0 else ""
        if self._end is not None:
            seconds = max(1, round(self._end - time.monotonic()))
            left = f", about {time_text(seconds)} left"
        title = Text(
            f"{self._strategy}: {self._networks} trainings{left}",
            "table.title",
            no_wrap=True,
            overflow="ellipsis",
        )
        table = Table(title=title, min_width=min(len(title), self._console.width))
        for head in (
            "neurons",
            "weights",
            "readout",
            metric_of(self._ledger.constraints.metric).words,
            *self._ledger.minimize,
            "",
        ):
            justify: Literal["left", "right"] = "left" if head in ("weights", "readout") else "right"
            table.add_column(head.replace("_", " "), justify=justify, no_wrap=True)
        for k in range(ROWS):
            table.add_row(*(self._rows[k] if k < len(self._rows) else ()))
        return table
