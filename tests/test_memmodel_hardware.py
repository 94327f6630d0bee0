"""Hardware descriptions: complete, possible, with a source for each number."""

import pytest

from fspinn.errors import HardwareError
from fspinn.memmodel import hardware_names, load_hardware
from fspinn.memmodel.hardware import PRESETS, as_values
from fspinn.memmodel.sram import CELLS, read_pj, write_pj

TEXT = (PRESETS / "asic65-lp.toml").read_text(encoding="utf-8")


def write(folder, old="", new=""):
    assert old in TEXT
    path = folder / "mine.toml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", hardware_names())
def test_every_preset_can_be_read_under_its_name(name):
    hardware = load_hardware(name)
    assert hardware.meta.name == name
    assert set(hardware.sources) == set(as_values(hardware))


def test_the_first_preset_has_its_values():
    hardware = load_hardware("asic65-lp")
    assert (hardware.process.node_nm, hardware.process.vdd_v, hardware.process.cell) == (65, 1.2, "lstp")
    assert (hardware.memory.kappa, hardware.memory.weights.word_bits, hardware.clock.f_mhz) == (2.2, 32, 100)


def test_a_file_of_ones_own_can_be_named(tmp_path):
    assert load_hardware(str(write(tmp_path, "f_mhz = 100", "f_mhz = 12.5"))).clock.f_mhz == 12.5


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("f_mhz = 100", "f_mhz = 100\nf_ghz = 1", "clock.f_ghz: unknown key; use f_mhz"),
        ("[clock]", "[clocks]", "clocks: unknown key; use meta, band, process"),
        ("f_mhz = 100", "", "clock.f_mhz: missing; add it"),
        ("[clock]\nf_mhz = 100", "", "clock: missing; add it"),
        ("f_mhz = 100", 'f_mhz = "100"', "clock.f_mhz: '100' is not a number; give one"),
        ("f_mhz = 100", "f_mhz = true", "clock.f_mhz: True is not a number"),
        ("f_mhz = 100", "f_mhz = nan", "clock.f_mhz: nan is impossible; give 0.001 to 10000"),
        ("node_nm = 65", "node_nm = 7", "process.node_nm: 7 is impossible; give 22 to 90"),
        ("word_bits = 32", "word_bits = 32.0", "memory.weights.word_bits: 32.0 is not a whole number"),
        ("lanes = 4", "lanes = 0", "arithmetic.lanes: 0 is impossible"),
        ('cell = "lstp"', 'cell = "dram"', "process.cell: 'dram' is unknown; use one of lstp, lop, hp"),
        ('name = "asic65-lp"', "name = 65", "meta.name: 65 is not a text; quote one"),
        ('"clock.f_mhz" = "choice of the preset"', "", "clock.f_mhz: has no source; add"),
        ('"clock.f_mhz" =', '"clock.f_ghz" =', 'sources."clock.f_ghz": there is no such value'),
        ('"clock.f_mhz" = "choice of the preset"', '"clock.f_mhz" = 1', "1 is no source; say where"),
        ("[sources]", "[origins]", "sources: missing; add the table"),
        ("[memory.state]\nword_bits = 128", "", "memory.state: missing; add it"),
        ("[clock]", "[clock", "not valid TOML"),
    ],
)
def test_a_description_that_is_wrong_is_refused_by_file_key_and_reason(tmp_path, old, new, reason):
    path = write(tmp_path, old, new)
    with pytest.raises(HardwareError) as refusal:
        load_hardware(path)
    message = str(refusal.value)
    assert message.startswith(f"{path}: ")
    assert reason in message
    assert "\n" not in message


def test_a_value_in_place_of_a_table_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    # A value of the same name comes before all tables, so the table [clock] goes.
    path.write_text("clock = 100\n" + TEXT.replace("[clock]\nf_mhz = 100\n", ""), encoding="utf-8")
    with pytest.raises(HardwareError, match=r"clock: must be a table; write \[clock\]"):
        load_hardware(path)


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(
        HardwareError, match=r"no preset 'asic65-pl'; did you mean asic65-lp\? use one of asic65-lp"
    ):
        load_hardware("asic65-pl")
    with pytest.raises(
        HardwareError, match=r"no preset 'tpu'; use one of asic65-lp, or the path of your own"
    ):
        load_hardware("tpu")


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(HardwareError, match=r"none\.toml: No such file.*; name a TOML file"):
        load_hardware(tmp_path / "none.toml")


def test_the_sram_law_agrees_with_cacti_within_its_error():
    # CACTI 7, 65 nm lstp, words of 32 bits, picojoules; the law's 90th percentile is 29 % (19 % for writes).
    capacities_bits = [8192 * 4**i for i in range(1, 6)]
    published = [(3.56, 10.5), (8.43, 14.3), (17.5, 29.3), (42.1, 57.2), (93.2, 108)]
    for capacity_bits, (read, written) in zip(capacities_bits, published, strict=True):
        assert read_pj(65, 1.2, "lstp", 32, capacity_bits) == pytest.approx(read, rel=0.29)
        assert write_pj(65, 1.2, "lstp", 32, capacity_bits) == pytest.approx(written, rel=0.34)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("law_pj", [read_pj, write_pj])
def test_wider_words_cost_less_per_bit_and_larger_memories_more(cell, law_pj):
    assert (
        law_pj(65, 1.2, cell, 8, 2**17)
        < law_pj(65, 1.2, cell, 32, 2**17)
        < 4 * law_pj(65, 1.2, cell, 8, 2**17)
    )
    assert law_pj(65, 1.2, cell, 32, 2**17) < law_pj(65, 1.2, cell, 32, 2**18)
