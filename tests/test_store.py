"""Model files come back as they went, or say in one line what is wrong with them."""

import json
import os
import pickle
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from described import dense, model_from, with_layer

import fspinn.quant
from fspinn.base.errors import ModelFileError
from fspinn.base.settings import as_plain
from fspinn.datasets import Scale
from fspinn.model import store
from fspinn.model.activity import Activity
from fspinn.model.features import Features
from fspinn.model.model import Readout

RANDOM = np.random.default_rng(0)
MODEL = model_from(
    dense(6, weight_norm=3.0, encoder="ttfs", inhibition="clamp"),
    (3, 4),
    RANDOM.random((12, 6), dtype=np.float32),
    RANDOM.standard_normal(6),
    readout=Readout("proportion", RANDOM.dirichlet(np.ones(3), 6).astype(np.float32)),
    activity={"training": (Activity(samples=3, output_spikes=2**40),), "inference": (Activity(samples=1),)},
    record={"seed": -3, "dataset": {"name": "digits", "checksum": "00"}, "validation_accuracy": 0.1 + 0.2},
)
LINEAR = replace(
    MODEL,
    readout=Readout(
        "linear",
        RANDOM.standard_normal((6, 3)).astype(np.float32),
        bias=RANDOM.standard_normal(3).astype(np.float32),
    ),
)


def _some_pixels(model):
    used, weights = np.arange(12) % 3 > 0, model.layer.weights
    numbers = weights.numbers * used[:, None]
    return with_layer(model, weights=replace(weights, numbers=numbers), input_mask=used)


VARIANTS = {
    "float": MODEL,
    "bare": replace(MODEL, activity={}, record={}, network=dense(neurons=6, weight_norm=0.1)),
    "8 bits": fspinn.quantize(MODEL, weights="UQ0.8"),
    "3 bits": fspinn.quantize(MODEL, weights="UQ0.3", rounding="truncate", readout="UQ0.4"),
    "signed": fspinn.quantize(MODEL, weights="Q2.10"),
    "linear": LINEAR,
    "linear, 8 bits": fspinn.quantize(LINEAR, weights="UQ0.8"),
    "features": replace(
        LINEAR,
        readout=Readout(
            "linear", RANDOM.standard_normal((36, 3)).astype(np.float32), bias=LINEAR.readout.bias
        ),
        features=Features(("a", "b c"), Scale((0.1, -1 / 3), (0.7, 1e9))),
    ),
    "integers": fspinn.quantize(MODEL, weights="UQ0.4", state="Q8.6", theta="Q3.2"),
    "integers, some pixels": _some_pixels(fspinn.quantize(MODEL, weights="UQ0.4", state="Q8.6")),
    "labels": fspinn.quantize(
        replace(MODEL, readout=Readout("majority", np.eye(6, 3, dtype=np.float32))), weights="UQ1.2"
    ),
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "net.h5"
    store.save(MODEL, path)
    return path


def assert_same(model, other):
    assert len(model.layers) == len(other.layers)
    for mine, theirs in (
        *((a.weights.numbers, b.weights.numbers) for a, b in zip(model.layers, other.layers, strict=True)),
        *((a.theta.numbers, b.theta.numbers) for a, b in zip(model.layers, other.layers, strict=True)),
        (model.readout.table, other.readout.table),
    ):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    for mine, theirs in (
        (model.readout.bias, other.readout.bias),
        *((a.input_mask, b.input_mask) for a, b in zip(model.layers, other.layers, strict=True)),
    ):
        assert (mine is None) == (theirs is None)
        assert mine is None or mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    formats = [[(x.weights.format, x.theta.format, x.state) for x in m.layers] for m in (model, other)]
    assert formats[0] == formats[1]
    empty = {"layers": None, "readout": None}
    parts = [{**vars(m), **empty} for m in (model, other)]
    assert parts[0] == parts[1]
    assert (model.readout.name, model.readout.format) == (other.readout.name, other.readout.format)


def refusal(path):
    """Return what `load` says about a file that it must refuse."""
    with pytest.raises(ModelFileError) as error:
        store.load(path)
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith(str(path))
    assert error.value.__cause__ is None
    return text.removeprefix(f"{path}: ")


@pytest.mark.parametrize("name", VARIANTS)
def test_a_model_comes_back_as_it_went(tmp_path, name):
    store.save(VARIANTS[name], tmp_path / "net.h5")
    assert_same(store.load(tmp_path / "net.h5"), VARIANTS[name])


def test_paths_may_be_text(tmp_path):
    store.save(MODEL, str(tmp_path / "net.h5"))
    assert_same(store.load(str(tmp_path / "net.h5")), MODEL)


def test_what_is_loaded_can_be_saved_again_with_the_same_bytes(path, tmp_path):
    store.save(store.load(path), tmp_path / "again.h5")
    assert path.read_bytes() == (tmp_path / "again.h5").read_bytes()


def test_the_same_model_has_the_same_bytes_at_any_time(path, tmp_path):
    time.sleep(1.1)  # HDF5 counts time in seconds
    store.save(MODEL, tmp_path / "later.h5")
    assert path.read_bytes() == (tmp_path / "later.h5").read_bytes()


def test_quantized_weights_are_kept_as_small_integers(tmp_path):
    for name, expected in (("8 bits", np.uint8), ("3 bits", np.uint8), ("signed", np.int16)):
        store.save(VARIANTS[name], tmp_path / name)
        with h5py.File(tmp_path / name) as file:
            assert file["weights_0"].dtype == expected
            np.testing.assert_array_equal(file["weights_0"], VARIANTS[name].layer.weights.numbers)


def test_a_file_can_be_read_without_fspinn(path):
    with h5py.File(path) as file:
        settings = json.loads(file.attrs["settings"])
        np.testing.assert_array_equal(file["weights_0"], MODEL.layer.weights.numbers)
    assert settings["network"]["layers"][0]["neurons"] == 6
    assert settings["activity"]["training"][0]["output_spikes"] == 2**40


def test_there_is_no_pickle_inside(path, monkeypatch):
    def refuse(*arguments, **named):
        raise AssertionError("pickle was used")

    for name in ("load", "loads", "dump", "dumps", "Unpickler", "Pickler"):
        monkeypatch.setattr(pickle, name, refuse)
    store.save(MODEL, path)
    assert_same(store.load(path), MODEL)
    with h5py.File(path) as file:
        assert {file[name].dtype.kind for name in file} == {"f"}
        assert {type(value) for value in file.attrs.values()} <= {str, bytes, np.bytes_}


# --- damage -----------------------------------------------------------------------------------------


def test_a_truncated_file_is_refused_wherever_it_ends(path):
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 200).astype(int):
        path.write_bytes(whole[:length])
        assert "take a copy" in refusal(path) or length < 1024


