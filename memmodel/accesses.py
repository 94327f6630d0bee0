"""How often are the memories read and written, and what is calculated, for one image?

This project's own model of a core with two memories. The weights lie row by row, one row per input, packed
into words, with the readout behind them; an input spike reads one row and adds it to the potentials. All else
(potentials, thresholds, traces, spikes, counters) lies in the state memory. Potentials and thresholds are
integers, the leak is a shift and a subtraction. Everything follows from a `Workload`, so from what an engine
counted.

A layer whose field has several positions does all of this at each of them, for as long as its presentation
lasts there, and looks for its input spikes in the input buffer: in each time step it reads what its field
covers. A layer above another reads the times of that one's first spikes in the same way, or, after a layer
without inhibition, a bit for each of its inputs; a bit is set by reading and writing its word. Where events
are answered online, potentials do not stay beside the adders between two of them, and each addition goes to
the memory.

What is learned differs by rule. A neuron that is potentiated has one weight in each row, and so in each word:
``n_inputs`` words are read and written. An input that is depressed (rule ``pair``: at every spike) has its
weights side by side: one row is read and written.
"""

from typing import NamedTuple

import numpy as np

from fspinn.memmodel.footprint import COUNTED_RULES, OUTPUT_TRACES, footprint, vote_bits
from fspinn.memmodel.hardware import Hardware
from fspinn.memmodel.inputs import INTENSITY_BITS
from fspinn.memmodel.layer_size import LayerSize
from fspinn.memmodel.packing import Numbers, count_bits, words
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import Workload
from fspinn.model.features import LEVEL_BITS
from fspinn.model.model import LABEL_READOUT

SUM_BITS = 32
"""Bits of the score of a class, while it is added up."""


class Accesses(NamedTuple):
    """Words read and written in each memory, and operations as additions times their bits."""

    weight_reads: Numbers = 0
    weight_writes: Numbers = 0
    state_reads: Numbers = 0
    state_writes: Numbers = 0
    added_bits: Numbers = 0
    multiplied_square_bits: Numbers = 0


def weights_changed(layer: LayerSize, work: Workload) -> Numbers:
    """Return how many weights the learning rule changes."""
    return work.columns_written * layer.n_inputs + work.rows_written * layer.n_neurons


def weights_tidied(layer: LayerSize, work: Workload) -> Numbers:
    """Return how many weights normalisation and decay change."""
    return (work.normalisations + work.decays) * (layer.n_inputs * layer.n_neurons)


def accesses(
    size: Size, work: tuple[Workload, ...], hardware: Hardware, training: bool
) -> dict[str, Accesses]:
    """Return what one image makes the memories and the arithmetic do: sums over the layers, by component.

    Those are `weights`, `state`, `inhibition`, `spikes` and, while training, `learning`, `traces` and
    `normalisation`, else `readout`.
    """
    parts = {"weights": _weights, "state": _state, "inhibition": _inhibition}
    if training:
        parts |= {"learning": _learning, "traces": _traces, "normalisation": _normalisation}
    found = {}
    for name, part in parts.items():
        each = [part(layer, done, hardware) for layer, done in zip(size.layers, work, strict=True)]
        found[name] = _sum(each)
    found["spikes"] = _spikes(size, work, hardware)
    return found if training else {**found, "readout": _readout(size, work[-1], hardware)}


def off_chip_bits(done: dict[str, Accesses], needed: dict[str, Numbers], hardware: Hardware) -> Numbers:
    """Return the bits of weights that one image moves between the chip and the memory beside it.

    Of the accesses to the memory of the weights, the share that it cannot hold goes outside: rows are used
    about equally often, so keeping any of them is as good as keeping others. `done` is what `accesses`
    returned, `needed` what `fspinn.memmodel.footprint.needed_bits` did.
    """
    memory = hardware.memory.weights
    if hardware.off_chip is None or memory.capacity_bits is None:
        return 0
    missing = np.maximum(0.0, 1 - memory.capacity_bits / needed["weights"])
    moved = sum(one.weight_reads + one.weight_writes for one in done.values())
    return missing * moved * memory.word_bits


