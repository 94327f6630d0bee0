"""Work goes on where there are no standard streams, or closed ones."""

import io
import sys
from dataclasses import replace

import pytest
from described import dense

import fspinn
from fspinn import datasets
from fspinn.base import streams
from fspinn.network.rules import Stdp

SMALL = dense(neurons=5, duration_ms=50.0)


class Full(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.fixture(params=[lambda: None, closed, Full], ids=["none", "closed", "full"])
def without_streams(request, monkeypatch):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, request.param())


@pytest.fixture(scope="module")
def data():
    digits = datasets.load("digits")
    return replace(digits, train=digits.train.first(40), validation=digits.validation.first(20))


def test_there_is_no_terminal_and_nothing_to_say(without_streams):
    assert not streams.on_terminal()
    streams.say("nobody reads this")


def test_training_and_answering_need_no_streams(without_streams, data, tmp_path):
    model = fspinn.train(SMALL, data, learner=Stdp(passes=1), checkpoint=tmp_path / "c").model
    assert fspinn.evaluate(model, data.test).samples == len(data.test)


def test_tuning_needs_no_streams(without_streams, data):
    assert len(fspinn.tune(SMALL, data, trials=2, learner=Stdp(passes=1)).trials) >= 2


def test_a_search_needs_no_streams(without_streams):
    found = fspinn.find_smallest(
        datasets.load("digits"), accuracy=0.3, sizes=(5,), learner=Stdp(passes=1), seeds=1
    )
    assert found.trials


def test_a_line_goes_to_standard_error(capsys):
    streams.say("for people")
    assert capsys.readouterr() == ("", "for people\n")
