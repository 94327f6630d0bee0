"""How does a network leave? As C99 for a microcontroller, or as a graph of NIR for other simulators."""

from fspinn.export.c import export_c
from fspinn.export.nir import export_nir

__all__ = ["export_c", "export_nir"]
