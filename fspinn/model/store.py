"""How is a model kept? One HDF5 file: versioned, checked, written atomically; no pickle."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fspinn.base import hdf5 as sealed
from fspinn.base.errors import ConfigError, DataError, ModelFileError
from fspinn.base.settings import as_plain, from_plain
from fspinn.datasets.scale import Scale
from fspinn.model.activity import Activity
from fspinn.model.features import Features
from fspinn.model.model import AnyModel, Model, Readout, model_of
from fspinn.model.tensors import LayerTensors, Tensor
from fspinn.network.description import Network
from fspinn.quant.formats import Format

FORMAT_VERSION = 5
"""Files of other versions are refused."""

_FIX = "train it again or take a copy"


def save(model: AnyModel, path: str | os.PathLike[str]) -> None:
    """Write a model to a file; an older file of that name is replaced only when the new one is whole.

    Quantized numbers are kept as the integers that stand for them, weights of used inputs only.

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
    table = Tensor(readout.table) if readout.format is None else Tensor.rounded(readout.table, readout.format)
    settings = {
        "format_version": FORMAT_VERSION,
        "network": as_plain(model.network),
        "image_shape": list(model.image_shape),
        "layers": [layer_settings(layer) for layer in model.layers],
        "readout": {
            "name": readout.name,
            "format": _name(readout.format),
            "has_bias": readout.bias is not None,
        },
        "activity": {
            name: [activity.as_dict() for activity in layers] for name, layers in model.activity.items()
        },
        "record": dict(model.record),
        "scale": None if model.scale is None else asdict(model.scale),
        "features": None if model.features is None else asdict(model.features),
    }
    arrays = {
        "readout": table.numbers,
        "readout_bias": np.zeros(0, np.float32) if readout.bias is None else readout.bias,
        **layer_arrays(model.layers),
    }
    sealed.write(path, "model", settings, arrays, compressed=True)


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model from a file.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, not an fspinn model, or of another version.
    """
    path = Path(path)
    if os.path.isdir(path):
        raise ModelFileError(f"{path}: is a folder; name a file in it")
    if not os.path.isfile(path):
        raise ModelFileError(
            f"{path}: there is no such file; train a model with `fspinn train -o {path.name}`"
        )
    settings, arrays = sealed.read(path, "model", version=FORMAT_VERSION, fix=_FIX)
    try:
        return _model(settings, arrays)
    except (*sealed.UNREADABLE, ConfigError, DataError) as error:
        raise sealed.unreadable(path, error, _FIX) from None


def _model(settings: dict[str, Any], arrays: dict[str, Any]) -> Model:
    readout = settings["readout"]
    readout_format = _format(readout["format"])
    return Model(
        network=from_plain(Network, settings["network"]),
        image_shape=tuple(settings["image_shape"]),
        layers=layers_from(settings["layers"], arrays),
        readout=Readout(
            readout["name"],
            Tensor(arrays["readout"], readout_format).values,
            readout_format,
            bias=arrays["readout_bias"] if readout["has_bias"] else None,
        ),
        activity={
            name: tuple(Activity(**counts) for counts in layers)
            for name, layers in settings["activity"].items()
        },
        record=settings["record"],
        scale=None if settings.get("scale") is None else _scale(settings["scale"]),
        features=None if settings.get("features") is None else _features(settings["features"]),
    )


def _scale(settings: dict[str, Any]) -> Scale:
    return Scale(tuple(settings["low"]), tuple(settings["high"]), settings.get("recorded"))


def _features(settings: dict[str, Any]) -> Features:
    return Features(tuple(settings["names"]), _scale(settings["scale"]))


def layer_settings(layer: LayerTensors) -> dict[str, Any]:
    """Return what a file has to know of the tensors of a layer beside the arrays."""
    return {
        "weights": _name(layer.weights.format),
        "theta": _name(layer.theta.format),
        "state": _name(layer.state),
        "inputs": layer.inputs,
        "inputs_used": None if layer.input_mask is None else np.flatnonzero(layer.input_mask).tolist(),
    }


def layer_arrays(layers: Sequence[LayerTensors]) -> dict[str, Any]:
    """Return the arrays of some layers by the names that a file has for them; `layers_from` reads them."""
    arrays = {}
    for number, layer in enumerate(layers):
        weights = layer.weights.numbers
        arrays[f"weights_{number}"] = weights if layer.input_mask is None else weights[layer.input_mask]
        arrays[f"theta_{number}"] = layer.theta.numbers
    return arrays


def layers_from(settings: Sequence[dict[str, Any]], arrays: dict[str, Any]) -> tuple[LayerTensors, ...]:
    """Return the tensors of some layers from what `layer_settings` and `layer_arrays` gave to a file."""
    return tuple(
        _layer(layer, arrays[f"weights_{number}"], arrays[f"theta_{number}"])
        for number, layer in enumerate(settings)
    )


def _layer(settings: dict[str, Any], weights: Any, theta: Any) -> LayerTensors:
    input_mask = None
    if settings["inputs_used"] is not None:
        input_mask = np.zeros(settings["inputs"], dtype=np.bool_)
        input_mask[settings["inputs_used"]] = True
        rows, weights = weights, np.zeros((len(input_mask), weights.shape[1]), dtype=weights.dtype)
        weights[input_mask] = rows
    return LayerTensors(
        weights=Tensor(weights, _format(settings["weights"])),
        theta=Tensor(theta, _format(settings["theta"])),
        state=_format(settings["state"]),
        input_mask=input_mask,
    )


def _name(number_format: Format | None) -> str | None:
    return None if number_format is None else str(number_format)


def _format(name: str | None) -> Format | None:
    return None if name is None else Format.parse(name)
