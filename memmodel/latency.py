"""How long does an image take? Clock cycles, affine in the spikes.

This project's own model of a core with some lanes, each of which works on one neuron at a time, after the
form of the FPGA work of Aliyev and Adegbija (arXiv 2402.06211): work proportional to spikes, and an intercept
for scanning and for the neurons, all of it at each position of a field. With ``schedule = "event"`` every
input spike is added to all neurons, with ``"clock"`` every input is, in every time step, whether it spikes or
not. A microcontroller runs the C program that `fspinn export` writes: columns line by line, all else as
`fspinn.memmodel.program_cycles` says.
"""

import numpy as np

from fspinn.memmodel.column import column_cycles, is_core
from fspinn.memmodel.footprint import OUTPUT_TRACES
from fspinn.memmodel.hardware import Cycles, Hardware, Program
from fspinn.memmodel.layer_size import LayerSize
from fspinn.memmodel.packing import Numbers, plain, shares, words
from fspinn.memmodel.pipeline import layer_cycles
from fspinn.memmodel.program_cycles import WIDE_STATE_BITS, program_cycles
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import Workload
from fspinn.model.model import LABEL_READOUT


def latency_cycles(
    size: Size, work: tuple[Workload, ...], hardware: Hardware, training: bool, off_chip_bits: Numbers
) -> dict[str, Numbers]:
    """Return the clock cycles of one image, by component; their sum is how long it takes.

    Those, not rounded, are of `steps`, `scan` (finding the input spikes), `neurons` (leak and threshold),
    `weights`, `inhibition`, `off_chip` (waiting for weights) and, while training, `learning`, `traces` and
    `normalisation`, else `readout`; none if the description says nothing of cycles. Layers are computed one
    after the other, on the same lanes; of a pipeline (`fspinn.memmodel.pipeline`) they are summed too, as an
    image passes one after the other. The core of a column (`fspinn.memmodel.column`) has no lanes.
    """
    if hardware.pipeline is not None:
        each = layer_cycles(size, work, hardware)
        cycles = {name: sum(one[name] for one in each) for name in each[0]}
        return {**cycles, "off_chip": waiting(hardware, off_chip_bits, sum(cycles.values()))}
    cost = hardware.cycles
    if cost is None:
        return {}
    done = list(zip(size.layers, work, strict=True))
    if hardware.program is not None:
        cycles = _of_program(size, work, cost, hardware.program)
    else:
        bits = [plain(np.where(size.layers[0].slides, size.input_bits, 1))]
        bits += [one.time_bits for one in size.layers[:-1]]
        parts = [_answering(*one, width, hardware, cost) for one, width in zip(done, bits, strict=True)]
        cycles = {name: sum(part[name] for part in parts) for name in parts[0]}
        cycles["readout"] = _readout(size, hardware.core.lanes) * cost.addition
    if training:
        learned = [_learning(*one, hardware, cost) for one in done]
        cycles |= {name: sum(part[name] for part in learned) for name in learned[0]}
        del cycles["readout"]
    cycles["off_chip"] = waiting(hardware, off_chip_bits, sum(cycles.values()))
    core = is_core(size, hardware)
    if not training and np.any(core):
        of_core = column_cycles(size, work[0])
        cycles = {name: plain(np.where(core, of_core.get(name, 0), one)) for name, one in cycles.items()}
    return cycles


def _of_program(size: Size, work: tuple[Workload, ...], cost: Cycles, program: Program) -> dict[str, Numbers]:
    """Return the cycles of the exported C program, whose first layer may be a column."""
    layers = program_cycles(size, work, program)
    column = np.greater(size.kept_times, 0)
    of_column = _of_column(size.layers[0], work[0], cost)
    if len(layers) == 1:
        of_column["readout"] = _readout(size, lanes=1) * cost.addition
    layers[0] |= {name: plain(np.where(column, one, layers[0][name])) for name, one in of_column.items()}
    return {name: sum(layer[name] for layer in layers) for name in layers[0]}


def _of_column(layer: LayerSize, work: Workload, cost: Cycles) -> dict[str, Numbers]:
    """Return the cycles of a column that is computed line by line, without its readout.

    It goes from one time at which an input spikes to the next, and looks at all inputs of a position for
    each, and once before the first.
    """
    steps = work.active_steps + work.positions
    wide = np.greater_equal(layer.state_bits, WIDE_STATE_BITS)
    return {
        "steps": steps * cost.step,
        "scan": steps * layer.n_inputs * cost.column_scan,
        "neurons": work.active_steps * layer.n_neurons * (cost.neuron + wide * cost.wide),
        "weights": work.rows_read * layer.n_neurons * cost.addition,
        "inhibition": work.output_spikes * cost.output_spike,
    }


def _answering(
    layer: LayerSize, work: Workload, input_bits: Numbers, hardware: Hardware, cost: Cycles
) -> dict[str, Numbers]:
    """Return the cycles of answering; `input_bits` are those in which it looks for a spike of an input."""
    groups = shares(layer.n_neurons, hardware.core.lanes)
    scan = words(layer.n_inputs, input_bits, hardware.memory.state.word_bits) * cost.scan
    inhibited = groups * cost.inhibition * layer.lowers_others
    cycles = {
        "steps": work.steps * cost.step,
        "scan": work.steps * scan + work.input_spikes * cost.input_spike,
        "neurons": work.neuron_updates / layer.n_neurons * groups * cost.neuron,
        "weights": (work.rows_read * groups + work.weights_read) * cost.addition,
        "inhibition": work.output_spikes * (cost.output_spike + inhibited),
    }
    if hardware.core.schedule == "clock":
        cycles["weights"] = work.steps * layer.n_inputs * groups * cost.addition
        cycles["scan"] = 0 * cycles["scan"]
    return cycles


def _learning(layer: LayerSize, work: Workload, hardware: Hardware, cost: Cycles) -> dict[str, Numbers]:
    """Return the cycles of learning; normalisation makes three accesses where a change makes two."""
    groups = shares(layer.n_neurons, hardware.core.lanes)
    weights = work.columns_written * layer.n_inputs + work.rows_written * groups
    thresholds = work.threshold_passes * groups + work.thresholds_written
    of_each = cost.learning if cost.threshold is None else cost.threshold
    of_inputs = shares(layer.n_inputs, hardware.core.lanes) * (layer.rule != "normalised")
    traces = of_inputs + OUTPUT_TRACES.get(layer.rule, 0) * groups
    passes = 1.5 * work.normalisations + work.decays
    return {
        "learning": weights * cost.learning + thresholds * of_each + layer.drawn * cost.drawn,
        "traces": work.steps * traces * cost.neuron,
        "normalisation": passes * layer.n_inputs * groups * cost.learning,
    }


def _readout(size: Size, lanes: int) -> Numbers:
    """Return how often something is added up: the labels of all lanes, or a row of the table.

    All inputs of extra features are taken to be on.
    """
    if size.readout == LABEL_READOUT:
        return shares(size.readout_rows, lanes)
    return size.readout_rows * shares(size.n_classes, lanes)


def waiting(hardware: Hardware, off_chip_bits: Numbers, busy: Numbers) -> Numbers:
    """Return the cycles for which weights take longer to come than the core is busy."""
    if hardware.off_chip is None:
        return 0
    needed = off_chip_bits / hardware.off_chip.bandwidth_mbit_per_s * hardware.clock.f_mhz
    return np.maximum(0.0, needed - busy)
