"""Accuracy against memory, all kinds beside each other: the one table of the README.

    python benchmarks/beside.py [mnist] [fashion-mnist] [--write]

Measures linear classifiers and quantized ANNs on the pixels, with their rounding in the loop. Columns and
dense layers are taken from the results of `columns.py`, `learners.py` and `search.py`, published networks
from their sources. Which sizes are shown was chosen for the table.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from tables import Results, kept, machines, run, seeds, spread, table

import fspinn
from fspinn.search.baselines import Samples
from fspinn.search.linear import linear_classifiers
from fspinn.search.perceptron import perceptrons

SEEDS = (0, 1, 2)
PARTS = ("mnist", "fashion-mnist")
LINEAR_BITS = (2, 3, 4, 8)
HIDDEN = (16, 64)
ANN_BITS = (4,)


class Size(NamedTuple):
    """Where a network stands in the results of another benchmark: its part, and what its row says."""

    benchmark: str
    part: str
    name: str
    neurons: int
    cells: int
    field: int | None = 5


class Published(NamedTuple):
    """A network of others: MNIST's test accuracy (%), KiB of its weights alone, and what it is."""

    accuracy: float
    kib: float
    network: str
    labels: str


OURS: tuple[tuple[str, str, tuple[Size | None, Size | None]], ...] = (
    (
        "column of {}, STDP",
        "readout only",
        (Size("columns", "mnist", "Q1.1", 8, 3), Size("columns", "fashion-mnist", "Q1.2", 8, 3)),
    ),
    (
        "column of {}, STDP",
        "readout only",
        (Size("columns", "mnist", "Q1.2", 16, 4), Size("columns", "fashion-mnist", "Q1.2", 64, 4)),
    ),
    (
        "column of {}, STDP, then labels",
        "all of it",
        (
            Size("learners", "mnist", "stdp+labels Q1.1", 8, 3, 7),
            Size("learners", "fashion-mnist", "stdp+labels Q1.2", 12, 3),
        ),
    ),
    (
        "column of {}, STDP, then labels",
        "all of it",
        (
            Size("learners", "mnist", "stdp+labels Q1.1", 24, 4, 7),
            Size("learners", "fashion-mnist", "stdp+labels Q1.2", 32, 4),
        ),
    ),
    (
        "dense layer of {}, surrogate gradients",
        "all of it",
        (Size("learners", "mnist-surrogate", "surrogate Q1.2", 64, 1, None), None),
    ),
)
"""Kind, what labels are for, and a network for MNIST and one for Fashion-MNIST."""

DENSE = ({"mnist": "mnist-90-dense", "fashion-mnist": "fashion-mnist-80-dense"}, {"mnist": "mnist-95-dense"})
"""Parts of `search.py` in which dense layers alone were searched."""

PUBLISHED = (
    Published(95.06, 1.47, "BitNetMCU, ternary 256-24-24-24-10", "all of it"),
    Published(98.92, 3.13, "BitNetMCU, convolutions, 16 wide", "all of it"),
    Published(99.55, 10.74, "BitNetMCU, convolutions, 64 wide, 2 bits", "all of it"),
    Published(87.0, 784 * 400 / 1024, "Diehl & Cook (2015), 400 neurons", "readout only"),
    Published(95.0, 784 * 6400 / 1024, "Diehl & Cook (2015), 6,400 neurons", "readout only"),
)


def measure(part: str) -> dict[str, Any]:
    found: dict[str, dict[str, list[float]]] = {}
    for seed in SEEDS:
        data = fspinn.datasets.load(part, seed=seed)
        samples = Samples.of(replace(data, validation=data.test))
        several = {
            f"linear, {one.weight_bits} bits": one
            for one in linear_classifiers(samples, LINEAR_BITS, seed=seed)
        }
        several |= {f"ANN, {one.hidden}": one for one in perceptrons(samples, HIDDEN, ANN_BITS, seed=seed)}
        for name, one in several.items():
            of_this = found.setdefault(name, {"memory": [], "test": []})
            of_this["memory"].append(one.memory_bits / 8192)
            of_this["test"].append(100 * one.accuracy)
    return {"settings": {"ann_bits": ANN_BITS}, "seeds": SEEDS, "found": found}


