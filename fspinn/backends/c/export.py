"""A network in integers as a C program: a folder that builds on its own, and checks itself.

`network.h` and `network.c` (or what `name` says) hold the numbers of the network; the files of `src/` are
the same for every network, and `test/` runs it here and on emulated chips. Layers run one after the other,
each over all its positions and time steps. Between two of them lies a buffer: of the first spike of each
feature, or of a bit per feature and step after a layer without inhibition, whose neurons may spike several
times.
What they compute is what `fspinn.lowering.integers` defines, in every output spike. That includes the input
spikes: the program gets the image, and computes the encoder's probabilities, which are floats in
`fspinn.network.encoder_kernels`, as whole numbers, rounded as IEEE 754 says.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.c.chip import check_room, linked_files
from fspinn.backends.c.events import (
    LAST_TIME,
    Shown,
    in_bytes,
    is_of_events,
    lasts_too_long,
    most_events,
    noise_recordings,
)
from fspinn.backends.c.header import caller_header, program_file, program_numbers
from fspinn.backends.c.layers import input_words, layers_source
from fspinn.backends.c.learning import DeviceLearning, learned_dump, learning_lines, learning_of
from fspinn.backends.c.readout import readout_lines
from fspinn.backends.c.signals import how_scaled, is_whole, scale_lines, sensor_loop
from fspinn.backends.exports import NOISE_IMAGES, HasInputs, filled, in_lines, layer_in_words, noise_for
from fspinn.backends.numba import engine
from fspinn.base.checks import checked_seed, number
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.files import folder_when_whole
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.base.version import __version__
from fspinn.datasets.events import Recordings
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.plan import Plan
from fspinn.memmodel.inputs import is_column
from fspinn.model import readout as readouts
from fspinn.model.features import joined
from fspinn.model.model import AnyModel, Model, check_size, model_of
from fspinn.network.encoders import BatchEncoder
from fspinn.network.recordings import check_encoder

_FIXED = {
    "src": (
        "flash.h",
        "random.h",
        "intensities.h",
        "encoder.h",
        "events.h",
        "column.h",
        "thresholds.h",
        "learn.h",
        "layer.h",
        "entries.h",
        "readout.h",
        "scaled.h",
        "calls.h",
    ),
    "test": (
        "platform.h",
        "test.c",
        "host.c",
        "avr.c",
        "simavr.c",
        "semihosting.c",
        "start_cortex_m.c",
        "start_riscv.c",
        "sections.ld",
        "cortex_m0.ld",
        "cortex_m4.ld",
        "riscv.ld",
    ),
}
"""Files that are the same for every network, by folder."""

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_KEYWORDS = [
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
]
_TAKEN = ("layer", "fspinn")
"""Their constants are called as those of the program are."""


def export_c(
    model: AnyModel,
    folder: Path,
    images: Shown | None = None,
    *,
    features: Any = None,
    reject: float = 0.0,
    seed: int = 0,
    name: str = "network",
    hardware: str | Path | None = None,
    learning: int | None = None,
) -> None:
    """Write a network that computes with integers as a C program.

    Parameters
    ----------
    model : Model
        With a state format, as `fspinn.quantize` gives it; or a result that holds one.
    folder : Path
        Where the files go; it must not exist, or be empty.
    images : ndarray of uint8, shape (n, height, width), or Recordings, optional
        What the program's own test shows, with what the integer engine answers. None takes noise.
    features : array-like of float, shape (n, k), optional
        Of these images, if the model listens to some, as for `fspinn.predict`.
    reject : float, default 0.0
        The program answers -1 where the best class leads the second by less, as for `fspinn.predict`: a
        constant of `network.c`, in steps of the readout.
    seed : int, default 0
        Of the input spikes.
    name : str, default "network"
        Of the two files that are the network's own, and before all names in the header, so that several
        networks live in one firmware.
    hardware : str or Path, optional
        A preset of a microcontroller, or a TOML file (`fspinn.memmodel`): one whose flash or RAM is too small
        is refused, here by what is estimated, and by the linker when the program is built for a chip.
    learning : int, optional
        Let the program learn on from what the model has learned, without labels: the number of samples over
        which the rates of the model's learner go from start to end, where they stay. `seed` is then that of
        learning too.

    Raises
    ------
    FormatError
        If the model does not compute with integers only, or its readout does not.
    ConfigError
        If the name is not one of C, something is in the folder already, it cannot be written, the images do
        not fit the model, the margin is not one, or the hardware is too small.
    DataError
        If the features of the images are missing.
    """
    seed, reject = checked_seed(seed), number("reject", reject, at_least=0.0)
    model = model_of(model)
    learns = None if learning is None else learning_of(model, learning)
    plan, header, source = _generated(model, name, seed, reject, hardware, learns)
    most = None if learns is None else learns.samples
    shown: Shown
    if images is None:
        shown = noise_recordings(model, plan, NOISE_IMAGES) if is_of_events(plan) else noise_for(model)[:most]
    else:
        check_encoder(model.network, images, "images")
        shown = images if isinstance(images, Recordings) else np.asarray(images)
    check_size(model, shown, "images")
    if learns is not None and len(shown) > learns.samples:
        raise ConfigError(
            f"images: {len(shown)} test a program that learns from {learns.samples}; give fewer, or more "
            "samples to learn from"
        )
    values = features_of(model, len(shown), features, noise=images is None)
    classes, spike_counts = _answers(model, plan, shown, values, seed, reject)
    beside = None if values is None or model.features is None else model.features.in_bytes(values)
    with folder_when_whole(folder) as made:
        write_network(made, name, header, source)
        linked = {"README.md": "", "Makefile": ""}
        if hardware is not None:
            linked = linked_files(model, hardware, learning=learns is not None)
        readme = _readme(model, plan, name, len(shown), reject, learns)
        (made / "README.md").write_text(filled(readme, {"chip": linked["README.md"]}), encoding="utf-8")
        samples = samples_file(shown, beside, classes, spike_counts) + _learned(learns, shown, seed)
        write_test(
            made,
            name,
            samples,
            _on_avr(plan, learns),
            most_events=most_events(shown),
            makefile=linked["Makefile"],
        )
        for file in ("chip.c", "chip.ld"):
            if file in linked:
                (made / "test" / file).write_text(linked[file], encoding="utf-8")


def _generated(
    model: Model,
    name: str,
    seed: int,
    reject: float,
    hardware: str | Path | None,
    learns: DeviceLearning | None = None,
) -> tuple[Plan, str, str]:
    """Return the plan of a model, its header and its source, or refuse what cannot be exported."""
    check_name(name)
    plan = plan_of(model)
    if (refusal := refuses(plan)) is not None:
        raise FormatError(refusal)
    if hardware is not None:
        check_room(model, hardware, learning=learns is not None)
    header = caller_header(program_file("network.h"), model, plan, name, learns)
    return plan, header, _source(model, plan, name, seed, reject, learns)


def export_arduino(
    model: AnyModel,
    folder: Path,
    *,
    reject: float = 0.0,
    seed: int = 0,
    name: str = "network",
    hardware: str | Path | None = None,
) -> None:
    """Write a network that computes with integers as a sketch for the Arduino IDE.

    It reads samples from the serial port and answers with their classes. Parameters and errors are those of
    `export_c`; the sketch has the name of the folder.
    """
    seed, reject = checked_seed(seed), number("reject", reject, at_least=0.0)
    plan, header, source = _generated(model_of(model), name, seed, reject, hardware)
    if is_of_events(plan):
        raise FormatError(
            "encoder: a sketch reads images or signals from the serial port, and events come from a camera; "
            "use --target c, and call its functions from your sketch"
        )
    sketch = filled(program_file("arduino/sketch.ino"), {"name": name, "NAME": name.upper()})
    with folder_when_whole(folder) as made:
        write_network(made, name, header, source)
        (made / f"{folder.resolve().name}.ino").write_text(sketch, encoding="utf-8")


def write_network(
    made: Path, name: str, header: str, source: str, files: Sequence[str] = _FIXED["src"]
) -> None:
    """Write the files that a firmware needs."""
    (made / f"{name}.h").write_text(header, encoding="utf-8")
    (made / f"{name}.c").write_text(source, encoding="utf-8")
    _write_fixed(made, "src", files)


def write_test(
    made: Path,
    name: str,
    samples: bytes,
    on_avr: Mapping[str, str],
    *,
    linear: bool = False,
    most_events: int = 0,
    makefile: str = "",
) -> None:
    """Write what tests a program, here and on chips.

    `most_events`: of a recording that it is tested on; `makefile` comes after the rules of all programs.
    """
    rules = filled(program_file("Makefile"), {"name": name, **on_avr})
    (made / "Makefile").write_text(rules + makefile, encoding="utf-8")
    _write_fixed(made, "test", _FIXED["test"])
    values = {
        "name": name,
        "NAME": name.upper(),
        "linear": str(int(linear)),
        "most_events": str(most_events),
    }
    (made / "test" / "tested.h").write_text(filled(program_file("test/tested.h"), values), encoding="utf-8")
    (made / "test" / "samples.bin").write_bytes(samples)


def _write_fixed(made: Path, inner: str, files: Sequence[str]) -> None:
    (made / inner).mkdir()
    for file in files:
        (made / inner / file).write_text(program_file(f"{inner}/{file}"), encoding="utf-8")


def check_name(name: str) -> None:
    """Raise ConfigError unless names of C can begin so."""
    if not _IDENTIFIER.fullmatch(name) or name in _KEYWORDS or name.lower() in _TAKEN:
        raise ConfigError(
            f"name: {name!r} cannot be the name of a network in C; give a letter, then letters, digits and "
            f"_, but not a word that C has, nor {' or '.join(_TAKEN)}"
        )


def refuses(plan: Plan) -> str | None:
    """Return in one line why a plan cannot be written as a C program, or None if it can."""
    if not plan.in_integers:
        return "state: the model computes with floats; quantize first with --state, such as Q9.6"
    if is_of_events(plan) and lasts_too_long(plan):
        return (
            "duration_ms: events have times of 32 bits in the C program, up to "
            f"{LAST_TIME // 1000} ms; export a network that sees less"
        )
    return None


def features_of(model: HasInputs, count: int, given: Any, *, noise: bool) -> NDArray[np.float32] | None:
    """Return the features of so many images, as the model's scale has them where the images are noise."""
    if model.features is None:
        return None
    if not noise:
        return model.features.checked(given, count, "images")
    low, high = np.array(model.features.scale.low), np.array(model.features.scale.high)
    steps = np.linspace(0, 1, count * len(low)).reshape(count, len(low))
    noise_beside: NDArray[np.float32] = (low + (high - low) * steps).astype(np.float32)
    return noise_beside


