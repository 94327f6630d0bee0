"""Columns: a field at many positions, and what has to be kept of the input."""

from dataclasses import replace

import numpy as np
import pytest
from cost_cases import HARDWARE, PHASES

import fspinn
from fspinn.base.errors import ConfigError
from fspinn.base.settings import with_settings
from fspinn.learning.training import learn
from fspinn.memmodel import Size, Workload, estimate, expected_workloads, footprint, memory_bits
from fspinn.memmodel.accesses import accesses
from fspinn.memmodel.hardware_files import load_hardware
from fspinn.memmodel.latency import latency_cycles
from fspinn.memmodel.workload import expected_spikes
from fspinn.model.activity import Activity
from fspinn.model.model import Model, Readout, bias_bits
from fspinn.model.tensors import LayerTensors, Tensor
from fspinn.network import Delta, Layer, Level, LevelDelta, Network, NoContrast, OnOff, Poisson, Stdp
from fspinn.network.setup import Setup
from fspinn.quant import Format
from fspinn.report.comparison import compared
from fspinn.search import Candidate, Variant
from fspinn.search.costs import expected_costs

COLUMN = Network.patches(8)
STEPS, POSITIONS = 8, 24 * 24

COUNTED = Activity(
    samples=10,
    steps=10 * 3585,
    positions=10 * POSITIONS,
    input_spikes=10 * 2718,
    output_spikes=10 * 211,
    synaptic_additions=10 * 2718 * 8,
    neuron_updates=10 * 3585 * 8,
    rows_read=10 * 2718,
)
"""About what a column of 8 does on test images of MNIST."""


def column(network=COLUMN, shape=(28, 28), weights="UQ0.3", state="UQ5.3", theta="Q1.3", readout="Q1.3"):
    """Return a model in integers, all zeros, with a linear readout of ten classes."""
    formats = [Format.parse(name) for name in (weights, state, theta, readout)]
    layers = []
    for number, layer in enumerate(network.layers):
        inputs = layer.fan_in(*network.input_shape(shape, number))
        numbers = np.zeros((inputs, layer.neurons), np.float32), np.zeros(layer.neurons, np.float32)
        layers.append(
            LayerTensors(
                Tensor.rounded(numbers[0], formats[0]), Tensor.rounded(numbers[1], formats[2]), formats[1]
            )
        )
    table, bias = np.zeros((network.features, 10), np.float32), np.zeros(10, np.float32)
    return Model(network, shape, tuple(layers), Readout("linear", table, formats[3], bias))


def size_of(network, shape=(28, 28)):
    return Size.of_network(network, Stdp(), shape, n_classes=10, weight_bits=4)


def test_the_bits_of_a_small_column_are_those_counted_by_hand():
    """8 neurons, 5 x 5 pixels at 24 x 24 positions of 28 x 28, 3 x 3 cells of 8 x 8 positions each."""
    size = Size.of(column())
    bits = footprint(size, training=False)
    assert bits == {
        "weights": 25 * 8 * 3,
        "pixels": 0,
        "thresholds": 8 * 4,  # what each neuron adds to the one that all share
        "membrane": 8 * 8,  # of one position, whichever is computed
        "refractory": 0,
        "inhibition": 0,
        "input_buffer": 5 * 28 * 4,  # five rows; a spike in one of eight steps, or never
        "spikes": 0,
        "spike_times": 0,
        "labels": 0,
        "readout": 9 * 8 * 10 * 4 + 10 * 16,
        "votes": 9 * 8 * 7,  # of 64 positions each may spike once
    }
    assert sum(bits.values()) / 8 == 600
    without_counters_and_bias = sum(bits.values()) - bits["votes"] - 10 * 16
    assert without_counters_and_bias / 8 == 517
    eight_bits = replace(size, input_bits=8)
    assert (sum(footprint(eight_bits, False).values()) - sum(bits.values())) / 8 == 70


def test_a_column_that_learns_counts_the_inputs_of_its_field_and_its_winners():
    bits = footprint(size_of(COLUMN), training=True)
    assert bits["window"] == (25 + 8) * 4  # eight spikes at most
    assert footprint(size_of(COLUMN), training=False).items() <= bits.items()


