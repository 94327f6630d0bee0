"""The page about a search that is under way, for a browser on this machine."""

import hashlib
import json
import os
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from fspinn.base.errors import DataError, FspinnError
from fspinn.base.version import __version__
from fspinn.model.store import load
from fspinn.report.page import NAME, document, read_answer, sections, words_about
from fspinn.search.following import Following
from fspinn.search.journal import FILE
from fspinn.search.question import RESULT

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class LiveReport:
    """What there is to say of a folder, made anew when its files have changed.

    Raises
    ------
    DataError
        If there is no such folder, or it is not that of a search.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._following = folder, Following(folder)
        self._lock, self._made = threading.Lock(), ""
        self._files: tuple[float, float] | None = None
        if folder.is_file():
            raise DataError(f"{folder}: is a file; name the folder that `fspinn search -o` writes")
        if not folder.is_dir():
            raise DataError(f"{folder}: there is no such folder; start `fspinn search -o {folder}` first")
        try:
            foreign = self._changed() == (0, 0) and any(folder.iterdir())
        except OSError as error:
            raise DataError(f"{folder}: cannot be read ({error.strerror}); correct its rights") from None
        if foreign:
            raise DataError(f"{folder}: holds no search; name the folder that `fspinn search -o` writes")
        self._state_and_sections()

    def data(self) -> str:
        """Return, as JSON, the state of the search in a sentence and the sections of the page."""
        with self._lock:
            files = self._changed()
            if files != self._files:
                try:
                    state, html = self._state_and_sections()
                except (FspinnError, OSError) as error:
                    state, html = str(error), ""
                self._made, self._files = json.dumps({"state": state, "html": html}), files
            return self._made

    def _changed(self) -> tuple[float, float]:
        """Return when journal and result were last written; 0 where they are not there."""

        def when(name: str) -> float:
            try:
                return os.stat(self._folder / name).st_mtime_ns
            except FileNotFoundError:
                return 0

        return when(FILE), when(RESULT)

    def _state_and_sections(self) -> tuple[str, str]:
        journal, result = self._changed()
        if result > journal:  # else it is that of an earlier search, or this one goes on
            answer = read_answer(self._folder / RESULT)
            model = load(self._folder / "smallest.h5") if answer["found"] else None
            words = words_about(answer, model)
            whole = f"The page to keep is {self._folder / NAME}."
            return f"The search has finished. {whole}", sections(words)
        so_far = self._following.so_far()
        if so_far is None:
            return "The search has not begun to train networks yet.", ""
        last = time.strftime("%H:%M:%S", time.localtime(journal / 1e9))
        return f"The search has not finished; last news at {last}.", sections(words_about(so_far, None))


class _Server(ThreadingHTTPServer):
    """Serves one page and its data, on this machine only."""

    daemon_threads = True

    def __init__(self, report: LiveReport) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.report = report
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = f"fspinn/{__version__}", ""
    timeout = 10

    def do_GET(self) -> None:
        """Answer with the page or its data."""
        # A site whose name was made to lead here sends its own name.
        if self.headers.get_all("Host") not in [[host] for host in self.server.hosts]:
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.path == "/":
            self._answer("text/html", document({"answer": None}, state="Reading the journal."))
        elif self.path == "/data.json":
            self._answer("application/json", self.server.report.data())
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET

    def _answer(self, kind: str, text: str) -> None:
        content = text.encode("utf-8", errors="replace")
        version = f'"{hashlib.sha256(content).hexdigest()}"'
        known = self.headers.get("If-None-Match") == version
        self.send_response(HTTPStatus.NOT_MODIFIED if known else HTTPStatus.OK)
        for name, value in {**_HEADERS, "ETag": version}.items():
            self.send_header(name, value)
        if not known:
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not known and self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def live_report(folder: str | Path) -> _Server:
    """Return a server of the page about the search in a folder, which may be under way.

    It listens on a free port of 127.0.0.1, and answers once its `serve_forever` is called.

    Raises
    ------
    DataError
        If there is no such folder, or it is not that of a search.
    """
    return _Server(LiveReport(Path(folder)))
