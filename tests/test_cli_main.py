"""The command `fspinn` itself: help, errors, completion, and options that say the same as the Python API."""

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import fspinn
import fspinn.report  # before a test below replaces what it imports
from fspinn.base.errors import FspinnError
from fspinn.cli import main


def run(*arguments):
    return CliRunner().invoke(main, arguments, prog_name="fspinn")


def commands(group=main, words=()):
    """Return all commands, those inside groups too, by the words that call them."""
    found = {}
    for name, command in group.commands.items():
        found[(*words, name)] = command
        if isinstance(command, click.Group):
            found |= commands(command, (*words, name))
    return found


def defaults(name):
    """Return what a command is called with when nothing is asked for."""
    command = main.commands[name]
    arguments = ["model.h5"] if any(isinstance(p, click.Argument) for p in command.params) else []
    return command.make_context(name, arguments).params


@pytest.fixture
def failing(monkeypatch):
    """Give `fspinn fail` an error to raise."""

    def prepare(error):
        @click.command()
        def fail():
            raise error

        monkeypatch.setitem(main.commands, "fail", fail)

    return prepare


def test_version():
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"fspinn, version {fspinn.__version__}\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_commands(flag):
    result = run(flag)
    assert result.exit_code == 0
    listed = {line.split()[0] for line in result.stdout.partition("Commands:")[2].splitlines() if line}
    assert listed == main.commands.keys()
    assert {"data", "train", "evaluate", "search"} <= listed


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(words):
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert f"fspinn {' '.join(words)}" in result.stdout.partition("Example")[2]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_option_says_what_it_does(words):
    options = [option for option in commands()[words].params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["train", "--neuron-count", "5"], "No such option"),
        (["train", "--neurons", "many"], "'many' is not a valid integer"),
        (["evaluate"], "Missing argument 'MODEL'"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(arguments, words):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("fspinn: ")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert result.stdout == ""


def test_without_a_command_there_is_help():
    result = run()
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


def test_an_error_is_one_line(failing):
    failing(FspinnError("net.h5: is too big; make it smaller"))
    result = run("fail")
    assert result.exit_code == 2
    assert result.stderr == "fspinn: net.h5: is too big; make it smaller\n"
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "missing.h5"], "missing.h5: there is no such file"),
        (["train", "--neurons", "0"], "neurons: must be from 1 to"),
        (["train", "--dataset", "nonsense"], "nonsense"),
        (["train", "--config", "missing.toml"], "missing.toml"),
        (["train", "-o", "missing/net.h5"], "missing/net.h5: there is no folder missing"),
    ],
)
def test_bad_input_is_one_line(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("fspinn: ")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


WRITING = [
    ["train"],
    ["tune"],
    ["quantize", "no.h5", "--auto"],
    ["export", "no.h5", "--target", "nir"],
    ["export", "no.h5", "--target", "c"],
    ["search"],
    ["sweep"],
    *(["plot", name, "no.h5"] for name in main.commands["plot"].commands),
    ["estimate", "no.h5"],
]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
@pytest.mark.parametrize("arguments", WRITING, ids=" ".join)
def test_an_output_that_cannot_be_written_is_refused_before_any_work(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("old")
    os.mkfifo("pipe.png")
    monkeypatch.setattr("fspinn.datasets.load", lambda *_, **__: pytest.fail("loaded images"))
    monkeypatch.setattr("fspinn.model.store.load", lambda *_, **__: pytest.fail("loaded a model"))
    option = "--plot" if arguments[0] == "estimate" else "-o"
    outputs = ["", "pipe.png", "file/x.png"]
    if not {"search", "sweep"} & set(arguments):
        outputs.append("missing/x.png")
    if not {"search", "sweep", "c"} & set(arguments):
        outputs.append(".")
    for output in outputs:
        result = run(*arguments, option, output)
        assert result.exit_code == 2, output
        words = f" {output}: " if output else ": is empty; name a file or folder to write"
        assert result.stderr.startswith(f"fspinn: {option.replace('-o', '--output')}{words}")
        assert result.stderr.count("\n") == 1
    assert sorted(os.listdir()) == ["file", "pipe.png"]
    assert Path("file").read_text() == "old"


def test_a_search_looks_at_the_files_in_its_folder_first(tmp_path):
    (tmp_path / "report.html").mkdir()
    result = run("search", "-o", str(tmp_path))
    assert result.exit_code == 2
    assert "report.html: cannot be written (Is a directory); name another file" in result.stderr


def test_an_interrupt_is_no_traceback(failing):
    failing(KeyboardInterrupt())
    result = run("fail")
    assert result.exit_code == 130
    assert result.stderr.strip() == "fspinn: stopped"


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here to ask for its version")
def test_completion_for_bash():
    fspinn_script = Path(sysconfig.get_path("scripts"), "fspinn")
    environment = os.environ | {"_FSPINN_COMPLETE": "bash_source"}
    result = subprocess.run([fspinn_script], env=environment, capture_output=True, text=True, check=True)
    assert "complete -o nosort -F _fspinn_completion fspinn" in result.stdout


@pytest.mark.parametrize("command", ["train", "tune", "search", "sweep"])
def test_an_option_that_is_a_setting_says_how_to_set_it(command):
    result = CliRunner().invoke(main, [command, "--duration-ms", "50"])
    assert result.exit_code == 2
    assert result.stderr == "fspinn: --duration-ms: is a setting; write --set duration_ms=50\n"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("threshold", "--set threshold: is not name=value; write it like --set threshold=25"),
        ("=3", "--set =3: is not name=value; write it like --set threshold=25"),
        ("tresh=3", "unknown setting 'tresh'; did you mean threshold? `fspinn info --settings` lists all"),
        ("threshold=high", "threshold: 'high' is not a number; give one"),
        (
            "theta_tau_ms=3",
            "theta_tau_ms: needs adaptation = decaying; set that too, or leave theta_tau_ms out",
        ),
    ],
)
def test_a_bad_setting_is_refused_in_one_line(word, said):
    result = CliRunner().invoke(main, ["train", "--set", word])
    assert (result.exit_code, result.stderr) == (2, f"fspinn: {said}\n")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("train --neurons 20 --set neurons=5", "neurons: is given by --neurons and by --set; leave one out"),
        ("train --passes 1 --set passes=3", "passes: is given by --passes and by --set; leave one out"),
        ("search --passes 1 --set passes=3", "passes: is given by --passes and by --set; leave one out"),
        ("search --set neurons=30", "neurons: a search chooses them; write --sizes, not --set"),
        ("search --neurons 30", "--neurons: a search chooses them; write --sizes"),
        ("train --set threshold=3 --set threshold=4", "--set threshold: is given twice; leave one out"),
        (
            "train --inhibition-kind clamp",
            "No such option '--inhibition-kind'; did you mean --set inhibition=VALUE?",
        ),
    ],
)
def test_what_is_said_twice_or_in_the_wrong_place_is_refused_in_one_line(typed, said):
    result = CliRunner().invoke(main, typed.split())
    assert (result.exit_code, result.stderr) == (2, f"fspinn: {said}\n")


def test_the_reference_of_settings_is_for_people_and_programs():
    said = CliRunner().invoke(main, ["info", "--settings"]).stdout
    assert "inhibition_ms = 10 ms [only with inhibition = clamp]\n" in said
    assert "Allowed: above 0" not in said
    rows = json.loads(CliRunner().invoke(main, ["info", "--settings", "--json"]).stdout)["settings"]
    assert {
        "name": "tau_m_ms",
        "default": "100",
        "unit": "ms",
        "allowed": "number above 0 or none",
    }.items() <= {row["name"]: row for row in rows}["tau_m_ms"].items()
    result = CliRunner().invoke(main, ["info"])
    assert (result.exit_code, result.stderr) == (
        2,
        "fspinn: MODEL: name a model file, or give --settings; one of the two\n",
    )


@pytest.mark.parametrize(
    "name", sorted(main.commands.keys() & {"train", "tune", "evaluate", "predict", "search", "sweep"})
)
def test_commands_with_randomness_have_a_seed(name):
    assert defaults(name)["seed"] == 0


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_answers_in_json_when_asked(words):
    command = commands()[words]
    assert isinstance(command, click.Group) or "--json" in {o for p in command.params for o in p.opts}
