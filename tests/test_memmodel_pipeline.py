"""Circuits that go from spike to spike, a layer each: cycles counted by hand."""

from dataclasses import replace

import pytest
from cost_cases import case, sized, unhurried, with_memory, works
from hypothesis import given
from hypothesis import strategies as st

from fspinn.base.errors import ConfigError, HardwareError
from fspinn.memmodel import LayerSize, Size, estimate, load_hardware
from fspinn.memmodel.case import Case
from fspinn.memmodel.energy import used_cells
from fspinn.memmodel.hardware import Fabric
from fspinn.memmodel.names import PRESETS
from fspinn.memmodel.pipeline import interval_cycles, layer_cycles, most_cycles
from fspinn.memmodel.text import describe
from fspinn.network import FirstSpike, Fixed, Layer, Network, NoInhibition, Stdp

EVENT = load_hardware("fpga-kintex7-event")
DENSE = LayerSize(300, 20, 8, steps=10, inhibition="none", adaptation="off")
"""Three groups of up to 8 neurons; two chunks of up to 150 inputs."""

FIELD = LayerSize(18, 40, 8, steps=5, positions=64, positions_in_cell=64, channels=2, reached=9)
FIELD = replace(FIELD, inhibition="none", adaptation="off")
"""3 x 3 of two maps of 10 x 10 in chunks of 25; two groups of up to 32 neurons."""


def size_of(*layers, sample_inputs=0):
    return Size(layers, 10, readout="majority", sample_inputs=sample_inputs)


def inference(size, *spikes):
    return works(size, *spikes)["inference"]


def test_cycles_of_a_dense_layer_are_those_counted_by_hand():
    size = size_of(DENSE)
    assert layer_cycles(size, inference(size, 40, 7), EVENT) == [
        {"scan": 10 * (1 + 2 * 2), "neurons": 10 * 3 * 2, "weights": 40 * (2 + 3)}
    ]


def test_cycles_of_a_field_are_those_counted_by_hand():
    """60 spikes in 5 time steps of two maps: 6 in each, encoded in 8 + 12 cycles, added in 54."""
    size = size_of(FIELD, sample_inputs=200)
    work = inference(size, 60, 7)
    assert work[0].input_spikes == pytest.approx(60 * 64 * 18 / 200)  # at each position that sees them
    (found,) = layer_cycles(size, work, EVENT)
    fixed = {"scan": 2 * 10 * 8, "neurons": 2 * 5 * 64}
    assert found == {**fixed, "weights": pytest.approx(2 * 10 * (54 - 8))}
    # All 60 in one map: 0.6 of one that is full, where 900 cycles are longer than 8 + 200.
    assert most_cycles(size, work, EVENT) == pytest.approx(160 + 640 + 2 * 0.6 * (900 - 8))


def test_few_spikes_are_added_while_the_encoder_still_looks():
    size = size_of(FIELD, sample_inputs=200)
    (found,) = layer_cycles(size, inference(size, 5, 7), EVENT)
    assert found["weights"] == pytest.approx(2 * 10 * (2 * 0.5))  # 0.5 in each map: 8 + 1 against 4.5


def test_a_presentation_that_ends_early_is_taken_on_to_its_end():
    """The circuits do not stop: half the time steps saw half of the spikes."""
    size = size_of(FIELD, sample_inputs=200)
    (work,) = inference(size, 60, 7)
    half = replace(work, steps=work.steps / 2, input_spikes=work.input_spikes / 2)
    assert layer_cycles(size, (half,), EVENT) == layer_cycles(size, (work,), EVENT)


def test_the_latency_is_the_sum_of_the_layers_and_the_slowest_sets_the_pace():
    dense = LayerSize(40, 20, 8, steps=5, channels=40, inhibition="none", adaptation="off")
    size = size_of(FIELD, dense, sample_inputs=200)
    work = inference(size, 60, 100, 7)
    first, second = (sum(one.values()) for one in layer_cycles(size, work, EVENT))
    assert second == 5 * (40 + 2) + 5 * 3 * 2 + 100 * (2 + 3)
    assert interval_cycles(size, work, EVENT) == first == pytest.approx(1720)
    cost = estimate(size, EVENT, {"inference": work})
    assert cost.latency["inference"]["total"] == 1720 + second
    assert cost.intercept["inference"] == 160 + 640 + 210 + 30
    assert cost.spike_cycles("inference") == 920 + 500
    assert cost.interval["inference"] == 1720
    rates = cost.rates("inference")
    assert rates["images_per_s"] == pytest.approx(100e6 / 1720)
    assert rates["images_per_j"] == pytest.approx(rates["images_per_s"], rel=1e-6)  # 1 W, as is assumed
    assert cost.latency_s("inference") == pytest.approx((1720 + second) / 100e6)
    values = cost.as_dict()
    assert values["latency_intercept_cycles"] == {"inference": 1040, "training": None}
    assert values["latency_spike_cycles"] == {"inference": 1420, "training": None}
    assert values["interval_cycles"] == {"inference": 1720, "training": None}
    assert values["latency_assumes"] == "input spikes lie evenly in time steps and maps"
    assert values["latency_most_cycles"] == round(1720 + second + 2 * 0.6 * 892 - 920)
    said = describe({"it": cost})
    assert "cycles of an inference: 1,040 without a spike (intercept), 1,420 that follow the spikes" in said
    assert "layers are a pipeline: an image every 1,720 cycles" in said
    assert "assumed: input spikes lie evenly in time steps and maps; otherwise at most 2,610 cycles" in said
    assert "training: not on this device; fpga-kintex7-event has no circuits that learn" in said


