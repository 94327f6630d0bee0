"""fspinn hardware: which hardware is described, and how?"""

from dataclasses import asdict

import click

from fspinn.base.errors import ConfigError
from fspinn.cli import options, sections


@click.group("hardware", cls=sections.Group)
def command() -> None:
    """List the hardware presets, or show one with the source of each number.

    \b
    Examples:
      fspinn hardware list
      fspinn hardware show stm32f4
      fspinn hardware show stm32f4 --toml > my-board.toml
    """


@command.command("list")
@options.as_json
def list_hardware(as_json: bool) -> None:
    """List the presets, how far to trust each, and the other names that may be typed.

    calibrated: fitted to published chips; published: a chip's own numbers; convention: makes figures
    comparable; uncalibrated: nobody has measured it.

    \b
    Example:
      fspinn hardware list
    """
    from fspinn.memmodel import hardware_names, load_hardware
    from fspinn.memmodel.names import ALIASES

    metas = [load_hardware(name).meta for name in hardware_names()]
    lines = []
    for meta in metas:
        lines.append(f"{meta.name:<18}  {meta.confidence:<12}  {meta.description}")
        if meta.name in ALIASES:
            lines.append(f"{'':<34}also {', '.join(ALIASES[meta.name])}")
    options.answer(as_json, {meta.name: meta.description for meta in metas}, *lines)


@command.command("show")
@click.argument("name")
@click.option("--toml", "as_toml", is_flag=True, help="Print a TOML file to start your own from.")
@options.as_json
def show(name: str, as_toml: bool, as_json: bool) -> None:
    """Show the hardware NAME: a preset, another name of one, or the path of a TOML file.

    Evidence in the sources of presets: [M] measured with CACTI 7 or here, [S] read in the source, [S2] read
    in a secondary source, [I] this project's own, [R] remembered only, not verified.

    Your own hardware is a file with a preset as its base and the numbers that differ:

    \b
      base = "stm32f4"
      clock.f_mhz = 84

    \b
    Examples:
      fspinn hardware show asic65-lp
      fspinn hardware show my-board.toml
      fspinn hardware show stm32f4 --toml > my-board.toml
    """
    from fspinn.memmodel import hardware_names, load_hardware
    from fspinn.memmodel.hardware_files import as_values, in_toml
    from fspinn.memmodel.names import ALIASES, canonical

    if as_toml and as_json:
        raise ConfigError("--toml, --json: are two forms; choose one")
    hardware = load_hardware(name)
    preset = canonical(name) in hardware_names()
    if as_toml:
        click.echo(in_toml(hardware, preset=preset), nl=False)
        return
    values, meta = as_values(hardware), hardware.meta
    rows = {key: {"value": value, "source": hardware.sources[key]} for key, value in values.items()}
    aliases = ALIASES.get(meta.name, ()) if preset else ()
    lines = [f"{meta.name} ({meta.confidence}): {meta.description}"]
    if aliases:
        lines.append(f"  also {', '.join(aliases)}")
    for key, value in values.items():
        shown = ", ".join(f"{one:g}" for one in value) if isinstance(value, tuple) else str(value)
        lines.append(f"  {key:<38} {shown:>8}  {hardware.sources[key]}")
    answer = {**asdict(meta), "aliases": aliases, "remembered": hardware.remembered, "values": rows}
    options.answer(as_json, answer, *lines)
