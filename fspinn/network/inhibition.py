"""How does a spike inhibit the other neurons of its layer?

Below, ``firing_threshold = threshold * weight_norm`` (`fspinn.network.Neuron`), and v is the potential of any
neuron but the one that spiked. Phases are those of `fspinn.network`.
"""

from dataclasses import replace
from typing import Any, ClassVar, NamedTuple, TypeAlias

from fspinn.base.errors import ConfigError
from fspinn.base.settings import described, setting

INHIBITION_OF = ("threshold", "potential")


class Stored(NamedTuple):
    """Numbers that a device stores, each a weight, a potential, a count of steps or a neuron."""

    width: str
    number: int = 1
    per_neuron: bool = False


@described
class Lateral:
    """A spike lowers all other potentials at once (FSpiNN's direct inhibition).

    v -= strength * firing_threshold        of = "threshold"
    v -= strength * v                       of = "potential" (1 is a full reset)
    """

    kind: ClassVar[str] = "lateral"
    lowers_others: ClassVar[bool] = True
    stores: ClassVar[tuple[Stored, ...]] = (Stored("potential"),)  # what is taken is as wide as one
    strength: float = setting(
        "Part of the threshold or potential that a spike takes.",
        default=0.7,
        name="inhibition_strength",
        at_least=0.0,
    )
    of: str = setting(
        "What that is a part of.", default="threshold", name="inhibition_of", choices=INHIBITION_OF
    )
    answer_strength: float | None = setting(
        "Strength once learning is over; none keeps it.", default=None, name="answer_inhibition", at_least=0.0
    )

    def __post_init__(self) -> None:
        strengths = {"inhibition_strength": self.strength, "answer_inhibition": self.answer_strength}
        for name, value in strengths.items():
            if self.of == "potential" and (value or 0.0) > 1:
                raise ConfigError(f"{name}: {value:g} of a potential is more than all of it; give at most 1")


@described
class InhibitoryLayer(Lateral):
    """Each neuron excites an inhibitory partner, which lowers all other potentials a step later (D&C 2015).

    The partner spikes in the step after the spike, unless it has spiked within the last `refractory_ms`; then
    v falls as with `Lateral`. Excitation of the partner is above its threshold, so it needs no potential, and
    no N x N matrix is made.
    """

    kind: ClassVar[str] = "layer"
    # To and from a layer of neurons with a potential and a rest each.
    stores = (Stored("weight", 2), Stored("potential", per_neuron=True), Stored("steps", per_neuron=True))
    refractory_ms: float = setting(
        "Time in which a partner spikes at most once.",
        default=10.0,
        name="inhibition_ms",
        unit="ms",
        source="fspinn; D&C use 2",
        at_least=0.0,
    )


@described
class Clamp:
    """A spike sets all other potentials to 0 and holds them there (after Querlioz et al. 2013).

    v = 0, now and for the next `duration_ms`; meanwhile only the neuron that spiked takes input.
    """

    kind: ClassVar[str] = "clamp"
    lowers_others: ClassVar[bool] = True
    stores: ClassVar[tuple[Stored, ...]] = (Stored("steps"), Stored("neuron"))  # what is left, who goes free
    duration_ms: float = setting(
        "Time for which potentials are held.", default=10.0, name="inhibition_ms", unit="ms", at_least=0.0
    )


@described
class First:
    """The first spike ends the presentation at its position: one winner, one spike, nothing more to compute.

    It needs no normalisation of the input: if all input is scaled, all neurons are late alike.
    """

    kind: ClassVar[str] = "first"
    lowers_others: ClassVar[bool] = False
    stores: ClassVar[tuple[Stored, ...]] = ()


@described
class Ranked:
    """Neurons answer when the presentation is over, one after the other, the best fit first (fspinn).

    While a sample is shown no neuron spikes. The presentation goes on for `answer_ms`, without input, and in
    each of these time steps the neuron furthest above its own threshold spikes, or the one least below it, as
    if a drive that is equal for all neurons rose until one spikes. That neuron falls, and no other does:

    v -= drop * weight_norm        of the neuron that spiked

    A sample without an input spike has no answer. While learning there is one time step of answer. The part
    of the threshold that all neurons share changes nothing, as all are compared with it.
    """

    kind: ClassVar[str] = "ranked"
    lowers_others: ClassVar[bool] = False
    stores: ClassVar[tuple[Stored, ...]] = (Stored("potential"),)  # what the neuron that spiked falls by
    drop: float = setting(
        "What a neuron falls by as it answers.",
        default=0.1,
        name="answer_drop",
        unit="weight norms",
        at_least=0.0,
    )
    answer_ms: float = setting(
        "Time after a presentation in which neurons answer, a spike in each time step.",
        default=10.0,
        unit="ms",
        above=0.0,
    )


@described
class NoInhibition:
    """Neurons know nothing of each other: all that have reached their thresholds spike in the same time step.

    Each of them loses exactly its threshold, what it is above that stays (a soft reset):

    v -= firing_threshold + theta        of each neuron that spiked
    """

    kind: ClassVar[str] = "none"
    lowers_others: ClassVar[bool] = False
    stores: ClassVar[tuple[Stored, ...]] = ()


Inhibition: TypeAlias = Lateral | Clamp | InhibitoryLayer | First | Ranked | NoInhibition
"""The members of this family; a new one is named here."""


def most_spikes(kind: str, steps: Any, answer_steps: Any) -> Any:
    """Return how often a neuron spikes at one position, at most: once in each time step in which it may.

    Parameters
    ----------
    kind : str
        Of the inhibition.
    steps : int or array of int
        Time steps in which a sample is shown.
    answer_steps : int or array of int
        Time steps in which neurons answer by rank.
    """
    return {First.kind: 1, Ranked.kind: answer_steps}.get(kind, steps)


def answering(inhibition: Inhibition) -> Inhibition:
    """Return the inhibition once learning is over."""
    if not isinstance(inhibition, Lateral) or inhibition.answer_strength is None:
        return inhibition
    return replace(inhibition, strength=inhibition.answer_strength, answer_strength=None)
