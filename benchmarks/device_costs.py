"""Does the cost model say what columns take of microcontrollers? Maps and cycles of exported programs.

    python benchmarks/device_costs.py [PART ...] [--write]

Needs the compilers and emulators of docs/device.md. The cycles in [cycles] of the presets were fitted to some
of the columns, which are marked; all others only check them. The table says what such a fit finds.
"""

import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from columns import STATE
from device import INSTRUCTIONS, cycles_of, make, memory_of
from scipy.optimize import nnls
from tables import Results, machines, run, table

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.backends.c import export_c
from fspinn.datasets import Dataset
from fspinn.memmodel import Size, estimate, load_hardware
from fspinn.memmodel.workload import Workload
from fspinn.model.model import Model

CHIPS = {"mcu-avr": "atmega328p", "mcu-m0": "cortex-m0", "mcu-m4f": "cortex-m4", "mcu-rv32": "riscv"}
"""Presets, and the chips that their programs are linked for."""

LEARNED, IMAGES, SEED = 4000, 20, 0

FITTED = ("step", "column_scan", "neuron", "addition", "output_spike", "wide")
"""Cycles of the presets that are fitted; none may be below 0."""


class Column(NamedTuple):
    """What is exported, and whether cycles were fitted to it."""

    neurons: int
    field: int
    stride: int
    cells: int
    weights: str
    readout: str
    fitted: bool = False
    state: str = STATE


PARTS = {
    "mnist": (
        Column(6, 5, 1, 3, "UQ0.2", "Q1.3"),
        Column(16, 5, 1, 3, "UQ0.2", "Q1.2", fitted=True),
        Column(24, 5, 1, 2, "UQ0.3", "Q1.1"),
        Column(8, 3, 1, 3, "UQ0.2", "Q1.2", fitted=True),
        Column(8, 7, 1, 3, "UQ0.2", "Q1.2", fitted=True),
        Column(12, 5, 1, 4, "UQ0.3", "Q1.1"),
        Column(8, 4, 1, 3, "UQ0.2", "Q1.3"),
        Column(20, 6, 2, 2, "UQ0.4", "Q1.2", fitted=True),
        Column(10, 9, 3, 2, "UQ0.1", "Q1.3", fitted=True),
        Column(16, 5, 1, 3, "UQ0.2", "Q1.2", fitted=True, state="16 bits"),
        Column(8, 4, 1, 3, "UQ0.4", "Q1.3", state="16 bits"),
    ),
    "fashion-mnist": (
        Column(8, 5, 2, 3, "UQ0.2", "Q1.2", fitted=True),
        Column(12, 3, 1, 3, "UQ0.4", "Q1.2", fitted=True),
        Column(16, 5, 1, 2, "UQ0.2", "Q1.2"),
    ),
    "digits": (
        Column(8, 3, 1, 3, "UQ0.2", "Q1.2"),
        Column(16, 3, 1, 2, "UQ0.3", "Q1.1", fitted=True),
        Column(12, 4, 1, 2, "UQ0.2", "Q1.2"),
        Column(11, 3, 1, 3, "UQ0.3", "Q1.1"),
        Column(16, 3, 1, 3, "UQ0.3", "Q1.2", state="16 bits"),
    ),
}
"""Columns of each set of images."""


def measure(part: str) -> dict[str, Any]:
    data = fspinn.datasets.load(part, seed=SEED)
    data = replace(data, train=data.train.first(LEARNED))
    found = []
    for column in PARTS[part]:
        model = _learned(column, data)
        found.append({"column": column._asdict(), **_compared(model, data)})
        print(part, *column, found[-1]["cycles"], flush=True)
    return {"columns": found}


def _learned(column: Column, data: Dataset) -> Model:
    network = fspinn.Network.patches(column.neurons, column.field, stride=column.stride, cells=column.cells)
    model = fspinn.train(network, data, readout="linear", seed=SEED, progress=False).model
    lowering = Lowering(column.weights, column.state, readout=column.readout)
    return Compiler(data, SEED, None).compile(model, lowering)


def _compared(model: Model, data: Dataset) -> dict[str, Any]:
    """Return bytes and cycles of each chip: what the model says, and what map and emulator say."""
    shown = data.test.first(IMAGES)
    answered = fspinn.evaluate(model, shown, seed=SEED, threads=1)
    learned = Workload.counted(model.activity["training"][0])
    work = {"training": (learned,), "inference": (Workload.counted(answered.activity[0]),)}
    found: dict[str, Any] = {"flash": {}, "ram": {}, "cycles": {}, "counts": _counts(Size.of(model), work)}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "out"
        export_c(model, folder, shown.images, seed=SEED)
        for preset, chip in CHIPS.items():
            said = estimate(Size.of(model), preset, work)
            output = make(folder, f"test-{chip}")
            linked = memory_of(folder, output, chip)
            for name in ("flash", "ram"):
                needed = said.capacity["inference"][f"{name}_bytes"].needed
                found[name][preset] = [int(needed), linked[name]]
            cycles = int(said.latency["inference"]["total"])
            found["cycles"][preset] = [cycles, cycles_of(output, chip)]
    return found


