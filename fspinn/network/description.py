"""What is a network? How samples become spikes, and the layers that see them one after the other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fspinn.base.errors import ConfigError
from fspinn.base.printing import Drawn
from fspinn.base.settings import described, setting, with_settings
from fspinn.network.adaptation import Adaptation, Balanced, Fixed
from fspinn.network.geometry import Geometry
from fspinn.network.inhibition import First, Inhibition, Lateral, NoInhibition, Ranked
from fspinn.network.inputs import (
    Contrast,
    Encoder,
    Events,
    FirstSpike,
    NoContrast,
    OnOff,
    Poisson,
    Regular,
    block_of,
)
from fspinn.network.layers import Layer, Neuron, tau_m_ms_of

MAX_STEPS = 100_000


@described
class Network(Drawn):
    """Everything that can be said about a network before it has seen a sample.

    Its settings were chosen on the validation split of MNIST where their source is fspinn. "D&C" is Diehl &
    Cook, Front. Comput. Neurosci. 9:99 (2015), or its published code.
    """

    encoder: Encoder = setting("How samples become spikes.", default=Poisson())
    layers: tuple[Layer, ...] = setting(
        "The layers, from the input on.", default=(Layer(),), further=Layer.following
    )
    dt_ms: float = setting(
        "Time step.", default=1.0, unit="ms", source="BindsNET; D&C's code uses 0.5", above=0.0
    )
    duration_ms: float = setting(
        "How long a sample is shown.", default=350.0, unit="ms", source="D&C", above=0.0
    )
    contrast: Contrast = setting("What is encoded of a sample.", default=NoContrast())
    pool: int = setting(
        "Pixels along an edge of a block whose mean is one input, before the contrast; 1 is each pixel. Of a "
        "signal, values in a row.",
        default=1,
        unit="pixels",
        at_least=1,
        at_most=255,
    )

    def __post_init__(self) -> None:
        if not self.layers:
            raise ConfigError("layers: there are none; give at least one")
        if any(isinstance(layer.inhibition, Ranked) for layer in self.layers[:-1]):
            raise ConfigError(
                "inhibition: a layer that is ranked answers after the presentation, when no other can "
                "follow; make it the last one"
            )
        last = self.layers[-1].inhibition
        if isinstance(last, Ranked) and self.steps_of(last.answer_ms) < 1:
            raise ConfigError(
                f"answer_ms: {last.answer_ms:g} is less than half a time step of dt_ms = {self.dt_ms:g}, and "
                "nothing would be answered; make it longer"
            )
        if not self.dt_ms <= self.duration_ms <= self.dt_ms * MAX_STEPS:
            time = "a longer time" if self.duration_ms < self.dt_ms else "a shorter time"
            raise ConfigError(
                f"duration_ms: {self.duration_ms:g} is not from 1 to {MAX_STEPS} time steps "
                f"of dt_ms = {self.dt_ms:g}; show the image for {time}"
            )

        if not isinstance(self.encoder, Events):
            return
        if not isinstance(self.contrast, NoContrast):
            raise ConfigError(
                "contrast: events have no intensities that it could be taken of; leave it out (off)"
            )
        if self.pool > 1:
            raise ConfigError(
                "pool: events have no intensities that a mean could be taken of; leave it out (1)"
            )
        if abs(self.step_us / 1000 - self.dt_ms) > 1e-9 or self.step_us < 1:
            raise ConfigError(
                f"dt_ms: events come in whole microseconds, of which {self.dt_ms:g} ms is not a number; "
                "round it, such as to 5"
            )

    __repr__ = Drawn.__repr__

    def __str__(self) -> str:
        first, *further = self.layers
        neurons = ", then ".join([str(first), *(str(layer.neurons) for layer in further)])
        contrast = "" if self.contrast.channels == 1 else f"{self.contrast.kind} "
        return f"{neurons}; {contrast}{self.encoder.kind} input, {self.steps} steps of {self.dt_ms:g} ms"

    @classmethod
    def dense(
        cls,
        neurons: int = 400,
        *,
        encoder: Encoder = Poisson(),
        neuron: Neuron = Neuron(),
        inhibition: Inhibition = Lateral(),
        adaptation: Adaptation = Balanced(),
        dt_ms: float = 1.0,
        duration_ms: float = 350.0,
    ) -> "Network":
        """Return a network of one layer that sees the whole input (Diehl & Cook, FSpiNN).

        Parameters
        ----------
        neurons : int, default 400
        encoder, neuron, inhibition, adaptation
            See `Layer`.
        dt_ms, duration_ms : float
            See `Network`.
        """
        layer = Layer(neurons, neuron=neuron, inhibition=inhibition, adaptation=adaptation)
        return cls(encoder, (layer,), dt_ms, duration_ms)

    @classmethod
    def patches(
        cls,
        neurons: int = 16,
        field: int | tuple[int, int] = 5,
        *,
        stride: int = 1,
        cells: int | tuple[int, int] = 3,
        encoder: Encoder = FirstSpike(relative_to="white"),
        contrast: Contrast = NoContrast(),
        pool: int = 1,
        neuron: Neuron = Neuron(threshold=2.0, tau_m_ms=None),
        inhibition: Inhibition = First(),
        adaptation: Adaptation = Balanced(theta_step=0.02),
        dt_ms: float = 1.0,
        duration_ms: float = 8.0,
    ) -> "Network":
        """Return a column of neurons without leak that share their weights and slide over the input.

        Each pixel spikes once, the brighter the earlier, in one of 8 steps; the first neuron to spike ends
        the presentation at its position (fspinn).

        Parameters
        ----------
        neurons : int, default 16
        field, cells : int or tuple of int
            One number stands for height and width.
        stride : int, default 1
        encoder, contrast, neuron, inhibition, adaptation
            See `Network` and `Layer`.
        pool : int, default 1
        dt_ms, duration_ms : float
            See `Network`.
        """
        layer = Layer(neurons, neuron=neuron, inhibition=inhibition, adaptation=adaptation)
        layer = with_settings(layer, {"field": field, "stride": stride, "cells": cells})
        return cls(encoder, (layer,), dt_ms, duration_ms, contrast, pool)

    @classmethod
    def supervised(
        cls,
        neurons: int | Sequence[int] = 200,
        field: int | tuple[int, int] | None = None,
        *,
        stride: int = 1,
        cells: int | tuple[int, int] = 3,
        beta: float = 0.9,
        threshold: float = 1.0,
        encoder: Encoder = FirstSpike(relative_to="white"),
        contrast: Contrast = NoContrast(),
        pool: int = 1,
        dt_ms: float = 1.0,
        duration_ms: float = 10.0,
    ) -> "Network":
        """Return a network for labels to fill: neurons that know nothing of each other (`fspinn.Surrogate`).

        Parameters
        ----------
        neurons : int or sequence of int, default 200
            Of one layer, or of each of several.
        field : int or tuple of int, or None, default None
            What a neuron of the first layer sees; None is all of the input.
        stride, cells
            Of the first layer, if it has a field; one number of cells stands for rows and columns.
        beta : float, default 0.9
            Part of a potential that is left after a time step: ``tau_m_ms = -dt_ms / ln(beta)``.
        threshold : float, default 1.0
        encoder, contrast, pool, dt_ms, duration_ms
            See `Network`.

        Examples
        --------
        >>> network = Network.supervised((200, 10))
        >>> [layer.neurons for layer in network.layers], network.layers[0].inhibition.kind
        ([200, 10], 'none')
        """
        neuron = Neuron(threshold=threshold, tau_m_ms=tau_m_ms_of(beta, dt_ms), weight_norm=1.0)
        first, *others = (neurons,) if isinstance(neurons, int) else neurons
        layer = Layer(first, neuron=neuron, inhibition=NoInhibition(), adaptation=Fixed())
        if field is not None:
            layer = with_settings(layer, {"field": field, "stride": stride, "cells": cells})
        layers = [layer]
        for count in others:
            layers.append(replace(layers[-1].following(), neurons=count))
        return cls(encoder, tuple(layers), dt_ms, duration_ms, contrast, pool)

    @classmethod
    def converted(
        cls,
        neurons: int | Sequence[int] = 200,
        field: int | tuple[int, int] | None = None,
        *,
        stride: int = 1,
        cells: int | tuple[int, int] = 3,
        beta: float = 1.0,
        threshold: float = 1.0,
        encoder: Encoder = Regular(rate_norm_hz=3000.0),
        contrast: Contrast = NoContrast(),
        pool: int = 1,
        dt_ms: float = 1.0,
        duration_ms: float = 16.0,
    ) -> "Network":
        """Return a network for an ANN to become (`fspinn.Hybrid`): no leak, and inputs that are rates.

        Parameters
        ----------
        neurons, field, stride, cells
            As for `supervised`.
        beta : float, default 1.0
            Part of a potential that is left after a time step; 1 is no leak, and less converts less well.
        threshold : float, default 1.0
            In units of the one that balances rates with activations.
        encoder : Encoder, default Regular(rate_norm_hz=3000.0)
            Of rates: any but `FirstSpike`.
        contrast, pool, dt_ms, duration_ms
            See `Network`.
        """
        how: dict[str, Any] = {"encoder": encoder, "contrast": contrast, "pool": pool, "dt_ms": dt_ms}
        how |= {"stride": stride, "cells": cells, "beta": beta, "threshold": threshold}
        return cls.supervised(neurons, field, duration_ms=duration_ms, **how)

    def input_shape(self, shape: tuple[int, ...], number: int = 0) -> tuple[int, int, int]:
        """Return height, width and channels of what a layer sees.

        Parameters
        ----------
        shape : tuple of int
            Of a sample: height and width, and perhaps channels.
        number : int, default 0
            Of the layer.

        Raises
        ------
        ConfigError
            If colours are asked for and there are none, or blocks to pool do not fill a sample.
        """
        if number > 0:
            below = self.layers[number - 1]
            return (*below.cells, below.neurons)
        channels = shape[2] if len(shape) > 2 else 1
        if isinstance(self.contrast, OnOff) and self.contrast.of == "colours" and channels != 3:
            raise ConfigError(
                f"contrast_of: colours are red, green and blue, but samples have {channels} "
                f"channel{'s' * (channels > 1)}; leave it out"
            )
        rows, columns = block_of(self.pool, shape)
        return shape[0] // rows, shape[1] // columns, channels * self.contrast.channels

    def geometries(self, shape: tuple[int, ...]) -> tuple[Geometry | None, ...]:
        """Return where the neurons of each layer look, on samples of a shape; None is everywhere.

        Raises
        ------
        ConfigError
            If a field does not fit, or there are more cells than positions.
        """
        return tuple(
            layer.geometry(*self.input_shape(shape, number)) for number, layer in enumerate(self.layers)
        )

    @property
    def steps(self) -> int:
        """Time steps of one presentation."""
        return self.steps_of(self.duration_ms)

    @property
    def step_us(self) -> int:
        """Microseconds of a time step, rounded."""
        return round(self.dt_ms * 1000)

    def steps_of(self, time_ms: float) -> int:
        """Return the time steps nearest to a time."""
        return round(min(time_ms / self.dt_ms, MAX_STEPS))

    @property
    def answering(self) -> "Network":
        """This network once learning is over."""
        return replace(self, layers=tuple(layer.answering for layer in self.layers))

    @property
    def neurons(self) -> int:
        """Number of neurons, of all layers."""
        return sum(layer.neurons for layer in self.layers)

    @property
    def features(self) -> int:
        """Numbers that a readout listens to: output spikes per cell and neuron of the last layer."""
        return self.layers[-1].features
