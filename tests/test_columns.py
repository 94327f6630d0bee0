"""Layers with a field do what their plain twin does at each position, whichever way they are computed."""

from dataclasses import replace

import naive
import numpy as np
import pytest
from described import DEFAULTS, Flat, changed, stdp

import fspinn
from fspinn.backends.numba import engine
from fspinn.base.errors import ConfigError
from fspinn.base.randomness import INFERENCE_SPIKES, TRAINING_SPIKES
from fspinn.base.settings import with_settings
from fspinn.datasets.arrays import as_dataset
from fspinn.lowering.compiler import answering_plan, learning_plan, plan_of
from fspinn.model.tensors import LayerTensors, Tensor
from fspinn.network import First, FirstSpike, Layer, Network, Neuron, NoContrast, OnOff
from fspinn.network.encoders import BatchEncoder, on_off
from fspinn.network.setup import Setup
from fspinn.quant.formats import Format

SHAPE = (7, 6)
SEED = 5


def network_of(field=(2, 3), stride=1, cells=(2, 2), contrast=NoContrast(), neurons=4, **more):
    made = Network.patches(
        neurons,
        field,
        stride=stride,
        cells=cells,
        contrast=contrast,
        neuron=Neuron(0.8, None, weight_norm=1.5),
    )
    return with_settings(made, more)


def start_of(network, samples=5, seed=0):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (samples, *SHAPE), dtype=np.uint8)
    images[random.random(images.shape) < 0.4] = 0
    images[1] = 0
    fan_in = network.layers[0].fan_in(*network.input_shape(SHAPE))
    neurons = network.layers[0].neurons
    weights = random.random((fan_in, neurons), dtype=np.float32)
    return weights, (0.3 * random.standard_normal(neurons)).astype(np.float32), images


def flat_of(network, **learner):
    return Flat(Setup(network, stdp(**learner)), dict(DEFAULTS))


def per_step(network, image, key):
    encoded = image if isinstance(network.contrast, NoContrast) else on_off(image[None], 2, 2)[0]
    return naive.input_spikes(flat_of(network), encoded, key)


def answers(plan, images, seed=SEED, purpose=INFERENCE_SPIKES):
    return engine.respond(plan, BatchEncoder(plan.encoding).encode(images, seed, purpose))


def expected_answers(network, weights, theta, images):
    shape = network.input_shape(SHAPE)
    found = [
        naive.respond_in_fields(
            flat_of(network), weights, theta, per_step(network, image, naive.stream_key(SEED, 2, m)), shape
        )
        for m, image in enumerate(images)
    ]
    counts, first_steps, activity = zip(*found, strict=True)
    return np.array(counts), np.array(first_steps), sum(activity[1:], activity[0])


