"""What moved, noisy and pale images cost: a column, a dense layer and a linear classifier on MNIST.

    python benchmarks/robustness.py [--write]

All are fitted on the training images as they are; only the test images are changed. Nothing is chosen here.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn import presets
from fspinn.answering.compress import Compiler, Lowering
from fspinn.memmodel import Size, memory_bits
from fspinn.model.readout import quiet_fit
from fspinn.search.linear import INVERSE_PENALTY, MAX_ITERATIONS

SEEDS = (0, 1, 2)
PARTS = ("mnist",)
COLUMN = fspinn.Network.patches(16, cells=3)
DENSE = "mnist-400-linear"

Images = NDArray[np.uint8]


def shifted(images: Images, pixels: int) -> list[Images]:
    """Return the images moved up, down, left and right; what enters is black."""
    moved = []
    for axis, by in ((1, -pixels), (1, pixels), (2, -pixels), (2, pixels)):
        one = np.roll(images, by, axis)
        rows: list[Any] = [slice(None)] * 3
        rows[axis] = slice(by, None) if by < 0 else slice(0, by)
        one[tuple(rows)] = 0
        moved.append(one)
    return moved


def noisy(images: Images, deviation: float) -> list[Images]:
    """Return the images with Gaussian noise, as a part of white, cut to what a pixel can be."""
    noise = np.random.default_rng(0).normal(0, 255 * deviation, images.shape)
    return [np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)]


def pale(images: Images, part: float) -> list[Images]:
    """Return the images with all intensities multiplied."""
    return [np.rint(images * part).astype(np.uint8)]


CHANGES: dict[str, Callable[[Images], list[Images]]] = {
    "none": lambda images: [images],
    **{f"moved by {n} pixels": partial(shifted, pixels=n) for n in (1, 2, 3)},
    **{f"noise of {part:.0%}": partial(noisy, deviation=part) for part in (0.1, 0.2, 0.3)},
    **{f"contrast of {part:.0%}": partial(pale, part=part) for part in (0.7, 0.5, 0.3)},
}
"""What is done to the test images, by what the table calls it."""


def measure(part: str) -> dict[str, Any]:
    found: dict[str, dict[str, list[float]]] = {}
    memory: dict[str, list[float]] = {}
    for seed in SEEDS:
        data = fspinn.datasets.load(part, validation=0, seed=seed)
        images = np.asarray(data.test.images)
        chosen = presets.load(DENSE)
        made = {
            "column": fspinn.train(COLUMN, data, readout="linear", seed=seed, progress=False),
            "dense": fspinn.train(
                chosen.network, data, learner=chosen.learner, readout="linear", seed=seed, progress=False
            ),
        }
        formats = {
            "column": Lowering("UQ0.3", "10 bits", readout="Q1.2"),
            "dense": Lowering("UQ0.4", "16 bits"),
        }
        answers: dict[str, Callable[[Images], Any]] = {}
        for name, result in made.items():
            small = Compiler(data, seed, None).compile(result.model, formats[name])
            memory.setdefault(name, []).append(memory_bits(Size.of(small), training=False) / 8192)
            answers[name] = partial(_classes, small, seed)
        if seed == SEEDS[0]:
            answers["linear"] = _linear(data.train.images, data.train.labels)
        for change, make in CHANGES.items():
            for name, answer in answers.items():
                right = [np.mean(answer(shown) == data.test.labels) for shown in make(images)]
                found.setdefault(name, {}).setdefault(change, []).append(100 * float(np.mean(right)))
    return {"seeds": SEEDS, "found": found, "memory": memory}


def _classes(model: fspinn.Model, seed: int, images: Images) -> Any:
    return fspinn.predict(model, images, seed=seed).classes


def _linear(images: Any, labels: NDArray[np.int64]) -> Callable[[Images], Any]:
    pixels = np.asarray(images).reshape(len(images), -1) / 255.0
    with quiet_fit():
        fitted = LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_ITERATIONS).fit(pixels, labels)
    return lambda shown: fitted.predict(shown.reshape(len(shown), -1) / 255.0)


def render(results: Results) -> str:
    ((_, result),) = results.items()
    found = result["found"]
    rows = [[change, *(spread(one[change]) for one in found.values())] for change in CHANGES]
    sizes = {name: np.mean(values) for name, values in result["memory"].items()}
    note = (
        f"MNIST, all 60,000 training images as they are, all 10,000 test images changed. The column has 16 "
        f"neurons, 3 x 3 cells, weights and readout of 3 bits ({sizes['column']:.1f} KiB); the dense layer "
        f"is `{DENSE}` with weights of 4 bits ({sizes['dense']:.0f} KiB), both in integers; the linear "
        "classifier is logistic regression in floats, which does not reach 97 %. Moved: mean over four "
        "directions; noise: Gaussian, its standard deviation as a part of white; contrast: intensities times "
        f"that. Mean ± standard deviation over seeds {seeds(results)}. {machines(results)}."
    )
    head = ["change of the test images", *(f"{name} (%)" for name in found)]
    return f"{table(head, rows)}\n\n{note}"


if __name__ == "__main__":
    run("robustness", PARTS, measure, render)
