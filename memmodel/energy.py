"""What does an image cost in energy? Counted accesses, operations and time, each times its price.

This project's own model, in the way of Accelergy and its kin: the counts of `fspinn.memmodel.accesses` times
the energy of an access (`fspinn.memmodel.sram`, or a table of the hardware) and of an operation (scaled
between technologies by `fspinn.memmodel.scaling`); or published energies of whole events; or the energy of
the cycles that a processor or an FPGA is awake. To this come leakage and clock tree times the latency, and
weights from off-chip memory. Not in the model: wires between memories, input and output.
"""

from collections.abc import Mapping
from functools import reduce
from typing import NamedTuple

import numpy as np

from fspinn.memmodel import sram
from fspinn.memmodel.accesses import Accesses, weights_changed, weights_tidied
from fspinn.memmodel.case import Case
from fspinn.memmodel.column import is_core, logic_cells
from fspinn.memmodel.hardware import Hardware, Memory, Power
from fspinn.memmodel.packing import Numbers, plain
from fspinn.memmodel.pipeline import units
from fspinn.memmodel.scaling import gate_energy
from fspinn.memmodel.size import Size

_PAID_FOR = {"steps": "clock", "scan": "spikes", "neurons": "state"}
"""Component of the energy to which the cycles of a component of the latency belong, if named otherwise."""


class AccessEnergy(NamedTuple):
    """Picojoules of reading and of writing one word."""

    read_pj: Numbers
    write_pj: Numbers


def energy_pj(case: Case) -> dict[str, Numbers]:
    """Return the energy of one image, by component; their sum is what it costs.

    Those are, in picojoules and not rounded, `weights`, `state`, `inhibition`, `spikes`, `arithmetic`,
    `leakage`, `clock`, `off_chip` and, while training, `learning`, `traces` and `normalisation`, else
    `readout`.
    """
    hardware, bits = case.hardware, case.physical
    energies = {name: moved_pj(done, hardware, bits) for name, done in case.accesses.items()}
    energies["arithmetic"] = sum(arithmetic_pj(done, hardware) for done in case.accesses.values())
    for name, event_pj in _events_pj(case).items():
        energies[name] = energies[name] + event_pj
    power = Power() if hardware.power is None else hardware.power
    time_us = case.interval / hardware.clock.f_mhz
    leakage_uw = power.leakage_uw + 1e-6 * power.leakage_pw_per_bit * (bits["weights"] + bits["state"])
    energies["leakage"] = leakage_uw * time_us
    energies["clock"] = power.idle_uw_per_mhz * hardware.clock.f_mhz * time_us
    off_chip_pj = 0.0 if hardware.off_chip is None else hardware.off_chip.pj_per_bit
    energies["off_chip"] = case.off_chip_bits * off_chip_pj
    awake_pj = power.active_pj_per_cycle + _fabric_pj_per_cycle(case.size, hardware)
    if hardware.pipeline is not None:  # all circuits are on, each at work on another image
        energies["clock"] = energies["clock"] + case.interval * awake_pj
    elif np.any(awake_pj):
        for name, count in case.cycles.items():
            paid_for = _PAID_FOR.get(name, name)
            energies[paid_for] = energies[paid_for] + count * awake_pj
    return energies


def access_energy(hardware: Hardware, memory: Memory, capacity_bits: Numbers) -> AccessEnergy:
    """Return the energy of an access to a memory of some capacity; zero where the description knows none."""
    process = hardware.process
    if memory.access == "sram-law" and process is not None and memory.kappa is not None:
        where = (process.node_nm, process.vdd_v, process.cell, memory.word_bits, capacity_bits)
        return AccessEnergy(memory.kappa * sram.read_pj(*where), memory.kappa * sram.write_pj(*where))
    if memory.access == "table" and memory.table_capacity_bits and memory.table_access_pj:
        access_pj = _from_table(memory.table_capacity_bits, memory.table_access_pj, capacity_bits)
        return AccessEnergy(access_pj, access_pj)
    return AccessEnergy(0.0, 0.0)


def _from_table(sizes: tuple[int, ...], energies: tuple[float, ...], capacity_bits: Numbers) -> Numbers:
    """Return the energy between the entries of a table, straight in logarithms, also beyond its ends."""
    x, y = np.log(sizes), np.log(energies)
    below, above = x[0] - 100, x[-1] + 100
    first, last = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])
    x_all, y_all = [below, *x, above], [y[0] - 100 * first, *y, y[-1] + 100 * last]
    return np.exp(np.interp(np.log(capacity_bits), x_all, y_all))


def moved_pj(done: Accesses, hardware: Hardware, physical_bits: Mapping[str, Numbers]) -> Numbers:
    """Return the energy of all that is read and written, in memories of such sizes."""
    weight = access_energy(hardware, hardware.memory.weights, physical_bits["weights"])
    state = access_energy(hardware, hardware.memory.state, physical_bits["state"])
    return (
        done.weight_reads * weight.read_pj
        + done.weight_writes * weight.write_pj
        + done.state_reads * state.read_pj
        + done.state_writes * state.write_pj
    )


def arithmetic_pj(done: Accesses, hardware: Hardware) -> Numbers:
    """Return the energy of additions and multiplications; zero where the description knows none."""
    if hardware.arithmetic is None or hardware.process is None:
        return 0.0
    process, price = hardware.process, hardware.arithmetic
    scale = gate_energy(process.node_nm, process.vdd_v) / gate_energy(price.node_nm, price.vdd_v)
    added = done.added_bits * price.add_pj_per_bit
    return scale * (added + done.multiplied_square_bits * price.multiply_pj_per_square_bit)


def _events_pj(case: Case) -> dict[str, Numbers]:
    """Return the energy of whole events: additions, inhibition as an addition to each, updates, changes."""
    layers, price = list(zip(case.size.layers, case.work, strict=True)), case.hardware.events
    if price is None:
        return {}
    found = {
        "weights": sum(work.synaptic_additions for _, work in layers) * price.addition_pj,
        "inhibition": price.addition_pj
        * sum(work.output_spikes * layer.n_neurons * layer.lowers_others for layer, work in layers),
        "state": sum(work.neuron_updates for _, work in layers) * price.neuron_pj,
    }
    if case.training:
        found["learning"] = sum(weights_changed(*one) for one in layers) * price.learning_pj
        found["normalisation"] = sum(weights_tidied(*one) for one in layers) * price.learning_pj
    return found


def _fabric_pj_per_cycle(size: Size, hardware: Hardware) -> Numbers:
    if hardware.fabric is None:
        return 0.0
    return used_cells(size, hardware) * hardware.fabric.active_pj_per_cell_cycle


def used_cells(size: Size, hardware: Hardware) -> Numbers:
    """Return the logic cells that the lanes of an FPGA take; the largest layer has a neuron for each lane.

    In a pipeline each layer has lanes of its own, and the core of a column has none
    (`fspinn.memmodel.column`).
    """
    if hardware.fabric is None:
        return 0
    if hardware.pipeline is not None:
        return sum(units(layer, hardware) for layer in size.layers) * hardware.fabric.cells_per_lane
    most = reduce(np.maximum, (layer.n_neurons for layer in size.layers))
    lanes = np.minimum(hardware.core.lanes, most) * hardware.fabric.cells_per_lane
    core = is_core(size, hardware)
    return plain(np.where(core, logic_cells(size, hardware), lanes)) if np.any(core) else lanes
