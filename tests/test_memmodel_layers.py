"""Networks of several layers, and with a field: sums over the layers, and what exists once."""

from dataclasses import replace

import numpy as np
import pytest
from cost_cases import HARDWARE, PHASES, phases, sizes, unhurried, with_memory, works
from hypothesis import given
from hypothesis import strategies as st

from fspinn.base.errors import ConfigError
from fspinn.memmodel import LayerSize, Size, estimate, footprint, hardware_names, load_hardware
from fspinn.memmodel.area import area_um2, capacity
from fspinn.memmodel.case import Case
from fspinn.memmodel.energy import energy_pj, used_cells
from fspinn.memmodel.workload import expected_spikes, expected_workloads
from fspinn.model.activity import Activity
from fspinn.model.model import Model, Readout
from fspinn.model.tensors import LayerTensors
from fspinn.network import FirstSpike, Layer, Network, Neuron, Poisson, Stdp
from fspinn.network.setup import Setup
from fspinn.search import Candidate, Variant
from fspinn.search.costs import expected_costs

PRESETS = {name: load_hardware(name) for name in hardware_names()}
FIXED = with_memory(weights={"capacity_bits": 2**26}, state={"capacity_bits": 2**20})
"""With memories that are as large for one layer as for two, so that an access costs the same."""

STACK = Network(Poisson(), (Layer(3), Layer(2)), duration_ms=100.0)
PATCHES = Network(FirstSpike(), (Layer(3, field=(2, 2), cells=(2, 1)),), duration_ms=7.0)


def model_of(network, inputs, **more):
    """Return a model, all zeros, for images of 4 x 4 pixels and two classes."""
    layers = []
    for layer, n_inputs in zip(network.layers, inputs, strict=True):
        weights, theta = np.zeros((n_inputs, layer.neurons)), np.zeros(layer.neurons)
        layers.append(LayerTensors.of_floats(weights.astype(np.float32), theta.astype(np.float32)))
    readout = Readout("proportion", np.zeros((network.features, 2), dtype=np.float32))
    return Model(network, (4, 4), tuple(layers), readout, **more)


def chained(size, before):
    """Return a network with a layer before its first, which is the only one of another network."""
    (first,) = before.layers
    first = replace(first, n_neurons=size.layers[0].n_inputs)
    return replace(size, layers=(first, *size.layers)), replace(before, layers=(first,))


@unhurried
@given(sizes, sizes, st.sampled_from(PHASES), st.tuples(*[st.integers(0, 2000)] * 3))
def test_two_layers_cost_what_each_costs_but_for_what_exists_once(second, first, phase, spikes):
    both, first = chained(second, first)
    training, n_hidden = phase == "training", second.layers[0].n_inputs
    spikes = (spikes[0], min(spikes[1], n_hidden), spikes[2])  # a neuron sends its first spike only
    one, two, all_of_it = (
        Case(size, works(size, *seen)[phase], FIXED, training)
        for size, seen in ((first, spikes[:2]), (second, spikes[1:]), (both, spikes))
    )
    once = {
        "memory": {"labels", "readout", "votes", "spikes", "spike_times"},
        "accesses": {"readout", "spikes"},
        "cycles": {"readout", "off_chip", "scan"},
    }
    for costs, names in once.items():
        parts = [getattr(each, costs) for each in (one, two, all_of_it)]
        for name in set(parts[2]) - names:
            summed = np.add(np.array(parts[0][name]), np.array(parts[1][name]))
            assert np.array(parts[2][name]) == pytest.approx(summed), (costs, name)
        for name in names & set(parts[2]) - {"spikes", "spike_times", "off_chip", "scan"}:
            assert parts[2][name] == parts[1][name], (costs, name)  # that of the last layer
    bits = [footprint(size, training)["spikes"] for size in (first, second, both)]
    assert bits[2] == bits[0] + bits[1] - 4 * n_hidden  # between them are times, not bits of a step
    assert footprint(both, training)["spike_times"] == n_hidden * first.layers[0].time_bits
    energies = [energy_pj(each) for each in (one, two, all_of_it)]
    for name in set(energies[2]) - {"readout", "spikes", "leakage", "clock"}:
        assert energies[2][name] == pytest.approx(energies[0][name] + energies[1][name]), name


