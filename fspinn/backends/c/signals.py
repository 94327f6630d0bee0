"""Signals in C: can values come one by one, and how do those that were recorded become bytes?"""

from fspinn.backends.c.numbers import array, defines
from fspinn.datasets.scale import Scale
from fspinn.lowering.plan import Plan
from fspinn.memmodel.size import Size, kept_values
from fspinn.model.model import Model

_INT32 = 2**31

_LOOP = """
Values of the signal can come one by one, as a sensor gives them: the program keeps the last @kept@ of them,
in @bytes@ bytes of RAM. The answer is that to the whole sample:

    uint8_t value[NETWORK_SAMPLE_CHANNELS];
    network_start(0, 0);                            /* a new sample of NETWORK_SAMPLE_WIDTH values */
    do {
        uint32_t c;
        for (c = 0; c < NETWORK_SAMPLE_CHANNELS; c++) {
            value[c] = @read@;
        }
    } while (network_push(value) > 0);              /* until none is still to come */
    class_found = network_class(@features@);
"""


def whole_because(model: Model, plan: Plan) -> str | None:
    """Return in one line why a sample has to be there as a whole, or None if its values can be pushed."""
    encoding, layer = plan.encoding, plan.layers[0]
    if model.image_shape[0] > 1:
        return "only a signal has values that come one by one, an image has several rows"
    if layer.geometry is None:
        return "the neurons see all of it at once; give them a field along time, such as --field 1x9"
    if encoding.needs_whole_sample:
        return (
            f"the encoder {encoding.encoder!r} needs all of it before the first spike; use 'ttfs' with "
            "first_spikes_relative_to=white, or 'unscaled'"
        )
    return None


def sensor_loop(model: Model, plan: Plan) -> str:
    """Show how values of a signal come one by one, or say why they cannot; nothing for images."""
    if model.image_shape[0] > 1:
        return ""
    if (reason := whole_because(model, plan)) is not None:
        return f"\nValues of the signal cannot come one by one, the whole sample has to be there: {reason}.\n"
    read = "sensor(c)"
    if model.scale is not None:
        read = f"{'network_scaled' if is_whole(model.scale) else 'scaled_by_you'}({read}, c)"
    kept, kept_bytes = kept_values(model.network, model.image_shape), Size.of(model).kept_bytes
    with_features = "" if model.features is None else "features"
    pool = plan.encoding.pool
    last = str(kept) if pool == 1 else f"{kept} means of {pool}"
    found = {"kept": last, "bytes": str(kept_bytes), "read": read, "features": with_features}
    loop = _LOOP
    for name, text in found.items():
        loop = loop.replace(f"@{name}@", text)
    return loop


def how_scaled(model: Model) -> str:
    """Say how channels lie, and how the values of a signal become bytes."""
    channels = " The channels of a pixel lie side by side." if len(model.image_shape) > 2 else ""
    if model.scale is None:
        return channels
    ends = zip(model.scale.low, model.scale.high, strict=True)
    ranges = "; ".join(f"from {_exact(low)} to {_exact(high)}" for low, high in ends)
    done = (
        "`network_scaled` does so with integers."
        if is_whole(model.scale)
        else "The program does not do so: these are not whole numbers of 32 bits."
    )
    return (
        f"{channels} A value of the signal becomes the byte 255 * (value - low) / (high - low), rounded to "
        f"nearest, at least 0 and at most 255; low to high are, by channel: {ranges}. {done}"
    )


def scale_lines(model: Model) -> tuple[list[str], list[str]]:
    """Return the lines that say whether the program scales values and features, and what it scales by."""
    scales = {
        "SCALED": model.scale,
        "FEATURES_SCALED": None if model.features is None else model.features.scale,
    }
    lines: dict[str, int] = {}
    data: list[str] = []
    widest = 0
    for name, scale in scales.items():
        lines[name] = int(scale is not None and is_whole(scale))
        if scale is None or not lines[name]:
            continue
        spans = [int(high) - int(low) for low, high in zip(scale.low, scale.high, strict=True)]
        widest = max(widest, *spans)
        of = "feature_" if name == "FEATURES_SCALED" else ""
        data += [
            array("int32_t", f"{of}lows", [int(low) for low in scale.low]),
            array("uint32_t", f"{of}spans", spans),
        ]
    if data:
        data.insert(0, f"typedef {'uint32_t' if 255 * widest < 2**32 else 'uint64_t'} network_scale;")
    return defines(lines), data


def _exact(number: float) -> str:
    return str(number).removesuffix(".0")


def is_whole(scale: Scale) -> bool:
    """Whether a scale needs no floating point: its ends are whole numbers of 32 bits."""
    return all(end.is_integer() and -_INT32 <= end < _INT32 for end in (*scale.low, *scale.high))
