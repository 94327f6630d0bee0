"""Which question does a folder hold the answer to? A search does not replace the answer to another one, nor a
network that was found by no network; a sweep does not replace another one.

How long a search looks for the answer, in which order and among which networks is not part of its question:
whoever changes that goes on with the same one, and the journal keeps what was trained.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fspinn.base.errors import ConfigError, DataError
from fspinn.search.constraints import MEASURES
from fspinn.search.endings import Ending
from fspinn.search.metrics import Metric, metric_of

RESULT, SWEEP = "result.json", "sweep.json"


def check_answer(folder: Path, question: Mapping[str, Any], overwrite: bool) -> None:
    """Refuse a folder that holds the answer to another question, or a better one to the same.

    An answer that nothing was trained for, as no network keeps to the limits, can always be replaced.

    `question` is as `fspinn.search.SearchResult.as_dict` returns it, with an answer or without.

    Raises
    ------
    ConfigError
        If its ``result.json`` is the answer to another question, names a network where `question` found none,
        or is not one that can be read.
    DataError
        If that file is there and cannot be opened.
    """
    path = folder / RESULT
    if overwrite or not path.exists():
        return
    answer, held = _held(path, _parts)
    if answer.get("ending") == Ending.IMPOSSIBLE.value:
        return
    asked = _parts(question)
    if held != asked:
        always = {"dataset", "accuracy", "minimize", *MEASURES}
        named = [name for name in asked if name in always or held.get(name) != asked[name]]
        raise ConfigError(
            f"{folder}/ holds the answer to: {_words(held, named)}; "
            f"this asks: {_words(asked, named)}; give another folder with -o, or --overwrite"
        )
    if answer.get("found") and question.get("found") is False:
        raise ConfigError(
            f"{folder}/ holds a network that an earlier search found, and this one found none; give another "
            "folder with -o, or --overwrite"
        )


def check_sweep(folder: Path, question: Mapping[str, Any], overwrite: bool) -> None:
    """Refuse a folder that holds another sweep.

    `question` is as `fspinn.search.swept.SweepResult.as_dict` returns it, with points or without.

    Raises
    ------
    ConfigError, DataError
        As for `check_answer`.
    """
    path = folder / SWEEP
    if overwrite or not path.exists():
        return
    _, held = _held(path, _sweep_parts)
    others = [name for name, value in _sweep_parts(question).items() if held[name] != value]
    if others:
        raise ConfigError(
            f"{folder}/ holds a sweep with other {' and '.join(others)}; give another folder with -o, or "
            "--overwrite"
        )


def _held(
    path: Path, parts: Callable[[Mapping[str, Any]], dict[str, str]]
) -> tuple[Mapping[str, Any], dict[str, str]]:
    """Return what is in a file, and its parts."""
    try:
        answer = json.loads(path.read_text("utf-8"))
        return answer, parts(answer)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give another folder with -o") from None
    except (ValueError, LookupError, TypeError, AttributeError, ConfigError):
        raise ConfigError(
            f"{path}: is not an answer that this version can read; give another folder with -o, or "
            "--overwrite"
        ) from None


def _sweep_parts(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of the question of a sweep; how many seeds it takes is none of them."""
    data = {name: answer["dataset"][name] for name in ("name", "checksum", "seed", "train", "validation")}
    parts = {
        "images": data,
        "values": answer["axes"],
        "settings": [answer["learner"], answer["readout"], answer["network"]],
        "hardware": answer["hardware"],
        "seeds": answer["seeds"][0],
    }
    return {name: json.dumps(value, sort_keys=True) for name, value in parts.items()}


def _parts(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of a question in words; empty where there is nothing to say."""
    data, constraints = answer["dataset"], answer["constraints"]
    limits = {name: constraints.get(name) for name in MEASURES}
    others = {
        name: value for name, value in constraints.items() if name not in ("accuracy", "metric", *MEASURES)
    }
    return {
        "dataset": data["name"],
        "accuracy": f"{100 * constraints['accuracy']:.10g} %{_metric(constraints).after_percent}",
        **{
            name: "" if limit is None else f"at most {_amount(name, limit)}" for name, limit in limits.items()
        },
        **{name: f"{name} {value}" for name, value in others.items()},
        "minimize": f"least {' and '.join(answer['minimize'])}".replace("_", " "),
        "learner": f"learned by {' or '.join(sorted(answer['learner']))}",
        "hardware": f"hardware {answer['hardware']}",
        "labels": "all labels" if answer["labels"] is None else f"{answer['labels']} labels",
        "class_weight": "class weight balanced" if answer.get("class_weight") else "",
        "images": f"{data['train']} training and {data['validation']} validation images",
        "seed": f"seed {answer['seed']}",
        "checksum": f"images with checksum {data['checksum'][:8]}",
    }


def _metric(constraints: Mapping[str, Any]) -> Metric:
    return metric_of(constraints.get("metric", "accuracy"))


def _words(parts: Mapping[str, str], named: list[str]) -> str:
    return ", ".join(parts[name] for name in named if parts.get(name))


def _amount(name: str, limit: float) -> str:
    return MEASURES[name].format(limit) + MEASURES[name].what
