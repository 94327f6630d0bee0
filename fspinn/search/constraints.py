"""What must the network keep to, and what should be little?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any, NamedTuple

from fspinn.base.amounts import area_text, energy_text, memory_text, time_text
from fspinn.base.checks import number
from fspinn.base.errors import ConfigError
from fspinn.memmodel import Hardware
from fspinn.network.learners import Learner
from fspinn.network.rules import Stdp
from fspinn.search import quantities
from fspinn.search.costs import Cost
from fspinn.search.intervals import CONFIDENCE
from fspinn.search.metrics import metric_of

MARGIN = 2.0
"""Factor by which an expected energy, latency or number of spikes must be beyond its limit for a candidate
to be rejected before anything is counted: so good is the expectation (fspinn)."""


class Measure(NamedTuple):
    """One thing that can be limited and minimised.

    It has a field of `Cost`, a name in sentences (of many things, or of one), and words behind an amount; if
    it is exact it is known before anything is trained.
    """

    field: str
    noun: str
    many: bool
    what: str
    format: Callable[[float], str]
    exact: bool
    parse: Callable[[str, str | float], float]


def _amount(unit: quantities.Unit) -> Callable[[str, str | float], float]:
    return lambda name, amount: quantities.parse(name, amount, unit)


def _memory(name: str, amount: str | float) -> float:
    return quantities.parse_memory(amount, name)


def _plain(name: str, amount: str | float) -> float:
    try:
        value = float(amount) if isinstance(amount, str) else amount
    except ValueError:
        raise ConfigError(f"{name}: {amount!r} is not a number; give one, such as 5") from None
    return number(name, value, above=0.0)


def _whole(name: str, amount: str | float) -> float:
    value = _plain(name, amount)
    if value % 1:
        raise ConfigError(f"{name}: {amount} is not a whole number; give one, such as 8")
    return value


MEASURES = {
    "memory": Measure("memory_bits", "memory", False, "", memory_text, True, _memory),
    "training_memory": Measure(
        "training_memory_bits", "memory to learn", False, " to learn", memory_text, True, _memory
    ),
    "energy": Measure(
        "energy_pj", "energy", False, " an image", energy_text, False, _amount(quantities.ENERGY)
    ),
    "latency": Measure("latency_s", "time", False, " an image", time_text, False, _amount(quantities.TIME)),
    "flash": Measure("flash_bits", "flash", False, " of flash", memory_text, True, _memory),
    "ram": Measure("ram_bits", "RAM", False, " of RAM", memory_text, True, _memory),
    "area": Measure("area_um2", "area", False, "", area_text, True, _amount(quantities.AREA)),
    "spikes": Measure(
        "output_spikes",
        "output spikes",
        True,
        " output spikes an image",
        lambda spikes: f"{spikes:.3g}",
        False,
        _plain,
    ),
    "synops": Measure(
        "synaptic_operations",
        "synaptic operations",
        True,
        " SynOps an image",
        lambda count: f"{count:,.0f}",
        False,
        _plain,
    ),
    "time_steps": Measure(
        "time_steps", "time steps", True, " time steps an image", lambda steps: f"{steps:,.0f}", True, _whole
    ),
    "training_steps": Measure(
        "training_steps",
        "time steps of learning",
        True,
        " time steps of learning",
        lambda steps: f"{steps:,.0f}",
        True,
        _whole,
    ),
}
"""By the names of the parameters of `fspinn.find_smallest`."""


@dataclass(frozen=True)
class Constraints:
    """Least accuracy and greatest costs; None is no limit.

    Parameters
    ----------
    accuracy : float
        On validation images, between 0 and 1; a value of `metric`.
    confidence : float, default 0.975
        One-sided confidence that the true accuracy is not below `accuracy`; 0.5 takes the mean as it is.
    metric : {"accuracy", "balanced-accuracy", "macro-f1"}, default "accuracy"
        See `fspinn.search.metrics`.
    memory, training_memory, flash, ram : float or None
        Bits.
    energy : float or None
        Picojoules an image.
    latency : float or None
        Seconds an image.
    area : float or None
        Square micrometres.
    spikes, synops : float or None
        Output spikes and synaptic operations an image.
    time_steps, training_steps : float or None
        Of an image, and of all images that are shown while the network learns.

    Raises
    ------
    ConfigError
        If the accuracy or the confidence is out of range, or there is no such metric.
    """

    accuracy: float
    confidence: float = CONFIDENCE
    metric: str = "accuracy"
    memory: float | None = None
    training_memory: float | None = None
    energy: float | None = None
    latency: float | None = None
    flash: float | None = None
    ram: float | None = None
    area: float | None = None
    spikes: float | None = None
    synops: float | None = None
    time_steps: float | None = None
    training_steps: float | None = None

    def __post_init__(self) -> None:
        metric_of(self.metric)
        if not 0 < self.accuracy < 1:
            raise ConfigError(f"accuracy: must be between 0 and 1, but got {self.accuracy:g}; 90 % is 0.9")
        if not 0.5 <= number("confidence", self.confidence) < 1:
            raise ConfigError(
                f"confidence: must be from 0.5 to below 1, but got {self.confidence:g}; 95 % is 0.95"
            )

    @classmethod
    def parsed(
        cls,
        accuracy: float,
        confidence: float = CONFIDENCE,
        metric: str = "accuracy",
        **limits: str | float | None,
    ) -> "Constraints":
        """Return constraints from what people write, such as ``memory="32 KiB"``."""
        parsed = {
            name: None if amount is None else MEASURES[name].parse(name, amount)
            for name, amount in limits.items()
        }
        return cls(accuracy, confidence, metric, **parsed)

    @property
    def limits(self) -> dict[str, float]:
        """The costs that are limited, by name."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name in MEASURES}
        return {name: value for name, value in values.items() if value is not None}

    def excess(self, cost: Cost) -> dict[str, float]:
        """Return by which factor each limited cost is beyond its limit; 1 is at the limit."""
        return {name: cost_of(cost, name) / limit for name, limit in self.limits.items()}

    def reason(self, cost: Cost) -> str | None:
        """Return in words which limit a candidate is beyond, or what the hardware lacks; None if nothing.

        Expected energies, latencies and spikes are given the benefit of the doubt (`MARGIN`).
        """
        for name, factor in self.excess(cost).items():
            if factor == inf:
                return "is learned on a host, from labels; no device can learn it"
            exact = MEASURES[name].exact
            if factor > (1.0 if cost.counted or exact else MARGIN):
                about = "" if cost.counted else "at least " if exact else "about "
                return f"needs {about}{described(cost, name)}, more than the budget"
        if cost.over_capacity is not None:
            return f"does not fit on the hardware: {cost.over_capacity}"
        return None


