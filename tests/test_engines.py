"""Whoever runs it, it is the same job: training, evaluation and their commands with a chosen engine."""

import json
from dataclasses import fields, replace
from importlib import import_module

import numpy as np
import pytest
from click.testing import CliRunner
from described import changed, dense
from runners import answering

import fspinn
from fspinn.backends import BACKENDS, ENGINES, engine_of
from fspinn.backends.brian2 import engine as brian2_engine
from fspinn.backends.numba import constants_kernels, inhibition_kernels
from fspinn.base.errors import ConfigError
from fspinn.cli import main
from fspinn.lowering import plan
from fspinn.lowering.integers import Range
from fspinn.model import readout
from fspinn.model.activity import Activity
from fspinn.model.tensors import Formats
from fspinn.network import Pair, Stdp
from fspinn.network.geometry import Geometry
from fspinn.quant import Format
from fspinn.search import asked, default_spaces

# Brian2 2.9 calls its parser by old names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

QUICK = dense(neurons=6, duration_ms=30.0, rate_norm_hz=900.0, threshold=3.0, tau_m_ms=30.0)


@pytest.fixture(scope="module")
def few():
    data = fspinn.datasets.load("digits")
    return replace(
        data, train=data.train.first(20), validation=data.validation.first(10), test=data.test.first(10)
    )


WEIGHTS, THETA = np.full((4, 6), 0.5, np.float32), np.zeros(6, np.float32)
SETTLED = changed(QUICK, weight_norm=1.0)
SMALL_PLAN = answering(SETTLED, WEIGHTS, THETA)


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_learns_and_responds(name):
    assert callable(engine_of(name).learn)
    assert callable(engine_of(name).respond)
    assert engine_of(name).refuses(SMALL_PLAN) is None


@pytest.mark.parametrize("name", BACKENDS)
def test_layers_and_fields_are_run_or_refused_in_one_line(name):
    backend, (layer,) = import_module(BACKENDS[name]), SMALL_PLAN.layers
    if name == "verilog":  # a core is a column, which this layer is not
        assert backend.refuses(SMALL_PLAN).startswith("state: the model computes with floats")
        return
    if name == "c":
        formats = Formats(*map(Format.parse, ("UQ0.4", "Q5.6", "Q3.6")))
        (layer,) = answering(SETTLED, WEIGHTS, THETA, formats).layers
    assert backend.refuses(replace(SMALL_PLAN, layers=(layer,))) is None
    two = backend.refuses(replace(SMALL_PLAN, layers=(layer, layer)))
    there = Geometry(3, 3, 1, (2, 2), 1, (1, 1))
    field = backend.refuses(replace(SMALL_PLAN, layers=(replace(layer, geometry=there),)))
    if name == "nir":
        assert two == (
            "layers: NIR cannot express inhibition in a chain; use one layer, or 'none' in all of them"
        )
        assert field == (
            "field: NIR cannot express inhibition at each position; use no field, or inhibition 'none'"
        )
    else:
        assert (two, field) == (None, None)


@pytest.mark.parametrize(
    ("network", "learner", "words"),
    [
        (10, Stdp(), r"^network: 10 is not one of Network\(\); give one of these$"),
        (
            QUICK,
            "stdp",
            r"^learner: 'stdp' is not one of Stdp\(\), StdpLabels\(\), Surrogate\(\), Hybrid\(\); give one",
        ),
        (
            QUICK,
            Pair(),
            r"^learner: Pair\(.*\) is not one of Stdp\(\), StdpLabels\(\), Surrogate\(\), Hybrid\(\); give",
        ),
    ],
)
def test_what_is_not_a_network_or_a_learner_is_refused(few, network, learner, words):
    for run in (fspinn.train, fspinn.tune):
        with pytest.raises(ConfigError, match=words):
            run(network, few, learner=learner)


def test_brian2_refuses_integers_before_anything_runs(few):
    trained = fspinn.train(QUICK, few, learner=Stdp(passes=1), progress=False)
    model = fspinn.quantize(trained, "UQ0.4", state="Q9.6")
    expected = r"^engine: brian2 does not compute with integers only; use numba$"
    with pytest.raises(ConfigError, match=expected):
        fspinn.predict(model, few.test.images, engine="brian2")


def test_kernels_number_things_in_the_order_of_their_names():
    counts = [field.name for field in fields(Activity)]
    kinds = [getattr(inhibition_kernels, kind.upper()) for kind in plan.INHIBITIONS]
    assert kinds == list(range(len(kinds)))
    for name, words in (
        (" ".join(plan.RULES).upper(), plan.RULES),
        (" ".join(plan.ADAPTATIONS).upper().replace("OFF", "NO_ADAPTATION"), plan.ADAPTATIONS),
        (" ".join(plan.NORMALISATIONS).upper().replace("OFF", "NO_NORMALISATION"), plan.NORMALISATIONS),
        (" ".join(counts).upper().replace("SYNAPTIC_", ""), counts),
        ("LOWEST HIGHEST SATURATIONS", [field.name for field in fields(Range)]),
    ):
        assert [getattr(constants_kernels, one) for one in name.split()] == list(range(len(words)))


