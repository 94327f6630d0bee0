"""MNIST, 400 neurons, one pass over the 60,000 training images: accuracy and speed.

    python benchmarks/mnist.py [--write]

Nothing is chosen here, so the test images are only reported on. Learning runs on one core.
"""

import time
from typing import Any

from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn.base.settings import settings_of
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn

SEEDS = (0, 1, 2)
PARTS = ("mnist-400",)
NETWORK, LEARNER = fspinn.Network.dense(400), fspinn.Stdp(passes=1)
READOUTS = ("proportion", "majority")
FORMATS = ("float32", "UQ0.8", "UQ0.4", "UQ0.3", "UQ0.2")


def measure(part: str) -> dict[str, Any]:
    accuracies: dict[str, dict[str, list[float]]] = {name: {} for name in FORMATS}
    seconds, rates = [], []
    for seed in SEEDS:
        data = fspinn.datasets.load("mnist", validation=0, seed=seed)
        started = time.perf_counter()
        learned = learn(NETWORK, data, LEARNER, seed=seed)
        seconds.append(time.perf_counter() - started)
        rates.append(learned.samples_per_s)
        for model in fit_readouts(learned, data, READOUTS):
            for weights in FORMATS:
                tested = model if weights == "float32" else fspinn.quantize(model, weights)
                accuracy = fspinn.evaluate(tested, data.test, seed=seed).accuracy
                accuracies[weights].setdefault(model.readout.name, []).append(100 * accuracy)
    return {
        "settings": {**settings_of(NETWORK), **settings_of(LEARNER)},
        "seeds": SEEDS,
        "accuracies": accuracies,
        "seconds": seconds,
        "samples_per_s": rates,
    }


def render(results: Results) -> str:
    result = results["mnist-400"]
    rows = [
        [weights, *(spread(several[readout]) for readout in READOUTS)]
        for weights, several in result["accuracies"].items()
    ]
    head = ["weights", *(f"`{readout}` readout (%)" for readout in READOUTS)]
    note = (
        f"MNIST, {result['settings']['neurons']} neurons, one pass over 60,000 images, all 10,000 test "
        "images, readout fitted on the training labels; mean ± standard deviation over "
        f"seeds {seeds(results)}. Quantized after training (nearest), the `proportion` readout to 8 bits. "
        f"Training took {spread(result['seconds'], '{:.0f}')} s on one core "
        f"({spread(result['samples_per_s'], '{:.0f}')} samples/s). {machines(results)}."
    )
    return f"{table(head, rows)}\n\n{note}"


if __name__ == "__main__":
    run("mnist", PARTS, measure, render)
