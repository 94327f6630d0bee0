"""The exported C program answers as the integer engine does, in every output spike."""

import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from described import changed, dense, flat, with_layer
from device import make
from exported_programs import (
    answers,
    assert_memory_is_estimated,
    build,
    build_for_cpp,
    images_for,
    model_of,
    needs_arm,
    needs_gcc,
)
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from published_images import skip_without
from small_networks import network_of

from fspinn import datasets
from fspinn.answering.predict import predict
from fspinn.backends.c import export_c
from fspinn.base.errors import ConfigError, FormatError
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn, train
from fspinn.lowering import quantize
from fspinn.lowering.plan import INHIBITIONS
from fspinn.network import Network, NoContrast, OnOff
from fspinn.network.encoders import ENCODERS
from fspinn.network.inhibition import INHIBITION_OF
from fspinn.network.rules import Stdp

PLAIN = dense(neurons=5, duration_ms=70.0, weight_norm=1.0, threshold=3.0, tau_m_ms=20.0)


@pytest.fixture(scope="module")
def mnist():
    """A network that has seen some of MNIST, in integers, and test images."""
    skip_without("mnist")
    data = datasets.load("mnist")
    data = replace(data, train=data.train.first(600))
    learned = learn(dense(neurons=100), data, learner=Stdp(passes=1), progress=False)
    (model,) = fit_readouts(learned, data, ["proportion"])
    return quantize(model, "UQ0.4", state="Q9.6"), data.test.images[:1000]


def check(model, folder, count=6):
    images = images_for(model, count)
    export_c(model, folder / "out", images, seed=3)
    counts, classes = answers(build(folder / "out"), images, model.network.features)
    expected = predict(model, images, seed=3)
    np.testing.assert_array_equal(counts, expected.spike_counts)
    np.testing.assert_array_equal(classes, expected.classes)
    return expected.spike_counts.sum()


networks = st.builds(
    network_of,
    neurons=st.sampled_from([1, 5, 17]),
    duration_ms=st.sampled_from([1.0, 70.0, 131.0, 300.0]),
    encoder=st.sampled_from(ENCODERS),
    rate_norm_hz=st.sampled_from([300.0, 1000.0, 6000.0]),
    max_rate_hz=st.sampled_from([63.75, 2000.0]),
    first_spikes=st.sampled_from([None, 5]),
    tau_m_ms=st.sampled_from([0.01, 3.0, 20.0, 1e9]),
    refractory_ms=st.sampled_from([0.0, 3.0]),
    threshold=st.sampled_from([0.5, 3.0, 6.0]),
    inhibition=st.sampled_from(INHIBITIONS),
    inhibition_strength=st.sampled_from([0.0, 0.7, 1.5]),
    inhibition_of=st.sampled_from(INHIBITION_OF),
    inhibition_ms=st.sampled_from([0.0, 1.0, 6.0]),
    answer_threshold=st.sampled_from([None, 1.0]),
    weight_norm=st.sampled_from([1.0, 1.7]),
)
formats = st.tuples(
    st.sampled_from(
        ["UQ0.1", "UQ0.2", "Q1.2", "UQ0.4", "UQ0.5", "UQ0.6", "UQ0.8", "Q1.8", "UQ1.9", "UQ0.12", "Q1.15"]
    ),
    st.sampled_from(
        [("Q9.6", "Q5.3"), ("Q6.18", "Q2.8"), ("UQ8.8", "Q4.0"), ("Q6.2", "UQ3.2"), ("Q9.9", "Q5.9")]
    ),
)


@needs_gcc
@settings(max_examples=12, deadline=None, phases=(Phase.generate,))
@given(
    networks,
    formats,
    st.sampled_from(["proportion", "majority", "linear"]),
    st.sampled_from([1.0, 0.7]),
    st.integers(0, 9),
)
def test_every_spike_and_class_are_those_of_the_integer_engine(
    tmp_path_factory, network, chosen, readout, heard, seed
):
    weights, (state, theta) = chosen
    model = model_of(network, weights, state, theta, readout, heard, seed)
    check(model, tmp_path_factory.mktemp("c"))