@unhurried
@given(st.integers(0, 1000), st.integers(1, 64), st.integers(1, 9))
def test_even_spikes_are_the_least_and_filled_maps_the_most(spikes, neurons, reached):
    size = size_of(replace(FIELD, n_neurons=neurons, reached=reached), sample_inputs=200)
    work = inference(size, spikes, 7)
    least = sum(layer_cycles(size, work, EVENT)[0].values())
    assert least <= most_cycles(size, work, EVENT) * (1 + 1e-9)


def test_the_table_of_a_readout_is_a_layer_of_as_many_neurons_as_classes():
    size = replace(size_of(DENSE), readout="linear")
    work = inference(size, 40, 7)
    *layers, readout = layer_cycles(size, work, EVENT)
    assert layers == layer_cycles(size_of(DENSE), work, EVENT)
    assert readout == {"scan": 10 * (1 + 2), "neurons": 10 * 2 * 2, "weights": 7 * (2 + 2)}
    cells = replace(FIELD, cells=4, positions_in_cell=16)
    size = replace(size_of(cells, sample_inputs=200), readout="linear")
    *_, readout = layer_cycles(size, inference(size, 60, 7), EVENT)
    assert readout["scan"] == 5 * (40 + 2 * 2)  # 40 maps of 4 cells


def test_half_the_spikes_halve_what_follows_them_and_leave_the_intercept():
    size = size_of(DENSE)
    whole, half = (estimate(size, EVENT, {"inference": inference(size, n, 7)}) for n in (80, 40))
    assert whole.intercept == half.intercept
    assert whole.spike_cycles("inference") == 2 * half.spike_cycles("inference")
    assert whole.as_dict()["latency_assumes"] is whole.as_dict()["latency_most_cycles"] is None


def test_a_core_with_lanes_has_an_intercept_too():
    one = case()
    cost = estimate(one.size, "asic65-lp", works(one.size))
    parts = cost.latency["inference"]
    scanned = 350 * -(-784 // 128)
    assert parts["scan"] == scanned == replace(one, work=one.silent.work).cycles["scan"]
    fixed = parts["steps"] + parts["neurons"] + parts["readout"] + scanned
    assert cost.intercept["inference"] == pytest.approx(fixed, abs=2)
    clocked = estimate(one.size, "fpga-artix7", works(one.size))
    spiking = clocked.latency["inference"]["inhibition"]
    assert clocked.spike_cycles("inference") == spiking  # inputs take their time whether they spike or not


def test_the_potentials_of_all_positions_are_kept():
    size = size_of(FIELD, sample_inputs=200)
    bits = estimate(size, EVENT, {"inference": inference(size, 60, 7)}).memory["inference"]["membrane"]
    assert bits == 64 * 40 * 32


def test_each_layer_has_units_of_its_own():
    fabric = Fabric(logic_cells=10**5, cells_per_lane=50, active_pj_per_cell_cycle=0.5)
    hardware = replace(EVENT, fabric=fabric)
    dense = LayerSize(40, 4, 8, steps=5, channels=40)
    size = size_of(FIELD, dense, sample_inputs=200)
    assert used_cells(size, hardware) == (32 + 4) * 50
    work = inference(size, 60, 100, 7)
    plain, costly = (estimate(size, one, {"inference": work}) for one in (EVENT, hardware))
    more = costly.energy["inference"]["total"] - plain.energy["inference"]["total"]
    assert more == pytest.approx(36 * 50 * 0.5 * plain.interval["inference"])


def test_maps_and_positions_are_those_of_the_network():
    layers = (
        Layer(4, field=(3, 3), stride=2, cells=(2, 2), inhibition=NoInhibition(), adaptation=Fixed()),
        Layer(6, inhibition=NoInhibition(), adaptation=Fixed()),
        Layer(5, inhibition=NoInhibition(), adaptation=Fixed()),
    )
    size = Size.of_network(Network(FirstSpike(), layers), Stdp(), (9, 9, 3), n_classes=2, weight_bits=4)
    assert [layer.channels for layer in size.layers] == [3, 4, 1]
    assert [layer.reached for layer in size.layers] == [4, 1, 1]


def test_weights_outside_the_chip_make_both_wait():
    off_chip = load_hardware("fpga-ice40up5k").off_chip
    hardware = with_memory(replace(EVENT, off_chip=off_chip), weights={"capacity_bits": 8})
    size = sized(300, 20, 10, steps=10, readout="majority")
    one = Case(size, inference(size, 40, 7), hardware, training=False)
    assert one.cycles["off_chip"] > 0
    assert one.interval == sum(one.cycles.values())


def test_a_pipeline_says_nothing_of_learning():
    size = size_of(DENSE)
    cost = estimate(size, EVENT, {"inference": inference(size, 40, 7)})
    assert cost.phases == ("inference",)
    with pytest.raises(ConfigError, match="training: fpga-kintex7-event has no circuits that learn; ask"):
        cost.latency_s("training")


def test_a_description_says_once_how_long_an_image_takes(tmp_path):
    text = (PRESETS / "fpga-kintex7-event.toml").read_text(encoding="utf-8")
    cycles = (PRESETS / "fpga-artix7.toml").read_text(encoding="utf-8")
    table = cycles[cycles.index("[cycles]") : cycles.index("[sources]")]
    sources = "\n".join(line for line in cycles.splitlines() if line.startswith('"cycles.'))
    path = tmp_path / "both.toml"
    path.write_text(text.replace("[sources]", table + "[sources]\n" + sources), encoding="utf-8")
    with pytest.raises(HardwareError, match=r"pipeline: \[cycles\] is there too, .*; give one"):
        load_hardware(path)
    path.write_text(text.replace("latency = { low = 0.8, high = 1.5 }\n", ""), encoding="utf-8")
    with pytest.raises(HardwareError, match=r"band\.latency"):
        load_hardware(path)
