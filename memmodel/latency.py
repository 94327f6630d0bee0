"""How long does an image take? Clock cycles, affine in the spikes.

This project's own model of a core with some lanes, each of which works on one neuron at a time, after the
form of the FPGA work of Aliyev and Adegbija (arXiv 2402.06211): work proportional to spikes, and an intercept
for scanning and for the neurons. With ``schedule = "event"`` every input spike is added to all neurons, with
``"clock"`` every input is, in every time step, whether it spikes or not. ``dense-sim`` adds every weight in
every time step, as simulators do.
"""

import numpy as np

from fspinn.memmodel.accesses import DENSE_PASSES, added_rows, updates
from fspinn.memmodel.footprint import COUNTED_RULES, OUTPUT_TRACES, check_accounting, matrices
from fspinn.memmodel.hardware import Cycles, Hardware
from fspinn.memmodel.packing import Numbers, shares
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import Workload
from fspinn.trained import LABEL_READOUT


def latency_cycles(
    size: Size,
    work: Workload,
    hardware: Hardware,
    training: bool,
    accounting: str,
    off_chip_bits: Numbers = 0,
) -> dict[str, Numbers]:
    """Return the clock cycles of one image, by component; their sum is how long it takes.

    Parameters
    ----------
    size : Size
    work : Workload
        Of the phase that is asked for.
    hardware : Hardware
    training : bool
    accounting : {"structure-aware", "dense-sim"}
    off_chip_bits : float or ndarray, default 0
        Bits that are moved to and from off-chip memory.

    Returns
    -------
    dict of str to float or ndarray
        Cycles, not rounded, of `steps`, `scan` (finding the input spikes), `neurons` (leak and threshold),
        `weights`, `inhibition`, `off_chip` (waiting for weights) and, while training, `learning`, `traces`
        and `normalisation`, else `readout`. Empty if the description says nothing of cycles.

    Raises
    ------
    ConfigError
        If the accounting is unknown.
    """
    check_accounting(accounting)
    cost = hardware.cycles
    if cost is None:
        return {}
    groups = shares(size.n_neurons, hardware.core.lanes)
    scan_words = shares(size.n_inputs, hardware.memory.state.word_bits)
    every_input = work.steps * size.n_inputs * groups * cost.addition
    to_all, to_one = added_rows(size, work)
    cycles = {
        "steps": work.steps * cost.step,
        "scan": work.steps * scan_words * cost.scan + work.input_spikes * cost.input_spike,
        "neurons": work.neuron_updates / size.n_neurons * groups * cost.neuron,
        "weights": (to_all * groups + to_one) * cost.addition,
        "inhibition": work.output_spikes * (cost.output_spike + groups * cost.inhibition),
    }
    if accounting == "dense-sim":
        cycles["weights"] = every_input
        cycles["inhibition"] = work.steps * size.n_neurons * matrices(size) * groups * cost.addition
    elif hardware.core.schedule == "clock":
        cycles["weights"] = every_input
        cycles["scan"] = 0 * cycles["scan"]
    if training:
        cycles |= _training(size, work, hardware, cost, groups, accounting)
    else:
        cycles["readout"] = _readout(size, work, hardware, cost, groups)
    cycles["off_chip"] = _waiting(hardware, off_chip_bits, sum(cycles.values()))
    return cycles


def _training(
    size: Size, work: Workload, hardware: Hardware, cost: Cycles, groups: Numbers, accounting: str
) -> dict[str, Numbers]:
    """Return the cycles of learning; normalisation makes three accesses where a change makes two."""
    change = updates(size, work)
    weights = change.columns * size.n_inputs + change.rows * groups
    if accounting == "dense-sim":
        often = work.windows if size.rule in COUNTED_RULES else work.steps
        weights = often * size.n_inputs * groups * (DENSE_PASSES // 2)
    thresholds = change.threshold_passes * groups + change.single_thresholds
    of_inputs = shares(size.n_inputs, hardware.core.lanes) * (size.rule != "normalised")
    traces = of_inputs + OUTPUT_TRACES.get(size.rule, 0) * groups
    passes = 1.5 * change.normalisations + change.decays
    return {
        "learning": (weights + thresholds) * cost.learning,
        "traces": work.steps * traces * cost.neuron,
        "normalisation": passes * size.n_inputs * groups * cost.learning,
    }


def _readout(size: Size, work: Workload, hardware: Hardware, cost: Cycles, groups: Numbers) -> Numbers:
    """Return the cycles of adding up: a label or a row of the table for each neuron."""
    if size.readout == LABEL_READOUT:
        return groups * cost.addition
    return size.n_neurons * shares(size.n_classes, hardware.core.lanes) * cost.addition


def _waiting(hardware: Hardware, off_chip_bits: Numbers, busy: Numbers) -> Numbers:
    """Return the cycles for which weights take longer to come than the core is busy."""
    if hardware.off_chip is None:
        return 0
    needed = off_chip_bits / hardware.off_chip.bandwidth_mbit_per_s * hardware.clock.f_mhz
    return np.maximum(0.0, needed - busy)
