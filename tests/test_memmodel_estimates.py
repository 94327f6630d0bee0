"""Everything that a network costs, in one record: for one network and for many at once."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from cost_cases import (
    HARDWARE,
    PHASES,
    SIZE,
    case,
    grown,
    phases,
    resized,
    sized,
    sizes,
    spikes,
    unhurried,
    with_memory,
    works,
)
from hypothesis import given
from hypothesis import strategies as st

from fspinn.base.errors import ConfigError, HardwareError
from fspinn.memmodel import Workload, estimate, hardware_names, load_hardware
from fspinn.memmodel.area import area_um2, capacity
from fspinn.memmodel.program import type_bytes
from fspinn.memmodel.sram import area_um2 as sram_um2
from fspinn.model.activity import Activity

BROKEN_DOWN = ("memory_bits", "stored_bits", "physical_bits", "energy_pj", "latency_cycles")
PRESETS = {name: load_hardware(name) for name in hardware_names()}


@unhurried
@given(sizes, spikes, st.sampled_from(hardware_names()))
def test_every_breakdown_adds_up_exactly(size, spikes, preset):
    result = json.loads(json.dumps(estimate(size, PRESETS[preset], works(size, **spikes)).as_dict()))
    quantities = [*BROKEN_DOWN, *(["area_um2"] if result["area_um2"] else [])]
    for quantity in quantities:
        for phase in phases(PRESETS[preset]):
            parts = dict(result[quantity][phase])
            total = parts.pop("total")
            assert all(isinstance(value, int) and value >= 0 for value in parts.values())
            assert total == sum(parts.values())


@unhurried
@given(sizes, spikes, st.sampled_from(hardware_names()))
def test_every_band_holds_its_estimate(size, spikes, preset):
    result = estimate(size, PRESETS[preset], works(size, **spikes)).as_dict()
    for quantity, band in (
        ("memory_bits", "memory_band_bits"),
        ("energy_pj", "energy_band_pj"),
        ("latency_cycles", "latency_band_cycles"),
        ("area_um2", "area_band_um2"),
    ):
        if result[band] is None:
            assert quantity != "memory_bits"
            continue
        for phase in phases(PRESETS[preset]):
            limits = result[band][phase]
            assert limits["low"] <= result[quantity][phase]["total"] <= limits["high"]


def test_the_band_is_that_of_the_hardware():
    cost = estimate(SIZE, "asic65-lp", works(SIZE)).as_dict()
    total = cost["energy_pj"]["training"]["total"]
    band = cost["energy_band_pj"]["training"]
    assert (band["low"], band["high"]) == (round(total / 2), total * 2)


def test_time_and_rates_follow_from_cycles_and_energy():
    cost = estimate(SIZE, "asic65-lp", works(SIZE))
    result = cost.as_dict()
    cycles = result["latency_cycles"]["inference"]["total"]
    energy = result["energy_pj"]["inference"]["total"]
    assert result["latency_s"]["inference"] == pytest.approx(cycles / 100e6)
    rates = cost.rates("inference")
    assert rates["images_per_s"] == pytest.approx(100e6 / cycles)
    watts = energy * 1e-12 * rates["images_per_s"]
    assert rates["power_uw"] == pytest.approx(watts * 1e6)
    assert rates["images_per_j"] == pytest.approx(rates["images_per_s"] / watts)
    assert rates["total_pj_per_synaptic_operation"] == pytest.approx(energy / (2286 * 400))
    parts = cost.energy["inference"]
    assert rates["incremental_pj_per_synaptic_operation"] == pytest.approx(
        (energy - parts["leakage"] - parts["clock"]) / (2286 * 400)
    )


def test_where_nothing_is_known_of_time_nothing_is_said():
    result = estimate(SIZE, "loihi-like", works(SIZE)).as_dict()
    assert result["latency_cycles"]["inference"] == {"total": 0}
    assert result["latency_band_cycles"] is None
    assert result["latency_s"]["inference"] is None
    assert result["images_per_s"]["inference"] is None
    assert result["area_um2"] is None


def test_without_spikes_a_synaptic_operation_has_no_energy():
    rates = estimate(SIZE, "asic65-lp", works(SIZE, 0, 0)).rates("inference")
    assert rates["total_pj_per_synaptic_operation"] is None


def test_the_answer_says_what_it_rests_on():
    result = estimate(SIZE, "asic28-odin", works(SIZE)).as_dict()
    assert result["activity"]["inference"]["source"] == "expected from the mean pixel intensity, not counted"
    assert result["confidence"] == "published"
    assert "power.leakage_uw" in result["remembered"]
    counted = Activity(
        samples=2, steps=700, input_spikes=4000, output_spikes=18, synaptic_additions=1_600_000
    )
    activity = estimate(SIZE, HARDWARE, dict.fromkeys(PHASES, (counted,))).as_dict()["activity"]["training"]
    assert activity == {
        "source": "counted by the engine",
        "input_spikes": 2000,
        "output_spikes": 9,
        "synaptic_operations": 800_000,
    }


@pytest.mark.parametrize("counted", [None, {}, {"inference": ()}, {"inference": (Activity(),)}])
def test_nothing_is_estimated_without_counted_activity(counted):
    with pytest.raises(ConfigError, match=r"activity: nothing was counted for 'inference'.*mean pixel"):
        estimate(SIZE, "asic65-lp", counted)


def test_unknown_hardware_is_refused():
    with pytest.raises(HardwareError, match="no preset 'abacus'"):
        estimate(SIZE, "abacus", works(SIZE))


def many(count, **fixed):
    """Return sizes and spikes of many networks as arrays."""
    rng = np.random.default_rng(5)
    size = sized(
        n_inputs=rng.integers(16, 1000, count),
        n_neurons=rng.integers(1, 5000, count),
        n_classes=10,
        weight_bits=rng.integers(1, 33, count),
        steps=rng.integers(10, 500, count),
        readout_bits=8,
        **fixed,
    )
    return size, rng.uniform(0, 3000, count), rng.uniform(0, 30, count)


def one_of(size, k):
    (layer,) = size.layers
    return resized(size, **{n: int(v[k]) for n, v in vars(layer).items() if isinstance(v, np.ndarray)})


@pytest.mark.parametrize("preset", hardware_names())
@pytest.mark.parametrize(
    "fixed",
    [
        {},
        {"rule": "pair", "inhibition": "layer", "normalisation": "l1", "adaptation": "decaying"},
        {"rule": "timestep", "readout": "majority", "decays": True},
        {"inhibition": "clamp", "refractory_steps": 5},
        {"readout": "linear", "adaptation": "off"},
    ],
)
def test_many_networks_at_once_cost_what_each_costs(preset, fixed):
    size, inputs, outputs = many(20, **fixed)
    together = estimate(size, PRESETS[preset], works(size, inputs, outputs))
    for k in (0, 7, 19):
        single = one_of(size, k)
        alone = estimate(single, PRESETS[preset], works(single, inputs[k], outputs[k])).as_dict()
        for quantity in BROKEN_DOWN:
            for phase in phases(PRESETS[preset]):
                parts = together.as_dict()[quantity][phase]
                assert {n: int(v[k] if np.ndim(v) else v) for n, v in parts.items()} == alone[quantity][phase]
        assert bool(np.broadcast_to(together.fits("inference"), 20)[k]) == alone["fits"]["inference"]


def test_a_hundred_thousand_networks_take_less_than_a_second():
    """Of one core's time, so that other work on the machine does not count."""
    size, inputs, outputs = many(100_000)
    activity = works(size, inputs, outputs)
    times = []
    for _ in range(3):
        started = time.process_time()
        cost = estimate(size, HARDWARE, activity)
        times.append(time.process_time() - started)
    assert cost.energy["inference"]["total"].shape == (100_000,)
    assert min(times) < 1.0


