"""An estimate in six lines, for people: what a network takes of a piece of hardware, and where it goes."""

from collections.abc import Iterator, Mapping
from typing import Any

from fspinn.base.amounts import area_text, energy_text, figures, memory_text, time_text
from fspinn.memmodel.area import Needed
from fspinn.memmodel.estimates import Breakdown, Estimate
from fspinn.memmodel.workload import COUNTED

_NAMED = 3
_LEAST = 0.01
"""As many components are named where costs go, if their share is so large."""

_NAMES = {
    "flash_bytes": "flash",
    "ram_bytes": "RAM",
    "ram_blocks": "RAM blocks",
    "logic_cells": "logic cells",
}
_WIDTH = 11


def summarize(estimates: Mapping[str, Estimate]) -> str:
    """Return an inference of one estimate, or of two that are compared, by what they are called."""
    first = next(iter(estimates.values()))
    if len(estimates) == 1:
        blocks = ["\n".join(_rows(first))]
    else:
        titled = ((f"{name}:", *(f"  {row}" for row in _rows(one))) for name, one in estimates.items())
        blocks = [*("\n".join(lines) for lines in titled), _compared(estimates)]
    if any(work.source != COUNTED for work in first.work["inference"]):
        blocks.append(f"Nothing was counted: spikes are {first.work['inference'][0].source}.")
    return "\n\n".join(blocks)


def _rows(estimate: Estimate) -> Iterator[str]:
    yield from (f"{what:<{_WIDTH}} {words}" for what, words in _told(estimate))


def _told(estimate: Estimate) -> Iterator[tuple[str, str]]:
    meta, band = estimate.hardware.meta, estimate.hardware.band
    limited = _limited(estimate)
    verdict = ("yes, on" if estimate.fits("inference") else "no, not on") if limited else "without limit on"
    yield "fits", f"{verdict} {meta.name}: {meta.description}"
    yield from _taken(estimate, limited)
    seconds, energy = estimate.latency_s("inference"), estimate.energy["inference"]["total"]
    if seconds is None or band.latency is None:
        yield "latency", "nothing is known of time"
    else:
        expected = f"{time_text(seconds * band.latency.low)} to {time_text(seconds * band.latency.high)}"
        yield "latency", f"{time_text(seconds)} an image, expected {expected}"
    expected = f"{energy_text(energy * band.energy.low)} to {energy_text(energy * band.energy.high)}"
    yield "energy", f"{energy_text(energy)} an image, expected {expected} ({meta.confidence})"
    yield _goes_to(estimate)


def _goes_to(estimate: Estimate) -> tuple[str, str]:
    goes = (("memory", estimate.memory), ("energy", estimate.energy))
    return "goes to", "; ".join(f"{what}: {largest(parts['inference'])}" for what, parts in goes)


def _limited(estimate: Estimate) -> dict[str, Needed]:
    """Return what there is a limited amount of; of a microcontroller its flash and its RAM."""
    needs = estimate.capacity["inference"]
    return {name: one for name, one in needs.items() if one.available is not None}


def _taken(estimate: Estimate, limited: Mapping[str, Needed]) -> Iterator[tuple[str, str]]:
    """Yield what is limited, or the memory and the area where nothing is."""
    for name, one in limited.items():
        yield _NAMES.get(name, name.removesuffix("_bits")), _of(name, one)
    if not limited:
        yield "memory", memory_text(estimate.memory["inference"]["total"])
        if estimate.area is not None:
            yield "area", area_text(estimate.area["inference"]["total"])


def _of(name: str, one: Needed) -> str:
    """Return how much of how much there is, and its share."""
    bits = {"bytes": 8, "bits": 1}.get(name.rsplit("_", 1)[1])
    needed, available = (
        f"{amount:,}" if bits is None else memory_text(bits * amount)
        for amount in (one.needed, one.available or 0)
    )
    part = one.needed / max(one.available or 0, 1)
    share = "under 1%" if part < 0.01 else f"{part:.0%}"
    return f"{needed} of {available} ({share}){'' if one.fits else ': too much'}"


def largest(breakdown: Breakdown) -> str:
    """Return the largest components and their shares, in words."""
    total = max(breakdown["total"], 1)
    shares = {name: value / total for name, value in breakdown.items() if name != "total"}
    named = sorted((name for name in shares if shares[name] >= _LEAST), key=lambda name: -shares[name])
    words = (f"{name.replace('_', ' ')} {shares[name]:.0%}" for name in named[:_NAMED])
    return ", ".join(words) or "nothing"


def _compared(estimates: Mapping[str, Estimate]) -> str:
    (first, one), (second, other) = estimates.items()
    pairs: dict[str, tuple[Any, Any]] = {
        "memory": (one.memory["inference"]["total"], other.memory["inference"]["total"]),
        "energy": (one.energy["inference"]["total"], other.energy["inference"]["total"]),
        "latency": (one.latency_s("inference"), other.latency_s("inference")),
    }
    times = (
        f"{what} {'the same' if a == b else f'{figures(b / a)} times'}"
        for what, (a, b) in pairs.items()
        if a and b is not None
    )
    return f"{second} over {first}: {', '.join(times)}"
