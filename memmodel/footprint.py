"""How many bits does a network need? Counted per component, exactly.

The formulas are this project's own, of what a device has to store: inhibition has one strength, so it is one
number, not the N x N matrix of a simulator. There are three levels: `footprint` counts logical bits,
`stored_bits` those of the memory words into which they are packed, and `physical_bits` the macros that such
memories are built of.
"""

from typing import Any, NamedTuple

from fspinn.base.settings import members
from fspinn.memmodel.hardware import Hardware, Memory
from fspinn.memmodel.inputs import INTENSITY_BITS
from fspinn.memmodel.layer_size import LayerSize
from fspinn.memmodel.packing import Numbers, count_bits, index_bits, shares, words
from fspinn.memmodel.size import Size
from fspinn.model.features import LEVEL_BITS
from fspinn.model.model import BIASED_READOUT, LABEL_READOUT, bias_bits
from fspinn.network.inhibition import First, Inhibition, most_spikes

OUTPUT_TRACES = {"pair": 1}
"""Traces of each neuron that a rule keeps; all rules but ``normalised`` keep one of each input as well."""

COUNTED_RULES = ("normalised", "timestep")
"""Rules that look for the winner of a window, and so count the spikes of each neuron."""


IN_WEIGHTS = ("weights", "pixels", "labels", "readout")
"""Components that lie in the memory of the weights, next to which the state stays small and cheap."""


_CHANGING = ("steps", "neuron")
"""Widths of what inhibition remembers of a column, not of what it is set to."""


class Block(NamedTuple):
    """Numbers that are stored together: some rows of numbers of some bits; a row starts a new word."""

    rows: Numbers
    count: Numbers
    bits: Numbers


def blocks(size: Size, training: bool) -> dict[str, list[Block]]:
    """Return what each component of a network stores; the parameters are those of `footprint`."""
    layers, last = size.layers, size.layers[-1]
    labels = Block(1, size.readout_rows, index_bits(size.n_classes))
    stored = {
        "weights": [Block(one.n_inputs, one.n_neurons, one.weight_bits) for one in layers],
        "pixels": [Block(1, one.mapped_pixels, 1) for one in layers],
        "thresholds": [Block(1, one.thresholds, one.threshold_bits) for one in layers],
        "membrane": [Block(one.columns, one.n_neurons, one.state_bits) for one in layers],
        "refractory": [Block(one.columns, one.n_neurons, count_bits(one.refractory_steps)) for one in layers],
        "inhibition": [block for one in layers for block in _inhibition(one)],
        "input_buffer": [
            Block(1, size.buffered_inputs, size.input_bits),
            Block(1, size.contrast_inputs, INTENSITY_BITS),
            Block(1, size.block_sums, size.sum_bits),
            Block(1, size.extra_features, LEVEL_BITS),
        ],
        "spikes": [
            Block(2, layers[0].n_inputs * (1 - layers[0].slides), 1),
            Block(2, last.n_neurons * (1 - last.slides), 1),
        ],
        "spike_times": [Block(one.time_rows, one.features, one.time_bits) for one in layers[:-1]],
        "labels": [labels] if size.readout == LABEL_READOUT else [],
        "readout": _readout(size),
        "votes": [Block(1, last.features, vote_bits(last))],
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
        `refractory` (counters), `inhibition`, `input_buffer` (what a field keeps of a sample, see the notes,
        and the level of each extra feature), `spikes` (a bit for each input of the first layer and for each
        neuron of the last, twice: one buffer is written while the other is read), `spike_times` (between two
        layers, when each neuron spiked first in each cell; after inhibition ``none`` a bit for each cell,
        neuron and time step), `labels` (of the readout ``majority``), `readout`
        (the table of any other, and its bias), `votes` (a spike counter per cell and neuron of the last
        layer) and, while training, `traces` and `window` (spike counters: of the inputs for the rule
        ``normalised``, of the neurons for all rules that have a winner).

    Notes
    -----
    The rows of a sample arrive one after the other. A field needs as many of them as it is high, unless the
    encoder needs the whole sample before the first spike (`poisson` and `regular`, whose rates share a norm,
    and `ttfs` relative to the brightest). Values are kept as codes: with `ttfs` in one of T steps or never,
    in ``ceil(log2(T + 1))`` bits; otherwise in 8 bits. With contrast, ON and OFF are kept as such codes, and
    beside them the 2 radius + 1 rows of intensities that the local mean needs, as it is computed once, or the
    level that steps are counted from; with `fspinn.Network.pool` also the sums of a row of blocks, as wide as
    that of white pixels. Of a signal, one row, values arrive one by one: a field keeps as many as it is wide.

    A layer whose field has several positions takes its input spikes from the input buffer, and a spike goes
    straight into a counter, so it has no `spikes`. What there is only one of is a register, in the readout
    too: the scores of the classes are added up one after the other. The firing threshold that all neurons
    share is a constant; `thresholds` is what each neuron adds to it, or that constant where none adapts.
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


def vote_bits(layer: LayerSize) -> Numbers:
    """Return the bits of a counter of all that a neuron can spike in a cell.

    It spikes at most once in a time step, and where the first spike ends a position at most once in each.
    """
    most = most_spikes(layer.inhibition, layer.steps, layer.inhibition_steps)
    return count_bits(layer.positions_in_cell * most)


def _inhibition(layer: LayerSize) -> list[Block]:
    """Return the strengths of inhibition, and what its kind has to remember, of each column that is kept."""
    widths = {"weight": layer.weight_bits, "potential": layer.state_bits}
    widths |= {"steps": count_bits(layer.inhibition_steps), "neuron": index_bits(layer.n_neurons)}
    stores = members(Inhibition)[layer.inhibition].stores
    found = [
        Block(
            layer.columns if s.per_neuron or s.width in _CHANGING else 1,
            s.number * (layer.n_neurons if s.per_neuron else 1),
            widths[s.width],
        )
        for s in stores
    ]
    ended = layer.positions * (layer.online and layer.inhibition == First.kind)
    return [*found, Block(1, ended, 1)]


def _readout(size: Size) -> list[Block]:
    if size.readout == LABEL_READOUT:
        return []
    table = Block(1, size.readout_rows * size.n_classes, size.readout_bits)
    biased = size.readout == BIASED_READOUT or size.silence
    return [table, Block(1, size.n_classes, bias_bits(size.readout_bits))] if biased else [table]


def _traces(layer: LayerSize) -> list[Block]:
    of_inputs = Block(1, layer.n_inputs * (layer.rule != "normalised"), layer.trace_bits)
    return [of_inputs, Block(OUTPUT_TRACES.get(layer.rule, 0), layer.n_neurons, layer.trace_bits)]


def _window(layer: LayerSize) -> list[Block]:
    counted, counter = layer.n_neurons * (layer.rule in COUNTED_RULES), count_bits(layer.window_steps)
    return [Block(1, layer.n_inputs * (layer.rule == "normalised"), counter), Block(1, counted, counter)]
