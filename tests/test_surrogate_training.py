"""Labels fill the layers, by gradients through spikes: what is trained is what the fast engine runs."""

from dataclasses import replace

import numpy as np
import pytest

import fspinn
from fspinn.answering.predict import respond
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering.compiler import answering_plan
from fspinn.model.tensors import LayerTensors
from fspinn.network import (
    FirstSpike,
    Fixed,
    Layer,
    Network,
    Neuron,
    NoInhibition,
    OnOff,
    Poisson,
    Regular,
    Surrogate,
    Unscaled,
)
from fspinn.network.learners import PENALTY_STRENGTHS

torch = pytest.importorskip("torch")

DATA = fspinn.datasets.load("digits")
SHORT = replace(DATA, train=DATA.train.first(300), validation=DATA.validation.first(100))


def layer(neurons, tau_m_ms=8.0, norm=1.0, **looks):
    neuron = Neuron(threshold=1.0, tau_m_ms=tau_m_ms, weight_norm=norm)
    return Layer(neurons, neuron=neuron, inhibition=NoInhibition(), adaptation=Fixed(), **looks)


NETWORKS = {
    "dense": Network(FirstSpike(), (layer(20),), 1.0, 10.0),
    "no leak": Network(FirstSpike(), (layer(20, None),), 1.0, 10.0),
    "rates": Network(Regular(rate_norm_hz=2000.0), (layer(20),), 1.0, 10.0),
    "noise": Network(Poisson(rate_norm_hz=2000.0), (layer(20),), 1.0, 10.0),
    "unscaled": Network(Unscaled(max_rate_hz=400.0), (layer(20),), 1.0, 10.0),
    "contrast": Network(FirstSpike(relative_to="white"), (layer(20),), 1.0, 10.0, OnOff()),
    "pool": Network(FirstSpike(relative_to="white"), (layer(20),), 1.0, 10.0, pool=2),
    "a field": Network(FirstSpike(), (layer(6, field=(3, 3), cells=(2, 3)),), 1.0, 10.0),
    "a stride": Network(FirstSpike(), (layer(6, field=(3, 2), stride=2, cells=(1, 2)),), 1.0, 10.0),
    "layers": Network(FirstSpike(), (layer(30), layer(20), layer(10)), 1.0, 10.0),
    "a field, then all": Network(FirstSpike(), (layer(5, field=(3, 3), cells=(3, 3)), layer(20)), 1.0, 10.0),
    "two fields": Network(
        FirstSpike(),
        (layer(5, field=(3, 3), cells=(4, 4)), layer(8, field=(2, 2), cells=(2, 2))),
        1.0,
        10.0,
    ),
}


def counts_of(network, weights, images, shape, seed):
    """Output spikes as they are trained on, the network's own input spikes at answering given."""
    from fspinn.learning.surrogate.layers import answer, parts_of
    from fspinn.network.encoders import BatchEncoder, encoding_of

    spikes = BatchEncoder(encoding_of(network)).encode(images, seed, INFERENCE_SPIKES)
    parts = parts_of(network, Surrogate(), shape)
    answers, did = answer(parts, [torch.from_numpy(one) for one in weights], spikes)
    return answers[-1].counts.numpy(), did


@pytest.mark.parametrize("name", list(NETWORKS))
@pytest.mark.parametrize("on_a_grid", [True, False])
def test_what_is_trained_is_what_the_engine_runs(name, on_a_grid):
    """Spike by spike, on 400 images: exactly where sums are exact, and where no rounding decides else."""
    from fspinn.learning.surrogate.layers import parts_of
    from fspinn.learning.surrogate.runs import Run
    from fspinn.network.encoders import BatchEncoder, encoding_of

    network, learner = NETWORKS[name], Surrogate()
    run = Run(
        network, learner, DATA, DATA.train.labels, parts_of(network, learner, DATA.image_shape),
        np.arange(300), 3, BatchEncoder(encoding_of(network)),
    )  # fmt: skip
    weights = [one.detach().numpy() for one in run.first_weights()]
    if on_a_grid:
        weights = [(np.round(one * 64) / 64).astype(np.float32) for one in weights]
    images = DATA.train.images[:400]
    counts, did = counts_of(network, weights, images, DATA.image_shape, seed=3)
    layers = [LayerTensors.of_floats(one, np.zeros(one.shape[1], np.float32)) for one in weights]
    found = respond(answering_plan(network, layers, DATA.image_shape), images, seed=3, threads=1)
    assert counts.sum() > 400
    assert np.array_equal(found.spike_counts.toarray(), counts)
    assert [(one.input_spikes, one.output_spikes) for one in found.activity] == [tuple(one) for one in did]


