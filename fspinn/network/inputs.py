"""How do samples become input spikes? The same way for every backend.

With ``intensity`` the pixel, 0 to 255, and p the probability of a spike in a time step.
"""

from typing import Any, ClassVar, TypeAlias

from fspinn.base.settings import described, setting


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
    rate_norm_hz: float = _rate_norm_hz()


@described
class Regular:
    """The rates of `Poisson` without noise: the spikes of an input are evenly spaced.

    Input i spikes when ``phase_i + (t + 1) * p_i`` passes a whole number; phase_i is the fraction of
    ``i * 0.618...``, so that inputs of one rate do not spike together.
    """

    kind: ClassVar[str] = "regular"
    rate_norm_hz: float = _rate_norm_hz()


@described
class FirstSpike:
    """Every pixel spikes at most once, the brighter the earlier (time to first spike); black never.

    t = (brightest - intensity) * (steps - 1) // brightest
    """

    kind: ClassVar[str] = "ttfs"
    spikes: int | None = setting(
        "How many inputs spike, the brightest; none is all that are not black.",
        default=None,
        name="first_spikes",
        at_least=1,
    )


@described
class Unscaled:
    """As `Poisson`, but a pixel's rate depends on nothing but the pixel (Diehl & Cook, BindsNET).

    p_i = max_rate_hz * dt * intensity_i / 255        at most 1 - 2**-32
    """

    kind: ClassVar[str] = "unscaled"
    max_rate_hz: float = setting(
        "Rate of a pixel of intensity 255.",
        default=63.75,
        unit="Hz",
        source="D&C: a quarter of the intensity",
        above=0.0,
    )


Encoder: TypeAlias = Poisson | Regular | FirstSpike | Unscaled
"""The members of this family; a new one is named here."""
