"""Networks whose layers have a field are trained, quantized and resumed as dense ones are."""

from dataclasses import replace

import naive_input
import numpy as np
import pytest
from described import Flat, changed, dense

import fspinn
from fspinn.base.errors import ConfigError
from fspinn.datasets.arrays import as_dataset
from fspinn.lowering.compiler import plan_of
from fspinn.network import Balanced, First, FirstSpike, Layer, Network, Neuron, Stdp
from fspinn.network.encoders import ContrastNumbers, split_channels
from fspinn.network.setup import Setup


@pytest.fixture(scope="module")
def digits():
    return fspinn.datasets.load("digits")


def test_training_a_column_gives_the_same_bits_again_whatever_the_threads(digits):
    column = Network.patches(6, field=3)
    one = fspinn.train(column, digits, readout="linear", threads=1, progress=False)
    other = fspinn.train(column, digits, readout="linear", threads=2, progress=False)
    np.testing.assert_array_equal(one.model.layers[0].weights.numbers, other.model.layers[0].weights.numbers)
    np.testing.assert_array_equal(one.model.readout.table, other.model.readout.table)
    assert one.validation.accuracy > 0.85
    assert one.model.readout.table.shape == (3 * 3 * 6, 10)


def test_prototypes_learn_on_a_column_and_go_into_integers(digits):
    column = Network.patches(8, field=3).layers[0]
    network = Network(FirstSpike(relative_to="white"), (column, Layer.prototypes(30)), duration_ms=8.0)
    made = fspinn.train(network, digits, learner=Stdp(passes=5), labels=100, progress=False)
    assert made.validation.accuracy > 0.8
    small = fspinn.quantize(made.model, "UQ0.4", state="Q8.8")
    assert fspinn.evaluate(small, digits.validation).accuracy > 0.8
    answered = fspinn.predict(small, digits.validation.images[:50])
    assert (np.asarray(answered.spike_counts.sum(axis=1)) == 10).all()
    blank = fspinn.predict(small, np.zeros((1, 8, 8), np.uint8))
    assert blank.spike_counts.sum() == 0


def test_layers_learn_one_after_the_other_and_a_run_resumes_in_each(digits, tmp_path):
    few = as_dataset((digits.train.images[:300], digits.train.labels[:300]))
    column = Network.patches(6, field=3).layers[0]
    network = Network(FirstSpike(relative_to="white"), (column, Layer(12)), duration_ms=8.0)
    network = replace(network, layers=(column, replace(network.layers[1], neuron=Neuron(1.0))))
    whole = fspinn.train(network, few, progress=False).model
    assert [layer.weights.numbers.shape for layer in whole.layers] == [(9, 6), (54, 12)]
    assert [activity.samples > 0 for activity in whole.activity["training"]] == [True, True]

    class Stopped(Exception):
        pass

    from fspinn.learning.checkpoint import CheckpointWriter
    from fspinn.learning.training import learn

    for stop in (1, 2, 5):
        path, calls = tmp_path / f"{stop}.checkpoint", []

        def count(_done, calls=calls, stop=stop):
            calls.append(1)
            if len(calls) == stop:
                raise Stopped

        with pytest.raises(Stopped):
            learn(network, few, progress=False, writer=CheckpointWriter(path, every=1), on_batch=count)
        resumed = learn(network, few, progress=False, writer=CheckpointWriter(path, resume=True))
        for mine, theirs in zip(resumed.layers, whole.layers, strict=True):
            np.testing.assert_array_equal(mine.weights.numbers, theirs.weights.numbers)


def test_a_checkpoint_is_kept_in_every_layer_and_holds_the_end(digits, tmp_path):
    from fspinn.learning import checkpoint
    from fspinn.learning.checkpoint import CheckpointWriter
    from fspinn.learning.training import learn

    few = as_dataset((digits.train.images[:250], digits.train.labels[:250]))
    column = Network.patches(6, field=3).layers[0]
    network = Network(FirstSpike(relative_to="white"), (column, Layer.prototypes(12)), duration_ms=8.0)
    places, save = [], checkpoint.save

    def noted(path, run, state):
        places.append((len(state.below), state.presentations))
        save(path, run, state)

    checkpoint.save = noted
    try:
        writer = CheckpointWriter(tmp_path / "run.checkpoint", every=250)
        learn(network, few, Stdp(passes=3), progress=False, writer=writer)
    finally:
        checkpoint.save = save
    assert places == [(0, 250), (0, 500), (0, 750), (1, 250), (1, 500), (1, 750)]


@pytest.mark.parametrize("last", [Layer(4, inhibition=First()), Layer.prototypes(4)])
def test_windows_shorter_than_a_presentation_are_refused_where_it_ends_late(digits, last):
    network = Network(FirstSpike(relative_to="white"), (last,), duration_ms=8.0)
    words = f"^window_ms: 4 is shorter than a presentation, but with inhibition {last.inhibition.kind} what"
    with pytest.raises(ConfigError, match=words):
        fspinn.train(network, digits, learner=Stdp(window_ms=4.0), progress=False)