def check_measures(names: Sequence[str], hardware: Hardware, learners: Sequence[Learner]) -> None:
    """Refuse what cannot be measured, or what this hardware or these learners say nothing of."""
    if not names:
        raise ConfigError(f"minimize: there is nothing; give some of {', '.join(MEASURES)}")
    for name in names:
        if name not in MEASURES:
            raise ConfigError(f"minimize: there is no {name!r}; use some of {', '.join(MEASURES)}")
    tables = {
        "latency": hardware.cycles or hardware.pipeline,
        "flash": hardware.controller,
        "ram": hardware.controller,
        "area": hardware.area,
    }
    for name, table in tables.items():
        if name in names and table is None:
            raise ConfigError(
                f"{name}: {hardware.meta.name} says nothing of it; choose other hardware, or leave it out"
            )
    if "training_memory" in names and hardware.pipeline is not None:
        raise ConfigError(
            f"training_memory: {hardware.meta.name} has no circuits that learn; choose other hardware, or "
            "leave it out"
        )
    if "training_memory" in names and not any(type(learner) is Stdp for learner in learners):
        raise ConfigError(
            f"training_memory: {learners[0].kind} learns on a host, from labels; leave it out, or learn by "
            "stdp"
        )


def within_device(constraints: Constraints, hardware: Hardware) -> Constraints:
    """Return these constraints with the flash and RAM of the hardware as limits, where none are set.

    Raises
    ------
    ConfigError
        If a limit is more than the hardware has.
    """
    if hardware.controller is None:
        return constraints
    sizes = {"flash": hardware.controller.flash_bytes, "ram": hardware.controller.ram_bytes}
    for name, size in sizes.items():
        limit = constraints.limits.get(name, 0)
        if limit > 8 * size:
            raise ConfigError(
                f"{name}: {hardware.meta.name} has {memory_text(8 * size)}, less than "
                f"{memory_text(limit)}; ask for no more, or choose other hardware"
            )
    capacities: dict[str, Any] = {name: 8 * size for name, size in sizes.items()}
    return replace(constraints, **(capacities | {n: v for n, v in constraints.limits.items() if n in sizes}))


