"""Exported networks that see events answer recordings, event by event, as the integer engine does."""

import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from described import changed, flat
from device import make, memory_of
from exported_programs import (
    ACTIVITY,
    PRESETS,
    SANITIZED,
    STRICT,
    chain_of,
    model_of,
    needs_gcc,
    needs_tools_of,
)
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from published_images import user_file
from recorded import HEIGHT, WIDTH, drawn
from test_export_c_layers import FREE, NARROW, SIGNED, TOPS
from test_export_c_rows import needs_clang
from test_export_features import listening, values_for

import fspinn
from fspinn import datasets
from fspinn.answering.predict import predict
from fspinn.backends.c import export_arduino, export_c
from fspinn.base.errors import ConfigError, FormatError
from fspinn.datasets import Recordings
from fspinn.lowering.plan import INHIBITIONS
from fspinn.lowering.post_training import quantize_readout
from fspinn.memmodel import estimate
from fspinn.network import Events, Network

SENSOR = (HEIGHT, WIDTH, 2)
COLUMN = flat(
    neurons=6,
    field=(3, 3),
    cells=(2, 2),
    encoder="events",
    inhibition="first",
    tau_m_ms=None,
    duration_ms=8.0,
    weight_norm=1.0,
    threshold=0.7,
)
OF_KIND = {"ranked": {"answer_ms": 3.0}, "clamp": {"inhibition_ms": 2.0}, "layer": {"refractory_ms": 2.0}}


def recordings(count=6, seed=0):
    """Some with events after the last time step; one has none at all."""
    return drawn(count, events=90, last_us=9500, seed=seed)


def ran(folder, compiler="gcc"):
    """What the program's own test prints on this computer, compiled with all warnings and sanitizers."""
    sources = [folder / name for name in ("network.c", "test/test.c", "test/host.c")]
    program = folder / "sanitized"
    subprocess.run([compiler, *STRICT, *SANITIZED, f"-I{folder}", *sources, "-o", program], check=True)
    with (folder / "test" / "samples.bin").open("rb") as samples:
        return subprocess.run([program], stdin=samples, capture_output=True, text=True, check=False).stdout


def check(model, folder, shown=None, **more):
    """Each recording is answered twice: all at once, and event by event."""
    shown = recordings() if shown is None else shown
    export_c(model, folder / "out", shown, **more)
    output = ran(folder / "out")
    assert output.count("image 0: class") == 2
    assert output.endswith("equal to the integer engine\n"), output
    return predict(model, shown, **more).spike_counts.sum()


