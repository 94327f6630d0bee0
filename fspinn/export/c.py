"""A network in integers as a C program: a folder that builds on its own, and checks itself.

`network.h` holds the numbers of the network; the other files of `program/` are the same for every network.
What they compute is what `fspinn.quant.integers` defines, in every output spike. That includes the input
spikes: the program gets the image, and computes the encoder's probabilities, which are floats in
`fspinn.spike_kernels`, as whole numbers, rounded as IEEE 754 says.
"""

from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fspinn.checks import checked_seed
from fspinn.export.header import network_header
from fspinn.export.numbers import array, type_of
from fspinn.files import folder_when_whole
from fspinn.prediction import Prediction, predict
from fspinn.randomness import NOISE, stream_key, words
from fspinn.trained import AnyModel, Model, model_of
from fspinn.version import __version__

NOISE_IMAGES = 5

_SHARED_FILES = ("network.c", "test.c", "cortex_m4.c", "cortex_m4.ld", "Makefile")


def export_c(
    model: AnyModel, folder: Path, images: NDArray[np.uint8] | None = None, *, seed: int = 0
) -> None:
    """Write a network that computes with integers as a C program.

    Parameters
    ----------
    model : Model
        With a state format, as `fspinn.quant.quantize` gives it; or a result that holds one.
    folder : Path
        Where the files go; it must not exist, or be empty.
    images : ndarray of uint8, shape (n, height, width), optional
        What the program's own test shows, with what the integer engine answers. None takes noise.
    seed : int, default 0
        Of the input spikes.

    Raises
    ------
    FormatError
        If the model does not compute with integers only, or its readout does not.
    ConfigError
        If something is in the folder already, it cannot be written, or the images do not fit the model.
    """
    seed = checked_seed(seed)
    model = model_of(model)
    header = network_header(model, seed)
    shown = _noise(model) if images is None else np.asarray(images)
    answered = predict(model, shown, seed=seed)
    with folder_when_whole(folder) as made:
        (made / "network.h").write_text(header, encoding="utf-8")
        (made / "images.h").write_text(_images_header(shown, answered), encoding="utf-8")
        (made / "README.md").write_text(_readme(model, len(shown)), encoding="utf-8")
        for name in _SHARED_FILES:
            (made / name).write_text(_program_file(name), encoding="utf-8")


def _noise(model: Model) -> NDArray[np.uint8]:
    count = NOISE_IMAGES * len(model.weights)
    noise = words(stream_key(0, NOISE), count) >> np.uint64(56)
    return noise.astype(np.uint8).reshape(NOISE_IMAGES, *model.image_shape)


def _images_header(images: NDArray[np.uint8], answered: Prediction) -> str:
    counts = answered.spike_counts
    return "\n".join(
        [
            "/* A few images, and what the integer engine answers to them. */",
            f"#define IMAGES {len(images)}",
            array("uint8_t", "images", images.reshape(len(images), -1)),
            array("int32_t", "expected_class", answered.classes),
            array(type_of(0, int(counts.max(initial=0))), "expected_counts", counts),
            "",
        ]
    )


def _readme(model: Model, images: int) -> str:
    assert model.formats is not None
    formats, network = model.formats, model.network
    values = {
        "version": __version__,
        "summary": f"{network.neurons} neurons, {model.n_inputs} inputs, {network.steps} time steps; "
        f"weights in {formats.weights}, potentials in {formats.state}, thresholds in {formats.theta}",
        "pixels": len(model.weights),
        "inputs": model.n_inputs,
        "images": images,
        "classes": f"Classes, from 0: {', '.join(model.class_names)}.",
    }
    text = _program_file("README.md")
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def _program_file(name: str) -> str:
    return (resources.files(__package__) / "program" / name).read_text(encoding="utf-8")
