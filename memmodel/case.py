"""One network at work on one piece of hardware: everything that several costs are derived from, once."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fspinn.memmodel import accesses, column, footprint, latency, pipeline
from fspinn.memmodel.hardware import Hardware
from fspinn.memmodel.packing import Numbers, plain
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import Workload


@dataclass(frozen=True)
class Case:
    """A network, what it does in a phase, and the hardware that does it.

    Parameters
    ----------
    size : Size
    work : tuple of Workload
        Of each layer, in the phase.
    hardware : Hardware
    training : bool
        The phase: whether the device learns.
    """

    size: Size
    work: tuple[Workload, ...]
    hardware: Hardware
    training: bool

    @cached_property
    def memory(self) -> dict[str, Any]:
        """Logical bits of each component."""
        return footprint.footprint(self.size, self.training)

    @cached_property
    def stored(self) -> dict[str, Any]:
        """Bits of the words that hold each component."""
        return footprint.stored_bits(self.size, self.hardware, self.training)

    @cached_property
    def needed(self) -> dict[str, Any]:
        """Bits that each memory should hold."""
        return footprint.needed_bits(self.stored, self.hardware)

    @cached_property
    def physical(self) -> dict[str, Any]:
        """Bits that each memory has; of the core of a column those of its RAM blocks."""
        bits = footprint.physical_bits(self.needed, self.hardware)
        core = column.is_core(self.size, self.hardware)
        if np.any(core):
            blocks = column.ram_blocks(self.size, self.hardware)
            held = {"weights": blocks["weights"] + blocks["readout"], "state": blocks["lines"]}
            macro_bits = self.hardware.memory.state.macro_bits
            bits = {name: plain(np.where(core, held[name] * macro_bits, bits[name])) for name in held}
        return bits

    @cached_property
    def accesses(self) -> dict[str, accesses.Accesses]:
        """Accesses and operations of each component."""
        return accesses.accesses(self.size, self.work, self.hardware, self.training)

    @cached_property
    def off_chip_bits(self) -> Numbers:
        """Bits that are moved to and from off-chip memory."""
        return accesses.off_chip_bits(self.accesses, self.needed, self.hardware)

    @cached_property
    def cycles(self) -> dict[str, Numbers]:
        """Clock cycles of each component, not rounded."""
        return latency.latency_cycles(self.size, self.work, self.hardware, self.training, self.off_chip_bits)

    @cached_property
    def interval(self) -> Numbers:
        """Clock cycles from one image to the next, not rounded: less than all in a pipeline."""
        if self.hardware.pipeline is None:
            return sum(self.cycles.values())
        waiting = self.cycles["off_chip"]
        return pipeline.interval_cycles(self.size, self.work, self.hardware) + waiting

    @property
    def silent(self) -> "Case":
        """The same for an image without a spike, as many time steps long."""
        return replace(self, work=tuple(one.silent for one in self.work))
