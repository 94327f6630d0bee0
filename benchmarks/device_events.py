"""What do columns that see events take of four chips? Exported programs, emulated, event by event.

    python benchmarks/device_events.py [PART ...] [--write]

Needs the compilers and emulators of docs/device.md. Every spike count and class is compared with the integer
engine; the program ends with an error where one differs.
"""

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from device import CHIPS, INSTRUCTIONS, cycles_of, make, memory_of, stack_of
from device_costs import CHIPS as PRESETS
from events import FILE, STATE, WEIGHTS, network_of, together
from tables import Results, machines, run, table

import fspinn
from fspinn.backends.c import export_c
from fspinn.datasets import Dataset
from fspinn.memmodel import estimate
from fspinn.model.model import Model

READOUT, SEED, HELD_OUT = "Q1.3", 0, 100


class Column(NamedTuple):
    """What is exported."""

    neurons: int
    cells: int
    stride: int


NARROW, WIDE = Column(4, 4, 3), Column(16, 4, 2)
NAMES = {"mcu-avr": "ATmega328P", "mcu-m0": "Cortex-M0", "mcu-m4f": "Cortex-M4", "mcu-rv32": "RV32IMAC"}
PARTS = tuple(NAMES)
SHOWN = {"mcu-avr": 100}
"""Recordings where there are fewer than 1,000, as simavr takes its time."""


def measure(part: str) -> dict[str, Any]:
    columns = (NARROW,) if part == "mcu-avr" else (NARROW, WIDE)
    return {"columns": [_measured(column, part) for column in columns]}


def _measured(column: Column, preset: str) -> dict[str, Any]:
    model, accuracy = learned(column)
    shown, chip = SHOWN.get(preset, 1000), PRESETS[preset]
    data = recordings()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "out"
        export_c(model, folder, together(data.train, data.test).images[:shown], seed=SEED, hardware=preset)
        output = make(folder, f"test-{chip}")
        if "equal to the integer engine" not in output:
            raise SystemExit(f"{preset}: answers are not those of the integer engine")
        cost = estimate(model, preset)
        capacity = cost.capacity["inference"]
        return {
            "column": column,
            "accuracy": accuracy,
            "shown": shown,
            "cycles": cycles_of(output, chip),
            "estimated_cycles": cost.latency["inference"]["total"],
            "stack": stack_of(output),
            "estimated": {name: capacity[f"{name}_bytes"].needed for name in ("flash", "ram")},
            **memory_of(folder, output, chip),
        }


@cache
def recordings() -> Dataset:
    """Return recordings of digits, 1,100 of them; some are held out."""
    path = Path(os.environ["FSPINN_DATA_DIR"]) / FILE
    return fspinn.datasets.load(path, validation=HELD_OUT, seed=SEED)


@cache
def learned(column: Column) -> tuple[Model, float]:
    """Return a column in integers, and how many of the test recordings it gets right (%)."""
    data = recordings()
    trained = fspinn.train(network_of(*column), data, readout="linear", seed=SEED, progress=False).model
    small = fspinn.quantize(trained, WEIGHTS, state=STATE, readout=READOUT, data=data)
    return small, 100 * fspinn.evaluate(small, data.test, seed=SEED).accuracy


def render(results: Results) -> str:
    rows = []
    for part, result in results.items():
        for one in result["columns"]:
            column, cycles, said = Column(*one["column"]), one["cycles"], one["estimated_cycles"]
            positions = network_of(*column).layers[0].positions(34, 34)
            _, clock_mhz = CHIPS[PRESETS[part]]
            time = f"{said / 1e6:.1f} / {cycles / 1e6:.1f} million cycles; {cycles / clock_mhz / 1e3:,.3g} ms"
            both = [f"{one['estimated'][name]:,} / {one[name]:,}" for name in ("flash", "ram")]
            column_in_words = f"{column.neurons} neurons at {positions[0]} x {positions[1]}"
            rows.append([NAMES[part], column_in_words, *both, f"{one['stack']:,}", f"{one['shown']:,}", time])
    head = ["chip", "column", "flash (B)", "RAM (B)", "of which stack (B)", "recordings", "a recording"]
    accuracies = {
        Column(*one["column"]).neurons: one["accuracy"]
        for result in results.values()
        for one in result["columns"]
    }
    right = ", ".join(f"{accuracy:.0f} % with {neurons}" for neurons, accuracy in accuracies.items())
    note = (
        f"Columns with a field of 5 x 5 and 4 x 4 cells, weights {WEIGHTS}, a state of {STATE}, readout "
        f"{READOUT}, that see 300 ms of N-MNIST (34 x 34 pixels) in steps of 10 ms, event by event, each "
        "recording answered as by the integer engine, every spike count too. Bytes are those that the "
        "preset says / that the linker's map does, with the stack that was used, and cycles those that the "
        f"preset says / that the emulator counts. {INSTRUCTIONS} Of 100 test "
        f"recordings these get right: {right} neurons (seed {SEED}). {machines(results)}."
    )
    return "\n\n".join([table(head, rows), note])


if __name__ == "__main__":
    run("device_events", PARTS, measure, render)
