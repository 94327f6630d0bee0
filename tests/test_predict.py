"""fspinn.predict: the answer that an evaluation counts, image by image, with the spikes behind it."""

from dataclasses import replace

import numpy as np
import pytest
from described import dense
from hypothesis import given, settings
from hypothesis import strategies as st

import fspinn
from fspinn import datasets
from fspinn.answering.evaluate import evaluate
from fspinn.answering.predict import predict
from fspinn.base.errors import ConfigError, DataError, FspinnWarning
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.model.readout import NO_ANSWER, READOUTS, fit
from fspinn.model.readout import predict as classes_of
from fspinn.model.readout import scores as scores_of
from fspinn.network.rules import Stdp


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def models(digits):
    learned = learn(
        dense(neurons=30, duration_ms=150.0), digits, learner=Stdp(passes=1), seed=0, progress=False
    )
    return dict(zip(READOUTS, fit_readouts(learned, digits, READOUTS), strict=True))


@pytest.fixture(scope="module")
def model(models):
    return models["proportion"]


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("seed", [0, 3])
def test_the_classes_are_those_that_an_evaluation_counts(digits, models, name, seed):
    measured = evaluate(models[name], digits.test, seed=seed)
    answer = predict(models[name], digits.test.images, seed=seed)
    np.testing.assert_array_equal(answer.classes, measured.predictions)
    assert answer.activity == measured.activity
    assert answer.spike_counts.sum() == measured.activity[0].output_spikes > 0


@pytest.mark.parametrize("name", READOUTS)
def test_an_image_alone_gets_the_answer_of_its_number(digits, models, name):
    together = predict(models[name], digits.test.images[:40])
    for k in (0, 7, 39):
        alone = predict(models[name], digits.test.images[k : k + 1], first=k)
        np.testing.assert_array_equal(alone.spike_counts[0], together.spike_counts[k])
        np.testing.assert_array_equal(alone.scores[0], together.scores[k])
        assert alone.classes[0] == together.classes[k]


def test_the_answer_depends_on_the_seed_and_not_on_threads(digits, model):
    images = digits.test.images[:30]
    one, two, other = (predict(model, images, threads=t, seed=s) for t, s in ((1, 0), (2, 0), (1, 1)))
    np.testing.assert_array_equal(one.spike_counts, two.spike_counts)
    assert (one.spike_counts != other.spike_counts).any()


def test_the_scores_are_what_the_spikes_say(digits, models):
    """Of the readouts without pairs; the highest score wins."""
    images = digits.test.images[:20]
    for name in ("proportion", "majority", "linear"):
        readout = models[name].readout
        answer = predict(models[name], images)
        by_hand = [
            [
                sum(float(readout.table[j, c]) * n for j, n in enumerate(counts))
                + (0.0 if readout.bias is None else float(readout.bias[c]))
                for c in range(10)
            ]
            for counts in answer.spike_counts.tolist()
        ]
        np.testing.assert_allclose(answer.scores, by_hand, atol=1e-9)
        np.testing.assert_array_equal(answer.classes, answer.scores.argmax(axis=1))


@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_the_class_is_the_first_with_the_highest_score(counts):
    counts = np.array(counts, np.int32)
    table = fit("proportion", np.eye(4, dtype=np.int32), np.array([0, 1, 2, 1]), 3)
    for found, scores in zip(classes_of(table, counts), scores_of(table, counts), strict=True):
        if max(scores) == 0:
            assert found == NO_ANSWER
            continue
        assert scores[found] == max(scores)
        assert all(score < scores[found] for score in scores[:found])


def test_a_black_image_gets_no_spike_and_no_score(model):
    answer = predict(model, np.zeros((1, 8, 8), np.uint8))
    assert answer.spike_counts.sum() == 0
    assert (answer.scores == 0).all()


def test_images_in_lists_and_of_large_files_will_do(digits, model, tmp_path):
    images = digits.test.images[:6]
    expected = predict(model, images).scores
    np.testing.assert_array_equal(predict(model, list(images)).scores, expected)
    path = tmp_path / "images.raw"
    images.tofile(path)
    on_disk = datasets.MappedImages(path, 0, images.shape, np.arange(6))
    np.testing.assert_array_equal(predict(model, on_disk).scores, expected)
    np.testing.assert_array_equal(predict(model, on_disk.part(slice(2, 4)), first=2).scores, expected[2:4])


def test_a_model_knows_the_names_of_its_classes(digits, model):
    assert model.class_names == digits.class_names
    named = replace(model, record={**model.record, "class_names": list("abcdefghij")})
    assert named.class_names == tuple("abcdefghij")
    assert replace(model, record={}).class_names == tuple("0123456789")


def test_it_is_there_by_its_short_name():
    assert fspinn.predict is predict


def test_a_single_image_is_a_batch_of_one(model):
    image = fspinn.datasets.load("digits").test.images[5]
    alone, batch = predict(model, image), predict(model, image[None])
    assert alone.classes.shape == (1,)
    np.testing.assert_array_equal(alone.scores, batch.scores)


def test_floats_from_0_to_1_are_converted_and_it_is_said(model):
    images = fspinn.datasets.load("digits").test.images[:3]
    with pytest.warns(FspinnWarning, match=r"^images: floats from 0 to 1 became 0 to 255$"):
        answer = predict(model, images / 255)
    np.testing.assert_array_equal(answer.scores, predict(model, images).scores)


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "error", "words"),
    [
        (np.zeros((2, 4, 16), np.uint8), ConfigError, "images: 4 x 16 pixels do not fit a model for 8 x 8; "),
        (np.zeros((5, 65), np.uint8), DataError, "images: shape (5, 65) is not (n, height, width) or "),
        (np.zeros((1, 8, 8), int), DataError, "images: values are int64, not uint8; scale them to 0..255"),
        (np.full((1, 8, 8), 2.0), DataError, "images: floats from 2 to 2 are not from 0 to 1; scale them"),
        (
            np.zeros((2, 8, 8, 3), np.uint8),
            ConfigError,
            "images: 8 x 8 x 3 pixels do not fit a model for 8 x 8; bring them to that size, in grey",
        ),
        (np.zeros((0, 8, 8), np.uint8), DataError, "images: empty, shape (0, 8, 8); give at least one"),
        ([np.zeros((8, 8)), np.zeros((9, 8))], DataError, "images: not all of one size; bring them"),
    ],
)
def test_what_is_no_image_of_the_right_size_is_refused(model, images, error, words):
    with pytest.raises(error) as caught:
        predict(model, images)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)
