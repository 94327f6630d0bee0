"""What Brian2 needs to know of a network, as text: populations, projections, and what happens in a time step.

`fspinn.backends.brian2.equations` writes a definition, `brian2_simulation` runs it, and `text` prints it.
"""

from dataclasses import dataclass

SLOTS = ("start", "groups", "layer", "input", "thresholds", "synapses", "resets", "post", "window", "end")
"""Brian2's own slots of a time step in their order, and between them those that fspinn needs as well."""

PHASES = {
    "groups": "1 leak",
    "layer": "2 inhibition by a layer",
    "input": "3 input",
    "thresholds": "4 threshold",
    "resets": "5 reset and inhibition",
    "post": "6 post",
    "window": "7 window",
    "end": "end of the presentation",
}
"""The phases of a time step as `fspinn.network` numbers them, by slot."""


@dataclass(frozen=True)
class Population:
    """A NeuronGroup: its name, its number of units, their equations.

    The one without equations is a SpikeGeneratorGroup.
    """

    name: str
    size: int
    equations: str


@dataclass(frozen=True)
class Projection:
    """Synapses from one population to another: from all to all, or from each to the one of its own number."""

    name: str
    source: str
    target: str
    equations: str = ""
    one_to_one: bool = False


@dataclass(frozen=True)
class EveryStep:
    """Code of all units of a population in every time step."""

    slot: str
    population: str
    code: str


@dataclass(frozen=True)
class Event:
    """Happens to the units for which the condition holds; the event ``"spike"`` is a spike."""

    slot: str
    population: str
    name: str
    condition: str


@dataclass(frozen=True)
class Action:
    """Code of the units to which the event has happened."""

    slot: str
    population: str
    event: str
    code: str


@dataclass(frozen=True)
class Pathway:
    """Code of all synapses whose ``"pre"`` or ``"post"`` unit, the `side`, the event has happened to."""

    slot: str
    projection: str
    side: str
    event: str
    code: str


Part = EveryStep | Event | Action | Pathway


@dataclass(frozen=True)
class Definition:
    """A network as equations and code of Brian2.

    Parameters
    ----------
    dt_ms : float
    steps : int
        Time steps of a presentation.
    populations : tuple of Population
    projections : tuple of Projection
    schedule : tuple of Part
        What happens in a time step, in this order. Slots rise from part to part.
    constants : dict of str to (float, str)
        Value and unit (``"ms"`` or none) of the names in the equations.
    per_presentation : dict of str to (float, float)
        Functions of time that are constant during a presentation: their first and their last value.
    """

    dt_ms: float
    steps: int
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    schedule: tuple[Part, ...]
    constants: dict[str, tuple[float, str]]
    per_presentation: dict[str, tuple[float, float]]


def text(definition: Definition) -> str:
    """Return a definition for a person to read."""
    lines = [f"A presentation has {definition.steps} time steps of {definition.dt_ms:g} ms."]
    for population in definition.populations:
        kind = "" if population.equations else ": a SpikeGeneratorGroup, the encoded image"
        lines += ["", f"{population.name} ({population.size}){kind}", *_indented(population.equations)]
    for projection in definition.projections:
        how = "one to one" if projection.one_to_one else "all to all"
        lines += [
            "",
            f"{projection.name}: synapses from {projection.source} to {projection.target}, {how}",
            *_indented(projection.equations),
        ]
    lines += ["", "In each time step, in this order:"]
    for slot in SLOTS:
        parts = [part for part in definition.schedule if part.slot == slot]
        if slot == "groups" or parts:
            lines += ["", f"{PHASES[slot]} (slot {slot!r})"]
        if slot == "groups":
            lines.append("    differential equations, integrated exactly")
        for part in parts:
            lines += _indented("\n".join(_lines_of(part, definition)))
    lines += ["", "where"]
    for name, (value, unit) in definition.constants.items():
        lines.append(f"    {name} = {value:.10g}{'*' if unit else ''}{unit}")
    for name, (first, last) in definition.per_presentation.items():
        lines.append(f"    {name}(t) = {first:.10g} in the first presentation, {last:.10g} in the last")
    return "\n".join(lines)


def _lines_of(part: Part, definition: Definition) -> list[str]:
    if isinstance(part, EveryStep):
        return [f"always, {part.population}:", *_indented(part.code)]
    if isinstance(part, Event):
        return [f"event {part.name} of {part.population} if {part.condition}"]
    if isinstance(part, Action):
        return [f"on {part.event} of {part.population}:", *_indented(part.code)]
    (projection,) = (other for other in definition.projections if other.name == part.projection)
    unit = projection.source if part.side == "pre" else projection.target
    return [f"on {part.event} of {unit}, synapses {projection.name}:", *_indented(part.code)]


def _indented(code: str) -> list[str]:
    return [f"    {line}" for line in code.splitlines()]
