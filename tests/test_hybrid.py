"""An ANN becomes a spiking network: what rates and activations have to do with each other."""

from dataclasses import replace

import commands
import numpy as np
import pytest
from exported_programs import answers, build, needs_gcc

import fspinn
from fspinn.base.errors import ConfigError
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.network import FirstSpike, Hybrid, Network, Poisson, Surrogate
from fspinn.network.setup import Setup
from fspinn.search.default_spaces import settle
from fspinn.search.jobs import Job, shortened
from fspinn.search.networks import while_learning

torch = pytest.importorskip("torch")

DATA = fspinn.datasets.load("digits")
SHORT = replace(DATA, train=DATA.train.first(300), validation=DATA.validation.first(100))
SMALL = Network.converted(30)
NETWORKS = {
    "dense": SMALL,
    "a field": Network.converted(6, 3, cells=2),
    "layers": Network.converted((30, 20)),
    "a field, then all": Network.converted((6, 20), 3, cells=6),
    "leaks": Network.converted(30, beta=0.95),
    "noise": Network.converted(30, encoder=Poisson(rate_norm_hz=3000.0)),
}
CONVERTED = Hybrid(passes=0)


def run_of(network, learner, data=SHORT, seed=3):
    """What is trained."""
    from fspinn.learning.surrogate.layers import parts_of
    from fspinn.learning.surrogate.runs import Run
    from fspinn.network.encoders import BatchEncoder, encoding_of

    parts, encoder = parts_of(network, learner, data.image_shape), BatchEncoder(encoding_of(network))
    known = np.arange(len(data.train))
    return Run(network, learner, data, data.train.labels, parts, known, seed, encoder)


def shown(run, images):
    return run.encoder.encode(images, run.seed, INFERENCE_SPIKES)


def accuracy(network, learner, data=DATA, seed=0):
    (model,) = fit_readouts(learn(network, data, learner, seed=seed), data, ("linear",), threads=1)
    return fspinn.evaluate(model, data.validation, threads=1).accuracy


@pytest.mark.parametrize(
    ("name", "output"),
    [(name, "membrane") for name in ("dense", "layers", "a field", "a field, then all")]
    + [("dense", "spikes")],
)
def test_rates_are_activations_where_steps_are_many(name, output):
    """In each cell and neuron, in the unit that the thresholds are; each cell of a field that passes on has
    one position, or what is passed on is only near the highest activation."""
    from fspinn.learning.surrogate.conversion import spiking, trained
    from fspinn.learning.surrogate.layers import answer as spikes_of

    long = replace(NETWORKS[name], duration_ms=400.0)
    run = run_of(long, Hybrid(percentile=100.0, output=output))
    ann = trained(run)
    weights, output = spiking(run, ann)
    spikes = shown(run, SHORT.train.images[:100])
    with torch.no_grad():
        (sums, of_ann), (of_spikes, _) = ann.answer(spikes), spikes_of(run.parts, weights, spikes)
        scores = ann.output.scores(sums), output.scores(of_spikes[-1].counts)
    for activations, counted in zip(of_ann, of_spikes, strict=True):
        expected, found = (one.counts.numpy() for one in (activations, counted))
        unit = found.sum() / expected.sum()
        assert np.abs(found - unit * expected).max() < 0.05 * found.max() + 2
    assert np.mean(scores[0].argmax(1).numpy() == scores[1].argmax(1).numpy()) >= 0.97
    assert (scores[0] - scores[1]).abs().max() < 0.2 * scores[0].abs().max()


@pytest.mark.parametrize("name", ["dense", "layers", "a field"])
def test_what_was_converted_answers_within_a_point_of_the_ann(name):
    from fspinn.learning.surrogate.conversion import trained

    long = replace(NETWORKS[name], duration_ms=100.0)
    ann_run = run_of(long, CONVERTED, DATA, seed=0)
    ann = trained(ann_run)
    scores = ann.output.scores(ann.answer(shown(ann_run, DATA.validation.images))[0])
    of_ann = float(np.mean(scores.argmax(dim=1).numpy() == DATA.validation.labels))
    assert of_ann > 0.8
    assert accuracy(long, CONVERTED) > of_ann - 0.01


def test_accuracy_grows_with_steps():
    found = [accuracy(replace(SMALL, duration_ms=steps), CONVERTED) for steps in (2.0, 4.0, 32.0)]
    assert found[0] + 0.01 < found[1] < found[2] - 0.01


def test_gradients_tune_what_has_few_steps():
    few = replace(SMALL, duration_ms=3.0)
    assert accuracy(few, Hybrid(passes=6)) > accuracy(few, CONVERTED) + 0.01


