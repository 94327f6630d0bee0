"""What does a C program with static arrays take of a microcontroller's flash and RAM?

For inference these are the arrays of the program that `fspinn export` writes, in its types: potentials,
thresholds and counters take one, two, four or eight bytes each, weights, labels and the readout's table are
packed into words of 32 bits, as are spikes that wait for the next layer, and each input of the first
layer's neurons takes a bit for each of `STEPS_AT_ONCE` time steps. An image lies where the caller has it: the
program reads a field from there, as often as there are positions, and its contrast too. Of a signal with a
field along time the program keeps the last values itself, so that they can come one by one. A program that
learns, or has several layers, is not exported yet; one that learns is taken to keep weights, thresholds,
traces and windows in RAM.
"""

from typing import Any

import numpy as np

from fspinn.memmodel.case import Case
from fspinn.memmodel.footprint import blocks
from fspinn.memmodel.hardware import Controller
from fspinn.memmodel.packing import Numbers, count_bits, plain, shares, words
from fspinn.model.model import LABEL_READOUT

STEPS_AT_ONCE = 8
"""Time steps whose input spikes the exported program finds at once (its `NETWORK_STEPS_AT_ONCE`).

They share random words: for N = 400 an MNIST image takes 17.4, 11.2 or 9.3 million instructions for 2, 8 or
32 steps, counted by QEMU on five images.
"""

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
    state = _packed_bytes(STEPS_AT_ONCE, size.layers[0].n_inputs, 1) + size.kept_bytes
    for layer in size.layers[:-1]:
        times = layer.features * type_bytes(layer.time_bits)
        each_step = _packed_bytes(layer.time_rows, layer.features, layer.time_bits)
        state = state + (each_step if layer.sends_each_spike else times)
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
    keeps = plain(np.greater(size.kept_bytes, 0) * 1)
    program = program + keeps * controller.signal_bytes + size.counts_steps * controller.steps_bytes
    program = program + (1 - keeps) * (size.contrast > 1) * controller.contrast_bytes
    program = program + (size.extra_features > 0) * controller.features_bytes
    return program + constant, controller.stack_bytes + state


def type_bytes(bits: Numbers) -> Numbers:
    """Return the bytes of the narrowest type of C that has so many bits; none for none."""
    sizes = np.array([0, 1, 2, 4, 8])
    return plain(sizes[np.searchsorted(sizes, shares(bits, 8))])


def _packed_bytes(rows: Numbers, count: Numbers, bits: Numbers) -> Any:
    return rows * words(count, bits, _WORD_BITS) * _WORD_BYTES
