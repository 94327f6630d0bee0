"""Readouts against their definition, and against answers known by hand."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fspinn.errors import ConfigError
from fspinn.model import Readout
from fspinn.readout import READOUTS, fit, predict


@given(
    name=st.sampled_from(READOUTS),
    seed=st.integers(0, 2**32),
    samples=st.integers(0, 12),
    neurons=st.integers(1, 5),
    n_classes=st.integers(1, 4),
)
def test_the_table_is_the_naive_one(name, seed, samples, neurons, n_classes):
    random = np.random.default_rng(seed)
    counts = random.integers(0, 4, (samples, neurons)).astype(np.int32)
    counts[:, random.random(neurons) < 0.2] = 0
    labels = random.integers(0, n_classes, samples)
    readout = fit(name, counts, labels, n_classes)
    assert readout.name == name
    assert readout.table.dtype == np.float32
    np.testing.assert_allclose(
        readout.table, naive.readout_table(name, counts, labels, n_classes), rtol=1e-6, atol=1e-7
    )


# Three neurons: one for class 0, one three quarters for class 1, one silent. Class 2 is never seen.
COUNTS = np.array([[4, 1, 0], [2, 1, 0], [0, 3, 0]], np.int32)
LABELS = np.array([0, 0, 1])


def test_proportion_by_hand():
    table = fit("proportion", COUNTS, LABELS, 3).table
    np.testing.assert_array_equal(table, [[1, 0, 0], [0.25, 0.75, 0], [0, 0, 0]])


def test_majority_by_hand():
    table = fit("majority", COUNTS, LABELS, 3).table
    np.testing.assert_array_equal(table, [[1, 0, 0], [0, 1, 0], [0, 0, 0]])


def test_majority_shares_the_voice_among_the_neurons_of_a_class():
    counts = np.array([[3, 2, 0], [0, 0, 5]], np.int32)
    table = fit("majority", counts, np.array([0, 1]), 2).table
    np.testing.assert_array_equal(table, [[0.5, 0], [0.5, 0], [0, 1]])


@pytest.mark.parametrize("name", READOUTS)
def test_a_class_with_many_images_does_not_outvote_the_others(name):
    """Each neuron spikes for the images of its class alike; class 0 has ten times more images."""
    labels = np.array([0] * 10 + [1])
    counts = np.eye(2, dtype=np.int32)[labels] * 3 + 1
    assert predict(fit(name, counts, labels, 2), counts).tolist() == labels.tolist()


def test_the_highest_score_wins_and_the_first_among_equals():
    readout = Readout("proportion", np.array([[0.5, 0.5, 0], [0, 0.25, 0.75]], np.float32))
    answers = predict(readout, np.array([[1, 0], [0, 1], [3, 2], [0, 0]], np.int32))
    assert answers.tolist() == [0, 2, 1, 0]  # a tie; class 2; 1.5, 2.0, 1.5; silence
    assert answers.dtype == np.int64


def test_many_spikes_are_counted_exactly():
    """Scores above 2**24 are not whole numbers in single precision."""
    readout = Readout("majority", np.eye(2, dtype=np.float32))
    assert predict(readout, np.array([[2**24, 2**24 + 1]], np.int32)).tolist() == [1]


def test_an_unknown_readout_is_refused_with_the_list():
    with pytest.raises(ConfigError, match=r"^readout: there is no 'vote'; use one of proportion, majority$"):
        fit("vote", COUNTS, LABELS, 3)
