"""What does a column take of an FPGA? The core in Verilog that `fspinn export` writes.

All neurons add the weight of an input in the same cycle, and the inputs of the field are compared with the
time step at once, so cycles follow from what engines count, of a sample of so many values (pixels of all
channels):

    cycles ``= 2 values + positions + steps + input spikes + output spikes * (state_bits + 1) + classes + 1``

A value is taken, then shifted in. Each step is looked at, and one more of a position; of those that an output
spike does not end, that is left out where the last step has input spikes: a cycle each, 1 % or less of MNIST.
An output spike ends what was begun of the next step, is chosen bit by bit among the neurons that have reached
their threshold, and reported; a potential less a threshold is taken to have as many bits as the
state. Then the classes are compared, one after the other.

RAM blocks hold the spike times of the field's lines but the newest, a word for each place in a line; weights,
a word for each input; and the readout, a word for each feature. A block has words of 16, 8, 4 or 2 bits.
Lines of a few bits lie in registers, and bits of weights that are the same at all inputs nowhere.

Logic cells are a fixed number and one for each of what there are many of (`Column`): bits of the spike times
in the field, inputs, bits of potentials, neurons, and bits of the scores of classes. Potentials change in
steps of a weight, so they count with no more bits than a sum of weights has.
"""

from typing import Any

import numpy as np

from fspinn.memmodel.hardware import Hardware
from fspinn.memmodel.packing import Numbers, count_bits, plain, shares
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import Workload

_CELL_BITS = 64
"""Bits of a memory that a RAM block is given for; fewer lie in registers (yosys)."""


def is_core(size: Size, hardware: Hardware) -> Numbers:
    """Return whether hardware and network are such that the network is a core of a column: 1 or 0."""
    if hardware.column is None or len(size.layers) > 1 or size.extra_features:
        return 0
    return plain((np.greater(size.kept_times, 0) & np.equal(size.pooled, 1)) * 1)


def column_cycles(size: Size, work: Workload) -> dict[str, Numbers]:
    """Return the cycles of a sample by component.

    `scan` are those of taking it in, `weights` those of adding, `neurons` those of output spikes.
    """
    layer = size.layers[0]
    values = np.maximum(size.sample_inputs, _inputs(size))
    return {
        "scan": plain(2 * values),
        "steps": work.steps + work.positions,
        "weights": work.rows_read,
        "neurons": work.output_spikes * (layer.state_bits + 1),
        "readout": size.n_classes + 1,
    }


def ram_blocks(size: Size, hardware: Hardware) -> dict[str, Numbers]:
    """Return the RAM blocks of each memory of a core."""
    layer = size.layers[0]
    places, width = _line_bits(size)
    lines = _blocks(width, places, hardware)
    kept = np.greater(width * places, _CELL_BITS * lines)
    word = np.where(
        np.greater(layer.changing_bits, 0), layer.changing_bits, layer.n_neurons * layer.weight_bits
    )
    table = size.n_classes * size.readout_bits
    return {
        "lines": plain(lines * kept),
        "weights": _blocks(plain(word), _inputs(size), hardware),
        "readout": _blocks(table, size.features, hardware),
    }


def logic_cells(size: Size, hardware: Hardware) -> Numbers:
    """Return the logic cells of a core, not rounded."""
    cost = hardware.column
    assert cost is not None
    return cost.cells + sum(getattr(cost, name) * count for name, count in _counts(size, hardware).items())


def _counts(size: Size, hardware: Hardware) -> dict[str, Any]:
    """Return what there are many of, by the key that says what each takes."""
    layer, inputs = size.layers[0], _inputs(size)
    places, width = _line_bits(size)
    in_registers = np.equal(ram_blocks(size, hardware)["lines"], 0) * places * width
    sums = np.minimum(layer.state_bits, count_bits(inputs * (2**layer.weight_bits - 1)))
    spikes = layer.positions * 2 ** (size.readout_bits - 1)
    return {
        "cells_per_time_bit": inputs * _time_bits(size) + plain(in_registers),
        "cells_per_input": inputs,
        "cells_per_neuron": layer.n_neurons,
        "cells_per_potential_bit": layer.n_neurons * sums,
        "cells_per_score_bit": size.n_classes * (count_bits(spikes) + 1),
    }


def _inputs(size: Size) -> Numbers:
    """Return the inputs of a neuron, those that are not used too."""
    layer = size.layers[0]
    return plain(np.where(np.greater(layer.mapped_pixels, 0), layer.mapped_pixels, layer.n_inputs))


def _time_bits(size: Size) -> Numbers:
    """Return the bits of the time of a spike, from 1, or that there is none."""
    return count_bits(size.layers[0].steps + 1)


def _line_bits(size: Size) -> tuple[Numbers, Numbers]:
    """Return places in a line, and the bits that are kept of each."""
    places = size.kept_times // np.maximum(size.kept_lines, 1)
    return plain(places), (size.kept_lines - 1) * _time_bits(size)


def _blocks(width: Numbers, depth: Numbers, hardware: Hardware) -> Numbers:
    """Return the fewest blocks that hold so many words of such a width."""
    block = hardware.memory.state
    few = [
        shares(width, bits) * shares(depth, block.macro_bits // bits)
        for bits in (block.word_bits >> n for n in range(4))
    ]
    return plain(np.minimum.reduce(few))
