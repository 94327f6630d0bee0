"""What does the winner cost beside other networks? Memory and energy by component."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fspinn.base.settings import with_settings
from fspinn.memmodel import Estimate, Size, estimate, expected_workloads
from fspinn.model.model import Model
from fspinn.network.adaptation import Decaying
from fspinn.network.description import Network
from fspinn.network.inhibition import Lateral
from fspinn.network.layers import Neuron
from fspinn.network.rules import Stdp, Timestep
from fspinn.report.plots.costs import SHADES
from fspinn.search.candidates import FLOAT, FLOAT_BITS

FSPINN = Network.dense(
    4900, neuron=Neuron(threshold=10.0), inhibition=Lateral(strength=1.5), adaptation=Decaying()
)
FSPINN_LEARNER = Stdp(Timestep(spike_threshold=4), window_ms=100.0, normalisation="l2")
"""FSpiNN's network as published: 4900 neurons with direct lateral inhibition, 350 steps of 1 ms. Its further
settings were not published; these are what ``benchmarks/ablation.py`` found for its rule."""

FSPINN_IMAGES, FSPINN_CLASSES, FSPINN_BITS = (28, 28), 10, 8
MNIST_MEAN = 0.1307
"""Mean pixel of MNIST's training images, from 0 to 1."""


class Part(NamedTuple):
    """A component of a cost, as a share of its total."""

    name: str
    value: float
    share: float
    colour: str


class Compared(NamedTuple):
    """The costs of an inference of one network, and its accuracy on validation images where that is known."""

    name: str
    about: str
    accuracy: float | None
    memory_bits: float
    energy_pj: float
    memory_parts: tuple[Part, ...]
    energy_parts: tuple[Part, ...]


def compared(answer: Mapping[str, Any], model: Model) -> list[Compared]:
    """Return the costs of a search's winner, of the same network without constraints, and of FSpiNN's."""
    hardware, winner = answer["hardware"], f"the winner: {answer['neurons']} neurons, {answer['weights']}"
    network = model.network
    if len(network.layers) == 1:  # as before neurons were dropped; those of a stack are all needed
        network = with_settings(network, {"neurons": answer["neurons"]})
    size = Size.of_network(
        network,
        model.learner,
        model.image_shape,
        n_classes=model.readout.n_classes,
        weight_bits=FLOAT_BITS,
        readout=model.readout.name,
        readout_bits=FLOAT_BITS,
        extra_features=0 if model.features is None else len(model.features.names),
    )
    published = Size.of_network(
        FSPINN, FSPINN_LEARNER, FSPINN_IMAGES, FSPINN_CLASSES, FSPINN_BITS, readout="majority"
    )
    return [
        _compared(winner, "as counted", answer["accuracy"], estimate(model, hardware)),
        _compared(
            f"without constraints: {answer['neurons']} neurons, {FLOAT}",
            "the same network before anything was quantized or dropped, with the same counted spikes",
            _float_accuracy(answer),
            estimate(size, hardware, model.activity),
        ),
        _compared(
            f"FSpiNN as published: {FSPINN.neurons} neurons, {FSPINN_BITS} bits",
            "for images of 28 x 28 pixels; expected spikes, not counted",
            None,
            estimate(published, hardware, expected_workloads(FSPINN, published, MNIST_MEAN)),
        ),
    ]


def _compared(name: str, about: str, accuracy: float | None, cost: Estimate) -> Compared:
    memory, energy = cost.memory["inference"], cost.energy["inference"]
    totals = memory["total"], energy["total"]
    return Compared(name, about, accuracy, *totals, _parts(memory), _parts(energy))


def _parts(breakdown: Mapping[str, Any]) -> tuple[Part, ...]:
    total = max(breakdown["total"], 1e-12)
    parts = ((name, value) for name, value in breakdown.items() if name != "total" and value > 0)
    return tuple(Part(name, value, value / total, SHADES.get(name, "#dddddd")) for name, value in parts)


def _float_accuracy(answer: Mapping[str, Any]) -> float | None:
    """Return the accuracy of the winner's network in float32, if the search has measured it."""
    same = {"weights": FLOAT, **{name: answer[name] for name in ("neurons", "readout", "settings")}}
    return next((trial["accuracy"] for trial in answer["trials"] if same.items() <= trial.items()), None)
