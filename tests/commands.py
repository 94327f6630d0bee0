"""Commands as they are typed, for tests."""

import json

from click.testing import CliRunner

from fspinn.cli import main


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)), prog_name="fspinn")


def answer(*words):
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(*words):
    result = run(*words)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.stderr
    return result.stderr