NETWORKS = {
    "plain": network_of(),
    "stride": network_of(stride=2, cells=(1, 2)),
    "one position": network_of(field=SHAPE, cells=(1, 1)),
    "channels": network_of(contrast=OnOff(2, 2)),
    "lateral": network_of(inhibition="lateral", duration_ms=12.0),
    "clamp": network_of(inhibition="clamp", inhibition_ms=2.0),
    "layer": network_of(inhibition="layer", inhibition_ms=1.0),
    "leak": network_of(tau_m_ms=4.0),
    "rates": network_of(encoder="unscaled", max_rate_hz=300.0),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_field_answers_at_each_position_as_its_twin_does(name):
    network = NETWORKS[name]
    weights, theta, images = start_of(network)
    plan = answering_plan(network, (LayerTensors.of_floats(weights, theta),), SHAPE)
    answer = answers(plan, images)
    counts, first_steps, activity = expected_answers(network, weights, theta, images)
    np.testing.assert_array_equal(answer.spike_counts, counts)
    np.testing.assert_array_equal(answer.first_steps, first_steps)
    assert answer.activity == (activity,)
    assert counts.sum() > 3
    assert counts[1].sum() == 0


def integers_of(network, weights, theta, formats):
    weight_format, state, theta_format = map(Format.parse, formats)
    tensors = LayerTensors(Tensor.rounded(weights, weight_format), Tensor.rounded(theta, theta_format), state)
    return answering_plan(network, (tensors,), SHAPE)


@pytest.mark.parametrize("name", ["plain", "stride", "channels"])
@pytest.mark.parametrize(
    ("formats", "kind"),
    [(("UQ0.3", "Q5.3", "Q2.3"), np.int16), (("UQ0.3", "Q9.12", "Q2.3"), np.int32), (None, np.float32)],
)
def test_all_positions_at_once_give_what_one_by_one_gives(name, formats, kind, monkeypatch):
    network = NETWORKS[name]
    weights, theta, images = start_of(network, samples=9, seed=3)
    if formats is None:
        plan = answering_plan(network, (LayerTensors.of_floats(weights, theta),), SHAPE)
    else:
        plan = integers_of(network, weights, np.abs(theta), formats)
    assert engine._columns(plan, plan.layers[0]) is kind
    fast = answers(plan, images)
    monkeypatch.setattr(engine, "_columns", lambda *_: None)
    slow = answers(plan, images)
    np.testing.assert_array_equal(fast.spike_counts, slow.spike_counts)
    np.testing.assert_array_equal(fast.first_steps, slow.first_steps)
    assert (fast.activity, fast.range) == (slow.activity, slow.range)
    assert fast.spike_counts.sum() > 20
    together = (np.stack([r.spike_positions, r.spike_neurons, r.spike_steps]) for r in (fast, slow))
    one, other = (sorted(map(tuple, spikes.T.tolist())) for spikes in together)
    assert one == other


def test_potentials_that_leave_the_state_are_cut_alike(monkeypatch):
    network = network_of(neurons=3)
    weights, theta, images = start_of(network, samples=9, seed=4)
    plan = integers_of(network, weights, np.abs(theta), ("UQ0.3", "Q2.3", "Q1.3"))
    fast = answers(plan, images)
    monkeypatch.setattr(engine, "_columns", lambda *_: None)
    assert fast.range == answers(plan, images).range
    assert fast.range.saturations > 0


@pytest.mark.parametrize("rule", ["normalised", "timestep", "pair", "postonly"])
@pytest.mark.parametrize("name", ["plain", "stride", "channels", "lateral"])
def test_a_field_learns_from_the_positions_that_are_drawn(name, rule):
    network = NETWORKS[name]
    weights, theta, images = start_of(network)
    learner = stdp(rule=rule, positions=3, least_spikes=2, learning_rate=0.3)
    mine, mine_theta = weights.copy(), theta.copy()
    plan = learning_plan(network, learner, mine, mine_theta, shape=SHAPE)
    response = engine.learn(
        plan, BatchEncoder(plan.encoding).encode(images, SEED, TRAINING_SPIKES), len(images)
    )
    flat, spikes = flat_of(network, rule=rule, positions=3, least_spikes=2, learning_rate=0.3), 0
    for m, image in enumerate(images):
        rate = np.float32(naive.annealed(0.3, flat.learning_rate_end, m, len(images)))
        step = np.float32(naive.annealed(flat.theta_step, 0.0, m, len(images))) * np.float32(1.5)
        shown = per_step(network, image, naive.stream_key(SEED, 1, m))
        keys = naive.stream_key(SEED, 15, m)
        spikes = naive.learn_in_fields(
            flat, weights, theta, shown, network.input_shape(SHAPE), keys, (rate, step), spikes
        )
    np.testing.assert_allclose(mine, weights, rtol=0, atol=1e-6)
    np.testing.assert_allclose(mine_theta, theta, rtol=0, atol=1e-6)
    assert response.activity[0].output_spikes == spikes > 3


def test_a_second_layer_sees_the_first_spikes_of_the_first():
    first = network_of().layers[0]
    second = Layer(3, neuron=Neuron(1.0, None, weight_norm=2.0), inhibition=First())
    network = Network(FirstSpike(relative_to="white"), (first, second), duration_ms=8.0)
    weights, theta, images = start_of(network)
    random = np.random.default_rng(1)
    above = random.random((first.features, 3), dtype=np.float32), np.zeros(3, np.float32)
    layers = LayerTensors.of_floats(weights, theta), LayerTensors.of_floats(*above)
    both = answers(answering_plan(network, layers, SHAPE), images)
    alone = answers(answering_plan(replace(network, layers=(first,)), layers[:1], SHAPE), images)
    dense = flat_of(replace(network, layers=(second,)))
    for m in range(len(images)):
        steps = [np.flatnonzero(alone.first_steps[m] == t).tolist() for t in range(8)]
        spikes, _ = naive.present_spikes(dense, *above, steps)
        np.testing.assert_array_equal(both.spike_counts[m], naive.count_spikes(spikes, 3))
    assert both.activity[0] == alone.activity[0]
    assert both.spike_counts.sum() > 2


def test_what_a_position_sees_answers_alone_as_it_does_among_the_others():
    network = NETWORKS["channels"]
    weights, theta, images = start_of(network)
    plan = answering_plan(network, (LayerTensors.of_floats(weights, theta),), SHAPE)
    spikes = BatchEncoder(plan.encoding).encode(images, SEED, INFERENCE_SPIKES)
    everywhere, (layer,) = engine.respond(plan, spikes), plan.layers
    alone, geometry = replace(plan, layers=(layer.at_a_position,)), layer.geometry
    counts = np.zeros((len(images), 4, 4), np.int32)
    for position in range(geometry.positions):
        seen = engine.respond(alone, spikes.seen_from(geometry, position), probe=2)
        counts[:, geometry.cell_of[position]] += seen.spike_counts
        assert seen.potentials.shape == (len(images), plan.steps, 2)
    np.testing.assert_array_equal(counts.reshape(len(images), -1), everywhere.spike_counts)


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
    with pytest.raises(ConfigError, match=r"of another run \(.*layer 0 neurons 6 there, 7 here"):
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


def test_on_and_off_are_differences_to_the_mean_around():
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 4), dtype=np.uint8)
    split = on_off(images, radius=1, gain=3)
    for m, y, x in np.ndindex(images.shape):
        around = images[m, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].astype(int)
        gap = int(images[m, y, x]) - int(around.sum()) // around.size
        assert split[m, y, x].tolist() == [min(255, 3 * max(0, gap)), min(255, 3 * max(0, -gap))]


def test_changed_keeps_a_column():
    assert changed(Network.patches(5), neurons=7).layers[0].field == (5, 5)
