"""Real processes are killed while they train, and go on to the file that an unkilled one writes."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

TRAIN = ("-m", "fspinn", "train", "--neurons", "100", "--passes", "30", "--seed", "3", "-o", "net.h5")
OFTEN = ("--checkpoint-every", "250")

# Dies by SIGKILL in the middle of writing its third checkpoint: before the rename, or right after it.
DIE_WHILE_WRITING = """
import os, signal, sys
from fspinn.cli import main

original, calls = os.{function}, []

def die(*arguments):
    calls.append(1)
    if len(calls) == 3 and {before}:
        os.kill(os.getpid(), signal.SIGKILL)
    original(*arguments)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)

os.{function} = die
main(sys.argv[1:])
"""


def finish(arguments, folder):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Bytes of the file that a run without a stop writes."""
    folder = tmp_path_factory.mktemp("whole")
    finish(TRAIN, folder)
    assert os.listdir(folder) == ["net.h5"]
    return (folder / "net.h5").read_bytes()


def wait_for_a_new(path, process):
    """Return when the process has written its first checkpoint."""
    before = path.stat().st_mtime_ns if path.exists() else None
    while not path.exists() or path.stat().st_mtime_ns == before:
        assert process.poll() is None, "ended before its first checkpoint"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bytes(tmp_path, whole):
    chance = random.Random(0)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, *TRAIN, *OFTEN, "--resume"], cwd=tmp_path)
        wait_for_a_new(tmp_path / "net.h5.checkpoint", process)
        time.sleep(chance.uniform(0, 0.2))
        process.kill()
        assert process.wait() == -signal.SIGKILL
    finish((*TRAIN, "--resume"), tmp_path)
    assert (tmp_path / "net.h5").read_bytes() == whole
    assert os.listdir(tmp_path) == ["net.h5"]


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_writes_ends_with_the_same_bytes(tmp_path, whole):
    left = []
    for function, before in (("fsync", True), ("replace", True), ("replace", False)):
        code = DIE_WHILE_WRITING.format(function=function, before=before)
        arguments = [sys.executable, "-c", code, *TRAIN[2:], *OFTEN, "--resume"]
        assert subprocess.run(arguments, cwd=tmp_path).returncode == -signal.SIGKILL
        left.append(sum(name.startswith(".net.h5.") for name in os.listdir(tmp_path)))
    assert left == [1, 2, 2]
    finish((*TRAIN, "--resume"), tmp_path)
    assert (tmp_path / "net.h5").read_bytes() == whole
    assert os.listdir(tmp_path) == ["net.h5"]


@pytest.mark.slow
def test_ctrl_c_and_sigterm_save_and_say_how_to_go_on(tmp_path, whole):
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            [sys.executable, *TRAIN, *OFTEN, "--resume"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
        )
        wait_for_a_new(tmp_path / "net.h5.checkpoint", process)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert said.splitlines()[-1] == "fspinn: stopped; continue with --resume"
        assert os.listdir(tmp_path) == ["net.h5.checkpoint"]
    finish((*TRAIN, "--resume"), tmp_path)
    assert (tmp_path / "net.h5").read_bytes() == whole


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.3, pytest.param(2.0, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("command", ["train", pytest.param("evaluate", marks=pytest.mark.exhaustive)])
def test_ctrl_c_ends_a_command_also_while_kernels_compile(tmp_path, monkeypatch, whole, command, seconds):
    (tmp_path / "trained.h5").write_bytes(whole)
    kernels = tmp_path / "kernels"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(kernels))
    arguments = {"train": TRAIN, "evaluate": ("-m", "fspinn", "evaluate", "trained.h5")}[command]
    process = subprocess.Popen([sys.executable, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        while not any(kernels.rglob("*.nbc")):
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        interrupted = time.monotonic()
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert time.monotonic() - interrupted < 5  # what is compiled takes three times as long
    assert (process.returncode, said.strip()) == (130, "fspinn: stopped")
    assert set(os.listdir(tmp_path)) == {"trained.h5", "kernels"}
