"""fspinn hardware: which hardware is described, and how?"""

from dataclasses import asdict

import click

from fspinn.cli import options, sections


@click.group("hardware", cls=sections.Group)
def command() -> None:
    """List the hardware presets, or show one with the source of each number.

    \b
    Examples:
      fspinn hardware list
      fspinn hardware show asic65-lp
    """


@command.command("list")
@options.as_json
def list_hardware(as_json: bool) -> None:
    """List the presets and how far to trust each.

    calibrated: fitted to published chips; published: a chip's own numbers; convention: makes figures
    comparable; uncalibrated: nobody has measured it.

    \b
    Example:
      fspinn hardware list
    """
    from fspinn.memmodel import hardware_names, load_hardware

    metas = [load_hardware(name).meta for name in hardware_names()]
    lines = [f"{meta.name:<16}  {meta.confidence:<12}  {meta.description}" for meta in metas]
    options.answer(as_json, {meta.name: meta.description for meta in metas}, *lines)


@command.command("show")
@click.argument("name")
@options.as_json
def show(name: str, as_json: bool) -> None:
    """Show the hardware NAME, a preset or the path of a TOML file.

    Evidence in the sources of presets: [M] measured with CACTI 7, [S] read in the source, [S2] read in a
    secondary source, [I] this project's own, [R] remembered only, not verified.

    \b
    Examples:
      fspinn hardware show asic65-lp
      fspinn hardware show my-chip.toml
    """
    from fspinn.memmodel import load_hardware
    from fspinn.memmodel.hardware_files import as_values

    hardware = load_hardware(name)
    values, meta = as_values(hardware), hardware.meta
    rows = {key: {"value": value, "source": hardware.sources[key]} for key, value in values.items()}
    lines = [f"{meta.name} ({meta.confidence}): {meta.description}"]
    for key, value in values.items():
        shown = ", ".join(f"{one:g}" for one in value) if isinstance(value, tuple) else str(value)
        lines.append(f"  {key:<38} {shown:>8}  {hardware.sources[key]}")
    options.answer(as_json, {**asdict(meta), "remembered": hardware.remembered, "values": rows}, *lines)
