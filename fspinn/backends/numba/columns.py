"""Fields without leak whose first spike ends a position, or without inhibition: all positions at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.numba import constants_kernels as numbers
from fspinn.backends.numba.alone_kernels import answer_alone, count_seen
from fspinn.backends.numba.answers import blank_answers, response_of, rooms
from fspinn.backends.numba.column_kernels import answer_columns
from fspinn.backends.protocol import Response
from fspinn.lowering.integers import Range
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.model.activity import Activity
from fspinn.network.encoders import Spikes
from fspinn.network.geometry import Geometry


def columns_of(plan: Plan, layer: LayerPlan) -> type[Any] | None:
    """Return the type of potentials if all positions can be computed at once, else None."""
    geometry, formats, thresholds = layer.geometry, layer.formats, layer.thresholds
    if geometry is None or layer.inhibition not in ("first", "none") or thresholds.min() <= 0:
        return None
    first = layer.inhibition == "first"
    if not first and layer.refractory_steps > 0:
        return None
    if formats is None:
        kind: type[Any] = layer.weights.dtype.type
        return kind if layer.leak == 1 or not first else None
    shift = formats.state.fraction_bits - formats.weights.fraction_bits
    if shift < 0 or (first and (layer.leak != 0 or layer.weights.min() < 0)):
        return None
    weights = layer.weights.astype(np.int64)
    if first:  # until a position ends, its potentials are below the thresholds
        most = max(int(weights.sum(axis=0).max()) << shift, geometry.fan_in) * plan.steps
        largest = most + int(thresholds.max())
        return np.int16 if largest < 2**14 else np.int32 if largest < 2**30 else None
    # In each step potentials are cut to the state once the input has been added.
    added = int(np.abs(weights).sum(axis=0).max()) << shift
    reached = added + max(-formats.state.lowest_integer, formats.state.highest_integer)
    if max(reached, layer.leak) < 2**15:
        return np.int16
    return np.int32 if reached < 2**31 else None


def answer_in_columns(plan: Plan, layer: LayerPlan, spikes: Spikes, kind: type[Any]) -> Response:
    """Present samples, all positions at once, with potentials of a type (`columns_of`)."""
    if layer.inhibition == "first":
        return _answer_first(layer, spikes, kind)
    return _answer_alone(plan, layer, spikes, kind)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Positions in a row side by side: their weights as blocks, and the thresholds of a row.

    Parameters
    ----------
    blocks : ndarray, shape (channels, field height, stride, positions of a block, lanes)
        Weights of an input to the positions that see it; lanes after those of the neurons are 0.
    width : int
        Positions in a row, with those at both ends that are not there.
    left : int
        How many of these come before the first that is.
    """

    blocks: NDArray[Any]
    width: int
    left: int

    @classmethod
    def of(cls, layer: LayerPlan, geometry: Geometry, kind: type[Any], lanes: int) -> "_Rows":
        """Return the rows of a layer, with so many lanes for a position."""
        shift = 0
        if layer.formats is not None:
            shift = layer.formats.state.fraction_bits - layer.formats.weights.fraction_bits
        (height, width), stride = geometry.field, geometry.stride
        run = -(-width // stride)
        blocks = np.zeros((geometry.channels, height, stride, run, lanes), dtype=kind)
        weights = layer.weights.reshape(height, width, geometry.channels, layer.neurons)
        for v in range(width):
            # The inputs of the later columns reach the earlier positions.
            block = blocks[:, :, v % stride, run - 1 - v // stride]
            block[:, :, : layer.neurons] = (weights[:, v] * kind(2**shift)).transpose(1, 0, 2)
            block[:, :, layer.neurons :] = 1
        return cls(blocks, (geometry.width - 1) // stride + run, run - 1)

    @property
    def flat_blocks(self) -> NDArray[Any]:
        """The blocks with their positions and lanes in one axis."""
        return self.blocks.reshape(*self.blocks.shape[:3], -1)


def _answer_first(layer: LayerPlan, spikes: Spikes, kind: type[Any]) -> Response:
    geometry = layer.geometry
    assert geometry is not None
    never, ended, most = np.inf, -np.inf, np.inf
    if layer.formats is not None:
        never, ended = np.iinfo(kind).max, np.iinfo(kind).min // 2
        most = min(layer.formats.state.highest_integer, never)
    lanes = layer.neurons + 1
    rows = _Rows.of(layer, geometry, kind, lanes)
    thresholds = np.full((rows.width, lanes), never, dtype=kind)
    thresholds[rows.left : rows.left + geometry.columns, :-1] = layer.thresholds
    flags = np.zeros(-(-thresholds.size // 8) * 8, dtype=np.bool_)
    potentials = np.zeros((geometry.rows, thresholds.size), dtype=kind)
    seen = np.zeros((geometry.rows, geometry.columns), dtype=kind)
    n, activity = len(spikes), np.zeros(len(Activity().as_tuple()), dtype=np.int64)
    answers = blank_answers(layer, n, spikes.steps)
    of_spikes = [np.empty(n * geometry.positions, dtype=np.int32) for _ in range(3)]
    highest, cuts = answer_columns(
        spikes.offsets,
        spikes.inputs,
        rows.flat_blocks,
        thresholds.reshape(-1),
        geometry.places,
        (geometry.rows, geometry.columns, rows.left, geometry.stride),
        geometry.cell_of,
        (kind(ended), kind(most)),
        (potentials, flags, flags.view(np.uint64), seen),
        answers,
        tuple(of_spikes),
        activity,
    )
    counted = Activity(*activity.tolist())
    steps, neurons, positions = (of_all[: counted.output_spikes] for of_all in of_spikes)
    span = Range()
    if layer.formats is not None and n:
        span = Range(0, max(int(highest), int(layer.thresholds.max())), int(cuts))
    return response_of(answers, [(steps, neurons, positions)], counted, span)


def _answer_alone(plan: Plan, layer: LayerPlan, spikes: Spikes, kind: type[Any]) -> Response:
    geometry, n = layer.geometry, len(spikes)
    assert geometry is not None
    rows = _Rows.of(layer, geometry, kind, layer.neurons)
    constants: Any = numbers.RealRow(kind(layer.leak))
    if layer.formats is not None:
        state = layer.formats.state
        constants = numbers.IntegerRow(kind(layer.leak), state.lowest_integer, state.highest_integer)
    potentials = np.zeros((geometry.rows, rows.width * layer.neurons), dtype=kind)
    answers, span, of_parts = blank_answers(layer, n, spikes.steps), np.zeros(3, dtype=np.int64), []
    for part, of_spikes in rooms(plan, layer, n, geometry.positions):
        written = answer_alone(
            spikes.offsets[part],
            spikes.inputs,
            rows.flat_blocks,
            np.tile(layer.thresholds.astype(kind), geometry.columns),
            geometry.places,
            (geometry.rows, geometry.columns, rows.left, geometry.stride),
            geometry.cell_of,
            constants,
            span,
            potentials,
            tuple(of_all[part] for of_all in answers),
            of_spikes,
        )
        steps, neurons, positions = (of_all[:written] for of_all in of_spikes)
        of_parts.append((steps, neurons, positions))
    if layer.formats is not None and n:
        span[numbers.HIGHEST] = max(int(span[numbers.HIGHEST]), int(layer.thresholds.max()))
    (seen, active), computed = _seen(geometry, spikes), n * geometry.positions * spikes.steps
    activity = Activity(
        samples=n,
        steps=computed,
        active_steps=active,
        positions=n * geometry.positions,
        input_spikes=seen,
        output_spikes=sum(len(steps) for steps, _, _ in of_parts),
        synaptic_additions=seen * layer.neurons,
        neuron_updates=computed * layer.neurons,
        rows_read=seen,
    )
    return response_of(answers, of_parts, activity, Range(*span.tolist()))


def _seen(geometry: Geometry, spikes: Spikes) -> tuple[int, int]:
    """Return how many input spikes all positions see, and in how many of their steps they see any."""
    marks = np.full((geometry.rows, geometry.columns), -1, dtype=np.int64)
    grid = geometry.rows, geometry.columns, geometry.stride
    seen, active = count_seen(spikes.offsets, spikes.inputs, geometry.places, grid, geometry.field, marks)
    return int(seen), int(active)
