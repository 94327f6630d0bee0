"""What stands for the derivative of a step? Shapes of surrogates, all of a width relative to the threshold.

With ``u = v - threshold``, and `k` found from the width (full width at half maximum):

================ ===================================== ========================
kind             derivative                            width
================ ===================================== ========================
fast_sigmoid     ``1 / (1 + k |u|)^2``                 ``2 (sqrt(2) - 1) / k``
atan             ``(k / 2) / (1 + (pi k u / 2)^2)``    ``4 / (pi k)``
sigmoid          ``k e^-ku / (1 + e^-ku)^2``           ``4 ln(1 + sqrt(2)) / k``
triangular       ``max(0, 1 - k |u|)``                 ``1 / k``
boxcar           ``1 where |u| < 1 / (2 k)``           ``1 / k``
straight-through ``1``                                 has none
================ ===================================== ========================

The first three are those of snnTorch, `k` its slope or alpha, and so is the last one; triangular (snnTorch's
has another sign above the threshold) and boxcar are this project's own.
"""

from math import log, pi, sqrt

from fspinn.base.errors import ConfigError
from fspinn.network.learners import SURROGATES

WIDTHS = {
    "fast_sigmoid": 2 * (sqrt(2) - 1),
    "atan": 4 / pi,
    "sigmoid": 4 * log(1 + sqrt(2)),
    "triangular": 1.0,
    "boxcar": 1.0,
    "straight-through": 1.0,
}
"""Width of each shape where its `k` is 1."""

DEFAULT_K = {"fast_sigmoid": 25.0, "atan": 2.0, "sigmoid": 25.0, "triangular": 1.0, "boxcar": 1.0}
"""For a threshold of 1: of the first three those of snnTorch 1.0, whose widths differ 19-fold; of the others
a width of the threshold (fspinn)."""


def k_of(kind: str, width: float | None, threshold: float) -> float:
    """Return `k` of the shape with this width, in parts of the threshold; None is its default.

    Raises
    ------
    ConfigError
        If there is no such shape, or the width is not above 0.
    """
    if kind not in WIDTHS:
        raise ConfigError(f"surrogate: there is no {kind!r}; use one of {', '.join(SURROGATES)}")
    width = default_width(kind) if width is None else width
    if not width > 0:
        raise ConfigError(f"surrogate_width: {width:g} of the threshold is not a width; give more than 0")
    return WIDTHS[kind] / (width * threshold)


def default_width(kind: str) -> float:
    """Return the width that a shape has by default, in parts of the threshold.

    Examples
    --------
    >>> round(default_width("atan") / default_width("fast_sigmoid"), 1)
    19.2
    """
    return WIDTHS[kind] / DEFAULT_K.get(kind, 1.0)
