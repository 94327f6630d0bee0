"""How long does the C program take for networks that are not a column? Cycles, from what engines count.

The program that `fspinn export` writes (its `layer.h` and `encoder.h`) finds the input spikes of eight time
steps at once: at each position it looks at every input of the field, makes its contrast anew, and draws
spikes for those that are not black. Then each step is taken: its input spikes are looked for, the weights of
each are added a word of 32 bits at a time, and all neurons are brought up to date. What is counted here, by
the key of `fspinn.memmodel.hardware.Program` that says what each takes, is this project's own description of
that.

How many inputs are not black follows from the spikes, as of white pixels: with normalised rates a sample
gives ``white_spikes sqrt(pixels)``. With the encoder ``unscaled`` grey pixels spike as fewer white ones
would; three of them are taken for two (fspinn; MNIST and Fashion-MNIST).
"""

from typing import Any

import numpy as np

from fspinn.memmodel.hardware import Program
from fspinn.memmodel.packing import Numbers, plain, shares, words
from fspinn.memmodel.size import LayerSize, Size
from fspinn.memmodel.workload import Workload
from fspinn.model.model import LABEL_READOUT
from fspinn.network.inhibition import First
from fspinn.network.inputs import Poisson, Regular, Unscaled

STEPS_AT_ONCE = 8
"""Time steps whose input spikes the exported program finds at once (its `NETWORK_STEPS_AT_ONCE`).

They share random words: for N = 400 an MNIST image takes 17.4, 11.2 or 9.3 million instructions for 2, 8 or
32 steps, counted by QEMU on five images.
"""

_WORD_BITS = 32
_PART_OF_A_BLOCK = (STEPS_AT_ONCE - 1) / (2 * STEPS_AT_ONCE)
"""What the last eight steps of a position that ends early lack, on average."""

_PIXELS_OF_A_WHITE_ONE = 1.5

_COMPONENTS = {
    "sample": "scan",
    "look": "scan",
    "contrast": "scan",
    "contrast_pixel": "scan",
    "level": "scan",
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
    found[-1]["entry"] = size.readout_rows * (1 if size.readout == LABEL_READOUT else size.n_classes)
    return found


def _of_layer(layer: LayerSize, work: Workload, below: LayerSize | None) -> dict[str, Numbers]:
    """Return what time steps and spikes take, once it is known which inputs spike."""
    live = below is None and layer.online
    by_runs = live or (below is not None and below.sends_each_spike and bool(np.all(layer.slides)))
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


def _of_events(size: Size, work: Workload) -> dict[str, Numbers]:
    """Return what events take that come one by one; those of an input in a time step count as one."""
    return {"event": work.input_spikes / _times_seen(size, work)}


def _of_inputs(size: Size, work: Workload) -> dict[str, Numbers]:
    """Return what it takes to find out which inputs spike, at all positions of the first layer."""
    layer = size.layers[0]
    blocks = _blocks(layer, work)
    looks = blocks * layer.n_inputs + size.passes * _all_inputs(size)
    drawn = _share_drawn(size, work) * blocks * layer.n_inputs
    normalised = size.encoder in (Poisson.kind, Regular.kind)
    splits, pools = size.contrast > 1, np.greater(size.pooled, 1)
    return {
        "sample": plain(np.ones_like(looks) * normalised),
        "look": looks,
        "contrast": looks * (size.contrast_pixels > 0),
        "contrast_pixel": looks * plain(np.where(splits, size.contrast_pixels, size.pooled * pools)),
        "level": looks * (splits and size.contrast_pixels == 0),
        "draw": drawn * (size.encoder in (Poisson.kind, Unscaled.kind)),
        "regular": drawn * (size.encoder == Regular.kind),
    }


def _blocks(layer: LayerSize, work: Workload) -> Numbers:
    """Return how often inputs are looked at for eight time steps, at all positions together."""
    whole = work.positions * shares(layer.steps, STEPS_AT_ONCE)
    if layer.inhibition != First.kind:
        return whole
    return plain(np.minimum(whole, work.steps / STEPS_AT_ONCE + work.positions * _PART_OF_A_BLOCK))


def _share_drawn(size: Size, work: Workload) -> Numbers:
    """Return the part of the inputs that are looked at for which spikes are drawn."""
    layer, inputs = size.layers[0], _all_inputs(size)
    ended_early = work.positions * layer.steps / np.maximum(work.steps, 1)
    spikes = work.input_spikes * np.maximum(ended_early, 1) / _times_seen(size, work) / size.white_spikes
    pixels = _PIXELS_OF_A_WHITE_ONE * spikes if size.encoder == Unscaled.kind else spikes**2
    return plain(np.minimum(pixels / inputs, 1))


def _times_seen(size: Size, work: Workload) -> Any:
    """Return how many positions an input is seen from, on average."""
    return np.maximum(work.positions, 1) * size.layers[0].n_inputs / _all_inputs(size)


def _all_inputs(size: Size) -> Numbers:
    layer = size.layers[0]
    return plain(np.maximum(size.sample_inputs, np.maximum(layer.mapped_pixels, layer.n_inputs)))
