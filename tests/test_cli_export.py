"""fspinn export, as a user types it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from described import dense, model_from, stack_model
from exported_programs import model_of

from fspinn import datasets
from fspinn.cli import main
from fspinn.lowering import quantize
from fspinn.model import store
from fspinn.model.model import Readout

NETWORK = dense(neurons=5, duration_ms=40.0, weight_norm=1.0, threshold=3.0)
FILES = ["Makefile", "README.md", "network.c", "network.h", "src", "test"]


@pytest.fixture
def path(tmp_path):
    store.save(model_of(NETWORK, pixels=(8, 8)), tmp_path / "net4.h5")
    return tmp_path / "net4.h5"


@pytest.fixture
def images(tmp_path):
    """The digits of the three classes that the model has."""
    split = datasets.load("digits").train
    which = split.labels < 3
    np.savez(tmp_path / "own.npz", images=split.images[which], labels=split.labels[which])
    return tmp_path / "own.npz"


def run(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def test_a_folder_holds_the_program_and_images_of_the_data_set(path, images, tmp_path):
    out = tmp_path / "out"
    result = run(path, "--target", "c", "-o", out, "--dataset", images, "--samples", 3)
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in out.iterdir()) == FILES
    assert f"written   {out}" in result.stdout
    assert (out / "test" / "samples.bin").read_bytes()[:4] == bytes([3, 0, 0, 0])
    assert "5 neurons, 64 inputs, 40 time steps" in (out / "README.md").read_text()
    assert "@" not in (out / "README.md").read_text() + (out / "network.h").read_text()
    assert out.stat().st_mode & 0o055  # others may read it, as the umask says


def test_a_name_is_that_of_the_files_and_of_all_that_a_caller_sees(path, tmp_path):
    result = run(path, "--target", "c", "-o", tmp_path / "out", "--name", "Digits_2")
    assert f"written   {tmp_path / 'out'}: Digits_2.h, Digits_2.c, and a test" in result.stdout
    assert "int16_t Digits_2_answer(Digits_2_state *state, " in (tmp_path / "out" / "Digits_2.h").read_text()


def test_json_says_what_was_written(path, images, tmp_path):
    out = tmp_path / "out"
    result = run(path, "--target", "c", "-o", out, "--dataset", images, "--seed", 7, "--json")
    assert json.loads(result.stdout) == {"target": "c", "output": str(out)}
    assert "#define FSPINN_SEED 7" in (out / "network.c").read_text()


def test_without_images_the_program_is_tested_on_noise(path, tmp_path):
    result = run(path, "--target", "c", "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert result.stderr == (
        "fspinn: the program is tested on noise: dataset: the model does not say what it was trained on; "
        "name the data set\n"
    )
    assert (tmp_path / "out" / "test" / "samples.bin").read_bytes()[:4] == bytes([5, 0, 0, 0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "vhdl", "-o", "out"], "'vhdl' is not"),
        (["--target", "c"], "Missing option '-o'"),
        (["-o", "out"], "Missing option '--target'"),
        (["--target", "c", "-o", "/dev/null"], "cannot be written (A device, not a folder); choose another"),
        (["--target", "c", "-o", "."], "is there already; name a folder that is new or empty"),
        (["--target", "c", "-o", "out", "--dataset", "cifar"], "cifar"),
        (["--target", "c", "-o", "out", "--samples", "0"], "--samples"),
        (
            ["--target", "c", "-o", "out", "--name", "two words"],
            "'two words' cannot be the name of a network in C",
        ),
        (["--target", "c", "-o", "out", "--name", "int"], "but not a word that C has"),
        (
            ["--target", "nir", "-o", "net.nir", "--name", "digits"],
            "--name, --hardware: a graph of NIR has none",
        ),
        (["--target", "nir", "-o", "net4.h5"], "is the model itself; name another file"),
        (["--target", "nir", "-o", "."], "cannot be written (Is a directory); name another file"),
        (["--target", "nir", "-o", "net.nir", "--samples", "2"], "a graph of NIR has no images; leave them"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(path, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    result = run(path, *options)
    assert result.exit_code == 2
    assert words in result.stderr.splitlines()[-1]
    assert [p.name for p in tmp_path.iterdir()] == ["net4.h5"]


def test_a_model_in_floats_asks_for_a_state(tmp_path):
    random = np.random.default_rng(0)
    model = model_from(
        network=NETWORK,
        image_shape=(8, 8),
        weights=random.random((64, 5), dtype=np.float32),
        theta=np.zeros(5, dtype=np.float32),
        readout=Readout("proportion", random.dirichlet(np.ones(3), 5).astype(np.float32)),
    )
    store.save(model, tmp_path / "net.h5")
    result = run(tmp_path / "net.h5", "--target", "c", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr == (
        "fspinn: state: the model computes with floats; quantize first with --state, such as Q9.6\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_stack_is_refused_by_nir(tmp_path):
    store.save(stack_model(), tmp_path / "stack.h5")
    result = run(tmp_path / "stack.h5", "--target", "nir", "-o", tmp_path / "net.nir")
    assert result.exit_code == 2
    assert result.stderr == (
        "fspinn: layers: NIR cannot express inhibition in a chain; use one layer, or 'none' in all of them\n"
    )
    assert not (tmp_path / "net.nir").exists()


def test_a_stack_is_written_in_c(tmp_path):
    store.save(quantize(stack_model(), "UQ0.4", state="Q9.6", readout="UQ0.8"), tmp_path / "stack.h5")
    result = run(tmp_path / "stack.h5", "--target", "c", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "#define NETWORK_LAYERS 2\n" in (tmp_path / "out" / "network.h").read_text()


def test_a_graph_of_nir_is_one_file(path, tmp_path):
    nir = pytest.importorskip("nir")
    result = run(path, "--target", "nir", "-o", tmp_path / "net.nir")
    assert result.exit_code == 0, result.output
    assert "net.nir: a graph of NIR" in result.stdout
    assert nir.read(tmp_path / "net.nir").nodes["weights"].weight.shape == (5, 64)
