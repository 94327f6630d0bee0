"""What does a person see while the search is under way?"""

import time

from tqdm import tqdm

from fspinn.search import quantities
from fspinn.search.ledger import Ledger


class Bar:
    """What a person sees meanwhile: the best so far, how many networks, and the time left."""

    def __init__(
        self, ledger: Ledger, strategy: str, trials: int, until: float | None, progress: bool
    ) -> None:
        self._ledger, self._until = ledger, until
        self._bar = tqdm(
            total=None if strategy == "ladder" else trials,
            unit=" networks",
            desc=strategy,
            disable=None if progress else True,
        )

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def update(self) -> None:
        words = "none yet"
        best = next(iter(self._ledger.passing()), None)
        if best is not None:
            memory = quantities.format_memory(self._ledger.costs[best].memory_bits)
            words = f"{memory} {self._ledger.accuracy(best):.1%}"
        if self._until is not None:
            words += f", {quantities.format_time(max(0.0, self._until - time.monotonic()))} left"
        if self._bar.total is not None and self._bar.n >= self._bar.total:
            self._bar.total = None  # finalists come on top
        self._bar.set_postfix_str(f"best {words}", refresh=False)
        self._bar.update()
