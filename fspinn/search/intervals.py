"""How sure is an accuracy that was measured on so many images?"""

from math import sqrt


def wilson_interval(successes: float, samples: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion (E. B. Wilson, JASA 22:209, 1927).

    Parameters
    ----------
    successes : float
        May be a mean over several seeds.
    samples : int
        Images; the same ones for all seeds count once.
    z : float, default 1.959964
        95 %.

    Examples
    --------
    >>> low, high = wilson_interval(90, 100)
    >>> round(low, 3), round(high, 3)
    (0.826, 0.945)
    """
    share = successes / samples
    centre = share + z * z / (2 * samples)
    spread = z * sqrt(share * (1 - share) / samples + z * z / (4 * samples * samples))
    scale = 1 + z * z / samples
    # Rounding must not put an end on the wrong side: at none and all of the images they are exactly 0 and 1.
    return max(0.0, min(share, (centre - spread) / scale)), min(1.0, max(share, (centre + spread) / scale))


def chance_of_so_few(successes: float, samples: int, target: float) -> float:
    """Return how likely so few successes, or fewer, are where the true proportion is the target (binomial).

    Examples
    --------
    >>> round(chance_of_so_few(80, 100, 0.9), 4)
    0.002
    """
    from scipy.stats import binom

    return float(binom.cdf(int(successes + 1e-6), samples, target))  # a mean may be a hair below
