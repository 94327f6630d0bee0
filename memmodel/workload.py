"""What does a network do for one image? Counted by an engine; or, before it has run, expected."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fspinn.base.errors import ConfigError
from fspinn.memmodel.footprint import COUNTED_RULES, OUTPUT_TRACES
from fspinn.memmodel.packing import Numbers, shares
from fspinn.memmodel.size import Size
from fspinn.model.activity import Activity
from fspinn.network.description import Network
from fspinn.network.inputs import FirstSpike, Unscaled

PHASES = ("inference", "training")

COUNTED = "counted by the engine"
EXPECTED = "expected from the mean pixel intensity, not counted"


@dataclass(frozen=True)
class Workload:
    """What a network does for one image, on average; numbers, or arrays for many networks at once.

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
        cls, size: Size, input_spikes: Numbers, output_spikes: Numbers, training: bool
    ) -> "Workload":
        """Return what a network would do that sees and gives so many spikes an image.

        Everything but the spikes follows from the order of events in `fspinn.network` and the learning rule.
        Output spikes are taken to lie in as many learning windows as they can, and windows without one to
        change nothing.

        Parameters
        ----------
        size : Size
        input_spikes, output_spikes : float or ndarray
        training : bool

        Returns
        -------
        Workload
        """
        n = size.n_neurons
        windows = shares(size.steps, size.window_steps) * training
        won = np.minimum(windows, output_spikes)
        decaying = (size.adaptation == "decaying") * training
        return cls(
            steps=size.steps,
            input_spikes=input_spikes,
            output_spikes=output_spikes,
            synaptic_additions=input_spikes * n,
            neuron_updates=size.steps * n * (2 if size.inhibition == "layer" else 1),
            rows_read=input_spikes,
            weights_read=0,
            columns_written=won if size.rule in COUNTED_RULES else output_spikes * training,
            rows_written=input_spikes * (training and size.rule in OUTPUT_TRACES),
            windows=windows,
            threshold_passes=won if size.adaptation == "balanced" else decaying,
            thresholds_written=output_spikes * decaying,
            normalisations=(size.normalisation != "off") * training,
            decays=size.decays * training,
            source=EXPECTED,
        )


def expected_spikes(network: Network, n_inputs: int, mean_intensity: float) -> tuple[float, float]:
    """Return how many input and output spikes an image should cause, from its mean pixel intensity.

    This project's own estimate, for networks that have not run. An image of mean m is taken for one of
    ``m n_inputs`` white pixels; with ``rate_norm_hz`` spread over them there are
    ``rate_norm_hz duration sqrt(m n_inputs)`` input spikes, with the encoder ``unscaled``
    ``max_rate_hz duration m n_inputs``, and with ``ttfs`` one for each pixel.
    Output spikes: what the weights of a neuron that fits the image collect, without leak, in units of the
    threshold: ``input_spikes / sqrt(m n_inputs) / threshold``, or for ``ttfs`` ``sqrt(input_spikes) /
    threshold``; at least one.

    Parameters
    ----------
    network : Network
    n_inputs : int
    mean_intensity : float
        Between 0 (black) and 1.

    Returns
    -------
    input_spikes, output_spikes : float

    Raises
    ------
    ConfigError
        If the intensity is not between 0 and 1.
    """
    if not 0 < mean_intensity <= 1:
        raise ConfigError(
            f"mean_intensity: {mean_intensity!r} is not a mean pixel; give one above 0 (black), at most 1"
        )
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
    return input_spikes, max(1.0, collected / network.answering.layers[0].neuron.threshold)


def expected_workloads(network: Network, size: Size, mean_intensity: float) -> dict[str, Workload]:
    """Return the expected workloads of ``"inference"`` and ``"training"``; see `expected_spikes`.

    Parameters
    ----------
    network : Network
    size : Size
        Of the network.
    mean_intensity : float
        Mean pixel, from 0 (black) to 1.
    """
    inputs, outputs = expected_spikes(network, size.n_inputs, mean_intensity)
    return {phase: Workload.expected(size, inputs, outputs, phase == "training") for phase in PHASES}


def workload_of(activity: Mapping[str, Any], phase: str) -> Workload:
    """Return the workload of a phase, from counts or as it is.

    Raises
    ------
    ConfigError
        If nothing was counted.
    """
    counts = activity.get(phase)
    if isinstance(counts, Workload):
        return counts
    if counts is None or counts.samples == 0:
        raise ConfigError(
            f"activity: nothing was counted for {phase!r}; estimate a model that fspinn has trained, or give "
            "the mean pixel intensity of the images"
        )
    return Workload.counted(counts)
