"""How far is the cost model off? Against CACTI, against published chips, and against FSpiNN's own ratios.

    python benchmarks/cost_model.py [PART ...] [--write]

``sram``: errors of the SRAM law on rows of CACTI 7 that its fit has not seen (`sram_law`). ``published``: the
comparisons of `published`. ``cores``: against place-and-route and Verilator, from results of `fpga`.
``ratios``: how much less FSpiNN's mechanisms cost than a layer of inhibitory neurons and an update at every
spike, from counted activity of both on MNIST.
"""

from dataclasses import asdict, replace
from typing import Any

import dense_accounting
import fpga
import numpy as np
import sram_law
from ablation import BASES, CHANGES, LAYER
from published import INCOMPARABLE, comparisons
from tables import Results, kept, machines, run, table

import fspinn
from fspinn.base.settings import settings_of, with_settings
from fspinn.learning.training import learn
from fspinn.memmodel import Size, estimate
from fspinn.memmodel.workload import PHASES, Workload
from fspinn.presets import Preset

PARTS = ("sram", "published", "cores", "ratios")
SAMPLES = {400: 3000, 4900: 500}
"""Training images shown to networks of so many neurons."""

BITS = ((8, 8), (32, 8))
"""Bits of a weight, without and with FSpiNN's mechanisms."""

SIMULATOR = "dense-sim"
"""Row of the ratios that `dense_accounting` gives; those below it are presets."""
ASICS = ("asic65-lp", "asic28-odin", "asic45-horowitz")
BY_EVENTS = "asic28-odin"
"""Its events cost the same whatever the bits."""
PUBLISHED = {"memory": 7.5, "training": 3.5, "inference": 1.8}
FSPINN = with_settings(Preset(), {**BASES["fspinn"], "passes": 1})
BASELINE = with_settings(FSPINN, {**CHANGES["fspinn-pair"][1], **LAYER})


def measure(part: str) -> dict[str, Any]:
    if part == "sram":
        rows = sram_law.calibration_rows()
        return {"rows": len(rows.node_nm), "errors": sram_law.all_errors(rows), "targets": sram_law.TARGETS}
    if part == "published":
        return {"comparisons": [{**asdict(one), "ratio": one.ratio} for one in comparisons()]}
    if part == "cores":
        return {"errors": errors_of_cores()}
    data = fspinn.datasets.load("mnist", validation=0)
    counted: dict[str, Any] = {}
    for neurons, samples in SAMPLES.items():
        few = replace(data, train=data.train.first(samples))
        networks = {
            "baseline": with_settings(BASELINE, {"neurons": neurons}),
            "fspinn": with_settings(FSPINN, {"neurons": neurons}),
        }
        activity = {
            name: learn(one.network, few, one.learner, seed=0, progress=False).activity[0]
            for name, one in networks.items()
        }
        counted[str(neurons)] = {
            "samples": samples,
            "activity": {name: one.as_dict() for name, one in activity.items()},
            "ratios": ratios(networks, activity),
        }
    return {
        "settings": {"baseline": settings_of(BASELINE), "fspinn": settings_of(FSPINN)},
        "counted": counted,
    }


def errors_of_cores() -> dict[str, dict[str, list[float]]]:
    """Return how far cells, RAM blocks and cycles of cores are off, by role.

    Cells were fitted to some cores, and in all of them it was found which bits take no RAM block.
    """
    found: dict[str, dict[str, list[float]]] = {"held out": {}, "calibration": {}}
    for part, result in kept("fpga", fpga.PARTS).items():
        said, placed = fpga.estimated(result), result["placed"]["up5k"]
        there = {"cells": placed["cells"][0], "blocks": placed["blocks"][0], "cycles": result["cycles"]}
        for name, count in there.items():
            fitted = name == "blocks" or (name == "cells" and part in fpga.FITTED)
            role = "calibration" if fitted else "held out"
            found[role].setdefault(name, []).append(said[name] / count - 1)
    return found


