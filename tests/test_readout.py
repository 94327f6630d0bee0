"""Readouts against their definition and against answers known by hand."""

import warnings
from dataclasses import replace

import naive
import numpy as np
import pytest
from described import dense, model_from
from encoded import responses
from hypothesis import given, settings
from hypothesis import strategies as st

from fspinn.base.errors import ConfigError
from fspinn.model.model import Readout
from fspinn.model.readout import (
    COMPANY_REACH,
    COMPANY_SPIKES,
    INVERSE_PENALTY,
    NO_ANSWER,
    NO_LABEL,
    SILENCE,
    fit,
    predict,
)

SOFT = ("proportion", "linear")  # these learn from images without labels


# --- their definitions ------------------------------------------------------------------------------


@given(
    name=st.sampled_from(["proportion", "majority"]),
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
    np.testing.assert_allclose(
        readout.table, naive.readout_table(name, counts, labels, n_classes), rtol=1e-6, atol=1e-7
    )


def naive_company(counts):
    """Share of each neuron in the company of each."""
    n_neurons = counts.shape[1]
    together = np.zeros((n_neurons, n_neurons))
    for j in range(n_neurons):
        for k in range(n_neurons):
            if j != k:
                together[j, k] = sum(int(image[j]) * int(image[k]) for image in counts)
    return np.array([row / row.sum() if row.any() else row for row in together])


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), labelled=st.integers(1, 15), neurons=st.integers(1, 6))
def test_proportion_borrows_from_the_company_where_labels_are_few(seed, labelled, neurons):
    """The twin moves towards the balance step by step instead of solving for it."""
    random = np.random.default_rng(seed)
    counts = random.poisson(0.7, (16, neurons)).astype(np.int32)
    labels = random.integers(0, 3, 16)
    labels[labelled:] = NO_LABEL
    own = naive.readout_table("proportion", counts[:labelled], labels[:labelled], 3)
    spikes, company = counts[:labelled].sum(axis=0), naive_company(counts)
    table = own.copy()
    for _ in range(3000):
        for j in range(neurons):
            borrowed = COMPANY_SPIKES * company[j].any()
            if spikes[j] + borrowed:
                table[j] = (spikes[j] * own[j] + borrowed * company[j] @ table) / (spikes[j] + borrowed)
    np.testing.assert_allclose(fit("proportion", counts, labels, 3).table, table, atol=1e-5)


@pytest.mark.parametrize("labelled", [60, 120])
def test_linear_is_the_best_table_by_its_own_measure(labelled):
    """No small step improves likelihood plus penalty; what is done to the counts is undone in the table."""
    counts, labels = responses()
    labels[::5] = 0  # so that classes overlap
    readout = fit("linear", counts, np.where(np.arange(120) < labelled, labels, NO_LABEL), 3)
    reach = 0 if labelled == 120 else COMPANY_REACH
    spread = sum(np.linalg.matrix_power(reach * naive_company(counts), n) for n in range(400))
    features, labels = counts[:labelled] @ spread, labels[:labelled]
    length = np.sqrt((features**2).sum(axis=1).mean())

    def loss(table, bias):
        scores = features @ table + bias
        likelihoods = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        missed = -np.log(likelihoods[np.arange(len(labels)), labels]).sum()
        return INVERSE_PENALTY * missed + 0.5 * ((table * length) ** 2).sum()

    table, bias = np.linalg.solve(spread, readout.table.astype(float)), readout.bias.astype(float)
    best, random = loss(table, bias), np.random.default_rng(0)
    for _ in range(50):
        step, shift = 0.05 * random.standard_normal(table.shape), 0.05 * random.standard_normal(3)
        assert loss(table + step, bias + shift) > best


@pytest.mark.parametrize("name", SOFT)
def test_without_company_images_without_labels_teach_nothing(name):
    random = np.random.default_rng(1)
    counts, labels = random.integers(0, 5, (40, 6)), random.integers(0, 3, 40)
    known = np.where(np.arange(40) < 20, labels, NO_LABEL)
    alone = fit(name, counts, known, 3, company=False)
    np.testing.assert_array_equal(alone.table, fit(name, counts[:20], labels[:20], 3).table)
    assert (fit(name, counts, known, 3).table != alone.table).any()


