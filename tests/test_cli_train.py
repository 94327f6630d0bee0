"""fspinn train: checkpoints and how a run is resumed, as a person types it."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fspinn.backends.numba import engine as numba_backend
from fspinn.cli import main
from fspinn.model import load
from fspinn.network import Network, Ranked

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


def test_a_field_makes_a_column_that_evaluates(run):
    made = run("train", "--neurons", 4, "--field", 3, "--cells", "2x3", "--json")
    assert made.exit_code == 0
    assert json.loads(made.stdout)["readout"] == "linear"
    layer = load("net.h5").network.layers[0]
    assert (layer.neurons, layer.field, layer.cells, layer.inhibition.kind) == (4, (3, 3), (2, 3), "first")
    assert json.loads(run("evaluate", "net.h5", "--json").stdout)["accuracy"] > 0.6


STACK = """
neurons = 6
field = 3
cells = 2
passes = 3
readout = "proportion"

[layers.2]
neurons = 20
"""


def test_tables_of_a_file_add_layers_and_options_change_them(run, tmp_path):
    Path("stack.toml").write_text(STACK)
    assert run("train", "--config", "stack.toml", "--set", "layers.2.answer_ms=5").exit_code == 0
    priced = run("estimate", "net.h5", "--hardware", "mcu-m4f")
    assert priced.exit_code == 0
    assert priced.stderr.startswith("net.h5: computes with floats, of which no program is made")
    column, prototypes = load("net.h5").network.layers
    assert (column.neurons, column.field, column.cells) == (6, (3, 3), (2, 2))
    assert (prototypes.neurons, prototypes.inhibition) == (20, Ranked(answer_ms=5.0))
    shown = run("info", "net.h5").stdout
    assert "layer 2" in shown
    assert "20 neurons that see all 24 inputs" in shown
    assert json.loads(run("evaluate", "net.h5", "--json").stdout)["accuracy"] > 0.6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("layers.2.neuron=3", "unknown setting 'layers.2.neuron'; did you mean layers.2.neurons? "),
        ("layers.2.neurons=many", "layers.2.neurons: 'many' is not a whole number; give one"),
        ("layers.11.neurons=3", "layers: number 11 is above 10; count them from 1 on"),
        ("layers.3.neurons=3", "layers.3: there is no number 2 before it; number them in a row"),
        ("layers.2.neurons=0", "layers.2.neurons: must be from 1 to 1000000, but got 0"),
    ],
)
def test_a_layer_that_makes_no_sense_is_one_line_and_nothing_is_written(run, tmp_path, words, said):
    answer = run("train", "--neurons", 4, "--field", 3, "--set", words)
    assert answer.exit_code == 2
    assert answer.stderr.startswith(f"fspinn: {said}")
    assert answer.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_brian2_learns_a_column_as_numba_does(run):
    options = ("--neurons", 4, "--field", 3, "--samples", 40, "--set", "positions=2", "--passes", 1)
    assert run("train", *options, "--engine", "brian2", "-o", "brian2.h5").exit_code == 0
    assert run("train", *options, "-o", "numba.h5").exit_code == 0
    mine, other = load("brian2.h5"), load("numba.h5")
    assert mine.activity == other.activity
    np.testing.assert_allclose(mine.layers[0].weights.values, other.layers[0].weights.values, atol=1e-5)


def test_without_a_field_a_network_stays_dense(run):
    assert run("train", "--samples", 40, "--neurons", 4, "--set", "field=none").exit_code == 0
    assert load("net.h5").network == Network.dense(4, neuron=load("net.h5").network.layers[0].neuron)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--field", 9], "field: 9 x 9 does not fit an input of 8 x 8; make it smaller"),
        (["--field", 3, "--cells", 7], "cells: 7 x 7 are more than the 6 x 6 positions; make fewer"),
        (["--field", ""], "field: '' is not a size; give one"),
        (["--field", 0], "field: must be from 1 to 2147483648, but got 0"),
        (["--field", 3, "--set", "stride=0"], "stride: must be from 1 to 2147483648, but got 0"),
        (
            ["--field", 3, "--set", "threshold=500"],
            "threshold: no neuron ever spiked in ",
        ),
    ],
)
def test_a_field_that_makes_no_sense_is_one_line_and_nothing_is_written(run, tmp_path, words, said):
    answer = run("train", "--neurons", 4, "--passes", 1, *words)
    assert answer.exit_code == 2
    assert answer.stderr.startswith(f"fspinn: {said}")
    assert answer.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
