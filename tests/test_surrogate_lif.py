"""The neurons of learner surrogate: their primitive, the library that many use, and the fast engine."""

import numpy as np
import pytest

from fspinn.base.errors import ConfigError
from fspinn.learning.surrogate import lif_kernels as kernels
from fspinn.learning.surrogate.shapes import DEFAULT_K, WIDTHS, default_width, k_of
from fspinn.network.learners import SURROGATES

PRIMITIVES = {
    "fast_sigmoid": lambda k, u: u / (1 + k * np.abs(u)),
    "atan": lambda k, u: np.arctan(np.pi * k * u / 2) / np.pi,
    "sigmoid": lambda k, u: 1 / (1 + np.exp(-k * u)),
    "triangular": lambda k, u: np.where(
        np.abs(u) < 1 / k, u - np.sign(u) * k * u * u / 2, np.sign(u) / (2 * k)
    ),
    "boxcar": lambda k, u: np.clip(u, -1 / (2 * k), 1 / (2 * k)),
    "straight-through": lambda k, u: u,
}
"""Of which a surrogate is the derivative, its `k` and ``u = v - threshold`` given."""


def slopes(kind, k, potentials, threshold):
    written = np.empty_like(potentials)
    kernels.slopes(SURROGATES.index(kind), written.dtype.type(k), potentials, threshold, written)
    return written


@pytest.mark.parametrize("kind", SURROGATES)
@pytest.mark.parametrize("width", [0.033, 0.4, 1.0])
def test_a_surrogate_is_the_derivative_of_its_primitive(kind, width):
    threshold, k, step = 1.5, k_of(kind, width, 1.5), 1e-7
    potentials = np.linspace(-1.0, 4.0, 1234)
    u = potentials - threshold
    smooth = np.abs(np.abs(u) - 1 / (2 * k)) > 2 * step  # a boxcar has edges
    ahead, behind = (PRIMITIVES[kind](k, u + side) for side in (step, -step))
    assert slopes(kind, k, potentials, threshold)[smooth] == pytest.approx(
        ((ahead - behind) / (2 * step))[smooth], rel=1e-5, abs=1e-5
    )


@pytest.mark.parametrize("kind", [kind for kind in SURROGATES if kind != "straight-through"])
@pytest.mark.parametrize("threshold", [0.5, 1.0, 2.0])
def test_the_width_is_that_at_half_the_maximum_in_thresholds(kind, threshold):
    k = k_of(kind, 0.3, threshold)
    at = threshold + 0.3 * threshold / 2 * np.array([0.0, 0.999, 1.001])
    top, inside, outside = slopes(kind, k, at, threshold)
    assert outside < top / 2 < inside


@pytest.mark.parametrize("kind", list(DEFAULT_K))
def test_default_widths_are_those_of_the_slopes_that_libraries_have(kind):
    assert k_of(kind, None, 1.0) == pytest.approx(DEFAULT_K[kind])
    assert k_of(kind, default_width(kind), 1.0) == pytest.approx(DEFAULT_K[kind])
    assert k_of(kind, None, 2.0) == pytest.approx(DEFAULT_K[kind] / 2)


def test_every_surrogate_has_a_width_and_a_number():
    assert tuple(WIDTHS) == SURROGATES


def test_a_shape_that_is_not_one_is_refused():
    with pytest.raises(ConfigError, match="there is no 'atanh'; use one of fast_sigmoid, atan"):
        k_of("atanh", 1.0, 1.0)
    with pytest.raises(ConfigError, match="surrogate_width: 0 of the threshold is not a width"):
        k_of("atan", 0.0, 1.0)


torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def lif():
    from fspinn.learning.surrogate import lif

    return lif


@pytest.mark.parametrize(
    ("beta", "threshold", "words"),
    [
        (1.5, 1.0, "beta: 1.5 is not a part"),
        (-0.1, 1.0, "beta: -0.1 is not a part"),
        (0.9, 0.0, "threshold: 0 is not above"),
    ],
)
def test_neurons_that_are_none_are_refused(lif, beta, threshold, words):
    with pytest.raises(ConfigError, match=words):
        lif.Neurons(beta, threshold)


OF_SNNTORCH = {
    "fast_sigmoid": lambda surrogate, k: surrogate.fast_sigmoid(k),
    "atan": lambda surrogate, k: surrogate.atan(k),
    "sigmoid": lambda surrogate, k: surrogate.sigmoid(k),
    "straight-through": lambda surrogate, k: surrogate.straight_through_estimator(),
}
"""Those that it has; its triangular one is negative above the threshold."""


def through_snntorch(currents, beta, threshold, kind, detached):
    """Spikes and potentials after the reset; `detached`: the reset is a constant for gradients."""
    snntorch = pytest.importorskip("snntorch")
    from snntorch import surrogate

    slope = k_of(kind, None, threshold)
    leaky = snntorch.Leaky(
        beta=beta,
        threshold=threshold,
        spike_grad=OF_SNNTORCH[kind](surrogate, slope),
        **({"reset_mechanism": "none"} if detached else {"reset_delay": False}),
    )
    membrane, all_spikes, membranes = leaky.init_leaky(), [], []
    for current in currents:
        spikes, membrane = leaky(current, membrane)
        if detached:
            membrane = membrane - spikes.detach() * threshold
        all_spikes.append(spikes)
        membranes.append(membrane)
    return torch.stack(all_spikes), torch.stack(membranes)


