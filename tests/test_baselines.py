"""Classifiers without spikes are fitted as fairly as networks, and counted in the same way."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import fspinn
from fspinn.base.errors import FspinnWarning
from fspinn.datasets import load
from fspinn.memmodel import load_hardware
from fspinn.memmodel.dense import DenseLayer, dense_cost
from fspinn.search import linear, without_spikes
from fspinn.search.baselines import Samples, whole_steps
from fspinn.search.linear import linear_classifiers
from fspinn.search.perceptron import passes_over, perceptrons, wide_enough


@pytest.fixture(scope="module")
def data():
    digits = load("digits", validation=300)
    return replace(digits, train=digits.train.first(400))


def test_the_linear_classifier_is_scikit_learn_s_and_loses_little_at_eight_bits(data):
    (eight, exact) = linear_classifiers(data, (32, 8))
    pixels, shown = (s.images.reshape(len(s), -1) / 255 for s in (data.train, data.validation))
    score = LogisticRegression(C=0.1, max_iter=50).fit(pixels, data.train.labels)
    assert exact.accuracy == pytest.approx(score.score(shown, data.validation.labels), abs=0.004)
    assert eight.accuracy == pytest.approx(exact.accuracy, abs=0.02)
    assert (eight.weight_bits, exact.weight_bits) == (8, 32)
    lit = np.count_nonzero(pixels.any(axis=0))
    assert lit < 64
    assert exact.memory == {
        "weights": lit * 10 * 32,
        "pixels": 64,  # a bit for each: is it an input?
        "readout": 10 * 32,
        "accumulators": 10 * 32,
    }
    assert exact.memory_bits == sum(exact.memory.values())
    assert 60 * 10 * 8 < eight.memory_bits < lit * 10 * 8 + 64 + 10 * 64  # more weights are zero
    assert eight.accuracy_interval[0] < eight.accuracy < eight.accuracy_interval[1]


def test_fewer_bits_and_labels_make_a_linear_classifier_worse(data):
    two, _, eight = linear_classifiers(data, (1, 4, 8))
    assert two.weight_bits == 2
    assert 0.5 < two.accuracy <= eight.accuracy
    (few,) = linear_classifiers(data, (8,), labels=30)
    assert few.accuracy < eight.accuracy - 0.1


@pytest.mark.parametrize(("classes", "least"), [((3,), 1.0), ((0, 1), 0.9)])
def test_one_or_two_classes_are_enough(data, classes, least):
    few = {}
    for name in ("train", "validation"):
        split = getattr(data, name)
        chosen = np.isin(split.labels, classes)
        few[name] = replace(split, images=split.images[chosen], labels=split.labels[chosen])
    (one,) = linear_classifiers(replace(data, **few), (8,))
    assert one.accuracy >= least


def test_a_quantized_ann_beats_a_linear_classifier_and_larger_ones_are_better(data):
    anns = perceptrons(Samples.of(data), (8, 16, 32))
    assert [(one.hidden, one.weight_bits) for one in anns] == [(h, b) for h in (8, 16, 32) for b in (4, 8)]
    small, *_, large = anns
    best = max(one.accuracy for one in linear_classifiers(data))
    assert large.accuracy > best
    assert 0.8 < small.accuracy < large.accuracy


def test_a_linear_classifier_learns_with_its_rounding_in_the_loop(monkeypatch):
    data = load("digits", validation=300)
    (learned,) = linear_classifiers(data, (2,))
    monkeypatch.setattr(linear, "UPDATES", 1)
    (rounded,) = linear_classifiers(data, (2,))
    assert learned.accuracy > rounded.accuracy + 0.02


def test_biases_have_the_bits_that_are_counted():
    biases = np.random.default_rng(0).normal(size=10).astype(np.float32)
    step = np.abs(biases).max() / (2**15 - 0.5)
    rounded = whole_steps(biases, 16)
    np.testing.assert_allclose(rounded / step, np.rint(rounded / step), atol=0.01)
    assert 0 < np.abs(rounded - biases).max() <= 0.51 * step
    assert len(np.unique(whole_steps(biases, 3))) <= 8


def test_anns_grow_until_one_is_proven_to_be_enough_or_is_far_too_large(data):
    samples = Samples.of(data)

    def widths(target, most_bits=np.inf):
        return [one.hidden for one in wide_enough(samples, target, 0.975, most_bits, metric="accuracy")]

    assert widths(0.5) == [8, 8]
    assert widths(0.999) == [8, 8, 16, 16, 32, 32, 64, 128]
    assert widths(0.999, most_bits=10_000) == [8, 8, 16, 16]


def test_of_mnist_the_solver_sees_each_image_ten_times():
    assert passes_over(50_000) == 10
    assert passes_over(500) == 80
    assert passes_over(20) == 300  # steps with all of them


def test_an_ann_is_the_same_again_and_another_with_another_seed(data):
    samples = Samples.of(data)
    once, again, other = (perceptrons(samples, (8,), (4,), seed=seed) for seed in (0, 0, 1))
    assert once == again
    assert once[0].confusion != other[0].confusion


def test_the_memory_of_an_ann_is_that_of_both_layers(data):
    (one,) = perceptrons(Samples.of(data), (16,), (8,))
    lit = np.count_nonzero(data.train.images.reshape(len(data.train), -1).any(axis=0))
    assert one.memory["weights"] == (lit * 16 + 16 * 10) * 8  # what is always black has no weights
    assert one.memory["pixels"] == 64
    assert one.memory["readout"] == 10 * 16
    assert one.memory["hidden"] == 16 * 16 + 32  # biases, and the step of what comes out
    assert one.memory["accumulators"] == 26 * 32
    assert one.memory_bits == sum(one.memory.values())
    assert one.dense_macs == 64 * 16 + 16 * 10
    assert 0.2 * one.dense_macs < one.macs < 0.9 * one.dense_macs


def test_classes_weigh_as_much_in_an_ann_as_is_asked_for(data):
    rare = replace(
        data, train=data.train.part(np.flatnonzero((data.train.labels > 0) | (np.arange(400) < 60)))
    )
    found = [
        perceptrons(Samples.of(rare), (8,), (8,), class_weight=weight, metric="balanced-accuracy")[0]
        for weight in (None, "balanced")
    ]
    assert found[0].confusion != found[1].confusion
    assert found[0].metric == "balanced-accuracy"


def test_energy_and_time_of_dense_layers_are_sums_of_accesses():
    layers = [DenseLayer(inputs=64, neurons=8, weight_bits=4, active=32.0), DenseLayer(8, 10, 4, 6.0)]
    microcontroller = load_hardware("mcu-m4f")
    core = replace(microcontroller, program=None, controller=None)
    price = replace(core.cycles, scan=1.25, input_spike=10)
    core = replace(core, cycles=price)
    found = dense_cost(layers, 4000, 600, core)
    cycles = (32 * 8 + 6 * 10) * price.addition + (8 + 10) * price.neuron
    word_bits = core.memory.state.word_bits
    cycles += (64 + 8) * 8 / word_bits * price.scan + (32 + 6) * price.input_spike
    assert found.latency_s == pytest.approx(cycles / 180e6)
    assert found.energy_pj == pytest.approx(cycles * 429)
    clocked = replace(core, core=replace(core.core, schedule="clock"))
    every = (64 * 8 + 8 * 10) * price.addition + (8 + 10) * price.neuron
    assert dense_cost(layers, 4000, 600, clocked).latency_s == pytest.approx(every / 180e6)
    program = microcontroller.program
    of_program = (64 * 8 + 8 * 10) * program.entry + (32 * 8 + 6 * 10) * program.product
    assert dense_cost(layers, 4000, 600, microcontroller).latency_s == pytest.approx(of_program / 180e6)
    chip = load_hardware("asic65-lp")
    wide = [replace(one, weight_bits=8) for one in layers]
    assert dense_cost(layers, 4000, 600, chip).energy_pj < dense_cost(wide, 8000, 600, chip).energy_pj


def test_events_add_rows_as_they_come():
    chip, controller = load_hardware("asic65-lp"), load_hardware("mcu-m4f")
    frame = DenseLayer(inputs=64, neurons=8, weight_bits=4, active=32.0)
    events = replace(frame, events=True)
    cycles = 32 * 8 * (controller.program.entry + controller.program.product)
    assert dense_cost([events], 4000, 600, controller).latency_s == pytest.approx(cycles / 180e6)
    assert dense_cost([events], 4000, 600, chip).energy_pj < dense_cost([frame], 4000, 600, chip).energy_pj
    more = replace(events, active=320.0)  # a pixel may have many
    assert dense_cost([more], 4000, 600, chip).energy_pj > dense_cost([frame], 4000, 600, chip).energy_pj


def test_a_classifier_of_events_is_charged_for_each(data):
    images, shown = np.zeros((40, 4), np.float32), np.full((10, 4), 2.0, np.float32)
    images[:20] = 1
    labels = np.repeat([1, 0], 20)
    frames = Samples(images, labels, shown, labels[:10], 2)
    (one,), (each,) = (linear_classifiers(some, (8,)) for some in (frames, frames._replace(events=4)))
    assert each.macs == pytest.approx(30 * one.macs)  # 2 * 15 events for each input


def test_if_no_classifier_can_be_fitted_the_answer_stays(data, monkeypatch):
    def exhausted(*_, **__):
        raise MemoryError

    monkeypatch.setattr(without_spikes, "linear_classifiers", exhausted)
    asked = {"field": [3], "cells": [2], "neurons": [6], "weights": ["UQ0.3"], "readout": ["linear"]}
    with pytest.warns(FspinnWarning, match=r"no classifier without spikes could be fitted \(MemoryError\)"):
        found = fspinn.find_smallest(data, accuracy=0.5, space=asked, seeds=1, progress=False)
    assert found.found
    assert found.baselines == ()
    assert found.as_dict()["worth_it"]["spiking"] is None


@pytest.mark.parametrize("name", ["fpga-kintex7-event", "loihi-like"])
def test_hardware_without_multipliers_says_nothing_of_dense_layers(data, name):
    assert dense_cost([DenseLayer(64, 10, 4, 32.0)], 2560, 320, load_hardware(name)) is None
    (one,) = linear_classifiers(data, (4,), hardware=load_hardware(name))
    assert (one.energy_pj, one.latency_s) == (None, None)


def test_macs_of_a_trial_are_those_of_neurobench(data):
    found = fspinn.find_smallest(
        data,
        accuracy=0.5,
        space={"field": [3], "cells": [2], "neurons": [6], "weights": ["UQ0.3"], "readout": ["linear"]},
        seeds=1,
        progress=False,
    )
    measured = fspinn.evaluate(found.model, data.validation)
    assert found.nearest.cost.macs == pytest.approx(measured.neurobench.effective_macs)
    cost = found.nearest.cost
    assert cost.operations == pytest.approx(cost.synaptic_operations + cost.macs)
    assert cost.macs > 0
    assert all(trial.cost.macs is None for trial in found.trials if not trial.confusions)
