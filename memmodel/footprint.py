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
from fspinn.memmodel.size import Size
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
    n = size.n_neurons
    stored = {
        "weights": [Block(size.n_inputs, n, size.weight_bits)],
        "pixels": [Block(1, size.mapped_pixels, 1)],
        "thresholds": [Block(1, n if size.adaptation != "off" else 1, size.threshold_bits)],
        "membrane": [Block(1, n, size.state_bits)],
        "refractory": [Block(1, n, count_bits(size.refractory_steps))],
        "inhibition": _inhibition(size),
        "spikes": [Block(2, size.n_inputs, 1), Block(2, n, 1)],
        "labels": [Block(1, n, index_bits(size.n_classes))] if size.readout == LABEL_READOUT else [],
        "readout": _readout(size),
        "votes": _votes(size),
    }
    if training:
        counter = count_bits(size.window_steps)
        traced, counted = size.rule != "normalised", size.rule in COUNTED_RULES
        stored["traces"] = [
            Block(1, size.n_inputs * traced, size.trace_bits),
            Block(OUTPUT_TRACES.get(size.rule, 0), n, size.trace_bits),
        ]
        stored["window"] = [
            Block(1, size.n_inputs * (not traced), counter),
            Block(1, n * counted, counter),
        ]
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
        `refractory` (counters), `inhibition`, `spikes` (a bit per input and per neuron, twice: one buffer is
        written while the other is read), `labels` (of the readout ``majority``), `readout` (the table of any
        other), `votes` (a spike counter per neuron) and, while training, `traces` and `window` (spike
        counters: of the inputs for the rule ``normalised``, of the neurons for all rules that have a winner).
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

    Every row of weights starts a word, and no number lies across two.

    Parameters
    ----------
    size, training
        As for `footprint`.
    hardware : Hardware

    Returns
    -------
    dict of str to int or ndarray
        The components of `footprint`.
    """
    stored = {}
    for name, parts in blocks(size, training).items():
        word_bits = _memory_of(name, hardware).word_bits
        stored[name] = sum(b.rows * words(b.count, b.bits, word_bits) * word_bits for b in parts)
    return stored


def needed_bits(stored: dict[str, Any], hardware: Hardware) -> dict[str, Any]:
    """Return the sums of `stored_bits` over each memory of the hardware.

    Parameters
    ----------
    stored : dict of str to int or ndarray
        What `stored_bits` returned.
    hardware : Hardware

    Returns
    -------
    dict of str to int or ndarray
        `weights` (with the readout) and `state` (all else).
    """
    needed: dict[str, Any] = {"weights": 0, "state": 0}
    for name, bits in stored.items():
        in_weights = _memory_of(name, hardware) is hardware.memory.weights
        needed["weights" if in_weights else "state"] += bits
    return needed


def physical_bits(needed: dict[str, Any], hardware: Hardware) -> dict[str, Any]:
    """Return the bits of each memory of the hardware: its capacity, or as many whole macros as are needed.

    Parameters
    ----------
    needed : dict of str to int or ndarray
        What `needed_bits` returned.
    hardware : Hardware

    Returns
    -------
    dict of str to int or ndarray
        `weights` and `state`.
    """
    memories = {"weights": hardware.memory.weights, "state": hardware.memory.state}
    return {
        name: shares(needed[name], memory.macro_bits) * memory.macro_bits
        if memory.capacity_bits is None
        else memory.capacity_bits + 0 * needed[name]
        for name, memory in memories.items()
    }


def _memory_of(component: str, hardware: Hardware) -> Memory:
    return hardware.memory.weights if component in IN_WEIGHTS else hardware.memory.state


def _inhibition(size: Size) -> list[Block]:
    """Return the strengths of inhibition, and what its kind has to remember."""
    widths = {"weight": size.weight_bits, "potential": size.state_bits}
    widths |= {"steps": count_bits(size.inhibition_steps), "neuron": index_bits(size.n_neurons)}
    stores = members(Inhibition)[size.inhibition].stores
    return [Block(1, s.number * (size.n_neurons if s.per_neuron else 1), widths[s.width]) for s in stores]


def _readout(size: Size) -> list[Block]:
    """Return a table, and a bias where the readout has one."""
    if size.readout == LABEL_READOUT:
        return []
    table = Block(1, size.n_neurons * size.n_classes, size.readout_bits)
    biased = size.readout == BIASED_READOUT or size.silence
    return [table, Block(1, size.n_classes, BIAS_BITS)] if biased else [table]


def _votes(size: Size) -> list[Block]:
    # A neuron spikes at most once in a time step.
    return [Block(1, size.n_neurons, count_bits(size.steps))]
