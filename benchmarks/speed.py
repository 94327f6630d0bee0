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
from dataclasses import replace
from typing import Any

import numba
import numpy as np
from tables import Results, machines, run, table

import fspinn
from fspinn.answering.predict import respond
from fspinn.backends.numba import engine
from fspinn.base.randomness import TRAINING_SPIKES, WEIGHTS, stream_key, uniforms
from fspinn.lowering.compiler import answering_plan, learning_plan
from fspinn.model.tensors import LayerTensors
from fspinn.network import Neuron
from fspinn.network.encoders import BatchEncoder, Spikes, encoding_of
from fspinn.network.plasticity import initial_weights, natural_weight_norm
from fspinn.search.tune import tune

SIZES = {"100": 3000, "400": 1500, "1600": 400, "4900": 250}
"""Numbers of neurons, and of images to time with."""

PARTS = (*SIZES, "memory", "tune")
ROUNDS = 7

BATCH = 250
"""Images that training encodes and learns at once."""


def measure(part: str) -> dict[str, Any]:
    if part == "memory":
        return {"neurons": 4900, "megabytes": training_memory_mb()}
    if part == "tune":
        return {"neurons": 100, "trials": 27, "speed_up": tuning_speed_up()}
    return measure_size(int(part), SIZES[part])


def measure_size(neurons: int, count: int) -> dict[str, Any]:
    """Return seconds per image of the whole and of its phases, and what was counted, for one size."""
    images = np.ascontiguousarray(fspinn.datasets.load("mnist").train.images[:count])
    neuron = Neuron(weight_norm=natural_weight_norm(images))
    network, learner = fspinn.Network.dense(neurons, neuron=neuron), fspinn.Stdp()
    n_inputs = images[0].size
    random = uniforms(stream_key(0, WEIGHTS), n_inputs * neurons)
    weights = initial_weights(network.layers[0], learner, n_inputs, random)
    theta = np.zeros(neurons, np.float32)
    encoder = BatchEncoder(encoding_of(network))

    def encode(purpose: int = TRAINING_SPIKES) -> Spikes:
        return encoder.encode(images, 0, purpose)

    def learn() -> fspinn.Activity:
        some = (encoder.encode(images[n : n + BATCH], 0, TRAINING_SPIKES, n) for n in range(0, count, BATCH))
        plan = learning_plan(network, learner, weights, theta)
        return sum((engine.learn(plan, spikes, count).activity[0] for spikes in some), fspinn.Activity())

    def answer(threads: int = 1) -> None:
        respond(
            answering_plan(network, (LayerTensors.of_floats(weights, theta),)),
            images,
            seed=0,
            threads=threads,
        )

    learn()
    # From here on steps of learning have size 0 (they cost the same), so that all see the same network.
    learner = fspinn.Stdp(learning_rate=0.0, learning_rate_end=0.0)
    network = fspinn.with_settings(network, {"theta_step": 0.0, "theta_step_end": 0.0})
    spikes = encode().inputs.copy()

    activity = learn()
    one_core = best_seconds(
        {
            "encoding_s": encode,
            "additions_s": lambda: add_rows(weights, spikes),
            "training_s": learn,
            "inference_s": answer,
        },
        time.process_time,
    )
    wall = best_seconds(
        {
            "inference_one_thread_s": answer,
            "inference_two_threads_s": lambda: answer(2),
        },
        time.perf_counter,
    )
    return {
        "settings": fspinn.settings_of(network) | fspinn.settings_of(learner),
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
        "learn(fspinn.Network.dense(10), few, fspinn.Stdp(passes=1), progress=False)\n"
        "Path('/proc/self/clear_refs').write_text('5')  # forgets the peak so far\n"
        "before = memory_kib('VmRSS')\n"
        "learn(fspinn.Network.dense(4900), few, fspinn.Stdp(passes=1), progress=False)\n"
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
        learner = fspinn.Stdp(passes=2)
        tune(fspinn.Network.dense(100), few, learner=learner, threads=threads, progress=False)
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
