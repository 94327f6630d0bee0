"""Descriptions refuse what is impossible, and say the mend."""

from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from fspinn.base.errors import ConfigError
from fspinn.model.activity import Activity
from fspinn.model.model import Model, Readout
from fspinn.network.description import (
    ADAPTATIONS,
    ENCODERS,
    INHIBITION_KINDS,
    INHIBITION_OF,
    MAX_NEURONS,
    NORMALISATIONS,
    RULES,
    Network,
)

NUMBERS = (
    "dt_ms",
    "duration_ms",
    "rate_norm_hz",
    "max_rate_hz",
    "tau_m_ms",
    "refractory_ms",
    "threshold",
    "inhibition",
    "inhibition_ms",
    "answer_threshold",
    "answer_inhibition",
    "window_ms",
    "learning_rate",
    "learning_rate_end",
    "depression_rate",
    "trace_tau_ms",
    "target_trace",
    "theta_step",
    "theta_step_end",
    "theta_tau_ms",
    "weight_norm",
    "weight_decay",
)
POSITIVE = (
    "dt_ms",
    "duration_ms",
    "rate_norm_hz",
    "max_rate_hz",
    "tau_m_ms",
    "threshold",
    "answer_threshold",
    "trace_tau_ms",
    "theta_tau_ms",
    "weight_norm",
)
PARTS = ("learning_rate", "learning_rate_end", "depression_rate", "weight_decay")
NOT_NEGATIVE = (
    "refractory_ms",
    "inhibition",
    "answer_inhibition",
    "inhibition_ms",
    "theta_step",
    "theta_step_end",
    "target_trace",
    *PARTS,
)
CHOICES = {
    "encoder": ENCODERS,
    "inhibition_kind": INHIBITION_KINDS,
    "inhibition_of": INHIBITION_OF,
    "rule": RULES,
    "adaptation": ADAPTATIONS,
    "normalisation": NORMALISATIONS,
}


def test_every_field_is_in_one_of_these_tables():
    counts = ("neurons", "first_spikes", "spike_threshold")
    assert {*NUMBERS, *CHOICES, *counts} == {f.name for f in fields(Network)}


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["", "Off", "none", 0, None, ["l1"]])
def test_an_unknown_choice_is_refused_and_the_choices_are_listed(name, value):
    with pytest.raises(ConfigError) as caught:
        Network(**{name: value})
    assert str(caught.value) == f"{name}: there is no {value!r}; use one of {', '.join(CHOICES[name])}"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in CHOICES for value in CHOICES[name]])
def test_every_listed_choice_is_taken(name, value):
    assert getattr(Network(**{name: value}), name) == value


def test_no_more_than_all_of_a_potential_can_be_taken():
    with pytest.raises(
        ConfigError, match=r"^inhibition: 1\.5 of a potential is more than all of it; give at"
    ):
        Network(inhibition=1.5, inhibition_of="potential")
    assert Network(inhibition=1.0, inhibition_of="potential").inhibition == 1.0
    assert Network(inhibition=1.5, inhibition_of="threshold").inhibition == 1.5


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["1", True, float("nan"), float("inf"), 1j, [1.0]])
def test_what_is_no_number_is_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: .* is not a number; give one$"):
        Network(**{name: value})