def test_linear_hands_spikes_on_where_labels_are_few():
    """Neuron 2 never spikes for a labelled image, but always with neuron 0: it speaks for its class."""
    counts = np.array([[3, 0, 0], [0, 3, 0], [2, 0, 2], [1, 0, 3]], np.int32)
    labels = np.array([0, 1, NO_LABEL, NO_LABEL])
    table = fit("linear", counts, labels, 2).table
    assert table[2, 0] > 0.5 * table[0, 0] > 0
    assert fit("linear", counts[:2], labels[:2], 2).table[2].tolist() == [0, 0]


@pytest.mark.parametrize("name", SOFT)
def test_images_without_labels_help(name):
    """Ten neurons answer each kind of image, but not all of them spike for the two that have a label."""
    random = np.random.default_rng(0)
    kinds = np.arange(400) % 6
    members = np.arange(60) // 10 == kinds[:, None]
    counts = (random.poisson(0.3, (400, 60)) * members).astype(np.int32)
    labels = kinds % 3
    known = np.where(np.arange(400) < 12, labels, NO_LABEL)
    few, many = fit(name, counts[:12], labels[:12], 3), fit(name, counts, known, 3)
    right = [np.mean(predict(readout, counts) == labels) for readout in (few, many)]
    assert right[1] > 0.9 > right[0]


def test_an_unfinished_solution_is_no_warning(monkeypatch):
    monkeypatch.setattr("fspinn.model.readout.MAX_ITERATIONS", 1)
    counts, labels = responses()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit("linear", counts, labels, 3).bias.shape == (3,)


# --- by hand ----------------------------------------------------------------------------------------

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


def test_silence_has_the_class_of_the_highest_bias():
    counts = np.array([[2, 0], [0, 0], [0, 0]], np.int32)
    readout = fit("linear", counts, np.array([0, 1, 1]), 2)
    assert predict(readout, counts).tolist() == [0, 1, 1]
    assert predict(replace(readout, bias=None), counts).tolist() == [0, NO_ANSWER, NO_ANSWER]


def test_the_highest_score_wins_and_the_first_among_equals():
    readout = Readout("proportion", np.array([[0.5, 0.5, 0], [0, 0.25, 0.75]], np.float32))
    answers = predict(readout, np.array([[1, 0], [0, 1], [3, 2], [0, 0]], np.int32))
    assert answers.tolist() == [0, 2, 1, NO_ANSWER]  # a tie; class 2; 1.5, 2.0, 1.5; silence
    assert answers.dtype == np.int64


def test_many_spikes_are_counted_exactly():
    """Scores above 2**24 are not whole numbers in single precision."""
    readout = Readout("majority", np.eye(2, dtype=np.float32))
    assert predict(readout, np.array([[2**24, 2**24 + 1]], np.int32)).tolist() == [1]


# --- what is refused --------------------------------------------------------------------------------


def test_an_unknown_readout_is_refused_with_the_list():
    words = r"^readout: there is no 'vote'; use one of proportion, majority, linear$"
    with pytest.raises(ConfigError, match=words):
        fit("vote", COUNTS, LABELS, 3)


@pytest.mark.parametrize(
    ("part", "array", "words"),
    [
        ("bias", np.zeros(4, np.float32), r"readout_bias: shape \(4,\) does not fit; .* needs \(3,\)"),
        ("bias", np.full(3, np.nan, np.float32), "readout_bias: holds NaN or infinity"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(part, array, words):
    readout = Readout("linear", np.zeros((5, 3), np.float32), **{part: array})
    weights, theta = np.zeros((4, 5), np.float32), np.zeros(5, np.float32)
    with pytest.raises(ConfigError, match=f"^{words}"):
        model_from(dense(5, weight_norm=1.0), (2, 2), weights, theta, readout)


# --- silence ----------------------------------------------------------------------------------------


def test_silence_is_answered_with_the_class_that_causes_it():
    counts = np.array([[3, 0], [2, 0], [0, 1], [0, 0], [0, 0], [0, 4]], np.int32)
    labels = np.array([0, 0, 1, 2, 2, 1])
    fitted = fit("proportion", counts, labels, 3)
    assert fitted.bias.tolist() == [0.0, 0.0, SILENCE]
    assert predict(fitted, counts).tolist() == labels.tolist()


def test_a_few_silent_images_mean_nothing():
    counts = np.ones((40, 2), np.int32)
    counts[:2] = 0
    assert fit("proportion", counts, np.arange(40) % 2, 2).bias is None
