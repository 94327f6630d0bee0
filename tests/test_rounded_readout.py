"""A readout of few bits that is fitted with its rounding in the loop."""

from dataclasses import replace

import numpy as np
import pytest
from described import dense, model_from
from encoded import responses
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from threadpoolctl import threadpool_limits

import fspinn
from fspinn import datasets
from fspinn.answering.compress import Compiler, Lowering, lower, training_labels, training_responses
from fspinn.base.errors import ConfigError, DataError, FormatError
from fspinn.datasets.dataset import Split
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering.post_training import fit_readout, fits_rounded, quantize_readout
from fspinn.model import readout as readouts
from fspinn.model import rounded_readout
from fspinn.model.readout import NO_LABEL, fit, predict, scores
from fspinn.network.rules import Stdp

FORMATS = [f"Q1.{bits - 1}" for bits in range(2, 8)]


def model_with(readout):
    neurons = len(readout.table)
    weights = np.linspace(0, 1, 4 * neurons, dtype=np.float32).reshape(4, neurons)
    theta = np.zeros(neurons, dtype=np.float32)
    return model_from(dense(neurons, weight_norm=1.0), (2, 2), weights, theta, readout)


def both(counts, labels, format, n_classes=3, seed=0):
    """The readout rounded afterwards, and the one that is fitted with its rounding."""
    model = model_with(fit("linear", counts, labels, n_classes))
    return (
        quantize_readout(model, format)[0].readout,
        fit_readout(model, format, counts, labels, seed)[0].readout,
    )


def correct(readout, counts, labels):
    return int(np.sum(predict(readout, counts) == labels))


def many_neurons(samples=400, neurons=60, part=0.6, seed=0):
    """Responses of many neurons, each of which says little."""
    random = np.random.default_rng(seed)
    rates = np.random.default_rng(7).gamma(2.0, 0.5, (4, neurons))
    labels = random.integers(0, 4, samples)
    counts = random.poisson(rates[labels]) * (random.random((samples, neurons)) < part)
    return counts.astype(np.int32), labels


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32),
    format=st.sampled_from([*FORMATS, "Q2.2", "Q3.0"]),
    part=st.sampled_from([0.01, 0.1, 0.6]),
    unlabelled=st.sampled_from([0.0, 0.5]),
)
def test_scores_are_sums_of_integers_that_the_bits_hold(seed, format, part, unlabelled):
    counts, labels = many_neurons(60, 8, part, seed)
    labels[np.random.default_rng(seed).random(60) < unlabelled] = NO_LABEL
    counts[:2, 0], labels[:2] = (3, 0), (0, 1)  # something to tell apart
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rounded_readout, "UPDATES", 64)
        readout = both(counts, labels, format, 4)[1]
    step, low, high = readout.format.step, readout.format.lowest_integer, readout.format.highest_integer
    assert str(readout.format) == format
    table, bias = readout.table / step, readout.bias / step
    assert {table.dtype, bias.dtype} == {np.dtype(np.float32)}
    assert (table == np.rint(table)).all()
    assert (bias == np.rint(bias)).all()
    assert low <= table.min() <= table.max() <= high
    sums = counts.astype(np.int64) @ table.astype(np.int64) + bias.astype(np.int64)
    np.testing.assert_array_equal(scores(readout, counts), sums * step)


@pytest.mark.parametrize("part", [0.02, 0.6])
def test_the_same_responses_and_seed_give_the_same_bits_whatever_the_threads(part, monkeypatch):
    monkeypatch.setattr(rounded_readout, "UPDATES", 320)
    counts, labels = many_neurons(part=part)
    found = []
    for threads in (1, 2):
        for given_as in (np.asarray, sparse.csr_array):
            with threadpool_limits(threads):
                readout = both(given_as(counts), labels, "Q1.2", 4)[1]
            found.append(readout.table.tobytes() + readout.bias.tobytes())
    assert len(set(found)) == 1
    other = both(counts, labels, "Q1.2", 4, seed=1)[1]
    assert part < 0.1 or found[0] != other.table.tobytes() + other.bias.tobytes()


def test_it_is_better_than_rounding_afterwards_the_fewer_the_bits():
    counts, labels = many_neurons()
    unseen, truth = many_neurons(2000, seed=1)
    model = model_with(fit("linear", counts, labels, 4))
    floats = correct(model.readout, unseen, truth)
    for format, lost in (("Q1.3", 40), ("Q1.2", 60), ("Q1.1", 160)):
        afterwards, in_the_loop = both(counts, labels, format, 4)
        assert correct(in_the_loop, counts, labels) >= correct(afterwards, counts, labels)
        assert correct(in_the_loop, unseen, truth) >= floats - lost
    assert correct(in_the_loop, unseen, truth) > correct(afterwards, unseen, truth) + 100


