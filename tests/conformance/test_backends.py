"""Every backend does what the plain twins say, on networks that together use every mechanism.

Backends and networks are in `backend_runners`.
"""

import naive_input
import numpy as np
import pytest
from backend_runners import CASES, FIELD_CASES, RUNNERS, names, start_of
from described import changed

from fspinn.base.settings import members
from fspinn.model.activity import Activity
from fspinn.network import Adaptation, Inhibition, Rule
from fspinn.network.encoders import ENCODERS

# Brian2 2.9 calls its parser by old names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ALL = [*CASES, *FIELD_CASES]
WORDS = ("encoder", "inhibition", "adaptation", "rule")
COMPILED = ("brian2", "c")
"""Backends that compile each network, for seconds."""


def covering(cases):
    """A few of the cases that together have every mechanism and format, those with most new ones first."""
    left, kept = list(cases), []
    kinds = [{(w, getattr(network, w)) for w in WORDS} | {("formats", f)} for network, f in left]
    lacking = set().union(*kinds)
    while lacking:
        best = max(range(len(left)), key=lambda place: len(kinds[place] & lacking))
        kept.append(left[best])
        lacking -= kinds[best]
    return kept


KEPT = [*covering(CASES), *covering(FIELD_CASES)]


def each(runners, cases=ALL):
    """Every case on every backend; on those that compile, all but a few cases are exhaustive."""
    for name in runners:
        for case, called in zip(cases, names(cases), strict=True):
            few = name in COMPILED and case not in KEPT
            marks = [pytest.mark.exhaustive] if few else []
            yield pytest.param(name, *case, id=f"{name}-{called}", marks=marks)


@pytest.mark.parametrize(("name", "network", "formats"), each(RUNNERS))
def test_a_backend_answers_as_its_twin_does(name, network, formats, tmp_path):
    runner, (weights, theta, images) = RUNNERS[name], start_of(network, formats, samples=4)
    answer = runner.answer(network, weights, theta, images, formats, tmp_path)
    expected, first_steps, activity = runner.twin(network, weights, theta, images, formats, runner.first)
    np.testing.assert_array_equal(answer.spike_counts, expected)
    if runner.counts_work:
        assert answer.activity == (activity,)
        np.testing.assert_array_equal(answer.first_steps, first_steps)
        assert_spikes_are_those_counted(network, answer, images.shape[1:])
    assert expected.sum() >= 3
    assert expected[1].sum() == 0


LEARNING = [name for name, runner in RUNNERS.items() if runner.learn is not None]
LEARN_BY_STDP = [(network, formats) for network, formats in ALL if network.inhibition != "none"]


@pytest.mark.parametrize(("name", "network", "formats"), each(LEARNING, LEARN_BY_STDP))
def test_a_backend_learns_as_its_twin_does(name, network, formats):
    runner, (weights, theta, images) = RUNNERS[name], start_of(network, formats, samples=4)
    if network.rule not in runner.rules:
        pytest.skip(f"does not learn by {network.rule}")
    if runner.plain_weights and (network.normalisation != "off" or network.weight_decay > 0):
        network = changed(network, normalisation="off", weight_decay=0.0)
    counts, activity, *learned = runner.learn(network, weights, theta, images, formats)
    expected, *others = runner.learning_twin(network, weights, theta, images, formats)
    np.testing.assert_array_equal(counts, expected)
    arrays = [one for one in others if not isinstance(one, Activity)]
    assert activity in [one for one in others if isinstance(one, Activity)]
    assert len(arrays) >= len(learned) == 2
    for mine, theirs in zip(learned, arrays, strict=False):
        np.testing.assert_allclose(mine, np.asarray(theirs), rtol=0, atol=runner.tolerance)
    assert np.abs(np.asarray(learned[0], float) - weights).max() > 0
    assert activity.positions <= len(images) * (network.positions if network.field else 1)


def assert_spikes_are_those_counted(network, answer, shape):
    """Each output spike has its step, neuron and position; samples come one after the other."""
    cell_of = np.array([cell for cell, _ in naive_input.looks(network, network.network.input_shape(shape))])
    counts, first_steps = np.zeros_like(answer.spike_counts), np.full_like(answer.first_steps, network.steps)
    where = (
        np.repeat(np.arange(len(counts)), answer.spike_counts.sum(axis=1)),
        cell_of[answer.spike_positions] * network.neurons + answer.spike_neurons,
    )
    np.add.at(counts, where, 1)
    np.minimum.at(first_steps, where, answer.spike_steps)
    np.testing.assert_array_equal(counts, answer.spike_counts)
    np.testing.assert_array_equal(first_steps, answer.first_steps)


def test_the_cases_use_every_mechanism():
    for kinds, word in (
        (ENCODERS, "encoder"),
        (members(Inhibition), "inhibition"),
        (members(Adaptation), "adaptation"),
        (members(Rule), "rule"),
    ):
        for cases in (CASES, FIELD_CASES, covering(CASES), covering(FIELD_CASES)):
            assert {getattr(network, word) for network, _ in cases} == set(kinds)
