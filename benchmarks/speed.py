"""How fast is the engine, against the time of the weight-row additions alone, and where does the time go?

    python benchmarks/speed.py [PART ...] [--write]

The roofline is the same number of rows of the same weights added to one array, by a compiled loop, in the
same process. Times are the best of several rounds, in processor seconds, so that other work on the machine
counts little; rows of two threads are in wall-clock seconds.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numba
import numpy as np
from tables import Results, machines, run, table

import fspinn
from fspinn.backends.numba import float_engine
from fspinn.base.randomness import TRAINING_SPIKES, WEIGHTS, stream_key, uniforms
from fspinn.network.encoder_kernels import encode
from fspinn.network.encoders import encoder_settings, input_spikes
from fspinn.network.plasticity import initial_weights, natural_weight_norm
from fspinn.search.tune import tune

SIZES = {"100": 3000, "400": 1500, "1600": 400, "4900": 250}
"""Numbers of neurons, and of images to time with."""

PARTS = (*SIZES, "memory", "tune")
ROUNDS = 7


def measure(part: str) -> dict[str, Any]:
    if part == "memory":
        return {"neurons": 4900, "megabytes": training_memory_mb()}
    if part == "tune":
        return {"neurons": 100, "trials": 27, "speed_up": tuning_speed_up()}
    return measure_size(int(part), SIZES[part])


def measure_size(neurons: int, count: int) -> dict[str, Any]:
    """Return seconds per image of the whole and of its phases, and what was counted, for one size."""
    images = np.ascontiguousarray(fspinn.datasets.load("mnist").train.images[:count])
    network = replace(fspinn.Network(neurons=neurons), weight_norm=natural_weight_norm(images))
    n_inputs = images[0].size
    weights = initial_weights(network, n_inputs, uniforms(stream_key(0, WEIGHTS), n_inputs * neurons))
    theta = np.zeros(neurons, np.float32)
    float_engine.learn(network, weights, theta, images, seed=0, first=0, total=count)
    # From here on steps of learning have size 0 (they cost the same), so that all see the same network.
    network = replace(network, learning_rate=0, learning_rate_end=0, theta_step=0, theta_step_end=0)
    keys = np.array([stream_key(0, TRAINING_SPIKES, m) for m in range(count)], dtype=np.uint64)
    pixels = images.reshape(count, n_inputs)
    spikes = np.concatenate(
        [input_spikes(network, image, 0, TRAINING_SPIKES, m).inputs for m, image in enumerate(images)]
    )

    def learn() -> fspinn.Activity:
        return float_engine.learn(network, weights, theta, images, seed=0, first=0, total=count)[1]

    def respond(threads: int = 1) -> None:
        float_engine.respond(network, weights, theta, images, seed=0, threads=threads)

    activity = learn()
    one_core = best_seconds(
        {
            "encoding_s": lambda: encode_all(pixels, keys, encoder_settings(network), network.steps),
            "additions_s": lambda: add_rows(weights, spikes),
            "training_s": learn,
            "inference_s": respond,
        },
        time.process_time,
    )
    wall = best_seconds(
        {
            "inference_one_thread_s": respond,
            "inference_two_threads_s": lambda: respond(2),
        },
        time.perf_counter,
    )
    return {
        "settings": asdict(network),
        "seeds": (0,),
        "images": count,
        **{name: seconds / count for name, seconds in (one_core | wall).items()},
        "synaptic_additions": activity.per_sample("synaptic_additions"),
        "output_spikes": activity.per_sample("output_spikes"),
        "additions_gb_per_s": 1e-9 * spikes.size * weights[0].nbytes / one_core["additions_s"],
    }


def best_seconds(functions: dict[str, Callable[[], object]], clock: Callable[[], float]) -> dict[str, float]:
    """Return the least seconds that each takes; they take turns, so that all see the same machine."""
    best = dict.fromkeys(functions, np.inf)
    for number in range(1 + ROUNDS):
        for name, function in functions.items():
            started = clock()
            function()
            if number > 0:  # the first compiles
                best[name] = min(best[name], clock() - started)
    return best


@numba.njit
def add_rows(weights, inputs):
    """Return the sum of the rows of all inputs: what no engine with these weights can leave out."""
    total = np.zeros(weights.shape[1], dtype=weights.dtype)
    for i in inputs:
        row = weights[i]
        for j in range(total.size):
            total[j] += row[j]
    return total


@numba.njit
def encode_all(images, keys, settings, steps):
    """Encode all images (n, n_inputs), each into the same memory; return the number of input spikes."""
    encoder, rate_norm_per_step, most_spikes = settings
    probabilities = np.zeros(images.shape[1], dtype=np.uint32)
    spikes_in_step = np.zeros(steps, dtype=np.int64)
    inputs = np.zeros((steps, images.shape[1]), dtype=np.int32)
    spikes = 0
    for image, key in zip(images, keys):  # noqa: B905 (Numba has no strict)
        spikes += encode(
            image, encoder, rate_norm_per_step, most_spikes, key, probabilities, spikes_in_step, inputs
        )
    return spikes


def training_memory_mb() -> float:
    """Return by how much training 4900 neurons raises the memory of a process at its peak (Linux)."""
    program = (
        "import re, fspinn\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from fspinn.learning.training import learn\n"
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


def render(results: Results) -> str:
    sizes = {part: result for part, result in results.items() if part in SIZES}
    whole = table(
        [
            "neurons",
            "training (samples/s)",
            "% of roofline",
            "ns per synaptic event",
            "inference (samples/s)",
            "% of roofline",
            "two threads / one, inference",
        ],
        [
            [
                neurons,
                f"{1 / result['training_s']:,.0f}",
                f"{100 * result['additions_s'] / result['training_s']:.0f}",
                f"{1e9 * result['training_s'] / result['synaptic_additions']:.3f}",
                f"{1 / result['inference_s']:,.0f}",
                f"{100 * result['additions_s'] / result['inference_s']:.0f}",
                f"{result['inference_one_thread_s'] / result['inference_two_threads_s']:.2f}",
            ]
            for neurons, result in sizes.items()
        ],
    )
    phases = table(
        [
            "neurons",
            "encoding (µs)",
            "row additions alone (µs)",
            "neuron update (µs)",
            "learning (µs)",
            "all of training (µs)",
            "row additions alone (GB/s)",
        ],
        [
            [
                neurons,
                *(f"{1e6 * seconds:.0f}" for seconds in phases_of(result)),
                f"{result['additions_gb_per_s']:.0f}",
            ]
            for neurons, result in sizes.items()
        ],
    )
    notes = [
        "MNIST, 350 steps of 1 ms, Poisson spikes, one core; the roofline is the time of the float32 "
        "weight-row additions alone in the same run; a synaptic event is one weight added to one "
        "potential. Times of the second table are for one image: encoding and row additions run alone; "
        "neuron update (leak, threshold search, inhibition) is what inference takes beyond both, learning "
        "what training takes beyond inference. The engine adds four rows at a time, the plain loop of the "
        "roofline one: a difference of large times may fall below 0."
    ]
    if "memory" in results:
        notes.append(
            f"Training {results['memory']['neurons']} neurons takes {results['memory']['megabytes']:.0f} MB "
            "over the process with the data loaded."
        )
    if "tune" in results:
        notes.append(
            f"`tune` with {results['tune']['neurons']} neurons and {results['tune']['trials']} trials is "
            f"{results['tune']['speed_up']:.2f} times as fast with two threads as with one."
        )
    return f"{whole}\n\n{phases}\n\n{' '.join(notes)} {machines(results)}."


def phases_of(result: dict[str, Any]) -> list[float]:
    """Return the seconds for one image of encoding, additions, neuron update, learning, and all of it."""
    encoding, additions, inference, training = (
        result[f"{name}_s"] for name in ("encoding", "additions", "inference", "training")
    )
    return [encoding, additions, inference - encoding - additions, training - inference, training]


if __name__ == "__main__":
    run("speed", PARTS, measure, render)
