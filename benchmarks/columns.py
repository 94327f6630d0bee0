"""Columns with a receptive field: accuracy within memory, and what learning brings.

    python benchmarks/columns.py [PART ...] [--write]

Sizes and formats were chosen on validation images; the test images are only reported on. The readout is
fitted on 50,000 labels, with its rounding in the loop. Learning runs on one core.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from tables import Results, kept, machines, run, seeds, spread, table
from threadpoolctl import threadpool_limits

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.backends.numba import engine
from fspinn.base.randomness import TRAINING_SPIKES
from fspinn.base.settings import with_settings
from fspinn.datasets import Dataset
from fspinn.learning.fitting import Learned, fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering.compiler import learning_plan
from fspinn.memmodel import Size, memory_bits
from fspinn.model.tensors import LayerTensors
from fspinn.network import OnOff
from fspinn.network.encoders import BatchEncoder, encoding_of, intensities
from fspinn.network.setup import Setup

SEEDS = (0, 1, 2)
LARGE = {"mnist-large": ((64, 4), (64, 5), (128, 5)), "fashion-mnist-large": ((64, 4), (128, 5))}
ON_OFF = OnOff(radius=2, gain=1)
WEIGHTS, STATE = "UQ0.3", "10 bits"

SIZES = {
    "mnist": ((8, 3), (16, 3), (16, 4), (32, 4), (64, 4), (64, 5), (128, 5)),
    "fashion-mnist": ((6, 3), (8, 3), (32, 3), (64, 4), (128, 5)),
}
READOUTS = ("Q1.1", "Q1.2", "Q1.3")
NOT_LEARNED = {"learning_rate": 0.0, "learning_rate_end": 0.0}

LEARNED = {"mnist-learning": ("mnist", 8, 3), "fashion-mnist-learning": ("fashion-mnist", 8, 3)}
POSITIONS = (1, 2, 4, 8, 16)
PARTS = (*SIZES, *LARGE, *LEARNED, "positions")
LABELS, PATCHED = 20_000, 20_000
WAYS: dict[str, dict[str, Any]] = {
    "learned": {},
    "random weights": NOT_LEARNED,
    "thresholds do not adapt": {"adaptation": "off"},
    "rule timestep": {"rule": "timestep"},
    "rule pair": {"rule": "pair"},
    "rule postonly": {"rule": "postonly"},
    "inhibition lateral": {"inhibition": "lateral"},
    "inhibition clamp": {"inhibition": "clamp"},
    "inhibition layer": {"inhibition": "layer"},
    "inhibition ranked, one answer": {"inhibition": "ranked", "answer_ms": 1.0},
    "inhibition ranked, two answers": {"inhibition": "ranked", "answer_ms": 2.0},
    "inhibition ranked, four answers": {"inhibition": "ranked", "answer_ms": 4.0},
}
"""Settings with which columns learn, by what the table calls them."""

DENSE = ("mnist-90", "mnist-95", "fashion-mnist-80")
TARGETS = {"mnist": (90, 95, 96.5, 97, 97.5, 98, 98.5), "fashion-mnist": (80, 84, 87, 88.5)}
PUBLISHED = {
    "mnist": (
        (93.54, 1.16, "2-bit 256-16-16-16-10"),
        (95.06, 1.47, "ternary 256-24-24-24-10"),
        (97.04, 3.08, "binary 256-64-64-64-10"),
        (98.92, 3.13, "convolutions, 16 wide"),
    ),
    "fashion-mnist": (),
}
"""BitNetMCU, the smallest found: test accuracy (%), KiB of weights alone, and what it is."""


def network_of(images: str, neurons: int, cells: int) -> fspinn.Network:
    network = fspinn.Network.patches(neurons, cells=cells)
    return replace(network, contrast=ON_OFF) if images == "fashion-mnist" else network


def measure_sizes(part: str) -> dict[str, Any]:
    """Of a part of `LARGE`, with all training images, as nothing is left to choose."""
    rows, images = [], part.removesuffix("-large")
    splits, held_out = (("test",), 0) if part in LARGE else (("validation", "test"), None)
    for neurons, cells in {**SIZES, **LARGE}[part]:
        found: dict[str, dict[str, list[float]]] = {}
        for seed in SEEDS:
            data = fspinn.datasets.load(images, validation=held_out, seed=seed)
            network = network_of(images, neurons, cells)
            model = fspinn.train(network, data, readout="linear", seed=seed, progress=False).model
            compiler = Compiler(data, seed, None)
            several = {"float32": model}
            for readout in READOUTS[-1:] if part in LARGE else READOUTS:
                how = Lowering(WEIGHTS, STATE, readout=readout)
                several[readout] = compiler.compile(model, how)
            for name, one in several.items():
                of_this = found.setdefault(name, {"memory": []})
                for split in splits:
                    accuracy = fspinn.evaluate(one, getattr(data, split), seed=seed).accuracy
                    of_this.setdefault(split, []).append(100 * accuracy)
                of_this["memory"].append(memory_bits(Size.of(one), training=False) / 8192)
        rows.append({"neurons": neurons, "cells": cells, "found": found})
    return {"seeds": SEEDS, "rows": rows}


def measure_learning(part: str) -> dict[str, Any]:
    images, neurons, cells = LEARNED[part]
    accuracies: dict[str, list[float]] = {}
    for seed in SEEDS:
        data = fspinn.datasets.load(images, seed=seed)
        network = network_of(images, neurons, cells)
        for name, settings in WAYS.items():
            setup = with_settings(Setup(network), settings)
            learned = learn(setup.network, data, setup.learner, seed=seed, progress=False)
            accuracies.setdefault(name, []).append(_with_some_labels(learned, data))
        for name, make in (("patches of images", _drawn), ("k-means of patches", _clustered)):
            learned = _thresholds_only(network, data, seed, make)
            accuracies.setdefault(name, []).append(_with_some_labels(learned, data))
    return {"seeds": SEEDS, "images": images, "neurons": neurons, "accuracies": accuracies}


def measure_positions(part: str) -> dict[str, Any]:
    """How many positions of an image should be learned from? On validation images, floats."""
    accuracies: dict[str, dict[int, list[float]]] = {}
    for images in SIZES:
        for seed in SEEDS:
            data = fspinn.datasets.load(images, seed=seed)
            for count in POSITIONS:
                learner = fspinn.Stdp(positions=count)
                learned = learn(network_of(images, 8, 3), data, learner, seed=seed, progress=False)
                (model,) = fit_readouts(learned, data, ["linear"], labels=LABELS)
                found = 100 * fspinn.evaluate(model, data.validation, seed=seed).accuracy
                accuracies.setdefault(images, {}).setdefault(count, []).append(found)
    return {"seeds": SEEDS, "accuracies": accuracies}


def _with_some_labels(learned: Learned, data: Dataset) -> float:
    (model,) = fit_readouts(learned, data, ["linear"], labels=LABELS)
    return 100 * fspinn.evaluate(model, data.test, seed=learned.seed).accuracy


def _thresholds_only(
    network: fspinn.Network, data: Dataset, seed: int, make: Callable[[NDArray[Any], int, int], NDArray[Any]]
) -> Learned:
    """Return a network whose weights are given, and whose thresholds learn as ever."""
    learned = learn(network, data, with_settings(fspinn.Stdp(), NOT_LEARNED), seed=seed, progress=False)
    images = np.asarray(data.train.images[:PATCHED])
    seen = intensities(images, encoding_of(network))
    weights = make(_patches(seen, seed), network.neurons, seed)
    norm = learned.network.layers[0].neuron.weight_norm or 1.0
    weights = np.minimum(norm * weights / np.linalg.norm(weights, axis=1, keepdims=True), 1.0)
    weights, theta = np.ascontiguousarray(weights.T, np.float32), np.zeros(network.neurons, np.float32)
    learner = with_settings(fspinn.Stdp(), NOT_LEARNED)
    plan = learning_plan(learned.network, learner, weights, theta, shape=data.image_shape)
    encoder, spikes = BatchEncoder(plan.encoding), 0
    for start in range(0, len(data.train), 1000):
        shown = encoder.encode(data.train.images[start : start + 1000], seed, TRAINING_SPIKES, start)
        spikes += engine.learn(plan, shown, len(data.train), spikes).activity[-1].output_spikes
    return replace(learned, layers=(LayerTensors.of_floats(weights, theta),))


def _patches(images: NDArray[np.uint8], seed: int) -> NDArray[np.float64]:
    """Return patches of 5 x 5 with something in them, one of each image, of length 1."""
    random, side = np.random.default_rng(seed), 5
    rows, columns = (random.integers(0, size - side + 1, len(images)) for size in images.shape[1:3])
    every = [image[y : y + side, x : x + side] for image, y, x in zip(images, rows, columns, strict=True)]
    flat = np.stack(every).reshape(len(images), -1).astype(np.float64)
    flat = flat[np.count_nonzero(flat, axis=1) >= fspinn.Stdp().least_spikes]
    unit: NDArray[np.float64] = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    return unit


def _drawn(patches: NDArray[Any], neurons: int, _seed: int) -> NDArray[Any]:
    return patches[:neurons]


def _clustered(patches: NDArray[Any], neurons: int, seed: int) -> NDArray[Any]:
    with threadpool_limits(1):
        found: NDArray[Any] = KMeans(neurons, n_init=1, random_state=seed).fit(patches).cluster_centers_
    return found


def measure(part: str) -> dict[str, Any]:
    if part in SIZES or part in LARGE:
        return measure_sizes(part)
    return measure_positions(part) if part == "positions" else measure_learning(part)


def render(results: Results) -> str:
    blocks = []
    sized = [part for part in (*SIZES, *LARGE) if part in results]
    if sized:
        blocks += [_sizes(results, sized), _how({images: results[images] for images in sized})]
        blocks += [_beside(results), _whose()]
    learned = [results[part] for part in LEARNED if part in results]
    if learned:
        blocks += [
            f"What learning brings: 3 x 3 cells, all in floats, the readout fitted on {LABELS:,} labels, "
            "test images. Where weights are given (patches, k-means, random), thresholds adapt as ever. "
            "Other settings are those of the first row, not tuned again.",
            _learning(learned),
        ]
    if "positions" in results:
        blocks += [
            "How many positions of each image are learned from (4 by default): 8 neurons, 3 x 3 cells, "
            f"floats, {LABELS:,} labels, validation images.",
            _positions(results["positions"]["accuracies"]),
        ]
    return "\n\n".join([*blocks, f"{machines(results)}."])


def _positions(accuracies: dict[str, dict[str, list[float]]]) -> str:
    rows = [[f"{images} (%)", *map(spread, found.values())] for images, found in accuracies.items()]
    return table(["positions", *map(str, POSITIONS)], rows)


def _sizes(results: Results, sized: list[str]) -> str:
    rows = []
    for part in sized:
        images = part.replace("-large", ", all 60,000")
        for row in results[part]["rows"]:
            for name, found in row["found"].items():
                formats = "float32" if name == "float32" else f"{WEIGHTS}, {STATE}, {name}"
                size = [images, row["neurons"], f"{row['cells']} x {row['cells']}", formats]
                figures = ("memory", "validation", "test")
                rows.append([*size, *(spread(found[name]) if name in found else "" for name in figures)])
    head = ["images", "neurons", "cells", "weights, state, readout", "memory (KiB)"]
    return table([*head, "validation (%)", "test (%)"], rows)


def _beside(results: Results) -> str:
    """What is smallest at an accuracy: these columns, and all else that is known."""
    rows, searched = [], kept("search", ("linear", *(f"{name}-dense" for name in DENSE)))
    for images, targets in TARGETS.items():
        for target in targets:
            ours = min(
                (float(np.mean(found["memory"])), float(np.mean(found["test"])))
                for part in (images, f"{images}-large")
                for row in results.get(part, {"rows": []})["rows"]
                for name, found in row["found"].items()
                if name != "float32" and np.mean(found["test"]) >= target
            )
            others = [_linear(searched, images, target), _dense(searched, images, target)]
            smallest = next((one for one in PUBLISHED[images] if one[0] >= target), None)
            published = f"{smallest[1]} ({smallest[0]} %): {smallest[2]}" if smallest else "none found"
            rows.append([images, f"{target:g}", f"{ours[0]:.2f} ({ours[1]:.2f} %)", *others, published])
    head = ["images", "test accuracy (%)", "column (KiB)", "linear classifier (KiB)", "dense layer (KiB)"]
    return table([*head, "smallest published (KiB)"], rows)


def _linear(searched: Results, images: str, target: float) -> str:
    known = [
        (np.mean(one["memory_kib"]), np.mean(one["validation"]))
        for one in searched.get("linear", {"classifiers": []})["classifiers"]
        if one["images"] == images and one["labels"] is None
    ]
    enough = [memory for memory, accuracy in known if accuracy >= target]
    return f"{min(enough):.2f}" if enough else f"at most {max(found for _, found in known):.1f} %"


def _dense(searched: Results, images: str, target: float) -> str:
    answers = searched.get(f"{images}-{target:g}-dense", {"answers": []})["answers"]
    found = [one["memory_kib"] for one in answers if one["found"]]
    return f"{np.mean(found):.1f}" if found else "not searched"


def _whose() -> str:
    return (
        "The smallest column of the table above, in integers, whose mean on test images is at least that; "
        "linear classifiers on the pixels by validation images, and dense layers by their search, from "
        "below. Published are networks that learned with labels, their weights alone counted: BitNetMCU "
        "(github.com/cpldcpu/BitNetMCU), the smallest that could be found. Where convolutions learned with "
        "labels reach 98.92 % in 3.13 KiB, a column stops at 98.9."
    )


def _how(results: Results) -> str:
    return (
        "Fields of 5 x 5, stride 1; contrast `on-off` (radius 2, gain 1) for Fashion-MNIST. Memory is all "
        "that a device needs to answer. One pass without labels over 50,000 images, or all, 4 positions of "
        "each; the readout `linear` fitted on their labels, with its rounding in the loop where it has a "
        f"format; mean ± standard deviation over seeds {seeds(results)}, each with its own validation split "
        "of 10,000."
    )


def _learning(columns: list[dict[str, Any]]) -> str:
    head = [f"{one['images']}, {one['neurons']} neurons (%)" for one in columns]
    rows = [
        [name, *(spread(one["accuracies"][name]) for one in columns)] for name in columns[0]["accuracies"]
    ]
    return table(["", *head], rows)


if __name__ == "__main__":
    run("columns", PARTS, measure, render)