@unhurried
@given(sizes, sizes, st.sampled_from(hardware_names()), st.sampled_from(PHASES))
def test_a_layer_before_it_makes_nothing_cheaper(size, before, preset, phase):
    both, _ = chained(size, before)
    sent = min(300, size.layers[0].n_inputs)
    alone, stack = (
        Case(one, works(one, *spikes)[phase], PRESETS[preset], phase == "training")
        for one, spikes in ((size, (sent, 20)), (both, (1000, sent, 20)))
    )
    others = set(stack.memory) - {"spikes"}
    assert all(stack.memory[name] >= alone.memory[name] for name in others)
    assert all(stack.stored[name] >= alone.stored[name] for name in others)
    for cost in (energy_pj, area_um2, lambda one: one.cycles):
        assert sum(cost(stack).values()) >= sum(cost(alone).values()) * (1 - 1e-9)
    assert all(one.needed >= capacity(alone)[name].needed for name, one in capacity(stack).items())


def test_the_bits_of_two_small_layers_are_those_counted_by_hand():
    """16 pixels, 3 neurons, 2 neurons, 2 classes, 100 steps."""
    size = Size.of(model_of(STACK, (16, 3)))
    assert size == Size.of_network(STACK, Stdp(), (4, 4), n_classes=2, weight_bits=32)
    assert footprint(size, training=True) == {
        "weights": (16 * 3 + 3 * 2) * 32,
        "pixels": 0,
        "thresholds": (3 + 2) * 32,
        "membrane": (3 + 2) * 32,
        "refractory": 0,
        "inhibition": 2 * 32,
        "input_buffer": 0,  # all of it comes as spikes
        "spikes": 2 * (16 + 2),
        "spike_times": 3 * 7,  # in one of 100 steps, or never
        "labels": 0,
        "readout": 2 * 2 * 32,
        "votes": 2 * 7,
        "traces": 0,
        "window": (16 + 3 + 3 + 2) * 7,
    }


def test_the_bits_of_a_layer_with_a_field_are_those_counted_by_hand():
    """3 x 3 positions of 2 x 2 pixels on 4 x 4; the upper of two cells holds 2 x 3 of them; 7 steps."""
    size = Size.of(model_of(PATCHES, (4,)))
    (layer,) = size.layers
    assert (layer.n_inputs, layer.cells, layer.positions_in_cell, size.waiting_inputs) == (4, 2, 6, 12)
    assert footprint(size, training=False) == {
        "weights": 4 * 3 * 32,
        "pixels": 0,
        "thresholds": 3 * 32,
        "membrane": 3 * 32,  # of one column
        "refractory": 0,
        "inhibition": 32,
        "input_buffer": 16 * 8,  # which pixel is the brightest is known at the end
        "spikes": 0,
        "spike_times": 0,
        "labels": 0,
        "readout": 2 * 3 * 2 * 32,
        "votes": 2 * 3 * 6,  # up to 42 spikes
    }


def test_a_field_that_covers_the_whole_input_costs_what_a_dense_layer_costs():
    covering = replace(PATCHES.layers[0], field=(4, 4), cells=(1, 1))
    whole = replace(PATCHES, layers=(replace(covering, field=None),))
    sizes_of = [
        Size.of_network(network, Stdp(), (4, 4), n_classes=2, weight_bits=4)
        for network in (replace(PATCHES, layers=(covering,)), whole)
    ]
    assert sizes_of[0] == sizes_of[1]


