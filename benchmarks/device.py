"""What does a column for MNIST take of five chips? Flash, RAM and cycles of exported programs, emulated.

    python benchmarks/device.py [PART ...] [--write]

Needs the compilers and emulators of docs/device.md. On each chip every spike count and class of 1,000 test
images is compared with the integer engine; the program ends with an error where one differs.
"""

import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from columns import STATE
from tables import Results, machines, run, table

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.backends.c import export_c
from fspinn.datasets import Split
from fspinn.model.model import Model

CHIPS = {
    "atmega328p": ("ATmega328P", 16),
    "attiny85": ("ATtiny85", 8),
    "cortex-m0": ("Cortex-M0", 16),
    "cortex-m4": ("Cortex-M4", 180),
    "riscv": ("RV32IMAC", 108),
}
"""Names, and clocks (MHz) of the presets."""

CYCLES_OF_AN_INSTRUCTION = {"cortex-m0": 1.5, "cortex-m4": 1.4, "riscv": 1.4}
"""Those of the instructions that QEMU counts: the middle of what `device_timings.py` finds of two chips; a
RISC-V is taken to be like the Cortex-M4."""

INSTRUCTIONS = (
    "simavr counts cycles; QEMU counts instructions, which are taken for 1.5 cycles (Cortex-M0) or 1.4 "
    "(Cortex-M4, RV32)."
)

PARTS = tuple(CHIPS)
NEURONS, FIELD, CELLS = 8, 5, 3
WEIGHTS, READOUT = "UQ0.2", "Q1.3"
IMAGES, SEED = 1000, 0

_SECTION = re.compile(r"^ (\.\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", re.M)
_IN_FLASH = (".vectors", ".text", ".rodata", ".srodata", ".progmem", ".init", ".fini", ".data")
_OF_TESTS = ("/test.o", "/avr.o", "/semihosting.o")


def measure(part: str) -> dict[str, Any]:
    model, accuracies, test = _column()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "out"
        export_c(model, folder, test.images[:IMAGES], seed=SEED)
        output = make(folder, f"test-{part}")
        if "equal to the integer engine" not in output:
            raise SystemExit(f"{part}: answers are not those of the integer engine")
        return {
            "accuracies": accuracies,
            "stack": stack_of(output),
            "cycles": cycles_of(output, part),
            **memory_of(folder, output, part),
        }


@cache
def _column() -> tuple[Model, dict[str, float], Split]:
    """Return a column of integers, its accuracies (%), and the test images."""
    data = fspinn.datasets.load("mnist", seed=SEED)
    network = fspinn.Network.patches(NEURONS, FIELD, cells=CELLS)
    model = fspinn.train(network, data, readout="linear", seed=SEED, progress=False).model
    small = Compiler(data, SEED, None).compile(model, Lowering(WEIGHTS, STATE, readout=READOUT))
    accuracies = {
        split: 100 * fspinn.evaluate(small, getattr(data, split), seed=SEED).accuracy
        for split in ("validation", "test")
    }
    return small, accuracies, data.test


def make(folder: Path, target: str) -> str:
    """Return what a target of an exported folder prints."""
    return subprocess.run(["make", target], cwd=folder, check=True, capture_output=True, text=True).stdout


def cycles_of(output: str, chip: str, of: str = "an image") -> int:
    """Return the cycles of a sample, as a test program prints them, or those of its instructions."""
    found = re.findall(rf"^(\d+) (?:cycles|instructions) {of}$", output, re.M)
    return round(int(found[-1]) * CYCLES_OF_AN_INSTRUCTION.get(chip, 1.0))


def stack_of(output: str) -> int:
    """Return the bytes of stack that calls took, as a test program prints them."""
    found = re.search(r"^stack (\d+) bytes$", output, re.M)
    assert found is not None
    return int(found[1])


def memory_of(folder: Path, output: str, chip: str) -> dict[str, int]:
    """Return bytes of flash and RAM by the linker's map, with state and stack, without the test program."""
    linked = (folder / f"{chip}.map").read_text("utf-8").split("Linker script and memory map")[1]
    flash = ram = 0
    for name, _, size, path in _SECTION.findall(linked):
        if name == ".bss.state" or (name.startswith((".bss", ".data")) and not path.endswith(_OF_TESTS)):
            ram += int(size, 16)
        if name.startswith(_IN_FLASH) and not path.endswith(_OF_TESTS):
            flash += int(size, 16)
    return {"flash": flash, "ram": ram + stack_of(output)}


def render(results: Results) -> str:
    rows = []
    for part, result in results.items():
        name, clock_mhz = CHIPS[part]
        million, ms = result["cycles"] / 1e6, result["cycles"] / clock_mhz / 1e3
        time = f"{million:.2f} million cycles, {ms:.3g} ms at {clock_mhz} MHz"
        rows.append([name, *(f"{result[key]:,} B" for key in ("flash", "ram", "stack")), time])
    (accuracies,) = {tuple(result["accuracies"].items()) for result in results.values()}
    shares = " and ".join(f"{share:.1f} % of the {split} images" for split, share in accuracies)
    note = (
        f"A column of {NEURONS} neurons with a field of {FIELD} x {FIELD} and {CELLS} x {CELLS} cells, "
        f"weights {WEIGHTS}, a state of {STATE}, readout {READOUT}, which answers {shares} of MNIST (seed "
        f"{SEED}), on {IMAGES:,} test images, each answered as by the integer engine, every spike count too. "
        "Flash is all "
        "of the map but the test program: code, constants, vectors and start. RAM is the state and the stack "
        f"that was used; a row of the image, 28 bytes, is the caller's. {INSTRUCTIONS} {machines(results)}."
    )
    return "\n\n".join([table(["chip", "flash", "RAM", "of which stack", "an image"], rows), note])


if __name__ == "__main__":
    run("device", PARTS, measure, render)
