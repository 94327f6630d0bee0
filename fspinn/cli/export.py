"""fspinn export: a trained network as a C program, as a core in Verilog, or as a graph of NIR."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fspinn.base.errors import ConfigError, DataError
from fspinn.base.files import check_file, check_new_folder
from fspinn.cli import options, reading, sections, shown_images

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fspinn.datasets import Recordings
    from fspinn.model.linear import LinearClassifier
    from fspinn.model.model import Model

_IMAGES = 5


@sections.as_command(
    "export",
    epilog="""\b
Examples:
  fspinn quantize net.h5 --weights UQ0.4 --state Q9.6 -o net4.h5
  fspinn export net4.h5 --target c -o out/
  fspinn export net4.h5 --target c --name digits -o out/
  fspinn export net4.h5 --target c --learning 1000 -o out/
  fspinn export net4.h5 --target arduino --hardware mcu-avr -o digits/
  fspinn export net4.h5 --target verilog --hardware fpga-ice40up5k -o core/
  fspinn export net.h5 --target nir -o net.nir
  fspinn export result/linear.h5 --target c -o out/
""",
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--target",
    type=click.Choice(["c", "arduino", "verilog", "nir"]),
    required=True,
    help="A C program, a sketch for the Arduino IDE, a core in Verilog, or a graph of NIR.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(),  # of what kind depends on --target
    help="New folder for c, arduino and verilog, file for nir.",
)
@click.option(
    "--dataset", help="Samples that test the C program or the core [default: what the model was trained on]."
)
@options.data_dir
@reading.options()
@options.seed_of("input spikes, and of what a program that learns draws")
@options.reject
@click.option("--name", help="Of the C program, and before all its names, or of the core [default: network].")
@click.option(
    "--hardware",
    help="Chip that has to hold it: a preset, such as mcu-avr or fpga-ice40up5k, or a TOML file.",
)
@click.option(
    "--learning",
    type=click.IntRange(2, 2**24),
    help="Let the C program learn on, without labels: over so many samples rates go from start to end.",
)
@click.option("--samples", type=click.IntRange(min=1), help=f"Samples that test it [default: {_IMAGES}].")
@options.config
@options.as_json
@shown_images.gathered
def command(
    model: Path,
    target: str,
    output: str,
    name: str | None,
    hardware: str | None,
    learning: int | None,
    shown: shown_images.Shown,
    reject: float,
    as_json: bool,
) -> None:
    """Write the network MODEL, or a linear classifier, for other machines.

    c: a program in C99 for a microcontroller, that needs no floating point and no heap. The network needs a
    state format (see `fspinn quantize`); from the same images the program makes the same output spikes. With
    --reject it answers -1 where the best class leads by less. Networks of several --name live in one
    firmware; --hardware refuses a chip whose flash or RAM is too small. With --learning it also learns from
    samples, as the integer engine does (see `fspinn import`).

    arduino: the same network as a sketch, which reads samples from the serial port and answers with classes.

    A linear classifier (linear.h5, which a search writes where one will do) becomes a program (c, arduino)
    with the same calls, so that either can take the place of the other.

    verilog: a synthesizable core for an FPGA, of a column without leak in integers (what preset patches
    makes), with a testbench that compares every output spike. --hardware refuses an FPGA with too few logic
    cells or RAM blocks.

    nir: a graph of the Neuromorphic Intermediate Representation, for other simulators and chips; needs the
    package nir (pip install 'fspinn[nir]').
    """
    from fspinn.backends import verilog
    from fspinn.backends.c import check_name, export_arduino, export_c, refuses
    from fspinn.backends.nir import export_nir
    from fspinn.datasets import Recordings
    from fspinn.lowering.compiler import plan_of
    from fspinn.model import store
    from fspinn.model.linear import is_classifier

    check = check_file if target == "nir" else check_new_folder
    path = options.Output(check).convert(output, None, None)
    called = "network" if name is None else name
    (verilog.check_name if target == "verilog" else check_name)(called)
    if is_classifier(model):
        _refuse_for_classifier(target, {"--hardware": hardware, "--learning": learning})
        said = _export_classifier(model, path, target, called, shown, reject)
        options.answer(as_json, {"target": target, "output": str(path)}, f"written   {path}: {said}")
        return
    network = store.load(model)
    if learning is not None and target != "c":
        raise ConfigError("--learning: only the C program learns; leave it out, or use --target c")
    if target == "nir":
        if reject != 0:
            raise ConfigError("--reject: a graph of NIR answers with no classes; leave it out")
        if shown.dataset is not None or shown.samples is not None:
            raise ConfigError("--dataset, --samples: a graph of NIR has no images; leave them out")
        if name is not None or hardware is not None:
            raise ConfigError("--name, --hardware: a graph of NIR has none; leave them out")
        if path.exists() and path.samefile(model):
            raise ConfigError(f"--output {path}: is the model itself; name another file")
        export_nir(network, path)
        free = network.network.layers[0].inhibition.kind == "none"
        rule = "a spike takes the threshold off" if free else "one neuron at most spikes in a time step"
        said = f"a graph of NIR; its metadata say that {rule}"
    elif target == "arduino":
        _refuse_images(shown)
        export_arduino(network, path, reject=reject, seed=shown.seed, name=called, hardware=hardware)
        said = f"a sketch; open {path.name}.ino in the Arduino IDE"
    elif target == "verilog":
        # What it refuses needs no images.
        shows = verilog.refuses(plan_of(network)) is None
        if shows and hardware is not None:
            verilog.check_room(network, hardware)
        images = _images(network, shown)[0] if shows else None
        assert not isinstance(images, Recordings)  # refused
        verilog.export_verilog(network, path, images, reject=reject, seed=shown.seed, name=called)
        said = f"{called}.v, and a testbench; try make -C {path} sim"
    else:
        images = features = None
        if refuses(plan_of(network)) is None:
            usual = _IMAGES if learning is None else min(_IMAGES, learning)
            images, features = _images(network, shown, usual)
        export_c(
            network,
            path,
            images,
            features=features,
            reject=reject,
            seed=shown.seed,
            name=called,
            hardware=hardware,
            learning=learning,
        )
        said = f"{called}.h, {called}.c, and a test; try make -C {path} test"
    options.answer(as_json, {"target": target, "output": str(path)}, f"written   {path}: {said}")


def _refuse_for_classifier(target: str, given: dict[str, object]) -> None:
    """Refuse what only networks have."""
    if target in ("verilog", "nir"):
        raise ConfigError(f"--target {target}: MODEL is a linear classifier; use c or arduino")
    reasons = {
        "--hardware": "what the program of a linear classifier takes of a chip is not estimated",
        "--learning": "a linear classifier does not learn on a device",
    }
    for option, value in given.items():
        if value is not None:
            raise ConfigError(f"{option}: {reasons[option]}; leave it out")


def _refuse_images(shown: shown_images.Shown) -> None:
    if shown.dataset is not None or shown.samples is not None:
        raise ConfigError("--dataset, --samples: a sketch has no images; leave them out")


def _export_classifier(
    model: Path, path: Path, target: str, name: str, shown: shown_images.Shown, reject: float
) -> str:
    """Write a linear classifier as a program; return what was written, for people."""
    from fspinn.backends.c.classifier import export_classifier, export_classifier_arduino
    from fspinn.datasets import Recordings
    from fspinn.model.linear import LinearClassifier

    classifier = LinearClassifier.load(model)
    if target == "arduino":
        _refuse_images(shown)
        export_classifier_arduino(classifier, path, reject=reject, name=name)
        return f"a sketch; open {path.name}.ino in the Arduino IDE"
    images, features = _images(classifier, shown)
    assert not isinstance(images, Recordings)  # no classifier of them is written
    export_classifier(classifier, path, images, features=features, reject=reject, name=name)
    return f"{name}.h, {name}.c, and a test; try make -C {path} test"


def _images(
    model: "Model | LinearClassifier", shown: shown_images.Shown, usual: int = _IMAGES
) -> "tuple[NDArray[np.uint8] | Recordings | None, NDArray[np.float32] | None]":
    """Return test images and the features that the network listens to.

    None, with a warning, where there are none and no data set was named.
    """
    import numpy as np

    from fspinn.datasets import Recordings

    try:
        name, split = shown_images.split_of(model, shown._replace(samples=None))
    except (ConfigError, DataError) as error:
        if shown.dataset is not None:
            raise
        click.echo(f"fspinn: the program is tested on noise: {error}", err=True)
        return None, None
    if shown.samples is not None and shown.samples > len(split):
        raise ConfigError(
            f"--samples: {shown.samples} are asked for, and {name} has {len(split)} {shown.split} images; "
            "ask for no more"
        )
    some = split.first(shown.samples or usual)
    features = None if model.features is None else model.features.values_of(some, "images")
    if isinstance(some.images, Recordings):
        return some.images, features
    return np.asarray(some.images), features
