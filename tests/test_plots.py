"""Pictures show the numbers that they are drawn from, with names and units at the axes."""

import os
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from described import changed, dense, model_from
from matplotlib.figure import Figure

import fspinn
from fspinn import datasets, plots
from fspinn.answering.present import potential, present, spikes_by_position
from fspinn.base.errors import ConfigError, DataError
from fspinn.model.model import Readout
from fspinn.model.tensors import LayerTensors
from fspinn.network.description import Network
from fspinn.network.inhibition import Lateral
from fspinn.network.inputs import Events, LevelDelta, OnOff, Poisson
from fspinn.network.layers import Layer, Neuron
from fspinn.network.learners import StdpLabels
from fspinn.network.rules import Stdp
from fspinn.network.setup import Setup
from fspinn.report.plots.networks import feature, preferred_classes
from fspinn.report.plots.positions import _colours
from fspinn.search.metrics import metric_of


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


@pytest.mark.parametrize(
    ("shape", "settings", "said"),
    [
        ((6, 6), {}, None),
        ((6, 6), {"contrast": OnOff()}, "from left: ON, OFF"),
        ((6, 6, 3), {}, "from left: red, green, blue"),
        (
            (6, 6, 3),
            {"contrast": OnOff()},
            "above, from left: red ON, green ON, blue ON; below: red OFF, green OFF, blue OFF",
        ),
        (
            (6, 6, 3),
            {"contrast": OnOff(of="colours")},
            "above, from left: brightness ON, red-green ON, blue-yellow ON; below: brightness OFF, "
            "red-green OFF, blue-yellow OFF",
        ),
        ((6, 6, 2), {}, "from left: channel 0, channel 1"),
        ((6, 6, 2), {"encoder": Events()}, "from left: OFF, ON"),
        ((1, 9), {"contrast": LevelDelta()}, "rows from above: ON, OFF, up, down"),
        ((1, 9, 3), {}, "rows from above: channel 0, channel 1, channel 2"),
    ],
)
def test_channels_of_receptive_fields_are_named(shape, settings, said):
    network = Network.patches(4, field=(min(3, shape[0]), 3), cells=(1, 1), **settings)
    inputs = int(np.prod(network.layers[0].field)) * network.input_shape(shape)[2]
    model = model_from(
        network=network,
        image_shape=shape,
        weights=np.ones((inputs, 4), np.float32),
        theta=np.zeros(4, np.float32),
        readout=Readout("proportion", np.ones((4, 2), np.float32)),
    )
    if shape[0] == 1:
        channels = shape[2] if len(shape) > 2 else 1
        model = replace(model, scale=datasets.Scale((0.0,) * channels, (255.0,) * channels))
    title = plots.receptive_fields(model).axes[0].get_title()
    assert title.split("\n")[1:] == ([] if said is None else [said])


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
    assert {"cat", "dog", "cow", "true class", "answer of the network", "66.7% of 6 samples correct"} <= words
    assert "share of the true class (%)" in words


def test_images_without_an_answer_have_a_column_of_their_own():
    figure = plots.confusion_matrix(np.array([0, 0, 1, 1]), np.array([0, -1, 1, 1]), ["cat", "dog"])
    assert figure.axes[0].images[0].get_array().shape == (2, 3)
    assert {"none", "75.0% of 4 samples correct"} <= set(texts(figure))


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


def test_a_raster_of_integers_is_drawn_in_the_same_units(model, digits):
    small = fspinn.quantize(model, "UQ0.8", state="Q9.8")
    below, whole = (plots.spike_raster(one, digits.test.images[0]).axes[3] for one in (model, small))
    for line, other in zip(below.lines, whole.lines, strict=True):
        np.testing.assert_allclose(line.get_ydata(), other.get_ydata(), atol=0.05)


# --- fields -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def column(digits):
    network = Network.patches(6, field=3, cells=2)
    return fspinn.train(network, digits, readout="linear", progress=False).model


