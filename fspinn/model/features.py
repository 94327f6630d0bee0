"""Which numbers beside a sample does a readout listen to, and how do they become counts?

A feature, such as the time since the last heartbeat, becomes inputs of the readout beside the spike counts
of the neurons; the network itself never sees it. A `Scale` that was fitted on the training samples makes a
byte of its value; the upper four bits of the byte are its level, 0 to 15. Its 15 inputs are a thermometer:
input j is on when the level is above j, and counts as `SPIKES` output spikes then (fspinn).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError, DataError
from fspinn.datasets.labelled import checked_features
from fspinn.datasets.scale import Scale

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LEVEL_BITS = 4
"""Bits of the level of a feature."""

INPUTS = (1 << LEVEL_BITS) - 1
"""Inputs of the readout that a feature becomes."""

SPIKES = 4
"""Output spikes that an input which is on counts as. With a single one the penalty of the readout `linear`
shrinks what a feature says (fspinn; `benchmarks/heartbeats.py`)."""


class HasFeatures(Protocol):
    """What may hold features: a split, or a file to answer."""

    @property
    def features(self) -> NDArray[np.float32] | None:
        """Shape (n, k)."""

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """What the columns are called; None where nobody says."""


@dataclass(frozen=True)
class Features:
    """The features that a readout listens to, in the order of its rows.

    Parameters
    ----------
    names : tuple of str
        By these they are found in any data set.
    scale : Scale
        How their values become bytes; a channel for each.

    Raises
    ------
    ConfigError
        If there is not one name for each channel, or one is there twice.

    Examples
    --------
    >>> before = Features(("RR before",), Scale((0.0,), (255.0,)))
    >>> before.counts(np.array([[40.0]], np.float32)).toarray()
    array([[4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], dtype=int32)
    """

    names: tuple[str, ...]
    scale: Scale

    def __post_init__(self) -> None:
        if len(self.names) != len(self.scale.low) or len(set(self.names)) < len(self.names):
            raise ConfigError(
                f"features: {len(self.names)} names do not fit a scale of {len(self.scale.low)}; give each "
                "feature a name of its own"
            )

    @classmethod
    def fitted(cls, names: tuple[str, ...], values: NDArray[np.float32]) -> "Features":
        """Return the features whose scale is fitted on values of shape (n, k), those of training samples."""
        return cls(names, Scale.fitted(values[:, None, :], "features"))

    @property
    def rows(self) -> int:
        """Rows of the readout's table that belong to them, its last ones."""
        return INPUTS * len(self.names)

    def in_bytes(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return values of shape (n, k) as bytes."""
        bytes_: NDArray[np.uint8] = self.scale.applied(values[:, None, :], "features")[:, 0, 0, :]
        return bytes_

    def counts(self, values: NDArray[np.float32]) -> "csr_array":
        """Return what the readout is given of values of shape (n, k): int32 of shape (n, rows)."""
        from scipy.sparse import csr_array

        levels = self.in_bytes(values) >> (8 - LEVEL_BITS)
        on = levels[:, :, None] > np.arange(INPUTS)
        return csr_array(np.int32(SPIKES) * on.reshape(len(values), self.rows))

    def values_of(self, given: HasFeatures, given_from: str) -> NDArray[np.float32]:
        """Return the columns of these features, found by name; other columns are left aside.

        Where nobody names the columns, there must be as many, in the order of `names`.

        Raises
        ------
        DataError
            If there are none, or one is missing.
        """
        values, names = given.features, given.feature_names
        if values is None:
            raise self._missing(f"{given_from}: has no features")
        if names is None:
            return self.checked(values, len(values), given_from)
        for name in self.names:
            if name not in names:
                raise self._missing(f"{given_from}: has no feature {name!r} (it has {', '.join(names)})")
        return values[:, [names.index(name) for name in self.names]]

    def checked(self, values: Any, count: int, given_from: str) -> NDArray[np.float32]:
        """Return an array of so many samples' features as float32 of shape (count, k)."""
        if values is None:
            raise self._missing(f"{given_from}: has no features")
        try:
            values = np.asarray(values)
        except ValueError:
            raise DataError(
                f"{given_from}: features: rows differ in length; give {len(self.names)} numbers a sample"
            ) from None
        if count == 1 and values.ndim == 1:
            values = values[None]
        found = checked_features(values, count, f"{given_from}: features")
        if found.shape[1] != len(self.names):
            raise DataError(
                f"{given_from}: {found.shape[1]} feature(s) of each sample, where the model has "
                f"{len(self.names)}; give {', '.join(self.names)}"
            )
        return found

    def _missing(self, what: str) -> DataError:
        return DataError(
            f"{what}, and the readout of the model listens to {', '.join(self.names)}; add what is missing, "
            "or train without features (--features none)"
        )


def joined(
    features: Features | None,
    spike_counts: "NDArray[np.int32] | csr_array",
    values: NDArray[np.float32] | None,
) -> "NDArray[np.int32] | csr_array":
    """Return what a readout is given: spike counts, and beside them those of the features, if it has any.

    Parameters
    ----------
    features : Features or None
    spike_counts : ndarray or sparse array of int32, shape (n, n_neurons)
    values : ndarray of float32, shape (n, k), or None
        In the order of the features.
    """
    from scipy.sparse import csr_array, hstack

    if features is None:
        return spike_counts
    assert values is not None
    return hstack([csr_array(spike_counts), features.counts(values)], format="csr", dtype=np.int32)
