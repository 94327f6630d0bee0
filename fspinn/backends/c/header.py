"""The numbers of a network as `network.h`, for the program beside this file."""

from importlib import resources
from math import frexp

import numpy as np

from fspinn.backends.c.numbers import array, defines, type_of, type_of_format
from fspinn.backends.c.readout import readout_lines
from fspinn.backends.c.signals import scale_lines, whole_because
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.base.version import __version__
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.memmodel.program import STEPS_AT_ONCE
from fspinn.memmodel.size import kept_values
from fspinn.model.features import LEVEL_BITS, SPIKES
from fspinn.model.model import Model
from fspinn.model.tensors import Formats
from fspinn.network.inhibition import most_spikes
from fspinn.quant.formats import Format
from fspinn.quant.packing import pack

_FLOAT_BITS = 53
_PROBABILITY_BITS = 32
_BIT = Format(1, 0, signed=False)


def network_header(model: Model, plan: Plan, seed: int, reject: float) -> str:
    """Return what `network.h` holds: what to call, and the numbers of a network.

    Parameters
    ----------
    model : Model
    plan : Plan
        Of the model, in integers.
    seed : int
        Of the input spikes.
    reject : float
        Margin of the scores below which there is no answer.
    """
    (layer,) = plan.layers
    formats = layer.formats
    assert formats is not None
    readout_defines, readout_data = readout_lines(model, reject)
    scale_defines, scale_data = scale_lines(model)
    words = pack(layer.weights[layer.input_mask], formats.weights, 32)
    lines = [
        *_encoder(plan, layer, model.image_shape, model.readout.n_classes, seed),
        *_extra_features(model),
        *_field(layer),
        *_neuron(layer, formats),
        *_types(plan, layer, formats),
        *readout_defines,
        *defines({"KEPT": kept_values(model.network, model.image_shape)}),
        *defines({"PUSH": int(whole_because(model, plan) is None)}),
        *scale_defines,
    ]
    data = [array("uint32_t", "weights", words)]
    if layer.adapted:
        data.append(array(type_of_format(formats.theta), "theta", layer.theta))
    if not layer.input_mask.all():
        data.append(array("uint32_t", "input_mask", pack([layer.input_mask], _BIT, 32)[0]))
    template = (resources.files(__package__) / "program" / "network.h").read_text(encoding="utf-8")
    return (
        template.replace("@version@", __version__)
        .replace("@defines@", "\n".join(lines))
        .replace("@data@", "\n".join([*data, *readout_data, *scale_data]))
    )


def _encoder(plan: Plan, layer: LayerPlan, shape: tuple[int, ...], n_classes: int, seed: int) -> list[str]:
    encoding = plan.encoding
    # What `encoder_kernels` multiplies a pixel with, or for a norm divides by the root of a sum.
    scale = encoding.rate_per_step / 255.0 if encoding.encoder == "unscaled" else encoding.rate_per_step
    fraction, exponent = frexp(scale)
    pixels, contrast = int(np.prod(shape)), encoding.contrast
    intensities = pixels * contrast.channels
    return defines(
        {
            "PIXELS": pixels,
            "INTENSITIES": intensities,
            "HEIGHT": shape[0],
            "WIDTH": shape[1],
            "CHANNELS": intensities // (shape[0] * shape[1]),
            "SAMPLE_CHANNELS": pixels // (shape[0] * shape[1]),
            "CONTRAST": contrast.kind,
            "CONTRAST_CHANNELS": contrast.channels,
            "CONTRAST_RADIUS": contrast.radius,
            "CONTRAST_GAIN": contrast.gain,
            "CONTRAST_COLOURS": contrast.colours,
            "DELTA_STEP": contrast.step,
            "DELTA_GAIN": contrast.step_gain,
            "INPUTS": int(np.count_nonzero(layer.input_mask)),
            "NEURONS": layer.neurons,
            "FEATURES": layer.features,
            "CLASSES": n_classes,
            "STEPS": plan.steps_of(layer),
            "INPUT_STEPS": plan.steps,
            "ENCODER": encoding.number,
            "RATE_MANTISSA": int(fraction * 2**_FLOAT_BITS),
            "RATE_EXPONENT": exponent - _FLOAT_BITS + _PROBABILITY_BITS,
            "MOST_SPIKES": min(encoding.most_spikes, intensities),
            "WHITE": int(encoding.white),
            "SEED": seed,
            "PURPOSE": INFERENCE_SPIKES,
            "STEPS_AT_ONCE": STEPS_AT_ONCE,
        }
    )


def _extra_features(model: Model) -> list[str]:
    count = 0 if model.features is None else len(model.features.names)
    return defines({"EXTRA_FEATURES": count, "LEVEL_BITS": LEVEL_BITS, "EXTRA_SPIKES": SPIKES})


def _field(layer: LayerPlan) -> list[str]:
    """Positions of the field, and its inputs as rows of intensities that lie side by side."""
    geometry = layer.geometry
    if geometry is None:
        return defines({"POSITIONS": 1, "FIELD_ROWS": 1, "FIELD_RUN": layer.inputs})
    return defines(
        {
            "POSITIONS": geometry.positions,
            "ROWS": geometry.rows,
            "COLUMNS": geometry.columns,
            "STRIDE": geometry.stride,
            "CELL_ROWS": geometry.cells[0],
            "CELL_COLUMNS": geometry.cells[1],
            "FIELD_ROWS": geometry.field[0],
            "FIELD_RUN": geometry.field[1] * geometry.channels,
        }
    )


def _neuron(layer: LayerPlan, formats: Formats) -> list[str]:
    return defines(
        {
            "WEIGHT_BITS": formats.weights.bits,
            "WEIGHTS_SIGNED": int(formats.weights.signed),
            "SHIFT": formats.state.fraction_bits - formats.weights.fraction_bits,
            "LEAK": int(layer.leak),
            "LOWEST": formats.state.lowest_integer,
            "HIGHEST": formats.state.highest_integer,
            "THRESHOLD": int(layer.firing_threshold),
            "ADAPTED": int(layer.adapted),
            "THETA_SHIFT": -layer.theta_shift,
            "REFRACTORY_STEPS": layer.refractory_steps,
            f"INHIBITION_{layer.inhibition.upper()}": 1,
            "INHIBITION_STEPS": layer.inhibition_steps,
            "DROP": int(layer.drop),
            "DROP_PART": int(layer.drop_part),
        }
    )


def _types(plan: Plan, layer: LayerPlan, formats: Formats) -> list[str]:
    each = most_spikes(layer.inhibition, plan.steps, layer.answer_steps)
    state, factor = formats.state, int(max(layer.leak, layer.drop_part))
    product = type_of(min(state.lowest_integer * factor, -1), state.highest_integer * factor)
    return [
        f"typedef {type_of_format(state)} network_potential;",
        f"typedef {'int64_t' if product == 'int64_t' else 'int32_t'} network_product;",
        f"typedef {type_of(0, each * _positions_of_a_cell(layer))} network_count;",
        f"typedef {type_of(0, layer.refractory_steps)} network_refractory;",
        f"typedef {type_of(0, layer.inhibition_steps)} network_rest;",
    ]


def _positions_of_a_cell(layer: LayerPlan) -> int:
    """Return how many positions of the field the largest cell has."""
    return 1 if layer.geometry is None else int(np.bincount(layer.geometry.cell_of).max())
