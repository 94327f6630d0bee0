"""Energy and latency from counted activity."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fspinn.errors import ConfigError, HardwareError
from fspinn.memmodel import ACCOUNTINGS, Size, estimate, load_hardware
from fspinn.memmodel.energy import energy_pj, words
from fspinn.memmodel.footprint import footprint
from fspinn.memmodel.latency import latency_cycles
from fspinn.memmodel.sram import read_pj, write_pj
from fspinn.trained import Activity

HARDWARE = load_hardware("asic65-lp")
SIZE = Size(n_inputs=784, n_neurons=400, n_classes=10, weight_bits=8, readout_bits=8)
PHASES = ("inference", "training")


def activity_of(size, samples=1, input_spikes=2286, output_spikes=20, training=False):
    """Return what the float engine counts; the spikes are those of one sample."""
    n, additions = size.n_neurons, samples * input_spikes * size.n_neurons
    learned = samples * size.n_inputs * training
    return Activity(
        samples=samples,
        steps=samples * size.steps,
        input_spikes=samples * input_spikes,
        output_spikes=samples * output_spikes,
        synaptic_additions=additions,
        neuron_updates=samples * size.steps * n,
        weight_reads=additions + learned,
        weight_writes=learned,
        threshold_updates=samples * n * training,
        windows=samples * training,
    )


def both(size, **spikes):
    return {phase: activity_of(size, training=phase == "training", **spikes) for phase in PHASES}


sizes = st.builds(
    Size,
    n_inputs=st.integers(1, 2000),
    n_neurons=st.integers(1, 5000),
    n_classes=st.integers(2, 30),
    weight_bits=st.integers(1, 32),
    state_bits=st.integers(1, 64),
    steps=st.integers(1, 500),
    readout=st.sampled_from(["proportion", "majority", "linear", "ngram"]),
    readout_bits=st.integers(1, 32),
)
spikes = st.fixed_dictionaries(
    {
        "samples": st.integers(1, 100),
        "input_spikes": st.integers(0, 10**4),
        "output_spikes": st.integers(0, 500),
    }
)


@given(sizes, spikes)
def test_every_breakdown_adds_up_exactly(size, spikes):
    result = estimate(size, HARDWARE, both(size, **spikes)).as_dict()
    for quantity in ("memory_bits", "energy_pj", "latency_cycles"):
        for phase in PHASES:
            for accounting in ACCOUNTINGS:
                parts = dict(result[quantity][phase][accounting])
                total = parts.pop("total")
                assert all(isinstance(value, int) and value >= 0 for value in parts.values())
                assert total == sum(parts.values())


@given(
    sizes,
    spikes,
    st.sampled_from(["n_inputs", "n_neurons", "weight_bits", "state_bits", "input_spikes", "output_spikes"]),
    st.sampled_from(ACCOUNTINGS),
    st.booleans(),
)
def test_energy_and_latency_never_fall_when_something_grows(size, spikes, name, accounting, training):
    if name in spikes:
        larger, more = size, {**spikes, name: spikes[name] + 1}
    else:
        larger, more = replace(size, **{name: getattr(size, name) + 1}), spikes
    for cost in (energy_pj, latency_cycles):
        before = cost(size, activity_of(size, **spikes, training=training), HARDWARE, training, accounting)
        after = cost(larger, activity_of(larger, **more, training=training), HARDWARE, training, accounting)
        assert all(after[part] >= before[part] for part in before)


def test_numbers_are_packed_and_none_lies_across_two_words():
    assert words(400, 8, 32) == 100
    assert words(401, 8, 32) == 101
    assert words(400, 5, 32) == 67  # six in a word
    assert words(3, 40, 32) == 6


def test_a_spike_reads_the_packed_row_of_its_input():
    picojoules = energy_pj(SIZE, activity_of(SIZE), HARDWARE, training=False)
    one_word = 2.2 * read_pj(65, 1.2, "lstp", 32, 784 * 400 * 8)
    assert picojoules["weights"] == round(2286 * 100 * one_word)


def test_costs_are_those_of_one_presentation():
    for training in (False, True):
        for cost in (energy_pj, latency_cycles):
            one, ten = (activity_of(SIZE, samples=s, training=training) for s in (1, 10))
            assert cost(SIZE, one, HARDWARE, training) == cost(SIZE, ten, HARDWARE, training)


def test_halving_the_input_spikes_halves_what_weights_cost_and_leaves_the_steps():
    full, half = activity_of(SIZE, input_spikes=2000), activity_of(SIZE, input_spikes=1000)
    cycles = [latency_cycles(SIZE, a, HARDWARE, training=False) for a in (full, half)]
    assert cycles[0]["weights"] == 2 * cycles[1]["weights"]
    assert {**cycles[0], "weights": 0} == {**cycles[1], "weights": 0}
    energies = [energy_pj(SIZE, a, HARDWARE, training=False) for a in (full, half)]
    assert energies[0]["weights"] == pytest.approx(2 * energies[1]["weights"], abs=1)


def test_cycles_are_counted_exactly():
    assert latency_cycles(SIZE, activity_of(SIZE, training=True), HARDWARE, training=True) == {
        "steps": 350,
        "scan": 350 * 7,
        "neurons": 350 * 100 * 2,
        "weights": 2286 * 100,
        "inhibition": 20 * 100,
        "learning": 2 * (784 + 100),
    }


def test_more_lanes_are_never_slower():
    activity, slowest = activity_of(SIZE), None
    for lanes in (1, 3, 4, 64, 1000):
        hardware = replace(HARDWARE, arithmetic=replace(HARDWARE.arithmetic, lanes=lanes))
        cycles = sum(latency_cycles(SIZE, activity, hardware, training=False).values())
        assert slowest is None or cycles <= slowest
        slowest = cycles


def test_only_learning_learns_and_only_inference_reads_out():
    inference, training = (energy_pj(SIZE, activity_of(SIZE), HARDWARE, training=t) for t in (False, True))
    assert set(inference) - set(training) == {"readout"}
    assert set(training) - set(inference) == {"learning"}


def test_a_dense_simulator_touches_every_weight_in_every_step():
    size = replace(SIZE, n_neurons=4900)
    picojoules = energy_pj(size, activity_of(size), HARDWARE, False, "dense-sim")
    assert picojoules["inhibition"] / picojoules["weights"] == pytest.approx(4900 / 784)
    # The published saving of inference energy, about 1.8: one matrix of inhibition in place of two.
    one, two = (picojoules["weights"] + k * picojoules["inhibition"] for k in (1, 2))
    assert round(two / one, 3) == 1.862


def test_memories_cost_most_of_the_energy():
    picojoules = energy_pj(SIZE, activity_of(SIZE), HARDWARE, training=False)
    assert picojoules["weights"] + picojoules["state"] > 0.8 * sum(picojoules.values())


def test_the_band_is_that_of_the_hardware():
    cost = estimate(SIZE, "asic65-lp", both(SIZE))
    band = cost.as_dict()["energy_band_pj"]["training"]["dense-sim"]
    total = cost.energy["training"]["dense-sim"]["total"]
    assert (band["low"], band["high"]) == (round(total / 2), total * 2)


def test_the_time_follows_from_cycles_and_clock():
    result = estimate(SIZE, "asic65-lp", both(SIZE)).as_dict()
    cycles = result["latency_cycles"]["inference"]["structure-aware"]["total"]
    assert result["latency_s"]["inference"]["structure-aware"] == pytest.approx(cycles / 100e6)


@pytest.mark.parametrize("counted", [None, {}, {"inference": Activity()}])
def test_nothing_is_estimated_without_counted_activity(counted):
    with pytest.raises(ConfigError, match="activity: nothing was counted for 'inference'"):
        estimate(SIZE, "asic65-lp", counted)


def test_unknown_hardware_and_accounting_are_refused():
    with pytest.raises(HardwareError, match="no preset 'abacus'"):
        estimate(SIZE, "abacus", both(SIZE))
    for cost in (energy_pj, latency_cycles):
        with pytest.raises(ConfigError, match="accounting: 'dense' is unknown"):
            cost(SIZE, activity_of(SIZE), HARDWARE, False, "dense")


def test_ngram_looks_each_spike_up_and_reads_its_scores_once():
    """1000 pairs: ten looks; a row of ten bytes lies in one word, ten scores of 17 bits in two."""
    size = replace(SIZE, readout="ngram", pairs=1000)
    picojoules = [
        energy_pj(size, activity_of(size, output_spikes=spikes), HARDWARE, training=False)["readout"]
        for spikes in (0, 1, 1000)
    ]
    state = HARDWARE.memory.state.word_bits
    bits = footprint(size, training=False)
    held = sum(count for name, count in bits.items() if name not in ("weights", "inhibition"))
    where = (65, 1.2, "lstp", state, words(held, 1, state) * state)
    read, write = 2.2 * read_pj(*where), 2.2 * write_pj(*where)
    assert picojoules[0] == round(2 * read)  # ten scores and a neuron: 179 bits
    assert picojoules[2] - picojoules[0] == pytest.approx(1000 * (11 * read + 2 * (read + write)), abs=1)
    assert picojoules[1] > picojoules[0]
