"""How many bits does a network need? Counted per component, exactly.

The formulas are this project's own. Two accountings stand side by side:

- ``structure-aware``: what a device stores. Lateral inhibition has one strength, so it is one number.
- ``dense-sim``: what simulators store. Lateral inhibition is an N x N matrix of weights. FSpiNN's
  published saving of memory comes out of this one (`fspinn_memory_ratio`).
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from fspinn.errors import ConfigError
from fspinn.model import Network
from fspinn.trained import BIASED_READOUT, LABEL_READOUT, PAIR_READOUT, Model

ACCOUNTINGS = ("structure-aware", "dense-sim")

BIAS_BITS = 32
"""Bits of one number of a readout's bias: as wide as the sum that it starts."""


@dataclass(frozen=True)
class Size:
    """The whole numbers that a network's costs follow from; nothing has to be trained to know them.

    `n_inputs`, `n_neurons` and `weight_bits` may also be integer arrays of one shape, for many networks
    at once.

    Parameters
    ----------
    n_inputs, n_neurons, n_classes : int
    weight_bits : int
        Bits of one weight.
    state_bits : int, default 32
        Bits of one membrane potential.
    threshold_bits : int, default 32
        Bits of one adaptive threshold.
    steps, window_steps : int, default 350
        Time steps of a presentation and of a learning window.
    refractory_steps : int, default 0
        Time steps in which a neuron cannot spike after a spike.
    readout : str, default "proportion"
        Name of the readout; the table of ``majority`` is stored as one label per neuron.
    readout_bits : int, default 32
        Bits of one entry of any other readout's table.
    pairs : int or None, default None
        Pairs of neurons in the table of ``ngram``, which only training tells; None prices its upper bound,
        all ``n_neurons ** 2``.

    Raises
    ------
    ConfigError
        If a value is not a whole number or too small.
    """

    n_inputs: int
    n_neurons: int
    n_classes: int
    weight_bits: int
    state_bits: int = 32
    threshold_bits: int = 32
    steps: int = 350
    window_steps: int = 350
    refractory_steps: int = 0
    readout: str = "proportion"
    readout_bits: int = 32
    pairs: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name == "readout" or getattr(self, field.name) is None:
                continue
            value = np.asarray(getattr(self, field.name))
            low = 0 if field.name in ("refractory_steps", "pairs") else 1
            if value.dtype.kind not in "iu" or not (value >= low).all():
                raise ConfigError(
                    f"{field.name}: {getattr(self, field.name)!r} is not a size; "
                    f"give a whole number of at least {low}"
                )

    @classmethod
    def of(cls, model: Model) -> "Size":
        """Return the size of a trained model."""
        format, pairs = model.readout.format, model.readout.pairs
        size = cls.of_network(
            model.network,
            n_inputs=model.n_inputs,
            n_classes=model.readout.n_classes,
            weight_bits=model.weight_bits,
            readout=model.readout.name,
            readout_bits=32 if format is None else format.bits,
        )
        return replace(size, pairs=None if pairs is None else len(pairs))

    @classmethod
    def of_network(
        cls,
        network: Network,
        n_inputs: int,
        n_classes: int,
        weight_bits: int,
        readout: str = "proportion",
        readout_bits: int = 32,
    ) -> "Size":
        """Return the size of a network that need not exist yet.

        Parameters
        ----------
        network : Network
        n_inputs, n_classes, weight_bits : int
        readout : str, default "proportion"
        readout_bits : int, default 32

        Returns
        -------
        Size
        """
        return cls(
            n_inputs=n_inputs,
            n_neurons=network.neurons,
            n_classes=n_classes,
            weight_bits=weight_bits,
            steps=network.steps,
            window_steps=network.window_steps,
            refractory_steps=network.refractory_steps,
            readout=readout,
            readout_bits=readout_bits,
        )


