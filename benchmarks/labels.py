"""MNIST with few labels: the network learns from all images without labels, the readout from a few.

    python benchmarks/labels.py [--write]

Nothing is chosen here, so the test images are only reported on. Logistic regression on the pixels has the
same labels and nothing else.
"""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from tables import Results, machines, run, spread, table

import fspinn
from fspinn import presets
from fspinn.answering.predict import respond
from fspinn.base.randomness import LABELS, permutation, stream_key
from fspinn.base.settings import settings_of
from fspinn.datasets import Dataset
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering.compiler import answering_plan
from fspinn.model.readout import predict

SEED = 0
PARTS = ("mnist-400",)
DRAWS = (0, 1, 2)
NUMBERS = (100, 1000)
READOUTS = ("linear", "proportion", "majority")


def measure(preset: str) -> dict[str, Any]:
    chosen = presets.load(preset)
    data = fspinn.datasets.load("mnist", validation=0, seed=SEED)
    learned = learn(chosen.network, data, chosen.learner, seed=SEED)
    (layer,) = learned.layers
    spike_counts = respond(
        answering_plan(learned.network, (layer,)), data.test.images, seed=SEED
    ).spike_counts
    accuracies: dict[str, dict[str, list[float]]] = {}
    for number in (*NUMBERS, None):
        words = f"{number:,}" if number else f"all {len(data.train):,}"
        columns = accuracies[words] = {name: [] for name in (*READOUTS, "pixels")}
        for draw in DRAWS if number else DRAWS[:1]:
            for model in fit_readouts(learned, data, READOUTS, labels=number, draw=draw):
                answers = predict(model.readout, spike_counts)
                columns[model.readout.name].append(100 * float(np.mean(answers == data.test.labels)))
            if number:
                columns["pixels"].append(100 * pixels(data, number, draw))
    return {"settings": settings_of(chosen), "seeds": (SEED,), "draws": DRAWS, "accuracies": accuracies}


def render(results: Results) -> str:
    ((preset, result),) = results.items()
    rows = [
        [words, *(spread(columns[name]) if columns[name] else "" for name in (*READOUTS, "pixels"))]
        for words, columns in result["accuracies"].items()
    ]
    head = ["labels", *(f"`{name}` (%)" for name in READOUTS), "pixels (%)"]
    note = (
        f"Preset `{preset}`, {result['settings']['passes']} passes over all 60,000 training images without "
        "labels; labels of a few of them, drawn at random, for the readout; all 10,000 test images; mean ± "
        f"standard deviation over {len(result['draws'])} draws, one network. `pixels` is logistic regression "
        "(scikit-learn's defaults, pixels from 0 to 1) on the same labelled images. "
        f"{machines(results)}."
    )
    return f"{table(head, rows)}\n\n{note}"


def pixels(data: Dataset, number: int, draw: int) -> float:
    """Return the accuracy of logistic regression on the pixels of the images that `fit_readouts` draws."""
    chosen = permutation(stream_key(SEED, LABELS, draw), len(data.train))[:number]
    train, test = (
        np.asarray(images).reshape(len(images), -1) / 255.0
        for images in (data.train.images[chosen], data.test.images)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(max_iter=200).fit(train, data.train.labels[chosen])
    return float(fitted.score(test, data.test.labels))


if __name__ == "__main__":
    run("labels", PARTS, measure, render)
