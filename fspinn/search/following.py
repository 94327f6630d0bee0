"""How far is a search that is under way? Read from its journal, by whoever may read that file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fspinn.base.errors import DataError, FspinnError
from fspinn.base.settings import from_plain
from fspinn.network.setup import Setup
from fspinn.search.constraints import Constraints
from fspinn.search.endings import nearest_of
from fspinn.search.jobs import Job, JobResult, result_of
from fspinn.search.journal import FILE, VERSION
from fspinn.search.ledger import Ledger
from fspinn.search.trial import Outcome, Trial

OTHER = "holds no search that can be followed; name the folder that `fspinn search -o` of this version writes"


class Following:
    """Takes note of what is new in the journal of a folder, whenever it is asked how far the search is."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._start()

    def _start(self) -> None:
        self._read_bytes = 0
        self._asked: dict[str, Mapping[str, Any]] = {}
        self._ledgers: dict[str, Ledger] = {}
        self._done: dict[str, tuple[Job, JobResult]] = {}
        self._last = ""

    def so_far(self) -> dict[str, Any] | None:
        """Return what is known of the search of the last line; None before the first line.

        That is as `fspinn.search.SearchResult.as_dict` has it, as far as it is known: without an ``ending``,
        with the candidates that were measured as its ``trials``, in the order of their networks. The best so
        far, if one meets the target, is the chosen one.

        Raises
        ------
        DataError
            If the journal cannot be read, is damaged, or is not that of a search of this version.
        """
        self._read_on()
        if self._read_bytes == 0:
            return None
        if self._last not in self._ledgers:  # a sweep, or a search of an older version
            raise DataError(f"{self._path}: {OTHER}")
        asked, ledger = self._asked[self._last], self._ledgers[self._last]
        limits, known = ledger.constraints, [one for one in ledger.trials.values() if one.cost is not None]
        places = {trial.candidate: place for place, trial in enumerate(known)}
        trials = [trial.as_dict() for trial in known]
        best, nearest = next(iter(ledger.passing()), None), {}
        if best is not None:
            trials[places[best]] |= {"outcome": Outcome.CHOSEN.value, "verdict": "the best so far"}
        if known:
            nearest = trials[places[best or nearest_of(known, limits).candidate]]
        return {
            "found": best is not None,
            "ending": None,
            "metric": limits.metric,
            **nearest,
            "target_accuracy": limits.accuracy,
            "confidence": limits.confidence,
            **asked,
            "front": [places[candidate] for candidate in ledger.front()],
            "trials": trials,
            "baselines": [],
        }

    def _read_on(self) -> None:
        try:
            with open(self._path, "rb") as file:
                if file.seek(0, 2) < self._read_bytes:  # a line was dropped, or it is another file
                    self._start()
                file.seek(self._read_bytes)
                lines = file.read()
        except FileNotFoundError:
            self._start()
            return
        except OSError as error:
            raise DataError(f"{self._path}: cannot be read ({error.strerror}); correct its rights") from None
        whole = lines.rfind(b"\n") + 1  # the last line may be on its way
        try:
            for line in lines[:whole].splitlines():
                self._take(json.loads(line))
        except (ValueError, LookupError, TypeError, AttributeError, FspinnError):
            self._start()
            raise DataError(f"{self._path}: {OTHER}") from None
        self._read_bytes += whole

    def _take(self, line: Mapping[str, Any]) -> None:
        if line["version"] != VERSION:
            raise ValueError
        search, event = line["search"], line["event"]
        if event == "asked":
            self._asked[search] = asked = line["asked"]
            limits = Constraints(**asked["constraints"])
            # What is not measured yet is not shown: nothing is expected here.
            ledger = Ledger(limits, asked["minimize"], asked["seed"], asked["seeds"], lambda _: [])
            self._ledgers[search] = ledger
        if event == "done" and "setup" in line:
            result, setup = result_of(line), from_plain(Setup, line["setup"])
            variants = tuple(found.variant for found in result.measurements)
            self._done[line["key"]] = Job(setup, line["seed"], variants, line["share"]), result
        if event in ("done", "known") and search in self._ledgers and line["key"] in self._done:
            _note(self._ledgers[search], *self._done[line["key"]])
        self._last = search


def _note(ledger: Ledger, job: Job, result: JobResult) -> None:
    limits = ledger.constraints
    for candidate, found in zip(job.candidates, result.measurements, strict=True):
        known = Trial(
            candidate,
            cost=found.cost,
            metric=limits.metric,
            target=limits.accuracy,
            confidence=limits.confidence,
        )
        ledger.trials.setdefault(candidate, known)
    ledger.note(job, result)
