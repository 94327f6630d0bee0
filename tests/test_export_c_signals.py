"""An exported C program answers a signal value by value as the integer engine answers the whole sample."""

import re
import subprocess
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from described import changed, dense, flat
from device import make
from exported_programs import (
    STRICT,
    answers,
    assert_memory_is_estimated,
    build,
    images_for,
    model_of,
    needs_arm,
    needs_gcc,
)
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from published_images import user_file

from fspinn import datasets
from fspinn.answering.predict import predict
from fspinn.backends.c import export_c
from fspinn.datasets import Scale
from fspinn.learning.training import train
from fspinn.lowering import quantize
from fspinn.lowering.plan import INHIBITIONS
from fspinn.network import Delta, Level, LevelDelta, Network
from fspinn.network.encoders import CONTRASTS

COLUMN = flat(
    neurons=6,
    field=(1, 5),
    encoder="ttfs",
    first_spikes_relative_to="white",
    inhibition="first",
    tau_m_ms=None,
    duration_ms=8.0,
    weight_norm=1.0,
    threshold=1.0,
)
"""A column with a field along time."""


def signals_for(model, count=5, seed=0):
    """Walks of small and large steps, one that stays at 0, one at 255, one that jumps between them."""
    random = np.random.default_rng(seed)
    shape = (count, *model.image_shape)
    steps = random.integers(-9, 10, shape) + (random.random(shape) < 0.1) * random.integers(-200, 200, shape)
    signals = np.clip(128 + np.cumsum(steps, axis=2), 0, 255).astype(np.uint8)
    signals[0], signals[1] = 0, 255
    signals[2, 0, ::2], signals[2, 0, 1::2] = 0, 255
    return signals


def check(model, folder, samples=None, mains=("answers.c", "one_by_one.c")):
    """Compare answers to whole samples, and to their values one by one, with the integer engine."""
    samples = signals_for(model) if samples is None else samples
    export_c(model, folder / "out", samples, seed=3)
    expected = predict(model, samples, seed=3)
    for main in mains:
        counts, classes = answers(build(folder / "out", main), samples, model.network.features)
        np.testing.assert_array_equal(counts, expected.spike_counts)
        np.testing.assert_array_equal(classes, expected.classes)
    return expected.spike_counts.sum()


def defined(folder, name):
    return int(re.search(rf"#define NETWORK_{name} (\d+)\n", (folder / "network.h").read_text())[1])


def internal(folder, name):
    return int(re.search(rf"#define FSPINN_{name} (\d+)\n", (folder / "network.c").read_text())[1])


