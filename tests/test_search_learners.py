"""Searches that set learners side by side: which networks each is tried with."""

import pytest
from commands import answer, refused

import fspinn
from fspinn.base.errors import ConfigError
from fspinn.network import Network, StdpLabels, Surrogate
from fspinn.network.setup import Setup
from fspinn.search.costs import training_steps
from fspinn.search.default_spaces import settle, supervised_spaces


def spaces(learners, network=None, sizes=None, shape=(28, 28)):
    first = settle("ladder", None, network, learners, 1000, shape, sizes, None, None)
    return [first, *first.beside]


def tried(learners, **given):
    """Learner, inhibition and whether there is a field, of each space."""
    found = []
    for space in spaces(learners, **given):
        (layer,) = space.base.network.layers
        found.append((space.base.learner.kind, layer.inhibition.kind, layer.field is not None))
    return found


def test_each_learner_is_tried_with_networks_that_it_can_fill():
    assert tried([fspinn.Stdp()]) == [("stdp", "lateral", False), ("stdp", "first", True)]
    assert tried([StdpLabels()]) == [("stdp+labels", "first", True)]
    assert tried([Surrogate()]) == [("surrogate", "none", False), ("surrogate", "none", True)]
    assert tried([Surrogate(), StdpLabels(), fspinn.Stdp()]) == [
        ("stdp", "lateral", False),
        ("surrogate", "none", False),
        ("surrogate", "none", True),
        ("stdp+labels", "first", True),
        ("stdp", "first", True),
    ]


def test_a_network_is_tried_with_each_learner_that_is_given():
    column = Network.patches(8, 5, cells=3)
    assert tried([fspinn.Stdp(), StdpLabels()], network=column) == [
        ("stdp", "first", True),
        ("stdp+labels", "first", True),
    ]
    assert tried([Surrogate()], network=Network.supervised(20)) == [("surrogate", "none", False)]
    (dense,) = spaces([Surrogate()], network=Network.supervised(20))
    assert {variant.weights for variant in dense.variants()} == {"Q1.1", "Q1.2", "Q1.3"}


def test_sizes_are_of_dense_networks_where_stdp_learns_and_of_all_others():
    assert tried([fspinn.Stdp()], sizes=[50]) == [("stdp", "lateral", False)]
    for space in spaces([fspinn.Stdp(), StdpLabels()], sizes=[50]):
        assert {setup.network.neurons for setup in space.trainings()} == {50}


def test_labels_are_tried_with_larger_fields_too():
    (column,) = spaces([StdpLabels()])
    assert {setup.network.layers[0].field for setup in column.trainings()} == {(5, 5), (7, 7)}
    (small,) = spaces([StdpLabels()], shape=(8, 8))
    assert {setup.network.layers[0].field for setup in small.trainings()} == {(3, 3)}


def test_supervised_networks_fit_signals_and_small_images():
    for shape in ((1, 100), (8, 8), (32, 32, 3)):
        for space in supervised_spaces(shape):
            for setup in space.trainings():
                setup.network.geometries(shape)


@pytest.mark.parametrize(
    ("learner", "words"),
    [
        ([], "learner: there is none; give at least one"),
        ("stdp", r"learner: 'stdp' is not a learner; give one, such as fspinn\.Stdp\(\)"),
        (["stdp"], r"learner: 'stdp' is not a learner; give one, such as fspinn\.Stdp\(\)"),
        ([fspinn.Stdp(), StdpLabels()], "learner: only the ladder, without a space, tries several"),
    ],
)
def test_learners_that_cannot_be_tried_together_are_refused(learner, words):
    with pytest.raises(ConfigError, match=words):
        fspinn.find_smallest(
            fspinn.datasets.load("digits"), learner=learner, strategy="bayes", progress=False
        )


def test_networks_that_labels_cannot_tune_are_refused_before_work_starts(tmp_path):
    words = "search --learner stdp+labels --set inhibition=lateral --samples 200 --accuracy 0.3"
    error = refused(*words.split(), "-o", tmp_path / "a")
    assert error.startswith(
        "fspinn: inhibition: labels tune neurons whose first spike ends a position, and this one is lateral"
    )
    assert not (tmp_path / "a").exists()


def test_a_search_sets_all_three_learners_side_by_side():
    pytest.importorskip("torch")
    learners = [fspinn.Stdp(), StdpLabels(tuning_passes=2), Surrogate(passes=3)]
    found = fspinn.find_smallest(
        fspinn.datasets.load("digits"), accuracy=0.6, learner=learners, seeds=1, sizes=[16], progress=False
    )
    assert found.learners.keys() == {"stdp", "stdp+labels", "surrogate"}
    assert all(trial is not None for trial in found.learners.values())
    assert found.winner == min(found.learners.values(), key=lambda trial: trial.memory_bits)


