"""Learning with labels: gradients through spikes, by a surrogate of the step; torch computes them."""

from importlib.util import find_spec
from types import ModuleType

from fspinn.base.errors import ConfigError
from fspinn.network.learners import Learner, Surrogate

_INSTALL = 'pip install "fspinn[surrogate]"'


def check_installed(learner: Learner) -> None:
    """Raise `ConfigError` if a learner needs torch, and it is not there."""
    if isinstance(learner, Surrogate) and find_spec("torch") is None:
        raise ConfigError(f"learner: {learner.kind} needs torch, which is not installed; {_INSTALL}")


def with_torch(learner: Surrogate) -> ModuleType:
    """Return `fspinn.learning.surrogate.training`, which computes with torch.

    Raises
    ------
    ConfigError
        If torch cannot be imported.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"learner: {learner.kind} needs torch, which cannot be imported ({error}); {_INSTALL}"
        ) from None
    from fspinn.learning.surrogate import training

    return training
