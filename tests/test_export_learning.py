"""An exported column learns as the integer engine does, bit for bit; what it learned becomes a model."""

import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from described import changed
from device import make, memory_of
from exported_programs import (
    ACTIVITY,
    SANITIZED,
    STRICT,
    TESTS,
    images_for,
    model_of,
    needs_gcc,
    needs_tools_of,
)
from exported_programs import (
    PRESETS as MCUS,
)
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from published_images import skip_without
from test_export_c import COLUMN

import fspinn
from fspinn import datasets
from fspinn.answering.predict import predict
from fspinn.backends.c import export_c
from fspinn.backends.c.learning import dump_of, learned_on, learning_of
from fspinn.backends.numba import engine
from fspinn.base.errors import ConfigError, DataError, FormatError
from fspinn.base.randomness import ORDER, TRAINING_SPIKES, WEIGHTS, permutation, stream_key, uniforms
from fspinn.base.settings import as_plain
from fspinn.cli import main
from fspinn.learning.device import import_learned
from fspinn.lowering.integer_learning import first_weights
from fspinn.memmodel import estimate
from fspinn.memmodel.names import PRESETS
from fspinn.model import store
from fspinn.model.tensors import Tensor
from fspinn.network.encoders import BatchEncoder
from fspinn.network.plasticity import initial_weights
from fspinn.quant import Format

SMALL = changed(COLUMN, cells=(2, 2))


def learned_in_c(model, folder, images, shown=(), seed=3, learning=1000, flags=SANITIZED):
    """What a program has learned from images, and its spike counts and classes for others then."""
    export_c(model, folder / "out", images[:2], seed=seed, learning=learning)
    program, out = folder / "learns", folder / "out"
    sources = [out / "network.c", TESTS / "learns.c"]
    subprocess.run(["gcc", *STRICT, *flags, f"-I{out}", *sources, "-o", program], check=True)
    head = np.array([len(images)], np.uint32).tobytes()
    given = head + np.ascontiguousarray(images).tobytes() + np.asarray(shown, np.uint8).tobytes()
    output = subprocess.run([program], input=given, stdout=subprocess.PIPE, check=True).stdout
    size = learning_of(model, learning).dump_bytes
    answered = np.frombuffer(output[size:], np.uint32).reshape(len(shown), model.network.features + 1)
    return output[:size], answered[:, :-1], answered[:, -1].view(np.int32)


def learned_by_engine(model, images, seed=3, learning=1000):
    of_device = learning_of(model, learning)
    return dump_of(*learned_on(of_device, images, seed), of_device.grid.weights)


@needs_gcc
@settings(max_examples=12, deadline=None, phases=(Phase.generate,))
@given(
    size=st.tuples(st.integers(3, 10), st.integers(3, 12), st.sampled_from([None, 2])),
    field=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.integers(1, 3),
    neurons=st.sampled_from([1, 3, 8, 17]),
    steps=st.sampled_from([1, 8, 300]),
    formats=st.sampled_from([("UQ0.1", "Q5.5"), ("UQ0.3", "Q5.3"), ("UQ1.4", "Q6.10"), ("UQ0.8", "UQ8.8")]),
    threshold=st.sampled_from([0.4, 1.5]),
    pool=st.sampled_from([1, 1, 2]),
    rates=st.sampled_from(
        [{}, {"learning_rate": 1.0, "theta_step": 2.0}, {"positions": 300, "least_spikes": 1}]
    ),
    answer_threshold=st.sampled_from([None, 3.0]),
    learning=st.sampled_from([20, 1000]),
)
def test_weights_and_thresholds_are_those_of_the_engine(
    tmp_path_factory,
    size,
    field,
    stride,
    neurons,
    steps,
    formats,
    threshold,
    pool,
    rates,
    answer_threshold,
    learning,
):
    height, width, channels = size
    assume(field[0] <= height and field[1] <= width)
    where = {"field": field, "stride": stride, "cells": (1, 1), "neurons": neurons, "threshold": threshold}
    how = {"duration_ms": float(steps), "pool": pool, "answer_threshold": answer_threshold, **rates}
    network = changed(COLUMN, **where, **how)
    shape = (pool * height, pool * width, *([] if channels is None else [channels]))
    model = model_of(network, *formats, "Q3.3", pixels=shape)
    model = replace(model, record={**model.record, "learner": as_plain(network.setup.learner)})
    images, folder = images_for(model, 20), tmp_path_factory.mktemp("c")
    dump, counts, _ = learned_in_c(model, folder, images, images[:6], learning=learning)
    assert dump == learned_by_engine(model, images, learning=learning)
    expected = predict(import_learned(dump, model), images[:6])
    np.testing.assert_array_equal(counts, expected.spike_counts)


