"""What the search measures of a variant is what `fspinn quantize` with the same options makes."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from described import setup

import fspinn
from fspinn.answering.compress import lower
from fspinn.base.errors import ConfigError, FormatError
from fspinn.cli import main
from fspinn.datasets import load
from fspinn.model import store
from fspinn.model.tensors import LayerTensors
from fspinn.search import Space, Variant, find_smallest

QUICK = setup(neurons=20, duration_ms=60.0, threshold=8.0, rate_norm_hz=900.0, passes=2)
VARIANTS = (
    Variant("UQ0.4"),
    Variant("UQ0.2", "16 bits", prune=True),
    Variant("UQ0.4", "Q9.6", rounding="stochastic", prune=True, readout="linear"),
    Variant("UQ0.3", "12 bits", rounding="truncate", readout="majority"),
    Variant("UQ0.3", "16 bits", prune=True, readout="linear", readout_format="Q1.2"),
)


@pytest.fixture(scope="module")
def data():
    return load("digits", validation=300)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_variant_of_the_search_is_what_quantize_writes(data, variant, tmp_path):
    settings = {name: (value,) for name, value in vars(variant).items() if value is not None}
    space = Space(QUICK, {"neurons": (20,), **settings})
    result = find_smallest(data, space=space, accuracy=0.2, seeds=1, seed=7)
    trained = fspinn.train(
        QUICK.network, data, learner=QUICK.learner, seed=7, readout=variant.readout, progress=False
    ).model
    store.save(trained, tmp_path / "net.h5")
    words = ["quantize", "net.h5", "--weights", variant.weights, "--rounding", variant.rounding]
    words += [] if variant.state == "float32" else ["--state", variant.state]
    words += [] if variant.readout_format is None else ["--readout", variant.readout_format]
    words += ["--prune"] if variant.prune else []
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tmp_path)
        answer = CliRunner().invoke(main, [*words, "--seed", "7", "-o", "small.h5", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["accuracy"]["after"] == result.winner.accuracy
    found, written = result.model, store.load(tmp_path / "small.h5")
    assert written.network == found.network
    assert written.layer.formats == found.layer.formats
    assert written.readout.format == found.readout.format
    assert written.layer.weights.values.tobytes() == found.layer.weights.values.tobytes()
    assert written.layer.theta.values.tobytes() == found.layer.theta.values.tobytes()
    assert written.readout.table.tobytes() == found.readout.table.tobytes()
    assert written.record["quantization"].get("readout_fitted", False) == (variant.readout_format is not None)
    assert written.layer.inputs_used == found.layer.inputs_used
    assert written.record["quantization"] == found.record["quantization"]


def test_a_state_of_so_many_bits_needs_images(data):
    trained = fspinn.train(QUICK.network, data, learner=QUICK.learner, progress=False).model
    with pytest.raises(
        ConfigError,
        match=r"^state: what 16 bits have to hold is looked for on training images; name the data set$",
    ):
        lower(trained, None, weights="UQ0.4", state="16 bits")
    some = replace(data, validation=data.validation.first(0))
    assert lower(trained, some, weights="UQ0.4", state="16 bits").model.layer.state.bits == 16


def test_in_python_it_needs_data_too(data):
    trained = fspinn.train(QUICK.network, data, learner=QUICK.learner, progress=False).model
    with pytest.raises(ConfigError, match=r"^state: what 16 bits .* training images; give data too$"):
        fspinn.quantize(trained, "UQ0.4", state="16 bits")


def test_a_format_that_cannot_hold_the_weights_is_the_one_that_is_named(data):
    trained = fspinn.train(QUICK.network, data, learner=QUICK.learner, progress=False).model
    layer = LayerTensors.of_floats(np.ones_like(trained.layer.weights.values), trained.layer.theta.values)
    with pytest.raises(FormatError, match=r"^weights: UQ0\.4 cannot hold the range"):
        lower(replace(trained, layers=(layer,)), data, weights="UQ0.4", state="16 bits")
