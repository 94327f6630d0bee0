"""Benchmarks: README and docs/results.md say what the results say. (Nothing is measured here.)"""

import importlib
import json
from dataclasses import replace
from types import SimpleNamespace

import ablation
import activity
import engines
import numpy as np
import pytest
import search
import tables
from described import both, changed, setup

import fspinn

NAMES = (
    "ablation",
    "accuracy",
    "activity",
    "beside",
    "colour",
    "column_speed",
    "columns",
    "conversion",
    "cost_model",
    "device",
    "device_costs",
    "device_events",
    "device_learning",
    "engines",
    "events",
    "fixed_point",
    "fpga",
    "headline",
    "heartbeats",
    "labels",
    "learners",
    "mnist",
    "pareto",
    "robustness",
    "search",
    "smallest",
    "speed",
    "sweep",
    "surrogate",
    "systems",
)
MACHINE = {"machine": "an abacus"}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_holds_the_tables_that_the_results_render(name):
    benchmark = importlib.import_module(name)
    results = tables.kept(name, benchmark.PARTS)
    if len(results) < len(benchmark.PARTS):
        pytest.skip(f"results of {name} are not all measured yet")
    assert tables.block_of(name)[2] == benchmark.render(results)


@pytest.mark.parametrize("name", NAMES)
def test_no_result_is_of_a_part_that_a_benchmark_does_not_have(name):
    parts = importlib.import_module(name).PARTS
    assert {path.stem for path in (tables.RESULTS / name).glob("*.json")} <= set(parts)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A benchmark with the parts a and b in a folder of its own; call it with command-line arguments."""
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(tables, "PAGES", (tmp_path / "README.md", tmp_path / "results.md"))
    tables.PAGES[0].write_text("nothing\n")
    monkeypatch.setattr(tables, "machine", lambda: MACHINE["machine"])
    tables.PAGES[1].write_text("x\n<!-- benchmarks/toy.py -->\nold\n<!-- end of benchmarks/toy.py -->\ny\n")

    def measure(part):
        return {"seeds": (0, 1), "value": part.upper()}

    def render(results):
        return " ".join(result["value"] for result in results.values())

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["toy.py", *arguments])
        tables.run("toy", ("a", "b"), measure, render)

    return run


def test_without_arguments_all_parts_are_measured_and_kept(bench, capsys):
    bench()
    kept = json.loads((tables.RESULTS / "toy" / "b.json").read_text())
    assert kept == {"seeds": [0, 1], "value": "B", **MACHINE}
    assert capsys.readouterr().out == "A B\n"
    assert "old" in tables.PAGES[1].read_text()


def test_write_alone_puts_what_is_kept_into_the_page(bench):
    tables.keep("toy", "a", {"value": "kept"})
    bench("b")
    bench("--write")
    lines = tables.PAGES[1].read_text().splitlines()
    assert lines == ["x", "<!-- benchmarks/toy.py -->", "kept B", "<!-- end of benchmarks/toy.py -->", "y"]


def test_the_page_is_left_alone_while_a_part_is_missing(bench, capsys):
    with pytest.raises(SystemExit, match="the page is left as it was"):
        bench("b", "--write")
    assert capsys.readouterr() == ("B\n", "not measured yet: python benchmarks/toy.py a\n")
    assert "old" in tables.PAGES[1].read_text()


def test_pages_without_the_place_for_a_table_are_left_alone(bench):
    tables.PAGES[1].write_text("nothing\n")
    with pytest.raises(
        SystemExit, match=r"README.md or results.md: put <!-- benchmarks/toy.py --> and its end once"
    ):
        bench("a", "b", "--write")
    assert tables.PAGES[1].read_text() == "nothing\n"


def test_an_unknown_part_is_refused(bench, capsys):
    with pytest.raises(SystemExit):
        bench("c")
    assert "there is no part 'c'; use some of a, b" in capsys.readouterr().err


def test_seeds_and_machines_are_named_once():
    results = {part: {"seeds": (0, 1), **MACHINE} for part in "ab"}
    assert tables.seeds(results) == "0, 1"
    assert tables.machines(results) == "an abacus"


@pytest.mark.parametrize("part", ablation.PARTS)
def test_every_part_of_the_ablation_changes_something_of_its_base_that_can_be(part):
    changes = ablation.CHANGES[part][1]
    base = ablation.BASES[ablation.base_of(part)]
    start = both(**base)
    assert (changed(start, **changes) == start) == (part in ablation.BASES)


def test_the_ablation_tunes_learns_and_renders(monkeypatch):
    def digits(validation):
        data = fspinn.datasets.load("digits", validation=validation and 50)
        return replace(data, train=data.train.first(200), test=data.test.first(50))

    monkeypatch.setattr(ablation, "images", digits)
    monkeypatch.setattr(ablation, "SIZES", (4, 2))
    results = {part: {**ablation.measure(part), **MACHINE} for part in ("ours", "ours-k")}
    start, *others = results["ours"]["tuning"]["trials"]
    assert start["threshold"] == 20.0
    assert {trial["threshold"] / 20.0 for trial in others} >= {0.5, 2.0}
    best = max((start, *others), key=lambda trial: trial["accuracy"])
    assert all(results["ours"]["settings"][name] == best[name] for name in best if name != "accuracy")
    lines = ablation.render(results).splitlines()
    (line,) = (line for line in lines if "with adaptive k" in line)
    assert len(line.split("|")) == len(lines[2].split("|"))
    assert "2 neurons (%) | difference | 4 neurons (%)" in lines[2]


def test_a_verdict_needs_a_difference_that_stands_out_of_the_spread():
    assert ablation.verdict(np.array([1.0, 1.1, 0.9])) == "better"
    assert ablation.verdict(np.array([-1.0, -1.1, -0.9])) == "worse"
    assert ablation.verdict(np.array([1.0, -1.0, 0.5])) == ""
    assert ablation.overall({100: "worse", 400: "worse"}) == "worse"
    assert ablation.overall({100: "", 400: "worse"}) == "worse at 400"
    assert ablation.overall({100: "better", 400: "worse"}) == "better at 100, worse at 400"
    assert ablation.overall({100: "", 400: ""}) == "no clear difference"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Brian2 2.9 calls its parser by old names
def test_the_engines_are_compared_and_rendered():
    images = fspinn.datasets.load("digits").train.images[:8]
    small = setup(neurons=3, duration_ms=30.0, threshold=2.0)
    result = engines.compare(small, images, {"numpy": 3}, trained_on=4)
    assert result["images"] == 4
    assert result["output_spikes"] > 0
    assert result["brian2"]["numpy"]["images_with_other_spikes"] == 0
    assert 0 < result["numba_s"] < result["brian2"]["numpy"]["training_s"]
    slower = {"images": 3, "images_with_other_spikes": 1, "training_s": 40 * result["numba_s"]}
    result["brian2"]["cpp_standalone"] = slower
    seconds = {f"{target}_s": 7.0 for target in ("numba", *engines.TARGETS)}
    compilation = {"neurons": 400, **seconds, **MACHINE}
    lines = engines.render({"ours-100": {**result, **MACHINE}, "compilation": compilation}).splitlines()
    (line,) = (line for line in lines if line.startswith("| 3 |"))
    assert line.split("|")[4:8:3] == [f" {1 / slower['training_s']:,.1f} ", " 40 "]
    assert len(line.split("|")) == len(lines[2].split("|"))
    assert "for all but 1 of 6 images. an abacus." in lines[-3]
    assert "`numpy` 7 s, `cython` 7 s, `cpp_standalone` 7 s; the Numba engine 7 s." in lines[-1]


def test_the_hypervolume_counts_what_no_other_trial_dominates():
    def trial(doublings, accuracy):
        return SimpleNamespace(memory_bits=2.0**doublings, accuracy=accuracy)

    worst, largest = search.REFERENCE
    assert search.hypervolume([]) == 0
    assert search.hypervolume([trial(largest - 2, worst + 0.1)]) == pytest.approx(20)
    both = [trial(largest - 2, worst + 0.1), trial(largest - 1, worst + 0.3)]
    assert search.hypervolume(both) == pytest.approx(10 + 30)
    beaten = [trial(largest - 1, worst + 0.05), trial(largest + 1, 1.0), trial(3, None)]
    assert search.hypervolume([*both, *beaten]) == search.hypervolume(both)


def test_the_search_is_rendered_with_what_it_missed():
    answer = {
        "found": True,
        "network": "100 neurons, UQ0.2 weights, linear readout",
        "memory_kib": 20.0,
        "validation": 91.0,
        "test": 91.5,
        "energy_uj": 2.0,
        "seconds": 60.0,
    }
    missed = [{**answer, "found": False, "test": None}]
    settings = search.TARGETS["mnist-90-1000"]
    results = {
        "mnist-90-1000": {"settings": settings, "seeds": (0,), "answers": missed, **MACHINE},
        "linear": {
            "settings": {"bits": (2,)},
            "seeds": (0,),
            "classifiers": [
                {"images": "mnist", "labels": 1000, "bits": 2, "memory_kib": [1.5], "validation": [86.0]}
            ],
            **MACHINE,
        },
        "bayes": {
            "settings": {"networks": 40},
            "seeds": (0, 1),
            "hypervolumes": {"tpe": [3.0, 2.0], "random": [1.0, 4.0]},
            **MACHINE,
        },
        "workers": {
            "settings": {"networks": 24},
            "seeds": (0,),
            "seconds": {"1": [20.0], "2": [10.0], "dask 1": [30.0], "dask 2": [15.0]},
            **MACHINE,
        },
    }
    text = search.render(results)
    assert "| mnist | 90 | 1,000 | 0 of 1 | 100 neurons" in text
    assert "not used" in text
    assert "| mnist | 1,000 | 2 | 1.5 | 86.0 |" in text
    assert "of which chance loses: tpe 1." in text
    assert "| Dask | 30 | 15 | 2.00 |" in text
    assert text.endswith("an abacus.")


def test_penalties_are_compared_at_equal_accuracy():
    """The fewest operations of those that lose at most 0.3 points on validation images, for all seeds."""

    def trials(penalty, strength, accuracy, spikes, layers=(200,), seeds=activity.SEEDS):
        measured = {"accuracy": accuracy, "spikes": [spikes], "operations": [1000.0, 9.0]}
        settings = {"layers": layers, "penalty": penalty, "strength": strength}
        return [settings | {"seed": seed, "validation": measured, "test": measured} for seed in seeds]

    tried = [
        *trials("none", 0.0, 97.0, 200.0),
        *trials("none", 0.0, 96.0, 100.0, layers=(100,)),
        *trials("l1", 1.0, 96.9, 90.0),
        *trials("l1", 2.0, 96.75, 50.0),
        *trials("l1", 4.0, 96.6, 20.0),
        *trials("l2", 8.0, 96.8, 40.0, seeds=(0,)),
    ]
    names = [name for name, _ in activity.compared_ones("mnist", {"trials": tried})]
    assert names == ["none", "l1, 2", "none, 100 neurons"]
    assert activity.met(tried[:3], "test").tolist() == [1000.0, 2000.0]

    held = [
        *trials("none", 0.0, 97.0, 200.0, layers=(16,)),
        *trials("none", 0.0, 96.0, 100.0, layers=(8,)),
        *trials("target_spikes", 0.4, 96.6, 20.0, layers=(16,)),
        *trials("target_spikes", 0.5, 96.8, 40.0, layers=(16,)),
        *trials("target_spikes", 0.7, 96.9, 90.0, layers=(16,)),
        *trials("threshold", 3.0, 96.7, 30.0, layers=(16,)),
    ]
    names = [name for name, _ in activity.compared_ones("mnist-column-stdp", {"trials": held})]
    assert names == ["none", "target_spikes, 0.5", "threshold, 3", "none, 8 neurons"]
