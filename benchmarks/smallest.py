"""The smallest networks that `fspinn search` finds with its defaults.

python benchmarks/smallest.py [--write]
"""

import time

from tables import machine, publish, spread, table

import fspinn
from fspinn.search import SearchResult

SEEDS = (0, 1, 2)
JOBS = (("digits", 0.90), ("mnist", 0.90))


def main() -> None:
    rows = []
    for name, accuracy in JOBS:
        results, seconds = [], []
        for seed in SEEDS:
            data = fspinn.datasets.load(name, seed=seed)
            started = time.perf_counter()
            result = fspinn.find_smallest(data, accuracy=accuracy, memory="256 KiB", seed=seed)
            seconds.append(time.perf_counter() - started)
            assert result.found, f"{name}, seed {seed}: nothing found"
            results.append(result)
        rows.append(row(name, accuracy, results, seconds))
    publish(
        "benchmarks/smallest.py",
        "\n".join(
            [
                table(
                    [
                        "images",
                        "target (%)",
                        "smallest network",
                        "memory (KiB)",
                        "validation (%)",
                        "test (%)",
                        "energy (µJ/image)",
                        "search (s)",
                    ],
                    rows,
                ),
                "",
                "`fspinn search --memory 256KiB`: memory for inference with the readout counted, "
                "structure-aware accounting; energy is an estimate for `asic65-lp`, to a factor of two; the "
                "test images are used once, for the winner. Mean ± standard deviation over seeds "
                f"{', '.join(map(str, SEEDS))}, each with its own validation split. {machine()}.",
            ]
        ),
    )


def row(name: str, accuracy: float, results: list[SearchResult], seconds: list[float]) -> list[str]:
    found = [result.nearest for result in results]
    networks = dict.fromkeys(
        f"{trial.candidate.neurons} neurons, {trial.candidate.weights}, {trial.candidate.readout}"
        for trial in found
    )
    return [
        name,
        f"{100 * accuracy:g}",
        "; ".join(networks),
        spread([trial.candidate.memory_bits / 8192 for trial in found], "{:.1f}"),
        spread([100 * (trial.accuracy or 0) for trial in found], "{:.1f}"),
        spread([100 * result.test.accuracy for result in results if result.test], "{:.1f}"),
        spread([(trial.energy_pj or 0) / 1e6 for trial in found], "{:.1f}"),
        spread(seconds, "{:.0f}"),
    ]


if __name__ == "__main__":
    main()
