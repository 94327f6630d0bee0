"""A space says what there is to choose from, and refuses what cannot be."""

from dataclasses import replace

import pytest
from cost_cases import resized
from described import setup
from hypothesis import given, settings
from hypothesis import strategies as st

from fspinn.base.errors import ConfigError, FormatError
from fspinn.memmodel import Size, estimate, expected_workloads, load_hardware
from fspinn.network import Layer, Network, Neuron, Ranked, Stdp
from fspinn.network.setup import Setup
from fspinn.search import Candidate, Range, Space, Variant, read_space
from fspinn.search.costs import expected_costs
from fspinn.search.default_spaces import (
    READOUTS,
    SIZES,
    WEIGHTS,
    column_space,
    ladder_space,
    ranged_space,
    settle,
)
from fspinn.search.networks import while_learning
from fspinn.search.space import corners, space_of

BASE = Setup()

FILE = """
encoder = "regular"
neurons = [50, 100]
threshold = {low = 8.0, high = 40.0, log = true}
duration_ms = {low = 100, high = 350, step = 50}
passes = 2
weights = ["UQ0.2", "UQ0.4"]
state = ["float32", "Q9.6"]
prune = [false, true]
readout = "linear"
"""


@pytest.fixture
def write(tmp_path):
    def written(text):
        (tmp_path / "space.toml").write_text(text)
        return tmp_path / "space.toml"

    return written


def test_a_setting_is_fixed_listed_or_ranged(write):
    space = read_space(write(FILE), BASE)
    assert space.settings["encoder"] == ("regular",)
    assert space.settings["neurons"] == (50, 100)
    assert space.settings["threshold"] == Range(8.0, 40.0, log=True)
    assert space.settings["duration_ms"] == Range(100, 350, step=50)
    assert space.ranged == ["threshold", "duration_ms"]
    chosen = space.training({"neurons": 50, "threshold": 12.5})
    assert chosen == setup(encoder="regular", neurons=50, threshold=12.5, passes=2)


def test_variants_are_all_combinations_that_go_together(write):
    variants = read_space(write(FILE), BASE).variants()
    assert len(variants) == len(set(variants)) == 2 * 3
    assert {(v.state, v.prune) for v in variants} == {("float32", False), ("Q9.6", False), ("Q9.6", True)}


def test_the_ladder_s_space_is_fspinn_s():
    space = ladder_space(BASE, 60_000)
    assert [one.network.neurons for one in space.trainings()] == list(SIZES)
    variants = space.variants()
    assert len(variants) == len(WEIGHTS) * len(READOUTS)
    in_floats = {variant for variant in variants if variant.weights == "float32"}
    assert {(v.state, v.prune) for v in in_floats} == {("float32", False)}
    assert {(v.state, v.prune) for v in set(variants) - in_floats} == {("16 bits", True)}
    assert {v.state_bits for v in variants} == {16, 32}
    assert [one.network.neurons for one in ladder_space(BASE, 60).trainings()] == [10, 16, 25, 50]


def test_of_the_default_a_space_takes_what_it_does_not_name(write):
    def states(text):
        variants = settle(
            "ladder", write(text), BASE.network, [BASE.learner], 1000, (8, 8), None, None, None
        ).variants()
        return {(v.state, v.prune) for v in variants if v.weights != "float32"}

    assert states("threshold = 9.0") == {("16 bits", True)}
    assert states('state = "8 bits"') == {("8 bits", False)}
    assert states('state = "float32"') == {("float32", False)}
    assert states("prune = false") == {("16 bits", False)}


def test_a_file_says_what_varies_and_options_win(write):
    space = settle(
        "ladder",
        write(
            FILE.replace("{low = 8.0, high = 40.0, log = true}", "20.0").replace(
                "{low = 100, high = 350, step = 50}", "[100, 200]"
            )
        ),
        BASE.network,
        [BASE.learner],
        1000,
        (8, 8),
        [10, 20],
        None,
        None,
    )
    assert space.settings["neurons"] == (10, 20)
    assert space.settings["weights"] == ("UQ0.2", "UQ0.4")
    assert len(space.trainings()) == 4


