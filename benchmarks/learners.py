"""Learners beside each other: accuracy within memory, on the same images.

    python benchmarks/learners.py [PART ...] [--write]

Sizes, fields and formats were chosen on validation images, with seed 0; the test images are only reported on.
All weights, thresholds and readouts are integers, and all memory is counted. Learning runs on one core.
"""

from collections.abc import Iterator
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
from fspinn.network import StdpLabels, Surrogate
from fspinn.network.learners import SURROGATE_PASSES
from fspinn.network.setup import Setup
from fspinn.search.networks import while_learning

SEEDS = (0, 1, 2)
COLUMNS, SUPERVISED = ("stdp", "stdp+labels"), ("surrogate",)
Shape = tuple[int, int | None, int]

PARTS: dict[str, tuple[str, tuple[str, ...], tuple[Shape, ...]]] = {
    "mnist": (
        "mnist",
        COLUMNS,
        ((4, 7, 3), (6, 5, 3), (8, 7, 3), (12, 7, 3), (16, 7, 3), (24, 7, 4), (32, 7, 4), (48, 7, 4)),
    ),
    "mnist-fields": ("mnist", COLUMNS, ((12, 5, 3), (24, 5, 3))),
    "mnist-surrogate": ("mnist", SUPERVISED, ((16, None, 1), (32, None, 1), (64, None, 1))),
    "mnist-surrogate-fields": ("mnist", SUPERVISED, ((8, 5, 3), (16, 5, 3))),
    "fashion-mnist": ("fashion-mnist", COLUMNS, ((12, 5, 3), (24, 5, 4), (32, 5, 4), (64, 5, 4))),
}
"""Which images, which learners, and neurons, field (None is all of the image) and cells of networks."""

BITS, READOUTS = 3, ("Q1.1", "Q1.2")
STATES = {"stdp": "10 bits", "stdp+labels": "10 bits", "surrogate": "12 bits"}
TARGETS = {"mnist": (95, 96, 97, 98, 98.5, 98.8, 99), "fashion-mnist": (84, 86, 87, 88, 89, 90)}


def measure(part: str) -> dict[str, Any]:
    """Networks of each learner and size, in integers."""
    images, kinds, sizes = PARTS[part]
    rows = []
    for size in sizes:
        found: dict[str, dict[str, list[float]]] = {}
        for seed in SEEDS:
            data = fspinn.datasets.load(images, seed=seed)
            for learned in _learned(kinds, size, data, seed):
                for readout, model in _compiled(learned, data).items():
                    of_this = found.setdefault(f"{learned.learner.kind} {readout}", {"memory": []})
                    for split in ("validation", "test"):
                        accuracy = fspinn.evaluate(model, getattr(data, split), seed=seed).accuracy
                        of_this.setdefault(split, []).append(100 * accuracy)
                    of_this["memory"].append(memory_bits(Size.of(model), training=False) / 8192)
            print(part, *size, seed, {k: v["test"][-1] for k, v in found.items()}, flush=True)
        rows.append({**dict(zip(("neurons", "field", "cells"), size, strict=True)), "found": found})
    return {"seeds": SEEDS, "rows": rows}


def _learned(kinds: tuple[str, ...], size: Shape, data: Dataset, seed: int) -> Iterator[Learned]:
    neurons, field, cells = size
    if kinds == SUPERVISED:
        network = fspinn.Network.supervised(neurons, field, cells=cells)
        yield learn(network, data, Surrogate(weight_bits=BITS), seed=seed, progress=False)
        return
    tuned = StdpLabels(weight_bits=BITS)
    setup = Setup(fspinn.Network.patches(neurons, field, cells=cells), tuned)
    alone = while_learning(setup).learner
    learned = learn(setup.network, data, alone, seed=seed, progress=False)
    yield learned
    yield replace(learned, learner=tuned)


def _compiled(learned: Learned, data: Dataset) -> dict[str, fspinn.model.Model]:
    (model,) = fit_readouts(learned, data, ["linear"])
    compiler, kind = Compiler(data, learned.seed, None), learned.learner.kind
    weights = f"Q1.{BITS - 1}" if kind == "surrogate" else f"UQ0.{BITS}"
    return {
        readout: compiler.compile(model, Lowering(weights, STATES[kind], readout=readout))
        for readout in READOUTS
    }


def _known(results: Results) -> dict[str, list[tuple[str, dict[str, Any], str, dict[str, list[float]]]]]:
    """What was found, by images: learner, size, readout and figures."""
    known: dict[str, list[Any]] = {}
    for part, (images, _, _) in PARTS.items():
        for row in results.get(part, {"rows": []})["rows"]:
            for name, figures in row["found"].items():
                known.setdefault(images, []).append((*name.split(), row, figures))
    return known


def render(results: Results) -> str:
    blocks = [_sizes(results), _how(results), _smallest(results), f"{machines(results)}."]
    return "\n\n".join(blocks)


def _sizes(results: Results) -> str:
    rows = [
        [
            images,
            kind,
            row["neurons"],
            "all" if row["field"] is None else f"{row['field']} x {row['field']}",
            "" if row["field"] is None else f"{row['cells']} x {row['cells']}",
            readout,
            *(spread(figures[name]) for name in ("memory", "validation", "test")),
        ]
        for images, known in _known(results).items()
        for kind, readout, row, figures in known
    ]
    head = ["images", "learner", "neurons", "field", "cells", "readout"]
    return table([*head, "memory (KiB)", "validation (%)", "test (%)"], rows)


def _smallest(results: Results) -> str:
    """The smallest of each learner whose mean on validation images is at least so much."""
    kinds = (*COLUMNS, *SUPERVISED)
    rows = [
        [images, f"{target:g}", *(_smallest_of(known, kind, target) for kind in kinds)]
        for images, known in _known(results).items()
        for target in TARGETS[images]
    ]
    return table(["images", "validation accuracy (%)", *(f"{kind} (KiB)" for kind in kinds)], rows)


def _smallest_of(known: list[Any], wanted: str, target: float) -> str:
    figures = [
        [float(np.mean(figures[name])) for name in ("memory", "validation", "test")]
        for kind, _, _, figures in known
        if kind == wanted
    ]
    enough = [one for one in figures if one[1] >= target]
    if enough:
        return "{:.2f} ({:.2f} %, test {:.2f} %)".format(*min(enough))
    return "at most {1:.2f} % ({0:.2f})".format(*max(figures, key=lambda one: one[1])) if figures else ""


def _how(results: Results) -> str:
    return (
        f"`stdp`, `stdp+labels`: columns, stride 1, weights UQ0.{BITS}, state of 10 bits. `stdp` has learned "
        "without labels in one pass, and its readout `linear` is fitted on 50,000 labels; then labels tune "
        f"its weights and thresholds in {StdpLabels().tuning_passes} passes, and the readout is fitted "
        "again, with its rounding in the loop both times. `surrogate`: layers without inhibition, 10 steps, "
        f"beta 0.9, weights Q1.{BITS - 1}, state of 12 bits, {SURROGATE_PASSES} passes, readout `linear`. "
        f"Mean ± standard deviation over seeds {seeds(results)}, each with its own validation split of "
        "10,000. Below, the smallest of each whose mean on validation images is at least that, with its mean "
        "on test images; other sizes of `stdp` are in the table of `benchmarks/columns.py`."
    )


if __name__ == "__main__":
    run("learners", tuple(PARTS), measure, render)
