"""Small networks, images and engines that stop after each time step, for the tests of engines."""

from itertools import product

import numpy as np
import pytest
from described import changed, flat
from hypothesis import strategies as st
from runners import fast

from fspinn.backends.numba import engine as numba_backend
from fspinn.backends.numba import schedule_kernels
from fspinn.backends.numba.constants_kernels import SPIKED
from fspinn.lowering.compiler import learning_plan
from fspinn.lowering.plan import ADAPTATIONS, INHIBITIONS, RULES
from fspinn.model.activity import Activity
from fspinn.network.encoders import ENCODERS
from fspinn.network.inhibition import INHIBITION_OF
from fspinn.network.plasticity import initial_weights
from fspinn.network.rules import NORMALISATIONS

LEARN_BY_STDP = [kind for kind in INHIBITIONS if kind != "none"]
RULES_AND_INHIBITION = list(product(RULES, LEARN_BY_STDP))

_ONCE = [(RULES[number % len(RULES)], kind) for number, kind in enumerate(LEARN_BY_STDP)]

PAIRS = [
    pytest.param(*both, marks=[] if both in _ONCE else [pytest.mark.exhaustive])
    for both in RULES_AND_INHIBITION
]
"""Each rule and each inhibition; all others of their pairs are exhaustive."""


def network_of(inhibition_strength, inhibition_of, **parts):
    """A network; of a potential no more than all of it is taken, and no spike is asked for that cannot be."""
    strength = min(inhibition_strength, 1.0) if inhibition_of == "potential" else inhibition_strength
    if parts.get("inhibition") in ("first", "ranked"):
        parts = {**parts, "target_spikes": 1.0}
    return flat(inhibition_strength=strength, inhibition_of=inhibition_of, **parts)


def networks_of(**fixed):
    parts = {
        "neurons": st.integers(1, 5),
        "duration_ms": st.sampled_from([1.0, 40.0, 65.0]),
        "encoder": st.sampled_from(ENCODERS),
        "rate_norm_hz": st.sampled_from([200.0, 800.0]),
        "max_rate_hz": st.sampled_from([63.75, 400.0]),
        "first_spikes": st.sampled_from([None, 3]),
        "tau_m_ms": st.sampled_from([3.0, 20.0, 100.0]),
        "refractory_ms": st.sampled_from([0.0, 3.0]),
        "threshold": st.sampled_from([0.5, 2.0, 8.0]),
        "inhibition": st.sampled_from(INHIBITIONS),
        "inhibition_strength": st.sampled_from([0.0, 0.7, 1.5]),
        "inhibition_of": st.sampled_from(INHIBITION_OF),
        "inhibition_ms": st.sampled_from([0.0, 1.0, 6.0]),
        "answer_ms": st.sampled_from([1.0, 4.0]),
        "rule": st.sampled_from(RULES),
        "window_ms": st.sampled_from([None, 50.0, 7.0, 1.0]),
        "spike_threshold": st.sampled_from([None, 1, 3]),
        "learning_rate": st.sampled_from([0.0, 0.1, 0.7]),
        "depression_rate": st.sampled_from([0.0, 0.05]),
        "trace_tau_ms": st.sampled_from([0.5, 20.0]),
        "target_trace": st.sampled_from([0.0, 0.4]),
        "adaptation": st.sampled_from(ADAPTATIONS),
        "theta_step": st.sampled_from([0.0, 0.3]),
        "theta_tau_ms": st.sampled_from([100.0, 1e7]),
        "target_spikes": st.sampled_from([0.3, 1.0, 7.0]),
        "weight_norm": st.sampled_from([1.0, 1.7]),
        "normalisation": st.sampled_from(NORMALISATIONS),
        "weight_decay": st.sampled_from([0.0, 0.01]),
    }
    return st.builds(network_of, **{**parts, **{name: st.just(value) for name, value in fixed.items()}})


# One presentation after another in which everything happens: ties aside, each part of the time step matters.
LIVELY = flat(
    neurons=4,
    duration_ms=130.0,
    rate_norm_hz=700.0,
    tau_m_ms=15.0,
    refractory_ms=3.0,
    threshold=1.5,
    inhibition_strength=0.7,
    window_ms=50.0,
    spike_threshold=3,
    learning_rate=0.2,
    theta_step=0.2,
    weight_norm=1.0,
)


def start_of(network, seed, samples=3, pixels=(2, 3)):
    """Random weights, theta and images for a network."""
    random = np.random.default_rng(seed)
    n_inputs = pixels[0] * pixels[1]
    weights = random.random((n_inputs, network.neurons), dtype=np.float32)
    theta = (0.2 * random.standard_normal(network.neurons)).astype(np.float32)
    images = random.integers(0, 256, (samples, *pixels), dtype=np.uint8)
    images[random.random(images.shape) < 0.3] = 0
    return weights, theta, images


