"""Which samples does an encoder take? Images, or recordings of events."""

from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError
from fspinn.network.description import Network
from fspinn.network.inputs import Events


@runtime_checkable
class Binnable(Protocol):
    """Recordings of events, such as `fspinn.datasets.Recordings`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of recordings, height, width and polarities."""

    def __len__(self) -> int:
        """Return the number of recordings."""

    def binned(self, steps: int, step_us: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return offsets and inputs of their spikes, as `fspinn.network.encoders.Spikes` has them."""


Samples: TypeAlias = NDArray[np.uint8] | Binnable
"""What is encoded: images, or recordings of events."""


def check_encoder(network: Network, samples: object, samples_from: str) -> None:
    """Raise `ConfigError` if a network's encoder is of images and these are recordings, or the reverse."""
    encoder, recordings = network.encoder.kind, isinstance(samples, Binnable)
    if recordings and encoder != Events.kind:
        raise ConfigError(
            f"{samples_from}: these are recordings of events, which the encoder {encoder} does not take; use "
            f"encoder = {Events.kind}, with a dt_ms and duration_ms that suit them"
        )
    if not recordings and encoder == Events.kind:
        raise ConfigError(
            f"{samples_from}: these are not recordings of events, which the encoder {encoder} takes; give "
            "such, or use another encoder"
        )