def of_a_run(model, data, seed):
    """A model as it was before it learned, and the images in the order in which it saw them."""
    layer, (inputs, neurons) = model.network.layers[0], model.layer.weights.numbers.shape
    random = uniforms(stream_key(seed, WEIGHTS), inputs * neurons)
    grid = learning_of(model, 2).grid
    weights = first_weights(initial_weights(layer, model.learner, inputs, random), grid)
    start = replace(
        model.layer,
        weights=Tensor(weights, grid.weights),
        theta=Tensor(np.zeros(neurons, np.int8), Format(1, 2, signed=True)),
    )
    order = permutation(stream_key(seed, ORDER), len(data.train))
    return replace(model, layers=(start,), activity={}), data.train.images[order]


def assert_same_layer(model, expected):
    for name in ("weights", "theta"):
        found, other = getattr(model.layer, name), getattr(expected.layer, name)
        np.testing.assert_array_equal(found.numbers, other.numbers)
        assert found.format == other.format


@needs_gcc
def test_a_thousand_digits_teach_a_program_what_training_in_integers_learns(tmp_path):
    data = datasets.load("digits")
    data = replace(data, train=data.train.first(1000))
    network, learner = fspinn.Network.patches(8, 4, cells=2), fspinn.Stdp(passes=1)
    trained = fspinn.train(network, data, learner=learner, seed=5, weights="UQ0.4", progress=False).model
    start, images = of_a_run(trained, data, seed=5)
    dump, counts, classes = learned_in_c(start, tmp_path, images, data.validation.images[:100], seed=5)
    assert_same_layer(import_learned(dump, trained), trained)
    assert (start.layer.weights.numbers != trained.layer.weights.numbers).mean() > 0.5
    expected = predict(trained, data.validation.images[:100], seed=5)
    np.testing.assert_array_equal(counts, expected.spike_counts)
    np.testing.assert_array_equal(classes, expected.classes)


@needs_gcc
def test_images_of_mnist_teach_an_arduino_uno(tmp_path):
    """A column of 8 neurons beside a whole image, in 2 KiB of RAM."""
    skip_without("mnist")
    needs_tools_of("atmega328p")
    data = datasets.load("mnist")
    few, learner = replace(data, train=data.train.first(1000)), fspinn.Stdp(passes=1)
    trained = fspinn.train(
        fspinn.Network.patches(8), few, learner=learner, weights="UQ0.3", state="Q5.5", progress=False
    ).model
    start, images = of_a_run(trained, few, seed=0)
    export_c(start, tmp_path / "uno", images[:30], learning=1000)
    output = make(tmp_path / "uno", "test-atmega328p")
    assert "learned from 30 samples\n" in output
    assert "equal to the integer engine\n" in output
    dump, *_ = learned_in_c(start, tmp_path, images, seed=0)
    assert_same_layer(import_learned(dump, trained), trained)


@needs_gcc
def test_a_dump_becomes_a_model_file_that_answers_as_the_device(tmp_path):
    model = model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12))
    images = images_for(model, 40)
    dump, counts, classes = learned_in_c(model, tmp_path, images, images)
    store.save(model, tmp_path / "net.h5")
    (tmp_path / "dump.bin").write_bytes(dump + b"\0" * (-len(dump) % 4))
    given = ["import", tmp_path / "dump.bin", "--like", tmp_path / "net.h5", "-o", tmp_path / "learned.h5"]
    result = CliRunner().invoke(main, list(map(str, given)))
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("learned.h5: learned from 40 samples on the device\n")
    estimated = CliRunner().invoke(
        main, ["estimate", str(tmp_path / "learned.h5"), "--mean-intensity", "0.2"]
    )
    assert "learned.h5: activity was counted before it learned on the device." in estimated.stderr
    expected = predict(store.load(tmp_path / "learned.h5"), images)
    np.testing.assert_array_equal(counts, expected.spike_counts)
    np.testing.assert_array_equal(classes, expected.classes)


