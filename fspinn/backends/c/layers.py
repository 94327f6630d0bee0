"""The numbers of each layer, after which `layer.h` or `column.h` computes with them."""

from itertools import pairwise

import numpy as np

from fspinn.backends.c.learning import DeviceLearning
from fspinn.backends.c.numbers import array, constants, type_of, type_of_format
from fspinn.backends.exports import most_counted
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.memmodel.inputs import INTENSITY_BITS
from fspinn.network.geometry import Geometry
from fspinn.network.inhibition import First, NoInhibition
from fspinn.network.inputs import Events
from fspinn.quant.formats import Format
from fspinn.quant.packing import pack

_BIT = Format(1, 0, signed=False)


def layers_source(plan: Plan, *, column: bool, learning: DeviceLearning | None = None) -> str:
    """Return the layers as C, one after the other.

    Parameters
    ----------
    plan : Plan
        In integers; of a column as `fspinn.backends.exports.in_lines` says.
    column : bool
        Whether the first layer is a column of `column.h`.
    learning : DeviceLearning or None, default None
        What a column learns with.
    """
    text = []
    for index, layer in enumerate(plan.layers):
        below = plan.layers[index - 1] if index > 0 else None
        as_column = column and index == 0
        text.append(f"/* ---- Layer {index + 1} ---- */\n")
        for name, value in _constants(plan, layer, index + 1, below).items():
            if below is not None:
                text.append(f"#undef LAYER{name}")
            text.append(f"#define LAYER{name} {value}")
        if as_column:
            of_column = _of_a_column(plan, layer, learning)
            text += [f"#define LAYER_{name} {value}" for name, value in of_column.items()]
        live = index == 0 and plan.encoding.encoder == Events.kind
        if live:
            text.append(f"#define LAYER_STAYS {int(stays(layer))}")
        text += ["", *_data(layer, index + 1, as_column=as_column, live=live)]
        text += ["", '#include "src/column.h"' if as_column else '#include "src/layer.h"', ""]
        if live:
            text += ['#include "src/events.h"', ""]
    return "\n".join(text)


def layer_types(plan: Plan, layer: LayerPlan) -> dict[str, str]:
    """Return the types of C that a layer computes in, by what they hold."""
    formats = layer.formats
    assert formats is not None
    state, factor = formats.state, int(max(layer.leak, layer.drop_part))
    product = type_of(min(state.lowest_integer * factor, -1), state.highest_integer * factor)
    return {
        "POTENTIAL": type_of_format(state),
        "PRODUCT": "int64_t" if product == "int64_t" else "int32_t",
        "TIME": type_of(0, plan.steps + 1),
        "REFRACTORY": type_of(0, layer.refractory_steps),
        "REST": type_of(0, layer.inhibition_steps),
        "NEURON": type_of(-1, layer.neurons - 1),
        "THETA": type_of_format(formats.theta),
    }


def sum_type(layer: LayerPlan) -> str:
    """Return the type that holds the sum of the weights of all inputs of a neuron."""
    assert layer.formats is not None
    weights = layer.formats.weights
    return type_of(layer.inputs * weights.lowest_integer, layer.inputs * weights.highest_integer)


def wide_type(layer: LayerPlan, learning: DeviceLearning | None) -> str:
    """Return the type that holds potentials of a column before they are cut, less their thresholds."""
    formats = layer.formats
    assert formats is not None
    state, weights = formats.state, formats.weights
    shift = state.fraction_bits - weights.fraction_bits
    most = layer.inputs * max(-weights.lowest_integer, weights.highest_integer)
    reached = max(-state.lowest_integer, state.highest_integer) + (
        most << shift if shift >= 0 else most >> -shift
    )
    thresholds = layer.thresholds if learning is None else learning.thresholds_to(layer)
    return "int16_t" if reached + int(np.abs(thresholds).max()) < 2**15 else "int32_t"


def block_sum_type(pixels: int) -> str:
    """Return the type that holds the sum of so many pixels."""
    return type_of(0, 2**INTENSITY_BITS * pixels - 1)


def count_type(plan: Plan) -> str:
    """Return the type that counts the spikes of a feature of the last layer."""
    return type_of(0, most_counted(plan))