def _read_and_written(state_words: Numbers, added_bits: Numbers = 0) -> Accesses:
    return Accesses(state_reads=state_words, state_writes=state_words, added_bits=added_bits)


def _sum(each: list[Accesses]) -> Accesses:
    return Accesses(*map(sum, zip(*each, strict=True)))


def _row(layer: LayerSize, hardware: Hardware) -> Numbers:
    return words(layer.n_neurons, layer.weight_bits, hardware.memory.weights.word_bits)


def _state_words(count: Numbers, bits: Numbers, hardware: Hardware) -> Numbers:
    return words(count, bits, hardware.memory.state.word_bits)


def _weights(layer: LayerSize, work: Workload, hardware: Hardware) -> Accesses:
    row = _row(layer, hardware)
    of_all_inputs = hardware.core.schedule == "clock"
    reads = work.steps * layer.n_inputs * row if of_all_inputs else work.rows_read * row + work.weights_read
    return Accesses(weight_reads=reads, added_bits=work.synaptic_additions * layer.state_bits)


def _state(layer: LayerSize, work: Workload, hardware: Hardware) -> Accesses:
    """Return the passes over all neurons, and the sums if they lie in the memory meanwhile."""
    n = layer.n_neurons
    potentials = _state_words(n, layer.state_bits, hardware)
    changed = work.neuron_updates / n * potentials
    changed = changed + work.steps * _state_words(n, count_bits(layer.refractory_steps), hardware)
    if hardware.core.accumulators == "sram" or layer.online:
        changed = changed + work.rows_read * potentials + work.weights_read
    cleared = np.maximum(work.positions - 1, 0) * potentials  # between two positions
    thresholds = _state_words(layer.thresholds, layer.threshold_bits, hardware)
    return Accesses(
        state_reads=changed + work.steps * thresholds,
        state_writes=changed + cleared,
        added_bits=2 * work.neuron_updates * layer.state_bits,  # leak and comparison
    )


def _spikes(size: Size, work: tuple[Workload, ...], hardware: Hardware) -> Accesses:
    """Return how input spikes are found, and the buffers filled.

    A layer at one position is given a bit for each input in every time step, which is written and read. Where
    inputs are means, each pixel is added to the sum of its block.
    """
    first, done = size.layers[0], work[0]
    bitmaps = _read_and_written(done.steps * _state_words(first.n_inputs, 1, hardware) * (1 - first.slides))
    coded = _state_words(size.sample_inputs, size.input_bits, hardware)
    intensities = np.minimum(size.contrast_inputs, 1) * _state_words(
        size.sample_inputs // size.contrast, INTENSITY_BITS, hardware
    )
    read = done.steps * _state_words(first.n_inputs, size.input_bits, hardware)
    rows = Accesses(
        state_reads=(read + intensities) * first.slides, state_writes=(coded + intensities) * first.slides
    )
    found = [bitmaps, rows]
    pixels = size.sample_inputs // size.contrast * size.pooled * np.minimum(size.block_sums, 1)
    found.append(_read_and_written(pixels, pixels * size.sum_bits))
    for layer, done, before, sent in zip(size.layers[1:], work[1:], size.layers, work, strict=False):
        found.append(_read_and_written(sent.output_spikes))
        cleared = before.time_rows * _state_words(before.features, before.time_bits, hardware)
        times = done.steps * _state_words(layer.n_inputs, before.time_bits, hardware)
        found.append(Accesses(state_reads=times, state_writes=cleared))
    return _sum(found)


def _inhibition(layer: LayerSize, work: Workload, hardware: Hardware) -> Accesses:
    if not layer.lowers_others:
        return Accesses()
    potentials = _state_words(layer.n_neurons, layer.state_bits, hardware)
    added = work.output_spikes * layer.n_neurons * layer.state_bits
    return _read_and_written(work.output_spikes * potentials, added)


