"""Exported programs answer on emulated chips as the integer engine does."""

import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from described import changed, dense
from device import make, memory_of
from exported_programs import (
    CHIPS,
    PRESETS,
    assert_memory_is_estimated,
    chain_of,
    images_for,
    model_of,
    needs_tools_of,
)
from published_images import skip_without
from test_export_c import COLUMN
from test_export_c_layers import COLUMN as BELOW
from test_export_c_layers import FREE_CHAINS, NARROW, SIGNED, TOPS, WIDE

from fspinn import datasets
from fspinn.answering.predict import predict
from fspinn.backends.c import export_c
from fspinn.learning.training import train
from fspinn.lowering import quantize
from fspinn.memmodel import estimate
from fspinn.network import Network


@pytest.fixture(scope="module")
def column():
    """A trained column of 8 neurons, and the test images of MNIST."""
    skip_without("mnist")
    data = datasets.load("mnist")
    few = replace(data, train=data.train.first(5000), validation=data.validation.first(1000))
    return train(Network.patches(8, 5, cells=3), few, readout="linear", progress=False).model, data.test


@pytest.fixture(scope="module")
def digits_column(column):
    """The same in few bits, about 95 % right."""
    trained, test = column
    return quantize(trained, "UQ0.2", state="Q5.5", readout="Q1.3"), test


def answered(output, model, images, times):
    """Check the lines that a test prints, of each way in which it shows the images."""
    expected = predict(model, images)
    for m, (found, counts) in enumerate(zip(expected.classes, expected.spike_counts, strict=True)):
        spikes = "".join(f" {j}x{counts[j]}" for j in np.flatnonzero(counts))
        assert output.count(f"image {m}: class {found}, spikes{spikes}\n") == times
    assert "equal to the integer engine\n" in output


def whole_and_by_rows(chip):
    return 1 if chip.startswith("at") else 2


@pytest.mark.parametrize("chip", CHIPS)
def test_a_chip_answers_images_of_mnist_spike_for_spike(chip, digits_column, tmp_path):
    needs_tools_of(chip)
    model, test = digits_column
    images = test.images[:100]
    export_c(model, tmp_path / "out", images, name="digits")
    answered(make(tmp_path / "out", f"test-{chip}"), model, images, whole_and_by_rows(chip))


@pytest.mark.exhaustive
@pytest.mark.parametrize("chip", CHIPS)
def test_a_chip_answers_a_thousand_images_of_mnist_spike_for_spike(chip, digits_column, tmp_path):
    needs_tools_of(chip)
    model, test = digits_column
    images = test.images[:1000]
    export_c(model, tmp_path / "out", images)
    answered(make(tmp_path / "out", f"test-{chip}"), model, images, whole_and_by_rows(chip))


@pytest.mark.parametrize("chip", PRESETS)
def test_flash_and_ram_of_a_trained_column_are_those_that_were_estimated(chip, digits_column, tmp_path):
    needs_tools_of(chip)
    model, test = digits_column
    export_c(model, tmp_path / "out", test.images[:3])
    output = make(tmp_path / "out", f"test-{chip}")
    assert_memory_is_estimated(model, tmp_path / "out", output, chip)


@pytest.mark.parametrize("chip", PRESETS)
@pytest.mark.parametrize(
    ("weights", "state", "readout", "within"),
    [
        ("UQ0.1", "Q5.5", "Q1.1", 0.03),
        ("UQ0.2", "Q5.5", "Q1.5", 0.03),
        ("UQ0.3", "Q5.5", "Q1.3", 0.02),
        ("UQ0.3", "Q5.11", "Q1.2", 0.03),
        ("UQ0.4", "Q5.5", "Q1.2", 0.04),
    ],
)
def test_flash_and_ram_of_other_formats_are_estimated(
    chip, weights, state, readout, within, column, tmp_path
):
    """What the compiler makes of the bits of a weight differs by some dozens of bytes."""
    needs_tools_of(chip)
    trained, test = column
    model = quantize(trained, weights, state=state, readout=readout)
    export_c(model, tmp_path / "out", test.images[:2])
    output = make(tmp_path / "out", f"test-{chip}")
    assert_memory_is_estimated(model, tmp_path / "out", output, chip, flash=within, ram=0.06)


def test_mnist_fits_an_arduino_uno_and_is_answered_in_time(digits_column, tmp_path):
    """2.5 KiB of flash and 400 bytes of RAM, all included; the cost model knows the cycles within 10 %."""
    needs_tools_of("atmega328p")
    model, test = digits_column
    export_c(model, tmp_path / "out", test.images[:100])
    output = make(tmp_path / "out", "test-atmega328p")
    took = memory_of(tmp_path / "out", output, "atmega328p")
    assert took["flash"] <= 2.5 * 1024
    assert took["ram"] + 28 <= 400  # a row beside it
    cycles = int(re.search(r"^(\d+) cycles an image$", output, re.M)[1])
    assert cycles <= 0.25 * 16e6
    activity = predict(model, test.images[:100]).activity
    phases = {"inference": activity, "training": activity}
    expected = estimate(model, "mcu-avr", phases).latency["inference"]["total"]
    assert expected == pytest.approx(cycles, rel=0.1)


