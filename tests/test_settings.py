"""Descriptions refuse what is impossible and say the fix; settings are read, changed and listed by name."""

from dataclasses import FrozenInstanceError, replace

import pytest
from described import both, changed, dense, stdp

from fspinn.base.errors import ConfigError
from fspinn.base.settings import (
    as_plain,
    check_setting,
    differences,
    flattened,
    from_plain,
    members,
    parsed,
    reference,
    settings_of,
    with_settings,
)
from fspinn.network import (
    Clamp,
    Encoder,
    FirstSpike,
    Lateral,
    Layer,
    Network,
    Neuron,
    Pair,
    Poisson,
    Rule,
    Stdp,
)
from fspinn.network.adaptation import Adaptation
from fspinn.network.inhibition import Inhibition
from fspinn.network.layers import MAX_NEURONS
from fspinn.presets import Preset

ROWS = {row.name: row for row in reference(Preset)}
NUMBERS = [name for name, row in ROWS.items() if row.allowed.startswith("number")]
COUNTS = [name for name, row in ROWS.items() if row.allowed.startswith("whole")]
WORDS = {
    name: row.allowed.split(", ")
    for name, row in ROWS.items()
    if name not in (*NUMBERS, *COUNTS, "field", "cells")
}
FAMILIES = {"encoder": Encoder, "inhibition": Inhibition, "adaptation": Adaptation, "rule": Rule}


def with_setting(name, value):
    """A network and learner with one setting, and with the choice that brings it."""
    needs = ROWS[name].belongs_to.partition(" or ")[0]
    family = dict([needs.split(" = ")]) if needs else {}
    if (name, value) == ("inhibition", "none"):
        family["adaptation"] = "off"  # thresholds of such layers do not adapt
    return with_settings(Preset(), {**family, name: value})


def test_all_that_can_be_set_is_listed_once_with_its_default():
    rows = [(row.name, row.belongs_to) for row in reference(Preset)]
    assert len(set(rows)) == len(rows)
    for name, value in settings_of(Preset()).items():
        row = ROWS[name]
        assert row.default == ("none" if value is None else parsed_back(name, value))
        assert row.help.endswith((".", ")."))
        assert row.source


def parsed_back(name, value):
    return (
        "x".join(map(str, value))
        if isinstance(value, tuple)
        else f"{value:g}"
        if name in NUMBERS
        else str(value)
    )


def test_a_setting_says_what_brings_it():
    assert ROWS["inhibition_strength"].belongs_to == "inhibition = lateral or layer"
    assert ROWS["depression_rate"].belongs_to == "rule = timestep or pair"
    assert ROWS["threshold"].belongs_to == ""
    assert (ROWS["theta_step"].unit, ROWS["tau_m_ms"].unit) == ("weight norms", "ms")


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("value", ["", "Off", "none", 0, None, ["l1"]])
def test_an_unknown_choice_is_refused_and_the_choices_are_listed(name, value):
    if value in WORDS[name]:
        return
    with pytest.raises(ConfigError) as caught:
        with_setting(name, value)
    assert str(caught.value).startswith(f"{name}: unknown value {value!r}; ")
    assert str(caught.value).endswith(f"use one of {', '.join(WORDS[name])}")


def test_near_misses_are_suggested():
    with pytest.raises(
        ConfigError, match=r"^encoder: unknown value 'poison'; did you mean poisson\? use one"
    ):
        dense(encoder="poison")
    with pytest.raises(
        ConfigError, match=r"^unknown setting 'treshold'; did you mean threshold\? `fspinn info"
    ):
        dense(treshold=3.0)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WORDS for value in WORDS[name]])
def test_every_listed_choice_is_taken(name, value):
    assert settings_of(with_setting(name, value))[name] == value


@pytest.mark.parametrize("name", FAMILIES)
def test_every_member_of_a_family_comes_back_from_plain_values(name):
    for kind, member in members(FAMILIES[name]).items():
        off = {"adaptation": "off"} if (name, kind) == ("inhibition", "none") else {}
        chosen = both(**off, **{name: kind})
        assert from_plain(Preset, as_plain(chosen)) == chosen
        assert member.__doc__


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["1", True, float("nan"), float("inf"), 1j, [1.0]])
def test_what_is_not_a_number_is_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: .* is not a number; give one$"):
        with_setting(name, value)


