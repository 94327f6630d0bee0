"""All costs of a network on a piece of hardware, in one record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from fspinn.base.amounts import energy_text, memory_text, time_text
from fspinn.base.errors import ConfigError
from fspinn.base.printing import Drawn
from fspinn.memmodel.area import Needed, area_um2, capacity
from fspinn.memmodel.case import Case
from fspinn.memmodel.column import is_core
from fspinn.memmodel.energy import energy_pj
from fspinn.memmodel.hardware import Band, Hardware
from fspinn.memmodel.hardware_files import load_hardware
from fspinn.memmodel.packing import Numbers, plain, whole
from fspinn.memmodel.pipeline import ASSUMED, most_cycles
from fspinn.memmodel.program import program_learns
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import PHASES, Workload, Workloads, workloads_of
from fspinn.model.activity import Activity
from fspinn.model.model import AnyModel, model_of

Breakdown = Mapping[str, Any]
Breakdowns = Mapping[str, Breakdown]


@dataclass(frozen=True, repr=False)
class Estimate(Drawn):
    """What a network costs: breakdowns by phase, then component.

    In each breakdown the components add up to ``"total"`` exactly, as in
    ``estimate.memory["inference"]["total"]``. All but the memory are those of one image.
    For a `Size` of arrays the numbers are arrays. There is nothing of ``"training"`` where the device cannot
    learn (`no_training` says why).

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
    intercept : mapping
        Clock cycles of an image without a spike; the rest of the latency follows the spikes.
    interval : mapping
        Clock cycles from one image to the next; fewer than its latency in a pipeline.
    capacity : mapping
        What is needed and available of everything that is limited.
    no_training : str or None
        Why nothing is said of training, in a sentence.
    device_learns : bool
        Whether the device can learn: the program that is exported for a microcontroller does not learn all
        that a chip could, and what is said of its training is then of a program that nobody has written.
    latency_assumes : str or None
        What the latency takes for granted, of the spikes or of the program.
    most_cycles : int, ndarray or None
        What the latency of an inference comes to at most if that is not so; None where that is not known.
    """

    hardware: Hardware
    work: Workloads
    memory: Breakdowns
    stored: Breakdowns
    physical: Breakdowns
    energy: Breakdowns
    latency: Breakdowns
    area: Breakdowns | None
    intercept: Mapping[str, Any]
    interval: Mapping[str, Any]
    capacity: Mapping[str, Mapping[str, Needed]]
    no_training: str | None = None
    device_learns: bool = True
    latency_assumes: str | None = None
    most_cycles: Any = None

    def __str__(self) -> str:
        name, bits = self.hardware.meta.name, self.memory["inference"]["total"]
        if np.ndim(bits) > 0:
            return f"{np.size(bits):,} networks on {name}"
        costs = [memory_text(bits), energy_text(self.energy["inference"]["total"])]
        seconds = self.latency_s("inference")
        costs += [] if seconds is None else [time_text(seconds)]
        fits = "" if self.fits("inference") else "; does not fit"
        return f"{', '.join(costs)} for an inference on {name}{fits}"

    @property
    def phases(self) -> tuple[str, ...]:
        """What the device does: ``"inference"``, and ``"training"`` if it can learn."""
        return tuple(self.memory)

    def fits(self, phase: str) -> Any:
        """Return whether the hardware has enough of everything."""
        self._check(phase)
        enough = [one.fits for one in self.capacity[phase].values()]
        return plain(reduce(np.logical_and, enough, True))

    def latency_s(self, phase: str) -> Any:
        """Return the seconds that an image takes, or None where no time is known."""
        self._check(phase)
        if not self.hardware.timed:
            return None
        return self.latency[phase]["total"] / self.hardware.clock.f_mhz / 1e6

    def spike_cycles(self, phase: str) -> Any:
        """Return the clock cycles of an image that follow its spikes: all but the intercept."""
        self._check(phase)
        return self.latency[phase]["total"] - self.intercept[phase]

    def spikes(self, phase: str) -> dict[str, Any]:
        """Return what a phase rests on, of all layers, in the words of NeuroBench where it has any."""
        self._check(phase)
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
            In a pipeline images follow each other faster than one is answered.
        """
        self._check(phase)
        energy = self.energy[phase]
        seconds = self.interval[phase] / self.hardware.clock.f_mhz / 1e6 if self.hardware.timed else None
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
        every = self._every
        answer = {
            "hardware": meta.name,
            "confidence": meta.confidence,
            "remembered": self.hardware.remembered,
            "activity": every(self.spikes),
            "memory_bits": every(self.memory.get),
            "stored_bits": every(self.stored.get),
            "physical_bits": every(self.physical.get),
            "energy_pj": every(self.energy.get),
            "latency_cycles": every(self.latency.get),
            "latency_intercept_cycles": every(self.intercept.get),
            "latency_spike_cycles": every(self.spike_cycles),
            "latency_assumes": self.latency_assumes,
            "latency_most_cycles": self.most_cycles,
            "interval_cycles": every(self.interval.get),
            "area_um2": None if self.area is None else every(self.area.get),
            "memory_band_bits": every(self._memory_band),
            "energy_band_pj": self._bands(self.energy, band.energy),
            "latency_band_cycles": self._bands(self.latency, band.latency),
            "area_band_um2": self._bands(self.area, band.area),
            "latency_s": every(self.latency_s),
            "capacity": every(
                lambda phase: {name: one._asdict() for name, one in self.capacity[phase].items()}
            ),
            "fits": every(self.fits),
            "no_training": self.no_training,
            "device_learns": self.device_learns,
        }
        rates = every(self.rates)
        return answer | {
            name: {phase: one and one[name] for phase, one in rates.items()} for name in rates["inference"]
        }

    def _every(self, value: Callable[[str], Any]) -> dict[str, Any]:
        """Return a value of each phase, None of those that there are not."""
        return {phase: value(phase) if phase in self.phases else None for phase in PHASES}

    def _bands(self, breakdowns: Breakdowns | None, band: Band | None) -> dict[str, Any] | None:
        if breakdowns is None or band is None:
            return None
        return self._every(
            lambda phase: {
                "low": whole(breakdowns[phase]["total"] * band.low),
                "high": whole(breakdowns[phase]["total"] * band.high),
            }
        )

    def _check(self, phase: str) -> None:
        if phase not in self.phases:
            raise ConfigError(f"{phase}: {self.no_training}; ask for inference")

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
    elif described.pipeline is not None:
        size = size.at_once
    if activity is None:
        activity = {} if isinstance(network, Size) else model_of(network).activity
    no_training = _no_training(size, described)
    phases = PHASES if no_training is None else PHASES[:1]
    work = workloads_of(activity, size, phases)
    cases = {phase: Case(size, work[phase], described, phase == "training") for phase in phases}
    most = None
    if described.pipeline is not None and any(np.any(layer.slides) for layer in size.layers):
        most = whole(most_cycles(size, work["inference"], described))

    def summed(components: Callable[[Case], Mapping[str, Numbers]]) -> Breakdowns:
        return {phase: _with_total(components(case), case.work) for phase, case in cases.items()}

    latency = summed(lambda case: case.cycles)
    return Estimate(
        hardware=described,
        work=work,
        memory=summed(lambda case: case.memory),
        stored=summed(lambda case: case.stored),
        physical=summed(lambda case: case.physical),
        energy=summed(energy_pj),
        latency=latency,
        area=None if described.area is None else summed(area_um2),
        intercept={
            phase: _with_total(case.silent.cycles, case.work)["total"] for phase, case in cases.items()
        },
        interval={
            phase: latency[phase]["total"] if described.pipeline is None else whole(case.interval)
            for phase, case in cases.items()
        },
        capacity={phase: capacity(case) for phase, case in cases.items()},
        no_training=no_training,
        device_learns=no_training is None and (described.controller is None or program_learns(size)),
        latency_assumes=None if most is None else ASSUMED,
        most_cycles=most,
    )


def _no_training(size: Size, hardware: Hardware) -> str | None:
    """Return why a network is not learned on a piece of hardware."""
    if not size.learns:
        return "learned on a host, as gradients of labels need one"
    if hardware.pipeline is not None:
        return f"{hardware.meta.name} has no circuits that learn"
    if np.all(is_core(size, hardware)):
        return "the exported core of a column has no circuits that learn"
    return None


def _with_total(components: Mapping[str, Numbers], work: tuple[Workload, ...]) -> Breakdown:
    """Return whole numbers, so that their sum is exact; of all networks, also where they are the same."""
    shape = np.broadcast_shapes(
        *(np.shape(count) for one in work for count in (one.neuron_updates, one.input_spikes))
    )
    each = {name: whole(value) for name, value in components.items()}
    if shape:
        each = {name: np.broadcast_to(value, shape) for name, value in each.items()}
    return {**each, "total": sum(each.values())}


def _quotient(dividend: Numbers, divisor: Numbers | None) -> Any:
    """Return a quotient, or None where there is nothing to divide by."""
    if divisor is None or (np.ndim(divisor) == 0 and divisor == 0):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return dividend / divisor
