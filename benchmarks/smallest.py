"""The smallest networks that `fspinn search` finds with its defaults.

python benchmarks/smallest.py [digits] [mnist] [--write]
"""

import time
from typing import Any

from tables import Results, machines, run, seeds, spread, table

import fspinn

SEEDS = (0, 1, 2)
PARTS = {"digits": 0.90, "mnist": 0.95}
"""Images, and the accuracy to reach."""
MEMORY = "256 KiB"


def measure(name: str) -> dict[str, Any]:
    return {
        "settings": {"accuracy": PARTS[name], "memory": MEMORY},
        "seeds": SEEDS,
        "answers": [answer(name, seed) for seed in SEEDS],
    }


def answer(name: str, seed: int) -> dict[str, Any]:
    data = fspinn.datasets.load(name, seed=seed)
    started = time.perf_counter()
    result = fspinn.find_smallest(data, accuracy=PARTS[name], memory=MEMORY, seed=seed, workers=2)
    seconds = time.perf_counter() - started
    assert result.found, f"{name}, seed {seed}: nothing found"
    trial = result.nearest
    return {
        "network": str(trial.candidate),
        "memory_kib": trial.memory_bits / 8192,
        "validation": 100 * trial.accuracy,
        "test": 100 * result.test.accuracy,
        "energy_uj": trial.cost.energy_pj / 1e6,
        "seconds": seconds,
    }


def render(results: Results) -> str:
    rows = []
    for name, result in results.items():
        answers = result["answers"]
        figures = {key: [answer[key] for answer in answers] for key in answers[0]}
        rows.append(
            [
                name,
                f"{100 * result['settings']['accuracy']:g}",
                "; ".join(dict.fromkeys(figures["network"])),
                spread(figures["memory_kib"]),
                *(spread(figures[key], "{:.1f}") for key in ("validation", "test")),
                spread(figures["energy_uj"]),
                spread(figures["seconds"], "{:.0f}"),
            ]
        )
    head = [
        "images",
        "target (%)",
        "smallest network",
        "memory (KiB)",
        "validation (%)",
        "test (%)",
        "energy (µJ/image)",
        "search (s)",
    ]
    note = (
        "`fspinn search --memory 256KiB --workers 2`: memory for inference with the readout counted; "
        "energy is an estimate for `asic65-lp`, to a factor of two; the test images are used once, for the "
        "winner. Mean ± standard deviation over seeds "
        f"{seeds(results)}, each with its own validation split. {machines(results)}."
    )
    return f"{table(head, rows)}\n\n{note}"


if __name__ == "__main__":
    run("smallest", PARTS, measure, render)
