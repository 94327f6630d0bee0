"""What do programs and cores that are written of a network have in common? Texts and numbers."""

from dataclasses import replace
from fractions import Fraction
from functools import reduce
from math import ceil, gcd
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import FormatError
from fspinn.base.randomness import NOISE, stream_key, words
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.model.features import LEVEL_BITS, SPIKES, Features
from fspinn.model.model import Model, Readout
from fspinn.model.readout import answers_silence
from fspinn.network.geometry import Geometry
from fspinn.network.inhibition import First, NoInhibition, most_spikes

NOISE_IMAGES = 5

MOST_STEPS = 2**63
"""Of a margin: no class leads by so many."""


class HasInputs(Protocol):
    """What has samples and features as a program gets them: a model, or a classifier."""

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Height and width, and channels if there are several."""

    @property
    def features(self) -> Features | None:
        """What is given beside a sample."""


def filled(template: str, values: dict[str, str]) -> str:
    """Return a text with values in place of their names between @."""
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def noise_for(model: HasInputs) -> NDArray[np.uint8]:
    """Return images of noise, to test a program with."""
    count = NOISE_IMAGES * int(np.prod(model.image_shape))
    noise = words(stream_key(0, NOISE), count) >> np.uint64(56)
    return noise.astype(np.uint8).reshape(NOISE_IMAGES, *model.image_shape)


def layer_in_words(plan: Plan, layer: LayerPlan) -> str:
    """Say what a layer of a plan in integers is."""
    formats = layer.formats
    assert formats is not None
    return (
        f"{layer.neurons} neurons, {_inputs(layer)}, {plan.steps_of(layer)} time steps; "
        f"weights in {formats.weights}, potentials in {formats.state}, thresholds in {formats.theta}"
    )


def _inputs(layer: LayerPlan) -> str:
    inputs, geometry = f"{np.count_nonzero(layer.input_mask)} inputs", layer.geometry
    if geometry is None:
        return inputs
    field, positions, cells = (
        f"{height} x {width}"
        for height, width in (geometry.field, (geometry.rows, geometry.columns), geometry.cells)
    )
    return f"a field of {field} ({inputs}) at {positions} positions in {cells} cells"


def in_lines(plan: Plan, shape: tuple[int, ...]) -> Plan:
    """Return a plan whose first layer, a column, looks at lines of a sample: of a signal, its values."""
    first, *others = plan.layers
    geometry = first.geometry
    if geometry is None or shape[0] > 1:
        return plan
    (_, along), (_, cells) = geometry.field, geometry.cells
    turned = Geometry(geometry.width, 1, geometry.channels, (along, 1), geometry.stride, (cells, 1))
    return replace(plan, layers=(replace(first, geometry=turned), *others))


def most_counted(plan: Plan) -> int:
    """Return how often a feature of the last layer is counted in a sample, at most."""
    layer = plan.layers[-1]
    each: int = most_spikes(layer.inhibition, plan.steps, layer.answer_steps)
    return each * _positions_of_a_cell(layer)


def _positions_of_a_cell(layer: LayerPlan) -> int:
    """Return how many positions of the field the largest cell has."""
    return 1 if layer.geometry is None else int(np.bincount(layer.geometry.cell_of).max())


def spikes_that_speak(model: Model, plan: Plan) -> int:
    """Return how many spikes speak for the classes, at most."""
    layer, each = plan.layers[-1], most_counted(plan)
    if layer.inhibition == First.kind:
        counted = 1 if layer.geometry is None else layer.geometry.positions
    elif layer.inhibition == NoInhibition.kind:
        counted = each * layer.features
    else:
        counted = each * (layer.features // layer.neurons)
    extra = 0 if model.features is None else len(model.features.names)
    return int(counted + extra * SPIKES * (2**LEVEL_BITS - 1))


def margin(readout: Readout, reject: float, step: Fraction) -> dict[str, int]:
    """Return the steps that the best class has to lead by, and whether silence is answered."""
    steps = min(ceil(Fraction(reject) / step), MOST_STEPS)
    margin = steps if readout.n_classes > 1 else 0
    return {"REJECT": margin, "ANSWERS_SILENCE": int(answers_silence(readout))}


def label_shares(readout: Readout) -> tuple[NDArray[np.int64], list[int], Fraction]:
    """Return the label of each neuron, what a spike is worth for each class, and the step of that.

    A neuron without a label has one above those of the classes. What spikes are worth are whole numbers.

    Raises
    ------
    FormatError
        If the table is more than one label per neuron.
    """
    table, n_classes = readout.table, readout.n_classes
    shares = table.max(axis=0)
    speaks = table.any(axis=1)
    labels = np.where(speaks, table.argmax(axis=1), n_classes)
    expected = (labels[:, None] == np.arange(n_classes)) * shares
    if not np.array_equal(expected, table):
        raise FormatError(
            f"readout: the table of {readout.name!r} is more than one label per neuron; "
            "use the one that training fitted"
        )
    exact = [Fraction(float(share)) for share in shares]
    denominator = max(share.denominator for share in exact)  # all are powers of two
    whole = [int(share * denominator) for share in exact]
    common = max(reduce(gcd, whole), 1)
    return labels, [share // common for share in whole], Fraction(common, denominator)
