"""What has been tried so far? Kept in one file, so that a search that was killed goes on.

The file has one line of JSON for each event, in their order: a search is ``asked`` (with its question), a job
was ``begun``, it is ``done`` (with its result), or its result was ``known`` from another search in this
folder. No network is trained twice. A search that goes on takes its own lines one after the other and so gets
its strategy to where it was (`fspinn.search.execution`); a strategy keeps nothing itself.

The kernel locks the file for as long as the search lives, and frees it when it dies.
"""

import json
import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fspinn.base.errors import ConfigError, DataError, FspinnError, UnfinishedError
from fspinn.base.files import real_file
from fspinn.search.jobs import Context, Job, JobResult, as_plain, result_of

try:
    import fcntl
except ImportError:  # Windows: two searches in one folder are not told apart
    fcntl = None  # type: ignore[assignment]

FILE = "journal.jsonl"

VERSION = 2
"""Of the lines: those of another version are refused."""

OLD_FILE = "study.log"
"""What versions before that of the lines wrote."""

OTHER = "is of another version of fspinn, which this one cannot go on from"
REMEDY = "give another folder with -o, or remove it"


class Journal:
    """All jobs that were done, in a file or, without a folder, only in memory.

    `search` tells the lines of one search from those of others in the same folder; `past` are the events of
    this search that were in the file, with the keys of their jobs. `asked` is for those who follow it
    (`fspinn.search.following`): it is written once.

    Raises
    ------
    ConfigError
        If another search is at work in this folder.
    DataError
        If the file cannot be written or read, or is of another version.
    """

    def __init__(
        self,
        folder: Path | None,
        context: Context,
        search: str = "",
        asked: Mapping[str, Any] | None = None,
    ) -> None:
        self._context, self._search, self._folder = context, search, folder
        self._file: Any = None
        self._is_asked = False
        self._results: dict[str, JobResult] = {}
        self.past: deque[tuple[str, str]] = deque()
        if folder is not None:
            self._open(folder, asked)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def key(self, job: Job) -> str:
        """Return what tells a job from all others in the file."""
        return self._context.key(job)

    def known(self, job: Job) -> JobResult | None:
        """Return the result of a job that was done before."""
        return self._results.get(self.key(job))

    def begin(self, job: Job) -> None:
        """Note that a job is under way."""
        self._write("begun", {"key": self.key(job)})

    def reuse(self, job: Job) -> None:
        """Note that a job is known already."""
        self._write("known", {"key": self.key(job)})

    def end(self, job: Job, result: JobResult) -> None:
        """Note what came out of a job that was begun; a fault is not kept."""
        if result.fault is None:
            self._results[self.key(job)] = result
            self._write("done", {"key": self.key(job), **as_plain(job, result)})

    def _write(self, event: str, more: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        line = {"version": VERSION, "search": self._search, "event": event, **more}
        try:
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise UnfinishedError(
                f"the search could not finish: {self._folder} cannot be written ({error.strerror}); make "
                "space, and the same command goes on"
            ) from None

    def _open(self, folder: Path, asked: Mapping[str, Any] | None) -> None:
        path, old = folder / FILE, folder / OLD_FILE
        if old.exists():
            raise DataError(f"{old}: {OTHER}; {REMEDY}")
        try:
            folder.mkdir(exist_ok=True)
            self._file = open(real_file(path), "ab+")  # noqa: SIM115  # open, and locked, as long as the search
        except OSError as error:
            raise DataError(
                f"{path}: cannot be written ({error.strerror}); choose another folder with -o"
            ) from None
        try:
            if fcntl is not None:
                try:
                    fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    raise ConfigError(
                        f"{folder}: another search is at work there; wait for it, or choose another folder "
                        "with -o"
                    ) from None
            _drop_half_line(self._file)
            self._file.seek(0)
            for number, line in enumerate(self._file, 1):
                self._read(path, number, line)
            if asked is not None and not self._is_asked:
                self._write("asked", {"asked": asked})
        except FspinnError:
            self._file.close()
            raise

    def _read(self, path: Path, number: int, line: bytes) -> None:
        try:
            plain = json.loads(line)
            version = plain["version"]
        except (ValueError, KeyError, TypeError):
            raise DataError(f"{path}: line {number} is damaged; {REMEDY}") from None
        try:
            if version != VERSION:
                raise ValueError
            if plain["event"] == "done":
                self._results[plain["key"]] = result_of(plain)
            if plain["search"] != self._search:
                return
            if plain["event"] == "asked":
                self._is_asked = True
            else:
                self.past.append((plain["event"], plain["key"]))
        except (ValueError, KeyError, TypeError, AttributeError, FspinnError):
            raise DataError(f"{path}: {OTHER} (line {number}); {REMEDY}") from None


def _drop_half_line(file: Any) -> None:
    """Cut off what a kill left of a line that was being written."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    content = file.read()
    whole = content.rfind(b"\n") + 1
    # The disk may have run full or the power off: only the last line can be other than JSON.
    last = content[:whole].rstrip(b"\n").rpartition(b"\n")
    try:
        json.loads(last[2] or b"null")
    except ValueError:
        whole = len(last[0]) + len(last[1])
    if whole < size:
        file.truncate(whole)
