"""Pictures of costs: memory and energy by component, of one network or of several side by side."""

from collections.abc import Callable, Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from fspinn.base.amounts import energy_text, memory_text
from fspinn.memmodel import Estimate
from fspinn.memmodel.workload import PHASES

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
_LETTER = 0.016
"""Width of a letter, as a share of a panel: a component is named in its bar where its name fits."""

_TOO_UNLIKE = 12
"""Totals that differ by more are drawn as shares: the smaller bar could not be seen."""


def costs(estimates: Mapping[str, Estimate]) -> Figure:
    """Draw memory and energy by component as stacked bars, for inference and, if all can learn, for training.

    Parameters
    ----------
    estimates : mapping of str to Estimate
        By what they are called in the picture; one bar each in every panel. Where totals differ more than
        twelve times the bars show shares instead.
    """
    figure = Figure(figsize=(9.5, 1.6 + 1.1 * len(estimates)), layout="constrained")
    phases = [phase for phase in PHASES if all(phase in one.phases for one in estimates.values())]
    panels = figure.subplots(2, len(phases), squeeze=False)
    shown: dict[str, str] = {}
    for column, phase in enumerate(phases):
        memory = {name: one.memory[phase] for name, one in estimates.items()}
        energy = {name: one.energy[phase] for name, one in estimates.items()}
        above, below = panels[0][column], panels[1][column]
        shown |= _draw(above, memory, 1 / 8192, f"memory, {phase}", "KiB", memory_text)
        shown |= _draw(below, energy, 1e-6, f"energy of an image, {phase}", "\u00b5J", energy_text)
        if column:
            above.set_yticklabels([])
            below.set_yticklabels([])
    hardware = {one.hardware.meta.name for one in estimates.values()}
    if len(hardware) == 1:
        figure.suptitle(f"on {hardware.pop()}", fontsize=9, color="#666666")
    patches = [Patch(color=shade, label=name) for name, shade in shown.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=8, frameon=False, fontsize=8)
    return figure


def _draw(
    axes: Any,
    breakdowns: Mapping[str, Mapping[str, int]],
    scale: float,
    title: str,
    unit: str,
    text: Callable[[int], str],
) -> dict[str, str]:
    """Draw one bar for each breakdown; return the shades of the components that can be seen."""
    totals = [parts["total"] for parts in breakdowns.values()]
    shares = max(totals) > _TOO_UNLIKE * max(min(totals), 1)
    widest = 1.28 * (100 if shares else max(totals) * scale or 1)
    shown = {}
    for row, (parts, total) in enumerate(zip(breakdowns.values(), totals, strict=True)):
        factor, left = (100 / max(total, 1) if shares else scale), 0.0
        for name, value in parts.items():
            if name == "total" or value < 0.005 * total:
                continue
            shown[name] = SHADES.get(name, "#dddddd")
            axes.barh(row, value * factor, left=left, color=shown[name], height=0.62)
            if value * factor > _LETTER * len(name) * widest:
                middle = left + value * factor / 2
                axes.text(middle, row, name, ha="center", va="center", fontsize=7, color="white")
            left += value * factor
        axes.text(left, row, f" {text(total)}", va="center", fontsize=8)
    axes.set_yticks(range(len(totals)), [_short(name) for name in breakdowns], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, widest)
    if shares:
        axes.set_xticks(range(0, 101, 20))
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel("share (%)" if shares else unit, fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return shown


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"...{name[-21:]}"