def test_the_corners_hold_the_cheapest_and_the_dearest():
    space = corners(ranged_space(BASE, 1000))
    sizes = {one.network.neurons for one in space.trainings()}
    assert sizes == {10, 1000}
    assert {one.network.duration_ms for one in space.trainings()} == {88.0, 175.0, 262.0, 350.0}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("neuron = 5", "space: there is no setting 'neuron'; use some of encoder,"),
        ("neurons = []", "space: neurons has nothing to choose from; list at least one value"),
        ("neurons = [0, 5]", "neurons: must be from 1 to 1000000, but got 0"),
        ('encoder = "morse"', "encoder: unknown value 'morse'; use one of"),
        ("passes = -1", "passes: must be from 0"),
        (
            "neurons = {low = 10}",
            "neurons: a range has low and high, and perhaps log or step, but this one low",
        ),
        ("neurons = {low = 10, high = 5}", "neurons: low: 10 is not below high = 5; exchange them"),
        ("threshold = {low = 0, high = 5, log = true}", "log: goes with low above 0 and without step"),
        ("threshold = {low = 1, high = 5, log = 1}", "log: 1 is neither true nor false"),
        ("threshold = {low = 1, high = 5, step = 9}", "step: must be at most 4"),
        ("weights = {low = 1, high = 5}", "space: weights cannot be ranged; list its values"),
        ('weights = ["UQ"]', "'UQ' is not a number format"),
        ('rounding = "up"', "'up' is not a rounding"),
        ('readout = "vote"', "readout: there is no 'vote'"),
        ('state = "30 bits"', "state: must be from 1 to 24, but got 30"),
        ("state = 16", "16 is not a number format"),
        ("prune = 1", "prune: 1 is neither true nor false; write one of them"),
        ("= 1", "not valid TOML"),
    ],
)
def test_a_bad_space_file_is_named_with_the_mend(write, text, words):
    path = write(text)
    with pytest.raises(ConfigError) as raised:
        read_space(path, BASE)
    assert str(raised.value).startswith(f"{path}: ")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_space_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"space.toml: No such file or directory; name a TOML file"):
        read_space(tmp_path / "space.toml", BASE)


def test_a_space_varies_further_layers(write):
    text = (
        "field = 3\nneurons = [4, 8]\n[layers.2]\nneurons = [20, 30]\nanswer_ms = {low = 2.0, high = 9.0}\n"
    )
    space = read_space(write(text), Setup(Network.patches(field=3)))
    assert space.ranged == ["layers.2.answer_ms"]
    made = space.training({"neurons": 8, "layers.2.neurons": 30, "layers.2.answer_ms": 4.0})
    assert [layer.neurons for layer in made.network.layers] == [8, 30]
    assert made.network.layers[1].inhibition == Ranked(answer_ms=4.0)
    for name in ("layers.2.cell", "layers.2.dt_ms", "layers.2.passes", "layers.2.weights", "foo.2.threshold"):
        with pytest.raises(ConfigError, match=rf"space: there is no setting '{name}'; use some of "):
            space_of({name: 3}, Setup())


def test_any_setting_of_a_further_layer_brings_it():
    several = Space(Setup(Network.patches(field=3)), {"layers.2.threshold": (3.0, 5.0)}).trainings()
    assert [one.network.layers[1] for one in several] == [
        Layer.prototypes(neuron=Neuron(threshold, None)) for threshold in (3.0, 5.0)
    ]


def test_a_network_with_a_field_keeps_its_cells_and_a_stack_its_neurons():
    column = Network.patches(8, field=3, cells=2)
    given = ("ladder", None), ([Stdp()], 900, (8, 8), None, None, None)
    space = settle(*given[0], column, *given[1])
    assert {one.network.layers[0].cells for one in space.trainings()} == {(2, 2)}
    stack = replace(column, layers=(*column.layers, Layer.prototypes(20)))
    space = settle(*given[0], stack, *given[1])
    assert [one.network for one in space.trainings()] == [stack]
    assert {variant.readout for variant in space.variants()} == {"proportion"}


def test_a_space_with_a_field_starts_from_a_column():
    made = space_of({"field": 3, "neurons": [4, 8]}, Setup()).trainings()
    assert [one.network for one in made] == [Network.patches(neurons, field=3) for neurons in (4, 8)]


def test_corners_have_what_is_cheapest_wherever_it_stands():
    column = Setup(Network.patches(8, field=3))
    space = Space(column, {"cells": (5, 1), "layers.2.neurons": (30, 10), "threshold": (2.0, 1.0)})
    assert len(corners(space).trainings()) == 8
    layers = [one.network.layers for one in corners(space).trainings()]
    assert any(first.cells == (1, 1) and second.neurons == 10 for first, second in layers)


