"""fspinn estimate: what does a network cost on a piece of hardware?"""

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from fspinn.cli import options


@click.command("estimate")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--hardware",
    default="asic65-lp",
    show_default=True,
    help="Preset (see `fspinn hardware list`) or the path of a TOML file.",
)
@options.config
@options.as_json
def command(model: Path, hardware: str, as_json: bool) -> None:
    """Estimate memory, energy and latency of the network MODEL on a piece of hardware.

    Energy and latency are those of one image, from the activity that was counted when the network
    was trained. structure-aware is what a device needs; dense-sim is what simulators store and do,
    N x N inhibition included: it is there to compare with published figures.

    \b
    Examples:
      fspinn estimate net4.h5
      fspinn estimate net4.h5 --hardware my-chip.toml --json
    """
    from fspinn import store
    from fspinn.memmodel import estimate

    network = store.load(model)
    cost = estimate(network, hardware=hardware)
    result = cost.as_dict()
    if as_json:
        options.print_json({"model": str(model), **result})
        return
    click.echo(f"{model} on {cost.hardware}")
    _print_table("memory", cost.memory, _memory)
    _print_table("energy per image", cost.energy, _energy)
    _print_table("cycles per image", cost.latency, lambda cycles: f"{cycles:,}")
    low, high = cost.energy_band
    click.echo(f"\nExpect the true energy at {low:g} to {high:g} times the estimate.")
    for phase, accounting in (("inference", "structure-aware"), ("training", "structure-aware")):
        band = result["energy_band_pj"][phase][accounting]
        click.echo(
            f"One image, {phase}: {_energy(band['low'])} to {_energy(band['high'])}, "
            f"{result['latency_s'][phase][accounting] * 1e3:.3g} ms at {cost.f_mhz:g} MHz ({accounting})."
        )
    if "quantization" in network.record:
        click.echo("Activity was counted with the weights before quantization.")


def _print_table(
    title: str, breakdowns: Mapping[str, Mapping[str, Mapping[str, int]]], text: Callable[[int], str]
) -> None:
    columns = [(phase, accounting) for phase in breakdowns for accounting in breakdowns[phase]]
    names = [name for name in breakdowns["training"]["structure-aware"] if name != "total"]
    names += [name for name in breakdowns["inference"]["structure-aware"] if name not in [*names, "total"]]
    click.echo(f"\n{title:<18}" + "".join(f"{phase:>18}" for phase, _ in columns))
    click.echo(" " * 18 + "".join(f"{accounting:>18}" for _, accounting in columns))
    for name in [*names, "total"]:
        cells = [breakdowns[phase][accounting].get(name) for phase, accounting in columns]
        click.echo(f"  {name:<16}" + "".join(f"{'-' if cell is None else text(cell):>18}" for cell in cells))


def _memory(bits: int) -> str:
    return f"{bits / 8192:.1f} KiB" if bits >= 8192 else f"{-(-bits // 8)} B"


def _energy(energy_pj: int) -> str:
    for unit, size in (("mJ", 1e9), ("uJ", 1e6), ("nJ", 1e3)):
        if energy_pj >= size:
            return f"{energy_pj / size:.2f} {unit}"
    return f"{energy_pj} pJ"
