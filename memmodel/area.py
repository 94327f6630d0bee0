"""How large is the chip, and does the network fit? Area of an ASIC; memories and cells of the others.

Area: that of the SRAMs by the law of `fspinn.memmodel.sram`, times what published chips take beyond it, and
the logic of each lane. A microcontroller keeps what does not change in flash and all else in RAM
(`fspinn.memmodel.program`); an FPGA has block RAMs and logic cells.
"""

from typing import NamedTuple

import numpy as np

from fspinn.memmodel import sram
from fspinn.memmodel.case import Case
from fspinn.memmodel.column import is_core, ram_blocks
from fspinn.memmodel.energy import used_cells
from fspinn.memmodel.packing import Numbers, whole
from fspinn.memmodel.program import controller_bytes


class Needed(NamedTuple):
    """How much of something a network needs, and how much there is (None: as much as is needed)."""

    needed: Numbers
    available: int | None

    @property
    def fits(self) -> Numbers:
        """Whether there is enough."""
        return True if self.available is None else self.needed <= self.available


def area_um2(case: Case) -> dict[str, Numbers]:
    """Return the area of a chip by component, in um2 and not rounded; empty if the description gives none."""
    hardware, area, memory = case.hardware, case.hardware.area, case.hardware.memory
    if area is None or hardware.process is None:
        return {}
    node_nm = hardware.process.node_nm
    words = {"weights": memory.weights.word_bits, "state": memory.state.word_bits}
    found = {
        name: area.kappa * sram.area_um2(node_nm, bits, case.physical[name]) for name, bits in words.items()
    }
    return {**found, "lanes": hardware.core.lanes * area.lane_um2 * (node_nm / area.node_nm) ** 2}


def capacity(case: Case) -> dict[str, Needed]:
    """Return what a network needs of everything that the hardware has a limited amount of, unit in the name.

    Where there is off-chip memory, weights have no limit. The core of a column keeps all in RAM blocks.
    """
    hardware, found = case.hardware, {}
    core = is_core(case.size, hardware)
    for name, memory in (("weights", hardware.memory.weights), ("state", hardware.memory.state)):
        if memory.capacity_bits is not None and not np.all(core):
            outside = name == "weights" and hardware.off_chip is not None
            found[f"{name}_bits"] = Needed(case.needed[name], None if outside else memory.capacity_bits)
    if hardware.controller is not None:
        flash, ram = controller_bytes(case, hardware.controller)
        found["flash_bytes"] = Needed(flash, hardware.controller.flash_bytes)
        found["ram_bytes"] = Needed(ram, hardware.controller.ram_bytes)
    block = hardware.memory.state
    if np.any(core) and block.capacity_bits is not None:
        blocks = sum(ram_blocks(case.size, hardware).values()) * core
        found["ram_blocks"] = Needed(blocks, block.capacity_bits // block.macro_bits)
    if hardware.fabric is not None:
        found["logic_cells"] = Needed(whole(used_cells(case.size, hardware)), hardware.fabric.logic_cells)
    return found
