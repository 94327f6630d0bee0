"""A column that has learned digits meets other pictures and learns on in the emulated chip: what for?

    python benchmarks/device_learning.py [PART ...] [--write]

Learning rate and samples are chosen on validation images for each case; test images are shown once. For
seed 0 an ATmega328P in simavr learns from every sample, and all bytes of what it has learned are compared
with the integer engine, which stands in for it with the other seeds. Needs avr-gcc and simavr.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from device import CHIPS, INSTRUCTIONS, cycles_of, make, memory_of, stack_of
from numpy.typing import NDArray
from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn.backends.c import export_c
from fspinn.backends.c.learning import learned_dump, learning_of
from fspinn.base.settings import as_plain, with_settings
from fspinn.datasets import Dataset, Split
from fspinn.learning.device import import_learned
from fspinn.lowering.post_training import quantize_readout
from fspinn.model import readout as readouts
from fspinn.model.model import Model

SEEDS = (0, 1, 2)
NETWORK, WEIGHTS = fspinn.Network.patches(8, 5, cells=3), "UQ0.4"
RATES, SAMPLES = (0.1, 0.03, 0.01), (1000, 4000)
LABELS = (100, 1000)
CHIP, TOO_SMALL, SHOWN = "atmega328p", "attiny85", 50

Images = NDArray[np.uint8]


class Case(NamedTuple):
    """What the column meets: pictures, what is done to them, and what the table calls it."""

    name: str
    change: Callable[[Images], Images]
    dataset: str = "mnist"


def with_lines(images: Images, columns: slice, value: int) -> Images:
    """Return images of which some columns are always of one value."""
    changed = images.copy()
    changed[:, :, columns] = value
    return changed


def with_rows_dead(images: Images) -> Images:
    changed = images.copy()
    changed[:, ::2] = 0
    return changed


CASES = {
    "same": Case("the same digits", lambda images: images),
    "columns": Case("every other column dead", partial(with_lines, columns=slice(0, None, 2), value=0)),
    "rows": Case("every other row dead", with_rows_dead),
    "third": Case("every third column dead", partial(with_lines, columns=slice(0, None, 3), value=0)),
    "stuck": Case("two columns stuck at white", partial(with_lines, columns=slice(10, 18, 7), value=255)),
    "inverted": Case("digits inverted", lambda images: 255 - images),
    "turned": Case("digits turned by 90 degrees", lambda images: np.rot90(images, axes=(1, 2))),
    "fashion": Case("Fashion-MNIST", lambda images: images, "fashion-mnist"),
}
PARTS = ("chips", *CASES)


def measure(part: str) -> dict[str, Any]:
    return measure_chips() if part == "chips" else measure_case(part)


def measure_chips() -> dict[str, Any]:
    """Return what a program that learns takes of each chip, if it learns what the engine does."""
    images = fspinn.datasets.load("mnist", seed=SEEDS[0]).train.images[:SHOWN]
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "out"
        export_c(column(SEEDS[0]), folder, images, learning=SAMPLES[0])
        for chip in CHIPS:
            if chip != TOO_SMALL:
                output = make(folder, f"test-{chip}")
                memory = {**memory_of(folder, output, chip), "stack": stack_of(output)}
                found[chip] = {**memory, "cycles": _cycles(output, SHOWN, chip)}
    return {"chips": found}


def measure_case(part: str) -> dict[str, Any]:
    case, ways = CASES[part], [(rate, samples) for rate in RATES for samples in SAMPLES]
    met = {seed: _met(case, seed) for seed in SEEDS}
    validation = {
        f"{rate} {samples}": [
            accuracy(_refitted(_learned(seed, data, rate, samples), data, LABELS[-1]), data.validation)
            for seed, data in met.items()
        ]
        for rate, samples in ways
    }
    rate, samples = max(ways, key=lambda way: np.mean(validation[f"{way[0]} {way[1]}"]))
    test: dict[str, dict[str, list[float]]] = {"not learned": {}, "learned": {}}
    for seed, data in met.items():
        several = {"not learned": column(seed), "learned": _learned(seed, data, rate, samples)}
        for name, model in several.items():
            if case.dataset == "mnist":
                test[name].setdefault("0", []).append(accuracy(model, data.test))
            for labels in LABELS:
                refitted = _refitted(model, data, labels)
                test[name].setdefault(str(labels), []).append(accuracy(refitted, data.test))
    cycles = on_chip(_slower(column(SEEDS[0]), rate), met[SEEDS[0]].train.images[:samples])
    chosen = {"rate": rate, "samples": samples, "cycles": cycles}
    return {"seeds": SEEDS, "validation": validation, "chosen": chosen, "test": test}


@cache
def column(seed: int) -> Model:
    """Return a column of integers that has learned digits."""
    data = fspinn.datasets.load("mnist", seed=seed)
    return fspinn.train(NETWORK, data, readout="linear", seed=seed, weights=WEIGHTS, progress=False).model


def _met(case: Case, seed: int) -> Dataset:
    data = fspinn.datasets.load(case.dataset, seed=seed)
    splits = {
        name: replace(split, images=np.ascontiguousarray(case.change(np.asarray(split.images))))
        for name in ("train", "validation", "test")
        for split in (getattr(data, name),)
    }
    return replace(data, **splits)


def _slower(model: Model, rate: float) -> Model:
    """Return a model that learns on at another rate at first."""
    learner = with_settings(fspinn.Stdp(), {"learning_rate": rate})
    return replace(model, record={**model.record, "learner": as_plain(learner)})


def _learned(seed: int, data: Dataset, rate: float, samples: int) -> Model:
    """Return what comes home after the first training images, without their labels."""
    model = _slower(column(seed), rate)
    learning = learning_of(model, samples)
    dump = learned_dump(learning, data.train.images[:samples], seed)
    return import_learned(dump, model)


def _refitted(model: Model, data: Dataset, labels: int) -> Model:
    """Return a model whose readout is fitted to training images that are drawn, and their labels."""
    drawn = readouts.labelled_images(len(data.train), labels, seed=data.seed)
    images, known = data.train.images[drawn], data.train.labels[drawn]
    counts = fspinn.predict(model, images).spike_counts
    neurons = model.network.features
    readout = readouts.fit("linear", counts, known, data.n_classes, company=False, neurons=neurons)
    return quantize_readout(replace(model, readout=readout))[0]


def accuracy(model: Model, split: Split) -> float:
    """Return how many of the images are answered with their class, by its number (%)."""
    return 100 * float(np.mean(fspinn.predict(model, split.images).classes == split.labels))


def on_chip(model: Model, images: Images) -> int:
    """Let an ATmega328P learn from images, to the same bytes as the engine; return its cycles for each."""
    seed, learning = SEEDS[0], learning_of(model, len(images))
    dump = learned_dump(learning, images, seed)
    counts = (np.array([count], "<u4").tobytes() for count in (0, len(images)))  # answered, learned from
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "out"
        export_c(model, folder, images[:1], seed=seed, learning=len(images))
        (folder / "test" / "samples.bin").write_bytes(b"".join([*counts, images.tobytes(), dump]))
        return _cycles(make(folder, f"test-{CHIP}"), len(images), CHIP)


def _cycles(output: str, samples: int, chip: str) -> int:
    """Return the cycles that learning from a sample took."""
    if f"learned from {samples} samples\n" not in output:
        raise SystemExit("the chip has not learned what the integer engine does")
    return cycles_of(output, chip, "to learn from an image")


def render(results: Results) -> str:
    of_cases = {part: result for part, result in results.items() if part != "chips"}
    return f"{_chips(results['chips'])}\n\n{_cases(of_cases)}"


def _chips(result: dict[str, Any]) -> str:
    rows = []
    for chip, found in result["chips"].items():
        name, clock_mhz = CHIPS[chip]
        memory = [f"{found[key]:,} B" for key in ("flash", "ram", "stack")]
        cycles = found["cycles"]
        time = f"{cycles:,} cycles, {cycles / clock_mhz / 1000:.3g} ms at {clock_mhz} MHz"
        rows.append([name, *memory, time])
    note = (
        f"The column below that learns on from {SHOWN} digits, 4 positions of each; every byte of what it "
        "has learned is the engine's. The image, 784 bytes, is the caller's; an ATtiny85 has no RAM for it. "
        f"{INSTRUCTIONS}"
    )
    head = ["chip", "flash", "RAM", "of which stack", "to learn from an image"]
    return f"{table(head, rows)}\n\n{note}"


def _cases(results: Results) -> str:
    head = ["what the column meets", "readout as fitted", *(f"fitted to {n:,} labels" for n in LABELS)]
    rows = []
    for part, result in results.items():
        not_learned, learned = result["test"]["not learned"], result["test"]["learned"]
        cells = [
            f"{spread(not_learned[n], '{:.1f}')} → {spread(learned[n], '{:.1f}')}" if n in learned else ""
            for n in ("0", *map(str, LABELS))
        ]
        rate, samples, cycles = (result["chosen"][key] for key in ("rate", "samples", "cycles"))
        rows.append([CASES[part].name, *cells, f"{samples:,} at {rate:g}", f"{cycles:,}"])
    note = (
        "Accuracy on all 10,000 test images (%), without → with learning on the device: a column of 8 "
        f"neurons (5 x 5, 3 x 3 cells, weights {WEIGHTS}, readout of 8 bits) that has learned the digits of "
        "MNIST learns on from changed training images, without labels. On the device its readout stays as "
        "it was fitted to 50,000 digits as they were. At home it is fitted again, with learning and "
        "without, to as many labelled changed images as the column says, drawn at random. Learning rate at "
        f"first and samples are those of {', '.join(map(str, RATES))} and "
        f"{', '.join(f'{n:,}' for n in SAMPLES)} that are best on the validation images with "
        f"{LABELS[-1]:,} labels. Mean ± standard deviation over seeds {seeds(results)}; for seed {SEEDS[0]} "
        "an ATmega328P in simavr learned from all samples, and every byte was the integer engine's, which "
        f"learned and answered in its place otherwise. {machines(results)}."
    )
    return "\n\n".join([table([*head, "samples, rate", "cycles a sample"], rows), note])


if __name__ == "__main__":
    run("device_learning", PARTS, measure, render)
