"""How sure is a proportion that was measured on so many images?"""

from math import ceil, sqrt
from statistics import NormalDist

CONFIDENCE = 0.975
"""One-sided: that the truth is not below the lower end of the two-sided 95 % interval."""


def wilson_interval(successes: float, samples: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion (E. B. Wilson, JASA 22:209, 1927).

    Parameters
    ----------
    successes : float
        May be a mean over several seeds.
    samples : float
        Images; the same ones for all seeds count once.
    confidence : float, default 0.975
        Of each end alone; both together are the 95 % interval. At 0.5 both ends are the proportion.

    Examples
    --------
    >>> low, high = wilson_interval(90, 100)
    >>> round(low, 3), round(high, 3)
    (0.826, 0.945)
    """
    share, z = successes / samples, quantile(confidence)
    centre = share + z * z / (2 * samples)
    spread = z * sqrt(share * (1 - share) / samples + z * z / (4 * samples * samples))
    scale = 1 + z * z / samples
    # Rounding must not put an end on the wrong side: at none and all of the images they are exactly 0 and 1.
    return max(0.0, min(share, (centre - spread) / scale)), min(1.0, max(share, (centre + spread) / scale))


def quantile(confidence: float) -> float:
    """Return the quantile of the standard normal distribution for a one-sided confidence."""
    return round(NormalDist().inv_cdf(confidence), 6)


def chance_of_so_few(successes: float, samples: int, target: float) -> float:
    """Return how likely so few successes, or fewer, are where the true proportion is the target (binomial).

    Examples
    --------
    >>> round(chance_of_so_few(80, 100, 0.9), 4)
    0.002
    """
    from scipy.special import bdtr

    return float(bdtr(int(successes + 1e-6), samples, target))  # a mean may be a hair below


def chance_of_so_many(successes: float, samples: int, target: float) -> float:
    """Return how likely so many successes, or more, are where the true proportion is the target (binomial).

    Examples
    --------
    >>> round(chance_of_so_many(97, 100, 0.9), 4)
    0.0078
    """
    from scipy.special import bdtrc

    least = ceil(successes - 1e-6)
    return 1.0 if least <= 0 else float(bdtrc(least - 1, samples, target))
