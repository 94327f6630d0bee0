"""A sweep over leak and threshold: its points, what it says of them, and the command."""

import csv
import json
import shutil
from dataclasses import replace
from math import log

import pytest
from click.testing import CliRunner

import fspinn
from fspinn.base.errors import ConfigError, DataError
from fspinn.cli import main
from fspinn.cli.sweep import values
from fspinn.datasets import load
from fspinn.network import FirstSpike, Fixed, Layer, Network, Neuron, NoInhibition, Surrogate
from fspinn.network.setup import Setup
from fspinn.report.plots.sweeps import front, heat_maps
from fspinn.search.jobs import SearchContext
from fspinn.search.sweep import _points, at, beta_of, sweep
from fspinn.search.swept import SweepPoint, SweepResult, Trade, describe, row, save_sweep

WORDS = (
    "sweep --neurons 10 --samples 100 --validation 60 --passes 1 --set duration_ms=60 --set rate_norm_hz=900"
)
AXES = {"beta": [0.9, 1.0], "threshold": [5.0, 10.0]}
SMALL = Network.dense(8, duration_ms=50.0)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def data():
    digits = load("digits", validation=60)
    return replace(digits, train=digits.train.first(100))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a sweep") / "swept"
    found = run(*WORDS.split(), "--beta", "0.9,1", "--threshold", "5:15:3", "-o", folder, "--json")
    assert found.exit_code == 0, found.stderr
    return folder, json.loads(found.stdout), found.stderr


def point(accuracy=0.9, latency_s=1e-4, beta=0.5, spikes=10.0, is_default=False, **more):
    """Return a measured point, of whose latency a tenth does not follow the spikes."""
    measured = {"accuracies": (accuracy,), "layer_spikes": (spikes, 2.0), "intercept_s": 1e-5}
    measured |= {"images_per_s": 1 / latency_s, "images_per_j": 2 / latency_s}
    settings = more.pop("settings", {})
    return SweepPoint(
        settings, beta, 1.0, is_default, accuracy=accuracy, latency_s=latency_s, **(measured | more)
    )


IMAGES = {"name": "digits", "checksum": "ab", "seed": 0, "train": 100, "validation": 60}


def result(*points):
    return SweepResult(points, {"beta": (0.5,)}, "surrogate", "linear", "a chip", "0f", (0,), IMAGES, 1.0)


# --- what is trained ----------------------------------------------------------------------------------


def test_leak_and_threshold_are_those_of_all_layers():
    stack = Setup(Network(layers=(Layer(8), Layer(4))), Surrogate())
    changed = at(stack, {"beta": 0.5, "threshold": 3.0, "surrogate": "atan", "surrogate_width": 0.5})
    for layer in changed.network.layers:
        assert (layer.neuron.tau_m_ms, layer.neuron.threshold) == (pytest.approx(1 / log(2)), 3.0)
    assert beta_of(changed) == pytest.approx(0.5)
    assert (changed.learner.surrogate, changed.learner.surrogate_width) == ("atan", 0.5)
    assert at(stack, {"beta": 1}).network.layers[1].neuron.tau_m_ms is None
    assert beta_of(at(stack, {"beta": 1})) == 1.0


