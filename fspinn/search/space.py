"""Which networks are there to choose from? Every setting is fixed, listed or ranged.

As a TOML file, each setting by its own name (see `fspinn info --settings`, or a field of `Variant`):

    encoder = "regular"                                  # fixed
    neurons = [50, 100, 200]                             # listed
    threshold = {low = 8.0, high = 40.0, log = true}     # ranged
    duration_ms = {low = 100, high = 350, step = 50}
    weights = ["UQ0.2", "UQ0.3", "UQ0.4"]
    state = ["8 bits", "16 bits"]

    [layers.2]                                           # of the second layer
    neurons = [50, 100]
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

from fspinn.base.checks import number
from fspinn.base.errors import ConfigError, FspinnError
from fspinn.base.settings import (
    bare,
    check_setting,
    families,
    flattened,
    reference,
    settings_of,
    with_settings,
)
from fspinn.network.description import Network
from fspinn.network.inputs import Contrast, Level, NoContrast
from fspinn.network.layers import Layer
from fspinn.network.learners import SURROGATES, Hybrid, Learner, StdpLabels, Surrogate
from fspinn.network.rules import Stdp
from fspinn.network.setup import Setup
from fspinn.search.candidates import FLOAT, Variant
from fspinn.search.networks import COSTLY, MULTIPLES, highest

SIZES = (10, 16, 25, 50, 100, 200, 400, 900, 1600, 2500, 3600, 4900)
"""Numbers of neurons: FSpiNN's from 100 on, and smaller ones for small jobs."""

WEIGHTS = ("UQ0.2", "UQ0.3", "UQ0.4", "UQ0.8", FLOAT)
"""Formats of the weights."""

STATE = "16 bits"
"""Format of the state."""

READOUTS = ("proportion", "majority", "linear")
"""Readouts."""

COLUMNS: Mapping[str, "Choices"] = {
    "neurons": (4, 6, 8, 12, 16, 24, 32, 48, 64),
    "cells": (3, 4, 5),
    "weights": ("UQ0.2", "UQ0.3"),
    "state": ("10 bits",),
    "prune": (True,),
    "readout": ("linear",),
    "readout_format": ("Q1.1", "Q1.2", "Q1.3"),
}
"""Columns of the default space (fspinn)."""

SUPERVISED: Mapping[str, "Choices"] = {
    "neurons": (8, 16, 32, 64, 128, 200),
    "weights": ("Q1.1", "Q1.2", "Q1.3"),
    "state": ("12 bits",),
    "prune": (True,),
    "readout": ("linear",),
    "readout_format": ("Q1.1", "Q1.2", "Q1.3"),
}
"""Networks of the default space that labels fill from scratch (fspinn)."""

SUPERVISED_COLUMNS = (4, 8, 16, 32)
"""Neurons of those with a field."""

SMALL = 16
"""Images that are lower or narrower have smaller fields, and fewer cells (fspinn)."""

FIELD, SMALL_FIELD, SMALL_CELLS = 5, 3, (2, 3, 4)
LABELLED_FIELDS = (5, 7)
"""Of columns that labels tune: more inputs then pay (fspinn; `benchmarks/learners.py`)."""

SIGNAL_FIELD, SIGNAL_CELLS = 25, (1, 2, 4, 8)
"""Along a signal (fspinn; heartbeats, `benchmarks/heartbeats.py`); a field is a quarter of it at most."""

RANGED = ("threshold", "inhibition_strength", "theta_step", "learning_rate")
"""Settings that the default space of strategies that take ranges varies, within `networks.MULTIPLES`."""

DURATIONS = (0.25, 0.5, 0.75, 1.0)
"""Durations of an image in that space, in multiples of the network's own (fspinn)."""

RANGED_SIZES = (10, 1600)
"""Least and most neurons in that space; no more than there are training images."""

MOST = 100_000
"""Combinations of listed settings at most."""

VARIANT_SETTINGS = tuple(f.name for f in fields(Variant))
TRAINING_SETTINGS = {row.name: row for row in reference(Setup) if row.name != "weight_norm"}
SETTINGS = (*TRAINING_SETTINGS, *VARIANT_SETTINGS)
"""Everything that a space can vary."""

LAYER_SETTINGS = {row.name for row in reference(Layer) if row.name != "weight_norm"}
"""What a space can vary of a further layer, by the name that it has there."""

