"""What a program keeps between calls, as members of a struct that the caller owns."""

from math import prod

from fspinn.backends.c.layers import (
    block_sum_type,
    count_type,
    event_words,
    input_words,
    layer_types,
    sum_type,
    wide_type,
)
from fspinn.backends.c.learning import DeviceLearning
from fspinn.backends.c.numbers import type_of
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.memmodel.inputs import kept_rows, kept_values
from fspinn.model.model import Model
from fspinn.network.encoders import CONTRASTS
from fspinn.network.inhibition import First, NoInhibition
from fspinn.network.inputs import Delta, Events, LevelDelta, block_of


def state_members(
    model: Model,
    plan: Plan,
    name: str,
    *,
    column: bool,
    pushes: bool,
    learning: DeviceLearning | None = None,
) -> str:
    """Return the members of the struct, one a line.

    Parameters
    ----------
    model : Model
    plan : Plan
        Of the model, in integers.
    name : str
        Prefix of what the caller sees.
    column : bool
        Whether the first layer is a column of `column.h`.
    pushes : bool
        Whether values of a signal can come one by one.
    learning : DeviceLearning or None, default None
        What it learns with, if it does.
    """
    live = plan.encoding.encoder == Events.kind
    members = [f"{count_type(plan)} counts[{name.upper()}_FEATURES]"]
    if learning is not None:
        members.append(f"{name}_learned learned")
    members.append("/* All else is the program's own. */")
    if learning is not None:
        members.append(f"{wide_type(plan.layers[0], learning)} thresholds[{plan.layers[0].neurons}]")
    if column:
        members += _of_a_column(model, plan)
    else:
        kept = kept_rows(model.network, model.image_shape) * prod(model.image_shape[1:])
        members += [f"uint8_t rows[{kept}]"] if kept else [] if live else ["const uint8_t *pixels"]
        members += ["uint32_t came, lap, needed, answered", "uint16_t rows_left"] if kept else []
        members += _of_events(plan) if live else _of_encoder(plan)
        members += _of_signal(model, plan, pushes=pushes)
    if words := input_words(plan, column=column):
        members.append(f"uint32_t spikes[{name.upper()}_STEPS_AT_ONCE][{words}]")
    if not column or len(plan.layers) > 1:
        members.append("uint32_t step")
    for number, layer in enumerate(plan.layers, start=1):
        if not column or number > 1:
            members += _of_layer(plan, layer, number, live=live and number == 1)
        if number < len(plan.layers):
            members.append(_between(plan, layer, number))
    return "\n".join(f"    {one}" if one.startswith("/*") else f"    {one};" for one in members)


def learned_struct(learning: DeviceLearning, name: str) -> str:
    """Return the struct of what a device has learned; `learned_dump` is its twin."""
    return f"""
/*
 * What was learned, from so many samples: {name.upper()}_LEARNED_BYTES, as `fspinn import` reads them.
 * Where `model` is not {name.upper()}_MODEL, memory is erased, or a program of another model has learned.
 */
typedef struct {{
    uint32_t samples;
    int32_t theta[{learning.layer.neurons}];
    uint16_t model;
    uint8_t weights[{learning.weight_bytes}];
    uint8_t spiked;
}} {name}_learned;
"""


def event_struct(name: str) -> str:
    """Return the struct of an event, for recordings that are answered as a whole."""
    return f"""
/* An event: its pixel, whether it became brighter (1) or darker (0), and microseconds since the start. */
typedef struct {{
    uint32_t time;
    uint16_t x, y;
    uint8_t polarity;
}} {name}_recorded;
"""


def _of_a_column(model: Model, plan: Plan) -> list[str]:
    layer = plan.layers[0]
    types, geometry = layer_types(plan, layer), layer.geometry
    assert geometry is not None
    line = geometry.width * geometry.channels
    blocks = []
    if plan.encoding.pool > 1:
        pixels = prod(block_of(plan.encoding.pool, model.image_shape))
        blocks = [f"{block_sum_type(pixels)} block_sums[{line}]", "uint16_t block_lines"]
    return [
        f"{types['TIME']} times[{geometry.field[0] * line}]",
        f"{types['POTENTIAL']} potentials_1[{layer.neurons}]",
        f"{sum_type(layer)} sums[{layer.neurons}]",
        *blocks,
        "uint16_t lines_left, until_row, oldest, row_cell, row_part",
    ]


def _of_encoder(plan: Plan) -> list[str]:
    encoding = plan.encoding
    if encoding.encoder != "ttfs":
        key = [] if encoding.encoder == "regular" else ["uint64_t key"]
        return ["uint64_t mantissa", *key, "int32_t exponent"]
    return [] if encoding.white else ["uint32_t brightest, least, stop"]


def _of_signal(model: Model, plan: Plan, *, pushes: bool) -> list[str]:
    """Return what is kept of values that come one by one, or between which steps are counted."""
    encoding, values = plan.encoding, prod(model.image_shape[2:])
    kept, kind = kept_values(model.network, model.image_shape), CONTRASTS[encoding.contrast.kind]
    members = []
    if kept > 0:
        if kind != Delta.kind:
            members.append(f"uint8_t values[{kept}][{values}]")
        if kind in (Delta.kind, LevelDelta.kind):
            members.append(f"uint8_t levels[{kept}][{values}]")
        members.append("uint32_t taken, unknown")
    if pushes:
        members.append("uint32_t answered")
        if encoding.pool > 1:
            members += [f"uint16_t sums[{values}]", "uint32_t added"]
    return members


def _of_events(plan: Plan) -> list[str]:
    """Return which inputs have had an event in this time step, and which positions have ended."""
    layer = plan.layers[0]
    positions = 1 if layer.geometry is None else layer.geometry.positions
    members = ["uint32_t step_ends", f"uint32_t spiking[{event_words(layer)}]"]
    if positions > 1:
        members.append(f"{type_of(0, positions)} position")
    if layer.inhibition == First.kind:
        members.append(f"uint8_t ended[{-(-positions // 8)}]")
    return members


def _of_layer(plan: Plan, layer: LayerPlan, number: int, *, live: bool) -> list[str]:
    """Return what is kept of a position; where all are computed at once, of each."""
    types, positions = layer_types(plan, layer), 1 if layer.geometry is None else layer.geometry.positions
    each = f"[{positions}]" if live and positions > 1 else ""
    neurons = f"{each}[{layer.neurons}]"
    members = [f"{types['POTENTIAL']} potentials_{number}{neurons}"]
    if layer.refractory_steps > 0:
        members.append(f"{types['REFRACTORY']} refractory_{number}{neurons}")
    if positions > 1:
        members.append(f"uint32_t corner_{number}, base_{number}")
    if layer.inhibition == "ranked":
        members.append(f"uint8_t answers_{number}{each}")
    elif layer.inhibition == "clamp":
        members += [f"{types['REST']} clamped_{number}{each}", f"{types['NEURON']} latest_{number}{each}"]
    elif layer.inhibition == "layer":
        members.append(f"{types['NEURON']} exempt_{number}{each}")
        if layer.inhibition_steps > 0:
            members.append(f"{types['REST']} rest_{number}{neurons}")
    return members


def _between(plan: Plan, layer: LayerPlan, number: int) -> str:
    """Return what the next layer reads: bits of each step, or the step of each feature's first spike."""
    if layer.inhibition == NoInhibition.kind:
        return f"uint32_t sent_{number}[{plan.steps_of(layer)}][{-(-layer.features // 32)}]"
    return f"{layer_types(plan, layer)['TIME']} sent_{number}[{layer.features}]"
