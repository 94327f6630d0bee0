"""Layers without inhibition, one or several, as one row of NIR's nodes; `fspinn.backends.nir` has the units.

::

    input -> [flatten ->] weights_1 -> neurons_1 -> [cells_1 -> any_1 ->] ... [flatten ->] readout -> output

- `weights` is a Linear, or a Conv2d for a field (of a signal a Conv1d). Grids are channel, row, column, as
  NIR has them, and what looks at a whole grid gets a Flatten before it, its weights in that order.
- `neurons` is a LIF, or an IF without leak. A neuron that spikes loses its threshold, as NIR had it first.
  Now these nodes have a `v_reset` instead, 0 here: that is the same where a potential meets its threshold,
  but impulses take it beyond. So the metadata say `reset`, and readers have to follow it.
- What a layer with a field passes on is one spike of a neuron and cell at most: a SumPool2d of the positions
  in a cell (of a signal a Conv1d with ones) and a Threshold of a half. A cell of one position needs neither.
- `readout` is an Affine with a column for each neuron (at each position, where the last layer has a field).
  What leaves in the steps of a presentation adds up to the scores: the bias is divided by their number.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.model.model import Readout
from fspinn.network.geometry import Geometry


def refuses(plan: Plan) -> str | None:
    """Return in one line why NIR has no words for layers without inhibition, or None if it has."""
    for layer in plan.layers:
        if layer.refractory_steps > 0:
            return refuses_rest(layer, plan.dt_ms)
    axes = _axes(plan)
    for layer in plan.layers:
        there = _field_of(layer)
        if there is not None and len(set(_along(axes, *there.field))) > 1:
            field = f"{there.field[0]} x {there.field[1]}"
            return (
                f"field: nir mistakes fields that are not square, such as {field}; use a square one, or none"
            )
    for layer in plan.layers[:-1]:
        there = _field_of(layer)
        if there is not None and (there.rows % there.cells[0] or there.columns % there.cells[1]):
            positions, cells = f"{there.rows} x {there.columns}", f"{there.cells[0]} x {there.cells[1]}"
            return (
                f"cells: NIR cannot express {cells} cells of {positions} positions, as these differ in size; "
                "use numbers of cells that divide those of positions"
            )
    return None


def refuses_rest(layer: LayerPlan, dt_ms: float) -> str:
    """Return in one line that neurons of NIR are never refractory."""
    return f"refractory_ms: NIR cannot express {layer.refractory_steps * dt_ms}; train a network with 0"


def nodes_of(nir: Any, plan: Plan, readout: Readout) -> dict[str, Any]:
    """Return the nodes, each of which is connected with the next.

    Parameters
    ----------
    nir : module
    plan : Plan
        That `refuses` has nothing against.
    readout : Readout
    """
    first, axes = _field_of(plan.layers[0]), _axes(plan)
    grid = None if first is None else (first.channels, *_along(axes, first.height, first.width))
    shape = (plan.layers[0].inputs,) if grid is None else grid
    nodes = {"input": nir.Input(input_type={"input": np.array(shape)})}
    for number, layer in enumerate(plan.layers, 1):
        there = _field_of(layer)
        if there is None:
            weights = layer.weights
            if grid is not None:
                nodes[f"flatten_{number}"] = _flatten(nir, grid)
                weights = _channels_first(weights, grid)
            nodes[f"weights_{number}"] = nir.Linear(weight=np.ascontiguousarray(weights.T))
            nodes[f"neurons_{number}"] = neurons_of(nir, layer)
            grid = None
            continue
        positions, cells = _along(axes, there.rows, there.columns), _along(axes, *there.cells)
        nodes[f"weights_{number}"] = _convolution(nir, layer, there, axes)
        nodes[f"neurons_{number}"] = neurons_of(nir, layer, positions)
        grid = (layer.neurons, *positions)
        if number < len(plan.layers) and cells != positions:
            nodes[f"cells_{number}"] = _sums(nir, grid, cells)
            grid = (layer.neurons, *cells)
            nodes[f"any_{number}"] = nir.Threshold(threshold=np.full(grid, 0.5))
    if grid is not None:
        nodes["flatten"] = _flatten(nir, grid)
    nodes["readout"] = _readout(nir, plan, readout, grid)
    nodes["output"] = nir.Output(output_type={"output": np.array([readout.n_classes])})
    return nodes


def neurons_of(nir: Any, layer: LayerPlan, grid: tuple[int, ...] = ()) -> Any:
    """Return the neurons of a layer, at each position of a grid, as LIF, or IF if they have no leak."""
    threshold = layer.firing_threshold + layer.theta.astype(np.float64)
    each: NDArray[np.float64] = np.ones((layer.neurons, *grid))
    threshold = each * np.nextafter(threshold, -np.inf).reshape(-1, *(1 for _ in grid))
    if np.isinf(layer.tau_m_ms):
        return nir.IF(r=each, v_threshold=threshold, v_reset=0 * each)
    tau_s = each * (layer.tau_m_ms / 1000)
    return nir.LIF(tau=tau_s, r=tau_s.copy(), v_leak=0 * each, v_threshold=threshold, v_reset=0 * each)


def input_axes(plan: Plan) -> str:
    """Return what the axes of the input of a graph are, the last of them the fastest."""
    if _field_of(plan.layers[0]) is None:
        return "row, column, channel, in one"
    return ", ".join(("channel", *("row", "column")[-_axes(plan) :]))


def _field_of(layer: LayerPlan) -> Geometry | None:
    """Return where a layer looks; None if each neuron sees the whole input."""
    there = layer.geometry
    return None if there is None or there.field == (there.height, there.width) else there


def _axes(plan: Plan) -> int:
    """Return how many axes of a sample its graph has: a signal has no rows."""
    first = _field_of(plan.layers[0])
    return 1 if first is not None and first.height == 1 else 2


def _along(axes: int, *rows_and_columns: int) -> tuple[int, ...]:
    """Return the one of columns, or both."""
    return rows_and_columns[-axes:]


def _convolution(nir: Any, layer: LayerPlan, there: Geometry, axes: int) -> Any:
    weights = layer.weights.reshape(*_along(axes, *there.field), there.channels, layer.neurons)
    weights = np.ascontiguousarray(np.moveaxis(weights, (-1, -2), (0, 1)))
    bias = np.zeros(layer.neurons, weights.dtype)
    if weights.ndim == 3:
        return nir.Conv1d(there.width, weights, there.stride, padding=0, dilation=1, groups=1, bias=bias)
    stride, nothing, one = (there.stride, there.stride), (0, 0), (1, 1)
    return nir.Conv2d((there.height, there.width), weights, stride, nothing, one, groups=1, bias=bias)


def _sums(nir: Any, grid: tuple[int, ...], cells: tuple[int, ...]) -> Any:
    """Return what adds up the positions of each cell."""
    channels, *positions = grid
    size = np.array(positions) // cells
    if len(positions) == 2:
        return nir.SumPool2d(kernel_size=size, stride=size, padding=np.zeros(2, dtype=np.int64))
    (of_cell,) = size.tolist()
    ones = np.repeat(np.eye(channels)[:, :, None], of_cell, axis=2)
    return nir.Conv1d(positions[0], ones, of_cell, padding=0, dilation=1, groups=1, bias=np.zeros(channels))


def _flatten(nir: Any, grid: tuple[int, ...]) -> Any:
    return nir.Flatten(input_type={"input": np.array(grid)}, start_dim=0, end_dim=-1)


def _channels_first(rows: NDArray[Any], grid: tuple[int, ...]) -> NDArray[Any]:
    """Return rows, for each place of a grid and then each channel, in the order of NIR."""
    channels, *places = grid
    return np.moveaxis(rows.reshape(*places, channels, -1), -2, 0).reshape(len(rows), -1)


def _readout(nir: Any, plan: Plan, readout: Readout, grid: tuple[int, ...] | None) -> Any:
    last = plan.layers[-1]
    table, there = readout.table[: last.features], _field_of(last)
    if there is not None and grid is not None:
        at_positions = table.reshape(-1, last.neurons, readout.n_classes)[there.cell_of]
        table = _channels_first(at_positions.reshape(-1, readout.n_classes), grid)
    bias = np.zeros(readout.n_classes) if readout.bias is None else readout.bias.astype(np.float64)
    return nir.Affine(weight=np.ascontiguousarray(table.T), bias=bias / plan.steps)
