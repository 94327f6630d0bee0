"""How hardware is called: names of presets, and the parts, cores and boards that they stand for."""

from difflib import get_close_matches
from pathlib import Path

from fspinn.base.errors import HardwareError

PRESETS = Path(__file__).parent / "presets"

ALIASES = {
    "asic28-odin": ("odin",),
    "fpga-artix7": ("artix7", "xc7a35t"),
    "fpga-ice40up5k": ("up5k", "ice40", "ice40up5k", "icebreaker", "upduino"),
    "fpga-kintex7-event": ("kintex7",),
    "loihi-like": ("loihi",),
    "mcu-attiny85": ("attiny85", "digispark"),
    "mcu-avr": ("uno", "arduino-uno", "atmega328p"),
    "mcu-m0": ("cortex-m0", "nrf51822", "microbit-v1"),
    "mcu-m4f": ("cortex-m4", "cortex-m4f", "stm32f4", "stm32f446"),
    "mcu-m7": ("cortex-m7", "stm32h7", "stm32h743"),
    "mcu-rp2040": ("rp2040", "pico", "cortex-m0plus"),
    "mcu-rv32": ("rv32", "rv32imac", "gd32vf103"),
}
"""Other names of presets. A part with other memories is other hardware: a preset of its own, or your file."""


def hardware_names() -> list[str]:
    """Return the names of the presets."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def preset_of(name: str, key: str = "hardware") -> str:
    """Return the preset that a name or an alias means, in letters of either case.

    >>> preset_of("STM32F4")
    'mcu-m4f'

    Raises
    ------
    HardwareError
        If there is none; `key` is what the name was given for.
    """
    presets = hardware_names()
    known = {name: name for name in presets} | {
        alias: preset for preset, aliases in ALIASES.items() for alias in aliases
    }
    asked = name.lower()
    if asked in known:
        return known[asked]
    guess = ""
    for near in get_close_matches(asked, known, n=1):
        guess = f"did you mean {near}{'' if near in presets else f' ({known[near]})'}? "
    if key == "hardware":
        file = ", or the path of your own .toml file"
    else:
        file = "; a base is a preset, not a file" if asked.endswith(".toml") else ""
    raise HardwareError(f"{key}: no preset {name!r}; {guess}use one of {', '.join(presets)}{file}")


def canonical(hardware: str | Path) -> str:
    """Return the preset of a name or an alias; a path as it is."""
    return str(hardware) if Path(hardware).suffix == ".toml" else preset_of(str(hardware))
