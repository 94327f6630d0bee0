"""fspinn quantize: turn a trained network into one of fixed-point numbers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fspinn.base.amounts import memory_text
from fspinn.base.errors import ConfigError, DataError
from fspinn.base.files import check_file
from fspinn.cli import options, reading, sections, shown_images

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.lowering.passes import Report
    from fspinn.model.model import Model
    from fspinn.search import Trial, Variant
    from fspinn.search.formats import FormatSearch


@sections.as_command(
    "quantize",
    usual=(
        *("--weights", "--state", "--readout", "--auto", "--max-loss", "--tune"),
        *("--prune", "--output", "--dataset", "--json"),
    ),
    epilog="""\b
Examples:
  fspinn quantize net.h5 --weights UQ0.4 -o net4.h5
  fspinn quantize net.h5 --weights UQ0.4 --state Q9.6 --prune -o net4.h5
  fspinn quantize net.h5 --auto --max-loss 0.5 -o small.h5
""",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--weights",
    type=options.NumberFormat(),
    help="Format of the weights: UQm.n (unsigned) or Qm.n, such as UQ0.4.",
)
@click.option(
    "--state",
    type=options.NumberFormat(or_bits=True),
    help="Format of potentials, threshold and inhibition, such as Q9.6, or '16 bits' for the finest "
    "of so many bits: integers only.",
)
@click.option(
    "--theta",
    type=options.NumberFormat(),
    help="Format of adapted thresholds [default: the narrowest that holds them].",
)
@click.option(
    "--readout",
    type=options.NumberFormat(),
    help="Format of the readout table [default: 8 bits, Q1.7 for linear, else UQ0.8]. With less than 8 bits "
    "linear is fitted again, with its rounding, where the training images are there.",
)
@click.option(
    "--rounding",
    default="nearest",
    show_default=True,
    callback=options.read_rounding,
    help="How weights are rounded: nearest, truncate or stochastic.",
)
@click.option("--auto", is_flag=True, help="Find the narrowest formats that cost at most --max-loss.")
@click.option(
    "--max-loss",
    type=float,
    help="Percentage points that the formats of --auto may cost on the validation images [default: 0.5].",
)
@click.option("--shift-leak", is_flag=True, help="Leak by a shift and a subtraction.")
@click.option("--tune", is_flag=True, help="Choose threshold and inhibition again, on training images.")
@click.option("--prune", is_flag=True, help="Drop pixels without weights and neurons that never spike.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=options.Output(check_file),
    help="Where the quantized model goes.",
)
@click.option("--dataset", help="Measure on this one [default: what the model was trained on, same split].")
@options.data_dir
@reading.options()
@options.work
def command(
    model: Path,
    auto: bool,
    max_loss: float | None,
    output: Path,
    dataset: str | None,
    data_dir: Path | None,
    samples: int | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Turn the trained network MODEL into fixed-point numbers, and say what each step saves and costs.

    UQ0.4 is four bits, from 0 to 15/16 in steps of 1/16; Q1.7 is eight bits, one of them the sign. With a
    format of the state the network computes with integers only, and answers so from then on.
    """
    from fspinn.answering.compress import lower
    from fspinn.model import store
    from fspinn.quant.formats import bits_of
    from fspinn.search.formats import find_formats

    if not auto and how["weights"] is None:
        raise ConfigError("--weights: give the format of the weights, or --auto to find it")
    if auto and (how["weights"] or how["state"] or how["theta"] or how["readout"]):
        raise ConfigError("--auto: finds weights, state, theta and readout; leave them out")
    if max_loss is not None and not auto:
        raise ConfigError("--max-loss: is what formats may cost that are found; add --auto, or leave it out")
    if output.resolve() == model.resolve() or (output.exists() and model.exists() and output.samefile(model)):
        raise ConfigError(f"--output {output}: is the model itself; give the quantized model another name")
    before = store.load(model)
    needed = auto or how["tune"] or how["prune"] or bits_of(how["state"]) is not None
    data, missing = _images(before, dataset, data_dir, samples, needed=needed)
    found = None
    if auto and data is not None:
        work = {name: how[name] for name in ("rounding", "seed", "threads")}
        if max_loss is not None:
            work["max_loss"] = max_loss
        found = find_formats(before, data, on_trial=None if as_json else _print_trial, **work)
        how |= _formats(found.choice)
    result = lower(before, data, on_report=None if as_json else click.echo, **how)
    store.save(result.model, output)
    if missing is not None:
        click.echo(f"fspinn: accuracy is not measured: {missing}", err=True)
    if as_json:
        options.print_json(_answer(output, before, result.model, result.reports, found))
        return
    first, last = result.reports[0].before, result.reports[-1].after
    click.echo(
        f"memory    {memory_text(first.bits)} -> {memory_text(last.bits)} "
        f"({first.bits / last.bits:.1f} times less, for inference)"
    )
    if first.accuracy is not None and last.accuracy is not None and data is not None:
        click.echo(
            f"accuracy  {first.accuracy:.2%} -> {last.accuracy:.2%} "
            f"on {len(data.validation)} validation images"
        )
    click.echo(f"written   {output}")


