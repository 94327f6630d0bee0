"""ANNs that become spiking networks, with and without penalties, compared at equal accuracy.

    python benchmarks/conversion.py [PART ...] [--write]

Needs torch. The question is that of Narduzzi, Bigdeli, Liu and Dunbar (ICASSP 2022, arXiv 2204.01460). One
ANN is trained for each penalty and strength, and converted for each number of time steps. All strengths are
tried with one seed, the strongest that lose little with three; what is compared is chosen on validation
images, the test images are only reported on. Learning runs on one core.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from activity import CLASSES, HARDWARE, LEARNED, NONE, without_silent
from pictures import Panel, Series, draw
from tables import Results, machines, run, seeds, spread, table

import fspinn
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.datasets import Dataset, Split
from fspinn.learning.curve import Curve
from fspinn.learning.fitting import Learned, fit_readouts
from fspinn.learning.training import learn
from fspinn.memmodel import load_hardware
from fspinn.model.activity import Activity
from fspinn.model.tensors import LayerTensors
from fspinn.network import Hybrid, Network
from fspinn.network.encoders import BatchEncoder, encoding_of
from fspinn.search.costs import counted_cost

if TYPE_CHECKING:  # they need torch, and tables do not
    from fspinn.learning.surrogate.conversion import Ann
    from fspinn.learning.surrogate.runs import Run

SEEDS = (0, 1, 2)

PARTS: dict[str, tuple[str, tuple[int, ...]]] = {
    "mnist": ("mnist", (200,)),
    "fashion-mnist": ("fashion-mnist", (200,)),
}
"""Which images, and the neurons of each layer."""

STRENGTHS: dict[str, tuple[float, ...]] = {
    "l1": (0.15, 0.3, 1.0),
    "l2": (0.5, 1.0, 3.0),
    "hoyer": (0.05, 0.1),
    "hoyer-square": (0.05, 0.1),
    "synops": (0.3, 1.0),
}
"""In a single layer ``synops`` is ``l1``."""

STEPS = {2: 0.5, 3: 0.5, 4: 0.5, 6: 0.5, 8: 0.5, 16: 1.0, 32: 1.0}
"""Time steps, and the threshold that does for them; the ANN sees rates of the most."""

TUNED, TUNING_PASSES = (2, 3, 4), 4
"""Time steps of networks that are tuned too, whose ANN sees rates of these steps, and in how many passes."""

EQUAL = 0.3
"""Points of validation accuracy that count as none."""

Trial = dict[str, Any]
Several = list[Trial]
"""The trials of one penalty and strength, one for each seed."""


def measure(part: str) -> dict[str, Any]:
    images, layers = PARTS[part]
    none = _trial(images, layers, *NONE, SEEDS[0])
    trials, again = [none], [NONE]
    for kind in _kinds(part):
        tried = [_trial(images, layers, kind, strength, SEEDS[0]) for strength in STRENGTHS[kind]]
        trials += tried
        least = _best([none]) - EQUAL
        enough = [one for one in tried if _fewest([one], least, after=1) is not None]
        again += [(kind, one["strength"]) for one in enough[-1:]]
    trials += [_trial(images, layers, *how, seed) for seed in SEEDS[1:] for how in again]
    return {"seeds": SEEDS, "trials": trials}


def _kinds(part: str) -> list[str]:
    return [kind for kind in STRENGTHS if kind != "synops" or len(PARTS[part][1]) > 1]


def _trial(images: str, layers: tuple[int, ...], penalty: str, strength: float, seed: int) -> Trial:
    import torch

    from fspinn.learning.surrogate.conversion import trained

    data = fspinn.datasets.load(images, seed=seed)
    data = replace(data, train=data.train.first(LEARNED))
    learner = Hybrid(passes=0)
    if (penalty, strength) != NONE:
        learner = replace(learner, penalty=penalty, penalty_strength=strength)
    of_steps = {steps: _run_of(layers, steps, learner, data, seed) for steps in STEPS}
    torch.set_num_threads(1)
    ann = trained(of_steps[max(STEPS)])
    found: Trial = {"penalty": penalty, "strength": strength, "seed": seed}
    found["ann"] = {split: _of_ann(ann, of_steps[max(STEPS)], getattr(data, split)) for split in _SPLITS}
    found["steps"] = {str(steps): _measured(_converted(ann, one), data) for steps, one in of_steps.items()}
    for steps in TUNED:
        tuned = replace(learner, passes=TUNING_PASSES)
        learned = learn(of_steps[steps].network, data, tuned, seed=seed, progress=False)
        found["steps"][f"{steps}, tuned"] = _measured(learned, data)
    print(penalty, strength, seed, f"{found['ann']['test']['accuracy']:.2f}", _briefly(found), flush=True)
    return found


_SPLITS = ("validation", "test")


def _run_of(layers: tuple[int, ...], steps: int, learner: Hybrid, data: Dataset, seed: int) -> "Run":
    from fspinn.learning.surrogate.layers import parts_of
    from fspinn.learning.surrogate.runs import Run

    network = Network.converted(layers, duration_ms=float(steps), threshold=STEPS[steps])
    parts, encoder = parts_of(network, learner, data.image_shape), BatchEncoder(encoding_of(network))
    return Run(network, learner, data, data.train.labels, parts, np.arange(LEARNED), seed, encoder)


def _of_ann(ann: "Ann", run: "Run", split: Split) -> dict[str, Any]:
    """Return how accurate the ANN is, and its effective MACs: inputs that are not 0 x neurons."""
    import torch

    spikes = run.encoder.encode(split.images, run.seed, INFERENCE_SPIKES)
    with torch.no_grad():
        sums, activations = ann.answer(spikes)
        right = ann.output.scores(sums).argmax(dim=1).numpy() == split.labels
    inputs = spikes.counts(int(np.prod(run.data.image_shape)))
    active = [inputs, *(one.counts.numpy() for one in activations)]
    fan_outs = [*(layer.neurons for layer in run.network.layers), CLASSES]
    macs = [float(np.count_nonzero(one) / len(split) * n) for one, n in zip(active, fan_outs, strict=True)]
    return {"accuracy": 100 * float(right.mean()), "macs": macs}


def _converted(ann: "Ann", run: "Run") -> Learned:
    """Return the spiking network of so many time steps that an ANN becomes."""
    from fspinn.learning.surrogate.conversion import spiking

    weights, _ = spiking(run, ann)
    layers = tuple(
        LayerTensors.of_floats(one.detach().numpy(), np.zeros(one.shape[1], np.float32)) for one in weights
    )
    nothing = (Activity(),) * len(layers), 0.0, Curve.start(run.network.features, CLASSES)
    return Learned(run.network, run.learner, layers, (0,) * len(layers), run.seed, *nothing)


def _measured(learned: Learned, data: Dataset) -> dict[str, Any]:
    """Return what a network does, without the neurons that never spike."""
    learned = without_silent(learned, data)
    (model,) = fit_readouts(learned, data, ["linear"], threads=1)
    found: dict[str, Any] = {"neurons": [layer.neurons for layer in learned.network.layers]}
    for split in _SPLITS:
        measured = fspinn.evaluate(model, getattr(data, split), seed=learned.seed, threads=1)
        done = measured.activity
        found[split] = {
            "accuracy": 100 * measured.accuracy,
            "operations": [
                *(one.per_sample("synaptic_additions") for one in done),
                done[-1].per_sample("output_spikes") * CLASSES,
            ],
            "energy_nj": [
                counted_cost(model, done, load_hardware(name)).energy_pj / 1e3 for name in HARDWARE
            ],
        }
    return found


def _mean(several: Several, steps: str, split: str, name: str) -> Any:
    return np.mean([one["steps"][steps][split][name] for one in several], axis=0)


def _best(several: Several) -> float:
    """Return the highest accuracy on validation images that conversion has, over the time steps."""
    return max(float(_mean(several, str(steps), "validation", "accuracy")) for steps in STEPS)


def _fewest(several: Several, least: float, after: int) -> str | None:
    """Return the time steps with the fewest operations after so many layers that are accurate enough."""
    enough = [
        steps for steps in several[0]["steps"] if _mean(several, steps, "validation", "accuracy") >= least
    ]
    operations = {s: float(_mean(several, s, "validation", "operations")[after:].sum()) for s in enough}
    return min(operations, key=operations.__getitem__) if operations else None


def _groups(result: dict[str, Any]) -> dict[tuple[str, float], Several]:
    """Return the trials by penalty and strength, where all seeds were tried."""
    found: dict[tuple[str, float], Several] = {}
    for one in result["trials"]:
        found.setdefault((one["penalty"], one["strength"]), []).append(one)
    return {key: several for key, several in found.items() if len(several) == len(SEEDS)}


def _chosen(part: str, result: dict[str, Any]) -> Iterator[tuple[str, Several, str]]:
    """Yield what is compared, with its time steps: the best without a penalty, then the fewest operations."""
    groups = _groups(result)
    none = groups[NONE]
    best = _best(none)
    yield "none, the best", none, str(_fewest(none, best, after=0))
    for kind in ("none", *_kinds(part)):
        found = []
        for (penalty, strength), several in groups.items():
            for after in (1, 0):
                steps = _fewest(several, best - EQUAL, after)
                if penalty == kind and steps is not None:
                    done = float(_mean(several, steps, "validation", "operations")[after:].sum())
                    found.append((after, done, strength, steps))
        for after in (1, 0):
            some = [one for one in found if one[0] == after]
            if some:
                _, _, strength, steps = min(some)
                name = kind if kind == "none" else f"{kind}, {strength:g}"
                yield name, groups[kind, strength], steps


def render(results: Results) -> str:
    blocks = [_compared(results), _note(results), _anns(results), _courses(results), f"{machines(results)}."]
    return "\n\n".join(blocks)


def _compared(results: Results) -> str:
    rows = []
    for part, result in results.items():
        chosen = list(_chosen(part, result))
        best, fewest = chosen[0], chosen[1]
        for name, several, steps in _once(chosen):
            ops = _mean(several, steps, "test", "operations")
            against = [_mean(one[1], one[2], "test", "operations") for one in (best, fewest)]
            energy = _mean(best[1], best[2], "test", "energy_nj") / _mean(several, steps, "test", "energy_nj")
            lost = _mean(several, steps, "validation", "accuracy") - _mean(
                best[1], best[2], "validation", "accuracy"
            )
            rows.append(
                [
                    part,
                    name,
                    steps,
                    f"{STEPS[int(steps.partition(',')[0])]:g}",
                    f"{lost:+.2f}",
                    spread([one["steps"][steps]["test"]["accuracy"] for one in several]),
                    _added(np.mean([one["steps"][steps]["neurons"] for one in several], axis=0)),
                    _added(ops),
                    *(f"{other.sum() / ops.sum():.2f}" for other in against),
                    *(f"{other[1:].sum() / ops[1:].sum():.2f}" for other in against),
                    *(f"{one:.2f}" for one in energy),
                ]
            )
    head = ["images", "penalty, strength", "steps", "threshold", "validation (points)", "test (%)", "neurons"]
    head += ["SynOps", "fewer (times)", "fewer than none at its fewest"]
    head += ["after the first layer: fewer (times)", "fewer than none at its fewest"]
    return table([*head, *(f"less energy, {name} (times)" for name in HARDWARE)], rows)


def _once(chosen: list[tuple[str, Several, str]]) -> Iterator[tuple[str, Several, str]]:
    """Yield each of them once."""
    yield from {(name, steps): (name, several, steps) for name, several, steps in chosen}.values()


def _added(values: Any) -> str:
    return " + ".join(f"{value:,.0f}" for value in values)


def _note(results: Results) -> str:
    return (
        "`hybrid`: ANNs of ReLUs without biases, 784-200 (`-layers`: 784-200-200), "
        f"{Hybrid().ann_passes} passes over {LEARNED:,} training images, converted into networks without "
        f"leak, `regular` input, thresholds of the {Hybrid().percentile:g} % percentile (half of it up to "
        "8 steps), potentials that start at 0, readout `linear`, fitted on spike counts, floats; those that "
        f"are called tuned saw {TUNING_PASSES} passes of surrogate gradients. First the best network that is "
        "converted without a penalty, over the number of time steps; then of no penalty and of each the "
        f"fewest synaptic operations, after the first layer or in all, that lose at most {EQUAL} points of "
        f"validation accuracy against it, the mean of seeds {seeds(results)} (10,000 images each); all else "
        "is of test images. SynOps are spikes x fan-out, layer by layer, the last number of the readout, if "
        "a row of its table is added at each spike. Neurons that never spike for any training image are "
        "dropped, with no penalty too. Below, the ANNs: effective MACs are inputs or activations that are "
        "not 0 times the neurons that they meet (NeuroBench), layer by layer, the last number of the "
        "readout; and networks over the number of steps. Both are of seed 0."
    )


def _anns(results: Results) -> str:
    rows = []
    for part, result in results.items():
        (before,) = _of_seed_0(result, *NONE)
        for one in result["trials"]:
            if one["seed"] == SEEDS[0]:
                ann, macs = one["ann"], np.array(one["ann"]["test"]["macs"])
                times = np.sum(before["ann"]["test"]["macs"][1:]) / macs[1:].sum()
                rows.append(
                    [
                        part,
                        _named(one),
                        f"{ann['validation']['accuracy']:.2f}",
                        f"{ann['test']['accuracy']:.2f}",
                        _added(macs),
                        f"{times:.2f}",
                    ]
                )
    head = ["images", "penalty, strength of the ANN", "validation (%)", "test (%)", "effective MACs"]
    return table([*head, "fewer after the first layer (times)"], rows)


def _courses(results: Results) -> str:
    """All networks over the number of steps, with the first seed."""
    rows = [
        [part, _named(one), *(_at(one, steps) for steps in one["steps"])]
        for part, result in results.items()
        for one in result["trials"]
        if one["seed"] == SEEDS[0]
    ]
    head = [f"{steps} steps" for steps in STEPS] + [f"{steps} steps, tuned" for steps in TUNED]
    return table(["images", "penalty, strength: validation (%) and SynOps, layer by layer", *head], rows)


def _of_seed_0(result: dict[str, Any], penalty: str, strength: float) -> Several:
    how = penalty, strength, SEEDS[0]
    return [one for one in result["trials"] if (one["penalty"], one["strength"], one["seed"]) == how]


def _named(one: Trial) -> str:
    return "none" if one["penalty"] == "none" else f"{one['penalty']}, {one['strength']:g}"


def _at(one: Trial, steps: str) -> str:
    found = one["steps"][steps]["validation"]
    return f"{found['accuracy']:.2f}: {_added(found['operations'])}"


def _briefly(one: Trial) -> str:
    return "; ".join(f"{steps}: {_at(one, steps)}" for steps in one["steps"])


def picture(results: Results) -> None:
    """Draw the ANNs against their MACs, and networks over the number of steps against their SynOps."""
    draw("conversion", [_panels(part, result) for part, result in results.items()])


def _panels(part: str, result: dict[str, Any]) -> list[Panel]:
    anns, networks = [], []
    for kind in ("none", *_kinds(part)):
        several = [one for one in result["trials"] if one["penalty"] == kind and one["seed"] == SEEDS[0]]
        found = [one["ann"]["validation"] for one in several]
        macs = [sum(one["macs"]) for one in found]
        anns.append(Series(kind, macs, [one["accuracy"] for one in found]))
        courses = [[one["steps"][str(steps)]["validation"] for steps in STEPS] for one in several]
        best = max(courses, key=lambda course: max(one["accuracy"] for one in course))
        operations = [sum(one["operations"]) for one in best]
        networks.append(Series(kind, operations, [one["accuracy"] for one in best], line="-"))
    lowest = anns[0].accuracies[0] - 3
    return [
        Panel(f"{part}: ANNs", "effective MACs for an image", anns, lowest),
        Panel(f"{part}: converted, 2 to 32 steps", "synaptic operations for an image", networks, lowest),
    ]


if __name__ == "__main__":
    run("conversion", tuple(PARTS), measure, render, picture)
