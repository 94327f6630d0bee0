"""The page of the keys of JSON and CSV, from small runs."""

import csv
import importlib
import inspect
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pages import parameters, run, table

DOCUMENTED = {
    "train": ("learning.training",),
    "evaluate": ("answering.evaluate", "memmodel.neurobench", "model.activity"),
    "predict": ("answering.predict",),
    "estimate": ("memmodel.estimates", "memmodel.neurobench"),
    "search": (
        "answering.evaluate",
        "search.worth",
        "search.baselines",
        "search.constraints",
        "search.certificate",
        "search.result",
        "search.candidates",
        "search.costs",
        "search.trial",
    ),
}
"""Modules whose classes say what parameters mean (of equal names the last one); keys have the same names."""


SAME = {"train": "SPLIT", "validation": "SPLIT", "test": "SPLIT", "inference": "PHASE", "training": "PHASE"}
"""Words in whose place the page says once what stands beside all of them."""


EXPLAINED = {
    "network": "[Settings](settings.md) of the network, part by part.",
    "learner": "[Settings](settings.md) of the learner, part by part.",
    "record": "How it was trained: data set with checksum, labels, seed, versions, learning curve.",
    "settings": "[Settings](settings.md) in which it differs from the default.",
    "dataset": "Name, checksum of all samples, seed of the split, and samples in each SPLIT.",
    "learners": "The smallest network of each learner, with the keys of the answer.",
    "best": "The most accurate one of those, with the same keys.",
    "groups": "How many of them are too poor, undecided, or not the answer for another reason.",
    "rival": "The classifier without spikes that it is compared with, its memory by component.",
    "confusion_matrix": "Samples of each class (rows) that are answered with each (columns).",
    "activity": "Counts, sums over the samples: see `fspinn.Activity` in [Python](../python.md#models).",
    "memory_bits": "Bits by component, packed.",
    "stored_bits": "Bits of the memory words into which they are packed.",
    "physical_bits": "Bits of the memory macros that are built.",
    "energy_pj": "Energy of a sample by component.",
    "latency_cycles": "Clock cycles of a sample by component.",
    "latency_intercept_cycles": "Cycles without a spike.",
    "latency_spike_cycles": "Cycles that follow from spikes.",
    "device_learns": "Whether the device (or the program that is exported for it) can learn so.",
    "interval_cycles": "Cycles between two samples, if layers are a pipeline.",
    "memory_band_bits": "Range in which the truth is expected.",
    "energy_band_pj": "Range in which the truth is expected; null where none is known.",
    "latency_band_cycles": "Range in which the truth is expected; null where none is known.",
    "capacity": "What it takes of each memory, and what there is.",
    "fits": "Whether that is enough; null where nothing limits it.",
    "passes": "What each pass of quantizing changed, what it saved and what it cost.",
    "accuracies": "Accuracy by seed.",
    "constraints": "What was asked for: bits, picojoules, seconds, square micrometres or counts.",
    "next_smaller": "The next cheaper ones, and how far each falls short of the target.",
    "formats": "Number formats, `float32` where nothing was quantized.",
}
"""Tables that are explained as a whole, by their name."""


WORDS = {
    "model": "File of the model.",
    "accuracy": "Part of the samples that are answered right.",
    "accuracy_of": "The split that it is the accuracy on.",
    "seed": "Of all random numbers.",
    "readout": "How spikes become a class.",
    "labels": "Labelled training samples that the readout was fitted on.",
    "class_weight": "`balanced`, or null.",
    "engine": "What ran the network.",
    "hardware": "Preset or file.",
    "confidence": "Of a search: one-sided, of the target. Of an estimate: how far to trust the hardware.",
    "remembered": "Numbers of the hardware whose source could not be read.",
    "ending": "How the search ended.",
    "outcome": "What became of it.",
    "report": "The page about the search.",
    "output": "Folder that was written.",
    "minimize": "What should be little, the first one decides.",
    "strategy": "In which order networks are tried.",
    "short_points": "Percentage points below the target.",
    "chance": "How likely so few right answers are of a network that truly reaches the target.",
    "saturations": "Potentials that left their format; null in floats.",
    "images_per_s": "Samples a second.",
    "images_per_j": "Samples a joule.",
    "power_uw": "Mean power.",
    "accuracy_low": "Lower end of the 95 % interval.",
    "accuracy_high": "Upper end of it.",
    "lead": "Score of the best class less that of the next.",
    "class": "Number of the class; -1 is none.",
    "spike_counts": "Output spikes by feature, those that are not 0.",
    "presentations": "Samples that were shown while learning.",
    "image_shape": "Height and width of a sample, and channels if there are several.",
    "class_names": "Names of the classes, in the order of their numbers.",
    "class_counts": "Samples of each class.",
    "checksum": "SHA-256 of all samples.",
    "mean_intensity": "Of 1, over training and validation.",
    "range": "Least and greatest value.",
    "blank": "Samples that are black all over.",
    "duplicates": "Samples that are there more than once.",
    "shared": "Samples that are in another split too.",
    "images": "Number of samples.",
    "groups": "Number of groups, such as patients.",
    "licence": "Of the data.",
    "neurons": "Of the first layer.",
    "inputs": "Inputs of a neuron.",
    "features": "Numbers that the layer answers with, or names of features beside the samples.",
    "quantization": "Formats in which weights were learned.",
    "validation_samples": "Validation samples that were measured.",
    "theta": "Format of what adaptation has added to thresholds.",
    "membrane_updates": "Updates of a potential.",
    "recall": "Part of the samples of the class that are answered with it.",
    "precision": "Part of the answers with the class that are right.",
    "f1": "Harmonic mean of recall and precision.",
    "answered": "Samples that were answered with the class.",
    "split": "What was measured: `validation` or `test`.",
    "saturated_share": "Part of the weights that became the end of the format.",
    "zeroed_share": "Part of the weights that became 0.",
    "readout_fitted": "Whether the readout was fitted again, with its rounding.",
    "before": "Before it was quantized.",
    "after": "Quantized.",
    "trials": "What `--auto` tried; in `fspinn search --json` the file with all candidates.",
    "class_name": "Name of the class.",
    "label": "Class that the file says, if it does.",
    "index": "Number in the file.",
    "image": "File.",
    "output_spikes": "Output spikes of a sample.",
    "latency_s": "Time of a sample.",
    "target": "What was written.",
    "spiking": "Whether a spiking network is worth it here.",
}
"""What keys mean that no class explains."""


