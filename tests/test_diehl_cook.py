"""The published networks in `benchmarks/diehl_cook`: spikes and weights of plain twins in NumPy."""

import json
from dataclasses import replace

import numpy as np
import pytest
from diehl_cook import learning
from diehl_cook.bindsnet_2018 import Bindsnet2018
from diehl_cook.diehl_cook_2015 import DELAYS, DiehlCook2015
from diehl_cook.showing import REPEATED_SPIKES, show, spikes_of

import fspinn
from fspinn.base.randomness import INFERENCE_SPIKES, TRAINING_SPIKES, stream_key, uniforms

# Brian2 2.9 calls its parser by old names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TINY = DiehlCook2015(
    neurons=5,
    duration_ms=50.0,
    rest_ms=12.0,
    delay_ms=6.0,
    max_rate_hz=150.0,
    least_spikes=0,
    tau_m_ms=30.0,
    refractory_ms=3.0,
    v_threshold_mv=-59.0,
    v_reset_mv=-64.0,
    inhibition=4.0,
    learning_rate=0.2,
    depression_rate=0.01,
    theta_step=0.4,
    theta_tau_ms=2000.0,
    weight_sum=9.0,
)
"""The network at a size at which every part of it matters, on digits of 8 x 8 pixels."""

TINY_BINDSNET = Bindsnet2018(
    neurons=5,
    duration_ms=60.0,
    tau_m_ms=30.0,
    refractory_ms=4.0,
    v_threshold_mv=-59.0,
    inhibition_mv=2.0,
    learning_rate=0.05,
    depression_rate=0.01,
    theta_step=0.4,
    theta_tau_ms=2000.0,
    weight_sum=9.0,
)


# --- the twins --------------------------------------------------------------------------------------


def arrivals(published, inputs_per_step, n_inputs):
    """Which spikes of inputs arrive where, step by step: the delay of a synapse depends on its place."""
    parts = uniforms(stream_key(0, DELAYS), n_inputs * published.neurons)
    delays = np.rint(published.delay_ms * parts / published.dt_ms).astype(int)
    arrived = np.zeros((published.all_steps, n_inputs, published.neurons), bool)
    for step, inputs in enumerate(inputs_per_step):
        for i in inputs:
            for j in range(published.neurons):
                arrived[step + delays[i * published.neurons + j], i, j] = True
    return arrived


def diehl_cook(published, weights, theta, inputs_per_step, learns):
    """One showing from rest; weights and theta change in place. Returns step and neuron of each spike."""
    n_inputs, n = weights.shape
    dt, p = published.dt_ms, published
    v, g_e, g_i, ready_at = np.full(n, -65.0), np.zeros(n), np.zeros(n), np.zeros(n)
    partner, g_partner, partner_ready_at = np.full(n, -60.0), np.zeros(n), np.zeros(n)
    x, y, slow_y = np.zeros((n_inputs, n)), np.zeros(n), np.zeros(n)
    output = []
    for step, arrived in enumerate(arrivals(published, inputs_per_step, n_inputs)):
        # One step of the Euler method, all from what was before it.
        active, partner_active = step >= ready_at, step >= partner_ready_at
        v = v + active * dt / p.tau_m_ms * ((-65 - v) + g_e * (0 - v) + g_i * (-100 - v))
        partner = partner + partner_active * dt / 10 * ((-60 - partner) + g_partner * (0 - partner))
        g_e, g_i, g_partner = g_e * (1 - dt / 1), g_i * (1 - dt / 2), g_partner * (1 - dt / 1)
        if learns:
            theta -= dt / p.theta_tau_ms * (theta + 20)
        x *= np.exp(-dt / p.trace_tau_ms)
        y *= np.exp(-dt / p.trace_tau_ms)
        slow_y *= np.exp(-dt / p.slow_trace_tau_ms)
        spiking = (v > p.v_threshold_mv + theta) & active
        partner_spiking = (partner > -40) & partner_active
        g_e += (arrived * weights).sum(axis=0)
        x[arrived] = 1
        if learns:
            weights[arrived] = np.clip(weights - p.depression_rate * y, 0, 1)[arrived]
        g_partner += 10.4 * spiking
        g_i += p.inhibition * (partner_spiking.sum() - partner_spiking)
        for j in np.flatnonzero(spiking):
            output.append((step, j))
            if learns:
                weights[:, j] = np.clip(weights[:, j] + p.learning_rate * x[:, j] * slow_y[j], 0, 1)
                theta[j] += p.theta_step
            y[j] = slow_y[j] = 1
            v[j], ready_at[j] = p.v_reset_mv, step + 1 + round(p.refractory_ms / dt)
        partner[partner_spiking] = -45
        partner_ready_at[partner_spiking] = step + 1 + round(2 / dt)
    if learns:
        weights[:] = np.clip(weights * p.weight_sum / weights.sum(axis=0), 0, 1)
    return output