@pytest.mark.parametrize("name", ["dense", "a field", "layers", "two fields", "noise"])
def test_the_same_seed_gives_the_same_bits(name):
    learner, bits = Surrogate(passes=2, surrogate_width=0.3), []
    for seed in (1, 1, 2):
        learned = learn(NETWORKS[name], SHORT, learner, seed=seed)
        bits.append([one.weights.numbers.tobytes() for one in learned.layers])
    assert bits[0] == bits[1] != bits[2]
    assert learned.passes == (2,) * len(learned.layers)
    assert learned.activity[0].samples == 600


@pytest.mark.parametrize(
    ("network", "output", "readout", "expected"),
    [
        (Network(FirstSpike(), (layer(50),), 1.0, 10.0), "membrane", "linear", 0.9),
        (Network(FirstSpike(), (layer(60), layer(30)), 1.0, 10.0), "spikes", "majority", 0.85),
        (Network.supervised(8, 3), "membrane", "linear", 0.9),
    ],
)  # fmt: skip
def test_it_learns(network, output, readout, expected):
    learner = Surrogate(passes=15, surrogate_width=0.4, gradient_rate=0.01, output=output)
    result = fspinn.train(network, DATA, learner=learner, readout=readout)
    assert result.validation.accuracy > expected
    assert result.model.record["learner"]["kind"] == "surrogate"
    curve = result.model.record["learning_curve"]
    assert len(curve["presentations"]) == 50
    assert curve["accuracy"][-1] > 0.85
    assert curve["accuracy"][-1] > curve["accuracy"][0]


def test_only_labels_that_are_given_are_looked_at():
    network, learner = NETWORKS["dense"], Surrogate(passes=1)
    one = learn(network, SHORT, learner, labels=40)
    chosen = fspinn.model.readout.labelled_images(300, 40, seed=0)
    other = np.where(np.isin(np.arange(300), chosen), SHORT.train.labels, 9 - SHORT.train.labels)
    changed = replace(SHORT, train=replace(SHORT.train, labels=other))
    two = learn(network, changed, learner, labels=40)
    assert one.activity[0].samples == 40
    assert np.array_equal(one.layers[0].weights.numbers, two.layers[0].weights.numbers)


def test_classes_can_count_alike():
    learned = [
        learn(NETWORKS["dense"], SHORT, Surrogate(passes=1), class_weight=how).layers[0].weights.numbers
        for how in (None, "balanced")
    ]
    assert not np.array_equal(*learned)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"inhibition": "lateral"}, "inhibition: gradients do not pass through lateral; set inhibition = n"),
        ({"refractory_ms": 2.0}, "refractory_ms: gradients do not pass through 2.0; set refractory_ms = 0.0"),
        ({"answer_threshold": 2.0}, "answer_threshold: gradients do not pass through 2.0; set answer_thresh"),
    ],
)  # fmt: skip
def test_networks_that_gradients_do_not_pass_through_are_refused(changed, words):
    network = fspinn.with_settings(NETWORKS["dense"], changed)
    with pytest.raises(ConfigError, match=words):
        learn(network, SHORT, Surrogate(passes=1))


def test_training_that_diverges_is_stopped_in_one_line():
    network = Network(FirstSpike(), tuple(layer(20, norm=1e12) for _ in range(6)), 1.0, 10.0)
    learner = Surrogate("straight-through", passes=2)
    with pytest.raises(ConfigError, match=r"gradient_rate: training diverged after \d+ presentations"):
        learn(network, SHORT, learner)


def test_first_weights_are_of_one_size_whatever_the_threshold():
    learners = Surrogate(passes=1, gradient_rate=1e-9)
    low, high = (
        learn(fspinn.with_settings(NETWORKS["dense"], {"threshold": threshold}), SHORT, learners)
        for threshold in (0.5, 2.0)
    )
    assert low.layers[0].weights.numbers == pytest.approx(high.layers[0].weights.numbers, abs=1e-6)
    assert low.activity[0].output_spikes > 2 * high.activity[0].output_spikes


def test_layers_without_a_spike_are_refused():
    blank = replace(SHORT, train=replace(SHORT.train, images=np.zeros_like(SHORT.train.images)))
    with pytest.raises(ConfigError, match="threshold: no neuron of layer 1 ever spiked in 300 presentations"):
        learn(NETWORKS["layers"], blank, Surrogate(passes=1))