@pytest.mark.parametrize("name", [name for name in NUMBERS if "above 0" in ROWS[name].allowed])
@pytest.mark.parametrize("value", [0, -1.5])
def test_what_must_be_positive(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: must be above 0, but got {value}$"):
        with_setting(name, value)


@pytest.mark.parametrize("name", [name for name in NUMBERS if "at least 0" in ROWS[name].allowed])
def test_what_must_not_be_negative(name):
    with pytest.raises(ConfigError, match=f"^{name}: must be at least 0, but got -0.1$"):
        with_setting(name, -0.1)
    assert settings_of(with_setting(name, 0))[name] == 0


@pytest.mark.parametrize("name", [name for name in NUMBERS if ROWS[name].allowed.endswith("at most 1")])
def test_rates_and_parts_are_at_most_one(name):
    with pytest.raises(ConfigError, match=f"^{name}: must be at most 1, but got 1.5$"):
        with_setting(name, 1.5)
    assert settings_of(with_setting(name, 1))[name] == 1


@pytest.mark.parametrize("exponent", [30, 400])
def test_whole_numbers_beyond_64_bits_are_refused_like_all_others(exponent):
    with pytest.raises(ConfigError, match=r"^learning_rate: "):
        stdp(learning_rate=10**exponent)


LEAST = {"passes": 0}
"""An ANN that becomes a spiking network need not be tuned."""


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", [1.0, "4", True])
def test_counts_are_whole_numbers(name, value):
    least = LEAST.get(name, 1)
    words = f"^{name}: .* is not a whole number; give one from {least} to [0-9]+$"
    with pytest.raises(ConfigError, match=words):
        with_setting(name, value)


@pytest.mark.parametrize("name", COUNTS)
def test_counts_have_limits(name):
    of_bytes = ("pool", "contrast_radius", "contrast_gain", "delta_step", "delta_gain")
    limits = {"neurons": MAX_NEURONS, "passes": 1_000_000, **dict.fromkeys(of_bytes, 255)}
    limits |= {"tuning_passes": 1_000_000, "ann_passes": 1_000_000, "weight_bits": 8}
    least, most = LEAST.get(name, 1), limits.get(name, 2**31)
    for value in (least - 1, -4, most + 1):
        with pytest.raises(ConfigError, match=f"^{name}: must be from {least} to {most}, but got {value}$"):
            with_setting(name, value)


def test_no_more_than_all_of_a_potential_can_be_taken():
    with pytest.raises(
        ConfigError, match=r"^inhibition_strength: 1\.5 of a potential is more than all of it; give at"
    ):
        Lateral(strength=1.5, of="potential")
    assert Lateral(strength=1.0, of="potential").strength == 1.0
    assert Lateral(strength=1.5, of="threshold").strength == 1.5
    with pytest.raises(ConfigError, match=r"^answer_inhibition: 2 of a potential is more than all of it"):
        dense(inhibition="layer", answer_inhibition=2.0, inhibition_of="potential")


def test_a_presentation_has_at_least_one_step():
    with pytest.raises(
        ConfigError, match=r"^duration_ms: 0\.5 is not from 1 to 100000 time steps of dt_ms = 1;"
    ):
        dense(duration_ms=0.5)
    assert dense(duration_ms=1.0).steps == 1


def test_a_network_is_frozen():
    with pytest.raises(FrozenInstanceError):
        Network().dt_ms = 3.0


def test_a_network_has_layers():
    with pytest.raises(ConfigError, match=r"^layers: there are none; give at least one$"):
        Network(layers=())
    with pytest.raises(ConfigError, match=r"^layers: 'dense' is not one of Layer\(\); give one of these$"):
        Network(layers=("dense",))
    with pytest.raises(ConfigError, match=r"^encoder: 'poisson' is not one of Poisson\(\), "):
        Network(encoder="poisson")


def test_times_become_steps():
    network = dense(dt_ms=0.1, duration_ms=35.0)
    assert (network.steps, network.steps_of(0.7)) == (350, 7)
    assert stdp(window_ms=2.3).window_steps(network) == 23
    assert network.steps_of(1e308) == 100_000


@pytest.mark.parametrize("window_ms", [None, 350.0, 1e6])
def test_a_window_is_at_most_the_presentation(window_ms):
    assert stdp(window_ms=window_ms).window_steps(dense()) == 350


def test_the_firing_threshold_is_in_units_of_the_weight_norm():
    assert Neuron(threshold=20.0, weight_norm=2.5).firing_threshold == 50.0
    with pytest.raises(ConfigError, match=r"^weight_norm: not known before the images are; set it, or train"):
        Neuron().firing_threshold  # noqa: B018


def test_a_network_answers_as_it_learned_unless_it_says_otherwise():
    network = dense(threshold=20.0, inhibition_strength=0.6)
    assert network.answering == network
    graded = changed(network, answer_threshold=15.0, answer_inhibition=0.0)
    assert graded.answering == dense(threshold=15.0, inhibition_strength=0.0)
    clamped = dense(inhibition="clamp", answer_threshold=3.0)
    assert clamped.answering == dense(inhibition="clamp", threshold=3.0)


# --- by name ----------------------------------------------------------------------------------------


def test_a_network_is_made_of_parts_or_of_names():
    made = Network.dense(
        50, encoder=FirstSpike(spikes=9), neuron=Neuron(threshold=5.0), inhibition=Clamp(duration_ms=3.0)
    )
    assert made == dense(
        50, encoder="ttfs", first_spikes=9, threshold=5.0, inhibition="clamp", inhibition_ms=3.0
    )
    assert made.layers == (Layer(50, neuron=Neuron(threshold=5.0), inhibition=Clamp(duration_ms=3.0)),)


def test_another_member_of_a_family_keeps_what_both_have():
    layer = changed(dense(inhibition_strength=0.3, inhibition_of="potential"), inhibition="layer").layers[0]
    assert (layer.inhibition.strength, layer.inhibition.of) == (0.3, "potential")
    assert changed(dense(rate_norm_hz=100.0), encoder="regular").encoder.rate_norm_hz == 100.0
    assert changed(stdp(rule="timestep", trace_tau_ms=7.0), rule="pair").rule == Pair(trace_tau_ms=7.0)


def test_a_setting_of_another_member_is_refused_with_what_it_needs():
    with pytest.raises(
        ConfigError,
        match=r"^theta_tau_ms: needs adaptation = decaying; set that too, or leave theta_tau_ms out$",
    ):
        dense(theta_tau_ms=5.0)
    with pytest.raises(ConfigError, match=r"^inhibition_strength: needs inhibition = lateral or layer; "):
        dense(inhibition="clamp", inhibition_strength=0.5)


def test_settings_of_further_layers_are_named_by_their_numbers():
    two = replace(Network(), layers=(Layer(9), Layer(4)))
    assert two.neurons == 13
    changed = with_settings(
        two, {"threshold": 3.0, "layers.2.threshold": 5.0, "layers.2.inhibition": "clamp"}
    )
    assert [layer.neuron.threshold for layer in changed.layers] == [3.0, 5.0]
    assert [layer.inhibition.kind for layer in changed.layers] == ["lateral", "clamp"]
    assert with_settings(two, settings_of(two)) == two
    assert settings_of(changed)["layers.2.threshold"] == 5.0
    assert differences(changed, two) == {
        "threshold": 3.0,
        "layers.2.threshold": 5.0,
        "layers.2.inhibition": "clamp",
        "layers.2.inhibition_ms": 10.0,
    }


def test_a_setting_of_a_layer_that_is_not_there_makes_it():
    stack = with_settings(Network(), {"layers.2.neurons": 7})
    assert stack.layers == (Layer(), Layer.prototypes(7))
    assert parsed(Network, "layers.2.neurons", "12") == 12
    check_setting(Network, "layers.2.neurons", 12)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "layers.2.neuron",
            r"^unknown setting 'layers.2.neuron'; did you mean layers.2.neurons\? `fspinn info",
        ),
        ("layers.0.neurons", r"^unknown setting 'layers.0.neurons'; "),
        (
            "layers.1.neurons",
            r"^layers.1.neurons: settings of the first of the layers have no number; write neurons$",
        ),
        ("layers.1.neuron", r"^unknown setting 'layers.1.neuron'; `fspinn info"),
        ("layer.2.neurons", r"^unknown setting 'layer.2.neurons'; did you mean layers.2.neurons\? `fspinn"),
        ("layer.2.inhibition_of", r"^unknown setting 'layer.2.inhibition_of'; did you mean layers.2.inhibi"),
        ("layers.2.encoder", r"^unknown setting 'layers.2.encoder'; (did you mean layers.2.(?!encoder)|`)"),
        ("layers.12.neurons", r"^layers: number 12 is above 10; count them from 1 on"),
        ("encoder.2.neurons", r"^unknown setting 'encoder.2.neurons'; "),
        ("layers.2.inhibition_of", r"^layers.2.inhibition_of: needs layers.2.inhibition = lateral"),
    ],
)
def test_what_is_not_a_setting_of_a_layer_is_refused(name, words):
    with pytest.raises(ConfigError, match=words):
        with_settings(Network(), {name: 3})