# The reader of HDF5 can hang or crash on damaged input, hence another process and a time limit.
FLIP_BITS = """
import sys
from pathlib import Path
from fspinn.model import store
from fspinn.base.errors import ModelFileError
from fspinn.datasets import Scale

whole, path = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
for position in sorted({*range(1, 4096, 8), *range(0, len(whole), 97)}):
    for bit in (0, 3, 7):
        print(position, bit, flush=True)
        damaged = bytearray(whole)
        damaged[position] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            model = store.load(path)
        except ModelFileError as error:
            assert "\\n" not in str(error) and str(error).startswith(str(path)), error
        else:
            again = path.with_suffix(".again")
            store.save(model, again)
            assert again.read_bytes() == whole, "loaded as something else"
"""


def test_a_flipped_bit_is_noticed_or_does_no_harm(path):
    command = [sys.executable, "-c", FLIP_BITS, str(path), str(path.with_name("damaged.h5"))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired as error:
        pytest.fail(f"load hangs at (byte, bit) {(error.stdout or b'').decode().splitlines()[-1]}")
    assert done.returncode == 0, f"{done.stdout.splitlines()[-1]}: {done.returncode} {done.stderr[-500:]}"


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"neurons = 400\n", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + bytes(2000)]
)
def test_what_is_no_hdf5_file_is_refused(tmp_path, content):
    path = tmp_path / "net.h5"
    path.write_bytes(content)
    assert "model of fspinn" in refusal(path)


