"""Ventricular heartbeats of patients that the network has never seen, with RR intervals beside each beat.

    python benchmarks/heartbeats.py [PART ...] [--write]

Beats of the MIT-BIH arrhythmia database in the usual division between patients: DS1 to learn from, DS2 to
report on. Settings were chosen on DS1 alone, in six folds of whole records.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from tables import Results, machines, measured_on, run, seeds, spread, table

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.base.randomness import VALIDATION_SPLIT, permutation, stream_key
from fspinn.datasets import Dataset, Split
from fspinn.memmodel import Size, memory_bits
from fspinn.model import features
from fspinn.model.features import SPIKES
from fspinn.network import Level
from fspinn.search.linear import linear_classifiers

FILE = "ecg/mitbih_beats_aami.npz"
ASKED = "V"
"""Ventricular ectopic beats; all other classes are "the others"."""

FOLDS = 6
SEEDS = (0, 1, 2)
BEATS_OF_MEAN = 16
"""About so many beats reach into the running mean of RR intervals."""

RR = ("RR before", "RR after")
RELATIVE = tuple(f"{name} / mean" for name in RR)
FEATURES = {"none": (), "RR": RR, "RR, relative": (*RR, *RELATIVE)}


class Column(NamedTuple):
    """A column of the table; `spikes` is what an input of a feature that is on counts as."""

    neurons: int
    features: str = "RR, relative"
    cells: int = 1
    field: int = 25
    spikes: int = SPIKES

    @property
    def name(self) -> str:
        other = ""
        for what in ("cells", "field", "spikes"):
            if (value := getattr(self, what)) != self._field_defaults[what]:
                other += f", {what} {value}"
        return f"{self.neurons} neurons{other}; {self.features}"


COLUMNS = {
    "columns": (Column(16), Column(32, "none"), Column(32, "RR"), Column(32), Column(64)),
    "variants": (Column(32, cells=4), Column(32, field=13), Column(32, spikes=1)),
}
"""By part; those that were not chosen are not shown the beats of the test."""

HOW = Lowering("UQ0.3", "10 bits", readout="Q1.3")
LINEAR_BITS = (2, 3, 4, 6, 8)
LINEAR = "linear classifier on the beat"
PARTS = ("linear", *COLUMNS)


def beats(part: str) -> Split:
    """Return the beats of training or test with RR intervals, as such and over their mean so far.

    The mean is what a device can keep: ``mean += (rr - mean) / 16`` at each beat of a record. Where an
    interval is not known (0 in the file) the mean stands for it.
    """
    path = Path(os.environ["FSPINN_DATA_DIR"]) / FILE
    split = getattr(fspinn.datasets.load(path, validation=0), part)
    with np.load(path) as arrays:
        rr, records = arrays[f"{part}_rr"].astype(float), arrays[f"{part}_record"]
    columns = np.empty((len(rr), 4), np.float32)
    for record in np.unique(records):
        mean = np.median(rr[records == record, 0][:BEATS_OF_MEAN])
        for number in np.flatnonzero(records == record):
            before, after = (one if one > 0 else mean for one in rr[number])
            mean += (before - mean) / BEATS_OF_MEAN
            columns[number] = before, after, before / mean, after / mean
    return replace(split, features=columns, feature_names=(*RR, *RELATIVE), groups=records.astype(str))


def with_features(split: Split, names: tuple[str, ...]) -> Split:
    if not names:
        return replace(split, features=None, feature_names=None)
    assert split.features is not None
    columns = [(*RR, *RELATIVE).index(name) for name in names]
    return replace(split, features=split.features[:, columns], feature_names=names)


def folds(split: Split, seed: int) -> list[tuple[Split, Split]]:
    """Return beats to learn from and beats to ask, of other records, for each of the folds."""
    assert split.groups is not None
    records = np.unique(split.groups)
    order = permutation(stream_key(seed, VALIDATION_SPLIT), len(records))
    asked = [np.isin(split.groups, records[some]) for some in np.array_split(order, FOLDS)]
    return [(split.part(np.flatnonzero(~one)), split.part(np.flatnonzero(one))) for one in asked]


def ventricular(confusion: NDArray[np.int64], place: int) -> tuple[float, float, float]:
    """Return sensitivity, precision and F1 of one class against all others, in percent."""
    right, there, said = confusion[place, place], confusion[place].sum(), confusion[:, place].sum()
    return 100 * right / there, 100 * right / max(1, said), 200 * right / (there + said)


def answered(data: Dataset, column: Column, seed: int) -> tuple[NDArray[np.int64], float]:
    """Return the confusion matrix and KiB of a column in integers."""
    field, cells = (1, column.field), (1, column.cells)
    network = fspinn.Network.patches(column.neurons, field, cells=cells, contrast=Level())
    with patch.object(features, "SPIKES", column.spikes):
        model = fspinn.train(network, data, readout="linear", seed=seed, progress=False).model
        small = Compiler(data, seed, None).compile(model, HOW)
        confusion = fspinn.evaluate(small, data.test, seed=seed).confusion_matrix
    return confusion, memory_bits(Size.of(small), training=False) / 8192


def measure(part: str) -> dict[str, Any]:
    learned_from, reported = beats("train"), beats("test")
    assert learned_from.class_names is not None
    place = learned_from.class_names.index(ASKED)
    if part == "linear":
        several = {
            f"{LINEAR}; {which}": linear(
                with_features(learned_from, FEATURES[which]), with_features(reported, FEATURES[which]), place
            )
            for which in ("none", "RR, relative")
        }
        return {"seeds": SEEDS, "found": several}
    found: dict[str, dict[str, list[float]]] = {}
    for column in COLUMNS[part]:
        kept = found.setdefault(column.name, {})
        names = FEATURES[column.features]
        shown, asked = (with_features(one, names) for one in (learned_from, reported))
        for seed in SEEDS:
            several = [answered(measured_on(*pair, seed), column, seed) for pair in folds(shown, seed)]
            chosen_by = ventricular(sum(confusion for confusion, _ in several), place)[2]
            if part == "variants":
                note(kept, chosen_by, several[0][1])
            else:
                confusion, memory = answered(measured_on(shown, asked, seed), column, seed)
                note(kept, chosen_by, memory, ventricular(confusion, place))
    return {"seeds": SEEDS, "found": found}


def linear(learned_from: Split, reported: Split, place: int) -> dict[str, list[float]]:
    """Return what a linear classifier on the values of a beat reaches, at its best bits by the folds."""
    kept: dict[str, list[float]] = {}
    for seed in SEEDS:
        by_fold = [
            linear_classifiers(measured_on(*pair, seed), LINEAR_BITS) for pair in folds(learned_from, seed)
        ]
        values = [
            ventricular(np.sum([one.confusion for one in several], axis=0), place)[2]
            for several in zip(*by_fold, strict=True)
        ]
        best = int(np.argmax(values))
        last = linear_classifiers(measured_on(learned_from, reported, seed), LINEAR_BITS)[best]
        note(kept, values[best], last.memory_bits / 8192, ventricular(np.array(last.confusion), place))
        kept.setdefault("bits", []).append(last.weight_bits)
    return kept


def note(
    kept: dict[str, list[float]],
    validation: float,
    memory: float,
    test: tuple[float, float, float] | None = None,
) -> None:
    figures = {"memory": memory, "validation": validation}
    if test is not None:
        figures |= dict(zip(("sensitivity", "precision", "test"), test, strict=True))
    for name, value in figures.items():
        kept.setdefault(name, []).append(float(value))


def render(results: Results) -> str:
    head = [
        "column; features of the readout",
        "memory (KiB)",
        "DS1: F1 (%)",
        "DS2: sensitivity (%)",
        "precision (%)",
        "F1 (%)",
    ]
    keys = ("memory", "validation", "sensitivity", "precision", "test")
    found = {name: kept for result in results.values() for name, kept in result["found"].items()}
    rows = [[name, *(_figure(kept, key) for key in keys)] for name, kept in found.items()]
    return f"{table(head, rows)}\n\n{_how(results)} {machines(results)}."


def _figure(kept: dict[str, list[float]], key: str) -> str:
    return spread(kept[key], "{:.2f}" if key == "memory" else "{:.1f}") if key in kept else ""


def _how(results: Results) -> str:
    linear = results.get("linear", {"found": {}})["found"].values()
    bits = "; ".join(", ".join(str(bits) for bits in kept["bits"]) for kept in linear)
    return (
        "Ventricular beats (V) against all others of the five AAMI classes, MIT-BIH arrhythmia database, "
        "128 values of a beat at 180 Hz; patients apart: DS1 to learn from (51,001 beats), DS2 to report "
        f"on (49,691 beats). Settings were chosen on DS1, in {FOLDS} folds of whole records; its F1 is "
        f"that of all folds together. Columns see fields of 25 values (0.14 s), contrast `level`, one"
        f" cell if nothing else is said; {HOW.weights}, 10-bit state, readout `linear` in Q1.3 on all five"
        " classes, features in 16 levels. RR: the intervals before and after the beat; relative: these "
        "over their running mean in the record as well. Memory is all that a device needs to answer. "
        f"Linear classifiers see the 128 values and have their best bits by the folds ({bits}). Mean ± "
        f"standard deviation over seeds {seeds(results)}."
    )


if __name__ == "__main__":
    run("heartbeats", PARTS, measure, render)