def input_words(plan: Plan, *, column: bool) -> int:
    """Return how many words hold a bit for each input of a position, of the layer with most of them.

    A layer after one without inhibition reads the bits that lie between the two, one that sees events those
    of a time step, and a column has none.
    """
    seen = [] if column or plan.encoding.encoder == Events.kind else [plan.layers[0]]
    seen += [layer for below, layer in pairwise(plan.layers) if below.inhibition != NoInhibition.kind]
    return max((-(-int(np.count_nonzero(layer.input_mask)) // 32) for layer in seen), default=0)


def event_words(layer: LayerPlan) -> int:
    """Return how many words hold a bit for each input that may have an event: of a mask, those it leaves."""
    geometry, used = layer.geometry, int(np.count_nonzero(layer.input_mask))
    inputs = used if geometry is None else geometry.height * geometry.width * geometry.channels
    return -(-inputs // 32)


def stays(layer: LayerPlan) -> bool:
    """Return whether nothing changes at a position in a time step without input."""
    return layer.inhibition == First.kind and layer.leak == 0 and int(layer.thresholds.min()) > 0


def _constants(plan: Plan, layer: LayerPlan, number: int, below: LayerPlan | None) -> dict[str, str]:
    """Constants by what follows `LAYER` in their names, the same ones for each layer."""
    formats = layer.formats
    assert formats is not None
    kinds = {
        "INHIBITION": layer.inhibition,
        "INHIBITION_BELOW": layer.inhibition if below is None else below.inhibition,
    }
    numbers = {
        "INPUTS": int(np.count_nonzero(layer.input_mask)),
        "NEURONS": layer.neurons,
        "FEATURES": layer.features,
        "STEPS": plan.steps_of(layer),
        **_field(layer.geometry, layer.inputs),
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
        "INHIBITION_STEPS": layer.inhibition_steps,
        "DROP": int(layer.drop),
        "DROP_PART": int(layer.drop_part),
    }
    return {
        "": str(number),
        "_BELOW": str(number - 1),
        **{f"_{name}": f"FSPINN_INHIBITION_{kind.upper()}" for name, kind in kinds.items()},
        **{f"_{name}": c_type for name, c_type in layer_types(plan, layer).items()},
        **{f"_{name}": value for name, value in constants(numbers).items()},
    }


def _of_a_column(plan: Plan, layer: LayerPlan, learning: DeviceLearning | None) -> dict[str, str]:
    """What a column has beside that, or otherwise: positions along lines, and the narrowest types."""
    assert layer.formats is not None
    assert layer.geometry is not None
    geometry, weights = layer.geometry, layer.formats.weights
    unasked = layer.thresholds.min() <= 0 or (learning is not None and learning.spikes_unasked)
    numbers = {
        "LINE": geometry.width * geometry.channels,
        "FIELD_LINES": geometry.field[0],
        "SPIKES_UNASKED": int(unasked),
    }
    return {
        "SUM": sum_type(layer),
        "UNIT": type_of(0, 2 ** _unit_bits(weights) - 1),
        "WIDE": wide_type(layer, learning),
        "EARLY": "uint16_t" if 255 * plan.steps < 2**16 else "uint32_t",
        **constants(numbers),
    }


def _unit_bits(weights: Format) -> int:
    """Return the bits of the words that weights of a column are packed into."""
    return 8 if weights.bits <= 8 else 16


def _field(geometry: Geometry | None, inputs: int) -> dict[str, int]:
    """Positions of the field, and its inputs as rows of inputs that lie side by side."""
    if geometry is None:
        of_one = ("HEIGHT", "WIDTH", "POSITIONS", "ROWS", "COLUMNS", "STRIDE", "CELL_ROWS", "CELL_COLUMNS")
        return {
            **dict.fromkeys(of_one, 1),
            "CHANNELS": inputs,
            "FIELD_ROWS": 1,
            "FIELD_RUN": inputs,
        }
    return {
        "HEIGHT": geometry.height,
        "WIDTH": geometry.width,
        "POSITIONS": geometry.positions,
        "ROWS": geometry.rows,
        "COLUMNS": geometry.columns,
        "STRIDE": geometry.stride,
        "CELL_ROWS": geometry.cells[0],
        "CELL_COLUMNS": geometry.cells[1],
        "CHANNELS": geometry.channels,
        "FIELD_ROWS": geometry.field[0],
        "FIELD_RUN": geometry.field[1] * geometry.channels,
    }


def _data(layer: LayerPlan, number: int, *, as_column: bool, live: bool) -> list[str]:
    formats = layer.formats
    assert formats is not None
    bits = _unit_bits(formats.weights) if as_column else 32
    words = pack(layer.weights[layer.input_mask], formats.weights, bits)
    data = [array(f"uint{bits}_t", f"weights_{number}", words.reshape(-1))]
    if layer.adapted:
        data.append(array(type_of_format(formats.theta), f"theta_{number}", layer.theta))
    if not layer.input_mask.all():
        data.append(array("uint32_t", f"input_mask_{number}", pack([layer.input_mask], _BIT, 32)[0]))
        if live:
            before = np.concatenate([[0], np.cumsum(layer.input_mask)])[:-1:32]
            data.append(array("uint16_t", f"inputs_before_{number}", before))
    return data
