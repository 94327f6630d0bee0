"""Which images is a model shown: those of files, of its own data set, or of another one?"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from fspinn.base.errors import ConfigError
from fspinn.cli import options, reading

if TYPE_CHECKING:
    from fspinn import Model
    from fspinn.datasets import Dataset, Reading, Source, Split
    from fspinn.model.linear import LinearClassifier

Answer = TypeVar("Answer")


def measured(split: str) -> Callable[[options.Command], options.Command]:
    """Return the options of commands that show a model the images of a data set: by default this split."""
    return options.all_of(
        click.option("--dataset", help="Use this one [default: what the model was trained on, same split]."),
        options.data_dir,
        reading.options(),
        click.option(
            "--split",
            type=click.Choice(["test", "validation"]),
            default=split,
            show_default=True,
            help="Which images of the data set.",
        ),
    )


class Shown(NamedTuple):
    """What `measured` and `work` say about the images that a model is shown."""

    dataset: str | None = None
    data_dir: Path | None = None
    split: str = "test"
    samples: int | None = None
    seed: int = 0
    threads: int | None = None


def gathered(command: Callable[..., Answer]) -> Callable[..., Answer]:
    """Call a command with `shown` instead of the options that are its fields."""

    @wraps(command)
    def gather(**given: Any) -> Answer:
        fields = {name: given.pop(name) for name in Shown._fields if name in given}
        return command(shown=Shown(**fields), **given)

    return gather


def data_for(model: "Model | LinearClassifier", dataset: str | None, data_dir: Path | None) -> "Dataset":
    """Return a data set, or that which a model was trained on, with the classes numbered as in the model."""
    from fspinn.answering.evaluate import load_data_of
    from fspinn.datasets import load
    from fspinn.model.linear import LinearClassifier
    from fspinn.model.model import check_size

    how = reading.asked()
    if dataset is not None:
        how = _as_trained(model, how, Path(dataset))
        data = load(dataset, data_dir=data_dir, reading=how, scale=model.scale)
    elif how.asked:
        name = next(iter(how.asked))
        raise ConfigError(
            f"--{name}: the images that the model was trained on are read as they were for training; leave "
            "it out, or name a --dataset"
        )
    else:
        data = load_data_of(model, data_dir)
    if isinstance(model, LinearClassifier):
        model.check(data.train.images, data.name)
    else:
        check_size(model, data.train.images, data.name)
    if model.features is not None:
        model.features.values_of(data.train, data.name)
    return data.in_classes(model.class_names)


def _as_trained(model: "Model | LinearClassifier", how: "Reading", path: Path) -> "Reading":
    """Return how to read a file so that its columns are those that a model was trained on."""
    from fspinn.datasets.own import is_table

    needed = () if model.features is None else model.features.names
    if how.features is not None:
        if not needed and how.features:
            raise ConfigError("--features: the readout of this model listens to none; leave the option out")
        for name in needed:
            if name not in how.features:
                raise ConfigError(
                    f"--features: the readout of this model listens to {name!r}; leave the option out, or "
                    "train without that feature"
                )
    trained_on = (model.record.get("dataset") or {}).get("reading", {})
    if "columns" in trained_on:
        how = replace(how, columns=trained_on["columns"], label=how.label or trained_on.get("label"))
    return replace(how, features=needed) if needed and is_table(path) else how


def split_of(model: "Model | LinearClassifier", shown: Shown) -> "tuple[str, Split]":
    """Return the name of the data set and the images that were asked for."""
    data = data_for(model, shown.dataset, shown.data_dir)
    images = data.test if shown.split == "test" else data.validation
    if len(images) == 0:
        raise ConfigError(
            f"--split: {data.name} has no {shown.split} images; hold some out or choose another"
        )
    return data.name, images if shown.samples is None else images.first(shown.samples)


def sources_of(model: "Model", paths: Sequence[Path], shown: Shown) -> "list[Source]":
    """Return the images of files, or without files those of a data set, if they fit the model."""
    from fspinn.datasets import Source, read_images
    from fspinn.model.model import check_size

    if paths and shown.dataset is not None:
        raise ConfigError("--dataset: files of images are given already; leave one of the two out")
    if paths:
        sources = []
        for path in paths:
            sources += read_images(path, _as_trained(model, reading.asked(), path), model.scale)
    else:
        name, images = split_of(model, shown)
        sources = [
            Source(
                f"{name} {shown.split}",
                images.images,
                images.labels,
                features=images.features,
                feature_names=images.feature_names,
            )
        ]
    for source in sources:
        check_size(model, source.images, source.name)
        if model.features is not None:
            model.features.values_of(source, source.name)
    return sources
