"""fspinn train: learn, without labels if the learner is stdp, then fit a readout."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fspinn.base.errors import ConfigError
from fspinn.base.files import check_file
from fspinn.cli import options, sections
from fspinn.network.learners import Hybrid, Surrogate
from fspinn.presets import Preset

if TYPE_CHECKING:
    from fspinn.datasets import Dataset


def _check(
    preset: Preset,
    *,
    output: Path,
    resume: bool,
    checkpoint_every: int | None,
    engine: str,
    weights: str | None,
    state: str | None,
    rounding: str,
    **_others: Any,
) -> None:
    """Refuse what makes no sense whatever the data are."""
    from fspinn.learning.surrogate import check_installed
    from fspinn.learning.training import check_formats_of

    start_at = click.get_current_context().meta.get(options.START)
    if start_at is not None and output.exists() and output.samefile(start_at):
        raise ConfigError(f"--output {output}: is the model that labels tune; give another name")
    for option, given in (("--resume", resume), ("--checkpoint-every", checkpoint_every)):
        if given and isinstance(preset.learner, Surrogate):
            raise ConfigError(
                f"{option}: the learner {preset.learner.kind} keeps no checkpoint; leave it out"
            )
    check_formats_of(engine, weights, state, rounding)
    check_installed(preset.learner)


@sections.as_command(
    "train",
    usual=(
        *("--dataset", "--preset", "--learner", "--neurons", "--field", "--cells"),
        *("--readout", "--labels", "--set", "--weights", "--output", "--resume"),
        *("--seed", "--json"),
    ),
    epilog="""\b
Examples:
  fspinn train -o net.h5
  fspinn train --dataset mnist --neurons 400 -o net.h5 && fspinn evaluate net.h5
  fspinn train --dataset mnist --neurons 16 --field 5 --cells 3 -o net.h5
  fspinn train --preset mnist-400 --readout linear --labels 1000 -o net.h5
  fspinn train --config settings.toml --seed 1 -o net.h5
  fspinn train --preset mnist-400 --weights UQ0.4 -o net4.h5
  fspinn train --dataset mnist --neurons 4900 --resume -o large.h5
  fspinn train --start net.h5 -o tuned.h5
  fspinn train --learner surrogate --neurons 50 --beta 0.9 --weights Q1.3 -o net.h5
  fspinn train --learner hybrid --neurons 50 --set duration_ms=8 -o net.h5

What was stopped (Ctrl-C, a crash, a power cut) goes on with --resume, to the same bytes as without the stop.
""",
)
@options.dataset
@options.preset
@options.learner
@options.neurons
@options.columns
@options.gradients
@options.passes
@options.settings
@options.readout
@options.labels
@options.class_weight
@click.option(
    "-o",
    "--output",
    type=options.Output(check_file),
    default=Path("net.h5"),
    show_default=True,
    help="Model file to write.",
)
@click.option(
    "--resume", is_flag=True, help="Continue from OUTPUT.checkpoint, if it is there; else start afresh."
)
@click.option(
    "--checkpoint-every",
    type=click.IntRange(min=1),
    help="Presentations between two checkpoints [default: every 30 s]; results do not depend on it.",
)
@click.option(
    "--weights",
    type=options.NumberFormat(),
    help="Keep the weights to this format while they are learned, such as UQ0.4: integers only.",
)
@click.option(
    "--state",
    type=options.NumberFormat(),
    help="Format of potentials then [default: 16 bits that suit the threshold].",
)
@click.option(
    "--rounding",
    default="stochastic",
    show_default=True,
    callback=options.read_rounding,
    help="How changes of such weights are rounded: stochastic, nearest or truncate.",
)
@click.option(
    "--start",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,
    callback=options.read_start,
    help="Model that STDP trained: labels tune its layers, with its network and, by default, its data set.",
)
@options.engine
@options.work
@partial(options.with_preset_and_data, check=_check)
def command(
    preset: Preset, data: "Dataset", output: Path, resume: bool, as_json: bool, **others: Any
) -> None:
    """Train a network on a data set, and fit a readout on labels; the learner stdp needs no more of them."""
    from fspinn import evaluate, save, train
    from fspinn.learning import checkpoint

    saved = output.with_name(f"{output.name}.checkpoint")
    keeps = not isinstance(preset.learner, Surrogate)
    if resume and not saved.exists():
        click.echo(f"fspinn: {saved} does not exist; starting from the beginning", err=True)
    with _stopped_in_one_line(saved):
        result = train(
            preset.network,
            data,
            learner=preset.learner,
            readout=preset.readout,
            checkpoint=saved if keeps else None,
            resume=resume,
            **others,  # options and parameters of the same name
        )
        save(result.model, output)
        checkpoint.remove(saved)
    validation, record, start = result.validation, result.model.record, others["start"]
    before = None
    if start is not None and validation is not None:
        some = data.validation.first(validation.samples)
        before = evaluate(start, some, seed=others["seed"], threads=others["threads"]).accuracy
    answer = {
        "model": str(output),
        "accuracy": None if validation is None else validation.accuracy,
        "accuracy_of": "validation",
        "accuracy_before": before,
        "validation_samples": 0 if validation is None else validation.samples,
        "samples_per_s": result.samples_per_s,
        "presentations": result.model.activity["training"][0].samples,
        "neurons": preset.network.neurons,
        "readout": preset.readout,
        "labels": record["labels"],
        "class_weight": record["class_weight"],
        "features": list(data.feature_names),
        "quantization": record.get("quantization"),
        "engine": others["engine"],
        "seed": others["seed"],
    }
    how = f"{answer['presentations']} presentations at {result.samples_per_s:,.0f} samples/s"
    if start is not None:
        how = "tuned by labels"
    elif isinstance(preset.learner, Hybrid):
        how = "converted from an ANN" + (f", then {how}" if answer["presentations"] else "")
    lines = [f"{output}: {preset.network.neurons} neurons, {how}"]
    if data.feature_names:
        lines.append(f"the readout listens to {', '.join(data.feature_names)} too")
    if "quantization" in record:
        lines.append(_in_words(record["quantization"]))
    if validation is not None:
        shown = f"on {validation.samples} validation images ({preset.readout} readout)"
        so_far = "" if before is None else f"; {before:.1%} before"
        lines.append(f"accuracy {validation.accuracy:.1%} {shown}{so_far}")
    options.answer(as_json, answer, *lines)


def _in_words(quantization: dict[str, Any]) -> str:
    formats = ", ".join(f"{name} {quantization[name]}" for name in ("weights", "state", "theta", "readout"))
    return f"integers only: {formats}; {quantization['learning']['saturations']} saturations while learning"


@contextmanager
def _stopped_in_one_line(saved: Path) -> Iterator[None]:
    """Answer Ctrl-C and SIGTERM with how to go on."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        how = "; continue with --resume" if saved.exists() else ""
        click.echo(f"fspinn: stopped{how}", err=True)
        raise click.exceptions.Exit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)