def run_of(network, learner, samples=300):
    """What is trained, and its first weights."""
    from fspinn.learning.surrogate.layers import parts_of
    from fspinn.learning.surrogate.runs import Run
    from fspinn.network.encoders import BatchEncoder, encoding_of

    parts, encoder = parts_of(network, learner, DATA.image_shape), BatchEncoder(encoding_of(network))
    run = Run(network, learner, DATA, DATA.train.labels, parts, np.arange(samples), 3, encoder)
    return run, run.first_weights()


def penalized(run, weights):
    """The penalty of 100 samples, and the input and output spikes of each layer."""
    from fspinn.learning.surrogate.layers import answer
    from fspinn.learning.surrogate.runs import penalty

    shown = run.encoder.encode(DATA.train.images[:100], 3, INFERENCE_SPIKES)
    answers, did = answer(run.parts, weights, shown)
    return penalty(run, answers, run.network.steps), did


@pytest.mark.parametrize(
    "name", ["dense", "a field", "a stride", "layers", "a field, then all", "two fields"]
)
def test_the_penalty_synops_is_the_operations_that_are_counted(name):
    """Weights that spikes of layers meet, the readout's table among them, in parts of the dense number."""
    run, weights = run_of(NETWORKS[name], Surrogate(penalty="synops"))
    penalty, did = penalized(run, weights)
    others = run.parts[1:]
    classes, steps = DATA.n_classes, run.network.steps
    additions = sum(seen * part.count for (seen, _), part in zip(did[1:], others, strict=True))
    dense = sum(one.geometry.positions * one.geometry.fan_in * one.count for one in others)
    dense += run.parts[-1].geometry.positions * run.parts[-1].count * classes
    assert penalty.item() == pytest.approx((additions + did[-1][1] * classes) / (100 * steps * dense))


def test_rates_are_spikes_in_a_time_step_of_a_neuron_at_a_position():
    for name in ("dense", "a field"):  # which has as many positions in each cell
        run, weights = run_of(NETWORKS[name], Surrogate(penalty="l1"))
        penalty, did = penalized(run, weights)
        part = run.parts[0]
        expected = did[0][1] / (100 * run.network.steps * part.geometry.positions * part.count)
        assert penalty.item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["l1", "l2", "hoyer", "hoyer-square", "synops"])
@pytest.mark.parametrize("name", ["layers", "two fields"])
def test_a_penalty_moves_the_weights_of_all_layers(name, kind):
    run, weights = run_of(NETWORKS[name], Surrogate(penalty=kind))
    penalized(run, weights)[0].backward()
    assert all(torch.isfinite(one.grad).all() and one.grad.abs().max() > 0 for one in weights)


@pytest.mark.parametrize(
    ("kind", "strong"), [("l1", 3.0), ("l2", 3.0), ("hoyer", 0.3), ("hoyer-square", 0.3), ("synops", 3.0)]
)
def test_the_stronger_a_penalty_the_fewer_spikes(kind, strong):
    spikes = []
    for strength in (0.0, strong / 3, strong):
        learner = Surrogate(passes=6, penalty=kind, penalty_strength=strength)
        spikes.append(learn(NETWORKS["dense"], SHORT, learner).activity[0].output_spikes)
    assert spikes[0] > 1.05 * spikes[1] > 1.1 * spikes[2]


def test_a_strength_of_0_is_no_penalty():
    alone, with_it = (
        learn(NETWORKS["layers"], SHORT, Surrogate(passes=1, **penalty)).layers
        for penalty in ({}, {"penalty": "l1", "penalty_strength": 0.0})
    )
    for one, other in zip(alone, with_it, strict=True):
        assert np.array_equal(one.weights.numbers, other.weights.numbers)


def test_every_penalty_has_a_formula_and_a_strength():
    from fspinn.learning.surrogate.penalties import OF_A_LAYER

    assert set(PENALTY_STRENGTHS) == {*OF_A_LAYER, "synops"}
    given, default = (
        learn(NETWORKS["dense"], SHORT, Surrogate(passes=1, penalty="hoyer", penalty_strength=strength))
        for strength in (0.1, None)
    )
    assert np.array_equal(given.layers[0].weights.numbers, default.layers[0].weights.numbers)


def test_a_strength_needs_a_penalty():
    with pytest.raises(ConfigError, match="penalty_strength: 3 of no penalty; set penalty to one of l1, l2"):
        Surrogate(penalty_strength=3.0)