@pytest.mark.parametrize(
    ("settings", "values", "bits"),
    [
        ({}, 5 * 28, 4),  # in one of 8 steps, or never
        ({"duration_ms": 7.0}, 5 * 28, 3),
        ({"first_spikes_relative_to": "brightest"}, 28 * 28, 8),  # the brightest may be the last
        ({"encoder": "poisson"}, 28 * 28, 8),  # so may be what decides on the norm
        ({"encoder": "unscaled"}, 5 * 28, 8),
        ({"field": (3, 7)}, 3 * 28, 4),
        ({"stride": 2}, 5 * 28, 4),
    ],
)
def test_a_field_needs_as_many_rows_as_it_is_high_unless_the_code_needs_all(settings, values, bits):
    size = size_of(with_settings(COLUMN, settings))
    assert (size.buffered_inputs, size.input_bits) == (values, bits)
    assert footprint(size, training=False)["input_buffer"] == values * bits


def test_a_dense_layer_gets_all_of_the_input_as_spikes():
    bits = footprint(size_of(Network.dense(400)), training=False)
    assert (bits["input_buffer"], bits["spikes"]) == (0, 2 * (784 + 400))


def test_channels_are_parts_of_a_row():
    assert size_of(COLUMN, (28, 28, 3)).buffered_inputs == 5 * 28 * 3
    assert size_of(COLUMN, (28, 28, 3)).layers[0].n_inputs == 25 * 3


@pytest.mark.parametrize(("height", "kept"), [(28, 7), (6, 6)])
def test_contrast_keeps_the_rows_of_its_local_mean_beside_the_encoded_ones(height, kept):
    """Of three channels, each split into ON and OFF; a mean over seven rows, as far as there are any."""
    size = size_of(replace(COLUMN, contrast=OnOff(radius=3), layers=(Layer(8, (5, 5)),)), (height, 28, 3))
    assert size.layers[0].n_inputs == 25 * 6
    assert footprint(size, training=False)["input_buffer"] == 5 * 28 * 6 * 4 + kept * 28 * 3 * 8
    assert replace(COLUMN, contrast=NoContrast()) == COLUMN


@pytest.mark.parametrize(
    ("contrast", "each", "kept", "bytes_in_c"),
    [
        (NoContrast(), 1, 0, 0),
        (OnOff(radius=3), 2, 7, (9 + 6) * 2),
        (Level(), 2, 0, 9 * 2),
        (Delta(), 2, 1, (9 + 1) * 2),
        (LevelDelta(), 4, 1, 2 * (9 + 1) * 2),
    ],
)
def test_of_a_signal_a_field_keeps_as_many_values_as_it_is_wide(contrast, each, kept, bytes_in_c):
    network = Network.patches(8, (1, 9), cells=(1, 8), contrast=contrast)
    size = size_of(network, (1, 128, 2))
    assert size.layers[0].n_inputs == 9 * 2 * each
    assert footprint(size, training=False)["input_buffer"] == 9 * 2 * each * 4 + kept * 2 * 8
    assert size.kept_bytes == bytes_in_c
    assert size.kept_times == (9 * 2 if contrast == NoContrast() else 0)  # of a column, line by line
    assert size.online.kept_bytes == size.online.kept_times == 0


