"""Which integers does a network learn with? In-training quantization, as `lowering.integers` defines it.

There is no float copy of anything: weights are integers of their format from the first presentation to the
last, so that a device could learn the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fspinn.base.errors import ConfigError, FormatError
from fspinn.lowering.integers import (
    MAX_LEARNING_BITS,
    WHOLE,
    check_formats,
    check_input,
    check_thresholds,
    lost_part,
    neuron_of,
    scaled,
    theta_while_learning,
)
from fspinn.lowering.post_training import as_format, narrowest
from fspinn.model.tensors import Formats
from fspinn.network.description import Network
from fspinn.quant.formats import Format, check_rounding, to_integers

RATE_BITS = 20
"""Fraction bits of learning rates."""

TARGET_BITS = 12
"""Fraction bits of the target of a weight, beyond those of weights."""

DECAY_BITS = 30
"""Fraction bits of the part of theta that decays."""

STATE_BITS = 16
"""Bits of the state where nobody gives a format (own)."""

SPAN = 4.0
"""How many firing thresholds such a state holds (own; on Fashion-MNIST potentials fall to -3 of them)."""

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


@dataclass(frozen=True)
class Teaching:
    """The integers of learning; the docstring of `fspinn.lowering.integers` says what they mean.

    Parameters
    ----------
    highest_weight : int
    norm : int
        Of the weights of a neuron; `TARGET_BITS` finer than a weight.
    depression : int
    trace_fraction, trace_leak : int
        Fraction bits of a trace, and what it loses in a step.
    theta_shift : int
        Fraction bits of theta less those of the state.
    lowest_theta : int
    theta_decay : int
    """

    highest_weight: int
    norm: int
    depression: int
    trace_fraction: int
    trace_leak: int
    theta_shift: int
    lowest_theta: int
    theta_decay: int


def grid_of(
    network: Network, n_inputs: int, weights: str | Format, state: str | Format | None, rounding: str
) -> Grid:
    """Return the numbers that a network can learn in.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled.
    n_inputs : int
    weights : str or Format
    state : str, Format or None
        None is 16 bits that hold four times the firing threshold.
    rounding : str

    Raises
    ------
    ConfigError
        If the integer engine does not teach such a network.
    FormatError
        If a format or rounding is unknown, or the formats do not go together or with the network.
    """
    for name, values in _SUPPORTED.items():
        if getattr(network, name) not in values:
            raise ConfigError(
                f"{name}: no learning in integers with {getattr(network, name)!r}; "
                f"use {' or '.join(map(str, values))}, or quantize after training"
            )
    check_rounding(rounding)
    grid = Grid(as_format(weights), state_for(network) if state is None else as_format(state), rounding)
    check_formats(grid.formats)
    if grid.weights.bits > MAX_LEARNING_BITS:
        raise FormatError(
            f"weights: {grid.weights} has {grid.weights.bits} bits; "
            f"the integer engine learns with up to {MAX_LEARNING_BITS}, such as UQ0.{MAX_LEARNING_BITS}"
        )
    for phase in (network, network.answering):
        neuron = neuron_of(phase, grid.formats)
        check_thresholds(np.array([neuron.threshold]), grid.state)
    check_input(n_inputs, grid.weights.highest_integer, grid.formats)
    return grid


def state_for(network: Network) -> Format:
    """Return the state that a network learns with where nobody gives one."""
    integer_bits = 1
    while 2.0 ** (integer_bits - 1) < SPAN * network.firing_threshold and integer_bits < STATE_BITS:
        integer_bits += 1
    return Format(integer_bits, STATE_BITS - integer_bits, signed=True)


def teaching_of(network: Network, grid: Grid) -> Teaching:
    """Return the integers of learning."""
    one = 2.0 ** (grid.weights.fraction_bits + TARGET_BITS)
    trace = trace_format(network)
    theta_shift = grid.theta.fraction_bits - grid.state.fraction_bits
    at_least_one = (1 - scaled(network.firing_threshold, grid.state)) << theta_shift
    lowest = max(scaled(network.lowest_theta, grid.theta), at_least_one, grid.theta.lowest_integer)
    return Teaching(
        highest_weight=grid.weights.highest_integer,
        norm=round((network.weight_norm or 0.0) * one),
        depression=round(network.depression_rate * 2**RATE_BITS),
        trace_fraction=trace.fraction_bits,
        trace_leak=lost_part(network.dt_ms / network.trace_tau_ms, WHOLE),
        theta_shift=theta_shift,
        lowest_theta=lowest,
        theta_decay=lost_part(network.duration_ms / network.theta_tau_ms, 2**DECAY_BITS),
    )


def trace_format(network: Network) -> Format:
    """Return the format of traces: 16 bits or more, so that even a spike in each step does not overflow."""
    lost = lost_part(network.dt_ms / network.trace_tau_ms, WHOLE)
    highest = min(network.steps, WHOLE // max(lost, 1) + 1)
    integer_bits = highest.bit_length()
    return Format(integer_bits, min(max(_TRACE_BITS - integer_bits, 0), TARGET_BITS), signed=False)


def rates_of(rates: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return learning rates as integers."""
    integers: NDArray[np.int64] = np.rint(rates * 2**RATE_BITS).astype(np.int64)
    return integers


def theta_steps_of(steps: NDArray[np.float64], network: Network, grid: Grid) -> NDArray[np.int64]:
    """Return steps of theta, given in weight norms, as integers of its format."""
    wide = np.rint(steps * (network.weight_norm or 0.0) * 2.0**grid.theta.fraction_bits)
    integers: NDArray[np.int64] = np.minimum(wide, _MOST).astype(np.int64)
    return integers


def first_weights(weights: NDArray[np.float32], grid: Grid) -> NDArray[np.uint8]:
    """Return the integers that learning starts from: the nearest ones."""
    return to_integers(weights, grid.weights).astype(np.uint8)


def learned_theta(
    theta: NDArray[np.int32], network: Network, grid: Grid
) -> tuple[NDArray[np.float32], Format]:
    """Return what the thresholds of a network that has learned have above its firing threshold.

    Returns
    -------
    theta : ndarray of float32, shape (n_neurons,)
    format : Format
        The narrowest that holds them, with the fraction bits of the state.
    """
    state, base = grid.state, scaled(network.firing_threshold, grid.state)
    shift = teaching_of(network, grid).theta_shift
    thresholds = base + ((theta.astype(np.int64) + (1 << (shift - 1))) >> shift)
    within = np.clip(thresholds, state.lowest_integer, state.highest_integer)
    values = ((within - base) * state.step).astype(np.float32)
    return values, narrowest(values, state.fraction_bits)
