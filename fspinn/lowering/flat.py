"""The settings of a dense network and its learner in one flat object, as the backends take them still."""

from fspinn.base.settings import settings_of
from fspinn.network import description
from fspinn.network.networks import Network
from fspinn.network.rules import Stdp

_NAMES = {
    "inhibition": "inhibition_kind",
    "inhibition_strength": "inhibition",
}
_LEFT_OUT = ("field", "stride", "cells", "passes")


def flat(network: Network, learner: Stdp | None = None) -> description.Network:
    """Return the settings of a network of one dense layer and of its learner."""
    settings = {**settings_of(learner or Stdp()), **settings_of(network)}
    return description.Network(
        **{_NAMES.get(name, name): value for name, value in settings.items() if name not in _LEFT_OUT}
    )
