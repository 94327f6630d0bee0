"""How long does an image take? Clock cycles, affine in the spikes.

This project's own model of a core with some lanes, each of which works on one neuron at a time, after the
form of the FPGA work of Aliyev and Adegbija (arXiv 2402.06211): work proportional to spikes, and an intercept
for scanning and for the neurons. With ``schedule = "event"`` every input spike is added to all neurons, with
``"clock"`` every input is, in every time step, whether it spikes or not.
"""

import numpy as np

from fspinn.memmodel.footprint import OUTPUT_TRACES
from fspinn.memmodel.hardware import Cycles, Hardware
from fspinn.memmodel.packing import Numbers, shares
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import Workload
from fspinn.model.model import LABEL_READOUT


def latency_cycles(
    size: Size, work: Workload, hardware: Hardware, training: bool, off_chip_bits: Numbers
) -> dict[str, Numbers]:
    """Return the clock cycles of one image, by component; their sum is how long it takes.

    Parameters
    ----------
    size : Size
    work : Workload
        Of the phase that is asked for.
    hardware : Hardware
    training : bool
    off_chip_bits : float or ndarray
        Bits that are moved to and from off-chip memory.

    Returns
    -------
    dict of str to float or ndarray
        Cycles, not rounded, of `steps`, `scan` (finding the input spikes), `neurons` (leak and threshold),
        `weights`, `inhibition`, `off_chip` (waiting for weights) and, while training, `learning`, `traces`
        and `normalisation`, else `readout`. Empty if the description says nothing of cycles.
    """
    cost = hardware.cycles
    if cost is None:
        return {}
    groups = shares(size.n_neurons, hardware.core.lanes)
    scan_words = shares(size.n_inputs, hardware.memory.state.word_bits)
    cycles = {
        "steps": work.steps * cost.step,
        "scan": work.steps * scan_words * cost.scan + work.input_spikes * cost.input_spike,
        "neurons": work.neuron_updates / size.n_neurons * groups * cost.neuron,
        "weights": (work.rows_read * groups + work.weights_read) * cost.addition,
        "inhibition": work.output_spikes * (cost.output_spike + groups * cost.inhibition),
    }
    if hardware.core.schedule == "clock":
        cycles["weights"] = work.steps * size.n_inputs * groups * cost.addition
        cycles["scan"] = 0 * cycles["scan"]
    if training:
        cycles |= _training(size, work, hardware, cost, groups)
    else:
        cycles["readout"] = _readout(size, work, hardware, cost, groups)
    cycles["off_chip"] = _waiting(hardware, off_chip_bits, sum(cycles.values()))
    return cycles


def _training(
    size: Size, work: Workload, hardware: Hardware, cost: Cycles, groups: Numbers
) -> dict[str, Numbers]:
    """Return the cycles of learning; normalisation makes three accesses where a change makes two."""
    weights = work.columns_written * size.n_inputs + work.rows_written * groups
    thresholds = work.threshold_passes * groups + work.thresholds_written
    of_inputs = shares(size.n_inputs, hardware.core.lanes) * (size.rule != "normalised")
    traces = of_inputs + OUTPUT_TRACES.get(size.rule, 0) * groups
    passes = 1.5 * work.normalisations + work.decays
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
