"""What happens while an image is shown? Input spikes, output spikes and potentials, over time and place."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.numba import engine
from fspinn.base.checks import checked_seed
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.datasets.conversion import check_images
from fspinn.datasets.events import Recordings
from fspinn.lowering.compiler import plan_of
from fspinn.lowering.plan import LayerPlan, Plan
from fspinn.model.model import Model, check_size
from fspinn.network.encoders import BatchEncoder, Spikes

if TYPE_CHECKING:
    from fspinn.datasets.mapped import Images

Sample: TypeAlias = NDArray[np.uint8] | Recordings
"""One image, or one recording."""

_BATCH = 250


@dataclass(frozen=True, eq=False)
class Presentation:
    """One image, shown to the first layer of a network that has learned.

    Parameters
    ----------
    plan : Plan
        Of that layer alone.
    input_spikes : Spikes
    output_steps : ndarray of int32, shape (k,)
        Time steps of the output spikes; in their order, position by position.
    output_neurons, output_positions : ndarray of int32, shape (k,)
        The neurons that spiked, and the positions of the field where they did.
    """

    plan: Plan
    input_spikes: Spikes
    output_steps: NDArray[np.int32]
    output_neurons: NDArray[np.int32]
    output_positions: NDArray[np.int32]

    @property
    def layer(self) -> LayerPlan:
        """The first layer."""
        return self.plan.layers[0]

    @property
    def steps(self) -> int:
        """Time steps of the presentation, those included in which the layer answers by rank."""
        return self.plan.steps_of(self.layer)


def single(images: "Images") -> Sample:
    """Return the first of some images, without the axis of the batch; a recording stays a batch of one."""
    first = images[:1]
    return first if isinstance(first, Recordings) else first[0]


def batch_of(image: Sample) -> NDArray[np.uint8] | Recordings:
    """Return the batch of one image, or of one recording."""
    return image if isinstance(image, Recordings) else image[None]


def present(model: Model, image: Sample, *, seed: int = 0, number: int = 0) -> Presentation:
    """Show one image and note all spikes of the first layer, the same as in `fspinn.predict`.

    Parameters
    ----------
    model : Model
    image : ndarray of uint8, shape (height, width[, channels]), or Recordings of one
    seed : int, default 0
    number : int, default 0
        Number of the image; with the seed it fixes the input spikes.

    Raises
    ------
    DataError
        If it is not an image.
    ConfigError
        If the image has another size than those that the model was trained on.
    """
    seed = checked_seed(seed)
    batch = batch_of(image)
    check_images(batch, "image")
    check_size(model, batch, "image")
    plan = plan_of(model)
    plan = replace(plan, layers=plan.layers[:1])
    spikes = BatchEncoder(plan.encoding).encode(batch, seed, INFERENCE_SPIKES, number)
    response = engine.respond(plan, spikes)
    order = np.argsort(response.spike_positions, kind="stable")
    of_spikes = (response.spike_steps, response.spike_neurons, response.spike_positions)
    return Presentation(plan, spikes, *(each[order] for each in of_spikes))


def potential(shown: Presentation, neuron: int, position: int = 0) -> NDArray[Any]:
    """Return the potential of one neuron at one position, as the engine computes it.

    Parameters
    ----------
    shown : Presentation
    neuron, position : int

    Returns
    -------
    ndarray of float32, or of integers of the state's format, shape (steps, 2)
        In each time step what is compared with the threshold, and what remains at its end; zero after a
        spike that ends the presentation there.
    """
    spikes, layer = shown.input_spikes, shown.layer
    if layer.geometry is not None:
        spikes = spikes.seen_from(layer.geometry, position)
    plan = replace(shown.plan, layers=(layer.at_a_position,))
    potentials = engine.respond(plan, spikes, probe=neuron).potentials
    assert potentials is not None
    course: NDArray[Any] = potentials[0]
    return course


def spikes_by_position(
    model: Model, images: "Images", *, seed: int = 0, first: int = 0
) -> NDArray[np.float64]:
    """Return how many spikes an image has of each neuron of the first layer at each position of its field.

    Parameters
    ----------
    model : Model
    images : ndarray of uint8, MappedImages or Recordings, shape (n, height, width[, channels])
    seed, first : int, default 0
        Fix the input spikes (see `fspinn.predict`).

    Returns
    -------
    ndarray of float64, shape (neurons, rows, columns)
    """
    seed = checked_seed(seed)
    check_images(images, "images")
    check_size(model, images, "images")
    plan = plan_of(model)
    plan, (layer, *_) = replace(plan, layers=plan.layers[:1]), plan.layers
    rows, columns = (1, 1) if layer.geometry is None else (layer.geometry.rows, layer.geometry.columns)
    counts, encoder = np.zeros(layer.neurons * rows * columns, dtype=np.int64), BatchEncoder(plan.encoding)
    for start in range(0, len(images), _BATCH):
        shown = images[start : start + _BATCH]
        response = engine.respond(plan, encoder.encode(shown, seed, INFERENCE_SPIKES, first + start))
        places = response.spike_neurons.astype(np.int64) * (rows * columns) + response.spike_positions
        counts += np.bincount(places, minlength=counts.size)
    return counts.reshape(layer.neurons, rows, columns) / max(len(images), 1)
