"""Columns on small colour pictures: CIFAR-10, learned without labels.

    python benchmarks/colour.py [PART ...] [--write]

The pictures are those of `cifar10_jpeg_bytes.npz`, which were compressed as JPEG: results are not to be
compared to the decimal with those on the original pixels. Field and contrast were chosen on training images
that were held out (part `variants`).
"""

import os
from typing import Any

from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.datasets import Dataset
from fspinn.memmodel import Size, memory_bits
from fspinn.network import Contrast, NoContrast, OnOff
from fspinn.search.linear import linear_classifiers

PICTURES = "cifar10/cifar10_jpeg_bytes.npz"
COLOURS = OnOff(radius=4, gain=4, of="colours")
SIZES = {
    "small": (64, 3, 3, NoContrast()),
    "medium": (160, 3, 3, NoContrast()),
    "large": (400, 3, 4, NoContrast()),
    "contrast": (64, 5, 3, COLOURS),
}
"""Neurons, field, cells and contrast of the columns in the table."""

VARIANTS = (
    (64, 3, 3, NoContrast()),
    (64, 5, 3, NoContrast()),
    (64, 3, 3, COLOURS),
    (64, 5, 3, COLOURS),
)
"""The same of what field and contrast were chosen by, in floats."""

HELD_OUT = 10_000
PARTS = (*SIZES, "variants", "linear")
SEEDS = (0, 1, 2)
HOW = Lowering("UQ0.3", "10 bits", readout="Q1.2")
LINEAR_BITS = (2, 3, 4, 8)


def pictures(seed: int, validation: int) -> Dataset:
    return fspinn.datasets.load(
        f"{os.environ['FSPINN_DATA_DIR']}/{PICTURES}", validation=validation, seed=seed
    )


def measure(part: str) -> dict[str, Any]:
    found: dict[str, list[float]] = {"memory": [], "test": []}
    if part == "linear":
        for seed in SEEDS:
            every = linear_classifiers(pictures(seed, HELD_OUT), LINEAR_BITS, seed=seed)
            best = max(every, key=lambda one: one.accuracy)
            found["memory"].append(best.memory_bits / 8192)
            found.setdefault("validation", []).append(100 * best.accuracy)
        return {"seeds": SEEDS, "found": {"linear classifier, its best of 2 to 8 bits": found}}
    if part == "variants":
        return {"seeds": SEEDS, "found": {called(*size): held_out(*size) for size in VARIANTS}}
    neurons, field, cells, contrast = SIZES[part]
    several: dict[str, dict[str, list[float]]] = {}
    for seed in SEEDS:
        data = pictures(seed, 0)
        network = fspinn.Network.patches(neurons, field, cells=cells, contrast=contrast)
        model = fspinn.train(network, data, readout="linear", seed=seed, progress=False).model
        small = Compiler(data, seed, None).compile(model, HOW)
        for name, one in (("float32", model), ("UQ0.3, 10 bits, Q1.2", small)):
            kept = several.setdefault(name, {"memory": [], "test": []})
            kept["test"].append(100 * fspinn.evaluate(one, data.test, seed=seed).accuracy)
            kept["memory"].append(memory_bits(Size.of(one), training=False) / 8192)
    return {"seeds": SEEDS, "found": several}


def held_out(neurons: int, field: int, cells: int, contrast: Contrast) -> dict[str, list[float]]:
    """Return memory and accuracy on the images held out of a column in floats, by seed."""
    kept: dict[str, list[float]] = {"memory": [], "validation": []}
    network = fspinn.Network.patches(neurons, field, cells=cells, contrast=contrast)
    for seed in SEEDS:
        data = pictures(seed, HELD_OUT)
        result = fspinn.train(network, data, readout="linear", seed=seed, progress=False)
        kept["memory"].append(memory_bits(Size.of(result.model), training=False) / 8192)
        kept["validation"].append(100 * fspinn.evaluate(result.model, data.validation, seed=seed).accuracy)
    return kept


def called(neurons: int, field: int, cells: int, contrast: Contrast) -> str:
    size = f"{neurons} neurons, fields of {field} x {field}, {cells} x {cells} cells, "
    return f"{size}{'' if contrast == NoContrast() else 'contrast of colours, '}float32"


def render(results: Results) -> str:
    rows = []
    for part, result in results.items():
        size = called(*SIZES[part]).removesuffix("float32") if part in SIZES else ""
        for name, kept in result["found"].items():
            figures = (spread(kept[key]) if kept.get(key) else "" for key in ("memory", "validation", "test"))
            rows.append([f"{size}{name}", *figures])
    head = ["CIFAR-10 (JPEG)", "memory (KiB)", "validation (%)", "test (%)"]
    note = (
        "Fields on red, green and blue, or on ON and OFF of brightness, red against green, and blue "
        "against yellow (radius 4, gain 4). One pass without labels over all 50,000 training images, 4 "
        "positions of each; the readout `linear` fitted on their labels. Memory is all that a device "
        f"needs to answer. Mean ± standard deviation over seeds {seeds(results)}. What has a validation "
        f"accuracy learned from the training images but {HELD_OUT:,} that were held out: those of the "
        f"variants in floats, by which field and contrast were chosen. {machines(results)}."
    )
    return f"{table(head, rows)}\n\n{note}"


if __name__ == "__main__":
    run("colour", PARTS, measure, render)
