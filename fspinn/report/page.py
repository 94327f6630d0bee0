"""The page itself: what is in the folder of a search, as one HTML file."""

import base64
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib import rc_context
from matplotlib.figure import Figure

from fspinn.answering.evaluate import Evaluation, evaluate
from fspinn.base.amounts import area_text, energy_text, memory_text, time_text, with_signs
from fspinn.base.errors import DataError
from fspinn.base.files import real_file, replaced_when_whole
from fspinn.base.version import __version__
from fspinn.datasets.origin import load_again
from fspinn.memmodel import estimate, load_hardware
from fspinn.model.model import Model
from fspinn.model.store import load
from fspinn.report import charts
from fspinn.report.comparison import compared
from fspinn.report.importance import importances
from fspinn.report.plots import confusion_matrix, readout_map, receptive_fields, spike_places
from fspinn.search.baselines import MOST_IMAGES
from fspinn.search.candidates import Variant, in_words
from fspinn.search.constraints import MEASURES, flash_and_ram, least, less
from fspinn.search.endings import advice, confidence_in_words, headline
from fspinn.search.metrics import metric_of
from fspinn.search.perceptron import passes_over
from fspinn.search.result import BUYS
from fspinn.search.shortfalls import Group, heading
from fspinn.search.worth import Worth, worth

if TYPE_CHECKING:
    from fspinn.datasets import Dataset, Split

NAME = "report.html"
PLACED_IMAGES = 500
"""Validation images that the places of spikes are counted on."""

_GREY_PARTS = ("text.", "axes.label", "axes.title", "axes.edge", "xtick.", "ytick.")
_LOOK: dict[Any, Any] = {f"{part}color": "#5d6673" for part in _GREY_PARTS}
_LOOK |= {"svg.hashsalt": "fspinn", "svg.fonttype": "none"}
"""Pictures in the page: their words have the grey of the page's, on white."""

_NEEDED = (
    "found",
    "outcome",
    "ending",
    "confidence",
    "accuracy",
    "constraints",
    "certificate",
    "front",
    "trials",
    "baselines",
    "dataset",
    "labels",
    "metric",
    "class_weight",
    "seconds",
)


def write_report(
    folder: str | Path,
    data: "Dataset | None" = None,
    *,
    data_dir: str | Path | None = None,
    threads: int | None = None,
) -> Path:
    """Write ``report.html`` about the search whose result is in a folder.

    Parameters
    ----------
    folder : path-like
        With ``result.json`` and, if there is a winner, ``smallest.h5``.
    data : Dataset, optional
        The images of the search; None loads them by name.
    data_dir : path-like or None, default None
        Where to look for them, as for `fspinn.datasets.load`.
    threads : int or None, default None
        None is one per core; the page is the same for all.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    DataError
        If there is no result, it is damaged, or the page cannot be written.
    ConfigError
        If the images have changed since.
    """
    folder = Path(folder)
    answer = read_answer(folder / "result.json")
    path = folder / NAME
    with _writing(path):
        real_file(path)  # before the work, not after it
    model = load(folder / "smallest.h5") if answer["found"] else None
    if data is None:
        data = load_again(answer["dataset"], data_dir)
        data = replace(data, train=data.train.first(answer["dataset"]["train"]))
    words = words_about(answer, model, "pixels and features" if data.feature_names else "pixels")
    if model is not None:
        words["pictures"] = _pictures(model, data.validation, answer["seed"], threads)
    page = document(words)
    with _writing(path), replaced_when_whole(path) as temporary:
        # A name that is not UTF-8 holds what no file in UTF-8 can.
        temporary.write_text(page, "utf-8", errors="replace")
    return path