@needs_gcc
@settings(max_examples=12, deadline=None, phases=(Phase.generate,))
@given(
    inhibition=st.sampled_from(INHIBITIONS),
    field=st.sampled_from([None, (1, 1), (2, 3), (3, 3), (5, 6), (4, 5)]),
    stride=st.sampled_from([1, 2, 4]),
    cells=st.sampled_from([(1, 1), (2, 1), (2, 3)]),
    neurons=st.sampled_from([1, 6, 40]),
    formats=st.sampled_from([("UQ0.1", "Q5.5"), ("UQ0.3", "Q4.3"), ("Q1.3", "Q6.6"), ("UQ0.12", "Q6.16")]),
    leak=st.sampled_from([None, 5.0]),
    refractory_ms=st.sampled_from([0.0, 3.0]),
    threshold=st.sampled_from([0.01, 0.7, 2.0]),
    readout=st.sampled_from(["proportion", "majority", "linear"]),
    heard=st.sampled_from([1.0, 0.5]),
    step=st.sampled_from([(0.25, 9.0), (1.0, 8.0), (3.0, 9.0)]),
)
def test_event_by_event_every_spike_and_class_are_those_of_the_engine(
    tmp_path_factory,
    inhibition,
    field,
    stride,
    cells,
    neurons,
    formats,
    leak,
    refractory_ms,
    threshold,
    readout,
    heard,
    step,
):
    where = {}
    if field is None:
        cells = (1, 1)
    else:
        heard, where = 1.0, {"stride": stride}
        there = [(n - f) // stride + 1 for n, f in zip(SENSOR, field, strict=False)]
        assume(all(c <= n for c, n in zip(cells, there, strict=True)))
    dt_ms, duration_ms = step
    of_kind = {name: dt_ms * value for name, value in OF_KIND.get(inhibition, {}).items()}
    times = {"dt_ms": dt_ms, "duration_ms": duration_ms, "refractory_ms": refractory_ms * dt_ms, **of_kind}
    how = {"inhibition": inhibition, "neurons": neurons, "tau_m_ms": leak, "threshold": threshold}
    asked = {**COLUMN.asked, **where, **times, **how, "field": field, "cells": cells}
    model = model_of(flat(**asked), *formats, readout=readout, heard=heard, pixels=SENSOR)
    check(model, tmp_path_factory.mktemp("c"), seed=2)


ALONE = changed(COLUMN, inhibition="none")
CHAINS = {
    "ranked": lambda: chain_of((COLUMN, TOPS["ranked"]), (NARROW, NARROW), SENSOR),
    "lateral": lambda: chain_of((COLUMN, TOPS["lateral"]), (NARROW, NARROW), SENSOR),
    "free, free": lambda: chain_of((ALONE, flat(**FREE)), (SIGNED, SIGNED), SENSOR),
    "free, field": lambda: chain_of((ALONE, TOPS["clamp"]), (SIGNED, NARROW), SENSOR),
}


@needs_gcc
@pytest.mark.parametrize("chain", CHAINS)
def test_layers_on_a_column_of_events_answer_at_the_end(chain, tmp_path):
    assert check(CHAINS[chain](), tmp_path) > 5


@needs_gcc
def test_features_beside_a_recording_are_heard(tmp_path):
    model = listening(model_of(COLUMN, pixels=SENSOR, readout="linear"), 2)
    check(model, tmp_path, features=values_for(model, 6), reject=0.1)


@needs_clang
def test_clang_has_nothing_to_warn_of(tmp_path):
    export_c(model_of(COLUMN, pixels=SENSOR), tmp_path / "out", recordings())
    assert ran(tmp_path / "out", "clang").endswith("equal to the integer engine\n")


@needs_gcc
def test_noise_tests_a_program_where_there_are_no_recordings(tmp_path):
    export_c(model_of(COLUMN, pixels=SENSOR), tmp_path / "out")
    output = ran(tmp_path / "out")
    assert output.count("image 4: class") == 2
    assert output.endswith("equal to the integer engine\n")


@needs_gcc
def test_a_test_that_finds_another_answer_fails(tmp_path):
    export_c(model_of(COLUMN, pixels=SENSOR), tmp_path / "out", recordings())
    samples = tmp_path / "out" / "test" / "samples.bin"
    damaged = bytearray(samples.read_bytes())
    damaged[-1] ^= 1
    samples.write_bytes(damaged)
    assert ran(tmp_path / "out").endswith("different from the integer engine\n")


_CAMERA = """
#include <stdio.h>
#include "network.h"

static int next_event(uint16_t *x, uint16_t *y, uint8_t *polarity, uint32_t *time)
{
    return scanf("%hu %hu %hhu %u", x, y, polarity, time) == 4;
}

int main(void)
{
    int16_t class_found;
    uint32_t time;
    uint16_t x, y;
    uint8_t polarity;
@loop@
    return class_found;
}
"""


@needs_gcc
def test_the_loop_that_the_readme_shows_answers_a_recording(tmp_path):
    model, shown = model_of(COLUMN, pixels=SENSOR, seed=1), recordings(8)
    export_c(model, tmp_path / "out", shown)
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "A time step is 1,000 us, and\n8 of them are a recording" in readme
    assert "the potentials of all of them are kept,\n144 bytes, and whether" in readme  # 12 of 6 of 2
    loop = re.search(r"^    static network_state state;\n    network_start.*\n(?:^    .*\n)+", readme, re.M)[
        0
    ]
    (tmp_path / "main.c").write_text(_CAMERA.replace("@loop@", loop))
    program, sources = tmp_path / "main", [tmp_path / "main.c", tmp_path / "out" / "network.c"]
    subprocess.run(["gcc", *STRICT, f"-I{tmp_path / 'out'}", *sources, "-o", program], check=True)
    expected = predict(model, shown).classes
    assert len(set(expected)) > 1
    for number, answer in enumerate(expected):
        one = shown[number : number + 1]
        rows = np.stack([one.x, one.y, one.p, one.t_us], axis=1).tolist()
        given = "".join(f"{' '.join(map(str, row))}\n" for row in rows)
        found = subprocess.run([program], input=given.encode(), check=False).returncode
        assert found == answer % 256


def test_a_sketch_takes_no_events(tmp_path):
    with pytest.raises(FormatError, match=r"^encoder: a sketch reads images or signals from the serial port"):
        export_arduino(model_of(COLUMN, pixels=SENSOR), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_times_beyond_32_bits_are_refused(tmp_path):
    model = model_of(changed(COLUMN, dt_ms=1e6, duration_ms=5e6), pixels=SENSOR)
    with pytest.raises(FormatError, match=r"^duration_ms: events have times of 32 bits .* up to 4294967 ms;"):
        export_c(model, tmp_path / "out")


@pytest.mark.parametrize("shown", [np.zeros((2, *SENSOR), np.uint8), drawn()])
def test_samples_that_do_not_fit_the_encoder_are_refused(shown, tmp_path):
    images = model_of(flat(**{**COLUMN.asked, "encoder": "ttfs"}), pixels=SENSOR)
    model = model_of(COLUMN, pixels=SENSOR) if isinstance(shown, np.ndarray) else images
    with pytest.raises(ConfigError, match=r"^images: these are"):
        export_c(model, tmp_path / "out", shown)
    assert list(tmp_path.iterdir()) == []


# --- N-MNIST ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nmnist():
    """Recordings of digits, 1,100 of them."""
    return datasets.load(user_file("nmnist/nmnist_small.npz"), validation=100)


@pytest.fixture(scope="module")
def digits(nmnist):
    """Trained columns in few bits, by the chip that has room for them."""

    def column(neurons, cells, stride):
        network = Network.patches(
            neurons, cells=cells, stride=stride, encoder=Events(), dt_ms=10.0, duration_ms=300.0
        )
        trained = fspinn.train(network, nmnist, readout="linear", progress=False).model
        return fspinn.quantize(trained, "UQ0.3", state="8 bits", readout="Q1.3", data=nmnist)

    narrow, wide = column(4, 4, 3), column(16, 4, 2)
    return {chip: narrow if chip == "atmega328p" else wide for chip in ("host", *PRESETS)}


def answered(output, model, shown, times=1):
    expected = predict(model, shown)
    for m, (found, counts) in enumerate(zip(expected.classes, expected.spike_counts, strict=True)):
        spikes = "".join(f" {j}x{counts[j]}" for j in np.flatnonzero(counts))
        assert output.count(f"image {m}: class {found}, spikes{spikes}\n") == times
    assert output.count("equal to the integer engine\n") == 1


@needs_gcc
def test_recordings_of_digits_are_answered_spike_for_spike(digits, nmnist, tmp_path):
    shown = nmnist.test.images
    export_c(digits["host"], tmp_path / "out", shown)
    answered(make(tmp_path / "out", "test"), digits["host"], shown, times=2)


@pytest.mark.parametrize("chip", PRESETS)
def test_a_chip_answers_recordings_of_digits_in_the_memory_that_was_estimated(chip, digits, nmnist, tmp_path):
    """simavr takes a third of a second for one."""
    needs_tools_of(chip)
    model, shown = digits[chip], nmnist.test.images[: 10 if chip == "atmega328p" else 100]
    export_c(model, tmp_path / "out", shown)
    output = make(tmp_path / "out", f"test-{chip}")
    answered(output, model, shown)
    assert_memory_of_events_is_estimated(model, tmp_path / "out", output, chip)


@pytest.mark.exhaustive
@pytest.mark.parametrize("chip", PRESETS)
def test_a_chip_answers_many_recordings_of_digits_spike_for_spike(chip, digits, nmnist, tmp_path):
    """A thousand, of which simavr would take ten minutes: a hundred there."""
    needs_tools_of(chip)
    model, shown = digits[chip], np.arange(100 if chip == "atmega328p" else 1000)
    export_c(model, tmp_path / "out", recordings_of_all(nmnist)[shown])
    answered(make(tmp_path / "out", f"test-{chip}"), model, recordings_of_all(nmnist)[shown])


def recordings_of_all(data):
    """All recordings of a data set, one after the other."""
    parts = [split.images for split in (data.train, data.validation, data.test)]
    arrays = (np.concatenate([getattr(one, name) for one in parts]) for name in ("x", "y", "p", "t_us"))
    counts = np.concatenate([np.diff(one.offsets) for one in parts])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return Recordings(*arrays, offsets, parts[0].height, parts[0].width)


def assert_memory_of_events_is_estimated(model, folder, output, chip):
    """Within 2 % or 16 bytes of the linker's map."""
    took = memory_of(folder, output, chip)
    activity = dict.fromkeys(("training", "inference"), (ACTIVITY,) * len(model.layers))
    capacity = estimate(model, PRESETS[chip], activity).capacity["inference"]
    needed = {name: need.needed for name, need in capacity.items()}
    assert needed["flash_bytes"] == pytest.approx(took["flash"], rel=0.02, abs=16)
    assert needed["ram_bytes"] == pytest.approx(took["ram"], rel=0.02, abs=16)


SIZES = {
    "one word": ((6, (6, 6), (3, 3), 4), ("UQ0.3", "Q4.3")),
    "two words": ((10, (4, 4), (4, 4), 4), ("UQ0.4", "Q4.3")),
    "a wide state": ((7, (5, 5), (3, 3), 3), ("UQ0.3", "Q5.6")),
}
"""None of them is one that the presets were fitted to."""


@pytest.mark.parametrize("chip", ["atmega328p", "cortex-m0", "riscv"])
@pytest.mark.parametrize("size", SIZES)
def test_flash_and_ram_of_other_sizes_are_estimated(chip, size, tmp_path):
    """But for the last one on an AVR, which it has no RAM for."""
    needs_tools_of(chip)
    (neurons, field, cells, stride), formats = SIZES[size]
    where = {"neurons": neurons, "field": field, "cells": cells, "stride": stride, "threshold": 1.5}
    model = model_of(changed(COLUMN, **where), *formats, readout="linear", pixels=(34, 34, 2))
    model = replace(model, readout=replace(model.readout, format=None))
    model, _ = quantize_readout(model, "Q1.3")
    hardware = PRESETS[chip]
    if (chip, size) == ("atmega328p", "a wide state"):
        words = r"^hardware: mcu-avr is too small; it takes 2,\d{3} bytes of RAM, and there are 2,048\. Use"
        with pytest.raises(ConfigError, match=words):
            export_c(model, tmp_path / "out", hardware=hardware)
        assert list(tmp_path.iterdir()) == []
        return
    export_c(model, tmp_path / "out", hardware=hardware)
    output = make(tmp_path / "out", f"test-{chip}")
    assert_memory_of_events_is_estimated(model, tmp_path / "out", output, chip)


@pytest.mark.parametrize("chip", ["atmega328p", "cortex-m0"])
@pytest.mark.parametrize("inhibition", ["clamp", "layer", "ranked", "none"])
def test_other_networks_answer_where_int_has_16_bits_and_nothing_divides(chip, inhibition, tmp_path):
    needs_tools_of(chip)
    of_kind = OF_KIND.get(inhibition, {})
    network = changed(COLUMN, inhibition=inhibition, tau_m_ms=9.0, **of_kind)
    export_c(model_of(network, pixels=SENSOR), tmp_path / "out", recordings())
    assert make(tmp_path / "out", f"test-{chip}").count("equal to the integer engine\n") == 1
