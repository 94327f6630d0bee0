"""fspinn evaluate: how good is a model on labelled images?"""

from pathlib import Path

import click

from fspinn.cli import options


@click.command(
    "evaluate",
    epilog="""\b
Examples:
  fspinn evaluate net.h5
  fspinn evaluate net.h5 --split validation --json
""",
)
@click.argument("model", type=click.Path(path_type=Path))
@options.measured("test")
@options.engine
@options.work
@options.gathered
def command(model: Path, shown: options.Shown, engine: str, as_json: bool) -> None:
    """Measure the accuracy of MODEL on images that it was not trained on."""
    from fspinn import evaluate, load
    from fspinn.answering.predict import doubts

    loaded = load(model)
    dataset, images = options.split_of(loaded, shown)
    result = evaluate(loaded, images, seed=shown.seed, threads=shown.threads, engine=engine)
    for doubt in doubts(loaded, result.silent_samples, result.samples):
        click.echo(f"fspinn: warning: {doubt}", err=True)
    saturations = None if result.state_range is None else result.state_range.saturations
    measured = ("accuracy", "samples", "readout", "spikes_per_sample", "silent_samples")
    about = {"split": shown.split, "dataset": dataset, "saturations": saturations}
    options.answer(
        as_json,
        {name: getattr(result, name) for name in measured} | about | {"engine": engine, "seed": shown.seed},
        f"accuracy {result.accuracy:.2%} on {result.samples} {shown.split} images of {dataset} "
        f"({result.readout} readout, {result.spikes_per_sample:.1f} output spikes an image)",
        *([] if saturations is None else [f"integers only; {saturations} saturations"]),
    )
