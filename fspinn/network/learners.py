"""Who fills the layers of a network? Learners without labels (`fspinn.network.rules`), and with them."""

from typing import ClassVar, TypeAlias

from fspinn.base.settings import described, setting
from fspinn.network.rules import MAX_PASSES, Stdp

MOST_BITS = 8
"""Of weights that learning has in view."""

SURROGATES = ("fast_sigmoid", "atan", "sigmoid", "triangular", "boxcar", "straight-through")
"""Shapes that stand for the derivative of a spike; `fspinn.learning.surrogate.shapes` has the formulas."""


SURROGATE_PASSES = 12
"""How often `Surrogate` shows each sample, where it does not say (fspinn)."""


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
    weight_bits: int | None = setting(
        "Bits of the weights that labels have in view; none is floats.",
        default=None,
        at_least=1,
        at_most=MOST_BITS,
    )
    temperature: float = setting(
        "By how much potentials differ that are told apart.", default=0.03, unit="weight norms", above=0.0
    )


@described
class Surrogate:
    """Labels and gradients through time: a spike has the derivative of its surrogate (needs torch)."""

    kind: ClassVar[str] = "surrogate"
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
    weight_bits: int | None = setting(
        "Bits of the signed weights that learning has in view; none is floats.",
        default=None,
        at_least=2,
        at_most=MOST_BITS,
    )
    output: str = setting(
        "What the classes are read from while learning: a linear readout of spike counts (membrane), or the "
        "counts of the last layer, whose neurons speak for a class each (spikes).",
        default="membrane",
        choices=("membrane", "spikes"),
    )


Learner: TypeAlias = Stdp | StdpLabels | Surrogate
"""The members of this family; a new one is named here."""
