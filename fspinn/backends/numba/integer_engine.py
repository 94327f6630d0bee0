"""The integer engine: whole numbers only, as `fspinn.lowering.integers` defines them; compiled by Numba.

Weights of up to eight bits take a byte each, and potentials of up to sixteen bits two: a quarter and half of
what the fast engine moves.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.numba import integer_kernels as kernels
from fspinn.backends.numba import integer_learning_kernels as learning_kernels
from fspinn.backends.numba.float_engine import pixel_rows, stream_of
from fspinn.backends.numba.integer_kernels import Constants
from fspinn.backends.numba.integer_learning_kernels import Teaching
from fspinn.base.checks import whole_number
from fspinn.base.cores import available_cores
from fspinn.base.randomness import INFERENCE_SPIKES, LEARNING_ROUNDING, TRAINING_SPIKES
from fspinn.lowering.integer_learning import Grid, rates_of, teaching_of, theta_steps_of
from fspinn.lowering.integers import Integers, Neuron, neuron_of
from fspinn.model.model import Activity
from fspinn.network.description import ADAPTATIONS, INHIBITION_KINDS, RULES, Network
from fspinn.network.encoders import encoder_settings
from fspinn.network.plasticity import annealed
from fspinn.quant.formats import ROUNDINGS


def learn(
    network: Network,
    weights: NDArray[np.uint8],
    theta: NDArray[np.int32],
    images: NDArray[np.uint8],
    *,
    grid: Grid,
    seed: int,
    first: int,
    total: int,
    seen: NDArray[np.int64],
    earlier_spikes: int = 0,
) -> tuple[NDArray[np.int32], Activity]:
    """Present images with learning on; `weights` and `theta`, all of them integers, change in place.

    Parameters
    ----------
    network : Network
        With `weight_norm` settled.
    weights : ndarray of uint8, shape (n_inputs, n_neurons)
        Integers of ``grid.weights``.
    theta : ndarray of int32, shape (n_neurons,)
        Integers of `fspinn.lowering.integers.theta_while_learning`.
    images, seed, first, total
        As for `float_engine.learn`.
    grid : Grid
        That suits the network (`fspinn.lowering.integer_learning.grid_of`).
    seen : ndarray of int64, shape (3,)
        As for `respond`.
    earlier_spikes
        As for `float_engine.learn`.

    Returns
    -------
    spike_counts : ndarray of int32, shape (n, n_neurons)
    activity : Activity
    """
    neuron = neuron_of(network, grid.formats)
    padded = _with_row_of_zeros(weights)
    whole = _potential_type(neuron, padded)
    rates = annealed(network.learning_rate, network.learning_rate_end, first, len(images), total)
    steps = annealed(network.theta_step, network.theta_step_end, first, len(images), total)
    spike_counts = np.zeros((len(images), network.neurons), dtype=np.int32)
    counted = np.zeros(len(Activity().as_tuple()), dtype=np.int64)
    just_seen = np.zeros(3, dtype=np.int64)
    learning_kernels.learn_batch(
        pixel_rows(images),
        (*stream_of(seed, TRAINING_SPIKES, first), np.uint64(LEARNING_ROUNDING)),
        earlier_spikes,
        padded,
        theta,
        np.stack([rates_of(rates), theta_steps_of(steps, network, grid)]),
        _teaching(network, neuron, grid),
        _constants(network, neuron, whole, grid.weights.highest_integer, no_negative_weights=True),
        np.zeros(network.neurons, dtype=whole),
        spike_counts,
        (counted, just_seen),
    )
    weights[:] = padded[:-1]
    _add(just_seen[None], seen)
    return spike_counts, Activity(*counted.tolist())


def respond(
    network: Network,
    integers: Integers,
    images: NDArray[np.uint8],
    *,
    seed: int,
    first: int = 0,
    threads: int | None = None,
    spike_order: NDArray[np.int32] | None = None,
    spike_steps: NDArray[np.int32] | None = None,
    seen: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int32], Activity]:
    """Present images with learning off. The answer does not depend on `threads`.

    Parameters
    ----------
    network : Network
        That the integers are of; it says how images become spikes, and for how long.
    integers : Integers
    images, seed, first, threads, spike_order, spike_steps
        As for `float_engine.respond`.
    seen : ndarray of int64, shape (3,), optional
        What was seen before, in the order of `lowering.integers.Seen`; receives what was seen since too.

    Returns
    -------
    spike_counts : ndarray of int32, shape (n, n_neurons)
    activity : Activity
    """
    weights = _with_row_of_zeros(integers.weights)
    whole = _potential_type(integers.neuron, weights)
    constants = _constants(
        network.answering,
        integers.neuron,
        whole,
        int(weights.max()),
        no_negative_weights=bool(weights.min() >= 0),
    )
    thresholds = integers.thresholds.astype(whole)
    pixels = pixel_rows(images)
    spike_counts = np.zeros((len(images), network.neurons), dtype=np.int32)
    threads = available_cores() if threads is None else whole_number("threads", threads, 1, 1024)
    bounds = np.linspace(0, len(images), threads + 1).astype(int)
    activities = np.zeros((threads, len(Activity().as_tuple())), dtype=np.int64)
    parts_seen = np.zeros((threads, 3), dtype=np.int64)
    order = np.empty((len(images), 0), dtype=np.int32) if spike_order is None else spike_order
    steps = np.empty_like(order) if spike_steps is None else spike_steps

    def work(part: int) -> None:
        start, stop = bounds[part], bounds[part + 1]
        kernels.respond_batch(
            pixels[start:stop],
            stream_of(seed, INFERENCE_SPIKES, first + start),
            weights,
            integers.heard,
            thresholds,
            constants,
            spike_counts[start:stop],
            order[start:stop],
            steps[start:stop],
            (activities[part], parts_seen[part]),
        )

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    if seen is not None:
        _add(parts_seen, seen)
    return spike_counts, Activity(*activities.sum(axis=0).tolist())


def _add(parts: NDArray[np.int64], seen: NDArray[np.int64]) -> None:
    seen[:2] = min(seen[0], parts[:, 0].min()), max(seen[1], parts[:, 1].max())
    seen[2] += parts[:, 2].sum()


def _potential_type(neuron: Neuron, weights: NDArray[Any]) -> type[np.int16 | np.int32]:
    """Return 16 bits if potentials and leak fit; 32 also beside wide weights, which nobody times."""
    fits = neuron.lowest >= -(2**15) and max(neuron.highest, neuron.leak) < 2**15
    return np.int16 if fits and weights.dtype == np.uint8 else np.int32


def _with_row_of_zeros(weights: NDArray[Any]) -> NDArray[Any]:
    """Return the weights in bytes, if they fit, and a row of zeros after them."""
    fits = weights.min() >= 0 and weights.max() < 256
    rows = np.zeros((len(weights) + 1, weights.shape[1]), dtype=np.uint8 if fits else np.int32)
    rows[:-1] = weights
    return rows


def _constants(
    network: Network,
    neuron: Neuron,
    whole: type[np.int16 | np.int32],
    largest_weight: int,
    *,
    no_negative_weights: bool,
) -> Constants:
    encoder, rate_norm_per_step, most_spikes = encoder_settings(network)
    return Constants(
        steps=network.steps,
        encoder=encoder,
        rate_norm_per_step=rate_norm_per_step,
        most_spikes=most_spikes,
        leak=whole(neuron.leak),
        scale_up=2 ** max(neuron.shift, 0),
        scale_down=max(-neuron.shift, 0),
        largest_weight=largest_weight,
        no_negative_weights=no_negative_weights,
        lowest=neuron.lowest,
        highest=neuron.highest,
        refractory_steps=network.refractory_steps,
        inhibition_kind=INHIBITION_KINDS.index(network.inhibition_kind),
        inhibition_steps=network.inhibition_steps,
        toll=neuron.toll,
        toll_part=neuron.toll_part,
    )


def _teaching(network: Network, neuron: Neuron, grid: Grid) -> Teaching:
    numbers = teaching_of(network, grid)
    return Teaching(
        rule=RULES.index(network.rule),
        window_steps=network.window_steps,
        spike_threshold=network.spike_threshold or 0,
        adaptation=ADAPTATIONS.index(network.adaptation),
        rounding=ROUNDINGS.index(grid.rounding),
        weight_fraction=grid.weights.fraction_bits,
        highest_weight=numbers.highest_weight,
        norm=numbers.norm,
        depression=numbers.depression,
        trace_fraction=numbers.trace_fraction,
        trace_leak=numbers.trace_leak,
        firing_threshold=neuron.threshold,
        theta_shift=numbers.theta_shift,
        lowest_theta=numbers.lowest_theta,
        theta_decay=numbers.theta_decay,
    )
