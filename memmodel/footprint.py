"""How many bits does a network need? Counted per component, exactly.

The formulas are this project's own. Two accountings stand side by side:

- ``structure-aware``: what a device stores. Inhibition has one strength, so it is one number.
- ``dense-sim``: what simulators store. Inhibition is an N x N matrix of weights, or with a layer of
  inhibitory neurons two (to it and back). FSpiNN's published saving of memory comes out of this one
  (`fspinn_memory_ratio`).

And three levels: `footprint` counts logical bits, `stored_bits` those of the memory words into which they
are packed, and `physical_bits` the macros that such memories are built of.
"""

from typing import Any, NamedTuple

from fspinn.errors import ConfigError
from fspinn.memmodel.hardware import Hardware, Memory
from fspinn.memmodel.packing import Numbers, count_bits, index_bits, shares, words
from fspinn.memmodel.size import Size
from fspinn.trained import BIASED_READOUT, LABEL_READOUT, PAIR_READOUT

ACCOUNTINGS = ("structure-aware", "dense-sim")

BIAS_BITS = 32
"""Bits of one number of a readout's bias: as wide as the sum that it starts."""

OUTPUT_TRACES = {"pair": 1, "triplet": 2}
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


def matrices(size: Size) -> int:
    """Return how many N x N matrices a simulator keeps for inhibition."""
    return 2 if size.inhibition_kind == "layer" else 1


