"""fspinn quantize: store the numbers of a trained network in fewer bits."""

from pathlib import Path

import click

from fspinn.cli import options
from fspinn.errors import ConfigError


@click.command("quantize")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--weights", required=True, help="Format of the weights: UQm.n (unsigned) or Qm.n, such as UQ0.4."
)
@click.option(
    "--rounding", default="nearest", show_default=True, help="How weights are rounded: nearest or truncate."
)
@click.option("--readout", help="Format of the readout table [default: 8 bits, Q1.7 for linear, else UQ0.8].")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Where the quantized model goes."
)
@options.config
@options.as_json
def command(
    model: Path, weights: str, rounding: str, readout: str | None, output: Path, as_json: bool
) -> None:
    """Store the weights and the readout of the trained network MODEL in a fixed-point format.

    UQ0.4 is four bits, from 0 to 15/16 in steps of 1/16; Q1.7 is eight bits, one of them the sign.

    \b
    Example:
      fspinn quantize net.h5 --weights UQ0.4 -o net4.h5
    """
    from fspinn import store
    from fspinn.memmodel import Size
    from fspinn.memmodel.footprint import footprint
    from fspinn.quant import quantize

    if output.resolve() == model.resolve() or (output.exists() and model.exists() and output.samefile(model)):
        raise ConfigError(f"--output {output}: is the model itself; give the quantized model another name")
    before = store.load(model)
    after = quantize(before, weights=weights, rounding=rounding, readout=readout)
    store.save(after, output)

    done = after.record["quantization"]
    bits = {
        name: footprint(Size.of(network), training=False)
        for name, network in (("before", before), ("after", after))
    }
    memory = {name: {**parts, "total": sum(parts.values())} for name, parts in bits.items()}
    if as_json:
        options.print_json({"model": str(output), **done, "memory_bits": memory})
        return
    total_before, total_after = memory["before"]["total"], memory["after"]["total"]
    click.echo(f"weights   float32 -> {done['weights']}, rounding {done['rounding']}")
    click.echo(f"          {done['saturated_share']:.1%} saturated, {done['zeroed_share']:.1%} became zero")
    click.echo(f"readout   {_readout(after.readout.name, done['readout'])}")
    click.echo(
        f"memory    {total_before / 8192:.1f} KiB -> {total_after / 8192:.1f} KiB "
        f"({total_before / total_after:.1f} times less, for inference)"
    )
    click.echo(f"written   {output}")


def _readout(name: str, format: str | None) -> str:
    if format is None:
        return f"{name}: one label per neuron, as before"
    return f"{name}: float32 -> {format}"