def cost_of(cost: Cost, name: str) -> float:
    """Return one cost by the name of its measure; without limit where a device cannot do that at all."""
    value = getattr(cost, MEASURES[name].field)
    return inf if value is None else float(value)


def described(cost: Cost, name: str) -> str:
    """Return one cost in words."""
    return MEASURES[name].format(cost_of(cost, name)) + MEASURES[name].what


def least(name: str) -> str:
    """Return what has the least of a cost, in words.

    >>> least("memory"), least("energy"), least("time_steps")
    ('smallest network', 'network with the least energy', 'network with the fewest time steps')
    """
    measure = MEASURES[name]
    if name == "memory":
        return "smallest network"
    return f"network with the {'fewest' if measure.many else 'least'} {measure.noun}"


def less(name: str) -> str:
    """Return what is said of a network with less of a cost.

    >>> less("memory"), less("energy"), less("time_steps")
    ('smaller', 'with less energy', 'with fewer time steps')
    """
    measure = MEASURES[name]
    if name == "memory":
        return "smaller"
    return f"with {'fewer' if measure.many else 'less'} {measure.noun}"


def flash_and_ram(answer: Mapping[str, Any]) -> str:
    """Return in words what a network takes of a microcontroller, such as ``"flash 3.6 KiB of 16 KiB, ..."``.

    `answer` is as `fspinn.search.SearchResult.as_dict` gives it. Empty where the hardware has neither.
    """
    words = []
    for name, called in (("flash", "flash"), ("ram", "RAM")):
        taken, limit = answer.get(f"{name}_bits"), answer["constraints"].get(name)
        if taken is not None and limit is not None:
            words.append(f"{called} {memory_text(taken)} of {memory_text(limit)}")
    return ", ".join(words)


def nearest_possible(constraints: Constraints, costs: Sequence[Cost]) -> str:
    """Return in words which limit no cost keeps to, and the nearest possible value."""
    fitting = [cost for cost in costs if cost.over_capacity is None]
    if not fitting:
        least = min(costs, key=lambda cost: cost.memory_bits)
        return f"hardware: no network fits; the smallest needs {least.over_capacity}"
    for name in constraints.limits:
        least = min(fitting, key=lambda cost: cost_of(cost, name))
        limit: dict[str, Any] = {name: constraints.limits[name]}
        alone = Constraints(constraints.accuracy, **limit)
        if alone.reason(least) is not None:
            amount = MEASURES[name].format(constraints.limits[name])
            return f"{name}: {amount} is impossible; no network takes less than {described(least, name)}"

    def worst(cost: Cost) -> float:
        return max(constraints.excess(cost).values())

    least = min(fitting, key=worst)
    together = " and ".join(described(least, name) for name in constraints.limits)
    return f"{', '.join(constraints.limits)}: impossible together; no network is nearer than {together}"
