"""All costs of a network on a piece of hardware, in one record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from fspinn.memmodel.area import Needed, area_um2, capacity
from fspinn.memmodel.case import Case
from fspinn.memmodel.energy import energy_pj
from fspinn.memmodel.hardware import Band, Hardware
from fspinn.memmodel.hardware_files import load_hardware
from fspinn.memmodel.packing import Numbers, plain, whole
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import PHASES, Workload, Workloads, workloads_of
from fspinn.model.activity import Activity
from fspinn.model.model import AnyModel, model_of

Breakdown = Mapping[str, Any]
Breakdowns = Mapping[str, Breakdown]


@dataclass(frozen=True)
class Estimate:
    """What a network costs: breakdowns by phase, then component.

    In each breakdown the components add up to ``"total"`` exactly, as in
    ``estimate.memory["inference"]["total"]``. All but the memory are those of one image.
    For a `Size` of arrays the numbers are arrays.

    Parameters
    ----------
    hardware : Hardware
    work : mapping of str to tuple of Workload
        What each layer does, by phase.
    memory, stored, physical : mapping
        Bits: logical, packed into words, and of the memories themselves.
    energy : mapping
        Picojoules.
    latency : mapping
        Clock cycles; nothing but a total of 0 where the hardware says nothing of time.
    area : mapping or None
        Square micrometres; None where the hardware says nothing of area.
    capacity : mapping
        What is needed and available of everything that is limited.
    """

    hardware: Hardware
    work: Workloads
    memory: Breakdowns
    stored: Breakdowns
    physical: Breakdowns
    energy: Breakdowns
    latency: Breakdowns
    area: Breakdowns | None
    capacity: Mapping[str, Mapping[str, Needed]]

    def fits(self, phase: str) -> Any:
        """Return whether the hardware has enough of everything."""
        enough = [one.fits for one in self.capacity[phase].values()]
        return plain(reduce(np.logical_and, enough, True))

    def latency_s(self, phase: str) -> Any:
        """Return the seconds that an image takes, or None where no time is known."""
        if self.hardware.cycles is None:
            return None
        return self.latency[phase]["total"] / self.hardware.clock.f_mhz / 1e6

    def spikes(self, phase: str) -> dict[str, Any]:
        """Return what a phase rests on, of all layers, in the words of NeuroBench where it has any."""
        work = self.work[phase]
        return {
            "source": work[0].source,
            "input_spikes": work[0].input_spikes,
            "output_spikes": sum(one.output_spikes for one in work),
            "synaptic_operations": sum(one.synaptic_additions for one in work),
        }

    def rates(self, phase: str) -> dict[str, Any]:
        """Return what follows from energy and time.

        Returns
        -------
        dict of str to float, ndarray or None
            `images_per_s` (FPS), `images_per_j` (the same as FPS per watt), `power_uw` (mean, while it
            works), and the energy of a synaptic operation: `total_pj_per_synaptic_operation` is all energy
            over all additions, `incremental_...` leaves out what is paid for time (leakage and clock).
        """
        energy, seconds = self.energy[phase], self.latency_s(phase)
        total, additions = energy["total"], self.spikes(phase)["synaptic_operations"]
        events = total - energy["leakage"] - energy["clock"]  # without what is paid for time
        return {
            "images_per_s": _quotient(1.0, seconds),
            "images_per_j": _quotient(1e12, total),
            "power_uw": _quotient(total * 1e-6, seconds),
            "incremental_pj_per_synaptic_operation": _quotient(events, additions),
            "total_pj_per_synaptic_operation": _quotient(total, additions),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, with the units in the keys."""
        meta, band = self.hardware.meta, self.hardware.band
        answer = {
            "hardware": meta.name,
            "confidence": meta.confidence,
            "remembered": self.hardware.remembered,
            "activity": _each(self.spikes),
            "memory_bits": self.memory,
            "stored_bits": self.stored,
            "physical_bits": self.physical,
            "energy_pj": self.energy,
            "latency_cycles": self.latency,
            "area_um2": self.area,
            "memory_band_bits": _each(self._memory_band),
            "energy_band_pj": _bands(self.energy, band.energy),
            "latency_band_cycles": _bands(self.latency, band.latency),
            "area_band_um2": _bands(self.area, band.area),
            "latency_s": _each(self.latency_s),
            "capacity": _each(
                lambda phase: {name: one._asdict() for name, one in self.capacity[phase].items()}
            ),
            "fits": _each(self.fits),
        }
        rates = _each(self.rates)
        return answer | {name: {phase: rates[phase][name] for phase in PHASES} for name in rates[PHASES[0]]}

    def _memory_band(self, phase: str) -> dict[str, Any]:
        """Return the bits as they are, and those of the memories, or the words where these are too small."""
        held = (self.stored[phase]["total"], self.physical[phase]["total"])
        return {"low": self.memory[phase]["total"], "high": plain(np.maximum(*held))}


