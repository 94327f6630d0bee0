"""What is a network? Frozen, validated descriptions, and the order of events within a time step.

A network is one layer of leaky integrate-and-fire neurons that all see every pixel, inhibit each
other directly with one strength (FSpiNN's topology: no inhibitory neurons, no N x N matrix) and
learn without labels. Potentials and thresholds are dimensionless: an input spike adds its weight.

One presentation of an image starts with all potentials at 0 and nobody refractory. In each time
step, in this order:

1. **Leak.** Every potential is multiplied by ``exp(-dt_ms / tau_m_ms)``.
2. **Input.** For each input spike of the step, in the order of the inputs, its row of weights is
   added to the potentials.
3. **Threshold.** Among the neurons that are not refractory and whose potential has reached their own
   threshold (``threshold * weight_norm + theta``), the one furthest above it spikes; among
   equals the first. So there is at most one output spike per step.
4. **Reset and inhibition.** The neuron that spiked goes to 0 and is refractory for the
   ``refractory_ms`` that follow; every other potential loses ``inhibition * threshold * weight_norm``.
5. **Window.** At the end of each learning window (and of the presentation) weights and thresholds
   change once, as `fspinn.plasticity` says. Only while learning.
"""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.errors import ConfigError
from fspinn.quant.formats import Format

MAX_NEURONS = 1_000_000
MAX_STEPS = 100_000

LABEL_READOUT = "majority"
"""The readout whose table a device stores as one label per neuron."""


@dataclass(frozen=True)
class Network:
    """Everything that can be said about a network before it has seen an image.

    Defaults marked *own* were chosen on the validation split of MNIST (``benchmarks/``); the others
    name their source. "D&C" is Diehl & Cook, Front. Comput. Neurosci. 9:99 (2015).

    Parameters
    ----------
    neurons : int, default 400
        Number of excitatory neurons (D&C's second size).
    dt_ms : float, default 1.0
        Time step (BindsNET's; D&C's code uses 0.5).
    duration_ms : float, default 350.0
        How long an image is shown (D&C).
    rate_norm_hz : float, default 570.0
        Euclidean norm of the Poisson rates of all inputs together, the same for every image
        (own; D&C's pixel / 4 Hz has about this norm on MNIST).
    tau_m_ms : float, default 100.0
        Time constant of the membrane (D&C).
    refractory_ms : float, default 0.0
        How long a neuron cannot spike after a spike; it still integrates (own: with at most one
        spike per step and inhibition it brings nothing; D&C use 5).
    threshold : float, default 20.0
        Potential at which a neuron spikes before adaptation, in units of `weight_norm` (own).
    inhibition : float, default 0.7
        Part of the threshold that a spike takes from the potential of every other neuron (own).
    window_ms : float or None, default None
        Length of a learning window; None is the whole presentation (own; FSpiNN updates once per
        window, its length could not be read).
    spike_threshold : int or None, default None
        Spikes of the winner that make one unit of FSpiNN's potentiation factor
        ``k = ceil(spikes / spike_threshold)``; None fixes ``k = 1`` (own).
    learning_rate, learning_rate_end : float, default 0.1 and 0.001
        Part of the way that the winner's weights move towards the input, at the start and at the end
        of training; linear in between (own).
    theta_step, theta_step_end : float, default 1.0 and 0.0
        Rise of the winner's threshold, in units of `weight_norm`, at the start and at the end
        of training; linear in between (own).
    weight_norm : float or None, default None
        Euclidean norm of each neuron's weights. None settles it when training starts, so that the
        weights make the best use of [0, 1] (`fspinn.plasticity.natural_weight_norm`).

    Raises
    ------
    ConfigError
        If a value is impossible; the message names the field, the value and the mend.
    """

    neurons: int = 400
    dt_ms: float = 1.0
    duration_ms: float = 350.0
    rate_norm_hz: float = 570.0
    tau_m_ms: float = 100.0
    refractory_ms: float = 0.0
    threshold: float = 20.0
    inhibition: float = 0.7
    window_ms: float | None = None
    spike_threshold: int | None = None
    learning_rate: float = 0.1
    learning_rate_end: float = 0.001
    theta_step: float = 1.0
    theta_step_end: float = 0.0
    weight_norm: float | None = None

    def __post_init__(self) -> None:
        # Frozen, but numbers of NumPy become plain ones, so that descriptions compare and fit in files.
        def settle(name: str, value: float) -> None:
            object.__setattr__(self, name, value)

        settle("neurons", whole_number("neurons", self.neurons, 1, MAX_NEURONS))
        for name in ("dt_ms", "duration_ms", "rate_norm_hz", "tau_m_ms", "threshold"):
            settle(name, _number(name, getattr(self, name), above=0.0))
        for name in ("refractory_ms", "inhibition", "theta_step", "theta_step_end"):
            settle(name, _number(name, getattr(self, name), at_least=0.0))
        for name in ("learning_rate", "learning_rate_end"):
            settle(name, _number(name, getattr(self, name), at_least=0.0, at_most=1.0))
        if self.spike_threshold is not None:
            settle("spike_threshold", whole_number("spike_threshold", self.spike_threshold, 1, 2**31))
        if self.weight_norm is not None:
            settle("weight_norm", _number("weight_norm", self.weight_norm, above=0.0))
        if not self.dt_ms <= self.duration_ms <= self.dt_ms * MAX_STEPS:
            raise ConfigError(
                f"duration_ms: {self.duration_ms:g} is not from 1 to {MAX_STEPS} time steps "
                f"of dt_ms = {self.dt_ms:g}; show the image for longer, or for less long"
            )
        if self.window_ms is not None:
            settle("window_ms", _number("window_ms", self.window_ms, at_least=self.dt_ms))

    @property
    def steps(self) -> int:
        """Time steps of one presentation."""
        return round(self.duration_ms / self.dt_ms)

    @property
    def window_steps(self) -> int:
        """Time steps of one learning window; the last window of a presentation may be shorter."""
        if self.window_ms is None:
            return self.steps
        return min(self.steps, round(self.window_ms / self.dt_ms))

    @property
    def refractory_steps(self) -> int:
        """Time steps after a spike in which a neuron cannot spike."""
        return round(self.refractory_ms / self.dt_ms)

    @property
    def firing_threshold(self) -> float:
        """Potential at which a neuron without adaptation spikes: ``threshold * weight_norm``."""
        if self.weight_norm is None:
            raise ConfigError(
                "weight_norm: not known before the images are; set it, or train the network first"
            )
        return self.threshold * self.weight_norm


