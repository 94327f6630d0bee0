"""Files and folders are whole or not there: written under a temporary name beside them, then renamed.

A link is followed: what it leads to is replaced, and the link stays. What is not a regular file, such as a
device or a pipe, is refused.
"""

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fspinn.base.errors import ConfigError


@contextmanager
def replaced_when_whole(path: Path) -> Iterator[Path]:
    """Give a temporary file to write to, and rename it to `path` if no error came.

    Raises
    ------
    OSError
        If `path` is there and not a regular file, the folder cannot be written to, or the disk is full;
        nothing is left behind.
    """
    target = real_file(path)
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(8)}{path.suffix}")
    try:  # from here on, since Ctrl-C may come before the file is there
        temporary.touch(exist_ok=False)
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def folder_when_whole(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill, and rename it to `path`, new or empty, if no error came."""
    with _refused(path, "choose another folder"):
        target = _new_folder(path)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        try:
            temporary.mkdir()
            yield temporary
            os.replace(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def real_file(path: Path) -> Path:
    """Return the file that would be written for `path`, with links followed; it need not be there.

    Raises
    ------
    OSError
        If something else than a regular file is there, or the links form a loop.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG  # of the file to come
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"{_KINDS.get(stat.S_IFMT(mode), 'Special')}, not a regular file")
    return Path(os.path.realpath(path))


def check_file(path: Path) -> None:
    """Raise `ConfigError` for a file that could not be written, before the work and not after it."""
    with _refused(path, "name another file"):
        target = real_file(path)
        folder = target.parent if path.is_symlink() else path.parent
        _check_there(path, folder)
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "Write-protected")
        _try(folder)


def check_folder(path: Path) -> None:
    """Raise `ConfigError` for a folder, there or to be made in one that is, that could not be written to."""
    with _refused(path, "choose another folder"):
        target = Path(os.path.realpath(path))
        if not os.path.lexists(target):
            target = target.parent if path.is_symlink() else path.parent
            _check_there(path, target)
        _try(target)


def check_new_folder(path: Path) -> None:
    """Raise `ConfigError` for a folder that is not new or empty, or could not be made."""
    with _refused(path, "choose another folder"):
        folder = _new_folder(path).parent
        _check_there(path, folder if path.is_symlink() else path.parent)
        _try(folder)


def _check_there(path: Path, folder: Path) -> None:
    if not folder.exists():
        raise ConfigError(f"{path}: there is no folder {folder}; make it first")


@contextmanager
def _refused(path: Path, fix: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); {fix}") from None


_KINDS = {
    stat.S_IFCHR: "A device",
    stat.S_IFBLK: "A device",
    stat.S_IFIFO: "A pipe",
    stat.S_IFSOCK: "A socket",
}


def _new_folder(path: Path) -> Path:
    target = Path(os.path.realpath(path))
    kind = _KINDS.get(stat.S_IFMT(os.stat(target).st_mode)) if target.exists() else None
    if kind is not None:
        raise OSError(errno.EINVAL, f"{kind}, not a folder")
    if os.path.lexists(target) and not (target.is_dir() and not any(target.iterdir())):
        raise ConfigError(f"{path}: is there already; name a folder that is new or empty")
    return target


def _try(folder: Path) -> None:
    # Rights alone do not say it: the file system may be full, or one that takes no files.
    with tempfile.TemporaryFile(dir=folder):
        pass
