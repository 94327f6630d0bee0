"""How each backend answers and learns, the twin that says what is right, and networks to compare them on.

A backend is tested by naming it in `RUNNERS`; a mechanism by its family in `fspinn.network`, nowhere here.
"""

import shutil
from dataclasses import dataclass
from typing import Any

import naive
import naive_integers
import numpy as np
import pytest
from described import flat, model_from
from exported_programs import answers, build
from runners import answering, brian2, fast, grid_for

from fspinn.backends.c import export_c
from fspinn.base.settings import members
from fspinn.lowering.integer_learning import first_weights
from fspinn.model.model import Readout
from fspinn.model.tensors import Formats
from fspinn.network import Adaptation, Inhibition, Rule
from fspinn.network.encoders import ENCODERS
from fspinn.quant import Format
from fspinn.quant.formats import quantize_values, to_integers

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
    "target_spikes": 1.0,
    "weight_norm": 1.0,
}
ONE_SPIKE_EACH = {"threshold": 0.5, "answer_threshold": 0.4, "tau_m_ms": 60.0}
"""Of encoders whose pixels spike once: a threshold that so few spikes reach."""
FORMATS = [
    Formats(*(Format.parse(name) for name in names))
    for names in (("UQ0.4", "Q6.6", "Q4.4"), ("UQ0.8", "Q7.5", "Q4.3"), ("Q1.6", "Q8.9", "Q5.6"))
]
"""Of weights, state and theta: coarse weights, weights finer than the state, signed weights."""


