"""The numbers of each layer as `layers.h`, which has `neurons.h` compute with them."""

from itertools import pairwise

import numpy as np

from fspinn.backends.c.numbers import array, constants, type_of, type_of_format
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.network.inhibition import NoInhibition, most_spikes
from fspinn.quant.formats import Format
from fspinn.quant.packing import pack

_BIT = Format(1, 0, signed=False)

_HEAD = "/* The numbers of each layer, and after them what its neurons do. Of network.c a part. */"


def layers_header(plan: Plan) -> str:
    """Return what `layers.h` holds.

    Parameters
    ----------
    plan : Plan
        In integers.
    """
    text = [_HEAD]
    for index, layer in enumerate(plan.layers):
        below = plan.layers[index - 1] if index > 0 else None
        for name, value in _constants(plan, layer, index + 1, below).items():
            if below is not None:
                text.append(f"#undef LAYER{name}")
            text.append(f"#define LAYER{name} {value}")
        text += [*_data(layer, index + 1), '#include "neurons.h"', ""]
    return "\n".join(text)


def count_type(plan: Plan) -> str:
    """Return the type that counts the spikes of a feature of the last layer."""
    layer = plan.layers[-1]
    each = most_spikes(layer.inhibition, plan.steps, layer.answer_steps)
    return type_of(0, each * _positions_of_a_cell(layer))


def input_words(plan: Plan) -> int:
    """Return how many words hold a bit for each input of a position, of the layer with most of them.

    A layer after one without inhibition reads the bits that lie between the two.
    """
    seen = [plan.layers[0]]
    seen += [layer for below, layer in pairwise(plan.layers) if below.inhibition != NoInhibition.kind]
    return max(-(-int(np.count_nonzero(layer.input_mask)) // 32) for layer in seen)


def _constants(plan: Plan, layer: LayerPlan, number: int, below: LayerPlan | None) -> dict[str, str]:
    """Constants by what follows `LAYER` in their names, the same ones for each layer."""
    formats = layer.formats
    assert formats is not None
    kinds = {
        "INHIBITION": layer.inhibition,
        "INHIBITION_BELOW": layer.inhibition if below is None else below.inhibition,
    }
    state, factor = formats.state, int(max(layer.leak, layer.drop_part))
    product = type_of(min(state.lowest_integer * factor, -1), state.highest_integer * factor)
    types = {
        "POTENTIAL": type_of_format(state),
        "PRODUCT": "int64_t" if product == "int64_t" else "int32_t",
        "TIME": type_of(0, plan.steps),
        "REFRACTORY": type_of(0, layer.refractory_steps),
        "REST": type_of(0, layer.inhibition_steps),
    }
    numbers = {
        "INPUTS": int(np.count_nonzero(layer.input_mask)),
        "NEURONS": layer.neurons,
        "FEATURES": layer.features,
        "STEPS": plan.steps_of(layer),
        **_field(layer),
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
        **{f"_{name}": f"NETWORK_INHIBITION_{kind.upper()}" for name, kind in kinds.items()},
        **{f"_{name}": c_type for name, c_type in types.items()},
        **{f"_{name}": value for name, value in constants(numbers).items()},
    }


def _field(layer: LayerPlan) -> dict[str, int]:
    """Positions of the field, and its inputs as rows of inputs that lie side by side."""
    geometry = layer.geometry
    if geometry is None:
        of_one = ("HEIGHT", "WIDTH", "POSITIONS", "ROWS", "COLUMNS", "STRIDE", "CELL_ROWS", "CELL_COLUMNS")
        return {
            **dict.fromkeys(of_one, 1),
            "CHANNELS": layer.inputs,
            "FIELD_ROWS": 1,
            "FIELD_RUN": layer.inputs,
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


def _data(layer: LayerPlan, number: int) -> list[str]:
    formats = layer.formats
    assert formats is not None
    words = pack(layer.weights[layer.input_mask], formats.weights, 32)
    data = [array("uint32_t", f"weights_{number}", words)]
    if layer.adapted:
        data.append(array(type_of_format(formats.theta), f"theta_{number}", layer.theta))
    if not layer.input_mask.all():
        data.append(array("uint32_t", f"input_mask_{number}", pack([layer.input_mask], _BIT, 32)[0]))
    return data


def _positions_of_a_cell(layer: LayerPlan) -> int:
    """Return how many positions of the field the largest cell has."""
    return 1 if layer.geometry is None else int(np.bincount(layer.geometry.cell_of).max())
