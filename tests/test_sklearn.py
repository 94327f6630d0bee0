"""fspinn.sklearn keeps scikit-learn's contract, and wraps what is there without another result."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import fspinn
from fspinn.datasets.arrays import as_dataset
from fspinn.learning.training import learn
from fspinn.network.rules import Stdp
from fspinn.sklearn import SpikeClassifier, SpikeFeatures

SMALL = {"neurons": 4, "field": 3, "cells": 2, "passes": 1}


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


# Checks give rows of 1 to 20 numbers, so that a neuron sees all of them. None is expected to fail.
@parametrize_with_checks(
    [
        SpikeFeatures(neurons=4, field=None, threshold=0.5, passes=1),
        SpikeClassifier(neurons=8, field=None, threshold=0.5, passes=1),
    ]
)
def test_estimators_keep_the_contract(estimator, check):
    check(estimator)


def test_a_classifier_is_the_network_that_train_makes(digits):
    X, y = digits
    classifier = SpikeClassifier(**SMALL, random_state=3).fit(X, y)
    images = np.rint(X * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    network = fspinn.Network.patches(neurons=4, field=3, cells=2)
    model = fspinn.train(
        network, (images, y), learner=Stdp(passes=1), seed=3, readout="linear", progress=False
    ).model
    assert classifier.model_.layer.weights.values.tobytes() == model.layer.weights.values.tobytes()
    assert classifier.model_.readout.table.tobytes() == model.readout.table.tobytes()
    scores = fspinn.predict(model, images).scores
    np.testing.assert_array_equal(classifier.decision_function(X), scores)
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifier.predict_proba(X), probabilities, rtol=1e-6)
    assert (classifier.predict(X) == scores.argmax(axis=1)).all()
    assert fspinn.quantize(classifier.model_, "UQ0.3").layer.weights.format is not None


def test_features_are_the_counts_of_that_network(digits):
    X, y = digits
    counts = SpikeFeatures(**SMALL).fit_transform(X)
    classifier = SpikeClassifier(**SMALL).fit(X, y)
    images = classifier.scale_.applied(X).reshape(-1, 8, 8)
    np.testing.assert_array_equal(counts, fspinn.predict(classifier.model_, images).spike_counts)
    data = as_dataset((images, y))
    learned = learn(classifier.model_.network, data, Stdp(passes=1), progress=False)
    assert learned.layers[0].weights.values.tobytes() == classifier.model_.layer.weights.values.tobytes()


def test_features_are_named_by_cell_and_neuron(digits):
    X, _ = digits
    features = SpikeFeatures(**SMALL).fit(X).set_output(transform="default")
    right = np.zeros((8, 8))
    right[1:4, 5:7] = 16  # seen from positions of the upper right cell only
    (counts,) = features.transform(right.reshape(1, -1))
    assert counts.any()
    assert {name[:8] for name in features.get_feature_names_out()[counts > 0]} == {"cell_0_1"}
    assert features.get_feature_names_out()[-1] == "cell_1_1_neuron_3"


def test_features_are_a_frame_of_pandas_where_that_is_asked_for(digits):
    pytest.importorskip("pandas")
    X, _ = digits
    frame = SpikeFeatures(**SMALL).set_output(transform="pandas").fit_transform(X[:100])
    assert frame.shape == (100, 16)
    assert frame.columns[5] == "cell_0_1_neuron_1"


def test_pipelines_searches_and_cross_validation_work(digits):
    X, y = digits[0][:600], np.array([f"digit {label}" for label in digits[1][:600]])
    chain = make_pipeline(SpikeFeatures(**SMALL), LogisticRegression(max_iter=500))
    assert cross_val_score(chain, X, y, cv=2).min() > 0.5
    search = GridSearchCV(SpikeClassifier(**SMALL), {"neurons": [1, 4], "readout": ["linear"]}, cv=2)
    search.fit(X, y)
    assert search.best_params_["neurons"] == 4
    assert search.predict(X[:1])[0].startswith("digit ")
    assert clone(search.best_estimator_).get_params() == search.best_estimator_.get_params()


def test_rows_that_fill_no_square_are_signals():
    random = np.random.default_rng(0)
    y = np.arange(80) % 2
    X = random.normal(size=(80, 20)) + 9 * (np.arange(20) // 10 == y[:, None])
    classifier = SpikeClassifier(neurons=4, field=(1, 5), cells=(1, 2), passes=1).fit(X, y)
    assert classifier.image_shape_ == (1, 20)
    scores = fspinn.predict(classifier.model_, X).scores  # the model keeps the scale
    np.testing.assert_array_equal(classifier.decision_function(X), scores[:, 1] - scores[:, 0])


def test_there_are_probabilities_of_a_logistic_regression_only(digits):
    X, y = digits
    classifier = SpikeClassifier(**SMALL, readout="majority").fit(X[:200], y[:200])
    assert not hasattr(classifier, "predict_proba")
    assert classifier.decision_function(X[:5]).shape == (5, 10)


def test_colours_are_a_shape_of_three(digits):
    X, y = digits
    three = np.repeat(X[:200, :, None], 3, axis=2).reshape(200, -1)
    assert SpikeFeatures(**SMALL, image_shape=(8, 8, 3)).fit(three, y).image_shape_ == (8, 8, 3)


def test_a_random_state_may_draw_the_seed(digits):
    X, _ = digits
    first, second = (
        SpikeFeatures(**SMALL, random_state=np.random.RandomState(seed)).fit_transform(X[:100])
        for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("parameters", "values", "words"),
    [
        ({"image_shape": (8, 9)}, 64, r"^X: 64 values a sample are not 8 x 9; give a shape that they fill$"),
        (
            {"image_shape": 8},
            64,
            r"^image_shape: 8 is not a shape of images; give \(height, width\) or, with",
        ),
        ({}, 60, r"^field: 3 x 3 does not fit an input of 1 x 60; make it smaller$"),
        ({"field": 9}, 64, "^field: 9 x 9 does not fit an input of 8 x 8; make it smaller$"),
        ({"cells": 7}, 64, "^cells: 7 x 7 are more than the 6 x 6 positions; make fewer$"),
        ({"neurons": 0}, 64, "^neurons: must be from 1 to 1000000, but got 0$"),
    ],
)
def test_bad_shapes_and_parameters_are_told_in_a_line(parameters, values, words):
    X = np.random.default_rng(0).random((10, values))
    for estimator in (SpikeFeatures, SpikeClassifier):
        with pytest.raises(ValueError, match=words) as caught:
            estimator(**{**SMALL, **parameters}).fit(X, np.arange(10) % 2)
        assert "\n" not in str(caught.value)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match=r"^y: one class only, 'a'; give samples of at least two classes$"):
        SpikeClassifier(**SMALL).fit(np.random.default_rng(0).random((10, 64)), ["a"] * 10)
