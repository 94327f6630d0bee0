"""An exported column answers an image row by row as the integer engine answers all of it, beside others."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from described import changed, flat
from exported_programs import SANITIZED, STRICT, answers, build, chain_of, images_for, model_of, needs_gcc
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from test_export_c import COLUMN, PLAIN
from test_export_c_layers import COLUMN as BELOW
from test_export_c_layers import NARROW, TOPS

from fspinn.answering.predict import predict
from fspinn.backends.c import export_c
from fspinn.base.errors import ConfigError
from fspinn.lowering.plan import INHIBITIONS
from fspinn.memmodel.inputs import is_column, kept_rows
from fspinn.memmodel.size import Size

needs_clang = pytest.mark.skipif(shutil.which("clang") is None, reason="needs clang")


def check(model, folder, images=None):
    images = images_for(model, 6) if images is None else images
    export_c(model, folder / "out", images[:2], seed=3)
    expected = predict(model, images, seed=3)
    for main in ("answers.c", "one_by_one.c"):
        counts, classes = answers(build(folder / "out", main), images, model.network.features)
        np.testing.assert_array_equal(counts, expected.spike_counts)
        np.testing.assert_array_equal(classes, expected.classes)
    return expected.spike_counts.sum()


def exported_source(model, folder):
    export_c(model, folder)
    return (folder / "network.c").read_text()


@needs_gcc
@settings(max_examples=15, deadline=None, phases=(Phase.generate,))
@given(
    size=st.tuples(st.integers(3, 12), st.integers(3, 14), st.sampled_from([None, 2, 3])),
    field=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.integers(1, 4),
    cells=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    neurons=st.sampled_from([1, 3, 8, 17]),
    steps=st.sampled_from([1, 8, 13, 255, 300]),
    formats=st.sampled_from(
        [
            ("UQ0.1", "Q5.5"),
            ("UQ0.3", "Q5.5"),
            ("Q1.4", "Q6.6"),
            ("UQ0.8", "Q8.4"),
            ("Q1.8", "Q6.5"),
            ("UQ0.12", "UQ6.16"),
        ]
    ),
    threshold=st.sampled_from([0.4, 1.5, 3.0]),
    readout=st.sampled_from(["proportion", "majority", "linear"]),
    pool=st.sampled_from([1, 1, 2, 3]),
)
def test_row_by_row_every_spike_and_class_are_those_of_the_whole_image(
    tmp_path_factory, size, field, stride, cells, neurons, steps, formats, threshold, readout, pool
):
    height, width, channels = size
    positions = [(n - f) // stride + 1 if n >= f else 0 for n, f in zip((height, width), field, strict=True)]
    assume(all(c <= n for c, n in zip(cells, positions, strict=True)))
    where = {"field": field, "stride": stride, "cells": cells, "neurons": neurons, "threshold": threshold}
    network = changed(COLUMN, **where, duration_ms=float(steps), pool=pool)
    weights, state = formats
    shape = (pool * height, pool * width, *([] if channels is None else [channels]))
    check(model_of(network, weights, state, "Q4.3", readout, pixels=shape), tmp_path_factory.mktemp("c"))


@needs_gcc
@pytest.mark.parametrize("top", ["lateral", "ranked", "field"])
def test_layers_on_a_column_answer_with_its_last_row(top, tmp_path):
    assert check(chain_of((BELOW, TOPS[top]), (NARROW, NARROW)), tmp_path) > 5


@needs_gcc
def test_a_threshold_of_nothing_needs_no_input(tmp_path):
    model = model_of(changed(COLUMN, cells=(2, 2), threshold=0.005), pixels=(5, 6))
    assert "#define LAYER_SPIKES_UNASKED 1\n" in exported_source(model, tmp_path / "once")
    assert check(model, tmp_path, np.zeros((1, 5, 6), np.uint8)) > 0


def test_only_rows_of_the_field_are_kept(tmp_path):
    export_c(model_of(changed(COLUMN, cells=(2, 2)), pixels=(9, 12, 2)), tmp_path / "out")
    assert "uint8_t times[72];" in (tmp_path / "out" / "network.h").read_text()  # 3 of 12 pixels
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "the program keeps the spikes of the last 3 of them." in readme
    assert "} while (network_row(&state, row) > 0);" in readme


@needs_gcc
@settings(max_examples=12, deadline=None, phases=(Phase.generate,))
@given(
    contrast=st.sampled_from(["off", "on-off", "level", "delta", "level-delta"]),
    radius=st.sampled_from([1, 2]),
    encoder=st.sampled_from(["ttfs", "unscaled"]),
    inhibition=st.sampled_from(INHIBITIONS),
    leak=st.sampled_from([None, 9.0]),
    field=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.integers(1, 4),
    size=st.tuples(st.integers(5, 12), st.integers(4, 9), st.sampled_from([None, 3])),
    pool=st.sampled_from([1, 1, 2]),
)
def test_networks_that_are_no_such_column_take_rows_too(
    tmp_path_factory, contrast, radius, encoder, inhibition, leak, field, stride, size, pool
):
    """With contrast, leak, rates, or other inhibition: the last rows of the image are kept."""
    height, width, channels = size
    rows, columns = ((n - f) // stride + 1 for n, f in zip((height, width), field, strict=True))
    cells = (min(rows, 2), min(columns, 2))
    of_contrast = {"contrast_radius": radius} if contrast == "on-off" else {}
    how = {"contrast": contrast, **of_contrast, "inhibition": inhibition, "tau_m_ms": leak, "pool": pool}
    asked = {**COLUMN.asked, **how, "field": field, "stride": stride, "cells": cells, "threshold": 0.8}
    if encoder == "unscaled":
        del asked["first_spikes_relative_to"]
        asked |= {"encoder": encoder, "max_rate_hz": 600.0, "duration_ms": 20.0}
    shape = (pool * height, pool * width, *([] if channels is None else [channels]))
    model, folder = model_of(flat(**asked), readout="linear", pixels=shape), tmp_path_factory.mktemp("c")
    if kept_rows(model.network, shape) > 0 or is_column(model.network):
        check(model, folder)
    else:
        export_c(model, folder / "out")
        assert "#define NETWORK_ROWS 0\n" in (folder / "out" / "network.h").read_text()


@needs_gcc
def test_layers_on_a_field_with_contrast_answer_with_the_last_row(tmp_path):
    below = changed(BELOW, contrast="on-off", tau_m_ms=20.0)
    assert check(chain_of((below, TOPS["ranked"]), (NARROW, NARROW), pixels=(12, 9)), tmp_path) > 5


def test_rows_that_a_contrast_looks_at_are_kept(tmp_path):
    model = model_of(changed(COLUMN, contrast="on-off", cells=(2, 2)), pixels=(12, 9))
    export_c(model, tmp_path / "out")
    assert "uint8_t rows[63];" in (tmp_path / "out" / "network.h").read_text()  # 3 + 2 * 2 of 9
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "the program keeps the last 7 of them." in readme
    assert Size.of(model).kept_rows == 63


@pytest.mark.parametrize(
    "changes",
    [
        {"first_spikes_relative_to": "brightest"},
        {"contrast": "on-off", "contrast_radius": 2},
        {"field": (7, 9), "cells": (1, 1), "tau_m_ms": 9.0},
    ],
)
def test_other_networks_say_that_they_need_the_whole_image(changes, tmp_path):
    export_c(model_of(changed(COLUMN, **{"cells": (2, 2), **changes}), pixels=(7, 9)), tmp_path / "out")
    assert "An image cannot come row by row" in (tmp_path / "out" / "README.md").read_text()
    assert "#define NETWORK_ROWS 0\n" in (tmp_path / "out" / "network.h").read_text()


_BOTH = """
#include <stdio.h>
#include "digits.h"
#include "letters.h"

