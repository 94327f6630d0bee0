"""fspinn train: checkpoints and how a run is resumed, as a person types it."""

import json
import signal

import pytest
from click.testing import CliRunner

from fspinn.backends.numba import engine as numba_backend
from fspinn.cli import main

RUN = ("train", "--neurons", 12, "--set", "duration_ms=50", "--passes", 2)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def interrupted(run, monkeypatch):
    """Stop a run by Ctrl-C in its third batch; return what was answered."""
    original, calls = numba_backend.learn, []

    def learn(plan, spikes, *more):
        calls.append(len(spikes))
        if len(calls) == 4:  # the first is empty and compiles
            raise KeyboardInterrupt
        return original(plan, spikes, *more)

    with monkeypatch.context() as patched:
        patched.setattr(numba_backend, "learn", learn)
        return run(*RUN)


def test_ctrl_c_says_how_to_go_on_and_resume_does(run, interrupted, tmp_path):
    assert interrupted.exit_code == 130
    assert interrupted.stderr == "fspinn: stopped; continue with --resume\n"
    assert [path.name for path in tmp_path.iterdir()] == ["net.h5.checkpoint"]
    resumed = run(*RUN, "--resume")
    assert (resumed.exit_code, resumed.stderr) == (0, "")
    assert run(*RUN, "-o", "whole.h5").exit_code == 0
    assert (tmp_path / "net.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.h5", "whole.h5"]


def test_ctrl_c_before_anything_was_learned_just_stops(run, monkeypatch, tmp_path):
    def stop(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(numba_backend, "learn", stop)
    answer = run(*RUN)
    assert (answer.exit_code, answer.stderr) == (130, "fspinn: stopped\n")
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_run_is_not_started_over_by_mistake(run, interrupted, tmp_path):
    before = (tmp_path / "net.h5.checkpoint").read_bytes()
    answer = run(*RUN)
    assert answer.exit_code == 2
    assert answer.stderr == (
        "fspinn: net.h5.checkpoint: holds a run that was stopped; continue it with resume (--resume), or "
        "remove the file to start from the beginning\n"
    )
    assert (tmp_path / "net.h5.checkpoint").read_bytes() == before


def test_resuming_with_other_settings_is_refused_in_one_line(run, interrupted):
    answer = run(*RUN, "--resume", "--seed", 1, "--set", "learning_rate=0.2")
    assert answer.exit_code == 2
    assert answer.stderr.count("\n") == 1
    assert "seed 0 there, 1 here; learning_rate 0.1 there, 0.2 here)" in answer.stderr


def test_resuming_where_nothing_is_says_so_and_starts(run, tmp_path):
    answer = run(*RUN, "--resume", "--checkpoint-every", 500)
    assert answer.exit_code == 0
    assert answer.stderr == "fspinn: net.h5.checkpoint does not exist; starting from the beginning\n"
    assert [path.name for path in tmp_path.iterdir()] == ["net.h5"]


def test_a_full_disk_is_told_in_one_line(run, interrupted, monkeypatch, tmp_path):
    def fail(source, target):
        raise OSError(28, "No space left on device")

    before = (tmp_path / "net.h5.checkpoint").read_bytes()
    monkeypatch.setattr("os.replace", fail)
    answer = run(*RUN, "--resume", "--checkpoint-every", 1)
    assert answer.exit_code == 2
    assert answer.stderr == (
        "fspinn: net.h5.checkpoint: cannot be written (No space left on device); choose a folder with space "
        "and rights\n"
    )
    assert (tmp_path / "net.h5.checkpoint").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["net.h5.checkpoint"]


def test_the_handler_of_sigterm_is_put_back(run):
    before = signal.getsignal(signal.SIGTERM)
    run(*RUN)
    assert signal.getsignal(signal.SIGTERM) is before


# --- in integers ------------------------------------------------------------------------------------


def test_weights_keep_to_a_format_while_they_are_learned(run, tmp_path):
    answer = run(*RUN, "--weights", "UQ0.4", "-o", "net4.h5")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert "integers only: weights UQ0.4, state Q10.6, theta Q" in answer.stdout
    assert "readout UQ0.8; 0 saturations while learning" in answer.stdout
    told = json.loads(
        run(*RUN, "--weights", "UQ0.4", "--state", "Q8.4", "--rounding", "nearest", "--json").stdout
    )
    assert (told["quantization"]["weights"], told["quantization"]["state"]) == ("UQ0.4", "Q8.4")
    assert told["quantization"]["learning"]["rounding"] == "nearest"
    assert json.loads(run(*RUN, "--json", "-o", "float.h5").stdout)["quantization"] is None
    assert "state Q8.4" in run("info", "net.h5").stdout
    refused = run("quantize", "net4.h5", "--weights", "UQ0.2", "-o", "net2.h5")
    assert refused.exit_code == 2
    assert "already quantized to UQ0.4" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--weights", "UQ0.0"), "UQ0.0: has 0 bits"),
        (("--weights", "UQ0.9"), "weights: UQ0.9 has 9 bits; the integer engine learns with up to 8"),
        (("--weights", "UQ0.4", "--rounding", "up"), "'up' is not a rounding"),
        (("--weights", "UQ0.4", "--state", "Q3.4"), "state: Q3.4 cannot hold the range"),
        (("--rounding", "nearest"), "rounding: goes with weights in integers; give a format of the weights"),
        (("--state", "Q9.4"), "state: goes with weights in integers; give a format of the weights too"),
        (
            ("--weights", "UQ0.4", "--set", "rule=pair"),
            "use normalised or timestep, or quantize after training",
        ),
        (("--weights", "UQ0.4", "--engine", "brian2"), "the engine brian2 does not learn in integers"),
    ],
)
def test_what_cannot_be_learned_in_integers_is_one_line_and_nothing_is_written(
    run, tmp_path, arguments, words
):
    answer = run(*RUN, *arguments)
    assert answer.exit_code == 2
    assert words in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
