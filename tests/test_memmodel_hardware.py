"""Hardware descriptions: complete, possible, with a source for each number."""

import re
import tomllib
from dataclasses import replace

import pytest

from fspinn.base.errors import HardwareError
from fspinn.memmodel import hardware_names, load_hardware
from fspinn.memmodel.hardware_files import as_values, in_toml
from fspinn.memmodel.names import ALIASES, PRESETS, canonical, preset_of

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
        "mcu-attiny85",
        "mcu-avr",
        "mcu-m0",
        "mcu-m4f",
        "mcu-m7",
        "mcu-rp2040",
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
        ("[meta]", "base = 65\n[meta]", "base: 65 is not the name of a preset; quote one, such as mcu-m4f"),
        (
            "[meta]",
            'base = "stm32f5"\n[meta]',
            "base: no preset 'stm32f5'; did you mean stm32f4 (mcu-m4f)? use one of asic28-odin",
        ),
        ("[meta]", 'base = "board.toml"\n[meta]', "mcu-rv32; a base is a preset, not a file"),
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


def test_parts_cores_and_boards_are_other_names_of_presets():
    assert set(ALIASES) <= set(hardware_names())
    known = [*hardware_names(), *(alias for aliases in ALIASES.values() for alias in aliases)]
    assert len(set(known)) == len(known)
    for asked, preset in {
        "stm32f4": "mcu-m4f",
        "Cortex-M4": "mcu-m4f",
        "uno": "mcu-avr",
        "attiny85": "mcu-attiny85",
        "rp2040": "mcu-rp2040",
        "up5k": "fpga-ice40up5k",
    }.items():
        assert load_hardware(asked).meta.name == preset_of(asked) == preset
    assert [canonical(name) for name in ("UNO", "mcu-avr", "a/Uno.toml")] == [
        "mcu-avr",
        "mcu-avr",
        "a/Uno.toml",
    ]
    with pytest.raises(HardwareError, match=r"no preset 'atmega328'; did you mean atmega328p \(mcu-avr\)\?"):
        load_hardware("atmega328")


def test_a_part_with_less_memory_is_not_the_part_that_it_is_like():
    tiny, uno = load_hardware("attiny85"), load_hardware("uno")
    assert (tiny.controller.flash_bytes, tiny.controller.ram_bytes) == (8192, 512)
    assert replace(tiny.controller, flash_bytes=32768, ram_bytes=2048) == uno.controller
    assert tiny.sources["cycles.step"] == uno.sources["cycles.step"] + " (of mcu-avr)"


BOARD = """
base = "cortex-m4"
[clock]
f_mhz = 84
[controller]
flash_bytes = 262144
ram_bytes = 131072
"""


def own(folder, text):
    path = folder / "board.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_hardware_of_ones_own_is_a_preset_and_what_differs(tmp_path):
    board, preset = load_hardware(own(tmp_path, BOARD)), load_hardware("mcu-m4f")
    assert board.clock.f_mhz == 84
    assert board.controller == replace(preset.controller, flash_bytes=262144)
    assert (board.cycles, board.core, board.band) == (preset.cycles, preset.core, preset.band)
    assert board.meta.name == "board"
    assert board.meta.confidence == "uncalibrated"
    assert board.meta.description == "mcu-m4f but clock.f_mhz 84, controller.flash_bytes 262144"
    yours = [key for key, source in board.sources.items() if source == "yours"]
    assert yours == ["clock.f_mhz", "controller.flash_bytes"]
    # The same value as that of the preset is not yours.
    assert board.sources["controller.ram_bytes"] == preset.sources["controller.ram_bytes"] + " (of mcu-m4f)"


def test_hardware_of_ones_own_may_say_sources_and_what_it_is(tmp_path):
    named = '[meta]\nname = "board 7"\nconfidence = "published"\n[sources]\n"clock.f_mhz" = "data sheet"\n'
    board = load_hardware(own(tmp_path, BOARD + named))
    assert (board.meta.name, board.meta.confidence) == ("board 7", "published")
    assert board.sources["clock.f_mhz"] == "data sheet"
    assert board.sources["controller.flash_bytes"] == "yours"
    same = load_hardware(own(tmp_path, 'base = "mcu-m4f"\n[meta]\nname = "board 8"\n'))
    assert same.meta == replace(load_hardware("mcu-m4f").meta, name="board 8")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("f_mhz = true", "clock.f_mhz: True is not a number"),
        ("f_ghz = 1", "clock.f_ghz: wrong unit; give f_mhz"),
        ('f_mhz = 9\n[sources]\n"clock.f_ghz" = "a"', 'sources."clock.f_ghz": not a value of this file'),
        ("f_mhz = 9\n[memory]\nstate = 8", "memory.state: must be a table"),
        ("f_mhz = 9\n[column]\ncells = 8", "column.cells_per_time_bit: missing; add it"),
    ],
)
def test_what_differs_is_checked_as_all_else(tmp_path, text, reason):
    path = own(tmp_path, f'base = "mcu-m4f"\n[clock]\n{text}\n')
    with pytest.raises(HardwareError) as refusal:
        load_hardware(path)
    assert str(refusal.value).startswith(f"{path}: {reason}")


@pytest.mark.parametrize("name", ["sources", "meta"])
def test_a_value_in_place_of_sources_or_names_is_refused(tmp_path, name):
    with pytest.raises(HardwareError, match=rf"{name}: must be a table; write \[{name}\]"):
        load_hardware(own(tmp_path, f'base = "mcu-m4f"\n{name} = "mine"\n'))


def test_a_memory_with_energies_of_its_own_forgets_those_of_its_base(tmp_path):
    table = "table_capacity_bits = [8192, 65536]\ntable_access_pj = [1.5, 4]"
    path = own(tmp_path, f'base = "asic65-lp"\n[memory.weights]\naccess = "table"\n{table}\n')
    weights = load_hardware(path).memory.weights
    assert (weights.kappa, weights.table_access_pj, weights.word_bits) == (None, (1.5, 4), 32)


@pytest.mark.parametrize("name", hardware_names())
def test_a_preset_can_be_written_edited_and_read_again(name, tmp_path):
    preset = load_hardware(name)
    for written in (in_toml(preset, preset=True), in_toml(preset, preset=False)):
        assert load_hardware(own(tmp_path, written)) == preset
    based = in_toml(preset, preset=True)
    (line,) = re.findall(r"^f_mhz = .*$", based, re.M)
    edited = load_hardware(own(tmp_path, based.replace(line, "f_mhz = 7.5  # ours")))
    assert edited.clock.f_mhz == 7.5
    assert edited.sources["clock.f_mhz"] == "yours"
    assert edited.meta.name == "board"
    assert load_hardware(own(tmp_path, in_toml(edited, preset=False))) == edited


def test_texts_of_all_kinds_can_be_written(tmp_path):
    told = 'a "quoted" \\ source\nof two lines \u00b5\x7f'
    preset = load_hardware("mcu-avr")
    strange = replace(preset, sources={**preset.sources, "clock.f_mhz": told})
    assert load_hardware(own(tmp_path, in_toml(strange, preset=False))) == strange


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
