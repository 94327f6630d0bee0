"""What does a C program with static arrays take of a microcontroller's flash and RAM?

For inference these are the arrays of the program that `fspinn export` writes, in its types: potentials,
thresholds and counters take one, two, four or eight bytes each, weights, labels and the readout's table are
packed into words of 32 bits, and each input of a neuron takes a bit for each of `STEPS_AT_ONCE` time steps,
in an array that all layers share. Between two layers lies a bit per feature and time step after one without
inhibition, which the next layer reads in place, and after any other the time of each feature's first spike.
An image lies where the caller has it: the program reads a field from there, as
often as there are positions, and its contrast and the means of blocks too. Of a signal with a field along
time the program keeps the last values itself, so that they can come one by one. A program that learns is not
exported yet; it is taken to keep weights, thresholds, traces and windows in RAM.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from fspinn.memmodel.case import Case
from fspinn.memmodel.footprint import blocks
from fspinn.memmodel.hardware import Controller
from fspinn.memmodel.packing import Numbers, count_bits, plain, shares, words
from fspinn.memmodel.size import LayerSize, Size
from fspinn.model.model import LABEL_READOUT
from fspinn.network.inhibition import NoInhibition

STEPS_AT_ONCE = 8
"""Time steps whose input spikes the exported program finds at once (its `NETWORK_STEPS_AT_ONCE`).

They share random words: for N = 400 an MNIST image takes 17.4, 11.2 or 9.3 million instructions for 2, 8 or
32 steps, counted by QEMU on five images.
"""

LAYER_BYTES = 750
"""Code of each layer but the first, on a Cortex-M4: 640 to 920 by what compilers make of it, measured in the
linker's map of small chains (`arm-none-eabi-gcc` 12.2.1, -O2)."""

_WORD_BITS = 32
_WORD_BYTES = 4
_SHARE_BYTES = 8


def controller_bytes(case: Case, controller: Controller) -> tuple[Numbers, Numbers]:
    """Return the bytes of flash and of RAM that the program takes, its code and its stack included."""
    size, stored = case.size, blocks(case.size, training=case.training)
    constant = sum(_packed_bytes(*b) for name in ("pixels", "labels", "readout") for b in stored[name])
    if size.readout == LABEL_READOUT:
        constant = constant + size.n_classes * _SHARE_BYTES
    learned = sum(_packed_bytes(*b) for b in stored["weights"])
    state = _packed_bytes(STEPS_AT_ONCE, _gathered_inputs(size), 1) + size.kept_bytes
    state = state + sum(_between_bytes(one) for one in size.layers[:-1])
    for layer in size.layers:
        if layer.adaptation != "off":
            learned = learned + layer.thresholds * type_bytes(layer.threshold_bits)
        if layer.inhibition == "layer":
            state = state + layer.n_neurons * type_bytes(count_bits(layer.inhibition_steps))
    arrays = ("membrane", "refractory", "votes", *(("traces", "window") if case.training else ()))
    state = state + sum(b.rows * b.count * type_bytes(b.bits) for name in arrays for b in stored[name])
    if case.training:
        state = state + learned
    else:
        constant = constant + learned
    program = controller.program_bytes + size.rates * controller.rates_bytes
    program = program + (len(size.layers) - 1) * LAYER_BYTES
    keeps = plain(np.greater(size.kept_bytes, 0) * 1)
    program = program + keeps * controller.signal_bytes + size.counts_steps * controller.steps_bytes
    program = program + (1 - keeps) * (size.contrast > 1) * controller.contrast_bytes
    program = program + plain(np.greater(size.pooled, 1) * 1) * controller.pool_bytes
    program = program + (size.extra_features > 0) * controller.features_bytes
    return program + constant, controller.stack_bytes + state


def type_bytes(bits: Numbers) -> Numbers:
    """Return the bytes of the narrowest type of C that has so many bits; none for none."""
    sizes = np.array([0, 1, 2, 4, 8])
    return plain(sizes[np.searchsorted(sizes, shares(bits, 8))])


def _gathered_inputs(size: Size) -> Numbers:
    """Return the inputs of the layer with most of them, of those that do not read the bits of one below."""
    most = size.layers[0].n_inputs
    for below, layer in pairwise(size.layers):
        if below.inhibition != NoInhibition.kind:
            most = np.maximum(most, layer.n_inputs)
    return plain(most)


def _between_bytes(layer: LayerSize) -> Numbers:
    """Return the bytes of what a layer leaves for the next one."""
    if layer.inhibition == NoInhibition.kind:
        return _packed_bytes(layer.steps, layer.features, 1)
    return layer.features * type_bytes(count_bits(layer.steps))


def _packed_bytes(rows: Numbers, count: Numbers, bits: Numbers) -> Any:
    return rows * words(count, bits, _WORD_BITS) * _WORD_BYTES