@needs_gcc
@pytest.mark.parametrize("readout", ["proportion", "majority", "linear"])
def test_a_rejected_answer_is_minus_one_where_python_rejects(tmp_path, readout):
    """A lead that is exactly the margin is enough, as is one where nothing is rejected."""
    model = model_of(PLAIN, readout=readout)
    images = images_for(model, 60)
    leads = predict(model, images, seed=3).leads
    exact = float(np.median(leads[leads > 0]))
    for number, reject in enumerate([exact, float(np.nextafter(exact, 2 * exact)), 1e-12, 1e30]):
        folder = tmp_path / str(number)
        export_c(model, folder, images, reject=reject, seed=3)
        _, classes = answers(build(folder), images, model.network.features)
        expected = predict(model, images, seed=3, reject=reject).classes
        np.testing.assert_array_equal(classes, expected)
        np.testing.assert_array_equal(classes == -1, leads < reject)
        assert "-1 is none" in (folder / "README.md").read_text()
        subprocess.run(["make", "-s", "-C", folder, "test"], check=True)
    assert (classes == -1).all()


def test_a_program_that_answers_always_says_nothing_of_none(tmp_path):
    export_c(model_of(PLAIN), tmp_path / "silent")
    assert "-1 is none: no neuron has spiked." in (tmp_path / "silent" / "README.md").read_text()
    export_c(model_of(PLAIN, readout="linear"), tmp_path / "out")
    assert "-1" not in (tmp_path / "out" / "README.md").read_text()
    assert "#define FSPINN_REJECT 0\n" in (tmp_path / "out" / "network.c").read_text()


def test_a_margin_that_is_not_one_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="reject: must be at least 0, but got -1"):
        export_c(model_of(PLAIN), tmp_path / "out", reject=-1)
    assert not (tmp_path / "out").exists()


@needs_gcc
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
@pytest.mark.parametrize("standard", ["c++98", "c++11", "c++17"])
@pytest.mark.parametrize("readout", ["proportion", "linear"])
def test_firmware_in_cpp_links_the_network(tmp_path, standard, readout):
    model = model_of(PLAIN, readout=readout)
    images = images_for(model, 6)
    export_c(model, tmp_path / "out", images, seed=2**64 - 1)
    program = build_for_cpp(tmp_path / "out", standard)
    counts, classes = answers(program, images, model.network.neurons)
    expected = predict(model, images, seed=2**64 - 1)
    np.testing.assert_array_equal(counts, expected.spike_counts)
    np.testing.assert_array_equal(classes, expected.classes)