def test_each_map_has_its_default_and_no_network_is_trained_twice():
    surrogates = {"surrogate": ["fast_sigmoid", "atan"], "surrogate_width": [None, 0.64]}
    points = _points(Setup(SMALL, Surrogate()), {**surrogates, **AXES})
    assert len(points) == 4 * (1 + 4)
    assert sum(one.is_default for one in points.values()) == 4
    inside = _points(at(Setup(SMALL), {"beta": 0.9, "threshold": 5.0}), AXES)  # the default is on the grid
    assert len(inside) == 4


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"beta": [1.5]}, "beta: 1.5 is not above 0 and at most 1; it is what stays of a potential"),
        ({"beta": [0.0]}, "beta: 0 is not above 0"),
        ({"beta": []}, "beta: has no values; give at least one"),
        ({"beta": 0.9}, r"beta: 0\.9 is not a list of values; give one, such as \[0\.9\]"),
        ({"threshold": [1.0, 1.0]}, "threshold: a value is given twice; leave one out"),
        ({"threshold": [-1.0]}, "threshold: "),
        ({"surrogate": ["atan"]}, "surrogate"),
        ({"threshold": [k + 1.0 for k in range(10_001)]}, "sweep: more than 10,000 networks; make the grid"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(data, axes, words):
    with pytest.raises(ConfigError, match=words):
        sweep(SMALL, data, axes, progress=False)


def test_a_sweep_needs_images_to_measure_on_and_hardware_that_knows_time(data):
    with pytest.raises(ConfigError, match="validation: a sweep needs validation images to measure on; hold"):
        sweep(SMALL, replace(data, validation=data.validation.first(0)), AXES)
    with pytest.raises(ConfigError, match="hardware: loihi-like says nothing of time; choose other hardware"):
        sweep(SMALL, data, AXES, hardware="loihi-like")


def test_if_all_networks_fail_a_sweep_says_why(data):
    silent = Network.dense(4, neuron=Neuron(threshold=1e6), duration_ms=5.0)
    with pytest.raises(ConfigError, match="sweep: every network failed, the first one: "):
        sweep(silent, data, {"threshold": [2e6]}, progress=False)


# --- what is measured ---------------------------------------------------------------------------------


def test_a_point_is_the_mean_of_its_trainings_and_what_training_alone_gives(data):
    found = sweep(SMALL, data, {"threshold": [10.0]}, seeds=2, progress=False)
    default, other = found.points
    assert (default.is_default, other.is_default) == (True, False)
    assert (other.threshold, other.beta) == (10.0, default.beta)
    alone = [
        fspinn.train(fspinn.with_settings(SMALL, {"threshold": 10.0}), data, seed=seed, progress=False)
        for seed in (0, 1)
    ]
    assert other.accuracies == tuple(one.model.record["validation_accuracy"] for one in alone)
    assert other.accuracy == pytest.approx(sum(other.accuracies) / 2)
    spikes = [
        fspinn.evaluate(one.model, data.validation, seed=seed).spikes_per_sample
        for seed, one in enumerate(alone)
    ]
    assert other.layer_spikes == (pytest.approx(sum(spikes) / 2),)
    assert other.latency_s == pytest.approx(other.intercept_s + other.spike_s)


def test_what_was_trained_is_not_trained_again(data, tmp_path, monkeypatch):
    first = sweep(SMALL, data, {"threshold": [10.0]}, folder=tmp_path, progress=False)
    monkeypatch.setattr(SearchContext, "_measured", None)
    again = sweep(SMALL, data, {"threshold": [10.0]}, folder=tmp_path, progress=False)
    assert again.points == first.points


# --- what is said of it -------------------------------------------------------------------------------


def test_a_trade_says_which_way_it_goes():
    default = point(is_default=True)
    faster = Trade(default, point(0.89, 5e-5, 0.25, spikes=4.0))
    assert str(faster) == (
        "50.0% less latency for 1.00 points less accuracy (89.00%), with 50.0% fewer spikes"
    )
    slower = str(Trade(default, point(0.92, 1.5e-4, spikes=16.0)))
    assert "50.0% more latency for 2.00 points more accuracy (92.00%), with 50.0% more spikes" in slower
    assert "the same latency for 0.00 points more accuracy (90.00%), with as many spikes" in str(
        Trade(default, point())
    )


def test_the_fastest_may_lose_three_points_and_no_more():
    default = point(is_default=True)
    fast, hasty, best = point(0.875, 6e-5), point(0.86, 2e-5), point(0.95, 2e-4)
    found = result(default, hasty, fast, best)
    assert [(trade.point, trade.fastest) for trade in found.trades] == [(fast, True), (best, False)]
    assert [one.accuracy for one in found.front] == [0.86, 0.875, 0.9, 0.95]
    assert found.as_dict()["front"] == [1, 2, 0, 3]
    said = describe(found)
    assert "10% of the latency is the intercept" in said
    assert "40.0% less latency for 2.50 points less accuracy" in said
    assert "published beside it, with another network, for SVHN, on an FPGA" in said
    assert "reproduc" not in said


def test_where_nothing_is_faster_that_is_said():
    said = describe(result(point(is_default=True), point(0.91, 2e-4)))
    assert "no setting is faster at up to 3 points" in said
    assert "100.0% more latency for 1.00 points more accuracy" in said


def test_surrogates_are_compared_by_default_and_failures_are_counted():
    one, other = {"surrogate": "fast_sigmoid"}, {"surrogate": "atan"}
    failed = SweepPoint(one, 0.3, 1.0, error="never spikes")
    found = result(
        point(is_default=True, settings=one),
        failed,
        point(0.91, 2e-4, is_default=True, settings=other),
    )
    said = describe(found)
    assert "1 could not be measured; the first: never spikes" in said
    assert "atan against fast_sigmoid, both as given: 100.0% more latency for 1.00 points more" in said
    assert row(failed) == "  beta 0.3, threshold 1, fast_sigmoid: never spikes"
    lost = replace(found.points[0], accuracy=None, error="never spikes")
    said = describe(result(lost, point(settings=one), *found.points[2:]))
    assert "fast_sigmoid, as given: could not be measured (never spikes)" in said


def test_surrogates_are_compared_at_the_same_width():
    points = [
        point(accuracy, is_default=True, settings={"surrogate": surrogate, "surrogate_width": width})
        for surrogate, accuracy in (("fast_sigmoid", 0.9), ("atan", 0.91))
        for width in (None, 0.64)
    ]
    said = describe(result(*points))
    assert "atan, default width against fast_sigmoid, default width, both as given: " in said
    assert "atan, width 0.64 against fast_sigmoid, width 0.64, both as given: " in said
    assert said.count(" against ") == 2 + 1  # and the front, of accuracy


def test_labels_fill_the_layers_of_a_sweep(data):
    pytest.importorskip("torch")
    neuron = Neuron(threshold=1.0, tau_m_ms=10.0, weight_norm=1.0)
    layers = (Layer(12, neuron=neuron, inhibition=NoInhibition(), adaptation=Fixed()),) * 2
    network = Network(FirstSpike(), layers, duration_ms=8.0)
    found = sweep(
        network,
        data,
        {"surrogate": ["fast_sigmoid", "boxcar"], "surrogate_width": [None, 0.64], "threshold": [2.0]},
        learner=Surrogate(passes=1),
        readout="linear",
        progress=False,
    )
    assert len(found.measured) == 4 * 2
    assert len({one.accuracies for one in found.points}) > 1
    assert all(len(one.layer_spikes) == 2 and one.spike_s > 0 for one in found.points)


def test_pictures_have_a_row_for_each_map_and_mark_the_default():
    one, other = {"surrogate": "fast_sigmoid"}, {"surrogate": "atan"}
    points = [
        point(0.9, 1e-4 * beta, beta, settings=each, is_default=beta == 0.5)
        for each in (one, other)
        for beta in (0.5, 0.25)
    ]
    found = result(*points)
    figure = heat_maps(found)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == 2 * ["accuracy (%)", "output spikes an image", "latency (us)"]
    assert "latency on a chip" in front(found).axes[0].get_xlabel()


def test_penalties_are_compared_with_the_network_as_given():
    axes = {"penalty": ["l1", "l2"], "penalty_strength": [1.0, 3.0]}
    points = _points(Setup(Network.supervised(8), Surrogate()), axes)
    assert [(one.penalty, one.penalty_strength) for one in points.values()] == [
        ("none", None), ("l1", 1.0), ("l1", 3.0), ("l2", 1.0), ("l2", 3.0),
    ]  # fmt: skip
    assert [one.is_default for one in points.values()] == [True, False, False, False, False]
    of_each = _points(Setup(Network.supervised(8), Surrogate()), {**axes, "threshold": [2.0]})
    assert sum(one.is_default for one in of_each.values()) == 4
    with pytest.raises(ConfigError, match="penalty_strength: 3 of no penalty; set penalty to one of l1"):
        _points(Setup(Network.supervised(8), Surrogate()), {"penalty_strength": [3.0]})


def test_a_penalty_is_said_and_what_it_saves():
    default = point(is_default=True, synaptic_operations=100.0)
    sparse = point(0.89, 5e-5, penalty="l1", penalty_strength=3.0, synaptic_operations=40.0)
    assert str(Trade(default, sparse)).endswith("as many spikes and 60.0% fewer synaptic operations")
    assert row(sparse).startswith("  beta 0.5, threshold 1, l1 x 3: 89.00%, 10.0 + 2.0 spikes, 40 SynOps, ")
    assert Trade(default, sparse).as_dict()["operations_saved"] == pytest.approx(0.6)


def test_pictures_of_penalties_have_them_along_their_sides():
    points = [
        point(0.9 - strength / 100, penalty=kind, penalty_strength=strength, synaptic_operations=9.0)
        for kind in ("l1", "l2")
        for strength in (1.0, 3.0)
    ]
    axes = {"penalty": ("l1", "l2"), "penalty_strength": (1.0, 3.0)}
    found = replace(result(point(is_default=True, synaptic_operations=90.0), *points), axes=axes)
    first = heat_maps(found).axes[0]
    assert (first.get_xlabel(), first.get_ylabel()) == ("penalty strength", "penalty")
    assert [label.get_text() for label in first.get_yticklabels()] == ["l1", "l2"]
    labels = [axes.get_xlabel() for axes in front(found).axes]
    assert labels == [
        "output spikes an image; a ring is the default",
        "weights that layers add for an image; a ring is the default",
    ]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file: cannot be written .*; choose another folder"):
        save_sweep(result(point(is_default=True)), tmp_path / "file")


# --- the command --------------------------------------------------------------------------------------


def test_the_command_writes_everything_and_answers_with_it(swept):
    folder, answer, stderr = swept
    assert {path.name for path in folder.iterdir()} == {
        "sweep.json",
        "sweep.csv",
        "heat-maps.png",
        "front.png",
        "journal.jsonl",
    }
    assert len(answer["points"]) == 1 + 2 * 3 == stderr.count("FPS/W")
    assert answer["axes"] == {"beta": [0.9, 1.0], "threshold": [5.0, 10.0, 15.0]}
    kept = json.loads((folder / "sweep.json").read_text())
    assert kept == {name: value for name, value in answer.items() if name != "files"}
    rows = list(csv.DictReader((folder / "sweep.csv").open()))
    assert [float(one["accuracy"]) for one in rows] == [one["accuracy"] for one in answer["points"]]
    assert float(rows[1]["spike_s"]) + float(rows[1]["intercept_s"]) == pytest.approx(
        float(rows[1]["latency_s"])
    )


@pytest.mark.parametrize(
    ("words", "others"),
    [
        ("--threshold 5:15:2", "values"),
        ("--threshold 5:15:3 --seed 1", "images and seeds"),
        ("--threshold 5:15:3 --set encoder=regular", "settings"),
        ("--threshold 5:15:3 --readout majority", "settings"),
        ("--threshold 5:15:3 --hardware mcu-m4f", "hardware"),
    ],
)
def test_another_sweep_is_not_replaced(swept, words, others):
    folder, _, _ = swept
    before = (folder / "sweep.json").read_bytes()
    found = run(*WORDS.split(), "--beta", "0.9,1", *words.split(), "-o", folder)
    assert found.exit_code == 2
    assert found.stderr == (
        f"fspinn: {folder}/ holds a sweep with other {others}; give another folder with -o, or --overwrite\n"
    )
    assert (folder / "sweep.json").read_bytes() == before


def test_the_same_sweep_is_replaced_and_another_one_if_that_is_asked_for(swept, tmp_path):
    folder, answer, _ = swept
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    typed = [*WORDS.split(), "--beta", "0.9,1", "-o", copy, "--json"]
    again = run(*typed, "--threshold", "5:15:3")
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout)["points"] == answer["points"]
    other = run(*typed, "--threshold", "5:15:2", "--overwrite")
    assert other.exit_code == 0, other.stderr
    assert json.loads((copy / "sweep.json").read_text())["axes"]["threshold"] == [5.0, 15.0]
    with pytest.raises(ConfigError, match=r"holds a sweep with other images and values"):
        save_sweep(result(point(is_default=True)), copy)
    held = json.loads((copy / "sweep.json").read_text())
    for unreadable in ({}, {**held, "seeds": []}):
        (copy / "sweep.json").write_text(json.dumps(unreadable))
        with pytest.raises(ConfigError, match=r"sweep\.json: is not an answer that this version can read"):
            save_sweep(result(point(is_default=True)), copy)