static digits_state one, same;
static letters_state other;

int main(void)
{
    static uint8_t image[DIGITS_PIXELS];
    uint16_t i;
    while (fread(image, 1, sizeof image, stdin) == sizeof image) {
        digits_start(&same, 0);
        for (i = 0; i < DIGITS_SAMPLE_HEIGHT; i++) {
            (void)digits_row(&same, image + i * DIGITS_SAMPLE_WIDTH);
            (void)digits_answer(&one, image, 0);
        }
        printf("%d %d %d\\n", digits_class(&one), digits_class(&same), letters_answer(&other, image, 0));
    }
    return 0;
}
"""


@needs_gcc
def test_networks_of_two_names_live_in_one_firmware(tmp_path):
    """And each state is one by itself."""
    digits = model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9))
    letters = model_of(changed(PLAIN, encoder="ttfs", threshold=1.0), pixels=(7, 9), readout="linear")
    export_c(digits, tmp_path / "both", name="digits")
    export_c(letters, tmp_path / "letters", name="letters")
    for path in (tmp_path / "letters").glob("letters.*"):
        shutil.copy(path, tmp_path / "both")
    (tmp_path / "both" / "main.c").write_text(_BOTH)
    sources = [tmp_path / "both" / name for name in ("main.c", "digits.c", "letters.c")]
    program = tmp_path / "both" / "main"
    subprocess.run(["gcc", *STRICT, *SANITIZED, *sources, "-o", program], check=True)
    images = images_for(digits, 6)
    output = subprocess.run([program], input=images.tobytes(), capture_output=True, check=True).stdout
    found = np.array([line.split() for line in output.decode().splitlines()], dtype=int)
    np.testing.assert_array_equal(found[:, 0], predict(digits, images).classes)
    np.testing.assert_array_equal(found[:, 1], found[:, 0])
    first = [predict(letters, images[m : m + 1]).classes[0] for m in range(len(images))]
    np.testing.assert_array_equal(found[:, 2], first)


@needs_clang
@pytest.mark.parametrize("network", ["column", "dense", "chain"])
def test_clang_has_nothing_to_warn_of(network, tmp_path):
    models = {
        "column": lambda: model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9)),
        "dense": lambda: model_of(PLAIN),
        "chain": lambda: chain_of((BELOW, TOPS["ranked"]), (NARROW, NARROW)),
    }
    export_c(models[network](), tmp_path / "out")
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Wundef", "-Werror"]
    flags += ["-fsanitize=undefined,address", "-c", "-o", tmp_path / "network.o"]
    subprocess.run(["clang", *flags, tmp_path / "out" / "network.c"], check=True)


def test_an_export_is_the_same_byte_for_byte(tmp_path):
    model = model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9))
    for folder in ("one", "two"):
        export_c(model, tmp_path / folder, images_for(model, 3))
    written = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    assert len(written) > 15
    for path in written:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


@pytest.mark.parametrize("name", ["", "2nd", "a-b", "a b", "_a", "größe", "for", "layer", "Fspinn", "a\n"])
def test_a_name_that_c_does_not_have_is_refused(name, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(f"name: {name!r} cannot be the name of a network in C;")):
        export_c(model_of(PLAIN), tmp_path / "out", name=name)
    assert list(tmp_path.iterdir()) == []
