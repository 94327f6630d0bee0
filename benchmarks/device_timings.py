"""How many cycles does an instruction take? Exported programs, instruction by instruction.

    python benchmarks/device_timings.py [PART ...] [--write]

QEMU logs every instruction that it executes (`-singlestep -d exec,nochain`); objdump says which it was, and a
table what it takes: of the Cortex-M0 that of Arm's reference manual with memory that does not wait, of the
Cortex-M4 one of this project, as simple (a load takes two cycles, a branch that is taken three, a division
seven). One instruction is translated at a time, so that each has a line in the log.
Needs the compiler and emulator of docs/device.md.
"""

import re
import subprocess
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from device import make
from device_programs import PARTS as PROGRAMS
from device_programs import SEED, Program, data_of, learned, patches
from tables import Results, machines, run, table

from fspinn.backends.c import export_c

MACHINES = {"cortex-m0": "microbit", "cortex-m4": "mps2-an386"}
PARTS = tuple(MACHINES)
COLUMNS = (
    ("digits", Program("column", patches(11, 3), "UQ0.3")),
    ("mnist", Program("column", patches(8, 5))),
)
OTHERS = (
    ("digits", "leak"),
    ("digits", "ON and OFF"),
    ("digits", "dense, regular, lateral"),
    ("digits", "dense, unscaled, none"),
    ("mnist", "ranked"),
)
"""Columns, and the first of each such program of `device_programs.py`."""

_OF_TEST = re.compile(r"/(test|semihosting|start_cortex_m)\.o$")
_CONDITION = re.compile(r"b(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)|cbn?z")
_INSTRUCTION = re.compile(r"^\s+([0-9a-f]+):\t(\S+)(?:\t(.*))?$", re.M)
_FUNCTION = re.compile(r"^ \.text\.(\w+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", re.M)
_EXECUTED = re.compile(r"\[[0-9a-f]+/([0-9a-f]+)/")


def measure(part: str) -> dict[str, Any]:
    found = []
    for images, program in programs():
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "out"
            data = data_of(images)
            export_c(learned(program, data), folder, data.test.images[:1], seed=SEED)
            make(folder, f"test-{part}")
            instructions, cycles = counted(folder, part)
        found.append({"program": f"{images}, {program.name}", "counted": [instructions, cycles]})
        print(part, *found[-1].values(), flush=True)
    return {"programs": found}


def programs() -> Iterator[tuple[str, Program]]:
    yield from COLUMNS
    for images, name in OTHERS:
        yield images, next(one for one in PROGRAMS[images] if one.name == name)


def counted(folder: Path, chip: str) -> tuple[int, int]:
    """Return the instructions of the network, not of its test, that QEMU executes, and their cycles."""
    listing = subprocess.run(
        ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", f"{chip}.elf"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    known = {int(at, 16): (name.split(".")[0], what) for at, name, what in _INSTRUCTION.findall(listing)}
    linked = (folder / f"{chip}.map").read_text("utf-8").split("Linker script and memory map")[1]
    linked = re.sub(r"(\.text\.\w+)\n", r"\1 ", linked)
    ends = sorted(
        (int(start, 16), int(start, 16) + int(size, 16))
        for _, start, size, path in _FUNCTION.findall(linked)
        if _OF_TEST.search(path) and int(size, 16) > 0
    )
    starts = [start for start, _ in ends]
    qemu = f"qemu-system-arm -machine {MACHINES[chip]} -singlestep -d exec,nochain -D executed.txt"
    qemu += " -display none -monitor none -serial none -semihosting-config enable=on,target=native"
    run_it = [*qemu.split(), "-kernel", f"{chip}.elf"]
    subprocess.run(run_it, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    addresses = [int(at, 16) & ~1 for at in _EXECUTED.findall((folder / "executed.txt").read_text("utf-8"))]
    next_of = dict(pairwise(sorted(known)))
    instructions = cycles = 0
    for at, following in pairwise(addresses):
        place = bisect_right(starts, at) - 1
        if at in known and not (place >= 0 and at < ends[place][1]):
            instructions += 1
            cycles += cycles_of(*known[at], taken=following != next_of.get(at), chip=chip)
    return instructions, cycles


def cycles_of(name: str, what: str, *, taken: bool, chip: str) -> int:
    """Return the cycles of an instruction."""
    simple = chip == "cortex-m0"
    if name in ("push", "pop") or name.startswith(("ldm", "stm")):
        return 1 + _registers(what) + (3 if simple else 2) * ("pc" in what)
    if name.startswith(("ldrd", "strd")):
        return 3
    if name.startswith("ldr") or (simple and name.startswith("str")):
        return 2
    if _CONDITION.fullmatch(name):
        return 3 if taken else 1
    if name in ("b", "bl", "bx", "blx", "tbb", "tbh") or (name == "mov" and what.startswith("pc")):
        return 4 if simple and name == "bl" else 3
    return {"udiv": 7, "sdiv": 7, "mla": 2, "mls": 2}.get(name, 1)


def _registers(what: str) -> int:
    """Return how many registers a list has, as ``{r4, r5-r7, lr}``."""
    names = what[what.index("{") + 1 : what.index("}")].replace(" ", "").split(",")
    ends = [[int(end[1:]) for end in name.split("-")] for name in names if "-" in name]
    return len(names) + sum(last - first for first, last in ends)


def render(results: Results) -> str:
    rows = []
    each: dict[str, list[float]] = {part: [] for part in results}
    for number, one in enumerate(next(iter(results.values()))["programs"]):
        cells = []
        for part, result in results.items():
            instructions, cycles = result["programs"][number]["counted"]
            each[part].append(cycles / instructions)
            cells.append(f"{instructions:,}; {cycles / instructions:.2f}")
        rows.append([one["program"], *cells])
    spans = " and ".join(f"{min(one):.2f} to {max(one):.2f} ({part})" for part, one in each.items())
    note = (
        f"Instructions of programs that answer one image, most of them twice, and cycles of each by a table: "
        f"{spans}. Memory is taken not to wait. {machines(results)}."
    )
    return "\n\n".join([table(["program", *results], rows), note])


if __name__ == "__main__":
    run("device_timings", PARTS, measure, render)
