"""What does each layer do for one image? Counted by an engine; or, before it has run, expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from fspinn.base.errors import ConfigError
from fspinn.memmodel.footprint import COUNTED_RULES, OUTPUT_TRACES
from fspinn.memmodel.packing import Numbers, shares
from fspinn.memmodel.size import LayerSize, Size
from fspinn.model.activity import Activity
from fspinn.network.description import Network
from fspinn.network.inputs import FirstSpike, Unscaled

PHASES = ("inference", "training")

COUNTED = "counted by the engine"
EXPECTED = "expected from the mean pixel intensity, not counted"


@dataclass(frozen=True)
class Workload:
    """What a layer does for one image, on average; numbers, or arrays for many networks at once.

    The counts mean what they mean in `fspinn.model.activity.Activity`, divided by the number of
    presentations.

    Parameters
    ----------
    source : str
        Where the numbers are from: `COUNTED` or `EXPECTED`.
    """

    steps: Numbers
    input_spikes: Numbers
    output_spikes: Numbers
    synaptic_additions: Numbers
    neuron_updates: Numbers
    rows_read: Numbers
    weights_read: Numbers
    columns_written: Numbers
    rows_written: Numbers
    windows: Numbers
    threshold_passes: Numbers
    thresholds_written: Numbers
    normalisations: Numbers
    decays: Numbers
    source: str = COUNTED

    @classmethod
    def counted(cls, activity: Activity) -> "Workload":
        """Return the mean of a run that an engine counted, of at least one presentation."""
        counts: dict[str, Any] = activity.as_dict()
        names = (name for name in cls.__dataclass_fields__ if name != "source")
        return cls(**{name: counts[name] / counts["samples"] for name in names})

    @classmethod
    def expected(
        cls, layer: LayerSize, input_spikes: Numbers, output_spikes: Numbers, training: bool
    ) -> "Workload":
        """Return what a layer would do that sees the whole input, and sees and gives so many spikes an image.

        Everything but the spikes follows from the order of events in `fspinn.network` and the learning rule.
        Output spikes are taken to lie in as many learning windows as they can, and windows without one to
        change nothing.

        Parameters
        ----------
        layer : LayerSize
        input_spikes, output_spikes : float or ndarray
        training : bool
        """
        n = layer.n_neurons
        windows = shares(layer.steps, layer.window_steps) * training
        won = np.minimum(windows, output_spikes)
        decaying = (layer.adaptation == "decaying") * training
        return cls(
            steps=layer.steps,
            input_spikes=input_spikes,
            output_spikes=output_spikes,
            synaptic_additions=input_spikes * n,
            neuron_updates=layer.steps * n * (2 if layer.inhibition == "layer" else 1),
            rows_read=input_spikes,
            weights_read=0,
            columns_written=won if layer.rule in COUNTED_RULES else output_spikes * training,
            rows_written=input_spikes * (training and layer.rule in OUTPUT_TRACES),
            windows=windows,
            threshold_passes=won if layer.adaptation == "balanced" else decaying,
            thresholds_written=output_spikes * decaying,
            normalisations=(layer.normalisation != "off") * training,
            decays=layer.decays * training,
            source=EXPECTED,
        )


Workloads: TypeAlias = Mapping[str, tuple[Workload, ...]]
"""What each layer does, by phase."""


def expected_spikes(network: Network, n_inputs: int, mean_intensity: float) -> tuple[float, ...]:
    """Return how many spikes an image should cause at the input and in each layer, from its mean pixel.

    This project's own estimate, for networks that have not run. An image of mean m is taken for one of
    ``m n_inputs`` white pixels; with ``rate_norm_hz`` spread over them there are
    ``rate_norm_hz duration sqrt(m n_inputs)`` input spikes, with the encoder ``unscaled``
    ``max_rate_hz duration m n_inputs``, and with ``ttfs`` one for each pixel.
    Output spikes: what the weights of a neuron that fits the image collect, without leak, in units of the
    threshold: ``spikes / sqrt(inputs that spike) / threshold``; at least one. For ``ttfs`` and between layers
    as many inputs spike as there are spikes, between layers at most all.

    Parameters
    ----------
    network : Network
    n_inputs : int
    mean_intensity : float
        Between 0 (black) and 1.

    Raises
    ------
    ConfigError
        If the intensity is not between 0 and 1, or a layer has a field.
    """
    if not 0 < mean_intensity <= 1:
        raise ConfigError(
            f"mean_intensity: {mean_intensity!r} is not a mean pixel; give one above 0 (black), at most 1"
        )
    if any(layer.field for layer in network.layers):
        raise ConfigError("field: spikes are expected only of layers that see the whole input; count them")
    white = mean_intensity * n_inputs
    encoder = network.encoder
    if isinstance(encoder, FirstSpike):
        input_spikes = white if encoder.spikes is None else min(white, encoder.spikes)
        collected = input_spikes**0.5
    else:
        rate_norm_hz = (
            encoder.max_rate_hz * white**0.5 if isinstance(encoder, Unscaled) else encoder.rate_norm_hz
        )
        collected = rate_norm_hz * network.duration_ms / 1000
        input_spikes = collected * white**0.5
    spikes = [input_spikes]
    for layer in network.answering.layers:
        spikes.append(max(1.0, collected / layer.neuron.threshold))
        collected = spikes[-1] / min(spikes[-1], layer.neurons) ** 0.5
    return tuple(spikes)


def expected_workloads(network: Network, size: Size, mean_intensity: float) -> Workloads:
    """Return the workloads that are expected of a network; see `expected_spikes`.

    Parameters
    ----------
    network : Network
    size : Size
        Of the network.
    mean_intensity : float
        Mean pixel, from 0 (black) to 1.
    """
    return workloads_of_spikes(size, *expected_spikes(network, size.layers[0].n_inputs, mean_intensity))


def workloads_of_spikes(size: Size, *spikes: Numbers) -> Workloads:
    """Return the workloads of a network with so many spikes at its input and in each of its layers."""
    return {
        phase: tuple(
            Workload.expected(layer, *seen_and_given, phase == "training")
            for layer, seen_and_given in zip(size.layers, pairwise(spikes), strict=True)
        )
        for phase in PHASES
    }


def workloads_of(activity: Mapping[str, Sequence[Activity | Workload]], size: Size) -> Workloads:
    """Return the workloads of both phases, from counts or as they are.

    Raises
    ------
    ConfigError
        If nothing was counted, or not for each layer.
    """
    found = {}
    for phase in PHASES:
        counts = activity.get(phase, ())
        if not all(isinstance(one, Workload) or one.samples for one in counts) or not counts:
            raise ConfigError(
                f"activity: nothing was counted for {phase!r}; estimate a model that fspinn has trained, or "
                "give the mean pixel intensity of the images"
            )
        if len(counts) != len(size.layers):
            raise ConfigError(
                f"activity: counts of {len(counts)} layers do not fit a network of {len(size.layers)}; give "
                "those of each layer"
            )
        found[phase] = tuple(one if isinstance(one, Workload) else Workload.counted(one) for one in counts)
    return found