@pytest.mark.parametrize("kind", list(OF_SNNTORCH))
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("threshold", [0.7, 1.0])
@pytest.mark.parametrize("constant", [False, True])
def test_neurons_are_those_of_snntorch(lif, kind, beta, threshold, constant):
    """To 1e-5: spikes, membranes and gradients.

    What is left after a spike stays below the threshold: above it snnTorch compares it less a threshold. No
    potential is far below it, where its sigmoid overflows.
    The reset of its ``Leaky(reset_delay=False)`` is not detached, so gradients are those of a neuron without
    a reset, from which the threshold is taken step by step.
    """
    random = np.random.default_rng(1)
    shape, steps = (1 if constant else 9, 4, 11), 9
    values = random.uniform(-0.2, 1.95 - beta, shape).astype(np.float32) * np.float32(threshold)
    of_spikes, of_membranes = (torch.from_numpy(random.normal(size=(9, 4, 11))).float() for _ in range(2))

    found = []
    for who in ("fspinn", "snntorch"):
        currents = torch.from_numpy(values.copy()).requires_grad_()
        if who == "fspinn":
            neurons = lif.Neurons(beta, threshold, kind)
            spikes, potentials = lif.lif(currents, neurons, steps)
            membranes = potentials - spikes.detach() * threshold
        else:
            shown = currents.expand(steps, *shape[1:])
            spikes, membranes = through_snntorch(shown, beta, threshold, kind, detached=True)
        ((spikes * of_spikes).sum() + (membranes * of_membranes).sum()).backward()
        found.append([one.detach().numpy() for one in (spikes, membranes, currents.grad)])
    (spikes, membranes, gradients), theirs = found
    assert spikes.sum() > 20
    assert np.array_equal(spikes, theirs[0])
    assert membranes == pytest.approx(theirs[1], abs=1e-5)
    assert gradients == pytest.approx(theirs[2], abs=1e-5 * max(1, float(np.abs(theirs[2]).max())))
    spikes, membranes = through_snntorch(
        torch.from_numpy(values).expand(steps, *shape[1:]), beta, threshold, kind, detached=False
    )
    assert np.array_equal(spikes.numpy(), theirs[0])
    assert membranes.numpy() == pytest.approx(theirs[1], abs=1e-5)


@pytest.mark.parametrize("kind", SURROGATES)
def test_gradients_follow_the_formula(lif, kind):
    """Against a chain rule in float64, step by step, also where several thresholds are above each other."""
    random = np.random.default_rng(2)
    steps, beta, threshold = 7, 0.8, 0.5
    currents = random.uniform(-0.5, 1.8, (steps, 40)).astype(np.float32)
    of_spikes, of_potentials = random.normal(size=(2, steps, 40)).astype(np.float32)
    given = torch.from_numpy(currents).requires_grad_()
    spikes, potentials = lif.lif(given, lif.Neurons(beta, threshold, kind, 0.6))
    (spikes * torch.from_numpy(of_spikes) + potentials * torch.from_numpy(of_potentials)).sum().backward()

    v, carried, expected = np.zeros(40), np.zeros(40), np.empty((steps, 40))
    for t in range(steps):
        v = beta * v + currents[t]
        assert potentials[t].detach().numpy() == pytest.approx(v, abs=1e-5)
        v = v - threshold * (spikes[t].detach().numpy() > 0)
    u = potentials.detach().numpy().astype(np.float64).reshape(-1)
    slope = slopes(kind, k_of(kind, 0.6, threshold), u, threshold).reshape(steps, -1)
    for t in reversed(range(steps)):
        carried = beta * carried + of_potentials[t] + of_spikes[t] * slope[t]
        expected[t] = carried
    assert given.grad.numpy() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("cells", [(1, 1), (2, 3)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("passes_on", [False, True])
@pytest.mark.parametrize("kind", SURROGATES)
def test_a_field_in_the_cache_is_a_field_of_single_nodes(lif, kind, cells, stride, passes_on):
    from fspinn.learning.surrogate.layers import Part, counted, passed_on
    from fspinn.network import Network, Regular
    from fspinn.network.encoders import input_spikes
    from fspinn.network.geometry import Geometry

    geometry = Geometry(7, 9, 1, (3, 2), stride, cells)
    random = np.random.default_rng(3)
    network = Network(Regular(3000.0), dt_ms=1.0, duration_ms=8.0)
    image = random.integers(0, 256, (7, 9)).astype(np.uint8)
    spikes = input_spikes(network, image, 1, 2, 0)
    part = Part(geometry, lif.Neurons(0.8, 1.0, kind, 0.5), 4)
    values = random.normal(0.1, 0.4, (geometry.fan_in, 4)).astype(np.float32)
    of_counts, found = torch.from_numpy(random.normal(size=(1, part.features))).float(), []
    of_passed = torch.from_numpy(random.normal(size=(8, 1, part.features))).float()
    for fused in (True, False):
        weights = torch.from_numpy(values.copy()).requires_grad_()
        if fused:
            counts, passed = lif.field_of(weights, spikes, geometry, part.neurons, passes_on)
            counts, passed = counts.view(1, -1), passed.view(-1, 1, part.features)
        else:
            each, potentials = lif.lif(lif.currents_of(weights, spikes, geometry), part.neurons)
            counts, passed = counted(part, each), passed_on(part, each, potentials)
        loss = (counts * of_counts).sum()
        if passes_on:
            loss = loss + (passed * of_passed).sum()
        loss.backward()
        found.append((counts.detach().numpy(), passed.detach().numpy(), weights.grad.numpy()))
    assert found[0][0].sum() > 10
    assert np.array_equal(found[0][0], found[1][0])
    assert not passes_on or np.array_equal(found[0][1], found[1][1])
    assert found[0][2] == pytest.approx(found[1][2], rel=1e-4, abs=1e-4)
