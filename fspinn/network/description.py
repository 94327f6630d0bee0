"""What is a network? How samples become spikes, and the layers that see them one after the other."""

from dataclasses import replace

from fspinn.base.errors import ConfigError
from fspinn.base.settings import described, setting
from fspinn.network.adaptation import Adaptation, Balanced
from fspinn.network.inhibition import Inhibition, Lateral
from fspinn.network.inputs import Encoder, Poisson
from fspinn.network.layers import Layer, Neuron

MAX_STEPS = 100_000


@described
class Network:
    """Everything that can be said about a network before it has seen a sample.

    Its settings were chosen on the validation split of MNIST where their source is fspinn. "D&C" is Diehl &
    Cook, Front. Comput. Neurosci. 9:99 (2015), or its published code.
    """

    encoder: Encoder = setting("How samples become spikes.", default=Poisson())
    layers: tuple[Layer, ...] = setting("The layers, from the input on.", default=(Layer(),))
    dt_ms: float = setting(
        "Time step.", default=1.0, unit="ms", source="BindsNET; D&C's code uses 0.5", above=0.0
    )
    duration_ms: float = setting(
        "How long a sample is shown.", default=350.0, unit="ms", source="D&C", above=0.0
    )

    def __post_init__(self) -> None:
        if not self.layers:
            raise ConfigError("layers: there are none; give at least one")
        if not self.dt_ms <= self.duration_ms <= self.dt_ms * MAX_STEPS:
            raise ConfigError(
                f"duration_ms: {self.duration_ms:g} is not from 1 to {MAX_STEPS} time steps "
                f"of dt_ms = {self.dt_ms:g}; show the image for longer, or for less long"
            )

    @classmethod
    def dense(
        cls,
        neurons: int = 400,
        *,
        encoder: Encoder = Poisson(),  # noqa: B008 - frozen
        neuron: Neuron = Neuron(),  # noqa: B008
        inhibition: Inhibition = Lateral(),  # noqa: B008
        adaptation: Adaptation = Balanced(),  # noqa: B008
        dt_ms: float = 1.0,
        duration_ms: float = 350.0,
    ) -> "Network":
        """Return a network of one layer that sees the whole input (Diehl & Cook, FSpiNN).

        Parameters
        ----------
        neurons : int, default 400
        encoder, neuron, inhibition, adaptation
            See `Layer`.
        dt_ms, duration_ms : float
            See `Network`.
        """
        layer = Layer(neurons, neuron=neuron, inhibition=inhibition, adaptation=adaptation)
        return cls(encoder, (layer,), dt_ms, duration_ms)

    @property
    def steps(self) -> int:
        """Time steps of one presentation."""
        return self.steps_of(self.duration_ms)

    def steps_of(self, time_ms: float) -> int:
        """Return the time steps nearest to a time."""
        return round(min(time_ms / self.dt_ms, MAX_STEPS))

    @property
    def answering(self) -> "Network":
        """This network once learning is over."""
        return replace(self, layers=tuple(layer.answering for layer in self.layers))

    @property
    def neurons(self) -> int:
        """Number of neurons, of all layers."""
        return sum(layer.neurons for layer in self.layers)

    @property
    def features(self) -> int:
        """Numbers that a readout listens to: output spikes per cell and neuron of the last layer."""
        return self.layers[-1].features
