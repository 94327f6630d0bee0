"""A linear classifier as a C program, with the calls of a spiking network.

Each byte of a sample adds its row of the table, so none is kept. It computes what
`fspinn.model.linear.LinearTable` does, score for score.
"""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.c.export import (
    check_name,
    features_in_words,
    features_of,
    noise_for,
    samples_file,
    write_network,
    write_test,
)
from fspinn.backends.c.header import calls, filled, program_file
from fspinn.backends.c.numbers import array, defines, type_of
from fspinn.backends.c.readout import MOST_STEPS, TABLE, bits_in_a_row, entry_lines
from fspinn.backends.c.signals import how_scaled, is_whole, scale_lines
from fspinn.base.checks import number
from fspinn.base.files import folder_when_whole
from fspinn.base.version import __version__
from fspinn.model.linear import WHITE, LinearClassifier, LinearTable
from fspinn.model.model import bias_bits

_SOURCES = ("flash.h", "entries.h", "linear.h", "readout.h", "scaled.h")

_MOST_ON_ATTINY = 6000
"""Bytes of a table beside which its 8 KiB of flash hold the program and its test too."""


def export_classifier(
    classifier: LinearClassifier,
    folder: Path,
    images: NDArray[np.uint8] | None = None,
    *,
    features: Any = None,
    reject: float = 0.0,
    name: str = "network",
) -> None:
    """Write a linear classifier as a C program.

    Parameters
    ----------
    classifier : LinearClassifier
        Such as a search writes to ``linear.h5``.
    folder : Path
        Where the files go; it must not exist, or be empty.
    images : ndarray of uint8, shape (n, height, width), optional
        What the program's own test shows. None takes noise.
    features : array-like of float, shape (n, k), optional
        Of these images, if the classifier was fitted with some.
    reject : float, default 0.0
        The program answers -1 where the best class leads the second by less, as for
        `fspinn.model.linear.LinearClassifier.predict`.
    name : str, default "network"
        Of the two files that are the classifier's own, and before all names in the header.

    Raises
    ------
    ConfigError
        If the name is not one of C, something is in the folder already, it cannot be written, the images do
        not fit, or the margin is not one.
    DataError
        If the features of the images are missing.
    """
    reject = number("reject", reject, at_least=0.0)
    header, source = _generated(classifier, name, reject)
    shown = noise_for(classifier) if images is None else np.asarray(images)
    values = features_of(classifier, len(shown), features, noise=images is None)
    classes = classifier.predict(shown, values, reject=reject)
    # The scores that a caller sees are those of the sample; features are added with the answer.
    pixels = prod(classifier.image_shape)
    table = classifier.table
    scores = table.scores(np.pad(shown.reshape(len(shown), -1), ((0, 0), (0, len(table.weights) - pixels))))
    beside = None if values is None or classifier.features is None else classifier.features.in_bytes(values)
    small = len(bits_in_a_row(_rows(table), table.bits)) <= _MOST_ON_ATTINY
    on_avr = {"avr": "test-atmega328p", "on_avr": "an ATmega328P"}
    if small:
        on_avr = {"avr": "test-atmega328p test-attiny85", "on_avr": "an ATmega328P and an ATtiny85"}
    with folder_when_whole(folder) as made:
        write_network(made, name, header, source, _SOURCES)
        (made / "README.md").write_text(_readme(classifier, name, len(shown), reject, on_avr), "utf-8")
        write_test(made, name, samples_file(shown, beside, classes, scores), on_avr, linear=True)


def export_classifier_arduino(
    classifier: LinearClassifier, folder: Path, *, reject: float = 0.0, name: str = "network"
) -> None:
    """Write a linear classifier as a sketch for the Arduino IDE, with parameters as `export_classifier`."""
    header, source = _generated(classifier, name, number("reject", reject, at_least=0.0))
    sketch = filled(program_file("arduino/sketch.ino"), {"name": name, "NAME": name.upper()})
    with folder_when_whole(folder) as made:
        write_network(made, name, header, source, _SOURCES)
        (made / f"{folder.resolve().name}.ino").write_text(sketch, encoding="utf-8")


def _generated(classifier: LinearClassifier, name: str, reject: float) -> tuple[str, str]:
    """Return the header and the source of a classifier."""
    check_name(name)
    public, table = _public(classifier), classifier.table
    values = {
        "defines": "\n".join(defines(public, name.upper())),
        "score": _score(classifier),
        "buffer": type_of(0, 2 ** (table.bits + 7) - 1),
        "calls": "\n".join(calls(name, public)),
        "version": __version__,
        "name": name,
        "NAME": name.upper(),
    }
    return filled(program_file("classifier.h"), values), _source(classifier, name, reject, public)


