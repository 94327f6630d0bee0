"""Learning with labels: gradients through spikes, by a surrogate of the step; torch computes them."""

from types import ModuleType

from fspinn.base.errors import ConfigError


def with_torch() -> ModuleType:
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
            f"learner: surrogate needs torch, which cannot be imported ({error}); "
            'pip install "fspinn[surrogate]"'
        ) from None
    from fspinn.learning.surrogate import training

    return training
