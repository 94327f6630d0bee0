"""What does a column take of an iCE40? Cells, RAM blocks, clock and cycles of exported cores.

    python benchmarks/fpga.py [PART ...] [--write]

Needs verilator, yosys and nextpnr-ice40. Each core is simulated on test images, and every output spike and
class compared with the integer engine; the program ends with an error where one differs. Numbers of the
preset `fpga-ice40up5k` were fitted to the parts in `FITTED`, and to no other.
"""

import os
import re
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from device import make
from numpy.typing import NDArray
from tables import Results, machines, run, table

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.answering.predict import predict
from fspinn.backends.verilog import export_verilog
from fspinn.datasets import Dataset
from fspinn.memmodel import LayerSize, Size, Workload, estimate, load_hardware
from fspinn.model.activity import Activity
from fspinn.model.model import Model


@dataclass(frozen=True)
class Core:
    """A column and its formats."""

    images: str
    neurons: int
    field: int | tuple[int, int]
    cells: int | tuple[int, int]
    weights: str
    readout: str
    state: str = "10 bits"
    stride: int = 1
    labels: str = "linear"


MAIN = "mnist-16"
FITTED = {
    "mnist-8": Core("mnist", 8, 5, 3, "UQ0.2", "Q1.3"),
    "mnist-32": Core("mnist", 32, 5, 2, "UQ0.4", "Q1.4", state="12 bits"),
    "mnist-12": Core("mnist", 12, 7, 2, "UQ0.3", "Q1.2"),
    "mnist-24": Core("mnist", 24, 3, 4, "UQ0.1", "Q1.3", state="9 bits"),
    "digits-8": Core("digits", 8, 3, 2, "UQ0.3", "Q1.5", state="12 bits"),
    "fashion-6": Core("fashion-mnist", 6, 4, 5, "UQ0.4", "UQ0.8", stride=2, labels="proportion"),
    "heartbeats-16": Core("heartbeats", 16, (1, 24), (1, 4), "UQ0.3", "Q1.3", stride=2),
    "colours-16": Core("colours", 16, 3, 3, "UQ0.3", "Q1.2"),
}
CHECKED = {
    MAIN: Core("mnist", 16, 5, 3, "UQ0.3", "Q1.3"),
    "mnist-20": Core("mnist", 20, 6, 3, "UQ0.3", "Q1.2", stride=2),
    "mnist-64": Core("mnist", 64, 4, 2, "UQ0.2", "Q1.4"),
    "fashion-10": Core("fashion-mnist", 10, 5, 4, "UQ0.5", "Q1.5", state="11 bits"),
    "fashion-40": Core("fashion-mnist", 40, (3, 7), 3, "UQ0.3", "Q1.3"),
    "heartbeats-24": Core("heartbeats", 24, (1, 16), (1, 3), "UQ0.2", "Q1.4"),
    "colours-10": Core("colours", 10, 5, 2, "UQ0.2", "Q1.3"),
    "both-16": Core("both", 16, 5, 3, "UQ0.3", "Q1.3"),
}
CORES = {**FITTED, **CHECKED}
PARTS = tuple(CORES)
SEED, LEARNED_FROM, SHOWN, IMAGES = 0, 5000, 100, 1000
HARDWARE = "fpga-ice40up5k"
CHIPS = {"up5k": "iCE40 UP5K", "hx8k": "iCE40 HX8K"}


def data_of(images: str) -> Dataset:
    folder = os.environ["FSPINN_DATA_DIR"]
    if images == "heartbeats":
        data = fspinn.datasets.load(f"{folder}/ecg/mitbih_beats_aami.npz", seed=SEED)
        # A core takes no features beside the signal.
        signals = {
            name: replace(getattr(data, name), features=None, feature_names=None)
            for name in ("train", "validation", "test")
        }
        return replace(data, **signals, feature_names=())
    if images == "colours":
        return fspinn.datasets.load(f"{folder}/cifar10/cifar10_jpeg_bytes.npz", validation=10_000, seed=SEED)
    if images == "both":
        return _both()
    return fspinn.datasets.load(images, seed=SEED)


