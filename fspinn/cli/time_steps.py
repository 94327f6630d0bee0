"""In which time steps are recordings of events seen, where nobody says?"""

from typing import TYPE_CHECKING, Any

from fspinn.base.streams import say
from fspinn.network.inputs import Events

if TYPE_CHECKING:
    from fspinn.datasets import Recordings

STEPS = 30
"""Time steps of the longest recording (fspinn; about 10 ms on N-MNIST)."""

FIELD = (5, 5)
"""Field of the columns that a search looks at, where none is given (fspinn)."""


def settings_for(recordings: "Recordings") -> dict[str, Any]:
    """Return the settings with which a network sees whole recordings, and say what they are."""
    step_us = recordings.step_us_for(STEPS)
    step_ms, duration_ms = step_us / 1000, step_us * STEPS / 1000
    last_ms = int(recordings.t_us.max(initial=0)) / 1000
    say(
        f"fspinn: dt_ms = {step_ms:g}, duration_ms = {duration_ms:g}: {STEPS} time steps for recordings of "
        f"up to {last_ms:g} ms; --set changes them"
    )
    return {"encoder": Events.kind, "dt_ms": step_ms, "duration_ms": duration_ms}
