"""Benchmarks: the README says what the results say. (Nothing is measured here.)"""

import importlib
import json

import pytest
import tables

NAMES = ("accuracy", "labels", "mnist", "smallest", "speed")
MACHINE = {"machine": "an abacus"}


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_holds_the_tables_that_the_results_render(name):
    benchmark = importlib.import_module(name)
    results = tables.kept(name, benchmark.PARTS)
    if len(results) < len(benchmark.PARTS):
        pytest.skip(f"results of {name} are not all measured yet")
    assert tables.readme_block(name)[1] == benchmark.render(results)


@pytest.mark.parametrize("name", NAMES)
def test_no_result_is_of_a_part_that_a_benchmark_does_not_have(name):
    parts = importlib.import_module(name).PARTS
    assert {path.stem for path in (tables.RESULTS / name).glob("*.json")} <= set(parts)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A benchmark with the parts a and b in a folder of its own; call it with command-line arguments."""
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(tables, "README", tmp_path / "README.md")
    monkeypatch.setattr(tables, "machine", lambda: MACHINE["machine"])
    tables.README.write_text("x\n<!-- benchmarks/toy.py -->\nold\n<!-- end of benchmarks/toy.py -->\ny\n")

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
    assert "old" in tables.README.read_text()


def test_write_alone_puts_what_is_kept_into_the_readme(bench):
    tables.keep("toy", "a", {"value": "kept"})
    bench("b")
    bench("--write")
    lines = tables.README.read_text().splitlines()
    assert lines == ["x", "<!-- benchmarks/toy.py -->", "kept B", "<!-- end of benchmarks/toy.py -->", "y"]


def test_the_readme_is_left_alone_while_a_part_is_missing(bench, capsys):
    with pytest.raises(SystemExit, match="the README is left as it was"):
        bench("b", "--write")
    assert capsys.readouterr().out == "B\nno results yet for a: python benchmarks/toy.py a\n"
    assert "old" in tables.README.read_text()


def test_an_unknown_part_is_refused(bench, capsys):
    with pytest.raises(SystemExit):
        bench("c")
    assert "there is no part 'c'; use some of a, b" in capsys.readouterr().err


def test_seeds_and_machines_are_named_once():
    results = {part: {"seeds": (0, 1), **MACHINE} for part in "ab"}
    assert tables.seeds(results) == "0, 1"
    assert tables.machines(results) == "an abacus"