def test_a_layer_sees_the_cells_of_the_one_before():
    """5 x 5 pixels, 4 x 4 positions in 2 x 2 cells of 3 neurons; then 2 x 2 cells, all of them, and all."""
    layers = (Layer(3, field=(2, 2), cells=(2, 2)), Layer(6, field=(2, 1), cells=(1, 2)), Layer(4))
    size = Size.of_network(Network(Poisson(), layers), Stdp(), (5, 5), n_classes=2, weight_bits=4)
    assert [layer.n_inputs for layer in size.layers] == [4, 2 * 3, 2 * 6]
    assert [layer.positions_in_cell for layer in size.layers] == [4, 1, 1]
    assert [layer.positions for layer in size.layers] == [16, 2, 1]
    bits = footprint(size, training=False)
    assert (bits["input_buffer"], bits["spikes"], bits["spike_times"]) == (25 * 8, 2 * 4, (4 * 3 + 2 * 6) * 9)


def test_what_layers_do_is_counted_for_each_of_them():
    first = Activity(samples=2, steps=200, input_spikes=80, output_spikes=8, synaptic_additions=240)
    second = Activity(samples=2, steps=200, input_spikes=8, output_spikes=2, synaptic_additions=16)
    model = model_of(STACK, (16, 3), activity=dict.fromkeys(PHASES, (first, second)))
    found = estimate(model)
    assert found.as_dict()["activity"]["inference"] == {
        "source": "counted by the engine",
        "input_spikes": 40,
        "output_spikes": 5,
        "synaptic_operations": 128,
    }
    per_operation = found.energy["inference"]["total"] / 128
    assert found.rates("inference")["total_pj_per_synaptic_operation"] == pytest.approx(per_operation)


def test_counts_that_are_not_those_of_each_layer_are_refused():
    size = Size.of_network(STACK, Stdp(), (4, 4), n_classes=2, weight_bits=4)
    with pytest.raises(ConfigError, match="activity: counts of 1 layers do not fit a network of 2; give"):
        estimate(size, activity=dict.fromkeys(PHASES, (Activity(samples=1),)))


def test_more_inputs_than_the_layer_before_has_features_are_refused():
    with pytest.raises(ConfigError, match="n_inputs: 5 are more than the 4 features of the layer before; "):
        Size((LayerSize(16, 4, 8), LayerSize(5, 2, 8)), 10)


def test_a_microcontroller_keeps_all_layers_but_one_readout():
    board = PRESETS["mcu-m4f"]
    size = Size((LayerSize(40, 16, 4, state_bits=16), LayerSize(16, 8, 8, state_bits=8)), 10, readout_bits=8)
    needed = capacity(Case(size, works(size, 100, 10, 5)["inference"], board, training=False))
    weights, thresholds, table = 40 * 16 // 2 + 16 * 8, (16 + 8) * 4, 8 * 10
    program = board.controller.program_bytes + board.controller.rates_bytes
    program += board.controller.layer_bytes
    assert needed["flash_bytes"].needed == program + weights + thresholds + table
    potentials, votes, spikes = 16 * 2 + 8, 8 * 2, 8 * 2 * 4  # a bit an input, in words, for 8 steps
    times = 16 * 2
    assert needed["ram_bytes"].needed == board.controller.stack_bytes + potentials + votes + spikes + times


@pytest.mark.parametrize(
    ("inhibition", "between", "spikes"),
    [("none", 350 * 5 * 4, 8 * 2 * 4), ("first", 150 * 2, 8 * 5 * 4)],
    ids=["a bit per step, read in place", "times, and a bit for an input"],
)
def test_a_microcontroller_keeps_spikes_between_two_layers(inhibition, between, spikes):
    below = LayerSize(40, 150, 4, state_bits=8, inhibition=inhibition)
    size = Size((below, LayerSize(150, 8, 8, state_bits=8)), 10, readout_bits=8)
    board = PRESETS["mcu-m4f"]
    needed = capacity(Case(size, works(size, 100, 10, 5)["inference"], board, training=False))
    state = 150 + 8 + 8 * 2  # potentials and votes
    assert needed["ram_bytes"].needed == board.controller.stack_bytes + state + between + spikes


def test_there_are_no_more_lanes_than_the_largest_layer_has_neurons():
    fpga = replace(PRESETS["fpga-artix7"], core=replace(HARDWARE.core, lanes=1000, accumulators="registers"))
    size = Size(tuple(LayerSize(20, neurons, 8) for neurons in (30, 50, 20)), 10)
    assert used_cells(size, fpga) == 50 * fpga.fabric.cells_per_lane


