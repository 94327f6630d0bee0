"""How long does the C program take for networks that are not a column? Cycles, from what engines count.

The program that `fspinn export` writes (its `layer.h` and `encoder.h`) finds the input spikes of eight time
steps at once: at each position it looks at every input of the field, makes its contrast anew, and draws
spikes for those that are not black. Then each step is taken: its input spikes are looked for, the weights of
each are added a word of 32 bits at a time, and all neurons are brought up to date. What is counted here, by
the key of `fspinn.memmodel.hardware.Program` that says what each takes, is this project's own description of
that.

How many inputs are not black follows from the spikes, as of white pixels: with normalised rates a sample
gives ``white_spikes sqrt(pixels)``, with the encoder ``unscaled`` ``white_spikes pixels``. Grey pixels spike
as fewer white ones would: five are taken for four, or three for two (fspinn; MNIST and Fashion-MNIST). Inputs
that are not used are passed over, and count nothing after the first pass over all.

Not counted: that `Delta` of an image (not of a signal) starts anew in each row of a field, and that all
inputs of a step are looked for again where more than 32 of them spike.
"""

import numpy as np

from fspinn.memmodel.hardware import Program
from fspinn.memmodel.layer_size import LayerSize
from fspinn.memmodel.packing import Numbers, plain, shares, words
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import Workload
from fspinn.model.model import LABEL_READOUT
from fspinn.network.inhibition import First
from fspinn.network.inputs import Delta, Poisson, Regular, Unscaled

STEPS_AT_ONCE = 8
"""Time steps whose input spikes the exported program finds at once (its `NETWORK_STEPS_AT_ONCE`).

They share random words: for N = 400 an MNIST image takes 17.4, 11.2 or 9.3 million instructions for 2, 8 or
32 steps, counted by QEMU on five images.
"""

WIDE_STATE_BITS = 15
"""Bits of potentials from which on a column adds to them in 32 bits."""

_WORD_BITS = 32
_PART_OF_A_BLOCK = (STEPS_AT_ONCE - 1) / (2 * STEPS_AT_ONCE)
"""What the last eight steps of a position that ends early lack, on average."""

_PIXELS_OF_A_WHITE_ONE = {Poisson.kind: 1.25, Regular.kind: 1.25, Unscaled.kind: 1.5}

_COMPONENTS = {
    "pass_input": "scan",
    "look": "scan",
    "contrast": "scan",
    "contrast_pixel": "scan",
    "value": "scan",
    "draw": "scan",
    "regular": "scan",
    "event": "scan",
    "run": "scan",
    "input_spike": "scan",
    "step": "steps",
    "addition": "weights",
    "neuron": "neurons",
    "leak": "neurons",
    "inhibition": "inhibition",
    "entry": "readout",
    "product": "readout",
}
"""The component of `fspinn.memmodel.latency.latency_cycles` that each key belongs to."""


def program_cycles(size: Size, work: tuple[Workload, ...], cost: Program) -> list[dict[str, Numbers]]:
    """Return the cycles of a sample by component, of each layer; those of the readout are of the last."""
    found = []
    for counts in program_counts(size, work):
        cycles: dict[str, Numbers] = dict.fromkeys(_COMPONENTS.values(), 0)
        for name, count in counts.items():
            cycles[_COMPONENTS[name]] = cycles[_COMPONENTS[name]] + count * getattr(cost, name)
        found.append(cycles)
    return found


def program_counts(size: Size, work: tuple[Workload, ...]) -> list[dict[str, Numbers]]:
    """Return how often a sample takes the cycles of each key, of each layer."""
    first = _of_events(size, work[0]) if size.layers[0].online else _of_inputs(size, work[0])
    found = [first | _of_layer(size.layers[0], work[0], None)]
    for below, layer, of_layer in zip(size.layers, size.layers[1:], work[1:], strict=False):
        looks = 0 if below.sends_each_spike else _blocks(layer, of_layer) * layer.n_inputs
        found.append({"look": looks, **_of_layer(layer, of_layer, below)})
    found[-1] |= _of_readout(size, work[-1])
    return found


def _of_layer(layer: LayerSize, work: Workload, below: LayerSize | None) -> dict[str, Numbers]:
    """Return what time steps and spikes take, once it is known which inputs spike."""
    live = below is None and layer.online
    by_runs = layer.slides * (live or (below is not None and below.sends_each_spike))
    stays = live and layer.inhibition == First.kind and not layer.leaks
    updates = (work.active_steps if stays else work.steps) * layer.n_neurons
    return {
        "step": work.steps,
        "run": work.steps * layer.runs * by_runs,
        "input_spike": work.input_spikes,
        "addition": work.rows_read * words(layer.n_neurons, layer.weight_bits, _WORD_BITS),
        "neuron": updates,
        "leak": updates * layer.leaks,
        "inhibition": work.output_spikes * layer.n_neurons * layer.lowers_others,
    }


