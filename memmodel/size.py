"""Which whole numbers and choices do the costs of a network follow from?"""

from dataclasses import dataclass, fields, replace

import numpy as np

from fspinn.base.errors import ConfigError
from fspinn.model.model import BIASED_READOUT, AnyModel, model_of
from fspinn.network.description import ADAPTATIONS, INHIBITION_KINDS, NORMALISATIONS, RULES, Network

_CHOICES = {
    "rule": RULES,
    "inhibition_kind": INHIBITION_KINDS,
    "adaptation": ADAPTATIONS,
    "normalisation": NORMALISATIONS,
}
_MAY_BE_ZERO = ("refractory_steps", "inhibition_steps", "mapped_pixels")


@dataclass(frozen=True)
class Size:
    """What a network's costs follow from; nothing has to be trained to know it.

    The whole numbers may also be integer arrays of one shape, for many networks at once.

    Parameters
    ----------
    n_inputs, n_neurons, n_classes : int
    weight_bits : int
        Bits of one weight.
    state_bits : int, default 32
        Bits of one membrane potential.
    threshold_bits : int, default 32
        Bits of one adaptive threshold.
    trace_bits : int, default 32
        Bits of one trace; the rule ``normalised`` has none.
    steps, window_steps : int, default 350
        Time steps of a presentation and of a learning window.
    refractory_steps : int, default 0
        Time steps in which a neuron cannot spike after a spike.
    inhibition_steps : int, default 0
        Time steps of a clamp, or for which an inhibitory neuron rests.
    readout : str, default "proportion"
        Name of the readout; the table of ``majority`` is stored as one label per neuron.
    readout_bits : int, default 32
        Bits of one entry of any other readout's table.
    silence : bool, default False
        Whether the table of ``proportion`` has a bias, as silence means a class; ``linear`` always has one.
    inhibition_kind : str, default "lateral"
    rule : str, default "normalised"
    adaptation : str, default "balanced"
    normalisation : str, default "off"
        As in `fspinn.Network`.
    decays : bool, default False
        Whether weights decay with each presentation.
    mapped_pixels : int, default 0
        Pixels of an image of which some were dropped: a bit of each says whether it is an input. 0: none was.

    Raises
    ------
    ConfigError
        If a value is not a whole number or too small, or a choice is unknown.
    """

    n_inputs: int
    n_neurons: int
    n_classes: int
    weight_bits: int
    state_bits: int = 32
    threshold_bits: int = 32
    trace_bits: int = 32
    steps: int = 350
    window_steps: int = 350
    refractory_steps: int = 0
    inhibition_steps: int = 0
    readout: str = "proportion"
    readout_bits: int = 32
    silence: bool = False
    inhibition_kind: str = "lateral"
    rule: str = "normalised"
    adaptation: str = "balanced"
    normalisation: str = "off"
    decays: bool = False
    mapped_pixels: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _CHOICES and value not in _CHOICES[field.name]:
                known = ", ".join(_CHOICES[field.name])
                raise ConfigError(f"{field.name}: there is no {value!r}; use one of {known}")
            if field.type not in ("int", int):
                continue
            numbers, low = np.asarray(value), 0 if field.name in _MAY_BE_ZERO else 1
            if numbers.dtype.kind not in "iu" or not (numbers >= low).all():
                raise ConfigError(
                    f"{field.name}: {value!r} is not a size; give a whole number of at least {low}"
                )

    @classmethod
    def of(cls, model: AnyModel) -> "Size":
        """Return the size of a trained model, or of that which a result holds."""
        model = model_of(model)
        format = model.readout.format
        size = cls.of_network(
            model.network,
            n_inputs=model.n_inputs,
            n_classes=model.readout.n_classes,
            weight_bits=model.weight_bits,
            readout=model.readout.name,
            readout_bits=32 if format is None else format.bits,
        )
        return replace(
            size,
            state_bits=model.state_bits,
            threshold_bits=model.theta_bits,
            silence=model.readout.name != BIASED_READOUT and model.readout.bias is not None,
            mapped_pixels=0 if model.n_inputs == len(model.weights) else len(model.weights),
        )

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
            inhibition_steps=network.inhibition_steps if network.inhibition_kind != "lateral" else 0,
            readout=readout,
            readout_bits=readout_bits,
            inhibition_kind=network.inhibition_kind,
            rule=network.rule,
            adaptation=network.adaptation,
            normalisation=network.normalisation,
            decays=network.weight_decay > 0,
        )
