"""Energy and latency from counted activity."""

from dataclasses import replace

import pytest
from cost_cases import (
    HARDWARE,
    PHASES,
    SIZE,
    TIMED,
    case,
    grown,
    resized,
    sizes,
    spikes,
    unhurried,
    with_memory,
    works,
)
from hypothesis import given
from hypothesis import strategies as st

from fspinn.memmodel import Workload, hardware_names, load_hardware
from fspinn.memmodel.case import Case
from fspinn.memmodel.energy import access_energy, energy_pj
from fspinn.memmodel.hardware import Cycles
from fspinn.memmodel.scaling import gate_energy
from fspinn.memmodel.sram import read_pj, write_pj

PRESETS = {name: load_hardware(name) for name in hardware_names()}


def total(parts):
    return sum(parts.values())


GROWING = ["n_inputs", "n_neurons", "weight_bits", "state_bits", "steps", "input_spikes", "output_spikes"]


@unhurried
@given(
    sizes,
    spikes,
    st.sampled_from(GROWING),
    st.sampled_from(hardware_names()),
    st.sampled_from(PHASES),
)
def test_energy_and_latency_never_fall_when_something_grows(size, spikes, name, preset, phase):
    if name in spikes:
        larger, more = size, {**spikes, name: spikes[name] + 1}
    else:
        larger, more = grown(size, name), spikes
    asked = {"phase": phase, "hardware": PRESETS[preset]}
    before, after = case(size, **asked, **spikes), case(larger, **asked, **more)
    assert total(energy_pj(after)) >= total(energy_pj(before)) * (1 - 1e-9)
    assert total(after.cycles) >= total(before.cycles) * (1 - 1e-9)


@unhurried
@given(sizes, spikes, st.sampled_from(TIMED), st.sampled_from(PHASES))
def test_more_lanes_are_never_slower(size, spikes, preset, phase):
    hardware, slowest = PRESETS[preset], None
    for lanes in (1, 3, 4, 64, 1000, 65536):
        wider = replace(hardware, core=replace(hardware.core, lanes=lanes))
        cycles = total(case(size, phase, wider, **spikes).cycles)
        assert slowest is None or cycles <= slowest * (1 + 1e-9)
        slowest = cycles


@unhurried
@given(sizes, spikes, st.sampled_from(TIMED), st.sampled_from(PHASES))
def test_latency_is_affine_in_the_input_spikes(size, spikes, preset, phase):
    """But for waiting for memory, and on microcontrollers."""
    hardware = replace(PRESETS[preset], off_chip=None)
    twice, once, none = (
        total(case(size, phase, hardware, **{**spikes, "input_spikes": n}).cycles) for n in (2000, 1000, 0)
    )
    if hardware.program is None:
        assert twice - none == pytest.approx(2 * (once - none), rel=1e-9, abs=1e-6)
    assert none <= once <= twice  # a program draws spikes for all pixels that are not black


def test_halving_the_input_spikes_halves_what_weights_cost_and_leaves_the_steps():
    full, half = case(input_spikes=2000), case(input_spikes=1000)
    assert full.cycles["weights"] == 2 * half.cycles["weights"]
    assert {**full.cycles, "weights": 0} == {**half.cycles, "weights": 0}
    energies = [energy_pj(one) for one in (full, half)]
    assert energies[0]["weights"] == pytest.approx(2 * energies[1]["weights"])


