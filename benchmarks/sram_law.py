"""The SRAM law of `fspinn.memmodel.sram`: its fit to CACTI 7 and its errors on rows it has not seen.

    python benchmarks/sram_law.py

`calibration/cacti_sram.csv` holds CACTI 7's answers for single-bank SRAMs (HewlettPackard/cacti, optimised
for energy first). Only 300 K is fitted: access energies at 350 K are the same.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from fspinn.memmodel import sram

CALIBRATION = Path(__file__).parent / "calibration" / "cacti_sram.csv"
FOLDS = 5
TARGETS = {"read": (0.12, 0.33), "write": (0.12, 0.28), "area": (0.08, None)}
"""Largest median and 90th percentile of the relative error that is allowed on rows held out; of areas only
the median."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """CACTI's answers, one entry a row."""

    node_nm: Floats
    vdd_v: Floats
    cell: NDArray[np.str_]
    word_bits: Floats
    capacity_bits: Floats
    read: Floats
    write: Floats
    area: Floats

    def take(self, chosen: NDArray[np.bool_]) -> "Rows":
        """Return the rows that are chosen."""
        return Rows(**{name: values[chosen] for name, values in vars(self).items()})


def calibration_rows() -> Rows:
    """Return the rows of the calibration file at 300 K."""
    with open(CALIBRATION, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if float(row["temp_K"]) == 300]

    def column(name: str) -> Floats:
        return np.array([float(row[name]) for row in rows])

    return Rows(
        node_nm=column("tech_nm"),
        vdd_v=column("vdd_V"),
        cell=np.array([row["cell"].removeprefix("itrs-") for row in rows]),
        word_bits=column("word_bits"),
        capacity_bits=8 * column("capacity_B"),
        read=column("read_pJ"),
        write=column("write_pJ"),
        area=column("area_um2"),
    )


def folds(rows: Rows) -> Floats:
    """Return the fold, 0 to 4, in which each row is held out; drawn once."""
    drawn: Floats = np.random.default_rng(0).permutation(len(rows.node_nm)) % FOLDS
    return drawn


def fit_energy(rows: Rows, direction: str) -> dict[str, sram.Coefficients]:
    """Fit the energy law to each kind of cell; errors are relative, large ones count less (soft L1)."""
    found = {}
    for cell in sram.CELLS:
        some = rows.take(rows.cell == cell)
        log_energy = np.log(1000 * getattr(some, direction) / some.vdd_v**2)

        def misfit(x: Floats, some: Rows = some, log_energy: Floats = log_energy) -> Floats:
            per_word = np.exp(x[1]) + np.exp(x[2]) * some.word_bits
            found = x[0] * np.log(some.node_nm) + np.log(per_word) + x[3] * np.log(some.capacity_bits)
            return np.asarray(found - log_energy)

        a, log_b, log_c, q = least_squares(misfit, [1.2, -3, -6, 0.5], loss="soft_l1", f_scale=0.1).x
        found[cell] = sram.Coefficients(a, np.exp(log_b), np.exp(log_c), q)
    return found


def fit_area(rows: Rows) -> tuple[float, float]:
    """Fit the area law to all kinds of cell together."""
    square_um = (rows.node_nm / 1000) ** 2

    def misfit(x: Floats) -> Floats:
        area = square_um * (x[0] * rows.capacity_bits + x[1] * np.sqrt(rows.capacity_bits * rows.word_bits))
        return np.asarray(np.log(area / rows.area))

    cells, edges = least_squares(misfit, [200.0, 500.0], loss="soft_l1", f_scale=0.1).x
    return float(cells), float(edges)


def held_out(rows: Rows, quantity: str, groups: Floats) -> dict[str, float]:
    """Return the relative errors of the law on every row, fitted each time without the row's group.

    Parameters
    ----------
    rows : Rows
    quantity : {"read", "write", "area"}
    groups : ndarray, shape (n_rows,)
        Rows of equal value are held out together.

    Returns
    -------
    dict of str to float
        Median, 90th percentile and maximum.
    """
    error = np.empty(len(groups))
    for group in np.unique(groups):
        unseen = groups == group
        seen, some = rows.take(~unseen), rows.take(unseen)
        if quantity == "area":
            found = sram.area_um2(some.node_nm, some.word_bits, some.capacity_bits, fit_area(seen))
        else:
            laws = fit_energy(seen, quantity)
            law = sram.Coefficients(*np.array([laws[cell] for cell in some.cell]).T)
            found = sram.energy_pj(law, some.node_nm, some.vdd_v, some.word_bits, some.capacity_bits)
        error[unseen] = np.abs(found / getattr(some, quantity) - 1)
    median, p90 = np.percentile(error, [50, 90])
    return {"median": float(median), "p90": float(p90), "max": float(error.max())}


def all_errors(rows: Rows) -> dict[str, dict[str, dict[str, float]]]:
    """Return the held-out errors of each quantity: five folds, and a node, size or width left out."""
    ways = {
        "five folds": folds(rows),
        "a node left out": rows.node_nm,
        "a capacity left out": rows.capacity_bits,
        "a word width left out": rows.word_bits,
    }
    return {
        quantity: {way: held_out(rows, quantity, groups) for way, groups in ways.items()}
        for quantity in TARGETS
    }


def main() -> None:
    rows = calibration_rows()
    for direction in ("read", "write"):
        for cell, law in fit_energy(rows, direction).items():
            numbers = ", ".join(f"{name} {value:.4g}" for name, value in law._asdict().items())
            print(f"{direction:5} {cell:4} {numbers}")
    print("area       " + ", ".join(f"{value:.4g}" for value in fit_area(rows)))
    for quantity, ways in all_errors(rows).items():
        for way, error in ways.items():
            print(f"{quantity:5} {way:22} " + ", ".join(f"{k} {v:.1%}" for k, v in error.items()))


if __name__ == "__main__":
    main()
