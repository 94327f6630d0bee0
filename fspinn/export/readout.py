"""The readout of a network as constants and arrays of `network.h`."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from fspinn.errors import FormatError
from fspinn.export.numbers import array, defines
from fspinn.prediction import ORDERED_SPIKES
from fspinn.quant.formats import MAX_BITS, Format, to_integers
from fspinn.quant.packing import pack
from fspinn.trained import LABEL_READOUT, PAIR_READOUT, Model, Readout

TABLE, LABELS, PAIRS = range(3)
"""Numbers of the kinds of readout in `network.h`."""

_WORD = 32


def readout_lines(model: Model) -> tuple[list[str], list[str]]:
    """Return the lines that define the readout of a model, and those that hold its numbers.

    Raises
    ------
    FormatError
        If the table has no format, or that of `majority` is more than labels.
    """
    readout = model.readout
    if readout.name == LABEL_READOUT:
        return _labels(readout)
    if readout.format is None:
        raise FormatError(
            f"readout: the table of {readout.name!r} is in floats; quantize it too, to UQ0.8 or so"
        )
    table = to_integers(readout.table, readout.format)
    values = {"READOUT_BITS": readout.format.bits, "READOUT_SIGNED": int(readout.format.signed)}
    if readout.name == PAIR_READOUT and readout.pairs is not None:
        return _pairs(model, table, readout.pairs, values)
    bias = np.zeros(readout.n_classes, dtype=np.int64)
    if readout.bias is not None:
        fraction_bits = readout.format.fraction_bits
        bias = to_integers(readout.bias, Format(MAX_BITS - fraction_bits, fraction_bits, signed=True))
    words = pack(table.reshape(1, -1), readout.format, _WORD)[0]
    data = [array("uint32_t", "table", words), array("int32_t", "bias", bias)]
    return defines({"READOUT": TABLE, **values}), data


def _labels(readout: Readout) -> tuple[list[str], list[str]]:
    """One label per neuron, and what a spike of each neuron of a class is worth, as in the table."""
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
    bits = max(int(labels.max()).bit_length(), 1)
    exact = [Fraction(float(share)) for share in shares]
    denominator = max(share.denominator for share in exact)  # all are powers of two
    data = [
        array("uint32_t", "labels", pack(labels[None], Format(bits, 0, signed=False), _WORD)[0]),
        array("uint64_t", "shares", [int(share * denominator) for share in exact]),
    ]
    return defines({"READOUT": LABELS, "READOUT_BITS": bits}), data


def _pairs(
    model: Model, table: NDArray[np.int64], pairs: NDArray[np.int32], values: dict[str, int]
) -> tuple[list[str], list[str]]:
    """Rows of two neurons and a number for each class; a row wider than a word takes several."""
    readout, neurons = model.readout, model.network.neurons
    assert readout.format is not None
    index_bits, entry_bits = max((neurons - 1).bit_length(), 1), readout.format.bits
    row_bits = 2 * index_bits + readout.n_classes * entry_bits
    widths = [index_bits] * 2 + [entry_bits] * readout.n_classes
    rows = []
    for numbers in np.concatenate([pairs, table], axis=1).tolist():
        row = 0
        for number, width in zip(reversed(numbers), reversed(widths), strict=True):
            row = row << width | number & (2**width - 1)
        rows.append(row)
    score_bits = entry_bits + model.network.steps.bit_length()
    lines = defines(
        {
            "READOUT": PAIRS,
            **values,
            "INDEX_BITS": index_bits,
            "ROW_BITS": row_bits,
            "ROWS": len(rows),
            "ORDERED_SPIKES": min(model.network.steps, ORDERED_SPIKES),
        }
    )
    lines.append(f"typedef {'int32_t' if score_bits < _WORD else 'int64_t'} network_score;")
    return lines, [array("uint32_t", "table", _words_of(rows, row_bits))]


def _words_of(rows: list[int], row_bits: int) -> list[int]:
    if row_bits > _WORD:
        words_per_row = -(-row_bits // _WORD)
        return [row >> (_WORD * k) & (2**_WORD - 1) for row in rows for k in range(words_per_row)] or [0]
    per_word = _WORD // row_bits
    groups = [rows[start : start + per_word] for start in range(0, len(rows), per_word)]
    return [sum(row << (k * row_bits) for k, row in enumerate(group)) for group in groups] or [0]
