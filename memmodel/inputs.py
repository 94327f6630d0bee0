"""What does a device see of a sample, and what does it keep of it until it is encoded?

Rows of an image, or values of a signal, arrive one after the other. Which of them wait where,
`fspinn.memmodel.footprint` says.
"""

from math import prod
from typing import TypedDict

from fspinn.memmodel.packing import count_bits
from fspinn.network.description import Network
from fspinn.network.inhibition import First
from fspinn.network.inputs import (
    Delta,
    Events,
    FirstSpike,
    LevelDelta,
    NoContrast,
    OnOff,
    Unscaled,
    block_of,
)

INTENSITY_BITS = 8
"""Bits of a pixel that is not encoded yet."""

_SUM_BYTES = 2
"""Bytes of the sum of up to 255 values of a signal in the exported C program."""


class OfTheInput(TypedDict):
    """What `fspinn.memmodel.size.Size` says of the input."""

    waiting_inputs: int
    input_bits: int
    contrast_inputs: int
    sample_inputs: int
    kept_bytes: int
    kept_rows: int
    kept_times: int
    kept_lines: int
    pooled: int
    block_sums: int
    white_spikes: float
    passes: int
    contrast_pixels: int


OF_THE_INPUT = tuple(OfTheInput.__annotations__)
"""Names of its fields."""


def of_the_input(network: Network, image_shape: tuple[int, ...]) -> OfTheInput:
    """Return what a device sees of a sample whose rows, or values of a signal, arrive one after the other.

    A layer at one position gets its input as spikes, all of them in each time step; their bits are counted
    as `spikes`, and what encodes them is not in the model.
    """
    contrast, field, signal = network.contrast, network.layers[0].field, image_shape[0] == 1
    height, width, channels = network.input_shape(image_shape)
    pooled = prod(block_of(network.pool, image_shape))
    result = OfTheInput(
        waiting_inputs=0,
        input_bits=0,
        contrast_inputs=0,
        sample_inputs=0,
        kept_bytes=_kept_bytes(network, image_shape, pooled),
        kept_rows=kept_rows(network, image_shape) * prod(image_shape[1:]),
        kept_times=0,
        kept_lines=0,
        pooled=pooled,
        block_sums=0,
        white_spikes=_white_spikes(network),
        passes=_passes(network, height * width * channels),
        contrast_pixels=_mean_of(network, image_shape),
    )
    if is_column(network) and field is not None:
        result["kept_lines"] = field[1] if signal else field[0]
        result["kept_times"] = channels * result["kept_lines"] * (1 if signal else width)
    if field is None or network.layers[0].positions(height, width) == (1, 1):
        return result
    encoder, values = network.encoder, channels // contrast.channels
    coded = isinstance(encoder, FirstSpike) and not encoder.needs_whole_sample
    # A signal is a column of single values: its time runs along the width.
    arriving, across, reach = (width, 1, field[1]) if signal else (height, width, field[0])
    kept = arriving if encoder.needs_whole_sample else reach
    around = min(2 * contrast.radius + 1, arriving) if isinstance(contrast, OnOff) else 0
    levels = isinstance(contrast, Delta | LevelDelta)
    result["waiting_inputs"] = kept * across * channels - network.layers[0].fan_in(height, width, channels)
    result["input_bits"] = count_bits(network.steps) if coded else INTENSITY_BITS
    result["contrast_inputs"] = (around * across + levels) * values
    result["sample_inputs"] = height * width * channels
    result["block_sums"] = across * values if pooled > 1 else 0
    return result


def _kept_bytes(network: Network, image_shape: tuple[int, ...], pooled: int) -> int:
    """Return the bytes of values of a signal that the exported C program keeps."""
    if is_column(network):
        return 0
    values = network.input_shape(image_shape)[2] // network.contrast.channels
    # The values, and the levels that steps are counted from.
    lines = 2 if isinstance(network.contrast, LevelDelta) else 1
    in_parts = network.layers[0].field is not None and not network.encoder.needs_whole_sample
    sums = _SUM_BYTES if pooled > 1 and image_shape[0] == 1 and in_parts else 0
    return (kept_values(network, image_shape) * lines + sums) * values


def _white_spikes(network: Network) -> float:
    """Return the spikes of a sample with one white pixel, where intensities become rates."""
    encoder = network.encoder
    if isinstance(encoder, FirstSpike | Events):
        return 1.0
    rate_hz = encoder.max_rate_hz if isinstance(encoder, Unscaled) else encoder.rate_norm_hz
    return rate_hz * network.duration_ms / 1000


def _passes(network: Network, inputs: int) -> int:
    """Return how often the exported C program looks at all intensities before the first time step.

    Once for the norm of rates or the brightest; and to find which are the brightest ones, bit by bit, eight
    times, and once more for those that are equally bright.
    """
    encoder = network.encoder
    if not encoder.needs_whole_sample:
        return 0
    few = isinstance(encoder, FirstSpike) and encoder.spikes is not None and encoder.spikes < inputs
    return 1 + few * (INTENSITY_BITS + 1)


def _mean_of(network: Network, image_shape: tuple[int, ...]) -> int:
    """Return the values around one whose mean `OnOff` compares it with, and 0 without it."""
    if not isinstance(network.contrast, OnOff):
        return 0
    height, width, _ = network.input_shape(image_shape)
    around = 2 * network.contrast.radius + 1
    colours = 3 if network.contrast.of == "colours" else 1
    return colours * min(around, height) * min(around, width)


def is_column(network: Network) -> bool:
    """Whether the exported C program computes the first layer line by line, as a column without leak.

    Its inputs spike once, at a time that needs no other pixel, and the first output spike ends a position.
    """
    layer, encoder = network.layers[0], network.encoder
    return (
        layer.field is not None
        and layer.inhibition.kind == First.kind
        and layer.neuron.tau_m_ms is None
        and isinstance(encoder, FirstSpike)
        and not encoder.needs_whole_sample
        and isinstance(network.contrast, NoContrast)
    )


def kept_values(network: Network, image_shape: tuple[int, ...]) -> int:
    """Return how many values of a signal, each of all channels, the exported C program keeps at a time.

    For a field along time: those of the field, as many as a contrast looks back and ahead, and to count steps
    the one before. Without such a field steps are counted between two.
    """
    _, width, _ = network.input_shape(image_shape)
    field, contrast = network.layers[0].field, network.contrast
    levels = isinstance(contrast, Delta | LevelDelta)
    if isinstance(network.encoder, Events):
        return 0
    if image_shape[0] > 1 or field is None:
        return 2 * levels
    return min(field[1] + 2 * contrast.radius + levels, width)


def kept_rows(network: Network, image_shape: tuple[int, ...]) -> int:
    """Return how many rows of an image the exported C program keeps, where they can come one by one.

    Those of the field, and as many as a contrast looks up and down, each of as many as a block has; 0 of a
    column (`is_column`), which keeps times, and where the encoder or the field needs the whole image.
    """
    field, encoder = network.layers[0].field, network.encoder
    if field is None or image_shape[0] == 1 or is_column(network):
        return 0
    if encoder.needs_whole_sample or isinstance(encoder, Events):
        return 0
    rows, _ = block_of(network.pool, image_shape)
    kept: int = rows * (field[0] + 2 * network.contrast.radius)
    return kept if kept < image_shape[0] else 0
