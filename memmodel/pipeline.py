"""How long does an image take where layers form a pipeline of circuits that go from spike to spike?

The latency of an event-driven FPGA, from the public RTL of Aliyev and Adegbija (``SNN-DSE``, of the group of
arXiv 2402.06211 and 2402.06210): read there are the loops and their cycles, the formulas are this project's.
Each layer has its own units, each for one neuron, and a priority encoder, which finds the spikes of a time
step chunk by chunk. For T time steps, with ``s[t, c]`` spikes in map c of F inputs:

    encoder    ``enc[t, c] = chunk * chunks + spike * s[t, c]``
    field      ``groups * sum_t (sum_c max(enc[t, c], addition * reached * s[t, c])``
               ``                + activation * positions)``
    dense      ``sum_t (map * maps + chunk * chunks + spike * s[t])``
               ``+ groups * sum_t (addition * s[t] + step)``

where `groups` is neurons over units, rounded up, and `reached` the size of the field (with a stride, the
positions that an input is seen from). With a field the encoder works while spikes are added, and finds them
again for each group; a dense layer finds all of them once, then adds. Layers work on different images at the
same time: the latency is the sum of theirs, and the slowest of them sets the images per second.

**What it needs to know** are the spikes of each time step and map. Counted are those of a layer in all. A
dense layer takes no more. With a field, spikes are taken to lie evenly in time steps and maps: that is the
least that the maximum can come to, and `most_cycles` is what it comes to if they fill as few maps as they
can. Engines count an input spike at each position that sees it, and stop at a position's first spike where
that ends it (inhibition ``first``); the circuits do not stop, so spikes are taken on to the last time step at
the same rate, and each once. What neurons do to each other is taken to cost no time. The table of a readout
is a dense layer with a neuron for each class, to which each output spike is an input; labels (``majority``)
take no time.
"""

from collections.abc import Sequence
from functools import reduce

import numpy as np

from fspinn.memmodel.hardware import Hardware, Pipeline
from fspinn.memmodel.layer_size import LayerSize
from fspinn.memmodel.packing import Numbers, plain, shares
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import Workload, available_inputs
from fspinn.model.model import LABEL_READOUT

ASSUMED = "input spikes lie evenly in time steps and maps"
"""What is taken for granted where a layer has a field."""


def layer_cycles(size: Size, work: Sequence[Workload], hardware: Hardware) -> list[dict[str, Numbers]]:
    """Return the cycles of each layer by component, the readout's table the last of them.

    `scan` is what encoders take without a spike, `neurons` the leak, the threshold and the steps, and
    `weights` all that follows the spikes.
    """
    return _cycles(size, work, hardware, filled=False)


def most_cycles(size: Size, work: Sequence[Workload], hardware: Hardware) -> Numbers:
    """Return the latency if spikes fill as few maps in as few time steps as they can; it is never more."""
    return sum(sum(one.values()) for one in _cycles(size, work, hardware, filled=True))


def interval_cycles(size: Size, work: Sequence[Workload], hardware: Hardware) -> Numbers:
    """Return the cycles from one image to the next: those of the slowest layer."""
    each = (sum(one.values()) for one in layer_cycles(size, work, hardware))
    return plain(reduce(np.maximum, each))


def units(layer: LayerSize, hardware: Hardware) -> Numbers:
    """Return the units of a layer: as many as the hardware gives it, or as it has neurons."""
    assert hardware.pipeline is not None
    lanes = np.where(layer.slides, hardware.core.lanes, hardware.pipeline.dense_lanes)
    return plain(np.minimum(lanes, layer.n_neurons))


def _cycles(
    size: Size, work: Sequence[Workload], hardware: Hardware, filled: bool
) -> list[dict[str, Numbers]]:
    cost = hardware.pipeline
    assert cost is not None
    found = []
    for layer, done, inputs in zip(size.layers, work, available_inputs(size), strict=True):
        spikes = _spikes(layer, done, inputs)
        groups = shares(layer.n_neurons, units(layer, hardware))
        with_field = _with_field(layer, spikes, inputs, cost, filled)
        dense = _dense(layer.steps, layer.channels, inputs, spikes, groups, cost)
        found.append(
            {
                name: plain(np.where(layer.slides, groups * with_field[name], dense[name]))
                for name in with_field
            }
        )
    return [*found, *_readout(size, work[-1].output_spikes, cost)]


def _spikes(layer: LayerSize, work: Workload, inputs: Numbers) -> Numbers:
    """Return the spikes at the input of a layer, each once."""
    seen = np.where(layer.slides, layer.positions * layer.n_inputs / inputs, 1)
    lasting = np.maximum(1, layer.steps * work.positions / np.maximum(work.steps, 1))
    return work.input_spikes / seen * lasting


def _with_field(
    layer: LayerSize, spikes: Numbers, inputs: Numbers, cost: Pipeline, filled: bool
) -> dict[str, Numbers]:
    """Return the cycles of one group of neurons."""
    maps = layer.steps * layer.channels
    of_a_map = inputs // layer.channels
    scan = cost.chunk * shares(of_a_map, np.maximum(of_a_map // cost.map_chunks, 1))
    used = np.maximum(spikes / of_a_map, 1e-12) if filled else maps
    each = spikes / used  # of a map that has some
    longest = np.maximum(scan + cost.spike * each, cost.addition * layer.reached * each)
    return {
        "scan": maps * scan,
        "neurons": layer.steps * cost.activation * layer.positions,
        "weights": used * (longest - scan),
    }


def _dense(
    steps: Numbers, maps: Numbers, inputs: Numbers, spikes: Numbers, groups: Numbers, cost: Pipeline
) -> dict[str, Numbers]:
    scan = cost.map * maps + cost.chunk * shares(inputs, cost.dense_chunk_inputs)
    return {
        "scan": steps * scan,
        "neurons": steps * groups * cost.step,
        "weights": spikes * (cost.spike + groups * cost.addition),
    }


def _readout(size: Size, output_spikes: Numbers, cost: Pipeline) -> list[dict[str, Numbers]]:
    if size.readout == LABEL_READOUT:
        return []
    last = size.layers[-1]
    maps = np.where(np.greater(last.cells, 1), last.n_neurons, 1)
    groups = shares(size.n_classes, min(size.n_classes, cost.dense_lanes))
    return [_dense(last.steps, plain(maps), size.features, output_spikes, groups, cost)]
