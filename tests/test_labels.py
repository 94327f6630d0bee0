"""Labels tune a column that STDP found."""

import numpy as np
import pytest
from click.testing import CliRunner
from commands import answer

import fspinn
from fspinn.base.errors import ConfigError
from fspinn.cli import main
from fspinn.learning import labels
from fspinn.learning.column_kernels import blame, compete
from fspinn.network import Network, StdpLabels
from fspinn.network.geometry import Geometry
from fspinn.search.result import describe

GEOMETRIES = {
    "a field": Geometry(6, 7, 1, (3, 3), 1, (2, 2)),
    "a stride": Geometry(7, 8, 1, (3, 4), 2, (1, 2)),
    "channels": Geometry(5, 5, 2, (2, 3), 1, (2, 1)),
    "all of it": Geometry(4, 4, 1, (4, 4), 1, (1, 1)),
}
STEPS = 5


def spikes_of(geometry, random, samples=4):
    """Input spikes, some of which come twice: by sample and step, the inputs."""
    inputs = geometry.height * geometry.width * geometry.channels
    return random.random((samples, STEPS, inputs)) < 0.15


def as_offsets(spikes):
    counts = spikes.sum(axis=2).reshape(-1)
    ends = np.cumsum(counts).reshape(len(spikes), STEPS)
    starts = np.concatenate([[0], ends[:-1, -1]])
    return np.column_stack([starts, ends]), np.nonzero(spikes)[2].astype(np.int32)


def seen_from(geometry, spikes, position):
    """What a position sees of a sample, shape (steps, fan_in)."""
    top, left = geometry.corners[position]
    image = spikes.reshape(STEPS, geometry.height, geometry.width, geometry.channels)
    height, width = geometry.field
    return image[:, top : top + height, left : left + width].reshape(STEPS, -1)


def naive_compete(geometry, spikes, weights, thresholds):
    """The step that ends each position, or -1, its potentials then, and counts per cell and neuron."""
    neurons = weights.shape[1]
    ends = np.full((len(spikes), geometry.positions), -1)
    at_end = np.zeros((len(spikes), geometry.positions, neurons), np.float32)
    counts = np.zeros((len(spikes), geometry.cells[0] * geometry.cells[1], neurons))
    for m, p in np.ndindex(ends.shape):
        v = np.zeros(neurons, np.float32)
        for t, step in enumerate(seen_from(geometry, spikes[m], p)):
            v = v + step.astype(np.float32) @ weights
            if (v >= thresholds).any():
                above = np.where(v >= thresholds, v - thresholds, -np.inf)
                ends[m, p], at_end[m, p] = t, v
                counts[m, geometry.cell_of[p], above.argmax()] += 1
                break
    return ends, at_end, counts.reshape(len(spikes), -1)


def promised(geometry, spikes, weights, thresholds, ends, of_counts, temperature):
    """What the softmax over each column that has spiked makes of the gradient of the counts."""
    total, of_counts = 0.0, of_counts.reshape(len(spikes), -1, weights.shape[1])
    for m, p in np.argwhere(ends >= 0):
        seen = seen_from(geometry, spikes[m], p)[: ends[m, p] + 1].sum(axis=0)
        above = (seen @ weights - thresholds) / temperature
        shares = np.exp(above - above.max())
        total += (shares / shares.sum()) @ of_counts[m, geometry.cell_of[p]]
    return total


def run_kernels(geometry, spikes, weights, thresholds, of_counts, temperature):
    """Ends, counts and the gradients of weights and thresholds."""
    network = Network.patches(weights.shape[1], geometry.field, stride=geometry.stride, cells=geometry.cells)
    tensors = fspinn.model.tensors.LayerTensors.of_floats(weights, np.zeros(len(thresholds), np.float32))
    shape = (geometry.height, geometry.width, geometry.channels)
    column = labels._Column.of(
        fspinn.base.settings.with_settings(network, {"weight_norm": 1.0}), tensors, shape
    )
    offsets, inputs = as_offsets(spikes)
    rows, columns, left, _ = column.grid
    row = np.full((column.width, column.neurons), np.inf, np.float32)
    row[left : left + columns] = thresholds
    potentials = np.zeros((rows, column.width * column.neurons), np.float32)
    ends = np.empty((len(spikes), geometry.positions), np.int32)
    at_end = np.empty((*ends.shape, column.neurons), np.float32)
    counts = np.empty((len(spikes), of_counts.shape[1]), np.float32)
    blocks = column.blocks(weights.reshape(*geometry.field, geometry.channels, -1))
    where = geometry.places, column.grid, geometry.cell_of
    compete(offsets, inputs, blocks, row.reshape(-1), *where, potentials, ends, at_end, counts)
    of_blocks, of_thresholds = np.zeros_like(blocks), np.zeros_like(thresholds)
    found = ends.copy(), at_end.copy(), counts
    rest = ends, at_end, of_counts, potentials, of_blocks, of_thresholds
    blame(offsets, inputs, thresholds, *where, np.float32(temperature), *rest)
    return (*found, column.of_blocks(of_blocks).reshape(weights.shape), of_thresholds)