def _learning(layer: LayerSize, work: Workload, hardware: Hardware) -> Accesses:
    """Return the changes of weights and thresholds, and the counters that decide on them.

    Spikes are counted one by one. At the end of a window the counters are read twice (for their norm, then as
    the target) and cleared. Moving a weight is one multiplication and two additions.
    """
    n, weights = layer.n_neurons, weights_changed(layer, work)
    changed = work.columns_written * layer.n_inputs + work.rows_written * _row(layer, hardware)
    counter = count_bits(layer.window_steps)
    counters = _state_words(layer.n_inputs * (layer.rule == "normalised"), counter, hardware)
    counters = counters + _state_words(layer.n_neurons * (layer.rule in COUNTED_RULES), counter, hardware)
    counted = work.input_spikes * (layer.rule == "normalised")
    counted = counted + work.output_spikes * (layer.rule in COUNTED_RULES)
    thresholds = work.threshold_passes * _state_words(n, layer.threshold_bits, hardware)
    adapted = thresholds + work.thresholds_written
    changed_thresholds = work.threshold_passes * n + work.thresholds_written
    return Accesses(
        weight_reads=changed,
        weight_writes=changed,
        state_reads=counted + 2 * work.windows * counters + adapted,
        state_writes=counted + work.windows * counters + adapted,
        added_bits=2 * weights * layer.weight_bits + changed_thresholds * layer.threshold_bits,
        multiplied_square_bits=weights * layer.weight_bits**2,
    )


def _traces(layer: LayerSize, work: Workload, hardware: Hardware) -> Accesses:
    """Return the decay of all traces in each time step, and their reading where weights change."""
    if layer.rule == "normalised":
        return Accesses()
    of_each = OUTPUT_TRACES.get(layer.rule, 0)
    of_inputs = _state_words(layer.n_inputs, layer.trace_bits, hardware)
    of_neurons = of_each * _state_words(layer.n_neurons, layer.trace_bits, hardware)
    traces = layer.n_inputs + of_each * layer.n_neurons
    decayed = work.steps * (of_inputs + of_neurons)
    used = work.columns_written * of_inputs + work.rows_written * np.maximum(of_neurons, 1)
    return Accesses(
        state_reads=decayed + used, state_writes=decayed, added_bits=work.steps * traces * layer.trace_bits
    )


def _normalisation(layer: LayerSize, work: Workload, hardware: Hardware) -> Accesses:
    """Return passes over all weights: normalisation reads twice (sum, then scale), decay reads once."""
    weights = weights_tidied(layer, work)
    all_words = layer.n_inputs * _row(layer, hardware)
    return Accesses(
        weight_reads=(2 * work.normalisations + work.decays) * all_words,
        weight_writes=(work.normalisations + work.decays) * all_words,
        added_bits=weights * layer.weight_bits,
        multiplied_square_bits=weights * layer.weight_bits**2,
    )


def _readout(size: Size, work: Workload, hardware: Hardware) -> Accesses:
    """Return what finding the class takes: a counter for each spike; at the end votes and table, once.

    Where a field has several positions, or neurons spike independently (inhibition ``none``), counts are
    large, and each is multiplied with its row of the table.
    All inputs of extra features are taken to be on, which is the bound; as all of these count as the same
    power of two, their rows are shifted and added.
    """
    bits, last = footprint(size, training=False), size.layers[-1]
    votes = words(bits["votes"], 1, hardware.memory.state.word_bits)
    table = words(bits["readout"] + bits["labels"], 1, hardware.memory.weights.word_bits)
    has_table = size.readout != LABEL_READOUT
    many = np.maximum(last.slides, last.sends_each_spike)
    products = many * last.features * size.n_classes * has_table
    levels = _state_words(size.extra_features, LEVEL_BITS, hardware)
    return Accesses(
        weight_reads=table,
        state_reads=work.output_spikes + votes + levels,
        state_writes=work.output_spikes + levels,
        added_bits=(products + size.extra_rows * size.n_classes * has_table) * SUM_BITS,
        multiplied_square_bits=products * vote_bits(last) * size.readout_bits,
    )
