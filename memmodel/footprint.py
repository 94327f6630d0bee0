"""How many bits does a network need? Counted per component, exactly.

The formulas are this project's own, of what a device has to store: inhibition has one strength, so it is one
number, not the N x N matrix of a simulator. There are three levels: `footprint` counts logical bits,
`stored_bits` those of the memory words into which they are packed, and `physical_bits` the macros that such
memories are built of.
"""

from typing import Any, NamedTuple

from fspinn.base.settings import members
from fspinn.memmodel.hardware import Hardware, Memory
from fspinn.memmodel.packing import Numbers, count_bits, index_bits, shares, words
from fspinn.memmodel.size import LayerSize, Size
from fspinn.model.model import BIASED_READOUT, LABEL_READOUT
from fspinn.network.inhibition import Inhibition

BIAS_BITS = 32
"""Bits of one number of a readout's bias: as wide as the sum that it starts."""

OUTPUT_TRACES = {"pair": 1}
"""Traces of each neuron that a rule keeps; all rules but ``normalised`` keep one of each input as well."""

COUNTED_RULES = ("normalised", "timestep")
"""Rules that look for the winner of a window, and so count the spikes of each neuron."""


IN_WEIGHTS = ("weights", "pixels", "labels", "readout")
"""Components that lie in the memory of the weights, next to which the state stays small and cheap."""


class Block(NamedTuple):
    """Numbers that are stored together: some rows of numbers of some bits; a row starts a new word."""

    rows: Numbers
    count: Numbers
    bits: Numbers


def blocks(size: Size, training: bool) -> dict[str, list[Block]]:
    """Return what each component of a network stores; the parameters are those of `footprint`."""
    layers, last = size.layers, size.layers[-1]
    most_votes = last.steps * last.positions_in_cell  # a neuron spikes at most once in a time step
    labels = Block(1, last.features, index_bits(size.n_classes))
    stored = {
        "weights": [Block(one.n_inputs, one.n_neurons, one.weight_bits) for one in layers],
        "pixels": [Block(1, one.mapped_pixels, 1) for one in layers],
        "thresholds": [Block(1, _thresholds(one), one.threshold_bits) for one in layers],
        "membrane": [Block(1, one.n_neurons, one.state_bits) for one in layers],
        "refractory": [Block(1, one.n_neurons, count_bits(one.refractory_steps)) for one in layers],
        "inhibition": [block for one in layers for block in _inhibition(one)],
        "spikes": [Block(2, count, 1) for count in (*size.buffered, last.n_neurons)],
        "labels": [labels] if size.readout == LABEL_READOUT else [],
        "readout": _readout(size),
        "votes": [Block(1, last.features, count_bits(most_votes))],
    }
    if training:
        stored["traces"] = [block for one in layers for block in _traces(one)]
        stored["window"] = [block for one in layers for block in _window(one)]
    return stored


def footprint(size: Size, training: bool) -> dict[str, Any]:
    """Return the bits of every component of a network; their sum is what it needs.

    Parameters
    ----------
    size : Size
    training : bool
        Whether the device also learns.

    Returns
    -------
    dict of str to int or ndarray
        Bits of `weights`, `pixels` (one each, where some were dropped), `thresholds`, `membrane`,
        `refractory` (counters), `inhibition`, `spikes` (a bit for each that waits before a layer and for each
        neuron of the last, twice: one buffer is written while the other is read), `labels` (of the readout
        ``majority``), `readout` (the table of any other), `votes` (a spike counter per cell and neuron of the
        last layer) and, while training, `traces` and `window` (spike counters: of the inputs for the rule
        ``normalised``, of the neurons for all rules that have a winner).
    """
    return {
        name: sum(block.rows * block.count * block.bits for block in parts)
        for name, parts in blocks(size, training).items()
    }


def memory_bits(size: Size, training: bool) -> Any:
    """Return all the bits that a network needs: the sum of its `footprint`."""
    return sum(footprint(size, training).values())


def stored_bits(size: Size, hardware: Hardware, training: bool) -> dict[str, Any]:
    """Return the bits of the memory words that hold each component, packed as well as words allow.

    Every row of weights starts a word, and no number lies across two. Components and other parameters are
    those of `footprint`.
    """
    stored = {}
    for name, parts in blocks(size, training).items():
        word_bits = _memory_of(name, hardware).word_bits
        stored[name] = sum(b.rows * words(b.count, b.bits, word_bits) * word_bits for b in parts)
    return stored


def needed_bits(stored: dict[str, Any], hardware: Hardware) -> dict[str, Any]:
    """Return the sums of `stored_bits` over `weights` (with the readout) and `state` (all else)."""
    needed: dict[str, Any] = {"weights": 0, "state": 0}
    for name, bits in stored.items():
        in_weights = _memory_of(name, hardware) is hardware.memory.weights
        needed["weights" if in_weights else "state"] += bits
    return needed


def physical_bits(needed: dict[str, Any], hardware: Hardware) -> dict[str, Any]:
    """Return the bits of each memory: its capacity, or as many whole macros as `needed_bits` says."""
    memories = {"weights": hardware.memory.weights, "state": hardware.memory.state}
    return {
        name: shares(needed[name], memory.macro_bits) * memory.macro_bits
        if memory.capacity_bits is None
        else memory.capacity_bits + 0 * needed[name]
        for name, memory in memories.items()
    }


def _memory_of(component: str, hardware: Hardware) -> Memory:
    return hardware.memory.weights if component in IN_WEIGHTS else hardware.memory.state


def _thresholds(layer: LayerSize) -> Numbers:
    return layer.n_neurons if layer.adaptation != "off" else 1


def _inhibition(layer: LayerSize) -> list[Block]:
    """Return the strengths of inhibition, and what its kind has to remember."""
    widths = {"weight": layer.weight_bits, "potential": layer.state_bits}
    widths |= {"steps": count_bits(layer.inhibition_steps), "neuron": index_bits(layer.n_neurons)}
    stores = members(Inhibition)[layer.inhibition].stores
    return [Block(1, s.number * (layer.n_neurons if s.per_neuron else 1), widths[s.width]) for s in stores]


def _readout(size: Size) -> list[Block]:
    if size.readout == LABEL_READOUT:
        return []
    table = Block(1, size.features * size.n_classes, size.readout_bits)
    biased = size.readout == BIASED_READOUT or size.silence
    return [table, Block(1, size.n_classes, BIAS_BITS)] if biased else [table]


def _traces(layer: LayerSize) -> list[Block]:
    of_inputs = Block(1, layer.n_inputs * (layer.rule != "normalised"), layer.trace_bits)
    return [of_inputs, Block(OUTPUT_TRACES.get(layer.rule, 0), layer.n_neurons, layer.trace_bits)]


def _window(layer: LayerSize) -> list[Block]:
    counted, counter = layer.n_neurons * (layer.rule in COUNTED_RULES), count_bits(layer.window_steps)
    return [Block(1, layer.n_inputs * (layer.rule == "normalised"), counter), Block(1, counted, counter)]
