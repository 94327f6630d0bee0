"""Whoever runs it, it is the same job: training, evaluation and their commands with a chosen engine."""

import json
from dataclasses import replace

import click
import numpy as np
import pytest
from click.testing import CliRunner
from published_images import skip_without

import fspinn
from fspinn.cli import main, options
from fspinn.engines import ENGINES, brian2_engine, engine_of
from fspinn.errors import ConfigError
from fspinn.model import Network
from fspinn.presentation import present
from fspinn.trained import Model, Readout

# Brian2 2.9 calls its parser by old names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

QUICK = Network(neurons=6, duration_ms=30.0, rate_norm_hz=900.0, threshold=3.0, tau_m_ms=30.0)


@pytest.fixture(scope="module")
def few():
    data = fspinn.datasets.load("digits")
    return replace(
        data, train=data.train.first(20), validation=data.validation.first(10), test=data.test.first(10)
    )


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_learns_and_responds(name):
    assert callable(engine_of(name).learn)
    assert callable(engine_of(name).respond)


def test_an_unknown_engine_is_refused_before_anything_runs(few):
    for run in (fspinn.train, fspinn.training.learn):
        with pytest.raises(ConfigError, match=r"^engine: there is no 'nest'; use one of numba, brian2$"):
            run(QUICK, few, engine="nest")


def test_threads_that_an_engine_cannot_use_are_refused_before_anything_runs(few):
    expected = (
        r"^threads: the engine brian2 works with one, not 2; leave threads out, or use the engine numba$"
    )
    with pytest.raises(ConfigError, match=expected):
        fspinn.train(QUICK, few, engine="brian2", threads=2)


CONDUCTANCES = replace(
    QUICK,
    synapses="conductance",
    inhibition_kind="layer",
    refractory_input="ignored",
    rule="triplet",
    adaptation="decaying",
)


def test_a_network_that_an_engine_does_not_run_is_refused_before_anything_runs(few):
    expected = r"^engine: numba does not run synapses = 'conductance'; use brian2$"
    for run in (fspinn.train, fspinn.training.learn, fspinn.tune):
        with pytest.raises(ConfigError, match=expected):
            run(CONDUCTANCES, few)
    with pytest.raises(ConfigError, match=expected):
        fspinn.find_smallest(few, accuracy=0.5, network=CONDUCTANCES)
    network = replace(CONDUCTANCES, weight_norm=1.0)
    readout = Readout("majority", np.ones((6, 10), np.float32))
    model = Model(network, (8, 8), np.ones((64, 6), np.float32), np.zeros(6, np.float32), readout)
    for answer in (fspinn.evaluate, present):
        with pytest.raises(ConfigError, match=expected):
            answer(model, few.test if answer is fspinn.evaluate else few.test.images[0])


def test_the_commands_refuse_it_before_images_are_fetched(monkeypatch):
    monkeypatch.setattr(fspinn.datasets, "load", lambda *args, **kwargs: 1 / 0)
    typed = "--synapses conductance --inhibition-kind layer --refractory-input ignored --rule triplet"
    typed = [*typed.split(), "--adaptation", "decaying"]
    for command in (["train", "--preset", "diehl-cook-2015"], ["tune", *typed], ["search", *typed]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 2, result.output
        assert result.stderr == "fspinn: engine: numba does not run synapses = 'conductance'; use brian2\n"


@pytest.fixture(scope="module")
def mnist():
    skip_without("mnist")


def trained(tmp_path, preset, engine, *more):
    file = tmp_path / f"{engine}.h5"
    arguments = ["--preset", preset, "--engine", engine, "-o", str(file), "--json", *more]
    result = CliRunner().invoke(main, ["train", *arguments])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout), fspinn.load(file)


