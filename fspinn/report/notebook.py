"""What does a notebook show of a result? Its line, and tables and pictures like those of the page.

Everything is taken from the object as it is: nothing is answered, measured or loaded for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from fspinn.answering.describe import in_words
from fspinn.answering.evaluate import Evaluation
from fspinn.base.amounts import energy_text, memory_text, time_text, with_signs
from fspinn.datasets.dataset import Dataset, Split
from fspinn.learning.training import TrainingResult
from fspinn.memmodel.estimates import Estimate
from fspinn.memmodel.text import TABLES, phases_told
from fspinn.model.model import Model
from fspinn.network.description import Network
from fspinn.report.page import Picture, environment, percent, picture, worth_of
from fspinn.report.plots import accuracy_against_memory, confusion_matrix, receptive_fields
from fspinn.search.baselines import Baseline
from fspinn.search.result import SearchResult
from fspinn.search.swept import SweepResult, row
from fspinn.search.tuned import TuningResult, toml_value

MOST_ROWS = 20
"""Rows of a table, at most (fspinn)."""


@dataclass(frozen=True)
class Table:
    """Words in rows below a head."""

    head: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Shown:
    """What is shown of an object below its line."""

    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()


def html(shown: object) -> str:
    """Return an object as HTML for a notebook."""
    found = parts_of(shown)
    words = {"name": type(shown).__name__, "line": str(shown)}
    template = environment().get_template("notebook.html")
    return template.render(**words, tables=found.tables, pictures=found.pictures)


@singledispatch
def parts_of(shown: object) -> Shown:
    """Return the tables and pictures of an object: of one that has none, nothing."""
    return Shown()


@parts_of.register
def _(shown: Split) -> Shown:
    counts = np.bincount(shown.labels, minlength=len(shown.class_names or ()))
    names = shown.class_names or tuple(map(str, range(len(counts))))
    return Shown([_table(("class", "samples"), zip(names, counts.tolist(), strict=True))])


@parts_of.register
def _(shown: Dataset) -> Shown:
    splits = (shown.train, shown.validation, shown.test)
    counts = [np.bincount(split.labels, minlength=shown.n_classes).tolist() for split in splits]
    rows = zip(shown.class_names, *counts, strict=True)
    return Shown([_table(("class", "train", "validation", "test"), rows)])


@parts_of.register
def _(shown: Network) -> Shown:
    head = ("layer", "what it is", "stride", "threshold", "inhibition", "thresholds", "features")
    rows = [
        (
            number,
            str(layer),
            layer.stride,
            f"{layer.neuron.threshold:g}",
            layer.inhibition.kind,
            layer.adaptation.kind,
            layer.features,
        )
        for number, layer in enumerate(shown.layers, 1)
    ]
    return Shown([_table(head, rows)])


@parts_of.register
def _(shown: Model) -> Shown:
    fields = Picture("Receptive fields", picture(receptive_fields, shown), "What neurons look for.")
    return Shown([_table(("about", "what there is"), in_words(shown).items())], [fields])


@parts_of.register
def _(shown: TrainingResult) -> Shown:
    return parts_of(shown.model)


@parts_of.register
def _(shown: Evaluation) -> Shown:
    rows = [
        (name, percent(one.recall), percent(one.precision), percent(one.f1), one.samples)
        for name, one in shown.classes.items()
    ]
    answers = shown.labels, shown.predictions, shown.class_names
    matrix = Picture("Confusion matrix", picture(confusion_matrix, *answers), "Answers, by true class.")
    return Shown([_table(("class", "recall", "precision", "F1", "samples"), rows)], [matrix])


@parts_of.register
def _(shown: Estimate) -> Shown:
    if np.ndim(shown.memory["inference"]["total"]) > 0:
        return Shown()
    tables = []
    for title, attribute, text in TABLES:
        breakdowns = getattr(shown, attribute)
        found = {} if breakdowns is None else {phase: breakdowns[phase] for phase in phases_told(shown)}
        if all(len(one) == 1 for one in found.values()):
            continue
        names = dict.fromkeys(name for one in found.values() for name in one if name != "total")
        rows = [
            (name, *("-" if name not in one else text(one[name]) for one in found.values()))
            for name in (*names, "total")
            if name == "total" or any(one.get(name) for one in found.values())
        ]
        tables.append(_table((title, *found), rows))
    return Shown(tables)


@parts_of.register
def _(shown: SearchResult) -> Shown:
    answer = shown.as_dict()
    head = ("", shown.metric.words, "95 % interval", "memory", "energy", "time", "operations")
    front = [
        (
            f"{trial.candidate}{' (the answer)' if trial is shown.winner else ''}",
            *_measured(trial.accuracy, trial.accuracy_interval, trial.memory_bits),
            *_costs(trial.cost.energy_pj, trial.cost.latency_s),
            "-" if trial.cost.operations is None else f"{trial.cost.operations:,.0f}",
        )
        for trial in shown.front
        if trial.cost is not None
    ]
    classifiers = [
        (
            f"{_called(one)}, {one.weight_bits}-bit weights",
            *_measured(one.accuracy, one.accuracy_interval, one.memory_bits),
            *_costs(one.energy_pj, one.latency_s),
            f"{one.macs:,.0f}",
        )
        for one in shown.baselines
    ]
    tables = [
        _table(("Pareto front", *head[1:]), front),
        _table(("without spikes", *head[1:]), classifiers),
        _table(("is a spiking network worth it?",), [(worth_of(answer).words,)]),
    ]
    drawn = picture(accuracy_against_memory, shown)
    return Shown(tables, [Picture("Accuracy against memory", drawn, "Every candidate that was measured.")])


@parts_of.register
def _(shown: TuningResult) -> Shown:
    measured = sorted(
        (trial for trial in shown.trials if trial.accuracy is not None),
        key=lambda trial: (shown.rung(trial), trial.accuracy or 0.0),
        reverse=True,
    )
    best = [(name, toml_value(value)) for name, value in shown.settings().items()]
    rows = [(trial.number, shown.rung(trial), percent(trial.accuracy or 0.0)) for trial in measured]
    return Shown([_table(("best setting", "value"), best), _table(("candidate", "rung", "accuracy"), rows)])


@parts_of.register
def _(shown: SweepResult) -> Shown:
    trades = [(str(trade),) for trade in shown.trades]
    front = [(row(point).strip(),) for point in shown.front]
    return Shown([_table(("against the default",), trades), _table(("Pareto front",), front)])


def _called(one: Baseline) -> str:
    return "linear" if one.hidden is None else f"ANN of {one.hidden} ReLUs"


def _measured(accuracy: float | None, interval: tuple[float, float] | None, memory_bits: int) -> list[str]:
    between = "-" if interval is None else f"{percent(interval[0])} to {percent(interval[1])}"
    return ["-" if accuracy is None else percent(accuracy), between, memory_text(memory_bits)]


def _costs(energy_pj: float | None, latency_s: float | None) -> list[str]:
    energy = "-" if energy_pj is None else with_signs(energy_text(energy_pj))
    return [energy, "-" if latency_s is None else with_signs(time_text(latency_s))]


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Return a table, cut after `MOST_ROWS` with a line that says how many follow."""
    every = list(rows)
    more = [(f"and {len(every) - MOST_ROWS:,} more",)] if len(every) > MOST_ROWS else []
    return Table(head, [*every[:MOST_ROWS], *more])
