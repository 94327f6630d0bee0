"""The linker refuses a network that is too large for the hardware, as the export does."""

import re
import subprocess

import pytest
from described import changed, dense
from exported_programs import CHIPS, model_of, needs_tools_of
from test_export_c import COLUMN
from test_export_features import listening
from test_export_learning import SMALL

from fspinn.backends.c import export_c
from fspinn.base.errors import ConfigError
from fspinn.memmodel import load_hardware
from fspinn.memmodel.names import PRESETS

DENSE = dense(neurons=5, duration_ms=20.0, weight_norm=1.0, threshold=3.0, tau_m_ms=20.0)


def column():
    return model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9))


def linked(folder, target):
    return subprocess.run(["make", target], cwd=folder, capture_output=True, text=True)


def board(folder, base, *, flash, ram):
    """A chip that is said to need no code and no stack: what it lacks only a linker finds."""
    code = [line.split(" = ")[0] for line in (PRESETS / f"{base}.toml").read_text().splitlines()]
    code = [key for key in code if key.endswith(("column_bytes", "stack_bytes", "program_bytes"))]
    none = "".join(f"{key} = 0\n" for key in code)
    path = folder / "board.toml"
    path.write_text(f'base = "{base}"\n[controller]\n{none}flash_bytes = {flash}\nram_bytes = {ram}\n')
    return path


@pytest.mark.parametrize("chip", CHIPS)
def test_what_fits_is_linked_into_the_memories_of_the_hardware(chip, tmp_path):
    needs_tools_of(chip)
    preset = "uno" if chip.startswith("at") else "stm32f4"
    export_c(column(), tmp_path / "out", hardware=preset)
    assert linked(tmp_path / "out", f"fits-{chip}").returncode == 0
    controller = load_hardware(preset).controller
    script = (tmp_path / "out" / "test" / "chip.ld").read_text()
    assert f"FLASH (rx) : ORIGIN = 0x00000000, LENGTH = {controller.flash_bytes}\n" in script
    assert f"RAM (rw) : ORIGIN = 0x20000000, LENGTH = {controller.ram_bytes}\n" in script
    assert f"STACK_BYTES = {controller.column_stack_bytes};\n" in script


@pytest.mark.parametrize(
    ("chip", "base", "flash", "ram", "words"),
    [
        ("cortex-m4", "mcu-m4f", 900, 4096, "region `FLASH' overflowed by"),
        ("cortex-m4", "mcu-m4f", 4096, 85, "region `RAM' overflowed by"),
        ("atmega328p", "mcu-avr", 1200, 2048, "region `text'"),
        ("atmega328p", "mcu-avr", 4096, 85, "region `data'"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_linker_too(chip, base, flash, ram, words, tmp_path):
    needs_tools_of(chip)
    model, hardware = column(), board(tmp_path, base, flash=flash, ram=ram)
    export_c(model, tmp_path / "out", hardware=hardware)
    for target in (f"fits-{chip}", f"test-{chip}"):
        refused = linked(tmp_path / "out", target)
        assert refused.returncode != 0
        assert words in refused.stderr
    assert not (tmp_path / "out" / f"{chip}.elf").exists()
    with pytest.raises(ConfigError, match=r"^hardware: board is too small; it takes"):
        export_c(model, tmp_path / "two", hardware=board(tmp_path, base, flash=100, ram=ram))


@pytest.mark.parametrize(
    ("model", "learning"),
    [
        (lambda: model_of(DENSE), None),
        (lambda: listening(model_of(DENSE), 2), None),
        (lambda: listening(column(), 2), None),
        (lambda: model_of(changed(COLUMN, field=(1, 5), cells=(1, 3)), pixels=(1, 30, 2)), None),
        (lambda: model_of(SMALL, "UQ0.3", "Q5.5", pixels=(9, 12)), 10),
    ],
    ids=["dense", "features", "column with features", "signal", "learns"],
)
def test_programs_of_all_kinds_are_linked(model, learning, tmp_path):
    needs_tools_of("cortex-m4")
    export_c(model(), tmp_path / "out", hardware="cortex-m4", learning=learning)
    assert linked(tmp_path / "out", "fits-cortex-m4").stderr == ""


def test_only_programs_for_some_hardware_are_linked_for_it(tmp_path):
    export_c(column(), tmp_path / "one")
    export_c(column(), tmp_path / "two", hardware="uno")
    assert "fits-" not in (tmp_path / "one" / "Makefile").read_text()
    assert "fits-" not in (tmp_path / "one" / "README.md").read_text()
    assert "memories of mcu-avr" in (tmp_path / "two" / "README.md").read_text()
    for file in ("Makefile", "README.md"):  # the first chip that is named is one of its kind
        assert re.search("fits-[a-z0-9-]+", (tmp_path / "two" / file).read_text())[0] == "fits-atmega328p"
    for text in ("Makefile", "README.md", "test/chip.ld"):
        assert "@hardware@" not in (tmp_path / "two" / text).read_text()