def test_only_how_the_last_layer_answers_makes_no_difference_to_learning():
    column = Network.patches(4, field=3, neuron=Neuron(2.0, None, answer_threshold=1.0)).layers[0]
    stack = replace(Network(), layers=(column, Layer.prototypes(6, answer_drop=0.3)))
    learns = while_learning(Setup(stack)).network
    assert learns.layers == (column, Layer.prototypes(6))
    alone = while_learning(Setup(replace(stack, layers=(column,)))).network.layers[0]
    assert (alone.cells, alone.neuron) == ((1, 1), Neuron(2.0, None))


def test_what_no_combination_makes_is_refused():
    with pytest.raises(ConfigError, match="the ladder takes no ranges, but threshold is one"):
        Space(BASE, {"threshold": Range(1.0, 5.0)}).trainings()
    with pytest.raises(ConfigError, match="more than 100000 combinations; list fewer values"):
        Space(BASE, {name: tuple(range(1, 60)) for name in ("neurons", "threshold", "tau_m_ms")}).trainings()
    with pytest.raises(ConfigError, match="space: prune: only a network in integers can be pruned"):
        Space(BASE, {"prune": (True,)}).variants()
    with pytest.raises(ConfigError, match=r"state: Q9\.6 needs a format of the weights"):
        Space(BASE, {"state": ("Q9.6",)}).variants()
    with pytest.raises(FormatError, match="'Q' is not a number format"):
        Space(BASE, {"state": ("Q",)})
    with pytest.raises(
        ConfigError, match=r"no combination makes a network: inhibition_strength: 1\.5 of a potential"
    ):
        Space(BASE, {"inhibition_strength": (1.5,), "inhibition_of": ("potential",)}).trainings()


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.builds(
            Candidate,
            st.builds(
                setup,
                neurons=st.integers(1, 5000),
                duration_ms=st.sampled_from([50.0, 350.0]),
                encoder=st.sampled_from(["poisson", "ttfs"]),
                inhibition=st.sampled_from(["lateral", "layer", "clamp"]),
                rule=st.sampled_from(["normalised", "pair"]),
            ),
            st.builds(
                Variant,
                weights=st.sampled_from(["UQ0.2", "UQ0.8"]),
                state=st.sampled_from(["float32", "Q9.6"]),
                readout=st.sampled_from(READOUTS),
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_costs_of_many_candidates_are_those_of_each(candidates):
    hardware = load_hardware("asic65-lp")
    costs = expected_costs(candidates, hardware, (8, 8), 10, 0.3, 1000)
    for candidate, cost in zip(candidates, costs, strict=True):
        variant = candidate.variant
        size = Size.of_network(
            candidate.network,
            candidate.setup.learner,
            (8, 8),
            10,
            variant.weight_bits,
            variant.readout,
            variant.readout_bits,
        )
        size = resized(size, state_bits=variant.state_bits, threshold_bits=variant.state_bits)
        alone = estimate(size, hardware, expected_workloads(candidate.network, size, 0.3))
        assert cost.memory_bits == alone.memory["inference"]["total"]
        assert cost.training_memory_bits == alone.memory["training"]["total"]
        assert cost.energy_pj == alone.energy["inference"]["total"]
        assert cost.latency_s == pytest.approx(alone.latency_s("inference"))
        assert cost.area_um2 == alone.area["inference"]["total"]


def test_settings_of_other_members_of_a_family_make_no_difference():
    space = Space(BASE, {"encoder": ("poisson", "ttfs"), "first_spikes": (5, 9), "neurons": (10,)})
    assert [
        (one.network.encoder.kind, getattr(one.network.encoder, "spikes", None)) for one in space.trainings()
    ] == [
        ("poisson", None),
        ("ttfs", 5),
        ("ttfs", 9),
    ]


@pytest.mark.parametrize(
    ("shape", "field", "contrast", "cells"),
    [
        ((28, 28), (5, 5), "off", (3, 4, 5)),
        ((8, 8), (3, 3), "off", (2, 3, 4)),
        ((32, 32, 3), (3, 3), "off", (3, 4, 5)),
        ((1, 128), (1, 25), "level", ((1, 1), (1, 2), (1, 4), (1, 8))),
        ((1, 14, 2), (1, 4), "level", ((1, 1), (1, 2), (1, 4), (1, 8))),
        ((1, 5), (1, 2), "level", ((1, 1), (1, 2), (1, 4))),
    ],
)
def test_columns_of_the_default_space_suit_what_they_see(shape, field, contrast, cells):
    space = column_space(shape)
    layer = space.base.network.layers[0]
    assert (layer.field, space.base.network.contrast.kind) == (field, contrast)
    assert space.settings["cells"] == cells
    for tried in space.trainings():
        tried.network.geometries(shape)
