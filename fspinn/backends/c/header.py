"""What the caller of a program sees, as `network.h`, and the numbers of input and layers for the program."""

from collections.abc import Mapping
from importlib import resources
from math import frexp, prod

from fspinn.backends.c.layers import block_sum_type, event_words, input_words
from fspinn.backends.c.learning import DeviceLearning
from fspinn.backends.c.numbers import defines
from fspinn.backends.c.signals import is_whole, whole_because
from fspinn.backends.c.state import event_struct, learned_struct, state_members
from fspinn.backends.exports import filled, in_lines
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.base.version import __version__
from fspinn.lowering.plan import Plan
from fspinn.memmodel.inputs import is_column, kept_rows, kept_values
from fspinn.memmodel.program_cycles import STEPS_AT_ONCE
from fspinn.model.features import LEVEL_BITS, SPIKES
from fspinn.model.model import Model
from fspinn.network.encoders import ENCODERS
from fspinn.network.inputs import Events, block_of

_FLOAT_BITS = 53
_PROBABILITY_BITS = 32

_KINDS = {
    "ENCODER": ("POISSON", "REGULAR", "TTFS", "UNSCALED", "EVENTS"),
    "CONTRAST": ("AS_IT_IS", "ON_OFF", "LEVEL", "DELTA", "LEVEL_DELTA"),
    "READOUT": ("TABLE", "LABELS"),
    "INHIBITION": (
        "NOBODY",
        "INHIBITION_LATERAL",
        "INHIBITION_LAYER",
        "INHIBITION_CLAMP",
        "INHIBITION_FIRST",
        "INHIBITION_RANKED",
        "INHIBITION_NONE",
    ),
}
"""Kinds by the number that stands for each."""


def caller_header(
    template: str, model: Model, plan: Plan, name: str, learning: DeviceLearning | None = None
) -> str:
    """Return what `network.h` holds.

    Parameters
    ----------
    template : str
        With the names of the values below between @.
    model : Model
    plan : Plan
        Of the model, in integers.
    name : str
        Prefix of all names in it.
    learning : DeviceLearning or None, default None
        What it learns with, if it does.
    """
    column, pushes = is_column(model.network), whole_because(model, plan) is None
    lined = in_lines(plan, model.image_shape) if column else plan
    public = {
        "PIXELS": prod(model.image_shape),
        "SAMPLE_HEIGHT": model.image_shape[0],
        "SAMPLE_WIDTH": model.image_shape[1],
        "SAMPLE_CHANNELS": prod(model.image_shape[2:]),
        "LAYERS": len(plan.layers),
        "NEURONS": plan.layers[-1].neurons,
        "FEATURES": plan.layers[-1].features,
        "CLASSES": model.readout.n_classes,
        "ROWS": int((column and model.image_shape[0] > 1) or kept_rows(model.network, model.image_shape) > 0),
        "PUSH": int(pushes),
        "EXTRA_FEATURES": 0 if model.features is None else len(model.features.names),
        "SCALED": int(model.scale is not None and is_whole(model.scale)),
        "FEATURES_SCALED": int(model.features is not None and is_whole(model.features.scale)),
        "LEARNS": int(learning is not None),
        "EVENTS": int(plan.encoding.encoder == Events.kind),
    }
    if learning is not None:
        public |= {"LEARNED_BYTES": learning.dump_bytes, "MODEL": learning.mark}
    if input_words(plan, column=column):
        public["STEPS_AT_ONCE"] = STEPS_AT_ONCE
    structs = "" if learning is None else learned_struct(learning, name)
    if public["EVENTS"]:
        structs = event_struct(name)
    values = {
        "defines": "\n".join(defines(public, name.upper())),
        "structs": structs,
        "state": state_members(model, lined, name, column=column, pushes=pushes, learning=learning),
        "calls": "\n".join(calls(name, public)),
        "version": __version__,
        "name": name,
        "NAME": name.upper(),
    }
    return filled(template, values)


def program_file(name: str) -> str:
    """Return the text of a file of `program/`."""
    return (resources.files(__package__) / "program" / name).read_text(encoding="utf-8")


def program_numbers(model: Model, plan: Plan, name: str, seed: int) -> list[str]:
    """Return the lines that define what the program computes with, but layers and readout.

    Parameters
    ----------
    model : Model
    plan : Plan
        Of the model, in integers.
    name : str
        Prefix of what the caller sees.
    seed : int
        Of the input spikes.
    """
    column, prefix = is_column(model.network), name.upper()
    public = ["LAYERS", "FEATURES", "CLASSES", "SAMPLE_WIDTH", "SAMPLE_CHANNELS", "PUSH", "SCALED"]
    public += ["SAMPLE_HEIGHT", "EXTRA_FEATURES", "FEATURES_SCALED", "LEARNS"]
    if input_words(plan, column=column):
        public.append("STEPS_AT_ONCE")
    kinds = [
        f"#define FSPINN_{kind} {number}"
        for kinds_of_one in _KINDS.values()
        for number, kind in enumerate(kinds_of_one)
        if kind != "NOBODY"
    ]
    return [
        f"#define FSPINN_STATE {name}_state",
        f"#define FSPINN_CALL(name) {name}_##name",
        "#define NOBODY (-1)",
        *(f"#define FSPINN_{one} {prefix}_{one}" for one in public),
        *kinds,
        *defines({"COLUMN": int(column), "LINEAR": 0}),
        *(_events(plan) if plan.encoding.encoder == Events.kind else _encoder(plan, model.image_shape, seed)),
        *_first_layer(plan, model.image_shape, column=column),
        *defines({"LEVEL_BITS": LEVEL_BITS, "EXTRA_SPIKES": SPIKES}),
        *defines({"KEPT": 0 if column else kept_values(model.network, model.image_shape)}),
        *defines({"KEPT_ROWS": kept_rows(model.network, model.image_shape)}),
    ]


