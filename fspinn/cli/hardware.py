"""fspinn hardware: which hardware is described, and how?"""

import click

from fspinn.cli import options


@click.group("hardware")
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

    metas = {name: load_hardware(name).meta for name in hardware_names()}
    if as_json:
        options.print_json({name: meta.description for name, meta in metas.items()})
        return
    for name, meta in metas.items():
        click.echo(f"{name:<16}  {meta.confidence:<12}  {meta.description}")


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
    values = as_values(hardware)
    meta = hardware.meta
    if as_json:
        rows = {key: {"value": value, "source": hardware.sources[key]} for key, value in values.items()}
        options.print_json(
            {
                "name": meta.name,
                "description": meta.description,
                "confidence": meta.confidence,
                "remembered": hardware.remembered,
                "values": rows,
            }
        )
        return
    click.echo(f"{meta.name} ({meta.confidence}): {meta.description}")
    for key, value in values.items():
        shown = ", ".join(f"{one:g}" for one in value) if isinstance(value, tuple) else str(value)
        click.echo(f"  {key:<38} {shown:>8}  {hardware.sources[key]}")
