"""Every backend does what the plain twins say, on networks that together use every mechanism.

A backend is tested by naming it in `RUNNERS`; a mechanism by its family in `fspinn.network`, nowhere here.
"""

import shutil
from dataclasses import dataclass
from typing import Any

import naive
import naive_integers
import numpy as np
import pytest
from described import changed, flat, model_from
from exported_programs import answers, build
from runners import answering, brian2, fast, grid_for

from fspinn.backends.c import export_c
from fspinn.base.settings import members
from fspinn.lowering.integer_learning import first_weights
from fspinn.model.activity import Activity
from fspinn.model.model import Readout
from fspinn.model.tensors import Formats
from fspinn.network import Adaptation, Encoder, Inhibition, Rule
from fspinn.quant import Format
from fspinn.quant.formats import quantize_values, to_integers

# Brian2 2.9 calls its parser by old names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SEED, FIRST, TOTAL = 5, 2, 9
LIVELY = {
    "neurons": 4,
    "duration_ms": 130.0,
    "rate_norm_hz": 700.0,
    "max_rate_hz": 150.0,
    "first_spikes": 5,
    "tau_m_ms": 15.0,
    "threshold": 1.5,
    "inhibition_ms": 4.0,
    "window_ms": 50.0,
    "learning_rate": 0.2,
    "depression_rate": 0.02,
    "theta_step": 0.2,
    "theta_tau_ms": 500.0,
    "weight_norm": 1.0,
}
ONE_SPIKE_EACH = {"threshold": 0.5, "answer_threshold": 0.4, "tau_m_ms": 60.0}
"""Of encoders whose pixels spike once: a threshold that so few spikes reach."""
FORMATS = [
    Formats(*(Format.parse(name) for name in names))
    for names in (("UQ0.4", "Q6.6", "Q4.4"), ("UQ0.8", "Q7.5", "Q4.3"), ("Q1.6", "Q8.9", "Q5.6"))
]
"""Of weights, state and theta: coarse weights, weights finer than the state, signed weights."""