def test_area_is_that_of_the_memories_and_lanes():
    parts = area_um2(case())
    bits = case().physical
    assert parts["weights"] == pytest.approx(1.5 * sram_um2(65, 32, bits["weights"]))
    assert parts["state"] == pytest.approx(1.5 * sram_um2(65, 128, bits["state"]))
    assert parts["lanes"] == pytest.approx(4 * 940 * (65 / 40) ** 2)


@unhurried
@given(sizes, st.sampled_from(["n_inputs", "n_neurons", "weight_bits"]))
def test_area_never_falls_when_something_grows(size, name):
    larger = grown(size, name)
    before, after = (sum(area_um2(case(s)).values()) for s in (size, larger))
    assert after >= before * (1 - 1e-12)


def test_a_microcontroller_keeps_what_does_not_change_in_flash():
    controller = PRESETS["mcu-m4f"]
    size = resized(SIZE, weight_bits=4)
    weights, table, thresholds = 784 * 400 // 2, 400 * 10, 400 * 4
    board = controller.controller
    program, stack = board.program_bytes + board.rates_bytes, board.stack_bytes
    inference = capacity(case(size, hardware=controller))
    assert inference["flash_bytes"].needed == program + weights + table + thresholds
    votes, spikes = 2 * 400, 8 * 25 * 4  # nine bits take two bytes; a bit per input and step, in whole words
    assert inference["ram_bytes"].needed == stack + 400 * 4 + votes + spikes
    assert all(one.fits for one in inference.values())
    training = capacity(case(size, "training", hardware=controller))
    assert training["flash_bytes"].needed == program + table
    assert training["ram_bytes"].needed > stack + weights + thresholds
    assert not training["ram_bytes"].fits