def render(results: Results) -> str:
    rows = [
        [kind.format(_neurons(both)), labels, *_cells(list(map(_figures, both)))]
        for kind, labels, both in OURS
    ]
    rows += [["dense layer, STDP", "readout only", *_cells(_dense(parts))] for parts in DENSE]
    for bits in LINEAR_BITS[:2]:
        name = f"linear classifier, {bits}-bit weights, no spikes"
        rows.append([name, "all of it", *_cells(_measured(results, f"linear, {bits} bits"))])
    for hidden in HIDDEN:
        name = f"ANN, {hidden} ReLUs, {ANN_BITS[0]}-bit weights, no spikes"
        rows.append([name, "all of it", *_cells(_measured(results, f"ANN, {hidden}"))])
    for one in PUBLISHED:
        rows.append(
            [
                one.network,
                one.labels,
                f"{one.kib:,.2f}" if one.kib < 100 else f"{one.kib:,.0f}",
                f"{one.accuracy:g}",
                "",
                "",
            ]
        )
    head = ["network", "labels are for", "MNIST: KiB", "test (%)", "Fashion-MNIST: KiB", "test (%)"]
    return f"{table(head, rows)}\n\n{_note(results)}"


def _neurons(both: tuple[Size | None, Size | None]) -> str:
    """Return the neurons for MNIST and, if they are others, for Fashion-MNIST."""
    return " / ".join(dict.fromkeys(str(size.neurons) for size in both if size is not None))


def _figures(size: Size | None) -> dict[str, list[float]] | None:
    """Return memory and test accuracy of one network, seed by seed."""
    if size is None:
        return None
    rows = kept(size.benchmark, (size.part,))[size.part]["rows"]
    wanted = (size.neurons, size.cells, size.field)
    (row,) = (
        row
        for row in rows
        if (row["neurons"], row["cells"], row.get("field", 5)) == wanted and size.name in row["found"]
    )
    figures: dict[str, list[float]] = row["found"][size.name]
    return figures


def _dense(parts: dict[str, str]) -> list[dict[str, list[float]] | None]:
    found: list[dict[str, list[float]] | None] = []
    for images in PARTS:
        answers = kept("search", (parts[images],))[parts[images]]["answers"] if images in parts else []
        figures = {
            new: [one[old] for one in answers] for new, old in (("memory", "memory_kib"), ("test", "test"))
        }
        found.append(figures if answers else None)
    return found


def _measured(results: Results, name: str) -> list[dict[str, list[float]] | None]:
    return [results[images]["found"][name] if images in results else None for images in PARTS]


def _cells(both: list[dict[str, list[float]] | None]) -> list[str]:
    """Return mean memory, and accuracy with its spread, for MNIST and Fashion-MNIST."""
    cells = []
    for one in both:
        kib = "" if one is None else f"{np.mean(one['memory']):.2f}"
        cells += [kib, "" if one is None else spread(one["test"], "{:.1f}")]
    return cells


def _note(results: Results) -> str:
    return (
        "Ours in integers, KiB of all that answering takes: weights, thresholds, readout, potentials, "
        "counters, the lines of the image that are kept; of classifiers without spikes weights, biases and "
        "sums (a pixel is used when it comes). 50,000 training images with all labels, all 10,000 test "
        f"images; mean ± standard deviation over seeds {seeds(results)}. Sizes were picked from larger "
        "tables, dense layers by STDP are the smallest that a search found for a target. Columns by STDP "
        "alone see ON and OFF of Fashion-MNIST. **Of published networks the KiB are weights alone, and the "
        "protocols are others**: BitNetMCU (github.com/cpldcpu/BitNetMCU, its best runs) sees 16 x 16 "
        "pixels; Diehl & Cook learned in floats, and 8 bits a weight are taken here. Empty: not measured, or "
        f"no figure with its memory was found. {machines(results)}."
    )


if __name__ == "__main__":
    run("beside", PARTS, measure, render)
