"""What does it cost on this hardware? Memory, energy and latency, each a breakdown that adds up."""

from fspinn.memmodel.estimates import Estimate, estimate
from fspinn.memmodel.footprint import ACCOUNTINGS, Size, fspinn_memory_ratio, memory_bits
from fspinn.memmodel.hardware import Hardware, hardware_names, load_hardware

__all__ = [
    "ACCOUNTINGS",
    "Estimate",
    "Hardware",
    "Size",
    "estimate",
    "fspinn_memory_ratio",
    "hardware_names",
    "load_hardware",
    "memory_bits",
]