def _answers(
    model: Model,
    plan: Plan,
    images: Shown,
    features: NDArray[np.float32] | None,
    seed: int,
    reject: float,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the classes and the spike counts that the integer engine answers."""
    spikes = BatchEncoder(plan.encoding).encode(images, seed, INFERENCE_SPIKES)
    spike_counts = engine.respond(plan, spikes).spike_counts
    counts = joined(model.features, spike_counts, features)
    scores = readouts.scores(model.readout, counts)
    return readouts.classes(model.readout, counts, scores, reject), spike_counts


def _source(
    model: Model,
    plan: Plan,
    name: str,
    seed: int,
    reject: float,
    learning: DeviceLearning | None = None,
) -> str:
    """Return what `network.c` holds."""
    column = is_column(model.network)
    encoder = (
        [] if column or is_of_events(plan) else ['#include "src/intensities.h"', '#include "src/encoder.h"']
    )
    lines = [
        f"/* {name}: a network of fspinn {__version__}, its numbers and what computes with them. */",
        f'#include "{name}.h"',
        '#include "src/flash.h"',
        "",
        *program_numbers(model, plan, name, seed),
        "",
        *encoder,
        *([] if learning is None else learning_lines(learning, plan.layers[0], seed)),
        layers_source(
            in_lines(plan, model.image_shape) if column else plan, column=column, learning=learning
        ),
        *([] if learning is None else ['#include "src/learn.h"', ""]),
        "/* ---- Readout ---- */",
        "",
        *readout_lines(model, plan, reject),
        "",
        '#include "src/readout.h"',
        "",
        *scale_lines(model),
        '#include "src/calls.h"',
        "",
    ]
    return "\n".join(lines)


def samples_file(
    images: Shown,
    features: NDArray[np.uint8] | None,
    classes: NDArray[np.int64],
    counts: NDArray[np.signedinteger],
) -> bytes:
    """Return how many samples there are; of each bytes or events, features, counts or scores, and class."""
    count = len(images)
    none = np.zeros((count, 0), np.uint8)
    parts = [
        none if isinstance(images, Recordings) else images.reshape(count, -1),
        none if features is None else features,
        counts.reshape(count, -1).astype("<u4").view(np.uint8).reshape(count, -1),
        classes.reshape(count, 1).astype("<i4").view(np.uint8),
    ]
    head: bytes = np.array([count], "<u4").tobytes()
    rest = np.concatenate(parts, axis=1)
    if not isinstance(images, Recordings):
        return head + bytes(rest.tobytes())
    return head + b"".join(events + row.tobytes() for events, row in zip(in_bytes(images), rest, strict=True))


def _learned(learning: DeviceLearning | None, images: Shown, seed: int) -> bytes:
    """Return how many samples to learn from, these, and what the integer engine has learned then."""
    if learning is None or isinstance(images, Recordings):
        return b""
    dump = learned_dump(learning, images, seed)
    return bytes(np.array([len(images)], "<u4").tobytes() + images.tobytes() + dump)


_LEARNING = """
It learns on without labels, in RAM, as fspinn's integer engine does, bit for bit; the readout stays. A sample
is learned from as a whole. Rates go from start to end, as in training, over @samples@ samples, and then stay:

    @name@_learn_start(&state);                     /* once, before all else */
    @name@_learn(&state, image);                    /* between samples; then answer as before */

`state.learned` is all that was learned, and may be kept in non-volatile memory and copied back (on AVR with
`eeprom_update_block` and `eeprom_read_block`). It is marked: where `state.learned.model` is not
`@NAME@_MODEL` after that, memory is erased or of another model, and `@name@_learn_start` is due. Its
`@NAME@_LEARNED_BYTES` bytes become a model again with `fspinn import dump.bin --like net.h5 -o learned.h5`.
"""


def _readme(
    model: Model, plan: Plan, name: str, images: int, reject: float, learning: DeviceLearning | None
) -> str:
    values = {
        "version": __version__,
        "summary": "; then ".join(layer_in_words(plan, layer) for layer in plan.layers),
        "answer": _answer_in_words(model, plan, name),
        "shown": "recordings" if is_of_events(plan) else "images",
        "steps": _steps_in_words(model, plan, name),
        "images": images,
        "classes": f"Classes, from 0: {', '.join(model.class_names)}.",
        "scale": "" if is_of_events(plan) else how_scaled(model, name),
        "loop": sensor_loop(model, plan, name),
        "features": features_in_words(model, name),
        "none": _none(model, reject),
        "learning": "" if learning is None else _LEARNING.replace("@samples@", str(learning.samples)),
        **_on_avr(plan, learning),
        "name": name,
        "NAME": name.upper(),
    }
    return filled(program_file("README.md"), {key: str(value) for key, value in values.items()})


def _on_avr(plan: Plan, learning: DeviceLearning | None) -> dict[str, str]:
    """Return the tests on AVR: an ATtiny85 has no room for a program that learns, or takes events."""
    if learning is not None or is_of_events(plan):
        return {"avr": "test-atmega328p", "on_avr": "an ATmega328P"}
    return {"avr": "test-atmega328p test-attiny85", "on_avr": "an ATmega328P and an ATtiny85"}


def _answer_in_words(model: Model, plan: Plan, name: str) -> str:
    """Show how a whole sample is answered."""
    beside = "" if model.features is None else ", features"
    if is_of_events(plan):
        return f"{name}_answer(&state, events, count{beside});    /* {name}_recorded events[] */"
    pixels = int(np.prod(model.image_shape))
    return f"{name}_answer(&state, image, 0{beside});    /* {pixels} bytes, row by row, 0 is black */"


def _steps_in_words(model: Model, plan: Plan, name: str) -> str:
    """Say what the constant is that a caller may change."""
    words = input_words(plan, column=is_column(model.network))
    if words == 0:
        return ""
    return (
        f"\n`{name.upper()}_STEPS_AT_ONCE` (a power of two, at most 32): the spikes of so many time steps "
        f"are found\nat once, for {32 * words} bits of RAM each. "
        "With more of them a sample takes less time.\n"
    )


def features_in_words(model: HasInputs, name: str) -> str:
    """Say which features there are, and how their values become bytes."""
    if model.features is None:
        return ""
    names, scale = model.features.names, model.features.scale
    ends = zip(names, scale.low, scale.high, strict=True)
    ranges = "; ".join(f"{name}, from {low:.9g} to {high:.9g}" for name, low, high in ends)
    done = (
        f"`{name}_feature(value, number)` does so with integers."
        if is_whole(scale)
        else "The program does not do so: these are not whole numbers of 32 bits."
    )
    return (
        f" Beside the image there are {len(names)} bytes of features: {ranges}. A value becomes the byte "
        f"255 * (value - low) / (high - low), rounded to nearest, at least 0 and at most 255. {done}"
    )


def _none(model: Model, reject: float) -> str:
    """Return when the program answers with none."""
    causes = ["the best class leads the second by too little"] if reject > 0 else []
    if not readouts.answers_silence(model.readout):
        lowest = "" if model.features is None else " and no feature is above its lowest level"
        causes.append(f"no neuron has spiked{lowest}")
    return f" -1 is none: {', or '.join(causes)}." if causes else ""
