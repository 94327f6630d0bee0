"""What did the search find, and why is nothing smaller the answer?"""

import csv
from dataclasses import asdict, dataclass, fields
from math import sqrt
from pathlib import Path
from typing import Any

from fspinn.errors import DataError
from fspinn.evaluation import Evaluation
from fspinn.files import replaced_when_whole
from fspinn.search.space import Candidate, format_memory
from fspinn.store import save
from fspinn.trained import Model


@dataclass(frozen=True)
class Trial:
    """What became of a candidate.

    Parameters
    ----------
    candidate : Candidate
    verdict : str
        ``"chosen"``, or why not.
    accuracy : float or None
        On the validation split; None where it was not tried.
    accuracy_interval : tuple of float or None
        Wilson 95 % interval of `accuracy`.
    energy_pj : float or None
        Energy of one inference.
    latency_s : float or None
        Time of one inference.
    """

    candidate: Candidate
    verdict: str
    accuracy: float | None = None
    accuracy_interval: tuple[float, float] | None = None
    energy_pj: float | None = None
    latency_s: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name, in one level."""
        mine = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "candidate"}
        return {**asdict(self.candidate), **mine}


@dataclass(frozen=True)
class SearchResult:
    """The answer of a search.

    Parameters
    ----------
    target_accuracy : float
    budget_bits : int or None
        Memory that was allowed.
    hardware : str
    trials : tuple of Trial
        All candidates, the one with the least memory first.
    winner : Trial or None
        The smallest that meets the accuracy; None where none does.
    nearest : Trial
        The winner, or the trial that came closest.
    model : Model or None
        The winner's.
    test : Evaluation or None
        The winner on the test split: the only time it is used.
    """

    target_accuracy: float
    budget_bits: int | None
    hardware: str
    trials: tuple[Trial, ...]
    winner: Trial | None
    nearest: Trial
    model: Model | None
    test: Evaluation | None

    @property
    def found(self) -> bool:
        """Whether a network meets the target."""
        return self.winner is not None

    def as_dict(self) -> dict[str, Any]:
        """Return the answer by name, as ``fspinn search --json`` prints it."""
        nearest = self.nearest
        return {
            "found": self.found,
            "accuracy": nearest.accuracy,
            "accuracy_interval": nearest.accuracy_interval,
            "test_accuracy": None if self.test is None else self.test.accuracy,
            "neurons": nearest.candidate.neurons,
            "weights": nearest.candidate.weights,
            "readout": nearest.candidate.readout,
            "memory_bits": nearest.candidate.memory_bits,
            "energy_pj": nearest.energy_pj,
            "latency_s": nearest.latency_s,
            "hardware": self.hardware,
            "target_accuracy": self.target_accuracy,
            "budget_bits": self.budget_bits,
            "trials": [trial.as_dict() for trial in self.trials],
        }


def wilson_interval(successes: int, samples: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion (E. B. Wilson, JASA 22:209, 1927).

    >>> low, high = wilson_interval(90, 100)
    >>> round(low, 3), round(high, 3)
    (0.826, 0.945)
    """
    share = successes / samples
    centre = share + z * z / (2 * samples)
    spread = z * sqrt(share * (1 - share) / samples + z * z / (4 * samples * samples))
    scale = 1 + z * z / samples
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def save_result(result: SearchResult, folder: Path) -> dict[str, Path]:
    """Write ``smallest.h5`` (if there is a winner), ``candidates.csv`` and ``accuracy-memory.png``.

    Returns
    -------
    dict of str to Path
        What was written: ``model``, ``candidates``, ``picture``.

    Raises
    ------
    DataError
        If the folder cannot be written to.
    """
    from fspinn.plots import accuracy_against_memory

    written = {"candidates": folder / "candidates.csv", "picture": folder / "accuracy-memory.png"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if result.model is not None:
            written["model"] = folder / "smallest.h5"
            save(result.model, written["model"])
        else:
            # A model of an earlier search would look like the answer of this one.
            (folder / "smallest.h5").unlink(missing_ok=True)
        with replaced_when_whole(written["candidates"]) as temporary:
            _write_table(result, temporary)
        with replaced_when_whole(written["picture"]) as temporary:
            accuracy_against_memory(result).savefig(temporary, dpi=150, bbox_inches="tight")
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with -o"
        ) from None
    return written


def describe(result: SearchResult) -> str:
    """Return the answer in words, for people."""
    nearest = result.nearest
    candidate = nearest.candidate
    size = f"{candidate.neurons} neurons, {candidate.weights} weights, {candidate.readout} readout"
    memory = format_memory(candidate.memory_bits)
    if nearest.accuracy is None or nearest.accuracy_interval is None:
        return f"No network fits: the smallest, {size}, takes {memory}."
    low, high = nearest.accuracy_interval
    measured = f"{nearest.accuracy:.1%} on validation images (95 % interval {low:.1%} to {high:.1%})"
    if result.test is None:
        return f"No network reaches {result.target_accuracy:.1%}; the nearest: {size}, {memory}, {measured}."
    return (
        f"The smallest network: {size}.\n"
        f"  memory    {memory} for inference, readout included\n"
        f"  accuracy  {measured}\n"
        f"            {result.test.accuracy:.1%} on {result.test.samples} test images, used this once\n"
        f"  energy    {(nearest.energy_pj or 0) / 1e6:.3g} uJ and {(nearest.latency_s or 0) * 1e3:.3g} ms "
        f"an image on {result.hardware} (an estimate)"
    )


def _write_table(result: SearchResult, path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = [trial.as_dict() for trial in result.trials]
        for row in rows:
            row["accuracy_low"], row["accuracy_high"] = row.pop("accuracy_interval") or (None, None)
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
