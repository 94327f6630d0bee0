"""What is a layer? A column of neurons that see a receptive field, compete, and share their weights.

All positions of the field see the same input spikes at the same time, and there is no inhibition between
positions. They lie wherever the whole field fits, `stride` apart. Output spikes are counted per cell of a
grid over the positions: position a of n belongs to cell ``a * cells // n``, along rows and columns alike.
With ``field = None`` a neuron sees the whole input: there is one position and one cell, and the layer is the
dense one of Diehl & Cook and FSpiNN.
"""

from dataclasses import replace
from math import exp, log

from fspinn.base.checks import number
from fspinn.base.errors import ConfigError
from fspinn.base.settings import described, setting
from fspinn.network.adaptation import Adaptation, Balanced, Fixed, Homeostatic
from fspinn.network.geometry import Geometry
from fspinn.network.inhibition import First, Inhibition, Lateral, NoInhibition, Ranked
from fspinn.network.inhibition import answering as inhibition_answering

MAX_NEURONS = 1_000_000

LOWEST_PART = 1 / 64
"""Part of the firing threshold that thresholds keep, however far they fall (fspinn)."""


def tau_m_ms_of(beta: float, dt_ms: float) -> float | None:
    """Return the time constant of a membrane that keeps a part of its potential in each time step.

    ``beta = exp(-dt_ms / tau_m_ms)``; None is a membrane without leak, of which beta is 1.

    Raises
    ------
    ConfigError
        If beta is not above 0 and at most 1.
    """
    if not 0 < number("beta", beta) <= 1:
        raise ConfigError(f"beta: {beta:g} is not above 0 and at most 1; it is what stays of a potential")
    return None if beta == 1 else -dt_ms / log(beta)


def beta_of(tau_m_ms: float | None, dt_ms: float) -> float:
    """Return what a membrane keeps of its potential in each time step (see `tau_m_ms_of`)."""
    return 1.0 if tau_m_ms is None else exp(-dt_ms / tau_m_ms)


