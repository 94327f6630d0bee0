"""The search: what it reaches on MNIST, whether its sampler beats chance, and what a second worker brings.

    python benchmarks/search.py [PART ...] [--write]

The parts `mnist-90` to `fashion-mnist-75-1000` ask for an accuracy, of the default space; those that end in
`-dense` of dense networks alone, with the settings of the tuned presets and sizes around theirs. `linear` is
what they have to bear comparison with. `bayes` compares 40 networks drawn by Optuna's samplers with 40 drawn
at random. `workers` times one study with one and with two workers.
"""

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn import presets
from fspinn.base.amounts import memory_text
from fspinn.network.setup import Setup
from fspinn.search import Trial
from fspinn.search.linear import linear_classifiers

MEMORY = "256 KiB"

TARGETS: dict[str, dict[str, Any]] = {
    "mnist-90": {"images": "mnist", "accuracy": 0.90},
    "mnist-97": {"images": "mnist", "accuracy": 0.97},
    "mnist-90-1000": {"images": "mnist", "accuracy": 0.90, "labels": 1000},
    "fashion-mnist-80": {"images": "fashion-mnist", "accuracy": 0.80},
    "fashion-mnist-75-1000": {"images": "fashion-mnist", "accuracy": 0.75, "labels": 1000},
    "mnist-90-dense": {
        "images": "mnist",
        "accuracy": 0.90,
        "memory": "24 KiB",
        "preset": "mnist-100-linear",
        "neurons": (40, 50, 64, 80, 100),
    },
    "mnist-95-dense": {
        "images": "mnist",
        "accuracy": 0.95,
        "memory": "128 KiB",
        "preset": "mnist-400-linear",
        "neurons": (300, 340, 400, 460, 530),
    },
    "fashion-mnist-80-dense": {
        "images": "fashion-mnist",
        "accuracy": 0.80,
        "memory": "128 KiB",
        "preset": "fashion-mnist-100-linear",
        "neurons": (80, 100, 130, 170, 220),
    },
}
"""What is asked for, and of dense networks where from."""

VARIANTS: dict[str, tuple[Any, ...]] = {
    "weights": ("UQ0.2", "UQ0.3", "UQ0.4"),
    "state": ("16 bits",),
    "prune": (True,),
    "readout": ("linear", "proportion"),
}
SEEDS = (0, 1, 2)

LINEAR_BITS = (2, 3, 4, 8)
"""Of the weights of the linear classifiers that the answers have to bear comparison with."""

NETWORKS = 40
NETWORK_SIZES = (10, 14, 20, 28, 40, 56, 80, 113, 160)
SAMPLER_SEEDS = (0, 1, 2, 3, 4)
REFERENCE = (0.5, math.log2(8192 * 16))
"""Accuracy and logarithm of memory (16 KiB) from which the hypervolume counts."""

WORKER_NETWORKS = 24

PARTS = (*TARGETS, "linear", "bayes", "workers")


def measure(part: str) -> dict[str, Any]:
    if part == "linear":
        return linear()
    if part == "bayes":
        return bayes()
    if part == "workers":
        return workers()
    settings = TARGETS[part]
    return {"settings": settings, "seeds": SEEDS, "answers": [reached(settings, seed) for seed in SEEDS]}


def reached(settings: dict[str, Any], seed: int) -> dict[str, Any]:
    """Search once; the test images are used for the answer, where there is one."""
    data = fspinn.datasets.load(settings["images"], seed=seed)
    space = None
    if "preset" in settings:
        chosen = presets.load(settings["preset"])
        space = fspinn.search.Space(
            Setup(chosen.network, chosen.learner), {**VARIANTS, "neurons": settings["neurons"]}
        )
    asked = {"accuracy": settings["accuracy"], "labels": settings.get("labels")}
    asked["memory"] = settings.get("memory", MEMORY)
    result = fspinn.find_smallest(data, space=space, seed=seed, **asked)
    nearest = result.nearest
    return {
        "found": result.found,
        "network": str(nearest.candidate),
        "memory_kib": nearest.memory_bits / 8192,
        "validation": 100 * (nearest.accuracy or 0.0),
        "test": None if result.test is None else 100 * result.test.accuracy,
        "energy_uj": nearest.cost.energy_pj / 1e6,
        "seconds": result.seconds,
    }


