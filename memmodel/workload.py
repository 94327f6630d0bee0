"""What does each layer do for one image? Counted by an engine; or, before it has run, expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from fspinn.base.errors import ConfigError
from fspinn.memmodel.footprint import COUNTED_RULES, OUTPUT_TRACES
from fspinn.memmodel.layer_size import LayerSize
from fspinn.memmodel.packing import Numbers, plain, shares
from fspinn.memmodel.size import Size
from fspinn.model.activity import Activity
from fspinn.network.adaptation import Balanced, Decaying, Homeostatic
from fspinn.network.description import Network
from fspinn.network.inhibition import First, NoInhibition, Ranked
from fspinn.network.inputs import Events, FirstSpike, Unscaled

PHASES = ("inference", "training")

RATE = 0.2
"""Part of the time steps in which a neuron of a layer without inhibition spikes, where nothing was counted.

Layers of 200 neurons that were trained with labels on MNIST and not asked to be sparse do so in 0.1 to 0.3 of
them (fspinn); with a field, at those positions that see something.
"""

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
    active_steps: Numbers
    positions: Numbers
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

    @property
    def silent(self) -> "Workload":
        """The same without a spike: what time steps and neurons take, and no more."""
        spiking = (
            "active_steps",
            "input_spikes",
            "output_spikes",
            "synaptic_additions",
            "rows_read",
            "weights_read",
        )
        learned = ("columns_written", "rows_written", "threshold_passes", "thresholds_written")
        return replace(self, **{name: 0 * getattr(self, name) for name in spiking + learned})

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
        """Return what a layer would do that sees and gives so many spikes an image, at all its positions.

        Everything but the spikes follows from the order of events in `fspinn.network` and the learning rule.
        Input spikes are taken to lie in any step (fspinn); what is drawn in an image hangs together, and
        columns on MNIST and Fashion-MNIST have half as many active steps.
        Output spikes are taken to lie in as many learning windows as they can, and windows without one to
        change nothing. Where the first spike ends a presentation, it does so half way (fspinn); one without a
        spike runs to its end.

        Parameters
        ----------
        layer : LayerSize
        input_spikes, output_spikes : float or ndarray
        training : bool
        """
        n, first = layer.n_neurons, layer.inhibition == First.kind
        positions = layer.positions
        if training:  # those with next to no input are skipped
            shown = output_spikes / layer.target_spikes
            positions = plain(np.where(layer.slides, np.minimum(layer.drawn, shown), 1))
        steps = positions * layer.steps
        if first:
            steps = steps - np.minimum(output_spikes, positions) * (layer.steps / 2)
        if layer.inhibition == Ranked.kind:
            output_spikes = positions if training else output_spikes
            steps = steps + positions * (1 if training else layer.inhibition_steps)
        windows = positions * shares(layer.steps, layer.window_steps) * training
        won = np.minimum(windows, output_spikes)
        at_spikes = ((layer.adaptation == Decaying.kind) | (layer.adaptation == Homeostatic.kind)) * training
        return cls(
            steps=steps,
            active_steps=steps * -np.expm1(-input_spikes / np.maximum(steps, 1)),
            positions=positions,
            input_spikes=input_spikes,
            output_spikes=output_spikes,
            synaptic_additions=input_spikes * n,
            neuron_updates=steps * n * (2 if layer.inhibition == "layer" else 1),
            rows_read=input_spikes,
            weights_read=0,
            columns_written=won if layer.rule in COUNTED_RULES else output_spikes * training,
            rows_written=input_spikes * (training and layer.rule in OUTPUT_TRACES),
            windows=windows,
            threshold_passes=won if layer.adaptation == Balanced.kind else at_spikes * positions,
            thresholds_written=output_spikes * at_spikes,
            normalisations=(layer.normalisation != "off") * training * positions,
            decays=layer.decays * training * positions,
            source=EXPECTED,
        )


Workloads: TypeAlias = Mapping[str, tuple[Workload, ...]]
"""What each layer does, by phase."""


def expected_spikes(network: Network, size: Size, mean_intensity: float) -> tuple[float, ...]:
    """Return how many spikes an image should cause at the input and in each layer, from its mean pixel.

    This project's own estimate, for networks that have not run. An image of mean m is taken for one of
    ``m n_inputs`` white pixels; with ``rate_norm_hz`` spread over them there are
    ``rate_norm_hz duration sqrt(m n_inputs)`` input spikes, with the encoder ``unscaled``
    ``max_rate_hz duration m n_inputs``, and with ``ttfs`` one for each pixel. With ``events`` the mean is the
    part of time steps in which an input spikes.
    Output spikes: what the weights of a neuron that fits the image collect, without leak, in units of the
    threshold: ``spikes / sqrt(inputs that spike) / threshold``; at least one, where the first ends the
    presentation just that, and where neurons answer by rank one in each time step of the answer. Layers
    that answer as they learn spike as often as homeostatic thresholds hold, if they have these. Without
    inhibition each neuron spikes in a part `RATE` of the time steps: its threshold says little, as labels
    have set the weights. For ``ttfs`` as many inputs spike as there are spikes. A layer sees of the one
    before it a spike of each neuron in each cell, at most; without inhibition there one in each time step.

    A field sees a part of this at each of its positions. What is drawn in an image hangs together, so these
    are not alike: of a mean m a share ``sqrt(m)`` of them sees all there is, and gives at least a spike. That
    is 0.36 on MNIST and 0.53 on Fashion-MNIST, where columns of fields of 5 x 5 give 0.37 and 0.72 (fspinn).

    Parameters
    ----------
    network : Network
    size : Size
        Of the network.
    mean_intensity : float
        Between 0 (black) and 1.

    Raises
    ------
    ConfigError
        If the intensity is not between 0 and 1.
    """
    if not 0 < mean_intensity <= 1:
        raise ConfigError(
            f"mean_intensity: {mean_intensity!r} is not a mean pixel; give one above 0 (black), at most 1"
        )
    (inputs, *features), encoder = available_inputs(size), network.encoder
    spiking = mean_intensity * inputs
    if isinstance(encoder, FirstSpike):
        seen = spiking = spiking if encoder.spikes is None else min(spiking, encoder.spikes)
    elif isinstance(encoder, Events):
        seen, spiking = spiking * network.steps, np.minimum(inputs, spiking * network.steps)
    else:
        rate_norm_hz = (
            encoder.max_rate_hz * spiking**0.5 if isinstance(encoder, Unscaled) else encoder.rate_norm_hz
        )
        seen = rate_norm_hz * network.duration_ms / 1000 * spiking**0.5
    spikes = [seen]
    for learning, layer, sized, following in zip(
        network.layers, network.answering.layers, size.layers, (*features, size.features), strict=True
    ):
        active = sized.positions * (spiking / inputs) ** 0.5 if sized.slides else 1
        reach = _reach(sized, inputs) / active
        collected = seen / spiking**0.5 * reach**0.5
        if isinstance(layer.adaptation, Homeostatic) and layer == learning:
            given: Numbers = layer.adaptation.target_spikes
        elif isinstance(layer.inhibition, First):
            given = 1.0
        elif isinstance(layer.inhibition, Ranked):
            given = sized.inhibition_steps
        elif isinstance(layer.inhibition, NoInhibition):
            given = RATE * sized.n_neurons * sized.steps
        else:
            given = plain(np.maximum(1.0, collected / layer.neuron.threshold))
        spikes.append(active * given)
        inputs, seen = following, plain(np.minimum(spikes[-1], following * sized.time_rows))
        spiking = plain(np.minimum(seen, following))
    return tuple(spikes)


def available_inputs(size: Size) -> list[Numbers]:
    """Return the inputs that spikes of each layer come from: those of a sample, then features."""
    first = size.layers[0]
    inputs = np.where(np.minimum(first.slides, size.sample_inputs), size.sample_inputs, first.n_inputs)
    return [plain(inputs), *(layer.features for layer in size.layers[:-1])]


def _reach(layer: LayerSize, inputs: Numbers) -> Numbers:
    """Return how many positions an input is seen from, on average."""
    return plain(np.where(layer.slides, layer.positions * layer.n_inputs / inputs, 1))


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
    return workloads_of_spikes(size, *expected_spikes(network, size, mean_intensity))


def workloads_of_spikes(size: Size, *spikes: Numbers) -> Workloads:
    """Return the workloads of a network with so many spikes at its input and in each of its layers.

    Those at the input are counted once, however many positions of a field see them.
    """
    available, work = available_inputs(size), {}
    most = [each * layer.time_rows for each, layer in zip(available[1:], size.layers[:-1], strict=True)]
    given = [spikes[0], *(np.minimum(*both) for both in zip(spikes[1:-1], most, strict=True))]
    for phase in PHASES:
        training, layers = phase == "training", []
        for layer, inputs, seen, output in zip(size.layers, available, given, spikes[1:], strict=True):
            part = layer.drawn / layer.positions if training else 1  # of the positions
            seen_by_all = plain(seen) * _reach(layer, inputs)
            layers.append(Workload.expected(layer, seen_by_all * part, output * part, training))
        work[phase] = tuple(layers)
    return work


def workloads_of(
    activity: Mapping[str, Sequence[Activity | Workload]], size: Size, phases: Sequence[str] = PHASES
) -> Workloads:
    """Return the workloads of phases, from counts or as they are.

    Raises
    ------
    ConfigError
        If nothing was counted, or not for each layer.
    """
    found = {}
    for phase in phases:
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