@pytest.mark.parametrize("name", ["layers.1.neurons", "layer.2.neurons", "layers.2.encoder"])
def test_a_name_with_a_number_that_stands_for_nothing_has_no_value(name):
    for read in (parsed, check_setting):
        with pytest.raises(ConfigError, match=r"^unknown setting|have no number; write neurons$"):
            read(Network, name, "3")


def test_tables_give_settings_of_layers():
    assert flattened({"a": {"low": 1}, "layers": {"2": {"neurons": 4}}}) == {
        "a": {"low": 1},
        "layers.2.neurons": 4,
    }
    for nothing in (4, {}):
        with pytest.raises(
            ConfigError, match=r"^layers.2: .* has no settings; write \[layers.2\] and at least"
        ):
            flattened({"layers": {"2": nothing}})
    with pytest.raises(ConfigError, match=r"^layers: tables are numbered; write \[layers.2\] instead of"):
        flattened({"layers": [{"neurons": 4}]})


def test_rank_needs_time_and_the_last_place():
    with pytest.raises(
        ConfigError, match=r"^answer_ms: 0.1 is less than half a time step of dt_ms = 1, and "
    ):
        dense(inhibition="ranked", answer_ms=0.1)
    with pytest.raises(ConfigError, match=r"^inhibition: a layer that is ranked answers after the presenta"):
        replace(Network(), layers=(Layer.prototypes(4), Layer(4)))