def test_both_engines_train_the_network_of_bindsnet_to_the_same_spikes(mnist, tmp_path):
    (fast, model), (slow, other) = (trained(tmp_path, "bindsnet-2018", n, "--samples", "3") for n in ENGINES)
    assert fast["neurons"] == 100
    assert model.activity["training"].output_spikes > 30
    assert other.activity == model.activity
    assert slow["accuracy"] == fast["accuracy"]
    np.testing.assert_array_equal(other.readout.table, model.readout.table)
    np.testing.assert_allclose(other.weights, model.weights, atol=1e-5)
    np.testing.assert_allclose(other.theta, model.theta, atol=1e-5)


def test_brian2_trains_the_published_network_and_shows_dark_images_again(mnist, tmp_path):
    """The network of Diehl & Cook but for fewer neurons, on images that are too dark at first."""
    more = "--neurons 10 --samples 2 --passes 1 --max-rate-hz 15"
    answer, model = trained(tmp_path, "diehl-cook-2015", "brian2", *more.split())
    assert (answer["engine"], answer["presentations"], answer["validation_samples"]) == ("brian2", 2, 2)
    steps_of_a_showing = 700 + 300
    counted = model.activity["training"]
    assert counted.steps % steps_of_a_showing == 0
    assert counted.steps > counted.samples * steps_of_a_showing
    assert counted.output_spikes >= counted.samples * model.network.least_spikes
    assert (model.theta > 0).any()
    np.testing.assert_allclose(model.weights.sum(axis=0), 78.0, rtol=1e-6)
    refused = CliRunner().invoke(main, ["evaluate", str(tmp_path / "brian2.h5"), "--samples", "1"])
    assert refused.exit_code == 2
    assert refused.stderr == "fspinn: engine: numba does not run synapses = 'conductance'; use brian2\n"


def test_brian2_trains_and_evaluates_as_the_fast_engine_does(few):
    fast = fspinn.train(QUICK, few, passes=1, progress=False)
    slow = fspinn.train(QUICK, few, passes=1, progress=False, engine="brian2")
    np.testing.assert_allclose(slow.model.weights, fast.model.weights, atol=1e-6)
    np.testing.assert_allclose(slow.model.theta, fast.model.theta, atol=1e-5)
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
    model = fspinn.train(QUICK, few, passes=1, progress=False).model
    with pytest.raises(ZeroDivisionError):
        fspinn.predict(model, few.test.images, engine="brian2")


def test_training_with_brian2_stops_and_goes_on_to_the_same_bits(few, tmp_path, monkeypatch):
    monkeypatch.setattr(fspinn.training, "_CHUNK", 10)
    whole = fspinn.training.learn(QUICK, few, passes=1, progress=False, engine="brian2")
    learn, calls = brian2_engine.learn, []

    def stopped(*args, **kwargs):
        calls.append(len(args[3]))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return learn(*args, **kwargs)

    settings = {"passes": 1, "progress": False, "checkpoint": tmp_path / "kept"}
    with monkeypatch.context() as patched:
        patched.setattr(brian2_engine, "learn", stopped)
        with pytest.raises(KeyboardInterrupt):
            fspinn.train(QUICK, few, engine="brian2", **settings)
    assert calls == [0, 10, 10]
    with pytest.raises(ConfigError, match=r"is of another run .*engine brian2 there, numba here"):
        fspinn.train(QUICK, few, resume=True, **settings)
    resumed = fspinn.train(QUICK, few, engine="brian2", resume=True, **settings).model
    assert resumed.weights.tobytes() == whole.weights.tobytes()
    assert resumed.theta.tobytes() == whole.theta.tobytes()


def test_the_commands_know_the_engines():
    def choices(option):
        @option
        def command():
            pass

        (parameter,) = command.__click_params__
        return parameter

    parameter = choices(options.engine)
    assert isinstance(parameter.type, click.Choice)
    assert (list(parameter.type.choices), parameter.default) == (list(ENGINES), "numba")


def test_brian2_as_typed(tmp_path):
    size = "--neurons 6 --duration-ms 30 --rate-norm-hz 900 --threshold 3 --samples 20 --passes 1"
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
    assert refused.stderr.startswith("fspinn: threads: the engine brian2 works with one, not 2; leave")
