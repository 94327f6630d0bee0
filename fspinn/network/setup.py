"""What is trained, and how: a network and the learner that fills it, as searches vary both."""

from fspinn.base.errors import ConfigError
from fspinn.base.settings import described, setting
from fspinn.network.description import Network
from fspinn.network.inhibition import NoInhibition
from fspinn.network.inputs import FirstSpike
from fspinn.network.learners import Hybrid, Learner
from fspinn.network.rules import Stdp


@described
class Setup:
    """A network, and the learner that its weights come from."""

    network: Network = setting("What is trained.", default=Network())
    learner: Learner = setting("How its weights come about.", default=Stdp())


def check_competition(network: Network, learner: Learner) -> None:
    """Raise ConfigError if a network has layers without inhibition, and a learner that needs it."""
    for number, layer in enumerate(network.layers, 1):
        if isinstance(learner, Stdp) and isinstance(layer.inhibition, NoInhibition):
            raise ConfigError(
                f"inhibition: layer {number} has none, and by STDP all its neurons would learn the same; use "
                "the learner surrogate, or another inhibition"
            )


def check_rates(network: Network, learner: Learner) -> None:
    """Raise ConfigError if a learner takes input spikes for rates, and those of a network are not."""
    if isinstance(learner, Hybrid) and isinstance(network.encoder, FirstSpike):
        raise ConfigError(
            f"encoder: an ANN sees rates, and with {network.encoder.kind} each input spikes once at most; "
            "set encoder = regular, or start from Network.converted"
        )