@pytest.fixture(scope="module")
def stack(column):
    """Two layers, of which the second sees all of what the first answers."""
    second = replace(Layer(5), neuron=Neuron(1.0, weight_norm=1.0))
    network = replace(column.network, layers=(*column.network.layers, second))
    random = np.random.default_rng(0)
    above = LayerTensors.of_floats(random.random((24, 5), dtype=np.float32), np.zeros(5, np.float32))
    readout = Readout("proportion", np.eye(5, 10, dtype=np.float32))
    return replace(column, network=network, layers=(*column.layers, above), readout=readout)


def test_a_spike_map_shows_winner_and_time_of_every_position(column, digits):
    image = digits.validation.images[3]
    shown = present(column, image, number=3)
    figure = plots.spike_map(column, image, number=3, label="cat")
    picture, who, when, *others = figure.axes
    np.testing.assert_array_equal(picture.images[0].get_array(), image)
    colours, times = who.images[0].get_array().reshape(36, 4), when.images[0].get_array().ravel()
    here = shown.output_positions
    assert len(here) == len(set(here.tolist())) > 10
    np.testing.assert_array_equal(times[here], shown.output_steps)
    np.testing.assert_array_equal(np.flatnonzero(colours[:, 3]), here)
    np.testing.assert_array_equal(np.flatnonzero(~np.ma.getmaskarray(times)), here)
    frames = {}
    for axes in others:
        if axes.get_title():
            neuron, count = map(int, axes.get_title().split(": "))
            assert count == np.count_nonzero(shown.output_neurons == neuron)
            expected = column.layer.weights.values[:, neuron].reshape(3, 3)
            np.testing.assert_array_equal(axes.images[0].get_array(), expected)
            frames[neuron] = axes.spines["left"].get_edgecolor()
    for position, neuron in zip(here, shown.output_neurons, strict=True):
        np.testing.assert_allclose(colours[position], frames[neuron])
    winners = dict(zip(here.tolist(), shown.output_neurons.tolist(), strict=True))
    for number in who.texts:
        column_of, row = number.get_position()
        assert winners[row * 6 + column_of] == int(number.get_text())
    assert who.texts
    assert len(set(map(tuple, frames.values()))) == len(frames)
    said = set(texts(figure))
    assert {f"label: cat\nanswer: {fspinn.predict(column, image[None], first=3).classes[0]}"} <= said
    assert {"row of the position", "column of the position", "time of the spike (ms)"} <= said
    assert f"who spikes first: {len(here)} of 36 positions" in said


def test_of_several_spikes_the_first_is_in_the_map(digits):
    network = Network.patches(4, field=4, cells=1, encoder=Poisson(), duration_ms=40.0)
    network = replace(network, layers=(replace(network.layers[0], inhibition=Lateral(strength=0.3)),))
    model = fspinn.train(network, digits, learner=Stdp(passes=1), progress=False).model
    image = digits.validation.images[0]
    shown = present(model, image)
    first = {}
    for position, step in zip(shown.output_positions.tolist(), shown.output_steps.tolist(), strict=True):
        first[position] = min(step, first.get(position, step))
    assert len(first) < len(shown.output_positions)
    times = plots.spike_map(model, image).axes[2].images[0].get_array().ravel()
    assert {k: int(times[k]) for k in np.flatnonzero(~np.ma.getmaskarray(times)).tolist()} == first


def test_similar_neurons_have_similar_colours_and_one_neuron_has_one(column):
    bright, *_ = _colours(column)
    assert _colours(column).shape == (6, 4)
    assert (bright >= 0).all()
    assert (bright <= 1).all()
    alone = LayerTensors.of_floats(column.layer.weights.values[:, :1], np.zeros(1, np.float32))
    one = replace(
        column,
        network=changed(column.network, neurons=1),
        layers=(alone,),
        readout=Readout("proportion", np.ones((4, 10), np.float32)),
    )
    assert _colours(one).shape == (1, 4)


