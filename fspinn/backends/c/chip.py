"""Flash and RAM of the microcontroller that has to hold a program: checked here, and by its linker."""

import re
from dataclasses import fields, replace
from pathlib import Path

from fspinn.backends.c.header import program_file
from fspinn.backends.exports import filled
from fspinn.base.errors import ConfigError
from fspinn.memmodel.area import capacity
from fspinn.memmodel.case import Case
from fspinn.memmodel.hardware import Controller, Hardware
from fspinn.memmodel.hardware_files import load_hardware
from fspinn.memmodel.program import controller_bytes
from fspinn.memmodel.size import Size
from fspinn.model.model import Model

_BYTE_BITS = 8

_FITS = """\
- `make fits-@first@` (or @others@) links the network alone into the memories of @hardware@
  (`test/chip.ld`), so that the linker refuses what is too large.
"""


def check_room(model: Model, hardware: str | Path, *, learning: bool = False) -> None:
    """Raise ConfigError unless the program fits the flash and the RAM of a microcontroller."""
    described, case, _ = _on_chip(model, hardware, learning)
    needs = capacity(case)
    lacking = [
        f"{need.needed:,} bytes of {memory}, and there are {need.available:,}"
        for memory, need in (("flash", needs["flash_bytes"]), ("RAM", needs["ram_bytes"]))
        if not need.fits
    ]
    if lacking:
        raise ConfigError(
            f"hardware: {described.meta.name} is too small; it takes {'; '.join(lacking)}. Use another "
            "one, or a smaller network"
        )


def linked_files(model: Model, hardware: str | Path, *, learning: bool = False) -> dict[str, str]:
    """Return what the linker needs to keep to the memories of a microcontroller.

    Returns
    -------
    dict of str to str
        The texts of ``"chip.c"``, a firmware of nothing but the network, and of ``"chip.ld"``, its linker
        script; what is added to the ``"Makefile"``, and to the ``"README.md"``.
    """
    described, case, controller = _on_chip(model, hardware, learning)
    stack = _stack_bytes(case, controller)
    # A description does not name its core; only programs for AVR have weights in bytes.
    avr = described.memory.weights.word_bits == _BYTE_BITS
    kind = ("atmega328p", "attiny85") if avr else ("cortex-m4", "cortex-m0", "riscv")
    values = {
        "hardware": re.sub(r"[^\w.+ -]", "_", described.meta.name),  # in comments
        "flash": str(controller.flash_bytes),
        "ram": str(controller.ram_bytes),
        "stack": str(stack),
        "static": str(controller.ram_bytes - stack),
        "kind": " ".join(kind),
        "first": kind[0],
        "others": ", ".join(f"`-{chip}`" for chip in kind[1:]),
    }
    texts = {
        "chip.c": program_file("test/chip.c"),
        "chip.ld": program_file("test/chip.ld"),
        "Makefile": program_file("test/chip.mk"),
        "README.md": _FITS,
    }
    return {name: filled(text, values) for name, text in texts.items()}


def _stack_bytes(case: Case, controller: Controller) -> int:
    """Return the bytes of RAM that are stack: those that a program without one does not take."""
    names = (field.name for field in fields(controller) if field.name.endswith("stack_bytes"))
    without = replace(controller, **dict.fromkeys(names, 0))
    return int(controller_bytes(case, controller)[1] - controller_bytes(case, without)[1])


def _on_chip(model: Model, hardware: str | Path, learning: bool) -> tuple[Hardware, Case, Controller]:
    described = load_hardware(hardware)
    if described.controller is None:
        raise ConfigError(
            f"hardware: {described.meta.name} is not a microcontroller; use one such as mcu-avr"
        )
    return described, Case(Size.of(model), (), described, training=learning), described.controller