def linear() -> dict[str, Any]:
    """Return what linear classifiers on the pixels reach on validation images."""
    found: list[dict[str, Any]] = []
    for name, labels in product(("mnist", "fashion-mnist"), (None, 1000)):
        images = [fspinn.datasets.load(name, seed=seed) for seed in SEEDS]
        by_seed = [linear_classifiers(data, LINEAR_BITS, labels=labels, seed=data.seed) for data in images]
        found.extend(
            {
                "images": name,
                "labels": labels,
                "bits": several[0].weight_bits,
                "memory_kib": [one.memory_bits / 8192 for one in several],
                "validation": [100 * one.accuracy for one in several],
            }
            for several in zip(*by_seed, strict=True)
        )
    return {"settings": {"bits": LINEAR_BITS}, "seeds": SEEDS, "classifiers": found}


def bayes() -> dict[str, Any]:
    """Return the hypervolumes that the sampler and chance reach on digits, by seed."""
    data = fspinn.datasets.load("digits")
    found: dict[str, list[float]] = {}
    for sampler in ("gp", "tpe", "random") if find_spec("torch") else ("tpe", "random"):
        found[sampler] = [hypervolume(drawn(data, sampler, seed)) for seed in SAMPLER_SEEDS]
    return {"settings": {"networks": NETWORKS}, "seeds": SAMPLER_SEEDS, "hypervolumes": found}


def drawn(data: Any, sampler: str, seed: int, networks: int = NETWORKS) -> list[Trial]:
    """Return the trials of the networks that a sampler draws, without what the search adds to them."""
    told: list[list[Trial]] = []
    fspinn.find_smallest(
        data,
        accuracy=REFERENCE[0],
        strategy="bayes",
        sampler=sampler,
        sizes=NETWORK_SIZES,
        trials=networks,
        seeds=1,
        seed=seed,
        on_trials=told.append,
        progress=False,
    )
    return [trial for trials in told[:networks] for trial in trials]


def hypervolume(trials: Sequence[Trial]) -> float:
    """Return the area that trials dominate: accuracy in points, memory in doublings."""
    worst, largest = REFERENCE
    points = sorted(
        (math.log2(trial.memory_bits), -trial.accuracy) for trial in trials if trial.accuracy is not None
    )
    area, best, at = 0.0, worst, 0.0
    for memory, accuracy in ((memory, -negative) for memory, negative in points):
        if memory >= largest:
            break
        area += (memory - at) * (best - worst)
        at, best = memory, max(best, accuracy)
    return 100 * (area + (largest - at) * (best - worst))


def workers() -> dict[str, Any]:
    """Return the seconds of one study on digits with one and with two workers, three times in turn."""
    data = fspinn.datasets.load("digits")
    seconds: dict[str, list[float]] = {"1": [], "2": [], "dask 1": [], "dask 2": []}
    for _ in range(3):
        for count in (1, 2):
            seconds[str(count)].append(timed(data, workers=count))
            with cluster(count) as address:
                seconds[f"dask {count}"].append(timed(data, scheduler=address))
    return {"settings": {"networks": WORKER_NETWORKS}, "seeds": (0,), "seconds": seconds}


def timed(data: Any, **where: Any) -> float:
    """Return the seconds of one study of networks of one size; each worker has one thread."""
    space = fspinn.search.Space(
        Setup(),
        {
            "neurons": (200,),
            "passes": (60,),
            "threshold": tuple(10.0 + number for number in range(WORKER_NETWORKS)),
            "weights": ("UQ0.4",),
            "readout": ("proportion",),
        },
    )
    started = time.perf_counter()
    fspinn.find_smallest(data, accuracy=0.98, space=space, seeds=1, threads=1, progress=False, **where)
    return time.perf_counter() - started


@contextmanager
def cluster(count: int) -> Iterator[str]:
    """Give the address of a Dask scheduler with some workers of one thread each."""
    from distributed import Client

    with tempfile.TemporaryDirectory() as folder:
        contact = Path(folder, "scheduler.json")
        common = ["--scheduler-file", str(contact), "--no-dashboard"]
        dask = [sys.executable, "-m", "dask"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *common]
        worker = [*dask, "worker", "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", *common]
        processes = [subprocess.Popen(scheduler, **quiet)]  # type: ignore[call-overload]
        try:
            while not contact.exists():
                time.sleep(0.1)
            processes += [subprocess.Popen(worker, **quiet) for _ in range(count)]  # type: ignore[call-overload]
            with Client(scheduler_file=str(contact), set_as_default=False) as client:
                client.wait_for_workers(count)
                address = client.scheduler.address
            yield address
        finally:
            for process in processes:
                process.kill()
                process.wait()