def test_numbers_of_a_program_take_the_types_of_c():
    assert [type_bytes(bits) for bits in (0, 1, 8, 9, 16, 17, 24, 32, 33, 64)] == [
        0,
        1,
        1,
        2,
        2,
        4,
        4,
        4,
        8,
        8,
    ]
    assert type_bytes(np.array([[4], [24]])).tolist() == [[1], [4]]
    controller = PRESETS["mcu-m4f"]
    small, wide = (
        capacity(case(resized(SIZE, state_bits=bits, refractory_steps=5), hardware=controller))
        for bits in (15, 24)
    )
    assert wide["ram_bytes"].needed - small["ram_bytes"].needed == 400 * 2


def test_what_does_not_fit_is_said():
    cost = estimate(SIZE, "asic28-odin", works(SIZE))
    assert not cost.fits("inference")
    needed = cost.capacity["inference"]["weights_bits"]
    assert (needed.needed, needed.available) == (784 * 400 * 8 + 400 * 10 * 8, 262_144)
    assert cost.as_dict()["fits"]["inference"] is False
    small = resized(SIZE, n_inputs=256, n_neurons=200, weight_bits=4, state_bits=16, threshold_bits=16)
    assert estimate(small, "asic28-odin", works(small)).fits("inference")


def test_off_chip_memory_holds_what_the_chip_does_not():
    large = resized(SIZE, n_neurons=4900)
    assert estimate(large, "asic45-horowitz", works(large)).fits("inference")
    without = replace(PRESETS["asic45-horowitz"], off_chip=None)
    assert not estimate(large, without, works(large)).fits("inference")


def test_block_ram_is_counted_as_spiker_plus_does():
    """784-128-10 with 6 bits: 18 blocks of 36 Kbit were published; one is the second layer's."""
    size = resized(SIZE, n_neurons=128, weight_bits=6, readout="majority")
    assert case(size, hardware=with_memory(PRESETS["fpga-artix7"])).needed["weights"] / 36_864 <= 17
    second = resized(SIZE, n_inputs=128, n_neurons=10, weight_bits=6, readout="majority")
    blocks = sum(
        -(-case(s, hardware=PRESETS["fpga-artix7"]).stored["weights"] // 36_864) for s in (size, second)
    )
    assert blocks == 18


def test_a_workload_may_be_given_in_place_of_counts():
    counted = Activity(samples=1, steps=350, input_spikes=2000, output_spikes=9, synaptic_additions=800_000)
    same = {phase: (Workload.counted(counted),) for phase in PHASES}
    assert estimate(SIZE, HARDWARE, same) == estimate(SIZE, HARDWARE, dict.fromkeys(PHASES, (counted,)))
