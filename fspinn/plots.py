"""What does a person look at? Pictures of searches and of networks, as matplotlib figures."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fspinn.model import Model

if TYPE_CHECKING:
    from fspinn.search import SearchResult

_TRIED = "#4477aa"
_CHOSEN = "#cc3311"
_GREY = "#888888"


def accuracy_against_memory(result: "SearchResult") -> Figure:
    """Draw every measured candidate of a search: memory on the horizontal, accuracy on the vertical axis.

    One line per weight format, the Wilson 95 % interval as a bar, the winner as a star.
    """
    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    measured = [trial for trial in result.trials if trial.accuracy is not None]
    formats = list(dict.fromkeys(trial.candidate.weights for trial in measured))
    shades = dict(zip(sorted(formats), ["#4477aa", "#66ccee", "#228833", "#ccbb44", "#aa3377", "#bbbbbb"] * 9))
    for weights in sorted(formats):
        for readout, marker in (("proportion", "o"), ("majority", "s")):
            mine = [t for t in measured if (t.candidate.weights, t.candidate.readout) == (weights, readout)]
            if not mine:
                continue
            x = [t.candidate.memory_bits / 8192 for t in mine]
            y = [100 * (t.accuracy or 0) for t in mine]
            bounds = np.array([t.accuracy_interval for t in mine]) * 100
            axes.errorbar(
                x,
                y,
                yerr=[y - bounds[:, 0], bounds[:, 1] - y],
                marker=marker,
                color=shades[weights],
                linewidth=1,
                markersize=5,
                elinewidth=0.8,
                capsize=2,
                linestyle="-" if readout == "proportion" else ":",
                label=f"{weights}, {readout}",
            )
    axes.axhline(100 * result.target_accuracy, color=_GREY, linewidth=1, linestyle="--")
    axes.annotate(
        f"target {result.target_accuracy:.0%}",
        (0.995, 100 * result.target_accuracy),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        color=_GREY,
    )
    if result.budget_bits is not None:
        axes.axvline(result.budget_bits / 8192, color=_GREY, linewidth=1, linestyle="--")
    if result.winner is not None:
        candidate = result.winner.candidate
        point = (candidate.memory_bits / 8192, 100 * (result.winner.accuracy or 0))
        axes.plot(*point, marker="*", markersize=17, color=_CHOSEN, zorder=5, linestyle="none")
        axes.annotate(
            f"{candidate.neurons} neurons, {candidate.weights}, {candidate.memory_bits / 8192:.1f} KiB",
            point,
            xytext=(-10, 14),
            textcoords="offset points",
            ha="right",
            color=_CHOSEN,
            fontweight="bold",
        )
    axes.set_xscale("log")
    axes.set_xlabel("memory for inference (KiB)")
    axes.set_ylabel("accuracy on validation images (%)")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.25, linewidth=0.5)
    if measured:
        axes.legend(loc="lower right", fontsize=8, frameon=False, title="weights, readout", title_fontsize=8)
    return figure


def receptive_fields(model: Model, neurons: int = 64) -> Figure:
    """Draw the weights of the first neurons as images, sorted by the class that each speaks for most.

    Parameters
    ----------
    model : Model
    neurons : int, default 64
        How many to draw, at most.
    """
    preferred = model.readout.table.argmax(axis=1)
    chosen = np.argsort(preferred, kind="stable")
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(neurons, len(chosen))).astype(int)]
    columns = int(np.ceil(np.sqrt(len(chosen) * 1.6)))
    rows = int(np.ceil(len(chosen) / columns))
    figure = Figure(figsize=(columns * 0.55, rows * 0.62), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    brightest = float(model.weights[:, chosen].max())
    for axis in axes:
        axis.axis("off")
    for axis, neuron in zip(axes, chosen):
        field = model.weights[:, neuron].reshape(model.image_shape)
        axis.imshow(field, cmap="magma", vmin=0, vmax=brightest)
        axis.set_title(str(preferred[neuron]), fontsize=6, pad=1)
    return figure