def test_spikes_are_expected_along_the_chain():
    """A white quarter of 16 pixels; 100 of 144 neurons spike once, each of 4 five times, and sends one."""
    layers = (
        Layer(144, neuron=Neuron(threshold=4.0)),
        Layer(4, neuron=Neuron(threshold=0.5)),
        Layer(10, neuron=Neuron(threshold=1.25)),
    )
    network = Network(Poisson(rate_norm_hz=400.0), layers, duration_ms=1000.0)
    size = Size.of_network(network, Stdp(), (4, 4), n_classes=2, weight_bits=4)
    assert expected_spikes(network, size, 0.25) == pytest.approx((800, 100, 10 / 0.5, 2 / 1.25))
    work = expected_workloads(network, size, 0.25)["inference"]
    assert [one.input_spikes for one in work] == pytest.approx([800, 100, 4])
    assert [one.output_spikes for one in work] == pytest.approx([100, 20, 1.6])


def test_each_layer_looks_for_its_input_spikes_in_every_step():
    size = Size((LayerSize(784, 130, 8, steps=100), LayerSize(130, 10, 8, steps=100)), 10)
    scanned = Case(size, works(size, 500, 30, 9)["inference"], HARDWARE, training=False).accesses["spikes"]
    times = -(-130 // 18)  # of 7 bits, in words of 128
    assert scanned.state_reads == 100 * (7 + times) + 30  # bits of the input, and the first spikes so far
    assert scanned.state_writes == 100 * 7 + 30 + times  # no neuron has spiked when an image begins


@pytest.mark.parametrize("preset", hardware_names())
def test_many_stacks_at_once_cost_what_each_costs(preset):
    hidden, neurons, bits = np.array([20, 300, 900]), np.array([700, 5, 64]), np.array([1, 6, 32])
    spikes = np.array([900.0, 40.5, 2000.0]), np.array([30.0, 4.0, 500.0]), np.array([1.0, 0.0, 70.0])
    together = Size((LayerSize(784, hidden, bits), LayerSize(hidden, neurons, bits)), 10, readout_bits=bits)
    many = estimate(together, PRESETS[preset], works(together, spikes[0], *spikes[1:])).as_dict()
    for k in range(3):
        h, n, b = int(hidden[k]), int(neurons[k]), int(bits[k])
        alone = Size((LayerSize(784, h, b), LayerSize(h, n, b)), 10, readout_bits=b)
        one = estimate(alone, PRESETS[preset], works(alone, *(s[k] for s in spikes))).as_dict()
        for quantity in ("memory_bits", "stored_bits", "physical_bits", "energy_pj", "latency_cycles"):
            for phase in phases(PRESETS[preset]):
                parts = {name: np.broadcast_to(v, 3)[k] for name, v in many[quantity][phase].items()}
                assert parts == one[quantity][phase]


def test_what_a_search_expects_of_a_stack_is_what_the_cost_model_says():
    network = replace(STACK, layers=(Layer(30), Layer(20)))
    candidates = [
        Candidate(Setup(one, Stdp()), Variant("UQ0.4", readout="majority"))
        for one in (network, replace(network, layers=(Layer(8), Layer(50))))
    ]
    for candidate, cost in zip(
        candidates, expected_costs(candidates, HARDWARE, (8, 8), 10, 0.3, 1000), strict=True
    ):
        size = Size.of_network(candidate.network, Stdp(), (8, 8), 10, 4, "majority")
        bits = {"state_bits": candidate.variant.state_bits, "threshold_bits": candidate.variant.state_bits}
        size = replace(size, layers=tuple(replace(layer, **bits) for layer in size.layers))
        alone = estimate(size, HARDWARE, expected_workloads(candidate.network, size, 0.3))
        assert cost.memory_bits == alone.memory["inference"]["total"]
        assert cost.energy_pj == alone.energy["inference"]["total"]
