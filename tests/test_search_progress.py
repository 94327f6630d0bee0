"""What a person sees on a terminal while a search is under way: the table stays below the lines."""

import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from fspinn.base import jit
from fspinn.search.constraints import Constraints
from fspinn.search.progress import ROWS, LiveTable

pty = pytest.importorskip("pty")

SEARCH = ("search", "--accuracy", "0.6", "--sizes", "10,16,25", "--samples", "400", "--seeds", "2")


@pytest.fixture
def ledger():
    return SimpleNamespace(minimize=("memory",), constraints=Constraints(0.9))


def table_of(ledger, rows=()):
    table = LiveTable(ledger, "ladder", 1, None, progress=True)
    table._rows = list(rows)
    return table


def lines_of(table, width):
    from rich.console import Console

    console = Console(width=width, color_system=None)
    return ["".join(segment.text for segment in line) for line in console.render_lines(table._table())]


@pytest.mark.parametrize("width", [40, 80, 140])
def test_the_height_of_the_table_stays_the_same(ledger, width):
    row = ("10", "UQ0.2", "proportion", "70.0% (60.0% to 80.0%)", "120 B", "best")
    heights = {len(lines_of(table_of(ledger, [row] * count), width)) for count in range(ROWS + 1)}
    assert len(heights) == 1


def test_a_cold_start_says_that_it_compiles(ledger, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    table = table_of(ledger)
    assert lines_of(table, 100)[0].strip() == f"ladder: 0 trainings, {jit.compiling()}"
    table._networks = 1
    assert lines_of(table, 100)[0].strip() == "ladder: 1 trainings"
    (jit.kernel_folder() / "kernel.nbc").touch()
    assert lines_of(table_of(ledger), 100)[0].strip() == "ladder: 0 trainings"


def test_nothing_but_the_lines_is_left_on_the_terminal(tmp_path):
    main, end = pty.openpty()
    command = [sys.executable, "-m", "fspinn", *SEARCH, "-o", str(tmp_path)]
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    search = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end, env=env)
    os.close(end)
    written = b""
    while True:
        try:
            some = os.read(main, 4096)
        except OSError:  # the other end is closed
            break
        if not some:
            break
        written += some
    os.close(main)
    search.communicate()
    assert search.returncode == 0
    text = written.decode()
    assert "trainings" in text
    screen = [line for line in shown(text) if line]
    assert len(screen) >= 2
    assert all(re.match(r" *\d+ neurons", line) for line in screen)


def shown(text):
    """Return what a terminal shows in the end, as far as the codes go that are used here."""
    screen, row, column = [""], 0, 0
    for match in re.finditer(r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+", text):
        part = match[0]
        if part == "\r":
            column = 0
        elif part == "\n":
            row += 1
            screen += [""] * (row + 1 - len(screen))
        elif match[2] == "A":
            row = max(0, row - int(match[1] or 1))
        elif match[2] == "K":
            screen[row] = ""
        elif match[2] is None:
            line = screen[row].ljust(column)
            screen[row] = line[:column] + part + line[column + len(part) :]
            column += len(part)
    return [line.rstrip() for line in screen]
