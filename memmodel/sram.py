"""What does an access to an SRAM cost? A law fitted to CACTI 7.

``E = (F V^2)^p (b + c w) C^q``, with the node F in nm, the supply V in volts, words of w bits and a
capacity of C bits; E is in femtojoules. The form and the coefficients are this project's own, fitted to
single-bank SRAMs of 1 KiB to 4 MiB at 22 to 90 nm and 300 K; other sizes are extrapolated.
CACTI itself is about 2.2 times below published memories; that factor
is the hardware's ``memory.kappa``, not part of the law.
"""

from typing import NamedTuple


class Coefficients(NamedTuple):
    """Numbers of the law for one kind of cell and one direction."""

    p: float
    b: float
    c: float
    q: float


CELLS = ("lstp", "lop", "hp")
"""Kinds of cell by CACTI's names: low standby power, low operating power, high performance."""

READ = {
    "lstp": Coefficients(1.075, 0.04439, 0.001039, 0.571),
    "lop": Coefficients(1.113, 0.07234, 0.001680, 0.540),
    "hp": Coefficients(1.112, 0.08066, 0.001529, 0.521),
}
WRITE = {
    "lstp": Coefficients(1.134, 0.07628, 0.006903, 0.484),
    "lop": Coefficients(1.156, 0.08061, 0.006535, 0.487),
    "hp": Coefficients(1.121, 0.09025, 0.008564, 0.469),
}


def read_pj(node_nm: float, vdd_v: float, cell: str, word_bits: int, capacity_bits: float) -> float:
    """Return the energy of reading one word.

    Parameters
    ----------
    node_nm, vdd_v : float
    cell : {"lstp", "lop", "hp"}
    word_bits : int
    capacity_bits : float

    Returns
    -------
    float
        Picojoules.
    """
    return _law_pj(READ[cell], node_nm, vdd_v, word_bits, capacity_bits)


def write_pj(node_nm: float, vdd_v: float, cell: str, word_bits: int, capacity_bits: float) -> float:
    """Return the energy of writing one word.

    Parameters
    ----------
    node_nm, vdd_v : float
    cell : {"lstp", "lop", "hp"}
    word_bits : int
    capacity_bits : float

    Returns
    -------
    float
        Picojoules.
    """
    return _law_pj(WRITE[cell], node_nm, vdd_v, word_bits, capacity_bits)


def _law_pj(law: Coefficients, node_nm: float, vdd_v: float, word_bits: int, capacity_bits: float) -> float:
    per_bit_and_word = law.b + law.c * word_bits
    return float((node_nm * vdd_v**2) ** law.p * per_bit_and_word * capacity_bits**law.q / 1000)