@pytest.fixture(params=GEOMETRIES)
def case(request):
    geometry, random = GEOMETRIES[request.param], np.random.default_rng(1)
    weights = random.random((geometry.fan_in, 3)).astype(np.float32)
    thresholds = (0.3 * geometry.fan_in**0.5 + 0.2 * random.random(3)).astype(np.float32)
    cells = geometry.cells[0] * geometry.cells[1]
    of_counts = random.normal(size=(4, 3 * cells)).astype(np.float32)
    return geometry, spikes_of(geometry, random), weights, thresholds, of_counts


def test_positions_come_to_their_first_spike_as_one_by_one(case):
    geometry, spikes, weights, thresholds, _ = case
    ends, at_end, counts, *_ = run_kernels(*case, temperature=0.5)
    expected = naive_compete(geometry, spikes, weights, thresholds)
    np.testing.assert_array_equal(ends, expected[0])
    np.testing.assert_allclose(at_end[ends >= 0], expected[1][ends >= 0], rtol=1e-5)
    np.testing.assert_array_equal(counts, expected[2])
    assert (ends >= 0).any()


def test_blame_is_the_slope_of_what_the_softmax_promises(case):
    geometry, spikes, weights, thresholds, of_counts = case
    ends, _, _, of_weights, of_thresholds = run_kernels(*case, temperature=0.5)

    def at(weights, thresholds):
        return promised(geometry, spikes, weights, thresholds, ends, of_counts.astype(float), 0.5)

    weights, thresholds, step = weights.astype(float), thresholds.astype(float), 1e-5
    for i, j in ((0, 0), (1, 2), (geometry.fan_in - 1, 1)):
        moved = weights.copy()
        moved[i, j] += step
        slope = (at(moved, thresholds) - at(weights, thresholds)) / step
        assert of_weights[i, j] == pytest.approx(slope, abs=2e-3)
    for j in range(3):
        moved = thresholds.copy()
        moved[j] += step
        slope = (at(weights, moved) - at(weights, thresholds)) / step
        assert of_thresholds[j] == pytest.approx(slope, abs=2e-3)


@pytest.fixture(scope="module")
def digits():
    return fspinn.datasets.load("digits")


@pytest.fixture(scope="module")
def network():
    return Network.patches(8, 3, cells=2)


def train(network, digits, learner, **more):
    return fspinn.train(network, digits, learner=learner, readout="linear", progress=False, **more)


def test_labels_make_a_column_better(network, digits):
    before = train(network, digits, fspinn.Stdp())
    after = train(network, digits, StdpLabels())
    assert after.validation.accuracy > before.validation.accuracy + 0.01


def test_the_same_seed_gives_the_same_bits(network, digits):
    one, two = (train(network, digits, StdpLabels(tuning_passes=2), seed=3).model for _ in range(2))
    for name in ("weights", "theta"):
        mine, theirs = (getattr(model.layers[0], name).numbers for model in (one, two))
        np.testing.assert_array_equal(mine, theirs)


def test_weights_with_few_bits_in_view_are_quantized_without_a_change(network, digits):
    model = train(network, digits, StdpLabels(tuning_passes=2, weight_bits=3)).model
    before = model.layers[0].weights.values
    after = fspinn.quantize(model, "UQ0.3").layers[0].weights.numbers
    np.testing.assert_allclose(before / before.max() * 7, after, atol=1e-4)


def test_only_labelled_samples_are_looked_at(network, digits, monkeypatch):
    seen = []
    step = labels._Solved.step

    def noted(self, number, spikes, of_batch, weights):
        seen.extend(of_batch)
        step(self, number, spikes, of_batch, weights)

    monkeypatch.setattr(labels._Solved, "step", noted)
    train(network, digits, StdpLabels(tuning_passes=1), labels=100)
    assert len(seen) == 100
    assert min(seen) >= 0


