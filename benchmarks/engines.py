"""How fast is the Numba engine beside Brian2, in one run, on the same images and input spikes?

    python benchmarks/engines.py [PART ...] [--write]

A part is a network and its number of neurons; both engines start from the same weights, after some training.
``ours`` is the default network, ``layer`` one with two populations after Diehl & Cook at their time step of
0.5 ms: each is the same on both sides. In the parts ``published`` Brian2 runs Diehl & Cook's own network with
its conductances, which the Numba engine cannot, beside the default network in the Numba engine. Times are
processor seconds from the first time step to the last, one thread, so other work on the machine counts
little. Brian2 finds its input spikes ready, the Numba engine's time contains encoding. ``compilation`` is
what comes before the first time step.

Brian2 compiles as its documentation advises (its defaults: -O3 -ffast-math -march=native) and gets all
images in one simulation. Nothing is left behind: its folders are temporary ones.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from diehl_cook.diehl_cook_2015 import DiehlCook2015
from diehl_cook.learning import start
from diehl_cook.showing import show
from numpy.typing import NDArray
from tables import Results, machines, run, table

import fspinn
from fspinn.backends.brian2 import engine as brian2_engine
from fspinn.backends.brian2.positions import presentations
from fspinn.backends.brian2.simulation import TARGETS, Recorded
from fspinn.backends.numba import engine
from fspinn.base.randomness import TRAINING_SPIKES, WEIGHTS, stream_key, uniforms
from fspinn.base.settings import settings_of, with_settings
from fspinn.lowering.compiler import learning_plan
from fspinn.lowering.plan import Plan
from fspinn.network.encoders import BatchEncoder, Spikes, encoding_of
from fspinn.network.plasticity import initial_weights, natural_weight_norm
from fspinn.network.setup import Setup

NETWORKS = {
    "ours": Setup(),
    "layer": with_settings(
        Setup(),
        {
            "dt_ms": 0.5,
            "refractory_ms": 5.0,
            "threshold": 3.0,
            "inhibition": "layer",
            "inhibition_strength": 1.5,
            "inhibition_ms": 2.0,
            "rule": "pair",
            "learning_rate": 0.005,
            "learning_rate_end": 0.0005,
            "depression_rate": 0.00005,
            "adaptation": "decaying",
            "theta_step": 0.05,
            "theta_step_end": 0.05,
            "normalisation": "l1",
        },
    ),
}
TITLES = {
    "ours": "the default network: rule `normalised`, direct inhibition, steps of 1 ms",
    "layer": "two populations after Diehl & Cook: rule `pair`, a layer inhibits, steps of 0.5 ms",
}
PUBLISHED = {"400": {"cython": 20, "cpp_standalone": 300}, "4900": {"cpp_standalone": 40}}
"""Numbers of neurons of the published network, and of images for each target."""
SIZES = {"100": 3000, "400": 1500, "1600": 400, "4900": 150}
"""Numbers of neurons, and of images to time with; the slower targets of Brian2 see the first few."""

FIRST_FEW = {"numpy": 20, "cython": 40}
LARGEST_OF_ALL_TARGETS = 1600
PARTS = (
    *(f"{name}-{size}" for name in NETWORKS for size in SIZES),
    *(f"published-{size}" for size in PUBLISHED),
    "compilation",
)

TRAINED_ON = 1000
TOTAL = 60_000
ROUNDS = 3


def measure(part: str) -> dict[str, Any]:
    if part == "compilation":
        return {"neurons": 400, **{f"{target}_s": compilation_s(target) for target in ("numba", *TARGETS)}}
    name, size = part.split("-")
    if name == "published":
        return measure_published(size)
    images = fspinn.datasets.load("mnist").train.images[: TRAINED_ON + SIZES[size]]
    numbers = {"cpp_standalone": SIZES[size]}
    if int(size) <= LARGEST_OF_ALL_TARGETS:
        numbers = {**FIRST_FEW, **numbers}
    return compare(with_settings(NETWORKS[name], {"neurons": int(size)}), images, numbers, TRAINED_ON)


def compare(
    setup: Setup, images: NDArray[np.uint8], numbers: Mapping[str, int], trained_on: int
) -> dict[str, Any]:
    """Return seconds per image of the Numba engine, before and after each target of Brian2, and of these."""
    setup, weights, theta = trained(setup, images[:trained_on])
    shown = images[trained_on:]

    def learn(real: type[np.float32 | np.float64]) -> tuple[float, NDArray[np.int32], fspinn.Activity]:
        own_weights, own_theta = weights.astype(real), theta.astype(real)
        started = time.process_time()
        spikes = encoded(setup, shown, trained_on)
        response = engine.learn(plan_of(setup, own_weights, own_theta), spikes, TOTAL)
        return (time.process_time() - started) / len(shown), response.spike_counts, response.activity[0]

    def rounds() -> None:
        for _ in range(ROUNDS):
            single_s.append(learn(np.float32)[0])
            double_s.append(learn(np.float64)[0])

    _, counts, activity = learn(np.float64)  # compiles
    single_s: list[float] = []
    double_s: list[float] = []
    rounds()
    brian2 = {}
    for target, number in numbers.items():
        spikes, plan = encoded(setup, shown[:number], trained_on), plan_of(setup, weights, theta)
        seen = presentations(plan.layers[0], spikes)
        recorded = brian2_engine.simulate_learning(plan, (weights, theta), seen, TOTAL, target=target)
        brian2[target] = {
            "images": number,
            "training_s": recorded.run_s / number,
            "images_with_other_spikes": other_spikes(setup.network, recorded, counts[:number]),
        }
        rounds()
    return {
        "settings": settings_of(setup),
        "seeds": (0,),
        "images": len(shown),
        "numba_s": np.mean(single_s),
        "numba_double_s": np.mean(double_s),
        "brian2": brian2,
        "input_spikes": activity.per_sample("input_spikes"),
        "output_spikes": activity.per_sample("output_spikes"),
    }


def measure_published(size: str) -> dict[str, Any]:
    """Return seconds per image of Diehl & Cook's network in Brian2, and of the default one in Numba.

    Brian2's starts untrained, and no image is shown twice: a stand-alone program cannot do that.
    """
    images = fspinn.datasets.load("mnist").train.images[: TRAINED_ON + SIZES[size]]
    ours = compare(with_settings(NETWORKS["ours"], {"neurons": int(size)}), images, {}, TRAINED_ON)
    network = DiehlCook2015(neurons=int(size), least_spikes=0)
    weights, theta = start(network, images[0].size, seed=0)
    brian2 = {}
    for target, number in PUBLISHED[size].items():
        shown = show(network, weights, theta, images[:number], learning=True, seed=0, first=0, target=target)
        brian2[target] = {
            "images": number,
            "training_s": shown.run_s / number,
            "output_spikes": shown.output_spikes / number,
        }
    return {**ours, "settings": asdict(network), "brian2": brian2}


def encoded(setup: Setup, images: NDArray[np.uint8], first: int) -> Spikes:
    """Return the spikes of these images as presentations from number `first` on."""
    return BatchEncoder(encoding_of(setup.network)).encode(images, 0, TRAINING_SPIKES, first)


def plan_of(setup: Setup, weights: NDArray[Any], theta: NDArray[Any]) -> Plan:
    """Return the plan of a setup that learns."""
    return learning_plan(setup.network, setup.learner, weights, theta)


def untrained(
    setup: Setup, images: NDArray[np.uint8]
) -> tuple[Setup, NDArray[np.float32], NDArray[np.float32]]:
    """Return a setup with its norm settled, and the weights and thresholds it starts with."""
    if settings_of(setup)["weight_norm"] is None:
        setup = with_settings(setup, {"weight_norm": natural_weight_norm(images)})
    (layer,), n_inputs = setup.network.layers, images[0].size
    random = uniforms(stream_key(0, WEIGHTS), n_inputs * layer.neurons)
    weights = initial_weights(layer, setup.learner, n_inputs, random)
    return setup, weights, np.zeros(layer.neurons, np.float32)


def trained(
    setup: Setup, images: NDArray[np.uint8]
) -> tuple[Setup, NDArray[np.float32], NDArray[np.float32]]:
    """Return a setup with its norm settled, weights and thresholds after these images."""
    setup, weights, theta = untrained(setup, images)
    engine.learn(plan_of(setup, weights, theta), encoded(setup, images, 0), TOTAL)
    return setup, weights, theta


def other_spikes(network: fspinn.Network, recorded: Recorded, counts: NDArray[np.int32]) -> int:
    """Return for how many images any neuron of Brian2 spiked more or less often than `counts` says."""
    got = np.zeros_like(counts)
    np.add.at(got, (recorded.spike_steps // network.steps, recorded.spike_neurons), 1)
    return int((got != counts).any(axis=1).sum())


def compilation_s(target: str) -> float:
    """Return the wall-clock seconds until the first time step in a process that finds nothing compiled."""
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(
            [sys.executable, "-c", f"import engines; print(engines.first_step_s({target!r}, {folder!r}))"],
            env={**os.environ, "NUMBA_CACHE_DIR": folder, "PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            check=True,
        )
    return float(answer.stdout)


def first_step_s(target: str, cache: str) -> float:
    """Return the wall-clock seconds until the first time step (of the Numba engine: all of one image)."""
    images = fspinn.datasets.load("mnist").train.images[:1]
    setup = NETWORKS["ours"]
    if target == "numba":
        started = time.perf_counter()
        trained(setup, images)
        return time.perf_counter() - started
    setup, weights, theta = trained(setup, images)
    keep_cython_in(cache)
    spikes, plan = encoded(setup, images, 1), plan_of(setup, weights, theta)
    seen = presentations(plan.layers[0], spikes)
    return brian2_engine.simulate_learning(plan, (weights, theta), seen, TOTAL, target=target).build_s


def keep_cython_in(folder: str) -> None:
    import brian2

    brian2.prefs["codegen.runtime.cython.cache_dir"] = folder


def render(results: Results) -> str:
    compared = {part: result for part, result in results.items() if part.split("-")[0] in NETWORKS}
    head = [
        "neurons",
        "Brian2 `numpy` (samples/s)",
        "`cython`",
        "`cpp_standalone`",
        "Numba engine (samples/s)",
        "times `cython`",
        "times `cpp_standalone`",
        "in double precision (samples/s)",
        "times `cpp_standalone`",
    ]
    blocks = []
    for name in NETWORKS:
        rows = [row(result) for part, result in compared.items() if part.split("-")[0] == name]
        if rows:
            blocks.append(f"Training {TITLES[name]}:\n\n{table(head, rows)}")
    published = [row(result) for part, result in results.items() if part.startswith("published")]
    if published:
        kept = (0, 2, 3, 4, 5, 6)  # neither the target `numpy` nor double precision
        names = ["neurons", "Brian2 `cython` (samples/s)", *(head[column] for column in kept[2:])]
        rows = [[cells[column] for column in kept] for cells in published]
        blocks.append(
            "Training the published network in Brian2 (`benchmarks/diehl_cook`: conductances, two "
            "populations, steps of 0.5 ms, no image shown twice), beside the default network in the Numba "
            f"engine; these are different networks:\n\n{table(names, rows)}"
        )
    if compared:
        several = [brian2 for result in compared.values() for brian2 in result["brian2"].values()]
        blocks.append(
            "MNIST, the same network, time step, images and input spikes on both sides of a row, in one run; "
            "processor time of one core from the first time step to the last. Brian2 computes in double "
            "precision and gets its input spikes ready made; the Numba engine trains in single precision and "
            "encodes in this time. Brian2 had the output spikes of the Numba engine in double precision for "
            f"all but {sum(brian2['images_with_other_spikes'] for brian2 in several):,} of "
            f"{sum(brian2['images'] for brian2 in several):,} images. {machines(results)}."
        )
    if "compilation" in results:
        build = results["compilation"]
        blocks.append(
            f"Before the first time step ({build['neurons']} neurons, wall-clock): Brian2 "
            + ", ".join(f"`{target}` {build[f'{target}_s']:.0f} s" for target in TARGETS)
            + f"; the Numba engine {build['numba_s']:.0f} s. `cpp_standalone` compiles again in every run; "
            "`cython` and Numba keep what they compiled."
        )
    return "\n\n".join(blocks)


def row(result: dict[str, Any]) -> list[object]:
    """Return one line of the table."""
    seconds = {target: brian2["training_s"] for target, brian2 in result["brian2"].items()}
    single, double, standalone = result["numba_s"], result["numba_double_s"], seconds["cpp_standalone"]
    return [
        result["settings"]["neurons"],
        *(f"{1 / seconds[target]:,.1f}" if target in seconds else "" for target in TARGETS),
        f"{1 / single:,.0f}",
        f"{seconds['cython'] / single:,.0f}" if "cython" in seconds else "",
        f"{standalone / single:,.0f}",
        f"{1 / double:,.0f}",
        f"{standalone / double:,.0f}",
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cython_cache:
        keep_cython_in(cython_cache)
        run("engines", PARTS, measure, render)
