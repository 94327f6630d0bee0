"""What every readout must do. A new one is tested by being named in `fspinn.model.readout.READOUTS`."""

import numpy as np
import pytest
from described import dense, model_from
from encoded import responses
from hypothesis import given, settings
from hypothesis import strategies as st

import fspinn
from fspinn.memmodel import Size
from fspinn.memmodel.footprint import footprint
from fspinn.model.readout import NO_LABEL, READOUTS, fit, predict


@pytest.mark.parametrize("name", READOUTS)
def test_it_reads_responses_it_has_not_seen(name):
    counts, labels = responses()
    readout = fit(name, counts, labels, 3)
    unseen, truth = responses(seed=1)
    answers = predict(readout, unseen)
    assert answers.dtype == np.int64
    assert np.mean(answers == truth) > 0.9  # chance is a third


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("labelled", [30, 120])
def test_the_same_responses_give_the_same_bits(name, labelled):
    counts, labels = responses()
    labels = np.where(np.arange(len(labels)) < labelled, labels, NO_LABEL)
    first, again = (fit(name, counts, labels, 3) for _ in range(2))
    for (_, mine, shape), (_, other, _) in zip(first.shapes(12), again.shapes(12), strict=True):
        assert mine.shape == shape
        assert mine.dtype == np.float32
        assert np.isfinite(mine).all()
        assert mine.tobytes() == other.tobytes()
    assert (first.name, first.format) == (name, None)


@pytest.mark.parametrize("name", READOUTS)
def test_the_numbers_of_the_neurons_mean_nothing(name):
    counts, labels = responses()
    unseen, _ = responses(seed=1)
    mixed = np.random.default_rng(2).permutation(12).astype(np.int32)
    answers = predict(fit(name, counts, labels, 3), unseen)
    other = fit(name, counts[:, mixed], labels, 3)
    np.testing.assert_array_equal(predict(other, unseen[:, mixed]), answers)


@pytest.mark.parametrize("name", READOUTS)
def test_a_class_with_many_images_does_not_outvote_the_others(name):
    """Each neuron spikes for the images of its class alike; class 0 has ten times more images."""
    labels = np.array([0] * 10 + [1])
    counts = np.eye(2, dtype=np.int32)[labels] * 3 + 1
    assert predict(fit(name, counts, labels, 2), counts).tolist() == labels.tolist()


@settings(deadline=None, max_examples=25)
@given(
    name=st.sampled_from(READOUTS), absent=st.integers(0, 2), seed=st.integers(0, 2**32), part=st.booleans()
)
def test_a_class_without_labelled_images_is_never_the_answer(name, absent, seed, part):
    counts, labels = responses(samples=60, seed=seed)
    counts[:, :2] += 1  # nobody is silent
    labels = np.where(labels == absent, NO_LABEL if part else (absent + 1) % 3, labels)
    assert absent not in predict(fit(name, counts, labels, 3), counts)


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("labels", [[], [NO_LABEL] * 4, [1] * 4, [1, NO_LABEL, 1, NO_LABEL]])
def test_too_few_labels_to_learn_from_are_no_error(name, labels):
    counts = np.ones((len(labels), 2), np.int32)
    readout = fit(name, counts, np.array(labels, np.int64), 3)
    expected = 1 if 1 in labels else 0
    shown = np.ones((1, 2), np.int32)
    assert predict(readout, shown).tolist() == [expected]


@pytest.mark.parametrize("name", READOUTS)
@pytest.mark.parametrize("quantized", [False, True])
def test_the_memory_model_charges_for_every_parameter(name, quantized):
    counts, labels = responses()
    readout = fit(name, counts, labels, 3)
    model = model_from(
        dense(12, weight_norm=1.0), (2, 2), np.ones((4, 12), np.float32), np.zeros(12, np.float32), readout
    )
    model = fspinn.quantize(model, "UQ1.4") if quantized else model
    bits = 8 if quantized else 32
    expected = {  # parameters, and bits of each
        "proportion": [(36, bits)],
        "majority": [(12, 2)],
        "linear": [(36, bits), (3, min(2 * bits, 32))],
    }[name]
    assert model.readout.parameter_count == sum(count for count, _ in expected)
    bits_of = footprint(Size.of(model), training=False)
    charged = bits_of["readout"] + bits_of["labels"]
    assert charged == sum(count * each for count, each in expected)
