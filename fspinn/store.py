"""How is a model kept? One HDF5 file: versioned, checked, written atomically; no pickle."""

import hashlib
import io
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

FORMAT_VERSION = 1

# HDF5 leaves room for a header of ours: "fspinn-model", a checksum, zeros.
_MAGIC = b"fspinn-model "
_HEADER_BYTES = 512


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
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=_HEADER_BYTES) as file:
        file.attrs["settings"] = json.dumps(settings, sort_keys=True, indent=1)
        for name, array in arrays.items():
            file.create_dataset(name, data=array, compression="gzip", shuffle=True)
    content = buffer.getvalue()
    try:
        with replaced_when_whole(path) as temporary:
            temporary.write_bytes(_header(content) + content[_HEADER_BYTES:])
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
    if not os.path.isfile(path):
        raise ModelFileError(
            f"{path}: there is no such file; train a model with `fspinn train -o {path.name}`"
        )
    try:
        content = path.read_bytes()
        if not content.startswith(_MAGIC):
            raise ModelFileError(f"{path}: is not a model of fspinn; name a file that `fspinn train` wrote")
        # Before HDF5 sees it: its library can crash or hang on damaged files.
        if content[:_HEADER_BYTES] != _header(content):
            raise ModelFileError(f"{path}: is damaged (checksum differs); train it again or take a copy")
        with h5py.File(io.BytesIO(content), "r") as file:
            settings = json.loads(file.attrs["settings"])
            if settings["format_version"] > FORMAT_VERSION:
                raise ModelFileError(
                    f"{path}: has format version {settings['format_version']}, this fspinn reads up to "
                    f"{FORMAT_VERSION}; update fspinn"
                )
            arrays = {name: file[name][...] for name in ("weights", "theta", "readout")}
        return _model(settings, arrays)
    except ModelFileError:
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, FspinnError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelFileError(f"{path}: cannot be read ({reason}); train it again or take a copy") from None


def _header(content: bytes) -> bytes:
    """Return the first bytes of a file: what it is, and a checksum of all that follows."""
    digest = hashlib.sha256(content[_HEADER_BYTES:]).hexdigest()
    return (_MAGIC + digest.encode() + b"\n").ljust(_HEADER_BYTES, b"\0")


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
    return to_integers(values, number_format).astype(np.min_scalar_type(lowest if lowest < 0 else highest))


def _restored(stored: Any, number_format: Format | None) -> Any:
    return stored if number_format is None else to_values(stored, number_format)