def words_about(answer: Mapping[str, Any], model: Model | None, inputs: str = "pixels") -> dict[str, Any]:
    """Return what the page says of a result: all but the pictures, which take the images.

    `answer` is as `fspinn.search.SearchResult.as_dict` gives it, or as `fspinn.search.following` of a search
    that is not finished; `inputs` is what classifiers without spikes see.
    """
    words = {
        "answer": answer,
        "model": model,
        "version": __version__,
        "pictures": [],
        **_about_trials(answer),
    }
    if answer["ending"] is not None:
        words |= _without_spikes(answer, inputs)
    if model is not None:
        words |= {"band": load_hardware(answer["hardware"]).band, "compared": compared(answer, model)}
        words["latency"] = _latency(model, answer["hardware"])
    return words


def document(words: Mapping[str, Any], **live: Any) -> str:
    """Return the page as a file; `live` are further words of one that follows a search."""
    return environment().get_template("document.html").render(**words, live=live)


def sections(words: Mapping[str, Any]) -> str:
    """Return what is inside the page."""
    return environment().get_template("page.html").render(**words)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror}); free some space or correct its rights"
        ) from None


def read_answer(path: Path) -> dict[str, Any]:
    """Return what is in a ``result.json``."""
    try:
        answer = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); name the folder that `fspinn search -o` has written"
        ) from None
    except ValueError:
        raise DataError(f"{path}: not the result of a search; search again") from None
    missing = [name for name in _NEEDED if not isinstance(answer, dict) or name not in answer]
    if not missing and "groups" not in (answer["certificate"] or {"groups": {}}):
        missing = ["groups"]
    if missing:
        raise DataError(f"{path}: lacks {missing[0]!r}, another version wrote it; search again")
    return dict(answer)


def _about_trials(answer: Mapping[str, Any]) -> dict[str, Any]:
    trials, shown = answer["trials"], charts.shown_trials(answer["trials"])
    limits = {name: limit for name, limit in answer["constraints"].items() if name in MEASURES and limit}
    called = {name: "RAM" if name == "ram" else name.replace("_", " ") for name in limits}
    return {
        "buys": BUYS,
        "charts": charts.charts(answer) if trials else [],
        "shapes": charts.shapes(answer),
        "any_two": charts.any_two(answer),
        "importances": importances(answer) if answer["strategy"] != "ladder" and answer["ending"] else {},
        "metric": metric_of(answer["metric"]),
        **_minimized(answer["minimize"][0]),
        "sides": charts,
        "shown": [(k, trials[k]) for k in shown],
        "tried": sum(trial["accuracy"] is not None for trial in trials),
        "varied": _varied([trial["settings"] for trial in trials]),
        "flash_and_ram": flash_and_ram(answer),
        "limits": {called[name]: with_signs(MEASURES[name].format(limits[name])) for name in limits},
    }


def _minimized(name: str) -> dict[str, Any]:
    """Return how to speak of what was minimised first, and its measure if it needs a column beside memory."""
    measure = None if name == "memory" else MEASURES[name]
    if measure is not None:
        measure = measure._replace(format=lambda cost: with_signs(MEASURES[name].format(cost)))
    return {"least": least(name), "less": less(name), "minimized": measure}


def _without_spikes(answer: Mapping[str, Any], inputs: str) -> dict[str, Any]:
    """Return what there is to say of classifiers without spikes."""
    labels = answer["labels"] or answer["dataset"]["train"]
    return {
        "baselines": answer["baselines"],
        "worth": worth_of(answer),
        "labels": labels,
        "passes": passes_over(min(labels, MOST_IMAGES)),
        "inputs": inputs,
    }


def worth_of(answer: Mapping[str, Any]) -> Worth:
    """Return whether a spiking network is worth it, in the words and with the signs of the page."""
    return worth(answer, percent, lambda name, cost: with_signs(MEASURES[name].format(cost)))


class Latency(NamedTuple):
    """Seconds of an inference: without a spike (the intercept), and those that follow the spikes."""

    intercept_s: float
    spikes_s: float
    assumes: str | None


def _latency(model: Model, hardware: str) -> Latency | None:
    """Return the parts of the latency of an inference; None where the hardware says nothing of time."""
    cost = estimate(model, hardware)
    if not cost.hardware.timed:
        return None
    cycle_s = 1e-6 / cost.hardware.clock.f_mhz
    fixed, following = cost.intercept["inference"], cost.spike_cycles("inference")
    return Latency(fixed * cycle_s, following * cycle_s, cost.latency_assumes)