@dataclass(frozen=True)
class Activity:
    """What a network did, counted by the engine over a run; never estimated.

    All fields are sums over the presentations of the run.
    """

    samples: int = 0
    """Presentations."""
    steps: int = 0
    """Time steps."""
    input_spikes: int = 0
    """Spikes of all inputs."""
    output_spikes: int = 0
    """Spikes of all neurons."""
    synaptic_additions: int = 0
    """Weights added to a potential (SynOps)."""
    neuron_updates: int = 0
    """Leak-and-compare operations on a neuron."""
    weight_reads: int = 0
    """Weights read, for adding and for learning."""
    weight_writes: int = 0
    """Weights written by learning."""
    threshold_updates: int = 0
    """Thresholds written by adaptation."""
    windows: int = 0
    """Learning windows that ended."""
    normalisations: int = 0
    """Weights rewritten by a normalisation pass (the present rule needs none)."""

    def __add__(self, other: "Activity") -> "Activity":
        return Activity(*(a + b for a, b in zip(self.as_tuple(), other.as_tuple(), strict=True)))

    def as_tuple(self) -> tuple[int, ...]:
        """Return the counts in the order of the fields."""
        return tuple(getattr(self, f.name) for f in fields(self))

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)

    def per_sample(self, name: str) -> float:
        """Return a count divided by the number of presentations."""
        return float(getattr(self, name)) / max(self.samples, 1)


@dataclass(frozen=True)
class Readout:
    """Which class do these spikes mean? A table of how much a spike of each neuron speaks for each class.

    The score of a class is the sum, over the neurons, of spikes times table; the highest score wins,
    among equals the first class.

    Parameters
    ----------
    name : str
        How the table was fitted (see `fspinn.readout`).
    table : ndarray of float32, shape (n_neurons, n_classes)
    format : Format or None, default None
        Number format that the table was quantized to; None is float32.
    """

    name: str
    table: NDArray[np.float32]
    format: Format | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.table.shape[-1])


@dataclass(frozen=True)
class Model:
    """A trained network with everything needed to use it, and where it came from.

    Parameters
    ----------
    network : Network
        The description, with `weight_norm` settled.
    image_shape : tuple of int
        Height and width of the images it was trained on.
    weights : ndarray of float32, shape (n_inputs, n_neurons)
        One row per input pixel, in C order.
    theta : ndarray of float32, shape (n_neurons,)
        What adaptation added to the firing threshold of each neuron.
    readout : Readout
    weight_format : Format or None, default None
        Number format that the weights were quantized to; None is float32.
    activity : mapping of str to Activity
        What was counted: ``"training"`` over the whole training, ``"inference"`` over the
        images that the readout was fitted on.
    record : mapping
        Seed, data set and its checksum, versions, measured accuracies: plain values that fit in JSON.

    Raises
    ------
    ConfigError
        If the shapes do not fit together.
    """

    network: Network
    image_shape: tuple[int, int]
    weights: NDArray[np.float32]
    theta: NDArray[np.float32]
    readout: Readout
    weight_format: Format | None = None
    activity: Mapping[str, Activity] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        height, width = self.image_shape
        neurons = self.network.neurons
        for name, array, shape in (
            ("weights", self.weights, (height * width, neurons)),
            ("theta", self.theta, (neurons,)),
            ("readout", self.readout.table, (neurons, self.readout.n_classes)),
        ):
            if array.shape != shape:
                raise ConfigError(f"{name}: shape {array.shape} does not fit; this network needs {shape}")
            if not np.isfinite(array).all():
                raise ConfigError(f"{name}: holds NaN or infinity; train the network again")

    @property
    def n_inputs(self) -> int:
        """Number of input pixels."""
        return int(self.weights.shape[0])

    @property
    def weight_bits(self) -> int:
        """Bits of one weight."""
        return 32 if self.weight_format is None else self.weight_format.bits


def _number(
    name: str,
    value: float,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not abs(value) <= sys.float_info.max:
        raise ConfigError(f"{name}: {value!r} is not a number; give one")
    if above is not None and not value > above:
        raise ConfigError(f"{name}: must be above {above:g}, but got {value:g}")
    if at_least is not None and not value >= at_least:
        raise ConfigError(f"{name}: must be at least {at_least:g}, but got {value:g}")
    if at_most is not None and not value <= at_most:
        raise ConfigError(f"{name}: must be at most {at_most:g}, but got {value:g}")
    return float(value)


def whole_number(name: str, value: int, low: int, high: int) -> int:
    """Return `value` as an int, or raise `ConfigError` if it is no whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ConfigError(f"{name}: {value!r} is not a whole number; give one from {low} to {high}")
    if not low <= value <= high:
        raise ConfigError(f"{name}: must be from {low} to {high}, but got {value}")
    return int(value)
