"""Bits per component: logical, packed into words, and of the memories."""

import numpy as np
import pytest
from cost_cases import HARDWARE, case, grown, resized, sized, sizes, unhurried, with_memory
from described import both, model_from, with_layer
from hypothesis import given
from hypothesis import strategies as st

from fspinn.base.errors import ConfigError
from fspinn.base.settings import as_plain, members
from fspinn.memmodel import Size, footprint, load_hardware, memory_bits
from fspinn.memmodel.energy import energy_pj
from fspinn.memmodel.footprint import needed_bits, physical_bits, stored_bits
from fspinn.memmodel.packing import count_bits, index_bits, words
from fspinn.model.model import Readout
from fspinn.model.tensors import Tensor
from fspinn.network import Rule
from fspinn.quant import Format

SIZE = sized(n_inputs=784, n_neurons=400, n_classes=10, weight_bits=4, readout_bits=8)


def test_each_component_has_its_exact_bits():
    assert footprint(SIZE, training=True) == {
        "weights": 784 * 400 * 4,
        "pixels": 0,
        "thresholds": 400 * 32,
        "membrane": 400 * 32,
        "refractory": 0,
        "inhibition": 32,
        "input_buffer": 0,  # spikes come from elsewhere
        "spikes": 2 * (784 + 400),
        "spike_times": 0,
        "labels": 0,
        "readout": 400 * 10 * 8,
        "votes": 400 * 9,  # 350 spikes at most
        "traces": 0,
        "window": (784 + 400) * 9,
    }


def test_inference_needs_neither_window_nor_traces():
    size = resized(SIZE, rule="timestep")
    training, inference = footprint(size, training=True), footprint(size, training=False)
    assert training.pop("window") > 0
    assert training.pop("traces") > 0
    assert training == inference


@pytest.mark.parametrize(
    ("rule", "traces", "window"),
    [
        ("normalised", 0, (784 + 400) * 9),  # spikes of inputs and neurons are counted
        ("timestep", 784 * 16, 400 * 9),  # a trace of each input; the winner is looked for
        ("pair", (784 + 400) * 16, 0),
        ("postonly", 784 * 16, 0),
    ],
)
def test_each_rule_remembers_what_it_needs(rule, traces, window):
    bits = footprint(resized(SIZE, rule=rule, trace_bits=16), training=True)
    assert (bits["traces"], bits["window"]) == (traces, window)


def test_every_rule_but_one_keeps_traces_and_all_can_be_priced():
    for rule in members(Rule):
        size = resized(SIZE, rule=rule)
        assert (footprint(size, training=True)["traces"] > 0) == (rule != "normalised")
        assert sum(energy_pj(case(size, "training")).values()) > sum(energy_pj(case(size)).values())


def test_a_device_stores_the_strengths_of_inhibition_and_what_its_kind_remembers():
    layer = resized(SIZE, inhibition="layer", inhibition_steps=10)
    assert footprint(layer, False)["inhibition"] == 400 * (32 + 4) + 2 * 4
    clamp = resized(SIZE, inhibition="clamp", inhibition_steps=10)
    assert footprint(clamp, False)["inhibition"] == 4 + 9  # the time left, the neuron that is free


def test_without_adaptation_there_is_one_threshold():
    assert footprint(resized(SIZE, adaptation="off"), False)["thresholds"] == 32


def test_majority_is_stored_as_labels():
    for n_classes, label_bits in ((1, 1), (2, 1), (8, 3), (9, 4), (10, 4), (26, 5)):
        bits = footprint(sized(64, 100, n_classes, weight_bits=8, readout="majority"), training=False)
        assert (bits["labels"], bits["readout"]) == (100 * label_bits, 0)


def test_linear_stores_a_table_and_a_bias_of_sixteen_bits():
    size = sized(64, 100, 10, weight_bits=8, readout="linear", readout_bits=8)
    assert footprint(size, training=False)["readout"] == 100 * 10 * 8 + 10 * 16


def test_what_silence_means_is_a_bias_of_sixteen_bits_too():
    size = sized(64, 100, 10, weight_bits=8, readout_bits=8, silence=True)
    assert footprint(size, training=False)["readout"] == 100 * 10 * 8 + 10 * 16


def test_a_refractory_counter_holds_its_steps():
    for steps, bits in ((0, 0), (1, 1), (5, 3), (7, 3), (8, 4)):
        size = sized(64, 100, 10, weight_bits=8, refractory_steps=steps)
        assert footprint(size, training=False)["refractory"] == 100 * bits


@unhurried
@given(sizes, st.booleans())
def test_the_total_is_the_sum_of_the_components(size, training):
    components = footprint(size, training)
    assert all(isinstance(bits, int) and bits >= 0 for bits in components.values())
    assert memory_bits(size, training) == sum(components.values())


@unhurried
@given(
    sizes,
    st.sampled_from(["n_inputs", "n_neurons", "weight_bits", "state_bits", "steps", "window_steps"]),
    st.booleans(),
)
def test_memory_never_falls_when_something_grows(size, name, training):
    larger = grown(size, name)
    assert memory_bits(larger, training) >= memory_bits(size, training)
    before, after = (stored_bits(s, HARDWARE, training) for s in (size, larger))
    assert all(after[part] >= before[part] for part in before)


@unhurried
@given(sizes, st.booleans())
def test_words_hold_the_bits_and_memories_hold_the_words(size, training):
    logical = footprint(size, training)
    stored = stored_bits(size, HARDWARE, training)
    assert all(stored[name] >= bits for name, bits in logical.items())
    needed = needed_bits(stored, HARDWARE)
    assert sum(needed.values()) == sum(stored.values())
    physical = physical_bits(needed, HARDWARE)
    assert all(0 <= physical[name] - bits < 8192 for name, bits in needed.items())
    assert all(bits % 8192 == 0 for bits in physical.values())