@unhurried
@given(sizes, spikes, st.integers(1, 64), st.integers(1, 200))
def test_latency_has_the_published_form_of_an_event_driven_fpga(size, spikes, lanes, chunk):
    """Aliyev & Adegbija: each step scans chunks and fetches its spikes; each group adds them and fires."""
    size = resized(size, inhibition="lateral")
    fpga = replace(
        with_memory(state={"word_bits": chunk}),
        core=replace(HARDWARE.core, lanes=lanes),
        cycles=Cycles(0, 1, 3, 1, 1, 0, 0, 0),
    )
    one = case(size, hardware=fpga, **spikes)
    (layer,) = size.layers
    groups, chunks = -(-layer.n_neurons // lanes), -(-layer.n_inputs // chunk)
    spikes_in = spikes["input_spikes"]
    published = layer.steps * chunks + spikes_in + groups * (spikes_in + layer.steps * 3)
    assert total(one.cycles) - one.cycles["readout"] == pytest.approx(published)


def test_a_clock_driven_core_does_not_care_how_many_inputs_spike():
    few, many = (case(hardware=PRESETS["fpga-artix7"], input_spikes=n).cycles for n in (10, 3000))
    assert few == many
    assert many["weights"] == 350 * 784


def test_a_spike_reads_the_packed_row_of_its_input():
    one_word = 2.2 * read_pj(65, 1.2, "lstp", 32, 784 * 400 * 8 + 400 * 10 * 8)  # whole macros, as it is
    capacity = case().physical["weights"]
    assert capacity == pytest.approx(784 * 400 * 8 + 400 * 10 * 8, rel=0.01)
    assert energy_pj(case())["weights"] == pytest.approx(2286 * 100 * one_word, rel=0.01)


def test_while_others_are_clamped_a_spike_reads_one_weight():
    (counted,) = works(SIZE, input_spikes=1000)["inference"]
    half_clamped = replace(counted, rows_read=500, weights_read=500)
    reads = Case(SIZE, (half_clamped,), HARDWARE, False).accesses["weights"].weight_reads
    assert reads == pytest.approx(500 * 100 + 500)


def test_cycles_are_counted_exactly():
    assert case(phase="training").cycles == {
        "steps": 350,
        "scan": 350 * 7,
        "neurons": 350 * 100 * 2,
        "weights": 2286 * 100,
        "inhibition": 20 * (1 + 100),
        "learning": 2 * (784 + 100),
        "traces": 0,
        "normalisation": 0,
        "off_chip": 0,
    }
    assert case().cycles["readout"] == 400 * 3  # ten classes, four at a time


def test_odin_takes_the_cycles_of_its_documentation():
    """Per event: one synapse 2, a neuron's spike 1 + 512, a time reference of all neurons 512."""
    odin, size = PRESETS["asic28-odin"], resized(SIZE, n_inputs=256, n_neurons=256, weight_bits=4)
    silent = replace(works(size, 0, 0)["inference"][0], steps=0, neuron_updates=0)

    def cycles(**counts):
        return total(Case(size, (replace(silent, **counts),), odin, False).cycles) - readout

    readout = total(Case(size, (silent,), odin, False).cycles)
    assert cycles(input_spikes=1, rows_read=1) == 1 + 512
    assert cycles(neuron_updates=256) == 512
    assert odin.cycles.addition == 2
    assert odin.clock.f_mhz * 1e6 / odin.cycles.addition == 37.5e6  # synaptic operations in a second
    words = odin.memory.weights.capacity_bits // odin.memory.weights.word_bits
    assert words * 2 * odin.cycles.learning == 32 * 1024  # bistability of all: two changes of each word


def test_odin_closes_with_the_energy_that_was_published_in_all():
    """Leakage, idle power and 8.43 pJ make 12.7 pJ a synaptic operation at 75 MHz."""
    odin, size = PRESETS["asic28-odin"], resized(SIZE, n_inputs=256, n_neurons=256, weight_bits=4)
    (busy,) = works(size, 1000, 0)["inference"]
    one = Case(size, (replace(busy, steps=0, neuron_updates=0),), odin, False)
    assert total(energy_pj(one)) / busy.synaptic_additions == pytest.approx(12.72, rel=0.05)


def test_spiker_plus_takes_its_published_time():
    """784-128-10, 100 steps, one input a cycle, 100 MHz: 780 us were published."""
    size = resized(SIZE, n_neurons=138, steps=100, weight_bits=6, readout="majority")
    one = case(size, hardware=PRESETS["fpga-artix7"])
    assert total(one.cycles) / 100 == pytest.approx(780, rel=0.03)


def test_only_learning_learns_and_only_inference_reads_out():
    inference, training = (energy_pj(case(phase=phase)) for phase in PHASES)
    assert set(inference) - set(training) == {"readout"}
    assert set(training) - set(inference) == {"learning", "traces", "normalisation"}


def test_each_rule_changes_what_its_counts_say():
    def changed(rule, **more):
        size = resized(SIZE, rule=rule, **more)
        (work,) = works(size, 2286, 20)["training"]
        return work.columns_written, work.rows_written, *tidied(work), *adapted(work)

    def tidied(work):
        return work.normalisations, work.decays

    def adapted(work):
        return work.threshold_passes, work.thresholds_written

    for rule in ("normalised", "timestep"):
        assert changed(rule)[:2] == (1, 0)  # the column of the winner, once in the one window
        assert changed(rule, window_steps=100)[:2] == (4, 0)
    assert changed("postonly")[:2] == (20, 0)  # a column for each output spike
    assert changed("pair")[:2] == (20, 2286)  # and a row for each input spike
    assert changed("pair", normalisation="l1")[2:4] == (1, 0)
    assert changed("pair", normalisation="l1", decays=True)[2:4] == (1, 1)
    assert changed("pair", adaptation="decaying")[4:] == (1, 20)
    assert changed("pair", adaptation="homeostatic")[4:] == (1, 20)
    assert changed("pair", adaptation="off")[4:] == (0, 0)


def test_learning_by_pairs_costs_what_a_worked_example_says():
    """784-400, 8 bits, 65 nm, kappa 1, memories rounded up: computed by hand for the research notes."""
    plain = with_memory(
        weights={"kappa": 1.0, "capacity_bits": 2**22}, state={"kappa": 1.0, "capacity_bits": 2**14}
    )
    pair = resized(SIZE, rule="pair", normalisation="l1", readout="majority")
    uj = {name: energy / 1e6 for name, energy in energy_pj(case(pair, "training", plain)).items()}
    assert uj["weights"] == pytest.approx(14.1, rel=0.05)
    assert uj["state"] == pytest.approx(6.2, rel=0.1)
    assert uj["learning"] == pytest.approx(35.1, rel=0.05)
    assert uj["normalisation"] == pytest.approx(16.1, rel=0.05)
    timestep = resized(pair, rule="timestep")
    assert energy_pj(case(timestep, "training", plain))["learning"] < 0.01 * 1e6 * uj["learning"]


def test_memories_cost_most_of_the_energy():
    for name in ("asic65-lp", "asic28-odin", "asic45-horowitz"):
        parts = energy_pj(case(hardware=PRESETS[name]))
        dynamic = total(parts) - parts["leakage"] - parts["clock"]
        assert parts["weights"] + parts["state"] > 0.8 * dynamic, name


def test_sums_in_registers_spare_the_state_memory():
    registers = replace(HARDWARE, core=replace(HARDWARE.core, accumulators="registers"))
    assert energy_pj(case(hardware=registers))["state"] < 0.2 * energy_pj(case())["state"]


def test_weights_that_do_not_fit_come_from_outside():
    horowitz = PRESETS["asic45-horowitz"]
    small, large = case(hardware=horowitz), case(resized(SIZE, n_neurons=4900), hardware=horowitz)
    assert small.off_chip_bits == energy_pj(small)["off_chip"] == 0
    needed, capacity = large.needed["weights"], 8 * 2**20
    assert large.off_chip_bits == pytest.approx(
        (1 - capacity / needed) * 64 * sum(one.weight_reads for one in large.accesses.values())
    )
    assert energy_pj(large)["off_chip"] == pytest.approx(20.3 * large.off_chip_bits)


def test_a_slow_memory_outside_is_waited_for():
    ice = PRESETS["fpga-ice40up5k"]
    one = case(hardware=ice)
    assert total(one.cycles) == pytest.approx(one.off_chip_bits / 96 * 24)
    assert one.cycles["off_chip"] > 0


def test_a_processor_pays_for_the_cycles_that_it_is_awake():
    one = case(hardware=PRESETS["mcu-m4f"])
    assert total(energy_pj(one)) == pytest.approx(429 * total(one.cycles))


def test_an_fpga_pays_for_the_cells_that_are_used():
    size = resized(SIZE, n_neurons=138, steps=100)
    one = case(size, hardware=PRESETS["fpga-artix7"])
    assert total(energy_pj(one)) == pytest.approx(0.235 * 55 * 138 * total(one.cycles))


def test_between_the_entries_of_a_table_energy_grows_with_the_capacity():
    horowitz = PRESETS["asic45-horowitz"]

    def access_pj(capacity_bits):
        return access_energy(horowitz, horowitz.memory.state, capacity_bits).read_pj

    assert [access_pj(8 * 1024 * kib) for kib in (8, 32, 1024)] == pytest.approx([10, 20, 100])
    assert access_pj(8 * 1024 * 16) == pytest.approx(10 * 2**0.5)
    assert access_pj(8 * 1024 * 2) == pytest.approx(5)  # beyond the ends as between the last two
    assert access_pj(8 * 1024 * 4096) > 150


def test_the_law_and_its_multiplier_price_an_access():
    found = access_energy(HARDWARE, HARDWARE.memory.state, 2**14)
    assert found.read_pj == pytest.approx(2.2 * read_pj(65, 1.2, "lstp", 128, 2**14))
    assert found.write_pj == pytest.approx(2.2 * write_pj(65, 1.2, "lstp", 128, 2**14))


@pytest.mark.parametrize(
    ("node_nm", "vdd_v", "ratio"),
    [(90, 1.2, 3.80), (65, 1.2, 2.49), (65, 1.0, 1.58), (32, 0.9, 0.64), (28, 0.9, 0.51), (28, 0.55, 0.29)],
)
def test_logic_scales_as_stillmaker_and_baas_say(node_nm, vdd_v, ratio):
    assert gate_energy(node_nm, vdd_v) / gate_energy(45, 0.9) == pytest.approx(ratio, abs=0.01)


def test_arithmetic_is_scaled_to_the_process():
    at_45 = replace(HARDWARE, process=replace(HARDWARE.process, node_nm=45, vdd_v=0.9))
    ratio = energy_pj(case())["arithmetic"] / energy_pj(case(hardware=at_45))["arithmetic"]
    assert ratio == pytest.approx(2.49, abs=0.01)
    additions = 2286 * 400 + 20 * 400 + 2 * 350 * 400
    assert energy_pj(case(hardware=at_45))["arithmetic"] == pytest.approx(0.003125 * 32 * additions)


def test_costs_are_those_of_one_image():
    from fspinn.model.activity import Activity

    one = Activity(samples=1, steps=350, input_spikes=2286, output_spikes=20, synaptic_additions=914_400)
    assert Workload.counted(one) == Workload.counted(one + one + one)