def test_a_layer_learns_on_what_the_one_below_answers(digits):
    """With a low threshold to answer with, thetas are raised before the next layer learns."""
    from fspinn.learning.training import learn

    few = as_dataset((digits.train.images[:100], digits.train.labels[:100]))
    column = Network.patches(
        6, field=3, neuron=Neuron(2.0, None, answer_threshold=0.05), adaptation=Balanced(theta_step=0.3)
    ).layers[0]
    network = Network(FirstSpike(relative_to="white"), (column, Layer.prototypes(5)), duration_ms=8.0)
    learned = learn(network, few, progress=False)
    (below, _), (first, _) = learned.layers, learned.network.answering.layers
    assert (first.neuron.firing_threshold + below.theta.values).min() > 0


def test_only_a_dense_first_layer_leaves_inputs_out(digits):
    model = fspinn.train(Network.patches(4, field=3), digits, progress=False).model
    model = fspinn.quantize(model, "UQ0.4", state="Q8.8")
    masked = replace(model.layer, input_mask=np.arange(9) > 0)
    with pytest.raises(
        ConfigError, match=r"^input_mask: only a first layer that sees the whole input can le"
    ):
        replace(model, layers=(masked,))


def test_a_run_of_several_layers_is_known_by_all_of_them(digits, tmp_path):
    from fspinn.learning.checkpoint import CheckpointWriter
    from fspinn.learning.training import learn

    few = as_dataset((digits.train.images[:60], digits.train.labels[:60]))
    column = Network.patches(6, field=3).layers[0]
    second = Layer(5, neuron=Neuron(1.0))
    path = tmp_path / "run.checkpoint"
    network = Network(FirstSpike(relative_to="white"), (column, second), duration_ms=8.0)
    learn(network, few, progress=False, writer=CheckpointWriter(path))
    other = replace(network, layers=(replace(column, neurons=7), second))
    with pytest.raises(ConfigError, match=r"of another run \(.*neurons 6 there, 7 here"):
        learn(other, few, progress=False, writer=CheckpointWriter(path, resume=True))


def test_a_column_learns_in_integers(digits):
    trained = fspinn.train(
        Network.patches(6, field=3), digits, readout="linear", weights="UQ0.4", state="Q4.6", progress=False
    )
    layer = trained.model.layers[0]
    assert layer.weights.numbers.dtype == np.uint8
    assert plan_of(trained.model).in_integers
    assert trained.validation.accuracy > 0.8


def test_quantized_weights_of_a_field_fill_their_format_and_change_no_answer(digits):
    model = fspinn.train(Network.patches(6, field=3), digits, readout="linear", progress=False).model
    fine = fspinn.quantize(model, "UQ0.16")
    assert fine.layers[0].weights.numbers.max() == 2**16 - 1
    answers = [fspinn.predict(one, digits.test.images[:40]) for one in (model, fine)]
    assert (answers[0].spike_counts == answers[1].spike_counts).mean() > 0.999


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Network.patches(4, field=9), r"^field: 9 x 9 does not fit an input of 8 x 8; make it smaller$"),
        (
            Network.patches(4, field=3, cells=7),
            r"^cells: 7 x 7 are more than the 6 x 6 positions; make f",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_learning(digits, network, message):
    with pytest.raises(ConfigError, match=message):
        fspinn.train(network, digits, progress=False)


CONTRASTS = [
    *({"contrast_radius": radius, "contrast_gain": gain} for radius, gain in ((1, 3), (2, 1), (9, 2))),
    {"contrast_of": "colours"},
    {"contrast": "level", "contrast_gain": 3},
    {"contrast": "delta", "delta_step": 50, "delta_gain": 40},
    {"contrast": "delta", "delta_step": 1, "delta_gain": 3},
    {"contrast": "level-delta"},
]


@pytest.mark.parametrize("settings", CONTRASTS, ids=str)
def test_what_channels_are_split_into_is_that_of_the_twin(settings):
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 6, 3), dtype=np.uint8)
    images[0, :2] = [0, 255, 127]
    network = dense(5, **{"contrast": "on-off", **settings})
    expected = [naive_input.encoded(Flat(Setup(network)), image) for image in images]
    found = split_channels(images, ContrastNumbers.of(network.contrast))
    assert network.input_shape(images.shape[1:]) == found.shape[1:]
    np.testing.assert_array_equal(found, expected)


def test_oppositions_of_colours_need_three_colours(digits):
    network = changed(Network.patches(4, field=3), contrast="on-off", contrast_of="colours")
    with pytest.raises(
        ConfigError,
        match=r"^contrast_of: colours are red, green and blue, but samples have 1 channel; l",
    ):
        fspinn.train(network, digits, progress=False)


def test_changed_keeps_a_column():
    assert changed(Network.patches(5), neurons=7).layers[0].field == (5, 5)
