"""What stands for the derivative of a step? Shapes of surrogates, all of a width relative to the threshold.

With ``u = v - threshold``, and `k` found from the width (full width at half maximum):

============== ===================================== ===================
kind           derivative                            width
============== ===================================== ===================
fast_sigmoid   ``1 / (1 + k |u|)^2``                 ``2 (sqrt(2) - 1) / k``
atan           ``(k / 2) / (1 + (pi k u / 2)^2)``    ``4 / (pi k)``
sigmoid        ``k e^-ku / (1 + e^-ku)^2``           ``4 ln(1 + sqrt(2)) / k``
triangular     ``max(0, 1 - k |u|)``                 ``1 / k``
boxcar         ``1 where |u| < 1 / (2 k)``           ``1 / k``
straight       ``1``                                 none
============== ===================================== ===================

The first three are those of snnTorch, `k` its slope or alpha; triangular and boxcar are this project's own.
"""

from math import log, pi, sqrt

from fspinn.base.errors import ConfigError

WIDTHS = {
    "fast_sigmoid": 2 * (sqrt(2) - 1),
    "atan": 4 / pi,
    "sigmoid": 4 * log(1 + sqrt(2)),
    "triangular": 1.0,
    "boxcar": 1.0,
    "straight-through": 1.0,
}
"""Width of each shape where its `k` is 1."""

KINDS = tuple(WIDTHS)

DEFAULT_K = {"fast_sigmoid": 25.0, "atan": 2.0, "sigmoid": 25.0}
"""Of snnTorch 1.0, for a threshold of 1; the widths of these differ 19-fold."""


def k_of(kind: str, width: float, threshold: float) -> float:
    """Return `k` of the shape with this width, in parts of the threshold.

    Raises
    ------
    ConfigError
        If there is no such shape, or the width is not above 0.
    """
    if kind not in WIDTHS:
        raise ConfigError(f"surrogate: there is no {kind!r}; use one of {', '.join(KINDS)}")
    if not width > 0:
        raise ConfigError(f"surrogate_width: {width:g} of the threshold is not a width; give more than 0")
    return WIDTHS[kind] / (width * threshold)


def default_width(kind: str, threshold: float = 1.0) -> float:
    """Return the width that snnTorch's default has, in parts of the threshold."""
    return WIDTHS[kind] / (DEFAULT_K[kind] * threshold)
