"""How do thresholds adapt while a network learns? What a threshold has gained or lost is its theta.

Below, ``step = theta_step * weight_norm``, linear over the run from `theta_step` to `theta_step_end`, and N
is the number of neurons of the layer.
"""

from typing import Any, ClassVar, TypeAlias

from fspinn.base.settings import described, setting

MOST_SPIKES = 10_000.0
"""The highest target of spikes; integers hold no more."""


def _theta_step(default: float, help: str) -> Any:
    return setting(help, default=default, unit="weight norms", at_least=0.0)


@described
class Balanced:
    """The winner's threshold rises and all fall, so that their mean stays and all neurons get their turn.

    At the end of a learning window with an output spike, for the neuron with the most spikes

        theta += step        and for all        theta -= step / N

    If no neuron spikes during a whole presentation, for all

        theta -= step        if some potential ends at the firing threshold or above: theta alone kept it
        theta -= step / N    if one ends at half of it or above

    and before the first output spike of a run any input is enough for the step (with a field, whose positions
    mostly are silent, that is the only fall). So nothing changes without
    input, and dim samples do not run thresholds down. No theta falls below `Neuron.lowest_theta`: every
    threshold stays above the potential at rest, also when learning is over and `answer_threshold` is lower
    (theta is raised as far as that takes).
    """

    kind: ClassVar[str] = "balanced"
    theta_step: float = _theta_step(1.0, "Rise of a threshold at the start of training.")
    theta_step_end: float = _theta_step(0.0, "The same at the end.")


@described
class Decaying:
    """A threshold rises at each spike of its neuron and falls back with time (Diehl & Cook 2015).

    theta += step                                       at a spike
    theta *= exp(-duration_ms / theta_tau_ms)           after each presentation
    """

    kind: ClassVar[str] = "decaying"
    theta_step: float = _theta_step(1.0, "Rise of a threshold at the start of training.")
    theta_step_end: float = _theta_step(0.0, "The same at the end.")
    tau_ms: float = setting(
        "Time constant of the fall.", default=1e7, name="theta_tau_ms", unit="ms", source="D&C", above=0.0
    )


@described
class Homeostatic:
    """A threshold rises at each spike of its neuron and falls by what the target allows, so the rate is held.

    theta += step                                       at a spike
    theta -= step * target_spikes / N                   after each presentation with an input spike

    A threshold settles where its neuron spikes ``target_spikes / N`` times in a presentation, so all neurons
    get their turn and the layer as a whole spikes `target_spikes` times: a target of the layer, as
    competition decides how many spikes an input causes, however many neurons there are to share them. A
    presentation is that of one position, so that a target does not depend on how many a sample has either.
    No theta falls below `Neuron.lowest_theta`; more spikes than inhibition allows drive all of them there.
    What inhibition takes is a part of `threshold`, without theta: give one near where the target leads.

    In integers the state has to hold the thresholds that the target leads to: where one ends at that of the
    format, its neuron spikes more often.

    The target is that of learning. Answers keep it if they compete as while learning (neither
    `answer_threshold` nor `answer_inhibition`), at positions with as much input as those learned from.
    """

    kind: ClassVar[str] = "homeostatic"
    target_spikes: float = setting(
        "Output spikes of the layer in a presentation (with a field: of a position) that thresholds hold.",
        default=1.0,
        unit="spikes a presentation",
        source="fspinn",
        above=0.0,
        at_most=MOST_SPIKES,
    )
    theta_step: float = _theta_step(1.0, "Rise of a threshold at the start of training.")
    theta_step_end: float = _theta_step(0.0, "The same at the end.")


@described
class Fixed:
    """Thresholds stay as they are."""

    kind: ClassVar[str] = "off"


Adaptation: TypeAlias = Balanced | Decaying | Homeostatic | Fixed
"""The members of this family; a new one is named here."""
