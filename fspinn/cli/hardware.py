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
    """List the presets.

    \b
    Example:
      fspinn hardware list
    """
    from fspinn.memmodel import hardware_names, load_hardware

    descriptions = {name: load_hardware(name).meta.description for name in hardware_names()}
    if as_json:
        options.print_json(descriptions)
        return
    for name, description in descriptions.items():
        click.echo(f"{name:<16}  {description}")


@command.command("show")
@click.argument("name")
@options.as_json
def show(name: str, as_json: bool) -> None:
    """Show the hardware NAME, a preset or the path of a TOML file.

    Evidence in the sources of presets: [M] measured with CACTI 7, [S] read in the source, [S2] read in a
    secondary source, [I] this project's own.

    \b
    Example:
      fspinn hardware show asic65-lp
    """
    from fspinn.memmodel import load_hardware
    from fspinn.memmodel.hardware import as_values

    hardware = load_hardware(name)
    values = as_values(hardware)
    if as_json:
        rows = {key: {"value": value, "source": hardware.sources[key]} for key, value in values.items()}
        options.print_json(
            {"name": hardware.meta.name, "description": hardware.meta.description, "values": rows}
        )
        return
    click.echo(f"{hardware.meta.name}: {hardware.meta.description}")
    for key, value in values.items():
        click.echo(f"  {key:<38} {value!s:>8}  {hardware.sources[key]}")
