"""Where do samples come from? Images, signals and events, with their labels.

>>> from fspinn import datasets
>>> datasets.names()
('digits', 'mnist', 'fashion-mnist', 'kmnist', 'svhn')
"""

if __name__ != "fspinn.datasets":
    raise ImportError(
        f"{__file__} is fspinn.datasets, not the package {__name__!r}: "
        "start Python outside the fspinn checkout, or import fspinn.datasets"
    )

from fspinn.datasets.catalogue import BuiltIn, catalogue, find, names
from fspinn.datasets.dataset import Dataset, Split
from fspinn.datasets.events import Recordings
from fspinn.datasets.idx import read_idx
from fspinn.datasets.loading import load
from fspinn.datasets.mapped import MappedImages, in_pieces
from fspinn.datasets.reading import Reading
from fspinn.datasets.scale import Scale
from fspinn.datasets.sources import Source, read_images
from fspinn.datasets.storage import fetch, locate
from fspinn.datasets.summary import Summary, summary

__all__ = [
    "BuiltIn",
    "Dataset",
    "MappedImages",
    "Reading",
    "Recordings",
    "Scale",
    "Source",
    "Split",
    "Summary",
    "catalogue",
    "fetch",
    "find",
    "in_pieces",
    "load",
    "locate",
    "names",
    "read_idx",
    "read_images",
    "summary",
]