def learn_with(engine, network, start, seed=0, first=0, total=5, **more):
    weights, theta, images = start[0].copy(), start[1].copy(), start[2]
    counts, activity = engine.learn(
        network, weights, theta, images, seed=seed, first=first, total=total, **more
    )
    return counts.tolist(), weights.tobytes(), theta.tobytes(), activity


def one_pixel(weights, threshold, **more):
    """A network of one input that spikes in every step: a constant drive of `weights`."""
    network = flat(
        neurons=len(weights), weight_norm=1.0, threshold=threshold, rate_norm_hz=1e7, refractory_ms=0.0
    )
    return changed(network, **more), np.array([weights], dtype=np.float32)


def spikes_by_step(network, weights, steps, theta=None):
    """Which neuron spikes in each step (None: nobody), from presentations of growing length."""
    theta = np.zeros(network.neurons, np.float32) if theta is None else np.asarray(theta, np.float32)
    image = np.full((1, 1, 1), 255, np.uint8)
    before = np.zeros(network.neurons, int)
    winners = []
    for t in range(steps):
        longer = changed(network, duration_ms=(t + 1) * network.dt_ms)
        (counts,), _ = fast.respond(longer, weights, theta, image, seed=0)
        (new,) = (counts - before).nonzero() if t else counts.nonzero()
        assert (counts - before).sum() <= 1
        winners.append(int(new[0]) if new.size else None)
        before = counts
    return winners


class Stepper:
    """Runs the schedule in floats step by step on given input spikes, with its state in view."""

    def __init__(self, network, weights, theta=None, learning=False):
        self.weights = np.array(weights, dtype=np.float32)
        n_neurons = self.weights.shape[1]
        self.theta = np.zeros(n_neurons, np.float32) if theta is None else np.array(theta, np.float32)
        setup = network.setup
        plan = learning_plan(setup.network, setup.learner, self.weights, self.theta)
        (layer,) = plan.layers
        self.constants = numba_backend._reals(plan, layer)
        self.learning = numba_backend._real_learning(layer.learning, plan.dt_ms, layer, on=learning)
        self.state = numba_backend._state(layer, np.float32)
        self.state.thresholds[:] = layer.thresholds
        rate, step = np.float32(network.learning_rate), np.float32(network.theta_step)
        self.now = (rate, step, np.uint64(0))
        self.record = (*np.zeros((3, network.steps), np.int32), np.zeros((0, 2), np.float32), 0)
        self.activity = np.zeros(len(Activity().as_tuple()), np.int64)
        self.starts, self.inputs = np.zeros(network.steps + 1, np.int64), np.zeros(0, np.int32)
        self.t = 0

    def step(self, *inputs):
        """Let these inputs spike; return the neuron that spikes, or None."""
        self.inputs = np.append(self.inputs, np.array(inputs, np.int32)).astype(np.int32)
        self.starts[self.t + 1 :] = len(self.inputs)
        before = self.state.spike_counts.copy()
        schedule_kernels.run_window(
            self.t,
            self.t + 1,
            self.starts,
            self.inputs,
            self.weights,
            self.theta,
            self.now,
            self.constants,
            self.learning,
            self.state,
            self.record,
            self.activity,
        )
        self.t += 1
        (new,) = (self.state.spike_counts - before).nonzero()
        return int(new[0]) if new.size else None

    @property
    def potentials(self):
        return self.state.potentials.tolist()

    @property
    def post_traces(self):
        """Traces of neurons that have spiked, but for those that are 0 by now."""
        return self.state.post_traces[: self.state.carried[SPIKED]].tolist()


def stepper(weights, threshold, learning=False, theta=None, **more):
    """A Stepper of a network without leak."""
    network = flat(
        neurons=len(weights[0]), weight_norm=1.0, threshold=threshold, tau_m_ms=1e12, adaptation="off"
    )
    return Stepper(changed(network, **more), weights, theta, learning)


SMALL = flat(neurons=5, duration_ms=60.0, rate_norm_hz=800.0, threshold=2.0, weight_norm=1.3)


def run(network, samples=40, theta=0.0):
    """Let a network learn from random images; return weights, theta, spike counts and activity."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (samples, 3, 3), dtype=np.uint8)
    weights = initial_weights(
        network.network.layers[0], network.setup.learner, 9, random.random(9 * network.neurons)
    )
    thetas = np.full(network.neurons, theta, np.float32)
    counts, activity = fast.learn(network, weights, thetas, images, seed=0, first=0, total=samples)
    return weights, thetas, counts, activity
