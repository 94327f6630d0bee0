"""Does the cost model know how long networks other than columns take on microcontrollers? Programs, emulated.

    python benchmarks/device_programs.py [PART ...] [--write]

Needs the compilers and emulators of docs/device.md. The cycles in [program] of the presets were fitted to
those programs that are marked; all others only check them. The table says what such a fit finds.
"""

import math
import os
import tempfile
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from colour import PICTURES
from device import INSTRUCTIONS, cycles_of, make
from device_costs import CHIPS, percent_off
from events import FILE as RECORDINGS
from heartbeats import FILE as BEATS
from scipy.optimize import nnls
from tables import Results, machines, run, table

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.backends.c import export_c
from fspinn.backends.c.classifier import export_classifier
from fspinn.datasets import Dataset
from fspinn.memmodel import Size, estimate, hardware, load_hardware
from fspinn.memmodel.dense import DenseLayer, dense_cost
from fspinn.memmodel.program_cycles import program_counts
from fspinn.memmodel.workload import Workload
from fspinn.model.linear import LinearClassifier
from fspinn.model.model import Model
from fspinn.network import (
    Clamp,
    Delta,
    Encoder,
    Events,
    First,
    FirstSpike,
    Fixed,
    Inhibition,
    InhibitoryLayer,
    Lateral,
    Layer,
    Level,
    LevelDelta,
    Network,
    Neuron,
    NoInhibition,
    OnOff,
    Poisson,
    Ranked,
    Regular,
    Stdp,
    Surrogate,
    Unscaled,
)
from fspinn.search.linear import linear_classifiers

LEARNED, HELD_OUT, SEED = 1500, 200, 0
SHOWN = {"digits": 10, "heartbeats": 10, "n-mnist": 3}
"""Samples that a chip answers; of other images five."""

STATE, READOUT = "12 bits", "Q1.3"
OF_TEST = 200
"""Bytes of RAM that the test program takes beside a sample that it holds as a whole, at most."""

patches = Network.patches


class Program(NamedTuple):
    """What is exported, and whether cycles were fitted to it."""

    name: str
    network: Network
    weights: str = "UQ0.2"
    fitted: bool = False
    prune: bool = False

    @property
    def learner(self) -> Stdp | Surrogate:
        by_labels = isinstance(self.network.layers[-1].inhibition, NoInhibition)
        return Surrogate() if by_labels else Stdp()


def dense(neurons: int, inhibition: Inhibition, duration_ms: float, encoder: Encoder) -> Network:
    return Network.dense(neurons, inhibition=inhibition, duration_ms=duration_ms, encoder=encoder)


def of_labels(network: Network) -> Network:
    """Return a network of the same sizes that learns from labels."""
    layers = tuple(replace(one, inhibition=NoInhibition(), adaptation=Fixed()) for one in network.layers)
    return replace(network, layers=layers)


def free(neurons: int, encoder: Encoder, duration_ms: float) -> Network:
    """Return a dense layer without inhibition."""
    neuron = Neuron(threshold=1.0, tau_m_ms=20.0)
    return of_labels(Network.dense(neurons, encoder=encoder, neuron=neuron, duration_ms=duration_ms))


def below(network: Network, layer: Layer) -> Network:
    return replace(network, layers=(*network.layers, layer))


def events(neurons: int, field: int, stride: int, cells: int, dt_ms: float, neuron: Neuron) -> Network:
    shape: dict[str, Any] = {"stride": stride, "cells": cells, "neuron": neuron, "dt_ms": dt_ms}
    return patches(neurons, field, encoder=Events(), duration_ms=300.0, **shape)


def free_events(neurons: int) -> Network:
    """Return a dense layer without inhibition that sees events."""
    return replace(free(neurons, Events(), 300.0), dt_ms=20.0)


WHITE, STRONG = FirstSpike(relative_to="white"), Poisson(4000.0)
STEADY, LEAKY = Neuron(threshold=2.0, tau_m_ms=None), Neuron(threshold=2.0, tau_m_ms=20.0)
OUTPUT = Layer(10, neuron=Neuron(threshold=1.0, tau_m_ms=20.0), inhibition=NoInhibition(), adaptation=Fixed())
RANKED = Layer(12, neuron=STEADY, inhibition=Ranked())
FIELD = Layer(12, (3, 3), cells=(2, 2), neuron=STEADY, inhibition=First())

