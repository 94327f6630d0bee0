"""Who fills the layers of a network? Learners without labels (`fspinn.network.rules`), and with them."""

from typing import Any, ClassVar, TypeAlias

from fspinn.base.errors import ConfigError
from fspinn.base.settings import described, setting
from fspinn.network.rules import MAX_PASSES, Stdp

MOST_BITS = 8
"""Of weights that learning has in view."""

SURROGATES = ("fast_sigmoid", "atan", "sigmoid", "triangular", "boxcar", "straight-through")
"""Shapes that stand for the derivative of a spike; `fspinn.learning.surrogate.shapes` has the formulas."""

PENALTY_STRENGTHS = {"l1": 1.0, "l2": 1.0, "hoyer": 0.1, "hoyer-square": 0.1, "synops": 1.0}
"""What activity can cost a loss, by `fspinn.learning.surrogate.penalties`, and how much it does where nothing
else is said: next to no accuracy on MNIST (fspinn, `benchmarks/activity.py`)."""

SURROGATE_PASSES = 12
"""How often `Surrogate` shows each sample, where it does not say (fspinn)."""

HYBRID_PASSES = 2
"""How often `Hybrid` shows each sample to the spiking network, where it does not say (fspinn)."""


def _weight_bits() -> Any:
    return setting(
        "Bits of the weights that labels have in view; none is floats.",
        default=None,
        at_least=1,
        at_most=MOST_BITS,
    )


@described
class StdpLabels(Stdp):
    """Stdp finds what the neurons look for, then labels tune it (fspinn).

    The layers compete as before, ``inhibition = "first"``. Where a position has had its spike, in time step
    t, the neuron that spiked is taken for a draw from a softmax over all neurons of the column,

        p_j = exp((v_j(t) - firing_threshold - theta_j) / (temperature * weight_norm)) / sum

    and the loss, the cross entropy of a linear readout of the spike counts, changes weights and thetas by the
    gradient of its expectation. The readout is learned with them.
    """

    kind: ClassVar[str] = "stdp+labels"
    tuning_passes: int = setting(
        "How often each training sample is shown while labels tune.",
        default=6,
        at_least=1,
        at_most=MAX_PASSES,
    )
    tuning_rate: float = setting(
        "Step of the solver (Adam) at the start, the largest weight being 1; it falls to 0.",
        default=0.03,
        above=0.0,
        at_most=1.0,
    )
    weight_bits: int | None = _weight_bits()
    temperature: float = setting(
        "By how much potentials differ that are told apart.", default=0.03, unit="weight norms", above=0.0
    )


@described
class Surrogate:
    """Labels and gradients through time: a spike has the derivative of its surrogate (needs torch)."""

    kind: ClassVar[str] = "surrogate"
    usual_passes: ClassVar[int] = SURROGATE_PASSES
    surrogate: str = setting(
        "What stands for the derivative of a spike.",
        default="atan",
        source="snnTorch",
        choices=SURROGATES,
    )
    surrogate_width: float | None = setting(
        "Full width of the surrogate at half its maximum; none is that of snnTorch's defaults at a threshold "
        "of 1.",
        default=None,
        unit="thresholds",
        above=0.0,
    )
    passes: int | None = setting(
        "How often each training sample is shown; none is 12.", default=None, at_least=1, at_most=MAX_PASSES
    )
    gradient_rate: float = setting(
        "Step of the solver (Adam) at the start, in weights; it falls to 0.",
        default=0.02,
        above=0.0,
        at_most=1.0,
    )
    batch: int = setting("Samples that a step of the solver looks at.", default=128, at_least=1)
    weight_bits: int | None = _weight_bits()
    output: str = setting(
        "What the classes are read from while learning: a linear readout of spike counts (membrane), or the "
        "counts of the last layer, whose neurons speak for a class each (spikes).",
        default="membrane",
        choices=("membrane", "spikes"),
    )
    penalty: str = setting(
        "What activity costs the loss: a function of the firing rates (spikes in a time step), the mean over "
        "layers, or the synaptic operations that follow from spikes of the layers, in parts of the most.",
        default="none",
        choices=("none", *PENALTY_STRENGTHS),
    )
    penalty_strength: float | None = setting(
        "How many times the penalty is added to the loss, a cross entropy in nats; none is 1, and 0.1 of "
        "those of Hoyer.",
        default=None,
        at_least=0.0,
    )

    def __post_init__(self) -> None:
        if self.weight_bits == 1:
            raise ConfigError("weight_bits: 1 has no room for a sign; give at least 2")
        if self.surrogate == "straight-through" and self.surrogate_width is not None:
            raise ConfigError("surrogate_width: straight-through has no width; leave it out")
        if self.penalty == "none" and self.penalty_strength:
            raise ConfigError(
                f"penalty_strength: {self.penalty_strength:g} of no penalty; set penalty to one of "
                f"{', '.join(PENALTY_STRENGTHS)} with it"
            )


@described
class Hybrid(Surrogate):
    """An ANN of the same layers becomes a spiking network, which surrogate gradients then tune (needs torch).

    The ANN has ReLUs, and no biases; what it sees of a sample is the spikes of each input in a time step, on
    average. Its weights are the first ones of the spiking network, in whose units (weight norms) the
    `percentile` of what neurons receive in a time step, on average over a presentation, is 1: a ``threshold``
    of 1 is the threshold that balances rates with activations, and one below 1 makes neurons spike more
    often. That it is then tuned in few passes is after Rathi, Srinivasan, Panda and Roy (2020, arXiv
    2005.01807).
    """

    kind: ClassVar[str] = "hybrid"
    usual_passes: ClassVar[int] = HYBRID_PASSES
    passes: int | None = setting(
        "How often each training sample is shown to the spiking network; none is 2, and 0 leaves it as it "
        "was converted.",
        default=None,
        at_least=0,
        at_most=MAX_PASSES,
    )
    gradient_rate: float = setting(
        "Step of the solver (Adam) at the start, in weights; it falls to 0.",
        default=0.005,
        above=0.0,
        at_most=1.0,
    )
    ann_passes: int = setting(
        "How often each training sample is shown to the ANN.", default=10, at_least=1, at_most=MAX_PASSES
    )
    ann_rate: float = setting(
        "Step of the ANN's solver (Adam) at the start, in weights for inputs of 1; it falls to 0.",
        default=0.01,
        above=0.0,
        at_most=1.0,
    )
    dropout: float = setting(
        "Part of the features of each layer that a sample learns without, the same in all time steps; those "
        "of the ANN too.",
        default=0.0,
        at_least=0.0,
        at_most=0.9,
    )
    percentile: float = setting(
        "Of what neurons receive in a time step, that which a threshold of 1 stands for.",
        default=99.9,
        unit="%",
        above=0.0,
        at_most=100.0,
    )


Learner: TypeAlias = Stdp | StdpLabels | Surrogate | Hybrid
"""The members of this family; a new one is named here."""
