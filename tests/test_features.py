"""Readouts that listen to features beside the spikes: from data to answers, wherever networks learn."""

from dataclasses import replace

import numpy as np
import pytest
from cost_cases import sized
from described import dense, stdp
from featured import NAMES, bare, data_of, some
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from published_images import user_file

import fspinn
from fspinn.answering import describe
from fspinn.answering.compress import lower
from fspinn.base.errors import ConfigError, DataError
from fspinn.datasets import Dataset, Scale, Split
from fspinn.memmodel import Size, estimate, load_hardware, workloads_of_spikes
from fspinn.memmodel.accesses import accesses
from fspinn.memmodel.footprint import footprint
from fspinn.memmodel.latency import latency_cycles
from fspinn.memmodel.packing import shares
from fspinn.model import readout as readouts
from fspinn.model.features import INPUTS, SPIKES, Features, joined
from fspinn.model.readout import NO_LABEL, READOUTS
from fspinn.network.setup import Setup
from fspinn.search import find_smallest
from fspinn.search.jobs import Job, SearchContext, Source

NETWORK = dense(8, duration_ms=40.0, rate_norm_hz=900.0, threshold=4.0)
COLUMN = fspinn.Network.patches(neurons=6, field=3, cells=2)
STACK = fspinn.Network(
    encoder=COLUMN.encoder,
    layers=(COLUMN.layers[0], replace(COLUMN.layers[0], field=(2, 2), cells=(1, 1))),
    dt_ms=COLUMN.dt_ms,
    duration_ms=COLUMN.duration_ms,
)
LEARNER = stdp(passes=2)
FEATURES = Features(NAMES, Scale((0.0, -1.0), (255.0, 1.0)))


@pytest.fixture(scope="module")
def data():
    return data_of()


@pytest.fixture(scope="module")
def model(data):
    return trained(NETWORK, data)


def trained(network, data, readout="linear", **how):
    return fspinn.train(network, data, learner=LEARNER, readout=readout, progress=False, **how).model


