"""Descriptions refuse what is impossible, and say the mend."""

from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from fspinn.errors import ConfigError
from fspinn.model import MAX_NEURONS, Activity, Model, Network, Readout

NUMBERS = (
    "dt_ms",
    "duration_ms",
    "rate_norm_hz",
    "tau_m_ms",
    "refractory_ms",
    "threshold",
    "inhibition",
    "window_ms",
    "learning_rate",
    "learning_rate_end",
    "theta_step",
    "theta_step_end",
    "weight_norm",
)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["1", True, float("nan"), float("inf"), 1j, [1.0]])
def test_what_is_no_number_is_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: .* is not a number; give one$"):
        Network(**{name: value})


@pytest.mark.parametrize(
    "name", ["dt_ms", "duration_ms", "rate_norm_hz", "tau_m_ms", "threshold", "weight_norm"]
)
@pytest.mark.parametrize("value", [0, -1.5])
def test_what_must_be_positive(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: must be above 0, but got {value}$"):
        Network(**{name: value})


@pytest.mark.parametrize(
    "name",
    ["refractory_ms", "inhibition", "theta_step", "theta_step_end", "learning_rate", "learning_rate_end"],
)
def test_what_must_not_be_negative(name):
    with pytest.raises(ConfigError, match=f"^{name}: must be at least 0, but got -0.1$"):
        Network(**{name: -0.1})
    assert getattr(Network(**{name: 0}), name) == 0


@pytest.mark.parametrize("name", ["learning_rate", "learning_rate_end"])
def test_learning_rates_are_at_most_one(name):
    with pytest.raises(ConfigError, match=f"^{name}: must be at most 1, but got 1.5$"):
        Network(**{name: 1.5})
    assert getattr(Network(**{name: 1}), name) == 1


@pytest.mark.parametrize("exponent", [30, 400])
def test_whole_numbers_beyond_64_bits_are_refused_like_all_others(exponent):
    with pytest.raises(ConfigError, match=r"^learning_rate: "):
        Network(learning_rate=10**exponent)


@pytest.mark.parametrize("name", ["neurons", "spike_threshold"])
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
    network = Network(dt_ms=0.1, duration_ms=35.0, window_ms=2.3, refractory_ms=0.7)
    assert (network.steps, network.window_steps, network.refractory_steps) == (350, 23, 7)


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
    assert total.as_tuple() == tuple(100 + 2 * n for n in range(11))
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
