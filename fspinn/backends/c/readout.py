"""The readout of a network as constants and arrays for `readout.h`."""

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from fspinn.backends.c.numbers import array, defines, type_of
from fspinn.backends.exports import label_shares, margin, spikes_that_speak
from fspinn.base.errors import FormatError
from fspinn.lowering.plan import Plan
from fspinn.model.model import LABEL_READOUT, Model, Readout, bias_bits
from fspinn.quant.formats import to_integers

TABLE, LABELS = range(2)
"""Numbers of the kinds of readout in `readout.h`."""


def readout_lines(model: Model, plan: Plan, reject: float) -> list[str]:
    """Return the lines that define the readout of a model, and hold its numbers.

    Scores are whole numbers of steps, so a lead is below the margin `reject` where it is below that many
    steps, rounded up.

    Raises
    ------
    FormatError
        If the table has no format, or that of `majority` is more than labels.
    """
    readout, spikes = model.readout, spikes_that_speak(model, plan)
    if readout.name == LABEL_READOUT:
        return _labels(readout, spikes, reject)
    if readout.format is None:
        raise FormatError(
            f"readout: the table of {readout.name!r} is in floats; quantize it too, to UQ0.8 or so"
        )
    table, bits = to_integers(readout.table, readout.format), readout.format.bits
    values = {"READOUT": TABLE, "READOUT_SIGNED": int(readout.format.signed)}
    values |= margin(readout, reject, Fraction(readout.format.step))
    bias = None
    if readout.bias is not None and readout.bias_format is not None:
        bias = to_integers(readout.bias, readout.bias_format)
    # Entries are read without their sign first.
    highest = spikes * int(np.abs(table).max(initial=0)) + (0 if bias is None else int(np.abs(bias).max()))
    bias_type = f"int{bias_bits(bits)}_t"
    return [
        *defines({**values, "BIASED": int(bias is not None)}),
        f"#define FSPINN_BIAS {bias_type}",
        *_of_scores(max(2 * highest, 2**bits - 1), bits),
        array("uint8_t", "table", bits_in_a_row(table, bits)),
        *([array(bias_type, "bias", bias)] if bias is not None else []),
    ]


def bits_in_a_row(integers: ArrayLike, bits: int) -> np.ndarray:
    """Return the bytes that hold integers of so many bits one after the other, lowest bits first."""
    numbers = np.asarray(integers, dtype=np.int64).reshape(-1, 1)
    return np.packbits((numbers >> np.arange(bits) & 1).astype(np.uint8), bitorder="little")


def _of_scores(highest: int, bits: int) -> list[str]:
    """Return the type of scores that are at most so high, leads included, and that entries are read from."""
    return entry_lines(type_of(-max(highest, 2**8) - 1, 2**8), bits)


def entry_lines(score: str, bits: int) -> list[str]:
    """Return the lines that define how entries of so many bits are read, and the type of scores."""
    buffer = type_of(0, 2 ** (bits + 7) - 1)
    entry = {"READOUT_BITS": bits, "ENTRY_MASK": 2**bits - 1, "HIGHEST_ENTRY": 2 ** (bits - 1) - 1}
    return [*defines(entry), f"#define FSPINN_SCORE {score}", f"#define FSPINN_BIT_BUFFER {buffer}"]


def _labels(readout: Readout, spikes: int, reject: float) -> list[str]:
    """One label per neuron, and what a spike of each neuron of a class is worth, as in the table."""
    labels, whole, step = label_shares(readout)
    bits = max(int(labels.max()).bit_length(), 1)
    share_type = type_of(0, max(whole))
    return [
        *defines({"READOUT": LABELS, "BIASED": 0, **margin(readout, reject, step)}),
        f"#define FSPINN_SHARE {share_type}",
        *_of_scores(2 * spikes * max(1, *whole), bits),
        array("uint8_t", "labels", bits_in_a_row(labels, bits)),
        array(share_type, "shares", whole),
    ]
