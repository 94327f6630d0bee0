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
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import product
from math import isclose, prod
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
from fspinn.network.layers import Layer
from fspinn.network.setup import Setup
from fspinn.search.candidates import FLOAT, Variant
from fspinn.search.networks import COSTLY

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

    def __contains__(self, value: object) -> bool:
        """Whether it is one of the numbers."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            return False
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        return isclose(steps, round(steps), abs_tol=1e-9)


Choices: TypeAlias = "tuple[Any, ...] | Range"


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
    def learners(self) -> tuple[str, ...]:
        """The kinds of learners, whether they vary or not."""
        kinds = self.settings.get("learner")
        return kinds if isinstance(kinds, tuple) else (self.base.learner.kind,)

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
