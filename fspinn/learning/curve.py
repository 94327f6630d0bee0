"""How did learning go? Running accuracy and output spikes, a point for each fiftieth of a run.

The running accuracy costs no presentation: each batch of images is read, from its responses while learning,
with a ``proportion`` readout (see `fspinn.model.readout`) of the batches before it, in which a batch weighs
`KEPT` times as much as the next. It uses the labels of all training images, and nothing that is learned
depends on it. It says how learning goes; how good the model is only images can say that it has not learned
from (this project's own measure).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fspinn.model import readout as readouts

if TYPE_CHECKING:
    from scipy.sparse import csr_array

POINTS = 50
"""Points of a curve, at most: a point stands for at least one batch."""

KEPT = 0.9


@dataclass(frozen=True, eq=False)
class Curve:
    """The course of a run so far.

    Parameters
    ----------
    points : ndarray of float64, shape (k, 3)
        Presentations so far; of those since the point before the part whose class was found (NaN for the
        first batch, which cannot be read yet), and the mean number of output spikes.
    since : ndarray of int64, shape (4,)
        What happened since the last point: images shown, read, and read correctly, output spikes.
    spikes_of_class : ndarray of float64, shape (n_neurons, n_classes)
        Output spikes for the images of each class, batches weighed by their age.
    images_of_class : ndarray of float64, shape (n_classes,)
        Images of each class, weighed likewise.
    """

    points: NDArray[np.float64]
    since: NDArray[np.int64]
    spikes_of_class: NDArray[np.float64]
    images_of_class: NDArray[np.float64]

    @classmethod
    def start(cls, n_neurons: int, n_classes: int) -> "Curve":
        """Return the curve of a run that is about to start."""
        return cls(
            np.zeros((0, 3)), np.zeros(4, np.int64), np.zeros((n_neurons, n_classes)), np.zeros(n_classes)
        )

    @classmethod
    def of_dict(cls, written: Mapping[str, Any], n_neurons: int, n_classes: int) -> "Curve":
        """Return the curve of a run that is over, from what `as_dict` wrote."""
        names = ("presentations", "accuracy", "output_spikes")
        points = np.array([written[name] for name in names], dtype=np.float64).T
        return replace(cls.start(n_neurons, n_classes), points=points)

    @property
    def running_accuracy(self) -> float:
        """Part of the images since the last point whose class was found; NaN before any was read."""
        _, read, correct, _ = self.since.tolist()
        if read:
            return float(correct / read)
        return float(self.points[-1, 1]) if len(self.points) else np.nan

    def after(
        self, spike_counts: NDArray[np.int32], labels: NDArray[np.int64], done: int, total: int
    ) -> "Curve":
        """Return the curve after another batch.

        Parameters
        ----------
        spike_counts : ndarray of int32, shape (n, n_neurons)
            Responses to the batch.
        labels : ndarray of int64, shape (n,)
        done, total : int
            Presentations so far, this batch included, and of the whole run.
        """
        counts = _sparse(spike_counts)
        read = correct = 0
        if self.images_of_class.any():
            readout = readouts.proportion(self.spikes_of_class, self.images_of_class)
            read = len(labels)
            correct = int(np.count_nonzero(readouts.predict(readout, counts) == labels))
        in_class = (labels[:, None] == np.arange(len(self.images_of_class))).astype(np.float64)
        grown = Curve(
            self.points,
            self.since + np.array([len(labels), read, correct, spike_counts.sum()]),
            KEPT * self.spikes_of_class + counts.T @ in_class,
            KEPT * self.images_of_class + in_class.sum(axis=0),
        )
        if done * POINTS // total == (done - len(labels)) * POINTS // total:
            return grown
        point = [done, grown.running_accuracy, grown.since[3] / grown.since[0]]
        return Curve(
            np.concatenate([self.points, [point]]),
            np.zeros_like(self.since),
            grown.spikes_of_class,
            grown.images_of_class,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the points by name, as plain values for files."""
        presentations, accuracy, output_spikes = self.points.T.tolist()
        return {
            "presentations": [int(number) for number in presentations],
            "accuracy": [None if np.isnan(part) else part for part in accuracy],
            "output_spikes": output_spikes,
        }


def _sparse(spike_counts: NDArray[np.int32]) -> "csr_array":
    """Return the counts without the zeros, several times as quickly as SciPy would."""
    from scipy import sparse

    places = np.flatnonzero(spike_counts != 0)
    images, neurons = np.divmod(places, spike_counts.shape[1])
    starts = np.concatenate([[0], np.cumsum(np.bincount(images, minlength=len(spike_counts)))])
    spikes = spike_counts.ravel()[places].astype(np.float64)
    return sparse.csr_array((spikes, neurons, starts), shape=spike_counts.shape)
