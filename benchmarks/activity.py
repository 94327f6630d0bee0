"""Penalties on activity, compared at equal accuracy: spikes, synaptic operations and energy of what is left.

    python benchmarks/activity.py [PART ...] [--write]

Needs torch. The question is that of Narduzzi, Bigdeli, Liu and Dunbar (ICASSP 2022, arXiv 2204.01460). Of
each penalty the strongest is looked for that loses next to nothing on validation images, with three seeds;
the test images are only reported on. Learning runs on one core.

Parts that end in ``-stdp`` ask the same of layers that learn without labels (they need no torch): of the
firing rate that homeostatic thresholds hold, lowered, and of the default adaptation with a higher threshold.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from pictures import Panel, Series, draw
from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn.answering.predict import respond
from fspinn.base.settings import with_settings
from fspinn.datasets import Dataset
from fspinn.learning.fitting import Learned, fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering.compiler import answering_plan
from fspinn.memmodel import load_hardware
from fspinn.model.tensors import LayerTensors
from fspinn.network import Balanced, Homeostatic, Lateral, Learner, Network, Neuron, Regular, Stdp, Surrogate
from fspinn.search.costs import counted_cost

SEEDS = (0, 1, 2)
LEARNED, PASSES, RATE = 50_000, 8, 0.01
"""The step of the solver: of 0.0025, 0.005, 0.01 and 0.02 the best without a penalty, of both sets of images
together (validation, one seed)."""

CLASSES = 10
HARDWARE = ("loihi-like", "asic65-lp")
NONE = ("none", 0.0)

Trial = dict[str, Any]

Several = list[Trial]
"""The trials of one setting, one for each seed."""

PARTS: dict[str, tuple[str, tuple[int, ...]]] = {
    "mnist": ("mnist", (200,)),
    "fashion-mnist": ("fashion-mnist", (200,)),
    "mnist-stdp": ("mnist", (400,)),
    "mnist-column-stdp": ("mnist", (16,)),
    "fashion-mnist-stdp": ("fashion-mnist", (400,)),
    "fashion-mnist-column-stdp": ("fashion-mnist", (16,)),
}
"""Which images, and the neurons of each layer."""

SUPERVISED = tuple(part for part in PARTS if not part.endswith("-stdp"))

STRENGTHS: dict[str, tuple[float, ...]] = {
    "l1": (4.0, 2.8, 2.0, 1.4, 1.0, 0.5),
    "l2": (22.0, 16.0, 11.0, 8.0, 5.6, 4.0, 2.8, 2.0),
    "hoyer": (0.56, 0.4, 0.28, 0.2, 0.14, 0.1, 0.05),
    "hoyer-square": (0.56, 0.4, 0.28, 0.2, 0.14, 0.1, 0.05),
}
"""Tried from the first on until one loses next to nothing. In a single layer ``synops`` is ``l1``."""

LEARNED_BY_STDP = 20_000

DENSE = (
    Network.dense(encoder=Regular(), neuron=Neuron(threshold=10.0), inhibition=Lateral(strength=0.1)),
    Stdp(passes=1, learning_rate_end=0.003),
)
"""Of thresholds 10, 14, 20 and 28 with strengths 0.1, 0.2 and 0.3 the best for both sets together
(validation, one seed)."""

COLUMN = (Network.patches(cells=4), Stdp(passes=1))
"""Of thresholds 1.5, 2, 2.5 and 3 the default, 2, is the best likewise; steps of 0.01 and 0.05 change no more
than seeds do."""

DENSE_RATES = {"target_spikes": (14.0, 20.0, 28.0, 40.0, 56.0), "threshold": (40.0, 28.0, 20.0, 14.0)}
COLUMN_RATES = {"target_spikes": (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0), "threshold": (4.0, 3.0, 2.5, 2.25)}
"""Targets of homeostatic thresholds, from the lowest on, and thresholds with the default adaptation."""

HELD_THRESHOLD = 20.0
"""With which the dense layer begins to hold a rate: inhibition is a part of it, and few spikes need much."""

EQUAL = 0.3
"""Points of validation accuracy that count as none."""

NEAR = 0.6
"""Points that the first seed may lose, so that the others are tried."""


def measure(part: str) -> dict[str, Any]:
    _, layers = PARTS[part]
    none = [_trial(part, layers, *NONE, seed) for seed in SEEDS]
    trials = [*none, *(_trial(part, _half(layers), *NONE, seed) for seed in SEEDS)]
    for kind, strengths in _strengths(part).items():
        for strength in strengths:
            one = _trial(part, layers, kind, strength, SEEDS[0])
            trials.append(one)
            if not _as_accurate([one], none[:1], NEAR):
                continue
            others = [_trial(part, layers, kind, strength, seed) for seed in SEEDS[1:]]
            trials += others
            if _as_accurate([one, *others], none, EQUAL):
                break
    return {"seeds": SEEDS, "trials": trials}


def _strengths(part: str) -> dict[str, tuple[float, ...]]:
    """Return what is tried, from what should leave the fewest spikes on."""
    if part not in SUPERVISED:
        return COLUMN_RATES if "column" in part else DENSE_RATES
    return STRENGTHS


def _kinds(part: str) -> list[str]:
    return list(_strengths(part))


def _half(layers: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(neurons // 2 for neurons in layers)


def _trial(part: str, layers: tuple[int, ...], penalty: str, strength: float, seed: int) -> Trial:
    data, by_stdp = fspinn.datasets.load(PARTS[part][0], seed=seed), part not in SUPERVISED
    data = replace(data, train=data.train.first(LEARNED_BY_STDP if by_stdp else LEARNED))
    network, learner = (_stdp if by_stdp else _supervised)(part, layers, penalty, strength)
    learned = learn(network, data, learner, seed=seed, progress=False)
    if not by_stdp:
        learned = without_silent(learned, data)
    (model,) = fit_readouts(learned, data, ["linear"], threads=1)
    found: Trial = {"layers": layers, "penalty": penalty, "strength": strength, "seed": seed}
    found["neurons"] = [layer.neurons for layer in learned.network.layers]
    for split in ("validation", "test"):
        measured = fspinn.evaluate(model, getattr(data, split), seed=seed, threads=1)
        metrics = measured.neurobench
        assert metrics is not None
        assert metrics.readout is not None
        found[split] = {
            "accuracy": 100 * measured.accuracy,
            "spikes": [layer.spikes for layer in metrics.layers],
            "operations": [
                *(layer.effective_acs for layer in metrics.layers),
                metrics.readout.effective_macs,
            ],
            "energy_nj": [
                counted_cost(model, measured.activity, load_hardware(name)).energy_pj / 1e3
                for name in HARDWARE
            ],
        }
    test = found["test"]
    print(
        penalty, strength, seed, found["neurons"], f"{test['accuracy']:.2f}", test["operations"], flush=True
    )
    return found


def _supervised(part: str, layers: tuple[int, ...], penalty: str, strength: float) -> tuple[Network, Learner]:
    learner = Surrogate(passes=PASSES, gradient_rate=RATE)
    if (penalty, strength) != NONE:
        learner = replace(learner, penalty=penalty, penalty_strength=strength)
    return Network.supervised(layers), learner


def _stdp(part: str, layers: tuple[int, ...], knob: str, value: float) -> tuple[Network, Learner]:
    network, learner = COLUMN if "column" in part else DENSE
    network = with_settings(network, {"neurons": layers[0]})
    if knob == "threshold":
        network = with_settings(network, {knob: value})
    if knob == "target_spikes":
        if "column" not in part:
            network = with_settings(network, {"threshold": HELD_THRESHOLD})
        (layer,) = network.layers
        assert isinstance(layer.adaptation, Balanced)
        held = Homeostatic(value, layer.adaptation.theta_step)
        network = replace(network, layers=(replace(layer, adaptation=held),))
    return network, learner


def without_silent(learned: Learned, data: Dataset) -> Learned:
    """Drop the neurons that never spike for any training image: not one answer to those changes."""
    network, layers = learned.network, list(learned.layers)
    for place in range(len(layers)):
        below = replace(network, layers=network.layers[: place + 1])
        plan = answering_plan(below, layers[: place + 1], data.image_shape)
        counts = respond(plan, data.train.images, seed=learned.seed, threads=1).spike_counts
        kept = np.flatnonzero(np.asarray(counts.sum(axis=0)))
        layers[place] = layers[place].keeping(kept)
        if place + 1 < len(layers):
            weights = layers[place + 1].weights.values[kept]
            layers[place + 1] = LayerTensors.of_floats(weights, np.zeros(weights.shape[1], np.float32))
        of_layers = list(network.layers)
        of_layers[place] = replace(of_layers[place], neurons=len(kept))
        network = replace(network, layers=tuple(of_layers))
    return replace(learned, network=network, layers=tuple(layers))


def _groups(result: dict[str, Any]) -> dict[tuple[tuple[int, ...], str, float], Several]:
    """Return the trials by layers, penalty and strength, where all seeds were tried."""
    found: dict[tuple[tuple[int, ...], str, float], Several] = {}
    for one in result["trials"]:
        found.setdefault((tuple(one["layers"]), one["penalty"], one["strength"]), []).append(one)
    return {key: several for key, several in found.items() if len(several) == len(SEEDS)}


def _mean(several: Several, split: str, name: str) -> Any:
    return np.mean([one[split][name] for one in several], axis=0)


def met(several: Several, split: str) -> Any:
    """Return how many weights spikes meet for an image: those of each layer, and of the readout."""
    spikes, operations = (_mean(several, split, name) for name in ("spikes", "operations"))
    return np.append(operations[:-1], spikes[-1] * CLASSES)


def _lost(several: Several, none: Several) -> float:
    """Return how many points of validation accuracy several trials lose against others."""
    return float(_mean(none, "validation", "accuracy") - _mean(several, "validation", "accuracy"))


def _as_accurate(several: Several, none: Several, points: float) -> bool:
    return _lost(several, none) <= points + 1e-9


def compared_ones(part: str, result: dict[str, Any]) -> Iterator[tuple[str, Several]]:
    """Yield what is compared: of each penalty the strongest with the accuracy of no penalty."""
    groups, (_, layers) = _groups(result), PARTS[part]
    none = groups[layers, *NONE]
    yield "none", none
    for kind in _kinds(part):
        for strength in _strengths(part)[kind]:
            several = groups.get((layers, kind, strength))
            if several is not None and _as_accurate(several, none, EQUAL):
                first = strength == _strengths(part)[kind][0]
                yield f"{kind}, {strength:g}" + " (the first tried)" * first, several
                break
    yield f"none, {_half(layers)[0]} neurons", groups[_half(layers), *NONE]


def render(results: Results) -> str:
    blocks = [_compared(results), _note(results), _tried(results), f"{machines(results)}."]
    return "\n\n".join(blocks)


def _compared(results: Results) -> str:
    rows = []
    for part, result in results.items():
        chosen = list(compared_ones(part, result))
        none = chosen[0][1]
        for name, several in chosen:
            now, before = met(several, "test"), met(none, "test")
            energies = _mean(none, "test", "energy_nj") / _mean(several, "test", "energy_nj")
            times = [before[after:].sum() / now[after:].sum() for after in (1, 0)]
            rows.append(
                [
                    part,
                    name,
                    f"{0.0 - _lost(several, none):+.2f}",
                    spread([one["test"]["accuracy"] for one in several]),
                    _added(np.mean([one["neurons"] for one in several], axis=0)),
                    _added(_mean(several, "test", "spikes")),
                    _added(now),
                    f"{_mean(several, 'test', 'operations')[-1]:,.0f}",
                    *(f"{one:.2f}" for one in (*times, *energies)),
                ]
            )
    head = [
        "images",
        "penalty, strength",
        "validation (points)",
        "test (%)",
        "neurons",
        "spikes",
        "SynOps",
        "MACs of the readout",
        "fewer SynOps after the first layer (times)",
        "fewer SynOps (times)",
        *(f"less energy, {name} (times)" for name in HARDWARE),
    ]
    return table(head, rows)


def _added(values: Any) -> str:
    return " + ".join(f"{value:,.0f}" for value in values)


def _note(results: Results) -> str:
    return (
        "`surrogate`, 784-200, first spike, 10 time steps, beta 0.9, "
        f"{PASSES} passes over {LEARNED:,} training images, `gradient_rate` {RATE:g} (the best of four "
        "without a penalty), readout `linear`, floats. Of each penalty the strongest that loses at most "
        f"{EQUAL} points of validation accuracy, the mean of seeds {seeds(results)} (10,000 images each); "
        "all else is of test images. SynOps are spikes x fan-out, layer by layer, the last number of the "
        "readout, if a row of its table is added at each spike; where spikes are counted first, it takes "
        "the MACs of the column beside, one row for each neuron that spiked. Neurons of `surrogate` that "
        "never spike for any training image are dropped, with no penalty too: that is how a penalty reaches "
        "the first layer, whose SynOps are input spikes x neurons and else follow from the images alone. In "
        "a single layer `synops` is `l1`. The last row of each is half as many neurons without a penalty, "
        "whatever it loses. `loihi-like` does not count the readout. STDP has a counterpart, the rate that "
        "`adaptation = homeostatic` holds: parts `-stdp`, 784-400 (`regular`, threshold 10, lateral "
        "inhibition of 0.1) or a column of 16 neurons (field 5, 4 x 4 cells), one pass over "
        f"{LEARNED_BY_STDP:,} images, `none` the default adaptation at the best threshold of four "
        "(10, the lowest of them, for 784-400; 2 for columns, both data sets together). Of "
        f"`target_spikes` the lowest that loses as little (784-400 begins at threshold {HELD_THRESHOLD:g}); "
        "`threshold` is the default adaptation with a higher threshold, which lowers the rate too. In a "
        "column the first spike at a position ends the presentation there: fewer spikes mean more synaptic "
        "operations in all."
    )


def _tried(results: Results) -> str:
    """All strengths that were tried, with the first seed."""
    rows = []
    for part, result in results.items():
        first = [one for one in result["trials"] if one["seed"] == SEEDS[0]]
        for kind in ("none", *_kinds(part)):
            several = [
                _briefly(one)
                for one in first
                if one["penalty"] == kind and tuple(one["layers"]) == PARTS[part][1]
            ]
            rows.append([part, kind, "; ".join(several)])
    return table(
        ["images", "penalty", "strength: validation (%), SynOps after the first layer, in all"], rows
    )


def _briefly(one: Trial) -> str:
    now = met([one], "validation")
    return f"{one['strength']:g}: {one['validation']['accuracy']:.2f}, {now[1:].sum():,.0f}, {now.sum():,.0f}"


def picture(results: Results) -> None:
    """Draw accuracy against SynOps, after the first layer and in all, of what the first seed tried."""
    draw("activity", [[_panel(part, result, after) for after in (1, 0)] for part, result in results.items()])


def _panel(part: str, result: dict[str, Any], after: int) -> Panel:
    first = [one for one in result["trials"] if one["seed"] == SEEDS[0]]
    groups = {
        kind: [one for one in first if one["penalty"] == kind and tuple(one["layers"]) == PARTS[part][1]]
        for kind in ("none", *_kinds(part))
    }
    groups["none, half the neurons"] = [one for one in first if tuple(one["layers"]) == _half(PARTS[part][1])]
    series = [
        Series(
            kind,
            [float(met([one], "validation")[after:].sum()) for one in tried],
            [one["validation"]["accuracy"] for one in tried],
        )
        for kind, tried in groups.items()
    ]
    where = "after the first layer" if after else "in all layers"
    (none,) = series[0].accuracies
    return Panel(part, f"synaptic operations {where}, for an image", series, lowest=none - 2.5)


if __name__ == "__main__":
    run("activity", tuple(PARTS), measure, render, picture)