def _images(
    model: "Model", dataset: str | None, data_dir: Path | None, samples: int | None, needed: bool
) -> "tuple[Dataset | None, Exception | None]":
    """Return the images to measure on; where there are none and nothing needs them, why that is so."""
    from dataclasses import replace

    try:
        data = shown_images.data_for(model, dataset, data_dir)
    except (ConfigError, DataError) as error:
        if needed or dataset is not None:
            raise
        return None, error
    return (data if samples is None else replace(data, validation=data.validation.first(samples))), None


def _print_trial(before: "Trial", trial: "Trial") -> None:
    from fspinn.lowering.passes import in_words
    from fspinn.search.formats import lost_points

    lost = lost_points(before, trial)
    formats = " ".join(f"{name or 'labels':<6}" for name in _formats(trial.candidate.variant).values())
    outcome = "cannot hold the network"
    if lost is not None:
        outcome = f"{memory_text(trial.memory_bits):>8}, {in_words(lost)}"
    click.echo(f"{trial.varied:<9} {formats} {outcome}")


def _answer(
    output: Path,
    before: "Model",
    after: "Model",
    reports: "tuple[Report, ...]",
    found: "FormatSearch | None",
) -> dict[str, Any]:
    from fspinn.memmodel import Size
    from fspinn.memmodel.footprint import footprint

    memory = {}
    for name, model in (("before", before), ("after", after)):
        parts = footprint(Size.of(model), training=False)
        memory[name] = {**parts, "total": sum(parts.values())}
    return {
        "model": str(output),
        "state": None,
        "theta": None,
        "readout_fitted": False,
        **after.record["quantization"],
        "memory_bits": memory,
        "accuracy": {"before": reports[0].before.accuracy, "after": reports[-1].after.accuracy},
        "passes": [
            {name: getattr(report, name) for name in ("name", "change", "saved_bits", "lost_points")}
            for report in reports
        ],
        "trials": [] if found is None else [_trial(found, trial) for trial in found.trials],
    }


def _trial(found: "FormatSearch", trial: "Trial") -> dict[str, Any]:
    return {
        "varied": trial.varied,
        "choice": _formats(trial.candidate.variant),
        "outcome": trial.outcome.value,
        "bits": None if trial.cost is None else trial.memory_bits,
        "accuracy": trial.accuracy,
        "lost_points": found.lost_points(trial),
    }


def _formats(variant: "Variant") -> dict[str, str | None]:
    """Return the formats of a variant by the names of the options."""
    formats = {name: getattr(variant, name) for name in ("weights", "state", "theta")}
    return {**formats, "readout": variant.readout_format}