def render(results: Results) -> str:
    parts = [targets({name: result for name, result in results.items() if "answers" in result})]
    if "linear" in results:
        parts.append(rivals(results["linear"]))
    if "bayes" in results:
        parts.append(sampled(results["bayes"]))
    if "workers" in results:
        parts.append(shared(results["workers"]))
    return "\n\n".join([*(part for part in parts if part), f"{machines(results)}."])


def targets(results: Results) -> str:
    rows = []
    for part, result in results.items():
        settings, answers = result["settings"], result["answers"]
        tests = [answer["test"] for answer in answers if answer["test"] is not None]
        rows.append(
            [
                f"{settings['images']}{', dense layers alone' * part.endswith('-dense')}",
                f"{100 * settings['accuracy']:g}",
                f"{settings['labels']:,}" if "labels" in settings else "all",
                f"{sum(answer['found'] for answer in answers)} of {len(answers)}",
                "; ".join(dict.fromkeys(answer["network"] for answer in answers)),
                spread([answer["memory_kib"] for answer in answers]),
                spread([answer["validation"] for answer in answers], "{:.1f}"),
                spread(tests) if tests else "not used",
                spread([answer["energy_uj"] for answer in answers]),
                spread([answer["seconds"] / 60 for answer in answers], "{:.1f}"),
            ]
        )
    if not rows:
        return ""
    head = [
        "images",
        "target (%)",
        "labels",
        "found",
        "smallest network, or the nearest",
        "memory (KiB)",
        "validation (%)",
        "test (%)",
        "energy (µJ/image)",
        "minutes",
    ]
    note = (
        f"At most {MEMORY} (dense layers alone 24 or 128 KiB), all that a device needs to answer. "
        "The default space, columns and dense "
        "networks, or dense networks alone with the settings of the tuned presets. Integers throughout, "
        "silent neurons and unused pixels dropped. The lower end of the 95 % interval on validation images "
        "meets the target, as the mean of three trainings, and the test images are used once, for it. "
        "Mean ± standard deviation "
        f"over seeds {seeds(results)}, each with its own validation split. "
        "Minutes on one core, with other work beside."
    )
    return f"{table(head, rows)}\n\n{note}"


def rivals(result: dict[str, Any]) -> str:
    rows = [
        [
            found["images"],
            f"{found['labels']:,}" if found["labels"] else "all",
            found["bits"],
            spread(found["memory_kib"], "{:.1f}"),
            spread(found["validation"], "{:.1f}"),
        ]
        for found in result["classifiers"]
    ]
    note = (
        "Without any spikes: logistic regression on the pixels, rounded after training, pixels without any "
        f"weight dropped. Mean ± standard deviation over the same splits, seeds {seeds({'linear': result})}."
    )
    head = ["linear classifier on", "labels", "bits of a weight", "memory (KiB)", "validation (%)"]
    return f"{table(head, rows)}\n\n{note}"


def sampled(result: dict[str, Any]) -> str:
    found = result["hypervolumes"]
    rows = [[name, spread(values, "{:.1f}")] for name, values in found.items()]
    won = ", ".join(
        f"{name} {sum(ours > chance for ours, chance in zip(values, found['random'], strict=True))}"
        for name, values in found.items()
        if name != "random"
    )
    least = memory_text(2 ** REFERENCE[1])
    note = (
        f"Digits: {result['settings']['networks']} networks drawn by a sampler of Optuna's or at random, all "
        "their variants measured. Hypervolume: the area between the Pareto front and "
        f"{100 * REFERENCE[0]:g} % at {least}, in percentage points times doublings of memory; mean ± "
        f"standard deviation over seeds {', '.join(map(str, result['seeds']))}, of which chance loses: {won}."
    )
    return f"{table(['sampler', 'hypervolume'], rows)}\n\n{note}"


def shared(result: dict[str, Any]) -> str:
    seconds = result["seconds"]
    rows = [
        [
            words,
            spread(seconds[f"{kind}1"], "{:.0f}"),
            spread(seconds[f"{kind}2"], "{:.0f}"),
            spread([a / b for a, b in zip(seconds[f"{kind}1"], seconds[f"{kind}2"], strict=True)]),
        ]
        for words, kind in (("processes", ""), ("Dask", "dask "))
    ]
    note = (
        f"One study of {result['settings']['networks']} networks of 200 neurons on digits, 60 passes, "
        "one thread per worker; the start of the processes counts, that of the cluster does not. Three runs "
        "in turn."
    )
    head = ["workers", "one (s)", "two (s)", "times as fast with two"]
    return f"{table(head, rows)}\n\n{note}"


if __name__ == "__main__":
    run("search", PARTS, measure, render)
