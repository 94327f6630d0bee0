"""Pictures show the numbers that they are drawn from, with names and units at the axes."""

import os
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from described import changed, dense
from matplotlib.figure import Figure

import fspinn
from fspinn import datasets, plots
from fspinn.answering.present import present
from fspinn.base.errors import ConfigError, DataError
from fspinn.model.model import Readout
from fspinn.network.rules import Stdp
from fspinn.report.plots.networks import preferred_classes


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def model(digits):
    return fspinn.train(
        dense(neurons=30, duration_ms=150.0), digits, learner=Stdp(passes=1), progress=False
    ).model


def texts(figure):
    """Return all words in a figure."""
    figure.canvas.draw()
    found = [figure.get_suptitle()]
    for axes in figure.axes:
        found += [axes.get_title(), axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        found += [text.get_text() for text in axes.texts]
        found += [label.get_text() for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]]
    return found


# --- receptive fields -------------------------------------------------------------------------------


def test_each_field_holds_the_weights_of_a_neuron(model):
    (axes, bar) = plots.receptive_fields(model).axes
    tiles = np.ma.filled(axes.images[0].get_array(), np.nan)
    rows, columns = (np.flatnonzero(~np.isnan(tiles).all(axis=k)) for k in (1, 0))
    columns_of = [columns[k : k + 8] for k in range(0, len(columns), 8)]
    rows_of = [rows[k : k + 8] for k in range(0, len(rows), 8)]
    fields = [tiles[np.ix_(r, c)] for r in rows_of for c in columns_of]
    fields = [field for field in fields if not np.isnan(field).any()]
    order = np.argsort(preferred_classes(model), kind="stable")
    np.testing.assert_array_equal([field.ravel() for field in fields], model.layer.weights.values[:, order].T)
    classes = [text.get_text() for text in axes.texts]
    assert classes == [str(c) for c in preferred_classes(model)[order]]
    assert bar.get_ylabel() == "weight"


@pytest.mark.parametrize(("asked", "drawn"), [(1, 1), (7, 7), (30, 30), (64, 30)])
def test_so_many_fields_as_there_are_or_were_asked_for(model, asked, drawn):
    assert len(plots.receptive_fields(model, neurons=asked).axes[0].texts) == drawn
    assert f"{drawn} of 30 neurons, with the class of each" in texts(plots.receptive_fields(model, asked))


def test_a_neuron_that_speaks_for_no_class_is_marked(model):
    table = model.readout.table.copy()
    table[4] = 0
    mute = replace(model, readout=Readout("proportion", table))
    assert preferred_classes(mute)[4] == -1
    assert plots.receptive_fields(mute).axes[0].texts[0].get_text() == "-"


# --- thresholds and learning ------------------------------------------------------------------------


def test_thresholds_and_rates_of_all_neurons(model, digits):
    answer = fspinn.predict(model, digits.validation.images[:50])
    figure = plots.thresholds(model, answer.spike_counts)
    left, right = figure.axes
    assert sum(bar.get_height() for bar in left.patches) == 30
    neuron = model.network.layers[0].neuron
    levels = (neuron.firing_threshold + model.layer.theta.values) / neuron.weight_norm
    silent = int((answer.spike_counts.sum(axis=0) == 0).sum())
    words = texts(figure)
    assert f"thresholds {levels.mean():.1f} ± {levels.std():.1f}; dashed: without adaptation" in words
    assert f"firing over 50 images: {silent} neurons silent" in words
    assert {"firing threshold (weight norms)", "neurons", "firing rate (Hz)"} <= set(words)
    (mean,) = right.lines
    assert mean.get_ydata()[0] == pytest.approx(answer.spike_counts.mean() / 0.15)


def test_the_course_of_a_training(model):
    curve = model.record["learning_curve"]
    figure = plots.learning_curve(model)
    upper, lower = (axes.lines[0] for axes in figure.axes)
    assert upper.get_xdata().tolist() == lower.get_xdata().tolist() == curve["presentations"]
    assert lower.get_ydata().tolist() == curve["output_spikes"]
    np.testing.assert_allclose(upper.get_ydata()[1:], [100 * part for part in curve["accuracy"][1:]])
    assert np.isnan(upper.get_ydata()[0])
    assert {"running accuracy (%)", "output spikes\nan image", "training images shown"} <= set(texts(figure))


def test_a_model_without_a_course_is_refused(model):
    bare = replace(model, record={})
    with pytest.raises(ConfigError, match=r"^learning_curve: not in the model; train it again with"):
        plots.learning_curve(bare)


# --- answers ----------------------------------------------------------------------------------------


def test_a_confusion_matrix_counts_and_shares():
    labels, classes = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 2, 1, 0, 2])
    figure = plots.confusion_matrix(labels, classes, ["cat", "dog", "cow"])
    axes, _ = figure.axes
    shares = np.array([[200 / 3, 0, 100 / 3], [50, 50, 0], [0, 0, 100]])
    np.testing.assert_allclose(axes.images[0].get_array(), shares)
    numbers = {text.get_position(): text.get_text() for text in axes.texts}
    assert numbers == {(0, 0): "2", (2, 0): "1", (0, 1): "1", (1, 1): "1", (2, 2): "1"}
    words = set(texts(figure))
    assert {"cat", "dog", "cow", "true class", "answer of the network", "66.7% of 6 images correct"} <= words
    assert "part of the true class (%)" in words


def test_a_class_without_a_name_is_refused():
    with pytest.raises(ConfigError, match=r"^class_names: 2 names, but a class 3, counted from 0; give the"):
        plots.confusion_matrix(np.array([0, 3]), np.array([0, 1]), ["cat", "dog"])


