"""How can a network learn without labels? Spike-timing-dependent plasticity: a rule, rates and windows.

Below, ``eta`` is the learning rate, which changes linearly over the run; x are numbers of input spikes, or
traces; w weights, kept in [0, 1]. A trace rises by 1 at each spike and decays with `trace_tau_ms`. Formulas
of FSpiNN could not be read: `Normalised` and `Timestep` are this project's own reading of its ideas.
"""

from typing import Any, ClassVar, TypeAlias

from fspinn.base.settings import described, setting
from fspinn.network.description import Network

MAX_PASSES = 1_000_000

NORMALISATIONS = ("off", "l1", "l2")


def _spike_threshold() -> Any:
    words = "Spikes of the winner per unit of the potentiation factor k; none fixes k = 1."
    return setting(words, default=None, at_least=1)


def _depression_rate() -> Any:
    return setting("Rate of depression.", default=0.0001, source="D&C's nu_pre", at_least=0.0, at_most=1.0)


def _trace_tau_ms() -> Any:
    return setting("Time constant of traces.", default=20.0, unit="ms", source="D&C", above=0.0)


@described
class Normalised:
    """The winner of a window moves towards the normalised input (fspinn, in FSpiNN's time windows).

    If some neuron spiked in the window, the winner is the neuron with the most spikes since the sample
    appeared. With x the number of spikes of each input in the window,

        w += k * eta * (min(1, weight_norm * x / |x|) - w)        for the winner, k * eta at most 1

    with FSpiNN's potentiation factor ``k = ceil(spikes of the winner / spike_threshold)``, or 1. The weights
    of a neuron stay near the norm `weight_norm` without a normalisation pass.
    """

    kind: ClassVar[str] = "normalised"
    spike_threshold: int | None = _spike_threshold()


@described
class Timestep:
    """After FSpiNN: window updates, adaptive potentiation factor k (see `Normalised`), input traces only.

    w += k * eta * x_pre                   for the winner, in windows with an output spike
    w -= depression_rate * x_pre           for all neurons, in windows without
    """

    kind: ClassVar[str] = "timestep"
    spike_threshold: int | None = _spike_threshold()
    depression_rate: float = _depression_rate()
    trace_tau_ms: float = _trace_tau_ms()


@described
class Pair:
    """Trace-based pair STDP with an update at every spike: the baseline.

    w -= depression_rate * x_post          at an input spike, all neurons
    w += eta * x_pre                       at an output spike, the neuron that spiked
    """

    kind: ClassVar[str] = "pair"
    depression_rate: float = _depression_rate()
    trace_tau_ms: float = _trace_tau_ms()


@described
class PostOnly:
    """Diehl & Cook's power-law rule (their equation 3, with w_max = 1 and power 1).

    w += eta * (x_pre - target_trace) * (1 - w)        at an output spike, the neuron that spiked
    """

    kind: ClassVar[str] = "postonly"
    target_trace: float = setting(
        "Inputs with a lower trace are depressed.",
        default=0.4,
        source="fspinn; D&C's x_tar was not read",
        at_least=0.0,
    )
    trace_tau_ms: float = _trace_tau_ms()


Rule: TypeAlias = Normalised | Timestep | Pair | PostOnly
"""The members of this family; a new one is named here."""


@described
class Stdp:
    """Learning without labels, as `fspinn.train` does it."""

    kind: ClassVar[str] = "stdp"
    rule: Rule = setting("How weights change.", default=Normalised())
    passes: int | None = setting(
        "How often each training sample is shown; none gives each neuron a hundred presentations.",
        default=None,
        at_least=1,
        at_most=MAX_PASSES,
    )
    window_ms: float | None = setting(
        "Length of a learning window; none is the whole presentation.",
        default=None,
        unit="ms",
        source="fspinn; FSpiNN updates once per window, its length could not be read",
        above=0.0,
    )
    learning_rate: float = setting(
        "Rate of potentiation at the start.", default=0.1, at_least=0.0, at_most=1.0
    )
    learning_rate_end: float = setting("The same at the end.", default=0.001, at_least=0.0, at_most=1.0)
    normalisation: str = setting(
        "Rescaling of each neuron's weights after every presentation: to the norm weight_norm (l2), or to a "
        "sum of 0.1 per input (l1).",
        default="off",
        source="l1: BindsNET's 78.4 for 784 inputs",
        choices=NORMALISATIONS,
    )
    weight_decay: float = setting(
        "Part of every weight that is lost with each presentation.",
        default=0.0,
        source="after SpikeDyn and ASP, in this project's own form",
        at_least=0.0,
        at_most=1.0,
    )

    positions: int = setting(
        "Positions of a field that are learned from in each sample, drawn at random.", default=4, at_least=1
    )
    least_spikes: int = setting(
        "Input spikes that such a position needs; with fewer it teaches nothing.", default=3, at_least=1
    )

    def window_steps(self, network: Network) -> int:
        """Return the time steps of one learning window; the last one of a presentation may be shorter."""
        if self.window_ms is None:
            return network.steps
        return min(network.steps, max(1, network.steps_of(self.window_ms)))
