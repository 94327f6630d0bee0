"""Readouts fitted on a network's responses: with all labels, with few, and measured."""

from dataclasses import replace

import numpy as np
import pytest
from described import dense
from runners import fast

from fspinn import datasets
from fspinn.answering.evaluate import evaluate
from fspinn.answering.predict import respond
from fspinn.base.errors import ConfigError
from fspinn.base.randomness import LABELS, permutation, stream_key
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering.compiler import answering_plan
from fspinn.memmodel import estimate
from fspinn.model import store
from fspinn.model.readout import READOUTS
from fspinn.network.rules import Stdp


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def learned(digits):
    return learn(dense(neurons=100), digits, learner=Stdp(passes=2), seed=0, progress=False)


@pytest.fixture(scope="module")
def models(digits, learned):
    return dict(zip(READOUTS, fit_readouts(learned, digits, READOUTS), strict=True))


def bits(model):
    return [array.tobytes() for _, array, _ in model.readout.shapes(model.network.neurons)]


@pytest.mark.parametrize(("name", "least"), [("majority", 0.8), ("proportion", 0.8), ("linear", 0.9)])
def test_every_readout_reads_digits(digits, models, name, least):
    """Chance is 0.1."""
    assert evaluate(models[name], digits.test).accuracy >= least


@pytest.mark.parametrize("name", READOUTS)
def test_a_model_file_keeps_every_readout(digits, models, name, tmp_path):
    store.save(models[name], tmp_path / "net.h5")
    loaded = store.load(tmp_path / "net.h5")
    assert bits(loaded) == bits(models[name])
    few = digits.test.first(50)
    np.testing.assert_array_equal(evaluate(loaded, few).predictions, evaluate(models[name], few).predictions)


@pytest.mark.parametrize("name", READOUTS)
def test_every_readout_has_its_costs(models, name):
    cost = estimate(models[name])
    assert cost.memory["inference"]["labels" if name == "majority" else "readout"] > 0
    assert cost.energy["inference"]["readout"] > 0


def test_all_labels_are_all_labels(digits, learned, models):
    again = fit_readouts(learned, digits, READOUTS, labels=len(digits.train))
    assert [bits(model) for model in again] == [bits(models[name]) for name in READOUTS]
    assert {model.record["labels"] for model in again} == {len(digits.train)}
    assert models["linear"].record["labels"] == len(digits.train)


@pytest.mark.parametrize(("name", "least"), [("proportion", 0.7), ("linear", 0.7)])
def test_fifty_labels_go_a_long_way(digits, learned, name, least):
    """Five images of a class; the other thousand tell which neurons belong together."""
    accuracies = []
    for draw in range(3):
        (model,) = fit_readouts(learned, digits, [name], labels=50, draw=draw)
        assert model.record["labels"] == 50
        assert model.activity["inference"][0].samples == len(digits.train)  # all were shown
        accuracies.append(evaluate(model, digits.test).accuracy)
    assert np.mean(accuracies) >= least


@pytest.mark.parametrize("name", READOUTS)
def test_labels_that_were_not_drawn_are_not_looked_at(digits, learned, name):
    drawn = permutation(stream_key(learned.seed, LABELS, 2), len(digits.train))[:30]
    wrong = (digits.train.labels + 1) % 10
    wrong[drawn] = digits.train.labels[drawn]
    disguised = replace(digits, train=replace(digits.train, labels=wrong))
    models = [fit_readouts(learned, data, [name], labels=30, draw=2)[0] for data in (digits, disguised)]
    assert bits(models[0]) == bits(models[1])


def test_another_draw_or_seed_looks_at_other_labels(digits, learned):
    def table(seed, draw):
        (model,) = fit_readouts(replace(learned, seed=seed), digits, ["majority"], labels=100, draw=draw)
        return model.readout.table.tobytes()

    assert table(0, 0) == table(0, 0)
    assert len({table(0, 0), table(0, 1), table(1, 0)}) == 3


@pytest.mark.parametrize("labels", [0, -3, 10**6])
def test_as_many_labels_as_there_are_not_are_refused(digits, learned, labels):
    words = f"^labels: must be from 1 to {len(digits.train)}, but got {labels}$"
    with pytest.raises(ConfigError, match=words):
        fit_readouts(learned, digits, ["proportion"], labels=labels)


# --- batches ----------------------------------------------------------------------------------------


def test_batches_answer_as_one_call_does(digits, learned):
    images = digits.train.images
    done = []
    tensors = learned.layers[0]
    plan = answering_plan(learned.network, (tensors,))
    counts, activity, _ = respond(plan, images, seed=1, threads=1, on_batch=done.append)
    assert done == [*range(250, len(images), 250), len(images)]
    expected, expected_activity = fast.respond(
        learned.network, tensors.weights.values, tensors.theta.values, images, seed=1
    )
    np.testing.assert_array_equal(counts.toarray(), expected)
    assert activity == (expected_activity,)
    assert counts.dtype == np.int32
    assert 3 * counts.nnz < expected.size  # only the neurons that spiked are kept


def test_what_a_batch_raises_ends_the_work(digits, learned, models):
    def stop(done):
        raise InterruptedError(f"after {done}")

    with pytest.raises(InterruptedError, match=r"after 250$"):
        fit_readouts(learned, digits, ["majority"], threads=1, on_batch=stop)
    with pytest.raises(InterruptedError, match=r"after 250$"):
        evaluate(models["majority"], digits.test, threads=1, on_batch=stop)
