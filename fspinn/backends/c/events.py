"""Events in C: recordings that test a program, and how a caller hands on what a camera sends."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.c.layers import event_words
from fspinn.base.randomness import NOISE, stream_key, words
from fspinn.datasets.events import Recordings
from fspinn.lowering.plan import Plan
from fspinn.memmodel.size import Size
from fspinn.model.model import Model
from fspinn.network.inputs import Events

Shown: TypeAlias = NDArray[np.uint8] | Recordings
"""Samples that test a program."""

LAST_TIME = 2**32 - 1
"""The latest time of an event, in microseconds."""

_NOISE_EVENTS = 500
_EVENT = np.dtype([("time", "<u4"), ("x", "<u2"), ("y", "<u2"), ("polarity", "u1")])

_LOOP = """
Events can come one by one, as a camera sends them. The answer is that to the whole recording:

    static @name@_state state;
    @name@_start(&state);                           /* a new recording */
    while (next_event(&x, &y, &polarity, &time)) {  /* yours, in the order of their times */
        @name@_event(&state, x, y, polarity, time);
    }
    class_found = @name@_end(&state@beside@);

Polarity is 1 for ON (brighter), and times are microseconds since the start. A time step is @step@ us, and
@steps@ of them are a recording; what comes later is ignored. An event that is the first one of a later step
takes longer: then all positions take the steps before. So the potentials of all of them are kept,
@bytes@ bytes, and whether each input has had an event in this step, @bits@ bytes.
"""


def is_of_events(plan: Plan) -> bool:
    """Return whether a network sees events."""
    return plan.encoding.encoder == Events.kind


def lasts_too_long(plan: Plan) -> bool:
    """Return whether times of a recording are more than 32 bits hold."""
    return plan.steps * plan.encoding.step_us > LAST_TIME


def event_loop(model: Model, plan: Plan, name: str) -> str:
    """Show how events come one by one."""
    layer, text = Size.of(model).layers[0], _LOOP
    for key, value in {
        "name": name,
        "beside": "" if model.features is None else ", features",
        "step": f"{plan.encoding.step_us:,}",
        "steps": str(plan.steps),
        "bytes": f"{layer.columns * layer.n_neurons * -(-layer.state_bits // 8):,}",
        "bits": f"{4 * event_words(plan.layers[0]):,}",
    }.items():
        text = text.replace(f"@{key}@", value)
    return text


def noise_recordings(model: Model, plan: Plan, count: int) -> Recordings:
    """Return recordings of noise, to test a program with."""
    height, width = model.image_shape[:2]
    random = words(stream_key(0, NOISE), count * _NOISE_EVENTS)
    last = plan.steps * plan.encoding.step_us
    times = np.sort((random >> np.uint64(32)).reshape(count, -1) % np.uint64(last + last // 8 + 1), axis=1)
    return Recordings(
        x=(random % np.uint64(width)).astype(np.uint16),
        y=((random >> np.uint64(10)) % np.uint64(height)).astype(np.uint16),
        p=((random >> np.uint64(20)) & np.uint64(1)).astype(np.uint8),
        t_us=times.reshape(-1).astype(np.int64),
        offsets=_NOISE_EVENTS * np.arange(count + 1),
        height=height,
        width=width,
    )


def most_events(samples: Shown) -> int:
    """Return how many events the longest of some recordings has, 1 at least; 0 of images."""
    if not isinstance(samples, Recordings):
        return 0
    return max(1, int(np.diff(samples.offsets).max(initial=0)))


def in_bytes(recordings: Recordings) -> list[bytes]:
    """Return of each recording how many events it has, and these: 9 bytes each, lowest first."""
    events = np.empty(len(recordings.x), _EVENT)
    events["time"] = np.minimum(recordings.t_us, LAST_TIME)
    for name, values in (("x", recordings.x), ("y", recordings.y), ("polarity", recordings.p)):
        events[name] = values
    counts: NDArray[np.int64] = np.diff(recordings.offsets)
    parts = np.split(events, recordings.offsets[1:-1]) if len(recordings) else []
    return [
        np.array([count], "<u4").tobytes() + part.tobytes() for count, part in zip(counts, parts, strict=True)
    ]
