"""fspinn data: which images are there?"""

from collections.abc import Mapping
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fspinn.cli import options, reading, sections

if TYPE_CHECKING:
    from fspinn.datasets import Scale

_MOST_CLASSES = 20


@click.group("data", cls=sections.Group)
def command() -> None:
    """List, describe and download data sets.

    \b
    Wherever fspinn asks for a data set, give one of the names that
    `fspinn data list` shows, or the path of your own samples:

    \b
      folder/                one folder of pictures (PNG, JPEG, BMP, TIFF) or
                             wav files per class: folder/cat/1.png;
                             folder/train/cat/ and folder/test/cat/ if you
                             have a test set; folder/cat/anna/1.png if anna
                             is a group
      photos.npz             arrays `images` (n x height x width, perhaps x
                             channels) or `signals` (n x length), and
                             `labels` (numbers or names); `test_images` and
                             `test_labels` if you have a test set; `groups`,
                             `class_names`, `features` if there are any
      events.npz             recordings of an event camera: arrays `x`, `y`,
                             `p` (1 ON, 0 OFF), `t` (microseconds), and
                             `offsets` (where each recording begins and the
                             last one ends), with `labels`; names as above
      table.csv              one sample a row, its class in the column that
                             --label names: signals, or images with --shape;
                             folder/train.csv and folder/test.csv
      my-images-idx3-ubyte   an IDX file, plain or .gz; its labels lie beside
                             it as my-labels-idx1-ubyte
      folder/                train-images-idx3-ubyte, train-labels-idx1-ubyte,
                             and t10k-... for test, plain or .gz; plain
                             ones may be larger than the memory

    tonic:NMNIST, tonic:DVSGesture and others are recordings in the formats of the package tonic (pip install
    "fspinn[events]"), which looks for them in --data-dir and downloads what is absent.

    Files are read as they are. Every command that reads a data set takes --resize, --grey, --length, --label,
    --shape and --features: see `fspinn data info -h`.

    Features are numbers that are known beside each sample, such as the time since the last heartbeat: the
    readout listens to them too.

    Without a test set of their own, a fifth of the samples is held out for test, always the same ones.
    Groups, such as patients, speakers or sittings, are held out whole.

    \b
    Example:
      fspinn data list
      fspinn data info ./photos.npz
    """


@command.command("list")
@options.data_dir
@options.as_json
def list_command(data_dir: Path | None, as_json: bool) -> None:
    """Show the data sets that are known by name, and where they are now.

    \b
    Example:
      fspinn data list
    """
    from fspinn import datasets

    rows: list[dict[str, Any]] = []
    table = [("name", "images", "pixels", "classes", "licence", "where")]
    for entry in datasets.catalogue.values():
        folder = datasets.locate(entry.name, data_dir)
        state = "embedded" if entry.embedded else "present" if folder else "absent"
        train, test = entry.images
        about = {"name": entry.name, "train_images": train, "test_images": test}
        about |= {"image_shape": entry.image_shape, "classes": len(entry.class_names), "state": state}
        rows.append({**about, "folder": str(folder) if folder else None, "licence": entry.licence})
        absent = f"not in {data_dir}" if data_dir else "not downloaded yet"
        where = {"embedded": "embedded", "present": f"in {folder}", "absent": absent}[state]
        words = (f"{train} + {test}", _pixels(entry.image_shape), str(len(entry.class_names)), entry.licence)
        table.append((entry.name, *words, where))
    if as_json:
        options.print_json({"datasets": rows})
    else:
        options.print_table(table)


