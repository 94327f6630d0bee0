"""What do dense layers without spikes cost? A linear classifier or a perceptron, on the same hardware.

This project's own model, in the terms of `fspinn.memmodel.accesses` and `fspinn.memmodel.latency`: an input
that is not 0 reads its row of weights, and each is multiplied and added to the sum of a neuron. With the
schedule ``"clock"`` inputs of 0 read theirs as well. Sums are read and written for each row where potentials
are, and a lane multiplies in the cycles in which it adds, as with the table of a readout. Inputs, of 8 bits,
are written and read once, and looked through for those that are not 0, as networks look for spikes; so are
the outputs of a hidden layer. Events come one by one, and each adds its row at once: none waits. The C
program of a microcontroller unpacks the weights of all inputs, one after the other, and multiplies those of
inputs that are not 0; that of a perceptron, which nobody has written, is taken to do so too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fspinn.memmodel.accesses import SUM_BITS, Accesses, off_chip_bits
from fspinn.memmodel.energy import arithmetic_pj, moved_pj
from fspinn.memmodel.footprint import physical_bits
from fspinn.memmodel.hardware import Hardware, Power
from fspinn.memmodel.latency import waiting
from fspinn.memmodel.packing import shares, words

INPUT_BITS = 8
"""Bits of an input, and of the output of a hidden layer."""


@dataclass(frozen=True)
class DenseLayer:
    """A layer of neurons that each see all inputs.

    Parameters
    ----------
    inputs, neurons : int
    weight_bits : int
    active : float
        Inputs of a sample that are not 0, on average; of events, how many there are.
    events : bool, default False
        Whether the inputs are events, each of which adds its row, in place of numbers.
    """

    inputs: int
    neurons: int
    weight_bits: int
    active: float
    events: bool = False


@dataclass(frozen=True)
class DenseCost:
    """Energy and time of a sample.

    Parameters
    ----------
    energy_pj : float
    latency_s : float or None
        None where the hardware says nothing of time.
    """

    energy_pj: float
    latency_s: float | None


def dense_cost(
    layers: Sequence[DenseLayer], weight_bits: int, state_bits: int, hardware: Hardware
) -> DenseCost | None:
    """Return what a sample costs in dense layers.

    None where the hardware has no multipliers: it goes from spike to spike, or only whole events have an
    energy.

    Parameters
    ----------
    layers : sequence of DenseLayer
    weight_bits, state_bits : int
        Bits of all that lies in the memory of the weights, and of all else.
    hardware : Hardware
    """
    if hardware.pipeline is not None or hardware.events is not None:
        return None
    lanes, lane_cycles, every = hardware.core.lanes, 0.0, Accesses()
    for layer in layers:
        clocked = hardware.core.schedule == "clock" and not layer.events
        rows = layer.inputs if clocked else layer.active
        products = rows * layer.neurons
        scanned = 0 if layer.events else words(layer.inputs, INPUT_BITS, hardware.memory.state.word_bits)
        sums = words(layer.neurons, SUM_BITS, hardware.memory.state.word_bits)
        moved = (rows if hardware.core.accumulators == "sram" else 1) * sums
        every = Accesses(
            weight_reads=every.weight_reads
            + rows * words(layer.neurons, layer.weight_bits, hardware.memory.weights.word_bits),
            state_reads=every.state_reads + moved + scanned,
            state_writes=every.state_writes + moved + scanned,
            added_bits=every.added_bits + products * SUM_BITS,
            multiplied_square_bits=every.multiplied_square_bits
            + (0 if layer.events else products * INPUT_BITS * layer.weight_bits),
        )
        if hardware.program is not None:
            unpacked = layer.active if layer.events else layer.inputs
            of_one = unpacked * hardware.program.entry + layer.active * hardware.program.product
            lane_cycles += layer.neurons * of_one
        elif hardware.cycles is not None:
            groups = shares(layer.neurons, lanes)
            lane_cycles += groups * (rows * hardware.cycles.addition + hardware.cycles.neuron)
            if not clocked:
                lane_cycles += scanned * hardware.cycles.scan + layer.active * hardware.cycles.input_spike
    needed = {"weights": weight_bits, "state": state_bits}
    moved_bits = off_chip_bits({"weights": every}, needed, hardware)
    cycles = lane_cycles + waiting(hardware, moved_bits, lane_cycles)
    power, bits = hardware.power or Power(), physical_bits(needed, hardware)
    cells = 0.0
    if hardware.fabric is not None:
        used = min(lanes, max(layer.neurons for layer in layers)) * hardware.fabric.cells_per_lane
        cells = used * hardware.fabric.active_pj_per_cell_cycle
    leakage_uw = power.leakage_uw + 1e-6 * power.leakage_pw_per_bit * (bits["weights"] + bits["state"])
    time_us = cycles / hardware.clock.f_mhz
    energy = moved_pj(every, hardware, bits) + arithmetic_pj(every, hardware)
    energy += time_us * (leakage_uw + power.idle_uw_per_mhz * hardware.clock.f_mhz)
    energy += cycles * (power.active_pj_per_cycle + cells)
    energy += moved_bits * (0.0 if hardware.off_chip is None else hardware.off_chip.pj_per_bit)
    return DenseCost(float(energy), float(time_us * 1e-6) if hardware.timed else None)