PARTS: dict[str, tuple[Program, ...]] = {
    "digits": (
        Program("dense, poisson, lateral", dense(10, Lateral(), 350.0, Poisson()), "UQ0.3", fitted=True),
        Program("dense, poisson, lateral", dense(24, Lateral(), 100.0, Poisson()), "UQ0.4"),
        Program("dense, poisson, lateral", dense(48, Lateral(), 64.0, Poisson()), fitted=True),
        Program("dense, poisson, clamp", dense(16, Clamp(), 100.0, Poisson())),
        Program("dense, poisson, layer", dense(12, InhibitoryLayer(), 100.0, Poisson())),
        Program("dense, poisson, lateral", dense(10, Lateral(), 8.0, STRONG), fitted=True),
        Program("dense, poisson, lateral, pruned", dense(16, Lateral(), 100.0, Poisson()), prune=True),
        Program("dense, regular, lateral", dense(16, Lateral(), 100.0, Regular()), "UQ0.4", fitted=True),
        Program("dense, regular, lateral", dense(10, Lateral(), 8.0, Regular(4000.0)), fitted=True),
        Program("dense, regular, lateral", dense(10, Lateral(), 350.0, Regular())),
        Program("dense, 30 brightest, none", free(16, FirstSpike(30), 16.0), "Q1.2", fitted=True),
        Program("dense, unscaled, none", free(16, Unscaled(200.0), 25.0), "Q1.2", fitted=True),
        Program("dense, unscaled, none", free(10, Unscaled(100.0), 50.0), "Q1.2"),
        Program("dense, ttfs, none", free(32, WHITE, 16.0), "Q1.3", fitted=True),
        Program("dense, ttfs, none; none", below(free(20, WHITE, 16.0), OUTPUT), "Q1.2"),
        Program("leak", patches(16, 3, neuron=LEAKY), "UQ0.3", fitted=True),
        Program("leak", patches(8, 5, neuron=LEAKY, cells=2)),
        Program("leak", patches(32, 3, neuron=LEAKY, cells=2)),
        Program("leak", patches(4, 3, neuron=LEAKY, duration_ms=16.0), "UQ0.4", fitted=True),
        Program("lateral", patches(12, 4, inhibition=Lateral(), neuron=LEAKY), fitted=True),
        Program("lateral", patches(6, 3, inhibition=Lateral())),
        Program("ranked", patches(12, 3, inhibition=Ranked()), fitted=True),
        Program("clamp, leak", patches(8, 3, inhibition=Clamp(2.0), neuron=LEAKY)),
        Program("layer, leak", patches(8, 3, inhibition=InhibitoryLayer(), neuron=LEAKY), fitted=True),
        Program("none", of_labels(patches(8, 3)), "Q1.2", fitted=True),
        Program("none; none", of_labels(below(patches(8, 3), OUTPUT)), "Q1.2", fitted=True),
        Program("poisson, leak", patches(8, 3, encoder=STRONG, duration_ms=16.0, neuron=LEAKY)),
        Program(
            "regular, lateral",
            patches(8, 4, encoder=Regular(4000.0), duration_ms=16.0, inhibition=Lateral()),
        ),
        Program("10 brightest", patches(10, 3, encoder=FirstSpike(10))),
        Program("ON and OFF", patches(8, 3, contrast=OnOff()), fitted=True),
        Program("ON and OFF, leak", patches(8, 3, contrast=OnOff(radius=1), neuron=LEAKY)),
        Program("column; ranked", below(patches(12, 3), RANKED), "UQ0.3"),
        Program("column; lateral", below(patches(6, 3), replace(RANKED, inhibition=Lateral()))),
    ),
    "mnist": (
        Program("leak", patches(8, 5, neuron=LEAKY)),
        Program("leak", patches(16, 7, stride=3, neuron=LEAKY), "UQ0.4", fitted=True),
        Program("brightest", patches(12, 5, encoder=FirstSpike())),
        Program("100 brightest", patches(12, 5, encoder=FirstSpike(100)), fitted=True),
        Program("lateral", patches(8, 5, stride=2, inhibition=Lateral())),
        Program("ranked", patches(8, 5, stride=2, inhibition=Ranked()), fitted=True),
        Program("unscaled", patches(8, 5, stride=2, encoder=Unscaled(250.0)), fitted=True),
        Program("regular", patches(8, 5, stride=3, encoder=Regular(4000.0)), fitted=True),
        Program("none", of_labels(patches(6, 5, stride=2)), "Q1.2"),
        Program("dense, unscaled, none", free(10, Unscaled(200.0), 25.0), "Q1.2", fitted=True),
        Program("dense, ttfs, none", free(16, WHITE, 16.0), "Q1.2", fitted=True),
        Program("dense, 100 brightest, none", free(10, FirstSpike(100), 8.0), "Q1.2"),
        Program("dense, poisson, lateral", dense(20, Lateral(), 50.0, Poisson())),
        Program("dense, poisson, lateral, pruned", dense(20, Lateral(), 50.0, Poisson()), prune=True),
        Program("dense, regular, lateral", dense(10, Lateral(), 50.0, Regular()), fitted=True),
        Program("ON and OFF", patches(8, 5, contrast=OnOff())),
        Program("ON and OFF", patches(16, 5, stride=2, contrast=OnOff()), "UQ0.3", fitted=True),
        Program("blocks of 2 x 2, leak", patches(8, 3, pool=2, neuron=LEAKY)),
        Program("blocks of 2 x 2, ON and OFF", patches(8, 3, pool=2, contrast=OnOff())),
        Program("column; ranked", below(patches(8, 5, cells=4), RANKED)),
        Program(
            "column; field", below(patches(8, 5, cells=6), Layer(12, (3, 3), 1, (2, 2), STEADY, First()))
        ),
    ),
    "fashion-mnist": (
        Program("leak", patches(8, 4, stride=2, neuron=LEAKY), "UQ0.3", fitted=True),
        Program("lateral", patches(16, 5, stride=3, inhibition=Lateral()), "UQ0.3", fitted=True),
        Program("unscaled", patches(12, 4, stride=3, encoder=Unscaled(250.0)), "UQ0.3"),
        Program("ON and OFF", patches(12, 4, stride=2, contrast=OnOff(radius=1)), fitted=True),
        Program("column; ranked", below(patches(8, 5, stride=2), replace(RANKED, neurons=20))),
    ),
    "heartbeats": (
        Program("level", patches(8, (1, 25), cells=1, contrast=Level()), fitted=True),
        Program("level", patches(16, (1, 17), stride=2, cells=(1, 4), contrast=Level())),
        Program("ON and OFF", patches(8, (1, 25), cells=(1, 4), contrast=OnOff()), fitted=True),
        Program("ON and OFF", patches(12, (1, 13), cells=(1, 4), contrast=OnOff(radius=4))),
        Program("leak", patches(8, (1, 15), cells=(1, 4), neuron=LEAKY)),
        Program("delta", patches(8, (1, 25), cells=(1, 4), contrast=Delta()), "UQ0.3", fitted=True),
        Program("level and delta", patches(12, (1, 13), cells=(1, 4), contrast=LevelDelta()), "UQ0.3"),
    ),
    "cifar10": (
        Program("ON and OFF of colours", patches(8, 5, stride=3, contrast=OnOff(of="colours"))),
        Program("ON and OFF", patches(6, 3, stride=4, contrast=OnOff()), "UQ0.3"),
    ),
    "n-mnist": (
        Program("events", events(4, 5, 3, 4, 10.0, STEADY), "UQ0.3", fitted=True),
        Program("events", events(8, 5, 2, 4, 10.0, STEADY), "UQ0.3"),
        Program("events", events(3, 7, 3, 3, 10.0, STEADY)),
        Program("events", events(6, 3, 4, 3, 20.0, STEADY), fitted=True),
        Program("dense, events, none", free_events(12), "Q1.2", fitted=True),
        Program("dense, events, none", free_events(30), "Q1.2"),
        Program("events, leak", events(4, 5, 4, 3, 20.0, Neuron(threshold=2.0, tau_m_ms=50.0)), "UQ0.3"),
    ),
}
"""Programs for each set of samples; where nothing is said of a field's encoder, contrast and inhibition, they
are those of a column. A layer after a semicolon sees the one before it."""


