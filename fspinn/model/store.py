"""How is a model kept? One HDF5 file: versioned, checked, written atomically; no pickle."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fspinn.base import hdf5 as sealed
from fspinn.base.errors import ModelFileError
from fspinn.model.activity import Activity
from fspinn.model.model import AnyModel, Model, Readout, model_of
from fspinn.network.description import Network
from fspinn.quant.formats import Format, to_integers, to_values

FORMAT_VERSION = 4
"""Files of other versions are refused."""

_MEND = "train it again or take a copy"
_ARRAYS = ("weights", "theta", "readout", "readout_bias")


def save(model: AnyModel, path: str | os.PathLike[str]) -> None:
    """Write a model to a file; an older file of that name is replaced only when the new one is whole.

    Quantized numbers are kept as the integers that stand for them, weights of heard pixels only.

    Parameters
    ----------
    model : Model
        Or a result that holds one, such as that of `fspinn.train`.
    path : path-like

    Raises
    ------
    ConfigError
        If it is not a model.
    ModelFileError
        If the file cannot be written; nothing is left behind.
    """
    model, path = model_of(model), Path(path)
    readout = model.readout
    settings = {
        "format_version": FORMAT_VERSION,
        "network": asdict(model.network),
        "image_shape": list(model.image_shape),
        "weight_format": _name(model.weight_format),
        "state_format": _name(model.state_format),
        "theta_format": _name(model.theta_format),
        "heard": None if model.heard is None else np.flatnonzero(model.heard).tolist(),
        "readout": {
            "name": readout.name,
            "format": _name(readout.format),
            "has_bias": readout.bias is not None,
        },
        "activity": {name: activity.as_dict() for name, activity in model.activity.items()},
        "record": dict(model.record),
    }
    arrays = {
        "weights": _stored(_rows(model), model.weight_format),
        "theta": _stored(model.theta, model.theta_format),
        "readout": _stored(readout.table, readout.format),
        "readout_bias": np.zeros(0, np.float32) if readout.bias is None else readout.bias,
    }
    sealed.write(path, "model", settings, arrays, compressed=True)


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model from a file.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, no fspinn model, or of another version.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise ModelFileError(
            f"{path}: there is no such file; train a model with `fspinn train -o {path.name}`"
        )
    settings, arrays = sealed.read(path, "model", _ARRAYS, version=FORMAT_VERSION, mend=_MEND)
    try:
        return _model(settings, arrays)
    except sealed.UNREADABLE as error:
        raise sealed.unreadable(path, error, _MEND) from None


def _model(settings: dict[str, Any], arrays: dict[str, Any]) -> Model:
    weight_format = _format(settings["weight_format"])
    theta_format = _format(settings["theta_format"])
    readout = settings["readout"]
    readout_format = _format(readout["format"])
    height, width = settings["image_shape"]
    weights, heard = _restored(arrays["weights"], weight_format), None
    if settings["heard"] is not None:
        heard = np.zeros(height * width, dtype=np.bool_)
        heard[settings["heard"]] = True
        rows, weights = weights, np.zeros((height * width, weights.shape[1]), dtype=np.float32)
        weights[heard] = rows
    return Model(
        network=Network(**settings["network"]),
        image_shape=(height, width),
        weights=weights,
        theta=_restored(arrays["theta"], theta_format),
        readout=Readout(
            readout["name"],
            _restored(arrays["readout"], readout_format),
            readout_format,
            bias=arrays["readout_bias"] if readout["has_bias"] else None,
        ),
        weight_format=weight_format,
        state_format=_format(settings["state_format"]),
        theta_format=theta_format,
        heard=heard,
        activity={name: Activity(**counts) for name, counts in settings["activity"].items()},
        record=settings["record"],
    )


def _rows(model: Model) -> Any:
    return model.weights if model.heard is None else model.weights[model.heard]


def _name(number_format: Format | None) -> str | None:
    return None if number_format is None else str(number_format)


def _format(name: str | None) -> Format | None:
    return None if name is None else Format.parse(name)


def _stored(values: Any, number_format: Format | None) -> Any:
    if number_format is None:
        return values
    lowest, highest = number_format.lowest_integer, number_format.highest_integer
    return to_integers(values, number_format).astype(np.min_scalar_type(lowest if lowest < 0 else highest))


def _restored(stored: Any, number_format: Format | None) -> Any:
    return stored if number_format is None else to_values(stored, number_format)
