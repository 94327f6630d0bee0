"""How does the energy of logic change with technology? After Stillmaker & Baas.

A. Stillmaker and B. Baas, "Scaling equations for the accurate prediction of CMOS device performance from 180
nm to 7 nm", Integration 58, 74-81 (2017): the energy of a gate at supply V is ``a V^2 + b V + c``, with
coefficients for each node. They were read in the package hwcomponents, which says to have compared them with
the authors' erratum [S2]; between two nodes they are interpolated linearly. Below 20 nm the rule is too
hopeful (3 to 7 times below published tables), and SRAM does not follow it: `fspinn.memmodel.sram` has its own
law.
"""

import numpy as np

_COEFFICIENTS = {
    7: (0.1776, -0.09097, 0.02447),
    10: (0.2068, -0.09311, 0.02375),
    14: (0.2363, -0.09675, 0.02239),
    16: (0.2958, -0.1241, 0.03024),
    20: (0.373, -0.1582, 0.04104),
    32: (0.9559, -0.7823, 0.471),
    45: (1.103, -0.362, 0.2767),
    65: (3.755, -4.398, 1.975),
    90: (4.762, -4.781, 2.092),
    130: (7.171, -6.709, 2.904),
}


def gate_energy(node_nm: float, vdd_v: float) -> float:
    """Return the energy of a gate, in the units of Stillmaker & Baas; only ratios mean something.

    >>> round(gate_energy(65, 1.2) / gate_energy(45, 0.9), 2)
    2.49
    """
    energies = [np.polyval(numbers, vdd_v) for numbers in _COEFFICIENTS.values()]
    return float(np.interp(node_nm, list(_COEFFICIENTS), energies))
