"""What did the search find, and why is nothing cheaper the answer?"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fspinn.answering.evaluate import Evaluation
from fspinn.base.amounts import energy_text, memory_text, time_text
from fspinn.base.errors import DataError
from fspinn.base.files import replaced_when_whole
from fspinn.base.printing import Drawn
from fspinn.model.linear import LinearClassifier
from fspinn.model.model import Model
from fspinn.model.store import save
from fspinn.search.baselines import Baseline
from fspinn.search.certificate import Certificate, in_words
from fspinn.search.constraints import MEASURES, Constraints, cost_of, described, flash_and_ram, least
from fspinn.search.endings import Ending, advice, confidence_in_words, headline
from fspinn.search.frames import frame_of, in_a_row
from fspinn.search.metrics import Metric, metric_of
from fspinn.search.question import RESULT, check_answer
from fspinn.search.trial import Outcome, Trial
from fspinn.search.worth import worth

_AS_THEY_ARE = (
    *("hardware", "considered", "untried", "validation_needed", "learner", "minimize", "strategy"),
    *("seed", "seeds", "dataset", "labels", "class_weight", "seconds"),
)
"""Fields that are written as they are."""


@dataclass(frozen=True, repr=False)
class SearchResult(Drawn):
    """The answer of a search. Accuracies are values of the metric that was asked for.

    Parameters
    ----------
    ending, constraints, minimize, strategy, hardware, labels, class_weight
        What was asked for, and how the search ended.
    learner : tuple of str
        Kinds of learners that were asked for.
    seed, seeds : int
        Of the search, and how many the finalists were measured with.
    dataset : mapping
        Name, checksum and split of the images.
    trials : tuple of Trial
        All candidates, the one with the least memory first.
    front : tuple of Trial
        Those that none beats in accuracy and all that is minimised, the least accurate first.
    winner, nearest : Trial
        The best that meets the target, or None; and that one, or the trial that came closest.
    learners : mapping of str to Trial or None
        The best of each learner that was tried that meets the target, or None; where a strategy draws
        networks, of none.
    considered, untried : int
        Candidates (of a strategy that draws: networks) that could be tried, and how many of them were not.
    validation_needed : int or None
        On how many validation images the accuracy of `nearest` would prove the target, if it lacks only that.
    certificate : Certificate or None
        Why nothing with less of what is minimised first is the answer.
    baselines : tuple of Baseline
        Classifiers without spikes: linear ones, and quantized ANNs with a hidden layer.
    classifier : LinearClassifier or None
        The cheapest linear classifier that is proven to reach the target and known to keep to all limits.
    impossible : str or None
        Which limit no candidate keeps to, and the nearest possible value.
    model, test : Model and Evaluation, or None
        The winner as trained with `seed`, and on the test split: the only time that is used.
    seconds : float
        What the search took, since it was last begun.
    """

    ending: Ending
    constraints: Constraints
    learner: tuple[str, ...]
    minimize: tuple[str, ...]
    strategy: str
    hardware: str
    seed: int
    seeds: int
    dataset: Mapping[str, Any]
    labels: int | None
    class_weight: str | None
    trials: tuple[Trial, ...]
    front: tuple[Trial, ...]
    winner: Trial | None
    nearest: Trial
    learners: Mapping[str, Trial | None]
    considered: int
    untried: int
    validation_needed: int | None
    certificate: Certificate | None
    baselines: tuple[Baseline, ...]
    classifier: LinearClassifier | None
    impossible: str | None
    model: Model | None
    test: Evaluation | None
    seconds: float

    def __str__(self) -> str:
        near, accuracy = self.nearest, self.nearest.accuracy
        which = "" if self.found else f"{self.ending.value}, the nearest is "
        memory = "" if near.cost is None else f", {memory_text(near.memory_bits)}"
        measured = (
            "" if accuracy is None else f", {100 * accuracy:.1f} %{self.metric.after_percent} on validation"
        )
        return f"{which}{near.candidate}{memory}{measured}; {len(self.trials):,} candidates"

    @property
    def found(self) -> bool:
        """Whether a network meets the target."""
        return self.ending is Ending.FOUND

    @property
    def metric(self) -> Metric:
        """The metric that was asked for."""
        return metric_of(self.constraints.metric)

    @property
    def test_accuracy(self) -> float | None:
        """Of the winner on the test split."""
        return None if self.test is None else self.metric.value(self.test.confusion_matrix)

    @property
    def target_accuracy(self) -> float:
        """The accuracy that was asked for."""
        return self.constraints.accuracy

    @property
    def budget_bits(self) -> float | None:
        """The memory for inference that was allowed."""
        return self.constraints.memory

    def to_frame(self) -> Any:
        """Return all trials as a ``pandas.DataFrame``, with the columns of ``candidates.csv``; as a list of
        dictionaries where pandas is not installed.
        """
        return frame_of(_rows(self))

    def as_dict(self) -> dict[str, Any]:
        """Return the answer by name, as it is in ``result.json``; ``fspinn search --json`` names the
        files of the trials and of the baselines instead of them.
        """
        nearest = self.nearest.as_dict()
        nearest["verdict"] = self.impossible or nearest["verdict"]
        numbers = {trial: place for place, trial in enumerate(map(id, self.trials))}
        answer = {
            "found": self.found,
            "ending": self.ending.value,
            "metric": self.metric.name,
            "test_accuracy": self.test_accuracy,
            **nearest,
            "target_accuracy": self.target_accuracy,
            "confidence": self.constraints.confidence,
            "budget_bits": self.budget_bits,
            "constraints": asdict(self.constraints),
            **{name: getattr(self, name) for name in _AS_THEY_ARE},
            "learners": {
                kind: None if trial is None else trial.as_dict() for kind, trial in self.learners.items()
            },
            "certificate": None if self.certificate is None else self.certificate.as_dict(),
            "front": [numbers[id(trial)] for trial in self.front],
            "trials": [trial.as_dict() for trial in self.trials],
            "baselines": [one.as_dict(self.constraints.confidence) for one in self.baselines],
        }
        found = worth(answer)
        worth_it = {"spiking": found.spiking, "by": found.by, "rival": found.rival, "words": found.words}
        return answer | {"worth_it": worth_it}


def save_result(
    result: SearchResult, folder: str | Path, command: str | None = None, *, overwrite: bool = False
) -> dict[str, Path]:
    """Write what a search found, with the `command` that was typed for it, and return the files by name.

    These are ``model`` (``smallest.h5``, if there is a winner), ``classifier`` (``linear.h5``, if a linear
    classifier will do), ``result`` (``result.json``, all of it) and ``candidates`` (``candidates.csv``).
    `overwrite` replaces what the folder holds, also the answer to another question, or a network where
    `result` has none.

    Raises
    ------
    ConfigError
        If the folder holds the answer to another question, or `result` found nothing and the folder holds a
        network.
    DataError
        If the folder cannot be written to.
    """
    folder = Path(folder)
    answer = result.as_dict()
    check_answer(folder, answer, overwrite)
    written = {"candidates": folder / "candidates.csv", "result": folder / RESULT}
    try:
        folder.mkdir(exist_ok=True)
        if result.model is not None:
            written["model"] = folder / "smallest.h5"
            save(result.model, written["model"])
        else:
            # A model of an earlier search would look like the answer of this one.
            (folder / "smallest.h5").unlink(missing_ok=True)
        if result.classifier is not None:
            written["classifier"] = folder / "linear.h5"
            result.classifier.save(written["classifier"])
        else:
            (folder / "linear.h5").unlink(missing_ok=True)
        with replaced_when_whole(written["candidates"]) as temporary:
            _write_table(result, temporary)
        with replaced_when_whole(written["result"]) as temporary:
            record = answer | ({} if command is None else {"command": command})
            temporary.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", "utf-8")
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with -o"
        ) from None
    return written


def describe(result: SearchResult) -> str:
    """Return the answer in words, for people."""
    nearest = result.nearest
    memory, unfinished = memory_text(nearest.memory_bits), _unfinished(result)
    if nearest.accuracy is None or nearest.accuracy_interval is None:
        if result.ending is Ending.UNFINISHED:
            return f"The search could not finish: {unfinished}."
        answer = result.as_dict()
        if result.ending is Ending.TIME_OVER:
            return f"{headline(answer)}. {worth(answer).words} {advice(answer)}"
        why = result.impossible or nearest.verdict
        return f"No network fits: {why}. The nearest: {nearest.candidate}, {memory}. {worth(answer).words}"
    low, high = nearest.accuracy_interval
    seeds = len(nearest.accuracies)
    over = f", mean of {seeds} seeds" if seeds > 1 else ""
    measured = f"{nearest.accuracy:.1%}{result.metric.after_percent} on validation images "
    measured += f"(95 % interval {low:.1%} to {high:.1%}{over})"
    if result.ending is Ending.UNFINISHED:
        nearer = f"The nearest so far: {nearest.candidate}, {memory}, {measured}."
        return f"The search could not finish: {unfinished}. {nearer}"
    if result.test is None or result.certificate is None:
        answer = result.as_dict()
        near = f"The nearest: {nearest.candidate}, {memory}, {measured}"
        return " ".join(filter(None, (f"{headline(answer)}. {near}.", worth(answer).words, advice(answer))))
    cost = nearest.cost
    assert cost is not None
    time = "" if cost.latency_s is None else f" and {time_text(cost.latency_s)}"
    certificate, device = in_words(result.certificate), flash_and_ram(result.as_dict())
    sure = confidence_in_words(result.constraints.confidence)
    return "\n".join(
        [
            f"The {least(result.minimize[0])}: {nearest.candidate}.",
            f"  memory    {memory} for inference, readout included",
            *([f"  device    {device} on {result.hardware}"] if device else []),
            f"  accuracy  {measured}",
            f"            at least {nearest.proven_accuracy:.1%} with {sure}; "
            f"{result.target_accuracy:.1%} was asked for",
            f"            {result.test_accuracy:.1%} on {result.test.samples} test images, used this once",
            f"  energy    {energy_text(cost.energy_pj)}{time} an image on {result.hardware} (an estimate)",
            f"  activity  {described(cost, 'spikes')}, {cost.synaptic_operations:,.0f} synaptic operations, "
            f"{cost.macs or 0:,.0f} MACs, {cost.time_steps:,} time steps",
            f"  {'smaller' if result.minimize[0] == 'memory' else 'cheaper'}   {certificate[0]}",
            *(f"            {line}" for line in certificate[1:]),
            *_learners(result, nearest),
            f"  worth it  {worth(result.as_dict()).words}",
            *([f"  unfinished  {unfinished}"] if unfinished else []),
        ]
    )


BUYS = {
    "stdp": "it learns without labels, and a device can do it",
    "stdp+labels": "it needs the labels of all it learns from, and a host",
    "surrogate": "it needs the labels of all it learns from, and a host",
    "hybrid": "it needs the labels of all it learns from, and a host",
}
"""What there is to say for or against a learner."""


def _learners(result: SearchResult, winner: Trial) -> list[str]:
    """Return what other learners need, for people; nothing where one was tried."""
    lines = []
    for kind, trial in result.learners.items():
        if trial is winner or len(result.learners) == 1:
            continue
        tried = [t for t in result.trials if t.candidate.setup.learner.kind == kind]
        if all(t.outcome is Outcome.OVER_LIMIT and not t.confusions for t in tried):
            needs = f"no network of {kind} keeps to the limits"
        else:
            needs = f"{kind} is not proven to reach {result.target_accuracy:.1%}"
        if trial is not None and trial.cost is not None and winner.cost is not None:
            name = result.minimize[0]
            times = cost_of(trial.cost, name) / cost_of(winner.cost, name)
            many = "many" if MEASURES[name].many else "much"
            needs = f"{kind} needs {described(trial.cost, name)}, {times:.2g} times as {many}"
        lines.append(f"  learner   {needs}; {BUYS[kind]}")
    return lines


def _unfinished(result: SearchResult) -> str:
    """Return how many candidates could not be measured, and why; empty if there are none."""
    trials = [trial for trial in result.trials if trial.outcome is Outcome.UNFINISHED]
    if not trials:
        return ""
    many = f"{len(trials)} of {len(result.trials)} candidates"
    return f"{many} are {trials[0].verdict}; the same command tries them again"


def line(trials: Sequence[Trial], minimized: str = "memory") -> str:
    """Return one line about a network that was just measured: the best of its variants, by such a cost."""

    def cost(trial: Trial) -> float:
        assert trial.cost is not None
        return cost_of(trial.cost, minimized)

    measured = [trial for trial in trials if trial.accuracy is not None]
    meets = [trial for trial in measured if trial.outcome is Outcome.MEETS]
    nearest = max(measured or trials, key=lambda trial: trial.accuracy or 0.0)
    best = min(meets, key=cost, default=nearest)
    candidate = best.candidate
    assert best.cost is not None
    amount = MEASURES[minimized].format(cost(best))
    return (
        f"{candidate.neurons:5} neurons  {candidate.weights:8} {candidate.readout:11} "
        f"{amount:>11}  {best.verdict}"
    )


def _rows(result: SearchResult) -> list[dict[str, Any]]:
    rows = [in_a_row(trial.as_dict()) for trial in result.trials]
    return [row | {"seeds": len(row.pop("accuracies"))} for row in rows]


def _write_table(result: SearchResult, path: Path) -> None:
    rows = _rows(result)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
