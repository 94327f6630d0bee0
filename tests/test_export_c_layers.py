"""Chains of layers as C programs answer as the integer engine does, in every output spike."""

from dataclasses import replace

import numpy as np
import pytest
from described import changed, flat
from device import make
from exported_programs import (
    answers,
    assert_memory_is_estimated,
    build,
    chain_of,
    images_for,
    needs_arm,
    needs_gcc,
)
from published_images import skip_without

from fspinn import datasets
from fspinn.answering.predict import predict
from fspinn.backends.c import export_c
from fspinn.learning.training import train
from fspinn.lowering import quantize
from fspinn.network import Network
from fspinn.network.layers import Layer

SHOWN = {"duration_ms": 8.0, "weight_norm": 1.0}
COLUMN = flat(
    neurons=5,
    field=(3, 3),
    cells=(3, 3),
    encoder="ttfs",
    first_spikes_relative_to="white",
    inhibition="first",
    tau_m_ms=None,
    threshold=1.5,
    **SHOWN,
)
"""A column that may be followed by layers on 3 x 3 cells of 5 channels."""

TOPS = {
    "lateral": flat(neurons=6, inhibition="lateral", threshold=1.0, tau_m_ms=20.0, **SHOWN),
    "ranked": flat(neurons=7, inhibition="ranked", answer_ms=4.0, tau_m_ms=None, threshold=1.0, **SHOWN),
    "clamp": flat(
        neurons=3, inhibition="clamp", field=(1, 2), inhibition_ms=2.0, threshold=0.7, tau_m_ms=9.0, **SHOWN
    ),
    "layer": flat(neurons=40, inhibition="layer", refractory_ms=1.0, threshold=0.9, **SHOWN),
    "field": flat(
        neurons=2, inhibition="first", field=(2, 2), cells=(2, 1), threshold=0.8, tau_m_ms=None, **SHOWN
    ),
}
NARROW, WIDE = ("UQ0.3", "Q6.6", "Q4.3"), ("Q1.8", "Q8.14", "Q4.10")

FREE = {"inhibition": "none", "neurons": 10, "threshold": 0.6, "tau_m_ms": 9.0, **SHOWN}
RATES = {"encoder": "unscaled", "max_rate_hz": 300.0}
CURRENTS = {**FREE, **RATES, "neurons": 70, "tau_m_ms": 3.0, "threshold": 1.4}
FREE_COLUMN = {**COLUMN.asked, **FREE, "neurons": 5}
SIGNED, SMALL = ("Q1.3", "Q5.6", "Q4.3"), ("Q1.1", "Q4.1", "Q3.1")
FREE_CHAINS = {
    "dense": [flat(**CURRENTS)],
    "leak of all": [flat(**{**CURRENTS, "tau_m_ms": 0.01})],
    "no leak": [flat(**{**CURRENTS, "tau_m_ms": None, "threshold": 4.0})],
    "refractory": [flat(**CURRENTS, refractory_ms=2.0)],
    "field": [flat(**FREE_COLUMN)],
    "current, dense, dense": [flat(**CURRENTS), flat(**FREE, refractory_ms=1.0)],
    "on a column": [COLUMN, flat(**FREE)],
    "below rank": [flat(**FREE_COLUMN), TOPS["ranked"]],
    "below a field": [flat(**{**FREE_COLUMN, "neurons": 40}), TOPS["field"]],
    "fields": [
        flat(**{**FREE_COLUMN, **RATES, "cells": (5, 6), "neurons": 7}),
        flat(**{**FREE, "field": (3, 2), "stride": 2, "cells": (2, 2)}),
        flat(**{**FREE, "field": (1, 2)}),
        flat(**FREE),
    ],
    "one position that sees a part": [
        flat(**{**FREE_COLUMN, "cells": (4, 5)}),
        flat(**{**FREE, "field": (1, 4), "stride": 4}),
    ],
}
"""Layers without inhibition, alone, above and below others."""


def check(model, folder, images=None):
    """Compare a program with the engine; return how many spikes each layer has."""
    images = images_for(model, 8) if images is None else images
    export_c(model, folder / "out", images[:4], seed=3)
    counts, classes = answers(build(folder / "out"), images, model.network.features)
    expected = predict(model, images, seed=3)
    np.testing.assert_array_equal(counts, expected.spike_counts)
    np.testing.assert_array_equal(classes, expected.classes)
    make(folder / "out", "test")
    return [one.output_spikes for one in expected.activity]


@needs_gcc
@pytest.mark.parametrize("formats", [(NARROW, NARROW), (NARROW, WIDE), (WIDE, NARROW)])
@pytest.mark.parametrize("top", TOPS)
def test_a_layer_on_a_column_is_that_of_the_integer_engine(tmp_path, top, formats):
    assert min(check(chain_of((COLUMN, TOPS[top]), formats), tmp_path)) > 5


