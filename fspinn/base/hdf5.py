"""What is in this file, and is it whole? HDF5 with a header of ours: its kind and a checksum; no pickle."""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from fspinn.base.errors import FspinnError, ModelFileError
from fspinn.base.files import replaced_when_whole

UNREADABLE = (OSError, KeyError, ValueError, TypeError, RuntimeError)
"""What reading a file, or making something of what it says, raises where the file makes no sense."""

# HDF5 leaves space for a header of ours: "fspinn-model", a checksum, zeros.
_HEADER_BYTES = 512


def write(
    path: Path, kind: str, settings: Mapping[str, Any], arrays: Mapping[str, Any], *, compressed: bool
) -> None:
    """Write settings that fit in JSON, and arrays, to a file; an older one stays until this is whole.

    The kind is one word that says what the file is: ``"model"``. Compressing takes time and saves space.
    """
    options = {"compression": "gzip", "shuffle": True} if compressed else {}
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=_HEADER_BYTES) as file:
        file.attrs["settings"] = json.dumps(settings, sort_keys=True, indent=1)
        for name, array in arrays.items():
            file.create_dataset(name, data=array, **options)
    content = buffer.getbuffer()
    content[:_HEADER_BYTES] = _header(kind, content)
    try:
        with replaced_when_whole(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise ModelFileError(
            f"{path}: cannot be written ({reason}); choose a folder with space and rights"
        ) from None


def read(path: Path, kind: str, *, version: int, fix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings and the arrays of a file, if it is whole, of this kind and of this format version.

    `fix` says what to do about a damaged file and ends the message of the `ModelFileError`.
    """
    try:
        content = path.read_bytes()
        if not content.startswith(_magic(kind)):
            other = _kind_in(content)
            what = f"is a {other} of fspinn, not a {kind}" if other else f"is not a {kind} of fspinn"
            raise ModelFileError(
                f"{path}: {what}; name a file that `fspinn train` wrote"
                + (", or make a program of it with `fspinn export`" if other == "classifier" else "")
            )
        # Before HDF5 sees it: its library can crash or hang on damaged files.
        if content[:_HEADER_BYTES] != _header(kind, memoryview(content)):
            raise ModelFileError(f"{path}: is damaged (checksum differs); {fix}")
        with h5py.File(io.BytesIO(content), "r") as file:
            settings = json.loads(file.attrs["settings"])
            found = settings["format_version"]
            if found != version:
                older = f" of an older fspinn, this one reads {version}; {fix}"
                newer = f", this fspinn reads {version}; update fspinn"
                raise ModelFileError(
                    f"{path}: has format version {found}{older if found < version else newer}"
                )
            return settings, {name: file[name][...] for name in file}
    except FspinnError:
        raise
    except UNREADABLE as error:
        raise unreadable(path, error, fix) from None


def kind_of(path: Path) -> str | None:
    """Return what kind of file of ours this is, by its first bytes; None for any other file."""
    with open(path, "rb") as file:
        return _kind_in(file.read(_HEADER_BYTES))


def unreadable(path: Path, error: Exception, fix: str) -> ModelFileError:
    """Return the error for a file whose content makes no sense."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ModelFileError(f"{path}: cannot be read ({reason}); {fix}")


def _kind_in(content: bytes) -> str | None:
    found = re.match(rb"fspinn-([a-z]+) ", content)
    return None if found is None else found.group(1).decode()


def _magic(kind: str) -> bytes:
    return f"fspinn-{kind} ".encode()


def _header(kind: str, content: memoryview) -> bytes:
    """Return the first bytes of a file: what it is, and a checksum of all that follows."""
    digest = hashlib.sha256(content[_HEADER_BYTES:]).hexdigest()
    return (_magic(kind) + digest.encode() + b"\n").ljust(_HEADER_BYTES, b"\0")
