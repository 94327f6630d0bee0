"""Columns with a receptive field: accuracy within memory, what learning brings, and speed.

    python benchmarks/columns.py [PART ...] [--write]

Sizes and formats were chosen on validation images; the test images are only reported on. The readout is
fitted on 50,000 labels, with its rounding in the loop. Learning runs on one core.
"""

import time
from typing import Any

import numpy as np
from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.answering.predict import respond
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering.compiler import plan_of
from fspinn.memmodel import Size, memory_bits
from fspinn.network import OnOff

SEEDS = (0, 1, 2)
PARTS = ("mnist", "fashion-mnist", "learning", "speed")
ON_OFF = OnOff(radius=2, gain=1)
WEIGHTS, STATE = "UQ0.3", "10 bits"

SIZES = {
    "mnist": ((8, 3), (16, 3), (16, 4), (32, 4), (64, 4), (64, 5), (128, 5)),
    "fashion-mnist": ((6, 3), (8, 3), (32, 3), (64, 4), (128, 5)),
}
READOUTS = ("Q1.1", "Q1.2", "Q1.3")
NOT_LEARNED = fspinn.Stdp(learning_rate=0.0, learning_rate_end=0.0)


def network_of(images: str, neurons: int, cells: int) -> fspinn.Network:
    contrast = {"contrast": ON_OFF} if images == "fashion-mnist" else {}
    return fspinn.Network.patches(neurons, cells=cells, **contrast)


def measure_sizes(images: str) -> dict[str, Any]:
    rows = []
    for neurons, cells in SIZES[images]:
        found: dict[str, dict[str, list[float]]] = {}
        for seed in SEEDS:
            data = fspinn.datasets.load(images, seed=seed)
            network = network_of(images, neurons, cells)
            model = fspinn.train(network, data, readout="linear", seed=seed, progress=False).model
            compiler = Compiler(data, seed, None)
            several = {"float32": model}
            for readout in READOUTS:
                how = Lowering(WEIGHTS, STATE, readout=readout)
                several[readout] = compiler.compile(model, how)
            for name, one in several.items():
                kept = found.setdefault(name, {"validation": [], "test": [], "memory": []})
                for split in ("validation", "test"):
                    accuracy = fspinn.evaluate(one, getattr(data, split), seed=seed).accuracy
                    kept[split].append(100 * accuracy)
                kept["memory"].append(memory_bits(Size.of(one), training=False) / 8192)
        rows.append({"neurons": neurons, "cells": cells, "found": found})
    return {"seeds": SEEDS, "rows": rows}


def measure_learning() -> dict[str, Any]:
    rows = []
    for images, neurons, cells in (("mnist", 8, 3), ("mnist", 16, 3), ("fashion-mnist", 32, 3)):
        accuracies: dict[str, list[float]] = {"learned": [], "random weights": []}
        for seed in SEEDS:
            data = fspinn.datasets.load(images, seed=seed)
            for name, learner in (("learned", fspinn.Stdp()), ("random weights", NOT_LEARNED)):
                learned = learn(network_of(images, neurons, cells), data, learner, seed=seed, progress=False)
                (model,) = fit_readouts(learned, data, ["linear"])
                accuracies[name].append(100 * fspinn.evaluate(model, data.test, seed=seed).accuracy)
        rows.append({"images": images, "neurons": neurons, "cells": cells, "accuracies": accuracies})
    return {"seeds": SEEDS, "rows": rows}


def measure_speed() -> dict[str, Any]:
    """Processor time, so that what else runs on the machine counts little."""
    data = fspinn.datasets.load("mnist")
    learned = learn(network_of("mnist", 16, 3), data, progress=False)
    (model,) = fit_readouts(learned, data, ["linear"])
    small = Compiler(data, 0, None).compile(model, Lowering(WEIGHTS, "8 bits"))
    rates = {"learning": learned.samples_per_s}
    for name, one in (("floats", model), ("integers", small)):
        plan, best = plan_of(one), np.inf
        respond(plan, data.test.images[:10], seed=0, threads=1)
        for _ in range(5):
            started = time.process_time()
            respond(plan, data.test.images, seed=0, threads=1)
            best = min(best, time.process_time() - started)
        rates[name] = len(data.test) / best
    return {"seeds": (0,), "rates": rates}


def measure(part: str) -> dict[str, Any]:
    if part in SIZES:
        return measure_sizes(part)
    return measure_learning() if part == "learning" else measure_speed()


def render(results: Results) -> str:
    blocks = []
    sized = [images for images in SIZES if images in results]
    if sized:
        blocks += [_sizes(results, sized), _how({images: results[images] for images in sized})]
    if "learning" in results:
        blocks += ["What learning brings: readout in floats, test images.", _learning(results)]
    if "speed" in results:
        rates = results["speed"]["rates"]
        blocks.append(
            f"16 neurons with 3 x 3 cells on one core: {rates['integers']:,.0f} images/s in integers, "
            f"{rates['floats']:,.0f} in floats, {rates['learning']:,.0f} images/s while learning."
        )
    return "\n\n".join([*blocks, f"{machines(results)}."])


def _sizes(results: Results, sized: list[str]) -> str:
    rows = []
    for images in sized:
        for row in results[images]["rows"]:
            for name, kept in row["found"].items():
                formats = "float32" if name == "float32" else f"{WEIGHTS}, {STATE}, {name}"
                size = [images, row["neurons"], f"{row['cells']} x {row['cells']}", formats]
                rows.append([*size, *(spread(kept[figure]) for figure in ("memory", "validation", "test"))])
    head = ["images", "neurons", "cells", "weights, state, readout", "memory (KiB)"]
    return table([*head, "validation (%)", "test (%)"], rows)


def _how(results: Results) -> str:
    return (
        "Fields of 5 x 5, stride 1; contrast `on-off` (radius 2, gain 1) for Fashion-MNIST. Memory is all "
        "that a device needs to answer. One pass without labels over 50,000 images, 4 positions of each; the "
        "readout `linear` fitted on their labels, with its rounding in the loop where it has a format; mean "
        f"± standard deviation over seeds {seeds(results)}, each with its own validation split of 10,000."
    )


def _learning(results: Results) -> str:
    rows = [
        [row["images"], row["neurons"], f"{row['cells']} x {row['cells']}"]
        + [spread(values) for values in row["accuracies"].values()]
        for row in results["learning"]["rows"]
    ]
    return table(["images", "neurons", "cells", "learned (%)", "random weights, thresholds adapt (%)"], rows)


if __name__ == "__main__":
    run("columns", PARTS, measure, render)
