"""Which whole numbers and choices do the costs of a network follow from?"""

from dataclasses import dataclass, fields, replace

import numpy as np

from fspinn.base.errors import ConfigError
from fspinn.base.settings import members, settings_of
from fspinn.model.model import BIASED_READOUT, AnyModel, model_of
from fspinn.network.adaptation import Adaptation
from fspinn.network.description import Network
from fspinn.network.inhibition import Inhibition
from fspinn.network.rules import NORMALISATIONS, Rule, Stdp

_CHOICES = {
    "rule": tuple(members(Rule)),
    "inhibition": tuple(members(Inhibition)),
    "adaptation": tuple(members(Adaptation)),
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
        Time steps that inhibition lasts, or for which an inhibitory neuron rests.
    readout : str, default "proportion"
        Name of the readout; the table of ``majority`` is stored as one label per neuron.
    readout_bits : int, default 32
        Bits of one entry of any other readout's table.
    silence : bool, default False
        Whether the table of ``proportion`` has a bias, as silence means a class; ``linear`` always has one.
    inhibition : str, default "lateral"
    rule : str, default "normalised"
    adaptation : str, default "balanced"
    normalisation : str, default "off"
        As in `fspinn.Layer` and `fspinn.Stdp`.
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
    inhibition: str = "lateral"
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
        format, layer = model.readout.format, model.layer
        size = cls.of_network(
            model.network,
            model.learner,
            n_inputs=layer.inputs_used,
            n_classes=model.readout.n_classes,
            weight_bits=layer.weights.bits,
            readout=model.readout.name,
            readout_bits=32 if format is None else format.bits,
        )
        return replace(
            size,
            state_bits=layer.state_bits,
            threshold_bits=layer.theta.bits,
            silence=model.readout.name != BIASED_READOUT and model.readout.bias is not None,
            mapped_pixels=0 if layer.inputs_used == layer.inputs else layer.inputs,
        )

    @classmethod
    def of_network(
        cls,
        network: Network,
        learner: Stdp,
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
        learner : Stdp
            With which it learns.
        n_inputs, n_classes, weight_bits : int
        readout : str, default "proportion"
        readout_bits : int, default 32

        Returns
        -------
        Size
        """
        (layer,), settings = network.layers, settings_of(network)
        return cls(
            n_inputs=n_inputs,
            n_neurons=layer.neurons,
            n_classes=n_classes,
            weight_bits=weight_bits,
            steps=network.steps,
            window_steps=learner.window_steps(network),
            refractory_steps=network.steps_of(layer.neuron.refractory_ms),
            inhibition_steps=network.steps_of(settings.get("inhibition_ms", 0.0)),
            readout=readout,
            readout_bits=readout_bits,
            inhibition=layer.inhibition.kind,
            rule=learner.rule.kind,
            adaptation=layer.adaptation.kind,
            normalisation=learner.normalisation,
            decays=learner.weight_decay > 0,
        )
