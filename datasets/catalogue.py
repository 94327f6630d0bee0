"""Which data sets does fspinn know by name, and where do they come from? ``catalogue.toml`` lists them."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fspinn.base.errors import DataError


@dataclass(frozen=True)
class BuiltIn:
    """A data set that is known by name.

    Parameters
    ----------
    name : str
        What a person types.
    images : tuple of int
        Number of images for training (validation included) and for test.
    image_shape : tuple of int
        Height and width in pixels, and channels if there are several.
    class_names : tuple of str
        What a person calls the classes.
    source, licence : str
        Whose it is and what may be done with it.
    mirrors : tuple of str
        Addresses of the folders that hold the files, best first.
    checksums : mapping of str to str
        SHA-256 of every file by its name; empty where nothing is to be downloaded.
    """

    name: str
    images: tuple[int, int]
    image_shape: tuple[int, int]
    class_names: tuple[str, ...]
    source: str
    licence: str
    mirrors: tuple[str, ...] = ()
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    def embedded(self) -> bool:
        """Whether it comes with the installation."""
        return not self.checksums


def _listed() -> dict[str, BuiltIn]:
    tables = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text("utf-8"))
    found = {}
    for name, table in tables.items():
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
        }
        found[name] = BuiltIn(name, **values)
    return found


catalogue = _listed()


def names() -> tuple[str, ...]:
    """Return the names of the built-in data sets."""
    return tuple(catalogue)


def find(name: str) -> BuiltIn:
    """Return the built-in data set of that name, or raise `DataError`."""
    if name not in catalogue:
        raise unknown(name, "not the name of a built-in data set")
    return catalogue[name]


def unknown(name: str, what: str) -> DataError:
    """Return the error for a name that means nothing, with what was probably meant."""
    close = difflib.get_close_matches(name.lower().replace("_", "-"), catalogue, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return DataError(
        f"{name!r}: {what}; {hint}give {', '.join(catalogue)}, or where images are read the path of your own "
        "(see `fspinn data -h`)"
    )
