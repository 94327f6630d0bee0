"""ANNs that become spiking networks, with and without penalties, compared at equal accuracy.

    python benchmarks/conversion.py [PART ...] [--write]

Needs torch. The question is that of Narduzzi, Bigdeli, Liu and Dunbar (ICASSP 2022, arXiv 2204.01460). One
ANN is trained for each penalty and strength, and converted for each number of time steps. All strengths are
tried with one seed, the strongest that lose little with three; what is compared is chosen on validation
images, the test images are only reported on. Learning runs on one core.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from activity import CLASSES, HARDWARE, NONE, without_silent
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
LEARNED = 30_000

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
}
"""In a single layer ``synops`` is ``l1``."""

STEPS = {2: 0.5, 3: 0.5, 4: 0.5, 6: 0.5, 8: 0.5, 16: 1.0, 32: 1.0}
"""Time steps, and the threshold that does for them; the ANN sees rates of the most."""

STEPS_TUNED, TUNING_PASSES = (2, 3, 4), 4
"""Time steps of networks that are tuned too, whose ANN sees rates of these steps, and in how many passes."""

CONVERTED = tuple(str(steps) for steps in STEPS)
TUNED = tuple(f"{steps}, tuned" for steps in STEPS_TUNED)
"""The two ways to a network, by the names of their time steps."""

EQUAL = 0.3
"""Points of validation accuracy that count as none."""

Trial = dict[str, Any]
Several = list[Trial]
"""The trials of one penalty and strength, one for each seed."""


def measure(part: str) -> dict[str, Any]:
    images, layers = PARTS[part]
    none = _trial(images, layers, *NONE, SEEDS[0])
    trials, again = [none], [NONE]
    for kind in STRENGTHS:
        tried = [_trial(images, layers, kind, strength, SEEDS[0]) for strength in STRENGTHS[kind]]
        trials += tried
        least = _best([none]) - EQUAL
        enough = [one for one in tried if _fewest([one], (*CONVERTED, *TUNED), least) is not None]
        again += [(kind, one["strength"]) for one in enough[-1:]]
    trials += [_trial(images, layers, *how, seed) for seed in SEEDS[1:] for how in again]
    return {"seeds": SEEDS, "trials": trials}


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
    for steps in STEPS_TUNED:
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
    return max(float(_mean(several, steps, "validation", "accuracy")) for steps in CONVERTED)


def _fewest(several: Several, ways: Sequence[str], least: float) -> str | None:
    """Return the time steps with the fewest operations among some that are accurate enough."""
    operations = {
        steps: float(_mean(several, steps, "validation", "operations").sum())
        for steps in ways
        if _mean(several, steps, "validation", "accuracy") >= least
    }
    return min(operations, key=operations.__getitem__) if operations else None


def _groups(result: dict[str, Any]) -> dict[tuple[str, float], Several]:
    """Return the trials by penalty and strength, where all seeds were tried."""
    found: dict[tuple[str, float], Several] = {}
    for one in result["trials"]:
        found.setdefault((one["penalty"], one["strength"]), []).append(one)
    return {key: several for key, several in found.items() if len(several) == len(SEEDS)}


@dataclass(frozen=True)
class Chosen:
    """What is compared: trials of a penalty at so many time steps, against the same way without one."""

    name: str
    several: Several
    steps: str
    against: "Chosen | None"

    def mean(self, split: str, name: str) -> Any:
        return _mean(self.several, self.steps, split, name)

    def fewer(self, other: "Chosen", after: int) -> float:
        """Return how many times fewer operations it has than another, after so many layers."""
        before, left = (one.mean("test", "operations")[after:].sum() for one in (other, self))
        return float(before / left)


def chosen_ones(result: dict[str, Any]) -> Iterator[Chosen]:
    """Yield the best that is converted without a penalty, then of each way the fewest operations."""
    groups = _groups(result)
    none = groups[NONE]
    best = _best(none)
    first = _fewest(none, CONVERTED, best)
    assert first is not None
    yield Chosen("none, the best", none, first, None)
    for ways in (CONVERTED, TUNED):
        without = None
        for kind in ("none", *STRENGTHS):
            found = []
            for (penalty, strength), several in groups.items():
                steps = _fewest(several, ways, best - EQUAL)
                if penalty == kind and steps is not None:
                    done = float(_mean(several, steps, "validation", "operations").sum())
                    found.append((done, strength, steps))
            if found:
                _, strength, steps = min(found)
                name = kind if kind == "none" else f"{kind}, {strength:g}"
                one = Chosen(name, groups[kind, strength], steps, without)
                without = one if kind == "none" else without
                yield one


def render(results: Results) -> str:
    blocks = [_compared(results), _note(results), _anns(results), _courses(results), f"{machines(results)}."]
    return "\n\n".join(blocks)


def _compared(results: Results) -> str:
    rows = []
    for part, result in results.items():
        best, *others = chosen_ones(result)
        for one in (best, *others):
            lost = one.mean("validation", "accuracy") - best.mean("validation", "accuracy")
            times = [
                "" if other is None else f"{one.fewer(other, after):.2f}"
                for after in (0, 1)
                for other in (best, one.against)
            ]
            energy = best.mean("test", "energy_nj") / one.mean("test", "energy_nj")
            rows.append(
                [
                    part,
                    one.name,
                    one.steps,
                    f"{lost:+.2f}",
                    spread([each["steps"][one.steps]["test"]["accuracy"] for each in one.several]),
                    _added(np.mean([each["steps"][one.steps]["neurons"] for each in one.several], axis=0)),
                    _added(one.mean("test", "operations")),
                    *times,
                    *(f"{value:.2f}" for value in energy),
                ]
            )
    head = ["images", "penalty, strength", "steps", "validation (points)", "test (%)", "neurons"]
    head += ["SynOps", "fewer than the best (times)", "than none, the same way"]
    head += ["after the first layer: fewer than the best (times)", "than none, the same way"]
    return table([*head, *(f"less energy, {name} (times)" for name in HARDWARE)], rows)


def _added(values: Any) -> str:
    return " + ".join(f"{value:,.0f}" for value in values)


def _note(results: Results) -> str:
    return (
        "`hybrid`: ANNs of ReLUs without biases, 784-200, "
        f"{Hybrid().ann_passes} passes over {LEARNED:,} training images, converted into networks without "
        f"leak, `regular` input, thresholds of the {Hybrid().percentile:g} % percentile (half of it up to "
        "8 steps), potentials that start at 0, readout `linear`, fitted on spike counts, floats; those that "
        f"are called tuned saw {TUNING_PASSES} passes of surrogate gradients. First the best network that is "
        "converted without a penalty, over the number of time steps; then, converted and tuned, of no "
        f"penalty and of each the fewest synaptic operations that lose at most {EQUAL} points of validation "
        f"accuracy against it, the mean of seeds {seeds(results)} (10,000 images each); all else "
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
    head = [f"{steps} steps" for steps in STEPS] + [f"{steps} steps, tuned" for steps in STEPS_TUNED]
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
    for kind in ("none", *STRENGTHS):
        several = [one for one in result["trials"] if one["penalty"] == kind and one["seed"] == SEEDS[0]]
        found = [one["ann"]["validation"] for one in several]
        macs = [sum(one["macs"][1:]) for one in found]
        anns.append(Series(kind, macs, [one["accuracy"] for one in found]))
        courses = [[one["steps"][str(steps)]["validation"] for steps in STEPS] for one in several]
        best = max(courses, key=lambda course: max(one["accuracy"] for one in course))
        operations = [sum(one["operations"]) for one in best]
        networks.append(Series(kind, operations, [one["accuracy"] for one in best], line="-"))
    lowest = anns[0].accuracies[0] - 3
    return [
        Panel(f"{part}: ANNs", "effective MACs after the first layer, for an image", anns, lowest),
        Panel(f"{part}: converted, 2 to 32 steps", "synaptic operations for an image", networks, lowest),
    ]


if __name__ == "__main__":
    run("conversion", tuple(PARTS), measure, render, picture)
