"""The course of a run: what a point says, and that nobody pays for it."""

from dataclasses import replace

import numpy as np
import pytest
from described import dense
from hypothesis import given, settings
from hypothesis import strategies as st

from fspinn import datasets
from fspinn.learning.curve import KEPT, POINTS, Curve
from fspinn.learning.training import train
from fspinn.model import store


def responses(batches, size=20, neurons=6, n_classes=3, seed=0):
    """Neuron j spikes for class j % n_classes only, so that all but the first images can be read."""
    random = np.random.default_rng(seed)
    for _ in range(batches):
        labels = random.integers(0, n_classes, size)
        rates = np.where(np.arange(neurons) % n_classes == labels[:, None], 4.0, 0.0)
        yield random.poisson(rates).astype(np.int32) + (rates > 0).astype(np.int32), labels


def course(batches, total=None):
    """Return the curve after batches of responses."""
    total = total or sum(len(labels) for _, labels in batches)
    curve, done = Curve.start(batches[0][0].shape[1], 3), 0
    for counts, labels in batches:
        done += len(labels)
        curve = curve.after(counts, labels, done, total)
    return curve


def read_by_hand(before, counts):
    """The class that each neuron's spikes for earlier images speak for, earlier batches weighing less."""
    n_neurons = counts.shape[1]
    spikes, images = np.zeros((n_neurons, 3)), np.zeros(3)
    for age, (earlier, labels) in enumerate(reversed(before)):
        for response, label in zip(earlier, labels, strict=True):
            spikes[:, label] += KEPT**age * response
            images[label] += KEPT**age
    means = np.divide(spikes, images, out=np.zeros_like(spikes), where=images > 0)
    table = [row / row.sum() if row.sum() > 0 else row for row in means]
    return [sum(n * row for n, row in zip(response, table, strict=True)).argmax() for response in counts]


def test_each_batch_is_read_by_those_before_it():
    batches = list(responses(8))
    batches = [(np.roll(counts, k, axis=1), labels) for k, (counts, labels) in enumerate(batches)]
    points = course(batches).points
    assert np.isnan(points[0, 1])
    for k in range(1, 8):
        counts, labels = batches[k]
        found = read_by_hand(batches[:k], counts)
        assert points[k, 1] == np.mean(found == labels)
        assert points[k, 2] == counts.sum() / len(labels)
    assert points[:, 0].tolist() == [20 * (k + 1) for k in range(8)]


def test_neurons_that_speak_for_one_class_are_understood_at_once():
    assert course(list(responses(5))).points[1:, 1].tolist() == [1.0] * 4


def test_a_class_that_comes_late_can_be_read_later():
    first, second, third = (
        (np.full((4, 2), [1, 0], np.int32), np.zeros(4, int)),
        (np.full((4, 2), [0, 1], np.int32), np.full(4, 2)),
        (np.full((4, 2), [0, 1], np.int32), np.full(4, 2)),
    )
    np.testing.assert_array_equal(course([first, second, third]).points[:, 1], [np.nan, 0.0, 1.0])


@given(st.lists(st.integers(1, 60), min_size=1, max_size=120))
@settings(max_examples=40, deadline=None)
def test_at_most_fifty_points_and_the_last_at_the_end(sizes):
    batches = [(np.ones((n, 2), np.int32), np.zeros(n, int)) for n in sizes]
    curve = course(batches)
    assert 1 <= len(curve.points) <= POINTS
    assert curve.points[-1, 0] == sum(sizes)
    assert (np.diff(curve.points[:, 0]) > 0).all()
    assert (curve.points[:, 2] == 2.0).all()
    assert curve.since.tolist() == [0, 0, 0, 0]


def test_a_curve_does_not_change_when_another_batch_is_told_to_it():
    """The state of a run that is kept must not change any more."""
    (before, after) = responses(2)
    curve = Curve.start(6, 3).after(*before, 20, 10**6)
    kept = [array.copy() for array in vars(curve).values()]
    curve.after(*after, 40, 10**6)
    for array, copy in zip(vars(curve).values(), kept, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def model(digits):
    return train(dense(neurons=50), digits, seed=0, progress=False).model


def test_a_model_keeps_the_course_of_its_training(model, tmp_path):
    curve = model.record["learning_curve"]
    assert curve["presentations"][-1] == model.activity["training"][0].samples == 5 * 1199
    assert curve["accuracy"][0] is None
    later = curve["accuracy"][1:]
    assert np.mean(later[-5:]) > np.mean(later[:5]) > 0.3  # chance is 0.1
    weights = np.diff([0, *curve["presentations"]])
    spikes = np.dot(weights, curve["output_spikes"])
    assert round(spikes) == model.activity["training"][0].output_spikes
    store.save(model, tmp_path / "net.h5")
    assert store.load(tmp_path / "net.h5").record["learning_curve"] == curve


def test_the_course_does_not_depend_on_threads_or_the_progress_bar(digits, model):
    again = train(dense(neurons=50), digits, seed=0, progress=True, threads=1).model
    assert again.record["learning_curve"] == model.record["learning_curve"]


def test_what_is_learned_does_not_depend_on_labels(digits, model):
    mixed = replace(digits, train=replace(digits.train, labels=digits.train.labels[::-1].copy()))
    other = train(dense(neurons=50), mixed, seed=0, progress=False).model
    assert other.layer.weights.values.tobytes() == model.layer.weights.values.tobytes()
    assert other.record["learning_curve"] != model.record["learning_curve"]