FAMILIES = families(Setup)
"""Settings that are words for a member of a family, which brings settings of its own."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`; whole ones if both are.

    Parameters
    ----------
    low, high : int or float
    log : bool, default False
        Whether they are told apart by their ratio.
    step : int, float or None, default None
        Distance of neighbouring numbers.

    Raises
    ------
    ConfigError
        If there are no such numbers.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        low, high = number("low", self.low), number("high", self.high)
        if not low < high:
            raise ConfigError(f"low: {low:g} is not below high = {high:g}; exchange them")
        if not isinstance(self.log, bool):
            raise ConfigError(f"log: {self.log!r} is neither true nor false; write one of them")
        if self.log and (low <= 0 or self.step is not None):
            raise ConfigError("log: goes with low above 0 and without step; leave it out")
        if self.step is not None:
            number("step", self.step, above=0.0, at_most=high - low)

    @property
    def whole(self) -> bool:
        """Whether the numbers are whole."""
        return all(isinstance(value, int) for value in (self.low, self.high, self.step or 0))


Choices: TypeAlias = "tuple[Any, ...] | Range"


SUPERVISED_RANGES: Mapping[str, "Choices"] = {
    "neurons": Range(8, 200, log=True),
    "tau_m_ms": Range(0.72, 19.5, log=True),  # beta 0.25 to 0.95 in steps of 1 ms
    "threshold": Range(0.5, 2.0, log=True),
    "duration_ms": (2.0, 3.0, 4.0, 6.0, 8.0, 10.0),
    "surrogate": tuple(kind for kind in SURROGATES if kind != "straight-through"),
    "surrogate_width": Range(0.1, 2.0, log=True),
    "gradient_rate": Range(0.005, 0.08, log=True),
    "passes": (2, 4, 8, 12),
    "weights": ("Q1.3",),
    "state": ("12 bits",),
    "prune": (True,),
    "readout": ("linear",),
    "readout_format": ("Q1.3",),
}
"""Of networks that labels fill from scratch, in that space (fspinn): leak, threshold, steps, surrogate."""

HYBRID_RANGES: Mapping[str, "Choices"] = {
    **SUPERVISED_RANGES,
    "tau_m_ms": Range(5.0, 200.0, log=True),
    "duration_ms": (4.0, 6.0, 8.0, 12.0, 16.0),
    "gradient_rate": Range(0.001, 0.02, log=True),
    "passes": (0, 1, 2, 4),
}
"""Of networks that an ANN becomes (fspinn)."""


@dataclass(frozen=True)
class Space:
    """Settings to choose from; all others are those of `base`.

    Parameters
    ----------
    base : Setup
    settings : mapping of str to tuple or Range
        By the names in `SETTINGS`; a tuple of one value fixes it.
    beside : tuple of Space, default ()
        Other spaces that are searched with it, such as columns beside dense networks.

    Raises
    ------
    ConfigError
        If there is no such setting, or a value that it cannot have.
    """

    base: Setup
    settings: Mapping[str, Choices]
    beside: tuple["Space", ...] = ()

    def __post_init__(self) -> None:
        for name, choices in self.settings.items():
            if not _is_setting(name):
                raise ConfigError(f"space: there is no setting {name!r}; use some of {', '.join(SETTINGS)}")
            if not isinstance(choices, Range) and len(choices) == 0:
                raise ConfigError(f"space: {name} has nothing to choose from; list at least one value")
            if isinstance(choices, Range) and name in VARIANT_SETTINGS:
                raise ConfigError(f"space: {name} cannot be ranged; list its values")
            for value in (choices.low, choices.high) if isinstance(choices, Range) else choices:
                self._check(name, value)

    @property
    def ranged(self) -> list[str]:
        """Names of the settings that are ranged."""
        return [name for name, choices in self.settings.items() if isinstance(choices, Range)]

    def variants(self) -> list[Variant]:
        """Return all variants; formats that do not go together are left out.

        With weights in floats all is, whatever else is listed.

        Raises
        ------
        ConfigError
            If no formats go together.
        """
        found, refused = [], "nothing to choose from"
        names = [name for name in VARIANT_SETTINGS if name in self.settings]
        for values in product(*(self.settings[name] for name in names)):  # type: ignore[arg-type]
            chosen = dict(zip(names, values, strict=True))
            if chosen.get("weights") == FLOAT:
                chosen |= {"state": FLOAT, "prune": False, "theta": None, "readout_format": None}
            try:
                found.append(Variant(**chosen))
            except ConfigError as error:
                refused = str(error)
        if not found:
            raise ConfigError(f"space: {refused}")
        return list(dict.fromkeys(found))

    def trainings(self) -> list[Setup]:
        """Return all that is to be trained; of a space without ranges.

        Raises
        ------
        ConfigError
            If a setting is ranged, or there are too many combinations.
        """
        if self.ranged:
            raise ConfigError(
                f"space: the ladder takes no ranges, but {self.ranged[0]} is one; list its values, or use "
                "the strategy bayes or halving"
            )
        listed = {name: v for name, v in self.settings.items() if name not in VARIANT_SETTINGS}
        if prod(len(values) for values in listed.values()) > MOST:  # type: ignore[arg-type, misc]
            raise ConfigError(f"space: more than {MOST} combinations; list fewer values, or use bayes")
        found = []
        for values in product(*listed.values()):  # type: ignore[arg-type]
            try:
                found.append(self.training(dict(zip(listed, values, strict=True))))
            except ConfigError as error:
                refused = str(error)
        if not found:
            raise ConfigError(f"space: no combination makes a network: {refused}")
        return list(dict.fromkeys(found))

    def training(self, values: Mapping[str, Any]) -> Setup:
        """Return what some values make; those of settings that it does not have make no difference.

        Raises
        ------
        ConfigError
            If they do not go together.
        """
        values = {**{n: c[0] for n, c in self.settings.items() if not isinstance(c, Range)}, **values}
        settings = {name: value for name, value in values.items() if bare(name) in TRAINING_SETTINGS}
        # What brings further settings comes first: further layers, then the members of families.
        named = {name.removesuffix(bare(name)) for name in settings} - {""}
        made = {f"{layer}neurons" for layer in named} - settings_of(self.base).keys()
        layers = dict.fromkeys(made, Layer.prototypes().neurons)
        brings = {name: value for name, value in settings.items() if bare(name) in (*FAMILIES, "neurons")}
        chosen = with_settings(self.base, layers | brings)
        there = settings_of(chosen)
        return with_settings(chosen, {name: value for name, value in settings.items() if name in there})

    def _check(self, name: str, value: Any) -> None:
        """Refuse a value that a setting cannot have, whatever the others are."""
        if bare(name) in TRAINING_SETTINGS:
            check_setting(Setup, name, value)
        elif name == "state" and value != FLOAT:
            Variant(weights="UQ0.8", state=value)
        elif name in ("prune", "theta", "readout_format"):
            Variant(weights="UQ0.8", state="16 bits", **{name: value})
        else:
            Variant(**{name: value})


def ladder_space(
    base: Setup,
    images: int,
    sizes: Sequence[int] | None = None,
    weights: Sequence[str] | None = None,
    readouts: Sequence[str] | None = None,
) -> Space:
    """Return the space of FSpiNN's search: sizes, widths and readouts.

    All networks compute in integers, with a state of `STATE`, and are pruned (fspinn): that costs next to no
    accuracy and saves much.

    Raises
    ------
    ConfigError
        If nothing is left: sizes above the number of training images are left out.
    """
    settings: dict[str, Choices] = {
        "neurons": tuple(size for size in (SIZES if sizes is None else sizes) if size <= images),
        "weights": WEIGHTS if weights is None else tuple(weights),
        "readout": READOUTS if readouts is None else tuple(readouts),
    }
    if () in settings.values():
        raise ConfigError(
            "search: there is nothing to choose from; give at least one size, format and readout, "
            f"and no more neurons than the {images} training images"
        )
    return Space(base, settings | {"state": (STATE,), "prune": (True,)})


def column_space(
    shape: tuple[int, ...],
    sizes: Sequence[int] | None = None,
    weights: Sequence[str] | None = None,
    readouts: Sequence[str] | None = None,
    learner: Learner = Stdp(),
) -> Space:
    """Return the space of columns that slide over images or signals of a shape.

    Of signals the level is seen, of colours fields of 3 x 3 as they are (fspinn). Weights in floats are left
    out: what columns are for is little memory.
    """
    height, width, colours = shape[0], shape[1], shape[2:] == (3,)
    settings = dict(COLUMNS)
    contrast: Contrast = NoContrast()
    field: int | tuple[int, int] = SMALL_FIELD if colours else FIELD
    if height == 1:
        field, contrast = (1, min(SIGNAL_FIELD, -(-width // 4))), Level()
        most = width - field[1] + 1
        settings["cells"] = tuple((1, cells) for cells in SIGNAL_CELLS if cells <= most) or ((1, 1),)
    elif min(height, width) < SMALL:
        field, settings["cells"] = SMALL_FIELD, SMALL_CELLS
    elif isinstance(learner, StdpLabels) and not colours:
        settings["field"] = LABELLED_FIELDS
    listed = {"neurons": sizes, "weights": weights, "readout": readouts}
    settings |= {name: tuple(values) for name, values in listed.items() if values is not None}
    return Space(Setup(Network.patches(field=field, contrast=contrast), learner), settings)


def supervised_spaces(
    shape: tuple[int, ...],
    sizes: Sequence[int] | None = None,
    weights: Sequence[str] | None = None,
    readouts: Sequence[str] | None = None,
    learner: Surrogate = Surrogate(),
) -> list[Space]:
    """Return the spaces of networks that labels fill from scratch: of all the input, and with a field.

    All the input is looked at in blocks of 2 x 2 too, unless it is small. A field is that of columns for the
    shape; of `fspinn.Hybrid` they are those that an ANN can become.
    """
    make = Network.converted if isinstance(learner, Hybrid) else Network.supervised
    column = column_space(shape, weights=("UQ0.3",))
    layer, contrast = column.base.network.layers[0], column.base.network.contrast
    listed = {"neurons": sizes, "weights": weights, "readout": readouts}
    given: dict[str, Choices] = {name: tuple(v) for name, v in listed.items() if v is not None}
    large = min(shape[:2]) >= SMALL and all(side % 2 == 0 for side in shape[:2])
    pool: dict[str, Choices] = {"pool": (1, 2)} if large else {}
    dense = Setup(make(contrast=contrast), learner)
    slides = Setup(make(16, layer.field, contrast=contrast), learner)
    cells: dict[str, Choices] = {"cells": column.settings["cells"], "neurons": SUPERVISED_COLUMNS}
    return [Space(dense, {**SUPERVISED, **pool, **given}), Space(slides, {**SUPERVISED, **cells, **given})]


def _spaces_of(
    shape: tuple[int, ...],
    sizes: Sequence[int] | None,
    weights: Sequence[str] | None,
    readouts: Sequence[str] | None,
    learner: Learner,
) -> list[Space]:
    """Return the default spaces of a learner, but for dense networks that learn by STDP."""
    if isinstance(learner, Surrogate):
        return supervised_spaces(shape, sizes, weights, readouts, learner)
    return [column_space(shape, sizes, weights, readouts, learner)]


def ranged_space(
    base: Setup,
    images: int,
    sizes: Sequence[int] | None = None,
    weights: Sequence[str] | None = None,
    readouts: Sequence[str] | None = None,
) -> Space:
    """Return that space with any number of neurons, and with settings around those of the base network.

    Gradients have settings of their own (`SUPERVISED_RANGES`, `HYBRID_RANGES`).
    """
    if isinstance(base.learner, Surrogate):
        listed = {"neurons": sizes, "weights": weights, "readout": readouts}
        chosen = {name: tuple(values) for name, values in listed.items() if values is not None}
        ranges = HYBRID_RANGES if isinstance(base.learner, Hybrid) else SUPERVISED_RANGES
        return Space(base, {**ranges, **chosen})
    low, high = RANGED_SIZES
    space = ladder_space(base, images, sizes or (min(low, images),), weights, readouts)
    settings, given = dict(space.settings), settings_of(base)
    for name in RANGED:
        value, (least, most) = given.get(name, 0.0), MULTIPLES[name]
        if value > 0:
            settings[name] = Range(value * least, min(value * most, highest(base, name)), log=True)
    durations = {max(round(base.network.steps * part), 1) * base.network.dt_ms for part in DURATIONS}
    settings["duration_ms"] = tuple(sorted(durations))
    if not sizes and images > low:
        settings["neurons"] = Range(low, min(high, images), log=True)
    return Space(base, settings)


def corners(space: Space) -> Space:
    """Return a space without ranges that holds the cheapest and the dearest networks of another one."""
    settings: dict[str, Choices] = {}
    for name, choices in space.settings.items():
        if isinstance(choices, Range):
            settings[name] = (choices.low, choices.high) if bare(name) in COSTLY else (choices.low,)
        elif bare(name) in COSTLY or name in VARIANT_SETTINGS:
            settings[name] = choices
        else:
            settings[name] = choices[:1]
    return Space(space.base, settings)


def read_space(path: str | Path, base: Setup) -> Space:
    """Read a space from a TOML file.

    Raises
    ------
    ConfigError
        If the file cannot be read, or holds something else; the message names file and setting.
    """
    path = Path(path)
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a TOML file that can be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML ({error}); fix that line") from None
    try:
        return space_of(written, base)
    except FspinnError as error:
        raise ConfigError(f"{path}: {error}") from None


def space_of(written: Mapping[str, Any], base: Setup) -> Space:
    """Return the space that is written by name, in the form of a TOML file; a `Range` may stand in it too.

    One that gives a field starts from `Network.patches`, unless the base is a network of one's own.

    Raises
    ------
    ConfigError
        If it holds something else; the message names the setting.
    """
    settings = {name: _choices(name, value) for name, value in flattened(written).items()}
    if "field" in settings and base.network == Network():
        base = replace(base, network=Network.patches())
    return Space(base, settings)


def _is_setting(name: str) -> bool:
    """Return whether a space can vary a setting; of a further layer only what a layer has."""
    return name in SETTINGS or (name.startswith("layers.") and bare(name) in LAYER_SETTINGS)


def settle(
    strategy: str,
    space: Space | Mapping[str, Any] | str | Path | None,
    network: Network | None,
    learners: Sequence[Learner],
    images: int,
    shape: tuple[int, ...],
    sizes: Sequence[int] | None,
    weights: Sequence[str] | None,
    readouts: Sequence[str] | None,
) -> Space:
    """Return the space of a search: the one that is given, or the default, with what is listed beside it.

    Without a network, sizes and a space, the ladder looks at columns beside dense networks, which only learn
    without labels, and at `supervised_spaces` for learners that fill networks from scratch. The first learner
    is that of a space, and of strategies other than the ladder.
    """
    base = Setup(network or _default_network(strategy, learners[0], shape), learners[0])
    beside: tuple[Space, ...] = ()
    if strategy == "ladder" and space is None:
        columns = [
            each for learner in learners for each in _spaces_of(shape, sizes, weights, readouts, learner)
        ]
        if network is not None:
            slides = network.layers[0].field is not None
            columns = [each for each in columns if slides == (each.base.network.layers[0].field is not None)]
            columns = [_around(network, each, each.base.learner, readouts) for each in columns]
        alone = next((learner for learner in learners if type(learner) is Stdp), None)
        if columns and (alone is None or network is not None):
            return replace(columns[0], beside=tuple(columns[1:]))
        if network is None and alone is not None:
            base = replace(base, learner=alone)
            beside = tuple(each for each in columns if sizes is None or each.base.learner != alone)
    if isinstance(space, str | Path):
        space = read_space(space, base)
    elif isinstance(space, Mapping):
        space = space_of(space, base)
    elif space is not None and not isinstance(space, Space):
        raise ConfigError(
            f"space: {type(space).__name__} is not a space; give a dict such as {{'neurons': [50, 100]}}, "
            "a Space or the path of a TOML file"
        )
    make = ladder_space if strategy == "ladder" else ranged_space
    settings: dict[str, Any] = dict(make(base, images, sizes, weights, readouts).settings)
    if space is not None:
        # Of the default, only what every network needs: the space says what else varies.
        listed = {"neurons": sizes, "weights": weights, "readout": readouts}
        given = {name: tuple(values) for name, values in listed.items() if values is not None}
        needed = [*listed, "state", *([] if "state" in space.settings else ["prune"])]
        settings = {name: settings[name] for name in needed} | dict(space.settings) | given
    return Space(base, settings, beside)


def _default_network(strategy: str, learner: Learner, shape: tuple[int, ...]) -> Network:
    if strategy == "ladder" or not isinstance(learner, Surrogate):
        return Network()
    return supervised_spaces(shape, learner=learner)[0].base.network


def _around(network: Network, columns: Space, learner: Learner, readouts: Sequence[str] | None) -> Space:
    """Return the space of columns around a network with a field, whose cells stay.

    Of several layers the neurons stay too, and the readout is that of prototypes.
    """
    settings = {name: choices for name, choices in columns.settings.items() if name != "cells"}
    if len(network.layers) > 1:
        settings |= {"neurons": (network.layers[0].neurons,), "readout": tuple(readouts or ("proportion",))}
        settings |= {"state": (STATE,), "readout_format": ("UQ0.4",)}
    return Space(Setup(network, learner), settings)


def _choices(name: str, written: Any) -> Choices:
    if isinstance(written, Range):
        return written
    if isinstance(written, list | tuple | range):
        return tuple(written)
    if not isinstance(written, dict):
        return (written,)
    known = {f.name for f in fields(Range)}
    if not {"low", "high"} <= written.keys() <= known:
        raise ConfigError(
            f"{name}: a range has low and high, and perhaps log or step, but this one {', '.join(written)}; "
            f"write {name} = {{low = 1, high = 2}}"
        )
    try:
        return Range(**written)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
