"""Few labels: networks learn from all images without labels, their readouts from a few.

    python benchmarks/labels.py [PART ...] [--write]

Settings and formats were chosen on validation images; here the networks learn from all 60,000 training
images, and the test images are only reported on. All networks answer in integers. Logistic regression on the
pixels and the vote of the nearest neighbours have the same labels and nothing else.
"""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn import presets
from fspinn.answering.compress import Compiler, Lowering
from fspinn.answering.predict import respond
from fspinn.base.randomness import LABELS, permutation, stream_key
from fspinn.base.settings import with_settings
from fspinn.datasets import Dataset
from fspinn.learning.fitting import Learned, fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.post_training import fit_readout, fits_rounded, quantize_readout
from fspinn.memmodel import Size, memory_bits
from fspinn.model.model import Model
from fspinn.model.readout import fit, predict, some_labels
from fspinn.presets import Preset

SEEDS = (0, 1, 2)
DRAWS = (0, 1, 2, 3, 4)
NUMBERS = (10, 20, 50, 100, 1000, None)
PARTS = ("mnist", "fashion-mnist", "small")

WIDE = Lowering("UQ0.4", "16 bits")
COLUMN = {"field": 5, "neurons": 64, "cells": 4}
ON_OFF = {"contrast": "on-off", "contrast_gain": 1}
STACK = "mnist-stack-400"

NETWORKS: dict[str, dict[str, tuple[Preset, Lowering]]] = {
    "mnist": {
        "dense": (presets.load("mnist-400-linear"), WIDE),
        "column": (with_settings(presets.start_of(COLUMN), COLUMN), Lowering("UQ0.3", "10 bits")),
        "stack": (presets.load("mnist-stack-1000"), WIDE),
    },
    "fashion-mnist": {
        "dense": (presets.load("fashion-mnist-400-linear"), WIDE),
        "column": (with_settings(presets.start_of(COLUMN), COLUMN | ON_OFF), Lowering("UQ0.3", "10 bits")),
        "stack": (presets.load("fashion-mnist-stack-400"), WIDE),
    },
    "small": {
        "column of 16": (
            with_settings(presets.start_of(COLUMN), COLUMN | {"neurons": 16, "cells": 3}),
            Lowering("UQ0.3", "10 bits", readout="Q1.2"),
        ),
        "column of 64": (
            with_settings(presets.start_of(COLUMN), COLUMN),
            Lowering("UQ0.3", "10 bits", readout="Q1.3"),
        ),
        "stack of 16 and 96": (
            with_settings(presets.load(STACK), {"neurons": 16, "layers.2.neurons": 96}),
            Lowering("UQ0.2", "12 bits", readout="UQ0.4"),
        ),
        "stack of 32 and 200": (
            with_settings(
                presets.load(STACK), {"neurons": 32, "layers.2.neurons": 200, "layers.2.weight_norm": 8.0}
            ),
            Lowering("UQ0.2", "12 bits", readout="UQ0.4"),
        ),
        "stack of 64 and 400": (presets.load(STACK), Lowering("UQ0.4", "16 bits", readout="UQ0.4")),
    },
}
"""What is measured: the smaller ones on MNIST, with the bits of their readouts."""


def measure(part: str) -> dict[str, Any]:
    images = "mnist" if part == "small" else part
    numbers = (100, 1000, None) if part == "small" else NUMBERS
    found: dict[str, Any] = {}
    for seed in SEEDS:
        data = fspinn.datasets.load(images, validation=0, seed=seed)
        for name, (chosen, how) in NETWORKS[part].items():
            learned = learn(chosen.network, data, chosen.learner, seed=seed, progress=False)
            kept = found.setdefault(name, {"memory": [], "accuracies": {}})
            _measure_network(learned, data, chosen.readout, how, numbers, kept)
        if part != "small":
            for number in numbers:
                _measure_pixels(data, number, seed, found)
    return {"seeds": SEEDS, "draws": DRAWS, "found": found}


