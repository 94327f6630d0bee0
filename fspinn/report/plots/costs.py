"""Pictures of costs: memory and energy by component, of one network or of several side by side."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from fspinn.base.amounts import energy_text, memory_text, with_signs
from fspinn.memmodel import Estimate
from fspinn.memmodel.summary import largest
from fspinn.memmodel.workload import PHASES
from fspinn.report.charts import AXES, Axis

SHADES = {
    "weights": "#4477aa",
    "pixels": "#88aacc",
    "state": "#66ccee",
    "membrane": "#3a9cc0",
    "thresholds": "#99ddff",
    "inhibition": "#aa3377",
    "spikes": "#ccbb44",
    "input_buffer": "#e0a030",
    "spike_times": "#b8860b",
    "readout": "#228833",
    "labels": "#55aa55",
    "votes": "#bbcc33",
    "learning": "#ee6677",
    "window": "#cc6688",
    "traces": "#ee8866",
    "normalisation": "#882255",
    "arithmetic": "#777777",
    "leakage": "#bbbbbb",
    "clock": "#999999",
    "off_chip": "#000000",
    "refractory": "#ddddaa",
}
HATCHES = {
    "pixels": "--",
    "state": "....",
    "membrane": "....",
    "inhibition": "xxx",
    "spikes": "oo",
    "input_buffer": "---",
    "spike_times": "++",
    "readout": "////",
    "labels": "////",
    "votes": "||||",
    "learning": "\\\\\\\\",
    "window": "**",
    "traces": "OO",
    "normalisation": "\\\\\\\\",
    "arithmetic": "||||",
    "leakage": "**",
    "clock": "xx",
    "refractory": "xxx",
}
"""Patterns that tell components apart where there are no colours; all others are plain."""

_LETTER = 0.016
"""Width of a letter, as a share of a panel: a component is named in its bar where its name fits."""

_SHORT = 1 / 8
"""Beside a bar that is shorter, as a part of the longest, stands what its largest components are."""

_LIGHT = 0.55
"""Luminance from which on words on a shade are dark."""


def costs(estimates: Mapping[str, Estimate]) -> Figure:
    """Draw memory and energy by component as stacked bars, for inference and, if all can learn, for training.

    All bars of a quantity are on one scale, from 0; a bar that is too short to be read says its largest
    components in words.

    Parameters
    ----------
    estimates : mapping of str to Estimate
        By what they are called in the picture; one bar each in every panel.
    """
    figure = Figure(figsize=(9.5, 1.6 + 1.1 * len(estimates)), layout="constrained")
    learns = all(one.device_learns for one in estimates.values())
    phases = PHASES if learns else PHASES[:1]
    panels = figure.subplots(2, len(phases), squeeze=False)
    of_limit = {axis.limit: axis for axis in AXES}
    shown: dict[str, str] = {}
    for row, (limit, title, attribute, text) in zip(
        panels,
        (
            ("memory", "memory", "memory", memory_text),
            ("energy", "energy of an image", "energy", energy_text),
        ),
        strict=True,
    ):
        breakdowns = {name: getattr(one, attribute) for name, one in estimates.items()}
        most = max(one[phase]["total"] for one in breakdowns.values() for phase in phases)
        for axes, phase in zip(row, phases, strict=True):
            of_phase = {name: one[phase] for name, one in breakdowns.items()}
            shown |= _draw(axes, of_phase, of_limit[limit], max(most, 1), text)
            axes.set_title(f"{title}, {phase}", fontsize=10, loc="left")
        for axes in row[1:]:
            axes.set_yticklabels([])
    hardware = {one.hardware.meta.name for one in estimates.values()}
    if len(hardware) == 1:
        figure.suptitle(f"on {hardware.pop()}", fontsize=9, color="#666666")
    patches = [
        Patch(facecolor=shade, label=name.replace("_", " "), hatch=HATCHES.get(name), **_EDGE)
        for name, shade in shown.items()
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=8, frameon=False, fontsize=8)
    return figure


_EDGE: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.6}


def _draw(
    axes: Any,
    breakdowns: Mapping[str, Mapping[str, int]],
    axis: Axis,
    most: float,
    text: Callable[[float], str],
) -> dict[str, str]:
    """Draw one bar for each breakdown; return the shades of the components that can be seen."""
    unit, size = axis.unit(most)
    widest = 1.28 * most / size
    shown = {}
    for row, parts in enumerate(breakdowns.values()):
        total, left = parts["total"], 0.0
        for name, value in parts.items():
            length = value / size
            if name == "total" or value < 0.005 * total:
                continue
            shade = SHADES.get(name, "#dddddd")
            axes.barh(row, length, left=left, color=shade, height=0.62, hatch=HATCHES.get(name), **_EDGE)
            if total > _SHORT * most:
                shown[name] = shade
            if length > _LETTER * len(name) * widest:
                _name(axes, left + length / 2, row, name.replace("_", " "), shade)
            left += length
        beside = with_signs(text(total)) + (f": {largest(parts)}" if total <= _SHORT * most else "")
        axes.text(left, row, f" {beside}", va="center", fontsize=8)
    axes.set_yticks(range(len(breakdowns)), [_short(name) for name in breakdowns], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, widest)
    axes.set_xlabel(unit, fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return shown


def _name(axes: Any, middle: float, row: int, name: str, shade: str) -> None:
    """Write the name of a component into its bar."""
    dark = float(np.dot(to_rgb(shade), (0.299, 0.587, 0.114))) < _LIGHT
    box = {"facecolor": shade, "edgecolor": "none", "pad": 1.5}
    colour = "white" if dark else "black"
    axes.text(middle, row, name, ha="center", va="center", fontsize=7, color=colour, bbox=box)


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"...{name[-21:]}"
