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
def command(
    model: Path,
    dataset: str | None,
    data_dir: Path | None,
    split: str,
    engine: str,
    seed: int,
    samples: int | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure the accuracy of MODEL on images that it was not trained on."""
    from fspinn import evaluate, load
    from fspinn.answering.predict import doubts

    loaded = load(model)
    name, images = options.split_of(loaded, dataset, data_dir, split, samples)
    result = evaluate(loaded, images, seed=seed, threads=threads, engine=engine)
    for doubt in doubts(loaded, result.silent_samples, result.samples):
        click.echo(f"fspinn: warning: {doubt}", err=True)
    saturations = None if result.state_range is None else result.state_range.saturations
    measured = ("accuracy", "samples", "readout", "spikes_per_sample", "silent_samples")
    about = {"split": split, "dataset": name, "saturations": saturations, "engine": engine, "seed": seed}
    options.answer(
        as_json,
        {name: getattr(result, name) for name in measured} | about,
        f"accuracy {result.accuracy:.2%} on {result.samples} {split} images of {name} "
        f"({result.readout} readout, {result.spikes_per_sample:.1f} output spikes an image)",
        *([] if saturations is None else [f"integers only; {saturations} saturations"]),
    )
