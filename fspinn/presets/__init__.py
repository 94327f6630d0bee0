"""Settings that were chosen for a data set and a number of neurons, one TOML file each.

A file holds settings by name (``fspinn info --settings`` lists them), as ``fspinn train --config`` reads
them; its comments say how they were found. Its name is that of the data set and the number of neurons; or,
after ``stack``, those of the last of several layers. A table in it, named after a readout, changes some
settings for that readout: ``mnist-400-linear`` is ``mnist-400`` with its table ``[linear]``.
"""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fspinn.base.errors import ConfigError
from fspinn.base.settings import bare, described, flattened, setting, with_settings
from fspinn.network.description import Network
from fspinn.network.learners import Hybrid, Learner, StdpLabels, Surrogate
from fspinn.network.rules import Stdp

FOLDER = Path(__file__).parent


@described
class Preset:
    """A network and its learner; without arguments, those by default."""

    network: Network = setting("What is trained.", default=Network())
    learner: Learner = setting("How its weights come about.", default=Stdp())
    readout: str = setting(
        "How spikes become a class.", default="proportion", choices=("proportion", "majority", "linear")
    )


def start_of(settings: Mapping[str, Any]) -> Preset:
    """Return what settings by name are changes of.

    With a field, or where labels tune, that is `Network.patches` and the readout ``linear``; with the learner
    `fspinn.Surrogate` it is `Network.supervised`, with `fspinn.Hybrid` `Network.converted`, and ``linear``,
    or ``majority`` where each neuron of the last layer speaks for a class; else `Network`.
    """
    if settings.get("learner") in (Surrogate.kind, Hybrid.kind):
        sizes = () if settings.get("field") is None else (16, 5)
        readout = "majority" if settings.get("output") == "spikes" else "linear"
        if settings["learner"] == Hybrid.kind:
            return Preset(Network.converted(*sizes), Hybrid(), readout)
        return Preset(Network.supervised(*sizes), Surrogate(), readout)
    slides = settings.get("field") is not None or settings.get("learner") == StdpLabels.kind
    return Preset(Network.patches(), readout="linear") if slides else Preset()


def names() -> list[str]:
    """Return the names of the presets, such as ``mnist-400``; by data set, layers and size."""

    def place(name: str) -> tuple[str, int, int, str]:
        settings = _read(found[name][0])
        sizes = [value for setting, value in settings.items() if bare(setting) == "neurons"]
        return dataset_of(name), len(sizes), sizes[-1] if sizes else 0, name

    found = _all()
    return sorted(found, key=place)


def dataset_of(name: str) -> str:
    """Return the data set that a preset is for.

    Examples
    --------
    >>> dataset_of("fashion-mnist-400-linear")
    'fashion-mnist'
    """
    return _file_of(name)[0].stem.rpartition("-")[0].removesuffix("-stack")


def load(name: str) -> Preset:
    """Return the network, learner and readout of a preset.

    Parameters
    ----------
    name : str
        One of `names`.

    Raises
    ------
    ConfigError
        If there is no such preset, or its file holds something else.

    Examples
    --------
    >>> from fspinn import presets
    >>> preset = presets.load("mnist-400")
    >>> preset.network.neurons, preset.learner.passes
    (400, 10)
    """
    path, readout = _file_of(name)
    settings = _read(path)
    tables = {key: settings.pop(key) for key in list(settings) if isinstance(settings[key], dict)}
    return _checked(path, {"readout": readout or "proportion", **settings, **tables.get(readout, {})})


def _file_of(name: str) -> tuple[Path, str]:
    known = _all()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"preset: there is no {name!r}; {guess}use one of {', '.join(names())}")
    return known[name]


def _all() -> dict[str, tuple[Path, str]]:
    """Return file and readout (or nothing) of every preset."""
    found = {}
    for path in FOLDER.glob("*.toml"):
        found[path.stem] = (path, "")
        for key, value in _read(path).items():
            if isinstance(value, dict):
                found[f"{path.stem}-{key}"] = (path, key)
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return flattened(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not a preset ({error}); install fspinn again") from None


def _checked(path: Path, settings: Mapping[str, Any]) -> Preset:
    for name in ("neurons", "passes"):
        if name not in settings:
            raise ConfigError(f"{path}: {name} is missing; add it")
    try:
        return with_settings(start_of(settings), settings)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