def ratios(networks: dict[str, Preset], activity: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the cost of the baseline over that of FSpiNN's mechanisms, by hardware and by bits."""
    found: dict[str, dict[str, Any]] = {}
    for hardware in (SIMULATOR, *ASICS):
        for bits in BITS[:1] if hardware == BY_EVENTS else BITS:
            baseline, fspinns = (
                costs(size_of(network, weight_bits), hardware, Workload.counted(activity[name]))
                for (name, network), weight_bits in zip(networks.items(), bits, strict=True)
            )
            found.setdefault(hardware, {})[f"{bits[0]} to {bits[1]}"] = {
                key: baseline[key] / fspinns[key] for key in fspinns
            }
    return found


def size_of(one: Preset, weight_bits: int) -> Size:
    return Size.of_network(one.network, one.learner, (28, 28), 10, weight_bits, readout="majority")


def costs(size: Size, hardware: str, work: Workload) -> dict[str, Any]:
    """Return memory for inference, and an image's energy by phase (of a simulator: the bytes it touches)."""
    if hardware == SIMULATOR:
        touched = {p: dense_accounting.touched_bytes(size, work, p == "training") for p in PHASES}
        return {"memory": dense_accounting.memory_bits(size), **touched}
    one = estimate(size, hardware, dict.fromkeys(PHASES, (work,)))
    return {
        "memory": one.memory["inference"]["total"],
        **{phase: one.energy[phase]["total"] for phase in PHASES},
    }


def matrices_ratio(neurons: int, bits: tuple[int, int]) -> float:
    """Return how much less memory FSpiNN's matrices alone take than those of the baseline."""
    baseline, fspinns = (
        dense_accounting.matrix_bits(size_of(with_settings(network, {"neurons": neurons}), weight_bits))
        for network, weight_bits in zip((BASELINE, FSPINN), bits, strict=True)
    )
    return baseline / fspinns


def render(results: Results) -> str:
    blocks = [*_sram(results["sram"]), *_published(results["published"])]
    blocks += [*_cores(results["cores"]), *_ratios(results["ratios"])]
    return "\n\n".join([*blocks, f"{machines(results)}."])


def _sram(result: dict[str, Any]) -> list[str]:
    ways = list(result["errors"]["read"])
    rows = [
        [
            {"read": "energy of a read", "write": "energy of a write", "area": "area"}[quantity],
            *(f"{100 * e['median']:.1f} / {100 * e['p90']:.1f}" for e in (errors[way] for way in ways)),
            " / ".join("-" if most is None else f"{100 * most:.0f}" for most in result["targets"][quantity]),
        ]
        for quantity, errors in result["errors"].items()
    ]
    text = (
        f"The SRAM law against {result['rows']} memories of CACTI 7 (22 to 90 nm, 1 KiB to 4 MiB, words of 8 "
        "to 128 bits): median / 90th percentile of the relative error (%) on rows that the fit has not seen."
    )
    return [text, table(["", *ways, "target"], rows)]


def _published(result: dict[str, Any]) -> list[str]:
    held_out = [one["ratio"] for one in result["comparisons"] if one["role"] == "held out"]
    off = max(max(ratio, 1 / ratio) for ratio in held_out)
    rows = [
        [
            one["role"],
            one["system"],
            one["quantity"],
            f"{_figure(one['published'])} {one['unit']}",
            _figure(one["estimate"]),
            f"{one['ratio']:.2f}",
            "; ".join(part for part in (one["source"], one["assumed"]) if part),
        ]
        for role in ("held out", "exact", "calibration")
        for one in result["comparisons"]
        if one["role"] == role
    ]
    text = (
        f"Published figures. To those held out nothing was fitted: all {len(held_out)} estimates are within "
        f"a factor of {off:.1f}, with activity assumed where it was not published, as said. Exact ones are "
        "arithmetic that must come out. Numbers of the model were fitted to those called calibration, which "
        "therefore show nothing. [S] read in the source, [S2] in a secondary source, [R] remembered, not "
        "verified."
    )
    head = ["", "chip", "quantity", "published", "estimate", "estimate / published", "source; assumed"]
    missing = "; ".join(f"{system} ({figure}): {why}" for system, figure, why in INCOMPARABLE)
    return [text, table(head, rows), f"Published, but not estimated: {missing}."]


def _cores(result: dict[str, Any]) -> list[str]:
    names = {
        "cells": "logic cells, nextpnr",
        "blocks": "RAM blocks, nextpnr",
        "cycles": "cycles of an image, Verilator",
    }
    rows = [
        [
            role,
            names[name],
            len(errors),
            f"{100 * np.median(np.abs(errors)):.1f} / {100 * np.max(np.abs(errors)):.1f}",
        ]
        for role, by_name in result["errors"].items()
        for name, errors in by_name.items()
    ]
    text = (
        "Columns as exported cores on an iCE40 UP5K, placed and simulated here, against "
        f"`{fpga.HARDWARE}`: each core stands below."
    )
    return [text, table(["", "quantity", "cores", "error (%), median / greatest"], rows)]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _ratios(result: dict[str, Any]) -> list[str]:
    rows = [["FSpiNN, as published", "", "", *(f"{PUBLISHED[key]:g}" for key in PUBLISHED)]]
    rows += [["its matrices alone", "4900", "32 to 8", f"{matrices_ratio(4900, (32, 8)):.3f}", "", ""]]
    rows += [
        [f"`{hardware}`", neurons, bits, *(f"{found[key]:.2f}" for key in PUBLISHED)]
        for neurons, counted in reversed(result["counted"].items())
        for hardware, by_bits in counted["ratios"].items()
        for bits, found in by_bits.items()
    ]
    text = (
        "FSpiNN's mechanisms (direct inhibition, one update a window) against a layer of inhibitory neurons "
        "with pair-based updates: how many times less. `dense-sim` accounts as a simulator does and "
        "reproduces the published ratios; its training ratio rests on a number of passes that was fitted to "
        "3.5. The chips are accounted as devices, and their ratios are this project's own result: the saving "
        "of memory is that of the bits, inference costs little less, and training saves the updates at every "
        "spike."
    )
    shown = " and ".join(
        f"{counted['samples']:,} images of MNIST with {neurons} neurons"
        for neurons, counted in result["counted"].items()
    )
    head = ["", "neurons", "bits of a weight", *(f"{key} (times)" for key in ("memory", "training energy"))]
    return [
        text,
        table([*head, "inference energy (times)"], rows),
        f"Activity counted while learning {shown}; inference is charged for the same spikes.",
    ]


if __name__ == "__main__":
    run("cost_model", PARTS, measure, render)
