"""Which settings do searches vary, how far, and which of them matter for what?"""

from dataclasses import fields, replace

from fspinn.base.settings import settings_of
from fspinn.network.description import Network
from fspinn.network.inhibition import Lateral, Ranked
from fspinn.network.learners import StdpLabels, Surrogate
from fspinn.network.rules import Stdp
from fspinn.network.setup import Setup

MULTIPLES = {
    "threshold": (0.4, 2.0),
    "inhibition_strength": (0.4, 1.6),
    "inhibition_ms": (0.2, 5.0),
    "theta_step": (0.3, 4.0),
    "learning_rate": (0.2, 3.0),
    "learning_rate_end": (0.3, 30.0),
}
"""Where good settings are looked for, in multiples of a network's own (fspinn)."""

COSTLY = (
    "neurons",
    "field",
    "stride",
    "cells",
    "contrast",
    "contrast_radius",
    "pool",
    "dt_ms",
    "duration_ms",
    "encoder",
    "rate_norm_hz",
    "max_rate_hz",
    "first_spikes",
    "first_spikes_relative_to",
    "refractory_ms",
    "threshold",
    "answer_threshold",
    "inhibition",
    "inhibition_ms",
    "answer_ms",
    "rule",
    "window_ms",
    "adaptation",
    "positions",
    "normalisation",
    "weight_decay",
    "passes",
    "tuning_passes",
    "ann_passes",
)
"""Settings that expected costs follow from."""


def highest(setup: Setup, name: str) -> float:
    """Return the highest value that a setting can have in any case."""
    of_potential = settings_of(setup).get("inhibition_of") == "potential"
    part = name == "learning_rate" or (name == "inhibition_strength" and of_potential)
    return 1.0 if part else float("inf")


def while_learning(setup: Setup) -> Setup:
    """Return what learns: networks that differ only in how their last layer answers learn the same.

    So do those that labels tune afterwards.
    """
    learner = setup.learner
    if isinstance(learner, Surrogate):
        return setup  # its readout learns with the layers
    if isinstance(learner, StdpLabels):
        learner = Stdp(**{each.name: getattr(learner, each.name) for each in fields(Stdp)})
    *below, last = setup.network.layers
    inhibition = last.inhibition
    if isinstance(inhibition, Lateral):
        inhibition = replace(inhibition, answer_strength=None)
    elif isinstance(inhibition, Ranked):
        inhibition = Ranked()
    cells = last.cells if last.field is None else (1, 1)  # they only count
    neuron = replace(last.neuron, answer_threshold=None)
    last = replace(last, neuron=neuron, inhibition=inhibition, cells=cells)
    return Setup(replace(setup.network, layers=(*below, last)), learner)


def settled(setup: Setup, learned: Network) -> Network:
    """Return the network of a setup with what was settled while it learned (`while_learning`)."""
    norms = [layer.neuron.weight_norm for layer in learned.layers]
    layers = tuple(
        replace(layer, neuron=replace(layer.neuron, weight_norm=norm))
        for layer, norm in zip(setup.network.layers, norms, strict=True)
    )
    return replace(setup.network, layers=layers)
