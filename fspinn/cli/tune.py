"""fspinn tune: settings that make a network of a given size accurate."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fspinn.base.checks import whole_number
from fspinn.base.files import check_file
from fspinn.base.settings import settings_of
from fspinn.cli import options, sections
from fspinn.presets import Preset

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.search import Trial


def _check(_preset: Preset, *, trials: int, **_others: Any) -> None:
    """Refuse what makes no sense whatever the data are."""
    from fspinn.search.tune import MAX_TRIALS

    whole_number("trials", trials, 1, MAX_TRIALS)


@sections.as_command(
    "tune",
    epilog="""\b
Examples:
  fspinn tune --neurons 100 && fspinn train --config tuned.toml
  fspinn tune --dataset mnist --neurons 400 -o tuned.toml
  fspinn tune --dataset fashion-mnist --neurons 1600 --trials 9 --readout majority
""",
)
@options.dataset
@options.neurons
@click.option("--trials", default=27, show_default=True, help="Candidates; 1 measures only what is given.")
@options.passes
@options.settings
@options.readout
@click.option(
    "-o",
    "--output",
    type=options.Output(check_file),
    default=Path("tuned.toml"),
    show_default=True,
    help="File to write, for `fspinn train --config`.",
)
@options.work
@partial(options.with_preset_and_data, check=_check)
def command(
    preset: Preset,
    data: "Dataset",
    trials: int,
    output: Path,
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Find threshold, inhibition, threshold step and learning rate for a network, on validation images.

    Only the best candidates learn for all passes, the others for a ninth or a third of them.
    """
    from fspinn.base import streams
    from fspinn.search.tune import tune
    from fspinn.search.tuned import describe, write_config

    def show(trial: "Trial") -> None:
        share = trial.verdict if trial.accuracy is None else f"{trial.accuracy:.2%}"
        settings = settings_of(trial.candidate.setup)
        streams.say(
            f"candidate {trial.number:3}  {trial.presentations:8} presentations  "
            f"threshold {settings['threshold']:<6g} learning rate {settings['learning_rate']:<6g} {share}"
        )  # above the bar, where there is one

    result = tune(
        preset.network,
        data,
        learner=preset.learner,
        trials=trials,
        readout=preset.readout,
        seed=seed,
        threads=threads,
        on_trial=show,
    )
    write_config(result, output)
    if as_json:
        options.print_json({"config": str(output), **result.as_dict()})
        return
    click.echo(describe(result))
    click.echo(f"  wrote {output}: fspinn train --config {output}")