@needs_gcc
@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": "poisson", "inhibition": "lateral", "rate_norm_hz": 4000.0, "tau_m_ms": 20.0},
        {"encoder": "unscaled", "max_rate_hz": 500.0, "inhibition": "clamp", "inhibition_ms": 2.0},
        {"encoder": "regular", "rate_norm_hz": 4000.0, "inhibition": "layer", "refractory_ms": 2.0},
        {"contrast": "on-off", "threshold": 0.8},
        {"neurons": 40, "cells": (1, 1)},
    ],
    ids=str,
)
def test_a_layer_below_may_be_any(tmp_path, changes):
    """Neurons that spike again in the layer below are inputs of the next one once only."""
    model = chain_of((changed(COLUMN, **changes), TOPS["ranked"]), (NARROW, NARROW), readout="majority")
    assert min(check(model, tmp_path)) > 5


@needs_gcc
def test_three_layers_are_those_of_the_integer_engine(tmp_path):
    middle = changed(TOPS["field"], neurons=4)
    model = chain_of((COLUMN, middle, TOPS["lateral"]), (NARROW, WIDE, NARROW), pixels=(9, 9))
    assert min(check(model, tmp_path)) > 3


@needs_gcc
def test_many_steps_need_wider_times(tmp_path):
    long = {"duration_ms": 300.0}
    parts = changed(COLUMN, threshold=2.5, **long), changed(TOPS["lateral"], **long)
    model = chain_of(parts, (NARROW, NARROW))
    assert min(check(model, tmp_path)) > 5
    assert "#define LAYER_TIME uint16_t\n" in (tmp_path / "out" / "network.c").read_text()


@needs_gcc
def test_values_of_a_signal_go_through_all_layers(tmp_path):
    """The program's own test pushes them one by one too."""
    below = changed(COLUMN, field=(1, 5), cells=(1, 6), contrast="level")
    model = chain_of((below, changed(TOPS["lateral"], threshold=0.4)), (NARROW, NARROW), pixels=(1, 30))
    assert min(check(model, tmp_path)) > 5
    assert "#define NETWORK_PUSH 1\n" in (tmp_path / "out" / "network.h").read_text()


@needs_gcc
@pytest.mark.parametrize("formats", [SIGNED, SMALL, WIDE], ids=lambda names: names[0])
@pytest.mark.parametrize("name", FREE_CHAINS)
def test_neurons_without_inhibition_are_those_of_the_integer_engine(tmp_path, name, formats):
    """Several spikes a step, signed weights, a soft reset; in few bits potentials leave their format."""
    parts = FREE_CHAINS[name]
    chosen = [formats if part.inhibition == "none" else NARROW for part in parts]
    spikes = check(chain_of(parts, chosen), tmp_path)
    if formats != SMALL:
        assert min(spikes) > 5
    assert spikes[0] > 5


@needs_gcc
def test_neurons_speak_for_classes_and_values_come_one_by_one(tmp_path):
    below = flat(**{**FREE_COLUMN, "field": (1, 5), "cells": (1, 6), "contrast": "level"})
    model = chain_of((below, flat(**FREE)), (SIGNED, SIGNED), pixels=(1, 40), readout="majority")
    assert min(check(model, tmp_path)) > 5
    assert "#define NETWORK_PUSH 1\n" in (tmp_path / "out" / "network.h").read_text()


def test_the_page_of_a_chain_names_all_layers(tmp_path):
    export_c(chain_of((COLUMN, TOPS["ranked"]), (NARROW, WIDE)), tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    assert "5 neurons, a field of 3 x 3 (9 inputs) at 5 x 7 positions in 3 x 3 cells, 8 time steps; " in text
    assert "; then 7 neurons, 45 inputs, 12 time steps; weights in Q1.8, potentials in Q8.14, " in text


@pytest.fixture(scope="module")
def prototypes_on_mnist():
    """A trained column of 12 neurons with 50 prototypes on it, in integers, and the test images."""
    skip_without("mnist")
    data = datasets.load("mnist")
    few = replace(data, train=data.train.first(2000), validation=data.validation.first(500))
    column = Network.patches(12, 5, cells=3)
    network = replace(column, layers=(*column.layers, Layer.prototypes(50)))
    trained = train(network, few, readout="linear", progress=False).model
    return quantize(trained, "UQ0.3", state="Q6.6", readout="Q1.5"), data.test


def assert_prototypes_answer(model, test, folder):
    check(model, folder, test.images)
    expected = predict(model, test.images, seed=3)
    assert (expected.classes == test.labels).mean() > 0.75
    assert expected.spike_counts.sum() == 10 * len(test.images)


@needs_gcc
def test_prototypes_answer_test_images_of_mnist_spike_for_spike(prototypes_on_mnist, tmp_path):
    model, test = prototypes_on_mnist
    assert_prototypes_answer(model, test.first(500), tmp_path)


@needs_gcc
@pytest.mark.exhaustive
def test_prototypes_answer_all_test_images_of_mnist_spike_for_spike(prototypes_on_mnist, tmp_path):
    assert_prototypes_answer(*prototypes_on_mnist, tmp_path)


@needs_arm
def test_prototypes_on_a_cortex_m4_answer_the_same_from_the_memory_that_was_estimated(
    prototypes_on_mnist, tmp_path
):
    model, test = prototypes_on_mnist
    export_c(model, tmp_path / "out", test.images[:3])
    output = make(tmp_path / "out", "test-cortex-m4")
    assert "equal to the integer engine" in output
    assert_memory_is_estimated(model, tmp_path / "out", output, flash=0.04)
