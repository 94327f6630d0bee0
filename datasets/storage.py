"""Where do the files of a built-in data set lie, and how do they get there?"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from fspinn.base.errors import DataError
from fspinn.base.files import real_file
from fspinn.base.streams import on_terminal
from fspinn.datasets.catalogue import BuiltIn, find

_TIMEOUT_S = 20
_CHUNK_BYTES = 1 << 16


def cache_folder() -> Path:
    """Return the folder of this user that downloads go to."""
    import platformdirs

    return platformdirs.user_cache_path("fspinn")


def locate(name: str, data_dir: str | Path | None = None) -> Path | None:
    """Return the folder that holds all files of a built-in data set; None if it is embedded or not there.

    Sought in `data_dir`, if given and nowhere else; without it in ``$FSPINN_DATA_DIR`` and in the cache.

    Parameters
    ----------
    name : str
        One of `fspinn.datasets.names()`.
    data_dir : str or Path, optional
        Folder that holds ``mnist/``, ``fashion-mnist/``, ...
    """
    entry = find(name)
    if entry.embedded:
        return None
    places = [*_environment_folder(), cache_folder()] if data_dir is None else [_expanded(data_dir)]
    for place in places:
        if not _missing(entry, place / entry.name):
            return place / entry.name
    return None


def fetch(name: str, data_dir: str | Path | None = None) -> Path | None:
    """Download what is missing of a built-in data set and return its folder; None if it is embedded.

    A progress bar is shown if standard error is a terminal.

    Parameters
    ----------
    name : str
        One of `fspinn.datasets.names()`.
    data_dir : str or Path, optional
        Put the files into the folder `name` in here, and leave files alone that are there already.
        Without it, ``$FSPINN_DATA_DIR`` is looked at, then the files go to this user's cache folder.

    Raises
    ------
    DataError
        If there is no such data set, or no mirror has the files.
    """
    entry = find(name)
    if entry.embedded:
        return None
    if data_dir is not None:
        folder = _expanded(data_dir) / entry.name
        return download(entry, folder, _missing(entry, folder))
    for place in _environment_folder():
        if not _missing(entry, place / entry.name):
            return place / entry.name
    return download(entry, cache_folder() / entry.name, list(entry.checksums))


def folder_for_loading(entry: BuiltIn, data_dir: str | Path | None) -> Path:
    """Return the folder to read from; only the cache is ever filled without being asked to."""
    if data_dir is None:
        for place in _environment_folder():
            folder = place / entry.name
            missing = _missing(entry, folder)
            if not missing:
                return folder
            if len(missing) < len(entry.checksums):
                raise _file_missing(entry, folder, missing[0], "$FSPINN_DATA_DIR")
        return download(entry, cache_folder() / entry.name, list(entry.checksums))
    place = _expanded(data_dir)
    missing = _missing(entry, place / entry.name)
    if missing:
        raise _file_missing(entry, place / entry.name, missing[0], "--data-dir")
    return place / entry.name


def existing_file(folder: Path, name: str) -> Path | None:
    """Return the file of that original name, compressed or plain; None if there is neither."""
    for path in (folder / name, folder / name.removesuffix(".gz")):
        if os.path.isfile(path):
            return path
    return None


def download(entry: BuiltIn, folder: Path, files: list[str]) -> Path:
    """Have each of these files in the folder, with the right checksum, and return the folder.

    A file appears under its name only when it is complete and its checksum right. One that is there
    already with another checksum is replaced.
    """
    mirrors = list(entry.mirrors)
    for file in files:
        failures = []
        for mirror in tuple(mirrors):
            failure = _download_file(entry, folder, file, mirror)
            if failure is None:
                # Who answered is asked first for the next file: a dead mirror costs its timeout once.
                mirrors.remove(mirror)
                mirrors.insert(0, mirror)
                break
            failures.append(f"{urlsplit(mirror).netloc}: {failure}")
        else:
            raise DataError(
                f"{entry.name}: {file} cannot be downloaded ({'; '.join(failures)}); check the network, or "
                f"put the files into FOLDER/{entry.name}/ and give --data-dir FOLDER"
            )
    return folder


def _download_file(entry: BuiltIn, folder: Path, file: str, mirror: str) -> str | None:
    """Try one mirror; return None when the file is there, else what went wrong in a few words."""
    import pooch
    import requests

    logger = pooch.get_logger()
    level = logger.level
    terminal = on_terminal()
    if not terminal:
        logger.setLevel("ERROR")  # pooch tells every download on standard error
    try:
        target = real_file(folder / file)  # pooch would replace a link, and wait for a pipe
        pooch.retrieve(
            url=mirror + file,
            known_hash=entry.checksums[file],
            fname=target.name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(
                progressbar=terminal,
                chunk_size=_CHUNK_BYTES,
                timeout=_TIMEOUT_S,
                # A server that adds an encoding of its own would have requests undo that of the file too.
                headers={"Accept-Encoding": "identity"},
            ),
        )
    except requests.HTTPError as error:
        return str(error).split(" for url")[0]
    except requests.Timeout:
        return "no answer in time"
    except requests.RequestException:
        return "no connection or a broken one"
    except ValueError:
        return "wrong checksum"
    except OSError as error:
        raise DataError(
            f"{folder}: cannot write here ({error.strerror or error}); free some space or give another folder "
            "with --data-dir"
        ) from None
    finally:
        logger.setLevel(level)
    return None


def _environment_folder() -> list[Path]:
    folder = os.environ.get("FSPINN_DATA_DIR")
    return [_expanded(folder)] if folder else []


def _expanded(folder: str | Path) -> Path:
    return Path(os.path.expanduser(folder))


def _missing(entry: BuiltIn, folder: Path) -> list[str]:
    return [file for file in entry.checksums if existing_file(folder, file) is None]


def _file_missing(entry: BuiltIn, folder: Path, file: str, origin: str) -> DataError:
    if existing_file(folder.parent, file):
        fix = f"it lies in {folder.parent}: move the files into the folder {entry.name} in there"
        if folder.parent.name == entry.name:
            fix = f"it lies in {folder.parent}: give the folder above that one, {folder.parent.parent}"
    else:
        fix = (
            f"run `fspinn data fetch {entry.name} --data-dir {folder.parent}`, or leave {origin} out to "
            "download to the cache"
        )
    return DataError(f"{folder / file}: no such file, neither with .gz nor without; {fix}")
