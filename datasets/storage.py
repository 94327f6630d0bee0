"""Where do the files of a built-in data set lie, and how do they get there?"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from fspinn.base.errors import DataError
from fspinn.base.files import real_file
from fspinn.base.streams import on_terminal
from fspinn.datasets.catalogue import BuiltIn, find

_TIMEOUT_S = 20
_CHUNK_BYTES = 1 << 16


def cache_folder() -> Path:
    """Return the folder of this user that downloads go to."""
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
    folders = [*_named_folders(entry, data_dir), *([cache_folder() / entry.name] if data_dir is None else [])]
    return next((folder for folder in folders if not _missing(entry, folder)), None)


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
    for folder in _named_folders(entry, data_dir):
        missing = _missing(entry, folder)
        if data_dir is not None or not missing:
            return download(entry, folder, missing)
    return download(entry, cache_folder() / entry.name, list(entry.checksums))


def folder_for_loading(entry: BuiltIn, data_dir: str | Path | None) -> Path:
    """Return the folder to read from; only the cache is ever filled without being asked to."""
    for folder in _named_folders(entry, data_dir):
        missing = _missing(entry, folder)
        if not missing:
            return folder
        if data_dir is not None or len(missing) < len(entry.checksums):
            origin = "$FSPINN_DATA_DIR" if data_dir is None else "--data-dir"
            raise _file_missing(entry, folder, missing[0], origin)
    return download(entry, cache_folder() / entry.name, list(entry.checksums))


def existing_file(folder: Path, name: str) -> Path | None:
    """Return the file of that original name, compressed or plain; None if there is neither."""
    paths = (folder / name, folder / name.removesuffix(".gz"))
    return next((path for path in paths if os.path.isfile(path)), None)


def download(entry: BuiltIn, folder: Path, files: list[str]) -> Path:
    """Have each of these files in the folder, complete and with the right checksum, and return the folder."""
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
        logger.setLevel("ERROR")  # pooch reports every download on standard error
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
            f"{folder}: cannot be written ({error.strerror or error}); free some space, or give another "
            "folder with --data-dir"
        ) from None
    finally:
        logger.setLevel(level)
    return None


def _named_folders(entry: BuiltIn, data_dir: str | Path | None) -> list[Path]:
    """Return the folder of a data set inside the one that the user has named, if any has been."""
    named = data_dir if data_dir is not None else os.environ.get("FSPINN_DATA_DIR") or None
    return [] if named is None else [Path(os.path.expanduser(named), entry.name)]


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
    nor = ", neither with .gz nor without" if file.endswith(".gz") else ""
    return DataError(f"{folder / file}: no such file{nor}; {fix}")
