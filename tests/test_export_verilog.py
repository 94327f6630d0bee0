"""The core in Verilog spikes as the integer engine does, at each position, and fits an FPGA."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner
from described import changed, flat, with_layer
from device import make
from exported_programs import chain_of, images_for, model_of
from test_export_c import COLUMN
from test_export_events import COLUMN as OF_EVENTS
from test_export_features import listening

import fspinn
from fspinn import datasets
from fspinn.answering.predict import predict
from fspinn.backends.verilog import export_verilog
from fspinn.base.errors import ConfigError, FormatError
from fspinn.cli import main
from fspinn.memmodel import estimate
from fspinn.memmodel.names import PRESETS
from fspinn.model import store
from fspinn.model.activity import Activity
from fspinn.network import Network
from fspinn.network.rules import Stdp


def needs(*tools):
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


needs_verilator = needs("make", "g++", "verilator")
needs_yosys = needs("make", "yosys", "nextpnr-ice40")


def simulate(folder):
    """Samples, output spikes, and how many spikes and classes differ."""
    output = subprocess.run(["make", "sim"], cwd=folder, check=False, capture_output=True, text=True)
    found = re.search(r"(\d+) samples, (\d+) output spikes: (\d+) spikes and (\d+) classes", output.stdout)
    assert found, output.stdout + output.stderr
    samples, spikes, *differ = map(int, found.groups())
    assert output.returncode == (0 if differ == [0, 0] else 2)
    return samples, spikes, *differ


def simulated(model, folder, images, **options):
    export_verilog(model, folder, images, **options)
    return simulate(folder)


@needs_verilator
@pytest.mark.parametrize(
    ("changes", "more", "options"),
    [
        ({}, {"weights": "UQ0.3", "readout": "linear"}, {}),
        pytest.param(
            {"stride": 2, "cells": (1, 2)},
            {"weights": "UQ0.8", "state": "Q6.4", "readout": "majority"},
            {},
            marks=pytest.mark.exhaustive,
        ),
        ({"cells": (2, 2)}, {"weights": "Q1.4", "pixels": (7, 9, 2)}, {"reject": 0.2}),
        pytest.param(
            {"cells": (2, 2), "threshold": 0.9},
            {"weights": "Q1.5", "state": "Q2.3"},
            {},
            marks=pytest.mark.exhaustive,
        ),
        ({"field": (1, 5), "cells": (1, 3)}, {"pixels": (1, 30, 2)}, {}),
        pytest.param(
            {"field": (1, 4), "cells": (2, 1), "neurons": 1, "threshold": 0.5},
            {"pixels": (5, 6)},
            {},
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(
            {"field": (7, 9), "cells": (1, 1), "threshold": 6.0},
            {"readout": "linear"},
            {},
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(
            {"duration_ms": 1.0, "threshold": 0.005, "cells": (1, 1)},
            {"theta": "Q5.3"},
            {},
            marks=pytest.mark.exhaustive,
        ),
    ],
    ids=["rows", "finer", "channels", "cut", "signal", "flat", "dense", "unasked"],
)
def test_every_spike_is_that_of_the_integer_engine(changes, more, options, tmp_path):
    model = model_of(changed(changed(COLUMN, cells=(2, 2)), **changes), **{"pixels": (7, 9), **more})
    samples, spikes, *differ = simulated(model, tmp_path / "out", images_for(model, 8), **options)
    assert (samples, differ) == (8, [0, 0])
    assert spikes > 6  # one image is black


@needs_verilator
def test_a_core_with_another_weight_or_table_is_noticed(tmp_path):
    model = model_of(changed(COLUMN, cells=(2, 2)), readout="linear", pixels=(7, 9))
    images = images_for(model, 8)
    assert simulated(model, tmp_path / "out", images)[2:] == (0, 0)
    for memory, place in (("weights", 2), ("table", 3)):
        path = tmp_path / "out" / f"network_{memory}.hex"
        whole = path.read_text()
        path.write_text("".join(f"{line[::-1]}\n" for line in whole.splitlines()))
        assert simulate(tmp_path / "out")[place] > 0
        path.write_text(whole)


@needs_verilator
def test_a_column_that_learned_digits_answers_as_the_integer_engine(tmp_path):
    data = datasets.load("digits")
    learned = fspinn.train(Network.patches(8, field=3), data, learner=Stdp(passes=1), progress=False)
    small = fspinn.quantize(learned.model, "UQ0.3", state="Q5.6")
    images = np.asarray(data.test.images[:100])
    export_verilog(small, tmp_path / "out", images)
    output = make(tmp_path / "out", "sim")
    assert "0 spikes and 0 classes differ" in output
    cycles = float(re.search(r"^cycles ([\d.]+),", output, re.M)[1])
    counted = {"inference": predict(small, images).activity}
    expected = estimate(small, "fpga-ice40up5k", counted).latency["inference"]["total"]
    assert expected == pytest.approx(cycles, rel=0.05)


COUNTED = {"inference": (Activity(samples=1, steps=1000, positions=576),)}


@pytest.mark.slow
@pytest.mark.exhaustive
@needs_yosys
def test_a_column_of_sixteen_for_mnist_fits_an_ice40_up5k(tmp_path):
    network = changed(COLUMN, neurons=16, field=(5, 5), threshold=2.0)
    model = model_of(network, weights="UQ0.3", state="Q5.5", readout="linear", pixels=(28, 28))
    export_verilog(model, tmp_path / "out")
    output = make(tmp_path / "out", "synth")
    cells = {
        chip: int(count) for chip, count in re.findall(r"^(\w+).report:.*ICESTORM_LC: +(\d+)/", output, re.M)
    }
    clocks = re.findall(r"Max frequency for clock .*: ([\d.]+) MHz", output)
    assert set(cells) == {"up5k", "hx8k"}
    assert min(map(float, clocks)) > 24
    needs = estimate(model, "fpga-ice40up5k", COUNTED).capacity["inference"]
    assert needs["logic_cells"].needed == pytest.approx(cells["up5k"], rel=0.1)
    assert set(re.findall(r"ICESTORM_RAM: +(\d+)/", output)) == {str(needs["ram_blocks"].needed)}


def test_the_same_model_is_the_same_folder(tmp_path):
    model = model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9))
    for folder in ("one", "two"):
        export_verilog(model, tmp_path / folder, name="digits")
    for one in sorted((tmp_path / "one").rglob("*")):
        if one.is_file():
            assert one.read_bytes() == (tmp_path / "two" / one.relative_to(tmp_path / "one")).read_bytes()
            assert one.suffix == ".bin" or not re.search(r"@\w+@", one.read_text())
    assert "module digits #(" in (tmp_path / "one" / "digits.v").read_text()


def board(tmp_path, cells, blocks):
    """The description of an FPGA with fewer cells and blocks."""
    text = (PRESETS / "fpga-ice40up5k.toml").read_text()
    changes = {
        "logic_cells = 5280": f"logic_cells = {cells}",
        "capacity_bits = 122880": f"capacity_bits = {4096 * blocks}",
    }
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / "small.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("cells", "blocks", "words"),
    [
        (100, 30, r"it takes \d{3} logic cells, and there are 100. Use another one, or a smaller network"),
        (5280, 1, r"it takes 5 RAM blocks, and there are 1. Use another one"),
        (100, 1, r"it takes 5 RAM blocks, and there are 1; \d{3} logic cells, and there are 100. Use"),
    ],
)
def test_an_fpga_that_is_too_small_is_refused(cells, blocks, words, tmp_path):
    model, small = model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9)), board(tmp_path, cells, blocks)
    with pytest.raises(ConfigError, match=rf"^hardware: fpga-ice40up5k is too small; {words}"):
        export_verilog(model, tmp_path / "out", hardware=small)
    assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]


def test_an_fpga_that_is_large_enough_changes_nothing(tmp_path):
    model = model_of(changed(COLUMN, cells=(2, 2)), pixels=(7, 9))
    export_verilog(model, tmp_path / "one", hardware="fpga-ice40up5k")
    export_verilog(model, tmp_path / "two")
    core = [(tmp_path / folder / "network.v").read_text() for folder in ("one", "two")]
    assert core[0] == core[1]


PIXELS = {"pixels": (7, 9)}
DENSE = flat(neurons=4, duration_ms=8.0, weight_norm=1.0, threshold=2.0)
REFUSED = {
    "floats": (lambda: with_layer(model_of(COLUMN, **PIXELS), state=None), "state: the model computes with "),
    "leak": (lambda: model_of(changed(COLUMN, tau_m_ms=20.0), **PIXELS), "layers: the core in Verilog is a"),
    "dense": (lambda: model_of(DENSE), "layers: the core in Verilog is a column without leak"),
    "contrast": (lambda: model_of(changed(COLUMN, contrast="on-off"), **PIXELS), "encoder: the core in Veri"),
    "brightest": (
        lambda: model_of(changed(COLUMN, first_spikes_relative_to="brightest"), **PIXELS),
        "encoder: the core in Verilog takes pixels that spike once",
    ),
    "events": (
        lambda: model_of(OF_EVENTS, pixels=(7, 9, 2)),
        "encoder: the core in Verilog takes pixels, not events; export",
    ),
    "blocks": (lambda: model_of(changed(COLUMN, pool=2), pixels=(14, 18)), "pool: means of blocks are not"),
    "features": (lambda: listening(model_of(COLUMN, **PIXELS), 2), "features: the core in Verilog takes pix"),
    "layers": (
        lambda: chain_of([COLUMN, DENSE], [("UQ0.3", "Q9.6", "Q5.3")] * 2),
        "layers: the core in Verilog is one column",
    ),
}


@pytest.mark.parametrize("which", REFUSED)
def test_what_a_core_cannot_say_is_refused_in_one_line(which, tmp_path):
    made, words = REFUSED[which]
    with pytest.raises(FormatError, match=f"^{words}") as refused:
        export_verilog(made(), tmp_path / "out")
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["1", "module", "fspinn_column", "reset", "a-b"])
def test_a_name_that_verilog_does_not_take_is_refused(name, tmp_path):
    with pytest.raises(ConfigError, match=f"^name: '{name}' cannot be the name of a module in Verilog"):
        export_verilog(model_of(COLUMN, pixels=(7, 9)), tmp_path / "out", name=name)


class TestTheCommand:
    def run(self, tmp_path, *options):
        store.save(model_of(changed(COLUMN, cells=(2, 2)), pixels=(8, 8)), tmp_path / "net.h5")
        arguments = ["export", tmp_path / "net.h5", "--target", "verilog", "-o", tmp_path / "core", *options]
        return CliRunner().invoke(main, [*map(str, arguments)])

    def test_the_folder_holds_core_and_testbench(self, tmp_path):
        result = self.run(tmp_path, "--name", "digits")
        assert result.exit_code == 0, result.output
        assert f"written   {tmp_path / 'core'}: digits.v, and a testbench; try make -C" in result.stdout
        written = sorted(path.name for path in (tmp_path / "core").iterdir())
        names = ["Makefile", "README.md", "digits.v", "digits_table.hex", "digits_weights.hex", "src", "test"]
        assert written == names

    def test_json_says_what_was_written(self, tmp_path):
        result = self.run(tmp_path, "--json")
        assert json.loads(result.stdout) == {"target": "verilog", "output": str(tmp_path / "core")}

    def test_an_fpga_that_is_too_small_is_one_line(self, tmp_path):
        result = self.run(tmp_path, "--hardware", board(tmp_path, 100, 30))
        assert result.exit_code == 2
        last = result.stderr.splitlines(True)[-1]
        assert re.fullmatch(r"fspinn: hardware: fpga-ice40up5k is too small; it takes .*\n", last)
        assert not (tmp_path / "core").exists()

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--name", "wire"], "name: 'wire' cannot be"),
            (["--hardware", "mcu-avr"], "hardware: mcu-avr is not an FPGA for which cores are known; use"),
        ],
    )
    def test_what_does_not_go_with_it_is_one_line(self, options, words, tmp_path):
        result = self.run(tmp_path, *options)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"fspinn: {words}")
        assert result.stderr.count("\n") == 1
        assert not (tmp_path / "core").exists()