def cases():
    """Every encoder with every inhibition; adaptations, rules, other options and formats take turns."""
    adaptations, rules = list(members(Adaptation)), list(members(Rule))
    options = (
        {},
        {"refractory_ms": 3.0, "spike_threshold": 2},
        {"inhibition_of": "potential", "inhibition_strength": 0.6, "normalisation": "l2"},
        {"dt_ms": 2.0, "weight_decay": 0.05},
        {"normalisation": "l1", "answer_threshold": 1.2, "answer_inhibition": 0.2},
    )
    for number, (encoder, inhibition) in enumerate(
        (e, i) for e in members(Encoder) for i in members(Inhibition)
    ):
        chosen = {
            "encoder": encoder,
            "inhibition": inhibition,
            "adaptation": adaptations[(number + number // 3) % len(adaptations)],
            "rule": rules[number % len(rules)],
        }
        chosen |= options[number % len(options)]
        network = flat(**{**LIVELY, **chosen, **(ONE_SPIKE_EACH if encoder == "ttfs" else {})})
        yield network, FORMATS[(number + number // 3) % len(FORMATS)]


CASES = list(cases())
NAMES = [f"{c.encoder}-{c.inhibition}-{c.adaptation}-{c.rule}-{f.weights}" for c, f in CASES]


def start_of(network, formats, samples):
    """Weights and theta that all formats here hold, and images, one of them black."""
    random = np.random.default_rng(1)
    weights = quantize_values(random.random((6, network.neurons)), formats.weights)
    theta = quantize_values(0.2 * random.random(network.neurons), formats.theta)
    images = random.integers(0, 256, (samples, 2, 3), dtype=np.uint8)
    images[random.random(images.shape) < 0.3] = 0
    images[1] = 0
    return weights, theta, images


def in_floats(engine, real=np.float32):
    def answer(network, weights, theta, images, *_):
        return engine.respond(
            network, weights.astype(real), theta.astype(real), images, seed=SEED, first=FIRST
        )

    def learn(network, weights, theta, images, _):
        weights, theta = weights.astype(real), theta.astype(real)
        counts, activity = engine.learn(network, weights, theta, images, SEED, FIRST, TOTAL)
        return counts, activity, weights, theta

    return answer, learn


def answer_in_integers(network, weights, theta, images, formats, _):
    answer = fast.answer(network, weights, theta, images, seed=SEED, first=FIRST, formats=formats)
    return answer.spike_counts, answer.activity[0]


def learn_in_integers(network, weights, theta, images, formats):
    grid = grid_for(network, 6, formats.weights, formats.state, "stochastic")
    numbers, thetas = first_weights(weights, grid), np.zeros(network.neurons, np.int32)
    counts, activity = fast.learn(network, numbers, thetas, images, SEED, FIRST, TOTAL, grid=grid)
    return counts, activity, numbers, thetas


def answer_in_c(network, weights, theta, images, formats, folder):
    """The program counts spikes only, and numbers images from 0 on."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    readout = Readout("proportion", np.full((network.neurons, 2), 0.5, np.float32), Format.parse("UQ0.8"))
    model = model_from(
        network.network,
        (2, 3),
        weights,
        theta,
        readout,
        formats=(formats.weights, formats.state, formats.theta),
    )
    export_c(model, folder / "out", images, seed=SEED)
    return answers(build(folder / "out"), images, network.neurons)[0], None


def twin_in_integers(network, weights, theta, images, formats, first):
    (layer,) = answering(network, weights, theta, formats).layers
    integers = to_integers(theta, formats.theta)
    counts, activity, *_ = naive_integers.respond(network, layer, formats, integers, images, SEED, first)
    return counts, activity


def twin_in_floats(network, weights, theta, images, _, first):
    weights, theta = weights.astype(np.float32), theta.astype(np.float32)
    return naive.respond(network, weights, theta, images, SEED, first)


def twin_learns_in_floats(network, weights, theta, images, _):
    weights, theta = weights.astype(np.float32), theta.astype(np.float32)
    counts, activity = naive.learn(network, weights, theta, images, SEED, FIRST, TOTAL)
    return counts, activity, weights, theta


def twin_learns_in_integers(network, weights, theta, images, formats):
    grid = grid_for(network, 6, formats.weights, formats.state, "stochastic")
    numbers, thetas = first_weights(weights, grid), np.zeros(network.neurons, np.int32)
    return naive_integers.learn(network, grid, numbers, thetas, images, SEED, FIRST, TOTAL)


@dataclass(frozen=True)
class Runner:
    """How a backend answers and learns, and the twin that says what is right.

    `tolerance` is that of learned weights: Brian2 computes in double precision.
    """

    answer: Any
    twin: Any
    learn: Any = None
    learning_twin: Any = None
    rules: tuple[str, ...] = tuple(members(Rule))
    plain_weights: bool = False
    tolerance: float = 0.0
    first: int = FIRST
    counts_work: bool = True


RUNNERS = {
    "numba, floats": Runner(in_floats(fast)[0], twin_in_floats, in_floats(fast)[1], twin_learns_in_floats),
    "numba, integers": Runner(
        answer_in_integers,
        twin_in_integers,
        learn_in_integers,
        twin_learns_in_integers,
        rules=("normalised", "timestep"),
        plain_weights=True,
    ),
    "brian2": Runner(
        in_floats(brian2, np.float64)[0],
        twin_in_floats,
        in_floats(brian2, np.float64)[1],
        twin_learns_in_floats,
        tolerance=1e-5,
    ),
    "c": Runner(answer_in_c, twin_in_integers, first=0, counts_work=False),
}


@pytest.mark.parametrize(("network", "formats"), CASES, ids=NAMES)
@pytest.mark.parametrize("name", RUNNERS)
def test_a_backend_answers_as_its_twin_does(name, network, formats, tmp_path):
    runner, (weights, theta, images) = RUNNERS[name], start_of(network, formats, samples=4)
    counts, activity = runner.answer(network, weights, theta, images, formats, tmp_path)
    expected, expected_activity = runner.twin(network, weights, theta, images, formats, runner.first)
    np.testing.assert_array_equal(counts, expected)
    assert activity == (expected_activity if runner.counts_work else None)
    assert expected.sum() > 3
    assert expected[1].sum() == 0


@pytest.mark.parametrize(("network", "formats"), CASES, ids=NAMES)
@pytest.mark.parametrize("name", [name for name, runner in RUNNERS.items() if runner.learn is not None])
def test_a_backend_learns_as_its_twin_does(name, network, formats):
    runner, (weights, theta, images) = RUNNERS[name], start_of(network, formats, samples=4)
    if network.rule not in runner.rules:
        pytest.skip(f"does not learn by {network.rule}")
    if runner.plain_weights and (network.normalisation != "off" or network.weight_decay > 0):
        network = changed(network, normalisation="off", weight_decay=0.0)
    counts, activity, *learned = runner.learn(network, weights, theta, images, formats)
    expected, *others = runner.learning_twin(network, weights, theta, images, formats)
    np.testing.assert_array_equal(counts, expected)
    arrays = [one for one in others if not isinstance(one, Activity)]
    assert activity in [one for one in others if isinstance(one, Activity)]
    assert len(arrays) >= len(learned) == 2
    for mine, theirs in zip(learned, arrays, strict=False):
        np.testing.assert_allclose(mine, np.asarray(theirs), rtol=0, atol=runner.tolerance)
    assert np.abs(np.asarray(learned[0], float) - weights).max() > 0


def test_the_cases_use_every_mechanism():
    for family, word in (
        (Encoder, "encoder"),
        (Inhibition, "inhibition"),
        (Adaptation, "adaptation"),
        (Rule, "rule"),
    ):
        assert {getattr(network, word) for network, _ in CASES} == set(members(family))