def _counts(size: Size, work: dict[str, tuple[Workload, ...]]) -> dict[str, float]:
    """Return how often each of the cycles that are fitted is counted."""
    avr = load_hardware("mcu-avr")
    assert avr.cycles is not None
    none = replace(avr.cycles, **{field.name: 0.0 for field in fields(avr.cycles)})
    found = {}
    for name in FITTED:
        one = replace(avr, cycles=replace(none, **{name: 1.0}))
        found[name] = float(estimate(size, one, work).latency["inference"]["total"])
    return found


def fit(results: Results, preset: str) -> dict[str, float]:
    """Return the cycles that miss those of the marked columns least, as parts of these."""
    marked = [
        one for result in results.values() for one in result["columns"] if Column(**one["column"]).fitted
    ]
    counts = np.array([[one["counts"][name] / one["cycles"][preset][1] for name in FITTED] for one in marked])
    found, _ = nnls(counts, np.ones(len(marked)))
    return dict(zip(FITTED, map(float, found), strict=True))


def render(results: Results) -> str:
    cycles: list[list[str]] = []
    sizes: list[list[str]] = []
    off: dict[str, dict[bool, list[float]]] = {preset: {True: [], False: []} for preset in CHIPS}
    pairs = []
    for part, result in results.items():
        for one in result["columns"]:
            column = Column(**one["column"])
            words = (
                f"{column.neurons} neurons, {column.field} x {column.field}, stride {column.stride}, "
                f"{column.cells} x {column.cells} cells, {column.weights}, {column.readout}"
                f"{'' if column.state == STATE else f', a state of {column.state}'}"
            )
            each = []
            for preset in CHIPS:
                said, counted = one["cycles"][preset]
                off[preset][column.fitted].append(abs(percent_off(said, counted)))
                each.append(f"{counted / 1e3:,.0f}; {percent_off(said, counted):+.1f}")
            cycles.append([part, words, "fitted" if column.fitted else "checked", *each])
            found = [one[name][preset] for preset in CHIPS for name in ("flash", "ram")]
            sizes.append([part, words, *(f"{said:,} / {linked:,}" for said, linked in found)])
            pairs += found
    of_chips = [f"{preset} (thousands; off by %)" for preset in CHIPS]
    head = ["images", "column", "the model was", *of_chips]
    heads = [f"{name}, {preset}" for preset in CHIPS for name in ("flash", "RAM")]
    large = [abs(percent_off(*pair)) for pair in pairs if abs(pair[0] - pair[1]) > 16]
    fits = []
    for preset in CHIPS:
        fitted = fit(results, preset)
        found = ", ".join(f"{name} {value:.3g}" for name, value in fitted.items() if value > 0)
        fits.append(f"`{preset}` {max(off[preset][True]):.1f} and {max(off[preset][False]):.1f} %; {found}.")
    note = (
        f"Columns that learned from {LEARNED:,} images, with a state of {STATE} where none is named, on "
        f"{IMAGES} test images (seed {SEED}). Above: cycles of an image that emulators count, and how far "
        "off the preset is, from spikes that were counted (from those that are expected before a network has "
        f"run it may be off by a half). {INSTRUCTIONS} Off by at most, "
        "where columns were fitted and elsewhere, and the fit (least squares of parts): "
        f"{' '.join(fits)} "
        "Below: bytes, as the presets say / as the linker's map does, with the stack that was used. Of "
        f"{len(pairs)} sizes {len(pairs) - sum(o > 2 for o in large)} are within 2 % or 16 bytes, and all "
        f"within {max(large, default=0):.1f} % or 16 bytes; the code of a column is one number for each "
        "chip, the middle of these columns, so that they show how far it holds and do not check it. "
        f"{machines(results)}."
    )
    return "\n\n".join([table(head, cycles), note, table(["images", "column", *heads], sizes)])


def percent_off(said: float, found: float) -> float:
    """Return how far off it is what a model said (%)."""
    return 100 * (said / found - 1)


if __name__ == "__main__":
    run("device_costs", tuple(PARTS), measure, render)
