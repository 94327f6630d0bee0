"""How is a model kept? One HDF5 file: versioned, checked, written atomically; no pickle."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fspinn.errors import FspinnError, ModelFileError
from fspinn.files import replaced_when_whole
from fspinn.model import Activity, Model, Network, Readout
from fspinn.quant.formats import Format, to_integers, to_values

FORMAT = "fspinn-model"
FORMAT_VERSION = 1


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model to a file; an older file of that name is replaced only when the new one is whole.

    Quantized weights are kept as the integers that stand for them.

    Raises
    ------
    ModelFileError
        If the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    settings = {
        "format_version": FORMAT_VERSION,
        "network": asdict(model.network),
        "image_shape": list(model.image_shape),
        "weight_format": _name(model.weight_format),
        "readout": {"name": model.readout.name, "format": _name(model.readout.format)},
        "activity": {name: activity.as_dict() for name, activity in model.activity.items()},
        "record": dict(model.record),
    }
    arrays = {
        "weights": _stored(model.weights, model.weight_format),
        "theta": model.theta,
        "readout": _stored(model.readout.table, model.readout.format),
    }
    text = json.dumps(settings, sort_keys=True, indent=1)
    try:
        with replaced_when_whole(path) as temporary, h5py.File(temporary, "w") as file:
            file.attrs["format"] = FORMAT
            file.attrs["settings"] = text
            file.attrs["sha256"] = _digest(text, arrays)
            for name, array in arrays.items():
                file.create_dataset(name, data=array, compression="gzip", shuffle=True)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise ModelFileError(
            f"{path}: cannot be written ({reason}); choose a folder with room and rights"
        ) from None


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model from a file.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, no fspinn model, or of a newer version.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelFileError(
            f"{path}: there is no such file; train a model with `fspinn train -o {path.name}`"
        )
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise ModelFileError(
                    f"{path}: is not a model of fspinn; name a file that `fspinn train` wrote"
                )
            text = str(file.attrs["settings"])
            settings = json.loads(text)
            if settings["format_version"] > FORMAT_VERSION:
                raise ModelFileError(
                    f"{path}: has format version {settings['format_version']}, this fspinn reads up to "
                    f"{FORMAT_VERSION}; update fspinn"
                )
            arrays = {name: file[name][...] for name in ("weights", "theta", "readout")}
            if file.attrs["sha256"] != _digest(text, arrays):
                raise ModelFileError(f"{path}: is damaged (checksum differs); train it again or take a copy")
        return _model(settings, arrays)
    except ModelFileError:
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, FspinnError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelFileError(
            f"{path}: is damaged or no model of fspinn ({reason}); train it again or take a copy"
        ) from None


def _model(settings: dict[str, Any], arrays: dict[str, Any]) -> Model:
    weight_format = _format(settings["weight_format"])
    readout_format = _format(settings["readout"]["format"])
    return Model(
        network=Network(**settings["network"]),
        image_shape=tuple(settings["image_shape"]),
        weights=_restored(arrays["weights"], weight_format),
        theta=arrays["theta"],
        readout=Readout(
            settings["readout"]["name"], _restored(arrays["readout"], readout_format), readout_format
        ),
        weight_format=weight_format,
        activity={name: Activity(**counts) for name, counts in settings["activity"].items()},
        record=settings["record"],
    )


def _name(number_format: Format | None) -> str | None:
    return None if number_format is None else str(number_format)


def _format(name: str | None) -> Format | None:
    return None if name is None else Format.parse(name)


def _stored(values: Any, number_format: Format | None) -> Any:
    if number_format is None:
        return values
    lowest, highest = number_format.lowest_integer, number_format.highest_integer
    return to_integers(values, number_format).astype(
        np.result_type(np.min_scalar_type(lowest), np.min_scalar_type(highest))
    )


def _restored(stored: Any, number_format: Format | None) -> Any:
    return stored if number_format is None else to_values(stored, number_format)


def _digest(text: str, arrays: dict[str, Any]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()
