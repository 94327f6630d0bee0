"""The metrics of NeuroBench, counted by hand: of a chain, of a field, and of the readout."""

from dataclasses import replace

import numpy as np
import pytest
from test_memmodel_layers import PATCHES, STACK, model_of

from fspinn.base.errors import ConfigError
from fspinn.memmodel import Size, memory_bits, neurobench
from fspinn.model.activity import Activity
from fspinn.model.tensors import LayerTensors
from fspinn.network import First, Fixed, NoInhibition

FREE = {"inhibition": NoInhibition(), "adaptation": Fixed()}
CHAIN = replace(STACK, layers=tuple(replace(one, **FREE) for one in STACK.layers), duration_ms=10.0)
"""16 pixels, 3 neurons, 2 neurons, 2 classes, 10 time steps."""

DONE = (
    Activity(
        samples=2, steps=20, input_spikes=80, output_spikes=12, synaptic_additions=240, neuron_updates=60
    ),
    Activity(2, 20, input_spikes=12, output_spikes=8, synaptic_additions=24, neuron_updates=40),
)


def filled(network, inputs, zeros=0, **more):
    """Return a model whose weights are 1, but for some of the first layer; its readout's table is 1."""
    model = model_of(network, inputs, **more)
    layers = []
    for number, (layer, n_inputs) in enumerate(zip(network.layers, inputs, strict=True)):
        weights = np.ones((n_inputs, layer.neurons), np.float32)
        weights.flat[: zeros if number == 0 else 0] = 0
        layers.append(LayerTensors.of_floats(weights, np.zeros(layer.neurons, np.float32)))
    table = np.ones_like(model.readout.table)
    return replace(model, layers=tuple(layers), readout=replace(model.readout, table=table))


def test_a_chain_is_that_counted_by_hand():
    found = neurobench(filled(CHAIN, (16, 3)), DONE)
    first, second = found.layers
    assert (first.effective_acs, second.effective_acs) == (40 * 3, 6 * 2)  # 40 and 6 input spikes
    assert (first.dense, second.dense) == (10 * 16 * 3, 10 * 3 * 2)
    assert (first.outputs, second.outputs) == (10 * 3, 10 * 2)
    assert found.activation_sparsity == 1 - (6 + 4) / 50
    assert found.membrane_updates == 30 + 20
    # Counts of up to 10 spikes are multiplied; at most both are not 0.
    assert (found.readout.effective_macs, found.readout.effective_acs, found.readout.dense) == (4, 0, 4)
    assert (found.effective_acs, found.effective_macs) == (132, 4)
    assert found.synaptic_operations == 136
    assert found.dense == 480 + 60 + 4
    assert found.footprint_bytes == 4 * (16 * 3 + 3 * 2 + 1 + 1 + 2 * 2)


def test_counts_that_are_not_0_can_be_given():
    found = neurobench(filled(CHAIN, (16, 3)), DONE, active_features=1.5)
    assert found.readout.effective_macs == 1.5 * 2


def test_weights_of_0_are_left_out():
    found = neurobench(filled(CHAIN, (16, 3), zeros=12), DONE)
    assert found.layers[0].zero_weights == 0.25
    assert found.layers[0].effective_acs == 120 * 0.75
    assert found.layers[0].dense == 480


def test_a_field_counts_at_each_of_its_positions():
    """9 positions of 4 pixels, 3 neurons, 7 time steps; the upper of two cells holds 6 positions."""
    done = Activity(
        samples=1, steps=40, positions=9, output_spikes=5, synaptic_additions=60, neuron_updates=120
    )
    first = replace(PATCHES.layers[0], inhibition=First())
    model = filled(replace(PATCHES, layers=(first,)), (4,))
    found = neurobench(model, (done,))
    assert found.layers[0].dense == 7 * 9 * 4 * 3
    assert found.activation_sparsity == 1 - 5 / (7 * 9 * 3)
    assert (found.readout.effective_macs, found.readout.dense) == (5 * 2, 6 * 2)
    whole = replace(first, field=(4, 4), cells=(1, 1))  # one position: a count is 0 or 1
    found = neurobench(filled(replace(PATCHES, layers=(whole,)), (16,)), (done,))
    assert (found.readout.effective_macs, found.readout.effective_acs) == (0, 3 * 2)


def test_the_bits_used_are_those_of_the_cost_model():
    model = filled(CHAIN, (16, 3), activity={"inference": DONE})
    found = neurobench(model)
    assert found.memory_bits == memory_bits(Size.of(model), training=False)
    assert found.as_dict()["memory_bits"] == found.memory_bits
    assert set(found.as_dict()) > {"layers", "readout", "effective_acs", "activation_sparsity"}
    assert "136 synaptic operations (132 ACs, 4 MACs; dense 544)" in found.in_words()


def test_labels_have_no_table():
    model = filled(CHAIN, (16, 3))
    found = neurobench(replace(model, readout=replace(model.readout, name="majority")), DONE)
    assert found.readout is None
    assert found.as_dict()["readout"] is None


def test_without_counts_there_is_nothing_to_say():
    with pytest.raises(ConfigError, match="activity: nothing was counted for each layer of this model; give"):
        neurobench(filled(CHAIN, (16, 3)))
    with pytest.raises(ConfigError, match="activity: nothing was counted"):
        neurobench(filled(CHAIN, (16, 3)), DONE[:1])