@needs_gcc
@pytest.mark.parametrize("rate_norm_hz", [570.0, 1234.5678, 3.3e7, 1e-8])
def test_probabilities_are_the_floats_of_the_encoder_to_the_last_bit(tmp_path, rate_norm_hz):
    export_c(model_of(changed(PLAIN, rate_norm_hz=rate_norm_hz)), tmp_path / "out")
    random = np.random.default_rng(0)
    squares = np.concatenate(
        [np.arange(1, 300), random.integers(1, 784 * 255**2, 3000), random.integers(1, 2**52, 300)]
    )
    squares = np.concatenate([squares, np.arange(1, 300) ** 2, 65025 * np.arange(1, 785)])
    program = build(tmp_path / "out", "probabilities.c")
    output = subprocess.run([program], input=squares.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    found = np.frombuffer(output, dtype=np.uint32).reshape(len(squares), 256)
    scale = rate_norm_hz / 1000.0 / np.sqrt(squares.astype(np.float64)) * 2.0**32
    expected = np.minimum(np.arange(256) * scale[:, None], 2.0**32 - 1).astype(np.uint32)
    np.testing.assert_array_equal(found, expected)


@needs_gcc
def test_a_thousand_test_images_of_mnist_are_answered_spike_for_spike(mnist, tmp_path):
    model, images = mnist
    export_c(model, tmp_path / "out", images[:5])
    counts, classes = answers(build(tmp_path / "out"), images, 100)
    expected = predict(model, images)
    assert expected.spike_counts.sum() > 1000
    np.testing.assert_array_equal(counts, expected.spike_counts)
    np.testing.assert_array_equal(classes, expected.classes)


@needs_arm
def test_a_cortex_m4_answers_the_same_from_the_memory_that_was_estimated(mnist, tmp_path):
    model, images = mnist
    export_c(model, tmp_path / "out", images[:4])
    output = make(tmp_path / "out", "test-cortex-m4")
    expected = predict(model, images[:4])
    for m, (found, counts) in enumerate(zip(expected.classes, expected.spike_counts, strict=True)):
        spikes = "".join(f" {j}x{counts[j]}" for j in np.flatnonzero(counts))
        assert f"image {m}: class {found}, spikes{spikes}\n" in output
    assert "equal to the integer engine" in output
    assert_memory_is_estimated(model, tmp_path / "out", output)


@needs_arm
@pytest.mark.parametrize(
    ("network", "formats"),
    [
        ({"encoder": "ttfs", "first_spikes": 40}, {"weights": "UQ0.8", "readout": "majority"}),
        ({"inhibition": "layer", "refractory_ms": 3.0}, {"state": "Q6.18", "readout": "linear"}),
        ({"inhibition": "clamp", "encoder": "regular"}, {"weights": "Q1.2", "readout": "linear"}),
    ],
)
def test_memory_on_a_cortex_m4_is_estimated_for_other_networks(tmp_path, network, formats):
    network = dense(neurons=100, weight_norm=1.0, threshold=6.0, duration_ms=60.0, **network)
    model = model_of(network, pixels=(28, 28), **formats)
    export_c(model, tmp_path / "out", images_for(model, 3))
    output = make(tmp_path / "out", "test-cortex-m4")
    assert "equal to the integer engine" in output
    assert_memory_is_estimated(model, tmp_path / "out", output)


@needs_gcc
def test_a_program_answers_silence_as_the_model_does(tmp_path):
    model = model_of(PLAIN)
    bias = np.zeros(model.readout.n_classes, np.float32)
    bias[-1] = model.readout.format.step
    model = replace(model, readout=replace(model.readout, bias=bias))
    images = np.zeros((2, *model.image_shape), np.uint8)
    export_c(model, tmp_path / "out", images, seed=3)
    _, classes = answers(build(tmp_path / "out"), images, model.network.neurons)
    assert list(classes) == predict(model, images, seed=3).classes.tolist() == [len(bias) - 1] * 2


COLUMN = flat(
    neurons=8,
    field=(3, 3),
    cells=(3, 3),
    encoder="ttfs",
    first_spikes_relative_to="white",
    inhibition="first",
    tau_m_ms=None,
    duration_ms=8.0,
    weight_norm=1.0,
    threshold=1.5,
)
"""Neurons without leak that see a small field; the first spike ends a position."""


@needs_gcc
@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({}, {"weights": "UQ0.3"}),
        ({"stride": 2, "cells": (1, 2), "first_spikes_relative_to": "brightest"}, {"weights": "UQ0.8"}),
        ({"first_spikes_relative_to": "brightest", "first_spikes": 20}, {"readout": "linear"}),
        ({"contrast": "on-off"}, {"readout": "majority", "weights": "UQ0.2"}),
        (
            {"contrast": "on-off", "contrast_radius": 9, "stride": 3},
            {"pixels": (9, 12)},
        ),
        ({"contrast": "on-off", "encoder": "regular", "rate_norm_hz": 4000.0}, {"weights": "Q1.4"}),
        ({"encoder": "poisson", "inhibition": "lateral", "duration_ms": 70.0, "tau_m_ms": 20.0}, {}),
        ({"encoder": "unscaled", "max_rate_hz": 500.0, "inhibition": "clamp", "inhibition_ms": 2.0}, {}),
        ({"encoder": "poisson", "inhibition": "layer", "refractory_ms": 2.0, "rate_norm_hz": 3000.0}, {}),
        ({"field": (7, 9), "cells": (1, 1), "threshold": 6.0}, {}),
        ({"contrast": "on-off", "contrast_of": "colours"}, {"pixels": (7, 8, 3)}),
        ({"contrast": "on-off"}, {"pixels": (5, 6, 2)}),
        ({"contrast": "on-off"}, {"pixels": (4, 5, 130)}),
        ({"contrast": "level-delta", "field": (1, 3), "cells": (1, 3)}, {"pixels": (1, 9, 70)}),
        ({"stride": 2}, {"pixels": (5, 6, 3)}),
        ({"contrast": "level", "field": (1, 5), "cells": (1, 3)}, {"pixels": (1, 30)}),
        ({"contrast": "delta", "delta_step": 60, "delta_gain": 90}, {"pixels": (5, 9)}),
        ({"contrast": "level-delta", "field": (1, 5), "cells": (1, 4)}, {"pixels": (1, 30, 2)}),
        ({"pool": 2}, {"pixels": (14, 18)}),
        ({"pool": 3, "contrast": "on-off", "contrast_of": "colours"}, {"pixels": (15, 18, 3)}),
        ({"pool": 2, "contrast": "delta", "delta_step": 60, "delta_gain": 90}, {"pixels": (10, 18, 2)}),
        (
            {"pool": 6, "field": (1, 2), "cells": (1, 2), "threshold": 0.5},
            {"pixels": (6, 24)},
        ),  # one row left
    ],
)
def test_each_position_of_a_field_is_that_of_the_integer_engine(tmp_path, changes, more):
    network = changed(changed(COLUMN, cells=changes.get("cells", (2, 2))), **changes)
    assert check(model_of(network, **{"pixels": (7, 9), **more}), tmp_path) >= 5


