"""Accuracy of the presets on the whole test set, with every readout.

    python benchmarks/accuracy.py [PRESET ...] [--write]

Every setting was chosen on a validation split of the training images; here the network learns from all of
them, and the test images are only reported on.
"""

import time
from dataclasses import replace
from typing import Any

from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn import presets
from fspinn.base.settings import settings_of, with_settings
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.model.readout import READOUTS

SEEDS = (0, 1, 2)
PARTS = ("mnist-100", "mnist-400", "mnist-1600", "fashion-mnist-100", "fashion-mnist-400")
PUBLISHED = {
    "mnist-100": "82.9 (D&C 2015), 80.9 (BindsNET, all-activity)",
    "mnist-400": "87.0 (D&C 2015), 89.1 (BindsNET, all-activity)",
    "mnist-1600": "91.9 (D&C 2015)",
}


def measure(name: str) -> dict[str, Any]:
    settings = settings_of(presets.load(name)) | {"linear": graded(name)}
    return {"settings": settings, "seeds": SEEDS, "answers": [answer(name, seed) for seed in SEEDS]}


def graded(name: str) -> dict[str, float]:
    """Return how the same weights answer for the readout `linear`, as its preset says."""
    settings = settings_of(presets.load(f"{name}-linear"))
    return {key: value for key, value in settings.items() if key.startswith("answer")}


def answer(name: str, seed: int) -> dict[str, float]:
    preset = presets.load(name)
    data = fspinn.datasets.load(presets.dataset_of(name), validation=0, seed=seed)
    started = time.perf_counter()
    learned = learn(preset.network, data, preset.learner, seed=seed)
    answer = {"minutes": (time.perf_counter() - started) / 60}
    for model in fit_readouts(learned, data, [readout for readout in READOUTS if readout != "linear"]):
        tested = fspinn.evaluate(model, data.test, seed=seed)
        answer[model.readout.name] = 100 * tested.accuracy
        answer["spikes"] = tested.spikes_per_sample
    network = with_settings(learned.network, graded(name))
    (model,) = fit_readouts(replace(learned, network=network), data, ["linear"])
    answer["linear"] = 100 * fspinn.evaluate(model, data.test, seed=seed).accuracy
    return answer


def render(results: Results) -> str:
    rows = []
    for name, result in results.items():
        answers = result["answers"]
        rows.append(
            [
                f"`{name}`",
                result["settings"]["passes"],
                *(spread([answer[readout] for answer in answers]) for readout in READOUTS),
                spread([answer["spikes"] for answer in answers], "{:.1f}"),
                spread([answer["minutes"] for answer in answers], "{:.1f}"),
                PUBLISHED.get(name, "none found per size"),
            ]
        )
    head = [
        "preset",
        "passes",
        *(f"`{readout}` (%)" for readout in READOUTS),
        "output spikes an image",
        "minutes",
        "published (%)",
    ]
    note = (
        "All training images, the whole test set of 10,000, readouts fitted on all training labels; mean ± "
        f"standard deviation over seeds {seeds(results)}. For `linear` the same network answers as "
        "its preset with the ending `-linear` says. Training on one core, not alone on the machine. "
        "Published: Diehl & Cook (2015), one network, 40,000 images, 3 and 7 passes, highest mean rate; "
        f"BindsNET's experiments, several seeds. {machines(results)}."
    )
    return f"{table(head, rows)}\n\n{note}"


if __name__ == "__main__":
    run("accuracy", PARTS, measure, render)
