"""The four published systems that fspinn implements: what each claims, what was found here, how to run it.

    python benchmarks/systems.py [summary] [--write]

Measures nothing itself: it takes its figures from the results of the other benchmarks. The published figures
are those of the abstracts, of their data, networks and hardware; ours are of others, and repeat none of them.
"""

from collections.abc import Sequence
from typing import Any

import activity
import conversion
import headline
import numpy as np
import pareto
import sweep
from cost_model import SIMULATOR
from tables import Results, kept, run, table

PARTS = ("summary",)


def measure(part: str) -> dict[str, Any]:
    rows = [*_mechanisms(), *_leak_and_threshold(), *_activity(), *_pareto()]
    return {"rows": rows}


def _mechanisms() -> list[list[str]]:
    found = []
    for part, result in kept("headline", headline.PARTS).items():
        baseline, fspinn = (
            headline.accuracy_of(result["networks"][name], "integers") for name in headline.NETWORKS
        )
        column = result["column"]
        times = {
            (account, bits): headline.times_of(result, account, bits)
            for account, bits in ((SIMULATOR, (32, 8)), (headline.CHIP, (8, 8)))
        }
        found.append(
            f"{part}, {headline.NEURONS:,} neurons, one pass: {fspinn:.1f} % with 8 bits against "
            f"{baseline:.1f} of the baseline; accounted as by a simulator, 32 to 8 bits, memory, training "
            f"and inference {_listed(times[SIMULATOR, (32, 8)])} times less, on a chip at equal bits "
            f"{_listed(times[headline.CHIP, (8, 8)])}; a column has "
            f"{np.mean([one['accuracy'] for one in column]):.1f} % in {column[0]['memory'] / 8192:.2f} KiB"
        )
    return [
        [
            "FSpiNN (Putra and Shafique, 2020)",
            "7.5 times less memory; 3.5 and 1.8 times less energy in training and inference, without loss of "
            "accuracy (MNIST, Fashion-MNIST)",
            "; ".join(found),
            "`benchmarks/headline.py`, `benchmarks/ablation.py`; `fspinn train --set rule=timestep`",
        ]
    ] * bool(found)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)


def _leak_and_threshold() -> list[list[str]]:
    found = []
    for part, result in kept("sweep", sweep.PARTS).items():
        points = [sweep.sweep_point(one) for one in result["points"]]
        trades = [
            sweep.Trade(points[one["default"]], points[one["point"]])
            for one in result["trades"]
            if one["fastest"]
        ]
        best = max(trades, key=lambda one: one.latency_saved)
        found.append(
            f"{part}: latency {sweep.sign(100 * best.latency_saved, ' %')}, spikes "
            f"{sweep.sign(100 * best.spikes_saved, ' %')}, accuracy "
            f"{sweep.sign(100 * best.accuracy_lost, ' points')}"
        )
    return [
        [
            "Surrogate, beta and threshold (Aliyev and Adegbija, DATE 2024)",
            "48 % less latency for 2.88 points; 1.72 times the FPS/W (SVHN, an FPGA)",
            "the best of each grid, a model of the FPGA: " + "; ".join(found),
            "`benchmarks/sweep.py`; `fspinn sweep --learner surrogate --beta ... --threshold ...`",
        ]
    ]


def _activity() -> list[list[str]]:
    found = []
    for part, result in kept("activity", activity.SUPERVISED).items():
        (_, none), *others = activity.compared_ones(part, result)
        penalised = [(name, several) for name, several in others if not name.startswith("none")]
        if not penalised:
            found.append(f"{part}: none at so little loss")
            continue
        name, best = max(penalised, key=lambda one: _fewer(none, one[1], 1, "validation"))
        found.append(
            f"{part} {_fewer(none, best, 1):.1f} times fewer after the first layer, "
            f"{_fewer(none, best, 0):.1f} in all ({name})"
        )
    for part, result in kept("conversion", tuple(conversion.PARTS)).items():
        best, *others = conversion.chosen_ones(result)
        least = min(others, key=lambda one: float(one.mean("validation", "operations").sum()))
        found.append(
            f"{part}, converted ANNs: {least.fewer(best, 0):.1f} times fewer in all than the best one "
            f"({least.name}; {least.steps} time steps in place of {best.steps})"
        )
    return [
        [
            "Activity regularization (Narduzzi and others, ICASSP 2022)",
            "less consumption of ANNs and of spiking networks converted from them; no figure could be read",
            "synaptic operations at no more than 0.3 points of accuracy, trained directly: "
            + "; ".join(found),
            "`benchmarks/activity.py`; `fspinn train --learner surrogate --set penalty=l1`",
        ]
    ] * bool(found)


def _fewer(none: activity.Several, several: activity.Several, after: int, split: str = "test") -> float:
    """Return how many times fewer synaptic operations there are in all layers after so many."""
    before, left = (activity.met(each, split)[after:].sum() for each in (none, several))
    return float(before / left)


def _pareto() -> list[list[str]]:
    found = []
    for part, result in kept("pareto", pareto.PARTS).items():
        best = [one["best"] for one in result["found"]["gp"] if one["best"] is not None]
        if best:
            steps, learning = (
                result["given"][name] / np.mean([one[name] for one in best])
                for name in ("time_steps", "training_steps")
            )
            found.append(
                f"{part}, `{pareto.STUDIES[part].learner.kind}`: {steps:.1f} times fewer time steps, "
                f"{learning:.1f} times less learning ({len(best)} of {len(result['found']['gp'])} seeds)"
            )
    return [
        [
            "Bayesian Pareto tuning (Parsa and others, ICONS 2021)",
            "more than 5 times less training and inference time (SLAYER, DVS Gesture); 30 % fewer time steps "
            "(HYBRID, CIFAR-10)",
            "as accurate on validation images as with the settings as given; " + "; ".join(found),
            "`benchmarks/pareto.py`; `fspinn search --strategy bayes --learner surrogate --minimize "
            "time_steps,training_steps`",
        ]
    ] * bool(found)


def render(results: Results) -> str:
    head = ["system", "what it claims (its data)", "what was found here (ours)", "how to run it"]
    return table(head, results["summary"]["rows"])


if __name__ == "__main__":
    run("systems", PARTS, measure, render)