@described
class Neuron:
    """An integrate-and-fire neuron; potentials are dimensionless, and an input spike adds its weight.

        v *= exp(-dt_ms / tau_m_ms)                              in each time step, if it leaks
        spikes where v >= threshold * weight_norm + theta

    After a spike v is 0.
    """

    threshold: float = setting(
        "Potential at which a neuron spikes before adaptation.", default=20.0, unit="weight norms", above=0.0
    )
    tau_m_ms: float | None = setting(
        "Time constant of the membrane; none is a membrane without leak.",
        default=100.0,
        unit="ms",
        source="D&C",
        above=0.0,
    )
    refractory_ms: float = setting(
        "Time after a spike in which a neuron cannot spike; it integrates meanwhile.",
        default=0.0,
        unit="ms",
        source="fspinn; D&C use 5",
        at_least=0.0,
    )
    answer_threshold: float | None = setting(
        "Threshold once learning is over; none keeps it.", default=None, unit="weight norms", above=0.0
    )
    weight_norm: float | None = setting(
        "Euclidean norm of each neuron's weights; none settles it when training starts, so that the weights "
        "make the best use of 0 to 1.",
        default=None,
        above=0.0,
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


@described
class Layer:
    """A column of neurons with equal settings, and what they see."""

    neurons: int = setting(
        "Number of neurons.", default=400, source="D&C's second size", at_least=1, at_most=MAX_NEURONS
    )
    field: tuple[int, int] | None = setting(
        "Height and width of what a neuron sees; none is the whole input.", default=None, unit="pixels"
    )
    stride: int = setting(
        "Distance of neighbouring positions of the field.", default=1, unit="pixels", at_least=1
    )
    cells: tuple[int, int] = setting("Grid of cells in which output spikes are counted.", default=(1, 1))
    neuron: Neuron = setting("What a neuron does.", default=Neuron())
    inhibition: Inhibition = setting("How a spike inhibits the others.", default=Lateral())
    adaptation: Adaptation = setting("How thresholds adapt.", default=Balanced())

    def __post_init__(self) -> None:
        if self.field is None and (self.stride != 1 or self.cells != (1, 1)):
            raise ConfigError(
                "field: stride and cells need one, but this layer sees the whole input; give a field, or "
                "leave them out"
            )
        if isinstance(self.inhibition, NoInhibition) and not isinstance(self.adaptation, Fixed):
            raise ConfigError(
                f"adaptation: {self.adaptation.kind} is of layers that learn by STDP, which one without "
                "inhibition (none) does not; use adaptation = off"
            )
        if isinstance(self.adaptation, Homeostatic):
            self._check_target(self.adaptation.target_spikes)

    def _check_target(self, spikes: float) -> None:
        if isinstance(self.inhibition, First) and spikes > 1:
            raise ConfigError(
                f"target_spikes: {spikes:g} are more than the one spike that ends a presentation with "
                "inhibition = first; give at most 1"
            )
        if isinstance(self.inhibition, Ranked) and spikes != 1:
            raise ConfigError(
                f"target_spikes: {spikes:g} cannot be held with inhibition = ranked, where one neuron spikes "
                "in each presentation while learning; give 1"
            )

    def __str__(self) -> str:
        neurons = f"{self.neurons} neuron{'s' * (self.neurons > 1)}"
        if self.field is None:
            return neurons
        (height, width), (rows, columns) = self.field, self.cells
        return f"{neurons} with a field of {height} x {width}, {rows} x {columns} cells"

    @classmethod
    def prototypes(
        cls,
        neurons: int = 400,
        *,
        neuron: Neuron = Neuron(threshold=4.0, tau_m_ms=None),
        adaptation: Adaptation = Balanced(theta_step=0.05),
        answer_drop: float = 0.1,
        answer_ms: float = 10.0,
    ) -> "Layer":
        """Return a layer of prototypes, to follow a column: those that fit best answer after a presentation.

        Parameters
        ----------
        neurons : int, default 400
        neuron, adaptation
            See `Layer`.
        answer_drop, answer_ms : float
            See `fspinn.network.Ranked`.
        """
        return cls(neurons, neuron=neuron, inhibition=Ranked(answer_drop, answer_ms), adaptation=adaptation)

    def following(self) -> "Layer":
        """Return what a layer after this one is, if nothing else is said.

        After one without inhibition that is one of the same neurons, each of which sees all of it; after any
        other they are prototypes.
        """
        if not isinstance(self.inhibition, NoInhibition):
            return Layer.prototypes()
        return replace(self, field=None, stride=1, cells=(1, 1))

    def positions(self, height: int, width: int) -> tuple[int, int]:
        """Return the rows and columns of positions on an input; the whole field fits at each of them.

        Raises
        ------
        ConfigError
            If the field does not fit, or there are more cells than positions.
        """
        if self.field is None:
            return 1, 1
        if self.field[0] > height or self.field[1] > width:
            raise ConfigError(
                f"field: {self.field[0]} x {self.field[1]} does not fit an input of {height} x {width}; "
                "make it smaller"
            )
        rows, columns = (
            (n - size) // self.stride + 1 for n, size in zip((height, width), self.field, strict=True)
        )
        if self.cells[0] > rows or self.cells[1] > columns:
            raise ConfigError(
                f"cells: {self.cells[0]} x {self.cells[1]} are more than the {rows} x {columns} positions; "
                "make fewer"
            )
        return rows, columns

    def geometry(self, height: int, width: int, channels: int = 1) -> Geometry | None:
        """Return where its neurons look on an input; None is all of it, from one position.

        Raises
        ------
        ConfigError
            If the field does not fit, or there are more cells than positions.
        """
        if self.field is None:
            return None
        self.positions(height, width)
        return Geometry(height, width, channels, self.field, self.stride, self.cells)

    def fan_in(self, height: int, width: int, channels: int = 1) -> int:
        """Return how many inputs a neuron has: every channel of its field."""
        field = (height, width) if self.field is None else self.field
        return field[0] * field[1] * channels

    @property
    def features(self) -> int:
        """Numbers that the layer answers with: output spikes per cell and neuron."""
        return self.cells[0] * self.cells[1] * self.neurons

    @property
    def answering(self) -> "Layer":
        """This layer once learning is over."""
        neuron = self.neuron
        if neuron.answer_threshold is not None:
            neuron = replace(neuron, threshold=neuron.answer_threshold, answer_threshold=None)
        return replace(self, neuron=neuron, inhibition=inhibition_answering(self.inhibition))
