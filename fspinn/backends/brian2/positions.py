"""What is presented to a layer? Each position of a field is a presentation of its own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fspinn.base.randomness import POSITIONS, stream_key, words
from fspinn.lowering.plan import LayerPlan
from fspinn.network.encoders import Spikes


@dataclass(frozen=True, eq=False)
class Presentations:
    """Presentations of a layer, one sample after the other.

    Parameters
    ----------
    spikes : Spikes
        What each of them sees.
    samples, positions : ndarray of int64, shape (presentations,)
        Number of the sample that it shows, in the run, and the position of the field that it is seen from.
    """

    spikes: Spikes
    samples: NDArray[np.int64]
    positions: NDArray[np.int64]

    def part(self, start: int, stop: int) -> "Presentations":
        """Return some of them."""
        return Presentations(
            self.spikes.part(start, stop), self.samples[start:stop], self.positions[start:stop]
        )


def presentations(layer: LayerPlan, spikes: Spikes) -> Presentations:
    """Return what a layer is shown of some samples; of a layer that learns, the positions that are drawn."""
    spikes = spikes.lengthened(layer.answer_steps)
    n, geometry = len(spikes), layer.geometry
    if geometry is None:
        return Presentations(spikes, spikes.first + np.arange(n), np.zeros(n, dtype=np.int64))
    if layer.learning is None:
        drawn = np.tile(np.arange(geometry.positions), (n, 1))
    else:
        drawn = np.empty((n, layer.learning.positions), dtype=np.int64)
        for m in range(n):
            key = stream_key(spikes.seed, POSITIONS, spikes.first + m)
            drawn[m] = words(key, layer.learning.positions) % np.uint64(geometry.positions)
    samples, positions = np.repeat(np.arange(n), drawn.shape[1]), drawn.reshape(-1)
    seen_from = {p: spikes.seen_from(geometry, p) for p in np.unique(positions).tolist()}
    seen = [seen_from[p].part(m, m + 1) for m, p in zip(samples.tolist(), positions.tolist(), strict=True)]
    if layer.learning is not None:
        enough = [int(one.offsets[0, -1] - one.offsets[0, 0]) >= layer.learning.least_spikes for one in seen]
        samples, positions = samples[enough], positions[enough]
        seen = [one for one, kept in zip(seen, enough, strict=True) if kept]
    return Presentations(_joined(seen, spikes), spikes.first + samples, positions)


def _joined(seen: list[Spikes], spikes: Spikes) -> Spikes:
    offsets = np.zeros((len(seen), spikes.steps + 1), dtype=np.int64)
    inputs, last = [np.zeros(0, dtype=np.int32)], 0
    for number, one in enumerate(seen):
        first, stop = int(one.offsets[0, 0]), int(one.offsets[0, -1])
        offsets[number] = one.offsets[0] - first + last
        inputs.append(one.inputs[first:stop])
        last += stop - first
    return Spikes(offsets, np.concatenate(inputs), spikes.seed, spikes.first)
