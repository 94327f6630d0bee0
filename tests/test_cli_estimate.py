"""fspinn estimate and fspinn hardware, as a user types them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from fspinn import store
from fspinn.cli import main
from fspinn.memmodel import ACCOUNTINGS, estimate
from fspinn.model import Network
from fspinn.quant import quantize
from fspinn.trained import Activity, Model, Readout

RNG = np.random.default_rng(0)


def model_with(activity):
    return Model(
        network=Network(neurons=6, weight_norm=1.0),
        image_shape=(4, 4),
        weights=RNG.random((16, 6), dtype=np.float32),
        theta=np.zeros(6, dtype=np.float32),
        readout=Readout("proportion", RNG.dirichlet(np.ones(3), 6).astype(np.float32)),
        activity=activity,
    )


@pytest.fixture
def model():
    counts = {"samples": 10, "steps": 3500, "input_spikes": 20_000, "output_spikes": 200}
    inference = Activity(**counts, synaptic_additions=120_000, neuron_updates=21_000, weight_reads=120_000)
    learned = Activity(weight_reads=160, weight_writes=160, threshold_updates=60, windows=10)
    return model_with({"inference": inference, "training": inference + learned})


@pytest.fixture
def path(model, tmp_path):
    store.save(model, tmp_path / "net.h5")
    return tmp_path / "net.h5"


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_json_is_the_estimate_and_adds_up(model, path):
    answer = json.loads(run("estimate", path, "--json").stdout)
    assert answer == {"model": str(path), **json.loads(json.dumps(estimate(model).as_dict()))}
    for quantity in ("memory_bits", "energy_pj", "latency_cycles"):
        for phase in ("inference", "training"):
            assert tuple(answer[quantity][phase]) == ACCOUNTINGS
            for parts in answer[quantity][phase].values():
                assert parts.pop("total") == sum(parts.values())


def test_the_table_names_every_component_and_the_band(path):
    result = run("estimate", path)
    assert result.exit_code == 0, result.output
    for words in (
        "asic65-lp",
        "memory",
        "energy per image",
        "cycles per image",
        "structure-aware",
        "dense-sim",
    ):
        assert words in result.output
    for component in (
        "weights",
        "thresholds",
        "inhibition",
        "window",
        "readout",
        "learning",
        "leakage",
        "total",
    ):
        assert f"  {component} " in result.output
    assert "0.5 to 2 times the estimate" in result.output
    assert "before quantization" not in result.output


def test_a_quantized_model_says_when_its_activity_was_counted(model, tmp_path):
    store.save(quantize(model, "UQ0.4"), tmp_path / "net4.h5")
    assert "counted with the weights before quantization" in run("estimate", tmp_path / "net4.h5").output


def test_a_model_without_activity_is_refused_in_one_line(tmp_path):
    store.save(model_with({}), tmp_path / "net.h5")
    result = run("estimate", tmp_path / "net.h5")
    assert result.exit_code == 2
    assert "nothing was counted for 'inference'" in result.stderr
    assert result.stderr.count("\n") == 1


def test_unknown_hardware_is_refused_in_one_line(path):
    for arguments in (("estimate", path, "--hardware", "asic65"), ("hardware", "show", "asic65")):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "no preset 'asic65'; did you mean asic65-lp?" in result.stderr
        assert result.stderr.count("\n") == 1


def test_hardware_is_listed():
    assert "asic65-lp" in run("hardware", "list").output
    assert set(json.loads(run("hardware", "list", "--json").stdout)) >= {"asic65-lp"}


def test_hardware_is_shown_with_its_sources():
    assert "memory.kappa" in run("hardware", "show", "asic65-lp").output
    values = json.loads(run("hardware", "show", "asic65-lp", "--json").stdout)["values"]
    assert values["memory.kappa"]["value"] == 2.2
    assert all(row["source"] for row in values.values())
