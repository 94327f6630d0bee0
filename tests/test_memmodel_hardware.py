"""Hardware descriptions: complete, possible, with a source for each number."""

import tomllib

import pytest

from fspinn.base.errors import HardwareError
from fspinn.memmodel import hardware_names, load_hardware
from fspinn.memmodel.hardware_files import PRESETS, as_values

LABELS = ("[M] ", "[S] ", "[S2] ", "[I] ", "[R] ", "choice of the preset")
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


@pytest.mark.parametrize("name", hardware_names())
def test_every_number_of_a_preset_says_how_it_is_known(name):
    for key, source in load_hardware(name).sources.items():
        assert source.startswith(LABELS), f"{key}: {source}"


def test_what_is_only_remembered_says_so():
    odin = load_hardware("asic28-odin")
    assert odin.remembered == ["clock.f_mhz", "power.leakage_uw", "power.idle_uw_per_mhz"]
    assert all("remembered, not verified" in odin.sources[key] for key in odin.remembered)
    assert load_hardware("asic65-lp").remembered == []


def test_the_presets_are_those_that_were_asked_for():
    assert hardware_names() == [
        "asic28-odin",
        "asic45-horowitz",
        "asic65-lp",
        "fpga-artix7",
        "fpga-ice40up5k",
        "fpga-kintex7-event",
        "horowitz45-fp32",
        "loihi-like",
        "mcu-avr",
        "mcu-m0",
        "mcu-m4f",
        "mcu-m7",
        "mcu-rv32",
    ]


def test_the_first_preset_has_its_values():
    hardware = load_hardware("asic65-lp")
    assert (hardware.process.node_nm, hardware.process.vdd_v, hardware.process.cell) == (65, 1.2, "lstp")
    weights = hardware.memory.weights
    assert (weights.kappa, weights.word_bits, hardware.clock.f_mhz) == (2.2, 32, 100)


def test_a_file_of_ones_own_can_be_named(tmp_path):
    assert load_hardware(str(write(tmp_path, "f_mhz = 100", "f_mhz = 12.5"))).clock.f_mhz == 12.5


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("f_mhz = 100", "f_mhz = 100\nf_max = 1", "clock.f_max: unknown key; use f_mhz"),
        ("f_mhz = 100", "f_ghz = 0.1", "clock.f_ghz: wrong unit; give f_mhz"),
        ("vdd_v = 1.2", "vdd_mv = 1200", "process.vdd_mv: wrong unit; give vdd_v"),
        ("word_bits = 32", "word_bytes = 4", "memory.weights.word_bytes: wrong unit; give word_bits"),
        ("leakage_pw_per_bit", "leakage_nw_per_byte", "wrong unit; give leakage_pw_per_bit"),
        ("[clock]", "[clocks]", "clocks: unknown key; use meta, clock, core"),
        ("f_mhz = 100", "", "clock.f_mhz: missing; add it"),
        ("[clock]\nf_mhz = 100", "", "clock: missing; add it"),
        ("f_mhz = 100", 'f_mhz = "100 MHz"', "clock.f_mhz: '100 MHz' is not a number; give one, its unit"),
        ("f_mhz = 100", "f_mhz = true", "clock.f_mhz: True is not a number"),
        ("f_mhz = 100", "f_mhz = nan", "clock.f_mhz: nan is impossible; give 0.001 to 10000"),
        ("node_nm = 65", "node_nm = 7", "process.node_nm: 7 is impossible; give 22 to 90"),
        ("word_bits = 32", "word_bits = 32.0", "memory.weights.word_bits: 32.0 is not a whole number"),
        ("lanes = 4", "lanes = 0", "core.lanes: 0 is impossible"),
        ('cell = "lstp"', 'cell = "dram"', "process.cell: 'dram' is unknown; use one of lstp, lop, hp"),
        (
            'access = "sram-law"',
            'access = "per-bit"',
            "memory.weights.access: 'per-bit' is unknown; use one of sram-law, table, none",
        ),
        ('name = "asic65-lp"', "name = 65", "meta.name: 65 is not a text; quote one"),
        ('"clock.f_mhz" = "choice of the preset"', "", "clock.f_mhz: has no source; add"),
        ('"clock.f_mhz" =', '"clock.f_ghz" =', 'sources."clock.f_ghz": not a value of this file'),
        ('"clock.f_mhz" = "choice of the preset"', '"clock.f_mhz" = 1', "1 is not a source; say where"),
        ("[sources]", "[origins]", "sources: missing; add the table"),
        ("[memory.state]", "[memory.states]", "memory.states: unknown key; use weights, state"),
        ("[clock]", "[clock", "not valid TOML"),
        ("[process]", "[area2]", "area2: unknown key"),
        ("latency = { low = 0.5, high = 2.0 }", "", 'sources."band.latency.low": not a value of this file'),
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
        HardwareError, match=r"no preset 'asic65-pl'; did you mean asic65-lp\? use one of asic28-odin, asic45"
    ):
        load_hardware("asic65-pl")
    with pytest.raises(HardwareError, match=r"no preset 'tpu'; use one of .*, or the path of your own"):
        load_hardware("tpu")


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(HardwareError, match=r"none\.toml: No such file.*; name a TOML file"):
        load_hardware(tmp_path / "none.toml")


