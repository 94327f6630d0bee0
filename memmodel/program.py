"""What does a C program take of a microcontroller's flash and RAM?

For inference these are the constants of the program that `fspinn export` writes and the state that its caller
keeps, in its types: potentials, thresholds and counters take one, two, four or eight bytes each, entries of
the readout lie side by side without a gap, and weights are packed into words, of 8 bits for a column that is
computed line by line, else of 32.

Such a column (`fspinn.memmodel.inputs.is_column`) keeps the time of each input's spike, of as many lines as
its field has, and a sum of weights for each neuron. Else each input of a neuron takes a bit for each of
`STEPS_AT_ONCE` time steps, in an array that all layers share, and the sample lies where the caller has it:
the program reads a field from there, as often as there are positions, and its contrast and the means of
blocks too. Of a signal with a field along time the program keeps the last values itself, so that they can
come one by one. Between two layers lies a bit per feature and time step after one without inhibition, which
the next layer reads in place, and after any other the time of each feature's first spike.

Other networks with a field take an image row by row too, where the encoder does not need all of it: they keep
its last rows.

A network that sees events keeps the potentials of its first layer at all positions, and of these a bit each
where the first spike ends one; and a bit for each input, of one time step. Layers above it answer at the end,
one position after the other.

A column that learns on keeps weights and thresholds in RAM, those that it starts from in flash, and there the
lines of its rates and a table of what weights move towards. The sample that it learns from, a whole one, is
the caller's. Other programs do not learn; they are taken to keep weights, thresholds, traces and windows in
RAM.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from fspinn.memmodel.case import Case
from fspinn.memmodel.footprint import blocks
from fspinn.memmodel.hardware import Controller
from fspinn.memmodel.layer_size import LayerSize
from fspinn.memmodel.packing import Numbers, count_bits, plain, shares, words
from fspinn.memmodel.program_cycles import STEPS_AT_ONCE, WIDE_STATE_BITS
from fspinn.memmodel.size import Size
from fspinn.model.model import LABEL_READOUT
from fspinn.network.inhibition import First, NoInhibition

TARGET_BITS = 12
"""Bits of what weights move towards, beyond those of a weight, as in `fspinn.lowering.integer_learning`."""

_WORD_BITS = 32
_WORD_BYTES = 4
_BYTE_BITS = 8
_SCORE_BITS = 15
_SHARE_BYTES = 4
_THETA_BYTES = 4
_SUM_BYTES = 4
_ROW_BYTES = 18
_COUNTS_BYTES = 7
_RATES_BYTES = 48


def controller_bytes(case: Case, controller: Controller) -> tuple[Numbers, Numbers]:
    """Return the bytes of flash and of RAM that the program takes, its code and its stack included."""
    if case.size.layers[0].online and not case.training:
        return _program_bytes(_first_live(case.size), controller, training=False)
    if not case.training or not program_learns(case.size):
        return _program_bytes(case.size, controller, case.training)
    answering = _program_bytes(case.size, controller, training=False)
    more = _learning_bytes(case.size, controller)
    return answering[0] + more[0], answering[1] + more[1]


def _program_bytes(size: Size, controller: Controller, training: bool) -> tuple[Numbers, Numbers]:
    stored = blocks(size, training=training)
    column = plain(np.greater(size.kept_times, 0) * 1)
    entries = [*stored["labels"], *stored["readout"]]
    constant = sum(shares(b.rows * b.count * b.bits, _BYTE_BITS) for b in entries)
    constant = constant + sum(_packed_bytes(*b) for b in stored["pixels"])
    if size.readout == LABEL_READOUT:
        constant = constant + size.n_classes * _SHARE_BYTES
    learned, state = _weight_bytes(size, column), size.kept_bytes + _of_rows(size)
    state = state + _of_a_column(size, column)
    state = state + _packed_bytes(STEPS_AT_ONCE, _gathered_inputs(size, column), 1) + _of_events(size)
    state = state + sum(_between_bytes(one) for one in size.layers[:-1])
    for layer in size.layers:
        if layer.adaptation != "off":
            learned = learned + layer.thresholds * type_bytes(layer.threshold_bits)
        if layer.inhibition == "layer":
            resting = layer.columns * layer.n_neurons
            state = state + resting * type_bytes(count_bits(layer.inhibition_steps))
    arrays = ("membrane", "refractory", "votes", *(("traces", "window") if training else ()))
    state = state + sum(b.rows * b.count * type_bytes(b.bits) for name in arrays for b in stored[name])
    if training:
        state = state + learned
    else:
        constant = constant + learned
    stack = column * controller.column_stack_bytes + (1 - column) * controller.stack_bytes
    in_place = np.greater(size.pooled, 1) & np.equal(size.kept_bytes, 0)  # of a signal sums are kept
    means = np.greater(size.contrast_pixels, 0) | in_place
    stack = stack + plain(means * 1) * (1 - column) * controller.means_stack_bytes
    if len(size.layers) > 1:
        stack = controller.stack_bytes
    if size.layers[0].online:
        per_word = np.maximum(_WORD_BITS // np.asarray(size.layers[0].weight_bits), 1)
        stack = controller.events_stack_bytes + plain(per_word) * _SUM_BYTES
        constant = constant + 2 * shares(size.layers[0].mapped_pixels, _WORD_BITS)
    return _code_bytes(size, controller, column) + constant, stack + state


def _first_live(size: Size) -> Size:
    """Return a network whose first layer is computed at all positions at once, and no other is."""
    first, *others = size.layers
    return replace(size, layers=(first, *(replace(layer, online=False) for layer in others)))


def _of_events(size: Size) -> Numbers:
    """Return the bytes of which inputs have had an event, and of what inhibition remembers of a position."""
    layer = size.layers[0]
    if not layer.online:
        return 0
    neuron = type_bytes(count_bits(layer.n_neurons - 1) + 1)
    of_each = {
        "ranked": 1,
        "clamp": np.maximum(type_bytes(count_bits(layer.inhibition_steps)), 1) + neuron,
        "layer": neuron,
    }
    ended = shares(layer.positions, _BYTE_BITS) * (layer.inhibition == First.kind)
    kept = layer.columns * of_each.get(layer.inhibition, 0)
    return plain(_packed_bytes(1, size.buffered_inputs, 1) + ended + kept)


def _of_rows(size: Size) -> Numbers:
    """Return the bytes of the rows that are kept of an image, and of where they are."""
    return size.kept_rows + _ROW_BYTES * plain(np.greater(size.kept_rows, 0) * 1)


def program_learns(size: Size) -> bool:
    """Return whether it is a column that the exported program can learn with."""
    layer, *others = size.layers
    how = layer.rule == "normalised" and layer.adaptation == "balanced"
    return not others and how and bool(np.all(np.greater(size.kept_times, 0)))


def _learning_bytes(size: Size, controller: Controller) -> tuple[Numbers, Numbers]:
    """Return what a column that learns on takes more of flash and of RAM."""
    (layer,) = size.layers
    targets = (layer.n_inputs + 1) * type_bytes(layer.weight_bits + TARGET_BITS + 1)
    wide = np.where(np.greater_equal(layer.state_bits, WIDE_STATE_BITS), 4, 2)
    learned = _weight_bytes(size, 1) + layer.n_neurons * _THETA_BYTES + _COUNTS_BYTES
    ram = learned + layer.n_neurons * plain(wide) + controller.learning_stack_bytes
    return controller.learning_bytes + targets + _RATES_BYTES, ram


def _code_bytes(size: Size, controller: Controller, column: Numbers) -> Numbers:
    """Return what code takes; `column` says whether the first layer is one that is computed line by line."""
    wide = plain(np.greater_equal(size.layers[0].state_bits, WIDE_STATE_BITS) * 1)
    leads = size.layers[-1].positions * 2**size.readout_bits
    pools = plain(np.greater(size.pooled, 1) * 1) * controller.pool_bytes
    of_column = controller.column_bytes + pools + wide * controller.wide_bytes
    of_column = of_column + plain(np.greater_equal(leads, 2**_SCORE_BITS) * 1) * controller.wide_scores_bytes
    keeps = plain(np.greater(size.kept_bytes, 0) * 1)
    others = controller.program_bytes
    if size.layers[0].online:
        several = np.greater(words(size.layers[0].n_neurons, size.layers[0].weight_bits, _WORD_BITS), 1)
        others = controller.events_bytes + plain(several * controller.events_words_bytes)
    others = others + size.rates * controller.rates_bytes
    others = others + keeps * controller.signal_bytes + size.counts_steps * controller.steps_bytes
    others = others + (1 - keeps) * (size.contrast > 1) * controller.contrast_bytes
    others = others + pools + plain(np.greater(size.kept_rows, 0) * 1) * controller.rows_bytes
    of_all = (len(size.layers) - 1) * controller.layer_bytes
    of_all = of_all + (size.extra_features > 0) * controller.features_bytes
    of_all = of_all + (size.readout == LABEL_READOUT) * controller.labels_bytes
    return column * of_column + (1 - column) * others + of_all


def _weight_bytes(size: Size, column: Numbers) -> Numbers:
    first, *others = size.layers
    in_bytes = first.n_inputs * words(first.n_neurons, first.weight_bits, _BYTE_BITS)
    in_words = _packed_bytes(first.n_inputs, first.n_neurons, first.weight_bits)
    of_first = column * in_bytes + (1 - column) * in_words
    return of_first + sum(_packed_bytes(one.n_inputs, one.n_neurons, one.weight_bits) for one in others)


def _of_a_column(size: Size, column: Numbers) -> Numbers:
    """Return the bytes of the times of spikes that a column keeps, and of its sums of weights."""
    layer = size.layers[0]
    sums = layer.n_neurons * type_bytes(count_bits(layer.n_inputs * (2**layer.weight_bits - 1)))
    blocks = np.where(np.greater(size.pooled, 1), size.block_sums * type_bytes(size.sum_bits), 0)
    return size.kept_times * type_bytes(count_bits(layer.steps + 1)) + column * (sums + plain(blocks))


def type_bytes(bits: Numbers) -> Numbers:
    """Return the bytes of the narrowest type of C that has so many bits; none for none."""
    sizes = np.array([0, 1, 2, 4, 8])
    return plain(sizes[np.searchsorted(sizes, shares(bits, 8))])


def _gathered_inputs(size: Size, column: Numbers) -> Numbers:
    """Return the inputs of the layer with most of them, of those that do not read the bits of one below."""
    most = (1 - column) * (not size.layers[0].online) * size.layers[0].n_inputs
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