@needs_gcc
@pytest.mark.parametrize("encoder", ["ttfs", "poisson"])
def test_contrast_is_seen_by_neurons_without_a_field_too(tmp_path, encoder):
    network = dense(
        neurons=5, contrast="on-off", encoder=encoder, duration_ms=60.0, threshold=1.0, weight_norm=1.0
    )
    assert check(model_of(network, pixels=(5, 6)), tmp_path) > 5


@needs_gcc
@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(("pool", "pixels"), [(2, (8, 12)), (3, (6, 9, 2)), (255, (255, 510)), (4, (1, 48))])
def test_means_of_blocks_are_seen_by_neurons_without_a_field_too(tmp_path, encoder, pool, pixels):
    network = dense(neurons=5, pool=pool, encoder=encoder, duration_ms=60.0, threshold=0.3, weight_norm=1.0)
    assert check(model_of(network, pixels=pixels, heard=0.5), tmp_path) > 5


@pytest.fixture(scope="module", params=[NoContrast(), OnOff()], ids=["plain", "contrast"])
def column_on_mnist(request):
    """A trained column of 16 neurons in weights and a readout of few bits, and the test images."""
    skip_without("mnist")
    data = datasets.load("mnist")
    few = replace(data, train=data.train.first(2000), validation=data.validation.first(500))
    network = Network.patches(16, 5, cells=3, contrast=request.param)
    trained = train(network, few, readout="linear", progress=False).model
    return quantize(trained, "UQ0.3", state="Q5.5", readout="Q1.3"), data.test


def assert_column_answers(model, test, folder):
    export_c(model, folder / "out", test.images[:5])
    counts, classes = answers(build(folder / "out"), test.images, model.network.features)
    expected = predict(model, test.images)
    assert (expected.classes == test.labels).mean() > 0.9
    np.testing.assert_array_equal(counts, expected.spike_counts)
    np.testing.assert_array_equal(classes, expected.classes)


@needs_gcc
def test_a_column_answers_test_images_of_mnist_spike_for_spike(column_on_mnist, tmp_path):
    model, test = column_on_mnist
    assert_column_answers(model, test.first(500), tmp_path)
    assert ") at 24 x 24 positions in 3 x 3 cells, 8 time steps; " in (tmp_path / "out/README.md").read_text()


@needs_gcc
@pytest.mark.exhaustive
def test_a_column_answers_all_test_images_of_mnist_spike_for_spike(column_on_mnist, tmp_path):
    assert_column_answers(*column_on_mnist, tmp_path)


@needs_arm
def test_a_column_on_a_cortex_m4_answers_the_same_from_the_memory_that_was_estimated(
    column_on_mnist, tmp_path
):
    model, test = column_on_mnist
    export_c(model, tmp_path / "out", test.images[:3])
    output = make(tmp_path / "out", "test-cortex-m4")
    assert "equal to the integer engine" in output
    assert_memory_is_estimated(model, tmp_path / "out", output)


