"""How do samples become input spikes? The same way for every backend.

With ``intensity`` the pixel, 0 to 255, and p the probability of a spike in a time step.
"""

from typing import Any, ClassVar, TypeAlias

from fspinn.base.errors import ConfigError
from fspinn.base.settings import described, setting

RELATIVE_TO = ("brightest", "white")


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
class NoContrast:
    """Intensities are encoded as they are."""

    kind: ClassVar[str] = "off"
    channels: ClassVar[int] = 1


@described
class OnOff:
    """Each channel becomes two: how much brighter than around it a pixel is (ON), and how much darker (OFF).

        on = min(255, gain * max(0, intensity - mean))        off = min(255, gain * max(0, mean - intensity))

    `mean` is the sum of the intensities of the same channel up to `radius` rows and columns away, as far as
    there are any, divided by their number and rounded down. Channel c becomes channels 2 c and 2 c + 1.
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
    gain: int = setting(
        "What differences are multiplied by.", default=2, name="contrast_gain", at_least=1, at_most=255
    )


Contrast: TypeAlias = NoContrast | OnOff
"""The members of this family; a new one is named here."""

Encoder: TypeAlias = Poisson | Regular | FirstSpike | Unscaled
"""The members of this family; a new one is named here."""
