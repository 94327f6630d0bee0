"""A column in integers as a core in Verilog: a folder that simulates and synthesizes on its own.

`network.v` (or what `name` says) holds the numbers of the network, two files of hexadecimal numbers its
memories; the files of `src/` are the same for every network. `test/` compares the core with the integer
engine in Verilator, in every output spike, and has the pins for place-and-route.
What it computes is what `fspinn.lowering.integers` defines.
"""

import re
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.exports import filled, layer_in_words, noise_for
from fspinn.backends.numba import engine
from fspinn.backends.protocol import Response
from fspinn.backends.verilog.numbers import (
    column_parameters,
    readout_parameters,
    table_words,
    weight_words,
)
from fspinn.base.checks import checked_seed, number
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.files import folder_when_whole
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.base.version import __version__
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.plan import Plan
from fspinn.memmodel.area import capacity
from fspinn.memmodel.case import Case
from fspinn.memmodel.hardware_files import load_hardware
from fspinn.memmodel.inputs import is_column
from fspinn.memmodel.size import Size
from fspinn.model import readout as readouts
from fspinn.model.model import AnyModel, Model, check_size, model_of
from fspinn.network.encoders import BatchEncoder
from fspinn.network.inhibition import First
from fspinn.network.inputs import Events

_FIXED = (
    "src/fspinn_column.v",
    "src/fspinn_lowest.v",
    "src/fspinn_neuron.v",
    "src/fspinn_readout.v",
    "src/fspinn_window.v",
    "test/test.cpp",
)
"""Files that are the same for every network."""

_FILLED = ("Makefile", "README.md", "test/chip.v", "test/tested.h")
"""Files that hold some of its names and numbers."""

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_TAKEN = ("chip", "clk", "column", "reset")


def export_verilog(
    model: AnyModel,
    folder: Path,
    images: NDArray[np.uint8] | None = None,
    *,
    reject: float = 0.0,
    seed: int = 0,
    name: str = "network",
    hardware: str | Path | None = None,
) -> None:
    """Write a column that computes with integers as a core in Verilog.

    Parameters
    ----------
    model : Model
        Of one layer without leak, whose first output spike ends a position, on pixels that spike once (what
        `Network.patches` makes), with a state format, as `fspinn.quantize` gives it; or a result that holds
        one.
    folder : Path
        Where the files go; it must not exist, or be empty.
    images : ndarray of uint8, shape (n, height, width), optional
        What the testbench shows, with what the integer engine answers. None takes noise.
    reject : float, default 0.0
        The core gives no answer where the best class leads the second by less, as for `fspinn.predict`.
    seed : int, default 0
        Of the engine that answers; pixels that spike once need none.
    name : str, default "network"
        Of the core's module and of the files that are its own.
    hardware : str or Path, optional
        An FPGA that has to hold it: name of a preset, such as ``"fpga-ice40up5k"``, or a TOML file.

    Raises
    ------
    FormatError
        If the model is not such a column, or does not compute with integers only.
    ConfigError
        If the name is not one of Verilog, something is in the folder already, it cannot be written, the
        images do not fit the model, the margin is not one, or the hardware is too small.
    """
    seed, reject = checked_seed(seed), number("reject", reject, at_least=0.0)
    check_name(name)
    model = model_of(model)
    plan = plan_of(model)
    if (refusal := refuses(plan) or _beside_the_plan(model)) is not None:
        raise FormatError(refusal)
    if hardware is not None:
        check_room(model, hardware)
    shown = noise_for(model) if images is None else np.asarray(images)
    check_size(model, shown, "images")
    parameters = column_parameters(plan, model.image_shape) | readout_parameters(model, plan, reject)
    values = _values(parameters, name) | _in_words(model, plan, len(shown))
    samples = _samples(model, plan, shown, seed, reject)
    with folder_when_whole(folder) as made:
        for inner in ("src", "test"):
            (made / inner).mkdir()
        for file in _FIXED:
            (made / file).write_text(_program_file(file), encoding="utf-8")
        for file in _FILLED:
            (made / file).write_text(filled(_program_file(file), values), encoding="utf-8")
        core = filled(_program_file("network.v"), values)
        (made / f"{name}.v").write_text(core, encoding="utf-8")
        (made / f"{name}_weights.hex").write_text(weight_words(plan.layers[0]), encoding="utf-8")
        (made / f"{name}_table.hex").write_text(table_words(model.readout), encoding="utf-8")
        (made / "test" / "samples.bin").write_bytes(samples)


def check_name(name: str) -> None:
    """Raise ConfigError unless a module of Verilog can have the name."""
    if not _IDENTIFIER.fullmatch(name) or name in (*_keywords(), *_TAKEN) or name.startswith("fspinn"):
        raise ConfigError(
            f"name: {name!r} cannot be the name of a module in Verilog; give a letter, then letters, digits "
            f"and _, but not a word that Verilog has, nor fspinn or {' or '.join(_TAKEN)}"
        )