class Picture(NamedTuple):
    """A picture of the page: its name, an address that is the picture itself, and what it shows."""

    name: str
    address: str
    shows: str


def _pictures(model: Model, shown: "Split", seed: int, threads: int | None) -> list[Picture]:
    """Return what a network has learned, where its neurons spike, and what it answers to images."""
    column = model.network.layers[0].field is not None
    speaks = ", and the class that each speaks for most" if len(model.layers) == 1 and not column else ""
    found = [Picture("Receptive fields", picture(receptive_fields, model), f"What neurons look for{speaks}.")]
    if column:
        placed = shown.images[:PLACED_IMAGES]
        says = "Where each of them spikes: how often at each position of the field."
        found.append(
            Picture("Places of spikes", picture(partial(spike_places, seed=seed), model, placed), says)
        )
    if model.network.layers[-1].field is not None:
        says = "What the readout listens to: for or against which class a spike in each cell speaks."
        found.append(Picture("Readout", picture(readout_map, model), says))
    measured = evaluate(model, shown, seed=seed, threads=threads)
    answers = measured.labels, measured.predictions, model.class_names
    says = f"Answers to the validation images, learned with seed {seed}. {_most_confused(measured)}".strip()
    return [*found, Picture("Confusion matrix", picture(confusion_matrix, *answers), says)]


def _most_confused(measured: Evaluation) -> str:
    """Return which class is most often taken for which other, in a sentence; empty if all are right."""
    wrong = measured.confusion_matrix[:, : len(measured.class_names)].copy()  # of what was answered
    np.fill_diagonal(wrong, 0)
    true, taken = np.unravel_index(wrong.argmax(), wrong.shape)
    names, most = measured.class_names, wrong[true, taken]
    if most == 0:
        return ""
    return (
        f"Most often {names[true]} is taken for {names[taken]}: {most} of {(measured.labels == true).sum()}."
    )


def picture(draw: Callable[..., Figure], *arguments: Any) -> str:
    """Return what a function draws as an SVG picture that is an address itself."""
    written = io.BytesIO()
    with rc_context(_LOOK):
        figure = draw(*arguments)
        figure.savefig(written, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(written.getvalue()).decode()


def _varied(settings: list[dict[str, Any]]) -> list[str]:
    """Return the names of the settings in which trials differ."""
    names = dict.fromkeys(name for one in settings for name in one)
    return [name for name in names if len({str(one.get(name)) for one in settings}) > 1]


@cache
def environment() -> Environment:
    """Return what templates are filled by, with the filters that the page and notebooks share."""
    made = Environment(loader=PackageLoader("fspinn", "report"), autoescape=True)
    made.undefined, made.trim_blocks, made.lstrip_blocks = StrictUndefined, True, True
    made.filters |= {
        "whole": lambda number: f"{number:,.0f}",
        "area": lambda area_um2: with_signs(area_text(area_um2)),
        "advice": lambda answer: advice(answer, percent),
        "confidence": confidence_in_words,
        "heading": lambda group, images: heading(Group(group), images),
        "headline": lambda answer: headline(answer, percent),
        "energy": lambda energy_pj: with_signs(energy_text(energy_pj)),
        "latency": lambda latency_s: with_signs(time_text(latency_s)),
        "memory": memory_text,
        "network": _network,
        "percent": percent,
        "seconds": time_text,
        "spaced": lambda words: words.replace("%", " %"),
        "times": _times,
        "value": lambda value: f"{value:.4g}" if isinstance(value, float) else str(value),
    }
    return made


def _times(factor: float) -> str:
    return f"{factor:,.0f}" if factor >= 10 else f"{factor:.2g}"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _network(trial: Mapping[str, Any]) -> str:
    """Return a candidate in words."""
    variant = Variant(**{field.name: trial[field.name] for field in fields(Variant)})
    return f"{in_words(trial)}, {variant}"
