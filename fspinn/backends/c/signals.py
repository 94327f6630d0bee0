"""Signals in C: can values come one by one, and how do those that were recorded become bytes?"""

from typing import Protocol

from fspinn.backends.c.events import event_loop, is_of_events
from fspinn.backends.c.numbers import array
from fspinn.datasets.scale import Scale
from fspinn.lowering.plan import Plan
from fspinn.memmodel.inputs import is_column, kept_rows, kept_values
from fspinn.memmodel.size import Size
from fspinn.model.features import Features
from fspinn.model.model import Model

_INT32 = 2**31

_LOOP = """
Values of the signal can come one by one, as a sensor gives them: the program keeps the last @kept@ of them,
in @bytes@ bytes of RAM. The answer is that to the whole sample:

    static @name@_state state;
    uint8_t value[@NAME@_SAMPLE_CHANNELS];
    @name@_start(&state, 0);                        /* a new sample of @NAME@_SAMPLE_WIDTH values */
    do {
        uint8_t c;
        for (c = 0; c < @NAME@_SAMPLE_CHANNELS; c++) {
            value[c] = @read@;
        }
    } while (@name@_push(&state, value) > 0);        /* until none is still to come */
    class_found = @name@_class(@features@);
"""

_ROWS = """
Rows of the image can come one by one: the program keeps the spikes of the last @kept@ of them. The
answer is that to the whole image:

    static @name@_state state;
    uint8_t row[@NAME@_SAMPLE_WIDTH * @NAME@_SAMPLE_CHANNELS];
    @name@_start(&state, 0);                        /* a new image of @NAME@_SAMPLE_HEIGHT rows */
    do {
        read_row(row);                              /* yours */
    } while (@name@_row(&state, row) > 0);          /* until none is still to come */
    class_found = @name@_class(@features@);
"""


class HasScale(Protocol):
    """What knows how values of samples and features become bytes: a model, or a classifier."""

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Height and width, and channels if there are several."""

    @property
    def scale(self) -> Scale | None:
        """That of signals."""

    @property
    def features(self) -> Features | None:
        """With that of features."""


def whole_because(model: Model, plan: Plan) -> str | None:
    """Return in one line why a sample has to be there as a whole, or None if its values can be pushed."""
    encoding, layer = plan.encoding, plan.layers[0]
    if is_of_events(plan):
        return "events come one by one"
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


def sensor_loop(model: Model, plan: Plan, name: str) -> str:
    """Show how values of a signal, or rows of an image, come one by one, or say why they cannot."""
    if is_of_events(plan):
        return event_loop(model, plan, name)
    with_features = "&state" if model.features is None else "&state, features"
    if model.image_shape[0] > 1:
        return _rows(model, plan, name, with_features)
    if (reason := whole_because(model, plan)) is not None:
        return f"\nValues of the signal cannot come one by one, the whole sample has to be there: {reason}.\n"
    read = "sensor(c)"
    if model.scale is not None:
        read = f"{f'{name}_scaled' if is_whole(model.scale) else 'scaled_by_you'}({read}, c)"
    kept, size = kept_values(model.network, model.image_shape), Size.of(model)
    pool = plan.encoding.pool
    last = str(kept) if pool == 1 else f"{kept} means of {pool}"
    found = {
        "kept": last,
        "bytes": str(size.kept_bytes + size.kept_times),
        "read": read,
        "features": with_features,
        "name": name,
        "NAME": name.upper(),
    }
    loop = _LOOP
    for name, text in found.items():
        loop = loop.replace(f"@{name}@", text)
    return loop


def _rows(model: Model, plan: Plan, name: str, with_features: str) -> str:
    """Show how rows of an image come one by one, or say why they cannot."""
    column, rows = is_column(model.network), kept_rows(model.network, model.image_shape)
    if not column and not rows:
        return (
            "\nAn image cannot come row by row, all of it has to be there: the neurons see all rows of it, "
            f"or the encoder {plan.encoding.encoder!r} needs all of it before the first spike. It can where "
            "a field has few rows, with 'ttfs' and first_spikes_relative_to=white, or 'unscaled'.\n"
        )
    geometry = plan.layers[0].geometry
    assert geometry is not None
    loop = _ROWS if column else _ROWS.replace("the spikes of the last", "the last")
    for key, text in {
        "kept": str(geometry.field[0] if column else rows),
        "name": name,
        "NAME": name.upper(),
        "features": with_features,
    }.items():
        loop = loop.replace(f"@{key}@", text)
    return loop


def how_scaled(model: HasScale, name: str) -> str:
    """Say how channels lie, and how the values of a signal become bytes."""
    channels = " The channels of a pixel lie side by side." if len(model.image_shape) > 2 else ""
    if model.scale is None:
        return channels
    ends = zip(model.scale.low, model.scale.high, strict=True)
    ranges = "; ".join(f"from {_exact(low)} to {_exact(high)}" for low, high in ends)
    done = (
        f"`{name}_scaled` does so with integers."
        if is_whole(model.scale)
        else "The program does not do so: these are not whole numbers of 32 bits."
    )
    return (
        f"{channels} A value of the signal becomes the byte 255 * (value - low) / (high - low), rounded to "
        f"nearest, at least 0 and at most 255; low to high are, by channel: {ranges}. {done}"
    )


def scale_lines(model: HasScale) -> list[str]:
    """Return the lines that hold what the program scales values and features by."""
    scales = {
        "SCALED": model.scale,
        "FEATURES_SCALED": None if model.features is None else model.features.scale,
    }
    data: list[str] = []
    widest = 0
    for name, scale in scales.items():
        if scale is None or not is_whole(scale):
            continue
        spans = [int(high) - int(low) for low, high in zip(scale.low, scale.high, strict=True)]
        widest = max(widest, *spans)
        of = "feature_" if name == "FEATURES_SCALED" else ""
        data += [
            array("int32_t", f"{of}lows", [int(low) for low in scale.low]),
            array("uint32_t", f"{of}spans", spans),
        ]
    if data:
        data.insert(0, f"#define FSPINN_SCALE {'uint32_t' if 255 * widest < 2**32 else 'uint64_t'}")
    return data


def _exact(number: float) -> str:
    return str(number).removesuffix(".0")


def is_whole(scale: Scale) -> bool:
    """Whether a scale needs no floating point: its ends are whole numbers of 32 bits."""
    return all(end.is_integer() and -_INT32 <= end < _INT32 for end in (*scale.low, *scale.high))
