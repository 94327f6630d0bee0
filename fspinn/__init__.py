"""fspinn finds the smallest spiking neural network that does your job on your device.

>>> import fspinn
>>> data = fspinn.datasets.load("digits")
>>> data.image_shape
(8, 8)
"""

import importlib
from typing import TYPE_CHECKING, Any

from fspinn.base import printing
from fspinn.base.version import __version__ as __version__

__all__ = [
    "Activity",
    "Hybrid",
    "Layer",
    "Model",
    "Network",
    "Stdp",
    "StdpLabels",
    "Surrogate",
    "datasets",
    "evaluate",
    "export_arduino",
    "export_c",
    "export_nir",
    "export_verilog",
    "find_smallest",
    "load",
    "memmodel",
    "network",
    "plots",
    "predict",
    "presets",
    "quant",
    "quantize",
    "save",
    "settings_of",
    "sklearn",
    "sweep",
    "train",
    "tune",
    "with_settings",
]

if TYPE_CHECKING:
    from fspinn import datasets, memmodel, network, presets, quant, sklearn
    from fspinn.answering.evaluate import evaluate
    from fspinn.answering.predict import predict
    from fspinn.answering.quantize import quantize
    from fspinn.backends.c import export_arduino, export_c
    from fspinn.backends.nir import export_nir
    from fspinn.backends.verilog import export_verilog
    from fspinn.base.settings import settings_of, with_settings
    from fspinn.learning.training import train
    from fspinn.model.activity import Activity
    from fspinn.model.model import Model
    from fspinn.model.store import load, save
    from fspinn.network import Hybrid, Layer, Network, Stdp, StdpLabels, Surrogate
    from fspinn.report import plots
    from fspinn.search import find_smallest
    from fspinn.search.sweep import sweep
    from fspinn.search.tune import tune

_HOMES = {
    "Activity": "fspinn.model.activity",
    "Model": "fspinn.model.model",
    "Hybrid": "fspinn.network",
    "Layer": "fspinn.network",
    "Network": "fspinn.network",
    "Stdp": "fspinn.network",
    "StdpLabels": "fspinn.network",
    "Surrogate": "fspinn.network",
    "export_arduino": "fspinn.backends.c",
    "export_c": "fspinn.backends.c",
    "export_nir": "fspinn.backends.nir",
    "export_verilog": "fspinn.backends.verilog",
    "evaluate": "fspinn.answering.evaluate",
    "find_smallest": "fspinn.search",
    "load": "fspinn.model.store",
    "predict": "fspinn.answering.predict",
    "quantize": "fspinn.answering.quantize",
    "save": "fspinn.model.store",
    "settings_of": "fspinn.base.settings",
    "sweep": "fspinn.search.sweep",
    "train": "fspinn.learning.training",
    "tune": "fspinn.search.tune",
    "with_settings": "fspinn.base.settings",
}


def _html(shown: object) -> str:
    return str(importlib.import_module("fspinn.report.notebook").html(shown))


printing.drawn_by(_html)


def __getattr__(name: str) -> Any:
    # Names are imported when they are used, so that `import fspinn` and `fspinn --help` stay quick.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name == "plots":
        return importlib.import_module("fspinn.report.plots")
    if name in __all__:
        return importlib.import_module(f"fspinn.{name}")
    raise AttributeError(f"module 'fspinn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
