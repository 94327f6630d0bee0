"""fspinn train --learner surrogate, as a person types it."""

import math
import sys

import pytest
from commands import answer, refused, run

import fspinn
from fspinn.network import Network, Surrogate

TRAIN = ("train", "--learner", "surrogate", "--samples", 200, "--passes", 2)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def torch():
    return pytest.importorskip("torch")


def test_a_network_for_labels_is_where_options_start_from(tmp_path):
    found = answer(*TRAIN, "--surrogate", "atan", "--set", "surrogate_width=0.4")
    assert (found["readout"], found["presentations"], found["neurons"]) == ("linear", 400, 200)
    model = fspinn.load("net.h5")
    assert model.network == Network.supervised()
    assert model.learner == Surrogate("atan", 0.4, passes=2)
    assert [path.name for path in tmp_path.iterdir()] == ["net.h5"]


def test_beta_is_of_all_layers_and_is_shown_beside_the_time_constant():
    layers = ("--neurons", 20, "--set", "layers.2.neurons=10", "--set", "dt_ms=0.5", "--set", "output=spikes")
    found = answer(*TRAIN, "--beta", 0.8, *layers)
    assert found["readout"] == "majority"
    network = fspinn.load("net.h5").network
    assert [layer.neurons for layer in network.layers] == [20, 10]
    assert [layer.inhibition.kind for layer in network.layers] == ["none", "none"]
    for layer in network.layers:
        assert layer.neuron.tau_m_ms == pytest.approx(-0.5 / math.log(0.8))
    shown = run("info", "net.h5").stdout
    assert "beta 0.8 (tau_m_ms 2.24071)" in shown
    answer(*TRAIN, "--beta", 1, "--neurons", 20)
    assert fspinn.load("net.h5").network.layers[0].neuron.tau_m_ms is None
    assert "none (beta 1)" in run("info", "net.h5").stdout


def test_a_field_slides(tmp_path):
    answer(*TRAIN, "--field", 3, "--neurons", 4, "--cells", 2, "--weights", "Q1.3")
    model = fspinn.load("net.h5")
    assert model.network.layers[0].field == (3, 3)
    assert model.learner.weight_bits == 4
    assert answer("quantize", "net.h5", "--weights", "Q1.3", "-o", "four.h5")["model"] == "four.h5"


def test_activity_costs_what_the_settings_say():
    alone = answer(*TRAIN, "-o", "alone.h5")
    found = answer(*TRAIN, "--set", "penalty=synops", "--set", "penalty_strength=3", "-o", "sparse.h5")
    learner = fspinn.load("sparse.h5").learner
    assert (learner.penalty, learner.penalty_strength) == ("synops", 3.0)
    without, with_it = (answer("evaluate", one["model"], "--split", "validation") for one in (alone, found))
    assert with_it["spikes_per_sample"] < without["spikes_per_sample"]
    assert (
        with_it["neurobench"]["readout"]["effective_macs"]
        < without["neurobench"]["readout"]["effective_macs"]
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "penalty=l3"), "penalty: unknown value 'l3'; use one of none, l1, l2"),
        (("--set", "penalty_strength=3"), "penalty_strength: 3 of no penalty; set penalty to one of l1, l2"),
        (("--set", "penalty=l1", "--set", "penalty_strength=-1"), "penalty_strength: must be at least 0"),
        (("--beta", 1.5), "beta: 1.5 is not above 0 and at most 1"),
        (("--beta", 0), "beta: 0 is not above 0 and at most 1"),
        (("--beta", 0.9, "--set", "tau_m_ms=3"), "tau_m_ms: is given by --beta and by --set"),
        (
            ("--surrogate", "atanh"),
            "surrogate: unknown value 'atanh'; did you mean atan? use one of fast_sigm",
        ),
        (("--set", "surrogate_width=0"), "surrogate_width: must be above 0"),
        (("--resume",), "--resume: the learner surrogate keeps no checkpoint"),
        (("--weights", "UQ0.4"), "weights: learning has signed formats of 2 to 8 bits in view, not UQ0.4"),
        (("--set", "inhibition=lateral"), "inhibition: gradients do not pass through lateral"),
        (("--learner", "surogate"), "learner: unknown value 'surogate'; did you mean surrogate?"),
    ],
)
def test_bad_input_is_refused_in_one_line(words, said, tmp_path):
    assert said in refused(*TRAIN, *words)
    assert list(tmp_path.iterdir()) == []


def test_a_surrogate_without_its_learner_is_refused():
    assert "surrogate: needs learner = surrogate" in refused("train", "--surrogate", "atan")


def test_without_torch_one_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    said = refused(*TRAIN)
    assert "learner: surrogate needs torch, which is not installed" in said
    assert 'pip install "fspinn[surrogate]"' in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--checkpoint-every", 100), "--checkpoint-every: the learner surrogate keeps no checkpoint"),
        (
            ("--surrogate", "straight-through", "--set", "surrogate_width=0.5"),
            "surrogate_width: straight-through has no width",
        ),
    ],
)
def test_what_does_not_go_with_gradients_is_refused(words, said, tmp_path):
    assert refused(*TRAIN, *words).startswith(f"fspinn: {said}")
    assert list(tmp_path.iterdir()) == []