def footprint(size: Size, training: bool, accounting: str = "structure-aware") -> dict[str, int]:
    """Return the bits of every component of a network; their sum is what it needs.

    Parameters
    ----------
    size : Size
    training : bool
        Whether the device also learns. Learning adds the `window`: one spike counter per input and per
        neuron. The timestep rule needs no traces.
    accounting : {"structure-aware", "dense-sim"}, default "structure-aware"

    Returns
    -------
    dict of str to int
        Bits of `weights`, `thresholds`, `membrane`, `refractory`, `inhibition`, `spikes` (a bit per input
        and per neuron, twice: one buffer is written while the other is read), `readout`, `votes` (a spike
        counter per neuron; for ``ngram`` the score of each class and the neuron that spiked last) and,
        while training, `window`.

    Raises
    ------
    ConfigError
        If the accounting is unknown.
    """
    check_accounting(accounting)
    n = size.n_neurons
    bits = {
        "weights": size.n_inputs * n * size.weight_bits,
        "thresholds": n * size.threshold_bits,
        "membrane": n * size.state_bits,
        "refractory": n * int(size.refractory_steps).bit_length(),
        # What is taken from a potential is as wide as a potential; in a matrix it is a weight.
        "inhibition": size.state_bits if accounting == "structure-aware" else n * n * size.weight_bits,
        "spikes": 2 * (size.n_inputs + n),
        "readout": _readout_bits(size),
        "votes": _votes_bits(size),
    }
    if training:
        bits["window"] = (size.n_inputs + n) * int(size.window_steps).bit_length()
    return bits


def memory_bits(size: Size, training: bool, accounting: str = "structure-aware") -> int:
    """Return all the bits that a network needs: the sum of its `footprint`.

    Parameters
    ----------
    size : Size
    training : bool
    accounting : {"structure-aware", "dense-sim"}, default "structure-aware"

    Returns
    -------
    int

    Raises
    ------
    ConfigError
        If the accounting is unknown.
    """
    return sum(footprint(size, training, accounting).values())


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

    def matrices(weight_bits: int) -> tuple[int, int]:
        size = Size(n_inputs, n_neurons, n_classes=10, weight_bits=weight_bits)
        bits = footprint(size, training=False, accounting="dense-sim")
        return bits["weights"], bits["inhibition"]

    weights, one_matrix = matrices(32)
    return (weights + 2 * one_matrix) / sum(matrices(weight_bits))


def check_accounting(accounting: Any) -> None:
    """Raise ConfigError unless the accounting is known."""
    if accounting not in ACCOUNTINGS:
        raise ConfigError(f"accounting: {accounting!r} is unknown; use one of {', '.join(ACCOUNTINGS)}")


def score_bits(size: Size) -> int:
    """Return the bits of the sum of as many entries of a readout's table as there can be spikes."""
    return size.readout_bits + int(size.steps).bit_length()


def _readout_bits(size: Size) -> int:
    """Labels; or a table, with the two neurons of each row or a bias where the readout has them."""
    n, row = size.n_neurons, size.n_classes * size.readout_bits
    if size.readout == LABEL_READOUT:
        return n * _index_bits(size.n_classes)
    if size.readout == PAIR_READOUT:
        return (n * n if size.pairs is None else size.pairs) * (2 * _index_bits(n) + row)
    return n * row + (size.n_classes * BIAS_BITS if size.readout == BIASED_READOUT else 0)


def _votes_bits(size: Size) -> int:
    if size.readout == PAIR_READOUT:
        return size.n_classes * score_bits(size) + _index_bits(size.n_neurons)
    # A neuron spikes at most once in a time step.
    return size.n_neurons * int(size.steps).bit_length()


def _index_bits(count: int) -> int:
    """Return the bits, at least one, of a whole number below `count`; of each where that is an array."""
    bits: Any = np.frexp(np.maximum(count - 1, 1))[1]
    whole: int = int(bits) if np.ndim(count) == 0 else bits
    return whole
