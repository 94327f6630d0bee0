"""Is this a number, and within its limits?"""

from math import isfinite
from numbers import Integral, Real

from fspinn.base.errors import ConfigError

MAX_SEED = 2**64 - 1


def number(
    name: str,
    value: float,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return `value` as a float, or raise `ConfigError` if it is not a number within the limits."""
    if isinstance(value, bool) or not isinstance(value, Real) or not _is_finite(value):
        raise ConfigError(f"{name}: {value!r} is not a number; give one")
    if above is not None and not value > above:
        raise ConfigError(f"{name}: must be above {above:g}, but got {value:g}")
    if at_least is not None and not value >= at_least:
        raise ConfigError(f"{name}: must be at least {at_least:g}, but got {value:g}")
    if at_most is not None and not value <= at_most:
        raise ConfigError(f"{name}: must be at most {at_most:g}, but got {value:g}")
    return float(value)


def whole_number(name: str, value: int, low: int, high: int) -> int:
    """Return `value` as an int, or raise `ConfigError` if it is not a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ConfigError(f"{name}: {value!r} is not a whole number; give one from {low} to {high}")
    if not low <= value <= high:
        raise ConfigError(f"{name}: must be from {low} to {high}, but got {value}")
    return int(value)


def checked_seed(seed: int) -> int:
    """Return `seed` as an int, or raise `ConfigError` if it is not a whole number from 0 to `MAX_SEED`."""
    return whole_number("seed", seed, 0, MAX_SEED)


def _is_finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # a whole number beyond the largest float
        return False
