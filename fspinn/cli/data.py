"""fspinn data: which images are there?"""

from pathlib import Path
from typing import Any

import click

from fspinn.cli import options


@click.group("data")
def command() -> None:
    """List, describe and download data sets.

    \b
    Wherever fspinn asks for a data set, give one of the names that
    `fspinn data list` shows, or the path of your own images:

    \b
      photos.npz             arrays `images` (uint8, n x height x width) and
                             `labels` (numbers or names); `test_images` and
                             `test_labels` if you have a test set
      my-images-idx3-ubyte   an IDX file, plain or .gz; its labels lie beside
                             it as my-labels-idx1-ubyte
      folder/                train-images-idx3-ubyte, train-labels-idx1-ubyte,
                             and t10k-... for test, plain or .gz; plain
                             ones may be larger than the memory
      folder/                one folder of PNGs per class: folder/cat/1.png;
                             folder/train/cat/ and folder/test/cat/ if you
                             have a test set

    \b
    Without a test set of their own, a fifth of the images is held out for
    test, always the same ones.

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
@options.as_json
def info_command(name_or_path: str, data_dir: Path | None, as_json: bool) -> None:
    """Describe one data set: a name, or the path of your own images.

    A data set that is known by name and not there yet is downloaded first.

    \b
    Example:
      fspinn data info digits
      fspinn data info ./photos.npz --json
    """
    from fspinn import datasets

    data = datasets.load(name_or_path, data_dir=data_dir)
    entry = datasets.catalogue.get(name_or_path)
    counts = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    images = (data.train.images, data.validation.images)
    pixel_sum = sum(int(some.sum()) for part in images for some in datasets.in_pieces(part))
    mean = pixel_sum / (255 * sum(part.size for part in images))
    result: dict[str, Any] = {
        "name": data.name,
        "image_shape": data.image_shape,
        "images": counts,
        "classes": data.n_classes,
        "class_names": data.class_names,
        "checksum": data.checksum,
        "mean_intensity": mean,
        "source": entry.source if entry else str(Path(name_or_path).expanduser().resolve()),
        "licence": entry.licence if entry else None,
    }
    lines = {
        "name": data.name,
        "images": ", ".join(f"{count} {split}" for split, count in counts.items()),
        "pixels": _pixels(data.image_shape),
        "classes": f"{data.n_classes} ({_shortened(data.class_names)})",
        "mean pixel": f"{mean:.4f} of full intensity, over training and validation images",
        "checksum": f"{data.checksum} (SHA-256)",
        "source": result["source"],
        "licence": result["licence"] or "yours to know",
    }
    options.answer(as_json, result, *(f"{key:<12}{value}" for key, value in lines.items()))


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


def _pixels(image_shape: tuple[int, int]) -> str:
    return "x".join(map(str, image_shape))


def _shortened(class_names: tuple[str, ...]) -> str:
    shown = ", ".join(class_names[:20])
    return shown if len(class_names) <= 20 else f"{shown}, ..."
