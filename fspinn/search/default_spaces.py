"""Which networks does a search choose from, if nobody says? Those of the ladder, of columns, of gradients."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fspinn.base.errors import ConfigError
from fspinn.base.settings import settings_of
from fspinn.network.description import Network
from fspinn.network.inputs import Contrast, Level, NoContrast
from fspinn.network.learners import SURROGATES, Hybrid, Learner, StdpLabels, Surrogate
from fspinn.network.rules import Stdp
from fspinn.network.setup import Setup
from fspinn.search.candidates import FLOAT
from fspinn.search.networks import MULTIPLES, highest
from fspinn.search.space import Choices, Range, Space, read_space, space_of

SIZES = (10, 16, 25, 50, 100, 200, 400, 900, 1600, 2500, 3600, 4900)
"""Numbers of neurons: FSpiNN's from 100 on, and smaller ones for small jobs."""

WEIGHTS = ("UQ0.2", "UQ0.3", "UQ0.4", "UQ0.8", FLOAT)
"""Formats of the weights."""

STATE = "16 bits"
"""Format of the state."""

READOUTS = ("proportion", "majority", "linear")
"""Readouts."""

COLUMNS: Mapping[str, Choices] = {
    "neurons": (4, 6, 8, 12, 16, 24, 32, 48, 64),
    "cells": (3, 4, 5),
    "weights": ("UQ0.2", "UQ0.3"),
    "state": ("10 bits",),
    "prune": (True,),
    "readout": ("linear",),
    "readout_format": ("Q1.1", "Q1.2", "Q1.3"),
}
"""Columns of the default space (fspinn)."""

SUPERVISED: Mapping[str, Choices] = {
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

SUPERVISED_RANGES: Mapping[str, Choices] = {
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

HYBRID_RANGES: Mapping[str, Choices] = {
    **SUPERVISED_RANGES,
    "tau_m_ms": Range(5.0, 2000.0, log=True),  # up to next to no leak
    "percentile": (99.0, 99.9, 100.0),
    "duration_ms": (4.0, 6.0, 8.0, 12.0, 16.0),
    "gradient_rate": Range(0.001, 0.02, log=True),
    "passes": (0, 1, 2, 4),
}
"""Of networks that an ANN becomes (fspinn)."""


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
    if strategy != "ladder" and isinstance(learner, Surrogate):
        return supervised_spaces(shape, learner=learner)[0].base.network
    if strategy != "ladder" and isinstance(learner, StdpLabels):
        return column_space(shape, learner=learner).base.network
    return Network()


def _around(network: Network, columns: Space, learner: Learner, readouts: Sequence[str] | None) -> Space:
    """Return the space of columns around a network with a field, whose cells stay.

    Of several layers the neurons stay too, and the readout is that of prototypes.
    """
    settings = {name: choices for name, choices in columns.settings.items() if name not in ("cells", "pool")}
    if len(network.layers) > 1:
        settings |= {"neurons": (network.layers[0].neurons,), "readout": tuple(readouts or ("proportion",))}
        settings |= {"state": (STATE,), "readout_format": ("UQ0.4",)}
    return Space(Setup(network, learner), settings)