def test_a_list_and_a_range_are_values():
    assert values("--beta", "0.5, 0.9") == [0.5, 0.9]
    assert values("--beta", "0.25:0.95:8") == [0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--beta 0.9:0.5:3", "--beta: '0.9:0.5:3' is neither a list nor a rising range of 2 to 100 values"),
        ("--beta 0.5:0.9", "--beta: '0.5:0.9' is neither"),
        ("--beta 0.5:0.9:1000", "--beta: '0.5:0.9:1000' is neither"),
        ("--threshold a,b", "--threshold: 'a,b' is neither"),
        ("--threshold ,", "--threshold: ',' is neither"),
        ("--beta 1.5", "beta: 1.5 is not above 0 and at most 1"),
        ("--beta nan", "--beta: "),
        ("--learner surrogate --surrogate sine", "surrogate: "),
        ("--learner surrogate --surrogate-width default,0", "surrogate_width: "),
        ("--learner magic --beta 0.5", "learner: "),
        ("--surrogate atan", "surrogate"),
        ("--penalty l1", "penalty: needs learner = surrogate"),
        ("--learner surrogate --penalty l3", "penalty: unknown value 'l3'"),
        ("--learner surrogate --penalty-strength 0.1,3", "penalty_strength: 0.1 of no penalty; set penalty"),
        ("", "sweep: nothing varies; give --beta or --threshold, such as --threshold 10:30:3"),
    ],
)
def test_bad_input_is_one_line(words, message, tmp_path):
    found = run("sweep", *words.split(), "-o", tmp_path / "none")
    assert found.exit_code == 2
    assert message in found.stderr
    assert found.stderr.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_a_network_for_labels_is_swept_as_it_is_typed(tmp_path):
    pytest.importorskip("torch")
    words = "sweep --learner surrogate --neurons 12 --samples 100 --validation 60 --passes 1"
    found = run(
        *words.split(), "--beta", "0.5", "--surrogate-width", "default,0.64", "-o", tmp_path, "--json"
    )
    assert found.exit_code == 0, found.stderr
    answer = json.loads(found.stdout)
    assert (answer["learner"], answer["axes"]["surrogate_width"]) == ("surrogate", [None, 0.64])
    assert [one["beta"] for one in answer["points"]] == pytest.approx([0.9, 0.5] * 2)