def _of_readout(size: Size, work: Workload) -> dict[str, Numbers]:
    """Return what the readout takes; each output spike is taken to be of another feature."""
    classes = 1 if size.readout == LABEL_READOUT else size.n_classes
    active = np.minimum(work.output_spikes, size.features) + size.extra_rows
    return {"entry": size.readout_rows * classes, "product": active * classes}


def _of_events(size: Size, work: Workload) -> dict[str, Numbers]:
    """Return what events take that come one by one; those of an input in a time step count as one."""
    return {"event": work.input_spikes / _times_seen(size, work)}


def _of_inputs(size: Size, work: Workload) -> dict[str, Numbers]:
    """Return what it takes to find out which inputs spike, at all positions of the first layer.

    Each further pixel of a block takes half of what the first one does (fspinn).
    """
    blocks, inputs = _blocks(size.layers[0], work), _all_inputs(size)
    looks = blocks * size.layers[0].n_inputs
    passed = size.passes * inputs
    every, drawn = looks + passed, _drawn(size, work) * blocks
    kept = np.greater(size.kept_bytes, 0)
    pixels = np.maximum(size.contrast_pixels * (1 - kept), np.greater(size.pooled, 1))
    return {
        "pass_input": passed,
        "look": looks,
        "contrast": every * np.greater(size.contrast_pixels, 0),
        "contrast_pixel": every * pixels * (1 + size.pooled) / 2,
        "value": every * kept * _values(size),
        "draw": drawn * (size.encoder in (Poisson.kind, Unscaled.kind)),
        "regular": drawn * (size.encoder == Regular.kind),
    }


def _values(size: Size) -> Numbers:
    """Return how many values of a signal are looked up for an input, on average."""
    if size.counts_steps:
        return 2.0 if size.contrast == Delta.channels else 1.5
    return size.contrast_pixels + 1


def _blocks(layer: LayerSize, work: Workload) -> Numbers:
    """Return how often inputs are looked at for eight time steps, at all positions together."""
    whole = work.positions * shares(layer.steps, STEPS_AT_ONCE)
    if layer.inhibition != First.kind:
        return whole
    return plain(np.minimum(whole, work.steps / STEPS_AT_ONCE + work.positions * _PART_OF_A_BLOCK))


def _drawn(size: Size, work: Workload) -> Numbers:
    """Return for how many inputs of a position spikes are drawn, on average.

    Pixels that are not black lie in the middle, so that they are seen from more positions than others are:
    the geometric mean of that of all and the most is taken (fspinn).
    """
    if not size.rates:
        return 0
    layer, positions = size.layers[0], np.maximum(work.positions, 1)
    spikes = work.input_spikes * _ended_early(layer, work)
    times = np.sqrt(_times_seen(size, work) * np.minimum(layer.reached, positions))
    whites = spikes / times / size.white_spikes
    pixels = _PIXELS_OF_A_WHITE_ONE[size.encoder] * (whites if size.encoder == Unscaled.kind else whites**2)
    return np.minimum(pixels * times / positions, layer.n_inputs)


def _ended_early(layer: LayerSize, work: Workload) -> Numbers:
    """Return how many spikes there are for each that is seen before an output spike ends a position.

    Positions without an output spike run to their end, and are taken to see next to nothing (fspinn).
    """
    if layer.inhibition != First.kind:
        return 1
    ended = np.minimum(work.output_spikes, work.positions)
    taken = work.steps - (work.positions - ended) * layer.steps
    return np.maximum(ended * layer.steps / np.maximum(taken, np.maximum(ended, 1)), 1)


def _times_seen(size: Size, work: Workload) -> Numbers:
    """Return how many positions an input is seen from, on average."""
    layer = size.layers[0]
    of_position = np.maximum(layer.mapped_pixels, layer.n_inputs)
    return np.maximum(work.positions, 1) * of_position / _all_inputs(size)


def _all_inputs(size: Size) -> Numbers:
    """Return the inputs of a sample, of those that are not used too."""
    layer = size.layers[0]
    return np.maximum(size.sample_inputs, np.maximum(layer.mapped_pixels, layer.n_inputs))
