"""What does an SRAM cost? Laws fitted to CACTI 7: energy of an access, and area.

Energy of reading or writing one word, in femtojoules, with the node F in nm, the supply V in volts, words
of w bits and a capacity of C bits:

    E = F^a V^2 (b + c w) C^q

Charge times voltage gives V^2; b is what every access pays (decoders, word lines), c what each bit pays.
Area in um2, with F in um: ``A = F^2 (k C + m sqrt(C w))``, cells and the periphery along two edges.

The forms and the numbers are this project's own, fitted to single-bank SRAMs of 1 KiB to 4 MiB, words of 8
to 128 bits, 22 to 90 nm, at 300 K, as CACTI 7 describes them; other sizes are extrapolated.
``benchmarks/sram_law.py`` makes the fit and measures its errors on rows held out: median 8 %, 90th percentile
25 % for accesses, 6 % and 15 % for areas. CACTI itself is about 2.2 times below published memories; that
factor is the hardware's ``kappa``, not part of the law.
"""

from typing import Any, NamedTuple

import numpy as np


class Coefficients(NamedTuple):
    """Numbers of the energy law for one kind of cell and one direction."""

    a: float
    b: float
    c: float
    q: float


CELLS = ("lstp", "lop", "hp")
"""Kinds of cell by CACTI's names: low standby power, low operating power, high performance."""

READ = {
    "lstp": Coefficients(1.132, 0.03604, 0.0008423, 0.5712),
    "lop": Coefficients(1.182, 0.0515, 0.001193, 0.5399),
    "hp": Coefficients(1.177, 0.06285, 0.001192, 0.5213),
}
WRITE = {
    "lstp": Coefficients(1.226, 0.05461, 0.004937, 0.4844),
    "lop": Coefficients(1.254, 0.04962, 0.004035, 0.4868),
    "hp": Coefficients(1.191, 0.06898, 0.006544, 0.4688),
}
AREA = (211.1, 527.2)
"""The numbers k and m of the area law, one pair for all kinds of cell."""


def read_pj(node_nm: float, vdd_v: float, cell: str, word_bits: Any, capacity_bits: Any) -> Any:
    """Return the energy of reading one word, in picojoules, for a kind of cell; numbers or arrays."""
    return energy_pj(READ[cell], node_nm, vdd_v, word_bits, capacity_bits)


def write_pj(node_nm: float, vdd_v: float, cell: str, word_bits: Any, capacity_bits: Any) -> Any:
    """Return the energy of writing one word; as `read_pj`."""
    return energy_pj(WRITE[cell], node_nm, vdd_v, word_bits, capacity_bits)


def area_um2(node_nm: Any, word_bits: Any, capacity_bits: Any, law: tuple[float, float] = AREA) -> Any:
    """Return the area of one SRAM in um2, by CACTI; a chip takes more (the hardware's ``area.kappa``)."""
    cells, edges = law
    return (node_nm / 1000) ** 2 * (cells * capacity_bits + edges * np.sqrt(capacity_bits * word_bits))


def energy_pj(law: Coefficients, node_nm: Any, vdd_v: Any, word_bits: Any, capacity_bits: Any) -> Any:
    """Return the energy of an access by a law: ``F^a V^2 (b + c w) C^q``, in picojoules."""
    per_word = law.b + law.c * word_bits
    return node_nm**law.a * vdd_v**2 * per_word * np.power(capacity_bits, law.q, dtype=np.float64) / 1000