def test_a_loaded_model_knows_who_tuned_it(network, digits, tmp_path):
    learner = StdpLabels(tuning_passes=1, weight_bits=4)
    fspinn.save(train(network, digits, learner).model, tmp_path / "net.h5")
    assert fspinn.load(tmp_path / "net.h5").learner == learner


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"inhibition": "lateral"}, "inhibition: labels tune neurons whose first spike ends a position"),
        ({"tau_m_ms": 20.0}, "tau_m_ms: labels tune neurons without leak, and this one is 20 ms"),
        ({"layers.2.neurons": 5}, "layers: labels tune a network of one layer, and this one has 2"),
    ],
)
def test_what_labels_cannot_tune_is_refused_before_it_learns(network, digits, changed, words):
    other = fspinn.base.settings.with_settings(network, changed)
    with pytest.raises(ConfigError, match=words):
        train(other, digits, StdpLabels())


def test_labels_have_bits_in_view_not_formats(network, digits):
    with pytest.raises(ConfigError, match="weights: labels tune floats"):
        train(network, digits, StdpLabels(), weights="UQ0.4")


@pytest.mark.exhaustive
def test_a_search_tries_both_learners_and_says_which_is_smaller(digits):
    learners = [StdpLabels(tuning_passes=2), fspinn.Stdp()]
    found = fspinn.find_smallest(digits, accuracy=0.85, learner=learners, seeds=1, progress=False)
    alone, tuned = found.learners["stdp"], found.learners["stdp+labels"]
    assert found.winner == min((alone, tuned), key=lambda trial: trial.memory_bits)
    assert all(trial.accuracy >= 0.8 for trial in (alone, tuned))
    other = alone if found.winner == tuned else tuned
    assert f"  learner   {other.candidate.setup.learner.kind} needs" in describe(found)
    assert found.model.learner.weight_bits == found.winner.candidate.variant.weight_bits


@pytest.fixture(scope="module")
def found_by_stdp(network, digits):
    return train(network, digits, fspinn.Stdp()).model


def test_labels_go_on_from_a_model_to_the_same_bits(network, digits, found_by_stdp):
    learner = StdpLabels(tuning_passes=2)
    whole = train(network, digits, learner).model
    more = train(found_by_stdp.network, digits, learner, start=found_by_stdp).model
    np.testing.assert_array_equal(more.layers[0].weights.numbers, whole.layers[0].weights.numbers)
    assert more.record["learning_curve"] == whole.record["learning_curve"]
    assert more.activity["training"] == whole.activity["training"]


def test_the_command_goes_on_from_a_model(found_by_stdp, tmp_path):
    fspinn.save(found_by_stdp, tmp_path / "net.h5")
    words = ["train", "--start", tmp_path / "net.h5", "--set", "tuning_passes=1", "-o", tmp_path / "on.h5"]
    said = answer(*words)
    assert said["accuracy_before"] == found_by_stdp.record["validation_accuracy"]
    tuned = fspinn.load(tmp_path / "on.h5")
    assert tuned.learner == StdpLabels(tuning_passes=1)
    assert tuned.record["dataset"]["name"] == "digits"
    result = CliRunner().invoke(main, [*map(str, words[:-1]), str(tmp_path / "net.h5")])
    assert result.exit_code == 2
    said = f"fspinn: --output {tmp_path / 'net.h5'}: is the model that labels tune; give another name\n"
    assert result.stderr == said


@pytest.mark.parametrize(
    ("make", "learner", "words"),
    [
        (lambda model: model, fspinn.Stdp(), "start: the learner stdp does not go on from a model"),
        (lambda model: fspinn.quantize(model, "UQ0.4"), StdpLabels(), "start: this model is quantized"),
    ],
)
def test_labels_do_not_go_on_from_everything(digits, found_by_stdp, make, learner, words):
    with pytest.raises(ConfigError, match=words):
        train(found_by_stdp.network, digits, learner, start=make(found_by_stdp))


def test_labels_do_not_tune_twice(network, digits, found_by_stdp):
    tuned = train(found_by_stdp.network, digits, StdpLabels(tuning_passes=1), start=found_by_stdp).model
    with pytest.raises(ConfigError, match=r"this model is of stdp\+labels; give one of stdp"):
        train(tuned.network, digits, StdpLabels(), start=tuned)


def test_a_model_with_other_settings_is_no_start(digits, found_by_stdp):
    other = fspinn.base.settings.with_settings(found_by_stdp.network, {"cells": 1})
    with pytest.raises(ConfigError, match="start: the model has another cells"):
        train(other, digits, StdpLabels(), start=found_by_stdp)
