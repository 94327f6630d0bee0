"""What does a network cost as a simulator stores and computes it? For the ratios that FSpiNN published.

This project's own reading of them. A simulator keeps inhibition as an N x N matrix of weights, or two with a
layer of inhibitory neurons (to it and back), and multiplies with all matrices in every time step. On the GPU
that FSpiNN's energies were measured on, energy is taken to be proportional to the bytes of the matrices that
are touched: only ratios mean something. A device stores no such matrix; `fspinn.memmodel` counts none.
"""

from fspinn.memmodel import LayerSize, Size, Workload, footprint
from fspinn.memmodel.footprint import COUNTED_RULES
from fspinn.memmodel.packing import Numbers, shares, words

PASSES = 12
"""Passes over all weights that a simulator makes to learn once (outer products, additions, clamps), half of
them reads. Fitted to FSpiNN's published 3.5 times less training energy: 12 gives 3.52, 10 gives 3.24 at 4900
neurons. So that ratio is reproduced, not validated."""


def inhibition_rows(layer: LayerSize) -> Numbers:
    """Return the rows, each of N weights, of the matrix or matrices of inhibition."""
    return layer.n_neurons * (2 if layer.inhibition == "layer" else 1)


def matrix_bits(size: Size) -> Numbers:
    """Return the bits of all matrices: the weights of the inputs, and inhibition."""
    (layer,) = size.layers
    return (layer.n_inputs + inhibition_rows(layer)) * layer.n_neurons * layer.weight_bits


def memory_bits(size: Size) -> Numbers:
    """Return the bits for inference: the matrices, and what else `fspinn.memmodel.footprint` counts."""
    parts = footprint(size, training=False)
    return matrix_bits(size) + sum(parts.values()) - parts["weights"] - parts["inhibition"]


def touched_bytes(size: Size, work: Workload, training: bool) -> Numbers:
    """Return the bytes of matrices, and of the readout's table, that one image reads and writes.

    A rule that updates at spikes touches all weights in every time step, one that looks for the winner of a
    window at the end of each.
    """
    (layer,) = size.layers
    row = words(layer.n_neurons, layer.weight_bits, 8)
    touched = work.steps * (layer.n_inputs + inhibition_rows(layer)) * row
    if not training:
        bits = footprint(size, training=False)
        return touched + shares(bits["readout"] + bits["labels"], 8)
    often = work.windows if layer.rule in COUNTED_RULES else work.steps
    passes = often * PASSES + 3 * work.normalisations + 2 * work.decays
    return touched + passes * layer.n_inputs * row