SPACE = """
neurons = [4]
field = 3
cells = 2
weights = ["UQ0.2", "UQ0.3"]
state = "10 bits"
readout = "linear"
"""


OUTPUTS: tuple[tuple[str, ...], ...] = (
    ("data", "info", "digits"),
    ("train", "--neurons", "4", "--field", "3", "--cells", "2", "-o", "net.h5"),
    ("info", "net.h5"),
    ("evaluate", "net.h5"),
    ("quantize", "net.h5", "--weights", "UQ0.3", "--state", "10 bits", "-o", "small.h5"),
    ("predict", "small.h5", "digit.png"),
    ("estimate", "small.h5", "--hardware", "mcu-avr"),
    ("export", "small.h5", "--target", "c", "-o", "out"),
    ("search", "--space", "space.toml", "--accuracy", "0.5", "--seeds", "1", "-o", "result"),
)
"""Commands that are run to see which keys they answer with."""


def outputs() -> Iterator[str]:
    """Keys of JSON and columns of CSV, as small runs on the digits print them."""
    from PIL import Image

    import fspinn

    yield "# Keys of JSON and CSV\n"
    yield "What commands print with `--json`, and what they write, seen in small runs on the digits when"
    yield "this page was made. Keys are stable. `[]` stands for each element of a list, `*` for each number"
    yield "that is a key, `SPLIT` for `train`, `validation` and `test`, `PHASE` for `inference` and"
    yield "`training`. The last column is an example, or the names in a table.\n"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "space.toml").write_text(SPACE)
        Image.fromarray(fspinn.datasets.load("digits").test.images[0]).save(Path(folder, "digit.png"))
        for command in OUTPUTS:
            answer = json.loads(run((*command, "--json"), folder))
            yield f"## fspinn {command[0]}{' info' if command[0] == 'data' else ''} --json\n"
            yield from table(("key", "what it is", "example"), _rows_of(answer, _known(command[0])))
        yield "## candidates.csv\n"
        yield "What `fspinn search` writes of every network that it considered, a line each.\n"
        head, first = Path(folder, "result", "candidates.csv").read_text().splitlines()[:2]
        (values,) = csv.reader([first])
        columns = [
            (f"`{name}`", (_known("search") | WORDS).get(name, ""), f"`{value[:40]}`" if value else "")
            for name, value in zip(head.split(","), values, strict=True)
        ]
        yield from table(("column", "what it is", "example"), columns)


def _rows_of(answer: Any, known: dict[str, str]) -> list[tuple[str, ...]]:
    """Return what is said of each key: of a table that is explained as a whole in one row, with its names."""
    rows: dict[str, tuple[str, str, set[str]]] = {}
    for path, value in _keys(answer):
        words = path.split(".")
        names = [word.removesuffix("[]") for word in words]
        whole = next((at for at, name in enumerate(names[:-1]) if name in EXPLAINED), None)
        if whole is None:
            last = names[-1] if names[-1] not in SAME.values() or len(names) == 1 else names[-2]
            said = WORDS.get(last) or known.get(last) or EXPLAINED.get(last, "")
            rows.setdefault(path, (said, value, set()))
        else:
            _, _, inner = rows.setdefault(".".join(words[: whole + 1]), (EXPLAINED[names[whole]], "", set()))
            inner.update(name for name in names[-1:] if name not in (*SAME.values(), "*"))
    return [
        (
            f"`{key}`",
            said,
            ", ".join(f"`{name}`" for name in sorted(inner))
            if 1 < len(inner) < 20
            else f"`{value}`"
            if value
            else "",
        )
        for key, (said, value, inner) in rows.items()
    ]


def _keys(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        numbered = all(re.fullmatch(r"\d+|\d+,\d+", str(key)) for key in value)
        for key, inner in value.items():
            name = "*" if numbered else SAME.get(key, key) if len(value) < 4 else key
            yield from _keys(inner, f"{prefix}.{name}".lstrip("."))
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        yield from _keys(value[0], f"{prefix}[]")
    else:
        text = json.dumps(value)
        yield prefix, text if len(text) <= 40 else text[:37] + "..."


def _known(command: str) -> dict[str, str]:
    """Return what the classes behind a command say of their parameters, by name."""
    found: dict[str, str] = {}
    for module in DOCUMENTED.get(command, ()):
        found |= _documented(f"fspinn.{module}")
    return found


def _documented(module: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in vars(importlib.import_module(module)).values():
        if inspect.isclass(one) and one.__module__ == module:
            found |= parameters(one)
            for name, member in vars(one).items():
                if isinstance(member, property) and member.__doc__:
                    found.setdefault(name, member.__doc__.splitlines()[0])
    return found
