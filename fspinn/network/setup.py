"""What is trained, and how: a network and the learner that fills it, as searches vary both."""

from fspinn.base.settings import described, setting
from fspinn.network.description import Network
from fspinn.network.learners import Learner
from fspinn.network.rules import Stdp


@described
class Setup:
    """A network, and the learner that its weights come from."""

    network: Network = setting("What is trained.", default=Network())
    learner: Learner = setting("How its weights come about.", default=Stdp())
