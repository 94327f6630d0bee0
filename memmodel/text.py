"""All of an estimate in words, for people: tables by component, and what follows from them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from fspinn.base.amounts import area_text, energy_text, figures, memory_text, time_text
from fspinn.memmodel.estimates import Breakdown, Estimate
from fspinn.memmodel.workload import COUNTED, PHASES

_WIDTH = 18

_NO_PROGRAM = "the exported program of such a network does not learn"


class _Column(NamedTuple):
    phase: str
    name: str
    breakdown: Breakdown


def describe(estimates: Mapping[str, Estimate]) -> str:
    """Return one estimate, or two side by side, by what they are called, as tables and sentences."""
    first = next(iter(estimates.values()))
    lines = [_heading(name, estimate) for name, estimate in estimates.items()]
    for title, attribute, text in TABLES:
        each = {name: getattr(one, attribute) for name, one in estimates.items()}
        phases = phases_told(*estimates.values()) if None not in each.values() else ()
        columns = [_Column(phase, name, one[phase]) for phase in phases for name, one in each.items()]
        if any(len(column.breakdown) > 1 for column in columns):
            lines += ["", *_table(title, columns, text)]
    for name, estimate in estimates.items():
        lines += ["", *_sentences(name, estimate)]
    if any(work[0].source != COUNTED for work in first.work.values()):
        lines += ["", "Nothing was counted: spikes are " + first.work["inference"][0].source + "."]
    return "\n".join(lines)


def phases_told(*estimates: Estimate) -> tuple[str, ...]:
    """Return what is said of devices: training only where all of them can learn."""
    return PHASES if all(estimate.device_learns for estimate in estimates) else PHASES[:1]


TABLES: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("memory", "memory", memory_text),
    ("energy per image", "energy", energy_text),
    ("cycles per image", "latency", "{:,}".format),
    ("area", "area", area_text),
)
"""Breakdowns: what each is called, the attribute of an `Estimate`, and how its values are written."""


def _heading(name: str, estimate: Estimate) -> str:
    meta = estimate.hardware.meta
    return (
        f"{name}: {meta.description}" if name == meta.name else f"{name} on {meta.name}: {meta.description}"
    )


def _table(title: str, columns: list[_Column], text: Callable[[Any], str]) -> Iterator[str]:
    names = [name for column in columns for name in column.breakdown if name != "total"]
    compared = len({column.name for column in columns}) > 1
    yield f"{title:<{_WIDTH}}" + "".join(f"{column.phase:>{_WIDTH}}" for column in columns)
    if compared:
        yield " " * _WIDTH + "".join(f"{column.name[-_WIDTH + 1 :]:>{_WIDTH}}" for column in columns)
    for name in [*dict.fromkeys(names), "total"]:
        values = [column.breakdown.get(name) for column in columns]
        if any(values) or name == "total":
            cells = (f"{'-' if value is None else text(value):>{_WIDTH}}" for value in values)
            yield f"  {name:<{_WIDTH - 2}}" + "".join(cells)
    if compared:  # columns come as one phase of both estimates, then the other phase of both
        yield f"  {columns[1].name} over {columns[0].name}: " + ", ".join(
            f"{first.phase} {_times(first, second)}"
            for first, second in zip(columns[::2], columns[1::2], strict=True)
        )


def _sentences(name: str, estimate: Estimate) -> Iterator[str]:
    meta, band = estimate.hardware.meta, estimate.hardware.band
    within = f"expect the true energy at {band.energy.low:g} to {band.energy.high:g} times the estimate"
    yield f"{name} ({meta.confidence}): {within}:"
    for phase in phases_told(estimate):
        total = estimate.energy[phase]["total"]
        energy = f"{energy_text(total * band.energy.low)} to {energy_text(total * band.energy.high)}"
        yield f"  {phase}: {energy} an image{_speed(estimate, phase)}"
        for what, one in estimate.capacity[phase].items():
            quantity, unit = what.rsplit("_", 1)
            if not one.fits:
                yield f"  {phase} does not fit: {quantity} {one.needed:,} of {one.available:,} {unit}"
            elif estimate.hardware.controller is not None or "ram_blocks" in estimate.capacity[phase]:
                yield f"  {phase} takes {quantity} {one.needed:,} of {one.available:,} {unit}"
    if not estimate.device_learns:
        yield f"  training: not on this device; {estimate.no_training or _NO_PROGRAM}"
    if estimate.hardware.timed:
        yield from _latency(estimate)
    rates = estimate.rates("inference")
    if rates["total_pj_per_synaptic_operation"] is not None:
        names = ("total", "incremental")
        whole, events = (energy_text(rates[f"{name}_pj_per_synaptic_operation"]) for name in names)
        yield f"  a synaptic operation: {whole} in all, {events} without leakage and clock (inference)"
    if estimate.hardware.remembered:
        yield f"  remembered only, not verified: {', '.join(estimate.hardware.remembered)}"


def _speed(estimate: Estimate, phase: str) -> str:
    seconds, rates = estimate.latency_s(phase), estimate.rates(phase)
    if seconds is None:
        return f", {figures(rates['images_per_j'])} images/J; nothing is said of time"
    return (
        f", {time_text(seconds)} at {estimate.hardware.clock.f_mhz:g} MHz "
        f"({figures(rates['images_per_s'])} images/s, {figures(rates['images_per_j'])} images/s per W)"
    )


def _latency(estimate: Estimate) -> Iterator[str]:
    """Say what of the latency of an inference follows its spikes."""
    total, fixed = estimate.latency["inference"]["total"], estimate.intercept["inference"]
    following = estimate.spike_cycles("inference")
    yield (
        f"  cycles of an inference: {fixed:,} without a spike (intercept), {following:,} that follow the "
        f"spikes ({following / max(total, 1):.0%})"
    )
    if estimate.interval["inference"] != total:
        yield f"  layers are a pipeline: an image every {estimate.interval['inference']:,} cycles"
    if estimate.latency_assumes is not None:
        most = estimate.most_cycles
        otherwise = "" if most is None else f"; otherwise at most {most:,} cycles"
        yield f"  assumed: {estimate.latency_assumes}{otherwise}"


def _times(first: _Column, second: _Column) -> str:
    least = first.breakdown["total"]
    return f"{second.breakdown['total'] / least:.3g} times" if least else "not known"
