"""What a command ends with: exit statuses, output that nobody takes, faults of our own."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fspinn.cli import main

FULL = Path("/dev/full")
SHOWN = ["hardware show asic65-lp", "hardware show asic65-lp --json", "--help", "train --help", "--version"]
needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
needs_bash = pytest.mark.skipif(os.name == "nt", reason="needs a shell of POSIX")


def shell(words, unbuffered=False):
    """Run `fspinn` in a shell; `{fspinn}` stands for it."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1" if unbuffered else ""}
    command = words.format(fspinn=f"{sys.executable} -m fspinn")
    return subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True)


@pytest.fixture
def failing(monkeypatch, tmp_path):
    """Run `fspinn fail`, which raises an error, with a temporary folder of its own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def run(error):
        @click.command()
        def fail():
            raise error

        monkeypatch.setitem(main.commands, "fail", fail)
        return CliRunner().invoke(main, ["fail"], prog_name="fspinn")

    return run


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("one\ntwo"), "ValueError: one"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (
            FileNotFoundError(errno.ENOENT, "No such file", "x"),
            "FileNotFoundError: [Errno 2] No such file: 'x'",
        ),
        (MemoryError(), "MemoryError"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "RuntimeError: BrokenPipeError [Errno 32] Broken pipe"),
        (EOFError(), "RuntimeError: EOFError"),
    ],
)
def test_a_fault_of_ours_is_one_line_and_a_file_with_the_traceback(failing, tmp_path, error, words):
    answer = failing(error)
    (file,) = tmp_path.iterdir()
    assert answer.exit_code == 70
    assert (
        answer.stderr == f"fspinn: a fault of fspinn, not of yours ({words}); please report it with {file}\n"
    )
    assert answer.stdout == ""
    assert "raise error" in file.read_text()
    assert type(error).__name__ in file.read_text()


def test_a_fault_whose_traceback_cannot_be_written_is_one_line_as_well(failing, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/no/such/folder")
    answer = failing(ValueError("odd"))
    assert answer.exit_code == 70
    assert answer.stderr == (
        "fspinn: a fault of fspinn, not of yours (ValueError: odd); its traceback cannot be written "
        "(No such file or directory)\n"
    )


def test_a_full_disk_is_not_a_fault(failing, tmp_path):
    answer = failing(OSError(errno.ENOSPC, "No space left on device", "cache/x"))
    assert (answer.exit_code, answer.stderr) == (
        2,
        "fspinn: cache/x: No space left on device; free some space\n",
    )
    answer = failing(OSError(errno.ENOSPC, "No space left on device"))
    assert (answer.exit_code, answer.stderr) == (
        2,
        "fspinn: a file: No space left on device; free some space\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_the_statuses_are_in_the_help():
    text = CliRunner().invoke(main, ["--help"]).stdout
    listed = [
        line.split()[0]
        for line in text.partition("Exit status:")[2].partition("Options:")[0].splitlines()[1:]
        if line
    ]
    assert listed == ["0", "1", "2", "3", "70", "130"]


@needs_full
@needs_bash
@pytest.mark.parametrize("unbuffered", [True, False])
@pytest.mark.parametrize("words", SHOWN)
def test_an_answer_that_cannot_be_written_is_one_line(words, unbuffered):
    answer = shell(f"{{fspinn}} {words} > /dev/full", unbuffered)
    assert answer.returncode == 2
    assert answer.stderr == (
        "fspinn: standard output: cannot be written (No space left on device); free some space, or write "
        "elsewhere\n"
    )


@needs_bash
@pytest.mark.parametrize("unbuffered", [True, False])
@pytest.mark.parametrize("words", SHOWN)
def test_a_reader_that_goes_away_is_no_news(words, unbuffered):
    answer = shell(f"{{fspinn}} {words} | true; exit ${{{{PIPESTATUS[0]}}}}", unbuffered)
    assert (answer.returncode, answer.stderr) == (141, "")


@needs_bash
@pytest.mark.parametrize(
    "streams", ["<&- >&- 2>&-", pytest.param(">&- 2>/dev/full", marks=pytest.mark.exhaustive)]
)
def test_a_training_needs_no_streams(streams, tmp_path):
    if "full" in streams and not FULL.exists():
        pytest.skip("needs /dev/full")
    path = tmp_path / "net.h5"
    answer = shell(
        "{fspinn} train --neurons 5 --set duration_ms=50 --samples 40 --passes 1 --resume "
        f"-o {path} {streams}"
    )
    assert answer.returncode == 0
    assert [file.name for file in tmp_path.iterdir()] == ["net.h5"]
    assert shell(f"{{fspinn}} evaluate {path} --samples 5 {streams}").returncode == 0


@needs_bash
def test_bad_input_has_its_status_without_streams():
    assert shell("{fspinn} evaluate missing.h5 >&- 2>&-").returncode == 2
    assert shell("{fspinn} --bogus >&- 2>&-").returncode == 2