def test_samplers_vary_what_matters_to_gradients():
    pytest.importorskip("torch")
    found = fspinn.find_smallest(
        fspinn.datasets.load("digits"),
        accuracy=0.5,
        learner=Surrogate(),
        strategy="bayes",
        sampler="random",
        minimize=["time_steps", "training_steps"],
        trials=3,
        seeds=1,
        progress=False,
    )
    settings = [trial.candidate.as_dict()["settings"] for trial in found.trials if trial.accuracy]
    for name in ("tau_m_ms", "threshold", "surrogate_width", "gradient_rate"):
        assert len({one.get(name) for one in settings}) == 3
    assert all(trial.candidate.setup.learner.kind == "surrogate" for trial in found.trials)


def test_samplers_draw_columns_for_labels_to_tune():
    found = fspinn.find_smallest(
        fspinn.datasets.load("digits"),
        accuracy=0.3,
        learner=StdpLabels(passes=1, tuning_passes=1),
        strategy="bayes",
        sampler="random",
        sizes=[8],
        weights=["UQ0.3"],
        trials=2,
        seeds=1,
        progress=False,
    )
    assert found.found
    assert found.winner.candidate.setup.network.layers[0].inhibition.kind == "first"


@pytest.mark.parametrize("weights", [["UQ0.3"], ["Q1.2", "UQ0.1"]])
def test_weights_without_a_sign_are_refused_before_labels_fill_a_network(weights):
    with pytest.raises(ConfigError, match=r"have a sign, and UQ0\.\d has none; use a format such as Q1\.\d"):
        fspinn.find_smallest(
            fspinn.datasets.load("digits"), learner=Surrogate(), weights=weights, progress=False
        )


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"minimize": []}, "minimize: there is nothing; give some of memory,"),
        ({"minimize": ["memory", "memory"]}, "minimize: names a quantity twice"),
        ({"time_steps": "4.5"}, "time_steps: 4.5 is not a whole number"),
    ],
)
def test_quantities_that_make_no_sense_are_refused(asked, words):
    with pytest.raises(ConfigError, match=words):
        fspinn.find_smallest(fspinn.datasets.load("digits"), progress=False, **asked)


def test_few_passes_make_a_limit_on_learning_possible():
    space = {"neurons": [20], "passes": [12, 1], "duration_ms": [60.0], "weights": ["UQ0.4"]}
    found = fspinn.find_smallest(
        fspinn.datasets.load("digits"),
        accuracy=0.1,
        strategy="bayes",
        sampler="random",
        space=space,
        training_steps=1199 * 60,
        trials=2,
        seeds=1,
        progress=False,
    )
    assert found.winner.cost.training_steps == 1199 * 60


def test_what_labels_teach_takes_the_steps_of_the_labelled():
    setup = Setup(Network.supervised(10), Surrogate(passes=3))
    assert training_steps(setup, 1000) == 3 * 1000 * 10
    assert training_steps(setup, 1000, 50) == 3 * 50 * 10
    tuned = Setup(Network.patches(8), StdpLabels(passes=2, tuning_passes=4))
    assert training_steps(tuned, 1000, 50) == (2 * 1000 + 4 * 50) * 8
    ann = Setup(Network.converted(10), fspinn.Hybrid(passes=2, ann_passes=7))
    assert training_steps(ann, 1000, 50) == 50 * (2 * 16 + 7)


def test_a_network_with_pooled_inputs_stays_as_it_is():
    (space,) = spaces([Surrogate()], network=Network.supervised(20, pool=4), shape=(32, 32))
    assert {setup.network.pool for setup in space.trainings()} == {4}


def test_settings_on_the_command_line_are_those_of_the_only_learner(tmp_path):
    pytest.importorskip("torch")
    words = "search --learner surrogate --set penalty=l1 --set duration_ms=4 --sizes 8 --samples 200"
    found = answer(*words.split(), "--accuracy", "0.2", "--seeds", "1", "-o", tmp_path / "a")
    assert found["settings"]["penalty"] == "l1"
    assert found["time_steps"] == 4


def test_unsupervised_leaves_the_learners_that_need_no_labels(tmp_path):
    words = (
        "search --learner stdp+labels,stdp --unsupervised --sizes 8 --samples 200 --accuracy 0.2 --seeds 1"
    )
    found = answer(*words.split(), "-o", tmp_path / "a")
    assert list(found["learners"]) == ["stdp"]
    words = "search --learner stdp+labels --unsupervised --samples 200 --accuracy 0.2"
    error = refused(*words.split(), "-o", tmp_path / "b")
    assert error.startswith(
        "fspinn: --unsupervised: stdp+labels needs labels to learn; add stdp to --learner"
    )
    assert not (tmp_path / "b").exists()
