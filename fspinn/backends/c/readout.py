"""The readout of a network as constants and arrays for `readout.h`."""

from fractions import Fraction
from functools import reduce
from math import ceil, gcd

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fspinn.backends.c.layers import most_counted
from fspinn.backends.c.numbers import array, defines, type_of
from fspinn.base.errors import FormatError
from fspinn.lowering.plan import Plan
from fspinn.model.features import LEVEL_BITS, SPIKES
from fspinn.model.model import LABEL_READOUT, Model, Readout, bias_bits
from fspinn.model.readout import answers_silence
from fspinn.network.inhibition import First, NoInhibition
from fspinn.quant.formats import to_integers

TABLE, LABELS = range(2)
"""Numbers of the kinds of readout in `readout.h`."""

MOST_STEPS = 2**63
"""Of a margin: no class leads by so many."""


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


def _of_scores(highest: int, bits: int) -> list[str]:
    """Return the type of scores that are at most so high, leads included, and that entries are read from."""
    return entry_lines(type_of(-max(highest, 2**8) - 1, 2**8), bits)


def entry_lines(score: str, bits: int) -> list[str]:
    """Return the lines that define how entries of so many bits are read, and the type of scores."""
    buffer = type_of(0, 2 ** (bits + 7) - 1)
    entry = {"READOUT_BITS": bits, "ENTRY_MASK": 2**bits - 1, "HIGHEST_ENTRY": 2 ** (bits - 1) - 1}
    return [*defines(entry), f"#define FSPINN_SCORE {score}", f"#define FSPINN_BIT_BUFFER {buffer}"]


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