@pytest.mark.parametrize("passes", [0, 1])
@pytest.mark.parametrize("name", list(NETWORKS))
def test_the_same_seed_gives_the_same_bits(name, passes):
    learner, bits = Hybrid(passes=passes, ann_passes=2), []
    for seed in (1, 1, 2):
        learned = learn(NETWORKS[name], SHORT, learner, seed=seed)
        bits.append([one.weights.numbers.tobytes() for one in learned.layers])
    assert bits[0] == bits[1] != bits[2]
    assert learned.passes == (passes,) * len(learned.layers)
    assert learned.activity[0].samples == 300 * passes


def test_the_threshold_is_in_units_of_the_one_that_balances():
    """Weights know nothing of it; a lower one makes neurons spike more often."""
    half = fspinn.with_settings(SMALL, {"threshold": 0.5})
    one, other = (learn(network, SHORT, CONVERTED) for network in (SMALL, half))
    assert np.array_equal(one.layers[0].weights.numbers, other.layers[0].weights.numbers)
    whole, twice = (fit_readouts(each, SHORT, ("linear",), threads=1)[0] for each in (one, other))
    spikes = [each.activity["inference"][0].output_spikes for each in (whole, twice)]
    assert spikes[1] > 1.5 * spikes[0]


def test_a_lower_percentile_is_a_lower_threshold():
    run = run_of(SMALL, CONVERTED)
    from fspinn.learning.surrogate.conversion import spiking, trained

    ann = trained(run)
    sizes = []
    for percentile in (90.0, 99.0, 100.0):
        weights, _ = spiking(replace(run, learner=Hybrid(passes=0, percentile=percentile)), ann)
        sizes.append(float(weights[0].detach().norm()))
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize("kind", ["l1", "l2", "hoyer", "hoyer-square", "synops"])
@pytest.mark.parametrize("name", ["layers", "a field, then all"])
def test_a_penalty_makes_fewer_activations(name, kind):
    from fspinn.learning.surrogate.conversion import trained

    active = []
    for strength in (0.0, 3.0):
        run = run_of(NETWORKS[name], Hybrid(penalty=kind, penalty_strength=strength))
        _, answers = trained(run).answer(shown(run, SHORT.train.images))
        active.append(np.mean([float((one.counts > 0).float().mean()) for one in answers]))
    assert active[1] < 0.95 * active[0]


@pytest.mark.parametrize("name", ["layers", "a field, then all"])
def test_a_sample_learns_without_the_same_neurons_in_all_steps(name):
    from fspinn.learning.surrogate.conversion import trained
    from fspinn.learning.surrogate.layers import answer as spikes_of

    run = run_of(NETWORKS[name], Hybrid(dropout=0.4))
    masks, weights, ann = run.masks(7, 100), run.first_weights(), trained(run)
    for mask in masks:
        assert set(np.unique(mask)) == {0, np.float32(1 / 0.6)}
        assert mask.mean().item() == pytest.approx(1, abs=0.05)
    assert not any(torch.equal(*both) for both in zip(masks, run.masks(8, 100), strict=True))
    spikes = shown(run, SHORT.train.images[:100])
    with torch.no_grad():
        (below, _), (_, counted) = spikes_of(run.parts, weights, spikes, masks)
        _, of_ann = ann.answer(spikes, masks)
    dropped = masks[0] == 0
    assert (below.passed[:, dropped] == 0).all()
    assert (below.passed.sum(dim=0)[~dropped] > 0).any()
    assert (of_ann[0].passed[0][dropped] == 0).all()
    assert counted[0] == int((below.passed > 0).sum(dim=(0, 1)).numpy() @ run.parts[1].seen_by)
    assert run_of(SMALL, Hybrid()).masks(7, 100) is None
    one, other = (learn(SMALL, SHORT, Hybrid(passes=1, dropout=part)) for part in (0.0, 0.4))
    assert not np.array_equal(one.layers[0].weights.numbers, other.layers[0].weights.numbers)


def test_classes_can_count_alike_in_the_ann():
    learned = [
        learn(SMALL, SHORT, CONVERTED, class_weight=how).layers[0].weights.numbers
        for how in (None, "balanced")
    ]
    assert not np.array_equal(*learned)


def test_only_labels_that_are_given_are_looked_at():
    one = learn(SMALL, SHORT, CONVERTED, labels=40)
    chosen = fspinn.model.readout.labelled_images(300, 40, seed=0)
    other = np.where(np.isin(np.arange(300), chosen), SHORT.train.labels, 9 - SHORT.train.labels)
    changed = replace(SHORT, train=replace(SHORT.train, labels=other))
    two = learn(SMALL, changed, CONVERTED, labels=40)
    assert np.array_equal(one.layers[0].weights.numbers, two.layers[0].weights.numbers)


@pytest.mark.parametrize("passes", [0, 2])
def test_bits_in_view_are_those_of_quantization(passes, tmp_path):
    learned = learn(SMALL, SHORT, Hybrid(passes=passes, ann_passes=4), weights="Q1.3")
    (model,) = fit_readouts(learned, SHORT, ("linear",), threads=1)
    quantized = fspinn.quantize(model, "Q1.3")
    assert np.array_equal(model.layers[0].weights.values, quantized.layers[0].weights.values)
    fspinn.save(model, tmp_path / "net.h5")
    assert fspinn.load(tmp_path / "net.h5").learner == Hybrid(passes=passes, ann_passes=4, weight_bits=4)