def estimate(
    network: AnyModel | Size,
    hardware: str | Path | Hardware = "asic65-lp",
    activity: Mapping[str, Sequence[Activity | Workload]] | None = None,
    *,
    online: bool = False,
) -> Estimate:
    """Return what a network costs on a piece of hardware.

    Many networks at once: a `Size` whose numbers are arrays of one shape, with workloads of such arrays,
    gives arrays; a hundred thousand take less than a second.

    Parameters
    ----------
    network : Model or Size
        Or a result that holds a model.
    hardware : str, Path or Hardware, default "asic65-lp"
        Name of a preset, path of a TOML file, or a description already loaded.
    activity : mapping of str to sequence of Activity or Workload, optional
        What each layer does in ``"inference"`` and ``"training"``: counted, or expected
        (`fspinn.memmodel.expected_workloads`). None takes what was counted for the model.
    online : bool, default False
        Whether the input is a stream of events that are answered as they come: then no rows of it wait, and
        the potentials of all positions of a field are kept, not those of one after the other. A network
        with the encoder ``events`` always is.

    Raises
    ------
    ConfigError
        If there is no counted activity of each layer.
    HardwareError
        If there is no such hardware.
    """
    described = hardware if isinstance(hardware, Hardware) else load_hardware(hardware)
    size = network if isinstance(network, Size) else Size.of(network)
    if online:
        size = size.online
    if activity is None:
        activity = {} if isinstance(network, Size) else model_of(network).activity
    work = workloads_of(activity, size)
    cases = {phase: Case(size, work[phase], described, phase == "training") for phase in PHASES}

    def summed(components: Callable[[Case], Mapping[str, Numbers]]) -> Breakdowns:
        return {phase: _with_total(components(case), case.work) for phase, case in cases.items()}

    return Estimate(
        hardware=described,
        work=work,
        memory=summed(lambda case: case.memory),
        stored=summed(lambda case: case.stored),
        physical=summed(lambda case: case.physical),
        energy=summed(energy_pj),
        latency=summed(lambda case: case.cycles),
        area=None if described.area is None else summed(area_um2),
        capacity={phase: capacity(case) for phase, case in cases.items()},
    )


def _each(value: Callable[[str], Any]) -> dict[str, Any]:
    return {phase: value(phase) for phase in PHASES}


def _with_total(components: Mapping[str, Numbers], work: tuple[Workload, ...]) -> Breakdown:
    """Return whole numbers, so that their sum is exact; of all networks, also where they are the same."""
    shape = np.broadcast_shapes(
        *(np.shape(count) for one in work for count in (one.neuron_updates, one.input_spikes))
    )
    each = {name: whole(value) for name, value in components.items()}
    if shape:
        each = {name: np.broadcast_to(value, shape) for name, value in each.items()}
    return {**each, "total": sum(each.values())}


def _bands(breakdowns: Breakdowns | None, band: Band | None) -> dict[str, Any] | None:
    if breakdowns is None or band is None:
        return None
    return {
        phase: {"low": whole(one["total"] * band.low), "high": whole(one["total"] * band.high)}
        for phase, one in breakdowns.items()
    }


def _quotient(dividend: Numbers, divisor: Numbers | None) -> Any:
    """Return a quotient, or None where there is nothing to divide by."""
    if divisor is None or (np.ndim(divisor) == 0 and divisor == 0):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return dividend / divisor