def test_rows_of_weights_start_a_word_and_the_readout_lies_behind_them():
    size = sized(784, 401, 10, weight_bits=5, readout_bits=8)
    stored = stored_bits(size, HARDWARE, training=False)
    assert stored["weights"] == 784 * 67 * 32  # six in a word
    needed = needed_bits(stored, HARDWARE)
    assert needed["weights"] == stored["weights"] + stored["readout"]


def test_a_memory_with_a_capacity_is_as_large_as_that():
    fixed = with_memory(weights={"capacity_bits": 2**21})
    stored = stored_bits(SIZE, fixed, training=False)
    assert physical_bits(needed_bits(stored, fixed), fixed)["weights"] == 2**21


def test_numbers_are_packed_and_none_lies_across_two_words():
    assert words(400, 8, 32) == 100
    assert words(401, 8, 32) == 101
    assert words(400, 5, 32) == 67  # six in a word
    assert words(3, 40, 32) == 6
    assert words(400, 0, 32) == 0


@unhurried
@given(st.integers(0, 10**6), st.integers(0, 100), st.integers(1, 200))
def test_words_are_what_putting_numbers_in_one_by_one_takes(count, bits, word_bits):
    count = min(count, 2000)
    used, room = 0, 0
    for _ in range(count if bits else 0):
        if bits > word_bits:
            used += -(-bits // word_bits)
        elif room < bits:
            used, room = used + 1, word_bits - bits
        else:
            room -= bits
    assert words(count, bits, word_bits) == used


@unhurried
@given(st.integers(1, 2**40))
def test_bits_of_counters_and_indices_are_exact(number):
    assert count_bits(number) == number.bit_length()
    assert index_bits(number) == max(1, (number - 1).bit_length())
    assert np.asarray(count_bits(np.array([number, 0]))).tolist() == [number.bit_length(), 0]


@pytest.mark.parametrize("readout", ["proportion", "majority", "linear"])
def test_arrays_of_sizes_give_arrays_of_bits(readout):
    neurons, bits = np.array([100, 400, 4900]), np.array([2, 4, 8])
    many = memory_bits(sized(784, neurons, 10, bits, readout=readout), True)
    one_by_one = [
        memory_bits(sized(784, int(n), 10, int(b), readout=readout), True)
        for n, b in zip(neurons, bits, strict=True)
    ]
    assert many.tolist() == one_by_one


def test_the_size_of_a_model_is_that_of_its_network():
    preset = both(
        neurons=3,
        weight_norm=1.0,
        duration_ms=100.0,
        refractory_ms=5.0,
        window_ms=20.0,
        rule="pair",
        inhibition="layer",
        inhibition_ms=2.0,
        adaptation="decaying",
        normalisation="l1",
        weight_decay=0.1,
    )
    formats = Format.parse("UQ0.4"), Format.parse("UQ0.8")
    model = model_from(
        network=preset.network,
        image_shape=(2, 2),
        weights=np.zeros((4, 3), dtype=np.float32),
        theta=np.zeros(3, dtype=np.float32),
        readout=Readout("proportion", np.zeros((3, 10), dtype=np.float32), formats[1]),
        formats=(formats[0], None, None),
        record={"learner": as_plain(preset.learner)},
    )
    size = Size.of(model)
    assert size == Size.of_network(
        preset.network, preset.learner, (2, 2), n_classes=10, weight_bits=4, readout_bits=8
    )
    (layer,) = size.layers
    assert (layer.steps, layer.window_steps) == (100, 20)
    assert (layer.refractory_steps, layer.inhibition_steps) == (5, 2)
    assert (layer.rule, layer.inhibition, layer.adaptation) == ("pair", "layer", "decaying")
    assert (layer.normalisation, layer.decays) == ("l1", True)
    in_integers = with_layer(
        model,
        state=Format.parse("Q9.6"),
        theta=Tensor.rounded(np.zeros(3, np.float32), Format.parse("Q5.2")),
        input_mask=np.array([True, True, False, True]),
    )
    expected = resized(size, n_inputs=3, state_bits=15, threshold_bits=7, mapped_pixels=4)
    assert Size.of(in_integers) == expected
    assert footprint(expected, training=False)["pixels"] == 4  # a bit each says which are inputs


@pytest.mark.parametrize(
    ("name", "value"), [("n_inputs", 0), ("weight_bits", 4.0), ("steps", True), ("n_classes", 0)]
)
def test_what_is_no_size_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"{name}: .* is not a size; give a whole number of at least 1"):
        resized(SIZE, **{name: value})


@pytest.mark.parametrize("name", ["rule", "inhibition", "adaptation", "normalisation"])
def test_an_unknown_choice_is_refused(name):
    with pytest.raises(ConfigError, match=f"{name}: there is no 'best'; use one of "):
        resized(SIZE, **{name: "best"})


def test_odin_has_the_memories_of_its_documentation():
    """256 x 256 synapses of 4 bits in 8192 words of 32; 256 neurons of 128 bits."""
    odin = load_hardware("asic28-odin").memory
    assert odin.weights.capacity_bits == 8192 * 32 == 256 * 256 * 4 == 8 * 32 * 1024
    assert odin.state.capacity_bits == 256 * 128 == 8 * 4 * 1024
    size = sized(256, 256, 10, weight_bits=4, readout="majority")
    assert stored_bits(size, load_hardware("asic28-odin"), False)["weights"] == odin.weights.capacity_bits
