"""fspinn quantize, as a user types it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from described import dense, model_from, stack_model

from fspinn import datasets
from fspinn import quantize as quantize_on_data
from fspinn.cli import main
from fspinn.learning.training import train
from fspinn.lowering import quantize
from fspinn.model import store
from fspinn.model.model import Readout
from fspinn.network.rules import Stdp

RNG = np.random.default_rng(0)


@pytest.fixture
def model():
    return model_from(
        network=dense(neurons=6, weight_norm=1.0),
        image_shape=(4, 4),
        weights=RNG.random((16, 6), dtype=np.float32),
        theta=np.zeros(6, dtype=np.float32),
        readout=Readout("proportion", RNG.dirichlet(np.ones(3), 6).astype(np.float32)),
        record={"seed": 1, "validation_accuracy": 0.9},
    )


@pytest.fixture
def path(model, tmp_path):
    store.save(model, tmp_path / "net.h5")
    return tmp_path / "net.h5"


def run(*arguments):
    return CliRunner().invoke(main, ["quantize", *map(str, arguments)])


def test_the_written_model_is_the_quantized_one(model, path, tmp_path):
    result = run(path, "--weights", "UQ0.4", "-o", tmp_path / "net4.h5")
    assert result.exit_code == 0, result.output
    expected, written = quantize(model, "UQ0.4"), store.load(tmp_path / "net4.h5")
    np.testing.assert_array_equal(written.layer.weights.numbers, expected.layer.weights.numbers)
    np.testing.assert_array_equal(written.readout.table, expected.readout.table)
    assert (written.layer.weights.format, written.readout.format) == (
        expected.layer.weights.format,
        expected.readout.format,
    )
    assert dict(written.record) == dict(expected.record)
    for words in (
        "float32 -> UQ0.4, rounding nearest",
        "saturated",
        "proportion: float32 -> UQ0.8",
        " B -> ",
    ):
        assert words in result.output


def test_json_says_the_bits_before_and_after(path, tmp_path):
    result = run(path, "--weights", "UQ0.4", "--rounding", "truncate", "-o", tmp_path / "net4.h5", "--json")
    answer = json.loads(result.stdout)
    assert answer["model"] == str(tmp_path / "net4.h5")
    assert (answer["weights"], answer["readout"], answer["rounding"]) == ("UQ0.4", "UQ0.8", "truncate")
    assert answer["memory_bits"]["before"]["weights"] == 16 * 6 * 32
    assert answer["memory_bits"]["after"]["weights"] == 16 * 6 * 4
    for memory in answer["memory_bits"].values():
        assert memory.pop("total") == sum(memory.values())


def test_labels_stay_labels(model, tmp_path):
    labels = replace(model, readout=Readout("majority", np.eye(6, 3, dtype=np.float32)))
    store.save(labels, tmp_path / "net.h5")
    result = run(tmp_path / "net.h5", "--weights", "UQ0.4", "-o", tmp_path / "net4.h5")
    assert "majority: one label per neuron, as before" in result.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--weights", "int4"], "'int4' is not a number format"),
        (["--weights", "UQ0.0"], "UQ0.0: has 0 bits"),
        (["--weights", "UQ8.0", "--rounding", "truncate"], "no weight survives UQ8.0"),
        (["--weights", "UQ0.4", "--rounding", "up"], "'up' is not a rounding"),
        (["--weights", "UQ0.4", "--state", "Q2.6"], "state: Q2.6 cannot hold the range"),
        (["--weights", "UQ0.4", "--state", "Q9.16"], "state: Q9.16 has 25 bits"),
        (["--weights", "UQ0.4", "--state", "Q9.6", "--theta", "Q3.7"], "theta: Q3.7 is finer"),
        (["--weights", "UQ0.4", "--theta", "Q3.4"], "theta: goes with the state"),
        (["--weights", "UQ0.4", "--readout", "five"], "'five' is not a number format"),
        ([], "--weights: give the format of the weights, or --auto to find it"),
        (["--auto", "--weights", "UQ0.4"], "--auto: finds weights, state, theta and readout; leave them out"),
        (["--auto", "--state", "Q9.6"], "--auto: finds weights, state, theta and readout; leave them out"),
        (["--auto"], "dataset: the model does not say what it was trained on; name the data set"),
        (["--weights", "UQ0.4", "--tune"], "dataset: the model does not say what it was trained on"),
        (["--weights", "UQ0.4", "--prune", "--dataset", "own.npz"], "prune: only a network in integers"),
        (["--weights", "UQ0.4", "--dataset", "nothing"], "nothing"),
        (["--weights", "UQ0.4", "--dataset", "digits"], "8 x 8 pixels do not fit a model for 4 x 4"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(path, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    np.savez("own.npz", images=np.zeros((60, 4, 4), np.uint8), labels=np.arange(60) % 3)
    result = run(path, *options, "-o", tmp_path / "net4.h5")
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.h5", "own.npz"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--weights", "UQ0.4", "--tune"],
            "tune: chooses threshold and inhibition of a network of one layer, and this one has 2; "
            "leave --tune out",
        ),
        (
            ["--auto"],
            "formats: found for networks of one layer, and this one has 2; give --weights and --state in the "
            "place of --auto",
        ),
    ],
)
def test_what_works_for_one_layer_refuses_a_stack_at_once(tmp_path, options, words):
    store.save(stack_model(), tmp_path / "stack.h5")
    images = np.full((40, 4, 4), 200, np.uint8)
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(40) % 3)
    result = run(
        tmp_path / "stack.h5", *options, "--dataset", tmp_path / "own.npz", "-o", tmp_path / "small.h5"
    )
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"fspinn: {words}\n")
    assert not (tmp_path / "small.h5").exists()


def test_where_nothing_can_be_measured_it_says_why_and_goes_on(path, tmp_path):
    result = run(path, "--weights", "UQ0.4", "--state", "Q6.6", "-o", tmp_path / "net4.h5", "--json")
    assert result.exit_code == 0
    assert result.stderr == (
        "fspinn: accuracy is not measured: dataset: the model does not say what it was trained on; name the "
        "data set\n"
    )
    answer = json.loads(result.stdout)
    assert answer["accuracy"] == {"before": None, "after": None}
    assert (answer["state"], answer["theta"]) == ("Q6.6", "Q1.6")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "net.h5"
    network = dense(neurons=20, duration_ms=100.0)
    store.save(train(network, datasets.load("digits"), learner=Stdp(passes=2), progress=False).model, path)
    return path


def test_a_whole_network_in_integers_says_what_each_step_cost(trained, tmp_path):
    output = tmp_path / "net4.h5"
    arguments = ("--weights", "UQ0.4", "--state", "Q9.6", "--shift-leak", "--tune", "--prune", "-o", output)
    result = run(trained, *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    names = ["leak", "weights", "state", "tuning", "neurons", "pixels", "readout", "memory", "accuracy"]
    assert [line.split()[0] for line in lines] == [*names, "written"]
    assert all("points" in line and re.search(r"saves [\d.]+ (B|KiB);", line) for line in lines[:7])
    evaluated = CliRunner().invoke(main, ["evaluate", str(output), "--split", "validation", "--json"])
    answer = json.loads(evaluated.stdout)
    assert f"-> {answer['accuracy']:.2%} on 239 validation images" in lines[8]
    assert answer["saturations"] == 0
    said = CliRunner().invoke(main, ["info", str(output)]).stdout
    assert f"{answer['accuracy']:.2%} on validation images" in said
    run(trained, *arguments, "--samples", 50)
    assert "not measured; try `fspinn evaluate`" in CliRunner().invoke(main, ["info", str(output)]).stdout
    told = CliRunner().invoke(main, ["evaluate", str(output)]).stdout
    assert "integers only; 0 saturations" in told


def test_a_linear_readout_of_few_bits_is_fitted_where_the_images_are_there(tmp_path):
    data, network = datasets.load("digits"), dense(neurons=20, duration_ms=100.0)
    model = train(network, data, learner=Stdp(passes=2), readout="linear", progress=False).model
    store.save(model, tmp_path / "net.h5")
    words = ("--weights", "UQ0.4", "--readout", "Q1.2", "-o", tmp_path / "small.h5")
    told = run(tmp_path / "net.h5", *words)
    assert "linear: float32 -> Q1.2, fitted with its rounding; saves" in told.stdout
    assert json.loads(run(tmp_path / "net.h5", *words, "--json").stdout)["readout_fitted"] is True
    fitted = quantize_on_data(model, "UQ0.4", readout="Q1.2", data=data)
    np.testing.assert_array_equal(store.load(tmp_path / "small.h5").readout.table, fitted.readout.table)
    # Without the images it is rounded.
    unknown = replace(model, record={name: model.record[name] for name in ("seed", "class_names")})
    store.save(unknown, tmp_path / "net.h5")
    result = run(tmp_path / "net.h5", *words, "--json")
    assert json.loads(result.stdout)["readout_fitted"] is False
    rounded = quantize(model, "UQ0.4", readout="Q1.2")
    np.testing.assert_array_equal(store.load(tmp_path / "small.h5").readout.table, rounded.readout.table)


def test_auto_finds_formats_and_says_how(trained, tmp_path):
    output = tmp_path / "small.h5"
    result = run(trained, "--auto", "--max-loss", 2, "--samples", 100, "-o", output)
    assert (result.exit_code, result.stderr) == (0, "")
    assert {"none", "weights", "state", "theta", "readout", "all"} <= {
        line.split()[0] for line in result.stdout.splitlines()
    }
    small = store.load(output)
    answer = json.loads(
        run(trained, "--auto", "--max-loss", 2, "--samples", 100, "-o", output, "--json").stdout
    )
    assert answer["weights"] == str(small.layer.weights.format)
    assert answer["trials"][0]["varied"] == "none"
    assert answer["trials"][0]["choice"].keys() == {"weights", "state", "theta", "readout"}
    before, after = answer["accuracy"]["before"], answer["accuracy"]["after"]
    assert before - after <= 0.02
    assert answer["memory_bits"]["after"]["total"] < answer["memory_bits"]["before"]["total"] / 3


def test_a_loss_that_makes_no_sense_is_refused(trained, tmp_path):
    result = run(trained, "--auto", "--max-loss", -1, "-o", tmp_path / "small.h5")
    assert (result.exit_code, result.stderr) == (2, "fspinn: max_loss: must be at least 0, but got -1\n")
    assert list(tmp_path.iterdir()) == []


def test_a_loss_without_formats_to_find_is_refused(trained, tmp_path):
    result = run(trained, "--weights", "UQ0.4", "--max-loss", 1, "-o", tmp_path / "small.h5")
    assert result.exit_code == 2
    assert result.stderr.startswith("fspinn: --max-loss: is what formats may cost that are found; add --auto")
    assert list(tmp_path.iterdir()) == []


def test_a_quantized_file_is_refused(path, tmp_path):
    run(path, "--weights", "UQ0.4", "-o", tmp_path / "net4.h5")
    result = run(tmp_path / "net4.h5", "--weights", "UQ0.2", "-o", tmp_path / "net2.h5")
    assert result.exit_code == 2
    assert "already quantized to UQ0.4" in result.stderr
    assert not (tmp_path / "net2.h5").exists()


def test_the_model_itself_is_never_overwritten(path, tmp_path):
    before = path.read_bytes()
    (tmp_path / "same.h5").symlink_to(path)
    for output in (path, tmp_path / "same.h5"):
        result = run(path, "--weights", "UQ0.4", "-o", output)
        assert result.exit_code == 2
        assert "is the model itself; give the quantized model another name" in result.stderr
    assert path.read_bytes() == before