def test_penalties_are_swept_as_they_are_typed(tmp_path):
    pytest.importorskip("torch")
    words = "sweep --learner surrogate --neurons 12 --samples 200 --validation 60 --passes 2"
    penalties = ("--penalty", "l1,synops", "--penalty-strength", "1,10")
    found = run(*words.split(), *penalties, "-o", tmp_path, "--json")
    assert found.exit_code == 0, found.stderr
    points = json.loads(found.stdout)["points"]
    assert [(one["penalty"], one["penalty_strength"]) for one in points] == [
        ("none", None), ("l1", 1.0), ("l1", 10.0), ("synops", 1.0), ("synops", 10.0),
    ]  # fmt: skip
    assert points[2]["spikes"] < points[0]["spikes"]
    assert all(one["synaptic_operations"] > 0 for one in points)
    rows = list(csv.DictReader((tmp_path / "sweep.csv").open()))
    assert [one["penalty"] for one in rows] == ["none", "l1", "l1", "synops", "synops"]


def test_what_is_swept_in_all_layers_is_not_swept_in_one_of_them(data):
    network = Network.supervised((20, 10))
    axes = {"layers.2.threshold": [2.0, 1.0], "threshold": [1.0, 2.0]}
    with pytest.raises(ConfigError, match=r"layers\.2\.threshold: threshold is swept in all layers; leave"):
        fspinn.sweep(network, data, axes, learner=Surrogate(), progress=False)
