"""Networks, learners and models from settings by name, as tests write them."""

from dataclasses import dataclass, field, replace

import numpy as np

from fspinn.base.settings import families, members, settings_of, with_settings
from fspinn.model.model import Model, Readout
from fspinn.model.tensors import LayerTensors, Tensor
from fspinn.network import Adaptation, Contrast, Encoder, Inhibition, Rule
from fspinn.network.description import Network
from fspinn.network.layers import Layer
from fspinn.network.rules import Stdp
from fspinn.network.setup import Setup
from fspinn.presets import Preset


def dense(neurons=400, **settings):
    """A network of one dense layer: ``dense(5, inhibition="clamp", inhibition_ms=3.0)``."""
    return with_settings(Network.dense(neurons), settings)


def stdp(**settings):
    """A learner: ``stdp(rule="pair", passes=2)``."""
    return with_settings(Stdp(), settings)


def both(**settings):
    """A network and its learner, in one: settings of both."""
    return with_settings(Preset(), settings)


def setup(**settings):
    """A network and its learner, as searches train them."""
    return with_settings(Setup(), settings)


def changed(described, **settings):
    """The same with other settings."""
    if isinstance(described, Flat):
        return flat(**{**described.asked, **settings_of(described.setup), **settings})
    return with_settings(described, settings)


def tensors_of(weights, theta, weight_format=None, state=None, theta_format=None, input_mask=None):
    """The tensors of a layer from numbers; those with a format are rounded to it."""
    weights, theta = (np.asarray(values, dtype=np.float32) for values in (weights, theta))
    return LayerTensors(
        Tensor(weights) if weight_format is None else Tensor.rounded(weights, weight_format),
        Tensor(theta) if theta_format is None else Tensor.rounded(theta, theta_format),
        state,
        input_mask,
    )


def model_from(network, image_shape, weights, theta, readout, *, formats=None, input_mask=None, **more):
    """A model of one dense layer from numbers; `formats` are those of weights, state and theta."""
    weight_format, state, theta_format = formats or (None, None, None)
    layer = tensors_of(weights, theta, weight_format, state, theta_format, input_mask)
    return Model(network, image_shape, (layer,), readout, **more)


def with_layer(model, **changes):
    """A model of one layer with other tensors."""
    return replace(model, layers=(replace(model.layer, **changes),))


def stack_model():
    """A column of one cell and a layer of prototypes, in floats."""
    network = Network.patches(4, field=2, cells=1)
    network = with_settings(
        replace(network, layers=(*network.layers, Layer.prototypes(3))),
        {"weight_norm": 1.0, "layers.2.weight_norm": 1.0},
    )
    layers = (tensors_of(np.ones((4, 4)), np.zeros(4)), tensors_of(np.full((4, 3), 0.5), np.zeros(3)))
    return Model(network, (4, 4), layers, Readout("proportion", np.ones((3, 3), np.float32)))


DEFAULTS = {
    name: value
    for family in (Encoder, Contrast, Inhibition, Adaptation, Rule)
    for member in members(family).values()
    for name, value in settings_of(member()).items()
}


@dataclass(frozen=True)
class Flat:
    """A network and its learner as one bag of settings, as plain twins and tests of engines read them.

    A setting that the network does not have is that of a network by default.
    """

    setup: Setup
    asked: dict = field(default_factory=dict, compare=False, repr=False)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        settings = settings_of(self.setup)
        return settings[name] if name in settings else DEFAULTS[name]

    @property
    def network(self):
        return self.setup.network

    @property
    def answering(self):
        return Flat(replace(self.setup, network=self.network.answering), self.asked)

    @property
    def steps(self):
        return self.network.steps

    @property
    def window_steps(self):
        return self.setup.learner.window_steps(self.network)

    @property
    def refractory_steps(self):
        return self.network.steps_of(self.refractory_ms)

    @property
    def inhibition_steps(self):
        return self.network.steps_of(self.inhibition_ms)

    @property
    def answer_steps(self):
        return self.network.steps_of(self.answer_ms)

    @property
    def firing_threshold(self):
        return self.threshold * self.weight_norm

    @property
    def lowest_theta(self):
        return self.network.layers[0].neuron.lowest_theta


def flat(**settings):
    """Settings of a network and of its learner; those of members not chosen wait for `changed`.

    Thresholds of a layer without inhibition do not adapt.
    """
    if settings.get("inhibition") == "none":
        settings = {**settings, "adaptation": "off"}
    unknown = settings.keys() - settings_of(Setup()).keys() - DEFAULTS.keys()
    assert not unknown, unknown
    chosen = with_settings(Setup(), {n: v for n, v in settings.items() if n in families(Setup)})
    there = settings_of(chosen)
    here = with_settings(chosen, {name: value for name, value in settings.items() if name in there})
    return Flat(here, settings)
