"""Cycles of exported C programs that are not one column: what is counted, and what emulators count."""

from dataclasses import replace

import pytest
from device_costs import CHIPS
from device_programs import PARTS, compared
from exported_programs import needs_tools_of

from fspinn import datasets
from fspinn.base.errors import HardwareError
from fspinn.memmodel import Size, Workload, load_hardware
from fspinn.memmodel.names import PRESETS
from fspinn.memmodel.program_cycles import program_counts
from fspinn.network import (
    Delta,
    Events,
    First,
    FirstSpike,
    Fixed,
    Layer,
    Level,
    LevelDelta,
    Network,
    Neuron,
    NoInhibition,
    OnOff,
    Poisson,
    Ranked,
    Regular,
    Stdp,
    StdpLabels,
    Unscaled,
)
from fspinn.network.setup import Setup
from fspinn.search.candidates import Candidate, Variant
from fspinn.search.costs import expected_costs

LEAKY = Neuron(threshold=2.0, tau_m_ms=20.0)
WORK = Workload(
    steps=200,
    active_steps=90,
    positions=36,
    input_spikes=300,
    output_spikes=20,
    synaptic_additions=0,
    neuron_updates=0,
    rows_read=280,
    weights_read=0,
    columns_written=0,
    rows_written=0,
    windows=0,
    threshold_passes=0,
    thresholds_written=0,
    normalisations=0,
    decays=0,
)
"""What a field of 3 x 3 does on 8 x 8 pixels, some of it."""


def counted(network, work=(WORK,), shape=(8, 8), weight_bits=4):
    size = Size.of_network(network, Stdp(), shape, n_classes=10, weight_bits=weight_bits)
    return program_counts(size, work)


@pytest.fixture(scope="module")
def digits():
    data = datasets.load("digits")
    return replace(data, validation=data.validation.first(200))


@pytest.mark.parametrize(
    "name", ["dense, poisson, lateral, pruned", "lateral", "ON and OFF, leak", "10 brightest"]
)
def test_cycles_are_those_that_emulators_count(name, digits):
    """Within what the bands of the presets say; benchmarks/device_programs.py has more of them."""
    for chip in CHIPS.values():
        needs_tools_of(chip)
    program = next(one for one in PARTS["digits"] if one.name == name and not one.fitted)
    found = compared(program, "digits", digits)["cycles"]
    assert set(found) == set(CHIPS)
    for preset, (said, really) in found.items():
        band = load_hardware(preset).band.latency
        assert band.low < really / said < band.high, preset


def test_each_input_of_a_field_is_looked_at_for_eight_steps_at_once():
    leaks = Network.patches(6, 3, neuron=LEAKY, duration_ms=20.0)
    assert leaks.layers[0].inhibition == First()
    (found,) = counted(leaks)
    assert found["look"] == 9 * min(36 * 3, 200 / 8 + 36 * 7 / 16)
    (all_of_it,) = counted(replace(leaks, layers=(replace(leaks.layers[0], inhibition=Ranked()),)))
    assert all_of_it["look"] == 9 * 36 * 3
    assert found["neuron"] == found["leak"] == 200 * 6
    assert found["addition"] == 280  # six weights of 4 bits lie in one word
    assert counted(leaks, weight_bits=8)[0]["addition"] == 2 * 280


def test_a_contrast_is_made_at_each_look():
    (found,) = counted(Network.patches(6, 3, contrast=OnOff(radius=1)))
    assert found["contrast"] == found["look"] > 0
    assert found["contrast_pixel"] == 9 * found["look"]
    assert found["value"] == 0
    for contrast, values in ((Level(), 1), (Delta(), 2), (LevelDelta(), 1.5), (OnOff(), 6)):
        signal = Network.patches(6, (1, 5), cells=(1, 1), contrast=contrast)
        (found,) = counted(signal, shape=(1, 40))
        assert found["value"] == values * found["look"] > 0
        assert found["contrast_pixel"] == 0
    (colours,) = counted(Network.patches(6, 3, contrast=OnOff(of="colours")), shape=(8, 8, 3))
    assert colours["contrast_pixel"] == 3 * 25 * colours["look"]
    (found,) = counted(Network.patches(6, 3, pool=2, neuron=LEAKY), shape=(16, 16))
    assert found["contrast_pixel"] == 2.5 * found["look"]
    pooled = Network.patches(6, (1, 5), cells=(1, 1), pool=2, contrast=Level())
    (found,) = counted(pooled, shape=(1, 80))
    assert (found["value"], found["contrast_pixel"]) == (found["look"], 1.5 * found["look"])


@pytest.mark.parametrize(("spikes", "passes"), [(None, 1), (10, 10), (1000, 1)])
def test_the_brightest_are_looked_for_first(spikes, passes):
    (found,) = counted(Network.patches(6, 3, neuron=LEAKY, encoder=FirstSpike(spikes)))
    (white,) = counted(Network.patches(6, 3, neuron=LEAKY, encoder=FirstSpike(relative_to="white")))
    assert found["look"] == white["look"]
    assert (found["pass_input"], white["pass_input"]) == (passes * 64, 0)


