"""A sketch for the Arduino IDE answers what comes through the serial port; too small a chip is refused."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from described import changed, dense, with_layer
from exported_programs import images_for, model_of, needs_gcc, needs_tools_of
from test_export_c import COLUMN
from test_export_features import listening, values_for

from fspinn.answering.predict import predict
from fspinn.backends.c import export_arduino, export_c
from fspinn.base.errors import ConfigError, FormatError
from fspinn.cli import main
from fspinn.memmodel.names import PRESETS
from fspinn.model import store

DENSE = dense(neurons=5, duration_ms=70.0, weight_norm=1.0, threshold=3.0, tau_m_ms=20.0)

_ARDUINO = """
#include <cstdio>
#include <cstdlib>
#include <cstdint>

/* What a sketch sees of an Arduino: its serial port is standard input and output. */
struct Port {
    int next;
    void begin(long) { next = -1; }
    int available() { next = getchar(); if (next == EOF) exit(0); return 1; }
    int read() { return next; }
    void print(char letter) { putchar(letter); }
    void println(int number) { printf("%d\\n", number); }
} Serial;
"""
_MAIN = """
int main()
{
    setup();
    for (;;) {
        loop();
    }
}
"""


def output(folder, samples):
    """Compile a sketch for this computer, and return its parts and classes."""
    (folder / "arduino.h").write_text(_ARDUINO)
    sketch = (folder / f"{folder.name}.ino").read_text()
    (folder / "main.cpp").write_text(f'#include "arduino.h"\n{sketch}{_MAIN}')
    subprocess.run(["gcc", "-std=c99", "-c", folder / "digits.c", "-o", folder / "digits.o"], check=True)
    program = folder / "main"
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["g++", *flags, folder / "main.cpp", folder / "digits.o", "-o", program], check=True)
    given = samples.tobytes()
    return subprocess.run([program], input=given, capture_output=True, check=True).stdout.decode().split()


@needs_gcc
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
@pytest.mark.parametrize(
    ("network", "pixels", "parts"),
    [
        (changed(COLUMN, cells=(2, 2)), (7, 9), 7),
        (changed(COLUMN, field=(1, 5), cells=(1, 3)), (1, 30, 2), 30),
        (DENSE, (4, 6), 1),
    ],
    ids=["rows", "values", "whole"],
)
@pytest.mark.parametrize("features", [0, 2])
def test_a_sketch_answers_each_sample_with_its_class(network, pixels, parts, features, tmp_path):
    model, values = model_of(network, pixels=pixels), None
    images = images_for(model, 6)
    samples = images.reshape(6, -1)
    if features > 0:
        model = listening(model, features)
        values = values_for(model, 6)
        samples = np.concatenate([samples, model.features.in_bytes(values)], axis=1)
    export_arduino(model, tmp_path / "digits", name="digits", seed=3)
    expected = predict(model, images, features=values, seed=3).classes
    assert len(set(expected)) > 1
    stops = "." * (parts + (features > 0))
    assert output(tmp_path / "digits", samples) == [f"{stops}{one}" for one in expected]


CORE = Path("/usr/share/arduino/hardware/arduino/avr")
"""Where Debian's package arduino-core-avr has what the Arduino IDE compiles a sketch with."""


def built_for_uno(folder, name):
    """Compile a sketch and the Arduino core as the Arduino IDE does, for an Uno."""
    chip = [
        "-Os",
        "-g",
        "-mmcu=atmega328p",
        "-DF_CPU=16000000L",
        "-ffunction-sections",
        "-fdata-sections",
        "-flto",
    ]
    # Debian's compiler is older than the IDE's, and lacks a name of its own constant in C++.
    board = ["-DARDUINO=10819", "-DARDUINO_AVR_UNO", "-DARDUINO_ARCH_AVR", "-DDECIMAL_DIG=__DECIMAL_DIG__"]
    flags = [*chip, *board, "-I", CORE / "cores/arduino", "-I", CORE / "variants/standard"]
    plus = ["-std=gnu++11", "-fpermissive", "-fno-exceptions", "-fno-threadsafe-statics"]
    sketch = folder / f"{folder.name}.ino"
    (folder / "sketch.cpp").write_text(f"#include <Arduino.h>\n{sketch.read_text()}")
    made = []
    for source in (folder / "sketch.cpp", folder / f"{name}.c", *sorted((CORE / "cores/arduino").iterdir())):
        how = {".cpp": ["avr-g++", *plus], ".c": ["avr-gcc"], ".S": ["avr-gcc"]}.get(source.suffix)
        if how is not None:
            made.append(folder / f"{source.name}.o")
            subprocess.run([*how, *flags, "-w", "-c", source, "-o", made[-1]], check=True)
    program = folder / "sketch.elf"
    subprocess.run(["avr-gcc", "-w", *chip, "-Wl,--gc-sections", *made, "-lm", "-o", program], check=True)
    return program


