"""fspinn predict: which classes are in these images, and which neurons say so?"""

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fspinn.base.errors import ConfigError
from fspinn.cli import options, sections, shown_images

if TYPE_CHECKING:
    from fspinn import Model
    from fspinn.answering.predict import Prediction
    from fspinn.datasets import Source
    from fspinn.network.layers import Layer

_SHOWN_NEURONS = 3


@sections.as_command(
    "predict",
    epilog="""\b
Examples:
  fspinn predict net.h5 photo.png
  fspinn predict net.h5 photos/ --json
  fspinn predict net.h5 --samples 5
  fspinn predict net.h5 --dataset mnist --index 3,17
  fspinn predict net.h5 photos/ --reject 0.5

A score says how much the output spikes speak for a class; what it is made of depends on the readout. Image
number k of a file or data set always sees the same random spikes, those that `fspinn evaluate` shows it.
""",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, type=click.Path(path_type=Path))
@shown_images.measured("test")
@click.option(
    "--index",
    callback=options.read_whole_numbers,
    help="Only the images of these numbers, counted from 0, such as 3,17.",
)
@options.reject
@options.work
@shown_images.gathered
def command(
    model: Path,
    images: tuple[Path, ...],
    shown: shown_images.Shown,
    index: list[int] | None,
    reject: float,
    as_json: bool,
) -> None:
    """Answer IMAGES with MODEL: classes and output spikes.

    IMAGES are pictures (PNG, JPEG, BMP, TIFF), folders of them, .npz files (array `images`), .npy, CSV or IDX
    files, of the size and kind that the model was trained on (MNIST: bright ink on black; see --resize and
    --grey in `fspinn data info -h`); or for a model of signals wav files, and others that hold signals.
    Without IMAGES those of a data set are taken.
    """
    from fspinn import load, predict
    from fspinn.datasets import sources

    if index is not None and shown.samples is not None:
        raise ConfigError("--samples: --index says already which images; leave one of the two out")
    loaded = load(model)
    found = shown_images.sources_of(loaded, images, shown)
    if index is not None:
        found = list(sources.numbered(found, index))
    elif shown.samples is not None:
        found = list(sources.first(found, shown.samples))
    rows: list[dict[str, Any]] = []
    for source in found:
        features = None if loaded.features is None else loaded.features.values_of(source, source.name)
        answer = predict(
            loaded,
            source.images,
            features=features,
            seed=shown.seed,
            first=source.first,
            reject=reject,
            threads=shown.threads,
        )
        rows += _rows(source, answer, loaded)
    if as_json:
        about = {"model": str(model), "readout": loaded.readout.name, "class_names": loaded.class_names}
        options.print_json({**about, "reject": reject, "seed": shown.seed, "images": rows})
    else:
        _print_rows(rows, loaded)


def _rows(source: "Source", answer: "Prediction", model: "Model") -> list[dict[str, Any]]:
    answered, leads = answer.answered, answer.leads
    return [
        {
            "image": source.name,
            "index": source.first + k,
            "label": None if source.labels is None else int(source.labels[k]),
            "class": int(answer.classes[k]) if answered[k] else None,
            "class_name": model.class_names[answer.classes[k]] if answered[k] else None,
            "lead": float(leads[k]) if isfinite(leads[k]) else None,
            "scores": answer.scores[k].tolist(),
            "output_spikes": int(counts.sum()),
            "spike_counts": {str(feature): int(counts[feature]) for feature in counts.nonzero()[0]},
        }
        for k, counts in enumerate(answer.spike_counts)
    ]


def _print_rows(rows: list[dict[str, Any]], model: "Model") -> None:
    labelled = rows[0]["label"] is not None
    title = ["image", "number", *(["label"] if labelled else []), "class", "score", "next best"]
    layer = model.network.layers[-1]
    who = "neurons" if layer.field is None else "neurons in a cell"
    table = [[*title, "output spikes", f"most active {who} (spikes)"]]
    for row in rows:
        scores, label = row["scores"], row["label"]
        best, *others = sorted(range(len(scores)), key=lambda c: -scores[c])
        active = sorted(row["spike_counts"].items(), key=lambda item: -item[1])
        cells = [row["image"], str(row["index"])]
        if labelled:
            cells.append(model.class_names[label])
        cells += [row["class_name"] or "none", f"{scores[best]:.3g}"]
        cells.append(f"{model.class_names[others[0]]} ({scores[others[0]]:.3g})" if others else "-")
        cells.append(str(row["output_spikes"]))
        shown = active[:_SHOWN_NEURONS]
        cells.append(
            ", ".join(f"{_named(int(feature), layer)} ({spikes})" for feature, spikes in shown) or "-"
        )
        table.append(cells)
    options.print_table(table)


def _named(feature: int, layer: "Layer") -> str:
    """Return the number of the neuron that a feature counts the spikes of, and of a field its cell."""
    cell, neuron = divmod(feature, layer.neurons)
    if layer.field is None:
        return str(neuron)
    row, column = divmod(cell, layer.cells[1])
    return f"{neuron} in {row},{column}"
