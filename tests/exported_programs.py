"""Models to export, and exported programs at work, for the tests of `fspinn.backends.c`."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from described import Flat, model_from, tensors_of
from device import memory_of

from fspinn.lowering.post_training import quantize_readout
from fspinn.memmodel import estimate
from fspinn.memmodel.inputs import is_column
from fspinn.model.activity import Activity
from fspinn.model.model import Model, Readout
from fspinn.quant import Format
from fspinn.quant.formats import quantize_values

STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wundef", "-Werror", "-O1")
SANITIZED = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all")
TESTS = Path(__file__).parent

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
CROSS_TOOLS = ("make", "arm-none-eabi-gcc", "qemu-system-arm")
needs_arm = pytest.mark.skipif(
    not all(map(shutil.which, CROSS_TOOLS)), reason=f"needs {', '.join(CROSS_TOOLS)}"
)

AVR_TOOLS = ("make", "gcc", "avr-gcc")
RISCV_TOOLS = ("make", "riscv64-unknown-elf-gcc", "qemu-system-riscv32")
"""What each emulated chip needs, and an AVR the headers of simavr."""

CHIPS = {
    "atmega328p": AVR_TOOLS,
    "attiny85": AVR_TOOLS,
    "cortex-m0": CROSS_TOOLS,
    "cortex-m4": CROSS_TOOLS,
    "riscv": RISCV_TOOLS,
}


def needs_tools_of(chip):
    """Skip a test where something that the chip needs is missing."""
    if chip in ("atmega328p", "attiny85") and not Path("/usr/include/simavr").exists():
        pytest.skip("needs libsimavr-dev")
    if missing := [tool for tool in CHIPS[chip] if shutil.which(tool) is None]:
        pytest.skip(f"needs {', '.join(missing)}")


ACTIVITY = Activity(samples=1, steps=350, input_spikes=2000)


def model_of(
    network,
    weights="UQ0.4",
    state="Q9.6",
    theta="Q5.3",
    readout="proportion",
    heard=1.0,
    seed=0,
    pixels=(4, 6),
):
    """A random model in integers, for tiny images unless others are asked for."""
    network = network.network if isinstance(network, Flat) else network
    random = np.random.default_rng(seed)
    weights, state, theta = (Format.parse(text) for text in (weights, state, theta))
    (described,) = network.layers
    neurons, n_pixels = network.neurons, described.fan_in(*network.input_shape(pixels))
    values = random.uniform(-0.3 if weights.signed else 0.0, 1.0, (n_pixels, neurons))
    chosen = np.array(sorted(random.permutation(n_pixels)[: round(heard * n_pixels)]))
    values[~np.isin(np.arange(n_pixels), chosen)] = 0
    model = model_from(
        network=network,
        image_shape=pixels,
        weights=quantize_values(values, weights),
        theta=quantize_values(np.abs(0.3 * random.standard_normal(neurons)), theta),
        readout=_readout(readout, network.features, random),
        formats=(weights, state, theta),
        input_mask=None if heard == 1.0 else np.isin(np.arange(n_pixels), chosen),
    )
    return quantize_readout(model)[0]


def chain_of(parts, formats, pixels=(7, 9), readout="linear", seed=0):
    """A random model in integers of several layers, each described with its network, from the first one on.

    `formats` are those of weights, state and theta of each layer.
    """
    networks, random = [part.network for part in parts], np.random.default_rng(seed)
    network = replace(networks[0], layers=tuple(layer for one in networks for layer in one.layers))
    shape, tensors = network.input_shape(pixels), []
    for layer, texts in zip(network.layers, formats, strict=True):
        weights, state, theta = (Format.parse(text) for text in texts)
        size = layer.fan_in(*shape), layer.neurons
        values = random.uniform(-0.6 if weights.signed else 0.0, 1.0, size)
        adapted = np.abs(0.3 * random.standard_normal(layer.neurons)) * (layer.adaptation.kind != "off")
        tensors.append(tensors_of(values, adapted, weights, state, theta))
        shape = (*layer.cells, layer.neurons)
    of_answers = _readout(readout, network.features, random)
    return quantize_readout(Model(network, pixels, tuple(tensors), of_answers))[0]


def _readout(name, neurons, random):
    classes = 3
    if name == "majority":
        labels = random.integers(0, classes, neurons)
        table = (labels[:, None] == np.arange(classes)).astype(np.float32)
        table[random.random(neurons) < 0.2] = 0  # never spiked
        return Readout(name, table / np.maximum(table.sum(axis=0), 1).astype(np.float32))
    if name == "linear":
        table, bias = random.standard_normal((neurons, classes)), random.standard_normal(classes)
        return Readout(name, table.astype(np.float32), bias=bias.astype(np.float32))
    assert name == "proportion"
    return Readout(name, random.dirichlet(np.ones(classes), neurons).astype(np.float32))


def images_for(model, count, seed=0):
    """Random images, some pixels black, one image all black and one all white."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, *model.image_shape), dtype=np.uint8)
    images[random.random(images.shape) < 0.4] = 0
    images[0], images[1] = 0, 255
    return images


def build(folder, main="answers.c", flags=SANITIZED):
    """Compile an exported program with another `main` of these tests, and return the program."""
    program = folder / "answers"
    sources = [TESTS / main] if main == "probabilities.c" else [folder / "network.c", TESTS / main]
    subprocess.run(["gcc", *STRICT, *flags, f"-I{folder}", *sources, "-o", program], check=True)
    return program


def build_for_cpp(folder, standard):
    """Compile an exported network as C and `answers.c` as C++, link them, and return the program."""
    program, warnings = folder / "answers", ("-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror")
    subprocess.run(["gcc", *STRICT, "-c", folder / "network.c", "-o", folder / "network.o"], check=True)
    main = ["-x", "c++", TESTS / "answers.c", "-x", "none", folder / "network.o"]
    subprocess.run(["g++", f"-std={standard}", *warnings, f"-I{folder}", *main, "-o", program], check=True)
    return program


def answers(program, images, features):
    """Spike counts and classes that a program gives."""
    given = np.ascontiguousarray(images).tobytes()
    output = subprocess.run([program], input=given, stdout=subprocess.PIPE, check=True).stdout
    found = np.frombuffer(output, dtype=np.uint32).reshape(len(images), features + 1)
    return found[:, :-1], found[:, -1].view(np.int32)


PRESETS = {
    "atmega328p": "mcu-avr",
    "cortex-m0": "mcu-m0",
    "cortex-m4": "mcu-m4f",
    "riscv": "mcu-rv32",
}
"""Hardware in the cost model whose code was measured for each chip."""


def assert_memory_is_estimated(model, folder, output, chip="cortex-m4", flash=0.02, ram=0.02):
    """The linker's map, without the test program, and the preset agree, within a part or 16 bytes.

    The stack of others than columns is known within 60 bytes.
    """
    took = memory_of(folder, output, chip)
    activity = dict.fromkeys(("training", "inference"), (ACTIVITY,) * len(model.layers))
    capacity = estimate(model, PRESETS[chip], activity).capacity["inference"]
    within = {"flash": 16, "ram": 16 if is_column(model.network) and len(model.layers) == 1 else 60}
    for memory, part in {"flash": flash, "ram": ram}.items():
        needed = capacity[f"{memory}_bytes"].needed
        assert needed == pytest.approx(took[memory], rel=part, abs=within[memory]), memory
