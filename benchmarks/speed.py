"""How fast is the engine, against the time of the weight-row additions alone?

    python benchmarks/speed.py [--write]

The roofline is the same number of rows of the same weights added to one array, by a compiled loop, in the
same process. Times are the best of several runs, in processor seconds, so that other work on the machine
counts little; the two-thread row is in wall-clock seconds.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numba
import numpy as np
from tables import machine, publish, table

import fspinn
from fspinn.encoders import input_spikes
from fspinn.engines import float_engine
from fspinn.plasticity import initial_weights, natural_weight_norm
from fspinn.randomness import TRAINING_SPIKES, WEIGHTS, stream_key, uniforms
from fspinn.tuning import tune

SIZES = {100: 3000, 400: 1500, 1600: 400, 4900: 150}
"""Numbers of neurons, and of images to time with."""


@numba.njit
def add_rows(weights, inputs):
    total = np.zeros(weights.shape[1], dtype=weights.dtype)
    for i in inputs:
        row = weights[i]
        for j in range(total.size):
            total[j] += row[j]
    return total


def best_seconds(function: Callable[[], object], clock: Callable[[], float], repeats: int = 5) -> float:
    function()
    seconds = []
    for _ in range(repeats):
        started = clock()
        function()
        seconds.append(clock() - started)
    return min(seconds)


def main() -> None:
    data = fspinn.datasets.load("mnist")
    rows = []
    for neurons, count in SIZES.items():
        images = np.ascontiguousarray(data.train.images[:count])
        network = replace(fspinn.Network(neurons=neurons), weight_norm=natural_weight_norm(images))
        n_inputs = images[0].size
        random = uniforms(stream_key(0, WEIGHTS), n_inputs * neurons)
        weights, theta = initial_weights(network, n_inputs, random), np.zeros(neurons, np.float32)
        float_engine.learn(network, weights, theta, images, seed=0, first=0, total=count)
        spikes = np.concatenate(
            [
                input_spikes(network, image, 0, TRAINING_SPIKES, m).inputs
                for m, image in enumerate(images[:50])
            ]
        )

        def learn(network=network, weights=weights, theta=theta, images=images) -> None:
            float_engine.learn(network, weights, theta, images, seed=0, first=0, total=len(images))

        def respond(threads, network=network, weights=weights, theta=theta, images=images) -> None:
            float_engine.respond(network, weights, theta, images, seed=0, threads=threads)

        roofline = best_seconds(lambda w=weights, s=spikes: add_rows(w, s), time.process_time) / 50
        learning = best_seconds(learn, time.process_time) / count
        inference = best_seconds(lambda: respond(1), time.process_time) / count
        one, two = (best_seconds(lambda n=n: respond(n), time.perf_counter) for n in (1, 2))
        rows.append(
            [
                neurons,
                f"{1e6 * roofline:.0f}",
                f"{1 / learning:,.0f}",
                f"{100 * roofline / learning:.0f}",
                f"{1 / inference:,.0f}",
                f"{100 * roofline / inference:.0f}",
                f"{one / two:.2f}",
            ]
        )
    publish(
        "benchmarks/speed.py",
        "\n".join(
            [
                table(
                    [
                        "neurons",
                        "row additions alone (µs)",
                        "training (samples/s)",
                        "% of roofline",
                        "inference (samples/s)",
                        "% of roofline",
                        "two threads / one, inference",
                    ],
                    rows,
                ),
                "",
                "MNIST, 350 steps of 1 ms, one core; the roofline is the time of the float32 weight-row "
                "additions alone in the same run. Training 4900 neurons takes "
                f"{training_memory_mb():.0f} MB over the process with the data loaded. `tune` with 100 "
                f"neurons and 27 trials is {tuning_speed_up():.2f} times as fast with two threads as with "
                f"one. {machine()}.",
            ]
        ),
    )


def training_memory_mb() -> float:
    """Return by how much training 4900 neurons raises the memory of a process at its peak (Linux)."""
    program = (
        "import re, fspinn\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from fspinn.training import learn\n"
        "def memory_kib(name):\n"
        "    status = Path('/proc/self/status').read_text()\n"
        "    return int(re.search(name + r':\\s+(\\d+)', status).group(1))\n"
        "data = fspinn.datasets.load('mnist', validation=0)\n"
        "few = replace(data, train=data.train.first(500))\n"
        "learn(fspinn.Network(neurons=10), few, passes=1, progress=False)\n"
        "Path('/proc/self/clear_refs').write_text('5')  # forgets the peak so far\n"
        "before = memory_kib('VmRSS')\n"
        "learn(fspinn.Network(neurons=4900), few, passes=1, progress=False)\n"
        "print(memory_kib('VmHWM') - before)\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(answer.stdout) * 1024 / 1e6


def tuning_speed_up() -> float:
    """Return how much faster two threads tune than one."""
    data = fspinn.datasets.load("mnist", validation=1000)
    few = replace(data, train=data.train.first(6000))

    def seconds(threads: int) -> float:
        started = time.perf_counter()
        tune(fspinn.Network(neurons=100), few, passes=2, threads=threads, progress=False)
        return time.perf_counter() - started

    seconds(1)
    return seconds(1) / seconds(2)


if __name__ == "__main__":
    main()
