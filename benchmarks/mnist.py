"""MNIST, 400 neurons, one pass over the 60,000 training images: accuracy and speed.

    python benchmarks/mnist.py [--write]

Nothing is chosen here, so the test images are only reported on. Learning runs on one core.
"""

import time

from tables import machine, publish, spread, table

import fspinn
from fspinn.evaluation import fit_readouts
from fspinn.training import learn

SEEDS = (0, 1, 2)
NEURONS = 400
READOUTS = ("proportion", "majority")
FORMATS = ("float32", "UQ0.8", "UQ0.4", "UQ0.3", "UQ0.2")


def main() -> None:
    accuracies: dict[tuple[str, str], list[float]] = {}
    seconds, rates = [], []
    for seed in SEEDS:
        data = fspinn.datasets.load("mnist", validation=0, seed=seed)
        started = time.perf_counter()
        learned = learn(fspinn.Network(neurons=NEURONS), data, passes=1, seed=seed)
        seconds.append(time.perf_counter() - started)
        rates.append(learned.samples_per_s)
        for model in fit_readouts(learned, data, READOUTS):
            for weights in FORMATS:
                tested = model if weights == "float32" else fspinn.quant.quantize(model, weights)
                accuracy = fspinn.evaluate(tested, data.test, seed=seed).accuracy
                accuracies.setdefault((weights, model.readout.name), []).append(100 * accuracy)
    rows = [[weights, *(spread(accuracies[weights, readout]) for readout in READOUTS)] for weights in FORMATS]
    publish(
        "benchmarks/mnist.py",
        "\n".join(
            [
                table(["weights", *(f"`{readout}` readout (%)" for readout in READOUTS)], rows),
                "",
                f"MNIST, {NEURONS} neurons, one pass over 60,000 images, all 10,000 test images, readout "
                "fitted on the training labels; mean ± standard deviation over "
                f"seeds {', '.join(map(str, SEEDS))}. "
                "Quantized after training (nearest), the `proportion` readout to 8 bits. "
                f"Training took {spread(seconds, '{:.0f}')} s on one core "
                f"({spread(rates, '{:.0f}')} samples/s). {machine()}.",
            ]
        ),
    )


if __name__ == "__main__":
    main()