def test_a_penalty_that_silences_a_layer_is_refused():
    learner = Surrogate(passes=20, penalty="l1", penalty_strength=1000.0)
    with pytest.raises(
        ConfigError, match=r"penalty_strength: no neuron of layer . spikes any more after 6000"
    ):
        learn(NETWORKS["layers"], SHORT, learner)


def test_neurons_that_do_not_share_out_among_the_classes_are_refused():
    with pytest.raises(
        ConfigError, match="output: of 25 neurons in the last layer each speaks for one of 10"
    ):
        learn(Network(FirstSpike(), (layer(25),), 1.0, 10.0), SHORT, Surrogate(output="spikes"))


def test_there_is_no_checkpoint(tmp_path):
    with pytest.raises(ConfigError, match="checkpoint: the learner surrogate keeps none"):
        fspinn.train(NETWORKS["dense"], SHORT, learner=Surrogate(), checkpoint=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_one_thread_of_torch_trains_and_what_was_set_comes_back():
    before = torch.get_num_threads()
    seen = []
    learn(
        NETWORKS["dense"],
        SHORT,
        Surrogate(passes=1),
        on_batch=lambda done: seen.append(torch.get_num_threads()),
    )
    assert set(seen) == {1}
    assert torch.get_num_threads() == before


def test_weights_and_readouts_are_shared_with_other_learners(tmp_path):
    learned = learn(NETWORKS["layers"], SHORT, Surrogate(passes=2))
    for model in fit_readouts(learned, SHORT, ("linear", "majority", "proportion"), threads=1):
        fspinn.save(model, tmp_path / "net.h5")
        again = fspinn.load(tmp_path / "net.h5")
        assert again.network == model.network
        first, second = (fspinn.evaluate(one, SHORT.validation).accuracy for one in (model, again))
        assert first == second


@pytest.mark.parametrize(("format", "bits"), [("Q1.1", 2), ("Q1.3", 4), ("Q2.2", 4), ("Q1.7", 8)])
@pytest.mark.parametrize("name", ["dense", "a field", "layers"])
def test_what_was_learned_with_a_format_in_view_is_what_quantization_makes_of_it(name, format, bits):
    learned = learn(NETWORKS[name], SHORT, Surrogate(passes=2, surrogate_width=0.4), weights=format)
    (model,) = fit_readouts(learned, SHORT, ("linear",), threads=1)
    quantized = fspinn.quantize(model, format)
    assert quantized.network == model.network
    for before, after in zip(model.layers, quantized.layers, strict=True):
        assert np.array_equal(before.weights.values, after.weights.values)
        assert len(np.unique(after.weights.numbers)) > min(2**bits // 2, 20)
    assert learned.learner.weight_bits == bits


def test_bits_in_view_are_worth_more_than_rounding_afterwards():
    network, found = NETWORKS["dense"], {}
    for bits in (None, 2):
        learner = Surrogate(passes=8, surrogate_width=0.4, gradient_rate=0.01, weight_bits=bits)
        (model,) = fit_readouts(learn(network, DATA, learner), DATA, ("linear",), threads=1)
        found[bits] = fspinn.evaluate(fspinn.quantize(model, "Q1.1"), DATA.validation).accuracy
    assert found[2] > found[None] + 0.02


@pytest.mark.parametrize(
    ("weights", "bits", "words"),
    [
        ("UQ0.4", None, "weights: learning has signed formats of 2 to 8 bits in view, not UQ0.4"),
        ("Q1.8", None, "weights: learning has signed formats of 2 to 8 bits in view, not Q1.8"),
        ("Q1.3", 3, "weights: Q1.3 has 4 bits, and weight_bits is 3; leave one out"),
    ],
)
def test_formats_that_cannot_be_in_view_are_refused(weights, bits, words):
    with pytest.raises(FormatError, match=words):
        learn(NETWORKS["dense"], SHORT, Surrogate(weight_bits=bits), weights=weights)


def test_a_signed_weight_has_two_bits():
    with pytest.raises(ConfigError, match="weight_bits: 1 has no room for a sign; give at least 2"):
        Surrogate(weight_bits=1)


def test_the_state_is_quantized_afterwards():
    with pytest.raises(ConfigError, match="state, rounding: gradients are taken of floats"):
        learn(NETWORKS["dense"], SHORT, Surrogate(), weights="Q1.3", state="Q8.8")