def test_spikes_are_drawn_for_pixels_that_are_not_black():
    """16 white pixels of 64, which an image of this many spikes is taken for, and some grey ones."""
    dense = {"duration_ms": 100.0, "inhibition": NoInhibition(), "adaptation": Fixed()}
    work = replace(WORK, positions=1, steps=100, input_spikes=4 * 57.0)
    (found,) = counted(Network.dense(8, **dense), (work,))
    assert found["draw"] == pytest.approx(1.25 * 16 * 13)
    assert found["pass_input"] == 64
    (found,) = counted(Network.dense(8, encoder=Regular(), **dense), (work,))
    assert (found["draw"], found["regular"]) == (0, pytest.approx(1.25 * 16 * 13))
    work = replace(work, input_spikes=16 * 2.0)
    (found,) = counted(Network.dense(8, encoder=Unscaled(20.0), **dense), (work,))
    assert found["draw"] == pytest.approx(1.5 * 16 * 13)
    assert found["pass_input"] == 0
    bright = replace(work, input_spikes=1e6)
    assert counted(Network.dense(8, encoder=Poisson(), **dense), (bright,))[0]["draw"] == 64 * 13


def test_events_are_looked_for_row_by_row_and_neurons_rest_without_them():
    seen = {"encoder": Events(), "dt_ms": 10.0, "duration_ms": 300.0}
    (found,) = counted(Network.patches(6, 3, **seen), shape=(8, 8, 2))
    assert found["run"] == 200 * 3
    assert found["neuron"] == 90 * 6
    assert found["event"] == pytest.approx(300 / (36 * 18 / 128))
    assert "look" not in found
    (leaky,) = counted(Network.patches(6, 3, neuron=LEAKY, **seen), shape=(8, 8, 2))
    assert leaky["neuron"] == leaky["leak"] == 200 * 6


def test_a_layer_finds_what_the_one_below_has_sent():
    ranked = Layer(12, neuron=LEAKY, inhibition=Ranked())
    column = Network.patches(6, 3, cells=3)
    above = replace(WORK, positions=1, steps=18)
    of_column, of_top = counted(replace(column, layers=(*column.layers, ranked)), (WORK, above))
    assert of_top["look"] == 54
    assert of_top["entry"] == of_top["product"] == 12 * 10
    assert "entry" not in of_column
    free = replace(column.layers[0], inhibition=NoInhibition(), adaptation=Fixed())
    assert counted(replace(column, layers=(free, ranked)), (WORK, above))[1]["look"] == 0


VARIED = [
    *(
        (Network.dense(neurons, duration_ms=ms), bits)
        for neurons, ms, bits in ((10, 50.0, 2), (30, 350.0, 8))
    ),
    *((Network.patches(8, 3, contrast=OnOff(radius=radius)), 2) for radius in (1, 3)),
    *((Network.patches(8, 3, encoder=FirstSpike(spikes)), 3) for spikes in (None, 10)),
    *((Network.patches(8, 3, neuron=Neuron(threshold=2.0, tau_m_ms=tau)), 2) for tau in (None, 20.0)),
    *((Network.patches(8, 3, encoder=Unscaled(rate), duration_ms=20.0), 2) for rate in (50.0, 400.0)),
    *((Network.patches(8, 3, pool=pool, neuron=LEAKY), 2) for pool in (1, 2)),
]


@pytest.mark.parametrize("preset", ["mcu-avr", "mcu-m4f"])
def test_networks_that_a_search_costs_together_cost_what_they_do_alone(preset):
    board = load_hardware(preset)
    candidates = [
        Candidate(Setup(network, learner), Variant(f"UQ0.{bits}", state="16 bits", readout="linear"))
        for network, bits in VARIED
        for learner in (Stdp(), StdpLabels())
    ]
    together = expected_costs(candidates, board, (16, 16), 10, 0.2, 1000)
    for candidate, cost in zip(candidates, together, strict=True):
        (alone,) = expected_costs([candidate], board, (16, 16), 10, 0.2, 1000)
        assert cost.latency_s == pytest.approx(alone.latency_s, rel=1e-6), candidate.network
        assert cost.energy_pj == pytest.approx(alone.energy_pj, rel=1e-6)
        assert cost.training_memory_bits == alone.training_memory_bits


def test_a_controller_without_its_program_is_refused(tmp_path):
    text = (PRESETS / "mcu-m0.toml").read_text()
    start = text.index("[program]")
    board = tmp_path / "own.toml"
    kept = text[:start] + text[text.index("[controller]") :]
    board.write_text("\n".join(line for line in kept.splitlines() if not line.startswith('"program.')))
    with pytest.raises(HardwareError, match=r"program: missing, .*base = \"mcu-m4f\""):
        load_hardware(board)


@pytest.mark.parametrize("table", ["controller", "cycles"])
def test_a_program_without_what_it_runs_on_is_refused(table, tmp_path):
    text = (PRESETS / "mcu-m0.toml").read_text()
    start = text.index(f"[{table}]")
    kept = text[:start] + text[text.index("\n[", start + 1) + 1 :]
    board = tmp_path / "own.toml"
    board.write_text("\n".join(line for line in kept.splitlines() if not line.startswith(f'"{table}.')))
    with pytest.raises(HardwareError, match=f"{table}: missing, and "):
        load_hardware(board)