@pytest.mark.parametrize(
    ("name", "words"), [("there", "not a regular file"), ("missing", "No such file or directory")]
)
def test_a_dump_that_is_no_file_is_refused(name, words, tmp_path):
    (tmp_path / "there").mkdir()
    store.save(model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12)), tmp_path / "net.h5")
    given = [tmp_path / name, "--like", tmp_path / "net.h5", "-o", tmp_path / "learned.h5"]
    result = CliRunner().invoke(main, ["import", *map(str, given)])
    assert result.exit_code == 2
    assert result.stderr == f"fspinn: {tmp_path / name}: {words}; name a dump of state.learned\n"
    assert not (tmp_path / "learned.h5").exists()


@pytest.mark.parametrize("target", ["arduino", "nir", "verilog"])
def test_only_the_c_program_learns(target, tmp_path):
    store.save(model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12)), tmp_path / "net.h5")
    given = [tmp_path / "net.h5", "--target", target, "-o", tmp_path / "out", "--learning", 10]
    result = CliRunner().invoke(main, ["export", *map(str, given)])
    assert result.exit_code == 2
    assert "--learning: only the C program learns; leave it out" in result.stderr


def test_the_command_writes_a_program_that_learns(tmp_path):
    store.save(model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12)), tmp_path / "net.h5")
    given = [tmp_path / "net.h5", "--target", "c", "-o", tmp_path / "out", "--learning", 3]
    result = CliRunner().invoke(main, ["export", *map(str, given)])
    assert result.exit_code == 0, result.output
    assert "#define NETWORK_LEARNS 1\n" in (tmp_path / "out" / "network.h").read_text()
    assert "over 3 samples, and then stay" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("name", ["dump.bin", "net.h5"])
def test_what_is_read_is_not_overwritten(name, tmp_path):
    model = model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12))
    store.save(model, tmp_path / "net.h5")
    (tmp_path / "dump.bin").write_bytes(b"")
    given = [tmp_path / "dump.bin", "--like", tmp_path / "net.h5", "-o", tmp_path / name]
    result = CliRunner().invoke(main, ["import", *map(str, given)])
    assert result.exit_code == 2
    assert (
        result.stderr == f"fspinn: --output {tmp_path / name}: is what is read; give the model another name\n"
    )


@pytest.mark.parametrize("byte", [0, 255])
def test_a_dump_of_memory_that_has_learned_nothing_is_refused(byte):
    model = model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12))
    with pytest.raises(DataError, match=r"^dump: holds nothing that was learned, as before learn_start"):
        import_learned(bytes([byte]) * 73, model)


@pytest.mark.parametrize("size", [0, 72, 77])
def test_a_dump_of_another_network_is_refused(size):
    model = model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12))
    with pytest.raises(DataError, match=f"dump: {size} bytes are not what .* takes 73"):
        import_learned(bytes(size), model)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"tau_m_ms": 9.0}, "one column without leak"),
        ({"adaptation": "homeostatic"}, "not by normalised with homeostatic"),
    ],
)
def test_what_a_device_does_not_learn_is_refused(changes, why, tmp_path):
    model = model_of(changed(SMALL, **changes), "UQ0.3", "Q5.5", pixels=(9, 12))
    with pytest.raises(ConfigError, match=f"learning: .*{why}"):
        export_c(model, tmp_path / "out", learning=10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("learning", [1, 2**24 + 1])
def test_a_run_of_too_few_or_too_many_samples_is_refused(learning, tmp_path):
    model = model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12))
    with pytest.raises(ConfigError, match=r"^learning: must be from 2 to 16777216"):
        export_c(model, tmp_path / "out", learning=learning)


def test_more_images_than_it_learns_from_are_refused(tmp_path):
    model = model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12))
    with pytest.raises(ConfigError, match=r"^images: 4 test a program that learns from 3; give fewer"):
        export_c(model, tmp_path / "out", images_for(model, 4), learning=3)


def engine_activity(model, images, learning):
    """What the integer engine counts while it learns."""
    plan = learning_of(model, learning).plan
    layer = replace(plan.layers[0], weights=plan.layers[0].weights.copy(), theta=plan.layers[0].theta.copy())
    spikes = BatchEncoder(plan.encoding).encode(images, 0, TRAINING_SPIKES)
    return engine.learn(replace(plan, layers=(layer,)), spikes, learning).activity[0]