def test_a_neuron_that_never_spikes_says_nothing():
    counts, labels = responses()
    counts[:, 4] = 0
    model = model_with(fit("linear", responses()[0], labels, 3))
    assert model.readout.table[4].any()
    assert not fit_readout(model, "Q1.3", counts, labels)[0].readout.table[4].any()


@pytest.mark.parametrize("absent", [0, 2])
def test_a_class_without_labels_is_never_the_answer(absent, monkeypatch):
    monkeypatch.setattr(rounded_readout, "UPDATES", 320)
    counts, labels = responses()
    labels = np.where(labels == absent, NO_LABEL, labels)
    readout = both(counts, labels, "Q1.1")[1]
    assert not (predict(readout, np.vstack([counts, 0 * counts])) == absent).any()


@pytest.mark.parametrize("labelled", [0, 1])
def test_where_there_is_nothing_to_tell_apart_the_table_is_rounded(labelled):
    counts, labels = responses()
    few = np.where(np.arange(len(labels)) < labelled, labels, NO_LABEL)
    model = model_with(fit("linear", counts, labels, 3))
    expected, found = quantize_readout(model, "Q1.3")[0], fit_readout(model, "Q1.3", counts, few)[0]
    np.testing.assert_array_equal(found.readout.table, expected.readout.table)
    silent = fit_readout(model, "Q1.3", 0 * counts, labels)[0]
    np.testing.assert_array_equal(silent.readout.table, expected.readout.table)


def test_all_integers_of_the_format_are_used():
    counts, labels = many_neurons()
    for format in ("Q1.1", "Q1.2"):
        readout = both(counts, labels, format, 4)[1]
        used = np.unique(readout.table / readout.format.step)
        assert used.tolist() == list(range(readout.format.lowest_integer, readout.format.highest_integer + 1))


def test_no_entry_gains_by_moving_alone(monkeypatch):
    monkeypatch.setattr(rounded_readout, "TRIES", 10_000)
    counts, labels = many_neurons(neurons=8)
    model = model_with(fit("linear", counts, labels, 4))
    floats, format = model.readout, fspinn.quant.Format.parse("Q1.2")
    samples = rounded_readout._Samples.of(
        sparse.csr_array(counts),
        rounded_readout._targets(floats, sparse.csr_array(counts), labels, np.arange(4)),
        np.ones(4),
    )
    start = rounded_readout._start(floats.table, floats.bias, format)
    rounded = replace(start, table=np.rint(start.table).clip(-4, 3), bias=np.rint(start.bias))
    best = rounded_readout._improve(samples, rounded, format)
    assert samples.answers(best).loss < samples.answers(rounded).loss
    answers = samples.answers(best)
    slopes, curves = samples.slopes(best, answers), samples.curves(best, answers)
    moved, several = rounded_readout._moved(best, slopes, curves, 1, format)
    assert several <= 1
    assert samples.answers(moved).loss > answers.loss - rounded_readout.LEAST_GAIN


# --- with a network ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def learned(digits):
    return learn(dense(neurons=60, duration_ms=150.0), digits, learner=Stdp(passes=2), progress=False)


@pytest.fixture(scope="module")
def model(learned, digits):
    return fit_readouts(learned, digits, ["linear"])[0]


@pytest.mark.parametrize("labels", [100, None])
@pytest.mark.parametrize("format", ["Q1.1", "Q1.2", "Q1.3"])
def test_digits_are_read_no_worse_than_with_rounding_afterwards(learned, digits, labels, format):
    (model,) = fit_readouts(learned, digits, ["linear"], labels=labels)
    accuracies = [
        fspinn.evaluate(fspinn.quantize(model, "UQ0.4", readout=format, data=data), digits.test).accuracy
        for data in (None, digits)
    ]
    assert accuracies[1] >= accuracies[0] - 0.015  # 5 of 359 images
    assert accuracies[1] >= fspinn.evaluate(model, digits.test).accuracy - 0.06


def test_it_is_fitted_to_what_the_quantized_network_answers(model, digits):
    small = fspinn.quantize(model, "UQ0.2", readout="Q1.2", state="Q9.4", data=digits, seed=3)
    rounded = fspinn.quantize(model, "UQ0.2", readout="Q1.2", state="Q9.4", seed=3)
    answered = fspinn.predict(small, digits.train.images, seed=3).spike_counts
    before = replace(rounded, readout=model.readout)
    expected = fit_readout(before, "Q1.2", answered, digits.train.labels, 3)[0]
    np.testing.assert_array_equal(small.readout.table, expected.readout.table)
    np.testing.assert_array_equal(small.layer.weights.numbers, rounded.layer.weights.numbers)
    assert small.layer.formats == rounded.layer.formats
    assert small.record["quantization"] == {**rounded.record["quantization"], "readout_fitted": True}