@pytest.mark.parametrize("whole_numbers", [pytest.param(False, marks=pytest.mark.exhaustive), True])
def test_the_raster_of_a_position_shows_what_it_sees_and_all_potentials(column, digits, whole_numbers):
    model = fspinn.quantize(column, "UQ0.4", state="Q5.8") if whole_numbers else column
    image = digits.validation.images[3]
    shown = present(model, image, number=3)
    place = int(shown.output_positions[np.argmax(shown.output_steps)])
    position = divmod(place, 6)
    figure = plots.spike_raster(model, image, position=position, number=3)
    _picture, field, feature, above, below = figure.axes
    row, column_of = position
    np.testing.assert_array_equal(
        field.images[0].get_array(), image[row : row + 3, column_of : column_of + 3]
    )
    (winner,) = shown.output_neurons[shown.output_positions == place]
    (step,) = shown.output_steps[shown.output_positions == place]
    expected = model.layer.weights.values[:, winner].reshape(3, 3)
    np.testing.assert_array_equal(feature.images[0].get_array(), expected)
    assert points(above) == len(shown.input_spikes.seen_from(shown.layer.geometry, place).events[1])
    layer = shown.layer
    lines = [one for one in below.lines if len(one.get_xdata()) > 2]
    for line, neuron in zip(lines, [*(k for k in range(6) if k != winner), winner], strict=True):
        compared, _left = (
            potential(shown, neuron, place).T - layer.thresholds[neuron]
        ) / layer.firing_threshold
        assert line.get_xdata()[-1] == step
        np.testing.assert_allclose(line.get_ydata()[1::3], compared[: step + 1], atol=1e-6)
    (star,) = (line for line in below.lines if line.get_marker() == "*")
    assert star.get_xdata().tolist() == [step]
    assert star.get_ydata()[0] >= 0
    said = set(texts(figure))
    words = f"neuron {winner} is furthest above its threshold at {step} ms and ends the presentation at this "
    assert f"{words}position" in said
    assert {"input of the field", "potential above own threshold\n(initial thresholds)", "time (ms)"} <= said
    assert f"position {row},{column_of} sees" in said


def test_without_a_position_one_with_a_spike_is_drawn_and_without_a_spike_any(column, digits):
    said = texts(plots.spike_raster(column, digits.validation.images[3]))
    assert any("is furthest above its threshold" in words for words in said)
    blank = texts(plots.spike_raster(column, np.zeros((8, 8), np.uint8)))
    assert {"no neuron reaches its threshold", "position 0,0 sees", "0 input spikes"} <= set(blank)
    assert "no neuron spikes" in {
        part.get_suptitle() for part in plots.spike_map(column, np.zeros((8, 8), np.uint8)).subfigs
    }


def test_places_of_spikes_are_counted_over_images(column, digits):
    images = digits.validation.images[:40]
    figure = plots.spike_places(column, images)
    (axes, bar) = figure.axes
    shown = np.ma.filled(axes.images[0].get_array(), np.nan)
    rates = 100 * spikes_by_position(column, images)
    assert np.nansum(shown) == pytest.approx(rates.sum(), rel=1e-5)
    assert np.nanmax(shown) == pytest.approx(rates.max())
    assert [text.get_text() for text in axes.texts] == [str(k) for k in range(6)]
    assert "6 of 6 neurons at 6 x 6 positions, 40 images" in texts(figure)
    assert bar.get_ylabel() == "spikes in 100 images"


def test_the_readout_map_holds_every_weight(column):
    figure = plots.readout_map(column)
    axes, bar = figure.axes
    shown = np.ma.filled(axes.images[0].get_array(), np.nan)
    table = column.readout.table.reshape(2, 2, 6, 10)
    for number in range(10):
        for neuron in range(6):
            square = shown[3 * number : 3 * number + 2, 3 * neuron : 3 * neuron + 2]
            np.testing.assert_array_equal(square, table[:, :, neuron, number])
    assert np.isnan(shown[2::3]).all()
    assert len(axes.images) == 1 + 6
    assert {"class", "neuron, and above what it looks for"} <= set(texts(figure))
    assert bar.get_ylabel() == "weight of a spike (dark: against the class)"
    least, most = axes.images[0].get_clim()
    assert -least == most == np.abs(table).max()


