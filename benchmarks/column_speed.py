"""How fast is a column? Beside the arithmetic of one core, and beside SpykeTorch.

    python benchmarks/column_speed.py [PART ...] [--write]

16 neurons with a field of 5 x 5 and 3 x 3 cells, on the test images of MNIST. The part `spyketorch` needs
torch, and SpykeTorch (GPL-3) cloned into a folder that PYTHONPATH names; nothing else here does.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from tables import Results, machines, run

import fspinn
from fspinn.answering.compress import Compiler, Lowering
from fspinn.answering.predict import respond
from fspinn.backends.numba import engine
from fspinn.base.jit import njit
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.datasets import Dataset
from fspinn.learning.fitting import Learned, fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering.compiler import plan_of
from fspinn.network.encoders import BatchEncoder

PARTS = ("speed", "spyketorch")
COLUMN = fspinn.Network.patches(16, cells=3)
WEIGHTS, PEER_IMAGES = "UQ0.3", 300


def measure_speed() -> dict[str, Any]:
    """Rates of one core are of processor time, so that what else runs on the machine counts little."""
    data = fspinn.datasets.load("mnist")
    learned = learn(COLUMN, data, progress=False)
    rates = {"learning": learned.samples_per_s}
    small, images = _column_of_16(learned, data), data.test.images
    for name, one in small.items():
        answer = partial(respond, plan_of(one), images, seed=0)
        rates[name] = _rate(partial(answer, threads=1), time.process_time)
        wall = [_rate(partial(answer, threads=n), time.perf_counter) for n in (1, 2)]
        rates[f"{name}, two cores"] = wall[1] / wall[0]
    spikes = BatchEncoder(plan_of(small["integers"]).encoding).encode(images, 0, INFERENCE_SPIKES)
    (activity,) = engine.respond(plan_of(small["integers"]), spikes).activity
    additions = activity.synaptic_additions / len(images)
    return {"seeds": (0,), "rates": rates, "additions": additions, "bound": _additions_per_s() / additions}


def _column_of_16(learned: Learned, data: Dataset) -> dict[str, fspinn.Model]:
    (model,) = fit_readouts(learned, data, ["linear"])
    return {"floats": model, "integers": Compiler(data, 0, None).compile(model, Lowering(WEIGHTS, "8 bits"))}


def _rate(run: Callable[[], Any], clock: Callable[[], float], count: int = 10_000) -> float:
    best = np.inf
    for _ in range(5):
        started = clock()
        run()
        best = min(best, clock() - started)
    return count / best


def _additions_per_s() -> float:
    """Return how many numbers of 16 bits one core adds to others that are near, a second."""
    sums, numbers, rounds = np.zeros(1024, np.int16), np.ones(1024, np.int16), 20_000
    add_often(sums, numbers, 1)
    return _rate(lambda: add_often(sums, numbers, rounds), time.process_time, rounds * sums.size)


@njit
def add_often(sums, numbers, rounds):  # type: ignore[no-untyped-def]
    for _ in range(rounds):
        for j in range(sums.size):
            sums[j] += numbers[j]


def measure_peer() -> dict[str, Any]:
    """Beside SpykeTorch (GPL-3, to be cloned into a folder of PYTHONPATH; needs torch), one thread each."""
    import torch
    from SpykeTorch import functional, snn, utils

    torch.set_num_threads(1)
    data = fspinn.datasets.load("mnist")
    learned = learn(COLUMN, data, progress=False)
    convolution = snn.Convolution(1, 16, 5)
    weights = learned.layers[0].weights.values.reshape(5, 5, 1, 16).transpose(3, 2, 0, 1)
    convolution.weight.data = torch.tensor(np.ascontiguousarray(weights))
    threshold = learned.network.answering.layers[0].neuron.firing_threshold
    latency = utils.Intensity2Latency(8, to_spike=True)
    images = torch.tensor(np.asarray(data.test.images[:PEER_IMAGES]), dtype=torch.float32)

    def theirs(encode: bool) -> None:
        with torch.no_grad():
            for image, seen in zip(images, coded, strict=True):
                shown = latency(image[None, None]) if encode else seen
                potentials = functional.threshold(convolution(shown), threshold)
                functional.pointwise_inhibition(potentials).sign().sum(dim=0)

    coded = [latency(image[None, None]) for image in images]
    rates = {
        "encoding included": _rate(partial(theirs, True), time.process_time, PEER_IMAGES),
        "convolution alone": _rate(partial(theirs, False), time.process_time, PEER_IMAGES),
    }
    for name, one in _column_of_16(learned, data).items():
        answer = partial(respond, plan_of(one), data.test.images, seed=0, threads=1)
        rates[name] = _rate(answer, time.process_time)
    return {"seeds": (0,), "rates": rates, "torch": torch.__version__}


def measure(part: str) -> dict[str, Any]:
    return {"speed": measure_speed, "spyketorch": measure_peer}[part]()


def render(results: Results) -> str:
    blocks = []
    if "speed" in results:
        speed = results["speed"]
        rates = speed["rates"]
        scale = [f"{rates[f'{name}, two cores']:.2f}" for name in ("integers", "floats")]
        blocks.append(
            f"On one core {rates['integers']:,.0f} images/s in integers, {rates['floats']:,.0f} in floats, "
            f"encoding included; two cores are {scale[0]} and {scale[1]} times as fast. An image takes "
            f"{speed['additions']:,.0f} additions of a weight; one core does so many of 16 bits, and nothing "
            f"else, for {speed['bound']:,.0f} images/s. Learning: {rates['learning']:,.0f} images/s."
        )
    if "spyketorch" in results:
        rates = results["spyketorch"]["rates"]
        peer = [rates[name] for name in ("convolution alone", "encoding included", "floats", "integers")]
        blocks.append(
            f"SpykeTorch (torch {results['spyketorch']['torch']}), a spiking convolution with the same 16 "
            "features, 8 time steps and a winner at each position, in the same run and on one core: "
            f"{peer[0]:,.0f} images/s, {peer[1]:,.0f} with its encoding; this column {peer[2]:,.0f} in "
            f"floats and {peer[3]:,.0f} in integers, encoding included. SpykeTorch has one threshold for all "
            "neurons, so its spikes are not the same."
        )
    return "\n\n".join([*blocks, f"{machines(results)}."])


if __name__ == "__main__":
    run("column_speed", PARTS, measure, render)