def check_room(model: Model, hardware: str | Path) -> None:
    """Raise ConfigError unless the core fits the logic cells and the RAM blocks of an FPGA."""
    described = load_hardware(hardware)
    if described.column is None:
        raise ConfigError(
            f"hardware: {described.meta.name} is not an FPGA for which cores are known; use one such as "
            "fpga-ice40up5k"
        )
    needs = capacity(Case(Size.of(model), (), described, training=False))
    lacking = [
        f"{need.needed:,} {what.replace('_', ' ').replace('ram', 'RAM')}, and there are {need.available:,}"
        for what, need in needs.items()
        if not need.fits
    ]
    if lacking:
        raise ConfigError(
            f"hardware: {described.meta.name} is too small; it takes {'; '.join(lacking)}. Use another "
            "one, or a smaller network"
        )


def refuses(plan: Plan) -> str | None:
    """Return in one line why a plan cannot be written in Verilog, or None if it can."""
    if not plan.in_integers:
        return "state: the model computes with floats; quantize first with --state, such as Q9.6"
    layer = plan.layers[0]
    if len(plan.layers) > 1:
        return "layers: the core in Verilog is one column; export a network of one layer"
    if layer.geometry is None or layer.inhibition != First.kind or layer.leak != 0:
        return (
            "layers: the core in Verilog is a column without leak, with a field and inhibition first; export "
            "one, such as preset patches"
        )
    if plan.encoding.encoder == Events.kind:
        return "encoder: the core in Verilog takes pixels, not events; export a network of images"
    if plan.encoding.pool > 1:
        return "pool: means of blocks are not taken by the core in Verilog yet; export a network without"
    return None


def _beside_the_plan(model: Model) -> str | None:
    """Return why a model cannot be written whose plan can, or None."""
    if not is_column(model.network):
        return (
            "encoder: the core in Verilog takes pixels that spike once, compared with white, without "
            "contrast; export a network of such, as preset patches has"
        )
    if model.features is not None:
        return "features: the core in Verilog takes pixels only; export a network without features"
    return None


def _values(parameters: dict[str, int | str], name: str) -> dict[str, str]:
    """Return what stands for the names between @ in the files of a core."""
    width = {
        "POSITION_BITS": int(parameters["ROWS"]) * int(parameters["COLUMNS"]) - 1,
        "NEURON_BITS": int(parameters["NEURONS"]) - 1,
        "TIME_BITS": int(parameters["STEPS"]) + 1,
        "CLASS_BITS": int(parameters["CLASSES"]) - 1,
    }
    widths: dict[str, int | str] = {port: max(highest.bit_length(), 1) for port, highest in width.items()}
    given = [f"        .{key}({value})," for key, value in {**parameters, **widths}.items()]
    return {
        "version": __version__,
        "name": name,
        "parameters": "\n".join(given),
        **{key: str(value) for key, value in {**parameters, **widths}.items()},
        "PIXELS": str(int(parameters["LINES"]) * int(parameters["LINE"])),
    }


def _in_words(model: Model, plan: Plan, images: int) -> dict[str, str]:
    """Return what the README of a core says beside its numbers."""
    return {
        "summary": f"{layer_in_words(plan, plan.layers[0])}.",
        "classes": ", ".join(model.class_names),
        "images": str(images),
    }


def _samples(model: Model, plan: Plan, images: NDArray[np.uint8], seed: int, reject: float) -> bytes:
    """Return how many samples there are; of each pixels, output spikes and class by the integer engine."""
    response = engine.respond(plan, BatchEncoder(plan.encoding).encode(images, seed, INFERENCE_SPIKES))
    counts = response.spike_counts
    classes = readouts.classes(model.readout, counts, readouts.scores(model.readout, counts), reject)
    parts = [np.array([len(images)], "<u4").tobytes()]
    for image, spikes, answer in zip(images, _spikes(response), classes, strict=True):
        parts += [image.tobytes(), np.array([len(spikes)], "<u4").tobytes(), spikes.tobytes()]
        parts.append(np.array([answer], "<i4").tobytes())
    return b"".join(parts)


def _spikes(response: Response) -> list[NDArray[np.uint32]]:
    """Return position, neuron and time step of the output spikes of each sample, by position."""
    columns = (response.spike_positions, response.spike_neurons, response.spike_steps)
    spikes = np.stack(columns, axis=1).astype("<u4")
    ends = np.cumsum(response.spike_counts.sum(axis=1))
    return [one[np.argsort(one[:, 0], kind="stable")] for one in np.split(spikes, ends[:-1])]


def _keywords() -> list[str]:
    """Return the words of Verilog and SystemVerilog; tools take the one for the other."""
    return (resources.files(__package__) / "keywords.txt").read_text(encoding="utf-8").split()


def _program_file(name: str) -> str:
    return (resources.files(__package__) / "program" / name).read_text(encoding="utf-8")
