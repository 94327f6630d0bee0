"""Features beside the samples in what is written for other machines: C programs and graphs of NIR."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from described import dense
from device import make
from exported_programs import (
    answers,
    assert_memory_is_estimated,
    build,
    images_for,
    model_of,
    needs_arm,
    needs_gcc,
)
from featured import NAMES, data_of

import fspinn
from fspinn.backends.c import export_c
from fspinn.base.errors import DataError
from fspinn.datasets import Scale
from fspinn.model.features import INPUTS, Features
from fspinn.model.readout import READOUTS

SMALL = dense(7, duration_ms=60.0, weight_norm=1.5, threshold=3.0, rate_norm_hz=900.0)
COLUMN = fspinn.Network.patches(neurons=5, field=3, cells=2)
COLUMN = replace(
    COLUMN, layers=(replace(COLUMN.layers[0], neuron=replace(COLUMN.layers[0].neuron, weight_norm=1.5)),)
)


def listening(model, count, seed=0):
    """The same model, which listens to so many features: their rows are random, or some of the table's."""
    random = np.random.default_rng(seed)
    names, low = tuple(f"f{k}" for k in range(count)), random.normal(size=count)
    scale = Scale(tuple(low.tolist()), tuple((low + random.uniform(0.5, 300, count)).tolist()))
    table, format = model.readout.table, model.readout.format
    rows = table[random.integers(0, len(table), INPUTS * count)]
    if format is not None:
        numbers = random.integers(format.lowest_integer, format.highest_integer + 1, rows.shape)
        rows = (numbers * format.step).astype(np.float32)
    readout = replace(model.readout, table=np.concatenate([table, rows]))
    return replace(model, features=Features(names, scale), readout=readout)


def values_for(model, count, seed=0):
    """Values within the scale and beyond it."""
    scale = model.features.scale
    low, high = np.array(scale.low), np.array(scale.high)
    parts = np.random.default_rng(seed).uniform(-0.2, 1.2, (count, len(low)))
    return (low + parts * (high - low)).astype(np.float32)


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize(("network", "count"), [(SMALL, 1), (SMALL, 3), (COLUMN, 2)])
@pytest.mark.parametrize("reject", [0.0, 0.4])
def test_the_program_answers_what_predict_does(readout, network, count, reject, tmp_path):
    model = listening(model_of(network, readout=readout), count, seed=5)
    images, values = images_for(model, 30), values_for(model, 30)
    expected = fspinn.predict(model, images, features=values, seed=3, reject=reject)
    assert len(np.unique(expected.classes)) > 1
    export_c(model, tmp_path / "out", images[:4], features=values[:4], seed=3, reject=reject)
    given = np.concatenate([images.reshape(30, -1), model.features.in_bytes(values)], axis=1)
    counts, classes = answers(build(tmp_path / "out"), given, network.features)
    np.testing.assert_array_equal(counts, expected.spike_counts)
    np.testing.assert_array_equal(classes, expected.classes)
    silenced = fspinn.predict(model, images, features=np.full_like(values, -1e6), seed=3, reject=reject)
    assert (silenced.classes != expected.classes).any()


@pytest.mark.parametrize("readout", READOUTS)
def test_a_feature_answers_where_no_neuron_spikes(readout, tmp_path):
    model = listening(model_of(SMALL, readout=readout), 2, seed=5)
    images, values = np.zeros_like(images_for(model, 4)), values_for(model, 4)
    scale = model.features.scale
    values[:] = np.where(np.eye(4, 2, dtype=bool), scale.high, scale.low)
    expected = fspinn.predict(model, images, features=values, seed=3)
    assert not expected.spike_counts.any()
    assert expected.answered.tolist() == [True, True, readout == "linear", readout == "linear"]
    export_c(model, tmp_path / "out", images, features=values, seed=3)
    given = np.concatenate([images.reshape(4, -1), model.features.in_bytes(values)], axis=1)
    _, classes = answers(build(tmp_path / "out"), given, SMALL.features)
    np.testing.assert_array_equal(classes, expected.classes)


