"""All costs of a network on a piece of hardware, in one record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fspinn.errors import ConfigError
from fspinn.memmodel.energy import energy_pj
from fspinn.memmodel.footprint import ACCOUNTINGS, Size, footprint
from fspinn.memmodel.hardware import Hardware, load_hardware
from fspinn.memmodel.latency import latency_cycles
from fspinn.trained import Activity, Model

PHASES = ("inference", "training")

Breakdown = Mapping[str, int]
Breakdowns = Mapping[str, Mapping[str, Breakdown]]


@dataclass(frozen=True)
class Estimate:
    """What a network costs: breakdowns by phase, then accounting, then component.

    In each breakdown the components add up to ``"total"`` exactly, as in
    ``estimate.memory["inference"]["structure-aware"]["total"]``. Energy and latency are those of one
    presentation.

    Parameters
    ----------
    hardware : str
        Name of the hardware.
    memory : mapping
        Bits.
    energy : mapping
        Picojoules.
    latency : mapping
        Clock cycles.
    f_mhz : float
        The clock.
    energy_band : tuple of float
        Multiples of an energy within which the true one is expected.
    """

    hardware: str
    memory: Breakdowns
    energy: Breakdowns
    latency: Breakdowns
    f_mhz: float
    energy_band: tuple[float, float]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, with the units in the keys."""
        low, high = self.energy_band
        return {
            "hardware": self.hardware,
            "memory_bits": self.memory,
            "energy_pj": self.energy,
            "latency_cycles": self.latency,
            "energy_band_pj": _each(lambda p, a: _band(self.energy[p][a]["total"], low, high)),
            "latency_s": _each(lambda p, a: self.latency[p][a]["total"] / self.f_mhz / 1e6),
        }


def estimate(
    network: Model | Size,
    hardware: str | Path | Hardware = "asic65-lp",
    activity: Mapping[str, Activity] | None = None,
) -> Estimate:
    """Return what a network costs on a piece of hardware.

    Parameters
    ----------
    network : Model or Size
    hardware : str, Path or Hardware, default "asic65-lp"
        Name of a preset, path of a TOML file, or a description already loaded.
    activity : mapping of str to Activity, optional
        Counted activity of ``"inference"`` and ``"training"``; None takes that of the model.

    Returns
    -------
    Estimate

    Raises
    ------
    ConfigError
        If there is no counted activity.
    HardwareError
        If there is no such hardware.
    """
    described = hardware if isinstance(hardware, Hardware) else load_hardware(hardware)
    size = network if isinstance(network, Size) else Size.of(network)
    if activity is None:
        activity = {} if isinstance(network, Size) else network.activity
    counted = {phase: _counted(activity, phase) for phase in PHASES}
    return Estimate(
        hardware=described.meta.name,
        memory=_each(lambda p, a: _with_total(footprint(size, p == "training", a))),
        energy=_each(lambda p, a: _with_total(energy_pj(size, counted[p], described, p == "training", a))),
        latency=_each(
            lambda p, a: _with_total(latency_cycles(size, counted[p], described, p == "training", a))
        ),
        f_mhz=described.clock.f_mhz,
        energy_band=(described.band.low, described.band.high),
    )


def _counted(activity: Mapping[str, Activity], phase: str) -> Activity:
    counts = activity.get(phase)
    if counts is None or counts.samples == 0:
        raise ConfigError(
            f"activity: nothing was counted for {phase!r}; estimate a model that fspinn has trained"
        )
    return counts


def _each(value: Callable[[str, str], Any]) -> dict[str, dict[str, Any]]:
    return {phase: {accounting: value(phase, accounting) for accounting in ACCOUNTINGS} for phase in PHASES}


def _with_total(components: dict[str, int]) -> dict[str, int]:
    return {**components, "total": sum(components.values())}


def _band(total: int, low: float, high: float) -> dict[str, int]:
    return {"low": round(total * low), "high": round(total * high)}