@needs_gcc
@settings(max_examples=15, deadline=None, phases=(Phase.generate,))
@given(
    contrast=st.sampled_from(CONTRASTS),
    numbers=st.tuples(st.sampled_from([1, 2, 9]), st.sampled_from([1, 7, 60]), st.sampled_from([2, 90])),
    field=st.integers(1, 9),
    stride=st.integers(1, 12),
    length=st.integers(9, 40),
    channels=st.sampled_from([None, 2, 3]),
    cells=st.integers(1, 3),
    kinds=st.tuples(st.sampled_from(["ttfs", "unscaled"]), st.sampled_from(INHIBITIONS)),
    readout=st.sampled_from(["proportion", "majority", "linear"]),
    pool=st.sampled_from([1, 2, 5]),
)
def test_value_by_value_every_spike_and_class_are_those_of_the_whole_sample(
    tmp_path_factory, contrast, numbers, field, stride, length, channels, cells, kinds, readout, pool
):
    assume(cells <= (length - field) // stride + 1)
    (radius, step, gain), (encoder, inhibition) = numbers, kinds
    of = {
        "on-off": {"contrast_radius": radius, "contrast_gain": gain},
        "level": {"contrast_gain": gain},
        "delta": {"delta_step": step, "delta_gain": gain},
        "level-delta": {"contrast_gain": gain, "delta_step": step, "delta_gain": gain},
    }
    of_encoder = {"ttfs": {}, "unscaled": {"max_rate_hz": 600.0, "duration_ms": 20.0}}
    kinds = {"contrast": contrast, "encoder": encoder, "inhibition": inhibition}
    where = {"field": (1, field), "stride": stride, "cells": (1, cells), "pool": pool}
    asked = {**COLUMN.asked, **kinds, **where, **of.get(contrast, {}), **of_encoder[encoder]}
    if encoder != "ttfs":
        del asked["first_spikes_relative_to"]
    network = flat(**asked)
    shape = (1, pool * length) if channels is None else (1, pool * length, channels)
    model = model_of(network, readout=readout, pixels=shape)
    check(model, tmp_path_factory.mktemp("c"))


@needs_gcc
@pytest.mark.parametrize(
    ("contrast", "kept", "arrays"),
    [("level", 5, 1), ("delta", 6, 1), ("level-delta", 6, 2), ("on-off", 9, 1)],
)
def test_only_values_of_the_field_are_kept(tmp_path, contrast, kept, arrays):
    """Steps need the value before as well, and local means those around: a radius of 2."""
    model = model_of(changed(COLUMN, contrast=contrast, cells=(1, 4)), pixels=(1, 90, 2))
    assert check(model, tmp_path) > 5
    assert internal(tmp_path / "out", "KEPT") == kept
    header = (tmp_path / "out" / "network.h").read_text()
    sizes = re.findall(r"uint8_t (?:values|levels)\[(\d+)\]\[(\d+)\];", header)
    assert sizes == [(str(kept), "2")] * arrays


@needs_gcc
@pytest.mark.parametrize(
    ("changes", "pixels", "because"),
    [
        ({"encoder": "poisson", "contrast": "delta"}, (1, 40, 2), "'poisson' needs all of it before"),
        ({"encoder": "regular", "contrast": "level-delta"}, (1, 40), "'regular' needs all of it before"),
        (
            {"first_spikes_relative_to": "brightest", "contrast": "delta", "first_spikes": 9},
            (1, 40, 2),
            "'ttfs' needs all of it before the first spike; use 'ttfs' with first_spikes_relative_to=white",
        ),
        ({"field": None, "cells": (1, 1), "contrast": "delta"}, (1, 40), "give them a field along time"),
        ({"field": None, "cells": (1, 1), "contrast": "level-delta"}, (1, 1), "see all of it at once"),
        ({"encoder": "poisson", "contrast": "level", "field": (1, 39)}, (1, 40), "'poisson' needs all of it"),
        ({"contrast": "level-delta", "field": (2, 1)}, (3, 2), None),
        ({"contrast": "delta", "field": (3, 4)}, (7, 9, 2), None),
        ({"contrast": "level-delta", "field": (3, 4), "stride": 3}, (9, 16), None),
        ({"contrast": "delta", "field": None, "cells": (1, 1)}, (5, 6), None),
        ({"contrast": "delta", "encoder": "poisson", "field": (2, 2), "stride": 2}, (6, 1 + 5), None),
    ],
)
def test_what_cannot_come_value_by_value_is_answered_as_a_whole(tmp_path, changes, pixels, because):
    """In samples of several rows too, steps are counted on from the value before, along the row."""
    if "encoder" in changes:
        changes = {"rate_norm_hz": 4000.0, **changes}
    network = flat(**{**COLUMN.asked, **changes, "duration_ms": 30.0})  # inputs are encoded several times
    model = model_of(network, pixels=pixels)
    samples = images_for(model, 5) if pixels[0] > 1 else signals_for(model)
    check(model, tmp_path, samples, mains=["answers.c"])
    assert defined(tmp_path / "out", "PUSH") == 0
    readme = (tmp_path / "out" / "README.md").read_text()
    if because is None:
        assert "Values of the signal" not in readme
    else:
        assert "cannot come one by one, the whole sample has to be there: " in readme
        assert because in readme


# --- values as they were recorded ---------------------------------------------------------------------


def scaled(folder, values):
    """Bytes that a program makes of whole numbers, shape (n, channels)."""
    program = build(folder, "scaled.c")
    output = subprocess.run(
        [program], input=values.astype(np.int32).tobytes(), capture_output=True, check=True
    )
    return np.frombuffer(output.stdout, np.uint8).reshape(values.shape)


def with_scale(low, high, pool=1):
    shape = (1, 12) if len(low) == 1 else (1, 12, len(low))
    model = model_of(changed(COLUMN, contrast="level", field=(1, 3), pool=pool), pixels=shape)
    return replace(model, scale=Scale(low, high))


@needs_gcc
@pytest.mark.parametrize(
    ("low", "high"),
    [
        ((-998.0,), (998.0,)),  # an even range: halves occur
        ((-32768.0, 0.0), (32767.0, 1.0)),
        ((-401.0, 17.0, -3.0), (1129.0, 272.0, 507.0)),
        ((-(2.0**31), 0.0), (2.0**31 - 1, 16843010.0)),
    ],
)
def test_whole_numbers_become_the_bytes_of_the_scale(tmp_path, low, high):
    model = with_scale(low, high)
    export_c(model, tmp_path / "out")
    int16 = np.arange(-(2**15), 2**15)
    extremes = np.r_[-(2**31), 2**31 - 1, 2**24 - 3 : 2**24 + 70000 : 7, np.geomspace(1, 2**31 - 1, 5000)]
    values = np.repeat(np.r_[int16, extremes.astype(np.int64)][:, None], len(low), axis=1)
    found = scaled(tmp_path / "out", values)
    signals = values[:, 0] if len(low) == 1 else values
    expected = model.scale.applied(signals[None]).reshape(found.shape)
    np.testing.assert_array_equal(found, expected)
    exact = [round(Fraction(255 * (v - int(low[0])), int(high[0] - low[0]))) for v in values[:, 0].tolist()]
    np.testing.assert_array_equal(found[:, 0], np.clip(exact, 0, 255))


@pytest.mark.parametrize(("low", "high"), [(-0.5, 10.0), (0.0, 2.0**31), (-1.0, 1e-3)])
def test_a_scale_of_other_numbers_is_left_to_the_caller(tmp_path, low, high):
    export_c(with_scale((low,), (high,)), tmp_path / "out")
    assert defined(tmp_path / "out", "SCALED") == 0
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "The program does not do so: these are not whole numbers of 32 bits." in readme
    assert "scaled_by_you(sensor(c), c)" in readme


def test_the_ends_of_a_scale_are_written_to_the_last_digit(tmp_path):
    export_c(with_scale((-1234567.0, 0.1), (7654321.0, 1e9 / 3)), tmp_path / "out")
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "from -1234567 to 7654321; from 0.1 to 333333333.3333333. " in readme


def test_a_program_of_images_says_nothing_of_signals(tmp_path):
    export_c(model_of(dense(neurons=5, weight_norm=1.0, threshold=3.0)), tmp_path / "out")
    assert "signal" not in (tmp_path / "out" / "README.md").read_text()
    assert [defined(tmp_path / "out", name) for name in ("PUSH", "SCALED")] == [0, 0]
    assert internal(tmp_path / "out", "KEPT") == 0


# --- the loop of a sensor -------------------------------------------------------------------------------

_SENSOR = """
#include <stdio.h>
#include "network.h"

static int32_t sensor(uint8_t channel)
{
    int16_t value = 0;
    (void)channel;
    return fread(&value, sizeof value, 1, stdin) == 1 ? value : 0;
}

int main(void)
{
    int16_t class_found;
@loop@
    return class_found;
}
"""


@needs_gcc
@pytest.mark.parametrize(("pool", "kept", "size"), [(1, "3", 6), (2, "3 means of 2", 10)])
def test_the_loop_that_the_readme_shows_answers_what_was_recorded(tmp_path, pool, kept, size):
    model = with_scale((-300.0, -500.0), (700.0, 500.0), pool)
    export_c(model, tmp_path / "out")
    readme = (tmp_path / "out" / "README.md").read_text()
    assert f"the program keeps the last {kept} of them,\nin {size} bytes of RAM." in readme
    loop = re.search(
        r"(?:^    static network_state state;\n    uint8_t value.*\n)(?:^    .*\n)+", readme, re.M
    )[0]
    (tmp_path / "main.c").write_text(_SENSOR.replace("@loop@", loop))
    program = tmp_path / "main"
    sources = [tmp_path / "main.c", tmp_path / "out" / "network.c"]
    subprocess.run(["gcc", *STRICT, f"-I{tmp_path / 'out'}", *sources, "-o", program], check=True)
    recorded = np.random.default_rng(0).integers(-900, 900, (5, 12, 2)).astype(np.int16)
    expected = predict(model, model.scale.applied(recorded), seed=0).classes
    assert len(set(expected)) > 1
    for signal, answer in zip(recorded, expected, strict=True):
        assert subprocess.run([program], input=signal.tobytes(), check=False).returncode == answer


# --- heartbeats -----------------------------------------------------------------------------------------


@pytest.fixture(
    scope="module", params=[Level(), Delta(), LevelDelta()], ids=["level", "delta", "level-delta"]
)
def of_heartbeats(request):
    """A trained column along time in few bits, and heartbeats as they were recorded."""
    path = user_file("ecg/mitbih_beats_aami.npz")
    data = datasets.load(path, reading=datasets.Reading(features=()))
    few = replace(data, train=data.train.first(3000), validation=data.validation.first(500))
    network = replace(Network.patches(8, (1, 12), cells=(1, 6)), contrast=request.param)
    trained = train(network, few, readout="linear", progress=False).model
    with np.load(path) as recorded:
        beats = recorded["test_beats"][::50]
    return quantize(trained, "UQ0.3", state="Q5.5", readout="Q1.3"), beats


@needs_gcc
def test_heartbeats_are_answered_spike_for_spike(of_heartbeats, tmp_path):
    model, beats = of_heartbeats
    images = model.scale.applied(beats)
    assert check(model, tmp_path, images) > 1000
    np.testing.assert_array_equal(scaled(tmp_path / "out", beats.reshape(-1, 1)), images.reshape(-1, 1))


@needs_arm
def test_a_cortex_m4_takes_heartbeats_one_by_one_in_the_memory_that_was_estimated(of_heartbeats, tmp_path):
    model, beats = of_heartbeats
    export_c(model, tmp_path / "out", model.scale.applied(beats[:4]))
    output = make(tmp_path / "out", "test-cortex-m4")
    assert "equal to the integer engine" in output
    assert_memory_is_estimated(model, tmp_path / "out", output, flash=0.05)