def test_many_classes_are_drawn_without_numbers():
    labels = np.arange(120) % 40
    figure = plots.confusion_matrix(labels, labels[::-1], [str(k) for k in range(40)])
    assert len(figure.axes[0].texts) == 0
    assert max(figure.get_size_inches()) < 12


def points(axes):
    return sum(len(line.get_xdata()) for line in axes.lines)


def test_a_raster_shows_every_spike(model, digits):
    image = digits.validation.images[3]
    shown = present(model, image, seed=2, number=3)
    figure = plots.spike_raster(model, image, seed=2, number=3, label="cat")
    picture, above, middle, below = figure.axes
    np.testing.assert_array_equal(picture.images[0].get_array(), image)
    assert points(above) == len(shown.input_spikes.inputs) > 0
    assert points(middle) == len(shown.output_neurons) > 0
    answered = fspinn.predict(model, image[None], seed=2, first=3)
    words = texts(figure)
    assert f"label: cat\nanswer: {answered.classes[0]}" in words
    winner = answered.spike_counts[0].argmax()
    assert f"potential of neuron {winner}, the most active" in words
    assert {"input pixel", "neuron (its class)", "potential\n(initial thresholds)", "time (ms)"} <= set(words)
    assert len(below.lines[0].get_xdata()) == 2 * model.network.steps
    for neuron in set(shown.output_neurons.tolist()):
        assert f"{neuron} ({preferred_classes(model)[neuron]})" in words


def test_a_raster_of_many_neurons_and_one_of_none(model, digits):
    lively = replace(model, network=changed(model.network, inhibition_strength=0.0, threshold=3.0))
    busy = plots.spike_raster(lively, digits.test.images[0])
    assert "neuron, by first spike" in texts(busy)
    silent = plots.spike_raster(model, np.zeros((8, 8), np.uint8))
    assert {"image\nanswer: nothing", "0 input spikes", "0 output spikes"} <= set(texts(silent))


# --- searches ---------------------------------------------------------------------------------------


def tried(weights, neurons, accuracy):
    """Return as much of a trial as its picture shows."""
    return SimpleNamespace(
        candidate=SimpleNamespace(weights=weights, neurons=neurons),
        memory_bits=8192 * neurons,
        accuracy=accuracy,
        accuracy_interval=None if accuracy is None else (accuracy - 0.1, accuracy + 0.05),
    )


TRIALS = [
    tried("UQ0.2", 10, 0.5),
    tried("UQ0.2", 10, 0.6),
    tried("UQ0.2", 20, 0.8),
    tried("float32", 30, 0.7),
    tried("float32", 40, None),
]


def searched(strategy, winner=None, budget_bits=None):
    return SimpleNamespace(
        trials=TRIALS,
        strategy=strategy,
        front=[TRIALS[2], TRIALS[1]],
        winner=winner,
        target_accuracy=0.75,
        budget_bits=budget_bits,
    )


def drawn(figure):
    """Return the points of every line of marks, and those that bars start and end at."""
    (axes,) = figure.axes
    lines = {line.get_marker(): [] for line in axes.lines}
    for line in axes.lines:
        lines[line.get_marker()] += zip(
            line.get_xdata(), np.round(np.array(line.get_ydata(), float), 6), strict=True
        )
    bars = [
        np.round(segment[:, 1], 6).tolist() for part in axes.collections for segment in part.get_segments()
    ]
    return lines, bars


def test_a_ladder_has_a_line_for_each_format_with_intervals_and_crosses_beside_it():
    figure = plots.accuracy_against_memory(searched("ladder", TRIALS[2], 8192 * 25))
    lines, bars = drawn(figure)
    assert lines["o"] == [(10, 60), (20, 80), (30, 70)]
    assert lines["x"] == [(10, 50)]
    assert lines["*"] == [(20, 80)]
    assert bars == [[50, 65], [70, 85], [60, 75]]
    words = {word.strip() for word in texts(figure)}
    assert {"10", "20", "target 75 %", "budget 25 KiB", "memory for inference (KiB)"} <= words
    assert "\u2605 20 neurons, UQ0.2 weights, 20.0 KiB, 80.0 %" in words


def test_a_strategy_that_draws_has_crosses_and_its_front():
    figure = plots.accuracy_against_memory(searched("bayes"))
    lines, bars = drawn(figure)
    assert sorted(lines["x"]) == [(10, 50), (10, 60), (20, 80), (30, 70)]
    assert {(10, 60), (20, 80)} <= set(lines["None"])
    assert not bars
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "UQ0.2",
        "float32",
        "Pareto front",
    ]


# --- files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml"), ("a.pdf", b"%PDF"), ("a.b.png", b"\x89PNG")],
)
def test_a_picture_is_written_in_the_format_of_its_name(tmp_path, name, start):
    plots.save(Figure(), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a.jpg", "a", "png"])
def test_a_name_that_is_no_picture_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=r"a picture ends in \.png, \.svg, \.pdf; give it such a name$"):
        plots.save(Figure(), tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_picture_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def fill_up(source, target):
        raise OSError(28, "No space left on device")

    (tmp_path / "a.png").write_text("older")
    monkeypatch.setattr(os, "replace", fill_up)
    with pytest.raises(DataError, match=r"a\.png: cannot be written \(No space left on device\); choose"):
        plots.save(Figure(), tmp_path / "a.png")
    assert os.listdir(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_text() == "older"


def test_pictures_of_the_same_numbers_are_the_same_bytes(model, tmp_path):
    for name in ("a.png", "b.png"):
        plots.save(plots.receptive_fields(model, neurons=4), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