def _measure_network(
    learned: Learned,
    data: Dataset,
    readout: str,
    how: Lowering,
    numbers: tuple[int | None, ...],
    kept: dict[str, Any],
) -> None:
    """Add the accuracies of one network for each number of labels, and with `majority` and all of them."""
    (model,) = fit_readouts(learned, data, [readout])
    small = Compiler(data, learned.seed, None).compile(model, replace(how, readout=None))
    plan, company = plan_of(small), learned.network.layers[-1].field is None
    train, test = (
        respond(plan, split.images, seed=learned.seed).spike_counts for split in (data.train, data.test)
    )
    for number in numbers:
        for name in [readout] if number else [readout, "majority"]:
            for draw in DRAWS if number else DRAWS[:1]:
                labels = data.train.labels
                if number:
                    labels = some_labels(labels, number, seed=learned.seed, draw=draw)
                fitted = replace(model, readout=fit(name, train, labels, data.n_classes, company=company))
                if fits_rounded(fitted.readout, how.readout):
                    fitted, _ = fit_readout(fitted, how.readout, train, labels, learned.seed)
                else:
                    fitted, _ = quantize_readout(fitted, how.readout)
                accuracy = 100 * float(np.mean(predict(fitted.readout, test) == data.test.labels))
                column = "majority" if name == "majority" else _words(number)
                kept["accuracies"].setdefault(column, []).append(accuracy)
            if name == readout:
                small = replace(small, readout=fitted.readout)
    kept["memory"].append(_memory(small))


def _memory(model: Model) -> float:
    return float(memory_bits(Size.of(model), training=False) / 8192)


def _measure_pixels(data: Dataset, number: int | None, seed: int, found: dict[str, Any]) -> None:
    """Add what the same labels are worth to logistic regression and to the nearest neighbours."""
    if number is None and seed != SEEDS[0]:
        return  # the same images, whatever the seed
    for draw in DRAWS if number else DRAWS[:1]:
        chosen = permutation(stream_key(seed, LABELS, draw), len(data.train))[:number]
        train, test = _pixels(data.train.images[chosen]), _pixels(np.asarray(data.test.images))
        labels = data.train.labels[chosen]
        fitted = {"nearest neighbour": KNeighborsClassifier(3 if number is None else 1).fit(train, labels)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted["logistic regression"] = LogisticRegression(max_iter=200).fit(train, labels)
        for name, one in fitted.items():
            kept = found.setdefault(name, {"memory": [], "accuracies": {}})["accuracies"]
            kept.setdefault(_words(number), []).append(100 * float(one.score(test, data.test.labels)))


def _pixels(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    pixels: NDArray[np.float64] = images.reshape(len(images), -1) / 255.0
    return pixels


def _words(number: int | None) -> str:
    return f"{number:,} labels" if number else "all labels"


def render(results: Results) -> str:
    blocks = []
    for part, result in results.items():
        columns = list(dict.fromkeys(name for one in result["found"].values() for name in one["accuracies"]))
        rows = [
            [name, spread(one["memory"], "{:.1f}") if one["memory"] else ""]
            + [spread(one["accuracies"][c]) if c in one["accuracies"] else "" for c in columns]
            for name, one in result["found"].items()
        ]
        head = ["", "memory (KiB)", *(f"{column} (%)" for column in columns)]
        title = "MNIST, small networks" if part == "small" else {"mnist": "MNIST"}.get(part, "Fashion-MNIST")
        blocks += [f"{title}:", table(head, rows)]
    some = next(iter(results.values()))
    blocks.append(
        "All 60,000 training images are learned from without labels; labels of some, drawn at random without "
        "regard to class, are for the readout, which is fitted on what the network in integers answers. "
        "All 10,000 test images; mean ± standard deviation over networks (seeds "
        f"{seeds(results)}) and {len(some['draws'])} draws of each. Stacks answer with `proportion`, the "
        "others with `linear`; `majority` is Diehl & Cook's protocol, with all labels. Weights of dense "
        "networks (`mnist-400-linear`, `fashion-mnist-400-linear`), of large stacks (`mnist-stack-1000`, "
        "`fashion-mnist-stack-400`) and of that of 64 and 400 have 4 bits, columns 3, the small stacks 2. "
        "Logistic regression is scikit-learn's, on pixels from 0 to 1; nearest neighbours are one, or three "
        f"with all labels, by Euclidean distance. {machines(results)}."
    )
    return "\n\n".join(blocks)


if __name__ == "__main__":
    run("labels", PARTS, measure, render)
