"""The description of a network: frozen, checked, and nothing that learning finds out."""

from dataclasses import dataclass, replace

from fspinn.base.checks import number, whole_number
from fspinn.base.errors import ConfigError

MAX_NEURONS = 1_000_000
MAX_STEPS = 100_000
MAX_NUMBER = 1e12

LOWEST_PART = 1 / 64
"""Part of the firing threshold that thresholds keep, however far they fall (fspinn)."""

ENCODERS = ("poisson", "regular", "ttfs", "unscaled")
INHIBITION_KINDS = ("lateral", "clamp", "layer")
INHIBITION_OF = ("threshold", "potential")
RULES = ("normalised", "timestep", "pair", "postonly")
ADAPTATIONS = ("balanced", "decaying", "off")
NORMALISATIONS = ("off", "l1", "l2")

CHOICES = {
    "encoder": ENCODERS,
    "inhibition_kind": INHIBITION_KINDS,
    "inhibition_of": INHIBITION_OF,
    "rule": RULES,
    "adaptation": ADAPTATIONS,
    "normalisation": NORMALISATIONS,
}
"""What the fields that are words can be."""


@dataclass(frozen=True)
class Network:
    """Everything that can be said about a network before it has seen an image.

    Defaults marked *own* were chosen on the validation split of MNIST; the others name their source.
    "D&C" is Diehl & Cook, Front. Comput. Neurosci. 9:99 (2015), or its published code.

    Parameters
    ----------
    neurons : int, default 400
        Number of excitatory neurons (D&C's second size).
    dt_ms : float, default 1.0
        Time step (BindsNET's; D&C's code uses 0.5).
    duration_ms : float, default 350.0
        How long an image is shown (D&C).
    encoder : {"poisson", "regular", "ttfs", "unscaled"}, default "poisson"
        How pixels become spikes, see `fspinn.network.encoders`.
    rate_norm_hz : float, default 570.0
        Euclidean norm of the rates of all inputs together, the same for every image; for ``"poisson"``
        and ``"regular"`` (own; D&C's pixel / 4 Hz has about this norm on MNIST).
    max_rate_hz : float, default 63.75
        For ``"unscaled"``: rate of a pixel of intensity 255 (D&C: a quarter of the intensity).
    first_spikes : int or None, default None
        For ``"ttfs"``: only so many inputs spike, the brightest; None is all that are not black.
    tau_m_ms : float, default 100.0
        Time constant of the membrane (D&C).
    refractory_ms : float, default 0.0
        How long a neuron cannot spike after a spike (own: with at most one spike per step and inhibition
        it brings nothing; D&C use 5).
    threshold : float, default 20.0
        Potential at which a neuron spikes before adaptation, in units of `weight_norm` (fspinn).
    inhibition_kind : {"lateral", "clamp", "layer"}, default "lateral"
        See the order of events above.
    inhibition : float, default 0.7
        Part of the threshold (or of the potential) that a spike takes from every other neuron (fspinn).
    answer_threshold, answer_inhibition : float or None, default None
        What `threshold` and `inhibition` become once learning is over; None keeps them (fspinn).
    inhibition_of : {"threshold", "potential"}, default "threshold"
        What `inhibition` is a part of.
    inhibition_ms : float, default 10.0
        How long ``"clamp"`` holds the others at 0 (fspinn); how long an inhibitory neuron of ``"layer"`` is
        refractory (D&C: 2).
    rule : {"normalised", "timestep", "pair", "postonly"}, default "normalised"
        How weights change, see `fspinn.network.plasticity`.
    window_ms : float or None, default None
        Length of a learning window; None is the whole presentation (own; FSpiNN updates once per
        window, its length could not be read).
    spike_threshold : int or None, default None
        Spikes of the winner that make one unit of FSpiNN's potentiation factor
        ``k = ceil(spikes / spike_threshold)``; None fixes ``k = 1`` (fspinn).
    learning_rate, learning_rate_end : float, default 0.1 and 0.001
        Potentiation at the start and at the end of training, linear in between (fspinn). For ``"normalised"``
        the part of the way that the winner's weights move towards the input.
    depression_rate : float, default 0.0001
        Depression of ``"pair"`` at input spikes and of ``"timestep"`` in windows without
        an output spike (D&C's nu_pre).
    trace_tau_ms : float, default 20.0
        Time constant of the traces of all rules but ``"normalised"`` (D&C).
    target_trace : float, default 0.4
        For ``"postonly"``: inputs with a lower trace are depressed (own; D&C's x_tar was not read).
    adaptation : {"balanced", "decaying", "off"}, default "balanced"
        How thresholds adapt, see `fspinn.network.plasticity`.
    theta_step, theta_step_end : float, default 1.0 and 0.0
        Rise of a threshold, in units of `weight_norm`, at the start and at the end of training; linear in
        between (fspinn).
    theta_tau_ms : float, default 1e7
        For ``"decaying"``: time constant with which theta falls back (D&C).
    weight_norm : float or None, default None
        Euclidean norm of each neuron's weights. None settles it when training starts, so that the
        weights make the best use of [0, 1] (`fspinn.network.plasticity.natural_weight_norm`). With the
        normalisation ``"l1"`` it is only the unit of potentials.
    normalisation : {"off", "l1", "l2"}, default "off"
        Rescales each neuron's weights after every presentation: ``"l2"`` to the norm `weight_norm`,
        ``"l1"`` to a sum of 0.1 per input (BindsNET's
        78.4 for 784 inputs).
    weight_decay : float, default 0.0
        Part of every weight that is lost with each presentation (after SpikeDyn and ASP, in this
        project's own form).

    Raises
    ------
    ConfigError
        If a value is impossible; the message names the field, the value and the mend.
    """

    neurons: int = 400
    dt_ms: float = 1.0
    duration_ms: float = 350.0
    encoder: str = "poisson"
    rate_norm_hz: float = 570.0
    max_rate_hz: float = 63.75
    first_spikes: int | None = None
    tau_m_ms: float = 100.0
    refractory_ms: float = 0.0
    threshold: float = 20.0
    inhibition_kind: str = "lateral"
    inhibition: float = 0.7
    answer_threshold: float | None = None
    answer_inhibition: float | None = None
    inhibition_of: str = "threshold"
    inhibition_ms: float = 10.0
    rule: str = "normalised"
    window_ms: float | None = None
    spike_threshold: int | None = None
    learning_rate: float = 0.1
    learning_rate_end: float = 0.001
    depression_rate: float = 0.0001
    trace_tau_ms: float = 20.0
    target_trace: float = 0.4
    adaptation: str = "balanced"
    theta_step: float = 1.0
    theta_step_end: float = 0.0
    theta_tau_ms: float = 1e7
    weight_norm: float | None = None
    normalisation: str = "off"
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        # Frozen, but numbers of NumPy become plain ones, so that descriptions compare and fit in files.
        def settle(name: str, value: float) -> None:
            object.__setattr__(self, name, value)

        settle("neurons", whole_number("neurons", self.neurons, 1, MAX_NEURONS))
        for name, low, high in (("first_spikes", 1, 2**31), ("spike_threshold", 1, 2**31)):
            if getattr(self, name) is not None:
                settle(name, whole_number(name, getattr(self, name), low, high))
        for name in _POSITIVE:
            settle(name, number(name, getattr(self, name), above=0.0, at_most=MAX_NUMBER))
        for name in _NOT_NEGATIVE:
            settle(name, number(name, getattr(self, name), at_least=0.0))
        for name in _PARTS:
            settle(name, number(name, getattr(self, name), at_least=0.0, at_most=1.0))
        for name in ("weight_norm", "answer_threshold"):
            if getattr(self, name) is not None:
                settle(name, number(name, getattr(self, name), above=0.0))
        if self.answer_inhibition is not None:
            settle("answer_inhibition", number("answer_inhibition", self.answer_inhibition, at_least=0.0))
        if not self.dt_ms <= self.duration_ms <= self.dt_ms * MAX_STEPS:
            raise ConfigError(
                f"duration_ms: {self.duration_ms:g} is not from 1 to {MAX_STEPS} time steps "
                f"of dt_ms = {self.dt_ms:g}; show the image for longer, or for less long"
            )
        if self.window_ms is not None:
            settle("window_ms", number("window_ms", self.window_ms, at_least=self.dt_ms))
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f"{name}: there is no {getattr(self, name)!r}; use one of {', '.join(choices)}"
                )
        for name in ("inhibition", "answer_inhibition"):
            if self.inhibition_of == "potential" and (getattr(self, name) or 0.0) > 1:
                raise ConfigError(
                    f"{name}: {getattr(self, name):g} of a potential is more than all of it; give at most 1"
                )

    @property
    def steps(self) -> int:
        """Time steps of one presentation."""
        return round(self.duration_ms / self.dt_ms)

    @property
    def window_steps(self) -> int:
        """Time steps of one learning window; the last window of a presentation may be shorter."""
        if self.window_ms is None:
            return self.steps
        return min(self.steps, self._steps_of(self.window_ms))

    @property
    def refractory_steps(self) -> int:
        """Time steps after a spike in which a neuron cannot spike."""
        return self._steps_of(self.refractory_ms)

    @property
    def inhibition_steps(self) -> int:
        """Time steps for which others are clamped, or an inhibitory neuron is refractory."""
        return self._steps_of(self.inhibition_ms)

    def _steps_of(self, time_ms: float) -> int:
        return round(min(time_ms / self.dt_ms, MAX_STEPS))

    @property
    def answering(self) -> "Network":
        """This network once learning is over."""
        if self.answer_threshold is None and self.answer_inhibition is None:
            return self
        return replace(
            self,
            threshold=self.threshold if self.answer_threshold is None else self.answer_threshold,
            inhibition=self.inhibition if self.answer_inhibition is None else self.answer_inhibition,
            answer_threshold=None,
            answer_inhibition=None,
        )

    @property
    def firing_threshold(self) -> float:
        """Potential at which a neuron without adaptation spikes: ``threshold * weight_norm``."""
        if self.weight_norm is None:
            raise ConfigError(
                "weight_norm: not known before the images are; set it, or train the network first"
            )
        return self.threshold * self.weight_norm

    @property
    def lowest_theta(self) -> float:
        """No theta falls below it: a 64th of the firing threshold is left."""
        return -(1.0 - LOWEST_PART) * self.threshold * (self.weight_norm or 0.0)


_POSITIVE = (
    "dt_ms",
    "duration_ms",
    "rate_norm_hz",
    "max_rate_hz",
    "tau_m_ms",
    "threshold",
    "trace_tau_ms",
    "theta_tau_ms",
)
_NOT_NEGATIVE = (
    "refractory_ms",
    "inhibition",
    "inhibition_ms",
    "theta_step",
    "theta_step_end",
    "target_trace",
)
_PARTS = ("learning_rate", "learning_rate_end", "depression_rate", "weight_decay")
