"""What can a backend do, and what does it answer?"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fspinn.lowering.integers import Range
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.model.activity import Activity
from fspinn.network.encoders import Spikes


@dataclass(frozen=True, eq=False)
class Response:
    """What the last layer of a network did in some presentations.

    Parameters
    ----------
    spike_counts : ndarray of int32, shape (n, features)
        Output spikes in each cell, of each neuron.
    spike_steps, spike_neurons, spike_positions : ndarray of int32, shape (n_spikes,)
        Time step within its presentation, neuron, and position of the field, of each output spike; one sample
        after the other.
    first_steps : ndarray of int32, shape (n, features)
        Time step of the first of these, or the number of steps if there is none: the next layer's input.
    activity : tuple of Activity
        What each layer did.
    range : Range
        Of the potentials and thresholds of a network in integers.
    potentials : ndarray, shape (n, steps, 2), or None
        Of the neuron that was probed: in each time step of a presentation to its layer (`Plan.steps_of`) what
        is compared with the threshold, and what remains at its end; 0 once the presentation has ended.
    """

    spike_counts: NDArray[np.int32]
    spike_steps: NDArray[np.int32]
    spike_neurons: NDArray[np.int32]
    spike_positions: NDArray[np.int32]
    first_steps: NDArray[np.int32]
    activity: tuple[Activity, ...]
    range: Range
    potentials: NDArray[Any] | None = None

    def passed_on(self, layer: LayerPlan, shown: Spikes) -> Spikes:
        """Return the input spikes of the next layer.

        Parameters
        ----------
        layer : LayerPlan
            Which answered this.
        shown : Spikes
            What it answered to.
        """
        if layer.inhibition != "none":
            return Spikes.first_of(self.first_steps, shown.steps, shown.seed, shown.first)
        features = self.spike_neurons
        if layer.geometry is not None:
            features = features + np.int32(layer.neurons) * layer.geometry.cell_of[self.spike_positions]
        return Spikes.each_step(
            self.spike_counts.sum(axis=1, dtype=np.int64),
            self.spike_steps,
            features,
            (shown.steps, layer.features),
            shown.seed,
            shown.first,
        )


class Backend(Protocol):
    """What runs or writes plans. Those that run have `Simulator`'s functions; the others write files."""

    def refuses(self, plan: Plan) -> str | None:
        """Return in one line why it cannot run or write a plan, or None if it can."""


class Simulator(Backend, Protocol):
    """What runs plans."""

    def respond(self, plan: Plan, spikes: Spikes, probe: int | None = None) -> Response:
        """Present samples with learning off.

        Parameters
        ----------
        plan : Plan
        spikes : Spikes
            Input spikes of the presentations.
        probe : int or None, default None
            Neuron of the last layer, which has no field, whose potential is recorded
            (`LayerPlan.at_a_position` shows a single position).
        """

    def learn(self, plan: Plan, spikes: Spikes, total: int, earlier_spikes: int = 0) -> Response:
        """Present samples with learning on; weights and theta of the plan change in place.

        Parameters
        ----------
        plan : Plan
            Whose last layer learns; those before it answer.
        spikes : Spikes
            Number of the first presentation and seed are those of the run.
        total : int
            Presentations of the run: they fix the learning rate and the threshold step.
        earlier_spikes : int, default 0
            Output spikes in earlier presentations of the run: how thresholds fall depends on their number.
        """
