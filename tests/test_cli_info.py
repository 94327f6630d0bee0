"""fspinn info: what is in a model file, in words, as JSON, and as equations."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from click.testing import CliRunner
from described import both, changed, dense

import fspinn
from fspinn.answering.describe import in_words
from fspinn.backends.brian2.definition import PHASES, SLOTS, text
from fspinn.backends.brian2.equations import define
from fspinn.base.settings import from_plain, members
from fspinn.cli import main
from fspinn.lowering import quantize
from fspinn.lowering.compiler import answering_plan, learning_plan
from fspinn.model.tensors import LayerTensors
from fspinn.network import Adaptation, Inhibition, Layer, Network, Neuron, Rule
from fspinn.network.learners import Hybrid, Surrogate
from fspinn.network.rules import NORMALISATIONS, Stdp
from fspinn.presets import start_of


@pytest.fixture(scope="module")
def model():
    data = fspinn.datasets.load("digits")
    network = dense(neurons=12, threshold=5.0, refractory_ms=2.0, answer_threshold=3.0)
    return fspinn.train(network, data, learner=Stdp(passes=1), seed=4, labels=300, progress=False).model


@pytest.fixture
def file(model, tmp_path):
    path = tmp_path / "net.h5"
    fspinn.save(model, path)
    return path


def info(*arguments):
    result = CliRunner().invoke(main, ["info", *map(str, arguments)])
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def test_a_person_reads_what_is_in_the_file(file, model):
    said = info(file)
    lines = {line.split("  ")[0]: line for line in said.splitlines()}
    assert "12 neurons, 64 inputs (8 x 8 pixels), 350 time steps of 1 ms an image" in lines["network"]
    assert "normalised learning, lateral inhibition, balanced thresholds, poisson input" in said
    assert "threshold 5, refractory_ms 2, answer_threshold 3" in lines["settings"]
    assert "proportion, 120 numbers for 10 classes: 0, 1, 2" in lines["readout"]
    assert "weights float32, state float32, theta float32, readout float32" in lines["formats"]
    assert "digits, 1199 images (239 held out for validation)" in lines["trained on"]
    assert "passes 1, seed 4, engine numba, labels 300" in lines["training"]
    assert f"{model.record['validation_accuracy']:.2%} on validation images" in lines["accuracy"]
    assert f"fspinn {fspinn.__version__}" in lines["made with"]
    spikes = model.activity["training"][0].per_sample("output_spikes")
    assert "1199 presentations, each with" in lines["training activity"]
    assert f"{spikes:.1f} output spikes" in lines["training activity"]


def test_settings_by_default_are_not_repeated(model):
    words = in_words(replace(model, network=dense(neurons=12, weight_norm=2.0)))
    assert words["settings"] == "weight_norm 2, passes 1, all others by default"


def test_a_quantized_model_says_so_and_that_nobody_measured_it(model, tmp_path):
    fspinn.save(quantize(model, weights="UQ0.4"), tmp_path / "net4.h5")
    said = info(tmp_path / "net4.h5")
    assert "weights UQ0.4, state float32, theta float32, readout UQ0.8" in said
    assert "not measured; try `fspinn evaluate`" in said


def test_a_program_reads_the_same_and_all_settings(file, model):
    answer = json.loads(info(file, "--json"))
    assert answer["model"] == str(file)
    assert from_plain(Network, answer["network"]) == model.network
    assert from_plain(Stdp, answer["learner"]) == Stdp(passes=1)
    assert (answer["inputs"], answer["image_shape"]) == (64, [8, 8])
    assert answer["readout"] == {"name": "proportion", "classes": 10, "parameters": 120}
    assert answer["formats"] == dict.fromkeys(("weights", "state", "theta", "readout"), "float32")
    assert answer["activity"]["training"] == [model.activity["training"][0].as_dict()]
    assert answer["record"]["validation_accuracy"] == model.record["validation_accuracy"]
    assert "equations" not in answer


def test_defaults_of_all_learners_are_said():
    said = info("--settings").splitlines()
    assert (
        "threshold = 20 weight norms; 2 with a field and by stdp+labels; 1 by surrogate and by hybrid" in said
    )
    assert "gradient_rate = 0.02 [only with learner = surrogate]" in said
    assert "gradient_rate = 0.005 [only with learner = hybrid]" in said
    rows = json.loads(info("--settings", "--json"))["settings"]
    others = {row["name"]: row["other_defaults"] for row in rows}
    for kind in ("stdp+labels", "surrogate", "hybrid"):
        network = start_of({"learner": kind}).network
        assert float(others["neurons"][f"by {kind}"]) == network.neurons
        assert float(others["duration_ms"][f"by {kind}"]) == network.duration_ms
    assert others["stride"] == {}


def test_help_says_the_defaults_of_all_learners():
    words = " ".join(CliRunner().invoke(main, ["train", "--help-all"]).stdout.split())
    kinds = ("stdp+labels", "surrogate", "hybrid")
    assert [start_of({"learner": kind}).network.neurons for kind in kinds] == [16, 200, 200]
    assert "[default: 400; 16 with a field or by stdp+labels; 200 by surrogate and hybrid" in words
    assert f"{Surrogate.usual_passes} times by surrogate, {Hybrid.usual_passes} by hybrid]" in words
    assert "surrogate and hybrid learn from these alone" in words


def test_the_equations_are_those_of_this_network(file):
    said = info(file, "--equations")
    learning, answering = said.split("--- answering ---")
    assert learning.startswith("--- learning ---\n")
    for there in ("dv/dt = -v/tau_m : 1", "tau_m = 100*ms", "refractory_steps = 2", "neurons (12)"):
        assert there in learning
        assert there in answering
    assert "learning_rate(t) = 0.1 in the first presentation, 0.001 in the last" in learning
    assert "learning_rate" not in answering
    threshold = [line for line in said.splitlines() if "firing_threshold =" in line]
    before, after = (float(line.split(" = ")[1]) for line in threshold)
    assert after == pytest.approx(before * 3 / 5)
    both = json.loads(info(file, "--equations", "--json"))["equations"]
    assert said == f"--- learning ---\n{both['learning']}\n\n--- answering ---\n{both['answering']}\n\n"


@pytest.fixture(scope="module")
def columns(tmp_path_factory):
    """Files of a column, and of a stack of it and a dense layer."""
    data, folder = fspinn.datasets.load("digits"), tmp_path_factory.mktemp("columns")
    column = Network.patches(4, (3, 2), cells=(2, 1))
    stack = replace(column, layers=(*column.layers, Layer(5, neuron=Neuron(threshold=1.0))))
    for name, network in (("column", column), ("stack", stack)):
        fspinn.save(fspinn.train(network, data, progress=False).model, folder / f"{name}.h5")
    return folder


def test_a_person_reads_where_a_column_looks(columns):
    lines = {line.split("  ")[0]: line for line in info(columns / "column.h5").splitlines()}
    assert "4 neurons, images of 8 x 8 pixels, 8 time steps of 1 ms an image" in lines["network"]
    assert lines["layer"].endswith(
        "4 neurons with a field of 3 x 2 (6 inputs) at 6 x 7 positions, stride 1; 2 x 1 cells x 4 neurons = "
        "8 features"
    )
    assert "first inhibition, balanced thresholds, ttfs input" in lines["mechanisms"]
    assert "field" not in lines["settings"]
    assert "tau_m_ms none" in lines["settings"]
    assert "with 42.0 positions, " in lines["inference activity"]


def test_a_person_reads_of_each_layer_of_a_stack(columns):
    lines = {line.split("  ")[0]: line for line in info(columns / "stack.h5").splitlines()}
    assert "stride 1; 2 x 1 cells x 4 neurons = 8 features; threshold 2, tau_m_ms none, " in lines["layer 1"]
    assert "5 neurons that see all 8 inputs; 5 features; threshold 1, " in lines["layer 2"]
    assert "first, lateral inhibition" in lines["mechanisms"]
    assert "threshold" not in lines["settings"]
    assert lines["formats 1"].endswith("weights float32, state float32, theta float32")
    assert lines["formats 2"].endswith("theta float32, readout float32")
    assert "42.0 positions" in lines["inference activity 1"]
    assert "positions" not in lines["inference activity 2"]


def test_a_program_reads_of_each_layer(columns):
    answer = json.loads(info(columns / "stack.h5", "--json"))
    assert (answer["inputs"], answer["image_shape"]) == (6, [8, 8])
    first, second = answer["layers"]
    assert (first["input_shape"], first["positions"], first["features"]) == ([8, 8, 1], [6, 7], 8)
    assert (second["input_shape"], second["positions"], second["inputs"]) == ([2, 1, 4], [1, 1], 8)


def test_equations_of_a_stack_are_those_of_its_layers_one_after_the_other(columns):
    _, column = info(columns / "column.h5", "--equations").split("--- answering ---\n")
    _, stack = info(columns / "stack.h5", "--equations").split("--- answering ---\n")
    first, second = stack.removeprefix("Layer 1\n\n").split("Layer 2\n\n")
    assert first == column
    assert "v : 1  # potential" in first
    assert "dv/dt = -v/tau_m : 1  # potential" in second


def test_what_columns_cost_is_said_by_component(columns):
    result = CliRunner().invoke(main, ["estimate", str(columns / "stack.h5"), "--details"])
    assert result.exit_code == 0
    for component in ("input_buffer", "spike_times", "votes"):
        assert f"\n  {component} " in result.stdout
    online = CliRunner().invoke(main, ["estimate", str(columns / "column.h5"), "--online", "--json"])
    memory = json.loads(online.stdout)["memory_bits"]["inference"]
    assert (memory["membrane"], memory["input_buffer"]) == (42 * 4 * 32, 0)


def test_a_missing_file_is_one_line(tmp_path):
    result = CliRunner().invoke(main, ["info", str(tmp_path / "none.h5")])
    assert result.exit_code == 2
    assert "there is no such file" in result.stderr


# --- definitions ------------------------------------------------------------------------------------

NETWORK = both(neurons=3, weight_norm=1.0, window_ms=50.0)


BLANK = np.zeros((4, 3)), np.zeros(3)


def learning(network):
    return learning_plan(network.network, network.learner, *BLANK)


def answering(network):
    return answering_plan(network.network, (LayerTensors.of_floats(*BLANK),))


def definitions():
    for rule, kind, adaptation, normalisation in product(
        members(Rule), members(Inhibition), members(Adaptation), NORMALISATIONS
    ):
        if kind == "none" and adaptation != "off":
            continue
        network = changed(
            NETWORK, rule=rule, inhibition=kind, adaptation=adaptation, normalisation=normalisation
        )
        for plan in (answering,) if kind == "none" else (learning, answering):
            yield define(plan(network))


def test_phases_follow_each_other():
    for definition in definitions():
        slots = [SLOTS.index(part.slot) for part in definition.schedule]
        assert slots == sorted(slots)
        assert {part.slot for part in definition.schedule} <= PHASES.keys()


def test_every_name_in_the_equations_has_a_value():
    """Of constants there are those that are used, no more: a reader need not look for the others."""
    for definition in definitions():
        printed = text(definition)
        above, below = printed.split("\nwhere\n")
        for line in below.splitlines():
            assert above.count(line.split()[0].removesuffix("(t)")) >= 1
        assert (*definition.constants, *definition.per_presentation) == tuple(
            line.split()[0].removesuffix("(t)") for line in below.splitlines()
        )


def test_a_network_that_answers_changes_nothing():
    for rule, adaptation in product(members(Rule), members(Adaptation)):
        network = changed(NETWORK, rule=rule, adaptation=adaptation, normalisation="l2", weight_decay=0.1)
        definition = define(answering(network))
        code = "\n".join(part.code for part in definition.schedule if hasattr(part, "code"))
        assert not [line for line in code.splitlines() if line.split()[0] in ("theta", "w")]
        assert not definition.per_presentation