@needs_gcc
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_the_programs_own_test_finds_what_differs(tmp_path):
    export_c(model_of(PLAIN), tmp_path / "out")
    assert make(tmp_path / "out", "test").endswith("equal to the integer engine\n")
    header = (tmp_path / "out" / "network.c").read_text()
    leak = re.search(r"LAYER_LEAK (\d+)", header)[1]
    (tmp_path / "out" / "network.c").write_text(
        header.replace(f"LAYER_LEAK {leak}", f"LAYER_LEAK {int(leak) // 2}")
    )
    with pytest.raises(subprocess.CalledProcessError) as failed:
        make(tmp_path / "out", "test")
    assert "WRONG\n" in failed.value.stdout
    assert "different from the integer engine" in failed.value.stdout


@needs_gcc
@pytest.mark.parametrize("weights", ["UQ0.4", "Q1.1", "UQ0.6"])
def test_many_inputs_may_spike_in_one_step(tmp_path, weights):
    network = changed(PLAIN, encoder="unscaled", max_rate_hz=900.0, threshold=40.0, neurons=19)
    model = model_of(network, weights, heard=0.9, pixels=(11, 13))  # 130 inputs, most of them at once
    assert check(model, tmp_path) > 10


@needs_gcc
def test_more_steps_at_once_change_no_spike(tmp_path):
    model = model_of(changed(PLAIN, duration_ms=140.0))
    images = images_for(model, 6)
    expected = predict(model, images).spike_counts
    for steps in (1, 32):
        folder = tmp_path / str(steps)
        export_c(model, folder)
        header = (folder / "network.h").read_text().replace("STEPS_AT_ONCE 8", f"STEPS_AT_ONCE {steps}")
        (folder / "network.h").write_text(header)
        np.testing.assert_array_equal(answers(build(folder), images, 5)[0], expected)


def test_the_program_needs_nothing_but_stdint(tmp_path):
    export_c(model_of(PLAIN), tmp_path / "out")
    program = [*(tmp_path / "out").glob("network.*"), *(tmp_path / "out" / "src").iterdir()]
    text = "".join(path.read_text() for path in program)
    parts = {path.name for path in (tmp_path / "out" / "src").iterdir()}
    ours = {"network.h", *parts, *(f"src/{name}" for name in parts)}
    included = {name.strip('"') for name in re.findall(r"#include (\S+)", text)}
    assert included - ours == {"<stdint.h>", "<avr/pgmspace.h>"}  # the latter on AVR only
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    assert not re.search(r"\b(float|double|malloc|calloc|free)\b", code)


def test_a_model_in_floats_is_refused(tmp_path):
    model = with_layer(model_of(PLAIN), state=None)
    with pytest.raises(
        FormatError, match=r"^state: the model computes with floats; quantize first with --st"
    ):
        export_c(model, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_readout_that_is_not_in_integers_is_refused(tmp_path):
    model = model_of(PLAIN)
    with pytest.raises(
        FormatError, match=r"^readout: the table of 'proportion' is in floats; quantize it too"
    ):
        export_c(replace(model, readout=replace(model.readout, format=None)), tmp_path / "out")
    with pytest.raises(
        FormatError, match=r"'majority' is more than one label per neuron; use the one that tr"
    ):
        export_c(replace(model, readout=replace(model.readout, name="majority")), tmp_path / "out")


def test_images_of_another_size_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="images: 3 x 3 pixels do not fit a model for 4 x 6; resize the im"):
        export_c(model_of(PLAIN), tmp_path / "out", np.zeros((1, 3, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    export_c(model_of(PLAIN), folder)  # empty: is filled
    before = sorted(path.name for path in folder.iterdir())
    for way in (folder, folder / "network.h"):
        with pytest.raises(ConfigError, match=r"is there already; name a folder that is new or empty$"):
            export_c(model_of(PLAIN), way)
    with pytest.raises(
        ConfigError, match=r"cannot be written \(No such file or directory\); choose another f"
    ):
        export_c(model_of(PLAIN), tmp_path / "missing" / "out")
    assert sorted(path.name for path in folder.iterdir()) == before
    assert list(tmp_path.iterdir()) == [folder]
