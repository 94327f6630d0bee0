"""Fixed point: what few bits cost in accuracy, after training and in it, and what they save in time.

    python benchmarks/fixed_point.py [PART ...] [--write]

A part is one preset with one seed, a few minutes on one core, or `speed`. Formats and settings were chosen on
validation images; here networks learn from all training images, and the test images are only reported on.
"""

import time
from dataclasses import replace
from typing import Any

import numpy as np
from speed import ROUNDS
from tables import Results, machines, run, spread, table

import fspinn
from fspinn import presets
from fspinn.answering.predict import respond
from fspinn.base.settings import settings_of, with_settings
from fspinn.datasets import Dataset
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.lowering import quantize
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.integer_learning import state_for
from fspinn.model.model import Model
from fspinn.presets import Preset

SEEDS = (0, 1, 2)
PRESETS = ("mnist-400", "mnist-1600", "fashion-mnist-400", "fashion-mnist-1600")
PASSES = 4
"""How often images are shown, fewer times than the presets say: the same for floats and integers."""

PARTS = (*(f"{preset}-seed-{seed}" for preset in PRESETS for seed in SEEDS), "speed")
AFTER_TRAINING = ("UQ0.8", "UQ0.4")
IN_TRAINING = ("UQ0.4", "UQ0.2")
SPEED_IMAGES = 400


def measure(part: str) -> dict[str, Any]:
    if part == "speed":
        return measure_speed()
    preset, seed = part.split("-seed-")
    return measure_accuracy(preset, int(seed))


def measure_accuracy(preset: str, seed: int) -> dict[str, Any]:
    """Return the accuracies of one preset with one seed; one float network serves all formats."""
    started = time.process_time()
    chosen = with_settings(presets.load(preset), {"passes": PASSES})
    data = fspinn.datasets.load(presets.dataset_of(preset), validation=0, seed=seed)
    accuracies: dict[str, float] = {}
    saturations: dict[str, int] = {}

    def note(name: str, model: Model) -> None:
        tested = fspinn.evaluate(model, data.test, seed=seed, threads=1)
        accuracies[name] = 100 * tested.accuracy
        if tested.state_range is not None:
            saturations[name] = tested.state_range.saturations

    model = trained(chosen, data, seed)
    state = str(state_for(model.network.layers[0].neuron.firing_threshold))
    note("float32", model)
    for weights in AFTER_TRAINING:
        note(f"{weights} after training", quantize(model, weights))
        note(f"{weights} after training, integers", quantize(model, weights, state=state))
    for weights in IN_TRAINING:
        note(f"{weights} in training, integers", trained(chosen, data, seed, weights=weights))
    return {
        "settings": settings_of(chosen),
        "seeds": (seed,),
        "readout": chosen.readout,
        "state": state,
        "accuracies": accuracies,
        "saturations": saturations,
        "processor_minutes": (time.process_time() - started) / 60,
    }


def trained(chosen: Preset, data: Dataset, seed: int, **more: Any) -> Model:
    """Return a network that has learned, with its readout."""
    learned = learn(chosen.network, data, chosen.learner, seed=seed, progress=False, **more)
    return fit_readouts(learned, data, [chosen.readout], threads=1)[0]


def measure_speed() -> dict[str, Any]:
    """Return seconds per image of both engines, 1600 neurons, in rounds in which they take turns."""
    chosen = with_settings(presets.load("mnist-1600"), {"passes": 1})
    data = fspinn.datasets.load("mnist", validation=0)
    model = trained(chosen, replace(data, train=data.train.first(6000)), 0)
    images = np.ascontiguousarray(data.test.images[:SPEED_IMAGES])
    state = str(state_for(model.network.layers[0].neuron.firing_threshold))
    how: dict[str, Any] = {"seed": 0, "threads": 1}
    plans = {"float32": plan_of(model)}
    for weights in AFTER_TRAINING:
        small = quantize(model, weights, state=state)
        plans[weights] = plan_of(small)
    seconds: dict[str, list[float]] = {name: [] for name in plans}
    for number in range(1 + ROUNDS):
        for name, plan in plans.items():
            started = time.process_time()
            respond(plan, images, **how)
            if number > 0:  # the first compiles
                seconds[name].append((time.process_time() - started) / len(images))
    return {
        "settings": settings_of(chosen),
        "seeds": (0,),
        "images": len(images),
        "state": state,
        "seconds": seconds,
    }


def render(results: Results) -> str:
    accuracies, notes = {name: result for name, result in results.items() if name != "speed"}, []
    rows = []
    names = list(dict.fromkeys(name for result in accuracies.values() for name in result["accuracies"]))
    for preset in PRESETS:
        measured = [result for name, result in accuracies.items() if name.startswith(f"{preset}-seed-")]
        if measured:
            rows.append([f"`{preset}`", *(cell(measured, name) for name in names)])
    text = table(["preset", *(f"{name} (%)" for name in names)], rows)
    if accuracies:
        state = ", ".join(dict.fromkeys(result["state"] for result in accuracies.values()))
        saturations = sum(sum(result["saturations"].values()) for result in accuracies.values())
        notes.append(
            f"{PASSES} passes over all training images (fewer than the presets say, for floats as well), the "
            "whole test set of 10,000, readout `proportion` (8 bits beside weights of few bits); mean ± "
            f"standard deviation over seeds {', '.join(map(str, SEEDS))}, in brackets the mean difference to "
            "float32 with the same seed, in points. Weights are rounded to nearest after training, and "
            f"stochastically in it. Integers: potentials and thresholds too ({state}), no float in the loop; "
            f"{saturations} saturations on the test images."
        )
    if "speed" in results:
        seconds = results["speed"]["seconds"]
        best = {name: min(several) for name, several in seconds.items()}
        ratios = ", ".join(
            f"{best['float32'] / best[weights]:.2f} times as many with {weights}"
            for weights in AFTER_TRAINING
        )
        notes.append(
            f"Inference with 1600 neurons on MNIST, one core, best of {ROUNDS} rounds in turn: float engine "
            f"{1 / best['float32']:,.0f} samples/s, integer engine {ratios} (a weight takes a byte in both)."
        )
    return f"{text}\n\n{' '.join(notes)} {machines(results)}."


def cell(measured: list[dict[str, Any]], name: str) -> str:
    """Return mean and spread of the accuracies, and the mean difference to float32."""
    values = [result["accuracies"][name] for result in measured]
    if name == "float32":
        return spread(values)
    lost = [result["accuracies"][name] - result["accuracies"]["float32"] for result in measured]
    return f"{spread(values)} ({np.mean(lost):+.2f})"


if __name__ == "__main__":
    run("fixed_point", PARTS, measure, render)
