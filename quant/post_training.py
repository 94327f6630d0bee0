"""Quantization after training: the same network with numbers that fit a format."""

from collections.abc import Callable
from dataclasses import replace
from math import frexp

import numpy as np
from numpy.typing import NDArray

from fspinn.errors import FormatError
from fspinn.quant.formats import MAX_BITS, Format, quantize_values, saturates, to_integers, to_values
from fspinn.trained import LABEL_READOUT, Model, Readout

MOST = 0.5
"""Share of the weights other than zero that may saturate before a format is refused."""


def quantize(
    model: Model, weights: str | Format, rounding: str = "nearest", readout: str | Format | None = None
) -> Model:
    """Return a model whose weights and readout are numbers of a fixed-point format.

    Thresholds and potentials stay as they are. The counted activity is kept: it is that of the network
    before quantization. Measured accuracies are dropped, since they are no longer true.

    Parameters
    ----------
    model : Model
        Left untouched.
    weights : str or Format
        Format of the weights, such as ``"UQ0.4"``.
    rounding : {"nearest", "truncate"}, default "nearest"
        For the weights. The readout is always rounded to nearest.
    readout : str, Format or None, default None
        Format of the readout table; None is 8 bits: ``"Q1.7"`` for ``linear``, else ``"UQ0.8"``. Table and
        bias of ``linear`` are first multiplied by the number that makes the table fill its format, which
        changes no answer; the bias becomes a whole number of the format's steps, however large. The table
        of ``majority`` is left alone: it is stored as labels.

    Returns
    -------
    Model
        Its arrays are float32 and hold exactly the quantized values. ``record["quantization"]`` has the
        formats, the rounding, and the shares of all weights that saturated and that became zero.

    Raises
    ------
    FormatError
        If the model is quantized already, or a format or rounding is unknown or cannot hold the values.
    """
    if model.weight_format is not None:
        raise FormatError(
            f"weights: already quantized to {model.weight_format}; "
            "quantize the model that training wrote, not a quantized one"
        )
    format = _as_format(weights)
    _check_weights(model.weights, format, rounding)
    quantized_weights = to_values(to_integers(model.weights, format, rounding), format)
    quantized_readout = _quantize_readout(model.readout, readout)
    record = {name: value for name, value in model.record.items() if not _is_measured(name)}
    record["quantization"] = {
        "weights": str(format),
        "readout": None if quantized_readout.format is None else str(quantized_readout.format),
        "rounding": rounding,
        "saturated_share": float(saturates(model.weights, format, rounding).mean()),
        "zeroed_share": float(((quantized_weights == 0) & (model.weights != 0)).mean()),
    }
    return replace(
        model, weights=quantized_weights, weight_format=format, readout=quantized_readout, record=record
    )


def _as_format(format: str | Format) -> Format:
    return format if isinstance(format, Format) else Format.parse(format)


def _is_measured(name: str) -> bool:
    return "accuracy" in name or name == "metrics"


def _check_weights(weights: NDArray[np.float32], format: Format, rounding: str) -> None:
    def survive(format: Format) -> bool:
        return bool(to_integers(weights, format, rounding).any())

    def fit(format: Format) -> bool:
        saturated = np.count_nonzero(saturates(weights, format, rounding))
        return bool(saturated <= MOST * np.count_nonzero(weights))

    # Saturation first: what is negative saturates to zero in an unsigned format.
    if not fit(format):
        raise FormatError(
            f"weights: {format} cannot hold the range, most would saturate ({_ranges(weights, format)}); "
            f"{_mend(weights, format, lambda f: fit(f) and survive(f))}"
        )
    if not survive(format):
        raise FormatError(
            f"weights: no weight survives {format} with rounding {rounding!r} ({_ranges(weights, format)}); "
            f"{_mend(weights, format, lambda f: fit(f) and survive(f))}"
        )


def _quantize_readout(readout: Readout, asked: str | Format | None) -> Readout:
    if asked is None:
        asked = "UQ0.8" if readout.bias is None else "Q1.7"
    format = _as_format(asked)
    if readout.name == LABEL_READOUT:
        return readout
    table, bias = readout.table, readout.bias
    if bias is not None and format.signed:
        largest = float(np.abs(table).max())
        scale = np.float32(format.highest / largest if largest > 0 else 1.0)
        table, bias = table * scale, bias * scale
    if bias is not None:
        bias = quantize_values(bias, Format(MAX_BITS - format.fraction_bits, format.fraction_bits, True))

    def fit(format: Format) -> bool:
        # The highest number of UQ0.8 is 255/256: an entry of 1 may lose a step, but no more than that.
        return bool(
            table.min() >= format.lowest - format.step
            and table.max() <= format.highest + format.step
            and to_integers(table, format).any()
        )

    if not fit(format):
        raise FormatError(
            f"readout: {format} cannot hold the table ({_ranges(table, format)}); {_mend(table, format, fit)}"
        )
    return replace(readout, table=quantize_values(table, format), format=format, bias=bias)


def _ranges(values: NDArray[np.float32], format: Format) -> str:
    return (
        f"from {values.min():.3g} to {values.max():.3g}; the format has {format.lowest:g} "
        f"to {format.highest:g} in steps of {format.step:g}"
    )


def _mend(values: NDArray[np.float32], format: Format, fits: Callable[[Format], bool]) -> str:
    """Return the advice to use the narrowest format, from as many bits as asked for, that fits."""
    lowest, highest = float(values.min()), float(values.max())
    if lowest == highest == 0:
        return "all are zero: train the network first"
    signed = lowest < 0
    exponent = frexp(max(-lowest, highest))[1]  # all values are below 2**exponent
    integer_bits = max(exponent, 0) + signed
    for fraction_bits in range(max(format.bits - exponent - signed, 0), MAX_BITS - integer_bits + 1):
        if integer_bits + fraction_bits > 0 and fits(Format(integer_bits, fraction_bits, signed)):
            return f"try {Format(integer_bits, fraction_bits, signed)}"
    return f"no format of {MAX_BITS} bits can: train the network again"