def bindsnet(published, weights, theta, inputs_per_step, learns):
    """The same for BindsNET's network; potentials are in mV above rest."""
    n_inputs, n = weights.shape
    dt, p = published.dt_ms, published
    v, ready_at, partner_ready_at = np.zeros(n), np.zeros(n), np.zeros(n)
    x, y, excited, output = np.zeros(n_inputs), np.zeros(n), None, []
    for step, inputs in enumerate(inputs_per_step):
        v *= np.exp(-dt / p.tau_m_ms)
        x *= np.exp(-dt / p.trace_tau_ms)
        y *= np.exp(-dt / p.trace_tau_ms)
        takes_input = step >= ready_at
        if excited is not None and step >= partner_ready_at[excited]:
            v[takes_input & (np.arange(n) != excited)] -= p.inhibition_mv
            partner_ready_at[excited] = step + 1 + round(p.partner_refractory_ms / dt)
        for i in inputs:
            v[takes_input] += weights[i, takes_input]
            x[i] = 1
            if learns:
                weights[i] = np.clip(weights[i] - p.depression_rate * y, 0, 1)
        above = v - (p.v_threshold_mv - p.v_rest_mv + theta)
        above[~takes_input] = -np.inf
        j = excited = above.argmax() if above.max() >= 0 else None
        if j is not None:
            output.append((step, j))
            v[j], ready_at[j] = p.v_reset_mv - p.v_rest_mv, step + 1 + round(p.refractory_ms / dt)
            if learns:
                weights[:, j] = np.clip(weights[:, j] + p.learning_rate * x, 0, 1)
                y[j] = 1
                theta[j] += p.theta_step
    if learns:
        theta *= np.exp(-p.duration_ms / p.theta_tau_ms)
        weights[:] = np.clip(weights * p.weight_sum / weights.sum(axis=0), 0, 1)
    return output


def inputs_per_step(published, image, key, rate_hz):
    steps, inputs = spikes_of(published, image, key, rate_hz)
    return [inputs[steps == step].tolist() for step in range(published.steps)]


def shown(twin, published, weights, theta, images, *, learns, first):
    """Show images, those with too few spikes again and brighter; return spike counts and showings."""
    counts, showings = np.zeros((len(images), published.neurons), int), 0
    purpose = TRAINING_SPIKES if learns else INFERENCE_SPIKES
    for m, image in enumerate(images):
        key, rate_hz, repeated = (5, purpose, first + m), published.max_rate_hz, 0
        while True:
            spikes = inputs_per_step(published, image, key, rate_hz)
            output = twin(published, weights, theta, spikes, learns)
            showings += 1
            counted = [j for step, j in output if step < published.steps]
            if len(counted) >= published.least_spikes or rate_hz >= 1000 / published.dt_ms:
                break
            repeated += 1
            key = stream_key(5, purpose, first + m), REPEATED_SPIKES, repeated
            rate_hz = published.max_rate_hz + repeated * published.rate_step_hz
        np.add.at(counts[m], counted, 1)
    return counts, showings


# --- the comparison ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return fspinn.datasets.load("digits").train.images


def by_brian2(published, weights, theta, images, *, learns, target="numpy"):
    return show(published, weights, theta, images, learning=learns, seed=5, first=3, target=target)


def started(published):
    weights, theta = learning.start(published, 64, seed=0)
    return weights, theta + np.linspace(0, 0.2, published.neurons)


