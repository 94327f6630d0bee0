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
    counts, did = answer(parts, [torch.from_numpy(one) for one in weights], spikes)
    return counts.numpy(), did


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