def naive_counts(values, scale):
    """What inputs of a thermometer count, one after the other."""
    rows = []
    for sample in values:
        row = []
        for value, low, high in zip(sample.tolist(), scale.low, scale.high, strict=True):
            byte = round(255 * (min(max(value, low), high) - low) / (high - low))
            row += [SPIKES if byte // 16 > j else 0 for j in range(15)]
        rows.append(row)
    return np.array(rows)


@settings(deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(1, 5))
def test_thermometers_count_what_their_naive_twin_does(draw, features, samples):
    ends = st.floats(-1000, 1000, width=32)
    low = draw.draw(st.lists(ends, min_size=features, max_size=features))
    span = draw.draw(st.lists(st.floats(0.5, 500, width=32), min_size=features, max_size=features))
    scale = Scale(tuple(low), tuple(a + b for a, b in zip(low, span, strict=True)))
    values = draw.draw(arrays(np.float32, (samples, features), elements=st.floats(-2000, 2000, width=32)))
    counts = Features(tuple(map(str, range(features))), scale).counts(values)
    assert counts.dtype == np.int32
    np.testing.assert_array_equal(counts.toarray(), naive_counts(values, scale))


def test_the_counts_stand_after_those_of_the_neurons():
    spikes, values = np.array([[1, 0, 2]], np.int32), np.array([[255.0, -1.0]], np.float32)
    given = joined(FEATURES, spikes, values).toarray()
    assert given.tolist() == [[1, 0, 2] + [SPIKES] * 15 + [0] * 15]
    assert joined(None, spikes, None) is spikes


def test_features_have_a_name_and_a_channel_each():
    for names in (("a",), ("a", "a")):
        with pytest.raises(
            ConfigError, match=r"^features: \d names do not fit a scale of 2; give each feature"
        ):
            Features(names, FEATURES.scale)


def test_columns_are_found_by_name():
    split = some(5)
    turned = replace(split, features=split.features[:, ::-1].copy(), feature_names=NAMES[::-1])
    more = np.concatenate([np.zeros((5, 1), np.float32), split.features], axis=1)
    more = replace(split, features=more, feature_names=("height", *NAMES))
    unnamed = replace(split, feature_names=None)
    for each in (split, turned, more, unnamed):
        np.testing.assert_array_equal(FEATURES.values_of(each, "x"), split.features)
    lacking = replace(split, features=split.features[:, :1], feature_names=NAMES[:1])
    said = "and the readout of the model listens to RR before, age; add what is missing, or train without"
    with pytest.raises(DataError, match=rf"^x: has no feature 'age' \(it has RR before\), {said}"):
        FEATURES.values_of(lacking, "x")
    with pytest.raises(DataError, match=rf"^x: has no features, {said}"):
        FEATURES.values_of(bare(split), "x")
    with pytest.raises(DataError, match=r"^x: 1 feature\(s\) of each sample, where the model has 2; give RR"):
        FEATURES.values_of(replace(lacking, feature_names=None), "x")


def test_splits_and_data_sets_say_what_does_not_fit():
    split = some(3)
    with pytest.raises(
        DataError, match=r"^Split.feature_names: 1 names for 2 columns of features; name each"
    ):
        replace(split, feature_names=("a",))
    with pytest.raises(DataError, match=r"^Split.feature_names: 'a' is there twice; give each feature its"):
        replace(split, feature_names=("a", "a"))
    with pytest.raises(DataError, match=r"^Split.features: float32 of shape \(3, 0\); make it float32 of"):
        replace(split, features=np.zeros((3, 0), np.float32), feature_names=None)
    with pytest.raises(DataError, match=r"^Split.features: row 1 holds NaN or infinity; fill the gap"):
        replace(split, features=np.array([[0, 0], [np.nan, 0], [0, 0]], np.float32))
    for other in (bare(split), replace(split, feature_names=("a", "b"))):
        with pytest.raises(DataError, match=r"^x: features for training and validation differ; give both"):
            Dataset("x", split, other, split.first(0), ("left", "right"), "", 0)
    unnamed = replace(split, feature_names=None)
    made = Dataset("x", unnamed, unnamed, bare(split).first(0), ("left", "right"), "", 0)
    assert made.feature_names == made.validation.feature_names == ("feature 0", "feature 1")


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("network", [NETWORK, COLUMN, STACK], ids=["dense", "column", "stack"])
def test_what_features_tell_is_learned_and_survives_quantization(network, readout, data, tmp_path):
    """Noise tells nothing of the class, the feature all; but of a low value no input speaks, only a bias."""
    known = trained(network, data, readout)
    assert known.features.names == NAMES
    assert known.features.scale == Scale.fitted(data.train.features[:, None, :])
    assert known.readout.table.shape == (network.features + 2 * INPUTS, 2)
    small = fspinn.quantize(known, "UQ0.4", state="16 bits", data=data)
    fspinn.save(small, tmp_path / "small.h5")
    blind = replace_parts(data, bare)
    least = (
        0.95
        if readout == "linear"
        else fspinn.evaluate(trained(network, blind, readout), blind.test).accuracy
    )
    for each in (known, small, fspinn.load(tmp_path / "small.h5")):
        measured = fspinn.evaluate(each, data.test)
        assert measured.accuracy > least
        assert measured.activity[-1].samples == len(data.test)
        assert fspinn.predict(each, data.test).spike_counts.shape == (40, network.features)


def test_few_bits_are_fitted_with_the_features(model, data):
    small = fspinn.quantize(model, "UQ0.4", state="16 bits", readout="Q1.1", data=data)
    assert small.record["quantization"]["readout_fitted"] is True
    assert np.unique(small.readout.table).size <= 4
    assert fspinn.evaluate(small, data.test).accuracy > 0.95
    with pytest.raises(DataError, match=r"^data: has no features, and the readout of the model listens to"):
        fspinn.quantize(model, "UQ0.4", state="16 bits", readout="Q1.1", data=replace_parts(data, bare))


def replace_parts(data, change):
    parts = {part: change(getattr(data, part)) for part in ("train", "validation", "test")}
    return replace(data, **parts, feature_names=parts["train"].feature_names or ())


def test_answers_do_not_depend_on_the_order_of_columns(model, data):
    turned = replace(
        data.test, features=np.ascontiguousarray(data.test.features[:, ::-1]), feature_names=NAMES[::-1]
    )
    first = fspinn.predict(model, data.test)
    again = fspinn.predict(model, data.test.images, features=data.test.features)
    for each in (fspinn.predict(model, turned), again):
        np.testing.assert_array_equal(each.scores, first.scores)
    alone = fspinn.predict(model, data.test.images[0], features=data.test.features[0])
    np.testing.assert_array_equal(alone.scores, first.scores[:1])
    assert fspinn.evaluate(model, turned).accuracy == fspinn.evaluate(model, data.test).accuracy
    most = float(first.leads.max())
    assert 0 < fspinn.evaluate(model, data.test, reject=most / 2).coverage <= 1


def test_answers_without_features_are_refused(model, data):
    images, labels = data.test.images, data.test.labels
    with pytest.raises(DataError, match=r"^images: has no features, and the readout of the model listens"):
        fspinn.predict(model, images)
    with pytest.raises(DataError, match=r"^split: has no features, and the readout of the model listens"):
        fspinn.evaluate(model, Split(images, labels, data.class_names))
    with pytest.raises(DataError, match=r"^images: features: float64 of shape \(3, 2\); give numbers of"):
        fspinn.predict(model, images, features=np.zeros((3, 2)))
    with pytest.raises(DataError, match=r"^images: features: rows differ in length; give 2 numbers a sample"):
        fspinn.predict(model, images[:2], features=[[1, 2], [3]])
    plain = trained(NETWORK, replace_parts(data, bare))
    with pytest.raises(ConfigError, match=r"^features: the readout of this model listens to none; leave"):
        fspinn.predict(plain, images, features=data.test.features)
    assert fspinn.predict(plain, data.test).scores.shape == (40, 2)  # they are not looked at
    assert plain.features is None


def test_a_table_that_does_not_fit_is_refused(model):
    with pytest.raises(
        ConfigError, match=r"^readout: shape \(38, 2\) does not fit; this network needs \(8, 2"
    ):
        replace(model, features=None)


@pytest.mark.parametrize("readout", READOUTS)
def test_features_keep_no_company(readout):
    """Few labels: the neurons learn from their company, what features say stands for itself."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 200)
    spikes = random.poisson(1 + 3 * (labels[:, None] == [0, 0, 1, 1])).astype(np.int32)
    values = (100.0 * labels[:, None]).astype(np.float32)
    features = Features.fitted(("x",), values)
    few = np.where(np.arange(200) < 8, labels, NO_LABEL)
    counts = joined(features, spikes, values)
    fitted = readouts.fit(readout, counts, few, 2, neurons=4)
    assert np.mean(readouts.predict(fitted, counts) == labels) > 0.95
    alone = readouts.fit(readout, spikes, few, 2)
    if readout == "proportion":
        np.testing.assert_allclose(fitted.table[:4], alone.table)
        on = fitted.table[4:].any(axis=1)
        np.testing.assert_allclose(fitted.table[4:][on], np.tile([0.0, 1.0], (on.sum(), 1)), atol=1e-6)


def test_silence_is_that_of_the_neurons():
    labels = np.repeat([0, 1], 20)
    spikes = np.eye(2, dtype=np.int32)[labels] * (labels[:, None] == 1)
    values = labels[:, None].astype(np.float32)
    counts = joined(Features.fitted(("x",), values), spikes, values)
    fitted = readouts.fit("proportion", counts, labels, 2, neurons=2)
    np.testing.assert_array_equal(fitted.bias, [readouts.SILENCE, 0])


@pytest.mark.parametrize("how", [{"labels": 20}, {"class_weight": "balanced"}, {"weights": "UQ0.4"}])
def test_every_way_to_train_takes_features(how, data, tmp_path):
    network = replace(NETWORK, dt_ms=1.0)
    found = trained(network, data, checkpoint=tmp_path / "checkpoint", **how)
    assert fspinn.evaluate(found, data.test).accuracy > 0.95
    again = trained(network, data, checkpoint=tmp_path / "checkpoint", resume=True, **how)
    np.testing.assert_array_equal(again.readout.table, found.readout.table)


def test_pruned_neurons_leave_the_rows_of_features(data):
    network = dense(12, duration_ms=40.0, rate_norm_hz=900.0, threshold=4.0)
    found = trained(network, data)
    theta = found.layer.theta.values.copy()
    theta[[2, 7]] = 100.0
    (layer,) = found.layers
    hindered = replace(found, layers=(replace(layer, theta=replace(layer.theta, numbers=theta)),))
    small = lower(hindered, data, weights="UQ0.4", state="Q10.5", prune=True).model
    assert small.network.neurons <= 10
    assert small.readout.table.shape == (small.network.neurons + 2 * INPUTS, 2)
    kept = fspinn.quantize(hindered, "UQ0.4", state="Q10.5")
    np.testing.assert_array_equal(small.readout.table[-2 * INPUTS :], kept.readout.table[-2 * INPUTS :])
    np.testing.assert_array_equal(
        fspinn.predict(small, data.test).scores, fspinn.predict(kept, data.test).scores
    )


def test_a_search_prices_and_measures_the_features(data):
    result = find_smallest(
        data,
        accuracy=0.9,
        confidence=0.5,
        network=NETWORK,
        learner=LEARNER,
        sizes=(4, 8),
        weights=("UQ0.4",),
        readouts=READOUTS,
        seeds=1,
        progress=False,
    )
    assert result.found
    assert result.model.features.names == NAMES
    assert fspinn.evaluate(result.model, data.validation).accuracy == result.winner.accuracies[0]
    expected = estimate(result.model, "asic65-lp").memory["inference"]["total"]
    assert result.winner.cost.memory_bits == expected


def test_what_workers_see_of_the_features_is_checked(data):
    changed = replace_parts(data, lambda split: replace(split, features=split.features + 1))
    sources = [Source.of(each, None) for each in (data, changed)]
    assert sources[0] != sources[1]
    first, other = (SearchContext(source, load_hardware("asic65-lp")) for source in sources)
    job = Job(Setup(NETWORK, LEARNER), 0, ())
    assert first.key(job) != other.key(job)
    by_column = replace_parts(data, lambda split: replace(split, features=np.asfortranarray(split.features)))
    assert Source.of(by_column, None) == sources[0]


def test_tuning_takes_features(data):
    result = fspinn.tune(NETWORK, data, learner=LEARNER, trials=1, readout="linear", progress=False)
    assert result.best.accuracy > 0.95


@pytest.mark.parametrize("network", [NETWORK, COLUMN], ids=["dense", "column"])
@pytest.mark.parametrize("readout", READOUTS)
def test_the_memory_counts_every_row_and_level(network, readout, data):
    found = fspinn.quantize(trained(network, data, readout), "UQ0.4")
    size = Size.of(found)
    assert (size.extra_features, size.readout_rows) == (2, network.features + 30)
    bits, without = (footprint(each, training=False) for each in (size, replace(size, extra_features=0)))
    of_a_row = 1 if readout == "majority" else 2 * 8
    table = "labels" if readout == "majority" else "readout"
    assert bits.pop(table) - without.pop(table) == 2 * INPUTS * of_a_row
    assert bits.pop("input_buffer") - without.pop("input_buffer") == 2 * 4
    assert bits == without


@pytest.mark.parametrize("readout", READOUTS)
def test_features_are_looked_up_and_added_by_the_readout_only(readout):
    """All inputs are taken to be on: a bound."""
    hardware = load_hardware("asic65-lp")
    without = sized(36, 8, n_classes=3, readout=readout, readout_bits=8, cells=4, positions=4)
    size = replace(without, extra_features=2)
    work = workloads_of_spikes(size, 10.0, 5.0)["inference"]
    more, less = (accesses(each, work, hardware, training=False) for each in (size, without))
    table, levels = (more.pop("readout"), less.pop("readout")), 1  # two levels lie in a word
    assert more == less
    changes = {name: a - b for name, a, b in zip(table[0]._fields, *table, strict=True)}
    word_bits, of_row = hardware.memory.weights.word_bits, 2 if readout == "majority" else 3 * 8
    assert abs(changes.pop("weight_reads") - 30 * of_row / word_bits) <= 1
    assert changes == {
        "weight_writes": 0,
        "state_reads": levels,
        "state_writes": levels,
        "added_bits": 0 if readout == "majority" else 30 * 3 * 32,
        "multiplied_square_bits": 0,
    }
    cycles = [latency_cycles(each, work, hardware, False, 0) for each in (size, without)]
    lanes, additions = hardware.core.lanes, hardware.cycles.addition
    rows = (
        shares(4 * 8 + 30, lanes) - shares(4 * 8, lanes) if readout == "majority" else 30 * shares(3, lanes)
    )
    assert cycles[0].pop("readout") - cycles[1].pop("readout") == pytest.approx(rows * additions)
    assert cycles[0] == cycles[1]


def test_a_model_says_what_it_listens_to(model):
    scale = model.features.scale
    assert describe.in_words(model)["features"] == (
        f"RR before ({scale.low[0]:g} to {scale.high[0]:g}), age ({scale.low[1]:g} to {scale.high[1]:g}); "
        "15 inputs of the readout for each"
    )
    assert describe.as_values(model)["features"]["names"] == NAMES


def test_labelled_arrays_in_memory_keep_their_features():
    split = Split(*(getattr(some(60), name) for name in ("images", "labels")), features=some(60).features)
    found = trained(NETWORK, split)
    assert found.features.names == ("feature 0", "feature 1")
    assert fspinn.evaluate(found, split).accuracy > 0.95


def test_heartbeats_with_their_intervals():
    """Real data: the two RR intervals tell ventricular beats that the shape does not."""
    data = fspinn.datasets.load(user_file("ecg/mitbih_beats_aami.npz"), validation=8000)
    assert data.feature_names == ("rr 0", "rr 1")
    some_of_them = data.train.part(np.arange(0, len(data.train), 10))
    data = replace(data, train=some_of_them, test=data.test.part(np.arange(0, len(data.test), 5)))
    network = fspinn.with_settings(COLUMN, {"field": (1, 15), "cells": (1, 8), "neurons": 16})
    f1 = {}
    for name, each in (("with", data), ("without", replace_parts(data, bare))):
        learned = trained(network, each, class_weight="balanced")
        small = fspinn.quantize(learned, "UQ0.3", state="16 bits", readout="Q1.3", data=each)
        f1[name] = fspinn.evaluate(small, each.test).classes["V"].f1
    assert f1["with"] > f1["without"] + 0.02, f1
