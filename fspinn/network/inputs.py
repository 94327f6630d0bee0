"""How do samples become input spikes? The same way for every backend.

With ``intensity`` the pixel, 0 to 255 (with `pool` the mean of a block of them), and p the probability of a
spike in a time step.
"""

from math import gcd
from typing import Any, ClassVar, TypeAlias

from fspinn.base.errors import ConfigError
from fspinn.base.settings import described, setting

RELATIVE_TO = ("brightest", "white")
CONTRAST_OF = ("channels", "colours")


def block_of(pool: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return height and width of the blocks of pixels whose means are inputs; of a signal they are one row.

    Parameters
    ----------
    pool : int
        As `fspinn.Network` has it.
    shape : tuple of int
        Of a sample: height and width, and perhaps channels.

    Raises
    ------
    ConfigError
        If blocks do not fill the sample.
    """
    height, width = shape[:2]
    rows = pool if height > 1 else 1
    if height % rows == 0 and width % pool == 0:
        return rows, pool
    common = width if height == 1 else gcd(height, width)
    fills = max(size for size in range(1, pool) if common % size == 0)
    raise ConfigError(
        f"pool: blocks of {rows} x {pool} do not fill {height} x {width} pixels; make it {fills}"
    )


def _rate_norm_hz() -> Any:
    return setting(
        "Euclidean norm of the rates of all inputs, the same for every sample.",
        default=570.0,
        unit="Hz",
        source="fspinn; D&C's pixel / 4 Hz has about this norm on MNIST",
        above=0.0,
    )


@described
class Poisson:
    """Random spikes, the more of them the brighter a pixel.

        p_i = rate_norm_hz * dt * intensity_i / sqrt(sum_j intensity_j**2)        at most 1 - 2**-32

    A thin digit so drives the neurons as strongly as a bold one. Which steps have a spike is a pure function
    of (seed, purpose, sample, pixel, step).
    """

    kind: ClassVar[str] = "poisson"
    needs_whole_sample: ClassVar[bool] = True
    rate_norm_hz: float = _rate_norm_hz()


@described
class Regular:
    """The rates of `Poisson` without noise: the spikes of an input are evenly spaced.

    Input i spikes when ``phase_i + (t + 1) * p_i`` passes a whole number; phase_i is the fraction of
    ``i * 0.618...``, so that inputs of one rate do not spike together.
    """

    kind: ClassVar[str] = "regular"
    needs_whole_sample: ClassVar[bool] = True
    rate_norm_hz: float = _rate_norm_hz()


@described
class FirstSpike:
    """Every pixel spikes at most once, the brighter the earlier (time to first spike); black never.

    t = (brightest - intensity) * (steps - 1) // brightest      relative_to = "brightest", that of the sample
    t = steps - 1 - intensity * steps // 256                    relative_to = "white"

    With ``"white"`` nothing has to be known of a sample before its first pixel.
    """

    kind: ClassVar[str] = "ttfs"
    spikes: int | None = setting(
        "How many inputs spike, the brightest; none is all that are not black.",
        default=None,
        name="first_spikes",
        at_least=1,
    )
    relative_to: str = setting(
        "What intensities are compared with.",
        default="brightest",
        name="first_spikes_relative_to",
        choices=RELATIVE_TO,
    )

    def __post_init__(self) -> None:
        if self.spikes is not None and self.relative_to == "white":
            raise ConfigError(
                "first_spikes: which pixels are the brightest is known at the end of a sample; leave it out, "
                'or set first_spikes_relative_to = "brightest"'
            )

    @property
    def needs_whole_sample(self) -> bool:
        """Whether the first spike depends on the last pixel."""
        return self.relative_to == "brightest"


@described
class Unscaled:
    """As `Poisson`, but a pixel's rate depends on nothing but the pixel (Diehl & Cook, BindsNET).

    p_i = max_rate_hz * dt * intensity_i / 255        at most 1 - 2**-32
    """

    kind: ClassVar[str] = "unscaled"
    needs_whole_sample: ClassVar[bool] = False
    max_rate_hz: float = setting(
        "Rate of a pixel of intensity 255.",
        default=63.75,
        unit="Hz",
        source="D&C: a quarter of the intensity",
        above=0.0,
    )


@described
class Events:
    """Events of a camera that sends one when a pixel becomes brighter or darker, binned into time steps.

    Input ``(y * width + x) * 2 + p`` spikes in step ``t // dt`` if it has an event there, once; polarity p is
    1 for ON (brighter), 0 for OFF. Events after ``duration_ms`` are left out.
    """

    kind: ClassVar[str] = "events"
    needs_whole_sample: ClassVar[bool] = False


def _contrast_gain() -> Any:
    return setting(
        "What differences are multiplied by.", default=2, name="contrast_gain", at_least=1, at_most=255
    )


def _delta_step() -> Any:
    return setting("Height of a step.", default=8, name="delta_step", at_least=1, at_most=255)


def _delta_gain() -> Any:
    return setting("Intensity of one step.", default=32, name="delta_gain", at_least=1, at_most=255)


@described
class NoContrast:
    """Intensities are encoded as they are."""

    kind: ClassVar[str] = "off"
    channels: ClassVar[int] = 1
    radius: ClassVar[int] = 0


@described
class OnOff:
    """Each channel becomes two: how much brighter than around it a pixel is (ON), and how much darker (OFF).

        on = min(255, gain * max(0, intensity - mean))        off = min(255, gain * max(0, mean - intensity))

    `mean` is the sum of the intensities of the same channel up to `radius` rows and columns away, as far as
    there are any, divided by their number and rounded down. Channel c becomes channels 2 c and 2 c + 1.

    With ``of = "colours"`` red, green and blue first become brightness, red against green, and blue against
    yellow (fspinn; as colours are opposed behind the eye: Hurvich and Jameson 1957), each rounded down:

        (r + g + b) / 3        128 + (r - g) / 2        128 + (2 b - r - g) / 4
    """

    kind: ClassVar[str] = "on-off"
    channels: ClassVar[int] = 2
    radius: int = setting(
        "How far around a pixel the mean reaches.",
        default=2,
        name="contrast_radius",
        unit="pixels",
        at_least=1,
        at_most=255,
    )
    gain: int = _contrast_gain()
    of: str = setting(
        "What it is taken of: channels as they are, or brightness and oppositions of colours.",
        default="channels",
        name="contrast_of",
        choices=CONTRAST_OF,
    )


@described
class Level:
    """Each channel becomes two: how far a signal is above the middle of its range (ON), and how far below.

    on = min(255, gain * max(0, intensity - 128))        off = min(255, gain * max(0, 128 - intensity))
    """

    kind: ClassVar[str] = "level"
    channels: ClassVar[int] = 2
    radius: ClassVar[int] = 0
    gain: int = _contrast_gain()


@described
class Delta:
    """Each channel becomes two: steps that a signal goes up (ON), and steps down (level crossing).

    Along a row, `level` starts at the first intensity and follows in whole steps, k of them rounded to 0:

        k = (intensity - level) / step        level += k * step
        on = min(255, gain * max(0, k))       off = min(255, gain * max(0, -k))
    """

    kind: ClassVar[str] = "delta"
    channels: ClassVar[int] = 2
    radius: ClassVar[int] = 0
    step: int = _delta_step()
    step_gain: int = _delta_gain()


@described
class LevelDelta:
    """`Level` and `Delta` side by side: channel c becomes 4 c and 4 c + 1 by level, the next two by steps."""

    kind: ClassVar[str] = "level-delta"
    channels: ClassVar[int] = 4
    radius: ClassVar[int] = 0
    gain: int = _contrast_gain()
    step: int = _delta_step()
    step_gain: int = _delta_gain()


Contrast: TypeAlias = NoContrast | OnOff | Level | Delta | LevelDelta
"""The members of this family; a new one is named here."""

Encoder: TypeAlias = Poisson | Regular | FirstSpike | Unscaled | Events
"""The members of this family; a new one is named here."""