def test_an_unknown_engine_is_refused_before_anything_runs(few):
    for run in (fspinn.train, fspinn.learning.training.learn):
        with pytest.raises(ConfigError, match=r"^engine: there is no 'nest'; use one of numba, brian2$"):
            run(QUICK, few, engine="nest")


def test_threads_that_an_engine_cannot_use_are_refused_before_anything_runs(few):
    expected = (
        r"^threads: the engine brian2 works with one, not 2; leave threads out, or use the engine numba$"
    )
    with pytest.raises(ConfigError, match=expected):
        fspinn.train(QUICK, few, engine="brian2", threads=2)


def test_brian2_trains_and_evaluates_as_the_fast_engine_does(few):
    fast = fspinn.train(QUICK, few, learner=Stdp(passes=1), progress=False)
    slow = fspinn.train(QUICK, few, learner=Stdp(passes=1), progress=False, engine="brian2")
    np.testing.assert_allclose(slow.model.layer.weights.values, fast.model.layer.weights.values, atol=1e-6)
    np.testing.assert_allclose(slow.model.layer.theta.values, fast.model.layer.theta.values, atol=1e-5)
    np.testing.assert_array_equal(slow.model.readout.table, fast.model.readout.table)
    assert slow.model.activity == fast.model.activity
    assert slow.validation.accuracy == fast.validation.accuracy
    assert (slow.model.record["engine"], fast.model.record["engine"]) == ("brian2", "numba")
    assert "brian2" in slow.model.record["versions"]
    assert "brian2" not in fast.model.record["versions"]
    answered = [fspinn.evaluate(slow.model, few.test, seed=1, engine=name) for name in ENGINES]
    assert answered[0].activity == answered[1].activity
    np.testing.assert_array_equal(answered[0].predictions, answered[1].predictions)


def test_an_engine_is_asked_not_another(few, monkeypatch):
    monkeypatch.setattr(brian2_engine, "respond", lambda *args, **kwargs: 1 / 0)
    model = fspinn.train(QUICK, few, learner=Stdp(passes=1), progress=False).model
    with pytest.raises(ZeroDivisionError):
        fspinn.predict(model, few.test.images, engine="brian2")


def test_training_with_brian2_stops_and_goes_on_to_the_same_bits(few, tmp_path, monkeypatch):
    monkeypatch.setattr(fspinn.learning.training, "_CHUNK", 10)
    whole = fspinn.learning.training.learn(
        QUICK, few, learner=Stdp(passes=1), progress=False, engine="brian2"
    )
    learn, calls = brian2_engine.learn, []

    def stopped(*args, **kwargs):
        calls.append(len(args[1]))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return learn(*args, **kwargs)

    settings = {"learner": Stdp(passes=1), "progress": False, "checkpoint": tmp_path / "kept"}
    with monkeypatch.context() as patched:
        patched.setattr(brian2_engine, "learn", stopped)
        with pytest.raises(KeyboardInterrupt):
            fspinn.train(QUICK, few, engine="brian2", **settings)
    assert calls == [10, 10]
    with pytest.raises(ConfigError, match=r"is of another run .*engine brian2 there, numba here"):
        fspinn.train(QUICK, few, resume=True, **settings)
    resumed = fspinn.train(QUICK, few, engine="brian2", resume=True, **settings).model
    assert resumed.layer.weights.values.tobytes() == whole.layers[0].weights.values.tobytes()
    assert resumed.layer.theta.values.tobytes() == whole.layers[0].theta.values.tobytes()


def test_lists_that_are_said_again_to_start_quickly_are_the_same():
    def choices(command, name):
        (option,) = (one for one in main.commands[command].params if one.name == name)
        return tuple(option.type.choices)

    assert choices("train", "engine") == choices("evaluate", "engine") == ENGINES
    assert choices("train", "readout") == readout.READOUTS
    assert set(default_spaces.READOUTS) == set(readout.READOUTS)
    assert choices("search", "strategy") == asked.STRATEGIES


def test_brian2_as_typed(tmp_path):
    size = "--neurons 6 --set duration_ms=30 --set rate_norm_hz=900 --set threshold=3 --samples 20 --passes 1"
    file = str(tmp_path / "net.h5")
    arguments = [*size.split(), "--validation", "10", "--engine", "brian2", "-o", file, "--json"]
    trained = CliRunner().invoke(main, ["train", *arguments])
    assert trained.exit_code == 0, trained.stderr
    assert json.loads(trained.stdout)["engine"] == "brian2"
    answers = [
        CliRunner().invoke(main, ["evaluate", file, "--samples", "10", "--engine", name, "--json"])
        for name in ENGINES
    ]
    fast, slow = (json.loads(answer.stdout) for answer in answers)
    assert {**slow, "engine": ""} == {**fast, "engine": ""}
    assert (fast["engine"], slow["engine"]) == ("numba", "brian2")
    refused = CliRunner().invoke(main, ["evaluate", file, "--engine", "brian2", "--threads", "2"])
    assert refused.exit_code == 2
    assert "\nfspinn: threads: the engine brian2 works with one, not 2; leave" in "\n" + refused.stderr