def test_of_many_neurons_those_that_the_readout_listens_to_most_are_in_its_map(column):
    table = column.readout.table.reshape(4, 6, 10).copy()
    table[:, [0, 2, 3, 5]] *= 0.01
    model = replace(column, readout=replace(column.readout, table=table.reshape(24, 10)))
    figure = plots.readout_map(model, neurons=2)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["1", "4"]
    assert "each square: the 2 x 2 cells of the image; 2 of 6 neurons" in texts(figure)


def test_channels_lie_side_by_side(digits):
    network = Network.patches(5, field=3, cells=1, contrast=OnOff())
    model = fspinn.train(network, digits, learner=Stdp(passes=1), progress=False).model
    icon = feature(model, 2)
    weights = model.layer.weights.values[:, 2].reshape(3, 3, 2)
    np.testing.assert_array_equal(icon[:, :3], weights[:, :, 0])
    np.testing.assert_array_equal(icon[:, 4:], weights[:, :, 1])
    assert np.isnan(icon[:, 3]).all()
    for draw in (plots.spike_map, plots.spike_raster):
        assert draw(model, digits.validation.images[0]).axes


def test_of_several_layers_the_first_is_drawn(stack, column, digits):
    image = digits.validation.images[3]
    for of_both, of_one in zip(
        plots.spike_map(stack, image).axes[1:3], plots.spike_map(column, image).axes[1:3], strict=True
    ):
        np.testing.assert_array_equal(of_both.images[0].get_array(), of_one.images[0].get_array())
    assert points(plots.spike_raster(stack, image).axes[3]) == points(
        plots.spike_raster(column, image).axes[3]
    )
    assert "6 of 6 neurons of layer 1 at 6 x 6 positions, 9 images" in texts(
        plots.spike_places(stack, digits.test.images[:9])
    )


def test_pictures_of_positions_need_some(model, stack, column, digits):
    image = digits.test.images[0]
    with pytest.raises(
        ConfigError, match=r"^spike map: the first layer sees the whole image, so it has no po"
    ):
        plots.spike_map(model, image)
    with pytest.raises(
        ConfigError, match=r"^spike places: the first layer sees the whole image, so it spikes"
    ):
        plots.spike_places(model, image[None])
    for one in (model, stack):
        with pytest.raises(
            ConfigError, match=r"^readout map: the last layer sees its whole input and has no c"
        ):
            plots.readout_map(one)
    with pytest.raises(
        ConfigError, match=r"^position: the first layer sees the whole image from one position;"
    ):
        plots.spike_raster(model, image, position=(0, 0))
    for row, place in ((6, 0), (0, 6), (-1, 0)):
        words = (
            rf"^position: {row},{place} is outside the 6 x 6 positions; give row and column from 0,0 to 5,5$"
        )
        with pytest.raises(ConfigError, match=words):
            plots.spike_raster(column, image, position=(row, place))
    whole = replace(model.network.layers[0], neurons=30)
    network = replace(model.network, layers=(whole, stack.network.layers[1]))
    above = LayerTensors.of_floats(np.ones((30, 5), np.float32), np.zeros(5, np.float32))
    both = replace(model, network=network, layers=(model.layer, above), readout=stack.readout)
    with pytest.raises(
        ConfigError, match=r"^spike raster: of several layers it draws a position of the first"
    ):
        plots.spike_raster(both, image)


# --- answers by rank, after the input ---------------------------------------------------------------


