"""fspinn evaluate: how good is a model on labelled images?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fspinn.cli import options, sections, shown_images

if TYPE_CHECKING:
    from fspinn.answering.evaluate import Evaluation

MOST_CLASSES = 20
"""Classes that are shown, those with the least F1; with more there is no confusion matrix in the answer."""


@sections.as_command(
    "evaluate",
    epilog="""\b
Examples:
  fspinn evaluate net.h5
  fspinn evaluate net.h5 --split validation --json
  fspinn evaluate net.h5 --reject 0.5
""",
)
@click.argument("model", type=click.Path(path_type=Path))
@shown_images.measured("test")
@options.reject
@options.engine
@options.work
@shown_images.gathered
def command(model: Path, shown: shown_images.Shown, reject: float, engine: str, as_json: bool) -> None:
    """Measure how good MODEL is on images that it was not trained on, over all and class by class."""
    from fspinn import evaluate, load
    from fspinn.answering.predict import doubts
    from fspinn.model.readout import NO_ANSWER

    loaded = load(model)
    dataset, images = shown_images.split_of(loaded, shown)
    result = evaluate(loaded, images, seed=shown.seed, reject=reject, threads=shown.threads, engine=engine)
    for doubt in doubts(loaded, result.silent_samples, result.samples):
        click.echo(f"fspinn: warning: {doubt}", err=True)
    saturations = None if result.state_range is None else result.state_range.saturations
    about = {"split": shown.split, "dataset": dataset, "saturations": saturations}
    if as_json:
        options.print_json(_answer(result) | about | {"reject": reject, "engine": engine, "seed": shown.seed})
        return
    answered = "" if reject == 0 else f"the {result.coverage:.2%} answered of "
    click.echo(
        f"accuracy {result.accuracy:.2%} on {answered}{result.samples} {shown.split} images of {dataset} "
        f"({result.readout} readout, {result.spikes_per_sample:.1f} output spikes an image)"
    )
    unanswered = int((result.predictions == NO_ANSWER).sum())
    if reject == 0 and unanswered > 0:
        click.echo(f"{unanswered} without an answer, counted as wrong: nothing speaks for any class")
    click.echo(f"balanced accuracy {result.balanced_accuracy:.2%}, macro F1 {result.macro_f1:.2%}")
    if saturations is not None:
        click.echo(f"integers only; {saturations} saturations")
    if result.neurobench is not None:
        click.echo(f"{result.neurobench.in_words()} (an image)")
    _print_classes(result)


def _answer(result: "Evaluation") -> dict[str, Any]:
    measured = ("accuracy", "balanced_accuracy", "macro_f1", "samples", "coverage", "readout")
    few = len(result.class_names) <= MOST_CLASSES
    return {
        **{name: getattr(result, name) for name in (*measured, "spikes_per_sample", "silent_samples")},
        "class_names": result.class_names,
        "classes": {name: row._asdict() for name, row in result.classes.items()},
        "neurobench": None if result.neurobench is None else result.neurobench.as_dict(),
        "confusion_matrix": result.confusion_matrix.tolist() if few else None,
    }


def _print_classes(result: "Evaluation") -> None:
    rows = list(result.classes.items())
    if len(rows) > MOST_CLASSES:
        rows = sorted(rows, key=lambda row: row[1].f1)[:MOST_CLASSES]
        click.echo(f"\nof {len(result.class_names)} classes the {MOST_CLASSES} with the least F1:")
    rejects = result.coverage < 1
    heads = ["recall", "precision", "F1", "images", *(["answered"] if rejects else [])]
    table = [["class", *(head.rjust(9) for head in heads)]]
    for name, row in rows:
        shares = [f"{share:.2%}" for share in (row.recall, row.precision, row.f1)]
        counts = [str(row.samples), *([str(row.answered)] if rejects else [])]
        table.append([name, *(cell.rjust(9) for cell in (*shares, *counts))])
    options.print_table(table)
