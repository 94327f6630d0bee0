"""What happens while one image is shown? Input spikes, output spikes and potentials over time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.numba import engine
from fspinn.base.checks import checked_seed
from fspinn.base.errors import ConfigError
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.datasets.dataset import check_images
from fspinn.lowering.compiler import plan_of
from fspinn.model.model import Model, check_size
from fspinn.network.description import Network
from fspinn.network.encoders import BatchEncoder, Spikes


@dataclass(frozen=True, eq=False)
class Presentation:
    """One image, shown to a network that has learned.

    Parameters
    ----------
    network : Network
        As it answers.
    input_spikes : Spikes
    output_steps : ndarray of int32, shape (k,)
        Time steps of the output spikes, in their order.
    output_neurons : ndarray of int32, shape (k,)
        The neurons that spiked.
    """

    network: Network
    input_spikes: Spikes
    output_steps: NDArray[np.int32]
    output_neurons: NDArray[np.int32]


def present(model: Model, image: NDArray[np.uint8], *, seed: int = 0, number: int = 0) -> Presentation:
    """Show one image and note all spikes, the same that `fspinn.predict` counts.

    Parameters
    ----------
    model : Model
    image : ndarray of uint8, shape (height, width)
    seed : int, default 0
    number : int, default 0
        Number of the image; with the seed it fixes the input spikes.

    Raises
    ------
    DataError
        If it is not an image.
    ConfigError
        If the image has another size than those that the model was trained on, or the model computes with
        integers only.
    """
    if model.network.layers[0].field is not None or len(model.network.layers) > 1:
        raise ConfigError(
            "spike raster: draws one layer of neurons that see the whole image, and this network has a field "
            "or several layers; draw its receptive fields"
        )
    if model.layer.formats is not None:
        raise ConfigError(
            "spike raster: a model in integers has no potentials in floats to draw; take the model that it "
            "was quantized from"
        )
    seed = checked_seed(seed)
    check_images(image[None], "image")
    check_size(model, image[None], "image")
    plan = plan_of(model)
    spikes = BatchEncoder(plan.encoding).encode(image[None], seed, INFERENCE_SPIKES, number)
    response = engine.respond(plan, spikes)
    return Presentation(model.network.answering, spikes, response.spike_steps, response.spike_neurons)


def potential(model: Model, shown: Presentation, neuron: int) -> NDArray[np.float32]:
    """Return the potential of one neuron in a presentation, as the engine computes it.

    Parameters
    ----------
    model : Model
    shown : Presentation
    neuron : int

    Returns
    -------
    ndarray of float32, shape (steps, 2)
        In each time step what is compared with the threshold, and what remains at its end.
    """
    potentials = engine.respond(plan_of(model), shown.input_spikes, probe=neuron).potentials
    assert potentials is not None
    course: NDArray[np.float32] = potentials[0]
    return course