@pytest.mark.parametrize(
    ("less", "words"),
    [
        (("flash_bytes = 32768", "flash_bytes = 4096"), "6,[0-9]{3} bytes of flash, and there are 4,096"),
        (("ram_bytes = 2048", "ram_bytes = 300"), "3[0-9]{2} bytes of RAM, and there are 300"),
    ],
)
def test_a_chip_that_is_too_small_to_learn_is_refused(less, words, tmp_path):
    """One on which the same network answers; one that is large enough changes nothing."""
    model, board = model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12)), tmp_path / "small.toml"
    board.write_text((PRESETS / "mcu-avr.toml").read_text().replace(*less))
    with pytest.raises(ConfigError, match=f"^hardware: mcu-avr is too small; it takes {words}"):
        export_c(model, tmp_path / "out", learning=10, hardware=board)
    assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]
    export_c(model, tmp_path / "answers", hardware=board)
    export_c(model, tmp_path / "one", learning=10, hardware="mcu-avr")
    export_c(model, tmp_path / "two", learning=10)
    one, two = ((tmp_path / name / "network.c").read_text() for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize("chip", MCUS)
@pytest.mark.parametrize(
    ("size", "formats"),
    [
        ((8, 5, 3), ("UQ0.3", "Q5.5")),
        ((16, 4, 3), ("UQ0.4", "Q5.11")),
        ((24, 6, 2), ("UQ0.2", "Q5.5")),
    ],
)
def test_what_a_program_that_learns_takes_of_a_chip_is_estimated(chip, size, formats, tmp_path):
    """Flash, RAM, and the cycles that simavr counts. (Of 16 columns a Cortex-M0 needs no division.)"""
    needs_tools_of(chip)
    (neurons, field, cells), learning = size, 50
    network = changed(fspinn.Network.patches(neurons, field, cells=cells), weight_norm=1.6)
    model = model_of(network, *formats, readout="linear", pixels=(21, 21))
    images = images_for(model, 10)
    export_c(model, tmp_path / "out", images, learning=learning)
    output = make(tmp_path / "out", f"test-{chip}")
    took, counted = memory_of(tmp_path / "out", output, chip), engine_activity(model, images, learning)
    costs = estimate(model, MCUS[chip], {"inference": (ACTIVITY,), "training": (counted,)})
    needed = costs.capacity["training"]
    assert needed["flash_bytes"].needed == pytest.approx(took["flash"], rel=0.03)
    assert needed["ram_bytes"].needed == pytest.approx(took["ram"], rel=0.02, abs=16)
    if (found := re.search(r"^(\d+) cycles to learn from an image$", output, re.M)) is not None:
        assert costs.latency["training"]["total"] == pytest.approx(int(found[1]), rel=0.1)


def test_wide_weights_do_not_learn(tmp_path):
    model = model_of(SMALL, "UQ0.12", "UQ6.16", pixels=(9, 12))
    with pytest.raises(FormatError, match="the integer engine learns with up to 8"):
        export_c(model, tmp_path / "out", learning=10)


@pytest.mark.parametrize("chip", ["atmega328p", "cortex-m0"])
def test_a_chip_learns_what_the_engine_does(chip, tmp_path):
    needs_tools_of(chip)
    model = model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12))
    export_c(model, tmp_path / "out", images_for(model, 10), learning=50)
    output = make(tmp_path / "out", f"test-{chip}")
    assert "learned from 10 samples\n" in output
    assert "equal to the integer engine\n" in output


def test_what_was_learned_outlives_a_reset_in_the_eeprom_of_an_arduino(tmp_path):
    """Learning goes on where it was: after two resets as if there had been none."""
    needs_tools_of("atmega328p")
    model, out = model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12)), tmp_path / "out"
    images = images_for(model, 30)
    export_c(model, out, images[:1], learning=50)
    make(out, "run-simavr")
    sources = [out / "network.c", TESTS / "keeps.c", out / "test" / "avr.c"]
    flags = ("-mmcu=atmega328p", "-Os", "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{out}")
    subprocess.run(["avr-gcc", *flags, *sources, "-o", tmp_path / "keeps.elf"], check=True)
    (tmp_path / "images.bin").write_bytes(images.tobytes())
    ran = [out / "run-simavr", "atmega328p", tmp_path / "keeps.elf", tmp_path / "images.bin"]
    output = subprocess.run(ran, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert learned_by_engine(model, images, seed=0, learning=50).hex() in output.splitlines()


def test_rates_on_a_line_are_those_of_the_engine():
    """Six hundred thousand samples, compared where the program is written."""
    model = model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12))
    assert learning_of(model, 600_000).samples == 600_000