@needs_gcc
@pytest.mark.skipif(not CORE.exists(), reason="needs arduino-core-avr")
def test_a_sketch_answers_on_an_uno_with_the_arduino_core(tmp_path):
    """Sketch, Arduino core and serial port are the real ones, the chip is simavr's."""
    needs_tools_of("atmega328p")
    model = listening(model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9)), 2)
    images, values = images_for(model, 6), values_for(model, 6)
    export_arduino(model, tmp_path / "digits", name="digits", seed=3)
    runner = tmp_path / "arduino_in_simavr"
    here = Path(__file__).with_name("arduino_in_simavr.c")
    subprocess.run(["gcc", "-std=c99", here, "-o", runner, "-lsimavr"], check=True)
    parts = tmp_path / "parts.bin"
    with parts.open("wb") as file:
        for image, more in zip(images, model.features.in_bytes(values), strict=True):
            for part in (*image, more):
                file.write(len(part).to_bytes(2, "little") + part.tobytes())
    program = built_for_uno(tmp_path / "digits", "digits")
    ran = subprocess.run([runner, program, parts, "6"], capture_output=True, check=True)
    expected = predict(model, images, features=values, seed=3).classes
    assert len(set(expected)) > 1
    # Before that, simavr says what it has loaded.
    assert ran.stdout.decode().split()[-6:] == [f"{'.' * 8}{one}" for one in expected]


def board(tmp_path, flash, ram):
    """An ATmega328P with less of both."""
    text = (PRESETS / "mcu-avr.toml").read_text()
    text = text.replace("flash_bytes = 32768", f"flash_bytes = {flash}")
    path = tmp_path / "small.toml"
    path.write_text(text.replace("ram_bytes = 2048", f"ram_bytes = {ram}"))
    return path


@pytest.mark.parametrize("write", [export_c, export_arduino])
@pytest.mark.parametrize(
    ("flash", "ram", "words"),
    [
        (
            1000,
            2048,
            r"it takes 1,\d{3} bytes of flash, and there are 1,000. Use another one, or a sm",
        ),
        (
            32768,
            100,
            r"it takes \d{3} bytes of RAM, and there are 100. Use another one, or a smaller",
        ),
        (
            1000,
            100,
            r"bytes of flash, and there are 1,000; \d{3} bytes of RAM, and there are 100. Use another",
        ),
    ],
)
def test_a_chip_that_is_too_small_is_refused(write, flash, ram, words, tmp_path):
    model, small = model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9)), board(tmp_path, flash, ram)
    with pytest.raises(ConfigError, match=rf"^hardware: mcu-avr is too small; .*{words}"):
        write(model, tmp_path / "out", hardware=small)
    assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]


@pytest.mark.parametrize("write", [export_c, export_arduino])
def test_a_chip_that_is_large_enough_changes_nothing(write, tmp_path):
    model = model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9))
    write(model, tmp_path / "one", name="digits", hardware="mcu-avr")
    write(model, tmp_path / "two", name="digits")
    source = [(tmp_path / folder / "digits.c").read_text() for folder in ("one", "two")]
    assert source[0] == source[1]


def test_hardware_that_is_no_microcontroller_is_refused(tmp_path):
    with pytest.raises(
        ConfigError, match=r"^hardware: asic65-lp is not a microcontroller; use one such as mcu"
    ):
        export_c(model_of(DENSE), tmp_path / "out", hardware="asic65-lp")


def test_a_bad_name_is_refused(tmp_path):
    model = model_of(DENSE)
    with pytest.raises(ConfigError, match="name: '1' cannot be the name of a network in C"):
        export_arduino(model, tmp_path / "out", name="1")
    assert list(tmp_path.iterdir()) == []


class TestTheCommand:
    def run(self, tmp_path, *options):
        store.save(model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9)), tmp_path / "net.h5")
        return CliRunner().invoke(main, ["export", str(tmp_path / "net.h5"), *map(str, options)])

    def test_the_sketch_has_the_name_of_its_folder(self, tmp_path):
        result = self.run(tmp_path, "--target", "arduino", "--name", "digits", "-o", tmp_path / "reader")
        assert result.exit_code == 0, result.output
        assert (
            f"written   {tmp_path / 'reader'}: a sketch; open reader.ino in the Arduino IDE" in result.stdout
        )
        written = sorted(path.name for path in (tmp_path / "reader").iterdir())
        assert written == ["digits.c", "digits.h", "reader.ino", "src"]
        assert not re.search("@[a-zA-Z]+@", (tmp_path / "reader" / "reader.ino").read_text())

    def test_a_chip_that_is_too_small_is_one_line(self, tmp_path):
        small = board(tmp_path, 1000, 2048)
        result = self.run(tmp_path, "--target", "c", "--hardware", small, "-o", tmp_path / "out")
        assert result.exit_code == 2
        assert re.fullmatch(
            r"fspinn: hardware: mcu-avr is too small; .*\n", result.stderr.splitlines(True)[-1]
        )
        assert not (tmp_path / "out").exists()

    def test_a_sketch_has_no_images(self, tmp_path):
        result = self.run(tmp_path, "--target", "arduino", "--samples", 3, "-o", tmp_path / "out")
        assert result.exit_code == 2
        assert result.stderr == "fspinn: --dataset, --samples: a sketch has no images; leave them out\n"


def test_a_model_that_computes_with_floats_has_no_sketch(tmp_path):
    with pytest.raises(FormatError, match=r"^state: the model computes with floats"):
        export_arduino(with_layer(model_of(DENSE), state=None), tmp_path / "out")
