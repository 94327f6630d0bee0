"""What does it cost on this hardware? Memory, energy, latency and area, each a breakdown that adds up."""

from fspinn.memmodel.estimates import Estimate, estimate
from fspinn.memmodel.footprint import footprint, memory_bits
from fspinn.memmodel.hardware import Hardware
from fspinn.memmodel.hardware_files import load_hardware
from fspinn.memmodel.layer_size import LayerSize
from fspinn.memmodel.names import hardware_names
from fspinn.memmodel.neurobench import NeuroBench, neurobench
from fspinn.memmodel.size import Size
from fspinn.memmodel.workload import Workload, expected_workloads, workloads_of_spikes

__all__ = [
    "Estimate",
    "Hardware",
    "LayerSize",
    "NeuroBench",
    "Size",
    "Workload",
    "estimate",
    "expected_workloads",
    "footprint",
    "hardware_names",
    "load_hardware",
    "memory_bits",
    "neurobench",
    "workloads_of_spikes",
]
