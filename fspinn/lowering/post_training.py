"""Quantization after training: the same network with numbers that fit a format."""

from collections.abc import Callable
from dataclasses import replace
from math import frexp
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fspinn.base.checks import checked_seed
from fspinn.base.errors import FormatError
from fspinn.base.randomness import ROUNDING, stream_key
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.passes import unmeasured
from fspinn.model.model import BIASED_READOUT, LABEL_READOUT, AnyModel, Model, Readout, model_of
from fspinn.model.rounded_readout import fit_rounded
from fspinn.model.tensors import LayerTensors, Tensor
from fspinn.network.inhibition import NoInhibition
from fspinn.network.layers import Layer
from fspinn.quant.formats import (
    MAX_BITS,
    Format,
    as_format,
    check_rounding,
    narrowest,
    quantize_values,
    saturates,
    to_integers,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FITTED_BELOW = 8
"""Bits from which on rounding a readout costs nothing."""

WIDEST, FACTORS, REFINEMENTS = 32.0, 41, 20
"""So many factors of weights are looked at, from that with which none saturates to so many times it, as many
around the best, and then so often the one that suits the integers found (fspinn)."""

MOST = 0.5
"""Share of the weights other than zero that may saturate before a format is refused."""


def quantize(
    model: AnyModel,
    weights: str | Format,
    rounding: str = "nearest",
    readout: str | Format | None = None,
    state: str | Format | None = None,
    theta: str | Format | None = None,
    seed: int = 0,
) -> Model:
    """Return a model in fixed point, its readout rounded: what `fspinn.quantize` does without data."""
    check_together(state, theta)
    model, _ = quantize_weights(model_of(model), weights, rounding, seed)
    model, _ = quantize_readout(model, readout)
    if state is not None:
        model, _ = quantize_state(model, state, theta)
    return model


def check_together(state: str | Format | None, theta: str | Format | None) -> None:
    """Raise FormatError if there is a format of theta but none of the state."""
    if state is None and theta is not None:
        raise FormatError("theta: goes with the state; give a format of both, or of none")


def quantize_weights(
    model: Model, weights: str | Format, rounding: str = "nearest", seed: int = 0
) -> tuple[Model, str]:
    """Give the weights a format; a pass, with the parameters of `quantize`."""
    format, key = as_format(weights), stream_key(checked_seed(seed), ROUNDING)
    check_rounding(rounding)
    for layer in model.layers:
        if layer.weights.format is not None:
            raise FormatError(
                f"weights: already quantized to {layer.weights.format}; "
                "quantize the model that training wrote, not a quantized one"
            )
    for number, (described, learned) in enumerate(zip(model.network.layers, model.layers, strict=True), 1):
        _check_sign(described, learned.weights.values, format, number)
    model = _scaled(model, format)
    before, layers = [layer.weights.values for layer in model.layers], []
    for values, layer in zip(before, model.layers, strict=True):
        _check_weights(values, format, rounding, key)
        layers.append(replace(layer, weights=Tensor.rounded(values, format, rounding, key=key)))
    every = np.concatenate([values.reshape(-1) for values in before])
    numbers = np.concatenate([layer.weights.numbers.reshape(-1) for layer in layers])
    saturated = float(saturates(every, format, rounding, key=key).mean())
    zeroed = float(((numbers == 0) & (every != 0)).mean())
    record = noted(
        model, weights=str(format), rounding=rounding, saturated_share=saturated, zeroed_share=zeroed
    )
    return replace(model, layers=tuple(layers), record=record), (
        f"float32 -> {format}, rounding {rounding}; {saturated:.1%} saturated, {zeroed:.1%} became zero"
    )


def _check_sign(layer: Layer, weights: NDArray[np.float32], format: Format, number: int) -> None:
    """Raise FormatError if weights below 0 of a layer without inhibition would become 0."""
    lowest = float(weights.min(initial=0.0))
    if isinstance(layer.inhibition, NoInhibition) and lowest < 0 and not format.signed:
        signed = Format(format.integer_bits + 1, max(format.fraction_bits - 1, 0), signed=True)
        raise FormatError(
            f"weights: {format} has no numbers below 0, and weights of layer {number} (inhibition none) are "
            f"as low as {lowest:.3g}; use a signed format such as {signed}"
        )


def _scaled(model: Model, format: Format) -> Model:
    """Return a model whose layers make use of a format.

    The largest weight of a layer with a field becomes the highest of the format; weights of a layer without
    inhibition are scaled so that the sum of the squares of what rounding changes is the least. Weight norms,
    and with these thresholds and potentials, grow alike: not one answer changes.
    """
    layers, tensors = list(model.network.layers), list(model.layers)
    for number, (layer, learned) in enumerate(zip(model.network.layers, model.layers, strict=True)):
        weights, scale = learned.weights.values, 1.0
        largest = float(weights.max(initial=0.0))
        if isinstance(layer.inhibition, NoInhibition):
            scale = closest_scale(weights, format)
        elif layer.field is not None and largest > 0:
            scale = format.highest / largest
        if scale == 1:
            continue
        neuron = replace(layer.neuron, weight_norm=(layer.neuron.weight_norm or 0.0) * scale)
        layers[number] = replace(layer, neuron=neuron)
        scaled = (learned.weights.values * np.float32(scale), learned.theta.values * np.float32(scale))
        tensors[number] = LayerTensors.of_floats(*scaled)
    return replace(model, network=replace(model.network, layers=tuple(layers)), layers=tuple(tensors))


def closest_scale(weights: NDArray[np.float32], format: Format) -> float:
    """Return the factor with which weights are closest to what a format makes of them.

    Closest is the least sum of squares of ``weights - rounded(weights * factor) / factor``. In few bits that
    is a factor with which the largest weights saturate. Weights that the format has get 1.

    Parameters
    ----------
    weights : ndarray of float32, any shape
    format : Format
    """
    values = weights.astype(np.float64).reshape(-1)

    def tried(factor: float) -> tuple[float, float, float]:
        """Return the error of a factor, itself, and the factor that is best for the same integers."""
        rounded = to_integers(values * factor, format) * format.step
        error = float(np.square(values - rounded / factor).sum())
        product = float(rounded @ values)
        return error, factor, float(rounded @ rounded) / product if product > 0 else factor

    best = tried(1.0)
    lowest, highest = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    filling = [
        end / value for end, value in ((format.lowest, lowest), (format.highest, highest)) if value * end > 0
    ]
    if best[0] == 0 or not filling:
        return 1.0
    apart = WIDEST ** (1 / (FACTORS - 1))
    for factor in min(filling) * np.geomspace(1.0, WIDEST, FACTORS):
        best = min(best, tried(float(factor)), key=itemgetter(0))
    for factor in best[1] * np.geomspace(1 / apart, apart, FACTORS):
        best = min(best, tried(float(factor)), key=itemgetter(0))
    for _ in range(REFINEMENTS):
        found = tried(best[2])
        if found[0] >= best[0]:
            break
        best = found
    return best[1]


def quantize_readout(model: Model, readout: str | Format | None = None) -> tuple[Model, str]:
    """Give the readout a format; a pass, with the parameters of `quantize`."""
    quantized = _quantize_readout(model.readout, readout)
    name = None if quantized.format is None else str(quantized.format)
    change = f"{quantized.name}: one label per neuron, as before"
    if name is not None:
        change = f"{quantized.name}: float32 -> {name}"
    return replace(model, readout=quantized, record=noted(model, readout=name)), change


def fits_rounded(readout: Readout, asked: str | Format | None) -> bool:
    """Return whether a readout is fitted again with its rounding to a format: `linear` below 8 bits."""
    return readout.name == BIASED_READOUT and asked is not None and as_format(asked).bits < FITTED_BELOW


def fit_readout(
    model: Model,
    readout: str | Format | None,
    spike_counts: "NDArray[np.int32] | csr_array",
    labels: NDArray[np.int64],
    seed: int = 0,
) -> tuple[Model, str]:
    """Give the readout a format, ``linear`` fitted with its rounding in the loop; a pass.

    Parameters
    ----------
    model : Model
        With the weights and the state that it answers with.
    readout : str, Format or None
        As for `quantize`; 2 to 8 bits.
    spike_counts, labels, seed
        Responses of this model to the training samples; see `fspinn.model.rounded_readout.fit_rounded`.
    """
    after, change = quantize_readout(model, readout)
    if model.readout.name != BIASED_READOUT:
        return after, change
    weight = model.record.get("class_weight")
    fitted = fit_rounded(model.readout, after.readout, spike_counts, labels, class_weight=weight, seed=seed)
    record = noted(after, readout_fitted=True)
    return replace(after, readout=fitted, record=record), f"{change}, fitted with its rounding"


def quantize_state(model: Model, state: str | Format, theta: str | Format | None = None) -> tuple[Model, str]:
    """Give potentials, thresholds and inhibition a format; a pass, with the parameters of `quantize`."""
    state, layers, names = as_format(state), [], []
    for layer in model.layers:
        if layer.weights.format is None:
            raise FormatError("state: the weights are not quantized yet; give them a format first")
        if layer.state is not None:
            raise FormatError(
                f"state: already quantized to {layer.state}; "
                "quantize the model that training wrote, not a quantized one"
            )
        values = layer.theta.values
        format = narrowest(values, state.fraction_bits) if theta is None else as_format(theta)
        if saturates(values, format).any():
            raise FormatError(
                f"theta: {format} cannot hold the range ({_ranges(values, format)}); "
                f"try {narrowest(values, format.fraction_bits)}"
            )
        layers.append(replace(layer, theta=Tensor.rounded(values, format), state=state))
        names.append(str(format))
    after = replace(model, layers=tuple(layers))
    plan_of(after)  # refuses what does not go together
    named = ", ".join(names)
    record = noted(model, state=str(state), theta=named)
    return replace(after, record=record), f"float32 -> {state}, theta {named}: integers only"


def noted(model: Model, **more: object) -> dict[str, object]:
    """Return the record of a model with more about its quantization, and without measured accuracies."""
    record = unmeasured(model)
    before = record.get("quantization")
    return {**record, "quantization": {**(before if isinstance(before, dict) else {}), **more}}


def _check_weights(weights: NDArray[np.float32], format: Format, rounding: str, key: int) -> None:
    def survive(format: Format) -> bool:
        return bool(to_integers(weights, format, rounding, key=key).any())

    def fit(format: Format) -> bool:
        saturated = np.count_nonzero(saturates(weights, format, rounding, key=key))
        return bool(saturated <= MOST * np.count_nonzero(weights))

    # Saturation first: what is negative saturates to zero in an unsigned format.
    if not fit(format):
        raise FormatError(
            f"weights: {format} cannot hold the range, most would saturate ({_ranges(weights, format)}); "
            f"{_advice(weights, format, lambda f: fit(f) and survive(f))}"
        )
    if not survive(format):
        raise FormatError(
            f"weights: no weight survives {format} with rounding {rounding!r} ({_ranges(weights, format)}); "
            f"{_advice(weights, format, lambda f: fit(f) and survive(f))}"
        )


def _quantize_readout(readout: Readout, asked: str | Format | None) -> Readout:
    if asked is None:
        asked = "Q1.7" if readout.name == BIASED_READOUT else "UQ0.8"
    format = as_format(asked)
    if readout.format is not None:
        raise FormatError(
            f"readout: already quantized to {readout.format}; "
            "quantize the model that training wrote, not a quantized one"
        )
    if readout.name == LABEL_READOUT:
        return readout
    table, bias = readout.table, readout.bias
    if bias is not None and format.signed:
        largest = float(np.abs(table).max())
        scale = np.float32(format.highest / largest if largest > 0 else 1.0)
        table, bias = table * scale, bias * scale
    if bias is not None:
        kept = bias > 0 if readout.name != BIASED_READOUT else np.zeros_like(bias, dtype=np.bool_)
        bias_format = replace(readout, format=format).bias_format
        assert bias_format is not None
        if bias.min() < bias_format.lowest - format.step or bias.max() > bias_format.highest + format.step:
            raise FormatError(
                f"readout: a bias in steps of {format} needs more than {bias_format.bits} bits "
                f"({_ranges(bias, bias_format)}); give the readout fewer fraction bits"
            )
        bias = quantize_values(bias, bias_format)
        bias[kept] = np.maximum(bias[kept], format.step)  # what silence means, however coarse the table

    def fit(format: Format) -> bool:
        # The highest number of UQ0.8 is 255/256: an entry of 1 may lose a step, but no more than that.
        return bool(
            table.min() >= format.lowest - format.step
            and table.max() <= format.highest + format.step
            and to_integers(table, format).any()
        )

    if not fit(format):
        raise FormatError(
            f"readout: {format} cannot hold the table ({_ranges(table, format)}); "
            f"{_advice(table, format, fit)}"
        )
    return replace(readout, table=quantize_values(table, format), format=format, bias=bias)


def _ranges(values: NDArray[np.float32], format: Format) -> str:
    return (
        f"from {values.min():.3g} to {values.max():.3g}; the format has {format.lowest:g} "
        f"to {format.highest:g} in steps of {format.step:g}"
    )


def _advice(values: NDArray[np.float32], format: Format, fits: Callable[[Format], bool]) -> str:
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
