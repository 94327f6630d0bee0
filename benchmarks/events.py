"""Recordings of an event camera: columns that see events, beside what counted events alone tell.

    python benchmarks/events.py [PART ...] [--write]

The 1,100 recordings of `nmnist_small.npz` are split anew by each seed: 880 to learn from, 220 to report on.
Settings were chosen on 176 of the 880, with networks that learned from the other 704.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
from tables import Results, machines, measured_on, run, seeds, spread, table

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.base.randomness import TEST_SPLIT, permutation, stream_key
from fspinn.datasets import Dataset, Recordings, Split
from fspinn.memmodel import Size, memory_bits
from fspinn.network import Events
from fspinn.search.linear import linear_classifiers

FILE = "nmnist/nmnist_small.npz"
TESTED, HELD_OUT = 220, 176
SEEDS = (0, 1, 2)
WEIGHTS, STATE, READOUTS = "UQ0.3", "8 bits", ("Q1.2", "Q1.3")
LINEAR_BITS = (2, 3, 4, 5, 6, 8)
LINEAR, MEAN = "linear classifier on frames", "nearest class mean of frames"
PARTS = ("nmnist",)

SIZES = ((4, 5, 2), (8, 5, 2), (16, 4, 2), (8, 4, 1), (16, 4, 1))
"""Neurons, cells and stride of the columns in the table."""


def network_of(neurons: int, cells: int, stride: int) -> fspinn.Network:
    """Return a column that sees 300 ms, three saccades, in steps of 10 ms."""
    return fspinn.Network.patches(
        neurons, cells=cells, stride=stride, encoder=Events(), dt_ms=10.0, duration_ms=300.0
    )


def split_by(seed: int) -> tuple[Split, Split, Split]:
    """Return recordings to learn from, to choose by and to report on, of all that the file holds."""
    data = fspinn.datasets.load(Path(os.environ["FSPINN_DATA_DIR"]) / FILE, validation=0)
    whole = together(data.train, data.test)
    order = permutation(stream_key(seed, TEST_SPLIT), len(whole))
    test, chosen_by, learned_from = np.split(order, [TESTED, TESTED + HELD_OUT])
    return whole.part(np.sort(learned_from)), whole.part(np.sort(chosen_by)), whole.part(np.sort(test))


def together(*parts: Split) -> Split:
    images: list[Any] = [part.images for part in parts]
    x, y, p, t_us = (
        np.concatenate([getattr(one, name) for one in images]) for name in ("x", "y", "p", "t_us")
    )
    counts = np.concatenate([np.diff(one.offsets) for one in images])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    recordings = Recordings(x, y, p, t_us, offsets, images[0].height, images[0].width)
    return Split(recordings, np.concatenate([part.labels for part in parts]), parts[0].class_names)


def measure(part: str) -> dict[str, Any]:
    found: dict[str, dict[str, list[float]]] = {}

    def note(name: str, split: str, accuracy: float, memory: float | None = None) -> None:
        kept = found.setdefault(name, {})
        kept.setdefault(split, []).append(100 * accuracy)
        if memory is not None and split == "test":
            kept.setdefault("memory", []).append(memory / 8192)

    best_bits = {}
    for seed in SEEDS:
        learned_from, chosen_by, test = split_by(seed)
        for split, shown, asked in (
            ("validation", learned_from, chosen_by),
            ("test", together(learned_from, chosen_by), test),
        ):
            data = measured_on(shown, asked, seed)
            note(MEAN, split, nearest_mean(data))
            several = {one.weight_bits: one for one in linear_classifiers(data, LINEAR_BITS)}
            if split == "validation":
                best_bits[seed] = max(several, key=lambda bits: (several[bits].accuracy, -bits))
            linear = several[best_bits[seed]]
            note(LINEAR, split, linear.accuracy, linear.memory_bits)
            for size in SIZES:
                for readout, (accuracy, memory) in column(data, size, seed).items():
                    note(_name(size, readout), split, accuracy, memory)
    return {"seeds": SEEDS, "found": found, "linear_bits": list(best_bits.values())}


def nearest_mean(data: Dataset) -> float:
    """Return how often the mean of the frames of the true class is the nearest one."""
    train, asked = (
        part.images.frames().reshape(len(part), -1).astype(float) for part in (data.train, data.test)
    )
    means = np.stack([train[data.train.labels == number].mean(axis=0) for number in range(data.n_classes)])
    distances = (means**2).sum(axis=1) - 2 * asked @ means.T
    return float(np.mean(distances.argmin(axis=1) == data.test.labels))


def column(data: Dataset, size: tuple[int, int, int], seed: int) -> dict[str, tuple[float, float]]:
    """Return accuracy and bits of memory of a column, by the format of its readout."""
    model = fspinn.train(network_of(*size), data, readout="linear", seed=seed, progress=False).model
    compiler, found = Compiler(data, seed, None), {}
    for readout in READOUTS:
        small = compiler.compile(model, Lowering(WEIGHTS, STATE, readout=readout))
        bits = memory_bits(Size.of(small), training=False)
        found[readout] = fspinn.evaluate(small, data.test, seed=seed).accuracy, bits
    return found


def _name(size: tuple[int, int, int], readout: str) -> str:
    neurons, cells, stride = size
    return f"{neurons} neurons, {cells} x {cells} cells, stride {stride}; {WEIGHTS}, {STATE}, {readout}"


def render(results: Results) -> str:
    (result,) = results.values()
    found = result["found"]
    head = ["", "memory (KiB)", "validation (%)", "test (%)"]
    rows = [
        [name, *(spread(kept[split]) if split in kept else "" for split in ("memory", "validation", "test"))]
        for name, kept in found.items()
    ]
    return "\n\n".join([table(head, rows), _how(result["linear_bits"], results), f"{machines(results)}."])


def _how(linear_bits: list[int], results: Results) -> str:
    bits = ", ".join(map(str, linear_bits))
    return (
        f"1,100 recordings, split anew by each seed: {TESTED} to test; of the others {HELD_OUT} to choose "
        "by, and all of them to learn from before the test. Networks see 300 ms in steps of 10 ms, fields of "
        "5 x 5, inhibition `first`; one pass without labels, the readout `linear` with its rounding in the "
        "loop. Memory is all that a device needs to answer events as they come: the potentials of all "
        "positions at once, and for each input a bit whether it has spiked in this time step. Frames are "
        f"counts of events; the linear classifier on them has its best bits by validation ({bits}), and no "
        "counters, as each event can be added when it comes. Mean ± standard deviation over seeds "
        f"{seeds(results)}."
    )


if __name__ == "__main__":
    run("events", PARTS, measure, render)
