"""The exported C program answers as the integer engine does, in every output spike."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from exported_programs import answers, build, images_for, model_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from small_networks import network_of

from fspinn.errors import ConfigError, FormatError
from fspinn.export import export_c
from fspinn.model import ENCODERS, INHIBITION_KINDS, INHIBITION_OF, Network
from fspinn.prediction import predict

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")

PLAIN = Network(neurons=5, duration_ms=70.0, weight_norm=1.0, threshold=3.0, tau_m_ms=20.0)


def check(model, folder, count=6):
    images = images_for(model, count)
    export_c(model, folder / "out", images, seed=3)
    counts, classes = answers(build(folder / "out"), images, model.network.neurons)
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
    inhibition_kind=st.sampled_from(INHIBITION_KINDS),
    inhibition=st.sampled_from([0.0, 0.7, 1.5]),
    inhibition_of=st.sampled_from(INHIBITION_OF),
    inhibition_floor=st.sampled_from([None, 0.0, -0.5]),
    inhibition_ms=st.sampled_from([0.0, 1.0, 6.0]),
    answer_threshold=st.sampled_from([None, 1.0]),
    weight_norm=st.sampled_from([1.0, 1.7]),
)
formats = st.tuples(
    st.sampled_from(["UQ0.1", "UQ0.2", "Q1.2", "UQ0.4", "UQ0.5", "UQ0.8", "Q1.3", "UQ0.12", "Q1.15"]),
    st.sampled_from(
        [("Q9.6", "Q5.3"), ("Q6.18", "Q2.8"), ("UQ8.8", "Q4.0"), ("Q6.2", "UQ3.2"), ("Q9.9", "Q5.9")]
    ),
)


@needs_gcc
@settings(max_examples=12, deadline=None, phases=(Phase.generate,))
@given(
    networks,
    formats,
    st.sampled_from(["proportion", "majority", "linear", "ngram"]),
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
@pytest.mark.parametrize("rate_norm_hz", [570.0, 1234.5678, 3.3e7, 1e-8])
def test_probabilities_are_the_floats_of_the_encoder_to_the_last_bit(tmp_path, rate_norm_hz):
    export_c(model_of(replace(PLAIN, rate_norm_hz=rate_norm_hz)), tmp_path / "out")
    random = np.random.default_rng(0)
    squares = np.concatenate(
        [np.arange(1, 300), random.integers(1, 784 * 255**2, 3000), random.integers(1, 2**52, 300)]
    )
    squares = np.concatenate([squares, np.arange(1, 300) ** 2, 65025 * np.arange(1, 785)])
    program = build(tmp_path / "out", "probabilities.c")
    told = subprocess.run([program], input=squares.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    found = np.frombuffer(told, dtype=np.uint32).reshape(len(squares), 256)
    scale = rate_norm_hz / 1000.0 / np.sqrt(squares.astype(np.float64)) * 2.0**32
    expected = np.minimum(np.arange(256) * scale[:, None], 2.0**32 - 1).astype(np.uint32)
    np.testing.assert_array_equal(found, expected)