LINEAR = "linear"
IMAGES = {"digits": True, "mnist": False, "fashion-mnist": True}
"""What linear classifiers see, and whether cycles were fitted to them."""

LINEAR_BITS = (2, 3, 4, 8)


def measure(part: str) -> dict[str, Any]:
    if part == LINEAR:
        return {"programs": [one for images in IMAGES for one in _linear(images)]}
    data, found = data_of(part), []
    for program in PARTS[part]:
        found.append(
            {"program": _in_words(program), "fitted": program.fitted, **compared(program, part, data)}
        )
        print(part, found[-1]["program"], found[-1]["cycles"], flush=True)
    return {"programs": found}


def _in_words(program: Program) -> str:
    """Return what is exported, with its sizes and the weights of its first layer."""
    network = program.network
    layers = [f"{layer.neurons} neurons" for layer in network.layers]
    if (field := network.layers[0].field) is not None:
        layers[0] += f", {field[0]} x {field[1]}, stride {network.layers[0].stride}"
    return f"{program.name}: {'; '.join(layers)}; {network.steps} steps, {program.weights}"


def data_of(part: str) -> Dataset:
    folder = Path(os.environ["FSPINN_DATA_DIR"])
    if part == "heartbeats":
        with np.load(folder / BEATS) as arrays:
            beats = [arrays[f"{of}_beats"][:LEARNED] for of in ("train", "test")]
            labels = [arrays[f"{of}_labels"][:LEARNED].astype(np.int64) for of in ("train", "test")]
        shape = (1, beats[0].shape[1])
        return Dataset.from_arrays(
            beats[0], labels[0], test=(beats[1], labels[1]), shape=shape, validation=HELD_OUT, seed=SEED
        )
    if part == "cifar10":
        data = fspinn.datasets.load(folder / PICTURES, validation=HELD_OUT, seed=SEED)
        return replace(data, train=data.train.first(LEARNED))
    if part == "n-mnist":
        return fspinn.datasets.load(folder / RECORDINGS, validation=HELD_OUT // 2, seed=SEED)
    data = fspinn.datasets.load(part, seed=SEED)
    return replace(data, train=data.train.first(LEARNED), validation=data.validation.first(HELD_OUT))


def learned(program: Program, data: Dataset) -> Model:
    """Return what is exported, in integers."""
    trained = fspinn.train(
        program.network, data, learner=program.learner, readout="linear", seed=SEED, progress=False
    ).model
    how = Lowering(program.weights, STATE, readout=READOUT, prune=program.prune)
    return Compiler(data, SEED, None).compile(trained, how)


def compared(program: Program, part: str, data: Dataset) -> dict[str, Any]:
    """Return cycles of a sample on each chip, as the model says and as emulators count, and the counts."""
    model = learned(program, data)
    shown = data.test.first(SHOWN.get(part, 5))
    answered = fspinn.evaluate(model, shown, seed=SEED, threads=1)
    work = tuple(map(Workload.counted, answered.activity))
    size = Size.of(model)
    in_parts = size.kept_rows or size.kept_times or size.kept_bytes or size.layers[0].online
    held = OF_TEST + (0 if in_parts else math.prod(model.image_shape))
    found: dict[str, Any] = {"cycles": {}, "counts": _sum(program_counts(size, work))}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "out"
        export_c(model, folder, shown.images, seed=SEED)
        for preset, chip in CHIPS.items():
            said = estimate(size, preset, {"training": work, "inference": work})
            ram = said.capacity["inference"]["ram_bytes"]
            if not said.fits("inference") or ram.needed + held > (ram.available or np.inf):
                continue
            output = make(folder, f"test-{chip}")
            if "equal to the integer engine" not in output:
                raise SystemExit(f"{program.name}: answers are not those of the integer engine")
            cycles = int(said.latency["inference"]["total"])
            found["cycles"][preset] = [cycles, cycles_of(output, chip)]
    return found


def _linear(images: str) -> Iterator[dict[str, Any]]:
    """Yield what linear classifiers on images take, as they are rounded after training."""
    data = data_of(images)
    shown = np.asarray(data.test.first(SHOWN.get(images, 5)).images)
    for found in linear_classifiers(data, LINEAR_BITS, seed=SEED):
        table, kept = found.table, (found.table.weights != 0).any(axis=1)
        inputs, classes = int(kept.sum()), table.weights.shape[1]
        active = float((shown.reshape(len(shown), -1)[:, kept] > 0).sum(axis=1).mean())
        layer = DenseLayer(inputs, classes, table.bits, active)
        cycles: dict[str, list[int]] = {}
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "out"
            export_classifier(LinearClassifier(table, data.image_shape, data.class_names), folder, shown)
            for preset, chip in CHIPS.items():
                board = load_hardware(preset)
                cost = dense_cost([layer], 0, 0, board)
                assert cost is not None
                assert cost.latency_s is not None
                output = make(folder, f"test-{chip}")
                if "equal to fspinn" not in output:
                    raise SystemExit(f"{images}: scores are not those of the classifier")
                said = round(cost.latency_s * 1e6 * board.clock.f_mhz)
                cycles[preset] = [said, cycles_of(output, chip)]
        name = f"classifier of {images}: {inputs} inputs; {table.bits} bits"
        counts = dict.fromkeys(_NAMES, 0.0) | {"entry": inputs * classes, "product": active * classes}
        print(LINEAR, name, cycles, flush=True)
        yield {"program": name, "fitted": IMAGES[images], "cycles": cycles, "counts": counts}


def _sum(counts: list[dict[str, Any]]) -> dict[str, float]:
    return {name: float(sum(one.get(name, 0) for one in counts)) for name in _NAMES}


_NAMES = tuple(field.name for field in fields(hardware.Program))


def fit(results: Results, preset: str) -> dict[str, float]:
    """Return the cycles that miss those of the marked programs least, as parts of these."""
    marked = [one for one in _all(results) if one["fitted"] and preset in one["cycles"]]
    counted = [one["cycles"][preset][1] for one in marked]
    counts = np.array([[one["counts"][name] for name in _NAMES] for one in marked])
    found, _ = nnls(counts / np.array(counted)[:, None], np.ones(len(marked)))
    return dict(zip(_NAMES, map(float, found), strict=True))


def _all(results: Results) -> list[dict[str, Any]]:
    return [one for result in results.values() for one in result["programs"]]


def render(results: Results) -> str:
    rows = []
    for part, result in results.items():
        for one in result["programs"]:
            each = []
            for preset in CHIPS:
                pair = one["cycles"].get(preset)
                each.append(
                    "too large" if pair is None else f"{pair[1] / 1e3:,.0f}; {percent_off(*pair):+.0f}"
                )
            rows.append([part, one["program"], "fitted" if one["fitted"] else "checked", *each])
    of_chips = [f"{preset} (thousands; off by %)" for preset in CHIPS]
    head = ["samples", "program", "the model was", *of_chips]
    note = (
        f"Networks that learned from {LEARNED:,} samples (seed {SEED}), with a state of {STATE} and a "
        f"readout {READOUT}, and linear classifiers: cycles of a test sample, and how far "
        "off the preset is, from spikes that were counted. "
        f"{INSTRUCTIONS} Off by at most, where programs were fitted and elsewhere, and the fit (least "
        f"squares of parts): {' '.join(_how_far_off(results, preset) for preset in CHIPS)} "
        f"{machines(results)}."
    )
    return "\n\n".join([table(head, rows), note])


def _how_far_off(results: Results, preset: str) -> str:
    off: dict[bool, list[float]] = {True: [], False: []}
    for one in _all(results):
        if preset in one["cycles"]:
            off[one["fitted"]].append(abs(percent_off(*one["cycles"][preset])))
    found = ", ".join(f"{name} {value:.3g}" for name, value in fit(results, preset).items() if value > 0)
    return (
        f"`{preset}` at most {max(off[True]):.0f} and {max(off[False]):.0f} %, on average "
        f"{np.mean(off[True]):.0f} and {np.mean(off[False]):.0f} %; {found}."
    )


if __name__ == "__main__":
    run("device_programs", (*PARTS, LINEAR), measure, render)
