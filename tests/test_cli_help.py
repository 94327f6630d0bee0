"""Help that can be read: in sections, short by --help, long by --help-all."""

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from fspinn import datasets
from fspinn.cli import main
from fspinn.cli.sections import SECTIONS, Command, long_name, section_of


def commands(group=main, words=()):
    """All commands, by the words that call them."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name), command


ALL = dict(commands())


def shown(*words):
    """The long options that a help shows, and its titles."""
    text = CliRunner().invoke(main, words).stdout
    options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE)
    return options, re.findall(r"^([A-Z][\w ]+):$", text, re.MULTILINE)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_option_stands_in_one_section_and_in_the_long_help(words):
    command = ALL[words]
    assert isinstance(command, Command)
    options = [param for param in command.params if isinstance(param, click.Option)]
    for option in options:
        assert section_of(option) != "Other" or long_name(option) == "--config"
        assert sum(long_name(option) in names for names in SECTIONS.values()) == 1
    found, _ = shown(*words, "--help-all")
    assert set(found) >= {long_name(option) for option in options} | {"--help"}


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_the_short_help_shows_what_most_people_need(words):
    command = ALL[words]
    found, titles = shown(*words, "--help")
    assert len(found) <= 19
    hidden = {long_name(param) for param in command.params} - set(found)
    assert ("--help-all" in found) == any(name.startswith("--") for name in hidden)
    if command.usual is not None:
        assert set(command.usual) <= {long_name(param) for param in command.params}
        assert set(found) == {*command.usual, "--config", "--help", "--help-all"}
        assert set(titles) <= {*SECTIONS, "Examples"}


def test_few_options_need_no_sections():
    assert "Options" in shown("hardware", "list", "-h")[1]
    assert "Options" not in shown("search", "-h")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            "search --strategy ladder --trials 5",
            "trials: the ladder draws no networks; leave it out, or take",
        ),
        ("search --trials 5", "trials: the ladder draws no networks"),
        ("search --sampler tpe", "sampler: the ladder draws no networks; leave it out"),
        ("search --weights UQ0.3,4bit", "--weights: '4bit' is not a number format; write Qm.n"),
        ("search --sizes 0", "sizes: must be from 1 to 1000000, but got 0"),
        ("search --readouts vote", "readout: there is no 'vote'"),
        ("search --memory 5", "memory: '5' has no unit"),
        ("search --space none.toml", "none.toml: No such file"),
        ("search --hardware none", "hardware: no preset 'none'"),
        ("search --budget 3", "budget: '3' has no unit"),
        ("search --minimize weight", "minimize: there is no 'weight'"),
        ("train --state Q9.6", "state: goes with weights in integers"),
        ("train --weights UQ0.4 --state '10 bits'", "--state: '10 bits' is not a number format"),
        ("train --weights UQ0.4 --rounding up", "--rounding: 'up' is not a rounding"),
        ("train --weights UQ0.4 --engine brian2", "weights: the engine brian2 does not learn in integers"),
        ("tune --trials 0", "trials: must be from 1 to 10000"),
        ("sweep", "sweep: nothing varies; give --beta or --threshold"),
        ("sweep --threshold 10 --hardware none", "hardware: no preset 'none'"),
        (
            "quantize x.h5 --weights UQ0.4 --state '10 bit' -o y.h5",
            "--state: '10 bit' is not a number format;",
        ),
        ("quantize x.h5 --weights UQ0.4 --state 10bits -o y.h5", "did you mean '10 bits'?"),
    ],
)
def test_what_makes_no_sense_is_refused_before_data_are_read(words, says, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets, "load", lambda *_, **__: pytest.fail("data were read"))
    answer = CliRunner().invoke(main, shlex.split(words))
    assert answer.exit_code == 2
    assert says in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not any(tmp_path.iterdir())
