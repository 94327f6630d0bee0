"""Learners beside each other: accuracy within memory, on the same images.

    python benchmarks/learners.py [PART ...] [--write]

Sizes, fields and formats were chosen on validation images, with seed 0; the test images are only reported on.
All weights, thresholds and readouts are integers, and all memory is counted. Learning runs on one core.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.datasets import Dataset
from fspinn.learning.fitting import Learned, fit_readouts
from fspinn.learning.training import learn
from fspinn.memmodel import Size, memory_bits
from fspinn.network import StdpLabels
from fspinn.network.setup import Setup
from fspinn.search.networks import while_learning

SEEDS = (0, 1, 2)
STATE = "10 bits"

COLUMNS = {
    "mnist": ((4, 7, 3), (6, 5, 3), (8, 7, 3), (12, 7, 3), (16, 7, 3), (24, 7, 4), (32, 7, 4), (48, 7, 4)),
}
"""Neurons, field and cells of columns."""

BITS, READOUTS = 3, ("Q1.1", "Q1.2")
PARTS = tuple(COLUMNS)
TARGETS = {"mnist": (95, 96, 97, 98, 98.5, 98.8, 99)}


def measure(part: str) -> dict[str, Any]:
    """Columns that STDP found, and the same tuned by labels, in integers."""
    rows = []
    for neurons, field, cells in COLUMNS[part]:
        found: dict[str, dict[str, list[float]]] = {}
        for seed in SEEDS:
            data = fspinn.datasets.load(part, seed=seed)
            tuned = StdpLabels(weight_bits=BITS)
            setup = Setup(fspinn.Network.patches(neurons, field, cells=cells), tuned)
            alone = while_learning(setup).learner
            learned = learn(setup.network, data, alone, seed=seed, progress=False)
            for learner in (alone, tuned):
                for readout, model in _compiled(replace(learned, learner=learner), data).items():
                    of_this = found.setdefault(f"{learner.kind} {readout}", {"memory": []})
                    for split in ("validation", "test"):
                        accuracy = fspinn.evaluate(model, getattr(data, split), seed=seed).accuracy
                        of_this.setdefault(split, []).append(100 * accuracy)
                    of_this["memory"].append(memory_bits(Size.of(model), training=False) / 8192)
            print(part, neurons, field, cells, seed, {k: v["test"][-1] for k, v in found.items()}, flush=True)
        rows.append({"neurons": neurons, "field": field, "cells": cells, "found": found})
    return {"seeds": SEEDS, "rows": rows}


def _compiled(learned: Learned, data: Dataset) -> dict[str, fspinn.model.Model]:
    (model,) = fit_readouts(learned, data, ["linear"])
    compiler = Compiler(data, learned.seed, None)
    return {
        readout: compiler.compile(model, Lowering(f"UQ0.{BITS}", STATE, readout=readout))
        for readout in READOUTS
    }


def render(results: Results) -> str:
    blocks = [_sizes(results), _how(results), _smallest(results), f"{machines(results)}."]
    return "\n\n".join(blocks)


def _sizes(results: Results) -> str:
    rows = []
    for part in PARTS:
        for row in results.get(part, {"rows": []})["rows"]:
            for readout in READOUTS:
                alone, tuned = (row["found"][f"{kind} {readout}"] for kind in ("stdp", "stdp+labels"))
                size = [
                    part,
                    row["neurons"],
                    f"{row['field']} x {row['field']}",
                ]
                size += [f"{row['cells']} x {row['cells']}", readout, spread(tuned["memory"])]
                figures = [(one, split) for split in ("validation", "test") for one in (alone, tuned)]
                rows.append([*size, *(spread(one[split]) for one, split in figures)])
    head = ["images", "neurons", "field", "cells", "readout", "memory (KiB)"]
    accuracies = [
        f"{kind}, {split} (%)" for split in ("validation", "test") for kind in ("stdp", "stdp+labels")
    ]
    return table([*head, *accuracies], rows)


def _smallest(results: Results) -> str:
    """The smallest of each learner whose mean on validation images is at least so much."""
    rows = []
    for images, targets in TARGETS.items():
        for target in targets:
            cells = [_smallest_of(results, images, kind, target) for kind in ("stdp", "stdp+labels")]
            rows.append([images, f"{target:g}", *cells])
    return table(["images", "validation accuracy (%)", "stdp (KiB)", "stdp+labels (KiB)"], rows)


def _smallest_of(results: Results, images: str, kind: str, target: float) -> str:
    known = [
        [float(np.mean(found[name])) for name in ("memory", "validation", "test")]
        for row in results[images]["rows"]
        for name, found in row["found"].items()
        if name.startswith(f"{kind} ")
    ]
    enough = [one for one in known if one[1] >= target]
    if enough:
        return "{:.2f} ({:.2f} %, test {:.2f} %)".format(*min(enough))
    return "at most {1:.2f} % ({0:.2f})".format(*max(known, key=lambda one: one[1]))


def _how(results: Results) -> str:
    return (
        f"Columns, stride 1; weights UQ0.{BITS}, state of {STATE}. `stdp` has learned without labels in one "
        "pass, and its readout `linear` is fitted on 50,000 labels; then labels tune its weights and "
        f"thresholds in {StdpLabels().tuning_passes} passes, and the readout is fitted again, with its "
        f"rounding in the loop both times. Mean ± standard deviation over seeds {seeds(results)}, each with "
        "its own validation split of 10,000. Below, the smallest of each whose mean on validation images is "
        "at least that, with its mean on test images; other sizes of `stdp` are in the table of "
        "`benchmarks/columns.py`."
    )


if __name__ == "__main__":
    run("learners", PARTS, measure, render)