@pytest.mark.parametrize("name", POSITIVE)
@pytest.mark.parametrize("value", [0, -1.5])
def test_what_must_be_positive(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: must be above 0, but got {value}$"):
        Network(**{name: value})


@pytest.mark.parametrize("name", NOT_NEGATIVE)
def test_what_must_not_be_negative(name):
    with pytest.raises(ConfigError, match=f"^{name}: must be at least 0, but got -0.1$"):
        Network(**{name: -0.1})
    assert getattr(Network(**{name: 0}), name) == 0


@pytest.mark.parametrize("name", PARTS)
def test_rates_and_parts_are_at_most_one(name):
    with pytest.raises(ConfigError, match=f"^{name}: must be at most 1, but got 1.5$"):
        Network(**{name: 1.5})
    assert getattr(Network(**{name: 1}), name) == 1


@pytest.mark.parametrize("exponent", [30, 400])
def test_whole_numbers_beyond_64_bits_are_refused_like_all_others(exponent):
    with pytest.raises(ConfigError, match=r"^learning_rate: "):
        Network(learning_rate=10**exponent)


@pytest.mark.parametrize("name", ["neurons", "first_spikes", "spike_threshold"])
@pytest.mark.parametrize("value", [1.0, "4", True])
def test_counts_are_whole_numbers(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: .* is not a whole number; give one from 1 to [0-9]+$"):
        Network(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("neurons", 0),
        ("neurons", -4),
        ("neurons", MAX_NEURONS + 1),
        ("first_spikes", 0),
        ("first_spikes", 2**31 + 1),
        ("spike_threshold", 0),
        ("spike_threshold", 2**31 + 1),
    ],
)
def test_counts_have_limits(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: must be from 1 to [0-9]+, but got {value}$"):
        Network(**{name: value})


def test_a_presentation_has_at_least_one_step():
    with pytest.raises(
        ConfigError, match=r"^duration_ms: 0\.5 is not from 1 to 100000 time steps of dt_ms = 1;"
    ):
        Network(duration_ms=0.5)
    assert Network(duration_ms=1.0).steps == 1


def test_a_window_has_at_least_one_step():
    with pytest.raises(ConfigError, match=r"^window_ms: must be at least 1, but got 0\.5$"):
        Network(window_ms=0.5)
    assert Network(window_ms=1.0).window_steps == 1


def test_a_network_is_frozen():
    with pytest.raises(FrozenInstanceError):
        Network().neurons = 3


def test_times_become_steps():
    network = Network(dt_ms=0.1, duration_ms=35.0, window_ms=2.3, refractory_ms=0.7, inhibition_ms=1.2)
    assert (network.steps, network.window_steps) == (350, 23)
    assert (network.refractory_steps, network.inhibition_steps) == (7, 12)


@pytest.mark.parametrize("window_ms", [None, 350.0, 1e6])
def test_a_window_is_at_most_the_presentation(window_ms):
    assert Network(window_ms=window_ms).window_steps == 350


def test_the_firing_threshold_is_in_units_of_the_weight_norm():
    assert Network(threshold=20.0, weight_norm=2.5).firing_threshold == 50.0
    with pytest.raises(ConfigError, match=r"^weight_norm: not known before the images are; set it, or train"):
        Network().firing_threshold  # noqa: B018


def activity_of(start):
    return Activity(*range(start, start + len(fields(Activity))))


def test_activities_add_up_field_by_field():
    total = activity_of(0) + activity_of(100)
    assert total.as_tuple() == tuple(100 + 2 * n for n in range(16))
    assert total.as_dict() == dict(zip([f.name for f in fields(Activity)], total.as_tuple(), strict=True))
    assert activity_of(5) + Activity() == activity_of(5)


def test_activity_per_sample():
    assert Activity(samples=4, output_spikes=10).per_sample("output_spikes") == 2.5
    assert Activity().per_sample("output_spikes") == 0


def model_of(**changes):
    parts = {
        "network": Network(neurons=3, weight_norm=1.0),
        "image_shape": (2, 2),
        "weights": np.zeros((4, 3), np.float32),
        "theta": np.zeros(3, np.float32),
        "readout": Readout("proportion", np.zeros((3, 5), np.float32)),
    }
    return Model(**{**parts, **changes})


def test_a_model_knows_its_sizes():
    model = model_of()
    assert (model.n_inputs, model.readout.n_classes, model.weight_bits) == (4, 5, 32)


@pytest.mark.parametrize(
    ("name", "changes", "shapes"),
    [
        ("weights", {"weights": np.zeros((3, 4), np.float32)}, r"\(3, 4\) does not fit.* needs \(4, 3\)"),
        ("weights", {"image_shape": (3, 2)}, r"\(4, 3\) does not fit.* needs \(6, 3\)"),
        ("theta", {"theta": np.zeros(4, np.float32)}, r"\(4,\) does not fit.* needs \(3,\)"),
        ("readout", {"readout": Readout("majority", np.zeros((4, 5), np.float32))}, r"\(4, 5\).*\(3, 5\)"),
        ("readout", {"readout": Readout("majority", np.zeros(3, np.float32))}, r"\(3,\) does not fit"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(name, changes, shapes):
    with pytest.raises(ConfigError, match=f"^{name}: shape {shapes}"):
        model_of(**changes)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["weights", "theta", "readout"])
def test_numbers_that_are_not_finite_are_refused(name, value):
    arrays = {
        "weights": np.zeros((4, 3), np.float32),
        "theta": np.zeros(3, np.float32),
        "readout": np.zeros((3, 5), np.float32),
    }
    arrays[name].flat[-1] = value
    part = Readout("proportion", arrays[name]) if name == "readout" else arrays[name]
    with pytest.raises(ConfigError, match=f"^{name}: holds NaN or infinity; train the network again$"):
        model_of(**{name: part})


def test_a_network_answers_as_it_learned_unless_it_is_told_otherwise():
    network = Network(threshold=20.0, inhibition=0.6)
    assert network.answering is network
    graded = Network(threshold=20.0, inhibition=0.6, answer_threshold=15.0, answer_inhibition=0.0)
    assert graded.answering == Network(threshold=15.0, inhibition=0.0)
    assert Network(answer_inhibition=0.3).answering == Network(inhibition=0.3)
    with pytest.raises(ConfigError, match=r"^answer_inhibition: 2 of a potential is more than all of it"):
        Network(answer_inhibition=2.0, inhibition_of="potential")


def test_times_longer_than_any_presentation_are_all_the_same():
    network = Network(refractory_ms=1e12, inhibition_ms=1e308, window_ms=1e308, dt_ms=0.1, duration_ms=10)
    assert network.refractory_steps == network.inhibition_steps == 100_000
    assert network.window_steps == network.steps
