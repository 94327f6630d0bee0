"""What to call, and the numbers of input and readout, as `network.h`, for the program beside this file."""

from importlib import resources
from math import frexp

import numpy as np

from fspinn.backends.c.layers import count_type, input_words
from fspinn.backends.c.numbers import defines
from fspinn.backends.c.readout import readout_lines
from fspinn.backends.c.signals import scale_lines, whole_because
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.base.version import __version__
from fspinn.lowering.plan import Plan
from fspinn.memmodel.program import STEPS_AT_ONCE
from fspinn.memmodel.size import kept_values
from fspinn.model.features import LEVEL_BITS, SPIKES
from fspinn.model.model import Model
from fspinn.network.inputs import block_of

_FLOAT_BITS = 53
_PROBABILITY_BITS = 32


def network_header(model: Model, plan: Plan, seed: int, reject: float) -> str:
    """Return what `network.h` holds.

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
    readout_defines, readout_data = readout_lines(model, reject)
    scale_defines, scale_data = scale_lines(model)
    lines = [
        *_encoder(plan, model.image_shape, seed),
        *_layers(plan, model.readout.n_classes),
        *_extra_features(model),
        *readout_defines,
        *defines({"KEPT": kept_values(model.network, model.image_shape)}),
        *defines({"PUSH": int(whole_because(model, plan) is None)}),
        *scale_defines,
    ]
    template = (resources.files(__package__) / "program" / "network.h").read_text(encoding="utf-8")
    return (
        template.replace("@version@", __version__)
        .replace("@defines@", "\n".join(lines))
        .replace("@data@", "\n".join([*readout_data, *scale_data]))
    )


def _encoder(plan: Plan, shape: tuple[int, ...], seed: int) -> list[str]:
    encoding = plan.encoding
    # What `encoder_kernels` multiplies a pixel with, or for a norm divides by the root of a sum.
    scale = encoding.rate_per_step / 255.0 if encoding.encoder == "unscaled" else encoding.rate_per_step
    fraction, exponent = frexp(scale)
    pixels, contrast, (rows, columns) = int(np.prod(shape)), encoding.contrast, block_of(encoding.pool, shape)
    intensities = pixels // (rows * columns) * contrast.channels
    height, width = shape[0] // rows, shape[1] // columns
    return defines(
        {
            "PIXELS": pixels,
            "INTENSITIES": intensities,
            "HEIGHT": height,
            "WIDTH": width,
            "CHANNELS": intensities // (height * width),
            "POOL": columns,
            "POOL_ROWS": rows,
            "SAMPLE_WIDTH": shape[1],
            "SAMPLE_CHANNELS": pixels // (shape[0] * shape[1]),
            "CONTRAST": contrast.kind,
            "CONTRAST_CHANNELS": contrast.channels,
            "CONTRAST_RADIUS": contrast.radius,
            "CONTRAST_GAIN": contrast.gain,
            "CONTRAST_COLOURS": contrast.colours,
            "DELTA_STEP": contrast.step,
            "DELTA_GAIN": contrast.step_gain,
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


def _layers(plan: Plan, n_classes: int) -> list[str]:
    """What is known of layers outside of them: where the first one looks, and what the last one answers."""
    first, last = plan.layers[0], plan.layers[-1]
    positions, stride, width = 1, 1, 1
    if first.geometry is not None:
        positions, stride, width = first.geometry.positions, first.geometry.stride, first.geometry.field[1]
    return [
        *defines(
            {
                "LAYERS": len(plan.layers),
                "POSITIONS": positions,
                "STRIDE": stride,
                "FIELD_WIDTH": width,
                "INPUT_WORDS": input_words(plan),
                "NEURONS": last.neurons,
                "FEATURES": last.features,
                "STEPS": plan.steps_of(last),
                "CLASSES": n_classes,
            }
        ),
        f"#define NETWORK_INHIBITION NETWORK_INHIBITION_{last.inhibition.upper()}",
        f"typedef {count_type(plan)} network_count;",
    ]


def _extra_features(model: Model) -> list[str]:
    count = 0 if model.features is None else len(model.features.names)
    return defines({"EXTRA_FEATURES": count, "LEVEL_BITS": LEVEL_BITS, "EXTRA_SPIKES": SPIKES})
