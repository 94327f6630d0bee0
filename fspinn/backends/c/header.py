"""The numbers of a network as `network.h`, for the program beside this file."""

from importlib import resources
from math import frexp

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.c.numbers import array, defines, type_of, type_of_format
from fspinn.backends.c.readout import readout_lines
from fspinn.base.errors import FormatError
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.base.version import __version__
from fspinn.lowering.integers import Neuron, integers_of
from fspinn.memmodel.program import STEPS_AT_ONCE
from fspinn.model.model import Model
from fspinn.model.tensors import Formats
from fspinn.network.description import INHIBITION_KINDS, Network
from fspinn.network.encoders import encoder_settings
from fspinn.quant.formats import Format, to_integers
from fspinn.quant.packing import pack

_FLOAT_BITS = 53
_PROBABILITY_BITS = 32
_BIT = Format(1, 0, signed=False)


def network_header(model: Model, seed: int) -> str:
    """Return what `network.h` holds: what to call, and the numbers of a network.

    Parameters
    ----------
    model : Model
    seed : int
        Of the input spikes.

    Raises
    ------
    FormatError
        If the model does not compute with integers only.
    """
    formats = model.formats
    if formats is None:
        raise FormatError("state: the model computes with floats; quantize first with --state, such as Q9.6")
    integers = integers_of(model.network, model.weights, model.theta, formats, model.heard)
    network = model.network.answering
    adapted = network.adaptation != "off" or bool(model.theta.any())
    readout_defines, readout_data = readout_lines(model)
    words = pack(integers.weights[integers.heard], formats.weights, 32)
    lines = [
        *_encoder(model, integers.heard, seed),
        *_neuron(network, integers.neuron, formats, adapted),
        *_types(network, integers.neuron, formats),
        *readout_defines,
    ]
    data = [array("uint32_t", "weights", words)]
    if adapted:
        theta = to_integers(model.theta, formats.theta)
        data.append(array(type_of_format(formats.theta), "theta", theta))
    if not integers.heard.all():
        data.append(array("uint32_t", "heard", pack([integers.heard], _BIT, 32)[0]))
    template = (resources.files(__package__) / "program" / "network.h").read_text(encoding="utf-8")
    return (
        template.replace("@version@", __version__)
        .replace("@defines@", "\n".join(lines))
        .replace("@data@", "\n".join([*data, *readout_data]))
    )


def _encoder(model: Model, heard: NDArray[np.bool_], seed: int) -> list[str]:
    network = model.network
    encoder, rate_per_step, most_spikes = encoder_settings(network)
    # What `encoder_kernels` multiplies a pixel with, or for a norm divides by the root of a sum.
    scale = rate_per_step / 255.0 if network.encoder == "unscaled" else rate_per_step
    fraction, exponent = frexp(scale)
    return defines(
        {
            "PIXELS": len(heard),
            "INPUTS": int(np.count_nonzero(heard)),
            "NEURONS": network.neurons,
            "CLASSES": model.readout.n_classes,
            "STEPS": network.steps,
            "ENCODER": encoder,
            "RATE_MANTISSA": int(fraction * 2**_FLOAT_BITS),
            "RATE_EXPONENT": exponent - _FLOAT_BITS + _PROBABILITY_BITS,
            "MOST_SPIKES": min(most_spikes, len(heard)),
            "SEED": seed,
            "PURPOSE": INFERENCE_SPIKES,
            "STEPS_AT_ONCE": STEPS_AT_ONCE,
        }
    )


def _neuron(network: Network, neuron: Neuron, formats: Formats, adapted: bool) -> list[str]:
    return defines(
        {
            "WEIGHT_BITS": formats.weights.bits,
            "WEIGHTS_SIGNED": int(formats.weights.signed),
            "SHIFT": neuron.shift,
            "LEAK": neuron.leak,
            "LOWEST": neuron.lowest,
            "HIGHEST": neuron.highest,
            "THRESHOLD": neuron.threshold,
            "ADAPTED": int(adapted),
            "THETA_SHIFT": formats.state.fraction_bits - formats.theta.fraction_bits,
            "REFRACTORY_STEPS": network.refractory_steps,
            "INHIBITION": INHIBITION_KINDS.index(network.inhibition_kind),
            "INHIBITION_STEPS": network.inhibition_steps,
            "TOLL": neuron.toll,
            "TOLL_PART": neuron.toll_part,
        }
    )


def _types(network: Network, neuron: Neuron, formats: Formats) -> list[str]:
    factor = max(neuron.leak, neuron.toll_part)
    product = type_of(min(neuron.lowest * factor, -1), neuron.highest * factor)
    return [
        f"typedef {type_of_format(formats.state)} network_potential;",
        f"typedef {'int64_t' if product == 'int64_t' else 'int32_t'} network_product;",
        f"typedef {type_of(0, network.steps)} network_count;",
        f"typedef {type_of(0, network.refractory_steps)} network_refractory;",
        f"typedef {type_of(0, network.inhibition_steps)} network_rest;",
    ]
