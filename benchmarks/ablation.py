"""Which mechanism helps? Every mechanism of FSpiNN, and our own, on and off.

    python benchmarks/ablation.py [PART ...] [--write]

Two networks are taken apart. ``ours`` is FSpiNN's topology (direct lateral inhibition) as the presets ship
it, with the rule `normalised`, balanced thresholds and the `regular` encoder. ``fspinn`` is this project's
reading of FSpiNN itself, whose formulas could not be read: the rule `timestep` in windows of 100 ms with the
factor ``k = ceil(spikes / 4)``, decaying thresholds after Diehl & Cook, normalised weights, Poisson spikes.
Every other part changes one thing of one of them.

A change may need another threshold or learning rate. So every part, the two unchanged ones too, is first
tuned in the same way (`tuned`) on validation images. Then it learns from all training images, with both
sizes and all seeds, and the test images are only reported on. Parts are kept one by one; each uses all cores.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn.base.cores import available_cores
from fspinn.base.errors import ConfigError
from fspinn.base.settings import settings_of, with_settings
from fspinn.datasets import Dataset, Split
from fspinn.learning.fitting import fit_readouts
from fspinn.learning.training import learn
from fspinn.presets import Preset

SIZES = (400, 100)
SEEDS = (0, 1, 2)
PASSES = 1
LABELLED = 10_000
"""Training images that the readout is fitted on."""
TUNING_NEURONS = 100
TUNING_IMAGES = 20_000
SWEEPS = 2

# Values to start tuning from, here and in PARTS, were found by hand: some seventy runs with 100 neurons over
# 20,000 training images, on 5,000 validation images.
DECAYING = {
    "adaptation": "decaying",
    "threshold": 10.0,
    "inhibition_strength": 1.5,
    "theta_step": 0.05,
    "theta_step_end": 0.05,
    "theta_tau_ms": 1e6,
}
BALANCED = {
    "adaptation": "balanced",
    "threshold": 20.0,
    "inhibition_strength": 0.6,
    "theta_step": 1.0,
    "theta_step_end": 0.0,
}
NORMALISED = {"rule": "normalised", "learning_rate": 0.1, "learning_rate_end": 0.003}
TIMESTEP = {
    "rule": "timestep",
    "window_ms": 100.0,
    "spike_threshold": 4,
    "learning_rate": 0.02,
    "learning_rate_end": 0.002,
    "depression_rate": 0.00005,
}
LAYER = {"inhibition": "layer", "inhibition_ms": 2.0}
RESET = {"inhibition_of": "potential", "inhibition_strength": 1.0}

BASES = {
    "ours": {**NORMALISED, **BALANCED, "encoder": "regular"},
    "fspinn": {**TIMESTEP, **DECAYING, "encoder": "poisson", "normalisation": "l2"},
}

CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "ours": ("as it is", {}),
    "ours-layer": ("a layer inhibits, instead of direct inhibition", LAYER),
    "ours-reset": ("inhibition is a full reset, instead of a chosen part", RESET),
    "ours-uninhibited": ("no inhibition", {"inhibition_strength": 0.0}),
    "ours-windows": ("weights change in windows of 100 ms, instead of once an image", {"window_ms": 100.0}),
    "ours-k": ("with adaptive k = ceil(spikes / 4)", {"spike_threshold": 4}),
    "ours-l2": ("with an L2 normalisation after every image", {"normalisation": "l2"}),
    "ours-decaying": ("decaying thresholds, instead of balanced ones", DECAYING),
    "ours-fixed": ("fixed thresholds", {"adaptation": "off"}),
    "ours-poisson": ("Poisson spikes, instead of regular ones", {"encoder": "poisson"}),
    "ours-postonly": (
        "rule `postonly` (Diehl & Cook), instead of `normalised`",
        {"rule": "postonly", "learning_rate": 0.01, "learning_rate_end": 0.001},
    ),
    "fspinn": ("as it is", {}),
    "fspinn-layer": ("a layer inhibits, instead of direct inhibition", LAYER),
    "fspinn-reset": ("inhibition is a full reset, instead of a chosen part", RESET),
    "fspinn-uninhibited": (
        "no inhibition",
        {"inhibition_strength": 0.0, "learning_rate": 0.04, "learning_rate_end": 0.004},
    ),
    "fspinn-pair": (
        "rule `pair`: an update at every spike, instead of windows",
        {"rule": "pair", "learning_rate": 0.005, "learning_rate_end": 0.0005},
    ),
    "fspinn-k": ("k = 1, instead of adaptive", {"spike_threshold": None}),
    "fspinn-unnormalised": (
        "no normalisation",
        {
            "normalisation": "off",
            "threshold": 5.0,
            "inhibition_strength": 0.75,
            "theta_step": 0.2,
            "theta_step_end": 0.2,
            "learning_rate": 0.01,
            "learning_rate_end": 0.001,
        },
    ),
    "fspinn-balanced": ("balanced thresholds, instead of decaying ones", BALANCED),
    "fspinn-normalised": (
        "rule `normalised`, without normalisation",
        {**NORMALISED, "spike_threshold": None, "normalisation": "off"},
    ),
}
"""What each part changes: in words, and as settings of network and learner."""

PARTS = tuple(CHANGES)
TITLES = {"ours": "Our network, on FSpiNN's topology", "fspinn": "FSpiNN's own rule, as read here"}


def measure(part: str) -> dict[str, Any]:
    _, changes = CHANGES[part]
    base = with_settings(Preset(), {"neurons": TUNING_NEURONS, "passes": PASSES, **BASES[base_of(part)]})
    start = with_settings(base, changes)
    data = images(validation=0)
    with ThreadPoolExecutor(available_cores()) as pool:
        best, trials = tuned(start, pool, images(validation=10_000))
        jobs = list(product(SIZES, SEEDS))
        answers = pool.map(
            lambda job: presented(with_settings(best, {"neurons": job[0]}), data, data.test, seed=job[1]),
            jobs,
        )
        sizes: dict[str, list[dict[str, float]]] = {str(neurons): [] for neurons in SIZES}
        for (neurons, _), answer in zip(jobs, answers, strict=True):
            sizes[str(neurons)].append(answer)
    return {
        "settings": {key: value for key, value in settings_of(best).items() if key != "neurons"},
        "seeds": SEEDS,
        "tuning": {"seed": 0, "neurons": TUNING_NEURONS, "images": TUNING_IMAGES, "trials": trials},
        "sizes": sizes,
    }


def base_of(part: str) -> str:
    return part.split("-")[0]


def tuned(
    start: Preset, pool: Executor, data: Dataset, sweeps: int = SWEEPS
) -> tuple[Preset, list[dict[str, Any]]]:
    """Return what has the chosen values, and the trials: one value after the other, at half and at double.

    What is best on the validation images stays, before the next value has its turn. If any was changed, all
    have a second turn.
    """
    shown = replace(data, train=data.train.first(TUNING_IMAGES))
    accuracies: dict[Preset, float] = {}

    def measure_all(networks: Sequence[Preset]) -> None:
        new = [network for network in networks if network not in accuracies]
        answers = pool.map(lambda network: presented(network, shown, data.validation, seed=0), new)
        accuracies.update((network, answer["accuracy"]) for network, answer in zip(new, answers, strict=True))

    best = start
    measure_all([start])
    for _ in range(sweeps):
        before = best
        for names in tunable(start):
            networks = [
                with_settings(best, {name: factor * settings_of(best)[name] for name in names})
                for factor in (0.5, 2)
            ]
            measure_all(networks)
            best = max([best, *networks], key=accuracies.__getitem__)
        if best == before:
            break
    fields = sorted({name for names in tunable(start) for name in names})
    trials = [
        {**{name: settings_of(network)[name] for name in fields}, "accuracy": accuracy}
        for network, accuracy in accuracies.items()
    ]
    return best, trials


def tunable(start: Preset) -> Iterator[tuple[str, ...]]:
    """Yield the fields that have their turn, those that are scaled together together."""
    settings = settings_of(start)
    yield ("threshold",)
    if settings["inhibition_of"] == "threshold" and settings["inhibition_strength"] > 0:
        yield ("inhibition_strength",)
    if settings["adaptation"] != "off":
        yield "theta_step", "theta_step_end"
    yield "learning_rate", "learning_rate_end"
    if settings["rule"] in ("timestep", "pair"):
        yield ("depression_rate",)


@cache
def images(validation: int) -> Dataset:
    return fspinn.datasets.load("mnist", validation=validation)


def presented(setup: Preset, data: Dataset, asked: Split, seed: int) -> dict[str, float]:
    """Learn from the training images on one core; return the accuracy on others, and counts per image."""
    try:
        learned = learn(setup.network, data, setup.learner, seed=seed, progress=False)
    except ConfigError:  # it never spiked
        return dict.fromkeys(("accuracy", "output_spikes", "weight_writes", "normalisations"), 0.0)
    labelled = replace(data, train=data.train.first(LABELLED))
    (model,) = fit_readouts(learned, labelled, ("proportion",), threads=1)
    answer = fspinn.evaluate(model, asked, seed=seed, threads=1)
    counted, inputs = learned.activity[0].per_sample, model.layer.inputs
    return {
        "accuracy": 100 * answer.accuracy,
        "output_spikes": answer.spikes_per_sample,
        "weight_writes": counted("columns_written") * inputs
        + counted("rows_written") * setup.network.neurons,
        "normalisations": (counted("normalisations") + counted("decays")) * inputs * setup.network.neurons,
    }


def render(results: Results) -> str:
    sizes = sorted(SIZES)
    head = [
        "what is changed",
        *(words for neurons in sizes for words in (f"{neurons} neurons (%)", "difference")),
        "verdict",
        "output spikes",
        "weights learned (thousands)",
        "weights rescaled (thousands)",
    ]
    blocks = []
    for base, title in TITLES.items():
        parts = [part for part in results if base_of(part) == base]
        if base in parts:
            rows = [row(part, results[part], results[base], sizes) for part in parts]
            blocks.append(f"**{title}**\n\n{table(head, rows)}")
    note = (
        f"MNIST, {PASSES} pass over all 60,000 training images, `proportion` readout fitted on {LABELLED:,} "
        f"of them, all 10,000 test images; mean ± standard deviation over seeds {seeds(results)}. "
        "Differences are to the first row, seed by seed; a verdict says better or worse where the 95 % "
        "interval of the difference (t distribution) leaves out 0. Output spikes are those of an answer; "
        "weights learned are those that the rule writes for one training image, weights rescaled those that "
        f"a pass of normalisation writes; all three at {sizes[-1]} neurons. Every row, the first ones too, "
        "had its threshold, inhibition, threshold step and rates chosen on validation images in the same "
        f"way: with {TUNING_NEURONS} neurons and {TUNING_IMAGES:,} images, each at half and at double its "
        "value, one after the other, in two rounds. With a 95 % interval one comparison of equals in twenty "
        f"comes out as a difference. {machines(results)}."
    )
    return "\n\n".join([*blocks, note])


def row(part: str, result: Mapping[str, Any], base: Mapping[str, Any], sizes: Sequence[int]) -> list[str]:
    """Return the cells of one part."""
    words, _ = CHANGES[part]
    cells, verdicts = [words], {}
    for neurons in sizes:
        accuracies = column(result, neurons, "accuracy")
        differences = accuracies - column(base, neurons, "accuracy")
        verdicts[neurons] = verdict(differences)
        difference = f"{np.mean(differences):+.2f} ± {np.std(differences, ddof=1):.2f}"
        cells += [spread(accuracies), "" if part == base_of(part) else difference]
    cells.append("" if part == base_of(part) else overall(verdicts))
    cells.append(spread(column(result, sizes[-1], "output_spikes"), "{:.1f}"))
    for name in ("weight_writes", "normalisations"):
        cells.append(f"{np.mean(column(result, sizes[-1], name)) / 1000:.1f}")
    return cells


def column(result: Mapping[str, Any], neurons: int, name: str) -> NDArray[np.float64]:
    """Return a figure of all seeds."""
    return np.array([answer[name] for answer in result["sizes"][str(neurons)]])


def verdict(differences: NDArray[np.float64]) -> str:
    """Return ``better``, ``worse``, or nothing where 0 is in the 95 % interval of the mean."""
    count = len(differences)
    reach = stats.t.ppf(0.975, count - 1) * np.std(differences, ddof=1) / np.sqrt(count)
    mean = np.mean(differences)
    if abs(mean) <= reach:
        return ""
    return "better" if mean > 0 else "worse"


def overall(verdicts: Mapping[int, str]) -> str:
    """Return the verdicts of all sizes in words."""
    if len(set(verdicts.values())) == 1:
        return next(iter(verdicts.values())) or "no clear difference"
    return ", ".join(f"{words} at {neurons}" for neurons, words in verdicts.items() if words)


if __name__ == "__main__":
    run("ablation", PARTS, measure, render)