def _public(classifier: LinearClassifier) -> dict[str, int]:
    shape, features = classifier.image_shape, classifier.features
    return {
        "PIXELS": prod(shape),
        "SAMPLE_HEIGHT": shape[0],
        "SAMPLE_WIDTH": shape[1],
        "SAMPLE_CHANNELS": prod(shape[2:]),
        "CLASSES": len(classifier.class_names),
        "ROWS": int(shape[0] > 1),
        "PUSH": int(shape[0] == 1),
        "EXTRA_FEATURES": 0 if features is None else len(features.names),
        "SCALED": int(classifier.scale is not None and is_whole(classifier.scale)),
        "FEATURES_SCALED": int(features is not None and is_whole(features.scale)),
        "LEARNS": 0,
    }


def _score(classifier: LinearClassifier) -> str:
    """Return the type of scores, leads included."""
    table = classifier.table
    sums = WHITE * np.abs(table.weights).sum(axis=0) + np.abs(table.biases) * table.bias_step
    highest = 2 * int(sums.max())
    return type_of(-max(highest, 2**15) - 1, max(highest, 2**15))


def _rows(table: LinearTable) -> NDArray[np.int64]:
    """Return the rows that a device keeps."""
    return table.weights[table.kept] if table.drops else table.weights


def _source(classifier: LinearClassifier, name: str, reject: float, public: dict[str, int]) -> str:
    """Return what `network.c` holds."""
    table = classifier.table
    lines = public["SAMPLE_HEIGHT"] if public["ROWS"] else public["SAMPLE_WIDTH"]
    prefix, bias_type = name.upper(), f"int{bias_bits(table.bits)}_t"
    margin = min(classifier.margin(reject), MOST_STEPS) if public["CLASSES"] > 1 else 0
    passed = ("CLASSES", "PUSH", "SCALED", "EXTRA_FEATURES", "FEATURES_SCALED", "SAMPLE_CHANNELS")
    numbers = {
        "LINEAR": 1,
        "LABELS": 1,
        "READOUT": TABLE,
        "READOUT_SIGNED": 1,
        "ANSWERS_SILENCE": 1,
        "REJECT": margin,
        "LINES": lines,
        "LINE": public["PIXELS"] // lines,
        "DROPS": int(table.drops),
        "BIAS_STEP": table.bias_step,
    }
    kept = bits_in_a_row(table.kept, 1)
    parts = [
        f"/* {name}: a linear classifier of fspinn {__version__}, its numbers and its program. */",
        f'#include "{name}.h"',
        '#include "src/flash.h"',
        "",
        f"#define FSPINN_STATE {name}_state",
        f"#define FSPINN_CALL(name) {name}_##name",
        "#define NOBODY (-1)",
        *(f"#define FSPINN_{one} {prefix}_{one}" for one in passed),
        *defines(numbers),
        f"#define FSPINN_BIAS {bias_type}",
        *entry_lines(_score(classifier), table.bits),
        array("uint8_t", "table", bits_in_a_row(_rows(table), table.bits)),
        array(bias_type, "bias", table.biases),
        *([array("uint8_t", "kept", kept)] if table.drops else []),
        "",
        '#include "src/linear.h"',
        '#include "src/readout.h"',
        "",
        *scale_lines(classifier),
        '#include "src/scaled.h"',
        "",
    ]
    return "\n".join(parts)


def _readme(
    classifier: LinearClassifier, name: str, images: int, reject: float, on_avr: dict[str, str]
) -> str:
    rows, table = classifier.image_shape[0] > 1, classifier.table
    kept = int(table.kept.sum()) if table.drops else len(table.weights)
    values = {
        "version": __version__,
        "summary": f"{kept} of {len(table.weights)} inputs have weights of {table.bits} bits for "
        f"{len(classifier.class_names)} classes; a score of one more changes the logarithm of the odds by "
        f"{table.step:.3g}",
        "pixels": prod(classifier.image_shape),
        "images": images,
        "classes": f"Classes, from 0: {', '.join(classifier.class_names)}.",
        "none": " -1 is none: the best class leads the second by too little." if reject > 0 else "",
        "scale": how_scaled(classifier, name),
        "features": features_in_words(classifier, name),
        "beside": "" if classifier.features is None else ", features",
        "lines": "Rows of the image" if rows else "Values of the signal",
        "call": "row" if rows else "push",
        **on_avr,
        "name": name,
    }
    return filled(program_file("classifier.md"), {key: str(value) for key, value in values.items()})