def formats_for(network, number):
    """Formats, of which some suit signed weights."""
    return FORMATS[-1 if network.inhibition == "none" else number % len(FORMATS)]


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
    for number, (encoder, inhibition) in enumerate((e, i) for e in ENCODERS for i in members(Inhibition)):
        chosen = {
            "encoder": encoder,
            "inhibition": inhibition,
            "adaptation": adaptations[(number + number // 3) % len(adaptations)],
            "rule": rules[(number + number // len(rules)) % len(rules)],
        }
        chosen |= options[number % len(options)]
        network = flat(**{**LIVELY, **chosen, **(ONE_SPIKE_EACH if encoder == "ttfs" else {})})
        yield network, formats_for(network, number + number // 3)


FIELD = {
    **LIVELY,
    "duration_ms": 12.0,
    "first_spikes": None,
    "field": (2, 3),
    "positions": 6,
    "least_spikes": 3,
    "window_ms": 5.0,
    "threshold": 0.9,
    "tau_m_ms": None,
}
"""Of neurons that see a field of images of 6 x 7; `field_cases` have from 1 to 25 positions."""


def field_cases():
    """Every inhibition with every encoder, on fields of every stride, with cells and channels."""
    rules, encoders = list(members(Rule)), ENCODERS
    options = (
        {"cells": (2, 3), "first_spikes_relative_to": "white"},
        {"stride": 2, "contrast": "on-off", "cells": (2, 2)},
        {"stride": 2, "tau_m_ms": 9.0, "refractory_ms": 2.0, "cells": (1, 3)},
        {"stride": 3, "contrast": "on-off", "contrast_radius": 1, "adaptation": "decaying"},
        {"stride": 2, "first_spikes": 11, "spike_threshold": 2, "cells": (3, 1)},
        {"stride": 2, "window_ms": None, "weight_decay": 0.02},
        {"stride": 3, "cells": (2, 1), "normalisation": "l2", "threshold": 1.5},
        {"encoder": "poisson", "stride": 2, "adaptation": "off", "cells": (2, 2), "answer_threshold": 0.6},
        {"field": (6, 7), "first_spikes_relative_to": "white", "threshold": 3.0},
        {"stride": 2, "cells": (2, 3), "answer_ms": 3.0, "tau_m_ms": 9.0},
        {"stride": 3, "contrast": "on-off", "adaptation": "homeostatic", "target_spikes": 0.4},
        {"stride": 2, "cells": (2, 2), "tau_m_ms": 9.0, "refractory_ms": 1.0, "threshold": 0.5},
    )
    for number, chosen in enumerate(options):
        kinds = {
            "encoder": "ttfs" if any("first_spikes" in name for name in chosen) else encoders[number % 4],
            "inhibition": "first" if number % 2 == 0 else list(members(Inhibition))[number // 2],
            "rule": rules[number // 2 % (2 if number % 2 == 0 else len(rules))],
        }
        yield flat(**{**FIELD, **kinds, **chosen}), formats_for(flat(**kinds), number)


CASES = list(cases())
FIELD_CASES = list(field_cases())


def names(cases):
    return [f"{c.encoder}-{c.inhibition}-{c.adaptation}-{c.rule}-{f.weights}" for c, f in cases]


def shape_for(network):
    """Images with two channels where the field is dense in neither direction."""
    if network.field is None:
        return (2, 3)
    return (6, 7, 2) if network.cells == (2, 1) else (6, 7)


def start_of(network, formats, samples):
    """Weights and theta that all formats here hold, and images, one of them black."""
    random, shape = np.random.default_rng(1), shape_for(network)
    described = network.network
    inputs = described.layers[0].fan_in(*described.input_shape(shape))
    lowest = -0.5 if network.inhibition == "none" else 0.0
    weights = quantize_values(random.uniform(lowest, 1.0, (inputs, network.neurons)), formats.weights)
    theta = quantize_values(0.2 * random.random(network.neurons), formats.theta)
    images = random.integers(0, 256, (samples, *shape), dtype=np.uint8)
    images[random.random(images.shape) < 0.3] = 0
    images[1] = 0
    return weights, theta, images


@dataclass(frozen=True)
class Counted:
    """What a program that counts output spikes and nothing else answers."""

    spike_counts: Any


def in_floats(engine, real=np.float32):
    def answer(network, weights, theta, images, *_):
        return engine.answer(
            network, weights.astype(real), theta.astype(real), images, seed=SEED, first=FIRST
        )

    def learn(network, weights, theta, images, _):
        weights, theta = weights.astype(real), theta.astype(real)
        counts, activity = engine.learn(network, weights, theta, images, SEED, FIRST, TOTAL)
        return counts, activity, weights, theta

    return answer, learn


def answer_in_integers(network, weights, theta, images, formats, _):
    return fast.answer(network, weights, theta, images, seed=SEED, first=FIRST, formats=formats)


def learn_in_integers(network, weights, theta, images, formats):
    grid = grid_for(network, len(weights), formats.weights, formats.state, "stochastic")
    numbers, thetas = first_weights(weights, grid), np.zeros(network.neurons, np.int32)
    counts, activity = fast.learn(network, numbers, thetas, images, SEED, FIRST, TOTAL, grid=grid)
    return counts, activity, numbers, thetas


def answer_in_c(network, weights, theta, images, formats, folder):
    """The program counts spikes only, and numbers images from 0 on."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    readout = Readout(
        "proportion", np.full((network.network.features, 2), 0.5, np.float32), Format.parse("UQ0.8")
    )
    model = model_from(
        network.network,
        images.shape[1:],
        weights,
        theta,
        readout,
        formats=(formats.weights, formats.state, formats.theta),
    )
    export_c(model, folder / "out", images, seed=SEED)
    return Counted(answers(build(folder / "out"), images, network.network.features)[0])


def twin_in_integers(network, weights, theta, images, formats, first):
    (layer,) = answering(network, weights, theta, formats, shape=images.shape[1:]).layers
    integers = to_integers(theta, formats.theta)
    return naive_integers.answer(network, layer, formats, integers, images, SEED, first)[:3]


def twin_in_floats(network, weights, theta, images, _, first):
    weights, theta = weights.astype(np.float32), theta.astype(np.float32)
    return naive.answer(network, weights, theta, images, SEED, first)


def twin_learns_in_floats(network, weights, theta, images, _):
    weights, theta = weights.astype(np.float32), theta.astype(np.float32)
    counts, activity = naive.learn(network, weights, theta, images, SEED, FIRST, TOTAL)
    return counts, activity, weights, theta


def twin_learns_in_integers(network, weights, theta, images, formats):
    grid = grid_for(network, len(weights), formats.weights, formats.state, "stochastic")
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