NETWORKS = {
    "diehl-cook-2015": (diehl_cook, TINY),
    "diehl-cook-2015 without delays and rest": (
        diehl_cook,
        replace(TINY, delay_ms=0.0, rest_ms=0.0, v_reset_mv=-65.0),
    ),
    "diehl-cook-2015 until there are twelve spikes": (
        diehl_cook,
        replace(TINY, least_spikes=12, rate_step_hz=60.0),
    ),
    "bindsnet-2018": (bindsnet, TINY_BINDSNET),
    "bindsnet-2018 with strong inhibition": (bindsnet, replace(TINY_BINDSNET, inhibition_mv=120.0)),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.exhaustive] if "until" in name else []) for name in NETWORKS],
)
def test_it_learns_and_answers_as_its_plain_twin(digits, name):
    twin, published = NETWORKS[name]
    weights, theta = started(published)
    before = weights.copy()
    got = by_brian2(published, weights, theta, digits[:5], learns=True)
    np.testing.assert_array_equal(weights, before)
    counts, showings = shown(twin, published, weights, theta, digits[:5], learns=True, first=3)
    np.testing.assert_array_equal(got.spike_counts, counts)
    np.testing.assert_allclose(got.weights, weights, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(got.theta, theta, rtol=1e-9, atol=1e-13)
    assert got.showings == showings
    assert (showings > 5) == (published.least_spikes > 0)
    assert (counts.sum(axis=0) > 0).sum() > 1
    assert np.abs(weights - before).max() > 0.01
    before = weights.copy(), theta.copy()
    got = by_brian2(published, weights, theta, digits[5:8], learns=False)
    counts, _ = shown(twin, published, weights, theta, digits[5:8], learns=False, first=3)
    np.testing.assert_array_equal(got.spike_counts, counts)
    assert counts.sum() > 5
    np.testing.assert_array_equal(got.weights, before[0])
    np.testing.assert_array_equal(got.theta, before[1])


def test_an_image_that_cannot_be_brighter_is_shown_no_more():
    """Without input there never are enough spikes; the last showing has white pixels spike in every step."""
    published = replace(TINY, least_spikes=1, rate_step_hz=1000.0)
    black = np.zeros((1, 8, 8), np.uint8)
    got = by_brian2(published, *started(published), black, learns=False)
    assert (got.output_spikes, got.showings) == (0, 3)  # 150, 1150 and 2150 Hz


def test_a_standalone_program_cannot_show_images_again(digits):
    published = replace(TINY, least_spikes=5)
    with pytest.raises(SystemExit, match=r"^a stand-alone program cannot show images again: use cython, or"):
        by_brian2(published, *started(published), digits[:1], learns=True, target="cpp_standalone")


@pytest.mark.exhaustive
def test_a_standalone_program_learns_the_same(digits):
    one, other = (
        by_brian2(TINY, *started(TINY), digits[:4], learns=True, target=target)
        for target in ("numpy", "cpp_standalone")
    )
    np.testing.assert_array_equal(one.spike_counts, other.spike_counts)
    np.testing.assert_allclose(one.weights, other.weights, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(one.theta, other.theta, rtol=1e-9, atol=1e-13)
    assert one.run_s > 0 < other.run_s


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["bindsnet-2018", "diehl-cook-2015"])
def test_the_whole_run_as_typed(name, monkeypatch, capsys, tmp_path):
    """On digits, which are in the package; the published networks learn from MNIST."""
    data = fspinn.datasets.load("digits")
    monkeypatch.setattr(fspinn.datasets, "load", lambda name, seed: data)
    monkeypatch.setitem(learning.NETWORKS, name, replace(learning.NETWORKS[name], weight_sum=20.0))
    output = tmp_path / "learned.npz"
    learning.main([name, "--neurons", "4", "--samples", "3", "--passes", "2", "-o", str(output)])
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert (result["network"], result["neurons"], result["learned_from"], result["samples"]) == (
        name,
        4,
        3,
        3,
    )
    assert result["output_spikes"] > 1
    assert "learned from 6 of 6 images" in printed.err
    with np.load(output) as learned:
        assert learned["weights"].shape == (64, 4)
        assert (learned["theta"] != 0).any()
        assert learned["readout"].shape == (4, 10)
        np.testing.assert_allclose(learned["weights"].sum(axis=0), 20.0)


def test_a_number_that_is_not_positive_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        learning.main(["diehl-cook-2015", "--samples", "0"])
    assert "--samples: 0 is not a positive number" in capsys.readouterr().err