def blocks(size: Size, training: bool, accounting: str) -> dict[str, list[Block]]:
    """Return what each component of a network stores; the parameters are those of `footprint`."""
    check_accounting(accounting)
    n = size.n_neurons
    stored = {
        "weights": [Block(size.n_inputs, n, size.weight_bits)],
        "pixels": [Block(1, size.mapped_pixels, 1)],
        "thresholds": [Block(1, n if size.adaptation != "off" else 1, size.threshold_bits)],
        "membrane": [Block(1, n, size.state_bits)],
        "refractory": [Block(1, n, count_bits(size.refractory_steps))],
        "inhibition": _inhibition(size, accounting),
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


def footprint(size: Size, training: bool, accounting: str = "structure-aware") -> dict[str, Any]:
    """Return the bits of every component of a network; their sum is what it needs.

    Parameters
    ----------
    size : Size
    training : bool
        Whether the device also learns.
    accounting : {"structure-aware", "dense-sim"}, default "structure-aware"

    Returns
    -------
    dict of str to int or ndarray
        Bits of `weights`, `pixels` (one each, where some were dropped), `thresholds`, `membrane`,
        `refractory` (counters), `inhibition`, `spikes` (a bit per input and per neuron, twice: one buffer is
        written while the other is read), `labels` (of the readout ``majority``), `readout` (the table of any
        other), `votes` (a spike counter per neuron; for ``ngram`` the score of each class and the neuron that
        spiked last) and, while training, `traces` and `window` (spike counters: of the inputs for the rule
        ``normalised``, of the neurons for all rules that have a winner).

    Raises
    ------
    ConfigError
        If the accounting is unknown.
    """
    return {
        name: sum(block.rows * block.count * block.bits for block in parts)
        for name, parts in blocks(size, training, accounting).items()
    }


def memory_bits(size: Size, training: bool, accounting: str = "structure-aware") -> Any:
    """Return all the bits that a network needs: the sum of its `footprint`, which see."""
    return sum(footprint(size, training, accounting).values())


def stored_bits(
    size: Size, hardware: Hardware, training: bool, accounting: str = "structure-aware"
) -> dict[str, Any]:
    """Return the bits of the memory words that hold each component, packed as well as words allow.

    Every row of weights starts a word, and no number lies across two.

    Parameters
    ----------
    size, training, accounting
        As for `footprint`.
    hardware : Hardware

    Returns
    -------
    dict of str to int or ndarray
        The components of `footprint`.
    """
    stored = {}
    for name, parts in blocks(size, training, accounting).items():
        word_bits = _memory_of(name, hardware, accounting).word_bits
        stored[name] = sum(b.rows * words(b.count, b.bits, word_bits) * word_bits for b in parts)
    return stored


def needed_bits(stored: dict[str, Any], hardware: Hardware, accounting: str) -> dict[str, Any]:
    """Return the sums of `stored_bits` over each memory of the hardware.

    Parameters
    ----------
    stored : dict of str to int or ndarray
        What `stored_bits` returned.
    hardware : Hardware
    accounting : str

    Returns
    -------
    dict of str to int or ndarray
        `weights` (with the readout, and in ``dense-sim`` the matrices of inhibition) and `state` (all else).
    """
    needed: dict[str, Any] = {"weights": 0, "state": 0}
    for name, bits in stored.items():
        in_weights = _memory_of(name, hardware, accounting) is hardware.memory.weights
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


def fspinn_memory_ratio(n_inputs: int, n_neurons: int, weight_bits: int) -> float:
    """Return how much less memory direct lateral inhibition needs, accounted as FSpiNN's paper seems to.

    The baseline is a layer of excitatory and a layer of inhibitory neurons in float32, which simulators
    store with two N x N matrices; direct lateral inhibition needs one. Only matrices are counted. This
    accounting is this project's own reading of the published 7.5 times: it gives 7.448 with 784 inputs,
    4900 neurons and 8 bits.

    Parameters
    ----------
    n_inputs, n_neurons : int
    weight_bits : int
        Bits of a weight with direct lateral inhibition.

    Returns
    -------
    float

    Examples
    --------
    >>> round(fspinn_memory_ratio(784, 4900, weight_bits=8), 3)
    7.448
    """

    def matrix_bits(weight_bits: int, inhibition_kind: str) -> int:
        size = Size(
            n_inputs, n_neurons, n_classes=10, weight_bits=weight_bits, inhibition_kind=inhibition_kind
        )
        bits = footprint(size, training=False, accounting="dense-sim")
        return int(bits["weights"] + bits["inhibition"])

    return matrix_bits(32, "layer") / matrix_bits(weight_bits, "lateral")


def check_accounting(accounting: Any) -> None:
    """Raise ConfigError unless the accounting is known."""
    if accounting not in ACCOUNTINGS:
        raise ConfigError(f"accounting: {accounting!r} is unknown; use one of {', '.join(ACCOUNTINGS)}")


def score_bits(size: Size) -> Any:
    """Return the bits of the sum of as many entries of a readout's table as there can be spikes."""
    return size.readout_bits + count_bits(size.steps)


def _memory_of(component: str, hardware: Hardware, accounting: str) -> Memory:
    """Matrices and the readout lie in the memory of the weights, all else in that of the state."""
    matrix = component in IN_WEIGHTS or (component == "inhibition" and accounting == "dense-sim")
    return hardware.memory.weights if matrix else hardware.memory.state


def _inhibition(size: Size, accounting: str) -> list[Block]:
    """Return the strengths of inhibition, and what its kind has to remember."""
    if accounting == "dense-sim":
        return [Block(size.n_neurons * matrices(size), size.n_neurons, size.weight_bits)]
    rest_bits = count_bits(size.inhibition_steps)
    if size.inhibition_kind == "layer":  # to and from a layer of neurons with a potential and a rest each
        neurons = [Block(1, size.n_neurons, size.state_bits), Block(1, size.n_neurons, rest_bits)]
        return [Block(1, 2, size.weight_bits), *neurons]
    if size.inhibition_kind == "clamp":  # the time left, and the neuron that is not clamped
        return [Block(1, 1, rest_bits), Block(1, 1, index_bits(size.n_neurons))]
    return [Block(1, 1, size.state_bits)]  # what is taken from a potential is as wide as one


def _readout(size: Size) -> list[Block]:
    """Return a table, with the two neurons of each row or a bias where the readout has them."""
    n, row_bits = size.n_neurons, size.n_classes * size.readout_bits
    if size.readout == LABEL_READOUT:
        return []
    if size.readout == PAIR_READOUT:
        pairs = n * n if size.pairs is None else size.pairs
        return [Block(1, pairs, 2 * index_bits(n) + row_bits)]
    table = Block(1, n * size.n_classes, size.readout_bits)
    biased = size.readout == BIASED_READOUT or size.silence
    return [table, Block(1, size.n_classes, BIAS_BITS)] if biased else [table]


def _votes(size: Size) -> list[Block]:
    if size.readout == PAIR_READOUT:
        return [Block(1, size.n_classes, score_bits(size)), Block(1, 1, index_bits(size.n_neurons))]
    # A neuron spikes at most once in a time step.
    return [Block(1, size.n_neurons, count_bits(size.steps))]