@command.command("info")
@click.argument("name_or_path")
@options.data_dir
@reading.options(hidden=False)
@options.as_json
def info_command(name_or_path: str, data_dir: Path | None, as_json: bool) -> None:
    """Describe one data set: a name, or the path of your own samples.

    Blank samples have the same value everywhere; duplicates are equal in every value. A data set that is
    known by name and not there yet is downloaded first.

    \b
    Example:
      fspinn data info digits
      fspinn data info photos/ --grey --resize 32x32 --json
    """
    from fspinn import datasets

    data = datasets.load(name_or_path, data_dir=data_dir, reading=reading.asked())
    entry = datasets.catalogue.get(name_or_path)
    counts = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    images = (data.train.images, data.validation.images)
    pixel_sum = sum(int(some.sum()) for part in images for some in datasets.in_pieces(part))
    mean = pixel_sum / (255 * sum(prod(part.shape) for part in images))
    counted = datasets.summary(data)
    events = counted.events
    result: dict[str, Any] = {
        "name": data.name,
        "image_shape": data.image_shape,
        "images": counts,
        "classes": data.n_classes,
        "class_names": data.class_names,
        "class_counts": counted.class_counts,
        "checksum": data.checksum,
        "mean_intensity": mean,
        "range": [counted.lowest, counted.highest],
        "blank": counted.blank,
        "duplicates": counted.duplicates,
        "shared": counted.shared,
        "groups": counted.groups,
        "features": data.feature_names,
        "events": events,
        "scale": None if data.scale is None else asdict(data.scale),
        "source": _source(name_or_path),
        "licence": entry.licence if entry else None,
    }
    shared = {f"{part} that earlier splits have too": number for part, number in counted.shared.items()}
    lines = {
        "name": data.name,
        "images": _in_parts(counts),
        "pixels": _pixels(data.image_shape),
        "scale": None if data.scale is None else _scale(data.scale),
        "classes": f"{data.n_classes} ({_shortened(data.class_names)})",
        **_class_lines(data.class_names, counted.class_counts),
        "groups": None if counted.groups is None else f"{_in_parts(counted.groups)}, none in two of them",
        "features": ", ".join(data.feature_names) or None,
        "events": None if events is None else _events_in_words(events),
        "values": f"{counted.lowest} to {counted.highest}",
        "mean pixel": None if events else f"{mean:.4f} of full intensity, over training and validation",
        "blank": _in_parts(counted.blank, zeros=False),
        "duplicates": _in_parts({**counted.duplicates, **shared}, zeros=False),
        "checksum": f"{data.checksum} (SHA-256)",
        "source": result["source"],
        "licence": result["licence"] or "yours to know",
    }
    shown = (f"{key:<12}{value}" for key, value in lines.items() if value is not None)
    options.answer(as_json, result, *shown)


@command.command("fetch")
@click.argument("name")
@options.data_dir
@options.as_json
def fetch_command(name: str, data_dir: Path | None, as_json: bool) -> None:
    """Download a data set, unless it is there already, and say where it is.

    With --data-dir, the files go to the folder NAME in there.

    \b
    Example:
      fspinn data fetch mnist
    """
    from fspinn import datasets

    folder = datasets.fetch(name, data_dir)
    about = {"name": name, "embedded": folder is None, "folder": str(folder) if folder else None}
    where = f"in {folder}" if folder else "embedded, nothing to fetch"
    options.answer(as_json, about, f"{name}: {where}")


def _source(name_or_path: str) -> str:
    from fspinn.datasets import catalogue
    from fspinn.datasets.through_tonic import PREFIX

    if name_or_path in catalogue:
        return catalogue[name_or_path].source
    if name_or_path.startswith(PREFIX):
        return f"{name_or_path.removeprefix(PREFIX)}, read by the package tonic"
    return str(Path(name_or_path).expanduser().resolve())


def _pixels(image_shape: tuple[int, ...]) -> str:
    return "x".join(map(str, image_shape))


def _in_parts(counts: Mapping[str, int], *, zeros: bool = True) -> str:
    return ", ".join(f"{count} {part}" for part, count in counts.items() if count or zeros) or "none"


def _scale(scale: "Scale") -> str:
    ranges = (f"{low:g} to {high:g}" for low, high in zip(scale.low, scale.high, strict=True))
    return f"{', '.join(ranges)} became 0 to 255 (the 0.1 and 99.9 percentile of the training signals)"


def _events_in_words(events: Mapping[str, float]) -> str:
    return (
        f"{events['median_per_recording']:,.0f} in a recording (median), the last at "
        f"{events['last_ms']:.1f} ms, {100 * events['on_share']:.0f} % ON; values are events of a pixel"
    )


def _class_lines(names: tuple[str, ...], counts: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """Return how many images each class has, the first classes."""
    return {
        f"  {name}": _in_parts({part: of_part[number] for part, of_part in counts.items()})
        for number, name in enumerate(names[:_MOST_CLASSES])
    }


def _shortened(class_names: tuple[str, ...]) -> str:
    shown = ", ".join(class_names[:_MOST_CLASSES])
    return shown if len(class_names) <= _MOST_CLASSES else f"{shown}, ..."