def edited(tmp_path, *edits):
    """Write asic65-lp with each (old, new) replaced, and all sources that then name nothing left out."""
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return write_text(tmp_path, text)


def write_text(tmp_path, text):
    values, sources = text.split("[sources]")
    path = tmp_path / "mine.toml"
    tables = tomllib.loads(values)
    kept = [line for line in sources.strip().splitlines() if has(tables, line.split('"')[1])]
    path.write_text(values + "[sources]\n" + "\n".join(kept) + "\n", encoding="utf-8")
    return path


def has(tables, key):
    for part in key.split("."):
        if not isinstance(tables, dict) or part not in tables:
            return False
        tables = tables[part]
    return True


def weights(rest):
    return (
        TEXT[TEXT.index("[memory.weights]") : TEXT.index("[memory.state]")],
        f"[memory.weights]\n{rest}\n",
    )


def sourced(*keys):
    return ("[sources]", "[sources]\n" + "\n".join(f'"{key}" = "[I] a test"' for key in keys))


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        (
            [weights('access = "sram-law"\nword_bits = 32\nmacro_bits = 8192')],
            'memory.weights.kappa: missing, access = "sram-law" needs it; add it',
        ),
        (
            [weights('access = "none"\nword_bits = 32\nmacro_bits = 8192\nkappa = 2.2')],
            'memory.weights.kappa: not used with access = "none"; leave it out',
        ),
        (
            [
                weights(
                    'access = "table"\nword_bits = 32\nmacro_bits = 8192\n'
                    "table_capacity_bits = [8, 16]\ntable_access_pj = [2, 1]"
                ),
                sourced("memory.weights.table_capacity_bits", "memory.weights.table_access_pj"),
            ],
            "memory.weights.table_access_pj: not a table of rising energies, one for each of 2 rising",
        ),
        (
            [
                weights(
                    'access = "table"\nword_bits = 32\nmacro_bits = 8192\n'
                    "table_capacity_bits = 8\ntable_access_pj = [2, 1]"
                ),
                sourced("memory.weights.table_capacity_bits", "memory.weights.table_access_pj"),
            ],
            "memory.weights.table_capacity_bits: 8 is not a list of numbers; write it like [1, 2]",
        ),
        (
            [
                ("[power]", "[off_chip]\npj_per_bit = 20\nbandwidth_mbit_per_s = 1000\n[power]"),
                sourced("off_chip.pj_per_bit", "off_chip.bandwidth_mbit_per_s"),
            ],
            "off_chip: weights always fit in a memory without limit; add memory.weights.capacity_bits",
        ),
        (
            [("latency = { low = 0.5, high = 2.0 }", "")],
            "band.latency: missing, and [cycles] is there; give both or neither",
        ),
        (
            [(TEXT[TEXT.index("[cycles]") : TEXT.index("[area]")], "")],
            "cycles: missing, and [band.latency] is there; give both or neither",
        ),
        (
            [(TEXT[TEXT.index("[process]") : TEXT.index("[clock]")], "")],
            'process: missing, memory.weights.access = "sram-law" needs it; add it',
        ),
        (
            [
                (TEXT[TEXT.index("[process]") : TEXT.index("[clock]")], ""),
                weights('access = "none"\nword_bits = 32\nmacro_bits = 8192'),
                (
                    TEXT[TEXT.index("[memory.state]") : TEXT.index("[power]")],
                    '[memory.state]\naccess = "none"\nword_bits = 32\nmacro_bits = 8192\n',
                ),
            ],
            "process: missing, and [arithmetic] is scaled to it; add it",
        ),
    ],
)
def test_tables_that_do_not_go_together_are_refused(tmp_path, edits, reason):
    path = edited(tmp_path, *edits)
    with pytest.raises(HardwareError) as refusal:
        load_hardware(path)
    assert str(refusal.value).startswith(f"{path}: {reason}")


def test_a_description_without_time_and_area_is_complete(tmp_path):
    path = edited(
        tmp_path,
        (TEXT[TEXT.index("[cycles]") : TEXT.index("[sources]")], ""),
        ("latency = { low = 0.5, high = 2.0 }", ""),
        ("area = { low = 0.67, high = 1.5 }", ""),
    )
    hardware = load_hardware(path)
    assert (hardware.cycles, hardware.area, hardware.band.latency) == (None, None, None)