def _both() -> Dataset:
    """Return MNIST and Fashion-MNIST as one data set of 20 classes, an image of each in turn."""
    several = [fspinn.datasets.load(name, seed=SEED) for name in ("mnist", "fashion-mnist")]

    def joined(part: str, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
        splits = [getattr(data, part).first(count // 2) for data in several]
        images = np.stack([split.images for split in splits], axis=1)
        labels = np.stack([split.labels + 10 * number for number, split in enumerate(splits)], axis=1)
        return images.reshape(count, *images.shape[2:]), labels.reshape(count)

    return Dataset.from_arrays(*joined("train", LEARNED_FROM), test=joined("test", SHOWN), validation=0)


def column(part: str) -> tuple[Model, Dataset]:
    """Return a column in integers, the main one of all training images, and its data set."""
    core = CORES[part]
    data = data_of(core.images)
    if part != MAIN:
        data = replace(data, train=data.train.first(LEARNED_FROM))
    network = fspinn.Network.patches(core.neurons, core.field, stride=core.stride, cells=core.cells)
    model = fspinn.train(network, data, readout=core.labels, seed=SEED, progress=False).model
    how = Lowering(core.weights, core.state, readout=core.readout)
    return Compiler(data, SEED, None).compile(model, how), data


def measure(part: str) -> dict[str, Any]:
    model, data = column(part)
    images = np.asarray(data.test.images[: IMAGES if part == MAIN else SHOWN])
    found: dict[str, Any] = {"size": asdict(Size.of(model)), "images": len(images)}
    if part == MAIN:
        found["accuracies"] = {
            split: 100 * fspinn.evaluate(model, getattr(data, split), seed=SEED).accuracy
            for split in ("validation", "test")
        }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "core"
        export_verilog(model, folder, images, seed=SEED)
        found |= simulated(make(folder, "sim"), part)
        found["placed"] = {}
        for chip in CHIPS if part == MAIN else ("up5k",):
            make(folder, f"{chip}.report")
            found["placed"][chip] = placed((folder / f"{chip}.report").read_text("utf-8"))
    (activity,) = predict(model, images, seed=SEED).activity
    return {**found, "activity": activity.as_dict()}


def simulated(output: str, part: str) -> dict[str, Any]:
    """Return what a testbench prints."""
    spikes = re.search(r"(\d+) output spikes: 0 spikes and 0 classes differ", output)
    cycles = re.search(r"^cycles ([\d.]+), at most (\d+)$", output, re.M)
    if spikes is None or cycles is None:
        raise SystemExit(f"{part}: answers are not those of the integer engine")
    return {"spikes": int(spikes[1]), "cycles": float(cycles[1]), "most": int(cycles[2])}


def placed(report: str) -> dict[str, Any]:
    """Return logic cells and RAM blocks, used and there, and the clock, as nextpnr reports them."""
    used: dict[str, Any] = {
        name: [int(count) for count in re.findall(rf"ICESTORM_{key}: +(\d+)/ *(\d+)", report)[-1]]
        for name, key in (("cells", "LC"), ("blocks", "RAM"))
    }
    clock = re.findall(r"Max frequency for clock .*?: ([\d.]+) MHz", report)[-1]
    return {**used, "clock_mhz": float(clock)}


def estimated(result: dict[str, Any]) -> dict[str, Any]:
    """Return cells, RAM blocks and cycles by the cost model, of what was measured."""
    size = dict(result["size"])
    layers = tuple(LayerSize(**layer) for layer in size.pop("layers"))
    work = (Workload.counted(Activity(**result["activity"])),)
    one = estimate(Size(layers, **size), HARDWARE, {"inference": work})
    needed = {name: one.capacity["inference"][name].needed for name in ("logic_cells", "ram_blocks")}
    return {
        "cells": needed["logic_cells"],
        "blocks": needed["ram_blocks"],
        "cycles": one.latency["inference"]["total"],
    }


def render(results: Results) -> str:
    main, blocks = results.get(MAIN), []
    if main is not None:
        blocks += _main(main)
    blocks += _rows(results)
    tools = "Yosys 0.23, nextpnr 0.4 and Verilator 5.006, as Debian 12 has them, without constraints on pins"
    return "\n\n".join([*blocks, f"{tools}. {machines(results)}."])


def _main(result: dict[str, Any]) -> list[str]:
    core, one = CORES[MAIN], estimated(result)
    share = result["accuracies"]
    rows = [
        [
            CHIPS[chip],
            *(f"{used:,} of {there:,}" for used, there in (found["cells"], found["blocks"])),
            f"{found['clock_mhz']:.1f} MHz",
            f"{result['cycles'] / found['clock_mhz']:.0f} us",
            f"{found['clock_mhz'] * 1e6 / result['cycles']:,.0f}",
        ]
        for chip, found in result["placed"].items()
    ]
    clock = load_hardware(HARDWARE).clock.f_mhz
    rows.append(
        [
            f"`{HARDWARE}` (the cost model)",
            f"{one['cells']:,}",
            f"{one['blocks']}",
            f"{clock:g} MHz",
            f"{one['cycles'] / clock:.0f} us",
            f"{clock * 1e6 / one['cycles']:,.0f}",
        ]
    )
    rows.append(["Spiker+, a Xilinx FPGA, as published", "7,612", "18", "", "780 us", "1,282"])
    head = ["FPGA", "logic cells", "RAM blocks", "clock", "an image", "images a second"]
    text = (
        f"A column of {core.neurons} neurons for MNIST with a field of 5 x 5 and 3 x 3 cells, weights "
        f"{core.weights}, a state of {core.state} and a readout {core.readout} answers "
        f"{share['test']:.2f} % of the 10,000 test images ({share['validation']:.2f} % of the validation "
        f"images, seed {SEED}). The core spikes and answers as the integer engine does on "
        f"{result['images']:,} of them ({result['spikes']:,} output spikes), in {result['cycles']:,.0f} "
        f"cycles an image, {result['most']:,} at most; the cost model says {one['cycles']:,}."
    )
    other = (
        "The clock is what nextpnr's timing gives for one placement, and images come as fast as the core "
        "takes them: no core was measured on a board. Spiker+ (arXiv 2401.01141) answers 93.85 % of MNIST "
        "with a dense network, 784-128-10 (remembered, not verified), which learned from labels by gradients "
        "and takes 180 mW; here the column learned without labels, the readout from those of 50,000 images, "
        "and each pixel spikes once. Blocks of an iCE40 have 4 Kbit, those of Xilinx 36 (remembered), and "
        "logic cells of both are not alike."
    )
    return [text, table(head, rows), other]


def _rows(results: Results) -> list[str]:
    rows = []
    for part, result in results.items():
        one, found = estimated(result), result["placed"]["up5k"]
        (layer,) = result["size"]["layers"]
        pairs = (
            (found["cells"][0], one["cells"]),
            (found["blocks"][0], one["blocks"]),
            (round(result["cycles"]), one["cycles"]),
        )
        rows.append(
            [
                "fitted" if part in FITTED else "held out",
                f"{part}: {layer['n_inputs']} inputs, {layer['weight_bits']} bits, {layer['cells']} cells",
                *(f"{there:,} / {said:,} ({100 * (said / there - 1):+.1f} %)" for there, said in pairs),
                f"{found['clock_mhz']:.1f} MHz",
            ]
        )
    text = (
        f"Measured / estimated by `{HARDWARE}`: logic cells and RAM blocks by nextpnr, cycles an image by "
        f"Verilator, on {SHOWN} test images ({IMAGES:,} of {MAIN}). Cells were fitted to the rows "
        "marked so, which therefore show nothing of them; cycles and RAM blocks were fitted to none, but "
        "that bits of weights that never change take no RAM block was found in these rows."
    )
    head = ["", "column", "logic cells", "RAM blocks", "cycles", "clock"]
    return [text, table(head, rows)]


if __name__ == "__main__":
    run("fpga", PARTS, measure, render)