@needs_gcc
def test_a_c_program_answers_as_the_integers_do(tmp_path):
    (model,) = fit_readouts(learn(NETWORKS["layers"], SHORT, Hybrid(passes=1)), SHORT, ("linear",), threads=1)
    small = fspinn.quantize(model, "Q1.3", state="12 bits", readout="Q1.3", data=SHORT)
    images = SHORT.validation.images[:20]
    fspinn.export_c(small, tmp_path / "out")
    counts, classes = answers(build(tmp_path / "out"), images, small.network.features)
    expected = fspinn.predict(small, images)
    assert np.array_equal(counts, expected.spike_counts)
    assert np.array_equal(classes, expected.classes)


def test_images_without_a_bright_pixel_are_refused():
    blank = replace(SHORT, train=replace(SHORT.train, images=np.zeros_like(SHORT.train.images)))
    with pytest.raises(ConfigError, match=r"percentile: 99\.9 % of .* of layer 1 receive is nothing"):
        learn(NETWORKS["layers"], blank, CONVERTED)


def test_an_ann_that_falls_silent_is_refused():
    said = "percentile: .* what neurons of layer 2 receive is nothing, .*; raise it, or lower "
    with pytest.raises(ConfigError, match=f"{said}ann_rate"):
        learn(Network.converted((20,) * 6), SHORT, Hybrid(ann_rate=1.0))
    with pytest.raises(ConfigError, match=r"layer \d receive is nothing, .*; raise it, or lower penalty_str"):
        learn(SMALL, SHORT, Hybrid(penalty="l2", penalty_strength=300.0))


@pytest.mark.parametrize("how", ["train", "tune", "sweep", "find_smallest"])
def test_first_spikes_are_no_rates(how):
    network = Network.converted(10, encoder=FirstSpike())
    calls = {
        "train": lambda: fspinn.train(network, SHORT, learner=CONVERTED),
        "tune": lambda: fspinn.tune(network, SHORT, learner=CONVERTED),
        "sweep": lambda: fspinn.sweep(network, SHORT, {"beta": [0.9]}, learner=CONVERTED),
        "find_smallest": lambda: fspinn.find_smallest(SHORT, network=network, learner=CONVERTED),
    }
    with pytest.raises(ConfigError, match=r"encoder: an ANN sees rates, and with ttfs .* set encoder = reg"):
        calls[how]()


def test_there_is_no_checkpoint(tmp_path):
    with pytest.raises(ConfigError, match="checkpoint: the learner hybrid keeps none"):
        fspinn.train(SMALL, SHORT, learner=CONVERTED, checkpoint=tmp_path / "run")


def test_searches_start_from_networks_that_an_ann_becomes():
    first = settle("ladder", None, None, [Hybrid()], 1000, (28, 28), None, None, None)
    for space in (first, *first.beside):
        assert space.base.network.encoder.kind == "regular"
        assert space.base.network.layers[0].neuron.tau_m_ms is None
        assert isinstance(while_learning(space.base).learner, Hybrid)
    both = settle("ladder", None, None, [Surrogate(), Hybrid()], 1000, (28, 28), None, None, None)
    assert [one.base.learner.kind for one in (both, *both.beside)] == ["surrogate"] * 2 + ["hybrid"] * 2


def test_a_share_of_the_work_is_of_images_which_the_ann_sees_too():
    job = Job(Setup(SMALL, CONVERTED), 0, (), share=1 / 3)
    data, passes = shortened(SHORT, job)
    assert (len(data.train), passes) == (100, 0)


def test_it_is_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("train", "--learner", "hybrid", "--samples", 200, "--neurons", 20, "--set", "ann_passes=3")
    found = commands.answer(*words, "--passes", 0)
    assert (found["presentations"], found["readout"]) == (0, "linear")
    model = fspinn.load("net.h5")
    assert model.network == Network.converted(20)
    assert model.learner == Hybrid(passes=0, ann_passes=3)
    assert commands.answer(*words)["presentations"] == 400
    assert "encoder: an ANN sees rates" in commands.refused(*words, "--set", "encoder=ttfs")
    assert "ann_passes: " in commands.refused(*words[:-1], "ann_passes=0")
    words = ("sweep", "--learner", "hybrid", "--neurons", 12, "--samples", 100, "--validation", 60)
    swept = commands.answer(*words, "--passes", 1, "--threshold", "0.7", "-o", "sweep")
    assert [point["threshold"] for point in swept["points"]] == [1.0, 0.7]
    words = ("search", "--learner", "hybrid", "--samples", 300, "--sizes", "16", "--seeds", 1)
    assert commands.answer(*words, "--accuracy", 0.5, "-o", "result")["found"]
