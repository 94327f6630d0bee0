"""Searches of a few seconds on 400 digits."""

from dataclasses import replace

from described import dense, stdp

from fspinn.datasets import load
from fspinn.search import Space, find_smallest

WORDS = (
    "search --validation 300 --samples 400 --accuracy 0.6 --sizes 10,25,60 --weights UQ0.3,float32 "
    "--readouts proportion --passes 1 --seeds 2 --set duration_ms=60 --set threshold=8 "
    "--set rate_norm_hz=900 --energy 9uJ"
)
"""A search that finds a network, with one smaller candidate that will not do."""

QUICK = dense(duration_ms=60.0, threshold=8.0, rate_norm_hz=900.0)


def few_digits():
    digits = load("digits", validation=300)
    return replace(digits, train=digits.train.first(400))


def quick(data, **settings):
    """Search in a few seconds; a `Space` has its own network and learner."""
    given = {"accuracy": 0.6, "seeds": 1}
    given |= {"trials": 13} if settings.get("strategy", "ladder") != "ladder" else {}
    if not isinstance(settings.get("space"), Space):
        given |= {"network": QUICK, "learner": stdp(passes=settings.pop("passes", 1))}
    return find_smallest(
        data, **{**given, "weights": ("UQ0.2", "UQ0.4"), "readouts": ("proportion",), **settings}
    )