SHORT = {"neurons": 5, "weight_norm": 1.0, "duration_ms": 20.0}
RATES = {**SHORT, "rate_norm_hz": 4000.0, "threshold": 1.0}
OTHERS = {
    "poisson": lambda: model_of(dense(tau_m_ms=9.0, **RATES)),
    "wide": lambda: model_of(
        dense(inhibition="layer", refractory_ms=3.0, **RATES), "UQ0.6", "Q6.18", readout="linear"
    ),
    "regular": lambda: model_of(
        dense(inhibition="clamp", encoder="regular", **RATES), "Q1.2", readout="majority"
    ),
    "brightest": lambda: model_of(dense(encoder="ttfs", first_spikes=9, threshold=1.0, **SHORT), "UQ0.8"),
    "contrast": lambda: model_of(changed(COLUMN, contrast="on-off", cells=(2, 2)), "UQ0.3", pixels=(7, 9)),
    "blocks": lambda: model_of(changed(COLUMN, pool=2, cells=(2, 2)), "UQ0.3", pixels=(14, 18)),
    "ranked on a column": lambda: chain_of((BELOW, TOPS["ranked"]), (NARROW, NARROW)),
    "lateral on a column": lambda: chain_of((BELOW, TOPS["lateral"]), (NARROW, WIDE)),
    "signed": lambda: chain_of(FREE_CHAINS["field"], [SIGNED]),
    "signal": lambda: model_of(changed(COLUMN, field=(1, 5), cells=(1, 3)), pixels=(1, 30, 2)),
    "wide column": lambda: model_of(changed(COLUMN, cells=(2, 2)), "UQ0.12", "Q6.16", pixels=(7, 9)),
}


@pytest.mark.parametrize("chip", ["atmega328p", "cortex-m0", "riscv"])
@pytest.mark.parametrize("network", OTHERS)
def test_every_kind_of_network_answers_where_int_has_16_bits_and_nothing_divides(chip, network, tmp_path):
    needs_tools_of(chip)
    model = OTHERS[network]()
    export_c(model, tmp_path / "out", images_for(model, 5), seed=3)
    assert make(tmp_path / "out", f"test-{chip}").count("equal to the integer engine\n") == 1


@pytest.mark.parametrize("changes", [{"contrast": "on-off", "contrast_radius": 1}, {"tau_m_ms": 9.0}])
def test_flash_and_ram_of_networks_that_keep_rows_are_estimated(changes, tmp_path):
    needs_tools_of("cortex-m4")
    network = changed(COLUMN, field=(5, 5), cells=(3, 3), **changes)
    model = model_of(network, "UQ0.3", "Q5.5", "Q4.3", "linear", pixels=(20, 18))
    export_c(model, tmp_path / "out", images_for(model, 3))
    output = make(tmp_path / "out", "test-cortex-m4")
    assert output.count("equal to the integer engine\n") == 1
    assert "one by one\n" in output
    assert_memory_is_estimated(model, tmp_path / "out", output, flash=0.09)


def test_sums_of_weights_neither_multiply_nor_divide(digits_column, tmp_path):
    needs_tools_of("atmega328p")
    export_c(digits_column[0], tmp_path / "out")
    make(tmp_path / "out", "atmega328p.elf")
    listed = subprocess.run(
        ["avr-objdump", "-d", tmp_path / "out" / "atmega328p.elf"], check=True, capture_output=True, text=True
    ).stdout
    inner = re.search(r"<add_inputs>:\n(.*?)\n\n", listed, re.S)[1]
    assert "lpm" in inner  # weights are read from flash
    assert "mul" not in inner
    called = set(re.findall(r"call.*<(\w+)>", inner)) - {"add_inputs"}
    assert called <= {"add_row"}


def test_a_test_that_finds_another_answer_fails(digits_column, tmp_path):
    needs_tools_of("atmega328p")
    model, test = digits_column
    export_c(model, tmp_path / "out", test.images[:2])
    samples = tmp_path / "out" / "test" / "samples.bin"
    damaged = bytearray(samples.read_bytes())
    damaged[-1] ^= 1
    samples.write_bytes(damaged)
    for chip in CHIPS:
        needs_tools_of(chip)
        with pytest.raises(subprocess.CalledProcessError) as failed:
            make(tmp_path / "out", f"test-{chip}")
        assert "different from the integer engine" in failed.value.stdout