def test_a_column_takes_times_of_spikes_and_sums_of_weights_of_a_microcontroller():
    """And has code and stack of its own; its weights lie in bytes."""
    board, phases = load_hardware("mcu-m4f"), {"inference": (COUNTED,), "training": (COUNTED,)}
    size = size_of(COLUMN, (28, 28))
    (layer,) = size.layers
    layer = replace(layer, weight_bits=3, state_bits=10, threshold_bits=9)
    size = replace(size, layers=(layer,), readout="linear", readout_bits=3)
    needed, controller = estimate(size, board, phases).capacity["inference"], board.controller
    assert size.kept_times == 5 * 28
    table, bias = 270, -(-10 * bias_bits(3) // 8)  # 720 entries of 3 bits
    assert needed["flash_bytes"].needed == controller.column_bytes + 25 * 4 + 8 * 2 + table + bias
    assert needed["ram_bytes"].needed == controller.column_stack_bytes + 140 + 8 * 2 + 8 + 72
    apart = size_of(with_settings(COLUMN, {"field": (5, 5), "stride": 24, "cells": (1, 1)}), (28, 28, 3))
    assert (apart.layers[0].positions, apart.kept_times) == (1, 5 * 28 * 3)
    wide = replace(size, layers=(replace(layer, state_bits=15),))
    assert estimate(wide, board, phases).capacity["inference"]["ram_bytes"] == needed["ram_bytes"]


def test_a_column_that_learns_on_takes_its_weights_and_thresholds_twice():
    """And lines of its rates and a table of what weights move towards; nothing of other rules."""
    board, phases = load_hardware("mcu-avr"), {"inference": (COUNTED,), "training": (COUNTED,)}
    size, controller = size_of(COLUMN, (28, 28)), board.controller
    layer = replace(size.layers[0], weight_bits=3, state_bits=10, threshold_bits=9)
    for bits, wide, target in ((3, 2, 2), (4, 2, 4), (4, 4, 4)):
        one = replace(layer, weight_bits=bits, state_bits=10 if wide == 2 else 16)
        costs = estimate(replace(size, layers=(one,)), board, phases).capacity
        flash, ram = (
            costs["training"][name].needed - costs["inference"][name].needed
            for name in ("flash_bytes", "ram_bytes")
        )
        assert flash == controller.learning_bytes + 2 * 24 + 26 * target
        assert ram == controller.learning_stack_bytes + (4 + 8 * 4 + 2 + 25 * 4 + 1) + 8 * wide
    other = replace(size, layers=(replace(layer, rule="pair"),))
    costs = estimate(other, board, phases).capacity
    assert costs["training"]["flash_bytes"].needed < costs["inference"]["flash_bytes"].needed


def test_learning_costs_cycles_of_positions_that_are_drawn_of_weights_and_of_thresholds():
    board, size = load_hardware("mcu-avr"), size_of(COLUMN, (28, 28))
    work, cost = expected_workloads(COLUMN, size, 0.13)["training"], board.cycles
    cycles = latency_cycles(size, work, board, True, 0)["learning"]
    weights, thresholds = work[0].columns_written * 25, work[0].threshold_passes * 8
    assert cycles == pytest.approx(4 * cost.drawn + weights * cost.learning + thresholds * cost.threshold)
    alike = replace(board, cycles=replace(cost, drawn=0.0, threshold=None))
    found = latency_cycles(size, work, alike, True, 0)["learning"]
    assert found == pytest.approx((weights + thresholds) * cost.learning)


def test_what_is_kept_of_a_signal_takes_ram_of_a_microcontroller():
    """Of images nothing is; a layer that sees all of a signal counts steps between two values."""
    board = load_hardware("mcu-m4f")
    column = Network.patches(8, (1, 9), cells=(1, 8), contrast=Delta())
    size, phases = size_of(column, (1, 128)), {"inference": (COUNTED,), "training": (COUNTED,)}
    needed = [
        estimate(one, board, phases).capacity["inference"] for one in (size, replace(size, kept_bytes=0))
    ]
    assert needed[0]["ram_bytes"].needed - needed[1]["ram_bytes"].needed == 10
    signal_bytes, contrast_bytes = board.controller.signal_bytes, board.controller.contrast_bytes
    assert needed[0]["flash_bytes"].needed - needed[1]["flash_bytes"].needed == signal_bytes - contrast_bytes
    assert size_of(COLUMN, (28, 28)).kept_bytes == 0
    assert size_of(replace(Network.dense(8), contrast=Delta()), (1, 128, 3)).kept_bytes == 2 * 3


@pytest.mark.parametrize(
    ("shape", "pool", "sums", "bits"),
    [((28, 28), 2, 14, 10), ((57, 84, 3), 3, 28 * 3, 12), ((1, 128), 4, 1, 10), ((1, 90, 2), 5, 2, 11)],
)
def test_blocks_that_are_pooled_are_summed_up_beside_the_rows_of_means(shape, pool, sums, bits):
    """The largest sum is that of white pixels; the field is that on samples of one value a block."""
    field, cells = ((1, 5), (1, 3)) if shape[0] == 1 else ((5, 5), (3, 3))
    small = (1 if shape[0] == 1 else shape[0] // pool, shape[1] // pool, *shape[2:])
    column = Network.patches(8, field, cells=cells)
    size, alone = size_of(replace(column, pool=pool), shape), size_of(column, small)
    found, others = footprint(size, training=True), footprint(alone, training=True)
    assert found.pop("input_buffer") - others.pop("input_buffer") == sums * bits
    assert found == others
    assert size.online.block_sums == 0


def test_a_dense_layer_that_sees_means_is_as_small_as_on_small_images():
    for network in (Network.dense(400), Network.supervised(16)):
        pooled, small = size_of(replace(network, pool=2)), size_of(network, (14, 14))
        assert pooled == replace(small, pooled=4)
        assert footprint(pooled, training=True) == footprint(small, training=True)
        assert footprint(pooled, training=False)["weights"] == 196 * network.neurons * 4


def test_pooling_takes_code_of_a_microcontroller_and_of_a_signal_sums():
    board, phases = load_hardware("mcu-m4f"), {"inference": (COUNTED,), "training": (COUNTED,)}
    column = Network.patches(8, (1, 9), cells=(1, 8), contrast=Level())
    pooled, alone = (
        estimate(size, board, phases).capacity["inference"]
        for size in (size_of(replace(column, pool=2), (1, 256)), size_of(column, (1, 128)))
    )
    assert pooled["flash_bytes"].needed - alone["flash_bytes"].needed == board.controller.pool_bytes
    assert pooled["ram_bytes"].needed - alone["ram_bytes"].needed == 2


def test_pooling_reads_and_writes_a_sum_for_each_pixel():
    phases = {"inference": (COUNTED,), "training": (COUNTED,)}
    sizes = size_of(replace(COLUMN, pool=2)), size_of(COLUMN, (14, 14))
    pooled, alone = (estimate(size, "asic65-lp", phases).energy["inference"]["spikes"] for size in sizes)
    assert pooled > alone


def test_a_counter_holds_a_spike_of_each_position_or_of_each_step_at_each():
    assert footprint(size_of(COLUMN), False)["votes"] == 72 * 7  # 64
    several = with_settings(COLUMN, {"inhibition": "lateral"})
    assert footprint(size_of(several), False)["votes"] == 72 * 10  # 512
    assert footprint(size_of(with_settings(COLUMN, {"stride": 3})), False)["votes"] == 72 * 4  # 3 x 3


def test_between_two_layers_wait_the_times_of_first_spikes():
    stack = replace(COLUMN, layers=(*COLUMN.layers, Layer(20)))
    bits = footprint(size_of(stack), False)
    assert bits["spike_times"] == 9 * 8 * 4
    assert (bits["input_buffer"], bits["spikes"]) == (5 * 28 * 4, 2 * 20)
    assert bits["votes"] == 20 * 4  # eight steps


def test_online_all_potentials_are_kept_and_no_input():
    size = size_of(COLUMN)
    frames, events = (footprint(one, training=False) for one in (size, size.online))
    assert events["membrane"] == POSITIONS * frames["membrane"]
    assert (events["input_buffer"], events["inhibition"]) == (0, POSITIONS)  # whether a position has ended
    same = set(frames) - {"membrane", "input_buffer", "inhibition"}
    assert all(events[name] == frames[name] for name in same)
    clamp = size_of(with_settings(COLUMN, {"inhibition": "clamp", "inhibition_ms": 3.0}))
    assert footprint(clamp.online, False)["inhibition"] == POSITIONS * (2 + 3)
    stack = size_of(replace(COLUMN, layers=(*COLUMN.layers, Layer(20)))).online
    assert footprint(stack, False)["spike_times"] == 72  # whether it has spiked
    activity = dict.fromkeys(PHASES, (COUNTED,))
    of_frames, of_events = (estimate(column(), HARDWARE, activity, online=on) for on in (False, True))
    assert of_events.memory["inference"]["membrane"] == POSITIONS * 64
    assert of_events.energy["inference"]["state"] > of_frames.energy["inference"]["state"]


def test_a_dense_layer_is_online_as_it_is():
    size = size_of(Network.dense(400))
    assert footprint(size.online, True) == footprint(size, True)


def test_what_a_column_reads_and_writes_is_that_of_all_positions_until_they_end():
    """Of a state in words of 128 bits, one holds eight potentials, or 25 codes; of weights in 32, a row."""
    work = (Workload.counted(COUNTED),)
    done = accesses(Size.of(column()), work, HARDWARE, training=False)
    assert done["weights"].weight_reads == 2718
    assert done["weights"].added_bits == 2718 * 8 * 8
    assert done["inhibition"] == type(done["inhibition"])()  # nothing is left to inhibit
    sums = 2718 if HARDWARE.core.accumulators == "sram" else 0
    assert done["state"].state_reads == 2 * 3585 + sums  # potentials and thresholds, in each step
    assert done["state"].state_writes == 3585 + sums + (POSITIONS - 1)  # cleared before the next
    assert done["spikes"].state_reads == 3585  # the codes of the field, in each step
    assert done["spikes"].state_writes == -(-784 // 32)  # once an image
    votes, table = -(-72 * 7 // 128), (720 * 4 + 160) // 32
    assert done["readout"].state_reads == 211 + votes
    assert done["readout"].state_writes == 211
    assert done["readout"].weight_reads == table
    assert done["readout"].multiplied_square_bits == 720 * 7 * 4  # counts by entries of the table


def test_the_time_of_a_column_is_that_of_the_steps_that_were_computed():
    size, cost = Size.of(column()), HARDWARE.cycles
    work = Workload.counted(COUNTED)
    cycles = latency_cycles(size, (work,), HARDWARE, False, 0)
    groups = -(-8 // HARDWARE.core.lanes)
    assert cycles["steps"] == 3585 * cost.step
    assert cycles["scan"] == 3585 * cost.scan + 2718 * cost.input_spike
    assert cycles["neurons"] == 3585 * groups * cost.neuron
    assert cycles["inhibition"] == 211 * cost.output_spike
    half = replace(work, steps=work.steps / 2, neuron_updates=work.neuron_updates / 2)
    assert sum(latency_cycles(size, (half,), HARDWARE, False, 0).values()) < 0.8 * sum(cycles.values())


def test_a_microcontroller_goes_from_one_time_with_spikes_to_the_next():
    size, hardware = Size.of(column()), load_hardware("mcu-avr")
    counted = replace(Workload.counted(COUNTED), active_steps=888)
    cycles = latency_cycles(size, (counted,), hardware, False, 0)
    passes, cost = 888 + POSITIONS, hardware.cycles
    assert cycles["steps"] == pytest.approx(passes * cost.step)
    assert cycles["scan"] == pytest.approx(passes * 25 * cost.column_scan)
    assert cycles["neurons"] == pytest.approx(888 * 8 * cost.neuron)


def test_what_is_expected_of_a_column_is_near_what_was_counted():
    """MNIST, and Fashion-MNIST with 16 neurons: within a factor of two, each."""
    for mean, counted in (
        (0.1307, {"input_spikes": 2718, "output_spikes": 211, "steps": 3585}),
        (0.2860, {"input_spikes": 5989, "output_spikes": 413}),
    ):
        size = size_of(COLUMN)
        (work,) = expected_workloads(COLUMN, size, mean)["inference"]
        for name, value in counted.items():
            assert 0.5 < getattr(work, name) / value < 2, name
        assert work.positions == POSITIONS


def test_what_is_expected_of_a_column_grows_with_what_it_does():
    few, many = (size_of(with_settings(COLUMN, {"stride": stride})) for stride in (2, 1))
    seen = [expected_workloads(COLUMN, size, 0.13)["inference"][0] for size in (few, many)]
    assert [one.positions for one in seen] == [12 * 12, 24 * 24]
    assert seen[1].input_spikes == pytest.approx(4 * seen[0].input_spikes)
    rates = replace(COLUMN, encoder=Poisson(), duration_ms=350.0)
    spikes = expected_spikes(rates, size_of(rates), 0.13)
    assert spikes[0] == pytest.approx(570 * 0.35 * (0.13 * 784) ** 0.5)


def test_presentations_without_a_spike_run_to_their_end():
    """Where thresholds hold less than a spike at a position, the others are learned from all the same."""
    held, always = (
        with_settings(COLUMN, {"adaptation": "homeostatic", "target_spikes": target}) for target in (0.6, 1.0)
    )
    seldom, often = (expected_workloads(one, size_of(one), 0.13) for one in (held, always))
    for phase in PHASES:
        (few,), (many,) = seldom[phase], often[phase]
        assert few.output_spikes == pytest.approx(0.6 * many.output_spikes)
        assert few.positions == pytest.approx(many.positions)
        assert few.steps == pytest.approx((few.positions - few.output_spikes / 2) * STEPS)
    learned = seldom["training"][0]
    assert learned.steps / learned.positions == pytest.approx(0.6 * STEPS / 2 + 0.4 * STEPS)
    assert learned.windows == learned.threshold_passes == learned.positions


def test_a_column_that_holds_a_rate_learns_from_as_many_positions_as_are_expected():
    data = fspinn.datasets.load("digits")
    held = {"adaptation": "homeostatic", "target_spikes": 0.6}
    network = with_settings(Network.patches(4, 3, cells=2), held)
    counted = learn(network, data, Stdp(passes=5), seed=0, progress=False).activity[0]
    size = Size.of_network(network, Stdp(), (8, 8), n_classes=10, weight_bits=4)
    spikes = (counted.per_sample(name) for name in ("input_spikes", "output_spikes"))
    expected = Workload.expected(size.layers[0], *spikes, training=True)
    for name in ("positions", "windows", "threshold_passes"):
        assert getattr(expected, name) == pytest.approx(counted.per_sample(name), rel=0.02), name
    assert expected.steps == pytest.approx(counted.per_sample("steps"), rel=0.2)


@pytest.mark.parametrize("hardware", [HARDWARE, load_hardware("fpga-ice40up5k")], ids=["asic", "fpga"])
def test_what_a_search_expects_of_columns_is_what_the_cost_model_says(hardware):
    """Many at once, among them one whose field covers the whole input, cost what each costs."""
    networks = [
        Network.patches(8, 3, cells=2),
        Network.patches(20, (5, 4), stride=2, cells=(2, 1), contrast=OnOff(radius=1)),
        Network.patches(4, 8, cells=1),
        Network.patches(6, 3, cells=1, encoder=Poisson(), duration_ms=50.0),
    ]
    candidates = [
        Candidate(Setup(network, Stdp()), Variant(weights, state="UQ5.3", readout="linear", prune=prune))
        for network in networks
        for weights, prune in (("UQ0.3", False), ("UQ0.4", network.layers[0].field != (8, 8)))
    ]
    costs = expected_costs(candidates, hardware, (8, 8), 10, 0.3, 1000)
    for candidate, cost in zip(candidates, costs, strict=True):
        variant = candidate.variant
        size = Size.of_network(
            candidate.network, Stdp(), (8, 8), 10, variant.weight_bits, "linear", variant.readout_bits
        )
        bits = {"state_bits": variant.state_bits, "threshold_bits": variant.state_bits}
        size = replace(size, layers=(replace(size.layers[0], **bits),))
        alone = estimate(size, hardware, expected_workloads(candidate.network, size, 0.3))
        assert cost.memory_bits == alone.memory["inference"]["total"]
        if alone.no_training is None:
            assert cost.training_memory_bits == alone.memory["training"]["total"]
        assert cost.energy_pj == alone.energy["inference"]["total"]
        assert cost.latency_s == pytest.approx(alone.latency_s("inference"))


def test_a_mean_pixel_is_checked_for_columns_too():
    with pytest.raises(ConfigError, match=r"mean_intensity: 2 is not a mean pixel"):
        expected_spikes(COLUMN, size_of(COLUMN), 2)


def test_a_trained_column_is_priced_by_what_was_counted():
    data = fspinn.datasets.load("digits")
    network = Network.patches(4, 3, cells=2)
    result = fspinn.train(network, data, readout="linear", progress=False)
    work = estimate(result.model).work
    assert work["inference"][0].positions == 36
    assert 0 < work["inference"][0].steps < 36 * 8  # some ended early
    assert 0 < work["training"][0].positions <= 4
    total = estimate(result.model).energy["inference"]["total"]
    mean = float(np.mean(data.train.images)) / 255
    expected = estimate(
        Size.of(result.model), activity=expected_workloads(network, Size.of(result.model), mean)
    )
    assert 0.5 < expected.energy["inference"]["total"] / total < 2
    learned = expected.energy["training"]["total"] / estimate(result.model).energy["training"]["total"]
    assert 0.4 < learned < 2.5


def test_a_stack_is_compared_with_itself_in_floats():
    stack = replace(COLUMN, layers=(*COLUMN.layers, Layer(20)))
    activity = (COUNTED, replace(COUNTED, positions=10))
    model = replace(column(stack), activity=dict.fromkeys(PHASES, activity))
    answer = {"hardware": HARDWARE, "neurons": 28, "weights": "UQ0.3", "accuracy": 0.9, "trials": []}
    winner, free, _ = compared({**answer, "readout": "linear", "settings": {}}, model)
    assert winner.memory_bits == memory_bits(Size.of(model), training=False)
    weights = {part.name: part.value for part in free.memory_parts}["weights"]
    assert weights == (25 * 8 + 72 * 20) * 32