@pytest.mark.parametrize("shown", [True, False], ids=["images", "noise"])
def test_the_programs_own_test_knows_the_features(shown, tmp_path):
    model = listening(model_of(COLUMN), 2)
    given = (images_for(model, 3), values_for(model, 3)) if shown else (None, None)
    export_c(model, tmp_path / "out", given[0], features=given[1])
    program = subprocess.run(["make", "-C", tmp_path / "out", "test"], capture_output=True, text=True)
    assert "equal to the integer engine" in program.stdout, program.stderr
    said = (tmp_path / "out" / "README.md").read_text()
    assert "-1 is none: no neuron has spiked and no feature is above its lowest level." in said
    low, high = model.features.scale.low[0], model.features.scale.high[0]
    assert f"Beside the image there are 2 bytes of features: f0, from {low:.9g} to {high:.9g}; f1" in said
    assert "network_answer(&state, image, 0, features);" in said


@needs_gcc
def test_recorded_features_become_bytes_with_integers(tmp_path):
    model = listening(model_of(COLUMN), 2)
    scale = Scale((154.0, -40000.0), (579.0, 40000.0))
    export_c(replace(model, features=replace(model.features, scale=scale)), tmp_path / "out")
    values = np.random.default_rng(0).integers(-60_000, 60_000, (3000, 2)).astype("<i4")
    values[:600, 0] = np.arange(600)
    (tmp_path / "main.c").write_text(
        """
        #include <stdio.h>
        #include "network.h"
        int main(void)
        {
            int32_t value;
            uint8_t number = 0;
            while (fread(&value, sizeof value, 1, stdin) == 1) {
                putchar(network_feature(value, number));
                number ^= 1;
            }
            return 0;
        }
        """
    )
    program = [tmp_path / "main.c", tmp_path / "out" / "network.c"]
    subprocess.run(
        ["gcc", "-std=c99", "-I", tmp_path / "out", *program, "-o", tmp_path / "program"], check=True
    )
    found = subprocess.run([tmp_path / "program"], input=values.tobytes(), capture_output=True, check=True)
    found = np.frombuffer(found.stdout, np.uint8).reshape(values.shape)
    np.testing.assert_array_equal(found, scale.applied(values[:, None, :])[:, 0, 0])
    assert "`network_feature(value, number)` does so" in (tmp_path / "out" / "README.md").read_text()


def test_images_without_their_features_are_refused(tmp_path):
    model = listening(model_of(SMALL), 2)
    with pytest.raises(DataError, match=r"^images: has no features, and the readout of the model listens to"):
        export_c(model, tmp_path / "out", images_for(model, 3))
    assert not (tmp_path / "out").exists()


def test_a_graph_of_nir_says_which_rows_are_of_features(tmp_path):
    nir = pytest.importorskip("nir")
    data = data_of()
    network = dense(8, duration_ms=40.0, rate_norm_hz=900.0, threshold=4.0)
    model = fspinn.train(network, data, readout="linear", progress=False).model
    fspinn.export_nir(model, tmp_path / "net.nir")
    said = nir.read(tmp_path / "net.nir").metadata
    assert np.asarray(said["readout_table"]).shape == (8 + 2 * INPUTS, 2)
    features = said["features"]
    assert (features.decode() if isinstance(features, bytes) else features) == ", ".join(NAMES)
    assert tuple(said["features_low"]) == model.features.scale.low
    assert tuple(said["features_high"]) == model.features.scale.high


@needs_arm
@pytest.mark.parametrize("readout", READOUTS)
def test_the_flash_of_a_microcontroller_is_estimated(readout, tmp_path):
    network = fspinn.Network.patches(neurons=16, field=5, cells=3)
    (layer,) = network.layers
    network = replace(network, layers=(replace(layer, neuron=replace(layer.neuron, weight_norm=1.5)),))
    model = listening(model_of(network, readout=readout, weights="UQ0.3", pixels=(28, 28)), 2)
    export_c(model, tmp_path / "out", images_for(model, 3), features=values_for(model, 3))
    output = make(tmp_path / "out", "test-cortex-m4")
    assert_memory_is_estimated(model, tmp_path / "out", output, flash=0.08 if readout == "majority" else 0.03)
