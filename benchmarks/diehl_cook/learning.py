"""The whole run: learn without labels, label the neurons, measure."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import fspinn
from diehl_cook.bindsnet_2018 import Bindsnet2018
from diehl_cook.diehl_cook_2015 import DiehlCook2015
from diehl_cook.showing import Published, show
from fspinn.backends.brian2.simulation import TARGETS
from fspinn.base.randomness import ORDER, WEIGHTS, permutation, stream_key, uniforms
from fspinn.datasets import Split
from fspinn.model import readout

NETWORKS: dict[str, Published] = {"diehl-cook-2015": DiehlCook2015(), "bindsnet-2018": Bindsnet2018()}

TOGETHER = 250
"""Images of one simulation."""


def start(published: Published, n_inputs: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights and thresholds at first; the sum of each neuron's weights never changes."""
    shape = n_inputs, published.neurons
    weights = uniforms(stream_key(seed, WEIGHTS), n_inputs * published.neurons).reshape(shape)
    weights *= published.weight_sum / weights.sum(axis=0)
    return np.minimum(weights, 1.0), np.zeros(published.neurons)


def learn(
    published: Published, images: NDArray[np.uint8], seed: int, target: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights and thresholds after all passes over the images."""
    weights, theta = start(published, images[0].size, seed)
    total = published.passes * len(images)
    for number in range(published.passes):
        order = permutation(stream_key(seed, ORDER, number), len(images))
        for begin in range(0, len(images), TOGETHER):
            some, first = images[order[begin : begin + TOGETHER]], number * len(images) + begin
            shown = show(
                published, weights, theta, some, learning=True, seed=seed, first=first, target=target
            )
            weights, theta = shown.weights, shown.theta
            print(
                f"learned from {first + len(some):,} of {total:,} images, "
                f"{shown.output_spikes / len(some):.1f} output spikes an image",
                file=sys.stderr,
            )
    return weights, theta


def answer(
    published: Published,
    weights: NDArray[np.float64],
    theta: NDArray[np.float64],
    images: NDArray[np.uint8],
    seed: int,
    target: str,
) -> NDArray[np.int64]:
    """Return the output spikes of each neuron for each image, without learning."""
    counts = [np.zeros((0, published.neurons), dtype=np.int64)]
    for first in range(0, len(images), TOGETHER):
        some = images[first : first + TOGETHER]
        shown = show(published, weights, theta, some, learning=False, seed=seed, first=first, target=target)
        counts.append(shown.spike_counts)
    return np.concatenate(counts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Be the command line: learn, label neurons on the same images, print the accuracy on others as JSON."""
    parser = argparse.ArgumentParser(
        prog="python benchmarks/diehl_cook",
        description="Train a published network on MNIST with Brian2, label its neurons, and measure it.",
    )
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--neurons", type=int, help="instead of the published number")
    parser.add_argument("--passes", type=int, help="instead of the published number")
    parser.add_argument("--samples", type=int, help="only the first training images; as many are measured on")
    parser.add_argument("--split", choices=("validation", "test"), default="validation", help="to measure on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--target", choices=TARGETS[:2], default="numpy", help="what Brian2 makes of the equations"
    )
    parser.add_argument("-o", "--output", type=Path, help="file (.npz) for weights, theta and readout table")
    given = parser.parse_args(arguments)
    for name in ("neurons", "passes", "samples"):
        if getattr(given, name) is not None and getattr(given, name) < 1:
            parser.error(f"--{name}: {getattr(given, name)} is not a positive number")
    published = NETWORKS[given.network]
    for name in ("neurons", "passes"):
        if getattr(given, name) is not None:
            published = replace(published, **{name: getattr(given, name)})  # type: ignore[type-var]
    data = fspinn.datasets.load("mnist", seed=given.seed)
    shown: Split = data.train if given.samples is None else data.train.first(given.samples)
    asked: Split = getattr(data, given.split).first(len(shown))
    started = time.perf_counter()
    weights, theta = learn(published, shown.images, given.seed, given.target)
    state = published, weights, theta
    counts = answer(*state, shown.images, given.seed, given.target)
    fitted = readout.fit("majority", counts.astype(np.int32), shown.labels, data.n_classes)  # [C], [P], [E]
    answered = answer(*state, asked.images, given.seed, given.target)
    classes = readout.predict(fitted, answered.astype(np.int32))
    if given.output is not None:
        np.savez(given.output, weights=weights, theta=theta, readout=fitted.table)
    result = {
        "network": given.network,
        "neurons": published.neurons,
        "passes": published.passes,
        "learned_from": len(shown),
        "seed": given.seed,
        "measured_on": given.split,
        "samples": len(asked),
        "accuracy": float(np.mean(classes == asked.labels)),
        "output_spikes": float(answered.sum(axis=1).mean()),
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(json.dumps(result))
