"""Which integers does a network learn with? In-training quantization, as `lowering.integers` defines it.

There is no float copy of anything: weights are integers of their format from the first presentation to the
last, so that a device could learn the same.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError, FormatError
from fspinn.lowering.integers import (
    MAX_LEARNING_BITS,
    WHOLE,
    check_formats,
    check_input,
    check_thresholds,
    in_formats,
    lost_part,
    scaled,
    theta_while_learning,
)
from fspinn.lowering.plan import IntegerLearning, LayerPlan, LearningPlan
from fspinn.model.tensors import Formats
from fspinn.network.description import Network
from fspinn.quant.formats import Format, as_format, check_rounding, narrowest, to_integers

RATE_BITS = 20
"""Fraction bits of learning rates."""

TARGET_BITS = 12
"""Fraction bits of the target of a weight, beyond those of weights."""

DECAY_BITS = 30
"""Fraction bits of the part of theta that decays."""

STATE_BITS = 16
"""Bits of the state where nobody gives a format (fspinn)."""

SPIKE_BITS = 16
"""Fraction bits of the target of spikes."""

SPAN = 4.0
"""How many firing thresholds such a state holds (fspinn; on Fashion-MNIST potentials fall to -3 of them)."""

_TRACE_BITS = 16
_MOST = 2**31
_SUPPORTED = {"rule": ("normalised", "timestep"), "normalisation": ("off",), "weight_decay": (0.0,)}


@dataclass(frozen=True)
class Grid:
    """The numbers that a network keeps to while it learns.

    Parameters
    ----------
    weights, state : Format
    rounding : str
        Of changes of weights (see `fspinn.quant.formats`).
    """

    weights: Format
    state: Format
    rounding: str

    @property
    def formats(self) -> Formats:
        """The formats of what neurons compute with; thresholds are rounded to the state for that."""
        return Formats(self.weights, self.state, theta=self.state)

    @property
    def theta(self) -> Format:
        """The format of theta, which is finer than the state."""
        return theta_while_learning(self.state)

    @property
    def theta_shift(self) -> int:
        """Fraction bits of theta less those of the state."""
        return self.theta.fraction_bits - self.state.fraction_bits


def checked_grid(
    learning: LayerPlan,
    answering: LayerPlan,
    weights: str | Format,
    state: str | Format | None,
    rounding: str,
) -> Grid:
    """Return the numbers that a network can learn in.

    Parameters
    ----------
    learning, answering : LayerPlan
        The layer in reals, as it learns and as it will answer.
    weights : str or Format
    state : str, Format or None
        None is 16 bits that hold four times the firing threshold.
    rounding : str

    Raises
    ------
    ConfigError
        If the integer engine does not learn such a network.
    FormatError
        If a format or rounding is unknown, or the formats do not go together or with the network.
    """
    for name, values in _SUPPORTED.items():
        if getattr(learning.learning, name) not in values:
            raise ConfigError(
                f"{name}: no learning in integers with {getattr(learning.learning, name)!r}; "
                f"use {' or '.join(map(str, values))}, or quantize after training"
            )
    check_rounding(rounding)
    state = state_for(learning.firing_threshold) if state is None else as_format(state, "state")
    grid = Grid(as_format(weights, "weights"), state, rounding)
    check_formats(grid.formats)
    if grid.weights.bits > MAX_LEARNING_BITS:
        raise FormatError(
            f"weights: {grid.weights} has {grid.weights.bits} bits; "
            f"the integer engine learns with up to {MAX_LEARNING_BITS}, such as UQ0.{MAX_LEARNING_BITS}"
        )
    for phase in (learning, answering):
        threshold = scaled(phase.firing_threshold, grid.state)
        check_thresholds(np.array([threshold]), grid.state)
    check_input(learning.inputs, grid.weights.highest_integer, grid.formats)
    return grid


def state_for(firing_threshold: float) -> Format:
    """Return the state that a network learns with where nobody gives one."""
    integer_bits = 1
    while 2.0 ** (integer_bits - 1) < SPAN * firing_threshold and integer_bits < STATE_BITS:
        integer_bits += 1
    return Format(integer_bits, STATE_BITS - integer_bits, signed=True)


def learning_in_integers(layer: LayerPlan, network: Network, grid: Grid) -> LayerPlan:
    """Return a layer in reals that learns as one in integers; arrays stay the same."""
    learning = layer.learning
    assert learning is not None
    trace = trace_format(learning, network.dt_ms, network.steps)
    at_least_one = (1 - scaled(layer.firing_threshold, grid.state)) << grid.theta_shift
    integers = IntegerLearning(
        rounding=grid.rounding,
        highest_weight=grid.weights.highest_integer,
        norm=round(learning.weight_norm * 2.0 ** (grid.weights.fraction_bits + TARGET_BITS)),
        depression=round(learning.depression_rate * 2**RATE_BITS),
        trace_fraction=trace.fraction_bits,
        trace_leak=lost_part(network.dt_ms / learning.trace_tau_ms, WHOLE),
        lowest_theta=max(scaled(learning.lowest_theta, grid.theta), at_least_one, grid.theta.lowest_integer),
        theta_decay=lost_part(learning.duration_ms / learning.theta_tau_ms, 2**DECAY_BITS),
        target_spikes=round(learning.target_spikes * 2**SPIKE_BITS),
    )
    return replace(
        in_formats(layer, network.dt_ms, grid.formats),
        formats=replace(grid.formats, theta=grid.theta),
        learning=replace(learning, integers=integers),
    )


def trace_format(learning: LearningPlan, dt_ms: float, steps: int) -> Format:
    """Return the format of traces: 16 bits or more, so that even a spike in each step does not overflow."""
    lost = lost_part(dt_ms / learning.trace_tau_ms, WHOLE)
    highest = min(steps, WHOLE // max(lost, 1) + 1)
    integer_bits = highest.bit_length()
    return Format(integer_bits, min(max(_TRACE_BITS - integer_bits, 0), TARGET_BITS), signed=False)


def integer_schedule(
    learning: LearningPlan, theta: Format, schedule: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return what `LearningPlan.schedule` returns as integers; steps of theta in its format."""
    rates = np.rint(schedule[:, 0] * 2**RATE_BITS)
    steps = np.rint(schedule[:, 1] * learning.weight_norm * 2.0**theta.fraction_bits)
    integers: NDArray[np.int64] = np.stack([rates, np.minimum(steps, _MOST)], axis=1).astype(np.int64)
    return integers


def first_weights(weights: NDArray[np.float32], grid: Grid) -> NDArray[np.uint8]:
    """Return the integers that learning starts from: the nearest ones."""
    return to_integers(weights, grid.weights).astype(np.uint8)


def learned_theta(
    theta: NDArray[np.int32], firing_threshold: float, grid: Grid
) -> tuple[NDArray[np.float32], Format]:
    """Return what the thresholds of a network that has learned have above its firing threshold.

    Returns
    -------
    theta : ndarray of float32, shape (n_neurons,)
    format : Format
        The narrowest that holds them, with the fraction bits of the state.
    """
    state, base, shift = grid.state, scaled(firing_threshold, grid.state), grid.theta_shift
    thresholds = base + ((theta.astype(np.int64) + (1 << (shift - 1))) >> shift)
    within = np.clip(thresholds, state.lowest_integer, state.highest_integer)
    values = ((within - base) * state.step).astype(np.float32)
    return values, narrowest(values, state.fraction_bits)
