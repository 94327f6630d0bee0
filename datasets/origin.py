"""Which data set was it? What identifies a data set and its split, and how to load it again."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fspinn.base.errors import ConfigError
from fspinn.datasets.arrays import IN_MEMORY
from fspinn.datasets.catalogue import catalogue
from fspinn.datasets.dataset import Dataset
from fspinn.datasets.loading import load
from fspinn.datasets.reading import Reading
from fspinn.datasets.scale import Scale
from fspinn.datasets.through_tonic import PREFIX


def origin(data: Dataset) -> dict[str, Any]:
    """Return what identifies a data set and its split, for files."""
    sizes = {part: len(getattr(data, part)) for part in ("train", "validation", "test")}
    asked: dict[str, Any] = {"reading": data.reading.asked} if data.reading.asked else {}
    if data.scale is not None:
        asked["scale"] = {"low": list(data.scale.low), "high": list(data.scale.high)}
    return {"name": data.name, "checksum": data.checksum, "seed": data.seed, **sizes, **asked}


def load_again(
    origin: Mapping[str, Any], data_dir: str | Path | None = None, scale: Scale | None = None
) -> Dataset:
    """Load a data set with the split that `origin` names; refused if the images have changed since."""
    if origin["name"] == IN_MEMORY:
        raise ConfigError(f"dataset: the model was trained on {IN_MEMORY}; name the data set to use")
    name = origin["name"]
    if not (name in catalogue or name.startswith(PREFIX) or os.path.exists(os.path.expanduser(name))):
        raise ConfigError(
            f"dataset: the model was trained on {name!r}, which is not here; bring it back, or name the data "
            "set to use"
        )
    data = load(
        name,
        data_dir=data_dir,
        validation=origin["validation"],
        seed=origin["seed"],
        reading=Reading(**origin.get("reading", {})),
        scale=scale,
    )
    if data.checksum != origin["checksum"]:
        raise ConfigError(
            f"dataset: {origin['name']} is not the same as when the model was trained (checksum differs); "
            "bring the old images back, or name the data set to measure on"
        )
    return data
