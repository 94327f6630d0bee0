"""The numbers of a column and its readout as parameters of the core and as contents of its memories."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.exports import in_lines, label_shares, margin, spikes_that_speak
from fspinn.base.errors import FormatError
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.model.model import LABEL_READOUT, Model, Readout
from fspinn.quant.formats import to_integers


def column_parameters(plan: Plan, shape: tuple[int, ...]) -> dict[str, int | str]:
    """Return the parameters of the core that follow from the layer of a plan, by name.

    Parameters
    ----------
    plan : Plan
        Of a column, in integers.
    shape : tuple of int
        Of a sample.
    """
    (layer,) = in_lines(plan, shape).layers
    geometry, formats = layer.geometry, layer.formats
    assert geometry is not None
    assert formats is not None
    weights, state = formats.weights, formats.state
    shift = state.fraction_bits - weights.fraction_bits
    sums, potentials = _reached(plan, layer, shift)
    cut = potentials[0] < state.lowest_integer or potentials[1] > state.highest_integer
    if cut:
        # Before it is cut.
        step = [_scaled(end, shift) for end in sums]
        potentials = state.lowest_integer + step[0], state.highest_integer + step[1]
    thresholds = layer.thresholds.astype(np.int64)
    above = bits_of(min(potentials[0], 0) - int(thresholds.max()), potentials[1] - int(thresholds.min()))
    return {
        "LINES": geometry.height,
        "LINE": geometry.width * geometry.channels,
        "CHANNELS": geometry.channels,
        "FIELD_LINES": geometry.field[0],
        "FIELD_RUN": geometry.field[1] * geometry.channels,
        "STRIDE": geometry.stride,
        "ROWS": geometry.rows,
        "COLUMNS": geometry.columns,
        "CELL_ROWS": geometry.cells[0],
        "CELL_COLUMNS": geometry.cells[1],
        "STEPS": plan.steps,
        "NEURONS": layer.neurons,
        "WEIGHT_BITS": weights.bits,
        "WEIGHTS_SIGNED": int(weights.signed),
        "SUM_BITS": bits_of(*sums),
        "SHIFT": shift,
        "ABOVE_BITS": above,
        "RESTS": vector(-thresholds, above),
        "CUT": int(cut),
        "LOWESTS": vector(state.lowest_integer - thresholds if cut else 0 * thresholds, above),
        "HIGHESTS": vector(state.highest_integer - thresholds if cut else 0 * thresholds, above),
    }


def readout_parameters(model: Model, plan: Plan, reject: float) -> dict[str, int | str]:
    """Return the parameters of the core that follow from the readout, by name; errors as of `table_of`."""
    readout = model.readout
    table, bias, step = table_of(readout)
    spikes = spikes_that_speak(model, plan)
    lowest, highest = min(int(table.min()), 0), max(int(table.max()), 0)
    ends = spikes * lowest + min(int(bias.min()), 0), spikes * highest + max(int(bias.max()), 0)
    scores, needed = bits_of(*ends), margin(readout, reject, step)
    return {
        "CLASSES": readout.n_classes,
        "ENTRY_BITS": entry_bits(table),
        "ENTRIES_SIGNED": int(table.min() < 0),
        "SCORE_BITS": scores,
        "BIASES": vector(bias, scores),
        "REJECT": min(needed["REJECT"], ends[1] - ends[0] + 1),
        "SILENCE_ANSWERS": needed["ANSWERS_SILENCE"],
    }


def table_of(readout: Readout) -> tuple[NDArray[np.int64], NDArray[np.int64], Fraction]:
    """Return table, bias and step of a readout in whole numbers.

    Raises
    ------
    FormatError
        If the table has no format, or that of `majority` is more than labels.
    """
    if readout.name == LABEL_READOUT:
        labels, shares, step = label_shares(readout)
        table = (labels[:, None] == np.arange(readout.n_classes)) * np.array(shares)
        return table, np.zeros(readout.n_classes, np.int64), step
    if readout.format is None:
        raise FormatError(
            f"readout: the table of {readout.name!r} is in floats; quantize it too, to UQ0.8 or so"
        )
    bias = np.zeros(readout.n_classes, np.int64)
    if readout.bias is not None and readout.bias_format is not None:
        bias = to_integers(readout.bias, readout.bias_format).astype(np.int64)
    table = to_integers(readout.table, readout.format).astype(np.int64)
    return table, bias, Fraction(readout.format.step)


def weight_words(layer: LayerPlan) -> str:
    """Return the memory of weights: a word for each input, that of the first neuron lowest."""
    assert layer.formats is not None
    return memory(layer.weights, layer.formats.weights.bits)


def table_words(readout: Readout) -> str:
    """Return the memory of the readout: a word for each feature, the entry of the first class lowest."""
    table, _, _ = table_of(readout)
    return memory(table, entry_bits(table))


def entry_bits(table: NDArray[np.int64]) -> int:
    """Return the bits of an entry of a table, with a sign if any is negative."""
    lowest, highest = int(table.min()), int(table.max())
    return bits_of(lowest, highest) if lowest < 0 else max(highest.bit_length(), 1)


def bits_of(lowest: int, highest: int) -> int:
    """Return the bits of a signed number that is from one to another, 2 at least."""
    return max((-lowest - 1).bit_length() if lowest < 0 else 0, highest.bit_length(), 1) + 1


def vector(values: Iterable[Any], bits: int) -> str:
    """Return numbers of so many bits as one constant, the first lowest."""
    numbers = [int(value) for value in values]
    return f"{len(numbers) * bits}'h{_word(numbers, bits):x}"


def memory(rows: NDArray[np.int64], bits: int) -> str:
    """Return rows of numbers of so many bits as `$readmemh` reads them."""
    digits = -(-rows.shape[1] * bits // 4)
    return "".join(f"{_word(row.tolist(), bits):0{digits}x}\n" for row in rows)


def _word(numbers: list[int], bits: int) -> int:
    return sum((number % 2**bits) << (place * bits) for place, number in enumerate(numbers))


def _reached(plan: Plan, layer: LayerPlan, shift: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return what sums of weights, and potentials that are not cut, reach at most."""
    weights = layer.weights.astype(np.int64)
    sums = int(np.minimum(weights, 0).sum(axis=0).min()), int(np.maximum(weights, 0).sum(axis=0).max())
    # Each step rounds down.
    rounded = plan.steps if shift < 0 and sums[0] < 0 else 0
    return sums, (_scaled(sums[0], shift) - rounded, _scaled(sums[1], shift))


def _scaled(number: int, shift: int) -> int:
    return number << shift if shift >= 0 else number >> -shift
