"""Bits per component."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fspinn.errors import ConfigError
from fspinn.memmodel import ACCOUNTINGS, Size, fspinn_memory_ratio, memory_bits
from fspinn.memmodel.footprint import footprint
from fspinn.model import Network
from fspinn.quant import Format
from fspinn.trained import Model, Readout

SIZE = Size(n_inputs=784, n_neurons=400, n_classes=10, weight_bits=4, readout_bits=8)

sizes = st.builds(
    Size,
    n_inputs=st.integers(1, 5000),
    n_neurons=st.integers(1, 10_000),
    n_classes=st.integers(1, 100),
    weight_bits=st.integers(1, 32),
    state_bits=st.integers(1, 32),
    threshold_bits=st.integers(1, 32),
    steps=st.integers(1, 1000),
    window_steps=st.integers(1, 1000),
    refractory_steps=st.integers(0, 100),
    readout=st.sampled_from(["proportion", "majority", "linear", "ngram"]),
    readout_bits=st.integers(1, 32),
)


def test_each_component_has_its_exact_bits():
    assert footprint(SIZE, training=True) == {
        "weights": 784 * 400 * 4,
        "thresholds": 400 * 32,
        "membrane": 400 * 32,
        "refractory": 0,
        "inhibition": 32,
        "spikes": 2 * (784 + 400),
        "readout": 400 * 10 * 8,
        "votes": 400 * 9,  # 350 spikes at most
        "window": (784 + 400) * 9,
    }


def test_inference_needs_no_window():
    training, inference = footprint(SIZE, training=True), footprint(SIZE, training=False)
    assert training.pop("window") > 0
    assert training == inference


def test_dense_simulators_store_inhibition_as_a_matrix():
    aware, dense = footprint(SIZE, True), footprint(SIZE, True, "dense-sim")
    assert dense["inhibition"] == 400 * 400 * 4
    assert {**dense, "inhibition": aware["inhibition"]} == aware


def test_majority_is_stored_as_labels():
    for n_classes, label_bits in ((1, 1), (2, 1), (8, 3), (9, 4), (10, 4), (26, 5)):
        size = Size(64, 100, n_classes, weight_bits=8, readout="majority")
        assert footprint(size, training=False)["readout"] == 100 * label_bits


def test_linear_stores_a_table_and_a_wide_bias():
    size = Size(64, 100, 10, weight_bits=8, readout="linear", readout_bits=8)
    assert footprint(size, training=False)["readout"] == 100 * 10 * 8 + 10 * 32


def test_ngram_stores_the_pairs_it_kept_and_scores_instead_of_votes():
    size = Size(64, 100, 10, weight_bits=8, readout="ngram", readout_bits=8, pairs=1234)
    assert footprint(size, training=False)["readout"] == 1234 * (2 * 7 + 10 * 8)
    assert footprint(size, training=False)["votes"] == 10 * (8 + 9) + 7  # sums of 350 entries; a neuron


def test_before_training_ngram_is_charged_for_all_pairs():
    size = Size(64, 100, 10, weight_bits=8, readout="ngram", readout_bits=8)
    assert footprint(size, training=False) == footprint(replace(size, pairs=100**2), training=False)


def test_a_refractory_counter_holds_its_steps():
    for steps, bits in ((0, 0), (1, 1), (5, 3), (7, 3), (8, 4)):
        size = Size(64, 100, 10, weight_bits=8, refractory_steps=steps)
        assert footprint(size, training=False)["refractory"] == 100 * bits


def test_the_published_saving_of_memory_is_reproduced():
    assert round(fspinn_memory_ratio(784, 4900, weight_bits=8), 3) == 7.448
    assert round(fspinn_memory_ratio(784, 4900, weight_bits=32), 3) == 1.862
    assert fspinn_memory_ratio(784, 4900, 8) == 4 * (784 * 4900 + 2 * 4900**2) / (784 * 4900 + 4900**2)


@given(sizes, st.sampled_from(ACCOUNTINGS), st.booleans())
def test_the_total_is_the_sum_of_the_components(size, accounting, training):
    components = footprint(size, training, accounting)
    assert all(isinstance(bits, int) and bits >= 0 for bits in components.values())
    assert memory_bits(size, training, accounting) == sum(components.values())


@given(
    sizes,
    st.sampled_from(["n_inputs", "n_neurons", "weight_bits", "state_bits", "steps", "window_steps"]),
    st.sampled_from(ACCOUNTINGS),
    st.booleans(),
)
def test_memory_never_falls_when_something_grows(size, name, accounting, training):
    larger = Size(**{**vars(size), name: getattr(size, name) + 1})
    assert memory_bits(larger, training, accounting) >= memory_bits(size, training, accounting)


@pytest.mark.parametrize("readout", ["proportion", "majority", "linear", "ngram"])
def test_arrays_of_sizes_give_arrays_of_bits(readout):
    neurons, bits = np.array([100, 400, 4900]), np.array([2, 4, 8])
    many = memory_bits(Size(784, neurons, 10, bits, readout=readout), True, "dense-sim")
    one_by_one = [
        memory_bits(Size(784, int(n), 10, int(b), readout=readout), True, "dense-sim")
        for n, b in zip(neurons, bits, strict=True)
    ]
    assert many.tolist() == one_by_one


def test_the_size_of_a_model_is_that_of_its_network():
    network = Network(neurons=3, weight_norm=1.0, duration_ms=100.0, refractory_ms=5.0, window_ms=20.0)
    formats = Format.parse("UQ0.4"), Format.parse("UQ0.8")
    model = Model(
        network=network,
        image_shape=(2, 2),
        weights=np.zeros((4, 3), dtype=np.float32),
        theta=np.zeros(3, dtype=np.float32),
        readout=Readout("proportion", np.zeros((3, 10), dtype=np.float32), formats[1]),
        weight_format=formats[0],
    )
    size = Size.of(model)
    assert size == Size.of_network(network, n_inputs=4, n_classes=10, weight_bits=4, readout_bits=8)
    assert (size.steps, size.window_steps, size.refractory_steps) == (100, 20, 5)


@pytest.mark.parametrize(("name", "value"), [("n_inputs", 0), ("weight_bits", 4.0), ("steps", True)])
def test_what_is_no_size_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"{name}: .* is not a size; give a whole number of at least 1"):
        Size(**{**vars(SIZE), name: value})


def test_an_unknown_accounting_is_refused():
    with pytest.raises(ConfigError, match="'dense' is unknown; use one of structure-aware, dense-sim"):
        footprint(SIZE, True, "dense")
