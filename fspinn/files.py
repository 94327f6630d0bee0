"""Files and folders are whole or not there: written under a temporary name beside them, then renamed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fspinn.errors import ConfigError


@contextmanager
def replaced_when_whole(path: Path) -> Iterator[Path]:
    """Give a temporary file to write to, and rename it to `path` if no error came.

    Raises
    ------
    OSError
        If the folder cannot be written to, or the disk is full; nothing is left behind.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def folder_when_whole(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill, and rename it to `path` if no error came.

    Raises
    ------
    ConfigError
        If there is something in the way, or the folder cannot be written; nothing is left behind.
    """
    try:
        if path.is_symlink() or (path.exists() and not (path.is_dir() and not any(path.iterdir()))):
            raise ConfigError(f"{path}: is there already; name a folder that is new or empty")
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield temporary
            os.chmod(temporary, 0o777 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); choose another folder") from None


def _umask() -> int:
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