def test_differences_are_named():
    assert differences(dense(threshold=3.0, encoder="ttfs"), Network()) == {
        "encoder": "ttfs",
        "first_spikes": None,
        "first_spikes_relative_to": "brightest",
        "threshold": 3.0,
    }
    assert differences(Network(), Network()) == {}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("threshold", "25", 25.0),
        ("neurons", "25", 25),
        ("first_spikes", "none", None),
        ("encoder", "ttfs", "ttfs"),
        ("field", "5x7", (5, 7)),
        ("cells", "3", 3),
    ],
)
def test_text_becomes_a_value(name, text, value):
    assert parsed(Preset, name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("threshold", "high", "threshold: 'high' is not a number; give one"),
        ("threshold", "none", "threshold: 'none' is not a number; give one"),
        ("neurons", "1.5", "neurons: '1.5' is not a whole number; give one"),
        ("field", "5xx", "field: '5xx' is not a size; give one"),
        ("tresh", "1", "unknown setting 'tresh'; "),
    ],
)
def test_text_that_is_not_a_value_is_refused(name, text, words):
    with pytest.raises(ConfigError) as caught:
        parsed(Preset, name, text)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ({"layers": [{"neurons": 4, "colour": 1}]}, "Layer has no setting 'colour' in this version"),
        ({"encoder": {"kind": "morse"}}, "unknown kind 'morse'; this version of fspinn does not have it"),
        ({"encoder": 3}, "3 does not describe a Poisson"),
    ],
)
def test_plain_values_of_something_else_are_refused(plain, words):
    with pytest.raises(ConfigError, match=rf"^settings: {words}"):
        from_plain(Network, plain)


# --- layers with a field ----------------------------------------------------------------------------


def test_positions_lie_where_the_whole_field_fits():
    layer = Layer(16, field=5, cells=3)
    assert (layer.field, layer.cells) == ((5, 5), (3, 3))
    assert layer.positions(28, 28) == (24, 24)
    assert Layer(16, field=(5, 7), stride=2).positions(28, 28) == (12, 11)
    assert Layer(16).positions(28, 28) == (1, 1)
    assert (layer.fan_in(28, 28), Layer(16).fan_in(28, 28), layer.features) == (25, 784, 144)
    assert Network(layers=(layer,)).features == 144


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ({"field": 29}, r"field: 29 x 29 does not fit an input of 28 x 28; make it smaller"),
        ({"field": 20, "cells": 10}, r"cells: 10 x 10 are more than the 9 x 9 positions; make fewer"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(layer, words):
    with pytest.raises(ConfigError, match=f"^{words}$"):
        Layer(4, **layer).positions(28, 28)


def test_cells_and_stride_need_a_field():
    with pytest.raises(
        ConfigError, match=r"^field: stride and cells need one, but this layer sees the whole"
    ):
        Layer(4, cells=2)
    with pytest.raises(
        ConfigError, match=r"^field: \[1, 2, 3\] is not a size; give one number, or height and"
    ):
        Layer(4, field=[1, 2, 3])


def test_the_default_learner_is_that_of_the_paper_in_windows():
    assert Stdp() == Preset().learner
    assert Network() == Network.dense(400) == Network(Poisson(), (Layer(400),))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"layers": Layer()}, r"^layers: Layer\(.* is not a tuple of Layers; give a tuple of Layers$"),
        ({"encoder": (Poisson(),)}, r"^encoder: \(Poisson\(.* is not one part; give one part$"),
    ],
)
def test_one_part_and_several_are_not_mixed_up(parts, words):
    with pytest.raises(ConfigError, match=words):
        Network(**parts)


@pytest.mark.parametrize(("what", "given"), [("x", {"threshold": 1}), (Network(), ["threshold"])])
def test_what_has_no_settings_or_names_none_is_refused(what, given):
    with pytest.raises(ConfigError, match=r"^settings: .* cannot change a .*; give a network or a"):
        with_settings(what, given)


def test_a_setting_of_several_members_names_them_all():
    with pytest.raises(ConfigError, match=r"^inhibition_ms: needs inhibition = clamp or layer; set that too"):
        with_settings(Network(), {"inhibition_ms": 3.0})


def test_a_list_of_layers_will_do():
    assert Network(layers=[Layer(7)]) == Network.dense(7)