@pytest.fixture(scope="module", params=["real", "integers"])
def ranked(model, column, request):
    """A dense layer, and a column of one layer, whose neurons answer by rank."""
    networks = [changed(one.network, inhibition="ranked", answer_ms=20.0) for one in (model, column)]
    both = [replace(one, network=network) for one, network in zip((model, column), networks, strict=True)]
    if request.param == "real":
        return both
    return [
        fspinn.quantize(one, "UQ0.8", state=state) for one, state in zip(both, ("Q9.8", "Q6.8"), strict=True)
    ]


def test_a_raster_goes_on_while_neurons_answer_by_rank(ranked, digits):
    dense_one, _ = ranked
    image = digits.validation.images[3]
    shown = present(dense_one, image, number=3)
    assert shown.output_steps.min() >= shown.plan.steps
    _, _, middle, below = plots.spike_raster(dense_one, image, number=3).axes
    assert points(middle) == len(shown.output_neurons) == 20
    assert len(below.lines[0].get_xdata()) == 2 * (shown.plan.steps + 20)
    assert below.get_xlim()[1] == shown.plan.steps + 20 > middle.lines[0].get_xdata().max(initial=0.0)


def test_positions_go_on_while_neurons_answer_by_rank(ranked, digits):
    _, of_field = ranked
    image = digits.validation.images[3]
    shown = present(of_field, image, number=3)
    steps = shown.plan.steps + 20
    *_, above, below = plots.spike_raster(of_field, image, number=3).axes
    stars = [line for line in below.lines if line.get_marker() == "*"]
    assert sum(len(star.get_xdata()) for star in stars) == 20
    assert below.get_xlim()[1] == above.get_xlim()[1] == steps
    lines = [line for line in below.lines if len(line.get_xdata()) > 20]
    assert {len(line.get_xdata()) for line in lines} == {1 + 3 * steps}
    times = plots.spike_map(of_field, image, number=3).axes[2].images[0].get_array().ravel()
    assert set(times[~np.ma.getmaskarray(times)].tolist()) == {float(shown.plan.steps)}
    blank = np.zeros((8, 8), np.uint8)
    assert "no neuron spikes" in texts(plots.spike_raster(of_field, blank))
    assert plots.spike_places(of_field, image[None]).axes


# --- searches ---------------------------------------------------------------------------------------


def tried(weights, neurons, accuracy, learner=Stdp()):
    """Return as much of a trial as its picture shows."""
    return SimpleNamespace(
        candidate=SimpleNamespace(weights=weights, neurons=neurons, setup=Setup(fspinn.Network(), learner)),
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


def searched(strategy, winner=None, budget_bits=None, trials=()):
    return SimpleNamespace(
        trials=trials or TRIALS,
        strategy=strategy,
        front=[TRIALS[2], TRIALS[1]],
        winner=winner,
        target_accuracy=0.75,
        metric=metric_of("accuracy"),
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


def test_a_search_is_a_mark_for_each_format_and_a_front_with_intervals():
    figure = plots.accuracy_against_memory(searched("ladder", TRIALS[2], 8192 * 25))
    lines, bars = drawn(figure)
    front = [(10, 60), (20, 80)]
    assert lines["o"] == [(10, 50), *front, *front]
    assert lines["s"] == [(30, 70)]
    assert {(10, 60), (20, 80)} <= set(lines["None"])
    assert lines["*"] == [(20, 80)]
    assert bars == [[50, 65], [70, 85]]
    words = {word.strip() for word in texts(figure)}
    assert {"10", "20", "memory for inference (KiB)"} <= words
    assert "30" not in words
    assert "\u2605 20 neurons, UQ0.2 weights, 20 KiB, 80.0 %" in words
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["UQ0.2 weights", "float32 weights", "target 75 %", "budget 25 KiB"]


def test_several_learners_have_a_mark_each():
    labelled = tried("UQ0.2", 10, 0.6, StdpLabels())
    figure = plots.accuracy_against_memory(searched("ladder", trials=[*TRIALS, labelled]))
    lines, _ = drawn(figure)
    assert (10, 60) in lines["s"]
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["UQ0.2 weights", "float32 weights", "stdp", "stdp+labels", "target 75 %"]


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
