"""Pictures in files."""

import os
from pathlib import Path

from matplotlib.figure import Figure

from fspinn.base.errors import ConfigError, DataError
from fspinn.base.files import replaced_when_whole

FORMATS = (".png", ".svg", ".pdf")


def check_format(path: str | os.PathLike[str]) -> None:
    """Raise `ConfigError` if a file's name does not end as that of a picture."""
    if Path(path).suffix.lower() not in FORMATS:
        raise ConfigError(f"{path}: a picture ends in {', '.join(FORMATS)}; give it such a name")


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure to a file; an older file of that name is replaced only when the new one is whole.

    Raises
    ------
    ConfigError
        If the name ends in neither ``.png`` nor ``.svg`` nor ``.pdf``.
    DataError
        If the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    check_format(path)
    try:
        with replaced_when_whole(path) as temporary:
            figure.savefig(temporary, dpi=150, bbox_inches="tight")
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror or error}); choose a folder with space and rights"
        ) from None