def calls(name: str, public: Mapping[str, int]) -> list[str]:
    """Return the declarations of what a program can be called with, by the constants of its header."""
    beside = ", const uint8_t *features" if public["EXTRA_FEATURES"] else ""
    if public["EVENTS"]:
        given = f"const {name}_recorded *events, uint32_t count"
        event = "uint16_t x, uint16_t y, uint8_t polarity, uint32_t time"
        found = [
            f"int16_t {name}_answer({name}_state *state, {given}{beside});",
            f"void {name}_start({name}_state *state);",
            f"void {name}_event({name}_state *state, {event});",
            f"int16_t {name}_end({name}_state *state{beside});",
        ]
    else:
        found = [
            f"int16_t {name}_answer({name}_state *state, const uint8_t *sample, uint32_t number{beside});",
            f"void {name}_start({name}_state *state, uint32_t number);",
        ]
    found.append(f"int16_t {name}_class(const {name}_state *state{beside});")
    optional = {
        "ROWS": f"uint16_t {name}_row({name}_state *state, const uint8_t *row);",
        "PUSH": f"uint16_t {name}_push({name}_state *state, const uint8_t *value);",
        "SCALED": f"uint8_t {name}_scaled(int32_t value, uint8_t channel);",
        "FEATURES_SCALED": f"uint8_t {name}_feature(int32_t value, uint8_t number);",
        "LEARNS": f"void {name}_learn_start({name}_state *state);\n"
        f"void {name}_learn({name}_state *state, const uint8_t *sample);",
    }
    return found + [call for there, call in optional.items() if public[there]]


def _events(plan: Plan) -> list[str]:
    return defines(
        {
            "ENCODER": len(ENCODERS),
            "INPUT_STEPS": plan.steps,
            "ALL_STEPS": plan.steps_of(plan.layers[0]),
            "STEP_TIME": plan.encoding.step_us,
            "EVENT_WORDS": event_words(plan.layers[0]),
        }
    )


def _encoder(plan: Plan, shape: tuple[int, ...], seed: int) -> list[str]:
    encoding = plan.encoding
    # What `encoder_kernels` multiplies a pixel with, or for a norm divides by the root of a sum.
    scale = encoding.rate_per_step / 255.0 if encoding.encoder == "unscaled" else encoding.rate_per_step
    fraction, exponent = frexp(scale)
    pixels, contrast, (rows, columns) = prod(shape), encoding.contrast, block_of(encoding.pool, shape)
    intensities = pixels // (rows * columns) * contrast.channels
    height, width = shape[0] // rows, shape[1] // columns
    return defines(
        {
            "INTENSITIES": intensities,
            "HEIGHT": height,
            "WIDTH": width,
            "CHANNELS": intensities // (height * width),
            "POOL": columns,
            "POOL_ROWS": rows,
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
        }
    )


def _first_layer(plan: Plan, shape: tuple[int, ...], *, column: bool) -> list[str]:
    """What is known of the first layer outside of it: where it looks, and the lines that it waits for."""
    geometry = plan.layers[0].geometry
    positions, columns, stride, field = 1, 1, 1, (1, 1)
    if geometry is not None:
        positions, columns, stride, field = (
            geometry.positions,
            geometry.columns,
            geometry.stride,
            geometry.field,
        )
    values = {"POSITIONS": positions, "POSITION_COLUMNS": columns, "STRIDE": stride}
    values |= {"FIELD_HEIGHT": field[0], "FIELD_WIDTH": field[1]}
    if column:
        lines = shape[0] if shape[0] > 1 else shape[1]
        values |= {"LINES": lines, "LINE": prod(shape) // lines}
    return defines(values) + (_blocks(plan, shape) if column and plan.encoding.pool > 1 else [])


def _blocks(plan: Plan, shape: tuple[int, ...]) -> list[str]:
    """What a column knows of the blocks whose means are its inputs."""
    rows, columns = block_of(plan.encoding.pool, shape)
    lines, across = (rows, columns) if shape[0] > 1 else (columns, 1)
    values = {"BLOCK": rows * columns, "BLOCK_LINES": lines, "BLOCK_ACROSS": across}
    return [*defines(values), f"#define FSPINN_BLOCK_SUM {block_sum_type(rows * columns)}"]
