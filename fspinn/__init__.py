"""fspinn finds the smallest spiking neural network that does your job on your device.

>>> import fspinn
>>> data = fspinn.datasets.load("digits")
>>> data.image_shape
(8, 8)
"""

import importlib
from typing import TYPE_CHECKING, Any

from fspinn.version import __version__ as __version__

__all__ = [
    "Activity",
    "Model",
    "Network",
    "datasets",
    "evaluate",
    "export",
    "find_smallest",
    "load",
    "memmodel",
    "plots",
    "predict",
    "presets",
    "quant",
    "save",
    "train",
    "tune",
]

if TYPE_CHECKING:
    from fspinn import datasets, export, memmodel, plots, presets, quant
    from fspinn.evaluation import evaluate
    from fspinn.model import Network
    from fspinn.prediction import predict
    from fspinn.search import find_smallest
    from fspinn.store import load, save
    from fspinn.trained import Activity, Model
    from fspinn.training import train
    from fspinn.tuning import tune

_HOMES = {
    "Activity": "fspinn.trained",
    "Model": "fspinn.trained",
    "Network": "fspinn.model",
    "evaluate": "fspinn.evaluation",
    "find_smallest": "fspinn.search",
    "load": "fspinn.store",
    "predict": "fspinn.prediction",
    "save": "fspinn.store",
    "train": "fspinn.training",
    "tune": "fspinn.tuning",
}


def __getattr__(name: str) -> Any:
    # Names are imported when they are used, so that `import fspinn` and `fspinn --help` stay quick.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in __all__:
        return importlib.import_module(f"fspinn.{name}")
    raise AttributeError(f"module 'fspinn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