@pytest.mark.parametrize("draw", [0, 2])
def test_the_labels_are_those_that_the_readout_was_fitted_to(learned, digits, draw, monkeypatch):
    seen = []

    def noting(name, spike_counts, labels, n_classes, **more):
        seen.append(labels)
        return fit(name, spike_counts, labels, n_classes, **more)

    monkeypatch.setattr(readouts, "fit", noting)
    (model,) = fit_readouts(replace(learned, seed=5), digits, ["linear"], labels=30, draw=draw)
    known = training_labels(model, digits)
    np.testing.assert_array_equal(known, seen[0])
    assert np.sum(known != NO_LABEL) == 30


def test_all_labels_are_used_where_all_were(model, digits):
    fewer = replace(digits, train=digits.train.first(50))
    np.testing.assert_array_equal(training_labels(model, fewer), fewer.train.labels)
    unknown = replace(model, record={"class_names": list(digits.class_names)})
    np.testing.assert_array_equal(training_labels(unknown, digits), digits.train.labels)


@pytest.mark.parametrize("name", ["majority", "proportion"])
def test_other_readouts_are_not_fitted_again(learned, digits, name):
    (model,) = fit_readouts(learned, digits, [name])
    with_data = fspinn.quantize(model, "UQ0.4", readout="UQ0.4", data=digits)
    without = fspinn.quantize(model, "UQ0.4", readout="UQ0.4")
    np.testing.assert_array_equal(with_data.readout.table, without.readout.table)
    assert with_data.record == without.record
    assert not fits_rounded(model.readout, "Q1.3")


def test_what_cannot_be_fitted_is_refused_before_anything_runs(model, digits, monkeypatch):
    monkeypatch.setattr("fspinn.answering.compress.respond", pytest.fail)
    small = fspinn.quantize(model, "UQ0.4")
    empty, large = replace(digits, train=digits.train.first(0)), np.zeros((3, 9, 9), np.uint8)
    for given_model, readout, data, error, words in (
        (model, "UQ0.4", digits, FormatError, r"^readout: UQ0\.4 cannot hold the table"),
        (model, "Q1.0", digits, FormatError, r"^readout: Q1\.0 cannot hold the table"),
        (small, "Q1.3", digits, FormatError, r"^readout: already quantized to Q1\.7"),
        (model, "Q1.3", empty, ConfigError, r"^data: digits has no training samples, which a readout is fit"),
        (
            model,
            "Q1.3",
            (large, np.arange(3)),
            ConfigError,
            r"^data: 9 x 9 pixels do not fit a model for 8 x",
        ),
        (model, "Q1.3", digits.train.images, DataError, r"^data: ndarray is not a data set"),
    ):
        with pytest.raises(error, match=words):
            fspinn.quantize(given_model, "UQ0.4", readout=readout, data=data)
    split = digits.train
    strange = Split(split.images, split.labels, tuple("abcdefghij"))
    with pytest.raises(DataError, match=r"^data: the model does not have classes"):
        fspinn.quantize(model, "UQ0.4", readout="Q1.3", data=strange)


def test_a_readout_is_fitted_after_all_that_changes_answers(model, digits):
    lowered = lower(
        model, digits, weights="UQ0.3", state="Q9.4", readout="Q1.2", shift_leak=True, tune=True, prune=True
    )
    names = [report.name for report in lowered.reports]
    assert names == ["leak", "weights", "state", "tuning", "neurons", "pixels", "readout"]
    assert lowered.reports[-1].change == "linear: float32 -> Q1.2, fitted with its rounding"
    assert lowered.model.record["quantization"]["readout_fitted"]


@pytest.mark.parametrize("readout", [None, "Q1.7", "Q1.11"])
def test_from_eight_bits_on_the_compiler_rounds(model, digits, readout, monkeypatch):
    monkeypatch.setattr("fspinn.answering.compress.respond", pytest.fail)
    small = Compiler(digits, 0, None).compile(model, Lowering("UQ0.4", readout=readout))
    expected = fspinn.quantize(model, "UQ0.4", readout=readout)
    np.testing.assert_array_equal(small.readout.table, expected.readout.table)


def test_several_formats_are_fitted_on_the_same_responses(model, digits, monkeypatch):
    calls = []

    def noting(*args, **kwargs):
        calls.append(args)
        return training_responses(*args, **kwargs)

    monkeypatch.setattr("fspinn.answering.compress.training_responses", noting)
    compiler = Compiler(digits, 0, None)
    small = [compiler.compile(model, Lowering("UQ0.4", readout=f"Q1.{bits}")) for bits in (1, 2, 3)]
    assert [model.readout.format.bits for model in small] == [2, 3, 4]
    assert len(calls) == 1
    compiler.compile(model, Lowering("UQ0.2", readout="Q1.3"))
    assert len(calls) == 2
