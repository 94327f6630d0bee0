"""The readout of a network as constants and arrays of `network.h`."""

from fractions import Fraction
from math import ceil

import numpy as np

from fspinn.backends.c.numbers import array, defines
from fspinn.base.errors import FormatError
from fspinn.model.model import LABEL_READOUT, Model, Readout, bias_bits
from fspinn.model.readout import answers_silence
from fspinn.quant.formats import Format, to_integers
from fspinn.quant.packing import pack

TABLE, LABELS = range(2)
"""Numbers of the kinds of readout in `network.h`."""

_WORD = 32


MOST_STEPS = 2**63
"""Of a margin: no class leads by so many."""


def readout_lines(model: Model, reject: float) -> tuple[list[str], list[str]]:
    """Return the lines that define the readout of a model, and those that hold its numbers.

    Scores are whole numbers of steps, so a lead is below the margin `reject` where it is below that many
    steps, rounded up.

    Raises
    ------
    FormatError
        If the table has no format, or that of `majority` is more than labels.
    """
    readout = model.readout
    if readout.name == LABEL_READOUT:
        return _labels(readout, reject)
    if readout.format is None:
        raise FormatError(
            f"readout: the table of {readout.name!r} is in floats; quantize it too, to UQ0.8 or so"
        )
    table = to_integers(readout.table, readout.format)
    values = {"READOUT_BITS": readout.format.bits, "READOUT_SIGNED": int(readout.format.signed)}
    values |= _margin(readout, reject, Fraction(readout.format.step))
    bias = np.zeros(readout.n_classes, dtype=np.int64)
    if readout.bias is not None and readout.bias_format is not None:
        bias = to_integers(readout.bias, readout.bias_format)
    words = pack(table.reshape(1, -1), readout.format, _WORD)[0]
    data = [array("uint32_t", "table", words), array(f"int{bias_bits(readout.format.bits)}_t", "bias", bias)]
    return defines({"READOUT": TABLE, **values}), data


def _margin(readout: Readout, reject: float, step: Fraction) -> dict[str, int]:
    steps = min(ceil(Fraction(reject) / step), MOST_STEPS)
    margin = steps if readout.n_classes > 1 else 0
    return {"REJECT": margin, "ANSWERS_SILENCE": int(answers_silence(readout))}


def _labels(readout: Readout, reject: float) -> tuple[list[str], list[str]]:
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
    margin = _margin(readout, reject, Fraction(1, denominator))
    return defines({"READOUT": LABELS, "READOUT_BITS": bits, **margin}), data