def test_a_file_of_somebody_else_is_refused(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["weights"] = np.zeros(3)
        file.attrs["format"] = "keras"
    assert refusal(path) == "is not a model of fspinn; name a file that `fspinn train` wrote"


def test_a_missing_file_is_refused_with_the_mend(tmp_path):
    expected = "there is no such file; train a model with `fspinn train -o none.h5`"
    assert refusal(tmp_path / "none.h5") == expected
    assert refusal(tmp_path / "none" / "none.h5") == expected


def test_a_folder_is_refused(tmp_path):
    assert refusal(tmp_path) == "is a folder; name a file in it"


def test_a_name_too_long_for_the_disk_is_refused(tmp_path):
    refusal(tmp_path / ("a" * 300))


def sealed(tmp_path, monkeypatch, **changes):
    """Return a file whose checksum is right but whose settings are others."""
    original = json.dumps

    def change(settings, **named):
        return original({**settings, **changes}, **named)

    monkeypatch.setattr(json, "dumps", change)
    store.save(MODEL, tmp_path / "net.h5")
    monkeypatch.setattr(json, "dumps", original)
    return tmp_path / "net.h5"


def test_a_newer_file_asks_for_an_update(tmp_path, monkeypatch):
    path = sealed(tmp_path, monkeypatch, format_version=store.FORMAT_VERSION + 1)
    assert refusal(path) == "has format version 6, this fspinn reads 5; update fspinn"


def test_a_file_of_an_older_version_is_refused(tmp_path, monkeypatch):
    """Version 3 had one layer, and its learner in the network."""
    path = sealed(tmp_path, monkeypatch, format_version=3)
    said = "has format version 3 of an older fspinn, this one reads 5; train it again or take a copy"
    assert refusal(path) == said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format_version": "x"}, "'<' not supported"),
        ({"network": {"dt_ms": 6, "colour": 1}}, "colour"),
        ({"network": {"layers": [{"neurons": -6}]}}, "neurons: must be from 1"),
        ({"network": None}, ""),
        ({"image_shape": [3, 3]}, r"weights: shape \(12, 6\) does not fit"),
        ({"image_shape": [3]}, "is not height and width"),
        ({"layers": [{"weights": "Q?", "inputs_used": None}]}, "Q?"),
        ({"readout": {"name": "proportion"}}, "format"),
        ({"activity": {"training": [{"naps": 3}]}}, "naps"),
        ({"features": {"names": ["a"], "scale": {"low": [2], "high": [1]}}}, "is not a range"),
        ({"features": {"names": ["a"], "scale": {"low": [0], "high": [1]}}}, "does not fit"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, monkeypatch, changes, reason):
    said = refusal(sealed(tmp_path, monkeypatch, **changes))
    assert said.startswith("cannot be read (")
    assert said.endswith("); train it again or take a copy")
    assert reason.replace("\\", "") in said


def test_a_file_from_before_there_were_features_is_read(tmp_path, monkeypatch):
    original = json.dumps

    def without(settings, **named):
        return original({name: value for name, value in settings.items() if name != "features"}, **named)

    monkeypatch.setattr(json, "dumps", without)
    store.save(MODEL, tmp_path / "net.h5")
    assert_same(store.load(tmp_path / "net.h5"), MODEL)


def test_a_file_from_before_inputs_could_be_pooled_is_read(tmp_path, monkeypatch):
    network = {name: value for name, value in as_plain(MODEL.network).items() if name != "pool"}
    assert_same(store.load(sealed(tmp_path, monkeypatch, network=network)), MODEL)


@pytest.mark.parametrize("part", ["weights_0", "theta_0", "readout"])
def test_changed_numbers_are_noticed(path, part):
    with h5py.File(path, "r+") as file:
        file[part][0] += 0.5
    assert "is damaged (checksum differs); train it again or take a copy" in refusal(path)


@pytest.mark.parametrize("part", ["weights_0", "theta_0", "readout", "readout_bias"])
def test_missing_numbers_are_noticed(path, part):
    with h5py.File(path, "r+") as file:
        del file[part]
    assert "take a copy" in refusal(path)


# --- failing to write -------------------------------------------------------------------------------


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    path = tmp_path / "none" / "net.h5"
    with pytest.raises(ModelFileError) as error:
        store.save(MODEL, path)
    expected = "cannot be written (No such file or directory); choose a folder with space and rights"
    assert str(error.value) == f"{path}: {expected}"
    assert os.listdir(tmp_path) == []


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "net.h5").mkdir()
    with pytest.raises(ModelFileError, match=r"net\.h5: cannot be written \(Is a directory\)"):
        store.save(MODEL, tmp_path / "net.h5")
    assert os.listdir(tmp_path) == ["net.h5"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    def fail(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ModelFileError, match=r"cannot be written \(No space left on device\)") as error:
        store.save(VARIANTS["8 bits"], path)
    assert "\n" not in str(error.value)
    assert os.listdir(path.parent) == ["net.h5"]
    assert_same(store.load(path), MODEL)


def test_a_disk_that_fills_up_while_writing_leaves_the_old_file(path, monkeypatch):
    def fail(file, content):
        with open(file, "wb") as half:
            half.write(content[:1000])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(
        ModelFileError, match=r"net\.h5: cannot be written \(No space left on device\); choose"
    ):
        store.save(VARIANTS["8 bits"], path)
    monkeypatch.undo()
    assert os.listdir(path.parent) == ["net.h5"]
    assert_same(store.load(path), MODEL)
