"""What does a backend need to know? A network as numbers: constants per layer, in reals or in integers.

`fspinn.lowering.compiler` makes plans from descriptions and models. Backends read plans only.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.base.settings import members
from fspinn.model.tensors import Formats
from fspinn.network.adaptation import Adaptation
from fspinn.network.encoders import Encoding
from fspinn.network.geometry import Geometry
from fspinn.network.inhibition import Inhibition
from fspinn.network.plasticity import annealed
from fspinn.network.rules import NORMALISATIONS as NORMALISATIONS
from fspinn.network.rules import Rule

INHIBITIONS = tuple(members(Inhibition))
RULES = tuple(members(Rule))
ADAPTATIONS = tuple(members(Adaptation))
"""Their places are the numbers that kernels know them by."""


@dataclass(frozen=True)
class IntegerLearning:
    """The integers of learning; the docstring of `fspinn.lowering.integers` says what they mean.

    Parameters
    ----------
    rounding : str
        Of changes of weights (see `fspinn.quant.formats`).
    highest_weight : int
    norm : int
        Of the weights of a neuron; `TARGET_BITS` finer than a weight.
    depression : int
    trace_fraction, trace_leak : int
        Fraction bits of a trace, and what it loses in a step.
    lowest_theta : int
    theta_decay : int
    target_spikes : int
    """

    rounding: str
    highest_weight: int
    norm: int
    depression: int
    trace_fraction: int
    trace_leak: int
    lowest_theta: int
    theta_decay: int
    target_spikes: int


@dataclass(frozen=True)
class LearningPlan:
    """How a layer learns, in reals; `fspinn.network.rules` and `fspinn.network.adaptation` have the formulas.

    By default it does not; what the chosen rule and adaptation do not have keeps its default.

    Parameters
    ----------
    rule, adaptation, normalisation : str
    window_steps : int
        Time steps of a learning window.
    positions, least_spikes : int
        Positions of a field that are learned from in a sample, and the input spikes that one needs.
    spike_threshold : int
        Spikes of the winner per unit of the potentiation factor; 0 fixes the factor to 1.
    falls_in_silence : bool
        Whether balanced thresholds fall after a presentation without an output spike.
    learning_rate, theta_step : tuple of (float, float)
        At the first and at the last presentation of a run; steps in weight norms.
    weight_norm : float
    depression_rate, trace_tau_ms, target_trace : float
    lowest_theta, theta_tau_ms, duration_ms : float
    target_spikes : float
        Output spikes of a presentation that homeostatic thresholds hold.
    normalisation_goal : float
        Sum or norm that each neuron's weights are rescaled to.
    weight_decay : float
    integers : IntegerLearning or None, default None
        What a layer in integers learns with.
    """

    rule: str = "normalised"
    adaptation: str = "off"
    normalisation: str = "off"
    window_steps: int = 0
    positions: int = 1
    least_spikes: int = 0
    spike_threshold: int = 0
    falls_in_silence: bool = True
    learning_rate: tuple[float, float] = (0.0, 0.0)
    theta_step: tuple[float, float] = (0.0, 0.0)
    weight_norm: float = 1.0
    depression_rate: float = 0.0
    trace_tau_ms: float = 1.0
    target_trace: float = 0.0
    lowest_theta: float = 0.0
    theta_tau_ms: float = 1.0
    duration_ms: float = 1.0
    target_spikes: float = 0.0
    normalisation_goal: float = 1.0
    weight_decay: float = 0.0
    integers: IntegerLearning | None = None

    def schedule(self, first: int, count: int, total: int) -> NDArray[np.float64]:
        """Return learning rate and threshold step (in weight norms) of some presentations of a run.

        Parameters
        ----------
        first, count, total : int
            Number of the first presentation, how many are asked for, and how many the run has.

        Returns
        -------
        ndarray of float64, shape (count, 2)
        """
        ends = (self.learning_rate, self.theta_step)
        return np.stack([annealed(*both, first, count, total) for both in ends], axis=1)


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """What a backend needs to know of a layer.

    Parameters
    ----------
    weights : ndarray, shape (inputs, neurons)
        float32 or float64, or integers of their format. Learning changes them in place.
    theta : ndarray, shape (neurons,)
        What is added to the firing threshold of each neuron, in its own format. Learning changes it in place.
    firing_threshold : float or int
    leak : float or int
        What a potential is multiplied by in a time step; in integers, of 65536, what it loses.
    tau_m_ms : float
        Time constant that `leak` follows from; infinite without one.
    refractory_steps : int
        Time steps after a spike in which a neuron cannot spike.
    inhibition : str
        Kind of inhibition, see `fspinn.network`.
    inhibition_steps : int
        For which inhibition lasts, or an inhibitory partner is refractory, or neurons answer by rank.
    drop, drop_part : float or int
        What inhibition takes from a potential, and which part of it beside that; in integers, of 65536.
        By rank it is taken from the neuron that spiked.
    input_mask : ndarray of bool, shape (inputs,)
        Which inputs are used.
    adapted : bool
        Whether neurons have thresholds of their own, so that theta has to be kept.
    geometry : Geometry or None, default None
        Where its neurons look; None is the whole input.
    formats : Formats or None, default None
        Of a layer in integers. While it learns, theta is finer than the state.
    learning : LearningPlan or None, default None
        Of a layer that learns.
    """

    weights: NDArray[Any]
    theta: NDArray[Any]
    firing_threshold: float
    leak: float
    tau_m_ms: float
    refractory_steps: int
    inhibition: str
    inhibition_steps: int
    drop: float
    drop_part: float
    input_mask: NDArray[np.bool_]
    adapted: bool
    geometry: Geometry | None = None
    formats: Formats | None = None
    learning: LearningPlan | None = None

    @property
    def inputs(self) -> int:
        """Number of inputs, those included that are not used."""
        return len(self.weights)

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return len(self.theta)

    @property
    def features(self) -> int:
        """Numbers that it answers with: output spikes per cell and neuron."""
        cells = 1 if self.geometry is None else self.geometry.cells[0] * self.geometry.cells[1]
        return cells * self.neurons

    @property
    def answer_steps(self) -> int:
        """Time steps by which a presentation goes on after its input, for neurons that answer by rank."""
        if self.inhibition != "ranked":
            return 0
        return self.inhibition_steps if self.learning is None else 1

    @property
    def at_a_position(self) -> "LayerPlan":
        """The layer that sees what one position of the field does, and nothing else."""
        return replace(self, geometry=None)

    @property
    def theta_shift(self) -> int:
        """Fraction bits of theta less those of the state, of a layer in integers."""
        assert self.formats is not None
        return self.formats.theta.fraction_bits - self.formats.state.fraction_bits

    @property
    def thresholds(self) -> NDArray[Any]:
        """What each potential has to reach, shape (neurons,), of a layer that answers."""
        thresholds: NDArray[Any]
        if self.formats is None:
            thresholds = self.weights.dtype.type(self.firing_threshold) + self.theta
        else:
            thresholds = self.firing_threshold + (self.theta.astype(np.int64) << -self.theta_shift)
        return thresholds


@dataclass(frozen=True, eq=False)
class Plan:
    """What a backend needs to know of a network.

    Parameters
    ----------
    encoding : Encoding
        How the spikes that it sees come about.
    dt_ms : float
    steps : int
        Time steps of the input in a presentation; `steps_of` a layer may be more.
    layers : tuple of LayerPlan
    """

    encoding: Encoding
    dt_ms: float
    steps: int
    layers: tuple[LayerPlan, ...]

    @property
    def in_integers(self) -> bool:
        """Whether the network computes with integers only."""
        return any(layer.formats is not None for layer in self.layers)

    def steps_of(self, layer: LayerPlan) -> int:
        """Return the time steps of a presentation to a layer: of its input, and those to answer by rank."""
        return self.steps + layer.answer_steps
